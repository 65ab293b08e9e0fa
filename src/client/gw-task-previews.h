/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"
#include "gw-task-item.h"

G_BEGIN_DECLS

/**
 * GwTaskPreviews:
 *
 * The beginnings of results for the rows that are on screen: asked for a few at a time, kept in
 * their GwTaskItem, and dropped again where more than some thousand have been looked at. Main
 * thread only.
 */
typedef struct _GwTaskPreviews GwTaskPreviews;

GwTaskPreviews *gw_task_previews_new (GwClient *client);
void gw_task_previews_free (GwTaskPreviews *previews);
/* (nullable): what is searched; previews show its place from now on. */
void gw_task_previews_set_query (GwTaskPreviews *previews, const char *query);
void gw_task_previews_want (GwTaskPreviews *previews, GPtrArray *items);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwTaskPreviews, gw_task_previews_free)

G_END_DECLS
