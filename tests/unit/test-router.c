/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of routes by itself, and against docs/openapi.yaml. */
#include "config.h"

#include <string.h>

#include "gateway/gw-router.h"

static void
test_match (void)
{
  static const struct {
    const char *method;
    const char *path;
    const char *route;    /* NULL: none */
    const char *capture;
    gboolean known;
  } table[] = {
    { "POST", "/tasks", "/tasks", NULL, TRUE },
    { "GET", "/tasks", "/tasks", NULL, TRUE },
    { "HEAD", "/tasks", "/tasks", NULL, TRUE },
    { "GET", "/tasks/a-1", "/tasks/{task_id}", "a-1", TRUE },
    { "GET", "/tasks/batch", NULL, NULL, TRUE },
    { "POST", "/tasks/batch", "/tasks/batch", NULL, TRUE },
    { "POST", "/tasks/remove", "/tasks/remove", NULL, TRUE },
    { "POST", "/tasks/move", "/tasks/move", NULL, TRUE },
    { "GET", "/tasks/remove/attempts", "/tasks/{task_id}/attempts", "remove", TRUE },
    { "GET", "/projects/my%20project", "/projects/{project_id}", "my project", TRUE },
    { "GET", "/projects/a%2Fb/results", "/projects/{project_id}/results", "a/b", TRUE },
    { "PUT", "/projects/a", NULL, "a", TRUE },
    { "get", "/tasks", NULL, NULL, TRUE },
    { "GET", "/tasks/", NULL, NULL, FALSE },
    { "GET", "/tasks//attempts", NULL, NULL, FALSE },
    { "GET", "/tasks/a/attempts/", NULL, NULL, FALSE },
    { "GET", "/Tasks", NULL, NULL, FALSE },
    { "GET", "/tasksx", NULL, NULL, FALSE },
    { "GET", "", NULL, NULL, FALSE },
    { "GET", "/tasks/%", NULL, NULL, FALSE },
    { "GET", "/tasks/%00", NULL, NULL, FALSE },
    { "GET", "/tasks/%c3%28", NULL, NULL, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_auto (GwRouteMatch) match = { 0 };

      g_test_message ("%s %s", table[i].method, table[i].path);
      gw_router_match (table[i].method, table[i].path, &match);
      g_assert_cmpstr (match.route != NULL ? match.route->path : NULL, ==, table[i].route);
      g_assert_cmpstr (match.capture, ==, table[i].capture);
      g_assert_cmpint (match.allow != NULL || match.route != NULL, ==, table[i].known);
    }
}

/* The document's calls as "METHOD path": two spaces before a path, four before a method. */
static GHashTable *
read_document (void)
{
  GHashTable *calls = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  static const char *const methods[] = { "get:", "post:", "put:", "patch:", "delete:", NULL };
  g_autofree char *name = g_test_build_filename (G_TEST_DIST, "..", "docs", "openapi.yaml", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *path = NULL;
  gboolean in_paths = FALSE;

  g_file_get_contents (name, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (lines[i][0] != ' ' && lines[i][0] != '\0')
        in_paths = g_str_equal (lines[i], "paths:");
      if (!in_paths)
        continue;
      if (g_str_has_prefix (lines[i], "  /"))
        {
          g_free (path);
          path = g_strndup (lines[i] + 2, strlen (lines[i]) - 3);
        }
      else if (strlen (lines[i]) > 4 && g_strv_contains (methods, lines[i] + 4)
               && g_str_has_prefix (lines[i], "    "))
        {
          g_autofree char *method = g_ascii_strup (lines[i] + 4, strlen (lines[i]) - 5);

          g_hash_table_add (calls, g_strdup_printf ("%s %s", method, path));
        }
    }

  return calls;
}

static void
test_document (void)
{
  g_autoptr (GHashTable) calls = read_document ();
  guint n_routes;
  const GwRoute *routes = gw_router_get_table (&n_routes);

  for (guint i = 0; i < n_routes; i++)
    {
      g_autofree char *call = g_strdup_printf ("%s %s", routes[i].method, routes[i].path);

      g_test_message ("%s", call);
      g_assert_true (g_hash_table_remove (calls, call));
    }
  /* Nothing is documented that is not there. */
  g_assert_cmpuint (g_hash_table_size (calls), ==, 0);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/router/match", test_match);
  g_test_add_func ("/router/document", test_document);

  return g_test_run ();
}
