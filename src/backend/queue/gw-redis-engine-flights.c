/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <string.h>

#include "queue/gw-redis-engine-private.h"

/*
 * What this engine has in hand: the calls that were claimed and whose end has not been told.
 *
 * An attempt is told by its store, its engine, its task and a number that was drawn for it (nonce),
 * beside its own: a Redis that comes back without its data, or with older ones, gives the same
 * numbers again, and no answer may ever become that of another task. What the engine's callers see
 * as an attempt has the number of the era above that of the attempt; an era ends when the server is
 * another one than before. What is in hand is told whenever the engine comes, so that Redis learns
 * anew what it has lost, and nobody is given a slot that is taken.
 *
 * Threading: the engine's thread, but for those that say otherwise.
 */

#define ERA_SHIFT 40
#define NUMBER_MASK ((G_GUINT64_CONSTANT (1) << ERA_SHIFT) - 1)

/* A call under way. */
typedef struct {
  guint64 attempt;    /* as callers know it */
  guint64 number;     /* as Redis does */
  guint64 nonce;      /* drawn for it when it was claimed */
  char *store;        /* whose number it is */
  char *task_id;
  char *provider;
  char *worker;
  guint slot;
  gint64 began;       /* monotonic ms: sent, or else claimed */
  gboolean sent;
  gboolean over;      /* what it came to is on disk */
  char *ghost;        /* (nullable) its task is gone; what holds its slot in Redis */
} Flight;

static void
free_flight (gpointer data)
{
  Flight *flight = data;

  g_free (flight->store);
  g_free (flight->task_id);
  g_free (flight->provider);
  g_free (flight->worker);
  g_free (flight->ghost);
  g_free (flight);
}

GHashTable *
gw_redis_flights_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_flight);
}

/* The server is another one, or another one's data: numbers may come again. */
void
gw_redis_engine_begin_era (GwRedisEngine *engine)
{
  g_mutex_lock (&engine->mutex);
  g_ptr_array_add (engine->eras, g_strdup (engine->store));
  g_mutex_unlock (&engine->mutex);
}

/* A claim was granted: @grant is given the number that callers know. */
void
gw_redis_engine_note_grant (GwRedisEngine *engine,
                            GwRedisRequest *request,
                            GwGrant *grant,
                            guint64 nonce)
{
  Flight *flight;

  if (grant == NULL || grant->verdict != GW_VERDICT_START || grant->idle)
    return;

  flight = g_new0 (Flight, 1);
  flight->number = grant->attempt;
  flight->nonce = nonce;
  flight->store = g_strdup (engine->store);
  flight->task_id = g_strdup (grant->task_id);
  flight->provider = g_strdup (request->provider);
  flight->worker = g_strdup (request->worker);
  flight->slot = request->slot;
  flight->began = gw_redis_monotonic_ms ();
  g_mutex_lock (&engine->mutex);
  grant->attempt |= (guint64) (engine->eras->len - 1) << ERA_SHIFT;
  flight->attempt = grant->attempt;
  g_hash_table_replace (engine->flights, &flight->attempt, flight);
  g_mutex_unlock (&engine->mutex);
}

/* Any thread: @attempt is being sent, just now. */
void
gw_redis_engine_note_sent (GwRedisEngine *engine,
                           guint64 attempt)
{
  Flight *flight;

  g_mutex_lock (&engine->mutex);
  flight = g_hash_table_lookup (engine->flights, &attempt);
  if (flight != NULL && !flight->sent)
    {
      flight->sent = TRUE;
      flight->began = gw_redis_monotonic_ms ();
    }
  g_mutex_unlock (&engine->mutex);
}

/* Any thread. Gives what Redis must know of @attempt beside its number; free each. */
void
gw_redis_engine_find_flight (GwRedisEngine *engine,
                             guint64 attempt,
                             GwRedisFlight *found)
{
  guint era = (guint) (attempt >> ERA_SHIFT);
  Flight *flight;

  memset (found, 0, sizeof *found);
  found->number = attempt & NUMBER_MASK;
  g_mutex_lock (&engine->mutex);
  flight = g_hash_table_lookup (engine->flights, &attempt);
  if (flight != NULL)
    {
      found->number = flight->number;
      found->nonce = flight->nonce;
      found->engine = g_strdup (engine->id);
      found->task_id = g_strdup (flight->task_id);
      found->provider = g_strdup (flight->provider);
      found->store = g_strdup (flight->store);
    }
  else if (era < engine->eras->len)
    {
      found->store = g_strdup (engine->eras->pdata[era]);
    }
  g_mutex_unlock (&engine->mutex);
}

void
gw_redis_flight_clear (GwRedisFlight *flight)
{
  g_clear_pointer (&flight->store, g_free);
  g_clear_pointer (&flight->engine, g_free);
  g_clear_pointer (&flight->task_id, g_free);
  g_clear_pointer (&flight->provider, g_free);
}

/* What @attempt came to is on disk: the call itself is over. */
void
gw_redis_engine_flight_is_over (GwRedisEngine *engine,
                                guint64 attempt)
{
  Flight *flight;

  g_mutex_lock (&engine->mutex);
  flight = g_hash_table_lookup (engine->flights, &attempt);
  if (flight != NULL)
    flight->over = TRUE;
  g_mutex_unlock (&engine->mutex);
}

/* Any thread: the end of @attempt has been told, or nobody takes it any more. */
void
gw_redis_engine_end_flight (GwRedisEngine *engine,
                            guint64 attempt)
{
  g_mutex_lock (&engine->mutex);
  g_hash_table_remove (engine->flights, &attempt);
  g_mutex_unlock (&engine->mutex);
}

/* The same for what lay on disk, perhaps another process'. */
void
gw_redis_engine_end_flight_of (GwRedisEngine *engine,
                               GwRedisOutcome *outcome)
{
  GHashTableIter iter;
  gpointer value;

  if (!g_str_equal (outcome->engine, engine->id))
    return;

  g_mutex_lock (&engine->mutex);
  g_hash_table_iter_init (&iter, engine->flights);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      if (((Flight *) value)->nonce == outcome->nonce)
        g_hash_table_iter_remove (&iter);
    }
  g_mutex_unlock (&engine->mutex);
}

/* --- What is in hand, told to Redis. --- */

/* For the step `open`: all of it, since Redis may have come back with less than it had. @told is
 * given the attempts in the order of telling. */
void
gw_redis_engine_add_flights (GwRedisEngine *engine,
                             GwRedisRequest *call,
                             GArray *told)
{
  gint64 now = gw_redis_monotonic_ms ();
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&engine->mutex);
  gw_redis_request_add_int (call, g_hash_table_size (engine->flights));
  g_hash_table_iter_init (&iter, engine->flights);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Flight *flight = value;

      g_array_append_val (told, flight->attempt);
      gw_redis_request_add_int (call, (gint64) flight->number);
      gw_redis_request_add_int (call, (gint64) flight->nonce);
      gw_redis_request_add_text (call, flight->provider);
      gw_redis_request_add_text (call, flight->task_id);
      gw_redis_request_add_int (call, now - flight->began);
      gw_redis_request_add_int (call, flight->sent);
      gw_redis_request_add_int (call, flight->slot);
      gw_redis_request_add_text (call, flight->worker);
      gw_redis_request_add_int (call, flight->over);
    }
  g_mutex_unlock (&engine->mutex);
}

/* @words: (nullable): what Redis said of each of @told. */
void
gw_redis_engine_take_flights (GwRedisEngine *engine,
                              GArray *told,
                              const redisReply *words)
{
  guint n_lost = 0;

  g_mutex_lock (&engine->mutex);
  for (guint i = 0; i < told->len; i++)
    {
      guint64 attempt = g_array_index (told, guint64, i);
      Flight *flight = g_hash_table_lookup (engine->flights, &attempt);
      const char *word = gw_redis_reply_get_text (words, i);

      if (flight == NULL)
        continue;
      g_clear_pointer (&flight->ghost, g_free);
      if (*word == 'L' || *word == 'A')
        {
          n_lost += *word == 'A';
          flight->number = g_ascii_strtoull (word + 1, NULL, 10);
          g_free (flight->store);
          flight->store = g_strdup (engine->store);
        }
      else if (*word == 'G')
        {
          flight->ghost = g_strdup (word + 1);
          n_lost++;
        }
    }
  g_mutex_unlock (&engine->mutex);

  if (n_lost > 0)
    g_message ("Redis at %s had lost %u calls that are under way here, and was told of them: they "
               "count in the limits again.", engine->address->shown, n_lost);
}

/* For the step `beat`: calls that are under way and whose tasks are gone. */
void
gw_redis_engine_add_ghosts (GwRedisEngine *engine,
                            GwRedisRequest *call)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&engine->mutex);
  g_hash_table_iter_init (&iter, engine->flights);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Flight *flight = value;

      if (flight->ghost == NULL || flight->over)
        continue;
      g_ptr_array_add (texts, g_strdup (flight->provider));
      g_ptr_array_add (texts, g_strdup (flight->ghost));
    }
  g_mutex_unlock (&engine->mutex);

  gw_redis_request_add_int (call, texts->len / 2);
  for (guint i = 0; i < texts->len; i++)
    gw_redis_request_add_text (call, texts->pdata[i]);
}

/* A claim may have been granted whose answer was lost with the connection: nobody has its task in
 * hand, and our lease would hold it for ever. After a reconnect: what we do have is told. */
gboolean
gw_redis_engine_give_up_unheard (GwRedisEngine *engine,
                                 GError **error)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_CLOSE, NULL, NULL, NULL, NULL);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (redisReply) reply = NULL;
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&engine->mutex);
  g_hash_table_iter_init (&iter, engine->flights);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Flight *flight = value;

      if (g_strcmp0 (flight->store, engine->store) == 0)
        g_array_append_val (numbers, flight->number);
    }
  g_mutex_unlock (&engine->mutex);

  gw_redis_request_add_int (call, numbers->len);
  for (guint i = 0; i < numbers->len; i++)
    gw_redis_request_add_int (call, (gint64) g_array_index (numbers, guint64, i));
  reply = gw_redis_engine_run_script (engine, GW_REDIS_CLOSE, call->arguments, error);
  gw_redis_request_free (call);
  if (reply == NULL)
    return FALSE;
  if (gw_redis_reply_get_int (reply, 2) > 0)
    g_message ("%d tasks were given to this engine when the connection was lost, and it never heard "
               "of them: they are queued again.", (int) gw_redis_reply_get_int (reply, 2));

  return TRUE;
}

/* An attempt that Redis names by its number, as callers know it. A claim whose answer is on its way
 * yet is no flight: it is of this era. */
void
gw_redis_engine_tell_abort (GwRedisEngine *engine,
                            const char *lane,
                            guint64 number)
{
  g_autoptr (GArray) attempts = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint64 young = number;
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&engine->mutex);
  if (engine->eras->len > 0)
    young |= (guint64) (engine->eras->len - 1) << ERA_SHIFT;
  g_array_append_val (attempts, young);
  g_hash_table_iter_init (&iter, engine->flights);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Flight *flight = value;

      if (flight->number == number && flight->attempt != young)
        g_array_append_val (attempts, flight->attempt);
    }
  g_mutex_unlock (&engine->mutex);

  for (guint i = 0; i < attempts->len; i++)
    gw_sq_watches_tell_abort (engine->watches, lane, g_array_index (attempts, guint64, i));
}
