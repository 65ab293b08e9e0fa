/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-task-list.h"

G_BEGIN_DECLS

typedef enum {
  GW_TASK_SORT_NONE,   /* order of submission */
  GW_TASK_SORT_STATUS, /* what wants to be looked at first */
  GW_TASK_SORT_MODEL,
  GW_TASK_SORT_TIME,
  GW_N_TASK_SORTS
} GwTaskSort;

/* For gw_task_rows_set_status(): queued ones that were interrupted, which are not among the
 * queued. */
#define GW_TASK_ROWS_INTERRUPTED GW_N_TASK_STATUSES
#define GW_N_TASK_ROWS_STATUSES (GW_N_TASK_STATUSES + 1)

/* Decides about a row beside status and project; must say the same until
 * gw_task_rows_test_changed(). */
typedef gboolean (*GwTaskRowsTest) (GwTaskItem *item, gpointer user_data);

#define GW_TYPE_TASK_ROWS (gw_task_rows_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskRows, gw_task_rows, GW, TASK_ROWS, GObject)

/**
 * GwTaskRows:
 *
 * The rows of a GwTaskList that are shown: a GListModel of GwTaskItem, narrowed by project, status
 * and a test, and sorted. A change costs O(log n), whatever is narrowed and sorted; without either
 * it is the list itself and costs nothing. Main thread only.
 */
GwTaskRows *gw_task_rows_new (void);
void gw_task_rows_set_list (GwTaskRows *self, GwTaskList *list);
void gw_task_rows_set_project (GwTaskRows *self, const char *project_id);
void gw_task_rows_set_hidden_project (GwTaskRows *self, const char *project_id);
void gw_task_rows_set_status (GwTaskRows *self, int status);
void gw_task_rows_set_statuses (GwTaskRows *self, guint statuses);
guint gw_task_rows_count_found (GwTaskRows *self, guint status);
void gw_task_rows_set_sort (GwTaskRows *self, GwTaskSort sort, gboolean descending);
void gw_task_rows_set_test (GwTaskRows *self, GwTaskRowsTest test, gpointer user_data);
void gw_task_rows_test_changed (GwTaskRows *self, GPtrArray *items);

gboolean gw_task_rows_find (GwTaskRows *self, const char *task_id, guint *position);

G_END_DECLS
