/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-markdown"

#include "config.h"

#include <string.h>

#include "gw-markdown-private.h"

/* Blocks: the one that is open takes lines until it is closed; headings and tables are known by a
 * line of their own. */

static void
clear_span (gpointer data)
{
  g_clear_pointer (&((GwMarkdownSpan *) data)->uri, g_ref_string_release);
}

static void
free_block (gpointer data)
{
  GwMarkdownBlock *block = data;

  g_free (block->marker);
  g_free (block->info);
  g_free (block->text);
  g_clear_pointer (&block->spans, g_array_unref);
  g_free (block);
}

GPtrArray *
_gw_markdown_blocks_new (void)
{
  return g_ptr_array_new_with_free_func (free_block);
}

GwMarkdownBlock *
_gw_markdown_add_block (GwMarkdownParser *parser,
                        GwMarkdownKind kind)
{
  GwMarkdownBlock *block = g_new0 (GwMarkdownBlock, 1);
  guint i;

  block->kind = kind;
  for (i = 0; i < parser->depth; i++)
    {
      if (parser->stack[i].quote)
        block->quotes++;
      else
        block->depth++;
    }
  block->marker = g_steal_pointer (&parser->marker);
  g_ptr_array_add (parser->blocks, block);
  return block;
}

static void
take_text (GwMarkdownBlock *block,
           GString *text)
{
  block->length = text->len;
  block->text = g_strndup (text->str, text->len);
  g_string_truncate (text, 0);
}

void
_gw_markdown_set_inline (GwMarkdownBlock *block,
                         const char *text,
                         gsize length)
{
  _gw_markdown_read_inline (block, text, length);
  if (block->spans != NULL)
    g_array_set_clear_func (block->spans, clear_span);
}

void
_gw_markdown_append_line (GwMarkdownParser *parser,
                          const GwMarkdownCursor *cursor)
{
  GwMarkdownCursor rest = *cursor;

  /* What is left of a tab. */
  if (rest.partial > 0 && rest.p < rest.end)
    {
      _gw_markdown_pad (parser->text, 4 - rest.column % 4 - rest.partial, " ");
      rest.p++;
    }
  g_string_append_len (parser->text, rest.p, rest.end - rest.p);
  g_string_append_c (parser->text, '\n');
}

void
_gw_markdown_close_block (GwMarkdownParser *parser)
{
  GwMarkdownBlock *block;

  switch (parser->open)
    {
    case OPEN_PARAGRAPH:
      block = _gw_markdown_add_block (parser, GW_MARKDOWN_PARAGRAPH);
      _gw_markdown_set_inline (block, parser->text->str, parser->text->len);
      break;
    case OPEN_FENCE:
    case OPEN_CODE:
      block = _gw_markdown_add_block (parser, GW_MARKDOWN_CODE);
      block->info = g_steal_pointer (&parser->info);
      if (parser->text->len > 0)
        g_string_truncate (parser->text, parser->text->len - 1); /* its last line break */
      take_text (block, parser->text);
      break;
    case OPEN_TABLE:
      _gw_markdown_set_table (_gw_markdown_add_block (parser, GW_MARKDOWN_TABLE), parser->text);
      break;
    case OPEN_NOTHING:
    default:
      break;
    }
  g_string_truncate (parser->text, 0);
  parser->open = OPEN_NOTHING;
  parser->blank_lines = 0;
}

/* An item without a word still has its bullet. */
void
_gw_markdown_flush_marker (GwMarkdownParser *parser)
{
  if (parser->marker != NULL)
    _gw_markdown_add_block (parser, GW_MARKDOWN_PARAGRAPH)->text = g_strdup ("");
}

gboolean
_gw_markdown_take_fence (GwMarkdownParser *parser,
                         const GwMarkdownCursor *cursor,
                         guint indent)
{
  const char *p = cursor->p;
  const char *info;
  gsize run = 0;

  if (p >= cursor->end || (*p != '`' && *p != '~'))
    return FALSE;
  while (p + run < cursor->end && p[run] == *p)
    run++;
  info = p + run;
  if (run < 3 || (*p == '`' && memchr (info, '`', (gsize) (cursor->end - info)) != NULL))
    return FALSE;
  _gw_markdown_close_block (parser);
  parser->open = OPEN_FENCE;
  parser->fence = *p;
  parser->fence_length = run;
  parser->fence_indent = indent;
  g_free (parser->info);
  parser->info = g_strstrip (g_strndup (info, (gsize) MIN (cursor->end - info, 200)));
  if (!g_utf8_validate (parser->info, -1, NULL) || *parser->info == '\0')
    g_clear_pointer (&parser->info, g_free);
  else
    /* "python title=x": the language is the first word. */
    parser->info[strcspn (parser->info, " \t{,")] = '\0';
  return TRUE;
}

gboolean
_gw_markdown_take_heading (GwMarkdownParser *parser,
                           const GwMarkdownCursor *cursor)
{
  const char *p = cursor->p;
  const char *end = cursor->end;
  GwMarkdownBlock *block;
  guint level = 0;

  while (p < end && *p == '#' && level < 7)
    {
      p++;
      level++;
    }
  if (level == 0 || level > 6 || (p < end && *p != ' ' && *p != '\t'))
    return FALSE;
  while (p < end && (*p == ' ' || *p == '\t'))
    p++;
  while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  /* "## Title ##" */
  {
    const char *tail = end;

    while (tail > p && tail[-1] == '#')
      tail--;
    if (tail == p || tail[-1] == ' ' || tail[-1] == '\t')
      end = tail;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
      end--;
  }
  _gw_markdown_close_block (parser);
  block = _gw_markdown_add_block (parser, GW_MARKDOWN_HEADING);
  block->level = level;
  _gw_markdown_set_inline (block, p, (gsize) (end - p));
  return TRUE;
}

/* "Title" and a line of "===" or "---" below it. */
gboolean
_gw_markdown_take_underline (GwMarkdownParser *parser,
                             const GwMarkdownCursor *cursor)
{
  const char *p = cursor->p;
  const char *end = cursor->end;
  GwMarkdownBlock *block;
  char mark;

  while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  if (parser->open != OPEN_PARAGRAPH || p == end || (*p != '=' && *p != '-'))
    return FALSE;
  for (mark = *p; p < end; p++)
    if (*p != mark)
      return FALSE;
  block = _gw_markdown_add_block (parser, GW_MARKDOWN_HEADING);
  block->level = mark == '=' ? 1 : 2;
  _gw_markdown_set_inline (block, parser->text->str, parser->text->len);
  parser->open = OPEN_NOTHING;
  g_string_truncate (parser->text, 0);
  return TRUE;
}

/* The line below a table's head makes it one. */
gboolean
_gw_markdown_take_table (GwMarkdownParser *parser,
                         const GwMarkdownCursor *cursor)
{
  g_autoptr (GPtrArray) head = NULL;
  g_autoptr (GPtrArray) rule = NULL;
  const char *last = parser->text->str + parser->last_line;

  if (parser->open != OPEN_PARAGRAPH || !_gw_markdown_is_table_rule (cursor->p, cursor->end))
    return FALSE;
  head = _gw_markdown_split_row (last, parser->text->str + parser->text->len);
  rule = _gw_markdown_split_row (cursor->p, cursor->end);
  if (head->len != rule->len)
    return FALSE;
  if (last > parser->text->str)
    {
      g_autofree char *line = g_strdup (last);

      g_string_truncate (parser->text, (gsize) (last - parser->text->str) - 1);
      _gw_markdown_close_block (parser);
      g_string_assign (parser->text, line);
    }
  parser->open = OPEN_TABLE;
  g_string_append_c (parser->text, '\n');
  g_string_append_len (parser->text, cursor->p, cursor->end - cursor->p);
  g_string_append_c (parser->text, '\n');
  return TRUE;
}
