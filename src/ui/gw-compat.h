/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* What differs between GTK 4.8 with libadwaita 1.2 and newer ones; no other file asks for a
 * version. */

void gw_compat_label_row (GtkListItem *item, GtkWidget *cell, const char *label);
void gw_compat_label_list_row (GtkListItem *item, const char *label);
GtkWidget *gw_compat_message_dialog_new (GtkWindow *parent, const char *heading,
                                         const char *body);
gboolean gw_compat_has_focus_in (GtkWidget *widget);
void gw_compat_set_one_stop (GtkWidget *list);
gboolean gw_compat_toggles_twice (void);
void gw_compat_announce (GtkWidget *widget, const char *message);
void gw_compat_show_file (GtkWindow *parent, GFile *file);
void gw_compat_scroll_to (GtkColumnView *view, guint position);
void gw_compat_set_tooltip (GtkWidget *widget, const char *text);
void gw_compat_get_color (GtkWidget *widget, const char *name, GdkRGBA *color);

G_END_DECLS
