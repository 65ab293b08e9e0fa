/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-provider-info.h"

G_BEGIN_DECLS

/* Type of the target of the items: provider and model, "" for the one that is set up. */
#define GW_PROVIDER_MENU_TYPE "(ss)"

/* Fills @menu with those that can take tasks now, each with the models that it has named. @infos:
 * (nullable); @except: (nullable): who is left out but for its other models. */
void gw_provider_menu_fill (GMenu *menu, GPtrArray *infos, const char *except, const char *action);

/* (nullable) @model of what an item gave. */
void gw_provider_menu_get_target (GVariant *target, const char **provider, const char **model);

G_END_DECLS
