/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"
#include "gw-exchange.h"
#include "gw-minimal-poller.h"

G_BEGIN_DECLS

/* The largest answers that are taken: one page of the feed ends at 4 MiB of tasks, one task has a
 * content of 1 MiB and a result of up to 32 MiB, each of which JSON may make longer. */
#define GW_CLIENT_MAX_ANSWER (256 * 1024 * 1024)

struct _GwClient {
  GObject parent_instance;

  char *uri;                /* (owned), without a slash at its end */
  char *token;              /* (owned) (nullable) */
  GwProtocol protocol;
  guint patience_s;
  SoupSession *session;     /* (owned) */
  GwMinimalPoller *minimal; /* (owned) (nullable): only with GW_PROTOCOL_MINIMAL */
};

/* How often a request may be sent. */
typedef enum {
  GW_REPEAT_NEVER,   /* once */
  GW_REPEAT_REFUSED, /* again where the gateway did not take it: not reached, 429, 500, 503 */
  GW_REPEAT_LOST,    /* and where the answer was lost: it has a key, or changes nothing */
} GwRepeat;

typedef struct {
  const char *method;
  const char *path;            /* escaped, with its query */
  GBytes *body;                /* (nullable) JSON */
  const char *idempotency_key; /* (nullable) */
  guint timeout_ms;            /* 0: 30 s */
  GwRepeat repeat;
} GwRequest;

void _gw_client_request_async (GwClient *self, const GwRequest *request,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
GwAnswer *_gw_client_request_finish (GwClient *self, GAsyncResult *result, gboolean *lost,
                                    GError **error);

SoupMessage *_gw_client_new_message (GwClient *self, const char *method, const char *path);
GError *_gw_client_error_from_reply (const GwAnswer *reply);
JsonObject *_gw_client_parse_object (const GwAnswer *reply, GError **error);

G_END_DECLS
