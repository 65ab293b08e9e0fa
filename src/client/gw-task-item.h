/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

#include "gw-task.h"

G_BEGIN_DECLS

/* GwTask as a boxed type, for the property. */
#define GW_TYPE_TASK_BOXED (gw_task_boxed_get_type ())
GType gw_task_boxed_get_type (void);

#define GW_TYPE_TASK_ITEM (gw_task_item_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskItem, gw_task_item, GW, TASK_ITEM, GObject)

/* One row: the same object for a task's whole life; a change sets `task` (boxed) and notifies
 * `task` once. Main thread only. */
GwTaskItem *gw_task_item_new (GwTask *task);
GwTask *gw_task_item_get_task (GwTaskItem *self); /* (transfer none) the newest state */
void gw_task_item_set_task (GwTaskItem *self, GwTask *task);
const char *gw_task_item_get_task_id (GwTaskItem *self);
/* The beginning of the result, NULL until asked for: see GwTaskPreviews. */
const char *gw_task_item_get_preview (GwTaskItem *self);
void gw_task_item_set_preview (GwTaskItem *self, const char *preview);
/* While something is searched: its place in the content, if that is not at the beginning. */
const char *gw_task_item_get_snippet (GwTaskItem *self);
void gw_task_item_set_snippet (GwTaskItem *self, const char *snippet);

guint _gw_task_item_get_number (GwTaskItem *self);
void _gw_task_item_set_number (GwTaskItem *self, guint number);

G_END_DECLS
