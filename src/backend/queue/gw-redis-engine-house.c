/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-error.h"
#include "gw-id.h"
#include "queue/gw-redis-engine-private.h"

/*
 * What the engine does by itself: it connects, and again; keeps its lease, looks after those of
 * others, and sweeps what time removes. The engine's thread.
 */

#define SWEEP_EVERY_MS 60000
#define FULL_EVERY_MS 2000

/* --- What ails it. --- */

/* @fault: NONE: nothing any more. Says it in the log when it is another one than before. */
void
gw_redis_engine_set_trouble (GwRedisEngine *engine,
                             GwRedisFault fault,
                             const char *message)
{
  GwRedisFault before;

  g_mutex_lock (&engine->mutex);
  before = engine->fault;
  engine->fault = fault;
  if (before == GW_REDIS_FAULT_NONE)
    engine->trouble_since = g_get_real_time () / 1000;
  if (fault != before)
    {
      g_free (engine->trouble);
      engine->trouble = g_strdup (message);
    }
  g_mutex_unlock (&engine->mutex);

  if (fault == before)
    return;
  if (fault == GW_REDIS_FAULT_NONE)
    g_message ("Redis at %s is back.", engine->address->shown);
  else if (engine->spool == NULL)
    g_warning ("%s", message);
  else
    g_warning ("%s Until then nothing new is taken, and what running calls answer is kept in %s.",
               message, gw_redis_spool_get_folder (engine->spool));
}

/* The thread waits for Redis' answer, which others may want to know. */
void
gw_redis_engine_wait_begins (GwRedisEngine *engine)
{
  g_mutex_lock (&engine->mutex);
  engine->asked_at = gw_redis_monotonic_ms ();
  g_mutex_unlock (&engine->mutex);
}

void
gw_redis_engine_wait_ends (GwRedisEngine *engine)
{
  g_mutex_lock (&engine->mutex);
  engine->asked_at = 0;
  g_mutex_unlock (&engine->mutex);
}

static void
set_away (GwRedisEngine *engine,
          gboolean away)
{
  g_mutex_lock (&engine->mutex);
  engine->away = away;
  engine->link.connected = !away;
  if (away)
    engine->link.failures++;
  else
    engine->link.connections++;
  g_mutex_unlock (&engine->mutex);
}

/* @began: monotonic microseconds, when the first of @steps was sent. */
void
gw_redis_engine_note_round_trip (GwRedisEngine *engine,
                                 guint steps,
                                 gint64 began)
{
  g_mutex_lock (&engine->mutex);
  engine->link.round_trips++;
  engine->link.steps += steps;
  engine->link.seconds += (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
  g_mutex_unlock (&engine->mutex);
}

/* Any thread. */
void
gw_redis_engine_get_link (GwRedisEngine *engine,
                          GwQueueLink *link)
{
  g_mutex_lock (&engine->mutex);
  *link = engine->link;
  g_mutex_unlock (&engine->mutex);
}

/* Any thread. */
void
gw_redis_engine_get_limits (GwRedisEngine *engine,
                            GwQueueLimits *limits)
{
  g_mutex_lock (&engine->mutex);
  *limits = engine->limits;
  g_mutex_unlock (&engine->mutex);
}

/* The three that a reply tells from @index on. */
void
gw_redis_engine_take_limits (GwRedisEngine *engine,
                             const redisReply *reply,
                             guint index)
{
  g_mutex_lock (&engine->mutex);
  engine->limits.max_concurrency = (guint) gw_redis_reply_get_int (reply, index);
  engine->limits.max_attempts = (guint) gw_redis_reply_get_int (reply, index + 1);
  engine->limits.keep_days = (guint) gw_redis_reply_get_int (reply, index + 2);
  g_mutex_unlock (&engine->mutex);
}

/* @error: what the connection, or a reply, said. */
void
gw_redis_engine_lose_connection (GwRedisEngine *engine,
                                 const GError *error)
{
  GwRedisFault fault = engine->ill != NULL ? engine->ill_fault
                                           : gw_redis_connection_get_fault (engine->connection);

  gw_redis_connection_close (engine->connection);
  g_clear_error (&engine->ill);
  engine->full = FALSE;
  set_away (engine, TRUE);
  gw_redis_engine_set_trouble (engine, fault != GW_REDIS_FAULT_NONE ? fault : GW_REDIS_FAULT_AWAY,
                               error->message);
  g_clear_error (&engine->failure);
  /* Once it runs, nothing that ails Redis ends the program. */
  engine->failure = g_error_new_literal (GW_ERROR, GW_ERROR_UNAVAILABLE, error->message);
  engine->next_try = gw_redis_monotonic_ms () + engine->backoff;
  /* Who waits for a change is to hear of it. */
  gw_sq_watches_tell_revision (engine->watches, 0);
}

/* --- Connecting. --- */

/* What this engine can run, said anew: the queue forgets who is taken for dead. */
static gboolean
tell_providers (GwRedisEngine *engine,
                GError **error)
{
  g_autoptr (GPtrArray) told = NULL;
  g_autoptr (redisReply) reply = NULL;

  g_mutex_lock (&engine->mutex);
  if (engine->told != NULL)
    told = g_ptr_array_ref (engine->told);
  g_mutex_unlock (&engine->mutex);
  if (told == NULL)
    return TRUE;
  reply = gw_redis_engine_run_script (engine, GW_REDIS_VERBS, told, error);

  return reply != NULL;
}

static gboolean
register_engine (GwRedisEngine *engine,
                 gboolean first,
                 GError **error)
{
  const GwRedisQueueOptions *options = &engine->options;
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_OPEN, NULL, NULL, NULL, NULL);
  g_autofree char *store = gw_id_new ();
  g_autofree char *project = gw_id_new ();
  const char *run_id = gw_redis_connection_get_server (engine->connection)->run_id;
  g_autoptr (GArray) flights = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (redisReply) reply = NULL;
  const redisReply *differing;
  GwQueueLimits limits;
  const char *found;
  gboolean other;

  gw_redis_request_add_int (call, first && options->alone);
  gw_redis_request_add_int (call, gw_redis_engine_get_lease_ms (engine));
  /* A queue that has to be made anew gets what the one before had. */
  gw_redis_engine_get_limits (engine, &limits);
  gw_redis_request_add_int (call, limits.max_concurrency);
  gw_redis_request_add_int (call, limits.max_attempts);
  gw_redis_request_add_int (call, limits.keep_days);
  gw_redis_request_add_int (call, options->hold_uncertain);
  gw_redis_request_add_int (call, first && options->hold_unfinished);
  gw_redis_request_add_text (call, engine->manual ? gw_clock_boot_id (engine->clock) : "redis");
  gw_redis_request_add_text (call, store);
  gw_redis_request_add_text (call, project);
  gw_redis_request_add_text (call, run_id);
  gw_redis_request_add_int (call, !options->no_workers);
  gw_redis_request_add_int (call, options->own_only);
  gw_redis_request_add_int (call, first && options->set_limits);
  gw_redis_request_add_text (call, engine->store);
  gw_redis_engine_add_flights (engine, call, flights);
  reply = gw_redis_engine_run_script (engine, GW_REDIS_OPEN, call->arguments, error);
  gw_redis_request_free (call);
  if (reply == NULL)
    return FALSE;

  if (!engine->manual)
    gw_clock_set_remote (engine->clock, gw_redis_reply_get_int (reply, 3),
                         gw_redis_reply_get_int (reply, 4));
  gw_redis_engine_take_limits (engine, reply, 5);
  differing = gw_redis_reply_get (reply, 8);
  for (guint i = 0; first && i < gw_redis_reply_get_length (differing); i++)
    g_warning ("%s", gw_redis_reply_get_text (differing, i));
  found = gw_redis_reply_get_text (reply, 2);
  other = g_strcmp0 (engine->store, found) != 0;
  if (engine->store != NULL && other)
    g_warning ("Redis at %s came back without its data: the tasks of before are lost, and those "
               "that run now belong to nobody. Restore its append-only file, and switch "
               "appendonly on.", engine->address->shown);
  g_free (engine->store);
  engine->store = g_strdup (found);
  if (other || g_strcmp0 (engine->run_id, run_id) != 0)
    gw_redis_engine_begin_era (engine);
  gw_redis_engine_take_flights (engine, flights, gw_redis_reply_get (reply, 9));
  g_free (engine->run_id);
  engine->run_id = g_strdup (run_id);
  engine->opened = TRUE;
  engine->deliver_at = 1;
  engine->next_beat = gw_redis_monotonic_ms () + gw_redis_engine_get_beat_ms (engine);
  engine->stranger = FALSE;

  return tell_providers (engine, error);
}

gboolean
gw_redis_engine_connect (GwRedisEngine *engine,
                         gboolean first,
                         GError **error)
{
  gboolean open;

  gw_redis_engine_wait_begins (engine);
  open = gw_redis_connection_open (engine->connection, TRUE, error)
         && gw_redis_connection_load_scripts (engine->connection, error)
         && gw_redis_engine_clear_remains (engine, error);
  gw_redis_engine_wait_ends (engine);
  if (!open || !register_engine (engine, first, error))
    {
      gw_redis_connection_close (engine->connection);
      return FALSE;
    }
  if (!first && !gw_redis_engine_give_up_unheard (engine, error))
    {
      gw_redis_connection_close (engine->connection);
      return FALSE;
    }
  set_away (engine, FALSE);
  gw_redis_engine_set_trouble (engine, GW_REDIS_FAULT_NONE, NULL);
  if (first && !gw_redis_connection_get_server (engine->connection)->appends)
    g_message ("Redis at %s keeps no append-only file: a crash of it loses what its last snapshot "
               "does not hold. Set “appendonly yes”.", engine->address->shown);
  g_clear_error (&engine->failure);
  engine->backoff = GW_REDIS_FIRST_BACKOFF_MS;

  return TRUE;
}

/* The queue's keys were deleted under us, or others took this engine for dead: it comes anew, and
 * looks at everything. */
void
gw_redis_engine_begin_anew (GwRedisEngine *engine)
{
  g_autoptr (GError) error = NULL;

  engine->gone = FALSE;
  engine->stranger = FALSE;
  if (gw_redis_engine_clear_remains (engine, &error) && register_engine (engine, FALSE, &error))
    gw_redis_engine_resync (engine);
  else
    gw_redis_engine_lose_connection (engine, error);
}

void
gw_redis_engine_reconnect (GwRedisEngine *engine)
{
  g_autoptr (GError) error = NULL;

  if (gw_redis_engine_connect (engine, !engine->opened, &error))
    {
      /* What happened meanwhile, nobody has told us; and the watch may hang on what is gone. */
      gw_redis_watch_renew (engine->watch);
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
  gw_redis_engine_add_ghosts (engine, call);
  reply = gw_redis_engine_run_script (engine, GW_REDIS_BEAT, call->arguments, &error);
  gw_redis_request_free (call);
  if (reply == NULL)
    {
      /* Whether it takes changes again is found out by asking. */
      engine->next_beat = gw_redis_monotonic_ms () + FULL_EVERY_MS;
      if (!gw_redis_connection_is_open (engine->connection))
        gw_redis_engine_lose_connection (engine, error);
      return;
    }
  if (gw_redis_reply_get_int (reply, 2) > 0)
    g_message ("%d other engines have not been heard of for their lease; %d calls of theirs are "
               "uncertain, and their tasks are queued again.",
               (int) gw_redis_reply_get_int (reply, 2), (int) gw_redis_reply_get_int (reply, 3));
  if (!engine->manual)
    gw_clock_set_remote (engine->clock, gw_redis_reply_get_int (reply, 4),
                         gw_redis_reply_get_int (reply, 5));
  gw_redis_engine_take_limits (engine, reply, 7);
  engine->next_beat = gw_redis_reply_get_int (reply, 6) > 0
                      ? gw_redis_monotonic_ms () + gw_redis_engine_get_beat_ms (engine) : 0;
}

static void
sweep (GwRedisEngine *engine)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_VERBS, NULL, NULL, NULL, NULL);
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  /* Somebody may have set it otherwise meanwhile: to throw keys away, say. */
  if (!engine->sweeping && !gw_redis_connection_check_server (engine->connection, &error))
    {
      gw_redis_request_free (call);
      gw_redis_engine_lose_connection (engine, error);
      return;
    }
  gw_redis_request_add_text (call, "sweep");
  reply = gw_redis_engine_run_script (engine, GW_REDIS_VERBS, call->arguments, &error);
  gw_redis_request_free (call);
  engine->last_sweep = gw_clock_wall (engine->clock);
  /* Another process of this machine may have left something. */
  if (engine->spool != NULL && engine->deliver_at == 0)
    engine->deliver_at = 1;
  engine->sweeping = FALSE;
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
  /* There was more than one turn takes; what cannot go yet is looked at again in a minute. */
  engine->sweeping = gw_redis_reply_get_int (reply, 2) != 0;
  if (!engine->sweeping && engine->next_sweep <= engine->last_sweep)
    engine->next_sweep = engine->last_sweep + SWEEP_EVERY_MS;
}

/* Work of ours that is due; connected. */
void
gw_redis_engine_keep_house (GwRedisEngine *engine)
{
  gint64 wall = gw_clock_wall (engine->clock);

  if (g_atomic_int_compare_and_exchange (&engine->doubted, TRUE, FALSE))
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (redisReply) pong = gw_redis_connection_run (engine->connection, &error, "PING",
                                                             NULL);

      if (!gw_redis_connection_is_open (engine->connection))
        {
          gw_redis_engine_lose_connection (engine, error);
          return;
        }
    }
  if (g_atomic_int_compare_and_exchange (&engine->damaged, TRUE, FALSE))
    engine->next_sweep = wall;
  if (engine->next_beat != 0 && gw_redis_monotonic_ms () >= engine->next_beat)
    beat (engine);
  if (gw_redis_connection_is_open (engine->connection)
      && (engine->sweeping || wall >= engine->next_sweep
          || wall - engine->last_sweep >= SWEEP_EVERY_MS || wall < engine->last_sweep))
    {
      sweep (engine);
      if (gw_redis_connection_is_open (engine->connection))
        gw_redis_engine_repair (engine);
    }
  else if (gw_redis_connection_is_open (engine->connection) && engine->repairing)
    {
      gw_redis_engine_repair (engine);
    }
  if (gw_redis_connection_is_open (engine->connection) && engine->deliver_at != 0
      && gw_redis_monotonic_ms () >= engine->deliver_at)
    gw_redis_engine_deliver (engine);
}
