/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-model.h"

/* Random operations, each done to the model and to the engine, which must answer alike. */

void
op_submit (Model *model)
{
  guint project = (guint) g_test_rand_int_range (0, N_PROJECTS);
  guint n = (guint) g_test_rand_int_range (1, 4);

  for (guint i = 0; i < n; i++)
    {
      ModelTask task = {
        .project = project, .lane = -1, .priority = g_test_rand_int_range (-1, 2)
      };
      const char *provider = NULL;
      const char *of_model = NULL;

      if (g_test_rand_int_range (0, 3) == 0)
        {
          task.lane = g_test_rand_int_range (0, N_LANES);
          task.by_model = g_test_rand_bit ();
          if (task.by_model)
            of_model = model->lanes[task.lane].model;
          else
            provider = model->lanes[task.lane].name;
        }
      task.id = submit_pinned (model->fixture->queue, "x", model_project_names[project], provider,
                               of_model, task.priority);
      model->projects[project].exists = TRUE;
      g_array_append_val (model->tasks, task);
    }
}

static void
take_grant (Model *model,
            guint l,
            const GwGrant *grant)
{
  ModelLane *lane = &model->lanes[l];
  GwVerdict expected = model_judge (model, l);
  int next = model_find_next (model, l, FALSE);
  ModelCall call = { grant->attempt, 0, l, model_now (model), 0, TRUE };
  ModelSend entry = { 0, grant->attempt };
  ModelTask *task;

  if (expected != GW_VERDICT_START)
    {
      /* Of two that refuse until a time, the later one is named. */
      if (expected == GW_VERDICT_COOL_DOWN && grant->verdict == GW_VERDICT_WINDOW)
        g_assert_cmpint (grant->ask_at, >, lane->parked);
      else
        g_assert_cmpint (grant->verdict, ==, expected);
      g_assert_cmpuint (grant->attempt, ==, 0);
      return;
    }
  if (next < 0)
    {
      g_assert_cmpint (grant->verdict, ==, GW_VERDICT_START);
      g_assert_true (grant->idle);
      for (guint i = 0; i < model->tasks->len; i++)
        {
          ModelTask *other = model_task_at (model, i);

          if (other->status == GW_TASK_QUEUED && !other->removed && other->due > model_now (model))
            g_assert_cmpint (grant->ask_at, <=, other->due);
        }
      return;
    }
  g_assert_false (grant->idle);
  /* Whether the lane should is the scheduler's; then it may still do what only it can. */
  /* Nobody waits for faster lanes with what these may not take. */
  if (grant->verdict == GW_VERDICT_HOLD)
    g_assert_cmpint (model_find_next (model, l, TRUE), <, 0);
  if (grant->verdict == GW_VERDICT_HOLD || grant->verdict == GW_VERDICT_SHARE)
    return;
  g_assert_cmpint (grant->verdict, ==, GW_VERDICT_START);
  g_assert_cmpuint (grant->attempt, !=, 0);
  if (!g_str_equal (model_task_at (model, (guint) next)->id, grant->task_id))
    {
      g_assert_cmpint (model_task_at (model, (guint) next)->lane, <, 0);
      next = model_find_next (model, l, TRUE);
      g_assert_cmpint (next, >=, 0);
    }
  task = model_task_at (model, (guint) next);
  g_assert_cmpstr (task->id, ==, grant->task_id);
  g_assert_cmpuint (grant->tries, ==, task->tries);
  g_assert_cmpuint (grant->number, ==, ++task->claims);

  call.task = (guint) next;
  g_array_append_val (model->calls, call);
  task->status = GW_TASK_RUNNING;
  task->due = 0;
  task->attempt = grant->attempt;
  model->projects[task->project].last_grant = ++model->grants;
  lane->last_send = model_now (model);
  if (lane->rpm > 0)
    g_array_append_val (lane->sends, entry);
}

void
op_claim (Model *model)
{
  guint l = (guint) g_test_rand_int_range (0, N_LANES);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwGrant) grant = fx_claim (model->fixture->queue, model->lanes[l].name, 0, &error);

  g_assert_no_error (error);
  take_grant (model, l, grant);
}

/* A live call, or -1. */
static int
pick_call (Model *model)
{
  guint n = model_count_live (model, -1, -1);
  guint nth;

  if (n == 0)
    return -1;
  nth = (guint) g_test_rand_int_range (0, (gint32) n);
  for (guint i = 0; i < model->calls->len; i++)
    {
      if (model_call_at (model, i)->live && nth-- == 0)
        return (int) i;
    }

  return -1;
}

void
op_sent (Model *model)
{
  int i = pick_call (model);
  g_autoptr (GError) error = NULL;

  if (i < 0 || model_call_at (model, (guint) i)->sent > 0)
    return;
  g_assert_true (fx_note_sent (model->fixture->queue, model_call_at (model, (guint) i)->id,
                               model_now (model), &error));
  g_assert_no_error (error);
  model_sent (model, model_call_at (model, (guint) i), model_now (model));
}

static GwReply *
random_reply (Model *model,
              ModelCall *call)
{
  GwReply *reply;

  switch (g_test_rand_int_range (0, 8))
    {
    case 0:
      reply = make_error (model->fixture->clock, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER);
      reply->retry_after_ms = 1000 + g_test_rand_int_range (0, 5000);
      break;
    case 1:
      reply = make_error (model->fixture->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE);
      reply->retry_after_ms = 500;
      reply->too_many_at_once = g_test_rand_bit ();
      if (g_test_rand_bit ())
        {
          reply->lane_act = GW_LANE_PARK;
          reply->lane_for_ms = g_test_rand_int_range (1, 10000);
        }
      break;
    case 2:
      reply = make_error (model->fixture->clock, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED);
      break;
    case 3:
      reply = make_error (model->fixture->clock, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT);
      reply->retry_after_ms = 1;
      reply->maybe_computing = TRUE;
      break;
    case 4:
      reply = make_error (model->fixture->clock, GW_REPLY_RETRY, GW_ERROR_TASK_QUOTA);
      if (g_test_rand_int_range (0, 4) == 0)
        reply->lane_act = GW_LANE_STOP;
      else
        reply->retry_after_ms = 10;
      break;
    case 5:
      reply = gw_reply_new ();
      reply->act = GW_REPLY_ABORTED;
      break;
    default:
      reply = make_answer (model->fixture->clock, "answer");
      break;
    }
  if (call->sent > 0)
    reply->sent_at = call->sent;
  else if (g_test_rand_bit () && reply->act != GW_REPLY_ANSWER && !reply->maybe_computing)
    reply->sent_at = 0;
  if (reply->act == GW_REPLY_ABORTED)
    reply->sent_at = call->sent;

  return reply;
}

void
op_finish (Model *model)
{
  int i = pick_call (model);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwReply) reply = NULL;
  GwFinishResult finished;
  guint lane;

  if (i < 0)
    return;
  reply = random_reply (model, model_call_at (model, (guint) i));
  lane = model_call_at (model, (guint) i)->lane;
  if (g_test_rand_bit ())
    {
      g_autoptr (GwGrant) grant = fx_finish_and_claim (model->fixture->queue,
                                                       model_call_at (model, (guint) i)->id, reply,
                                                       model->lanes[lane].name, &finished, &error);

      g_assert_no_error (error);
      model_finish (model, model_call_at (model, (guint) i), reply, finished);
      take_grant (model, lane, grant);
      return;
    }
  g_assert_true (fx_finish (model->fixture->queue, model_call_at (model, (guint) i)->id, reply,
                            &finished, &error));
  g_assert_no_error (error);
  model_finish (model, model_call_at (model, (guint) i), reply, finished);
}

static gboolean
has_live_call (Model *model,
               guint task)
{
  for (guint i = 0; i < model->calls->len; i++)
    {
      if (model_call_at (model, i)->live && model_call_at (model, i)->task == task)
        return TRUE;
    }

  return FALSE;
}

void
op_verb (Model *model)
{
  guint i = (guint) g_test_rand_int_range (0, (gint32) model->tasks->len);
  ModelTask *task = model_task_at (model, i);
  gboolean ended = gw_task_status_is_final (task->status);
  g_autoptr (GwTask) result = NULL;
  g_autoptr (GError) error = NULL;
  const char *const ids[] = { task->id, NULL };
  guint64 changed;

  switch (g_test_rand_int_range (0, 5))
    {
    case 0:
      result = fx_cancel (model->fixture->queue, task->id, &error);
      if (task->removed || ended)
        {
          g_assert_error (error, GW_ERROR,
                          (task->removed ? GW_ERROR_NOT_FOUND : GW_ERROR_CONFLICT));
          return;
        }
      g_assert_no_error (error);
      task->status = GW_TASK_CANCELLED;
      task->error = GW_ERROR_TASK_CANCELLED;
      break;
    case 1:
      result = fx_retry (model->fixture->queue, task->id, NULL, NULL, &error);
      if (task->removed)
        g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
      else if ((task->status != GW_TASK_FAILED && task->status != GW_TASK_CANCELLED)
               || has_live_call (model, i))
        g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
      else
        {
          g_assert_no_error (error);
          task->status = GW_TASK_QUEUED;
          task->due = 0;
          task->tries = 0;
        }
      break;
    case 2:
      g_assert_true (fx_set_removed (model->fixture->queue, ids, TRUE, &changed, &error));
      g_assert_cmpuint (changed, ==, !task->removed && !has_live_call (model, i));
      if (changed > 0)
        task->removed = TRUE;
      break;
    case 3:
      {
        int priority = g_test_rand_int_range (-GW_TASK_FARTHEST_PRIORITY,
                                              GW_TASK_FARTHEST_PRIORITY + 1);

        g_assert_true (fx_move (model->fixture->queue, ids, GW_MOVE_TO_PRIORITY, priority, &changed,
                                &error));
        g_assert_cmpuint (changed, ==, !task->removed && task->status == GW_TASK_QUEUED
                                           && task->priority != priority);
        if (changed > 0)
          task->priority = priority;
        break;
      }
    default:
      g_assert_true (fx_set_removed (model->fixture->queue, ids, FALSE, &changed, &error));
      g_assert_cmpuint (changed, ==, task->removed);
      task->removed = FALSE;
      break;
    }
}

void
op_project (Model *model)
{
  guint p = (guint) g_test_rand_int_range (0, N_PROJECTS);
  ModelProject *project = &model->projects[p];
  GwProjectPatch patch = { NULL, FALSE, 0, -1 };
  g_autoptr (GwProject) result = NULL;
  g_autoptr (GError) error = NULL;

  if (!project->exists)
    return;
  if (g_test_rand_bit ())
    {
      patch.sets_concurrency = TRUE;
      patch.concurrency = (guint) g_test_rand_int_range (0, 4);
    }
  else
    {
      patch.paused = g_test_rand_int_range (0, 4) == 0;
    }
  result = fx_patch (model->fixture->queue, model_project_names[p], &patch, &error);
  g_assert_no_error (error);
  if (patch.sets_concurrency)
    project->concurrency = patch.concurrency;
  else
    project->paused = patch.paused > 0;
}

void
op_lane (Model *model)
{
  guint l = (guint) g_test_rand_int_range (0, N_LANES);
  g_autoptr (GError) error = NULL;

  g_assert_true (fx_resume_lane (model->fixture->queue, model->lanes[l].name, &error));
  model->lanes[l].stopped = FALSE;
  model->lanes[l].parked = 0;
}

/* Closed in order and opened: calls that were under way are given up. */
void
op_reopen (Model *model)
{
  fixture_reopen (model->fixture);
  for (guint i = 0; i < model->calls->len; i++)
    {
      ModelCall *call = model_call_at (model, i);
      ModelTask *task = model_task_at (model, call->task);
      ModelLane *lane = &model->lanes[call->lane];

      if (!call->live)
        continue;
      call->live = FALSE;
      if (call->sent > 0)
        {
          gint64 until = call->sent + model_ghost_ms (lane);

          if (until > model_now (model))
            g_array_append_val (lane->ghosts, until);
        }
      for (guint j = lane->sends->len; j > 0 && call->sent == 0; j--)
        {
          if (g_array_index (lane->sends, ModelSend, j - 1).call == call->id)
            g_array_remove_index (lane->sends, j - 1);
        }
      if (task->status == GW_TASK_RUNNING && task->attempt == call->id)
        model_requeue (model, task, 0, 0);
    }
}
