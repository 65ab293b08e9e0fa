/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-save-place"

#include "config.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#include "gw-save-place.h"
#include "gw-thread-task.h"

/* A name for a file in a folder that other programs write to as well: nothing that we did not write
 * is overwritten. */

#define MAX_NAMES 1000

void
gw_save_place_free (GwSavePlace *self)
{
  g_free (self->folder);
  g_free (self->name);
  g_free (self->old);
  g_free (self->path);
  g_hash_table_unref (self->taken);
  g_free (self);
}

static gboolean
look_at (const char *path,
         guint64 *size,
         gint64 *time)
{
  GStatBuf info;

  if (g_stat (path, &info) != 0)
    return FALSE;
  *size = (guint64) info.st_size;
  *time = (gint64) info.st_mtim.tv_sec * 1000000 + info.st_mtim.tv_nsec / 1000;
  return TRUE;
}

static gboolean
is_as_written (const GwSavePlace *place)
{
  guint64 size;
  gint64 time;

  return look_at (place->old, &size, &time) && size == place->old_size && time == place->old_time;
}

static void
find_worker (GTask *task,
             gpointer source,
             gpointer data,
             GCancellable *cancellable)
{
  GwSavePlace *place = data;
  guint i;

  g_mkdir_with_parents (place->folder, 0777);
  if (place->old != NULL
      && (is_as_written (place) || !g_file_test (place->old, G_FILE_TEST_EXISTS)))
    place->path = g_strdup (place->old);
  for (i = 1; place->path == NULL && i <= MAX_NAMES; i++)
    {
      g_autofree char *base = i == 1
                                  ? g_strdup_printf ("%s.%s", place->name, place->suffix)
                                  : g_strdup_printf ("%s (%u).%s", place->name, i, place->suffix);
      g_autofree char *path = g_build_filename (place->folder, base, NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)
          && !g_hash_table_contains (place->taken, path))
        place->path = g_steal_pointer (&path);
    }
  g_task_return_boolean (task, TRUE);
}

static void
look_worker (GTask *task,
             gpointer source,
             gpointer data,
             GCancellable *cancellable)
{
  GwSavePlace *place = data;

  place->exists = look_at (place->path, &place->size, &place->time);
  g_task_return_boolean (task, TRUE);
}

static void
run_in_thread (GwSavePlace *self,
               GTaskThreadFunc function,
               GAsyncReadyCallback callback,
               gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, run_in_thread);
  g_task_set_task_data (task, self, NULL);
  gw_thread_task_run (task, "autosave", function);
}

/**
 * gw_save_place_find_async:
 *
 * Looks for the file that we wrote before, if it is as we left it, else for a name that nobody has.
 * The answer is `path`.
 */
void
gw_save_place_find_async (GwSavePlace *self,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  run_in_thread (self, find_worker, callback, user_data);
}

/**
 * gw_save_place_look_async:
 *
 * Looks at what stands there now. The answer is `exists`, `size` and `time`.
 */
void
gw_save_place_look_async (GwSavePlace *self,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  run_in_thread (self, look_worker, callback, user_data);
}
