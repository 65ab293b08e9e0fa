/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-engine"

#include "config.h"

#include <sys/resource.h>

#include "engine/gw-engine-private.h"
#include "gw-error.h"
#include "queue/gw-queue-store.h"
#include "queue/gw-redis-address.h"
#include "queue/gw-redis-queue.h"
#include "queue/gw-sqlite-queue.h"

/* Opens the queue, with a hold on its data where they are ours, and tells the owner when it fails.
 * Threading: the engine's own thread; the failure goes to the owner's. */

gboolean
_gw_engine_holds_uncertain (GwEngine *self)
{
  return self->config->after_crash == GW_AFTER_CRASH_HOLD
         || (self->host == GW_HOST_WINDOW && !self->config->after_crash_set);
}

typedef struct {
  GwEngine *engine;
  GError *error;
} Failure;

static void
failure_free (gpointer data)
{
  Failure *failure = data;

  g_object_unref (failure->engine);
  g_error_free (failure->error);
  g_free (failure);
}

static gboolean
tell_failed_cb (gpointer data)
{
  Failure *failure = data;
  GwEngine *self = failure->engine;

  if (self->failed != NULL && self->state == GW_ENGINE_RUNNING)
    self->failed (self, failure->error, self->failed_data);

  return G_SOURCE_REMOVE;
}

/* Any thread. */
void
_gw_engine_tell_failed (GwEngine *self,
                        const GError *error)
{
  Failure *failure = g_new (Failure, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  *failure = (Failure){ .engine = g_object_ref (self), .error = g_error_copy (error) };
  /* Not g_main_context_invoke(): where the owner's loop does not run just now, it would run it
   * here. */
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "gw-engine failed");
  g_source_set_callback (source, tell_failed_cb, failure, failure_free);
  g_source_attach (source, self->owner);
}

/* The queue's writer thread. */
static void
queue_failed_cb (const GError *error,
                 gpointer user_data)
{
  _gw_engine_tell_failed (user_data, error);
}

/* (transfer full) (nullable): the address of Redis, with all that stands apart from it; NULL:
 * nobody names one */
char *
_gw_engine_dup_redis_uri (const char *given,
                          const GwConfig *config)
{
  const char *uri = given != NULL ? given : config->redis_uri;
  g_autofree char *with_password = NULL;
  g_autofree char *with_ca = NULL;
  g_autofree char *with_cert = NULL;

  if (uri == NULL)
    return NULL;
  with_password = gw_redis_uri_with_password (uri, config->redis_password);
  with_ca = gw_redis_uri_with_file (with_password, "ca", config->redis_ca_file);
  with_cert = gw_redis_uri_with_file (with_ca, "cert", config->redis_cert_file);

  return gw_redis_uri_with_file (with_cert, "key", config->redis_key_file);
}

/* What waits in the embedded queue, nobody would see any more. */
static void
tell_left_behind (GwEngine *self,
                  const GwRedisAddress *address)
{
  guint64 n = gw_sqlite_store_count_unfinished (self->data_dir);

  if (n > 0)
    g_ptr_array_add (
        self->notices,
        _gw_notice_new (GW_NOTICE_OTHER, g_strdup_printf (
                         "%" G_GUINT64_FORMAT " unfinished tasks wait in the queue in %s, "
                         "which is not used while the one on %s is. To take them over, "
                         "stop this, and run: gangwayd --migrate-to redis (with the same "
                         "options).",
                         n, self->data_dir, address->shown)));
}

/* Which Redis a gateway on this folder used last, for who forgets to name it. */
#define USED_REDIS "used-redis"

static void
note_used_redis (GwEngine *self,
                 const GwRedisAddress *address)
{
  g_autofree char *path = g_build_filename (self->data_dir, USED_REDIS, NULL);
  g_autoptr (GError) error = NULL;

  if (self->host == GW_HOST_DAEMON && !self->workers_only
      && g_file_test (self->data_dir, G_FILE_TEST_IS_DIR)
      && !g_file_set_contents (path, address->shown, -1, &error))
    g_debug ("%s", error->message);
}

static void
tell_used_redis (GwEngine *self)
{
  g_autofree char *path = g_build_filename (self->data_dir, USED_REDIS, NULL);
  g_autofree char *shown = NULL;

  if (self->host != GW_HOST_DAEMON || !g_file_get_contents (path, &shown, NULL, NULL)
      || !g_utf8_validate (shown, -1, NULL))
    return;
  g_ptr_array_add (
      self->notices,
      _gw_notice_new (GW_NOTICE_OTHER, g_strdup_printf (
                       "A gateway on this folder used the queue on %s before; what waits "
                       "there is not seen here. Start with --redis and that address, or "
                       "bring it here: gangwayd --migrate-to embedded --redis and that "
                       "address. Delete %s to hear no more of it.",
                       shown, path)));
}

/* Others may work on it, too: nothing is locked, and whose lease runs out has died. */
static gboolean
gw_engine_open_redis (GwEngine *self,
                      GError **error)
{
  g_autofree char *uri = _gw_engine_dup_redis_uri (self->redis_uri, self->config);
  g_autofree char *spool_dir = g_build_filename (self->data_dir, GW_ENGINE_SPOOL, NULL);
  GwRedisQueueOptions options = {
    .uri = uri,
    .max_concurrency = self->config->max_concurrency,
    .max_attempts = self->config->max_attempts,
    .keep_days = self->config->keep_days,
    .set_limits = self->set_limits,
    .lease_seconds = self->config->lease_seconds,
    .hold_uncertain = _gw_engine_holds_uncertain (self),
    .spool_dir = spool_dir,
    /* Nobody looks at a batch's engine while it waits. */
    .wait = self->host != GW_HOST_BATCH,
    .no_workers = self->no_workers,
    .own_only = self->host == GW_HOST_BATCH,
  };
  g_autoptr (GwRedisAddress) address = gw_redis_address_parse (options.uri, error);
  GwRedisQueue *queue;

  if (address == NULL)
    return FALSE;
  if (!self->workers_only)
    tell_left_behind (self, address);
  self->opening_at = g_get_real_time () / 1000;
  queue = gw_redis_queue_new (&options, error);
  if (queue == NULL)
    return FALSE;

  self->queue = GW_QUEUE (queue);
  note_used_redis (self, address);
  if (self->workers_only)
    self->uri = g_strdup (address->shown);

  return TRUE;
}

gboolean
_gw_engine_open_queue (GwEngine *self,
                       GError **error)
{
  GwSqliteQueueOptions options = {
    .data_dir = self->data_dir,
    .clock = self->clock,
    .max_concurrency = self->config->max_concurrency,
    .max_attempts = self->config->max_attempts,
    .keep_days = self->config->keep_days,
    .hold_uncertain = _gw_engine_holds_uncertain (self),
    .hold_unfinished = self->host == GW_HOST_BATCH,
  };
  g_autofree char *moved = NULL;
  GwSqliteQueue *queue;

  if (self->redis_uri != NULL || self->config->redis_uri != NULL)
    return gw_engine_open_redis (self, error);
  if (self->workers_only)
    {
      g_set_error_literal (
          error, GW_ERROR, GW_ERROR_CONFIG,
          "--workers-only needs a queue on Redis: give --redis, or redis-uri in the "
          "configuration.");
      return FALSE;
    }

  self->lock = gw_data_lock_new (self->data_dir, &self->other_uri, error);
  if (self->lock == NULL)
    return FALSE;
  moved = gw_sqlite_store_find_moved (self->data_dir);
  if (moved != NULL)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFIG, moved);
      return FALSE;
    }

  tell_used_redis (self);
  self->opening_at = g_get_real_time () / 1000;
  queue = gw_sqlite_queue_new (&options, error);
  if (queue == NULL)
    return FALSE;

  gw_sqlite_queue_set_failed_func (queue, queue_failed_cb, self);
  self->queue = GW_QUEUE (queue);

  return TRUE;
}
