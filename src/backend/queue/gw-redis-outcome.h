/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a call came to, value by value, in the order in which the step `finish` takes them. In files
 * they stand by these names, so that a newer program finds them wherever its step wants them. */
typedef enum {
  GW_REDIS_OUTCOME_ACT,
  GW_REDIS_OUTCOME_LANE_ACT,
  GW_REDIS_OUTCOME_RETRY_AFTER,
  GW_REDIS_OUTCOME_LANE_FOR,
  GW_REDIS_OUTCOME_TOO_MANY,
  GW_REDIS_OUTCOME_MAYBE,
  GW_REDIS_OUTCOME_DIED,
  GW_REDIS_OUTCOME_RESULT,
  GW_REDIS_OUTCOME_MODEL,
  GW_REDIS_OUTCOME_REASON,
  GW_REDIS_OUTCOME_PROMPT,
  GW_REDIS_OUTCOME_COMPLETION,
  GW_REDIS_OUTCOME_TOTAL,
  GW_REDIS_OUTCOME_CODE,
  GW_REDIS_OUTCOME_OWN_MESSAGE,
  GW_REDIS_OUTCOME_MESSAGE,
  GW_REDIS_OUTCOME_RAW,
  GW_REDIS_OUTCOME_SENT,
  GW_REDIS_OUTCOME_FIRST,
  GW_REDIS_OUTCOME_ENDED,
  GW_REDIS_OUTCOME_N_VALUES,
} GwRedisOutcomeValue;

/**
 * GwRedisOutcome:
 *
 * How an attempt ended, and whose it was, so that it can be told to the queue at any later time and
 * by any engine. Unchanged once it is made; references are counted atomically.
 */
typedef struct {
  int ref_count;     /* (atomic) */
  char *store;       /* of the queue that it belongs to */
  char *engine;      /* that had claimed the attempt */
  char *task_id;     /* empty: not known */
  char *provider;    /* of its lane; empty: not known */
  guint64 attempt;
  guint64 nonce;     /* that tells the attempt from others of its number; 0: not known */
  gint64 kept_at;    /* Unix ms */
  GBytes *values[GW_REDIS_OUTCOME_N_VALUES];
} GwRedisOutcome;

GwRedisOutcome *gw_redis_outcome_new (const char *store, const char *engine, const char *task_id,
                                      const char *provider, guint64 attempt,
                                      guint64 nonce,
                                      GBytes *const *values);
GwRedisOutcome *gw_redis_outcome_ref (GwRedisOutcome *self);
void gw_redis_outcome_unref (GwRedisOutcome *self);

char *gw_redis_outcome_to_text (GwRedisOutcome *self, gsize *length);
GwRedisOutcome *gw_redis_outcome_parse (const char *text, gsize length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwRedisOutcome, gw_redis_outcome_unref)

G_END_DECLS
