/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "gw-error.h"
#include "queue/gw-data-lock.h"
#include "queue/gw-queue-store.h"
#include "queue/gw-sqlite-store-private.h"

/*
 * The embedded queue as a thing that can be moved: who holds it, what is left behind, what comes
 * in. Blocking, one thread, the data locked.
 *
 * What is given away is marked by the file `moved` beside it; what comes in is `queue.db.moving`
 * until it is whole. An engine opens the data only where neither is there. Guarantee: each mark,
 * and each change of a name, is on disk before the next step.
 */

#define MARK "moved"
#define GROUP "moved"

static char *
get_path (GwSqliteStore *self,
          const char *name)
{
  return g_build_filename (self->data_dir, name, NULL);
}

static gboolean
fail_with (const char *path,
           int code,
           GError **error)
{
  g_set_error (error, GW_ERROR, code == ENOSPC ? GW_ERROR_NO_SPACE : GW_ERROR_UNAVAILABLE,
               "%s could not be written: %s. Nothing was given away; mend that and run it again.",
               path, g_strerror (code));

  return FALSE;
}

/* A new name is on disk when its folder is. */
static gboolean
sync_path (const char *path,
           GError **error)
{
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  int code = 0;

  if (fd < 0 || fsync (fd) != 0)
    code = errno;
  if (fd >= 0)
    close (fd);

  return code == 0 || fail_with (path, code, error);
}

static gboolean
rename_in (GwSqliteStore *self,
           const char *from,
           const char *to,
           GError **error)
{
  g_autofree char *old = get_path (self, from);
  g_autofree char *new = get_path (self, to);

  if (g_rename (old, new) != 0)
    return fail_with (new, errno, error);

  return sync_path (self->data_dir, error);
}

/* --- The mark. --- */

static gboolean
read_mark (const char *data_dir,
           GwStoreInfo *info,
           GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, MARK, NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local = NULL;
  g_autofree char *state = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &local))
    {
      if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
      g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
                   "%s cannot be read (%s), so nobody knows where the queue is. Look at it.", path,
                   local->message);
      return FALSE;
    }
  info->moved_id = g_key_file_get_string (file, GROUP, "id", NULL);
  info->moved_to = g_key_file_get_string (file, GROUP, "to", NULL);
  state = g_key_file_get_string (file, GROUP, "state", NULL);
  info->state = g_strcmp0 (state, "handed") == 0 ? GW_STORE_HANDED : GW_STORE_MOVED;
  if (info->moved_to == NULL)
    info->moved_to = g_strdup ("another place");

  return TRUE;
}

static gboolean
write_mark (GwSqliteStore *self,
            const char *id,
            const char *to,
            const char *state,
            GError **error)
{
  g_autofree char *path = get_path (self, MARK);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format_iso8601 (now);
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  gsize size;

  g_key_file_set_comment (file, NULL, NULL, " The queue beside this file was moved; do not use it.",
                          NULL);
  g_key_file_set_string (file, GROUP, "id", id);
  g_key_file_set_string (file, GROUP, "to", to);
  g_key_file_set_string (file, GROUP, "at", time);
  g_key_file_set_string (file, GROUP, "state", state);
  text = g_key_file_to_data (file, &size, NULL);
  if (!g_file_set_contents_full (path, text, (gssize) size,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                 &local))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE, "%s", local->message);
      return FALSE;
    }

  return sync_path (self->data_dir, error);
}

/**
 * gw_sqlite_store_find_moved:
 * @data_dir: a data directory
 *
 * Returns: (transfer full) (nullable): why no engine may open the queue there, for people
 */
char *
gw_sqlite_store_find_moved (const char *data_dir)
{
  g_autofree char *moving = g_build_filename (data_dir, GW_SQLITE_STORE_COMING, NULL);
  g_autofree char *mark = g_build_filename (data_dir, MARK, NULL);
  g_auto (GwStoreInfo) info = { 0 };
  g_autoptr (GError) error = NULL;

  if (!read_mark (data_dir, &info, &error))
    return g_strdup (error->message);
  if (info.state == GW_STORE_MOVED)
    return g_strdup_printf (
        "The queue in %s was moved to %s, where its tasks are now. Start with "
        "--redis and that address, or move it back: gangwayd --migrate-to embedded "
        "--redis and that address. What is here is a copy of what it was then; "
        "without the file %s it would run again, and its tasks twice.",
        data_dir, info.moved_to, mark);
  if (info.state == GW_STORE_HANDED)
    return g_strdup_printf (
        "A move of the queue in %s to %s was broken off just before its end. Run it "
        "again: gangwayd --migrate-to and that address.",
        data_dir, info.moved_to);
  if (g_file_test (moving, G_FILE_TEST_EXISTS))
    return g_strdup_printf (
        "A move of a queue into %s was broken off. Run it again: gangwayd "
        "--migrate-to embedded --redis and the address it comes from; or delete %s "
        "to give it up.",
        data_dir, moving);

  return NULL;
}

/* Looks without taking anything: the first column of the head, or FALSE. */
static gboolean
peek_head (const char *data_dir,
           const char *column,
           guint64 *number,
           char **text)
{
  g_autofree char *path = g_build_filename (data_dir, GW_SQLITE_STORE_FILE, NULL);
  g_autofree char *query = g_strdup_printf ("SELECT %s FROM head", column);
  g_autofree char *moved = NULL;
  sqlite3 *handle = NULL;
  sqlite3_stmt *row = NULL;
  gboolean found;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR)
      || (moved = gw_sqlite_store_find_moved (data_dir)) != NULL)
    return FALSE;
  found = sqlite3_open_v2 (path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL)
              == SQLITE_OK
          && sqlite3_prepare_v2 (handle, query, -1, &row, NULL) == SQLITE_OK
          && sqlite3_step (row) == SQLITE_ROW;
  if (found && number != NULL)
    *number = (guint64) MAX (0, sqlite3_column_int64 (row, 0));
  if (found && text != NULL)
    *text = g_strdup ((const char *) sqlite3_column_text (row, 0));
  sqlite3_finalize (row);
  sqlite3_close (handle);

  return found;
}

/**
 * gw_sqlite_store_count_unfinished:
 * @data_dir: a data directory
 *
 * Looks without taking anything: a queue that somebody works on is none of ours.
 *
 * Returns: how many tasks are queued or running in a queue that was not moved; 0 where there is
 * none
 */
guint64
gw_sqlite_store_count_unfinished (const char *data_dir)
{
  guint64 n = 0;

  return peek_head (data_dir, "n_queued + n_running", &n, NULL) ? n : 0;
}

/**
 * gw_sqlite_store_dup_id:
 * @data_dir: a data directory
 *
 * Returns: (nullable): the id of its data
 */
char *
gw_sqlite_store_dup_id (const char *data_dir)
{
  char *id = NULL;

  return peek_head (data_dir, "store", NULL, &id) ? id : NULL;
}

/* --- Taking hold. --- */

static void
closed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/* The last process died: an engine makes of its attempts what it always does, and closes. */
static gboolean
clear_up_crash (GwSqliteStore *self,
                GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GwSqliteQueue) queue = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  queue = gw_sqlite_queue_new (&self->options, error);
  if (queue == NULL)
    return FALSE;
  g_main_context_push_thread_default (context);
  gw_queue_close_async (GW_QUEUE (queue), closed_cb, &result);
  while (result == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);

  return gw_queue_close_finish (GW_QUEUE (queue), result, error);
}

static gboolean
open_file (GwSqliteStore *self,
           const char *name,
           GError **error)
{
  g_autofree char *path = get_path (self, name);

  g_clear_pointer (&self->db, gw_sq_db_free);
  self->db = gw_sq_db_open (path, TRUE, error);

  return self->db != NULL && gw_sq_schema_prepare (self->db, &self->options, error);
}

/* Which move brought the file, and whether all of it. */
static char *
read_came (GwSqDb *db,
           gboolean *complete)
{
  char *came = NULL;
  sqlite3_stmt *row;

  *complete = FALSE;
  if (gw_sq_read_number (db, "SELECT count(*) FROM sqlite_schema WHERE name = 'came'", "") == 0)
    return NULL;
  row = gw_sq_bind (db, "SELECT id, complete FROM came", "");
  if (gw_sq_row (db, row))
    {
      came = gw_sq_dup_text (row, 0);
      *complete = sqlite3_column_int (row, 1);
      gw_sq_end (row);
    }

  return came;
}

static gboolean
look_at_coming (GwSqliteStore *self,
                GwStoreInfo *info,
                GError **error)
{
  g_autofree char *path = get_path (self, GW_SQLITE_STORE_COMING);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  /* Half a file may be anything: then it is begun anew. */
  if (open_file (self, GW_SQLITE_STORE_COMING, NULL))
    info->coming = read_came (self->db, &info->complete);
  g_clear_pointer (&self->db, gw_sq_db_free);

  return TRUE;
}

static gboolean
store_take (GwQueueStore *store,
            GwStoreInfo *info,
            GError **error)
{
  GwSqliteStore *self = (GwSqliteStore *) store;
  g_autofree char *path = get_path (self, GW_SQLITE_STORE_FILE);
  gboolean complete;

  self->lock = gw_data_lock_new (self->data_dir, NULL, error);
  if (self->lock == NULL || !read_mark (self->data_dir, info, error)
      || !look_at_coming (self, info, error))
    return FALSE;
  self->marked = info->moved_id != NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;

  if (!open_file (self, GW_SQLITE_STORE_FILE, error))
    return FALSE;
  if (!self->marked && gw_sq_read_number (self->db, "SELECT opened = 1 FROM head", "") != 0)
    {
      g_clear_pointer (&self->db, gw_sq_db_free);
      if (!clear_up_crash (self, error) || !open_file (self, GW_SQLITE_STORE_FILE, error))
        return FALSE;
    }
  info->came = read_came (self->db, &complete);
  info->tasks = (guint64) gw_sq_read_number (self->db, "SELECT count(*) FROM task", "");
  if (info->state == GW_STORE_ABSENT)
    info->state = info->tasks > 0
                  || gw_sq_read_number (self->db, "SELECT count(*) FROM project", "") > 1
                  ? GW_STORE_FULL : GW_STORE_EMPTY;

  return !gw_sq_db_set_error (self->db, error);
}

/* The lock holds it. */
static gboolean
store_hold (GwQueueStore *store,
            const char *id,
            GError **error)
{
  GwSqliteStore *self = (GwSqliteStore *) store;

  if (gw_sq_read_number (self->db, "SELECT count(*) FROM attempt WHERE outcome = 0", "") == 0)
    return !gw_sq_db_set_error (self->db, error);

  g_set_error (
      error, GW_ERROR, GW_ERROR_CONFLICT,
      "Calls are under way in %s, though nobody works on it. Start gangwayd on it and stop it "
      "again, then move it.",
      store->shown);
  return FALSE;
}

static gboolean
store_renew (GwQueueStore *store,
             GError **error)
{
  return TRUE;
}

static gboolean
store_hand_over (GwQueueStore *store,
                 const char *id,
                 const char *to,
                 GError **error)
{
  return write_mark ((GwSqliteStore *) store, id, to, "handed", error);
}

static gboolean
store_settle (GwQueueStore *store,
              const char *id,
              const char *to,
              GError **error)
{
  return write_mark ((GwSqliteStore *) store, id, to, "moved", error);
}

/* --- Coming in. --- */

static void
remove_file (GwSqliteStore *self,
             const char *name)
{
  static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *whole = g_strconcat (name, suffixes[i], NULL);
      g_autofree char *path = get_path (self, whole);

      g_unlink (path);
    }
}

static gboolean
store_begin (GwQueueStore *store,
             const char *id,
             const char *from,
             GError **error)
{
  GwSqliteStore *self = (GwSqliteStore *) store;

  g_clear_pointer (&self->db, gw_sq_db_free);
  remove_file (self, GW_SQLITE_STORE_COMING);
  if (!open_file (self, GW_SQLITE_STORE_COMING, error))
    return FALSE;
  gw_sq_exec (self->db, "PRAGMA synchronous = NORMAL; CREATE TABLE came (id TEXT NOT NULL,"
              " source TEXT NOT NULL, complete INTEGER NOT NULL)");
  gw_sq_run (self->db, "INSERT INTO came VALUES (?, ?, 0)", "ss", id, from);

  return !gw_sq_db_set_error (self->db, error);
}

static gboolean
store_complete (GwQueueStore *store,
                GError **error)
{
  GwSqliteStore *self = (GwSqliteStore *) store;

  gw_sq_exec (self->db, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
  gw_sq_run (self->db,
             "UPDATE pile SET n_ready = (SELECT count(*) FROM task WHERE pile = pile.pk AND"
             " state = 0 AND removed_at IS NULL)",
             "");
  gw_sq_run (self->db, "UPDATE head SET n_removals = (SELECT count(*) FROM removal)", "");
  gw_sq_run (self->db, "UPDATE came SET complete = 1", "");
  gw_sq_exec (self->db, "COMMIT");
  gw_sq_exec (self->db, "PRAGMA wal_checkpoint(TRUNCATE)");

  return !gw_sq_db_set_error (self->db, error);
}

/* Each step may have been the last one of an earlier try. */
static gboolean
store_activate (GwQueueStore *store,
                const char *id,
                char **aside,
                GError **error)
{
  GwSqliteStore *self = (GwSqliteStore *) store;
  g_autofree char *file = get_path (self, GW_SQLITE_STORE_FILE);
  g_autofree char *coming = get_path (self, GW_SQLITE_STORE_COMING);
  g_autofree char *mark = get_path (self, MARK);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  /* The last connection that closes takes log and index along. */
  g_clear_pointer (&self->db, gw_sq_db_free);
  if (g_file_test (coming, G_FILE_TEST_EXISTS))
    {
      if (!sync_path (coming, error))
        return FALSE;
      if (g_file_test (file, G_FILE_TEST_EXISTS))
        {
          g_autofree char *name =
              g_date_time_format (now, GW_SQLITE_STORE_FILE ".before-%Y%m%d-%H%M%S");

          if (!open_file (self, GW_SQLITE_STORE_FILE, error))
            return FALSE;
          gw_sq_exec (self->db, "PRAGMA wal_checkpoint(TRUNCATE)");
          g_clear_pointer (&self->db, gw_sq_db_free);
          if (!rename_in (self, GW_SQLITE_STORE_FILE, name, error))
            return FALSE;
          remove_file (self, GW_SQLITE_STORE_FILE);
          *aside = get_path (self, name);
        }
      if (!rename_in (self, GW_SQLITE_STORE_COMING, GW_SQLITE_STORE_FILE, error))
        return FALSE;
    }
  if (g_unlink (mark) != 0 && errno != ENOENT)
    return fail_with (mark, errno, error);
  /* What is said of that Redis is over. */
  remove_file (self, "used-redis");

  return sync_path (self->data_dir, error);
}

static void
store_free (GwQueueStore *store)
{
  GwSqliteStore *self = (GwSqliteStore *) store;

  g_clear_pointer (&self->db, gw_sq_db_free);
  g_clear_pointer (&self->lock, gw_data_lock_free);
  gw_clock_unref (self->options.clock);
  g_free (self->data_dir);
  g_free (self->file);
  g_free (store->shown);
  g_free (self);
}

GwQueueStore *
gw_sqlite_store_new (const char *data_dir,
                     gboolean hold_uncertain,
                     GError **error)
{
  GwSqliteStore *self = g_new0 (GwSqliteStore, 1);

  self->data_dir = g_canonicalize_filename (data_dir, NULL);
  self->file = get_path (self, GW_SQLITE_STORE_FILE);
  self->options = (GwSqliteQueueOptions){
    .data_dir = self->data_dir,
    .clock = gw_clock_new (),
    .max_concurrency = 10,
    .max_attempts = 3,
    .hold_uncertain = hold_uncertain,
  };
  self->base = (GwQueueStore){
    .shown = g_strdup (self->data_dir),
    .take = store_take,
    .hold = store_hold,
    .renew = store_renew,
    .read = gw_sqlite_store_read,
    .hand_over = store_hand_over,
    .settle = store_settle,
    .begin = store_begin,
    .write = gw_sqlite_store_write,
    .complete = store_complete,
    .activate = store_activate,
    .backup = self->file,
    .free = store_free,
  };

  return &self->base;
}
