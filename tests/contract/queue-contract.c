/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-fixture.h"

/* What every engine of the queue must do, told through its interface only. */

static void
test_one_task (Fixture *self,
               gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "Why is the sky blue?", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = fx_get_task (self->queue, id, &error);
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwGrant) idle = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (task->task_id, ==, id);
  g_assert_cmpint (task->status, ==, GW_TASK_QUEUED);
  g_assert_cmpstr (task->content, ==, "Why is the sky blue?");
  g_assert_null (task->result);
  g_assert_null (task->model);
  g_assert_cmpint (task->started_at, ==, 0);
  g_assert_cmpint (task->created_at, ==, gw_clock_wall (self->clock));

  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, id);
  g_assert_cmpstr (grant->content, ==, "Why is the sky blue?");
  g_assert_cmpuint (grant->number, ==, 1);
  g_assert_null (grant->model);
  g_assert_true (fx_note_sent (self->queue, grant->attempt, gw_clock_now (self->clock), &error));
  g_assert_no_error (error);
  gw_clock_advance (self->clock, 1500);
  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "Rayleigh")), ==,
                   GW_FINISH_STORED);

  g_clear_pointer (&task, gw_task_unref);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
  g_assert_cmpstr (task->result, ==, "Rayleigh");
  g_assert_cmpuint (task->result_size, ==, 8);
  g_assert_cmpstr (task->model, ==, "model-a");
  g_assert_cmpstr (task->provider, ==, "alpha");
  g_assert_cmpstr (task->finish_reason, ==, "stop");
  g_assert_cmpint (task->duration_ms, ==, 1500);
  g_assert_cmpint (task->usage.total_tokens, ==, 30);
  g_assert_cmpuint (task->attempts, ==, 1);
  g_assert_cmpint (task->finished_at - task->started_at, ==, 1500);
  g_assert_null (task->waiting_reason);

  idle = claim_idle (self->queue, "alpha");
  g_assert_cmpint (idle->ask_at, ==, GW_CLOCK_NEVER);
}

#define ADD(path, func) \
  g_test_add ("/queue/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("one-task", test_one_task);

  return g_test_run ();
}
