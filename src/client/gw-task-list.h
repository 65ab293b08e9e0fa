/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-client.h"
#include "gw-task-item.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_LIST (gw_task_list_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskList, gw_task_list, GW, TASK_LIST, GObject)

/* What one step has done to the rows, once it is done. (element-type GwTaskItem) each; an item may
 * stand among the changed more than once. */
typedef struct {
  GPtrArray *added;
  GPtrArray *removed;
  GPtrArray *changed; /* have another task than before */
} GwTaskDelta;

/**
 * GwTaskList:
 *
 * A GListModel of GwTaskItem in order of submission that follows a gateway by one long-poll
 * (against a minimal gateway by polling each unfinished task). A change updates its item in place.
 * Main thread only. Properties: `client`, `project` (nullable: all), `connected`, `error-message`,
 * `retry-at` (Unix ms of the next try while it is not connected, 0 otherwise). Signal `changed`:
 * once per page that was taken in; `projects-changed` before it, with the ids (GPtrArray of utf8)
 * of the projects that came, changed or went, or NULL where that may be any of them; and `delta`
 * (GwTaskDelta *) for who keeps a part of the rows, see GwTaskRows.
 */
GwTaskList *gw_task_list_new (GwClient *client, const char *project);
void gw_task_list_start (GwTaskList *self);
void gw_task_list_stop (GwTaskList *self);
/* (transfer none) (nullable) */
GwTaskItem *gw_task_list_find (GwTaskList *self, const char *task_id);
guint gw_task_list_count (GwTaskList *self, GwTaskStatus status);
/* @project_id NULL: of all; kept as tasks change, so it costs nothing */
guint gw_task_list_count_in (GwTaskList *self, const char *project_id, GwTaskStatus status);
gboolean gw_task_list_is_loaded (GwTaskList *self); /* all that was there at the start has come */
/* Of the queued ones, those that were sent before an interruption. */
guint gw_task_list_count_interrupted (GwTaskList *self, const char *project_id);
const char *gw_task_list_get_store (GwTaskList *self);
gboolean gw_task_list_is_connected (GwTaskList *self);
const char *gw_task_list_get_error_message (GwTaskList *self); /* (nullable) */

/* The next try to reach the gateway: when, and now. */
gint64 gw_task_list_get_retry_at (GwTaskList *self);
void gw_task_list_retry_now (GwTaskList *self);

/* The projects that the feed told of, newest state; (transfer none). */
GwProject *gw_task_list_find_project (GwTaskList *self, const char *project_id);
/* (transfer container), in order of creation */
GList *gw_task_list_get_projects (GwTaskList *self);
GList *gw_task_list_get_known_projects (GwTaskList *self); /* the hidden ones too */

/* A project that is to be removed counts for nothing, until it really is. */
void gw_task_list_hide_project (GwTaskList *self, const char *project_id);
void gw_task_list_unhide_project (GwTaskList *self, const char *project_id);
gboolean gw_task_list_is_hidden (GwTaskList *self, const char *project_id);

/* The order of the rows. */
int gw_task_list_compare (const GwTask *a, const GwTask *b);
guint gw_task_list_get_position (GwTaskList *self, GwTaskItem *item);

/* Which task of its project it is, 1 the first submitted: the `index` of an export. 0: not here. */
guint gw_task_list_get_number (GwTaskList *self, GwTaskItem *item);

/* (element-type GwTask): what the gateway says just now of tasks that have not changed. */
void gw_task_list_take_waits (GwTaskList *self, GPtrArray *tasks);

/* A task that is known before the feed tells of it: what this client just submitted. */
void gw_task_list_add (GwTaskList *self, GwTask *task);

G_END_DECLS
