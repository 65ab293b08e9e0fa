/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-engine-private.h"

/*
 * The one thread that writes: it takes all that waits, makes one transaction of it, and answers. A
 * request that fails is undone by its savepoint; a transaction that fails is run again, one by one.
 * Guarantee: nothing is answered before its commit.
 */

#define GROUP_ROWS 1024
#define GROUP_BYTES (4 * 1024 * 1024)
#define GATHER_FROM 4      /* requests of the last group */
#define GATHER_US 60

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
      _gw_sq_request_refuse (request, failure);
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
        _gw_sq_request_answer (g_ptr_array_index (group, i));
      gw_sq_state_trim (engine->state);
      return;
    }

  fatal = is_fatal (engine->db->rc);
  gw_sq_db_set_error (engine->db, &error);
  if (g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE))
    g_atomic_int_set (&engine->no_space, TRUE);
  undo (engine);
  for (guint i = 0; i < group->len; i++)
    _gw_sq_request_drop (g_ptr_array_index (group, i));
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
        _gw_sq_request_refuse (g_ptr_array_index (group, i), error);
    }
  else if (group->len > 1)
    {
      for (guint i = 0; i < group->len; i++)
        run_alone (engine, g_ptr_array_index (group, i));
    }
  else
    {
      for (guint i = 0; i < group->len; i++)
        _gw_sq_request_refuse (g_ptr_array_index (group, i), error);
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

gpointer
_gw_sq_engine_write_thread (gpointer data)
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
            _gw_sq_request_refuse (g_ptr_array_index (group, i), failure);
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
