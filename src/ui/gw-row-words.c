/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-row-words"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-provider-titles.h"
#include "gw-row-words.h"
#include "gw-task-words.h"

/* What stands in the cells of a row, and what a screen reader says of it. Pure. */

/* Reasons in two or three words, for a narrow column; the sentences are in gw-task-words.c. */
static const struct {
  const char *reason;
  const char *words;
} reasons[] = {
  { "auth", NC_ ("waiting", "key not accepted") },
  { "quota", NC_ ("waiting", "out of credit") },
  { "no-key", NC_ ("waiting", "no key") },
  { "model", NC_ ("waiting", "model not offered") },
  { "server", NC_ ("waiting", "provider not working") },
  { "no-worker", NC_ ("waiting", "no worker") },
  { "no-provider", NC_ ("waiting", "no provider") },
  { "disabled", NC_ ("waiting", "switched off") },
  { "paused", NC_ ("waiting", "paused") },
  { "held", NC_ ("waiting", "until resumed") },
  { "uncertain", NC_ ("waiting", "interrupted") },
  { "window", NC_ ("waiting", "limit per minute") },
  { "rate", NC_ ("waiting", "slowed down") },
  { "cool-down", NC_ ("waiting", "slowed down") },
  { "overload", NC_ ("waiting", "overloaded") },
  { "network", NC_ ("waiting", "no connection") },
  { "backoff", NC_ ("waiting", "next try") },
  { "back-off", NC_ ("waiting", "next try") },
  { "retry", NC_ ("waiting", "next try") },
  { "project", NC_ ("waiting", "its project is busy") },
  { "serial", NC_ ("waiting", "one at a time") },
};

/**
 * gw_row_words_for_reason:
 * @reason: as the gateway names it
 *
 * Returns: (transfer none) (nullable): two or three words; NULL where it is not known
 */
const char *
gw_row_words_for_reason (const char *reason)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (g_str_equal (reason, reasons[i].reason))
      return g_dpgettext2 (NULL, "waiting", reasons[i].words);
  return NULL;
}

/**
 * gw_row_words_for_place:
 *
 * Returns: (transfer none) (nullable): where a task that waits was moved to
 */
const char *
gw_row_words_for_place (const GwTask *task)
{
  if (task->status != GW_TASK_QUEUED)
    return NULL;
  if (task->priority > GW_TASK_MAX_PRIORITY)
    /* Translators: of a task that was moved to the top, in a narrow column */
    return C_ ("waiting", "goes first");
  /* Translators: of a task that was moved to the bottom, in a narrow column */
  return task->priority < -GW_TASK_MAX_PRIORITY ? C_ ("waiting", "goes last") : NULL;
}

static const char *
reason_of (const GwTask *task)
{
  const char *reason = gw_lane_states_get_waiting (task);
  const char *place = gw_row_words_for_place (task);
  gboolean in_turn = reason == NULL || g_str_equal (reason, "paused")
                     || g_str_equal (reason, "project") || g_str_equal (reason, "serial");

  /* What holds up all of them alike is told elsewhere; that this one was moved, only here. */
  if (in_turn && place != NULL)
    return place;
  return reason != NULL ? gw_row_words_for_reason (reason) : NULL;
}

/**
 * gw_row_words_for_result:
 * @preview: (nullable): the beginning of the result
 *
 * Returns: (transfer full): one line: the answer's beginning, or why there is none
 */
char *
gw_row_words_for_result (const GwTask *task,
                         const char *preview)
{
  g_autofree char *words = NULL;

  switch (task->status)
    {
    case GW_TASK_COMPLETED:
      return gw_task_words_first_line (preview != NULL ? preview : task->result);
    case GW_TASK_FAILED:
      words = gw_task_words_for_error (task);
      break;
    case GW_TASK_QUEUED:
      /* When it goes on stands in the column of times. */
      words = gw_task_words_for_waiting (task, G_MAXINT64);
      break;
    case GW_TASK_RUNNING:
    case GW_TASK_CANCELLED:
    case GW_N_TASK_STATUSES:
    default:
      break;
    }
  return words != NULL ? g_steal_pointer (&words) : g_strdup ("");
}

/**
 * gw_row_words_for_model:
 *
 * Returns: (transfer full): the model that answered; before, what the task waits for
 */
char *
gw_row_words_for_model (const GwTask *task)
{
  const char *reason = reason_of (task);

  /* Never to be taken for a real answer. */
  if (task->practice)
    return g_strdup (_("Practice"));
  if (task->model != NULL)
    return g_strdup (task->model);
  if (reason != NULL)
    return g_strdup (reason);
  return g_strdup (task->provider != NULL ? gw_provider_titles_get (task->provider) : "");
}

/**
 * gw_row_words_for_second_line:
 *
 * Returns: (transfer full): in a narrow window: state, model or reason, time
 */
char *
gw_row_words_for_second_line (const GwTask *task,
                              gint64 wall_ms)
{
  g_autofree char *model = gw_row_words_for_model (task);
  g_autofree char *time = gw_task_words_for_time (task, wall_ms);
  GString *line = g_string_new (gw_task_look_get_word (gw_task_look (task)));

  if (*model != '\0')
    g_string_append_printf (line, " · %s", model);
  if (*time != '\0')
    g_string_append_printf (line, " · %s", time);
  return g_string_free (line, FALSE);
}

/* "3.2 seconds", for the ear. */
static char *
duration_to_say (gint64 ms)
{
  gint64 s = ms / 1000;

  if (s < 10)
    /* Translators: said by a screen reader, e.g. "3.2 seconds" */
    return g_strdup_printf (_("%.1f seconds"), (double) ms / 1000.0);
  if (s < 60)
    return g_strdup_printf (ngettext ("%u second", "%u seconds", (guint) s), (guint) s);
  return g_strdup_printf (ngettext ("%u minute", "%u minutes", (guint) (s / 60)),
                          (guint) (s / 60));
}

/**
 * gw_row_words_to_say:
 *
 * Returns: (transfer full): what a screen reader says of the row: task, state and why, model, time
 */
char *
gw_row_words_to_say (const GwTask *task,
                     gint64 wall_ms)
{
  g_autofree char *line = gw_task_words_first_line (task->content);
  const char *reason = reason_of (task);
  GString *words = g_string_new (line);
  gint64 ms = gw_task_status_is_final (task->status) ? gw_task_get_duration (task) : -1;

  g_string_append_printf (words, ", %s", gw_task_look_get_word (gw_task_look (task)));
  if (task->practice)
    g_string_append_printf (words, ", %s", _("Practice answer"));
  else if (task->model != NULL)
    g_string_append_printf (words, ", %s", task->model);
  else if (reason != NULL)
    g_string_append_printf (words, ", %s", reason);
  if (ms >= 0)
    {
      g_autofree char *time = duration_to_say (ms);

      g_string_append_printf (words, ", %s", time);
    }
  else if (task->status == GW_TASK_QUEUED)
    {
      g_autofree char *time = gw_task_words_for_time (task, wall_ms);

      if (*time != '\0')
        g_string_append_printf (words, ", %s", time);
    }
  return g_string_free (words, FALSE);
}
