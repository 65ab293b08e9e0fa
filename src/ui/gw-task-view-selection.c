/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include "gw-compat.h"
#include "gw-task-view-private.h"

/* Which rows are selected, the steps from one to the next, and what is scrolled to. */

/**
 * gw_task_view_get_selected:
 *
 * Returns: (transfer container) (element-type GwTaskItem)
 */
GPtrArray *
gw_task_view_get_selected (GwTaskView *self)
{
  GPtrArray *items = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GtkBitset) selected = NULL;
  GtkBitsetIter iter;
  guint position;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), items);

  selected = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  if (gtk_bitset_iter_init_first (&iter, selected, &position))
    do
      g_ptr_array_add (items, g_list_model_get_item (G_LIST_MODEL (self->selection), position));
    while (gtk_bitset_iter_next (&iter, &position));
  return items;
}

guint
gw_task_view_count_selected (GwTaskView *self)
{
  g_autoptr (GtkBitset) selected = NULL;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), 0);

  selected = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  return (guint) gtk_bitset_get_size (selected);
}

/**
 * gw_task_view_get_only_selected:
 *
 * Returns: (transfer full) (nullable): the selected item, if it is one
 */
GwTaskItem *
gw_task_view_get_only_selected (GwTaskView *self)
{
  g_autoptr (GtkBitset) selected = NULL;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), NULL);

  selected = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  if (gtk_bitset_get_size (selected) != 1)
    return NULL;
  return g_list_model_get_item (G_LIST_MODEL (self->selection), gtk_bitset_get_minimum (selected));
}

/**
 * gw_task_view_select:
 *
 * Selects the row of a task and brings it into view.
 *
 * Returns: whether it is shown
 */
gboolean
gw_task_view_select (GwTaskView *self,
                     const char *task_id)
{
  guint position;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  if (!gw_task_rows_find (self->rows, task_id, &position))
    return FALSE;
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  gw_compat_scroll_to (self->column_view, position);
  return TRUE;
}

void
gw_task_view_select_all (GwTaskView *self)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  gtk_selection_model_select_all (GTK_SELECTION_MODEL (self->selection));
}

void
gw_task_view_unselect_all (GwTaskView *self)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  gtk_selection_model_unselect_all (GTK_SELECTION_MODEL (self->selection));
}

/* The row that is @step rows from the selected one; -1 if there is none. */
static gint64
find_step (GwTaskView *self,
           int step)
{
  g_autoptr (GtkBitset) selected
      = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  gint64 to;

  if (gtk_bitset_is_empty (selected))
    return -1;
  to = (gint64) (step > 0 ? gtk_bitset_get_maximum (selected) : gtk_bitset_get_minimum (selected))
       + step;
  return to >= 0 && to < n ? to : -1;
}

/**
 * gw_task_view_step:
 * @step: 1 for the next task in the order that is shown, -1 for the one before
 *
 * Selects the neighbour of what is selected.
 */
void
gw_task_view_step (GwTaskView *self,
                   int step)
{
  gint64 to;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  to = find_step (self, step);
  if (to < 0)
    return;
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), (guint) to, TRUE);
  gw_compat_scroll_to (self->column_view, (guint) to);
}

gboolean
gw_task_view_can_step (GwTaskView *self,
                       int step)
{
  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  return find_step (self, step) >= 0;
}

void
gw_task_view_scroll_to_start (GwTaskView *self)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (g_list_model_get_n_items (G_LIST_MODEL (self->selection)) > 0)
    gw_compat_scroll_to (self->column_view, 0);
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (self->scroller), 0);
}

void
gw_task_view_scroll_to_end (GwTaskView *self)
{
  guint n;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  if (n > 0)
    gw_compat_scroll_to (self->column_view, n - 1);
}
