/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fake-gateway.h"
#include "gw-discovery.h"

static GwDiscovery *
probe (const char *uri,
       gboolean given)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GwDiscovery *found;

  gw_discovery_probe_async (uri, given, NULL, NULL, fake_store_result, &result);
  fake_wait_until (result != NULL);
  found = gw_discovery_probe_finish (result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found->uri, ==, uri);
  g_assert_cmpint (found->given, ==, given);

  return found;
}

static void
test_choose (void)
{
  static const struct {
    const char *text;
    const char *uri;
  } cases[] = {
    { "http://127.0.0.1:8000", "http://127.0.0.1:8000" },
    { "127.0.0.1:9000", "http://127.0.0.1:9000" },
    { "nas.local:8000", "http://nas.local:8000" },
    { "nas.local", "http://nas.local" },
    { " localhost:8000/ ", "http://localhost:8000" },
    { "[::1]:8000", "http://[::1]:8000" },
    { "https://example.org/gangway//", "https://example.org/gangway" },
    { "", NULL },
    { "http://", NULL },
    { "ftp://example.org", NULL },
    { "http://a b", NULL },
    { "localhost:99999", NULL },
    { "http://user:password@example.org", NULL },
    { "http://example.org/?x=1", NULL },
  };
  gboolean given = TRUE;
  g_autofree char *fallback = NULL;
  g_autofree char *preferred = NULL;
  g_autofree char *environment = NULL;
  g_autofree char *option = NULL;

  g_unsetenv ("GANGWAY_GATEWAY");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *uri = gw_discovery_choose_uri (cases[i].text, NULL, NULL, &error);

      g_assert_cmpstr (uri, ==, cases[i].uri);
      if (cases[i].uri == NULL)
        g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
      else
        g_assert_no_error (error);
    }

  fallback = gw_discovery_choose_uri (NULL, "", &given, NULL);
  g_assert_cmpstr (fallback, ==, GW_DEFAULT_GATEWAY);
  g_assert_false (given);
  preferred = gw_discovery_choose_uri (NULL, "one:1", &given, NULL);
  g_assert_cmpstr (preferred, ==, "http://one:1");
  g_assert_true (given);
  g_setenv ("GANGWAY_GATEWAY", "two:2", TRUE);
  environment = gw_discovery_choose_uri (NULL, "one:1", &given, NULL);
  g_assert_cmpstr (environment, ==, "http://two:2");
  option = gw_discovery_choose_uri ("three:3", "one:1", &given, NULL);
  g_assert_cmpstr (option, ==, "http://three:3");
  g_unsetenv ("GANGWAY_GATEWAY");
}

static void
test_ours (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  g_autoptr (GwDiscovery) found = probe (fake_gateway_uri (fake), FALSE);

  g_assert_cmpint (found->found, ==, GW_FOUND_OURS);
  g_assert_cmpstr (found->version, ==, "1.2.3");
  g_assert_false (found->too_old);
  g_assert_cmpstr (found->host, ==, "daemon");
  g_assert_nonnull (found->store);
  g_assert_cmpuint (fake_gateway_n_requests (fake, "POST", "/tasks"), ==, 0);
  fake_gateway_free (fake);
}

/* Whoever asks may be too busy to look at the answer in time. */
static void
test_ours_but_asked_late (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GwDiscovery) found = NULL;

  gw_discovery_probe_async (fake_gateway_uri (fake), TRUE, NULL, NULL, fake_store_result, &result);
  g_usleep (G_USEC_PER_SEC);
  fake_wait_until (result != NULL);
  found = gw_discovery_probe_finish (result, NULL);
  g_assert_cmpint (found->found, ==, GW_FOUND_OURS);
  fake_gateway_free (fake);
}

static gboolean
health_of_version (FakeGateway *fake,
                   SoupServerMessage *message,
                   const char *path,
                   gpointer user_data)
{
  g_autofree char *health = NULL;

  if (!g_str_equal (path, "/health"))
    return FALSE;

  health = g_strdup_printf ("{\"service\":\"gangway\",\"version\":\"%s\"}",
                            (const char *) user_data);
  fake_reply (message, 200, health);

  return TRUE;
}

static void
test_ours_but_old (void)
{
  static const struct { const char *version; gboolean too_old; } cases[] = {
    { "0.0.9", TRUE }, { "0.1.0", FALSE }, { "0.1", FALSE }, { "0.10.0-dev", FALSE },
    { "0.0", TRUE }, { "1", FALSE }, { "unknown", FALSE }, { "", FALSE },
  };
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GwDiscovery) found = NULL;

      fake_gateway_set_hook (fake, health_of_version, (gpointer) cases[i].version);
      found = probe (fake_gateway_uri (fake), TRUE);
      g_assert_cmpint (found->found, ==, GW_FOUND_OURS);
      g_assert_cmpint (found->too_old, ==, cases[i].too_old);
    }
  fake_gateway_free (fake);
}

typedef struct {
  guint silent;  /* so many times nothing is said */
  guint status;  /* if not 0, then this is said instead */
  guint count;
} SlowHealth;

static gboolean
slow_health (FakeGateway *fake,
             SoupServerMessage *message,
             const char *path,
             gpointer user_data)
{
  SlowHealth *slow = user_data;

  if (!g_str_equal (path, "/health") || slow->count++ >= slow->silent)
    return FALSE;

  if (slow->status != 0)
    fake_reply (message, slow->status, "{}");
  else
    soup_server_message_pause (message);

  return TRUE;
}

/* Too busy to tell its health in time is no reason to be taken for someone else's. */
static void
test_ours_but_slow (void)
{
  static const SlowHealth cases[] = { { 1, 0, 0 }, { 3, 0, 0 }, { 2, 503, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FakeGateway *fake = fake_gateway_new (FAKE_OURS);
      g_autoptr (GwDiscovery) found = NULL;
      SlowHealth slow = cases[i];

      fake_gateway_set_hook (fake, slow_health, &slow);
      found = probe (fake_gateway_uri (fake), TRUE);
      g_assert_cmpint (found->found, ==, GW_FOUND_OURS);
      g_assert_cmpuint (slow.count, ==, cases[i].silent + 1);
      fake_gateway_free (fake);
    }
}

/* Two calls that answer as they should prove nothing while /health keeps silent: ours has them
 * too. */
static void
test_silent_is_not_minimal (void)
{
  static const FakeKind kinds[] = { FAKE_OURS, FAKE_MINIMAL };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      FakeGateway *fake = fake_gateway_new (kinds[i]);
      g_autoptr (GwDiscovery) found = NULL;
      SlowHealth slow = { G_MAXUINT, 503, 0 };

      fake_gateway_set_hook (fake, slow_health, &slow);
      found = probe (fake_gateway_uri (fake), TRUE);
      g_assert_cmpint (found->found, ==, GW_FOUND_OTHER);
      g_assert_true (found->silent);
      g_assert_nonnull (found->detail);
      fake_gateway_free (fake);
    }
}

static void
test_minimal (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_MINIMAL);
  g_autoptr (GwDiscovery) named = probe (fake_gateway_uri (fake), TRUE);
  g_autoptr (GwDiscovery) by_default = NULL;

  g_assert_cmpint (named->found, ==, GW_FOUND_MINIMAL);
  g_assert_cmpuint (fake_gateway_n_requests (fake, "POST", "/tasks"), ==, 0);
  by_default = probe (fake_gateway_uri (fake), FALSE);
  g_assert_cmpint (by_default->found, ==, GW_FOUND_MINIMAL);
  g_assert_cmpuint (fake_gateway_n_requests (fake, "POST", "/tasks"), ==, 1);
  g_assert_cmpuint (fake_gateway_n_tasks (fake), ==, 0);
  fake_gateway_free (fake);
}

/* Any web service says 404 in JSON to an unknown path; at the default address that is not
 * enough. */
static gboolean
say_404 (FakeGateway *fake,
         SoupServerMessage *message,
         const char *path,
         gpointer user_data)
{
  fake_reply (message, 404, user_data);

  return TRUE;
}

static void
test_other (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OTHER);
  g_autoptr (GwDiscovery) named = probe (fake_gateway_uri (fake), TRUE);
  g_autoptr (GwDiscovery) by_default = probe (fake_gateway_uri (fake), FALSE);
  g_autoptr (GwDiscovery) json = NULL;
  g_autoptr (GwDiscovery) list = NULL;

  g_assert_cmpint (named->found, ==, GW_FOUND_OTHER);
  g_assert_nonnull (named->detail);
  g_assert_cmpint (by_default->found, ==, GW_FOUND_OTHER);

  fake_gateway_set_hook (fake, say_404, (gpointer) "{\"message\":\"no such page\"}");
  json = probe (fake_gateway_uri (fake), FALSE);
  g_assert_cmpint (json->found, ==, GW_FOUND_OTHER);
  fake_gateway_set_hook (fake, say_404, (gpointer) "[\"no such page\"]");
  list = probe (fake_gateway_uri (fake), TRUE);
  g_assert_cmpint (list->found, ==, GW_FOUND_OTHER);
  fake_gateway_free (fake);
}

static void
test_nothing (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  g_autofree char *uri = g_strdup (fake_gateway_uri (fake));
  g_autoptr (GwDiscovery) found = NULL;

  fake_gateway_free (fake);
  found = probe (uri, TRUE);
  g_assert_cmpint (found->found, ==, GW_FOUND_NOTHING);
  g_assert_nonnull (found->detail);
}

/* Who takes connections and never answers is another program, and is not waited for without end. */
static void
test_mute (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_MUTE);
  g_autoptr (GwDiscovery) found = probe (fake_gateway_uri (fake), FALSE);

  g_assert_cmpint (found->found, ==, GW_FOUND_OTHER);
  fake_gateway_free (fake);
}

static void
test_cancel (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_MUTE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GwDiscovery) found = NULL;
  g_autoptr (GError) error = NULL;

  gw_discovery_probe_async (fake_gateway_uri (fake), TRUE, NULL, cancellable, fake_store_result,
                            &result);
  fake_wait_until (fake_gateway_n_requests (fake, "GET", "/health") == 1);
  g_cancellable_cancel (cancellable);
  fake_wait_until (result != NULL);
  found = gw_discovery_probe_finish (result, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (found);
  fake_gateway_free (fake);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/discovery/choose", test_choose);
  g_test_add_func ("/discovery/ours", test_ours);
  g_test_add_func ("/discovery/ours-but-old", test_ours_but_old);
  g_test_add_func ("/discovery/ours-but-slow", test_ours_but_slow);
  g_test_add_func ("/discovery/silent-is-not-minimal", test_silent_is_not_minimal);
  g_test_add_func ("/discovery/ours-but-asked-late", test_ours_but_asked_late);
  g_test_add_func ("/discovery/minimal", test_minimal);
  g_test_add_func ("/discovery/other", test_other);
  g_test_add_func ("/discovery/nothing", test_nothing);
  g_test_add_func ("/discovery/mute", test_mute);
  g_test_add_func ("/discovery/cancel", test_cancel);

  return g_test_run ();
}
