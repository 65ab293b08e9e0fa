/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-id"

#include "config.h"

#include <string.h>
#include <sys/random.h>

#include "gw-id.h"

G_LOCK_DEFINE_STATIC (last);
static guint64 last_ms;
static guint last_counter;
static guint8 pool[512]; /* of random bytes: thousands of ids at once need no call of the kernel each */
static gsize pool_used = sizeof pool;

/* The lock is held. */
static void
fill_pool (void)
{
  if (getrandom (pool, sizeof pool, 0) != sizeof pool)
    {
      for (gsize i = 0; i < sizeof pool; i += sizeof (guint32))
        {
          guint32 word = g_random_int ();

          memcpy (pool + i, &word, sizeof word);
        }
    }
  pool_used = 0;
}

/* Twelve bits that grow within one millisecond (RFC 9562, section 6.2, method 1), so that ids made
 * by one process sort in the order in which they were made. */
static guint64
next_stamp (guint *counter,
            guint8 random[8])
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
  if (pool_used == sizeof pool)
    fill_pool ();
  memcpy (random, pool + pool_used, 8);
  pool_used += 8;
  G_UNLOCK (last);

  return now;
}

/**
 * gw_id_from_bytes:
 * @bytes: as gw_id_to_bytes() gives them. Any thread.
 *
 * Returns: (transfer full): the id in our spelling
 */
char *
gw_id_from_bytes (const guint8 bytes[GW_ID_BYTES])
{
  static const char digits[] = "0123456789abcdef";
  char *id = g_malloc (37);
  char *p = id;

  for (guint i = 0; i < GW_ID_BYTES; i++)
    {
      if (i == 4 || i == 6 || i == 8 || i == 10)
        *p++ = '-';
      *p++ = digits[bytes[i] >> 4];
      *p++ = digits[bytes[i] & 15];
    }
  *p = '\0';

  return id;
}

/**
 * gw_id_to_bytes:
 * @id: (nullable): text from outside
 * @bytes: (out caller-allocated): the id, less than half as long. Any thread.
 *
 * Returns: whether @id is a UUID in our spelling, lower case
 */
gboolean
gw_id_to_bytes (const char *id,
                guint8 bytes[GW_ID_BYTES])
{
  guint n = 0;

  if (id == NULL || strlen (id) != 36)
    return FALSE;

  for (guint i = 0; i < 36;)
    {
      if (i == 8 || i == 13 || i == 18 || i == 23)
        {
          if (id[i++] != '-')
            return FALSE;
          continue;
        }
      if (!g_ascii_isxdigit (id[i]) || !g_ascii_isxdigit (id[i + 1])
          || g_ascii_isupper (id[i]) || g_ascii_isupper (id[i + 1]))
        return FALSE;
      bytes[n++] = (guint8) (g_ascii_xdigit_value (id[i]) << 4 | g_ascii_xdigit_value (id[i + 1]));
      i += 2;
    }

  return TRUE;
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
  guint8 bytes[GW_ID_BYTES];
  guint counter;
  guint64 ms = next_stamp (&counter, bytes + 8);

  for (guint i = 0; i < 6; i++)
    bytes[i] = (guint8) (ms >> (40 - 8 * i));
  bytes[6] = (guint8) (0x70 | counter >> 8);
  bytes[7] = (guint8) counter;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;

  return gw_id_from_bytes (bytes);
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
