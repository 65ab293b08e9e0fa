/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-task.h"

G_BEGIN_DECLS

#define GW_TYPE_TASK_FILTERS (gw_task_filters_get_type ())
G_DECLARE_FINAL_TYPE (GwTaskFilters, gw_task_filters, GW, TASK_FILTERS, GtkWidget)

/* The statuses, and beside them those that were interrupted. */
#define GW_N_TASK_FILTERS (GW_N_TASK_STATUSES + 1)

const char *gw_task_filter_get_name (guint filter);
void gw_task_filters_update (GwTaskFilters *self, const guint counts[GW_N_TASK_FILTERS],
                             guint shown);
void gw_task_filters_set_width (GwTaskFilters *self, int width);

G_END_DECLS
