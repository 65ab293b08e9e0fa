/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-run-progress"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-run-progress.h"
#include "gw-task-words.h"

#define MIN_DONE_FOR_ESTIMATE 5
#define MIN_MS_FOR_ESTIMATE 10000

static gboolean
is_unfinished (guint status)
{
  return status == GW_TASK_QUEUED || status == GW_TASK_RUNNING;
}

/**
 * gw_run_progress_submitted:
 *
 * The user pressed Run: a run that is seen to begin after it began then.
 */
void
gw_run_progress_submitted (GwRunProgress *self, gint64 now_ms)
{
  if (self->submitted_at == 0)
    self->submitted_at = now_ms;
}

/**
 * gw_run_progress_update:
 * @counts: tasks by status, now
 * @now_ms: of a clock that never runs backwards
 */
void
gw_run_progress_update (GwRunProgress *self, const guint *counts, gint64 now_ms)
{
  gboolean unfinished = counts[GW_TASK_QUEUED] + counts[GW_TASK_RUNNING] > 0;
  guint i;

  if (!self->seen)
    {
      /* What had ended before the window looked for the first time is history. */
      self->seen = TRUE;
      memcpy (self->counts, counts, sizeof self->counts);
    }
  if (unfinished && !self->active)
    {
      self->active = TRUE;
      self->began_at = self->submitted_at > 0 ? self->submitted_at : now_ms;
      self->ended_at = 0;
      /* What ended in the same step as the first tasks appeared belongs to the run. */
      memcpy (self->base, self->counts, sizeof self->base);
    }
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    {
      self->counts[i] = counts[i];
      /* Removed and retried tasks leave their status: the base never exceeds what is there. */
      self->base[i] = MIN (self->base[i], counts[i]);
    }
  if (!unfinished && self->active)
    {
      self->active = FALSE;
      self->ended_at = now_ms;
      self->submitted_at = 0;
    }
}

/* Tasks of this run that ended so. */
guint
gw_run_progress_get_ended (const GwRunProgress *self, GwTaskStatus status)
{
  return is_unfinished (status) ? 0 : self->counts[status] - self->base[status];
}

guint
gw_run_progress_get_done (const GwRunProgress *self)
{
  guint done = 0;
  guint i;

  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    done += gw_run_progress_get_ended (self, i);
  return done;
}

guint
gw_run_progress_get_total (const GwRunProgress *self)
{
  return gw_run_progress_get_done (self) + self->counts[GW_TASK_QUEUED]
         + self->counts[GW_TASK_RUNNING];
}

double
gw_run_progress_get_fraction (const GwRunProgress *self)
{
  guint total = gw_run_progress_get_total (self);

  return total > 0 ? (double) gw_run_progress_get_done (self) / total : 0.0;
}

/* Time left as the pace so far tells it; -1 while that says too little. */
gint64
gw_run_progress_get_left_ms (const GwRunProgress *self, gint64 now_ms)
{
  guint done = gw_run_progress_get_done (self);
  gint64 elapsed = now_ms - self->began_at;

  if (!self->active || done < MIN_DONE_FOR_ESTIMATE || elapsed < MIN_MS_FOR_ESTIMATE)
    return -1;
  return (gint64) ((double) elapsed / done * (gw_run_progress_get_total (self) - done));
}

/**
 * gw_run_progress_to_words:
 *
 * Returns: (transfer full) (nullable): "12 of 37 · 3 running · about 2 min left", after the run
 *   "36 completed · 1 failed · 2 min 41 s"; NULL before the first one
 */
char *
gw_run_progress_to_words (const GwRunProgress *self, gint64 now_ms)
{
  GString *words;
  guint total = gw_run_progress_get_total (self);
  guint n;

  if (self->active)
    {
      gint64 left = gw_run_progress_get_left_ms (self, now_ms);

      words = g_string_new (NULL);
      /* Translators: tasks done, of all tasks, e.g. "12 of 37" */
      g_string_append_printf (words, _("%1$u of %2$u"), gw_run_progress_get_done (self), total);
      n = self->counts[GW_TASK_RUNNING];
      if (n > 0)
        {
          g_string_append (words, " · ");
          g_string_append_printf (words, ngettext ("%u running", "%u running", n), n);
        }
      if (left >= 0)
        {
          g_autofree char *rest = gw_duration_to_words (left < 60000 ? left : left / 60000 * 60000);

          g_string_append (words, " · ");
          /* Translators: %s is a duration, e.g. "about 2 min 0 s left" */
          g_string_append_printf (words, _("about %s left"), rest);
        }
      return g_string_free (words, FALSE);
    }
  if (self->ended_at == 0 || total == 0)
    return NULL;

  words = g_string_new (NULL);
  n = gw_run_progress_get_ended (self, GW_TASK_COMPLETED);
  if (n > 0)
    g_string_append_printf (words, ngettext ("%u completed", "%u completed", n), n);
  n = gw_run_progress_get_ended (self, GW_TASK_FAILED);
  if (n > 0)
    {
      g_string_append (words, words->len > 0 ? " · " : "");
      g_string_append_printf (words, ngettext ("%u failed", "%u failed", n), n);
    }
  n = gw_run_progress_get_ended (self, GW_TASK_CANCELLED);
  if (n > 0)
    {
      g_string_append (words, words->len > 0 ? " · " : "");
      g_string_append_printf (words, ngettext ("%u cancelled", "%u cancelled", n), n);
    }
  {
    g_autofree char *took = gw_duration_to_words (self->ended_at - self->began_at);

    g_string_append_printf (words, " · %s", took);
  }
  return g_string_free (words, FALSE);
}
