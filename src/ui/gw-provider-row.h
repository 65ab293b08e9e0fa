/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>
#include <json-glib/json-glib.h>

#include "gw-provider-words.h"

G_BEGIN_DECLS

#define GW_TYPE_PROVIDER_ROW (gw_provider_row_get_type ())
G_DECLARE_FINAL_TYPE (GwProviderRow, gw_provider_row, GW, PROVIDER_ROW, AdwActionRow)

/* One provider of the list. Signals: `verb` (name of it: "up", "down", "test", "resume", "remove",
 * "on", "off") and `dropped` (another row, to come to this one's place). */
GwProviderRow *gw_provider_row_new (void);
void gw_provider_row_set_provider (GwProviderRow *self, JsonObject *provider);
JsonObject *gw_provider_row_get_provider (GwProviderRow *self);
const char *gw_provider_row_get_name (GwProviderRow *self);
void gw_provider_row_set_place (GwProviderRow *self, gboolean writable, gboolean first,
                                gboolean last);
void gw_provider_row_set_busy (GwProviderRow *self, const char *words);
void gw_provider_row_show_mood (GtkImage *image, GwProviderMood mood);
void gw_provider_row_refuse (GwProviderRow *self);

G_END_DECLS
