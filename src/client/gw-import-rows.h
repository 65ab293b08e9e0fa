/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-import-row.h"

G_BEGIN_DECLS

/**
 * GwImportRows:
 *
 * A GListModel of GwImportRow over what was read, however much: rows are made as they are asked
 * for. Knows what the user has left out, also over the next reading of the same file. Main thread.
 * Signal `ticks-changed`.
 */
#define GW_TYPE_IMPORT_ROWS (gw_import_rows_get_type ())
G_DECLARE_FINAL_TYPE (GwImportRows, gw_import_rows, GW, IMPORT_ROWS, GObject)

GwImportRows *gw_import_rows_new (void);
void gw_import_rows_set_lines (GwImportRows *self, GwImportLines *lines);
void gw_import_rows_set_only_problems (GwImportRows *self, gboolean only_problems);

void gw_import_rows_set_ticked (GwImportRows *self, GwImportRow *row, gboolean ticked);
void gw_import_rows_tick_all (GwImportRows *self, gboolean ticked);

guint gw_import_rows_get_n_tasks (GwImportRows *self);
guint gw_import_rows_get_n_ticked (GwImportRows *self);
guint64 gw_import_rows_get_tokens (GwImportRows *self); /* of what is ticked, about */

/* What is ticked, in order: (element-type GwImportEntry), owned by the lines. */
GPtrArray *gw_import_rows_collect (GwImportRows *self);

G_END_DECLS
