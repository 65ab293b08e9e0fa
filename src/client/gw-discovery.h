/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

/* The oldest gateway that speaks all that our programs need. */
#define GW_OLDEST_GATEWAY "0.1.0"

/* How a gateway is found (contract, section 1). */
typedef enum {
  GW_FOUND_OURS,
  GW_FOUND_MINIMAL,
  GW_FOUND_NOTHING, /* nobody answers */
  GW_FOUND_OTHER,   /* another program answers there */
} GwFound;

typedef struct {
  GwFound found;
  char *uri;
  gboolean given;   /* the user named the address: it is never silently replaced */
  char *version;    /* (nullable) of ours */
  char *host;       /* (nullable) "daemon", "window", "batch" */
  char *store;      /* (nullable) */
  char *detail;     /* (nullable) why not, for people, English */
  gboolean too_old; /* ours, but older than GW_OLDEST_GATEWAY */
  gboolean silent;  /* GW_FOUND_OTHER: somebody is there, but has not answered in time who he is */
} GwDiscovery;

void gw_discovery_free (GwDiscovery *discovery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwDiscovery, gw_discovery_free)

/* The address to try, first that is set: @option, GANGWAY_GATEWAY, @preference, the default. Adds a
 * missing scheme. GW_ERROR_INVALID where it is no address. */
char *gw_discovery_choose_uri (const char *option, const char *preference, gboolean *given,
                               GError **error);

/* Probes @uri: ours within 800 ms, else the minimal protocol; only what /health answers decides
 * between the two, so it is asked again where it is late. */
void gw_discovery_probe_async (const char *uri, gboolean given, const char *token,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
GwDiscovery *gw_discovery_probe_finish (GAsyncResult *result, GError **error);

G_END_DECLS
