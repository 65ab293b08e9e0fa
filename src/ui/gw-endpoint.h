/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

#define GW_TYPE_ENDPOINT (gw_endpoint_get_type ())
G_DECLARE_FINAL_TYPE (GwEndpoint, gw_endpoint, GW, ENDPOINT, GObject)

typedef enum {
  GW_ENDPOINT_IDLE,        /* not started, or stopped */
  GW_ENDPOINT_SEARCHING,   /* for the first time */
  GW_ENDPOINT_STARTING,    /* the built-in gateway */
  GW_ENDPOINT_READY,
  GW_ENDPOINT_LOST,        /* it was ready; looked for again */
  GW_ENDPOINT_UNREACHABLE, /* the address that was given does not answer; looked for again */
  GW_ENDPOINT_FAILED,      /* the built-in gateway could not start, or ended */
} GwEndpointState;

/* The setting `gateway`: empty (the default address if a gateway answers there, else the built-in
 * one), an address, or this. */
#define GW_ENDPOINT_PREFER_BUILTIN "built-in"

GwEndpoint *gw_endpoint_new (const char *option_uri, const char *config_path,
                             const char *data_dir);
void gw_endpoint_start (GwEndpoint *self);
void gw_endpoint_set_option (GwEndpoint *self, const char *option_uri);
void gw_endpoint_set_token (GwEndpoint *self, const char *token);
void gw_endpoint_retry_now (GwEndpoint *self);
void gw_endpoint_use_builtin (GwEndpoint *self);
void gw_endpoint_report_connected (GwEndpoint *self, gboolean connected);

GwEndpointState gw_endpoint_get_state (GwEndpoint *self);
GwClient *gw_endpoint_get_client (GwEndpoint *self);
gboolean gw_endpoint_is_builtin (GwEndpoint *self);
gboolean gw_endpoint_needs_window (GwEndpoint *self);
gboolean gw_endpoint_may_use_builtin (GwEndpoint *self);
gboolean gw_endpoint_is_given (GwEndpoint *self);
const char *gw_endpoint_get_uri (GwEndpoint *self);
const char *gw_endpoint_get_message (GwEndpoint *self);
guint gw_endpoint_get_seconds_left (GwEndpoint *self);
const char *gw_endpoint_get_version (GwEndpoint *self);
gint64 gw_endpoint_get_ready_since (GwEndpoint *self);
gboolean gw_endpoint_is_default_port_taken (GwEndpoint *self);

void gw_endpoint_stop_async (GwEndpoint *self, guint limit_ms, GAsyncReadyCallback callback,
                             gpointer user_data);
gboolean gw_endpoint_stop_finish (GwEndpoint *self, GAsyncResult *result, GError **error);

G_END_DECLS
