/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-error.h"
#include "gw-id.h"
#include "queue/gw-redis-engine-private.h"

/*
 * The thread that speaks to Redis. It takes all requests that wait, sends their scripts in one
 * pipeline and answers them in order, so that a burst is a few round trips. It renews the engine's
 * lease while anything is under way, sweeps what time removes, and sleeps otherwise.
 *
 * When the connection is lost, what was asked is refused, since nobody can know whether it was
 * done; but the end of a call waits for the next connection, for the answer is paid, and finishing
 * is compare-and-set: in memory for a moment, then on this machine's disk. The face's functions may
 * be called on any thread.
 */

#define GROUP_REQUESTS 256
#define GROUP_BYTES (4 * 1024 * 1024)
#define SILENT_MS 1000
#define LISTEN_MS 1000
#define WALKS_KEPT 256

void
gw_redis_engine_put_back (GwRedisEngine *engine,
                          GwRedisRequest *request)
{
  request->repeated = TRUE;
  g_mutex_lock (&engine->mutex);
  g_queue_push_head (&engine->requests, request);
  g_mutex_unlock (&engine->mutex);
}

/* Its next step: after what others ask meanwhile. */
void
gw_redis_engine_go_on (GwRedisEngine *engine,
                       GwRedisRequest *request)
{
  request->again = FALSE;
  g_mutex_lock (&engine->mutex);
  g_queue_push_tail (&engine->requests, request);
  g_mutex_unlock (&engine->mutex);
}

/* Monotonic microseconds until which the thread may sleep; 0: for ever. */
static gint64
find_next_time (GwRedisEngine *engine)
{
  gint64 next = G_MAXINT64;

  if (!gw_redis_connection_is_open (engine->connection))
    return engine->next_try * 1000;
  if (engine->next_beat != 0)
    next = engine->next_beat * 1000;
  if (engine->deliver_at != 0)
    next = MIN (next, engine->deliver_at * 1000);
  if (engine->next_sweep != GW_CLOCK_NEVER && !engine->manual)
    next = MIN (next, g_get_monotonic_time ()
                      + MAX (0, engine->next_sweep - gw_clock_wall (engine->clock)) * 1000);

  return next != G_MAXINT64 ? MAX (next, 1) : 0;
}

/* (transfer full): what waits, perhaps nothing; NULL: the engine closes. */
static GPtrArray *
take_group (GwRedisEngine *engine)
{
  GPtrArray *group = g_ptr_array_new ();
  gboolean connected = gw_redis_connection_is_open (engine->connection);
  gint64 until = find_next_time (engine);
  gsize bytes = 0;

  g_mutex_lock (&engine->mutex);
  while ((g_queue_is_empty (&engine->requests) || (!connected && g_get_monotonic_time () < until))
         && !engine->closing && !engine->poked && !engine->spooled
         && !(connected && (engine->sweeping || engine->repairing)))
    {
      gboolean any = FALSE;

      /* Without a connection only what must not be lost may wait. */
      for (GList *link = engine->requests.head; link != NULL && !any; link = link->next)
        any = !((GwRedisRequest *) link->data)->lasting;
      if (any)
        break;
      if (until == 0)
        g_cond_wait (&engine->cond, &engine->mutex);
      else if (!g_cond_wait_until (&engine->cond, &engine->mutex, until))
        break;
    }
  engine->spooled = FALSE;
  if (engine->poked)
    {
      engine->poked = FALSE;
      if (engine->next_beat == 0)
        engine->next_beat = gw_redis_monotonic_ms () + gw_redis_engine_get_beat_ms (engine);
    }
  if (g_queue_is_empty (&engine->requests) && engine->closing)
    g_clear_pointer (&group, g_ptr_array_unref);

  while (group != NULL && !g_queue_is_empty (&engine->requests) && group->len < GROUP_REQUESTS
         && bytes < GROUP_BYTES)
    {
      GwRedisRequest *request = g_queue_peek_head (&engine->requests);

      g_queue_pop_head (&engine->requests);
      g_ptr_array_add (group, request);
      bytes += request->bytes;
    }
  g_mutex_unlock (&engine->mutex);

  return group;
}

/* No connection: who can wait waits. */
static void
hold_group (GwRedisEngine *engine,
            GPtrArray *group)
{
  gboolean closing;

  g_mutex_lock (&engine->mutex);
  closing = engine->closing;
  g_mutex_unlock (&engine->mutex);

  for (guint i = group->len; i-- > 0;)
    {
      GwRedisRequest *request = g_ptr_array_index (group, i);

      if (gw_redis_engine_keep (engine, request, closing) || request->error != NULL)
        gw_redis_request_answer (request);
      else if (request->lasting && !closing)
        gw_redis_engine_put_back (engine, request);
      else
        gw_redis_request_refuse (request, engine->failure);
    }
}

static gpointer
run_thread (gpointer data)
{
  GwRedisEngine *engine = data;
  GPtrArray *group;
  GTask *task;

  while ((group = take_group (engine)) != NULL)
    {
      if (!gw_redis_connection_is_open (engine->connection)
          && gw_redis_monotonic_ms () >= engine->next_try)
        gw_redis_engine_reconnect (engine);
      if (gw_redis_connection_is_open (engine->connection))
        gw_redis_engine_keep_house (engine);
      if (gw_redis_connection_is_open (engine->connection) && group->len > 0)
        {
          if (engine->next_beat == 0)
            engine->next_beat = gw_redis_monotonic_ms () + gw_redis_engine_get_beat_ms (engine);
          for (guint i = group->len; i-- > 0;)
            {
              if (gw_redis_engine_keep_orphan (engine, g_ptr_array_index (group, i)))
                g_ptr_array_remove_index (group, i);
            }
          gw_redis_engine_run_group (engine, group);
        }
      else
        {
          hold_group (engine, group);
        }
      g_ptr_array_unref (group);
      if (engine->ill != NULL && gw_redis_connection_is_open (engine->connection))
        {
          g_autoptr (GError) ill = g_error_copy (engine->ill);

          gw_redis_engine_lose_connection (engine, ill);
        }
      if (g_atomic_int_compare_and_exchange (&engine->retold, TRUE, FALSE))
        engine->stranger = TRUE;
      if ((engine->gone || engine->stranger) && gw_redis_connection_is_open (engine->connection))
        gw_redis_engine_begin_anew (engine);
    }

  if (gw_redis_connection_is_open (engine->connection))
    {
      GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_CLOSE, NULL, NULL, NULL,
                                                   NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (redisReply) reply = gw_redis_engine_run_script (engine, GW_REDIS_CLOSE,
                                                                 call->arguments, &error);

      /* Of data that are gone there is nothing to close. */
      if (reply == NULL && !engine->gone)
        g_warning ("The queue could not be closed in order: %s", error->message);
      gw_redis_request_free (call);
      gw_redis_connection_close (engine->connection);
    }

  g_mutex_lock (&engine->mutex);
  task = g_steal_pointer (&engine->close_task);
  g_mutex_unlock (&engine->mutex);
  if (task != NULL)
    {
      g_task_return_pointer (task, NULL, NULL);
      g_object_unref (task);
    }
  gw_redis_engine_unref (engine);

  return NULL;
}

/* --- The face. --- */

/* The spool's thread. */
static void
spooled_cb (gpointer data)
{
  GwRedisEngine *engine = data;

  g_mutex_lock (&engine->mutex);
  engine->spooled = TRUE;
  g_cond_signal (&engine->cond);
  g_mutex_unlock (&engine->mutex);
}

/* What ails the server may; what the queue in it says (moved elsewhere) does not. */
static gboolean
passes_by_itself (GwRedisEngine *engine,
                  const GError *error)
{
  if (!g_error_matches (error, GW_ERROR, GW_ERROR_UNAVAILABLE)
      && !g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE))
    return FALSE;

  return engine->full || engine->ill != NULL
         || gw_redis_connection_get_fault (engine->connection) != GW_REDIS_FAULT_NONE;
}

/* Blocks until the queue is open, or known to be in trouble; then starts the threads. */
GwRedisEngine *
gw_redis_engine_new (const GwRedisQueueOptions *options,
                     GError **error)
{
  GwRedisEngine *engine = g_new0 (GwRedisEngine, 1);
  g_autoptr (GError) local = NULL;

  engine->ref_count = 1;
  engine->options = *options;
  engine->options.uri = NULL;
  engine->options.prefix = g_strdup (options->prefix != NULL ? options->prefix : GW_REDIS_PREFIX);
  engine->options.lease_seconds = MAX (options->lease_seconds, 1);
  engine->limits = (GwQueueLimits){ options->max_concurrency, options->max_attempts,
                                    options->keep_days };
  engine->manual = options->clock != NULL;
  engine->clock = engine->manual ? gw_clock_ref (options->clock) : gw_clock_new_remote ();
  engine->id = gw_id_new ();
  engine->watches = gw_sq_watches_new ();
  engine->backoff = GW_REDIS_FIRST_BACKOFF_MS;
  g_mutex_init (&engine->mutex);
  g_cond_init (&engine->cond);
  g_queue_init (&engine->requests);
  engine->walks = gw_queue_walks_new (engine->clock, WALKS_KEPT);
  engine->flights = gw_redis_flights_new ();
  engine->eras = g_ptr_array_new_with_free_func (g_free);
  engine->failed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  engine->options.spool_dir = NULL;
  if (options->spool_dir != NULL)
    engine->spool = gw_redis_spool_new (options->spool_dir, GW_REDIS_SPOOL_PATIENCE_MS, spooled_cb,
                                        engine);

  engine->address = gw_redis_address_parse (options->uri, error);
  if (engine->address == NULL)
    {
      gw_redis_engine_unref (engine);
      return NULL;
    }
  engine->channel = g_strdup_printf ("%sevents:%u", engine->options.prefix,
                                     engine->address->database);
  engine->connection = gw_redis_connection_new (engine->address);
  if (!gw_redis_engine_connect (engine, TRUE, &local))
    {
      if (!options->wait || !passes_by_itself (engine, local))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          gw_redis_engine_unref (engine);
          return NULL;
        }
      gw_redis_engine_lose_connection (engine, local);
    }

  engine->watch = gw_redis_watch_new (engine, engine->address, engine->channel, engine->id);
  gw_redis_watch_await (engine->watch, engine->opened ? LISTEN_MS : 0);
  engine->thread = g_thread_new ("queue redis", run_thread, gw_redis_engine_ref (engine));

  return engine;
}

GwRedisEngine *
gw_redis_engine_ref (GwRedisEngine *engine)
{
  g_atomic_int_inc (&engine->ref_count);

  return engine;
}

void
gw_redis_engine_unref (GwRedisEngine *engine)
{
  if (!g_atomic_int_dec_and_test (&engine->ref_count))
    return;

  g_clear_pointer (&engine->spool, gw_redis_spool_free);
  g_clear_pointer (&engine->connection, gw_redis_connection_free);
  g_clear_pointer (&engine->address, gw_redis_address_free);
  gw_sq_watches_free (engine->watches);
  g_clear_pointer (&engine->memo, gw_scheduler_memo_free);
  g_clear_error (&engine->failure);
  g_clear_error (&engine->ill);
  g_clear_pointer (&engine->told, g_ptr_array_unref);
  gw_queue_walks_free (engine->walks);
  g_hash_table_unref (engine->flights);
  g_ptr_array_unref (engine->eras);
  g_hash_table_unref (engine->failed);
  g_free (engine->trouble);
  g_free (engine->run_id);
  g_cond_clear (&engine->cond);
  g_mutex_clear (&engine->mutex);
  gw_clock_unref (engine->clock);
  g_free ((char *) engine->options.prefix);
  g_free (engine->memo_names);
  g_free (engine->channel);
  g_free (engine->store);
  g_free (engine->id);
  g_free (engine);
}

/* Takes @request. */
void
gw_redis_engine_push (GwRedisEngine *engine,
                      GwRedisRequest *request)
{
  g_autofree char *trouble = NULL;
  gboolean closing;

  request->engine = engine;
  if (request->outcome != NULL && engine->spool != NULL && *request->outcome->store != '\0')
    request->held = gw_redis_spool_hold (engine->spool, request->outcome);
  g_mutex_lock (&engine->mutex);
  closing = engine->closing;
  if (!closing && engine->away && !request->lasting)
    {
      trouble = g_strdup (engine->trouble);
    }
  else if (!closing)
    {
      if (engine->away && request->held != NULL)
        gw_redis_spool_hurry (engine->spool);
      g_queue_push_tail (&engine->requests, request);
      g_cond_signal (&engine->cond);
    }
  g_mutex_unlock (&engine->mutex);

  if (trouble != NULL)
    {
      request->error = g_error_new_literal (GW_ERROR, GW_ERROR_UNAVAILABLE, trouble);
      gw_redis_request_answer (request);
    }
  else if (closing)
    {
      request->error = g_error_new_literal (GW_ERROR, GW_ERROR_STOPPING,
                                            "The queue is closing. Try again when the gateway is "
                                            "back.");
      gw_redis_engine_keep (engine, request, TRUE);
      gw_redis_request_answer (request);
    }
}

/* @task: (transfer full) (nullable): answered when the connection is closed. */
void
gw_redis_engine_close (GwRedisEngine *engine,
                       GTask *task)
{
  gboolean again;

  g_mutex_lock (&engine->mutex);
  again = engine->closing;
  if (!again)
    engine->close_task = task;
  engine->closing = TRUE;
  g_cond_signal (&engine->cond);
  g_mutex_unlock (&engine->mutex);

  if (again && task != NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_STOPPING, "The queue is closing already.");
      g_object_unref (task);
    }
}

/* After gw_redis_engine_close(): waits until the threads have ended, unless this is one of them. */
void
gw_redis_engine_join (GwRedisEngine *engine)
{
  GThread *thread = g_steal_pointer (&engine->thread);

  if (thread == g_thread_self ())
    g_thread_unref (thread);
  else if (thread != NULL)
    g_thread_join (thread);
  /* Not before: the engine's thread tells the watch when it has connected anew. */
  g_clear_pointer (&engine->watch, gw_redis_watch_stop);
}

/* @told: the step that tells the providers, to be told again where the queue has forgotten them. */
void
gw_redis_engine_set_told (GwRedisEngine *engine,
                          GPtrArray *told)
{
  g_mutex_lock (&engine->mutex);
  g_clear_pointer (&engine->told, g_ptr_array_unref);
  engine->told = g_ptr_array_ref (told);
  g_mutex_unlock (&engine->mutex);
}

/* Any thread: the connection may be gone. */
void
gw_redis_engine_doubt (GwRedisEngine *engine)
{
  g_atomic_int_set (&engine->doubted, TRUE);
  gw_redis_engine_poke (engine);
}

/* Something happens in the queue: the lease is renewed again, and others' are looked at. */
void
gw_redis_engine_poke (GwRedisEngine *engine)
{
  g_mutex_lock (&engine->mutex);
  engine->poked = TRUE;
  g_cond_signal (&engine->cond);
  g_mutex_unlock (&engine->mutex);
}

static gpointer
tell_head (GwRedisRequest *request,
           const redisReply *reply,
           GError **error)
{
  gw_sq_watches_tell_revision ((GwSqWatches *) request->result,
                               (guint64) gw_redis_reply_get_int (reply, 3));

  return NULL;
}

static gpointer
tell_lanes (GwRedisRequest *request,
            const redisReply *reply,
            GError **error)
{
  const redisReply *lanes = gw_redis_reply_get (reply, 2);

  for (guint i = 0; i < gw_redis_reply_get_length (lanes); i++)
    gw_sq_watches_tell_wake ((GwSqWatches *) request->result,
                             gw_redis_reply_get_text (gw_redis_reply_get (lanes, i), 0));

  return NULL;
}

/* Hints may have been missed: everybody looks again. */
void
gw_redis_engine_resync (GwRedisEngine *engine)
{
  GwRedisRequest *head = gw_redis_request_new (NULL, NULL, GW_REDIS_READS, tell_head, NULL, NULL,
                                               NULL);
  GwRedisRequest *lanes = gw_redis_request_new (NULL, NULL, GW_REDIS_READS, tell_lanes, NULL, NULL,
                                                NULL);

  /* The watches outlive every request. */
  head->result = engine->watches;
  lanes->result = engine->watches;
  gw_redis_request_add_text (head, "stats");
  gw_redis_request_add_text (lanes, "lanes");
  gw_redis_engine_push (engine, head);
  gw_redis_engine_push (engine, lanes);
}

GwClock *
gw_redis_engine_get_clock (GwRedisEngine *engine)
{
  return engine->clock;
}

GwSqWatches *
gw_redis_engine_get_watches (GwRedisEngine *engine)
{
  return engine->watches;
}

/* Any thread. What keeps the queue from working; how many ends of calls wait on disk. */
GwQueueTrouble *
gw_redis_engine_get_trouble (GwRedisEngine *engine,
                             guint *n_kept)
{
  GwQueueTrouble *trouble = NULL;
  gint64 silent;

  if (n_kept != NULL && engine->spool != NULL)
    *n_kept = gw_redis_spool_count (engine->spool);

  g_mutex_lock (&engine->mutex);
  silent = engine->asked_at != 0 ? gw_redis_monotonic_ms () - engine->asked_at : 0;
  if (engine->fault != GW_REDIS_FAULT_NONE)
    {
      trouble = g_new0 (GwQueueTrouble, 1);
      trouble->code = gw_redis_fault_to_string (engine->fault);
      trouble->message = g_strdup (engine->trouble);
      trouble->since = engine->trouble_since;
    }
  else if (silent >= SILENT_MS)
    {
      trouble = g_new0 (GwQueueTrouble, 1);
      trouble->code = gw_redis_fault_to_string (GW_REDIS_FAULT_SILENT);
      trouble->message = g_strdup_printf (
        "Redis at %s has not answered for %.1f s. It is too busy, frozen, or the network is slow.",
        engine->address->shown, (double) silent / 1000);
      trouble->since = g_get_real_time () / 1000 - silent;
    }
  g_mutex_unlock (&engine->mutex);

  return trouble;
}

/* What a step tells: a line for each, a letter first. Any thread. */
void
gw_redis_engine_tell_events (GwRedisEngine *engine,
                             const char *events)
{
  GwSqWatches *watches = engine->watches;
  g_auto (GStrv) lines = g_strsplit (events, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *rest = lines[i] + 1;
      char *lane;

      switch (lines[i][0])
        {
        case 'r':
          gw_sq_watches_tell_revision (watches, g_ascii_strtoull (rest, NULL, 10));
          break;
        case 't':
          g_warning ("The clock of Redis at %s was set back by %.1f s. The queue's own time goes on; "
                     "what is told of when something happened follows that clock.",
                     engine->address->shown, (double) g_ascii_strtoll (rest, NULL, 10) / 1000);
          break;
        case 'w':
          gw_sq_watches_tell_wake (watches, rest);
          break;
        case 'f':
          g_atomic_int_set (&engine->damaged, TRUE);
          gw_redis_engine_poke (engine);
          break;
        case 'n':
          g_atomic_int_set (&engine->retold, TRUE);
          gw_redis_engine_poke (engine);
          break;
        case 'a':
          lane = strchr (rest, ' ');
          if (lane != NULL)
            gw_redis_engine_tell_abort (engine, lane + 1, g_ascii_strtoull (rest, NULL, 10));
          break;
        default:
          break;
        }
    }
}

GwQueueWalks *
gw_redis_engine_get_walks (GwRedisEngine *engine)
{
  return engine->walks;
}
