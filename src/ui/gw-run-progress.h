/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/**
 * GwRunProgress:
 *
 * How far the present run is: a run begins when tasks wait although none did before, and is over
 * when none does. What had ended before it does not count, unless @whole: then it is about a
 * project from its first task on. Its time is that in which something could go on: not before it
 * was let go, not while it is paused. Plain data, fed with counts; pure.
 */
typedef struct {
  gboolean seen;    /* has been fed */
  gboolean whole;   /* set before it is fed: nothing is history */
  gboolean active;
  gint64 submitted_at; /* ms of a monotonic clock; 0: nothing was submitted since */
  gboolean ended;
  gboolean goes;       /* something could go on when it was last fed */
  gboolean has_gone;   /* since it is active */
  gint64 went_at;      /* since when it goes */
  gint64 took_ms;      /* that it went before that */
  gint64 done_at_ms;   /* how long it had gone when the last of its tasks ended */
  gboolean partly;     /* @whole: more was added to what had ended, so that its time is not known */
  guint base[GW_N_TASK_STATUSES];
  guint counts[GW_N_TASK_STATUSES];
  guint done_at_start; /* had ended when it was seen to begin */

  /* What others know better; 0 where nobody does. */
  gint64 told_end_at;  /* when the gateway thinks that it is over, same clock */
  gint64 tokens;       /* that it used */
  double efficiency;   /* time of the best possible ÷ its time */
} GwRunProgress;

void gw_run_progress_submitted (GwRunProgress *self, gint64 now_ms);
void gw_run_progress_update (GwRunProgress *self, const guint *counts, gboolean goes,
                             gint64 now_ms);
gint64 gw_run_progress_get_elapsed (const GwRunProgress *self, gint64 now_ms);
guint gw_run_progress_get_ended (const GwRunProgress *self, GwTaskStatus status);
guint gw_run_progress_get_done (const GwRunProgress *self);
guint gw_run_progress_get_total (const GwRunProgress *self);
double gw_run_progress_get_fraction (const GwRunProgress *self);
double gw_run_progress_get_per_minute (const GwRunProgress *self, gint64 now_ms);
gint64 gw_run_progress_get_left_ms (const GwRunProgress *self, gint64 now_ms);
char *gw_run_progress_to_words (const GwRunProgress *self, gint64 now_ms);
char *gw_run_progress_rate_to_words (const GwRunProgress *self, gint64 now_ms);
char *gw_run_progress_outcome_to_words (const GwRunProgress *self);

/**
 * GwFailureRun:
 *
 * How many tasks in a row failed for the same reason.
 */
typedef struct {
  guint n;
  GwError code;
} GwFailureRun;

#define GW_FAILURE_RUN_LIMIT 10

gboolean gw_failure_run_add (GwFailureRun *self, const GwTask *task);

G_END_DECLS
