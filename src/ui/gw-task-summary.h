/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-task-item.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_SUMMARY (gw_task_summary_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskSummary, gw_task_summary, GW, TASK_SUMMARY, GtkWidget)

/* What several selected tasks are together: their number, states, tokens, and what can be done. */
void gw_task_summary_set_retry_menu (GwTaskSummary *self, GMenuModel *menu);
void gw_task_summary_set_items (GwTaskSummary *self, GPtrArray *items);

G_END_DECLS
