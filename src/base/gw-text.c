/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-text"

/* Finds a text in another without regard to case, and cuts out what stands around it. */

#include "config.h"

#include <string.h>

#include "gw-text.h"

/* Of what stands before the hit, so that it is seen in a narrow column too; a wide one is two. */
#define BEFORE_CHARACTERS 10

static gboolean
is_ascii (const char *text)
{
  for (; *text != '\0'; text++)
    if ((guchar) *text >= 0x80)
      return FALSE;

  return TRUE;
}

/* Nearly all searches are this, and need no allocation. */
static gboolean
find_ascii (const char *text,
            const char *needle,
            gsize *start,
            gsize *end)
{
  gsize length = strlen (needle);
  char lower = g_ascii_tolower (needle[0]);
  char upper = g_ascii_toupper (needle[0]);

  for (const char *p = text; *p != '\0'; p++)
    {
      if ((*p == lower || *p == upper) && g_ascii_strncasecmp (p, needle, length) == 0)
        {
          *start = (gsize) (p - text);
          *end = *start + length;
          return TRUE;
        }
    }

  return FALSE;
}

static gboolean
has_case (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (g_unichar_tolower (g_utf8_get_char (text)) != g_unichar_toupper (g_utf8_get_char (text)))
      return TRUE;

  return FALSE;
}

/* How many bytes of @text are @folded, whose case is folded; 0: it does not begin so. */
static gsize
match_folded (const char *text,
              const char *folded)
{
  const char *p = text;

  while (*folded != '\0' && *p != '\0')
    {
      const char *next = g_utf8_next_char (p);
      g_autofree char *character = g_utf8_casefold (p, next - p);
      gsize length = strlen (character);

      if (strncmp (character, folded, length) != 0)
        return 0;
      folded += length;
      p = next;
    }

  return *folded == '\0' ? (gsize) (p - text) : 0;
}

/**
 * gw_text_find:
 * @text: (nullable): a text
 * @needle: what is looked for, not empty
 * @start: (out): the byte where it begins
 * @end: (out): the byte behind it
 *
 * A place where it stands exactly so goes before one with another case, beyond ASCII.
 *
 * Returns: whether it stands in @text, whatever its case
 */
gboolean
gw_text_find (const char *text,
              const char *needle,
              gsize *start,
              gsize *end)
{
  g_autofree char *folded = NULL;
  const char *exact;

  g_return_val_if_fail (needle != NULL, FALSE);

  if (text == NULL || *needle == '\0')
    return FALSE;
  if (is_ascii (needle))
    return find_ascii (text, needle, start, end);

  exact = strstr (text, needle);
  if (exact != NULL)
    {
      *start = (gsize) (exact - text);
      *end = *start + strlen (needle);
      return TRUE;
    }
  if (!has_case (needle))
    return FALSE;

  folded = g_utf8_casefold (needle, -1);
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gsize length;

      if ((guchar) *p < 0x80 && g_ascii_tolower (*p) != folded[0])
        continue;
      length = match_folded (p, folded);
      if (length > 0)
        {
          *start = (gsize) (p - text);
          *end = *start + length;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * gw_text_cut_around:
 * @text: (nullable): a text
 * @needle: what is looked for, not empty
 * @n_characters: how much of it
 *
 * Returns: (transfer full) (nullable): one line of @text with @needle near its beginning
 */
char *
gw_text_cut_around (const char *text,
                    const char *needle,
                    guint n_characters)
{
  gsize start, end;
  const char *from, *to, *word = NULL;
  GString *line;
  gboolean was_space = FALSE;

  if (!gw_text_find (text, needle, &start, &end))
    return NULL;

  from = text + start;
  for (guint i = 0; i < BEFORE_CHARACTERS && from > text; i++)
    {
      from = g_utf8_prev_char (from);
      if (g_unichar_isspace (g_utf8_get_char (from)) && i > 0)
        word = g_utf8_next_char (from);
      if (g_unichar_iswide (g_utf8_get_char (from)))
        i++;
    }
  if (from > text && word != NULL)
    from = word;
  line = g_string_new (from > text ? "…" : NULL);
  to = from;
  for (guint i = 0; *to != '\0' && (i < n_characters || to < text + end); i++)
    {
      gunichar character = g_utf8_get_char (to);

      if (!g_unichar_isspace (character))
        g_string_append_unichar (line, character);
      else if (!was_space)
        g_string_append_c (line, ' ');
      was_space = g_unichar_isspace (character);
      to = g_utf8_next_char (to);
    }

  return g_string_free (line, FALSE);
}
