/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a finished run reached of what was possible, from the journal of its calls.
 *
 * Pure functions on plain data; any thread. The bound knows every call's length and fate, so an
 * efficiency is never flattering; what it does not forgive are outages that no cool-down tells of,
 * and our own caution: windows of 61 s and the spacing of sends. */
#define G_LOG_DOMAIN "gw-efficiency"

#include "config.h"

#include <math.h>
#include <string.h>

#include "worker/gw-efficiency.h"

static int
compare_calls (gconstpointer a,
               gconstpointer b)
{
  const GwEfficiencyCall *left = *(const GwEfficiencyCall *const *) a;
  const GwEfficiencyCall *right = *(const GwEfficiencyCall *const *) b;

  if (left->sent_at != right->sent_at)
    return left->sent_at < right->sent_at ? -1 : 1;

  return (left->ended_at > right->ended_at) - (left->ended_at < right->ended_at);
}

/* (element-type GwEfficiencyCall): pointers into @calls, in the order of their sends. */
static GPtrArray *
sort_calls (const GwEfficiencyCall *calls,
            gsize n_calls,
            guint n_lanes)
{
  GPtrArray *sorted = g_ptr_array_sized_new ((guint) n_calls);

  for (gsize i = 0; i < n_calls; i++)
    if (calls[i].lane < n_lanes)
      g_ptr_array_add (sorted, (gpointer) &calls[i]);
  g_ptr_array_sort (sorted, compare_calls);

  return sorted;
}

/* When the last answer was there; @submitted_at without one. */
static gint64
find_end (const GwEfficiencyCall *calls,
          gsize n_calls,
          gint64 submitted_at)
{
  gint64 end = submitted_at;

  for (gsize i = 0; i < n_calls; i++)
    if (calls[i].answered)
      end = MAX (end, calls[i].ended_at);

  return end;
}

/**
 * gw_efficiency_measure:
 * @lanes: (array length=n_lanes): slots, window, prior, pins and cool-downs of each lane; durations
 *   and fates are taken from @calls
 * @n_lanes: how many lanes
 * @cap: calls at once over all lanes, or at once in the project if that is less
 * @submitted_at: when the first task was submitted, on the clock of @calls
 * @calls: (array length=n_calls): every call of the run that was sent, in any order
 * @n_calls: how many calls
 *
 * Returns: what the run reached; without any answer nothing is known
 */
GwEfficiency
gw_efficiency_measure (const GwBoundLane *lanes,
                       guint n_lanes,
                       guint cap,
                       gint64 submitted_at,
                       const GwEfficiencyCall *calls,
                       gsize n_calls)
{
  GwEfficiency efficiency = { .bound_s = -1, .efficiency = -1 };
  g_autoptr (GPtrArray) sorted = NULL;
  g_autofree GwBoundLane *filled = NULL;
  g_autofree double *durations = NULL;
  g_autofree guint8 *unanswered = NULL;
  guint64 slots = 0;
  gsize n = 0;
  double bound;

  g_return_val_if_fail (lanes != NULL || n_lanes == 0, efficiency);
  g_return_val_if_fail (calls != NULL || n_calls == 0, efficiency);

  sorted = sort_calls (calls, n_calls, n_lanes);
  filled = g_new (GwBoundLane, MAX (n_lanes, 1));
  durations = g_new (double, MAX (n_calls, 1));
  unanswered = g_new (guint8, MAX (n_calls, 1));
  for (guint i = 0; i < n_lanes; i++)
    {
      filled[i] = lanes[i];
      filled[i].durations_s = durations + n;
      filled[i].unanswered = unanswered + n;
      filled[i].n_durations = 0;
      slots += lanes[i].slots;
      for (guint j = 0; j < sorted->len; j++)
        {
          const GwEfficiencyCall *call = g_ptr_array_index (sorted, j);
          double duration = (double) MAX (call->ended_at - call->sent_at, 0) / 1000;

          if (call->lane != i)
            continue;
          durations[n] = duration;
          unanswered[n] = !call->answered;
          n++;
          filled[i].n_durations++;
          if (!call->answered)
            continue;
          efficiency.answers++;
          efficiency.longest_s = MAX (efficiency.longest_s, duration);
        }
    }
  if (efficiency.answers == 0)
    return efficiency;

  efficiency.makespan_s = (double) (find_end (calls, n_calls, submitted_at) - submitted_at) / 1000;
  efficiency.few = efficiency.answers < 2 * MIN (slots, cap);
  bound = gw_scheduler_bound (filled, n_lanes, cap, efficiency.answers);
  if (!(bound < INFINITY) || !(efficiency.makespan_s > 0))
    return efficiency;

  efficiency.bound_s = bound;
  efficiency.efficiency = MIN (bound / efficiency.makespan_s, 1);

  return efficiency;
}

/**
 * gw_efficiency_bound:
 * @lanes: (array length=n_lanes): slots and windows; their durations are set to values of this
 * call,
 *   and must not be read after it
 * @n_lanes: how many lanes
 * @cap: calls at once over all lanes
 * @calls: (element-type GwEfficiencyCall): those so far, each of one of @lanes
 * @n: how many tasks there are in all, answered and not
 *
 * Returns: the least seconds that the limits allow for @n tasks; negative: not known
 */
double
gw_efficiency_bound (GwBoundLane *lanes,
                     guint n_lanes,
                     guint cap,
                     const GArray *calls,
                     guint64 n)
{
  g_autofree double *durations = g_new (double, calls->len + 1);
  g_autofree guint8 *unanswered = g_new (guint8, calls->len + 1);
  guint n_known = 0;
  double bound;

  for (guint i = 0; i < n_lanes; i++)
    {
      lanes[i].durations_s = durations + n_known;
      lanes[i].unanswered = unanswered + n_known;
      for (guint j = 0; j < calls->len; j++)
        {
          const GwEfficiencyCall *call = &g_array_index (calls, GwEfficiencyCall, j);

          if (call->lane != i)
            continue;
          durations[n_known] = (double) (call->ended_at - call->sent_at) / 1000;
          unanswered[n_known++] = !call->answered;
          lanes[i].n_durations++;
        }
    }
  bound = gw_scheduler_bound (lanes, n_lanes, cap, n);

  return bound < INFINITY ? bound : -1;
}
