/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw-error.h"
#include "queue/gw-redis-spool.h"

/*
 * The folder of outcomes that Redis has not taken yet. A file comes into being whole: it is written
 * and synced under another name, renamed, and the folder is synced. Nobody locks anything: a file
 * says for which queue and attempt it is, and delivering is compare-and-set, so that any engine with
 * the same folder may do it, twice even.
 *
 * Threading: any thread calls; one of its own writes what has been in hand for too long, so that
 * neither a frozen Redis nor a slow disk holds up who calls. It begins by counting what lies there,
 * and the count is kept from then on, so that who asks for it touches no disk.
 *
 * Guarantee: what is said to be kept is there after a crash of program and machine. What cannot be
 * read whole is set aside under another name, never delivered and never thrown away.
 */

#define SUFFIX ".outcome"
#define WRITING ".writing"
#define DAMAGED ".damaged"
#define UNDELIVERED ".undelivered"
#define MOST_BYTES (64 * 1024 * 1024)
#define OLD_SECONDS 3600

struct _GwRedisHeld {
  GwRedisOutcome *outcome;
  gint64 since;            /* monotonic us */
  GwRedisHeldState state;
  gboolean writing;        /* the thread has it just now */
  gboolean gone;           /* released meanwhile: the thread frees it */
  GError *error;           /* with FAILED */
  char *path;              /* with KEPT */
};

struct _GwRedisSpool {
  char *folder;
  gint64 patience;         /* us */
  GwRedisSpoolFunc changed;
  gpointer user_data;

  GMutex mutex;
  GCond cond;              /* for the thread */
  GCond written;           /* for who waits */
  GPtrArray *held;         /* (mutex mutex) (element-type GwRedisHeld) in hand, in order */
  gboolean hurry;          /* (mutex mutex) whatever is in hand goes to disk now */
  gboolean ending;         /* (mutex mutex) */
  gboolean counted;        /* (mutex mutex) */
  guint n_changes;         /* (mutex mutex) of the folder, by this spool */
  int n_kept;              /* (atomic) (mutex mutex for writing) files that wait */
  GThread *thread;         /* (owned) */
};

static void
free_held (GwRedisHeld *held)
{
  gw_redis_outcome_unref (held->outcome);
  g_clear_error (&held->error);
  g_free (held->path);
  g_free (held);
}

void
gw_redis_kept_free (GwRedisKept *kept)
{
  if (kept == NULL)
    return;

  gw_redis_outcome_unref (kept->outcome);
  g_free (kept->path);
  g_free (kept);
}

/* --- Files. --- */

static void
set_errno (GError **error,
           int code,
           const char *path,
           const char *what)
{
  g_set_error (error, GW_ERROR,
               code == ENOSPC || code == EDQUOT ? GW_ERROR_NO_SPACE : GW_ERROR_UNAVAILABLE,
               "%s could not be %s: %s. Free some space there, or choose another folder with "
               "--data-dir.", path, what, g_strerror (code));
}

static gboolean
sync_folder (const char *folder,
             GError **error)
{
  int fd = g_open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean done = fd >= 0 && fsync (fd) == 0;
  int code = errno;

  if (fd >= 0)
    close (fd);
  if (!done)
    set_errno (error, code, folder, "synced");

  return done;
}

static gboolean
make_folder (const char *folder,
             GError **error)
{
  g_autofree char *parent = NULL;

  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      set_errno (error, errno, folder, "made");
      return FALSE;
    }
  parent = g_path_get_dirname (folder);

  return sync_folder (parent, error);
}

static gboolean
write_all (int fd,
           const char *data,
           gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }

  return TRUE;
}

/* (transfer full): tells apart whatever may lie in one folder; ids from Redis are from outside. */
static char *
make_name (GwRedisOutcome *outcome)
{
  char *name = g_strdup_printf ("%.40s_%.40s_%.40s_%" G_GUINT64_FORMAT, outcome->store,
                                outcome->engine, outcome->task_id, outcome->attempt);

  return g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_", '_');
}

/* (transfer full) (nullable): where it is now, for good. */
static char *
write_outcome (const char *folder,
               GwRedisOutcome *outcome,
               GError **error)
{
  g_autofree char *name = make_name (outcome);
  g_autofree char *bare = g_build_filename (folder, name, NULL);
  g_autofree char *path = g_strconcat (bare, SUFFIX, NULL);
  g_autofree char *writing = g_strconcat (path, WRITING, NULL);
  g_autofree char *text = NULL;
  gsize length = 0;
  int code = 0;
  int fd;

  if (!make_folder (folder, error))
    return NULL;
  text = gw_redis_outcome_to_text (outcome, &length);
  g_unlink (writing);
  fd = g_open (writing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      set_errno (error, errno, writing, "made");
      return NULL;
    }
  if (!write_all (fd, text, length) || fsync (fd) != 0)
    code = errno;
  if (close (fd) != 0 && code == 0)
    code = errno;
  if (code == 0 && g_rename (writing, path) != 0)
    code = errno;
  if (code != 0)
    {
      g_unlink (writing);
      set_errno (error, code, path, "written");
      return NULL;
    }
  if (!sync_folder (folder, error))
    return NULL;

  return g_steal_pointer (&path);
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
static void
note_gone (GwRedisSpool *self)
{
  g_mutex_lock (&self->mutex);
  note_change (self, -1);
  g_mutex_unlock (&self->mutex);
}

/* (transfer full) (nullable): its new name. */
static char *
move_aside (const char *path,
            const char *suffix)
{
  g_autofree char *to = g_strconcat (path, suffix, NULL);

  return g_rename (path, to) == 0 ? g_steal_pointer (&to) : NULL;
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
  path = write_outcome (self->folder, held->outcome, &error);
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

static int
count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  int n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, SUFFIX);

  return n;
}

static gpointer
run_thread (gpointer data)
{
  GwRedisSpool *self = data;
  int n_kept = count_files (self->folder);

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

/* It is kept, and found again by gw_redis_spool_load(); or it failed, and is given up. Takes @held. */
void
gw_redis_spool_leave (GwRedisSpool *self,
                      GwRedisHeld *held)
{
  let_go (self, held, FALSE);
}

/* --- What lies on disk. --- */

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
      aside = move_aside (path, DAMAGED);
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
 * Returns: (transfer full) (element-type GwRedisKept): what is kept for @store, oldest first, without
 *   what is in hand
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

      if (g_str_has_suffix (name, WRITING))
        remove_old_writing (path);
      if (!g_str_has_suffix (name, SUFFIX))
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
    note_gone (self);
}

/* Nobody will ever take it: it stays for a person. (transfer full) (nullable): where. */
char *
gw_redis_spool_set_aside (GwRedisSpool *self,
                          GwRedisKept *kept)
{
  char *aside = move_aside (kept->path, UNDELIVERED);

  if (aside != NULL)
    note_gone (self);

  return aside;
}
