/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may send, and when: first the limits, exactly; then whether it is worth it. A lane holds
 * back while the lanes faster than it can end all that waits before it would end one task; under a
 * cap it also yields to lanes that have less of the cap than their share. The fastest lane never
 * holds back, so there is always one that goes on (docs/scheduling.md).
 *
 * Pure functions: the state comes in, the decision goes out, the clock's reading is part of the
 * state. They read nothing else, keep nothing and may run on any thread; the queue calls them
 * inside its atomic claim, so that what they allow cannot be allowed twice. */
#define G_LOG_DOMAIN "gw-scheduler"

#include "config.h"

#include <math.h>

#include "worker/gw-scheduler-private.h"

#define LOOK_AGAIN_MS 50.0

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

guint64
_gw_scheduler_flying (const GwSchedulerState *state)
{
  guint64 flying = 0;

  for (guint i = 0; i < state->n_lanes; i++)
    flying += state->lanes[i].n_flying;

  return flying;
}

/* The earliest time, not before now, at which cool-down, window and spacing let the lane send. */
static gint64
opens_at (const GwSchedulerState *state,
          const GwSchedulerLane *lane,
          GwVerdict *reason)
{
  gint64 spacing = state->spacing_ms != 0 ? state->spacing_ms : GW_SPACING_MS;
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
 * Returns: %GW_VERDICT_START, or what refuses and when to ask again (%GW_SCHEDULER_NEVER: when a
 *   call ends, or the limits change)
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

  decision.ask_at = opens_at (state, self, &decision.verdict);

  return decision;
}

/* Whether the lanes faster than this one can end all that waits before it would end one task. */
static gboolean
is_held (GwForecast *forecast,
         guint index)
{
  const GwOutlook *self = &forecast->lanes[index];
  double waiting = (double) forecast->state->waiting;
  double most = 0;
  gboolean has_faster = FALSE;

  for (guint i = 0; i < forecast->n_lanes; i++)
    {
      const GwOutlook *lane = &forecast->lanes[i];

      if (lane->slots == 0 || lane->lane->pinned_only || !(lane->mean < self->mean))
        continue;
      has_faster = TRUE;
      most += lane->slots * (self->careful / lane->mean + 1);
    }

  /* Nearly always decided here. */
  if (!has_faster || most < waiting)
    return FALSE;

  return _gw_forecast_all (forecast, self->careful * (1 - 1e-6), self->mean) >= waiting;
}

typedef struct {
  double from;
  double slots;
} Want;

/* Whether the cap has room for one more call of this lane beside what other lanes lack: it has
 * not, if one of them will want the slot before the call would end. A lane lacks what its pinned
 * tasks are owed and, unless @owed_only, its share. */
static gboolean
is_spare (GwForecast *forecast,
          guint index,
          gboolean owed_only)
{
  const GwSchedulerState *state = forecast->state;
  const GwOutlook *self = &forecast->lanes[index];
  double room = (double) state->cap - (double) _gw_scheduler_flying (state) - 1;
  g_autofree Want *many = NULL;
  Want few[16];
  Want *wants = few;
  guint n_wants = 0;

  if (forecast->n_lanes > G_N_ELEMENTS (few))
    wants = many = g_new (Want, forecast->n_lanes);
  for (guint i = 0; i < forecast->n_lanes; i++)
    {
      const GwOutlook *lane = &forecast->lanes[i];
      double wanted = owed_only ? lane->owed : floor (lane->share + 1e-6);
      double lacks = MIN (wanted - lane->lane->n_flying,
                          (owed_only ? 0 : (double) state->waiting) + lane->pins);
      GwVerdict reason;
      Want want;
      guint at;

      if (i == index || lacks <= 0 || (lane->pins <= 0 && lane->lane->pinned_only))
        continue;
      want.from = (double) (opens_at (state, lane->lane, &reason) - state->now);
      want.slots = lacks;
      if (want.from >= self->mean || (lane->pins == 0 && is_held (forecast, i)))
        continue;
      for (at = n_wants; at > 0 && wants[at - 1].from > want.from; at--)
        wants[at] = wants[at - 1];
      wants[at] = want;
      n_wants++;
    }
  for (guint i = 0; i < n_wants; i++)
    {
      double freed = 0;

      room -= wants[i].slots;
      if (room >= 0)
        continue;
      if (wants[i].from <= 0)
        return FALSE;
      for (guint j = 0; j < forecast->n_lanes; j++)
        {
          const double *ends = _gw_forecast_ends (forecast, j);

          for (guint k = 0; k < forecast->lanes[j].lane->n_flying; k++)
            if (ends[k] <= wants[i].from)
              freed++;
        }
      if (room + freed < 0)
        return FALSE;
    }

  return TRUE;
}

static gboolean
is_within_share (GwForecast *forecast,
                 guint index)
{
  const GwOutlook *self = &forecast->lanes[index];
  guint64 slots = 0;

  for (guint i = 0; i < forecast->n_lanes; i++)
    slots += forecast->lanes[i].slots;
  if (slots <= forecast->state->cap)
    return TRUE;

  _gw_plan_recall_shares (forecast, forecast->state->memo);

  /* A part of a slot is for who comes first. */
  return is_spare (forecast, index, self->lane->n_flying + 1 <= self->share + 1e-6);
}

static GwDecision
check (const GwSchedulerState *state,
       guint lane,
       gboolean pinned)
{
  GwDecision decision = { GW_VERDICT_START, state->now };
  GwSchedulerMemo *own = NULL;
  GwForecast *forecast;

  if (state->n_lanes == 1)
    return decision;

  forecast = _gw_forecast_begin (state, &own);
  if (!pinned && is_held (forecast, lane))
    decision.verdict = GW_VERDICT_HOLD;
  else if (!is_within_share (forecast, lane))
    decision.verdict = GW_VERDICT_SHARE;

  /* What the faster lanes were expected to do may not come true: look again before long. */
  if (decision.verdict != GW_VERDICT_START)
    decision.ask_at += (gint64) round (MAX (LOOK_AGAIN_MS, forecast->lanes[lane].mean / 10));
  _gw_forecast_end (forecast, own);

  return decision;
}

/**
 * gw_scheduler_check_worth:
 * @state: all lanes, as they are now
 * @lane: index of the lane that asks; the limits allow it to send
 *
 * Whether the lane should take a task that any lane may take: not, if the faster lanes can end all
 * that waits before it would end one (%GW_VERDICT_HOLD), or if the slot under the cap is worth more
 * to another lane (%GW_VERDICT_SHARE).
 *
 * Returns: %GW_VERDICT_START, or why not and when to ask again at the latest; every end of a call,
 *   arrival of tasks and change of a lane is a reason to ask sooner
 */
GwDecision
gw_scheduler_check_worth (const GwSchedulerState *state,
                          guint lane)
{
  GwDecision never = { GW_VERDICT_SLOTS, GW_SCHEDULER_NEVER };

  g_return_val_if_fail (state != NULL && lane < state->n_lanes, never);

  return check (state, lane, FALSE);
}

/**
 * gw_scheduler_check_share:
 * @state: all lanes, as they are now
 * @lane: index of the lane that asks; the limits allow it to send
 *
 * Whether the lane should take a task that is pinned to it. As no other lane can, it never holds
 * back for faster ones; only the cap is shared.
 *
 * Returns: as gw_scheduler_check_worth(), without %GW_VERDICT_HOLD
 */
GwDecision
gw_scheduler_check_share (const GwSchedulerState *state,
                          guint lane)
{
  GwDecision never = { GW_VERDICT_SLOTS, GW_SCHEDULER_NEVER };

  g_return_val_if_fail (state != NULL && lane < state->n_lanes, never);

  return check (state, lane, TRUE);
}
