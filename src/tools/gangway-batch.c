/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

#include "config.h"

#include <math.h>
#include <signal.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

#include "gangway-batch-private.h"
#include "gw-batch-output.h"
#include "gw-log.h"
#include "gw-process.h"

/* gangway-batch: tasks in from files, results out to a file (contract, section 3).
 *
 * One step after the other, each an asynchronous call that the main context is turned for: read,
 * connect, submit or take up, follow, write, stop. The first interrupt, SIGTERM or time limit ends
 * the step that is under way and pauses the run; what has been answered is always written. A second
 * signal ends the program at once. */

#define STOP_MS 2000

gboolean
_gw_program_must_stop (GwProgram *program)
{
  return program->signal != 0 || program->timed_out;
}

void
_gw_program_store_result_cb (GObject *source,
                             GAsyncResult *result,
                             gpointer user_data)
{
  GAsyncResult **where = user_data;

  *where = g_object_ref (result);
}

void
_gw_program_turn_until (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

gboolean
_gw_program_set_flag_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;

  return G_SOURCE_REMOVE;
}

/* Turns the context until the result is there, at most @ms; the caller cancels after it. */
void
_gw_program_turn_for (GAsyncResult **result,
                      guint ms)
{
  gboolean over = FALSE;
  guint timer_id = g_timeout_add (ms, _gw_program_set_flag_cb, &over);

  while (*result == NULL && !over)
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (timer_id);
}

/* A step that nothing is lost by is given up as soon as the user wants to stop. */
void
_gw_program_turn_or_give_up (GwProgram *program,
                             GAsyncResult **result)
{
  while (*result == NULL && !_gw_program_must_stop (program))
    g_main_context_iteration (NULL, TRUE);
  if (*result == NULL)
    {
      g_cancellable_cancel (program->cancellable);
      _gw_program_turn_until (result);
    }
}

static void
write_results (GwProgram *program)
{
  g_autoptr (GPtrArray) tasks = gw_batch_dup_tasks (program->batch);
  g_autoptr (GError) error = NULL;

  if (!gw_batch_output_write (program->options, gw_batch_get_project_name (program->batch), tasks,
                              &error))
    {
      /* Translators: %s is the reason */
      gw_batch_progress_warn (program->progress, _("The results could not be written: %s"),
                              error->message);
      _gw_program_set_exit_code (program, EXIT_USAGE);
    }
}

/* How to go on, where there is something to go on with. */
static void
print_hints (GwProgram *program)
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
                            /* Translators: a number of tasks, then a command for the terminal */
                            ngettext ("%u task is unfinished. To go on: %s",
                                      "%u tasks are unfinished. To go on: %s", unfinished),
                            unfinished, command);
  else if (failed > 0)
    /* Translators: %s is a command for the terminal */
    gw_batch_progress_say (program->progress, _("To try again what failed: %s"), command);
  else
    /* Translators: %s is a command for the terminal */
    gw_batch_progress_warn (program->progress, _("To write the results again: %s"), command);
}

static void
take_signal (GwProgram *program,
             int number)
{
  if (program->signal != 0)
    {
      /* What has been answered is kept, and the results can still be written. */
      if (program->batch != NULL && gw_batch_get_project_name (program->batch) != NULL)
        print_hints (program);
      _exit (EXIT_SIGNAL + number);
    }

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

static void
stop_gateway (GwProgram *program)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (program->gateway == NULL)
    return;
  gw_batch_gateway_stop_async (program->gateway, _gw_program_must_stop (program) ? 0 : STOP_MS,
                               _gw_program_store_result_cb, &result);
  _gw_program_turn_until (&result);
  gw_batch_gateway_stop_finish (program->gateway, result);
}

static gboolean
time_over_cb (gpointer user_data)
{
  GwProgram *program = user_data;

  program->timed_out = TRUE;

  return G_SOURCE_REMOVE;
}

/* Whether there is a run to tell about: its tasks were accepted. */
static gboolean
run (GwProgram *program)
{
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;

  if (!gw_batch_output_check (program->options, &error))
    {
      _gw_program_take_error (program, error);
      return FALSE;
    }
  if (program->options->format_guessed)
    gw_batch_progress_say (program->progress,
                           /* Translators: %s is a file; --format is to be typed as it is */
                           _("“%s” is written as JSON: its ending is none of .json, .jsonl, .csv and "
                             ".md; --format chooses another"), program->options->output);
  if (program->options->resume == NULL)
    {
      tasks = _gw_program_read_tasks (program, &error);
      if (tasks == NULL)
        {
          if (!_gw_program_must_stop (program))
            {
              gw_batch_progress_warn_error (program->progress, error);
              _gw_program_set_exit_code (program, EXIT_USAGE);
            }
          return FALSE;
        }
    }
  if (!_gw_program_connect_gateway (program))
    return FALSE;

  program->started_at = g_get_monotonic_time ();
  if (!_gw_program_start_run (program, tasks))
    return FALSE;

  _gw_program_follow_run (program);

  return TRUE;
}

static void
conclude (GwProgram *program)
{
  guint n = gw_batch_get_n_tasks (program->batch);

  if (gw_batch_count (program->batch, GW_TASK_COMPLETED) < n)
    _gw_program_set_exit_code (program, EXIT_NOT_ALL);
  write_results (program);
  gw_batch_progress_summary (program->progress, program->batch,
                             g_get_monotonic_time () - program->started_at);
  if (gw_batch_gateway_keeps_projects (program->gateway))
    print_hints (program);
  /* What was said before the run has gone up and away by now. */
  if (program->n_left_out > 0)
    gw_batch_progress_say (program->progress,
                           /* Translators: how many rows of a table, then what the first is */
                           ngettext ("%1$u row of the input was left out: %2$s",
                                     "%1$u rows of the input were left out, the first: %2$s",
                                     program->n_left_out),
                           program->n_left_out, program->left_out);
}

static int
run_program (GwBatchOptions *options)
{
  GwProgram program = { 0 };
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
    _gw_program_set_exit_code (&program, EXIT_SIGNAL);
  if (program.timed_out)
    _gw_program_set_exit_code (&program, EXIT_TIMEOUT);
  else if (timer_id > 0)
    g_source_remove (timer_id);
  stop_gateway (&program);

  g_source_remove (sigint_id);
  g_source_remove (sigterm_id);

  g_clear_object (&program.batch);
  g_clear_pointer (&program.gateway, gw_batch_gateway_free);
  g_clear_pointer (&program.progress, gw_batch_progress_free);
  g_clear_object (&program.cancellable);
  g_free (program.left_out);

  return program.exit_code == EXIT_SIGNAL ? EXIT_SIGNAL + stopped_by : program.exit_code;
}

int
main (int argc,
      char **argv)
{
  g_autoptr (GwBatchOptions) options = NULL;
  g_autoptr (GError) error = NULL;

  gw_process_init ("gangway-batch");
  /* What the engine tells of its day belongs to a daemon's log, not between the lines of a run. */
  gw_log_set_level ("warning");
  options = gw_batch_options_new (argc, argv, &error);
  if (options == NULL)
    {
      g_autofree char *words = gw_process_option_error_to_words (error);

      g_printerr ("gangway-batch: %s\n", words);
      return EXIT_USAGE;
    }
  if (options->version)
    {
      g_print ("gangway-batch %s\n", GW_VERSION);
      return EXIT_DONE;
    }

  return run_program (options);
}
