/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-markdown"

#include "config.h"

#include "gw-markdown-private.h"

/* A place in a line, where tabs are columns, and what stands there. */

/* Columns of white space here, at most @limit. */
guint
_gw_markdown_get_indent (const GwMarkdownCursor *cursor,
                         guint limit)
{
  const char *p = cursor->p;
  guint column = cursor->column;
  guint start = column + cursor->partial;

  while (p < cursor->end && column - MIN (start, column) < limit && (*p == ' ' || *p == '\t'))
    column += *p++ == '\t' ? 4 - column % 4 : 1;
  return column > start ? column - start : 0;
}

void
_gw_markdown_skip_columns (GwMarkdownCursor *cursor,
                           guint n)
{
  while (n > 0 && cursor->p < cursor->end && (*cursor->p == ' ' || *cursor->p == '\t'))
    {
      guint width = *cursor->p == '\t' ? 4 - cursor->column % 4 : 1;

      if (width - cursor->partial > n)
        {
          cursor->partial += n;
          return;
        }
      n -= width - cursor->partial;
      cursor->column += width;
      cursor->partial = 0;
      cursor->p++;
    }
}

void
_gw_markdown_skip_characters (GwMarkdownCursor *cursor,
                              guint n)
{
  cursor->p += n;
  cursor->column += n;
  cursor->partial = 0;
}

gboolean
_gw_markdown_is_blank (const GwMarkdownCursor *cursor)
{
  const char *p = cursor->p;

  while (p < cursor->end && (*p == ' ' || *p == '\t'))
    p++;
  return p == cursor->end;
}

gboolean
_gw_markdown_is_rule (const GwMarkdownCursor *cursor)
{
  const char *p = cursor->p;
  char mark = '\0';
  guint n = 0;

  for (; p < cursor->end; p++)
    {
      if (*p == ' ' || *p == '\t')
        continue;
      if ((*p != '-' && *p != '*' && *p != '_') || (mark != '\0' && *p != mark))
        return FALSE;
      mark = *p;
      n++;
    }
  return n >= 3;
}

/* The length of a list's marker here, 0 if there is none. */
guint
_gw_markdown_get_marker (const GwMarkdownCursor *cursor,
                         char **marker,
                         gboolean *first)
{
  const char *p = cursor->p;
  guint n = 0;

  *first = TRUE;
  if (p < cursor->end && (*p == '-' || *p == '*' || *p == '+'))
    n = 1;
  else
    {
      while (p + n < cursor->end && n < 9 && g_ascii_isdigit (p[n]))
        n++;
      if (n == 0 || p + n >= cursor->end || (p[n] != '.' && p[n] != ')'))
        return 0;
      *first = n == 1 && *p == '1';
      n++;
    }
  if (p + n < cursor->end && p[n] != ' ' && p[n] != '\t')
    return 0;
  *marker = n == 1 ? g_strdup ("•") : g_strndup (p, n);
  return n;
}
