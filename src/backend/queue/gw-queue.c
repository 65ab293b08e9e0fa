/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-queue.h"

/*
 * The interface itself: no state, no thread, no promise of its own. What each call does stands in
 * gw-queue.h; the engines keep it, and one contract suite holds both to it.
 */

G_DEFINE_INTERFACE (GwQueue, gw_queue, G_TYPE_OBJECT)

static void
gw_queue_default_init (GwQueueInterface *iface)
{
}

static gpointer
take_pointer (GwQueue *self,
              GAsyncResult *result,
              GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* For results that tell no more than that it was done. */
static gboolean
take_done (GwQueue *self,
           GAsyncResult *result,
           GError **error)
{
  g_autoptr (GError) local = NULL;

  take_pointer (self, result, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));

  return FALSE;
}

static gboolean
take_count (GwQueue *self,
            GAsyncResult *result,
            guint64 *count,
            GError **error)
{
  g_autofree guint64 *number = take_pointer (self, result, error);

  if (number == NULL)
    return FALSE;
  if (count != NULL)
    *count = *number;

  return TRUE;
}

static GwFinished *
take_finished (GwQueue *self,
               GAsyncResult *result,
               GwFinishResult *finished,
               GError **error)
{
  GwFinished *own = take_pointer (self, result, error);

  if (own != NULL && finished != NULL)
    *finished = own->finished;

  return own;
}

void
gw_queue_submit_async (GwQueue *self,
                       const GwSubmission *submission,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->submit_async (self, submission, callback, user_data);
}

GwSubmitted *
gw_queue_submit_finish (GwQueue *self,
                        GAsyncResult *result,
                        GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_claim_async (GwQueue *self,
                      const GwClaim *claim,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->claim_async (self, claim, callback, user_data);
}

GwGrant *
gw_queue_claim_finish (GwQueue *self,
                       GAsyncResult *result,
                       GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_note_sent_async (GwQueue *self,
                          guint64 attempt,
                          gint64 sent_at,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->note_sent_async (self, attempt, sent_at, callback, user_data);
}

gboolean
gw_queue_note_sent_finish (GwQueue *self,
                           GAsyncResult *result,
                           GError **error)
{
  return take_done (self, result, error);
}

void
gw_queue_finish_async (GwQueue *self,
                       guint64 attempt,
                       const GwReply *reply,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->finish_async (self, attempt, reply, callback, user_data);
}

gboolean
gw_queue_finish_finish (GwQueue *self,
                        GAsyncResult *result,
                        GwFinishResult *finished,
                        GError **error)
{
  g_autoptr (GwFinished) own = take_finished (self, result, finished, error);

  return own != NULL;
}

void
gw_queue_finish_and_claim_async (GwQueue *self,
                                 guint64 attempt,
                                 const GwReply *reply,
                                 const GwClaim *claim,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->finish_and_claim_async (self, attempt, reply, claim, callback,
                                                     user_data);
}

GwGrant *
gw_queue_finish_and_claim_finish (GwQueue *self,
                                  GAsyncResult *result,
                                  GwFinishResult *finished,
                                  GError **error)
{
  g_autoptr (GwFinished) own = take_finished (self, result, finished, error);

  return own != NULL ? g_steal_pointer (&own->grant) : NULL;
}

void
gw_queue_cancel_task_async (GwQueue *self,
                            const char *task_id,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->cancel_task_async (self, task_id, callback, user_data);
}

GwTask *
gw_queue_cancel_task_finish (GwQueue *self,
                             GAsyncResult *result,
                             GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_retry_task_async (GwQueue *self,
                           const char *task_id,
                           const char *provider,
                           const char *model,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->retry_task_async (self, task_id, provider, model, callback, user_data);
}

GwTask *
gw_queue_retry_task_finish (GwQueue *self,
                            GAsyncResult *result,
                            GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_set_removed_async (GwQueue *self,
                            const char *const *task_ids,
                            gboolean removed,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->set_removed_async (self, task_ids, removed, callback, user_data);
}

gboolean
gw_queue_set_removed_finish (GwQueue *self,
                             GAsyncResult *result,
                             guint64 *changed,
                             GError **error)
{
  return take_count (self, result, changed, error);
}

void
gw_queue_move_tasks_async (GwQueue *self,
                           const char *const *task_ids,
                           const GwMove *move,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->move_tasks_async (self, task_ids, move, callback, user_data);
}

gboolean
gw_queue_move_tasks_finish (GwQueue *self,
                            GAsyncResult *result,
                            guint64 *changed,
                            GError **error)
{
  return take_count (self, result, changed, error);
}

void
gw_queue_act_on_project_async (GwQueue *self,
                               const char *project,
                               const GwProjectAct *act,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->act_on_project_async (self, project, act, callback, user_data);
}

gboolean
gw_queue_act_on_project_finish (GwQueue *self,
                                GAsyncResult *result,
                                guint64 *changed,
                                GError **error)
{
  return take_count (self, result, changed, error);
}

void
gw_queue_patch_project_async (GwQueue *self,
                              const char *project,
                              const GwProjectPatch *patch,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->patch_project_async (self, project, patch, callback, user_data);
}

GwProject *
gw_queue_patch_project_finish (GwQueue *self,
                               GAsyncResult *result,
                               GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_remove_project_async (GwQueue *self,
                               const char *project,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->remove_project_async (self, project, callback, user_data);
}

gboolean
gw_queue_remove_project_finish (GwQueue *self,
                                GAsyncResult *result,
                                GError **error)
{
  return take_done (self, result, error);
}

void
gw_queue_set_providers_async (GwQueue *self,
                              GPtrArray *providers,
                              gboolean set_limits,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->set_providers_async (self, providers, set_limits, callback, user_data);
}

char **
gw_queue_set_providers_finish (GwQueue *self,
                               GAsyncResult *result,
                               GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_set_limits_async (GwQueue *self,
                           const GwQueueLimits *limits,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  if (GW_QUEUE_GET_IFACE (self)->set_limits_async != NULL)
    GW_QUEUE_GET_IFACE (self)->set_limits_async (self, limits, callback, user_data);
  else
    g_task_report_new_error (self, callback, user_data, gw_queue_set_limits_async, GW_ERROR,
                             GW_ERROR_CONFLICT, "The limits of this queue cannot be changed.");
}

gboolean
gw_queue_set_limits_finish (GwQueue *self,
                            GAsyncResult *result,
                            GError **error)
{
  return take_done (self, result, error);
}

void
gw_queue_resume_lane_async (GwQueue *self,
                            const char *provider,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->resume_lane_async (self, provider, callback, user_data);
}

gboolean
gw_queue_resume_lane_finish (GwQueue *self,
                             GAsyncResult *result,
                             GError **error)
{
  return take_done (self, result, error);
}

void
gw_queue_get_task_async (GwQueue *self,
                         const char *task_id,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->get_task_async (self, task_id, callback, user_data);
}

GwTask *
gw_queue_get_task_finish (GwQueue *self,
                          GAsyncResult *result,
                          GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_get_project_async (GwQueue *self,
                            const char *project,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->get_project_async (self, project, callback, user_data);
}

GwProject *
gw_queue_get_project_finish (GwQueue *self,
                             GAsyncResult *result,
                             GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_list_projects_async (GwQueue *self,
                              guint64 since,
                              guint limit,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->list_projects_async (self, since, limit, callback, user_data);
}

GwProjectPage *
gw_queue_list_projects_finish (GwQueue *self,
                               GAsyncResult *result,
                               GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_read_feed_async (GwQueue *self,
                          const GwFeedQuery *query,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->read_feed_async (self, query, callback, user_data);
}

GwFeedPage *
gw_queue_read_feed_finish (GwQueue *self,
                           GAsyncResult *result,
                           GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_read_results_async (GwQueue *self,
                             const GwResultsQuery *query,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->read_results_async (self, query, callback, user_data);
}

GPtrArray *
gw_queue_read_results_finish (GwQueue *self,
                              GAsyncResult *result,
                              GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_read_attempts_async (GwQueue *self,
                              const char *task_id,
                              guint64 since,
                              guint64 before,
                              guint limit,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));
  g_return_if_fail (task_id == NULL || before == 0);

  GW_QUEUE_GET_IFACE (self)->read_attempts_async (self, task_id, since, before, limit, callback,
                                                  user_data);
}

GwAttemptPage *
gw_queue_read_attempts_finish (GwQueue *self,
                               GAsyncResult *result,
                               GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_read_lanes_async (GwQueue *self,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->read_lanes_async (self, callback, user_data);
}

GPtrArray *
gw_queue_read_lanes_finish (GwQueue *self,
                            GAsyncResult *result,
                            GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_read_stats_async (GwQueue *self,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->read_stats_async (self, callback, user_data);
}

GwQueueStats *
gw_queue_read_stats_finish (GwQueue *self,
                            GAsyncResult *result,
                            GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_read_recovery_async (GwQueue *self,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->read_recovery_async (self, callback, user_data);
}

GwRecovery *
gw_queue_read_recovery_finish (GwQueue *self,
                               GAsyncResult *result,
                               GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_read_snapshot_async (GwQueue *self,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->read_snapshot_async (self, callback, user_data);
}

GwQueueSnapshot *
gw_queue_read_snapshot_finish (GwQueue *self,
                               GAsyncResult *result,
                               GError **error)
{
  return take_pointer (self, result, error);
}

void
gw_queue_close_async (GwQueue *self,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->close_async (self, callback, user_data);
}

gboolean
gw_queue_close_finish (GwQueue *self,
                       GAsyncResult *result,
                       GError **error)
{
  return take_done (self, result, error);
}

guint
gw_queue_watch_revision (GwQueue *self,
                         GMainContext *context,
                         GwRevisionFunc func,
                         gpointer data,
                         GDestroyNotify destroy)
{
  g_return_val_if_fail (GW_IS_QUEUE (self), 0);

  return GW_QUEUE_GET_IFACE (self)->watch_revision (self, context, func, data, destroy);
}

guint
gw_queue_watch_lane (GwQueue *self,
                     const char *provider,
                     GMainContext *context,
                     GwLaneEventFunc func,
                     gpointer data,
                     GDestroyNotify destroy)
{
  g_return_val_if_fail (GW_IS_QUEUE (self), 0);

  return GW_QUEUE_GET_IFACE (self)->watch_lane (self, provider, context, func, data, destroy);
}

void
gw_queue_unwatch (GwQueue *self,
                  guint id)
{
  g_return_if_fail (GW_IS_QUEUE (self));

  GW_QUEUE_GET_IFACE (self)->unwatch (self, id);
}

GwClock *
gw_queue_get_clock (GwQueue *self)
{
  g_return_val_if_fail (GW_IS_QUEUE (self), NULL);

  return GW_QUEUE_GET_IFACE (self)->get_clock (self);
}

GwQueueTrouble *
gw_queue_get_trouble (GwQueue *self,
                      guint *n_kept)
{
  GwQueueInterface *iface;

  g_return_val_if_fail (GW_IS_QUEUE (self), NULL);

  if (n_kept != NULL)
    *n_kept = 0;
  iface = GW_QUEUE_GET_IFACE (self);

  return iface->get_trouble != NULL ? iface->get_trouble (self, n_kept) : NULL;
}

gboolean
gw_queue_get_link (GwQueue *self,
                   GwQueueLink *link)
{
  GwQueueInterface *iface;

  g_return_val_if_fail (GW_IS_QUEUE (self), FALSE);

  *link = (GwQueueLink){ 0 };
  iface = GW_QUEUE_GET_IFACE (self);
  if (iface->get_link == NULL)
    return FALSE;
  iface->get_link (self, link);

  return TRUE;
}

gboolean
gw_queue_get_limits (GwQueue *self,
                     GwQueueLimits *limits)
{
  GwQueueInterface *iface;

  g_return_val_if_fail (GW_IS_QUEUE (self), FALSE);

  iface = GW_QUEUE_GET_IFACE (self);
  if (iface->get_limits == NULL)
    return FALSE;
  iface->get_limits (self, limits);

  return TRUE;
}

const char *
gw_queue_get_kind (GwQueue *self)
{
  g_return_val_if_fail (GW_IS_QUEUE (self), NULL);

  return GW_QUEUE_GET_IFACE (self)->get_kind (self);
}
