/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-save-place.h"

G_BEGIN_DECLS

/**
 * GwSaveRecord:
 *
 * Which file was written for which project: its path, its size and time, so that after the next
 * start a file is known for ours, unless somebody has changed it, and a mark that says what it has.
 * Main thread; written on one of its own.
 */
typedef struct _GwSaveRecord GwSaveRecord;

GwSaveRecord *gw_save_record_new (const char *path);
void gw_save_record_free (GwSaveRecord *self);
gboolean gw_save_record_get_mark (GwSaveRecord *self, const char *project_id, guint64 *mark);
void gw_save_record_note (GwSaveRecord *self, const char *project_id, const GwSavePlace *place,
                          guint64 mark);
gboolean gw_save_record_forget (GwSaveRecord *self, const char *project_id);
GwSavePlace *gw_save_record_make_place (GwSaveRecord *self, const char *project_id,
                                        const char *folder, const char *name,
                                        const char *suffix);
void gw_save_record_write_async (GwSaveRecord *self, GAsyncReadyCallback callback,
                                 gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSaveRecord, gw_save_record_free)

G_END_DECLS
