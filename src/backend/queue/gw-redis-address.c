/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <string.h>

#include "gw-error.h"
#include "queue/gw-redis-address.h"
#include "queue/gw-redis-tls.h"

/*
 * Where a Redis server is: from the text that people write to its parts. Plain data, any thread.
 * Guarantee: no message holds the password.
 */

#define DEFAULT_PORT 6379

void
gw_redis_address_free (GwRedisAddress *address)
{
  if (address == NULL)
    return;

  g_free (address->host);
  g_free (address->path);
  g_free (address->user);
  g_free (address->password);
  g_free (address->ca_file);
  g_free (address->cert_file);
  g_free (address->key_file);
  g_free (address->shown);
  g_free (address);
}

static gboolean
refuse_uri (GError **error,
            const char *why)
{
  g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
               "The address of Redis %s. Write redis://[user:password@]host:port/db, "
               "rediss://… for TLS, or redis+unix:///path.", why);

  return FALSE;
}

static gboolean
parse_database (GwRedisAddress *address,
                const char *text,
                GError **error)
{
  guint64 number;

  if (text == NULL || *text == '\0')
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, 65535, &number, NULL))
    return refuse_uri (error, "names its database by something that is no number");
  address->database = (guint) number;

  return TRUE;
}

/* What a connection by TLS is made with. */
static gboolean
parse_files (GwRedisAddress *address,
             const char *query,
             GError **error)
{
  g_autoptr (GHashTable) values = g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, NULL);

  if (values == NULL)
    return refuse_uri (error, "cannot be read");
  address->ca_file = g_strdup (g_hash_table_lookup (values, "ca"));
  address->cert_file = g_strdup (g_hash_table_lookup (values, "cert"));
  address->key_file = g_strdup (g_hash_table_lookup (values, "key"));

  return TRUE;
}

static gboolean
parse_tcp (GwRedisAddress *address,
           const char *uri,
           GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *path = NULL;
  g_autofree char *user = NULL;
  g_autofree char *password = NULL;
  g_autofree char *query = NULL;
  const char *scheme;
  int port;

  /* GLib's own message would repeat the address, and the password with it. */
  if (!g_uri_split_with_user (uri, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_QUERY, NULL,
                              &user, &password, NULL, &host, &port, &path, &query, NULL, NULL))
    return refuse_uri (error, "cannot be read");
  if (host == NULL || *host == '\0')
    return refuse_uri (error, "names no host");

  address->host = g_steal_pointer (&host);
  address->port = port > 0 ? (guint) port : DEFAULT_PORT;
  if (user != NULL && *user != '\0')
    address->user = g_steal_pointer (&user);
  if (password != NULL && *password != '\0')
    address->password = g_steal_pointer (&password);
  if (address->user != NULL && address->password == NULL)
    return refuse_uri (error, "names a user without a password");
  if (!parse_database (address, path != NULL && *path == '/' ? path + 1 : path, error))
    return FALSE;
  address->tls = g_str_has_prefix (uri, "rediss://");
  if (address->tls && query != NULL && !parse_files (address, query, error))
    return FALSE;
  scheme = address->tls ? "rediss" : "redis";
  address->shown = strchr (address->host, ':') != NULL
                   ? g_strdup_printf ("%s://[%s]:%u/%u", scheme, address->host, address->port,
                                      address->database)
                   : g_strdup_printf ("%s://%s:%u/%u", scheme, address->host, address->port,
                                      address->database);

  return TRUE;
}

static gboolean
parse_unix (GwRedisAddress *address,
            const char *rest,
            GError **error)
{
  const char *query = strchr (rest, '?');
  g_autofree char *raw = query != NULL ? g_strndup (rest, (gsize) (query - rest)) : g_strdup (rest);

  address->path = g_uri_unescape_string (raw, NULL);
  if (address->path == NULL || *address->path != '/')
    return refuse_uri (error, "names no socket by its whole path");
  if (query != NULL)
    {
      g_autoptr (GHashTable) values = g_uri_parse_params (query + 1, -1, "&",
                                                          G_URI_PARAMS_WWW_FORM, NULL);

      if (values == NULL)
        return refuse_uri (error, "cannot be read");
      if (!parse_database (address, g_hash_table_lookup (values, "db"), error))
        return FALSE;
      address->user = g_strdup (g_hash_table_lookup (values, "user"));
      address->password = g_strdup (g_hash_table_lookup (values, "password"));
    }
  address->shown = g_strdup_printf ("redis+unix://%s", address->path);

  return TRUE;
}

/**
 * gw_redis_uri_with_password:
 * @uri: an address as people write it, perhaps "user@" without a password
 * @password: (nullable): that stands apart, in a file or a credential
 *
 * Returns: (transfer full): the address with the password; an address that has one, or cannot be
 *   read, stays as it is
 */
char *
gw_redis_uri_with_password (const char *uri,
                            const char *password)
{
  g_autofree char *escaped = NULL;
  const char *rest, *at, *colon;

  g_return_val_if_fail (uri != NULL, NULL);

  rest = strstr (uri, "://");
  if (password == NULL || rest == NULL)
    return g_strdup (uri);
  rest += strlen ("://");
  escaped = g_uri_escape_string (password, NULL, FALSE);
  if (g_str_has_prefix (uri, "redis+unix://"))
    {
      if (strstr (rest, "password=") != NULL)
        return g_strdup (uri);
      return g_strconcat (uri, strchr (uri, '?') != NULL ? "&" : "?", "password=", escaped, NULL);
    }

  at = g_strrstr_len (rest, (gssize) strcspn (rest, "/?#"), "@");
  if (at == NULL)
    return g_strdup_printf ("%.*s:%s@%s", (int) (rest - uri), uri, escaped, rest);
  colon = memchr (rest, ':', (gsize) (at - rest));
  if (colon != NULL && colon + 1 < at)
    return g_strdup (uri);

  return g_strdup_printf ("%.*s:%s%s", (int)((colon != NULL ? colon : at) - uri), uri, escaped, at);
}

/**
 * gw_redis_uri_with_file:
 * @uri: an address as people write it
 * @name: "ca", "cert" or "key"
 * @path: (nullable): the file
 *
 * Returns: (transfer full): the address with the file, if it is one of TLS and names none
 */
char *
gw_redis_uri_with_file (const char *uri,
                        const char *name,
                        const char *path)
{
  g_autofree char *parameter = g_strconcat (name, "=", NULL);
  g_autofree char *escaped = NULL;
  const char *query;

  g_return_val_if_fail (uri != NULL, NULL);

  query = strchr (uri, '?');
  if (path == NULL || !g_str_has_prefix (uri, "rediss://")
      || (query != NULL && strstr (query, parameter) != NULL))
    return g_strdup (uri);
  escaped = g_uri_escape_string (path, "/", FALSE);

  return g_strconcat (uri, query != NULL ? "&" : "?", parameter, escaped, NULL);
}

/**
 * gw_redis_address_parse:
 * @uri: redis://[user:password@]host[:port][/db], rediss://…[?ca=FILE&cert=FILE&key=FILE] or
 *   redis+unix:///path[?db=n&password=…]
 * @error: (nullable): GW_ERROR_CONFIG, without the password in it
 *
 * Returns: (transfer full) (nullable): the address
 */
GwRedisAddress *
gw_redis_address_parse (const char *uri,
                        GError **error)
{
  g_autoptr (GwRedisAddress) address = g_new0 (GwRedisAddress, 1);
  gboolean good;

  g_return_val_if_fail (uri != NULL, NULL);

  if (g_str_has_prefix (uri, "rediss://") && !gw_redis_tls_is_built ())
    {
      g_set_error_literal (
          error, GW_ERROR, GW_ERROR_CONFIG,
          "This build cannot speak TLS to Redis (hiredis 1.0 or newer with its TLS "
          "part was not there). Use redis:// over a network that you trust, or "
          "through a tunnel (stunnel, WireGuard).");
      return NULL;
    }
  if (g_str_has_prefix (uri, "redis+unix://"))
    good = parse_unix (address, uri + strlen ("redis+unix://"), error);
  else if (g_str_has_prefix (uri, "redis://") || g_str_has_prefix (uri, "rediss://"))
    good = parse_tcp (address, uri, error);
  else
    good = refuse_uri (error, "has another scheme");

  return good ? g_steal_pointer (&address) : NULL;
}
