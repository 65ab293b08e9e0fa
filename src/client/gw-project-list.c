/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-project-list"

/* GwProjectList: the projects as a list model. It follows a GwTaskList, whose one long-poll also
 * tells of projects. Main thread only.
 *
 * Guarantee: the order is that of creation, newest first, and never changes; an item is one object
 * for its project's whole life, also while it is hidden and when it is shown again; one step is at
 * most one items-changed, over no more than what differs. */

#include "config.h"

#include <string.h>

#include "gw-project-list.h"

struct _GwProjectList {
  GObject parent_instance;

  GwTaskList *source;          /* (owned) (nullable) */
  gulong changed_id;
  GHashTable *by_id;           /* (owned) id (of the item's project) → GwProjectItem (owned), all */
  GPtrArray *items;            /* (owned) (element-type GwProjectItem), what is shown, in order */
  GHashTable *hidden;          /* (owned) set of ids */
  GwProjectItem *default_item; /* (nullable) (unowned): in by_id, never in items */
};

enum {
  CHANGED,
  FINISHED_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void gw_project_list_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwProjectList, gw_project_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      gw_project_list_list_model_init))

static GType
gw_project_list_get_item_type (GListModel *model)
{
  return GW_TYPE_PROJECT_ITEM;
}

static guint
gw_project_list_get_n_items (GListModel *model)
{
  return GW_PROJECT_LIST (model)->items->len;
}

static gpointer
gw_project_list_get_item (GListModel *model,
                          guint position)
{
  GwProjectList *self = GW_PROJECT_LIST (model);

  return position < self->items->len ? g_object_ref (g_ptr_array_index (self->items, position))
                                     : NULL;
}

static void
gw_project_list_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = gw_project_list_get_item_type;
  iface->get_n_items = gw_project_list_get_n_items;
  iface->get_item = gw_project_list_get_item;
}

static void
gw_project_list_dispose (GObject *object)
{
  GwProjectList *self = GW_PROJECT_LIST (object);

  if (self->source != NULL)
    g_clear_signal_handler (&self->changed_id, self->source);
  g_clear_object (&self->source);

  G_OBJECT_CLASS (gw_project_list_parent_class)->dispose (object);
}

static void
gw_project_list_finalize (GObject *object)
{
  GwProjectList *self = GW_PROJECT_LIST (object);

  g_ptr_array_unref (self->items);
  g_hash_table_unref (self->by_id);
  g_hash_table_unref (self->hidden);

  G_OBJECT_CLASS (gw_project_list_parent_class)->finalize (object);
}

static void
gw_project_list_class_init (GwProjectListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_project_list_dispose;
  object_class->finalize = gw_project_list_finalize;

  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[FINISHED_CHANGED] = g_signal_new ("finished-changed", G_TYPE_FROM_CLASS (klass),
                                            G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                            0);
}

static void
gw_project_list_init (GwProjectList *self)
{
  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * gw_project_list_new:
 *
 * Returns: (transfer full): an empty list
 */
GwProjectList *
gw_project_list_new (void)
{
  return g_object_new (GW_TYPE_PROJECT_LIST, NULL);
}

/**
 * gw_project_is_finished:
 * @project: a project
 *
 * Returns: whether it has come to its end: nothing in it is queued or running
 */
gboolean
gw_project_is_finished (const GwProject *project)
{
  return project->finished_at > 0 && gw_project_count_unfinished (project) == 0;
}

/* The gateway's ids grow with time, so that they keep the order within one moment. */
static int
compare_items (gconstpointer a,
               gconstpointer b)
{
  const GwProject *left = gw_project_item_get_project (*(GwProjectItem *const *) a);
  const GwProject *right = gw_project_item_get_project (*(GwProjectItem *const *) b);

  if (left->created_at != right->created_at)
    return left->created_at > right->created_at ? -1 : 1;

  return strcmp (right->project_id, left->project_id);
}

/* Makes what is shown what it should be, and tells the least span that differs. */
static void
arrange (GwProjectList *self)
{
  g_autoptr (GPtrArray) old = self->items;
  GHashTableIter iter;
  gpointer id, item;
  guint front = 0, back = 0;

  self->items = g_ptr_array_new_full (g_hash_table_size (self->by_id), g_object_unref);
  g_hash_table_iter_init (&iter, self->by_id);
  while (g_hash_table_iter_next (&iter, &id, &item))
    if (item != self->default_item && !g_hash_table_contains (self->hidden, id))
      g_ptr_array_add (self->items, g_object_ref (item));
  g_ptr_array_sort (self->items, compare_items);

  while (front < old->len && front < self->items->len
         && old->pdata[front] == self->items->pdata[front])
    front++;
  while (back < old->len - front && back < self->items->len - front
         && old->pdata[old->len - 1 - back] == self->items->pdata[self->items->len - 1 - back])
    back++;
  if (old->len - front - back > 0 || self->items->len - front - back > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), front, old->len - front - back,
                                self->items->len - front - back);
}

/**
 * gw_project_list_take:
 * @self: a list
 * @projects: (nullable) (element-type GwProject): new ones, and newer states of known ones
 * @removed: (nullable) (element-type utf8): ids of those that are gone; unknown ones are ignored
 */
void
gw_project_list_take (GwProjectList *self,
                      GPtrArray *projects,
                      GPtrArray *removed)
{
  gboolean moved = FALSE, finished = FALSE, changed = FALSE;

  g_return_if_fail (GW_IS_PROJECT_LIST (self));

  for (guint i = 0; removed != NULL && i < removed->len; i++)
    {
      const char *id = g_ptr_array_index (removed, i);
      GwProjectItem *item = g_hash_table_lookup (self->by_id, id);

      if (item == NULL)
        continue;
      if (item == self->default_item)
        self->default_item = NULL;
      g_hash_table_remove (self->by_id, id);
      changed = moved = TRUE;
    }

  for (guint i = 0; projects != NULL && i < projects->len; i++)
    {
      GwProject *project = g_ptr_array_index (projects, i);
      GwProjectItem *item = g_hash_table_lookup (self->by_id, project->project_id);

      if (item == NULL)
        {
          item = gw_project_item_new (project);
          g_hash_table_insert (self->by_id, g_strdup (project->project_id), item);
          if (g_strcmp0 (project->name, GW_PROJECT_DEFAULT_NAME) == 0)
            self->default_item = item;
          else
            moved = TRUE;
          changed = TRUE;
        }
      else if (gw_project_item_get_project (item) != project)
        {
          finished |= gw_project_is_finished (gw_project_item_get_project (item))
                      != gw_project_is_finished (project);
          gw_project_item_set_project (item, project);
          changed = TRUE;
        }
    }

  if (moved)
    arrange (self);
  if (finished)
    g_signal_emit (self, signals[FINISHED_CHANGED], 0);
  if (changed)
    g_signal_emit (self, signals[CHANGED], 0);
}

/* Anything may differ: what the source does not know any more is gone. */
static void
take_all (GwProjectList *self)
{
  g_autoptr (GPtrArray) projects = g_ptr_array_new ();
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GList) known = NULL;
  GHashTableIter iter;
  gpointer id;

  if (self->source != NULL)
    known = gw_task_list_get_known_projects (self->source);
  for (GList *link = known; link != NULL; link = link->next)
    g_ptr_array_add (projects, link->data);
  g_hash_table_iter_init (&iter, self->by_id);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (self->source == NULL || gw_task_list_find_project (self->source, id) == NULL)
      g_ptr_array_add (removed, g_strdup (id));

  gw_project_list_take (self, projects, removed);
}

static void
projects_changed_cb (GwProjectList *self,
                     GPtrArray *ids)
{
  g_autoptr (GPtrArray) projects = NULL;
  g_autoptr (GPtrArray) removed = NULL;

  if (ids == NULL)
    {
      take_all (self);
      return;
    }

  projects = g_ptr_array_new ();
  removed = g_ptr_array_new ();
  for (guint i = 0; i < ids->len; i++)
    {
      char *id = g_ptr_array_index (ids, i);
      GwProject *project = gw_task_list_find_project (self->source, id);

      if (project != NULL)
        g_ptr_array_add (projects, project);
      else
        g_ptr_array_add (removed, id);
    }

  gw_project_list_take (self, projects, removed);
}

/**
 * gw_project_list_set_source:
 * @self: a list
 * @source: (transfer none) (nullable): whose projects to show from now on
 */
void
gw_project_list_set_source (GwProjectList *self,
                            GwTaskList *source)
{
  g_return_if_fail (GW_IS_PROJECT_LIST (self));

  if (self->source == source)
    return;

  if (self->source != NULL)
    g_clear_signal_handler (&self->changed_id, self->source);
  g_set_object (&self->source, source);
  if (source != NULL)
    self->changed_id = g_signal_connect_swapped (source, "projects-changed",
                                                 G_CALLBACK (projects_changed_cb), self);
  take_all (self);
}

/**
 * gw_project_list_find:
 * @self: a list
 * @project_id: an id
 *
 * Returns: (transfer none) (nullable): the row of that project, the permanent one's too; a hidden
 *   one is not found
 */
GwProjectItem *
gw_project_list_find (GwProjectList *self,
                      const char *project_id)
{
  g_return_val_if_fail (GW_IS_PROJECT_LIST (self), NULL);
  g_return_val_if_fail (project_id != NULL, NULL);

  return g_hash_table_contains (self->hidden, project_id)
           ? NULL : g_hash_table_lookup (self->by_id, project_id);
}

/**
 * gw_project_list_find_name:
 * @self: a list
 * @name: a name, compared exactly
 *
 * Returns: (transfer none) (nullable): the project that has it, hidden or not: the name is taken
 */
GwProjectItem *
gw_project_list_find_name (GwProjectList *self,
                           const char *name)
{
  GHashTableIter iter;
  gpointer item;

  g_return_val_if_fail (GW_IS_PROJECT_LIST (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  g_hash_table_iter_init (&iter, self->by_id);
  while (g_hash_table_iter_next (&iter, NULL, &item))
    if (g_strcmp0 (gw_project_item_get_project (item)->name, name) == 0)
      return item;

  return NULL;
}

/**
 * gw_project_list_get_default:
 * @self: a list
 *
 * Returns: (transfer none) (nullable): the permanent project, once the gateway told of it
 */
GwProjectItem *
gw_project_list_get_default (GwProjectList *self)
{
  g_return_val_if_fail (GW_IS_PROJECT_LIST (self), NULL);

  return self->default_item;
}

/**
 * gw_project_list_hide:
 * @self: a list
 * @project_id: an id
 *
 * Takes a project out of the list until gw_project_list_unhide(), whatever the source tells.
 */
void
gw_project_list_hide (GwProjectList *self,
                      const char *project_id)
{
  g_return_if_fail (GW_IS_PROJECT_LIST (self));
  g_return_if_fail (project_id != NULL);

  if (!g_hash_table_add (self->hidden, g_strdup (project_id)))
    return;

  arrange (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
gw_project_list_unhide (GwProjectList *self,
                        const char *project_id)
{
  g_return_if_fail (GW_IS_PROJECT_LIST (self));
  g_return_if_fail (project_id != NULL);

  if (!g_hash_table_remove (self->hidden, project_id))
    return;

  arrange (self);
  g_signal_emit (self, signals[CHANGED], 0);
}
