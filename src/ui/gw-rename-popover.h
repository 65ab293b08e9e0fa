/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GW_TYPE_RENAME_POPOVER (gw_rename_popover_get_type ())
G_DECLARE_FINAL_TYPE (GwRenamePopover, gw_rename_popover, GW, RENAME_POPOVER, GtkPopover)

/**
 * GwRenamePopover:
 *
 * Asks for a name, and says in place why one cannot be had. Signal `rename` (name) when one is
 * given; it stays open, and busy, until gw_rename_popover_fail() or until it is closed.
 */
GtkWidget *gw_rename_popover_new (const char *name);
void gw_rename_popover_fail (GwRenamePopover *self, const char *why);

G_END_DECLS
