/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-client"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-client-private.h"
#include "gw-source.h"

/* One request, and its repetitions. */

#define DEFAULT_TIMEOUT_MS 30000
#define FIRST_PAUSE_MS 200
#define MAX_PAUSE_MS 2000
#define MAX_RETRY_AFTER_MS 10000
#define MAX_ERROR_TEXT 500

SoupMessage *
_gw_client_new_message (GwClient *self,
                        const char *method,
                        const char *path)
{
  g_autofree char *address = g_strconcat (self->uri, path, NULL);
  g_autoptr (GUri) uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  SoupMessage *message;

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return NULL;

  message = soup_message_new_from_uri (method, uri);
  soup_message_headers_append (soup_message_get_request_headers (message), "Accept",
                               "application/json, application/problem+json");
  if (self->token != NULL && *self->token != '\0')
    {
      g_autofree char *bearer = g_strconcat ("Bearer ", self->token, NULL);

      soup_message_headers_append (soup_message_get_request_headers (message), "Authorization",
                                   bearer);
    }

  return message;
}

/* The sentence that a gateway gives, ours or FastAPI's or anyone's; NULL where it has none. */
static char *
find_sentence (JsonObject *object)
{
  static const char *const members[] = { "detail", "message", "error", "title", NULL };

  for (guint i = 0; members[i] != NULL; i++)
    {
      const char *text = gw_json_peek_string (object, members[i]);
      JsonObject *inner = gw_json_peek_object (object, members[i]);

      if (text == NULL && inner != NULL)
        text = gw_json_peek_string (inner, "message");
      if (text != NULL && *text != '\0')
        return g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), MAX_ERROR_TEXT));
    }

  return NULL;
}

GError *
_gw_client_error_from_reply (const GwAnswer *reply)
{
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);
  g_autoptr (JsonObject) object = gw_json_parse_reply_object (text != NULL ? text : "", length,
                                                             NULL);
  g_autofree char *sentence = NULL;
  GwError code = gw_error_from_http_status (MAX (reply->status, 400));
  GwError told;

  if (object != NULL)
    {
      if (gw_error_from_string (gw_json_peek_string (object, "code"), &told)
          && !gw_error_is_task_error (told))
        code = told;
      sentence = find_sentence (object);
    }
  if (sentence == NULL)
    sentence = g_strdup_printf (_("The gateway answered with HTTP status %u"), reply->status);

  return g_error_new_literal (GW_ERROR, code, sentence);
}

JsonObject *
_gw_client_parse_object (const GwAnswer *reply,
                         GError **error)
{
  g_autoptr (GError) local = NULL;
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);
  JsonObject *object = gw_json_parse_reply_object (text != NULL ? text : "", length, &local);

  if (object == NULL)
    g_set_error (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                 _("The gateway’s answer is not a JSON object: %s"), local->message);

  return object;
}

/* One request, and its repetitions. */
typedef struct {
  char *method;
  char *path;
  GBytes *body;      /* (owned) (nullable) */
  char *key;         /* (owned) (nullable) */
  guint timeout_ms;
  GwRepeat repeat;
  gint64 failing_since; /* monotonic µs; 0: not yet */
  guint pause_ms;
  gboolean lost;     /* some sending of it may have been taken in without our knowing */
  GSource *timer;    /* (owned) (nullable) */
  GSource *cancelled; /* (owned) (nullable) */
} Call;

static void
call_free (Call *call)
{
  gw_source_clear (&call->timer);
  gw_source_clear (&call->cancelled);
  g_free (call->method);
  g_free (call->path);
  g_clear_pointer (&call->body, g_bytes_unref);
  g_free (call->key);
  g_free (call);
}

static void send_call (GTask *task);

static gboolean
repeat_cb (gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);

  gw_source_clear (&call->timer);
  gw_source_clear (&call->cancelled);
  if (!g_task_return_error_if_cancelled (task))
    send_call (task);

  return G_SOURCE_REMOVE;
}

static gboolean
pause_cancelled_cb (GCancellable *cancellable,
                    gpointer user_data)
{
  return repeat_cb (user_data);
}

/* Whether the request goes out once more: never beyond the patience, counted from its first
 * failure. */
static gboolean
schedule_repeat (GTask *task,
                 int retry_after_s)
{
  GwClient *self = g_task_get_source_object (task);
  Call *call = g_task_get_task_data (task);
  gint64 now = g_get_monotonic_time ();
  guint pause_ms;

  if (call->failing_since == 0)
    call->failing_since = now;
  call->pause_ms = call->pause_ms == 0 ? FIRST_PAUSE_MS : MIN (call->pause_ms * 2, MAX_PAUSE_MS);
  pause_ms = call->pause_ms;
  if (retry_after_s > 0)
    pause_ms = MIN ((guint) retry_after_s * 1000, MAX_RETRY_AFTER_MS);
  if (now + pause_ms * 1000LL > call->failing_since + self->patience_s * G_USEC_PER_SEC)
    return FALSE;

  call->timer = g_timeout_source_new (pause_ms);
  g_source_set_static_name (call->timer, "[gangway] repeat a request");
  g_source_set_callback (call->timer, repeat_cb, task, NULL);
  g_object_ref (task);
  g_source_attach (call->timer, g_task_get_context (task));
  if (g_task_get_cancellable (task) != NULL)
    {
      call->cancelled = g_cancellable_source_new (g_task_get_cancellable (task));
      g_source_set_callback (call->cancelled, G_SOURCE_FUNC (pause_cancelled_cb), task, NULL);
      g_source_attach (call->cancelled, g_task_get_context (task));
    }

  return TRUE;
}

static void
exchange_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = NULL;
  gboolean unsent = FALSE;

  reply = gw_exchange_finish (result, &unsent, &error);
  if (reply == NULL)
    {
      gboolean repeatable = g_error_matches (error, GW_ERROR, GW_ERROR_UNREACHABLE)
                            && (call->repeat == GW_REPEAT_LOST
                                || (call->repeat == GW_REPEAT_REFUSED && unsent));

      call->lost |= !unsent;
      if (!repeatable || !schedule_repeat (task, -1))
        g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  if (reply->status >= 200 && reply->status < 300)
    {
      g_task_return_pointer (task, g_steal_pointer (&reply), (GDestroyNotify) gw_answer_free);
      return;
    }

  if (call->repeat != GW_REPEAT_NEVER
      && (reply->status == 429 || reply->status == 500 || reply->status == 503
          || (call->repeat == GW_REPEAT_LOST && reply->status > 500))
      && schedule_repeat (task, reply->retry_after_s))
    return;

  g_task_return_error (task, _gw_client_error_from_reply (reply));
}

static void
send_call (GTask *task)
{
  GwClient *self = g_task_get_source_object (task);
  Call *call = g_task_get_task_data (task);
  g_autoptr (SoupMessage) message = _gw_client_new_message (self, call->method, call->path);

  if (message == NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_INVALID,
                               /* Translators: %s is what the user gave as the address */
                               _("“%s” is no address of a gateway"), self->uri);
      return;
    }

  if (call->body != NULL)
    soup_message_set_request_body_from_bytes (message, "application/json", call->body);
  if (call->key != NULL)
    {
      soup_message_headers_append (soup_message_get_request_headers (message), "Idempotency-Key",
                                   call->key);
      soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT);
    }
  /* A kept-alive connection may be closed by the other side just as the request goes out; where the
   * request must not go out twice, that would be an answer lost for nothing. */
  else if (!g_str_equal (call->method, "GET"))
    soup_message_add_flags (message, SOUP_MESSAGE_NEW_CONNECTION);

  gw_exchange_async (self->session, message, call->timeout_ms, GW_CLIENT_MAX_ANSWER,
                     g_task_get_cancellable (task), exchange_cb, g_object_ref (task));
}

/* The request itself, whatever the protocol. Finish gives answers of 2xx; any other is an error. */
void
_gw_client_request_async (GwClient *self,
                          const GwRequest *request,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Call *call = g_new0 (Call, 1);

  g_task_set_source_tag (task, _gw_client_request_async);
  g_task_set_check_cancellable (task, FALSE);
  call->method = g_strdup (request->method);
  call->path = g_strdup (request->path);
  call->body = request->body != NULL ? g_bytes_ref (request->body) : NULL;
  call->key = g_strdup (request->idempotency_key);
  call->timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
  call->repeat = request->repeat;
  g_task_set_task_data (task, call, (GDestroyNotify) call_free);

  send_call (task);
}

/* @lost: (out) (optional): after an error, whether the gateway may have acted on it all the
 * same. */
GwAnswer *
_gw_client_request_finish (GwClient *self,
                           GAsyncResult *result,
                           gboolean *lost,
                           GError **error)
{
  if (lost != NULL)
    {
      Call *call = g_task_get_task_data (G_TASK (result));

      *lost = call->lost;
    }

  return g_task_propagate_pointer (G_TASK (result), error);
}
