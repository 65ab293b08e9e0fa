/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-id"

#include "config.h"

#include <sys/random.h>

#include "gw-id.h"

G_LOCK_DEFINE_STATIC (last);
static guint64 last_ms;
static guint last_counter;

/* Twelve bits that grow within one millisecond (RFC 9562, section 6.2, method 1), so that ids made
 * by one process sort in the order in which they were made. */
static guint64
next_stamp (guint *counter)
{
  guint64 now = (guint64) g_get_real_time () / 1000;

  G_LOCK (last);
  if (now > last_ms)
    {
      last_ms = now;
      last_counter = 0;
    }
  else if (++last_counter > 0xfff)
    {
      last_ms++;
      last_counter = 0;
    }
  now = last_ms;
  *counter = last_counter;
  G_UNLOCK (last);

  return now;
}

/**
 * gw_id_new:
 *
 * Makes an id as seen from outside: a UUID of version 7 (RFC 9562). Any thread.
 *
 * Returns: (transfer full): 36 characters
 */
char *
gw_id_new (void)
{
  guint8 random[8];
  guint counter;
  guint64 ms = next_stamp (&counter);

  if (getrandom (random, sizeof random, 0) != sizeof random)
    {
      guint32 words[2] = { g_random_int (), g_random_int () };

      memcpy (random, words, sizeof random);
    }
  random[0] = (random[0] & 0x3f) | 0x80;

  return g_strdup_printf ("%08x-%04x-7%03x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                          (guint) (ms >> 16), (guint) (ms & 0xffff), counter,
                          random[0], random[1], random[2], random[3],
                          random[4], random[5], random[6], random[7]);
}

/**
 * gw_id_is_valid:
 * @id: (nullable): text from outside
 *
 * Returns: whether @id could be an id at all: 1 to 64 of letters, digits and hyphens
 */
gboolean
gw_id_is_valid (const char *id)
{
  gsize length = 0;

  if (id == NULL)
    return FALSE;

  for (; id[length] != '\0'; length++)
    {
      if (length == GW_ID_MAX_LENGTH || !(g_ascii_isalnum (id[length]) || id[length] == '-'))
        return FALSE;
    }

  return length > 0;
}
