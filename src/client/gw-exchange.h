/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What came back from one request, whatever its status. */
typedef struct {
  guint status;
  GBytes *body;
  char *content_type;  /* (nullable) */
  int retry_after_s;   /* -1: not told */
} GwAnswer;

void gw_answer_free (GwAnswer *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwAnswer, gw_answer_free)

SoupSession *gw_exchange_session_new (const char *uri);

void gw_exchange_async (SoupSession *session, SoupMessage *message, guint timeout_ms,
                        gsize max_bytes, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data);
GwAnswer *gw_exchange_finish (GAsyncResult *result, gboolean *unsent, GError **error);

gboolean gw_exchange_has_timed_out (GAsyncResult *result);

gboolean gw_exchange_is_loopback (GUri *uri);

G_END_DECLS
