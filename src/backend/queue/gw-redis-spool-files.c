/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw-error.h"
#include "queue/gw-redis-spool-private.h"

/*
 * One file of the spool: made, moved aside, counted. Any thread, without a lock.
 *
 * Guarantee: a file comes into being whole, and stays after a crash of the machine: it is written
 * and synced under another name, renamed, and the folder is synced.
 */

static void
set_errno (GError **error,
           int code,
           const char *path,
           const char *what)
{
  g_set_error (error, GW_ERROR,
               code == ENOSPC || code == EDQUOT ? GW_ERROR_NO_SPACE : GW_ERROR_UNAVAILABLE,
               "%s could not be %s: %s. Free some space there, or choose another folder with "
               "--data-dir.", path, what, g_strerror (code));
}

static gboolean
sync_folder (const char *folder,
             GError **error)
{
  int fd = g_open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean done = fd >= 0 && fsync (fd) == 0;
  int code = errno;

  if (fd >= 0)
    close (fd);
  if (!done)
    set_errno (error, code, folder, "synced");

  return done;
}

static gboolean
make_folder (const char *folder,
             GError **error)
{
  g_autofree char *parent = NULL;

  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      set_errno (error, errno, folder, "made");
      return FALSE;
    }
  parent = g_path_get_dirname (folder);

  return sync_folder (parent, error);
}

static gboolean
write_all (int fd,
           const char *data,
           gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }

  return TRUE;
}

/* (transfer full): tells apart whatever may lie in one folder; ids from Redis are from outside. */
static char *
make_name (GwRedisOutcome *outcome)
{
  char *name = g_strdup_printf ("%.40s_%.40s_%.40s_%" G_GUINT64_FORMAT, outcome->store,
                                outcome->engine, outcome->task_id, outcome->attempt);

  return g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_", '_');
}

/* (transfer full) (nullable): where it is now, for good. */
char *
_gw_redis_spool_write_outcome (const char *folder,
                               GwRedisOutcome *outcome,
                               GError **error)
{
  g_autofree char *name = make_name (outcome);
  g_autofree char *bare = g_build_filename (folder, name, NULL);
  g_autofree char *path = g_strconcat (bare, GW_REDIS_SPOOL_SUFFIX, NULL);
  g_autofree char *writing = g_strconcat (path, GW_REDIS_SPOOL_WRITING, NULL);
  g_autofree char *text = NULL;
  gsize length = 0;
  int code = 0;
  int fd;

  if (!make_folder (folder, error))
    return NULL;
  text = gw_redis_outcome_to_text (outcome, &length);
  g_unlink (writing);
  fd = g_open (writing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      set_errno (error, errno, writing, "made");
      return NULL;
    }
  if (!write_all (fd, text, length) || fsync (fd) != 0)
    code = errno;
  if (close (fd) != 0 && code == 0)
    code = errno;
  if (code == 0 && g_rename (writing, path) != 0)
    code = errno;
  if (code != 0)
    {
      g_unlink (writing);
      set_errno (error, code, path, "written");
      return NULL;
    }
  if (!sync_folder (folder, error))
    return NULL;

  return g_steal_pointer (&path);
}

/* (transfer full) (nullable): its new name. */
char *
_gw_redis_spool_move_aside (const char *path,
                            const char *suffix)
{
  g_autofree char *to = g_strconcat (path, suffix, NULL);

  return g_rename (path, to) == 0 ? g_steal_pointer (&to) : NULL;
}

int
_gw_redis_spool_count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  int n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, GW_REDIS_SPOOL_SUFFIX);

  return n;
}
