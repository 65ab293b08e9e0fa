/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gangway-batch"

/* Where the results go. A file is replaced as a whole or not at all; a pipe, a terminal or a device
 * is written into. Everything that can be known to be wrong is said before anything is sent. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include "gw-export.h"

#include "gw-batch-output.h"

static gboolean
is_same_file (const struct stat *a,
              const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* By inode, so that no other name, link or redirection hides it. */
static gboolean
is_an_input (const GwBatchOptions *options,
             const struct stat *output)
{
  gboolean reads_standard_input = options->files == NULL && options->resume == NULL;
  struct stat input;

  for (guint i = 0; options->files != NULL && options->files[i] != NULL; i++)
    {
      if (g_str_equal (options->files[i], "-"))
        reads_standard_input = TRUE;
      else if (stat (options->files[i], &input) == 0 && is_same_file (&input, output))
        return TRUE;
    }

  return reads_standard_input && fstat (STDIN_FILENO, &input) == 0 && S_ISREG (input.st_mode)
         && is_same_file (&input, output);
}

static gboolean
fail_for_errno (const char *path,
                int number,
                GError **error)
{
  g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
               /* Translators: a file name, then the system's reason */
               _("The results cannot be written to “%s”: %s"), path, g_strerror (number));

  return FALSE;
}

/**
 * gw_batch_output_check:
 * @options: the command line
 * @error: GW_ERROR_INPUT with a sentence for people
 *
 * Returns: whether the results can be written
 */
gboolean
gw_batch_output_check (const GwBatchOptions *options,
                       GError **error)
{
  g_autofree char *folder = NULL;
  struct stat output;

  if (options->output == NULL)
    {
      if (fstat (STDOUT_FILENO, &output) != 0)
        return fail_for_errno (_("standard output"), errno, error);
      if (S_ISREG (output.st_mode) && is_an_input (options, &output))
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                               _("Standard output is also an input: the tasks would be lost"));
          return FALSE;
        }
      return TRUE;
    }

  if (stat (options->output, &output) == 0)
    {
      if (S_ISDIR (output.st_mode))
        return fail_for_errno (options->output, EISDIR, error);
      if (is_an_input (options, &output))
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INPUT,
                       /* Translators: %s is the name of a file */
                       _("“%s” is also an input: the tasks would be lost"), options->output);
          return FALSE;
        }
      if (access (options->output, W_OK) != 0)
        return fail_for_errno (options->output, errno, error);
      if (!S_ISREG (output.st_mode))
        return TRUE;
    }
  else if (errno != ENOENT)
    {
      return fail_for_errno (options->output, errno, error);
    }

  folder = g_path_get_dirname (options->output);
  if (access (folder, W_OK | X_OK) != 0)
    return fail_for_errno (options->output, errno, error);

  return TRUE;
}

static gboolean
write_to_descriptor (const GwBatchOptions *options,
                     int fd,
                     gboolean close_fd,
                     const char *title,
                     GPtrArray *tasks,
                     GError **error)
{
  g_autoptr (GOutputStream) plain = g_unix_output_stream_new (fd, close_fd);
  g_autoptr (GOutputStream) stream = g_buffered_output_stream_new (plain);

  g_filter_output_stream_set_close_base_stream (G_FILTER_OUTPUT_STREAM (stream), close_fd);

  return gw_export_write_tasks (stream, options->format, title, tasks, NULL, error)
         && g_output_stream_close (stream, NULL, error);
}

/**
 * gw_batch_output_write:
 * @options: the command line
 * @title: of the document, where the format has one
 * @tasks: (element-type GwTask): in input order
 * @error: GIO's or GW_ERROR
 *
 * Returns: whether the results are there
 */
gboolean
gw_batch_output_write (const GwBatchOptions *options,
                       const char *title,
                       GPtrArray *tasks,
                       GError **error)
{
  struct stat output;
  int fd;

  if (options->output == NULL)
    return write_to_descriptor (options, STDOUT_FILENO, FALSE, title, tasks, error);

  if (stat (options->output, &output) == 0 && !S_ISREG (output.st_mode))
    {
      fd = g_open (options->output, O_WRONLY | O_CLOEXEC, 0);
      if (fd < 0)
        return fail_for_errno (options->output, errno, error);
      return write_to_descriptor (options, fd, TRUE, title, tasks, error);
    }

  return gw_export_save (options->output, options->format, title, tasks, NULL, error);
}
