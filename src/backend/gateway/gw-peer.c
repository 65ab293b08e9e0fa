/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is at the other end of a loopback connection: this user's process, or another's.
 *
 * A loopback port is open to every user of the machine. Both ends of such a connection are sockets
 * of one kernel, so the kernel knows the peer's user: one exact sock_diag request (netlink), with
 * the two addresses of the connection turned round, names the peer's socket, and the answer has its
 * uid. The question is put once, right after the connection was accepted.
 *
 * A socket that its process has closed already has no owner any more, and the kernel then says uid
 * 0 (with inode 0). That is not root: it counts as foreign, else one could send, close, and pass.
 *
 * Threading: one asker, one thread. Guarantee: where the answer is "ours", the peer's socket was
 * open and belonged to this user or root at the time of asking.
 */
#define G_LOG_DOMAIN "gw-peer"

#include "config.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gw-error.h"

#include "gateway/gw-peer.h"

struct _GwPeerAsker {
  int fd;
  guint32 sequence;
  uid_t uid;
};

/* One end of a connection, IPv4-mapped addresses as IPv4. */
typedef struct {
  int family;
  guint16 port;       /* network order */
  guint32 address[4];
} End;

typedef struct {
  struct nlmsghdr header;
  struct inet_diag_req_v2 request;
} Question;

typedef enum {
  ANSWER_SOCKET,
  ANSWER_NO_SOCKET,
  ANSWER_NONE,
} Answer;

/**
 * gw_peer_address_is_loopback:
 * @address: an address
 *
 * Returns: whether it is 127.0.0.0/8, ::1 or the former in IPv6's clothes
 */
gboolean
gw_peer_address_is_loopback (GInetAddress *address)
{
  static const guint8 mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 };

  g_return_val_if_fail (G_IS_INET_ADDRESS (address), FALSE);

  if (g_inet_address_get_is_loopback (address))
    return TRUE;

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
         && memcmp (g_inet_address_to_bytes (address), mapped, sizeof mapped) == 0;
}

/**
 * gw_peer_is_loopback:
 * @address: the address of a peer
 *
 * Returns: whether the peer is on this machine
 */
gboolean
gw_peer_is_loopback (GSocketAddress *address)
{
  return G_IS_INET_SOCKET_ADDRESS (address)
         && gw_peer_address_is_loopback (
                g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

static gboolean
read_end (int fd,
          gboolean peer,
          End *end)
{
  struct sockaddr_storage storage = { 0 };
  socklen_t length = sizeof storage;
  int failed;

  failed = peer ? getpeername (fd, (struct sockaddr *) &storage, &length)
                : getsockname (fd, (struct sockaddr *) &storage, &length);
  if (failed != 0)
    return FALSE;

  memset (end, 0, sizeof *end);
  if (storage.ss_family == AF_INET)
    {
      struct sockaddr_in in;

      memcpy (&in, &storage, sizeof in);
      end->family = AF_INET;
      end->port = in.sin_port;
      end->address[0] = in.sin_addr.s_addr;
      return TRUE;
    }
  if (storage.ss_family == AF_INET6)
    {
      struct sockaddr_in6 in6;

      memcpy (&in6, &storage, sizeof in6);
      end->port = in6.sin6_port;
      if (IN6_IS_ADDR_V4MAPPED (&in6.sin6_addr))
        {
          end->family = AF_INET;
          memcpy (&end->address[0], &in6.sin6_addr.s6_addr[12], 4);
        }
      else
        {
          end->family = AF_INET6;
          memcpy (end->address, &in6.sin6_addr, sizeof in6.sin6_addr);
        }
      return TRUE;
    }

  return FALSE;
}

/* Reads until the answer to question @sequence, what came late for an earlier one skipped. */
static Answer
receive_answer (GwPeerAsker *self,
                guint32 sequence,
                uid_t *uid,
                guint32 *inode)
{
  for (guint i = 0; i < 16; i++)
    {
      union {
        struct nlmsghdr header;
        char bytes[4096];
      } buffer;
      struct inet_diag_msg diag;
      struct nlmsgerr failure;
      ssize_t n_read;

      do
        n_read = recv (self->fd, &buffer, sizeof buffer, 0);
      while (n_read < 0 && errno == EINTR);
      if (n_read < (ssize_t) sizeof buffer.header
          || buffer.header.nlmsg_len > (gsize) n_read)
        return ANSWER_NONE;
      if (buffer.header.nlmsg_seq != sequence)
        continue;

      if (buffer.header.nlmsg_type == NLMSG_ERROR
          && buffer.header.nlmsg_len >= NLMSG_LENGTH (sizeof failure))
        {
          memcpy (&failure, NLMSG_DATA (&buffer.header), sizeof failure);
          return failure.error == -ENOENT ? ANSWER_NO_SOCKET : ANSWER_NONE;
        }
      if (buffer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY
          || buffer.header.nlmsg_len < NLMSG_LENGTH (sizeof diag))
        return ANSWER_NONE;
      memcpy (&diag, NLMSG_DATA (&buffer.header), sizeof diag);
      *uid = diag.idiag_uid;
      *inode = diag.idiag_inode;
      return ANSWER_SOCKET;
    }

  return ANSWER_NONE;
}

static Answer
ask (GwPeerAsker *self,
     int fd,
     uid_t *uid,
     guint32 *inode)
{
  Question question;
  End peer, own;

  if (!read_end (fd, TRUE, &peer) || !read_end (fd, FALSE, &own))
    return ANSWER_NO_SOCKET;

  memset (&question, 0, sizeof question);
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.header.nlmsg_seq = ++self->sequence;
  question.request.sdiag_family = peer.family;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = G_MAXUINT32;
  question.request.id.idiag_sport = peer.port;
  question.request.id.idiag_dport = own.port;
  memcpy (question.request.id.idiag_src, peer.address, sizeof peer.address);
  memcpy (question.request.id.idiag_dst, own.address, sizeof own.address);
  question.request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (send (self->fd, &question, sizeof question, MSG_NOSIGNAL) != (ssize_t) sizeof question)
    return ANSWER_NONE;

  return receive_answer (self, question.header.nlmsg_seq, uid, inode);
}

/* A connection to ourselves, to learn whether the kernel answers at all. */
static gboolean
answers_at_all (GwPeerAsker *self)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener, client, accepted = -1;
  guint32 inode = 0;
  uid_t uid = (uid_t) -1;
  gboolean right = FALSE;

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  client = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener >= 0 && client >= 0
      && bind (listener, (struct sockaddr *) &address, sizeof address) == 0
      && listen (listener, 1) == 0
      && getsockname (listener, (struct sockaddr *) &address, &length) == 0
      && connect (client, (struct sockaddr *) &address, sizeof address) == 0)
    {
      accepted = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
      right = accepted >= 0 && ask (self, accepted, &uid, &inode) == ANSWER_SOCKET
              && uid == geteuid () && inode != 0;
    }
  if (accepted >= 0)
    close (accepted);
  if (client >= 0)
    close (client);
  if (listener >= 0)
    close (listener);

  return right;
}

/**
 * gw_peer_asker_new:
 * @error: return location
 *
 * Returns: (transfer full) (nullable): who asks; NULL with GW_ERROR_UNAVAILABLE where this kernel
 *   or sandbox does not answer
 */
GwPeerAsker *
gw_peer_asker_new (GError **error)
{
  g_autoptr (GwPeerAsker) self = g_new0 (GwPeerAsker, 1);
  struct timeval limit = { .tv_sec = 0, .tv_usec = 200000 };

  self->uid = geteuid ();
  self->fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (self->fd < 0)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE, "No sock_diag socket: %s",
                   g_strerror (errno));
      return NULL;
    }
  /* The kernel answers within send(); the limit is for the day when it does not. */
  setsockopt (self->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (!answers_at_all (self))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
                           "The kernel does not tell whose a connection is");
      return NULL;
    }

  return g_steal_pointer (&self);
}

void
gw_peer_asker_free (GwPeerAsker *self)
{
  if (self == NULL)
    return;

  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}

/**
 * gw_peer_asker_ask:
 * @self: who asks
 * @socket: our end of a connection from this machine
 *
 * Returns: whose process is at the other end
 */
GwPeerKind
gw_peer_asker_ask (GwPeerAsker *self,
                   GSocket *socket)
{
  guint32 inode = 0;
  uid_t uid = (uid_t) -1;

  g_return_val_if_fail (self != NULL && G_IS_SOCKET (socket), GW_PEER_FOREIGN);

  switch (ask (self, g_socket_get_fd (socket), &uid, &inode))
    {
    case ANSWER_SOCKET:
      return inode != 0 && (uid == self->uid || uid == 0) ? GW_PEER_OURS : GW_PEER_FOREIGN;
    case ANSWER_NO_SOCKET:
      return GW_PEER_FOREIGN;
    case ANSWER_NONE:
    default:
      return GW_PEER_UNKNOWN;
    }
}

void
gw_peer_asker_set_uid (GwPeerAsker *self,
                       guint uid)
{
  g_return_if_fail (self != NULL);

  self->uid = uid;
}
