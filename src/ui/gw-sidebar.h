/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-project-list.h"

G_BEGIN_DECLS

#define GW_TYPE_SIDEBAR (gw_sidebar_get_type ())
G_DECLARE_FINAL_TYPE (GwSidebar, gw_sidebar, GW, SIDEBAR, GtkWidget)

/**
 * GwSidebar:
 *
 * The projects to choose from, and the history with its search.
 *
 * Signals: `show-project` (id or NULL for all tasks, text that was searched for or NULL) when one
 * is chosen; `opened` when it was chosen to be looked at (click or Enter); `target-changed` when
 * the menu is about another project.
 */
GwSidebar *gw_sidebar_new (GwProjectList *projects);
void gw_sidebar_set_client (GwSidebar *self, GwClient *client);
void gw_sidebar_set_totals (GwSidebar *self, const guint counts[GW_N_TASK_STATUSES]);
/* @waiting: (transfer full): id of a project → how many of its tasks wait for a person. */
void gw_sidebar_set_waiting (GwSidebar *self, GHashTable *waiting);
void gw_sidebar_set_shown (GwSidebar *self, const char *project_id);
void gw_sidebar_set_keep_days (GwSidebar *self, gint64 days);

void gw_sidebar_set_history (GwSidebar *self, gboolean history);
gboolean gw_sidebar_get_history (GwSidebar *self);
void gw_sidebar_focus (GwSidebar *self);

/* The project that a menu is open for; (transfer none) (nullable) */
const char *gw_sidebar_get_target (GwSidebar *self);
gboolean gw_sidebar_get_bounds (GwSidebar *self, const char *project_id, GdkRectangle *bounds);

G_END_DECLS
