/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fake-gateway.h"
#include "gw-batch.h"

typedef struct {
  FakeGateway *fake;
  GwClient *client;
  GwBatch *batch;
  GAsyncResult *followed;
  GwBatchEnd end;
  GError *error;
  guint n_ended;
  guint n_lost;
  guint n_found;
  const char *reason; /* what the queued tasks wait for, where the hook says it */
} Fixture;

static void
lost_cb (Fixture *fixture)
{
  fixture->n_lost++;
}

static void
found_cb (Fixture *fixture)
{
  fixture->n_found++;
}

static void
task_ended_cb (Fixture *fixture,
               gpointer task)
{
  g_assert_true (gw_task_status_is_final (((GwTask *) task)->status));
  fixture->n_ended++;
}

static void
fixture_init (Fixture *fixture,
              FakeKind kind)
{
  fixture->fake = fake_gateway_new (kind);
  fixture->client = gw_client_new (fake_gateway_uri (fixture->fake), NULL,
                                   kind == FAKE_MINIMAL ? GW_PROTOCOL_MINIMAL
                                                        : GW_PROTOCOL_GANGWAY);
  fixture->batch = gw_batch_new (fixture->client);
  g_signal_connect_swapped (fixture->batch, "lost", G_CALLBACK (lost_cb), fixture);
  g_signal_connect_swapped (fixture->batch, "found", G_CALLBACK (found_cb), fixture);
  g_signal_connect_swapped (fixture->batch, "task-ended", G_CALLBACK (task_ended_cb), fixture);
}

static void
fixture_clear (Fixture *fixture)
{
  g_clear_object (&fixture->followed);
  g_clear_error (&fixture->error);
  fake_wait_until (G_OBJECT (fixture->batch)->ref_count == 1);
  g_assert_finalize_object (fixture->batch);
  fake_wait_until (G_OBJECT (fixture->client)->ref_count == 1);
  g_assert_finalize_object (fixture->client);
  fake_gateway_free (fixture->fake);
}

static void
submit (Fixture *fixture,
        guint n)
{
  g_autoptr (GPtrArray) tasks =
    g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    {
      JsonObject *object = json_object_new ();
      JsonObject *metadata = json_object_new ();
      g_autofree char *content = g_strdup_printf ("number %u", i);

      json_object_set_string_member (object, "content", content);
      json_object_set_int_member (metadata, "row", i);
      json_object_set_object_member (object, "metadata", metadata);
      g_ptr_array_add (tasks, object);
    }
  gw_batch_submit_async (fixture->batch, tasks, "run", 0, NULL, fake_store_result, &result);
  fake_wait_until (result != NULL);
  g_assert_true (gw_batch_submit_finish (fixture->batch, result, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (gw_batch_get_n_tasks (fixture->batch), ==, n);
  g_assert_cmpuint (gw_batch_count (fixture->batch, GW_TASK_QUEUED), ==, n);
}

static void
follow (Fixture *fixture)
{
  gw_batch_follow_async (fixture->batch, NULL, fake_store_result, &fixture->followed);
}

static gboolean
wait_end (Fixture *fixture)
{
  fake_wait_until (fixture->followed != NULL);

  return gw_batch_follow_finish (fixture->batch, fixture->followed, &fixture->end,
                                 &fixture->error);
}

static void
test_done (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = NULL;

  fixture_init (&fixture, FAKE_OURS);
  /* What others have there is none of the run's business. */
  fake_gateway_add (fixture.fake, 2);
  submit (&fixture, 3);
  follow (&fixture);
  fake_gateway_set (fixture.fake, 4, "completed", "four");
  fake_gateway_set (fixture.fake, 3, "failed", NULL);
  fake_gateway_set (fixture.fake, 0, "completed", "not ours");
  fake_gateway_set (fixture.fake, 2, "running", NULL);
  fake_wait_until (gw_batch_count (fixture.batch, GW_TASK_RUNNING) == 1);
  g_assert_null (fixture.followed);
  fake_gateway_set (fixture.fake, 2, "completed", "two");
  g_assert_true (wait_end (&fixture));
  g_assert_cmpint (fixture.end, ==, GW_BATCH_DONE);
  g_assert_cmpuint (fixture.n_ended, ==, 3);

  tasks = gw_batch_dup_tasks (fixture.batch);
  g_assert_cmpuint (tasks->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      GwTask *task = g_ptr_array_index (tasks, i);
      g_autofree char *content = g_strdup_printf ("number %u", i);

      g_assert_cmpstr (task->content, ==, content);
      g_assert_cmpstr (task->task_id, ==, fake_gateway_id (fixture.fake, i + 2));
    }
  /* The fake's feed leaves results out, so they were asked for. */
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 0))->result, ==, "two");
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 2))->result, ==, "four");
  g_assert_cmpint (((GwTask *) g_ptr_array_index (tasks, 1))->error_code, ==,
                   GW_ERROR_TASK_SERVER);
  fixture_clear (&fixture);
}

static void
test_removed (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  submit (&fixture, 2);
  follow (&fixture);
  fake_gateway_remove (fixture.fake, 0);
  fake_gateway_set (fixture.fake, 1, "cancelled", NULL);
  g_assert_true (wait_end (&fixture));
  g_assert_cmpuint (gw_batch_count (fixture.batch, GW_TASK_CANCELLED), ==, 2);
  fixture_clear (&fixture);
}

static void
test_lost_and_found (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  submit (&fixture, 2);
  follow (&fixture);
  fake_gateway_set (fixture.fake, 0, "completed", "kept");
  fake_wait_until (fixture.n_ended == 1);
  fake_gateway_down (fixture.fake);
  fake_wait_until (fixture.n_lost == 1);
  fake_gateway_up (fixture.fake);
  fake_gateway_set (fixture.fake, 1, "completed", "after");
  g_assert_true (wait_end (&fixture));
  g_assert_cmpuint (fixture.n_found, ==, 1);
  g_assert_cmpuint (gw_batch_count (fixture.batch, GW_TASK_COMPLETED), ==, 2);
  fixture_clear (&fixture);
}

/* Too long gone: an error, and what had been answered is there. */
static void
test_lost_for_good (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = NULL;

  fixture_init (&fixture, FAKE_OURS);
  gw_batch_set_lost_limit (fixture.batch, 2);
  submit (&fixture, 2);
  follow (&fixture);
  fake_gateway_set (fixture.fake, 0, "completed", "kept");
  fake_wait_until (fixture.n_ended == 1);
  fake_gateway_down (fixture.fake);
  g_assert_false (wait_end (&fixture));
  g_assert_error (fixture.error, GW_ERROR, GW_ERROR_UNREACHABLE);
  tasks = gw_batch_dup_tasks (fixture.batch);
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 0))->result, ==, "kept");
  g_assert_cmpint (((GwTask *) g_ptr_array_index (tasks, 1))->status, ==, GW_TASK_QUEUED);
  fake_gateway_up (fixture.fake);
  fixture_clear (&fixture);
}

/* Other data at the address is not waited for: the run is not in it. */
static void
test_other_data (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  submit (&fixture, 1);
  follow (&fixture);
  fake_gateway_set (fixture.fake, 0, "running", NULL);
  fake_wait_until (gw_batch_count (fixture.batch, GW_TASK_RUNNING) == 1);
  fake_gateway_down (fixture.fake);
  fake_gateway_wipe (fixture.fake);
  fake_gateway_up (fixture.fake);
  g_assert_false (wait_end (&fixture));
  g_assert_error (fixture.error, GW_ERROR, GW_ERROR_NOT_FOUND);
  fixture_clear (&fixture);
}

static gboolean
tell_reasons (FakeGateway *fake,
              SoupServerMessage *message,
              const char *path,
              gpointer user_data)
{
  Fixture *fixture = user_data;
  GHashTable *query = NULL;
  const char *text = g_uri_get_query (soup_server_message_get_uri (message));
  gboolean asks_queued;
  g_autoptr (GString) page = NULL;

  if (g_str_equal (path, "/providers"))
    {
      fake_reply (message, 200, "{\"providers\":[{\"name\":\"zhipu\",\"waiting\":{\"reason\":"
                                "\"auth\"}},{\"name\":\"other\",\"waiting\":null}]}");
      return TRUE;
    }
  query = text != NULL ? g_uri_parse_params (text, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
  asks_queued = query != NULL && g_strcmp0 (g_hash_table_lookup (query, "status"), "queued") == 0;
  g_clear_pointer (&query, g_hash_table_unref);
  if (!asks_queued)
    return FALSE;

  page = g_string_new ("{\"revision\":1,\"more\":false,\"tasks\":[");
  for (guint i = 0; i < fake_gateway_n_tasks (fake); i++)
    g_string_append_printf (page, "%s{\"task_id\":\"%s\",\"metadata\":{\"waiting\":{\"reason\":"
                                  "\"%s\",\"until\":null}}}", i > 0 ? "," : "",
                            fake_gateway_id (fake, i), fixture->reason);
  g_string_append (page, "]}");
  fake_reply (message, 200, page->str);

  return TRUE;
}

static void
test_stall (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  fixture.reason = "auth";
  fake_gateway_set_hook (fixture.fake, tell_reasons, &fixture);
  submit (&fixture, 2);
  follow (&fixture);
  g_assert_true (wait_end (&fixture));
  g_assert_cmpint (fixture.end, ==, GW_BATCH_STALLED);
  g_assert_nonnull (strstr (gw_batch_get_stall (fixture.batch), "zhipu"));
  g_assert_nonnull (strstr (gw_batch_get_stall (fixture.batch), "auth"));
  fixture_clear (&fixture);
}

/* Waiting for a window or a free slot is no stall. */
static void
test_no_stall (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  fixture.reason = "window";
  fake_gateway_set_hook (fixture.fake, tell_reasons, &fixture);
  submit (&fixture, 1);
  follow (&fixture);
  fake_wait_until (fake_gateway_n_requests (fixture.fake, "GET", "/tasks") >= 3);
  g_assert_null (fixture.followed);
  fake_gateway_set (fixture.fake, 0, "completed", "yes");
  g_assert_true (wait_end (&fixture));
  g_assert_cmpint (fixture.end, ==, GW_BATCH_DONE);
  fixture_clear (&fixture);
}

static void
test_resume (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 3);
  fake_gateway_set (fixture.fake, 1, "completed", "done before");
  gw_batch_resume_async (fixture.batch, "default", FALSE, 0, NULL, fake_store_result, &result);
  fake_wait_until (result != NULL);
  g_assert_true (gw_batch_resume_finish (fixture.batch, result, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (gw_batch_get_n_tasks (fixture.batch), ==, 3);
  g_assert_cmpuint (gw_batch_count (fixture.batch, GW_TASK_COMPLETED), ==, 1);

  follow (&fixture);
  fake_gateway_set (fixture.fake, 0, "completed", "a");
  fake_gateway_set (fixture.fake, 2, "completed", "c");
  g_assert_true (wait_end (&fixture));
  tasks = gw_batch_dup_tasks (fixture.batch);
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 0))->result, ==, "a");
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 1))->result, ==, "done before");
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 2))->content, ==, "task 3");
  g_clear_object (&result);
  fixture_clear (&fixture);
}

static void
test_pause (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  fixture_init (&fixture, FAKE_OURS);
  submit (&fixture, 1);
  gw_batch_pause_async (fixture.batch, NULL, fake_store_result, &result);
  fake_wait_until (result != NULL);
  g_assert_true (gw_batch_pause_finish (fixture.batch, result, &error));
  g_assert_no_error (error);
  path = gw_client_build_path ("projects", gw_batch_get_project_id (fixture.batch), "pause",
                               NULL);
  g_assert_cmpuint (fake_gateway_n_requests (fixture.fake, "POST", path), ==, 1);
  g_clear_object (&result);
  fixture_clear (&fixture);
}

static void
test_minimal (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = NULL;
  gboolean seen[3] = { FALSE };

  fixture_init (&fixture, FAKE_MINIMAL);
  submit (&fixture, 3);
  follow (&fixture);
  fake_wait_until (fake_gateway_n_tasks (fixture.fake) == 3);
  for (guint i = 0; i < 3; i++)
    fake_gateway_set (fixture.fake, i, "complete", "\"x\"");
  g_assert_true (wait_end (&fixture));
  tasks = gw_batch_dup_tasks (fixture.batch);
  for (guint i = 0; i < 3; i++)
    {
      GwTask *task = g_ptr_array_index (tasks, i);
      guint64 id = g_ascii_strtoull (task->task_id, NULL, 10);
      g_autofree char *content = g_strdup_printf ("number %u", i);

      /* The ids are the gateway's, and so is what it has under them. */
      g_assert_cmpuint (id, <, 3);
      g_assert_false (seen[id]);
      seen[id] = TRUE;
      g_assert_cmpstr (task->content, ==, content);
      g_assert_cmpstr (fake_gateway_content (fixture.fake, (guint) id), ==, content);
      g_assert_cmpint (gw_json_peek_int (task->submitted, "row", -1), ==, i);
    }
  fixture_clear (&fixture);
}

static gboolean
forbid (FakeGateway *fake,
        SoupServerMessage *message,
        const char *path,
        gpointer user_data)
{
  fake_reply (message, 401, "{\"detail\":\"Who are you?\"}");

  return TRUE;
}

static void
test_minimal_forbidden (void)
{
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_MINIMAL);
  fake_gateway_set_hook (fixture.fake, forbid, NULL);
  submit (&fixture, 3);
  follow (&fixture);
  g_assert_false (wait_end (&fixture));
  g_assert_error (fixture.error, GW_ERROR, GW_ERROR_FORBIDDEN);
  g_assert_cmpstr (fixture.error->message, ==, "Who are you?");
  g_assert_cmpuint (gw_batch_count (fixture.batch, GW_TASK_FAILED), ==, 0);
  fixture_clear (&fixture);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/batch/done", test_done);
  g_test_add_func ("/batch/removed", test_removed);
  g_test_add_func ("/batch/lost-and-found", test_lost_and_found);
  g_test_add_func ("/batch/lost-for-good", test_lost_for_good);
  g_test_add_func ("/batch/other-data", test_other_data);
  g_test_add_func ("/batch/stall", test_stall);
  g_test_add_func ("/batch/no-stall", test_no_stall);
  g_test_add_func ("/batch/resume", test_resume);
  g_test_add_func ("/batch/pause", test_pause);
  g_test_add_func ("/batch/minimal", test_minimal);
  g_test_add_func ("/batch/minimal-forbidden", test_minimal_forbidden);

  return g_test_run ();
}
