/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-import-rows.h"

G_BEGIN_DECLS

#define GW_TYPE_IMPORT_CELL (gw_import_cell_get_type ())
G_DECLARE_FINAL_TYPE (GwImportCell, gw_import_cell, GW, IMPORT_CELL, GtkWidget)

/* One line of the preview: a tick, a number and the task; or what is wrong with a row. */
GtkWidget *gw_import_cell_new (GwImportRows *rows);
void gw_import_cell_set_row (GwImportCell *self, GwImportRow *row, gboolean with_source);
GwImportRow *gw_import_cell_get_row (GwImportCell *self); /* (nullable) */
char *gw_import_cell_dup_label (GwImportCell *self);

G_END_DECLS
