/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One task a line: lines are trimmed, blank ones are none. */
guint gw_text_lines_count (const char *text, gssize length);
GPtrArray *gw_text_lines_split (const char *text); /* (transfer full) (element-type utf8) */
char *gw_text_lines_dup_first (const char *text, guint max_chars); /* (transfer full) */

G_END_DECLS
