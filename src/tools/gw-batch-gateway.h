/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-batch-options.h"
#include "gw-batch-progress.h"
#include "gw-client.h"

G_BEGIN_DECLS

/* The gateway that a run uses: one that was found, or the bundled engine in this process. */
typedef struct _GwBatchGateway GwBatchGateway;

GwBatchGateway *gw_batch_gateway_new (const GwBatchOptions *options, GwBatchProgress *progress);
void gw_batch_gateway_free (GwBatchGateway *gateway);

/* Finds one, else starts the engine. Errors: G_OPTION_ERROR for an address that is none, GW_ERROR,
 * G_IO_ERROR_CANCELLED. Finish: (transfer full). */
void gw_batch_gateway_connect_async (GwBatchGateway *gateway, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
GwClient *gw_batch_gateway_connect_finish (GwBatchGateway *gateway, GAsyncResult *result,
                                           GError **error);

gboolean gw_batch_gateway_keeps_projects (GwBatchGateway *gateway);

/* Whether another engine, in this process or not, runs in the place of a gateway that vanished. */
gboolean gw_batch_gateway_took_over (GwBatchGateway *gateway);

/* The gateway has been silent for @seconds: where that allows it, the bundled engine takes over on
 * the same data. */
void gw_batch_gateway_lost (GwBatchGateway *gateway, guint seconds);

/* Why the engine in this process ended by itself; (transfer none) (nullable). */
const GError *gw_batch_gateway_get_failure (GwBatchGateway *gateway);

/* Ends the engine in this process, if there is one; calls in flight have @limit_ms. */
void gw_batch_gateway_stop_async (GwBatchGateway *gateway, guint limit_ms,
                                  GAsyncReadyCallback callback, gpointer user_data);
void gw_batch_gateway_stop_finish (GwBatchGateway *gateway, GAsyncResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwBatchGateway, gw_batch_gateway_free)

G_END_DECLS
