/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-engine"

#include "config.h"

#include <sys/resource.h>

#include "engine/gw-engine-private.h"
#include "gw-error.h"
#include "queue/gw-queue-providers.h"

/* The steps of the start behind an open queue: the providers and their keys, the gateway, the
 * workers, what the last run left. Threading: the engine's own thread. Guarantee: a step that
 * fails undoes those before it. */

#define BATCH_PROJECT_PAGE 500

/* Every connection is a descriptor: a server takes as many as the system lets it have. */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

static void
gw_engine_tell_held_and_providers (GwEngine *self)
{
  g_autoptr (GPtrArray) configs = gw_catalogue_list (self->catalogue);
  gboolean practice_only = TRUE;

  for (guint i = 0; i < configs->len; i++)
    {
      GwProviderConfig *config = configs->pdata[i];

      if (config->kind != GW_PROVIDER_PRACTICE
          && gw_catalogue_is_in_use (self->catalogue, config->name))
        practice_only = FALSE;
    }
  /* The practice provider is always there: it is said of one that was set up beside others. */
  for (guint i = 0; i < configs->len && !practice_only; i++)
    {
      GwProviderConfig *config = configs->pdata[i];

      if (gw_catalogue_is_in_use (self->catalogue, config->name)
          && (config->kind != GW_PROVIDER_PRACTICE || config->configured))
        g_ptr_array_add (self->notices, _gw_notice_new_for_use (self->catalogue, config));
    }
  if (practice_only)
    {
      g_ptr_array_add (self->notices,
                       _gw_notice_new (GW_NOTICE_PRACTICE_ONLY,
                                       g_strdup ("No provider has a key: the practice provider "
                                                 "echoes each task, at no cost.")));
    }

  g_ptr_array_add (self->held, NULL);
}

static gboolean
gw_engine_start_gateway (GwEngine *self,
                         GError **error)
{
  GwGatewayOptions options = {
    .listen = self->listen != NULL ? self->listen : self->config->listen,
    .port = self->port >= 0 ? (guint16) self->port : self->config->port,
    .port_fallback = self->host != GW_HOST_DAEMON,
    .token = self->config->token,
    .allow_other_users = self->config->allow_other_users,
    .host_kind = self->host == GW_HOST_DAEMON   ? "daemon"
                 : self->host == GW_HOST_WINDOW ? "window"
                                                : "batch",
    .data_dir = self->data_dir,
  };
  g_autoptr (GwLiveSettings) settings = NULL;

  self->gateway = gw_gateway_new (&options, self->queue, self->catalogue);
  settings = gw_live_settings_new (self->config, self->queue, self->catalogue,
                                   _gw_engine_holds_uncertain (self));
  gw_gateway_set_settings (self->gateway, settings);
  gw_gateway_set_partials (self->gateway, self->partials);
  if (!gw_gateway_start (self->gateway, error))
    {
      g_clear_object (&self->gateway);
      return FALSE;
    }
  self->uri = g_strdup (gw_gateway_get_uri (self->gateway));

  /* Only data of our own are locked. */
  return self->lock == NULL || gw_data_lock_set_uri (self->lock, self->uri, error);
}

static void
gw_engine_start_pool (GwEngine *self)
{
  if (self->no_workers)
    return;

  self->pool = gw_worker_pool_new (self->queue, self->catalogue);
  gw_worker_pool_set_partials (self->pool, self->partials);
  gw_worker_pool_start (self->pool);
}

static void
gw_engine_started (GwEngine *self)
{
  /* Taken before it is returned: the owner may stop the engine at once, which sets another. */
  GTask *task = g_steal_pointer (&self->task);

  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* Engine thread: the queue is open and knows the providers. */
static void
gw_engine_serve (GwEngine *self)
{
  GError *error = NULL;

  self->asking = FALSE;
  if (self->late)
    {
      gw_engine_start_pool (self);
      _gw_engine_tell_ready (self);
      return;
    }

  gw_engine_tell_held_and_providers (self);
  if (!self->workers_only && !gw_engine_start_gateway (self, &error))
    {
      _gw_engine_start_failed (self, error);
      return;
    }

  gw_engine_start_pool (self);
  gw_engine_started (self);
}

/* The queue cannot be used yet: what does not need it is there all the same. */
static void
gw_engine_serve_without_queue (GwEngine *self)
{
  GError *error = NULL;

  if (self->late)
    {
      _gw_engine_wait (self);
      return;
    }

  gw_engine_tell_held_and_providers (self);
  if (!self->workers_only && !gw_engine_start_gateway (self, &error))
    {
      _gw_engine_start_failed (self, error);
      return;
    }
  self->late = TRUE;
  _gw_engine_wait (self);
  gw_engine_started (self);
}

/* A step of the start was answered. Takes @error. Returns: whether the next follows. */
static gboolean
gw_engine_goes_on (GwEngine *self,
                   GError *error)
{
  self->asking = FALSE;
  if (self->unwinds)
    {
      g_clear_error (&error);
      self->unwinds = FALSE;
      _gw_engine_unwind (self);
      return FALSE;
    }
  if (error == NULL)
    {
      self->asking = TRUE;
      return TRUE;
    }
  if (self->host != GW_HOST_BATCH && g_str_equal (gw_queue_get_kind (self->queue), "redis")
      && (g_error_matches (error, GW_ERROR, GW_ERROR_UNAVAILABLE)
          || g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE)))
    {
      g_clear_error (&error);
      gw_engine_serve_without_queue (self);
    }
  else if (self->late)
    {
      _gw_engine_tell_failed (self, error);
      g_clear_error (&error);
    }
  else
    {
      _gw_engine_start_failed (self, error);
    }

  return FALSE;
}

static void
recovery_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GwRecovery) recovery = NULL;
  GError *error = NULL;

  recovery = gw_queue_read_recovery_finish (GW_QUEUE (source), result, &error);
  if (!gw_engine_goes_on (self, error))
    return;

  /* The crash before this start, not one of the past. */
  if (recovery->recovered_at >= self->opening_at && recovery->attempts->len > 0)
    {
      g_autofree char *notice = g_strdup_printf (
        "The last run ended in a crash: no task is lost; the calls whose answer was not seen, and "
        "that may be paid twice: %u. GET /recovery names them.", recovery->attempts->len);

      if (self->late)
        g_message ("%s", notice);
      else
        {
          GwNotice *crash = _gw_notice_new (GW_NOTICE_CRASH, g_steal_pointer (&notice));

          crash->n = recovery->attempts->len;
          g_ptr_array_add (self->notices, crash);
        }
    }
  gw_engine_serve (self);
}

/* The window shows by itself what a crash left, and asks. */
static void
gw_engine_tell_recovery (GwEngine *self)
{
  if (self->unwinds)
    gw_engine_goes_on (self, NULL);
  else if (self->host == GW_HOST_WINDOW)
    gw_engine_serve (self);
  else
    gw_queue_read_recovery_async (self->queue, recovery_cb, self);
}

static void
held_projects_cb (GObject *source,
                  GAsyncResult *result,
                  gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GwProjectPage) page = NULL;
  GError *error = NULL;

  page = gw_queue_list_projects_finish (GW_QUEUE (source), result, &error);
  if (!gw_engine_goes_on (self, error))
    return;

  for (guint i = 0; i < page->projects->len; i++)
    {
      GwProject *project = page->projects->pdata[i];

      if (project->held && gw_project_count_unfinished (project) > 0)
        g_ptr_array_add (self->held, g_strdup (project->name));
    }
  if (page->more)
    {
      gw_queue_list_projects_async (self->queue, page->next, BATCH_PROJECT_PAGE, held_projects_cb,
                                    self);
      return;
    }

  gw_engine_tell_recovery (self);
}

/* Limits belong to the queue: those that the configuration asks for are only looked at. */
static void
gw_engine_tell_limits (GwEngine *self,
                       GPtrArray *lanes)
{
  g_autoptr (GPtrArray) configs = gw_catalogue_list (self->catalogue);

  for (guint i = 0; i < configs->len; i++)
    {
      GwProviderConfig *config = configs->pdata[i];
      GwNotice *notice = NULL;

      if (!gw_catalogue_is_in_use (self->catalogue, config->name))
        continue;
      for (guint j = 0; j < lanes->len && notice == NULL; j++)
        {
          GwLaneState *lane = lanes->pdata[j];

          if (g_str_equal (lane->provider, config->name))
            notice = _gw_notice_new_for_limits (config, lane);
        }
      if (notice == NULL)
        continue;
      /* A batch has no log: it says so itself. */
      if (self->host == GW_HOST_BATCH)
        {
          g_ptr_array_add (self->notices, notice);
          continue;
        }
      g_warning ("%s", notice->text);
      _gw_notice_free (notice);
    }
}

static void
gw_engine_list_held (GwEngine *self)
{
  if (self->host == GW_HOST_BATCH)
    gw_queue_list_projects_async (self->queue, 0, BATCH_PROJECT_PAGE, held_projects_cb, self);
  else
    gw_engine_tell_recovery (self);
}

static void
lane_resumed_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!gw_queue_resume_lane_finish (GW_QUEUE (source), result, &error))
    g_warning ("a stopped lane could not be resumed: %s", error->message);
  if (--self->n_resuming == 0)
    gw_engine_list_held (self);
}

/* A start is the user's act: what stopped a lane (a key, an account, a model) may have been put
 * right in the environment, where nobody sees it. If it was not, one call finds out. */
static void
stopped_lanes_cb (GObject *source,
                  GAsyncResult *result,
                  gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GPtrArray) lanes = NULL;
  GError *error = NULL;

  lanes = gw_queue_read_lanes_finish (GW_QUEUE (source), result, &error);
  if (!gw_engine_goes_on (self, error))
    return;

  gw_engine_tell_limits (self, lanes);
  self->n_resuming = 1;
  for (guint i = 0; i < lanes->len; i++)
    {
      GwLaneState *lane = lanes->pdata[i];

      if (!lane->stopped)
        continue;
      self->n_resuming++;
      gw_queue_resume_lane_async (self->queue, lane->provider, lane_resumed_cb, self);
    }
  if (--self->n_resuming == 0)
    gw_engine_list_held (self);
}

static void
first_providers_set_cb (GObject *source,
                        GAsyncResult *result,
                        gpointer user_data)
{
  GwEngine *self = user_data;
  g_auto (GStrv) ignored = NULL;
  GError *error = NULL;

  ignored = gw_queue_set_providers_finish (GW_QUEUE (source), result, &error);
  if (!gw_engine_goes_on (self, error))
    return;

  gw_queue_read_lanes_async (self->queue, stopped_lanes_cb, self);
}

static void
providers_set_cb (GObject *source,
                  GAsyncResult *result,
                  gpointer user_data)
{
  g_auto (GStrv) ignored = NULL;
  g_autoptr (GError) error = NULL;

  ignored = gw_queue_set_providers_finish (GW_QUEUE (source), result, &error);
  if (error != NULL)
    g_warning ("the queue could not be told of the providers: %s", error->message);
}

/* Engine thread. Limits that a person wrote are stored by the gateway that took them: if this is
 * here first, the stored ones still differ, and nothing is to be said of it. */
static gboolean
catalogue_changed_cb (gpointer data)
{
  GwEngine *self = data;
  g_autoptr (GPtrArray) providers = gw_queue_providers_new (self->catalogue, NULL);

  gw_queue_set_providers_async (self->queue, providers, FALSE, providers_set_cb, NULL);

  return G_SOURCE_CONTINUE;
}

/* The first step of those that need the queue. */
void
_gw_engine_tell_providers (GwEngine *self)
{
  g_autoptr (GPtrArray) providers = gw_queue_providers_new (self->catalogue, NULL);

  self->asking = TRUE;
  gw_queue_set_providers_async (self->queue, providers, self->set_limits, first_providers_set_cb,
                                self);
}

static void
catalogue_loaded_cb (GObject *source,
                     GAsyncResult *result,
                     gpointer user_data)
{
  GwEngine *self = user_data;
  g_autoptr (GwQueueTrouble) trouble = NULL;
  GError *error = NULL;

  if (!gw_catalogue_load_finish (GW_CATALOGUE (source), result, &error))
    {
      _gw_engine_start_failed (self, error);
      return;
    }

  self->catalogue_watch = gw_catalogue_watch (self->catalogue,
                                              gw_worker_thread_get_context (self->thread),
                                              catalogue_changed_cb, self, NULL);
  trouble = gw_queue_get_trouble (self->queue, NULL);
  if (trouble != NULL)
    gw_engine_serve_without_queue (self);
  else
    _gw_engine_tell_providers (self);
}

/* Engine thread. */
void
_gw_engine_start_cb (gpointer data)
{
  GwEngine *self = data;
  GError *error = NULL;

  raise_descriptor_limit ();
  self->config = gw_config_load (self->config_path, &error);
  if (self->config == NULL || !_gw_engine_open_queue (self, &error))
    {
      _gw_engine_start_failed (self, error);
      return;
    }

  self->catalogue = gw_catalogue_new (self->config);
  gw_catalogue_load_async (self->catalogue, NULL, catalogue_loaded_cb, self);
}
