/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-provider.h"

G_BEGIN_DECLS

#define GW_TYPE_OPENAI_PROVIDER (gw_openai_provider_get_type ())
G_DECLARE_FINAL_TYPE (GwOpenaiProvider, gw_openai_provider, GW, OPENAI_PROVIDER, GwProvider)

#define GW_OPENAI_CONNECT_MS 10000
#define GW_OPENAI_MAX_BODY (32 * 1024 * 1024)
/* Each piece of a stream comes wrapped; its texts together are held to GW_OPENAI_MAX_BODY. */
#define GW_OPENAI_MAX_STREAM (64 * 1024 * 1024)

G_END_DECLS
