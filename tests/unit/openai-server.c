/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "openai-server.h"

gboolean
server_put (GSocketConnection *connection,
            const char *data,
            gssize length)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  return g_output_stream_write_all (out, data, length >= 0 ? (gsize) length : strlen (data), NULL,
                                    NULL, NULL);
}

/* Blocks until the client closes the connection. */
gboolean
server_wait_gone (Server *server,
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

Server *
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
void
server_stop (Server *server)
{
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
}

guint
server_count_requests (Server *server)
{
  guint n;

  g_mutex_lock (&server->mutex);
  n = server->requests;
  g_mutex_unlock (&server->mutex);

  return n;
}

char *
server_dup_request (Server *server)
{
  char *request;

  g_mutex_lock (&server->mutex);
  request = g_strdup (server->request);
  g_mutex_unlock (&server->mutex);

  return request;
}

gboolean
server_answer (GSocketConnection *connection,
               const char *status,
               const char *headers,
               const char *body)
{
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                                           headers, strlen (body), body);

  return server_put (connection, text, -1);
}

gboolean
say_status (Server *server,
            GSocketConnection *connection)
{
  return server_answer (connection, server->status != NULL ? server->status : "200 OK",
                        "Content-Type: application/json\r\n",
                        server->body != NULL ? server->body : ANSWER);
}

GwProvider *
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

GwProvider *
provider_new (guint16 port,
              guint timeout_seconds)
{
  return provider_new_with_key (port, timeout_seconds, CANARY);
}

void
sent_cb (gint64 sent_at,
         gpointer user_data)
{
  Result *result = user_data;

  g_assert_cmpint (sent_at, >, 0);
  result->sent++;
}

void
called_cb (GObject *source,
           GAsyncResult *res,
           gpointer user_data)
{
  Result *result = user_data;

  result->reply = gw_provider_call_finish (GW_PROVIDER (source), res);
  result->done = TRUE;
}

void
result_wait (Result *result)
{
  while (!result->done)
    g_main_context_iteration (NULL, TRUE);
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

void
test_now (GwProvider *provider,
          Result *result)
{
  gw_provider_test_async (provider, NULL, tested_cb, result);
  result_wait (result);
}

GwReply *
call_full (GwProvider *provider,
           const char *content,
           const char *model,
           guint *sent)
{
  Result result = { 0 };
  GwCall call = { content, model, NULL, NULL };

  gw_provider_call_async (provider, &call, sent_cb, &result, NULL, called_cb, &result);
  result_wait (&result);
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

GwReply *
call (GwProvider *provider)
{
  return call_full (provider, "say hello", NULL, NULL);
}

GwReply *
call_once (Behave behave,
           guint timeout_seconds)
{
  Server *server = server_new (behave);
  g_autoptr (GwProvider) provider = provider_new (server->port, timeout_seconds);
  GwReply *reply = call (provider);

  server_stop (server);
  return reply;
}

void
assert_bad (GwReply *reply)
{
  g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY);
  g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_BAD_REPLY);
  g_assert_cmpint (reply->lane_act, ==, GW_LANE_GO_ON);
  g_assert_null (reply->result);
}

void
server_wait_for_gone (Server *server)
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
