/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP server: one thread with a main context of its own, in which everything of this folder
 * runs.
 *
 * A request passes, in this order: the guard (who may talk), the table of routes, the limits of its
 * body; all of that on its head, so that nothing of a refused body is kept. Then its handler, which
 * answers at once or holds it over one call to the queue.
 *
 * Threading: gw_gateway_start(), _refuse_work() and _stop() may come from any other thread.
 * Guarantees: nothing is routed that the guard has not passed; every held request is answered
 * before gw_gateway_stop() returns, or its client has left; after it there is no thread and no
 * port.
 */
#define G_LOG_DOMAIN "gw-gateway"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-problem.h"
#include "gateway/gw-router.h"

#define GW_OPEN_PATH "/health" /* needs no token */
#define STOP_REQUESTS_MS 2000 /* to write what is being answered */
#define STOP_CALLS_MS 10000   /* for calls that the queue still has */
#define MAX_BODIES (512 * 1024 * 1024)
#define MAX_DRAIN (256 * 1024 * 1024)
#define CLOSE_AFTER_REFUSED (1024 * 1024)

G_DEFINE_FINAL_TYPE (GwGateway, gw_gateway, G_TYPE_OBJECT)

/* What the starter waits for. */
typedef struct {
  GwGateway *gateway;
  GMutex mutex;
  GCond cond;
  gboolean done;
  GError *error;
} Start;

static G_DEFINE_QUARK (gw-request, request)

static void
gw_gateway_finalize (GObject *object)
{
  GwGateway *self = GW_GATEWAY (object);

  g_clear_object (&self->queue);
  g_clear_object (&self->catalogue);
  g_clear_pointer (&self->listen, g_free);
  g_clear_pointer (&self->token, g_free);
  g_clear_pointer (&self->host_kind, g_free);
  g_clear_pointer (&self->data_dir, g_free);
  g_clear_pointer (&self->uri, g_free);
  g_clear_pointer (&self->store, g_free);
  g_clear_pointer (&self->counts, g_hash_table_unref);
  g_clear_pointer (&self->tests, g_hash_table_unref);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->partials, gw_partials_unref);

  G_OBJECT_CLASS (gw_gateway_parent_class)->finalize (object);
}

static void
gw_gateway_dispose (GObject *object)
{
  gw_gateway_stop (GW_GATEWAY (object));

  G_OBJECT_CLASS (gw_gateway_parent_class)->dispose (object);
}

static void
gw_gateway_class_init (GwGatewayClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_gateway_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_gateway_finalize;
}

static void
gw_gateway_init (GwGateway *self)
{
  self->limits = GW_HTTP_LIMITS_DEFAULT;
  self->tests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) json_object_unref);
  self->counts = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

/**
 * gw_gateway_new:
 * @options: where to listen and whom to let in; copied
 * @queue: the queue
 * @catalogue: (nullable): the providers; NULL where there are none to show
 *
 * Returns: (transfer full): a gateway that does not listen yet
 */
GwGateway *
gw_gateway_new (const GwGatewayOptions *options,
                GwQueue *queue,
                GwCatalogue *catalogue)
{
  GwGateway *self;

  g_return_val_if_fail (options != NULL && GW_IS_QUEUE (queue), NULL);

  self = g_object_new (GW_TYPE_GATEWAY, NULL);
  self->queue = g_object_ref (queue);
  self->catalogue = catalogue != NULL ? g_object_ref (catalogue) : NULL;
  self->listen = g_strdup (options->listen != NULL ? options->listen : "127.0.0.1");
  self->port = options->port;
  self->port_fallback = options->port_fallback;
  self->token = options->token != NULL && options->token[0] != '\0' ? g_strdup (options->token)
                                                                    : NULL;
  self->allow_other_users = options->allow_other_users;
  self->host_kind = g_strdup (options->host_kind != NULL ? options->host_kind : "daemon");
  self->data_dir = g_strdup (options->data_dir);

  return self;
}

void
gw_gateway_set_settings (GwGateway *self,
                         GwLiveSettings *settings)
{
  g_set_object (&self->settings, settings);
}

void
gw_gateway_set_partials (GwGateway *self,
                         GwPartials *partials)
{
  g_return_if_fail (self->partials == NULL && self->thread == NULL);

  self->partials = gw_partials_ref (partials);
}

void
_gw_gateway_set_limits (GwGateway *self,
                        const GwHttpLimits *limits)
{
  self->limits = *limits;
}

gboolean
_gw_gateway_is_stopping (GwGateway *self)
{
  return g_atomic_int_get (&self->stopping);
}

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
static void
early_cb (SoupServer *server,
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
static void
handler_cb (SoupServer *server,
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

static void
request_started_cb (SoupServer *server,
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
static void
request_over_cb (SoupServer *server,
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

/* Listens on @address; @port is tried, and a free one where that is allowed. */
static gboolean
listen_on (GwGateway *self,
           GInetAddress *address,
           guint16 *port,
           GError **error)
{
  g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new (address, *port);
  g_autoptr (GError) local_error = NULL;
  g_autofree char *text = g_inet_address_to_string (address);

  if (gw_http_listener_add (self->listener, socket_address, port, &local_error))
    return TRUE;

  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    {
      if (self->port_fallback && *port != 0)
        {
          *port = 0;
          return listen_on (self, address, port, error);
        }
      g_set_error (error, GW_ERROR, GW_ERROR_PORT_TAKEN,
                   "Port %u of %s is taken by another program. Stop that program, or choose "
                   "another port with --port or in [gateway] of gangway.conf.",
                   *port, text);
    }
  else
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Cannot listen on %s, port %u: %s. Choose an address of this machine and a port "
                   "that this user may open.",
                   text, *port, local_error->message);
    }

  return FALSE;
}

static gboolean
bind_address (GwGateway *self,
              GError **error)
{
  g_autofree char *plain = NULL;
  g_autoptr (GInetAddress) address = NULL;
  guint16 port = self->port;
  gboolean is_localhost = g_ascii_strcasecmp (self->listen, "localhost") == 0;
  gsize length = strlen (self->listen);

  if (is_localhost)
    plain = g_strdup ("127.0.0.1");
  else if (length > 2 && self->listen[0] == '[' && self->listen[length - 1] == ']')
    plain = g_strndup (self->listen + 1, length - 2);
  else
    plain = g_strdup (self->listen);

  address = g_inet_address_new_from_string (plain);
  if (address == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "'%s' is no address to listen on. Give an IP address, as 127.0.0.1, or "
                   "localhost.",
                   self->listen);
      return FALSE;
    }
  self->guard.loopback = gw_peer_address_is_loopback (address);
  self->guard.token = self->token;
  if (!self->guard.loopback && self->token == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_CONFIG,
                   "Listening on %s lets other machines in, which needs a token. Name a file that "
                   "holds one as token-file in [gateway] of gangway.conf, or set GANGWAY_TOKEN.",
                   plain);
      return FALSE;
    }
  if (!listen_on (self, address, &port, error))
    return FALSE;

  if (is_localhost)
    {
      g_autoptr (GInetAddress) six = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV6);
      g_autoptr (GSocketAddress) six_address = g_inet_socket_address_new (six, port);
      g_autoptr (GError) local_error = NULL;
      guint16 six_port = 0;

      if (!gw_http_listener_add (self->listener, six_address, &six_port, &local_error))
        g_info ("Not listening on [::1]:%u: %s", port, local_error->message);
    }
  self->uri = g_strdup_printf (strchr (plain, ':') != NULL ? "http://[%s]:%u" : "http://%s:%u",
                               plain, port);

  return TRUE;
}

static void
choose_guard (GwGateway *self)
{
  g_autoptr (GError) error = NULL;

  if (!self->guard.loopback)
    {
      self->guard_text = "token";
    }
  else if (self->allow_other_users)
    {
      self->guard_text = self->token != NULL ? "token"
                                             : "none: every user of this machine may connect";
    }
  else if ((self->asker = gw_peer_asker_new (&error)) != NULL)
    {
      gw_http_listener_set_asker (self->listener, self->asker);
      self->guard_text = self->token != NULL ? "same user and token" : "same user";
    }
  else if (self->token != NULL)
    {
      self->guard_text = "token";
    }
  else
    {
      g_warning ("%s: other users of this machine could send tasks. Set a token (token-file in "
                 "[gateway]) to keep them out.",
                 error->message);
      self->guard_text = "none: the kernel does not tell whose a connection is";
    }
  g_info ("Listening on %s; guard: %s", self->uri, self->guard_text);
}

static gboolean
start_serving (GwGateway *self,
               GError **error)
{
  self->server = soup_server_new ("raw-paths", TRUE, NULL);
  self->listener = gw_http_listener_new (self->server, &self->limits);
  self->parser = gw_parse_thread_new ();
  if (!bind_address (self, error))
    return FALSE;

  choose_guard (self);
  soup_server_add_early_handler (self->server, "/", early_cb, self, NULL);
  soup_server_add_handler (self->server, "/", handler_cb, self, NULL);
  g_signal_connect (self->server, "request-started", G_CALLBACK (request_started_cb), self);
  g_signal_connect (self->server, "request-finished", G_CALLBACK (request_over_cb), self);
  g_signal_connect (self->server, "request-aborted", G_CALLBACK (request_over_cb), self);
  self->feed = gw_feed_new (self->queue);
  self->started_at = g_get_monotonic_time ();

  return gw_http_listener_start (self->listener, error);
}

static void
end_serving (GwGateway *self)
{
  gw_http_listener_stop (self->listener);
  soup_server_disconnect (self->server);
  g_clear_pointer (&self->feed, gw_feed_free);
  g_clear_pointer (&self->parser, gw_parse_thread_free);
  /* What the closing of connections has queued. */
  for (guint i = 0; i < 1000 && g_main_context_iteration (self->context, FALSE); i++)
    ;
  g_clear_pointer (&self->listener, gw_http_listener_free);
  g_clear_object (&self->server);
  g_clear_pointer (&self->asker, gw_peer_asker_free);
}

static gpointer
gateway_thread (gpointer data)
{
  Start *start = data;
  GwGateway *self = start->gateway;
  GError *error = NULL;
  gboolean serving;

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  g_main_context_push_thread_default (self->context);
  serving = start_serving (self, &error);
  if (!serving)
    end_serving (self);

  g_mutex_lock (&start->mutex);
  start->error = error;
  start->done = TRUE;
  g_cond_signal (&start->cond);
  g_mutex_unlock (&start->mutex);

  if (serving)
    {
      g_main_loop_run (self->loop);
      end_serving (self);
    }
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

/**
 * gw_gateway_start:
 * @self: a gateway that was not started
 * @error: return location
 *
 * Starts the thread and waits until it listens.
 *
 * Returns: FALSE with GW_ERROR_PORT_TAKEN or GW_ERROR_CONFIG
 */
gboolean
gw_gateway_start (GwGateway *self,
                  GError **error)
{
  Start start = { .gateway = self };

  g_return_val_if_fail (GW_IS_GATEWAY (self) && self->thread == NULL, FALSE);

  g_mutex_init (&start.mutex);
  g_cond_init (&start.cond);
  self->thread = g_thread_new ("gw-gateway", gateway_thread, &start);
  g_mutex_lock (&start.mutex);
  while (!start.done)
    g_cond_wait (&start.cond, &start.mutex);
  g_mutex_unlock (&start.mutex);
  g_mutex_clear (&start.mutex);
  g_cond_clear (&start.cond);

  if (start.error != NULL)
    {
      g_thread_join (g_steal_pointer (&self->thread));
      g_clear_pointer (&self->loop, g_main_loop_unref);
      g_clear_pointer (&self->context, g_main_context_unref);
      if (start.error->domain != GW_ERROR)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INTERNAL, "The gateway could not start: %s",
                       start.error->message);
          g_error_free (start.error);
        }
      else
        {
          g_propagate_error (error, start.error);
        }
      return FALSE;
    }

  return TRUE;
}

/**
 * gw_gateway_get_uri:
 * @self: a gateway
 *
 * Returns: (transfer none) (nullable): http://ADDRESS:PORT; NULL before it was started
 */
const char *
gw_gateway_get_uri (GwGateway *self)
{
  g_return_val_if_fail (GW_IS_GATEWAY (self), NULL);

  return self->uri;
}

/**
 * gw_gateway_refuse_work:
 * @self: a gateway
 *
 * New work is answered 503 "stopping" from now on; all else is served. Any thread.
 */
void
gw_gateway_refuse_work (GwGateway *self)
{
  g_return_if_fail (GW_IS_GATEWAY (self));

  g_atomic_int_set (&self->refuses_work, TRUE);
}

static gboolean
stop_timer_cb (gpointer user_data)
{
  _gw_gateway_request_gone (user_data);

  return G_SOURCE_CONTINUE;
}

/* One thing less to wait for while stopping. */
void
_gw_gateway_request_gone (GwGateway *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 late = now - self->stop_deadline;

  if (self->stop_deadline == 0 || !g_main_loop_is_running (self->loop))
    return;

  if (self->n_held == 0 && (self->n_requests == 0 || late >= 0))
    {
      g_main_loop_quit (self->loop);
    }
  else if (late >= (STOP_CALLS_MS - STOP_REQUESTS_MS) * 1000)
    {
      g_warning ("The queue has not answered %u calls; stopping without them", self->n_held);
      g_main_loop_quit (self->loop);
    }
}

static gboolean
stop_cb (gpointer user_data)
{
  GwGateway *self = user_data;

  self->stop_deadline = g_get_monotonic_time () + STOP_REQUESTS_MS * 1000;
  gw_http_listener_stop (self->listener);
  gw_feed_stop (self->feed);
  self->stop_timer = g_timeout_source_new (20);
  g_source_set_callback (self->stop_timer, stop_timer_cb, self, NULL);
  g_source_attach (self->stop_timer, self->context);
  _gw_gateway_request_gone (self);

  return G_SOURCE_REMOVE;
}

/**
 * gw_gateway_stop:
 * @self: a gateway; one that was not started, or is stopped, is left as it is
 *
 * Closes the port, answers every waiting request, ends the thread and waits for it. From another
 * thread than the gateway's; only one at a time.
 */
void
gw_gateway_stop (GwGateway *self)
{
  g_autoptr (GSource) source = NULL;

  g_return_if_fail (GW_IS_GATEWAY (self));

  if (self->thread == NULL)
    return;
  g_return_if_fail (self->thread != g_thread_self ());

  g_atomic_int_set (&self->refuses_work, TRUE);
  g_atomic_int_set (&self->stopping, TRUE);
  /* Not g_main_context_invoke(): it could run right here, while the loop is not running yet. */
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, stop_cb, self, NULL);
  g_source_attach (source, self->context);
  g_thread_join (g_steal_pointer (&self->thread));
  if (self->stop_timer != NULL)
    {
      g_source_destroy (self->stop_timer);
      g_clear_pointer (&self->stop_timer, g_source_unref);
    }
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
}
