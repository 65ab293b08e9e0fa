/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Reading task files from disk, off the thread that asks: a thread of its own for each call, since
 * a named pipe or a network folder may keep it waiting for long.
 */

#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-private.h"

static GwImport *
failed (GFile *file,
        GError *error)
{
  g_autofree char *base = g_file_get_basename (file);

  return gw_import_new_failed (base != NULL ? base : "?", error);
}

/* Reads at most one byte more than is allowed, so that the parser can tell. */
static GByteArray *
read_file (GFile *file,
           GCancellable *cancellable,
           GError **error)
{
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, error);
  g_autoptr (GByteArray) bytes = NULL;
  g_autofree guint8 *buffer = NULL;
  const gsize size = 256 * 1024;

  if (stream == NULL)
    return NULL;

  bytes = g_byte_array_new ();
  buffer = g_malloc (size);
  while (bytes->len <= GW_IMPORT_MAX_FILE)
    {
      gsize wanted = MIN (size, (gsize) GW_IMPORT_MAX_FILE + 1 - bytes->len);
      gssize n = g_input_stream_read (G_INPUT_STREAM (stream), buffer, wanted, cancellable, error);

      if (n < 0)
        return NULL;
      if (n == 0)
        break;
      g_byte_array_append (bytes, buffer, n);
    }

  return g_steal_pointer (&bytes);
}

/* A sentence of its own where the reason is a common one: the system's text names the path
 * again. */
static void
set_read_error (GError **error,
                const GError *reason)
{
  const char *words = NULL;

  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    words = _("There is no such file");
  else if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    words = _("You do not have the permission to read this file");
  if (words != NULL)
    g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT, words);
  else
    /* Translators: %s is the system’s reason */
    g_set_error (error, GW_ERROR, GW_ERROR_INPUT, _("The file cannot be read: %s"),
                 reason->message);
}

/* FALSE only where the call was cancelled. */
static gboolean
import_file (GPtrArray *imports,
             GFile *file,
             const GwImportOptions *options,
             GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = read_file (file, cancellable, &error);
  g_autofree char *base = g_file_get_basename (file);
  GwImport *import = NULL;

  if (g_cancellable_is_cancelled (cancellable))
    return FALSE;

  if (bytes != NULL)
    import = gw_import_parse_bytes (base != NULL ? base : "?", bytes->data, bytes->len, options,
                                    &error);
  else
    {
      g_autoptr (GError) reason = g_steal_pointer (&error);

      set_read_error (&error, reason);
    }
  g_ptr_array_add (imports, import != NULL ? import : failed (file, g_steal_pointer (&error)));

  return !g_cancellable_is_cancelled (cancellable);
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  g_autofree char *name_a = g_file_get_basename (*(GFile *const *) a);
  g_autofree char *name_b = g_file_get_basename (*(GFile *const *) b);

  return g_strcmp0 (name_a, name_b);
}

/* The supported files in @folder, by name; not those in folders inside. */
static GPtrArray *
list_folder (GFile *folder,
             GCancellable *cancellable,
             GError **error)
{
  g_autoptr (GFileEnumerator) children = NULL;
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  GFileInfo *info;
  GFile *child;

  children = g_file_enumerate_children (folder,
                                        G_FILE_ATTRIBUTE_STANDARD_NAME ","
                                        G_FILE_ATTRIBUTE_STANDARD_TYPE ","
                                        G_FILE_ATTRIBUTE_STANDARD_IS_HIDDEN,
                                        G_FILE_QUERY_INFO_NONE, cancellable, error);
  if (children == NULL)
    return NULL;

  for (;;)
    {
      if (!g_file_enumerator_iterate (children, &info, &child, cancellable, error))
        return NULL;
      if (info == NULL)
        break;
      if (g_file_info_get_file_type (info) == G_FILE_TYPE_REGULAR
          && !g_file_info_get_is_hidden (info)
          && gw_import_is_supported (g_file_info_get_name (info)))
        g_ptr_array_add (files, g_object_ref (child));
    }
  g_ptr_array_sort (files, compare_names);

  return g_steal_pointer (&files);
}

/**
 * gw_import_expand_files:
 * @files: (element-type GFile): files and folders, in the order of the input
 * @cancellable: (nullable): a cancellable
 *
 * Blocks on the disk. Any thread.
 *
 * Returns: (transfer full) (element-type GFile): the same with the supported files of each folder
 *   in its place; a folder without any stays, so that reading it says what is wrong
 */
GPtrArray *
gw_import_expand_files (GPtrArray *files,
                        GCancellable *cancellable)
{
  GPtrArray *expanded = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < files->len; i++)
    {
      GFile *file = files->pdata[i];
      g_autoptr (GPtrArray) inside = NULL;

      if (g_file_query_file_type (file, G_FILE_QUERY_INFO_NONE, cancellable)
          == G_FILE_TYPE_DIRECTORY)
        inside = list_folder (file, cancellable, NULL);
      if (inside != NULL && inside->len > 0)
        g_ptr_array_extend_and_steal (expanded, g_steal_pointer (&inside));
      else
        g_ptr_array_add (expanded, g_object_ref (file));
    }

  return expanded;
}

/**
 * gw_import_read_file:
 * @file: a file
 * @cancellable: (nullable): a cancellable
 * @error: %GW_ERROR_INPUT with the reason, for people; or %G_IO_ERROR_CANCELLED
 *
 * Blocks on the disk. Any thread.
 *
 * Returns: (transfer full) (nullable): what is in it
 */
GBytes *
gw_import_read_file (GFile *file,
                     GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GByteArray) bytes = NULL;
  g_autofree char *base = g_file_get_basename (file);

  if (base != NULL && gw_import_is_foreign (base))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                           _("Only text, Markdown, JSON, JSONL and CSV files can be imported"));
      return NULL;
    }

  bytes = read_file (file, cancellable, &local);
  if (bytes != NULL)
    return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));

  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_propagate_error (error, g_steal_pointer (&local));
  else if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY))
    g_set_error_literal (error, GW_ERROR, GW_ERROR_INPUT,
                         _("There is no task file in this folder"));
  else
    set_read_error (error, local);

  return NULL;
}

static gboolean
import_folder (GPtrArray *imports,
               GFile *folder,
               const GwImportOptions *options,
               GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) files = list_folder (folder, cancellable, &error);

  if (g_cancellable_is_cancelled (cancellable))
    return FALSE;
  if (files == NULL || files->len == 0)
    {
      GError *local = g_error_new (GW_ERROR, GW_ERROR_INPUT, "%s",
                                   files == NULL ? error->message
                                                 : _("There is no task file in this folder"));

      g_ptr_array_add (imports, failed (folder, local));
      return TRUE;
    }

  for (guint i = 0; i < files->len; i++)
    {
      if (!import_file (imports, files->pdata[i], options, cancellable))
        return FALSE;
    }

  return TRUE;
}

/**
 * gw_import_files:
 * @files: (element-type GFile): files and folders, in the order of the input
 * @options: (nullable): for all of them
 * @cancellable: (nullable): a cancellable
 * @error: only %G_IO_ERROR_CANCELLED
 *
 * Blocks on the disk. Any thread.
 *
 * Returns: (transfer full) (nullable) (element-type GwImport): one for each file
 */
GPtrArray *
gw_import_files (GPtrArray *files,
                 const GwImportOptions *options,
                 GCancellable *cancellable,
                 GError **error)
{
  g_autoptr (GPtrArray) imports
    = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_import_free);

  for (guint i = 0; i < files->len; i++)
    {
      GFile *file = files->pdata[i];
      gboolean is_folder = g_file_query_file_type (file, G_FILE_QUERY_INFO_NONE, cancellable)
                           == G_FILE_TYPE_DIRECTORY;

      if (!(is_folder ? import_folder (imports, file, options, cancellable)
                      : import_file (imports, file, options, cancellable)))
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Cancelled"));
          return NULL;
        }
    }

  return g_steal_pointer (&imports);
}
