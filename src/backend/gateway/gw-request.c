/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request and its answer: what every handler uses.
 *
 * Bodies are not accumulated by libsoup (a refused one would stay in memory all the same) but here,
 * up to the route's limit; what is over it is counted and dropped. They become JSON on the parse
 * thread when they are large.
 *
 * Threading: the gateway's thread; only the convert function of a large body runs on the parse
 * thread, on the bytes alone. Guarantee: a held request is answered exactly once, or its client has
 * left.
 */
#define G_LOG_DOMAIN "gw-request"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-problem.h"
#include "gateway/gw-request.h"

#define FAULT_AGAIN_US (60 * G_USEC_PER_SEC)

typedef struct {
  GwRequest *request;     /* (owned) */
  GByteArray *body;       /* (owned) */
  GwRequestConvertFunc convert;
  gpointer data;
  GDestroyNotify free_data;
  GwRequestConvertedFunc func;
  gpointer result;
  GError *error;
} Conversion;

GwRequest *
gw_request_ref (GwRequest *self)
{
  self->ref_count++;

  return self;
}

static void
drop_body (GwRequest *self)
{
  if (self->body == NULL)
    return;

  self->gateway->body_bytes -= self->body->len;
  g_clear_pointer (&self->body, g_byte_array_unref);
}

void
gw_request_unref (GwRequest *self)
{
  if (--self->ref_count > 0)
    return;

  drop_body (self);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->capture, g_free);
  g_clear_pointer (&self->query, g_hash_table_unref);
  g_free (self);
}

/**
 * gw_request_hold:
 * @self: a request
 *
 * Keeps the answer back over an async call.
 *
 * Returns: (transfer full): @self, as user data of the call; its callback passes it to
 *   gw_request_release()
 */
GwRequest *
gw_request_hold (GwRequest *self)
{
  self->gateway->n_held++;
  if (!self->paused && self->message != NULL)
    {
      self->paused = TRUE;
      soup_server_message_pause (self->message);
      gw_http_listener_set_phase (self->gateway->listener, self->connection, GW_HTTP_PHASE_BUSY);
    }

  return gw_request_ref (self);
}

/**
 * gw_request_release:
 * @user_data: what gw_request_hold() gave
 *
 * Returns: (transfer full): the request, to be answered or held again
 */
GwRequest *
gw_request_release (gpointer user_data)
{
  GwRequest *self = user_data;

  self->gateway->n_held--;
  if (_gw_gateway_is_stopping (self->gateway))
    _gw_gateway_request_gone (self->gateway);

  return self;
}

/**
 * gw_request_is_over:
 * @self: a request
 *
 * Returns: whether nobody waits for its answer any more
 */
gboolean
gw_request_is_over (GwRequest *self)
{
  return self->message == NULL || self->responded;
}

/**
 * gw_request_get_query:
 * @self: a request
 * @name: of a query parameter
 *
 * Returns: (nullable): its value, decoded
 */
const char *
gw_request_get_query (GwRequest *self,
                      const char *name)
{
  return self->query != NULL ? g_hash_table_lookup (self->query, name) : NULL;
}

/**
 * gw_request_get_query_number:
 * @self: a request
 * @name: of a query parameter
 * @minimum: the least
 * @maximum: the most
 * @value: (inout): untouched where the parameter is absent
 * @error: return location
 *
 * Returns: FALSE with GW_ERROR_INVALID if it is there and no whole number in that range
 */
gboolean
gw_request_get_query_number (GwRequest *self,
                             const char *name,
                             guint64 minimum,
                             guint64 maximum,
                             guint64 *value,
                             GError **error)
{
  const char *text = gw_request_get_query (self, name);

  if (text == NULL)
    return TRUE;
  if (g_ascii_string_to_unsigned (text, 10, minimum, maximum, value, NULL))
    return TRUE;

  g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
               "%s: '%.40s' is not a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
               ". Correct it or leave it out.",
               name, text, minimum, maximum);

  return FALSE;
}

static void
conversion_free (Conversion *job)
{
  if (job->free_data != NULL)
    job->free_data (job->data);
  g_clear_pointer (&job->body, g_byte_array_unref);
  g_clear_error (&job->error);
  g_clear_pointer (&job->request, gw_request_unref);
  g_free (job);
}

/* Parse thread. */
static void
convert_elsewhere (gpointer data)
{
  Conversion *job = data;

  job->result = job->convert ((const char *) job->body->data, job->body->len, job->data,
                              &job->error);
}

static void
converted_elsewhere (gpointer data)
{
  Conversion *job = data;

  gw_request_release (job->request);
  drop_body (job->request);
  if (job->error != NULL)
    gw_request_fail (job->request, job->error);
  else
    job->func (job->request, job->result);
  conversion_free (job);
}

/**
 * gw_request_convert_body:
 * @self: a request with a body
 * @convert: makes plain data of it; NULL with an error fails the request
 * @data: (nullable): for @convert
 * @free_data: (nullable): for @data
 * @func: gets what @convert made
 */
void
gw_request_convert_body (GwRequest *self,
                         GwRequestConvertFunc convert,
                         gpointer data,
                         GDestroyNotify free_data,
                         GwRequestConvertedFunc func)
{
  if (self->body == NULL || self->body->len <= GW_HTTP_PARSE_ELSEWHERE)
    {
      g_autoptr (GError) error = NULL;
      const char *text = self->body != NULL ? (const char *) self->body->data : "";
      gpointer result = convert (text, self->body != NULL ? self->body->len : 0, data, &error);

      if (free_data != NULL)
        free_data (data);
      if (error != NULL)
        gw_request_fail (self, error);
      else
        func (self, result);
    }
  else
    {
      Conversion *job = g_new0 (Conversion, 1);

      job->request = gw_request_hold (self);
      job->body = g_byte_array_ref (self->body);
      job->convert = convert;
      job->data = data;
      job->free_data = free_data;
      job->func = func;
      gw_parse_thread_push (self->gateway->parser, convert_elsewhere, converted_elsewhere, job);
    }
}

static gpointer
convert_to_object (const char *body,
                   gsize length,
                   gpointer data,
                   GError **error)
{
  return gw_json_parse_object (body, length, error);
}

static void
object_converted (GwRequest *self,
                  gpointer result)
{
  g_autoptr (JsonObject) object = result;

  self->body_func (self, object);
}

/**
 * gw_request_read_body:
 * @self: a request
 * @required: whether it must have a body
 * @func: called with the body's object (borrowed), or NULL where there is no body
 */
void
gw_request_read_body (GwRequest *self,
                      gboolean required,
                      GwRequestBodyFunc func)
{
  if (self->body == NULL || self->body->len == 0)
    {
      if (required)
        gw_request_fail_with (self, GW_ERROR_NOT_JSON,
                              "The body is empty. Send a JSON object.");
      else
        func (self, NULL);
      return;
    }

  self->body_func = func;
  gw_request_convert_body (self, convert_to_object, NULL, NULL, object_converted);
}

static gboolean
begin_response (GwRequest *self)
{
  if (gw_request_is_over (self))
    return FALSE;

  self->responded = TRUE;
  gw_http_listener_set_phase (self->gateway->listener, self->connection, GW_HTTP_PHASE_WRITE);

  return TRUE;
}

static void
send_response (GwRequest *self)
{
  if (!self->paused)
    return;

  self->paused = FALSE;
  soup_server_message_unpause (self->message);
}

/**
 * gw_request_respond_text:
 * @self: a request
 * @status: HTTP status
 * @content_type: of the text
 * @text: (transfer full) (nullable): the body
 * @length: bytes
 */
void
gw_request_respond_text (GwRequest *self,
                         guint status,
                         const char *content_type,
                         char *text,
                         gsize length)
{
  if (!begin_response (self))
    {
      g_free (text);
      return;
    }

  soup_server_message_set_status (self->message, status, NULL);
  if (text != NULL)
    soup_server_message_set_response (self->message, content_type, SOUP_MEMORY_TAKE, text, length);
  send_response (self);
}

/**
 * gw_request_begin_stream:
 * @self: a request
 * @content_type: of the whole
 *
 * Status 200, and nothing of the body yet.
 */
void
gw_request_begin_stream (GwRequest *self,
                         const char *content_type)
{
  SoupMessageHeaders *headers;

  if (!begin_response (self))
    return;

  headers = soup_server_message_get_response_headers (self->message);
  soup_message_headers_set_content_type (headers, content_type, NULL);
  if (soup_server_message_get_http_version (self->message) == SOUP_HTTP_1_0)
    {
      soup_message_headers_set_encoding (headers, SOUP_ENCODING_EOF);
      soup_message_headers_replace (headers, "Connection", "close");
    }
  else
    {
      soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
    }
  /* What was written is forgotten. */
  soup_message_body_set_accumulate (soup_server_message_get_response_body (self->message), FALSE);
  soup_server_message_set_status (self->message, 200, NULL);
}

/**
 * gw_request_send_piece:
 * @self: a request whose stream was begun
 * @piece: (transfer full): text, maybe none
 * @last: whether it is the end
 */
void
gw_request_send_piece (GwRequest *self,
                       GString *piece,
                       gboolean last)
{
  gsize length = piece->len;
  char *text = g_string_free (piece, FALSE);
  SoupMessageBody *body;

  if (self->message == NULL)
    {
      g_free (text);
      return;
    }

  body = soup_server_message_get_response_body (self->message);
  if (length > 0)
    soup_message_body_append_take (body, (guchar *) text, length);
  else
    g_free (text);
  if (last)
    soup_message_body_complete (body);
  gw_http_listener_set_phase (self->gateway->listener, self->connection, GW_HTTP_PHASE_WRITE);
  send_response (self);
}

/**
 * gw_request_respond_object:
 * @self: a request
 * @status: HTTP status
 * @object: (transfer full): what to answer
 */
void
gw_request_respond_object (GwRequest *self,
                           guint status,
                           JsonObject *object)
{
  if (!gw_request_is_over (self))
    {
      gsize length = 0;
      char *text = gw_json_object_to_text (object, FALSE, &length);

      gw_request_respond_text (self, status, "application/json", text, length);
    }
  json_object_unref (object);
}

/**
 * gw_request_respond_changed:
 * @self: a request
 * @changed: how many
 *
 * Answers {"changed": n}.
 */
void
gw_request_respond_changed (GwRequest *self,
                            guint64 changed)
{
  char *text = g_strdup_printf ("{\"changed\":%" G_GUINT64_FORMAT "}", changed);

  gw_request_respond_text (self, 200, "application/json", text, strlen (text));
}

/* Whoever is refused tries again: the same fault is not logged with each of their requests. */
static gboolean
is_new_fault (GwGateway *gateway,
              const char *fault)
{
  gint64 now = g_get_monotonic_time ();

  if (g_strcmp0 (gateway->fault, fault) == 0 && now - gateway->fault_at < FAULT_AGAIN_US)
    return FALSE;
  g_free (gateway->fault);
  gateway->fault = g_strdup (fault);
  gateway->fault_at = now;

  return TRUE;
}

/**
 * gw_request_fail:
 * @self: a request
 * @error: what went wrong
 *
 * Answers with a problem.
 */
void
gw_request_fail (GwRequest *self,
                 const GError *error)
{
  g_autoptr (GwQueueTrouble) trouble = NULL;
  SoupMessageHeaders *headers;
  guint status, retry_after;
  gsize length = 0;
  char *text;

  if (gw_request_is_over (self))
    return;

  status = gw_problem_get_status (error);
  retry_after = gw_problem_get_retry_after (error);
  trouble = status >= 500 ? gw_queue_get_trouble (self->gateway->queue, NULL) : NULL;
  /* What ails the queue is said once, by the queue. */
  if (status >= 500 && trouble == NULL && !g_error_matches (error, GW_ERROR, GW_ERROR_STOPPING)
      && is_new_fault (self->gateway, error->message))
    g_warning ("%s %s: %s", soup_server_message_get_method (self->message),
               self->route != NULL ? self->route->path : "?", error->message);

  headers = soup_server_message_get_response_headers (self->message);
  if (retry_after > 0)
    {
      char seconds[16];

      g_snprintf (seconds, sizeof seconds, "%u", retry_after);
      soup_message_headers_replace (headers, "Retry-After", seconds);
    }
  text = gw_problem_to_json (error, &length);
  gw_request_respond_text (self, status, GW_PROBLEM_CONTENT_TYPE, text, length);
}

/**
 * gw_request_fail_with:
 * @self: a request
 * @code: what went wrong
 * @format: a sentence that says what to do
 */
void
gw_request_fail_with (GwRequest *self,
                      GwError code,
                      const char *format,
                      ...)
{
  g_autoptr (GError) error = NULL;
  va_list arguments;

  va_start (arguments, format);
  error = g_error_new_valist (GW_ERROR, code, format, arguments);
  va_end (arguments);
  gw_request_fail (self, error);
}
