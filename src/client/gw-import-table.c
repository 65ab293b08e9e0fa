/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Task files that are tables: RFC 4180, with the separators that spreadsheets write. Quoted values
 * may hold line ends, so a row is counted as a spreadsheet shows it, not by lines.
 *
 * A quote that is not closed costs its own line and no other. It is known by the end of the file
 * inside quotes, or by a value of several lines that goes on behind its closing quote: that was the
 * opening one of a later value. No text is read more than twice for it, since each quote that
 * follows an unclosed one is either doubled, and as an opening one closed at once, or ends it.
 */

#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-private.h"

#define SNIFF_RECORDS 20

typedef struct {
  const char *p;
  const char *end;
  char delimiter;         /* 0: one column, nothing separates */
  gboolean unterminated;  /* the last record has a quote that is not closed */
} Reader;

static gboolean
at_line_end (const Reader *reader)
{
  return reader->p == reader->end || *reader->p == '\n' || *reader->p == '\r';
}

static gboolean
at_field_end (const Reader *reader)
{
  return at_line_end (reader) || (reader->delimiter != '\0' && *reader->p == reader->delimiter);
}

/* One value, up to its delimiter or line end. */
static char *
read_field (Reader *reader)
{
  GString *field = g_string_new (NULL);

  if (reader->p < reader->end && *reader->p == '"')
    {
      reader->p++;
      for (;;)
        {
          const char *quote = memchr (reader->p, '"', reader->end - reader->p);

          if (quote == NULL)
            {
              reader->unterminated = TRUE;
              g_string_append_len (field, reader->p, reader->end - reader->p);
              reader->p = reader->end;
              break;
            }
          g_string_append_len (field, reader->p, quote - reader->p);
          reader->p = quote + 1;
          if (reader->p == reader->end || *reader->p != '"')
            break;
          g_string_append_c (field, '"');
          reader->p++;
        }
      if (!at_field_end (reader) && strpbrk (field->str, "\r\n") != NULL)
        reader->unterminated = TRUE;
    }

  /* Not quoted, or what wrongly follows the closing quote: as it stands. */
  while (!at_field_end (reader))
    g_string_append_c (field, *reader->p++);

  return g_string_free (field, FALSE);
}

/* The values of the line at @reader, of which one has a quote too many: quotes mean nothing. */
static void
read_broken_line (Reader *reader,
                  GPtrArray *fields)
{
  for (;;)
    {
      const char *start = *reader->p == '"' ? reader->p + 1 : reader->p;

      while (!at_field_end (reader))
        reader->p++;
      g_ptr_array_add (fields, g_strndup (start, MAX (reader->p - start, 0)));
      if (at_line_end (reader))
        break;
      reader->p++;
    }
}

/* The next row's values; NULL behind the last. */
static char **
read_record (Reader *reader)
{
  const char *start = reader->p;
  GPtrArray *fields;

  reader->unterminated = FALSE;
  if (reader->p == reader->end)
    return NULL;

  fields = g_ptr_array_new_with_free_func (g_free);
  for (;;)
    {
      g_ptr_array_add (fields, read_field (reader));
      if (at_line_end (reader) || reader->unterminated)
        break;
      reader->p++;
    }
  if (reader->unterminated)
    {
      g_ptr_array_set_size (fields, 0);
      reader->p = start;
      read_broken_line (reader, fields);
    }
  if (reader->p < reader->end && *reader->p == '\r')
    reader->p++;
  if (reader->p < reader->end && *reader->p == '\n')
    reader->p++;
  g_ptr_array_add (fields, NULL);

  return (char **) g_ptr_array_free (fields, FALSE);
}

/* How well @delimiter explains the beginning of the table: the rows that have as many values as the
 * first; 0 where it does not separate at all. */
static guint
rate (const Reader *start,
      char delimiter,
      guint *n_columns)
{
  Reader reader = *start;
  guint n_same = 0;

  reader.delimiter = delimiter;
  *n_columns = 0;
  for (guint i = 0; i < SNIFF_RECORDS; i++)
    {
      g_auto (GStrv) record = read_record (&reader);
      guint length;

      if (record == NULL)
        break;
      length = g_strv_length (record);
      if (i == 0)
        *n_columns = length;
      if (length == *n_columns)
        n_same++;
    }

  return *n_columns > 1 ? n_same : 0;
}

static char
sniff_delimiter (const Reader *start)
{
  static const char candidates[] = { ',', ';', '\t', '|' };
  char best = '\0';
  guint best_rate = 0, best_columns = 0;

  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      guint n_columns;
      guint rating = rate (start, candidates[i], &n_columns);

      if (rating > best_rate || (rating == best_rate && rating > 0 && n_columns > best_columns))
        {
          best = candidates[i];
          best_rate = rating;
          best_columns = n_columns;
        }
    }

  return best;
}

/* Returns whether a row was used up for it. */
static gboolean
choose_delimiter (GwImportJob *job,
                  Reader *reader)
{
  guint n_columns;

  /* A line that spreadsheets understand, and write for themselves. */
  if (reader->end - reader->p >= 6 && g_ascii_strncasecmp (reader->p, "sep=", 4) == 0
      && strchr (",;|\t", reader->p[4]) != NULL
      && (reader->p[5] == '\n' || reader->p[5] == '\r'))
    {
      char told = reader->p[4];

      g_strfreev (read_record (reader));
      reader->delimiter = job->options->delimiter != '\0' ? job->options->delimiter : told;
      return TRUE;
    }

  reader->delimiter = job->options->delimiter;
  if (reader->delimiter == '\0' && job->import->kind == GW_IMPORT_KIND_TSV)
    reader->delimiter = '\t';
  if (reader->delimiter == '\0')
    reader->delimiter = sniff_delimiter (reader);
  else if (job->options->delimiter == '\0')
    {
      rate (reader, reader->delimiter, &n_columns);
      if (n_columns < 2)
        reader->delimiter = '\0';
    }

  return FALSE;
}

/* Names for the columns: the header's, made unique and none empty; or numbers. Takes @record. */
static char **
name_columns (char **record,
              gboolean is_header)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; record[i] != NULL; i++)
    {
      g_autofree char *name = NULL;
      char *unique;

      if (!is_header)
        name = g_strdup_printf ("%u", i + 1);
      else if (_gw_import_is_blank (record[i]))
        name = g_strdup_printf ("column %u", i + 1);
      else
        name = g_strstrip (g_strdup (record[i]));

      unique = g_strdup (name);
      for (guint n = 2; g_hash_table_contains (known, unique); n++)
        {
          g_free (unique);
          unique = g_strdup_printf ("%s_%u", name, n);
        }
      g_free (record[i]);
      record[i] = unique;
      g_hash_table_add (known, unique);
    }

  return record;
}

/* The column with the longest texts on average. */
static int
guess_column (const Reader *start,
              guint n_columns)
{
  g_autofree gsize *sums = g_new0 (gsize, n_columns);
  Reader reader = *start;
  int best = 0;

  for (guint row = 0; row < 1000; row++)
    {
      g_auto (GStrv) record = read_record (&reader);

      if (record == NULL)
        break;
      for (guint i = 0; i < n_columns && record[i] != NULL; i++)
        sums[i] += strlen (record[i]);
    }
  for (guint i = 1; i < n_columns; i++)
    {
      if (sums[i] > sums[best])
        best = i;
    }

  return best;
}

static gboolean
is_number (const char *text)
{
  g_autofree char *value = g_strstrip (g_strdup (text));
  char *end = NULL;

  if (*value == '\0' || !(g_ascii_isdigit (value[0]) || strchr ("+-.", value[0]) != NULL))
    return FALSE;
  g_ascii_strtod (value, &end);

  return *end == '\0';
}

/* Whether @record can hardly be the names of columns: a column is not called 3, nor twice the same,
 * nor nothing at all while there are others. A name that is known settles it. */
static gboolean
looks_like_data (char **record)
{
  guint n = g_strv_length (record);

  if (_gw_import_default_column ((const char *const *) record) >= 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      if (is_number (record[i]))
        return TRUE;
      for (guint j = 0; j < i; j++)
        if (!_gw_import_is_blank (record[i]) && g_str_equal (record[i], record[j]))
          return TRUE;
    }

  return FALSE;
}

static gboolean
check_template (GwImportJob *job,
                const char *const *columns,
                int task_column,
                GError **error)
{
  const char *const *names = gw_template_get_names (job->template);

  for (guint i = 0; names[i] != NULL; i++)
    {
      if (_gw_import_find_column (columns, names[i]) < 0
          && !(g_str_equal (names[i], "task") && task_column >= 0))
        {
          _gw_import_set_template_error (columns, names[i], error);
          return FALSE;
        }
    }

  return TRUE;
}

/* Which column holds the tasks; -1 with a template that does without. */
static gboolean
choose_column (GwImportJob *job,
               const Reader *rows,
               const char *const *columns,
               int *task_column,
               GError **error)
{
  const char *wanted = job->options->column;

  *task_column = wanted != NULL ? _gw_import_find_column (columns, wanted)
                                : _gw_import_default_column (columns);
  if (*task_column < 0 && wanted == NULL && job->options->guess_column)
    {
      *task_column = guess_column (rows, g_strv_length ((char **) columns));
      job->import->guessed = TRUE;
    }
  if (*task_column < 0 && (wanted != NULL || job->template == NULL))
    {
      _gw_import_set_column_error (columns, wanted, error);
      return FALSE;
    }
  if (*task_column >= 0)
    job->import->column = g_strdup (columns[*task_column]);
  job->import->has_task = *task_column >= 0;

  return job->template == NULL || check_template (job, columns, *task_column, error);
}

/* One row on its way to an entry. */
typedef struct {
  const char *const *columns;
  char **record;
  guint n_fields;
  int task_column;
  gboolean has_value;   /* a template has put in anything */
} Row;

static const char *
value_at (const Row *row,
          int column)
{
  return column >= 0 && (guint) column < row->n_fields ? row->record[column] : NULL;
}

static const char *
lookup_value (const char *name,
              gpointer user_data)
{
  Row *row = user_data;
  int column = _gw_import_find_column (row->columns, name);
  const char *value = value_at (row, column >= 0 ? column : row->task_column);

  if (value != NULL && !_gw_import_is_blank (value))
    row->has_value = TRUE;

  return value;
}

static gboolean
is_empty_record (char **record)
{
  for (guint i = 0; record[i] != NULL; i++)
    {
      if (!_gw_import_is_blank (record[i]))
        return FALSE;
    }

  return TRUE;
}

/* The task of the row; a problem and NULL where it has none. */
static char *
row_to_task (GwImportJob *job,
             guint number,
             Row *row)
{
  g_autofree char *task = NULL;
  const char *value;

  if (job->template != NULL)
    {
      task = gw_template_expand (job->template, lookup_value, row);
      if (row->has_value)
        return g_steal_pointer (&task);

      _gw_import_add_problem (job, number, _("There is no value for the template"));
      return NULL;
    }

  value = value_at (row, row->task_column);
  if (value == NULL || _gw_import_is_blank (value))
    {
      _gw_import_add_problem (job, number, _("There is no “%s”"), row->columns[row->task_column]);
      return NULL;
    }

  return g_strdup (value);
}

static void
add_row (GwImportJob *job,
         guint number,
         Row *row)
{
  g_auto (GwImportExtras) extras = { NULL };
  guint n_columns = g_strv_length ((char **) row->columns);
  char *task;

  if (is_empty_record (row->record))
    {
      _gw_import_add_empty (job, number);
      return;
    }
  if (row->n_fields > n_columns && !is_empty_record (row->record + n_columns))
    {
      _gw_import_add_problem (job, number,
                              /* Translators: of a table: the values of this row, the columns of
                               * the header */
                              _("The row has %u values, but there are %u columns: a value that "
                                "holds the separator must stand in quotes"),
                              row->n_fields, n_columns);
      return;
    }

  task = row_to_task (job, number, row);
  if (task == NULL)
    return;

  /* The task's own column is the content already; a template makes something else of it. */
  for (guint i = 0; i < n_columns && i < row->n_fields; i++)
    {
      if ((job->template != NULL || (int) i != row->task_column) && *row->record[i] != '\0')
        _gw_import_extras_add_text (&extras, row->columns[i], row->record[i]);
    }
  _gw_import_add_entry (job, number, task, &extras);
}

static void
add_quote_problem (GwImportJob *job,
                   guint number)
{
  _gw_import_add_problem (job, number, _("A quote is opened and never closed. Close it at the end "
                                         "of its value, or write it twice if it belongs to the "
                                         "text"));
}

gboolean
_gw_import_table (GwImportJob *job,
                  const char *text,
                  gsize length,
                  GError **error)
{
  Reader reader = { .p = text, .end = text + length };
  guint number = choose_delimiter (job, &reader) ? 1 : 0;
  Reader first = reader;
  char **header = read_record (&reader);
  Row row;

  job->import->delimiter = reader.delimiter != '\0' ? reader.delimiter : ',';
  if (header == NULL)
    return TRUE;

  job->import->no_header = job->options->no_header
                           || (job->options->guess_column && !job->options->header_told
                               && !reader.unterminated && looks_like_data (header));
  if (job->import->no_header)
    reader = first;
  else
    {
      number++;
      if (reader.unterminated)
        add_quote_problem (job, number);
    }
  job->import->columns = name_columns (header, !job->import->no_header);
  row.columns = (const char *const *) job->import->columns;
  if (!choose_column (job, &reader, row.columns, &row.task_column, error))
    return FALSE;

  while (!g_cancellable_is_cancelled (job->cancellable)
         && (row.record = read_record (&reader)) != NULL)
    {
      number++;
      row.n_fields = g_strv_length (row.record);
      row.has_value = FALSE;
      if (reader.unterminated)
        add_quote_problem (job, number);
      else
        add_row (job, number, &row);
      g_strfreev (row.record);
    }

  return TRUE;
}
