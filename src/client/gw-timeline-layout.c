/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-layout"

/* From the journal of attempts to rows of bars, and to the reason of each gap between them.
 *
 * The journal does not store why a slot was idle; what the limits and the calls were at that time
 * says it: the sends of the last minute, the calls in flight over all providers, the slow-downs,
 * and how many tasks waited. Each of those is a step function of time; a gap is cut where its
 * reason changes (gw-timeline-spans.c). Pure. */

#include "config.h"

#include "gw-timeline-private.h"

/* So long without any call is the end of a session. */
#define SESSION_MS (2 * GW_TIMELINE_MINUTE_MS)

/* (transfer full): a lane that says nothing yet but its name. */
GwTimelineLane *
gw_timeline_lane_new (const char *name)
{
  GwTimelineLane *lane = g_new0 (GwTimelineLane, 1);

  lane->name = g_strdup (name);

  return lane;
}

static GwTimelineLane *
lane_copy (const GwTimelineLane *lane)
{
  GwTimelineLane *copy = g_memdup2 (lane, sizeof *lane);

  copy->name = g_strdup (lane->name);
  copy->title = g_strdup (lane->title);
  copy->stopped = g_strdup (lane->stopped);

  return copy;
}

void
gw_timeline_lane_free (GwTimelineLane *lane)
{
  g_free (lane->name);
  g_free (lane->title);
  g_free (lane->stopped);
  g_free (lane);
}

static void
bar_clear (gpointer data)
{
  GwTimelineBar *bar = data;

  gw_attempt_unref (bar->attempt);
}

static GwTimelineRow *
row_new (guint lane,
         guint slot)
{
  GwTimelineRow *row = g_new0 (GwTimelineRow, 1);

  row->lane = lane;
  row->slot = slot;
  row->bars = g_array_new (FALSE, FALSE, sizeof (GwTimelineBar));
  g_array_set_clear_func (row->bars, bar_clear);
  row->gaps = g_array_new (FALSE, FALSE, sizeof (GwTimelineGap));

  return row;
}

static void
row_free (gpointer data)
{
  GwTimelineRow *row = data;

  g_array_unref (row->bars);
  g_array_unref (row->gaps);
  g_free (row);
}

void
gw_timeline_layout_free (GwTimelineLayout *layout)
{
  g_ptr_array_unref (layout->lanes);
  g_ptr_array_unref (layout->rows);
  g_free (layout);
}

static gboolean
is_slow_down (const GwAttempt *attempt)
{
  return attempt->outcome == GW_OUTCOME_FAILED && attempt->has_error
         && attempt->error_code == GW_ERROR_TASK_RATE;
}

static gboolean
was_sent (const GwAttempt *attempt)
{
  return attempt->sent_at > 0;
}

static int
compare_attempts (gconstpointer a,
                  gconstpointer b)
{
  const GwAttempt *first = *(GwAttempt *const *) a;
  const GwAttempt *second = *(GwAttempt *const *) b;

  if (first->claimed_at != second->claimed_at)
    return first->claimed_at < second->claimed_at ? -1 : 1;

  return first->slot < second->slot ? -1 : first->slot > second->slot;
}

static guint
find_lane (GPtrArray *lanes,
           GHashTable *by_name,
           const char *name)
{
  gpointer index;

  if (name == NULL)
    name = "";
  if (!g_hash_table_lookup_extended (by_name, name, NULL, &index))
    {
      GwTimelineLane *lane = gw_timeline_lane_new (name);

      index = GUINT_TO_POINTER (lanes->len);
      g_ptr_array_add (lanes, lane);
      g_hash_table_insert (by_name, lane->name, index);
    }

  return GPOINTER_TO_UINT (index);
}

static void
add_row (GPtrArray *rows,
         guint lane,
         guint slot)
{
  g_ptr_array_add (rows, row_new (lane, slot));
}

static int
compare_rows (gconstpointer a,
              gconstpointer b)
{
  const GwTimelineRow *first = *(GwTimelineRow *const *) a;
  const GwTimelineRow *second = *(GwTimelineRow *const *) b;

  if (first->lane != second->lane)
    return first->lane < second->lane ? -1 : 1;
  if (first->slot != second->slot)
    return first->slot < second->slot ? -1 : 1;
  /* Of several workers: who was there first. */
  if (first->bars->len > 0 && second->bars->len > 0)
    return g_array_index (first->bars, GwTimelineBar, 0).from
           < g_array_index (second->bars, GwTimelineBar, 0).from ? -1 : 1;

  return 0;
}

/* The row of that slot whose last call had ended; another one where slots of that number are
 * several workers'. */
static GwTimelineRow *
find_row (GPtrArray *rows,
          GHashTable *by_slot,
          guint lane,
          const GwAttempt *attempt)
{
  guint64 key = ((guint64) lane << 32) | attempt->slot;
  GPtrArray *of_slot = g_hash_table_lookup (by_slot, &key);
  GwTimelineRow *row;

  if (of_slot == NULL)
    {
      of_slot = g_ptr_array_new ();
      g_hash_table_insert (by_slot, g_memdup2 (&key, sizeof key), of_slot);
    }
  for (guint i = 0; i < of_slot->len; i++)
    {
      row = of_slot->pdata[i];
      if (row->bars->len == 0
          || g_array_index (row->bars, GwTimelineBar, row->bars->len - 1).to
             <= attempt->claimed_at + 1)
        return row;
    }

  row = row_new (lane, attempt->slot);
  g_ptr_array_add (of_slot, row);
  g_ptr_array_add (rows, row);

  return row;
}

static void
add_bar (GwTimelineRow *row,
         GwAttempt *attempt,
         gint64 now)
{
  GwTimelineBar bar = {
    .attempt = gw_attempt_ref (attempt),
    .from = attempt->claimed_at,
    .live = attempt->outcome == GW_OUTCOME_LIVE,
  };

  bar.to = bar.live || attempt->ended_at == 0 ? now : attempt->ended_at;
  /* What nobody saw the end of ends nowhere: it is known only that it was sent. */
  if (!bar.live && attempt->ended_at == 0)
    bar.to = MAX (attempt->sent_at, attempt->claimed_at);
  bar.to = MAX (bar.to, bar.from);
  bar.sent = was_sent (attempt) ? CLAMP (attempt->sent_at, bar.from, bar.to) : bar.to;
  g_array_append_val (row->bars, bar);
}

/* Tasks that wait for their next try: from one call's failure to the next one's claim. */
static GArray *
find_back_offs (GPtrArray *attempts,
                GHashTable *delayed)
{
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (GwTimelineStep));
  g_autoptr (GHashTable) failed_at = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  for (guint i = 0; i < attempts->len; i++)
    {
      const GwAttempt *attempt = attempts->pdata[i];
      gint64 *ended;

      if (attempt->task_id == NULL)
        continue;
      ended = g_hash_table_lookup (failed_at, attempt->task_id);
      if (ended != NULL && attempt->claimed_at > *ended)
        {
          _gw_timeline_add_step (steps, *ended, 1);
          _gw_timeline_add_step (steps, attempt->claimed_at, -1);
        }
      if (attempt->outcome == GW_OUTCOME_FAILED && attempt->ended_at > 0)
        g_hash_table_insert (failed_at, attempt->task_id,
                             g_memdup2 (&attempt->ended_at, sizeof attempt->ended_at));
      else
        g_hash_table_remove (failed_at, attempt->task_id);
    }

  if (delayed != NULL)
    {
      GHashTableIter iter;
      gpointer task_id, ended;

      g_hash_table_iter_init (&iter, failed_at);
      while (g_hash_table_iter_next (&iter, &task_id, &ended))
        if (g_hash_table_contains (delayed, task_id))
          _gw_timeline_add_step (steps, *(gint64 *) ended, 1);
    }

  return _gw_timeline_levels_new (steps);
}

/**
 * gw_timeline_layout_new:
 * @input: all that it depends on; a lane that only attempts name comes after the others
 *
 * Returns: (transfer full): rows for every slot of the lanes that are in use or have attempts
 */
GwTimelineLayout *
gw_timeline_layout_new (const GwTimelineInput *input)
{
  GwTimelineLayout *layout = g_new0 (GwTimelineLayout, 1);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) by_slot = NULL;
  g_autoptr (GArray) flights = g_array_new (FALSE, FALSE, sizeof (GwTimelineStep));
  g_autoptr (GArray) in_flight = NULL;
  g_autoptr (GArray) waiting = NULL;
  g_autoptr (GArray) backing_off = NULL;
  g_autofree GArray **sends = NULL;
  g_autofree GArray **slow_downs = NULL;
  g_autofree GwTimelineLaneTimes *times = NULL;
  gint64 now = input->now;

  layout->lanes = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_timeline_lane_free);
  layout->rows = g_ptr_array_new_with_free_func (row_free);
  layout->from = layout->to = layout->session = layout->last = now;
  by_slot = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                   (GDestroyNotify) g_ptr_array_unref);

  for (guint i = 0; i < input->lanes->len; i++)
    {
      GwTimelineLane *lane = lane_copy (input->lanes->pdata[i]);

      g_hash_table_insert (by_name, lane->name, GUINT_TO_POINTER (layout->lanes->len));
      g_ptr_array_add (layout->lanes, lane);
    }
  for (guint i = 0; i < input->attempts->len; i++)
    {
      GwAttempt *attempt = input->attempts->pdata[i];

      if (attempt->claimed_at > 0 && attempt->claimed_at <= now)
        g_ptr_array_add (sorted, attempt);
    }
  g_ptr_array_sort (sorted, compare_attempts);
  for (guint i = 0; i < sorted->len; i++)
    find_lane (layout->lanes, by_name, ((GwAttempt *) sorted->pdata[i])->provider);

  /* Every slot that a lane in use may fill has its row, used or not. */
  for (guint i = 0; i < layout->lanes->len; i++)
    {
      const GwTimelineLane *lane = layout->lanes->pdata[i];

      for (guint slot = 0; lane->in_use && slot < MAX (lane->slots, 1); slot++)
        {
          guint64 key = ((guint64) i << 32) | slot;
          GPtrArray *of_slot = g_ptr_array_new ();

          add_row (layout->rows, i, slot);
          g_ptr_array_add (of_slot, layout->rows->pdata[layout->rows->len - 1]);
          g_hash_table_insert (by_slot, g_memdup2 (&key, sizeof key), of_slot);
        }
    }

  sends = g_new0 (GArray *, layout->lanes->len);
  slow_downs = g_new0 (GArray *, layout->lanes->len);
  times = g_new0 (GwTimelineLaneTimes, layout->lanes->len);
  for (guint i = 0; i < layout->lanes->len; i++)
    {
      sends[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
      slow_downs[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
    }
  for (guint i = 0; i < sorted->len; i++)
    {
      GwAttempt *attempt = sorted->pdata[i];
      guint lane = find_lane (layout->lanes, by_name, attempt->provider);
      GwTimelineRow *row = find_row (layout->rows, by_slot, lane, attempt);
      const GwTimelineBar *bar;

      add_bar (row, attempt, now);
      bar = &g_array_index (row->bars, GwTimelineBar, row->bars->len - 1);
      layout->from = MIN (layout->from, bar->from);
      if (layout->n_bars == 0 || bar->from > layout->last + SESSION_MS)
        layout->session = bar->from;
      layout->last = layout->n_bars == 0 ? bar->to : MAX (layout->last, bar->to);
      layout->n_bars++;
      layout->n_live += bar->live;
      _gw_timeline_add_step (flights, bar->from, 1);
      if (!bar->live)
        _gw_timeline_add_step (flights, bar->to, -1);
      if (was_sent (attempt))
        g_array_append_val (sends[lane], attempt->sent_at);
      if (is_slow_down (attempt) && attempt->ended_at > 0)
        g_array_append_val (slow_downs[lane], attempt->ended_at);
    }
  g_ptr_array_sort (layout->rows, compare_rows);

  in_flight = _gw_timeline_levels_new (flights);
  waiting = _gw_timeline_levels_new (input->steps);
  backing_off = find_back_offs (sorted, input->delayed);
  for (guint i = 0; i < layout->lanes->len; i++)
    {
      const GwTimelineLane *lane = layout->lanes->pdata[i];

      times[i].full = g_array_new (FALSE, FALSE, sizeof (GwTimelineSpan));
      times[i].parked = g_array_new (FALSE, FALSE, sizeof (GwTimelineSpan));
      _gw_timeline_find_full (lane, sends[i], times[i].full);
      _gw_timeline_find_parked (lane, sends[i], slow_downs[i], now, times[i].parked);
    }
  for (guint i = 0; i < layout->rows->len; i++)
    {
      GwTimelineRow *row = layout->rows->pdata[i];
      const GwTimelineLane *lane = layout->lanes->pdata[row->lane];
      gint64 at = layout->from;

      for (guint j = 0; j < row->bars->len; j++)
        {
          const GwTimelineBar *bar = &g_array_index (row->bars, GwTimelineBar, j);

          _gw_timeline_explain (row, lane, &times[row->lane], in_flight, waiting, backing_off,
                                input->cap, at, bar->from, now);
          at = bar->to;
        }
      _gw_timeline_explain (row, lane, &times[row->lane], in_flight, waiting, backing_off,
                            input->cap, at, now, now);
    }
  for (guint i = 0; i < layout->lanes->len; i++)
    {
      g_array_unref (sends[i]);
      g_array_unref (slow_downs[i]);
      g_array_unref (times[i].full);
      g_array_unref (times[i].parked);
    }

  return layout;
}
