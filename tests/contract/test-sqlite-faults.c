/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue-fixture.h"
#include "queue/gw-data-lock.h"
#include "queue/gw-sqlite-queue.h"

/*
 * What only the embedded engine has: a disk that is full or broken, at the Nth write; files that
 * are newer, damaged or not ours; and the lock on the data. The faults are made by a file system of
 * SQLite's that stands before the real one.
 */

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;

/* The real file system has a table of functions for each way of locking. */
typedef struct {
  sqlite3_io_methods methods;
  const sqlite3_io_methods *real;
} Table;

static Table tables[8];
static GMutex tables_mutex;
static int fault;         /* (atomic) SQLITE_FULL, an I/O error, or 0 */
static int fault_after;   /* (atomic) writes or syncs that still go well */
static int fault_then;    /* (atomic) the fault after the next one, and after that none; 0: it stays */

/* Where a sync waits, so that what is asked meanwhile becomes one group. */
static GMutex gate;
static int gate_closed;   /* (atomic) */
static int at_gate;       /* (atomic) somebody waits */

static int
next_fault (int of_sync)
{
  int code = g_atomic_int_get (&fault);

  if (code == 0 || (code != SQLITE_FULL && !of_sync) || (code == SQLITE_FULL && of_sync))
    return SQLITE_OK;
  if (g_atomic_int_add (&fault_after, -1) > 0)
    return SQLITE_OK;
  if (g_atomic_int_get (&fault_then) != 0)
    {
      g_atomic_int_set (&fault, g_atomic_int_get (&fault_then) == code ? 0
                                                                       : g_atomic_int_get (&fault_then));
      g_atomic_int_set (&fault_after, 0);
    }

  return code;
}

static int
faulty_write (sqlite3_file *file,
              const void *data,
              int length,
              sqlite3_int64 offset)
{
  int code = next_fault (FALSE);

  if (code != SQLITE_OK)
    return code;

  return ((const Table *) file->pMethods)->real->xWrite (file, data, length, offset);
}

static int
faulty_sync (sqlite3_file *file,
             int flags)
{
  int code = SQLITE_OK;

  if (g_atomic_int_get (&gate_closed))
    {
      g_atomic_int_set (&at_gate, TRUE);
      g_mutex_lock (&gate);
      g_mutex_unlock (&gate);
    }
  else
    {
      code = next_fault (TRUE);
    }
  if (code != SQLITE_OK)
    return code;

  return ((const Table *) file->pMethods)->real->xSync (file, flags);
}

static int
faulty_open (sqlite3_vfs *self,
             const char *name,
             sqlite3_file *file,
             int flags,
             int *out_flags)
{
  int rc = real_vfs->xOpen (real_vfs, name, file, flags, out_flags);
  Table *table = tables;

  if (rc != SQLITE_OK || file->pMethods == NULL)
    return rc;

  g_mutex_lock (&tables_mutex);
  while (table->real != NULL && table->real != file->pMethods)
    table++;
  g_assert_cmpint (table - tables, <, (int) G_N_ELEMENTS (tables) - 1);
  if (table->real == NULL)
    {
      table->methods = *file->pMethods;
      table->methods.xWrite = faulty_write;
      table->methods.xSync = faulty_sync;
      table->real = file->pMethods;
    }
  file->pMethods = &table->methods;
  g_mutex_unlock (&tables_mutex);

  return rc;
}

static void
install_vfs (void)
{
  real_vfs = sqlite3_vfs_find (NULL);
  vfs = *real_vfs;
  vfs.zName = "faulty";
  vfs.xOpen = faulty_open;
  g_assert_cmpint (sqlite3_vfs_register (&vfs, 1), ==, SQLITE_OK);
}

static void
set_fault (int code,
           int after)
{
  g_atomic_int_set (&fault_after, after);
  g_atomic_int_set (&fault, code);
}

/* Full at each write of a step in turn: nothing half done, and all well when there is space
 * again. */
static void
test_full (Fixture *self,
           gconstpointer data)
{
  guint accepted = 0;
  guint refused = 0;

  for (int after = 0; after < 12; after++)
    {
      g_autoptr (GwSubmission) submission = gw_submission_new ();
      g_autoptr (GwSubmitted) submitted = NULL;
      g_autoptr (GwSubmitted) again = NULL;
      g_autoptr (GwQueueStats) stats = NULL;
      g_autoptr (GError) error = NULL;

      for (guint i = 0; i < 3; i++)
        g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
      submission->project = g_strdup_printf ("project %d", after);
      set_fault (SQLITE_FULL, after);
      submitted = fx_submit (self->queue, submission, &error);
      set_fault (0, 0);
      stats = fx_stats (self->queue);
      if (submitted == NULL)
        {
          refused++;
          g_assert_error (error, GW_ERROR, GW_ERROR_NO_SPACE);
          g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, accepted);
          g_clear_error (&error);
          again = fx_submit (self->queue, submission, &error);
          g_assert_no_error (error);
        }
      accepted += 3;
    }
  g_assert_cmpuint (refused, >, 0);
  for (guint i = 0; i < 5; i++)
    gw_grant_free (claim_start (self->queue, "alpha"));
}

/* Several in one group, one bad moment: each is tried alone. */
static gboolean
says_no_space (GwQueue *queue)
{
  g_autoptr (GwQueueStats) stats = fx_stats (queue);

  return stats->no_space;
}

static void
test_full_while_running (Fixture *self,
                         gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwReply) answer = make_answer (self->clock, "kept in memory until there is space");
  g_autoptr (GwLaneState) lane = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;

  set_fault (SQLITE_FULL, 0);
  g_assert_false (fx_finish (self->queue, grant->attempt, answer, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NO_SPACE);
  g_clear_error (&error);
  set_fault (0, 0);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->in_flight, ==, 1);
  g_assert_true (says_no_space (self->queue));
  g_assert_true (fx_finish (self->queue, grant->attempt, answer, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (says_no_space (self->queue));
  task = fx_get_task (self->queue, id, &error);
  g_assert_cmpstr (task->result, ==, answer->result);
}

static void
failed_cb (const GError *error,
           gpointer user_data)
{
  g_atomic_int_inc ((int *) user_data);
}

/* An fsync that fails is the end: nobody is told that it was stored, then or later. */
static void
test_eio (Fixture *self,
          gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;
  int failed = 0;

  gw_sqlite_queue_set_failed_func (GW_SQLITE_QUEUE (self->queue), failed_cb, &failed);
  g_ptr_array_add (submission->tasks, gw_new_task_new ("y"));
  g_test_expect_message ("gw-queue", G_LOG_LEVEL_CRITICAL, "*could not be used*");
  set_fault (SQLITE_IOERR_FSYNC, 0);
  g_assert_null (fx_submit (self->queue, submission, &error));
  set_fault (0, 0);
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_clear_error (&error);
  g_test_assert_expected_messages ();
  g_assert_cmpint (g_atomic_int_get (&failed), ==, 1);
  g_assert_null (fx_submit (self->queue, submission, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_clear_error (&error);
  g_assert_null (fx_claim (self->queue, "alpha", 0, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_clear_error (&error);

  fixture_close (self);
  fixture_open (self);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
}

typedef struct {
  guint accepted;
  guint refused;
} Answers;

static void
answered_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwSubmitted) submitted = gw_queue_submit_finish (GW_QUEUE (source), result, &error);
  Answers *answers = user_data;

  if (submitted != NULL)
    answers->accepted++;
  else
    answers->refused++;
}

/* A group that found no space is tried one by one. If that breaks the disk, it is the end for those
 * of the group that have not had their turn, too. */
static void
test_eio_in_a_group (Fixture *self,
                     gconstpointer data)
{
  Answers answers = { 0 };
  g_autoptr (GwQueueStats) stats = NULL;

  g_mutex_lock (&gate);
  g_atomic_int_set (&gate_closed, TRUE);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GwSubmission) submission = gw_submission_new ();

      g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
      gw_queue_submit_async (self->queue, submission, answered_cb, &answers);
      while (i == 0 && !g_atomic_int_get (&at_gate))
        g_thread_yield ();
    }
  g_test_expect_message ("gw-queue", G_LOG_LEVEL_CRITICAL, "*could not be used*");
  g_atomic_int_set (&fault_then, SQLITE_IOERR_FSYNC);
  set_fault (SQLITE_FULL, 0);
  g_atomic_int_set (&gate_closed, FALSE);
  g_mutex_unlock (&gate);

  while (answers.accepted + answers.refused < 4)
    g_main_context_iteration (NULL, TRUE);
  set_fault (0, 0);
  g_atomic_int_set (&fault_then, 0);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (answers.accepted, ==, 1);
  g_assert_cmpuint (answers.refused, ==, 3);

  /* Of the one whose sync failed nobody knows; of the others nothing was begun. */
  fixture_close (self);
  fixture_open (self);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], <=, 2);
}

static void
run_sql (Fixture *self,
         const char *sql)
{
  g_autofree char *path = g_build_filename (self->data, "queue.db", NULL);
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);
}

static void
expect_refusal (Fixture *self,
                GwError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (queue_engine.open (self->data, self->clock, &self->settings, &error));
  g_assert_error (error, GW_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, "queue.db"));
}

static void
test_files (Fixture *self,
            gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->data, "queue.db", NULL);

  fixture_close (self);
  run_sql (self, "PRAGMA user_version = 99");
  expect_refusal (self, GW_ERROR_DATA_NEWER);
  run_sql (self, "PRAGMA user_version = 2; PRAGMA application_id = 7");
  expect_refusal (self, GW_ERROR_DATA_CORRUPT);
  g_assert_true (g_file_set_contents (path, "This is no database, whatever its name says.", -1, NULL));
  expect_refusal (self, GW_ERROR_DATA_CORRUPT);
  g_unlink (path);
  fixture_open (self);
}

/* A file of version 1 is brought up, with all that is in it. */
static void
test_older (Fixture *self,
            gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 3);
  const char *const last[] = { ids->pdata[2], NULL };
  GwProjectPatch patch
      = { .paused = -1, .sets_token_limit = TRUE, .token_limit = 30, .sets_stop = FALSE };
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed;

  fixture_close (self);
  run_sql (self, "DROP INDEX task_moved; ALTER TABLE project DROP COLUMN token_limit;"
           "ALTER TABLE project DROP COLUMN stop_after; PRAGMA user_version = 1");
  fixture_open (self);
  project = fx_patch (self->queue, "p", &patch, &error);
  g_assert_no_error (error);
  g_assert_cmpint (project->token_limit, ==, 30);
  g_assert_true (fx_move (self->queue, last, GW_MOVE_TO_TOP, 0, &changed, &error));
  fixture_reopen (self);
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, ids->pdata[2]);
}

/* Whatever the umask and whoever made the folder: tasks are private. */
static void
test_private (Fixture *self,
              gconstpointer data)
{
  static const char *const names[] = { "queue.db", "queue.db-wal", "queue.db-shm" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (self->data, names[i], NULL);
      GStatBuf info;

      g_assert_cmpint (g_stat (path, &info), ==, 0);
      g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
    }
}

static void
test_lock (void)
{
  g_autofree char *folder = g_dir_make_tmp ("gangway-lock-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "lock", NULL);
  g_autofree char *other = NULL;
  g_autofree char *seen = NULL;
  g_autoptr (GError) error = NULL;
  GwDataLock *lock = gw_data_lock_new (folder, &other, &error);
  pid_t child;
  int status;

  g_assert_no_error (error);
  g_assert_nonnull (lock);
  g_assert_null (gw_data_lock_peek (folder));
  g_assert_null (gw_data_lock_new (folder, &other, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_DATA_IN_USE);
  g_assert_null (other);
  g_clear_error (&error);

  g_assert_true (gw_data_lock_set_uri (lock, "http://127.0.0.1:8000", &error));
  g_assert_true (gw_data_lock_set_uri (lock, "http://[::1]:80", &error));
  seen = gw_data_lock_peek (folder);
  g_assert_cmpstr (seen, ==, "http://[::1]:80");
  g_assert_null (gw_data_lock_new (folder, &other, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_DATA_IN_USE);
  g_assert_cmpstr (other, ==, "http://[::1]:80");
  g_clear_error (&error);
  gw_data_lock_free (lock);
  g_assert_null (gw_data_lock_peek (folder));

  /* A kill frees it at once, and what the dead one wrote counts no more. */
  child = fork ();
  if (child == 0)
    {
      GwDataLock *own = gw_data_lock_new (folder, NULL, NULL);

      gw_data_lock_set_uri (own, "http://127.0.0.1:1", NULL);
      kill (getpid (), SIGKILL);
    }
  waitpid (child, &status, 0);
  g_assert_null (gw_data_lock_peek (folder));
  lock = gw_data_lock_new (folder, NULL, &error);
  g_assert_no_error (error);
  gw_data_lock_free (lock);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  install_vfs ();

  g_test_add ("/sqlite/full", Fixture, NULL, fixture_set_up, test_full, fixture_tear_down);
  g_test_add ("/sqlite/full-while-running", Fixture, NULL, fixture_set_up, test_full_while_running,
              fixture_tear_down);
  g_test_add ("/sqlite/eio", Fixture, NULL, fixture_set_up, test_eio, fixture_tear_down);
  g_test_add ("/sqlite/eio-in-a-group", Fixture, NULL, fixture_set_up, test_eio_in_a_group,
              fixture_tear_down);
  g_test_add ("/sqlite/files", Fixture, NULL, fixture_set_up, test_files, fixture_tear_down);
  g_test_add ("/sqlite/older-files", Fixture, NULL, fixture_set_up, test_older, fixture_tear_down);
  g_test_add ("/sqlite/private", Fixture, NULL, fixture_set_up, test_private, fixture_tear_down);
  g_test_add_func ("/sqlite/lock", test_lock);

  return g_test_run ();
}
