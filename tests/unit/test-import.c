/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>

#include "import-cases.h"

/* Texts of any kind as tasks: lines, sections, files, and back. Tables are in test-import-table.c,
 * JSON in test-import-json.c. */

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
  g_test_add_func ("/import/limits", test_limits);
  g_test_add_func ("/import/to-json", test_to_json);
  g_test_add_func ("/import/files", test_files);

  return g_test_run ();
}
