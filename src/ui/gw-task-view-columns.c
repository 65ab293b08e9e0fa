/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-view-private.h"

/* The columns of the list: which there is room for, and how their headers sort. */

#define NARROW_WIDTH 500 /* below: icons alone, model and time in a second line */
#define MODEL_WIDTH 640
#define RESULT_WIDTH 860
#define STATUS_COLUMN_WIDTH 122
#define NARROW_STATUS_COLUMN_WIDTH 44

static const GwTaskSort sorts[GW_N_TASK_COLUMNS] = {
  [GW_TASK_COLUMN_STATUS] = GW_TASK_SORT_STATUS,
  [GW_TASK_COLUMN_MODEL] = GW_TASK_SORT_MODEL,
  [GW_TASK_COLUMN_TIME] = GW_TASK_SORT_TIME,
};

typedef struct {
  GwTaskView *self; /* (unowned): lives longer than its columns */
  GwTaskColumn column;
} Probe;

/* The rows are sorted by GwTaskRows; the headers only keep which way. Before GTK 4.10 they cannot be
 * asked, but they can be made to compare, and then say it. */
static int
probe_cb (gconstpointer a, gconstpointer b, gpointer user_data)
{
  Probe *probe = user_data;

  probe->self->probed = (int) probe->column;
  return -1;
}

static void
sorter_changed_cb (GwTaskView *self)
{
  GtkSorter *sorter = gtk_column_view_get_sorter (self->column_view);
  GwTaskSort sort = GW_TASK_SORT_NONE;
  gboolean descending = FALSE;

  self->probed = -1;
  if (sorter != NULL)
    descending = gtk_sorter_compare (sorter, self, self->rows) == GTK_ORDERING_LARGER;
  if (self->probed >= 0)
    sort = sorts[self->probed];
  /* Up, down, and the third click is back to the order of submission. */
  if (sort != GW_TASK_SORT_NONE && sort == self->sort && self->descending && !descending)
    {
      gtk_column_view_sort_by_column (self->column_view, NULL, GTK_SORT_ASCENDING);
      return;
    }
  if (self->sort == sort && self->descending == descending)
    return;
  self->sort = sort;
  self->descending = sort != GW_TASK_SORT_NONE && descending;
  gw_task_rows_set_sort (self->rows, self->sort, self->descending);
  _gw_task_view_emit (self, "sort-changed");
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer user_data)
{
  GwTaskColumn column = GPOINTER_TO_UINT (user_data);

  gtk_list_item_set_child (list_item, gw_task_cell_new (column));
}

static void
bind_cb (GwTaskView *self, GtkListItem *list_item)
{
  GwTaskCell *cell = GW_TASK_CELL (gtk_list_item_get_child (list_item));

  gw_task_cell_set_narrow (cell, self->narrow);
  gw_task_cell_bind (cell, list_item);
  g_hash_table_add (self->cells, cell);
}

static void
unbind_cb (GwTaskView *self, GtkListItem *list_item)
{
  GwTaskCell *cell = GW_TASK_CELL (gtk_list_item_get_child (list_item));

  g_hash_table_remove (self->cells, cell);
  gw_task_cell_unbind (cell);
}

static void
add_column (GwTaskView *self, GwTaskColumn column, const char *title, int width)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkColumnViewColumn *view_column;

  g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), GUINT_TO_POINTER (column));
  g_signal_connect_object (factory, "bind", G_CALLBACK (bind_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "unbind", G_CALLBACK (unbind_cb), self, G_CONNECT_SWAPPED);
  view_column = gtk_column_view_column_new (title, factory);
  if (width > 0)
    gtk_column_view_column_set_fixed_width (view_column, width);
  else
    gtk_column_view_column_set_expand (view_column, TRUE);
  if (sorts[column] != GW_TASK_SORT_NONE)
    {
      g_autoptr (GtkSorter) sorter = NULL;
      Probe *probe = g_new (Probe, 1);

      *probe = (Probe){ self, column };
      sorter = GTK_SORTER (gtk_custom_sorter_new (probe_cb, probe, g_free));
      gtk_column_view_column_set_sorter (view_column, sorter);
    }
  gtk_column_view_append_column (self->column_view, view_column);
  self->columns[column] = view_column;
  self->has_column[column] = TRUE;
}

/* Taken out, not hidden: before GTK 4.10 a hidden column keeps its room. */
static void
set_has_column (GwTaskView *self, GwTaskColumn column, gboolean has)
{
  guint place = 0;
  guint i;

  if (self->has_column[column] == has)
    return;
  for (i = 0; i < column; i++)
    place += self->has_column[i] ? 1 : 0;
  if (has)
    gtk_column_view_insert_column (self->column_view, place, self->columns[column]);
  else
    gtk_column_view_remove_column (self->column_view, self->columns[column]);
  self->has_column[column] = has;
}

static gboolean
width_cb (gpointer user_data)
{
  GwTaskView *self = user_data;
  gboolean narrow = self->width < NARROW_WIDTH;
  GHashTableIter iter;
  gpointer cell;

  self->width_id = 0;
  set_has_column (self, GW_TASK_COLUMN_RESULT, self->width >= RESULT_WIDTH);
  set_has_column (self, GW_TASK_COLUMN_MODEL, self->width >= MODEL_WIDTH);
  set_has_column (self, GW_TASK_COLUMN_TIME, !narrow);
  _gw_task_view_previews_later (self, FALSE);
  gw_task_filters_set_width (self->filters, self->width);
  if (self->narrow == narrow)
    return G_SOURCE_REMOVE;
  self->narrow = narrow;
  gtk_column_view_column_set_fixed_width (self->columns[GW_TASK_COLUMN_STATUS],
                                          narrow ? NARROW_STATUS_COLUMN_WIDTH
                                                 : STATUS_COLUMN_WIDTH);
  gtk_column_view_column_set_title (self->columns[GW_TASK_COLUMN_STATUS],
                                    narrow ? "" : C_ ("column", "Status"));
  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    gw_task_cell_set_narrow (cell, narrow);
  return G_SOURCE_REMOVE;
}

void
_gw_task_view_set_width (GwTaskView *self, int width)
{
  if (self->width == width)
    return;
  self->width = width;
  /* Columns cannot come and go while sizes are being given out. */
  if (self->width_id == 0)
    self->width_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, width_cb, self, NULL);
}

void
_gw_task_view_columns_init (GwTaskView *self)
{
  add_column (self, GW_TASK_COLUMN_STATUS, C_ ("column", "Status"), STATUS_COLUMN_WIDTH);
  add_column (self, GW_TASK_COLUMN_TASK, C_ ("column", "Task"), 0);
  add_column (self, GW_TASK_COLUMN_RESULT, C_ ("column", "Result"), 0);
  add_column (self, GW_TASK_COLUMN_MODEL, C_ ("column", "Model"), 150);
  add_column (self, GW_TASK_COLUMN_TIME, C_ ("column", "Time"), 88);
  g_signal_connect_object (gtk_column_view_get_sorter (self->column_view), "changed",
                           G_CALLBACK (sorter_changed_cb), self, G_CONNECT_SWAPPED);
}

void
_gw_task_view_columns_clear (GwTaskView *self)
{
  guint i;

  g_clear_handle_id (&self->width_id, g_source_remove);
  for (i = 0; i < GW_N_TASK_COLUMNS; i++)
    {
      /* What sorts them knows this view. */
      if (self->columns[i] != NULL)
        gtk_column_view_column_set_sorter (self->columns[i], NULL);
      g_clear_object (&self->columns[i]);
    }
}

/**
 * gw_task_view_sort:
 * @sort: by which column; %GW_TASK_SORT_NONE: in order of submission
 */
void
gw_task_view_sort (GwTaskView *self, GwTaskSort sort, gboolean descending)
{
  guint i;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (self->sort == sort && self->descending == descending)
    return;
  for (i = 0; sort != GW_TASK_SORT_NONE && i < GW_N_TASK_COLUMNS; i++)
    if (sorts[i] == sort && self->has_column[i])
      {
        gtk_column_view_sort_by_column (self->column_view, self->columns[i],
                                        descending ? GTK_SORT_DESCENDING : GTK_SORT_ASCENDING);
        return;
      }
  if (self->sort != GW_TASK_SORT_NONE && sort == GW_TASK_SORT_NONE)
    {
      gtk_column_view_sort_by_column (self->column_view, NULL, GTK_SORT_ASCENDING);
      if (self->sort == GW_TASK_SORT_NONE)
        return;
    }
  /* By what there is no room for at the moment. */
  self->sort = sort;
  self->descending = descending;
  gw_task_rows_set_sort (self->rows, sort, descending);
  _gw_task_view_emit (self, "sort-changed");
}

GwTaskSort
gw_task_view_get_sort (GwTaskView *self)
{
  g_return_val_if_fail (GW_IS_TASK_VIEW (self), GW_TASK_SORT_NONE);

  return self->sort;
}
