/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The gateway's limits, over a queue in memory: sizes of bodies, times, connections. */

#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway-fixture.h"
#include "test-skip.h"

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
  fixture_start (fixture, &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon" },
                 &limits);
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
  raw_send_get (waiting, "/tasks?wait=2");
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
  raw_send_get (extra, "/health");
  {
    g_autoptr (RawReply) again = raw_receive (extra, FALSE);

    g_assert_cmpuint (again->status, ==, 200);
  }
  close (extra);
  close (fd);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  FIXTURE_ADD ("/gateway/sizes", fixture_set_up, test_sizes);
  FIXTURE_ADD ("/gateway/refused-memory", fixture_set_up, test_refused_memory);
  FIXTURE_ADD ("/gateway/refused-early", fixture_set_up, test_refused_early);
  FIXTURE_ADD ("/gateway/leaks", fixture_set_up, test_leaks);
  FIXTURE_ADD ("/gateway/limits", set_up_short_limits, test_limits);
  FIXTURE_ADD ("/gateway/bound", set_up_short_limits, test_bound);
  FIXTURE_ADD ("/gateway/descriptors", fixture_set_up, test_descriptors);

  return g_test_run ();
}
