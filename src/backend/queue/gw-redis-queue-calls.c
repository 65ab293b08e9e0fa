/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-json.h"
#include "queue/gw-redis-private.h"

/*
 * Calls: their begin, that they were sent, and their end. Any thread.
 */

static GwGrant *
read_grant (const redisReply *row)
{
  GwGrant *grant = g_new0 (GwGrant, 1);
  const char *metadata = gw_redis_reply_get_text (row, 7);

  if (!g_str_equal (gw_redis_reply_get_text (row, 0), "G"))
    {
      grant->verdict = (GwVerdict) CLAMP (gw_redis_reply_get_int (row, 1), GW_VERDICT_START,
                                          GW_VERDICT_SHARE);
      grant->ask_at = gw_redis_reply_get_time (row, 2);
      grant->idle = gw_redis_reply_get_int (row, 3) != 0;
      return grant;
    }

  grant->verdict = GW_VERDICT_START;
  grant->attempt = (guint64) gw_redis_reply_get_int (row, 1);
  grant->number = (guint) gw_redis_reply_get_int (row, 2);
  grant->task_id = g_strdup (gw_redis_reply_get_text (row, 3));
  grant->project_id = g_strdup (gw_redis_reply_get_text (row, 4));
  grant->content = g_strdup (gw_redis_reply_get_text (row, 5));
  grant->model = gw_redis_reply_dup_text (row, 6);
  if (*metadata != '\0')
    grant->metadata = gw_json_parse_object (metadata, strlen (metadata), NULL);
  grant->tries = (guint) gw_redis_reply_get_int (row, 8);
  grant->ask_at = gw_redis_reply_get_int (row, 9);

  return grant;
}

/* What the last round told, if there were several. */
static const redisReply *
get_claimed (GwRedisRequest *request,
             const redisReply *reply)
{
  return gw_redis_reply_get (request->claimed != NULL ? request->claimed : reply, 2);
}

static gpointer
parse_grant (GwRedisRequest *request,
             const redisReply *reply,
             GError **error)
{
  return read_grant (get_claimed (request, reply));
}

static gpointer
parse_finished (GwRedisRequest *request,
                const redisReply *reply,
                GError **error)
{
  GwFinished *finished = g_new0 (GwFinished, 1);

  finished->finished = (GwFinishResult) CLAMP (gw_redis_reply_get_int (reply, 3), GW_FINISH_STORED,
                                               GW_FINISH_IGNORED);
  if (request->provider != NULL)
    finished->grant = read_grant (get_claimed (request, reply));

  return finished;
}

/* The attempt has ended, and how was not seen; whoever wanted the next one asks again at once. */
GwFinished *
gw_redis_finished_new_unseen (GwRedisRequest *request,
                              gint64 now)
{
  GwFinished *finished = g_new0 (GwFinished, 1);

  finished->finished = GW_FINISH_IGNORED;
  if (request->provider != NULL)
    {
      finished->grant = g_new0 (GwGrant, 1);
      finished->grant->verdict = GW_VERDICT_SLOTS;
      finished->grant->ask_at = now;
    }

  return finished;
}

static void
take_claim (GwRedisRequest *request,
            const GwClaim *claim)
{
  if (claim == NULL)
    return;

  request->provider = g_strdup (claim->provider);
  request->worker = g_strdup (claim->worker);
  request->slot = claim->slot;
}

static void
add_claim (GwRedisRequest *request,
           const GwClaim *claim)
{
  take_claim (request, claim);
  gw_redis_request_add_text (request, request->provider);
  gw_redis_request_add_int (request, request->slot);
  gw_redis_request_add_text (request, request->worker);
}

static void
claim_async (GwQueue *self,
             const GwClaim *claim,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  GwRedisRequest *request =
      gw_redis_request_new (self, claim_async, GW_REDIS_CLAIM, parse_grant,
                            (GDestroyNotify) gw_grant_free, callback, user_data);

  add_claim (request, claim);
  gw_redis_request_add_text (request, NULL);
  gw_redis_queue_push (self, request);
}

static void
note_sent_async (GwQueue *self,
                 guint64 attempt,
                 gint64 sent_at,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, note_sent_async, GW_REDIS_NOTE_SENT, NULL,
                                                  NULL, callback, user_data);
  GwRedisFlight flight;

  gw_redis_engine_note_sent (gw_redis_queue_get_engine (self), attempt);
  gw_redis_engine_find_flight (gw_redis_queue_get_engine (self), attempt, &flight);
  request->lasting = TRUE;
  gw_redis_request_add_int (request, (gint64) flight.number);
  gw_redis_request_add_time (request, sent_at);
  gw_redis_request_add_text (request, flight.engine);
  gw_redis_request_add_text (request, flight.task_id);
  gw_redis_request_add_int (request, (gint64) flight.nonce);
  gw_redis_flight_clear (&flight);
  gw_redis_queue_push (self, request);
}

static GBytes *
new_text (const char *text)
{
  return g_bytes_new (text, text != NULL ? strlen (text) : 0);
}

static GBytes *
new_int (gint64 number)
{
  char text[32];

  g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, MIN (number, GW_REDIS_NEVER));

  return new_text (text);
}

/* The end of a call, with whatever tells its attempt from others. */
static GwRedisOutcome *
new_outcome (GwRedisFlight *flight,
             const GwReply *reply)
{
  const char *title = reply->has_error ? gw_error_title (reply->error_code) : NULL;
  const char *message = reply->has_error ? reply->error_message : NULL;
  GBytes *values[GW_REDIS_OUTCOME_N_VALUES] = {
    [GW_REDIS_OUTCOME_ACT] = new_int (reply->act),
    [GW_REDIS_OUTCOME_LANE_ACT] = new_int (reply->lane_act),
    [GW_REDIS_OUTCOME_RETRY_AFTER] = new_int (reply->retry_after_ms),
    [GW_REDIS_OUTCOME_LANE_FOR] = new_int (reply->lane_for_ms),
    [GW_REDIS_OUTCOME_TOO_MANY] = new_int (reply->too_many_at_once),
    [GW_REDIS_OUTCOME_MAYBE] = new_int (reply->maybe_computing),
    [GW_REDIS_OUTCOME_DIED] = new_int (reply->died_with_worker),
    [GW_REDIS_OUTCOME_RESULT] = new_text (reply->result),
    [GW_REDIS_OUTCOME_MODEL] = new_text (reply->model),
    [GW_REDIS_OUTCOME_REASON] = new_text (reply->finish_reason),
    [GW_REDIS_OUTCOME_PROMPT] = new_int (reply->usage.prompt_tokens),
    [GW_REDIS_OUTCOME_COMPLETION] = new_int (reply->usage.completion_tokens),
    [GW_REDIS_OUTCOME_TOTAL] = new_int (reply->usage.total_tokens),
    [GW_REDIS_OUTCOME_CODE] = new_text (reply->has_error ? gw_error_to_string (reply->error_code)
                                                         : NULL),
    [GW_REDIS_OUTCOME_OWN_MESSAGE] = new_text (message),
    [GW_REDIS_OUTCOME_MESSAGE] = new_text (message != NULL ? message
                                           : title != NULL ? title
                                           : gw_error_title (GW_ERROR_TASK_UNKNOWN)),
    [GW_REDIS_OUTCOME_RAW] = new_text (reply->raw),
    [GW_REDIS_OUTCOME_SENT] = new_int (reply->sent_at),
    [GW_REDIS_OUTCOME_FIRST] = new_int (reply->first_byte_at),
    [GW_REDIS_OUTCOME_ENDED] = new_int (reply->ended_at),
  };
  GwRedisOutcome *outcome = gw_redis_outcome_new (flight->store, flight->engine, flight->task_id,
                                                  flight->provider, flight->number, flight->nonce,
                                                  values);

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    g_bytes_unref (values[i]);

  return outcome;
}

static void
push_finish (GwQueue *self,
             GwRedisRequest *request,
             guint64 attempt,
             const GwReply *reply,
             const GwClaim *claim)
{
  GwRedisFlight flight;

  gw_redis_engine_find_flight (gw_redis_queue_get_engine (self), attempt, &flight);
  request->lasting = TRUE;
  request->attempt = attempt;
  request->outcome = new_outcome (&flight, reply);
  gw_redis_flight_clear (&flight);
  take_claim (request, claim);
  gw_redis_request_add_outcome (request, request->outcome);
  gw_redis_queue_push (self, request);
}

static void
finish_async (GwQueue *self,
              guint64 attempt,
              const GwReply *reply,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  GwRedisRequest *request =
      gw_redis_request_new (self, finish_async, GW_REDIS_FINISH, parse_finished,
                            (GDestroyNotify) gw_finished_free, callback, user_data);

  push_finish (self, request, attempt, reply, NULL);
}

static void
finish_and_claim_async (GwQueue *self,
                        guint64 attempt,
                        const GwReply *reply,
                        const GwClaim *claim,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GwRedisRequest *request =
      gw_redis_request_new (self, finish_and_claim_async, GW_REDIS_FINISH, parse_finished,
                            (GDestroyNotify) gw_finished_free, callback, user_data);

  push_finish (self, request, attempt, reply, claim);
}

void
gw_redis_queue_init_calls (GwQueueInterface *iface)
{
  iface->claim_async = claim_async;
  iface->note_sent_async = note_sent_async;
  iface->finish_async = finish_async;
  iface->finish_and_claim_async = finish_and_claim_async;
}
