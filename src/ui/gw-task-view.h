/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-task-list.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_VIEW (gw_task_view_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskView, gw_task_view, GW, TASK_VIEW, GtkWidget)

void gw_task_view_set_list (GwTaskView *self, GwTaskList *list);
void gw_task_view_set_menu (GwTaskView *self, GMenuModel *menu);
gboolean gw_task_view_set_filter (GwTaskView *self, const char *name);
void gw_task_view_set_project (GwTaskView *self, const char *project_id);
void gw_task_view_refresh (GwTaskView *self);

GPtrArray *gw_task_view_get_selected (GwTaskView *self);
GwTaskItem *gw_task_view_get_only_selected (GwTaskView *self);
guint gw_task_view_count_selected (GwTaskView *self);
gboolean gw_task_view_select (GwTaskView *self, const char *task_id);
void gw_task_view_unselect_all (GwTaskView *self);
void gw_task_view_scroll_to_end (GwTaskView *self);

G_END_DECLS
