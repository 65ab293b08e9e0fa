/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A real redis-server of a test's own, on a socket in a folder of its own, which keeps its data
 * with an append-only file that is synced at once. It ends with us, however we end. */
typedef struct {
  char *folder;
  char *uri;
  GPid pid;                /* 0: it does not run */
} RedisServer;

RedisServer *redis_server_new (void);
void redis_server_free (RedisServer *self);
void redis_server_start (RedisServer *self);
void redis_server_start_from_snapshot (RedisServer *self);
void redis_server_kill (RedisServer *self);
void redis_server_forget (RedisServer *self);
void redis_server_signal (RedisServer *self, int number);
void redis_server_tell (RedisServer *self, const char *first, ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
