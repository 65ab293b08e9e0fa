/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "gw-endpoint.h"

/* The built-in gateway of the window whose disk breaks: it is taken down and started again, the
 * window stays. The disk is a file system of SQLite's that stands before the real one. */

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;

/* The real file system has a table of functions for each way of locking. */
typedef struct {
  sqlite3_io_methods methods;
  const sqlite3_io_methods *real;
} Table;

static Table tables[8];
static GMutex tables_mutex;
static int breaks; /* (atomic) syncs that fail from now on */

static int
faulty_sync (sqlite3_file *file,
             int flags)
{
  if (g_atomic_int_get (&breaks) > 0)
    {
      g_atomic_int_add (&breaks, -1);
      return SQLITE_IOERR_FSYNC;
    }
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
  table->methods = *file->pMethods;
  table->methods.xSync = faulty_sync;
  table->real = file->pMethods;
  file->pMethods = &table->methods;
  g_mutex_unlock (&tables_mutex);
  return rc;
}

static void
wait_for_state (GwEndpoint *endpoint,
                GwEndpointState state)
{
  while (gw_endpoint_get_state (endpoint) != state)
    g_main_context_iteration (NULL, TRUE);
}

static void
posted_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  *(gboolean *) user_data = TRUE;
}

static void
begin_post (GwEndpoint *endpoint,
            gboolean *done)
{
  g_autoptr (JsonObject) body = json_object_new ();

  *done = FALSE;
  json_object_set_string_member (body, "content", "x");
  gw_client_call_async (gw_endpoint_get_client (endpoint), "POST", "/tasks", body, NULL, posted_cb,
                        done);
}

static void
wait_for_post (gboolean *done)
{
  while (!*done)
    g_main_context_iteration (NULL, TRUE);
}

static void
stopped_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_assert_true (gw_endpoint_stop_finish (GW_ENDPOINT (source), result, NULL));
  *(gboolean *) user_data = TRUE;
}

static void
stop (GwEndpoint *endpoint)
{
  gboolean stopped = FALSE;

  gw_endpoint_stop_async (endpoint, 0, stopped_cb, &stopped);
  while (!stopped)
    g_main_context_iteration (NULL, TRUE);
}

typedef struct {
  char *folder;
  char *config;
  GwEndpoint *endpoint;
} Fixture;

static void
set_up (Fixture *self,
        gconstpointer data)
{
  self->folder = g_dir_make_tmp ("gangway-endpoint-XXXXXX", NULL);
  self->config = g_build_filename (self->folder, "gangway.conf", NULL);
  g_assert_true (g_file_set_contents (self->config, "[provider practice]\nkind=practice\n", -1,
                                      NULL));
  self->endpoint = gw_endpoint_new (NULL, self->config, self->folder);
  gw_endpoint_use_builtin (self->endpoint);
  wait_for_state (self->endpoint, GW_ENDPOINT_READY);
}

static void
tear_down (Fixture *self,
           gconstpointer data)
{
  static const char *const files[] = { "gangway.conf", "queue.db", "queue.db-wal", "queue.db-shm",
                                       "lock" };

  g_atomic_int_set (&breaks, 0);
  stop (self->endpoint);
  g_object_unref (self->endpoint);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (self->folder, files[i], NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->config);
}

static void
test_starts_again (Fixture *self,
                   gconstpointer data)
{
  gboolean posted;

  for (guint i = 0; i < 2; i++)
    {
      g_atomic_int_set (&breaks, 1);
      begin_post (self->endpoint, &posted);
      wait_for_state (self->endpoint, GW_ENDPOINT_STARTING);
      wait_for_state (self->endpoint, GW_ENDPOINT_READY);
      g_assert_true (gw_endpoint_is_builtin (self->endpoint));
      wait_for_post (&posted);
    }

  /* After that it is left to the user. */
  g_atomic_int_set (&breaks, 1);
  begin_post (self->endpoint, &posted);
  wait_for_state (self->endpoint, GW_ENDPOINT_FAILED);
  g_assert_nonnull (gw_endpoint_get_message (self->endpoint));
  gw_endpoint_retry_now (self->endpoint);
  wait_for_state (self->endpoint, GW_ENDPOINT_READY);
  wait_for_post (&posted);
}

/* The window is closed while what failed is still being taken down. */
static void
test_stop_meanwhile (Fixture *self,
                     gconstpointer data)
{
  gboolean posted;

  g_atomic_int_set (&breaks, 1);
  begin_post (self->endpoint, &posted);
  wait_for_state (self->endpoint, GW_ENDPOINT_STARTING);
  stop (self->endpoint);
  wait_for_post (&posted);
}

/* Everyone who asks for the end is told of it, also while a start or the end is under way. */
static void
test_stop_twice (Fixture *self,
                 gconstpointer data)
{
  gboolean first = FALSE;
  gboolean second = FALSE;

  gw_endpoint_stop_async (self->endpoint, 0, stopped_cb, &first);
  gw_endpoint_stop_async (self->endpoint, 0, stopped_cb, &second);
  while (!first || !second)
    g_main_context_iteration (NULL, TRUE);

  gw_endpoint_use_builtin (self->endpoint);
  wait_for_state (self->endpoint, GW_ENDPOINT_STARTING);
  first = second = FALSE;
  gw_endpoint_stop_async (self->endpoint, 0, stopped_cb, &first);
  gw_endpoint_stop_async (self->endpoint, 0, stopped_cb, &second);
  while (!first || !second)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* A broken disk is said in the log, by several, and is what is wanted here. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  real_vfs = sqlite3_vfs_find (NULL);
  vfs = *real_vfs;
  vfs.zName = "faulty";
  vfs.xOpen = faulty_open;
  g_assert_cmpint (sqlite3_vfs_register (&vfs, 1), ==, SQLITE_OK);

  g_test_add ("/endpoint/starts-again", Fixture, NULL, set_up, test_starts_again, tear_down);
  g_test_add ("/endpoint/stop-meanwhile", Fixture, NULL, set_up, test_stop_meanwhile, tear_down);
  g_test_add ("/endpoint/stop-twice", Fixture, NULL, set_up, test_stop_twice, tear_down);

  return g_test_run ();
}
