/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-engine-private.h"

/*
 * The threads of the embedded engine. One writer owns the writing connection and all that is kept
 * in memory: it takes everything that waits, runs it as one transaction, commits once, and only
 * then answers (group commit). A group that fails is undone and run again one by one, each alone,
 * so that what fails harms nobody else. Two readers have connections of their own: a quick one for
 * single things and followers, one for long pages and searches.
 *
 * Promises: nothing is answered before its commit is on the disk. An I/O error ends the engine: the
 * kernel may have dropped what it could not write, so nothing after it can be trusted; whoever
 * waits gets an error. A full disk does not: what comes when there is space is taken.
 */

#define WALKS_KEPT 4096

static void
free_request (GwSqRequest *request)
{
  if (request->args != NULL && request->free_args != NULL)
    request->free_args (request->args);
  g_clear_object (&request->task);
  g_clear_error (&request->error);
  g_free (request);
}

void
_gw_sq_request_drop (GwSqRequest *request)
{
  if (request->result != NULL && request->free_result != NULL)
    request->free_result (request->result);
  request->result = NULL;
  g_clear_error (&request->error);
}

/* Answers a request in its caller's context. */
void
_gw_sq_request_answer (GwSqRequest *request)
{
  if (request->task == NULL)
    _gw_sq_request_drop (request);
  else if (request->error != NULL)
    g_task_return_error (request->task, g_steal_pointer (&request->error));
  else
    g_task_return_pointer (request->task, g_steal_pointer (&request->result),
                           request->free_result);
  free_request (request);
}

void
_gw_sq_request_refuse (GwSqRequest *request,
                       const GError *error)
{
  _gw_sq_request_drop (request);
  request->error = g_error_copy (error);
  _gw_sq_request_answer (request);
}

static gboolean
open_file (GwSqEngine *engine,
           GError **error)
{
  engine->path = g_build_filename (engine->options.data_dir, "queue.db", NULL);
  if (g_mkdir_with_parents (engine->options.data_dir, 0700) != 0)
    {
      int code = errno;

      g_set_error (error, GW_ERROR,
                   code == ENOSPC ? GW_ERROR_NO_SPACE : GW_ERROR_UNAVAILABLE,
                   "The folder %s could not be made: %s. Choose another one with --data-dir.",
                   engine->options.data_dir, g_strerror (code));
      return FALSE;
    }
  engine->db = gw_sq_db_open (engine->path, TRUE, error);
  if (engine->db == NULL || !gw_sq_schema_prepare (engine->db, &engine->options, error))
    return FALSE;

  engine->state = gw_sq_state_new (engine, engine->db);
  gw_sq_run (engine->db, "BEGIN IMMEDIATE", "");
  gw_sq_state_load (engine->state);
  gw_sq_recover (engine->state);
  gw_sq_run (engine->db, "COMMIT", "");
  if (gw_sq_db_set_error (engine->db, error))
    return FALSE;
  engine->revision = (guint64) engine->state->revision;

  for (guint i = 0; i < GW_SQ_N_READERS; i++)
    {
      engine->readers[i].db = gw_sq_db_open (engine->path, FALSE, error);
      if (engine->readers[i].db == NULL)
        return FALSE;
      gw_sq_exec (engine->readers[i].db, "PRAGMA query_only = 1; PRAGMA cache_size = -4096;");
    }

  return TRUE;
}

/* Blocks until the file is open and recovered; then starts the threads. */
GwSqEngine *
gw_sq_engine_new (const GwSqliteQueueOptions *options,
                  GError **error)
{
  static const char *const names[GW_SQ_N_READERS] = { "queue reader", "queue scan" };
  GwSqEngine *engine = g_new0 (GwSqEngine, 1);

  engine->ref_count = 1;
  engine->options = *options;
  engine->options.data_dir = g_strdup (options->data_dir);
  gw_clock_ref (engine->options.clock);
  g_mutex_init (&engine->mutex);
  g_cond_init (&engine->cond);
  engine->walks = gw_queue_walks_new (engine->options.clock, WALKS_KEPT);
  engine->watches = gw_sq_watches_new ();
  for (guint i = 0; i < GW_SQ_N_READERS; i++)
    {
      g_cond_init (&engine->readers[i].cond);
      engine->readers[i].bounds = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
    }

  if (!open_file (engine, error))
    {
      gw_sq_engine_unref (engine);
      return NULL;
    }

  engine->n_reading = GW_SQ_N_READERS;
  for (guint i = 0; i < GW_SQ_N_READERS; i++)
    {
      engine->readers[i].engine = gw_sq_engine_ref (engine);
      engine->readers[i].thread = g_thread_new (names[i], _gw_sq_engine_read_thread,
                                                &engine->readers[i]);
    }
  engine->writer = g_thread_new ("queue writer", _gw_sq_engine_write_thread,
                                 gw_sq_engine_ref (engine));

  return engine;
}

GwSqEngine *
gw_sq_engine_ref (GwSqEngine *engine)
{
  g_atomic_int_inc (&engine->ref_count);

  return engine;
}

void
gw_sq_engine_unref (GwSqEngine *engine)
{
  if (!g_atomic_int_dec_and_test (&engine->ref_count))
    return;

  g_clear_pointer (&engine->state, gw_sq_state_free);
  g_clear_pointer (&engine->db, gw_sq_db_free);
  for (guint i = 0; i < GW_SQ_N_READERS; i++)
    {
      g_clear_pointer (&engine->readers[i].db, gw_sq_db_free);
      g_cond_clear (&engine->readers[i].cond);
      g_hash_table_unref (engine->readers[i].bounds);
    }
  gw_sq_watches_free (engine->watches);
  gw_queue_walks_free (engine->walks);
  g_cond_clear (&engine->cond);
  g_mutex_clear (&engine->mutex);
  g_clear_error (&engine->failure);
  g_free ((char *) engine->options.data_dir);
  gw_clock_unref (engine->options.clock);
  g_free (engine->path);
  g_free (engine);
}

/* Why a call is not taken any more; (mutex mutex). */
static GError *
find_refusal (GwSqEngine *engine)
{
  if (engine->failure != NULL)
    return g_error_copy (engine->failure);
  if (engine->closing)
    return g_error_new_literal (GW_ERROR, GW_ERROR_STOPPING,
                                "The queue is closing. Try again when the gateway is back.");

  return NULL;
}

/* Takes @request. */
void
gw_sq_engine_write (GwSqEngine *engine,
                    GwSqRequest *request)
{
  GError *refusal;

  g_mutex_lock (&engine->mutex);
  refusal = find_refusal (engine);
  if (refusal == NULL)
    {
      g_queue_push_tail (request->batch ? &engine->batches : &engine->requests, request);
      g_cond_signal (&engine->cond);
    }
  g_mutex_unlock (&engine->mutex);

  if (refusal != NULL)
    {
      request->error = refusal;
      _gw_sq_request_answer (request);
    }
}

/* Takes @request. @scan: it may take long. */
void
gw_sq_engine_read (GwSqEngine *engine,
                   GwSqRequest *request,
                   gboolean scan)
{
  GwSqReader *reader = &engine->readers[scan ? 1 : 0];
  GError *refusal;

  g_mutex_lock (&engine->mutex);
  refusal = find_refusal (engine);
  if (refusal == NULL)
    {
      g_queue_push_tail (&reader->requests, request);
      g_cond_signal (&reader->cond);
    }
  g_mutex_unlock (&engine->mutex);

  if (refusal != NULL)
    {
      request->error = refusal;
      _gw_sq_request_answer (request);
    }
}

/* @task: (transfer full) (nullable): answered when no thread holds the file any more. */
void
gw_sq_engine_close (GwSqEngine *engine,
                    GTask *task)
{
  gboolean again;

  g_mutex_lock (&engine->mutex);
  again = engine->closing;
  if (!again)
    engine->close_task = task;
  engine->closing = TRUE;
  g_cond_signal (&engine->cond);
  for (guint i = 0; i < GW_SQ_N_READERS; i++)
    g_cond_signal (&engine->readers[i].cond);
  g_mutex_unlock (&engine->mutex);

  if (again && task != NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_STOPPING, "The queue is closing already.");
      g_object_unref (task);
    }
}

static void
join_thread (GThread **thread,
             gboolean waits)
{
  GThread *own = g_steal_pointer (thread);

  if (own != NULL && waits)
    g_thread_join (own);
  else if (own != NULL)
    g_thread_unref (own);
}

/* After gw_sq_engine_close(): waits until the threads have ended. The last reference to the queue
 * may go with an answer, on the thread that gave it; the threads wait for each other at their end,
 * so that one does not wait for any. */
void
gw_sq_engine_join (GwSqEngine *engine)
{
  gboolean waits = g_thread_self () != engine->writer;

  for (guint i = 0; i < GW_SQ_N_READERS; i++)
    waits = waits && g_thread_self () != engine->readers[i].thread;
  for (guint i = 0; i < GW_SQ_N_READERS; i++)
    join_thread (&engine->readers[i].thread, waits);
  join_thread (&engine->writer, waits);
}

void
gw_sq_engine_set_failed_func (GwSqEngine *engine,
                              void (*func) (const GError *, gpointer),
                              gpointer user_data)
{
  g_mutex_lock (&engine->mutex);
  engine->failed_func = func;
  engine->failed_data = user_data;
  g_mutex_unlock (&engine->mutex);
}

GwClock *
gw_sq_engine_get_clock (GwSqEngine *engine)
{
  return engine->options.clock;
}

const GwSqliteQueueOptions *
gw_sq_engine_get_options (GwSqEngine *engine)
{
  return &engine->options;
}

/* The cap over all lanes, for readers too. */
guint
gw_sq_engine_get_cap (GwSqEngine *engine)
{
  return (guint) g_atomic_int_get (&engine->options.max_concurrency);
}

/* Writer. The other two are looked at nowhere else. */
void
gw_sq_engine_set_limits (GwSqEngine *engine,
                         const GwQueueLimits *limits)
{
  if (limits->max_concurrency != GW_QUEUE_LIMIT_KEPT)
    g_atomic_int_set (&engine->options.max_concurrency, limits->max_concurrency);
  if (limits->max_attempts != GW_QUEUE_LIMIT_KEPT)
    engine->options.max_attempts = limits->max_attempts;
  if (limits->keep_days != GW_QUEUE_LIMIT_KEPT)
    engine->options.keep_days = limits->keep_days;
}

GwSqWatches *
gw_sq_engine_get_watches (GwSqEngine *engine)
{
  return engine->watches;
}

guint64
gw_sq_engine_get_commits (GwSqEngine *engine)
{
  guint64 commits;

  g_mutex_lock (&engine->mutex);
  commits = engine->commits;
  g_mutex_unlock (&engine->mutex);

  return commits;
}

/* Any thread. */
gboolean
gw_sq_engine_is_full (GwSqEngine *engine)
{
  return g_atomic_int_get (&engine->no_space);
}

guint64
gw_sq_engine_get_revision (GwSqEngine *engine)
{
  guint64 revision;

  g_mutex_lock (&engine->mutex);
  revision = engine->revision;
  g_mutex_unlock (&engine->mutex);

  return revision;
}

GwQueueWalks *
gw_sq_engine_get_walks (GwSqEngine *engine)
{
  return engine->walks;
}
