/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>
#include <json-glib/json-glib.h>

#include "gw-endpoint.h"

G_BEGIN_DECLS

#define GW_TYPE_PROVIDER_EDITOR (gw_provider_editor_get_type ())
G_DECLARE_FINAL_TYPE (GwProviderEditor, gw_provider_editor, GW, PROVIDER_EDITOR, AdwBin)

/* The page of one provider. Signals: `saved` (name, where its key is), `left`, `remove` (name). */
GwProviderEditor *gw_provider_editor_new (GwEndpoint *endpoint, GPtrArray *providers,
                                          JsonObject *provider, gboolean writable);
gboolean gw_provider_editor_may_leave (GwProviderEditor *self, GCallback then, gpointer object);

G_END_DECLS
