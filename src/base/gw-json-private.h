/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-json.h"

G_BEGIN_DECLS

/* @lenient: for replies of other programs; lets pass what _gw_json_build() can mend. */
gboolean _gw_json_scan (const char *text, gsize length, guint max_depth, gboolean lenient,
                        GError **error);
JsonNode *_gw_json_build (const char *text, gsize length, gboolean lenient);

/* One value of such a text, at its first character; @text is moved behind it. */
JsonNode *_gw_json_build_at (const char **text, const char *end, gboolean lenient);
char *_gw_json_build_string (const char **text, const char *end, gboolean lenient);

gboolean _gw_json_number_fits (const char *text, gsize length, gboolean is_integer);

G_END_DECLS
