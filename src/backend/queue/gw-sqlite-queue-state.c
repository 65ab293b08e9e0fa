/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * What the writer keeps in memory: numbers, projects with work, piles, lanes, live attempts. It is
 * a cache of the tables and nothing more: read from them at the start, and again after a
 * transaction that failed; what a transaction changed is written back once, before its commit,
 * however many requests changed it. Writer's thread only.
 */

static void
free_project (gpointer data)
{
  GwSqProject *project = data;

  g_free (project->id);
  g_free (project->name);
  g_ptr_array_unref (project->piles);
  g_free (project);
}

static void
free_pile (gpointer pile)
{
  gw_sq_pile_free (pile);
}

static void
free_lane (gpointer lane)
{
  gw_sq_lane_free (lane);
}

static void
free_route (gpointer data)
{
  GwSqRoute *route = data;

  g_tree_unref (route->tree);
  g_free (route);
}

static void
clear_abort (gpointer data)
{
  g_free (((GwSqAbort *) data)->lane);
}

GwTaskStatus
gw_sq_status_of (int state)
{
  return state <= GW_SQ_DELAYED ? GW_TASK_QUEUED : (GwTaskStatus) (state - 1);
}

GwSqState *
gw_sq_state_new (GwSqEngine *engine,
                 GwSqDb *db)
{
  GwSqState *state = g_new0 (GwSqState, 1);
  const GwSqliteQueueOptions *options = gw_sq_engine_get_options (engine);

  state->engine = engine;
  state->db = db;
  state->projects = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_project);
  state->routes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_route);
  state->lanes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_lane);
  state->lane_list = g_ptr_array_new ();
  state->attempts = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  state->dirty_projects = g_ptr_array_new ();
  state->dirty_piles = g_ptr_array_new ();
  state->stale_piles = g_ptr_array_new ();
  state->aborts = g_array_new (FALSE, FALSE, sizeof (GwSqAbort));
  g_array_set_clear_func (state->aborts, clear_abort);
  state->scheduler_lanes = g_array_new (FALSE, TRUE, sizeof (GwSchedulerLane));
  state->scheduler_times = g_array_new (FALSE, FALSE, sizeof (gint64));
  state->memo = gw_scheduler_memo_new ();
  if (options->random_seed != 0)
    {
      guint32 seed[2] = { (guint32) options->random_seed, (guint32) (options->random_seed >> 32) };

      state->random = g_rand_new_with_seed_array (seed, 2);
    }
  else
    {
      state->random = g_rand_new ();
    }
  gw_sq_state_tick (state);

  return state;
}

static void
forget_all (GwSqState *state)
{
  g_ptr_array_set_size (state->dirty_projects, 0);
  g_ptr_array_set_size (state->dirty_piles, 0);
  g_ptr_array_set_size (state->stale_piles, 0);
  g_array_set_size (state->aborts, 0);
  g_hash_table_remove_all (state->attempts);
  g_hash_table_remove_all (state->routes);
  g_hash_table_remove_all (state->projects);
  g_ptr_array_set_size (state->lane_list, 0);
  g_hash_table_remove_all (state->lanes);
  g_clear_pointer (&state->store, g_free);
}

void
gw_sq_state_free (GwSqState *state)
{
  if (state == NULL)
    return;

  forget_all (state);
  g_hash_table_unref (state->projects);
  g_hash_table_unref (state->routes);
  g_hash_table_unref (state->lanes);
  g_ptr_array_unref (state->lane_list);
  g_hash_table_unref (state->attempts);
  g_ptr_array_unref (state->dirty_projects);
  g_ptr_array_unref (state->dirty_piles);
  g_ptr_array_unref (state->stale_piles);
  g_array_unref (state->aborts);
  g_array_unref (state->scheduler_lanes);
  g_array_unref (state->scheduler_times);
  g_strfreev (state->preferred);
  gw_scheduler_memo_free (state->memo);
  g_rand_free (state->random);
  g_free (state);
}

/* Takes the time for the step that comes. */
void
gw_sq_state_tick (GwSqState *state)
{
  GwClock *clock = gw_sq_engine_get_clock (state->engine);

  state->now = gw_clock_now (clock);
  state->wall = gw_clock_wall (clock);
}

gint64
gw_sq_state_to_wall (GwSqState *state,
                     gint64 time)
{
  return time > 0 ? state->wall - (state->now - time) : 0;
}

gint64
gw_sq_state_next_revision (GwSqState *state)
{
  return ++state->revision;
}

static void
load_head (GwSqState *state)
{
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT store, revision, journal, last_task, last_attempt, n_queued, n_running, n_completed,"
    " n_failed, n_cancelled, n_projects, n_sent, n_uncertain, n_extra, paid_twice,"
    " ever_configured FROM head", "");

  if (!gw_sq_row (state->db, row))
    return;

  state->store = gw_sq_dup_text (row, 0);
  state->revision = sqlite3_column_int64 (row, 1);
  state->journal = sqlite3_column_int64 (row, 2);
  state->last_task = sqlite3_column_int64 (row, 3);
  state->last_attempt = sqlite3_column_int64 (row, 4);
  for (int i = 0; i < GW_N_TASK_STATUSES; i++)
    state->counts[i] = sqlite3_column_int64 (row, 5 + i);
  state->n_projects = sqlite3_column_int64 (row, 10);
  state->n_sent = sqlite3_column_int64 (row, 11);
  state->n_uncertain = sqlite3_column_int64 (row, 12);
  state->n_extra = sqlite3_column_int64 (row, 13);
  state->paid_twice = sqlite3_column_int64 (row, 14);
  state->ever_configured = sqlite3_column_int (row, 15);
  gw_sq_end (row);
}

static void
load_attempts (GwSqState *state)
{
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT a.pk, a.task, a.number, a.lane, a.slot, a.claimed, a.sent_at, a.claimed_at, t.project"
    " FROM attempt a JOIN task t ON t.pk = a.task WHERE a.outcome = 0 ORDER BY a.pk", "");

  while (gw_sq_row (state->db, row))
    {
      GwSqAttempt *attempt = g_new0 (GwSqAttempt, 1);
      gint64 sent_at = sqlite3_column_int64 (row, 6);

      attempt->pk = sqlite3_column_int64 (row, 0);
      attempt->task = sqlite3_column_int64 (row, 1);
      attempt->number = (guint) sqlite3_column_int64 (row, 2);
      attempt->lane = gw_sq_lane_by_pk (state, sqlite3_column_int64 (row, 3));
      attempt->slot = (guint) sqlite3_column_int64 (row, 4);
      attempt->claimed = sqlite3_column_int64 (row, 5);
      if (sent_at > 0)
        attempt->sent = attempt->claimed + MAX (0, sent_at - sqlite3_column_int64 (row, 7));
      attempt->project = gw_sq_project_get (state, sqlite3_column_int64 (row, 8));
      if (attempt->lane == NULL || attempt->project == NULL)
        {
          g_free (attempt);
          continue;
        }
      attempt->project->live++;
      g_ptr_array_add (attempt->lane->live, attempt);
      g_hash_table_insert (state->attempts, &attempt->pk, attempt);
    }
}

static void
load_piles (GwSqState *state)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, 2 * sizeof (gint64));
  sqlite3_stmt *row = gw_sq_bind (state->db, "SELECT project, pk FROM pile WHERE n_ready > 0", "");

  while (gw_sq_row (state->db, row))
    {
      gint64 pair[2] = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 1) };

      g_array_append_vals (found, pair, 1);
    }

  for (guint i = 0; i < found->len; i++)
    {
      gint64 *pair = (gint64 *) (gpointer) found->data + 2 * i;
      GwSqPile *pile = gw_sq_pile_get (state, pair[0], pair[1]);

      if (pile != NULL)
        gw_sq_piles_stale (state, pile->project);
    }
}

/**
 * gw_sq_state_load:
 * @state: a state, new or of a transaction that was undone
 *
 * Reads everything anew. Every lane counts as waiting for everything after it, so that nobody who
 * was refused before is forgotten.
 *
 * Returns: whether it could be read; the error sticks in the connection
 */
gboolean
gw_sq_state_load (GwSqState *state)
{
  sqlite3_stmt *row;

  forget_all (state);
  gw_sq_state_tick (state);
  load_head (state);
  gw_sq_lanes_load (state);
  load_attempts (state);
  load_piles (state);

  state->next_due = GW_CLOCK_NEVER;
  row = gw_sq_bind (state->db, "SELECT min(due) FROM task WHERE state = 1 AND removed_at IS NULL",
                    "");
  if (gw_sq_row (state->db, row))
    {
      if (sqlite3_column_type (row, 0) != SQLITE_NULL)
        state->next_due = sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
    }
  gw_sq_plan_sweep (state, FALSE);

  state->default_project = 0;
  row = gw_sq_bind (state->db, "SELECT pk FROM project WHERE name = ?", "s",
                    GW_PROJECT_DEFAULT_NAME);
  if (gw_sq_row (state->db, row))
    {
      state->default_project = sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
    }

  return gw_sq_db_is_ok (state->db);
}

static void
flush_projects (GwSqState *state)
{
  for (guint i = 0; i < state->dirty_projects->len; i++)
    {
      GwSqProject *project = g_ptr_array_index (state->dirty_projects, i);

      project->dirty = FALSE;
      gw_sq_run (state->db,
        "UPDATE project SET name = ?, finished_at = ?, concurrency = ?, paused = ?, held = ?,"
        " interrupted = ?, n_queued = ?, n_running = ?, n_completed = ?, n_failed = ?,"
        " n_cancelled = ?, prompt_tokens = ?, completion_tokens = ?, total_tokens = ?,"
        " revision = ?, last_grant = ?, token_limit = ?, stop_after = ? WHERE pk = ?",
        "sidddddddddiiiiiiii",
        project->name, project->finished_at, (int) project->concurrency, (int) project->paused,
        (int) project->held, (int) project->interrupted,
        (int) project->counts[GW_TASK_QUEUED], (int) project->counts[GW_TASK_RUNNING],
        (int) project->counts[GW_TASK_COMPLETED], (int) project->counts[GW_TASK_FAILED],
        (int) project->counts[GW_TASK_CANCELLED], project->usage.prompt_tokens,
        project->usage.completion_tokens, project->usage.total_tokens, project->revision,
        project->last_grant, project->token_limit, project->stop_after, project->pk);
    }
  g_ptr_array_set_size (state->dirty_projects, 0);
}

static void
flush_piles (GwSqState *state)
{
  for (guint i = 0; i < state->dirty_piles->len; i++)
    {
      GwSqPile *pile = g_ptr_array_index (state->dirty_piles, i);

      pile->dirty = FALSE;
      gw_sq_run (state->db, "UPDATE pile SET n_ready = ? WHERE pk = ?", "ii", pile->n_ready,
                 pile->pk);
    }
  g_ptr_array_set_size (state->dirty_piles, 0);
}

/* Writes back what the steps changed; nothing is dirty after it. */
void
gw_sq_state_flush (GwSqState *state)
{
  flush_projects (state);
  flush_piles (state);
  gw_sq_lanes_flush (state);
  gw_sq_run (state->db,
    "UPDATE head SET revision = ?, journal = ?, last_task = ?, last_attempt = ?, n_queued = ?,"
    " n_running = ?, n_completed = ?, n_failed = ?, n_cancelled = ?, n_projects = ?, n_sent = ?,"
    " n_uncertain = ?, n_extra = ?, paid_twice = ?, ever_configured = ?, wall_offset = ?",
    "iiiiiiiiiiiiiidi", state->revision, state->journal, state->last_task, state->last_attempt,
    state->counts[0], state->counts[1], state->counts[2], state->counts[3], state->counts[4],
    state->n_projects, state->n_sent, state->n_uncertain, state->n_extra, state->paid_twice,
    (int) state->ever_configured, state->wall - state->now);
}

/* Marks a project as changed: it will be written, and stands at the head of the feed. */
void
gw_sq_project_touch (GwSqState *state,
                     GwSqProject *project)
{
  project->revision = gw_sq_state_next_revision (state);
  if (!project->dirty)
    {
      project->dirty = TRUE;
      g_ptr_array_add (state->dirty_projects, project);
    }
}

static GwSqProject *
project_from_row (GwSqState *state,
                  sqlite3_stmt *row)
{
  GwSqProject *project = g_new0 (GwSqProject, 1);

  project->pk = sqlite3_column_int64 (row, 0);
  project->id = gw_sq_dup_id (row, 1);
  project->name = gw_sq_dup_text (row, 2);
  project->created_at = sqlite3_column_int64 (row, 3);
  project->finished_at = sqlite3_column_int64 (row, 4);
  project->concurrency = (guint) sqlite3_column_int64 (row, 5);
  project->paused = sqlite3_column_int (row, 6);
  project->held = sqlite3_column_int (row, 7);
  for (int i = 0; i < GW_N_TASK_STATUSES; i++)
    project->counts[i] = sqlite3_column_int64 (row, 8 + i);
  project->usage.prompt_tokens = sqlite3_column_int64 (row, 13);
  project->usage.completion_tokens = sqlite3_column_int64 (row, 14);
  project->usage.total_tokens = sqlite3_column_int64 (row, 15);
  project->revision = sqlite3_column_int64 (row, 16);
  project->token_limit = sqlite3_column_int64 (row, 17);
  project->last_grant = sqlite3_column_int64 (row, 19);
  project->interrupted = sqlite3_column_int (row, 20);
  project->stop_after = sqlite3_column_int64 (row, 21);
  project->piles = g_ptr_array_new_with_free_func (free_pile);

  return project;
}

/* Projects that have nothing to do need not stay; called between transactions. */
static void
trim_projects (GwSqState *state)
{
  GHashTableIter iter;
  gpointer value;

  if (g_hash_table_size (state->projects) < 1024 || state->dirty_projects->len > 0
      || state->stale_piles->len > 0)
    return;

  g_hash_table_iter_init (&iter, state->projects);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      GwSqProject *project = value;

      if (project->counts[GW_TASK_QUEUED] > 0 || project->counts[GW_TASK_RUNNING] > 0
          || project->live > 0)
        continue;
      for (guint i = 0; i < project->piles->len; i++)
        gw_sq_pile_unlist (state, g_ptr_array_index (project->piles, i));
      g_hash_table_iter_remove (&iter);
    }
}

/**
 * gw_sq_project_get:
 * @state: the state
 * @pk: key of a project
 *
 * Returns: (transfer none) (nullable): the project, read with its piles if it was not here; valid
 *   until the end of the transaction
 */
GwSqProject *
gw_sq_project_get (GwSqState *state,
                   gint64 pk)
{
  GwSqProject *project = g_hash_table_lookup (state->projects, &pk);
  sqlite3_stmt *row;

  if (project != NULL)
    return project;

  row = gw_sq_bind (state->db, "SELECT " GW_SQ_PROJECT_COLUMNS ", last_grant, interrupted, stop_after"
                    " FROM project WHERE pk = ?", "i", pk);
  if (!gw_sq_row (state->db, row))
    return NULL;
  project = project_from_row (state, row);
  gw_sq_end (row);
  g_hash_table_insert (state->projects, &project->pk, project);

  row = gw_sq_bind (state->db, "SELECT pk, provider, model, n_ready FROM pile WHERE project = ?",
                    "i", pk);
  while (gw_sq_row (state->db, row))
    gw_sq_pile_add (state, project, sqlite3_column_int64 (row, 0),
                    (const char *) sqlite3_column_text (row, 1),
                    (const char *) sqlite3_column_text (row, 2), sqlite3_column_int64 (row, 3));
  gw_sq_piles_stale (state, project);

  return project;
}

/**
 * gw_sq_project_find:
 * @state: the state
 * @id_or_name: what somebody calls it
 * @error: (nullable): GW_ERROR_NOT_FOUND
 *
 * Returns: (transfer none) (nullable): the project
 */
GwSqProject *
gw_sq_project_find (GwSqState *state,
                    const char *id_or_name,
                    GError **error)
{
  gint64 pk = gw_sq_find_project (state->db, id_or_name, error);

  return pk != 0 ? gw_sq_project_get (state, pk) : NULL;
}

/* @name was checked and is free. */
GwSqProject *
gw_sq_project_create (GwSqState *state,
                      const char *name)
{
  GwSqProject *project = g_new0 (GwSqProject, 1);
  guint8 blob[16];

  project->id = gw_id_new ();
  project->name = g_strdup (name);
  project->created_at = state->wall;
  project->usage = GW_USAGE_NONE;
  project->piles = g_ptr_array_new_with_free_func (free_pile);
  gw_id_to_bytes (project->id, blob);
  project->revision = gw_sq_state_next_revision (state);
  gw_sq_run (state->db, "INSERT INTO project (id, name, created_at, revision) VALUES (?, ?, ?, ?)",
             "usii", blob, name, project->created_at, project->revision);
  project->pk = sqlite3_last_insert_rowid (state->db->handle);
  /* After a failed insert the whole transaction is undone; the key must only not be taken. */
  if (!gw_sq_db_is_ok (state->db))
    project->pk = -1 - (gint64) g_hash_table_size (state->projects);
  g_hash_table_insert (state->projects, &project->pk, project);
  state->n_projects++;

  return project;
}

/* Drops a project that was deleted from its table. */
void
gw_sq_project_forget (GwSqState *state,
                      GwSqProject *project)
{
  for (guint i = 0; i < project->piles->len; i++)
    {
      GwSqPile *pile = g_ptr_array_index (project->piles, i);

      gw_sq_pile_unlist (state, pile);
      g_ptr_array_remove (state->dirty_piles, pile);
      g_ptr_array_remove (state->stale_piles, pile);
    }
  g_ptr_array_remove (state->dirty_projects, project);
  g_hash_table_remove (state->projects, &project->pk);
}

/* Counts a task into or out of a status, and sees whether the project is finished by it. */
void
gw_sq_count (GwSqState *state,
             GwSqProject *project,
             GwTaskStatus status,
             int by)
{
  project->counts[status] += by;
  state->counts[status] += by;
}

/* Called by the engine between transactions. */
void
gw_sq_state_trim (GwSqState *state)
{
  trim_projects (state);
}
