/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * GwSqliteQueue: the face of the embedded engine. Any thread: arguments are copied into a request,
 * which goes to the writer or to a reader; results come back in the caller's thread-default
 * context. The object owns nothing but its engine, so that threads never hold the object.
 */

struct _GwSqliteQueue {
  GObject parent_instance;

  GwSqEngine *engine;     /* (owned) */
};

static void gw_sqlite_queue_iface_init (GwQueueInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwSqliteQueue, gw_sqlite_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (GW_TYPE_QUEUE, gw_sqlite_queue_iface_init))

GwSqEngine *
gw_sqlite_queue_get_engine (GwQueue *self)
{
  return GW_SQLITE_QUEUE (self)->engine;
}

/* --- Requests. --- */

GwSqRequest *
gw_sq_request_new (GwQueue *self,
                   gpointer tag,
                   gpointer args,
                   GDestroyNotify free_args,
                   GDestroyNotify free_result,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GwSqRequest *request = g_new0 (GwSqRequest, 1);

  request->task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (request->task, tag);
  request->args = args;
  request->free_args = free_args;
  request->free_result = free_result;
  request->rows = 1;

  return request;
}

static void
write_step (GwQueue *self,
            GwSqStepFunc step,
            GwSqRequest *request)
{
  request->step = step;
  gw_sq_engine_write (GW_SQLITE_QUEUE (self)->engine, request);
}

static void
free_call_args (gpointer data)
{
  GwSqCallArgs *args = data;

  g_clear_pointer (&args->reply, gw_reply_free);
  g_free (args->provider);
  g_free (args->worker);
  g_free (args);
}

static void
free_verb_args (gpointer data)
{
  GwSqVerbArgs *args = data;

  g_free (args->id);
  g_free (args->name);
  g_free (args->model);
  g_free (args->task);
  g_strfreev (args->ids);
  g_clear_pointer (&args->providers, g_ptr_array_unref);
  g_free (args);
}

/* --- Submissions. --- */

static GwSubmission *
copy_submission (const GwSubmission *submission,
                 gsize *bytes)
{
  GwSubmission *copy = gw_submission_new ();

  *bytes = 0;
  for (guint i = 0; i < submission->tasks->len; i++)
    {
      const GwNewTask *task = g_ptr_array_index (submission->tasks, i);
      GwNewTask *own = gw_new_task_new (task->content);

      own->provider = g_strdup (task->provider);
      own->model = g_strdup (task->model);
      own->priority = task->priority;
      if (task->metadata != NULL)
        {
          /* Deep, so that no thread shares a node with another. */
          g_autofree char *text = gw_json_object_to_text (task->metadata, FALSE, NULL);

          own->metadata = gw_json_parse_object (text, strlen (text), NULL);
          *bytes += strlen (text);
        }
      *bytes += strlen (own->content);
      g_ptr_array_add (copy->tasks, own);
    }
  copy->project = g_strdup (submission->project);
  copy->sets_concurrency = submission->sets_concurrency;
  copy->paused = submission->paused;
  copy->concurrency = submission->concurrency;
  copy->idempotency_key = g_strdup (submission->idempotency_key);
  memcpy (copy->body_digest, submission->body_digest, sizeof copy->body_digest);

  return copy;
}

static void
submit_async (GwQueue *self,
              const GwSubmission *submission,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  gsize bytes;
  GwSubmission *copy = copy_submission (submission, &bytes);
  GwSqRequest *request = gw_sq_request_new (self, submit_async, copy,
                                            (GDestroyNotify) gw_submission_free,
                                            (GDestroyNotify) gw_submitted_free, callback,
                                            user_data);

  request->rows = copy->tasks->len;
  request->bytes = bytes;
  request->batch = copy->tasks->len > GW_SQ_BATCH_TASKS || bytes > 1024 * 1024;
  write_step (self, gw_sq_step_submit, request);
}

/* --- Calls. --- */

static GwSqCallArgs *
new_call_args (guint64 attempt,
               const GwReply *reply,
               const GwClaim *claim)
{
  GwSqCallArgs *args = g_new0 (GwSqCallArgs, 1);

  args->attempt = attempt;
  if (reply != NULL)
    {
      args->reply = gw_reply_copy (reply);
      gw_usage_bound (&args->reply->usage);
    }
  if (claim != NULL)
    {
      args->provider = g_strdup (claim->provider);
      args->worker = g_strdup (claim->worker);
      args->slot = claim->slot;
    }

  return args;
}

static void
claim_async (GwQueue *self,
             const GwClaim *claim,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  write_step (self, gw_sq_step_claim,
              gw_sq_request_new (self, claim_async, new_call_args (0, NULL, claim),
                                 free_call_args, (GDestroyNotify) gw_grant_free, callback,
                                 user_data));
}

static void
note_sent_async (GwQueue *self,
                 guint64 attempt,
                 gint64 sent_at,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  GwSqCallArgs *args = new_call_args (attempt, NULL, NULL);

  args->sent_at = sent_at;
  write_step (self, gw_sq_step_note_sent,
              gw_sq_request_new (self, note_sent_async, args, free_call_args, NULL, callback,
                                 user_data));
}

static void
finish_async (GwQueue *self,
              guint64 attempt,
              const GwReply *reply,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  GwSqRequest *request =
      gw_sq_request_new (self, finish_async, new_call_args (attempt, reply, NULL), free_call_args,
                         (GDestroyNotify) gw_finished_free, callback, user_data);

  request->bytes = reply->result != NULL ? strlen (reply->result) : 0;
  write_step (self, gw_sq_step_finish, request);
}

static void
finish_and_claim_async (GwQueue *self,
                        guint64 attempt,
                        const GwReply *reply,
                        const GwClaim *claim,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GwSqRequest *request =
      gw_sq_request_new (self, finish_and_claim_async, new_call_args (attempt, reply, claim),
                         free_call_args, (GDestroyNotify) gw_finished_free, callback, user_data);

  request->bytes = reply->result != NULL ? strlen (reply->result) : 0;
  write_step (self, gw_sq_step_finish, request);
}

/* --- Verbs. --- */

static GwSqVerbArgs *
new_verb_args (const char *id,
               const char *name,
               const char *model)
{
  GwSqVerbArgs *args = g_new0 (GwSqVerbArgs, 1);

  args->id = g_strdup (id);
  args->name = g_strdup (name);
  args->model = g_strdup (model);

  return args;
}

static void
cancel_task_async (GwQueue *self,
                   const char *task_id,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  write_step (self, gw_sq_step_cancel_task,
              gw_sq_request_new (self, cancel_task_async, new_verb_args (task_id, NULL, NULL),
                                 free_verb_args, (GDestroyNotify) gw_task_unref, callback,
                                 user_data));
}

static void
retry_task_async (GwQueue *self,
                  const char *task_id,
                  const char *provider,
                  const char *model,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  write_step (self, gw_sq_step_retry_task,
              gw_sq_request_new (self, retry_task_async, new_verb_args (task_id, provider, model),
                                 free_verb_args, (GDestroyNotify) gw_task_unref, callback,
                                 user_data));
}

static void
set_removed_async (GwQueue *self,
                   const char *const *task_ids,
                   gboolean removed,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GwSqVerbArgs *args = new_verb_args (NULL, NULL, NULL);
  GwSqRequest *request;

  args->ids = g_strdupv ((char **) task_ids);
  args->flag = removed;
  request = gw_sq_request_new (self, set_removed_async, args, free_verb_args, g_free, callback,
                               user_data);
  request->rows = g_strv_length (args->ids);
  request->batch = request->rows > GW_SQ_BATCH_TASKS;
  write_step (self, gw_sq_step_set_removed, request);
}

static void
move_tasks_async (GwQueue *self,
                  const char *const *task_ids,
                  const GwMove *move,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GwSqVerbArgs *args = new_verb_args (NULL, NULL, NULL);
  GwSqRequest *request;

  args->ids = g_strdupv ((char **) task_ids);
  args->move = *move;
  request = gw_sq_request_new (self, move_tasks_async, args, free_verb_args, g_free, callback,
                               user_data);
  request->rows = g_strv_length (args->ids);
  request->batch = request->rows > GW_SQ_BATCH_TASKS;
  write_step (self, gw_sq_step_move_tasks, request);
}

static void
act_on_project_async (GwQueue *self,
                      const char *project,
                      const GwProjectAct *act,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GwSqVerbArgs *args = new_verb_args (project, act->provider, act->model);
  GwSqRequest *request;

  args->act = *act;
  args->act.provider = args->act.model = NULL;
  request = gw_sq_request_new (self, act_on_project_async, args, free_verb_args, g_free, callback,
                               user_data);
  /* Thousands of rows, maybe: nobody else's commit waits for them. */
  request->batch = act->verb == GW_PROJECT_CANCEL || act->verb == GW_PROJECT_RETRY;
  write_step (self, gw_sq_step_act_on_project, request);
}

static void
patch_project_async (GwQueue *self,
                     const char *project,
                     const GwProjectPatch *patch,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwSqVerbArgs *args = new_verb_args (project, patch->name, NULL);

  args->patch = *patch;
  args->task = g_strdup (patch->stop_after);
  args->patch.name = args->patch.stop_after = NULL;
  write_step (self, gw_sq_step_patch_project,
              gw_sq_request_new (self, patch_project_async, args, free_verb_args,
                                 (GDestroyNotify) gw_project_unref, callback, user_data));
}

static void
remove_project_async (GwQueue *self,
                      const char *project,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GwSqRequest *request = gw_sq_request_new (self, remove_project_async,
                                            new_verb_args (project, NULL, NULL), free_verb_args,
                                            NULL, callback, user_data);

  request->batch = TRUE;
  write_step (self, gw_sq_step_remove_project, request);
}

/* --- Providers. --- */

static void
free_provider (gpointer data)
{
  GwQueueProvider *provider = data;

  gw_provider_config_unref (provider->config);
  g_free (provider);
}

static void
set_providers_async (GwQueue *self,
                     GPtrArray *providers,
                     gboolean set_limits,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwSqVerbArgs *args = new_verb_args (NULL, NULL, NULL);

  args->flag = set_limits;
  args->providers = g_ptr_array_new_with_free_func (free_provider);
  for (guint i = 0; i < providers->len; i++)
    {
      const GwQueueProvider *provider = g_ptr_array_index (providers, i);
      GwQueueProvider *own = g_new (GwQueueProvider, 1);

      *own = *provider;
      own->config = gw_provider_config_ref (provider->config);
      g_ptr_array_add (args->providers, own);
    }
  write_step (self, gw_sq_step_set_providers,
              gw_sq_request_new (self, set_providers_async, args, free_verb_args,
                                 (GDestroyNotify) g_strfreev, callback, user_data));
}

static void
set_limits_async (GwQueue *self,
                  const GwQueueLimits *limits,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GwSqVerbArgs *args = new_verb_args (NULL, NULL, NULL);

  args->limits = *limits;
  write_step (self, gw_sq_step_set_limits,
              gw_sq_request_new (self, set_limits_async, args, free_verb_args, NULL, callback,
                                 user_data));
}

static void
resume_lane_async (GwQueue *self,
                   const char *provider,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  write_step (self, gw_sq_step_resume_lane,
              gw_sq_request_new (self, resume_lane_async, new_verb_args (provider, NULL, NULL),
                                 free_verb_args, NULL, callback, user_data));
}

/* --- The rest. --- */

static void
close_async (GwQueue *self,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, close_async);
  gw_sq_engine_close (GW_SQLITE_QUEUE (self)->engine, task);
}

static guint
watch_revision (GwQueue *self,
                GMainContext *context,
                GwRevisionFunc func,
                gpointer data,
                GDestroyNotify destroy)
{
  GwSqEngine *engine = GW_SQLITE_QUEUE (self)->engine;

  return gw_sq_watches_add_revision (gw_sq_engine_get_watches (engine), context, func, data,
                                     destroy);
}

static guint
watch_lane (GwQueue *self,
            const char *provider,
            GMainContext *context,
            GwLaneEventFunc func,
            gpointer data,
            GDestroyNotify destroy)
{
  GwSqEngine *engine = GW_SQLITE_QUEUE (self)->engine;
  GwSqRequest *request = g_new0 (GwSqRequest, 1);
  guint id = gw_sq_watches_add_lane (gw_sq_engine_get_watches (engine), provider, context, func,
                                     data, destroy);

  /* Who comes late hears of what was cancelled before. */
  request->step = gw_sq_step_replay_aborts;
  request->args = new_verb_args (provider, NULL, NULL);
  request->free_args = free_verb_args;
  gw_sq_engine_write (engine, request);

  return id;
}

static void
unwatch (GwQueue *self,
         guint id)
{
  gw_sq_watches_remove (gw_sq_engine_get_watches (GW_SQLITE_QUEUE (self)->engine), id);
}

static GwClock *
get_clock (GwQueue *self)
{
  return gw_sq_engine_get_clock (GW_SQLITE_QUEUE (self)->engine);
}

static const char *
get_kind (GwQueue *self)
{
  return "embedded";
}

static void
gw_sqlite_queue_iface_init (GwQueueInterface *iface)
{
  gw_sqlite_queue_init_reads (iface);
  iface->submit_async = submit_async;
  iface->claim_async = claim_async;
  iface->note_sent_async = note_sent_async;
  iface->finish_async = finish_async;
  iface->finish_and_claim_async = finish_and_claim_async;
  iface->cancel_task_async = cancel_task_async;
  iface->retry_task_async = retry_task_async;
  iface->set_removed_async = set_removed_async;
  iface->move_tasks_async = move_tasks_async;
  iface->act_on_project_async = act_on_project_async;
  iface->patch_project_async = patch_project_async;
  iface->remove_project_async = remove_project_async;
  iface->set_providers_async = set_providers_async;
  iface->set_limits_async = set_limits_async;
  iface->resume_lane_async = resume_lane_async;
  iface->close_async = close_async;
  iface->watch_revision = watch_revision;
  iface->watch_lane = watch_lane;
  iface->unwatch = unwatch;
  iface->get_clock = get_clock;
  iface->get_kind = get_kind;
}

static void
gw_sqlite_queue_dispose (GObject *object)
{
  GwSqliteQueue *self = GW_SQLITE_QUEUE (object);

  if (self->engine != NULL)
    {
      gw_sq_engine_close (self->engine, NULL);
      gw_sq_engine_join (self->engine);
      g_clear_pointer (&self->engine, gw_sq_engine_unref);
    }

  G_OBJECT_CLASS (gw_sqlite_queue_parent_class)->dispose (object);
}

static void
gw_sqlite_queue_class_init (GwSqliteQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_sqlite_queue_dispose;
}

static void
gw_sqlite_queue_init (GwSqliteQueue *self)
{
}

/**
 * gw_sqlite_queue_new:
 * @options: where, and by which rules
 * @error: (nullable): return location
 *
 * Opens the queue of a data directory that the caller has locked. Blocks for as long as that takes.
 *
 * Returns: (transfer full) (nullable): a queue, whose threads run
 */
GwSqliteQueue *
gw_sqlite_queue_new (const GwSqliteQueueOptions *options,
                     GError **error)
{
  GwSqEngine *engine = gw_sq_engine_new (options, error);
  GwSqliteQueue *self;

  if (engine == NULL)
    return NULL;

  self = g_object_new (GW_TYPE_SQLITE_QUEUE, NULL);
  self->engine = engine;

  return self;
}

void
gw_sqlite_queue_set_failed_func (GwSqliteQueue *self,
                                 void (*func) (const GError *, gpointer),
                                 gpointer user_data)
{
  g_return_if_fail (GW_IS_SQLITE_QUEUE (self));

  gw_sq_engine_set_failed_func (self->engine, func, user_data);
}
