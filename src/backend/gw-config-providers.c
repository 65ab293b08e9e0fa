/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The providers of gangway.conf: the groups of the file, and beneath them the catalogue's presets,
 * which are read the same way. Plain data; any thread, one at a time. A provider in use is one that
 * passed gw_provider_config_check(); one that is not enabled may be unfinished. */

#define G_LOG_DOMAIN "gw-config"

#include "config.h"

#include <math.h>
#include <string.h>

#include "gw-backend-resource.h"
#include "gw-config-private.h"

#define PRESETS "/io/github/gangway/Gangway/backend/providers.conf"

static gboolean
get_seconds (GwConfigFile *file,
             const char *group,
             const char *key,
             double *value,
             GError **error)
{
  const char *text = _gw_config_get (file, group, key);
  char *end = NULL;
  double number;

  if (text == NULL)
    return TRUE;
  number = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0' || !isfinite (number) || number < GW_PROVIDER_MIN_LATENCY
      || number > GW_PROVIDER_MAX_LATENCY)
    {
      gw_config_file_set_error (file, group, key, error,
                                "\"%s\" is not a number of seconds from 0.001 to 86400", text);
      return FALSE;
    }

  *value = number;
  return TRUE;
}

static gboolean
get_command (GwConfigFile *file,
             const char *group,
             char ***value,
             GError **error)
{
  g_autoptr (GError) local = NULL;
  const char *text = gw_config_file_get (file, group, "command");
  char **argv = NULL;

  if (text == NULL)
    return TRUE;
  if (*text != '\0' && !g_shell_parse_argv (text, NULL, &argv, &local))
    {
      gw_config_file_set_error (file, group, "command", error, "cannot be split into words: %s",
                                local->message);
      return FALSE;
    }

  g_strfreev (*value);
  *value = argv;
  return TRUE;
}

gboolean
_gw_config_read_provider (GwConfigFile *file,
                          const char *group,
                          gboolean preset,
                          GwProviderConfig *config,
                          GError **error)
{
  g_autoptr (GError) local = NULL;
  const char *kind = _gw_config_get (file, group, "kind");

  if (kind != NULL && !gw_provider_kind_from_string (kind, &config->kind))
    {
      gw_config_file_set_error (file, group, "kind", error,
                                "\"%s\" is none of openai, command and practice", kind);
      return FALSE;
    }
  if (!_gw_config_get_boolean (file, group, "enabled", &config->enabled, error)
      || !get_command (file, group, &config->command, error)
      || !_gw_config_get_uint (file, group, "max-concurrency", 1, GW_PROVIDER_MAX_CONCURRENCY,
                               &config->max_concurrency, error)
      || !_gw_config_get_uint (file, group, "requests-per-minute", 0,
                               GW_PROVIDER_MAX_REQUESTS_PER_MINUTE,
                               &config->requests_per_minute, error)
      || !_gw_config_get_uint (file, group, "timeout-seconds", 1, GW_PROVIDER_MAX_TIMEOUT_SECONDS,
                               &config->timeout_seconds, error)
      || !get_seconds (file, group, "latency", &config->latency, error)
      || !_gw_config_get_boolean (file, group, "stream", &config->stream, error))
    return FALSE;
  _gw_config_get_text (file, group, "base-url", &config->base_url);
  _gw_config_get_text (file, group, "model", &config->model);
  _gw_config_get_text (file, group, "api-key-env", &config->api_key_env);
  if (_gw_config_get (file, group, "title") != NULL)
    _gw_config_get_text (file, group, "title", &config->title);

  if (preset)
    {
      _gw_config_get_text (file, group, "note", &config->note);
      if (!_gw_config_get_boolean (file, group, "local", &config->local, error))
        return FALSE;
      config->preset = TRUE;
    }
  else
    {
      config->configured = TRUE;
      config->key_named = _gw_config_get (file, group, "api-key-env") != NULL;
    }

  if (!gw_provider_config_check (config, &local))
    {
      const char *colon = strstr (local->message, ": ");
      g_autofree char *key = NULL;

      if (!config->enabled && !g_str_has_prefix (local->message, "name"))
        return TRUE;
      if (colon != NULL)
        key = g_strndup (local->message, colon - local->message);
      gw_config_file_set_error (file, group, key, error, "%s",
                                colon != NULL ? colon + 2 : local->message);
      return FALSE;
    }

  return TRUE;
}

gboolean
_gw_config_read_providers (GwConfig *self,
                           GwConfigFile *file,
                           gboolean presets,
                           GError **error)
{
  g_autoptr (GPtrArray) groups = gw_config_file_list_groups (file);

  for (guint i = 0; i < groups->len; i++)
    {
      const char *group = g_ptr_array_index (groups, i);
      g_autofree char *name = NULL;
      GwProviderConfig *config;

      if (!g_str_has_prefix (group, GW_CONFIG_PROVIDER_PREFIX))
        continue;
      name = g_strstrip (g_strdup (group + strlen (GW_CONFIG_PROVIDER_PREFIX)));
      config = gw_config_find_provider (self, name);
      if (config == NULL)
        {
          config = gw_provider_config_new (name);
          g_ptr_array_add (self->providers, config);
        }
      if (!_gw_config_read_provider (file, group, presets, config, error))
        return FALSE;
      if (!presets)
        self->has_providers = TRUE;
    }

  return TRUE;
}

gboolean
_gw_config_load_presets (GwConfig *self,
                         GError **error)
{
  g_autoptr (GwConfigFile) file = NULL;
  g_autoptr (GBytes) bytes = NULL;
  const char *data;
  gsize length = 0;

  bytes = g_resource_lookup_data (gw_backend_get_resource (), PRESETS, G_RESOURCE_LOOKUP_FLAGS_NONE,
                                  error);
  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &length);
  file = gw_config_file_new_from_data ("providers.conf", data, length, error);

  return file != NULL && _gw_config_check_names (file, TRUE, error)
         && _gw_config_read_providers (self, file, TRUE, error);
}

/* (transfer none) (nullable): the provider of that name, in use or not */
GwProviderConfig *
gw_config_find_provider (const GwConfig *config,
                         const char *name)
{
  for (guint i = 0; i < config->providers->len; i++)
    {
      GwProviderConfig *provider = g_ptr_array_index (config->providers, i);

      if (g_str_equal (provider->name, name))
        return provider;
    }

  return NULL;
}

/* (transfer full) (nullable): the provider as the catalogue has it, whatever the file says */
GwProviderConfig *
gw_config_dup_preset (const char *name)
{
  g_autoptr (GwConfig) presets = g_new0 (GwConfig, 1);
  GwProviderConfig *found;

  presets->providers = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_provider_config_unref);
  if (!_gw_config_load_presets (presets, NULL))
    return NULL;
  found = gw_config_find_provider (presets, name);

  return found != NULL ? gw_provider_config_ref (found) : NULL;
}
