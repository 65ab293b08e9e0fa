/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-timeline-layout.h"

G_BEGIN_DECLS

#define GW_TYPE_TIMELINE_CHART (gw_timeline_chart_get_type ())
G_DECLARE_FINAL_TYPE (GwTimelineChart, gw_timeline_chart, GW, TIMELINE_CHART, GtkWidget)

/* (transfer full): the first line of a task, for its tooltip. */
typedef char *(*GwTimelineNameFunc) (const char *task_id, gpointer user_data);

void gw_timeline_chart_set_layout (GwTimelineChart *self, GwTimelineLayout *layout, gboolean now);
void gw_timeline_chart_set_name_func (GwTimelineChart *self, GwTimelineNameFunc func,
                                      gpointer user_data);
void gw_timeline_chart_set_selected (GwTimelineChart *self, const char *task_id);
void gw_timeline_chart_zoom (GwTimelineChart *self, double factor);
void gw_timeline_chart_fit (GwTimelineChart *self);
GtkAdjustment *gw_timeline_chart_get_adjustment (GwTimelineChart *self,
                                                 GtkOrientation orientation);

G_END_DECLS
