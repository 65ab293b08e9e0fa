/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the last answer will be there: the horizon of the plan, then the longest of the last calls.
 *
 * The lanes' last calls begin about one latency before the horizon; the batch is done when all of
 * them are, so the time is read from the product of their distributions. What is not known about
 * the lanes widens the range. Pure, as the rest of the scheduler. */
#define G_LOG_DOMAIN "gw-scheduler"

#include "config.h"

#include <math.h>

#include "worker/gw-scheduler-private.h"

#define Z80 1.28             /* half of a range that holds in 80 of 100 cases */
#define CAUTION 1.2          /* by how much forecasts were worse than their own arithmetic */
#define LEAST_ERROR 0.04     /* of the horizon, even where all latencies are known */
#define GUESS_VARIANCE 0.02  /* of the mean that answers have taught, times their number */
#define ANSWERS_TO_TRUST 3

typedef struct {
  GwForecast *forecast;
  double horizon;
  double *tasks;       /* for each lane */
  double rounds_end;   /* when the longest project's last call begins; 0: none counts */
  const GwOutlook *fastest;
} Ending;

/* How likely everything is done by @time. */
static double
chance_done (const Ending *self,
             double time)
{
  GwForecast *forecast = self->forecast;
  double log_chance = 0, room = forecast->state->cap;

  for (guint i = 0; i < forecast->n_lanes && log_chance > -50; i++)
    {
      const GwOutlook *lane = &forecast->lanes[i];
      double calls = MIN (MIN (round (self->tasks[i]), lane->slots), room);

      if (calls >= 1)
        {
          double start = MAX (self->horizon - lane->mean, lane->opens);
          double chance = _gw_forecast_chance (lane, time - start + 1e-6);

          /* Over several rounds the slots' last calls are spread over a latency. */
          if (self->tasks[i] > lane->slots && lane->sd >= GW_STEADY_SD)
            calls /= 2;
          room -= calls;
          log_chance += calls * (chance > 0 ? log (chance) : -100);
          continue;
        }

      for (guint j = 0; j < lane->lane->n_flying; j++)
        {
          double age = (double) (forecast->state->now - lane->lane->flying[j]);
          double before = _gw_forecast_chance (lane, age);
          double chance;

          if (before > 1 - 1e-4)
            chance = time >= _gw_forecast_ends (forecast, i)[j] ? 1 : 0;
          else
            chance = (_gw_forecast_chance (lane, age + time + 1e-6) - before) / (1 - before);
          log_chance += chance > 0 ? log (MIN (chance, 1)) : -100;
        }
    }
  if (self->rounds_end > 0)
    {
      double chance = _gw_forecast_chance (self->fastest, time - self->rounds_end + 1e-6);

      log_chance += chance > 0 ? log (chance) : -100;
    }

  return exp (log_chance);
}

static double
find_time (const Ending *self,
           double chance)
{
  double low = 0, high = MAX (self->horizon, 1);

  while (chance_done (self, high) < chance && high < 1e14)
    {
      low = high;
      high *= 2;
    }
  while (high - low > MAX (0.5, 1e-4 * high))
    {
      double middle = (low + high) / 2;

      if (chance_done (self, middle) < chance)
        low = middle;
      else
        high = middle;
    }

  return high;
}

/* The standard deviation of the horizon itself. */
static double
find_spread (const Ending *self,
             double *per_slot)
{
  GwForecast *forecast = self->forecast;
  double sum = LEAST_ERROR * LEAST_ERROR, all = 0, slots = 0;

  for (guint i = 0; i < forecast->n_lanes; i++)
    {
      all += self->tasks[i];
      slots += forecast->lanes[i].slots;
    }
  *per_slot = slots > 0 ? all / slots : 0;
  for (guint i = 0; i < forecast->n_lanes && all > 0; i++)
    {
      const GwOutlook *lane = &forecast->lanes[i];
      double part = self->tasks[i] / all, varies = expm1 (MIN (lane->sd * lane->sd, 4));

      if (self->tasks[i] > 0)
        sum += part * part * (varies / MAX (self->tasks[i], 1)
                              + (varies + GUESS_VARIANCE) / MAX (lane->lane->belief.weight, 1));
    }

  return CAUTION * self->horizon * sqrt (sum);
}

/**
 * gw_scheduler_estimate:
 * @state: all lanes, as they are now
 *
 * When all that waits and flies is expected to be done, as far as the lanes' latencies are known.
 * Tasks that may not start before others of their project are counted by `later` and `rounds`.
 *
 * Returns: seconds from now; negative where some task has no lane that takes any
 */
GwEstimate
gw_scheduler_estimate (const GwSchedulerState *state)
{
  GwEstimate never = { -1, -1, -1, FALSE }, estimate = { 0 };
  GwSchedulerMemo *own = NULL;
  g_autofree double *tasks = NULL;
  Ending ending = { 0 };
  GwForecast *forecast;
  guint64 flying;
  double x10, x50, x90, spread, per_slot;

  g_return_val_if_fail (state != NULL, never);

  flying = _gw_scheduler_flying (state);
  forecast = _gw_forecast_begin (state, &own);
  ending.forecast = forecast;
  ending.horizon = _gw_plan_find_horizon (forecast);
  for (guint i = 0; i < forecast->n_lanes; i++)
    {
      const GwOutlook *lane = &forecast->lanes[i];

      if (lane->slots == 0 && lane->pins > 0)
        ending.horizon = INFINITY;
      if (lane->slots > 0 && (ending.fastest == NULL || lane->mean < ending.fastest->mean))
        ending.fastest = lane;
    }
  if (!(ending.horizon < INFINITY) || (forecast->tasks <= 0 && ending.horizon <= 0 && flying == 0))
    {
      estimate = ending.horizon < INFINITY ? estimate : never;
      _gw_forecast_end (forecast, own);
      return estimate;
    }

  tasks = ending.tasks = g_new (double, MAX (state->n_lanes, 1));
  _gw_plan_divide (forecast, ending.horizon, tasks);
  if (state->rounds > 1 && ending.fastest != NULL)
    ending.rounds_end = (state->rounds - 1) * ending.fastest->mean + ending.fastest->opens;
  for (guint i = 0; i < forecast->n_lanes; i++)
    if (tasks[i] >= 0.5 && state->lanes[i].belief.weight < 1 + ANSWERS_TO_TRUST)
      estimate.learning = TRUE;

  x10 = find_time (&ending, 0.1);
  x50 = find_time (&ending, 0.5);
  x90 = find_time (&ending, 0.9);
  ending.horizon = MAX (ending.horizon, ending.rounds_end);
  spread = Z80 * find_spread (&ending, &per_slot);

  /* Where each slot has a few calls to make, the arithmetic is at its worst: neither the mean nor
   * the longest of the last calls rules. */
  if (per_slot >= 1 && per_slot < 10)
    spread *= 1.5;
  estimate.finish_s = x50 / 1000;
  estimate.low_s = MAX (x50 - hypot (x50 - x10, spread), 0) / 1000;
  estimate.high_s = (x50 + hypot (x90 - x50, spread)) / 1000;
  _gw_forecast_end (forecast, own);

  return estimate;
}
