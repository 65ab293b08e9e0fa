/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/*
 * A queue as one would write it if nothing had to be fast or durable: plain arrays, walked from end to
 * end. Random operations go to it and to the engine, and after each everything that can be seen must
 * be the same. The seed is printed (g_test), and `--seed` repeats a run.
 */

#define N_LANES 3
#define N_PROJECTS 4
#define CAP 6
#define MOST_TRIES 3
#define STEPS 1200

typedef struct {
  char *id;
  guint project;
  int lane;           /* pin; -1: none */
  gboolean by_model;  /* pinned by the model of @lane */
  int priority;
  GwTaskStatus status;
  gint64 due;         /* queued: 0, or when its retry is due */
  guint tries;
  guint sent;
  guint claims;
  guint deaths;
  guint64 attempt;
  gboolean removed;
  GwError error;
} Task;

typedef struct {
  guint64 id;
  guint task;
  guint lane;
  gint64 claimed;
  gint64 sent;        /* 0 */
  gboolean live;
} Call;

typedef struct {
  gint64 sent;        /* 0: not known */
  guint64 call;
} Send;

typedef struct {
  const char *name;
  const char *model;
  guint max;
  guint rpm;
  guint adapted;
  guint growth;
  gint64 halved;
  gint64 parked;
  gboolean stopped;
  gint64 last_send;
  GwBelief belief;
  guint samples;
  GArray *sends;      /* of Send */
  GArray *ghosts;     /* of gint64: until */
} ModelLane;

typedef struct {
  const char *name;
  guint concurrency;
  gboolean paused;
  guint64 last_grant;
  gboolean exists;
} ModelProject;

typedef struct {
  Fixture *fixture;
  GArray *tasks;      /* of Task */
  GArray *calls;      /* of Call */
  ModelLane lanes[N_LANES];
  ModelProject projects[N_PROJECTS];
  guint64 grants;
  GHashTable *view;   /* id -> GwTask: what a follower of the feed holds */
  guint64 since;
} Model;

static const Lane lanes[N_LANES + 1] = {
  { "alpha", GW_PROVIDER_OPENAI, "model-a", 3, 0 },
  { "beta", GW_PROVIDER_OPENAI, "model-b", 3, 8 },
  { "gamma", GW_PROVIDER_OPENAI, "model-c", 1, 0 },
  { GW_PRACTICE_PROVIDER, GW_PROVIDER_PRACTICE, NULL, 2, 0 },
};
static const char *const project_names[N_PROJECTS] = { "default", "one", "two", "three" };

static Task *
task_at (Model *model,
         guint i)
{
  return &g_array_index (model->tasks, Task, i);
}

static Call *
call_at (Model *model,
         guint i)
{
  return &g_array_index (model->calls, Call, i);
}

static gint64
now (Model *model)
{
  return gw_clock_now (model->fixture->clock);
}

static guint
count_live (Model *model,
            int lane,
            int project)
{
  guint n = 0;

  for (guint i = 0; i < model->calls->len; i++)
    {
      Call *call = call_at (model, i);

      if (call->live && (lane < 0 || call->lane == (guint) lane)
          && (project < 0 || task_at (model, call->task)->project == (guint) project))
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
          if (g_array_index (lane->ghosts, gint64, i - 1) <= now (model))
            g_array_remove_index (lane->ghosts, i - 1);
        }
      for (guint i = lane->sends->len; i > 0; i--)
        {
          gint64 sent = g_array_index (lane->sends, Send, i - 1).sent;

          if (sent != 0 && sent + GW_WINDOW_MS <= now (model))
            g_array_remove_index (lane->sends, i - 1);
        }
    }
}

static gint64
reopens (Model *model,
         const Send *entry)
{
  return (entry->sent != 0 ? entry->sent : now (model)) + GW_WINDOW_MS;
}

/* How many sends still count at @time. */
static guint
used_at (Model *model,
         ModelLane *lane,
         gint64 time)
{
  guint n = 0;

  for (guint i = 0; i < lane->sends->len; i++)
    n += reopens (model, &g_array_index (lane->sends, Send, i)) > time;

  return n;
}

/* What the limits say of a claim. */
static GwVerdict
judge (Model *model,
       guint l)
{
  ModelLane *lane = &model->lanes[l];
  guint flying = 0;

  forget_past (model);
  for (guint i = 0; i < N_LANES; i++)
    flying += count_live (model, (int) i, -1) + model->lanes[i].ghosts->len;
  if (lane->stopped
      || count_live (model, (int) l, -1) + lane->ghosts->len >= MIN (lane->adapted, lane->max))
    return GW_VERDICT_SLOTS;
  if (flying >= CAP)
    return GW_VERDICT_CAP;
  if (lane->parked > now (model))
    return GW_VERDICT_COOL_DOWN;
  if (lane->rpm > 0
      && (used_at (model, lane, now (model)) >= lane->rpm
          || (used_at (model, lane, now (model)) >= lane->rpm / 2 && lane->last_send > 0
              && lane->last_send + GW_SPACING_MS > now (model))))
    return GW_VERDICT_WINDOW;

  return GW_VERDICT_START;
}

static gboolean
may_take (Task *task,
          guint lane)
{
  return task->lane < 0 || task->lane == (int) lane;
}

/* The next task of @l among those pinned to it, or among all that it may take; -1: none. */
static int
find_next (Model *model,
           guint l,
           gboolean only_pinned)
{
  int best = -1;

  for (guint p = 0; p < N_PROJECTS; p++)
    {
      ModelProject *project = &model->projects[p];
      int head = -1;

      if (project->paused
          || (project->concurrency > 0 && count_live (model, -1, (int) p) >= project->concurrency))
        continue;
      for (guint i = 0; i < model->tasks->len; i++)
        {
          Task *task = task_at (model, i);
          gboolean waits = task->due > now (model);

          if (task->project != p || task->removed || task->status != GW_TASK_QUEUED)
            continue;
          if (project->concurrency == 1)
            {
              if (!waits && may_take (task, l) && (!only_pinned || task->lane >= 0))
                head = (int) i;
              break;
            }
          if (waits || !may_take (task, l) || (only_pinned && task->lane < 0))
            continue;
          if (head < 0 || task->priority > task_at (model, (guint) head)->priority)
            head = (int) i;
        }
      if (head < 0)
        continue;
      if (best >= 0)
        {
          Task *ours = task_at (model, (guint) head);
          Task *theirs = task_at (model, (guint) best);
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

/* --- Operations. --- */

static void
op_submit (Model *model)
{
  guint project = (guint) g_test_rand_int_range (0, N_PROJECTS);
  guint n = (guint) g_test_rand_int_range (1, 4);

  for (guint i = 0; i < n; i++)
    {
      Task task = { .project = project, .lane = -1, .priority = g_test_rand_int_range (-1, 2) };
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
      task.id = submit_pinned (model->fixture->queue, "x", project_names[project], provider,
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
  GwVerdict expected = judge (model, l);
  int next = find_next (model, l, FALSE);
  Call call = { grant->attempt, 0, l, now (model), 0, TRUE };
  Send entry = { 0, grant->attempt };
  Task *task;

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
          Task *other = task_at (model, i);

          if (other->status == GW_TASK_QUEUED && !other->removed && other->due > now (model))
            g_assert_cmpint (grant->ask_at, <=, other->due);
        }
      return;
    }
  g_assert_false (grant->idle);
  /* Whether the lane should is the scheduler's; then it may still do what only it can. */
  /* Nobody waits for faster lanes with what these may not take. */
  if (grant->verdict == GW_VERDICT_HOLD)
    g_assert_cmpint (find_next (model, l, TRUE), <, 0);
  if (grant->verdict == GW_VERDICT_HOLD || grant->verdict == GW_VERDICT_SHARE)
    return;
  g_assert_cmpint (grant->verdict, ==, GW_VERDICT_START);
  g_assert_cmpuint (grant->attempt, !=, 0);
  if (!g_str_equal (task_at (model, (guint) next)->id, grant->task_id))
    {
      g_assert_cmpint (task_at (model, (guint) next)->lane, <, 0);
      next = find_next (model, l, TRUE);
      g_assert_cmpint (next, >=, 0);
    }
  task = task_at (model, (guint) next);
  g_assert_cmpstr (task->id, ==, grant->task_id);
  g_assert_cmpuint (grant->tries, ==, task->tries);
  g_assert_cmpuint (grant->number, ==, ++task->claims);

  call.task = (guint) next;
  g_array_append_val (model->calls, call);
  task->status = GW_TASK_RUNNING;
  task->due = 0;
  task->attempt = grant->attempt;
  model->projects[task->project].last_grant = ++model->grants;
  lane->last_send = now (model);
  if (lane->rpm > 0)
    g_array_append_val (lane->sends, entry);
}

static void
op_claim (Model *model)
{
  guint l = (guint) g_test_rand_int_range (0, N_LANES);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwGrant) grant = fx_claim (model->fixture->queue, lanes[l].name, 0, &error);

  g_assert_no_error (error);
  take_grant (model, l, grant);
}

/* A live call, or -1. */
static int
pick_call (Model *model)
{
  guint n = count_live (model, -1, -1);
  guint nth;

  if (n == 0)
    return -1;
  nth = (guint) g_test_rand_int_range (0, (gint32) n);
  for (guint i = 0; i < model->calls->len; i++)
    {
      if (call_at (model, i)->live && nth-- == 0)
        return (int) i;
    }

  return -1;
}

static void
model_sent (Model *model,
            Call *call,
            gint64 sent)
{
  ModelLane *lane = &model->lanes[call->lane];
  Task *task = task_at (model, call->task);

  call->sent = CLAMP (sent, call->claimed, now (model));
  lane->last_send = MAX (lane->last_send, call->sent);
  for (guint i = 0; i < lane->sends->len; i++)
    {
      if (g_array_index (lane->sends, Send, i).call == call->id)
        g_array_index (lane->sends, Send, i).sent = call->sent;
    }
  if (task->status == GW_TASK_RUNNING)
    task->sent++;
}

static void
op_sent (Model *model)
{
  int i = pick_call (model);
  g_autoptr (GError) error = NULL;

  if (i < 0 || call_at (model, (guint) i)->sent > 0)
    return;
  g_assert_true (fx_note_sent (model->fixture->queue, call_at (model, (guint) i)->id, now (model),
                               &error));
  g_assert_no_error (error);
  model_sent (model, call_at (model, (guint) i), now (model));
}

static void
model_requeue (Model *model,
               Task *task,
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
      task->due = now (model) + seen->waiting_until - gw_clock_wall (model->fixture->clock);
      g_assert_cmpint (task->due - now (model), >=, least);
      g_assert_cmpint (task->due - now (model), <=, most);
    }
}

static gint64
ghost_ms (ModelLane *lane)
{
  if (lane->samples == 0)
    return 5000;

  return (gint64) CLAMP (gw_belief_get_quantile (&lane->belief, 1.65) * 1000, 1000, 30000);
}

static GwReply *
random_reply (Model *model,
              Call *call)
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

/* What the end of a call means; the same as the engine said, or the test fails. */
static void
model_finish (Model *model,
              Call *call,
              const GwReply *reply,
              GwFinishResult finished)
{
  ModelLane *lane = &model->lanes[call->lane];
  Task *task = task_at (model, call->task);
  gboolean current = task->status == GW_TASK_RUNNING && task->attempt == call->id;

  if (call->sent == 0 && reply->sent_at > 0)
    model_sent (model, call, reply->sent_at);
  call->live = FALSE;
  if (call->sent == 0)
    {
      for (guint i = lane->sends->len; i > 0; i--)
        {
          if (g_array_index (lane->sends, Send, i - 1).call == call->id)
            g_array_remove_index (lane->sends, i - 1);
        }
    }
  else if (reply->maybe_computing || reply->act == GW_REPLY_ABORTED)
    {
      gint64 until = call->sent + ghost_ms (lane);

      if (until > now (model))
        g_array_append_val (lane->ghosts, until);
    }

  if (reply->act == GW_REPLY_ANSWER)
    {
      gw_belief_learn (&lane->belief, MAX (1, now (model) - call->sent) / 1000.0);
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
          || now (model) - lane->halved >= (gint64) (gw_belief_get_mean (&lane->belief) * 1000))
        {
          lane->adapted = MAX (1, lane->adapted / 2);
          lane->halved = now (model);
        }
      lane->growth = 0;
    }
  if (reply->lane_act == GW_LANE_PARK)
    lane->parked = MAX (lane->parked, now (model) + reply->lane_for_ms);
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
      task->due = waits ? now (model) + reply->retry_after_ms : 0;
    }
}

static void
op_finish (Model *model)
{
  int i = pick_call (model);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwReply) reply = NULL;
  GwFinishResult finished;
  guint lane;

  if (i < 0)
    return;
  reply = random_reply (model, call_at (model, (guint) i));
  lane = call_at (model, (guint) i)->lane;
  if (g_test_rand_bit ())
    {
      g_autoptr (GwGrant) grant = fx_finish_and_claim (model->fixture->queue,
                                                       call_at (model, (guint) i)->id, reply,
                                                       lanes[lane].name, &finished, &error);

      g_assert_no_error (error);
      model_finish (model, call_at (model, (guint) i), reply, finished);
      take_grant (model, lane, grant);
      return;
    }
  g_assert_true (fx_finish (model->fixture->queue, call_at (model, (guint) i)->id, reply, &finished,
                            &error));
  g_assert_no_error (error);
  model_finish (model, call_at (model, (guint) i), reply, finished);
}

static gboolean
has_live_call (Model *model,
               guint task)
{
  for (guint i = 0; i < model->calls->len; i++)
    {
      if (call_at (model, i)->live && call_at (model, i)->task == task)
        return TRUE;
    }

  return FALSE;
}

static void
op_verb (Model *model)
{
  guint i = (guint) g_test_rand_int_range (0, (gint32) model->tasks->len);
  Task *task = task_at (model, i);
  gboolean ended = gw_task_status_is_final (task->status);
  g_autoptr (GwTask) result = NULL;
  g_autoptr (GError) error = NULL;
  const char *const ids[] = { task->id, NULL };
  guint64 changed;

  switch (g_test_rand_int_range (0, 4))
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
    default:
      g_assert_true (fx_set_removed (model->fixture->queue, ids, FALSE, &changed, &error));
      g_assert_cmpuint (changed, ==, task->removed);
      task->removed = FALSE;
      break;
    }
}

static void
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
  result = fx_patch (model->fixture->queue, project_names[p], &patch, &error);
  g_assert_no_error (error);
  if (patch.sets_concurrency)
    project->concurrency = patch.concurrency;
  else
    project->paused = patch.paused > 0;
}

static void
op_lane (Model *model)
{
  guint l = (guint) g_test_rand_int_range (0, N_LANES);
  g_autoptr (GError) error = NULL;

  g_assert_true (fx_resume_lane (model->fixture->queue, lanes[l].name, &error));
  model->lanes[l].stopped = FALSE;
  model->lanes[l].parked = 0;
}

/* Closed in order and opened: calls that were under way are given up. */
static void
op_reopen (Model *model)
{
  fixture_reopen (model->fixture);
  for (guint i = 0; i < model->calls->len; i++)
    {
      Call *call = call_at (model, i);
      Task *task = task_at (model, call->task);
      ModelLane *lane = &model->lanes[call->lane];

      if (!call->live)
        continue;
      call->live = FALSE;
      if (call->sent > 0)
        {
          gint64 until = call->sent + ghost_ms (lane);

          if (until > now (model))
            g_array_append_val (lane->ghosts, until);
        }
      for (guint j = lane->sends->len; j > 0 && call->sent == 0; j--)
        {
          if (g_array_index (lane->sends, Send, j - 1).call == call->id)
            g_array_remove_index (lane->sends, j - 1);
        }
      if (task->status == GW_TASK_RUNNING && task->attempt == call->id)
        model_requeue (model, task, 0, 0);
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
      Task *task = task_at (model, i);
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
      project = fx_get_project (model->fixture->queue, project_names[p], &error);
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
      g_assert_cmpuint (state->in_flight, ==, count_live (model, (int) l, -1) + lane->ghosts->len);
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
  model.tasks = g_array_new (FALSE, TRUE, sizeof (Task));
  model.calls = g_array_new (FALSE, TRUE, sizeof (Call));
  model.view = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) gw_task_unref);
  for (guint l = 0; l < N_LANES; l++)
    {
      model.lanes[l].name = lanes[l].name;
      model.lanes[l].model = lanes[l].model;
      model.lanes[l].max = model.lanes[l].adapted = lanes[l].max_concurrency;
      model.lanes[l].rpm = lanes[l].requests_per_minute;
      gw_belief_init (&model.lanes[l].belief, 2);
      model.lanes[l].sends = g_array_new (FALSE, FALSE, sizeof (Send));
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
    g_free (task_at (&model, i)->id);
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
