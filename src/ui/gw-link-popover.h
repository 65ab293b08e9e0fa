/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GW_TYPE_LINK_POPOVER (gw_link_popover_get_type ())
G_DECLARE_FINAL_TYPE (GwLinkPopover, gw_link_popover, GW, LINK_POPOVER, GtkPopover)

/* Where a link of a text really goes, before it is opened. It leaves its parent when it closes. */
GtkWidget *gw_link_popover_new (const char *uri);

G_END_DECLS
