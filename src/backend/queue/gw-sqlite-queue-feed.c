/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * The change feed: tasks, projects and removals in the order of their revisions, each once, with
 * its newest state, one page from one snapshot. Three ascending lists are read no further than a
 * page and merged.
 *
 * Who asks since before the oldest removal that is still listed may hold something that is gone,
 * and is told to begin anew. Somebody who began from 0 after those removals, and walks through many
 * pages, asks with just such a number and cannot hold it: so the revisions at which pages of a walk
 * ended are remembered for a while, with the head at which the walk began.
 */

#define LONGEST_QUERY 4096

typedef struct {
  gint64 revision;
  gint64 pk;      /* of the task or project; 0: a removal */
  char *removed;  /* (owned) (nullable) */
  gboolean is_project;
} Entry;

static void
clear_entry (gpointer data)
{
  g_free (((Entry *) data)->removed);
}

static int
compare_entries (gconstpointer a,
                 gconstpointer b)
{
  gint64 left = ((const Entry *) a)->revision;
  gint64 right = ((const Entry *) b)->revision;

  return left < right ? -1 : left > right;
}

/* A pattern for LIKE that finds @text as it stands, without regard to the case of ASCII letters. */
static char *
make_pattern (const char *text)
{
  GString *pattern = g_string_new ("%");

  for (const char *p = text; *p != '\0'; p++)
    {
      if (*p == '%' || *p == '_' || *p == '\\')
        g_string_append_c (pattern, '\\');
      g_string_append_c (pattern, *p);
    }
  g_string_append_c (pattern, '%');

  return g_string_free (pattern, FALSE);
}

static void
add_tasks (GwSqView *view,
           const GwFeedQuery *query,
           gint64 project,
           gint64 since,
           guint limit,
           GArray *entries)
{
  g_autofree char *pattern = query->query != NULL ? make_pattern (query->query) : NULL;
  sqlite3_stmt *row;

  if (pattern != NULL)
    row = gw_sq_bind (view->db,
      "SELECT t.revision, t.pk FROM task t INDEXED BY task_revision"
      " JOIN content c ON c.task = t.pk LEFT JOIN answer a ON a.task = t.pk"
      " WHERE t.revision > ?1 AND t.removed_at IS NULL AND (?2 = 0 OR t.project = ?2)"
      " AND (?3 = 0 OR (?3 >> max(0, t.state - 1)) & 1)"
      " AND ((c.head || ifnull(c.rest, '')) LIKE ?5 ESCAPE '\\' OR a.result LIKE ?5 ESCAPE '\\')"
      " ORDER BY t.revision LIMIT ?4", "iiiis", since, project, (gint64) query->statuses,
      (gint64) limit, pattern);
  else if (project != 0)
    row = gw_sq_bind (view->db,
      "SELECT revision, pk FROM task INDEXED BY task_revision"
      " WHERE revision > ?1 AND project = ?2 AND removed_at IS NULL"
      " AND (?3 = 0 OR (?3 >> max(0, state - 1)) & 1) ORDER BY revision LIMIT ?4", "iiii", since,
      project, (gint64) query->statuses, (gint64) limit);
  else
    row = gw_sq_bind (view->db,
      "SELECT revision, pk FROM task INDEXED BY task_revision"
      " WHERE revision > ?1 AND removed_at IS NULL"
      " AND (?2 = 0 OR (?2 >> max(0, state - 1)) & 1) ORDER BY revision LIMIT ?3", "iii", since,
      (gint64) query->statuses, (gint64) limit);
  while (gw_sq_row (view->db, row))
    {
      Entry entry = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 1), NULL, FALSE };

      g_array_append_val (entries, entry);
    }
}

static void
add_projects (GwSqView *view,
              gint64 project,
              gint64 since,
              guint limit,
              GArray *entries)
{
  sqlite3_stmt *row = gw_sq_bind (view->db,
    "SELECT revision, pk FROM project WHERE revision > ?1 AND (?2 = 0 OR pk = ?2)"
    " ORDER BY revision LIMIT ?3", "iii", since, project, (gint64) limit);

  while (gw_sq_row (view->db, row))
    {
      Entry entry = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 1), NULL, TRUE };

      g_array_append_val (entries, entry);
    }
}

static void
add_removals (GwSqView *view,
              gint64 since,
              guint limit,
              GArray *entries)
{
  sqlite3_stmt *row = gw_sq_bind (view->db,
    "SELECT revision, id FROM removal WHERE revision > ? ORDER BY revision LIMIT ?", "ii", since,
    (gint64) limit);

  while (gw_sq_row (view->db, row))
    {
      Entry entry = { sqlite3_column_int64 (row, 0), 0, gw_sq_dup_id (row, 1), FALSE };

      g_array_append_val (entries, entry);
    }
}

static GwTask *
read_entry (GwSqView *view,
            gint64 pk,
            GwTaskFields fields)
{
  GwTask *task = NULL;
  sqlite3_stmt *row;

  /* Results are long, and lists seldom show them. */
  if ((fields & GW_TASK_FIELDS_OF_RESULT) != 0)
    row = gw_sq_bind (view->db, "SELECT " GW_SQ_TASK_COLUMNS "NULL, a.result"
                      GW_SQ_TASK_TABLES "WHERE t.pk = ?", "i", pk);
  else
    row = gw_sq_bind (view->db, "SELECT " GW_SQ_TASK_COLUMNS "NULL, NULL"
                      GW_SQ_TASK_TABLES "WHERE t.pk = ?", "i", pk);
  if (gw_sq_row (view->db, row))
    {
      task = gw_sq_task_from_row (view, row, fields);
      gw_sq_end (row);
    }

  return task;
}

static gsize
size_of (const GwTask *task)
{
  return 512 + (task->content != NULL ? strlen (task->content) : 0)
         + (task->result != NULL ? task->result_size : 0)
         + (task->error_message != NULL ? strlen (task->error_message) : 0);
}

/* Takes entries in order until the page is full; gives how many. */
static guint
fill (GwSqView *view,
      const GwFeedQuery *query,
      GArray *entries,
      GwFeedPage *page)
{
  guint limit = CLAMP (query->limit, 1, 1000);
  gsize bytes = 0;
  guint n;

  for (n = 0; n < MIN (entries->len, limit); n++)
    {
      Entry *entry = &g_array_index (entries, Entry, n);

      if (query->max_bytes > 0 && bytes >= query->max_bytes)
        break;
      page->revision = (guint64) entry->revision;
      if (entry->removed != NULL)
        {
          g_ptr_array_add (page->removed, g_steal_pointer (&entry->removed));
          bytes += 40;
        }
      else if (entry->is_project)
        {
          g_ptr_array_add (page->projects, gw_sq_view_get_project (view, entry->pk));
          bytes += 512;
        }
      else
        {
          GwTask *task = read_entry (view, entry->pk, query->fields);

          if (task != NULL)
            {
              bytes += size_of (task);
              g_ptr_array_add (page->tasks, task);
            }
        }
    }

  return n;
}

static gboolean
must_reset (GwSqView *view,
            const GwFeedQuery *query,
            const char *store,
            gint64 head,
            gint64 floor)
{
  gint64 since = query->has_since ? (gint64) query->since : 0;

  if (query->store != NULL && !g_str_equal (query->store, store))
    return TRUE;
  if (since == 0)
    return FALSE;
  if (since < 0 || since > head)
    return TRUE;

  return since < floor
         && gw_queue_walks_find_start (gw_sq_engine_get_walks (view->engine), since) < floor;
}

gpointer
gw_sq_read_feed (GwSqView *view,
                 gpointer data,
                 GError **error)
{
  GwSqReadArgs *args = data;
  const GwFeedQuery *query = &args->feed;
  gint64 since = query->has_since ? (gint64) query->since : 0;
  guint limit = CLAMP (query->limit, 1, 1000) + 1;
  g_autoptr (GwFeedPage) page = g_new0 (GwFeedPage, 1);
  g_autoptr (GArray) entries = NULL;
  gint64 head = 0;
  gint64 floor = 0;
  gint64 project = 0;
  gint64 began_at;
  sqlite3_stmt *row;
  guint n;

  if (query->query != NULL && strlen (query->query) > LONGEST_QUERY)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "“q” is longer than %d bytes. Search for a part of it.", LONGEST_QUERY);
      return NULL;
    }

  page->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  page->projects = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);
  page->removed = g_ptr_array_new_with_free_func (g_free);
  row = gw_sq_bind (view->db, "SELECT revision, removal_floor, store FROM head", "");
  if (gw_sq_row (view->db, row))
    {
      head = sqlite3_column_int64 (row, 0);
      floor = sqlite3_column_int64 (row, 1);
      page->store = gw_sq_dup_text (row, 2);
      gw_sq_end (row);
    }
  page->revision = (guint64) head;
  if (page->store == NULL)
    return g_steal_pointer (&page);
  if (must_reset (view, query, page->store, head, floor))
    {
      page->reset = TRUE;
      return g_steal_pointer (&page);
    }
  if (query->project != NULL
      && (project = gw_sq_find_project (view->db, query->project, error)) == 0)
    return NULL;

  entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (entries, clear_entry);
  add_tasks (view, query, project, since, limit, entries);
  add_projects (view, project, since, limit, entries);
  if (since > 0)
    add_removals (view, since, limit, entries);
  g_array_sort (entries, compare_entries);

  n = fill (view, query, entries, page);
  page->more = n < entries->len;
  if (!page->more)
    page->revision = (guint64) head;

  began_at = since == 0
               ? head
               : gw_queue_walks_find_start (gw_sq_engine_get_walks (view->engine), since);
  if (page->more && began_at >= floor)
    gw_queue_walks_note (gw_sq_engine_get_walks (view->engine), (gint64) page->revision, began_at);

  return g_steal_pointer (&page);
}
