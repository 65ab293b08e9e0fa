/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-endpoint.h"

G_BEGIN_DECLS

/* The token of the gateway that is preferred, in the keyring; where there is none, until the
 * program ends. A token belongs to one address. */
typedef enum {
  GW_TOKEN_NONE,
  GW_TOKEN_KEYRING,
  GW_TOKEN_SESSION,
} GwTokenPlace;

void gw_gateway_token_follow (GwEndpoint *endpoint);
GwTokenPlace gw_gateway_token_get_place (GwEndpoint *endpoint);

/* @token: (nullable) NULL forgets it. Finish tells where it is now. */
void gw_gateway_token_set_async (GwEndpoint *endpoint, const char *address, const char *token,
                                 GAsyncReadyCallback callback, gpointer user_data);
GwTokenPlace gw_gateway_token_set_finish (GAsyncResult *result);

G_END_DECLS
