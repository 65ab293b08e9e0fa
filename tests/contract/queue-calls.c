/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-calls.h"

/*
 * Calls of the queue that wait for their answers, in a main context of their own, so that any
 * thread of a test may use them.
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

GPtrArray *
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
