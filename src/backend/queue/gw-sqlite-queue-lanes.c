/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <stdlib.h>

#include "queue/gw-sqlite-queue-private.h"

/*
 * A lane's shared state: its limits, who flies, which sends still count in its window, ghosts,
 * cool-down, stop, what it learned; and who is to be woken. A send counts from its claim until a
 * window after its request was written; while that is not known, as if it were written now.
 * Writer's thread only, but for gw_sq_lane_from_row() and the pure helpers.
 */

#define GHOST_LEAST_MS 1000
#define GHOST_MOST_MS 30000
#define GHOST_UNKNOWN_MS 5000

void
gw_sq_lane_free (GwSqLane *lane)
{
  if (lane == NULL)
    return;

  g_free (lane->name);
  g_free (lane->model);
  g_free (lane->fingerprint);
  g_free (lane->last_error);
  g_array_unref (lane->sends);
  g_array_unref (lane->ghosts);
  g_ptr_array_unref (lane->live);
  g_free (lane);
}

GwSqLane *
gw_sq_lane_new (void)
{
  GwSqLane *lane = g_new0 (GwSqLane, 1);

  lane->sends = g_array_new (FALSE, FALSE, sizeof (GwSqSend));
  lane->ghosts = g_array_new (FALSE, FALSE, sizeof (GwSqGhost));
  lane->live = g_ptr_array_new ();

  return lane;
}

/* @row: GW_SQ_LANE_COLUMNS. */
GwSqLane *
gw_sq_lane_from_row (sqlite3_stmt *row)
{
  GwSqLane *lane = gw_sq_lane_new ();
  const char *stop_code = (const char *) sqlite3_column_text (row, 13);
  const void *samples;
  int length;

  lane->pk = sqlite3_column_int64 (row, 0);
  lane->name = gw_sq_dup_text (row, 1);
  lane->kind = (GwProviderKind) sqlite3_column_int (row, 2);
  lane->model = gw_sq_dup_text (row, 3);
  lane->fingerprint = gw_sq_dup_text (row, 4);
  lane->enabled = sqlite3_column_int (row, 5);
  lane->usable = sqlite3_column_int (row, 6);
  lane->max_concurrency = (guint) sqlite3_column_int64 (row, 7);
  lane->requests_per_minute = (guint) sqlite3_column_int64 (row, 8);
  lane->adapted = (guint) sqlite3_column_int64 (row, 9);
  lane->growth = (guint) sqlite3_column_int64 (row, 10);
  lane->halved = sqlite3_column_int64 (row, 11);
  lane->parked = sqlite3_column_int64 (row, 12);
  /* Nothing stops for the network: there the code says why it is parked. */
  lane->offline = g_strcmp0 (stop_code, gw_error_to_string (GW_ERROR_TASK_NETWORK)) == 0;
  lane->stopped = stop_code != NULL && !lane->offline;
  lane->stop_code = GW_ERROR_TASK_AUTH;
  gw_error_from_string (stop_code, &lane->stop_code);
  lane->last_error = gw_sq_dup_text (row, 14);
  lane->last_error_at = sqlite3_column_int64 (row, 15);
  lane->last_send = sqlite3_column_int64 (row, 16);
  lane->belief.mean = sqlite3_column_double (row, 17);
  lane->belief.variance = sqlite3_column_double (row, 18);
  lane->belief.weight = sqlite3_column_double (row, 19);
  lane->sent = sqlite3_column_int64 (row, 20);
  lane->answered = sqlite3_column_int64 (row, 21);
  lane->failed = sqlite3_column_int64 (row, 22);
  lane->n_samples = (guint) sqlite3_column_int64 (row, 23);
  samples = sqlite3_column_blob (row, 24);
  length = sqlite3_column_bytes (row, 24);
  if (samples != NULL)
    memcpy (lane->samples, samples, MIN ((gsize) length, sizeof lane->samples));

  return lane;
}

static guint
find_preference (GwSqState *state,
                 const GwSqLane *lane)
{
  guint i = 0;

  while (state->preferred != NULL && state->preferred[i] != NULL
         && !g_str_equal (state->preferred[i], lane->name))
    i++;

  return i;
}

static int
compare_preference (gconstpointer a,
                    gconstpointer b,
                    gpointer user_data)
{
  const GwSqLane *left = *(GwSqLane *const *) a;
  const GwSqLane *right = *(GwSqLane *const *) b;
  guint first = find_preference (user_data, left);
  guint second = find_preference (user_data, right);

  if (first != second)
    return first < second ? -1 : 1;

  return left->pk < right->pk ? -1 : left->pk > right->pk;
}

/* Whoever stands first is woken first, and asks first. */
void
gw_sq_lanes_sort (GwSqState *state)
{
  g_ptr_array_sort_with_data (state->lane_list, compare_preference, state);
  /* What it remembers is by the place in the list. */
  gw_scheduler_memo_free (state->memo);
  state->memo = gw_scheduler_memo_new ();
}

gboolean
gw_sq_lanes_load (GwSqState *state)
{
  sqlite3_stmt *row = gw_sq_bind (state->db,
                                  "SELECT " GW_SQ_LANE_COLUMNS " FROM lane ORDER BY pk", "");

  while (gw_sq_row (state->db, row))
    {
      GwSqLane *lane = gw_sq_lane_from_row (row);

      lane->waits = GW_SQ_WAITS_SLOT | GW_SQ_WAITS_CAP | GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS
                    | GW_SQ_WAITS_LANE;
      g_hash_table_insert (state->lanes, lane->name, lane);
      g_ptr_array_add (state->lane_list, lane);
    }
  gw_sq_lanes_sort (state);

  row = gw_sq_bind (state->db, "SELECT attempt, lane, at FROM send ORDER BY attempt", "");
  while (gw_sq_row (state->db, row))
    {
      GwSqLane *lane = gw_sq_lane_by_pk (state, sqlite3_column_int64 (row, 1));
      GwSqSend entry = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 2) };

      if (lane != NULL)
        g_array_append_val (lane->sends, entry);
    }

  row = gw_sq_bind (state->db, "SELECT attempt, lane, sent, until FROM ghost ORDER BY attempt", "");
  while (gw_sq_row (state->db, row))
    {
      GwSqLane *lane = gw_sq_lane_by_pk (state, sqlite3_column_int64 (row, 1));
      GwSqGhost ghost = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 2),
                          sqlite3_column_int64 (row, 3) };

      if (lane != NULL)
        g_array_append_val (lane->ghosts, ghost);
    }

  return gw_sq_db_is_ok (state->db);
}

void
gw_sq_lanes_flush (GwSqState *state)
{
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      if (!lane->dirty)
        continue;
      lane->dirty = FALSE;
      gw_sq_run (state->db,
        "UPDATE lane SET kind = ?, model = ?, fingerprint = ?, enabled = ?, usable = ?,"
        " max_concurrency = ?, requests_per_minute = ?, adapted = ?, growth = ?, halved = ?,"
        " parked = ?, stop_code = ?, last_error = ?, last_error_at = ?, last_send = ?, mean = ?,"
        " variance = ?, weight = ?, sent = ?, answered = ?, failed = ?, n_samples = ?, samples = ?"
        " WHERE pk = ?", "dssddddddiissiifffiiidbi",
        (int) lane->kind, lane->model, lane->fingerprint, (int) lane->enabled, (int) lane->usable,
        (int) lane->max_concurrency, (int) lane->requests_per_minute, (int) lane->adapted,
        (int) lane->growth, lane->halved, lane->parked,
        lane->stopped ? gw_error_to_string (lane->stop_code)
        : lane->offline ? gw_error_to_string (GW_ERROR_TASK_NETWORK) : NULL, lane->last_error,
        lane->last_error_at, lane->last_send, lane->belief.mean, lane->belief.variance,
        lane->belief.weight, lane->sent, lane->answered, lane->failed, (int) lane->n_samples,
        lane->samples, (int) (MIN (lane->n_samples, GW_SQ_N_SAMPLES) * sizeof (gint32)),
        lane->pk);
    }
}

GwSqLane *
gw_sq_lane_get (GwSqState *state,
                const char *name)
{
  return g_hash_table_lookup (state->lanes, name);
}

GwSqLane *
gw_sq_lane_by_pk (GwSqState *state,
                  gint64 pk)
{
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      if (lane->pk == pk)
        return lane;
    }

  return NULL;
}

/* Lets go of sends and ghosts whose time is over. */
void
gw_sq_lanes_expire (GwSqState *state)
{
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);
      guint kept = 0;

      for (guint j = 0; j < lane->sends->len; j++)
        {
          GwSqSend entry = g_array_index (lane->sends, GwSqSend, j);

          if (entry.sent != 0 && entry.sent + GW_WINDOW_MS <= state->now)
            gw_sq_run (state->db, "DELETE FROM send WHERE attempt = ?", "i", entry.attempt);
          else
            g_array_index (lane->sends, GwSqSend, kept++) = entry;
        }
      g_array_set_size (lane->sends, kept);

      kept = 0;
      for (guint j = 0; j < lane->ghosts->len; j++)
        {
          GwSqGhost ghost = g_array_index (lane->ghosts, GwSqGhost, j);

          if (ghost.until <= state->now)
            gw_sq_run (state->db, "DELETE FROM ghost WHERE attempt = ?", "i", ghost.attempt);
          else
            g_array_index (lane->ghosts, GwSqGhost, kept++) = ghost;
        }
      if (kept < lane->ghosts->len)
        {
          g_array_set_size (lane->ghosts, kept);
          gw_sq_lanes_wake (state, lane, GW_SQ_WAITS_SLOT);
          gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_CAP | GW_SQ_WAITS_OTHERS);
        }
    }
}

/* Lanes that wait for @what are told after the commit. @only: (nullable). */
void
gw_sq_lanes_wake (GwSqState *state,
                  GwSqLane *only,
                  GwSqWaits what)
{
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      if ((only == NULL || lane == only) && (lane->waits & what) != 0)
        {
          lane->waits = 0;
          lane->wake = TRUE;
        }
    }
}

guint
gw_sq_lane_slots (const GwSqLane *lane)
{
  if (!lane->enabled || !lane->usable || lane->stopped)
    return 0;

  return MIN (lane->adapted, lane->max_concurrency);
}

guint
gw_sq_lane_in_flight (const GwSqLane *lane)
{
  return lane->live->len + lane->ghosts->len;
}

static int
compare_times (const void *a,
               const void *b)
{
  gint64 left = *(const gint64 *) a;
  gint64 right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

/* Whether no other lane that works has the model. */
static gboolean
is_only_one_with_model (GwSqState *state,
                        GwSqLane *self)
{
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      if (lane != self && gw_sq_lane_slots (lane) > 0 && lane->kind != GW_PROVIDER_PRACTICE
          && g_strcmp0 (lane->model, self->model) == 0)
        return FALSE;
    }

  return TRUE;
}

static guint64
count_route (GwSqState *state,
             const char *provider,
             const char *model)
{
  return (guint64) MAX (0, gw_sq_route_get (state, provider, model)->startable);
}

/**
 * gw_sq_lanes_build:
 * @state: the state, with refreshed piles
 * @asking: the lane that claims
 * @out: (out): what the scheduler sees; valid until the next call, lanes as in `lane_list`
 */
void
gw_sq_lanes_build (GwSqState *state,
                   const GwSqLane *asking,
                   GwSchedulerState *out)
{
  guint n_times = 0;
  gint64 *times;

  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      n_times += gw_sq_lane_in_flight (lane) + lane->sends->len;
    }
  g_array_set_size (state->scheduler_times, n_times);
  g_array_set_size (state->scheduler_lanes, state->lane_list->len);
  times = (gint64 *) (gpointer) state->scheduler_times->data;

  memset (out, 0, sizeof *out);
  out->now = state->now;
  out->memo = state->memo;
  out->cap = gw_sq_engine_get_cap (state->engine);
  out->waiting = count_route (state, NULL, NULL);
  out->lanes = (GwSchedulerLane *) (gpointer) state->scheduler_lanes->data;
  out->n_lanes = state->lane_list->len;
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);
      GwSchedulerLane *seen = &out->lanes[i];

      memset (seen, 0, sizeof *seen);
      seen->slots = gw_sq_lane_slots (lane);
      /* Practice never helps others: nobody may wait for it. */
      if (lane->kind == GW_PROVIDER_PRACTICE && lane != asking)
        seen->slots = 0;
      seen->window_sends = lane->requests_per_minute;
      seen->parked_until = lane->parked;
      seen->last_send = lane->last_send;
      seen->belief = lane->belief;
      seen->pinned_only = lane->kind == GW_PROVIDER_PRACTICE;
      seen->pins = count_route (state, lane->name, NULL);
      if (lane->model != NULL && lane->kind != GW_PROVIDER_PRACTICE
          && is_only_one_with_model (state, lane))
        seen->pins += count_route (state, NULL, lane->model);

      seen->flying = times;
      for (guint j = 0; j < lane->ghosts->len; j++)
        *times++ = g_array_index (lane->ghosts, GwSqGhost, j).sent;
      for (guint j = 0; j < lane->live->len; j++)
        {
          GwSqAttempt *attempt = g_ptr_array_index (lane->live, j);

          *times++ = attempt->sent > 0 ? attempt->sent : attempt->claimed;
        }
      seen->n_flying = gw_sq_lane_in_flight (lane);

      seen->reopens = times;
      for (guint j = 0; j < lane->sends->len; j++)
        {
          gint64 sent = g_array_index (lane->sends, GwSqSend, j).sent;

          *times++ = (sent != 0 ? MIN (sent, state->now) : state->now) + GW_WINDOW_MS;
        }
      seen->n_reopens = lane->sends->len;
      if (seen->n_reopens > 1)
        qsort ((gint64 *) seen->reopens, seen->n_reopens, sizeof (gint64), compare_times);
    }
}

/* How long a call whose answer nobody saw may go on at the provider, after its send. */
static gint64
lane_ghost_ms (const GwSqLane *lane)
{
  double p95;

  if (lane->n_samples == 0)
    return GHOST_UNKNOWN_MS;

  p95 = gw_belief_get_quantile (&lane->belief, 1.65) * 1000;

  return (gint64) CLAMP (p95, GHOST_LEAST_MS, GHOST_MOST_MS);
}

void
gw_sq_lane_add_ghost (GwSqState *state,
                      GwSqLane *lane,
                      gint64 attempt,
                      gint64 sent)
{
  GwSqGhost ghost = { attempt, sent, sent + lane_ghost_ms (lane) };

  if (ghost.until <= state->now)
    return;

  g_array_append_val (lane->ghosts, ghost);
  gw_sq_run (state->db, "INSERT OR REPLACE INTO ghost (attempt, lane, sent, until)"
             " VALUES (?, ?, ?, ?)", "iiii", attempt, lane->pk, ghost.sent, ghost.until);
}

/* A claim: counts in the window at once. */
void
gw_sq_lane_count_send (GwSqState *state,
                       GwSqLane *lane,
                       gint64 attempt)
{
  GwSqSend entry = { attempt, 0 };

  lane->last_send = state->now;
  lane->dirty = TRUE;
  if (lane->requests_per_minute == 0)
    return;

  g_array_append_val (lane->sends, entry);
  gw_sq_run (state->db, "INSERT INTO send (attempt, lane, at) VALUES (?, ?, 0)", "ii", attempt,
             lane->pk);
}

void
gw_sq_lane_note_sent (GwSqState *state,
                      GwSqLane *lane,
                      gint64 attempt,
                      gint64 sent)
{
  lane->last_send = MAX (lane->last_send, sent);
  lane->sent++;
  lane->dirty = TRUE;
  for (guint i = 0; i < lane->sends->len; i++)
    {
      GwSqSend *entry = &g_array_index (lane->sends, GwSqSend, i);

      if (entry->attempt == attempt)
        {
          entry->sent = sent;
          gw_sq_run (state->db, "UPDATE send SET at = ? WHERE attempt = ?", "ii", sent, attempt);
          return;
        }
    }
}

/* The attempt was never sent: its place in the window is free again. */
void
gw_sq_lane_give_back (GwSqState *state,
                      GwSqLane *lane,
                      gint64 attempt)
{
  for (guint i = 0; i < lane->sends->len; i++)
    {
      if (g_array_index (lane->sends, GwSqSend, i).attempt == attempt)
        {
          g_array_remove_index (lane->sends, i);
          gw_sq_run (state->db, "DELETE FROM send WHERE attempt = ?", "i", attempt);
          gw_sq_lanes_wake (state, lane, GW_SQ_WAITS_LANE);
          return;
        }
    }
}

static void
lane_sample (GwSqLane *lane,
             gint64 ms)
{
  lane->samples[lane->n_samples++ % GW_SQ_N_SAMPLES] = (gint32) CLAMP (ms, 0, G_MAXINT32);
}

/* Seconds; 0 without samples. */
double
gw_sq_samples_quantile (const gint32 *samples,
                        guint n_samples,
                        double q)
{
  gint64 sorted[GW_SQ_N_SAMPLES];
  guint n = MIN (n_samples, GW_SQ_N_SAMPLES);
  guint at;

  if (n == 0)
    return 0;

  for (guint i = 0; i < n; i++)
    sorted[i] = samples[i];
  qsort (sorted, n, sizeof (gint64), compare_times);
  at = (guint) (q * (n - 1) + 0.5);

  return sorted[MIN (at, n - 1)] / 1000.0;
}

/**
 * gw_sq_lane_learn:
 * @state: the state
 * @lane: whose call ended
 * @reply: how
 * @sent: queue clock, when the call was sent; 0: never
 *
 * Latency from answers, concurrency from answers and refusals, cool-down and stop from what the
 * reply asks for.
 */
void
gw_sq_lane_learn (GwSqState *state,
                  GwSqLane *lane,
                  const GwReply *reply,
                  gint64 sent)
{
  lane->dirty = TRUE;

  if (reply->act == GW_REPLY_ANSWER)
    {
      gint64 ended = reply->ended_at > 0 ? MIN (reply->ended_at, state->now) : state->now;
      gint64 took = MAX (1, ended - sent);

      lane->offline = FALSE;
      lane->answered++;
      gw_belief_learn (&lane->belief, took / 1000.0);
      lane_sample (lane, took);
      if (lane->adapted < lane->max_concurrency && ++lane->growth >= lane->adapted)
        {
          lane->adapted++;
          lane->growth = 0;
          gw_sq_lanes_wake (state, lane, GW_SQ_WAITS_SLOT);
        }
    }
  else if (reply->has_error)
    {
      lane->failed++;
      g_free (lane->last_error);
      lane->last_error = g_strdup (reply->error_message != NULL
                                   ? reply->error_message : gw_error_title (reply->error_code));
      lane->last_error_at = state->wall;
    }

  if (reply->too_many_at_once)
    {
      gint64 latency = (gint64) (gw_belief_get_mean (&lane->belief) * 1000);

      if (lane->halved == 0 || state->now - lane->halved >= latency)
        {
          lane->adapted = MAX (1, lane->adapted / 2);
          lane->halved = MAX (1, state->now);
        }
      lane->growth = 0;
    }

  if (reply->lane_act == GW_LANE_PARK && reply->lane_for_ms > 0)
    {
      lane->parked = MAX (lane->parked, state->now + reply->lane_for_ms);
      lane->offline = reply->has_error && reply->error_code == GW_ERROR_TASK_NETWORK;
      gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_OTHERS);
    }
  else if (reply->lane_act == GW_LANE_STOP && !lane->stopped)
    {
      lane->stopped = TRUE;
      lane->stop_code = reply->has_error ? reply->error_code : GW_ERROR_TASK_AUTH;
      gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_OTHERS);
    }
}
