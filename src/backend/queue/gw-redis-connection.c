/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "gw-error.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-reply.h"
#include "queue/gw-redis-tls.h"

/*
 * One connection to Redis: how it is made, what its errors mean. Blocking, with a time
 * limit on everything, so it belongs to a thread that may wait. Texts are passed as arguments with
 * their lengths, never as formats. Messages never hold the password.
 */

#define CONNECT_SECONDS 5
#define REPLY_SECONDS 10
#define LEAST_VERSION_MAJOR 6
#define LEAST_VERSION_MINOR 2

struct _GwRedisConnection {
  const GwRedisAddress *address; /* (borrowed) */
  redisContext *context;         /* (owned) (nullable) */
  GwRedisServer server;
  GwRedisFault fault;            /* of the last error */
};

void
gw_redis_reply_free (redisReply *reply)
{
  if (reply != NULL)
    freeReplyObject (reply);
}

static void
set_error (GwRedisConnection *self,
           const char *text,
           GError **error)
{
  self->fault = gw_redis_fault_find (text);
  g_propagate_error (error, gw_redis_error_new (self->address->shown, text));
}

/* --- The connection. --- */

/* @address must live as long. */
GwRedisConnection *
gw_redis_connection_new (const GwRedisAddress *address)
{
  GwRedisConnection *self = g_new0 (GwRedisConnection, 1);
  static gsize once;

  /* hiredis writes without MSG_NOSIGNAL; GIO's sockets do the same as here. */
  if (g_once_init_enter (&once))
    {
      signal (SIGPIPE, SIG_IGN);
      g_once_init_leave (&once, 1);
    }
  self->address = address;

  return self;
}

/* Closes it, if it is open; it can be opened again. */
void
gw_redis_connection_close (GwRedisConnection *self)
{
  g_clear_pointer (&self->context, redisFree);
}

void
gw_redis_connection_free (GwRedisConnection *self)
{
  if (self == NULL)
    return;

  gw_redis_connection_close (self);
  g_free (self->server.version);
  g_free (self->server.run_id);
  g_free (self);
}

/* Whether there is one; that the server is gone shows when it is used. */
gboolean
gw_redis_connection_is_open (GwRedisConnection *self)
{
  return self->context != NULL;
}

/* Its socket, to be waited for; -1 while it is closed. */
int
gw_redis_connection_get_fd (GwRedisConnection *self)
{
  return self->context != NULL ? self->context->fd : -1;
}

/* (transfer none) (nullable): for hiredis; %NULL while it is closed. */
redisContext *
gw_redis_connection_get_context (GwRedisConnection *self)
{
  return self->context;
}

/* What the last error of this connection was about. */
GwRedisFault
gw_redis_connection_get_fault (GwRedisConnection *self)
{
  return self->fault;
}

/* (transfer none): what the server said of itself. */
const GwRedisServer *
gw_redis_connection_get_server (GwRedisConnection *self)
{
  return &self->server;
}

/* After any error the context is dead. */
static void
fail (GwRedisConnection *self,
      GError **error)
{
  /* hiredis tells a time limit as EAGAIN. */
  if (self->context->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK))
    set_error (self, "no answer in time", error);
  else
    set_error (self, self->context->errstr, error);
  gw_redis_connection_close (self);
}

gboolean
gw_redis_connection_append (GwRedisConnection *self,
                            guint n,
                            const char **arguments,
                            const gsize *lengths)
{
  return self->context != NULL
         && redisAppendCommandArgv (self->context, (int) n, arguments, lengths) == REDIS_OK;
}

/* (transfer full) (nullable): the next reply; an error reply is a reply. */
redisReply *
gw_redis_connection_take (GwRedisConnection *self,
                          GError **error)
{
  void *reply = NULL;

  if (self->context == NULL)
    {
      set_error (self, "the connection was lost", error);
      return NULL;
    }
  if (redisGetReply (self->context, &reply) != REDIS_OK || reply == NULL)
    {
      fail (self, error);
      return NULL;
    }

  return reply;
}

/* (transfer full) (nullable): one command's reply; an error reply is an error. */
redisReply *
gw_redis_connection_run (GwRedisConnection *self,
                         GError **error,
                         const char *command,
                         ...)
{
  const char *arguments[8] = { command };
  gsize lengths[8] = { strlen (command) };
  g_autoptr (redisReply) reply = NULL;
  const char *next;
  va_list list;
  guint n = 1;

  va_start (list, command);
  while (n < G_N_ELEMENTS (arguments) && (next = va_arg (list, const char *)) != NULL)
    {
      arguments[n] = next;
      lengths[n++] = strlen (next);
    }
  va_end (list);

  if (!gw_redis_connection_append (self, n, arguments, lengths))
    {
      set_error (self, "the connection was lost", error);
      return NULL;
    }
  reply = gw_redis_connection_take (self, error);
  if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
    {
      set_error (self, reply->str, error);
      return NULL;
    }

  return g_steal_pointer (&reply);
}

static gboolean
log_in (GwRedisConnection *self,
        GError **error)
{
  const GwRedisAddress *address = self->address;
  g_autoptr (redisReply) auth = NULL;
  g_autoptr (redisReply) select = NULL;

  if (address->password != NULL)
    {
      if (address->user != NULL)
        auth = gw_redis_connection_run (self, error, "AUTH", address->user, address->password, NULL);
      else
        auth = gw_redis_connection_run (self, error, "AUTH", address->password, NULL);
      if (auth == NULL)
        return FALSE;
    }
  if (address->database > 0)
    {
      g_autofree char *number = g_strdup_printf ("%u", address->database);

      select = gw_redis_connection_run (self, error, "SELECT", number, NULL);
      if (select == NULL)
        return FALSE;
    }

  return TRUE;
}

/* (transfer full) (nullable): the value of a line of INFO. */
static char *
find_info (const char *info,
           const char *name)
{
  g_autofree char *start = g_strconcat ("\n", name, ":", NULL);
  const char *at = strstr (info, start);
  gsize length;

  if (at == NULL)
    return NULL;
  at += strlen (start);
  length = strcspn (at, "\r\n");

  return g_strndup (at, length);
}

/* Whether the server is as the queue needs it; what it is now may not be what it was. */
gboolean
gw_redis_connection_check_server (GwRedisConnection *self,
                                  GError **error)
{
  g_autoptr (redisReply) reply = gw_redis_connection_run (self, error, "INFO", NULL);
  g_autofree char *version = NULL;
  g_autofree char *policy = NULL;
  g_autofree char *role = NULL;
  g_autofree char *loading = NULL;
  g_autofree char *appends = NULL;
  g_autofree char *cluster = NULL;
  guint64 major = 0, minor = 0;
  char *end = NULL;

  if (reply == NULL)
    return FALSE;
  if (reply->type != REDIS_REPLY_STRING)
    {
      set_error (self, "it does not tell about itself (INFO)", error);
      return FALSE;
    }

  version = find_info (reply->str, "redis_version");
  if (version != NULL)
    {
      major = g_ascii_strtoull (version, &end, 10);
      if (end != NULL && *end == '.')
        minor = g_ascii_strtoull (end + 1, NULL, 10);
    }
  if (major < LEAST_VERSION_MAJOR || (major == LEAST_VERSION_MAJOR && minor < LEAST_VERSION_MINOR))
    {
      self->fault = GW_REDIS_FAULT_SETTINGS;
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Redis at %s is version %s; the queue needs %d.%d or newer. Install a newer one.",
                   self->address->shown, version != NULL ? version : "unknown", LEAST_VERSION_MAJOR,
                   LEAST_VERSION_MINOR);
      return FALSE;
    }
  loading = find_info (reply->str, "loading");
  if (g_strcmp0 (loading, "1") == 0)
    {
      set_error (self, "LOADING", error);
      return FALSE;
    }
  role = find_info (reply->str, "role");
  if (g_strcmp0 (role, "slave") == 0)
    {
      set_error (self, "READONLY", error);
      return FALSE;
    }
  cluster = find_info (reply->str, "cluster_enabled");
  if (g_strcmp0 (cluster, "1") == 0)
    {
      self->fault = GW_REDIS_FAULT_SETTINGS;
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Redis at %s is part of a cluster, which the queue cannot use. Give it a server of "
                   "its own.", self->address->shown);
      return FALSE;
    }
  policy = find_info (reply->str, "maxmemory_policy");
  if (policy != NULL && !g_str_equal (policy, "noeviction"))
    {
      self->fault = GW_REDIS_FAULT_SETTINGS;
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Redis at %s may throw tasks away when its memory is full (maxmemory-policy is "
                   "%s). Set “maxmemory-policy noeviction” in redis.conf, or run CONFIG SET "
                   "maxmemory-policy noeviction.", self->address->shown, policy);
      return FALSE;
    }

  appends = find_info (reply->str, "aof_enabled");
  self->server.appends = g_strcmp0 (appends, "1") == 0;
  g_free (self->server.version);
  self->server.version = g_steal_pointer (&version);
  self->server.major = (guint) major;
  g_free (self->server.run_id);
  self->server.run_id = find_info (reply->str, "run_id");

  return TRUE;
}

/**
 * gw_redis_connection_open:
 * @self: a connection that is not open
 * @checks: whether to look at the server, too: its version and settings
 * @error: (nullable): GW_ERROR_CONFIG, what waiting does not mend; _UNAVAILABLE, _NO_SPACE
 *
 * Blocks for a few seconds at most.
 *
 * Returns: whether it is open
 */
gboolean
gw_redis_connection_open (GwRedisConnection *self,
                          gboolean checks,
                          GError **error)
{
  const GwRedisAddress *address = self->address;
  struct timeval connect_limit = { CONNECT_SECONDS, 0 };
  struct timeval reply_limit = { REPLY_SECONDS, 0 };

  gw_redis_connection_close (self);
  if (address->path != NULL)
    self->context = redisConnectUnixWithTimeout (address->path, connect_limit);
  else
    self->context = redisConnectWithTimeout (address->host, (int) address->port, connect_limit);
  if (self->context == NULL)
    {
      set_error (self, "out of memory", error);
      return FALSE;
    }
  if (self->context->err != 0)
    {
      fail (self, error);
      return FALSE;
    }
  redisSetTimeout (self->context, reply_limit);
  if (address->path == NULL)
    redisEnableKeepAlive (self->context);

  if ((address->tls && !gw_redis_tls_start (self->context, address, error))
      || !log_in (self, error) || (checks && !gw_redis_connection_check_server (self, error)))
    {
      gw_redis_connection_close (self);
      gw_redis_tls_explain (address, error);
      return FALSE;
    }

  return TRUE;
}

/* After it, every script is known by its hash. */
gboolean
gw_redis_connection_load_scripts (GwRedisConnection *self,
                                  GError **error)
{
  for (GwRedisScript script = 0; script < GW_REDIS_N_SCRIPTS; script++)
    {
      g_autoptr (redisReply) reply = NULL;

      /* Older ones do not understand it. */
      if (script == GW_REDIS_VERBS_IN_NEED && self->server.major < 7)
        continue;
      reply = gw_redis_connection_run (self, error, "SCRIPT", "LOAD",
                                       gw_redis_script_get_source (script), NULL);
      if (reply == NULL)
        {
          g_prefix_error (error, "%s: ", gw_redis_script_get_name (script));
          return FALSE;
        }
    }

  return TRUE;
}
