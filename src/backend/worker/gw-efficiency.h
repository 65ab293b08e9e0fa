/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "worker/gw-scheduler.h"

G_BEGIN_DECLS

/* One call of the journal. Times are milliseconds of one clock, whichever. */
typedef struct {
  guint lane;        /* index into the lanes */
  gint64 sent_at;
  gint64 ended_at;   /* a call that has not ended is left out by the caller */
  gboolean answered; /* its answer is the task's result */
} GwEfficiencyCall;

typedef struct {
  guint64 answers;
  double makespan_s; /* submit to last answer; 0 without one */
  double bound_s;    /* the least that the providers' limits allow; negative: not known */
  double efficiency; /* bound / makespan, at most 1; negative: not known */
  double longest_s;  /* the longest answered call */
  gboolean few;      /* under two answers a slot: luck rules, longest_s tells more */
} GwEfficiency;

GwEfficiency gw_efficiency_measure (const GwBoundLane *lanes, guint n_lanes, guint cap,
                                    gint64 submitted_at, const GwEfficiencyCall *calls,
                                    gsize n_calls);

double gw_efficiency_bound (GwBoundLane *lanes, guint n_lanes, guint cap, const GArray *calls,
                            guint64 n);

G_END_DECLS
