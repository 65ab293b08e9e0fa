/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "gw-export.h"

typedef struct {
  char *folder;
  char *path;
  GPtrArray *tasks;
} Fixture;

static void
set_up (Fixture *fixture,
        gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("gangway-export-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "results.json", NULL);
  fixture->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  for (guint i = 0; i < 3; i++)
    {
      GwTask *task = gw_task_new ();

      task->task_id = g_strdup_printf ("t%u", i);
      task->content = g_strnfill (50000, 'c');
      task->submitted = json_object_new ();
      json_object_set_int_member (task->submitted, i == 2 ? "late" : "early", i);
      g_ptr_array_add (fixture->tasks, task);
    }
}

/* Nothing may be left over beside the results. */
static void
tear_down (Fixture *fixture,
           gconstpointer data)
{
  g_unlink (fixture->path);
  g_assert_no_errno (g_rmdir (fixture->folder));
  g_free (fixture->folder);
  g_free (fixture->path);
  g_ptr_array_unref (fixture->tasks);
}

static char *
contents (const char *path)
{
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));

  return text;
}

static guint
mode_of (const char *path)
{
  GStatBuf info;

  g_assert_no_errno (g_stat (path, &info));

  return info.st_mode & 07777;
}

static void
test_save (Fixture *fixture,
           gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;

  g_assert_true (gw_export_save (fixture->path, GW_FORMAT_JSON, NULL, fixture->tasks, NULL,
                                 &error));
  g_assert_no_error (error);
  text = contents (fixture->path);
  node = gw_json_parse (text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (node)), ==, 3);
  g_assert_true (g_str_has_suffix (text, "\n]\n"));
}

static void
test_table_sees_all_columns (Fixture *fixture,
                             gconstpointer data)
{
  g_autofree char *text = NULL;

  g_assert_true (gw_export_save (fixture->path, GW_FORMAT_CSV, NULL, fixture->tasks, NULL, NULL));
  text = contents (fixture->path);
  g_assert_nonnull (strstr (text, ",duration_ms,early,late\n1,t0,"));
  g_assert_true (g_str_has_suffix (text, ",,2\n"));
}

static void
test_replace_keeps_mode (Fixture *fixture,
                         gconstpointer data)
{
  g_assert_true (g_file_set_contents (fixture->path, "old", -1, NULL));
  g_assert_no_errno (g_chmod (fixture->path, 0640));
  g_assert_true (gw_export_save (fixture->path, GW_FORMAT_JSONL, NULL, fixture->tasks, NULL, NULL));
  g_assert_cmpuint (mode_of (fixture->path), ==, 0640);
}

static void
test_new_file_follows_umask (Fixture *fixture,
                             gconstpointer data)
{
  mode_t before = umask (027);

  g_assert_true (gw_export_save (fixture->path, GW_FORMAT_JSONL, NULL, fixture->tasks, NULL, NULL));
  umask (before);
  g_assert_cmpuint (mode_of (fixture->path), ==, 0640);
}

static void
test_uncommitted (Fixture *fixture,
                  gconstpointer data)
{
  g_autofree char *text = NULL;
  GwExportFile *file;

  g_assert_true (g_file_set_contents (fixture->path, "old", -1, NULL));
  file = gw_export_file_new (fixture->path, NULL);
  g_assert_nonnull (file);
  g_assert_true (gw_export_write_tasks (gw_export_file_get_stream (file), GW_FORMAT_MD, "T",
                                        fixture->tasks, NULL, NULL));
  gw_export_file_free (file);
  text = contents (fixture->path);
  g_assert_cmpstr (text, ==, "old");
}

static void
test_link (Fixture *fixture,
           gconstpointer data)
{
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autofree char *target = NULL;
  g_autofree char *text = NULL;

  g_assert_no_errno (symlink ("results.json", link));
  g_assert_true (gw_export_save (link, GW_FORMAT_JSON, NULL, fixture->tasks, NULL, NULL));
  target = g_file_read_link (link, NULL);
  g_assert_cmpstr (target, ==, "results.json");
  text = contents (fixture->path);
  g_assert_true (g_str_has_prefix (text, "["));
  g_unlink (link);
}

static void
test_not_writable (Fixture *fixture,
                   gconstpointer data)
{
  g_autofree char *beyond = g_build_filename (fixture->folder, "none", "x.json", NULL);
  g_autofree char *long_name = g_strnfill (255, 'n');
  g_autofree char *longest = g_build_filename (fixture->folder, long_name, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (gw_export_save (beyond, GW_FORMAT_JSON, NULL, fixture->tasks, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "x.json"));
  g_clear_error (&error);
  g_assert_false (gw_export_save (fixture->folder, GW_FORMAT_JSON, NULL, fixture->tasks, NULL,
                                  &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INTERNAL);
  g_clear_error (&error);

  g_assert_true (gw_export_save (longest, GW_FORMAT_JSON, NULL, fixture->tasks, NULL, &error));
  g_assert_no_error (error);
  g_unlink (longest);
}

static void
test_device (Fixture *fixture,
             gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GStatBuf info;

  g_assert_true (gw_export_save ("/dev/null", GW_FORMAT_JSON, NULL, fixture->tasks, NULL, &error));
  g_assert_no_error (error);
  g_assert_no_errno (g_stat ("/dev/null", &info));
  g_assert_true (S_ISCHR (info.st_mode));

  if (g_file_test ("/dev/full", G_FILE_TEST_EXISTS))
    {
      g_assert_false (gw_export_save ("/dev/full", GW_FORMAT_JSON, NULL, fixture->tasks, NULL,
                                      &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NO_SPACE);
    }
}

static GwTask *
failing_next (gboolean rewind,
              gpointer user_data,
              GError **error)
{
  guint *left = user_data;
  GwTask *task;

  if ((*left)-- > 0)
    {
      task = gw_task_new ();
      task->task_id = g_strdup ("t");
      return task;
    }

  g_set_error_literal (error, GW_ERROR, GW_ERROR_UNREACHABLE, "gone");
  return NULL;
}

static void
test_failing_source (Fixture *fixture,
                     gconstpointer data)
{
  for (guint format = 0; format < GW_N_FORMATS; format++)
    {
      g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
      g_autoptr (GError) error = NULL;
      guint left = 2;

      g_assert_false (gw_export_write (stream, format, NULL, failing_next, &left, NULL, &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_UNREACHABLE);
    }
}

static void
saved (GObject *source,
       GAsyncResult *result,
       gpointer user_data)
{
  GAsyncResult **kept = user_data;

  *kept = g_object_ref (result);
}

static void
test_async (Fixture *fixture,
            gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) cancelled = NULL;
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  gw_export_save_async (fixture->path, GW_FORMAT_JSON, NULL, fixture->tasks, cancellable, saved,
                        &cancelled);
  while (cancelled == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (gw_export_save_finish (cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  g_clear_error (&error);

  gw_export_save_async (fixture->path, GW_FORMAT_JSON, NULL, fixture->tasks, NULL, saved, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (gw_export_save_finish (result, &error));
  g_assert_no_error (error);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/export/save", test_save);
  ADD ("/export/table-sees-all-columns", test_table_sees_all_columns);
  ADD ("/export/replace-keeps-mode", test_replace_keeps_mode);
  ADD ("/export/new-file-follows-umask", test_new_file_follows_umask);
  ADD ("/export/uncommitted", test_uncommitted);
  ADD ("/export/link", test_link);
  ADD ("/export/not-writable", test_not_writable);
  ADD ("/export/device", test_device);
  ADD ("/export/failing-source", test_failing_source);
  ADD ("/export/async", test_async);

  return g_test_run ();
}
