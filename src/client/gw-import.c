/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Task files, from bytes to entries: what all kinds of files have in common. The kinds are in
 * gw-import-text.c, -json.c and -table.c, reading from disk in -files.c.
 *
 * Threads: any; an import belongs to whoever got it.
 *
 * Guarantee: a row that cannot be a task is told and left out, the others are taken. Every entry is
 * one that a gateway of ours accepts: size, metadata and reserved names are seen to here.
 */

#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-private.h"

static const char *const split_names[] = {
  [GW_SPLIT_AUTO] = "auto",
  [GW_SPLIT_LINE] = "line",
  [GW_SPLIT_BLANK] = "blank",
  [GW_SPLIT_RULE] = "rule",
  [GW_SPLIT_WHOLE] = "whole",
  [GW_SPLIT_HEADING] = "heading",
  [GW_SPLIT_ITEM] = "item",
};

static const struct {
  const char *suffix;
  GwImportKind kind;
} suffixes[] = {
  { ".txt", GW_IMPORT_KIND_TXT },   { ".text", GW_IMPORT_KIND_TXT },
  { ".md", GW_IMPORT_KIND_MD },     { ".markdown", GW_IMPORT_KIND_MD },
  { ".jsonl", GW_IMPORT_KIND_JSONL }, { ".ndjson", GW_IMPORT_KIND_JSONL },
  { ".json", GW_IMPORT_KIND_JSON },
  { ".csv", GW_IMPORT_KIND_CSV },
  { ".tsv", GW_IMPORT_KIND_TSV },   { ".tab", GW_IMPORT_KIND_TSV },
};

/* Headers and members that hold a task, the likeliest first. */
static const char *const task_names[] = {
  "content", "task", "prompt", "text", "input", "question",
};

/**
 * gw_import_split_from_string:
 * @string: (nullable): a name as `--split` takes it
 * @split: (out): the splitting that it names; untouched where it names none
 *
 * Returns: whether @string names a splitting
 */
gboolean
gw_import_split_from_string (const char *string,
                             GwImportSplit *split)
{
  for (guint i = GW_SPLIT_LINE; string != NULL && i < G_N_ELEMENTS (split_names); i++)
    {
      if (g_str_equal (split_names[i], string))
        {
          *split = i;
          return TRUE;
        }
    }

  return FALSE;
}

static GwImportKind
kind_of (const char *name)
{
  const char *suffix = strrchr (name, '.');

  for (guint i = 0; suffix != NULL && i < G_N_ELEMENTS (suffixes); i++)
    {
      if (g_ascii_strcasecmp (suffixes[i].suffix, suffix) == 0)
        return suffixes[i].kind;
    }

  return GW_IMPORT_KIND_AUTO;
}

/**
 * gw_import_is_supported:
 * @name: the name of a file
 *
 * Returns: whether its suffix is one of a task file
 */
gboolean
gw_import_is_supported (const char *name)
{
  return kind_of (name) != GW_IMPORT_KIND_AUTO;
}

/**
 * gw_import_is_foreign:
 * @name: the name of a file
 *
 * Returns: whether its suffix is one of something that is no text
 */
gboolean
gw_import_is_foreign (const char *name)
{
  static const char *const texts[] = { "text/plain", "application/xml", "application/x-yaml",
                                       "application/javascript" };
  gboolean uncertain = TRUE;
  g_autofree char *type = NULL;

  if (gw_import_is_supported (name) || strrchr (name, '.') == NULL)
    return FALSE;

  type = g_content_type_guess (name, NULL, 0, &uncertain);
  if (g_content_type_is_unknown (type) || g_content_type_is_a (type, "inode/directory"))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      if (g_content_type_is_a (type, texts[i]))
        return FALSE;
    }

  return TRUE;
}

void
gw_import_entry_free (GwImportEntry *entry)
{
  g_free (entry->content);
  g_clear_pointer (&entry->metadata, json_object_unref);
  g_free (entry->model);
  g_free (entry->provider);
  g_free (entry->source);
  g_free (entry);
}

void
gw_import_problem_free (GwImportProblem *problem)
{
  g_free (problem->source);
  g_free (problem->message);
  g_free (problem);
}

/* @name: of the file. */
static GwImport *
import_new (const char *name)
{
  GwImport *import = g_new0 (GwImport, 1);
  g_autofree char *base = g_path_get_basename (name);

  g_atomic_ref_count_init (&import->references);
  import->source = g_filename_display_name (base);
  import->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_import_entry_free);
  import->problems = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_import_problem_free);

  return import;
}

/**
 * gw_import_ref:
 * @import: an import
 *
 * Returns: (transfer full): the same one
 */
GwImport *
gw_import_ref (GwImport *import)
{
  g_atomic_ref_count_inc (&import->references);

  return import;
}

/**
 * gw_import_new_failed:
 * @name: the file's name or path
 * @error: (transfer full): why it could not be read
 *
 * Returns: (transfer full): the file, without anything in it
 */
GwImport *
gw_import_new_failed (const char *name,
                      GError *error)
{
  GwImport *import = import_new (name);

  import->error = error;

  return import;
}

void
gw_import_free (GwImport *import)
{
  if (!g_atomic_ref_count_dec (&import->references))
    return;
  g_free (import->source);
  g_ptr_array_unref (import->entries);
  g_ptr_array_unref (import->problems);
  g_clear_error (&import->error);
  g_strfreev (import->columns);
  g_free (import->column);
  g_free (import->path);
  g_strfreev (import->paths);
  g_free (import);
}

/**
 * gw_import_entry_to_json:
 * @entry: an entry
 *
 * Returns: (transfer full): the body of `POST /tasks`, without `project`
 */
JsonObject *
gw_import_entry_to_json (const GwImportEntry *entry)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "content", entry->content);
  if (entry->provider != NULL)
    json_object_set_string_member (object, "provider", entry->provider);
  if (entry->model != NULL)
    json_object_set_string_member (object, "model", entry->model);
  if (entry->priority != 0)
    json_object_set_int_member (object, "priority", entry->priority);
  if (entry->metadata != NULL)
    json_object_set_object_member (object, "metadata", gw_json_copy_object (entry->metadata));

  return object;
}

void
_gw_import_extras_clear (GwImportExtras *extras)
{
  g_clear_pointer (&extras->metadata, json_object_unref);
  g_clear_pointer (&extras->model, g_free);
  g_clear_pointer (&extras->provider, g_free);
  extras->priority = 0;
}

/* Takes @node. A name of the gateway's own gets `input_` before it, as often as it takes. */
void
_gw_import_extras_add (GwImportExtras *extras,
                       const char *name,
                       JsonNode *node)
{
  g_autofree char *unique = g_strdup (name);

  if (extras->metadata == NULL)
    extras->metadata = json_object_new ();
  if (gw_task_is_reserved_metadata (name))
    {
      do
        {
          char *longer = g_strconcat ("input_", unique, NULL);

          g_free (unique);
          unique = longer;
        }
      while (json_object_has_member (extras->metadata, unique));
    }

  json_object_set_member (extras->metadata, unique, node);
}

void
_gw_import_extras_add_text (GwImportExtras *extras,
                            const char *name,
                            const char *text)
{
  _gw_import_extras_add (extras, name, json_node_init_string (json_node_alloc (), text));
}

void
_gw_import_add_problem (GwImportJob *job,
                        guint row,
                        const char *format,
                        ...)
{
  GwImportProblem *problem = g_new0 (GwImportProblem, 1);
  va_list arguments;

  va_start (arguments, format);
  problem->message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  problem->source = g_strdup (job->import->source);
  problem->row = row;
  g_ptr_array_add (job->import->problems, problem);
}

gboolean
_gw_import_is_blank (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      if (!g_unichar_isspace (g_utf8_get_char (text)))
        return FALSE;
    }

  return TRUE;
}

void
_gw_import_add_empty (GwImportJob *job,
                      guint row)
{
  job->import->n_empty++;
  if (job->options->tell_empty)
    _gw_import_add_problem (job, row, _("The row is empty"));
}

/* Whether a gateway takes @metadata: its size, and its depth inside the body of a batch,
 * {"tasks": [{"metadata": …}]}. A problem where not. */
static gboolean
check_metadata (GwImportJob *job,
                guint row,
                JsonObject *metadata)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  if (metadata == NULL)
    return TRUE;

  text = gw_json_object_to_text (metadata, FALSE, &length);
  if (length > GW_TASK_MAX_METADATA)
    {
      g_autofree char *size = g_format_size (GW_TASK_MAX_METADATA);

      /* Translators: %s is a size, like 65.5 kB */
      _gw_import_add_problem (job, row, _("What stands beside the task is larger than %s"), size);
      return FALSE;
    }
  if (!gw_json_check (text, length, GW_JSON_MAX_DEPTH - 3, NULL))
    {
      _gw_import_add_problem (job, row, _("What stands beside the task is nested too deeply"));
      return FALSE;
    }

  return TRUE;
}

void
_gw_import_add_entry (GwImportJob *job,
                      guint row,
                      char *content,
                      GwImportExtras *extras)
{
  g_autofree char *owned = content;
  GwImportEntry *entry;

  if (_gw_import_is_blank (content))
    {
      _gw_import_add_empty (job, row);
      return;
    }
  if (strlen (content) > GW_TASK_MAX_CONTENT)
    {
      g_autofree char *size = g_format_size (GW_TASK_MAX_CONTENT);

      /* Translators: %s is a size, like 1.0 MB */
      _gw_import_add_problem (job, row, _("The task is larger than %s"), size);
      return;
    }
  if (extras != NULL && !check_metadata (job, row, extras->metadata))
    return;

  entry = g_new0 (GwImportEntry, 1);
  entry->content = g_steal_pointer (&owned);
  entry->source = g_strdup (job->import->source);
  entry->row = row;
  if (extras != NULL)
    {
      entry->metadata = g_steal_pointer (&extras->metadata);
      entry->model = g_steal_pointer (&extras->model);
      entry->provider = g_steal_pointer (&extras->provider);
      entry->priority = extras->priority;
    }
  g_ptr_array_add (job->import->entries, entry);
}

/* The place of @name, exactly or else but for its case; -1 where there is none. */
int
_gw_import_find_column (const char *const *columns,
                        const char *name)
{
  g_autofree char *folded = NULL;

  for (int i = 0; columns[i] != NULL; i++)
    {
      if (g_str_equal (columns[i], name))
        return i;
    }

  folded = g_utf8_casefold (name, -1);
  for (int i = 0; columns[i] != NULL; i++)
    {
      g_autofree char *column = g_utf8_casefold (columns[i], -1);

      if (g_str_equal (column, folded))
        return i;
    }

  return -1;
}

/* The place of the column that holds the tasks by its name; -1 where there is none. */
int
_gw_import_default_column (const char *const *columns)
{
  for (guint i = 0; i < G_N_ELEMENTS (task_names); i++)
    {
      int found = _gw_import_find_column (columns, task_names[i]);

      if (found >= 0)
        return found;
    }

  return -1;
}

static char *
list_columns (const char *const *columns)
{
  GString *list = g_string_new (NULL);
  guint i;

  for (i = 0; columns[i] != NULL && i < 50; i++)
    g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", columns[i]);
  if (columns[i] != NULL)
    g_string_append (list, ", …");

  return g_string_free (list, FALSE);
}

/* @wanted: (nullable) the column that was asked for. */
void
_gw_import_set_column_error (const char *const *columns,
                             const char *wanted,
                             GError **error)
{
  g_autofree char *list = list_columns (columns);

  if (wanted != NULL)
    g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                 /* Translators: the name of a column, then a list of names */
                 _("There is no column “%s”. The columns are: %s"), wanted, list);
  else
    g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                 /* Translators: %s is a list of names */
                 _("Which column holds the tasks? Name it, or use a template. The columns are: %s"),
                 list);
}

void
_gw_import_set_template_error (const char *const *columns,
                               const char *name,
                               GError **error)
{
  g_autofree char *list = NULL;

  if (columns == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                   /* Translators: %s is a name in braces; keep {task} as it is */
                   _("The template names {%s}, but a plain list has only {task}"), name);
      return;
    }

  list = list_columns (columns);
  g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
               /* Translators: a name in braces, then a list of names */
               _("The template names {%s}, but the columns are: %s"), name, list);
}

static GwTemplate *
make_template (const char *text,
               GError **error)
{
  g_autoptr (GwTemplate) template = gw_template_new (text, error);

  if (template == NULL)
    return NULL;
  if (gw_template_get_names (template)[0] == NULL)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                           _("The template names no column: every task would be the same. "
                             "Write {task}, or the name of a column in braces."));
      return NULL;
    }

  return g_steal_pointer (&template);
}

static gboolean
parse_kind (GwImportJob *job,
            char *text,
            gsize length,
            GError **error)
{
  switch (job->import->kind)
    {
    case GW_IMPORT_KIND_JSONL:
      return _gw_import_jsonl (job, text, length, error);
    case GW_IMPORT_KIND_JSON:
      return _gw_import_json (job, text, length, error);
    case GW_IMPORT_KIND_CSV:
    case GW_IMPORT_KIND_TSV:
      return _gw_import_table (job, text, length, error);
    case GW_IMPORT_KIND_AUTO:
    case GW_IMPORT_KIND_TXT:
    case GW_IMPORT_KIND_MD:
    default:
      return _gw_import_text (job, text, error);
    }
}

static int
compare_problems (gconstpointer a,
                  gconstpointer b)
{
  const GwImportProblem *problem_a = *(GwImportProblem *const *) a;
  const GwImportProblem *problem_b = *(GwImportProblem *const *) b;

  return problem_a->row < problem_b->row ? -1 : problem_a->row > problem_b->row;
}

/* Everything up to the first thing that is wrong with the file as a whole. */
static gboolean
parse (GwImportJob *job,
       const void *bytes,
       gsize length,
       GError **error)
{
  g_autoptr (GwTemplate) template = NULL;
  g_autofree char *text = NULL;
  gsize text_length = 0;

  if (length > GW_IMPORT_MAX_FILE)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                           _("The file is larger than 100 MB: split it"));
      return FALSE;
    }
  if (job->options->template_text != NULL
      && (job->template = template = make_template (job->options->template_text, error)) == NULL)
    return FALSE;

  /* An empty array may have no place at all. */
  text = _gw_import_decode (length > 0 ? bytes : "", length, &job->import->encoding, &text_length,
                            error);

  return text != NULL && parse_kind (job, text, text_length, error);
}

/**
 * gw_import_parse:
 * @name: the file's name or path; its suffix decides the kind if the options do not
 * @bytes: (array length=length): what is in the file
 * @length: bytes
 * @options: (nullable): %NULL for the defaults
 * @cancellable: (nullable): once cancelled, what is given back may lack entries
 *
 * Any thread.
 *
 * Returns: (transfer full): the file's tasks, or its `error`, %GW_ERROR_INPUT: not text, too large,
 *   no such column, a wrong template, not JSON
 */
GwImport *
gw_import_parse (const char *name,
                 const void *bytes,
                 gsize length,
                 const GwImportOptions *options,
                 GCancellable *cancellable)
{
  static const GwImportOptions defaults = { 0 };
  GwImport *import = import_new (name);
  GwImportJob job = { .import = import, .cancellable = cancellable };

  job.options = options != NULL ? options : &defaults;
  import->kind = job.options->kind != GW_IMPORT_KIND_AUTO ? job.options->kind : kind_of (name);
  if (import->kind == GW_IMPORT_KIND_AUTO)
    import->kind = GW_IMPORT_KIND_TXT;
  import->encoding = job.options->encoding;

  if (!parse (&job, bytes, length, &import->error))
    {
      g_ptr_array_set_size (import->entries, 0);
      g_ptr_array_set_size (import->problems, 0);
    }
  /* They were told as they were found; what was found while reading stood before the rest. */
  g_ptr_array_sort (import->problems, compare_problems);

  return import;
}

/**
 * gw_import_parse_bytes:
 * @name: the file's name or path; its suffix decides the kind if the options do not
 * @bytes: (array length=length): what is in the file
 * @length: bytes
 * @options: (nullable): %NULL for the defaults
 * @error: %GW_ERROR_INPUT: not text, too large, no such column, a wrong template, not JSON
 *
 * Any thread.
 *
 * Returns: (transfer full) (nullable): the file's tasks
 */
GwImport *
gw_import_parse_bytes (const char *name,
                       const void *bytes,
                       gsize length,
                       const GwImportOptions *options,
                       GError **error)
{
  g_autoptr (GwImport) import = gw_import_parse (name, bytes, length, options, NULL);

  if (import->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&import->error));
      return NULL;
    }

  return g_steal_pointer (&import);
}

/**
 * gw_import_check_template:
 * @import: a file
 * @template_text: a template
 * @error: %GW_ERROR_INPUT: what is wrong, for people
 *
 * Returns: whether the template fits the file
 */
gboolean
gw_import_check_template (const GwImport *import,
                          const char *template_text,
                          GError **error)
{
  g_autoptr (GwTemplate) template = make_template (template_text, error);
  gboolean is_table = import->kind == GW_IMPORT_KIND_CSV || import->kind == GW_IMPORT_KIND_TSV;
  const char *const *columns = (const char *const *) import->columns;
  const char *const *names;

  if (template == NULL)
    return FALSE;
  if (columns != NULL && columns[0] == NULL)
    columns = NULL;

  names = gw_template_get_names (template);
  for (guint i = 0; names[i] != NULL; i++)
    {
      if (g_str_equal (names[i], "task") && (import->has_task || columns == NULL))
        continue;
      if (columns == NULL || (is_table ? _gw_import_find_column (columns, names[i]) < 0
                                       : !g_strv_contains (columns, names[i])))
        {
          _gw_import_set_template_error (columns, names[i], error);
          return FALSE;
        }
    }

  return TRUE;
}

/**
 * gw_import_guess_tokens:
 * @text: UTF-8
 *
 * Four Latin letters are about a token, three tokens about four Chinese characters; of what lies
 * between (Cyrillic, Arabic, accents) two letters are about one.
 *
 * Returns: a number of tokens, at least 1
 */
guint
gw_import_guess_tokens (const char *text)
{
  gsize ascii = 0, wide = 0, other = 0;

  for (const guchar *p = (const guchar *) text; *p != '\0'; p++)
    {
      if (*p < 0x80)
        ascii++;
      else if (*p >= 0xe3)
        wide++;
      else if (*p >= 0xc0)
        other++;
    }

  return (guint) MIN ((ascii * 3 + wide * 9 + other * 6 + 11) / 12, G_MAXUINT / 2) + (*text == '\0');
}
