/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * The face's reads: arguments are copied into a request, which goes to one of the readers. Any
 * thread.
 */

static void
read_view (GwQueue *self,
           GwSqReadFunc read,
           gboolean scan,
           GwSqRequest *request)
{
  request->read = read;
  gw_sq_engine_read (gw_sqlite_queue_get_engine (self), request, scan);
}

static void
free_read_args (gpointer data)
{
  GwSqReadArgs *args = data;

  g_free (args->id);
  g_free ((char *) args->feed.store);
  g_free ((char *) args->feed.project);
  g_free ((char *) args->feed.query);
  g_free ((char *) args->results.project);
  g_free (args);
}

static GwSqReadArgs *
new_read_args (const char *id,
               guint64 since,
               guint limit)
{
  GwSqReadArgs *args = g_new0 (GwSqReadArgs, 1);

  args->id = g_strdup (id);
  args->since = MIN (since, (guint64) G_MAXINT64);
  args->limit = CLAMP (limit, 1, 1000);

  return args;
}

static void
get_task_async (GwQueue *self,
                const char *task_id,
                GAsyncReadyCallback callback,
                gpointer user_data)
{
  read_view (self, gw_sq_read_task, FALSE,
             gw_sq_request_new (self, get_task_async, new_read_args (task_id, 0, 1), free_read_args,
                                (GDestroyNotify) gw_task_unref, callback, user_data));
}

static void
get_project_async (GwQueue *self,
                   const char *project,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  read_view (self, gw_sq_read_project, FALSE, gw_sq_request_new (self, get_project_async,
                                                                 new_read_args (project, 0, 1),
                                                                 free_read_args,
                                                                 (GDestroyNotify) gw_project_unref,
                                                                 callback, user_data));
}

static void
list_projects_async (GwQueue *self,
                     guint64 since,
                     guint limit,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  read_view (self, gw_sq_read_projects, FALSE,
             gw_sq_request_new (self, list_projects_async, new_read_args (NULL, since, limit),
                                free_read_args, (GDestroyNotify) gw_project_page_free, callback,
                                user_data));
}

static void
read_feed_async (GwQueue *self,
                 const GwFeedQuery *query,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  GwSqReadArgs *args = new_read_args (NULL, query->since, query->limit);
  guint64 head = gw_sq_engine_get_revision (gw_sqlite_queue_get_engine (self));
  gboolean follows;

  args->feed = *query;
  args->feed.since = args->since;
  args->feed.store = g_strdup (query->store);
  args->feed.project = g_strdup (query->project);
  args->feed.query = g_strdup (query->query);
  /* Who is near the head reads little, whatever the filter. */
  follows = query->has_since && query->since + 256 >= head;
  read_view (self, gw_sq_read_feed, !follows,
             gw_sq_request_new (self, read_feed_async, args, free_read_args,
                                (GDestroyNotify) gw_feed_page_free, callback, user_data));
}

static void
read_results_async (GwQueue *self,
                    const GwResultsQuery *query,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  GwSqReadArgs *args = new_read_args (NULL, 0, query->limit);

  args->results = *query;
  args->results.limit = args->limit;
  args->results.project = g_strdup (query->project);
  read_view (self, gw_sq_read_results, TRUE,
             gw_sq_request_new (self, read_results_async, args, free_read_args,
                                (GDestroyNotify) g_ptr_array_unref, callback, user_data));
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
  GwSqReadArgs *args = new_read_args (task_id, since, limit);

  args->before = MIN (before, (guint64) G_MAXINT64);
  read_view (self, gw_sq_read_attempts, task_id == NULL,
             gw_sq_request_new (self, read_attempts_async, args, free_read_args,
                                (GDestroyNotify) gw_attempt_page_free, callback, user_data));
}

static void
read_lanes_async (GwQueue *self,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  read_view (self, gw_sq_read_lanes, FALSE, gw_sq_request_new (self, read_lanes_async, NULL, NULL,
                                                               (GDestroyNotify) g_ptr_array_unref,
                                                               callback, user_data));
}

static void
read_stats_async (GwQueue *self,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  read_view (self, gw_sq_read_stats, FALSE, gw_sq_request_new (self, read_stats_async, NULL, NULL,
                                                               (GDestroyNotify) gw_queue_stats_free,
                                                               callback, user_data));
}

static void
read_recovery_async (GwQueue *self,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  read_view (self, gw_sq_read_recovery, FALSE, gw_sq_request_new (self, read_recovery_async, NULL,
                                                                  NULL,
                                                                  (GDestroyNotify) gw_recovery_free,
                                                                  callback, user_data));
}

static void
read_snapshot_async (GwQueue *self,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  read_view (self, gw_sq_read_snapshot, FALSE,
             gw_sq_request_new (self, read_snapshot_async, NULL, NULL,
                                (GDestroyNotify) gw_queue_snapshot_free, callback, user_data));
}

void
gw_sqlite_queue_init_reads (GwQueueInterface *iface)
{
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
}
