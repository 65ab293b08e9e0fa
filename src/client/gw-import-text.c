/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Encodings, and the kinds of files that are plain text: txt and md. */

#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-private.h"

static void
set_not_text (GError **error)
{
  g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                       _("This is not a text file. Export it as text or CSV, then import that"));
}

static gboolean
has_prefix (const char *bytes,
            gsize length,
            const char *prefix,
            gsize prefix_length)
{
  return length >= prefix_length && memcmp (bytes, prefix, prefix_length) == 0;
}

static GwEncoding
sniff (const char *bytes,
       gsize length)
{
  if (has_prefix (bytes, length, "\xff\xfe", 2))
    return GW_ENCODING_UTF16LE;
  if (has_prefix (bytes, length, "\xfe\xff", 2))
    return GW_ENCODING_UTF16BE;
  if (g_utf8_validate_len (bytes, length, NULL))
    return GW_ENCODING_UTF8;

  return GW_ENCODING_GB18030;
}

/* Whether any byte is a control character that no text has. */
static gboolean
has_controls (const char *bytes,
              gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      if ((guchar) bytes[i] < 0x20 && strchr ("\t\n\r\f\v\x1a\x1b", bytes[i]) == NULL)
        return TRUE;
      if (bytes[i] == '\0')
        return TRUE;
    }

  return FALSE;
}

char *
_gw_import_decode (const char *bytes,
                   gsize length,
                   GwEncoding *encoding,
                   gsize *text_length,
                   GError **error)
{
  static const char *const names[] = {
    [GW_ENCODING_UTF16LE] = "UTF-16LE",
    [GW_ENCODING_UTF16BE] = "UTF-16BE",
    [GW_ENCODING_GB18030] = "GB18030",
  };
  g_autofree char *text = NULL;

  if (*encoding == GW_ENCODING_AUTO)
    *encoding = sniff (bytes, length);

  if (*encoding == GW_ENCODING_UTF8)
    {
      gsize skip = has_prefix (bytes, length, "\xef\xbb\xbf", 3) ? 3 : 0;

      if (!g_utf8_validate_len (bytes + skip, length - skip, NULL))
        {
          set_not_text (error);
          return NULL;
        }
      text = g_strndup (bytes + skip, length - skip);
      *text_length = length - skip;
      return g_steal_pointer (&text);
    }

  if (*encoding == GW_ENCODING_GB18030 && has_controls (bytes, length))
    {
      set_not_text (error);
      return NULL;
    }
  if (*encoding == sniff (bytes, length) && *encoding != GW_ENCODING_GB18030)
    {
      bytes += 2;
      length -= 2;
    }
  text = length > 0 ? g_convert (bytes, length, "UTF-8", names[*encoding], NULL, text_length, NULL)
                    : g_strdup ("");
  if (text == NULL || memchr (text, '\0', *text_length) != NULL
      || !g_utf8_validate_len (text, *text_length, NULL))
    {
      set_not_text (error);
      return NULL;
    }

  return g_steal_pointer (&text);
}

/* Lines of a text that is being cut into them. */
typedef struct {
  char *next;   /* (nullable) */
  guint number; /* of the line that was given last */
} Lines;

/* Gives the next line, its end cut off; NULL behind the last. */
static char *
next_line (Lines *lines)
{
  char *line = lines->next;
  char *end;

  if (line == NULL || *line == '\0')
    return NULL;

  end = strpbrk (line, "\r\n");
  if (end == NULL)
    lines->next = NULL;
  else
    {
      lines->next = end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);
      *end = '\0';
    }
  lines->number++;

  return line;
}

/* Files that were joined have byte order marks in their middle. */
static gboolean
is_space (const char *character)
{
  gunichar c = g_utf8_get_char (character);

  return g_unichar_isspace (c) || c == 0xfeff;
}

static const char *
skip_space (const char *text)
{
  while (*text != '\0' && is_space (text))
    text = g_utf8_next_char (text);

  return text;
}

static char *
trimmed (const char *text)
{
  const char *first = skip_space (text);
  const char *end = first + strlen (first);

  while (end > first)
    {
      const char *previous = g_utf8_prev_char (end);

      if (!is_space (previous))
        break;
      end = previous;
    }

  return g_strndup (first, end - first);
}

static const char *
lookup_task (const char *name,
             gpointer user_data)
{
  return user_data;
}

static void
add_task (GwImportJob *job,
          guint row,
          char *task)
{
  g_autofree char *owned = task;

  if (job->template != NULL && !_gw_import_is_blank (task))
    _gw_import_add_entry (job, row, gw_template_expand (job->template, lookup_task, task), NULL);
  else
    _gw_import_add_entry (job, row, g_steal_pointer (&owned), NULL);
}

/* A task of several lines that is being gathered. */
typedef struct {
  GString *text;
  guint row;      /* of its first line that is not blank */
} Chunk;

static void
chunk_add (Chunk *chunk,
           const char *line,
           guint row)
{
  if (chunk->text->len == 0)
    {
      if (_gw_import_is_blank (line))
        return;
      chunk->row = row;
    }
  else
    g_string_append_c (chunk->text, '\n');
  g_string_append (chunk->text, line);
}

static void
chunk_end (Chunk *chunk,
           GwImportJob *job)
{
  if (chunk->text->len > 0)
    {
      char *task = g_strdup (chunk->text->str);

      g_strchomp (task);
      add_task (job, chunk->row, task);
    }
  g_string_truncate (chunk->text, 0);
}

/* Three or more hyphens and nothing else. */
static gboolean
is_rule (const char *line)
{
  gsize hyphens = strspn (line, "-");

  return hyphens >= 3 && _gw_import_is_blank (line + hyphens);
}

typedef struct {
  char mark;
  gsize length;   /* 0: outside */
} Fence;

/* Follows the fences of Markdown; returns whether @line is inside one, or is one. */
static gboolean
in_fence (const char *line,
          Fence *fence)
{
  const char *first = line + strspn (line, " ");
  gsize length = strspn (first, *first == '~' ? "~" : "`");
  gboolean is_fence = first - line <= 3 && length >= 3;

  /* Closed by as many of the same, or more, and nothing behind them. */
  if (fence->length > 0)
    {
      if (is_fence && *first == fence->mark && length >= fence->length
          && _gw_import_is_blank (first + length))
        fence->length = 0;
      return TRUE;
    }
  /* A line of code in the text, ```so```, opens none. */
  if (is_fence && *first == '`' && strchr (first + length, '`') != NULL)
    return FALSE;
  if (is_fence)
    {
      fence->mark = *first;
      fence->length = length;
    }

  return is_fence;
}

static gboolean
is_heading (const char *line)
{
  gsize level = strspn (line, "#");

  return level >= 1 && level <= 6 && (line[level] == ' ' || line[level] == '\0');
}

/* The text behind the marker of a list item; NULL where @line is none. */
static const char *
item_text (const char *line)
{
  gsize digits = strspn (line, "0123456789");

  if (strchr ("-*+", line[0]) != NULL && line[0] != '\0' && line[1] == ' ')
    line += 2;
  else if (digits > 0 && digits <= 9 && (line[digits] == '.' || line[digits] == ')')
           && line[digits + 1] == ' ')
    line += digits + 2;
  else
    return NULL;

  if (g_str_has_prefix (line, "[ ] ") || g_str_has_prefix (line, "[x] ")
      || g_str_has_prefix (line, "[X] "))
    line += 4;

  return line;
}

/* The length of a front-matter block, its two lines of hyphens included; 0 without one. */
static gsize
front_matter_length (const char *text)
{
  const char *p = text;
  gboolean first = TRUE;

  while (*p != '\0')
    {
      gsize length = strcspn (p, "\r\n");
      g_autofree char *line = g_strndup (p, length);

      p += length;
      if (p[0] == '\r' && p[1] == '\n')
        p++;
      if (*p != '\0')
        p++;
      if (first && !is_rule (line))
        return 0;
      if (!first && is_rule (line))
        return p - text;
      first = FALSE;
    }

  return 0;
}

static gboolean
has_rule (const char *text)
{
  g_autofree char *copy = g_strdup (text);
  Lines lines = { .next = copy };
  Fence fence = { 0 };
  char *line;

  while ((line = next_line (&lines)) != NULL)
    {
      if (!in_fence (line, &fence) && is_rule (line))
        return TRUE;
    }

  return FALSE;
}

static void
split_lines (GwImportJob *job,
             char *text)
{
  Lines lines = { .next = text };
  char *line;

  while (!g_cancellable_is_cancelled (job->cancellable) && (line = next_line (&lines)) != NULL)
    {
      char *task = trimmed (line);

      if (job->options->skip_notes && *task == '#')
        g_free (task);
      else
        add_task (job, lines.number, task);
    }
}

static void
split_chunks (GwImportJob *job,
              char *text,
              guint lines_before,
              GwImportSplit split)
{
  Lines lines = { .next = text, .number = lines_before };
  Chunk chunk = { .text = g_string_new (NULL) };
  gboolean is_md = job->import->kind == GW_IMPORT_KIND_MD || split == GW_SPLIT_HEADING;
  Fence fence = { 0 };
  char *line;

  while ((line = next_line (&lines)) != NULL)
    {
      gboolean fenced = is_md && in_fence (line, &fence);
      gboolean ends = !fenced
                      && ((split == GW_SPLIT_BLANK && _gw_import_is_blank (line))
                          || (split == GW_SPLIT_RULE && is_rule (line))
                          || (split == GW_SPLIT_HEADING && is_heading (line)));

      if (ends)
        chunk_end (&chunk, job);
      if (!ends || split == GW_SPLIT_HEADING)
        chunk_add (&chunk, line, lines.number);
    }
  chunk_end (&chunk, job);
  g_string_free (chunk.text, TRUE);
}

/* An item ends at the next one that is not deeper, at a heading, and at a line that is not indented
 * behind a blank one. */
static void
split_items (GwImportJob *job,
             char *text,
             guint lines_before)
{
  Lines lines = { .next = text, .number = lines_before };
  Chunk chunk = { .text = g_string_new (NULL) };
  gboolean after_blank = FALSE;
  gsize depth = 0;
  Fence fence = { 0 };
  char *line;

  while ((line = next_line (&lines)) != NULL)
    {
      gboolean fenced = in_fence (line, &fence);
      gsize indent = strspn (line, " \t");
      gboolean indented = indent > depth;
      const char *item = fenced ? NULL : item_text (line + indent);

      if (item != NULL && (chunk.text->len == 0 || !indented))
        {
          depth = indent;
          chunk_end (&chunk, job);
          chunk_add (&chunk, item, lines.number);
        }
      else if (chunk.text->len > 0)
        {
          if (!indented && !fenced && *line != '\0' && (after_blank || is_heading (line)))
            chunk_end (&chunk, job);
          else
            chunk_add (&chunk, line, lines.number);
        }
      after_blank = _gw_import_is_blank (line);
    }
  chunk_end (&chunk, job);
  g_string_free (chunk.text, TRUE);
}

static guint
count_lines (const char *text,
             gsize length)
{
  guint n_lines = 0;

  for (gsize i = 0; i < length; i++)
    {
      if (text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n'))
        n_lines++;
    }

  return n_lines;
}

gboolean
_gw_import_text (GwImportJob *job,
                 char *text,
                 GError **error)
{
  gboolean is_md = job->import->kind == GW_IMPORT_KIND_MD;
  GwImportSplit split = job->options->split;
  gsize front = is_md ? front_matter_length (text) : 0;
  guint lines_before = count_lines (text, front);

  job->import->has_task = TRUE;
  for (guint i = 0; job->template != NULL && gw_template_get_names (job->template)[i] != NULL; i++)
    {
      const char *name = gw_template_get_names (job->template)[i];

      if (!g_str_equal (name, "task"))
        {
          _gw_import_set_template_error (NULL, name, error);
          return FALSE;
        }
    }

  if (split == GW_SPLIT_AUTO && !is_md)
    split = GW_SPLIT_LINE;
  else if (split == GW_SPLIT_AUTO)
    split = has_rule (text + front) ? GW_SPLIT_RULE : GW_SPLIT_WHOLE;
  job->import->split = split;

  switch (split)
    {
    case GW_SPLIT_LINE:
      split_lines (job, text);
      break;
    case GW_SPLIT_ITEM:
      split_items (job, text + front, lines_before);
      break;
    case GW_SPLIT_WHOLE:
      split_chunks (job, text, 0, split);
      break;
    case GW_SPLIT_BLANK:
    case GW_SPLIT_RULE:
    case GW_SPLIT_HEADING:
    case GW_SPLIT_AUTO:
    default:
      split_chunks (job, text + front, lines_before, split);
      break;
    }

  return TRUE;
}
