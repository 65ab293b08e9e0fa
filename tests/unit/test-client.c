/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "client-fixture.h"

/* The client of a Gangway: errors, submissions that meet trouble, calls, changes, results. That of
 * a gateway with two calls only is in test-client-minimal.c. */

static void
test_path (void)
{
  g_autofree char *path = gw_client_build_path ("projects", "a/b ?ü", "pause", NULL);

  g_assert_cmpstr (path, ==, "/projects/a%2Fb%20%3F%C3%BC/pause");
}

static void
test_errors (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GwTask) task = NULL;
  g_autoptr (JsonObject) answer = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  gw_client_get_task_async (fixture.client, "no-such-task", NULL, fake_store_result,
                            &fixture.result);
  fixture_wait (&fixture);
  task = gw_client_get_task_finish (fixture.client, fixture.result, &error);
  g_assert_null (task);
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, "There is no such task");

  g_clear_error (&error);
  g_clear_object (&fixture.result);
  fake_gateway_down (fixture.fake);
  gw_client_call_async (fixture.client, "GET", "/health", NULL, NULL, fake_store_result,
                        &fixture.result);
  fixture_wait (&fixture);
  answer = gw_client_call_finish (fixture.client, fixture.result, &error);
  g_assert_null (answer);
  g_assert_error (error, GW_ERROR, GW_ERROR_UNREACHABLE);
  fake_gateway_up (fixture.fake);
  fixture_clear (&fixture);
}

typedef struct {
  guint status;
  const char *body;
  int code;
  const char *message;
} Problem;

static gboolean
say_problem (FakeGateway *fake,
             SoupServerMessage *message,
             const char *path,
             gpointer user_data)
{
  const Problem *problem = user_data;

  fake_reply (message, problem->status, problem->body);

  return TRUE;
}

/* Whatever a gateway or a proxy before it says, it becomes one error with one sentence. */
static void
test_problems (void)
{
  static const Problem problems[] = {
    { 422, "{\"code\":\"invalid\",\"detail\":\"'x' is wrong\"}", GW_ERROR_INVALID,
      "'x' is wrong" },
    { 409, "{\"code\":\"conflict\",\"title\":\"Conflict\"}", GW_ERROR_CONFLICT, "Conflict" },
    { 503, "{\"code\":\"stopping\",\"detail\":\"Soon\"}", GW_ERROR_STOPPING, "Soon" },
    { 422, "{\"detail\":[{\"loc\":[\"body\"]}]}", GW_ERROR_INVALID, NULL },
    { 500, "{\"error\":{\"message\":\"Oh\"}}", GW_ERROR_INTERNAL, "Oh" },
    { 401, "", GW_ERROR_FORBIDDEN, NULL },
    { 502, "<html>Bad Gateway</html>", GW_ERROR_UNAVAILABLE, NULL },
    { 418, "{\"code\":\"timeout\"}", GW_ERROR_INVALID, NULL },
    { 302, "{}", GW_ERROR_NOT_JSON, NULL },
    { 200, "[]", GW_ERROR_NOT_A_GATEWAY, NULL },
    { 200, "{", GW_ERROR_NOT_A_GATEWAY, NULL },
    { 200, "", GW_ERROR_NOT_A_GATEWAY, NULL },
  };
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  for (guint i = 0; i < G_N_ELEMENTS (problems); i++)
    {
      g_autoptr (JsonObject) answer = NULL;
      g_autoptr (GError) error = NULL;

      fake_gateway_set_hook (fixture.fake, say_problem, (gpointer) &problems[i]);
      gw_client_call_async (fixture.client, "GET", "/providers", NULL, NULL, fake_store_result,
                            &fixture.result);
      fixture_wait (&fixture);
      answer = gw_client_call_finish (fixture.client, fixture.result, &error);
      g_assert_null (answer);
      g_test_message ("%u %s", problems[i].status, problems[i].body);
      g_assert_error (error, GW_ERROR, problems[i].code);
      if (problems[i].message != NULL)
        g_assert_cmpstr (error->message, ==, problems[i].message);
      else
        g_assert_cmpuint (strlen (error->message), >, 0);
      g_clear_object (&fixture.result);
    }
  fixture_clear (&fixture);
}

static gboolean
check_token (FakeGateway *fake,
             SoupServerMessage *message,
             const char *path,
             gpointer user_data)
{
  const char *value = soup_message_headers_get_one (
    soup_server_message_get_request_headers (message), "Authorization");

  if (g_strcmp0 (value, "Bearer secret") == 0)
    return FALSE;
  fake_reply (message, 403, "{\"code\":\"forbidden\"}");

  return TRUE;
}

static void
test_submit (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (3);
  g_autoptr (GPtrArray) ids = NULL;
  g_autofree char *project_id = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_set_hook (fixture.fake, check_token, NULL);
  gw_client_submit_async (fixture.client, tasks, "über", 5, NULL, fake_store_result,
                          &fixture.result);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, &project_id, &error);
  g_assert_no_error (error);
  g_assert_nonnull (project_id);
  g_assert_cmpuint (ids->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpstr (g_ptr_array_index (ids, i), ==, fake_gateway_id (fixture.fake, i));
      g_assert_cmpstr (gw_json_peek_string (g_ptr_array_index (tasks, i), "content"), ==,
                       fake_gateway_content (fixture.fake, i));
    }
  fixture_clear (&fixture);
}

static void
test_submit_nothing (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (0);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  gw_client_submit_async (fixture.client, tasks, NULL, 0, NULL, fake_store_result,
                          &fixture.result);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
  g_assert_null (ids);
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
  fixture_clear (&fixture);
}

/* More than one call may hold: several calls, each with its own key, one list of ids. */
static void
test_submit_split (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (GW_BATCH_MAX_TASKS + 7);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  gw_client_submit_async (fixture.client, tasks, "many", 0, NULL, fake_store_result,
                          &fixture.result);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ids->len, ==, tasks->len);
  g_assert_cmpuint (fake_gateway_n_tasks (fixture.fake), ==, tasks->len);
  g_assert_cmpuint (fake_gateway_n_requests (fixture.fake, "POST", "/tasks/batch"), ==, 2);
  g_assert_cmpstr (g_ptr_array_index (ids, tasks->len - 1), ==,
                   fake_gateway_id (fixture.fake, tasks->len - 1));
  fixture_clear (&fixture);
}

static gboolean
misbehave (FakeGateway *fake,
           SoupServerMessage *message,
           const char *path,
           gpointer user_data)
{
  Fixture *fixture = user_data;

  if (!g_str_equal (soup_server_message_get_method (message), "POST"))
    return FALSE;
  if (fixture->n_refused > 0)
    {
      fixture->n_refused--;
      soup_message_headers_append (soup_server_message_get_response_headers (message),
                                   "Retry-After", "1");
      fake_reply (message, fixture->status, "{\"detail\":\"Later\"}");
      return TRUE;
    }
  if (fixture->n_lost > 0)
    {
      fixture->n_lost--;
      /* It is acted upon, and the connection breaks before the answer is out. */
      g_signal_connect (message, "wrote-headers", G_CALLBACK (fixture_lose_answer), NULL);
      fixture_lose_answer (message, NULL);
    }

  return FALSE;
}

/* The answer is lost, the key makes the repetition harmless: once in the gateway, ids as ever. */
static void
test_lost_answer (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (2);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fixture.n_lost = 2;
  fake_gateway_set_hook (fixture.fake, misbehave, &fixture);
  gw_client_submit_async (fixture.client, tasks, "p", 0, NULL, fake_store_result,
                          &fixture.result);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ids->len, ==, 2);
  g_assert_cmpuint (fake_gateway_n_tasks (fixture.fake), ==, 2);
  g_assert_cmpuint (fake_gateway_n_requests (fixture.fake, "POST", "/tasks/batch"), ==, 3);
  fixture_clear (&fixture);
}

static void
test_refused_for_now (void)
{
  static const guint statuses[] = { 429, 503, 500 };

  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      Fixture fixture = { 0 };
      g_autoptr (GPtrArray) tasks = fixture_make_tasks (1);
      g_autoptr (GPtrArray) ids = NULL;
      g_autoptr (GError) error = NULL;

      fixture_init (&fixture, FAKE_OURS);
      fixture.n_refused = 1;
      fixture.status = statuses[i];
      fake_gateway_set_hook (fixture.fake, misbehave, &fixture);
      gw_client_submit_async (fixture.client, tasks, "p", 0, NULL, fake_store_result,
                              &fixture.result);
      fixture_wait (&fixture);
      ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (ids->len, ==, 1);
      fixture_clear (&fixture);
    }
}

/* Patience has an end, and what is wrong in itself is not repeated at all. */
static void
test_refused_for_good (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (1);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  gw_client_set_patience (fixture.client, 2);
  fixture.n_refused = G_MAXUINT;
  fixture.status = 429;
  fake_gateway_set_hook (fixture.fake, misbehave, &fixture);
  gw_client_submit_async (fixture.client, tasks, "p", 0, NULL, fake_store_result,
                          &fixture.result);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
  g_assert_null (ids);
  g_assert_error (error, GW_ERROR, GW_ERROR_QUEUE_FULL);
  g_assert_cmpuint (fake_gateway_n_requests (fixture.fake, "POST", "/tasks/batch"), >, 1);

  g_clear_error (&error);
  g_clear_object (&fixture.result);
  fixture.status = 422;
  fixture.n_refused = 1;
  gw_client_submit_async (fixture.client, tasks, "p", 0, NULL, fake_store_result,
                          &fixture.result);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
  g_assert_null (ids);
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "Later");
  fixture_clear (&fixture);
}

/* A gateway that moves while a submission is being repeated is followed there. */
static void
test_moved (void)
{
  Fixture fixture = { 0 };
  FakeGateway *other = fake_gateway_new (FAKE_OURS);
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (1);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_down (fixture.fake);
  gw_client_submit_async (fixture.client, tasks, "p", 0, NULL, fake_store_result,
                          &fixture.result);
  fake_turn ();
  gw_client_set_endpoint (fixture.client, fake_gateway_uri (other), NULL);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fake_gateway_n_tasks (other), ==, 1);
  fake_gateway_free (other);
  fake_gateway_up (fixture.fake);
  fixture_clear (&fixture);
}

static void
test_cancel (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) tasks = fixture_make_tasks (1);
  g_autoptr (GwChanges) changes = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  gw_client_get_changes_async (fixture.client, TRUE, 0, 60, NULL, NULL, cancellable,
                               fake_store_result, &fixture.result);
  fake_wait_until (fake_gateway_n_requests (fixture.fake, "GET", "/tasks") == 1);
  g_assert_null (fixture.result);
  g_cancellable_cancel (cancellable);
  fixture_wait (&fixture);
  changes = gw_client_get_changes_finish (fixture.client, fixture.result, &error);
  g_assert_null (changes);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* Also in the pause before a repetition. */
  g_clear_error (&error);
  g_clear_object (&fixture.result);
  g_cancellable_reset (cancellable);
  fake_gateway_down (fixture.fake);
  gw_client_set_patience (fixture.client, 600);
  gw_client_submit_async (fixture.client, tasks, "p", 0, cancellable, fake_store_result,
                          &fixture.result);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  g_cancellable_cancel (cancellable);
  fixture_wait (&fixture);
  ids = gw_client_submit_finish (fixture.client, fixture.result, NULL, &error);
  g_assert_null (ids);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  fake_gateway_up (fixture.fake);
  fixture_clear (&fixture);
}

static void
test_changes (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GwChanges) first = NULL;
  g_autoptr (GwChanges) second = NULL;
  g_autoptr (GwChanges) beyond = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 700);
  gw_client_get_changes_async (fixture.client, FALSE, 0, 0, NULL, NULL, NULL, fake_store_result,
                               &fixture.result);
  fixture_wait (&fixture);
  first = gw_client_get_changes_finish (fixture.client, fixture.result, &error);
  g_assert_no_error (error);
  g_assert_true (first->more);
  g_assert_cmpuint (first->tasks->len, ==, 500);
  g_assert_nonnull (first->store);

  g_clear_object (&fixture.result);
  gw_client_get_changes_async (fixture.client, TRUE, first->revision, 30, NULL, NULL, NULL,
                               fake_store_result, &fixture.result);
  fixture_wait (&fixture);
  second = gw_client_get_changes_finish (fixture.client, fixture.result, &error);
  g_assert_no_error (error);
  g_assert_false (second->more);
  g_assert_cmpuint (second->tasks->len, ==, 200);
  g_assert_cmpuint (second->projects->len, ==, 1);
  g_assert_cmpuint (second->revision, ==, fake_gateway_revision (fixture.fake));

  g_clear_object (&fixture.result);
  gw_client_get_changes_async (fixture.client, TRUE, second->revision + 1, 30, NULL, NULL, NULL,
                               fake_store_result, &fixture.result);
  fixture_wait (&fixture);
  beyond = gw_client_get_changes_finish (fixture.client, fixture.result, &error);
  g_assert_no_error (error);
  g_assert_true (beyond->reset);
  fixture_clear (&fixture);
}

/* Pages of a shape that no gateway of ours sends are an error, never a crash. */
static void
test_strange_pages (void)
{
  static const Problem pages[] = {
    { 200, "{}", GW_ERROR_INVALID, NULL },
    { 200, "{\"revision\":\"1\"}", GW_ERROR_INVALID, NULL },
    { 200, "{\"revision\":-1}", GW_ERROR_INVALID, NULL },
    { 200, "{\"revision\":1,\"tasks\":[1]}", GW_ERROR_NOT_A_GATEWAY, NULL },
    { 200, "{\"revision\":1,\"projects\":[[]]}", GW_ERROR_NOT_A_GATEWAY, NULL },
    { 200, "nonsense", GW_ERROR_NOT_A_GATEWAY, NULL },
  };
  Fixture fixture = { 0 };

  fixture_init (&fixture, FAKE_OURS);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_autoptr (GwChanges) changes = NULL;
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", pages[i].body);
      fake_gateway_set_hook (fixture.fake, say_problem, (gpointer) &pages[i]);
      gw_client_get_changes_async (fixture.client, FALSE, 0, 0, NULL, NULL, NULL,
                                   fake_store_result, &fixture.result);
      fixture_wait (&fixture);
      changes = gw_client_get_changes_finish (fixture.client, fixture.result, &error);
      g_assert_null (changes);
      g_assert_error (error, GW_ERROR, pages[i].code);
      g_clear_object (&fixture.result);
    }
  fixture_clear (&fixture);
}

static void
test_results (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, FAKE_OURS);
  fake_gateway_add (fixture.fake, 3000);
  fake_gateway_set (fixture.fake, 2, "completed", "line 1\nline 2");
  gw_client_get_results_async (fixture.client, "any", NULL, fake_store_result, &fixture.result);
  fixture_wait (&fixture);
  tasks = gw_client_get_results_finish (fixture.client, fixture.result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tasks->len, ==, 3000);
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 2))->result, ==, "line 1\nline 2");
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (tasks, 2999))->content, ==, "task 3000");
  fixture_clear (&fixture);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/client/path", test_path);
  g_test_add_func ("/client/errors", test_errors);
  g_test_add_func ("/client/problems", test_problems);
  g_test_add_func ("/client/submit", test_submit);
  g_test_add_func ("/client/submit-nothing", test_submit_nothing);
  g_test_add_func ("/client/submit-split", test_submit_split);
  g_test_add_func ("/client/lost-answer", test_lost_answer);
  g_test_add_func ("/client/refused-for-now", test_refused_for_now);
  g_test_add_func ("/client/refused-for-good", test_refused_for_good);
  g_test_add_func ("/client/moved", test_moved);
  g_test_add_func ("/client/cancel", test_cancel);
  g_test_add_func ("/client/changes", test_changes);
  g_test_add_func ("/client/strange-pages", test_strange_pages);
  g_test_add_func ("/client/results", test_results);

  return g_test_run ();
}
