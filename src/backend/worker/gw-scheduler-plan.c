/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: when all that waits can be done, and how the lanes should divide the cap until then.
 *
 * It sets shares and estimates, never a limit: a plan that is a little old costs a little time, and
 * breaks nothing. Pure, as the rest of the scheduler. */
#define G_LOG_DOMAIN "gw-scheduler"

#include "config.h"

#include <math.h>

#include "worker/gw-scheduler-private.h"

#define PRECISION 0.002
#define LONGEST 1e13       /* ms, three hundred years */
#define LEAST_WORTH 0.3    /* a slot that yields less by the end has no place under the cap */
#define STALE 0.03

static gboolean
is_enough (GwForecast *self,
           double horizon)
{
  if (_gw_forecast_all (self, horizon, INFINITY) < self->tasks)
    return FALSE;
  for (guint i = 0; i < self->n_lanes; i++)
    {
      const GwOutlook *lane = &self->lanes[i];

      if (lane->slots > 0 && lane->answers < lane->pins)
        return FALSE;
    }

  return TRUE;
}

/* The least span within which the lanes can end all that waits, to 0.2 %; INFINITY: there is none.
 * Tasks pinned to a lane that takes nothing are left out. */
double
_gw_plan_find_horizon (GwForecast *self)
{
  double low = 0, high = 0, rate = 0, tasks = self->tasks;

  for (guint i = 0; i < self->n_lanes; i++)
    {
      const GwOutlook *lane = &self->lanes[i];

      if (lane->slots == 0)
        continue;
      rate += lane->slots / lane->mean;
      tasks += lane->pins;
    }
  if (tasks <= 0)
    return 0;
  if (!(rate > 0) || self->state->cap == 0)
    return INFINITY;

  for (high = tasks / rate; !is_enough (self, high); high *= 2)
    {
      low = high;
      if (high > LONGEST)
        return INFINITY;
    }
  while (high - low > PRECISION * high)
    {
      double middle = (low + high) / 2;

      if (is_enough (self, middle))
        high = middle;
      else
        low = middle;
    }

  return high;
}

/* Gives the lane up to @wanted more slots of the cap. */
static void
take (GwOutlook *lane,
      double wanted,
      double *room)
{
  double taken = MIN (wanted, *room);

  if (!(taken > 0))
    return;
  lane->share += taken;
  *room -= taken;
}

/* Slots that the lane's pinned tasks need until @horizon: what they fill in whole must begin now,
 * the rest can begin later, unless a window would then cut it or the latency varies. */
static double
need_slots (const GwOutlook *lane,
            double horizon,
            double *owed)
{
  double need = lane->need, left;

  *owed = 0;
  if (!(lane->pins > 0) || lane->slots == 0)
    return 0;

  if (!(lane->worth > 0))
    need = lane->lane->n_flying + 1;

  /* Where latencies vary, early enough for the last answer to be a slow one. */
  left = horizon - (lane->careful - lane->mean);
  need = MAX (need, left > 0 ? lane->pins * lane->mean / left : lane->pins);
  need = MIN (need, MIN (lane->lane->n_flying + lane->pins, lane->slots));
  if (lane->lane->window_sends > 0 || lane->sd >= GW_STEADY_SD)
    *owed = ceil (need);
  else
    *owed = floor (need + 1e-6);

  return MAX (need, *owed);
}

/* Divides the cap among the lanes by what one more slot of each can end by @horizon. A lane that
 * its window limits asks for as many slots as use the window up, the last of them for a part of
 * its worth. */
static void
find_shares (GwForecast *self,
             double horizon)
{
  double room = self->state->cap, later = 0;

  /* What is pinned can go nowhere else. */
  for (guint i = 0; i < self->n_lanes; i++)
    {
      GwOutlook *lane = &self->lanes[i];
      double need;

      _gw_forecast_lane (self, i, horizon);
      lane->share = 0;
      need = need_slots (lane, horizon, &lane->owed);
      lane->owed = MIN (lane->owed, room);
      take (lane, lane->owed, &room);
      later += need - lane->owed;
    }
  room -= later;

  while (room > 0)
    {
      GwOutlook *best = NULL;
      double best_worth = LEAST_WORTH, best_slots = 0;

      for (guint i = 0; i < self->n_lanes; i++)
        {
          GwOutlook *lane = &self->lanes[i];
          double whole, worth, slots;

          if (!(lane->worth > 0))
            continue;
          whole = floor (lane->answers / lane->worth * (1 + 1e-9));
          if (lane->share < whole)
            {
              worth = lane->worth;
              slots = whole - lane->share;
            }
          else if (lane->share < whole + 1 && lane->share < lane->slots)
            {
              worth = lane->answers - whole * lane->worth;
              slots = 1;
            }
          else
            continue;
          if (worth > best_worth
              || (best != NULL && worth == best_worth && lane->lane->window_sends == 0
                  && best->lane->window_sends > 0))
            {
              best = lane;
              best_worth = worth;
              best_slots = slots;
            }
        }
      if (best == NULL)
        break;
      take (best, best_slots, &room);
    }

  room += later;
  for (guint i = 0; i < self->n_lanes; i++)
    {
      GwOutlook *lane = &self->lanes[i];
      double owed;

      take (lane, need_slots (lane, horizon, &owed) - lane->owed, &room);
    }
}

/* 0 once it is over, so that the end of a cool-down makes a plan stale and the passing of time does
 * not. */
static gint64
get_parked_until (const GwForecast *self,
                  const GwOutlook *lane)
{
  return lane->lane->parked_until > self->state->now ? lane->lane->parked_until : 0;
}

static gboolean
is_near (double a,
         double b)
{
  return fabs (a - b) <= STALE * MAX (a, b);
}

/* Whether the plan that @memo keeps still holds: for the same lanes, and about as much work. */
static gboolean
is_fresh (const GwSchedulerMemo *memo,
          const GwForecast *self)
{
  const GwSchedulerState *state = self->state;

  if (memo->n_planned == 0 || memo->n_planned != self->n_lanes || memo->planned_cap != state->cap
      || !is_near (memo->planned_tasks, self->tasks) || state->now < memo->planned_at
      || state->now - memo->planned_at > STALE * memo->planned_span)
    return FALSE;
  for (guint i = 0; i < self->n_lanes; i++)
    {
      const GwPlannedLane *planned = &memo->planned[i];
      const GwOutlook *lane = &self->lanes[i];

      if (planned->slots != lane->slots || planned->window_sends != lane->lane->window_sends
          || planned->parked_until != get_parked_until (self, lane)
          || fabs (planned->log_mean - lane->log_mean) > STALE
          || !is_near (planned->pins, lane->pins))
        return FALSE;
    }

  return TRUE;
}

/* Sets the lanes' shares of the cap, from the last plan where it still holds. @memo may be NULL. */
void
_gw_plan_recall_shares (GwForecast *self,
                        GwSchedulerMemo *memo)
{
  double horizon;

  if (memo != NULL && is_fresh (memo, self))
    {
      for (guint i = 0; i < self->n_lanes; i++)
        {
          self->lanes[i].owed = memo->planned[i].owed;
          self->lanes[i].share = memo->planned[i].share;
        }
      return;
    }

  horizon = _gw_plan_find_horizon (self);
  if (horizon < INFINITY)
    find_shares (self, horizon);
  else
    for (guint i = 0; i < self->n_lanes; i++)
      {
        self->lanes[i].owed = 0;
        self->lanes[i].share = self->lanes[i].slots;
      }
  if (memo == NULL)
    return;

  memo->planned = g_renew (GwPlannedLane, memo->planned, self->n_lanes);
  memo->n_planned = self->n_lanes;
  memo->planned_cap = self->state->cap;
  memo->planned_tasks = self->tasks;
  memo->planned_at = self->state->now;
  memo->planned_span = horizon < INFINITY ? horizon : 0;
  for (guint i = 0; i < self->n_lanes; i++)
    {
      const GwOutlook *lane = &self->lanes[i];

      memo->planned[i] = (GwPlannedLane){
        .slots = lane->slots,
        .window_sends = lane->lane->window_sends,
        .parked_until = get_parked_until (self, lane),
        .log_mean = lane->log_mean,
        .pins = lane->pins,
        .owed = lane->owed,
        .share = lane->share,
      };
    }
}

/* Divides what waits over the lanes as they can end it by @horizon, the slots that yield most
 * first. @tasks has an element for each lane. */
void
_gw_plan_divide (GwForecast *self,
                 double horizon,
                 double *tasks)
{
  double room = self->state->cap, left = self->tasks;
  guint n = 0;

  for (guint i = 0; i < self->n_lanes; i++)
    {
      tasks[i] = 0;
      if (self->lanes[i].slots > 0)
        n++;
    }

  /* Leaves the lanes that take anything in the order of what a slot of theirs yields. */
  _gw_forecast_all (self, horizon, INFINITY);
  for (guint i = 0; i < n; i++)
    {
      const GwOutlook *lane = &self->lanes[self->order[i]];

      tasks[self->order[i]] = lane->pins;
      room -= lane->need;
    }
  for (guint i = 0; i < n && room > 0 && left > 0; i++)
    {
      const GwOutlook *lane = &self->lanes[self->order[i]];
      double slots, ends;

      if (!(lane->worth > 0))
        break;
      slots = MAX (MIN (lane->answers / lane->worth - lane->need, room), 0);
      ends = MIN (slots * lane->worth, left);
      room -= slots;
      left -= ends;
      tasks[self->order[i]] += ends;
    }
}

/**
 * gw_scheduler_plan:
 * @state: all lanes, as they are now
 * @tasks: (out caller-allocates) (array): for each lane, how many of the waiting tasks it is
 *   expected to end, calls in flight not counted; all 0 where some can never end
 *
 * How the waiting tasks will divide over the lanes.
 */
void
gw_scheduler_plan (const GwSchedulerState *state,
                   double *tasks)
{
  GwSchedulerMemo *own = NULL;
  GwForecast *forecast;
  double horizon;

  g_return_if_fail (state != NULL && (tasks != NULL || state->n_lanes == 0));

  forecast = _gw_forecast_begin (state, &own);
  horizon = _gw_plan_find_horizon (forecast);
  if (horizon < INFINITY)
    _gw_plan_divide (forecast, horizon, tasks);
  else
    for (guint i = 0; i < state->n_lanes; i++)
      tasks[i] = 0;
  _gw_forecast_end (forecast, own);
}
