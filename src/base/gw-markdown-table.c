/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-markdown"

#include "config.h"

#include <string.h>

#include "gw-markdown-private.h"

/* Tables, as text in columns. They are bounded, so that no text makes a line cost more than its
 * length. */

#define MAX_COLUMNS 64
#define MAX_CELL 200          /* columns of the screen; a wider cell is not padded for */
#define MAX_TABLE_WIDTH 2000

/* The cells of a row, trimmed; "\|" is no border. */
GPtrArray *
_gw_markdown_split_row (const char *start,
                        const char *end)
{
  GPtrArray *cells = g_ptr_array_new_with_free_func (g_free);
  const char *p;
  GString *cell = g_string_new (NULL);

  while (start < end && g_ascii_isspace (*start))
    start++;
  while (end > start && g_ascii_isspace (end[-1]))
    end--;
  if (start < end && *start == '|')
    start++;
  if (end > start && end[-1] == '|' && !(end - 1 > start && end[-2] == '\\'))
    end--;
  for (p = start; p < end; p++)
    {
      if (*p == '\\' && p + 1 < end && p[1] == '|')
        {
          g_string_append_c (cell, '|');
          p++;
        }
      else if (*p == '|' && cells->len < MAX_COLUMNS - 1)
        {
          g_ptr_array_add (cells, g_strstrip (g_strndup (cell->str, cell->len)));
          g_string_truncate (cell, 0);
        }
      else
        g_string_append_c (cell, *p);
    }
  g_ptr_array_add (cells, g_strstrip (g_string_free (cell, FALSE)));
  return cells;
}

/* "| --- | :-: |" */
gboolean
_gw_markdown_is_table_rule (const char *start,
                            const char *end)
{
  gboolean dash = FALSE;
  gboolean border = FALSE;

  for (; start < end; start++)
    {
      if (*start == '-')
        dash = TRUE;
      else if (*start == '|')
        border = TRUE;
      else if (*start != ':' && *start != ' ' && *start != '\t')
        return FALSE;
    }
  return dash && border;
}

static guint
measure (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      width += g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
    }
  return width;
}

/* The words of a cell without the marks. */
static char *
strip_marks (const char *cell)
{
  GwMarkdownBlock block = { 0 };

  _gw_markdown_set_inline (&block, cell, strlen (cell));
  g_clear_pointer (&block.spans, g_array_unref);
  return block.text;
}

void
_gw_markdown_pad (GString *out,
                  guint n,
                  const char *what)
{
  for (; n > 0; n--)
    g_string_append (out, what);
}

/* The lines of a table, set in columns. */
void
_gw_markdown_set_table (GwMarkdownBlock *block,
                        GString *lines)
{
  g_autoptr (GPtrArray) rows
      = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  GString *out = g_string_sized_new (lines->len);
  guint widths[MAX_COLUMNS] = { 0 };
  char align[MAX_COLUMNS] = { 0 };
  const char *p = lines->str;
  guint n_columns;
  guint total = 0;
  guint i;
  guint j;

  while (p < lines->str + lines->len)
    {
      const char *end = strchrnul (p, '\n');
      GPtrArray *row = _gw_markdown_split_row (p, end);

      if (rows->len == 1 && total == 0)
        {
          for (j = 0; j < row->len; j++)
            {
              const char *cell = row->pdata[j];
              gsize length = strlen (cell);

              align[j] = length > 1 && cell[length - 1] == ':' ? (*cell == ':' ? 'c' : 'e') : 's';
            }
          total = 1; /* the rule is no row */
          g_ptr_array_unref (row);
        }
      else
        {
          for (j = 0; j < row->len; j++)
            {
              char *words = strip_marks (row->pdata[j]);

              g_free (row->pdata[j]);
              row->pdata[j] = words;
            }
          g_ptr_array_add (rows, row);
        }
      p = *end != '\0' ? end + 1 : end;
    }
  n_columns = ((GPtrArray *) rows->pdata[0])->len;
  for (i = 0; i < rows->len; i++)
    {
      GPtrArray *row = rows->pdata[i];

      for (j = 0; j < MIN (row->len, n_columns); j++)
        widths[j] = MAX (widths[j], MIN (measure (row->pdata[j]), MAX_CELL));
    }
  for (i = 0, total = 0; i < n_columns; i++)
    total += widths[i] + 3;
  for (i = 0; i < rows->len; i++)
    {
      GPtrArray *row = rows->pdata[i];

      for (j = 0; j < n_columns; j++)
        {
          const char *cell = j < row->len ? row->pdata[j] : "";
          guint width = measure (cell);
          guint space = widths[j] > width && total < MAX_TABLE_WIDTH ? widths[j] - width : 0;
          guint before = align[j] == 'e' ? space : align[j] == 'c' ? space / 2 : 0;

          if (j > 0)
            g_string_append (out, " │ ");
          _gw_markdown_pad (out, before, " ");
          g_string_append (out, cell);
          if (j + 1 < n_columns)
            _gw_markdown_pad (out, space - before, " ");
        }
      g_string_append_c (out, '\n');
      for (j = 0; i == 0 && j < n_columns; j++)
        {
          if (j > 0)
            g_string_append (out, "─┼─");
          _gw_markdown_pad (out, total < MAX_TABLE_WIDTH ? widths[j] : 3, "─");
        }
      if (i == 0)
        g_string_append_c (out, '\n');
    }
  g_string_truncate (out, out->len - 1);
  block->length = out->len;
  block->text = g_string_free (out, FALSE);
}
