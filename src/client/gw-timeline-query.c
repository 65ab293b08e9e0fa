/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-query"

/* What stands at a place of the timeline, and the numbers beside it. Pure. */

#include "config.h"

#include <string.h>

#include "gw-timeline-private.h"

/* Numbers are of so many answers at most, the newest. */
#define MAX_SAMPLES 1000

/**
 * gw_timeline_row_find_bar:
 * @at: a time
 * @reach: how far from it a bar may be
 *
 * Returns: (transfer none) (nullable): the bar at @at, else the nearest one within @reach
 */
const GwTimelineBar *
gw_timeline_row_find_bar (const GwTimelineRow *row,
                          gint64 at,
                          gint64 reach)
{
  const GwTimelineBar *best = NULL;
  gint64 best_distance = reach + 1;
  guint low = 0;
  guint high = row->bars->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (row->bars, GwTimelineBar, middle).from <= at)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint i = low > 0 ? low - 1 : 0; i < row->bars->len && i <= low; i++)
    {
      const GwTimelineBar *bar = &g_array_index (row->bars, GwTimelineBar, i);
      gint64 distance = MAX (bar->from - at, at - bar->to);

      distance = MAX (distance, 0);
      if (distance < best_distance)
        {
          best = bar;
          best_distance = distance;
        }
    }

  return best;
}

/* (transfer none) (nullable): the gap at the time @at (ms); %NULL if a call ran then. O(log gaps).
 * */
const GwTimelineGap *
gw_timeline_row_find_gap (const GwTimelineRow *row,
                          gint64 at)
{
  guint low = 0;
  guint high = row->gaps->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (row->gaps, GwTimelineGap, middle).from <= at)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0 || g_array_index (row->gaps, GwTimelineGap, low - 1).to <= at)
    return NULL;

  return &g_array_index (row->gaps, GwTimelineGap, low - 1);
}

/**
 * gw_timeline_layout_find_attempt:
 * @task_id: whose
 * @number: which one of its attempts; 0: the newest
 * @row: (out) (optional): the index of its row
 *
 * Returns: (transfer none) (nullable): its bar
 */
const GwTimelineBar *
gw_timeline_layout_find_attempt (const GwTimelineLayout *layout,
                                 const char *task_id,
                                 guint number,
                                 guint *row)
{
  const GwTimelineBar *found = NULL;

  for (guint i = 0; i < layout->rows->len; i++)
    {
      const GwTimelineRow *candidate = layout->rows->pdata[i];

      for (guint j = 0; j < candidate->bars->len; j++)
        {
          const GwTimelineBar *bar = &g_array_index (candidate->bars, GwTimelineBar, j);

          if (g_strcmp0 (bar->attempt->task_id, task_id) != 0
              || (number != 0 && bar->attempt->number != number)
              || (found != NULL && found->attempt->number > bar->attempt->number))
            continue;
          found = bar;
          if (row != NULL)
            *row = i;
        }
    }

  return found;
}

/**
 * gw_timeline_numbers:
 * @attempts: (element-type GwAttempt): in order of the journal
 * @now: Unix ms
 * @numbers: (out caller-allocates): how long calls take, of the newest answers, and how many went
 *   out in the last minute
 */
void
gw_timeline_numbers (GPtrArray *attempts,
                     gint64 now,
                     GwTimelineNumbers *numbers)
{
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (gint64));

  memset (numbers, 0, sizeof *numbers);
  for (guint i = attempts->len; i-- > 0;)
    {
      const GwAttempt *attempt = attempts->pdata[i];
      gint64 run = attempt->ended_at - attempt->sent_at;

      if (attempt->sent_at > now - GW_TIMELINE_MINUTE_MS && attempt->sent_at <= now)
        numbers->per_minute++;
      if (attempt->outcome == GW_OUTCOME_ANSWERED && attempt->sent_at > 0 && run >= 0
          && runs->len < MAX_SAMPLES)
        g_array_append_val (runs, run);
    }
  numbers->samples = runs->len;
  if (runs->len == 0)
    return;

  g_array_sort (runs, _gw_timeline_compare_times);
  numbers->p50_ms = g_array_index (runs, gint64, (runs->len - 1) / 2);
  numbers->p95_ms = g_array_index (runs, gint64, (runs->len * 95 + 99) / 100 - 1);
}
