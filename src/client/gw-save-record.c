/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-save-record"

#include "config.h"

#include <string.h>

#include "gw-save-record.h"
#include "gw-thread-task.h"

/* A key file: a group a project, with path, size, time and mark. */

struct _GwSaveRecord {
  char *path;
  GKeyFile *file; /* (owned) */
};

/* The record on its way to its file. */
typedef struct {
  char *path;
  char *data;
  gsize length;
} Text;

static void
text_free (gpointer data)
{
  Text *text = data;

  g_free (text->path);
  g_free (text->data);
  g_free (text);
}

static void
write_worker (GTask *task,
              gpointer source,
              gpointer data,
              GCancellable *cancellable)
{
  Text *text = data;
  g_autofree char *folder = g_path_get_dirname (text->path);
  g_autoptr (GError) error = NULL;

  g_mkdir_with_parents (folder, 0700);
  if (!g_file_set_contents (text->path, text->data, (gssize) text->length, &error))
    g_message ("what was saved by itself is not recorded: %s", error->message);
  g_task_return_boolean (task, TRUE);
}

/**
 * gw_save_record_new:
 * @path: where it is kept; read now
 */
GwSaveRecord *
gw_save_record_new (const char *path)
{
  GwSaveRecord *self = g_new0 (GwSaveRecord, 1);

  self->path = g_strdup (path);
  self->file = g_key_file_new ();
  g_key_file_load_from_file (self->file, path, G_KEY_FILE_NONE, NULL);
  return self;
}

void
gw_save_record_free (GwSaveRecord *self)
{
  g_key_file_unref (self->file);
  g_free (self->path);
  g_free (self);
}

/**
 * gw_save_record_get_mark:
 * @mark: (out): what its file has
 *
 * Returns: whether anything was written for that project
 */
gboolean
gw_save_record_get_mark (GwSaveRecord *self,
                         const char *project_id,
                         guint64 *mark)
{
  if (!g_key_file_has_group (self->file, project_id))
    return FALSE;
  *mark = g_key_file_get_uint64 (self->file, project_id, "mark", NULL);
  return TRUE;
}

/**
 * gw_save_record_note:
 * @place: where a file was written, looked at since
 * @mark: what it has
 */
void
gw_save_record_note (GwSaveRecord *self,
                     const char *project_id,
                     const GwSavePlace *place,
                     guint64 mark)
{
  if (!place->exists)
    return;
  g_key_file_set_string (self->file, project_id, "path", place->path);
  g_key_file_set_uint64 (self->file, project_id, "size", place->size);
  g_key_file_set_int64 (self->file, project_id, "time", place->time);
  g_key_file_set_uint64 (self->file, project_id, "mark", mark);
}

/**
 * gw_save_record_forget:
 *
 * Returns: whether anything was known of it
 */
gboolean
gw_save_record_forget (GwSaveRecord *self,
                       const char *project_id)
{
  return g_key_file_remove_group (self->file, project_id, NULL);
}

/**
 * gw_save_record_make_place:
 * @name: what the file is to be called, without @suffix
 * @suffix: static
 *
 * Returns: (transfer full): what is known of where the project's file goes; paths of other projects
 * are not for it
 */
GwSavePlace *
gw_save_record_make_place (GwSaveRecord *self,
                           const char *project_id,
                           const char *folder,
                           const char *name,
                           const char *suffix)
{
  g_autofree char *old = g_key_file_get_string (self->file, project_id, "path", NULL);
  g_auto (GStrv) groups = g_key_file_get_groups (self->file, NULL);
  GwSavePlace *place = g_new0 (GwSavePlace, 1);
  guint i;

  place->folder = g_strdup (folder);
  place->name = g_strdup (name);
  place->suffix = suffix;
  if (old != NULL && g_str_has_prefix (old, folder)
      && old[strlen (folder)] == G_DIR_SEPARATOR && g_str_has_suffix (old, suffix))
    place->old = g_steal_pointer (&old);
  place->old_size = g_key_file_get_uint64 (self->file, project_id, "size", NULL);
  place->old_time = g_key_file_get_int64 (self->file, project_id, "time", NULL);
  place->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (i = 0; groups[i] != NULL; i++)
    {
      char *other = g_key_file_get_string (self->file, groups[i], "path", NULL);

      if (other != NULL && !g_str_equal (groups[i], project_id))
        g_hash_table_add (place->taken, other);
      else
        g_free (other);
    }
  return place;
}

/**
 * gw_save_record_write_async:
 *
 * Writes it as it is now; only while no other is written. What goes wrong is logged.
 */
void
gw_save_record_write_async (GwSaveRecord *self,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  Text *text = g_new0 (Text, 1);

  text->path = g_strdup (self->path);
  text->data = g_key_file_to_data (self->file, &text->length, NULL);
  g_task_set_source_tag (task, gw_save_record_write_async);
  g_task_set_task_data (task, text, text_free);
  gw_thread_task_run (task, "save", write_worker);
}
