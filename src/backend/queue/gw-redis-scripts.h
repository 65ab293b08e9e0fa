/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The steps of the queue in Redis; each is one script, run atomically, but for those that only stand
 * in %GW_REDIS_CALLS, with others or alone. */
typedef enum {
  GW_REDIS_OPEN,
  GW_REDIS_CLOSE,
  GW_REDIS_BEAT,
  GW_REDIS_STAGE,
  GW_REDIS_SUBMIT,
  GW_REDIS_CALLS,
  GW_REDIS_VERBS,
  GW_REDIS_VERBS_IN_NEED, /* the same, for Redis 7: also where its memory is full, since it frees some */
  GW_REDIS_COPY,
  GW_REDIS_READS,
  GW_REDIS_REPAIR,
  GW_REDIS_WIPE,
  GW_REDIS_N_SCRIPTS,
  GW_REDIS_CLAIM = GW_REDIS_N_SCRIPTS,
  GW_REDIS_NOTE_SENT,
  GW_REDIS_FINISH,
} GwRedisScript;

const char *gw_redis_script_get_word (GwRedisScript script);
const char *gw_redis_script_get_name (GwRedisScript script);
const char *gw_redis_script_get_source (GwRedisScript script);
const char *gw_redis_script_get_sha (GwRedisScript script);
char *gw_redis_pattern_of (const char *prefix);

G_END_DECLS
