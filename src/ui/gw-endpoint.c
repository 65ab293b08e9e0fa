/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-endpoint"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-endpoint-private.h"
#include "gw-engine.h"
#include "gw-task-words.h"

/* Which gateway the window speaks to (contract, section 1), and the one file of the window that
 * knows the backend: where no gateway is found, it starts the bundled one in this process and from
 * then on speaks to it over HTTP as to any other.
 *
 * An address that was given is tried again and again, with a growing pause, and never replaced by
 * itself; the default one that vanishes is looked for each second for 10 s, then the built-in one
 * carries on, if what was shown is its data, too.
 *
 * Main thread only. Signal `changed`: any of what the getters give. The client stays the same
 * object where it can, whatever its address becomes, so that lists and calls go on where they
 * were. */

#define MAX_ENGINE_RESTARTS 2  /* by itself, before it is left to the user */
#define REPLACE_LIMIT_MS 2000  /* for calls in flight, when another gateway takes over */

enum {
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwEndpoint, gw_endpoint, G_TYPE_OBJECT)

static void stop_engine (GwEndpoint *self, guint limit_ms);

/* Whoever asked for the end, once or more often, is told of it. */
static void
return_stopped (GwEndpoint *self,
                const GError *error)
{
  g_autoptr (GPtrArray) tasks = g_steal_pointer (&self->stop_tasks);
  guint i;

  self->stop_tasks = g_ptr_array_new_with_free_func (g_object_unref);
  for (i = 0; i < tasks->len; i++)
    if (error == NULL)
      g_task_return_boolean (tasks->pdata[i], TRUE);
    else
      g_task_return_error (tasks->pdata[i], g_error_copy (error));
}

/* What was left of the engine that failed is gone, the hold on the data with it. */
static void
failed_engine_stopped_cb (GObject *source,
                          GAsyncResult *result,
                          gpointer user_data)
{
  g_autoptr (GwEndpoint) self = user_data;
  g_autofree char *failure = g_steal_pointer (&self->failure);
  g_autoptr (GError) error = NULL;

  if (!gw_engine_stop_finish (GW_ENGINE (source), result, &error))
    g_warning ("the gateway that failed did not end in order: %s", error->message);
  self->engine_starts = FALSE;
  g_clear_object (&self->engine);
  if (self->stop_tasks->len > 0)
    return_stopped (self, NULL);
  else if (self->again)
    gw_endpoint_start (self);
  else if (self->restarts < MAX_ENGINE_RESTARTS)
    {
      self->restarts++;
      _gw_endpoint_start_engine (self);
    }
  else
    {
      _gw_endpoint_set_state (self, GW_ENDPOINT_FAILED, failure);
    }
}

/* The engine cannot go on; it is still to be stopped. */
static void
engine_failed_cb (GwEngine *engine,
                  const GError *error,
                  gpointer user_data)
{
  GwEndpoint *self = user_data;
  g_autofree char *reason = gw_error_to_words (error);

  g_message ("the built-in gateway stopped: %s", error->message);
  g_free (self->failure);
  /* Translators: %s is the reason */
  self->failure = g_strdup_printf (_("The built-in gateway stopped: %s"), reason);
  self->engine_runs = FALSE;
  self->engine_starts = TRUE;
  gw_engine_set_failed_func (engine, NULL, NULL);
  gw_engine_stop_async (engine, 0, failed_engine_stopped_cb, g_object_ref (self));
  _gw_endpoint_set_state (self, GW_ENDPOINT_STARTING, NULL);
}

static void
other_probed_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  g_autoptr (GwEndpoint) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwDiscovery) discovery = gw_discovery_probe_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->cancellable);
  _gw_endpoint_set_version (self, discovery);
  if (discovery != NULL && discovery->found == GW_FOUND_OURS && discovery->too_old)
    {
      g_autofree char *message = g_strdup_printf (
          /* Translators: %s is a version */
          _("An older Gangway, version %s, uses the data. End it, then retry."), self->version);

      _gw_endpoint_set_state (self, GW_ENDPOINT_FAILED, message);
    }
  else if (discovery != NULL && discovery->found == GW_FOUND_OURS)
    {
      _gw_endpoint_set_store (self, discovery->store);
      _gw_endpoint_set_client (self, discovery->uri, _gw_endpoint_get_token (self),
                               GW_PROTOCOL_GANGWAY);
    }
  else
    _gw_endpoint_set_state (
        self, GW_ENDPOINT_FAILED,
        _("Another program uses Gangway’s data, but does not answer. End it, then retry."));
}

static void
started_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwEndpoint) self = user_data;
  GwEngine *engine = GW_ENGINE (source);
  g_autoptr (GError) error = NULL;
  gboolean started = gw_engine_start_finish (engine, result, &error);

  self->engine_starts = FALSE;
  if (self->stop_tasks->len > 0)
    {
      if (started)
        stop_engine (self, self->stop_limit_ms);
      else
        {
          g_clear_object (&self->engine);
          return_stopped (self, NULL);
        }
      return;
    }
  g_clear_object (&self->cancellable);
  if (!started && self->again)
    {
      g_clear_object (&self->engine);
      gw_endpoint_start (self);
      return;
    }
  if (started)
    {
      GPtrArray *notices = gw_engine_get_notices (engine);

      for (guint i = 0; i < notices->len; i++)
        g_message ("%s", ((GwNotice *) notices->pdata[i])->text);
      self->engine_runs = TRUE;
      g_clear_pointer (&self->store, g_free);
      _gw_endpoint_set_version (self, NULL);
      if (self->again)
        {
          gw_endpoint_start (self);
          return;
        }
      _gw_endpoint_set_client (self, gw_engine_get_uri (engine), gw_engine_get_token (engine),
                               GW_PROTOCOL_GANGWAY);
      return;
    }
  if (g_error_matches (error, GW_ERROR, GW_ERROR_DATA_IN_USE)
      && gw_engine_get_other_uri (engine) != NULL)
    {
      g_autofree char *other = g_strdup (gw_engine_get_other_uri (engine));

      /* Whoever holds the data serves it: same tasks, same ids. */
      g_clear_object (&self->engine);
      self->cancellable = g_cancellable_new ();
      gw_discovery_probe_async (other, TRUE, _gw_endpoint_get_token (self), self->cancellable,
                                other_probed_cb, g_object_ref (self));
      return;
    }
  {
    g_autofree char *message = NULL;
    g_autofree char *reason = gw_error_to_words (error);

    g_clear_object (&self->engine);
    /* Translators: %s is the reason */
    message = g_strdup_printf (_("The built-in gateway could not start: %s"), reason);
    _gw_endpoint_set_state (self, GW_ENDPOINT_FAILED, message);
  }
}

static GwEngineOptions
get_options (GwEndpoint *self)
{
  return (GwEngineOptions) { .host = GW_HOST_WINDOW,
                             .config_path = self->config_path,
                             .data_dir = self->data_dir,
                             .port = -1 };
}

/* Whether our engine would serve what is shown. */
gboolean
_gw_endpoint_is_own_data (GwEndpoint *self)
{
  GwEngineOptions options = get_options (self);
  g_autofree char *own = NULL;

  if (self->client == NULL || gw_client_get_protocol (self->client) != GW_PROTOCOL_GANGWAY
      || self->store == NULL)
    return FALSE;
  own = gw_engine_dup_store (&options);
  return g_strcmp0 (own, self->store) == 0;
}

void
_gw_endpoint_start_engine (GwEndpoint *self)
{
  GwEngineOptions options = get_options (self);

  _gw_endpoint_stop_looking (self);
  g_clear_object (&self->engine);
  self->engine = gw_engine_new (&options);
  gw_engine_set_failed_func (self->engine, engine_failed_cb, self);
  _gw_endpoint_set_state (self, GW_ENDPOINT_STARTING, NULL);
  self->engine_starts = TRUE;
  self->cancellable = g_cancellable_new ();
  gw_engine_start_async (self->engine, self->cancellable, started_cb, g_object_ref (self));
}

static void
gw_endpoint_dispose (GObject *object)
{
  GwEndpoint *self = GW_ENDPOINT (object);

  _gw_endpoint_stop_looking (self);
  if (self->engine != NULL)
    gw_engine_set_failed_func (self->engine, NULL, NULL);
  g_clear_object (&self->engine);
  g_clear_object (&self->client);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (gw_endpoint_parent_class)->dispose (object);
}

static void
forget_token (GwEndpoint *self)
{
  if (self->token != NULL)
    explicit_bzero (self->token, strlen (self->token));
  g_clear_pointer (&self->token, g_free);
}

static void
gw_endpoint_finalize (GObject *object)
{
  GwEndpoint *self = GW_ENDPOINT (object);

  g_free (self->option);
  g_free (self->config_path);
  g_free (self->data_dir);
  g_free (self->uri);
  g_free (self->store);
  g_free (self->message);
  g_free (self->failure);
  g_ptr_array_unref (self->stop_tasks);
  forget_token (self);
  g_free (self->version);
  G_OBJECT_CLASS (gw_endpoint_parent_class)->finalize (object);
}

static void
gw_endpoint_class_init (GwEndpointClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_endpoint_dispose;
  object_class->finalize = gw_endpoint_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
}

/* Not before the first start, and not for what another, --gateway or GANGWAY_GATEWAY, decides. */
static void
preference_changed_cb (GwEndpoint *self)
{
  if (self->state == GW_ENDPOINT_IDLE || self->option != NULL
      || g_getenv ("GANGWAY_GATEWAY") != NULL)
    return;
  /* A token goes only to the address that it was entered for. */
  forget_token (self);
  gw_endpoint_start (self);
}

static void
gw_endpoint_init (GwEndpoint *self)
{
  self->settings = g_settings_new (GW_APPLICATION_ID);
  self->stop_tasks = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect_object (self->settings, "changed::gateway", G_CALLBACK (preference_changed_cb),
                           self, G_CONNECT_SWAPPED);
}

/**
 * gw_endpoint_new:
 * @option_uri: (nullable) the address given on the command line
 * @config_path: (nullable) of the built-in gateway
 * @data_dir: (nullable) of the built-in gateway
 */
GwEndpoint *
gw_endpoint_new (const char *option_uri,
                 const char *config_path,
                 const char *data_dir)
{
  GwEndpoint *self = g_object_new (GW_TYPE_ENDPOINT, NULL);

  self->option = g_strdup (option_uri);
  self->config_path = g_strdup (config_path);
  self->data_dir = g_strdup (data_dir);
  return self;
}

static void
engine_replaced_cb (GObject *source,
                    GAsyncResult *result,
                    gpointer user_data)
{
  g_autoptr (GwEndpoint) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_engine_stop_finish (GW_ENGINE (source), result, &error))
    g_warning ("the built-in gateway did not stop in order: %s", error->message);
  self->engine_starts = FALSE;
  g_clear_object (&self->engine);
  if (self->stop_tasks->len > 0)
    return_stopped (self, NULL);
  else
    gw_endpoint_start (self);
}

/**
 * gw_endpoint_start:
 *
 * Looks for a gateway; what comes of it is told by `changed`. Once started it does so by itself
 * when the preference changes: our own engine, if it runs, is stopped first; what was queued there
 * waits in its data.
 */
void
gw_endpoint_start (GwEndpoint *self)
{
  g_autofree char *preference = NULL;
  g_autoptr (GError) error = NULL;
  gboolean prefer_builtin;

  g_return_if_fail (GW_IS_ENDPOINT (self));

  _gw_endpoint_stop_looking (self);
  self->again = self->engine_starts;
  if (self->engine_starts)
    return;
  if (self->engine_runs)
    {
      self->engine_runs = FALSE;
      self->engine_starts = TRUE;
      gw_engine_set_failed_func (self->engine, NULL, NULL);
      gw_engine_stop_async (self->engine, REPLACE_LIMIT_MS, engine_replaced_cb,
                            g_object_ref (self));
      _gw_endpoint_set_state (self, GW_ENDPOINT_SEARCHING, NULL);
      return;
    }
  preference = g_settings_get_string (self->settings, "gateway");
  prefer_builtin = g_str_equal (preference, GW_ENDPOINT_PREFER_BUILTIN);
  g_free (self->uri);
  self->uri = gw_discovery_choose_uri (
      self->option, prefer_builtin || *preference == '\0' ? NULL : preference, &self->given,
      &error);
  self->tries = 0;
  self->gone = FALSE;
  self->restarts = 0;
  self->port_taken = FALSE;
  self->other_queue = TRUE;
  if (self->uri == NULL)
    {
      self->given = TRUE;
      _gw_endpoint_set_state (self, GW_ENDPOINT_UNREACHABLE, error->message);
      return;
    }
  if (!self->given && prefer_builtin)
    {
      _gw_endpoint_start_engine (self);
      return;
    }
  _gw_endpoint_set_state (self, GW_ENDPOINT_SEARCHING, NULL);
  _gw_endpoint_look (self);
}

/**
 * gw_endpoint_set_token:
 * @token: (nullable): for the preferred address; GANGWAY_TOKEN goes before it
 */
void
gw_endpoint_set_token (GwEndpoint *self,
                       const char *token)
{
  g_return_if_fail (GW_IS_ENDPOINT (self));

  if (g_strcmp0 (self->token, token) == 0)
    return;
  forget_token (self);
  self->token = g_strdup (token);
  if (self->state != GW_ENDPOINT_IDLE && self->given)
    gw_endpoint_start (self);
}

/* Another address from a second command line: it takes the place of the present gateway, unless
 * the built-in one has begun its work here. */
void
gw_endpoint_set_option (GwEndpoint *self,
                        const char *option_uri)
{
  g_return_if_fail (GW_IS_ENDPOINT (self));

  if (g_strcmp0 (self->option, option_uri) == 0 || self->engine_runs || self->engine_starts)
    return;
  g_free (self->option);
  self->option = g_strdup (option_uri);
  gw_endpoint_start (self);
}

void
gw_endpoint_retry_now (GwEndpoint *self)
{
  g_return_if_fail (GW_IS_ENDPOINT (self));

  switch (self->state)
    {
    case GW_ENDPOINT_FAILED:
      self->restarts = 0;
      _gw_endpoint_start_engine (self);
      break;
    case GW_ENDPOINT_LOST:
    case GW_ENDPOINT_UNREACHABLE:
      self->tries = 0;
      if (self->uri != NULL)
        _gw_endpoint_look (self);
      else
        gw_endpoint_start (self);
      break;
    case GW_ENDPOINT_IDLE:
    case GW_ENDPOINT_SEARCHING:
    case GW_ENDPOINT_STARTING:
    case GW_ENDPOINT_READY:
    default:
      break;
    }
}

/**
 * gw_endpoint_use_builtin:
 *
 * The user prefers the built-in gateway to the address that does not answer.
 */
void
gw_endpoint_use_builtin (GwEndpoint *self)
{
  g_return_if_fail (GW_IS_ENDPOINT (self));

  if (self->engine_runs || self->engine_starts)
    return;
  self->given = FALSE;
  self->gone = FALSE;
  self->other_queue = !_gw_endpoint_is_own_data (self);
  _gw_endpoint_start_engine (self);
}

static void
engine_stopped_cb (GObject *source,
                   GAsyncResult *result,
                   gpointer user_data)
{
  g_autoptr (GwEndpoint) self = user_data;
  g_autoptr (GError) error = NULL;

  gw_engine_stop_finish (GW_ENGINE (source), result, &error);
  self->engine_runs = FALSE;
  g_clear_object (&self->engine);
  return_stopped (self, error);
}

static void
stop_engine (GwEndpoint *self,
             guint limit_ms)
{
  gw_engine_set_failed_func (self->engine, NULL, NULL);
  gw_engine_stop_async (self->engine, limit_ms, engine_stopped_cb, g_object_ref (self));
}

/**
 * gw_endpoint_stop_async:
 * @limit_ms: calls in flight may end for so long
 *
 * Stops looking, and the built-in gateway if it runs; after it there is no thread and no port of
 * ours.
 */
void
gw_endpoint_stop_async (GwEndpoint *self,
                        guint limit_ms,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (GW_IS_ENDPOINT (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, gw_endpoint_stop_async);
  _gw_endpoint_stop_looking (self);
  _gw_endpoint_set_state (self, GW_ENDPOINT_IDLE, NULL);
  g_clear_object (&self->client);
  if (self->engine == NULL)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (self->engine_starts)
    {
      /* A start cannot be broken off in the middle; its end is near. */
      g_ptr_array_add (self->stop_tasks, g_steal_pointer (&task));
      self->stop_limit_ms = limit_ms;
      return;
    }
  if (!self->engine_runs)
    {
      g_clear_object (&self->engine);
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_ptr_array_add (self->stop_tasks, g_steal_pointer (&task));
  stop_engine (self, limit_ms);
}

gboolean
gw_endpoint_stop_finish (GwEndpoint *self,
                         GAsyncResult *result,
                         GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
