/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "gw-attempt.h"
#include "gw-project.h"
#include "gw-task.h"

static GwTask *
make_task (void)
{
  const char *metadata = "{\"row\":7,\"big\":1e20,\"list\":[0.1,null]}";
  GwTask *task = gw_task_new ();

  task->task_id = g_strdup ("t-1");
  task->project_id = g_strdup ("p-1");
  task->status = GW_TASK_COMPLETED;
  task->content = g_strdup ("What is 日本?");
  task->content_size = strlen (task->content);
  task->result = g_strdup ("Japan");
  task->result_size = 5;
  task->created_at = 1700000000001;
  task->started_at = 1700000000002;
  task->finished_at = 1700000000003;
  task->attempts = 2;
  task->revision = 42;
  task->submitted = gw_json_parse_object (metadata, strlen (metadata), NULL);
  task->model = g_strdup ("m");
  task->provider = g_strdup ("nvidia");
  task->usage = (GwUsage){ 3, 4, -1 };
  task->finish_reason = g_strdup ("stop");
  task->duration_ms = 1500;
  task->tries = 1;

  return task;
}

static void
test_json (void)
{
  g_autoptr (GwTask) task = make_task ();
  g_autoptr (JsonObject) whole = gw_task_to_json (task, GW_TASK_FIELDS_WHOLE);
  g_autofree char *text = gw_json_object_to_text (whole, FALSE, NULL);

  g_assert_cmpstr (
    text, ==,
    "{\"task_id\":\"t-1\",\"project_id\":\"p-1\",\"status\":\"completed\","
    "\"content\":\"What is 日本?\",\"result\":\"Japan\",\"error\":null,"
    "\"created_at\":\"2023-11-14T22:13:20.001Z\",\"started_at\":\"2023-11-14T22:13:20.002Z\","
    "\"finished_at\":\"2023-11-14T22:13:20.003Z\",\"attempts\":2,\"revision\":42,"
    "\"metadata\":{\"row\":7,\"big\":1e+20,\"list\":[0.1,null],\"model\":\"m\","
    "\"provider\":\"nvidia\",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,"
    "\"total_tokens\":null},\"finish_reason\":\"stop\",\"duration_ms\":1500,\"tries\":1}}");
}

static void
test_new_task_json (void)
{
  g_autoptr (GwTask) task = gw_task_new ();
  g_autoptr (JsonObject) object = NULL;
  g_autofree char *text = NULL;

  task->task_id = g_strdup ("t");
  task->has_error = TRUE;
  task->error_code = GW_ERROR_TASK_TIMEOUT;
  task->waiting_reason = g_strdup ("no-key");
  task->uncertain = TRUE;
  task->practice = TRUE;
  object = gw_task_to_json (task, GW_TASK_FIELD_ERROR | GW_TASK_FIELD_METADATA);
  text = gw_json_object_to_text (object, FALSE, NULL);
  g_assert_cmpstr (text, ==,
                   "{\"error\":{\"code\":\"timeout\",\"message\":\"No answer in time\"},"
                   "\"metadata\":{\"model\":null,\"waiting\":{\"reason\":\"no-key\",\"until\":null},"
                   "\"tries\":0,\"uncertain\":true,\"practice\":true}}");
}

/* The text that is written directly is that of the tree, at every level and in both forms. */
static void
assert_same_text (const GwTask *task,
                  GwTaskFields fields)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, gw_task_to_json (task, fields));
  for (guint level = 0; level < 3; level++)
    {
      for (int pretty = FALSE; pretty <= TRUE; pretty++)
        {
          g_autoptr (GString) expected = g_string_new ("[");
          g_autoptr (GString) text = g_string_new ("[");

          gw_json_append (expected, node, pretty, level);
          gw_task_append_json (task, fields, text, pretty, level);
          g_assert_cmpstr (text->str, ==, expected->str);
        }
    }
  json_node_unref (node);
}

static void
test_append_json (void)
{
  g_autoptr (GwTask) task = make_task ();
  g_autoptr (GwTask) bare = gw_task_new ();
  const char *metadata = "{\"a \\\"name\\\"\":{},\"list\":[],\"deep\":{\"x\":[{\"y\":true}]}}";

  assert_same_text (task, 0x3fff);
  assert_same_text (bare, 0x3fff);
  for (guint i = 0; i < 14; i++)
    {
      assert_same_text (task, (GwTaskFields) (1u << i));
      assert_same_text (bare, (GwTaskFields) (1u << i));
    }
  assert_same_text (task, (GwTaskFields) 0);

  json_object_unref (task->submitted);
  task->submitted = gw_json_parse_object (metadata, strlen (metadata), NULL);
  g_assert_nonnull (task->submitted);
  g_free (task->content);
  task->content = g_strdup ("\"{\\\n\t\x01\x7f 日本 {");
  task->content_size = G_MAXUINT32;
  task->has_error = TRUE;
  task->error_code = GW_ERROR_TASK_QUOTA;
  task->waiting_reason = g_strdup ("rate");
  task->waiting_until = 1700000000500;
  task->uncertain = TRUE;
  task->practice = TRUE;
  assert_same_text (task, 0x3fff);
  task->error_message = g_strdup ("No \"balance\"");
  task->waiting_until = 0;
  task->usage = GW_USAGE_NONE;
  task->usage.total_tokens = 0;
  assert_same_text (task, 0x3fff);
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    {
      task->status = i;
      assert_same_text (task, GW_TASK_FIELDS_WHOLE);
    }
}

static gpointer
to_json_thread (gpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 3000; i++)
    {
      json_object_unref (gw_task_to_json (data, GW_TASK_FIELDS_WHOLE));
      g_string_truncate (text, 0);
      gw_task_append_json (data, GW_TASK_FIELDS_WHOLE, text, FALSE, 0);
    }

  return NULL;
}

/* A task is read by several threads at the same time; so is what is inside its metadata. */
static void
test_threads (void)
{
  g_autoptr (GwTask) task = make_task ();
  g_autoptr (JsonObject) object = NULL;
  g_autofree char *text = NULL;
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("to-json", to_json_thread, task);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  object = gw_task_to_json (task, GW_TASK_FIELD_METADATA);
  text = gw_json_object_to_text (object, FALSE, NULL);
  g_assert_nonnull (strstr (text, "\"list\":[0.1,null]"));
}

static void
test_feed (void)
{
  g_autoptr (GwTask) task = make_task ();
  g_autoptr (JsonObject) feed = NULL;
  g_autoptr (GwTask) back = NULL;
  g_autoptr (GError) error = NULL;

  task->content_size = 5000;
  feed = gw_task_to_json (task, GW_TASK_FIELDS_FEED);
  g_assert_false (json_object_has_member (feed, "result"));
  g_assert_cmpint (gw_json_peek_int (feed, "content_size", 0), ==, 5000);
  g_assert_cmpint (gw_json_peek_int (feed, "result_size", 0), ==, 5);

  back = gw_task_new_from_json (feed, &error);
  g_assert_no_error (error);
  g_assert_true (back->content_cut);
  g_assert_cmpuint (back->content_size, ==, 5000);
  g_assert_null (back->result);
  g_assert_cmpuint (back->result_size, ==, 5);
}

/* The beginning of an answer: whole characters, the same from both writers. */
static void
test_preview (void)
{
  g_autoptr (GwTask) task = make_task ();
  g_autoptr (GString) result = g_string_new (NULL);
  g_autoptr (JsonObject) object = NULL;
  GwTaskFields fields = 0;
  const char *preview;

  g_assert_true (gw_task_fields_from_string ("result_preview", &fields, NULL));
  for (guint i = 0; i < 300; i++)
    g_string_append (result, i % 2 == 0 ? "界" : "e");
  g_free (task->result);
  task->result = g_strdup (result->str);
  assert_same_text (task, fields);
  object = gw_task_to_json (task, fields);
  preview = gw_json_peek_string (object, "result_preview");
  g_assert_true (g_utf8_validate (preview, -1, NULL));
  g_assert_cmpint (g_utf8_strlen (preview, -1), ==, GW_RESULT_PREVIEW_CHARACTERS);
  g_assert_true (g_str_has_prefix (result->str, preview));
  g_assert_false (json_object_has_member (object, "result"));

  g_clear_pointer (&task->result, g_free);
  assert_same_text (task, fields);
}

static void
test_round_trip (void)
{
  g_autoptr (GwTask) task = make_task ();
  g_autoptr (JsonObject) first = NULL;
  g_autoptr (JsonObject) second = NULL;
  g_autoptr (GwTask) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  task->status = GW_TASK_FAILED;
  task->has_error = TRUE;
  task->error_code = GW_ERROR_TASK_QUOTA;
  task->error_message = g_strdup ("No balance");
  task->waiting_reason = g_strdup ("rate");
  task->waiting_until = 1700000000500;
  first = gw_task_to_json (task, 0x3fff);
  back = gw_task_new_from_json (first, &error);
  g_assert_no_error (error);
  second = gw_task_to_json (back, 0x3fff);
  before = gw_json_object_to_text (first, FALSE, NULL);
  after = gw_json_object_to_text (second, FALSE, NULL);
  g_assert_cmpstr (before, ==, after);
  g_assert_false (back->content_cut);
}

static void
test_tolerant (void)
{
  static const struct {
    const char *text;
    gboolean taken;
  } cases[] = {
    { "{\"task_id\":\"a\"}", TRUE },
    { "{\"task_id\":\"a\",\"metadata\":null,\"error\":null,\"created_at\":\"never\"}", TRUE },
    { "{\"task_id\":\"a\",\"metadata\":{\"usage\":7,\"model\":[],\"tries\":-4}}", TRUE },
    { "{\"task_id\":\"a\",\"error\":{\"code\":\"of the future\"}}", TRUE },
    { "{}", FALSE },
    { "{\"task_id\":7}", FALSE },
    { "{\"task_id\":\"a\",\"status\":\"sleeping\"}", FALSE },
    { "{\"task_id\":\"a\",\"attempts\":-1}", FALSE },
    { "{\"task_id\":\"a\",\"metadata\":[]}", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) object
        = gw_json_parse_object (cases[i].text, strlen (cases[i].text), NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (GwTask) task = gw_task_new_from_json (object, &error);

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (task != NULL, ==, cases[i].taken);
      if (!cases[i].taken)
        g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
    }
}

/* The reader that makes no tree says of each text what the one with a tree does. */
static void
assert_same_task (const char *text)
{
  gsize length = strlen (text);
  g_autoptr (JsonObject) object = gw_json_parse_reply_object (text, length, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) walk_error = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwTask) walked = NULL;
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autoptr (GString) found = g_string_new (NULL);
  g_autofree char *shown = g_strescape (text, NULL);
  GwJsonWalk walk;

  g_test_message ("%s", shown);
  g_assert_nonnull (object);
  g_assert_true (gw_json_walk_begin (&walk, text, length, NULL));
  task = gw_task_new_from_json (object, &error);
  walked = gw_task_new_from_walk (&walk, &walk_error);
  g_assert_true (walk.p == walk.end);
  if (task == NULL)
    {
      g_assert_null (walked);
      g_assert_error (walk_error, error->domain, error->code);
      g_assert_cmpstr (walk_error->message, ==, error->message);
      return;
    }

  g_assert_no_error (walk_error);
  gw_task_append_json (task, (GwTaskFields) 0xbfff, expected, FALSE, 0);
  gw_task_append_json (walked, (GwTaskFields) 0xbfff, found, FALSE, 0);
  g_assert_cmpstr (found->str, ==, expected->str);
  g_assert_cmpint (walked->content_cut, ==, task->content_cut);
  g_assert_cmpint (walked->has_error, ==, task->has_error);
  g_assert_true ((walked->content == NULL) == (task->content == NULL));
}

static void
test_walk (void)
{
  static const char *const texts[] = {
    "{}",
    "{\"task_id\":null}",
    "{\"task_id\":7}",
    "{\"task_id\":\"a\"}",
    " { \"task_id\" : \"a\" , \"attempts\" : 3 } ",
    "{\"task_id\":\"a\",\"priority\":101}",
    "{\"task_id\":\"a\",\"priority\":-101,\"attempts\":3}",
    "{\"task_id\":\"a\",\"task_id\":\"b\"}",
    "{\"t\\u0061sk_id\":\"a\"}",
    "{\"task_id\":\"a\",\"new\":{\"of\":[\"the\",\"}\",\"future\"]},\"revision\":9}",
    "{\"task_id\":\"a\",\"status\":\"sleeping\"}",
    "{\"task_id\":\"a\",\"status\":null}",
    "{\"task_id\":\"a\",\"content\":\"a\\n\\\"b\\\"\\u754c\\ud83d\\ude00\\u0000\\ud800\"}",
    "{\"task_id\":\"a\",\"content\":\"界 é\",\"content_size\":900}",
    "{\"task_id\":\"a\",\"content\":\"\xff\xfe\",\"content_size\":1}",
    "{\"task_id\":\"a\",\"content\":null,\"content_size\":12,\"result\":\"xyz\"}",
    "{\"task_id\":\"a\",\"result\":\"xyz\",\"result_size\":5000000000}",
    "{\"task_id\":\"a\",\"attempts\":1.0,\"revision\":2e1}",
    "{\"task_id\":\"a\",\"attempts\":4294967296}",
    "{\"task_id\":\"a\",\"attempts\":-1}",
    "{\"task_id\":\"a\",\"revision\":9223372036854775807}",
    "{\"task_id\":\"a\",\"revision\":9223372036854775808}",
    "{\"task_id\":\"a\",\"revision\":123456789012345678901234567890}",
    "{\"task_id\":\"a\",\"created_at\":\"never\",\"started_at\":7,\"finished_at\":null}",
    "{\"task_id\":\"a\",\"created_at\":\"2024-02-29T01:02:03.004Z\"}",
    "{\"task_id\":\"a\",\"error\":null}",
    "{\"task_id\":\"a\",\"error\":{\"code\":\"of the future\",\"message\":\"m\"}}",
    "{\"task_id\":\"a\",\"error\":{\"message\":\"m\",\"code\":\"quota\"}}",
    "{\"task_id\":\"a\",\"error\":[]}",
    "{\"task_id\":\"a\",\"metadata\":null}",
    "{\"task_id\":\"a\",\"metadata\":[]}",
    "{\"task_id\":\"a\",\"metadata\":{}}",
    "{\"task_id\":\"a\",\"metadata\":{\"usage\":7,\"model\":[],\"tries\":-4}}",
    "{\"task_id\":\"a\",\"metadata\":{\"usage\":null,\"waiting\":null,\"duration_ms\":-3}}",
    "{\"task_id\":\"a\",\"metadata\":{\"usage\":{\"total_tokens\":null,\"prompt_tokens\":4}}}",
    "{\"task_id\":\"a\",\"metadata\":{\"usage\":{\"prompt_tokens\":4,\"prompt_tokens\":null}}}",
    "{\"task_id\":\"a\",\"metadata\":{\"waiting\":{\"reason\":\"rate\",\"until\":null}}}",
    "{\"task_id\":\"a\",\"metadata\":{\"waiting\":{\"until\":null,\"reason\":\"rate\"}}}",
    "{\"task_id\":\"a\",\"metadata\":{\"waiting\":{\"reason\":\"rate\",\"until\":null,\"x\":1}}}",
    "{\"task_id\":\"a\",\"metadata\":{\"uncertain\":true,\"practice\":\"yes\"}}",
    "{\"task_id\":\"a\",\"metadata\":{\"uncertain\":true,\"practice\":true,\"tries\":5000000000}}",
    "{\"task_id\":\"a\",\"metadata\":{\"row\":3,\"row\":[1,{\"x\":null}],\"\\u0062\":1.50}}",
    "{\"task_id\":\"a\",\"metadata\":{\"row\":[1,{\"x\":null}],\"\\u0062\":1.50,\"é\":\"é\"}}",
    "{\"task_id\":\"a\",\"metadata\":{\"mod\\u0065l\":\"m\",\"model\":\"n\"}}",
  };
  g_autoptr (GwTask) task = make_task ();
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_same_task (texts[i]);

  task->has_error = TRUE;
  task->error_code = GW_ERROR_TASK_QUOTA;
  task->error_message = g_strdup ("No balance");
  task->waiting_reason = g_strdup ("rate");
  task->waiting_until = 1700000000500;
  for (guint i = 0; i < 2; i++)
    {
      g_string_truncate (text, 0);
      gw_task_append_json (task, (GwTaskFields) 0xbfff, text, i == 1, 0);
      assert_same_task (text->str);
      /* Cut off in any place it is no JSON; with any one character another, it is read alike. */
      for (gsize at = 0; at < text->len; at++)
        {
          static const char others[] = "\"\\{}[],:0-x ";

          for (guint k = 0; k < sizeof others - 1; k++)
            {
              g_autofree char *other = g_strdup (text->str);
              g_autoptr (JsonObject) object = NULL;

              other[at] = others[k];
              object = gw_json_parse_reply_object (other, text->len, NULL);
              if (object != NULL)
                assert_same_task (other);
            }
        }
    }
}

static void
test_fields (void)
{
  g_autoptr (GError) error = NULL;
  GwTaskFields fields = 0;

  g_assert_true (gw_task_fields_from_string ("task_id, status,status", &fields, &error));
  g_assert_cmpuint (fields, ==, GW_TASK_FIELD_TASK_ID | GW_TASK_FIELD_STATUS);
  g_assert_false (gw_task_fields_from_string ("status,nonsense", &fields, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "nonsense"));
  g_clear_error (&error);
  g_assert_false (gw_task_fields_from_string ("", &fields, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
}

static void
test_reserved (void)
{
  g_assert_true (gw_task_is_reserved_metadata ("model"));
  g_assert_true (gw_task_is_reserved_metadata ("practice"));
  g_assert_false (gw_task_is_reserved_metadata ("system"));
  g_assert_false (gw_task_is_reserved_metadata (""));
}

static void
test_project (void)
{
  g_autoptr (GwProject) project = gw_project_new ();
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (JsonObject) again = NULL;
  g_autoptr (GwProject) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *after = NULL;

  project->project_id = g_strdup ("p");
  project->name = g_strdup ("Names");
  project->created_at = 1700000000000;
  project->counts[GW_TASK_QUEUED] = 2;
  project->counts[GW_TASK_RUNNING] = 1;
  project->revision = 9;
  g_assert_cmpuint (gw_project_count_unfinished (project), ==, 3);
  object = gw_project_to_json (project);
  text = gw_json_object_to_text (object, FALSE, NULL);
  g_assert_cmpstr (text, ==,
                   "{\"project_id\":\"p\",\"name\":\"Names\","
                   "\"created_at\":\"2023-11-14T22:13:20.000Z\",\"finished_at\":null,"
                   "\"concurrency\":null,\"paused\":false,\"counts\":{\"queued\":2,\"running\":1,"
                   "\"completed\":0,\"failed\":0,\"cancelled\":0},\"usage\":{\"prompt_tokens\":null,"
                   "\"completion_tokens\":null,\"total_tokens\":null},\"revision\":9}");
  g_clear_pointer (&text, g_free);
  g_clear_pointer (&object, json_object_unref);

  project->concurrency = 1;
  project->held = TRUE;
  project->has_estimate = TRUE;
  project->estimate_bound_s = 12.5;
  object = gw_project_to_json (project);
  back = gw_project_new_from_json (object, &error);
  g_assert_no_error (error);
  again = gw_project_to_json (back);
  text = gw_json_object_to_text (object, FALSE, NULL);
  after = gw_json_object_to_text (again, FALSE, NULL);
  g_assert_cmpstr (text, ==, after);
  g_assert_nonnull (strstr (text, "\"estimate\":{\"finish_at\":null,\"bound_s\":12.5,"
                                  "\"efficiency\":null}"));
}

static void
test_project_name (void)
{
  g_autofree char *longest = g_strnfill (200, 'a');
  g_autofree char *over = g_strnfill (201, 'a');
  GString *wide = g_string_new (NULL);

  for (guint i = 0; i < 200; i++)
    g_string_append (wide, "日");
  g_assert_true (gw_project_check_name ("default", NULL));
  g_assert_true (gw_project_check_name ("日本 2026/11", NULL));
  g_assert_true (gw_project_check_name (longest, NULL));
  g_assert_true (gw_project_check_name (wide->str, NULL));
  g_assert_false (gw_project_check_name (over, NULL));
  g_assert_false (gw_project_check_name ("", NULL));
  g_assert_false (gw_project_check_name (NULL, NULL));
  g_assert_false (gw_project_check_name ("0190a0b0-0000-7000-8000-0123456789aB", NULL));
  g_assert_true (gw_project_check_name ("0190a0b0-0000-7000-8000-0123456789ag", NULL));
  g_string_free (wide, TRUE);
}

static void
test_attempt (void)
{
  g_autoptr (GwAttempt) attempt = gw_attempt_new ();
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (JsonObject) again = NULL;
  g_autoptr (GwAttempt) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *after = NULL;

  attempt->task_id = g_strdup ("t");
  attempt->number = 3;
  attempt->provider = g_strdup ("zhipu");
  attempt->claimed_at = 1700000000000;
  attempt->outcome = GW_OUTCOME_UNCERTAIN;
  attempt->has_error = TRUE;
  attempt->error_code = GW_ERROR_TASK_NETWORK;
  attempt->error_message = g_strdup ("gone");
  attempt->raw = g_strdup ("<html>");
  attempt->usage.total_tokens = 8;
  attempt->revision = 5;
  object = gw_attempt_to_json (attempt);
  back = gw_attempt_new_from_json (object, &error);
  g_assert_no_error (error);
  again = gw_attempt_to_json (back);
  text = gw_json_object_to_text (object, FALSE, NULL);
  after = gw_json_object_to_text (again, FALSE, NULL);
  g_assert_cmpstr (text, ==, after);
  g_assert_cmpint (back->outcome, ==, GW_OUTCOME_UNCERTAIN);
  g_assert_cmpint (back->sent_at, ==, 0);

  for (guint i = 0; i < GW_N_OUTCOMES; i++)
    {
      GwOutcome outcome = GW_N_OUTCOMES;

      g_assert_true (gw_outcome_from_string (gw_outcome_to_string (i), &outcome));
      g_assert_cmpint (outcome, ==, i);
    }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/task/json", test_json);
  g_test_add_func ("/task/new-json", test_new_task_json);
  g_test_add_func ("/task/append-json", test_append_json);
  g_test_add_func ("/task/threads", test_threads);
  g_test_add_func ("/task/feed", test_feed);
  g_test_add_func ("/task/preview", test_preview);
  g_test_add_func ("/task/round-trip", test_round_trip);
  g_test_add_func ("/task/tolerant", test_tolerant);
  g_test_add_func ("/task/walk", test_walk);
  g_test_add_func ("/task/fields", test_fields);
  g_test_add_func ("/task/reserved", test_reserved);
  g_test_add_func ("/project/json", test_project);
  g_test_add_func ("/project/name", test_project_name);
  g_test_add_func ("/attempt/json", test_attempt);

  return g_test_run ();
}
