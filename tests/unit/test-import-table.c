/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "import-cases.h"

/* Tables as tasks: delimiters, columns, quotes; and the template that makes a task of a row. */

static void
test_csv (void)
{
  g_autoptr (GwImport) import
    = parse ("people.csv", "id, Question ,model,Model,,lang\r\n"
                           "1,\"What, \"\"this\"\"?\r\nand more\",m1,m2,x,fr\r\n"
                           "2,,m,,,\r\n"
                           ",,,,,\r\n"
                           "\r\n"
                           "3,short\r\n"
                           "4,too,many,1,2,3,4\r\n"
                           "5,trailing,a,b,c,d,,\r\n"
                           "6,last,,,,");

  assert_tasks (import, "What, \"this\"?\r\nand more|short|trailing|last");
  g_assert_cmpstr (import->column, ==, "Question");
  g_assert_cmpint (import->delimiter, ==, ',');
  assert_metadata (import, 0,
                   "{\"id\":\"1\",\"input_model\":\"m1\",\"Model\":\"m2\",\"column 5\":\"x\","
                   "\"lang\":\"fr\"}");
  assert_metadata (import, 3, "{\"id\":\"6\"}");
  g_assert_cmpuint (entry (import, 0)->row, ==, 2);
  g_assert_cmpuint (entry (import, 1)->row, ==, 6);
  g_assert_null (entry (import, 0)->model);
  g_assert_cmpuint (import->n_empty, ==, 2);
  g_assert_cmpuint (import->problems->len, ==, 2);
  assert_problem (import, 0, 3, "Question");
  assert_problem (import, 1, 7, "7 values");
}

static void
test_csv_delimiters (void)
{
  static const struct {
    const char *name;
    const char *text;
    char delimiter;
    const char *tasks;
  } cases[] = {
    { "x.csv", "text;b\na, b;c\nd;e\n", ';', "a, b|d" },
    { "x.csv", "text\tb\na,b\tc\n", '\t', "a,b" },
    { "x.csv", "text|b\na,b|c\n", '|', "a,b" },
    { "x.tsv", "text\tb\n\"a\tb\"\tc\n", '\t', "a\tb" },
    { "x.csv", "sep=;\ntext;b\na,c;d\n", ';', "a,c" },
    { "x.csv", "sep=|\r\ntext|b\r\nx|y\r\n", '|', "x" },
    { "x.csv", "text\nWhat is a, b; c|d?\n\"q, \"\"r\"\"\"\n", ',', "What is a, b; c|d?|q, \"r\"" },
    { "x.tsv", "text\none\ntwo\n", ',', "one|two" },
    { "x.csv", "b,text\r1,mac\r", ',', "mac" },
    { "x.csv", "text,b\na\"b\"c,d\n\"e\"f,g\n", ',', "a\"b\"c|ef" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GwImport) import = parse (cases[i].name, cases[i].text);
      g_autofree char *shown = g_strescape (cases[i].text, NULL);

      g_test_message ("%s", shown);
      g_assert_cmpint (import->delimiter, ==, cases[i].delimiter);
      assert_tasks (import, cases[i].tasks);
      g_assert_cmpuint (import->problems->len, ==, 0);
    }
}

static void
test_csv_columns (void)
{
  const char *text = "name,answer\nbob,a long text here\n";
  GwImportOptions options = { .column = "NAME" };
  g_autoptr (GwImport) chosen = parse_with ("x.csv", text, &options);
  g_autoptr (GwImport) guessed = NULL;
  g_autoptr (GwImport) bare = NULL;
  g_autoptr (GwImport) order = parse ("x.csv", "question,task\nq,t\n");
  g_autoptr (GwImport) repeated = parse ("x.csv", "text,a,a,a_2\nt,1,2,3\n");
  g_autoptr (GwImport) empty = parse ("x.csv", "");

  assert_tasks (chosen, "bob");
  assert_metadata (chosen, 0, "{\"answer\":\"a long text here\"}");
  assert_fails ("x.csv", text, NULL, "name, answer");
  options.column = "none";
  assert_fails ("x.csv", text, &options, "name, answer");
  options.column = NULL;
  options.guess_column = TRUE;
  guessed = parse_with ("x.csv", text, &options);
  assert_tasks (guessed, "a long text here");
  options.guess_column = FALSE;
  options.no_header = TRUE;
  options.column = "2";
  bare = parse_with ("x.csv", "1,one\n2,two\n", &options);
  assert_tasks (bare, "one|two");
  assert_metadata (bare, 0, "{\"1\":\"1\"}");
  g_assert_cmpuint (entry (bare, 0)->row, ==, 1);
  assert_tasks (order, "t");
  assert_metadata (repeated, 0, "{\"a\":\"1\",\"a_2\":\"2\",\"a_2_2\":\"3\"}");
  g_assert_cmpuint (empty->entries->len, ==, 0);
}

static void
test_csv_open_quote (void)
{
  g_autoptr (GwImport) last = parse ("x.csv", "text,b\ngood,1\n\"never closed,2\nthird,3\n");
  g_autoptr (GwImport) later = parse ("x.csv", "text,b\r\n\"one, two,1\r\n\"three, four\",2\r\n"
                                               "five,\"6\n7\"\r\n");
  g_autoptr (GwImport) middle = parse ("x.csv", "text,b\n\"fine\",\"oh\nno,x\n\"a\nb\",2\n");
  g_autoptr (GwImport) header = parse ("x.csv", "text,\"b\none,1\ntwo,2\n");
  g_autoptr (GwImport) only = parse ("x.csv", "text\n\"");
  g_autoptr (GString) many = g_string_new ("text\n");
  g_autoptr (GwImport) each = NULL;

  assert_tasks (last, "good|third");
  assert_problem (last, 0, 3, "quote");
  g_assert_cmpuint (entry (last, 1)->row, ==, 4);

  /* Quotes of later rows do not close it. */
  assert_tasks (later, "three, four|five");
  g_assert_cmpuint (later->problems->len, ==, 1);
  assert_problem (later, 0, 2, "quote");
  assert_metadata (later, 1, "{\"b\":\"6\\n7\"}");
  assert_tasks (middle, "no|a\nb");
  assert_problem (middle, 0, 2, "quote");

  assert_tasks (header, "one|two");
  assert_problem (header, 0, 1, "quote");
  assert_metadata (header, 0, "{\"b\":\"1\"}");
  assert_tasks (only, "");
  assert_problem (only, 0, 2, "quote");

  /* Each its own line, and not the file once more for each. */
  for (guint i = 0; i < 100000; i++)
    g_string_append (many, "\"open\n");
  g_string_append (many, "end\n");
  each = parse ("x.csv", many->str);
  assert_tasks (each, "end");
  g_assert_cmpuint (each->problems->len, ==, 100000);
}

/* Where a column is guessed, a first row that cannot be names is a task like the others. */
static void
test_csv_no_header (void)
{
  GwImportOptions guess = { .guess_column = TRUE };
  GwImportOptions told = { .guess_column = TRUE, .header_told = TRUE };
  g_autoptr (GwImport) numbers = parse_with ("x.csv", "Summarise this,1\nAnd this,2\n", &guess);
  g_autoptr (GwImport) twice = parse_with ("x.csv", "yes,yes\nno,maybe\n", &guess);
  g_autoptr (GwImport) names = parse_with ("x.csv", "frage,3a\nWas?,4\n", &guess);
  g_autoptr (GwImport) known = parse_with ("x.csv", "prompt,2024\nWhat?,4\n", &guess);
  g_autoptr (GwImport) meant = parse_with ("x.csv", "Summarise this,1\nAnd this,2\n", &told);

  assert_tasks (numbers, "Summarise this|And this");
  g_assert_true (numbers->no_header);
  g_assert_cmpstr (numbers->column, ==, "1");
  g_assert_cmpuint (entry (numbers, 0)->row, ==, 1);
  assert_tasks (twice, "yes|maybe");
  assert_tasks (names, "Was?");
  g_assert_true (names->guessed);
  assert_tasks (known, "What?");
  g_assert_false (known->guessed);
  assert_tasks (meant, "And this");
  /* Nobody guesses: as the contract says. */
  assert_fails ("x.csv", "Summarise this,1\nAnd this,2\n", NULL, "Which column");
}

/* What spreadsheets call "Unicode text". */
static void
test_utf16_table (void)
{
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  const char *text = "\xef\xbb\xbf" "id\tquestion\r\n1\t\"日\n本\"\r\n";
  g_autofree char *utf16 = g_convert (text, -1, "UTF-16LE", "UTF-8", NULL, &length, &error);
  g_autoptr (GwImport) import = NULL;

  g_assert_no_error (error);
  import = gw_import_parse_bytes ("x.csv", utf16, length, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (import->encoding, ==, GW_ENCODING_UTF16LE);
  g_assert_cmpint (import->delimiter, ==, '\t');
  assert_tasks (import, "日\n本");
}

static void
test_template (void)
{
  GwImportOptions options = { .template_text = "Translate {text} to {{x}} { language }!" };
  g_autoptr (GwImport) table
    = parse_with ("x.csv", "text,language\n{language},fr\n,\nb,\n", &options);
  g_autoptr (GwImport) list = NULL;
  g_autoptr (GwImport) wrapped = NULL;
  g_autoptr (GwImport) objects = NULL;
  g_autoptr (GwImport) strings = NULL;
  g_autoptr (GwImport) talk = NULL;

  assert_tasks (table, "Translate {language} to {x} fr!|Translate b to {x} !");
  assert_metadata (table, 0, "{\"text\":\"{language}\",\"language\":\"fr\"}");
  g_assert_cmpuint (table->n_empty, ==, 1);
  g_assert_cmpstr (table->column, ==, "text"); /* what {task} would be */
  assert_fails ("x.csv", "text,b\n1,2\n", &options, "{language}");
  assert_fails ("x.txt", "a\n", &options, "{text}");

  options.template_text = "Sum up: {task}.";
  list = parse_with ("x.txt", "a\n\nb\n", &options);
  assert_tasks (list, "Sum up: a.|Sum up: b.");
  g_assert_cmpuint (list->n_empty, ==, 1);
  wrapped = parse_with ("x.csv", "question,b\nq,1\n", &options);
  assert_tasks (wrapped, "Sum up: q.");
  assert_fails ("x.csv", "a,b\n1,2\n", &options, "a, b");
  strings = parse_with ("x.json", "[\"a\", {\"prompt\": \"b\"}]", &options);
  assert_tasks (strings, "Sum up: a.|Sum up: b.");
  talk = parse_with ("x.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", &options);
  assert_tasks (talk, "Sum up: hi.");

  options.template_text = "{a} and {n}";
  objects = parse_with ("x.jsonl", "{\"a\":\"x\",\"n\":1.5}\n{\"a\":null,\"o\":[1]}\n{\"n\":[1,2]}",
                        &options);
  assert_tasks (objects, "x and 1.5| and [1,2]");
  assert_problem (objects, 0, 2, "template");

  options.template_text = "same for all";
  assert_fails ("x.txt", "a\n", &options, "{task}");
  options.template_text = "open {task";
  assert_fails ("x.txt", "a\n", &options, "{{");
  options.template_text = "close } {task}";
  assert_fails ("x.txt", "a\n", &options, "}}");
  options.template_text = "{} {task}";
  assert_fails ("x.txt", "a\n", &options, "braces");
  options.template_text = "{a {task}}";
  assert_fails ("x.txt", "a\n", &options, "{{");
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/import/csv", test_csv);
  g_test_add_func ("/import/csv-delimiters", test_csv_delimiters);
  g_test_add_func ("/import/csv-columns", test_csv_columns);
  g_test_add_func ("/import/csv-open-quote", test_csv_open_quote);
  g_test_add_func ("/import/csv-no-header", test_csv_no_header);
  g_test_add_func ("/import/template", test_template);
  g_test_add_func ("/import/utf16-table", test_utf16_table);

  return g_test_run ();
}
