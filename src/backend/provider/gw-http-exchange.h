/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "gw-clock.h"
#include "provider/gw-reply-reader.h"

G_BEGIN_DECLS

typedef enum {
  GW_EXCHANGE_CONNECTING,
  GW_EXCHANGE_SENDING,  /* connected; the request is not fully written yet */
  GW_EXCHANGE_WAITING,  /* for the first byte of the reply */
  GW_EXCHANGE_READING,
  GW_EXCHANGE_COMPLETE,
} GwExchangePhase;

typedef enum {
  GW_EXCHANGE_OK,
  GW_EXCHANGE_ABORTED,   /* by the caller */
  GW_EXCHANGE_LATE,      /* the limit of its phase was over */
  GW_EXCHANGE_TOO_LARGE, /* the body */
  GW_EXCHANGE_BROKEN,    /* @error says how */
} GwExchangeEnd;

/* How one exchange went. Plain data. */
typedef struct {
  GwExchangeEnd end;
  GwExchangePhase phase;    /* where it ended */
  gboolean sent;            /* the request was fully written */
  gboolean reused;          /* on a connection that had served before */
  GError *error;            /* (nullable) */
  GByteArray *body;         /* (nullable) what was read, whole or not */
  gint64 sent_at;           /* of the clock; 0: never */
  gint64 first_byte_at;
} GwExchange;

/* A piece of the body that came; see gw-reply-reader.h. */
typedef GwReading (*GwExchangeTakeFunc) (const char *bytes, gsize length, gpointer user_data);

typedef void (*GwExchangeSentFunc) (gint64 sent_at, gpointer user_data);

/* Sends @message and reads its reply, all in the calling thread's default context. At most
 * @connect_ms until a connection stands, @total_ms for all of it, @max_body decoded bytes. It never
 * fails as a task: finish always gives (transfer full) what happened. With @take, the body's pieces
 * go there, and only how it begins is in the exchange; what was said to have ended need not be
 * waited for: then it is GW_EXCHANGE_OK after a while, whether or not the connection goes on. */
void gw_http_exchange_async (SoupSession *session, GwClock *clock, SoupMessage *message,
                             guint connect_ms, gint64 total_ms, gsize max_body,
                             GwExchangeSentFunc sent, gpointer sent_data,
                             GwExchangeTakeFunc take, gpointer take_data,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
GwExchange *gw_http_exchange_finish (GAsyncResult *result);
void gw_exchange_free (GwExchange *exchange);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwExchange, gw_exchange_free)

G_END_DECLS
