/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-provider.h"

G_BEGIN_DECLS

#define GW_TYPE_COMMAND_PROVIDER (gw_command_provider_get_type ())
G_DECLARE_FINAL_TYPE (GwCommandProvider, gw_command_provider, GW, COMMAND_PROVIDER, GwProvider)

#define GW_COMMAND_MAX_OUTPUT (32 * 1024 * 1024)
#define GW_COMMAND_TERM_MS 2000  /* between asking the group to end and killing it */
#define GW_COMMAND_GRACE_MS 1000 /* for output that outlives the program */

G_END_DECLS
