/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-batch"

/* GwBatch: a run of many tasks, from its submission to its last answer.
 *
 * It follows the change feed of its project by one long-poll, results included, so that the end is
 * known as soon as the gateway knows it, and what has been answered is held here whatever becomes
 * of the gateway. Guarantee: once a task was seen final with its result, it stays so in this
 * memory, through lost connections and gateways that were started again on the same data; only
 * `retry` takes it back. Starting and taking up runs is in gw-batch-start.c, the look for lanes
 * that need the user in gw-batch-stall.c. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-batch-private.h"

/* Short, so that a gateway that has stopped without closing its connections is missed soon. */
#define WAIT_S 10
#define ANSWER_SLACK_US (15 * G_USEC_PER_SEC)
#define DEFAULT_LOST_LIMIT_S 30
#define LOST_PAUSE_MS 1000
#define MAX_FETCHES 8

/* Pages are asked for at most so often; the end of a long run may be that much late. */
#define PACE_FEW_MS 5
#define PACE_MANY_MS 50
#define FEW_TASKS 200

#define FIELDS "task_id,project_id,status,result,error,created_at,started_at,finished_at," \
               "attempts,revision,metadata,result_size"

enum {
  CHANGED,
  TASK_ENDED,
  LOST,
  FOUND,
  COOLING,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwBatch, gw_batch, G_TYPE_OBJECT)

static void ask (GwBatch *self);
static void fetch_missing (GwBatch *self);

void
_gw_batch_clear_source (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
unref_task (gpointer task)
{
  g_clear_pointer ((GwTask **) &task, gw_task_unref);
}

static void
unref_object (gpointer object)
{
  g_clear_pointer ((JsonObject **) &object, json_object_unref);
}

static void
gw_batch_finalize (GObject *object)
{
  GwBatch *self = GW_BATCH (object);

  _gw_batch_clear_source (&self->timer);
  _gw_batch_clear_source (&self->stall_timer);
  g_queue_clear_full (&self->missing, g_free);
  g_hash_table_unref (self->index);
  g_ptr_array_unref (self->ids);
  g_ptr_array_unref (self->tasks);
  g_ptr_array_unref (self->contents);
  g_ptr_array_unref (self->metadata);
  g_clear_object (&self->client);
  g_free (self->project_id);
  g_free (self->project_name);
  g_free (self->stall);
  g_free (self->cooling);
  g_free (self->store);

  G_OBJECT_CLASS (gw_batch_parent_class)->finalize (object);
}

static void
gw_batch_class_init (GwBatchClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gw_batch_finalize;

  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[TASK_ENDED] = g_signal_new ("task-ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                      0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[LOST] = g_signal_new ("lost", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[FOUND] = g_signal_new ("found", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                 NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[COOLING] = g_signal_new ("cooling", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
gw_batch_init (GwBatch *self)
{
  self->lost_limit_s = DEFAULT_LOST_LIMIT_S;
  self->contents = g_ptr_array_new_with_free_func (g_free);
  self->metadata = g_ptr_array_new_with_free_func (unref_object);
  self->tasks = g_ptr_array_new_with_free_func (unref_task);
  self->ids = g_ptr_array_new_with_free_func (g_free);
  self->index = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&self->missing);
}

/**
 * gw_batch_new:
 * @client: (transfer none): the gateway that runs it
 *
 * Returns: (transfer full): an empty run
 */
GwBatch *
gw_batch_new (GwClient *client)
{
  GwBatch *self;

  g_return_val_if_fail (GW_IS_CLIENT (client), NULL);

  self = g_object_new (GW_TYPE_BATCH, NULL);
  self->client = g_object_ref (client);

  return self;
}

/**
 * gw_batch_set_lost_limit:
 * @self: a run
 * @seconds: for how long the gateway may be gone
 */
void
gw_batch_set_lost_limit (GwBatch *self,
                         guint seconds)
{
  g_return_if_fail (GW_IS_BATCH (self));

  self->lost_limit_s = seconds;
}

/* Completed, with a result that the feed did not send. */
static gboolean
lacks_result (const GwTask *task)
{
  return task->status == GW_TASK_COMPLETED && task->result == NULL && task->result_size > 0;
}

static void
queue_missing (GwBatch *self,
               const char *task_id)
{
  g_queue_push_tail (&self->missing, g_strdup (task_id));
  fetch_missing (self);
}

/* Takes in a newer state of a task of the run; everything else is not ours to keep. */
void
_gw_batch_take_task (GwBatch *self,
                     GwTask *task)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->index, task->task_id));
  gboolean was_final;
  GwTask *old;

  if (place == 0)
    return;
  old = g_ptr_array_index (self->tasks, place - 1);
  if (task->revision < old->revision
      || (task->revision == old->revision && old->revision > 0
          && (old->result != NULL || task->result == NULL)))
    return;

  /* The feed is asked without the content, which is known here; nobody else has seen the struct. */
  if (task->content == NULL)
    {
      task->content = g_strdup (g_ptr_array_index (self->contents, place - 1));
      task->content_size = strlen (task->content);
    }
  if (task->submitted == NULL && g_ptr_array_index (self->metadata, place - 1) != NULL
      && gw_client_get_protocol (self->client) == GW_PROTOCOL_MINIMAL)
    task->submitted = json_object_ref (g_ptr_array_index (self->metadata, place - 1));

  was_final = gw_task_status_is_final (old->status);
  self->counts[old->status]--;
  self->counts[task->status]++;
  self->tasks->pdata[place - 1] = gw_task_ref (task);
  self->moved_at = g_get_monotonic_time ();
  self->stall_pause_s = 0;

  if (lacks_result (task))
    queue_missing (self, task->task_id);
  else if (gw_task_status_is_final (task->status)
           && (!was_final || lacks_result (old) || old->revision != task->revision))
    g_signal_emit (self, signals[TASK_ENDED], 0, task);
  gw_task_unref (old);
}

/* From here on the tasks of @ids are the run, in the order of @contents, all queued. */
void
_gw_batch_set_run (GwBatch *self,
                   GPtrArray *ids)
{
  gint64 now = g_get_real_time () / 1000;

  g_hash_table_remove_all (self->index);
  g_ptr_array_set_size (self->tasks, 0);
  g_ptr_array_set_size (self->ids, 0);
  memset (self->counts, 0, sizeof self->counts);
  for (guint i = 0; i < ids->len; i++)
    {
      GwTask *task = gw_task_new ();
      JsonObject *metadata = g_ptr_array_index (self->metadata, i);

      task->task_id = g_strdup (g_ptr_array_index (ids, i));
      task->project_id = g_strdup (self->project_id);
      task->status = GW_TASK_QUEUED;
      task->content = g_strdup (g_ptr_array_index (self->contents, i));
      task->content_size = strlen (task->content);
      task->created_at = now;
      task->usage = GW_USAGE_NONE;
      task->duration_ms = -1;
      task->submitted = metadata != NULL ? json_object_ref (metadata) : NULL;
      g_ptr_array_add (self->tasks, task);
      g_ptr_array_add (self->ids, g_strdup (task->task_id));
      g_hash_table_insert (self->index, g_ptr_array_index (self->ids, i),
                           GUINT_TO_POINTER (i + 1));
    }
  self->counts[GW_TASK_QUEUED] = ids->len;
  self->moved_at = g_get_monotonic_time ();
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
  g_autoptr(GTask) task = g_steal_pointer (&self->follow);
  g_autoptr(GCancellable) cancellable = g_steal_pointer (&self->cancellable);

  g_cancellable_disconnect (g_task_get_cancellable (task), self->outer_id);
  self->outer_id = 0;
  g_cancellable_cancel (cancellable);
  _gw_batch_clear_source (&self->timer);
  _gw_batch_clear_source (&self->stall_timer);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, end);
}

void
_gw_batch_check_end (GwBatch *self)
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

  _gw_batch_clear_source (&self->timer);
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
  g_signal_emit (self, signals[LOST], 0, lost_s);
}

/* A task that someone removed meanwhile has no result any more, and must not be waited for. */
static void
take_removed (GwBatch *self,
              const char *task_id,
              guint64 revision)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->index, task_id));
  g_autoptr(GwTask) task = NULL;
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
  g_autoptr(GwBatch) self = user_data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GwChanges) changes = NULL;
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
      g_signal_emit (self, signals[FOUND], 0);
    }
  if (!take_page (self, changes, &error))
    {
      end_follow (self, GW_BATCH_DONE, g_steal_pointer (&error));
      return;
    }

  if (changes->tasks->len > 0 || changes->removed->len > 0)
    g_signal_emit (self, signals[CHANGED], 0);
  fetch_missing (self);
  if (!changes->more && !changes->reset)
    _gw_batch_check_end (self);
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
  g_autoptr(GwBatch) self = g_steal_pointer (&fetch->self);
  g_autofree char *task_id = g_steal_pointer (&fetch->task_id);
  g_autoptr(GError) error = NULL;
  g_autoptr(GwTask) task = gw_client_get_task_finish (GW_CLIENT (source), result, &error);

  g_free (fetch);
  self->fetching--;
  if (task != NULL)
    _gw_batch_take_task (self, task);
  else if (may_come_back (error))
    /* Asked for again with the next page, or the next try to reach the gateway. */
    g_queue_push_tail (&self->missing, g_steal_pointer (&task_id));

  if (task != NULL)
    fetch_missing (self);
  _gw_batch_check_end (self);
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

  _gw_batch_check_end (self);
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

/**
 * gw_batch_get_project_id:
 * @self: a run
 *
 * Returns: (transfer none) (nullable): its project; NULL before it was submitted
 */
const char *
gw_batch_get_project_id (GwBatch *self)
{
  g_return_val_if_fail (GW_IS_BATCH (self), NULL);

  return self->project_id;
}

/**
 * gw_batch_get_project_name:
 * @self: a run
 *
 * Returns: (transfer none) (nullable): the name of its project
 */
const char *
gw_batch_get_project_name (GwBatch *self)
{
  g_return_val_if_fail (GW_IS_BATCH (self), NULL);

  return self->project_name;
}

/**
 * gw_batch_get_n_tasks:
 * @self: a run
 *
 * Returns: how many tasks it has
 */
guint
gw_batch_get_n_tasks (GwBatch *self)
{
  g_return_val_if_fail (GW_IS_BATCH (self), 0);

  return self->contents->len;
}

/**
 * gw_batch_count:
 * @self: a run
 * @status: a state
 *
 * Returns: how many of its tasks are in @status, at no cost
 */
guint
gw_batch_count (GwBatch *self,
                GwTaskStatus status)
{
  g_return_val_if_fail (GW_IS_BATCH (self), 0);
  g_return_val_if_fail ((guint) status < GW_N_TASK_STATUSES, 0);

  return self->counts[status];
}

/**
 * gw_batch_count_practice:
 * @self: a run
 *
 * Returns: how many answers the practice provider gave
 */
guint
gw_batch_count_practice (GwBatch *self)
{
  guint count = 0;

  g_return_val_if_fail (GW_IS_BATCH (self), 0);

  for (guint i = 0; i < self->tasks->len; i++)
    count += ((GwTask *) g_ptr_array_index (self->tasks, i))->practice ? 1 : 0;

  return count;
}

/**
 * gw_batch_get_stall:
 * @self: a run
 *
 * Returns: (transfer none) (nullable): after %GW_BATCH_STALLED, which lanes wait for what
 */
const char *
gw_batch_get_stall (GwBatch *self)
{
  g_return_val_if_fail (GW_IS_BATCH (self), NULL);

  return self->stall;
}

/* Another gateway's task is known by that gateway's id; ours are only for this process. */
static GwTask *
with_foreign_id (GwBatch *self,
                 GwTask *task)
{
  g_autofree char *foreign = gw_client_dup_foreign_id (self->client, task->task_id);
  g_autoptr(JsonObject) object = NULL;
  GwTask *copy;

  if (foreign == NULL)
    return gw_task_ref (task);

  object = gw_task_to_json (task, GW_TASK_FIELDS_WHOLE);
  json_object_set_string_member (object, "task_id", foreign);
  copy = gw_task_new_from_json (object, NULL);

  return copy != NULL ? copy : gw_task_ref (task);
}

/**
 * gw_batch_dup_tasks:
 * @self: a run
 *
 * Returns: (transfer full) (element-type GwTask): its tasks as they are now, in input order; those
 *   of a run that was not submitted have no id
 */
GPtrArray *
gw_batch_dup_tasks (GwBatch *self)
{
  GPtrArray *tasks;

  g_return_val_if_fail (GW_IS_BATCH (self), NULL);

  tasks = g_ptr_array_new_with_free_func (unref_task);
  for (guint i = 0; i < self->tasks->len; i++)
    g_ptr_array_add (tasks, with_foreign_id (self, g_ptr_array_index (self->tasks, i)));

  return tasks;
}
