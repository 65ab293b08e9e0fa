/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-redis-private.h"

G_BEGIN_DECLS

/*
 * The engine's own rooms. Every function here is the engine's thread's, but for those of requests.
 *
 *   gw-redis-request.c       arguments in, results out
 *   gw-redis-engine-steps.c  one script
 *   gw-redis-engine-group.c  many in one pipeline
 *   gw-redis-engine-house.c  the connection, leases, sweeps
 *   gw-redis-engine-repair.c  keys that were deleted by hand
 *   gw-redis-engine-flights.c  what this engine has in hand
 *   gw-redis-engine-spool.c  ends of calls that Redis does not take
 *   gw-redis-engine.c        the thread and its face
 */

#define GW_REDIS_FIRST_BACKOFF_MS 100
#define GW_REDIS_MOST_BACKOFF_MS 5000

struct _GwRedisEngine {
  int ref_count;          /* (atomic) */
  GwRedisQueueOptions options;
  GwRedisAddress *address;
  char *channel;
  char *id;               /* of this engine, for leases */
  gboolean manual;        /* tests drive the clock */
  GwClock *clock;
  GwSqWatches *watches;
  GwRedisWatch *watch;
  GThread *thread;

  GMutex mutex;
  GCond cond;
  GQueue requests;        /* (mutex mutex) */
  gboolean closing;       /* (mutex mutex) */
  gboolean poked;         /* (mutex mutex) */
  GTask *close_task;      /* (mutex mutex) (nullable) */
  gboolean spooled;       /* (mutex mutex) something went to disk, or could not */
  int damaged;            /* (atomic) keys of the queue are missing: it is to be looked through */
  int retold;             /* (atomic) every engine is to tell anew what it can and has in hand */
  int doubted;            /* (atomic) whether the connection lives is to be found out */
  gboolean away;          /* (mutex mutex) no connection: what cannot wait is refused at once */
  GwRedisFault fault;     /* (mutex mutex) what ails Redis; NONE: nothing */
  char *trouble;          /* (mutex mutex) (nullable) the same for people */
  gint64 trouble_since;   /* (mutex mutex) Unix ms */
  GwQueueLink link;       /* (mutex mutex) */
  GwQueueLimits limits;   /* (mutex mutex) the queue's, as was heard last */
  gint64 asked_at;        /* (mutex mutex) monotonic ms: a reply is waited for; 0: none */
  GwQueueWalks *walks;    /* (owned) */
  GHashTable *flights;    /* (mutex mutex) calls under way, by attempt */
  GPtrArray *eras;        /* (mutex mutex) (element-type utf8) the store of each */
  GwRedisSpool *spool;    /* (nullable) */
  GPtrArray *told;        /* (mutex mutex) (nullable) the last step that told the providers */

  /* The thread's own. */
  GwRedisConnection *connection;
  GError *failure;        /* why there is no connection */
  gint64 next_try;        /* monotonic ms */
  gint64 backoff;
  gint64 next_beat;       /* monotonic ms; 0: nothing is under way */
  gint64 group_at;        /* queue clock: when the group under way was asked for */
  gint64 last_sweep;      /* queue's wall clock */
  gint64 next_sweep;      /* queue's wall clock; GW_CLOCK_NEVER */
  gboolean sweeping;      /* there is more to sweep at once */
  gboolean repairing;     /* there is more to look through at once */
  gboolean step_failed;   /* a step failed by itself: the queue is to be looked through */
  gboolean gone;          /* the data: it is made anew */
  gboolean opened;        /* it was, once */
  GError *ill;            /* (nullable) what a reply told of the server: the connection is no good */
  GwRedisFault ill_fault;
  gboolean full;          /* it took no change when it was last asked to */
  char *run_id;           /* (nullable) of the server */
  gint64 deliver_at;      /* monotonic ms; 0: nothing lies on disk that may be told */
  GHashTable *failed;     /* (element-type utf8 guint) how often a file's step has failed, by path */
  guint n_foreign;        /* of other queues, as was said last */
  gboolean stranger;      /* others took this engine for dead: it says anew what it can */
  char *store;
  GwSchedulerMemo *memo;
  char *memo_names;
};

static inline gint64
gw_redis_monotonic_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* What is promised is that a dead engine's tasks run elsewhere within the lease: so it is over a
 * little before, and the others look often enough. */
static inline gint64
gw_redis_engine_get_lease_ms (GwRedisEngine *engine)
{
  return (gint64) engine->options.lease_seconds * 1000 * 2 / 3;
}

static inline gint64
gw_redis_engine_get_beat_ms (GwRedisEngine *engine)
{
  return (gint64) engine->options.lease_seconds * 1000 / 6;
}

void gw_redis_request_answer (GwRedisRequest *request);
void gw_redis_request_refuse (GwRedisRequest *request, const GError *error);

gboolean gw_redis_engine_append_script (GwRedisEngine *engine, GwRedisScript script,
                                        GPtrArray *arguments);
gboolean gw_redis_engine_append_calls (GwRedisEngine *engine, GPtrArray *calls, guint from,
                                       guint n);
redisReply *gw_redis_engine_unwrap (GwRedisScript script, redisReply *reply);
gboolean gw_redis_engine_check_reply (GwRedisEngine *engine, GwRedisScript script,
                                      const redisReply *reply, GError **error);
redisReply *gw_redis_engine_ask_again (GwRedisEngine *engine, GwRedisScript script,
                                       GPtrArray *arguments, GError **error);
gboolean gw_redis_reply_is_unknown_script (const redisReply *reply);
redisReply *gw_redis_engine_run_script (GwRedisEngine *engine, GwRedisScript script,
                                        GPtrArray *arguments, GError **error);

void gw_redis_engine_run_group (GwRedisEngine *engine, GPtrArray *group);
void gw_redis_engine_put_back (GwRedisEngine *engine, GwRedisRequest *request);
void gw_redis_engine_go_on (GwRedisEngine *engine, GwRedisRequest *request);

gboolean gw_redis_engine_connect (GwRedisEngine *engine, gboolean first, GError **error);
void gw_redis_engine_reconnect (GwRedisEngine *engine);
void gw_redis_engine_begin_anew (GwRedisEngine *engine);
void gw_redis_engine_lose_connection (GwRedisEngine *engine, const GError *error);
void gw_redis_engine_set_trouble (GwRedisEngine *engine, GwRedisFault fault, const char *message);
void gw_redis_engine_wait_begins (GwRedisEngine *engine);
void gw_redis_engine_wait_ends (GwRedisEngine *engine);
void gw_redis_engine_note_round_trip (GwRedisEngine *engine, guint steps, gint64 began);
void gw_redis_engine_keep_house (GwRedisEngine *engine);
void gw_redis_engine_repair (GwRedisEngine *engine);
gboolean gw_redis_engine_clear_remains (GwRedisEngine *engine, GError **error);

GHashTable *gw_redis_flights_new (void);
void gw_redis_engine_begin_era (GwRedisEngine *engine);
void gw_redis_engine_note_grant (GwRedisEngine *engine, GwRedisRequest *request, GwGrant *grant,
                                 guint64 nonce);
void gw_redis_engine_add_flights (GwRedisEngine *engine, GwRedisRequest *call, GArray *told);
void gw_redis_engine_take_flights (GwRedisEngine *engine, GArray *told, const redisReply *words);
void gw_redis_engine_add_ghosts (GwRedisEngine *engine, GwRedisRequest *call);
void gw_redis_engine_flight_is_over (GwRedisEngine *engine, guint64 attempt);
void gw_redis_engine_end_flight_of (GwRedisEngine *engine, GwRedisOutcome *outcome);
void gw_redis_engine_end_flight (GwRedisEngine *engine, guint64 attempt);
void gw_redis_engine_tell_abort (GwRedisEngine *engine, const char *lane, guint64 number);
void gw_redis_request_let_go (GwRedisRequest *request);
gboolean gw_redis_error_is_for_later (const GError *error);
gboolean gw_redis_engine_keep (GwRedisEngine *engine, GwRedisRequest *request, gboolean wait);
gboolean gw_redis_engine_keep_orphan (GwRedisEngine *engine, GwRedisRequest *request);
void gw_redis_engine_deliver (GwRedisEngine *engine);
gboolean gw_redis_engine_give_up_unheard (GwRedisEngine *engine, GError **error);

G_END_DECLS
