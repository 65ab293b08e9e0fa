/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

/* Finding the gateway of a run (contract, section 1), or being it.
 *
 * An address that the user gave is used or refused, never replaced. At the default address the
 * bundled engine is started where nobody serves; and where the gateway that was found there has
 * vanished for ten seconds, it goes on with the same data, if it is the same. */

#include "config.h"

#include <glib/gi18n.h>

#include "gw-discovery.h"
#include "gw-engine.h"
#include "gw-log.h"

#include "gw-batch-gateway.h"
#include "gw-batch-notices.h"

#define TAKE_OVER_AFTER_S 10

struct _GwBatchGateway {
  const GwBatchOptions *options; /* (borrowed) */
  GwBatchProgress *progress;     /* (borrowed) */
  char *token;                   /* (owned) (nullable) of a gateway that was found */
  char *uri;                     /* (owned) (nullable) */
  gboolean given;
  char *store;                   /* (owned) (nullable) of the gateway that was found */
  GwClient *client;              /* (owned) (nullable) */
  GwEngine *engine;              /* (owned) (nullable) in this process */
  gboolean engine_runs;
  gboolean taking_over;
  gboolean took_over;
  GError *failure;               /* (owned) (nullable) */
};

/**
 * gw_batch_gateway_new:
 * @options: (transfer none): the command line; outlives the gateway
 * @progress: (transfer none): for what is to be said; outlives the gateway
 *
 * Returns: (transfer full): not yet connected
 */
GwBatchGateway *
gw_batch_gateway_new (const GwBatchOptions *options,
                      GwBatchProgress *progress)
{
  GwBatchGateway *gateway = g_new0 (GwBatchGateway, 1);
  const char *token = g_getenv ("GANGWAY_TOKEN");

  gateway->options = options;
  gateway->progress = progress;
  if (token != NULL && *token != '\0')
    {
      gateway->token = g_strdup (token);
      gw_log_add_secret (token);
    }

  return gateway;
}

/**
 * gw_batch_gateway_free:
 * @gateway: (transfer full): a gateway; its engine has been stopped
 */
void
gw_batch_gateway_free (GwBatchGateway *gateway)
{
  g_clear_object (&gateway->client);
  g_clear_object (&gateway->engine);
  g_clear_error (&gateway->failure);
  g_free (gateway->token);
  g_free (gateway->uri);
  g_free (gateway->store);
  g_free (gateway);
}

static void
engine_failed_cb (GwEngine *engine,
                  const GError *error,
                  gpointer user_data)
{
  GwBatchGateway *gateway = user_data;

  g_clear_error (&gateway->failure);
  gateway->failure = g_error_copy (error);
}

/* What the user must know before the first call: whose keys are used, what is held back. */
static void
print_notices (GwBatchGateway *gateway,
               gboolean with_held)
{
  const GwBatchOptions *options = gateway->options;
  GPtrArray *notices = gw_engine_get_notices (gateway->engine);
  g_autofree char *held = NULL;

  for (guint i = 0; i < notices->len; i++)
    {
      GwNotice *notice = g_ptr_array_index (notices, i);
      g_autofree char *words = gw_batch_notice_to_words (notice);

      if (options->provider == NULL || notice->provider == NULL
          || g_str_equal (notice->provider, options->provider))
        gw_batch_progress_warn (gateway->progress, "%s", words);
    }
  if (!with_held)
    return;
  held = gw_batch_held_to_words (gw_engine_get_held (gateway->engine), options->resume,
                                 options->project);
  if (held != NULL)
    gw_batch_progress_say (gateway->progress, "%s", held);
}

static GwEngine *
new_engine (GwBatchGateway *gateway)
{
  GwEngineOptions options = {
    .host = GW_HOST_BATCH,
    .config_path = gateway->options->config,
    .data_dir = gateway->options->data_dir,
    .port = -1,
    .set_limits = gateway->options->set_limits,
  };
  GwEngine *engine = gw_engine_new (&options);

  gw_engine_set_failed_func (engine, engine_failed_cb, gateway);

  return engine;
}

static void
use_client (GTask *task,
            GwProtocol protocol,
            const char *uri,
            const char *token)
{
  GwBatchGateway *gateway = g_task_get_task_data (task);

  gateway->client = gw_client_new (uri, token, protocol);
  if (gateway->options->concurrency > 0)
    gw_client_set_minimal_concurrency (gateway->client, gateway->options->concurrency);
  g_task_return_pointer (task, g_object_ref (gateway->client), g_object_unref);
}

/* A gateway that someone else runs has its own configuration and data. */
static void
warn_of_ignored (GwBatchGateway *gateway)
{
  if (gateway->options->config != NULL || gateway->options->data_dir != NULL
      || gateway->options->set_limits)
    gw_batch_progress_warn (gateway->progress,
                            /* Translators: %s is an address; options are typed as they are */
                            _("The gateway at %s is used; --config, --data-dir and --set-limits "
                              "concern only the built-in one"), gateway->uri);
}

static void
other_probed_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GwBatchGateway *gateway = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwDiscovery) found = gw_discovery_probe_finish (result, &error);

  if (found == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
    }
  else if (found->found == GW_FOUND_OURS)
    {
      g_free (gateway->uri);
      gateway->uri = g_strdup (found->uri);
      gateway->store = g_strdup (found->store);
      use_client (task, GW_PROTOCOL_GANGWAY, found->uri, gateway->token);
    }
  else
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_DATA_IN_USE,
                               /* Translators: %s is an address */
                               _("Another Gangway has the data in use and does not answer at %s"),
                               found->uri);
    }
}

static void
engine_started_cb (GObject *source,
                   GAsyncResult *result,
                   gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GwBatchGateway *gateway = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  const char *other;

  if (gw_engine_start_finish (gateway->engine, result, &error))
    {
      gateway->engine_runs = TRUE;
      print_notices (gateway, TRUE);
      use_client (task, GW_PROTOCOL_GANGWAY, gw_engine_get_uri (gateway->engine),
                  gw_engine_get_token (gateway->engine));
      return;
    }

  other = gw_engine_get_other_uri (gateway->engine);
  if (g_error_matches (error, GW_ERROR, GW_ERROR_DATA_IN_USE) && other != NULL)
    gw_discovery_probe_async (other, TRUE, gateway->token, g_task_get_cancellable (task),
                              other_probed_cb, g_object_ref (task));
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
probed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GwBatchGateway *gateway = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwDiscovery) found = gw_discovery_probe_finish (result, &error);

  if (found == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  switch (found->found)
    {
    case GW_FOUND_OURS:
      gateway->store = g_strdup (found->store);
      warn_of_ignored (gateway);
      use_client (task, GW_PROTOCOL_GANGWAY, found->uri, gateway->token);
      return;

    case GW_FOUND_MINIMAL:
      warn_of_ignored (gateway);
      use_client (task, GW_PROTOCOL_MINIMAL, found->uri, gateway->token);
      return;

    case GW_FOUND_NOTHING:
      if (gateway->given)
        {
          g_task_return_new_error (task, GW_ERROR, GW_ERROR_UNREACHABLE,
                                   /* Translators: an address, then the reason */
                                   _("No gateway answers at %s (%s): start it, or leave the "
                                     "address out to use the built-in one"),
                                   found->uri, found->detail);
          return;
        }
      break;

    case GW_FOUND_OTHER:
    default:
      if (gateway->given)
        {
          g_task_return_new_error (task, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                                   /* Translators: an address, then the reason */
                                   _("What answers at %s is no gateway (%s)"),
                                   found->uri, found->detail);
          return;
        }
      break;
    }

  gateway->engine = new_engine (gateway);
  gw_engine_start_async (gateway->engine, g_task_get_cancellable (task), engine_started_cb,
                         g_object_ref (task));
}

/**
 * gw_batch_gateway_connect_async:
 * @gateway: not yet connected
 * @cancellable: (nullable): gives it up
 * @callback: called in the default context
 * @user_data: for @callback
 *
 * Finds a gateway or becomes one.
 */
void
gw_batch_gateway_connect_async (GwBatchGateway *gateway,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, gw_batch_gateway_connect_async);
  g_task_set_task_data (task, gateway, NULL);
  gateway->uri = gw_discovery_choose_uri (gateway->options->gateway, NULL, &gateway->given,
                                          &error);
  if (gateway->uri == NULL)
    {
      g_task_return_new_error (task, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s",
                               error->message);
      g_error_free (error);
      return;
    }

  gw_discovery_probe_async (gateway->uri, gateway->given, gateway->token, cancellable, probed_cb,
                            g_object_ref (task));
}

/**
 * gw_batch_gateway_connect_finish:
 * @gateway: a gateway
 * @result: what the callback got
 * @error: G_OPTION_ERROR, GW_ERROR or G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full): a client of it
 */
GwClient *
gw_batch_gateway_connect_finish (GwBatchGateway *gateway,
                                 GAsyncResult *result,
                                 GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * gw_batch_gateway_keeps_projects:
 * @gateway: a gateway that was connected
 *
 * Returns: whether a run can be taken up again there
 */
gboolean
gw_batch_gateway_keeps_projects (GwBatchGateway *gateway)
{
  return gw_client_get_protocol (gateway->client) == GW_PROTOCOL_GANGWAY;
}

/**
 * gw_batch_gateway_took_over:
 * @gateway: a gateway
 *
 * Returns: whether another engine runs in the place of the gateway that was found at first
 */
gboolean
gw_batch_gateway_took_over (GwBatchGateway *gateway)
{
  return gateway->took_over;
}

/**
 * gw_batch_gateway_get_failure:
 * @gateway: a gateway
 *
 * Returns: (transfer none) (nullable): why the engine in this process ended by itself
 */
const GError *
gw_batch_gateway_get_failure (GwBatchGateway *gateway)
{
  return gateway->failure;
}

static void
new_place_probed_cb (GObject *source,
                     GAsyncResult *result,
                     gpointer user_data)
{
  GwBatchGateway *gateway = user_data;
  g_autoptr (GwDiscovery) found = gw_discovery_probe_finish (result, NULL);

  gateway->taking_over = FALSE;
  if (found == NULL || found->found != GW_FOUND_OURS)
    return;
  if (gateway->store != NULL && g_strcmp0 (gateway->store, found->store) != 0)
    {
      gw_batch_progress_warn (gateway->progress,
                              _("The data of the gateway that is gone is not on this machine, or "
                                "in another folder: see --data-dir"));
      return;
    }

  gateway->took_over = TRUE;
  /* Translators: %s is an address */
  gw_batch_progress_warn (gateway->progress, _("Going on with the gateway at %s"), found->uri);
  gw_client_set_endpoint (gateway->client, found->uri,
                          gateway->engine_runs ? gw_engine_get_token (gateway->engine)
                                               : gateway->token);
}

static void
taken_over_cb (GObject *source,
               GAsyncResult *result,
               gpointer user_data)
{
  GwBatchGateway *gateway = user_data;
  g_autoptr (GError) error = NULL;
  const char *uri;

  if (gw_engine_start_finish (gateway->engine, result, &error))
    {
      gateway->engine_runs = TRUE;
      print_notices (gateway, FALSE);
      uri = gw_engine_get_uri (gateway->engine);
    }
  else
    {
      uri = gw_engine_get_other_uri (gateway->engine);
    }

  if (uri != NULL)
    {
      gw_discovery_probe_async (uri, TRUE, gateway->token, NULL, new_place_probed_cb, gateway);
      return;
    }

  gw_batch_progress_warn_error (gateway->progress, error);
  gateway->taking_over = FALSE;
}

/**
 * gw_batch_gateway_lost:
 * @gateway: a gateway that was connected
 * @seconds: for how long it has been silent
 *
 * Takes over where the address is the default one and nobody has been there for 10 s.
 */
void
gw_batch_gateway_lost (GwBatchGateway *gateway,
                       guint seconds)
{
  if (gateway->given || gateway->engine_runs || gateway->taking_over
      || seconds < TAKE_OVER_AFTER_S
      || gw_client_get_protocol (gateway->client) != GW_PROTOCOL_GANGWAY)
    return;

  gateway->taking_over = TRUE;
  g_clear_object (&gateway->engine);
  gateway->engine = new_engine (gateway);
  gw_engine_start_async (gateway->engine, NULL, taken_over_cb, gateway);
}

static void
stopped_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_engine_stop_finish (GW_ENGINE (source), result, &error))
    g_warning ("%s", error->message);
  g_task_return_boolean (task, TRUE);
}

/**
 * gw_batch_gateway_stop_async:
 * @gateway: a gateway
 * @limit_ms: what calls in flight have
 * @callback: called in the default context
 * @user_data: for @callback
 *
 * Ends the engine in this process; does nothing where there is none.
 */
void
gw_batch_gateway_stop_async (GwBatchGateway *gateway,
                             guint limit_ms,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, gw_batch_gateway_stop_async);
  if (!gateway->engine_runs)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }

  gateway->engine_runs = FALSE;
  gw_engine_stop_async (gateway->engine, limit_ms, stopped_cb, g_steal_pointer (&task));
}

/**
 * gw_batch_gateway_stop_finish:
 * @gateway: a gateway
 * @result: what the callback got
 *
 * What went wrong in the stop is in the log; nobody can do anything about it.
 */
void
gw_batch_gateway_stop_finish (GwBatchGateway *gateway,
                              GAsyncResult *result)
{
  g_task_propagate_boolean (G_TASK (result), NULL);
}
