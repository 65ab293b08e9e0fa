/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * A claim is the start of an attempt: limits first and exact, then the best pile's head, then
 * whether the lane should; task, attempt, window entry and slot are written in the one step. Who is
 * refused is registered here, in the same step, for what refused it. Writer's thread only.
 */

static GwGrant *
refuse (GwSqState *state,
        GwSqLane *lane,
        GwDecision decision)
{
  GwGrant *grant = g_new0 (GwGrant, 1);
  gint64 ghost = GW_CLOCK_NEVER;

  grant->verdict = decision.verdict;
  grant->ask_at = decision.ask_at;
  switch (decision.verdict)
    {
    case GW_VERDICT_SLOTS:
      lane->waits |= GW_SQ_WAITS_SLOT | GW_SQ_WAITS_LANE;
      break;
    case GW_VERDICT_CAP:
      lane->waits |= GW_SQ_WAITS_CAP;
      break;
    case GW_VERDICT_COOL_DOWN:
    case GW_VERDICT_WINDOW:
      lane->waits |= GW_SQ_WAITS_LANE;
      break;
    case GW_VERDICT_HOLD:
    case GW_VERDICT_SHARE:
      lane->waits |= GW_SQ_WAITS_OTHERS | GW_SQ_WAITS_CAP | GW_SQ_WAITS_TASK;
      break;
    case GW_VERDICT_START:
      lane->waits |= GW_SQ_WAITS_TASK;
      grant->idle = TRUE;
      grant->ask_at = state->next_due;
      return grant;
    default:
      g_assert_not_reached ();
    }

  /* Ghosts leave without anybody's word: their slots are free at that time. */
  if (decision.verdict == GW_VERDICT_SLOTS && gw_sq_lane_slots (lane) > 0)
    {
      for (guint i = 0; i < lane->ghosts->len; i++)
        ghost = MIN (ghost, g_array_index (lane->ghosts, GwSqGhost, i).until);
    }
  else if (decision.verdict == GW_VERDICT_CAP)
    {
      for (guint i = 0; i < state->lane_list->len; i++)
        {
          GwSqLane *other = g_ptr_array_index (state->lane_list, i);

          for (guint j = 0; j < other->ghosts->len; j++)
            ghost = MIN (ghost, g_array_index (other->ghosts, GwSqGhost, j).until);
        }
    }
  grant->ask_at = MIN (grant->ask_at, ghost);

  return grant;
}

/* Whether the pile's tasks may go only here, or to lanes of the same model. No faster lane can be
 * waited for: the scheduler's `waiting` does not count them, and they might be held for ever. */
static gboolean
is_pinned (GwSqPile *pile)
{
  return pile->provider != NULL || pile->model != NULL;
}

static void
start (GwSqState *state,
       GwSqLane *lane,
       guint slot,
       GwSqPile *pile,
       GwGrant *grant)
{
  GwSqAttempt *attempt = g_new0 (GwSqAttempt, 1);
  GwSqProject *project = pile->project;
  GwSqTaskRow task;
  const char *model;

  if (!gw_sq_task_load (state, pile->head, &task))
    {
      /* Only a damaged file gets here: say so instead of going round for ever. */
      if (gw_sq_db_is_ok (state->db))
        {
          state->db->rc = SQLITE_CORRUPT;
          state->db->message = g_strdup ("a queued task is missing");
        }
      g_free (attempt);
      return;
    }

  gw_sq_piles_stale (state, project);
  attempt->pk = ++state->last_attempt;
  attempt->task = task.pk;
  attempt->number = task.claims + 1;
  attempt->lane = lane;
  attempt->project = project;
  attempt->slot = slot;
  attempt->claimed = state->now;
  g_hash_table_insert (state->attempts, &attempt->pk, attempt);
  g_ptr_array_add (lane->live, attempt);
  project->live++;
  project->last_grant = attempt->pk;

  model = pile->provider != NULL && pile->model != NULL ? pile->model : lane->model;
  gw_sq_run (state->db, "UPDATE task SET claims = ?, attempt = ?, lane = ? WHERE pk = ?", "iiii",
             (gint64) attempt->number, attempt->pk, lane->pk, task.pk);
  gw_sq_task_set_state (state, &task, GW_SQ_RUNNING, 0);
  gw_sq_run (state->db, "INSERT INTO attempt (pk, task, number, lane, slot, model, claimed,"
             " claimed_at, outcome, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)", "iiiiisiii",
             attempt->pk, task.pk, (gint64) attempt->number, lane->pk, (gint64) slot, model,
             state->now, state->wall, ++state->journal);
  gw_sq_lane_count_send (state, lane, attempt->pk);
  if (project->stop_after == task.pk)
    {
      project->stop_after = 0;
      gw_sq_project_set_paused (state, project, TRUE);
    }

  grant->attempt = (guint64) attempt->pk;
  grant->number = attempt->number;
  grant->project_id = g_strdup (project->id);
  grant->model = g_strdup (pile->model);
  grant->tries = task.tries;
}

static void
read_content (GwSqState *state,
              gint64 task,
              GwGrant *grant)
{
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT t.id, c.metadata, c.head, c.rest FROM task t JOIN content c ON c.task = t.pk"
    " WHERE t.pk = ?", "i", task);

  if (!gw_sq_row (state->db, row))
    return;
  grant->task_id = gw_sq_dup_id (row, 0);
  if (sqlite3_column_type (row, 1) != SQLITE_NULL)
    grant->metadata = gw_json_parse_object ((const char *) sqlite3_column_text (row, 1),
                                            sqlite3_column_bytes (row, 1), NULL);
  grant->content = g_strconcat ((const char *) sqlite3_column_text (row, 2),
                                (const char *) sqlite3_column_text (row, 3), NULL);
  gw_sq_end (row);
}

/**
 * gw_sq_claim:
 * @state: the state
 * @provider: name of the lane
 * @slot: of the lane
 * @error: (nullable): GW_ERROR_NOT_FOUND
 *
 * Returns: (transfer full) (nullable): the start of an attempt, or why not
 */
GwGrant *
gw_sq_claim (GwSqState *state,
             const char *provider,
             guint slot,
             GError **error)
{
  GwSqLane *lane = gw_sq_lane_get (state, provider);
  GwSchedulerState seen;
  GwDecision decision;
  GwSqPile *pile;
  GwGrant *grant;
  gint64 task;
  guint index;

  if (lane == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
                   "There is no provider “%s”. GET /providers lists them.", provider);
      return NULL;
    }

  gw_sq_lanes_expire (state);
  gw_sq_piles_promote (state);
  gw_sq_piles_refresh (state);
  gw_sq_lanes_build (state, lane, &seen);
  g_ptr_array_find (state->lane_list, lane, &index);
  decision = gw_scheduler_check_limits (&seen, index);
  if (decision.verdict != GW_VERDICT_START)
    return refuse (state, lane, decision);

  pile = gw_sq_piles_best (state, lane, FALSE);
  if (pile != NULL && !is_pinned (pile))
    {
      decision = gw_scheduler_check_worth (&seen, index);
      if (decision.verdict != GW_VERDICT_START)
        {
          GwSqPile *pinned = gw_sq_piles_best (state, lane, TRUE);

          if (pinned == NULL)
            return refuse (state, lane, decision);
          pile = pinned;
        }
    }
  if (pile == NULL)
    return refuse (state, lane, decision);
  if (is_pinned (pile))
    {
      decision = gw_scheduler_check_share (&seen, index);
      if (decision.verdict != GW_VERDICT_START)
        return refuse (state, lane, decision);
    }

  grant = g_new0 (GwGrant, 1);
  grant->verdict = GW_VERDICT_START;
  grant->ask_at = state->now;
  task = pile->head;
  start (state, lane, slot, pile, grant);
  read_content (state, task, grant);

  return grant;
}

gpointer
gw_sq_step_claim (GwSqState *state,
                  gpointer data,
                  GError **error)
{
  GwSqCallArgs *args = data;

  return gw_sq_claim (state, args->provider, args->slot, error);
}
