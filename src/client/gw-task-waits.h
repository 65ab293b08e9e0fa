/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task-list.h"

G_BEGIN_DECLS

/**
 * GwTaskWaits:
 *
 * Why the tasks on screen wait, and for how long. The gateway finds that out when it is asked, and
 * no change tells of it; so who shows tasks asks now and then for the few that can be seen. Main
 * thread.
 */
typedef struct _GwTaskWaits GwTaskWaits;

GwTaskWaits *gw_task_waits_new (GwTaskList *list, GwClient *client);
void gw_task_waits_free (GwTaskWaits *waits);
void gw_task_waits_want (GwTaskWaits *waits, GPtrArray *items);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwTaskWaits, gw_task_waits_free)

G_END_DECLS
