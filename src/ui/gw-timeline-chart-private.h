/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-timeline-chart.h"

G_BEGIN_DECLS

#define GW_CHART_AXIS_HEIGHT 20
#define GW_CHART_ROW_HEIGHT 18
#define GW_CHART_GROUP_GAP 6
#define GW_CHART_TAIL 0.02 /* of the span, behind the end */

struct _GwTimelineChart {
  GtkWidget parent_instance;

  GwTimelineLayout *layout;   /* (owned) (nullable) */
  GtkAdjustment *horizontal;  /* (owned) in ms since the layout's start; mirrored where text is */
  GtkAdjustment *vertical;    /* (owned) in pixels */
  GwTimelineNameFunc name_func;
  gpointer name_data;

  char *selected_id;          /* (owned) (nullable) the task */
  guint selected_number;      /* its attempt; 0: the newest */
  double view_from;           /* Unix ms at the start edge of the plot */
  double span;                /* ms that the plot shows */
  double drag_from;           /* view_from when the drag began */
  double drag_top;
  double zoom_span;           /* span when the pinch began */
  double pointer_x;
  int label_width;
  gboolean follows;           /* its end stays in view */
  gboolean fits;              /* the span is chosen by itself */
  gboolean shows_now;
  gboolean dragged;
  gboolean setting;           /* the adjustments are being set from here */
};

/* gw-timeline-chart.c */
int _gw_timeline_chart_row_y (GwTimelineChart *self, guint row);
double _gw_timeline_chart_x (GwTimelineChart *self, double time);
double _gw_timeline_chart_time (GwTimelineChart *self, double x);

/* gw-timeline-chart-draw.c */
void _gw_timeline_chart_snapshot (GtkWidget *widget, GtkSnapshot *snapshot);
void _gw_timeline_chart_measure_labels (GwTimelineChart *self);

/* gw-timeline-chart-input.c */
void _gw_timeline_chart_input_init (GwTimelineChart *self);

/* gw-timeline-chart.c, for the two others */
void _gw_timeline_chart_set_view (GwTimelineChart *self, double from, double span);
void _gw_timeline_chart_reveal (GwTimelineChart *self, const GwTimelineBar *bar, guint row);
void _gw_timeline_chart_select (GwTimelineChart *self, const GwTimelineBar *bar, guint row);

G_END_DECLS
