/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <glib/gstdio.h>

#include "fake-gateway.h"
#include "gw-error.h"
#include "gw-import-rows.h"
#include "gw-import-set.h"
#include "gw-import-submit.h"

static char *folder;

static GFile *
make_file (const char *name,
           const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));

  return g_file_new_for_path (path);
}

/* Takes @file. */
static void
add (GwImportSet *set,
     GFile *file)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (files, file);
  gw_import_set_add (set, files);
}

static void
wait_idle (GwImportSet *set)
{
  fake_wait_until (!gw_import_set_is_busy (set));
}

/* What the preview shows, line by line. */
static char *
show (GwImportRows *rows)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (rows)); i++)
    {
      g_autoptr (GwImportRow) row = g_list_model_get_item (G_LIST_MODEL (rows), i);

      if (i > 0)
        g_string_append_c (text, '|');
      if (gw_import_row_is_task (row))
        g_string_append_printf (text, "%u%s%s", gw_import_row_get_number (row),
                                gw_import_row_get_ticked (row) ? "+" : "-",
                                gw_import_row_get_text (row));
      else
        g_string_append_printf (text, "!%u", gw_import_row_get_row (row));
    }

  return g_string_free (text, FALSE);
}

static void
assert_shown (GwImportRows *rows,
              const char *expected)
{
  g_autofree char *shown = show (rows);

  g_assert_cmpstr (shown, ==, expected);
}

static void
tick (GwImportRows *rows,
      guint position,
      gboolean ticked)
{
  g_autoptr (GwImportRow) row = g_list_model_get_item (G_LIST_MODEL (rows), position);

  gw_import_rows_set_ticked (rows, row, ticked);
}

static void
test_several_files (void)
{
  g_autoptr (GwImportSet) set = gw_import_set_new ();
  g_autoptr (GwImportRows) rows = gw_import_rows_new ();
  GwImportLines *lines;
  GwImportOptions options = { .guess_column = TRUE, .split = GW_SPLIT_WHOLE };

  add (set, make_file ("a.txt", "one\n\ntwo\n# note\n"));
  add (set, make_file ("b.csv", "task,lang\none,de\n,fr\nthree,it\n"));
  wait_idle (set);
  g_assert_cmpuint (gw_import_set_get_n_files (set), ==, 2);
  lines = gw_import_set_get_lines (set);
  g_assert_cmpuint (lines->n_duplicates, ==, 1);
  g_assert_cmpuint (lines->n_empty, ==, 1);
  g_assert_cmpuint (lines->n_problems, ==, 1);
  gw_import_rows_set_lines (rows, lines);
  assert_shown (rows, "1+one|2+two|3+# note|!3|4+three");
  /* The files add up to the total. */
  g_assert_cmpuint (lines->n_tasks->len, ==, 2);
  g_assert_cmpuint (g_array_index (lines->n_tasks, guint, 0), ==, 3);
  g_assert_cmpuint (g_array_index (lines->n_tasks, guint, 1), ==, 1);

  /* What the user left out outlasts what concerns other files. */
  tick (rows, 1, FALSE);
  tick (rows, 4, FALSE);
  g_assert_cmpuint (gw_import_rows_get_n_ticked (rows), ==, 2);
  gw_import_set_set_skip_duplicates (set, FALSE);
  wait_idle (set);
  gw_import_rows_set_lines (rows, gw_import_set_get_lines (set));
  assert_shown (rows, "1+one|2-two|3+# note|4+one|!3|5-three");

  gw_import_set_set_options (set, 0, &options);
  wait_idle (set);
  gw_import_rows_set_lines (rows, gw_import_set_get_lines (set));
  assert_shown (rows, "1+one\n\ntwo\n# note|2+one|!3|3-three");

  gw_import_rows_set_only_problems (rows, TRUE);
  assert_shown (rows, "!3");
  gw_import_rows_set_only_problems (rows, FALSE);
  gw_import_rows_tick_all (rows, FALSE);
  g_assert_cmpuint (gw_import_rows_get_n_ticked (rows), ==, 0);
  g_assert_cmpuint (gw_import_rows_get_tokens (rows), ==, 0);
  gw_import_rows_tick_all (rows, TRUE);
  g_assert_cmpuint (gw_import_rows_get_n_ticked (rows), ==, 3);

  gw_import_set_remove (set, 0);
  wait_idle (set);
  gw_import_rows_set_lines (rows, gw_import_set_get_lines (set));
  assert_shown (rows, "1+one|!3|2+three");

  gw_import_set_set_skip_empty (set, FALSE);
  add (set, make_file ("c.txt", "x\n\n# no\ny\n"));
  gw_import_set_set_skip_notes (set, TRUE);
  wait_idle (set);
  gw_import_rows_set_lines (rows, gw_import_set_get_lines (set));
  assert_shown (rows, "1+one|!3|2+three|3+x|!2|4+y");
}

static void
test_template (void)
{
  g_autoptr (GwImportSet) set = gw_import_set_new ();
  g_autoptr (GwImportRows) rows = gw_import_rows_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;
  g_auto (GStrv) both = NULL;

  add (set, make_file ("t.csv", "word,lang\nhund,de\nchien,fr\n"));
  wait_idle (set);
  names = gw_import_set_dup_names (set);
  g_assert_cmpuint (g_strv_length (names), ==, 3);
  g_assert_cmpstr (names[0], ==, "word");
  g_assert_cmpstr (names[2], ==, "task");

  g_assert_false (gw_import_set_set_template (set, "{word} to {tongue}", &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, "{tongue}"));
  g_clear_error (&error);
  g_assert_false (gw_import_set_set_template (set, "{word", &error));
  g_clear_error (&error);
  g_assert_false (gw_import_set_set_template (set, "the same each time", &error));
  g_clear_error (&error);
  wait_idle (set);
  g_assert_null (gw_import_set_get_template (set));

  g_assert_true (gw_import_set_set_template (set, "{word} is {Lang}", &error));
  wait_idle (set);
  gw_import_rows_set_lines (rows, gw_import_set_get_lines (set));
  assert_shown (rows, "1+hund is de|2+chien is fr");

  /* A plain list has none of the columns. */
  add (set, make_file ("t.txt", "plain\n"));
  wait_idle (set);
  both = gw_import_set_dup_names (set);
  g_assert_cmpuint (g_strv_length (both), ==, 1);
  g_assert_cmpstr (both[0], ==, "task");
  g_assert_false (gw_import_set_set_template (set, "{word} is {lang}", &error));
  g_assert_nonnull (strstr (error->message, "t.txt"));
  g_clear_error (&error);
  g_assert_true (gw_import_set_set_template (set, "Say {task}", &error));
  wait_idle (set);
  gw_import_rows_set_lines (rows, gw_import_set_get_lines (set));
  assert_shown (rows, "1+Say hund|2+Say chien|3+Say plain");
}

static void
test_json (void)
{
  g_autoptr (GwImportSet) set = gw_import_set_new ();
  const GwImportFile *file;
  GwImportOptions options = { .guess_column = TRUE, .path = "data.few" };

  add (set, make_file ("j.json", "{\"data\": {\"many\": [\"a\", \"b\"], \"few\": [\"c\"]}, \"x\": 1}"));
  wait_idle (set);
  file = gw_import_set_get_file (set, 0);
  g_assert_no_error (file->import->error);
  g_assert_cmpstr (file->import->path, ==, "data.many");
  g_assert_cmpuint (g_strv_length (file->import->paths), ==, 2);
  g_assert_cmpuint (file->import->entries->len, ==, 2);

  gw_import_set_set_options (set, 0, &options);
  wait_idle (set);
  g_assert_cmpstr (file->import->path, ==, "data.few");
  g_assert_cmpuint (file->import->entries->len, ==, 1);

  options.path = "data.none";
  gw_import_set_set_options (set, 0, &options);
  wait_idle (set);
  g_assert_error (file->import->error, GW_ERROR, GW_ERROR_INPUT);
  g_assert_cmpuint (g_strv_length (file->import->paths), ==, 2);
}

static void
test_what_cannot_be_read (void)
{
  g_autoptr (GwImportSet) set = gw_import_set_new ();
  g_autofree char *missing = g_build_filename (folder, "missing.txt", NULL);
  g_autofree char *inside = g_build_filename (folder, "folder", NULL);
  g_autoptr (GwImportRows) rows = gw_import_rows_new ();
  g_autoptr (GwImportRow) row = NULL;
  g_auto (GStrv) names = NULL;

  g_assert_cmpint (g_mkdir (inside, 0700), ==, 0);
  g_object_unref (make_file ("folder/2.txt", "second"));
  g_object_unref (make_file ("folder/1.md", "first"));
  g_object_unref (make_file ("folder/3.xyz", "unknown"));
  add (set, g_file_new_for_path (missing));
  add (set, make_file ("photo.png", "text in truth"));
  add (set, make_file ("unknown.xyz", "taken for text"));
  add (set, g_file_new_for_path (inside));
  wait_idle (set);
  g_assert_cmpuint (gw_import_set_get_n_files (set), ==, 5);
  g_assert_null (gw_import_set_get_file (set, 0)->bytes);
  g_assert_nonnull (gw_import_set_get_file (set, 0)->import->error);
  g_assert_null (gw_import_set_get_file (set, 1)->bytes);
  g_assert_cmpstr (gw_import_set_get_file (set, 3)->name, ==, "1.md");
  g_assert_cmpstr (gw_import_set_get_file (set, 4)->name, ==, "2.txt");
  /* Each that cannot is a problem of its own, in its place. */
  g_assert_cmpuint (gw_import_lines_get_length (gw_import_set_get_lines (set)), ==, 5);
  g_assert_cmpuint (gw_import_set_get_lines (set)->n_problems, ==, 2);
  gw_import_rows_set_lines (rows, gw_import_set_get_lines (set));
  row = g_list_model_get_item (G_LIST_MODEL (rows), 1);
  g_assert_false (gw_import_row_is_task (row));
  g_assert_cmpuint (gw_import_row_get_row (row), ==, 0);
  g_assert_cmpstr (gw_import_row_get_source (row), ==, "photo.png");
  g_assert_nonnull (strstr (gw_import_row_get_text (row), "can be imported"));

  /* They say nothing about the names that a template may have. */
  names = gw_import_set_dup_names (set);
  g_assert_true (g_strv_contains ((const char *const *) names, "task"));
  g_assert_true (gw_import_set_set_template (set, "Say {task}", NULL));
  wait_idle (set);
  g_assert_cmpuint (gw_import_set_get_lines (set)->n_problems, ==, 2);
}

static void
test_many_changes (void)
{
  g_autoptr (GwImportSet) set = gw_import_set_new ();
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 30000; i++)
    g_string_append_printf (text, "task %u\n", i);
  add (set, make_file ("many.txt", text->str));
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *template = g_strdup_printf ("%u {task}", i);

      g_assert_true (gw_import_set_set_template (set, template, NULL));
      fake_turn ();
    }
  wait_idle (set);
  g_assert_cmpuint (gw_import_lines_get_length (gw_import_set_get_lines (set)), ==, 30000);
  g_assert_cmpstr (gw_import_lines_get_entry (gw_import_set_get_lines (set), 29999)->content, ==,
                   "49 task 29999");

  /* Stopped in the middle: it goes as soon as its thread has seen it. */
  g_assert_true (gw_import_set_set_template (set, NULL, NULL));
  gw_import_set_stop (set);
  wait_idle (set);
}

static void
test_tokens (void)
{
  g_assert_cmpuint (gw_import_guess_tokens ("abcdefgh"), ==, 2);
  g_assert_cmpuint (gw_import_guess_tokens ("你好世界"), ==, 3);
  g_assert_cmpuint (gw_import_guess_tokens ("a"), ==, 1);
}

static void
test_foreign (void)
{
  g_assert_true (gw_import_is_foreign ("photo.png"));
  g_assert_true (gw_import_is_foreign ("paper.pdf"));
  g_assert_true (gw_import_is_foreign ("all.zip"));
  g_assert_false (gw_import_is_foreign ("tasks.csv"));
  g_assert_false (gw_import_is_foreign ("README"));
  g_assert_false (gw_import_is_foreign ("notes.unheard-of"));
  g_assert_false (gw_import_is_foreign ("script.py"));
}

/* --- Into the queue
 * ---------------------------------------------------------------------------- */

typedef struct {
  guint n_batches;
  guint fail_at;        /* the batch that is refused; 0: none */
  guint n_foreign;      /* tasks of others in the project */
  guint n_accepted;
  gboolean first_holds;
  guint n_deleted;
  guint n_resumed;
} Gateway;

static gboolean
hook (FakeGateway *fake,
      SoupServerMessage *message,
      const char *path,
      gpointer user_data)
{
  Gateway *gateway = user_data;
  const char *method = soup_server_message_get_method (message);

  if (g_str_equal (path, "/tasks/batch"))
    {
      g_autoptr (GBytes) bytes
        = soup_message_body_flatten (soup_server_message_get_request_body (message));
      g_autoptr (JsonObject) body = gw_json_parse_object (g_bytes_get_data (bytes, NULL),
                                                          g_bytes_get_size (bytes), NULL);
      g_autoptr (GString) answer = g_string_new ("{\"project_id\":\"p-1\",\"task_ids\":[");
      guint n = json_array_get_length (gw_json_peek_array (body, "tasks"));

      gateway->n_batches++;
      if (gateway->n_batches == 1)
        gateway->first_holds = gw_json_peek_boolean (body, "paused", FALSE);
      if (gateway->n_batches == gateway->fail_at)
        {
          fake_reply (message, 507, "{\"code\":\"no-space\",\"detail\":\"There is no space.\"}");
          return TRUE;
        }
      for (guint i = 0; i < n; i++)
        g_string_append_printf (answer, "%s\"t-%u\"", i > 0 ? "," : "", gateway->n_accepted++);
      g_string_append (answer, "]}");
      fake_reply (message, 200, answer->str);
      return TRUE;
    }
  if (g_str_equal (path, "/projects/p-1") && g_str_equal (method, "GET"))
    {
      g_autofree char *project = g_strdup_printf (
        "{\"project_id\":\"p-1\",\"name\":\"new\",\"created_at\":\"2026-01-01T00:00:00.000Z\","
        "\"finished_at\":null,\"concurrency\":null,\"paused\":true,\"revision\":1,"
        "\"counts\":{\"queued\":%u,\"running\":0,\"completed\":0,\"failed\":0,\"cancelled\":0},"
        "\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}}",
        gateway->n_accepted + gateway->n_foreign);

      fake_reply (message, 200, project);
      return TRUE;
    }
  if (g_str_equal (path, "/projects/p-1") && g_str_equal (method, "DELETE"))
    {
      gateway->n_deleted++;
      fake_reply (message, 200, "{}");
      return TRUE;
    }
  if (g_str_equal (path, "/projects/p-1/resume"))
    {
      gateway->n_resumed++;
      fake_reply (message, 200, "{\"changed\":1}");
      return TRUE;
    }

  return FALSE;
}

static void
count_cb (guint done,
          guint all,
          gpointer user_data)
{
  guint *n_told = user_data;

  g_assert_cmpuint (done, <=, all);
  (*n_told)++;
}

static void
cancel_cb (guint done,
           guint all,
           gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

/* Submits 12 000 tasks to a new project; gives the ids, or NULL and the error. */
static GPtrArray *
submit (Gateway *gateway,
        gboolean holds,
        GCancellable *cancellable,
        guint *n_told,
        GError **error)
{
  FakeGateway *fake = fake_gateway_new (FAKE_OURS);
  g_autoptr (GwClient) client = gw_client_new (fake_gateway_uri (fake), NULL, GW_PROTOCOL_GANGWAY);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GwImport) import = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  const GwImportSubmitOptions options = { .project = "new", .is_new = TRUE, .holds = holds };
  GPtrArray *ids;

  for (guint i = 0; i < 12000; i++)
    g_string_append_printf (text, "%u\n", i);
  import = gw_import_parse ("x.txt", text->str, text->len, NULL, NULL);
  g_assert_cmpuint (import->entries->len, ==, 12000);
  gw_client_set_patience (client, 0);
  fake_gateway_set_hook (fake, hook, gateway);
  gw_import_submit_async (client, import->entries, gw_import_ref (import),
                          (GDestroyNotify) gw_import_free, &options,
                          cancellable != NULL ? cancel_cb : count_cb,
                          cancellable != NULL ? (gpointer) cancellable : (gpointer) n_told,
                          cancellable, fake_store_result, &result);
  fake_wait_until (result != NULL);
  ids = gw_import_submit_finish (client, result, NULL, error);
  fake_gateway_free (fake);

  return ids;
}

static void
test_submit (void)
{
  Gateway gateway = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GPtrArray) held = NULL;
  guint n_told = 0;

  ids = submit (&gateway, FALSE, NULL, &n_told, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ids->len, ==, 12000);
  g_assert_cmpstr (ids->pdata[11999], ==, "t-11999");
  g_assert_cmpuint (n_told, ==, 3);
  g_assert_true (gateway.first_holds);
  g_assert_cmpuint (gateway.n_resumed, ==, 1);

  memset (&gateway, 0, sizeof gateway);
  held = submit (&gateway, TRUE, NULL, &n_told, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (held->len, ==, 12000);
  g_assert_cmpuint (gateway.n_resumed, ==, 0);
}

static void
test_submit_taken_back (void)
{
  Gateway gateway = { .fail_at = 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint n_told = 0;

  g_assert_null (submit (&gateway, FALSE, NULL, &n_told, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (gateway.n_deleted, ==, 1);
  g_assert_cmpuint (gateway.n_resumed, ==, 0);
  g_assert_null (strstr (error->message, "10000"));
  g_clear_error (&error);

  /* Somebody else has put tasks into it as well: those are not ours to remove. */
  memset (&gateway, 0, sizeof gateway);
  gateway.fail_at = 2;
  gateway.n_foreign = 1;
  g_assert_null (submit (&gateway, FALSE, NULL, &n_told, &error));
  g_assert_cmpuint (gateway.n_deleted, ==, 0);
  g_assert_nonnull (strstr (error->message, "5000"));
  g_clear_error (&error);

  memset (&gateway, 0, sizeof gateway);
  g_assert_null (submit (&gateway, FALSE, cancellable, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (gateway.n_batches, ==, 1);
  g_assert_cmpuint (gateway.n_deleted, ==, 1);
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        remove_folder (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

int
main (int argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("gangway-import-XXXXXX", NULL);
  g_test_add_func ("/import-set/several-files", test_several_files);
  g_test_add_func ("/import-set/template", test_template);
  g_test_add_func ("/import-set/json", test_json);
  g_test_add_func ("/import-set/what-cannot-be-read", test_what_cannot_be_read);
  g_test_add_func ("/import-set/many-changes", test_many_changes);
  g_test_add_func ("/import-set/tokens", test_tokens);
  g_test_add_func ("/import-set/foreign", test_foreign);
  g_test_add_func ("/import-set/submit", test_submit);
  g_test_add_func ("/import-set/submit-taken-back", test_submit_taken_back);
  status = g_test_run ();
  remove_folder (folder);
  g_free (folder);

  return status;
}
