/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-markdown"

#include "config.h"

#include <string.h>

#include "gw-markdown-private.h"

/* Line by line, with a stack of what the line stands in (quotations and items of lists), as
 * CommonMark has it, but for two things: line breaks within a paragraph are kept, because models
 * and people mean them, and lists may be indented carelessly. The stack and the tables are bounded,
 * so that no text makes a line cost more than its length. */

static void
close_containers (GwMarkdownParser *parser,
                  guint depth)
{
  _gw_markdown_close_block (parser);
  if (depth < parser->depth)
    {
      _gw_markdown_flush_marker (parser);
      parser->depth = depth;
    }
}

/* "[ ] " and "[x] " behind a bullet. */
static void
take_box (GwMarkdownParser *parser,
          GwMarkdownCursor *cursor)
{
  if (cursor->end - cursor->p < 4 || cursor->p[0] != '[' || cursor->p[2] != ']'
      || cursor->p[3] != ' ' || strchr (" xX", cursor->p[1]) == NULL)
    return;
  g_free (parser->marker);
  parser->marker = g_strdup (cursor->p[1] == ' ' ? "☐" : "☑");
  _gw_markdown_skip_characters (cursor, 4);
}

/* Below "1. x" an item is meant to be within it also where two columns are all its indent. */
static gboolean
is_item (const GwMarkdownCursor *cursor)
{
  GwMarkdownCursor next = *cursor;
  g_autofree char *marker = NULL;
  gboolean first;

  _gw_markdown_skip_columns (&next, _gw_markdown_get_indent (cursor, 64));
  return !_gw_markdown_is_rule (&next) && _gw_markdown_get_marker (&next, &marker, &first) > 0;
}

/* Goes into the containers that the line continues; how many those are. */
static guint
match_containers (GwMarkdownParser *parser,
                  GwMarkdownCursor *cursor)
{
  guint i;

  for (i = 0; i < parser->depth; i++)
    {
      if (parser->stack[i].quote)
        {
          guint indent = _gw_markdown_get_indent (cursor, 4);
          GwMarkdownCursor next = *cursor;

          _gw_markdown_skip_columns (&next, indent);
          if (indent > 3 || next.p >= next.end || *next.p != '>')
            break;
          _gw_markdown_skip_characters (&next, 1);
          _gw_markdown_skip_columns (&next, 1);
          *cursor = next;
        }
      else if (_gw_markdown_is_blank (cursor))
        continue;
      else
        {
          guint indent = _gw_markdown_get_indent (cursor, parser->stack[i].indent);

          if (indent < parser->stack[i].indent
              && (indent < parser->stack[i].start + 2 || !is_item (cursor)))
            break;
          _gw_markdown_skip_columns (cursor, indent);
        }
    }
  return i;
}

static gboolean
is_fence_end (GwMarkdownParser *parser,
              const GwMarkdownCursor *cursor)
{
  guint indent = _gw_markdown_get_indent (cursor, 4);
  GwMarkdownCursor next = *cursor;
  gsize run = 0;

  if (indent > 3)
    return FALSE;
  _gw_markdown_skip_columns (&next, indent);
  while (next.p < next.end && *next.p == parser->fence)
    {
      next.p++;
      run++;
    }
  return run >= parser->fence_length && _gw_markdown_is_blank (&next);
}

/* A line within fences or indented code; whether it was one. */
static gboolean
continue_code (GwMarkdownParser *parser,
               GwMarkdownCursor *cursor,
               guint matched)
{
  if (parser->open == OPEN_FENCE && matched == parser->depth)
    {
      if (is_fence_end (parser, cursor))
        _gw_markdown_close_block (parser);
      else
        {
          _gw_markdown_skip_columns (cursor, parser->fence_indent);
          _gw_markdown_append_line (parser, cursor);
        }
      return TRUE;
    }
  if (parser->open == OPEN_CODE && matched == parser->depth)
    {
      if (_gw_markdown_is_blank (cursor))
        {
          parser->blank_lines++;
          return TRUE;
        }
      if (_gw_markdown_get_indent (cursor, 4) >= 4)
        {
          for (; parser->blank_lines > 0; parser->blank_lines--)
            g_string_append_c (parser->text, '\n');
          _gw_markdown_skip_columns (cursor, 4);
          _gw_markdown_append_line (parser, cursor);
          return TRUE;
        }
    }
  return FALSE;
}

/* New quotations and items that begin in this line; whether there were any. */
static gboolean
open_containers (GwMarkdownParser *parser,
                 GwMarkdownCursor *cursor,
                 guint matched)
{
  gboolean opened = FALSE;

  while (parser->depth < GW_MARKDOWN_MAX_DEPTH || matched < parser->depth)
    {
      gboolean in_list = matched > 0 && !parser->stack[matched - 1].quote;
      guint indent = _gw_markdown_get_indent (cursor, 64);
      g_autofree char *marker = NULL;
      GwMarkdownCursor next = *cursor;
      gboolean first;
      guint width;
      guint spaces;

      _gw_markdown_skip_columns (&next, indent);
      if (indent > 3 && !in_list)
        break;
      if (next.p < next.end && *next.p == '>' && indent < 4)
        {
          close_containers (parser, matched);
          parser->stack[parser->depth++] = (GwMarkdownContainer){ TRUE, 0, 0 };
          _gw_markdown_skip_characters (&next, 1);
          _gw_markdown_skip_columns (&next, 1);
          *cursor = next;
          matched = parser->depth;
          opened = TRUE;
          continue;
        }
      if (_gw_markdown_is_rule (&next))
        break;
      width = _gw_markdown_get_marker (&next, &marker, &first);
      if (width == 0)
        break;
      /* "1986. A great year" within a paragraph is no list. */
      if (parser->open == OPEN_PARAGRAPH && !opened && matched == parser->depth && !in_list
          && (!first || next.p + width == next.end))
        break;
      close_containers (parser, matched);
      _gw_markdown_flush_marker (parser);
      _gw_markdown_skip_characters (&next, width);
      spaces = _gw_markdown_get_indent (&next, 5);
      if (spaces > 4 || _gw_markdown_is_blank (&next))
        spaces = 1;
      _gw_markdown_skip_columns (&next, spaces);
      parser->stack[parser->depth++]
          = (GwMarkdownContainer){ FALSE, indent, indent + width + spaces };
      parser->marker = g_steal_pointer (&marker);
      take_box (parser, &next);
      *cursor = next;
      matched = parser->depth;
      opened = TRUE;
    }
  return opened;
}

static void
take_line (GwMarkdownParser *parser,
           const char *start,
           const char *end)
{
  GwMarkdownCursor cursor = { start, end, 0, 0 };
  guint matched = match_containers (parser, &cursor);
  gboolean lazy;
  gboolean opened;
  guint indent;

  if (continue_code (parser, &cursor, matched))
    return;
  if (_gw_markdown_is_blank (&cursor))
    {
      /* It ends a quotation; a list only waits for what comes. */
      close_containers (parser, matched);
      return;
    }

  opened = open_containers (parser, &cursor, matched);
  lazy = !opened && matched < parser->depth && parser->open == OPEN_PARAGRAPH;
  indent = _gw_markdown_get_indent (&cursor, 64);
  if (_gw_markdown_is_blank (&cursor))
    return; /* an item that has only its marker so far */

  /* Text goes on in the paragraph even if it is not indented as that is. */
  if (indent > 3 && parser->open != OPEN_PARAGRAPH)
    {
      if (!opened && matched < parser->depth)
        close_containers (parser, matched);
      _gw_markdown_close_block (parser);
      parser->open = OPEN_CODE;
      _gw_markdown_skip_columns (&cursor, 4);
      _gw_markdown_append_line (parser, &cursor);
      return;
    }
  _gw_markdown_skip_columns (&cursor, indent);
  if (lazy)
    {
      GwMarkdownCursor look = cursor;
      guint run = 0;

      while (look.p + run < look.end && run < 3 && (look.p[run] == '`' || look.p[run] == '~'))
        run++;
      lazy = !_gw_markdown_is_rule (&look) && *look.p != '#' && run < 3 && *look.p != '|';
    }
  if (!lazy && !opened && matched < parser->depth)
    close_containers (parser, matched);

  if (parser->open == OPEN_TABLE)
    {
      if (memchr (cursor.p, '|', (gsize) (cursor.end - cursor.p)) != NULL)
        {
          _gw_markdown_append_line (parser, &cursor);
          return;
        }
      _gw_markdown_close_block (parser);
    }
  if (indent < 4 && !lazy)
    {
      if (_gw_markdown_take_underline (parser, &cursor) || _gw_markdown_take_table (parser, &cursor)
          || _gw_markdown_take_heading (parser, &cursor)
          || _gw_markdown_take_fence (parser, &cursor, indent))
        return;
      if (_gw_markdown_is_rule (&cursor))
        {
          _gw_markdown_close_block (parser);
          _gw_markdown_add_block (parser, GW_MARKDOWN_RULE)->text = g_strdup ("");
          return;
        }
    }
  if (parser->open != OPEN_PARAGRAPH)
    {
      _gw_markdown_close_block (parser);
      parser->open = OPEN_PARAGRAPH;
    }
  else
    g_string_append_c (parser->text, '\n');
  while (end > cursor.p && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  parser->last_line = parser->text->len;
  g_string_append_len (parser->text, cursor.p, end - cursor.p);
}

/**
 * gw_markdown_parse:
 * @text: what a model wrote
 * @length: bytes of it
 *
 * Returns: (transfer full) (element-type GwMarkdownBlock): its blocks, in order
 */
GPtrArray *
gw_markdown_parse (const char *text,
                   gsize length)
{
  g_autofree char *valid = NULL;
  GwMarkdownParser parser = { .blocks = _gw_markdown_blocks_new () };
  const char *p;
  const char *end;

  if (length > 0 && !g_utf8_validate (text, (gssize) length, NULL))
    {
      valid = g_utf8_make_valid (text, (gssize) length);
      text = valid;
      length = strlen (valid);
    }
  parser.text = g_string_new (NULL);
  end = text + length;
  for (p = text; p < end;)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));
      const char *next = stop != NULL ? stop + 1 : end;

      if (stop == NULL)
        stop = end;
      if (stop > p && stop[-1] == '\r')
        stop--;
      take_line (&parser, p, stop);
      p = next;
    }
  close_containers (&parser, 0);
  _gw_markdown_flush_marker (&parser);
  g_string_free (parser.text, TRUE);
  g_free (parser.info);
  g_free (parser.marker);
  return parser.blocks;
}
