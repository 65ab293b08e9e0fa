/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

#include "config.h"

#include <glib/gi18n.h>

#include "gangway-batch-private.h"
#include "gw-json.h"
#include "gw-phrases.h"

/* A run of gangway-batch: connected, submitted or taken up, followed, and paused where it is
 * broken off. */

#define GRACE_MS 2000
#define PATIENCE_S 30

/* "tasks-20261123-214012-7f3a": found again by people, and new each time. */
static char *
make_project_name (const GwBatchOptions *options)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%d-%H%M%S");
  g_autofree char *base = NULL;
  char *dot;

  if (options->files != NULL && !g_str_equal (options->files[0], "-"))
    base = g_path_get_basename (options->files[0]);
  else
    base = g_strdup ("batch");
  dot = strrchr (base, '.');
  if (dot != NULL && dot > base)
    *dot = '\0';
  if (!g_utf8_validate (base, -1, NULL) || g_utf8_strlen (base, -1) > 100
      || strpbrk (base, " \t\n'\"\\$`!*?;&|<>()") != NULL)
    {
      g_free (base);
      base = g_strdup ("batch");
    }

  return g_strdup_printf ("%s-%s-%04x", base, time, g_random_int_range (0, 0x10000));
}

static gboolean
is_refusal_of_input (const GError *error)
{
  return error->domain == G_OPTION_ERROR
         || g_error_matches (error, GW_ERROR, GW_ERROR_INPUT)
         || g_error_matches (error, GW_ERROR, GW_ERROR_CONFIG)
         || g_error_matches (error, GW_ERROR, GW_ERROR_INVALID)
         || g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND)
         || g_error_matches (error, GW_ERROR, GW_ERROR_CONFLICT)
         || g_error_matches (error, GW_ERROR, GW_ERROR_TOO_LARGE);
}

/* The exit code is the first that applies, in the contract's order. */
void
_gw_program_set_exit_code (GwProgram *program,
                           int code)
{
  static const int order[] = { EXIT_USAGE, EXIT_SIGNAL, EXIT_TIMEOUT, EXIT_GATEWAY, EXIT_NOT_ALL };

  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    {
      if (program->exit_code == order[i])
        return;
      if (code == order[i])
        {
          program->exit_code = code;
          return;
        }
    }
}

void
_gw_program_take_error (GwProgram *program,
                        const GError *error)
{
  if (_gw_program_must_stop (program) && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  gw_batch_progress_warn_error (program->progress, error);
  _gw_program_set_exit_code (program, is_refusal_of_input (error) ? EXIT_USAGE : EXIT_GATEWAY);
}

static void
lost_cb (GwBatch *batch,
         guint seconds,
         gpointer user_data)
{
  GwProgram *program = user_data;
  const GError *failure = gw_batch_gateway_get_failure (program->gateway);

  if (failure != NULL)
    {
      gw_batch_progress_warn_error (program->progress, failure);
      _gw_program_set_exit_code (program, EXIT_GATEWAY);
      g_cancellable_cancel (program->cancellable);
      return;
    }
  if (seconds == 0)
    gw_batch_progress_warn (program->progress,
                            _("The gateway does not answer; it is asked again each second"));
  gw_batch_gateway_lost (program->gateway, seconds);
}

/* The gateway's own sentence: it names the provider. */
static void
cooling_cb (GwBatch *batch,
            const char *text,
            gpointer user_data)
{
  GwProgram *program = user_data;
  g_autofree char *words = gw_phrase_translate (text);

  /* Translators: %s says why, as "the key is not accepted" */
  gw_batch_progress_say (program->progress, _("Waiting: %s"), words);
}

static void
found_cb (GwBatch *batch,
          gpointer user_data)
{
  GwProgram *program = user_data;

  gw_batch_progress_say (program->progress, _("The gateway answers again"));
  /* An engine that took over holds back what it found unfinished, this run too. */
  if (gw_batch_gateway_took_over (program->gateway))
    gw_batch_unpause_async (batch, NULL, NULL, NULL);
}

/* The gateway would refuse it, too, but in words for those who call it. */
static gboolean
check_provider (GwProgram *program,
                GwClient *client)
{
  const char *name = program->options->provider;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = NULL;
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GString) others = g_string_new (NULL);
  JsonArray *providers;

  if (name == NULL || g_str_equal (name, "practice")
      || gw_client_get_protocol (client) == GW_PROTOCOL_MINIMAL)
    return TRUE;

  gw_client_call_async (client, "GET", "/providers", NULL, program->cancellable,
                        _gw_program_store_result_cb, &result);
  _gw_program_turn_or_give_up (program, &result);
  answer = gw_client_call_finish (client, result, &error);
  providers = answer != NULL ? gw_json_peek_array (answer, "providers") : NULL;
  /* Who cannot list them may still take the tasks. */
  if (providers == NULL)
    return TRUE;

  for (guint i = 0; i < json_array_get_length (providers); i++)
    {
      JsonObject *provider = gw_json_peek_object_at (providers, i);
      const char *known = provider != NULL ? gw_json_peek_string (provider, "name") : NULL;
      GString *list = others;

      if (known == NULL)
        continue;
      if (g_str_equal (known, name))
        return TRUE;
      if (gw_json_peek_boolean (provider, "in_use", FALSE) && !g_str_equal (known, "practice"))
        list = names;
      if (list->len > 0)
        g_string_append (list, C_("line", ", "));
      g_string_append (list, known);
    }
  /* Those in use first: the catalogue is long. */
  if (names->len > 0 && others->len > 0)
    g_string_append (names, C_("line", ", "));
  g_string_append (names, others->str);

  gw_batch_progress_warn (program->progress,
                          /* Translators: what the user typed, then the names that there are */
                          _("There is no provider “%1$s”; there are: %2$s"), name, names->str);
  _gw_program_set_exit_code (program, EXIT_USAGE);

  return FALSE;
}

gboolean
_gw_program_connect_gateway (GwProgram *program)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwClient) client = NULL;

  program->gateway = gw_batch_gateway_new (program->options, program->progress);
  gw_batch_gateway_connect_async (program->gateway, program->cancellable,
                                  _gw_program_store_result_cb, &result);
  _gw_program_turn_or_give_up (program, &result);
  client = gw_batch_gateway_connect_finish (program->gateway, result, &error);
  if (client == NULL)
    {
      _gw_program_take_error (program, error);
      return FALSE;
    }
  if (_gw_program_must_stop (program))
    return FALSE;

  gw_client_set_patience (client, PATIENCE_S);
  program->batch = gw_batch_new (client);
  g_signal_connect (program->batch, "lost", G_CALLBACK (lost_cb), program);
  g_signal_connect (program->batch, "found", G_CALLBACK (found_cb), program);
  g_signal_connect (program->batch, "cooling", G_CALLBACK (cooling_cb), program);
  if (program->options->resume != NULL
      && gw_client_get_protocol (client) == GW_PROTOCOL_MINIMAL)
    {
      gw_batch_progress_warn (program->progress,
                              /* Translators: %s is an address */
                              _("The gateway at %s keeps no projects: nothing can be taken up "
                                "there"), gw_client_get_uri (client));
      _gw_program_set_exit_code (program, EXIT_USAGE);
      return FALSE;
    }

  return check_provider (program, client);
}

/* While a submission is repeated, nobody tells of the loss: the time does. */
static gboolean
submission_waits_cb (gpointer user_data)
{
  GwProgram *program = user_data;
  gint64 passed = g_get_monotonic_time () - program->started_at;

  if (gw_batch_gateway_get_failure (program->gateway) != NULL)
    g_cancellable_cancel (program->cancellable);
  else
    gw_batch_gateway_lost (program->gateway, (guint) (passed / G_USEC_PER_SEC));

  return G_SOURCE_CONTINUE;
}

/* The run is at the gateway after it, wholly or not at all as far as anyone can tell. */
gboolean
_gw_program_start_run (GwProgram *program,
                       GPtrArray *tasks)
{
  const GwBatchOptions *options = program->options;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *project = NULL;
  guint timer_id;
  gboolean ok;

  if (options->resume != NULL)
    {
      gw_batch_resume_async (program->batch, options->resume, options->retry_failed,
                             options->concurrency, program->cancellable,
                             _gw_program_store_result_cb, &result);
      _gw_program_turn_or_give_up (program, &result);
      ok = gw_batch_resume_finish (program->batch, result, &error);
    }
  else
    {
      project = options->project != NULL ? g_strdup (options->project)
                                         : make_project_name (options);
      timer_id = g_timeout_add_seconds (1, submission_waits_cb, program);
      gw_batch_submit_async (program->batch, tasks, project, options->concurrency,
                             program->cancellable, _gw_program_store_result_cb, &result);
      while (result == NULL && !_gw_program_must_stop (program))
        g_main_context_iteration (NULL, TRUE);
      _gw_program_turn_for (&result, GRACE_MS);
      if (result == NULL)
        {
          g_cancellable_cancel (program->cancellable);
          _gw_program_turn_until (&result);
        }
      g_source_remove (timer_id);
      ok = gw_batch_submit_finish (program->batch, result, &error);
      /* A project that was there may be paused, or held back: whoever adds to it wants it to
       * run. */
      if (ok && (options->project != NULL || gw_batch_gateway_took_over (program->gateway)))
        {
          g_clear_object (&result);
          gw_batch_unpause_async (program->batch, program->cancellable, _gw_program_store_result_cb,
                                  &result);
          _gw_program_turn_or_give_up (program, &result);
          ok = gw_batch_unpause_finish (program->batch, result, &error);
        }
    }

  if (!ok)
    _gw_program_take_error (program, error);

  return ok;
}

/* The first interrupt or the time limit: nothing more starts, calls in flight have two seconds. */
static void
pause_run (GwProgram *program,
           GAsyncResult **followed)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gboolean over = FALSE;
  guint timer_id;

  gw_batch_progress_say (program->progress,
                         program->timed_out
                           ? _("The time is over: what runs has 2 s to end")
                           : _("Stopping: what runs has 2 s to end; once more stops at once"));
  timer_id = g_timeout_add (GRACE_MS, _gw_program_set_flag_cb, &over);
  gw_batch_pause_async (program->batch, cancellable, _gw_program_store_result_cb, &result);
  while (!over && *followed == NULL
         && (result == NULL || gw_batch_count (program->batch, GW_TASK_RUNNING) > 0))
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (timer_id);

  if (result == NULL)
    {
      g_cancellable_cancel (cancellable);
      _gw_program_turn_until (&result);
    }
  program->paused = gw_batch_pause_finish (program->batch, result, &error);
  if (!program->paused)
    g_debug ("not paused: %s", error->message);
}

/* Not even the user's act is asked for in vain later: what no lane can take stays paused. */
static void
pause_stalled (GwProgram *program)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  gw_batch_pause_async (program->batch, NULL, _gw_program_store_result_cb, &result);
  _gw_program_turn_until (&result);
  program->paused = gw_batch_pause_finish (program->batch, result, &error);
  if (!program->paused)
    gw_batch_progress_warn_error (program->progress, error);
}

void
_gw_program_follow_run (GwProgram *program)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GwBatchEnd end = GW_BATCH_DONE;

  gw_batch_progress_follow (program->progress, program->batch);
  gw_batch_follow_async (program->batch, program->cancellable, _gw_program_store_result_cb,
                         &result);
  while (result == NULL && !_gw_program_must_stop (program))
    g_main_context_iteration (NULL, TRUE);
  if (result == NULL)
    {
      pause_run (program, &result);
      g_cancellable_cancel (program->cancellable);
      _gw_program_turn_until (&result);
    }
  gw_batch_progress_end (program->progress);

  if (!gw_batch_follow_finish (program->batch, result, &end, &error))
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        _gw_program_take_error (program, error);
      return;
    }
  if (end == GW_BATCH_STALLED)
    {
      program->stalled = TRUE;
      gw_batch_progress_warn (program->progress,
                              /* Translators: %s says why */
                              _("No provider can take the rest: %s"),
                              gw_batch_get_stall (program->batch));
      pause_stalled (program);
    }
}
