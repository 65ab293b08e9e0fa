/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <string.h>

#include "queue/gw-redis-reply.h"

/*
 * Reading of what Redis answered, which is outside data: a member that is missing or of another
 * type reads as nothing, 0 or an empty text, and never as memory of something else. Pure; any
 * thread.
 */

/* How many elements @reply has; 0 if it is no array. */
guint
gw_redis_reply_get_length (const redisReply *reply)
{
  if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
    return 0;

  return (guint) MIN (reply->elements, (size_t) G_MAXUINT32);
}

/* (nullable): the element at @index. */
const redisReply *
gw_redis_reply_get (const redisReply *reply,
                    guint index)
{
  return index < gw_redis_reply_get_length (reply) ? reply->element[index] : NULL;
}

/* Texts end in a NUL byte that hiredis adds; "" where there is none. */
const char *
gw_redis_reply_get_text (const redisReply *reply,
                         guint index)
{
  const redisReply *element = gw_redis_reply_get (reply, index);

  if (element == NULL || element->str == NULL
      || (element->type != REDIS_REPLY_STRING && element->type != REDIS_REPLY_STATUS))
    return "";

  return element->str;
}

/* (transfer full) (nullable): %NULL for an empty text too. */
char *
gw_redis_reply_dup_text (const redisReply *reply,
                         guint index)
{
  const char *text = gw_redis_reply_get_text (reply, index);

  return *text != '\0' ? g_strdup (text) : NULL;
}

/* The number at @index, also where it came as text; 0 if there is none. */
gint64
gw_redis_reply_get_int (const redisReply *reply,
                        guint index)
{
  const redisReply *element = gw_redis_reply_get (reply, index);

  if (element != NULL && element->type == REDIS_REPLY_INTEGER)
    return element->integer;

  return g_ascii_strtoll (gw_redis_reply_get_text (reply, index), NULL, 10);
}

/* As gw_redis_reply_get_int(), but %G_MAXINT64 where the script says never. */
gint64
gw_redis_reply_get_time (const redisReply *reply,
                         guint index)
{
  gint64 time = gw_redis_reply_get_int (reply, index);

  return time >= GW_REDIS_NEVER ? G_MAXINT64 : time;
}

/* The number at @index; 0 if there is none. */
double
gw_redis_reply_get_double (const redisReply *reply,
                           guint index)
{
  const redisReply *element = gw_redis_reply_get (reply, index);

  if (element != NULL && element->type == REDIS_REPLY_INTEGER)
    return (double) element->integer;

  return g_ascii_strtod (gw_redis_reply_get_text (reply, index), NULL);
}
