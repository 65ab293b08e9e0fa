/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-config.h"
#include "provider/gw-provider.h"

G_BEGIN_DECLS

#define GW_TYPE_CATALOGUE (gw_catalogue_get_type ())
G_DECLARE_FINAL_TYPE (GwCatalogue, gw_catalogue, GW, CATALOGUE, GObject)

/* Where the key of a provider came from; "the key" itself never leaves but to a GwProvider. */
typedef enum {
  GW_KEY_NONE,
  GW_KEY_ENVIRONMENT,
  GW_KEY_KEYRING,
  GW_KEY_SESSION,   /* written while no keyring was there: gone when the program ends */
  GW_KEY_NOT_NEEDED,
} GwKeySource;

const char *gw_key_source_to_string (GwKeySource source);

/**
 * GwCatalogue:
 *
 * The providers in use and their keys: presets, configuration, environment and keyring, and every
 * change of them while the engine runs. Thread-safe: any thread may read and write; snapshots are
 * refcounted. It tells its watchers, in their context, when anything changed.
 */
GwCatalogue *gw_catalogue_new (GwConfig *config); /* borrows @config for its life */

/* Reads keys from environment and keyring, asks whether a local Ollama answers; no other call goes
 * out. At most about 1 s. */
void gw_catalogue_load_async (GwCatalogue *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_catalogue_load_finish (GwCatalogue *self, GAsyncResult *result, GError **error);

GPtrArray *gw_catalogue_list (GwCatalogue *self); /* (transfer full) of GwProviderConfig */
GwProviderConfig *gw_catalogue_dup (GwCatalogue *self, const char *name); /* (nullable) */
gboolean gw_catalogue_is_in_use (GwCatalogue *self, const char *name);  /* a lane should run */
gboolean gw_catalogue_is_usable (GwCatalogue *self, const char *name); /* has what it needs, too */
GwKeySource gw_catalogue_get_key_source (GwCatalogue *self, const char *name);
/* (nullable) interned */
const char *gw_catalogue_get_key_variable (GwCatalogue *self, const char *name);

/* A provider to call, made in the calling thread's default context; NULL if there is none of that
 * name. */
GwProvider *gw_catalogue_make_provider (GwCatalogue *self, const char *name, GwClock *clock);

/* One to try, of a configuration that is not written; NULL if @key is none. */
GwProvider *gw_catalogue_make_test_provider (GwCatalogue *self, GwProviderConfig *config,
                                             const char *key, GwClock *clock);
char *gw_catalogue_dup_key_digest (GwCatalogue *self, const char *name); /* (nullable) */
guint gw_catalogue_count_keys (GwCatalogue *self, const char *name);

/* Looks once more which servers of this machine answer, half a second at most. */
void gw_catalogue_find_async (GwCatalogue *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_catalogue_find_finish (GwCatalogue *self, GAsyncResult *result, GError **error);
char **gw_catalogue_dup_found (GwCatalogue *self, const char *name);

void gw_catalogue_set_order (GwCatalogue *self, const char *const *order);

/* @key: (nullable) NULL leaves the key as it is, "" forgets it; several stand one a line.
 * Persisted: configuration file and keyring. Finish tells in @source where the key is now. */
void gw_catalogue_put_async (GwCatalogue *self, GwProviderConfig *config, const char *key,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
gboolean gw_catalogue_put_finish (GwCatalogue *self, GAsyncResult *result, GwKeySource *source,
                                  GError **error);
void gw_catalogue_remove_async (GwCatalogue *self, const char *name, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_catalogue_remove_finish (GwCatalogue *self, GAsyncResult *result, GError **error);

/* @func is called in @context, coalesced, after any change; returns an id for unwatch. */
guint gw_catalogue_watch (GwCatalogue *self, GMainContext *context, GSourceFunc func, gpointer data,
                          GDestroyNotify destroy);
void gw_catalogue_unwatch (GwCatalogue *self, guint id);

G_END_DECLS
