/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-format.h"
#include "import-cases.h"

/* JSON as tasks, and results that are put in again. */

/* What is wrong with JSON, where it stands, and what to do. */
static void
test_json_words (void)
{
  g_autoptr (GwImport) lines = parse ("x.jsonl", "\"a\"\n{text: 1}\n{\"text\": \"日本\" 2}\n");

  assert_problem (lines, 0, 2, "a name in double quotes is missing at character 2. Correct");
  assert_problem (lines, 1, 3, "a comma or } is missing at character 15.");
  assert_fails ("x.json", "[\n  \"a\",\n  \"日\", oh\n]", NULL,
                "a value is missing in line 3 at character 8.");
  assert_fails ("x.json", "[\"a\"", NULL, "is not closed");
}

static void
test_jsonl (void)
{
  g_autoptr (GwImport) import
    = parse ("x.jsonl",
             "\"plain\"\n"
             "{\"prompt\":\"p\",\"model\":\"glm\",\"provider\":\"zhipu\",\"priority\":5,\"id\":7,"
             "\"system\":\"be brief\",\"metadata\":{\"usage\":1,\"k\":[0.1]}}\r\n"
             "\n"
             "{\"custom_id\":\"r-1\",\"method\":\"POST\",\"url\":\"/v1\",\"body\":{\"model\":\"m\","
             "\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":"
             "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}],"
             "\"temperature\":0.5}}\n"
             "not json\n"
             "{\"other\":1}\n"
             "[1]\n"
             "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","
             "\"content\":\"b\"}]}\n"
             "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}\n"
             "{\"messages\":[]}\n"
             "{\"task\":\"  \"}\n"
             "{\"input\":[{\"role\":\"user\",\"content\":\"from input\"}],\"model\":7}\n"
             "{\"text\":\"a \\ud800\"}\n");

  assert_tasks (import, "plain|p|a\nb|from input");
  g_assert_cmpstr (entry (import, 1)->model, ==, "glm");
  g_assert_cmpstr (entry (import, 1)->provider, ==, "zhipu");
  g_assert_cmpint (entry (import, 1)->priority, ==, 5);
  assert_metadata (import, 1, "{\"id\":7,\"system\":\"be brief\",\"input_usage\":1,\"k\":[0.1]}");
  g_assert_cmpstr (entry (import, 2)->model, ==, "m");
  assert_metadata (import, 2, "{\"system\":\"S\",\"custom_id\":\"r-1\",\"temperature\":0.5}");
  assert_metadata (import, 3, "{\"input_model\":7}");
  g_assert_cmpuint (entry (import, 2)->row, ==, 4);
  g_assert_cmpuint (import->n_empty, ==, 1);
  /* By row, whatever was found first. */
  assert_problem (import, 0, 5, "JSON");
  assert_problem (import, 1, 6, "no member");
  assert_problem (import, 2, 7, "neither");
  assert_problem (import, 3, 8, "turns");
  assert_problem (import, 4, 9, "text");
  assert_problem (import, 5, 10, "user");
  assert_problem (import, 6, 11, "blank");
  assert_problem (import, 7, 13, "surrogate");
  g_assert_cmpuint (import->problems->len, ==, 8);

  assert_fails ("x.jsonl", "a\nb\n", NULL, "Line 1");
  assert_fails ("x.jsonl", "{\"a\":1}\n{\"b\":1}\n", NULL, "a, b");
}

static void
test_json (void)
{
  GwImportOptions options = { .path = "data.list" };
  g_autoptr (GwImport) array = parse ("x.json", "[\"a\",{\"question\":\"b\"},null,3]");
  g_autoptr (GwImport) object = parse ("x.json", "{\"n\":1,\"prompts\":[\"a\",\"\"]}");
  g_autoptr (GwImport) single = parse ("x.json", "{\"content\":\"one\",\"k\":1}");
  g_autoptr (GwImport) nested
    = parse_with ("x.json", "{\"data\":{\"list\":[{\"task\":\"t\"}]}}", &options);
  g_autoptr (GwImport) empty = parse ("x.json", "[]");
  g_autoptr (GwImport) results
    = parse ("x.json", "[{\"task_id\":\"i\",\"content\":\"c\",\"result\":\"r\",\"metadata\":"
                       "{\"row\":1,\"model\":\"m\"}}]");
  g_autoptr (GwImport) key = NULL;
  g_autoptr (GwImport) guess = NULL;

  assert_tasks (array, "a|b");
  g_assert_cmpuint (array->problems->len, ==, 2);
  g_assert_cmpuint (entry (array, 1)->row, ==, 2);
  assert_tasks (object, "a");
  g_assert_cmpuint (object->n_empty, ==, 1);
  assert_tasks (single, "one");
  assert_metadata (single, 0, "{\"k\":1}");
  assert_tasks (nested, "t");
  g_assert_cmpuint (empty->entries->len, ==, 0);
  assert_tasks (results, "c");
  assert_metadata (results, 0,
                   "{\"task_id\":\"i\",\"result\":\"r\",\"row\":1,\"input_model\":\"m\"}");

  assert_fails ("x.json", "{\"data\":[]}", &options, "data.list");
  assert_fails ("x.json", "{\"other\":[]}", NULL, "tasks, prompts or items");
  assert_fails ("x.json", "[1", NULL, "line 1 at character 3");
  assert_fails ("x.json", "", NULL, "JSON");
  options.path = NULL;
  options.column = "k";
  key = parse_with ("x.json", "[{\"k\":\"yes\",\"text\":\"no\"},{\"text\":\"no\"}]", &options);
  assert_tasks (key, "yes");
  assert_problem (key, 0, 2, "“k”");
  assert_fails ("x.json", "[{\"a\":\"x\"}]", &options, "“k”");
  options.column = NULL;
  options.guess_column = TRUE;
  guess = parse_with ("x.json", "[{\"a\":\"x\",\"b\":\"longer\"}]", &options);
  assert_tasks (guess, "longer");
}

/* Results that were saved can be imported again: the tasks come back as they were. */
static void
test_results_again (void)
{
  static const char *const contents[] = {
    "plain", " spaces ", "\"quoted\"", "a,b;c|d\te", "two\nlines\r\nand\rmore", "日本 😀",
    "---", "{task} {{", "=1+1", "'", "\\", "a\"b,\"c", "# note", "trailing\n",
  };
  static const GwFormat formats[] = { GW_FORMAT_JSON, GW_FORMAT_JSONL, GW_FORMAT_CSV };
  static const char *const names[] = { "r.json", "r.jsonl", "r.csv" };

  for (guint form = 0; form < G_N_ELEMENTS (formats); form++)
    {
      g_autoptr (GwFormatter) formatter = gw_formatter_new (formats[form], NULL);
      g_autoptr (GString) out = g_string_new (NULL);
      g_autoptr (GwImport) import = NULL;

      gw_formatter_begin (formatter, out);
      for (guint i = 0; i < G_N_ELEMENTS (contents); i++)
        {
          g_autoptr (GwTask) task = gw_task_new ();

          task->task_id = g_strdup_printf ("t%u", i);
          task->content = g_strdup (contents[i]);
          task->result = g_strdup (contents[i]);
          gw_formatter_task (formatter, task, out);
        }
      gw_formatter_end (formatter, out);

      import = parse (names[form], out->str);
      g_assert_cmpuint (import->problems->len, ==, 0);
      g_assert_cmpuint (import->entries->len, ==, G_N_ELEMENTS (contents));
      for (guint i = 0; i < G_N_ELEMENTS (contents); i++)
        {
          const GwImportEntry *found = entry (import, i);

          g_assert_cmpstr (found->content, ==, contents[i]);
          g_assert_cmpstr (gw_json_peek_string (found->metadata, "result"), ==, contents[i]);
        }
    }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/import/json-words", test_json_words);
  g_test_add_func ("/import/jsonl", test_jsonl);
  g_test_add_func ("/import/json", test_json);
  g_test_add_func ("/import/results-again", test_results_again);

  return g_test_run ();
}
