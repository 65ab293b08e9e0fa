/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-redis-engine-private.h"

/*
 * Requests: a step's arguments on their way to the engine's thread, and what comes back on its way
 * to the caller. Made on any thread, then the engine's own.
 */

GwRedisRequest *
gw_redis_request_new (GwQueue *queue,
                      gpointer tag,
                      GwRedisScript script,
                      GwRedisParseFunc parse,
                      GDestroyNotify free_result,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GwRedisRequest *request = g_new0 (GwRedisRequest, 1);

  if (queue != NULL)
    {
      request->task = g_task_new (queue, NULL, callback, user_data);
      g_task_set_source_tag (request->task, tag);
    }
  request->script = script;
  request->parse = parse;
  request->free_result = free_result;
  request->arguments = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  return request;
}

/* For a parse function of a request that somebody waits for. */
GwRedisEngine *
gw_redis_request_get_engine (GwRedisRequest *request)
{
  return gw_redis_queue_get_engine (GW_QUEUE (g_task_get_source_object (request->task)));
}

/* For a parse function: there is more to ask before the answer; new arguments are to follow. */
void
gw_redis_request_go_on (GwRedisRequest *request,
                        GwRedisScript script,
                        GwRedisParseFunc parse)
{
  request->again = TRUE;
  request->script = script;
  request->parse = parse;
  request->bytes = 0;
  g_ptr_array_set_size (request->arguments, 0);
}

void
gw_redis_request_add_bytes (GwRedisRequest *request,
                            GBytes *bytes)
{
  request->bytes += g_bytes_get_size (bytes);
  g_ptr_array_add (request->arguments, g_bytes_ref (bytes));
}

/* @text: (nullable): as good as empty. */
void
gw_redis_request_add_text (GwRedisRequest *request,
                           const char *text)
{
  gsize size = text != NULL ? strlen (text) : 0;

  request->bytes += size;
  g_ptr_array_add (request->arguments, g_bytes_new (text, size));
}

void
gw_redis_request_add_int (GwRedisRequest *request,
                          gint64 number)
{
  char text[32];

  g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, number);
  gw_redis_request_add_text (request, text);
}

void
gw_redis_request_add_double (GwRedisRequest *request,
                             double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  gw_redis_request_add_text (request, g_ascii_dtostr (text, sizeof text, number));
}

/* A time may be never, which is more than a script can count. */
void
gw_redis_request_add_time (GwRedisRequest *request,
                           gint64 time)
{
  gw_redis_request_add_int (request, MIN (time, GW_REDIS_NEVER));
}

/* What the step `finish` is told of an end of a call, whoever tells it. */
void
gw_redis_request_add_outcome (GwRedisRequest *request,
                              GwRedisOutcome *outcome)
{
  gw_redis_request_add_int (request, (gint64) outcome->attempt);
  for (guint i = 0; i < GW_REDIS_OUTCOME_N_VALUES; i++)
    {
      request->bytes += g_bytes_get_size (outcome->values[i]);
      g_ptr_array_add (request->arguments, g_bytes_ref (outcome->values[i]));
    }
  /* The lane's next: none, where nobody asks on. */
  gw_redis_request_add_text (request, request->provider);
  gw_redis_request_add_int (request, request->slot);
  gw_redis_request_add_text (request, request->worker);
  gw_redis_request_add_text (request, outcome->engine);
  gw_redis_request_add_text (request, outcome->task_id);
  gw_redis_request_add_text (request, outcome->provider);
  gw_redis_request_add_int (request, (gint64) outcome->nonce);
}

void
gw_redis_request_free (GwRedisRequest *request)
{
  g_clear_pointer (&request->outcome, gw_redis_outcome_unref);
  g_clear_object (&request->task);
  g_ptr_array_unref (request->arguments);
  if (request->progress != NULL && request->free_progress != NULL)
    request->free_progress (request->progress);
  g_clear_pointer (&request->claimed, gw_redis_reply_free);
  g_clear_error (&request->error);
  g_free (request->provider);
  g_free (request->worker);
  g_free (request);
}

/* Takes @request. */
void
gw_redis_request_answer (GwRedisRequest *request)
{
  gw_redis_request_let_go (request);
  if (request->task == NULL)
    {
      if (request->result != NULL && request->free_result != NULL)
        request->free_result (request->result);
    }
  else if (request->error != NULL)
    g_task_return_error (request->task, g_steal_pointer (&request->error));
  else
    g_task_return_pointer (request->task, request->result, request->free_result);
  gw_redis_request_free (request);
}

void
gw_redis_request_refuse (GwRedisRequest *request,
                         const GError *error)
{
  g_clear_error (&request->error);
  request->error = g_error_copy (error);
  gw_redis_request_answer (request);
}

/* Takes @request and @error: it is answered without a word to Redis. */
void
gw_redis_request_reject (GwRedisRequest *request,
                         GError *error)
{
  request->error = error;
  gw_redis_request_answer (request);
}
