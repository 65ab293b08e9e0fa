/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the gateway listens, and which guard follows from that. Threading: the gateway's thread,
 * before it serves. Guarantee: beyond this computer nothing is served without a token. */
#define G_LOG_DOMAIN "gw-gateway"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"

/* Listens on @address; @port is tried, and a free one where that is allowed. */
static gboolean
listen_on (GwGateway *self,
           GInetAddress *address,
           guint16 *port,
           GError **error)
{
  g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new (address, *port);
  g_autoptr (GError) local_error = NULL;
  g_autofree char *text = g_inet_address_to_string (address);

  if (gw_http_listener_add (self->listener, socket_address, port, &local_error))
    return TRUE;

  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    {
      if (self->port_fallback && *port != 0)
        {
          *port = 0;
          return listen_on (self, address, port, error);
        }
      g_set_error (error, GW_ERROR, GW_ERROR_PORT_TAKEN,
                   "Port %u of %s is taken by another program. Stop that program, or choose "
                   "another port with --port or in [gateway] of gangway.conf.",
                   *port, text);
    }
  else
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Cannot listen on %s, port %u: %s. Choose an address of this machine and a port "
                   "that this user may open.",
                   text, *port, local_error->message);
    }

  return FALSE;
}

gboolean
_gw_gateway_bind_address (GwGateway *self,
                          GError **error)
{
  g_autofree char *plain = NULL;
  g_autoptr (GInetAddress) address = NULL;
  guint16 port = self->port;
  gboolean is_localhost = g_ascii_strcasecmp (self->listen, "localhost") == 0;
  gsize length = strlen (self->listen);

  if (is_localhost)
    plain = g_strdup ("127.0.0.1");
  else if (length > 2 && self->listen[0] == '[' && self->listen[length - 1] == ']')
    plain = g_strndup (self->listen + 1, length - 2);
  else
    plain = g_strdup (self->listen);

  address = g_inet_address_new_from_string (plain);
  if (address == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "'%s' is no address to listen on. Give an IP address, as 127.0.0.1, or "
                   "localhost.",
                   self->listen);
      return FALSE;
    }
  self->guard.loopback = gw_peer_address_is_loopback (address);
  self->guard.token = self->token;
  if (!self->guard.loopback && self->token == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Listening on %s lets other machines in, which needs a token. Name a file that "
                   "holds one as token-file in [gateway] of gangway.conf, or set GANGWAY_TOKEN.",
                   plain);
      return FALSE;
    }
  if (!listen_on (self, address, &port, error))
    return FALSE;

  if (is_localhost)
    {
      g_autoptr (GInetAddress) six = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV6);
      g_autoptr (GSocketAddress) six_address = g_inet_socket_address_new (six, port);
      g_autoptr (GError) local_error = NULL;
      guint16 six_port = 0;

      if (!gw_http_listener_add (self->listener, six_address, &six_port, &local_error))
        g_info ("Not listening on [::1]:%u: %s", port, local_error->message);
    }
  self->uri = g_strdup_printf (strchr (plain, ':') != NULL ? "http://[%s]:%u" : "http://%s:%u",
                               plain, port);

  return TRUE;
}

void
_gw_gateway_choose_guard (GwGateway *self)
{
  g_autoptr (GError) error = NULL;

  if (!self->guard.loopback)
    {
      self->guard_text = "token";
    }
  else if (self->allow_other_users)
    {
      self->guard_text = self->token != NULL ? "token"
                                             : "none: every user of this machine may connect";
    }
  else if ((self->asker = gw_peer_asker_new (&error)) != NULL)
    {
      gw_http_listener_set_asker (self->listener, self->asker);
      self->guard_text = self->token != NULL ? "same user and token" : "same user";
    }
  else if (self->token != NULL)
    {
      self->guard_text = "token";
    }
  else
    {
      g_warning ("%s: other users of this machine could send tasks. Set a token (token-file in "
                 "[gateway]) to keep them out.",
                 error->message);
      self->guard_text = "none: the kernel does not tell whose a connection is";
    }
  g_info ("Listening on %s; guard: %s", self->uri, self->guard_text);
}
