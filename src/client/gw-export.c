/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Saving results: task by task to any stream, and to files that are never seen half written.
 *
 * Threads: any; all blocks on the disk but gw_export_save_async().
 *
 * Guarantee: gw_export_file_commit() returns TRUE only once the whole document is on the disk in
 * its place. Until then, and whatever fails, what was there before stays as it was.
 */

#define G_LOG_DOMAIN "gw-export"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include "gw-export.h"
#include "gw-thread-task.h"

#define FLUSH_SIZE (64 * 1024)

static gboolean
flush (GOutputStream *stream,
       GString *out,
       gsize limit,
       GCancellable *cancellable,
       GError **error)
{
  if (out->len <= limit)
    return TRUE;
  if (!g_output_stream_write_all (stream, out->str, out->len, NULL, cancellable, error))
    return FALSE;

  g_string_truncate (out, 0);
  return TRUE;
}

/* Shows every task to @formatter; leaves the source at its end. */
static gboolean
learn (GwFormatter *formatter,
       GwExportNext next,
       gpointer user_data,
       GError **error)
{
  GwTask *task;
  gboolean rewind = TRUE;
  GError *local = NULL;

  while ((task = next (rewind, user_data, &local)) != NULL)
    {
      gw_formatter_learn (formatter, task);
      gw_task_unref (task);
      rewind = FALSE;
    }
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }

  return TRUE;
}

/**
 * gw_export_write:
 * @stream: where to write; not closed
 * @format: the form of the document
 * @title: (nullable): its heading, where the form has one
 * @next: (scope call): gives the tasks in input order
 * @user_data: for @next
 * @cancellable: (nullable): a cancellable
 * @error: of @next, or of @stream
 *
 * Holds one task at a time. Blocks; any thread.
 *
 * Returns: whether the whole document was written
 */
gboolean
gw_export_write (GOutputStream *stream,
                 GwFormat format,
                 const char *title,
                 GwExportNext next,
                 gpointer user_data,
                 GCancellable *cancellable,
                 GError **error)
{
  g_autoptr (GwFormatter) formatter = gw_formatter_new (format, title);
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean rewind = TRUE;
  GError *local = NULL;
  GwTask *task;

  if (gw_formatter_needs_columns (formatter) && !learn (formatter, next, user_data, error))
    return FALSE;

  gw_formatter_begin (formatter, out);
  while ((task = next (rewind, user_data, &local)) != NULL)
    {
      gw_formatter_task (formatter, task, out);
      gw_task_unref (task);
      rewind = FALSE;
      if (!flush (stream, out, FLUSH_SIZE, cancellable, error))
        return FALSE;
    }
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  gw_formatter_end (formatter, out);

  return flush (stream, out, 0, cancellable, error);
}

typedef struct {
  GPtrArray *tasks; /* (unowned) */
  guint next;
} Walk;

static GwTask *
next_of_array (gboolean rewind,
               gpointer user_data,
               GError **error)
{
  Walk *walk = user_data;

  if (rewind)
    walk->next = 0;

  return walk->next < walk->tasks->len ? gw_task_ref (walk->tasks->pdata[walk->next++]) : NULL;
}

/**
 * gw_export_write_tasks:
 * @stream: where to write; not closed
 * @format: the form of the document
 * @title: (nullable): its heading, where the form has one
 * @tasks: (element-type GwTask): in input order
 * @cancellable: (nullable): a cancellable
 * @error: of @stream
 *
 * Blocks; any thread.
 *
 * Returns: whether the whole document was written
 */
gboolean
gw_export_write_tasks (GOutputStream *stream,
                       GwFormat format,
                       const char *title,
                       GPtrArray *tasks,
                       GCancellable *cancellable,
                       GError **error)
{
  Walk walk = { .tasks = tasks };

  return gw_export_write (stream, format, title, next_of_array, &walk, cancellable, error);
}

struct _GwExportFile {
  char *path;             /* (owned) the place, links followed */
  char *temporary;        /* (owned) (nullable) NULL where @path is no regular file */
  GOutputStream *stream;  /* (owned) */
  int fd;                 /* (owned) */
};

static void
set_errno_error (GError **error,
                 const char *path,
                 int code)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, GW_ERROR,
               code == ENOSPC || code == EDQUOT ? GW_ERROR_NO_SPACE : GW_ERROR_INTERNAL,
               /* Translators: the name of a file, then the system’s reason */
               _("Cannot write “%s”: %s"), name, g_strerror (code));
}

/* What the path stands for behind its links, also where it does not exist yet. */
static char *
resolve (const char *path)
{
  g_autofree char *found = g_strdup (path);

  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *target = g_file_read_link (found, NULL);
      g_autofree char *folder = NULL;
      char *next;

      if (target == NULL)
        break;
      folder = g_path_get_dirname (found);
      next = g_path_is_absolute (target) ? g_strdup (target)
                                         : g_build_filename (folder, target, NULL);
      g_free (found);
      found = next;
    }

  return g_steal_pointer (&found);
}

/* Opens the file that will be renamed. It begins as readable as it may end, or less. */
static gboolean
open_temporary (GwExportFile *self,
                const struct stat *existing,
                GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autofree char *base = g_path_get_basename (self->path);
  /* Cut, since a name has 255 bytes at most. */
  g_autofree char *name = g_strdup_printf (".%.200s.XXXXXX", base);

  self->temporary = g_build_filename (folder, name, NULL);
  self->fd = g_mkstemp_full (self->temporary, O_WRONLY | O_CLOEXEC, existing != NULL ? 0600 : 0666);
  if (self->fd < 0)
    {
      int code = errno;

      g_clear_pointer (&self->temporary, g_free);
      set_errno_error (error, self->path, code);
      return FALSE;
    }
  if (existing != NULL)
    {
      /* The group first: changing it takes away bits of the mode. Only a member may give it. */
      if (fchown (self->fd, -1, existing->st_gid) != 0)
        g_debug ("Cannot keep the group of %s", self->path);
      if (fchmod (self->fd, existing->st_mode & 07777) != 0)
        {
          set_errno_error (error, self->path, errno);
          return FALSE;
        }
    }

  return TRUE;
}

/**
 * gw_export_file_new:
 * @path: the file to write or replace
 * @error: %GW_ERROR_NO_SPACE, or %GW_ERROR_INTERNAL where it cannot be written
 *
 * What is no regular file (a device, a pipe) is written to in place.
 *
 * Returns: (transfer full) (nullable): the file, empty
 */
GwExportFile *
gw_export_file_new (const char *path,
                    GError **error)
{
  g_autoptr (GwExportFile) self = g_new0 (GwExportFile, 1);
  struct stat existing;
  gboolean exists;

  self->fd = -1;
  self->path = resolve (path);
  exists = stat (self->path, &existing) == 0;
  if (exists && S_ISDIR (existing.st_mode))
    {
      set_errno_error (error, path, EISDIR);
      return NULL;
    }
  /* A rename would replace a file that is protected against writing. */
  if (exists && access (self->path, W_OK) != 0)
    {
      set_errno_error (error, path, errno);
      return NULL;
    }

  if (exists && !S_ISREG (existing.st_mode))
    {
      self->fd = open (self->path, O_WRONLY | O_CLOEXEC);
      if (self->fd < 0)
        {
          set_errno_error (error, path, errno);
          return NULL;
        }
    }
  else if (!open_temporary (self, exists ? &existing : NULL, error))
    return NULL;

  self->stream = g_unix_output_stream_new (self->fd, FALSE);
  return g_steal_pointer (&self);
}

/**
 * gw_export_file_get_stream:
 * @self: a file
 *
 * Returns: (transfer none): where to write the document
 */
GOutputStream *
gw_export_file_get_stream (GwExportFile *self)
{
  return self->stream;
}

/* Makes the new name durable. Where the folder cannot be synced the file is none the worse. */
static void
sync_folder (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  if (fsync (fd) != 0)
    g_debug ("Cannot sync %s: %s", folder, g_strerror (errno));
  close (fd);
}

/**
 * gw_export_file_commit:
 * @self: a file that was written to the end
 * @error: %GW_ERROR_NO_SPACE, or %GW_ERROR_INTERNAL
 *
 * Puts the document into its place. Once.
 *
 * Returns: whether it is there and durable
 */
gboolean
gw_export_file_commit (GwExportFile *self,
                       GError **error)
{
  int fd = self->fd;

  g_return_val_if_fail (fd >= 0, FALSE);

  if (self->temporary != NULL && fsync (fd) != 0)
    {
      set_errno_error (error, self->path, errno);
      return FALSE;
    }
  self->fd = -1;
  if (close (fd) != 0)
    {
      set_errno_error (error, self->path, errno);
      return FALSE;
    }
  if (self->temporary == NULL)
    return TRUE;

  if (g_rename (self->temporary, self->path) != 0)
    {
      set_errno_error (error, self->path, errno);
      return FALSE;
    }
  g_clear_pointer (&self->temporary, g_free);
  sync_folder (self->path);

  return TRUE;
}

void
gw_export_file_free (GwExportFile *self)
{
  g_clear_object (&self->stream);
  if (self->fd >= 0)
    close (self->fd);
  if (self->temporary != NULL)
    g_unlink (self->temporary);
  g_free (self->temporary);
  g_free (self->path);
  g_free (self);
}

/* An error of the stream, told with the file's name. */
static void
convert_error (GError **error,
               GError *from,
               const char *path)
{
  g_autofree char *name = g_filename_display_name (path);

  if (from->domain == GW_ERROR || g_error_matches (from, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, from);
      return;
    }

  g_set_error (error, GW_ERROR,
               g_error_matches (from, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ? GW_ERROR_NO_SPACE
                                                                       : GW_ERROR_INTERNAL,
               _("Cannot write “%s”: %s"), name, from->message);
  g_error_free (from);
}

/**
 * gw_export_save:
 * @path: the file to write or replace
 * @format: the form of the document
 * @title: (nullable): its heading, where the form has one
 * @tasks: (element-type GwTask): in input order
 * @cancellable: (nullable): a cancellable
 * @error: %GW_ERROR_NO_SPACE, %GW_ERROR_INTERNAL or %G_IO_ERROR_CANCELLED; nothing was replaced
 *
 * Blocks on the disk; any thread.
 *
 * Returns: whether the document is in its place
 */
gboolean
gw_export_save (const char *path,
                GwFormat format,
                const char *title,
                GPtrArray *tasks,
                GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GwExportFile) file = gw_export_file_new (path, error);
  GError *local = NULL;

  if (file == NULL)
    return FALSE;

  if (!gw_export_write_tasks (file->stream, format, title, tasks, cancellable, &local))
    {
      convert_error (error, local, path);
      return FALSE;
    }

  return gw_export_file_commit (file, error);
}

typedef struct {
  char *path;        /* (owned) */
  GwFormat format;
  char *title;       /* (owned) (nullable) */
  GPtrArray *tasks;  /* (owned) */
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->path);
  g_free (request->title);
  g_ptr_array_unref (request->tasks);
  g_free (request);
}

static void
save_worker (GTask *task,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  Request *request = task_data;
  GError *error = NULL;

  if (gw_export_save (request->path, request->format, request->title, request->tasks, cancellable,
                      &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * gw_export_save_async:
 * @path: the file to write or replace
 * @format: the form of the document
 * @title: (nullable): its heading, where the form has one
 * @tasks: (element-type GwTask): in input order; must not be changed until the end
 * @cancellable: (nullable): a cancellable
 * @callback: called in the calling thread's context
 * @user_data: for @callback
 *
 * As gw_export_save(), on a thread of its own.
 */
void
gw_export_save_async (const char *path,
                      GwFormat format,
                      const char *title,
                      GPtrArray *tasks,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Request *request = g_new0 (Request, 1);

  g_task_set_source_tag (task, gw_export_save_async);
  request->path = g_strdup (path);
  request->format = format;
  request->title = g_strdup (title);
  request->tasks = g_ptr_array_ref (tasks);
  g_task_set_task_data (task, request, request_free);
  gw_thread_task_run (task, "export", save_worker);
}

/**
 * gw_export_save_finish:
 * @result: what the callback got
 * @error: as of gw_export_save()
 *
 * Returns: whether the document is in its place
 */
gboolean
gw_export_save_finish (GAsyncResult *result,
                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
