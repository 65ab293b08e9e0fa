/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gangway.conf: every group and key that there is, its range, and what stands where the file is
 * silent. Providers are in gw-config-providers.c, writing is in gw-config-save.c. Anything unknown
 * or out of range is an error that names file, line and key: a limit that is quietly ignored costs
 * money. Plain data; any thread, one at a time. */

#define G_LOG_DOMAIN "gw-config"

#include "config.h"

#include <errno.h>
#include <string.h>

#include "gw-config-private.h"
#include "gw-credentials.h"
#include "gw-log.h"

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

const char *
_gw_config_get (GwConfigFile *file,
                const char *group,
                const char *key)
{
  const char *text = gw_config_file_get (file, group, key);

  return text != NULL && *text != '\0' ? text : NULL;
}

gboolean
_gw_config_get_uint (GwConfigFile *file,
                     const char *group,
                     const char *key,
                     guint minimum,
                     guint maximum,
                     guint *value,
                     GError **error)
{
  const char *text = _gw_config_get (file, group, key);
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

gboolean
_gw_config_get_boolean (GwConfigFile *file,
                        const char *group,
                        const char *key,
                        gboolean *value,
                        GError **error)
{
  const char *text = _gw_config_get (file, group, key);

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

void
_gw_config_get_text (GwConfigFile *file,
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
is_known_key (const char *group,
              const char *key,
              gboolean presets)
{
  if (g_str_has_prefix (group, GW_CONFIG_PROVIDER_PREFIX))
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

  for (guint i = 0;
       g_str_has_prefix (group, GW_CONFIG_PROVIDER_PREFIX) && i < G_N_ELEMENTS (provider_keys); i++)
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

gboolean
_gw_config_check_names (GwConfigFile *file,
                        gboolean presets,
                        GError **error)
{
  g_autoptr (GPtrArray) groups = gw_config_file_list_groups (file);

  for (guint i = 0; i < groups->len; i++)
    {
      const char *group = g_ptr_array_index (groups, i);
      g_autoptr (GPtrArray) keys = gw_config_file_list_keys (file, group);
      gboolean is_known = g_str_has_prefix (group, GW_CONFIG_PROVIDER_PREFIX)
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
  const char *path = _gw_config_get (file, "queue", "redis-password-file");
  g_autofree char *full = NULL;
  g_autoptr (GError) local = NULL;

  self->redis_ca_file = dup_path (self, _gw_config_get (file, "queue", "redis-ca-file"));
  self->redis_cert_file = dup_path (self, _gw_config_get (file, "queue", "redis-cert-file"));
  self->redis_key_file = dup_path (self, _gw_config_get (file, "queue", "redis-key-file"));
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
  const char *path = _gw_config_get (file, "gateway", "token-file");
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
  const char *text = _gw_config_get (file, "workers", "provider-order");
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

  if (!_gw_config_check_names (file, FALSE, error))
    return FALSE;

  if (_gw_config_get (file, "gateway", "listen") != NULL)
    _gw_config_get_text (file, "gateway", "listen", &self->listen);
  _gw_config_get_text (file, "queue", "redis-uri", &self->redis_uri);
  if (!_gw_config_get_uint (file, "gateway", "port", 0, 65535, &port, error)
      || !check_listen (self, file, error)
      || !_gw_config_get_boolean (file, "gateway", "allow-other-users", &self->allow_other_users,
                                  error)
      || !check_redis_uri (self, file, error) || !read_redis_files (self, file, error)
      || !_gw_config_get_uint (file, "queue", "keep-days", 0, 36500, &self->keep_days, error)
      || !_gw_config_get_uint (file, "workers", "max-concurrency", 1, 10000, &self->max_concurrency,
                               error)
      || !_gw_config_get_uint (file, "workers", "max-attempts", 1, 100, &self->max_attempts, error)
      || !_gw_config_get_uint (file, "workers", "drain-seconds", 0, 86400, &self->drain_seconds,
                               error)
      || !_gw_config_get_uint (file, "workers", "lease-seconds", 1, 3600, &self->lease_seconds,
                               error)
      || !read_token (self, file, error) || !_gw_config_read_providers (self, file, FALSE, error))
    return FALSE;
  self->port = (guint16) port;
  read_order (self, file);

  after_crash = _gw_config_get (file, "workers", "after-crash");
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

  if (!_gw_config_load_presets (self, error))
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
