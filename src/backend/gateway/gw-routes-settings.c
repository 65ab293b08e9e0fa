/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls about what of the configuration may be changed under a run: GET and PATCH /settings.
 *
 * Threading: the gateway's thread. Guarantee: a PATCH is taken as a whole or not at all; writing is
 * refused from other machines (gw-gateway.c).
 */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "provider/gw-provider-config.h"

#define MAX_ORDER 1000

static JsonObject *
settings_to_json (GwRequest *request)
{
  GwGateway *gateway = request->gateway;
  JsonObject *object = json_object_new ();
  JsonArray *order = json_array_new ();
  g_autoptr (GPtrArray) configs = gw_catalogue_list (gateway->catalogue);
  GwSettingsValues values;

  gw_live_settings_get (gateway->settings, &values);
  json_object_set_int_member (object, "max_concurrency", values.limits.max_concurrency);
  json_object_set_int_member (object, "max_attempts", values.limits.max_attempts);
  json_object_set_int_member (object, "keep_days", values.limits.keep_days);
  json_object_set_string_member (object, "after_crash",
                                 values.after_crash == GW_AFTER_CRASH_HOLD ? "hold" : "resend");
  for (guint i = 0; i < configs->len; i++)
    json_array_add_string_element (order, ((GwProviderConfig *) configs->pdata[i])->name);
  json_object_set_array_member (object, "provider_order", order);
  json_object_set_boolean_member (object, "writable",
                                  gw_http_connection_get_loopback (request->connection));

  return object;
}

static gboolean
check_settings (GwRequest *request)
{
  if (request->gateway->settings != NULL)
    return TRUE;

  gw_request_fail_with (request, GW_ERROR_CONFLICT,
                        "This gateway has no settings of its own. Ask the program that works on "
                        "the queue.");

  return FALSE;
}

void
gw_route_get_settings (GwRequest *request)
{
  if (check_settings (request))
    gw_request_respond_object (request, 200, settings_to_json (request));
}

static gboolean
read_number (JsonObject *body,
             const char *member,
             gint64 minimum,
             gint64 maximum,
             GwSettingsMask bit,
             guint *number,
             GwSettingsMask *mask,
             GError **error)
{
  gint64 value = 0;

  if (!json_object_has_member (body, member))
    return TRUE;
  if (!gw_json_get_int (body, member, GW_JSON_REQUIRED, minimum, maximum, &value, error))
    return FALSE;
  *number = (guint) value;
  *mask |= bit;

  return TRUE;
}

static gboolean
read_after_crash (JsonObject *body,
                  GwSettingsValues *values,
                  GwSettingsMask *mask,
                  GError **error)
{
  const char *text = NULL;

  if (!gw_json_get_string (body, "after_crash", GW_JSON_OPTIONAL, 32, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  if (!g_str_equal (text, "hold") && !g_str_equal (text, "resend"))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "after_crash: '%.32s' is none. Use resend or hold.", text);
      return FALSE;
    }
  values->after_crash = g_str_equal (text, "hold") ? GW_AFTER_CRASH_HOLD : GW_AFTER_CRASH_RESEND;
  *mask |= GW_SETTING_AFTER_CRASH;

  return TRUE;
}

/* Names that there are, each once: the file holds them in one line. */
static gboolean
read_order (GwCatalogue *catalogue,
            JsonObject *body,
            char ***order,
            GwSettingsMask *mask,
            GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  JsonArray *array = NULL;

  if (!json_object_has_member (body, "provider_order"))
    return TRUE;
  if (!gw_json_get_array (body, "provider_order", GW_JSON_REQUIRED, &array, error))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      const char *name = JSON_NODE_HOLDS_VALUE (node)
                                 && json_node_get_value_type (node) == G_TYPE_STRING
                             ? json_node_get_string (node)
                             : NULL;
      g_autoptr (GwProviderConfig) config = NULL;

      if (name != NULL && i < MAX_ORDER)
        config = gw_catalogue_dup (catalogue, name);
      if (config == NULL || g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                       "provider_order: send names of GET /providers, each once, the preferred "
                       "one first; '%.64s' is not one more of them.", name != NULL ? name : "…");
          return FALSE;
        }
      g_ptr_array_add (names, g_strdup (name));
    }
  g_ptr_array_add (names, NULL);
  *order = (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  *mask |= GW_SETTING_PROVIDER_ORDER;

  return TRUE;
}

static void
set_cb (GObject *source,
        GAsyncResult *result,
        gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;

  if (gw_live_settings_set_finish (GW_LIVE_SETTINGS (source), result, &error))
    gw_request_respond_object (request, 200, settings_to_json (request));
  else
    gw_request_fail (request, error);
}

static void
patch_read (GwRequest *request,
            JsonObject *body)
{
  GwGateway *gateway = request->gateway;
  GwSettingsValues values;
  GwSettingsMask mask = 0;
  g_auto (GStrv) order = NULL;
  g_autoptr (GError) error = NULL;

  gw_live_settings_get (gateway->settings, &values);
  if (!read_number (body, "max_concurrency", 1, GW_SETTINGS_MAX_CONCURRENCY,
                    GW_SETTING_MAX_CONCURRENCY, &values.limits.max_concurrency, &mask, &error)
      || !read_number (body, "max_attempts", 1, GW_SETTINGS_MAX_ATTEMPTS, GW_SETTING_MAX_ATTEMPTS,
                       &values.limits.max_attempts, &mask, &error)
      || !read_number (body, "keep_days", 0, GW_SETTINGS_MAX_KEEP_DAYS, GW_SETTING_KEEP_DAYS,
                       &values.limits.keep_days, &mask, &error)
      || !read_after_crash (body, &values, &mask, &error)
      || !read_order (gateway->catalogue, body, &order, &mask, &error))
    {
      gw_request_fail (request, error);
      return;
    }
  if (mask == 0)
    gw_request_respond_object (request, 200, settings_to_json (request));
  else
    gw_live_settings_set_async (gateway->settings, mask, &values, (const char *const *) order,
                                set_cb, gw_request_hold (request));
}

void
gw_route_patch_settings (GwRequest *request)
{
  if (check_settings (request))
    gw_request_read_body (request, TRUE, patch_read);
}
