/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-markdown.h"

G_BEGIN_DECLS

#define GW_TYPE_CODE_CARD (gw_code_card_get_type ())
G_DECLARE_FINAL_TYPE (GwCodeCard, gw_code_card, GW, CODE_CARD, GtkBox)

/* The code or the table of a text, in a box of its own that scrolls sideways. */
GtkWidget *gw_code_card_new (const GwMarkdownBlock *block, const char *description,
                             const char *needle);

/* Appends lines from @from, a few KiB at most; returns where to go on, the length at the end. */
gsize gw_code_card_append (GwCodeCard *self, const GwMarkdownBlock *block, gsize from);

G_END_DECLS
