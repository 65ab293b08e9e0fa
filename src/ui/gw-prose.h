/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-markdown.h"

G_BEGIN_DECLS

#define GW_TYPE_PROSE (gw_prose_get_type ())
G_DECLARE_FINAL_TYPE (GwProse, gw_prose, GW, PROSE, GtkTextView)

/* Text that is read and selected, not written, with the styles of Markdown. Signal `link` (uri,
 * x, y in its own coordinates): somebody wants to follow one. */
GtkWidget *gw_prose_new (void);
void gw_prose_set_needle (GwProse *self, const char *needle);

/* Appends text from @from, a few KiB at most; returns where to go on, @length at the end. */
gsize gw_prose_append_plain (GwProse *self, const char *text, gsize length, gsize from);
gsize gw_prose_append_block (GwProse *self, const GwMarkdownBlock *block, gsize from);

G_END_DECLS
