/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue-walks.h"
#include "queue/gw-queue-watches.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-queue.h"
#include "queue/gw-redis-reply.h"
#include "queue/gw-redis-spool.h"

G_BEGIN_DECLS

/*
 * The rooms of the Redis engine, for its own files only.
 *
 *   gw-redis-queue.c           the object: the reads, watches, life
 *   gw-redis-queue-submit.c    submissions
 *   gw-redis-queue-calls.c     claims and ends of calls
 *   gw-redis-queue-verbs.c     what people do to tasks, projects, lanes
 *   gw-redis-queue-read.c      from replies to plain data
 *   gw-redis-queue-estimate.c  a project's figures
 *   gw-redis-engine.c          the thread: pipelines, leases, what becomes of a lost connection;
 *                              its own rooms: gw-redis-engine-private.h
 *   gw-redis-spool.c -outcome.c  ends of calls that Redis does not take, on this machine's disk
 *   gw-redis-watch.c           what other engines changed
 *   gw-redis-address.c -connection.c -fault.c -scripts.c -reply.c  the wire
 */

/* Of which attempt somebody speaks, beyond its number. */
typedef struct {
  guint64 number;         /* in its store */
  guint64 nonce;          /* that tells it from others of its number; 0: not known */
  char *store;            /* (nullable) whose era it is; NULL: not known */
  char *engine;           /* (nullable) that claimed it, with the rest; NULL: not this one */
  char *task_id;          /* (nullable) */
  char *provider;         /* (nullable) */
} GwRedisFlight;

typedef struct _GwRedisEngine GwRedisEngine;
typedef struct _GwRedisRequest GwRedisRequest;
typedef struct _GwRedisWatch GwRedisWatch;

/* From a reply without error to a result; engine's thread. */
typedef gpointer (*GwRedisParseFunc) (GwRedisRequest *request, const redisReply *reply,
                                      GError **error);

struct _GwRedisRequest {
  GTask *task;            /* (owned) (nullable) */
  GwRedisScript script;
  GPtrArray *arguments;   /* (element-type GBytes) of the step */
  gboolean lasting;       /* must not be lost with the connection: it waits for the next one */
  gboolean repeated;      /* it may have been done before the connection was lost */
  GwRedisEngine *engine;  /* (borrowed) (nullable) that it was pushed to */
  GwRedisOutcome *outcome; /* (owned) (nullable) of the end of a call */
  GwRedisHeld *held;      /* (borrowed) (nullable) its place in the spool */
  guint64 attempt;        /* with @outcome, as callers know it */
  gboolean kept;          /* it is on disk, and its result says so */
  gsize bytes;
  GwRedisParseFunc parse; /* (nullable) */
  GDestroyNotify free_result;
  gpointer result;
  GError *error;

  /* Of one that takes several steps, with others' between them. */
  gboolean again;         /* set by @parse: the request goes round again, with new arguments */
  gpointer progress;      /* (nullable) what it has come to so far */
  GDestroyNotify free_progress;

  /* Of a claim. */
  char *provider;         /* (nullable) */
  char *worker;
  guint slot;
  redisReply *claimed;    /* (owned) (nullable) what the last round told, if there were several */
  gboolean judged;        /* the first reply was an error, and is dealt with */
  gboolean undecided;     /* a later round failed: who asked asks again */

  /* Of reads. */
  guint fields;
  guint64 since;
  guint64 before;
  guint limit;
  gint64 began_at;
  gboolean of_task;
};

GwRedisRequest *gw_redis_request_new (GwQueue *queue, gpointer tag, GwRedisScript script,
                                      GwRedisParseFunc parse, GDestroyNotify free_result,
                                      GAsyncReadyCallback callback, gpointer user_data);
GwRedisEngine *gw_redis_request_get_engine (GwRedisRequest *request);
void gw_redis_request_reject (GwRedisRequest *request, GError *error);
void gw_redis_request_free (GwRedisRequest *request);
void gw_redis_request_go_on (GwRedisRequest *request, GwRedisScript script,
                             GwRedisParseFunc parse);
void gw_redis_request_add_text (GwRedisRequest *request, const char *text);
void gw_redis_request_add_int (GwRedisRequest *request, gint64 number);
void gw_redis_request_add_double (GwRedisRequest *request, double number);
void gw_redis_request_add_time (GwRedisRequest *request, gint64 time);
void gw_redis_request_add_outcome (GwRedisRequest *request, GwRedisOutcome *outcome);
void gw_redis_request_add_bytes (GwRedisRequest *request, GBytes *bytes);

GwRedisEngine *gw_redis_engine_new (const GwRedisQueueOptions *options, GError **error);
GwRedisEngine *gw_redis_engine_ref (GwRedisEngine *engine);
void gw_redis_engine_unref (GwRedisEngine *engine);
void gw_redis_engine_push (GwRedisEngine *engine, GwRedisRequest *request);
void gw_redis_engine_close (GwRedisEngine *engine, GTask *task);
void gw_redis_engine_join (GwRedisEngine *engine);
void gw_redis_engine_poke (GwRedisEngine *engine);
void gw_redis_engine_doubt (GwRedisEngine *engine);
void gw_redis_engine_set_told (GwRedisEngine *engine, GPtrArray *told);
void gw_redis_engine_resync (GwRedisEngine *engine);
GwClock *gw_redis_engine_get_clock (GwRedisEngine *engine);
GwSqWatches *gw_redis_engine_get_watches (GwRedisEngine *engine);
void gw_redis_engine_tell_events (GwRedisEngine *engine, const char *events);
GwQueueTrouble *gw_redis_engine_get_trouble (GwRedisEngine *engine, guint *n_kept);
void gw_redis_engine_get_link (GwRedisEngine *engine, GwQueueLink *link);
void gw_redis_engine_get_limits (GwRedisEngine *engine, GwQueueLimits *limits);
void gw_redis_engine_take_limits (GwRedisEngine *engine, const redisReply *reply, guint index);
void gw_redis_engine_note_sent (GwRedisEngine *engine, guint64 attempt);
void gw_redis_engine_find_flight (GwRedisEngine *engine, guint64 attempt, GwRedisFlight *found);
void gw_redis_flight_clear (GwRedisFlight *flight);
GwRedisEngine *gw_redis_queue_get_engine (GwQueue *queue);
GwQueueWalks *gw_redis_engine_get_walks (GwRedisEngine *engine);

GwRedisWatch *gw_redis_watch_new (GwRedisEngine *engine, const GwRedisAddress *address,
                                  const char *channel, const char *own);
void gw_redis_watch_await (GwRedisWatch *watch, gint64 limit_ms);
void gw_redis_watch_renew (GwRedisWatch *watch);
void gw_redis_watch_stop (GwRedisWatch *watch);

/* --- Replies. --- */

GwFinished *gw_redis_finished_new_unseen (GwRedisRequest *request, gint64 now);
GwProject *gw_redis_read_project (const redisReply *row);
gboolean gw_redis_read_scheduler (const redisReply *reply, GwSchedulerState *state);
void gw_redis_clear_scheduler (GwSchedulerState *state);

gpointer gw_redis_parse_task (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_project (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_estimate (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_projects (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_feed (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_results (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_attempts (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_lanes (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_stats (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_recovery (GwRedisRequest *request, const redisReply *reply, GError **error);
gpointer gw_redis_parse_snapshot (GwRedisRequest *request, const redisReply *reply, GError **error);

char *gw_redis_check_name (const char *name);

void gw_redis_queue_push (GwQueue *self, GwRedisRequest *request);
void gw_redis_queue_init_submit (GwQueueInterface *iface);
void gw_redis_queue_init_calls (GwQueueInterface *iface);
void gw_redis_queue_init_verbs (GwQueueInterface *iface);

G_END_DECLS
