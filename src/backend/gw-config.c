/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gangway.conf: every group and key that there is, its range, and what stands where the file is
 * silent. The catalogue's presets (data/providers.conf, compiled in) are read the same way and lie
 * beneath the file's groups. Anything unknown or out of range is an error that names file, line and
 * key: a limit that is quietly ignored costs money. Plain data; any thread, one at a time. */

#define G_LOG_DOMAIN "gw-config"

#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gw-backend-resource.h"
#include "gw-config-file.h"
#include "gw-config.h"
#include "gw-credentials.h"
#include "gw-log.h"

#define PRESETS "/io/github/gangway/Gangway/backend/providers.conf"
#define PROVIDER_PREFIX "provider "
#define MAX_CHANGES 3 /* letters, up to which one key may be meant by another */

typedef struct {
  const char *group;
  const char *key;
} Known;

static const Known known[] = {
  { "gateway", "listen" },          { "gateway", "port" },
  { "gateway", "token-file" },      { "gateway", "allow-other-users" },
  { "queue", "redis-uri" },         { "queue", "redis-password-file" },
  { "queue", "redis-ca-file" },     { "queue", "redis-cert-file" },
  { "queue", "redis-key-file" },    { "queue", "keep-days" },
  { "workers", "max-concurrency" }, { "workers", "max-attempts" },
  { "workers", "drain-seconds" },   { "workers", "lease-seconds" },
  { "workers", "after-crash" },     { "workers", "provider-order" },
};

static const char *const provider_keys[] = {
  "enabled", "title", "kind", "base-url", "command", "model", "api-key-env", "max-concurrency",
  "requests-per-minute", "timeout-seconds", "latency", "stream",
};

static const char *const preset_keys[] = { "note", "local" };

/* Providers and settings are written by different threads, each of which reads the file first. */
static GMutex file_mutex;

/* Readers: an absent key, and an empty one, leave the value as it is. */

static const char *
get (GwConfigFile *file,
     const char *group,
     const char *key)
{
  const char *text = gw_config_file_get (file, group, key);

  return text != NULL && *text != '\0' ? text : NULL;
}

static gboolean
get_uint (GwConfigFile *file,
          const char *group,
          const char *key,
          guint minimum,
          guint maximum,
          guint *value,
          GError **error)
{
  const char *text = get (file, group, key);
  guint64 number;

  if (text == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, minimum, maximum, &number, NULL))
    {
      gw_config_file_set_error (file, group, key, error,
                                "\"%s\" is not a whole number from %u to %u", text, minimum,
                                maximum);
      return FALSE;
    }

  *value = (guint) number;
  return TRUE;
}

static gboolean
get_boolean (GwConfigFile *file,
             const char *group,
             const char *key,
             gboolean *value,
             GError **error)
{
  const char *text = get (file, group, key);

  if (text == NULL)
    return TRUE;
  if (!g_str_equal (text, "true") && !g_str_equal (text, "false"))
    {
      gw_config_file_set_error (file, group, key, error, "\"%s\" is neither true nor false", text);
      return FALSE;
    }

  *value = g_str_equal (text, "true");
  return TRUE;
}

static gboolean
get_seconds (GwConfigFile *file,
             const char *group,
             const char *key,
             double *value,
             GError **error)
{
  const char *text = get (file, group, key);
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

/* A key that stands empty means "none", not "as before". */
static void
get_text (GwConfigFile *file,
          const char *group,
          const char *key,
          char **value)
{
  const char *text = gw_config_file_get (file, group, key);

  if (text == NULL)
    return;
  g_free (*value);
  *value = *text != '\0' ? g_strdup (text) : NULL;
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

static gboolean
read_provider (GwConfigFile *file,
               const char *group,
               gboolean preset,
               GwProviderConfig *config,
               GError **error)
{
  g_autoptr (GError) local = NULL;
  const char *kind = get (file, group, "kind");

  if (kind != NULL && !gw_provider_kind_from_string (kind, &config->kind))
    {
      gw_config_file_set_error (file, group, "kind", error,
                                "\"%s\" is none of openai, command and practice", kind);
      return FALSE;
    }
  if (!get_boolean (file, group, "enabled", &config->enabled, error)
      || !get_command (file, group, &config->command, error)
      || !get_uint (file, group, "max-concurrency", 1, GW_PROVIDER_MAX_CONCURRENCY,
                    &config->max_concurrency, error)
      || !get_uint (file, group, "requests-per-minute", 0, GW_PROVIDER_MAX_REQUESTS_PER_MINUTE,
                    &config->requests_per_minute, error)
      || !get_uint (file, group, "timeout-seconds", 1, GW_PROVIDER_MAX_TIMEOUT_SECONDS,
                    &config->timeout_seconds, error)
      || !get_seconds (file, group, "latency", &config->latency, error)
      || !get_boolean (file, group, "stream", &config->stream, error))
    return FALSE;
  get_text (file, group, "base-url", &config->base_url);
  get_text (file, group, "model", &config->model);
  get_text (file, group, "api-key-env", &config->api_key_env);
  if (get (file, group, "title") != NULL)
    get_text (file, group, "title", &config->title);

  if (preset)
    {
      get_text (file, group, "note", &config->note);
      if (!get_boolean (file, group, "local", &config->local, error))
        return FALSE;
      config->preset = TRUE;
    }
  else
    {
      config->configured = TRUE;
      config->key_named = get (file, group, "api-key-env") != NULL;
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

static gboolean
is_known_key (const char *group,
              const char *key,
              gboolean presets)
{
  if (g_str_has_prefix (group, PROVIDER_PREFIX))
    {
      for (guint i = 0; i < G_N_ELEMENTS (provider_keys); i++)
        {
          if (g_str_equal (provider_keys[i], key))
            return TRUE;
        }
      for (guint i = 0; presets && i < G_N_ELEMENTS (preset_keys); i++)
        {
          if (g_str_equal (preset_keys[i], key))
            return TRUE;
        }
      return FALSE;
    }

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (g_str_equal (known[i].group, group) && g_str_equal (known[i].key, key))
        return TRUE;
    }

  return presets && g_str_equal (group, "catalogue") && g_str_equal (key, "date");
}

/* How many letters have to be put in, left out or changed to come from one to the other. */
static guint
count_changes (const char *from,
               const char *to)
{
  gsize length = strlen (to);
  g_autofree guint *row = g_new (guint, length + 1);

  for (gsize j = 0; j <= length; j++)
    row[j] = j;
  for (gsize i = 0; from[i] != '\0'; i++)
    {
      guint diagonal = row[0];

      row[0] = i + 1;
      for (gsize j = 0; j < length; j++)
        {
          guint change = diagonal + (g_ascii_tolower (from[i]) != to[j]);

          diagonal = row[j + 1];
          row[j + 1] = MIN (change, MIN (row[j], diagonal) + 1);
        }
    }

  return row[length];
}

/* (nullable) What somebody may have meant who wrote @key. */
static const char *
find_similar_key (const char *group,
                  const char *key)
{
  const char *best = NULL;
  guint least = MAX_CHANGES + 1;

  for (guint i = 0; g_str_has_prefix (group, PROVIDER_PREFIX) && i < G_N_ELEMENTS (provider_keys);
       i++)
    {
      guint changes = count_changes (key, provider_keys[i]);

      if (changes < least && changes < strlen (provider_keys[i]) - 1)
        {
          least = changes;
          best = provider_keys[i];
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      guint changes = count_changes (key, known[i].key);

      if (g_str_equal (known[i].group, group) && changes < least)
        {
          least = changes;
          best = known[i].key;
        }
    }

  return best;
}

static gboolean
check_names (GwConfigFile *file,
             gboolean presets,
             GError **error)
{
  g_autoptr (GPtrArray) groups = gw_config_file_list_groups (file);

  for (guint i = 0; i < groups->len; i++)
    {
      const char *group = g_ptr_array_index (groups, i);
      g_autoptr (GPtrArray) keys = gw_config_file_list_keys (file, group);
      gboolean is_known = g_str_has_prefix (group, PROVIDER_PREFIX)
                          || (presets && g_str_equal (group, "catalogue"));

      for (guint j = 0; !is_known && j < G_N_ELEMENTS (known); j++)
        is_known = g_str_equal (known[j].group, group);
      if (!is_known)
        {
          gw_config_file_set_error (file, group, NULL, error,
                                    "there is no such group; the groups are gateway, queue, "
                                    "workers and provider NAME");
          return FALSE;
        }
      for (guint j = 0; j < keys->len; j++)
        {
          const char *key = g_ptr_array_index (keys, j);

          if (!is_known_key (group, key, presets))
            {
              const char *meant = find_similar_key (group, key);

              if (meant != NULL)
                gw_config_file_set_error (file, group, key, error,
                                          "unknown setting; did you mean %s?", meant);
              else
                gw_config_file_set_error (file, group, key, error,
                                          "unknown setting; man gangway.conf has all of them");
              return FALSE;
            }
        }
    }

  return TRUE;
}

static gboolean
read_providers (GwConfig *self,
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

      if (!g_str_has_prefix (group, PROVIDER_PREFIX))
        continue;
      name = g_strstrip (g_strdup (group + strlen (PROVIDER_PREFIX)));
      config = gw_config_find_provider (self, name);
      if (config == NULL)
        {
          config = gw_provider_config_new (name);
          g_ptr_array_add (self->providers, config);
        }
      if (!read_provider (file, group, presets, config, error))
        return FALSE;
      if (!presets)
        self->has_providers = TRUE;
    }

  return TRUE;
}

static gboolean
load_presets (GwConfig *self,
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

  return file != NULL && check_names (file, TRUE, error)
         && read_providers (self, file, TRUE, error);
}

static gboolean
check_listen (GwConfig *self,
              GwConfigFile *file,
              GError **error)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (self->listen);

  if (address != NULL || g_str_equal (self->listen, "localhost"))
    return TRUE;

  gw_config_file_set_error (file, "gateway", "listen", error,
                            "\"%s\" is not an IP address of this machine, as 127.0.0.1, ::1 or "
                            "0.0.0.0", self->listen);
  return FALSE;
}

static gboolean
is_redis_uri (const char *uri)
{
  return g_str_has_prefix (uri, "redis://") || g_str_has_prefix (uri, "rediss://")
         || g_str_has_prefix (uri, "redis+unix:///");
}

static gboolean
check_redis_uri (GwConfig *self,
                 GwConfigFile *file,
                 GError **error)
{
  g_autofree char *given = gw_credentials_dup ("GANGWAY_REDIS_URI");

  /* Not quoted: it may hold a password. */
  if (given != NULL && !is_redis_uri (given))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFIG,
                           "GANGWAY_REDIS_URI must be redis://[user:password@]host:port/db, "
                           "rediss://… or redis+unix:///path");
      return FALSE;
    }
  if (self->redis_uri != NULL && !is_redis_uri (self->redis_uri))
    {
      gw_config_file_set_error (file, "queue", "redis-uri", error,
                                "must be redis://[user:password@]host:port/db, rediss://… or "
                                "redis+unix:///path");
      return FALSE;
    }
  if (given != NULL)
    {
      g_free (self->redis_uri);
      self->redis_uri = g_steal_pointer (&given);
    }

  return TRUE;
}

/* (nullable): a file that the configuration names, if it does: beside the configuration, where it
 * is not named whole. */
static char *
dup_path (GwConfig *self,
          const char *path)
{
  g_autofree char *directory = g_path_get_dirname (self->path);

  if (path == NULL)
    return NULL;

  return g_str_has_prefix (path, "~/") ? g_build_filename (g_get_home_dir (), path + 2, NULL)
                                       : g_canonicalize_filename (path, directory);
}

static gboolean
read_redis_files (GwConfig *self,
                  GwConfigFile *file,
                  GError **error)
{
  const char *path = get (file, "queue", "redis-password-file");
  g_autofree char *full = NULL;
  g_autoptr (GError) local = NULL;

  self->redis_ca_file = dup_path (self, get (file, "queue", "redis-ca-file"));
  self->redis_cert_file = dup_path (self, get (file, "queue", "redis-cert-file"));
  self->redis_key_file = dup_path (self, get (file, "queue", "redis-key-file"));
  self->redis_password = gw_credentials_dup ("GANGWAY_REDIS_PASSWORD");
  if (self->redis_password == NULL && path != NULL)
    {
      full = dup_path (self, path);
      if (!g_file_get_contents (full, &self->redis_password, NULL, &local))
        {
          gw_config_file_set_error (file, "queue", "redis-password-file", error, "%s",
                                    local->message);
          return FALSE;
        }
      g_strstrip (self->redis_password);
      if (*self->redis_password == '\0' || strchr (self->redis_password, '\n') != NULL
          || !g_utf8_validate (self->redis_password, -1, NULL))
        {
          gw_config_file_set_error (file, "queue", "redis-password-file", error,
                                    "%s must hold one line, the password", full);
          return FALSE;
        }
    }
  if (self->redis_password != NULL)
    gw_log_add_secret (self->redis_password);

  return TRUE;
}

static gboolean
check_token (const char *token)
{
  if (*token == '\0')
    return FALSE;
  for (const char *c = token; *c != '\0'; c++)
    {
      if (*c < 0x21 || *c > 0x7e)
        return FALSE;
    }

  return TRUE;
}

static gboolean
read_token (GwConfig *self,
            GwConfigFile *file,
            GError **error)
{
  const char *path = get (file, "gateway", "token-file");
  g_autofree char *variable = gw_credentials_dup ("GANGWAY_TOKEN");
  g_autoptr (GError) local = NULL;
  g_autofree char *full = NULL;

  if (variable != NULL)
    {
      if (!check_token (variable))
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFIG,
                               "GANGWAY_TOKEN must be printable ASCII without blanks");
          return FALSE;
        }
      self->token = g_steal_pointer (&variable);
    }
  else if (path != NULL)
    {
      full = dup_path (self, path);
      if (!g_file_get_contents (full, &self->token, NULL, &local))
        {
          gw_config_file_set_error (file, "gateway", "token-file", error, "%s", local->message);
          return FALSE;
        }
      g_strstrip (self->token);
      if (!check_token (self->token))
        {
          gw_config_file_set_error (file, "gateway", "token-file", error,
                                    "%s must hold one line of printable ASCII without blanks",
                                    full);
          return FALSE;
        }
    }

  if (self->token != NULL)
    gw_log_add_secret (self->token);
  return TRUE;
}

/* Names that no provider has are kept: one may come back. */
static void
read_order (GwConfig *self,
            GwConfigFile *file)
{
  const char *text = get (file, "workers", "provider-order");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  if (text == NULL)
    return;
  names = g_strsplit (text, ",", -1);
  for (guint i = 0; names[i] != NULL; i++)
    {
      if (*g_strstrip (names[i]) != '\0')
        g_strv_builder_add (builder, names[i]);
    }
  self->provider_order = g_strv_builder_end (builder);
}

static gboolean
read_file (GwConfig *self,
           GwConfigFile *file,
           GError **error)
{
  const char *after_crash;
  guint port = self->port;

  if (!check_names (file, FALSE, error))
    return FALSE;

  if (get (file, "gateway", "listen") != NULL)
    get_text (file, "gateway", "listen", &self->listen);
  get_text (file, "queue", "redis-uri", &self->redis_uri);
  if (!get_uint (file, "gateway", "port", 0, 65535, &port, error)
      || !check_listen (self, file, error)
      || !get_boolean (file, "gateway", "allow-other-users", &self->allow_other_users, error)
      || !check_redis_uri (self, file, error) || !read_redis_files (self, file, error)
      || !get_uint (file, "queue", "keep-days", 0, 36500, &self->keep_days, error)
      || !get_uint (file, "workers", "max-concurrency", 1, 10000, &self->max_concurrency, error)
      || !get_uint (file, "workers", "max-attempts", 1, 100, &self->max_attempts, error)
      || !get_uint (file, "workers", "drain-seconds", 0, 86400, &self->drain_seconds, error)
      || !get_uint (file, "workers", "lease-seconds", 1, 3600, &self->lease_seconds, error)
      || !read_token (self, file, error) || !read_providers (self, file, FALSE, error))
    return FALSE;
  self->port = (guint16) port;
  read_order (self, file);

  after_crash = get (file, "workers", "after-crash");
  if (after_crash != NULL)
    {
      if (!g_str_equal (after_crash, "resend") && !g_str_equal (after_crash, "hold"))
        {
          gw_config_file_set_error (file, "workers", "after-crash", error,
                                    "\"%s\" is neither resend nor hold", after_crash);
          return FALSE;
        }
      self->after_crash = g_str_equal (after_crash, "hold") ? GW_AFTER_CRASH_HOLD
                                                            : GW_AFTER_CRASH_RESEND;
      self->after_crash_set = TRUE;
    }

  return TRUE;
}

/**
 * gw_config_load:
 * @path: (nullable): the file; %NULL is the user's own one, which need not exist
 * @error: return location
 *
 * Reads from the disk, and GANGWAY_TOKEN, GANGWAY_REDIS_URI and GANGWAY_REDIS_PASSWORD from the
 * environment or the service manager's credentials.
 *
 * Returns: (transfer full) (nullable): the configuration; GW_ERROR_CONFIG with a message that names
 *   file, line and key
 */
GwConfig *
gw_config_load (const char *path,
                GError **error)
{
  g_autoptr (GwConfig) self = g_new0 (GwConfig, 1);
  g_autoptr (GwConfigFile) file = NULL;

  self->path = path != NULL
                   ? g_canonicalize_filename (path, NULL)
                   : g_build_filename (g_get_user_config_dir (), "gangway", "gangway.conf", NULL);
  self->listen = g_strdup ("127.0.0.1");
  self->port = 8000;
  self->max_concurrency = 10;
  self->max_attempts = 3;
  self->drain_seconds = 30;
  self->lease_seconds = 15;
  self->after_crash = GW_AFTER_CRASH_RESEND;
  self->providers = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_provider_config_unref);

  if (!load_presets (self, error))
    return NULL;
  file = gw_config_file_load (self->path, path == NULL, error);
  if (file == NULL || !read_file (self, file, error))
    return NULL;

  return g_steal_pointer (&self);
}

void
gw_config_free (GwConfig *config)
{
  g_free (config->path);
  g_free (config->listen);
  if (config->token != NULL)
    explicit_bzero (config->token, strlen (config->token));
  g_free (config->token);
  g_free (config->redis_uri);
  if (config->redis_password != NULL)
    explicit_bzero (config->redis_password, strlen (config->redis_password));
  g_free (config->redis_password);
  g_free (config->redis_ca_file);
  g_free (config->redis_cert_file);
  g_free (config->redis_key_file);
  g_strfreev (config->provider_order);
  g_clear_pointer (&config->providers, g_ptr_array_unref);
  g_free (config);
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
  if (!load_presets (presets, NULL))
    return NULL;
  found = gw_config_find_provider (presets, name);

  return found != NULL ? gw_provider_config_ref (found) : NULL;
}

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
  if (!read_provider (file, group, FALSE, config, NULL))
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

      if (!g_str_has_prefix (group, PROVIDER_PREFIX))
        continue;
      trimmed = g_strstrip (g_strdup (group + strlen (PROVIDER_PREFIX)));
      if (g_str_equal (trimmed, name))
        return g_strdup (group);
    }

  return g_strconcat (PROVIDER_PREFIX, name, NULL);
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

  if (file == NULL || !check_names (file, FALSE, error))
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

      if (g_str_has_prefix (group, PROVIDER_PREFIX) && !g_hash_table_contains (keep, group))
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

  if (file == NULL || !check_names (file, FALSE, error))
    return FALSE;

  for (guint i = 0; i < n_values; i++)
    gw_config_file_set (file, values[i].group, values[i].key, values[i].value);

  return gw_config_file_save (file, error);
}
