/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

#include "config.h"

#include <unistd.h>

#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>

#include "gangway-batch-private.h"

/* What gangway-batch reads: standard input and files, as far as the first fault, which ends it. */

#define MAX_PROBLEMS 20

static GBytes *
read_standard_input (GwProgram *program,
                     GError **error)
{
  g_autoptr (GInputStream) stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  if (isatty (STDIN_FILENO))
    gw_batch_progress_say (program->progress,
                           _("Type one task per line; Ctrl+D ends the input"));
  for (;;)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GBytes) chunk = NULL;
      gsize size;

      g_input_stream_read_bytes_async (stream, 256 * 1024, G_PRIORITY_DEFAULT, program->cancellable,
                                       _gw_program_store_result_cb, &result);
      _gw_program_turn_or_give_up (program, &result);
      chunk = g_input_stream_read_bytes_finish (stream, result, error);
      if (chunk == NULL)
        return NULL;
      size = g_bytes_get_size (chunk);
      if (size == 0)
        return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
      if (bytes->len + size > GW_IMPORT_MAX_FILE)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                       _("Standard input is larger than %d MB"), GW_IMPORT_MAX_FILE / 1000000);
          return NULL;
        }
      g_byte_array_append (bytes, g_bytes_get_data (chunk, NULL), (guint) size);
    }
}

static GPtrArray *
read_input (GwProgram *program,
            const char *name,
            GError **error)
{
  GwImportOptions options = {
    .split = program->options->split,
    .column = program->options->column,
    .template_text = program->options->template_text,
  };
  g_autoptr (GPtrArray) imports = NULL;
  g_autoptr (GPtrArray) files = NULL;

  if (g_str_equal (name, "-"))
    {
      g_autoptr (GBytes) bytes = read_standard_input (program, error);
      const char *title = _("standard input");
      GwImport *import;
      gconstpointer data;
      gsize size;

      if (bytes == NULL)
        return NULL;
      options.kind = GW_IMPORT_KIND_TXT;
      data = g_bytes_get_data (bytes, &size);
      import = gw_import_parse_bytes (title, data, size, &options, error);
      if (import == NULL)
        return NULL;
      imports = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_import_free);
      g_ptr_array_add (imports, import);
      return g_steal_pointer (&imports);
    }

  if (g_file_test (name, G_FILE_TEST_IS_DIR))
    {
      /* Translators: %s is the name of a folder */
      g_set_error (error, GW_ERROR, GW_ERROR_INPUT, _("“%s” is a folder: name the files in it"),
                   name);
      return NULL;
    }

  files = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (files, g_file_new_for_commandline_arg (name));

  return gw_import_files (files, &options, NULL, error);
}

/* Rows that cannot be tasks block no others, but are said. */
static void
print_problems (GwProgram *program,
                GwImport *import)
{
  for (guint i = 0; i < import->problems->len; i++)
    {
      GwImportProblem *problem = g_ptr_array_index (import->problems, i);

      if (i == MAX_PROBLEMS)
        {
          guint rest = import->problems->len - i;

          program->n_left_out += rest;
          gw_batch_progress_warn (program->progress,
                                  /* Translators: the name of a file, then a number of rows */
                                  ngettext ("%s: %u more row left out", "%s: %u more rows left out",
                                            rest), import->source, rest);
          return;
        }
      if (problem->row > 0)
        {
          /* Translators: file, row, reason */
          g_autofree char *words = g_strdup_printf (_("%s, row %u left out: %s"), problem->source,
                                                    problem->row, problem->message);

          gw_batch_progress_warn (program->progress, "%s", words);
          program->n_left_out++;
          if (program->left_out == NULL)
            program->left_out = g_steal_pointer (&words);
        }
      else
        gw_batch_progress_warn (program->progress, "%s: %s", problem->source, problem->message);
    }
}

static void
add_tasks (GwProgram *program,
           GwImport *import,
           GPtrArray *tasks)
{
  for (guint i = 0; i < import->entries->len; i++)
    {
      JsonObject *object = gw_import_entry_to_json (g_ptr_array_index (import->entries, i));

      /* What a row asks for itself is more exact than what is asked for all. */
      if (program->options->provider != NULL && !json_object_has_member (object, "provider"))
        json_object_set_string_member (object, "provider", program->options->provider);
      if (program->options->model != NULL && !json_object_has_member (object, "model"))
        json_object_set_string_member (object, "model", program->options->model);
      g_ptr_array_add (tasks, object);
    }
}

/* All tasks of the run, (element-type JsonObject), at least one. */
GPtrArray *
_gw_program_read_tasks (GwProgram *program,
                        GError **error)
{
  static const char *const standard_input[] = { "-", NULL };
  const char *const *names = program->options->files != NULL
                               ? (const char *const *) program->options->files
                               : standard_input;
  g_autoptr (GPtrArray) tasks =
    g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autoptr (GPtrArray) imports = read_input (program, names[i], error);

      if (imports == NULL)
        return NULL;
      for (guint j = 0; j < imports->len; j++)
        {
          GwImport *import = g_ptr_array_index (imports, j);

          if (import->error != NULL)
            {
              g_propagate_error (error, g_error_copy (import->error));
              if (strstr (import->error->message, import->source) == NULL)
                g_prefix_error (error, "%s: ", import->source);
              return NULL;
            }
          print_problems (program, import);
          add_tasks (program, import, tasks);
        }
    }

  if (tasks->len == 0)
    {
      g_autofree char *all = g_strjoinv (", ", (char **) names);

      /* Translators: %s is the name of a file, or "standard input" */
      g_set_error (error, GW_ERROR, GW_ERROR_INPUT, _("There is no task in %s"),
                   g_str_equal (all, "-") ? _("standard input") : all);
      return NULL;
    }

  return g_steal_pointer (&tasks);
}
