/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-import-lines.h"

G_BEGIN_DECLS

/**
 * GwImportRow:
 *
 * One row of the preview, for a list that shows it. Property: `ticked`.
 */
#define GW_TYPE_IMPORT_ROW (gw_import_row_get_type ())
G_DECLARE_FINAL_TYPE (GwImportRow, gw_import_row, GW, IMPORT_ROW, GObject)

gboolean gw_import_row_is_task (GwImportRow *self);
gboolean gw_import_row_is_duplicate (GwImportRow *self);
gboolean gw_import_row_get_ticked (GwImportRow *self);
const char *gw_import_row_get_text (GwImportRow *self);   /* the task, or the problem */
const char *gw_import_row_get_source (GwImportRow *self); /* the file's name */
guint gw_import_row_get_row (GwImportRow *self);          /* in the file; 0: none */
guint gw_import_row_get_number (GwImportRow *self);       /* of a task: 1 is the first */

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
