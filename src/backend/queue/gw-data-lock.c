/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-data-lock"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw-error.h"
#include "queue/gw-data-lock.h"

/*
 * One engine a data directory. The lock is the kernel's (flock), so it cannot be left behind: a
 * process that is killed has let go of it. The file stays where it is, since taking it away would
 * let two engines hold two files of one name; what is written in it counts only while it is held.
 * Any thread; blocks no longer than a file takes.
 */

#define LONGEST_URI 4096

struct _GwDataLock {
  int fd;
  char *path;
};

static char *
read_uri (int fd)
{
  char buffer[LONGEST_URI + 1];
  gssize length = pread (fd, buffer, LONGEST_URI, 0);
  char *end;

  if (length <= 0)
    return NULL;
  buffer[length] = '\0';
  end = strchr (buffer, '\n');
  /* Without its end the line is still being written. */
  if (end == NULL || end == buffer)
    return NULL;
  *end = '\0';

  return g_utf8_validate (buffer, -1, NULL) ? g_strdup (buffer) : NULL;
}

/* Somebody who only looks (gw_data_lock_peek()) holds it for an instant: asked a few times. */
static gboolean
take (int fd)
{
  for (int i = 0; i < 5; i++)
    {
      int rc;

      do
        rc = flock (fd, LOCK_EX | LOCK_NB);
      while (rc != 0 && errno == EINTR);
      if (rc == 0)
        return TRUE;
      if (errno != EWOULDBLOCK)
        return FALSE;
      g_usleep (5000);
    }
  errno = EWOULDBLOCK;

  return FALSE;
}

/**
 * gw_data_lock_new:
 * @data_dir: the directory; made, for its owner only, if it is not there
 * @other_uri: (out) (optional) (nullable): the address of who holds it, with GW_ERROR_DATA_IN_USE
 * @error: (nullable): GW_ERROR_DATA_IN_USE, _NO_SPACE, _UNAVAILABLE
 *
 * Returns: (transfer full) (nullable): the lock
 */
GwDataLock *
gw_data_lock_new (const char *data_dir,
                  char **other_uri,
                  GError **error)
{
  g_autofree char *path = NULL;
  g_autofree char *uri = NULL;
  GwDataLock *lock;
  int fd, code;

  g_return_val_if_fail (data_dir != NULL, NULL);

  if (other_uri != NULL)
    *other_uri = NULL;
  path = g_build_filename (data_dir, "lock", NULL);
  fd = -1;
  if (g_mkdir_with_parents (data_dir, 0700) == 0)
    fd = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      code = errno;
      g_set_error (error, GW_ERROR, code == ENOSPC ? GW_ERROR_NO_SPACE : GW_ERROR_UNAVAILABLE,
                   "%s could not be opened: %s. Check the folder, or choose another one with "
                   "--data-dir.", path, g_strerror (code));
      return NULL;
    }

  if (!take (fd))
    {
      code = errno;
      uri = code == EWOULDBLOCK ? read_uri (fd) : NULL;
      close (fd);
      if (code != EWOULDBLOCK)
        g_set_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE,
                     "%s could not be locked: %s. Choose a folder on a local disk with --data-dir.",
                     path, g_strerror (code));
      else if (uri != NULL)
        g_set_error (error, GW_ERROR, GW_ERROR_DATA_IN_USE,
                     "The data in %s are in use by the gateway at %s. Use that one, or choose "
                     "another folder with --data-dir.", data_dir, uri);
      else
        g_set_error (error, GW_ERROR, GW_ERROR_DATA_IN_USE,
                     "The data in %s are in use by another Gangway. Close it, or choose another "
                     "folder with --data-dir.", data_dir);
      if (other_uri != NULL)
        *other_uri = g_steal_pointer (&uri);
      return NULL;
    }

  /* What the last one wrote is not true any more. */
  if (ftruncate (fd, 0) != 0)
    g_warning ("%s could not be emptied: %s", path, g_strerror (errno));
  lock = g_new0 (GwDataLock, 1);
  lock->fd = fd;
  lock->path = g_steal_pointer (&path);

  return lock;
}

/**
 * gw_data_lock_set_uri:
 * @lock: a lock
 * @uri: where the engine listens
 * @error: (nullable): GW_ERROR_NO_SPACE, _UNAVAILABLE
 *
 * Returns: whether others can read it now
 */
gboolean
gw_data_lock_set_uri (GwDataLock *lock,
                      const char *uri,
                      GError **error)
{
  g_autofree char *line = NULL;
  gsize length;

  g_return_val_if_fail (lock != NULL && uri != NULL, FALSE);

  line = g_strconcat (uri, "\n", NULL);
  length = strlen (line);
  if (length > LONGEST_URI || ftruncate (lock->fd, 0) != 0
      || pwrite (lock->fd, line, length, 0) != (gssize) length)
    {
      int code = length > LONGEST_URI ? ENAMETOOLONG : errno;

      g_set_error (error, GW_ERROR, code == ENOSPC ? GW_ERROR_NO_SPACE : GW_ERROR_UNAVAILABLE,
                   "The gateway's address could not be written to %s: %s.", lock->path,
                   g_strerror (code));
      return FALSE;
    }

  return TRUE;
}

void
gw_data_lock_free (GwDataLock *lock)
{
  if (lock == NULL)
    return;

  if (ftruncate (lock->fd, 0) != 0)
    g_debug ("%s could not be emptied: %s", lock->path, g_strerror (errno));
  close (lock->fd);
  g_free (lock->path);
  g_free (lock);
}

/**
 * gw_data_lock_peek:
 * @data_dir: a data directory
 *
 * Looks without taking anything away: a shared lock for the blink of an eye, which only fails while
 * an engine holds the data.
 *
 * Returns: (transfer full) (nullable): the address of who holds the data
 */
char *
gw_data_lock_peek (const char *data_dir)
{
  g_autofree char *path = NULL;
  char *uri = NULL;
  int fd;

  g_return_val_if_fail (data_dir != NULL, NULL);

  path = g_build_filename (data_dir, "lock", NULL);
  fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0)
    return NULL;
  if (flock (fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    uri = read_uri (fd);
  close (fd);

  return uri;
}
