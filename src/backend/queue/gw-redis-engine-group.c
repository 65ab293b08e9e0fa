/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-error.h"
#include "queue/gw-redis-engine-private.h"

/*
 * A group of requests becomes one pipeline. What is asked on, follows it: the rounds of a claim
 * that the scheduler must judge. The engine's thread.
 */

#define DECISIONS 4
/* While a script runs everybody waits. */
#define CALLS_TOGETHER 16
#define BYTES_TOGETHER (256 * 1024)

/* --- The scheduler's part of a claim. --- */

static void
keep_memo_for (GwRedisEngine *engine,
               const redisReply *lanes)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < gw_redis_reply_get_length (lanes); i++)
    g_string_append_printf (names, "%s\n",
                            gw_redis_reply_get_text (gw_redis_reply_get (lanes, i), 0));
  if (g_strcmp0 (names->str, engine->memo_names) == 0)
    return;

  /* What it remembers is by the place in the list. */
  g_clear_pointer (&engine->memo, gw_scheduler_memo_free);
  engine->memo = gw_scheduler_memo_new ();
  g_free (engine->memo_names);
  engine->memo_names = g_string_free (g_steal_pointer (&names), FALSE);
}

static void
decide (GwRedisEngine *engine,
        GwRedisRequest *call,
        const redisReply *shown,
        gboolean last)
{
  const redisReply *lanes = gw_redis_reply_get (shown, 6);
  guint index = (guint) gw_redis_reply_get_int (shown, 5);
  GwDecision worth = { GW_VERDICT_START, GW_SCHEDULER_NEVER };
  GwDecision share = worth;
  GwSchedulerState state = { 0 };

  keep_memo_for (engine, lanes);
  state.now = gw_redis_reply_get_int (shown, 2);
  state.cap = (guint) gw_redis_reply_get_int (shown, 3);
  state.waiting = (guint64) gw_redis_reply_get_int (shown, 4);
  state.memo = engine->memo;
  gw_redis_read_scheduler (lanes, &state);
  if (index < state.n_lanes)
    {
      worth = gw_scheduler_check_worth (&state, index);
      share = gw_scheduler_check_share (&state, index);
    }
  gw_redis_clear_scheduler (&state);

  gw_redis_request_add_int (call, gw_redis_reply_get_int (shown, 1));
  gw_redis_request_add_int (call, worth.verdict);
  gw_redis_request_add_time (call, worth.ask_at);
  gw_redis_request_add_int (call, share.verdict);
  gw_redis_request_add_time (call, share.ask_at);
  gw_redis_request_add_int (call, last);
}

/* What the last round told. */
static const redisReply *
get_shown (GwRedisRequest *request,
           const redisReply *reply)
{
  return gw_redis_reply_get (request->claimed != NULL ? request->claimed : reply, 2);
}

static gboolean
is_to_decide (GwRedisRequest *request,
              const redisReply *reply)
{
  return reply != NULL && request->provider != NULL && request->error == NULL && !request->judged
         && !request->undecided
         && g_str_equal (gw_redis_reply_get_text (get_shown (request, reply), 0), "D");
}

static GwRedisRequest *
make_round (GwRedisEngine *engine,
            GwRedisRequest *request,
            const redisReply *shown,
            gboolean last)
{
  GwRedisRequest *call = gw_redis_request_new (NULL, NULL, GW_REDIS_CLAIM, NULL, NULL, NULL, NULL);

  gw_redis_request_add_text (call, request->provider);
  gw_redis_request_add_int (call, request->slot);
  gw_redis_request_add_text (call, request->worker);
  decide (engine, call, shown, last);

  return call;
}

/* --- Groups. --- */

/* How many of @calls from @from on go as one script: steps that stand together, as many as keep it
 * short. */
static guint
count_together (GPtrArray *calls,
                guint from)
{
  gsize bytes = 0;
  guint n = 0;

  while (from + n < calls->len && n < CALLS_TOGETHER)
    {
      GwRedisRequest *call = g_ptr_array_index (calls, from + n);

      bytes += call->bytes;
      if (n > 0 && (gw_redis_script_get_word (call->script) == NULL || bytes > BYTES_TOGETHER))
        break;
      n++;
      if (gw_redis_script_get_word (call->script) == NULL)
        break;
    }

  return n;
}

/* Takes @reply, to the @n of @calls from @from on, apart; nothing, where it was refused as a whole. */
static gboolean
deal_out (redisReply *reply,
          GPtrArray *replies,
          guint from,
          guint n)
{
  gboolean whole = gw_redis_reply_get_length (reply) == n
                   && gw_redis_reply_get_length (gw_redis_reply_get (reply, 0)) > 0;

  for (guint i = 0; whole && i < n; i++)
    g_ptr_array_index (replies, from + i) = g_steal_pointer (&reply->element[i]);
  gw_redis_reply_free (reply);

  return whole;
}

/* Asks for those of @calls that have no reply each alone: what they were asked with was refused, or
 * failed, as a whole. */
static void
ask_apart (GwRedisEngine *engine,
           GPtrArray *calls,
           GPtrArray *replies,
           GError **error)
{
  g_autoptr (GArray) asked = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < calls->len; i++)
    {
      GwRedisRequest *call = g_ptr_array_index (calls, i);

      if (g_ptr_array_index (replies, i) != NULL)
        continue;
      call->repeated = TRUE;
      gw_redis_engine_append_script (engine, call->script, call->arguments);
      g_array_append_val (asked, i);
    }
  for (guint i = 0; i < asked->len; i++)
    {
      guint index = g_array_index (asked, guint, i);
      GwRedisRequest *call = g_ptr_array_index (calls, index);
      redisReply *reply = gw_redis_connection_take (engine->connection, error);

      if (reply == NULL)
        return;
      g_ptr_array_index (replies, index) = gw_redis_engine_unwrap (call->script, reply);
    }
}

/* The replies to all of @calls, in order and in one pipeline; %NULL: the connection was lost
 * before. */
static GPtrArray *
ask_all (GwRedisEngine *engine,
         GPtrArray *calls,
         GError **error)
{
  GPtrArray *replies = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_redis_reply_free);
  gboolean refused = FALSE;
  gint64 began;

  g_ptr_array_set_size (replies, (int) calls->len);
  for (guint i = 0, n; i < calls->len; i += n)
    {
      GwRedisRequest *call = g_ptr_array_index (calls, i);

      n = count_together (calls, i);
      if (n > 1)
        gw_redis_engine_append_calls (engine, calls, i, n);
      else
        gw_redis_engine_append_script (engine, call->script, call->arguments);
    }
  gw_redis_engine_wait_begins (engine);
  began = g_get_monotonic_time ();
  for (guint i = 0, n; i < calls->len; i += n)
    {
      redisReply *reply = gw_redis_connection_take (engine->connection, error);

      if (reply == NULL)
        break;
      n = count_together (calls, i);
      if (n > 1)
        refused = !deal_out (reply, replies, i, n) || refused;
      else
        g_ptr_array_index (replies, i) = gw_redis_engine_unwrap (
          ((GwRedisRequest *) g_ptr_array_index (calls, i))->script, reply);
    }
  if (gw_redis_connection_is_open (engine->connection) && refused)
    ask_apart (engine, calls, replies, error);
  gw_redis_engine_wait_ends (engine);
  if (gw_redis_connection_is_open (engine->connection))
    gw_redis_engine_note_round_trip (engine, calls->len, began);

  for (guint i = 0; i < calls->len; i++)
    {
      GwRedisRequest *call = g_ptr_array_index (calls, i);
      redisReply *again;

      if (g_ptr_array_index (replies, i) == NULL
          || !gw_redis_reply_is_unknown_script (g_ptr_array_index (replies, i))
          || !gw_redis_connection_is_open (engine->connection))
        continue;
      again = gw_redis_engine_ask_again (engine, call->script, call->arguments,
                                         *error == NULL ? error : NULL);
      if (again == NULL)
        continue;
      gw_redis_reply_free (g_ptr_array_index (replies, i));
      g_ptr_array_index (replies, i) = again;
    }

  return replies;
}

/* Claims that the scheduler must judge: all of a group together, round by round, until each is
 * granted or refused. What was finished before them stays so. */
static void
settle_claims (GwRedisEngine *engine,
               GPtrArray *group,
               GPtrArray *replies)
{
  for (guint round = 1; gw_redis_connection_is_open (engine->connection); round++)
    {
      g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (
        (GDestroyNotify) gw_redis_request_free);
      g_autoptr (GPtrArray) asked = g_ptr_array_new ();
      g_autoptr (GPtrArray) rounds = NULL;
      g_autoptr (GError) error = NULL;

      for (guint i = 0; i < replies->len; i++)
        {
          GwRedisRequest *request = g_ptr_array_index (group, i);
          const redisReply *reply = g_ptr_array_index (replies, i);

          if (!is_to_decide (request, reply))
            continue;
          g_ptr_array_add (asked, request);
          g_ptr_array_add (calls, make_round (engine, request, get_shown (request, reply),
                                              round >= DECISIONS));
        }
      if (calls->len == 0)
        return;

      rounds = ask_all (engine, calls, &error);
      if (error != NULL)
        gw_redis_engine_lose_connection (engine, error);
      for (guint i = 0; i < asked->len; i++)
        {
          GwRedisRequest *request = g_ptr_array_index (asked, i);

          g_clear_pointer (&request->claimed, gw_redis_reply_free);
          if (g_ptr_array_index (rounds, i) == NULL)
            request->error = g_error_copy (error);
          else if (gw_redis_engine_check_reply (engine, GW_REDIS_CLAIM,
                                                g_ptr_array_index (rounds, i), &request->error))
            request->claimed = g_steal_pointer (&g_ptr_array_index (rounds, i));
          /* The end of the call before it is told all the same. */
          if (request->error != NULL && request->script == GW_REDIS_FINISH)
            {
              g_clear_error (&request->error);
              request->undecided = TRUE;
            }
        }
    }
}

static void
judge_reply (GwRedisEngine *engine,
             GwRedisRequest *request,
             const redisReply *reply)
{
  if (reply != NULL
      && !gw_redis_engine_check_reply (engine, request->script, reply, &request->error))
    {
      /* Only its answer was lost with the connection. */
      if (request->repeated && request->script == GW_REDIS_FINISH
          && g_error_matches (request->error, GW_ERROR, GW_ERROR_CONFLICT))
        {
          g_clear_error (&request->error);
          request->result = gw_redis_finished_new_unseen (request, gw_clock_now (engine->clock));
        }
      /* Redis does not take it just now, or the step fails: what was paid is not thrown away. */
      if (request->script == GW_REDIS_FINISH
          && gw_redis_error_is_for_later (request->error))
        gw_redis_engine_keep (engine, request, TRUE);
      request->judged = TRUE;
    }
}

static void
take_reply (GwRedisEngine *engine,
            GwRedisRequest *request,
            const redisReply *reply)
{
  GwGrant *grant = NULL;

  if (reply == NULL || request->judged || request->error != NULL)
    return;
  if (request->parse != NULL)
    request->result = request->parse (request, reply, &request->error);
  if (request->script == GW_REDIS_CLAIM)
    grant = request->result;
  else if (request->script == GW_REDIS_FINISH && request->result != NULL)
    grant = ((GwFinished *)request->result)->grant;
  if (grant != NULL)
    {
      /* The claim has renewed the lease, not before it was asked for. */
      if (!engine->manual)
        grant->send_by = engine->group_at + gw_redis_engine_get_lease_ms (engine);
      reply = gw_redis_reply_get (request->claimed != NULL ? request->claimed : reply, 2);
      gw_redis_engine_note_grant (engine, request, grant,
                                  (guint64) gw_redis_reply_get_int (reply, 10));
    }
}

/* What is to be told to somebody whose step may or may not have been done. */
static GError *
make_unknown (GwRedisEngine *engine)
{
  return g_error_new (GW_ERROR, GW_ERROR_UNAVAILABLE,
                      "The connection to Redis at %s was lost before it answered. Whether the step "
                      "was done is not known: look, or repeat it with the same Idempotency-Key.",
                      engine->address->shown);
}

void
gw_redis_engine_run_group (GwRedisEngine *engine,
                           GPtrArray *group)
{
  g_autoptr (GPtrArray) replies = NULL;
  g_autoptr (GError) error = NULL;

  engine->group_at = gw_clock_now (engine->clock);
  replies = ask_all (engine, group, &error);
  if (error != NULL)
    gw_redis_engine_lose_connection (engine, error);

  for (guint i = 0; i < group->len; i++)
    judge_reply (engine, g_ptr_array_index (group, i), g_ptr_array_index (replies, i));
  settle_claims (engine, group, replies);
  for (guint i = 0; i < group->len; i++)
    take_reply (engine, g_ptr_array_index (group, i), g_ptr_array_index (replies, i));
  for (guint i = group->len; i-- > 0;)
    {
      GwRedisRequest *request = g_ptr_array_index (group, i);

      if (g_ptr_array_index (replies, i) != NULL)
        continue;
      if (request->lasting)
        {
          gw_redis_engine_put_back (engine, request);
          continue;
        }
      request->error = make_unknown (engine);
      gw_redis_request_answer (request);
    }
  for (guint i = 0; i < group->len; i++)
    {
      GwRedisRequest *request = g_ptr_array_index (group, i);

      if (g_ptr_array_index (replies, i) == NULL)
        continue;
      if (request->again)
        gw_redis_engine_go_on (engine, request);
      else
        gw_redis_request_answer (request);
    }
}
