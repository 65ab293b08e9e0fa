/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The openai provider and answers that come in pieces, asked for or not. */

#include "config.h"

#include <string.h>

#include "gw-json.h"
#include "gw-log.h"

#include "openai-server.h"

static gboolean
say_blanks (Server *server,
            GSocketConnection *connection)
{
  server_put (connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1);
  for (guint i = 0; i < 5; i++)
    server_put (connection, "1\r\n\n\r\ne\r\n: keep-alive\n\n\r\n", -1);
  return server_put (connection, "2\r\n{}\r\n0\r\n\r\n", -1);
}

static gboolean
say_stream (Server *server,
            GSocketConnection *connection)
{
  server_put (connection,
              "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
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

  return server_put (connection, text, -1);
}

static gboolean
say_pieces (Server *server,
            GSocketConnection *connection)
{
  server_put (connection, STREAM_HEAD, -1);
  put_chunk (connection, ": keep-alive\n\n" PIECE ("h\u00e9"));
  put_chunk (connection, "data: {\"choices\":[{\"delta\":{\"cont");
  put_chunk (connection, "ent\":\"llo " CANARY "\"}}]}\n\n" END);
  if (server->body != NULL)
    put_chunk (connection, server->body);
  server_put (connection, "0\r\n\r\n", -1);

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
      result_wait (&result);
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

      text = server_dup_request (server);
      sent = gw_json_parse_object (strstr (text, "\r\n\r\n") + 4,
                                   strlen (strstr (text, "\r\n\r\n") + 4), NULL);
      g_assert_true (gw_json_peek_boolean (sent, "stream", FALSE));
      g_assert_true (gw_json_peek_boolean (gw_json_peek_object (sent, "stream_options"),
                                           "include_usage", FALSE));
    }
  g_assert_cmpuint (server_count_requests (server), ==, 2);
  server_stop (server);
}

static gboolean
say_stream_and_stay (Server *server,
                     GSocketConnection *connection)
{
  server_put (connection, STREAM_HEAD, -1);
  put_chunk (connection, PIECE ("a"));
  if (server->body != NULL)
    put_chunk (connection, server->body);

  return server_wait_gone (server, connection);
}

static gboolean
say_stream_and_break (Server *server,
                      GSocketConnection *connection)
{
  server_put (connection, STREAM_HEAD, -1);
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

  server_put (connection, STREAM_HEAD, -1);
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
  result_wait (&result);
  g_assert_cmpint (result.reply->act, ==, GW_REPLY_ABORTED);
  g_assert_null (result.reply->result);
  gw_reply_free (result.reply);

  server_wait_for_gone (server);
  server_stop (server);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  gw_log_add_secret (CANARY);
  g_test_add_func ("/openai/stream", test_stream);
  g_test_add_func ("/openai/pieces", test_pieces);
  g_test_add_func ("/openai/pieces/ends", test_stream_ends);
  g_test_add_func ("/openai/pieces/late", test_stream_late);
  g_test_add_func ("/openai/pieces/too-large", test_stream_too_large);
  g_test_add_func ("/openai/pieces/aborted", test_stream_aborted);

  return g_test_run ();
}
