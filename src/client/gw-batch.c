/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-batch"

#include "config.h"

#include "gw-batch-private.h"
#include "gw-source.h"

/* GwBatch: a run of many tasks, from its submission to its last answer.
 *
 * It follows the change feed of its project by one long-poll, results included, so that the end is
 * known as soon as the gateway knows it, and what has been answered is held here whatever becomes
 * of the gateway. Guarantee: once a task was seen final with its result, it stays so in this
 * memory, through lost connections and gateways that were started again on the same data; only
 * `retry` takes it back. Starting and taking up runs is in gw-batch-start.c, the look for lanes
 * that need the user in gw-batch-stall.c. */

#define DEFAULT_LOST_LIMIT_S 30

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

  gw_source_clear (&self->timer);
  gw_source_clear (&self->stall_timer);
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

  if (_gw_batch_lacks_result (task))
    _gw_batch_queue_missing (self, task->task_id);
  else if (gw_task_status_is_final (task->status)
           && (!was_final || _gw_batch_lacks_result (old) || old->revision != task->revision))
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
  g_autoptr (JsonObject) object = NULL;
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
