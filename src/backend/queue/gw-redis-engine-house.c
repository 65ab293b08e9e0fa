/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-id.h"
#include "queue/gw-redis-engine-private.h"

/*
 * What the engine does by itself: it connects, and again; keeps its lease, looks after those of
 * others, and sweeps what time removes. The engine's thread.
 */

#define SWEEP_EVERY_MS 60000

void
gw_redis_engine_lose_connection (GwRedisEngine *engine,
                                 const GError *error)
{
  gw_redis_connection_close (engine->connection);
  if (engine->failure == NULL)
    g_warning ("%s", error->message);
  g_clear_error (&engine->failure);
  engine->failure = g_error_copy (error);
  engine->next_try = gw_redis_monotonic_ms () + engine->backoff;
}

/* --- Connecting. --- */

static gboolean
register_engine (GwRedisEngine *engine,
                 gboolean first,
                 GError **error)
{
  const GwRedisQueueOptions *options = &engine->options;
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_OPEN, NULL, NULL, NULL, NULL);
  g_autofree char *store = gw_id_new ();
  g_autofree char *project = gw_id_new ();
  g_autoptr (redisReply) reply = NULL;

  gw_redis_request_add_int (call, first && options->alone);
  gw_redis_request_add_int (call, gw_redis_engine_get_lease_ms (engine));
  gw_redis_request_add_int (call, options->max_concurrency);
  gw_redis_request_add_int (call, options->max_attempts);
  gw_redis_request_add_int (call, options->keep_days);
  gw_redis_request_add_int (call, options->hold_uncertain);
  gw_redis_request_add_int (call, first && options->hold_unfinished);
  gw_redis_request_add_text (call, engine->manual ? gw_clock_boot_id (engine->clock) : "redis");
  gw_redis_request_add_text (call, store);
  gw_redis_request_add_text (call, project);
  reply = gw_redis_engine_run_script (engine, GW_REDIS_OPEN, call->arguments, error);
  gw_redis_request_free (call);
  if (reply == NULL)
    return FALSE;

  if (!engine->manual)
    gw_clock_set_remote (engine->clock, gw_redis_reply_get_int (reply, 3));
  if (engine->store != NULL
      && !g_str_equal (engine->store, gw_redis_reply_get_text (reply, 2)))
    g_warning ("Redis at %s came back without its data: the tasks of before are lost, and those "
               "that run now belong to nobody. Restore its append-only file, and switch "
               "appendonly on.", engine->address->shown);
  g_free (engine->store);
  engine->store = g_strdup (gw_redis_reply_get_text (reply, 2));
  engine->next_beat = gw_redis_monotonic_ms () + gw_redis_engine_get_beat_ms (engine);

  return TRUE;
}

gboolean
gw_redis_engine_connect (GwRedisEngine *engine,
                         gboolean first,
                         GError **error)
{
  if (!gw_redis_connection_open (engine->connection, TRUE, error)
      || !gw_redis_connection_load_scripts (engine->connection, error)
      || !register_engine (engine, first, error))
    {
      gw_redis_connection_close (engine->connection);
      return FALSE;
    }
  if (engine->failure != NULL)
    g_message ("Redis at %s is back.", engine->address->shown);
  else if (!gw_redis_connection_get_server (engine->connection)->appends)
    g_message ("Redis at %s keeps no append-only file: a crash of it loses what its last snapshot "
               "does not hold. Set “appendonly yes”.", engine->address->shown);
  g_clear_error (&engine->failure);
  engine->backoff = GW_REDIS_FIRST_BACKOFF_MS;

  return TRUE;
}

/* The queue's keys were deleted under us: a new queue, and everybody is told. */
void
gw_redis_engine_begin_anew (GwRedisEngine *engine)
{
  g_autoptr (GError) error = NULL;

  engine->gone = FALSE;
  if (register_engine (engine, FALSE, &error))
    gw_redis_engine_resync (engine);
  else
    gw_redis_engine_lose_connection (engine, error);
}

void
gw_redis_engine_reconnect (GwRedisEngine *engine)
{
  g_autoptr (GError) error = NULL;

  if (gw_redis_engine_connect (engine, FALSE, &error))
    {
      /* What happened meanwhile, nobody has told us. */
      gw_redis_engine_resync (engine);
      return;
    }
  engine->backoff = MIN (engine->backoff * 2, GW_REDIS_MOST_BACKOFF_MS);
  gw_redis_engine_lose_connection (engine, error);
}

/* --- What the thread does by itself. --- */

static void
beat (GwRedisEngine *engine)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_BEAT, NULL, NULL, NULL, NULL);
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  gw_redis_request_add_int (call, gw_redis_engine_get_lease_ms (engine));
  gw_redis_request_add_int (call, engine->options.hold_uncertain);
  reply = gw_redis_engine_run_script (engine, GW_REDIS_BEAT, call->arguments, &error);
  gw_redis_request_free (call);
  if (reply == NULL)
    {
      gw_redis_engine_lose_connection (engine, error);
      return;
    }
  if (gw_redis_reply_get_int (reply, 2) > 0)
    g_message ("%d other engines have not been heard of for their lease; %d calls of theirs are "
               "uncertain, and their tasks are queued again.",
               (int) gw_redis_reply_get_int (reply, 2), (int) gw_redis_reply_get_int (reply, 3));
  if (!engine->manual)
    gw_clock_set_remote (engine->clock, gw_redis_reply_get_int (reply, 4));
  engine->next_beat = gw_redis_reply_get_int (reply, 6) > 0
                      ? gw_redis_monotonic_ms () + gw_redis_engine_get_beat_ms (engine) : 0;
}

static void
sweep (GwRedisEngine *engine)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_VERBS, NULL, NULL, NULL, NULL);
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  gw_redis_request_add_text (call, "sweep");
  reply = gw_redis_engine_run_script (engine, GW_REDIS_VERBS, call->arguments, &error);
  gw_redis_request_free (call);
  engine->last_sweep = gw_clock_wall (engine->clock);
  if (reply == NULL)
    {
      engine->next_sweep = engine->last_sweep + SWEEP_EVERY_MS;
      if (!gw_redis_connection_is_open (engine->connection))
        gw_redis_engine_lose_connection (engine, error);
      else
        g_warning ("What is old could not be removed: %s", error->message);
      return;
    }
  engine->next_sweep = gw_redis_reply_get_time (reply, 3);
  /* There was more than one turn takes. */
  if (engine->next_sweep <= engine->last_sweep)
    engine->next_sweep = engine->last_sweep
                         + (gw_redis_reply_get_int (reply, 2) >= 500 ? 1 : SWEEP_EVERY_MS);
}

/* Work of ours that is due; connected. */
void
gw_redis_engine_keep_house (GwRedisEngine *engine)
{
  gint64 wall = gw_clock_wall (engine->clock);

  if (engine->next_beat != 0 && gw_redis_monotonic_ms () >= engine->next_beat)
    beat (engine);
  if (gw_redis_connection_is_open (engine->connection)
      && (wall >= engine->next_sweep || wall - engine->last_sweep >= SWEEP_EVERY_MS))
    sweep (engine);
}
