/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define GW_TYPE_IMPORT_WRAP (gw_import_wrap_get_type ())
G_DECLARE_FINAL_TYPE (GwImportWrap, gw_import_wrap, GW, IMPORT_WRAP, AdwPreferencesGroup)

/**
 * GwImportWrap:
 *
 * The template that is put around each task, with a button for each name that may stand in it.
 * Signal: `changed`, when the text has rested for a moment.
 */
const char *gw_import_wrap_get_text (GwImportWrap *self);
void gw_import_wrap_set_names (GwImportWrap *self, const char *const *names);
void gw_import_wrap_set_error (GwImportWrap *self, const char *message);

G_END_DECLS
