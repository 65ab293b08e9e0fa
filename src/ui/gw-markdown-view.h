/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GW_TYPE_MARKDOWN_VIEW (gw_markdown_view_get_type ())
G_DECLARE_FINAL_TYPE (GwMarkdownView, gw_markdown_view, GW, MARKDOWN_VIEW, GtkWidget)

/* A text of any size, rendered from Markdown or plain: little by little, so that the window never
 * stands still. Properties `plain`, `description`
 * (of the text, for screen readers) and `folded` (a few lines are enough). Of a large one the
 * beginning is shown, until all is asked for. */
void gw_markdown_view_set_text (GwMarkdownView *self, const char *text);
void gw_markdown_view_set_plain (GwMarkdownView *self, gboolean plain);
/* What is marked where it stands: the text of a search. */
void gw_markdown_view_set_needle (GwMarkdownView *self, const char *needle);

G_END_DECLS
