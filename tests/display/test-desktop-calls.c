/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "gw-desktop-calls.h"

/* What a folder is called where the results go. */

static void
test_name (void)
{
  g_autofree char *lent = g_build_filename (g_get_user_runtime_dir (), "doc", "3f2a", "结果", NULL);
  g_autofree char *below = g_build_filename (g_get_home_dir (), "Documents", "Results", NULL);
  g_autofree char *beside = g_strconcat (g_get_home_dir (), "-of-others/x", NULL);
  const struct {
    const char *path;
    const char *name;
  } rows[] = {
    { "/srv/results", "/srv/results" },
    { below, "~/Documents/Results" },
    { beside, beside },
    { g_get_home_dir (), "~" },
    { lent, "结果" },
    { "/run/flatpak/doc/3f2a/Results", "Results" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *name = gw_desktop_name_folder (rows[i].path);

      g_assert_cmpstr (name, ==, rows[i].name);
    }
}

static void
store_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  *(char **) user_data = gw_desktop_find_folder_finish (result);
}

static char *
find (const char *path)
{
  char *name = NULL;

  gw_desktop_find_folder_async (path, NULL, store_cb, &name);
  while (name == NULL)
    g_main_context_iteration (NULL, TRUE);

  return name;
}

/* A newer document portal tells the real place by an attribute of what it lends. */
static void
test_lent (void)
{
  g_autofree char *lent = g_build_filename (g_get_user_runtime_dir (), "doc", "3f2a", "Results", NULL);
  g_autofree char *real = g_build_filename (g_get_home_dir (), "Work", "Results", NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  g_assert_no_errno (g_mkdir_with_parents (lent, 0700));
  before = find (lent);
  g_assert_cmpstr (before, ==, "Results");

  if (setxattr (lent, "user.document-portal.host-path", real, strlen (real), 0) != 0)
    {
      g_test_skip ("no attributes of users on this file system");
      return;
    }
  after = find (lent);
  g_assert_cmpstr (after, ==, "~/Work/Results");
}

int
main (int argc,
      char *argv[])
{
  const char *const lent[] = { "doc/3f2a/Results", "doc/3f2a", "doc", "" };
  g_autofree char *runtime = g_dir_make_tmp ("gangway-desktop-calls-XXXXXX", NULL);
  int status;

  g_assert_nonnull (runtime);
  g_setenv ("XDG_RUNTIME_DIR", runtime, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/desktop-calls/name", test_name);
  g_test_add_func ("/desktop-calls/lent", test_lent);
  status = g_test_run ();
  for (guint i = 0; i < G_N_ELEMENTS (lent); i++)
    {
      g_autofree char *path = g_build_filename (runtime, lent[i], NULL);

      g_rmdir (path);
    }

  return status;
}
