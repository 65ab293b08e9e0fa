/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

#define GW_TYPE_HTTP_CONNECTION (gw_http_connection_get_type ())
G_DECLARE_FINAL_TYPE (GwHttpConnection, gw_http_connection, GW, HTTP_CONNECTION, GIOStream)

/* What a connection is at; each but BUSY has a time limit (gw-http-listener.c). */
typedef enum {
  GW_HTTP_PHASE_HEAD,  /* a request is awaited or its head is under way, nothing was answered yet */
  GW_HTTP_PHASE_BODY,  /* the body of a request comes in */
  GW_HTTP_PHASE_BUSY,  /* a handler has it; a long-poll may stay here */
  GW_HTTP_PHASE_WRITE, /* the answer goes out */
  GW_HTTP_PHASE_IDLE,  /* kept alive between two requests */
  GW_N_HTTP_PHASES
} GwHttpPhase;

/* Since when it is at that. */
typedef struct {
  GwHttpPhase phase;
  gint64 since;         /* monotonic us */
  guint64 acknowledged; /* bytes, when the write phase was last looked at */
} GwHttpPlace;

GwHttpConnection *gw_http_connection_new (GSocketConnection *connection);
gboolean gw_http_connection_serve (GwHttpConnection *self, SoupServer *server, GError **error);
GwHttpConnection *gw_http_connection_from_message (SoupServerMessage *message);

GSocket *gw_http_connection_get_socket (GwHttpConnection *self);
void gw_http_connection_begin_request (GwHttpConnection *self);
void gw_http_connection_end_request (GwHttpConnection *self);
void gw_http_connection_cut (GwHttpConnection *self);
void gw_http_connection_answer_early (GwHttpConnection *self, guint status,
                                      const char *content_type, const char *text, gsize length);

gboolean gw_http_connection_get_loopback (GwHttpConnection *self);
gboolean gw_http_connection_get_foreign (GwHttpConnection *self);
void gw_http_connection_set_foreign (GwHttpConnection *self, gboolean foreign);

/* For the listener: called once when the connection is closed, and its place in a phase's queue. */
void gw_http_connection_set_closed_func (GwHttpConnection *self, GFunc func, gpointer user_data);
GList *gw_http_connection_get_link (GwHttpConnection *self);
GwHttpPlace *gw_http_connection_get_place (GwHttpConnection *self);

G_END_DECLS
