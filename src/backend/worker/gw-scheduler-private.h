/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "worker/gw-scheduler.h"

G_BEGIN_DECLS

/* Inside the scheduler a span of time is a double of milliseconds, counted from now. */

#define GW_FIXED_SD 0.02   /* a latency that spreads less is taken as fixed */
#define GW_STEADY_SD 0.05  /* below it, answers come in rounds that can be counted */

/* A lane as the rule sees it. */
typedef struct {
  const GwSchedulerLane *lane; /* (borrowed) */
  guint slots;      /* 0 also where the lane is parked for good */
  double mean;      /* expected latency */
  double log_mean;  /* of ln(ms) */
  double sd;        /* of ln */
  double variation; /* half of the squared coefficient of variation, at most 1/2 */
  double careful;   /* by which the lane judges itself: p84 of the latency, more with more calls */
  double opens;     /* end of its cool-down; 0: none */
  double *ends;     /* when its calls in flight are expected to end; NULL: not asked for yet */
  double pins;

  /* At the horizon asked about last. */
  double answers;   /* f: what the lane can end by then */
  double worth;     /* y: what one of its slots can */
  double need;      /* slots that its pinned tasks take, calls in flight included */
  double owed;      /* slots of the cap that its pinned tasks must have now */
  double share;     /* of the cap, these included; a part of a slot: for part of the time */
} GwOutlook;

/* All lanes as the rule sees them, for one decision. */
typedef struct {
  const GwSchedulerState *state; /* (borrowed) */
  double tasks;     /* that wait, pinned to no lane, those for later included */
  double window;
  double spacing;
  GwOutlook *lanes;
  guint n_lanes;
  guint *order;     /* room to sort lanes in */
  double *ends;     /* room for all calls in flight */
  gsize n_ends;     /* of it, used */
  guint64 terms;
} GwForecast;

/* A plan that was made before, and what it was made for. */
typedef struct {
  guint slots;
  guint window_sends;
  gint64 parked_until;
  double log_mean;
  double pins;
  double owed;
  double share;
} GwPlannedLane;

struct _GwSchedulerMemo {
  GwForecast forecast;
  guint lanes_size;
  gsize ends_size;
  guint64 terms;
  GwPlannedLane *planned; /* (owned) */
  guint n_planned;        /* 0: no plan */
  guint planned_cap;
  double planned_tasks;
  gint64 planned_at;
  double planned_span;
};

guint _gw_scheduler_used_at (const GwSchedulerLane *lane, gint64 time);
guint64 _gw_scheduler_flying (const GwSchedulerState *state);

/* gw-scheduler-forecast.c */
GwForecast *_gw_forecast_begin (const GwSchedulerState *state, GwSchedulerMemo **own);
void _gw_forecast_end (GwForecast *self, GwSchedulerMemo *own);
const double *_gw_forecast_ends (GwForecast *self, guint lane);
double _gw_forecast_chance (const GwOutlook *lane, double span);
void _gw_forecast_lane (GwForecast *self, guint lane, double horizon);
double _gw_forecast_all (GwForecast *self, double horizon, double faster_than);

/* gw-scheduler-plan.c */
double _gw_plan_find_horizon (GwForecast *self);
void _gw_plan_divide (GwForecast *self, double horizon, double *tasks);
void _gw_plan_recall_shares (GwForecast *self, GwSchedulerMemo *memo);

G_END_DECLS
