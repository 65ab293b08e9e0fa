/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-batch"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-batch-private.h"
#include "gw-source.h"

/* Following a run: the pages of its feed, the results that they leave out, the loss of the
 * gateway, and the end. */

/* Short, so that a gateway that has stopped without closing its connections is missed soon. */
#define WAIT_S 10
#define ANSWER_SLACK_US (15 * G_USEC_PER_SEC)
#define LOST_PAUSE_MS 1000
#define MAX_FETCHES 8
/* Pages are asked for at most so often; the end of a long run may be that much late. */
#define PACE_FEW_MS 5
#define PACE_MANY_MS 50
#define FEW_TASKS 200
#define FIELDS "task_id,project_id,status,result,error,created_at,started_at,finished_at," \
               "attempts,revision,metadata,result_size"

static void ask (GwBatch *self);
static void fetch_missing (GwBatch *self);

/* Completed, with a result that the feed did not send. */
gboolean
_gw_batch_lacks_result (const GwTask *task)
{
  return task->status == GW_TASK_COMPLETED && task->result == NULL && task->result_size > 0;
}

void
_gw_batch_queue_missing (GwBatch *self,
                         const char *task_id)
{
  g_queue_push_tail (&self->missing, g_strdup (task_id));
  fetch_missing (self);
}

static guint
count_unfinished (GwBatch *self)
{
  return self->counts[GW_TASK_QUEUED] + self->counts[GW_TASK_RUNNING];
}

static void
end_follow (GwBatch *self,
            GwBatchEnd end,
            GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->follow);
  g_autoptr (GCancellable) cancellable = g_steal_pointer (&self->cancellable);

  g_cancellable_disconnect (g_task_get_cancellable (task), self->outer_id);
  self->outer_id = 0;
  g_cancellable_cancel (cancellable);
  gw_source_clear (&self->timer);
  gw_source_clear (&self->stall_timer);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, end);
}

static void
check_end (GwBatch *self)
{
  if (self->follow != NULL && count_unfinished (self) == 0 && self->fetching == 0
      && g_queue_is_empty (&self->missing))
    end_follow (self, GW_BATCH_DONE, NULL);
}

void
_gw_batch_end_stalled (GwBatch *self,
                       const char *stall)
{
  g_free (self->stall);
  self->stall = g_strdup (stall);
  if (self->follow != NULL)
    end_follow (self, GW_BATCH_STALLED, NULL);
}

static void
outer_cancelled_cb (GCancellable *outer,
                    gpointer user_data)
{
  g_cancellable_cancel (G_CANCELLABLE (user_data));
}

static gboolean
timer_cb (gpointer user_data)
{
  GwBatch *self = user_data;

  gw_source_clear (&self->timer);
  fetch_missing (self);
  ask (self);

  return G_SOURCE_REMOVE;
}

static void
ask_later (GwBatch *self,
           guint ms)
{
  self->timer = g_timeout_source_new (ms);
  g_source_set_static_name (self->timer, "[gangway] batch, next page");
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_attach (self->timer, g_task_get_context (self->follow));
}

/* Errors after which the gateway may come back; beside them, asking again cannot help. */
static gboolean
may_come_back (const GError *error)
{
  return g_error_matches (error, GW_ERROR, GW_ERROR_UNREACHABLE)
         || g_error_matches (error, GW_ERROR, GW_ERROR_UNAVAILABLE)
         || g_error_matches (error, GW_ERROR, GW_ERROR_STOPPING)
         || g_error_matches (error, GW_ERROR, GW_ERROR_QUEUE_FULL)
         || g_error_matches (error, GW_ERROR, GW_ERROR_INTERNAL)
         || g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE);
}

static void
take_loss (GwBatch *self,
           GError *error)
{
  gint64 now = g_get_monotonic_time ();
  guint lost_s;

  if (self->lost_since == 0)
    self->lost_since = now - self->asked_at >= ANSWER_SLACK_US ? now - ANSWER_SLACK_US : now;
  lost_s = (guint) ((now - self->lost_since) / G_USEC_PER_SEC);

  if (!may_come_back (error) || lost_s >= self->lost_limit_s)
    {
      self->lost_since = 0;
      end_follow (self, GW_BATCH_DONE, error);
      return;
    }

  g_error_free (error);
  ask_later (self, LOST_PAUSE_MS);
  g_signal_emit_by_name (self, "lost", lost_s);
}

/* A task that someone removed meanwhile has no result any more, and must not be waited for. */
static void
take_removed (GwBatch *self,
              const char *task_id,
              guint64 revision)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->index, task_id));
  g_autoptr (GwTask) task = NULL;
  GwTask *old;

  if (place == 0)
    return;
  old = g_ptr_array_index (self->tasks, place - 1);
  if (gw_task_status_is_final (old->status))
    return;

  task = gw_task_new ();
  task->task_id = g_strdup (task_id);
  task->project_id = g_strdup (old->project_id);
  task->status = GW_TASK_CANCELLED;
  task->created_at = old->created_at;
  task->finished_at = g_get_real_time () / 1000;
  task->has_error = TRUE;
  task->error_code = GW_ERROR_TASK_CANCELLED;
  task->error_message = g_strdup (_("Removed while it waited"));
  task->revision = MAX (revision, old->revision + 1);
  task->usage = GW_USAGE_NONE;
  task->duration_ms = -1;
  task->submitted = old->submitted != NULL ? json_object_ref (old->submitted) : NULL;
  _gw_batch_take_task (self, task);
}

/* Whether the page can be gone on from. */
static gboolean
take_page (GwBatch *self,
           GwChanges *changes,
           GError **error)
{
  if (self->store != NULL && changes->store != NULL && !g_str_equal (self->store, changes->store))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_NOT_FOUND,
                           _("The gateway has other data now: this run is not in it"));
      return FALSE;
    }
  if (self->store == NULL)
    self->store = g_strdup (changes->store);
  if (changes->reset)
    {
      self->has_since = FALSE;
      self->since = 0;
      return TRUE;
    }

  for (guint i = 0; i < changes->tasks->len; i++)
    _gw_batch_take_task (self, g_ptr_array_index (changes->tasks, i));
  for (guint i = 0; i < changes->removed->len; i++)
    take_removed (self, g_ptr_array_index (changes->removed, i), changes->revision);
  self->has_since = TRUE;
  self->since = changes->revision;

  return TRUE;
}

static void
page_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GwBatch) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwChanges) changes = NULL;
  gint64 passed_ms;
  guint pace_ms = self->ids->len <= FEW_TASKS ? PACE_FEW_MS : PACE_MANY_MS;

  changes = gw_client_get_changes_finish (GW_CLIENT (source), result, &error);
  if (self->follow == NULL)
    return;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      /* Else it was a request of an earlier time of following. */
      if (g_cancellable_is_cancelled (self->cancellable))
        end_follow (self, GW_BATCH_DONE, g_steal_pointer (&error));
      return;
    }
  if (changes == NULL)
    {
      take_loss (self, g_steal_pointer (&error));
      return;
    }
  if (self->lost_since != 0)
    {
      self->lost_since = 0;
      g_signal_emit_by_name (self, "found");
    }
  if (!take_page (self, changes, &error))
    {
      end_follow (self, GW_BATCH_DONE, g_steal_pointer (&error));
      return;
    }

  if (changes->tasks->len > 0 || changes->removed->len > 0)
    g_signal_emit_by_name (self, "changed");
  fetch_missing (self);
  if (!changes->more && !changes->reset)
    check_end (self);
  if (self->follow == NULL)
    return;

  _gw_batch_watch_stall (self);
  passed_ms = (g_get_monotonic_time () - self->asked_at) / 1000;
  if (changes->more || changes->reset || passed_ms >= pace_ms)
    ask (self);
  else
    ask_later (self, pace_ms - (guint) MAX (0, passed_ms));
}

static void
ask (GwBatch *self)
{
  self->asked_at = g_get_monotonic_time ();
  gw_client_get_changes_async (self->client, TRUE, self->has_since ? self->since : 0,
                               self->lost_since == 0 ? WAIT_S : 0, self->project_id, FIELDS,
                               self->cancellable, page_cb, g_object_ref (self));
}

typedef struct {
  GwBatch *self; /* (owned) */
  char *task_id; /* (owned) */
} Fetch;

static void
fetched_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  Fetch *fetch = user_data;
  g_autoptr (GwBatch) self = g_steal_pointer (&fetch->self);
  g_autofree char *task_id = g_steal_pointer (&fetch->task_id);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = gw_client_get_task_finish (GW_CLIENT (source), result, &error);

  g_free (fetch);
  self->fetching--;
  if (task != NULL)
    _gw_batch_take_task (self, task);
  else if (may_come_back (error))
    /* Asked for again with the next page, or the next try to reach the gateway. */
    g_queue_push_tail (&self->missing, g_steal_pointer (&task_id));

  if (task != NULL)
    fetch_missing (self);
  check_end (self);
}

/* Gateways that leave results out of the feed are asked for each. */
static void
fetch_missing (GwBatch *self)
{
  while (self->follow != NULL && self->fetching < MAX_FETCHES
         && !g_queue_is_empty (&self->missing))
    {
      Fetch *fetch = g_new0 (Fetch, 1);

      fetch->self = g_object_ref (self);
      fetch->task_id = g_queue_pop_head (&self->missing);
      self->fetching++;
      gw_client_get_task_async (self->client, fetch->task_id, self->cancellable, fetched_cb,
                                fetch);
    }
}

/**
 * gw_batch_follow_async:
 * @self: a run that was submitted or taken up
 * @cancellable: (nullable): stops following; the run goes on
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Follows the run until every task is final, or none can go on without the user.
 */
void
gw_batch_follow_async (GwBatch *self,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_return_if_fail (GW_IS_BATCH (self));
  g_return_if_fail (self->follow == NULL);
  g_return_if_fail (self->project_id != NULL);

  self->follow = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->follow, gw_batch_follow_async);
  self->cancellable = g_cancellable_new ();
  if (cancellable != NULL)
    self->outer_id = g_cancellable_connect (cancellable, G_CALLBACK (outer_cancelled_cb),
                                            g_object_ref (self->cancellable), g_object_unref);
  g_clear_pointer (&self->stall, g_free);
  self->lost_since = 0;
  self->stall_pause_s = 0;
  self->moved_at = g_get_monotonic_time ();

  check_end (self);
  if (self->follow != NULL)
    ask (self);
}

/**
 * gw_batch_follow_finish:
 * @self: a run
 * @result: what the callback got
 * @end: (out): how it ended
 * @error: the gateway's last error, if it was gone for longer than the limit or refused; GW_ERROR
 *   or G_IO_ERROR_CANCELLED
 *
 * Returns: whether it has ended
 */
gboolean
gw_batch_follow_finish (GwBatch *self,
                        GAsyncResult *result,
                        GwBatchEnd *end,
                        GError **error)
{
  gssize value;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  value = g_task_propagate_int (G_TASK (result), error);
  if (value < 0)
    return FALSE;
  *end = (GwBatchEnd) value;

  return TRUE;
}
