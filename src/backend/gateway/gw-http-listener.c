/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepts connections, hands them to SoupServer and sees that none stays for nothing.
 *
 * Every connection is in one of a few phases (head, body, busy, write, idle), each with one time
 * limit for all. So each phase is a queue in the order of entry, whose head is the next to run out:
 * moving costs O(1), and one timer serves all; it is armed only while there is something to wait
 * for, so an idle program is not woken. Whoever runs out of time is hung up on (slowloris, a body
 * that stalls, a reader that does not read); a connection that a handler has, as a long-poll, has
 * no limit here.
 *
 * Over the bound of connections the longest idle one makes place. Out of descriptors, accepting
 * rests for a second, with one line in the log, instead of spinning.
 *
 * Threading: belongs to the thread that runs it. SoupServer keeps connections alive only while it
 * has a listener of its own; it is given one that nobody can reach: one end of a socket pair.
 */
#define G_LOG_DOMAIN "gw-http-listener"

#include "config.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gw-error.h"
#include "gw-source.h"

#include "gateway/gw-http-listener.h"

#define BACKLOG 1024
#define ACCEPTS_AT_ONCE 64
#define REST_MS 1000
#define SPARE_DESCRIPTORS 256 /* for the store, the providers and the rest of the program */

struct _GwHttpListener {
  /* Owned */
  SoupServer *server;
  GPtrArray *sockets;       /* (element-type GSocket) */
  GPtrArray *sources;       /* (element-type GSource) one a socket, while accepting */
  GSource *timer;
  GSource *rest_timer;      /* (nullable) while accepting rests */
  int unreachable_peer;     /* the other end of SoupServer's own listener */

  /* Borrowed */
  GwPeerAsker *asker;       /* (nullable) */

  GwHttpLimits limits;
  GQueue phases[GW_N_HTTP_PHASES]; /* of GwHttpConnection, by their own links */
  guint n_connections;
  guint64 n_accepted;
  gboolean resting_said;
};

static gboolean accept_cb (GSocket *socket, GIOCondition condition, gpointer user_data);

/* Whether the client has taken nothing of what waits for it since the last look. */
static gboolean
is_stuck (GwHttpConnection *connection,
          GwHttpPlace *place)
{
  int fd = g_socket_get_fd (gw_http_connection_get_socket (connection));
  struct tcp_info info = { 0 };
  socklen_t length = sizeof info;
  int queued = 0;
  gboolean stuck;

  if (ioctl (fd, SIOCOUTQ, &queued) != 0 || queued == 0)
    return FALSE;
  if (getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
    return TRUE;

  stuck = info.tcpi_bytes_acked == place->acknowledged;
  place->acknowledged = info.tcpi_bytes_acked;

  return stuck;
}

static gint64
get_deadline (GwHttpListener *self,
              GwHttpPhase phase)
{
  GwHttpConnection *first = g_queue_peek_head (&self->phases[phase]);

  if (first == NULL || self->limits.limits[phase] == 0)
    return -1;

  return gw_http_connection_get_place (first)->since + (gint64) self->limits.limits[phase] * 1000;
}

static void
arm_timer (GwHttpListener *self)
{
  gint64 next = -1;

  for (guint i = 0; i < GW_N_HTTP_PHASES; i++)
    {
      gint64 deadline = get_deadline (self, i);

      if (deadline >= 0 && (next < 0 || deadline < next))
        next = deadline;
    }
  g_source_set_ready_time (self->timer, next);
}

static void
enter_phase (GwHttpListener *self,
             GwHttpConnection *connection,
             GwHttpPlace *place,
             GwHttpPhase phase)
{
  GList *link = gw_http_connection_get_link (connection);
  gint64 deadline;

  g_queue_unlink (&self->phases[place->phase], link);
  place->phase = phase;
  place->since = g_get_monotonic_time ();
  g_queue_push_tail_link (&self->phases[phase], link);

  /* Most often the timer is armed for someone who came earlier. */
  if (self->limits.limits[phase] == 0)
    return;
  deadline = place->since + (gint64) self->limits.limits[phase] * 1000;
  if (g_source_get_ready_time (self->timer) < 0
      || g_source_get_ready_time (self->timer) > deadline)
    g_source_set_ready_time (self->timer, deadline);
}

static gboolean
timer_cb (gpointer user_data)
{
  GwHttpListener *self = user_data;
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < GW_N_HTTP_PHASES; i++)
    {
      gint64 deadline;

      while ((deadline = get_deadline (self, i)) >= 0 && deadline <= now)
        {
          GwHttpConnection *connection = g_queue_peek_head (&self->phases[i]);
          GwHttpPlace *place = gw_http_connection_get_place (connection);

          /* Who reads slowly still reads; and the queue may have us wait. */
          if (i != GW_HTTP_PHASE_WRITE || is_stuck (connection, place))
            {
              g_debug ("Hanging up on a connection: nothing came for %u ms",
                       self->limits.limits[i]);
              gw_http_connection_cut (connection);
            }
          /* Once hung up on, it goes by itself; asked again if it does not. */
          enter_phase (self, connection, place, i);
        }
    }
  arm_timer (self);

  return G_SOURCE_CONTINUE;
}

static gboolean
timer_dispatch (GSource *source,
                GSourceFunc callback,
                gpointer user_data)
{
  g_source_set_ready_time (source, -1);

  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static void
closed_cb (gpointer data,
           gpointer user_data)
{
  GwHttpConnection *connection = data;
  GwHttpListener *self = user_data;
  GwHttpPlace *place = gw_http_connection_get_place (connection);

  g_queue_unlink (&self->phases[place->phase], gw_http_connection_get_link (connection));
  self->n_connections--;
}

/* The longest idle connection makes place for a new one; one that never sent a request next. */
static gboolean
make_place (GwHttpListener *self)
{
  GwHttpConnection *connection = g_queue_peek_head (&self->phases[GW_HTTP_PHASE_IDLE]);
  GwHttpPhase phase = GW_HTTP_PHASE_IDLE;

  if (connection == NULL)
    {
      phase = GW_HTTP_PHASE_HEAD;
      connection = g_queue_peek_head (&self->phases[phase]);
    }
  if (connection == NULL)
    return FALSE;

  gw_http_connection_cut (connection);
  enter_phase (self, connection, gw_http_connection_get_place (connection), phase);

  return TRUE;
}

static void
take_connection (GwHttpListener *self,
                 GSocket *socket)
{
  g_autoptr (GSocketConnection) stream = NULL;
  g_autoptr (GwHttpConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  GwHttpPlace *place;

  if (self->n_connections >= self->limits.max_connections && !make_place (self))
    {
      g_debug ("Refusing a connection: %u are busy", self->n_connections);
      return;
    }

  stream = g_socket_connection_factory_create_connection (socket);
  connection = gw_http_connection_new (stream);
  place = gw_http_connection_get_place (connection);
  place->phase = GW_HTTP_PHASE_HEAD;
  g_queue_push_tail_link (&self->phases[GW_HTTP_PHASE_HEAD],
                          gw_http_connection_get_link (connection));
  self->n_connections++;
  self->n_accepted++;
  gw_http_connection_set_closed_func (connection, closed_cb, self);
  enter_phase (self, connection, place, GW_HTTP_PHASE_HEAD);

  if (self->asker != NULL)
    {
      g_autoptr (GSocketAddress) remote = g_socket_get_remote_address (socket, NULL);

      /* An answer that does not come is no answer in anyone's favour. */
      if (remote != NULL && gw_peer_is_loopback (remote)
          && gw_peer_asker_ask (self->asker, socket) != GW_PEER_OURS)
        gw_http_connection_set_foreign (connection, TRUE);
    }

  if (!gw_http_connection_serve (connection, self->server, &error))
    {
      g_debug ("A connection has gone before it was served: %s",
               error != NULL ? error->message : "reset");
      g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
    }
}

static void
watch_sockets (GwHttpListener *self)
{
  for (guint i = 0; i < self->sockets->len; i++)
    {
      GSource *source = g_socket_create_source (self->sockets->pdata[i], G_IO_IN, NULL);

      g_source_set_callback (source, G_SOURCE_FUNC (accept_cb), self, NULL);
      g_source_set_static_name (source, "gw-http-listener accept");
      g_source_attach (source, g_main_context_get_thread_default ());
      g_ptr_array_add (self->sources, source);
    }
}

static void
unwatch_sockets (GwHttpListener *self)
{
  for (guint i = 0; i < self->sources->len; i++)
    g_source_destroy (self->sources->pdata[i]);
  g_ptr_array_set_size (self->sources, 0);
}

static void
drop_rest_timer (GwHttpListener *self)
{
  gw_source_clear (&self->rest_timer);
}

static gboolean
rest_over_cb (gpointer user_data)
{
  GwHttpListener *self = user_data;

  drop_rest_timer (self);
  watch_sockets (self);

  return G_SOURCE_REMOVE;
}

static void
rest (GwHttpListener *self,
      const char *reason)
{
  if (!self->resting_said)
    g_warning ("No new connections for a second at a time: %s", reason);
  self->resting_said = TRUE;
  unwatch_sockets (self);
  self->rest_timer = g_timeout_source_new (REST_MS);
  g_source_set_callback (self->rest_timer, rest_over_cb, self, NULL);
  g_source_attach (self->rest_timer, g_main_context_get_thread_default ());
}

static gboolean
is_shortage (const GError *error)
{
  int saved = errno;

  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) || saved == EMFILE
         || saved == ENFILE || saved == ENOBUFS || saved == ENOMEM;
}

static gboolean
accept_cb (GSocket *socket,
           GIOCondition condition,
           gpointer user_data)
{
  GwHttpListener *self = user_data;

  for (guint i = 0; i < ACCEPTS_AT_ONCE; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GSocket) accepted = NULL;

      errno = 0;
      accepted = g_socket_accept (socket, NULL, &error);
      if (accepted != NULL)
        {
          self->resting_said = FALSE;
          take_connection (self, accepted);
        }
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          return G_SOURCE_CONTINUE;
        }
      else if (is_shortage (error))
        {
          rest (self, error->message);
          return G_SOURCE_REMOVE;
        }
      /* Else it was reset before it was accepted; the next. */
    }

  return G_SOURCE_CONTINUE;
}

static void
raise_descriptor_limit (GwHttpListener *self)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return;

  if (limit.rlim_cur < limit.rlim_max)
    {
      limit.rlim_cur = limit.rlim_max;
      if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
        g_debug ("The limit of open files stays as it is: %s", g_strerror (errno));
      getrlimit (RLIMIT_NOFILE, &limit);
    }
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur > SPARE_DESCRIPTORS)
    self->limits.max_connections = MIN (self->limits.max_connections,
                                        (guint) MIN (limit.rlim_cur - SPARE_DESCRIPTORS, 1000000));
}

/**
 * gw_http_listener_new:
 * @server: who serves the connections
 * @limits: time limits and bound
 *
 * Returns: (transfer full): a listener for the calling thread
 */
GwHttpListener *
gw_http_listener_new (SoupServer *server,
                      const GwHttpLimits *limits)
{
  GwHttpListener *self;

  g_return_val_if_fail (SOUP_IS_SERVER (server), NULL);

  self = g_new0 (GwHttpListener, 1);
  self->server = g_object_ref (server);
  self->limits = *limits;
  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  self->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) g_source_unref);
  self->unreachable_peer = -1;
  for (guint i = 0; i < GW_N_HTTP_PHASES; i++)
    g_queue_init (&self->phases[i]);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_set_static_name (self->timer, "gw-http-listener limits");
  g_source_attach (self->timer, g_main_context_get_thread_default ());

  return self;
}

/**
 * gw_http_listener_free:
 * @self: (nullable): a listener
 *
 * To be called after SoupServer has let go of its connections.
 */
void
gw_http_listener_free (GwHttpListener *self)
{
  if (self == NULL)
    return;

  gw_http_listener_stop (self);
  for (guint i = 0; i < GW_N_HTTP_PHASES; i++)
    {
      GwHttpConnection *connection;

      while ((connection = g_queue_peek_head (&self->phases[i])) != NULL)
        {
          gw_http_connection_set_closed_func (connection, NULL, NULL);
          g_queue_unlink (&self->phases[i], gw_http_connection_get_link (connection));
        }
    }
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  if (self->unreachable_peer >= 0)
    close (self->unreachable_peer);
  g_ptr_array_unref (self->sources);
  g_ptr_array_unref (self->sockets);
  g_object_unref (self->server);
  g_free (self);
}

/**
 * gw_http_listener_add:
 * @self: a listener, not started
 * @address: where to listen; port 0: a free one
 * @port: (out): the port that it is
 * @error: return location
 *
 * Returns: FALSE with the error of GIO, as G_IO_ERROR_ADDRESS_IN_USE
 */
gboolean
gw_http_listener_add (GwHttpListener *self,
                      GSocketAddress *address,
                      guint16 *port,
                      GError **error)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketAddress) bound = NULL;

  socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM,
                         G_SOCKET_PROTOCOL_TCP, error);
  if (socket == NULL)
    return FALSE;
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_listen_backlog (socket, BACKLOG);
  if (!g_socket_bind (socket, address, TRUE, error) || !g_socket_listen (socket, error))
    return FALSE;
  bound = g_socket_get_local_address (socket, error);
  if (bound == NULL)
    return FALSE;

  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_ptr_array_add (self->sockets, g_steal_pointer (&socket));

  return TRUE;
}

/* SoupServer's own listener, which nobody can reach. */
static gboolean
give_unreachable_listener (GwHttpListener *self,
                           GError **error)
{
  g_autoptr (GSocket) socket = NULL;
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "No socket pair: %s",
                   g_strerror (errno));
      return FALSE;
    }
  self->unreachable_peer = ends[1];
  socket = g_socket_new_from_fd (ends[0], error);
  if (socket == NULL)
    {
      close (ends[0]);
      return FALSE;
    }

  return soup_server_listen_socket (self->server, socket, 0, error);
}

/**
 * gw_http_listener_start:
 * @self: a listener with its sockets
 * @error: return location
 *
 * Returns: whether it accepts now
 */
gboolean
gw_http_listener_start (GwHttpListener *self,
                        GError **error)
{
  raise_descriptor_limit (self);
  if (!give_unreachable_listener (self, error))
    return FALSE;
  watch_sockets (self);

  return TRUE;
}

/**
 * gw_http_listener_stop:
 * @self: a listener
 *
 * Closes the ports. Connections stay.
 */
void
gw_http_listener_stop (GwHttpListener *self)
{
  unwatch_sockets (self);
  drop_rest_timer (self);
  for (guint i = 0; i < self->sockets->len; i++)
    g_socket_close (self->sockets->pdata[i], NULL);
  g_ptr_array_set_size (self->sockets, 0);
}

void
gw_http_listener_set_asker (GwHttpListener *self,
                            GwPeerAsker *asker)
{
  self->asker = asker;
}

/**
 * gw_http_listener_set_phase:
 * @self: a listener
 * @connection: one of its connections
 * @phase: what it is at; the same again is progress
 */
void
gw_http_listener_set_phase (GwHttpListener *self,
                            GwHttpConnection *connection,
                            GwHttpPhase phase)
{
  GwHttpPlace *place = gw_http_connection_get_place (connection);

  if (g_io_stream_is_closed (G_IO_STREAM (connection)))
    return;

  enter_phase (self, connection, place, phase);
}

/* How many connections are in @phase just now. */
guint
gw_http_listener_count (GwHttpListener *self,
                        GwHttpPhase phase)
{
  return self->phases[phase].length;
}

/* How many connections there have been, in all. */
guint64
gw_http_listener_count_accepted (GwHttpListener *self)
{
  return self->n_accepted;
}
