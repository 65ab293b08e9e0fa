/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "worker/gw-scheduler.h"

G_BEGIN_DECLS

guint _gw_scheduler_used_at (const GwSchedulerLane *lane, gint64 time);
gint64 _gw_scheduler_window (const GwSchedulerState *state);
gint64 _gw_scheduler_spacing (const GwSchedulerState *state);
guint64 _gw_scheduler_flying (const GwSchedulerState *state);
gint64 _gw_scheduler_opens_at (const GwSchedulerState *state, const GwSchedulerLane *lane,
                               GwVerdict *reason);

G_END_DECLS
