/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-format.h"

G_BEGIN_DECLS

/* Gives the next task, (transfer full); NULL behind the last, or with @error set. With @rewind it
 * begins again at the first (a table is gone through twice, see GwFormatter). */
typedef GwTask *(*GwExportNext) (gboolean rewind, gpointer user_data, GError **error);

/* Writes a results document task by task; blocks on @stream. Does not close it. */
gboolean gw_export_write (GOutputStream *stream, GwFormat format, const char *title,
                          GwExportNext next, gpointer user_data, GCancellable *cancellable,
                          GError **error);

/* The same for what is in memory: @tasks: (element-type GwTask). */
gboolean gw_export_write_tasks (GOutputStream *stream, GwFormat format, const char *title,
                                GPtrArray *tasks, GCancellable *cancellable, GError **error);

/**
 * GwExportFile:
 *
 * A file that is replaced at once or not at all: written beside its place, synced, renamed. An
 * existing file keeps its mode; a symbolic link is followed. Used by one thread at a time.
 */
typedef struct _GwExportFile GwExportFile;

GwExportFile *gw_export_file_new (const char *path, GError **error);
GOutputStream *gw_export_file_get_stream (GwExportFile *self); /* (transfer none) */
gboolean gw_export_file_commit (GwExportFile *self, GError **error);
void gw_export_file_free (GwExportFile *self); /* uncommitted: nothing was */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwExportFile, gw_export_file_free)

/* Replaces @path by the results of @tasks, on a thread of its own; the array and the tasks may be
 * used meanwhile, not changed. */
void gw_export_save_async (const char *path, GwFormat format, const char *title, GPtrArray *tasks,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean gw_export_save_finish (GAsyncResult *result, GError **error);

/* The same on the calling thread. */
gboolean gw_export_save (const char *path, GwFormat format, const char *title, GPtrArray *tasks,
                         GCancellable *cancellable, GError **error);

G_END_DECLS
