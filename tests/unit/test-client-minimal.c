/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "client-fixture.h"

/* The client of a gateway that has two calls only: a task is submitted, and asked for. */

static GPtrArray *
submit_minimal (Fixture *fixture,
                guint n)
{
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (n);
  g_autoptr (GError) error = NULL;
  GPtrArray *ids;

  gw_client_submit_async (fixture->client, tasks, "mine", 0, NULL, fake_store_result,
                          &fixture->result);
  fixture_wait (fixture);
  ids = gw_client_submit_finish (fixture->client, fixture->result, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&fixture->result);

  return ids;
}

static GwTask *
get_task (Fixture *fixture,
          const char *id)
{
  g_autoptr (GError) error = NULL;
  GwTask *task;

  g_clear_object (&fixture->result);
  gw_client_get_task_async (fixture->client, id, NULL, fake_store_result, &fixture->result);
  fixture_wait (fixture);
  task = gw_client_get_task_finish (fixture->client, fixture->result, &error);
  g_assert_no_error (error);
  g_clear_object (&fixture->result);

  return task;
}

static gboolean
is_final (Fixture *fixture,
          const char *id)
{
  g_autoptr (GwTask) task = get_task (fixture, id);

  if (gw_task_status_is_final (task->status))
    return TRUE;
  g_main_context_iteration (NULL, TRUE);

  return FALSE;
}

static void
test_minimal_limit (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) ids = NULL;

  fixture_init (&fixture, FAKE_MINIMAL);
  gw_client_set_minimal_concurrency (fixture.client, 3);
  ids = submit_minimal (&fixture, 9);
  for (guint done = 0; done < 9; done++)
    {
      fake_wait_until (fake_gateway_n_tasks (fixture.fake) > done);
      fake_gateway_set (fixture.fake, done, done % 2 == 0 ? "Done" : "FAILURE", "\"yes\"");
    }
  for (guint i = 0; i < 9; i++)
    fake_wait_until (is_final (&fixture, g_ptr_array_index (ids, i)));
  g_assert_cmpuint (fake_gateway_max_unfinished (fixture.fake), <=, 3);
  g_assert_cmpuint (fake_gateway_n_requests (fixture.fake, "POST", "/tasks"), ==, 9);
  fixture_clear (&fixture);
}

static gboolean
lose_post (FakeGateway *fake,
           SoupServerMessage *message,
           const char *path,
           gpointer user_data)
{
  if (g_str_equal (soup_server_message_get_method (message), "POST"))
    fixture_lose_answer (message, NULL);

  return FALSE;
}

/* Without a key nothing makes a repetition harmless: the task is unknown, and sent once. */
static void
test_minimal_lost_answer (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GwTask) task = NULL;

  fixture_init (&fixture, FAKE_MINIMAL);
  fake_gateway_set_hook (fixture.fake, lose_post, NULL);
  ids = submit_minimal (&fixture, 1);
  fake_wait_until (is_final (&fixture, g_ptr_array_index (ids, 0)));
  task = get_task (&fixture, g_ptr_array_index (ids, 0));
  g_assert_cmpint (task->status, ==, GW_TASK_FAILED);
  g_assert_cmpint (task->error_code, ==, GW_ERROR_TASK_UNKNOWN);
  g_assert_cmpuint (fake_gateway_n_requests (fixture.fake, "POST", "/tasks"), ==, 1);
  fixture_clear (&fixture);
}

/* Not there yet, on the other hand, loses nothing: it is sent once it is. */
static void
test_minimal_not_reached (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GwTask) task = NULL;

  fixture_init (&fixture, FAKE_MINIMAL);
  fake_gateway_down (fixture.fake);
  gw_client_set_patience (fixture.client, 0);
  ids = submit_minimal (&fixture, 2);
  for (guint i = 0; i < 50; i++)
    g_main_context_iteration (NULL, FALSE);
  fake_gateway_up (fixture.fake);
  fake_wait_until (fake_gateway_n_tasks (fixture.fake) == 2);
  fake_gateway_set (fixture.fake, 0, "finished", "null");
  fake_gateway_set (fixture.fake, 1, "finished", "[1, 2]");
  fake_wait_until (is_final (&fixture, g_ptr_array_index (ids, 0)));
  fake_wait_until (is_final (&fixture, g_ptr_array_index (ids, 1)));
  task = get_task (&fixture, g_ptr_array_index (ids, 1));
  g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
  fixture_clear (&fixture);
}

static void
test_minimal_forgotten (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GwTask) task = NULL;

  fixture_init (&fixture, FAKE_MINIMAL);
  ids = submit_minimal (&fixture, 1);
  fake_wait_until (fake_gateway_n_requests (fixture.fake, "GET", "/tasks/0") > 0);
  fake_gateway_remove (fixture.fake, 0);
  fake_wait_until (is_final (&fixture, g_ptr_array_index (ids, 0)));
  task = get_task (&fixture, g_ptr_array_index (ids, 0));
  g_assert_cmpint (task->status, ==, GW_TASK_FAILED);
  g_assert_cmpint (task->error_code, ==, GW_ERROR_TASK_LOST);
  g_assert_cmpuint (fake_gateway_n_requests (fixture.fake, "GET", "/tasks/0"), >=, 4);
  fixture_clear (&fixture);
}

static void
test_minimal_calls (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) ids = NULL;
  g_autofree char *waiting_path = NULL;
  g_autofree char *sent_path = NULL;
  g_autoptr (JsonObject) cancelled = NULL;
  g_autoptr (JsonObject) refused = NULL;
  g_autoptr (JsonObject) lacking = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_MINIMAL);
  gw_client_set_minimal_concurrency (fixture.client, 1);
  ids = submit_minimal (&fixture, 2);
  sent_path = gw_client_build_path ("tasks", g_ptr_array_index (ids, 0), NULL);
  waiting_path = gw_client_build_path ("tasks", g_ptr_array_index (ids, 1), NULL);

  gw_client_call_async (fixture.client, "DELETE", waiting_path, NULL, NULL, fake_store_result,
                        &fixture.result);
  fixture_wait (&fixture);
  cancelled = gw_client_call_finish (fixture.client, fixture.result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (gw_json_peek_string (cancelled, "status"), ==, "cancelled");

  g_clear_object (&fixture.result);
  gw_client_call_async (fixture.client, "DELETE", sent_path, NULL, NULL, fake_store_result,
                        &fixture.result);
  fixture_wait (&fixture);
  refused = gw_client_call_finish (fixture.client, fixture.result, &error);
  g_assert_null (refused);
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);

  g_clear_error (&error);
  g_clear_object (&fixture.result);
  gw_client_call_async (fixture.client, "GET", "/providers", NULL, NULL, fake_store_result,
                        &fixture.result);
  fixture_wait (&fixture);
  lacking = gw_client_call_finish (fixture.client, fixture.result, &error);
  g_assert_null (lacking);
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  fixture_clear (&fixture);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/client/minimal/limit", test_minimal_limit);
  g_test_add_func ("/client/minimal/lost-answer", test_minimal_lost_answer);
  g_test_add_func ("/client/minimal/not-reached", test_minimal_not_reached);
  g_test_add_func ("/client/minimal/forgotten", test_minimal_forgotten);
  g_test_add_func ("/client/minimal/calls", test_minimal_calls);

  return g_test_run ();
}
