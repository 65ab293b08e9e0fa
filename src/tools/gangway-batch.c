/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

/* gangway-batch: tasks in from files, results out to a file (contract, section 3).
 *
 * One step after the other, each an asynchronous call that the main context is turned for: read,
 * connect, submit or take up, follow, write, stop. The first interrupt, SIGTERM or time limit ends
 * the step that is under way and pauses the run; what has been answered is always written. A second
 * signal ends the program at once. */

#include "config.h"

#include <math.h>
#include <signal.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <glib/gi18n.h>

#include "gw-batch.h"
#include "gw-log.h"
#include "gw-process.h"

#include "gw-batch-gateway.h"
#include "gw-batch-options.h"
#include "gw-batch-output.h"
#include "gw-batch-progress.h"

#define EXIT_DONE 0
#define EXIT_NOT_ALL 1
#define EXIT_USAGE 2
#define EXIT_GATEWAY 3
#define EXIT_TIMEOUT 4
#define EXIT_SIGNAL 128

#define GRACE_MS 2000
#define PATIENCE_S 30
#define STOP_MS 2000
#define MAX_PROBLEMS 20

typedef struct {
  GwBatchOptions *options;    /* (owned) */
  GwBatchProgress *progress;  /* (owned) */
  GwBatchGateway *gateway;    /* (owned) */
  GwBatch *batch;             /* (owned) (nullable) until connected */
  GCancellable *cancellable;  /* (owned): of the step that is under way */
  gint64 started_at;          /* monotonic µs */
  int signal;                 /* the first that came; 0 */
  gboolean timed_out;
  gboolean paused;            /* the run's project */
  gboolean stalled;
  int exit_code;
} Program;

static gboolean
must_stop (Program *program)
{
  return program->signal != 0 || program->timed_out;
}

static void
store_result_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  GAsyncResult **where = user_data;

  *where = g_object_ref (result);
}

static void
turn_until (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static gboolean
set_flag_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;

  return G_SOURCE_REMOVE;
}

/* Turns the context until the result is there, at most @ms; the caller cancels after it. */
static void
turn_for (GAsyncResult **result,
          guint ms)
{
  gboolean over = FALSE;
  guint timer_id = g_timeout_add (ms, set_flag_cb, &over);

  while (*result == NULL && !over)
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (timer_id);
}

static void
take_signal (Program *program,
             int number)
{
  if (program->signal != 0)
    _exit (EXIT_SIGNAL + number);

  program->signal = number;
  g_main_context_wakeup (NULL);
}

static gboolean
sigint_cb (gpointer user_data)
{
  take_signal (user_data, SIGINT);

  return G_SOURCE_CONTINUE;
}

static gboolean
sigterm_cb (gpointer user_data)
{
  take_signal (user_data, SIGTERM);

  return G_SOURCE_CONTINUE;
}

/* A step that nothing is lost by is given up as soon as the user wants to stop. */
static void
turn_or_give_up (Program *program,
                 GAsyncResult **result)
{
  while (*result == NULL && !must_stop (program))
    g_main_context_iteration (NULL, TRUE);
  if (*result == NULL)
    {
      g_cancellable_cancel (program->cancellable);
      turn_until (result);
    }
}

static GBytes *
read_standard_input (Program *program,
                     GError **error)
{
  g_autoptr(GInputStream) stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr(GByteArray) bytes = g_byte_array_new ();

  if (isatty (STDIN_FILENO))
    gw_batch_progress_say (program->progress,
                           _("Type one task per line; Ctrl+D ends the input"));
  for (;;)
    {
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GBytes) chunk = NULL;
      gsize size;

      g_input_stream_read_bytes_async (stream, 256 * 1024, G_PRIORITY_DEFAULT,
                                       program->cancellable, store_result_cb, &result);
      turn_or_give_up (program, &result);
      chunk = g_input_stream_read_bytes_finish (stream, result, error);
      if (chunk == NULL)
        return NULL;
      size = g_bytes_get_size (chunk);
      if (size == 0)
        return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
      if (bytes->len + size > GW_IMPORT_MAX_FILE)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                       _("Standard input is larger than %d MB"), GW_IMPORT_MAX_FILE / 1000000);
          return NULL;
        }
      g_byte_array_append (bytes, g_bytes_get_data (chunk, NULL), (guint) size);
    }
}

static GPtrArray *
read_input (Program *program,
            const char *name,
            GError **error)
{
  GwImportOptions options = {
    .split = program->options->split,
    .column = program->options->column,
    .template_text = program->options->template_text,
  };
  g_autoptr(GPtrArray) imports = NULL;
  g_autoptr(GPtrArray) files = NULL;

  if (g_str_equal (name, "-"))
    {
      g_autoptr(GBytes) bytes = read_standard_input (program, error);
      const char *title = _("standard input");
      GwImport *import;
      gconstpointer data;
      gsize size;

      if (bytes == NULL)
        return NULL;
      options.kind = GW_IMPORT_KIND_TXT;
      data = g_bytes_get_data (bytes, &size);
      import = gw_import_parse_bytes (title, data, size, &options, error);
      if (import == NULL)
        return NULL;
      imports = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_import_free);
      g_ptr_array_add (imports, import);
      return g_steal_pointer (&imports);
    }

  if (g_file_test (name, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INPUT, _("“%s” is a folder: name the files in it"),
                   name);
      return NULL;
    }

  files = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (files, g_file_new_for_commandline_arg (name));

  return gw_import_files (files, &options, NULL, error);
}

/* Rows that cannot be tasks block no others, but are said. */
static void
print_problems (Program *program,
                GwImport *import)
{
  for (guint i = 0; i < import->problems->len; i++)
    {
      GwImportProblem *problem = g_ptr_array_index (import->problems, i);

      if (i == MAX_PROBLEMS)
        {
          guint rest = import->problems->len - i;

          gw_batch_progress_warn (program->progress,
                                  ngettext ("%s: %u more row left out", "%s: %u more rows left out",
                                            rest), import->source, rest);
          return;
        }
      if (problem->row > 0)
        /* Translators: file, row, reason */
        gw_batch_progress_warn (program->progress, _("%s, row %u left out: %s"), problem->source,
                                problem->row, problem->message);
      else
        gw_batch_progress_warn (program->progress, "%s: %s", problem->source, problem->message);
    }
}

static void
add_tasks (Program *program,
           GwImport *import,
           GPtrArray *tasks)
{
  for (guint i = 0; i < import->entries->len; i++)
    {
      JsonObject *object = gw_import_entry_to_json (g_ptr_array_index (import->entries, i));

      /* What a row asks for itself is more exact than what is asked for all. */
      if (program->options->provider != NULL && !json_object_has_member (object, "provider"))
        json_object_set_string_member (object, "provider", program->options->provider);
      if (program->options->model != NULL && !json_object_has_member (object, "model"))
        json_object_set_string_member (object, "model", program->options->model);
      g_ptr_array_add (tasks, object);
    }
}

/* All tasks of the run, (element-type JsonObject), at least one. */
static GPtrArray *
read_tasks (Program *program,
            GError **error)
{
  static const char *const standard_input[] = { "-", NULL };
  const char *const *names = program->options->files != NULL
                               ? (const char *const *) program->options->files
                               : standard_input;
  g_autoptr(GPtrArray) tasks =
    g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autoptr(GPtrArray) imports = read_input (program, names[i], error);

      if (imports == NULL)
        return NULL;
      for (guint j = 0; j < imports->len; j++)
        {
          GwImport *import = g_ptr_array_index (imports, j);

          if (import->error != NULL)
            {
              g_propagate_error (error, g_error_copy (import->error));
              if (strstr (import->error->message, import->source) == NULL)
                g_prefix_error (error, "%s: ", import->source);
              return NULL;
            }
          print_problems (program, import);
          add_tasks (program, import, tasks);
        }
    }

  if (tasks->len == 0)
    {
      g_autofree char *all = g_strjoinv (", ", (char **) names);

      g_set_error (error, GW_ERROR, GW_ERROR_INPUT, _("There is no task in %s"),
                   g_str_equal (all, "-") ? _("standard input") : all);
      return NULL;
    }

  return g_steal_pointer (&tasks);
}

/* "tasks-20261123-214012-7f3a": found again by people, and new each time. */
static char *
make_project_name (const GwBatchOptions *options)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_local ();
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
static void
set_exit_code (Program *program,
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

static void
take_error (Program *program,
            const GError *error)
{
  if (must_stop (program) && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  gw_batch_progress_warn (program->progress, "%s", error->message);
  set_exit_code (program, is_refusal_of_input (error) ? EXIT_USAGE : EXIT_GATEWAY);
}

static void
lost_cb (GwBatch *batch,
         guint seconds,
         gpointer user_data)
{
  Program *program = user_data;
  const GError *failure = gw_batch_gateway_get_failure (program->gateway);

  if (failure != NULL)
    {
      gw_batch_progress_warn (program->progress, "%s", failure->message);
      set_exit_code (program, EXIT_GATEWAY);
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
  Program *program = user_data;

  gw_batch_progress_say (program->progress, _("Waiting: %s"), text);
}

static void
found_cb (GwBatch *batch,
          gpointer user_data)
{
  Program *program = user_data;

  gw_batch_progress_say (program->progress, _("The gateway answers again"));
  /* An engine that took over holds back what it found unfinished, this run too. */
  if (gw_batch_gateway_took_over (program->gateway))
    gw_batch_unpause_async (batch, NULL, NULL, NULL);
}

static gboolean
connect_gateway (Program *program)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GwClient) client = NULL;

  program->gateway = gw_batch_gateway_new (program->options, program->progress);
  gw_batch_gateway_connect_async (program->gateway, program->cancellable, store_result_cb,
                                  &result);
  turn_or_give_up (program, &result);
  client = gw_batch_gateway_connect_finish (program->gateway, result, &error);
  if (client == NULL)
    {
      take_error (program, error);
      return FALSE;
    }
  if (must_stop (program))
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
                              _("The gateway at %s keeps no projects: nothing can be taken up "
                                "there"), gw_client_get_uri (client));
      set_exit_code (program, EXIT_USAGE);
      return FALSE;
    }

  return TRUE;
}

/* While a submission is repeated, nobody tells of the loss: the time does. */
static gboolean
submission_waits_cb (gpointer user_data)
{
  Program *program = user_data;
  gint64 passed = g_get_monotonic_time () - program->started_at;

  if (gw_batch_gateway_get_failure (program->gateway) != NULL)
    g_cancellable_cancel (program->cancellable);
  else
    gw_batch_gateway_lost (program->gateway, (guint) (passed / G_USEC_PER_SEC));

  return G_SOURCE_CONTINUE;
}

/* The run is at the gateway after it, wholly or not at all as far as anyone can tell. */
static gboolean
start_run (Program *program,
           GPtrArray *tasks)
{
  const GwBatchOptions *options = program->options;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *project = NULL;
  guint timer_id;
  gboolean ok;

  if (options->resume != NULL)
    {
      gw_batch_resume_async (program->batch, options->resume, options->retry_failed,
                             options->concurrency, program->cancellable, store_result_cb, &result);
      turn_or_give_up (program, &result);
      ok = gw_batch_resume_finish (program->batch, result, &error);
    }
  else
    {
      project = options->project != NULL ? g_strdup (options->project)
                                         : make_project_name (options);
      timer_id = g_timeout_add_seconds (1, submission_waits_cb, program);
      gw_batch_submit_async (program->batch, tasks, project, options->concurrency,
                             program->cancellable, store_result_cb, &result);
      while (result == NULL && !must_stop (program))
        g_main_context_iteration (NULL, TRUE);
      turn_for (&result, GRACE_MS);
      if (result == NULL)
        {
          g_cancellable_cancel (program->cancellable);
          turn_until (&result);
        }
      g_source_remove (timer_id);
      ok = gw_batch_submit_finish (program->batch, result, &error);
      /* A project that was there may be paused, or held back: whoever adds to it wants it to
       * run. */
      if (ok && (options->project != NULL || gw_batch_gateway_took_over (program->gateway)))
        {
          g_clear_object (&result);
          gw_batch_unpause_async (program->batch, program->cancellable, store_result_cb, &result);
          turn_or_give_up (program, &result);
          ok = gw_batch_unpause_finish (program->batch, result, &error);
        }
    }

  if (!ok)
    take_error (program, error);

  return ok;
}

/* The first interrupt or the time limit: nothing more starts, calls in flight have two seconds. */
static void
pause_run (Program *program,
           GAsyncResult **followed)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  gboolean over = FALSE;
  guint timer_id;

  gw_batch_progress_say (program->progress,
                         program->timed_out
                           ? _("The time is over: what runs has 2 s to end")
                           : _("Stopping: what runs has 2 s to end; once more stops at once"));
  timer_id = g_timeout_add (GRACE_MS, set_flag_cb, &over);
  gw_batch_pause_async (program->batch, cancellable, store_result_cb, &result);
  while (!over && *followed == NULL
         && (result == NULL || gw_batch_count (program->batch, GW_TASK_RUNNING) > 0))
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (timer_id);

  if (result == NULL)
    {
      g_cancellable_cancel (cancellable);
      turn_until (&result);
    }
  program->paused = gw_batch_pause_finish (program->batch, result, &error);
  if (!program->paused)
    g_debug ("not paused: %s", error->message);
}

/* Not even the user's act is asked for in vain later: what no lane can take stays paused. */
static void
pause_stalled (Program *program)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  gw_batch_pause_async (program->batch, NULL, store_result_cb, &result);
  turn_until (&result);
  program->paused = gw_batch_pause_finish (program->batch, result, &error);
  if (!program->paused)
    gw_batch_progress_warn (program->progress, "%s", error->message);
}

static void
follow_run (Program *program)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GwBatchEnd end = GW_BATCH_DONE;

  gw_batch_progress_follow (program->progress, program->batch);
  gw_batch_follow_async (program->batch, program->cancellable, store_result_cb, &result);
  while (result == NULL && !must_stop (program))
    g_main_context_iteration (NULL, TRUE);
  if (result == NULL)
    {
      pause_run (program, &result);
      g_cancellable_cancel (program->cancellable);
      turn_until (&result);
    }
  gw_batch_progress_end (program->progress);

  if (!gw_batch_follow_finish (program->batch, result, &end, &error))
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        take_error (program, error);
      return;
    }
  if (end == GW_BATCH_STALLED)
    {
      program->stalled = TRUE;
      gw_batch_progress_warn (program->progress,
                              _("No lane can take the rest: %s"),
                              gw_batch_get_stall (program->batch));
      pause_stalled (program);
    }
}

static void
write_results (Program *program)
{
  g_autoptr(GPtrArray) tasks = gw_batch_dup_tasks (program->batch);
  g_autoptr(GError) error = NULL;

  if (!gw_batch_output_write (program->options, gw_batch_get_project_name (program->batch), tasks,
                              &error))
    {
      gw_batch_progress_warn (program->progress, _("The results could not be written: %s"),
                              error->message);
      set_exit_code (program, EXIT_USAGE);
    }
}

/* How to go on, where there is something to go on with. */
static void
print_hints (Program *program)
{
  GwBatch *batch = program->batch;
  guint unfinished = gw_batch_count (batch, GW_TASK_QUEUED)
                     + gw_batch_count (batch, GW_TASK_RUNNING);
  guint failed = gw_batch_count (batch, GW_TASK_FAILED);
  const char *project = gw_batch_get_project_name (batch);
  g_autofree char *command = NULL;

  if (unfinished == 0 && failed == 0 && program->exit_code != EXIT_USAGE)
    return;

  command = gw_batch_options_resume_command (program->options, project,
                                             unfinished == 0 && failed > 0);
  if (unfinished > 0)
    gw_batch_progress_warn (program->progress,
                            ngettext ("%u task is unfinished. To go on: %s",
                                      "%u tasks are unfinished. To go on: %s", unfinished),
                            unfinished, command);
  else if (failed > 0)
    gw_batch_progress_say (program->progress, _("To try again what failed: %s"), command);
  else
    gw_batch_progress_warn (program->progress, _("To write the results again: %s"), command);
}

static void
stop_gateway (Program *program)
{
  g_autoptr(GAsyncResult) result = NULL;

  if (program->gateway == NULL)
    return;
  gw_batch_gateway_stop_async (program->gateway, must_stop (program) ? 0 : STOP_MS,
                               store_result_cb, &result);
  turn_until (&result);
  gw_batch_gateway_stop_finish (program->gateway, result);
}

static gboolean
time_over_cb (gpointer user_data)
{
  Program *program = user_data;

  program->timed_out = TRUE;

  return G_SOURCE_REMOVE;
}

/* Whether there is a run to tell about: its tasks were accepted. */
static gboolean
run (Program *program)
{
  g_autoptr(GPtrArray) tasks = NULL;
  g_autoptr(GError) error = NULL;

  if (!gw_batch_output_check (program->options, &error))
    {
      take_error (program, error);
      return FALSE;
    }
  if (program->options->resume == NULL)
    {
      tasks = read_tasks (program, &error);
      if (tasks == NULL)
        {
          if (!must_stop (program))
            {
              gw_batch_progress_warn (program->progress, "%s", error->message);
              set_exit_code (program, EXIT_USAGE);
            }
          return FALSE;
        }
    }
  if (!connect_gateway (program))
    return FALSE;

  program->started_at = g_get_monotonic_time ();
  if (!start_run (program, tasks))
    return FALSE;

  follow_run (program);

  return TRUE;
}

static void
conclude (Program *program)
{
  guint n = gw_batch_get_n_tasks (program->batch);

  if (gw_batch_count (program->batch, GW_TASK_COMPLETED) < n)
    set_exit_code (program, EXIT_NOT_ALL);
  write_results (program);
  gw_batch_progress_summary (program->progress, program->batch,
                             g_get_monotonic_time () - program->started_at);
  if (gw_batch_gateway_keeps_projects (program->gateway))
    print_hints (program);
}

static int
run_program (GwBatchOptions *options)
{
  Program program = { 0 };
  guint sigint_id;
  guint sigterm_id;
  guint timer_id = 0;
  int stopped_by;

  program.options = options;
  program.progress = gw_batch_progress_new (options->quiet, options->concurrency == 1);
  program.cancellable = g_cancellable_new ();
  program.started_at = g_get_monotonic_time ();
  sigint_id = g_unix_signal_add (SIGINT, sigint_cb, &program);
  sigterm_id = g_unix_signal_add (SIGTERM, sigterm_cb, &program);
  if (options->timeout_s > 0)
    timer_id = g_timeout_add ((guint) ceil (options->timeout_s * 1000),
                              time_over_cb, &program);

  if (run (&program))
    conclude (&program);
  /* What comes from here on stops nothing that would not have ended anyway. */
  stopped_by = program.signal;
  if (stopped_by != 0)
    set_exit_code (&program, EXIT_SIGNAL);
  if (program.timed_out)
    set_exit_code (&program, EXIT_TIMEOUT);
  else if (timer_id > 0)
    g_source_remove (timer_id);
  stop_gateway (&program);

  g_source_remove (sigint_id);
  g_source_remove (sigterm_id);

  g_clear_object (&program.batch);
  g_clear_pointer (&program.gateway, gw_batch_gateway_free);
  g_clear_pointer (&program.progress, gw_batch_progress_free);
  g_clear_object (&program.cancellable);

  return program.exit_code == EXIT_SIGNAL ? EXIT_SIGNAL + stopped_by : program.exit_code;
}

int
main (int argc,
      char **argv)
{
  g_autoptr(GwBatchOptions) options = NULL;
  g_autoptr(GError) error = NULL;

  gw_process_init ("gangway-batch");
  /* What the engine tells of its day belongs to a daemon's log, not between the lines of a run. */
  gw_log_set_level ("warning");
  options = gw_batch_options_new (argc, argv, &error);
  if (options == NULL)
    {
      g_printerr ("gangway-batch: %s\n", error->message);
      return EXIT_USAGE;
    }
  if (options->version)
    {
      g_print ("gangway-batch %s\n", GW_VERSION);
      return EXIT_DONE;
    }

  return run_program (options);
}
