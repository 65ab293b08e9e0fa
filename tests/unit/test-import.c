/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <glib/gstdio.h>

#include "gw-format.h"
#include "gw-import.h"
#include "gw-template.h"

static GwImport *
parse_with (const char *name,
            const char *text,
            const GwImportOptions *options)
{
  g_autoptr (GError) error = NULL;
  /* Ends where its memory ends, so that a sanitizer sees a look behind it. */
  gsize length = strlen (text);
  g_autofree char *exact = g_memdup2 (text, length);
  GwImport *import = gw_import_parse_bytes (name, exact, length, options, &error);

  g_assert_no_error (error);
  g_assert_nonnull (import);

  return import;
}

static GwImport *
parse (const char *name,
       const char *text)
{
  return parse_with (name, text, NULL);
}

static void
assert_fails (const char *name,
              const char *text,
              const GwImportOptions *options,
              const char *said)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwImport) import = gw_import_parse_bytes (name, text, strlen (text), options, &error);

  g_assert_null (import);
  g_assert_error (error, GW_ERROR, GW_ERROR_INPUT);
  if (strstr (error->message, said) == NULL)
    g_test_message ("said: %s", error->message);
  g_assert_nonnull (strstr (error->message, said));
}

static const GwImportEntry *
entry (GwImport *import,
       guint i)
{
  g_assert_cmpuint (i, <, import->entries->len);

  return import->entries->pdata[i];
}

/* The tasks, put between bars. */
static char *
tasks (GwImport *import)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < import->entries->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "|" : "", entry (import, i)->content);

  return g_string_free (text, FALSE);
}

static void
assert_tasks (GwImport *import,
              const char *expected)
{
  g_autofree char *found = tasks (import);

  g_assert_cmpstr (found, ==, expected);
}

static void
assert_metadata (GwImport *import,
                 guint i,
                 const char *expected)
{
  JsonObject *metadata = entry (import, i)->metadata;
  g_autofree char *text = metadata != NULL ? gw_json_object_to_text (metadata, FALSE, NULL) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

static void
assert_problem (GwImport *import,
                guint i,
                guint row,
                const char *said)
{
  GwImportProblem *problem;

  g_assert_cmpuint (i, <, import->problems->len);
  problem = import->problems->pdata[i];
  if (strstr (problem->message, said) == NULL)
    g_test_message ("said: %s", problem->message);
  g_assert_cmpuint (problem->row, ==, row);
  g_assert_nonnull (strstr (problem->message, said));
}

static void
test_txt (void)
{
  g_autoptr (GwImport) import
    = parse ("a/tasks.txt", "\xef\xbb\xbf one \r\n\r\n\t\n日本\u3000\n\u3000\n\ufeffthree\rfour");
  g_autoptr (GwImport) none = parse ("tasks.txt", "");
  g_autoptr (GwImport) blank = parse ("tasks.txt", " \n\n");
  g_autoptr (GwImport) markers = parse ("-", "---\n# a\n- b");
  GwImportOptions options = { .skip_notes = TRUE };
  g_autoptr (GwImport) notes = parse_with ("x.txt", " # no\nyes # still\n#", &options);

  assert_tasks (import, "one|日本|three|four");
  g_assert_cmpuint (import->n_empty, ==, 3);
  g_assert_cmpint (import->kind, ==, GW_IMPORT_KIND_TXT);
  g_assert_cmpint (import->split, ==, GW_SPLIT_LINE);
  g_assert_cmpint (import->encoding, ==, GW_ENCODING_UTF8);
  g_assert_cmpstr (entry (import, 0)->source, ==, "tasks.txt");
  g_assert_cmpuint (entry (import, 1)->row, ==, 4);
  g_assert_cmpuint (entry (import, 3)->row, ==, 7);
  g_assert_null (entry (import, 0)->metadata);
  g_assert_cmpuint (none->entries->len, ==, 0);
  g_assert_cmpuint (blank->entries->len, ==, 0);
  assert_tasks (markers, "---|# a|- b");
  assert_tasks (notes, "yes # still");
}

static void
test_splits (void)
{
  const char *text = "a\n b \n\n\n# c\n---\nd\n\n";
  GwImportOptions options = { .split = GW_SPLIT_BLANK };
  g_autoptr (GwImport) blank = parse_with ("x.txt", text, &options);
  g_autoptr (GwImport) rule = NULL;
  g_autoptr (GwImport) whole = NULL;
  g_autoptr (GwImport) heading = NULL;

  assert_tasks (blank, "a\n b|# c\n---\nd");
  g_assert_cmpuint (entry (blank, 1)->row, ==, 5);
  options.split = GW_SPLIT_RULE;
  rule = parse_with ("x.txt", text, &options);
  assert_tasks (rule, "a\n b \n\n\n# c|d");
  g_assert_cmpuint (entry (rule, 1)->row, ==, 7);
  options.split = GW_SPLIT_WHOLE;
  whole = parse_with ("x.txt", text, &options);
  assert_tasks (whole, "a\n b \n\n\n# c\n---\nd");
  options.split = GW_SPLIT_HEADING;
  heading = parse_with ("x.txt", text, &options);
  assert_tasks (heading, "a\n b|# c\n---\nd");
}

static void
test_split_names (void)
{
  static const struct {
    const char *name;
    GwImportSplit split;
  } names[] = {
    { "line", GW_SPLIT_LINE },   { "blank", GW_SPLIT_BLANK },     { "rule", GW_SPLIT_RULE },
    { "whole", GW_SPLIT_WHOLE }, { "heading", GW_SPLIT_HEADING }, { "item", GW_SPLIT_ITEM },
  };
  GwImportSplit split = GW_SPLIT_AUTO;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_assert_true (gw_import_split_from_string (names[i].name, &split));
      g_assert_cmpint (split, ==, names[i].split);
    }
  g_assert_false (gw_import_split_from_string ("auto", &split));
  g_assert_false (gw_import_split_from_string (NULL, &split));
}

static void
test_md (void)
{
  g_autoptr (GwImport) whole = parse ("x.md", "# T\n\ntext\n");
  g_autoptr (GwImport) rules
    = parse ("x.md", "---\ntitle: x\n---\none\n\n---\ntwo\n```\n---\n```\n----\n\n---\nthree");
  g_autoptr (GwImport) front = parse ("x.md", "---\ntitle: x\n---\nonly\n");
  g_autoptr (GwImport) fenced = parse ("x.md", "a\n~~~\n---\n~~~\nb");
  GwImportOptions options = { .split = GW_SPLIT_HEADING };
  g_autoptr (GwImport) headings
    = parse_with ("x.md", "intro\n# A\na\n## B\n```\n# no\n```\n#C\n", &options);
  g_autoptr (GwImport) items = NULL;

  g_assert_cmpint (whole->split, ==, GW_SPLIT_WHOLE);
  assert_tasks (whole, "# T\n\ntext");
  g_assert_cmpint (rules->split, ==, GW_SPLIT_RULE);
  assert_tasks (rules, "one|two\n```\n---\n```|three");
  g_assert_cmpuint (entry (rules, 0)->row, ==, 4);
  g_assert_cmpuint (entry (rules, 1)->row, ==, 7);
  g_assert_cmpint (front->split, ==, GW_SPLIT_WHOLE);
  g_assert_cmpuint (front->entries->len, ==, 1);
  assert_tasks (fenced, "a\n~~~\n---\n~~~\nb");
  assert_tasks (headings, "intro|# A\na|## B\n```\n# no\n```\n#C");

  options.split = GW_SPLIT_ITEM;
  items = parse_with ("x.md",
                      "Intro\n\n- one\n  more\n  - nested\n* [ ] two\n1. three\n\n   still\n\nPara\n"
                      "## H\n  - four\n  - five\n- six\n# Over\n",
                      &options);
  assert_tasks (items, "one\n  more\n  - nested|two|three\n\n   still|four|five|six");
}

static void
test_encodings (void)
{
  static const guint8 utf16le[] = { 0xff, 0xfe, 'a', 0, 0x2d, 0x4e, '\n', 0, 'b', 0 };
  static const guint8 utf16be[] = { 0xfe, 0xff, 0, 'a', 0x4e, 0x2d };
  static const guint8 gb18030[] = { 'a', 0xd6, 0xd0, '\n', 0xce, 0xc4 };
  static const guint8 binary[] = { 0x7f, 'E', 'L', 'F', 0, 1, 2, 0xff, 0xfe };
  static const guint8 nul[] = { 'a', 0, 'b' };
  static const guint8 odd[] = { 0xff, 0xfe, 'a' };
  static const guint8 only_mark[] = { 0xff, 0xfe };
  static const struct {
    const guint8 *bytes;
    gsize length;
    GwEncoding encoding;
    const char *tasks;
  } cases[] = {
    { utf16le, sizeof utf16le, GW_ENCODING_UTF16LE, "a中|b" },
    { utf16be, sizeof utf16be, GW_ENCODING_UTF16BE, "a中" },
    { gb18030, sizeof gb18030, GW_ENCODING_GB18030, "a中|文" },
    { only_mark, sizeof only_mark, GW_ENCODING_UTF16LE, "" },
    { binary, sizeof binary, 0, NULL },
    { nul, sizeof nul, 0, NULL },
    { odd, sizeof odd, 0, NULL },
  };
  GwImportOptions options = { .encoding = GW_ENCODING_UTF16LE };
  g_autoptr (GwImport) chosen = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwImport) import
        = gw_import_parse_bytes ("x.txt", cases[i].bytes, cases[i].length, NULL, &error);

      if (cases[i].tasks != NULL)
        {
          g_assert_no_error (error);
          assert_tasks (import, cases[i].tasks);
          g_assert_cmpint (import->encoding, ==, cases[i].encoding);
        }
      else
        {
          g_assert_null (import);
          g_assert_error (error, GW_ERROR, GW_ERROR_INPUT);
        }
    }

  chosen = gw_import_parse_bytes ("x.txt", utf16le + 2, sizeof utf16le - 2, &options, NULL);
  g_assert_nonnull (chosen);
  assert_tasks (chosen, "a中|b");
}

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

static void
test_limits (void)
{
  g_autofree char *right = g_strnfill (GW_TASK_MAX_CONTENT, 'a');
  g_autofree char *lines = g_strconcat ("x\n", right, "\n", right, "b\ny\n", NULL);
  g_autofree char *wide = g_strnfill (GW_TASK_MAX_METADATA, 'a');
  g_autofree char *table = g_strconcat ("text,b\none,", wide, "\ntwo,2\n", NULL);
  g_autoptr (GwImport) text = parse ("x.txt", lines);
  g_autoptr (GwImport) csv = parse ("x.csv", table);
  g_autofree char *huge = g_malloc0 (GW_IMPORT_MAX_FILE + 1);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (text->entries->len, ==, 3);
  assert_problem (text, 0, 3, "larger than 1.0");
  assert_tasks (csv, "two");
  assert_problem (csv, 0, 2, "larger than 65.5");
  g_assert_null (gw_import_parse_bytes ("x.txt", huge, GW_IMPORT_MAX_FILE + 1, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INPUT);
}

static void
test_to_json (void)
{
  g_autoptr (GwImport) import
    = parse ("x.jsonl", "{\"prompt\":\"p\",\"model\":\"m\",\"priority\":-3,\"k\":1}\n\"q\"");
  g_autoptr (JsonObject) first = gw_import_entry_to_json (entry (import, 0));
  g_autoptr (JsonObject) second = gw_import_entry_to_json (entry (import, 1));
  g_autofree char *first_text = gw_json_object_to_text (first, FALSE, NULL);
  g_autofree char *second_text = gw_json_object_to_text (second, FALSE, NULL);

  g_assert_cmpstr (first_text, ==,
                   "{\"content\":\"p\",\"model\":\"m\",\"priority\":-3,\"metadata\":{\"k\":1}}");
  g_assert_cmpstr (second_text, ==, "{\"content\":\"q\"}");
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
test_files (void)
{
  g_autofree char *folder = g_dir_make_tmp ("gangway-import-XXXXXX", NULL);
  const char *names[] = { "b.txt", "a.csv", "ignored.png", ".hidden.txt" };
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) imports = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *inside = g_build_filename (folder, "empty", NULL);
  GwImport *import;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      g_assert_true (g_file_set_contents (path, "text\ntwo", -1, NULL));
    }
  g_assert_no_errno (g_mkdir (inside, 0700));
  g_ptr_array_add (files, g_file_new_for_path (folder));
  g_ptr_array_add (files, g_file_new_build_filename (folder, "missing.txt", NULL));
  g_ptr_array_add (files, g_file_new_for_path (inside));
  g_ptr_array_add (files, g_file_new_build_filename (folder, "ignored.png", NULL));

  imports = gw_import_files (files, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (imports->len, ==, 5);
  import = imports->pdata[0];
  g_assert_cmpstr (import->source, ==, "a.csv");
  assert_tasks (import, "two");
  import = imports->pdata[1];
  g_assert_cmpstr (import->source, ==, "b.txt");
  assert_tasks (import, "text|two");
  import = imports->pdata[2];
  g_assert_error (import->error, GW_ERROR, GW_ERROR_INPUT);
  g_assert_cmpstr (import->source, ==, "missing.txt");
  import = imports->pdata[3];
  g_assert_error (import->error, GW_ERROR, GW_ERROR_INPUT);
  import = imports->pdata[4];
  g_assert_no_error (import->error);
  assert_tasks (import, "text|two");

  g_cancellable_cancel (cancellable);
  g_assert_null (gw_import_files (files, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      g_unlink (path);
    }
  g_rmdir (inside);
  g_rmdir (folder);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/import/txt", test_txt);
  g_test_add_func ("/import/splits", test_splits);
  g_test_add_func ("/import/split-names", test_split_names);
  g_test_add_func ("/import/md", test_md);
  g_test_add_func ("/import/encodings", test_encodings);
  g_test_add_func ("/import/csv", test_csv);
  g_test_add_func ("/import/csv-delimiters", test_csv_delimiters);
  g_test_add_func ("/import/csv-columns", test_csv_columns);
  g_test_add_func ("/import/csv-open-quote", test_csv_open_quote);
  g_test_add_func ("/import/csv-no-header", test_csv_no_header);
  g_test_add_func ("/import/json-words", test_json_words);
  g_test_add_func ("/import/template", test_template);
  g_test_add_func ("/import/jsonl", test_jsonl);
  g_test_add_func ("/import/json", test_json);
  g_test_add_func ("/import/limits", test_limits);
  g_test_add_func ("/import/to-json", test_to_json);
  g_test_add_func ("/import/results-again", test_results_again);
  g_test_add_func ("/import/utf16-table", test_utf16_table);
  g_test_add_func ("/import/files", test_files);

  return g_test_run ();
}
