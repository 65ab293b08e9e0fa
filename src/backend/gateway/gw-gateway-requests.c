/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every request passes, from its head to its end: the guard, the table of routes, the limits
 * of its body, the count. Threading: the gateway's thread. Guarantee: nothing is routed that the
 * guard has not passed. */
#define G_LOG_DOMAIN "gw-gateway"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-problem.h"
#include "gateway/gw-router.h"

#define GW_OPEN_PATH "/health" /* needs no token */
#define MAX_BODIES (512 * 1024 * 1024)
#define MAX_DRAIN (256 * 1024 * 1024)
#define CLOSE_AFTER_REFUSED (1024 * 1024)

static G_DEFINE_QUARK (gw-request, request)

/* The message is over, answered or not; its request may live on in a call to the queue. */
static void
end_request (GwRequest *request)
{
  GwGateway *self = request->gateway;

  if (request->message == NULL)
    return;

  request->message = NULL;
  self->n_requests--;
  if (_gw_gateway_is_stopping (self))
    _gw_gateway_request_gone (self);
}

static void
message_freed (gpointer data)
{
  GwRequest *request = data;

  end_request (request);
  gw_request_unref (request);
}

static void
judge (GwRequest *request,
       const char *path,
       GwGuardRequest *question)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (request->message);
  GUri *uri = soup_server_message_get_uri (request->message);

  question->host = soup_message_headers_get_list (headers, "Host");
  question->uri_host = g_uri_get_host (uri);
  question->origin = soup_message_headers_get_list (headers, "Origin");
  question->fetch_site = soup_message_headers_get_list (headers, "Sec-Fetch-Site");
  question->authorization = soup_message_headers_get_list (headers, "Authorization");
  question->foreign = gw_http_connection_get_foreign (request->connection);
  question->needs_token = strcmp (path, GW_OPEN_PATH) != 0;
}

/* Two ways to say where a body ends are an attempt to smuggle. */
static gboolean
check_framing (GwRequest *request)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (request->message);
  const char *length = soup_message_headers_get_list (headers, "Content-Length");
  const char *coding = soup_message_headers_get_list (headers, "Transfer-Encoding");

  if (length != NULL
      && (coding != NULL || length[0] == '\0'
          || strspn (length, "0123456789") != strlen (length)))
    return FALSE;

  return coding == NULL
         || (g_ascii_strcasecmp (coding, "chunked") == 0
             && soup_server_message_get_http_version (request->message) != SOUP_HTTP_1_0);
}

static void
close_after (GwRequest *request)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (request->message),
                                "Connection", "close");
}

/* Answers at once, where libsoup would first wait for the rest of a body that nobody wants. */
static void
fail_early (GwRequest *request,
            const GError *error)
{
  gsize length = 0;
  g_autofree char *text = gw_problem_to_json (error, &length);

  gw_http_connection_answer_early (request->connection, gw_problem_get_status (error),
                                   GW_PROBLEM_CONTENT_TYPE, text, length);
}

static void
refuse_framing (GwRequest *request)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (request->message);
  g_autoptr (GError) error = NULL;

  error = g_error_new_literal (GW_ERROR, GW_ERROR_NOT_JSON,
                               "The request does not say in one clear way where its body ends. "
                               "Send one Content-Length, or Transfer-Encoding: chunked.");
  close_after (request);
  if (soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH
      && soup_message_headers_get_content_length (headers) < 0)
    {
      g_autoptr (GIOStream) stream = NULL;

      /* libsoup would read a body of negative length. It gets none. */
      fail_early (request, error);
      request->responded = TRUE;
      stream = soup_server_message_steal_connection (request->message);
      if (stream != NULL)
        g_io_stream_close (stream, NULL, NULL);
      gw_http_connection_cut (request->connection);
    }
  else
    {
      gw_request_fail (request, error);
    }
}

static void
fail_too_large (GwRequest *request)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (request->message);
  g_autoptr (GError) error = NULL;

  request->keeps_body = FALSE;
  error = g_error_new (GW_ERROR, GW_ERROR_TOO_LARGE,
                       "The body is over %" G_GSIZE_FORMAT " MiB. Send it in several parts%s.",
                       request->body_limit / (1024 * 1024),
                       request->body_limit == GW_HTTP_MAX_BATCH ? "" : ", or use /tasks/batch");
  close_after (request);
  /* Who waits to be told to go on is answered by libsoup at once. */
  if ((soup_message_headers_get_expectations (headers) & SOUP_EXPECTATION_CONTINUE) == 0)
    fail_early (request, error);
  gw_request_fail (request, error);
}

static void
got_chunk_cb (SoupServerMessage *message,
              GBytes *chunk,
              gpointer user_data)
{
  GwRequest *request = user_data;
  GwGateway *self = request->gateway;
  gsize size = g_bytes_get_size (chunk);

  request->body_seen += size;
  gw_http_listener_set_phase (self->listener, request->connection, GW_HTTP_PHASE_BODY);
  if (request->keeps_body && request->body_seen > request->body_limit)
    {
      if (request->body != NULL)
        {
          self->body_bytes -= request->body->len;
          g_clear_pointer (&request->body, g_byte_array_unref);
        }
      fail_too_large (request);
    }
  if (!request->keeps_body)
    {
      /* It is read so that the client gets to see why; not for ever. */
      if (request->body_seen > request->body_limit + MAX_DRAIN)
        gw_http_connection_cut (request->connection);
      return;
    }

  if (self->body_bytes + size > MAX_BODIES)
    {
      request->keeps_body = FALSE;
      close_after (request);
      gw_request_fail_with (request, GW_ERROR_UNAVAILABLE,
                            "Too many large bodies come in at once. Send this one again in a "
                            "moment.");
      return;
    }
  if (request->body == NULL)
    request->body = g_byte_array_sized_new (size);
  g_byte_array_append (request->body, g_bytes_get_data (chunk, NULL), size);
  self->body_bytes += size;
}

static gboolean
is_json_type (const char *type)
{
  gsize length = strlen ("application/json");

  return type != NULL && g_ascii_strncasecmp (type, "application/json", length) == 0
         && (type[length] == '\0' || type[length] == ';' || type[length] == ' ');
}

/* What the head says of the body; fails the request where it cannot be taken. */
static void
prepare_body (GwRequest *request)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (request->message);
  gboolean chunked = soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CHUNKED;
  goffset length = chunked ? 0 : soup_message_headers_get_content_length (headers);
  const char *coding = soup_message_headers_get_list (headers, "Content-Encoding");
  gboolean takes_body = request->route != NULL && (request->route->flags & GW_ROUTE_BODY);

  if ((!chunked && length == 0) || g_io_stream_is_closed (G_IO_STREAM (request->connection)))
    return;

  soup_message_body_set_accumulate (soup_server_message_get_request_body (request->message), FALSE);
  g_signal_connect (request->message, "got-chunk", G_CALLBACK (got_chunk_cb), request);
  request->body_limit = takes_body && (request->route->flags & GW_ROUTE_LARGE) ? GW_HTTP_MAX_BATCH
                                                                               : GW_HTTP_MAX_BODY;
  gw_http_listener_set_phase (request->gateway->listener, request->connection, GW_HTTP_PHASE_BODY);
  if (request->responded)
    {
      /* Refused already. Where the rest is long, the connection is not worth waiting for. */
      if (chunked || length > CLOSE_AFTER_REFUSED
          || (soup_message_headers_get_expectations (headers) & SOUP_EXPECTATION_CONTINUE))
        close_after (request);
      return;
    }

  if (length > 0 && (guint64) length > request->body_limit)
    {
      fail_too_large (request);
    }
  else if (takes_body
           && (!is_json_type (soup_message_headers_get_list (headers, "Content-Type"))
               || (coding != NULL && g_ascii_strcasecmp (coding, "identity") != 0)))
    {
      close_after (request);
      gw_request_fail_with (request, GW_ERROR_UNSUPPORTED_TYPE,
                            "Send the body as JSON, uncompressed, with the header "
                            "'Content-Type: application/json'.");
    }
  else
    {
      request->keeps_body = takes_body;
    }
}

static void
answer_options (GwRequest *request,
                const char *allow)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (request->message),
                                "Allow", allow);
  gw_request_respond_text (request, 204, NULL, NULL, 0);
}

/* Finds the route, or answers that there is none. */
static void
choose_route (GwRequest *request,
              const GwRouteMatch *match,
              const char *method)
{
  GwGateway *self = request->gateway;
  const char *path = g_uri_get_path (soup_server_message_get_uri (request->message));

  if (match->route == NULL && match->allow == NULL)
    {
      gw_request_fail_with (request, GW_ERROR_NOT_FOUND,
                            "There is nothing at '%.100s'. docs/api.md lists the calls.", path);
    }
  else if (strcmp (method, "OPTIONS") == 0)
    {
      answer_options (request, match->allow);
    }
  else if (match->route == NULL)
    {
      soup_message_headers_replace (soup_server_message_get_response_headers (request->message),
                                    "Allow", match->allow);
      gw_request_fail_with (request, GW_ERROR_METHOD_NOT_ALLOWED,
                            "'%.100s' does not take %.20s. It takes: %s.", path, method,
                            match->allow);
    }
  else if ((match->route->flags & GW_ROUTE_LOCAL)
           && !gw_http_connection_get_loopback (request->connection))
    {
      gw_request_fail_with (request, GW_ERROR_FORBIDDEN,
                            "This is changed only from the machine that the gateway runs on.");
    }
  else if ((match->route->flags & GW_ROUTE_WORK) && g_atomic_int_get (&self->refuses_work))
    {
      gw_request_fail_with (request, GW_ERROR_STOPPING,
                            "The gateway is stopping and takes no new work. Send this again when "
                            "it runs again.");
    }
}

/* The head of a request is there. */
void
_gw_gateway_early_cb (SoupServer *server,
                      SoupServerMessage *message,
                      const char *path,
                      GHashTable *query,
                      gpointer user_data)
{
  GwGateway *self = user_data;
  GwHttpConnection *connection = gw_http_connection_from_message (message);
  const char *method = soup_server_message_get_method (message);
  g_auto (GwRouteMatch) match = { 0 };
  g_autoptr (GError) error = NULL;
  GwGuardRequest question;
  GwRequest *request;

  request = g_new0 (GwRequest, 1);
  request->ref_count = 1;
  request->gateway = self;
  request->message = message;
  request->connection = g_object_ref (connection);
  request->query = query != NULL ? g_hash_table_ref (query) : NULL;
  request->began = g_get_monotonic_time ();
  self->n_requests++;
  g_object_set_qdata_full (G_OBJECT (message), request_quark (), request, message_freed);

  judge (request, path, &question);
  if (!gw_guard_check (&self->guard, &question, &error))
    {
      gw_request_fail (request, error);
    }
  else if (!check_framing (request))
    {
      refuse_framing (request);
    }
  else
    {
      gw_router_match (method, path, &match);
      request->route = match.route;
      request->capture = g_steal_pointer (&match.capture);
      choose_route (request, &match, method);
    }
  prepare_body (request);
}

/* The whole request is there, and nothing was answered yet. */
void
_gw_gateway_handler_cb (SoupServer *server,
                        SoupServerMessage *message,
                        const char *path,
                        GHashTable *query,
                        gpointer user_data)
{
  GwRequest *request = g_object_get_qdata (G_OBJECT (message), request_quark ());

  if (request == NULL || request->responded || request->route == NULL)
    return;

  gw_http_listener_set_phase (request->gateway->listener, request->connection,
                              GW_HTTP_PHASE_BUSY);
  gw_request_ref (request);
  request->route->func (request);
  gw_request_unref (request);
}

void
_gw_gateway_request_started_cb (SoupServer *server,
                                SoupServerMessage *message,
                                gpointer user_data)
{
  GwGateway *self = user_data;
  GwHttpConnection *connection = gw_http_connection_from_message (message);

  gw_http_connection_begin_request (connection);
  gw_http_listener_set_phase (self->listener, connection, GW_HTTP_PHASE_HEAD);
}

static void
count_request (GwGateway *self,
               GwRequest *request,
               guint status)
{
  guint n_routes;
  const GwRoute *table = gw_router_get_table (&n_routes);
  guint index = request->route != NULL ? (guint) (request->route - table) : n_routes;
  gpointer key = GUINT_TO_POINTER (index << 16 | (status & 0xffff));
  guint64 *count = g_hash_table_lookup (self->counts, key);

  if (count == NULL)
    {
      count = g_new0 (guint64, 1);
      g_hash_table_insert (self->counts, key, count);
    }
  (*count)++;
  if (request->route == NULL || request->route->func != gw_route_get_feed)
    {
      self->duration_us += g_get_monotonic_time () - request->began;
      self->n_timed++;
    }
}

/* Answered, or given up half-way. */
void
_gw_gateway_request_over_cb (SoupServer *server,
                             SoupServerMessage *message,
                             gpointer user_data)
{
  GwGateway *self = user_data;
  GwHttpConnection *connection = gw_http_connection_from_message (message);
  GwRequest *request = g_object_get_qdata (G_OBJECT (message), request_quark ());

  gw_http_connection_end_request (connection);
  gw_http_listener_set_phase (self->listener, connection, GW_HTTP_PHASE_IDLE);
  if (request != NULL)
    {
      /* Without an answer the client has left: libsoup calls that 500, others 499. */
      count_request (self, request,
                     request->responded ? soup_server_message_get_status (message) : 499);
      end_request (request);
    }
}
