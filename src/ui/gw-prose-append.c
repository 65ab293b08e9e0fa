/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-prose"

#include "config.h"

#include <string.h>

#include "gw-prose-private.h"
#include "gw-text.h"

/* Text in: slices of blocks, with their tags, margins and links, and what is searched marked. Very
 * long lines are broken where they are shown, since a line is laid out in one go. */

#define SLICE_BYTES (2 * 1024)
#define MAX_LINE_BYTES 3000

static void
add_text (GwProse *self,
          const char *text,
          gsize length)
{
  g_string_append_len (self->text, text, (gssize) length);
  self->text_chars += (int) g_utf8_strlen (text, (gssize) length);
}

/* Adds at the end, and breaks lines that never end. */
static void
insert (GwProse *self,
        const char *text,
        gsize length)
{
  const char *end = text + length;

  while (text < end)
    {
      const char *line = memchr (text, '\n', (gsize) (end - text));
      const char *stop = line != NULL ? line + 1 : end;

      if (self->line_bytes + (gsize) (stop - text) > MAX_LINE_BYTES)
        {
          gsize room = MAX_LINE_BYTES - MIN (self->line_bytes, MAX_LINE_BYTES);
          const char *space;

          stop = text + MIN (room, (gsize) (end - text));
          while (stop > text && stop < end && ((guchar) *stop & 0xc0) == 0x80)
            stop--;
          space = memrchr (text, ' ', (gsize) (stop - text));
          if (space != NULL && stop - space < 200)
            stop = space + 1;
          add_text (self, text, (gsize) (stop - text));
          add_text (self, "\n", 1);
          self->line_bytes = 0;
        }
      else
        {
          add_text (self, text, (gsize) (stop - text));
          self->line_bytes = line != NULL ? 0 : self->line_bytes + (gsize) (stop - text);
        }
      text = stop;
    }
}

static int
get_end_offset (GwProse *self)
{
  return gtk_text_buffer_get_char_count (_gw_prose_get_buffer (self)) + self->text_chars;
}

/* @tag: a static name */
static void
apply (GwProse *self,
       const char *tag,
       int start)
{
  GwProseRange range = { tag, start, get_end_offset (self) };

  g_array_append_val (self->ranges, range);
}

/* Marks what is searched from @first on, also where it began before. */
static void
mark_found (GwProse *self,
            int first)
{
  GtkTextBuffer *buffer = _gw_prose_get_buffer (self);
  int at = MAX (first - (int) g_utf8_strlen (self->needle, -1), 0);
  g_autofree char *text = NULL;
  const char *rest;
  GtkTextIter from;
  GtkTextIter to;
  gsize start;
  gsize end;

  gtk_text_buffer_get_iter_at_offset (buffer, &from, at);
  gtk_text_buffer_get_end_iter (buffer, &to);
  text = gtk_text_buffer_get_slice (buffer, &from, &to, TRUE);
  for (rest = text; gw_text_find (rest, self->needle, &start, &end); rest += end)
    {
      at += (int) g_utf8_strlen (rest, (gssize) start);
      gtk_text_buffer_get_iter_at_offset (buffer, &from, at);
      at += (int) g_utf8_strlen (rest + start, (gssize) (end - start));
      gtk_text_buffer_get_iter_at_offset (buffer, &to, at);
      gtk_text_buffer_apply_tag_by_name (buffer, "found", &from, &to);
    }
}

static void
flush (GwProse *self)
{
  GtkTextBuffer *buffer = _gw_prose_get_buffer (self);
  int first = gtk_text_buffer_get_char_count (buffer);
  GtkTextIter from;
  GtkTextIter to;
  guint i;

  gtk_text_buffer_get_end_iter (buffer, &to);
  gtk_text_buffer_insert (buffer, &to, self->text->str, (int) self->text->len);
  g_string_truncate (self->text, 0);
  self->text_chars = 0;
  for (i = 0; i < self->ranges->len; i++)
    {
      const GwProseRange *range = &g_array_index (self->ranges, GwProseRange, i);

      gtk_text_buffer_get_iter_at_offset (buffer, &from, range->start);
      gtk_text_buffer_get_iter_at_offset (buffer, &to, range->end);
      gtk_text_buffer_apply_tag_by_name (buffer, range->tag, &from, &to);
    }
  g_array_set_size (self->ranges, 0);
  if (self->needle != NULL)
    mark_found (self, first);
}

/* @needle: (nullable): what is marked in all that is appended from now on. */
void
gw_prose_set_needle (GwProse *self,
                     const char *needle)
{
  g_return_if_fail (GW_IS_PROSE (self));

  g_free (self->needle);
  self->needle = needle != NULL && *needle != '\0' ? g_strdup (needle) : NULL;
}

/* A place not within a character, and at a space or line end where one is near. */
static gsize
get_stop (const char *text,
          gsize length,
          gsize from)
{
  gsize stop = from + SLICE_BYTES;
  const char *line;

  if (stop >= length)
    return length;
  line = memrchr (text + from, '\n', stop - from);
  if (line != NULL)
    return (gsize) (line - text) + 1;
  while (stop > from && ((guchar) text[stop] & 0xc0) == 0x80)
    stop--;
  return stop;
}

gsize
gw_prose_append_plain (GwProse *self,
                       const char *text,
                       gsize length,
                       gsize from)
{
  gsize stop;

  g_return_val_if_fail (GW_IS_PROSE (self), length);

  stop = get_stop (text, length, from);
  insert (self, text + from, stop - from);
  flush (self);
  _gw_prose_settle (self);
  return stop;
}

/* By its first letter, as the layout has it. */
static gboolean
is_rtl (const GwMarkdownBlock *block)
{
  const char *end = block->text + MIN (block->length, 1000);
  const char *p;

  for (p = block->text; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (!g_unichar_isalpha (c))
        continue;
      switch ((int) g_unichar_get_script (c))
        {
        case G_UNICODE_SCRIPT_ARABIC:
        case G_UNICODE_SCRIPT_HEBREW:
        case G_UNICODE_SCRIPT_SYRIAC:
        case G_UNICODE_SCRIPT_THAANA:
        case G_UNICODE_SCRIPT_NKO:
          return TRUE;
        default:
          return FALSE;
        }
    }
  return FALSE;
}

static void
insert_spans (GwProse *self,
              const GwMarkdownBlock *block,
              gsize from,
              gsize to)
{
  static const struct {
    guint style;
    const char *tag;
  } styles[] = {
    { GW_MARKDOWN_EMPHASIS, "emphasis" }, { GW_MARKDOWN_STRONG, "strong" },
    { GW_MARKDOWN_STRIKE, "strike" },     { GW_MARKDOWN_CODE_SPAN, "code" },
    { GW_MARKDOWN_LINK, "link" },
  };
  guint n = block->spans != NULL ? block->spans->len : 0;
  guint low = 0;
  guint high = n;

  /* The first span that ends behind @from. */
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (block->spans, GwMarkdownSpan, middle).end <= from)
        low = middle + 1;
      else
        high = middle;
    }
  for (; low < n && from < to; low++)
    {
      const GwMarkdownSpan *span = &g_array_index (block->spans, GwMarkdownSpan, low);
      gsize end = MIN (span->end, to);
      int start;
      guint i;

      if (span->start >= to)
        break;
      if (span->start > from)
        insert (self, block->text + from, span->start - from);
      from = MAX (from, span->start);
      start = get_end_offset (self);
      insert (self, block->text + from, end - from);
      for (i = 0; i < G_N_ELEMENTS (styles); i++)
        if (span->style & styles[i].style)
          apply (self, styles[i].tag, start);
      if (span->uri != NULL)
        {
          GwProseLink link = { start, get_end_offset (self), g_ref_string_acquire (span->uri) };

          g_array_append_val (self->links, link);
        }
      from = end;
    }
  if (from < to)
    insert (self, block->text + from, to - from);
}

/**
 * gw_prose_append_block:
 * @block: what to show
 * @from: 0, then what this gave
 *
 * Code and tables too, where there is no other place for them.
 *
 * Returns: where to go on; the block's length when all of it is there
 */
gsize
gw_prose_append_block (GwProse *self,
                       const GwMarkdownBlock *block,
                       gsize from)
{
  GtkTextBuffer *buffer;
  GtkTextTag *margin;
  GtkTextIter at;
  GtkTextIter end;
  gboolean rtl;
  gsize to;
  int start;
  int whole;

  g_return_val_if_fail (GW_IS_PROSE (self), block->length);

  buffer = _gw_prose_get_buffer (self);
  to = get_stop (block->text, block->length, from);
  if (from == 0 && get_end_offset (self) > 0)
    {
      self->line_bytes = 0;
      insert (self, "\n", 1);
    }
  whole = start = get_end_offset (self);
  if (from == 0 && block->marker != NULL)
    {
      insert (self, block->marker, strlen (block->marker));
      insert (self, "\t", 1);
      apply (self, "mark", start);
      start = get_end_offset (self);
    }
  if (block->kind == GW_MARKDOWN_RULE)
    insert (self, "────────", strlen ("────────"));
  else
    insert_spans (self, block, from, to);

  switch (block->kind)
    {
    case GW_MARKDOWN_HEADING:
      {
        static const char *const names[] = { "h1", "h2", "h3", "h4", "h5", "h6" };

        apply (self, names[CLAMP (block->level, 1, 6) - 1], whole);
        break;
      }
    case GW_MARKDOWN_CODE:
    case GW_MARKDOWN_TABLE:
      apply (self, "block", whole);
      break;
    case GW_MARKDOWN_RULE:
      apply (self, "mark", whole);
      break;
    case GW_MARKDOWN_PARAGRAPH:
    default:
      break;
    }
  if (block->quotes > 0)
    apply (self, "quote", whole);
  flush (self);
  rtl = is_rtl (block);
  gtk_text_buffer_get_iter_at_offset (buffer, &at, whole);
  /* A line's paragraph tags are those of its first character. */
  if (block->depth > 0 || block->quotes > 0)
    {
      if (block->marker != NULL && from == 0)
        {
          GtkTextIter line = at;

          gtk_text_iter_forward_line (&line);
          margin = _gw_prose_get_margin (self, block->depth, block->quotes, TRUE, rtl);
          gtk_text_buffer_apply_tag (buffer, margin, &at, &line);
          gtk_text_buffer_get_end_iter (buffer, &end);
          margin = _gw_prose_get_margin (self, block->depth, block->quotes, FALSE, rtl);
          if (gtk_text_iter_compare (&line, &end) < 0)
            gtk_text_buffer_apply_tag (buffer, margin, &line, &end);
        }
      else
        {
          gtk_text_buffer_get_end_iter (buffer, &end);
          margin = _gw_prose_get_margin (self, block->depth, block->quotes, FALSE, rtl);
          gtk_text_buffer_apply_tag (buffer, margin, &at, &end);
        }
    }
  if (from == 0 && whole > 0)
    {
      gtk_text_buffer_get_iter_at_offset (buffer, &at, whole);
      end = at;
      gtk_text_iter_forward_char (&end);
      gtk_text_buffer_apply_tag_by_name (buffer,
                                         block->kind == GW_MARKDOWN_HEADING ? "title"
                                         : block->marker != NULL            ? "item"
                                                                            : "first",
                                         &at, &end);
    }
  _gw_prose_settle (self);
  return to;
}
