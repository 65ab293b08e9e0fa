/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "gw-format.h"

#define HEADER "index,task_id,status,content,result,error_code,error_message,model,provider," \
               "attempts,created_at,finished_at,duration_ms"

static GwTask *
make_task (const char *id,
           const char *content,
           const char *result,
           const char *metadata)
{
  GwTask *task = gw_task_new ();

  task->task_id = g_strdup (id);
  task->content = g_strdup (content);
  task->result = g_strdup (result);
  task->status = result != NULL ? GW_TASK_COMPLETED : GW_TASK_QUEUED;
  if (metadata != NULL)
    task->submitted = gw_json_parse_object (metadata, strlen (metadata), NULL);

  return task;
}

static char *
format (GwFormat form,
        const char *title,
        GwTask **tasks,
        guint n_tasks)
{
  g_autoptr (GwFormatter) formatter = gw_formatter_new (form, title);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < n_tasks && gw_formatter_needs_columns (formatter); i++)
    gw_formatter_learn (formatter, tasks[i]);
  gw_formatter_begin (formatter, out);
  for (guint i = 0; i < n_tasks; i++)
    gw_formatter_task (formatter, tasks[i], out);
  gw_formatter_end (formatter, out);

  return g_string_free (out, FALSE);
}

static void
test_json (void)
{
  g_autoptr (GwTask) one = make_task ("a", "é", "ü", NULL);
  g_autoptr (GwTask) two = make_task ("b", "x", NULL, NULL);
  GwTask *tasks[] = { one, two };
  g_autofree char *none = format (GW_FORMAT_JSON, NULL, NULL, 0);
  g_autofree char *both = format (GW_FORMAT_JSON, NULL, tasks, 2);
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *pretty = NULL;
  g_autofree char *expected = NULL;

  g_assert_cmpstr (none, ==, "[]\n");
  node = gw_json_parse (both, strlen (both), NULL);
  g_assert_nonnull (node);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (node)), ==, 2);
  /* Written piece by piece it is what it were in one. */
  pretty = gw_json_to_text (node, TRUE, NULL);
  expected = g_strconcat (pretty, "\n", NULL);
  g_assert_cmpstr (both, ==, expected);
  g_assert_nonnull (strstr (both, "\n    \"content\": \"é\","));
}

static void
test_jsonl (void)
{
  g_autoptr (GwTask) one = make_task ("a", "two\nlines", "ü", NULL);
  GwTask *tasks[] = { one, one };
  g_autofree char *text = format (GW_FORMAT_JSONL, NULL, tasks, 2);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_cmpstr (lines[0], ==, lines[1]);
  g_assert_cmpstr (lines[2], ==, "");
  g_assert_true (g_str_has_prefix (lines[0], "{\"task_id\":\"a\","));
}

static void
test_csv (void)
{
  g_autoptr (GwTask) one = make_task ("a", "plain", "say \"hi\", then\nleave",
                                      "{\"lang\":\"fr\",\"n\":1,\"status\":\"x\"}");
  g_autoptr (GwTask) two = make_task ("b", "x", NULL, "{\"o\":{\"k\":null},\"lang\":\"a,b\"}");
  GwTask *tasks[] = { one, two };
  g_autofree char *none = format (GW_FORMAT_CSV, NULL, NULL, 0);
  g_autofree char *both = NULL;

  one->duration_ms = 12;
  one->attempts = 1;
  two->has_error = TRUE;
  two->error_code = GW_ERROR_TASK_LOST;
  two->error_message = g_strdup ("gone");
  both = format (GW_FORMAT_CSV, NULL, tasks, 2);
  g_assert_cmpstr (none, ==, HEADER "\n");
  g_assert_cmpstr (both, ==,
                   HEADER ",lang,n,metadata.status,o\n"
                   "1,a,completed,plain,\"say \"\"hi\"\", then\nleave\",,,,,1,,,12,fr,1,x,\n"
                   "2,b,queued,x,,lost,gone,,,0,,,,\"a,b\",,,\"{\"\"k\"\":null}\"\n");
}

static void
test_md (void)
{
  g_autoptr (GwTask) one = make_task ("a", "# ask\n\nmore\n", "**answer**", NULL);
  g_autoptr (GwTask) two = make_task ("b", "x", NULL, NULL);
  g_autoptr (GwTask) three = make_task ("c", "y", NULL, NULL);
  GwTask *tasks[] = { one, two, three };
  g_autofree char *text = NULL;

  two->status = GW_TASK_FAILED;
  two->has_error = TRUE;
  two->error_code = GW_ERROR_TASK_SERVER;
  two->error_message = g_strdup ("broken");
  text = format (GW_FORMAT_MD, "Names", tasks, 3);
  g_assert_cmpstr (text, ==,
                   "# Names\n\n## Task 1\n\n> # ask\n>\n> more\n\n**answer**\n"
                   "\n## Task 2\n\n> x\n\n*failed (server): broken*\n"
                   "\n## Task 3\n\n> y\n\n*queued*\n");
}

/* Each answer as it is written, with the fence closed that it left open. */
static void
test_md_fences (void)
{
  static const struct {
    const char *result;
    const char *written;
  } rows[] = {
    { "```c\nint x;\n```\n", "```c\nint x;\n```\n" },
    { "```c\nint x;", "```c\nint x;\n```\n" },
    { "````\n```\nstill code\n", "````\n```\nstill code\n````\n" },
    { "~~~\n```\n", "~~~\n```\n~~~\n" },
    { "  ~~~ text\nx\n   ~~~~  \n", "  ~~~ text\nx\n   ~~~~  \n" },
    { "``` a`b ```\nno fence\n", "``` a`b ```\nno fence\n" },
    { "    ```\nindented code\n", "    ```\nindented code\n" },
    { "```\n``` not an end\n", "```\n``` not an end\n```\n" },
    { "```\r\nx\r\n```\r\n", "```\r\nx\r\n```\r\n" },
    { "", "\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GwTask) task = make_task ("a", "x", rows[i].result, NULL);
      g_autofree char *expected = g_strconcat ("## Task 1\n\n> x\n\n", rows[i].written, NULL);
      g_autofree char *text = format (GW_FORMAT_MD, NULL, &task, 1);

      g_assert_cmpstr (text, ==, expected);
    }
}

static void
test_names (void)
{
  GwFormat form = GW_N_FORMATS;

  for (guint i = 0; i < GW_N_FORMATS; i++)
    {
      g_autofree char *name = g_strconcat ("/tmp/a.b/results.", gw_format_to_string (i), NULL);

      g_assert_true (gw_format_from_string (gw_format_to_string (i), &form));
      g_assert_cmpint (form, ==, i);
      form = GW_N_FORMATS;
      g_assert_true (gw_format_from_file_name (name, &form));
      g_assert_cmpint (form, ==, i);
      g_assert_nonnull (gw_format_content_type (i));
    }
  g_assert_true (gw_format_from_file_name ("RESULTS.CSV", &form));
  g_assert_cmpint (form, ==, GW_FORMAT_CSV);
  g_assert_false (gw_format_from_file_name ("results", &form));
  g_assert_false (gw_format_from_file_name ("results.xlsx", &form));
  g_assert_false (gw_format_from_string (NULL, &form));
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/format/json", test_json);
  g_test_add_func ("/format/jsonl", test_jsonl);
  g_test_add_func ("/format/csv", test_csv);
  g_test_add_func ("/format/md", test_md);
  g_test_add_func ("/format/md-fences", test_md_fences);
  g_test_add_func ("/format/names", test_names);

  return g_test_run ();
}
