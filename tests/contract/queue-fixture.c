/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-fixture.h"

/*
 * Calls of the queue that wait for their answers, in a main context of their own, so that any
 * thread of a test may use them; and the few sentences that most cases are made of.
 */

typedef struct {
  GMainContext *context;
  GAsyncResult *result;
} Wait;

static void
ready_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  Wait *wait = user_data;

  wait->result = g_object_ref (result);
}

static void
begin (Wait *wait)
{
  wait->context = g_main_context_new ();
  wait->result = NULL;
  g_main_context_push_thread_default (wait->context);
}

static void
await (Wait *wait)
{
  while (wait->result == NULL)
    g_main_context_iteration (wait->context, TRUE);
  g_main_context_pop_thread_default (wait->context);
}

static void
end (Wait *wait)
{
  g_object_unref (wait->result);
  g_main_context_unref (wait->context);
}

GwSubmitted *
fx_submit (GwQueue *queue,
           const GwSubmission *submission,
           GError **error)
{
  GwSubmitted *value;
  Wait wait;

  begin (&wait);
  gw_queue_submit_async (queue, submission, ready_cb, &wait);
  await (&wait);
  value = gw_queue_submit_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

gboolean
fx_note_sent (GwQueue *queue,
              guint64 attempt,
              gint64 sent_at,
              GError **error)
{
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_note_sent_async (queue, attempt, sent_at, ready_cb, &wait);
  await (&wait);
  value = gw_queue_note_sent_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

gboolean
fx_finish (GwQueue *queue,
           guint64 attempt,
           const GwReply *reply,
           GwFinishResult *finished,
           GError **error)
{
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_finish_async (queue, attempt, reply, ready_cb, &wait);
  await (&wait);
  value = gw_queue_finish_finish (queue, wait.result, finished, error);
  end (&wait);

  return value;
}

GwTask *
fx_cancel (GwQueue *queue,
           const char *id,
           GError **error)
{
  GwTask *value;
  Wait wait;

  begin (&wait);
  gw_queue_cancel_task_async (queue, id, ready_cb, &wait);
  await (&wait);
  value = gw_queue_cancel_task_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

GwTask *
fx_retry (GwQueue *queue,
          const char *id,
          const char *provider,
          const char *model,
          GError **error)
{
  GwTask *value;
  Wait wait;

  begin (&wait);
  gw_queue_retry_task_async (queue, id, provider, model, ready_cb, &wait);
  await (&wait);
  value = gw_queue_retry_task_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

gboolean
fx_set_removed (GwQueue *queue,
                const char *const *ids,
                gboolean removed,
                guint64 *changed,
                GError **error)
{
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_set_removed_async (queue, ids, removed, ready_cb, &wait);
  await (&wait);
  value = gw_queue_set_removed_finish (queue, wait.result, changed, error);
  end (&wait);

  return value;
}

gboolean
fx_move (GwQueue *queue,
         const char *const *ids,
         GwMoveTo to,
         int priority,
         guint64 *changed,
         GError **error)
{
  GwMove move = { to, priority };
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_move_tasks_async (queue, ids, &move, ready_cb, &wait);
  await (&wait);
  value = gw_queue_move_tasks_finish (queue, wait.result, changed, error);
  end (&wait);

  return value;
}

gboolean
fx_act (GwQueue *queue,
        const char *project,
        const GwProjectAct *act,
        guint64 *changed,
        GError **error)
{
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_act_on_project_async (queue, project, act, ready_cb, &wait);
  await (&wait);
  value = gw_queue_act_on_project_finish (queue, wait.result, changed, error);
  end (&wait);

  return value;
}

GwProject *
fx_patch (GwQueue *queue,
          const char *project,
          const GwProjectPatch *patch,
          GError **error)
{
  GwProject *value;
  Wait wait;

  begin (&wait);
  gw_queue_patch_project_async (queue, project, patch, ready_cb, &wait);
  await (&wait);
  value = gw_queue_patch_project_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

gboolean
fx_remove_project (GwQueue *queue,
                   const char *project,
                   GError **error)
{
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_remove_project_async (queue, project, ready_cb, &wait);
  await (&wait);
  value = gw_queue_remove_project_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

char **
fx_set_providers (GwQueue *queue,
                  GPtrArray *providers,
                  gboolean set_limits,
                  GError **error)
{
  char **value;
  Wait wait;

  begin (&wait);
  gw_queue_set_providers_async (queue, providers, set_limits, ready_cb, &wait);
  await (&wait);
  value = gw_queue_set_providers_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

gboolean
fx_resume_lane (GwQueue *queue,
                const char *provider,
                GError **error)
{
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_resume_lane_async (queue, provider, ready_cb, &wait);
  await (&wait);
  value = gw_queue_resume_lane_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

GwTask *
fx_get_task (GwQueue *queue,
             const char *id,
             GError **error)
{
  GwTask *value;
  Wait wait;

  begin (&wait);
  gw_queue_get_task_async (queue, id, ready_cb, &wait);
  await (&wait);
  value = gw_queue_get_task_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

GwProject *
fx_get_project (GwQueue *queue,
                const char *project,
                GError **error)
{
  GwProject *value;
  Wait wait;

  begin (&wait);
  gw_queue_get_project_async (queue, project, ready_cb, &wait);
  await (&wait);
  value = gw_queue_get_project_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

GwProjectPage *
fx_list_projects (GwQueue *queue,
                  guint64 since,
                  guint limit,
                  GError **error)
{
  GwProjectPage *value;
  Wait wait;

  begin (&wait);
  gw_queue_list_projects_async (queue, since, limit, ready_cb, &wait);
  await (&wait);
  value = gw_queue_list_projects_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

GwFeedPage *
fx_feed (GwQueue *queue,
         const GwFeedQuery *query,
         GError **error)
{
  GwFeedPage *value;
  Wait wait;

  begin (&wait);
  gw_queue_read_feed_async (queue, query, ready_cb, &wait);
  await (&wait);
  value = gw_queue_read_feed_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

GPtrArray *
fx_results (GwQueue *queue,
            const GwResultsQuery *query,
            GError **error)
{
  GPtrArray *value;
  Wait wait;

  begin (&wait);
  gw_queue_read_results_async (queue, query, ready_cb, &wait);
  await (&wait);
  value = gw_queue_read_results_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

GwAttemptPage *
fx_attempts (GwQueue *queue,
             const char *task,
             guint64 since,
             guint limit,
             GError **error)
{
  return fx_attempts_before (queue, task, since, 0, limit, error);
}

/* See gw_queue_read_attempts_async(). */
GwAttemptPage *
fx_attempts_before (GwQueue *queue,
                    const char *task,
                    guint64 since,
                    guint64 before,
                    guint limit,
                    GError **error)
{
  GwAttemptPage *value;
  Wait wait;

  begin (&wait);
  gw_queue_read_attempts_async (queue, task, since, before, limit, ready_cb, &wait);
  await (&wait);
  value = gw_queue_read_attempts_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

gboolean
fx_close (GwQueue *queue,
          GError **error)
{
  gboolean value;
  Wait wait;

  begin (&wait);
  gw_queue_close_async (queue, ready_cb, &wait);
  await (&wait);
  value = gw_queue_close_finish (queue, wait.result, error);
  end (&wait);

  return value;
}

static GPtrArray *
fx_lanes (GwQueue *queue)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *value;
  Wait wait;

  begin (&wait);
  gw_queue_read_lanes_async (queue, ready_cb, &wait);
  await (&wait);
  value = gw_queue_read_lanes_finish (queue, wait.result, &error);
  end (&wait);
  g_assert_no_error (error);

  return value;
}

GwQueueStats *
fx_stats (GwQueue *queue)
{
  g_autoptr (GError) error = NULL;
  GwQueueStats *value;
  Wait wait;

  begin (&wait);
  gw_queue_read_stats_async (queue, ready_cb, &wait);
  await (&wait);
  value = gw_queue_read_stats_finish (queue, wait.result, &error);
  end (&wait);
  g_assert_no_error (error);

  return value;
}

GwRecovery *
fx_recovery (GwQueue *queue)
{
  g_autoptr (GError) error = NULL;
  GwRecovery *value;
  Wait wait;

  begin (&wait);
  gw_queue_read_recovery_async (queue, ready_cb, &wait);
  await (&wait);
  value = gw_queue_read_recovery_finish (queue, wait.result, &error);
  end (&wait);
  g_assert_no_error (error);

  return value;
}

GwQueueSnapshot *
fx_snapshot (GwQueue *queue)
{
  g_autoptr (GError) error = NULL;
  GwQueueSnapshot *value;
  Wait wait;

  begin (&wait);
  gw_queue_read_snapshot_async (queue, ready_cb, &wait);
  await (&wait);
  value = gw_queue_read_snapshot_finish (queue, wait.result, &error);
  end (&wait);
  g_assert_no_error (error);

  return value;
}

GwGrant *
fx_claim (GwQueue *queue,
          const char *provider,
          guint slot,
          GError **error)
{
  GwClaim claim = { provider, "test", slot };
  GwGrant *grant;
  Wait wait;

  begin (&wait);
  gw_queue_claim_async (queue, &claim, ready_cb, &wait);
  await (&wait);
  grant = gw_queue_claim_finish (queue, wait.result, error);
  end (&wait);

  return grant;
}

GwGrant *
fx_finish_and_claim (GwQueue *queue,
                     guint64 attempt,
                     const GwReply *reply,
                     const char *provider,
                     GwFinishResult *finished,
                     GError **error)
{
  GwClaim claim = { provider, "test", 0 };
  GwGrant *grant;
  Wait wait;

  begin (&wait);
  gw_queue_finish_and_claim_async (queue, attempt, reply, &claim, ready_cb, &wait);
  await (&wait);
  grant = gw_queue_finish_and_claim_finish (queue, wait.result, finished, error);
  end (&wait);

  return grant;
}

/* --- The fixture. --- */

void
fixture_open (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  self->queue = queue_engine.open (self->data, self->clock, &self->settings, &error);
  g_assert_no_error (error);
  g_assert_nonnull (self->queue);
}

void
fixture_close (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  fx_close (self->queue, &error);
  g_assert_no_error (error);
  g_clear_object (&self->queue);
}

void
fixture_reopen (Fixture *self)
{
  fixture_close (self);
  fixture_open (self);
}

void
fixture_set_up (Fixture *self,
                gconstpointer data)
{
  static const Lane lanes[] = {
    { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 },
    { GW_PRACTICE_PROVIDER, GW_PROVIDER_PRACTICE, NULL, 2, 0 },
  };

  self->settings = data != NULL ? *(const QueueSettings *) data : QUEUE_SETTINGS_DEFAULT;
  self->data = queue_engine.make ();
  self->clock = gw_clock_new_manual (1000000, G_GINT64_CONSTANT (1800000000000));
  fixture_open (self);
  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
}

void
fixture_tear_down (Fixture *self,
                   gconstpointer data)
{
  if (self->queue != NULL)
    fixture_close (self);
  queue_engine.destroy (self->data);
  g_free (self->data);
  gw_clock_unref (self->clock);
  spin ();
}

/* --- What cases say often. --- */

static void
free_provider (gpointer data)
{
  GwQueueProvider *provider = data;

  gw_provider_config_unref (provider->config);
  g_free (provider);
}

GPtrArray *
make_providers (const Lane *lanes,
                guint n_lanes)
{
  GPtrArray *providers = g_ptr_array_new_with_free_func (free_provider);

  for (guint i = 0; i < n_lanes; i++)
    {
      GwQueueProvider *provider = g_new0 (GwQueueProvider, 1);
      GwProviderConfig *config = gw_provider_config_new (lanes[i].name);

      config->kind = lanes[i].kind;
      config->model = g_strdup (lanes[i].model);
      config->max_concurrency = lanes[i].max_concurrency;
      config->requests_per_minute = lanes[i].requests_per_minute;
      config->latency = 2;
      provider->config = config;
      provider->in_use = !lanes[i].off;
      provider->usable = !lanes[i].off && !lanes[i].no_key;
      g_ptr_array_add (providers, provider);
    }

  return providers;
}

void
set_lanes (GwQueue *queue,
           const Lane *lanes,
           guint n_lanes)
{
  g_autoptr (GPtrArray) providers = make_providers (lanes, n_lanes);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) differing = fx_set_providers (queue, providers, TRUE, &error);

  g_assert_no_error (error);
  g_assert_nonnull (differing);
}

char *
submit_pinned (GwQueue *queue,
               const char *content,
               const char *project,
               const char *provider,
               const char *model,
               int priority)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;
  g_autoptr (GError) error = NULL;
  GwNewTask *task = gw_new_task_new (content);

  task->provider = g_strdup (provider);
  task->model = g_strdup (model);
  task->priority = priority;
  g_ptr_array_add (submission->tasks, task);
  submission->project = g_strdup (project);
  submitted = fx_submit (queue, submission, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (submitted->task_ids->len, ==, 1);

  return g_strdup (g_ptr_array_index (submitted->task_ids, 0));
}

char *
submit_one (GwQueue *queue,
            const char *content,
            const char *project)
{
  return submit_pinned (queue, content, project, NULL, NULL, 0);
}

GPtrArray *
submit_many (GwQueue *queue,
             const char *project,
             guint n)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *content = g_strdup_printf ("task %u", i);

      g_ptr_array_add (submission->tasks, gw_new_task_new (content));
    }
  submission->project = g_strdup (project);
  submitted = fx_submit (queue, submission, &error);
  g_assert_no_error (error);

  return g_ptr_array_ref (submitted->task_ids);
}

GwReply *
make_answer (GwClock *clock,
             const char *text)
{
  GwReply *reply = gw_reply_new ();

  reply->act = GW_REPLY_ANSWER;
  reply->result = g_strdup (text);
  reply->model = g_strdup ("model-a");
  reply->finish_reason = g_strdup ("stop");
  reply->usage = (GwUsage){ 10, 20, 30 };
  reply->sent_at = reply->ended_at = gw_clock_now (clock);

  return reply;
}

GwReply *
make_error (GwClock *clock,
            GwReplyAct act,
            GwError code)
{
  GwReply *reply = gw_reply_new ();

  gw_reply_set_error (reply, act, code, "It went wrong (%s).", gw_error_to_string (code));
  reply->sent_at = reply->ended_at = gw_clock_now (clock);

  return reply;
}

GwGrant *
claim_start (GwQueue *queue,
             const char *provider)
{
  g_autoptr (GError) error = NULL;
  GwGrant *grant = fx_claim (queue, provider, 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (grant->verdict, ==, GW_VERDICT_START);
  g_assert_false (grant->idle);
  g_assert_cmpuint (grant->attempt, !=, 0);

  return grant;
}

GwGrant *
claim_idle (GwQueue *queue,
            const char *provider)
{
  g_autoptr (GError) error = NULL;
  GwGrant *grant = fx_claim (queue, provider, 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (grant->verdict, ==, GW_VERDICT_START);
  g_assert_true (grant->idle);
  g_assert_cmpuint (grant->attempt, ==, 0);

  return grant;
}

GwGrant *
claim_refused (GwQueue *queue,
               const char *provider,
               GwVerdict verdict)
{
  g_autoptr (GError) error = NULL;
  GwGrant *grant = fx_claim (queue, provider, 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (grant->verdict, ==, verdict);
  g_assert_cmpuint (grant->attempt, ==, 0);

  return grant;
}

/* Takes @reply. */
GwFinishResult
finish (GwQueue *queue,
        guint64 attempt,
        GwReply *reply)
{
  g_autoptr (GError) error = NULL;
  GwFinishResult finished = GW_FINISH_IGNORED;

  fx_finish (queue, attempt, reply, &finished, &error);
  g_assert_no_error (error);
  gw_reply_free (reply);

  return finished;
}

GwLaneState *
lane_state (GwQueue *queue,
            const char *provider)
{
  g_autoptr (GPtrArray) lanes = fx_lanes (queue);

  for (guint i = 0; i < lanes->len; i++)
    {
      GwLaneState *state = g_ptr_array_index (lanes, i);

      if (g_str_equal (state->provider, provider))
        return g_ptr_array_steal_index (lanes, i);
    }
  g_assert_not_reached ();
}

/* Runs what is pending in the default context. */
void
spin (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}
