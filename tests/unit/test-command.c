/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <glib/gstdio.h>

#include "provider/gw-provider.h"

typedef struct {
  GwReply *reply;
  gboolean done;
  guint sent;
} Result;

static GwProvider *
provider_new (const char *command,
              guint timeout_seconds)
{
  g_autoptr (GwProviderConfig) config = gw_provider_config_new ("tool");
  g_autoptr (GwClock) clock = gw_clock_new ();

  config->kind = GW_PROVIDER_COMMAND;
  config->timeout_seconds = timeout_seconds;
  config->api_key_env = g_strdup ("TOOL_KEY");
  g_assert_true (g_shell_parse_argv (command, NULL, &config->command, NULL));
  g_assert_true (gw_provider_config_check (config, NULL));

  return gw_provider_new (config, "secret-of-the-tool", clock);
}

static void
sent_cb (gint64 sent_at,
         gpointer user_data)
{
  ((Result *) user_data)->sent++;
}

static void
called_cb (GObject *source,
           GAsyncResult *res,
           gpointer user_data)
{
  Result *result = user_data;

  result->reply = gw_provider_call_finish (GW_PROVIDER (source), res);
  result->done = TRUE;
}

static gboolean
cancel_cb (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static GwReply *
call_with (const char *command,
           const char *content,
           guint timeout_seconds,
           guint cancel_ms)
{
  g_autoptr (GwProvider) provider = provider_new (command, timeout_seconds);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GwCall request = { content, NULL, NULL };
  Result result = { 0 };

  gw_provider_call_async (provider, &request, sent_cb, &result, cancellable, called_cb, &result);
  if (cancel_ms > 0)
    g_timeout_add (cancel_ms, cancel_cb, cancellable);
  while (!result.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (result.reply);
  g_assert_cmpuint (result.sent, ==, result.reply->sent_at > 0 ? 1 : 0);
  if (result.reply->error_message != NULL)
    g_test_message ("%s", result.reply->error_message);

  return result.reply;
}

static void
test_echo (void)
{
  g_autoptr (GwReply) reply = call_with ("cat", "h\u00e9llo\nworld\n\n", 10, 0);

  g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpstr (reply->result, ==, "h\u00e9llo\nworld");
  g_assert_cmpstr (reply->model, ==, "cat");
  g_assert_cmpint (reply->sent_at, >, 0);
  g_assert_cmpint (reply->first_byte_at, >, 0);
}

/* Larger than any pipe, in both directions at once. */
static void
test_large (void)
{
  g_autofree char *content = g_strnfill (1000 * 1000, 'x');
  g_autoptr (GwReply) reply = call_with ("cat", content, 20, 0);

  g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpuint (strlen (reply->result), ==, 1000 * 1000);
}

static void
test_no_shell (void)
{
  g_autoptr (GwReply) reply = call_with ("echo '$HOME; true' \"a  b\"", "x", 10, 0);

  g_assert_cmpstr (reply->result, ==, "$HOME; true a  b");
}

static void
test_unread_input (void)
{
  g_autofree char *content = g_strnfill (1000 * 1000, 'x');
  g_autoptr (GwReply) reply = call_with ("echo done", content, 10, 0);

  g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpstr (reply->result, ==, "done");
}

static void
test_environment (void)
{
  g_autoptr (GwReply) reply = call_with ("sh -c 'test \"$TOOL_KEY\" = secret-of-the-tool && echo yes'",
                                         "x", 10, 0);

  g_assert_cmpstr (reply->result, ==, "yes");
}

static void
test_failures (void)
{
  static const struct {
    const char *command;
    GwReplyAct act;
    GwLaneAct lane;
    GwError code;
    gboolean died;
    const char *raw;
  } rows[] = {
    { "sh -c 'echo why >&2; echo partial; exit 3'", GW_REPLY_RETRY, GW_LANE_GO_ON,
      GW_ERROR_TASK_SERVER, FALSE, "why\n" },
    { "sh -c 'echo secret-of-the-tool >&2; exit 1'", GW_REPLY_RETRY, GW_LANE_GO_ON,
      GW_ERROR_TASK_SERVER, FALSE, "[redacted]\n" },
    { "sh -c 'kill -9 $$'", GW_REPLY_RETRY_FREE, GW_LANE_GO_ON, GW_ERROR_TASK_SERVER, TRUE, NULL },
    { "true", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, FALSE, NULL },
    { "printf ' \\n'", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, FALSE, NULL },
    { "printf 'a\\377b'", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, FALSE,
      "a\xef\xbf\xbd" "b" },
    { "/nowhere/at-all", GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_SERVER, FALSE, NULL },
    { "/", GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_SERVER, FALSE, NULL },
    { "yes", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, FALSE, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GwReply) reply = call_with (rows[i].command, "task", 20, 0);

      g_assert_cmpint (reply->act, ==, rows[i].act);
      g_assert_cmpint (reply->lane_act, ==, rows[i].lane);
      g_assert_cmpint (reply->error_code, ==, rows[i].code);
      g_assert_cmpint (reply->died_with_worker, ==, rows[i].died);
      if (rows[i].raw != NULL)
        g_assert_cmpstr (reply->raw, ==, rows[i].raw);
      g_assert_null (reply->result);
    }
}

/* The message says what the program said last, which names the fault, without keys. */
static void
test_said (void)
{
  static const struct {
    const char *command;
    const char *message;
  } rows[] = {
    { "sh -c 'exit 3'", " ended with exit status 3." },
    { "sh -c 'echo >&2; exit 3'", " ended with exit status 3." },
    { "sh -c 'echo trace >&2; echo why >&2; echo >&2; exit 3'",
      " ended with exit status 3 (why)." },
    { "sh -c 'echo no secret-of-the-tool >&2; exit 1'",
      " ended with exit status 1 (no [redacted])." },
    { "sh -c 'echo first >&2; yes | head -9000 >&2; exit 1'",
      " ended with exit status 1 (first)." },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GwReply) reply = call_with (rows[i].command, "task", 20, 0);

      g_assert_true (g_str_has_suffix (reply->error_message, rows[i].message));
    }
}

/* The numbers that a script wrote, one a line. */
static void
assert_all_gone (const char *path)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (g_strstrip (text), "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 2);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      pid_t pid = (pid_t) g_ascii_strtoll (lines[i], NULL, 10);
      gint64 deadline = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

      g_assert_cmpint (pid, >, 1);
      for (;;)
        {
          g_autofree char *status_path = g_strdup_printf ("/proc/%d/stat", pid);
          g_autofree char *status = NULL;

          /* Killed and not yet reaped by whoever inherited it is gone, too. */
          if (!g_file_get_contents (status_path, &status, NULL, NULL)
              || strstr (status, ") Z ") != NULL)
            break;
          g_assert_cmpint (g_get_monotonic_time (), <, deadline);
          g_usleep (10000);
        }
    }
}

static void
test_group_is_killed (void)
{
  static const char *const scripts[] = {
    "echo $$ > %s; sleep 300 & echo $! >> %s; wait",
    /* Deaf to SIGTERM. */
    "trap \"\" TERM; echo $$ > %s; sleep 300 & echo $! >> %s; while :; do sleep 0.1; done",
  };

  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    {
      for (guint cancel_ms = 0; cancel_ms <= 300; cancel_ms += 300)
        {
          g_autofree char *path = NULL;
          g_autofree char *command = NULL;
          g_autofree char *script = NULL;
          g_autofree char *quoted = NULL;
          g_auto (GStrv) parts = g_strsplit (scripts[i], "%s", -1);
          g_autoptr (GwReply) reply = NULL;
          int fd = g_file_open_tmp ("gangway-command-XXXXXX", &path, NULL);

          g_close (fd, NULL);
          script = g_strjoinv (path, parts);
          quoted = g_shell_quote (script);
          command = g_strconcat ("sh -c ", quoted, NULL);
          reply = call_with (command, "x", cancel_ms > 0 ? 60 : 1, cancel_ms);
          g_assert_cmpint (reply->act, ==, cancel_ms > 0 ? GW_REPLY_ABORTED : GW_REPLY_RETRY);
          g_assert_cmpint (reply->error_code, ==,
                           cancel_ms > 0 ? GW_ERROR_TASK_CANCELLED : GW_ERROR_TASK_TIMEOUT);
          g_assert_false (reply->died_with_worker);
          assert_all_gone (path);
          g_unlink (path);
        }
    }
}

/* Something in the background holds the output open after the program has ended well. */
static void
test_left_behind (void)
{
  g_autoptr (GwReply) reply = call_with ("sh -c 'echo answer; sleep 300 &'", "x", 60, 0);

  g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpstr (reply->result, ==, "answer");
}

static void
test_cancelled_before (void)
{
  g_autoptr (GwProvider) provider = provider_new ("cat", 10);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GwCall request = { "x", NULL, NULL };
  Result result = { 0 };

  g_cancellable_cancel (cancellable);
  gw_provider_call_async (provider, &request, sent_cb, &result, cancellable, called_cb, &result);
  while (!result.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (result.reply->act, ==, GW_REPLY_ABORTED);
  g_assert_cmpuint (result.sent, ==, 0);
  gw_reply_free (result.reply);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/command/echo", test_echo);
  g_test_add_func ("/command/large", test_large);
  g_test_add_func ("/command/no-shell", test_no_shell);
  g_test_add_func ("/command/unread-input", test_unread_input);
  g_test_add_func ("/command/environment", test_environment);
  g_test_add_func ("/command/failures", test_failures);
  g_test_add_func ("/command/said", test_said);
  g_test_add_func ("/command/group-is-killed", test_group_is_killed);
  g_test_add_func ("/command/left-behind", test_left_behind);
  g_test_add_func ("/command/cancelled-before", test_cancelled_before);

  return g_test_run ();
}
