/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-endpoint"

#include "config.h"

#include "gw-endpoint-private.h"

/* Which gateway is in use and how it is, as it is told to the window. Main thread only. */

void
_gw_endpoint_set_state (GwEndpoint *self,
                        GwEndpointState state,
                        const char *message)
{
  if (state != self->state)
    self->ready_since = state == GW_ENDPOINT_READY ? g_get_real_time () / 1000 : 0;
  self->state = state;
  g_free (self->message);
  self->message = g_strdup (message);
  g_signal_emit_by_name (self, "changed");
}

void
_gw_endpoint_set_client (GwEndpoint *self,
                         const char *uri,
                         const char *token,
                         GwProtocol protocol)
{
  self->tries = 0;
  self->gone = FALSE;
  if (self->client != NULL && !self->other_queue
      && gw_client_get_protocol (self->client) == protocol)
    gw_client_set_endpoint (self->client, uri, token);
  else
    {
      g_clear_object (&self->client);
      self->client = gw_client_new (uri, token, protocol);
      if (protocol == GW_PROTOCOL_MINIMAL)
        {
          g_autofree char *folder = self->data_dir != NULL
                                        ? g_strdup (self->data_dir)
                                        : g_build_filename (g_get_user_data_dir (), "gangway", NULL);

          gw_client_keep_minimal (self->client, folder);
        }
    }
  self->other_queue = FALSE;
  if (uri != self->uri)
    {
      g_free (self->uri);
      self->uri = g_strdup (uri);
    }
  _gw_endpoint_set_state (self, GW_ENDPOINT_READY, NULL);
}

/* @store: (nullable): what answers now has these data. Other ones than before are other tasks:
 * nothing that is shown goes on. */
void
_gw_endpoint_set_store (GwEndpoint *self,
                        const char *store)
{
  if (self->store != NULL && g_strcmp0 (self->store, store) != 0)
    self->other_queue = TRUE;
  g_free (self->store);
  self->store = g_strdup (store);
}

void
_gw_endpoint_set_version (GwEndpoint *self,
                          const GwDiscovery *discovery)
{
  g_free (self->version);
  self->version = discovery != NULL ? g_strdup (discovery->version) : NULL;
}

GwEndpointState
gw_endpoint_get_state (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), GW_ENDPOINT_IDLE);

  return self->state;
}

/**
 * gw_endpoint_get_client:
 *
 * Returns: (transfer none) (nullable): NULL until a gateway has been found
 */
GwClient *
gw_endpoint_get_client (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), NULL);

  return self->client;
}

/* Whether the gateway runs in this process, and its tasks end with it. */
gboolean
gw_endpoint_is_builtin (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), FALSE);

  return self->engine_runs;
}

/* Whether what is left of the tasks goes on only while this process lives: here, or at a gateway to
 * which it sends them one by one. */
gboolean
gw_endpoint_needs_window (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), FALSE);

  return self->engine_runs
         || (self->client != NULL
             && gw_client_get_protocol (self->client) == GW_PROTOCOL_MINIMAL);
}

/* Whether the built-in gateway may take the place of the one that does not answer, if the user says
 * so: by itself it carries on only with the same data. */
gboolean
gw_endpoint_may_use_builtin (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), FALSE);

  return self->given || self->gone;
}

gboolean
gw_endpoint_is_given (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), FALSE);

  return self->given;
}

/**
 * gw_endpoint_get_uri:
 *
 * Returns: (transfer none) (nullable)
 */
const char *
gw_endpoint_get_uri (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), NULL);

  return self->uri;
}

/**
 * gw_endpoint_get_message:
 *
 * Returns: (transfer none) (nullable): what is wrong, for people
 */
const char *
gw_endpoint_get_message (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), NULL);

  return self->message;
}

/* Until the next try; 0: one is under way, or none is planned. */
guint
gw_endpoint_get_seconds_left (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), 0);

  return self->seconds_left;
}

/* (nullable) What the gateway in use says of itself; ours has this program's. */
const char *
gw_endpoint_get_version (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), NULL);

  return self->engine_runs ? GW_VERSION : self->version;
}

/* Unix ms; 0 while there is none. */
gint64
gw_endpoint_get_ready_since (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), 0);

  return self->ready_since;
}

/* Whether the built-in gateway had to take another port, for another program answers at the
 * default address. */
gboolean
gw_endpoint_is_default_port_taken (GwEndpoint *self)
{
  g_return_val_if_fail (GW_IS_ENDPOINT (self), FALSE);

  return self->port_taken && self->engine_runs;
}
