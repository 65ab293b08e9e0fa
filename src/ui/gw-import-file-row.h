/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-import-set.h"

G_BEGIN_DECLS

#define GW_TYPE_IMPORT_FILE_ROW (gw_import_file_row_get_type ())
G_DECLARE_FINAL_TYPE (GwImportFileRow, gw_import_file_row, GW, IMPORT_FILE_ROW, AdwExpanderRow)

/**
 * GwImportFileRow:
 *
 * One file of an import: what it is taken for, how many tasks it gives, and, opened, how that may
 * be changed. What can be chosen changes the set at once. Signal: `remove`.
 */
GtkWidget *gw_import_file_row_new (GwImportSet *set, guint index);
void gw_import_file_row_update (GwImportFileRow *self);

G_END_DECLS
