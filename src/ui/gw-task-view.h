/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-task-list.h"
#include "gw-task-rows.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_VIEW (gw_task_view_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskView, gw_task_view, GW, TASK_VIEW, GtkWidget)

void gw_task_view_set_list (GwTaskView *self, GwTaskList *list);
void gw_task_view_set_menu (GwTaskView *self, GMenuModel *menu);
gboolean gw_task_view_set_filter (GwTaskView *self, const char *name);
void gw_task_view_update_rows (GwTaskView *self);
void gw_task_view_set_hidden_project (GwTaskView *self, const char *project_id);
void gw_task_view_set_project (GwTaskView *self, const char *project_id);
void gw_task_view_set_notice (GwTaskView *self, GtkWidget *notice);
void gw_task_view_refresh (GwTaskView *self);

GPtrArray *gw_task_view_get_selected (GwTaskView *self);
GwTaskItem *gw_task_view_get_only_selected (GwTaskView *self);
guint gw_task_view_count_selected (GwTaskView *self);
gboolean gw_task_view_select (GwTaskView *self, const char *task_id);
void gw_task_view_select_all (GwTaskView *self);
void gw_task_view_step (GwTaskView *self, int step);
gboolean gw_task_view_can_step (GwTaskView *self, int step);
void gw_task_view_unselect_all (GwTaskView *self);
void gw_task_view_scroll_to_start (GwTaskView *self);
void gw_task_view_scroll_to_end (GwTaskView *self);

/* By column; `sort-changed` tells, also when a header was clicked. */
void gw_task_view_sort (GwTaskView *self, GwTaskSort sort, gboolean descending);
GwTaskSort gw_task_view_get_sort (GwTaskView *self);

/* The search bar. */
void gw_task_view_start_search (GwTaskView *self, const char *text);
gboolean gw_task_view_stop_search (GwTaskView *self);
gboolean gw_task_view_is_searching (GwTaskView *self);
const char *gw_task_view_get_searched (GwTaskView *self); /* (nullable): `found-changed` tells */

/* Keeps what runs in view; ends by itself when the user scrolls, `follow-changed` tells. */
void gw_task_view_set_follow (GwTaskView *self, gboolean follow);
gboolean gw_task_view_get_follow (GwTaskView *self);

G_END_DECLS
