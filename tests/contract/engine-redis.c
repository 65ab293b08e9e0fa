/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>

#include "queue-fixture.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-queue.h"

/* The Redis engine, for the contract suite: one real server for the program, on a socket in a
 * folder of its own, emptied before each case. It ends with us, however we end.
 *
 * Where GW_EXAMPLES is set, the server is set up as examples/redis.conf says, and the queue is the
 * user that it gives to the programs: what that one may not do, some case would miss. */

#ifdef GW_EXAMPLES
#define EXAMPLE GW_EXAMPLES "/redis.conf"
#define QUEUE_USER "?user=gangway&password=change-me-too"
#define ADMIN_USER "?user=admin&password=change-me"
#else
#define EXAMPLE "--protected-mode yes"
#define QUEUE_USER ""
#define ADMIN_USER ""
#endif

static char *folder;
static char *uri;         /* of the queue */
static char *admin_uri;   /* of the tests, which look into it and empty it */
static GPid server;

static void
stop_server (void)
{
  g_autofree char *socket = g_build_filename (folder, "redis.sock", NULL);
  g_autofree char *log = g_build_filename (folder, "redis.log", NULL);

  kill (server, SIGKILL);
  g_spawn_close_pid (server);
  g_unlink (socket);
  g_unlink (log);
  g_rmdir (folder);
}

static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static GwRedisConnection *
connect_to_server (GwRedisAddress **address)
{
  g_autoptr (GError) error = NULL;
  GwRedisConnection *connection;

  *address = gw_redis_address_parse (admin_uri, &error);
  g_assert_no_error (error);
  connection = gw_redis_connection_new (*address);
  for (guint i = 0; !gw_redis_connection_open (connection, FALSE, &error); i++)
    {
      g_assert_cmpuint (i, <, 500);
      g_clear_error (&error);
      g_usleep (10000);
    }

  return connection;
}

static void
start_server (void)
{
  g_autofree char *socket = NULL;
  g_autofree char *log = NULL;
  g_autoptr (GError) error = NULL;

  folder = g_dir_make_tmp ("gangway-redis-XXXXXX", &error);
  g_assert_no_error (error);
  socket = g_build_filename (folder, "redis.sock", NULL);
  log = g_build_filename (folder, "redis.log", NULL);
  uri = g_strconcat ("redis+unix://", socket, QUEUE_USER, NULL);
  admin_uri = g_strconcat ("redis+unix://", socket, ADMIN_USER, NULL);
  {
    const char *arguments[] = {
      "redis-server", EXAMPLE, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly",
      "no", "--dir", folder, "--logfile", log, NULL
    };

    g_spawn_async (NULL, (char **) arguments, NULL,
                   G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL, &server,
                   &error);
    g_assert_no_error (error);
  }
  atexit (stop_server);
}

static char *
make (void)
{
  g_autoptr (GwRedisAddress) address = NULL;
  g_autoptr (GwRedisConnection) connection = NULL;
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  if (uri == NULL)
    start_server ();
  connection = connect_to_server (&address);
  reply = gw_redis_connection_run (connection, &error, "FLUSHALL", NULL);
  g_assert_no_error (error);
  /* Scripts come back by themselves: some case always begins without them. */
  if (g_test_rand_bit ())
    {
      g_autoptr (redisReply) flushed = gw_redis_connection_run (connection, &error, "SCRIPT",
                                                                "FLUSH", NULL);

      g_assert_no_error (error);
    }

  return g_strdup (admin_uri);
}

static void
destroy (const char *data)
{
}

static GwQueue *
open_queue (const char *data,
            GwClock *clock,
            const QueueSettings *settings,
            GError **error)
{
  GwRedisQueueOptions options = {
    .uri = g_strcmp0 (data, admin_uri) == 0 ? uri : data,
    .clock = clock,
    .max_concurrency = settings->max_concurrency,
    .max_attempts = settings->max_attempts,
    .keep_days = settings->keep_days,
    .lease_seconds = 15,
    .hold_uncertain = settings->hold_uncertain,
    .hold_unfinished = settings->hold_unfinished,
    .alone = TRUE,
  };
  GwRedisQueue *queue = gw_redis_queue_new (&options, error);

  return queue != NULL ? GW_QUEUE (queue) : NULL;
}

const QueueEngine queue_engine = { "redis", make, destroy, open_queue };
