/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fake-gateway.h"
#include "gw-task-list.h"

/* ThreadSanitizer makes it all some twenty times slower and has nothing to find in the number. */
#if defined(__SANITIZE_THREAD__)
#define MANY 20000
#else
#define MANY 100000
#endif

typedef struct {
  FakeGateway *fake;
  GwClient *client;
  GwTaskList *list;
  GPtrArray *shadow; /* what a view thinks the list is, told only by items-changed */
  guint n_steps;
  guint n_notified;
  guint most_added;  /* in one step */
} Fixture;

static void
items_changed_cb (GListModel *model,
                  guint position,
                  guint removed,
                  guint added,
                  gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_steps++;
  fixture->most_added = MAX (fixture->most_added, added);
  g_assert_cmpuint (position + removed, <=, fixture->shadow->len);
  if (removed > 0)
    g_ptr_array_remove_range (fixture->shadow, position, removed);
  if (added > 0)
    {
      guint old = fixture->shadow->len;

      g_ptr_array_set_size (fixture->shadow, old + added);
      memmove (fixture->shadow->pdata + position + added, fixture->shadow->pdata + position,
               (old - position) * sizeof (gpointer));
      for (guint i = 0; i < added; i++)
        fixture->shadow->pdata[position + i] = g_list_model_get_item (model, position + i);
    }
}

static void
unref_item (gpointer item)
{
  g_clear_object (&item);
}

static void
fixture_init (Fixture *fixture,
              FakeKind kind)
{
  fixture->fake = fake_gateway_new (kind);
  fixture->client = gw_client_new (fake_gateway_uri (fixture->fake), NULL,
                                   kind == FAKE_MINIMAL ? GW_PROTOCOL_MINIMAL
                                                        : GW_PROTOCOL_GANGWAY);
  fixture->list = gw_task_list_new (fixture->client, NULL);
  fixture->shadow = g_ptr_array_new_with_free_func (unref_item);
  g_signal_connect (fixture->list, "items-changed", G_CALLBACK (items_changed_cb), fixture);
}

static guint
n_items (Fixture *fixture)
{
  return g_list_model_get_n_items (G_LIST_MODEL (fixture->list));
}

/* The view, the order and the numbers agree with the list. */
static void
check (Fixture *fixture)
{
  guint counts[GW_N_TASK_STATUSES] = { 0 };
  GwTask *last = NULL;

  g_assert_cmpuint (n_items (fixture), ==, fixture->shadow->len);
  for (guint i = 0; i < fixture->shadow->len; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (fixture->list), i);
      GwTask *task = gw_task_item_get_task (item);

      g_assert_true (item == g_ptr_array_index (fixture->shadow, i));
      g_assert_true (gw_task_list_find (fixture->list, task->task_id) == item);
      if (last != NULL)
        g_assert_cmpstr (last->task_id, <, task->task_id);
      last = task;
      counts[task->status]++;
    }
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    g_assert_cmpuint (counts[i], ==, gw_task_list_count (fixture->list, i));
}

static void
fixture_clear (Fixture *fixture)
{
  g_ptr_array_unref (fixture->shadow);
  g_assert_finalize_object (fixture->list);
  /* What the dropped list had asked for is given up in the next turns. */
  fake_wait_until (G_OBJECT (fixture->client)->ref_count == 1);
  g_assert_finalize_object (fixture->client);
  fake_gateway_free (fixture->fake);
}

static void
notify_cb (Fixture *fixture)
{
  fixture->n_notified++;
}

static void
test_follow (void)
{
  Fixture fixture = { 0 };
  GwTaskItem *item;
  GwTask *task;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 3);
  g_assert_false (gw_task_list_is_connected (fixture.list));
  gw_task_list_start (fixture.list);
  fake_wait_until (n_items (&fixture) == 3);
  g_assert_true (gw_task_list_is_connected (fixture.list));
  check (&fixture);

  item = gw_task_list_find (fixture.list, fake_gateway_id (fixture.fake, 1));
  g_signal_connect_swapped (item, "notify::task", G_CALLBACK (notify_cb), &fixture);
  fake_gateway_set (fixture.fake, 1, "completed", "Forty-two");
  fake_wait_until (gw_task_list_count (fixture.list, GW_TASK_COMPLETED) == 1);
  task = gw_task_item_get_task (item);
  g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
  g_assert_cmpuint (task->result_size, ==, strlen ("Forty-two"));
  g_assert_cmpuint (fixture.n_notified, ==, 1);
  g_assert_cmpuint (fixture.n_steps, ==, 1);
  check (&fixture);

  fake_gateway_add (fixture.fake, 2);
  fake_wait_until (n_items (&fixture) == 5);
  g_assert_cmpuint (fixture.n_notified, ==, 1);
  check (&fixture);

  fake_gateway_remove (fixture.fake, 0);
  fake_gateway_remove (fixture.fake, 3);
  fake_wait_until (n_items (&fixture) == 3);
  check (&fixture);

  g_assert_nonnull (gw_task_list_find_project (fixture.list, task->project_id));
  fixture_clear (&fixture);
}

/* Tasks that were changed since come late in the feed; they stand in their place all the same. */
static void
test_order (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 2000);
  for (guint i = 0; i < 2000; i += 3)
    fake_gateway_set (fixture.fake, 1999 - i, "running", NULL);
  gw_task_list_start (fixture.list);
  fake_wait_until (n_items (&fixture) == 2000);
  check (&fixture);
  g_assert_cmpuint (gw_task_list_count (fixture.list, GW_TASK_RUNNING), ==, 667);

  for (guint i = 0; i < 2000; i += 7)
    fake_gateway_remove (fixture.fake, i);
  fake_wait_until (n_items (&fixture) == 2000 - 286);
  check (&fixture);
  fixture_clear (&fixture);
}

static void
test_many (void)
{
  Fixture fixture = { 0 };
  const guint n = MANY;
  gint64 start;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, n);
  start = g_get_monotonic_time ();
  gw_task_list_start (fixture.list);
  fake_wait_until (n_items (&fixture) > 0);
  g_test_message ("first rows after %" G_GINT64_FORMAT " ms",
                  (g_get_monotonic_time () - start) / 1000);
  /* The first rows come a few at a time, then all others in large steps. */
  fake_wait_until (n_items (&fixture) >= 200);
  g_assert_cmpuint (fixture.most_added, <=, 32);
  g_assert_cmpuint (fixture.n_steps, <=, 7);
  fixture.n_steps = 0;
  fake_wait_until (n_items (&fixture) == n);
  g_test_message ("%u rows after %" G_GINT64_FORMAT " ms, the fake gateway included", n,
                  (g_get_monotonic_time () - start) / 1000);
  g_assert_cmpuint (fixture.n_steps, <=, 12);
  check (&fixture);

  fixture.n_steps = 0;
  fake_gateway_set (fixture.fake, n / 2, "completed", "yes");
  fake_wait_until (gw_task_list_count (fixture.list, GW_TASK_COMPLETED) == 1);
  g_assert_cmpuint (fixture.n_steps, ==, 0);
  fixture_clear (&fixture);
}

static void
test_lost_and_found (void)
{
  Fixture fixture = { 0 };
  GwTaskItem *first;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 2);
  gw_task_list_start (fixture.list);
  fake_wait_until (n_items (&fixture) == 2);
  first = gw_task_list_find (fixture.list, fake_gateway_id (fixture.fake, 0));

  fake_gateway_down (fixture.fake);
  fake_wait_until (!gw_task_list_is_connected (fixture.list));
  g_assert_nonnull (gw_task_list_get_error_message (fixture.list));
  g_assert_cmpint (gw_task_list_get_retry_at (fixture.list), >, 0);
  g_assert_cmpuint (n_items (&fixture), ==, 2);

  fake_gateway_up (fixture.fake);
  fake_gateway_add (fixture.fake, 1);
  fake_gateway_set (fixture.fake, 0, "failed", NULL);
  gw_task_list_retry_now (fixture.list);
  fake_wait_until (gw_task_list_is_connected (fixture.list));
  g_assert_cmpint (gw_task_list_get_retry_at (fixture.list), ==, 0);
  g_assert_null (gw_task_list_get_error_message (fixture.list));
  fake_wait_until (n_items (&fixture) == 3);
  g_assert_true (gw_task_list_find (fixture.list, fake_gateway_id (fixture.fake, 0)) == first);
  g_assert_cmpint (gw_task_item_get_task (first)->error_code, ==, GW_ERROR_TASK_SERVER);
  check (&fixture);
  fixture_clear (&fixture);
}

static gboolean
note_wait_cb (FakeGateway *fake,
              SoupServerMessage *message,
              const char *path,
              gpointer user_data)
{
  char **first = user_data;
  const char *query = g_uri_get_query (soup_server_message_get_uri (message));

  if (*first == NULL && g_str_equal (path, "/tasks"))
    *first = g_strdup (query);
  return FALSE;
}

/* Nothing has happened meanwhile: that it is back is known at once, not when the next change comes
 * or a request that waits for one ends. */
static void
test_back_without_news (void)
{
  Fixture fixture = { 0 };
  g_autofree char *first = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 2);
  gw_task_list_start (fixture.list);
  fake_wait_until (n_items (&fixture) == 2);
  fake_gateway_down (fixture.fake);
  fake_wait_until (!gw_task_list_is_connected (fixture.list));
  fake_gateway_up (fixture.fake);
  fake_gateway_set_hook (fixture.fake, note_wait_cb, &first);
  gw_task_list_retry_now (fixture.list);
  fake_wait_until (gw_task_list_is_connected (fixture.list));
  g_assert_nonnull (strstr (first, "since="));
  g_assert_null (strstr (first, "wait="));
  fixture_clear (&fixture);
}

/* By itself, too, without being told. */
static void
test_comes_back (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 1);
  fake_gateway_down (fixture.fake);
  gw_task_list_start (fixture.list);
  fake_wait_until (gw_task_list_get_retry_at (fixture.list) > 0);
  fake_gateway_up (fixture.fake);
  fake_wait_until (n_items (&fixture) == 1);
  check (&fixture);
  fixture_clear (&fixture);
}

static void
test_reset (void)
{
  Fixture fixture = { 0 };
  g_autofree char *kept = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 600);
  gw_task_list_start (fixture.list);
  fake_wait_until (n_items (&fixture) == 600);

  /* Other data behind the same address, with less in it. */
  fake_gateway_down (fixture.fake);
  fake_wait_until (!gw_task_list_is_connected (fixture.list));
  fake_gateway_wipe (fixture.fake);
  fake_gateway_up (fixture.fake);
  fake_gateway_add (fixture.fake, 4);
  kept = g_strdup (fake_gateway_id (fixture.fake, 2));
  gw_task_list_retry_now (fixture.list);
  fake_wait_until (n_items (&fixture) == 4);
  g_assert_nonnull (gw_task_list_find (fixture.list, kept));
  check (&fixture);

  /* Other data with more in it: no reset is told, only the store's name differs. */
  fake_gateway_down (fixture.fake);
  fake_wait_until (!gw_task_list_is_connected (fixture.list));
  fake_gateway_wipe (fixture.fake);
  fake_gateway_up (fixture.fake);
  fake_gateway_add (fixture.fake, 9);
  gw_task_list_retry_now (fixture.list);
  fake_wait_until (n_items (&fixture) == 9);
  check (&fixture);
  fixture_clear (&fixture);
}

static gboolean
stuck_hook (FakeGateway *fake,
            SoupServerMessage *message,
            const char *path,
            gpointer user_data)
{
  if (!g_str_equal (path, "/tasks"))
    return FALSE;

  fake_reply (message, 200, user_data);
  return TRUE;
}

/* A gateway that gets nowhere is asked in peace: at most four times a second. */
static void
test_no_progress (void)
{
  static const char *const replies[] = {
    "{\"revision\": 5, \"more\": true, \"store\": \"s\", \"tasks\": [], \"projects\": []}",
    "{\"revision\": 5, \"more\": false, \"store\": \"s\", \"tasks\": [], \"projects\": [], "
    "\"reset\": true}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (replies); i++)
    {
      Fixture fixture = { 0 };
      gint64 began;
      guint n;

      fixture_init (&fixture, FAKE_OURS);
      fake_gateway_set_hook (fixture.fake, stuck_hook, (gpointer) replies[i]);
      n = fake_gateway_n_requests (fixture.fake, "GET", "/tasks");
      began = g_get_monotonic_time ();
      gw_task_list_start (fixture.list);
      fake_wait_until (fake_gateway_n_requests (fixture.fake, "GET", "/tasks") >= n + 5);
      g_assert_cmpint (g_get_monotonic_time () - began, >=, 3 * 200 * 1000);
      fixture_clear (&fixture);
    }
}

typedef struct {
  const char *since;  /* (nullable) the request that it answers */
  guint status;
  char *body;
} Answer;

/* Answers each request by its `since`, each answer once; what comes after them waits. */
static gboolean
answer_hook (FakeGateway *fake,
             SoupServerMessage *message,
             const char *path,
             gpointer user_data)
{
  GPtrArray *answers = user_data;
  const char *query = g_uri_get_query (soup_server_message_get_uri (message));
  g_autoptr (GHashTable) form = soup_form_decode (query != NULL ? query : "");

  if (!g_str_equal (path, "/tasks"))
    return FALSE;

  for (guint i = 0; i < answers->len; i++)
    {
      Answer *answer = g_ptr_array_index (answers, i);

      if (g_strcmp0 (g_hash_table_lookup (form, "since"), answer->since) != 0)
        continue;
      fake_reply (message, answer->status, answer->body);
      g_ptr_array_remove_index (answers, i);
      return TRUE;
    }

  soup_server_message_pause (message);
  return TRUE;
}

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  g_free (answer->body);
  g_free (answer);
}

/* A page with one task; @size: of its text */
static void
add_page (GPtrArray *answers,
          const char *since,
          const char *store,
          guint revision,
          gboolean more,
          gsize size)
{
  g_autofree char *text = g_strnfill (size, 'x');
  Answer *answer = g_new0 (Answer, 1);

  answer->since = since;
  answer->status = 200;
  answer->body = g_strdup_printf (
    "{\"revision\":%u,\"more\":%s,\"store\":\"%s\",\"tasks\":[{\"task_id\":\"%s%05u\",\"status\":"
    "\"queued\",\"content\":\"%s\",\"revision\":%u}],\"projects\":[],\"removed\":[]}",
    revision, more ? "true" : "false", store, store, revision, text, revision);
  g_ptr_array_add (answers, answer);
}

static void
add_failure (GPtrArray *answers,
             const char *since)
{
  Answer *answer = g_new0 (Answer, 1);

  answer->since = since;
  answer->status = 400;
  answer->body = g_strdup ("{}");
  g_ptr_array_add (answers, answer);
}

/* The page behind one is asked for while that is read: it is brought in after it, also where it is
 * there first, and once more where it did not come. */
static void
test_ahead (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) answers = g_ptr_array_new_with_free_func (answer_free);

  fixture_init (&fixture, FAKE_OURS);
  add_page (answers, NULL, "s", 5, TRUE, 2000000);
  add_page (answers, "5", "s", 6, TRUE, 1);
  add_failure (answers, "6");
  add_page (answers, "6", "s", 9, FALSE, 1);
  fake_gateway_set_hook (fixture.fake, answer_hook, answers);
  gw_task_list_start (fixture.list);
  fake_wait_until (gw_task_list_get_retry_at (fixture.list) > 0);
  g_assert_cmpuint (n_items (&fixture), ==, 2);
  g_assert_false (gw_task_list_is_loaded (fixture.list));
  check (&fixture);
  gw_task_list_retry_now (fixture.list);
  fake_wait_until (n_items (&fixture) == 3);
  g_assert_true (gw_task_list_is_loaded (fixture.list));
  g_assert_cmpuint (answers->len, ==, 0);
  check (&fixture);
  fixture_clear (&fixture);
}

/* What was asked for ahead of the first data says nothing of the others. */
static void
test_ahead_of_other_data (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) answers = g_ptr_array_new_with_free_func (answer_free);

  fixture_init (&fixture, FAKE_OURS);
  add_page (answers, NULL, "s", 5, TRUE, 2000000);
  add_page (answers, "5", "t", 6, TRUE, 100000);
  add_page (answers, "6", "t", 7, FALSE, 1);
  add_page (answers, NULL, "t", 4, TRUE, 1);
  add_page (answers, "4", "t", 8, FALSE, 1);
  fake_gateway_set_hook (fixture.fake, answer_hook, answers);
  gw_task_list_start (fixture.list);
  fake_wait_until (gw_task_list_is_loaded (fixture.list));
  g_assert_cmpuint (n_items (&fixture), ==, 2);
  g_assert_nonnull (gw_task_list_find (fixture.list, "t00004"));
  g_assert_nonnull (gw_task_list_find (fixture.list, "t00008"));
  check (&fixture);
  fixture_clear (&fixture);
}

/* In the middle of it. */
static void
test_dropped (void)
{
  for (guint turns = 1; turns < 400; turns *= 2)
    {
      Fixture fixture = { 0 };

      fixture_init (&fixture, FAKE_OURS);
      fake_gateway_add (fixture.fake, 3000);
      gw_task_list_start (fixture.list);
      for (guint i = 0; i < turns; i++)
        g_main_context_iteration (NULL, FALSE);
      gw_task_list_stop (fixture.list);
      gw_task_list_start (fixture.list);
      for (guint i = 0; i < turns; i++)
        g_main_context_iteration (NULL, FALSE);
      check (&fixture);
      fixture_clear (&fixture);
    }
}

static void
test_add (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 3);
  gw_client_get_task_async (fixture.client, fake_gateway_id (fixture.fake, 1), NULL,
                            fake_store_result, &result);
  fake_wait_until (result != NULL);
  task = gw_client_get_task_finish (fixture.client, result, &error);
  g_assert_no_error (error);
  gw_task_list_add (fixture.list, task);
  gw_task_list_add (fixture.list, task);
  g_assert_cmpuint (n_items (&fixture), ==, 1);
  gw_task_list_start (fixture.list);
  fake_wait_until (n_items (&fixture) == 3);
  check (&fixture);
  g_clear_object (&result);
  fixture_clear (&fixture);
}

/* The same model over a gateway that has no list at all. */
static void
test_minimal (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;
  GwTask *task = NULL;

  fixture_init (&fixture, FAKE_MINIMAL);
  gw_task_list_start (fixture.list);
  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  for (guint i = 0; i < 12; i++)
    {
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "content", "Say something");
      g_ptr_array_add (tasks, object);
    }
  gw_client_submit_async (fixture.client, tasks, "mine", 0, NULL, fake_store_result, &result);
  fake_wait_until (result != NULL);
  ids = gw_client_submit_finish (fixture.client, result, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ids->len, ==, 12);
  fake_wait_until (n_items (&fixture) == 12);
  check (&fixture);

  fake_wait_until (fake_gateway_n_tasks (fixture.fake) == 10);
  fake_gateway_set (fixture.fake, 0, "SUCCESS", "{\"answer\": 42}");
  fake_gateway_set (fixture.fake, 1, "Canceled", NULL);
  fake_wait_until (fake_gateway_n_tasks (fixture.fake) == 12);
  fake_wait_until (gw_task_list_count (fixture.list, GW_TASK_COMPLETED) == 1);
  /* Ten are sent at once: which of them the gateway hears first is open. */
  for (guint i = 0; i < ids->len; i++)
    {
      const char *id = g_ptr_array_index (ids, i);
      g_autofree char *foreign = gw_client_dup_foreign_id (fixture.client, id);

      if (g_strcmp0 (foreign, "0") == 0)
        task = gw_task_item_get_task (gw_task_list_find (fixture.list, id));
    }
  g_assert_nonnull (task);
  g_assert_cmpstr (task->result, ==, "{\"answer\":42}");
  g_assert_cmpstr (task->model, ==, "m");
  fake_wait_until (gw_task_list_count (fixture.list, GW_TASK_CANCELLED) == 1);
  check (&fixture);
  g_clear_object (&result);
  fixture_clear (&fixture);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/task-list/follow", test_follow);
  g_test_add_func ("/task-list/order", test_order);
  g_test_add_func ("/task-list/many", test_many);
  g_test_add_func ("/task-list/lost-and-found", test_lost_and_found);
  g_test_add_func ("/task-list/back-without-news", test_back_without_news);
  g_test_add_func ("/task-list/comes-back", test_comes_back);
  g_test_add_func ("/task-list/reset", test_reset);
  g_test_add_func ("/task-list/no-progress", test_no_progress);
  g_test_add_func ("/task-list/ahead", test_ahead);
  g_test_add_func ("/task-list/ahead-of-other-data", test_ahead_of_other_data);
  g_test_add_func ("/task-list/dropped", test_dropped);
  g_test_add_func ("/task-list/add", test_add);
  g_test_add_func ("/task-list/minimal", test_minimal);

  return g_test_run ();
}
