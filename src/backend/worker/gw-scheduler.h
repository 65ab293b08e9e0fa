/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Pure: state in, decision out, the clock given. See gw-scheduler.c. All times are milliseconds of
 * the queue's clock. */

#define GW_WINDOW_MS 61000   /* a minute, and a second for what the provider counts later than we */
#define GW_SPACING_MS 25     /* between sends of a windowed lane once half of its window is used */
#define GW_SCHEDULER_NEVER G_MAXINT64

/* What is believed of ln(latency in seconds) of a lane. */
typedef struct {
  double mean;
  double variance;
  double weight; /* answers learned from, at most 40; 1 is the catalogue's guess alone */
} GwBelief;

void gw_belief_init (GwBelief *belief, double latency_s);
void gw_belief_learn (GwBelief *belief, double latency_s);
double gw_belief_get_mean (const GwBelief *belief);                   /* seconds */
double gw_belief_get_quantile (const GwBelief *belief, double z);     /* z = 1: p84; 1.65: p95 */

typedef struct {
  guint slots;            /* calls at once, as adapted now; 0: takes nothing (stopped, disabled) */
  guint window_sends;     /* sends in any window; 0: none */
  gint64 parked_until;    /* cool-down; 0: none */
  gint64 last_send;       /* 0: none yet */
  const gint64 *flying;   /* when each call in flight was sent, ghosts included */
  guint n_flying;
  const gint64 *reopens;  /* ascending: when each send of the window ceases to count */
  guint n_reopens;
  GwBelief belief;
  guint64 pins;           /* waiting tasks that only this lane may take */
  gboolean pinned_only;   /* it takes no others (the practice provider): nobody holds back for it */
} GwSchedulerLane;

/* What may be kept from one decision to the next: working space, and the last plan while it still
 * holds. Decisions are the same without it, save that shares of the cap may lag by 3 % of progress;
 * it saves time. One thread at a time. */
typedef struct _GwSchedulerMemo GwSchedulerMemo;

GwSchedulerMemo *gw_scheduler_memo_new (void);
void gw_scheduler_memo_free (GwSchedulerMemo *memo);
guint64 gw_scheduler_memo_get_terms (const GwSchedulerMemo *memo); /* work done with it, ever */

typedef struct {
  gint64 now;
  guint cap;              /* over all lanes */
  guint64 waiting;        /* tasks that could start now and are pinned to no lane */
  guint64 later;          /* waiting tasks that must wait for others of their project */
  guint64 rounds;         /* the longest project's calls in a row: left / concurrency, rounded up */
  GwSchedulerLane *lanes;
  guint n_lanes;
  gint64 window_ms;       /* length of the rolling windows; 0: GW_WINDOW_MS */
  gint64 spacing_ms;      /* between sends of a windowed lane; 0: GW_SPACING_MS; negative: none */
  GwSchedulerMemo *memo;  /* (nullable) (borrowed) */
} GwSchedulerState;

typedef enum {
  GW_VERDICT_START,
  GW_VERDICT_SLOTS,     /* all slots of the lane are taken: ask when one ends */
  GW_VERDICT_CAP,       /* the cap over all lanes is reached: ask when any call ends */
  GW_VERDICT_COOL_DOWN,
  GW_VERDICT_WINDOW,
  GW_VERDICT_HOLD,      /* faster lanes can end all that waits sooner */
  GW_VERDICT_SHARE,     /* beyond its share of the cap */
} GwVerdict;

typedef struct {
  GwVerdict verdict;
  gint64 ask_at;        /* again, at the latest; GW_SCHEDULER_NEVER: only an event helps */
} GwDecision;

/* The limits alone, exact: slots, cap, cool-down, window, spacing. */
GwDecision gw_scheduler_check_limits (const GwSchedulerState *state, guint lane);

/* Whether the lane should take an unpinned task, given that the limits allow it. */
GwDecision gw_scheduler_check_worth (const GwSchedulerState *state, guint lane);

/* The same for a task that is pinned to the lane: only its share of the cap is asked. */
GwDecision gw_scheduler_check_share (const GwSchedulerState *state, guint lane);

/* When the last of what waits and flies is expected to end. */
typedef struct {
  double finish_s; /* from now: as likely before as after; negative: never (no lane can take it) */
  double low_s;    /* 10 % */
  double high_s;   /* 90 % */
  gboolean learning; /* fewer than 3 answers of a lane that the plan needs: show the range only */
} GwEstimate;

GwEstimate gw_scheduler_estimate (const GwSchedulerState *state);

/* Of the waiting tasks, how many each lane is expected to end; @tasks has n_lanes elements. */
void gw_scheduler_plan (const GwSchedulerState *state, double *tasks);

/* The least makespan that the limits allow, from the journal. */
typedef struct {
  guint slots;
  guint window_sends;
  const double *durations_s; /* in send order, answered calls of the lane */
  guint n_durations;
  double prior_s;
  guint64 pins;              /* of the tasks, those that only this lane may take */
  const guint8 *unanswered;  /* (nullable) n_durations marks: not 0 where the call gave no answer */
  const double *parked_s;    /* cool-downs, from and until in turn, from the first submit on */
  guint n_parked;            /* how many cool-downs */
} GwBoundLane;

#define GW_BOUND_WINDOW_MS 60000 /* a provider's minute, without our second of caution */

double gw_scheduler_bound (const GwBoundLane *lanes, guint n_lanes, guint cap, guint64 n_tasks);

/* The same under another window (ms) and, from half of it on, spacing (ms; 0: none). */
double gw_scheduler_bound_full (const GwBoundLane *lanes, guint n_lanes, guint cap, guint64 n_tasks,
                                gint64 window_ms, gint64 spacing_ms);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSchedulerMemo, gw_scheduler_memo_free)

G_END_DECLS
