/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

#define GW_TYPE_GATEWAY_WATCH (gw_gateway_watch_get_type ())
G_DECLARE_FINAL_TYPE (GwGatewayWatch, gw_gateway_watch, GW, GATEWAY_WATCH, GObject)

/* What keeps all tasks from going on, although the gateway answers. */
typedef enum {
  GW_TROUBLE_NONE,
  GW_TROUBLE_NO_SPACE, /* where the queue is kept */
  GW_TROUBLE_OFFLINE,  /* this computer has no network, and a provider cannot be reached */
  /* The gateway's queue is on Redis, and that is the trouble. */
  GW_TROUBLE_QUEUE_AWAY,      /* it does not answer, or still starts */
  GW_TROUBLE_QUEUE_READ_ONLY, /* it is a replica */
  GW_TROUBLE_QUEUE_FULL,      /* its memory */
  GW_TROUBLE_QUEUE_DISK,      /* it cannot write its data */
  GW_TROUBLE_QUEUE_CLOSED,    /* password or settings do not fit */
} GwTrouble;

/* (transfer full): of no gateway yet. */
GwGatewayWatch *gw_gateway_watch_new (void);
void gw_gateway_watch_set_client (GwGatewayWatch *self, GwClient *client);
void gw_gateway_watch_set_active (GwGatewayWatch *self, gboolean active);
void gw_gateway_watch_set_idle (GwGatewayWatch *self, gboolean idle);
/* What it was when the gateway was asked last. */
GwTrouble gw_gateway_watch_get_trouble (GwGatewayWatch *self);
/* (nullable) Why nothing runs although tasks wait; @until (out): Unix ms, 0: not known. */
const char *gw_gateway_watch_get_waiting (GwGatewayWatch *self, gint64 *until);
void gw_gateway_watch_ask_now (GwGatewayWatch *self);

G_END_DECLS
