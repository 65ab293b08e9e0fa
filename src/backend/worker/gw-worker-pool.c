/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-worker-pool"

#include "config.h"

#include "gw-id.h"
#include "gw-source.h"
#include "worker/gw-lane.h"
#include "worker/gw-worker-pool.h"
#include "worker/gw-worker-thread.h"

/*
 * The worker threads of this process and the lanes that are dealt out over them.
 *
 * Threading: the pool's own state belongs to the first worker thread, the control thread: starts,
 * changes of the catalogue and stops are posted to it. Lanes belong to their threads; the control
 * thread only posts to them. A stop is awaited and the threads are joined on a thread of its own,
 * so that none of them ever waits for another.
 *
 * Guarantee: for each provider in use there is exactly one lane at any time: a name that comes back
 * while its old lane drains gets its new one when the old has ended. After a stop no worker thread
 * is left, and every attempt has been finished in the queue.
 */

#define MIN_THREADS 2

typedef struct {
  GwWorkerPool *pool;      /* (borrowed) outlives its lanes */
  GwWorkerThread *thread;  /* (borrowed) */
  GwLane *lane;            /* (owned) touched in @thread only, after it was made there */
  char *name;              /* (owned) */
  gboolean draining;       /* control thread */
} LaneSeat;

struct _GwWorkerPool {
  GObject parent_instance;

  GwQueue *queue;          /* (owned) */
  GwCatalogue *catalogue;  /* (owned) */
  GwPartials *partials;    /* (owned) (nullable) set before the start */
  char *worker;            /* (owned) id of this process as a worker */
  GPtrArray *threads;      /* (owned) (element-type GwWorkerThread) */

  GPtrArray *seats;        /* (owned) (element-type LaneSeat) control thread */
  guint catalogue_watch;
  gboolean stopping;       /* control thread */
  GSource *limit;          /* (owned) (nullable) control thread: aborts what is left */
  GThread *joiner;         /* (owned) (nullable) */

  GMutex mutex;
  GCond all_ended;
  gboolean ended;          /* (mutex mutex) stopping and no seat is left */
};

G_DEFINE_FINAL_TYPE (GwWorkerPool, gw_worker_pool, G_TYPE_OBJECT)

static void gw_worker_pool_follow_catalogue (GwWorkerPool *self);

static GwWorkerThread *
gw_worker_pool_get_control (GwWorkerPool *self)
{
  return self->threads->pdata[0];
}

/* The lane's thread, after everything that was posted there for the seat. */
static void
free_seat_cb (gpointer data)
{
  LaneSeat *seat = data;

  g_assert (seat->lane == NULL);
  g_free (seat->name);
  g_free (seat);
}

static void
gw_worker_pool_finalize (GObject *object)
{
  GwWorkerPool *self = GW_WORKER_POOL (object);

  g_assert (self->seats->len == 0);
  g_ptr_array_unref (self->seats);
  g_ptr_array_unref (self->threads);
  g_clear_pointer (&self->joiner, g_thread_unref);
  g_object_unref (self->queue);
  g_object_unref (self->catalogue);
  g_free (self->worker);
  g_clear_pointer (&self->partials, gw_partials_unref);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->all_ended);

  G_OBJECT_CLASS (gw_worker_pool_parent_class)->finalize (object);
}

static void
gw_worker_pool_class_init (GwWorkerPoolClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_worker_pool_finalize;
}

static void
gw_worker_pool_init (GwWorkerPool *self)
{
  self->worker = gw_id_new ();
  self->threads = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_worker_thread_free);
  self->seats = g_ptr_array_new ();
  g_mutex_init (&self->mutex);
  g_cond_init (&self->all_ended);
}

/* Control thread. */
static void
gw_worker_pool_check_ended (GwWorkerPool *self)
{
  if (!self->stopping || self->seats->len > 0)
    return;

  gw_source_clear (&self->limit);

  g_mutex_lock (&self->mutex);
  self->ended = TRUE;
  g_cond_signal (&self->all_ended);
  g_mutex_unlock (&self->mutex);
}

/* Control thread: a lane has ended. */
static void
seat_left_cb (gpointer data)
{
  LaneSeat *seat = data;
  GwWorkerPool *pool = seat->pool;

  g_ptr_array_remove (pool->seats, seat);
  gw_worker_thread_post (seat->thread, free_seat_cb, seat);
  if (pool->stopping)
    gw_worker_pool_check_ended (pool);
  else
    gw_worker_pool_follow_catalogue (pool);
}

/* The lane's thread, from within a function of the lane, hence the unref later. */
static void
lane_drained_cb (GwLane *lane,
                 gpointer user_data)
{
  LaneSeat *seat = user_data;

  seat->lane = NULL;
  gw_worker_thread_post (seat->thread, g_object_unref, lane);
  gw_worker_thread_post (gw_worker_pool_get_control (seat->pool), seat_left_cb, seat);
}

/* The four below: the lane's thread. */
static void
start_lane_cb (gpointer data)
{
  LaneSeat *seat = data;

  seat->lane = gw_lane_new (seat->pool->queue, seat->pool->catalogue, seat->name,
                            seat->pool->worker);
  gw_lane_set_partials (seat->lane, seat->pool->partials);
  gw_lane_start (seat->lane);
}

static void
reconfigure_lane_cb (gpointer data)
{
  LaneSeat *seat = data;

  gw_lane_reconfigure (seat->lane);
}

static void
drain_lane_cb (gpointer data)
{
  LaneSeat *seat = data;

  gw_lane_drain (seat->lane, lane_drained_cb, seat);
}

static void
abort_lane_cb (gpointer data)
{
  LaneSeat *seat = data;

  if (seat->lane != NULL)
    gw_lane_abort_calls (seat->lane);
}

/* Control thread. */
static void
gw_worker_pool_drain_seat (GwWorkerPool *self,
                           LaneSeat *seat)
{
  if (seat->draining)
    return;

  seat->draining = TRUE;
  gw_worker_thread_post (seat->thread, drain_lane_cb, seat);
}

static LaneSeat *
gw_worker_pool_find_seat (GwWorkerPool *self,
                          const char *name)
{
  for (guint i = 0; i < self->seats->len; i++)
    {
      LaneSeat *seat = self->seats->pdata[i];

      if (g_str_equal (seat->name, name))
        return seat;
    }

  return NULL;
}

static GwWorkerThread *
gw_worker_pool_choose_thread (GwWorkerPool *self)
{
  GwWorkerThread *chosen = NULL;
  guint fewest = G_MAXUINT;

  for (guint i = 0; i < self->threads->len; i++)
    {
      guint n = 0;

      for (guint j = 0; j < self->seats->len; j++)
        n += ((LaneSeat *) self->seats->pdata[j])->thread == self->threads->pdata[i];
      if (n < fewest)
        {
          fewest = n;
          chosen = self->threads->pdata[i];
        }
    }

  return chosen;
}

/* Control thread: a lane for each usable provider, none for the others. */
static void
gw_worker_pool_follow_catalogue (GwWorkerPool *self)
{
  g_autoptr (GPtrArray) configs = gw_catalogue_list (self->catalogue);

  if (self->stopping)
    return;

  for (guint i = 0; i < self->seats->len; i++)
    {
      LaneSeat *seat = self->seats->pdata[i];

      if (!gw_catalogue_is_usable (self->catalogue, seat->name))
        gw_worker_pool_drain_seat (self, seat);
    }

  for (guint i = 0; i < configs->len; i++)
    {
      GwProviderConfig *config = configs->pdata[i];
      LaneSeat *seat = gw_worker_pool_find_seat (self, config->name);

      if (!gw_catalogue_is_usable (self->catalogue, config->name))
        continue;

      if (seat == NULL)
        {
          seat = g_new0 (LaneSeat, 1);
          seat->pool = self;
          seat->name = g_strdup (config->name);
          seat->thread = gw_worker_pool_choose_thread (self);
          g_ptr_array_add (self->seats, seat);
          gw_worker_thread_post (seat->thread, start_lane_cb, seat);
        }
      else if (!seat->draining)
        {
          gw_worker_thread_post (seat->thread, reconfigure_lane_cb, seat);
        }
    }
}

static gboolean
catalogue_changed_cb (gpointer data)
{
  gw_worker_pool_follow_catalogue (data);

  return G_SOURCE_CONTINUE;
}

static void
start_cb (gpointer data)
{
  GwWorkerPool *self = data;

  self->catalogue_watch = gw_catalogue_watch (self->catalogue,
                                              gw_worker_thread_get_context (
                                                  gw_worker_pool_get_control (self)),
                                              catalogue_changed_cb, self, NULL);
  gw_worker_pool_follow_catalogue (self);
}

/* Control thread: the time to drain is over. */
static gboolean
limit_cb (gpointer data)
{
  GwWorkerPool *self = data;

  g_clear_pointer (&self->limit, g_source_unref);
  for (guint i = 0; i < self->seats->len; i++)
    {
      LaneSeat *seat = self->seats->pdata[i];

      gw_worker_thread_post (seat->thread, abort_lane_cb, seat);
    }

  return G_SOURCE_REMOVE;
}

typedef struct {
  GwWorkerPool *pool;
  guint limit_ms;
} StopRequest;

static void
gw_worker_pool_set_limit (GwWorkerPool *self,
                          guint limit_ms)
{
  gw_source_clear (&self->limit);

  self->limit = g_timeout_source_new (limit_ms);
  g_source_set_static_name (self->limit, "gw-worker-pool limit");
  g_source_set_callback (self->limit, limit_cb, self, NULL);
  g_source_attach (self->limit,
                   gw_worker_thread_get_context (gw_worker_pool_get_control (self)));
}

static void
stop_cb (gpointer data)
{
  g_autofree StopRequest *request = data;
  GwWorkerPool *self = request->pool;

  self->stopping = TRUE;
  if (self->catalogue_watch != 0)
    gw_catalogue_unwatch (self->catalogue, self->catalogue_watch);
  self->catalogue_watch = 0;

  for (guint i = 0; i < self->seats->len; i++)
    gw_worker_pool_drain_seat (self, self->seats->pdata[i]);
  gw_worker_pool_set_limit (self, request->limit_ms);
  gw_worker_pool_check_ended (self);
}

static void
hurry_cb (gpointer data)
{
  g_autofree StopRequest *request = data;

  if (request->pool->stopping && request->pool->limit != NULL)
    gw_worker_pool_set_limit (request->pool, request->limit_ms);
}

/* A thread of its own: the only one that waits. */
static gpointer
join_worker (gpointer data)
{
  g_autoptr (GTask) task = data;
  GwWorkerPool *self = g_task_get_source_object (task);

  g_mutex_lock (&self->mutex);
  while (!self->ended)
    g_cond_wait (&self->all_ended, &self->mutex);
  g_mutex_unlock (&self->mutex);

  for (guint i = 0; i < self->threads->len; i++)
    gw_worker_thread_stop (self->threads->pdata[i]);
  g_task_return_boolean (task, TRUE);

  return NULL;
}

/**
 * gw_worker_pool_new:
 * @queue: where the tasks come from
 * @catalogue: the providers
 *
 * Returns: (transfer full): a pool without threads
 */
GwWorkerPool *
gw_worker_pool_new (GwQueue *queue,
                    GwCatalogue *catalogue)
{
  GwWorkerPool *self = g_object_new (GW_TYPE_WORKER_POOL, NULL);

  self->queue = g_object_ref (queue);
  self->catalogue = g_object_ref (catalogue);

  return self;
}

/**
 * gw_worker_pool_set_partials:
 * @self: a pool that was not started
 * @partials: where the answers that come in pieces are seen while they are written
 */
void
gw_worker_pool_set_partials (GwWorkerPool *self,
                             GwPartials *partials)
{
  g_return_if_fail (self->partials == NULL && self->threads->len == 0);

  self->partials = gw_partials_ref (partials);
}

/**
 * gw_worker_pool_start:
 * @self: a pool
 *
 * Starts as many threads as there are lanes, at most one a core and at least two, and a lane for
 * each usable provider; follows the catalogue from then on. Any thread, once.
 */
void
gw_worker_pool_start (GwWorkerPool *self)
{
  g_autoptr (GPtrArray) configs = gw_catalogue_list (self->catalogue);
  guint n_lanes = 0;
  guint n;

  g_return_if_fail (self->threads->len == 0);

  for (guint i = 0; i < configs->len; i++)
    {
      n_lanes += gw_catalogue_is_usable (self->catalogue,
                                         ((GwProviderConfig *) configs->pdata[i])->name);
    }
  n = MAX (MIN (n_lanes, g_get_num_processors ()), MIN_THREADS);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("gw-worker-%u", i + 1);

      g_ptr_array_add (self->threads, gw_worker_thread_new (name));
    }

  gw_worker_thread_post (gw_worker_pool_get_control (self), start_cb, self);
}

/**
 * gw_worker_pool_stop_async:
 * @self: a pool that was started
 * @limit_ms: how long calls in flight may go on before they are aborted
 *
 * Any thread, once; the callback runs in the caller's context.
 */
void
gw_worker_pool_stop_async (GwWorkerPool *self,
                           guint limit_ms,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  StopRequest *request = g_new (StopRequest, 1);

  g_task_set_source_tag (task, gw_worker_pool_stop_async);
  *request = (StopRequest){ .pool = self, .limit_ms = limit_ms };
  gw_worker_thread_post (gw_worker_pool_get_control (self), stop_cb, request);
  self->joiner = g_thread_new ("gw-worker-join", join_worker, task);
}

gboolean
gw_worker_pool_stop_finish (GwWorkerPool *self,
                            GAsyncResult *result,
                            GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  if (self->joiner != NULL)
    g_thread_join (g_steal_pointer (&self->joiner));

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * gw_worker_pool_hurry:
 * @self: a pool that stops
 * @limit_ms: the new limit, from now
 *
 * Any thread, before the stop has ended.
 */
void
gw_worker_pool_hurry (GwWorkerPool *self,
                      guint limit_ms)
{
  StopRequest *request = g_new (StopRequest, 1);

  *request = (StopRequest){ .pool = self, .limit_ms = limit_ms };
  gw_worker_thread_post (gw_worker_pool_get_control (self), hurry_cb, request);
}
