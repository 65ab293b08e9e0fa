/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <glib/gstdio.h>

#include "queue/gw-redis-spool-private.h"

/*
 * The folder of outcomes that Redis has not taken yet. Nobody locks anything on disk: a file says
 * for which queue and attempt it is, and delivering is compare-and-set, so that any engine with the
 * same folder may do it, twice even. Here is what is in hand; gw-redis-spool-files.c makes the
 * files, gw-redis-spool-kept.c has what lies there.
 *
 * Threading: any thread calls; one of its own writes what has been in hand for too long, so that
 * neither a frozen Redis nor a slow disk holds up who calls. It begins by counting what lies there,
 * and the count is kept from then on, so that who asks for it touches no disk.
 *
 * Guarantee: what is said to be kept is there after a crash of program and machine.
 */

static void
free_held (GwRedisHeld *held)
{
  gw_redis_outcome_unref (held->outcome);
  g_clear_error (&held->error);
  g_free (held->path);
  g_free (held);
}

/* With the mutex: the folder has @n files more. */
static void
note_change (GwRedisSpool *self,
             int n)
{
  self->n_changes++;
  g_atomic_int_set (&self->n_kept, MAX (0, self->n_kept + n));
}

/* One that was kept is no more. */
void
_gw_redis_spool_note_gone (GwRedisSpool *self)
{
  g_mutex_lock (&self->mutex);
  note_change (self, -1);
  g_mutex_unlock (&self->mutex);
}

/* --- The thread. --- */

/* With the mutex. (nullable): the next that goes to disk; @until: when to look again, 0: never. */
static GwRedisHeld *
find_due (GwRedisSpool *self,
          gint64 *until)
{
  gint64 now = g_get_monotonic_time ();

  *until = 0;
  for (guint i = 0; i < self->held->len; i++)
    {
      GwRedisHeld *held = self->held->pdata[i];

      if (held->state != GW_REDIS_HELD_IN_HAND)
        continue;
      if (self->hurry || now - held->since >= self->patience)
        return held;
      if (*until == 0 || held->since + self->patience < *until)
        *until = held->since + self->patience;
    }
  self->hurry = FALSE;

  return NULL;
}

/* With the mutex, which is let go of meanwhile. */
static void
write_held (GwRedisSpool *self,
            GwRedisHeld *held)
{
  g_autoptr (GError) error = NULL;
  char *path;

  held->writing = TRUE;
  g_mutex_unlock (&self->mutex);
  path = _gw_redis_spool_write_outcome (self->folder, held->outcome, &error);
  g_mutex_lock (&self->mutex);
  held->writing = FALSE;
  if (held->gone)
    {
      /* It was delivered meanwhile. */
      if (path != NULL)
        g_unlink (path);
      g_free (path);
      free_held (held);
      return;
    }
  if (path != NULL)
    note_change (self, 1);
  held->path = path;
  held->state = path != NULL ? GW_REDIS_HELD_KEPT : GW_REDIS_HELD_FAILED;
  held->error = g_steal_pointer (&error);
  g_cond_broadcast (&self->written);
}

static gpointer
run_thread (gpointer data)
{
  GwRedisSpool *self = data;
  int n_kept = _gw_redis_spool_count_files (self->folder);

  g_mutex_lock (&self->mutex);
  note_change (self, n_kept);
  self->counted = TRUE;
  g_cond_broadcast (&self->written);
  while (TRUE)
    {
      gint64 until;
      GwRedisHeld *held = find_due (self, &until);

      if (held != NULL)
        {
          write_held (self, held);
          g_mutex_unlock (&self->mutex);
          if (self->changed != NULL)
            self->changed (self->user_data);
          g_mutex_lock (&self->mutex);
        }
      else if (self->ending)
        {
          break;
        }
      else if (until == 0)
        {
          g_cond_wait (&self->cond, &self->mutex);
        }
      else
        {
          g_cond_wait_until (&self->cond, &self->mutex, until);
        }
    }
  g_mutex_unlock (&self->mutex);

  return NULL;
}

/* --- The face. --- */

/**
 * gw_redis_spool_new:
 * @folder: made when it is needed
 * @patience_ms: how long something may be in hand before it goes to disk
 * @changed: (nullable): told, in the spool's thread, when something was written or could not be
 *
 * Starts the spool's thread.
 *
 * Returns: (transfer full): a spool with nothing in hand
 */
GwRedisSpool *
gw_redis_spool_new (const char *folder,
                    guint patience_ms,
                    GwRedisSpoolFunc changed,
                    gpointer user_data)
{
  GwRedisSpool *self = g_new0 (GwRedisSpool, 1);

  self->folder = g_strdup (folder);
  self->patience = (gint64) patience_ms * 1000;
  self->changed = changed;
  self->user_data = user_data;
  self->held = g_ptr_array_new ();
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  g_cond_init (&self->written);
  self->thread = g_thread_new ("queue spool", run_thread, self);

  return self;
}

/* What is in hand goes to disk before; waits for it. */
void
gw_redis_spool_free (GwRedisSpool *self)
{
  if (self == NULL)
    return;

  g_mutex_lock (&self->mutex);
  self->ending = self->hurry = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_thread_join (self->thread);

  for (guint i = 0; i < self->held->len; i++)
    free_held (self->held->pdata[i]);
  g_ptr_array_unref (self->held);
  g_cond_clear (&self->written);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->mutex);
  g_free (self->folder);
  g_free (self);
}

/* (transfer none): where it keeps what waits. */
const char *
gw_redis_spool_get_folder (GwRedisSpool *self)
{
  return self->folder;
}

/**
 * gw_redis_spool_hold:
 * @outcome: in hand from now on; referenced
 *
 * Returns: (transfer none): its place, until gw_redis_spool_release() or _leave()
 */
GwRedisHeld *
gw_redis_spool_hold (GwRedisSpool *self,
                     GwRedisOutcome *outcome)
{
  GwRedisHeld *held = g_new0 (GwRedisHeld, 1);

  held->outcome = gw_redis_outcome_ref (outcome);
  held->since = g_get_monotonic_time ();
  g_mutex_lock (&self->mutex);
  g_ptr_array_add (self->held, held);
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);

  return held;
}

/* Redis is away: whatever is in hand goes to disk now. */
void
gw_redis_spool_hurry (GwRedisSpool *self)
{
  g_mutex_lock (&self->mutex);
  self->hurry = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* With the mutex. */
static GwRedisHeldState
tell_state (GwRedisHeld *held,
            GError **error)
{
  if (held->state == GW_REDIS_HELD_FAILED && error != NULL)
    *error = g_error_copy (held->error);

  return held->state;
}

/* How far @held is; @error says why with FAILED. Never blocks on the disk. */
GwRedisHeldState
gw_redis_spool_get_state (GwRedisSpool *self,
                          GwRedisHeld *held,
                          GError **error)
{
  GwRedisHeldState state;

  g_mutex_lock (&self->mutex);
  state = tell_state (held, error);
  g_mutex_unlock (&self->mutex);

  return state;
}

/* Blocks for as long as the disk takes; never gives IN_HAND. */
GwRedisHeldState
gw_redis_spool_wait (GwRedisSpool *self,
                     GwRedisHeld *held,
                     GError **error)
{
  GwRedisHeldState state;

  g_mutex_lock (&self->mutex);
  while (held->state == GW_REDIS_HELD_IN_HAND)
    {
      self->hurry = TRUE;
      g_cond_signal (&self->cond);
      g_cond_wait (&self->written, &self->mutex);
    }
  state = tell_state (held, error);
  g_mutex_unlock (&self->mutex);

  return state;
}

static void
let_go (GwRedisSpool *self,
        GwRedisHeld *held,
        gboolean delivered)
{
  g_autofree char *path = NULL;
  gboolean writing;

  g_mutex_lock (&self->mutex);
  g_ptr_array_remove (self->held, held);
  writing = held->writing;
  if (writing)
    held->gone = TRUE;
  else if (delivered)
    path = g_steal_pointer (&held->path);
  if (path != NULL)
    note_change (self, -1);
  g_mutex_unlock (&self->mutex);

  /* Should the name come back after a crash of the machine, it is delivered once more: in vain. */
  if (path != NULL)
    g_unlink (path);
  if (!writing)
    free_held (held);
}

/* It was delivered: there is nothing to keep any more. Takes @held. */
void
gw_redis_spool_release (GwRedisSpool *self,
                        GwRedisHeld *held)
{
  let_go (self, held, TRUE);
}

/* It is kept, and found again by gw_redis_spool_load(); or it failed, and is given up. Takes
 * @held. */
void
gw_redis_spool_leave (GwRedisSpool *self,
                      GwRedisHeld *held)
{
  let_go (self, held, FALSE);
}
