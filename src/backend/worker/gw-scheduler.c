/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may send, and when: first the limits, exactly.
 *
 * Pure functions: the state comes in, the decision goes out, the clock's reading is part of the state.
 * They read nothing else, keep nothing and may run on any thread; the queue calls them inside its
 * atomic claim, so that what they allow cannot be allowed twice. */
#define G_LOG_DOMAIN "gw-scheduler"

#include "config.h"

#include "worker/gw-scheduler-private.h"

/* How many sends of the lane still count at @time. */
guint
_gw_scheduler_used_at (const GwSchedulerLane *lane,
                       gint64 time)
{
  guint low = 0, high = lane->n_reopens;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (lane->reopens[middle] > time)
        high = middle;
      else
        low = middle + 1;
    }

  return lane->n_reopens - low;
}

gint64
_gw_scheduler_window (const GwSchedulerState *state)
{
  return state->window_ms > 0 ? state->window_ms : GW_WINDOW_MS;
}

gint64
_gw_scheduler_spacing (const GwSchedulerState *state)
{
  if (state->spacing_ms != 0)
    return MAX (state->spacing_ms, 0);

  return GW_SPACING_MS;
}

guint64
_gw_scheduler_flying (const GwSchedulerState *state)
{
  guint64 flying = 0;

  for (guint i = 0; i < state->n_lanes; i++)
    flying += state->lanes[i].n_flying;

  return flying;
}

/* The earliest time, not before now, at which cool-down, window and spacing let the lane send. */
gint64
_gw_scheduler_opens_at (const GwSchedulerState *state,
                        const GwSchedulerLane *lane,
                        GwVerdict *reason)
{
  gint64 spacing = _gw_scheduler_spacing (state);
  gint64 time = state->now;

  *reason = GW_VERDICT_START;
  if (lane->parked_until > time)
    {
      time = lane->parked_until;
      *reason = GW_VERDICT_COOL_DOWN;
    }
  if (lane->window_sends == 0)
    return time;

  if (lane->n_reopens >= lane->window_sends)
    {
      gint64 opens = lane->reopens[lane->n_reopens - lane->window_sends];

      if (opens > time)
        {
          time = opens;
          *reason = GW_VERDICT_WINDOW;
        }
    }
  if (spacing > 0 && lane->last_send > 0)
    {
      guint half = lane->window_sends / 2 + lane->window_sends % 2;

      /* Close sends matter only where they could be many: the spacing ends early if enough of the
       * window does. */
      if (_gw_scheduler_used_at (lane, time) >= half)
        {
          gint64 opens = MIN (lane->last_send + spacing, lane->reopens[lane->n_reopens - half]);

          if (opens > time)
            {
              time = opens;
              *reason = GW_VERDICT_WINDOW;
            }
        }
    }

  return time;
}

/**
 * gw_scheduler_check_limits:
 * @state: all lanes, as they are now
 * @lane: index of the lane that asks
 *
 * The limits alone, without any guess: the lane's slots, the cap over all lanes, cool-down, rolling
 * window, spacing. A send ceases to count in the very millisecond that `reopens` names.
 *
 * Returns: %GW_VERDICT_START, or what refuses and when to ask again (%GW_SCHEDULER_NEVER: when a call
 *   ends, or the limits change)
 */
GwDecision
gw_scheduler_check_limits (const GwSchedulerState *state,
                           guint lane)
{
  const GwSchedulerLane *self;
  GwDecision decision = { GW_VERDICT_START, GW_SCHEDULER_NEVER };

  g_return_val_if_fail (state != NULL && lane < state->n_lanes, decision);

  self = &state->lanes[lane];
  if (self->n_flying >= self->slots)
    {
      decision.verdict = GW_VERDICT_SLOTS;
      return decision;
    }
  if (_gw_scheduler_flying (state) >= state->cap)
    {
      decision.verdict = GW_VERDICT_CAP;
      return decision;
    }

  decision.ask_at = _gw_scheduler_opens_at (state, self, &decision.verdict);

  return decision;
}

/**
 * gw_scheduler_check_worth:
 * @state: all lanes, as they are now
 * @lane: index of the lane that asks; the limits allow it to send
 *
 * Returns: %GW_VERDICT_START
 */
GwDecision
gw_scheduler_check_worth (const GwSchedulerState *state,
                          guint lane)
{
  GwDecision decision = { GW_VERDICT_START, GW_SCHEDULER_NEVER };

  g_return_val_if_fail (state != NULL && lane < state->n_lanes, decision);

  decision.ask_at = state->now;

  return decision;
}
