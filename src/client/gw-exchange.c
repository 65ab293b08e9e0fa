/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-exchange"

/* One HTTP request and its whole answer, read asynchronously in the thread-default context of the
 * caller. Guarantee: it ends within its time limit, it never holds more than its size limit, it
 * never follows a redirect (a token stays with the host that it was meant for), and where it fails
 * it knows whether the request can have reached the other side. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-cancel.h"
#include "gw-error.h"

#include "gw-exchange.h"
#include "gw-source.h"

#define CHUNK_BYTES (128 * 1024)
#define MAX_CONNECTIONS 16
#define MAX_RETRY_AFTER_S 3600

typedef struct {
  SoupSession *session;       /* (owned) */
  SoupMessage *message;       /* (owned) */
  GCancellable *cancellable;  /* (owned): ours, cancelled by the deadline or by the caller's */
  GCancellable *outer;        /* (owned) (nullable): the caller's */
  gulong outer_id;
  GMainContext *context;      /* (owned) */
  GSource *deadline;          /* (owned) (nullable) */
  GInputStream *stream;       /* (owned) (nullable) */
  GByteArray *body;           /* (owned) */
  gsize max_bytes;
  gboolean timed_out;
  gboolean started;
  gboolean asked;             /* the head of the request is written: an answer may come */
} Exchange;

static void
exchange_free (Exchange *exchange)
{
  if (exchange->outer != NULL)
    g_cancellable_disconnect (exchange->outer, exchange->outer_id);
  gw_source_clear (&exchange->deadline);
  g_signal_handlers_disconnect_by_data (exchange->message, exchange);
  g_clear_object (&exchange->outer);
  g_clear_object (&exchange->stream);
  g_clear_object (&exchange->cancellable);
  g_clear_object (&exchange->message);
  g_clear_object (&exchange->session);
  g_main_context_unref (exchange->context);
  g_clear_pointer (&exchange->body, g_byte_array_unref);
  g_free (exchange);
}

/**
 * gw_answer_free:
 * @reply: (transfer full): a reply
 */
void
gw_answer_free (GwAnswer *reply)
{
  g_clear_pointer (&reply->body, g_bytes_unref);
  g_clear_pointer (&reply->content_type, g_free);
  g_free (reply);
}

/**
 * gw_exchange_is_loopback:
 * @uri: an address
 *
 * Returns: whether @uri certainly names this machine
 */
gboolean
gw_exchange_is_loopback (GUri *uri)
{
  const char *host = g_uri_get_host (uri);
  g_autoptr (GInetAddress) address = NULL;

  if (host == NULL)
    return FALSE;
  if (g_ascii_strcasecmp (host, "localhost") == 0)
    return TRUE;

  address = g_inet_address_new_from_string (host);

  return address != NULL && g_inet_address_get_is_loopback (address);
}

/**
 * gw_exchange_session_new:
 * @uri: the gateway's address
 *
 * Makes a session for one gateway: enough connections that no call waits behind a long-poll, and no
 * proxy between this machine and itself.
 *
 * Returns: (transfer full): a session for the calling thread
 */
SoupSession *
gw_exchange_session_new (const char *uri)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, SOUP_HTTP_URI_FLAGS, NULL);
  SoupSession *session;

  session = soup_session_new_with_options ("max-conns", MAX_CONNECTIONS,
                                           "max-conns-per-host", MAX_CONNECTIONS,
                                           "timeout", 0,
                                           "idle-timeout", 60,
                                           "user-agent", "Gangway/" GW_VERSION,
                                           NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  if (parsed != NULL && gw_exchange_is_loopback (parsed))
    soup_session_set_proxy_resolver (session, NULL);

  return session;
}

/* Converts where it enters: beyond this line a transport error is GW_ERROR_UNREACHABLE. */
static GError *
convert_error (Exchange *exchange,
               GError *error)
{
  g_autoptr (GError) foreign = error;
  GUri *uri = soup_message_get_uri (exchange->message);
  g_autofree char *authority = NULL;

  if (foreign->domain == GW_ERROR)
    return g_steal_pointer (&foreign);
  if (exchange->outer != NULL && g_cancellable_is_cancelled (exchange->outer))
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, foreign->message);

  authority = g_strdup_printf ("%s:%d", g_uri_get_host (uri), g_uri_get_port (uri));
  if (exchange->timed_out)
    return g_error_new (GW_ERROR, GW_ERROR_UNREACHABLE,
                        _("The gateway at %s did not answer in time"), authority);

  return g_error_new (GW_ERROR, GW_ERROR_UNREACHABLE,
                      /* Translators: an address, then the system's reason */
                      _("No answer from the gateway at %s: %s"), authority, foreign->message);
}

/* The time limit has to go as soon as the answer is there: a source that is left behind would keep
 * the cancellable, not the task, but wakes an idle program for nothing. */
static void
end_exchange (GTask *task,
              GError *error)
{
  Exchange *exchange = g_task_get_task_data (task);
  SoupMessageHeaders *headers;
  const char *retry_after;
  GwAnswer *reply;
  gsize length;

  gw_source_clear (&exchange->deadline);

  if (error != NULL)
    {
      g_task_return_error (task, convert_error (exchange, error));
      return;
    }

  headers = soup_message_get_response_headers (exchange->message);
  reply = g_new0 (GwAnswer, 1);
  reply->status = soup_message_get_status (exchange->message);
  reply->content_type = g_strdup (soup_message_headers_get_content_type (headers, NULL));
  reply->retry_after_s = -1;
  retry_after = soup_message_headers_get_one (headers, "Retry-After");
  if (retry_after != NULL && g_ascii_isdigit (*retry_after))
    reply->retry_after_s = (int) MIN (g_ascii_strtoull (retry_after, NULL, 10),
                                      MAX_RETRY_AFTER_S);
  length = exchange->body->len;
  reply->body = g_bytes_new_take (g_byte_array_free (g_steal_pointer (&exchange->body), FALSE),
                                  length);
  g_task_return_pointer (task, reply, (GDestroyNotify) gw_answer_free);
}

static void
read_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Exchange *exchange = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) chunk = NULL;
  gsize size;
  gconstpointer data;

  chunk = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);
  if (chunk == NULL)
    {
      end_exchange (task, g_steal_pointer (&error));
      return;
    }

  data = g_bytes_get_data (chunk, &size);
  if (size == 0)
    {
      end_exchange (task, NULL);
      return;
    }
  if (size > exchange->max_bytes - exchange->body->len)
    {
      end_exchange (task, g_error_new (GW_ERROR, GW_ERROR_TOO_LARGE,
                                       /* Translators: %s is a request, as "GET /tasks"; then a
                                        * number of bytes */
                                       _("The gateway’s answer to %s is larger than %lu bytes"),
                                       g_uri_get_path (soup_message_get_uri (exchange->message)),
                                       (gulong) exchange->max_bytes));
      return;
    }

  g_byte_array_append (exchange->body, data, size);
  g_input_stream_read_bytes_async (exchange->stream, CHUNK_BYTES, G_PRIORITY_DEFAULT,
                                   exchange->cancellable, read_cb, g_object_ref (task));
}

static void
send_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Exchange *exchange = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  exchange->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (exchange->stream == NULL)
    {
      end_exchange (task, g_steal_pointer (&error));
      return;
    }

  /* From here on there is no need to wait with it. */
  if (exchange->timed_out
      || (exchange->outer != NULL && g_cancellable_is_cancelled (exchange->outer)))
    g_cancellable_cancel (exchange->cancellable);
  g_input_stream_read_bytes_async (exchange->stream, CHUNK_BYTES, G_PRIORITY_DEFAULT,
                                   exchange->cancellable, read_cb, g_object_ref (task));
}

static void
starting_cb (SoupMessage *message,
             gpointer user_data)
{
  Exchange *exchange = user_data;

  exchange->started = TRUE;
}

static void
wrote_headers_cb (SoupMessage *message,
                  gpointer user_data)
{
  Exchange *exchange = user_data;

  exchange->asked = TRUE;
}

/* What is not sent yet is not to be sent any more. */
static void
give_up (Exchange *exchange)
{
  if (exchange->asked && exchange->stream == NULL)
    gw_cancel_later (exchange->cancellable, exchange->context);
  else
    g_cancellable_cancel (exchange->cancellable);
}

static gboolean
deadline_cb (gpointer user_data)
{
  Exchange *exchange = user_data;

  exchange->timed_out = TRUE;
  give_up (exchange);

  return G_SOURCE_REMOVE;
}

static void
outer_cancelled_cb (GCancellable *outer,
                    gpointer user_data)
{
  give_up (user_data);
}

/**
 * gw_exchange_async:
 * @session: a session of the calling thread
 * @message: the request, complete
 * @timeout_ms: everything must be over by then; 0: no limit
 * @max_bytes: the largest answer that is taken
 * @cancellable: (nullable): gives the request up; cancelled in the calling thread
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Sends @message and reads the whole answer.
 */
void
gw_exchange_async (SoupSession *session,
                   SoupMessage *message,
                   guint timeout_ms,
                   gsize max_bytes,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  Exchange *exchange = g_new0 (Exchange, 1);

  g_task_set_source_tag (task, gw_exchange_async);
  exchange->session = g_object_ref (session);
  exchange->message = g_object_ref (message);
  exchange->cancellable = g_cancellable_new ();
  exchange->context = g_main_context_ref_thread_default ();
  exchange->body = g_byte_array_new ();
  exchange->max_bytes = max_bytes;
  g_task_set_task_data (task, exchange, (GDestroyNotify) exchange_free);

  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  g_signal_connect (message, "starting", G_CALLBACK (starting_cb), exchange);
  g_signal_connect (message, "wrote-headers", G_CALLBACK (wrote_headers_cb), exchange);
  if (cancellable != NULL)
    {
      exchange->outer = g_object_ref (cancellable);
      exchange->outer_id = g_cancellable_connect (cancellable, G_CALLBACK (outer_cancelled_cb),
                                                  exchange, NULL);
    }
  if (timeout_ms > 0)
    {
      exchange->deadline = g_timeout_source_new (timeout_ms);
      g_source_set_static_name (exchange->deadline, "[gangway] HTTP deadline");
      g_source_set_callback (exchange->deadline, deadline_cb, exchange, NULL);
      g_source_attach (exchange->deadline, exchange->context);
    }

  soup_session_send_async (session, message, G_PRIORITY_DEFAULT, exchange->cancellable, send_cb,
                           g_object_ref (task));
}

/**
 * gw_exchange_finish:
 * @result: what the callback got
 * @unsent: (out) (optional): whether no byte of the request can have left this process; only
 *   meaningful after an error
 * @error: GW_ERROR_UNREACHABLE, GW_ERROR_TOO_LARGE or G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full): the answer, whatever its status
 */
GwAnswer *
gw_exchange_finish (GAsyncResult *result,
                    gboolean *unsent,
                    GError **error)
{
  Exchange *exchange;

  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  exchange = g_task_get_task_data (G_TASK (result));
  if (unsent != NULL)
    *unsent = !exchange->started;

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * gw_exchange_has_timed_out:
 * @result: what the callback got
 *
 * Returns: whether it failed because its time was over
 */
gboolean
gw_exchange_has_timed_out (GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  return ((Exchange *) g_task_get_task_data (G_TASK (result)))->timed_out;
}
