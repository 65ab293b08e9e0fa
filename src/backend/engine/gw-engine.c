/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-engine"

#include "config.h"

#include <sys/resource.h>

#include "engine/gw-engine-private.h"

/*
 * Start and stop of everything behind HTTP, in order.
 *
 * Start: configuration, data lock, queue, providers and their keys, gateway, workers; the address
 * is written into the lock last, so that who reads it finds a gateway that serves. Stop: the
 * gateway refuses new work, the workers drain, the gateway answers who still waits and closes its
 * port, the queue ends, the lock is freed.
 *
 * Threading: the steps run on a thread of the engine's own, which afterwards only tells the queue
 * of changed providers. The owner's thread is never blocked; results and the failure come to it.
 *
 * Guarantee: after a stop, and after a start that failed, there is no thread, no port and no lock.
 */

G_DEFINE_FINAL_TYPE (GwEngine, gw_engine, G_TYPE_OBJECT)

static void
gw_engine_finalize (GObject *object)
{
  GwEngine *self = GW_ENGINE (object);

  g_assert (self->queue == NULL && self->gateway == NULL && self->pool == NULL);
  g_clear_pointer (&self->thread, gw_worker_thread_free);
  g_clear_object (&self->catalogue);
  g_clear_pointer (&self->config, gw_config_free);
  gw_clock_unref (self->clock);
  gw_partials_unref (self->partials);
  g_main_context_unref (self->owner);
  g_ptr_array_unref (self->held);
  g_ptr_array_unref (self->notices);
  g_free (self->config_path);
  g_free (self->data_dir);
  g_free (self->listen);
  g_free (self->redis_uri);
  g_free (self->uri);
  g_free (self->other_uri);

  G_OBJECT_CLASS (gw_engine_parent_class)->finalize (object);
}

static void
gw_engine_class_init (GwEngineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_engine_finalize;
}

static void
gw_engine_init (GwEngine *self)
{
  self->owner = g_main_context_ref_thread_default ();
  self->clock = gw_clock_new ();
  self->partials = gw_partials_new ();
  self->held = g_ptr_array_new_with_free_func (g_free);
  self->notices = g_ptr_array_new_with_free_func ((GDestroyNotify) _gw_notice_free);
}

/* Engine thread: the start under way has failed; everything that it made is undone before the owner
 * hears of it. */
void
_gw_engine_start_failed (GwEngine *self,
                         GError *error)
{
  self->start_error = error;
  _gw_engine_unwind (self);
}

/* Engine thread: the last step of a stop, or of a start that failed. */
static void
gw_engine_unwound (GwEngine *self)
{
  GTask *task = g_steal_pointer (&self->task);

  if (self->start_error != NULL)
    g_task_return_error (task, g_steal_pointer (&self->start_error));
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
queue_closed_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_queue_close_finish (GW_QUEUE (source), result, &error))
    g_warning ("the queue did not close in order: %s", error->message);

  g_clear_object (&self->queue);
  g_clear_pointer (&self->lock, gw_data_lock_free);
  gw_engine_unwound (self);
}

static void
gw_engine_unwind_rest (GwEngine *self)
{
  if (self->gateway != NULL)
    gw_gateway_stop (self->gateway);
  g_clear_object (&self->gateway);

  if (self->catalogue_watch != 0)
    gw_catalogue_unwatch (self->catalogue, self->catalogue_watch);
  self->catalogue_watch = 0;

  if (self->queue != NULL)
    {
      gw_queue_close_async (self->queue, queue_closed_cb, self);
      return;
    }

  g_clear_pointer (&self->lock, gw_data_lock_free);
  gw_engine_unwound (self);
}

static void
pool_stopped_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_worker_pool_stop_finish (GW_WORKER_POOL (source), result, &error))
    g_warning ("the workers did not stop in order: %s", error->message);

  self->pool_stopping = FALSE;
  g_clear_object (&self->pool);
  gw_engine_unwind_rest (self);
}

/* Engine thread: takes down what is there, in the reverse order of the start. */
void
_gw_engine_unwind (GwEngine *self)
{
  _gw_engine_stop_waiting (self);
  /* A late start that is still asking the queue ends first. */
  if (self->asking)
    {
      self->unwinds = TRUE;
      return;
    }
  if (self->gateway != NULL)
    gw_gateway_refuse_work (self->gateway);

  if (self->pool != NULL)
    {
      self->pool_stopping = TRUE;
      gw_worker_pool_stop_async (self->pool, self->stop_limit_ms, pool_stopped_cb, self);
      return;
    }

  gw_engine_unwind_rest (self);
}

/* Engine thread. */
static void
stop_cb (gpointer data)
{
  _gw_engine_unwind (data);
}

/* Engine thread. */
static void
hurry_cb (gpointer data)
{
  GwEngine *self = data;

  if (self->pool_stopping)
    gw_worker_pool_hurry (self->pool, self->stop_limit_ms);
}

/**
 * gw_engine_new:
 * @options: what to start; copied
 *
 * Returns: (transfer full): an engine that was not started
 */
GwEngine *
gw_engine_new (const GwEngineOptions *options)
{
  GwEngine *self = g_object_new (GW_TYPE_ENGINE, NULL);

  self->host = options->host;
  self->config_path = g_strdup (options->config_path);
  self->data_dir = options->data_dir != NULL
                       ? g_strdup (options->data_dir)
                       : g_build_filename (g_get_user_data_dir (), "gangway", NULL);
  self->listen = g_strdup (options->listen);
  self->port = options->port;
  self->redis_uri = g_strdup (options->redis_uri);
  self->no_workers = options->no_workers;
  self->workers_only = options->workers_only;
  self->set_limits = options->set_limits;

  return self;
}

/**
 * gw_engine_start_async:
 * @self: an engine that was not started before
 * @cancellable: (nullable): not looked at once the data is open; stop instead
 *
 * Starts everything; the callback runs in the owner's context.
 */
void
gw_engine_start_async (GwEngine *self,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_return_if_fail (GW_IS_ENGINE (self));
  g_return_if_fail (self->state == GW_ENGINE_NEW);

  self->state = GW_ENGINE_STARTING;
  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, gw_engine_start_async);
  g_task_set_check_cancellable (self->task, FALSE);
  self->thread = gw_worker_thread_new ("gw-engine");
  gw_worker_thread_post (self->thread, _gw_engine_start_cb, self);
}

gboolean
gw_engine_start_finish (GwEngine *self,
                        GAsyncResult *result,
                        GError **error)
{
  gboolean started;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  started = g_task_propagate_boolean (G_TASK (result), error);
  self->state = started ? GW_ENGINE_RUNNING : GW_ENGINE_STOPPED;
  if (!started)
    g_clear_pointer (&self->thread, gw_worker_thread_free);

  return started;
}

const char *
gw_engine_get_uri (GwEngine *self)
{
  return self->uri;
}

const char *
gw_engine_get_token (GwEngine *self)
{
  return self->config != NULL ? self->config->token : NULL;
}

const char *
gw_engine_get_other_uri (GwEngine *self)
{
  return self->other_uri;
}

guint
gw_engine_get_drain_seconds (GwEngine *self)
{
  g_return_val_if_fail (self->config != NULL, 0);

  return self->config->drain_seconds;
}

const char *const *
gw_engine_get_held (GwEngine *self)
{
  return (const char *const *) self->held->pdata;
}

GPtrArray *
gw_engine_get_notices (GwEngine *self)
{
  return self->notices;
}

/**
 * gw_engine_stop_async:
 * @self: an engine that runs, or is being stopped
 * @limit_ms: how long calls in flight may go on
 * @callback: called once, for the first call; a later one only changes the limit
 */
void
gw_engine_stop_async (GwEngine *self,
                      guint limit_ms,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_return_if_fail (GW_IS_ENGINE (self));
  g_return_if_fail (self->state == GW_ENGINE_RUNNING || self->state == GW_ENGINE_STOPPING);

  self->stop_limit_ms = limit_ms;
  if (self->state == GW_ENGINE_STOPPING)
    {
      gw_worker_thread_post (self->thread, hurry_cb, self);
      return;
    }

  self->state = GW_ENGINE_STOPPING;
  self->task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->task, gw_engine_stop_async);
  gw_worker_thread_post (self->thread, stop_cb, self);
}

gboolean
gw_engine_stop_finish (GwEngine *self,
                       GAsyncResult *result,
                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  self->state = GW_ENGINE_STOPPED;
  g_clear_pointer (&self->thread, gw_worker_thread_free);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * gw_engine_set_failed_func:
 * @self: an engine
 * @func: called in the owner's thread if the engine cannot go on; it is still to be stopped
 */
void
gw_engine_set_failed_func (GwEngine *self,
                           GwEngineFailedFunc func,
                           gpointer user_data)
{
  self->failed = func;
  self->failed_data = user_data;
}
