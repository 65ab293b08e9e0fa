/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One accepted TCP connection, as SoupServer is given it.
 *
 * libsoup before 3.3 lets go of a connection only at the end of a request: one that its client
 * closes or resets while it is kept alive stays for ever, with its descriptor, and one that
 * libsoup's own listener accepted leaves a GSocket behind besides. So the listener is ours
 * (gw-http-listener.c), and what SoupServer reads from is the input stream below: where a client
 * leaves between two requests, it yields one last request, which libsoup answers with 400 and after
 * which it closes.
 *
 * That last request must never be taken for the rest of a true one. Of a request that was cut off,
 * the head or the body may still lie in libsoup's buffer, unknown to us. Hence: the end of the
 * stream is first answered with "would block", upon which libsoup announces a request whose first
 * line it has (request-started); during a request the end is told as it is, which libsoup handles.
 * And the last request is malformed, so that even half a first line before it makes nothing that
 * could be carried out.
 *
 * Threading: belongs to the thread that serves it. Guarantee: a connection whose client has left is
 * closed and freed, whatever it was at.
 */
#define G_LOG_DOMAIN "gw-http-connection"

#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "gateway/gw-http-connection.h"
#include "gateway/gw-peer.h"

/* Fixed upstream by then; SoupServer sees the end of the stream itself. */
#define NEEDS_LAST_REQUEST (!SOUP_CHECK_VERSION (3, 3, 0))

static const char last_request[] = " \001\r\n\r\n";

#define GW_TYPE_HTTP_INPUT (gw_http_input_get_type ())
G_DECLARE_FINAL_TYPE (GwHttpInput, gw_http_input, GW, HTTP_INPUT, GInputStream)

struct _GwHttpInput {
  GInputStream parent_instance;

  GSocket *socket;          /* (owned) */
  gboolean in_request;      /* SoupServer has announced a request that has not ended */
  gboolean ended;           /* the client has left, or we have hung up */
  gboolean last_announced;  /* "would block" has been said at the end */
  gsize last_given;         /* bytes of last_request that were read */
};

struct _GwHttpConnection {
  GIOStream parent_instance;

  /* Owned */
  GSocketConnection *connection;
  GwHttpInput *input;

  /* Borrowed from the listener */
  GFunc closed;
  gpointer closed_data;

  GList link;               /* in the queue of its phase */
  GwHttpPlace place;        /* the listener's */
  gboolean loopback;        /* the peer's address */
  gboolean foreign;         /* the peer is a process of another user */
};

static void gw_http_input_pollable_init (GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwHttpInput, gw_http_input, G_TYPE_INPUT_STREAM,
    G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, gw_http_input_pollable_init))
G_DEFINE_FINAL_TYPE (GwHttpConnection, gw_http_connection, G_TYPE_IO_STREAM)

static G_DEFINE_QUARK (gw-http-connection, connection)

/* What is read once the client has left. */
static gssize
read_after_end (GwHttpInput *self,
                void *buffer,
                gsize count,
                GError **error)
{
  gsize left;

  if (!NEEDS_LAST_REQUEST || self->in_request)
    return 0;
  if (!self->last_announced)
    {
      self->last_announced = TRUE;
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "No data yet");
      return -1;
    }

  left = MIN (count, sizeof last_request - 1 - self->last_given);
  memcpy (buffer, last_request + self->last_given, left);
  self->last_given += left;

  return left;
}

static gssize
gw_http_input_read_nonblocking (GPollableInputStream *stream,
                                void *buffer,
                                gsize count,
                                GError **error)
{
  GwHttpInput *self = GW_HTTP_INPUT (stream);
  g_autoptr (GError) local_error = NULL;
  gssize n_read;

  if (!self->ended)
    {
      n_read = g_socket_receive_with_blocking (self->socket, buffer, count, FALSE, NULL,
                                               &local_error);
      if (n_read > 0)
        return n_read;
      if (n_read < 0 && g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return -1;
        }
      /* A reset is an end as well. */
      self->ended = TRUE;
    }

  return read_after_end (self, buffer, count, error);
}

static gboolean
gw_http_input_is_readable (GPollableInputStream *stream)
{
  GwHttpInput *self = GW_HTTP_INPUT (stream);

  return self->ended || (g_socket_condition_check (self->socket, G_IO_IN) & G_IO_IN) != 0;
}

/* The descriptor is the source's own, not a child source's, and the source may recurse (nothing
 * runs the loop within it): libsoup puts more sources around this one, and around the dispatch of
 * each that may not recurse GLib takes the descriptor out of its poll and puts it back, a system
 * call each. */
static GSource *
gw_http_input_create_source (GPollableInputStream *stream,
                             GCancellable *cancellable)
{
  GwHttpInput *self = GW_HTTP_INPUT (stream);
  GSource *source = g_pollable_source_new_full (stream, NULL, cancellable);

  if (self->ended)
    g_source_set_ready_time (source, 0);
  else
    g_source_add_unix_fd (source, g_socket_get_fd (self->socket), G_IO_IN | G_IO_HUP | G_IO_ERR);
  g_source_set_can_recurse (source, TRUE);

  return source;
}

static gssize
gw_http_input_read (GInputStream *stream,
                    void *buffer,
                    gsize count,
                    GCancellable *cancellable,
                    GError **error)
{
  GwHttpInput *self = GW_HTTP_INPUT (stream);

  if (!self->ended)
    return g_socket_receive_with_blocking (self->socket, buffer, count, TRUE, cancellable, error);

  return 0;
}

static void
gw_http_input_finalize (GObject *object)
{
  GwHttpInput *self = GW_HTTP_INPUT (object);

  g_clear_object (&self->socket);

  G_OBJECT_CLASS (gw_http_input_parent_class)->finalize (object);
}

static void
gw_http_input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = gw_http_input_is_readable;
  iface->create_source = gw_http_input_create_source;
  iface->read_nonblocking = gw_http_input_read_nonblocking;
}

static void
gw_http_input_class_init (GwHttpInputClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gw_http_input_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = gw_http_input_read;
}

static void
gw_http_input_init (GwHttpInput *self)
{
}

static GInputStream *
gw_http_connection_get_input_stream (GIOStream *stream)
{
  return G_INPUT_STREAM (GW_HTTP_CONNECTION (stream)->input);
}

static GOutputStream *
gw_http_connection_get_output_stream (GIOStream *stream)
{
  return g_io_stream_get_output_stream (G_IO_STREAM (GW_HTTP_CONNECTION (stream)->connection));
}

static void
report_closed (GwHttpConnection *self)
{
  GFunc closed = g_steal_pointer (&self->closed);

  if (closed != NULL)
    closed (self, self->closed_data);
}

static gboolean
gw_http_connection_close (GIOStream *stream,
                          GCancellable *cancellable,
                          GError **error)
{
  GwHttpConnection *self = GW_HTTP_CONNECTION (stream);

  self->input->ended = TRUE;
  report_closed (self);

  return g_io_stream_close (G_IO_STREAM (self->connection), cancellable, error);
}

static void
gw_http_connection_finalize (GObject *object)
{
  GwHttpConnection *self = GW_HTTP_CONNECTION (object);

  report_closed (self);
  g_clear_object (&self->input);
  g_clear_object (&self->connection);

  G_OBJECT_CLASS (gw_http_connection_parent_class)->finalize (object);
}

static void
gw_http_connection_class_init (GwHttpConnectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gw_http_connection_finalize;
  G_IO_STREAM_CLASS (klass)->get_input_stream = gw_http_connection_get_input_stream;
  G_IO_STREAM_CLASS (klass)->get_output_stream = gw_http_connection_get_output_stream;
  G_IO_STREAM_CLASS (klass)->close_fn = gw_http_connection_close;
}

static void
gw_http_connection_init (GwHttpConnection *self)
{
  self->link.data = self;
}

/**
 * gw_http_connection_new:
 * @connection: an accepted connection
 *
 * Returns: (transfer full): the stream to serve it by
 */
GwHttpConnection *
gw_http_connection_new (GSocketConnection *connection)
{
  GwHttpConnection *self;
  GSocket *socket;

  g_return_val_if_fail (G_IS_SOCKET_CONNECTION (connection), NULL);

  socket = g_socket_connection_get_socket (connection);
  /* Answers are written whole; waiting for more costs 40 ms each. */
  g_socket_set_option (socket, IPPROTO_TCP, 1 /* TCP_NODELAY */, TRUE, NULL);
  self = g_object_new (GW_TYPE_HTTP_CONNECTION, NULL);
  self->connection = g_object_ref (connection);
  self->input = g_object_new (GW_TYPE_HTTP_INPUT, NULL);
  self->input->socket = g_object_ref (socket);

  return self;
}

/**
 * gw_http_connection_serve:
 * @self: a connection, not served yet
 * @server: who takes it
 * @error: return location
 *
 * Hands the connection to @server, in the calling thread's default context.
 *
 * Returns: FALSE if the client has left already
 */
gboolean
gw_http_connection_serve (GwHttpConnection *self,
                          SoupServer *server,
                          GError **error)
{
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocketAddress) remote = NULL;

  g_return_val_if_fail (GW_IS_HTTP_CONNECTION (self), FALSE);

  local = g_socket_connection_get_local_address (self->connection, error);
  if (local == NULL)
    return FALSE;
  remote = g_socket_connection_get_remote_address (self->connection, error);
  if (remote == NULL)
    return FALSE;

  self->loopback = gw_peer_is_loopback (remote);
  /* A message of SoupServer has this very object: the way from it back to its connection. */
  g_object_set_qdata_full (G_OBJECT (remote), connection_quark (), g_object_ref (self),
                           g_object_unref);

  return soup_server_accept_iostream (server, G_IO_STREAM (self), local, remote, error);
}

/**
 * gw_http_connection_from_message:
 * @message: a message of the server
 *
 * Returns: (transfer none) (nullable): the connection that it came over
 */
GwHttpConnection *
gw_http_connection_from_message (SoupServerMessage *message)
{
  GSocketAddress *remote = soup_server_message_get_remote_address (message);

  return remote != NULL ? g_object_get_qdata (G_OBJECT (remote), connection_quark ()) : NULL;
}

/**
 * gw_http_connection_get_socket:
 * @self: a connection
 *
 * Returns: (transfer none): its socket
 */
GSocket *
gw_http_connection_get_socket (GwHttpConnection *self)
{
  g_return_val_if_fail (GW_IS_HTTP_CONNECTION (self), NULL);

  return self->input->socket;
}

/**
 * gw_http_connection_begin_request:
 * @self: a connection
 *
 * SoupServer has begun to read a request.
 */
void
gw_http_connection_begin_request (GwHttpConnection *self)
{
  g_return_if_fail (GW_IS_HTTP_CONNECTION (self));

  self->input->in_request = TRUE;
}

/**
 * gw_http_connection_end_request:
 * @self: a connection
 *
 * SoupServer has answered the request, or has given it up.
 */
void
gw_http_connection_end_request (GwHttpConnection *self)
{
  g_return_if_fail (GW_IS_HTTP_CONNECTION (self));

  self->input->in_request = FALSE;
}

/**
 * gw_http_connection_cut:
 * @self: a connection
 *
 * Hangs up on the client, whatever the connection is at; SoupServer then closes it by itself.
 */
void
gw_http_connection_cut (GwHttpConnection *self)
{
  g_return_if_fail (GW_IS_HTTP_CONNECTION (self));

  g_socket_shutdown (self->input->socket, TRUE, TRUE, NULL);
}

/**
 * gw_http_connection_answer_early:
 * @self: a connection, in the middle of a request
 * @status: of the answer
 * @content_type: of @text
 * @text: the answer
 * @length: its bytes
 *
 * Answers past libsoup, which answers only after the whole body, and says that nothing will follow.
 * What still comes in is libsoup's to read; its own answer then goes nowhere, and it closes.
 */
void
gw_http_connection_answer_early (GwHttpConnection *self,
                                 guint status,
                                 const char *content_type,
                                 const char *text,
                                 gsize length)
{
  g_autofree char *answer = NULL;

  g_return_if_fail (GW_IS_HTTP_CONNECTION (self));

  answer = g_strdup_printf ("HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %" G_GSIZE_FORMAT
                            "\r\nConnection: close\r\n\r\n%s",
                            status, soup_status_get_phrase (status), content_type, length, text);
  /* Nothing else waits to be written: it fits. */
  g_socket_send_with_blocking (self->input->socket, answer, strlen (answer), FALSE, NULL, NULL);
  g_socket_shutdown (self->input->socket, FALSE, TRUE, NULL);
}

/**
 * gw_http_connection_get_loopback:
 * @self: a connection
 *
 * Returns: whether the peer is on this machine
 */
gboolean
gw_http_connection_get_loopback (GwHttpConnection *self)
{
  g_return_val_if_fail (GW_IS_HTTP_CONNECTION (self), FALSE);

  return self->loopback;
}

/**
 * gw_http_connection_get_foreign:
 * @self: a connection
 *
 * Returns: whether the peer is a process of another user of this machine
 */
gboolean
gw_http_connection_get_foreign (GwHttpConnection *self)
{
  g_return_val_if_fail (GW_IS_HTTP_CONNECTION (self), TRUE);

  return self->foreign;
}

/* Notes whether the process behind it is another user's; whoever reads it decides. */
void
gw_http_connection_set_foreign (GwHttpConnection *self,
                                gboolean foreign)
{
  g_return_if_fail (GW_IS_HTTP_CONNECTION (self));

  self->foreign = foreign;
}

void
gw_http_connection_set_closed_func (GwHttpConnection *self,
                                    GFunc func,
                                    gpointer user_data)
{
  g_return_if_fail (GW_IS_HTTP_CONNECTION (self));

  self->closed = func;
  self->closed_data = user_data;
}

GList *
gw_http_connection_get_link (GwHttpConnection *self)
{
  g_return_val_if_fail (GW_IS_HTTP_CONNECTION (self), NULL);

  return &self->link;
}

GwHttpPlace *
gw_http_connection_get_place (GwHttpConnection *self)
{
  g_return_val_if_fail (GW_IS_HTTP_CONNECTION (self), NULL);

  return &self->place;
}
