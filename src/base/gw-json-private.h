/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-json.h"

G_BEGIN_DECLS

/* @lenient: for replies of other programs; lets pass what _gw_json_build() can mend. */
gboolean _gw_json_scan (const char *text, gsize length, guint max_depth, gboolean lenient,
                        GError **error);
JsonNode *_gw_json_build (const char *text, gsize length, gboolean lenient);

gboolean _gw_json_number_fits (const char *text, gsize length, gboolean is_integer);

G_END_DECLS
