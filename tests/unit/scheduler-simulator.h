/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "worker/gw-efficiency.h"

G_BEGIN_DECLS

/* Runs a batch over lanes under a virtual clock, asking the scheduler at every event as the queue
 * does: the same calls, in no time. Spans are seconds where the name ends in _s, else
 * milliseconds. */

#define SIM_MOST_LANES 16
#define SIM_MOST_PROJECTS 8
#define SIM_START_MS 1000000 /* what the virtual clock reads at first */

typedef enum {
  SIM_POLICY_RULE,       /* the scheduler */
  SIM_POLICY_TAKES_NEXT, /* limits only: a free slot takes the next task */
} SimPolicy;

typedef enum {
  SIM_ORDER_FASTEST,     /* the fastest lane is asked first */
  SIM_ORDER_RANDOM,      /* another order at every question: workers that race */
} SimOrder;

typedef struct {
  guint slots;
  guint window_sends;
  double mean_s;
  double sigma;          /* of ln latency; 0: fixed */
  guint64 pins;
  double outage_from_s;  /* calls in flight are lost, none begins until... */
  double outage_until_s; /* 0: none */
} SimLane;

typedef struct {
  SimLane lanes[SIM_MOST_LANES];
  guint n_lanes;
  guint cap;
  guint64 tasks;             /* pinned to no lane, of no limited project */
  guint64 project_tasks[SIM_MOST_PROJECTS];
  guint project_concurrency[SIM_MOST_PROJECTS];
  guint n_projects;
  double arrivals_s;         /* > 0: `tasks` arrive evenly over that time, else all at once */
  double failures;           /* part of the calls that give no answer */
  guint64 seed;
  gint64 window_ms;
  gint64 spacing_ms;         /* 0: none */
  SimPolicy policy;
  SimOrder order;
  double guess_error;        /* sigma of the guesses' error in ln; < 0: latencies are known */
  gboolean uses_memo;
  double estimate_at[4];     /* parts of the tasks done at which the estimate is recorded */
  guint n_estimates;
  GArray *calls;             /* (nullable) (element-type GwEfficiencyCall): the journal is added */
} SimConfig;

typedef struct {
  double makespan_s;
  gboolean stalled;          /* nothing in flight, nothing to come, and no lane starts */
  guint64 sends;
  guint64 claims;
  guint64 most_terms;        /* work of the costliest decision; with uses_memo */
  guint64 terms;
  guint64 lane_answers[SIM_MOST_LANES];
  char *breach;              /* (nullable) the first limit that was broken */
  GwEstimate estimates[4];
  double estimated_at_s[4];  /* negative: not reached */
} SimResult;

void sim_config_init (SimConfig *config);
void sim_run (const SimConfig *config, SimResult *result);
double sim_bound (const SimConfig *config);
double sim_uniform (guint64 a, guint64 b, guint64 c);

G_END_DECLS
