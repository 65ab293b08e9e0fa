/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-save"

#include "config.h"

#include <string.h>

#include "gw-save.h"
#include "gw-thread-task.h"

/* Results into a file that a chooser gave: through its GFile, never its path, since in a sandbox it
 * is lent by a portal. Written on a thread, beside the file, and put in its place at once. */

#define MAX_NAME_BYTES 120

/**
 * gw_save_clean_name:
 *
 * Returns: (transfer full): @name without what a file's name may not have; never empty, never
 * hidden
 */
char *
gw_save_clean_name (const char *name)
{
  GString *clean = g_string_new (NULL);
  const char *p;

  for (p = name; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (clean->len + 6 > MAX_NAME_BYTES)
        break;
      /* Also what other systems refuse: the file may lie on their disk. */
      if (g_unichar_iscntrl (c) || strchr ("/\\:*?\"<>|", (int) MIN (c, 127)) != NULL)
        c = '-';
      if (clean->len == 0 && (c == '.' || g_unichar_isspace (c)))
        continue;
      g_string_append_unichar (clean, c);
    }
  g_strchomp (clean->str);
  clean->len = strlen (clean->str);
  while (clean->len > 0 && clean->str[clean->len - 1] == '.')
    g_string_truncate (clean, clean->len - 1);
  if (clean->len == 0)
    g_string_append (clean, "results");
  return g_string_free (clean, FALSE);
}

/**
 * gw_save_suggest_name:
 * @title: (nullable): of the project; NULL: several
 */
char *
gw_save_suggest_name (const char *title,
                      GwFormat format)
{
  g_autofree char *clean = gw_save_clean_name (title != NULL ? title : "results");

  return g_strdup_printf ("%s.%s", clean, gw_format_to_string (format));
}

/**
 * gw_save_get_format:
 * @known: (out): whether the suffix is one of ours
 *
 * Returns: the format that the name asks for; JSON if none
 */
GwFormat
gw_save_get_format (const char *base_name,
                    gboolean *known)
{
  GwFormat format = GW_FORMAT_JSON;

  *known = gw_format_from_file_name (base_name, &format);
  return *known ? format : GW_FORMAT_JSON;
}

typedef struct {
  GFile *file;      /* (owned) */
  GwFormat format;
  char *title;      /* (owned) (nullable) */
  GPtrArray *tasks; /* (owned) */
} Save;

static void
save_free (gpointer data)
{
  Save *save = data;

  g_object_unref (save->file);
  g_free (save->title);
  g_ptr_array_unref (save->tasks);
  g_free (save);
}

static gboolean
write_stream (Save *save,
              GCancellable *cancellable,
              GError **error)
{
  g_autoptr (GFileOutputStream) stream = g_file_replace (
      save->file, NULL, FALSE, G_FILE_CREATE_NONE, cancellable, error);
  g_autoptr (GCancellable) abandon = NULL;

  if (stream == NULL)
    return FALSE;
  if (gw_export_write_tasks (G_OUTPUT_STREAM (stream), save->format, save->title, save->tasks,
                             cancellable, error))
    return g_output_stream_close (G_OUTPUT_STREAM (stream), cancellable, error);
  /* Closed as cancelled, what is half written does not replace what was there. */
  abandon = g_cancellable_new ();
  g_cancellable_cancel (abandon);
  g_output_stream_close (G_OUTPUT_STREAM (stream), abandon, NULL);
  return FALSE;
}

/* A file that was there is replaced as a whole or not at all; one that is new would be left half
 * written. */
static gboolean
write_file (Save *save,
            GCancellable *cancellable,
            GError **error)
{
  gboolean existed = g_file_query_exists (save->file, NULL);

  if (write_stream (save, cancellable, error))
    return TRUE;
  if (!existed)
    g_file_delete (save->file, NULL, NULL);
  return FALSE;
}

static void
save_worker (GTask *task,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  GError *error = NULL;

  if (write_file (task_data, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * gw_save_file_async:
 * @tasks: (element-type GwTask): whole, in order; not changed until the end
 *
 * Replaces @file by the results of @tasks, at once or not at all.
 */
void
gw_save_file_async (GFile *file,
                    GwFormat format,
                    const char *title,
                    GPtrArray *tasks,
                    GCancellable *cancellable,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Save *save = g_new0 (Save, 1);

  g_task_set_source_tag (task, gw_save_file_async);
  save->file = g_object_ref (file);
  save->format = format;
  save->title = g_strdup (title);
  save->tasks = g_ptr_array_ref (tasks);
  g_task_set_task_data (task, save, save_free);
  gw_thread_task_run (task, "save", save_worker);
}

gboolean
gw_save_file_finish (GAsyncResult *result,
                     GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
