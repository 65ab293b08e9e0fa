/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-engine"

#include "config.h"

#include "engine/gw-engine-private.h"
#include "gw-error.h"
#include "queue/gw-queue-store.h"

/* What is done with the data of a queue while no engine works on them. Blocking. */

/* Ends of calls that an engine could not tell Redis: once the queue is elsewhere, nobody could. */
static gboolean
check_undelivered (const char *data_dir,
                   GError **error)
{
  g_autofree char *folder = g_build_filename (data_dir, GW_ENGINE_SPOOL, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, ".outcome");
  if (n == 0)
    return TRUE;

  g_set_error (
      error, GW_ERROR, GW_ERROR_CONFLICT,
      "%u answers in %s have not been told to the queue on Redis yet. Start gangwayd --redis "
      "on this folder until they have been, then move it.",
      n, folder);
  return FALSE;
}

static char *
dup_data_dir (const char *given)
{
  return given != NULL ? g_strdup (given)
                       : g_build_filename (g_get_user_data_dir (), "gangway", NULL);
}

/**
 * gw_engine_dup_store:
 * @options: whose data
 *
 * Returns: (nullable): their id
 */
char *
gw_engine_dup_store (const GwEngineOptions *options)
{
  g_autoptr (GwConfig) config = gw_config_load (options->config_path, NULL);
  g_autofree char *data_dir = dup_data_dir (options->data_dir);
  g_autofree char *redis = NULL;

  if (config == NULL)
    return NULL;
  redis = _gw_engine_dup_redis_uri (options->redis_uri, config);

  return redis == NULL ? gw_sqlite_store_dup_id (data_dir) : NULL;
}

/**
 * gw_engine_move_queue:
 * @options: from where to where
 * @error: (nullable): GW_ERROR_CONFIG; others as gw_queue_move() has them
 *
 * Moves all of a queue, or nothing, while no engine works on it. May be killed at any time and run
 * again. Blocks.
 *
 * Returns: whether the queue is there now
 */
gboolean
gw_engine_move_queue (const GwMoveOptions *options,
                      GError **error)
{
  g_autoptr (GwConfig) config = gw_config_load (options->config_path, error);
  g_autoptr (GwQueueStore) embedded = NULL;
  g_autoptr (GwQueueStore) redis = NULL;
  g_autofree char *data_dir = NULL;
  g_autofree char *uri = NULL;
  gboolean hold;

  if (config == NULL)
    return FALSE;
  uri = _gw_engine_dup_redis_uri (options->redis_uri, config);
  if (uri == NULL)
    {
      g_set_error_literal (
          error, GW_ERROR, GW_ERROR_CONFIG,
          "Nobody said which Redis: give --redis, or redis-uri in the configuration.");
      return FALSE;
    }
  data_dir = dup_data_dir (options->data_dir);
  hold = config->after_crash == GW_AFTER_CRASH_HOLD;
  if (!options->to_redis && !check_undelivered (data_dir, error))
    return FALSE;
  redis = gw_redis_store_new (uri, NULL, hold, error);
  if (redis == NULL)
    return FALSE;
  embedded = gw_sqlite_store_new (data_dir, hold, error);

  return gw_queue_move (options->to_redis ? embedded : redis, options->to_redis ? redis : embedded,
                        options->tell, options->user_data, error);
}
