/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-engine"

#include "config.h"

#include <sys/resource.h>

#include "gateway/gw-gateway.h"
#include "gw-config.h"
#include "engine/gw-engine.h"
#include "gw-error.h"
#include "provider/gw-catalogue.h"
#include "queue/gw-data-lock.h"
#include "queue/gw-queue-providers.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-queue.h"
#include "queue/gw-sqlite-queue.h"
#include "worker/gw-worker-pool.h"
#include "worker/gw-worker-thread.h"

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

#define BATCH_PROJECT_PAGE 500

typedef enum {
  ENGINE_NEW,
  ENGINE_STARTING,
  ENGINE_RUNNING,
  ENGINE_STOPPING,
  ENGINE_STOPPED,
} EngineState;

struct _GwEngine {
  GObject parent_instance;

  GwHost host;
  char *config_path;        /* (owned) (nullable) */
  char *data_dir;           /* (owned) */
  char *listen;             /* (owned) (nullable) */
  int port;
  char *redis_uri;          /* (owned) (nullable) */
  gboolean no_workers;
  gboolean workers_only;
  gboolean set_limits;

  GMainContext *owner;      /* (owned) of who made it */
  EngineState state;        /* owner's thread */
  GwEngineFailedFunc failed;
  gpointer failed_data;

  GwWorkerThread *thread;   /* (owned) (nullable) runs everything below */
  GTask *task;              /* (owned) (nullable) the start or stop under way */
  GError *start_error;      /* (owned) (nullable) why the start is being undone */
  GwConfig *config;         /* (owned) (nullable) */
  GwDataLock *lock;         /* (owned) (nullable) */
  GwClock *clock;           /* (owned) */
  GwQueue *queue;           /* (owned) (nullable) */
  GwCatalogue *catalogue;   /* (owned) (nullable) */
  GwPartials *partials;     /* (owned) what the workers tell the gateway of running calls */
  GwGateway *gateway;       /* (owned) (nullable) */
  GwWorkerPool *pool;       /* (owned) (nullable) */
  guint catalogue_watch;
  gboolean pool_stopping;
  guint n_resuming;         /* stopped lanes that the start sets going */
  guint stop_limit_ms;

  /* Written before the start ends, read-only after it. */
  char *uri;                /* (owned) (nullable) */
  char *other_uri;          /* (owned) (nullable) */
  gint64 opening_at;        /* Unix ms: when the queue was asked to open */
  GPtrArray *held;          /* (owned) (element-type utf8) NULL-terminated */
  GPtrArray *notices;       /* (owned) (element-type utf8) NULL-terminated */
};

G_DEFINE_FINAL_TYPE (GwEngine, gw_engine, G_TYPE_OBJECT)

static void gw_engine_unwind (GwEngine *self);

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
  self->notices = g_ptr_array_new_with_free_func (g_free);
}

/* Every connection is a descriptor: a server takes as many as the system lets it have. */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

/* Engine thread: the start under way has failed; everything that it made is undone before the owner
 * hears of it. */
static void
gw_engine_start_failed (GwEngine *self,
                        GError *error)
{
  self->start_error = error;
  gw_engine_unwind (self);
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
static void
gw_engine_unwind (GwEngine *self)
{
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

static void
gw_engine_tell_held_and_providers (GwEngine *self)
{
  g_autoptr (GPtrArray) configs = gw_catalogue_list (self->catalogue);
  gboolean practice_only = TRUE;

  for (guint i = 0; i < configs->len; i++)
    {
      GwProviderConfig *config = configs->pdata[i];

      if (config->kind == GW_PROVIDER_PRACTICE
          || !gw_catalogue_is_in_use (self->catalogue, config->name))
        continue;

      practice_only = FALSE;
      if (!gw_catalogue_is_usable (self->catalogue, config->name))
        {
          g_ptr_array_add (self->notices,
                           g_strdup_printf ("%s has no key: set %s in the environment. Its tasks "
                                            "wait until then.", config->title,
                                            gw_catalogue_get_key_variable (self->catalogue,
                                                                           config->name)));
          continue;
        }
      if (gw_catalogue_get_key_source (self->catalogue, config->name) == GW_KEY_ENVIRONMENT)
        {
          g_ptr_array_add (self->notices,
                           g_strdup_printf ("Using %s at %s with the key from %s.", config->title,
                                            config->base_url,
                                            gw_catalogue_get_key_variable (self->catalogue,
                                                                           config->name)));
        }
    }
  if (practice_only)
    {
      g_ptr_array_add (self->notices,
                       g_strdup ("No provider has a key: the practice provider echoes each task, "
                                 "at no cost."));
    }

  g_ptr_array_add (self->notices, NULL);
  g_ptr_array_add (self->held, NULL);
}

static gboolean
gw_engine_holds_uncertain (GwEngine *self)
{
  return self->config->after_crash == GW_AFTER_CRASH_HOLD
         || (self->host == GW_HOST_WINDOW && !self->config->after_crash_set);
}

static gboolean
gw_engine_start_gateway (GwEngine *self,
                         GError **error)
{
  GwGatewayOptions options = {
    .listen = self->listen != NULL ? self->listen : self->config->listen,
    .port = self->port >= 0 ? (guint16) self->port : self->config->port,
    .port_fallback = self->host != GW_HOST_DAEMON,
    .token = self->config->token,
    .allow_other_users = self->config->allow_other_users,
    .host_kind = self->host == GW_HOST_DAEMON   ? "daemon"
                 : self->host == GW_HOST_WINDOW ? "window"
                                                : "batch",
    .data_dir = self->data_dir,
  };
  g_autoptr (GwLiveSettings) settings = NULL;

  self->gateway = gw_gateway_new (&options, self->queue, self->catalogue);
  settings = gw_live_settings_new (self->config, self->queue, self->catalogue,
                                   gw_engine_holds_uncertain (self));
  gw_gateway_set_settings (self->gateway, settings);
  gw_gateway_set_partials (self->gateway, self->partials);
  if (!gw_gateway_start (self->gateway, error))
    {
      g_clear_object (&self->gateway);
      return FALSE;
    }
  self->uri = g_strdup (gw_gateway_get_uri (self->gateway));

  /* Only data of our own are locked. */
  return self->lock == NULL || gw_data_lock_set_uri (self->lock, self->uri, error);
}

/* Engine thread: the queue is open and knows the providers. */
static void
gw_engine_serve (GwEngine *self)
{
  GError *error = NULL;
  GTask *task;

  gw_engine_tell_held_and_providers (self);
  if (!self->workers_only && !gw_engine_start_gateway (self, &error))
    {
      gw_engine_start_failed (self, error);
      return;
    }

  if (!self->no_workers)
    {
      self->pool = gw_worker_pool_new (self->queue, self->catalogue);
      gw_worker_pool_set_partials (self->pool, self->partials);
      gw_worker_pool_start (self->pool);
    }

  /* Taken before it is returned: the owner may stop the engine at once, which sets another. */
  task = g_steal_pointer (&self->task);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
recovery_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GwRecovery) recovery = NULL;
  GError *error = NULL;

  recovery = gw_queue_read_recovery_finish (GW_QUEUE (source), result, &error);
  if (recovery == NULL)
    {
      gw_engine_start_failed (self, error);
      return;
    }

  /* The crash before this start, not one of the past. */
  if (recovery->recovered_at >= self->opening_at && recovery->attempts->len > 0)
    g_ptr_array_add (self->notices,
                     g_strdup_printf ("The last run ended in a crash: no task is lost; the calls "
                                      "whose answer was not seen, and that may be paid twice: %u. "
                                      "GET /recovery names them.", recovery->attempts->len));
  gw_engine_serve (self);
}

/* The window shows by itself what a crash left, and asks. */
static void
gw_engine_tell_recovery (GwEngine *self)
{
  if (self->host == GW_HOST_WINDOW)
    gw_engine_serve (self);
  else
    gw_queue_read_recovery_async (self->queue, recovery_cb, self);
}

static void
held_projects_cb (GObject *source,
                  GAsyncResult *result,
                  gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GwProjectPage) page = NULL;
  GError *error = NULL;

  page = gw_queue_list_projects_finish (GW_QUEUE (source), result, &error);
  if (page == NULL)
    {
      gw_engine_start_failed (self, error);
      return;
    }

  for (guint i = 0; i < page->projects->len; i++)
    {
      GwProject *project = page->projects->pdata[i];

      if (project->held && gw_project_count_unfinished (project) > 0)
        g_ptr_array_add (self->held, g_strdup (project->name));
    }
  if (page->more)
    {
      gw_queue_list_projects_async (self->queue, page->next, BATCH_PROJECT_PAGE, held_projects_cb,
                                    self);
      return;
    }

  gw_engine_tell_recovery (self);
}

static void
log_ignored_limits (char **ignored)
{
  for (guint i = 0; ignored != NULL && ignored[i] != NULL; i++)
    g_warning ("%s", ignored[i]);
}

static void
gw_engine_list_held (GwEngine *self)
{
  if (self->host == GW_HOST_BATCH)
    gw_queue_list_projects_async (self->queue, 0, BATCH_PROJECT_PAGE, held_projects_cb, self);
  else
    gw_engine_tell_recovery (self);
}

static void
lane_resumed_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_queue_resume_lane_finish (GW_QUEUE (source), result, &error))
    g_warning ("a stopped lane could not be resumed: %s", error->message);
  if (--self->n_resuming == 0)
    gw_engine_list_held (self);
}

/* A start is the user's act: what stopped a lane (a key, an account, a model) may have been put
 * right in the environment, where nobody sees it. If it was not, one call finds out. */
static void
stopped_lanes_cb (GObject *source,
                  GAsyncResult *result,
                  gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GPtrArray) lanes = NULL;
  GError *error = NULL;

  lanes = gw_queue_read_lanes_finish (GW_QUEUE (source), result, &error);
  if (lanes == NULL)
    {
      gw_engine_start_failed (self, error);
      return;
    }

  self->n_resuming = 1;
  for (guint i = 0; i < lanes->len; i++)
    {
      GwLaneState *lane = lanes->pdata[i];

      if (!lane->stopped)
        continue;
      self->n_resuming++;
      gw_queue_resume_lane_async (self->queue, lane->provider, lane_resumed_cb, self);
    }
  if (--self->n_resuming == 0)
    gw_engine_list_held (self);
}

static void
first_providers_set_cb (GObject *source,
                        GAsyncResult *result,
                        gpointer user_data)
{
  GwEngine *self = user_data;
  g_auto (GStrv) ignored = NULL;
  GError *error = NULL;

  ignored = gw_queue_set_providers_finish (GW_QUEUE (source), result, &error);
  if (error != NULL)
    {
      gw_engine_start_failed (self, error);
      return;
    }

  log_ignored_limits (ignored);
  gw_queue_read_lanes_async (self->queue, stopped_lanes_cb, self);
}

static void
providers_set_cb (GObject *source,
                  GAsyncResult *result,
                  gpointer user_data)
{
  g_auto (GStrv) ignored = NULL;
  g_autoptr (GError) error = NULL;

  ignored = gw_queue_set_providers_finish (GW_QUEUE (source), result, &error);
  if (error != NULL)
    g_warning ("the queue could not be told of the providers: %s", error->message);
  else
    log_ignored_limits (ignored);
}

/* Engine thread. Limits that a person wrote are stored by the gateway that took them. */
static gboolean
catalogue_changed_cb (gpointer data)
{
  GwEngine *self = data;
  g_autoptr (GPtrArray) providers = gw_queue_providers_new (self->catalogue, NULL);

  gw_queue_set_providers_async (self->queue, providers, FALSE, providers_set_cb, NULL);

  return G_SOURCE_CONTINUE;
}

static void
catalogue_loaded_cb (GObject *source,
                     GAsyncResult *result,
                     gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GPtrArray) providers = NULL;
  GError *error = NULL;

  if (!gw_catalogue_load_finish (GW_CATALOGUE (source), result, &error))
    {
      gw_engine_start_failed (self, error);
      return;
    }

  self->catalogue_watch = gw_catalogue_watch (self->catalogue,
                                              gw_worker_thread_get_context (self->thread),
                                              catalogue_changed_cb, self, NULL);
  providers = gw_queue_providers_new (self->catalogue, NULL);
  gw_queue_set_providers_async (self->queue, providers, self->set_limits, first_providers_set_cb,
                                self);
}

typedef struct {
  GwEngine *engine;
  GError *error;
} Failure;

static void
failure_free (gpointer data)
{
  Failure *failure = data;

  g_object_unref (failure->engine);
  g_error_free (failure->error);
  g_free (failure);
}

static gboolean
tell_failed_cb (gpointer data)
{
  Failure *failure = data;
  GwEngine *self = failure->engine;

  if (self->failed != NULL && self->state == ENGINE_RUNNING)
    self->failed (self, failure->error, self->failed_data);

  return G_SOURCE_REMOVE;
}

/* The queue's writer thread. */
static void
queue_failed_cb (const GError *error,
                 gpointer user_data)
{
  GwEngine *self = user_data;
  Failure *failure = g_new (Failure, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  *failure = (Failure){ .engine = g_object_ref (self), .error = g_error_copy (error) };
  /* Not g_main_context_invoke(): where the owner's loop does not run just now, it would run it
   * here. */
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "gw-engine failed");
  g_source_set_callback (source, tell_failed_cb, failure, failure_free);
  g_source_attach (source, self->owner);
}

/* Others may work on it, too: nothing is locked, and whose lease runs out has died. */
static gboolean
gw_engine_open_redis (GwEngine *self,
                      GError **error)
{
  GwRedisQueueOptions options = {
    .uri = self->redis_uri != NULL ? self->redis_uri : self->config->redis_uri,
    .max_concurrency = self->config->max_concurrency,
    .max_attempts = self->config->max_attempts,
    .keep_days = self->config->keep_days,
    .lease_seconds = self->config->lease_seconds,
    .hold_uncertain = gw_engine_holds_uncertain (self),
  };
  g_autoptr (GwRedisAddress) address = gw_redis_address_parse (options.uri, error);
  GwRedisQueue *queue;

  if (address == NULL)
    return FALSE;
  self->opening_at = g_get_real_time () / 1000;
  queue = gw_redis_queue_new (&options, error);
  if (queue == NULL)
    return FALSE;

  self->queue = GW_QUEUE (queue);
  if (self->workers_only)
    self->uri = g_strdup (address->shown);

  return TRUE;
}

static gboolean
gw_engine_open_queue (GwEngine *self,
                      GError **error)
{
  GwSqliteQueueOptions options = {
    .data_dir = self->data_dir,
    .clock = self->clock,
    .max_concurrency = self->config->max_concurrency,
    .max_attempts = self->config->max_attempts,
    .keep_days = self->config->keep_days,
    .hold_uncertain = gw_engine_holds_uncertain (self),
    .hold_unfinished = self->host == GW_HOST_BATCH,
  };
  GwSqliteQueue *queue;

  if (self->redis_uri != NULL || self->config->redis_uri != NULL)
    return gw_engine_open_redis (self, error);
  if (self->workers_only)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFIG,
                           "--workers-only needs a queue on Redis: give --redis, or redis-uri in the "
                           "configuration.");
      return FALSE;
    }

  self->lock = gw_data_lock_new (self->data_dir, &self->other_uri, error);
  if (self->lock == NULL)
    return FALSE;

  self->opening_at = g_get_real_time () / 1000;
  queue = gw_sqlite_queue_new (&options, error);
  if (queue == NULL)
    return FALSE;

  gw_sqlite_queue_set_failed_func (queue, queue_failed_cb, self);
  self->queue = GW_QUEUE (queue);

  return TRUE;
}

/* Engine thread. */
static void
start_cb (gpointer data)
{
  GwEngine *self = data;
  GError *error = NULL;

  raise_descriptor_limit ();
  self->config = gw_config_load (self->config_path, &error);
  if (self->config == NULL || !gw_engine_open_queue (self, &error))
    {
      gw_engine_start_failed (self, error);
      return;
    }

  self->catalogue = gw_catalogue_new (self->config);
  gw_catalogue_load_async (self->catalogue, NULL, catalogue_loaded_cb, self);
}

/* Engine thread. */
static void
stop_cb (gpointer data)
{
  gw_engine_unwind (data);
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
  g_return_if_fail (self->state == ENGINE_NEW);

  self->state = ENGINE_STARTING;
  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, gw_engine_start_async);
  g_task_set_check_cancellable (self->task, FALSE);
  self->thread = gw_worker_thread_new ("gw-engine");
  gw_worker_thread_post (self->thread, start_cb, self);
}

gboolean
gw_engine_start_finish (GwEngine *self,
                        GAsyncResult *result,
                        GError **error)
{
  gboolean started;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  started = g_task_propagate_boolean (G_TASK (result), error);
  self->state = started ? ENGINE_RUNNING : ENGINE_STOPPED;
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

const char *const *
gw_engine_get_notices (GwEngine *self)
{
  return (const char *const *) self->notices->pdata;
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
  g_return_if_fail (self->state == ENGINE_RUNNING || self->state == ENGINE_STOPPING);

  self->stop_limit_ms = limit_ms;
  if (self->state == ENGINE_STOPPING)
    {
      gw_worker_thread_post (self->thread, hurry_cb, self);
      return;
    }

  self->state = ENGINE_STOPPING;
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

  self->state = ENGINE_STOPPED;
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
