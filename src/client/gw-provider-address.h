/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  GW_ADDRESS_GOOD,
  GW_ADDRESS_EMPTY,
  GW_ADDRESS_BROKEN,     /* no web address at all */
  GW_ADDRESS_SCHEME,     /* neither http nor https */
  GW_ADDRESS_PLAIN,      /* http to a host that may be anywhere */
  GW_ADDRESS_PASSWORD,   /* holds a user name or a password */
  GW_ADDRESS_QUERY,      /* has a ? or a # */
} GwAddressFault;

char *gw_provider_address_normalise (const char *typed, GwAddressFault *fault);
char *gw_gateway_address_normalise (const char *typed, GwAddressFault *fault);

G_END_DECLS
