/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * What the last process left, made right before anything else happens. A process that closed in
 * order left nothing under way. One that died left attempts without an end: nobody can know whether
 * they were sent or answered, so each is uncertain, keeps its slot as a ghost and counts in its
 * window from now; its task is queued again, or held for the user. And the reverse: a close in
 * order. Runs in the writer's state, inside a transaction.
 */

static void
end_attempt (GwSqState *state,
             GwSqAttempt *attempt,
             GwOutcome outcome)
{
  gw_sq_run (state->db, "UPDATE attempt SET outcome = ?, ended_at = ?, revision = ? WHERE pk = ?",
             "diii", (int) outcome, state->wall, ++state->journal, attempt->pk);
}

/* Whether the death counts towards the task's quarantine: nothing else can have been the cause. */
static gboolean
is_suspect (GwSqState *state,
            GwSqAttempt *attempt,
            guint n_live)
{
  return n_live == 1 || attempt->lane->kind == GW_PROVIDER_COMMAND;
}

static void
requeue_uncertain (GwSqState *state,
                   GwSqAttempt *attempt,
                   guint n_live)
{
  GwSqTaskRow task;

  if (!gw_sq_task_load (state, attempt->task, &task) || task.state != GW_SQ_RUNNING
      || task.attempt != attempt->pk)
    return;

  if (is_suspect (state, attempt, n_live))
    task.deaths++;
  /* A call that may have been paid is a call: what a person sees must not be less than that. */
  if (attempt->sent == 0)
    gw_sq_run (state->db, "UPDATE task SET attempts = attempts + 1, started_at = coalesce(started_at,"
               " (SELECT claimed_at FROM attempt WHERE pk = ?)) WHERE pk = ?", "ii", attempt->pk,
               task.pk);
  gw_sq_run (state->db, "UPDATE task SET uncertain = 1, deaths = ? WHERE pk = ?", "ii",
             (gint64) task.deaths, task.pk);
  if (task.deaths >= 3)
    {
      gw_sq_task_end (state, &task, GW_SQ_FAILED, gw_error_to_string (GW_ERROR_TASK_QUARANTINED),
                      "Three times in a row the program died while it worked on this task, so it "
                      "is not tried again by itself. Look at the task, then retry it.");
      return;
    }
  gw_sq_task_requeue (state, &task, 0);

  if (gw_sq_engine_get_options (state->engine)->hold_uncertain && !task.project->paused)
    {
      gw_sq_piles_stale (state, task.project);
      task.project->paused = TRUE;
      task.project->interrupted = TRUE;
      gw_sq_project_touch (state, task.project);
    }
}

static GPtrArray *
list_live (GwSqState *state)
{
  GPtrArray *live = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, state->attempts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (live, value);

  return live;
}

static void
leave_slot (GwSqState *state,
            GwSqAttempt *attempt)
{
  gw_sq_piles_stale (state, attempt->project);
  attempt->project->live--;
  g_ptr_array_remove (attempt->lane->live, attempt);
  g_hash_table_remove (state->attempts, &attempt->pk);
}

static void
recover_attempts (GwSqState *state)
{
  g_autoptr (GPtrArray) live = list_live (state);

  for (guint i = 0; i < live->len; i++)
    {
      GwSqAttempt *attempt = g_ptr_array_index (live, i);
      GwSqLane *lane = attempt->lane;

      state->n_uncertain++;
      end_attempt (state, attempt, GW_OUTCOME_UNCERTAIN);
      gw_sq_run (state->db, "UPDATE attempt SET crash = ? WHERE pk = ?", "ii", state->wall,
                 attempt->pk);
      requeue_uncertain (state, attempt, live->len);
      /* Sent or not, and when: not known. It may have been sent until just now. */
      gw_sq_lane_add_ghost (state, lane, attempt->pk,
                            attempt->sent > 0 ? MIN (attempt->sent, state->now) : state->now);
      if (attempt->sent == 0)
        {
          gw_sq_run (state->db, "UPDATE send SET at = ? WHERE attempt = ?", "ii",
                     MAX (1, state->now), attempt->pk);
          for (guint j = 0; j < lane->sends->len; j++)
            {
              GwSqSend *entry = &g_array_index (lane->sends, GwSqSend, j);

              if (entry->attempt == attempt->pk)
                entry->sent = MAX (1, state->now);
            }
        }
      leave_slot (state, attempt);
    }
}

static void
hold_unfinished (GwSqState *state)
{
  g_autoptr (GArray) projects = g_array_new (FALSE, FALSE, sizeof (gint64));
  gboolean hold = gw_sq_engine_get_options (state->engine)->hold_unfinished;
  sqlite3_stmt *row;

  row = gw_sq_bind (state->db, "SELECT pk FROM project WHERE held = 1"
                    " UNION SELECT p.project FROM pile p WHERE ?1 AND p.n_ready > 0"
                    " UNION SELECT project FROM task WHERE ?1 AND state = 1 AND removed_at IS NULL",
                    "d", (int) hold);
  while (gw_sq_row (state->db, row))
    {
      gint64 pk = sqlite3_column_int64 (row, 0);

      g_array_append_val (projects, pk);
    }
  for (guint i = 0; i < projects->len; i++)
    {
      GwSqProject *project = gw_sq_project_get (state, g_array_index (projects, gint64, i));
      gboolean held;

      if (project == NULL)
        continue;
      held = hold && project->counts[GW_TASK_QUEUED] + project->counts[GW_TASK_RUNNING] > 0;
      if (project->held == held)
        continue;
      gw_sq_piles_stale (state, project);
      project->held = held;
      gw_sq_project_touch (state, project);
    }
}

/* Once, when the file was opened. */
void
gw_sq_recover (GwSqState *state)
{
  sqlite3_stmt *row = gw_sq_bind (state->db, "SELECT opened FROM head", "");
  gboolean crashed = FALSE;
  gboolean moved_in = FALSE;

  if (gw_sq_row (state->db, row))
    {
      crashed = sqlite3_column_int (row, 0) == 1;
      moved_in = sqlite3_column_int (row, 0) == 2;
      gw_sq_end (row);
    }
  /* A move is no end: what the crash before it left is told once more. */
  if (!moved_in)
    gw_sq_run (state->db, "UPDATE attempt SET crash = NULL WHERE crash IS NOT NULL", "");
  if (crashed)
    recover_attempts (state);
  gw_sq_state_flush (state);
  hold_unfinished (state);
  if (moved_in)
    {
      gw_sq_run (state->db, "UPDATE head SET opened = 1", "");
    }
  else
    {
      gw_sq_run (state->db, "UPDATE head SET opened = 1, recovered_at = ?, paid_twice = 0", "i",
                 crashed ? state->wall : (gint64) 0);
      state->paid_twice = 0;
    }

  if (state->default_project == 0)
    {
      GwSqProject *project = gw_sq_project_create (state, GW_PROJECT_DEFAULT_NAME);

      state->default_project = project->pk;
      gw_sq_project_touch (state, project);
    }
  gw_sq_state_flush (state);
}

/* The engine closes in order. Who still holds an attempt can report it to nobody: what was not sent
 * did not happen, what was is given up, and its task is tried again by the next engine. */
void
gw_sq_close_attempts (GwSqState *state)
{
  g_autoptr (GPtrArray) live = list_live (state);

  for (guint i = 0; i < live->len; i++)
    {
      GwSqAttempt *attempt = g_ptr_array_index (live, i);
      GwSqTaskRow task;

      end_attempt (state, attempt, attempt->sent > 0 ? GW_OUTCOME_ABORTED : GW_OUTCOME_UNSENT);
      if (attempt->sent > 0)
        gw_sq_lane_add_ghost (state, attempt->lane, attempt->pk, attempt->sent);
      else
        gw_sq_lane_give_back (state, attempt->lane, attempt->pk);
      if (gw_sq_task_load (state, attempt->task, &task) && task.state == GW_SQ_RUNNING
          && task.attempt == attempt->pk)
        {
          if (attempt->sent > 0)
            gw_sq_run (state->db, "UPDATE task SET uncertain = 1 WHERE pk = ?", "i", task.pk);
          gw_sq_task_requeue (state, &task, 0);
        }
      leave_slot (state, attempt);
    }
  gw_sq_run (state->db, "UPDATE head SET opened = 0", "");
  gw_sq_state_flush (state);
}
