/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <hiredis/hiredis.h>

#include "queue/gw-redis-address.h"
#include "queue/gw-redis-fault.h"
#include "queue/gw-redis-scripts.h"

G_BEGIN_DECLS

/* What a server told of itself when we connected. */
typedef struct {
  char *version;
  guint major;       /* of @version */
  char *run_id;
  gboolean appends;  /* it keeps an append-only file */
} GwRedisServer;

/**
 * GwRedisConnection:
 *
 * One connection, used by one thread. After an error it is dead: gw_redis_connection_is_open() says
 * so, and gw_redis_connection_open() makes a new one.
 */
typedef struct _GwRedisConnection GwRedisConnection;

GwRedisConnection *gw_redis_connection_new (const GwRedisAddress *address);
void gw_redis_connection_free (GwRedisConnection *self);
gboolean gw_redis_connection_open (GwRedisConnection *self, gboolean checks, GError **error);
gboolean gw_redis_connection_is_open (GwRedisConnection *self);
void gw_redis_connection_close (GwRedisConnection *self);
int gw_redis_connection_get_fd (GwRedisConnection *self);
redisContext *gw_redis_connection_get_context (GwRedisConnection *self);
GwRedisFault gw_redis_connection_get_fault (GwRedisConnection *self);
const GwRedisServer *gw_redis_connection_get_server (GwRedisConnection *self);

/* Pipelining: append any number of commands, then take as many replies, in order. */
gboolean gw_redis_connection_append (GwRedisConnection *self, guint n, const char **arguments,
                                     const gsize *lengths);
redisReply *gw_redis_connection_take (GwRedisConnection *self, GError **error);
redisReply *gw_redis_connection_run (GwRedisConnection *self, GError **error, const char *command,
                                     ...) G_GNUC_NULL_TERMINATED;
gboolean gw_redis_connection_check_server (GwRedisConnection *self, GError **error);
gboolean gw_redis_connection_load_scripts (GwRedisConnection *self, GError **error);

void gw_redis_reply_free (redisReply *reply);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwRedisConnection, gw_redis_connection_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (redisReply, gw_redis_reply_free)

G_END_DECLS
