/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lanes can end by when: the arithmetic below the rule, on expected values.
 *
 * Pure; one forecast lives as long as one decision and belongs to one thread. The cost depends on
 * the lanes and on the calls in flight, never on how many tasks wait: of those only the number is
 * read. */
#define G_LOG_DOMAIN "gw-scheduler"

#include "config.h"

#include <math.h>
#include <string.h>

#include "worker/gw-scheduler-private.h"

#define NO_CHANCE 1e-4
#define LONGEST_OF_MANY 0.25
#define MOST_CYCLES 24 /* of a window that one look walks through */

/* (transfer full): remembers nothing yet; used by one thread at a time. */
GwSchedulerMemo *
gw_scheduler_memo_new (void)
{
  return g_new0 (GwSchedulerMemo, 1);
}

void
gw_scheduler_memo_free (GwSchedulerMemo *memo)
{
  if (memo == NULL)
    return;

  g_free (memo->forecast.lanes);
  g_free (memo->forecast.order);
  g_free (memo->forecast.ends);
  g_free (memo->planned);
  g_free (memo);
}

/**
 * gw_scheduler_memo_get_terms:
 * @memo: a memo
 *
 * Returns: how many terms, each of one slot's answers, were evaluated with it: the cost of
 *   decisions in a unit that does not depend on the machine
 */
guint64
gw_scheduler_memo_get_terms (const GwSchedulerMemo *memo)
{
  return memo->terms;
}

static double
normal_cdf (double x)
{
  return 0.5 * erfc (-x * G_SQRT2 / 2);
}

static void
outlook_init (GwOutlook *self,
              const GwSchedulerState *state,
              const GwSchedulerLane *lane)
{
  gint64 oldest = state->now;
  double variance = MAX (lane->belief.variance, 0), careful;

  *self = (GwOutlook){ .lane = lane, .slots = MIN (lane->slots, state->cap) };
  self->pins = (double) lane->pins;
  self->sd = sqrt (variance);
  self->log_mean = lane->belief.mean + log (1000);
  self->mean = exp (self->log_mean + variance / 2);

  /* Little is known, and a call has been out for longer than was believed: what is believed was too
   * short. */
  if (lane->belief.weight < 4)
    {
      for (guint i = 0; i < lane->n_flying; i++)
        oldest = MIN (oldest, lane->flying[i]);
      if (state->now - oldest > self->mean)
        {
          self->mean = 1.3 * (state->now - oldest);
          self->log_mean = log (self->mean) - variance / 2;
        }
    }
  self->variation = MIN (expm1 (variance), 1) / 2;

  /* The more calls of the lane are out, the longer the longest of them will take. */
  careful = 1 + LONGEST_OF_MANY * log (1.0 + lane->n_flying);
  self->careful = self->sd < GW_FIXED_SD ? self->mean
                                         : exp (self->log_mean + careful * self->sd);
  if (lane->parked_until > state->now)
    {
      self->opens = (double) (lane->parked_until - state->now);
      if (lane->parked_until >= GW_SCHEDULER_NEVER / 2)
        self->slots = 0;
    }
}

/* Working space for one decision: the state's own memo, or a new one that comes out by @own. */
GwForecast *
_gw_forecast_begin (const GwSchedulerState *state,
                    GwSchedulerMemo **own)
{
  GwSchedulerMemo *memo = state->memo;
  GwForecast *self;
  gsize flying = _gw_scheduler_flying (state);

  *own = NULL;
  if (memo == NULL)
    memo = *own = gw_scheduler_memo_new ();
  self = &memo->forecast;
  if (memo->lanes_size < state->n_lanes)
    {
      memo->lanes_size = state->n_lanes;
      self->lanes = g_renew (GwOutlook, self->lanes, memo->lanes_size);
      self->order = g_renew (guint, self->order, memo->lanes_size);
    }
  if (memo->ends_size < flying)
    {
      memo->ends_size = flying + flying / 2;
      self->ends = g_renew (double, self->ends, memo->ends_size);
    }
  self->state = state;
  self->tasks = (double) state->waiting + (double) state->later;
  self->window = (double) (state->window_ms > 0 ? state->window_ms : GW_WINDOW_MS);
  self->spacing = (double) (state->spacing_ms != 0 ? MAX (state->spacing_ms, 0) : GW_SPACING_MS);
  self->n_lanes = state->n_lanes;
  self->n_ends = 0;
  self->terms = 0;
  for (guint i = 0; i < state->n_lanes; i++)
    outlook_init (&self->lanes[i], state, &state->lanes[i]);

  return self;
}

void
_gw_forecast_end (GwForecast *self,
                  GwSchedulerMemo *own)
{
  if (self->state->memo != NULL)
    self->state->memo->terms += self->terms;
  self->state = NULL;
  gw_scheduler_memo_free (own);
}

/* How much longer a call that has been out for @age is expected to take. */
static double
expected_rest (const GwOutlook *lane,
               double age)
{
  double distance, chance;

  if (age <= 0)
    return lane->mean;
  if (lane->sd < GW_FIXED_SD)
    return age < lane->mean ? lane->mean - age : 0.1 * age;

  distance = (lane->log_mean - log (age)) / lane->sd;
  chance = normal_cdf (distance);
  if (chance < NO_CHANCE)
    return 0.25 * age;

  return lane->mean * normal_cdf (distance + lane->sd) / chance - age;
}

static int
compare_spans (gconstpointer a,
               gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return (left > right) - (left < right);
}

/* When each call in flight of the lane is expected to end, in the order of `flying`, except where
 * slots were taken away: then in the order of their ends, as only the last ones leave a slot to
 * the lane. */
const double *
_gw_forecast_ends (GwForecast *self,
                   guint lane)
{
  GwOutlook *outlook = &self->lanes[lane];
  const GwSchedulerLane *source = outlook->lane;

  if (outlook->ends != NULL || source->n_flying == 0)
    return outlook->ends;

  outlook->ends = self->ends + self->n_ends;
  self->n_ends += source->n_flying;
  for (guint i = 0; i < source->n_flying; i++)
    outlook->ends[i] = expected_rest (outlook, (double) (self->state->now - source->flying[i]));
  if (source->n_flying > outlook->slots)
    qsort (outlook->ends, source->n_flying, sizeof (double), compare_spans);

  return outlook->ends;
}

/* How likely a call ends within @span of its send. */
double
_gw_forecast_chance (const GwOutlook *lane,
                     double span)
{
  if (span <= 0)
    return 0;
  if (lane->sd < GW_FIXED_SD)
    return span >= lane->mean ? 1 : 0;

  return normal_cdf ((log (span) - lane->log_mean) / lane->sd);
}

/* How many answers one slot gives within @span, one call after the other. */
static double
forecast_rounds (GwForecast *self,
                 const GwOutlook *lane,
                 double span)
{
  double rounds;

  self->terms++;
  if (span <= 0)
    return 0;

  rounds = span / lane->mean;
  if (lane->sd < GW_STEADY_SD)
    return floor (rounds);
  if (rounds < 0.7)
    return _gw_forecast_chance (lane, span);

  rounds += lane->variation - 0.5;
  if (rounds >= 1)
    return rounds;

  return MAX (rounds, _gw_forecast_chance (lane, span));
}

/* How many sends the window lets the lane do from the end of its cool-down until @until, included.
 * */
static double
tokens (const GwForecast *self,
        const GwOutlook *lane,
        double until)
{
  const GwSchedulerLane *source = lane->lane;
  gint64 opens = self->state->now + (gint64) lane->opens;
  double used, cycles, sends, rest, left;

  if (until < lane->opens)
    return 0;

  cycles = floor ((until - lane->opens) / self->window);
  rest = until - lane->opens - cycles * self->window;
  used = _gw_scheduler_used_at (source, opens);
  left = used > 0 ? _gw_scheduler_used_at (source, opens + (gint64) rest) : 0;
  sends = source->window_sends * (cycles + 1) - left;
  if (self->spacing > 0)
    {
      double half = source->window_sends / 2 + source->window_sends % 2;

      sends = MIN (sends, MAX (half - used, 0) * (cycles + 1)
                            + floor ((until - lane->opens) / self->spacing) + 1);
    }

  return MAX (sends, 0);
}

/* What slots and window together allow: for every moment, no more than the sends that the window
 * allows before it and what all slots could end if they began at it. Moments at which a cycle of
 * the window begins are enough; and as the terms lie within one round of a straight line, so are
 * those near its lower end. */
static double
cut_by_window (GwForecast *self,
               const GwOutlook *lane,
               double horizon,
               double answers)
{
  const GwSchedulerLane *source = lane->lane;
  double latest = horizon - lane->mean;
  double first = lane->opens, slope, cycles, step, k;
  guint used;

  answers = MIN (answers, tokens (self, lane, latest));
  used = _gw_scheduler_used_at (source, self->state->now + (gint64) first);
  if (used >= source->window_sends)
    {
      gint64 opens = source->reopens[source->n_reopens - source->window_sends];

      first = MAX (first, (double) (opens - self->state->now));
      if (opens >= GW_SCHEDULER_NEVER / 2)
        return 0;
    }
  if (latest < first)
    return answers;

  cycles = floor ((latest - first) / self->window);
  slope = source->window_sends - lane->slots * self->window / lane->mean;
  step = slope > 0 ? 1 : -1;
  k = slope > 0 ? 0 : cycles;
  for (guint i = 0; i < MOST_CYCLES && k >= 0 && k <= cycles; i++, k += step)
    {
      double start = first + k * self->window;

      if (start > lane->opens)
        answers = MIN (answers, tokens (self, lane, start - 1)
                                    + lane->slots
                                          * forecast_rounds (self, lane, horizon - start));
      if (i * fabs (slope) > lane->slots)
        break;
    }

  /* The first cycle differs from the others where sends of the past still count. */
  if (slope <= 0 && first > lane->opens)
    answers = MIN (answers, tokens (self, lane, first - 1)
                                + lane->slots * forecast_rounds (self, lane, horizon - first));

  return answers;
}

/* Sets what the lane, and one slot of it, can end by @horizon. */
void
_gw_forecast_lane (GwForecast *self,
                   guint index,
                   double horizon)
{
  GwOutlook *lane = &self->lanes[index];
  guint flying = lane->lane->n_flying;
  const double *ends;
  double idle = 0, busy = 0, answers;
  guint gone = 0;

  lane->answers = lane->worth = lane->need = 0;
  if (lane->slots == 0 || horizon <= lane->opens)
    return;

  if (flying < lane->slots)
    idle = forecast_rounds (self, lane, horizon - lane->opens);
  else
    gone = flying - lane->slots;
  ends = _gw_forecast_ends (self, index);
  for (guint i = gone; i < flying; i++)
    busy += forecast_rounds (self, lane, horizon - MAX (ends[i], lane->opens));
  answers = busy + (flying < lane->slots ? (lane->slots - flying) * idle : 0);
  lane->worth = answers / lane->slots;

  /* Slots for what is pinned: after the calls in flight where these are over in time, else more. */
  if (lane->pins > 0 && lane->pins <= busy)
    lane->need = lane->pins / busy * flying;
  else if (lane->pins > 0)
    lane->need = MIN (flying + (idle > 0 ? (lane->pins - busy) / idle : lane->pins), lane->slots);
  if (lane->lane->window_sends > 0)
    answers = cut_by_window (self, lane, horizon, answers);
  lane->answers = lane->lane->pinned_only ? MIN (answers, lane->pins) : answers;
}

/* How many unpinned tasks the lanes with a mean latency below @faster_than can end by @horizon,
 * all together, after those that are pinned to them; negative if the cap is too small even for
 * these. */
double
_gw_forecast_all (GwForecast *self,
                  double horizon,
                  double faster_than)
{
  guint n = 0;
  double slots = 0, room = self->state->cap, sum = 0;

  for (guint i = 0; i < self->n_lanes; i++)
    {
      GwOutlook *lane = &self->lanes[i];
      guint at = n;

      if (lane->slots == 0 || !(lane->mean < faster_than))
        {
          room -= lane->lane->n_flying;
          continue;
        }
      _gw_forecast_lane (self, i, horizon);
      slots += lane->slots;
      sum += MAX (lane->answers - lane->pins, 0);
      while (at > 0 && self->lanes[self->order[at - 1]].worth < lane->worth)
        {
          self->order[at] = self->order[at - 1];
          at--;
        }
      self->order[at] = i;
      n++;
    }
  if (slots <= room)
    return sum;

  /* The cap binds: first what is pinned, then the slots that yield most. */
  for (guint i = 0; i < n; i++)
    room -= self->lanes[self->order[i]].need;
  if (room < -1e-6)
    return -1;

  sum = 0;
  for (guint i = 0; i < n && room > 0; i++)
    {
      const GwOutlook *lane = &self->lanes[self->order[i]];
      double taken;

      if (!(lane->worth > 0))
        break;
      taken = MIN (lane->answers / lane->worth - lane->need, room);
      if (!(taken > 0))
        continue;
      sum += taken * lane->worth;
      room -= taken;
    }

  return sum;
}
