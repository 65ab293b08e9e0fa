/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"
#include "worker/gw-efficiency.h"

/*
 * A project with its figures: when it is expected to end, the least time that the limits allow for
 * it, and how near it came. Reader's thread. Bound and efficiency are worked out from the project's
 * calls (gw-efficiency.h), so they are kept until the project changes, and while it runs for a few
 * seconds more.
 */

#define MOST_CALLS 20000 /* of a project that the bound is worked out from; more change little */
#define BOUND_KEPT_MS 5000

typedef struct {
  gint64 pk;
  gint64 revision;
  gint64 time;
  double bound_s;     /* negative: not known */
  double efficiency;  /* negative: not known */
} Bound;

static int
find_lane (GPtrArray *lanes,
           gint64 pk)
{
  for (guint i = 0; i < lanes->len; i++)
    {
      if (((GwSqLane *) g_ptr_array_index (lanes, i))->pk == pk)
        return (int) i;
    }

  return -1;
}

static int
compare_sends (gconstpointer a,
               gconstpointer b)
{
  const GwEfficiencyCall *left = a;
  const GwEfficiencyCall *right = b;

  return (left->sent_at > right->sent_at) - (left->sent_at < right->sent_at);
}

/* (element-type GwEfficiencyCall): the project's calls whose length is known, in the order of their
 * sends. Of an uncertain one nobody knows when it ended. */
static GArray *
read_calls (GwSqView *view,
            gint64 project,
            GPtrArray *lanes)
{
  GArray *calls = g_array_new (FALSE, FALSE, sizeof (GwEfficiencyCall));
  sqlite3_stmt *row = gw_sq_bind (view->db,
    "SELECT a.lane, a.sent_at, a.ended_at, a.outcome FROM task t INDEXED BY task_project"
    " JOIN attempt a INDEXED BY attempt_task ON a.task = t.pk"
    " WHERE t.project = ? AND t.removed_at IS NULL AND a.sent_at > 0 AND a.ended_at > 0"
    " AND a.outcome NOT IN (?, ?) ORDER BY t.pk LIMIT ?",
    "iddd", project, GW_OUTCOME_LIVE, GW_OUTCOME_UNCERTAIN, MOST_CALLS);

  while (gw_sq_row (view->db, row))
    {
      int lane = find_lane (lanes, sqlite3_column_int64 (row, 0));
      GwEfficiencyCall call = { .sent_at = sqlite3_column_int64 (row, 1) };

      if (lane < 0)
        continue;
      call.lane = (guint) lane;
      call.ended_at = MAX (call.sent_at, sqlite3_column_int64 (row, 2));
      call.answered = sqlite3_column_int (row, 3) == GW_OUTCOME_ANSWERED;
      g_array_append_val (calls, call);
    }
  g_array_sort (calls, compare_sends);

  return calls;
}

/* When the first task was submitted; 0 without tasks. */
static gint64
read_submitted_at (GwSqView *view,
                   gint64 pk)
{
  sqlite3_stmt *row = gw_sq_bind (view->db,
    "SELECT created_at FROM task INDEXED BY task_project WHERE project = ? AND removed_at IS NULL"
    " ORDER BY pk LIMIT 1", "i", pk);
  gint64 from = 0;

  if (gw_sq_row (view->db, row))
    {
      from = sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
    }

  return from;
}

/* The lanes as the bound sees them, by the indices of @lanes: one that could have been used has its
 * slots, and one that was, whatever it is now. Practice is no way to do real tasks. */
static GwBoundLane *
make_bound_lanes (GPtrArray *lanes,
                  const GArray *calls)
{
  GwBoundLane *bound = g_new0 (GwBoundLane, lanes->len + 1);

  for (guint i = 0; i < lanes->len; i++)
    {
      const GwSqLane *lane = g_ptr_array_index (lanes, i);

      bound[i].window_sends = lane->requests_per_minute;
      bound[i].prior_s = gw_belief_get_mean (&lane->belief);
      if (gw_sq_lane_slots (lane) > 0 && lane->kind != GW_PROVIDER_PRACTICE)
        bound[i].slots = lane->max_concurrency;
    }
  for (guint i = 0; i < calls->len; i++)
    {
      guint index = g_array_index (calls, GwEfficiencyCall, i).lane;
      const GwSqLane *lane = g_ptr_array_index (lanes, index);

      /* The limit of one that was removed is forgotten, what it had adapted to is not. */
      bound[index].slots = lane->max_concurrency > 0 ? lane->max_concurrency : lane->adapted;
    }

  return bound;
}

static void
work_out (GwSqView *view,
          gint64 pk,
          const GwProject *project,
          Bound *bound)
{
  GPtrArray *lanes = gw_sq_view_lanes (view);
  g_autoptr (GArray) calls = read_calls (view, pk, lanes);
  g_autofree GwBoundLane *bound_lanes = make_bound_lanes (lanes, calls);
  guint cap = gw_sq_engine_get_cap (view->engine);
  guint64 unfinished = gw_project_count_unfinished (project);
  guint64 n = project->counts[GW_TASK_COMPLETED] + unfinished;
  gint64 submitted_at = read_submitted_at (view, pk);

  bound->bound_s = bound->efficiency = -1;
  /* The user's own limit binds as the cap does. */
  if (project->concurrency > 0)
    cap = MIN (cap, project->concurrency);
  if (n == 0 || submitted_at == 0)
    return;

  if (unfinished == 0 && calls->len < MOST_CALLS)
    {
      GwEfficiency reached = gw_efficiency_measure (
        bound_lanes, lanes->len, cap, submitted_at,
        (const GwEfficiencyCall *) (gconstpointer) calls->data, calls->len);

      bound->bound_s = reached.bound_s;
      bound->efficiency = reached.efficiency;
      return;
    }

  bound->bound_s = gw_efficiency_bound (bound_lanes, lanes->len, cap, calls, n);
  if (unfinished == 0 && bound->bound_s > 0 && project->finished_at > submitted_at)
    bound->efficiency = MIN (1, bound->bound_s * 1000
                                  / (double) (project->finished_at - submitted_at));
}

static const Bound *
get_bound (GwSqView *view,
           gint64 pk,
           const GwProject *project)
{
  Bound *bound = view->bounds != NULL ? g_hash_table_lookup (view->bounds, &pk) : NULL;

  if (bound != NULL
      && (bound->revision == (gint64) project->revision
          || (project->finished_at == 0 && view->now - bound->time < BOUND_KEPT_MS)))
    return bound;

  bound = g_new0 (Bound, 1);
  bound->pk = pk;
  bound->revision = (gint64) project->revision;
  bound->time = view->now;
  work_out (view, pk, project, bound);
  if (g_hash_table_size (view->bounds) > 256)
    g_hash_table_remove_all (view->bounds);
  g_hash_table_replace (view->bounds, &bound->pk, bound);

  return bound;
}

static void
add_estimate (GwSqView *view,
              gint64 pk,
              GwProject *project)
{
  guint64 unfinished = gw_project_count_unfinished (project);
  const Bound *bound = get_bound (view, pk, project);

  project->has_estimate = TRUE;
  project->estimate_finish_at = project->finished_at;
  project->estimate_bound_s = bound->bound_s;
  project->estimate_efficiency = unfinished == 0 ? bound->efficiency : -1;
  if (unfinished == 0)
    return;

  project->estimate_finish_at = 0;
  if (!project->paused && !project->held)
    {
      g_autoptr (GwQueueSnapshot) snapshot = g_new0 (GwQueueSnapshot, 1);
      GwEstimate estimate;

      if (!gw_sq_view_scheduler (view, snapshot, (gint64) unfinished))
        return;
      estimate = gw_scheduler_estimate (&snapshot->state);
      if (estimate.finish_s >= 0)
        project->estimate_finish_at = view->wall + (gint64) (estimate.finish_s * 1000);
    }
}

gpointer
gw_sq_read_project (GwSqView *view,
                    gpointer data,
                    GError **error)
{
  GwSqReadArgs *args = data;
  gint64 pk = gw_sq_find_project (view->db, args->id, error);
  GwProject *project = pk != 0 ? gw_sq_view_get_project (view, pk) : NULL;

  if (project != NULL && project->created_at > 0)
    add_estimate (view, pk, project);

  return project;
}
