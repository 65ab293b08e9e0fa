/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Runs a program for each task: the task on its standard input, the answer from its standard
 * output, no shell in between. Lives in one thread.
 *
 * The program leads a session of its own, so that it and all that it starts can be ended together:
 * on timeout or cancel they are asked to end (SIGTERM), and killed 2 s later. A call ends only when
 * the program is gone. What holds its output open longer than a second after that is killed too.
 *
 * The program gets the environment of Gangway and GANGWAY_MODEL; a key that was set for the
 * provider comes in the variable that api-key-env names, never as an argument. */

#define G_LOG_DOMAIN "gw-command-provider"

#include "config.h"

#include <gio/gunixoutputstream.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "gw-source.h"
#include "provider/gw-body-reader.h"
#include "provider/gw-command-provider.h"
#include "provider/gw-reply-classifier.h"

#define STDERR_CHUNK 4096
#define STDERR_KEPT 8192
#define SAID_MAX_CHARS 200

struct _GwCommandProvider {
  GwProvider parent_instance;
};

G_DEFINE_FINAL_TYPE (GwCommandProvider, gw_command_provider, GW_TYPE_PROVIDER)

typedef enum {
  END_BY_ITSELF,
  END_ABORTED,
  END_LATE,
  END_TOO_LARGE,
} End;

typedef struct {
  GwReply *reply;            /* (owned) */
  GBytes *input;             /* (owned) */
  char *model;               /* (owned) */
  GSubprocess *process;      /* (owned) */
  pid_t group;
  gboolean reaped;           /* the program is gone; its group may not be */
  GCancellable *reading;     /* (owned) ends the reading of what stays open */
  GCancellable *writing;     /* (owned) ends the writing when nobody reads any more */
  GByteArray *output;        /* (owned) (nullable) */
  GByteArray *errors;        /* (owned) the first STDERR_KEPT bytes */
  End end;
  guint active;              /* operations under way */
  GwProviderSentFunc sent;   /* (nullable) */
  gpointer sent_data;
  GSource *limit;            /* (owned) (nullable) the time of the call, then that until SIGKILL */
  GSource *grace;            /* (owned) (nullable) */
  GSource *outer;            /* (owned) (nullable) the caller's cancellable */
} Run;

static void
run_free (gpointer data)
{
  Run *run = data;

  gw_source_clear (&run->limit);
  gw_source_clear (&run->grace);
  gw_source_clear (&run->outer);
  g_clear_pointer (&run->reply, gw_reply_free);
  g_clear_pointer (&run->input, g_bytes_unref);
  g_clear_pointer (&run->output, g_byte_array_unref);
  g_clear_pointer (&run->errors, g_byte_array_unref);
  g_clear_object (&run->process);
  g_clear_object (&run->reading);
  g_clear_object (&run->writing);
  g_free (run->model);
  g_free (run);
}

static const char *
get_title (GTask *task)
{
  return gw_provider_get_config (g_task_get_source_object (task))->title;
}

static gint64
get_now (GTask *task)
{
  return gw_clock_now (gw_provider_get_clock (g_task_get_source_object (task)));
}

/* Judging */

static void
judge_output (GTask *task,
              Run *run)
{
  const char *text = run->output != NULL ? (const char *) run->output->data : NULL;
  gsize length = run->output != NULL ? run->output->len : 0;

  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
    length--;
  if (length > 0 && !g_utf8_validate (text, (gssize) length, NULL))
    {
      gw_reply_set_error (run->reply, GW_REPLY_RETRY, GW_ERROR_TASK_BAD_REPLY,
                          "The answer of %s cannot be used: it is not UTF-8 text.",
                          get_title (task));
      gw_reply_set_raw (run->reply, text, length);
      return;
    }

  run->reply->result = g_strndup (text != NULL ? text : "", length);
  if (strspn (run->reply->result, " \t\r\n") == length)
    {
      g_clear_pointer (&run->reply->result, g_free);
      gw_reply_set_error (run->reply, GW_REPLY_RETRY, GW_ERROR_TASK_BAD_REPLY,
                          "%s ended well and wrote no answer to its standard output.",
                          get_title (task));
      gw_reply_set_raw (run->reply, (const char *) run->errors->data, run->errors->len);
      return;
    }
  run->reply->act = GW_REPLY_ANSWER;
  run->reply->model = g_strdup (run->model);
  run->reply->finish_reason = g_strdup ("stop");
}

/* (transfer full) (nullable): the line of @errors that says most: the last, which names the fault;
 * the first where the last is not there any more. */
static char *
find_said (const GByteArray *errors)
{
  const char *data = errors->len > 0 ? (const char *) errors->data : "";
  g_autofree char *valid = g_utf8_make_valid (data, (gssize) errors->len);
  g_auto (GStrv) lines = g_strsplit_set (g_strstrip (valid), "\r\n", -1);
  guint n = g_strv_length (lines);
  const char *said = n > 0 ? lines[errors->len < STDERR_KEPT ? n - 1 : 0] : "";

  if (*said == '\0')
    return NULL;
  return g_utf8_strlen (said, -1) > SAID_MAX_CHARS ? g_utf8_substring (said, 0, SAID_MAX_CHARS)
                                                   : g_strdup (said);
}

static void
judge_exit (GTask *task,
            Run *run)
{
  const char *title = get_title (task);

  if (g_subprocess_get_if_signaled (run->process))
    {
      int number = g_subprocess_get_term_sig (run->process);

      gw_reply_set_error (run->reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_SERVER,
                          "%s was killed by signal %d (%s) while it worked on this task.", title,
                          number, g_strsignal (number));
      run->reply->died_with_worker = TRUE;
      gw_reply_set_raw (run->reply, (const char *) run->errors->data, run->errors->len);
    }
  else if (g_subprocess_get_exit_status (run->process) != 0)
    {
      int status = g_subprocess_get_exit_status (run->process);
      g_autofree char *said = find_said (run->errors);

      if (said != NULL)
        gw_reply_set_error (run->reply, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER,
                            "%s ended with exit status %d (%s).", title, status, said);
      else
        gw_reply_set_error (run->reply, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER,
                            "%s ended with exit status %d.", title, status);
      if (run->errors->len > 0 || run->output == NULL)
        gw_reply_set_raw (run->reply, (const char *) run->errors->data, run->errors->len);
      else
        gw_reply_set_raw (run->reply, (const char *) run->output->data, run->output->len);
    }
  else
    judge_output (task, run);
}

static void
judge (GTask *task,
       Run *run)
{
  guint seconds = gw_provider_get_config (g_task_get_source_object (task))->timeout_seconds;

  switch (run->end)
    {
    case END_ABORTED:
      gw_reply_set_error (run->reply, GW_REPLY_ABORTED, GW_ERROR_TASK_CANCELLED,
                          "The call was given up.");
      break;

    case END_LATE:
      gw_reply_set_error (run->reply, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT,
                          "No answer of %s within %u s; it was ended.", get_title (task), seconds);
      gw_reply_set_raw (run->reply, (const char *) run->errors->data, run->errors->len);
      break;

    case END_TOO_LARGE:
      gw_reply_set_error (run->reply, GW_REPLY_RETRY, GW_ERROR_TASK_BAD_REPLY,
                          "The answer of %s cannot be used: it is longer than 32 MiB.",
                          get_title (task));
      gw_reply_set_raw (run->reply, (const char *) run->output->data, run->output->len);
      break;

    case END_BY_ITSELF:
    default:
      judge_exit (task, run);
      break;
    }
}

/* Every operation that began ends here; the last one returns. */
static void
operation_done (GTask *task)
{
  Run *run = g_task_get_task_data (task);

  if (--run->active > 0)
    return;

  gw_source_clear (&run->limit);
  gw_source_clear (&run->grace);
  gw_source_clear (&run->outer);
  judge (task, run);
  run->reply->ended_at = get_now (task);
  g_task_return_pointer (task, g_steal_pointer (&run->reply), (GDestroyNotify) gw_reply_free);
}

/* Ending it */

/* Never with a group of 0, which would be our own. */
static void
signal_group (const Run *run,
              int number)
{
  if (run->group > 1)
    kill (-run->group, number);
}

static GSource *
timer_new (GTask *task,
           guint ms,
           const char *name,
           GSourceFunc func)
{
  GSource *source = g_timeout_source_new (ms);

  /* The operations under way hold the task, and operation_done() takes the timers away. */
  g_source_set_name (source, name);
  g_source_set_callback (source, func, task, NULL);
  g_source_attach (source, g_task_get_context (task));

  return source;
}

static gboolean
kill_cb (gpointer user_data)
{
  Run *run = g_task_get_task_data (G_TASK (user_data));

  signal_group (run, SIGKILL);

  return G_SOURCE_REMOVE;
}

static void
give_up (GTask *task,
         End end)
{
  Run *run = g_task_get_task_data (task);

  if (run->end != END_BY_ITSELF)
    return;
  run->end = end;
  gw_source_clear (&run->limit);
  if (run->reaped)
    {
      g_cancellable_cancel (run->reading);
      return;
    }
  signal_group (run, SIGTERM);
  run->limit = timer_new (task, GW_COMMAND_TERM_MS, "[gangway] command kill", kill_cb);
}

static gboolean
late_cb (gpointer user_data)
{
  give_up (user_data, END_LATE);

  return G_SOURCE_REMOVE;
}

static gboolean
aborted_cb (GCancellable *cancellable,
            gpointer user_data)
{
  give_up (user_data, END_ABORTED);

  return G_SOURCE_REMOVE;
}

static gboolean
grace_cb (gpointer user_data)
{
  Run *run = g_task_get_task_data (G_TASK (user_data));

  /* Somebody whom the program started holds its output open. */
  signal_group (run, SIGKILL);
  g_cancellable_cancel (run->reading);

  return G_SOURCE_REMOVE;
}

static void
waited_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);

  g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL);
  run->reaped = TRUE;
  gw_source_clear (&run->limit);
  /* The rest of the group goes with a program that was told to end. */
  if (run->end != END_BY_ITSELF)
    signal_group (run, SIGKILL);
  g_cancellable_cancel (run->writing);
  if (run->active > 1)
    run->grace = timer_new (task, GW_COMMAND_GRACE_MS, "[gangway] command output", grace_cb);
  operation_done (task);
}

/* Input and output */

static void
note_sent (GTask *task,
           Run *run)
{
  if (run->reply->sent_at != 0)
    return;
  run->reply->sent_at = get_now (task);
  if (run->sent != NULL)
    run->sent (run->reply->sent_at, run->sent_data);
}

static void
wrote_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);

  /* A program need not read its task to answer: that the pipe broke says nothing. */
  g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL);
  g_output_stream_close (G_OUTPUT_STREAM (source), NULL, NULL);
  note_sent (task, run);
  operation_done (task);
}

static void
output_begins (gpointer user_data)
{
  Run *run = g_task_get_task_data (G_TASK (user_data));

  run->reply->first_byte_at = get_now (user_data);
}

static void
output_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Run *run = g_task_get_task_data (task);

  run->output = gw_body_read_finish (G_INPUT_STREAM (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    {
      give_up (task, END_TOO_LARGE);
      g_input_stream_close (G_INPUT_STREAM (source), NULL, NULL);
    }
  operation_done (task);
}

static void
errors_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GBytes) chunk = NULL;
  Run *run = g_task_get_task_data (task);
  const guint8 *data;
  gsize size = 0;

  chunk = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, NULL);
  data = chunk != NULL ? g_bytes_get_data (chunk, &size) : NULL;
  if (size == 0)
    {
      operation_done (task);
      return;
    }
  /* Read to the end, so that the program never waits for us, and keep the beginning. */
  g_byte_array_append (run->errors, data, MIN (size, STDERR_KEPT - run->errors->len));
  g_input_stream_read_bytes_async (G_INPUT_STREAM (source), STDERR_CHUNK, G_PRIORITY_DEFAULT,
                                   run->reading, errors_cb, g_steal_pointer (&task));
}

/* Starting */

static void
child_setup (gpointer user_data)
{
  /* Between fork and exec: only what is safe there. */
  setsid ();
  signal (SIGPIPE, SIG_DFL);
}

static GSubprocess *
spawn (GwProvider *self,
       const char *model,
       GError **error)
{
  const GwProviderConfig *config = gw_provider_get_config (self);
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  const char *key = gw_provider_get_key (self);

  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE
                                        | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                        | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_child_setup (launcher, child_setup, NULL, NULL);
  g_subprocess_launcher_setenv (launcher, "GANGWAY_MODEL", model, TRUE);
  if (key != NULL && config->api_key_env != NULL)
    {
      g_auto (GStrv) names = g_strsplit (config->api_key_env, ",", 2);

      if (names[0] != NULL && *g_strstrip (names[0]) != '\0')
        g_subprocess_launcher_setenv (launcher, names[0], key, TRUE);
    }

  return g_subprocess_launcher_spawnv (launcher, (const char *const *) config->command, error);
}

static void
set_not_started (GwProvider *self,
                 GwReply *reply,
                 const GError *error)
{
  const GwProviderConfig *config = gw_provider_get_config (self);
  gboolean lasting = g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT)
                     || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_ACCES)
                     || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOEXEC)
                     || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_ISDIR)
                     || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOTDIR);

  gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_SERVER,
                      lasting ? "The command of %s cannot be started: %s. Mend it, then resume it."
                              : "The command of %s cannot be started now: %s. It is tried again.",
                      config->title, error->message);
  reply->lane_act = lasting ? GW_LANE_STOP : GW_LANE_PARK;
  reply->lane_for_ms = lasting ? 0 : 5000;
  reply->retry_after_ms = 1;
}

static void
run_start (GTask *task,
           Run *run,
           GCancellable *cancellable)
{
  GwProvider *self = g_task_get_source_object (task);
  gint64 timeout_ms = (gint64) gw_provider_get_config (self)->timeout_seconds * 1000;
  const char *pid = g_subprocess_get_identifier (run->process);
  GOutputStream *input;
  gconstpointer data;
  gsize size;

  /* NULL if it ended already: then there is nobody to signal. */
  run->group = pid != NULL ? (pid_t) g_ascii_strtoll (pid, NULL, 10) : 0;

  /* Else one write of a long task would hold this thread until the program has read it all. */
  input = g_subprocess_get_stdin_pipe (run->process);
  g_unix_set_fd_nonblocking (g_unix_output_stream_get_fd (G_UNIX_OUTPUT_STREAM (input)), TRUE,
                             NULL);
  run->active = 4;
  data = g_bytes_get_data (run->input, &size);
  g_subprocess_wait_async (run->process, NULL, waited_cb, g_object_ref (task));
  gw_body_read_async (g_subprocess_get_stdout_pipe (run->process), GW_COMMAND_MAX_OUTPUT,
                      (GCallback) output_begins, task, run->reading, output_cb,
                      g_object_ref (task));
  g_input_stream_read_bytes_async (g_subprocess_get_stderr_pipe (run->process), STDERR_CHUNK,
                                   G_PRIORITY_DEFAULT, run->reading, errors_cb,
                                   g_object_ref (task));
  g_output_stream_write_all_async (input, data, size, G_PRIORITY_DEFAULT, run->writing, wrote_cb,
                                   g_object_ref (task));

  run->limit = timer_new (task, (guint) MIN (timeout_ms, G_MAXINT), "[gangway] command limit",
                          late_cb);
  if (cancellable != NULL)
    {
      run->outer = g_cancellable_source_new (cancellable);
      g_source_set_static_name (run->outer, "[gangway] command aborted");
      g_source_set_callback (run->outer, G_SOURCE_FUNC (aborted_cb), task, NULL);
      g_source_attach (run->outer, g_task_get_context (task));
    }
}

static void
gw_command_provider_call_async (GwProvider *self,
                                const GwCall *call,
                                GwProviderSentFunc sent,
                                gpointer sent_data,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  const GwProviderConfig *config = gw_provider_get_config (self);
  /* Cancelling ends in a reply, so the task must not see the cancellable. */
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GError) error = NULL;
  Run *run = g_new0 (Run, 1);

  g_task_set_source_tag (task, gw_command_provider_call_async);
  g_task_set_task_data (task, run, run_free);
  run->reply = gw_reply_new ();
  run->reading = g_cancellable_new ();
  run->writing = g_cancellable_new ();
  run->errors = g_byte_array_new ();
  run->sent = sent;
  run->sent_data = sent_data;
  run->input = g_bytes_new (call->content, strlen (call->content));
  if (call->model != NULL || config->model != NULL)
    run->model = g_strdup (call->model != NULL ? call->model : config->model);
  else
    run->model = g_path_get_basename (config->command[0]);

  if (g_cancellable_is_cancelled (cancellable))
    gw_reply_set_error (run->reply, GW_REPLY_ABORTED, GW_ERROR_TASK_CANCELLED,
                        "The call was given up.");
  else
    {
      run->process = spawn (self, run->model, &error);
      if (run->process != NULL)
        {
          run_start (task, run, cancellable);
          return;
        }
      set_not_started (self, run->reply, error);
    }
  run->reply->ended_at = get_now (task);
  g_task_return_pointer (task, g_steal_pointer (&run->reply), (GDestroyNotify) gw_reply_free);
}

static GwReply *
gw_command_provider_call_finish (GwProvider *self,
                                 GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/* Running it would be a call; that the program is there is all that costs nothing. */
static void
gw_command_provider_test_async (GwProvider *self,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  const GwProviderConfig *config = gw_provider_get_config (self);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autofree char *program = g_find_program_in_path (config->command[0]);
  char **models;

  g_task_set_source_tag (task, gw_command_provider_test_async);
  if (program == NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_TASK_SERVER,
                               "There is no program \"%s\" that can be run.", config->command[0]);
      return;
    }
  models = g_new0 (char *, 2);
  models[0] = g_strdup (config->model);
  g_task_return_pointer (task, models, (GDestroyNotify) g_strfreev);
}

static char **
gw_command_provider_test_finish (GwProvider *self,
                                 GAsyncResult *result,
                                 GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
gw_command_provider_class_init (GwCommandProviderClass *klass)
{
  GwProviderClass *provider_class = GW_PROVIDER_CLASS (klass);
  struct sigaction action;

  provider_class->call_async = gw_command_provider_call_async;
  provider_class->call_finish = gw_command_provider_call_finish;
  provider_class->test_async = gw_command_provider_test_async;
  provider_class->test_finish = gw_command_provider_test_finish;

  /* A program that does not read its task must not end ours. Every main ignores SIGPIPE anyway;
   * this is for those that would forget it. */
  if (sigaction (SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
    signal (SIGPIPE, SIG_IGN);
}

static void
gw_command_provider_init (GwCommandProvider *self)
{
}
