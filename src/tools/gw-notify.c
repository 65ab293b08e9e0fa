/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-notify"

#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gw-notify.h"

/**
 * gw_notify:
 * @state: lines such as "READY=1", "STOPPING=1" or "STATUS=…"
 *
 * Tells the service manager that started this process what state it is in, by a datagram to the
 * socket that NOTIFY_SOCKET names; without one, nobody has asked. Never blocks: who does not listen
 * is not waited for. Any thread.
 *
 * Returns: whether it was told
 */
gboolean
gw_notify (const char *state)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gsize length = path != NULL ? strlen (path) : 0;
  gssize sent;
  int fd, code;

  if (length == 0)
    return FALSE;
  if ((*path != '/' && *path != '@') || length >= sizeof address.sun_path)
    {
      g_warning ("NOTIFY_SOCKET is “%s”, which is no address of a socket; nobody is told of the "
                 "state", path);
      return FALSE;
    }
  memcpy (address.sun_path, path, length);
  /* A name that is no file begins with a zero byte. */
  if (*path == '@')
    address.sun_path[0] = '\0';

  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    {
      g_warning ("no socket to tell the service manager by: %s", g_strerror (errno));
      return FALSE;
    }
  do
    sent = sendto (fd, state, strlen (state), MSG_NOSIGNAL | MSG_DONTWAIT,
                   (const struct sockaddr *) &address,
                   (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length));
  while (sent < 0 && errno == EINTR);
  code = errno;
  close (fd);
  if (sent < 0)
    g_warning ("the service manager at %s could not be told: %s", path, g_strerror (code));

  return sent >= 0;
}
