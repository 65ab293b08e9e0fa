/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-model.h"

/*
 * A queue as one would write it if nothing had to be fast or durable: plain arrays, walked from end
 * to end. Random operations (queue-model-steps.c) go to it and to the engine, and after each
 * everything that can be seen must be the same. The seed is printed (g_test), and `--seed` repeats
 * a run.
 */

static const Lane lanes[N_LANES + 1] = {
  { "alpha", GW_PROVIDER_OPENAI, "model-a", 3, 0 },
  { "beta", GW_PROVIDER_OPENAI, "model-b", 3, 8 },
  { "gamma", GW_PROVIDER_OPENAI, "model-c", 1, 0 },
  { GW_PRACTICE_PROVIDER, GW_PROVIDER_PRACTICE, NULL, 2, 0 },
};

const char *const model_project_names[N_PROJECTS] = { "default", "one", "two", "three" };

ModelTask *
model_task_at (Model *model,
               guint i)
{
  return &g_array_index (model->tasks, ModelTask, i);
}

ModelCall *
model_call_at (Model *model,
               guint i)
{
  return &g_array_index (model->calls, ModelCall, i);
}

gint64
model_now (Model *model)
{
  return gw_clock_now (model->fixture->clock);
}

guint
model_count_live (Model *model,
                  int lane,
                  int project)
{
  guint n = 0;

  for (guint i = 0; i < model->calls->len; i++)
    {
      ModelCall *call = model_call_at (model, i);

      if (call->live && (lane < 0 || call->lane == (guint) lane)
          && (project < 0 || model_task_at (model, call->task)->project == (guint) project))
        n++;
    }

  return n;
}

static void
forget_past (Model *model)
{
  for (guint l = 0; l < N_LANES; l++)
    {
      ModelLane *lane = &model->lanes[l];

      for (guint i = lane->ghosts->len; i > 0; i--)
        {
          if (g_array_index (lane->ghosts, gint64, i - 1) <= model_now (model))
            g_array_remove_index (lane->ghosts, i - 1);
        }
      for (guint i = lane->sends->len; i > 0; i--)
        {
          gint64 sent = g_array_index (lane->sends, ModelSend, i - 1).sent;

          if (sent != 0 && sent + GW_WINDOW_MS <= model_now (model))
            g_array_remove_index (lane->sends, i - 1);
        }
    }
}

static gint64
reopens (Model *model,
         const ModelSend *entry)
{
  return (entry->sent != 0 ? entry->sent : model_now (model)) + GW_WINDOW_MS;
}

/* How many sends still count at @time. */
static guint
used_at (Model *model,
         ModelLane *lane,
         gint64 time)
{
  guint n = 0;

  for (guint i = 0; i < lane->sends->len; i++)
    n += reopens (model, &g_array_index (lane->sends, ModelSend, i)) > time;

  return n;
}

/* What the limits say of a claim. */
GwVerdict
model_judge (Model *model,
             guint l)
{
  ModelLane *lane = &model->lanes[l];
  guint flying = 0;

  forget_past (model);
  for (guint i = 0; i < N_LANES; i++)
    flying += model_count_live (model, (int) i, -1) + model->lanes[i].ghosts->len;
  if (lane->stopped
      || model_count_live (model, (int) l, -1) + lane->ghosts->len
         >= MIN (lane->adapted, lane->max))
    return GW_VERDICT_SLOTS;
  if (flying >= CAP)
    return GW_VERDICT_CAP;
  if (lane->parked > model_now (model))
    return GW_VERDICT_COOL_DOWN;
  if (lane->rpm > 0
      && (used_at (model, lane, model_now (model)) >= lane->rpm
          || (used_at (model, lane, model_now (model)) >= lane->rpm / 2 && lane->last_send > 0
              && lane->last_send + GW_SPACING_MS > model_now (model))))
    return GW_VERDICT_WINDOW;

  return GW_VERDICT_START;
}

static gboolean
may_take (ModelTask *task,
          guint lane)
{
  return task->lane < 0 || task->lane == (int) lane;
}

/* The next task of @l among those pinned to it, or among all that it may take; -1: none. */
/* In a serial project only moves count. */
static int
serial_place (const ModelTask *task)
{
  return ABS (task->priority) > GW_TASK_MAX_PRIORITY ? task->priority : 0;
}

int
model_find_next (Model *model,
                 guint l,
                 gboolean only_pinned)
{
  int best = -1;

  for (guint p = 0; p < N_PROJECTS; p++)
    {
      ModelProject *project = &model->projects[p];
      int serial = -1;
      int head = -1;

      if (project->paused
          || (project->concurrency > 0
              && model_count_live (model, -1, (int) p) >= project->concurrency))
        continue;
      for (guint i = 0; i < model->tasks->len; i++)
        {
          ModelTask *task = model_task_at (model, i);
          gboolean waits = task->due > model_now (model);

          if (task->project != p || task->removed || task->status != GW_TASK_QUEUED)
            continue;
          if (project->concurrency == 1)
            {
              if (serial >= 0
                  && serial_place (task) <= serial_place (model_task_at (model, (guint) serial)))
                continue;
              serial = (int) i;
              head = !waits && may_take (task, l) && (!only_pinned || task->lane >= 0) ? serial : -1;
              continue;
            }
          if (waits || !may_take (task, l) || (only_pinned && task->lane < 0))
            continue;
          if (head < 0 || task->priority > model_task_at (model, (guint) head)->priority)
            head = (int) i;
        }
      if (head < 0)
        continue;
      if (best >= 0)
        {
          ModelTask *ours = model_task_at (model, (guint) head);
          ModelTask *theirs = model_task_at (model, (guint) best);
          ModelProject *other = &model->projects[theirs->project];

          if (ours->priority < theirs->priority
              || (ours->priority == theirs->priority && project->last_grant > other->last_grant)
              || (ours->priority == theirs->priority && project->last_grant == other->last_grant
                  && head > best))
            continue;
        }
      best = head;
    }

  return best;
}

void
model_sent (Model *model,
            ModelCall *call,
            gint64 sent)
{
  ModelLane *lane = &model->lanes[call->lane];
  ModelTask *task = model_task_at (model, call->task);

  call->sent = CLAMP (sent, call->claimed, model_now (model));
  lane->last_send = MAX (lane->last_send, call->sent);
  for (guint i = 0; i < lane->sends->len; i++)
    {
      if (g_array_index (lane->sends, ModelSend, i).call == call->id)
        g_array_index (lane->sends, ModelSend, i).sent = call->sent;
    }
  if (task->status == GW_TASK_RUNNING)
    task->sent++;
}

void
model_requeue (Model *model,
               ModelTask *task,
               gint64 least,
               gint64 most)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) seen = fx_get_task (model->fixture->queue, task->id, &error);

  g_assert_no_error (error);
  task->status = GW_TASK_QUEUED;
  task->due = 0;
  if (most == 0)
    return;
  /* The pause has some luck in it: only its bounds are known before. */
  if (!model->projects[task->project].paused)
    {
      g_assert_cmpstr (seen->waiting_reason, ==, "retry");
      task->due = model_now (model) + seen->waiting_until - gw_clock_wall (model->fixture->clock);
      g_assert_cmpint (task->due - model_now (model), >=, least);
      g_assert_cmpint (task->due - model_now (model), <=, most);
    }
}

gint64
model_ghost_ms (ModelLane *lane)
{
  if (lane->samples == 0)
    return 5000;

  return (gint64) CLAMP (gw_belief_get_quantile (&lane->belief, 1.65) * 1000, 1000, 30000);
}

/* What the end of a call means; the same as the engine said, or the test fails. */
void
model_finish (Model *model,
              ModelCall *call,
              const GwReply *reply,
              GwFinishResult finished)
{
  ModelLane *lane = &model->lanes[call->lane];
  ModelTask *task = model_task_at (model, call->task);
  gboolean current = task->status == GW_TASK_RUNNING && task->attempt == call->id;

  if (call->sent == 0 && reply->sent_at > 0)
    model_sent (model, call, reply->sent_at);
  call->live = FALSE;
  if (call->sent == 0)
    {
      for (guint i = lane->sends->len; i > 0; i--)
        {
          if (g_array_index (lane->sends, ModelSend, i - 1).call == call->id)
            g_array_remove_index (lane->sends, i - 1);
        }
    }
  else if (reply->maybe_computing || reply->act == GW_REPLY_ABORTED)
    {
      gint64 until = call->sent + model_ghost_ms (lane);

      if (until > model_now (model))
        g_array_append_val (lane->ghosts, until);
    }

  if (reply->act == GW_REPLY_ANSWER)
    {
      gw_belief_learn (&lane->belief, MAX (1, model_now (model) - call->sent) / 1000.0);
      lane->samples++;
      if (lane->adapted < lane->max && ++lane->growth >= lane->adapted)
        {
          lane->adapted++;
          lane->growth = 0;
        }
    }
  if (reply->too_many_at_once)
    {
      if (lane->halved == 0
          || model_now (model) - lane->halved
             >= (gint64) (gw_belief_get_mean (&lane->belief) * 1000))
        {
          lane->adapted = MAX (1, lane->adapted / 2);
          lane->halved = model_now (model);
        }
      lane->growth = 0;
    }
  if (reply->lane_act == GW_LANE_PARK)
    lane->parked = MAX (lane->parked, model_now (model) + reply->lane_for_ms);
  if (reply->lane_act == GW_LANE_STOP)
    lane->stopped = TRUE;

  if (!current)
    {
      g_assert_cmpint (finished, ==, reply->act == GW_REPLY_ANSWER ? GW_FINISH_EXTRA
                                                                   : GW_FINISH_IGNORED);
      return;
    }
  if (reply->act == GW_REPLY_ANSWER)
    {
      g_assert_cmpint (finished, ==, GW_FINISH_STORED);
      task->status = GW_TASK_COMPLETED;
    }
  else if (reply->act == GW_REPLY_FAIL
           || (reply->act == GW_REPLY_RETRY && reply->lane_act != GW_LANE_STOP
               && ++task->tries >= MOST_TRIES))
    {
      g_assert_cmpint (finished, ==, GW_FINISH_FAILED);
      task->status = GW_TASK_FAILED;
      task->error = reply->error_code;
    }
  else
    {
      gboolean waits = reply->act != GW_REPLY_ABORTED && reply->lane_act != GW_LANE_STOP;

      g_assert_cmpint (finished, ==, GW_FINISH_REQUEUED);
      task->status = GW_TASK_QUEUED;
      task->due = waits ? model_now (model) + reply->retry_after_ms : 0;
    }
}

/* --- Comparing. --- */

static void
follow_feed (Model *model)
{
  gboolean more = TRUE;

  while (more)
    {
      GwFeedQuery query = { .has_since = TRUE, .since = model->since, .limit = 20,
                            .fields = GW_TASK_FIELDS_FEED };
      g_autoptr (GError) error = NULL;
      g_autoptr (GwFeedPage) page = fx_feed (model->fixture->queue, &query, &error);

      g_assert_no_error (error);
      g_assert_false (page->reset);
      for (guint i = 0; i < page->removed->len; i++)
        g_hash_table_remove (model->view, g_ptr_array_index (page->removed, i));
      for (guint i = 0; i < page->tasks->len; i++)
        {
          GwTask *task = g_ptr_array_index (page->tasks, i);

          g_hash_table_replace (model->view, task->task_id, gw_task_ref (task));
        }
      more = page->more;
      model->since = page->revision;
    }
}

static void
compare_all (Model *model)
{
  guint64 counts[N_PROJECTS][GW_N_TASK_STATUSES] = { { 0 } };
  g_autoptr (GwQueueStats) stats = fx_stats (model->fixture->queue);
  guint64 total[GW_N_TASK_STATUSES] = { 0 };
  guint visible = 0;

  follow_feed (model);
  for (guint i = 0; i < model->tasks->len; i++)
    {
      ModelTask *task = model_task_at (model, i);
      GwTask *followed = g_hash_table_lookup (model->view, task->id);
      g_autoptr (GError) error = NULL;
      g_autoptr (GwTask) seen = fx_get_task (model->fixture->queue, task->id, &error);

      if (task->removed)
        {
          g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
          g_assert_null (followed);
          continue;
        }
      g_assert_no_error (error);
      g_assert_nonnull (followed);
      visible++;
      counts[task->project][task->status]++;
      total[task->status]++;
      g_assert_cmpint (seen->status, ==, task->status);
      g_assert_cmpuint (seen->tries, ==, task->tries);
      g_assert_cmpuint (seen->attempts, ==, task->sent);
      g_assert_cmpstr (seen->result, ==, task->status == GW_TASK_COMPLETED ? "answer" : NULL);
      g_assert_cmpint (seen->has_error, ==,
                       task->status == GW_TASK_FAILED || task->status == GW_TASK_CANCELLED);
      if (seen->has_error)
        g_assert_cmpint (seen->error_code, ==, task->error);
      g_assert_cmpint (followed->status, ==, seen->status);
      g_assert_cmpuint (followed->revision, ==, seen->revision);
      g_assert_cmpuint (followed->attempts, ==, seen->attempts);
      g_assert_cmpint (followed->started_at, ==, seen->started_at);
    }
  g_assert_cmpuint (g_hash_table_size (model->view), ==, visible);

  for (guint s = 0; s < GW_N_TASK_STATUSES; s++)
    g_assert_cmpuint (stats->counts[s], ==, total[s]);
  for (guint p = 0; p < N_PROJECTS; p++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwProject) project = NULL;

      if (!model->projects[p].exists)
        continue;
      project = fx_get_project (model->fixture->queue, model_project_names[p], &error);
      g_assert_no_error (error);
      for (guint s = 0; s < GW_N_TASK_STATUSES; s++)
        g_assert_cmpuint (project->counts[s], ==, counts[p][s]);
      g_assert_cmpint (project->finished_at == 0 || gw_project_count_unfinished (project) == 0, ==,
                       TRUE);
    }

  forget_past (model);
  for (guint l = 0; l < N_LANES; l++)
    {
      g_autoptr (GwLaneState) state = lane_state (model->fixture->queue, lanes[l].name);
      ModelLane *lane = &model->lanes[l];

      g_assert_cmpuint (state->ghosts, ==, lane->ghosts->len);
      g_assert_cmpuint (state->in_flight, ==,
                        model_count_live (model, (int) l, -1) + lane->ghosts->len);
      g_assert_cmpuint (state->sends_in_window, ==, lane->sends->len);
      g_assert_cmpuint (state->adapted_concurrency, ==, lane->adapted);
      g_assert_cmpint (state->stopped, ==, lane->stopped);
    }
}

static void
test_random (Fixture *self,
             gconstpointer data)
{
  Model model = { .fixture = self };

  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  model.tasks = g_array_new (FALSE, TRUE, sizeof (ModelTask));
  model.calls = g_array_new (FALSE, TRUE, sizeof (ModelCall));
  model.view = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                      (GDestroyNotify) gw_task_unref);
  for (guint l = 0; l < N_LANES; l++)
    {
      model.lanes[l].name = lanes[l].name;
      model.lanes[l].model = lanes[l].model;
      model.lanes[l].max = model.lanes[l].adapted = lanes[l].max_concurrency;
      model.lanes[l].rpm = lanes[l].requests_per_minute;
      gw_belief_init (&model.lanes[l].belief, 2);
      model.lanes[l].sends = g_array_new (FALSE, FALSE, sizeof (ModelSend));
      model.lanes[l].ghosts = g_array_new (FALSE, FALSE, sizeof (gint64));
    }
  op_submit (&model);

  for (guint i = 0; i < STEPS; i++)
    {
      int dice = g_test_rand_int_range (0, 100);

      if (dice < 12)
        op_submit (&model);
      else if (dice < 45)
        op_claim (&model);
      else if (dice < 55)
        op_sent (&model);
      else if (dice < 75)
        op_finish (&model);
      else if (dice < 83)
        op_verb (&model);
      else if (dice < 88)
        op_project (&model);
      else if (dice < 91)
        op_lane (&model);
      else if (dice < 99)
        gw_clock_advance (self->clock, g_test_rand_int_range (1, 4000));
      else
        op_reopen (&model);
      if (i % 25 == 0)
        compare_all (&model);
    }
  compare_all (&model);

  for (guint i = 0; i < model.tasks->len; i++)
    g_free (model_task_at (&model, i)->id);
  for (guint l = 0; l < N_LANES; l++)
    {
      g_array_unref (model.lanes[l].sends);
      g_array_unref (model.lanes[l].ghosts);
    }
  g_hash_table_unref (model.view);
  g_array_unref (model.tasks);
  g_array_unref (model.calls);
}

void
add_model_cases (void)
{
  static const QueueSettings settings = { CAP, MOST_TRIES, 0, FALSE, FALSE };

  ADD_WITH ("model/random", &settings, test_random);
}
