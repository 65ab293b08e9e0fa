/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-id.h"
#include "queue/gw-redis-engine-private.h"

/*
 * Keys that somebody deleted by hand: the queue is looked through in short steps (repair.lua),
 * after a step has failed by itself, when something is seen to be missing, and once a day. Of a
 * queue whose head is gone the rest is cleared away before a new one begins. The engine's thread.
 */

/* One step of it, or a look whether there is one to do. */
void
gw_redis_engine_repair (GwRedisEngine *engine)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_REPAIR, NULL, NULL, NULL, NULL);
  g_autofree char *id = gw_id_new ();
  g_autoptr (redisReply) reply = NULL;
  g_autoptr (GError) error = NULL;
  const char *word;

  gw_redis_request_add_int (call, engine->step_failed);
  gw_redis_request_add_text (call, id);
  reply = gw_redis_engine_run_script (engine, GW_REDIS_REPAIR, call->arguments, &error);
  gw_redis_request_free (call);
  engine->repairing = FALSE;
  if (reply == NULL)
    {
      if (!gw_redis_connection_is_open (engine->connection))
        gw_redis_engine_lose_connection (engine, error);
      else if (!engine->gone && !engine->full)
        g_warning ("The queue could not be looked through for keys that are missing: %s",
                   error->message);
      return;
    }

  engine->repairing = gw_redis_reply_get_int (reply, 2) != 0;
  engine->next_sweep = MIN (engine->next_sweep, gw_redis_reply_get_time (reply, 3));
  word = gw_redis_reply_get_text (reply, 4);
  if (g_str_equal (word, "begun"))
    {
      engine->step_failed = FALSE;
      g_warning ("Keys of the queue in Redis at %s are missing, or a step failed: all of it is looked "
                 "through.", engine->address->shown);
    }
  else if (g_str_equal (word, "ended"))
    {
      g_message ("The queue in Redis at %s was looked through: %d things were put right.",
                 engine->address->shown, (int) gw_redis_reply_get_int (reply, 5));
    }
}

/* A queue whose head is gone is none any more; what is left of it would be in a new one's way. */
gboolean
gw_redis_engine_clear_remains (GwRedisEngine *engine,
                               GError **error)
{
  g_autofree char *head = g_strconcat (engine->options.prefix, "head", NULL);
  g_autofree char *pattern = gw_redis_pattern_of (engine->options.prefix);
  g_autofree char *cursor = g_strdup ("0");
  g_autoptr (redisReply) there = gw_redis_connection_run (engine->connection, error, "EXISTS", head,
                                                          NULL);

  if (there == NULL)
    return FALSE;
  if (there->integer != 0)
    return TRUE;

  do
    {
      GwRedisRequest *call;
      g_autoptr (redisReply) wiped = NULL;
      g_autoptr (redisReply) found = gw_redis_connection_run (
        engine->connection, error, "SCAN", cursor, "MATCH", pattern, "COUNT", "1000", NULL);
      const redisReply *keys;
      guint n;

      if (found == NULL)
        return FALSE;
      g_free (cursor);
      cursor = gw_redis_reply_dup_text (found, 0);
      keys = gw_redis_reply_get (found, 1);
      n = gw_redis_reply_get_length (keys);
      if (n == 0)
        continue;
      call = gw_redis_request_new (NULL, NULL, GW_REDIS_WIPE, NULL, NULL, NULL, NULL);
      gw_redis_request_add_int (call, n);
      for (guint i = 0; i < n; i++)
        gw_redis_request_add_text (call, gw_redis_reply_get_text (keys, i));
      wiped = gw_redis_engine_run_script (engine, GW_REDIS_WIPE, call->arguments, error);
      gw_redis_request_free (call);
      if (wiped == NULL)
        return FALSE;
      /* Another engine has begun a new one meanwhile. */
      if (gw_redis_reply_get_int (wiped, 2) == 0)
        break;
    }
  while (g_strcmp0 (cursor, "0") != 0);

  return TRUE;
}
