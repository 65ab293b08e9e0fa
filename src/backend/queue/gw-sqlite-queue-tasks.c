/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * A task's row and what may become of it: every change of state goes through here, so that counts,
 * piles, revisions and the project's end cannot part. And the verbs for single tasks: cancel,
 * retry, remove, restore, move. Writer's thread only.
 */

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS 60000
#define CANCELLED_MESSAGE "The task was cancelled before it was answered."

#define ROW_COLUMNS \
  "pk, project, pile, state, priority, started_at, removed_at, attempts, claims, tries, streak," \
  " deaths, attempt"

static void
read_row (GwSqState *state,
          sqlite3_stmt *row,
          GwSqTaskRow *task)
{
  gint64 project = sqlite3_column_int64 (row, 1);

  task->pk = sqlite3_column_int64 (row, 0);
  task->pile = sqlite3_column_int64 (row, 2);
  task->state = sqlite3_column_int (row, 3);
  task->priority = sqlite3_column_int (row, 4);
  task->started_at = sqlite3_column_int64 (row, 5);
  task->removed_at = sqlite3_column_int64 (row, 6);
  task->attempts = (guint) sqlite3_column_int64 (row, 7);
  task->claims = (guint) sqlite3_column_int64 (row, 8);
  task->tries = (guint) sqlite3_column_int64 (row, 9);
  task->streak = (guint) sqlite3_column_int64 (row, 10);
  task->deaths = (guint) sqlite3_column_int64 (row, 11);
  task->attempt = sqlite3_column_int64 (row, 12);
  gw_sq_end (row);
  task->project = gw_sq_project_get (state, project);
}

gboolean
gw_sq_task_load (GwSqState *state,
                 gint64 pk,
                 GwSqTaskRow *task)
{
  sqlite3_stmt *row = gw_sq_bind (state->db, "SELECT " ROW_COLUMNS " FROM task WHERE pk = ?", "i",
                                  pk);

  if (!gw_sq_row (state->db, row))
    return FALSE;
  read_row (state, row, task);

  return task->project != NULL;
}

/* Errors: GW_ERROR_NOT_FOUND, for a removed task too. */
static gboolean
task_find (GwSqState *state,
           const char *id,
           GwSqTaskRow *task,
           GError **error)
{
  guint8 blob[16];

  if (gw_id_to_bytes (id, blob))
    {
      sqlite3_stmt *row = gw_sq_bind (state->db, "SELECT " ROW_COLUMNS
                                      " FROM task WHERE id = ? AND removed_at IS NULL", "u", blob);

      if (gw_sq_row (state->db, row))
        {
          read_row (state, row, task);
          return task->project != NULL;
        }
    }
  g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
               "There is no task “%s”. It may have been removed.", id);

  return FALSE;
}

static void
settle_project (GwSqState *state,
                GwSqProject *project)
{
  if (project->counts[GW_TASK_QUEUED] + project->counts[GW_TASK_RUNNING] > 0)
    project->finished_at = 0;
  else if (project->finished_at == 0
           && project->counts[GW_TASK_COMPLETED] + project->counts[GW_TASK_FAILED]
              + project->counts[GW_TASK_CANCELLED] > 0)
    {
      guint keep_days = gw_sq_engine_get_options (state->engine)->keep_days;

      project->finished_at = state->wall;
      if (keep_days > 0)
        state->next_sweep = MIN (state->next_sweep, state->wall + keep_days * GW_SQ_DAY_MS);
    }
}

/* The pile's and the project's side of a task that enters or leaves a state. */
static void
account (GwSqState *state,
         GwSqTaskRow *task,
         int task_state,
         int by)
{
  gw_sq_count (state, task->project, gw_sq_status_of (task_state), by);
  if (task_state == GW_SQ_READY)
    {
      GwSqPile *pile = gw_sq_pile_get (state, task->project->pk, task->pile);

      if (pile != NULL && by > 0)
        gw_sq_pile_put (state, pile, task->pk, task->priority);
      else if (pile != NULL)
        gw_sq_pile_take (state, pile, task->pk);
    }
  if (task_state <= GW_SQ_DELAYED && by > 0)
    task->project->cursor = MIN (task->project->cursor, task->pk);
  /* In a serial project any change may let another pile's task go. */
  if (task->project->concurrency > 0)
    gw_sq_piles_stale (state, task->project);
}

/* A task after which its project was to stop, and that is gone before it began. */
static void
forget_stop (GwSqTaskRow *task,
             int to)
{
  if (to >= GW_SQ_COMPLETED && task->project->stop_after == task->pk)
    task->project->stop_after = 0;
}

/**
 * gw_sq_task_set_state:
 * @state: the state
 * @task: a row as loaded; follows the change
 * @to: the new state
 * @due: with GW_SQ_DELAYED: queue clock
 *
 * The row's state, revision, counts and pile. What else belongs to the change is the caller's.
 */
void
gw_sq_task_set_state (GwSqState *state,
                      GwSqTaskRow *task,
                      int to,
                      gint64 due)
{
  gint64 revision = gw_sq_state_next_revision (state);

  account (state, task, task->state, -1);
  gw_sq_run (state->db, "UPDATE task SET state = ?, due = ?, revision = ?, finished_at = ?"
             " WHERE pk = ?", "dnini", to, to == GW_SQ_DELAYED ? due : (gint64) 0, revision,
             to >= GW_SQ_COMPLETED ? state->wall : (gint64) 0, task->pk);
  task->state = to;
  account (state, task, to, 1);
  if (to == GW_SQ_DELAYED)
    state->next_due = MIN (state->next_due, due);
  forget_stop (task, to);
  settle_project (state, task->project);
  gw_sq_project_touch (state, task->project);
}

/* Ends a task without an answer. */
void
gw_sq_task_end (GwSqState *state,
                GwSqTaskRow *task,
                int to,
                const char *code,
                const char *message)
{
  gw_sq_run (state->db, "INSERT OR REPLACE INTO answer (task, error_code, error_message)"
             " VALUES (?, ?, ?)", "iss", task->pk, code, message);
  gw_sq_task_set_state (state, task, to, 0);
}

/* @delay: milliseconds; 0: at once. */
void
gw_sq_task_requeue (GwSqState *state,
                    GwSqTaskRow *task,
                    gint64 delay)
{
  if (delay > 0)
    gw_sq_task_set_state (state, task, GW_SQ_DELAYED, state->now + delay);
  else
    gw_sq_task_set_state (state, task, GW_SQ_READY, 0);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);
}

/* 1 s, doubled with each turn up to a minute, and a fifth more or less so that tasks which failed
 * together do not come back together. */
gint64
gw_sq_backoff (GwSqState *state,
               guint turn)
{
  gint64 base = BACKOFF_FIRST_MS;

  for (guint i = 1; i < turn && base < BACKOFF_MOST_MS; i++)
    base *= 2;
  base = MIN (base, BACKOFF_MOST_MS);

  return (gint64) (base * g_rand_double_range (state->random, 0.8, 1.2));
}

static gboolean
task_is_live (GwSqState *state,
              gint64 task)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, state->attempts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      if (((GwSqAttempt *) value)->task == task)
        return TRUE;
    }

  return FALSE;
}

/* Tells the lane of a live attempt to give its call up. */
void
gw_sq_task_abort_calls (GwSqState *state,
                        gint64 task)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, state->attempts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      GwSqAttempt *attempt = value;

      if (attempt->task == task)
        {
          GwSqAbort abort = { attempt->pk, g_strdup (attempt->lane->name) };

          g_array_append_val (state->aborts, abort);
        }
    }
}

/* Ends the task if it has not ended. */
static gboolean
cancel_task (GwSqState *state,
             GwSqTaskRow *task)
{
  if (task->state >= GW_SQ_COMPLETED)
    return FALSE;

  if (task->state == GW_SQ_RUNNING)
    gw_sq_task_abort_calls (state, task->pk);
  gw_sq_task_end (state, task, GW_SQ_CANCELLED, gw_error_to_string (GW_ERROR_TASK_CANCELLED),
                  CANCELLED_MESSAGE);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);

  return TRUE;
}

/* Ends every task of the project that has not ended, as cancel_task() does for one, in two
 * statements however many they are: slots wait meanwhile. Revisions follow the keys, so they may
 * leave gaps. */
guint64
gw_sq_cancel_all (GwSqState *state,
                  GwSqProject *project)
{
  gint64 first = gw_sq_read_number (
    state->db, "SELECT pk FROM task INDEXED BY task_project WHERE project = ? ORDER BY pk LIMIT 1",
    "i", project->pk);
  gint64 last = gw_sq_read_number (
    state->db, "SELECT pk FROM task INDEXED BY task_project WHERE project = ?"
    " ORDER BY pk DESC LIMIT 1", "i", project->pk);
  GHashTableIter iter;
  gpointer value;
  int changed;

  if (project->counts[GW_TASK_QUEUED] + project->counts[GW_TASK_RUNNING] == 0)
    return 0;

  g_hash_table_iter_init (&iter, state->attempts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      GwSqAttempt *attempt = value;
      GwSqTaskRow task;

      if (attempt->project == project && gw_sq_task_load (state, attempt->task, &task)
          && task.state == GW_SQ_RUNNING)
        {
          GwSqAbort abort = { attempt->pk, g_strdup (attempt->lane->name) };

          g_array_append_val (state->aborts, abort);
        }
    }

  gw_sq_run (state->db, "INSERT OR REPLACE INTO answer (task, error_code, error_message)"
             " SELECT pk, ?, ? FROM task INDEXED BY task_project WHERE project = ? AND state <= 2"
             " AND removed_at IS NULL ORDER BY pk", "ssi",
             gw_error_to_string (GW_ERROR_TASK_CANCELLED), CANCELLED_MESSAGE, project->pk);
  gw_sq_run (state->db, "UPDATE task INDEXED BY task_project SET state = 5, due = NULL,"
             " revision = pk + ?, finished_at = ? WHERE project = ? AND state <= 2"
             " AND removed_at IS NULL", "iii", state->revision + 1 - first, state->wall,
             project->pk);
  if (!gw_sq_db_is_ok (state->db))
    return 0;

  changed = sqlite3_changes (state->db->handle);
  state->revision += last - first + 1;
  gw_sq_piles_empty (state, project);
  project->stop_after = 0;
  gw_sq_count (state, project, GW_TASK_QUEUED, -(int) project->counts[GW_TASK_QUEUED]);
  gw_sq_count (state, project, GW_TASK_RUNNING, -(int) project->counts[GW_TASK_RUNNING]);
  gw_sq_count (state, project, GW_TASK_CANCELLED, changed);
  settle_project (state, project);
  gw_sq_project_touch (state, project);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);

  return (guint64) changed;
}

/* Queues an ended task again, in its place; its pins are checked. */
gboolean
gw_sq_retry (GwSqState *state,
             GwSqTaskRow *task,
             const char *provider,
             const char *model)
{
  if ((task->state != GW_SQ_FAILED && task->state != GW_SQ_CANCELLED)
      || task_is_live (state, task->pk))
    return FALSE;

  if (provider != NULL || model != NULL)
    {
      task->pile = gw_sq_pile_for (state, task->project, provider, model)->pk;
      gw_sq_run (state->db, "UPDATE task SET pile = ? WHERE pk = ?", "ii", task->pile, task->pk);
    }
  gw_sq_run (state->db, "UPDATE task SET tries = 0, streak = 0, deaths = 0, uncertain = 0"
             " WHERE pk = ?", "i", task->pk);
  gw_sq_run (state->db, "DELETE FROM answer WHERE task = ?", "i", task->pk);
  gw_sq_task_requeue (state, task, 0);

  return TRUE;
}

/* The task as it is now, read the way readers do. */
static GwTask *
read_task (GwSqState *state,
           gint64 pk)
{
  GwSqView view;
  GwTask *task;

  gw_sq_state_flush (state);
  gw_sq_view_init (&view, state->engine, state->db);
  task = gw_sq_view_get_task (&view, pk);
  gw_sq_view_clear (&view);

  return task;
}

gpointer
gw_sq_step_cancel_task (GwSqState *state,
                        gpointer data,
                        GError **error)
{
  GwSqVerbArgs *args = data;
  GwSqTaskRow task;

  if (!task_find (state, args->id, &task, error))
    return NULL;
  if (!cancel_task (state, &task))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "The task %s has ended already: it is %s.", args->id,
                   gw_task_status_to_string (gw_sq_status_of (task.state)));
      return NULL;
    }

  return read_task (state, task.pk);
}

gpointer
gw_sq_step_retry_task (GwSqState *state,
                       gpointer data,
                       GError **error)
{
  GwSqVerbArgs *args = data;
  GwSqTaskRow task;

  if (!task_find (state, args->id, &task, error)
      || !gw_sq_check_pins (state, args->name, args->model, error))
    return NULL;
  if (task.state != GW_SQ_FAILED && task.state != GW_SQ_CANCELLED)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "The task %s is %s; only a failed or cancelled one can be tried again.",
                   args->id, gw_task_status_to_string (gw_sq_status_of (task.state)));
      return NULL;
    }
  if (task_is_live (state, task.pk))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "A call for the task %s is still being given up. Try again in a moment.",
                   args->id);
      return NULL;
    }
  gw_sq_retry (state, &task, args->name, args->model);

  return read_task (state, task.pk);
}

/* Tells followers that the task or project is gone. */
void
gw_sq_note_removed (GwSqState *state,
                    const char *id)
{
  guint8 blob[16];

  if (!gw_id_to_bytes (id, blob))
    return;

  gw_sq_run (state->db, "INSERT INTO removal (revision, id, at) VALUES (?, ?, ?)", "iui",
             gw_sq_state_next_revision (state), blob, state->wall);
  gw_sq_run (state->db, "UPDATE head SET n_removals = n_removals + 1", "");
  state->next_sweep = MIN (state->next_sweep, state->wall + GW_SQ_DAY_MS);
}

/* Hides a task from everybody; it can come back for an hour. */
gboolean
gw_sq_task_remove (GwSqState *state,
                   GwSqTaskRow *task,
                   const char *id)
{
  if (task->removed_at > 0 || task_is_live (state, task->pk))
    return FALSE;

  account (state, task, task->state, -1);
  forget_stop (task, GW_SQ_CANCELLED);
  settle_project (state, task->project);
  gw_sq_run (state->db, "UPDATE task SET removed_at = ? WHERE pk = ?", "ii", state->wall, task->pk);
  gw_sq_note_removed (state, id);
  gw_sq_project_touch (state, task->project);
  state->next_sweep = MIN (state->next_sweep, state->wall + GW_SQ_REMOVED_KEPT_MS);

  return TRUE;
}

static gboolean
restore_task (GwSqState *state,
              GwSqTaskRow *task,
              const guint8 *id)
{
  if (task->removed_at == 0)
    return FALSE;

  gw_sq_run (state->db, "UPDATE task SET removed_at = NULL, revision = ? WHERE pk = ?", "ii",
             gw_sq_state_next_revision (state), task->pk);
  gw_sq_run (state->db, "UPDATE head SET n_removals = n_removals -"
             " (SELECT count(*) FROM removal WHERE id = ?)", "u", id);
  gw_sq_run (state->db, "DELETE FROM removal WHERE id = ?", "u", id);
  account (state, task, task->state, 1);
  settle_project (state, task->project);
  gw_sq_project_touch (state, task->project);
  /* Its due time may be over or not: looked at with the next claim. */
  if (task->state == GW_SQ_DELAYED)
    state->next_due = 0;

  return TRUE;
}

gpointer
gw_sq_step_set_removed (GwSqState *state,
                        gpointer data,
                        GError **error)
{
  GwSqVerbArgs *args = data;
  guint64 *changed = g_new0 (guint64, 1);

  for (guint i = 0; args->ids[i] != NULL; i++)
    {
      guint8 blob[16];
      GwSqTaskRow task;
      sqlite3_stmt *row;

      if (!gw_id_to_bytes (args->ids[i], blob))
        continue;
      row = gw_sq_bind (state->db, "SELECT " ROW_COLUMNS " FROM task WHERE id = ?", "u", blob);
      if (!gw_sq_row (state->db, row))
        continue;
      read_row (state, row, &task);
      if (task.project == NULL)
        continue;
      if (args->flag ? gw_sq_task_remove (state, &task, args->ids[i])
                     : restore_task (state, &task, blob))
        (*changed)++;
    }
  gw_sq_trim_removed (state);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);

  return changed;
}

/* Where what is moved next goes in its project: before, or behind, all of it that waits. */
static int
find_place (GwSqState *state,
            GwSqProject *project,
            gboolean top)
{
  gint64 farthest;

  if (top)
    {
      farthest = gw_sq_read_number (state->db,
        "SELECT priority FROM task INDEXED BY task_moved WHERE project = ? AND " GW_SQ_IS_MOVED
        " ORDER BY priority DESC LIMIT 1", "i", project->pk);
      return (int) MIN (MAX (farthest, GW_TASK_MAX_PRIORITY) + 1, GW_TASK_FARTHEST_PRIORITY);
    }
  farthest = gw_sq_read_number (state->db,
    "SELECT priority FROM task INDEXED BY task_moved WHERE project = ? AND " GW_SQ_IS_MOVED
    " ORDER BY priority LIMIT 1", "i", project->pk);

  return (int) MAX (MIN (farthest, -GW_TASK_MAX_PRIORITY) - 1, -GW_TASK_FARTHEST_PRIORITY);
}

static gboolean
move_task (GwSqState *state,
           GwSqTaskRow *task,
           int priority)
{
  if (task->priority == priority)
    return FALSE;

  account (state, task, task->state, -1);
  gw_sq_run (state->db, "UPDATE task SET priority = ?, revision = ? WHERE pk = ?", "dii", priority,
             gw_sq_state_next_revision (state), task->pk);
  task->priority = priority;
  account (state, task, task->state, 1);

  return TRUE;
}

gpointer
gw_sq_step_move_tasks (GwSqState *state,
                       gpointer data,
                       GError **error)
{
  GwSqVerbArgs *args = data;
  guint64 *changed = g_new0 (guint64, 1);
  g_autoptr (GHashTable) places = g_hash_table_new (NULL, NULL); /* project -> priority */

  for (guint i = 0; args->ids[i] != NULL; i++)
    {
      GwSqTaskRow task;
      gpointer place;

      if (!task_find (state, args->ids[i], &task, NULL) || task.state > GW_SQ_DELAYED)
        continue;
      if (args->move.to == GW_MOVE_TO_PRIORITY)
        place = GINT_TO_POINTER (args->move.priority);
      else if (!g_hash_table_lookup_extended (places, task.project, NULL, &place))
        {
          place = GINT_TO_POINTER (
              find_place (state, task.project, args->move.to == GW_MOVE_TO_TOP));
          g_hash_table_insert (places, task.project, place);
        }
      if (move_task (state, &task, GPOINTER_TO_INT (place)))
        (*changed)++;
    }
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK | GW_SQ_WAITS_OTHERS);

  return changed;
}

/* Deletes a task for good, with all that belongs to it. Its counts are the caller's. */
void
gw_sq_task_delete (GwSqState *state,
                   gint64 pk)
{
  gw_sq_run (state->db, "DELETE FROM attempt_text WHERE attempt IN"
             " (SELECT pk FROM attempt WHERE task = ?)", "i", pk);
  gw_sq_run (state->db, "DELETE FROM attempt WHERE task = ?", "i", pk);
  gw_sq_run (state->db, "DELETE FROM answer WHERE task = ?", "i", pk);
  gw_sq_run (state->db, "DELETE FROM content WHERE task = ?", "i", pk);
  gw_sq_run (state->db, "DELETE FROM task WHERE pk = ?", "i", pk);
  gw_sq_run (state->db, "UPDATE submission SET orphan = 1 WHERE first_task = ?", "i", pk);
}

/* A lane has begun to listen: it is told again of every call that it should have given up. */
gpointer
gw_sq_step_replay_aborts (GwSqState *state,
                          gpointer data,
                          GError **error)
{
  GwSqVerbArgs *args = data;
  GwSqLane *lane = gw_sq_lane_get (state, args->id);

  for (guint i = 0; lane != NULL && i < lane->live->len; i++)
    {
      GwSqAttempt *attempt = g_ptr_array_index (lane->live, i);
      GwSqAbort abort = { attempt->pk, NULL };
      GwSqTaskRow task;

      if (gw_sq_task_load (state, attempt->task, &task) && task.state == GW_SQ_RUNNING
          && task.attempt == attempt->pk)
        continue;
      abort.lane = g_strdup (lane->name);
      g_array_append_val (state->aborts, abort);
    }

  return NULL;
}
