/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gateway/gw-gateway-private.h"

G_BEGIN_DECLS

#define GW_PROVIDERS_MAX_KEY 8192

/* gw-routes-providers.c */
void _gw_providers_fail_unknown (GwRequest *request);
void _gw_providers_read_and_respond (GwRequest *request);

/* gw-routes-providers-write.c */
gboolean _gw_providers_read_config (JsonObject *body, GwProviderConfig *config, GError **error);
void _gw_providers_fail_invalid (GwRequest *request, GError *error);
GwProviderConfig *_gw_providers_make_config (GwRequest *request, GwProviderConfig *known);
gboolean _gw_providers_check_catalogue (GwRequest *request);

G_END_DECLS
