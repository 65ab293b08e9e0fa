/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "queue/gw-redis-connection.h"
#include "redis-server.h"

RedisServer *
redis_server_new (void)
{
  RedisServer *self = g_new0 (RedisServer, 1);
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("gangway-redis-XXXXXX", &error);
  g_assert_no_error (error);
  self->uri = g_strdup_printf ("redis+unix://%s/redis.sock", self->folder);

  return self;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_remove (path);
}

void
redis_server_free (RedisServer *self)
{
  redis_server_kill (self);
  remove_tree (self->folder);
  g_free (self->folder);
  g_free (self->uri);
  g_free (self);
}

static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean
is_ready (GwRedisConnection *connection,
          GError **error)
{
  g_autoptr (redisReply) reply = NULL;

  if (!gw_redis_connection_open (connection, FALSE, error))
    return FALSE;
  reply = gw_redis_connection_run (connection, error, "PING", NULL);
  if (reply == NULL && strstr ((*error)->message, "LOADING") != NULL)
    return FALSE;
  g_clear_error (error);

  return TRUE;
}

/* Connected to it, as soon as it answers and has read its data. */
static GwRedisConnection *
connect_to (RedisServer *self,
            GwRedisAddress **address)
{
  g_autoptr (GError) error = NULL;
  GwRedisConnection *connection;

  *address = gw_redis_address_parse (self->uri, &error);
  g_assert_no_error (error);
  connection = gw_redis_connection_new (*address);
  for (guint i = 0; !is_ready (connection, &error); i++)
    {
      g_assert_cmpuint (i, <, 3000);
      g_clear_error (&error);
      g_usleep (10000);
    }

  return connection;
}

static void
start (RedisServer *self,
       const char *appends)
{
  g_autofree char *socket = g_build_filename (self->folder, "redis.sock", NULL);
  g_autofree char *log = g_build_filename (self->folder, "redis.log", NULL);
  const char *arguments[] = {
    "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", appends,
    "--appendfsync", "always", "--enable-protected-configs", "yes", "--dir", self->folder, "--logfile",
    log, NULL
  };
  g_autoptr (GwRedisAddress) address = NULL;
  g_autoptr (GwRedisConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (self->pid, ==, 0);
  g_spawn_async (NULL, (char **) arguments, NULL,
                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL, &self->pid,
                 &error);
  g_assert_no_error (error);
  connection = connect_to (self, &address);
}

/* With what it had, if it ran before. */
void
redis_server_start (RedisServer *self)
{
  start (self, "yes");
}

/* With what stands in its dump.rdb. */
void
redis_server_start_from_snapshot (RedisServer *self)
{
  start (self, "no");
}

void
redis_server_kill (RedisServer *self)
{
  if (self->pid == 0)
    return;

  kill (self->pid, SIGKILL);
  waitpid (self->pid, NULL, 0);
  g_spawn_close_pid (self->pid);
  self->pid = 0;
}

/* It does not run: what it kept is gone. */
void
redis_server_forget (RedisServer *self)
{
  g_assert_cmpint (self->pid, ==, 0);
  remove_tree (self->folder);
  g_assert_cmpint (g_mkdir (self->folder, 0700), ==, 0);
}

void
redis_server_signal (RedisServer *self,
                     int number)
{
  g_assert_cmpint (kill (self->pid, number), ==, 0);
}

/* A command, of at most eight words. */
void
redis_server_tell (RedisServer *self,
                   const char *first,
                   ...)
{
  g_autoptr (GwRedisAddress) address = NULL;
  g_autoptr (GwRedisConnection) connection = connect_to (self, &address);
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;
  const char *words[8] = { first };
  gsize lengths[8] = { strlen (first) };
  const char *next;
  guint n = 1;
  va_list list;

  va_start (list, first);
  while (n < G_N_ELEMENTS (words) && (next = va_arg (list, const char *)) != NULL)
    {
      words[n] = next;
      lengths[n++] = strlen (next);
    }
  va_end (list);
  g_assert_true (gw_redis_connection_append (connection, n, words, lengths));
  reply = gw_redis_connection_take (connection, &error);
  g_assert_no_error (error);
  if (reply->type == REDIS_REPLY_ERROR)
    g_test_message ("%s: %s", first, reply->str);
}
