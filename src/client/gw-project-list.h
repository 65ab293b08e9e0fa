/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-project-item.h"
#include "gw-task-list.h"

G_BEGIN_DECLS

#define GW_TYPE_PROJECT_LIST (gw_project_list_get_type ())
G_DECLARE_FINAL_TYPE (GwProjectList, gw_project_list, GW, PROJECT_LIST, GObject)

/**
 * GwProjectList:
 *
 * A GListModel of GwProjectItem, newest first, of the projects that a GwTaskList was told of; the
 * permanent project for single tasks stands apart. A change updates its item in place, so that
 * nothing moves while counts change. Main thread only. Signals: `changed`, once per step after
 * which anything is different; `finished-changed` before it, if a project has come to its end, or
 * goes on again.
 */
GwProjectList *gw_project_list_new (void);
void gw_project_list_set_source (GwProjectList *self, GwTaskList *source);

/* (transfer none) (nullable); hidden ones are not found */
GwProjectItem *gw_project_list_find (GwProjectList *self, const char *project_id);
GwProjectItem *gw_project_list_find_name (GwProjectList *self, const char *name);
GwProjectItem *gw_project_list_get_default (GwProjectList *self);

/* A project that is to be removed is gone for those who look, until it really is. */
void gw_project_list_hide (GwProjectList *self, const char *project_id);
void gw_project_list_unhide (GwProjectList *self, const char *project_id);

/* What set_source() does with what it hears: (element-type GwProject), (element-type utf8). */
void gw_project_list_take (GwProjectList *self, GPtrArray *projects, GPtrArray *removed);

/* Whether nothing is left to do in it. */
gboolean gw_project_is_finished (const GwProject *project);

G_END_DECLS
