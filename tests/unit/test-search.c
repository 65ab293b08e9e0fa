/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fake-gateway.h"
#include "gw-search.h"

typedef struct {
  char *queries[8];
  guint n_asked;
  gboolean broken;
} Asked;

/* Two pages, as a gateway cuts them. */
static gboolean
answer_cb (FakeGateway *fake,
           SoupServerMessage *message,
           const char *path,
           gpointer user_data)
{
  Asked *asked = user_data;

  if (!g_str_equal (path, "/tasks"))
    return FALSE;

  asked->queries[asked->n_asked++] =
    g_strdup (g_uri_get_query (soup_server_message_get_uri (message)));
  if (asked->broken)
    fake_reply (message, 503, "{\"status\": 503, \"code\": \"unavailable\", \"detail\": \"later\"}");
  else if (asked->n_asked == 1)
    fake_reply (message, 200,
                "{\"revision\": 7, \"more\": true, \"tasks\": [{\"task_id\": \"1\", \"project_id\":"
                " \"a\"}, {\"task_id\": \"2\", \"project_id\": \"b\"}, {\"task_id\": \"3\"}, 4]}");
  else
    fake_reply (message, 200, "{\"revision\": 9, \"more\": false, \"tasks\": [{\"task_id\": \"5\","
                              " \"project_id\": \"a\"}]}");

  return TRUE;
}

static void
asked_clear (Asked *asked)
{
  for (guint i = 0; i < asked->n_asked; i++)
    g_free (asked->queries[i]);
}

static void
test_count (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  GwClient *client = gw_client_new (fake_gateway_uri (fake), NULL, GW_PROTOCOL_GANGWAY);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GHashTable) hits = NULL;
  g_autoptr (GError) error = NULL;
  Asked asked = { 0 };
  gboolean more = TRUE;

  fake_gateway_set_hook (fake, answer_cb, &asked);
  gw_search_projects_async (client, "50 % & 中", NULL, fake_store_result, &result);
  fake_wait_until (result != NULL);
  hits = gw_search_projects_finish (result, &more, &error);
  g_assert_no_error (error);
  g_assert_false (more);
  g_assert_cmpuint (g_hash_table_size (hits), ==, 2);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (hits, "a")), ==, 2);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (hits, "b")), ==, 1);
  g_assert_cmpuint (asked.n_asked, ==, 2);
  g_assert_nonnull (strstr (asked.queries[0], "q=50%20%25%20%26%20%E4%B8%AD&since=0&"));
  g_assert_nonnull (strstr (asked.queries[1], "since=7&"));

  asked_clear (&asked);
  g_clear_object (&result);
  fake_wait_until (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
  fake_gateway_free (fake);
}

static void
test_refused (void)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  GwClient *client = gw_client_new (fake_gateway_uri (fake), NULL, GW_PROTOCOL_GANGWAY);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) cancelled = NULL;
  g_autoptr (GError) error = NULL;
  Asked asked = { .broken = TRUE };

  fake_gateway_set_hook (fake, answer_cb, &asked);
  gw_search_projects_async (client, "x", NULL, fake_store_result, &result);
  fake_wait_until (result != NULL);
  g_assert_null (gw_search_projects_finish (result, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_clear_error (&error);

  gw_search_projects_async (client, "x", cancellable, fake_store_result, &cancelled);
  g_cancellable_cancel (cancellable);
  fake_wait_until (cancelled != NULL);
  g_assert_null (gw_search_projects_finish (cancelled, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  asked_clear (&asked);
  g_clear_object (&result);
  g_clear_object (&cancelled);
  fake_wait_until (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
  fake_gateway_free (fake);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/search/count", test_count);
  g_test_add_func ("/search/refused", test_refused);

  return g_test_run ();
}
