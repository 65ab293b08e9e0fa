/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-attempt-list.h"
#include "gw-task-list.h"

G_BEGIN_DECLS

#define GW_TYPE_TIMELINE_TABLE (gw_timeline_table_get_type ())
G_DECLARE_FINAL_TYPE (GwTimelineTable, gw_timeline_table, GW, TIMELINE_TABLE, GObject)

GwTimelineTable *gw_timeline_table_new (GtkColumnView *view);
void gw_timeline_table_set_source (GwTimelineTable *self, GwAttemptList *attempts,
                                   GwTaskList *tasks);
void gw_timeline_table_set_layout (GwTimelineTable *self, const GwTimelineLayout *layout);
void gw_timeline_table_set_shown (GwTimelineTable *self, gboolean shown);
void gw_timeline_table_set_selected (GwTimelineTable *self, const char *task_id);
char *gw_timeline_table_name_task (GwTimelineTable *self, const char *task_id);

G_END_DECLS
