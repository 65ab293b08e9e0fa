/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* (transfer full) (nullable): marks each place of @needle in @text; NULL: there is none. */
PangoAttrList *gw_highlight_new_attributes (const char *text, const char *needle);

/* What is marked in a text of @widget. */
void gw_highlight_get_color (GtkWidget *widget, GdkRGBA *color);

/* (transfer full): one line of @text that has its first place of @needle where it can be seen; its
 * first line where that does, or where it has none. */
char *gw_highlight_line (const char *text, const char *needle);

G_END_DECLS
