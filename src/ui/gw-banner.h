/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GW_TYPE_BANNER (gw_banner_get_type ())
G_DECLARE_FINAL_TYPE (GwBanner, gw_banner, GW, BANNER, GtkWidget)

void gw_banner_show (GwBanner *self, const char *message, const char *first_label,
                     const char *first_action, const char *second_label,
                     const char *second_action);
void gw_banner_hide (GwBanner *self);

G_END_DECLS
