/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

#define GW_TYPE_SEARCH_PROVIDER (gw_search_provider_get_type ())
G_DECLARE_FINAL_TYPE (GwSearchProvider, gw_search_provider, GW, SEARCH_PROVIDER, GObject)

GwSearchProvider *gw_search_provider_new (void);
void gw_search_provider_set_client (GwSearchProvider *self, GwClient *client);
gboolean gw_search_provider_export (GwSearchProvider *self, GDBusConnection *connection,
                                    const char *path, GError **error);
void gw_search_provider_unexport (GwSearchProvider *self, GDBusConnection *connection);

G_END_DECLS
