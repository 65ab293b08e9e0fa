/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-count"

/* Whole numbers as people type them. Any thread. */

#include "config.h"

#include "gw-count.h"

/* All spaces are one separator: some keyboards have a narrow one. 0: @c is none. */
static gunichar
get_separator (gunichar c)
{
  if (g_unichar_isspace (c))
    return ' ';
  return c == ',' || c == '.' || c == '\'' || c == 0x2019 ? c : 0;
}

/**
 * gw_count_read:
 * @text: UTF-8; spaces around the number do not count
 * @most: the largest number that is one, at most G_MAXINT64 / 100
 * @count: (out): the number; undefined for %FALSE
 *
 * Reads a number of things: digits of any script, the thousands parted by one kind of space, comma,
 * point or apostrophe, or none; also as in India, where all groups but the last have two digits. What
 * could be meant as a fraction, as `1.5` and `1000.000`, is no number of things.
 *
 * Returns: whether @text is a number from 0 to @most
 */
gboolean
gw_count_read (const char *text,
               gint64 most,
               gint64 *count)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  gunichar separator = 0;
  guint n_digits = 0; /* of the group */
  guint inner = 0;    /* digits of each group between the first and the last; 0: not known yet */

  *count = 0;
  for (const char *at = trimmed; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      gunichar found = get_separator (c);

      if (found != 0)
        {
          if (separator == 0)
            {
              if (n_digits < 1 || n_digits > 3)
                return FALSE;
              separator = found;
            }
          else
            {
              if (found != separator || n_digits < 2 || n_digits > 3
                  || (inner != 0 && n_digits != inner))
                return FALSE;
              inner = n_digits;
            }
          n_digits = 0;
          continue;
        }
      if (g_unichar_digit_value (c) < 0 || *count > most)
        return FALSE;
      *count = *count * 10 + g_unichar_digit_value (c);
      n_digits++;
    }

  return n_digits > 0 && (separator == 0 || n_digits == 3) && *count <= most;
}
