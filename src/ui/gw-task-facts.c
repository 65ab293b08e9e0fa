/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-facts"

#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gw-provider-titles.h"
#include "gw-task-facts.h"
#include "gw-task-words.h"

/* What is known of a task and its attempts beyond its state, as names and values to read. Pure. */

#define MAX_SUBMITTED 100
#define MAX_VALUE_BYTES 2000

static void
free_fact (gpointer data)
{
  GwFact *fact = data;

  g_free (fact->name);
  g_free (fact->value);
  g_free (fact);
}

/* Takes @value. */
static void
add (GPtrArray *facts,
     const char *name,
     char *value)
{
  GwFact *fact;

  if (value == NULL || *value == '\0')
    {
      g_free (value);
      return;
    }
  fact = g_new0 (GwFact, 1);
  fact->name = g_strdup (name);
  fact->value = value;
  g_ptr_array_add (facts, fact);
}

static char *
time_to_words (gint64 unix_ms)
{
  g_autoptr (GDateTime) utc = NULL;
  g_autoptr (GDateTime) local = NULL;

  if (unix_ms <= 0)
    return NULL;
  utc = g_date_time_new_from_unix_utc (unix_ms / 1000);
  local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  return local != NULL ? g_date_time_format (local, "%x %X") : NULL;
}

/* Latin names keep their order within right-to-left text. */
static char *
isolate (const char *text)
{
  return text != NULL ? g_strdup_printf ("\342\201\250%s\342\201\251", text) : NULL;
}

static char *
usage_to_words (const GwUsage *usage)
{
  if (usage->prompt_tokens >= 0 && usage->completion_tokens >= 0)
    /* Translators: tokens that were sent, tokens of the answer */
    return g_strdup_printf (_("%1$'ld in, %2$'ld out"), (glong) usage->prompt_tokens,
                            (glong) usage->completion_tokens);
  if (usage->total_tokens >= 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT, usage->total_tokens);
  return NULL;
}

static char *
value_to_words (JsonNode *node)
{
  char *words;

  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    words = g_strdup (json_node_get_string (node));
  else
    words = json_to_string (node, FALSE);
  if (strlen (words) > MAX_VALUE_BYTES)
    {
      const char *end = g_utf8_find_prev_char (words, words + MAX_VALUE_BYTES + 1);
      char *cut = g_strdup_printf ("%.*s…", (int) (end - words), words);

      g_free (words);
      words = cut;
    }
  return words;
}

static void
add_submitted (GPtrArray *facts,
               JsonObject *submitted)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  guint n = 0;

  json_object_iter_init_ordered (&iter, submitted);
  while (n++ < MAX_SUBMITTED && json_object_iter_next_ordered (&iter, &name, &node))
    add (facts, name, value_to_words (node));
}

/**
 * gw_task_facts:
 * @task: whole, or as the feed tells it
 * @project: (nullable): the name of its project
 *
 * Returns: (transfer full) (element-type GwFact): what there is, the submitter's own members last
 */
GPtrArray *
gw_task_facts (const GwTask *task,
               const char *project)
{
  GPtrArray *facts = g_ptr_array_new_with_free_func (free_fact);
  gint64 waited = task->started_at > 0 ? task->started_at - task->created_at : -1;

  add (facts, _("Project"), g_strdup (project));
  add (facts, _("Provider"), isolate (gw_provider_titles_get (task->provider)));
  add (facts, _("Model"), isolate (task->model));
  add (facts, _("Created"), time_to_words (task->created_at));
  add (facts, _("Started"), time_to_words (task->started_at));
  add (facts, _("Finished"), time_to_words (task->finished_at));
  if (waited >= 0)
    add (facts, _("Waited"), gw_duration_to_words (waited));
  if (task->duration_ms >= 0)
    add (facts, _("Answered in"), gw_duration_to_words (task->duration_ms));
  add (facts, _("Tokens"), usage_to_words (&task->usage));
  add (facts, _("Ended by"), g_strdup (task->finish_reason));
  if (task->attempts > 0)
    add (facts, _("Calls"), g_strdup_printf ("%u", task->attempts));
  if (task->tries > 0)
    add (facts, _("Failed tries"), g_strdup_printf ("%u", task->tries));
  add (facts, _("Task ID"), isolate (task->task_id));
  if (task->submitted != NULL)
    add_submitted (facts, task->submitted);
  return facts;
}

/* "org/Model-X" and "model-x-2024-08-06" are the same model. */
static char *
get_stem (const char *model)
{
  const char *slash = strrchr (model, '/');
  char *stem = g_ascii_strdown (slash != NULL ? slash + 1 : model, -1);

  stem[strcspn (stem, "@")] = '\0';
  if (g_str_has_suffix (stem, ":latest"))
    stem[strlen (stem) - strlen (":latest")] = '\0';
  return stem;
}

/**
 * gw_models_differ:
 *
 * Whether another model answered than the one that was asked; a dated name of the same is none.
 */
gboolean
gw_models_differ (const char *asked,
                  const char *answered)
{
  g_autofree char *one = NULL;
  g_autofree char *other = NULL;

  if (asked == NULL || answered == NULL || *asked == '\0' || *answered == '\0')
    return FALSE;
  one = get_stem (asked);
  other = get_stem (answered);
  return !g_str_has_prefix (one, other) && !g_str_has_prefix (other, one);
}

/**
 * gw_task_guard:
 * @attempts: (nullable) (element-type GwAttempt): what is known of its calls
 *
 * Returns: (transfer full) (nullable): what to beware of in the answer of a completed task
 */
char *
gw_task_guard (const GwTask *task,
               GPtrArray *attempts)
{
  guint i;

  if (task->status != GW_TASK_COMPLETED)
    return NULL;
  if (task->practice)
    return g_strdup (_("No provider is set up yet, so the built-in practice provider has only "
                       "repeated the task. Add a provider to get real answers."));
  if (g_strcmp0 (task->finish_reason, "length") == 0)
    return g_strdup (_("The answer was cut off: the model reached its limit of length."));
  if (g_strcmp0 (task->finish_reason, "content_filter") == 0)
    return g_strdup (_("A part of the answer was held back by the provider’s filter."));
  for (i = 0; attempts != NULL && i < attempts->len; i++)
    {
      const GwAttempt *attempt = attempts->pdata[i];

      if (attempt->outcome == GW_OUTCOME_ANSWERED && gw_models_differ (attempt->model, task->model))
        /* Translators: two names of models */
        return g_strdup_printf (_("“%1$s” was asked, “%2$s” has answered."), attempt->model,
                                task->model);
    }
  return NULL;
}

/**
 * gw_attempt_words:
 *
 * Returns: (transfer full): how an attempt ended
 */
char *
gw_attempt_words (const GwAttempt *attempt)
{
  switch (attempt->outcome)
    {
    case GW_OUTCOME_LIVE:
      return g_strdup (attempt->sent_at > 0 ? C_ ("attempt", "Running")
                                            : C_ ("attempt", "Being sent"));
    case GW_OUTCOME_ANSWERED:
      return g_strdup (C_ ("attempt", "Answered"));
    case GW_OUTCOME_EXTRA:
      return g_strdup (C_ ("attempt", "Answered too late"));
    case GW_OUTCOME_ABORTED:
      return g_strdup (C_ ("attempt", "Stopped"));
    case GW_OUTCOME_UNSENT:
      return g_strdup (C_ ("attempt", "Not sent"));
    case GW_OUTCOME_UNCERTAIN:
      return g_strdup (C_ ("attempt", "Its answer was not seen"));
    case GW_OUTCOME_FAILED:
    case GW_N_OUTCOMES:
    default:
      {
        GwTask task = { .status = GW_TASK_FAILED,
                        .has_error = attempt->has_error,
                        .error_code = attempt->error_code,
                        .error_message = attempt->error_message,
                        .provider = attempt->provider };
        char *words = gw_task_words_for_error (&task);

        return words != NULL ? words : g_strdup (C_ ("attempt", "Failed"));
      }
    }
}

/**
 * gw_attempt_mark:
 *
 * Returns: (transfer full) (nullable): what it may have cost without use
 */
char *
gw_attempt_mark (const GwAttempt *attempt)
{
  if (attempt->outcome == GW_OUTCOME_UNCERTAIN)
    return g_strdup (_("May have been paid without an answer"));
  if (attempt->outcome == GW_OUTCOME_EXTRA)
    return g_strdup (_("Paid, and not used"));
  return NULL;
}

/**
 * gw_attempt_times:
 * @ready_at: Unix ms since when it could have been called: the task's creation, or the end of the
 *   attempt before
 * @wall_ms: now
 *
 * Returns: (transfer full): "waited 0.2 s · first byte after 0.8 s · took 3.2 s · 184 tokens"
 */
char *
gw_attempt_times (const GwAttempt *attempt,
                  gint64 ready_at,
                  gint64 wall_ms)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  gint64 sent = attempt->sent_at > 0 ? attempt->sent_at : attempt->claimed_at;

  if (sent > 0 && ready_at > 0 && sent >= ready_at)
    {
      g_autofree char *time = gw_duration_to_words (sent - ready_at);

      /* Translators: a part of how a call went; %s is a duration */
      g_ptr_array_add (words, g_strdup_printf (_("waited %s"), time));
    }
  if (attempt->sent_at > 0 && attempt->first_byte_at >= attempt->sent_at)
    {
      g_autofree char *time = gw_duration_to_words (attempt->first_byte_at - attempt->sent_at);

      /* Translators: a part of how a call went; %s is a duration */
      g_ptr_array_add (words, g_strdup_printf (_("first byte after %s"), time));
    }
  if (attempt->sent_at > 0 && attempt->ended_at >= attempt->sent_at)
    {
      g_autofree char *time = gw_duration_to_words (attempt->ended_at - attempt->sent_at);

      /* Translators: a part of how a call went; %s is a duration */
      g_ptr_array_add (words, g_strdup_printf (_("took %s"), time));
    }
  else if (attempt->sent_at > 0 && attempt->outcome == GW_OUTCOME_LIVE)
    {
      g_autofree char *time = gw_duration_to_words (MAX (wall_ms - attempt->sent_at, 0) / 1000
                                                    * 1000);

      /* Translators: a part of how a call goes; %s is a duration */
      g_ptr_array_add (words, g_strdup_printf (_("running for %s"), time));
    }
  if (attempt->usage.total_tokens > 0)
    g_ptr_array_add (words, g_strdup_printf (ngettext ("%'lu token", "%'lu tokens",
                                                       (gulong) attempt->usage.total_tokens),
                                             (gulong) attempt->usage.total_tokens));
  g_ptr_array_add (words, NULL);
  return g_strjoinv (" · ", (char **) words->pdata);
}
