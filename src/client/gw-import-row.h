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

G_END_DECLS
