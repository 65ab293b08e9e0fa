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

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-submission-reader.h"
#include "queue/gw-queue-providers.h"

#define TEST_SECONDS 10
#define MAX_TEXT 4096
#define MAX_KEY 8192
#define MAX_ARGUMENTS 256

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

static void
fail_unknown (GwRequest *request)
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
    fail_unknown (request);
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
static void
read_and_respond (GwRequest *request)
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
  read_and_respond (request);
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
    read_and_respond (request);
}

void
gw_route_get_provider (GwRequest *request)
{
  read_and_respond (request);
}

static gboolean
read_text (JsonObject *body,
           const char *member,
           char **text,
           GError **error)
{
  const char *value = NULL;

  if (!json_object_has_member (body, member))
    return TRUE;
  if (!gw_json_get_string (body, member, GW_JSON_NULLABLE, MAX_TEXT, &value, error))
    return FALSE;

  g_free (*text);
  *text = value != NULL && value[0] != '\0' ? g_strdup (value) : NULL;

  return TRUE;
}

static gboolean
read_number (JsonObject *body,
             const char *member,
             gint64 minimum,
             gint64 maximum,
             guint *number,
             GError **error)
{
  gint64 value = *number;

  if (!gw_json_get_int (body, member, GW_JSON_OPTIONAL, minimum, maximum, &value, error))
    return FALSE;
  *number = value;

  return TRUE;
}

/* As the file has it: one line, split as a shell would split it. */
static gboolean
read_command_line (const char *line,
                   char ***command,
                   GError **error)
{
  g_autoptr (GError) local = NULL;
  char **argv = NULL;

  if (line[strspn (line, " \t\n")] != '\0' && !g_shell_parse_argv (line, NULL, &argv, &local))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "command: it cannot be split into words: %s",
                   local->message);
      return FALSE;
    }
  g_strfreev (*command);
  *command = argv;

  return TRUE;
}

static gboolean
read_command (JsonObject *body,
              char ***command,
              GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *line = gw_json_peek_string (body, "command");
  JsonArray *array = NULL;

  if (line != NULL && strlen (line) <= MAX_TEXT)
    return read_command_line (line, command, error);

  if (!gw_json_get_array (body, "command", GW_JSON_NULLABLE, &array, error))
    return FALSE;
  if (!json_object_has_member (body, "command"))
    return TRUE;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (i >= MAX_ARGUMENTS || !JSON_NODE_HOLDS_VALUE (node)
          || json_node_get_value_type (node) != G_TYPE_STRING)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                       "command: send at most %d texts, the program and its arguments.",
                       MAX_ARGUMENTS);
          return FALSE;
        }
      g_strv_builder_add (builder, json_node_get_string (node));
    }
  g_strfreev (*command);
  *command = array != NULL && json_array_get_length (array) > 0 ? g_strv_builder_end (builder)
                                                                : NULL;

  return TRUE;
}

/* What is absent stays as it is. */
static gboolean
read_config (JsonObject *body,
             GwProviderConfig *config,
             GError **error)
{
  const char *kind = NULL;

  if (!gw_json_get_string (body, "kind", GW_JSON_OPTIONAL, 32, &kind, error))
    return FALSE;
  if (kind != NULL && !gw_provider_kind_from_string (kind, &config->kind))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "kind: '%.32s' is none. Use openai, command or practice.", kind);
      return FALSE;
    }

  return read_text (body, "title", &config->title, error)
         && gw_json_get_boolean (body, "enabled", GW_JSON_OPTIONAL, &config->enabled, error)
         && read_text (body, "base_url", &config->base_url, error)
         && read_command (body, &config->command, error)
         && read_text (body, "model", &config->model, error)
         && read_text (body, "api_key_env", &config->api_key_env, error)
         && read_number (body, "max_concurrency", 1, GW_PROVIDER_MAX_CONCURRENCY,
                         &config->max_concurrency, error)
         && read_number (body, "requests_per_minute", 0, GW_PROVIDER_MAX_REQUESTS_PER_MINUTE,
                         &config->requests_per_minute, error)
         && read_number (body, "timeout_seconds", 1, GW_PROVIDER_MAX_TIMEOUT_SECONDS,
                         &config->timeout_seconds, error)
         && gw_json_get_double (body, "latency", GW_JSON_OPTIONAL, &config->latency, error)
         && gw_json_get_boolean (body, "stream", GW_JSON_OPTIONAL, &config->stream, error)
         && gw_provider_config_check_name (config->name, error)
         && gw_provider_config_check (config, error);
}

static void
fail_invalid (GwRequest *request,
              GError *error)
{
  /* The configuration's own checks speak of a file. */
  if (g_error_matches (error, GW_ERROR, GW_ERROR_CONFIG))
    error->code = GW_ERROR_INVALID;
  gw_request_fail (request, error);
}

static void
limits_set_cb (GObject *source,
               GAsyncResult *result,
               gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) differing = NULL;

  differing = gw_queue_set_providers_finish (GW_QUEUE (source), result, &error);
  if (error != NULL)
    {
      gw_request_fail (request, error);
    }
  else if (request->route->func == gw_route_remove_provider)
    {
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "removed", request->capture);
      gw_request_respond_object (request, 200, object);
    }
  else
    {
      read_and_respond (request);
    }
}

/* The queue's limits follow the user who wrote them; those of the other providers stay as they are. */
static void
tell_queue (GwRequest *request,
            const char *set_limits_of)
{
  g_autoptr (GPtrArray) providers = gw_queue_providers_new (request->gateway->catalogue,
                                                            set_limits_of);

  gw_queue_set_providers_async (request->gateway->queue, providers, FALSE, limits_set_cb,
                                gw_request_hold (request));
}

static void
ignore_resumed_cb (GObject *source,
                   GAsyncResult *result,
                   gpointer user_data)
{
  gw_queue_resume_lane_finish (GW_QUEUE (source), result, NULL);
}

static void
put_cb (GObject *source,
        GAsyncResult *result,
        gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  GwKeySource key_source;

  if (!gw_catalogue_put_finish (GW_CATALOGUE (source), result, &key_source, &error))
    {
      fail_invalid (request, error);
      return;
    }

  g_hash_table_remove (request->gateway->tests, request->capture);

  /* Who writes a provider has put right what stopped its lane; a new key shows nowhere else. An
   * error only says that the queue does not know the provider yet. */
  gw_queue_resume_lane_async (request->gateway->queue, request->capture, ignore_resumed_cb, NULL);
  tell_queue (request, request->capture);
}

/* Who writes one that is not there yet means to use it. */
static GwProviderConfig *
make_config (GwRequest *request,
             GwProviderConfig *known)
{
  GwProviderConfig *config = known != NULL ? gw_provider_config_copy (known)
                                           : gw_provider_config_new (request->capture);

  if (known == NULL)
    config->enabled = TRUE;

  return config;
}

static void
put_read (GwRequest *request,
          JsonObject *body)
{
  GwCatalogue *catalogue = request->gateway->catalogue;
  g_autoptr (GwProviderConfig) known = gw_catalogue_dup (catalogue, request->capture);
  g_autoptr (GwProviderConfig) config = make_config (request, known);
  g_autoptr (GError) error = NULL;
  const char *key = NULL;

  if (!gw_json_get_string (body, "key", GW_JSON_NULLABLE, MAX_KEY, &key, &error)
      || !read_config (body, config, &error))
    fail_invalid (request, error);
  else
    gw_catalogue_put_async (catalogue, config, key, NULL, put_cb, gw_request_hold (request));
}

static gboolean
check_catalogue (GwRequest *request)
{
  if (request->gateway->catalogue != NULL)
    return TRUE;

  gw_request_fail_with (request, GW_ERROR_CONFLICT,
                        "This gateway runs no providers of its own. Ask the program that works on "
                        "the queue.");

  return FALSE;
}

void
gw_route_put_provider (GwRequest *request)
{
  if (check_catalogue (request))
    gw_request_read_body (request, TRUE, put_read);
}

static void
catalogue_removed_cb (GObject *source,
                      GAsyncResult *result,
                      gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;

  if (!gw_catalogue_remove_finish (GW_CATALOGUE (source), result, &error))
    fail_invalid (request, error);
  else
    {
      g_hash_table_remove (request->gateway->tests, request->capture);
      tell_queue (request, NULL);
    }
}

/* Whether the catalogue has it; fails the request if not. */
static gboolean
check_known (GwRequest *request)
{
  g_autoptr (GwProviderConfig) config = NULL;

  if (!check_catalogue (request))
    return FALSE;

  config = gw_catalogue_dup (request->gateway->catalogue, request->capture);
  if (config == NULL)
    fail_unknown (request);

  return config != NULL;
}

void
gw_route_remove_provider (GwRequest *request)
{
  if (check_known (request))
    gw_catalogue_remove_async (request->gateway->catalogue, request->capture, NULL,
                               catalogue_removed_cb, gw_request_hold (request));
}

/* A test of a provider. */
typedef struct {
  GwRequest *request;        /* (owned) */
  GwProvider *provider;      /* (owned) */
  GCancellable *cancellable; /* (owned) */
  GSource *timer;            /* (owned) (nullable) */
  gint64 began;              /* monotonic us */
  gboolean of_stored;        /* as it is written, and not what would be */
} Test;

static gboolean
test_late_cb (gpointer user_data)
{
  Test *test = user_data;

  g_cancellable_cancel (test->cancellable);

  return G_SOURCE_REMOVE;
}

static void
tested_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  Test *test = user_data;
  g_autoptr (GwRequest) request = gw_request_release (test->request);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) models = gw_provider_test_finish (GW_PROVIDER (source), result, &error);
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "ok", error == NULL);
  gw_json_set_time (object, "at", g_get_real_time () / 1000);
  json_object_set_int_member (object, "latency_ms",
                              (g_get_monotonic_time () - test->began) / 1000);
  if (error == NULL)
    {
      JsonArray *array = json_array_new ();

      for (guint i = 0; models != NULL && models[i] != NULL; i++)
        json_array_add_string_element (array, models[i]);
      json_object_set_array_member (object, "models", array);
      json_object_set_null_member (object, "error");
    }
  else
    {
      JsonObject *problem = json_object_new ();
      gboolean late = g_cancellable_is_cancelled (test->cancellable);
      GwError code = late                        ? GW_ERROR_TASK_TIMEOUT
                     : error->domain == GW_ERROR ? (GwError) error->code
                                                 : GW_ERROR_TASK_UNKNOWN;

      json_object_set_string_member (problem, "code", gw_error_to_string (code));
      json_object_set_string_member (problem, "message",
                                     late ? "The provider did not answer in 10 seconds."
                                          : error->message);
      json_object_set_object_member (object, "error", problem);
    }
  if (test->of_stored)
    g_hash_table_insert (request->gateway->tests, g_strdup (request->capture),
                         json_object_ref (object));
  gw_request_respond_object (request, 200, object);

  g_source_destroy (test->timer);
  g_source_unref (test->timer);
  g_object_unref (test->cancellable);
  g_object_unref (test->provider);
  g_free (test);
}

/* What the body says is tried without being written: as good as writing it, so only from here. */
static GwProvider *
make_unwritten_provider (GwRequest *request,
                         JsonObject *body)
{
  GwGateway *gateway = request->gateway;
  g_autoptr (GwProviderConfig) known = gw_catalogue_dup (gateway->catalogue, request->capture);
  g_autoptr (GwProviderConfig) config = make_config (request, known);
  g_autoptr (GError) error = NULL;
  GwProvider *provider;
  const char *key = NULL;

  if (!gw_http_connection_get_loopback (request->connection))
    {
      gw_request_fail_with (request, GW_ERROR_FORBIDDEN,
                            "What is not written yet is tested only from the machine that the "
                            "gateway runs on.");
      return NULL;
    }
  if (!gw_json_get_string (body, "key", GW_JSON_NULLABLE, MAX_KEY, &key, &error)
      || !read_config (body, config, &error))
    {
      fail_invalid (request, error);
      return NULL;
    }
  provider = gw_catalogue_make_test_provider (gateway->catalogue, config, key,
                                              gw_queue_get_clock (gateway->queue));
  if (provider == NULL)
    gw_request_fail_with (request, GW_ERROR_INVALID,
                          "key: must be printable ASCII without blanks; of several each stands on "
                          "a line of its own");

  return provider;
}

static void
test_read (GwRequest *request,
           JsonObject *body)
{
  GwGateway *gateway = request->gateway;
  gboolean of_stored = body == NULL || json_object_get_size (body) == 0;
  Test *test;
  GwProvider *provider;

  if (of_stored)
    {
      provider = gw_catalogue_make_provider (gateway->catalogue, request->capture,
                                             gw_queue_get_clock (gateway->queue));
      if (provider == NULL)
        fail_unknown (request);
    }
  else
    provider = make_unwritten_provider (request, body);
  if (provider == NULL)
    return;

  test = g_new0 (Test, 1);
  test->request = gw_request_hold (request);
  test->provider = provider;
  test->of_stored = of_stored;
  test->began = g_get_monotonic_time ();
  test->cancellable = g_cancellable_new ();
  test->timer = g_timeout_source_new_seconds (TEST_SECONDS);
  g_source_set_callback (test->timer, test_late_cb, test, NULL);
  g_source_attach (test->timer, g_main_context_get_thread_default ());
  gw_provider_test_async (provider, test->cancellable, tested_cb, test);
}

void
gw_route_test_provider (GwRequest *request)
{
  if (check_catalogue (request))
    gw_request_read_body (request, FALSE, test_read);
}

static void
resumed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;

  if (!gw_queue_resume_lane_finish (GW_QUEUE (source), result, &error))
    gw_request_fail (request, error);
  else
    read_and_respond (request);
}

static void
resume_read (GwRequest *request,
             JsonObject *body)
{
  gw_queue_resume_lane_async (request->gateway->queue, request->capture, resumed_cb,
                              gw_request_hold (request));
}

void
gw_route_resume_provider (GwRequest *request)
{
  gw_request_read_body (request, FALSE, resume_read);
}
