/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-window-private.h"

G_BEGIN_DECLS

typedef void (*GwActsDoneFunc) (GwWindow *self, guint changed, gpointer data);

/* gw-window-tasks.c */
void _gw_window_tasks_run (GwWindow *self, GwActs *acts, const char *failed, GwActsDoneFunc done,
                           gpointer data, GDestroyNotify free_data);
void _gw_window_tasks_add_acts (GwActs *acts, GPtrArray *ids, const char *method, const char *verb);
void _gw_window_tasks_add_project_acts (GwActs *acts, GPtrArray *ids, const char *verb);

/* gw-window-task-targets.c */
gboolean _gw_window_tasks_is_ours (GwWindow *self);
gboolean _gw_window_tasks_can_cancel (GwWindow *self, const GwTask *task);
gboolean _gw_window_tasks_can_retry (GwWindow *self, const GwTask *task);
gboolean _gw_window_tasks_is_stuck (GwWindow *self, const GwTask *task);
GPtrArray *_gw_window_tasks_collect_ids (GwWindow *self, GPtrArray *items,
                                         gboolean (*test) (GwWindow *self, const GwTask *task));
GPtrArray *_gw_window_tasks_collect_shown (GwWindow *self, GwTaskStatus status);
guint _gw_window_tasks_count (GwWindow *self, GwTaskStatus status);
GPtrArray *_gw_window_tasks_collect_projects (GwWindow *self,
                                              gboolean (*test) (GwWindow *self,
                                                                const char *project_id));
gboolean _gw_window_tasks_has_failed (GwWindow *self, const char *project_id);
gboolean _gw_window_tasks_is_paused (GwWindow *self, const char *project_id);
gboolean _gw_window_tasks_goes_on (GwWindow *self, const char *project_id);

/* gw-window-task-retry.c */
void _gw_window_tasks_retry_action (GtkWidget *widget, const char *name, GVariant *parameter);
void _gw_window_tasks_retry_with_action (GtkWidget *widget, const char *name, GVariant *parameter);
void _gw_window_tasks_retry_failed_action (GtkWidget *widget, const char *name,
                                           GVariant *parameter);

/* gw-window-task-move.c */
void _gw_window_tasks_move_action (GtkWidget *widget, const char *name, GVariant *parameter);

/* gw-window-task-stop.c */
void _gw_window_tasks_pause_action (GtkWidget *widget, const char *name, GVariant *parameter);
void _gw_window_tasks_stop_all_action (GtkWidget *widget, const char *name, GVariant *parameter);

G_END_DECLS
