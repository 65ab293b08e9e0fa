/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "gw-preferences.h"

G_BEGIN_DECLS

#define GW_TYPE_PREFERENCES_PROVIDERS (gw_preferences_providers_get_type ())
G_DECLARE_FINAL_TYPE (GwPreferencesProviders, gw_preferences_providers, GW, PREFERENCES_PROVIDERS,
                      AdwPreferencesPage)

void gw_preferences_providers_set_endpoint (GwPreferencesProviders *self, GwEndpoint *endpoint);
void gw_preferences_providers_edit (GwPreferencesProviders *self, const char *name);
void gw_preferences_providers_add (GwPreferencesProviders *self);
void gw_preferences_providers_flush (GwPreferencesProviders *self);

#define GW_TYPE_PREFERENCES_RUNNING (gw_preferences_running_get_type ())
G_DECLARE_FINAL_TYPE (GwPreferencesRunning, gw_preferences_running, GW, PREFERENCES_RUNNING,
                      AdwPreferencesPage)

void gw_preferences_running_set_endpoint (GwPreferencesRunning *self, GwEndpoint *endpoint);

#define GW_TYPE_PREFERENCES_GATEWAY (gw_preferences_gateway_get_type ())
G_DECLARE_FINAL_TYPE (GwPreferencesGateway, gw_preferences_gateway, GW, PREFERENCES_GATEWAY,
                      AdwPreferencesPage)

void gw_preferences_gateway_set_endpoint (GwPreferencesGateway *self, GwEndpoint *endpoint);

#define GW_TYPE_PREFERENCES_RESULTS (gw_preferences_results_get_type ())
G_DECLARE_FINAL_TYPE (GwPreferencesResults, gw_preferences_results, GW, PREFERENCES_RESULTS,
                      AdwPreferencesPage)

void gw_preferences_results_set_endpoint (GwPreferencesResults *self, GwEndpoint *endpoint);

/* For the pages, from any widget within the window. */
void _gw_preferences_toast (GtkWidget *inside, const char *text);
void _gw_preferences_add_toast (GtkWidget *inside, AdwToast *toast);
void _gw_preferences_toast_error (GtkWidget *inside, const char *what, const GError *error);
void _gw_preferences_open (GtkWidget *inside, GtkWidget *subpage);
void _gw_preferences_close (GtkWidget *inside);
char *_gw_preferences_error_to_words (const GError *error);
GwClient *_gw_preferences_get_client (GwEndpoint *endpoint);
char *_gw_preferences_why_not (GwEndpoint *endpoint, gboolean writable);

G_END_DECLS
