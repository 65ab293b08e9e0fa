/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-redis-outcome.h"

G_BEGIN_DECLS

/* How long an outcome may be in hand, undelivered, before it goes to disk. */
#define GW_REDIS_SPOOL_PATIENCE_MS 250

/**
 * GwRedisSpool:
 *
 * Where the outcomes of calls wait while Redis does not take them: a folder on this machine's disk
 * with a file for each. What is in hand is held here, too, and goes to disk when it has been for a
 * while, whatever the thread that delivers is waiting for. Any thread.
 */
typedef struct _GwRedisSpool GwRedisSpool;

/* One that is in hand. */
typedef struct _GwRedisHeld GwRedisHeld;

typedef enum {
  GW_REDIS_HELD_IN_HAND, /* in memory only */
  GW_REDIS_HELD_KEPT,    /* on disk: it outlives the process */
  GW_REDIS_HELD_FAILED,  /* the disk did not take it */
} GwRedisHeldState;

/* One that was found on disk. */
typedef struct {
  GwRedisOutcome *outcome;
  char *path;
} GwRedisKept;

void gw_redis_kept_free (GwRedisKept *kept);

typedef void (*GwRedisSpoolFunc) (gpointer user_data);

GwRedisSpool *gw_redis_spool_new (const char *folder, guint patience_ms, GwRedisSpoolFunc changed,
                                  gpointer user_data);
void gw_redis_spool_free (GwRedisSpool *self);
const char *gw_redis_spool_get_folder (GwRedisSpool *self);

GwRedisHeld *gw_redis_spool_hold (GwRedisSpool *self, GwRedisOutcome *outcome);
void gw_redis_spool_hurry (GwRedisSpool *self);
GwRedisHeldState gw_redis_spool_get_state (GwRedisSpool *self, GwRedisHeld *held, GError **error);
GwRedisHeldState gw_redis_spool_wait (GwRedisSpool *self, GwRedisHeld *held, GError **error);
void gw_redis_spool_release (GwRedisSpool *self, GwRedisHeld *held);
void gw_redis_spool_leave (GwRedisSpool *self, GwRedisHeld *held);

GPtrArray *gw_redis_spool_load (GwRedisSpool *self, const char *store, guint *n_foreign);
guint gw_redis_spool_count (GwRedisSpool *self);
void gw_redis_spool_remove (GwRedisSpool *self, GwRedisKept *kept);
char *gw_redis_spool_set_aside (GwRedisSpool *self, GwRedisKept *kept);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwRedisSpool, gw_redis_spool_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwRedisKept, gw_redis_kept_free)

G_END_DECLS
