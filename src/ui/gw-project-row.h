/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-project-item.h"

G_BEGIN_DECLS

#define GW_TYPE_PROJECT_ROW (gw_project_row_get_type ())
G_DECLARE_FINAL_TYPE (GwProjectRow, gw_project_row, GW, PROJECT_ROW, GtkWidget)

GtkWidget *gw_project_row_new (void);
void gw_project_row_bind (GwProjectRow *self, GtkListItem *list_item, GwProjectItem *item);
void gw_project_row_unbind (GwProjectRow *self);
GwProjectItem *gw_project_row_get_item (GwProjectRow *self);
void gw_project_row_set_waiting (GwProjectRow *self, guint waiting);
void gw_project_row_set_hits (GwProjectRow *self, guint hits);
void gw_project_row_update (GwProjectRow *self);

G_END_DECLS
