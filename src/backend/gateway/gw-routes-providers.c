/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls about providers: what they are (the catalogue) and what their lanes do (the queue), in
 * one.
 *
 * Threading: the gateway's thread. Guarantee: a key that is written is never read back: only where
 * it comes from is told. Writing is refused from other machines (gw-gateway.c).
 */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include "gateway/gw-routes-providers-private.h"

static GwLaneState *
find_lane (GPtrArray *lanes,
           const char *name)
{
  for (guint i = 0; lanes != NULL && i < lanes->len; i++)
    {
      GwLaneState *lane = lanes->pdata[i];

      if (g_str_equal (lane->provider, name))
        return lane;
    }

  return NULL;
}

/* From the queue's clock to Unix time. */
static gint64
to_wall (GwQueue *queue,
         gint64 queue_ms)
{
  GwClock *clock = gw_queue_get_clock (queue);

  return queue_ms > 0 ? gw_clock_wall (clock) + queue_ms - gw_clock_now (clock) : 0;
}

/* Why the lane takes nothing now, as in metadata.waiting of the tasks that wait for it. */
static void
add_waiting (JsonObject *object,
             GwQueue *queue,
             const GwLaneState *lane,
             gboolean in_use,
             gboolean usable)
{
  gint64 now = gw_clock_now (gw_queue_get_clock (queue));
  const char *reason = NULL;
  JsonObject *waiting;
  gint64 until = 0;

  if (!in_use)
    reason = "disabled";
  else if (!usable)
    reason = "no-key";
  else if (lane != NULL && lane->shared && lane->workers == 0)
    reason = "no-worker";
  else if (lane != NULL && lane->stopped)
    reason = gw_error_to_string (lane->stop_code);
  else if (lane != NULL && lane->parked_until > now)
    reason = lane->offline ? "network" : "cool-down", until = lane->parked_until;
  else if (lane != NULL && lane->window_opens_at > now)
    reason = "window", until = lane->window_opens_at;
  if (reason == NULL)
    {
      json_object_set_null_member (object, "waiting");
      return;
    }

  waiting = json_object_new ();
  json_object_set_string_member (waiting, "reason", reason);
  gw_json_set_time (waiting, "until", to_wall (queue, until));
  json_object_set_object_member (object, "waiting", waiting);
}

static void
add_lane (JsonObject *object,
          GwQueue *queue,
          const GwLaneState *lane)
{
  JsonObject *counts = json_object_new ();

  json_object_set_int_member (object, "adapted_concurrency",
                              lane != NULL ? lane->adapted_concurrency : 0);
  json_object_set_int_member (object, "in_flight", lane != NULL ? lane->in_flight : 0);
  json_object_set_int_member (object, "ghosts", lane != NULL ? lane->ghosts : 0);
  json_object_set_int_member (object, "sends_in_window", lane != NULL ? lane->sends_in_window : 0);
  json_object_set_int_member (counts, "pinned", lane != NULL ? lane->waiting : 0);
  json_object_set_int_member (counts, "sent", lane != NULL ? lane->sent : 0);
  json_object_set_int_member (counts, "answered", lane != NULL ? lane->answered : 0);
  json_object_set_int_member (counts, "failed", lane != NULL ? lane->failed : 0);
  json_object_set_object_member (object, "counts", counts);
  if (lane != NULL && lane->samples > 0)
    {
      json_object_set_double_member (object, "latency_p50_s", lane->latency_p50_s);
      json_object_set_double_member (object, "latency_p95_s", lane->latency_p95_s);
    }
  else
    {
      json_object_set_null_member (object, "latency_p50_s");
      json_object_set_null_member (object, "latency_p95_s");
    }
  json_object_set_int_member (object, "samples", lane != NULL ? lane->samples : 0);
  if (lane != NULL && lane->shared)
    json_object_set_int_member (object, "workers", lane->workers);
  gw_json_set_string_or_null (object, "last_error", lane != NULL ? lane->last_error : NULL);
  gw_json_set_time (object, "last_error_at", lane != NULL ? lane->last_error_at : 0);
}

/* A server of this machine, whether it is used or not: null where it did not answer. */
static void
add_found (JsonObject *object,
           GwGateway *gateway,
           const char *name)
{
  g_auto (GStrv) models = gw_catalogue_dup_found (gateway->catalogue, name);
  JsonObject *found;
  JsonArray *array;

  if (models == NULL)
    {
      json_object_set_null_member (object, "found");
      return;
    }
  found = json_object_new ();
  array = json_array_new ();
  for (guint i = 0; models[i] != NULL; i++)
    json_array_add_string_element (array, models[i]);
  json_object_set_array_member (found, "models", array);
  json_object_set_object_member (object, "found", found);
}

/* How its last test ended, since the gateway started and it was written last. */
static void
add_tested (JsonObject *object,
            GwGateway *gateway,
            const char *name)
{
  JsonObject *tested = g_hash_table_lookup (gateway->tests, name);

  if (tested != NULL)
    json_object_set_object_member (object, "tested", json_object_ref (tested));
  else
    json_object_set_null_member (object, "tested");
}

static JsonObject *
config_to_json (GwGateway *gateway,
                GwProviderConfig *config,
                GwLaneState *lane)
{
  JsonObject *object = json_object_new ();
  gboolean in_use = gw_catalogue_is_in_use (gateway->catalogue, config->name);
  gboolean usable = gw_catalogue_is_usable (gateway->catalogue, config->name);

  /* What counts is whether anybody can. */
  if (lane != NULL && lane->shared)
    {
      in_use = in_use || lane->enabled;
      usable = usable || (lane->enabled && lane->usable);
    }
  json_object_set_string_member (object, "name", config->name);
  gw_json_set_string_or_null (object, "title", config->title);
  gw_json_set_string_or_null (object, "note", config->note);
  json_object_set_string_member (object, "kind", gw_provider_kind_to_string (config->kind));
  json_object_set_boolean_member (object, "enabled", config->enabled);
  json_object_set_boolean_member (object, "preset", config->preset);
  json_object_set_boolean_member (object, "configured", config->configured);
  json_object_set_boolean_member (object, "in_use", in_use);
  json_object_set_boolean_member (object, "usable", usable);
  gw_json_set_string_or_null (object, "base_url", config->base_url);
  if (config->command != NULL)
    {
      JsonArray *command = json_array_new ();

      for (guint i = 0; config->command[i] != NULL; i++)
        json_array_add_string_element (command, config->command[i]);
      json_object_set_array_member (object, "command", command);
    }
  gw_json_set_string_or_null (object, "model", config->model);
  gw_json_set_string_or_null (object, "api_key_env", config->api_key_env);
  json_object_set_string_member (
      object, "key_source",
      gw_key_source_to_string (gw_catalogue_get_key_source (gateway->catalogue, config->name)));
  gw_json_set_string_or_null (object, "key_variable",
                              gw_catalogue_get_key_variable (gateway->catalogue, config->name));
  json_object_set_int_member (object, "keys",
                              gw_catalogue_count_keys (gateway->catalogue, config->name));
  add_found (object, gateway, config->name);
  add_tested (object, gateway, config->name);
  /* Limits belong to the queue, which may hold others than this program's configuration. */
  json_object_set_int_member (object, "max_concurrency",
                              lane != NULL ? lane->max_concurrency : config->max_concurrency);
  json_object_set_int_member (object, "requests_per_minute",
                              lane != NULL ? lane->requests_per_minute
                                           : config->requests_per_minute);
  json_object_set_int_member (object, "timeout_seconds", config->timeout_seconds);
  json_object_set_double_member (object, "latency", config->latency);
  json_object_set_boolean_member (object, "stream", config->stream);
  add_waiting (object, gateway->queue, lane, in_use, usable);
  add_lane (object, gateway->queue, lane);

  return object;
}

/* A provider that only the queue knows: another program's, or one removed while its tasks wait. */
static JsonObject *
lane_to_json (GwGateway *gateway,
              GwLaneState *lane)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", lane->provider);
  json_object_set_boolean_member (object, "enabled", lane->enabled);
  json_object_set_boolean_member (object, "in_use", lane->enabled);
  json_object_set_boolean_member (object, "usable", lane->usable);
  gw_json_set_string_or_null (object, "model", lane->model);
  json_object_set_int_member (object, "max_concurrency", lane->max_concurrency);
  json_object_set_int_member (object, "requests_per_minute", lane->requests_per_minute);
  add_waiting (object, gateway->queue, lane, lane->enabled, lane->usable);
  add_lane (object, gateway->queue, lane);

  return object;
}

static void
respond_all (GwRequest *request,
             GPtrArray *lanes)
{
  GwGateway *gateway = request->gateway;
  g_autoptr (GPtrArray) configs = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();

  if (gateway->catalogue != NULL)
    configs = gw_catalogue_list (gateway->catalogue);
  for (guint i = 0; configs != NULL && i < configs->len; i++)
    {
      GwProviderConfig *config = configs->pdata[i];

      g_hash_table_add (seen, config->name);
      json_array_add_object_element (
          array, config_to_json (gateway, config, find_lane (lanes, config->name)));
    }
  for (guint i = 0; i < lanes->len; i++)
    {
      GwLaneState *lane = lanes->pdata[i];

      if (!g_hash_table_contains (seen, lane->provider))
        json_array_add_object_element (array, lane_to_json (gateway, lane));
    }
  json_object_set_array_member (object, "providers", array);
  json_object_set_boolean_member (object, "writable",
                                  gateway->catalogue != NULL
                                      && gw_http_connection_get_loopback (request->connection));
  gw_request_respond_object (request, 200, object);
}

void
_gw_providers_fail_unknown (GwRequest *request)
{
  gw_request_fail_with (request, GW_ERROR_NOT_FOUND,
                        "There is no provider '%.64s'. GET /providers lists them.",
                        request->capture);
}

static void
respond_one (GwRequest *request,
             GPtrArray *lanes)
{
  GwGateway *gateway = request->gateway;
  GwLaneState *lane = find_lane (lanes, request->capture);
  g_autoptr (GwProviderConfig) config = NULL;

  if (gateway->catalogue != NULL)
    config = gw_catalogue_dup (gateway->catalogue, request->capture);
  if (config != NULL)
    gw_request_respond_object (request, 200, config_to_json (gateway, config, lane));
  else if (lane != NULL)
    gw_request_respond_object (request, 200, lane_to_json (gateway, lane));
  else
    _gw_providers_fail_unknown (request);
}

static void
lanes_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) lanes = gw_queue_read_lanes_finish (GW_QUEUE (source), result, &error);

  if (lanes == NULL)
    gw_request_fail (request, error);
  else if (request->capture != NULL)
    respond_one (request, lanes);
  else
    respond_all (request, lanes);
}

/* One provider, or all where the path names none. */
void
_gw_providers_read_and_respond (GwRequest *request)
{
  gw_queue_read_lanes_async (request->gateway->queue, lanes_cb, gw_request_hold (request));
}

static void
found_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);

  gw_catalogue_find_finish (GW_CATALOGUE (source), result, NULL);
  _gw_providers_read_and_respond (request);
}

/* With `find`, after a look at which servers of this machine answer. */
void
gw_route_get_providers (GwRequest *request)
{
  guint64 find = 0;
  g_autoptr (GError) error = NULL;

  if (!gw_request_get_query_number (request, "find", 0, 1, &find, &error))
    gw_request_fail (request, error);
  else if (find != 0 && request->gateway->catalogue != NULL)
    gw_catalogue_find_async (request->gateway->catalogue, NULL, found_cb,
                             gw_request_hold (request));
  else
    _gw_providers_read_and_respond (request);
}

void
gw_route_get_provider (GwRequest *request)
{
  _gw_providers_read_and_respond (request);
}
