/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-config-file.h"
#include "gw-config.h"

G_BEGIN_DECLS

/* Groups of providers are called so, and then by the provider's name. */
#define GW_CONFIG_PROVIDER_PREFIX "provider "

/* Readers: an absent key, and an empty one, leave the value as it is. */
const char *_gw_config_get (GwConfigFile *file, const char *group, const char *key);
gboolean _gw_config_get_uint (GwConfigFile *file, const char *group, const char *key, guint minimum,
                              guint maximum, guint *value, GError **error);
gboolean _gw_config_get_boolean (GwConfigFile *file, const char *group, const char *key,
                                 gboolean *value, GError **error);
/* A key that stands empty means "none", not "as before". */
void _gw_config_get_text (GwConfigFile *file, const char *group, const char *key, char **value);

/* Whether every group and key of @file is one that there is. */
gboolean _gw_config_check_names (GwConfigFile *file, gboolean presets, GError **error);

/* Providers. @preset, @presets: the file is the catalogue's. */
gboolean _gw_config_read_provider (GwConfigFile *file, const char *group, gboolean preset,
                                   GwProviderConfig *config, GError **error);
gboolean _gw_config_read_providers (GwConfig *self, GwConfigFile *file, gboolean presets,
                                    GError **error);
gboolean _gw_config_load_presets (GwConfig *self, GError **error);

G_END_DECLS
