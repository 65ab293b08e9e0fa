/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <string.h>

#include "gw-error.h"
#include "queue/gw-redis-engine-private.h"

/*
 * Ends of calls that Redis does not take: they go to this machine's disk, and are told when it
 * takes them again, also those that another process left in the same folder.
 *
 * Threading: the engine's thread.
 */

#define DELIVER_AGAIN_MS 2000
#define DELIVER_TRIES 5

/* --- Keeping. --- */

/* Any thread. Whether the end of a call may be told later. */
gboolean
gw_redis_error_is_for_later (const GError *error)
{
  return error != NULL
         && (g_error_matches (error, GW_ERROR, GW_ERROR_UNAVAILABLE)
             || g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE)
             || g_error_matches (error, GW_ERROR, GW_ERROR_STOPPING)
             || g_error_matches (error, GW_ERROR, GW_ERROR_INTERNAL));
}

/* Before a request is answered: what it held is done with, or stays. */
void
gw_redis_request_let_go (GwRedisRequest *request)
{
  GwRedisEngine *engine = request->engine;

  if (request->held != NULL && (request->kept || gw_redis_error_is_for_later (request->error)))
    gw_redis_spool_leave (engine->spool, request->held);
  else if (request->held != NULL)
    gw_redis_spool_release (engine->spool, request->held);
  request->held = NULL;
  if (engine != NULL && request->script == GW_REDIS_FINISH && !request->kept
      && !gw_redis_error_is_for_later (request->error))
    gw_redis_engine_end_flight (engine, request->attempt);
}

/* It is on disk: who called need not wait any more. */
static void
answer_kept (GwRedisEngine *engine,
             GwRedisRequest *request)
{
  GwFinished *finished = gw_redis_finished_new_unseen (
    request, gw_clock_now (engine->clock) + DELIVER_AGAIN_MS);

  gw_redis_engine_flight_is_over (engine, request->attempt);
  finished->finished = GW_FINISH_KEPT;
  g_clear_error (&request->error);
  request->result = finished;
  request->kept = TRUE;
  if (engine->deliver_at == 0)
    engine->deliver_at = gw_redis_monotonic_ms () + DELIVER_AGAIN_MS;
  g_info ("the end of task %s is kept on this machine until Redis takes it",
          request->outcome->task_id);
}

/**
 * gw_redis_engine_keep:
 * @request: the end of a call that Redis has not taken, perhaps with the error that says why
 * @wait: whether to wait for the disk
 *
 * Any thread. Returns: whether it is on disk, and has its result; else its error says that the disk
 *   failed too, or it is untouched where nothing is known yet
 */
gboolean
gw_redis_engine_keep (GwRedisEngine *engine,
                      GwRedisRequest *request,
                      gboolean wait)
{
  g_autoptr (GError) error = NULL;
  GwRedisHeldState state;

  if (request->held == NULL)
    return FALSE;
  state = wait ? gw_redis_spool_wait (engine->spool, request->held, &error)
               : gw_redis_spool_get_state (engine->spool, request->held, &error);
  if (state == GW_REDIS_HELD_KEPT)
    {
      answer_kept (engine, request);
      return TRUE;
    }
  if (state == GW_REDIS_HELD_FAILED)
    {
      g_autofree char *why = g_strdup (request->error != NULL ? request->error->message
                                                              : "Redis is away.");

      g_clear_error (&request->error);
      g_set_error (&request->error, GW_ERROR, GW_ERROR_NO_SPACE, "%s And on this machine: %s", why,
                   error->message);
    }

  return FALSE;
}

/* It is for data that are not there any more: for a person to look at, nobody else can. */
gboolean
gw_redis_engine_keep_orphan (GwRedisEngine *engine,
                             GwRedisRequest *request)
{
  const char *store = request->outcome != NULL ? request->outcome->store : NULL;

  if (store == NULL || g_str_equal (store, engine->store))
    return FALSE;

  if (gw_redis_engine_keep (engine, request, TRUE))
    {
      g_warning ("The end of a call for task %s came when Redis had lost that task: nothing takes "
                 "it any more. It is kept in %s.", request->outcome->task_id,
                 gw_redis_spool_get_folder (engine->spool));
    }
  else
    {
      g_warning ("The end of a call for task %s came when Redis had lost that task: nothing takes "
                 "it any more, and it is lost.", request->outcome->task_id);
      g_clear_error (&request->error);
      g_set_error (&request->error, GW_ERROR, GW_ERROR_NOT_FOUND,
                   "Redis has lost the attempt's task.");
    }
  gw_redis_engine_end_flight (engine, request->attempt);
  gw_redis_request_answer (request);

  return TRUE;
}

/* --- Delivering. --- */

typedef struct {
  guint stored;
  guint extra;
  guint others;
} Tally;

/* The step of this one fails: it is tried a few times, and never stands before the others. Whether
 * it is to be tried again. */
static gboolean
note_failure (GwRedisEngine *engine,
              GwRedisKept *kept,
              const GError *error)
{
  guint tries = GPOINTER_TO_UINT (g_hash_table_lookup (engine->failed, kept->path)) + 1;

  if (!g_error_matches (error, GW_ERROR, GW_ERROR_INTERNAL))
    return FALSE;
  if (tries == 1)
    g_warning ("What a call for task %s came to could not be told to the queue: %s It is tried again, "
               "and set aside after %u times.", kept->outcome->task_id, error->message,
               DELIVER_TRIES);
  if (tries < DELIVER_TRIES)
    g_hash_table_replace (engine->failed, g_strdup (kept->path), GUINT_TO_POINTER (tries));
  else
    g_hash_table_remove (engine->failed, kept->path);

  return tries < DELIVER_TRIES;
}

/* Whether to go on. */
static gboolean
deliver_one (GwRedisEngine *engine,
             GwRedisKept *kept,
             Tally *tally,
             GError **error)
{
  GwRedisOutcome *outcome = kept->outcome;
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_FINISH, NULL, NULL, NULL, NULL);
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) local = NULL;
  g_autofree char *aside = NULL;

  gw_redis_request_add_outcome (call, outcome);
  reply = gw_redis_engine_run_script (engine, GW_REDIS_FINISH, call->arguments, &local);
  gw_redis_request_free (call);
  if (reply != NULL)
    {
      gint64 finished = gw_redis_reply_get_int (reply, 3);

      tally->stored += finished == GW_FINISH_STORED;
      tally->extra += finished == GW_FINISH_EXTRA;
      tally->others += finished != GW_FINISH_STORED && finished != GW_FINISH_EXTRA;
      gw_redis_spool_remove (engine->spool, kept);
      g_hash_table_remove (engine->failed, kept->path);
      gw_redis_engine_end_flight_of (engine, outcome);
      return TRUE;
    }
  if (note_failure (engine, kept, local))
    {
      engine->deliver_at = gw_redis_monotonic_ms () + DELIVER_AGAIN_MS;
      return TRUE;
    }
  if ((gw_redis_error_is_for_later (local)
       && !g_error_matches (local, GW_ERROR, GW_ERROR_INTERNAL))
      || !gw_redis_connection_is_open (engine->connection))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  gw_redis_engine_end_flight_of (engine, outcome);
  /* It had been told already, and only the word of it was lost. */
  if (g_error_matches (local, GW_ERROR, GW_ERROR_CONFLICT))
    {
      gw_redis_spool_remove (engine->spool, kept);
      return TRUE;
    }
  aside = gw_redis_spool_set_aside (engine->spool, kept);
  g_warning ("What a call for task %s came to cannot be told to the queue: %s It stays as %s.",
             outcome->task_id, local->message, aside != NULL ? aside : kept->path);

  return TRUE;
}

static void
tell_foreign (GwRedisEngine *engine,
              guint n_foreign)
{
  if (n_foreign == engine->n_foreign)
    return;

  engine->n_foreign = n_foreign;
  if (n_foreign > 0)
    g_warning ("%u ends of calls in %s belong to a queue that is not the one in Redis at %s: that one "
               "came back without its data, or is another. They stay there, and are told should "
               "their queue come back; what they hold can be read.", n_foreign,
               gw_redis_spool_get_folder (engine->spool), engine->address->shown);
}

/* Connected: tells Redis what lies on disk for it. */
void
gw_redis_engine_deliver (GwRedisEngine *engine)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;
  Tally tally = { 0 };
  guint n_foreign;

  engine->deliver_at = 0;
  if (engine->spool == NULL)
    return;

  list = gw_redis_spool_load (engine->spool, engine->store, &n_foreign);
  for (guint i = 0; i < list->len && error == NULL; i++)
    deliver_one (engine, list->pdata[i], &tally, &error);
  if (error != NULL)
    {
      engine->deliver_at = gw_redis_monotonic_ms () + DELIVER_AGAIN_MS;
      if (!gw_redis_connection_is_open (engine->connection))
        gw_redis_engine_lose_connection (engine, error);
    }
  if (tally.stored + tally.extra + tally.others > 0)
    g_message ("Told to Redis at %s, from this machine's disk: %u answers that became results, %u "
               "that were paid twice, %u other ends of calls.", engine->address->shown, tally.stored,
               tally.extra, tally.others);
  tell_foreign (engine, n_foreign);
}
