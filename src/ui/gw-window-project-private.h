/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-window-private.h"

G_BEGIN_DECLS

typedef struct {
  GwWindow *self;     /* (owned) */
  char *project_id;   /* (owned) */
  const char *failed; /* (nullable) translated: what did not happen */
} GwProjectAct;

/* gw-window-project-acts.c */
GwProjectAct *_gw_window_project_act_new (GwWindow *self, const char *project_id,
                                          const char *failed);
void _gw_window_project_act_free (GwProjectAct *act);
GwClient *_gw_window_project_get_client (GwWindow *self);
GwProjectItem *_gw_window_project_get_target (GwWindow *self);
void _gw_window_project_show_popover (GwWindow *self, GtkWidget *popover, GwProjectItem *item);

/* gw-window-project-limits.c */
void _gw_window_project_limits_update (GwWindow *self);

/* gw-window-project-removal.c */
void _gw_window_project_finish_removal (GwWindow *self);
void _gw_window_project_remove_project_action (GtkWidget *widget, const char *name,
                                               GVariant *parameter);

/* gw-window-project-history.c */
guint64 _gw_window_project_count_quick (GwWindow *self);
gboolean _gw_window_project_has_history (GwWindow *self);
void _gw_window_project_delete_history_action (GtkWidget *widget, const char *name,
                                               GVariant *parameter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwProjectAct, _gw_window_project_act_free)

G_END_DECLS
