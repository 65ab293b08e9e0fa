/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gateway as an HTTP server, over a queue in memory: connections, bodies, guard. Long answers
 * are in test-gateway-http-feed.c, limits in test-gateway-http-limits.c; what the calls do is in
 * test-gateway.c, over the real queue.
 */
#include "config.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gw-error.h"
#include "gw-json.h"

#include "gateway-fixture.h"
#include "test-skip.h"

static void
test_start_errors (void)
{
  g_autoptr (FakeQueue) queue = fake_queue_new ();
  static const char *const wrong[] = { "example.com", "0.0.0.0", "::", "127.1", "999.1.1.1", "" };
  GwGatewayOptions options = { .listen = "127.0.0.1", .host_kind = "daemon" };
  g_autoptr (GwGateway) first = gw_gateway_new (&options, GW_QUEUE (queue), NULL);
  g_autoptr (GwGateway) second = NULL, third = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      GwGatewayOptions bad = { .listen = wrong[i], .host_kind = "daemon" };
      g_autoptr (GwGateway) gateway = gw_gateway_new (&bad, GW_QUEUE (queue), NULL);
      g_autoptr (GError) local_error = NULL;

      g_assert_false (gw_gateway_start (gateway, &local_error));
      g_assert_error (local_error, GW_ERROR, GW_ERROR_CONFIG);
    }

  g_assert_true (gw_gateway_start (first, &error));
  options.port = atoi (strrchr (gw_gateway_get_uri (first), ':') + 1);
  second = gw_gateway_new (&options, GW_QUEUE (queue), NULL);
  g_assert_false (gw_gateway_start (second, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_PORT_TAKEN);
  g_clear_error (&error);

  options.port_fallback = TRUE;
  third = gw_gateway_new (&options, GW_QUEUE (queue), NULL);
  g_assert_true (gw_gateway_start (third, &error));
  g_assert_cmpstr (gw_gateway_get_uri (third), !=, gw_gateway_get_uri (first));
  gw_gateway_stop (third);
  gw_gateway_stop (third);
  gw_gateway_stop (first);
}

static void
test_localhost (void)
{
  Fixture fixture = { 0 };

  fixture_start (&fixture, &(GwGatewayOptions){ .listen = "localhost", .host_kind = "window" },
                 NULL);
  g_assert_true (g_str_has_prefix (fixture.uri, "http://127.0.0.1:"));
  {
    g_autoptr (RawReply) reply = raw_request (fixture.uri, "GET", "/health", NULL, NULL);

    g_assert_cmpuint (reply->status, ==, 200);
    g_assert_cmpstr (gw_json_peek_string (raw_object (reply), "host"), ==, "window");
  }
  fixture_tear_down (&fixture, NULL);
}

static void
test_guard (Fixture *fixture,
            gconstpointer data)
{
  static const char *const refused[] = {
    "GET /health HTTP/1.1\r\nHost: evil.com\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.com\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: evil.com\r\nHost: 127.0.0.1\r\n\r\n",
    "GET http://evil.com/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: null\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.com\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n\r\n",
    "GET /nowhere HTTP/1.1\r\nHost: evil.com\r\n\r\n",
    "OPTIONS /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.com\r\n\r\n",
    "POST /tasks HTTP/1.1\r\nHost: evil.com\r\nContent-Length: 5\r\n\r\nhello",
  };
  static const char *const passing[] = {
    "GET /health HTTP/1.0\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: [::1]\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\n\r\n",
    "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      int fd = raw_connect (fixture->uri);
      g_autoptr (RawReply) reply = NULL;
      g_autofree char *cors = NULL;

      g_test_message ("%s", refused[i]);
      raw_send (fd, refused[i], -1);
      reply = raw_receive (fd, FALSE);
      raw_assert_problem (reply, 403, "forbidden", NULL);
      cors = raw_header (reply, "Access-Control-Allow-Origin");
      g_assert_null (cors);
      close (fd);
    }
  for (guint i = 0; i < G_N_ELEMENTS (passing); i++)
    {
      int fd = raw_connect (fixture->uri);
      g_autoptr (RawReply) reply = NULL;

      g_test_message ("%s", passing[i]);
      raw_send (fd, passing[i], -1);
      reply = raw_receive (fd, FALSE);
      g_assert_cmpuint (reply->status, ==, 200);
      close (fd);
    }
}

static void
test_token (void)
{
  Fixture fixture = { 0 };

  fixture_start (&fixture,
                 &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon", .token = "secret" },
                 NULL);
  {
    g_autoptr (RawReply) open = raw_request (fixture.uri, "GET", "/health", NULL, NULL);
    g_autoptr (RawReply) none = raw_request (fixture.uri, "GET", "/tasks", NULL, NULL);
    g_autoptr (RawReply) wrong = raw_request (fixture.uri, "GET", "/tasks",
                                              "Authorization: Bearer secre\r\n", NULL);
    g_autoptr (RawReply) right = raw_request (fixture.uri, "GET", "/tasks",
                                              "Authorization: Bearer secret\r\n", NULL);
    g_autoptr (RawReply) nowhere = raw_request (fixture.uri, "GET", "/health/x", NULL, NULL);

    g_assert_cmpuint (open->status, ==, 200);
    raw_assert_problem (none, 403, "forbidden", "Authorization");
    raw_assert_problem (wrong, 403, "forbidden", "token");
    raw_assert_problem (nowhere, 403, "forbidden", NULL);
    g_assert_cmpuint (right->status, ==, 200);
  }
  fixture_tear_down (&fixture, NULL);
}

/* A process of another user; only root can play one. */
static void
test_foreign_user (Fixture *fixture,
                   gconstpointer data)
{
  int status = 0;
  pid_t child;

  if (geteuid () != 0)
    {
      test_skip ("only root can be another user");
      return;
    }

  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      g_autoptr (RawReply) reply = NULL;

      if (setresuid (65534, 65534, 65534) != 0)
        _exit (2);
      reply = raw_request (fixture->uri, "GET", "/health", NULL, NULL);
      _exit (reply->status == 403 ? 0 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
test_routing (Fixture *fixture,
              gconstpointer data)
{
  static const struct {
    const char *method;
    const char *path;
    guint status;
    const char *allow;
  } table[] = {
    { "GET", "/", 404, NULL },
    { "GET", "/task", 404, NULL },
    { "GET", "/tasks/", 404, NULL },
    { "GET", "//tasks", 404, NULL },
    { "GET", "/tasks/a/b", 404, NULL },
    { "GET", "/tasks/%00", 404, NULL },
    { "GET", "/tasks/%ff", 404, NULL },
    { "GET", "/tasks/a%2fretry", 404, NULL },
    { "PUT", "/tasks", 405, "POST, GET, HEAD, OPTIONS" },
    { "GET", "/tasks/batch", 405, "POST, OPTIONS" },
    { "DELETE", "/tasks/batch", 405, "POST, OPTIONS" },
    { "POST", "/health", 405, "GET, HEAD, OPTIONS" },
    { "TRACE", "/tasks", 405, "POST, GET, HEAD, OPTIONS" },
    { "PATCH", "/tasks/1", 405, "GET, HEAD, DELETE, OPTIONS" },
    { "OPTIONS", "/tasks", 204, "POST, GET, HEAD, OPTIONS" },
    { "HEAD", "/health", 200, NULL },
    { "HEAD", "/tasks", 200, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autoptr (RawReply) reply = raw_request (fixture->uri, table[i].method, table[i].path, NULL,
                                                NULL);
      g_autofree char *allow = raw_header (reply, "Allow");

      g_test_message ("%s %s", table[i].method, table[i].path);
      g_assert_cmpuint (reply->status, ==, table[i].status);
      g_assert_cmpstr (allow, ==, table[i].allow);
    }
}

static void
test_framing (Fixture *fixture,
              gconstpointer data)
{
  static const char *const wrong[] = {
    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "Content-Length: -2\r\n\r\n{}",
    "Content-Length: +2\r\n\r\n{}",
    "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
#ifndef __SANITIZE_ADDRESS__
    /* These libsoup refuses by itself, and 3.2.3 forgets to free their path. */
    "Content-Length: 2x\r\n\r\n{}",
    "Content-Length: 0x2\r\n\r\n{}",
    "Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
#endif
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      int fd = raw_connect (fixture->uri);
      g_autofree char *text = NULL;
      g_autoptr (RawReply) reply = NULL, next = NULL;

      g_test_message ("%s", wrong[i]);
      text = g_strconcat ("POST /tasks HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Type: application/json\r\n",
                          wrong[i], "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", NULL);
      raw_send (fd, text, -1);
      reply = raw_receive (fd, FALSE);
      g_assert_cmpuint (reply->status, >=, 400);
      /* Nothing that follows is taken for a request. */
      next = raw_receive (fd, FALSE);
      g_assert_cmpuint (next->status, ==, 0);
      close (fd);
    }
}

static void
test_pipelining (Fixture *fixture,
                 gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int fd = raw_connect (fixture->uri);

  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"content\":\"task %u\"}", i);

      g_string_append_printf (text,
                              "POST /tasks HTTP/1.1\r\nHost: localhost\r\n"
                              "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s"
                              "GET /nowhere%u HTTP/1.1\r\nHost: localhost\r\n\r\n",
                              strlen (body), body, i);
    }
  raw_send (fd, text->str, text->len);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (RawReply) first = raw_receive (fd, FALSE);
      g_autoptr (RawReply) second = raw_receive (fd, FALSE);
      g_autofree char *where = g_strdup_printf ("/nowhere%u'", i);

      g_assert_cmpuint (first->status, ==, 200);
      raw_assert_problem (second, 404, "not-found", where);
    }
  close (fd);
}

/* A request that is cut off must not be carried out, whatever lies before it in the buffer. */
static void
test_cut_off (Fixture *fixture,
              gconstpointer data)
{
  static const char request[] = "POST /tasks HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Type: application/json\r\nContent-Length: 15\r\n\r\n"
                                "{\"content\":\"a\"}";
  gsize length = strlen (request);
  g_autoptr (RawReply) reply = NULL;
  JsonObject *counts;

  for (guint after = 0; after < 2; after++)
    {
      for (gsize cut = 1; cut < length; cut++)
        {
          int fd = raw_connect (fixture->uri);
          g_autofree char *text = NULL;

          text = g_strdup_printf ("%s%.*s",
                                  after ? "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" : "",
                                  (int) cut, request);
          raw_send (fd, text, -1);
          if (after && cut % 2 == 0)
            {
              g_autoptr (RawReply) health = raw_receive (fd, FALSE);

              g_assert_cmpuint (health->status, ==, 200);
            }
          if (cut % 3 == 0)
            {
              g_autoptr (RawReply) rest = NULL;

              shutdown (fd, SHUT_WR);
              rest = raw_receive (fd, FALSE);
              if (rest->status != 0 && !(after && cut % 2 != 0))
                g_assert_cmpuint (rest->status, >=, 400);
            }
          close (fd);
        }
    }

  reply = raw_request (fixture->uri, "GET", "/health", NULL, NULL);
  counts = gw_json_peek_object (raw_object (reply), "counts");
  g_assert_cmpint (gw_json_peek_int (counts, "queued", -1), ==, 0);
}

static void
test_bodies (Fixture *fixture,
             gconstpointer data)
{
  static const struct {
    const char *headers;
    const char *body;
    guint status;
    const char *code;
    const char *detail;
  } table[] = {
    { NULL, "", 400, "not-json", "empty" },
    { NULL, "x", 400, "not-json", NULL },
    { NULL, "{\"content\":\"a\"} {}", 400, "not-json", NULL },
    { NULL, "{'content':'a'}", 400, "not-json", NULL },
    { NULL, "// c\n{\"content\":\"a\"}", 400, "not-json", NULL },
    { NULL, "[]", 422, "invalid", NULL },
    { NULL, "null", 422, "invalid", NULL },
    { NULL, "\"text\"", 422, "invalid", NULL },
    { NULL, "{}", 422, "invalid", "content" },
    { NULL, "{\"content\":1}", 422, "invalid", "content" },
    { NULL, "{\"content\":null}", 422, "invalid", "content" },
    { NULL, "{\"content\":\"\"}", 422, "invalid", "content" },
    { NULL, "{\"content\":\" \\n\\t\\u3000\"}", 422, "invalid", "content" },
    { NULL, "{\"content\":\"a\\u0000b\"}", 422, "invalid", NULL },
    { NULL, "{\"content\":\"\\ud800\"}", 422, "invalid", NULL },
    { NULL, "{\"content\":\"a\",\"priority\":101}", 422, "invalid", "priority" },
    { NULL, "{\"content\":\"a\",\"priority\":1.5}", 422, "invalid", "priority" },
    { NULL, "{\"content\":\"a\",\"priority\":\"1\"}", 422, "invalid", "priority" },
    { NULL, "{\"content\":\"a\",\"project\":1}", 422, "invalid", "project" },
    { NULL, "{\"content\":\"a\",\"project\":\"\"}", 422, "invalid", "project" },
    { NULL, "{\"content\":\"a\",\"provider\":[]}", 422, "invalid", "provider" },
    { NULL, "{\"content\":\"a\",\"model\":{}}", 422, "invalid", "model" },
    { NULL, "{\"content\":\"a\",\"metadata\":[]}", 422, "invalid", "metadata" },
    { NULL, "{\"content\":\"a\",\"metadata\":{\"model\":1}}", 422, "invalid", "metadata.model" },
    { "Content-Type: text/plain\r\n", "{\"content\":\"a\"}", 415, "unsupported-type", NULL },
    { "Content-Type: application/jsonx\r\n", "{\"content\":\"a\"}", 415, "unsupported-type", NULL },
    { "Content-Type: application/x-www-form-urlencoded\r\n", "content=a", 415, "unsupported-type",
      NULL },
    { "Content-Encoding: gzip\r\n", "{\"content\":\"a\"}", 415, "unsupported-type", NULL },
    { "Idempotency-Key: \xc3\xa9\r\n", "{\"content\":\"a\"}", 422, "invalid", "Idempotency-Key" },
  };
  static const char *const right[] = {
    "{\"content\":\"a\"}",
    "\xef\xbb\xbf{\"content\":\"a\"}",
    "{\"content\":\"a\",\"unknown\":[1,{}]}",
    "{\"content\":\"a\",\"priority\":1.0}",
    "{\"content\":\"a\",\"project\":null,\"metadata\":null,\"priority\":null}",
    "{\"content\":1,\"content\":\"a\"}",
    "{\"content\":\"a\",\"metadata\":{\"row\":7}}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autoptr (RawReply) reply = raw_request (fixture->uri, "POST", "/tasks", table[i].headers,
                                                table[i].body);

      g_test_message ("%s", table[i].body);
      raw_assert_problem (reply, table[i].status, table[i].code, table[i].detail);
    }
  for (guint i = 0; i < G_N_ELEMENTS (right); i++)
    {
      g_autoptr (RawReply) reply = raw_request (fixture->uri, "POST", "/tasks",
                                                "Content-Type: application/json; charset=utf-8\r\n",
                                                right[i]);

      g_test_message ("%s", right[i]);
      g_assert_cmpuint (reply->status, ==, 200);
      g_assert_cmpstr (gw_json_peek_string (raw_object (reply), "status"), ==, "queued");
      g_assert_nonnull (gw_json_peek_string (raw_object (reply), "task_id"));
      g_assert_nonnull (gw_json_peek_string (raw_object (reply), "project_id"));
    }
}

static void
test_chunked (Fixture *fixture,
              gconstpointer data)
{
  int fd = raw_connect (fixture->uri);
  g_autoptr (RawReply) reply = NULL;

  raw_send (fd,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"conten\r\n7\r\nt\":\"a\"}\r\n0\r\n\r\n",
            -1);
  reply = raw_receive (fd, FALSE);
  g_assert_cmpuint (reply->status, ==, 200);
  close (fd);
}

static void
test_expect (Fixture *fixture,
             gconstpointer data)
{
  int fd = raw_connect (fixture->uri);
  g_autoptr (RawReply) go_on = NULL, reply = NULL, refused = NULL;

  raw_send (fd,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 15\r\nExpect: 100-continue\r\n\r\n",
            -1);
  go_on = raw_receive (fd, TRUE);
  g_assert_cmpuint (go_on->status, ==, 100);
  raw_send (fd, "{\"content\":\"a\"}", -1);
  reply = raw_receive (fd, FALSE);
  g_assert_cmpuint (reply->status, ==, 200);
  close (fd);

  /* Refused before a byte of the body was sent. */
  fd = raw_connect (fixture->uri);
  raw_send (fd,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n",
            -1);
  refused = raw_receive (fd, FALSE);
  raw_assert_problem (refused, 413, "too-large", NULL);
  close (fd);
}

static void
test_queue_errors (Fixture *fixture,
                   gconstpointer data)
{
  static const struct {
    GwError code;
    guint status;
    gboolean retry_after;
  } table[] = {
    { GW_ERROR_QUEUE_FULL, 429, TRUE },  { GW_ERROR_UNAVAILABLE, 503, TRUE },
    { GW_ERROR_STOPPING, 503, TRUE },    { GW_ERROR_NO_SPACE, 507, FALSE },
    { GW_ERROR_CONFLICT, 409, FALSE },   { GW_ERROR_INTERNAL, 500, FALSE },
  };

  g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autoptr (GError) error = g_error_new (GW_ERROR, table[i].code, "Said the queue \"so\"\n");
      g_autoptr (RawReply) reply = NULL, health = NULL;
      g_autofree char *retry_after = NULL;

      fake_queue_set_error (fixture->queue, error);
      reply = raw_request (fixture->uri, "POST", "/tasks", NULL, "{\"content\":\"a\"}");
      raw_assert_problem (reply, table[i].status, gw_error_to_string (table[i].code),
                          "Said the queue \"so\"\n");
      retry_after = raw_header (reply, "Retry-After");
      g_assert_cmpint (retry_after != NULL, ==, table[i].retry_after);

      /* Clients have to know us all the same. */
      health = raw_request (fixture->uri, "GET", "/health", NULL, NULL);
      g_assert_cmpuint (health->status, ==, 200);
      g_assert_cmpstr (gw_json_peek_string (raw_object (health), "service"), ==, "gangway");
      g_assert_cmpstr (gw_json_peek_string (raw_object (health), "status"), ==, "failing");
    }
  fake_queue_set_error (fixture->queue, NULL);
}

/* A client that tries again fills no log with it. */
static void
test_fault_is_logged_once (Fixture *fixture,
                           gconstpointer data)
{
  g_autoptr (GError) error = g_error_new (GW_ERROR, GW_ERROR_NO_SPACE, "No room at all");
  g_autoptr (GError) other = g_error_new (GW_ERROR, GW_ERROR_INTERNAL, "Another fault");
  const GError *faults[] = { error, error, error, other, other, error };

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_WARNING);
  g_test_expect_message ("gw-request", G_LOG_LEVEL_WARNING, "POST /tasks: No room at all");
  g_test_expect_message ("gw-request", G_LOG_LEVEL_WARNING, "POST /tasks: Another fault");
  g_test_expect_message ("gw-request", G_LOG_LEVEL_WARNING, "POST /tasks: No room at all");
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (RawReply) reply = NULL;

      fake_queue_set_error (fixture->queue, faults[i]);
      reply = raw_request (fixture->uri, "POST", "/tasks", NULL, "{\"content\":\"a\"}");
      g_assert_cmpuint (reply->status, >=, 500);
    }
  g_test_assert_expected_messages ();
  fake_queue_set_error (fixture->queue, NULL);
}

static void
test_refuse_work (Fixture *fixture,
                  gconstpointer data)
{
  g_autofree char *task_id = NULL;
  g_autofree char *path = NULL;
  g_autoptr (RawReply) refused = NULL, retry = NULL, read = NULL, health = NULL;

  fixture_submit (fixture, "a", &task_id);
  gw_gateway_refuse_work (fixture->gateway);
  refused = raw_request (fixture->uri, "POST", "/tasks", NULL, "{\"content\":\"a\"}");
  raw_assert_problem (refused, 503, "stopping", NULL);
  retry = raw_request (fixture->uri, "POST", "/tasks/1/retry", NULL, NULL);
  raw_assert_problem (retry, 503, "stopping", NULL);
  path = g_strconcat ("/tasks/", task_id, NULL);
  read = raw_request (fixture->uri, "GET", path, NULL, NULL);
  g_assert_cmpuint (read->status, ==, 200);
  health = raw_request (fixture->uri, "GET", "/health", NULL, NULL);
  g_assert_cmpstr (gw_json_peek_string (raw_object (health), "status"), ==, "stopping");
}

/* What the queue has not answered yet is waited for, and answered. */
static void
test_stop_waits (Fixture *fixture,
                 gconstpointer data)
{
  int fd = raw_connect (fixture->uri);
  g_autoptr (RawReply) first = NULL, reply = NULL;

  first = raw_exchange (fd, "GET", "/health", NULL, NULL);
  fake_queue_set_delay (fixture->queue, 300);
  raw_send (fd,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 15\r\n\r\n{\"content\":\"a\"}",
            -1);
  g_usleep (100000);
  gw_gateway_stop (fixture->gateway);
  reply = raw_receive (fd, FALSE);
  g_assert_cmpuint (reply->status, ==, 200);
  close (fd);
}

/* A queue that does not answer is not waited for; its answer may come while the gateway ends. */
static void
test_stop_gives_up (void)
{
  GwHttpLimits limits = GW_HTTP_LIMITS_DEFAULT;
  Fixture fixture = { 0 };
  int fd;

  limits.queue_ms = 50;
  fixture_start (&fixture, &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon" },
                 &limits);
  fake_queue_hold_feed (fixture.queue);
  fd = raw_connect (fixture.uri);
  raw_send (fd, "GET /tasks?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n", -1);
  while (fake_queue_count_reads (fixture.queue) == 0)
    g_usleep (1000);
  g_test_expect_message ("gw-gateway", G_LOG_LEVEL_WARNING, "*has not answered 1 calls*");
  gw_gateway_stop (fixture.gateway);
  g_test_assert_expected_messages ();
  close (fd);
  fixture_tear_down (&fixture, NULL);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gateway/start-errors", test_start_errors);
  g_test_add_func ("/gateway/localhost", test_localhost);
  g_test_add_func ("/gateway/token", test_token);
  FIXTURE_ADD ("/gateway/guard", fixture_set_up, test_guard);
  FIXTURE_ADD ("/gateway/foreign-user", fixture_set_up, test_foreign_user);
  FIXTURE_ADD ("/gateway/routing", fixture_set_up, test_routing);
  FIXTURE_ADD ("/gateway/framing", fixture_set_up, test_framing);
  FIXTURE_ADD ("/gateway/pipelining", fixture_set_up, test_pipelining);
  FIXTURE_ADD ("/gateway/cut-off", fixture_set_up, test_cut_off);
  FIXTURE_ADD ("/gateway/bodies", fixture_set_up, test_bodies);
  FIXTURE_ADD ("/gateway/chunked", fixture_set_up, test_chunked);
  FIXTURE_ADD ("/gateway/expect", fixture_set_up, test_expect);
  FIXTURE_ADD ("/gateway/queue-errors", fixture_set_up, test_queue_errors);
  FIXTURE_ADD ("/gateway/fault-is-logged-once", fixture_set_up, test_fault_is_logged_once);
  FIXTURE_ADD ("/gateway/refuse-work", fixture_set_up, test_refuse_work);
  FIXTURE_ADD ("/gateway/stop-waits", fixture_set_up, test_stop_waits);
  g_test_add_func ("/gateway/stop-gives-up", test_stop_gives_up);

  return g_test_run ();
}
