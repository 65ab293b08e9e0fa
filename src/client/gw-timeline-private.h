/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-timeline-layout.h"

G_BEGIN_DECLS

#define GW_TIMELINE_MINUTE_MS 60000

typedef struct {
  gint64 from;
  gint64 to;
} GwTimelineSpan;

/* What is known of a lane while its gaps are explained. */
typedef struct {
  GArray *full;   /* (element-type GwTimelineSpan): the rolling window was full */
  GArray *parked; /* (element-type GwTimelineSpan): it cooled down */
} GwTimelineLaneTimes;

/* Step functions: @steps (element-type GwTimelineStep) in any order become (transfer full)
 * levels. */
void _gw_timeline_add_step (GArray *steps, gint64 at, int change);
GArray *_gw_timeline_levels_new (GArray *steps);

/* For arrays of gint64. */
int _gw_timeline_compare_times (gconstpointer a, gconstpointer b);

/* What held a lane back. Sorts @sends and @slow_downs (element-type gint64), fills the spans. */
void _gw_timeline_find_full (const GwTimelineLane *lane, GArray *sends, GArray *full);
void _gw_timeline_find_parked (const GwTimelineLane *lane, GArray *sends, GArray *slow_downs,
                               gint64 now, GArray *parked);

/* Appends the gaps from @from to @to to @row, with their reasons. */
void _gw_timeline_explain (GwTimelineRow *row, const GwTimelineLane *lane,
                           const GwTimelineLaneTimes *times, GArray *in_flight, GArray *waiting,
                           GArray *backing_off, guint cap, gint64 from, gint64 to, gint64 now);

G_END_DECLS
