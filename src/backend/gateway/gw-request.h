/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "gw-json.h"

#include "gateway/gw-gateway.h"
#include "gateway/gw-http-connection.h"
#include "gateway/gw-router.h"

G_BEGIN_DECLS

#define GW_HTTP_MAX_BODY (16 * 1024 * 1024)
#define GW_HTTP_MAX_BATCH (64 * 1024 * 1024)
#define GW_HTTP_PARSE_ELSEWHERE (256 * 1024)

/* The list of `status=` as bits; 0: absent. */
gboolean gw_request_get_query_statuses (GwRequest *self, guint *statuses, GError **error);

/* With the body's object (borrowed); NULL where there is no body. Called at once for small bodies,
 * else after the parse thread is done; not called where the body is not an object: the request is
 * failed. */
typedef void (*GwRequestBodyFunc) (GwRequest *request, JsonObject *body);

/**
 * GwRequest:
 *
 * One request between its head and the end of its answer. Lives in the gateway's thread. A handler
 * either responds before it returns, or holds the request over an async call and responds in its
 * callback; responding to a request whose client has left does nothing.
 */
struct _GwRequest {
  int ref_count;
  GwGateway *gateway;           /* (borrowed) outlives its requests */
  SoupServerMessage *message;   /* (borrowed) (nullable) NULL once it is over */
  GwHttpConnection *connection; /* (owned) */
  const GwRoute *route;         /* (nullable) */
  char *capture;                /* (owned) (nullable) */
  GHashTable *query;            /* (owned) (nullable) */
  GByteArray *body;             /* (owned) (nullable) */
  GwRequestBodyFunc body_func;
  gsize body_limit;
  gsize body_seen;              /* bytes, kept or not */
  gboolean keeps_body;
  gboolean paused;
  gboolean responded;
  gint64 began;                 /* monotonic us */
};

GwRequest *gw_request_ref (GwRequest *self);
void gw_request_unref (GwRequest *self);

GwRequest *gw_request_hold (GwRequest *self);
GwRequest *gw_request_release (gpointer user_data);
gboolean gw_request_is_over (GwRequest *self);

const char *gw_request_get_query (GwRequest *self, const char *name);
gboolean gw_request_get_query_number (GwRequest *self, const char *name, guint64 minimum,
                                      guint64 maximum, guint64 *value, GError **error);

void gw_request_read_body (GwRequest *self, gboolean required, GwRequestBodyFunc func);

/* What turns a body into plain data: runs on the parse thread for large ones. */
typedef gpointer (*GwRequestConvertFunc) (const char *body, gsize length, gpointer data,
                                          GError **error);
typedef void (*GwRequestConvertedFunc) (GwRequest *request, gpointer result);
void gw_request_convert_body (GwRequest *self, GwRequestConvertFunc convert, gpointer data,
                              GDestroyNotify free_data, GwRequestConvertedFunc func);

void gw_request_respond_text (GwRequest *self, guint status, const char *content_type, char *text,
                              gsize length);
/* A long answer in pieces: begun once, then each piece (transfer full) when the last was written,
 * which "wrote-chunk" of the message tells; the last one ends it. */
void gw_request_begin_stream (GwRequest *self, const char *content_type);
void gw_request_send_piece (GwRequest *self, GString *piece, gboolean last);

void gw_request_respond_object (GwRequest *self, guint status, JsonObject *object);
void gw_request_respond_changed (GwRequest *self, guint64 changed);
void gw_request_fail (GwRequest *self, const GError *error);
void gw_request_fail_with (GwRequest *self, GwError code, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwRequest, gw_request_unref)

G_END_DECLS
