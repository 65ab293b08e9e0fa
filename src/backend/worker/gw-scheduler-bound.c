/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The least makespan that no way of dividing the same calls over the lanes can go below.
 *
 * Each lane alone, sending as soon as slots, window and cool-downs let it, gives its answers as
 * early as it can; the n-th of all those answers bounds the end of n tasks. The cap is added as an
 * area: the calls that are needed take slot time, of which there is no more than cap times
 * makespan. Which calls are the cheapest is found by putting a price on slot time: every price
 * gives a bound, the highest counts. The lane's k-th call lasts as long as it did, whoever gets
 * it, so the bound knows the future; what no scheduler could know is part of the gap to it.
 *
 * Pure; O(calls log calls). */
#define G_LOG_DOMAIN "gw-scheduler"

#include "config.h"

#include <math.h>

#include "worker/gw-scheduler.h"

typedef struct {
  GArray *answered;  /* (element-type double) when the answers are there, ascending */
  GArray *busy;      /* (element-type double) slot time of the sends up to each answer */
  guint64 pins;
} Track;

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return (left > right) - (left < right);
}

/* The slot that is free first stands at the top of the heap: puts its next end in its place. */
static void
replace_top (double *heap,
             guint size,
             double value)
{
  guint at = 0;

  for (;;)
    {
      guint child = 2 * at + 1;

      if (child >= size)
        break;
      if (child + 1 < size && heap[child + 1] < heap[child])
        child++;
      if (heap[child] >= value)
        break;
      heap[at] = heap[child];
      at = child;
    }
  heap[at] = value;
}

/* When the lane may send at the earliest, from @time on. */
static double
skip_parked (const GwBoundLane *lane,
             double time)
{
  gboolean moved = TRUE;

  while (moved)
    {
      moved = FALSE;
      for (guint i = 0; i < lane->n_parked; i++)
        if (time >= lane->parked_s[2 * i] && time < lane->parked_s[2 * i + 1])
          {
            time = lane->parked_s[2 * i + 1];
            moved = TRUE;
          }
    }

  return time;
}

/* Runs the lane alone, as soon as possible, until it has given @n answers or would send after
 * @limit. */
static void
track_init (Track *self,
            const GwBoundLane *lane,
            guint cap,
            guint64 n,
            double limit,
            double window,
            double spacing)
{
  guint slots = (guint) MIN (MIN (lane->slots, cap), n);
  guint sends = lane->window_sends;
  guint half = sends / 2 + sends % 2;
  g_autofree double *heap = g_new0 (double, MAX (slots, 1));
  g_autoptr (GArray) sent = g_array_new (FALSE, FALSE, sizeof (double));
  double busy = 0;
  gboolean gives = lane->n_durations == 0 || lane->unanswered == NULL;

  self->answered = g_array_new (FALSE, FALSE, sizeof (double));
  self->busy = g_array_new (FALSE, FALSE, sizeof (double));
  self->pins = lane->pins;
  for (guint i = 0; i < lane->n_durations && !gives; i++)
    gives = lane->unanswered[i] == 0;
  if (slots == 0 || !gives)
    return;

  for (guint64 k = 0; self->answered->len < n; k++)
    {
      double start = heap[0], duration = lane->prior_s, end;
      gboolean answers = TRUE;

      if (sends > 0)
        {
          if (k >= sends)
            start = MAX (start, g_array_index (sent, double, k - sends) + window);
          if (k > 0)
            start = MAX (start, g_array_index (sent, double, k - 1));
          start = skip_parked (lane, start);
          if (spacing > 0 && k >= half
              && g_array_index (sent, double, k - half) + window > start)
            start = MAX (start, MIN (g_array_index (sent, double, k - 1) + spacing,
                                     g_array_index (sent, double, k - half) + window));
        }
      start = skip_parked (lane, start);
      if (start > limit)
        break;
      if (lane->n_durations > 0)
        {
          duration = lane->durations_s[k % lane->n_durations];
          answers = lane->unanswered == NULL || lane->unanswered[k % lane->n_durations] == 0;
        }
      duration = MAX (duration, 0);
      end = start + duration;
      busy += duration;
      replace_top (heap, slots, end);
      if (sends > 0)
        g_array_append_val (sent, start);
      if (answers)
        {
          g_array_append_val (self->answered, end);
          g_array_append_val (self->busy, busy);
        }
    }
  g_array_sort (self->answered, compare_doubles);
}

static void
track_clear (gpointer data)
{
  Track *self = data;

  g_array_unref (self->answered);
  g_array_unref (self->busy);
}

/* How many answers the lane alone has given by @time. */
static guint
track_count (const Track *self,
             double time)
{
  guint low = 0, high = self->answered->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (self->answered, double, middle) > time)
        high = middle;
      else
        low = middle + 1;
    }

  return low;
}

/* The most answers by @time when a second of a slot costs @price answers, and that price is given
 * back for all the time that the cap allows. */
static double
count_at_price (GArray *tracks,
                guint cap,
                double time,
                double price)
{
  double sum = price * cap * time;

  for (guint i = 0; i < tracks->len; i++)
    {
      const Track *track = &g_array_index (tracks, Track, i);
      guint most = track_count (track, time);
      double best = track->pins > 0 ? -G_MAXDOUBLE : 0;

      if (price <= 0)
        {
          sum += most;
          continue;
        }
      for (guint m = MAX (track->pins, 1); m <= most; m++)
        best = MAX (best, m - price * g_array_index (track->busy, double, m - 1));
      if (best > -G_MAXDOUBLE)
        sum += best;
    }

  return sum;
}

static gboolean
fits_cap (GArray *tracks,
          GArray *prices,
          guint cap,
          double time,
          double n)
{
  for (guint i = 0; i < prices->len; i++)
    if (count_at_price (tracks, cap, time, g_array_index (prices, double, i)) < n - 1e-6)
      return FALSE;

  return TRUE;
}

/**
 * gw_scheduler_bound_full:
 * @lanes: (array length=n_lanes): what was recorded of each lane
 * @n_lanes: how many lanes
 * @cap: calls at once, over all lanes
 * @n_tasks: how many tasks there were, pinned ones included
 * @window_ms: length of the rolling windows
 * @spacing_ms: between sends once half of a window is used; 0: none
 *
 * The least makespan under these limits, for calls as long as the recorded ones. Where more calls
 * than recorded would be needed of a lane, its durations are used again from the first; a lane
 * without any has its prior.
 *
 * Returns: seconds from the first submit to the last answer; 0 without tasks; INFINITY if the lanes
 *   cannot take them
 */
double
gw_scheduler_bound_full (const GwBoundLane *lanes,
                         guint n_lanes,
                         guint cap,
                         guint64 n_tasks,
                         gint64 window_ms,
                         gint64 spacing_ms)
{
  g_autoptr (GArray) tracks = g_array_sized_new (FALSE, FALSE, sizeof (Track), n_lanes);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) prices = g_array_new (FALSE, FALSE, sizeof (double));
  double limit = INFINITY, low, high;
  guint64 slots = 0;

  g_return_val_if_fail (lanes != NULL || n_lanes == 0, INFINITY);

  if (n_tasks == 0)
    return 0;
  if (cap == 0)
    return INFINITY;

  g_array_set_clear_func (tracks, track_clear);
  for (guint i = 0; i < n_lanes; i++)
    {
      Track track;

      /* What begins after the n-th answer of the lanes so far cannot be among the first n. */
      track_init (&track, &lanes[i], cap, n_tasks, lanes[i].pins > 0 ? INFINITY : limit,
                  window_ms / 1000.0, spacing_ms / 1000.0);
      g_array_append_val (tracks, track);
      slots += lanes[i].slots;
      if (track.answered->len > 0)
        g_array_append_vals (all, track.answered->data, track.answered->len);
      if (all->len >= n_tasks)
        {
          g_array_sort (all, compare_doubles);
          g_array_set_size (all, (guint) n_tasks);
          limit = g_array_index (all, double, all->len - 1);
        }
    }
  if (all->len < n_tasks)
    return INFINITY;

  low = limit;
  for (guint i = 0; i < n_lanes; i++)
    {
      const Track *track = &g_array_index (tracks, Track, i);

      if (track->pins > track->answered->len)
        return INFINITY;
      if (track->pins > 0)
        low = MAX (low, g_array_index (track->answered, double, track->pins - 1));
    }
  if (slots <= cap)
    return low;

  /* Prices around one answer for the time that a lane's calls take. */
  for (guint i = 0; i < n_lanes; i++)
    {
      const double factors[] = { 1, 0.5, 0.7, 0.85, 1.15, 1.4, 2 };
      const Track *track = &g_array_index (tracks, Track, i);
      guint n = track->busy->len;

      for (guint j = 0; n > 0 && j < G_N_ELEMENTS (factors); j++)
        {
          double busy = g_array_index (track->busy, double, n - 1);
          double price = busy > 0 ? factors[j] * n / busy : 0;

          g_array_append_val (prices, price);
        }
    }

  if (fits_cap (tracks, prices, cap, low, (double) n_tasks))
    return low;

  /* The tracks end where the cap did not count: run them on, far enough for the fastest slots
   * alone. */
  for (high = MAX (2 * low, 0.001);; high *= 2)
    {
      for (guint i = 0; i < n_lanes; i++)
        {
          Track *track = &g_array_index (tracks, Track, i);

          track_clear (track);
          track_init (track, &lanes[i], cap, n_tasks, high, window_ms / 1000.0,
                      spacing_ms / 1000.0);
        }
      if (fits_cap (tracks, prices, cap, high, (double) n_tasks))
        break;
    }
  while (high - low > 1e-4 * high)
    {
      double middle = (low + high) / 2;

      if (fits_cap (tracks, prices, cap, middle, (double) n_tasks))
        high = middle;
      else
        low = middle;
    }

  return low;
}

/**
 * gw_scheduler_bound:
 * @lanes: (array length=n_lanes): what was recorded of each lane
 * @n_lanes: how many lanes
 * @cap: calls at once, over all lanes
 * @n_tasks: how many tasks there were
 *
 * The least makespan that the providers' own limits allow: windows of an exact minute, without
 * spacing, so that what our caution costs shows in the efficiency.
 *
 * Returns: as gw_scheduler_bound_full()
 */
double
gw_scheduler_bound (const GwBoundLane *lanes,
                    guint n_lanes,
                    guint cap,
                    guint64 n_tasks)
{
  return gw_scheduler_bound_full (lanes, n_lanes, cap, n_tasks, GW_BOUND_WINDOW_MS, 0);
}
