/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "gw-error.h"

#include "gateway/gw-guard.h"
#include "gateway/gw-peer.h"
#include "test-skip.h"

static void
test_hosts (void)
{
  static const struct {
    const char *host;
    gboolean passes;
  } table[] = {
    { "localhost", TRUE },
    { "LocalHost", TRUE },
    { "localhost:8000", TRUE },
    { "localhost:", TRUE },
    { "a.localhost", TRUE },
    { "a.b.localhost:80", TRUE },
    { "127.0.0.1", TRUE },
    { "127.0.0.1:8000", TRUE },
    { "127.255.0.9:1", TRUE },
    { "[::1]", TRUE },
    { "[::1]:8000", TRUE },
    { "[0:0:0:0:0:0:0:1]:8000", TRUE },
    { "[::ffff:127.0.0.1]", TRUE },

    { "", FALSE },
    { "evil.com", FALSE },
    { "127.evil.com", FALSE },
    { "127.0.0.1.evil.com", FALSE },
    { "127.0.0.1.", FALSE },
    { "127.0.0.1evil", FALSE },
    { "127.0.0.10.evil.com:8000", FALSE },
    { "localhost.", FALSE },
    { "localhost.evil.com", FALSE },
    { "evillocalhost", FALSE },
    { ".localhost", FALSE },
    { "a..localhost", FALSE },
    { "a b.localhost", FALSE },
    { "evil.com/.localhost", FALSE },
    { "evil.com#.localhost", FALSE },
    { "evil@localhost", FALSE },
    { "localhost:8000:9", FALSE },
    { "localhost:port", FALSE },
    { "localhost:99999", FALSE },
    { "localhost:-1", FALSE },
    { "127.0.0.1:80000", FALSE },
    { "127.0.0.1:8000/", FALSE },
    { "localhost, evil.com", FALSE },
    { "127.0.0.1, evil.com", FALSE },
    { "2130706433", FALSE },
    { "0x7f000001", FALSE },
    { "0177.0.0.1", FALSE },
    { "127.1", FALSE },
    { "0.0.0.0", FALSE },
    { "0", FALSE },
    { "192.168.1.2", FALSE },
    { "126.0.0.1", FALSE },
    { "128.0.0.1", FALSE },
    { "[::]", FALSE },
    { "[::2]", FALSE },
    { "[::1", FALSE },
    { "::1", FALSE },
    { "[::1]evil", FALSE },
    { "[::1]:x", FALSE },
    { "[::1%lo]", FALSE },
    { "[::ffff:10.0.0.1]", FALSE },
    { "[127.0.0.1]", FALSE },
    { "[localhost]", FALSE },
    { "\xc5\x82ocalhost", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_test_message ("%s", table[i].host);
      g_assert_cmpint (gw_guard_host_is_loopback (table[i].host), ==, table[i].passes);
    }
}

static void
test_origins (void)
{
  static const struct {
    const char *origin;
    gboolean passes;
  } table[] = {
    { "http://localhost", TRUE },
    { "http://localhost:3000", TRUE },
    { "https://127.0.0.1:8443", TRUE },
    { "HTTP://[::1]:8000", TRUE },
    { "http://app.localhost", TRUE },
    { "null", FALSE },
    { "", FALSE },
    { "http://", FALSE },
    { "http://evil.com", FALSE },
    { "http://127.evil.com", FALSE },
    { "http://localhost.evil.com", FALSE },
    { "http://evil.com?localhost", FALSE },
    { "http://localhost@evil.com", FALSE },
    { "file://localhost", FALSE },
    { "chrome-extension://localhost", FALSE },
    { "localhost", FALSE },
    { "http://localhost, http://evil.com", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_test_message ("%s", table[i].origin);
      g_assert_cmpint (gw_guard_origin_is_loopback (table[i].origin), ==, table[i].passes);
    }
}

static void
assert_guard (const GwGuardRules *rules,
              const GwGuardRequest *request,
              gboolean passes)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (gw_guard_check (rules, request, &error), ==, passes);
  if (passes)
    g_assert_no_error (error);
  else
    g_assert_error (error, GW_ERROR, GW_ERROR_FORBIDDEN);
}

static void
test_check (void)
{
  const GwGuardRules loopback = { .loopback = TRUE };
  const GwGuardRules outside = { .loopback = FALSE, .token = "secret" };

  assert_guard (&loopback, &(GwGuardRequest){ .host = NULL }, TRUE);
  assert_guard (&loopback, &(GwGuardRequest){ .host = "localhost:8000" }, TRUE);
  assert_guard (&loopback, &(GwGuardRequest){ .host = "evil.com" }, FALSE);
  assert_guard (&loopback, &(GwGuardRequest){ .host = "localhost", .uri_host = "evil.com" }, FALSE);
  assert_guard (&loopback, &(GwGuardRequest){ .host = "localhost", .uri_host = "::1" }, TRUE);
  assert_guard (&loopback, &(GwGuardRequest){ .foreign = TRUE }, FALSE);
  assert_guard (&loopback, &(GwGuardRequest){ .origin = "null" }, FALSE);
  assert_guard (&loopback, &(GwGuardRequest){ .origin = "http://localhost:1" }, TRUE);
  assert_guard (&loopback, &(GwGuardRequest){ .fetch_site = "cross-site" }, FALSE);
  assert_guard (&loopback, &(GwGuardRequest){ .fetch_site = "none, Cross-Site" }, FALSE);
  assert_guard (&loopback, &(GwGuardRequest){ .fetch_site = "same-origin" }, TRUE);

  assert_guard (&outside,
                &(GwGuardRequest){ .host = "my.host", .authorization = "Bearer secret",
                                   .needs_token = TRUE },
                TRUE);
  assert_guard (&outside, &(GwGuardRequest){ .host = "my.host", .needs_token = FALSE }, TRUE);
  assert_guard (&outside,
                &(GwGuardRequest){ .origin = "http://evil.com", .authorization = "Bearer secret",
                                   .needs_token = TRUE },
                FALSE);
}

static void
test_token (void)
{
  const GwGuardRules rules = { .loopback = TRUE, .token = "secret" };
  static const struct {
    const char *authorization;
    gboolean passes;
  } table[] = {
    { "Bearer secret", TRUE },
    { "bearer secret", TRUE },
    { "Bearer  secret", TRUE },
    { NULL, FALSE },
    { "", FALSE },
    { "Bearer", FALSE },
    { "Bearer ", FALSE },
    { "Bearer secre", FALSE },
    { "Bearer secrets", FALSE },
    { "Bearer Secret", FALSE },
    { "Basic secret", FALSE },
    { "secret", FALSE },
    { "Bearer secret, Bearer secret", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    assert_guard (&rules,
                  &(GwGuardRequest){ .authorization = table[i].authorization, .needs_token = TRUE },
                  table[i].passes);
}

typedef struct {
  GSocket *server;
  GSocket *client;
} Pair;

static void
make_pair (Pair *pair,
           GSocketFamily listen_family,
           const char *connect_to)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) listener = NULL;
  g_autoptr (GInetAddress) address = NULL;
  g_autoptr (GInetAddress) target = g_inet_address_new_from_string (connect_to);
  g_autoptr (GSocketAddress) any = NULL, bound = NULL, to = NULL;

  address = g_inet_address_new_any (listen_family);
  any = g_inet_socket_address_new (address, 0);
  listener = g_socket_new (listen_family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (listener, any, TRUE, &error));
  g_assert_true (g_socket_listen (listener, &error));
  bound = g_socket_get_local_address (listener, &error);
  to = g_inet_socket_address_new (
      target, g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  pair->client = g_socket_new (g_inet_address_get_family (target), G_SOCKET_TYPE_STREAM,
                               G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_true (g_socket_connect (pair->client, to, NULL, &error));
  pair->server = g_socket_accept (listener, NULL, &error);
  g_assert_no_error (error);
}

static void
clear_pair (Pair *pair)
{
  g_clear_object (&pair->client);
  g_clear_object (&pair->server);
}

static void
test_peer (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwPeerAsker) asker = gw_peer_asker_new (&error);
  static const struct {
    GSocketFamily family;
    const char *target;
  } ways[] = {
    { G_SOCKET_FAMILY_IPV4, "127.0.0.1" },
    { G_SOCKET_FAMILY_IPV4, "127.0.0.2" },
    { G_SOCKET_FAMILY_IPV6, "::1" },
    { G_SOCKET_FAMILY_IPV6, "127.0.0.1" },
  };

  if (asker == NULL)
    {
      test_skip (error->message);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      Pair pair = { 0 };

      g_test_message ("%s", ways[i].target);
      make_pair (&pair, ways[i].family, ways[i].target);
      g_assert_cmpint (gw_peer_asker_ask (asker, pair.server), ==, GW_PEER_OURS);
      /* Who runs the tests as root is root to the others as well. */
      if (geteuid () != 0)
        {
          gw_peer_asker_set_uid (asker, geteuid () + 1);
          g_assert_cmpint (gw_peer_asker_ask (asker, pair.server), ==, GW_PEER_FOREIGN);
          gw_peer_asker_set_uid (asker, geteuid ());
        }
      clear_pair (&pair);
    }
}

/* A socket whose process is gone has no owner: the kernel says 0, which is not root. */
static void
test_peer_gone (void)
{
  g_autoptr (GwPeerAsker) asker = gw_peer_asker_new (NULL);
  Pair pair = { 0 };

  if (asker == NULL)
    {
      test_skip ("sock_diag does not answer here");
      return;
    }
  make_pair (&pair, G_SOCKET_FAMILY_IPV4, "127.0.0.1");
  g_socket_close (pair.client, NULL);
  g_assert_cmpint (gw_peer_asker_ask (asker, pair.server), ==, GW_PEER_FOREIGN);
  clear_pair (&pair);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guard/hosts", test_hosts);
  g_test_add_func ("/guard/origins", test_origins);
  g_test_add_func ("/guard/check", test_check);
  g_test_add_func ("/guard/token", test_token);
  g_test_add_func ("/guard/peer", test_peer);
  g_test_add_func ("/guard/peer-gone", test_peer_gone);

  return g_test_run ();
}
