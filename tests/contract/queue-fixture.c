/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-fixture.h"

/* A queue with its clock and its data, and the few sentences that most cases are made of. */

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
