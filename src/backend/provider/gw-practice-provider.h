/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-provider.h"

G_BEGIN_DECLS

#define GW_TYPE_PRACTICE_PROVIDER (gw_practice_provider_get_type ())
G_DECLARE_FINAL_TYPE (GwPracticeProvider, gw_practice_provider, GW, PRACTICE, GwProvider)

#define GW_PRACTICE_MODEL "practice"
#define GW_PRACTICE_DELAY_MS 300

G_END_DECLS
