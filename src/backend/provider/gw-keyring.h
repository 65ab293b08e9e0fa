/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "provider/gw-secret.h"

G_BEGIN_DECLS

typedef struct {
  char *provider;
  char *host;    /* that the key was entered for, as gw_provider_config_dup_origin() gives it */
  GwSecret *key;
} GwKeyringItem;

/* Whether there is anything to ask: without a session bus nothing is waited for. */
gboolean gw_keyring_is_there (void);

/* Each ends within its limit, whatever the keyring does, in the calling thread's default context.
 * Load: (transfer full) (element-type GwKeyringItem) every key of ours that can be read without
 * asking the user. */
void gw_keyring_load_async (guint limit_ms, GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *gw_keyring_load_finish (GAsyncResult *result, GError **error);
void gw_keyring_store_async (const char *provider, const char *host, GwSecret *key, guint limit_ms,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_keyring_store_finish (GAsyncResult *result, GError **error);
/* @host: (nullable): NULL for those of every host */
void gw_keyring_clear_async (const char *provider, const char *host, guint limit_ms,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_keyring_clear_finish (GAsyncResult *result, GError **error);

G_END_DECLS
