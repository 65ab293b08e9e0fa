/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of the contract's calls, and which of them a request means.
 *
 * docs/openapi.yaml lists the same calls; a test compares the two. A path that is written out wins
 * over one with braces: GET /tasks/batch is a wrong method, not a task called "batch". HEAD goes
 * where GET goes. Pure, any thread.
 */
#define G_LOG_DOMAIN "gw-router"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-router.h"

static const GwRoute table[] = {
  { "POST", "/tasks", gw_route_post_task, GW_ROUTE_BODY | GW_ROUTE_WORK },
  { "GET", "/tasks/{task_id}", gw_route_get_task, GW_ROUTE_NONE },
  { "GET", "/tasks", gw_route_get_feed, GW_ROUTE_NONE },
  { "POST", "/tasks/batch", gw_route_post_batch, GW_ROUTE_BODY | GW_ROUTE_LARGE | GW_ROUTE_WORK },
  { "DELETE", "/tasks/{task_id}", gw_route_cancel_task, GW_ROUTE_NONE },
  { "POST", "/tasks/{task_id}/retry", gw_route_retry_task, GW_ROUTE_BODY | GW_ROUTE_WORK },
  { "POST", "/tasks/remove", gw_route_remove_tasks, GW_ROUTE_BODY },
  { "POST", "/tasks/restore", gw_route_restore_tasks, GW_ROUTE_BODY },
  { "POST", "/tasks/move", gw_route_move_tasks, GW_ROUTE_BODY },
  { "GET", "/tasks/{task_id}/attempts", gw_route_get_task_attempts, GW_ROUTE_NONE },
  { "GET", "/tasks/{task_id}/partial", gw_route_get_task_partial, GW_ROUTE_NONE },
  { "GET", "/attempts", gw_route_get_attempts, GW_ROUTE_NONE },
  { "GET", "/projects", gw_route_get_projects, GW_ROUTE_NONE },
  { "GET", "/projects/{project_id}", gw_route_get_project, GW_ROUTE_NONE },
  { "PATCH", "/projects/{project_id}", gw_route_patch_project, GW_ROUTE_BODY },
  { "DELETE", "/projects/{project_id}", gw_route_remove_project, GW_ROUTE_NONE },
  { "POST", "/projects/{project_id}/cancel", gw_route_cancel_project, GW_ROUTE_BODY },
  { "POST", "/projects/{project_id}/pause", gw_route_pause_project, GW_ROUTE_BODY },
  { "POST", "/projects/{project_id}/resume", gw_route_resume_project, GW_ROUTE_BODY },
  { "POST", "/projects/{project_id}/retry", gw_route_retry_project,
    GW_ROUTE_BODY | GW_ROUTE_WORK },
  { "GET", "/projects/{project_id}/results", gw_route_get_results, GW_ROUTE_NONE },
  { "POST", "/estimate", gw_route_estimate, GW_ROUTE_BODY },
  { "GET", "/providers", gw_route_get_providers, GW_ROUTE_NONE },
  { "GET", "/providers/{name}", gw_route_get_provider, GW_ROUTE_NONE },
  { "PUT", "/providers/{name}", gw_route_put_provider, GW_ROUTE_BODY | GW_ROUTE_LOCAL },
  { "DELETE", "/providers/{name}", gw_route_remove_provider, GW_ROUTE_LOCAL },
  { "POST", "/providers/{name}/test", gw_route_test_provider, GW_ROUTE_BODY },
  { "POST", "/providers/{name}/resume", gw_route_resume_provider, GW_ROUTE_BODY },
  { "GET", "/settings", gw_route_get_settings, GW_ROUTE_NONE },
  { "PATCH", "/settings", gw_route_patch_settings, GW_ROUTE_BODY | GW_ROUTE_LOCAL },
  { "GET", "/recovery", gw_route_get_recovery, GW_ROUTE_NONE },
  { "GET", "/health", gw_route_get_health, GW_ROUTE_NONE },
  { "GET", "/metrics", gw_route_get_metrics, GW_ROUTE_NONE },
};

/**
 * gw_router_get_table:
 * @n_routes: (out): how many
 *
 * Returns: (transfer none) (array length=n_routes): every call there is
 */
const GwRoute *
gw_router_get_table (guint *n_routes)
{
  *n_routes = G_N_ELEMENTS (table);

  return table;
}

/* Whether @path fits @pattern; @capture is the part for the braces, still encoded, if it has
 * any. */
static gboolean
path_fits (const char *pattern,
           const char *path,
           const char **capture,
           gsize *capture_length)
{
  *capture = NULL;
  while (*pattern != '\0')
    {
      if (*pattern == '{')
        {
          *capture = path;
          *capture_length = strcspn (path, "/");
          if (*capture_length == 0)
            return FALSE;
          path += *capture_length;
          pattern = strchr (pattern, '}') + 1;
        }
      else if (*pattern++ != *path++)
        {
          return FALSE;
        }
    }

  return *path == '\0';
}

/* What may be asked of @path, of which @literal says whether it is written out in the table. */
static char *
list_methods (const char *path,
              gboolean literal)
{
  GString *allow = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      const char *capture;
      gsize length;

      if (!path_fits (table[i].path, path, &capture, &length) || (literal && capture != NULL))
        continue;
      g_string_append (allow, table[i].method);
      g_string_append (allow, ", ");
      if (strcmp (table[i].method, "GET") == 0)
        g_string_append (allow, "HEAD, ");
    }
  g_string_append (allow, "OPTIONS");

  return g_string_free (allow, FALSE);
}

/**
 * gw_router_match:
 * @method: the method
 * @path: the path as it came, percent-encoded
 * @match: (out): what it means; to be cleared
 */
void
gw_router_match (const char *method,
                 const char *path,
                 GwRouteMatch *match)
{
  gboolean is_head = strcmp (method, "HEAD") == 0;
  gboolean known = FALSE, literal = FALSE;
  const char *found = NULL;
  gsize found_length = 0;

  memset (match, 0, sizeof *match);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      const GwRoute *route = &table[i];
      const char *capture;
      gsize length = 0;

      if (!path_fits (route->path, path, &capture, &length) || (literal && capture != NULL))
        continue;
      known = TRUE;
      if (capture == NULL && !literal)
        {
          /* Whatever the patterns with braces said is void. */
          literal = TRUE;
          match->route = NULL;
        }
      if (capture != NULL)
        {
          found = capture;
          found_length = length;
        }
      if (strcmp (route->method, is_head ? "GET" : method) == 0)
        match->route = route;
    }

  if (!known)
    return;
  if (!literal)
    {
      match->capture = g_uri_unescape_segment (found, found + found_length, NULL);
      if (match->capture == NULL || !g_utf8_validate (match->capture, -1, NULL))
        {
          /* %00 or broken UTF-8: nothing has such a name. */
          gw_route_match_clear (match);
          return;
        }
    }
  if (match->route == NULL)
    match->allow = list_methods (path, literal);
}

/* Frees what a match holds; a cleared one may be cleared again. */
void
gw_route_match_clear (GwRouteMatch *match)
{
  match->route = NULL;
  g_clear_pointer (&match->capture, g_free);
  g_clear_pointer (&match->allow, g_free);
}
