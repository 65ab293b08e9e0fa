/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Writing gangway.conf: providers' groups and single values. Any thread; a lock lets one at a time
 * read the file and write it. Only what the file does not say already is set, every other line
 * stays as a person wrote it, the file is replaced as a whole, and one that cannot be read is not
 * touched. The call waits for the disk. */

#define G_LOG_DOMAIN "gw-config"

#include "config.h"

#include <string.h>

#include "gw-config-private.h"

/* Providers and settings are written by different threads, each of which reads the file first. */
static GMutex file_mutex;

static char *
quote_command (char **command)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; command != NULL && command[i] != NULL; i++)
    {
      gboolean plain = *command[i] != '\0';

      for (const char *c = command[i]; plain && *c != '\0'; c++)
        plain = g_ascii_isalnum (*c) || strchr ("-_./:=,+@%", *c) != NULL;
      if (i > 0)
        g_string_append_c (text, ' ');
      if (plain)
        g_string_append (text, command[i]);
      else
        {
          g_autofree char *quoted = g_shell_quote (command[i]);

          g_string_append (text, quoted);
        }
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
set_uint (GwConfigFile *file,
          const char *group,
          const char *key,
          guint value)
{
  g_autofree char *text = g_strdup_printf ("%u", value);

  gw_config_file_set (file, group, key, text);
}

static void
set_text (GwConfigFile *file,
          const char *group,
          const char *key,
          const char *before,
          const char *value)
{
  if (g_strcmp0 (before, value) != 0)
    gw_config_file_set (file, group, key, value != NULL ? value : "");
}

/* What the file says of a provider as it stands. */
static GwProviderConfig *
read_before (GwConfigFile *file,
             const char *group,
             const char *name)
{
  GwProviderConfig *config = gw_config_dup_preset (name);

  if (config == NULL)
    config = gw_provider_config_new (name);
  config->enabled = TRUE;
  if (!_gw_config_read_provider (file, group, FALSE, config, NULL))
    g_debug ("the group of %s cannot be read whole", name);

  return config;
}

/* Only what is not said there already, so that what a person wrote stays as it is. */
static void
write_provider (GwConfigFile *file,
                const char *group,
                const GwProviderConfig *config)
{
  gboolean is_new = gw_config_file_get_line (file, group, NULL) == 0;
  g_autoptr (GwProviderConfig) before = read_before (file, group, config->name);
  g_autofree char *command = quote_command (config->command);
  g_autofree char *command_before = quote_command (before->command);
  char latency[G_ASCII_DTOSTR_BUF_SIZE];
  char latency_before[G_ASCII_DTOSTR_BUF_SIZE];

  if (is_new || before->enabled != config->enabled)
    gw_config_file_set (file, group, "enabled", config->enabled ? "true" : "false");
  if (!config->preset)
    set_text (file, group, "title", before->title, config->title);
  if (before->kind != config->kind)
    gw_config_file_set (file, group, "kind", gw_provider_kind_to_string (config->kind));
  set_text (file, group, "base-url", before->base_url, config->base_url);
  set_text (file, group, "command", command_before, command);
  set_text (file, group, "model", before->model, config->model);
  /* What the file names is needed, what the catalogue names is tried. An empty one overrides the
   * catalogue's. */
  if (config->key_named && !before->key_named && config->api_key_env != NULL)
    gw_config_file_set (file, group, "api-key-env", config->api_key_env);
  else
    set_text (file, group, "api-key-env", before->api_key_env, config->api_key_env);
  if (before->max_concurrency != config->max_concurrency)
    set_uint (file, group, "max-concurrency", config->max_concurrency);
  if (before->requests_per_minute != config->requests_per_minute)
    set_uint (file, group, "requests-per-minute", config->requests_per_minute);
  if (before->timeout_seconds != config->timeout_seconds)
    set_uint (file, group, "timeout-seconds", config->timeout_seconds);
  g_ascii_formatd (latency, sizeof latency, "%.6g", config->latency);
  g_ascii_formatd (latency_before, sizeof latency_before, "%.6g", before->latency);
  if (!g_str_equal (latency, latency_before))
    gw_config_file_set (file, group, "latency", latency);
  if (before->stream != config->stream)
    gw_config_file_set (file, group, "stream", config->stream ? "true" : "false");
}

static char *
find_group (GwConfigFile *file,
            const char *name)
{
  g_autoptr (GPtrArray) groups = gw_config_file_list_groups (file);

  for (guint i = 0; i < groups->len; i++)
    {
      const char *group = g_ptr_array_index (groups, i);
      g_autofree char *trimmed = NULL;

      if (!g_str_has_prefix (group, GW_CONFIG_PROVIDER_PREFIX))
        continue;
      trimmed = g_strstrip (g_strdup (group + strlen (GW_CONFIG_PROVIDER_PREFIX)));
      if (g_str_equal (trimmed, name))
        return g_strdup (group);
    }

  return g_strconcat (GW_CONFIG_PROVIDER_PREFIX, name, NULL);
}

/**
 * gw_config_save_providers:
 * @config: where to write to
 * @providers: (element-type GwProviderConfig): every provider that shall have a group
 * @error: return location
 *
 * Writes to the disk and waits for it. Other groups, remarks and blank lines stay as they stand;
 * groups of providers that are not in @providers go. A file that somebody else broke meanwhile is
 * not touched.
 *
 * Returns: whether it was written; else GW_ERROR_CONFIG or GW_ERROR_NO_SPACE
 */
gboolean
gw_config_save_providers (const GwConfig *config,
                          GPtrArray *providers,
                          GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&file_mutex);
  g_autoptr (GwConfigFile) file = gw_config_file_load (config->path, TRUE, error);
  g_autoptr (GHashTable) keep = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) groups = NULL;

  if (file == NULL || !_gw_config_check_names (file, FALSE, error))
    return FALSE;

  for (guint i = 0; i < providers->len; i++)
    {
      const GwProviderConfig *provider = g_ptr_array_index (providers, i);
      g_autofree char *group = find_group (file, provider->name);

      write_provider (file, group, provider);
      g_hash_table_add (keep, g_steal_pointer (&group));
    }
  groups = gw_config_file_list_groups (file);
  for (guint i = 0; i < groups->len; i++)
    {
      const char *group = g_ptr_array_index (groups, i);

      if (g_str_has_prefix (group, GW_CONFIG_PROVIDER_PREFIX)
          && !g_hash_table_contains (keep, group))
        gw_config_file_remove_group (file, group);
    }

  return gw_config_file_save (file, error);
}

/**
 * gw_config_save_values:
 * @config: where to write to
 * @values: (array length=n_values): what to set
 * @error: return location
 *
 * Writes to the disk and waits for it, as gw_config_save_providers().
 *
 * Returns: whether it was written; else GW_ERROR_CONFIG or GW_ERROR_NO_SPACE
 */
gboolean
gw_config_save_values (const GwConfig *config,
                       const GwConfigValue *values,
                       guint n_values,
                       GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&file_mutex);
  g_autoptr (GwConfigFile) file = gw_config_file_load (config->path, TRUE, error);

  if (file == NULL || !_gw_config_check_names (file, FALSE, error))
    return FALSE;

  for (guint i = 0; i < n_values; i++)
    gw_config_file_set (file, values[i].group, values[i].key, values[i].value);

  return gw_config_file_save (file, error);
}
