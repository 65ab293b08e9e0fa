/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * A project with its figures: when it is expected to end, the least time that the limits allow for it,
 * and how near it came. Reader's thread. The bound walks through the project's calls, so it is kept
 * until the project changes, and while it runs for a few seconds more.
 */

#define MOST_CALLS 20000 /* of a project that the bound is worked out from; more change little */
#define BOUND_KEPT_MS 5000

typedef struct {
  gint64 pk;
  gint64 revision;
  gint64 time;
  double bound_s;
  double makespan_s;
} Bound;

static GArray *
find_durations (GPtrArray *lanes,
                GArray **durations,
                gint64 lane)
{
  for (guint i = 0; i < lanes->len; i++)
    {
      if (((GwSqLane *) g_ptr_array_index (lanes, i))->pk == lane)
        return durations[i];
    }

  return NULL;
}

static void
read_calls (GwSqView *view,
            gint64 project,
            GPtrArray *lanes,
            GArray **durations)
{
  sqlite3_stmt *row = gw_sq_bind (view->db,
    "SELECT a.lane, a.ended_at - a.sent_at FROM task t INDEXED BY task_project"
    " JOIN attempt a INDEXED BY attempt_task ON a.task = t.pk"
    " WHERE t.project = ? AND t.removed_at IS NULL AND a.outcome = 1 AND a.sent_at > 0"
    " ORDER BY t.pk LIMIT ?", "id", project, MOST_CALLS);

  while (gw_sq_row (view->db, row))
    {
      GArray *list = find_durations (lanes, durations, sqlite3_column_int64 (row, 0));
      double seconds = MAX (0.001, sqlite3_column_int64 (row, 1) / 1000.0);

      if (list != NULL)
        g_array_append_val (list, seconds);
    }
}

/* From the first submit to the last end; 0 without tasks. */
static double
read_makespan (GwSqView *view,
               gint64 pk,
               const GwProject *project)
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
  if (from == 0 || project->finished_at == 0)
    return 0;

  return MAX (0, project->finished_at - from) / 1000.0;
}

static double
work_out_bound (GwSqView *view,
                gint64 pk,
                const GwProject *project)
{
  GPtrArray *lanes = gw_sq_view_lanes (view);
  g_autofree GwBoundLane *bound = g_new0 (GwBoundLane, lanes->len + 1);
  g_autofree GArray **durations = g_new0 (GArray *, lanes->len + 1);
  guint64 n = project->counts[GW_TASK_COMPLETED] + gw_project_count_unfinished (project);
  guint n_used = 0;
  double seconds = -1;

  for (guint i = 0; i < lanes->len; i++)
    durations[i] = g_array_new (FALSE, FALSE, sizeof (double));
  read_calls (view, pk, lanes, durations);
  for (guint i = 0; i < lanes->len; i++)
    {
      const GwSqLane *lane = g_ptr_array_index (lanes, i);

      /* A lane that could have been used counts, and one that was, whatever it is now. Practice is
       * no way to do real tasks. */
      if (durations[i]->len == 0
          && (gw_sq_lane_slots (lane) == 0 || lane->kind == GW_PROVIDER_PRACTICE))
        continue;
      bound[n_used].slots = lane->max_concurrency;
      bound[n_used].window_sends = lane->requests_per_minute;
      bound[n_used].durations_s = (const double *) (gpointer) durations[i]->data;
      bound[n_used].n_durations = durations[i]->len;
      bound[n_used].prior_s = gw_belief_get_mean (&lane->belief);
      n_used++;
    }
  if (n_used > 0 && n > 0)
    {
      guint cap = gw_sq_engine_get_options (view->engine)->max_concurrency;

      /* The user's own limit binds as the cap does. */
      if (project->concurrency > 0)
        cap = MIN (cap, project->concurrency);
      seconds = gw_scheduler_bound (bound, n_used, cap, n);
    }
  for (guint i = 0; i < lanes->len; i++)
    g_array_unref (durations[i]);

  return seconds;
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
  bound->makespan_s = read_makespan (view, pk, project);
  bound->bound_s = work_out_bound (view, pk, project);
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
  project->estimate_efficiency = -1;
  if (unfinished == 0)
    {
      if (bound->bound_s > 0 && bound->makespan_s > 0)
        project->estimate_efficiency = MIN (1, bound->bound_s / bound->makespan_s);
      return;
    }

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
  gint64 pk = gw_sq_view_find_project (view, args->id, error);
  GwProject *project = pk != 0 ? gw_sq_view_get_project (view, pk) : NULL;

  if (project != NULL && project->created_at > 0)
    add_estimate (view, pk, project);

  return project;
}
