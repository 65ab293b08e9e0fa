/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

#include "config.h"


#include <glib/gi18n.h>

#include "gw-project.h"

#include "gw-batch-options.h"

#define UNSET (-G_MAXDOUBLE)
#define MAX_TIMEOUT_S (30 * 24 * 3600)

/**
 * gw_batch_options_free:
 * @options: (transfer full): options
 */
void
gw_batch_options_free (GwBatchOptions *options)
{
  g_strfreev (options->files);
  g_free (options->output);
  g_free (options->gateway);
  g_free (options->project);
  g_free (options->provider);
  g_free (options->model);
  g_free (options->template_text);
  g_free (options->column);
  g_free (options->resume);
  g_free (options->config);
  g_free (options->data_dir);
  g_free (options);
}

G_GNUC_PRINTF (2, 3)
static gboolean
fail (GError **error,
      const char *format,
      ...)
{
  va_list arguments;
  g_autofree char *message = NULL;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);

  return FALSE;
}

static gboolean
check_concurrency (GwBatchOptions *options,
                   gboolean serial,
                   gint64 concurrency,
                   GError **error)
{
  if (concurrency != G_MININT64 && (concurrency < 1 || concurrency > GW_PROJECT_MAX_CONCURRENCY))
    return fail (error, _("--concurrency is a number from 1 to %d"), GW_PROJECT_MAX_CONCURRENCY);
  if (serial && concurrency != G_MININT64 && concurrency != 1)
    return fail (error, _("--serial and --concurrency exclude each other"));

  if (serial)
    options->concurrency = 1;
  else if (concurrency != G_MININT64)
    options->concurrency = (guint) concurrency;

  return TRUE;
}

static gboolean
check_resume (GwBatchOptions *options,
              GError **error)
{
  if (options->retry_failed && options->resume == NULL)
    return fail (error, _("--retry-failed needs --resume PROJECT"));
  if (options->resume == NULL)
    return TRUE;

  if (options->files != NULL)
    return fail (error, _("--resume takes up the tasks that the project has: give it no files"));
  if (options->project != NULL || options->provider != NULL || options->model != NULL
      || options->template_text != NULL || options->column != NULL
      || options->split != GW_SPLIT_AUTO)
    return fail (error, _("--resume goes with --retry-failed, --serial, --concurrency, --output "
                          "and --format; the tasks themselves stay as they are"));
  if (*options->resume == '\0')
    return fail (error, _("--resume needs the name or the id of a project"));

  return TRUE;
}

static gboolean
check_files (GwBatchOptions *options,
             GError **error)
{
  guint n_standard_input = 0;

  for (guint i = 0; options->files != NULL && options->files[i] != NULL; i++)
    n_standard_input += g_str_equal (options->files[i], "-");
  if (n_standard_input > 1)
    return fail (error, _("Standard input can be read only once"));

  return TRUE;
}

static gboolean
check (GwBatchOptions *options,
       const char *format,
       const char *split,
       GError **error)
{
  g_autoptr (GError) local = NULL;

  options->format = GW_FORMAT_JSON;
  if (format != NULL)
    {
      if (!gw_format_from_string (format, &options->format))
        /* Translators: %s is what the user gave; the words before it are to be typed as they are */
        return fail (error, _("--format is json, jsonl, csv or md, not “%s”"), format);
    }
  else if (options->output != NULL)
    {
      g_autofree char *name = g_path_get_basename (options->output);

      options->format_guessed = !gw_format_from_file_name (name, &options->format)
                                && strchr (name, '.') != NULL;
    }

  if (split != NULL && !gw_import_split_from_string (split, &options->split))
    /* Translators: %s is what the user gave; the words before it are to be typed as they are */
    return fail (error, _("--split is line, blank, rule or whole, not “%s”"), split);
  if (options->output != NULL && *options->output == '\0')
    return fail (error, _("--output needs the name of a file"));
  if (options->project != NULL && !gw_project_check_name (options->project, &local)
      && (*options->project == '\0'
          || g_utf8_strlen (options->project, -1) > GW_PROJECT_MAX_NAME))
    return fail (error, "--project: %s", local->message);

  return check_files (options, error) && check_resume (options, error);
}

/**
 * gw_batch_options_new:
 * @argc: as main() has it
 * @argv: as main() has it
 * @error: G_OPTION_ERROR with a sentence for people
 *
 * Returns: (transfer full): what the command line says; --help has ended the program
 */
GwBatchOptions *
gw_batch_options_new (int argc,
                      char **argv,
                      GError **error)
{
  g_autoptr (GwBatchOptions) options = g_new0 (GwBatchOptions, 1);
  g_autoptr (GOptionContext) context = NULL;
  g_auto (GStrv) arguments = g_new0 (char *, (gsize) argc + 1);
  g_autofree char *format = NULL;
  g_autofree char *split = NULL;
  double timeout_s = UNSET;
  gint64 concurrency = G_MININT64;
  gboolean serial = FALSE;
  const GOptionEntry entries[] = {
    { "serial", 0, 0, G_OPTION_ARG_NONE, &serial, N_("One task after the other, in order"), NULL },
    { "concurrency", 0, 0, G_OPTION_ARG_INT64, &concurrency, N_("At most so many tasks at once"),
      N_("N") },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
      N_("Write the results to this file instead of standard output"), N_("FILE") },
    { "format", 0, 0, G_OPTION_ARG_STRING, &format, N_("json, jsonl, csv or md"), N_("FORMAT") },
    { "gateway", 0, 0, G_OPTION_ARG_STRING, &options->gateway,
      N_("Use the gateway at this address"), N_("URL") },
    { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &timeout_s,
      N_("Stop after so many seconds; what is done is kept"), N_("SECONDS") },
    { "project", 0, 0, G_OPTION_ARG_STRING, &options->project,
      N_("Put the tasks into this project"), N_("NAME") },
    { "provider", 0, 0, G_OPTION_ARG_STRING, &options->provider,
      N_("Ask only this provider"), N_("P") },
    { "model", 0, 0, G_OPTION_ARG_STRING, &options->model, N_("Ask only this model"), N_("M") },
    { "template", 0, 0, G_OPTION_ARG_STRING, &options->template_text,
      N_("Make each task from a text with {column} or {task} in it"), N_("TEXT") },
    { "split", 0, 0, G_OPTION_ARG_STRING, &split,
      N_("How a text file becomes tasks: line, blank, rule or whole"), N_("RULE") },
    { "column", 0, 0, G_OPTION_ARG_STRING, &options->column,
      N_("The column of a table that holds the task"), N_("NAME") },
    { "resume", 0, 0, G_OPTION_ARG_STRING, &options->resume,
      N_("Go on with a project that was interrupted"), N_("PROJECT") },
    { "retry-failed", 0, 0, G_OPTION_ARG_NONE, &options->retry_failed,
      N_("With --resume: try its failed tasks again"), NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config,
      N_("Read this configuration instead of the user’s"), N_("FILE") },
    { "data-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->data_dir,
      N_("Keep the queue in this folder"), N_("DIR") },
    { "set-limits", 0, 0, G_OPTION_ARG_NONE, &options->set_limits,
      N_("Use the limits of the configuration from now on, not the stored ones"), NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, N_("Show no progress"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_("Show the version"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->files, NULL,
      N_("[FILE…]") },
    { NULL },
  };

  for (int i = 0; i < argc; i++)
    arguments[i] = g_strdup (argv[i]);

  context = g_option_context_new (NULL);
  g_option_context_set_summary (context,
                                _("Runs many tasks and writes their results in input order.\n"
                                  "Tasks come from the files, or from standard input for “-” or "
                                  "none."));
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse_strv (context, &arguments, error))
    return NULL;

  if (timeout_s != UNSET && !(timeout_s > 0 && timeout_s <= MAX_TIMEOUT_S))
    {
      fail (error, _("--timeout is a number of seconds above 0"));
      return NULL;
    }
  options->timeout_s = timeout_s == UNSET ? 0 : timeout_s;
  if (!check_concurrency (options, serial, concurrency, error)
      || !check (options, format, split, error))
    return NULL;

  return g_steal_pointer (&options);
}

static void
append_option (GString *command,
               const char *name,
               const char *value)
{
  gboolean plain = *value != '\0';
  g_autofree char *quoted = NULL;

  for (const char *c = value; *c != '\0' && plain; c++)
    plain = g_ascii_isalnum (*c) || strchr ("-_./:=,@%+", *c) != NULL;
  if (!plain)
    quoted = g_shell_quote (value);
  g_string_append_printf (command, " %s %s", name, quoted != NULL ? quoted : value);
}

/**
 * gw_batch_options_resume_command:
 * @options: how the program was called
 * @project: name or id of its project
 * @retry_failed: whether failed tasks are meant
 *
 * Returns: (transfer full): the command that goes on with it
 */
char *
gw_batch_options_resume_command (const GwBatchOptions *options,
                                 const char *project,
                                 gboolean retry_failed)
{
  GString *command = g_string_new ("gangway-batch");

  append_option (command, "--resume", project);
  if (retry_failed)
    g_string_append (command, " --retry-failed");
  if (options->gateway != NULL)
    append_option (command, "--gateway", options->gateway);
  if (options->config != NULL)
    append_option (command, "--config", options->config);
  if (options->data_dir != NULL)
    append_option (command, "--data-dir", options->data_dir);
  if (options->output != NULL)
    append_option (command, "--output", options->output);

  return g_string_free (command, FALSE);
}
