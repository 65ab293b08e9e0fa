/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/**
 * GwRunProgress:
 *
 * How far the present run is: a run begins when tasks wait although none did before, and is over
 * when none does. What had ended before it does not count. Plain data, fed with counts; pure.
 */
typedef struct {
  gboolean seen;    /* has been fed */
  gboolean active;
  gint64 submitted_at; /* ms of a monotonic clock; 0: nothing was submitted since */
  gint64 began_at;
  gint64 ended_at;
  guint base[GW_N_TASK_STATUSES];
  guint counts[GW_N_TASK_STATUSES];
} GwRunProgress;

void gw_run_progress_submitted (GwRunProgress *self, gint64 now_ms);
void gw_run_progress_update (GwRunProgress *self, const guint *counts, gint64 now_ms);
guint gw_run_progress_get_ended (const GwRunProgress *self, GwTaskStatus status);
guint gw_run_progress_get_done (const GwRunProgress *self);
guint gw_run_progress_get_total (const GwRunProgress *self);
double gw_run_progress_get_fraction (const GwRunProgress *self);
gint64 gw_run_progress_get_left_ms (const GwRunProgress *self, gint64 now_ms);
char *gw_run_progress_to_words (const GwRunProgress *self, gint64 now_ms);

G_END_DECLS
