/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-client.h"
#include "gw-task-list.h"

G_BEGIN_DECLS

#define GW_TYPE_TIMELINE (gw_timeline_get_type ())
G_DECLARE_FINAL_TYPE (GwTimeline, gw_timeline, GW, TIMELINE, GtkWidget)

void gw_timeline_set_source (GwTimeline *self, GwClient *client, GwTaskList *tasks);
void gw_timeline_set_selected (GwTimeline *self, const char *task_id);
void gw_timeline_tasks_changed (GwTimeline *self);

G_END_DECLS
