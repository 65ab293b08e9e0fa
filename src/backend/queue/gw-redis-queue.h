/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue.h"

G_BEGIN_DECLS

#define GW_TYPE_REDIS_QUEUE (gw_redis_queue_get_type ())
G_DECLARE_FINAL_TYPE (GwRedisQueue, gw_redis_queue, GW, REDIS_QUEUE, GObject)

#define GW_REDIS_PREFIX "gangway:"

typedef struct {
  const char *uri;          /* redis://[user:password@]host:port/db or redis+unix:///path */
  const char *prefix;       /* (nullable) of every key; NULL: GW_REDIS_PREFIX */
  GwClock *clock;           /* (nullable) of tests; NULL: Redis' own time */
  guint max_concurrency;    /* the cap, over all workers */
  guint max_attempts;
  guint keep_days;
  gboolean set_limits;      /* these over what is stored; else the stored ones are used */
  guint lease_seconds;      /* who is silent for so long has died */
  gboolean hold_uncertain;  /* after a crash: pause the projects of uncertain attempts */
  gboolean hold_unfinished; /* hold every project that has unfinished tasks at the start */
  gboolean no_workers;      /* it claims nothing: others do */
  gboolean own_only;        /* takes only tasks of projects that came in through it */
  gboolean alone;           /* nobody else works on the queue: who is still registered has died */
  const char *spool_dir;    /* (nullable) where ends of calls wait while Redis does not take them;
                               NULL: in memory */
  gboolean wait;            /* for a server that cannot be used just now: open, in trouble */
} GwRedisQueueOptions;

/* Blocks until the server answers, is found fit and the queue is there: a few seconds at most.
 * Errors: GW_ERROR_CONFIG (the address, and whatever waiting does not mend), _DATA_NEWER; without
 * @wait _NO_SPACE, _UNAVAILABLE, too. */
GwRedisQueue *gw_redis_queue_new (const GwRedisQueueOptions *options, GError **error);

G_END_DECLS
