/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may talk to the gateway: judged for every request, before routing.
 *
 * Against DNS rebinding the Host must be a name of this machine's loopback, parsed as an address
 * and never compared by prefix (127.evil.com). Against web pages that send requests to local ports,
 * Origin must be loopback where it is present and Sec-Fetch-Site must not be cross-site. Where a
 * token is set it must be given; where we listen beyond loopback one is always set (gw-gateway.c).
 *
 * Pure functions, any thread. Guarantee: nothing that is not recognised as ours passes.
 */
#define G_LOG_DOMAIN "gw-guard"

#include "config.h"

#include <string.h>

#include "gw-error.h"

#include "gateway/gw-guard.h"
#include "gateway/gw-peer.h"

static gboolean
is_port (const char *text)
{
  gsize length = strlen (text);

  return length <= 5 && strspn (text, "0123456789") == length && atoi (text) <= G_MAXUINT16;
}

/* A name or address without port and brackets. */
static gboolean
name_is_loopback (const char *name)
{
  g_autoptr (GInetAddress) address = NULL;
  gsize length = strlen (name);

  if (strcmp (name, "127.0.0.1") == 0 || g_ascii_strcasecmp (name, "localhost") == 0)
    return TRUE;
  if (length > strlen (".localhost")
      && g_ascii_strcasecmp (name + length - strlen (".localhost"), ".localhost") == 0)
    return strspn (name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
               == length
           && name[0] != '.' && strstr (name, "..") == NULL;
  /* Dotted decimal in full or IPv6: no octal, no 127.1, no 2130706433, no zone. */
  if (strspn (name, "0123456789abcdefABCDEF.:") != length)
    return FALSE;
  address = g_inet_address_new_from_string (name);

  return address != NULL && gw_peer_address_is_loopback (address);
}

/**
 * gw_guard_host_is_loopback:
 * @host: a Host header: name or address, maybe a port
 *
 * Returns: whether it names this machine's loopback
 */
gboolean
gw_guard_host_is_loopback (const char *host)
{
  g_autofree char *name = NULL;
  const char *colon;

  g_return_val_if_fail (host != NULL, FALSE);

  /* What nearly every request has, without a copy. */
  if (g_str_has_prefix (host, "127.0.0.1") && (host[9] == '\0' || host[9] == ':'))
    return host[9] == '\0' || is_port (host + 10);

  if (host[0] == '[')
    {
      const char *end = strchr (host, ']');

      if (end == NULL || (end[1] != '\0' && (end[1] != ':' || !is_port (end + 2))))
        return FALSE;
      name = g_strndup (host + 1, end - host - 1);
      return strchr (name, ':') != NULL && name_is_loopback (name);
    }

  colon = strchr (host, ':');
  if (colon != NULL && !is_port (colon + 1))
    return FALSE;
  name = colon != NULL ? g_strndup (host, colon - host) : g_strdup (host);

  return name_is_loopback (name);
}

/**
 * gw_guard_origin_is_loopback:
 * @origin: an Origin header
 *
 * Returns: whether it is http or https from this machine's loopback
 */
gboolean
gw_guard_origin_is_loopback (const char *origin)
{
  g_return_val_if_fail (origin != NULL, FALSE);

  if (g_ascii_strncasecmp (origin, "http://", 7) == 0)
    return gw_guard_host_is_loopback (origin + 7);
  if (g_ascii_strncasecmp (origin, "https://", 8) == 0)
    return gw_guard_host_is_loopback (origin + 8);

  return FALSE;
}

/* Takes the same time wherever the two differ. */
static gboolean
equal_in_constant_time (const char *given,
                        const char *token)
{
  gsize given_length = strlen (given);
  gsize token_length = strlen (token);
  volatile guint8 difference = given_length != token_length;

  for (gsize i = 0; i < token_length; i++)
    difference |= (guint8) token[i] ^ (guint8) (i < given_length ? given[i] : 0);

  return difference == 0;
}

static gboolean
has_token (const GwGuardRequest *request,
           const char *token)
{
  const char *given = request->authorization;

  if (given == NULL || g_ascii_strncasecmp (given, "Bearer ", 7) != 0)
    return FALSE;
  given += 7;
  while (*given == ' ')
    given++;

  return equal_in_constant_time (given, token);
}

static gboolean
is_cross_site (const char *fetch_site)
{
  g_auto (GStrv) sites = g_strsplit (fetch_site, ",", -1);

  for (guint i = 0; sites[i] != NULL; i++)
    {
      if (g_ascii_strcasecmp (g_strstrip (sites[i]), "cross-site") == 0)
        return TRUE;
    }

  return FALSE;
}

/**
 * gw_guard_check:
 * @rules: what is in force
 * @request: what came
 * @error: return location
 *
 * Returns: FALSE with GW_ERROR_FORBIDDEN and a sentence that says what to do
 */
gboolean
gw_guard_check (const GwGuardRules *rules,
                const GwGuardRequest *request,
                GError **error)
{
  if (request->foreign)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_FORBIDDEN,
                           "Another user of this machine runs this gateway. Start your own, or "
                           "have "
                           "its owner set allow-other-users=true in [gateway] of gangway.conf.");
      return FALSE;
    }
  if (rules->loopback
      && ((request->host != NULL && !gw_guard_host_is_loopback (request->host))
          || (request->uri_host != NULL && !name_is_loopback (request->uri_host))))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_FORBIDDEN,
                           "The Host header does not name this machine's loopback. Use "
                           "http://127.0.0.1 or http://localhost with the gateway's port.");
      return FALSE;
    }
  if (request->origin != NULL && !gw_guard_origin_is_loopback (request->origin))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_FORBIDDEN,
                           "Requests from web pages of other origins are refused. Send the request "
                           "from a program, without an Origin header.");
      return FALSE;
    }
  if (request->fetch_site != NULL && is_cross_site (request->fetch_site))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_FORBIDDEN,
                           "Cross-site requests of a browser are refused. Send the request from a "
                           "program.");
      return FALSE;
    }
  if (rules->token != NULL && request->needs_token && !has_token (request, rules->token))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_FORBIDDEN,
                           request->authorization == NULL
                               ? "This gateway wants a token. Send it as a bearer token in the "
                                 "header Authorization, or set GANGWAY_TOKEN for Gangway's own "
                                 "programs."
                               : "The token is not the gateway's. Compare it with the file that "
                                 "token-file names, or with GANGWAY_TOKEN, where the gateway "
                                 "runs.");
      return FALSE;
    }

  return TRUE;
}
