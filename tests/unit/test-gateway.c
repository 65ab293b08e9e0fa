/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every line of the contract's HTTP table, over the real queue; the test itself plays the worker.
 * How the gateway treats connections and bodies is in test-gateway-http.c.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "gw-config.h"
#include "gw-json.h"

#include "gateway/gw-gateway.h"
#include "queue/gw-queue-providers.h"
#include "queue/gw-sqlite-queue.h"
#include "raw-client.h"

#define NOWHERE "0191e0a0-0000-7000-8000-000000000000"

typedef struct {
  char *folder;
  GwConfig *config;
  GwClock *clock;
  GwQueue *queue;
  GwCatalogue *catalogue;
  GwGateway *gateway;
  const char *uri;
} Fixture;

static void
take_result_cb (GObject *source,
                GAsyncResult *result,
                gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);

  return *result;
}

static void
set_up (Fixture *fixture,
        gconstpointer data)
{
  static const char conf[] = "[provider one]\nkind=openai\nbase-url=http://127.0.0.1:9/v1\n"
                             "model=model-1\nmax-concurrency=2\nenabled=true\n";
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) providers = NULL;
  g_autoptr (GAsyncResult) loaded = NULL, set = NULL;
  GwSqliteQueueOptions options = { .max_concurrency = 10, .max_attempts = 3 };

  fixture->folder = g_dir_make_tmp ("gangway-gateway-XXXXXX", &error);
  g_assert_no_error (error);
  path = g_build_filename (fixture->folder, "gangway.conf", NULL);
  g_assert_true (g_file_set_contents (path, conf, -1, &error));
  fixture->config = gw_config_load (path, &error);
  g_assert_no_error (error);
  fixture->clock = gw_clock_new ();
  options.data_dir = fixture->folder;
  options.clock = fixture->clock;
  fixture->queue = GW_QUEUE (gw_sqlite_queue_new (&options, &error));
  g_assert_no_error (error);
  fixture->catalogue = gw_catalogue_new (fixture->config);
  gw_catalogue_load_async (fixture->catalogue, NULL, take_result_cb, &loaded);
  g_assert_true (gw_catalogue_load_finish (fixture->catalogue, wait_for (&loaded), &error));
  providers = gw_queue_providers_new (fixture->catalogue, NULL);
  gw_queue_set_providers_async (fixture->queue, providers, TRUE, take_result_cb, &set);
  g_strfreev (gw_queue_set_providers_finish (fixture->queue, wait_for (&set), &error));
  g_assert_no_error (error);

  fixture->gateway = gw_gateway_new (
      &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon",
                           .data_dir = fixture->folder },
      fixture->queue, fixture->catalogue);
  g_assert_true (gw_gateway_start (fixture->gateway, &error));
  fixture->uri = gw_gateway_get_uri (fixture->gateway);
}

static void
tear_down (Fixture *fixture,
           gconstpointer data)
{
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;

  gw_gateway_stop (fixture->gateway);
  g_assert_finalize_object (fixture->gateway);
  gw_queue_close_async (fixture->queue, take_result_cb, &closed);
  g_assert_true (gw_queue_close_finish (fixture->queue, wait_for (&closed), &error));
  g_clear_object (&closed);
  g_object_unref (fixture->queue);
  g_object_unref (fixture->catalogue);
  gw_config_free (fixture->config);
  gw_clock_unref (fixture->clock);
  dir = g_dir_open (fixture->folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
}

static RawReply *
ask (Fixture *fixture,
     const char *method,
     const char *path,
     const char *body)
{
  RawReply *reply = raw_request (fixture->uri, method, path, NULL, body);

  g_test_message ("%s %s %s: %u %.300s", method, path, body != NULL ? body : "", reply->status,
                  reply->body->str);

  return reply;
}

static RawReply *
ask_about (Fixture *fixture,
           const char *method,
           const char *before,
           const char *id,
           const char *after,
           const char *body)
{
  g_autofree char *path = g_strconcat (before, id, after, NULL);

  return ask (fixture, method, path, body);
}

static JsonObject *
assert_ok (RawReply *reply)
{
  g_assert_cmpuint (reply->status, ==, 200);

  return raw_object (reply);
}

static void
refuse (Fixture *fixture,
        const char *method,
        const char *path,
        const char *body,
        guint status,
        const char *code,
        const char *detail)
{
  g_autoptr (RawReply) reply = ask (fixture, method, path, body);

  raw_assert_problem (reply, status, code, detail);
}

static char *
submit (Fixture *fixture,
        const char *body)
{
  g_autoptr (RawReply) reply = ask (fixture, "POST", "/tasks", body);

  return g_strdup (gw_json_peek_string (assert_ok (reply), "task_id"));
}

/* Takes one task as a lane would; NULL: there is none to take. */
static GwGrant *
claim (Fixture *fixture)
{
  GwClaim question = { .provider = "one", .worker = "test", .slot = 0 };
  g_autoptr (GAsyncResult) claimed = NULL;
  g_autoptr (GError) error = NULL;
  GwGrant *grant;

  gw_queue_claim_async (fixture->queue, &question, take_result_cb, &claimed);
  grant = gw_queue_claim_finish (fixture->queue, wait_for (&claimed), &error);
  g_assert_no_error (error);
  if (grant->task_id == NULL)
    g_clear_pointer (&grant, gw_grant_free);

  return grant;
}

static void
finish (Fixture *fixture,
        GwGrant *grant,
        GwReply *reply)
{
  g_autoptr (GAsyncResult) finished = NULL;
  g_autoptr (GError) error = NULL;
  GwFinishResult result;

  reply->sent_at = gw_clock_now (fixture->clock);
  reply->ended_at = reply->sent_at + 5;
  gw_queue_finish_async (fixture->queue, grant->attempt, reply, take_result_cb, &finished);
  g_assert_true (gw_queue_finish_finish (fixture->queue, wait_for (&finished), &result, &error));
  g_assert_no_error (error);
  gw_grant_free (grant);
  gw_reply_free (reply);
}

static void
answer_one (Fixture *fixture,
            const char *result)
{
  GwGrant *grant = claim (fixture);
  GwReply *reply = gw_reply_new ();

  g_assert_nonnull (grant);
  reply->act = GW_REPLY_ANSWER;
  reply->result = g_strdup (result);
  reply->model = g_strdup ("model-1");
  finish (fixture, grant, reply);
}

static void
fail_one (Fixture *fixture)
{
  GwGrant *grant = claim (fixture);
  GwReply *reply = gw_reply_new ();

  g_assert_nonnull (grant);
  gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED, "No.");
  finish (fixture, grant, reply);
}

static void
test_task (Fixture *fixture,
           gconstpointer data)
{
  g_autofree char *task_id = submit (fixture, "{\"content\":\"hello\",\"metadata\":{\"row\":7}}");
  g_autoptr (RawReply) queued = ask_about (fixture, "GET", "/tasks/", task_id, "", NULL);
  g_autoptr (RawReply) done = NULL, attempts = NULL, journal = NULL;
  JsonObject *task = assert_ok (queued);

  g_assert_cmpstr (gw_json_peek_string (task, "status"), ==, "queued");
  g_assert_true (json_object_get_null_member (task, "result"));
  g_assert_true (json_object_get_null_member (gw_json_peek_object (task, "metadata"), "model"));
  g_assert_cmpint (gw_json_peek_int (gw_json_peek_object (task, "metadata"), "row", 0), ==, 7);

  answer_one (fixture, "bonjour \xe2\x9c\x93");
  done = ask_about (fixture, "GET", "/tasks/", task_id, "", NULL);
  task = assert_ok (done);
  g_assert_cmpstr (gw_json_peek_string (task, "status"), ==, "completed");
  g_assert_cmpstr (gw_json_peek_string (task, "result"), ==, "bonjour \xe2\x9c\x93");
  g_assert_cmpstr (gw_json_peek_string (gw_json_peek_object (task, "metadata"), "model"), ==,
                   "model-1");
  g_assert_nonnull (strstr (done->body->str, "bonjour \xe2\x9c\x93"));

  attempts = ask_about (fixture, "GET", "/tasks/", task_id, "/attempts", NULL);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (attempts), "attempts")), ==,
                    1);
  journal = ask (fixture, "GET", "/attempts?since=0&limit=10", NULL);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (journal), "attempts")), ==,
                    1);

  refuse (fixture, "GET", "/tasks/" NOWHERE, NULL, 404, "not-found", NULL);
  refuse (fixture, "GET", "/tasks/a%20b", NULL, 404, "not-found", NULL);
  refuse (fixture, "GET", "/tasks/" NOWHERE "/attempts", NULL, 404, "not-found", NULL);
  refuse (fixture, "GET", "/attempts?since=x", NULL, 422, "invalid", "since");
  refuse (fixture, "GET", "/attempts?limit=0", NULL, 422, "invalid", "limit");
  refuse (fixture, "POST", "/tasks", "{\"content\":\"a\",\"provider\":\"nobody\"}", 422, "invalid",
          "provider");
  refuse (fixture, "POST", "/tasks", "{\"content\":\"a\",\"model\":\"nothing\"}", 422, "invalid",
          "model");
  refuse (fixture, "POST", "/tasks", "{\"content\":\"a\",\"project\":\"" NOWHERE "\"}", 404,
          "not-found", NULL);
}

static void
test_batch (Fixture *fixture,
            gconstpointer data)
{
  static const struct {
    const char *body;
    guint status;
    const char *code;
    const char *detail;
  } wrong[] = {
    { "{}", 422, "invalid", "tasks" },
    { "{\"tasks\":[]}", 422, "invalid", "tasks" },
    { "{\"tasks\":\"a\"}", 422, "invalid", "tasks" },
    { "{\"tasks\":[\"a\",5]}", 422, "invalid", "tasks[1]" },
    { "{\"tasks\":[\"a\",null]}", 422, "invalid", "tasks[1]" },
    { "{\"tasks\":[\"a\",\" \"]}", 422, "invalid", "tasks[1]" },
    { "{\"tasks\":[\"a\",{\"priority\":1}]}", 422, "invalid", "content" },
    { "{\"tasks\":[{\"content\":\"a\",\"project\":\"q\"}],\"project\":\"p\"}", 422, "invalid",
      "project" },
    { "{\"tasks\":[\"a\"],\"concurrency\":0}", 422, "invalid", "concurrency" },
    { "{\"tasks\":[\"a\"],\"concurrency\":10001}", 422, "invalid", "concurrency" },
    { "{\"tasks\":[\"a\"],\"concurrency\":\"1\"}", 422, "invalid", "concurrency" },
  };
  g_autoptr (RawReply) right = NULL, project = NULL, feed = NULL;
  g_autoptr (GString) large = g_string_new ("{\"project\":\"large\",\"tasks\":[\"a\"");
  JsonObject *object;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    refuse (fixture, "POST", "/tasks/batch", wrong[i].body, wrong[i].status, wrong[i].code,
            wrong[i].detail);
  feed = ask (fixture, "GET", "/tasks", NULL);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (feed), "tasks")), ==, 0);

  right = ask (fixture, "POST", "/tasks/batch",
               "{\"tasks\":[\"a\",{\"content\":\"b\",\"project\":\"p\",\"priority\":5}],"
               "\"project\":\"p\",\"concurrency\":3}");
  object = assert_ok (right);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (object, "task_ids")), ==, 2);
  project = ask_about (fixture, "GET", "/projects/", gw_json_peek_string (object, "project_id"), "",
                       NULL);
  g_assert_cmpint (gw_json_peek_int (assert_ok (project), "concurrency", 0), ==, 3);

  /* Over the size that the parse thread takes. */
  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (large, ",{\"content\":\"task number %u of a large batch, with a text\"}", i);
  g_string_append (large, "]}");
  {
    g_autoptr (RawReply) reply = raw_request (fixture->uri, "POST", "/tasks/batch", NULL, large->str);
    g_autoptr (RawReply) broken = NULL;

    g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (reply), "task_ids")), ==,
                      5001);
    g_string_truncate (large, large->len - 2);
    broken = raw_request (fixture->uri, "POST", "/tasks/batch", NULL, large->str);
    raw_assert_problem (broken, 400, "not-json", NULL);
  }
}

static void
test_idempotency (Fixture *fixture,
                  gconstpointer data)
{
  static const char key[] = "Idempotency-Key: key 1\r\n";
  g_autoptr (RawReply) first = raw_request (fixture->uri, "POST", "/tasks", key,
                                            "{\"content\":\"once\"}");
  g_autoptr (RawReply) again = NULL, other = NULL, elsewhere = NULL;

  answer_one (fixture, "done");
  again = raw_request (fixture->uri, "POST", "/tasks", key, "{\"content\":\"once\"}");
  g_assert_cmpstr (gw_json_peek_string (assert_ok (again), "task_id"), ==,
                   gw_json_peek_string (assert_ok (first), "task_id"));
  g_assert_cmpstr (gw_json_peek_string (raw_object (again), "status"), ==, "completed");
  other = raw_request (fixture->uri, "POST", "/tasks", key, "{\"content\": \"once\"}");
  raw_assert_problem (other, 409, "conflict", NULL);
  elsewhere = raw_request (fixture->uri, "POST", "/tasks/batch", key, "{\"tasks\":[\"once\"]}");
  raw_assert_problem (elsewhere, 409, "conflict", NULL);
}

static void
test_cancel_and_retry (Fixture *fixture,
                       gconstpointer data)
{
  g_autofree char *task_id = submit (fixture, "{\"content\":\"a\"}");
  g_autofree char *path = g_strconcat ("/tasks/", task_id, NULL);
  g_autofree char *retry = g_strconcat (path, "/retry", NULL);
  g_autoptr (RawReply) cancelled = NULL, retried = NULL, again = NULL;

  refuse (fixture, "POST", retry, NULL, 409, "conflict", NULL);
  cancelled = ask (fixture, "DELETE", path, NULL);
  g_assert_cmpstr (gw_json_peek_string (assert_ok (cancelled), "status"), ==, "cancelled");
  refuse (fixture, "DELETE", path, NULL, 409, "conflict", NULL);
  refuse (fixture, "DELETE", "/tasks/" NOWHERE, NULL, 404, "not-found", NULL);
  refuse (fixture, "POST", retry, "{\"provider\":\"nobody\"}", 422, "invalid", "provider");
  refuse (fixture, "POST", retry, "{\"provider\":7}", 422, "invalid", "provider");
  refuse (fixture, "POST", retry, "[]", 422, "invalid", NULL);
  refuse (fixture, "POST", retry, "x", 400, "not-json", NULL);
  refuse (fixture, "POST", "/tasks/" NOWHERE "/retry", NULL, 404, "not-found", NULL);
  retried = ask (fixture, "POST", retry, "{\"provider\":\"one\"}");
  g_assert_cmpstr (gw_json_peek_string (assert_ok (retried), "status"), ==, "queued");
  fail_one (fixture);
  again = ask (fixture, "POST", retry, NULL);
  g_assert_cmpstr (gw_json_peek_string (assert_ok (again), "status"), ==, "queued");
}

static void
test_remove (Fixture *fixture,
             gconstpointer data)
{
  g_autofree char *task_id = submit (fixture, "{\"content\":\"a\"}");
  g_autofree char *body = g_strdup_printf ("{\"task_ids\":[\"%s\",\"" NOWHERE "\",\"no id\"]}",
                                           task_id);
  g_autoptr (RawReply) cancelled = ask_about (fixture, "DELETE", "/tasks/", task_id, "", NULL);
  g_autoptr (RawReply) removed = ask (fixture, "POST", "/tasks/remove", body);
  g_autoptr (RawReply) restored = NULL;

  g_assert_cmpuint (cancelled->status, ==, 200);
  g_assert_cmpint (gw_json_peek_int (assert_ok (removed), "changed", -1), ==, 1);
  restored = ask (fixture, "POST", "/tasks/restore", body);
  g_assert_cmpint (gw_json_peek_int (assert_ok (restored), "changed", -1), ==, 1);
  refuse (fixture, "POST", "/tasks/remove", NULL, 400, "not-json", NULL);
  refuse (fixture, "POST", "/tasks/remove", "{}", 422, "invalid", "task_ids");
  refuse (fixture, "POST", "/tasks/restore", "{\"task_ids\":\"a\"}", 422, "invalid", "task_ids");
  refuse (fixture, "POST", "/tasks/restore", "{\"task_ids\":[1]}", 422, "invalid", "task_ids");
}

static void
test_projects (Fixture *fixture,
               gconstpointer data)
{
  g_autofree char *task_id G_GNUC_UNUSED =
    submit (fixture, "{\"content\":\"a\",\"project\":\"My project\"}");
  g_autofree char *other G_GNUC_UNUSED =
    submit (fixture, "{\"content\":\"b\",\"project\":\"taken\"}");
  static const char path[] = "/projects/My%20project";
  g_autoptr (RawReply) list = ask (fixture, "GET", "/projects?limit=1", NULL);
  g_autoptr (RawReply) one = ask (fixture, "GET", path, NULL);
  g_autoptr (RawReply) patched = NULL, none = NULL;
  static const char *const verbs[] = { "pause", "resume", "cancel", "retry" };

  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (list), "projects")), ==, 1);
  g_assert_true (gw_json_peek_boolean (raw_object (list), "more", FALSE));
  g_assert_cmpstr (gw_json_peek_string (assert_ok (one), "name"), ==, "My project");

  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      g_autoptr (RawReply) plain = ask_about (fixture, "POST", path, "/", verbs[i], NULL);
      g_autoptr (RawReply) with_body = ask_about (fixture, "POST", path, "/", verbs[i], "{}");
      g_autofree char *nowhere = g_strconcat ("/projects/" NOWHERE "/", verbs[i], NULL);
      g_autofree char *here = g_strconcat (path, "/", verbs[i], NULL);

      g_assert_cmpint (gw_json_peek_int (assert_ok (plain), "changed", -1), >=, 0);
      g_assert_cmpint (gw_json_peek_int (assert_ok (with_body), "changed", -1), >=, 0);
      refuse (fixture, "POST", nowhere, NULL, 404, "not-found", NULL);
      refuse (fixture, "POST", here, "[]", 422, "invalid", NULL);
    }
  refuse (fixture, "POST", "/projects/taken/retry", "{\"code\":\"nothing\"}", 422, "invalid", "code");
  refuse (fixture, "POST", "/projects/taken/retry", "{\"code\":\"conflict\"}", 422, "invalid", "code");

  refuse (fixture, "PATCH", path, "{\"name\":\"taken\"}", 409, "conflict", NULL);
  refuse (fixture, "PATCH", path, "{\"name\":null}", 422, "invalid", "name");
  refuse (fixture, "PATCH", path, "{\"name\":\"\"}", 422, "invalid", "name");
  refuse (fixture, "PATCH", path, "{\"name\":\"" NOWHERE "\"}", 422, "invalid", "name");
  refuse (fixture, "PATCH", path, "{\"concurrency\":0}", 422, "invalid", "concurrency");
  refuse (fixture, "PATCH", path, "{\"paused\":1}", 422, "invalid", "paused");
  refuse (fixture, "PATCH", path, NULL, 400, "not-json", NULL);
  refuse (fixture, "PATCH", "/projects/" NOWHERE, "{}", 404, "not-found", NULL);
  patched = ask (fixture, "PATCH", path, "{\"name\":\"Other\",\"concurrency\":1,\"paused\":true}");
  g_assert_cmpstr (gw_json_peek_string (assert_ok (patched), "name"), ==, "Other");
  g_assert_true (gw_json_peek_boolean (raw_object (patched), "paused", FALSE));
  none = ask (fixture, "PATCH", "/projects/Other", "{\"concurrency\":null}");
  g_assert_true (json_object_get_null_member (assert_ok (none), "concurrency"));

  refuse (fixture, "GET", "/projects/" NOWHERE, NULL, 404, "not-found", NULL);
  refuse (fixture, "GET", "/projects?limit=x", NULL, 422, "invalid", "limit");
  {
    g_autoptr (RawReply) removed = ask (fixture, "DELETE", "/projects/Other", NULL);

    g_assert_cmpuint (removed->status, ==, 200);
  }
  refuse (fixture, "DELETE", "/projects/Other", NULL, 404, "not-found", NULL);
  {
    GwGrant *grant = claim (fixture);

    g_assert_nonnull (grant);
    refuse (fixture, "DELETE", "/projects/taken", NULL, 409, "conflict", NULL);
    gw_grant_free (grant);
  }
}

static void
test_results (Fixture *fixture,
              gconstpointer data)
{
  g_autoptr (RawReply) batch = NULL, json = NULL, failed = NULL, csv = NULL, md = NULL;
  JsonArray *tasks;

  batch = ask (fixture, "POST", "/tasks/batch",
               "{\"project\":\"r\",\"concurrency\":1,\"tasks\":["
               "{\"content\":\"one\",\"metadata\":{\"row\":1}},\"two, \\\"quoted\\\"\",\"three\"]}");
  g_assert_cmpuint (batch->status, ==, 200);
  answer_one (fixture, "first");
  fail_one (fixture);
  answer_one (fixture, "third");

  json = ask (fixture, "GET", "/projects/r/results", NULL);
  g_assert_cmpuint (json->status, ==, 200);
  tasks = json_node_get_array (json->json);
  g_assert_cmpuint (json_array_get_length (tasks), ==, 3);
  g_assert_cmpstr (gw_json_peek_string (json_array_get_object_element (tasks, 0), "result"), ==,
                   "first");
  failed = ask (fixture, "GET", "/projects/r/results?status=failed&format=jsonl", NULL);
  g_assert_cmpstr (gw_json_peek_string (assert_ok (failed), "content"), ==, "two, \"quoted\"");
  csv = ask (fixture, "GET", "/projects/r/results?format=csv", NULL);
  g_assert_true (g_str_has_prefix (csv->body->str,
                                   "index,task_id,status,content,result,error_code,error_message,"
                                   "model,provider,attempts,created_at,finished_at,duration_ms,row\n"));
  md = ask (fixture, "GET", "/projects/r/results?format=md", NULL);
  g_assert_true (g_str_has_prefix (md->body->str, "#"));
  refuse (fixture, "GET", "/projects/r/results?format=xml", NULL, 422, "invalid", "format");
  refuse (fixture, "GET", "/projects/r/results?status=x", NULL, 422, "invalid", "status");
  refuse (fixture, "GET", "/projects/" NOWHERE "/results", NULL, 404, "not-found", NULL);
}

static void
test_providers (Fixture *fixture,
                gconstpointer data)
{
  static const struct {
    const char *body;
    const char *name;
  } wrong[] = {
    { "{\"kind\":\"x\"}", "kind" },
    { "{\"enabled\":1}", "enabled" },
    { "{\"max_concurrency\":0}", "max_concurrency" },
    { "{\"requests_per_minute\":-1}", "requests_per_minute" },
    { "{\"timeout_seconds\":\"a\"}", "timeout_seconds" },
    { "{\"latency\":\"a\"}", "latency" },
    { "{\"command\":\"a 'b\"}", "command" },
    { "{\"key\":1}", "key" },
  };
  g_autoptr (RawReply) all = ask (fixture, "GET", "/providers", NULL);
  g_autoptr (RawReply) one = ask (fixture, "GET", "/providers/one", NULL);
  g_autoptr (RawReply) put = NULL, again = NULL, test = NULL, resumed = NULL, removed = NULL;

  /* That there is no keyring here is a warning. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (all), "providers")), >=, 2);
  g_assert_cmpint (gw_json_peek_int (assert_ok (one), "max_concurrency", 0), ==, 2);
  refuse (fixture, "GET", "/providers/nobody", NULL, 404, "not-found", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    refuse (fixture, "PUT", "/providers/one", wrong[i].body, 422, "invalid", wrong[i].name);
  refuse (fixture, "PUT", "/providers/one", NULL, 400, "not-json", NULL);

  put = ask (fixture, "PUT", "/providers/one",
             "{\"max_concurrency\":4,\"requests_per_minute\":30,\"key\":\"sk-very-secret\"}");
  g_assert_cmpint (gw_json_peek_int (assert_ok (put), "max_concurrency", 0), ==, 4);
  again = ask (fixture, "GET", "/providers/one", NULL);
  g_assert_cmpint (gw_json_peek_int (assert_ok (again), "requests_per_minute", 0), ==, 30);
  g_assert_cmpstr (gw_json_peek_string (raw_object (again), "model"), ==, "model-1");
  g_assert_null (strstr (put->body->str, "secret"));
  g_assert_null (strstr (again->body->str, "secret"));

  /* Nobody listens there: it works to be told so. */
  test = ask (fixture, "POST", "/providers/one/test", NULL);
  g_assert_false (gw_json_peek_boolean (assert_ok (test), "ok", TRUE));
  g_assert_nonnull (gw_json_peek_string (gw_json_peek_object (raw_object (test), "error"), "code"));
  refuse (fixture, "POST", "/providers/nobody/test", NULL, 404, "not-found", NULL);
  resumed = ask (fixture, "POST", "/providers/one/resume", NULL);
  g_assert_cmpuint (resumed->status, ==, 200);
  refuse (fixture, "POST", "/providers/nobody/resume", NULL, 404, "not-found", NULL);

  removed = ask (fixture, "DELETE", "/providers/one", NULL);
  g_assert_cmpuint (removed->status, ==, 200);
  refuse (fixture, "DELETE", "/providers/nobody", NULL, 404, "not-found", NULL);
}

static void
test_system (Fixture *fixture,
             gconstpointer data)
{
  g_autofree char *task_id G_GNUC_UNUSED = submit (fixture, "{\"content\":\"a\"}");
  g_autoptr (RawReply) health = ask (fixture, "GET", "/health", NULL);
  g_autoptr (RawReply) recovery = ask (fixture, "GET", "/recovery", NULL);
  g_autoptr (RawReply) estimate = ask (fixture, "POST", "/estimate", "{\"count\":100}");
  g_autoptr (RawReply) pinned = ask (fixture, "POST", "/estimate",
                                     "{\"count\":100,\"size\":2000,\"provider\":\"one\"}");
  g_autoptr (RawReply) metrics = ask (fixture, "GET", "/metrics", NULL);
  g_auto (GStrv) lines = NULL;
  JsonObject *object = assert_ok (health);

  g_assert_cmpstr (gw_json_peek_string (object, "service"), ==, "gangway");
  g_assert_cmpstr (gw_json_peek_string (object, "version"), ==, GW_VERSION);
  g_assert_cmpstr (gw_json_peek_string (object, "host"), ==, "daemon");
  g_assert_cmpstr (gw_json_peek_string (object, "queue"), ==, "embedded");
  g_assert_cmpstr (gw_json_peek_string (object, "status"), ==, "ok");
  g_assert_nonnull (gw_json_peek_string (object, "store"));
  g_assert_nonnull (gw_json_peek_array (object, "warnings"));
  g_assert_cmpint (gw_json_peek_int (assert_ok (recovery), "lost", -1), ==, 0);
  g_assert_cmpint (gw_json_peek_int (raw_object (recovery), "uncertain", -1), ==, 0);

  object = assert_ok (estimate);
  g_assert_cmpfloat (gw_json_peek_double (object, "finish_in_s", -1), >, 0);
  g_assert_cmpfloat (gw_json_peek_double (object, "low_s", -1), <=,
                     gw_json_peek_double (object, "finish_in_s", -1));
  g_assert_cmpfloat (gw_json_peek_double (object, "high_s", -1), >=,
                     gw_json_peek_double (object, "finish_in_s", -1));
  g_assert_nonnull (gw_json_peek_object (gw_json_peek_object (object, "per_provider"), "one"));
  g_assert_cmpuint (pinned->status, ==, 200);
  refuse (fixture, "POST", "/estimate", "{}", 422, "invalid", "count");
  refuse (fixture, "POST", "/estimate", "{\"count\":0}", 422, "invalid", "count");
  refuse (fixture, "POST", "/estimate", "{\"count\":1,\"size\":-1}", 422, "invalid", "size");
  refuse (fixture, "POST", "/estimate", "{\"count\":1,\"provider\":\"nobody\"}", 422, "invalid",
          "provider");
  refuse (fixture, "POST", "/estimate", "{\"count\":1,\"model\":\"nothing\"}", 422, "invalid", "model");

  /* Each line a comment, or a name with labels and a number. */
  lines = g_strsplit (metrics->body->str, "\n", -1);
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    g_assert_true (lines[i][0] == '#'
                   || g_regex_match_simple ("^[a-z_]+(\\{[a-z_]+=\"[^\"]*\"(,[a-z_]+=\"[^\"]*\")*\\})? "
                                            "[0-9.]+$",
                                            lines[i], 0, 0));
  g_assert_nonnull (strstr (metrics->body->str, "gangway_tasks{status=\"queued\"} 1\n"));
  g_assert_nonnull (strstr (metrics->body->str, "gangway_http_requests_total{method=\"POST\","
                                                "route=\"/tasks\",status=\"200\"} 1\n"));
}

static void
test_feed (Fixture *fixture,
           gconstpointer data)
{
  g_autofree char *task_id = submit (fixture, "{\"content\":\"apple\",\"project\":\"fruit\"}");
  g_autofree char *other G_GNUC_UNUSED = submit (fixture, "{\"content\":\"bolt\"}");
  g_autoptr (RawReply) all = ask (fixture, "GET", "/tasks", NULL);
  g_autoptr (RawReply) fruit = ask (fixture, "GET", "/tasks?project=fruit", NULL);
  g_autoptr (RawReply) few = ask (fixture, "GET", "/tasks?fields=task_id,status", NULL);
  g_autoptr (RawReply) found = ask (fixture, "GET", "/tasks?q=bol", NULL);
  g_autoptr (RawReply) next = NULL, stranger = NULL;
  g_autofree char *path = NULL;
  JsonObject *entry;
  int fd;

  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (all), "tasks")), ==, 2);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (fruit), "tasks")), ==, 1);
  g_assert_cmpuint (json_array_get_length (gw_json_peek_array (assert_ok (found), "tasks")), ==, 1);
  entry = json_array_get_object_element (gw_json_peek_array (raw_object (all), "tasks"), 0);
  g_assert_false (json_object_has_member (entry, "result"));
  g_assert_cmpint (gw_json_peek_int (entry, "content_size", -1), ==, 5);
  entry = json_array_get_object_element (gw_json_peek_array (assert_ok (few), "tasks"), 0);
  g_assert_cmpuint (json_object_get_size (entry), ==, 2);

  /* A waiting follower of the project sees its change, in revision order. */
  path = g_strdup_printf ("GET /tasks?project=fruit&wait=30&since=%" G_GINT64_FORMAT
                          " HTTP/1.1\r\nHost: localhost\r\n\r\n",
                          gw_json_peek_int (raw_object (all), "revision", 0));
  fd = raw_connect (fixture->uri);
  raw_send (fd, path, -1);
  {
    g_autoptr (RawReply) cancelled = ask_about (fixture, "DELETE", "/tasks/", task_id, "", NULL);

    g_assert_cmpuint (cancelled->status, ==, 200);
  }
  next = raw_receive (fd, FALSE);
  close (fd);
  entry = json_array_get_object_element (gw_json_peek_array (assert_ok (next), "tasks"), 0);
  g_assert_cmpstr (gw_json_peek_string (entry, "task_id"), ==, task_id);
  g_assert_cmpstr (gw_json_peek_string (entry, "status"), ==, "cancelled");

  stranger = ask (fixture, "GET", "/tasks?since=1&wait=60&store=" NOWHERE, NULL);
  g_assert_true (gw_json_peek_boolean (assert_ok (stranger), "reset", FALSE));
}

#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "disabled:", TRUE);
  ADD ("/calls/task", test_task);
  ADD ("/calls/batch", test_batch);
  ADD ("/calls/idempotency", test_idempotency);
  ADD ("/calls/cancel-and-retry", test_cancel_and_retry);
  ADD ("/calls/remove", test_remove);
  ADD ("/calls/projects", test_projects);
  ADD ("/calls/results", test_results);
  ADD ("/calls/providers", test_providers);
  ADD ("/calls/system", test_system);
  ADD ("/calls/feed", test_feed);

  return g_test_run ();
}
