/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One request and its reply, with a limit on each phase and on the size, and an honest account of
 * how far it came: what was sent may have been paid for. Everything happens in one thread's default
 * context. Cancelling closes the connection. */

#define G_LOG_DOMAIN "gw-http-exchange"

#include "config.h"

#include "gw-cancel.h"
#include "gw-source.h"
#include "provider/gw-body-reader.h"
#include "provider/gw-http-exchange.h"

/* How long an answer that is there waits for its usage, or for the end of the connection's turn,
 * without which it could not be used again. */
#define ENDED_MS 10000
#define DONE_MS 1000

typedef struct {
  GwClock *clock;            /* (owned) */
  GwExchange *exchange;      /* (owned) */
  SoupMessage *message;      /* (owned) */
  GCancellable *cancellable; /* (owned) ends what libsoup does, whatever the reason */
  GMainContext *context;     /* (owned) */
  GSource *connect_limit;    /* (owned) (nullable) */
  gint64 connect_by;         /* monotonic µs; nothing is sent later, even if nobody could look before */
  GSource *total_limit;      /* (owned) */
  GSource *outer;            /* (owned) (nullable) the caller's cancellable */
  GwExchangeSentFunc sent;   /* (nullable) */
  gpointer sent_data;
  GwExchangeTakeFunc take;   /* (nullable) */
  gpointer take_data;
  GwReading reading;         /* what @take said */
  gsize max_body;
} Run;

void
gw_exchange_free (GwExchange *exchange)
{
  g_clear_error (&exchange->error);
  g_clear_pointer (&exchange->body, g_byte_array_unref);
  g_free (exchange);
}

static void
run_free (gpointer data)
{
  Run *run = data;

  gw_source_clear (&run->connect_limit);
  gw_source_clear (&run->total_limit);
  gw_source_clear (&run->outer);
  g_signal_handlers_disconnect_by_data (run->message, run);
  g_clear_object (&run->message);
  g_clear_object (&run->cancellable);
  g_main_context_unref (run->context);
  g_clear_pointer (&run->exchange, gw_exchange_free);
  g_clear_pointer (&run->clock, gw_clock_unref);
  g_free (run);
}

static void
give_up (Run *run,
         GwExchangeEnd end)
{
  if (run->exchange->end != GW_EXCHANGE_OK)
    return;
  run->exchange->end = end;
  /* Where the head of an answer may be there that is not announced yet. */
  if (run->exchange->phase >= GW_EXCHANGE_SENDING && run->exchange->phase < GW_EXCHANGE_READING)
    gw_cancel_later (run->cancellable, run->context);
  else
    g_cancellable_cancel (run->cancellable);
}

static gboolean
late_cb (gpointer user_data)
{
  give_up (user_data, GW_EXCHANGE_LATE);

  return G_SOURCE_REMOVE;
}

static gboolean
aborted_cb (GCancellable *cancellable,
            gpointer user_data)
{
  give_up (user_data, GW_EXCHANGE_ABORTED);

  return G_SOURCE_REMOVE;
}

/* It connected while this process stood still: who waited for it has given it up. */
static void
starting_cb (SoupMessage *message,
             Run *run)
{
  if (run->connect_limit != NULL && g_get_monotonic_time () > run->connect_by)
    give_up (run, GW_EXCHANGE_LATE);
}

/* The first sign that a connection stands: "starting" does not come on one that had served
 * before. */
static void
wrote_headers_cb (SoupMessage *message,
                  Run *run)
{
  SoupMessageMetrics *metrics = soup_message_get_metrics (message);

  gw_source_clear (&run->connect_limit);
  run->exchange->phase = GW_EXCHANGE_SENDING;
  run->exchange->reused = metrics != NULL && soup_message_metrics_get_connect_start (metrics) == 0;
}

static void
wrote_body_cb (SoupMessage *message,
               Run *run)
{
  if (run->exchange->sent)
    return;
  run->exchange->sent = TRUE;
  run->exchange->sent_at = gw_clock_now (run->clock);
  run->exchange->phase = MAX (run->exchange->phase, GW_EXCHANGE_WAITING);
  if (run->sent != NULL)
    run->sent (run->exchange->sent_at, run->sent_data);
}

static void
restarted_cb (SoupMessage *message,
              Run *run)
{
  /* What was sent once is not sent again without a claim of its own. */
  if (!run->exchange->sent)
    return;
  g_set_error_literal (&run->exchange->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                       "the connection was closed");
  give_up (run, GW_EXCHANGE_BROKEN);
  g_cancellable_cancel (run->cancellable);
}

static void
got_headers_cb (SoupMessage *message,
                Run *run)
{
  run->exchange->first_byte_at = gw_clock_now (run->clock);
}

/* Whether any byte of a reply came, also where no whole headers did. */
static gboolean
has_begun (SoupMessage *message)
{
  SoupMessageMetrics *metrics = soup_message_get_metrics (message);

  return metrics != NULL && soup_message_metrics_get_response_start (metrics) != 0;
}

static void
run_end (GTask *task)
{
  Run *run = g_task_get_task_data (task);

  gw_source_clear (&run->connect_limit);
  gw_source_clear (&run->total_limit);
  gw_source_clear (&run->outer);
  g_task_return_pointer (task, g_steal_pointer (&run->exchange),
                         (GDestroyNotify) gw_exchange_free);
}

static void
body_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);
  GwExchange *exchange = run->exchange;
  gboolean is_open;

  exchange->body = gw_body_read_finish (G_INPUT_STREAM (source), result, &exchange->error);
  if (exchange->error == NULL)
    {
      exchange->phase = GW_EXCHANGE_COMPLETE;
      exchange->end = GW_EXCHANGE_OK;
    }
  else if (g_error_matches (exchange->error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    give_up (run, GW_EXCHANGE_TOO_LARGE);
  else if (exchange->end == GW_EXCHANGE_OK)
    exchange->end = GW_EXCHANGE_BROKEN;
  is_open = exchange->end != GW_EXCHANGE_OK;
  /* What ended by its own words has not been cut off. */
  if ((exchange->end == GW_EXCHANGE_LATE || exchange->end == GW_EXCHANGE_BROKEN)
      && (run->reading == GW_READING_ENDED || run->reading == GW_READING_DONE))
    {
      exchange->phase = GW_EXCHANGE_COMPLETE;
      exchange->end = GW_EXCHANGE_OK;
    }
  if (is_open)
    g_input_stream_close_async (G_INPUT_STREAM (source), G_PRIORITY_DEFAULT, run->cancellable, NULL,
                                NULL);
  run_end (task);
}

static GSource *
limit_new (Run *run,
           GMainContext *context,
           gint64 ms,
           const char *name)
{
  GSource *source = g_timeout_source_new ((guint) MIN (ms, G_MAXINT));

  g_source_set_name (source, name);
  g_source_set_callback (source, late_cb, run, NULL);
  g_source_attach (source, context);

  return source;
}

static gboolean
take_cb (const char *bytes,
         gsize length,
         gpointer user_data)
{
  Run *run = user_data;
  GwReading before = run->reading;
  gint64 left;

  run->reading = run->take (bytes, length, run->take_data);
  if (run->reading == GW_READING_TOO_LARGE)
    return FALSE;
  if (run->reading == before || run->reading == GW_READING_OPEN)
    return TRUE;

  left = (g_source_get_ready_time (run->total_limit) - g_get_monotonic_time ()) / 1000;
  gw_source_clear (&run->total_limit);
  run->total_limit = limit_new (run, g_main_context_get_thread_default (),
                                CLAMP (left, 0, run->reading == GW_READING_DONE ? DONE_MS
                                                                                : ENDED_MS),
                                "[gangway] limit after the end");

  return TRUE;
}

static void
head_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GInputStream) stream = NULL;
  Run *run = g_task_get_task_data (task);
  GwExchange *exchange = run->exchange;

  stream = soup_session_send_finish (SOUP_SESSION (source), result,
                                     exchange->error == NULL ? &exchange->error : NULL);
  if (stream == NULL)
    {
      if (exchange->end == GW_EXCHANGE_OK)
        exchange->end = GW_EXCHANGE_BROKEN;
      if (exchange->sent && exchange->first_byte_at == 0 && has_begun (run->message))
        exchange->first_byte_at = gw_clock_now (run->clock);
      run_end (task);
      return;
    }

  exchange->phase = GW_EXCHANGE_READING;
  if (exchange->end != GW_EXCHANGE_OK)
    g_cancellable_cancel (run->cancellable);
  if (exchange->first_byte_at == 0)
    exchange->first_byte_at = gw_clock_now (run->clock);
  if (run->take != NULL)
    gw_body_take_async (stream, run->max_body, take_cb, run, run->cancellable, body_cb,
                        g_steal_pointer (&task));
  else
    gw_body_read_async (stream, run->max_body, NULL, NULL, run->cancellable, body_cb,
                        g_steal_pointer (&task));
}

void
gw_http_exchange_async (SoupSession *session,
                        GwClock *clock,
                        SoupMessage *message,
                        guint connect_ms,
                        gint64 total_ms,
                        gsize max_body,
                        GwExchangeSentFunc sent,
                        gpointer sent_data,
                        GwExchangeTakeFunc take,
                        gpointer take_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  GMainContext *context = g_task_get_context (task);
  Run *run = g_new0 (Run, 1);

  g_task_set_source_tag (task, gw_http_exchange_async);
  g_task_set_task_data (task, run, run_free);
  run->clock = gw_clock_ref (clock);
  run->exchange = g_new0 (GwExchange, 1);
  run->message = g_object_ref (message);
  run->cancellable = g_cancellable_new ();
  run->context = g_main_context_ref (context);
  run->sent = sent;
  run->sent_data = sent_data;
  run->take = take;
  run->take_data = take_data;
  run->max_body = max_body;

  /* IDEMPOTENT is what makes libsoup use a connection again for a POST; a handshake for each call
   * would cost a good part of its time. That it never sends one a second time by itself is tested
   * (tests/unit/test-openai.c, reset-on-reuse), and stopped here should another version do so. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_COLLECT_METRICS
                                       | SOUP_MESSAGE_IDEMPOTENT);
  g_signal_connect (message, "starting", G_CALLBACK (starting_cb), run);
  g_signal_connect (message, "wrote-headers", G_CALLBACK (wrote_headers_cb), run);
  g_signal_connect (message, "wrote-body", G_CALLBACK (wrote_body_cb), run);
  g_signal_connect (message, "restarted", G_CALLBACK (restarted_cb), run);
  g_signal_connect (message, "got-headers", G_CALLBACK (got_headers_cb), run);

  run->connect_by = g_get_monotonic_time () + (gint64) connect_ms * 1000;
  run->connect_limit = limit_new (run, context, connect_ms, "[gangway] connect limit");
  run->total_limit = limit_new (run, context, total_ms, "[gangway] total limit");
  if (cancellable != NULL)
    {
      run->outer = g_cancellable_source_new (cancellable);
      g_source_set_static_name (run->outer, "[gangway] call aborted");
      g_source_set_callback (run->outer, G_SOURCE_FUNC (aborted_cb), run, NULL);
      g_source_attach (run->outer, context);
      if (g_cancellable_is_cancelled (cancellable))
        give_up (run, GW_EXCHANGE_ABORTED);
    }
  soup_session_send_async (session, message, G_PRIORITY_DEFAULT, run->cancellable, head_cb,
                           task);
}

GwExchange *
gw_http_exchange_finish (GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), NULL);
}
