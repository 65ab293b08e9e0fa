/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test of a provider, and setting a stopped lane going again. Threading: the gateway's thread.
 * Guarantee: a test writes nothing but how it ended. */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include <string.h>

#include "gateway/gw-routes-providers-private.h"

#define TEST_SECONDS 10

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

/* What stops a lane is said with what sets it going again, and what passes with what happens then;
 * in a test neither is true. */
static char *
dup_message_of_test (const char *message)
{
  static const struct {
    const char *ending;
    const char *instead;
  } endings[] = {
    { ", then resume it.", "." },
    { " Mend that and resume it, or use another provider.",
      " Mend that, or use another provider." },
    { " It is tried again.", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      gsize length = strlen (message) - strlen (endings[i].ending);

      if (g_str_has_suffix (message, endings[i].ending))
        return g_strdup_printf ("%.*s%s", (int) length, message, endings[i].instead);
    }

  return g_strdup (message);
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
      g_autofree char *message = dup_message_of_test (error->message);
      gboolean late = g_cancellable_is_cancelled (test->cancellable);
      GwError code = late                        ? GW_ERROR_TASK_TIMEOUT
                     : error->domain == GW_ERROR ? (GwError) error->code
                                                 : GW_ERROR_TASK_UNKNOWN;

      json_object_set_string_member (problem, "code", gw_error_to_string (code));
      json_object_set_string_member (problem, "message",
                                     late ? "The provider did not answer in 10 seconds."
                                          : message);
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
  g_autoptr (GwProviderConfig) config = _gw_providers_make_config (request, known);
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
  if (!gw_json_get_string (body, "key", GW_JSON_NULLABLE, GW_PROVIDERS_MAX_KEY, &key, &error)
      || !_gw_providers_read_config (body, config, &error))
    {
      _gw_providers_fail_invalid (request, error);
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
        _gw_providers_fail_unknown (request);
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
  if (_gw_providers_check_catalogue (request))
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
    _gw_providers_read_and_respond (request);
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
