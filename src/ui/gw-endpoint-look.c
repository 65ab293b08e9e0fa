/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-endpoint"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-endpoint-private.h"

/* The look for a gateway that runs already: at the address that was given or at the default one,
 * again and again where it has to be, and again where it is lost. Main thread only. */

#define DEFAULT_TRIES 10       /* a second apart, before the built-in one takes over */
#define MAX_PAUSE_S 60

/* (nullable) The environment's token goes before the one of the preferences. */
const char *
_gw_endpoint_get_token (GwEndpoint *self)
{
  const char *token = g_getenv ("GANGWAY_TOKEN");

  return token != NULL && *token != '\0' ? token : self->token;
}

/* The address as people say it. */
static const char *
get_address (GwEndpoint *self)
{
  return g_str_has_prefix (self->uri, "http://") ? self->uri + strlen ("http://") : self->uri;
}

void
_gw_endpoint_stop_looking (GwEndpoint *self)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  self->seconds_left = 0;
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static gboolean
timer_cb (gpointer user_data)
{
  GwEndpoint *self = user_data;

  if (self->seconds_left > 1)
    {
      self->seconds_left--;
      g_signal_emit_by_name (self, "changed");
      return G_SOURCE_CONTINUE;
    }
  self->timer_id = 0;
  self->seconds_left = 0;
  _gw_endpoint_look (self);
  return G_SOURCE_REMOVE;
}

static void
look_again_in (GwEndpoint *self,
               guint seconds)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  self->seconds_left = seconds;
  self->timer_id = g_timeout_add_seconds (1, timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] next _gw_endpoint_look for the gateway");
}

/* Nobody, somebody else or a gateway of the past answers at self->uri. */
static void
not_found (GwEndpoint *self,
           GwFound found,
           gboolean too_old)
{
  g_autofree char *message = NULL;
  gboolean lost = self->state == GW_ENDPOINT_LOST;

  if (!self->given && !self->gone && (!lost || ++self->tries >= DEFAULT_TRIES))
    {
      if (!lost || _gw_endpoint_is_own_data (self))
        {
          self->port_taken = found != GW_FOUND_NOTHING;
          _gw_endpoint_start_engine (self);
          return;
        }
      /* What it had is with nobody else: it stays on the screen until the user says otherwise. */
      self->gone = TRUE;
      self->tries = 0;
    }
  if (self->given || self->gone)
    self->tries = MIN (self->tries + 1, 7);
  look_again_in (self, self->given || self->gone ? MIN (1u << (self->tries - 1), MAX_PAUSE_S) : 1);
  if (too_old)
    /* Translators: an address, and a version */
    message = g_strdup_printf (_("The gateway at %1$s is too old for this app: version %2$s."),
                               get_address (self), self->version);
  else if (found == GW_FOUND_OTHER)
    /* Translators: %s is an address */
    message = g_strdup_printf (_("Another program answers at %s, not a gateway."),
                               get_address (self));
  else if (self->gone)
    /* Translators: %s is an address */
    message = g_strdup_printf (_("The gateway at %s is gone. Its tasks are kept there, not here."),
                               get_address (self));
  else
    /* Translators: %s is an address */
    message = g_strdup_printf (_("Can’t reach the gateway at %s."), get_address (self));
  _gw_endpoint_set_state (self, lost ? GW_ENDPOINT_LOST : GW_ENDPOINT_UNREACHABLE, message);
}

static void
probed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwEndpoint) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwDiscovery) discovery = gw_discovery_probe_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->cancellable);
  if (discovery == NULL)
    {
      not_found (self, GW_FOUND_NOTHING, FALSE);
      return;
    }
  _gw_endpoint_set_version (self, discovery);
  switch (discovery->found)
    {
    case GW_FOUND_OURS:
      if (discovery->too_old)
        {
          not_found (self, discovery->found, TRUE);
          break;
        }
      self->port_taken = FALSE;
      _gw_endpoint_set_store (self, discovery->store);
      _gw_endpoint_set_client (self, self->uri, _gw_endpoint_get_token (self), GW_PROTOCOL_GANGWAY);
      break;
    case GW_FOUND_MINIMAL:
      _gw_endpoint_set_store (self, NULL);
      _gw_endpoint_set_client (self, self->uri, _gw_endpoint_get_token (self), GW_PROTOCOL_MINIMAL);
      break;
    case GW_FOUND_NOTHING:
    case GW_FOUND_OTHER:
    default:
      /* Who is slow is not told to be somebody else. */
      not_found (self, discovery->silent && discovery->given ? GW_FOUND_NOTHING : discovery->found,
                 FALSE);
      break;
    }
}

void
_gw_endpoint_look (GwEndpoint *self)
{
  _gw_endpoint_stop_looking (self);
  self->cancellable = g_cancellable_new ();
  gw_discovery_probe_async (self->uri, self->given, _gw_endpoint_get_token (self),
                            self->cancellable, probed_cb, g_object_ref (self));
}

/**
 * gw_endpoint_report_connected:
 *
 * What the list that follows the gateway sees. A gateway of another process that is lost is looked
 * for again; our own cannot get lost, it can only fail.
 */
void
gw_endpoint_report_connected (GwEndpoint *self,
                              gboolean connected)
{
  g_return_if_fail (GW_IS_ENDPOINT (self));

  if (connected && self->state == GW_ENDPOINT_LOST
      && gw_client_get_protocol (self->client) == GW_PROTOCOL_MINIMAL)
    {
      /* Who came back may be another: one that can do more. */
      if (self->cancellable == NULL)
        _gw_endpoint_look (self);
    }
  else if (connected && self->state == GW_ENDPOINT_LOST)
    {
      _gw_endpoint_stop_looking (self);
      self->tries = 0;
      _gw_endpoint_set_state (self, GW_ENDPOINT_READY, NULL);
    }
  else if (!connected && self->state == GW_ENDPOINT_READY && !self->engine_runs)
    {
      g_autofree char *message
          = g_strdup_printf (_("Can’t reach the gateway at %s."), get_address (self));

      self->tries = 0;
      self->gone = FALSE;
      look_again_in (self, 1);
      _gw_endpoint_set_state (self, GW_ENDPOINT_LOST, message);
    }
}
