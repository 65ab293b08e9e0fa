/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

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

#define GROUP_ROWS 1024
#define GROUP_BYTES (4 * 1024 * 1024)
#define GATHER_FROM 4      /* requests of the last group */
#define GATHER_US 60
#define N_READERS 2
#define WALKS_KEPT 4096

typedef struct {
  GwSqEngine *engine;     /* (owned) */
  GQueue requests;        /* (element-type GwSqRequest) (mutex of the engine) */
  GCond cond;
  GThread *thread;
  GwSqDb *db;
  GHashTable *bounds;     /* of the projects that were looked at, see gw-sqlite-queue-estimate.c */
} Reader;

struct _GwSqEngine {
  int ref_count;          /* (atomic) */
  GwSqliteQueueOptions options;
  char *path;
  GwSqWatches *watches;

  GMutex mutex;
  GCond cond;             /* the writer waits here */
  GQueue requests;        /* (element-type GwSqRequest) (mutex mutex) */
  GQueue batches;         /* (element-type GwSqRequest) (mutex mutex) */
  gboolean batch_turn;    /* (mutex mutex) */
  guint last_group;       /* (mutex mutex) how many requests the last commit had */
  gboolean closing;       /* (mutex mutex) */
  GTask *close_task;      /* (owned) (nullable) (mutex mutex) */
  GError *failure;        /* (owned) (nullable) (mutex mutex) */
  guint n_reading;        /* (mutex mutex) readers that still run */
  void (*failed_func) (const GError *, gpointer);
  gpointer failed_data;

  GThread *writer;
  GwSqDb *db;             /* of the writer */
  GwSqState *state;       /* of the writer */
  Reader readers[N_READERS];

  GwQueueWalks *walks;    /* (owned) */

  guint64 commits;        /* (mutex mutex) */
  int no_space;           /* (atomic) the last transaction found none */
  guint64 revision;       /* (mutex mutex) the last one committed */
};

static void
free_request (GwSqRequest *request)
{
  if (request->args != NULL && request->free_args != NULL)
    request->free_args (request->args);
  g_clear_object (&request->task);
  g_clear_error (&request->error);
  g_free (request);
}

static void
drop_result (GwSqRequest *request)
{
  if (request->result != NULL && request->free_result != NULL)
    request->free_result (request->result);
  request->result = NULL;
  g_clear_error (&request->error);
}

/* Answers a request in its caller's context. */
static void
answer (GwSqRequest *request)
{
  if (request->task == NULL)
    drop_result (request);
  else if (request->error != NULL)
    g_task_return_error (request->task, g_steal_pointer (&request->error));
  else
    g_task_return_pointer (request->task, g_steal_pointer (&request->result),
                           request->free_result);
  free_request (request);
}

static void
refuse (GwSqRequest *request,
        const GError *error)
{
  drop_result (request);
  request->error = g_error_copy (error);
  answer (request);
}

/* --- The writer. --- */

static gboolean
is_fatal (int rc)
{
  int primary = rc & 0xff;

  return primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

static gboolean
has_changes (GwSqState *state,
             gint64 revision,
             int changes)
{
  if (state->revision != revision || sqlite3_total_changes (state->db->handle) != changes
      || state->dirty_projects->len > 0 || state->dirty_piles->len > 0)
    return TRUE;

  for (guint i = 0; i < state->lane_list->len; i++)
    {
      if (((GwSqLane *) g_ptr_array_index (state->lane_list, i))->dirty)
        return TRUE;
    }

  return FALSE;
}

/* Runs requests in one transaction; FALSE: undone, the reason sticks in the connection. */
static gboolean
run_transaction (GwSqEngine *engine,
                 GPtrArray *group)
{
  GwSqState *state = engine->state;
  gint64 revision = state->revision;
  int changes = sqlite3_total_changes (engine->db->handle);

  gw_sq_run (engine->db, "BEGIN IMMEDIATE", "");
  for (guint i = 0; i < group->len && gw_sq_db_is_ok (engine->db); i++)
    {
      GwSqRequest *request = g_ptr_array_index (group, i);

      gw_sq_state_tick (state);
      request->result = request->step (state, request->args, &request->error);
    }
  gw_sq_state_tick (state);
  if (gw_sq_db_is_ok (engine->db) && gw_sq_sweep_is_due (state))
    gw_sq_sweep (state);
  if (gw_sq_db_is_ok (engine->db) && has_changes (state, revision, changes))
    gw_sq_state_flush (state);

  return gw_sq_run (engine->db, "COMMIT", "");
}

static void
undo (GwSqEngine *engine)
{
  gw_sq_db_clear (engine->db);
  if (!sqlite3_get_autocommit (engine->db->handle))
    gw_sq_run (engine->db, "ROLLBACK", "");
  gw_sq_db_clear (engine->db);
}

/* What the commit made true is told. */
static void
tell (GwSqEngine *engine)
{
  GwSqState *state = engine->state;
  gboolean changed;

  g_mutex_lock (&engine->mutex);
  changed = engine->revision != (guint64) state->revision;
  engine->revision = (guint64) state->revision;
  engine->commits++;
  g_mutex_unlock (&engine->mutex);

  for (guint i = 0; i < state->aborts->len; i++)
    {
      GwSqAbort *abort = &g_array_index (state->aborts, GwSqAbort, i);

      gw_sq_watches_tell_abort (engine->watches, abort->lane, (guint64) abort->attempt);
    }
  g_array_set_size (state->aborts, 0);
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      if (lane->wake)
        gw_sq_watches_tell_wake (engine->watches, lane->name);
      lane->wake = FALSE;
    }
  if (changed)
    gw_sq_watches_tell_revision (engine->watches, (guint64) state->revision);
}

/* The engine ends by itself. */
static void
fail (GwSqEngine *engine,
      const GError *reason)
{
  void (*func) (const GError *, gpointer) = NULL;
  gpointer data = NULL;

  g_mutex_lock (&engine->mutex);
  if (engine->failure == NULL)
    {
      engine->failure = g_error_new (GW_ERROR, GW_ERROR_UNAVAILABLE,
                                     "The queue has stopped itself: %s", reason->message);
      func = engine->failed_func;
      data = engine->failed_data;
    }
  g_mutex_unlock (&engine->mutex);

  g_critical ("%s", reason->message);
  if (func != NULL)
    func (reason, data);
}

static GError *
dup_failure (GwSqEngine *engine)
{
  GError *failure;

  g_mutex_lock (&engine->mutex);
  failure = engine->failure != NULL ? g_error_copy (engine->failure) : NULL;
  g_mutex_unlock (&engine->mutex);

  return failure;
}

static void run_group (GwSqEngine *engine, GPtrArray *group);

/* One of a group that was undone; if one before it was the engine's end, it is not tried any
 * more. */
static void
run_alone (GwSqEngine *engine,
           GwSqRequest *request)
{
  g_autoptr (GPtrArray) single = g_ptr_array_new ();
  g_autoptr (GError) failure = dup_failure (engine);

  if (failure != NULL)
    {
      refuse (request, failure);
      return;
    }
  g_ptr_array_add (single, request);
  run_group (engine, single);
}

static void
run_group (GwSqEngine *engine,
           GPtrArray *group)
{
  g_autoptr (GError) error = NULL;
  gboolean fatal;

  if (run_transaction (engine, group))
    {
      if (group->len > 0)
        g_atomic_int_set (&engine->no_space, FALSE);
      tell (engine);
      for (guint i = 0; i < group->len; i++)
        answer (g_ptr_array_index (group, i));
      gw_sq_state_trim (engine->state);
      return;
    }

  fatal = is_fatal (engine->db->rc);
  gw_sq_db_set_error (engine->db, &error);
  if (g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE))
    g_atomic_int_set (&engine->no_space, TRUE);
  undo (engine);
  for (guint i = 0; i < group->len; i++)
    drop_result (g_ptr_array_index (group, i));
  if (!fatal && !gw_sq_state_load (engine->state))
    {
      fatal = TRUE;
      g_clear_error (&error);
      gw_sq_db_set_error (engine->db, &error);
      gw_sq_db_clear (engine->db);
    }

  /* A sweep that fails waits like everybody else, and is no reason to refuse anybody. */
  if (!fatal && gw_sq_sweep_is_due (engine->state))
    engine->state->next_sweep = engine->state->wall + 60000;

  if (fatal)
    {
      fail (engine, error);
      for (guint i = 0; i < group->len; i++)
        refuse (g_ptr_array_index (group, i), error);
    }
  else if (group->len > 1)
    {
      for (guint i = 0; i < group->len; i++)
        run_alone (engine, g_ptr_array_index (group, i));
    }
  else
    {
      for (guint i = 0; i < group->len; i++)
        refuse (g_ptr_array_index (group, i), error);
    }
}

/* Milliseconds until the sweep; -1: never. */
static gint64
time_to_sweep (GwSqEngine *engine)
{
  gint64 next = engine->state->next_sweep;
  gint64 wall;

  if (next == GW_CLOCK_NEVER)
    return -1;
  wall = gw_clock_wall (engine->options.clock);

  return CLAMP (next - wall, 0, 3600 * 1000);
}

/* Waits for work; NULL: there is none any more. An empty group is a turn of the sweep. */
static GPtrArray *
take_group (GwSqEngine *engine)
{
  GPtrArray *group = g_ptr_array_new ();
  gsize bytes = 0;
  guint rows = 0;

  g_mutex_lock (&engine->mutex);
  while (g_queue_is_empty (&engine->requests) && g_queue_is_empty (&engine->batches)
         && !engine->closing)
    {
      gint64 sweep = engine->failure == NULL ? time_to_sweep (engine) : -1;

      if (sweep == 0)
        {
          g_mutex_unlock (&engine->mutex);
          return group;
        }
      if (sweep < 0)
        g_cond_wait (&engine->cond, &engine->mutex);
      else
        g_cond_wait_until (&engine->cond, &engine->mutex, g_get_monotonic_time () + sweep * 1000);
    }

  /* Many callers who were answered together ask again one after the other: the first of them would
   * have a commit for itself, and all others would wait for it. */
  if (engine->last_group >= GATHER_FROM && engine->requests.length < engine->last_group / 2
      && !engine->closing)
    {
      g_mutex_unlock (&engine->mutex);
      g_usleep (GATHER_US);
      g_mutex_lock (&engine->mutex);
    }

  if (!g_queue_is_empty (&engine->batches)
      && (engine->batch_turn || g_queue_is_empty (&engine->requests)))
    {
      g_ptr_array_add (group, g_queue_pop_head (&engine->batches));
      engine->batch_turn = FALSE;
    }
  else
    {
      while (!g_queue_is_empty (&engine->requests) && rows < GROUP_ROWS && bytes < GROUP_BYTES)
        {
          GwSqRequest *request = g_queue_pop_head (&engine->requests);

          rows += request->rows;
          bytes += request->bytes;
          g_ptr_array_add (group, request);
        }
      engine->batch_turn = TRUE;
    }
  engine->last_group = group->len;
  g_mutex_unlock (&engine->mutex);

  if (group->len == 0)
    g_clear_pointer (&group, g_ptr_array_unref);

  return group;
}

static void
close_file (GwSqEngine *engine)
{
  gboolean failed;

  g_mutex_lock (&engine->mutex);
  failed = engine->failure != NULL;
  g_mutex_unlock (&engine->mutex);

  if (!failed)
    {
      gw_sq_state_tick (engine->state);
      gw_sq_run (engine->db, "BEGIN IMMEDIATE", "");
      gw_sq_close_attempts (engine->state);
      if (!gw_sq_run (engine->db, "COMMIT", ""))
        g_warning ("The queue could not be closed in order: %s", engine->db->message);
      undo (engine);
    }
  g_clear_pointer (&engine->state, gw_sq_state_free);
  g_clear_pointer (&engine->db, gw_sq_db_free);
}

static gpointer
writer_thread (gpointer data)
{
  GwSqEngine *engine = data;
  GPtrArray *group;
  GTask *task;

  while ((group = take_group (engine)) != NULL)
    {
      g_autoptr (GError) failure = dup_failure (engine);

      if (failure == NULL)
        run_group (engine, group);
      else
        {
          for (guint i = 0; i < group->len; i++)
            refuse (g_ptr_array_index (group, i), failure);
        }
      g_ptr_array_unref (group);
    }

  g_mutex_lock (&engine->mutex);
  while (engine->n_reading > 0)
    g_cond_wait (&engine->cond, &engine->mutex);
  g_mutex_unlock (&engine->mutex);
  close_file (engine);

  g_mutex_lock (&engine->mutex);
  task = g_steal_pointer (&engine->close_task);
  g_mutex_unlock (&engine->mutex);
  if (task != NULL)
    {
      g_task_return_pointer (task, NULL, NULL);
      g_object_unref (task);
    }
  gw_sq_engine_unref (engine);

  return NULL;
}

/* --- The readers. --- */

static void
run_read (Reader *reader,
          GwSqRequest *request)
{
  GwSqView view;

  gw_sq_view_init (&view, reader->engine, reader->db);
  view.bounds = reader->bounds;
  gw_sq_run (reader->db, "BEGIN", "");
  request->result = request->read (&view, request->args, &request->error);
  gw_sq_run (reader->db, "COMMIT", "");
  gw_sq_view_clear (&view);

  if (!gw_sq_db_is_ok (reader->db))
    {
      drop_result (request);
      gw_sq_db_set_error (reader->db, &request->error);
      gw_sq_db_clear (reader->db);
      if (!sqlite3_get_autocommit (reader->db->handle))
        gw_sq_run (reader->db, "ROLLBACK", "");
      gw_sq_db_clear (reader->db);
    }
  answer (request);
}

static gpointer
reader_thread (gpointer data)
{
  Reader *reader = data;
  GwSqEngine *engine = reader->engine;

  g_mutex_lock (&engine->mutex);
  for (;;)
    {
      GwSqRequest *request = g_queue_pop_head (&reader->requests);

      if (request == NULL && engine->closing)
        break;
      if (request == NULL)
        {
          g_cond_wait (&reader->cond, &engine->mutex);
          continue;
        }
      g_mutex_unlock (&engine->mutex);
      run_read (reader, request);
      g_mutex_lock (&engine->mutex);
    }
  g_mutex_unlock (&engine->mutex);

  g_clear_pointer (&reader->db, gw_sq_db_free);
  g_mutex_lock (&engine->mutex);
  engine->n_reading--;
  g_cond_signal (&engine->cond);
  g_mutex_unlock (&engine->mutex);
  gw_sq_engine_unref (engine);

  return NULL;
}

/* --- The face. --- */

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

  for (guint i = 0; i < N_READERS; i++)
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
  static const char *const names[N_READERS] = { "queue reader", "queue scan" };
  GwSqEngine *engine = g_new0 (GwSqEngine, 1);

  engine->ref_count = 1;
  engine->options = *options;
  engine->options.data_dir = g_strdup (options->data_dir);
  gw_clock_ref (engine->options.clock);
  g_mutex_init (&engine->mutex);
  g_cond_init (&engine->cond);
  engine->walks = gw_queue_walks_new (engine->options.clock, WALKS_KEPT);
  engine->watches = gw_sq_watches_new ();
  for (guint i = 0; i < N_READERS; i++)
    {
      g_cond_init (&engine->readers[i].cond);
      engine->readers[i].bounds = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
    }

  if (!open_file (engine, error))
    {
      gw_sq_engine_unref (engine);
      return NULL;
    }

  engine->n_reading = N_READERS;
  for (guint i = 0; i < N_READERS; i++)
    {
      engine->readers[i].engine = gw_sq_engine_ref (engine);
      engine->readers[i].thread = g_thread_new (names[i], reader_thread, &engine->readers[i]);
    }
  engine->writer = g_thread_new ("queue writer", writer_thread, gw_sq_engine_ref (engine));

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
  for (guint i = 0; i < N_READERS; i++)
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
      answer (request);
    }
}

/* Takes @request. @scan: it may take long. */
void
gw_sq_engine_read (GwSqEngine *engine,
                   GwSqRequest *request,
                   gboolean scan)
{
  Reader *reader = &engine->readers[scan ? 1 : 0];
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
      answer (request);
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
  for (guint i = 0; i < N_READERS; i++)
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

  for (guint i = 0; i < N_READERS; i++)
    waits = waits && g_thread_self () != engine->readers[i].thread;
  for (guint i = 0; i < N_READERS; i++)
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
