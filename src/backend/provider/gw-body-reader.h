/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Reads a stream to its end, or until it has more than @max_bytes, in the calling thread's default
 * context. @progress, if any, is called when the first bytes are there. */
void gw_body_read_async (GInputStream *stream, gsize max_bytes, GCallback progress, gpointer data,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data);

/* As gw_body_read_async(), but each piece is handed to @take when it is there, which may end it all
 * as too large by returning %FALSE; of what was read finish gives the first GW_BODY_KEPT bytes. */
#define GW_BODY_KEPT 8192
typedef gboolean (*GwBodyTakeFunc) (const char *bytes, gsize length, gpointer user_data);
void gw_body_take_async (GInputStream *stream, gsize max_bytes, GwBodyTakeFunc take, gpointer data,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data);

/* What was read is always given, also before an error: (transfer full). Errors are those of the
 * stream, and G_IO_ERROR_MESSAGE_TOO_LARGE beyond @max_bytes. */
GByteArray *gw_body_read_finish (GInputStream *stream, GAsyncResult *result, GError **error);

G_END_DECLS
