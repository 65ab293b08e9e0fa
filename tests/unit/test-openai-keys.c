/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The openai provider's keys: in turn, left out when they are refused, never shown. */

#include "config.h"

#include <string.h>

#include "gw-json.h"
#include "gw-log.h"

#include "openai-server.h"

static void
set_good_key (Server *server,
              const char *word)
{
  g_mutex_lock (&server->mutex);
  server->status = word;
  g_mutex_unlock (&server->mutex);
}

static gboolean
say_request_back (Server *server,
                  GSocketConnection *connection)
{
  return server_answer (connection, "200 OK", "",
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

  return server_answer (connection, good ? "200 OK" : "401 Unauthorized",
                        "Content-Type: application/json\r\n",
                        !good ? "{\"error\":{\"message\":\"Incorrect API key\"}}"
                        : lists ? "{\"data\":[{\"id\":\"m\"}]}"
                                : ANSWER);
}

/* A server that wants a key, for a provider that was set up without, or whose key was only kept until
 * the end of the program. */
static void
test_no_key (void)
{
  Server *server = server_new (judge_key);
  g_autoptr (GwProvider) provider = provider_new_with_key (server->port, 5, NULL);
  g_autoptr (GwReply) reply = NULL;

  set_good_key (server, "canary");
  reply = call (provider);
  g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_AUTH);
  g_assert_cmpint (reply->lane_act, ==, GW_LANE_STOP);
  g_assert_nonnull (strstr (reply->error_message, " wants a key, and has none here"));
  server_stop (server);
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
test_several_keys_tested (void)
{
  Server *server = server_new (judge_key);
  g_autoptr (GwProvider) provider = provider_new_with_key (server->port, 5, KEYS);
  Result good = { 0 }, bad = { 0 };

  set_good_key (server, "canary-");
  test_now (provider, &good);
  g_assert_no_error (good.error);
  g_assert_cmpstr (good.models[0], ==, "m");
  g_assert_cmpuint (server_count_requests (server), ==, 3);
  g_strfreev (good.models);

  /* One bad key is named, whatever the others do. */
  set_good_key (server, "canary-t");
  test_now (provider, &bad);
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
  return server_answer (connection, "200 OK", "",
                        "{\"choices\":[{\"message\":{\"content\":\"ollama: none of the others\"},"
                        "\"finish_reason\":\"stop\"}]}");
}

/* Servers of one's own want any key at all, and get a word: it is no secret, and answers may say
 * it. */
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

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  gw_log_add_secret (CANARY);
  g_test_add_func ("/openai/key-in-answer", test_key_in_answer);
  g_test_add_func ("/openai/no-key", test_no_key);
  g_test_add_func ("/openai/several-keys", test_several_keys);
  g_test_add_func ("/openai/several-keys-tested", test_several_keys_tested);
  g_test_add_func ("/openai/word-as-key", test_word_as_key);

  return g_test_run ();
}
