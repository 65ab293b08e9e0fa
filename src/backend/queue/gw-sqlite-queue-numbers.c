/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * Numbers of the whole: lanes, counts, what the scheduler sees, estimates. Each read costs as much
 * as there are lanes, calls in flight and piles, never as much as there are tasks. Reader's thread.
 */

static void
free_lane (gpointer lane)
{
  gw_sq_lane_free (lane);
}

static GwSqLane *
find_lane (GPtrArray *lanes,
           gint64 pk)
{
  for (guint i = 0; i < lanes->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (lanes, i);

      if (lane->pk == pk)
        return lane;
    }

  return NULL;
}

/**
 * gw_sq_view_lanes:
 * @view: the read under way
 *
 * Returns: (transfer none) (element-type GwSqLane): all lanes with what flies and what counts now
 */
GPtrArray *
gw_sq_view_lanes (GwSqView *view)
{
  GwSqLane *lane;
  sqlite3_stmt *row;

  if (view->lanes != NULL)
    return view->lanes;

  view->lanes = g_ptr_array_new_with_free_func (free_lane);
  view->attempts = g_ptr_array_new_with_free_func (g_free);
  row = gw_sq_bind (view->db, "SELECT " GW_SQ_LANE_COLUMNS " FROM lane ORDER BY pk", "");
  while (gw_sq_row (view->db, row))
    g_ptr_array_add (view->lanes, gw_sq_lane_from_row (row));

  row = gw_sq_bind (view->db, "SELECT attempt, lane, at FROM send ORDER BY attempt", "");
  while (gw_sq_row (view->db, row))
    {
      GwSqSend entry = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 2) };

      lane = find_lane (view->lanes, sqlite3_column_int64 (row, 1));
      if (lane != NULL && (entry.sent == 0 || entry.sent + GW_WINDOW_MS > view->now))
        g_array_append_val (lane->sends, entry);
    }

  row = gw_sq_bind (view->db, "SELECT attempt, lane, sent, until FROM ghost ORDER BY attempt", "");
  while (gw_sq_row (view->db, row))
    {
      GwSqGhost ghost = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 2),
                          sqlite3_column_int64 (row, 3) };

      lane = find_lane (view->lanes, sqlite3_column_int64 (row, 1));
      if (lane != NULL && ghost.until > view->now)
        g_array_append_val (lane->ghosts, ghost);
    }

  row = gw_sq_bind (view->db, "SELECT pk, lane, claimed, sent_at, claimed_at FROM attempt"
                    " INDEXED BY attempt_live WHERE outcome = 0", "");
  while (gw_sq_row (view->db, row))
    {
      GwSqAttempt *attempt;
      gint64 sent_at = sqlite3_column_int64 (row, 3);

      lane = find_lane (view->lanes, sqlite3_column_int64 (row, 1));
      if (lane == NULL)
        continue;
      attempt = g_new0 (GwSqAttempt, 1);
      attempt->pk = sqlite3_column_int64 (row, 0);
      attempt->claimed = sqlite3_column_int64 (row, 2);
      if (sent_at > 0)
        attempt->sent = attempt->claimed + MAX (0, sent_at - sqlite3_column_int64 (row, 4));
      g_ptr_array_add (view->attempts, attempt);
      g_ptr_array_add (lane->live, attempt);
    }

  return view->lanes;
}

static gint64
window_opens_at (GwSqView *view,
                 const GwSqLane *lane)
{
  gint64 first = GW_CLOCK_NEVER;

  if (lane->requests_per_minute == 0 || lane->sends->len < lane->requests_per_minute)
    return 0;
  for (guint i = 0; i < lane->sends->len; i++)
    {
      gint64 sent = g_array_index (lane->sends, GwSqSend, i).sent;

      first = MIN (first, (sent != 0 ? sent : view->now) + GW_WINDOW_MS);
    }

  return first;
}

gpointer
gw_sq_read_lanes (GwSqView *view,
                  gpointer data,
                  GError **error)
{
  GPtrArray *lanes = gw_sq_view_lanes (view);
  GPtrArray *states = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_lane_state_free);

  for (guint i = 0; i < lanes->len; i++)
    {
      const GwSqLane *lane = g_ptr_array_index (lanes, i);
      GwLaneState *state = g_new0 (GwLaneState, 1);
      sqlite3_stmt *row;

      state->provider = g_strdup (lane->name);
      state->model = g_strdup (lane->model);
      state->enabled = lane->enabled;
      state->usable = lane->usable;
      state->max_concurrency = lane->max_concurrency;
      state->adapted_concurrency = MIN (lane->adapted, lane->max_concurrency);
      state->requests_per_minute = lane->requests_per_minute;
      state->in_flight = gw_sq_lane_in_flight (lane);
      state->ghosts = lane->ghosts->len;
      state->sends_in_window = lane->sends->len;
      state->window_opens_at = window_opens_at (view, lane);
      state->parked_until = lane->parked > view->now ? lane->parked : 0;
      state->offline = lane->offline;
      state->stopped = lane->stopped;
      state->stop_code = lane->stop_code;
      state->last_error = g_strdup (lane->last_error);
      state->last_error_at = lane->last_error_at;
      state->sent = (guint64) lane->sent;
      state->answered = (guint64) lane->answered;
      state->failed = (guint64) lane->failed;
      state->samples = lane->n_samples;
      state->latency_p50_s = gw_sq_samples_quantile (lane->samples, lane->n_samples, 0.5);
      state->latency_p95_s = gw_sq_samples_quantile (lane->samples, lane->n_samples, 0.95);
      row = gw_sq_bind (view->db, "SELECT sum(n_ready) FROM pile INDEXED BY pile_ready"
                        " WHERE n_ready > 0 AND provider = ?", "s", lane->name);
      if (gw_sq_row (view->db, row))
        {
          state->waiting = (guint64) sqlite3_column_int64 (row, 0);
          gw_sq_end (row);
        }
      g_ptr_array_add (states, state);
    }

  return states;
}

gpointer
gw_sq_read_stats (GwSqView *view,
                  gpointer data,
                  GError **error)
{
  GwQueueStats *stats = g_new0 (GwQueueStats, 1);
  GPtrArray *lanes = gw_sq_view_lanes (view);
  sqlite3_stmt *row = gw_sq_bind (view->db,
    "SELECT store, revision, n_queued, n_running, n_completed, n_failed, n_cancelled, n_projects,"
    " n_sent, n_uncertain, n_extra FROM head", "");

  if (gw_sq_row (view->db, row))
    {
      stats->store = gw_sq_dup_text (row, 0);
      stats->revision = (guint64) sqlite3_column_int64 (row, 1);
      for (int i = 0; i < GW_N_TASK_STATUSES; i++)
        stats->counts[i] = (guint64) sqlite3_column_int64 (row, 2 + i);
      stats->projects = (guint64) sqlite3_column_int64 (row, 7);
      stats->attempts_sent = (guint64) sqlite3_column_int64 (row, 8);
      stats->attempts_uncertain = (guint64) sqlite3_column_int64 (row, 9);
      stats->answers_extra = (guint64) sqlite3_column_int64 (row, 10);
      gw_sq_end (row);
    }
  stats->max_concurrency = gw_sq_engine_get_options (view->engine)->max_concurrency;
  stats->commits = gw_sq_engine_get_commits (view->engine);
  stats->no_space = gw_sq_engine_is_full (view->engine);
  for (guint i = 0; i < lanes->len; i++)
    {
      const GwSqLane *lane = g_ptr_array_index (lanes, i);

      stats->in_flight += gw_sq_lane_in_flight (lane);
      stats->ghosts += lane->ghosts->len;
    }

  /* The first of each pile is its oldest, but for priorities: near enough, and no look at all
   * tasks. */
  row = gw_sq_bind (view->db,
    "SELECT min((SELECT t.created_at FROM task t INDEXED BY task_ready WHERE t.pile = p.pk"
    " AND t.state = 0 AND t.removed_at IS NULL ORDER BY t.priority DESC, t.pk LIMIT 1))"
    " FROM (SELECT pk FROM pile INDEXED BY pile_ready WHERE n_ready > 0 LIMIT 1000) p", "");
  if (gw_sq_row (view->db, row))
    {
      stats->oldest_queued_at = sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
    }

  return stats;
}

/* The index of the one working lane that has the model; -1: none, or several. */
static int
only_lane_with (GPtrArray *lanes,
                const char *model)
{
  int found = -1;

  for (guint i = 0; i < lanes->len; i++)
    {
      const GwSqLane *lane = g_ptr_array_index (lanes, i);

      if (lane->kind == GW_PROVIDER_PRACTICE || gw_sq_lane_slots (lane) == 0
          || g_strcmp0 (lane->model, model) != 0)
        continue;
      if (found >= 0)
        return -1;
      found = (int) i;
    }

  return found;
}

static int
compare_times (gconstpointer a,
               gconstpointer b)
{
  gint64 left = *(const gint64 *) a;
  gint64 right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

static void
fill_lane (GwSqView *view,
           const GwSqLane *lane,
           GwSchedulerLane *seen)
{
  gint64 *flying = g_new0 (gint64, gw_sq_lane_in_flight (lane) + 1);
  gint64 *reopens = g_new0 (gint64, lane->sends->len + 1);

  for (guint i = 0; i < lane->ghosts->len; i++)
    flying[seen->n_flying++] = g_array_index (lane->ghosts, GwSqGhost, i).sent;
  for (guint i = 0; i < lane->live->len; i++)
    {
      GwSqAttempt *attempt = g_ptr_array_index (lane->live, i);

      flying[seen->n_flying++] = attempt->sent > 0 ? attempt->sent : attempt->claimed;
    }
  for (guint i = 0; i < lane->sends->len; i++)
    {
      gint64 sent = g_array_index (lane->sends, GwSqSend, i).sent;

      reopens[seen->n_reopens++] = (sent != 0 ? MIN (sent, view->now) : view->now) + GW_WINDOW_MS;
    }
  if (seen->n_reopens > 1)
    qsort (reopens, seen->n_reopens, sizeof (gint64), compare_times);
  seen->flying = flying;
  seen->reopens = reopens;
  seen->slots = gw_sq_lane_slots (lane);
  seen->window_sends = lane->requests_per_minute;
  seen->parked_until = lane->parked;
  seen->last_send = lane->last_send;
  seen->belief = lane->belief;
  seen->pinned_only = lane->kind == GW_PROVIDER_PRACTICE;
}

/**
 * gw_sq_view_scheduler:
 * @view: the read under way
 * @snapshot: (out): what the scheduler sees, with every task that no user's act keeps back
 * @own: 0, or how many tasks one project waits for: others count as far as they come in between
 *
 * Returns: whether it could be read
 */
gboolean
gw_sq_view_scheduler (GwSqView *view,
                      GwQueueSnapshot *snapshot,
                      gint64 own)
{
  GPtrArray *lanes = gw_sq_view_lanes (view);
  GwSchedulerState *state = &snapshot->state;
  sqlite3_stmt *row;

  memset (state, 0, sizeof *state);
  snapshot->names = g_ptr_array_new_with_free_func (g_free);
  state->now = view->now;
  state->cap = gw_sq_engine_get_cap (view->engine);
  state->n_lanes = lanes->len;
  state->lanes = g_new0 (GwSchedulerLane, lanes->len + 1);
  for (guint i = 0; i < lanes->len; i++)
    {
      const GwSqLane *lane = g_ptr_array_index (lanes, i);

      g_ptr_array_add (snapshot->names, g_strdup (lane->name));
      fill_lane (view, lane, &state->lanes[i]);
    }

  row = gw_sq_bind (view->db,
    "SELECT p.provider, p.model, sum(CASE WHEN ?1 > 0 THEN min(p.n_ready, ?1) ELSE p.n_ready END)"
    " FROM pile p INDEXED BY pile_ready JOIN project r ON r.pk = p.project"
    " WHERE p.n_ready > 0 AND r.paused = 0 AND r.held = 0 GROUP BY p.provider, p.model", "i", own);
  while (gw_sq_row (view->db, row))
    {
      const char *provider = (const char *) sqlite3_column_text (row, 0);
      const char *model = (const char *) sqlite3_column_text (row, 1);
      guint64 n = (guint64) sqlite3_column_int64 (row, 2);
      int only = *provider == '\0' && *model != '\0' ? only_lane_with (lanes, model) : -1;

      for (guint i = 0; i < lanes->len && *provider != '\0'; i++)
        {
          if (g_str_equal (((GwSqLane *) g_ptr_array_index (lanes, i))->name, provider))
            only = (int) i;
        }
      if (only >= 0)
        state->lanes[only].pins += n;
      else if (*provider == '\0')
        state->waiting += n;
    }
  row = gw_sq_bind (view->db, "SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_due"
                    " WHERE state = 1 AND removed_at IS NULL LIMIT 10000)", "");
  if (gw_sq_row (view->db, row))
    {
      state->waiting += (guint64) sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
    }

  /* Practice is no way to do what is not meant for it. */
  for (guint i = 0; i < lanes->len; i++)
    {
      if (((GwSqLane *) g_ptr_array_index (lanes, i))->kind == GW_PROVIDER_PRACTICE
          && state->lanes[i].pins == 0)
        state->lanes[i].slots = 0;
    }

  /* A project with a concurrency of its own takes its rounds, however free the lanes are. */
  row = gw_sq_bind (view->db,
    "SELECT sum(max(0, r.n_queued + r.n_running - r.concurrency)),"
    " max((r.n_queued + r.n_running + r.concurrency - 1) / r.concurrency) FROM project r"
    " WHERE r.concurrency > 0 AND r.paused = 0 AND r.held = 0 AND r.pk IN"
    " (SELECT project FROM pile INDEXED BY pile_ready WHERE n_ready > 0)", "");
  if (gw_sq_row (view->db, row))
    {
      guint64 later = (guint64) sqlite3_column_int64 (row, 0);

      state->rounds = (guint64) sqlite3_column_int64 (row, 1);
      state->later = MIN (later, state->waiting);
      state->waiting -= state->later;
      gw_sq_end (row);
    }

  return gw_sq_db_is_ok (view->db);
}

gpointer
gw_sq_read_snapshot (GwSqView *view,
                     gpointer data,
                     GError **error)
{
  GwQueueSnapshot *snapshot = g_new0 (GwQueueSnapshot, 1);

  gw_sq_view_scheduler (view, snapshot, 0);

  return snapshot;
}
