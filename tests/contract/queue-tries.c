/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* How calls for a task end, and whether it is tried again. */

static void
test_end_twice (Fixture *self,
                gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwReply) reply = make_answer (self->clock, "second");
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;

  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "first")), ==,
                   GW_FINISH_STORED);
  g_assert_false (fx_finish (self->queue, grant->attempt, reply, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_false (fx_note_sent (self->queue, grant->attempt, 1, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_false (fx_finish (self->queue, 4711, reply, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_clear_error (&error);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (task->result, ==, "first");
}

/* Counted tries end in a failure, with growing pauses between them. */
static void
test_retries (Fixture *self,
              gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) failed = NULL;
  g_autoptr (GwAttemptPage) attempts = NULL;
  static const gint64 pauses[] = { 1000, 2000 };

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
      g_autoptr (GwGrant) idle = NULL;
      g_autoptr (GwTask) task = NULL;
      GwFinishResult finished;

      g_assert_cmpuint (grant->number, ==, i + 1);
      g_assert_cmpuint (grant->tries, ==, i);
      finished = finish (self->queue, grant->attempt,
                         make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER));
      g_assert_cmpint (finished, ==, i < 2 ? GW_FINISH_REQUEUED : GW_FINISH_FAILED);
      if (i == 2)
        break;

      task = fx_get_task (self->queue, id, &error);
      g_assert_no_error (error);
      g_assert_cmpint (task->status, ==, GW_TASK_QUEUED);
      g_assert_cmpuint (task->tries, ==, i + 1);
      g_assert_cmpstr (task->waiting_reason, ==, "retry");
      g_assert_cmpint (task->waiting_until - gw_clock_wall (self->clock), >=, pauses[i] * 8 / 10);
      g_assert_cmpint (task->waiting_until - gw_clock_wall (self->clock), <=, pauses[i] * 12 / 10);
      idle = claim_idle (self->queue, "alpha");
      g_assert_cmpint (idle->ask_at - gw_clock_now (self->clock), ==,
                       task->waiting_until - gw_clock_wall (self->clock));
      gw_clock_advance (self->clock, idle->ask_at - gw_clock_now (self->clock));
    }
  failed = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (failed->status, ==, GW_TASK_FAILED);
  g_assert_true (failed->has_error);
  g_assert_cmpint (failed->error_code, ==, GW_ERROR_TASK_SERVER);
  g_assert_cmpstr (failed->error_message, ==, "It went wrong (server).");
  g_assert_cmpuint (failed->attempts, ==, 3);
  g_assert_cmpuint (failed->tries, ==, 3);
  attempts = fx_attempts (self->queue, id, 0, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (attempts->attempts->len, ==, 3);
  g_assert_false (attempts->more);
  for (guint i = 0; i < 3; i++)
    {
      const GwAttempt *attempt = g_ptr_array_index (attempts->attempts, i);

      g_assert_cmpuint (attempt->number, ==, i + 1);
      g_assert_cmpint (attempt->outcome, ==, GW_OUTCOME_FAILED);
      g_assert_cmpstr (attempt->provider, ==, "alpha");
      g_assert_cmpstr (attempt->model, ==, "model-a");
      g_assert_cmpint (attempt->error_code, ==, GW_ERROR_TASK_SERVER);
    }
}

/* What nobody is to blame for costs no try, and still does not run hot. */
static void
test_free_retries (Fixture *self,
                   gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;
  gint64 last = 0;

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
      g_autoptr (GwGrant) idle = NULL;
      gint64 pause;

      g_assert_cmpint (finish (self->queue, grant->attempt,
                               make_error (self->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_NETWORK)),
                       ==, GW_FINISH_REQUEUED);
      idle = claim_idle (self->queue, "alpha");
      pause = idle->ask_at - gw_clock_now (self->clock);
      g_assert_cmpint (pause, >=, MIN (last, 48000));
      g_assert_cmpint (pause, <=, 72000);
      last = pause;
      gw_clock_advance (self->clock, pause);
    }
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_QUEUED);
  g_assert_cmpuint (task->tries, ==, 0);
}

static void
test_retry_after (Fixture *self,
                  gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  GwReply *reply = make_error (self->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE);
  g_autoptr (GwGrant) idle = NULL;

  reply->retry_after_ms = 20000;
  g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==, GW_FINISH_REQUEUED);
  idle = claim_idle (self->queue, "alpha");
  g_assert_cmpint (idle->ask_at - gw_clock_now (self->clock), ==, 20000);
}

static void
test_refused_task (Fixture *self,
                   gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwTask) again = NULL;

  g_assert_cmpint (finish (self->queue, grant->attempt,
                           make_error (self->clock, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED)), ==,
                   GW_FINISH_FAILED);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_FAILED);
  g_assert_cmpint (task->error_code, ==, GW_ERROR_TASK_REFUSED);
  g_assert_cmpuint (task->tries, ==, 0);

  again = fx_retry (self->queue, id, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (again->status, ==, GW_TASK_QUEUED);
  g_assert_false (again->has_error);
  g_assert_cmpint (again->finished_at, ==, 0);
  g_assert_cmpuint (again->revision, >, task->revision);
}

/* The answer of a cancelled task is kept and counted, and changes nothing. */
static void
test_late_answer (Fixture *self,
                  gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) cancelled = fx_cancel (self->queue, id, &error);
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GwAttemptPage) attempts = NULL;

  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "late")), ==,
                   GW_FINISH_EXTRA);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_CANCELLED);
  g_assert_null (task->result);
  g_assert_cmpuint (task->revision, ==, cancelled->revision);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->answers_extra, ==, 1);
  attempts = fx_attempts (self->queue, id, 0, 10, &error);
  g_assert_cmpint (((GwAttempt *) g_ptr_array_index (attempts->attempts, 0))->outcome, ==,
                   GW_OUTCOME_EXTRA);
}

static void
test_drained (Fixture *self,
              gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwGrant) again = NULL;
  g_autoptr (GwAttemptPage) attempts = NULL;
  g_autoptr (GError) error = NULL;
  GwReply *reply = gw_reply_new ();

  reply->act = GW_REPLY_ABORTED;
  g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==, GW_FINISH_REQUEUED);
  again = claim_start (self->queue, "alpha");
  g_assert_cmpstr (again->task_id, ==, id);
  g_assert_cmpuint (again->tries, ==, 0);
  attempts = fx_attempts (self->queue, id, 0, 10, &error);
  g_assert_cmpint (((GwAttempt *) g_ptr_array_index (attempts->attempts, 0))->outcome, ==,
                   GW_OUTCOME_UNSENT);
}

static void
test_quarantine (Fixture *self,
                 gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
      GwReply *reply = make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER);

      reply->died_with_worker = TRUE;
      g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==,
                       i < 2 ? GW_FINISH_REQUEUED : GW_FINISH_FAILED);
      gw_clock_advance (self->clock, 10000);
    }
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->error_code, ==, GW_ERROR_TASK_QUARANTINED);
  g_assert_cmpuint (task->tries, ==, 0);
}

void
add_try_cases (void)
{
  ADD ("try/end-twice", test_end_twice);
  ADD ("try/retries", test_retries);
  ADD ("try/free-retries", test_free_retries);
  ADD ("try/retry-after", test_retry_after);
  ADD ("try/refused", test_refused_task);
  ADD ("try/late-answer", test_late_answer);
  ADD ("try/drained", test_drained);
  ADD ("try/quarantine", test_quarantine);
}
