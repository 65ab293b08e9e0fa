/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-clock.h"
#include "gw-provider-config.h"
#include "gw-partial.h"
#include "gw-reply.h"

G_BEGIN_DECLS

#define GW_TYPE_PROVIDER (gw_provider_get_type ())
G_DECLARE_DERIVABLE_TYPE (GwProvider, gw_provider, GW, PROVIDER, GObject)

/* What is asked of a provider. */
typedef struct {
  const char *content;
  const char *model;      /* (nullable) NULL: the configured one */
  JsonObject *metadata;   /* (nullable) the submitter's; `system`, if a text, is sent along */
  GwPartial *partial;     /* (nullable) takes the answer while it comes, if the provider streams */
  gint64 send_by;         /* clock of the provider; not sent when it is later; 0: whenever */
} GwCall;

typedef void (*GwProviderSentFunc) (gint64 sent_at, gpointer user_data);

/**
 * GwProviderClass:
 * @call_async: starts one call. It always ends in a GwReply: an error of the provider is a
 *   classified reply and no GError. Cancelling really aborts the call (the connection is closed,
 *   the process group killed) and ends it with GW_REPLY_ABORTED. @sent is called once, in the same
 *   context, when the request was fully written.
 * @test_async: asks the provider something that costs nothing, as the models it offers.
 *
 * A provider belongs to the thread whose default context it was made in and lives there.
 */
struct _GwProviderClass {
  GObjectClass parent_class;

  void (*call_async) (GwProvider *self, const GwCall *call, GwProviderSentFunc sent,
                      gpointer sent_data, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);
  GwReply *(*call_finish) (GwProvider *self, GAsyncResult *result);
  void (*test_async) (GwProvider *self, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);
  char **(*test_finish) (GwProvider *self, GAsyncResult *result, GError **error);
};

/* @key: (nullable) the API key; kept in memory only, wiped when the provider goes. */
GwProvider *gw_provider_new (GwProviderConfig *config, const char *key, GwClock *clock);

GwProviderConfig *gw_provider_get_config (GwProvider *self);
GwClock *gw_provider_get_clock (GwProvider *self);
const char *gw_provider_get_key (GwProvider *self); /* for subclasses only */

void gw_provider_call_async (GwProvider *self, const GwCall *call, GwProviderSentFunc sent,
                             gpointer sent_data, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
GwReply *gw_provider_call_finish (GwProvider *self, GAsyncResult *result);

/* Finish: (transfer full) the names of the models it offers, maybe empty; or the exact reason why
 * it does not work: GW_ERROR_TASK_AUTH, _QUOTA, _MODEL, _NETWORK, _SERVER, … */
void gw_provider_test_async (GwProvider *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
char **gw_provider_test_finish (GwProvider *self, GAsyncResult *result, GError **error);

G_END_DECLS
