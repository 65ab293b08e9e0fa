/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The openai provider against a server that misbehaves in every way that servers do. The server is
 * raw: each connection has a thread and writes bytes. */

#include "config.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

#include "gw-json.h"
#include "gw-log.h"
#include "provider/gw-provider.h"

#define CANARY "sk-canary-0123456789abcdefghij"
#define ANSWER \
  "{\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," \
  "\"content\":\"h\u00e9llo\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3," \
  "\"completion_tokens\":2,\"total_tokens\":5}}"

typedef struct _Server Server;
typedef gboolean (*Behave) (Server *server, GSocketConnection *connection);

struct _Server {
  GSocketService *service;
  guint16 port;
  Behave behave;
  const char *status; /* for say_status() */
  const char *body;
  GMutex mutex;
  GCond cond;
  char *request;      /* (mutex mutex) the last one, whole */
  guint requests;     /* (mutex mutex) */
  guint gone;         /* (mutex mutex) connections that the client closed in mid-reply */
};

static gboolean
put (GSocketConnection *connection,
     const char *data,
     gssize length)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  return g_output_stream_write_all (out, data, length >= 0 ? (gsize) length : strlen (data), NULL,
                                    NULL, NULL);
}

/* Blocks until the client closes the connection. */
static gboolean
wait_gone (Server *server,
           GSocketConnection *connection)
{
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  char buffer[4096];

  while (g_input_stream_read (in, buffer, sizeof buffer, NULL, NULL) > 0)
    continue;
  g_mutex_lock (&server->mutex);
  server->gone++;
  g_cond_broadcast (&server->cond);
  g_mutex_unlock (&server->mutex);

  return FALSE;
}

static gboolean
read_request (Server *server,
              GSocketConnection *connection)
{
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[4096];

  for (;;)
    {
      gssize n = g_input_stream_read (in, buffer, sizeof buffer, NULL, NULL);
      const char *end;
      const char *length;

      if (n <= 0)
        return FALSE;
      g_string_append_len (text, buffer, n);
      end = strstr (text->str, "\r\n\r\n");
      length = strstr (text->str, "Content-Length: ");
      if (end != NULL
          && (length == NULL || length > end
              || text->len >= (gsize) (end + 4 - text->str)
                                  + g_ascii_strtoull (length + 16, NULL, 10)))
        break;
    }
  g_mutex_lock (&server->mutex);
  server->requests++;
  g_free (server->request);
  server->request = g_strdup (text->str);
  g_mutex_unlock (&server->mutex);

  return TRUE;
}

static gboolean
run_cb (GThreadedSocketService *service,
        GSocketConnection *connection,
        GObject *source,
        gpointer user_data)
{
  Server *server = user_data;

  while (read_request (server, connection) && server->behave (server, connection))
    continue;
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);

  return TRUE;
}

static Server *
server_new (Behave behave)
{
  Server *server = g_new0 (Server, 1);

  server->behave = behave;
  g_mutex_init (&server->mutex);
  g_cond_init (&server->cond);
  server->service = g_threaded_socket_service_new (16);
  server->port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (server->service), NULL,
                                                      NULL);
  g_signal_connect (server->service, "run", G_CALLBACK (run_cb), server);
  g_socket_service_start (server->service);

  return server;
}

/* Connections are not joined: what a thread may still touch stays until the program ends. */
static void
server_stop (Server *server)
{
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
}

static void
set_good_key (Server *server,
              const char *word)
{
  g_mutex_lock (&server->mutex);
  server->status = word;
  g_mutex_unlock (&server->mutex);
}

static guint
count_requests (Server *server)
{
  guint n;

  g_mutex_lock (&server->mutex);
  n = server->requests;
  g_mutex_unlock (&server->mutex);

  return n;
}

static char *
dup_request (Server *server)
{
  char *request;

  g_mutex_lock (&server->mutex);
  request = g_strdup (server->request);
  g_mutex_unlock (&server->mutex);

  return request;
}

static gboolean
answer_with (GSocketConnection *connection,
             const char *status,
             const char *headers,
             const char *body)
{
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                                           headers, strlen (body), body);

  return put (connection, text, -1);
}

static gboolean
say_status (Server *server,
            GSocketConnection *connection)
{
  return answer_with (connection, server->status != NULL ? server->status : "200 OK",
                      "Content-Type: application/json\r\n",
                      server->body != NULL ? server->body : ANSWER);
}

static GwProvider *
provider_new_with_key (guint16 port,
                       guint timeout_seconds,
                       const char *key)
{
  g_autoptr (GwProviderConfig) config = gw_provider_config_new ("mock");
  g_autoptr (GwClock) clock = gw_clock_new ();

  config->base_url = g_strdup_printf ("http://127.0.0.1:%u/v1/", port);
  config->model = g_strdup ("m");
  config->timeout_seconds = timeout_seconds;
  g_assert_true (gw_provider_config_check (config, NULL));

  return gw_provider_new (config, key, clock);
}

static GwProvider *
provider_new (guint16 port,
              guint timeout_seconds)
{
  return provider_new_with_key (port, timeout_seconds, CANARY);
}

typedef struct {
  GwReply *reply;
  char **models;
  GError *error;
  gboolean done;
  guint sent;
} Result;

static void
sent_cb (gint64 sent_at,
         gpointer user_data)
{
  Result *result = user_data;

  g_assert_cmpint (sent_at, >, 0);
  result->sent++;
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

static GwReply *
call_full (GwProvider *provider,
           const char *content,
           const char *model,
           guint *sent)
{
  Result result = { 0 };
  GwCall call = { content, model, NULL, NULL };

  gw_provider_call_async (provider, &call, sent_cb, &result, NULL, called_cb, &result);
  while (!result.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (result.reply);
  g_assert_cmpuint (result.sent, ==, result.reply->sent_at > 0 ? 1 : 0);
  g_assert_cmpint (result.reply->ended_at, >, 0);
  if (result.reply->raw != NULL)
    {
      g_assert_cmpuint (strlen (result.reply->raw), <=, 4096);
      g_assert_true (g_utf8_validate (result.reply->raw, -1, NULL));
      g_assert_null (strstr (result.reply->raw, CANARY));
    }
  if (result.reply->error_message != NULL)
    g_assert_null (strstr (result.reply->error_message, CANARY));
  if (sent != NULL)
    *sent = result.sent;

  return result.reply;
}

static GwReply *
call (GwProvider *provider)
{
  return call_full (provider, "say hello", NULL, NULL);
}

static GwReply *
call_once (Behave behave,
           guint timeout_seconds)
{
  Server *server = server_new (behave);
  g_autoptr (GwProvider) provider = provider_new (server->port, timeout_seconds);
  GwReply *reply = call (provider);

  server_stop (server);
  return reply;
}

static void
assert_bad (GwReply *reply)
{
  g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY);
  g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_BAD_REPLY);
  g_assert_cmpint (reply->lane_act, ==, GW_LANE_GO_ON);
  g_assert_null (reply->result);
}

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
  while (!result.done)
    g_main_context_iteration (NULL, TRUE);
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
  put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"choices\":[{\"mess", -1);
  return FALSE;
}

static gboolean
say_short_length (Server *server,
                  GSocketConnection *connection)
{
  put (connection, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n\r\n" ANSWER, -1);
  return FALSE;
}

static gboolean
say_bad_chunks (Server *server,
                GSocketConnection *connection)
{
  put (connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cho\r\nzz\r\nx\r\n",
       -1);
  return FALSE;
}

static gboolean
say_no_http (Server *server,
             GSocketConnection *connection)
{
  put (connection, "SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n", -1);
  return FALSE;
}

static gboolean
say_html (Server *server,
          GSocketConnection *connection)
{
  return answer_with (connection, "200 OK", "Content-Type: text/html\r\n",
                      "<!DOCTYPE html><title>Sign in</title>");
}

static gboolean
say_deep (Server *server,
          GSocketConnection *connection)
{
  g_autofree char *deep = g_strnfill (200000, '[');

  return answer_with (connection, "200 OK", "", deep);
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
  put (connection, head, -1);

  return put (connection, g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (memory)),
              (gssize) g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory)));
}

static gboolean
say_huge_body (Server *server,
               GSocketConnection *connection)
{
  g_autofree char *block = g_strnfill (1024 * 1024, ' ');

  put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", -1);
  for (guint i = 0; i < 1024; i++)
    {
      if (!put (connection, block, 1024 * 1024))
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

  put (connection, "HTTP/1.1 200 OK\r\nX-Long: ", -1);
  for (guint i = 0; i < 160; i++)
    {
      if (!put (connection, block, 64 * 1024))
        return FALSE;
    }
  put (connection, "\r\nContent-Length: 2\r\n\r\n{}", -1);

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
  return wait_gone (server, connection);
}

static gboolean
say_headers_only (Server *server,
                  GSocketConnection *connection)
{
  put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", -1);
  return wait_gone (server, connection);
}

static gboolean
say_drip (Server *server,
          GSocketConnection *connection)
{
  put (connection, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", -1);
  while (put (connection, " ", 1))
    g_usleep (50000);
  g_mutex_lock (&server->mutex);
  server->gone++;
  g_cond_broadcast (&server->cond);
  g_mutex_unlock (&server->mutex);

  return FALSE;
}

static void
wait_for_gone (Server *server)
{
  g_mutex_lock (&server->mutex);
  while (server->gone == 0)
    {
      g_mutex_unlock (&server->mutex);
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
      g_mutex_lock (&server->mutex);
    }
  g_mutex_unlock (&server->mutex);
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
      wait_for_gone (server);
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

      gw_provider_call_async (provider, &request, sent_cb, &result, cancellable, called_cb, &result);
      g_timeout_add (200, cancel_cb, cancellable);
      while (!result.done)
        g_main_context_iteration (NULL, TRUE);
      reply = result.reply;
      g_assert_cmpint (reply->act, ==, GW_REPLY_ABORTED);
      g_assert_true (reply->maybe_computing);
      g_assert_cmpint (reply->sent_at, >, 0);
      wait_for_gone (server);
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
  while (!result.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (result.reply->act, ==, GW_REPLY_ABORTED);
  g_assert_false (result.reply->maybe_computing);
  g_assert_cmpint (result.reply->sent_at, ==, 0);
  g_assert_cmpuint (count_requests (server), ==, 0);
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
  g_assert_cmpuint (count_requests (server), ==, 4);
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
  g_assert_cmpuint (count_requests (server), ==, 2);
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
  g_autofree char *location = g_strdup_printf ("Location: http://localhost:%s/v1\r\n", server->body);

  return answer_with (connection, server->status, location, "");
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

static gboolean
say_blanks (Server *server,
            GSocketConnection *connection)
{
  put (connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1);
  for (guint i = 0; i < 5; i++)
    put (connection, "1\r\n\n\r\ne\r\n: keep-alive\n\n\r\n", -1);
  return put (connection, "2\r\n{}\r\n0\r\n\r\n", -1);
}

static gboolean
say_stream (Server *server,
            GSocketConnection *connection)
{
  put (connection, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
       ": keep-alive\n\nevent: ping\nid: 7\n\n"
       "data: {\"model\":\"s\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n"
       "junk\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"}}]}\r\n\r\n"
       "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"},\"finish_reason\":"
       "\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\n", -1);
  return FALSE;
}

static void
test_stream (void)
{
  g_autoptr (GwReply) reply = call_once (say_stream, 10);
  g_autoptr (GwReply) blanks = call_once (say_blanks, 10);

  g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpstr (reply->result, ==, "one two");
  g_assert_cmpstr (reply->model, ==, "s");
  g_assert_cmpint (reply->usage.total_tokens, ==, 9);
  assert_bad (blanks);
  g_assert_nonnull (strstr (blanks->error_message, "no choice"));
}

static gboolean
say_request_back (Server *server,
                  GSocketConnection *connection)
{
  return answer_with (connection, "200 OK", "",
                      "{\"choices\":[{\"message\":{\"content\":\"you sent: " CANARY "\"},"
                      "\"finish_reason\":\"stop\"}]}");
}

#define KEYS "sk-canary-one-0123456789\nsk-canary-two-0123456789\nsk-canary-three-0123456"

/* Accepts what holds the word that `status` has, refuses the rest as `body` says. */
static gboolean
judge_key (Server *server,
           GSocketConnection *connection)
{
  gboolean good;
  gboolean lists;

  g_mutex_lock (&server->mutex);
  good = server->status != NULL && strstr (server->request, server->status) != NULL;
  lists = g_str_has_prefix (server->request, "GET ");
  g_mutex_unlock (&server->mutex);

  return answer_with (connection, good ? "200 OK" : "401 Unauthorized",
                      "Content-Type: application/json\r\n",
                      !good ? "{\"error\":{\"message\":\"Incorrect API key\"}}"
                      : lists ? "{\"data\":[{\"id\":\"m\"}]}"
                              : ANSWER);
}

static void
test_several_keys (void)
{
  Server *server = server_new (judge_key);
  g_autoptr (GwProvider) provider = provider_new_with_key (server->port, 5, KEYS);
  guint refused = 0, answered = 0;

  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  set_good_key (server, "canary-two");
  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (GwReply) reply = call (provider);

      g_assert_cmpint (reply->lane_act, ==, GW_LANE_GO_ON);
      if (reply->act == GW_REPLY_ANSWER)
        answered++;
      else
        {
          g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY_FREE);
          g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_AUTH);
          refused++;
        }
    }
  /* Each wrong one was tried once, and never again. */
  g_assert_cmpuint (refused, ==, 2);
  g_assert_cmpuint (answered, ==, 6);

  /* The last one is refused too: now it is the lane's matter. */
  set_good_key (server, NULL);
  {
    g_autoptr (GwReply) reply = call (provider);

    g_assert_cmpint (reply->lane_act, ==, GW_LANE_STOP);
    g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_AUTH);
  }

  /* The user let it go on: all are tried again. */
  set_good_key (server, "canary-");
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GwReply) reply = call (provider);

      g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
    }
  server_stop (server);
}

static void
tested_key_cb (GObject *source,
               GAsyncResult *res,
               gpointer user_data)
{
  Result *result = user_data;

  result->models = gw_provider_test_finish (GW_PROVIDER (source), res, &result->error);
  result->done = TRUE;
}

static void
test_several_keys_tested (void)
{
  Server *server = server_new (judge_key);
  g_autoptr (GwProvider) provider = provider_new_with_key (server->port, 5, KEYS);
  Result good = { 0 }, bad = { 0 };

  set_good_key (server, "canary-");
  gw_provider_test_async (provider, NULL, tested_key_cb, &good);
  while (!good.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_no_error (good.error);
  g_assert_cmpstr (good.models[0], ==, "m");
  g_assert_cmpuint (count_requests (server), ==, 3);
  g_strfreev (good.models);

  /* One bad key is named, whatever the others do. */
  set_good_key (server, "canary-t");
  gw_provider_test_async (provider, NULL, tested_key_cb, &bad);
  while (!bad.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (bad.error, GW_ERROR, GW_ERROR_TASK_AUTH);
  g_assert_true (g_str_has_prefix (bad.error->message, "Key 1 of 3: "));
  g_error_free (bad.error);
  server_stop (server);
}

static void
test_key_in_answer (void)
{
  g_autoptr (GwReply) reply = call_once (say_request_back, 10);

  g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
  g_assert_cmpstr (reply->result, ==, "you sent: [redacted]");
}

static gboolean
say_word (Server *server,
          GSocketConnection *connection)
{
  return answer_with (connection, "200 OK", "",
                      "{\"choices\":[{\"message\":{\"content\":\"ollama: none of the others\"},"
                      "\"finish_reason\":\"stop\"}]}");
}

/* Servers of one's own want any key at all, and get a word: it is no secret, and answers may say it. */
static void
test_word_as_key (void)
{
  static const char *const words[] = { "ollama", "none", "e" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      Server *server = server_new (say_word);
      g_autoptr (GwProvider) provider = provider_new_with_key (server->port, 10, words[i]);
      g_autoptr (GwReply) reply = call (provider);

      g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
      g_assert_cmpstr (reply->result, ==, "ollama: none of the others");
      server_stop (server);
    }
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

static void
tested_cb (GObject *source,
           GAsyncResult *res,
           gpointer user_data)
{
  Result *result = user_data;

  result->models = gw_provider_test_finish (GW_PROVIDER (source), res, &result->error);
  result->done = TRUE;
}

static gboolean
say_no_list (Server *server,
             GSocketConnection *connection)
{
  if (strstr (server->request, "GET ") == server->request)
    return answer_with (connection, "404 Not Found", "", "nothing here");

  return answer_with (connection, server->status, "", server->body);
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
      gw_provider_test_async (provider, NULL, tested_cb, &result);
      while (!result.done)
        g_main_context_iteration (NULL, TRUE);
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

/* Streaming */

static GwProvider *
streaming_provider_new (guint16 port,
                        guint timeout_seconds)
{
  g_autoptr (GwProvider) plain = provider_new (port, timeout_seconds);
  g_autoptr (GwProviderConfig) config = gw_provider_config_copy (gw_provider_get_config (plain));

  config->stream = TRUE;

  return gw_provider_new (config, CANARY, gw_provider_get_clock (plain));
}

#define STREAM_HEAD \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define PIECE(text) "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define END \
  "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n" \
  "data: {\"choices\":[],\"usage\":{\"total_tokens\":5}}\n\n"

static gboolean
put_chunk (GSocketConnection *connection,
           const char *data)
{
  g_autofree char *text = g_strdup_printf ("%zx\r\n%s\r\n", strlen (data), data);

  return put (connection, text, -1);
}

static gboolean
say_pieces (Server *server,
            GSocketConnection *connection)
{
  put (connection, STREAM_HEAD, -1);
  put_chunk (connection, ": keep-alive\n\n" PIECE ("h\u00e9"));
  put_chunk (connection, "data: {\"choices\":[{\"delta\":{\"cont");
  put_chunk (connection, "ent\":\"llo " CANARY "\"}}]}\n\n" END);
  if (server->body != NULL)
    put_chunk (connection, server->body);
  put (connection, "0\r\n\r\n", -1);

  return TRUE;
}

static void
test_pieces (void)
{
  Server *server = server_new (say_pieces);
  g_autoptr (GwProvider) provider = streaming_provider_new (server->port, 10);
  g_autoptr (GwPartial) partial = gw_partial_new (1);
  g_autofree char *seen = NULL;

  /* The second call comes on the same connection, whose first answer was read to its end. */
  server->body = "data: [DONE]\n\n";
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GwReply) reply = NULL;
      g_autofree char *text = NULL;
      g_autoptr (JsonObject) sent = NULL;
      Result result = { 0 };
      GwCall request = { "hello", NULL, NULL, i == 0 ? partial : NULL };
      gsize begin;
      guint64 size;

      gw_provider_call_async (provider, &request, sent_cb, &result, NULL, called_cb, &result);
      while (!result.done)
        g_main_context_iteration (NULL, TRUE);
      reply = result.reply;
      g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
      g_assert_cmpstr (reply->result, ==, "h\u00e9llo [redacted]");
      g_assert_cmpstr (reply->model, ==, "m-1");
      g_assert_cmpstr (reply->finish_reason, ==, "stop");
      g_assert_cmpint (reply->usage.total_tokens, ==, 5);
      g_assert_null (reply->raw);
      if (i == 0)
        seen = gw_partial_dup_text (partial, 0, &begin, &size);
      g_assert_cmpstr (seen, ==, reply->result);

      text = dup_request (server);
      sent = gw_json_parse_object (strstr (text, "\r\n\r\n") + 4,
                                   strlen (strstr (text, "\r\n\r\n") + 4), NULL);
      g_assert_true (gw_json_peek_boolean (sent, "stream", FALSE));
      g_assert_true (gw_json_peek_boolean (gw_json_peek_object (sent, "stream_options"),
                                           "include_usage", FALSE));
    }
  g_assert_cmpuint (count_requests (server), ==, 2);
  server_stop (server);
}

static gboolean
say_stream_and_stay (Server *server,
                     GSocketConnection *connection)
{
  put (connection, STREAM_HEAD, -1);
  put_chunk (connection, PIECE ("a"));
  if (server->body != NULL)
    put_chunk (connection, server->body);

  return wait_gone (server, connection);
}

static gboolean
say_stream_and_break (Server *server,
                      GSocketConnection *connection)
{
  put (connection, STREAM_HEAD, -1);
  put_chunk (connection, PIECE ("a"));
  if (server->body != NULL)
    put_chunk (connection, server->body);

  return FALSE;
}

static GwReply *
stream_once (Behave behave,
             const char *body,
             guint timeout_seconds)
{
  Server *server = server_new (behave);
  g_autoptr (GwProvider) provider = streaming_provider_new (server->port, timeout_seconds);
  GwReply *reply;

  server->body = body;
  reply = call (provider);
  server_stop (server);

  return reply;
}

static void
test_stream_ends (void)
{
  static const struct {
    Behave behave;
    const char *body;
    guint timeout_seconds;
    const char *result; /* NULL: a bad reply */
  } rows[] = {
    { say_stream_and_stay, END "data: [DONE]\n\n", 60, "a" },
    { say_stream_and_stay, END, 1, "a" },
    { say_stream_and_break, END, 60, "a" },
    { say_stream_and_break, "data: [DONE]\n\n", 60, "a" },
    { say_stream_and_break, NULL, 60, NULL },
    { say_status, NULL, 60, "h\u00e9llo" },
    { say_status, "data: {\"choices\":[]}\n\n", 60, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GwReply) reply = stream_once (rows[i].behave, rows[i].body,
                                               rows[i].timeout_seconds);

      if (rows[i].result == NULL)
        {
          assert_bad (reply);
          g_assert_nonnull (reply->raw);
          continue;
        }
      g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
      g_assert_cmpstr (reply->result, ==, rows[i].result);
      g_assert_false (reply->maybe_computing);
    }
}

static void
test_stream_late (void)
{
  g_autoptr (GwReply) reply = stream_once (say_stream_and_stay, ": keep-alive\n\n", 1);

  g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY);
  g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_TIMEOUT);
  g_assert_true (reply->maybe_computing);
  g_assert_nonnull (strstr (reply->raw, "data: "));
  g_assert_null (reply->result);
}

static gboolean
say_stream_for_ever (Server *server,
                     GSocketConnection *connection)
{
  g_autofree char *many = g_strnfill (100000, 'x');
  g_autofree char *piece = g_strdup_printf (PIECE ("%s"), many);

  put (connection, STREAM_HEAD, -1);
  while (put_chunk (connection, piece))
    continue;

  return FALSE;
}

static void
test_stream_too_large (void)
{
  g_autoptr (GwReply) reply = stream_once (say_stream_for_ever, NULL, 60);

  assert_bad (reply);
  g_assert_nonnull (strstr (reply->error_message, "longer than 32 MiB"));
}

static void
test_stream_aborted (void)
{
  Server *server = server_new (say_stream_and_stay);
  g_autoptr (GwProvider) provider = streaming_provider_new (server->port, 60);
  g_autoptr (GwPartial) partial = gw_partial_new (1);
  g_autoptr (GCancellable) abort = g_cancellable_new ();
  Result result = { 0 };
  GwCall request = { "hello", NULL, NULL, partial };
  guint64 size = 0;

  gw_provider_call_async (provider, &request, sent_cb, &result, abort, called_cb, &result);
  while (size == 0)
    {
      gsize begin;

      g_main_context_iteration (NULL, TRUE);
      g_free (gw_partial_dup_text (partial, 0, &begin, &size));
    }
  g_assert_false (result.done);
  g_cancellable_cancel (abort);
  while (!result.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (result.reply->act, ==, GW_REPLY_ABORTED);
  g_assert_null (result.reply->result);
  gw_reply_free (result.reply);

  wait_for_gone (server);
  server_stop (server);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  gw_log_add_secret (CANARY);
  g_test_add_func ("/openai/answer", test_answer);
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
  g_test_add_func ("/openai/stream", test_stream);
  g_test_add_func ("/openai/key-in-answer", test_key_in_answer);
  g_test_add_func ("/openai/several-keys", test_several_keys);
  g_test_add_func ("/openai/several-keys-tested", test_several_keys_tested);
  g_test_add_func ("/openai/word-as-key", test_word_as_key);
  g_test_add_func ("/openai/pinned-model", test_pinned_model);
  g_test_add_func ("/openai/test", test_test);
  g_test_add_func ("/openai/pieces", test_pieces);
  g_test_add_func ("/openai/pieces/ends", test_stream_ends);
  g_test_add_func ("/openai/pieces/late", test_stream_late);
  g_test_add_func ("/openai/pieces/too-large", test_stream_too_large);
  g_test_add_func ("/openai/pieces/aborted", test_stream_aborted);

  return g_test_run ();
}
