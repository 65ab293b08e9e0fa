/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "provider/gw-http-exchange.h"
#include "provider/gw-openai-provider.h"
#include "provider/gw-reply-classifier.h"

G_BEGIN_DECLS

struct _GwOpenaiProvider {
  GwProvider parent_instance;

  /* Owned References */
  SoupSession *session;
  char *base;        /* the address without a slash at its end */
  GHashTable *drops; /* hash of a task's content -> calls that broke after it was sent */
  GPtrArray *keys;   /* (element-type GwSecret) */
  gboolean *refused; /* of @keys */
  guint turn;        /* of @keys: the next call's, if it is not refused */

  gint64 back_off_ms;    /* the last one given; 0: none */
  gint64 back_off_until; /* clock now */
};

void _gw_openai_fill_raw (GwOpenaiProvider *self, GwRawReply *raw,
                          const GwExchange *exchange, SoupMessage *message);
const char *_gw_openai_get_title (GwOpenaiProvider *self);
GwClock *_gw_openai_get_clock (GwOpenaiProvider *self);
SoupMessage *_gw_openai_message_new (GwOpenaiProvider *self, const char *method,
                                     const char *path, guint index);
GBytes *_gw_openai_build_request (const GwCall *call, const char *model, gboolean stream);
void _gw_openai_park (GwOpenaiProvider *self, GwReply *reply);
gboolean _gw_openai_set_without_status (GwOpenaiProvider *self, GwReply *reply,
                                        const GwExchange *exchange, SoupMessage *message,
                                        guint hash);
void _gw_openai_test_async (GwProvider *provider, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
char **_gw_openai_test_finish (GwProvider *provider, GAsyncResult *result, GError **error);

G_END_DECLS
