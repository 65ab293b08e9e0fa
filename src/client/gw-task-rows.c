/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-rows"

/* GwTaskRows: what of a GwTaskList is shown, in which order. While nothing is narrowed or sorted it
 * hands the list through. Otherwise it keeps its rows in a balanced tree (GSequence), each with the
 * key by which it stands there, so that a row is found, taken out and put in again in O(log n)
 * steps and without looking at any other (gw-task-rows-order.c). What one page of the feed brings
 * is told in runs. Main thread only.
 *
 * Guarantee: at each items-changed the model is what it says; an item that stays is the same
 * object; rows that are equal to the sort keep the order of submission. */

#include "config.h"

#include "gw-task-rows-private.h"

static void gw_task_rows_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwTaskRows, gw_task_rows, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      gw_task_rows_list_model_init))

static GType
gw_task_rows_get_item_type (GListModel *model)
{
  return GW_TYPE_TASK_ITEM;
}

static guint
gw_task_rows_get_n_items (GListModel *model)
{
  GwTaskRows *self = GW_TASK_ROWS (model);

  if (self->rows != NULL)
    return (guint) g_sequence_get_length (self->rows);

  return self->list != NULL ? g_list_model_get_n_items (G_LIST_MODEL (self->list)) : 0;
}

static gpointer
gw_task_rows_get_item (GListModel *model,
                       guint position)
{
  GwTaskRows *self = GW_TASK_ROWS (model);
  GSequenceIter *iter;
  GwTaskRowsRow *row;

  if (self->rows == NULL)
    return self->list != NULL ? g_list_model_get_item (G_LIST_MODEL (self->list), position) : NULL;
  if (position >= (guint) g_sequence_get_length (self->rows))
    return NULL;

  iter = g_sequence_get_iter_at_pos (self->rows, (int) position);
  row = g_sequence_get (iter);

  return g_object_ref (row->item);
}

static void
gw_task_rows_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = gw_task_rows_get_item_type;
  iface->get_n_items = gw_task_rows_get_n_items;
  iface->get_item = gw_task_rows_get_item;
}

static guint
status_of (const GwTask *task)
{
  return gw_task_is_interrupted (task) ? GW_TASK_ROWS_INTERRUPTED : task->status;
}

/* Whether it would be shown, whatever its status. */
static gboolean
is_found (GwTaskRows *self,
          GwTaskItem *item)
{
  GwTask *task = gw_task_item_get_task (item);

  return (self->project_id == NULL || g_strcmp0 (task->project_id, self->project_id) == 0)
         && (self->hidden_id == NULL || g_strcmp0 (task->project_id, self->hidden_id) != 0)
         && (self->test == NULL || self->test (item, self->test_data));
}

/* Keeps the numbers of what the test lets through; each item is counted where it was put in. */
static void
count_found (GwTaskRows *self,
             GwTaskItem *item,
             gboolean found)
{
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (self->found, item));
  guint now = found ? status_of (gw_task_item_get_task (item)) + 1 : 0;

  if (before == now)
    return;
  if (before > 0)
    self->n_found[before - 1]--;
  if (now > 0)
    {
      self->n_found[now - 1]++;
      g_hash_table_insert (self->found, item, GUINT_TO_POINTER (now));
    }
  else
    {
      g_hash_table_remove (self->found, item);
    }
}

static gboolean
is_shown (GwTaskRows *self,
          GwTaskItem *item)
{
  GwTask *task = gw_task_item_get_task (item);
  gboolean has_status = self->statuses == 0 || (self->statuses & (1u << status_of (task))) != 0;

  /* Of the others it is only counted what the test lets through. */
  if (!has_status && self->found == NULL)
    return FALSE;
  if (!is_found (self, item))
    return FALSE;
  if (self->found != NULL)
    count_found (self, item, TRUE);

  return has_status;
}

/* Looks at those items again, and at no others. */
static void
look_again (GwTaskRows *self,
            GPtrArray *items,
            gboolean gone)
{
  g_autoptr (GPtrArray) out = g_ptr_array_new ();
  g_autoptr (GPtrArray) in = g_ptr_array_new ();
  g_autoptr (GHashTable) twice = items->len > 1 ? g_hash_table_new (NULL, NULL) : NULL;

  for (guint i = 0; i < items->len; i++)
    {
      GwTaskItem *item = g_ptr_array_index (items, i);
      GSequenceIter *iter;
      gboolean shown;

      if (twice != NULL && !g_hash_table_add (twice, item))
        continue;
      iter = g_hash_table_lookup (self->by_item, item);
      if (self->found != NULL)
        count_found (self, item, FALSE);
      shown = !gone && is_shown (self, item);
      if (iter != NULL && shown && _gw_task_rows_stands_right (self, iter))
        continue;
      if (iter != NULL)
        g_ptr_array_add (out, iter);
      if (shown)
        g_ptr_array_add (in, _gw_task_rows_row_new (self, item));
    }
  if (out->len > 0)
    _gw_task_rows_take_out (self, out);
  if (in->len > 0)
    _gw_task_rows_put_in (self, in);
}

static void
delta_cb (GwTaskRows *self,
          GwTaskDelta *delta)
{
  if (self->rows == NULL)
    return;

  look_again (self, delta->removed, TRUE);
  look_again (self, delta->changed, FALSE);
  look_again (self, delta->added, FALSE);
}

static void
items_changed_cb (GwTaskRows *self,
                  guint position,
                  guint removed,
                  guint added)
{
  if (self->rows == NULL)
    g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added);
}

static void
fill (GwTaskRows *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->list));
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  self->rows = g_sequence_new (_gw_task_rows_row_free);
  self->by_item = g_hash_table_new (NULL, NULL);
  memset (self->n_found, 0, sizeof self->n_found);
  if (self->test != NULL)
    self->found = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);

      if (is_shown (self, item))
        g_ptr_array_add (rows, _gw_task_rows_row_new (self, item));
    }
  if (self->sort != GW_TASK_SORT_NONE)
    g_ptr_array_sort_with_data (rows, _gw_task_rows_compare_pointers, self);
  for (guint i = 0; i < rows->len; i++)
    {
      GwTaskRowsRow *row = g_ptr_array_index (rows, i);

      g_hash_table_insert (self->by_item, row->item, g_sequence_append (self->rows, row));
    }
}

/* Another question: everything is looked at, once, and told as one step. */
static void
rebuild (GwTaskRows *self)
{
  guint before = g_list_model_get_n_items (G_LIST_MODEL (self));
  GSequence *old = g_steal_pointer (&self->rows);
  guint after;

  g_clear_pointer (&self->by_item, g_hash_table_unref);
  g_clear_pointer (&self->found, g_hash_table_unref);
  if (self->list != NULL
      && (self->project_id != NULL || self->hidden_id != NULL || self->statuses != 0
          || self->test != NULL || self->sort != GW_TASK_SORT_NONE))
    fill (self);
  after = g_list_model_get_n_items (G_LIST_MODEL (self));
  if (before > 0 || after > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, before, after);
  g_clear_pointer (&old, g_sequence_free);
}

static void
gw_task_rows_dispose (GObject *object)
{
  GwTaskRows *self = GW_TASK_ROWS (object);

  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data (self->list, self);
  g_clear_object (&self->list);
  g_clear_pointer (&self->by_item, g_hash_table_unref);
  g_clear_pointer (&self->found, g_hash_table_unref);
  g_clear_pointer (&self->rows, g_sequence_free);
  self->test = NULL;

  G_OBJECT_CLASS (gw_task_rows_parent_class)->dispose (object);
}

static void
gw_task_rows_finalize (GObject *object)
{
  g_free (GW_TASK_ROWS (object)->project_id);
  g_free (GW_TASK_ROWS (object)->hidden_id);

  G_OBJECT_CLASS (gw_task_rows_parent_class)->finalize (object);
}

static void
gw_task_rows_class_init (GwTaskRowsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_task_rows_dispose;
  object_class->finalize = gw_task_rows_finalize;
}

static void
gw_task_rows_init (GwTaskRows *self)
{
}

/**
 * gw_task_rows_new:
 *
 * Returns: (transfer full): the rows of no list yet, all of them, in order of submission
 */
GwTaskRows *
gw_task_rows_new (void)
{
  return g_object_new (GW_TYPE_TASK_ROWS, NULL);
}

/**
 * gw_task_rows_set_list:
 * @self: rows
 * @list: (nullable) (transfer none): whose rows
 */
void
gw_task_rows_set_list (GwTaskRows *self,
                       GwTaskList *list)
{
  guint before;

  g_return_if_fail (GW_IS_TASK_ROWS (self));
  g_return_if_fail (list == NULL || GW_IS_TASK_LIST (list));

  if (self->list == list)
    return;

  before = g_list_model_get_n_items (G_LIST_MODEL (self));
  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data (self->list, self);
  g_clear_object (&self->list);
  g_clear_pointer (&self->by_item, g_hash_table_unref);
  g_clear_pointer (&self->found, g_hash_table_unref);
  g_clear_pointer (&self->rows, g_sequence_free);
  if (before > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, before, 0);
  if (list == NULL)
    return;

  self->list = g_object_ref (list);
  g_signal_connect_swapped (list, "items-changed", G_CALLBACK (items_changed_cb), self);
  g_signal_connect_swapped (list, "delta", G_CALLBACK (delta_cb), self);
  before = g_list_model_get_n_items (G_LIST_MODEL (list));
  if (self->project_id != NULL || self->hidden_id != NULL || self->statuses != 0
      || self->test != NULL || self->sort != GW_TASK_SORT_NONE)
    {
      fill (self);
      before = (guint) g_sequence_get_length (self->rows);
    }
  if (before > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, 0, before);
}

/**
 * gw_task_rows_set_project:
 * @self: rows
 * @project_id: (nullable): only that project's; %NULL: all
 */
void
gw_task_rows_set_project (GwTaskRows *self,
                          const char *project_id)
{
  g_return_if_fail (GW_IS_TASK_ROWS (self));

  if (g_strcmp0 (self->project_id, project_id) == 0)
    return;

  g_free (self->project_id);
  self->project_id = g_strdup (project_id);
  rebuild (self);
}

/**
 * gw_task_rows_set_hidden_project:
 * @self: rows
 * @project_id: (nullable): its tasks are left out, for it is about to be removed
 */
void
gw_task_rows_set_hidden_project (GwTaskRows *self,
                                 const char *project_id)
{
  g_return_if_fail (GW_IS_TASK_ROWS (self));

  if (g_strcmp0 (self->hidden_id, project_id) == 0)
    return;

  g_free (self->hidden_id);
  self->hidden_id = g_strdup (project_id);
  rebuild (self);
}

/**
 * gw_task_rows_set_status:
 * @self: rows
 * @status: a GwTaskStatus, or %GW_TASK_ROWS_INTERRUPTED, or -1 for all
 */
void
gw_task_rows_set_status (GwTaskRows *self,
                         int status)
{
  gw_task_rows_set_statuses (self, status < 0 ? 0 : 1u << status);
}

/**
 * gw_task_rows_set_statuses:
 * @self: rows
 * @statuses: a bit for each GwTaskStatus and %GW_TASK_ROWS_INTERRUPTED; 0: all
 */
void
gw_task_rows_set_statuses (GwTaskRows *self,
                           guint statuses)
{
  g_return_if_fail (GW_IS_TASK_ROWS (self));

  if (self->statuses == statuses)
    return;

  self->statuses = statuses;
  rebuild (self);
}

/**
 * gw_task_rows_count_found:
 * @self: rows
 * @status: a GwTaskStatus, or %GW_TASK_ROWS_INTERRUPTED
 *
 * Only while there is a test. Kept as tasks change, so it costs nothing.
 *
 * Returns: how many of that status project and test let through, whatever statuses are shown
 */
guint
gw_task_rows_count_found (GwTaskRows *self,
                          guint status)
{
  g_return_val_if_fail (GW_IS_TASK_ROWS (self), 0);
  g_return_val_if_fail (status < GW_N_TASK_ROWS_STATUSES, 0);

  return self->found != NULL ? self->n_found[status] : 0;
}

/**
 * gw_task_rows_set_sort:
 * @self: rows
 * @sort: by what
 * @descending: the other way round; what is equal keeps the order of submission
 */
void
gw_task_rows_set_sort (GwTaskRows *self,
                       GwTaskSort sort,
                       gboolean descending)
{
  g_return_if_fail (GW_IS_TASK_ROWS (self));
  g_return_if_fail ((guint) sort < GW_N_TASK_SORTS);

  if (self->sort == sort && self->descending == descending)
    return;

  self->sort = sort;
  self->descending = descending;
  rebuild (self);
}

/**
 * gw_task_rows_set_test:
 * @self: rows
 * @test: (nullable): what else decides
 * @user_data: for @test; must stay until the test is another one
 */
void
gw_task_rows_set_test (GwTaskRows *self,
                       GwTaskRowsTest test,
                       gpointer user_data)
{
  g_return_if_fail (GW_IS_TASK_ROWS (self));

  if (self->test == test && self->test_data == user_data)
    return;

  self->test = test;
  self->test_data = user_data;
  rebuild (self);
}

/**
 * gw_task_rows_test_changed:
 * @self: rows
 * @items: (element-type GwTaskItem): of which the test may say something else now
 */
void
gw_task_rows_test_changed (GwTaskRows *self,
                           GPtrArray *items)
{
  g_return_if_fail (GW_IS_TASK_ROWS (self));
  g_return_if_fail (items != NULL);

  if (self->rows != NULL && items->len > 0)
    look_again (self, items, FALSE);
}

/**
 * gw_task_rows_find:
 * @self: rows
 * @task_id: an id
 * @position: (out): where its row is
 *
 * Returns: whether it is shown
 */
gboolean
gw_task_rows_find (GwTaskRows *self,
                   const char *task_id,
                   guint *position)
{
  GwTaskItem *item;
  GSequenceIter *iter;

  g_return_val_if_fail (GW_IS_TASK_ROWS (self), FALSE);
  g_return_val_if_fail (task_id != NULL, FALSE);

  item = self->list != NULL ? gw_task_list_find (self->list, task_id) : NULL;
  if (item == NULL)
    return FALSE;
  if (self->rows == NULL)
    {
      *position = gw_task_list_get_position (self->list, item);
      return *position != G_MAXUINT;
    }

  iter = g_hash_table_lookup (self->by_item, item);
  if (iter == NULL)
    return FALSE;

  *position = (guint) g_sequence_iter_get_position (iter);
  return TRUE;
}
