/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-project.h"

G_BEGIN_DECLS

#define GW_TYPE_LIMIT_POPOVER (gw_limit_popover_get_type ())
G_DECLARE_FINAL_TYPE (GwLimitPopover, gw_limit_popover, GW, LIMIT_POPOVER, GtkPopover)

/* How many tokens a project may use. Signal `set` (gint64 limit; 0: none): the answer is
 * gtk_popover_popdown(), or gw_limit_popover_fail(). */
GtkWidget *gw_limit_popover_new (const GwProject *project);
void gw_limit_popover_fail (GwLimitPopover *self, const char *why);

G_END_DECLS
