/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-text-lines"

#include "config.h"

#include <string.h>

#include "gw-text-lines.h"

/* A text as a list of tasks. In one pass each, since a paste may have a hundred thousand lines. */

static gboolean
is_end (char c)
{
  return c == '\n' || c == '\r';
}

/**
 * gw_text_lines_count:
 * @length: in bytes; negative: up to the terminator
 *
 * Returns: how many lines are not blank
 */
guint
gw_text_lines_count (const char *text,
                     gssize length)
{
  const char *end = text + (length < 0 ? strlen (text) : (gsize) length);
  gboolean any = FALSE;
  guint n_lines = 0;

  for (; text < end; text++)
    {
      if (is_end (*text))
        any = FALSE;
      else if (!any && !g_ascii_isspace (*text))
        {
          any = TRUE;
          n_lines++;
        }
    }
  return n_lines;
}

/* (nullable) (transfer full): the next line that is not blank, trimmed; moves @text behind it. */
static char *
next_line (const char **text)
{
  while (**text != '\0')
    {
      const char *start = *text;
      const char *end = start;
      const char *stop;

      while (*end != '\0' && !is_end (*end))
        end++;
      *text = *end != '\0' ? end + 1 : end;
      for (stop = end; start < stop && g_ascii_isspace (*start);)
        start++;
      while (stop > start && g_ascii_isspace (stop[-1]))
        stop--;
      if (stop > start)
        return g_strndup (start, stop - start);
    }
  return NULL;
}

GPtrArray *
gw_text_lines_split (const char *text)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  char *line;

  while ((line = next_line (&text)) != NULL)
    g_ptr_array_add (lines, line);
  return lines;
}

/**
 * gw_text_lines_dup_first:
 *
 * Returns: (transfer full): the first line that is not blank, cut to @max_chars characters with an
 *   ellipsis as the last; "" where there is none
 */
char *
gw_text_lines_dup_first (const char *text,
                         guint max_chars)
{
  g_autofree char *line = next_line (&text);
  g_autofree char *head = NULL;

  if (line == NULL)
    return g_strdup ("");
  if (g_utf8_strlen (line, -1) <= (glong) max_chars)
    return g_steal_pointer (&line);
  head = g_utf8_substring (line, 0, MAX (max_chars, 1) - 1);
  return g_strconcat (g_strchomp (head), "…", NULL);
}
