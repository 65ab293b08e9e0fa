/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "provider/gw-catalogue.h"
#include "queue/gw-queue.h"

G_BEGIN_DECLS

#define GW_TYPE_WORKER_POOL (gw_worker_pool_get_type ())
G_DECLARE_FINAL_TYPE (GwWorkerPool, gw_worker_pool, GW, WORKER_POOL, GObject)

GwWorkerPool *gw_worker_pool_new (GwQueue *queue, GwCatalogue *catalogue);

/* Before the start. */
void gw_worker_pool_set_partials (GwWorkerPool *self, GwPartials *partials);

/* Starts the worker threads and a lane for each provider in use; follows the catalogue after
 * that. */
void gw_worker_pool_start (GwWorkerPool *self);

/* No slot claims any more; calls in flight may end for @limit_ms, what is left is aborted, and
 * every attempt is finished in the queue. Joins the threads, on a thread of its own. */
void gw_worker_pool_stop_async (GwWorkerPool *self, guint limit_ms, GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean gw_worker_pool_stop_finish (GwWorkerPool *self, GAsyncResult *result, GError **error);

/* Shortens the limit of a stop that is under way. */
void gw_worker_pool_hurry (GwWorkerPool *self, guint limit_ms);

G_END_DECLS
