/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define GW_LOCAL_PROBE_MS 500

/* Asks an OpenAI-compatible server of this machine for its models, within GW_LOCAL_PROBE_MS and
 * without any key; in the calling thread's default context. Finish: (transfer full) (nullable)
 * their names, maybe none; NULL where nothing of that kind answers. */
void gw_local_probe_async (const char *base_url, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
char **gw_local_probe_finish (GAsyncResult *result, GError **error);

G_END_DECLS
