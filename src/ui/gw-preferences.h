/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-endpoint.h"

G_BEGIN_DECLS

#define GW_TYPE_PREFERENCES (gw_preferences_get_type ())
G_DECLARE_FINAL_TYPE (GwPreferences, gw_preferences, GW, PREFERENCES, AdwPreferencesWindow)

GwPreferences *gw_preferences_new (GtkWindow *parent, GwEndpoint *endpoint);
void gw_preferences_edit_provider (GwPreferences *self, const char *name);
void gw_preferences_add_provider (GwPreferences *self);

G_END_DECLS
