/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-address"

/* Addresses as people type them, or paste them from a page of documentation, made into what is
 * stored: a scheme where there is none, no slash and no path of a single call at the end, `/v1`
 * once. Pure; any thread. */

#include "config.h"

#include <string.h>

#include <gio/gio.h>

#include "gw-provider-address.h"

/* What stands behind the base in examples. */
static const char *const call_paths[] = { "/chat/completions", "/completions", "/models",
                                          "/embeddings", "/responses" };

/* Whether @host (nullable), a name or an address without brackets, can only be this machine, or one
 * of its own network. */
static gboolean
is_private (const char *host)
{
  static const char *const suffixes[] = { ".localhost", ".local", ".internal", ".lan",
                                          ".home.arpa" };
  g_autoptr (GInetAddress) address = NULL;
  g_autofree char *name = NULL;

  if (host == NULL || *host == '\0')
    return FALSE;
  address = g_inet_address_new_from_string (host);
  if (address != NULL)
    return g_inet_address_get_is_loopback (address) || g_inet_address_get_is_site_local (address)
           || g_inet_address_get_is_link_local (address)
           || (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
               && (g_inet_address_to_bytes (address)[0] & 0xfe) == 0xfc);

  name = g_ascii_strdown (host, -1);
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (name, suffixes[i]))
      return TRUE;

  return strpbrk (name, ".:") == NULL && g_ascii_isalpha (*name);
}

static GUri *
parse (const char *typed,
       GwAddressFault *fault)
{
  g_autofree char *text = g_strstrip (g_strdup (typed != NULL ? typed : ""));
  g_autofree char *whole = NULL;
  g_autoptr (GUri) uri = NULL;
  gboolean has_scheme = strstr (text, "://") != NULL;
  const char *scheme;

  *fault = GW_ADDRESS_EMPTY;
  if (*text == '\0')
    return NULL;

  whole = has_scheme ? g_strdup (text) : g_strconcat ("https://", text, NULL);
  *fault = GW_ADDRESS_BROKEN;
  uri = g_uri_parse (whole, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || strpbrk (text, " \t\n") != NULL)
    return NULL;

  *fault = GW_ADDRESS_SCHEME;
  scheme = g_uri_get_scheme (uri);
  if (!g_str_equal (scheme, "https") && !g_str_equal (scheme, "http"))
    return NULL;
  *fault = GW_ADDRESS_PASSWORD;
  if (g_uri_get_userinfo (uri) != NULL)
    return NULL;
  *fault = GW_ADDRESS_QUERY;
  if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    return NULL;

  *fault = GW_ADDRESS_GOOD;
  if (!has_scheme && is_private (g_uri_get_host (uri)))
    scheme = "http";

  return g_uri_build (G_URI_FLAGS_ENCODED, scheme, NULL, g_uri_get_host (uri),
                      g_uri_get_port (uri), g_uri_get_path (uri), NULL, NULL);
}

static void
trim_slashes (char *path)
{
  gsize length = strlen (path);

  while (length > 0 && path[length - 1] == '/')
    path[--length] = '\0';
}

static char *
build (GUri *uri,
       const char *path)
{
  g_autofree char *host = g_ascii_strdown (g_uri_get_host (uri), -1);
  const char *scheme = g_uri_get_scheme (uri);
  int port = g_uri_get_port (uri);
  GString *text = g_string_new (scheme);

  g_string_append_printf (text, strchr (host, ':') != NULL ? "://[%s]" : "://%s", host);
  if (port > 0 && port != (g_str_equal (scheme, "http") ? 80 : 443))
    g_string_append_printf (text, ":%d", port);
  g_string_append (text, path);

  return g_string_free (text, FALSE);
}

/**
 * gw_provider_address_normalise:
 * @typed: (nullable): what stands in the field
 * @fault: (out): what is wrong with it
 *
 * `localhost:11434` becomes `http://localhost:11434/v1`; other hosts get https.
 *
 * Returns: (transfer full) (nullable): the base of a provider; %NULL where there is a fault
 */
char *
gw_provider_address_normalise (const char *typed,
                               GwAddressFault *fault)
{
  g_autoptr (GUri) uri = parse (typed, fault);
  g_autofree char *path = NULL;
  gboolean cut = TRUE;

  if (uri == NULL)
    return NULL;
  if (g_str_equal (g_uri_get_scheme (uri), "http")
      && !is_private (g_uri_get_host (uri)))
    {
      *fault = GW_ADDRESS_PLAIN;
      return NULL;
    }

  path = g_strdup (g_uri_get_path (uri));
  trim_slashes (path);
  while (cut)
    {
      cut = FALSE;
      for (guint i = 0; i < G_N_ELEMENTS (call_paths) && !cut; i++)
        if (g_str_has_suffix (path, call_paths[i]))
          {
            path[strlen (path) - strlen (call_paths[i])] = '\0';
            trim_slashes (path);
            cut = TRUE;
          }
      while (g_str_has_suffix (path, "/v1/v1"))
        path[strlen (path) - strlen ("/v1")] = '\0';
    }
  if (*path == '\0')
    return build (uri, "/v1");

  return build (uri, path);
}

/**
 * gw_gateway_address_normalise:
 * @typed: (nullable): what stands in the field
 * @fault: (out): what is wrong with it
 *
 * `nas.local:8000` becomes `http://nas.local:8000`, as does any other host: gateways speak plain
 * HTTP unless something before them does not.
 *
 * Returns: (transfer full) (nullable): the address of a gateway; %NULL where there is a fault
 */
char *
gw_gateway_address_normalise (const char *typed,
                              GwAddressFault *fault)
{
  g_autofree char *whole = NULL;
  g_autoptr (GUri) uri = NULL;
  g_autofree char *path = NULL;

  if (typed != NULL && strstr (typed, "://") == NULL)
    {
      g_autofree char *text = g_strstrip (g_strdup (typed));

      whole = *text != '\0' ? g_strconcat ("http://", text, NULL) : g_strdup ("");
    }
  uri = parse (whole != NULL ? whole : typed, fault);
  if (uri == NULL)
    return NULL;
  path = g_strdup (g_uri_get_path (uri));
  trim_slashes (path);

  return build (uri, path);
}
