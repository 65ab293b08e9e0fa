/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-live-settings.h"
#include "provider/gw-catalogue.h"
#include "queue/gw-queue.h"

G_BEGIN_DECLS

#define GW_TYPE_GATEWAY (gw_gateway_get_type ())
G_DECLARE_FINAL_TYPE (GwGateway, gw_gateway, GW, GATEWAY, GObject)

typedef struct {
  const char *listen;         /* an address or "localhost" */
  guint16 port;               /* 0: a free one */
  gboolean port_fallback;     /* a free one if @port is taken */
  const char *token;          /* (nullable) */
  gboolean allow_other_users;
  const char *host_kind;      /* "daemon", "window" or "batch", for /health */
  const char *data_dir;       /* (nullable) for /health's store only */
} GwGatewayOptions;

/* Has a thread and a main context of its own; every call below may come from any thread. */
GwGateway *gw_gateway_new (const GwGatewayOptions *options, GwQueue *queue, GwCatalogue *catalogue);

/* Before the start: what GET and PATCH /settings are about. */
void gw_gateway_set_settings (GwGateway *self, GwLiveSettings *settings);

/* Before the start: where the answers under way are seen. */
void gw_gateway_set_partials (GwGateway *self, GwPartials *partials);

/* Starts the thread and waits until it listens. Errors: GW_ERROR_PORT_TAKEN, _CONFIG (an address
 * that is not loopback without a token). */
gboolean gw_gateway_start (GwGateway *self, GError **error);
const char *gw_gateway_get_uri (GwGateway *self);

/* New work is refused with 503 from now on; reads are served. */
void gw_gateway_refuse_work (GwGateway *self);

/* Answers every paused message, closes the port, joins the thread. Blocks; never called in it. */
void gw_gateway_stop (GwGateway *self);

G_END_DECLS
