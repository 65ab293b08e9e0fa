/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-task-list.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_SEARCH (gw_task_search_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskSearch, gw_task_search, GW, TASK_SEARCH, GObject)

/**
 * GwTaskSearch:
 *
 * The tasks of a list that have a text in their content or result. What the list has of them is
 * looked through at once, off the main thread; the rest is asked of the gateway, page by page, and
 * followed from then on. Main thread only. Signals: `ready` once the first look is over;
 * `hits` (GPtrArray of GwTaskItem) that were found after it; `changed` when it begins or ends to
 * ask.
 */
GwTaskSearch *gw_task_search_new (GwTaskList *list, const char *project_id, const char *text);
void gw_task_search_start (GwTaskSearch *self);
const char *gw_task_search_get_text (GwTaskSearch *self);
gboolean gw_task_search_matches (GwTaskSearch *self, GwTaskItem *item);
gboolean gw_task_search_is_asking (GwTaskSearch *self);
const char *gw_task_search_get_error_message (GwTaskSearch *self); /* (nullable) */

G_END_DECLS
