/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * What time removes: tasks that were hidden an hour ago, projects that finished `keep-days` ago,
 * ids in the feed's list of removals, idempotency keys of what is gone. The next date is always
 * known, so the writer sleeps until then, and for ever if there is none. Writer's thread only.
 */

#define SWEEP_AT_ONCE 2000
#define AFTER_START_MS 60000

/* The list of removals stays short; who last looked before what is dropped begins anew. */
void
gw_sq_trim_removed (GwSqState *state)
{
  gint64 too_many = 0;
  gint64 floor = 0;
  sqlite3_stmt *row = gw_sq_bind (state->db, "SELECT n_removals FROM head", "");

  if (gw_sq_row (state->db, row))
    {
      too_many = sqlite3_column_int64 (row, 0) - GW_SQ_REMOVALS_KEPT;
      gw_sq_end (row);
    }

  row = gw_sq_bind (state->db, "SELECT max(revision) FROM (SELECT revision FROM removal"
                    " ORDER BY revision LIMIT max(?, 0))", "i", too_many);
  if (gw_sq_row (state->db, row))
    {
      floor = sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
    }
  row = gw_sq_bind (state->db, "SELECT revision, at FROM removal WHERE revision > ?"
                    " ORDER BY revision", "i", floor);
  while (gw_sq_row (state->db, row))
    {
      if (sqlite3_column_int64 (row, 1) > state->wall - GW_SQ_DAY_MS)
        {
          gw_sq_end (row);
          break;
        }
      floor = sqlite3_column_int64 (row, 0);
    }
  if (floor == 0)
    return;

  gw_sq_run (state->db, "DELETE FROM removal WHERE revision <= ?", "i", floor);
  gw_sq_run (state->db, "UPDATE head SET removal_floor = max(removal_floor, ?),"
             " n_removals = (SELECT count(*) FROM removal)", "i", floor);
}

/* Finds when there will be something to do. @swept: something was done just now. */
void
gw_sq_plan_sweep (GwSqState *state,
                  gboolean swept)
{
  guint keep_days = gw_sq_engine_get_options (state->engine)->keep_days;
  gint64 first;

  state->next_sweep = GW_CLOCK_NEVER;
  first = gw_sq_read_number (state->db,
                             "SELECT min(removed_at) FROM task WHERE removed_at IS NOT NULL", "");
  if (first > 0)
    state->next_sweep = first + GW_SQ_REMOVED_KEPT_MS;
  first = gw_sq_read_number (state->db, "SELECT at FROM removal ORDER BY revision LIMIT 1", "");
  if (first > 0)
    state->next_sweep = MIN (state->next_sweep, first + GW_SQ_DAY_MS);
  first = gw_sq_read_number (state->db, "SELECT min(created_at) FROM submission WHERE orphan = 1",
                             "");
  if (first > 0)
    state->next_sweep = MIN (state->next_sweep, first + GW_SQ_DAY_MS);
  if (keep_days > 0)
    {
      first = gw_sq_read_number (state->db,
                                 "SELECT min(finished_at) FROM project WHERE finished_at > 0"
                                 " AND name <> 'default'", "");
      if (first > 0)
        state->next_sweep = MIN (state->next_sweep, first + keep_days * GW_SQ_DAY_MS);
      /* Its oldest end is not indexed: once a day is often enough, and soon after a start, or a
       * machine that is off at night would never get to it. */
      first = gw_sq_read_number (state->db,
                                 "SELECT n_completed + n_failed + n_cancelled FROM project"
                                 " WHERE name = 'default'", "");
      if (first > 0)
        state->next_sweep = MIN (state->next_sweep,
                                 state->wall + (swept ? GW_SQ_DAY_MS : AFTER_START_MS));
    }
}

gboolean
gw_sq_sweep_is_due (GwSqState *state)
{
  return state->wall >= state->next_sweep;
}

static guint
delete_removed (GwSqState *state)
{
  g_autoptr (GArray) tasks = g_array_new (FALSE, FALSE, sizeof (gint64));
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT pk FROM task WHERE removed_at IS NOT NULL AND removed_at <= ? ORDER BY removed_at"
    " LIMIT ?", "id", state->wall - GW_SQ_REMOVED_KEPT_MS, SWEEP_AT_ONCE);

  while (gw_sq_row (state->db, row))
    {
      gint64 pk = sqlite3_column_int64 (row, 0);

      g_array_append_val (tasks, pk);
    }
  for (guint i = 0; i < tasks->len; i++)
    gw_sq_task_delete (state, g_array_index (tasks, gint64, i));

  return tasks->len;
}

static void
delete_old_projects (GwSqState *state)
{
  guint keep_days = gw_sq_engine_get_options (state->engine)->keep_days;
  g_autoptr (GArray) projects = g_array_new (FALSE, FALSE, sizeof (gint64));
  sqlite3_stmt *row;

  if (keep_days == 0)
    return;

  row = gw_sq_bind (state->db, "SELECT pk FROM project WHERE finished_at > 0 AND finished_at <= ?"
                    " AND name <> 'default' LIMIT 16", "i",
                    state->wall - keep_days * GW_SQ_DAY_MS);
  while (gw_sq_row (state->db, row))
    {
      gint64 pk = sqlite3_column_int64 (row, 0);

      g_array_append_val (projects, pk);
    }
  for (guint i = 0; i < projects->len; i++)
    {
      GwSqProject *project = gw_sq_project_get (state, g_array_index (projects, gint64, i));

      /* A call that was given up may still be on its way home. */
      if (project != NULL && project->live == 0)
        gw_sq_delete_project (state, project);
    }
}

/* The default project never goes; its old tasks do. */
static guint
remove_old_tasks (GwSqState *state)
{
  typedef struct {
    gint64 pk;
    char *id;
  } Old;

  guint keep_days = gw_sq_engine_get_options (state->engine)->keep_days;
  g_autoptr (GArray) tasks = NULL;
  sqlite3_stmt *row;
  guint n;

  if (keep_days == 0)
    return 0;

  tasks = g_array_new (FALSE, FALSE, sizeof (Old));
  row = gw_sq_bind (state->db, "SELECT pk, id FROM task INDEXED BY task_project WHERE project = ?"
                    " AND state >= 3 AND removed_at IS NULL AND finished_at <= ? LIMIT ?", "iid",
                    state->default_project, state->wall - keep_days * GW_SQ_DAY_MS, SWEEP_AT_ONCE);
  while (gw_sq_row (state->db, row))
    {
      Old old = { sqlite3_column_int64 (row, 0), gw_sq_dup_id (row, 1) };

      g_array_append_val (tasks, old);
    }
  for (guint i = 0; i < tasks->len; i++)
    {
      Old *old = &g_array_index (tasks, Old, i);
      GwSqTaskRow task;

      if (gw_sq_task_load (state, old->pk, &task))
        gw_sq_task_remove (state, &task, old->id);
      g_free (old->id);
    }
  n = tasks->len;

  return n;
}

/* One turn, short enough for claims to come between; the next is planned. */
void
gw_sq_sweep (GwSqState *state)
{
  guint deleted = MAX (delete_removed (state), remove_old_tasks (state));

  delete_old_projects (state);
  gw_sq_trim_removed (state);
  gw_sq_run (state->db, "DELETE FROM submission WHERE orphan = 1 AND created_at <= ?", "i",
             state->wall - GW_SQ_DAY_MS);
  /* Pages that are free go back to the disk, a few at a time. */
  gw_sq_run (state->db, "PRAGMA incremental_vacuum(512)", "");
  gw_sq_plan_sweep (state, TRUE);
  /* Something that cannot be removed yet is looked at again in a minute. */
  if (state->next_sweep <= state->wall)
    state->next_sweep = state->wall + (deleted == SWEEP_AT_ONCE ? 1 : 60000);
}
