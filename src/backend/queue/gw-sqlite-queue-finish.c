/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * An attempt is sent, and ends. Compare-and-set: an answer becomes the task's result if the task
 * has not ended and no newer attempt has been sent; otherwise it is kept with the attempt, as
 * extra, and counted. The slot is free (or a ghost's) in the same step. Writer's thread only.
 */

#define DEATHS_TO_QUARANTINE 3

/* The send becomes known: to the window, the journal and the task. */
static void
note_sent (GwSqState *state,
           GwSqAttempt *attempt,
           gint64 sent)
{
  GwSqTaskRow task;
  gint64 sent_at;

  attempt->sent = MAX (CLAMP (sent, attempt->claimed, state->now), 1);
  sent_at = gw_sq_state_to_wall (state, attempt->sent);
  state->n_sent++;
  gw_sq_lane_note_sent (state, attempt->lane, attempt->pk, attempt->sent);
  gw_sq_run (state->db, "UPDATE attempt SET sent_at = ?, revision = ? WHERE pk = ?", "iii", sent_at,
             ++state->journal, attempt->pk);
  /* A task that has ended changes no more. */
  if (gw_sq_task_load (state, attempt->task, &task) && task.state == GW_SQ_RUNNING)
    gw_sq_run (state->db, "UPDATE task SET attempts = attempts + 1,"
               " started_at = coalesce(started_at, ?), revision = ? WHERE pk = ?", "iii", sent_at,
               gw_sq_state_next_revision (state), task.pk);
}

static gboolean
find_ended (GwSqState *state,
            gint64 pk,
            GError **error)
{
  sqlite3_stmt *row = gw_sq_bind (state->db, "SELECT 1 FROM attempt WHERE pk = ?", "i", pk);

  if (gw_sq_row (state->db, row))
    {
      gw_sq_end (row);
      g_set_error (error, GW_ERROR, GW_ERROR_CONFLICT,
                   "The attempt %" G_GINT64_FORMAT " has ended already.", pk);
      return TRUE;
    }
  g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND, "There is no attempt %" G_GINT64_FORMAT ".",
               pk);

  return FALSE;
}

gpointer
gw_sq_step_note_sent (GwSqState *state,
                      gpointer data,
                      GError **error)
{
  GwSqCallArgs *args = data;
  gint64 pk = (gint64) args->attempt;
  GwSqAttempt *attempt = g_hash_table_lookup (state->attempts, &pk);

  if (attempt == NULL)
    find_ended (state, pk, error);
  else if (attempt->sent == 0)
    note_sent (state, attempt, args->sent_at);

  return NULL;
}

static void
write_attempt (GwSqState *state,
               gint64 pk,
               const GwReply *reply,
               GwOutcome outcome)
{
  const char *code = reply->has_error ? gw_error_to_string (reply->error_code) : NULL;
  const char *message = reply->has_error ? reply->error_message : NULL;
  const char *extra = outcome == GW_OUTCOME_EXTRA ? reply->result : NULL;
  gint64 ended = reply->ended_at > 0 ? MIN (reply->ended_at, state->now) : state->now;
  gint64 first = reply->first_byte_at > 0 ? MIN (reply->first_byte_at, state->now) : 0;

  gw_sq_run (state->db,
    "UPDATE attempt SET outcome = ?, reported = 1, first_byte_at = ?, ended_at = ?, error_code = ?,"
    " prompt_tokens = ?, completion_tokens = ?, total_tokens = ?, revision = ? WHERE pk = ?",
    "diisiiiii", (int) outcome, gw_sq_state_to_wall (state, first),
    gw_sq_state_to_wall (state, ended), code, reply->usage.prompt_tokens,
    reply->usage.completion_tokens, reply->usage.total_tokens, ++state->journal, pk);
  if (message != NULL || reply->raw != NULL || extra != NULL)
    gw_sq_run (state->db, "INSERT OR REPLACE INTO attempt_text (attempt, error_message, raw, extra)"
               " VALUES (?, ?, ?, ?)", "isss", pk, message, reply->raw, extra);
}

static void
add_tokens (gint64 *sum,
            gint64 more)
{
  if (more >= 0)
    *sum = MIN (MAX (*sum, 0) + more, GW_USAGE_MOST_SUM);
}

static void
store_answer (GwSqState *state,
              GwSqTaskRow *task,
              const GwReply *reply,
              gint64 duration)
{
  GwUsage *usage = &task->project->usage;
  const char *result = reply->result != NULL ? reply->result : "";

  gw_sq_run (state->db,
    "INSERT OR REPLACE INTO answer (task, model, finish_reason, prompt_tokens, completion_tokens,"
    " total_tokens, duration_ms, size, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "issiiiiis",
    task->pk, reply->model, reply->finish_reason, reply->usage.prompt_tokens,
    reply->usage.completion_tokens, reply->usage.total_tokens, duration, (gint64) strlen (result),
    result);
  add_tokens (&usage->prompt_tokens, reply->usage.prompt_tokens);
  add_tokens (&usage->completion_tokens, reply->usage.completion_tokens);
  add_tokens (&usage->total_tokens, reply->usage.total_tokens);
  if (gw_sq_project_is_spent (task->project))
    gw_sq_project_set_paused (state, task->project, TRUE);
  gw_sq_task_set_state (state, task, GW_SQ_COMPLETED, 0);
}

static GwFinishResult
fail_task (GwSqState *state,
           GwSqTaskRow *task,
           GwError code,
           const char *message)
{
  gw_sq_task_end (state, task, GW_SQ_FAILED, gw_error_to_string (code),
                  message != NULL ? message : gw_error_title (code));

  return GW_FINISH_FAILED;
}

/* What follows for a task whose call ended without an answer. */
static GwFinishResult
go_on (GwSqState *state,
       GwSqTaskRow *task,
       const GwReply *reply,
       gboolean was_sent)
{
  guint most = gw_sq_engine_get_options (state->engine)->max_attempts;
  GwError code = reply->has_error ? reply->error_code : GW_ERROR_TASK_UNKNOWN;
  gboolean counted = reply->act == GW_REPLY_RETRY;
  gboolean uncertain = FALSE;
  gint64 delay = 0;

  if (reply->act == GW_REPLY_FAIL)
    return fail_task (state, task, code, reply->error_message);

  /* The lane is to blame, or nobody: another lane may take the task at once. */
  if (reply->lane_act == GW_LANE_STOP || reply->act == GW_REPLY_ABORTED)
    {
      counted = FALSE;
      uncertain = reply->act == GW_REPLY_ABORTED && was_sent;
    }
  else if (reply->died_with_worker)
    {
      counted = FALSE;
      if (++task->deaths >= DEATHS_TO_QUARANTINE)
        {
          g_autofree char *message = g_strdup_printf (
            "The program that works on this task died %u times in a row, so the task is not given "
            "to it again. Look at the task's attempts, then retry it.", task->deaths);

          return fail_task (state, task, GW_ERROR_TASK_QUARANTINED, message);
        }
      delay = gw_sq_backoff (state, ++task->streak);
    }
  else if (counted)
    {
      task->deaths = 0;
      task->streak = 0;
      if (++task->tries >= MAX (1, most))
        {
          gw_sq_run (state->db, "UPDATE task SET tries = ? WHERE pk = ?", "ii",
                     (gint64) task->tries, task->pk);
          return fail_task (state, task, code, reply->error_message);
        }
      delay = gw_sq_backoff (state, task->tries);
    }
  else
    {
      task->deaths = 0;
      delay = gw_sq_backoff (state, ++task->streak);
    }
  if (delay > 0 && reply->retry_after_ms > 0)
    delay = MIN (reply->retry_after_ms, GW_SQ_LONGEST_WAIT_MS);

  gw_sq_run (state->db, "UPDATE task SET tries = ?, streak = ?, deaths = ?,"
             " uncertain = max(uncertain, ?) WHERE pk = ?", "iiidi", (gint64) task->tries,
             (gint64) task->streak, (gint64) task->deaths, (int) uncertain, task->pk);
  gw_sq_task_requeue (state, task, delay);

  return GW_FINISH_REQUEUED;
}

/* The attempt of a process that died is heard of after all. */
static gboolean
finish_late (GwSqState *state,
             gint64 pk,
             const GwReply *reply,
             GwFinishResult *finished,
             GError **error)
{
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT task FROM attempt WHERE pk = ? AND outcome = ? AND reported = 0", "id", pk,
    (int) GW_OUTCOME_UNCERTAIN);
  GwSqTaskRow task;
  gboolean newer_sent = FALSE;
  gint64 task_pk;

  if (!gw_sq_row (state->db, row))
    {
      find_ended (state, pk, error);
      return FALSE;
    }
  task_pk = sqlite3_column_int64 (row, 0);
  gw_sq_end (row);

  *finished = GW_FINISH_IGNORED;
  if (reply->act != GW_REPLY_ANSWER)
    {
      write_attempt (state, pk, reply, GW_OUTCOME_UNCERTAIN);
      return TRUE;
    }

  row = gw_sq_bind (state->db, "SELECT 1 FROM attempt WHERE task = ? AND pk > ? AND sent_at > 0"
                    " LIMIT 1", "ii", task_pk, pk);
  if (gw_sq_row (state->db, row))
    {
      newer_sent = TRUE;
      gw_sq_end (row);
    }
  if (!newer_sent && gw_sq_task_load (state, task_pk, &task) && task.removed_at == 0
      && task.state <= GW_SQ_RUNNING)
    {
      gint64 sent = reply->sent_at > 0 ? reply->sent_at : reply->ended_at;

      if (task.state == GW_SQ_RUNNING)
        gw_sq_task_abort_calls (state, task.pk);
      write_attempt (state, pk, reply, GW_OUTCOME_ANSWERED);
      gw_sq_run (state->db, "UPDATE task SET attempt = ?, uncertain = 0,"
                 " lane = (SELECT lane FROM attempt WHERE pk = ?1) WHERE pk = ?", "ii", pk,
                 task.pk);
      store_answer (state, &task, reply, MAX (0, reply->ended_at - sent));
      *finished = GW_FINISH_STORED;
      return TRUE;
    }

  write_attempt (state, pk, reply, GW_OUTCOME_EXTRA);
  state->n_extra++;
  state->paid_twice++;
  *finished = GW_FINISH_EXTRA;

  return TRUE;
}

/* Takes the attempt out of flight: its slot is free, or a ghost's. */
static void
land (GwSqState *state,
      GwSqAttempt *attempt,
      gboolean ghost)
{
  GwSqLane *lane = attempt->lane;

  gw_sq_piles_stale (state, attempt->project);
  attempt->project->live--;
  g_ptr_array_remove (lane->live, attempt);
  if (attempt->sent == 0)
    gw_sq_lane_give_back (state, lane, attempt->pk);
  else if (ghost)
    gw_sq_lane_add_ghost (state, lane, attempt->pk, attempt->sent);
}

static gboolean
finish (GwSqState *state,
        gint64 pk,
        const GwReply *reply,
        GwFinishResult *finished,
        GError **error)
{
  GwSqAttempt *attempt = g_hash_table_lookup (state->attempts, &pk);
  GwSqTaskRow task;
  GwOutcome outcome;
  gboolean current;
  gint64 sent;

  if (attempt == NULL)
    return finish_late (state, pk, reply, finished, error);

  if (attempt->sent == 0)
    {
      if (reply->sent_at > 0)
        note_sent (state, attempt, reply->sent_at);
      else if (reply->act == GW_REPLY_ANSWER)
        note_sent (state, attempt, attempt->claimed);
      else if (reply->maybe_computing)
        note_sent (state, attempt, state->now);
    }
  sent = attempt->sent;
  land (state, attempt, reply->maybe_computing || reply->act == GW_REPLY_ABORTED);
  gw_sq_lane_learn (state, attempt->lane, reply, sent);

  current = gw_sq_task_load (state, attempt->task, &task) && task.state == GW_SQ_RUNNING
            && task.attempt == pk;
  if (reply->act == GW_REPLY_ANSWER)
    outcome = current ? GW_OUTCOME_ANSWERED : GW_OUTCOME_EXTRA;
  else if (sent == 0)
    outcome = GW_OUTCOME_UNSENT;
  else
    outcome = reply->act == GW_REPLY_ABORTED ? GW_OUTCOME_ABORTED : GW_OUTCOME_FAILED;
  write_attempt (state, pk, reply, outcome);

  if (outcome == GW_OUTCOME_EXTRA)
    {
      state->n_extra++;
      *finished = GW_FINISH_EXTRA;
    }
  else if (!current)
    {
      *finished = GW_FINISH_IGNORED;
    }
  else if (outcome == GW_OUTCOME_ANSWERED)
    {
      gint64 ended = reply->ended_at > 0 ? MIN (reply->ended_at, state->now) : state->now;

      store_answer (state, &task, reply, MAX (0, ended - sent));
      *finished = GW_FINISH_STORED;
    }
  else
    {
      *finished = go_on (state, &task, reply, sent > 0);
    }
  g_hash_table_remove (state->attempts, &pk);

  return TRUE;
}

/* Ends an attempt, and if the caller asked for it claims the lane's next. */
gpointer
gw_sq_step_finish (GwSqState *state,
                   gpointer data,
                   GError **error)
{
  GwSqCallArgs *args = data;
  gint64 pk = (gint64) args->attempt;
  GwSqAttempt *attempt = g_hash_table_lookup (state->attempts, &pk);
  GwSqLane *lane = attempt != NULL ? attempt->lane : NULL;
  GwFinished *result;

  /* Both or nothing. */
  if (args->provider != NULL && gw_sq_lane_get (state, args->provider) == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
                   "There is no provider “%s”. GET /providers lists them.", args->provider);
      return NULL;
    }

  result = g_new0 (GwFinished, 1);
  if (!finish (state, pk, args->reply, &result->finished, error))
    {
      g_free (result);
      return NULL;
    }
  if (args->provider != NULL)
    result->grant = gw_sq_claim (state, args->provider, args->slot, NULL);

  /* Nobody needs to hear of a slot that is taken again. */
  if (result->grant == NULL || result->grant->attempt == 0
      || (lane != NULL && !g_str_equal (lane->name, args->provider)))
    {
      if (lane != NULL && (result->grant == NULL || !g_str_equal (lane->name, args->provider)))
        gw_sq_lanes_wake (state, lane, GW_SQ_WAITS_SLOT);
      gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_CAP | GW_SQ_WAITS_OTHERS);
    }
  /* A project's concurrency may have been what kept a task back. */
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK);

  return result;
}
