/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-draft"

#include "config.h"

#include <errno.h>

#include <glib/gstdio.h>

#include "gw-window-private.h"

/* What stands in the compose box is kept in a file of the user's state, so that neither a crash nor
 * a closed window loses it. */

static char *
build_path (void)
{
  return g_build_filename (g_get_user_state_dir (), "gangway", "draft.txt", NULL);
}

/**
 * gw_draft_load:
 *
 * Returns: (transfer full) (nullable): the text that was not submitted last time
 */
char *
gw_draft_load (void)
{
  g_autofree char *path = build_path ();
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, NULL)
      || !g_utf8_validate_len (text, length, NULL) || length == 0)
    return NULL;
  return g_steal_pointer (&text);
}

void
gw_draft_save (const char *text)
{
  g_autofree char *path = build_path ();
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  if (*text == '\0')
    {
      if (g_unlink (path) != 0 && errno != ENOENT)
        g_warning ("%s: the old draft could not be removed: %s", path, g_strerror (errno));
      return;
    }
  g_mkdir_with_parents (folder, 0700);
  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    g_warning ("%s: the draft could not be saved: %s", path, error->message);
}
