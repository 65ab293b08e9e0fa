/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-redis-private.h"

/*
 * GwRedisQueue: the queue in Redis, for more than one machine. The object owns nothing but its
 * engine, so that no thread holds the object; every rule is a script's (data/redis). Here are the
 * reads, the watches and the object's life; any thread.
 */

struct _GwRedisQueue {
  GObject parent_instance;

  GwRedisEngine *engine;  /* (owned) */
};

static void gw_redis_queue_iface_init (GwQueueInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwRedisQueue, gw_redis_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (GW_TYPE_QUEUE, gw_redis_queue_iface_init))

GwRedisEngine *
gw_redis_queue_get_engine (GwQueue *queue)
{
  return GW_REDIS_QUEUE (queue)->engine;
}

/* --- For all who ask. --- */

void
gw_redis_queue_push (GwQueue *self,
                     GwRedisRequest *request)
{
  gw_redis_engine_push (gw_redis_queue_get_engine (self), request);
}

/* --- Reads. --- */

static GwRedisRequest *
new_read (GwQueue *self,
          gpointer tag,
          const char *read,
          GwRedisParseFunc parse,
          GDestroyNotify free_result,
          GAsyncReadyCallback callback,
          gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, tag, GW_REDIS_READS, parse, free_result,
                                                  callback, user_data);

  gw_redis_request_add_text (request, read);

  return request;
}

static void
get_task_async (GwQueue *self,
                const char *task_id,
                GAsyncReadyCallback callback,
                gpointer user_data)
{
  GwRedisRequest *request = new_read (self, get_task_async, "task", gw_redis_parse_task,
                                      (GDestroyNotify) gw_task_unref, callback, user_data);

  gw_redis_request_add_text (request, task_id);
  gw_redis_queue_push (self, request);
}

static void
get_project_async (GwQueue *self,
                   const char *project,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GwRedisRequest *request = new_read (self, get_project_async, "project", gw_redis_parse_estimate,
                                      (GDestroyNotify) gw_project_unref, callback, user_data);

  gw_redis_request_add_text (request, project);
  gw_redis_queue_push (self, request);
}

static void
list_projects_async (GwQueue *self,
                     guint64 since,
                     guint limit,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwRedisRequest *request =
      new_read (self, list_projects_async, "projects", gw_redis_parse_projects,
                (GDestroyNotify) gw_project_page_free, callback, user_data);

  request->since = since;
  gw_redis_request_add_time (request, (gint64) MIN (since, (guint64) G_MAXINT64));
  gw_redis_request_add_int (request, limit);
  gw_redis_queue_push (self, request);
}

#define LONGEST_QUERY 4096

static void
read_feed_async (GwQueue *self,
                 const GwFeedQuery *query,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  GwRedisRequest *request = new_read (self, read_feed_async, "feed", gw_redis_parse_feed,
                                      (GDestroyNotify) gw_feed_page_free, callback, user_data);
  gboolean with_result = (query->fields & GW_TASK_FIELDS_OF_RESULT) != 0;

  if (query->query != NULL && strlen (query->query) > LONGEST_QUERY)
    {
      gw_redis_request_reject (request, g_error_new (
        GW_ERROR, GW_ERROR_INVALID, "“q” is longer than %d bytes. Search for a part of it.",
        LONGEST_QUERY));
      return;
    }
  request->since = query->has_since ? query->since : 0;
  request->fields = (guint) query->fields;
  request->began_at = gw_queue_walks_find_start (
    gw_redis_engine_get_walks (gw_redis_queue_get_engine (self)), (gint64) request->since);
  gw_redis_request_add_time (request, (gint64) MIN (request->since, (guint64) G_MAXINT64));
  gw_redis_request_add_int (request, 0);
  gw_redis_request_add_int (request, 0);
  gw_redis_request_add_time (request, (gint64) MIN (request->since, (guint64) G_MAXINT64));
  gw_redis_request_add_text (request, query->store);
  gw_redis_request_add_int (request, CLAMP (query->limit, 1, 1000));
  gw_redis_request_add_int (request, (gint64) query->max_bytes);
  gw_redis_request_add_text (request, query->project);
  gw_redis_request_add_int (request, query->statuses);
  gw_redis_request_add_text (request, query->query);
  gw_redis_request_add_int (request, with_result);
  gw_redis_request_add_int (request, (query->fields & GW_TASK_FIELD_CONTENT) != 0 ? 1 : 0);
  gw_redis_request_add_int (request, request->began_at);
  gw_redis_queue_push (self, request);
}

static void
read_results_async (GwQueue *self,
                    const GwResultsQuery *query,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  GwRedisRequest *request = new_read (self, read_results_async, "results", gw_redis_parse_results,
                                      (GDestroyNotify) g_ptr_array_unref, callback, user_data);

  gw_redis_request_add_time (request, (gint64) MIN (query->after, (guint64) G_MAXINT64));
  gw_redis_request_add_text (request, query->project);
  gw_redis_request_add_int (request, query->statuses);
  gw_redis_request_add_int (request, query->limit);
  gw_redis_request_add_int (request, (gint64) query->max_bytes);
  gw_redis_queue_push (self, request);
}

static void
read_attempts_async (GwQueue *self,
                     const char *task_id,
                     guint64 since,
                     guint64 before,
                     guint limit,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GwRedisRequest *request =
      new_read (self, read_attempts_async, "attempts", gw_redis_parse_attempts,
                (GDestroyNotify) gw_attempt_page_free, callback, user_data);

  request->of_task = task_id != NULL;
  request->since = MIN (since, (guint64) GW_REDIS_NEVER);
  request->before = MIN (before, (guint64) GW_REDIS_NEVER);
  request->limit = limit;
  gw_redis_request_add_int (request, request->of_task);
  gw_redis_request_add_text (request, task_id);
  gw_redis_request_add_int (request, (gint64) request->since);
  gw_redis_request_add_int (request, (gint64) request->before);
  gw_redis_request_add_int (request, limit);
  gw_redis_queue_push (self, request);
}

static void
read_lanes_async (GwQueue *self,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  gw_redis_queue_push (self, new_read (self, read_lanes_async, "lanes", gw_redis_parse_lanes,
                                       (GDestroyNotify) g_ptr_array_unref, callback, user_data));
}

static void
read_stats_async (GwQueue *self,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  gw_redis_queue_push (self, new_read (self, read_stats_async, "stats", gw_redis_parse_stats,
                                       (GDestroyNotify) gw_queue_stats_free, callback, user_data));
}

static void
read_recovery_async (GwQueue *self,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  gw_redis_queue_push (self,
                       new_read (self, read_recovery_async, "recovery", gw_redis_parse_recovery,
                                 (GDestroyNotify) gw_recovery_free, callback, user_data));
}

static void
read_snapshot_async (GwQueue *self,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  gw_redis_queue_push (self,
                       new_read (self, read_snapshot_async, "snapshot", gw_redis_parse_snapshot,
                                 (GDestroyNotify) gw_queue_snapshot_free, callback, user_data));
}

/* --- Life and watches. --- */

static void
close_async (GwQueue *self,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, close_async);
  gw_redis_engine_close (gw_redis_queue_get_engine (self), task);
}

static guint
watch_revision (GwQueue *self,
                GMainContext *context,
                GwRevisionFunc func,
                gpointer data,
                GDestroyNotify destroy)
{
  return gw_sq_watches_add_revision (
    gw_redis_engine_get_watches (gw_redis_queue_get_engine (self)), context, func, data, destroy);
}

static guint
watch_lane (GwQueue *self,
            const char *provider,
            GMainContext *context,
            GwLaneEventFunc func,
            gpointer data,
            GDestroyNotify destroy)
{
  GwRedisEngine *engine = gw_redis_queue_get_engine (self);
  GwRedisRequest *request = gw_redis_request_new (NULL, NULL, GW_REDIS_VERBS, NULL, NULL, NULL,
                                                  NULL);
  guint id = gw_sq_watches_add_lane (gw_redis_engine_get_watches (engine), provider, context, func,
                                     data, destroy);

  /* Who comes late hears of what was cancelled before. */
  gw_redis_request_add_text (request, "replay");
  gw_redis_request_add_text (request, provider);
  gw_redis_engine_push (engine, request);

  return id;
}

static void
unwatch (GwQueue *self,
         guint id)
{
  gw_sq_watches_remove (gw_redis_engine_get_watches (gw_redis_queue_get_engine (self)), id);
}

static GwClock *
get_clock (GwQueue *self)
{
  return gw_redis_engine_get_clock (gw_redis_queue_get_engine (self));
}

static const char *
get_kind (GwQueue *self)
{
  return "redis";
}

static GwQueueTrouble *
get_trouble (GwQueue *self,
             guint *n_kept)
{
  return gw_redis_engine_get_trouble (gw_redis_queue_get_engine (self), n_kept);
}

static void
get_link (GwQueue *self,
          GwQueueLink *link)
{
  gw_redis_engine_get_link (gw_redis_queue_get_engine (self), link);
}

static void
get_limits (GwQueue *self,
            GwQueueLimits *limits)
{
  gw_redis_engine_get_limits (gw_redis_queue_get_engine (self), limits);
}

static void
gw_redis_queue_iface_init (GwQueueInterface *iface)
{
  gw_redis_queue_init_submit (iface);
  gw_redis_queue_init_calls (iface);
  gw_redis_queue_init_verbs (iface);
  iface->get_task_async = get_task_async;
  iface->get_project_async = get_project_async;
  iface->list_projects_async = list_projects_async;
  iface->read_feed_async = read_feed_async;
  iface->read_results_async = read_results_async;
  iface->read_attempts_async = read_attempts_async;
  iface->read_lanes_async = read_lanes_async;
  iface->read_stats_async = read_stats_async;
  iface->read_recovery_async = read_recovery_async;
  iface->read_snapshot_async = read_snapshot_async;
  iface->close_async = close_async;
  iface->watch_revision = watch_revision;
  iface->watch_lane = watch_lane;
  iface->unwatch = unwatch;
  iface->get_clock = get_clock;
  iface->get_kind = get_kind;
  iface->get_trouble = get_trouble;
  iface->get_link = get_link;
  iface->get_limits = get_limits;
}

static void
gw_redis_queue_dispose (GObject *object)
{
  GwRedisQueue *self = GW_REDIS_QUEUE (object);

  if (self->engine != NULL)
    {
      gw_redis_engine_close (self->engine, NULL);
      gw_redis_engine_join (self->engine);
      g_clear_pointer (&self->engine, gw_redis_engine_unref);
    }

  G_OBJECT_CLASS (gw_redis_queue_parent_class)->dispose (object);
}

static void
gw_redis_queue_class_init (GwRedisQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_redis_queue_dispose;
}

static void
gw_redis_queue_init (GwRedisQueue *self)
{
}

/**
 * gw_redis_queue_new:
 * @options: what is asked for; copied
 * @error: (nullable): see the header
 *
 * Returns: (transfer full) (nullable): the queue, open
 */
GwRedisQueue *
gw_redis_queue_new (const GwRedisQueueOptions *options,
                    GError **error)
{
  GwRedisEngine *engine = gw_redis_engine_new (options, error);
  GwRedisQueue *self;

  if (engine == NULL)
    return NULL;

  self = g_object_new (GW_TYPE_REDIS_QUEUE, NULL);
  self->engine = engine;

  return self;
}
