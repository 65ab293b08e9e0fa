/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What one provider is: a plain struct, immutable once it is handed on, its count atomic; so any
 * thread may hold one. Rules about a single provider stand here and nowhere else: names, ranges,
 * which addresses may be spoken to without TLS, and whether a key is needed. */

#define G_LOG_DOMAIN "gw-provider-config"

#include "config.h"

#include <math.h>

#include "provider/gw-provider-config.h"

static const char *const kinds[] = {
  [GW_PROVIDER_OPENAI] = "openai",
  [GW_PROVIDER_COMMAND] = "command",
  [GW_PROVIDER_PRACTICE] = "practice",
};

/* (transfer none): its name in the configuration and on the wire. */
const char *
gw_provider_kind_to_string (GwProviderKind kind)
{
  g_return_val_if_fail ((guint) kind < G_N_ELEMENTS (kinds), "openai");

  return kinds[kind];
}

/* Whether @string names a kind; @kind is left as it is if not. */
gboolean
gw_provider_kind_from_string (const char *string,
                              GwProviderKind *kind)
{
  for (guint i = 0; string != NULL && i < G_N_ELEMENTS (kinds); i++)
    {
      if (g_str_equal (kinds[i], string))
        {
          *kind = i;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * gw_provider_config_new:
 * @name: as in pins
 *
 * Returns: (transfer full): a provider of kind openai with the defaults of the configuration file
 */
GwProviderConfig *
gw_provider_config_new (const char *name)
{
  GwProviderConfig *config = g_atomic_rc_box_new0 (GwProviderConfig);

  config->name = g_strdup (name);
  config->title = g_strdup (name);
  config->kind = GW_PROVIDER_OPENAI;
  config->enabled = TRUE;
  config->max_concurrency = 5;
  config->timeout_seconds = 120;
  config->latency = 3.0;

  return config;
}

static void
gw_provider_config_clear (gpointer data)
{
  GwProviderConfig *config = data;

  g_free (config->name);
  g_free (config->title);
  g_free (config->note);
  g_free (config->base_url);
  g_strfreev (config->command);
  g_free (config->model);
  g_free (config->api_key_env);
}

/**
 * gw_provider_config_copy:
 * @config: a provider
 *
 * Returns: (transfer full): a copy that may be changed until it is handed on
 */
GwProviderConfig *
gw_provider_config_copy (const GwProviderConfig *config)
{
  GwProviderConfig *copy = g_atomic_rc_box_new0 (GwProviderConfig);

  *copy = *config;
  copy->name = g_strdup (config->name);
  copy->title = g_strdup (config->title);
  copy->note = g_strdup (config->note);
  copy->base_url = g_strdup (config->base_url);
  copy->command = g_strdupv (config->command);
  copy->model = g_strdup (config->model);
  copy->api_key_env = g_strdup (config->api_key_env);

  return copy;
}

GwProviderConfig *
gw_provider_config_ref (GwProviderConfig *config)
{
  return g_atomic_rc_box_acquire (config);
}

void
gw_provider_config_unref (GwProviderConfig *config)
{
  g_atomic_rc_box_release_full (config, gw_provider_config_clear);
}

/**
 * gw_host_is_private:
 * @host: (nullable): a name or an address, without brackets
 *
 * Whether a host can only be this machine or one of its own network, so that plain HTTP is the
 * user's choice: addresses are parsed, never compared as text; of names only those that cannot be
 * public ones count.
 *
 * Returns: whether @host is private
 */
gboolean
gw_host_is_private (const char *host)
{
  static const char *const suffixes[] = { ".localhost", ".local", ".internal", ".lan",
                                          ".home.arpa" };
  g_autoptr (GInetAddress) address = NULL;
  g_autofree char *name = NULL;

  if (host == NULL || *host == '\0')
    return FALSE;

  address = g_inet_address_new_from_string (host);
  if (address != NULL)
    {
      const guint8 *bytes = g_inet_address_to_bytes (address);

      if (g_inet_address_get_is_loopback (address) || g_inet_address_get_is_site_local (address)
          || g_inet_address_get_is_link_local (address))
        return TRUE;

      return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
             && (bytes[0] & 0xfe) == 0xfc; /* unique local, fc00::/7 */
    }

  name = g_ascii_strdown (host, -1);
  if (g_str_has_suffix (name, "."))
    name[strlen (name) - 1] = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      if (g_str_has_suffix (name, suffixes[i]))
        return TRUE;
    }
  if (strchr (name, '.') != NULL || strchr (name, ':') != NULL)
    return FALSE;

  /* A single label is a name of the local network, unless it is an address in disguise: 0x7f000001
   * or 2130706433 are taken as IPv4 addresses by some resolvers. */
  return g_ascii_isalpha (*name) != FALSE;
}

static GUri *
parse_base_url (const char *base_url,
                GError **error)
{
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GError) local = NULL;
  const char *scheme;

  if (base_url == NULL || *base_url == '\0')
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "base-url: is missing; set the address of the provider, as "
                           "https://api.example.com/v1");
      return NULL;
    }

  uri = g_uri_parse (base_url, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, &local);
  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "base-url: \"%s\" is not a web address",
                   base_url);
      return NULL;
    }

  scheme = g_uri_get_scheme (uri);
  if (!g_str_equal (scheme, "https") && !g_str_equal (scheme, "http"))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "base-url: \"%s\" must begin with https://, or http:// on this machine or its "
                   "network", base_url);
      return NULL;
    }
  if (g_uri_get_userinfo (uri) != NULL)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "base-url: must hold no user name or password; a key is set by "
                           "api-key-env or the keyring");
      return NULL;
    }
  if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "base-url: \"%s\" must end with a path, without ? or #", base_url);
      return NULL;
    }
  if (g_str_equal (scheme, "http") && !gw_host_is_private (g_uri_get_host (uri)))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "base-url: \"%s\" would send the key and the tasks unencrypted to %s; use "
                   "https://", base_url, g_uri_get_host (uri));
      return NULL;
    }

  return g_steal_pointer (&uri);
}

/**
 * gw_provider_config_check_name:
 * @name: (nullable): the name of a provider
 * @error: return location
 *
 * Names stand in addresses, pins and files: 1 to 64 letters, digits, `.`, `_` or `-`, beginning
 * with a letter or digit.
 *
 * Returns: whether @name is one; else GW_ERROR_INVALID
 */
gboolean
gw_provider_config_check_name (const char *name,
                               GError **error)
{
  gsize length = name != NULL ? strlen (name) : 0;
  gboolean good = length > 0 && length <= GW_PROVIDER_MAX_NAME && g_ascii_isalnum (name[0]);

  for (gsize i = 0; good && i < length; i++)
    good = g_ascii_isalnum (name[i]) || strchr ("._-", name[i]) != NULL;
  if (!good)
    g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                 "name: the name of a provider is 1 to %d letters, digits, '.', '_' or '-', and "
                 "begins with a letter or digit", GW_PROVIDER_MAX_NAME);

  return good;
}

static gboolean
check_range (const char *key,
             guint value,
             guint minimum,
             guint maximum,
             GError **error)
{
  if (value >= minimum && value <= maximum)
    return TRUE;

  g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "%s: %u is out of range (%u to %u)", key, value,
               minimum, maximum);
  return FALSE;
}

/* Text that goes into a line of the file, or a header. */
static gboolean
check_text (const char *key,
            const char *value,
            GError **error)
{
  if (value == NULL)
    return TRUE;
  if (strlen (value) > 4096 || !g_utf8_validate (value, -1, NULL))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "%s: must be UTF-8 text of at most 4096 bytes", key);
      return FALSE;
    }
  for (const char *c = value; *c != '\0'; c++)
    {
      if (g_ascii_iscntrl (*c))
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "%s: must hold no control characters",
                       key);
          return FALSE;
        }
    }

  return TRUE;
}

static gboolean
check_variables (const char *names,
                 GError **error)
{
  g_auto (GStrv) list = g_strsplit (names != NULL ? names : "", ",", -1);

  for (guint i = 0; list[i] != NULL; i++)
    {
      const char *name = g_strstrip (list[i]);

      for (const char *c = name; *c != '\0'; c++)
        {
          if (!(g_ascii_isalpha (*c) || *c == '_' || (c != name && g_ascii_isdigit (*c))))
            {
              /* Never quote it: people write the key itself here by mistake. */
              g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                                   "api-key-env: is not the name of an environment variable (the "
                                   "name of the variable belongs here, not the key)");
              return FALSE;
            }
        }
    }

  return TRUE;
}

/**
 * gw_provider_config_check:
 * @config: a provider
 * @error: return location
 *
 * Returns: whether everything in @config is possible; else GW_ERROR_INVALID with a message that
 *   begins with the key's name and a colon
 */
gboolean
gw_provider_config_check (const GwProviderConfig *config,
                          GError **error)
{
  g_autoptr (GUri) uri = NULL;

  if (!gw_provider_config_check_name (config->name, error)
      || !check_range ("max-concurrency", config->max_concurrency, 1, GW_PROVIDER_MAX_CONCURRENCY,
                       error)
      || !check_range ("requests-per-minute", config->requests_per_minute, 0,
                       GW_PROVIDER_MAX_REQUESTS_PER_MINUTE, error)
      || !check_range ("timeout-seconds", config->timeout_seconds, 1,
                       GW_PROVIDER_MAX_TIMEOUT_SECONDS, error)
      || !check_text ("model", config->model, error)
      || !check_text ("api-key-env", config->api_key_env, error)
      || !check_variables (config->api_key_env, error))
    return FALSE;

  if (!isfinite (config->latency) || config->latency < GW_PROVIDER_MIN_LATENCY
      || config->latency > GW_PROVIDER_MAX_LATENCY)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "latency: is out of range (0.001 to 86400 seconds)");
      return FALSE;
    }
  if (g_str_equal (config->name, GW_PRACTICE_PROVIDER) && config->kind != GW_PROVIDER_PRACTICE)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "kind: the name \"practice\" belongs to the practice provider; give "
                           "yours another one");
      return FALSE;
    }

  switch (config->kind)
    {
    case GW_PROVIDER_OPENAI:
      uri = parse_base_url (config->base_url, error);
      return uri != NULL;

    case GW_PROVIDER_COMMAND:
      if (config->command == NULL || config->command[0] == NULL || config->command[0][0] == '\0')
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                               "command: is missing; set the program to run and its arguments");
          return FALSE;
        }
      for (guint i = 0; config->command[i] != NULL; i++)
        {
          if (!check_text ("command", config->command[i], error))
            return FALSE;
        }
      return TRUE;

    case GW_PROVIDER_PRACTICE:
    default:
      return TRUE;
    }
}

/**
 * gw_provider_config_needs_key:
 * @config: a provider
 *
 * A server on this machine or its network is called without a key if there is none, unless the
 * configuration itself names a variable for it.
 *
 * Returns: whether @config cannot be called without a key
 */
gboolean
gw_provider_config_needs_key (const GwProviderConfig *config)
{
  g_autoptr (GUri) uri = NULL;

  if (config->kind != GW_PROVIDER_OPENAI || config->local)
    return FALSE;
  if (config->key_named && config->api_key_env != NULL && *config->api_key_env != '\0')
    return TRUE;

  uri = config->base_url != NULL ? g_uri_parse (config->base_url, G_URI_FLAGS_ENCODED, NULL) : NULL;
  return uri == NULL || !gw_host_is_private (g_uri_get_host (uri));
}

/**
 * gw_provider_config_dup_origin:
 * @config: a provider
 *
 * Returns: (transfer full) (nullable): scheme, host and port that its key goes to, as
 *   `https://api.example.com:443`; %NULL where it has no address
 */
char *
gw_provider_config_dup_origin (const GwProviderConfig *config)
{
  g_autoptr (GUri) uri = NULL;
  g_autofree char *host = NULL;
  int port;

  if (config->kind != GW_PROVIDER_OPENAI || config->base_url == NULL)
    return NULL;
  uri = g_uri_parse (config->base_url, G_URI_FLAGS_ENCODED, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return NULL;

  port = g_uri_get_port (uri);
  if (port <= 0)
    port = g_str_equal (g_uri_get_scheme (uri), "http") ? 80 : 443;
  host = g_ascii_strdown (g_uri_get_host (uri), -1);

  return g_strdup_printf (strchr (host, ':') != NULL ? "%s://[%s]:%d" : "%s://%s:%d",
                          g_uri_get_scheme (uri), host, port);
}
