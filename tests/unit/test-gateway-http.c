/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gateway as an HTTP server, over a queue in memory: connections, bodies, guard, long-polls. What
 * the calls do is in test-gateway.c, over the real queue.
 */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gw-error.h"
#include "gw-json.h"

#include "fake-queue.h"
#include "gateway/gw-gateway-private.h"
#include "raw-client.h"
#include "test-skip.h"

typedef struct {
  FakeQueue *queue;
  GwGateway *gateway;
  const char *uri;
} Fixture;

static void
start (Fixture *fixture,
       const GwGatewayOptions *options,
       const GwHttpLimits *limits)
{
  g_autoptr (GError) error = NULL;

  fixture->queue = fake_queue_new ();
  fixture->gateway = gw_gateway_new (options, GW_QUEUE (fixture->queue), NULL);
  if (limits != NULL)
    _gw_gateway_set_limits (fixture->gateway, limits);
  g_assert_true (gw_gateway_start (fixture->gateway, &error));
  g_assert_no_error (error);
  fixture->uri = gw_gateway_get_uri (fixture->gateway);
}

static void
set_up (Fixture *fixture,
        gconstpointer data)
{
  start (fixture, &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon" }, NULL);
}

static void
set_up_short_limits (Fixture *fixture,
                     gconstpointer data)
{
  GwHttpLimits limits = GW_HTTP_LIMITS_DEFAULT;

  limits.limits[GW_HTTP_PHASE_HEAD] = 200;
  limits.limits[GW_HTTP_PHASE_BODY] = 200;
  limits.limits[GW_HTTP_PHASE_WRITE] = 200;
  limits.limits[GW_HTTP_PHASE_IDLE] = 200;
  limits.max_connections = 20;
  start (fixture, &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon" }, &limits);
}

static void
tear_down (Fixture *fixture,
           gconstpointer data)
{
  gw_gateway_stop (fixture->gateway);
  g_assert_finalize_object (fixture->gateway);
  g_assert_finalize_object (fixture->queue);
}

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

  start (&fixture, &(GwGatewayOptions){ .listen = "localhost", .host_kind = "window" }, NULL);
  g_assert_true (g_str_has_prefix (fixture.uri, "http://127.0.0.1:"));
  {
    g_autoptr (RawReply) reply = raw_request (fixture.uri, "GET", "/health", NULL, NULL);

    g_assert_cmpuint (reply->status, ==, 200);
    g_assert_cmpstr (gw_json_peek_string (raw_object (reply), "host"), ==, "window");
  }
  tear_down (&fixture, NULL);
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

  start (&fixture,
         &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon", .token = "secret" }, NULL);
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
  tear_down (&fixture, NULL);
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

static char *
make_body (gsize content_size)
{
  GString *text = g_string_new ("{\"content\":\"");

  for (gsize i = 0; i < content_size; i++)
    g_string_append_c (text, 'a');
  g_string_append (text, "\"}");

  return g_string_free (text, FALSE);
}

static void
test_sizes (Fixture *fixture,
            gconstpointer data)
{
  g_autofree char *largest = make_body (1024 * 1024);
  g_autofree char *larger = make_body (1024 * 1024 + 1);
  g_autofree char *huge = make_body (17 * 1024 * 1024);
  g_autofree char *key = g_strnfill (255, 'k');
  g_autofree char *key_line = g_strdup_printf ("Idempotency-Key: %s\r\n", key);
  g_autofree char *long_key_line = g_strdup_printf ("Idempotency-Key: %sk\r\n", key);
  g_autoptr (RawReply) fits = raw_request (fixture->uri, "POST", "/tasks", NULL, largest);
  g_autoptr (RawReply) over = raw_request (fixture->uri, "POST", "/tasks", NULL, larger);
  g_autoptr (RawReply) refused = raw_request (fixture->uri, "POST", "/tasks", NULL, huge);
  g_autoptr (RawReply) keyed = raw_request (fixture->uri, "POST", "/tasks", key_line,
                                            "{\"content\":\"a\"}");
  g_autoptr (RawReply) long_keyed = raw_request (fixture->uri, "POST", "/tasks", long_key_line,
                                                 "{\"content\":\"a\"}");

  g_assert_cmpuint (fits->status, ==, 200);
  raw_assert_problem (over, 413, "too-large", "content");
  raw_assert_problem (refused, 413, "too-large", "16 MiB");
  g_assert_cmpuint (keyed->status, ==, 200);
  raw_assert_problem (long_keyed, 422, "invalid", "Idempotency-Key");
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

/* Bodies that never end are counted, refused, and not kept. */
static void
test_refused_memory (Fixture *fixture,
                     gconstpointer data)
{
  g_autofree char *block = g_strnfill (1024 * 1024, 'a');
  int fd = raw_connect (fixture->uri);
  g_autoptr (RawReply) reply = NULL, after = NULL;
  gsize before = read_resident ();

  raw_send (fd,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n",
            -1);
  for (guint i = 0; i < 100; i++)
    {
      raw_send (fd, "100000\r\n", -1);
      raw_send (fd, block, 1024 * 1024);
      raw_send (fd, "\r\n", -1);
    }
  raw_send (fd, "0\r\n\r\n", -1);
  reply = raw_receive (fd, FALSE);
  raw_assert_problem (reply, 413, "too-large", NULL);
  close (fd);

  fd = raw_connect (fixture->uri);
  raw_send (fd,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 104857600\r\n\r\n",
            -1);
  for (guint i = 0; i < 100; i++)
    raw_send (fd, block, 1024 * 1024);
  after = raw_receive (fd, FALSE);
  raw_assert_problem (after, 413, "too-large", NULL);
  close (fd);
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpuint (read_resident (), <, before + 64 * 1024 * 1024);
#else
  (void) before;
#endif
}

/* By the announced length alone, before the body came. */
static void
test_refused_early (Fixture *fixture,
                    gconstpointer data)
{
  for (guint i = 0; i < 200; i++)
    {
      int fd = raw_connect (fixture->uri);
      g_autoptr (RawReply) reply = NULL, next = NULL;

      raw_send (fd,
                "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                "Content-Length: 104857600\r\n\r\n{",
                -1);
      reply = raw_receive (fd, FALSE);
      raw_assert_problem (reply, 413, "too-large", "16 MiB");
      next = raw_receive (fd, FALSE);
      g_assert_cmpuint (next->status, ==, 0);
      close (fd);
    }
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

static guint64
submit (Fixture *fixture,
        const char *content,
        char **task_id)
{
  g_autofree char *body = g_strdup_printf ("{\"content\":\"%s\"}", content);
  g_autoptr (RawReply) reply = raw_request (fixture->uri, "POST", "/tasks", NULL, body);

  g_assert_cmpuint (reply->status, ==, 200);
  if (task_id != NULL)
    *task_id = g_strdup (gw_json_peek_string (raw_object (reply), "task_id"));

  return 0;
}

static void
send_get (int fd,
          const char *path)
{
  g_autofree char *text = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

  raw_send (fd, text, -1);
}

static gboolean
is_readable (int fd,
             int wait_ms)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

  return poll (&poll_fd, 1, wait_ms) > 0;
}

static guint
count_waiters (Fixture *fixture)
{
  g_autoptr (RawReply) reply = raw_request (fixture->uri, "GET", "/metrics", NULL, NULL);
  const char *line = strstr (reply->body->str, "\ngangway_feed_waiters ");

  g_assert_nonnull (line);

  return atoi (line + strlen ("\ngangway_feed_waiters "));
}

static void
wait_for_waiters (Fixture *fixture,
                  guint count)
{
  for (guint i = 0; i < 1000 && count_waiters (fixture) != count; i++)
    g_usleep (5000);
  g_assert_cmpuint (count_waiters (fixture), ==, count);
}

static void
test_feed (Fixture *fixture,
           gconstpointer data)
{
  int fd = raw_connect (fixture->uri);
  g_autofree char *task_id = NULL;
  g_autoptr (RawReply) first = NULL, second = NULL, third = NULL, over = NULL;

  submit (fixture, "first", &task_id);
  first = raw_exchange (fd, "GET", "/tasks?wait=60", NULL, NULL);
  g_assert_cmpint (gw_json_peek_int (raw_object (first), "revision", 0), ==, 1);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (raw_object (first), "tasks")), ==, 1);

  send_get (fd, "/tasks?since=1&wait=60");
  wait_for_waiters (fixture, 1);
  g_assert_false (is_readable (fd, 0));
  fake_queue_complete (fixture->queue, task_id, "done");
  second = raw_receive (fd, FALSE);
  g_assert_cmpuint (second->status, ==, 200);
  g_assert_cmpint (gw_json_peek_int (raw_object (second), "revision", 0), ==, 2);
  g_assert_cmpstr (gw_json_peek_string (json_array_get_object_element (
                                            gw_json_peek_array (raw_object (second), "tasks"), 0),
                                        "status"),
                   ==, "completed");

  /* Nothing comes: an empty page when the time is over. */
  third = raw_exchange (fd, "GET", "/tasks?since=2&wait=1", NULL, NULL);
  g_assert_cmpuint (third->status, ==, 200);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (raw_object (third), "tasks")), ==, 0);
  g_assert_cmpint (gw_json_peek_int (raw_object (third), "revision", 0), ==, 2);

  over = raw_exchange (fd, "GET", "/tasks?since=99&wait=60", NULL, NULL);
  g_assert_true (gw_json_peek_boolean (raw_object (over), "reset", FALSE));
  wait_for_waiters (fixture, 0);
  close (fd);
}

static void
test_feed_filter (Fixture *fixture,
                  gconstpointer data)
{
  int fd = raw_connect (fixture->uri);
  g_autoptr (RawReply) reply = NULL;

  send_get (fd, "/tasks?wait=60&q=needle");
  wait_for_waiters (fixture, 1);
  for (guint i = 0; i < 20; i++)
    submit (fixture, "hay", NULL);
  g_assert_false (is_readable (fd, 50));
  g_assert_cmpuint (count_waiters (fixture), ==, 1);
  submit (fixture, "a needle", NULL);
  reply = raw_receive (fd, FALSE);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (raw_object (reply), "tasks")), ==, 1);
  g_assert_cmpint (gw_json_peek_int (raw_object (reply), "revision", 0), ==, 21);
  close (fd);
}

static void
test_feed_wrong (Fixture *fixture,
                 gconstpointer data)
{
  static const struct {
    const char *query;
    const char *name;
  } table[] = {
    { "since=-1", "since" },   { "since=x", "since" },     { "since=", "since" },
    { "since=1.5", "since" },  { "wait=61", "wait" },      { "wait=-1", "wait" },
    { "wait=1s", "wait" },     { "limit=0", "limit" },     { "limit=1001", "limit" },
    { "status=done", "status" }, { "status=queued,x", "status" }, { "fields=nothing", "fields" },
    { "q=%ff", "q" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autofree char *path = g_strconcat ("/tasks?", table[i].query, NULL);
      g_autoptr (RawReply) reply = raw_request (fixture->uri, "GET", path, NULL, NULL);

      g_test_message ("%s", path);
      raw_assert_problem (reply, 422, "invalid", table[i].name);
    }
  {
    g_autoptr (RawReply) reply = raw_request (fixture->uri, "GET",
                                              "/tasks?unknown=1&since=0&limit=1&fields=task_id,status"
                                              "&status=queued,running",
                                              NULL, NULL);

    g_assert_cmpuint (reply->status, ==, 200);
  }
}

/* Waiters whose clients have left are found; the others are answered at stop. */
static void
test_feed_left (Fixture *fixture,
                gconstpointer data)
{
  guint before = count_descriptors ();
  int fds[300];
  g_autoptr (RawReply) reply = NULL;
  int stays;

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = raw_connect (fixture->uri);
      send_get (fds[i], "/tasks?wait=60");
    }
  wait_for_waiters (fixture, G_N_ELEMENTS (fds));
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      struct linger reset = { .l_onoff = 1 };

      if (i % 2 == 0)
        setsockopt (fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      close (fds[i]);
    }
  wait_for_waiters (fixture, 0);
  for (guint i = 0; i < 1000 && count_descriptors () > before + 2; i++)
    g_usleep (5000);
  g_assert_cmpuint (count_descriptors (), <=, before + 2);

  stays = raw_connect (fixture->uri);
  send_get (stays, "/tasks?wait=60");
  wait_for_waiters (fixture, 1);
  gw_gateway_stop (fixture->gateway);
  reply = raw_receive (stays, FALSE);
  g_assert_cmpuint (reply->status, ==, 200);
  close (stays);
}

/* One over the most that may wait is answered at once; waiting costs no reading. */
static void
test_feed_many (Fixture *fixture,
                gconstpointer data)
{
  g_autofree int *fds = g_new0 (int, GW_FEED_MAX_WAITERS);
  g_autofree char *task_id = NULL;
  g_autoptr (RawReply) over = NULL;
  guint reads;

  for (guint i = 0; i < GW_FEED_MAX_WAITERS; i++)
    {
      fds[i] = raw_connect (fixture->uri);
      send_get (fds[i], "/tasks?wait=60");
    }
  wait_for_waiters (fixture, GW_FEED_MAX_WAITERS);
  over = raw_request (fixture->uri, "GET", "/tasks?wait=60", NULL, NULL);
  g_assert_cmpuint (over->status, ==, 200);
  reads = fake_queue_count_reads (fixture->queue);
  g_usleep (200000);
  g_assert_cmpuint (fake_queue_count_reads (fixture->queue), ==, reads);

  submit (fixture, "for all", &task_id);
  for (guint i = 0; i < GW_FEED_MAX_WAITERS; i++)
    {
      g_autoptr (RawReply) reply = raw_receive (fds[i], FALSE);

      g_assert_cmpuint (reply->status, ==, 200);
      g_assert_nonnull (strstr (reply->body->str, task_id));
      close (fds[i]);
    }
}

typedef struct {
  const char *uri;
  GHashTable *seen;   /* (element-type utf8 utf8) task id -> status */
  guint n_final;
  guint expected;
} Follower;

static gpointer
follow (gpointer data)
{
  Follower *follower = data;
  gint64 since = 0;
  int fd = raw_connect (follower->uri);

  while (follower->n_final < follower->expected)
    {
      g_autofree char *path = g_strdup_printf ("/tasks?wait=20&limit=7&since=%" G_GINT64_FORMAT,
                                               since);
      g_autoptr (RawReply) reply = raw_exchange (fd, "GET", path, NULL, NULL);
      JsonArray *tasks;

      g_assert_cmpuint (reply->status, ==, 200);
      since = gw_json_peek_int (raw_object (reply), "revision", -1);
      tasks = gw_json_peek_array (raw_object (reply), "tasks");
      for (guint i = 0; i < json_array_get_length (tasks); i++)
        {
          JsonObject *task = json_array_get_object_element (tasks, i);
          const char *status = gw_json_peek_string (task, "status");

          if (g_str_equal (status, "completed"))
            follower->n_final++;
          g_hash_table_insert (follower->seen, g_strdup (gw_json_peek_string (task, "task_id")),
                               g_strdup (status));
        }
    }
  close (fd);

  return NULL;
}

static void
test_followers (Fixture *fixture,
                gconstpointer data)
{
  enum { N_TASKS = 200, N_FOLLOWERS = 5 };
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  Follower followers[N_FOLLOWERS];
  GThread *threads[N_FOLLOWERS];

  for (guint i = 0; i < N_FOLLOWERS; i++)
    {
      followers[i] = (Follower){ .uri = fixture->uri, .expected = N_TASKS };
      followers[i].seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      threads[i] = g_thread_new ("follower", follow, &followers[i]);
    }
  for (guint i = 0; i < N_TASKS; i++)
    {
      char *task_id = NULL;

      submit (fixture, "a", &task_id);
      g_ptr_array_add (ids, task_id);
      if (i >= 10)
        fake_queue_complete (fixture->queue, ids->pdata[i - 10], "done");
    }
  for (guint i = N_TASKS - 10; i < N_TASKS; i++)
    fake_queue_complete (fixture->queue, ids->pdata[i], "done");
  for (guint i = 0; i < N_FOLLOWERS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_cmpuint (g_hash_table_size (followers[i].seen), ==, N_TASKS);
      for (guint j = 0; j < N_TASKS; j++)
        g_assert_cmpstr (g_hash_table_lookup (followers[i].seen, ids->pdata[j]), ==, "completed");
      g_hash_table_unref (followers[i].seen);
    }
}

static void
test_results_stream (Fixture *fixture,
                     gconstpointer data)
{
  g_autoptr (RawReply) json = NULL, lines = NULL, table = NULL, old = NULL, head = NULL;
  g_auto (GStrv) split = NULL;
  int fd;

  for (guint i = 0; i < 1203; i++)
    {
      g_autofree char *content = g_strdup_printf ("task %u", i);
      g_autoptr (GwSubmission) submission = gw_submission_new ();

      g_ptr_array_add (submission->tasks, gw_new_task_new (content));
      gw_queue_submit_async (GW_QUEUE (fixture->queue), submission, NULL, NULL);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;

  json = raw_request (fixture->uri, "GET", "/projects/p/results", NULL, NULL);
  g_assert_cmpuint (json->status, ==, 200);
  g_assert_true (JSON_NODE_HOLDS_ARRAY (json->json));
  g_assert_cmpuint (json_array_get_length (json_node_get_array (json->json)), ==, 1203);
  g_assert_cmpstr (gw_json_peek_string (
                       json_array_get_object_element (json_node_get_array (json->json), 1202),
                       "content"),
                   ==, "task 1202");

  lines = raw_request (fixture->uri, "GET", "/projects/p/results?format=jsonl", NULL, NULL);
  split = g_strsplit (lines->body->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (split), ==, 1204);
  table = raw_request (fixture->uri, "GET", "/projects/p/results?format=csv", NULL, NULL);
  g_assert_true (g_str_has_prefix (table->body->str, "index,task_id,status,content,result,"));

  /* HTTP/1.0 knows no chunks: the end of the connection is the end. */
  fd = raw_connect (fixture->uri);
  raw_send (fd, "GET /projects/p/results HTTP/1.0\r\n\r\n", -1);
  old = raw_receive (fd, FALSE);
  g_assert_cmpuint (old->status, ==, 200);
  g_assert_cmpstr (old->body->str, ==, json->body->str);
  close (fd);

  /* A client that leaves in the middle. */
  fd = raw_connect (fixture->uri);
  send_get (fd, "/projects/p/results");
  g_assert_true (is_readable (fd, 10000));
  close (fd);

  head = raw_request (fixture->uri, "HEAD", "/projects/p/results", NULL, NULL);
  g_assert_cmpuint (head->status, ==, 200);
  {
    g_autoptr (RawReply) wrong = raw_request (fixture->uri, "GET", "/projects/p/results?format=xml",
                                              NULL, NULL);

    raw_assert_problem (wrong, 422, "invalid", "format");
  }
}

static void
test_refuse_work (Fixture *fixture,
                  gconstpointer data)
{
  g_autofree char *task_id = NULL;
  g_autofree char *path = NULL;
  g_autoptr (RawReply) refused = NULL, retry = NULL, read = NULL, health = NULL;

  submit (fixture, "a", &task_id);
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
  start (&fixture, &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon" }, &limits);
  fake_queue_hold_feed (fixture.queue);
  fd = raw_connect (fixture.uri);
  raw_send (fd, "GET /tasks?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n", -1);
  while (fake_queue_count_reads (fixture.queue) == 0)
    g_usleep (1000);
  g_test_expect_message ("gw-gateway", G_LOG_LEVEL_WARNING, "*has not answered 1 calls*");
  gw_gateway_stop (fixture.gateway);
  g_test_assert_expected_messages ();
  close (fd);
  tear_down (&fixture, NULL);
}

static void
close_with_reset (int fd)
{
  struct linger reset = { .l_onoff = 1 };

  setsockopt (fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close (fd);
}

/* One connection that ends in the way @kind says. */
static void
make_and_end (Fixture *fixture,
              guint kind)
{
  int fd = raw_connect (fixture->uri);

  if (kind != 0)
    {
      g_autoptr (RawReply) reply = raw_exchange (fd, "GET", "/health", NULL, NULL);

      g_assert_cmpuint (reply->status, ==, 200);
    }
  if (kind == 3)
    raw_send (fd, "POST /tasks HTTP/1.1\r\nHost: loc", -1);
  if (kind == 4)
    raw_send (fd, "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: 100\r\n\r\n{\"con",
              -1);
  if (kind == 5)
    raw_send (fd, "GE", -1);
  if (kind == 6)
    raw_send (fd, "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", -1);
  if (kind == 7)
    raw_send (fd, "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: 104857600\r\n\r\n{",
              -1);
  if (kind >= 6)
    {
      g_autoptr (RawReply) reply = raw_receive (fd, FALSE);

      g_assert_cmpuint (reply->status, >=, 400);
    }
  if (kind == 2 || (kind == 4 && fd % 2 == 0))
    close_with_reset (fd);
  else
    close (fd);
}

static void
test_leaks (Fixture *fixture,
            gconstpointer data)
{
  enum { N = 4000, N_ENDS = 8 };
  gsize before, after;
  guint n_before = 0;

  /* Pools and arenas get their size first. */
  for (guint i = 0; i < 600; i++)
    make_and_end (fixture, i % N_ENDS);
  for (guint i = 0; i < 200 && (n_before = count_descriptors ()) > 40; i++)
    g_usleep (10000);
  before = read_resident ();
  for (guint i = 0; i < N; i++)
    make_and_end (fixture, i % N_ENDS);
  for (guint i = 0; i < 500 && count_descriptors () > n_before; i++)
    g_usleep (10000);
  after = read_resident ();
  g_test_message ("%u descriptors, then %u; %zu KiB, then %zu KiB", n_before, count_descriptors (),
                  before / 1024, after / 1024);
  g_assert_cmpuint (count_descriptors (), <=, n_before);
#ifndef __SANITIZE_ADDRESS__
  /* 344 bytes a connection, the smaller of the two leaks, would be 1 MiB. */
  g_assert_cmpuint (after, <, before + 700 * 1024);
#endif
}

static void
assert_ends (int fd)
{
  char buffer[4096];
  ssize_t n_read;

  /* It may be told why. */
  do
    n_read = recv (fd, buffer, sizeof buffer, 0);
  while (n_read > 0);
  close (fd);
}

static void
test_limits (Fixture *fixture,
             gconstpointer data)
{
  int silent = raw_connect (fixture->uri);
  int head = raw_connect (fixture->uri);
  int body = raw_connect (fixture->uri);
  int idle = raw_connect (fixture->uri);
  int waiting = raw_connect (fixture->uri);
  g_autoptr (RawReply) reply = NULL, late = NULL;

  raw_send (head, "GET /health HTTP/1.1\r\nHost: local", -1);
  raw_send (body, "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: 100\r\n\r\n{",
            -1);
  reply = raw_exchange (idle, "GET", "/health", NULL, NULL);
  g_assert_cmpuint (reply->status, ==, 200);
  send_get (waiting, "/tasks?wait=2");
  assert_ends (silent);
  assert_ends (head);
  assert_ends (body);
  assert_ends (idle);
  /* A long-poll is no idle connection. */
  late = raw_receive (waiting, FALSE);
  g_assert_cmpuint (late->status, ==, 200);
  close (waiting);
}

/* Over the bound the longest idle makes place; whoever is new is served. */
static void
test_bound (Fixture *fixture,
            gconstpointer data)
{
  int fds[60];

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      g_autoptr (RawReply) reply = NULL;

      fds[i] = raw_connect (fixture->uri);
      reply = raw_exchange (fds[i], "GET", "/health", NULL, NULL);
      g_assert_cmpuint (reply->status, ==, 200);
    }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
}

/* Out of descriptors: no spinning, one line, and service again once there are some. */
static void
test_descriptors (Fixture *fixture,
                  gconstpointer data)
{
  struct rlimit limit, low;
  struct rusage first, second;
  g_autoptr (RawReply) reply = NULL;
  int fd = raw_connect (fixture->uri);
  gint64 cpu_us;
  int taken[64];
  guint n_taken = 0;
  int extra;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  reply = raw_exchange (fd, "GET", "/health", NULL, NULL);
  g_assert_cmpuint (reply->status, ==, 200);
  extra = socket (AF_INET, SOCK_STREAM, 0);
  close (extra);
  low = limit;
  low.rlim_cur = extra + 8;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  extra = raw_connect (fixture->uri);
  while (n_taken < G_N_ELEMENTS (taken) && (taken[n_taken] = dup (0)) >= 0)
    n_taken++;
  close (extra);
  if (n_taken > 0)
    close (taken[--n_taken]);
  g_test_expect_message ("gw-http-listener", G_LOG_LEVEL_WARNING, "*No new connections*");
  extra = raw_connect (fixture->uri);
  getrusage (RUSAGE_SELF, &first);
  g_usleep (500000);
  getrusage (RUSAGE_SELF, &second);
  cpu_us = (second.ru_utime.tv_sec - first.ru_utime.tv_sec) * G_USEC_PER_SEC
           + second.ru_utime.tv_usec - first.ru_utime.tv_usec;
  g_assert_cmpint (cpu_us, <, 250000);

  while (n_taken > 0)
    close (taken[--n_taken]);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  send_get (extra, "/health");
  {
    g_autoptr (RawReply) again = raw_receive (extra, FALSE);

    g_assert_cmpuint (again->status, ==, 200);
  }
  close (extra);
  close (fd);
}

#define ADD(path, set, test) g_test_add (path, Fixture, NULL, set, test, tear_down)

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gateway/start-errors", test_start_errors);
  g_test_add_func ("/gateway/localhost", test_localhost);
  g_test_add_func ("/gateway/token", test_token);
  ADD ("/gateway/guard", set_up, test_guard);
  ADD ("/gateway/foreign-user", set_up, test_foreign_user);
  ADD ("/gateway/routing", set_up, test_routing);
  ADD ("/gateway/framing", set_up, test_framing);
  ADD ("/gateway/pipelining", set_up, test_pipelining);
  ADD ("/gateway/cut-off", set_up, test_cut_off);
  ADD ("/gateway/bodies", set_up, test_bodies);
  ADD ("/gateway/sizes", set_up, test_sizes);
  ADD ("/gateway/chunked", set_up, test_chunked);
  ADD ("/gateway/refused-memory", set_up, test_refused_memory);
  ADD ("/gateway/refused-early", set_up, test_refused_early);
  ADD ("/gateway/expect", set_up, test_expect);
  ADD ("/gateway/queue-errors", set_up, test_queue_errors);
  ADD ("/gateway/feed", set_up, test_feed);
  ADD ("/gateway/feed-filter", set_up, test_feed_filter);
  ADD ("/gateway/feed-wrong", set_up, test_feed_wrong);
  ADD ("/gateway/feed-left", set_up, test_feed_left);
  ADD ("/gateway/feed-many", set_up, test_feed_many);
  ADD ("/gateway/followers", set_up, test_followers);
  ADD ("/gateway/results-stream", set_up, test_results_stream);
  ADD ("/gateway/refuse-work", set_up, test_refuse_work);
  ADD ("/gateway/stop-waits", set_up, test_stop_waits);
  g_test_add_func ("/gateway/stop-gives-up", test_stop_gives_up);
  ADD ("/gateway/leaks", set_up, test_leaks);
  ADD ("/gateway/limits", set_up_short_limits, test_limits);
  ADD ("/gateway/bound", set_up_short_limits, test_bound);
  ADD ("/gateway/descriptors", set_up, test_descriptors);

  return g_test_run ();
}
