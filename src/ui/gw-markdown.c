/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-markdown"

#include "config.h"

#include <string.h>

#include "gw-markdown-private.h"

/* Line by line, with a stack of what the line stands in (quotations and items of lists), as
 * CommonMark has it, but for two things: line breaks within a paragraph are kept, because models
 * and people mean them, and lists may be indented carelessly. The stack and the tables are bounded,
 * so that no text makes a line cost more than its length. */

#define MAX_DEPTH 16

typedef struct {
  gboolean quote;
  guint start;  /* of an item: the column of its marker, from where its own container's ends */
  guint indent; /* and that of its content */
} Container;

typedef enum { OPEN_NOTHING, OPEN_PARAGRAPH, OPEN_FENCE, OPEN_CODE, OPEN_TABLE } OpenBlock;

typedef struct {
  GPtrArray *blocks;
  Container stack[MAX_DEPTH];
  guint depth;
  char *marker;         /* (nullable) of the item whose first block is still to come */

  OpenBlock open;
  GString *text;        /* of the open block */
  gsize last_line;      /* where that begins in it */
  char *info;
  char fence;
  gsize fence_length;
  guint fence_indent;
  guint blank_lines;    /* within indented code, not yet known whether they belong to it */
} Parser;

/* A place in a line: tabs are columns. */
typedef struct {
  const char *p;
  const char *end;
  guint column;
  guint partial; /* columns of the tab at @p that are used up */
} Cursor;

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

/* --- Cursor ----------------------------------------------------------------------------------- */

/* Columns of white space here, at most @limit. */
static guint
get_indent (const Cursor *cursor,
            guint limit)
{
  const char *p = cursor->p;
  guint column = cursor->column;
  guint start = column + cursor->partial;

  while (p < cursor->end && column - MIN (start, column) < limit && (*p == ' ' || *p == '\t'))
    column += *p++ == '\t' ? 4 - column % 4 : 1;
  return column > start ? column - start : 0;
}

static void
skip_columns (Cursor *cursor,
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

static void
skip_characters (Cursor *cursor,
                 guint n)
{
  cursor->p += n;
  cursor->column += n;
  cursor->partial = 0;
}

static gboolean
is_blank (const Cursor *cursor)
{
  const char *p = cursor->p;

  while (p < cursor->end && (*p == ' ' || *p == '\t'))
    p++;
  return p == cursor->end;
}

/* --- Blocks ----------------------------------------------------------------------------------- */

static GwMarkdownBlock *
add_block (Parser *parser,
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

/* --- The open block --------------------------------------------------------------------------- */

static void
close_block (Parser *parser)
{
  GwMarkdownBlock *block;

  switch (parser->open)
    {
    case OPEN_PARAGRAPH:
      block = add_block (parser, GW_MARKDOWN_PARAGRAPH);
      _gw_markdown_set_inline (block, parser->text->str, parser->text->len);
      break;
    case OPEN_FENCE:
    case OPEN_CODE:
      block = add_block (parser, GW_MARKDOWN_CODE);
      block->info = g_steal_pointer (&parser->info);
      if (parser->text->len > 0)
        g_string_truncate (parser->text, parser->text->len - 1); /* its last line break */
      take_text (block, parser->text);
      break;
    case OPEN_TABLE:
      _gw_markdown_set_table (add_block (parser, GW_MARKDOWN_TABLE), parser->text);
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
static void
flush_marker (Parser *parser)
{
  if (parser->marker != NULL)
    add_block (parser, GW_MARKDOWN_PARAGRAPH)->text = g_strdup ("");
}

static void
close_containers (Parser *parser,
                  guint depth)
{
  close_block (parser);
  if (depth < parser->depth)
    {
      flush_marker (parser);
      parser->depth = depth;
    }
}

/* --- What a line begins ----------------------------------------------------------------------- */

static gboolean
is_rule (const Cursor *cursor)
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
static guint
get_marker (const Cursor *cursor,
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

static gboolean
take_fence (Parser *parser,
            const Cursor *cursor,
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
  close_block (parser);
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

static gboolean
take_heading (Parser *parser,
              const Cursor *cursor)
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
  close_block (parser);
  block = add_block (parser, GW_MARKDOWN_HEADING);
  block->level = level;
  _gw_markdown_set_inline (block, p, (gsize) (end - p));
  return TRUE;
}

/* "Title" and a line of "===" or "---" below it. */
static gboolean
take_underline (Parser *parser,
                const Cursor *cursor)
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
  block = add_block (parser, GW_MARKDOWN_HEADING);
  block->level = mark == '=' ? 1 : 2;
  _gw_markdown_set_inline (block, parser->text->str, parser->text->len);
  parser->open = OPEN_NOTHING;
  g_string_truncate (parser->text, 0);
  return TRUE;
}

/* The line below a table's head makes it one. */
static gboolean
take_table (Parser *parser,
            const Cursor *cursor)
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
      close_block (parser);
      g_string_assign (parser->text, line);
    }
  parser->open = OPEN_TABLE;
  g_string_append_c (parser->text, '\n');
  g_string_append_len (parser->text, cursor->p, cursor->end - cursor->p);
  g_string_append_c (parser->text, '\n');
  return TRUE;
}

/* "[ ] " and "[x] " behind a bullet. */
static void
take_box (Parser *parser,
          Cursor *cursor)
{
  if (cursor->end - cursor->p < 4 || cursor->p[0] != '[' || cursor->p[2] != ']'
      || cursor->p[3] != ' ' || strchr (" xX", cursor->p[1]) == NULL)
    return;
  g_free (parser->marker);
  parser->marker = g_strdup (cursor->p[1] == ' ' ? "☐" : "☑");
  skip_characters (cursor, 4);
}

/* --- Lines ------------------------------------------------------------------------------------ */

/* Below "1. x" an item is meant to be within it also where two columns are all its indent. */
static gboolean
is_item (const Cursor *cursor)
{
  Cursor next = *cursor;
  g_autofree char *marker = NULL;
  gboolean first;

  skip_columns (&next, get_indent (cursor, 64));
  return !is_rule (&next) && get_marker (&next, &marker, &first) > 0;
}

/* Goes into the containers that the line continues; how many those are. */
static guint
match_containers (Parser *parser,
                  Cursor *cursor)
{
  guint i;

  for (i = 0; i < parser->depth; i++)
    {
      if (parser->stack[i].quote)
        {
          guint indent = get_indent (cursor, 4);
          Cursor next = *cursor;

          skip_columns (&next, indent);
          if (indent > 3 || next.p >= next.end || *next.p != '>')
            break;
          skip_characters (&next, 1);
          skip_columns (&next, 1);
          *cursor = next;
        }
      else if (is_blank (cursor))
        continue;
      else
        {
          guint indent = get_indent (cursor, parser->stack[i].indent);

          if (indent < parser->stack[i].indent
              && (indent < parser->stack[i].start + 2 || !is_item (cursor)))
            break;
          skip_columns (cursor, indent);
        }
    }
  return i;
}

static gboolean
is_fence_end (Parser *parser,
              const Cursor *cursor)
{
  guint indent = get_indent (cursor, 4);
  Cursor next = *cursor;
  gsize run = 0;

  if (indent > 3)
    return FALSE;
  skip_columns (&next, indent);
  while (next.p < next.end && *next.p == parser->fence)
    {
      next.p++;
      run++;
    }
  return run >= parser->fence_length && is_blank (&next);
}

static void
append_line (Parser *parser,
             const Cursor *cursor)
{
  Cursor rest = *cursor;

  /* What is left of a tab. */
  if (rest.partial > 0 && rest.p < rest.end)
    {
      _gw_markdown_pad (parser->text, 4 - rest.column % 4 - rest.partial, " ");
      rest.p++;
    }
  g_string_append_len (parser->text, rest.p, rest.end - rest.p);
  g_string_append_c (parser->text, '\n');
}

/* A line within fences or indented code; whether it was one. */
static gboolean
continue_code (Parser *parser,
               Cursor *cursor,
               guint matched)
{
  if (parser->open == OPEN_FENCE && matched == parser->depth)
    {
      if (is_fence_end (parser, cursor))
        close_block (parser);
      else
        {
          skip_columns (cursor, parser->fence_indent);
          append_line (parser, cursor);
        }
      return TRUE;
    }
  if (parser->open == OPEN_CODE && matched == parser->depth)
    {
      if (is_blank (cursor))
        {
          parser->blank_lines++;
          return TRUE;
        }
      if (get_indent (cursor, 4) >= 4)
        {
          for (; parser->blank_lines > 0; parser->blank_lines--)
            g_string_append_c (parser->text, '\n');
          skip_columns (cursor, 4);
          append_line (parser, cursor);
          return TRUE;
        }
    }
  return FALSE;
}

/* New quotations and items that begin in this line; whether there were any. */
static gboolean
open_containers (Parser *parser,
                 Cursor *cursor,
                 guint matched)
{
  gboolean opened = FALSE;

  while (parser->depth < MAX_DEPTH || matched < parser->depth)
    {
      gboolean in_list = matched > 0 && !parser->stack[matched - 1].quote;
      guint indent = get_indent (cursor, 64);
      g_autofree char *marker = NULL;
      Cursor next = *cursor;
      gboolean first;
      guint width;
      guint spaces;

      skip_columns (&next, indent);
      if (indent > 3 && !in_list)
        break;
      if (next.p < next.end && *next.p == '>' && indent < 4)
        {
          close_containers (parser, matched);
          parser->stack[parser->depth++] = (Container){ TRUE, 0, 0 };
          skip_characters (&next, 1);
          skip_columns (&next, 1);
          *cursor = next;
          matched = parser->depth;
          opened = TRUE;
          continue;
        }
      if (is_rule (&next))
        break;
      width = get_marker (&next, &marker, &first);
      if (width == 0)
        break;
      /* "1986. A great year" within a paragraph is no list. */
      if (parser->open == OPEN_PARAGRAPH && !opened && matched == parser->depth && !in_list
          && (!first || next.p + width == next.end))
        break;
      close_containers (parser, matched);
      flush_marker (parser);
      skip_characters (&next, width);
      spaces = get_indent (&next, 5);
      if (spaces > 4 || is_blank (&next))
        spaces = 1;
      skip_columns (&next, spaces);
      parser->stack[parser->depth++] = (Container){ FALSE, indent, indent + width + spaces };
      parser->marker = g_steal_pointer (&marker);
      take_box (parser, &next);
      *cursor = next;
      matched = parser->depth;
      opened = TRUE;
    }
  return opened;
}

static void
take_line (Parser *parser,
           const char *start,
           const char *end)
{
  Cursor cursor = { start, end, 0, 0 };
  guint matched = match_containers (parser, &cursor);
  gboolean lazy;
  gboolean opened;
  guint indent;

  if (continue_code (parser, &cursor, matched))
    return;
  if (is_blank (&cursor))
    {
      /* It ends a quotation; a list only waits for what comes. */
      close_containers (parser, matched);
      return;
    }

  opened = open_containers (parser, &cursor, matched);
  lazy = !opened && matched < parser->depth && parser->open == OPEN_PARAGRAPH;
  indent = get_indent (&cursor, 64);
  if (is_blank (&cursor))
    return; /* an item that has only its marker so far */

  /* Text goes on in the paragraph even if it is not indented as that is. */
  if (indent > 3 && parser->open != OPEN_PARAGRAPH)
    {
      if (!opened && matched < parser->depth)
        close_containers (parser, matched);
      close_block (parser);
      parser->open = OPEN_CODE;
      skip_columns (&cursor, 4);
      append_line (parser, &cursor);
      return;
    }
  skip_columns (&cursor, indent);
  if (lazy)
    {
      Cursor look = cursor;
      guint run = 0;

      while (look.p + run < look.end && run < 3 && (look.p[run] == '`' || look.p[run] == '~'))
        run++;
      lazy = !is_rule (&look) && *look.p != '#' && run < 3 && *look.p != '|';
    }
  if (!lazy && !opened && matched < parser->depth)
    close_containers (parser, matched);

  if (parser->open == OPEN_TABLE)
    {
      if (memchr (cursor.p, '|', (gsize) (cursor.end - cursor.p)) != NULL)
        {
          append_line (parser, &cursor);
          return;
        }
      close_block (parser);
    }
  if (indent < 4 && !lazy)
    {
      if (take_underline (parser, &cursor) || take_table (parser, &cursor)
          || take_heading (parser, &cursor) || take_fence (parser, &cursor, indent))
        return;
      if (is_rule (&cursor))
        {
          close_block (parser);
          add_block (parser, GW_MARKDOWN_RULE)->text = g_strdup ("");
          return;
        }
    }
  if (parser->open != OPEN_PARAGRAPH)
    {
      close_block (parser);
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
  Parser parser = { .blocks = g_ptr_array_new_with_free_func (free_block) };
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
  flush_marker (&parser);
  g_string_free (parser.text, TRUE);
  g_free (parser.info);
  g_free (parser.marker);
  return parser.blocks;
}
