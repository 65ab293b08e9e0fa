/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-secret"

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gw-log.h"
#include "provider/gw-secret.h"

struct _GwSecret {
  char *text;  /* (owned) a mapping */
  gsize size;  /* of the mapping */
};

/**
 * gw_secret_new:
 * @text: a key
 *
 * Also makes the log take it out of everything that is written from now on.
 *
 * Returns: (transfer full): the key
 */
GwSecret *
gw_secret_new (const char *text)
{
  GwSecret *secret = g_atomic_rc_box_new0 (GwSecret);
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  gsize length = strlen (text);

  secret->size = (length + page) / page * page;
  secret->text = mmap (NULL, secret->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);
  if (secret->text == MAP_FAILED)
    g_error ("No memory for a key: %s", g_strerror (errno));

  /* Both are asked for, neither is granted everywhere; the wipe below always works. */
  madvise (secret->text, secret->size, MADV_DONTDUMP);
  mlock (secret->text, secret->size);
  memcpy (secret->text, text, length);
  gw_log_add_secret (text);

  return secret;
}

GwSecret *
gw_secret_ref (GwSecret *secret)
{
  return g_atomic_rc_box_acquire (secret);
}

static void
gw_secret_clear (gpointer data)
{
  GwSecret *secret = data;

  explicit_bzero (secret->text, secret->size);
  munmap (secret->text, secret->size);
}

void
gw_secret_unref (GwSecret *secret)
{
  g_atomic_rc_box_release_full (secret, gw_secret_clear);
}

const char *
gw_secret_get (const GwSecret *secret)
{
  return secret->text;
}
