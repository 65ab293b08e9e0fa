/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-gateway-token"

#include "config.h"

#include <libsecret/secret.h>

#include "gw-log.h"

#include "gw-gateway-token.h"

/* Main thread; every call to the keyring is asynchronous and nobody waits for one: an endpoint
 * starts without a token and gets it when it is there. */

#define PLACE "gw-token-place"
#define SETTINGS "gw-token-settings"

static const SecretSchema schema = {
  GW_APPLICATION_ID ".Gateway",
  SECRET_SCHEMA_NONE,
  {
    { "application", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "address", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { NULL, 0 },
  }
};

static void
set_place (GwEndpoint *endpoint,
           GwTokenPlace place)
{
  g_object_set_data (G_OBJECT (endpoint), PLACE, GINT_TO_POINTER (place));
}

GwTokenPlace
gw_gateway_token_get_place (GwEndpoint *endpoint)
{
  return (GwTokenPlace) GPOINTER_TO_INT (g_object_get_data (G_OBJECT (endpoint), PLACE));
}

typedef struct {
  GwEndpoint *endpoint; /* (owned) */
  char *address;        /* (owned) */
} Lookup;

static void
found_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  Lookup *lookup = user_data;
  g_autoptr (GwEndpoint) endpoint = lookup->endpoint;
  g_autofree char *address = lookup->address;
  g_autoptr (GError) error = NULL;
  char *token = secret_password_lookup_finish (result, &error);
  GSettings *settings = g_object_get_data (G_OBJECT (endpoint), SETTINGS);
  g_autofree char *now = g_settings_get_string (settings, "gateway");

  g_free (lookup);
  if (error != NULL)
    g_info ("No token from the keyring: %s", error->message);
  if (token != NULL && g_str_equal (now, address)
      && gw_gateway_token_get_place (endpoint) == GW_TOKEN_NONE)
    {
      gw_log_add_secret (token);
      set_place (endpoint, GW_TOKEN_KEYRING);
      gw_endpoint_set_token (endpoint, token);
    }
  g_clear_pointer (&token, secret_password_free);
}

static void
look_up (GwEndpoint *endpoint)
{
  GSettings *settings = g_object_get_data (G_OBJECT (endpoint), SETTINGS);
  g_autofree char *address = g_settings_get_string (settings, "gateway");
  Lookup *lookup;

  set_place (endpoint, GW_TOKEN_NONE);
  if (*address == '\0' || g_str_equal (address, GW_ENDPOINT_PREFER_BUILTIN))
    return;
  lookup = g_new0 (Lookup, 1);
  lookup->endpoint = g_object_ref (endpoint);
  lookup->address = g_strdup (address);
  secret_password_lookup (&schema, NULL, found_cb, lookup, "application", "gangway", "address",
                          address, NULL);
}

/**
 * gw_gateway_token_follow:
 *
 * Gives @endpoint the token of the preferred address, now and whenever that changes.
 */
void
gw_gateway_token_follow (GwEndpoint *endpoint)
{
  GSettings *settings = g_settings_new (GW_APPLICATION_ID);

  g_return_if_fail (GW_IS_ENDPOINT (endpoint));

  g_object_set_data_full (G_OBJECT (endpoint), SETTINGS, settings, g_object_unref);
  g_signal_connect_object (settings, "changed::gateway", G_CALLBACK (look_up), endpoint,
                           G_CONNECT_SWAPPED);
  look_up (endpoint);
}

static void
stored_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  GwEndpoint *endpoint = g_task_get_source_object (task);
  GwTokenPlace place = GW_TOKEN_KEYRING;

  if (!secret_password_store_finish (result, &error))
    {
      g_message ("No keyring takes the gateway's token (%s): it lasts until Gangway ends",
                 error->message);
      place = GW_TOKEN_SESSION;
    }
  set_place (endpoint, place);
  g_task_return_int (task, place);
}

static void
cleared_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  secret_password_clear_finish (result, &error);
  if (error != NULL)
    g_message ("The gateway's token could not be taken out of the keyring: %s", error->message);
  g_task_return_int (task, GW_TOKEN_NONE);
}

/**
 * gw_gateway_token_set_async:
 * @address: the gateway that it is for
 * @token: (nullable): %NULL forgets it
 *
 * The endpoint uses it at once, whatever becomes of storing it.
 */
void
gw_gateway_token_set_async (GwEndpoint *endpoint,
                            const char *address,
                            const char *token,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (endpoint, NULL, callback, user_data);

  g_return_if_fail (GW_IS_ENDPOINT (endpoint));

  g_task_set_source_tag (task, gw_gateway_token_set_async);
  if (token != NULL)
    {
      g_autofree char *label = g_strdup_printf ("Gangway: token of %s", address);

      gw_log_add_secret (token);
      set_place (endpoint, GW_TOKEN_SESSION);
      gw_endpoint_set_token (endpoint, token);
      secret_password_store (&schema, SECRET_COLLECTION_DEFAULT, label, token, NULL, stored_cb,
                             g_object_ref (task), "application", "gangway", "address", address,
                             NULL);
    }
  else
    {
      set_place (endpoint, GW_TOKEN_NONE);
      gw_endpoint_set_token (endpoint, NULL);
      secret_password_clear (&schema, NULL, cleared_cb, g_object_ref (task), "application",
                             "gangway", "address", address, NULL);
    }
}

GwTokenPlace
gw_gateway_token_set_finish (GAsyncResult *result)
{
  gssize place = g_task_propagate_int (G_TASK (result), NULL);

  return place > 0 ? (GwTokenPlace) place : GW_TOKEN_NONE;
}
