/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gateway/gw-http-connection.h"
#include "gateway/gw-peer.h"

G_BEGIN_DECLS

typedef struct _GwHttpListener GwHttpListener;

/* Milliseconds that a connection may stay in each phase without progress; 0: for ever. */
typedef struct {
  guint limits[GW_N_HTTP_PHASES];
  guint max_connections;
  guint queue_ms; /* how long who stops waits for calls that the queue still has */
} GwHttpLimits;

#define GW_HTTP_LIMITS_DEFAULT                                                                     \
  ((GwHttpLimits){ .limits = { [GW_HTTP_PHASE_HEAD] = 15000,                                      \
                               [GW_HTTP_PHASE_BODY] = 30000,                                      \
                               [GW_HTTP_PHASE_WRITE] = 60000,                                     \
                               [GW_HTTP_PHASE_IDLE] = 120000 },                                   \
                   .max_connections = 8192,                                                       \
                   .queue_ms = 10000 })

GwHttpListener *gw_http_listener_new (SoupServer *server, const GwHttpLimits *limits);
void gw_http_listener_free (GwHttpListener *self);

gboolean gw_http_listener_add (GwHttpListener *self, GSocketAddress *address, guint16 *port,
                               GError **error);
gboolean gw_http_listener_start (GwHttpListener *self, GError **error);
void gw_http_listener_stop (GwHttpListener *self);

/* @asker: (nullable) (transfer none): whose processes may connect; NULL: anyone's. */
void gw_http_listener_set_asker (GwHttpListener *self, GwPeerAsker *asker);

void gw_http_listener_set_phase (GwHttpListener *self, GwHttpConnection *connection,
                                 GwHttpPhase phase);
guint gw_http_listener_count (GwHttpListener *self, GwHttpPhase phase);
guint64 gw_http_listener_count_accepted (GwHttpListener *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwHttpListener, gw_http_listener_free)

G_END_DECLS
