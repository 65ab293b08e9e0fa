/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * Who is next. The ready tasks of a project that the same lanes may take are a pile; of a pile only
 * the number of its tasks and its best one are known here. The piles that may give a task now stand
 * in one tree for each way (no pin, a provider, a model), best first: so a claim looks at three
 * heads, however many tasks wait. A pile that changes leaves its tree and comes back before the
 * next look. Writer's thread only.
 */

static int
compare_piles (gconstpointer a,
               gconstpointer b,
               gpointer data)
{
  const GwSqPile *left = a;
  const GwSqPile *right = b;

  if (left->head_priority != right->head_priority)
    return left->head_priority > right->head_priority ? -1 : 1;
  if (left->project->last_grant != right->project->last_grant)
    return left->project->last_grant < right->project->last_grant ? -1 : 1;
  if (left->head != right->head)
    return left->head < right->head ? -1 : 1;

  return left->pk < right->pk ? -1 : left->pk > right->pk;
}

/* @provider, @model: (nullable), empty is as good as none. */
GwSqRoute *
gw_sq_route_get (GwSqState *state,
                 const char *provider,
                 const char *model)
{
  g_autofree char *made = NULL;
  const char *name = "";
  GwSqRoute *route;

  if (provider != NULL && *provider != '\0')
    name = made = g_strconcat ("p:", provider, NULL);
  else if (model != NULL && *model != '\0')
    name = made = g_strconcat ("m:", model, NULL);

  route = g_hash_table_lookup (state->routes, name);
  if (route == NULL)
    {
      route = g_new0 (GwSqRoute, 1);
      route->tree = g_tree_new_full (compare_piles, NULL, NULL, NULL);
      g_hash_table_insert (state->routes, g_strdup (name), route);
    }

  return route;
}

void
gw_sq_pile_free (GwSqPile *pile)
{
  g_free (pile->provider);
  g_free (pile->model);
  g_free (pile);
}

GwSqPile *
gw_sq_pile_add (GwSqState *state,
                GwSqProject *project,
                gint64 pk,
                const char *provider,
                const char *model,
                gint64 n_ready)
{
  GwSqPile *pile = g_new0 (GwSqPile, 1);

  pile->pk = pk;
  pile->project = project;
  pile->provider = provider != NULL && *provider != '\0' ? g_strdup (provider) : NULL;
  pile->model = model != NULL && *model != '\0' ? g_strdup (model) : NULL;
  pile->route = gw_sq_route_get (state, provider, model);
  pile->n_ready = n_ready;
  g_ptr_array_add (project->piles, pile);

  return pile;
}

GwSqPile *
gw_sq_pile_get (GwSqState *state,
                gint64 project_pk,
                gint64 pk)
{
  GwSqProject *project = gw_sq_project_get (state, project_pk);

  for (guint i = 0; project != NULL && i < project->piles->len; i++)
    {
      GwSqPile *pile = g_ptr_array_index (project->piles, i);

      if (pile->pk == pk)
        return pile;
    }

  return NULL;
}

/* The pile of these pins; made if it is new. Never %NULL. */
GwSqPile *
gw_sq_pile_for (GwSqState *state,
                GwSqProject *project,
                const char *provider,
                const char *model)
{
  for (guint i = 0; i < project->piles->len; i++)
    {
      GwSqPile *pile = g_ptr_array_index (project->piles, i);

      if (g_strcmp0 (pile->provider, provider) == 0 && g_strcmp0 (pile->model, model) == 0)
        return pile;
    }

  gw_sq_run (state->db, "INSERT INTO pile (project, provider, model) VALUES (?, ?, ?)", "iss",
             project->pk, provider != NULL ? provider : "", model != NULL ? model : "");

  return gw_sq_pile_add (state, project, sqlite3_last_insert_rowid (state->db->handle), provider,
                         model, 0);
}

/* Takes a pile out of its tree; must come before any change of what it is sorted by. */
void
gw_sq_pile_unlist (GwSqState *state,
                   GwSqPile *pile)
{
  if (!pile->listed)
    return;

  g_tree_remove (pile->route->tree, pile);
  pile->route->startable -= pile->counted;
  pile->counted = 0;
  pile->listed = FALSE;
}

static void
mark_stale (GwSqState *state,
            GwSqPile *pile)
{
  gw_sq_pile_unlist (state, pile);
  if (!pile->stale)
    {
      pile->stale = TRUE;
      g_ptr_array_add (state->stale_piles, pile);
    }
}

/* Something changed that decides whether the project's piles may give tasks, or their order. */
void
gw_sq_piles_stale (GwSqState *state,
                   GwSqProject *project)
{
  for (guint i = 0; i < project->piles->len; i++)
    {
      GwSqPile *pile = g_ptr_array_index (project->piles, i);

      if (pile->n_ready > 0)
        mark_stale (state, pile);
    }
}

static void
change_ready (GwSqState *state,
              GwSqPile *pile,
              int by)
{
  mark_stale (state, pile);
  pile->n_ready += by;
  if (!pile->dirty)
    {
      pile->dirty = TRUE;
      g_ptr_array_add (state->dirty_piles, pile);
    }
}

/* A task became ready. */
void
gw_sq_pile_put (GwSqState *state,
                GwSqPile *pile,
                gint64 task,
                int priority)
{
  change_ready (state, pile, 1);
  if (pile->n_ready == 1)
    {
      pile->head_known = TRUE;
      pile->head = task;
      pile->head_priority = priority;
    }
  else if (pile->head_known
           && (priority > pile->head_priority
               || (priority == pile->head_priority && task < pile->head)))
    {
      pile->head = task;
      pile->head_priority = priority;
    }
}

/* A task is not ready any more. */
void
gw_sq_pile_take (GwSqState *state,
                 GwSqPile *pile,
                 gint64 task)
{
  change_ready (state, pile, -1);
  if (!pile->head_known || pile->head == task)
    pile->head_known = FALSE;
}

/* None of the project's tasks is ready any more. */
void
gw_sq_piles_empty (GwSqState *state,
                   GwSqProject *project)
{
  for (guint i = 0; i < project->piles->len; i++)
    {
      GwSqPile *pile = g_ptr_array_index (project->piles, i);

      if (pile->n_ready == 0)
        continue;
      change_ready (state, pile, (int) -pile->n_ready);
      pile->head_known = FALSE;
    }
}

static void
find_head (GwSqState *state,
           GwSqPile *pile)
{
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT pk, priority FROM task INDEXED BY task_ready WHERE pile = ? AND state = 0"
    " AND removed_at IS NULL ORDER BY priority DESC, pk LIMIT 1", "i", pile->pk);

  pile->head = 0;
  if (gw_sq_row (state->db, row))
    {
      pile->head = sqlite3_column_int64 (row, 0);
      pile->head_priority = sqlite3_column_int (row, 1);
      gw_sq_end (row);
    }
  pile->head_known = TRUE;
}

/* Takes the pile's head out of a row with a key, its pile, priority and state, if it is this one's. */
static gboolean
take_serial_head (GwSqState *state,
                  GwSqPile *pile,
                  sqlite3_stmt *row)
{
  if (!gw_sq_row (state->db, row))
    return FALSE;

  if (sqlite3_column_int64 (row, 1) == pile->pk && sqlite3_column_int (row, 3) == GW_SQ_READY)
    {
      pile->head = sqlite3_column_int64 (row, 0);
      pile->head_priority = sqlite3_column_int (row, 2);
    }
  return TRUE;
}

/* In a serial project only the first of all its queued tasks may go, and not while it waits for its
 * retry. */
static void
find_serial_head (GwSqState *state,
                  GwSqPile *pile)
{
  GwSqProject *project = pile->project;
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT pk, pile, priority, state FROM task INDEXED BY task_moved WHERE project = ? AND "
    GW_SQ_IS_MOVED " AND priority > 0 ORDER BY priority DESC, pk LIMIT 1", "i", project->pk);

  pile->head = 0;
  /* Another pile's task may be the next: never kept. */
  pile->head_known = FALSE;
  if (take_serial_head (state, pile, row))
    {
      gw_sq_end (row);
      return;
    }

  row = gw_sq_bind (state->db,
    "SELECT pk, pile, priority, state FROM task INDEXED BY task_project WHERE project = ?"
    " AND pk >= ? AND state <= 1 AND removed_at IS NULL AND abs(priority) <= 100"
    " ORDER BY pk LIMIT 1", "ii", project->pk, project->cursor);
  if (take_serial_head (state, pile, row))
    {
      project->cursor = sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
      return;
    }
  project->cursor = MAX (project->cursor, state->last_task + 1);

  row = gw_sq_bind (state->db,
    "SELECT pk, pile, priority, state FROM task INDEXED BY task_moved WHERE project = ? AND "
    GW_SQ_IS_MOVED " ORDER BY priority DESC, pk LIMIT 1", "i", project->pk);
  if (take_serial_head (state, pile, row))
    gw_sq_end (row);
}

/* Puts the piles that changed back where they belong. */
void
gw_sq_piles_refresh (GwSqState *state)
{
  for (guint i = 0; i < state->stale_piles->len; i++)
    {
      GwSqPile *pile = g_ptr_array_index (state->stale_piles, i);
      GwSqProject *project = pile->project;
      gint64 room;

      pile->stale = FALSE;
      if (pile->n_ready <= 0 || project->paused || project->held
          || (project->concurrency > 0 && project->live >= project->concurrency))
        continue;

      room = project->concurrency > 0 ? project->concurrency - project->live : pile->n_ready;
      if (project->concurrency == 1)
        find_serial_head (state, pile);
      else if (!pile->head_known)
        find_head (state, pile);
      if (pile->head == 0)
        continue;

      pile->counted = MIN (pile->n_ready, room);
      pile->route->startable += pile->counted;
      g_tree_insert (pile->route->tree, pile, pile);
      pile->listed = TRUE;
    }
  g_ptr_array_set_size (state->stale_piles, 0);
}

/* Makes tasks ready whose retry is due. They keep their place, and their revision: nothing that the
 * feed tells of them for good has changed. */
void
gw_sq_piles_promote (GwSqState *state)
{
  typedef struct {
    gint64 pk, project, pile;
    int priority;
  } Due;

  g_autoptr (GArray) due = NULL;
  sqlite3_stmt *row;

  if (state->next_due > state->now)
    return;

  due = g_array_new (FALSE, FALSE, sizeof (Due));
  row = gw_sq_bind (state->db,
    "SELECT pk, project, pile, priority FROM task WHERE state = 1 AND removed_at IS NULL"
    " AND due <= ?", "i", state->now);
  while (gw_sq_row (state->db, row))
    {
      Due task = { sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 1),
                   sqlite3_column_int64 (row, 2), sqlite3_column_int (row, 3) };

      g_array_append_val (due, task);
    }

  for (guint i = 0; i < due->len; i++)
    {
      Due *task = &g_array_index (due, Due, i);
      GwSqPile *pile = gw_sq_pile_get (state, task->project, task->pile);

      gw_sq_run (state->db, "UPDATE task SET state = 0, due = NULL WHERE pk = ?", "i", task->pk);
      if (pile != NULL)
        {
          gw_sq_pile_put (state, pile, task->pk, task->priority);
          gw_sq_piles_stale (state, pile->project);
        }
    }
  if (due->len > 0)
    gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_TASK);

  state->next_due = GW_CLOCK_NEVER;
  row = gw_sq_bind (state->db, "SELECT min(due) FROM task WHERE state = 1 AND removed_at IS NULL",
                    "");
  if (gw_sq_row (state->db, row))
    {
      if (sqlite3_column_type (row, 0) != SQLITE_NULL)
        state->next_due = sqlite3_column_int64 (row, 0);
      gw_sq_end (row);
    }
}

static GwSqPile *
first_of (GwSqState *state,
          const char *provider,
          const char *model)
{
  GTreeNode *node = g_tree_node_first (gw_sq_route_get (state, provider, model)->tree);

  return node != NULL ? g_tree_node_key (node) : NULL;
}

/**
 * gw_sq_piles_best:
 * @state: the state, refreshed
 * @lane: who asks
 * @only_pinned: leave out what has no pin
 *
 * Returns: (transfer none) (nullable): the pile whose head is the next task for @lane
 */
GwSqPile *
gw_sq_piles_best (GwSqState *state,
                  GwSqLane *lane,
                  gboolean only_pinned)
{
  GwSqPile *best = first_of (state, lane->name, NULL);
  GwSqPile *other;

  if (lane->kind == GW_PROVIDER_PRACTICE)
    return best;

  if (lane->model != NULL && *lane->model != '\0')
    {
      other = first_of (state, NULL, lane->model);
      if (other != NULL && (best == NULL || compare_piles (other, best, NULL) < 0))
        best = other;
    }
  if (only_pinned)
    return best;
  other = first_of (state, NULL, NULL);
  if (other != NULL && (best == NULL || compare_piles (other, best, NULL) < 0))
    best = other;

  return best;
}
