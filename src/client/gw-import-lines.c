/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include "gw-import-lines.h"

static void
add_problem (GwImportLines *lines,
             guint import,
             guint index)
{
  GwImportLine line = { .import = import, .index = index, .kind = GW_IMPORT_LINE_PROBLEM };

  g_array_append_val (lines->lines, line);
  lines->n_problems++;
}

static void
add_failure (GwImportLines *lines,
             guint import_index,
             const GwImport *import)
{
  GwImportLine line = { .import = import_index, .index = lines->failures->len,
                        .kind = GW_IMPORT_LINE_FAILURE };
  GwImportProblem *problem = g_new0 (GwImportProblem, 1);

  problem->source = g_strdup (import->source);
  problem->message = g_strdup (import->error->message);
  g_ptr_array_add (lines->failures, problem);
  g_array_append_val (lines->lines, line);
  lines->n_problems++;
}

/* @seen: (element-type utf8) the tasks so far. */
static void
add_task (GwImportLines *lines,
          guint import,
          guint index,
          GHashTable *seen,
          gboolean skip_duplicates)
{
  GwImportEntry *entry = ((GwImport *) lines->imports->pdata[import])->entries->pdata[index];
  GwImportLine line = { .import = import, .index = index, .kind = GW_IMPORT_LINE_TASK };

  line.duplicate = !g_hash_table_add (seen, entry->content);
  if (line.duplicate)
    lines->n_duplicates++;
  if (line.duplicate && skip_duplicates)
    return;

  line.tokens = gw_import_guess_tokens (entry->content);
  g_array_append_val (lines->lines, line);
  g_array_index (lines->n_tasks, guint, import)++;
}

/**
 * gw_import_lines_new:
 * @imports: (element-type GwImport): in the order of the input
 * @skip_duplicates: whether a task that was there before is left out
 * @cancellable: (nullable): once cancelled, what is given back may lack lines
 *
 * Any thread.
 *
 * Returns: (transfer full): all of them, row by row
 */
GwImportLines *
gw_import_lines_new (GPtrArray *imports,
                     gboolean skip_duplicates,
                     GCancellable *cancellable)
{
  GwImportLines *lines = g_new0 (GwImportLines, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  g_atomic_ref_count_init (&lines->references);
  lines->imports = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_import_free);
  lines->lines = g_array_new (FALSE, FALSE, sizeof (GwImportLine));
  lines->n_tasks = g_array_new (FALSE, TRUE, sizeof (guint));
  g_array_set_size (lines->n_tasks, imports->len);
  lines->failures = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_import_problem_free);

  for (guint i = 0; i < imports->len && !g_cancellable_is_cancelled (cancellable); i++)
    {
      GwImport *import = imports->pdata[i];
      guint next = 0;

      g_ptr_array_add (lines->imports, gw_import_ref (import));
      lines->n_empty += import->n_empty;
      if (import->error != NULL)
        {
          add_failure (lines, i, import);
          continue;
        }

      for (guint j = 0; j < import->entries->len; j++)
        {
          const GwImportEntry *entry = import->entries->pdata[j];

          while (next < import->problems->len
                 && ((GwImportProblem *) import->problems->pdata[next])->row < entry->row)
            add_problem (lines, i, next++);
          add_task (lines, i, j, seen, skip_duplicates);
          if (j % 4096 == 0 && g_cancellable_is_cancelled (cancellable))
            break;
        }
      while (next < import->problems->len)
        add_problem (lines, i, next++);
    }

  return lines;
}

GwImportLines *
gw_import_lines_ref (GwImportLines *lines)
{
  g_atomic_ref_count_inc (&lines->references);

  return lines;
}

void
gw_import_lines_unref (GwImportLines *lines)
{
  if (!g_atomic_ref_count_dec (&lines->references))
    return;

  g_ptr_array_unref (lines->imports);
  g_array_unref (lines->lines);
  g_array_unref (lines->n_tasks);
  g_ptr_array_unref (lines->failures);
  g_free (lines);
}

/* How many lines there are, of every kind; O(1). */
guint
gw_import_lines_get_length (GwImportLines *lines)
{
  return lines->lines->len;
}

/* (transfer none): the line at @i, below the length; lives as long as @lines. */
const GwImportLine *
gw_import_lines_get (GwImportLines *lines,
                     guint i)
{
  return &g_array_index (lines->lines, GwImportLine, i);
}

/* The task of a line that is one. */
GwImportEntry *
gw_import_lines_get_entry (GwImportLines *lines,
                           guint i)
{
  const GwImportLine *line = gw_import_lines_get (lines, i);
  GwImport *import = lines->imports->pdata[line->import];

  g_return_val_if_fail (line->kind == GW_IMPORT_LINE_TASK, NULL);

  return import->entries->pdata[line->index];
}

/* The problem of a line that is one. */
const GwImportProblem *
gw_import_lines_get_problem (GwImportLines *lines,
                             guint i)
{
  const GwImportLine *line = gw_import_lines_get (lines, i);
  GwImport *import = lines->imports->pdata[line->import];

  if (line->kind == GW_IMPORT_LINE_FAILURE)
    return lines->failures->pdata[line->index];
  g_return_val_if_fail (line->kind == GW_IMPORT_LINE_PROBLEM, NULL);

  return import->problems->pdata[line->index];
}
