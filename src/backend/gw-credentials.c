/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-credentials"

#include "config.h"

#include <string.h>

#include "gw-credentials.h"
#include "gw-log.h"

/*
 * Secrets that are handed to a service: by a variable of the environment, or by a file of the same
 * name in the folder that the service manager names by CREDENTIALS_DIRECTORY (systemd's
 * LoadCredential). Never by a command line, which everybody on the machine can read. Any thread.
 */

#define LONGEST (64 * 1024)

static gboolean
is_plain_name (const char *name)
{
  return *name != '\0' && *name != '.' && strchr (name, '/') == NULL;
}

/**
 * gw_credentials_dup:
 * @name: of the variable, and of the file
 *
 * Reads from the disk.
 *
 * Returns: (transfer full) (nullable): the secret without blanks around it; to be wiped before it
 *   is freed. %NULL where neither holds one
 */
char *
gw_credentials_dup (const char *name)
{
  const char *value = g_getenv (name);
  const char *folder = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  gsize size;

  if (value != NULL && *value != '\0')
    return g_strdup (value);
  if (folder == NULL || *folder != '/' || !is_plain_name (name))
    return NULL;

  path = g_build_filename (folder, name, NULL);
  if (!g_file_get_contents (path, &text, &size, &error))
    {
      if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        g_warning ("the credential %s cannot be read: %s", name, error->message);
      return NULL;
    }
  if (size > LONGEST || strlen (text) != size || !g_utf8_validate (text, -1, NULL))
    {
      g_warning ("the credential %s is not one line of text; it is not used", path);
      explicit_bzero (text, size);
      g_free (text);
      return NULL;
    }
  g_strstrip (text);
  if (*text == '\0')
    g_clear_pointer (&text, g_free);

  return text;
}
