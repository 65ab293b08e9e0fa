/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calls that write and remove a provider; the queue is told at once. Threading: the gateway's
 * thread. Guarantee: a key that is written is never read back. */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include <string.h>

#include "gateway/gw-routes-providers-private.h"
#include "queue/gw-queue-providers.h"

#define MAX_TEXT 4096
#define MAX_ARGUMENTS 256

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
gboolean
_gw_providers_read_config (JsonObject *body,
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

void
_gw_providers_fail_invalid (GwRequest *request,
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
      _gw_providers_read_and_respond (request);
    }
}

/* The queue's limits follow the user who wrote them; those of the other providers stay as they
 * are. */
static void
tell_queue (GwRequest *request,
            const char *set_limits_of,
            const char *removed)
{
  g_autoptr (GPtrArray) providers = gw_queue_providers_new (request->gateway->catalogue,
                                                            set_limits_of);

  if (removed != NULL)
    gw_queue_providers_add_removed (providers, removed);
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
      _gw_providers_fail_invalid (request, error);
      return;
    }

  g_hash_table_remove (request->gateway->tests, request->capture);

  /* Who writes a provider has put right what stopped its lane; a new key shows nowhere else. An
   * error only says that the queue does not know the provider yet. */
  gw_queue_resume_lane_async (request->gateway->queue, request->capture, ignore_resumed_cb, NULL);
  tell_queue (request, request->capture, NULL);
}

/* Who writes one that is not there yet means to use it. */
GwProviderConfig *
_gw_providers_make_config (GwRequest *request,
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
  g_autoptr (GwProviderConfig) config = _gw_providers_make_config (request, known);
  g_autoptr (GError) error = NULL;
  const char *key = NULL;

  if (!gw_json_get_string (body, "key", GW_JSON_NULLABLE, GW_PROVIDERS_MAX_KEY, &key, &error)
      || !_gw_providers_read_config (body, config, &error))
    _gw_providers_fail_invalid (request, error);
  else
    gw_catalogue_put_async (catalogue, config, key, NULL, put_cb, gw_request_hold (request));
}

gboolean
_gw_providers_check_catalogue (GwRequest *request)
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
  if (_gw_providers_check_catalogue (request))
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
    _gw_providers_fail_invalid (request, error);
  else
    {
      gboolean shared = g_str_equal (gw_queue_get_kind (request->gateway->queue), "redis");

      /* One of the catalogue goes on there, unused, with the catalogue's limits; where the queue is
       * shared, others may use it. */
      g_hash_table_remove (request->gateway->tests, request->capture);
      tell_queue (request, shared ? NULL : request->capture, request->capture);
    }
}

/* It is not in the catalogue: perhaps other machines have it. */
static void
others_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) lanes = gw_queue_read_lanes_finish (GW_QUEUE (source), result, &error);

  for (guint i = 0; lanes != NULL && i < lanes->len; i++)
    {
      GwLaneState *lane = lanes->pdata[i];

      if (!lane->shared || !lane->enabled || !g_str_equal (lane->provider, request->capture))
        continue;
      gw_request_fail_with (request, GW_ERROR_CONFLICT,
                            "The provider '%.64s' is set up on other machines of this queue, not "
                            "here. Remove it there.", request->capture);
      return;
    }
  if (error != NULL)
    gw_request_fail (request, error);
  else
    _gw_providers_fail_unknown (request);
}

void
gw_route_remove_provider (GwRequest *request)
{
  g_autoptr (GwProviderConfig) config = NULL;

  if (!_gw_providers_check_catalogue (request))
    return;

  config = gw_catalogue_dup (request->gateway->catalogue, request->capture);
  if (config == NULL)
    gw_queue_read_lanes_async (request->gateway->queue, others_cb, gw_request_hold (request));
  else
    gw_catalogue_remove_async (request->gateway->catalogue, request->capture, NULL,
                               catalogue_removed_cb, gw_request_hold (request));
}
