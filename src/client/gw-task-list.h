/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-client.h"
#include "gw-task-item.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_LIST (gw_task_list_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskList, gw_task_list, GW, TASK_LIST, GObject)

/**
 * GwTaskList:
 *
 * A GListModel of GwTaskItem in order of submission that follows a gateway by one long-poll (against
 * a minimal gateway by polling each unfinished task). A change updates its item in place. Main
 * thread only. Properties: `client`, `project` (nullable: all), `connected`, `error-message`.
 * Signal `changed`: once per page that was taken in.
 */
GwTaskList *gw_task_list_new (GwClient *client, const char *project);
void gw_task_list_start (GwTaskList *self);
void gw_task_list_stop (GwTaskList *self);
GwTaskItem *gw_task_list_find (GwTaskList *self, const char *task_id); /* (transfer none) (nullable) */
guint gw_task_list_count (GwTaskList *self, GwTaskStatus status);
gboolean gw_task_list_is_connected (GwTaskList *self);

/* For minimal gateways, which have no list: a task that this client submitted. */
void gw_task_list_add (GwTaskList *self, GwTask *task);

G_END_DECLS
