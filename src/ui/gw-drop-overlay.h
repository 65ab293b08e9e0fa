/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GW_TYPE_DROP_OVERLAY (gw_drop_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GwDropOverlay, gw_drop_overlay, GW, DROP_OVERLAY, GtkWidget)

/**
 * GwDropOverlay:
 *
 * Takes files that are dropped anywhere on its child, and shows that it will, or that it cannot.
 * Property: `child`. Signals: `files` (a #GPtrArray of GFile, in the order of the drop), `text` (a
 * dropped text that no widget below took for itself).
 */
GtkWidget *gw_drop_overlay_new (void);
void gw_drop_overlay_set_child (GwDropOverlay *self, GtkWidget *child);

G_END_DECLS
