/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-import-row.h"

G_BEGIN_DECLS

struct _GwImportRow {
  GObject parent_instance;

  GwImportLines *lines;  /* (owned) */
  guint line;
  guint number;
};

GwImportRow *_gw_import_row_new (GwImportLines *lines, guint line, guint number);
void _gw_import_row_notify_ticked (GwImportRow *self);

G_END_DECLS
