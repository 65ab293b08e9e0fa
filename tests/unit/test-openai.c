/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The openai provider against a server that misbehaves in every way that servers do.
 * Keys are in test-openai-keys.c, answers in pieces in test-openai-stream.c. */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "gw-json.h"
#include "gw-log.h"

#include "openai-server.h"

static void
test_answer (void)
{
  Server *server = server_new (say_status);
  g_autoptr (GwProvider) provider = provider_new (server->port, 10);
  g_autoptr (GwReply) reply = NULL;
  g_autoptr (JsonObject) metadata = json_object_new ();
  g_autoptr (JsonObject) sent = NULL;
  JsonArray *messages;
  Result result = { 0 };
  GwCall request = { "say \"hello\"\n\xe4\xbd\xa0", NULL, metadata, NULL };

  json_object_set_string_member (metadata, "system", "be brief");
  gw_provider_call_async (provider, &request, sent_cb, &result, NULL, called_cb, &result);
  result_wait (&result);
  reply = result.reply;
  g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpstr (reply->result, ==, "h\u00e9llo");
  g_assert_cmpstr (reply->model, ==, "m-1");
  g_assert_cmpstr (reply->finish_reason, ==, "stop");
  g_assert_cmpint (reply->usage.total_tokens, ==, 5);
  g_assert_cmpint (reply->sent_at, >, 0);
  g_assert_cmpint (reply->first_byte_at, >=, reply->sent_at);
  g_assert_cmpint (reply->ended_at, >=, reply->first_byte_at);
  g_assert_cmpuint (result.sent, ==, 1);
  g_assert_false (reply->maybe_computing);

  g_assert_true (g_str_has_prefix (server->request, "POST /v1/chat/completions HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (server->request, "Authorization: Bearer " CANARY "\r\n"));
  g_assert_nonnull (strstr (server->request, "Content-Type: application/json\r\n"));
  sent = gw_json_parse_object (strstr (server->request, "\r\n\r\n") + 4,
                               strlen (strstr (server->request, "\r\n\r\n") + 4), NULL);
  g_assert_nonnull (sent);
  g_assert_cmpstr (gw_json_peek_string (sent, "model"), ==, "m");
  g_assert_false (gw_json_peek_boolean (sent, "stream", TRUE));
  messages = gw_json_peek_array (sent, "messages");
  g_assert_cmpuint (json_array_get_length (messages), ==, 2);
  g_assert_cmpstr (gw_json_peek_string (json_array_get_object_element (messages, 0), "content"), ==,
                   "be brief");
  g_assert_cmpstr (gw_json_peek_string (json_array_get_object_element (messages, 1), "content"), ==,
                   "say \"hello\"\n\xe4\xbd\xa0");
  server_stop (server);
}

#define USAGE_OF(usage) \
  "{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],\"usage\":" usage "}"

/* Whoever tells only a part tells of the whole, too: a project's limit counts that. */
static void
test_usage (void)
{
  static const struct {
    const char *body;
    gint64 total;
  } rows[] = {
    { USAGE_OF ("{\"prompt_tokens\":3,\"completion_tokens\":4}"), 7 },
    { USAGE_OF ("{\"completion_tokens\":4}"), 4 },
    { USAGE_OF ("{\"prompt_tokens\":3,\"completion_tokens\":-9}"), 3 },
    { USAGE_OF ("{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":9}"), 9 },
    { USAGE_OF ("{\"prompt_tokens\":9223372036854775807,"
                "\"completion_tokens\":9223372036854775807}"), GW_USAGE_MOST },
    { USAGE_OF ("{}"), -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      Server *server = server_new (say_status);
      g_autoptr (GwProvider) provider = provider_new (server->port, 10);
      g_autoptr (GwReply) reply = NULL;

      server->body = rows[i].body;
      reply = call (provider);
      g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
      g_assert_cmpint (reply->usage.total_tokens, ==, rows[i].total);
      server_stop (server);
    }
}

static void
test_statuses (void)
{
  static const struct {
    const char *status;
    const char *body;
    GwReplyAct act;
    GwLaneAct lane;
    GwError code;
  } rows[] = {
    { "401 Unauthorized", "{\"error\":{\"message\":\"no: " CANARY "\"}}", GW_REPLY_RETRY_FREE,
      GW_LANE_STOP, GW_ERROR_TASK_AUTH },
    { "429 Too Many Requests", "{\"status\":429,\"title\":\"Too Many Requests\"}",
      GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_RATE },
    { "500 Internal Server Error", "oops", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_SERVER },
    { "502 Bad Gateway", "<html>bad</html>", GW_REPLY_RETRY, GW_LANE_GO_ON,
      GW_ERROR_TASK_SERVER },
    { "503 Service Unavailable", "", GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_SERVER },
    { "400 Bad Request", "{\"error\":\"wrong\"}", GW_REPLY_FAIL, GW_LANE_GO_ON,
      GW_ERROR_TASK_BAD_REQUEST },
    { "404 Not Found", "<h1>no</h1>", GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_MODEL },
    { "200 OK", "{\"error\":{\"message\":\"busy\",\"code\":\"1305\"}}", GW_REPLY_RETRY_FREE,
      GW_LANE_PARK, GW_ERROR_TASK_SERVER },
    { "200 OK", "{\"choices\":[]}", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY },
    { "200 OK", "", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      Server *server = server_new (say_status);
      g_autoptr (GwProvider) provider = provider_new (server->port, 10);
      g_autoptr (GwReply) reply = NULL;

      server->status = rows[i].status;
      server->body = rows[i].body;
      reply = call (provider);
      g_test_message ("%s: %s", rows[i].status, reply->error_message);
      g_assert_cmpint (reply->act, ==, rows[i].act);
      g_assert_cmpint (reply->lane_act, ==, rows[i].lane);
      g_assert_cmpint (reply->error_code, ==, rows[i].code);
      if (rows[i].lane == GW_LANE_PARK)
        g_assert_cmpint (reply->lane_for_ms, >, 0);
      server_stop (server);
    }
}

static gboolean
say_truncated (Server *server,
               GSocketConnection *connection)
{
  server_put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"choices\":[{\"mess",
              -1);
  return FALSE;
}

static gboolean
say_short_length (Server *server,
                  GSocketConnection *connection)
{
  server_put (connection,
              "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n\r\n" ANSWER, -1);
  return FALSE;
}

static gboolean
say_bad_chunks (Server *server,
                GSocketConnection *connection)
{
  server_put (connection,
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cho\r\nzz\r\nx\r\n",
              -1);
  return FALSE;
}

static gboolean
say_no_http (Server *server,
             GSocketConnection *connection)
{
  server_put (connection, "SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n", -1);
  return FALSE;
}

static gboolean
say_html (Server *server,
          GSocketConnection *connection)
{
  return server_answer (connection, "200 OK", "Content-Type: text/html\r\n",
                        "<!DOCTYPE html><title>Sign in</title>");
}

static gboolean
say_deep (Server *server,
          GSocketConnection *connection)
{
  g_autofree char *deep = g_strnfill (200000, '[');

  return server_answer (connection, "200 OK", "", deep);
}

/* Zeroes and length of a gzip member of 64 MiB of blanks, made by GIO itself. */
static gboolean
say_gzip_bomb (Server *server,
               GSocketConnection *connection)
{
  g_autoptr (GZlibCompressor) zip = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) out = g_converter_output_stream_new (memory, G_CONVERTER (zip));
  g_autofree char *block = g_strnfill (1024 * 1024, ' ');
  g_autofree char *head = NULL;

  for (guint i = 0; i < 64; i++)
    g_output_stream_write_all (out, block, 1024 * 1024, NULL, NULL, NULL);
  g_output_stream_close (out, NULL, NULL);
  head = g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                          g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory)));
  server_put (connection, head, -1);

  return server_put (connection, g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (memory)),
                     (gssize) g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory)));
}

static gboolean
say_huge_body (Server *server,
               GSocketConnection *connection)
{
  g_autofree char *block = g_strnfill (1024 * 1024, ' ');

  server_put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", -1);
  for (guint i = 0; i < 1024; i++)
    {
      if (!server_put (connection, block, 1024 * 1024))
        return FALSE;
    }
  g_assert_not_reached ();
}

static void
test_bad_replies (void)
{
  static const Behave behaves[] = { say_truncated, say_bad_chunks, say_no_http, say_html, say_deep,
                                    say_gzip_bomb, say_huge_body };

  for (guint i = 0; i < G_N_ELEMENTS (behaves); i++)
    {
      g_autoptr (GwReply) reply = call_once (behaves[i], 20);

      g_test_message ("%u: %s", i, reply->error_message);
      assert_bad (reply);
      g_assert_cmpint (reply->sent_at, >, 0);
    }
}

static void
test_short_length (void)
{
  g_autoptr (GwReply) reply = call_once (say_short_length, 10);

  assert_bad (reply);
  g_assert_cmpstr (reply->raw, ==, "{\"model\":\"m-1\",\"choi");
}

static gboolean
say_huge_header (Server *server,
                 GSocketConnection *connection)
{
  g_autofree char *block = g_strnfill (64 * 1024, 'a');

  server_put (connection, "HTTP/1.1 200 OK\r\nX-Long: ", -1);
  for (guint i = 0; i < 160; i++)
    {
      if (!server_put (connection, block, 64 * 1024))
        return FALSE;
    }
  server_put (connection, "\r\nContent-Length: 2\r\n\r\n{}", -1);

  return TRUE;
}

static void
test_huge_header (void)
{
  g_autoptr (GwReply) reply = call_once (say_huge_header, 20);

  g_test_message ("%s", reply->error_message);
  assert_bad (reply);
}

static gboolean
say_nothing (Server *server,
             GSocketConnection *connection)
{
  return server_wait_gone (server, connection);
}

static gboolean
say_headers_only (Server *server,
                  GSocketConnection *connection)
{
  server_put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", -1);
  return server_wait_gone (server, connection);
}

static gboolean
say_drip (Server *server,
          GSocketConnection *connection)
{
  server_put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", -1);
  while (server_put (connection, " ", 1))
    g_usleep (50000);
  g_mutex_lock (&server->mutex);
  server->gone++;
  g_cond_broadcast (&server->cond);
  g_mutex_unlock (&server->mutex);

  return FALSE;
}

static void
test_timeouts (void)
{
  static const Behave behaves[] = { say_nothing, say_headers_only, say_drip };

  for (guint i = 0; i < G_N_ELEMENTS (behaves); i++)
    {
      Server *server = server_new (behaves[i]);
      g_autoptr (GwProvider) provider = provider_new (server->port, 1);
      g_autoptr (GwReply) reply = call (provider);

      g_test_message ("%u: %s", i, reply->error_message);
      g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY);
      g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_TIMEOUT);
      g_assert_true (reply->maybe_computing);
      server_wait_for_gone (server);
      server_stop (server);
    }
}

static gboolean
cancel_cb (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
test_abort (void)
{
  static const Behave behaves[] = { say_nothing, say_headers_only, say_drip };

  for (guint i = 0; i < G_N_ELEMENTS (behaves); i++)
    {
      Server *server = server_new (behaves[i]);
      g_autoptr (GwProvider) provider = provider_new (server->port, 60);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GwReply) reply = NULL;
      Result result = { 0 };
      GwCall request = { "x", NULL, NULL, NULL };

      gw_provider_call_async (provider, &request, sent_cb, &result, cancellable, called_cb,
                              &result);
      g_timeout_add (200, cancel_cb, cancellable);
      result_wait (&result);
      reply = result.reply;
      g_assert_cmpint (reply->act, ==, GW_REPLY_ABORTED);
      g_assert_true (reply->maybe_computing);
      g_assert_cmpint (reply->sent_at, >, 0);
      server_wait_for_gone (server);
      server_stop (server);
    }
}

static void
test_aborted_before (void)
{
  Server *server = server_new (say_status);
  g_autoptr (GwProvider) provider = provider_new (server->port, 60);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Result result = { 0 };
  GwCall request = { "x", NULL, NULL, NULL };

  g_cancellable_cancel (cancellable);
  gw_provider_call_async (provider, &request, sent_cb, &result, cancellable, called_cb, &result);
  result_wait (&result);
  g_assert_cmpint (result.reply->act, ==, GW_REPLY_ABORTED);
  g_assert_false (result.reply->maybe_computing);
  g_assert_cmpint (result.reply->sent_at, ==, 0);
  g_assert_cmpuint (server_count_requests (server), ==, 0);
  gw_reply_free (result.reply);
  server_stop (server);
}

static gboolean
say_reset (Server *server,
           GSocketConnection *connection)
{
  struct linger linger = { 1, 0 };

  setsockopt (g_socket_get_fd (g_socket_connection_get_socket (connection)), SOL_SOCKET, SO_LINGER,
              &linger, sizeof linger);
  return FALSE;
}

static gboolean
say_once_then_reset (Server *server,
                     GSocketConnection *connection)
{
  gboolean first;

  g_mutex_lock (&server->mutex);
  first = server->requests == 1;
  g_mutex_unlock (&server->mutex);

  return first ? say_status (server, connection) : say_reset (server, connection);
}

static void
test_reset (void)
{
  Server *server = server_new (say_reset);
  g_autoptr (GwProvider) provider = provider_new (server->port, 10);

  /* Twice it may be the network; from then on it is this task. */
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GwReply) reply = call (provider);

      g_test_message ("%s", reply->error_message);
      g_assert_cmpint (reply->act, ==, i < 2 ? GW_REPLY_RETRY_FREE : GW_REPLY_RETRY);
      g_assert_cmpint (reply->error_code, ==, i < 2 ? GW_ERROR_TASK_NETWORK : GW_ERROR_TASK_SERVER);
      g_assert_true (reply->maybe_computing);
      g_assert_cmpint (reply->sent_at, >, 0);
    }
  g_assert_cmpuint (server_count_requests (server), ==, 4);
  server_stop (server);
}

static void
test_reset_on_reuse (void)
{
  Server *server = server_new (say_once_then_reset);
  g_autoptr (GwProvider) provider = provider_new (server->port, 10);
  g_autoptr (GwReply) first = call (provider);
  g_autoptr (GwReply) second = call (provider);

  g_assert_cmpint (first->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpint (second->act, ==, GW_REPLY_RETRY_FREE);
  g_assert_cmpint (second->error_code, ==, GW_ERROR_TASK_NETWORK);
  g_assert_cmpint (second->lane_act, ==, GW_LANE_GO_ON);
  /* Sent once, never again behind our back. */
  g_assert_cmpuint (server_count_requests (server), ==, 2);
  server_stop (server);
}

static void
test_refused (void)
{
  Server *server = server_new (say_status);
  g_autoptr (GwProvider) provider = provider_new (server->port, 10);
  gint64 last = 0;

  server_stop (server);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GwReply) reply = call (provider);

      g_test_message ("%s", reply->error_message);
      g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY_FREE);
      g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_NETWORK);
      g_assert_cmpint (reply->lane_act, ==, GW_LANE_PARK);
      g_assert_cmpint (reply->lane_for_ms, >, 0);
      g_assert_cmpint (reply->sent_at, ==, 0);
      g_assert_false (reply->maybe_computing);
      /* The second failure falls into the same pause: it does not grow. */
      if (i > 0)
        g_assert_cmpint (reply->lane_for_ms, <=, last);
      last = reply->lane_for_ms;
    }
}

static guint elsewhere;

static gboolean
count_elsewhere (Server *server,
                 GSocketConnection *connection)
{
  g_atomic_int_inc (&elsewhere);
  return say_status (server, connection);
}

static gboolean
say_redirect (Server *server,
              GSocketConnection *connection)
{
  g_autofree char *location = g_strdup_printf ("Location: http://localhost:%s/v1\r\n",
                                               server->body);

  return server_answer (connection, server->status, location, "");
}

static void
test_redirects (void)
{
  static const char *const statuses[] = { "301 Moved Permanently", "302 Found",
                                          "307 Temporary Redirect", "308 Permanent Redirect" };
  Server *other = server_new (count_elsewhere);
  g_autofree char *port = g_strdup_printf ("%u", other->port);

  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      Server *server = server_new (say_redirect);
      g_autoptr (GwProvider) provider = provider_new (server->port, 10);
      g_autoptr (GwReply) reply = NULL;

      server->status = statuses[i];
      server->body = port;
      reply = call (provider);
      g_assert_cmpint (reply->lane_act, ==, GW_LANE_STOP);
      g_assert_nonnull (strstr (reply->error_message, "localhost"));
      g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY_FREE);
      server_stop (server);
    }
  g_assert_cmpint (g_atomic_int_get (&elsewhere), ==, 0);
  server_stop (other);
}

static void
test_pinned_model (void)
{
  Server *server = server_new (say_status);
  g_autoptr (GwProvider) provider = provider_new (server->port, 10);
  g_autoptr (GwReply) reply = NULL;

  server->status = "404 Not Found";
  server->body = "{\"error\":{\"code\":\"model_not_found\",\"message\":\"no\"}}";
  reply = call_full (provider, "x", "other", NULL);
  g_assert_cmpint (reply->act, ==, GW_REPLY_FAIL);
  g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_MODEL);
  g_assert_cmpint (reply->lane_act, ==, GW_LANE_GO_ON);
  g_assert_nonnull (strstr (server->request, "\"model\":\"other\""));
  server_stop (server);
}

static gboolean
say_no_list (Server *server,
             GSocketConnection *connection)
{
  if (strstr (server->request, "GET ") == server->request)
    return server_answer (connection, "404 Not Found", "", "nothing here");

  return server_answer (connection, server->status, "", server->body);
}

static void
test_test (void)
{
  static const struct {
    Behave behave;
    const char *status;
    const char *body;
    int error; /* -1: works */
    const char *model;
  } rows[] = {
    { say_status, "200 OK", "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{}]}", -1, "a" },
    { say_status, "200 OK", "{\"models\":[{\"name\":\"a\"}]}", -1, "a" },
    { say_status, "200 OK", "hello", GW_ERROR_TASK_BAD_REPLY, NULL },
    { say_status, "401 Unauthorized", "{}", GW_ERROR_TASK_AUTH, NULL },
    { say_status, "402 Payment Required", "{}", GW_ERROR_TASK_QUOTA, NULL },
    { say_status, "500 Oops", "{}", GW_ERROR_TASK_SERVER, NULL },
    { say_no_list, "400 Bad Request", "{\"error\":\"messages is missing\"}", -1, NULL },
    { say_no_list, "422 Unprocessable", "{\"error\":\"model is required\"}", -1, NULL },
    { say_no_list, "401 Unauthorized", "{}", GW_ERROR_TASK_AUTH, NULL },
    { say_no_list, "404 Not Found", "{}", GW_ERROR_TASK_MODEL, NULL },
    { say_no_http, NULL, NULL, GW_ERROR_TASK_BAD_REPLY, NULL },
    { say_reset, NULL, NULL, GW_ERROR_TASK_NETWORK, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      Server *server = server_new (rows[i].behave);
      g_autoptr (GwProvider) provider = provider_new (server->port, 10);
      Result result = { 0 };

      server->status = rows[i].status;
      server->body = rows[i].body;
      test_now (provider, &result);
      g_test_message ("%u: %s", i, result.error != NULL ? result.error->message : "works");
      if (rows[i].error < 0)
        {
          g_assert_no_error (result.error);
          g_assert_cmpstr (result.models[0], ==, rows[i].model);
        }
      else
        g_assert_error (result.error, GW_ERROR, rows[i].error);
      g_strfreev (result.models);
      g_clear_error (&result.error);
      server_stop (server);
    }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  gw_log_add_secret (CANARY);
  g_test_add_func ("/openai/answer", test_answer);
  g_test_add_func ("/openai/usage", test_usage);
  g_test_add_func ("/openai/statuses", test_statuses);
  g_test_add_func ("/openai/bad-replies", test_bad_replies);
  g_test_add_func ("/openai/short-length", test_short_length);
  g_test_add_func ("/openai/huge-header", test_huge_header);
  g_test_add_func ("/openai/timeouts", test_timeouts);
  g_test_add_func ("/openai/abort", test_abort);
  g_test_add_func ("/openai/aborted-before", test_aborted_before);
  g_test_add_func ("/openai/reset", test_reset);
  g_test_add_func ("/openai/reset-on-reuse", test_reset_on_reuse);
  g_test_add_func ("/openai/refused", test_refused);
  g_test_add_func ("/openai/redirects", test_redirects);
  g_test_add_func ("/openai/pinned-model", test_pinned_model);
  g_test_add_func ("/openai/test", test_test);

  return g_test_run ();
}
