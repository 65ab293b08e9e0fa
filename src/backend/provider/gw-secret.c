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
 * @text: a key, or several, one a line
 *
 * Also makes the log take each out of everything that is written from now on.
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
  for (const char *line = text; *line != '\0'; line += *line == '\n')
    {
      gsize n = strcspn (line, "\n");
      char *key = g_strndup (line, n);

      if (n > 0)
        gw_log_add_secret (key);
      explicit_bzero (key, n);
      g_free (key);
      line += n;
    }

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

/* (transfer none): the text, for the header of one call and nothing else. */
const char *
gw_secret_get (const GwSecret *secret)
{
  return secret->text;
}

/**
 * gw_secret_dup_keys:
 * @text: as a person or a variable gives it: one key, or several, one a line
 *
 * Blank lines and blanks around a key are left out, and a key that comes twice.
 *
 * Returns: (transfer full) (nullable): the keys, one a line; %NULL where some line is no key
 */
char *
gw_secret_dup_keys (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  char *joined = NULL;
  gboolean good = TRUE;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *key = g_strstrip (lines[i]);

      for (const char *c = key; *c != '\0'; c++)
        good = good && *c > 0x20 && *c < 0x7f;
      if (*key != '\0' && !g_ptr_array_find_with_equal_func (keys, key, g_str_equal, NULL))
        g_ptr_array_add (keys, (gpointer) key);
    }
  good = good && keys->len > 0;
  g_ptr_array_add (keys, NULL);
  if (good)
    joined = g_strjoinv ("\n", (char **) keys->pdata);
  for (guint i = 0; lines[i] != NULL; i++)
    explicit_bzero (lines[i], strlen (lines[i]));

  return joined;
}

/* How many keys there are in it. */
guint
gw_secret_count (const GwSecret *secret)
{
  guint count = 1;

  for (const char *c = secret->text; *c != '\0'; c++)
    count += *c == '\n';

  return count;
}
