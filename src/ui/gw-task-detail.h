/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-client.h"
#include "gw-task-item.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_DETAIL (gw_task_detail_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskDetail, gw_task_detail, GW, TASK_DETAIL, GtkWidget)

void gw_task_detail_update_titles (GwTaskDetail *self);
void gw_task_detail_set_client (GwTaskDetail *self, GwClient *client);
void gw_task_detail_set_needle (GwTaskDetail *self, const char *needle);
void gw_task_detail_set_number (GwTaskDetail *self, guint number);
void gw_task_detail_set_item (GwTaskDetail *self, GwTaskItem *item);
void gw_task_detail_set_several (GwTaskDetail *self, GPtrArray *items);
void gw_task_detail_set_retry_menu (GwTaskDetail *self, GMenuModel *menu);
void gw_task_detail_set_project (GwTaskDetail *self, const char *name);
GwTaskItem *gw_task_detail_get_item (GwTaskDetail *self);

G_END_DECLS
