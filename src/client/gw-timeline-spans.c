/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-spans"

/* Why a slot was idle: what held its lane back, as step functions and spans of time, and the gap
 * between two calls cut where its reason changes. Pure. */

#include "config.h"

#include "gw-timeline-private.h"

/* Between the end of a call and the next claim of its slot lies the turn itself. */
#define SHORTEST_GAP_MS 60

/* A task is known to wait, and a slot to be free, only after a message went there. */
#define SLACK_MS 40

/* A value that holds from `at` on. */
typedef struct {
  gint64 at;
  int value;
} Level;

/* --- Step functions --------------------------------------------------------------------------- */

static int
compare_steps (gconstpointer a,
               gconstpointer b)
{
  const GwTimelineStep *first = a;
  const GwTimelineStep *second = b;

  if (first->at != second->at)
    return first->at < second->at ? -1 : 1;

  return 0;
}

void
_gw_timeline_add_step (GArray *steps,
                       gint64 at,
                       int change)
{
  GwTimelineStep step = { at, change };

  g_array_append_val (steps, step);
}

/* Sorts @steps and sums them up. */
GArray *
_gw_timeline_levels_new (GArray *steps)
{
  GArray *levels = g_array_new (FALSE, FALSE, sizeof (Level));
  int value = 0;

  g_array_sort (steps, compare_steps);
  for (guint i = 0; i < steps->len; i++)
    {
      const GwTimelineStep *step = &g_array_index (steps, GwTimelineStep, i);
      Level level;

      value += step->change;
      level = (Level){ step->at, value };
      if (levels->len > 0 && g_array_index (levels, Level, levels->len - 1).at == step->at)
        g_array_index (levels, Level, levels->len - 1) = level;
      else
        g_array_append_val (levels, level);
    }

  return levels;
}

/* How many elements, which are in order and begin with their time, are not later than @at; @next
 * becomes the time of the first that is, if that is sooner. */
static guint
count_until (GArray *elements,
             gint64 at,
             gint64 *next)
{
  gsize size = g_array_get_element_size (elements);
  guint low = 0;
  guint high = elements->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (*(const gint64 *) (gpointer) (elements->data + middle * size) <= at)
        low = middle + 1;
      else
        high = middle;
    }
  if (low < elements->len)
    *next = MIN (*next, *(const gint64 *) (gpointer) (elements->data + low * size));

  return low;
}

/* The value at @at; @next becomes when it changes, if that is sooner. */
static int
level_at (GArray *levels,
          gint64 at,
          gint64 *next)
{
  guint n = count_until (levels, at, next);

  return n > 0 ? g_array_index (levels, Level, n - 1).value : 0;
}

/* The end of the span that covers @at, 0 where none does; @next as above. */
static gint64
span_at (GArray *spans,
         gint64 at,
         gint64 *next)
{
  guint n = count_until (spans, at, next);
  gint64 to = n > 0 ? g_array_index (spans, GwTimelineSpan, n - 1).to : 0;

  if (to <= at)
    return 0;
  *next = MIN (*next, to);

  return to;
}

/* Spans come in order of their start; what touches is one. */
static void
add_span (GArray *spans,
          gint64 from,
          gint64 to)
{
  GwTimelineSpan span = { from, to };

  if (to <= from)
    return;
  if (spans->len > 0 && g_array_index (spans, GwTimelineSpan, spans->len - 1).to >= from)
    {
      GwTimelineSpan *last = &g_array_index (spans, GwTimelineSpan, spans->len - 1);

      last->to = MAX (last->to, to);
      return;
    }
  g_array_append_val (spans, span);
}

int
_gw_timeline_compare_times (gconstpointer a,
                            gconstpointer b)
{
  const gint64 *first = a;
  const gint64 *second = b;

  return *first < *second ? -1 : *first > *second;
}

/* --- What held a lane back -------------------------------------------------------------------- */

/* The window is full from its last allowed send until the first of them leaves it. */
void
_gw_timeline_find_full (const GwTimelineLane *lane,
                        GArray *sends,
                        GArray *full)
{
  if (lane->per_minute == 0)
    return;
  g_array_sort (sends, _gw_timeline_compare_times);
  for (guint i = lane->per_minute - 1; i < sends->len; i++)
    add_span (full, g_array_index (sends, gint64, i),
              g_array_index (sends, gint64, i + 1 - lane->per_minute) + GW_TIMELINE_MINUTE_MS);
}

/* From a slow-down to the lane's next send. */
void
_gw_timeline_find_parked (const GwTimelineLane *lane,
                          GArray *sends,
                          GArray *slow_downs,
                          gint64 now,
                          GArray *parked)
{
  guint next = 0;

  g_array_sort (sends, _gw_timeline_compare_times);
  g_array_sort (slow_downs, _gw_timeline_compare_times);
  for (guint i = 0; i < slow_downs->len; i++)
    {
      gint64 from = g_array_index (slow_downs, gint64, i);

      while (next < sends->len && g_array_index (sends, gint64, next) <= from)
        next++;
      if (next < sends->len)
        add_span (parked, from, g_array_index (sends, gint64, next));
      else if (lane->parked_until > now)
        add_span (parked, from, lane->parked_until);
    }
  if (lane->parked_until > now && parked->len == 0)
    add_span (parked, now - 1, lane->parked_until);
}

void
_gw_timeline_explain (GwTimelineRow *row,
                      const GwTimelineLane *lane,
                      const GwTimelineLaneTimes *times,
                      GArray *in_flight,
                      GArray *waiting,
                      GArray *backing_off,
                      guint cap,
                      gint64 from,
                      gint64 to,
                      gint64 now)
{
  gint64 at = from;

  if (to - from < SHORTEST_GAP_MS)
    return;
  while (at < to)
    {
      GwTimelineGap gap = { .from = at, .reason = GW_GAP_HELD };
      gint64 next = to;
      /* Asked a moment later: what was free or came in right then was not known yet. */
      gint64 moment = MIN (at + SLACK_MS, to - 1);
      gint64 window = span_at (times->full, moment, &next);
      gint64 parked = span_at (times->parked, moment, &next);
      int waits = level_at (waiting, moment, &next);
      int delayed = level_at (backing_off, moment, &next);
      int flying = level_at (in_flight, moment, &next);
      GwTimelineGap *last;

      if (lane->stopped != NULL && to >= now)
        gap.reason = GW_GAP_STOPPED;
      else if (waits <= 0 && delayed <= 0)
        gap.reason = GW_GAP_NO_WORK;
      else if (parked > 0)
        gap.reason = GW_GAP_COOL_DOWN, gap.until = parked;
      else if (waits <= 0)
        gap.reason = GW_GAP_BACK_OFF;
      else if (window > 0)
        gap.reason = GW_GAP_WINDOW, gap.until = window;
      else if (cap > 0 && flying >= (int) cap)
        gap.reason = GW_GAP_CAP;
      else if (lane->adapted > 0 && row->slot >= lane->adapted && to >= now)
        gap.reason = GW_GAP_COOL_DOWN;

      next = MAX (next, at + 1);
      gap.to = next;
      last = row->gaps->len > 0
             ? &g_array_index (row->gaps, GwTimelineGap, row->gaps->len - 1)
             : NULL;
      /* Slivers belong to what was before them. */
      if (last != NULL && last->to == at
          && (last->reason == gap.reason || gap.to - gap.from < SHORTEST_GAP_MS))
        {
          last->to = gap.to;
          if (last->reason == gap.reason)
            last->until = MAX (last->until, gap.until);
        }
      else
        {
          g_array_append_val (row->gaps, gap);
        }
      at = next;
    }
}
