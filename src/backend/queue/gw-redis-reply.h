/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>
#include <hiredis/hiredis.h>

G_BEGIN_DECLS

/* The greatest number that a script's arithmetic is exact for; it stands for "never". */
#define GW_REDIS_NEVER G_GINT64_CONSTANT (9007199254740991)

guint gw_redis_reply_get_length (const redisReply *reply);
const redisReply *gw_redis_reply_get (const redisReply *reply, guint index);
gint64 gw_redis_reply_get_int (const redisReply *reply, guint index);
gint64 gw_redis_reply_get_time (const redisReply *reply, guint index);
double gw_redis_reply_get_double (const redisReply *reply, guint index);
const char *gw_redis_reply_get_text (const redisReply *reply, guint index);
char *gw_redis_reply_dup_text (const redisReply *reply, guint index);

G_END_DECLS
