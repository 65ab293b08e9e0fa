/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-search"

/* A search through the tasks and answers of all projects, counted by project. The gateway does the
 * searching; pages of ids alone are counted here, up to a limit, for nobody reads a list of a
 * million places. In the thread of the client; no state is left behind. */

#include "config.h"

#include "gw-search.h"

#define PAGE_TASKS 1000
#define MAX_HITS 50000

typedef struct {
  char *query;      /* escaped for an address */
  GHashTable *hits; /* id → count */
  guint total;
  gboolean more;
} Search;

static void
search_free (gpointer data)
{
  Search *search = data;

  g_free (search->query);
  g_hash_table_unref (search->hits);
  g_free (search);
}

static void ask (GTask *task, gint64 since);

static void
count (Search *search,
       JsonArray *tasks)
{
  for (guint i = 0; i < json_array_get_length (tasks); i++)
    {
      JsonNode *node = json_array_get_element (tasks, i);
      const char *id;
      guint old;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      id = gw_json_peek_string (json_node_get_object (node), "project_id");
      if (id == NULL)
        continue;
      old = GPOINTER_TO_UINT (g_hash_table_lookup (search->hits, id));
      g_hash_table_insert (search->hits, g_strdup (id), GUINT_TO_POINTER (old + 1));
      search->total++;
    }
}

static void
page_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Search *search = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) page = gw_client_call_finish (GW_CLIENT (source), result, &error);
  JsonArray *tasks;
  gboolean more = FALSE;

  if (page == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  tasks = gw_json_peek_array (page, "tasks");
  if (tasks != NULL)
    count (search, tasks);
  if (!gw_json_get_boolean (page, "more", GW_JSON_OPTIONAL, &more, NULL))
    more = FALSE;
  if (more && search->total < MAX_HITS)
    {
      ask (task, gw_json_peek_int (page, "revision", 0));
      return;
    }

  search->more = more;
  g_task_return_pointer (task, g_hash_table_ref (search->hits),
                         (GDestroyNotify) g_hash_table_unref);
}

static void
ask (GTask *task,
     gint64 since)
{
  Search *search = g_task_get_task_data (task);
  g_autofree char *path = g_strdup_printf ("/tasks?q=%s&since=%" G_GINT64_FORMAT
                                           "&limit=%d&fields=task_id,project_id",
                                           search->query, since, PAGE_TASKS);

  gw_client_call_async (g_task_get_source_object (task), "GET", path, NULL,
                        g_task_get_cancellable (task), page_cb, g_object_ref (task));
}

/**
 * gw_search_projects_async:
 * @client: a gateway that is one of ours
 * @text: not empty
 */
void
gw_search_projects_async (GwClient *client,
                          const char *text,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (client, cancellable, callback, user_data);
  Search *search = g_new0 (Search, 1);

  g_return_if_fail (text != NULL && text[0] != '\0');

  search->query = g_uri_escape_string (text, NULL, FALSE);
  search->hits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_task_set_source_tag (task, gw_search_projects_async);
  g_task_set_task_data (task, search, search_free);
  ask (task, 0);
}

/**
 * gw_search_projects_finish:
 * @more: (out) (optional): whether more tasks may have it than were counted
 *
 * Returns: (transfer full) (nullable): the hits of each project that has any
 */
GHashTable *
gw_search_projects_finish (GAsyncResult *result,
                           gboolean *more,
                           GError **error)
{
  GTask *task = G_TASK (result);
  Search *search = g_task_get_task_data (task);

  if (more != NULL)
    *more = search->more;

  return g_task_propagate_pointer (task, error);
}
