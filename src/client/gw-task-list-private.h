/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task-list.h"

G_BEGIN_DECLS

typedef struct {
  guint of[GW_N_TASK_STATUSES];
  guint interrupted; /* of the queued ones */
} GwTaskCounts;

struct _GwTaskList {
  GObject parent_instance;

  /* The rows, gw-task-list-order.c */
  GPtrArray *items;     /* (owned) (element-type GwTaskItem), in order of submission */
  GHashTable *by_id;    /* (owned) id (of the item's task) → GwTaskItem (borrowed) */
  GPtrArray *fresh;     /* (owned) (element-type GwTask): new ones of pages not yet shown */
  GwTaskDelta *delta;   /* (owned): what the step under way has done */
  GwTaskCounts counts;
  GHashTable *counts_in; /* (owned) project id → GwTaskCounts (owned) */
  guint n_numbered;      /* so many items from the first know their number within their project */
  GHashTable *numbers;   /* (owned) project id → the last number given out among those, a guint * */

  /* Following, gw-task-list-feed.c */
  GwClient *client;          /* (owned) */
  char *project;             /* (owned) (nullable) */
  GCancellable *cancellable; /* (owned) (nullable): while it follows */
  GHashTable *projects;      /* (owned) id → GwProject (owned) */
  GHashTable *hidden;        /* (owned) set of ids of projects that count for nothing */
  GHashTable *seen;          /* (owned) (nullable): ids since a reset; what is not in it goes */
  gboolean loaded;           /* all that there was at the first look has come */
  gboolean has_since;
  guint64 since;
  char *store;               /* (owned) (nullable) */
  gboolean connected;
  char *error_message;       /* (owned) (nullable) */
  guint pause_s;
  gint64 retry_at;           /* Unix ms */
  guint timer_id;
  GQueue pages;              /* (element-type Page): asked for and not yet brought in, in order */
  guint take_id;
  gint64 asked_at;           /* monotonic µs */
};

/* gw-task-list.c */
void _gw_task_list_set_connected (GwTaskList *self, const GError *error);
void _gw_task_list_set_retry_at (GwTaskList *self, gint64 retry_at);
void _gw_task_list_emit_projects_changed (GwTaskList *self, GPtrArray *ids);
void _gw_task_list_emit_changed (GwTaskList *self);

/* gw-task-list-order.c */
void _gw_task_list_order_init (GwTaskList *self);
void _gw_task_list_order_clear (GwTaskList *self);
void _gw_task_list_take_task (GwTaskList *self, GwTask *task);
void _gw_task_list_show_fresh (GwTaskList *self);
void _gw_task_list_remove_ids (GwTaskList *self, GPtrArray *ids);
void _gw_task_list_keep_ids (GwTaskList *self, GHashTable *ids);
void _gw_task_list_reset_delta (GwTaskList *self);

G_END_DECLS
