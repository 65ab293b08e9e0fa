/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "queue/gw-redis-spool-private.h"

/*
 * What lies in the spool's folder and waits for its delivery: listed, counted, taken away. Any
 * thread; the mutex is held for numbers and names only, never while the disk is read.
 *
 * Guarantee: what cannot be read whole is set aside under another name, never delivered and never
 * thrown away; the count is right for what this spool did, and as of the last listing for others.
 */

#define DAMAGED ".damaged"
#define UNDELIVERED ".undelivered"
#define MOST_BYTES (64 * 1024 * 1024)
#define OLD_SECONDS 3600

void
gw_redis_kept_free (GwRedisKept *kept)
{
  if (kept == NULL)
    return;

  gw_redis_outcome_unref (kept->outcome);
  g_free (kept->path);
  g_free (kept);
}

static gboolean
is_in_hand (GwRedisSpool *self,
            const char *path)
{
  gboolean found = FALSE;

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->held->len && !found; i++)
    found = g_strcmp0 (((GwRedisHeld *) self->held->pdata[i])->path, path) == 0;
  g_mutex_unlock (&self->mutex);

  return found;
}

/* (transfer full) (nullable); @stays: FALSE if the file is no longer one that waits. */
static GwRedisOutcome *
read_outcome (const char *path,
              gboolean *stays)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *aside = NULL;
  GwRedisOutcome *outcome;
  struct stat status;
  gsize length;

  *stays = TRUE;
  /* What is gone was delivered by another engine. */
  if (g_lstat (path, &status) != 0 || !S_ISREG (status.st_mode) || status.st_size > MOST_BYTES)
    return NULL;
  if (!g_file_get_contents (path, &text, &length, &error))
    {
      if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        g_warning ("An answer that was kept cannot be read now: %s.", error->message);
      return NULL;
    }
  outcome = gw_redis_outcome_parse (text, length, &error);
  if (outcome == NULL)
    {
      aside = _gw_redis_spool_move_aside (path, DAMAGED);
      *stays = aside == NULL;
      g_warning ("%s is damaged (%s) and is not delivered; it stays as %s. What it was for runs "
                 "again.", path, error->message, aside != NULL ? aside : path);
    }

  return outcome;
}

/* Half-written ones of a crash are nothing; young ones may be somebody's at work. */
static void
remove_old_writing (const char *path)
{
  struct stat status;

  if (g_lstat (path, &status) == 0
      && status.st_mtime < g_get_real_time () / G_USEC_PER_SEC - OLD_SECONDS)
    g_unlink (path);
}

/* Begins a listing, which must not come before the thread's. Returns: what to end it with. */
static guint
begin_listing (GwRedisSpool *self)
{
  guint n_changes;

  g_mutex_lock (&self->mutex);
  while (!self->counted)
    g_cond_wait (&self->written, &self->mutex);
  n_changes = self->n_changes;
  g_mutex_unlock (&self->mutex);

  return n_changes;
}

/* Others may have delivered from the same folder: what was seen counts, if it was not changed here
 * meanwhile. */
static void
end_listing (GwRedisSpool *self,
             guint n_changes,
             int n_seen)
{
  g_mutex_lock (&self->mutex);
  if (self->n_changes == n_changes)
    g_atomic_int_set (&self->n_kept, n_seen);
  g_mutex_unlock (&self->mutex);
}

/**
 * gw_redis_spool_load:
 * @store: the queue's data that are there now
 * @n_foreign: (out) (optional): how many belong to other data
 *
 * Returns: (transfer full) (element-type GwRedisKept): what is kept for @store, oldest first,
 *   without what is in hand
 */
GPtrArray *
gw_redis_spool_load (GwRedisSpool *self,
                     const char *store,
                     guint *n_foreign)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_redis_kept_free);
  guint n_changes = begin_listing (self);
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;
  guint foreign = 0;
  int n_seen = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->folder, name, NULL);
      g_autoptr (GwRedisOutcome) outcome = NULL;
      GwRedisKept *kept;
      guint at = list->len;
      gboolean stays;

      if (g_str_has_suffix (name, GW_REDIS_SPOOL_WRITING))
        remove_old_writing (path);
      if (!g_str_has_suffix (name, GW_REDIS_SPOOL_SUFFIX))
        continue;
      n_seen++;
      if (is_in_hand (self, path))
        continue;
      outcome = read_outcome (path, &stays);
      n_seen -= !stays;
      if (outcome == NULL)
        continue;
      if (!g_str_equal (outcome->store, store))
        {
          foreign++;
          continue;
        }
      kept = g_new0 (GwRedisKept, 1);
      kept->outcome = g_steal_pointer (&outcome);
      kept->path = g_steal_pointer (&path);
      while (at > 0
             && ((GwRedisKept *) list->pdata[at - 1])->outcome->kept_at > kept->outcome->kept_at)
        at--;
      g_ptr_array_insert (list, (int) at, kept);
    }
  end_listing (self, n_changes, n_seen);
  if (n_foreign != NULL)
    *n_foreign = foreign;

  return list;
}

/* How many files wait for their delivery, whatever queue they are for: as the last listing saw it,
 * with what this spool has done since. Never blocks. */
guint
gw_redis_spool_count (GwRedisSpool *self)
{
  return (guint) g_atomic_int_get (&self->n_kept);
}

/* It was delivered. */
void
gw_redis_spool_remove (GwRedisSpool *self,
                       GwRedisKept *kept)
{
  if (g_unlink (kept->path) == 0)
    _gw_redis_spool_note_gone (self);
}

/* Nobody will ever take it: it stays for a person. (transfer full) (nullable): where. */
char *
gw_redis_spool_set_aside (GwRedisSpool *self,
                          GwRedisKept *kept)
{
  char *aside = _gw_redis_spool_move_aside (kept->path, UNDELIVERED);

  if (aside != NULL)
    _gw_redis_spool_note_gone (self);

  return aside;
}
