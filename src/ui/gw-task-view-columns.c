/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-view-private.h"
#include "gw-task-words.h"

/* The columns of the list: which there is room for, and how their headers sort. */

#define NARROW_WIDTH 500 /* below: icons alone, model and time in a second line */
#define MODEL_WIDTH 640
#define RESULT_WIDTH 860
#define NARROW_STATUS_COLUMN_WIDTH 44
/* At the least; beside a word stand its icon and the padding of the cell. */
#define STATUS_COLUMN_WIDTH 122
#define STATUS_COLUMN_ROOM 48
#define MODEL_COLUMN_WIDTH 150
#define MODEL_COLUMN_CHARS 20
#define TIME_COLUMN_WIDTH 88
#define TIME_COLUMN_CHARS 11
#define NUMBER_COLUMN_WIDTH 40
#define NUMBER_COLUMN_ROOM 22 /* the padding of the cell */

static const GwTaskSort sorts[GW_N_TASK_COLUMNS] = {
  [GW_TASK_COLUMN_STATUS] = GW_TASK_SORT_STATUS,
  [GW_TASK_COLUMN_MODEL] = GW_TASK_SORT_MODEL,
  [GW_TASK_COLUMN_TIME] = GW_TASK_SORT_TIME,
};

typedef struct {
  GwTaskView *self; /* (unowned): lives longer than its columns */
  GwTaskColumn column;
} Probe;

/* The rows are sorted by GwTaskRows; the headers only keep which way. Before GTK 4.10 they cannot
 * be asked, but they can be made to compare, and then say it. */
static int
probe_cb (gconstpointer a,
          gconstpointer b,
          gpointer user_data)
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
setup_cb (GtkSignalListItemFactory *factory,
          GtkListItem *list_item,
          gpointer user_data)
{
  GwTaskColumn column = GPOINTER_TO_UINT (user_data);

  gtk_list_item_set_child (list_item, gw_task_cell_new (column));
}

static void
update_number (GwTaskView *self,
               GwTaskCell *cell)
{
  GwTaskColumn column = gw_task_cell_get_column (cell);
  GwTaskItem *item = gw_task_cell_get_item (cell);

  if ((column == GW_TASK_COLUMN_NUMBER || column == GW_TASK_COLUMN_TASK) && item != NULL
      && self->list != NULL)
    gw_task_cell_set_number (cell, gw_task_list_get_number (self->list, item));
}

/* Tasks came or went: those behind them may have other numbers, and the largest more digits. */
void
_gw_task_view_update_numbers (GwTaskView *self)
{
  guint n = self->list != NULL ? g_list_model_get_n_items (G_LIST_MODEL (self->list)) : 0;
  guint digits = 1;
  GHashTableIter iter;
  gpointer cell;

  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    update_number (self, cell);
  for (; n >= 10; n /= 10)
    digits++;
  if (digits == self->digits)
    return;
  self->digits = digits;
  _gw_task_view_columns_update (self);
}

static void
bind_cb (GwTaskView *self,
         GtkListItem *list_item)
{
  GwTaskCell *cell = GW_TASK_CELL (gtk_list_item_get_child (list_item));

  gw_task_cell_set_narrow (cell, self->narrow);
  gw_task_cell_set_needle (cell, self->needle);
  gw_task_cell_bind (cell, list_item);
  update_number (self, cell);
  g_hash_table_add (self->cells, cell);
}

static void
unbind_cb (GwTaskView *self,
           GtkListItem *list_item)
{
  GwTaskCell *cell = GW_TASK_CELL (gtk_list_item_get_child (list_item));

  g_hash_table_remove (self->cells, cell);
  gw_task_cell_unbind (cell);
}

static void
add_column (GwTaskView *self,
            GwTaskColumn column,
            const char *title,
            int width)
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

/* Of the text that users have chosen, which may be large, and of their language. */
static int
measure_status_column (GwTaskView *self)
{
  int widest = 0;
  guint look;

  for (look = 0; look < GW_N_TASK_LOOKS; look++)
    {
      g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (
          GTK_WIDGET (self->column_view), gw_task_look_get_word ((GwTaskLook) look));
      int width;

      pango_layout_get_pixel_size (layout, &width, NULL);
      widest = MAX (widest, width);
    }
  return MAX (STATUS_COLUMN_WIDTH, widest + STATUS_COLUMN_ROOM);
}

static int
measure_chars (GwTaskView *self,
               int n_chars)
{
  PangoContext *context = gtk_widget_get_pango_context (GTK_WIDGET (self->column_view));
  PangoFontMetrics *metrics = pango_context_get_metrics (context, NULL, NULL);
  int width = PANGO_PIXELS_CEIL (n_chars * pango_font_metrics_get_approximate_char_width (metrics));

  pango_font_metrics_unref (metrics);
  return width;
}

static void
update_widths (GwTaskView *self)
{
  gtk_column_view_column_set_fixed_width (self->columns[GW_TASK_COLUMN_STATUS],
                                          self->narrow ? NARROW_STATUS_COLUMN_WIDTH
                                                       : measure_status_column (self));
  gtk_column_view_column_set_fixed_width (
      self->columns[GW_TASK_COLUMN_NUMBER],
      MAX (NUMBER_COLUMN_WIDTH,
           measure_chars (self, (int) (self->digits + self->digits / 4)) + NUMBER_COLUMN_ROOM));
  gtk_column_view_column_set_fixed_width (
      self->columns[GW_TASK_COLUMN_MODEL],
      MAX (MODEL_COLUMN_WIDTH, measure_chars (self, MODEL_COLUMN_CHARS)));
  gtk_column_view_column_set_fixed_width (
      self->columns[GW_TASK_COLUMN_TIME],
      MAX (TIME_COLUMN_WIDTH, measure_chars (self, TIME_COLUMN_CHARS)));
}

/* (transfer none) (nullable): what the title of a column stands in. The header has the titles in
 * the order in which they came, which is not that of the columns once one was taken out. */
static GtkWidget *
find_title_box (GwTaskView *self,
                GwTaskColumn column)
{
  const char *words = gtk_column_view_column_get_title (self->columns[column]);
  GtkWidget *header = gtk_widget_get_first_child (GTK_WIDGET (self->column_view));
  GtkWidget *title = header != NULL ? gtk_widget_get_first_child (header) : NULL;

  for (; title != NULL; title = gtk_widget_get_next_sibling (title))
    {
      GtkWidget *box = gtk_widget_get_first_child (title);
      GtkWidget *child = GTK_IS_BOX (box) ? gtk_widget_get_first_child (box) : NULL;

      for (; child != NULL; child = gtk_widget_get_next_sibling (child))
        if (GTK_IS_LABEL (child) && g_str_equal (gtk_label_get_label (GTK_LABEL (child)), words))
          return box;
    }
  return NULL;
}

/* Times and numbers stand at the end of their column, and so does its title; the arrow goes before
 * it. */
static void
align_title (GwTaskView *self,
             GwTaskColumn column)
{
  GtkWidget *box;

  if (column != GW_TASK_COLUMN_TIME && column != GW_TASK_COLUMN_NUMBER)
    return;
  box = find_title_box (self, column);
  if (box == NULL)
    return;
  gtk_widget_set_halign (box, GTK_ALIGN_END);
  if (gtk_widget_get_first_child (box) != gtk_widget_get_last_child (box))
    gtk_box_reorder_child_after (GTK_BOX (box), gtk_widget_get_first_child (box),
                                 gtk_widget_get_last_child (box));
}

/* Taken out, not hidden: before GTK 4.10 a hidden column keeps its room. */
static void
set_has_column (GwTaskView *self,
                GwTaskColumn column,
                gboolean has)
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
  if (has)
    align_title (self, column);
}

static gboolean
width_cb (gpointer user_data)
{
  GwTaskView *self = user_data;
  gboolean narrow = self->width < NARROW_WIDTH;
  GHashTableIter iter;
  gpointer cell;

  self->width_id = 0;
  /* What is searched may stand in a result. */
  set_has_column (self, GW_TASK_COLUMN_RESULT,
                  self->width >= RESULT_WIDTH || (self->needle != NULL && !narrow));
  set_has_column (self, GW_TASK_COLUMN_MODEL,
                  self->width >= RESULT_WIDTH
                      || (self->width >= MODEL_WIDTH && self->needle == NULL));
  set_has_column (self, GW_TASK_COLUMN_TIME, !narrow);
  set_has_column (self, GW_TASK_COLUMN_NUMBER, !narrow);
  _gw_task_view_previews_later (self, FALSE);
  gw_task_filters_set_width (self->filters, self->width);
  if (self->narrow == narrow)
    {
      update_widths (self);
      return G_SOURCE_REMOVE;
    }
  self->narrow = narrow;
  update_widths (self);
  gtk_column_view_column_set_title (self->columns[GW_TASK_COLUMN_STATUS],
                                    narrow ? "" : C_ ("column", "Status"));
  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    gw_task_cell_set_narrow (cell, narrow);
  return G_SOURCE_REMOVE;
}

static void
update_later (GwTaskView *self)
{
  /* Columns cannot come and go while sizes are being given out. */
  if (self->width_id == 0)
    self->width_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, width_cb, self, NULL);
}

/* Which columns there are, and how wide, depends on more than the width. */
void
_gw_task_view_columns_update (GwTaskView *self)
{
  if (self->width > 0)
    update_later (self);
}

void
_gw_task_view_set_width (GwTaskView *self,
                         int width)
{
  if (self->width == width)
    return;
  self->width = width;
  update_later (self);
}

void
_gw_task_view_columns_init (GwTaskView *self)
{
  GtkSettings *settings = gtk_widget_get_settings (GTK_WIDGET (self));

  add_column (self, GW_TASK_COLUMN_STATUS, C_ ("column", "Status"), STATUS_COLUMN_WIDTH);
  /* Translators: the title of the narrow column with the numbers of the tasks */
  add_column (self, GW_TASK_COLUMN_NUMBER, C_ ("column", "#"), NUMBER_COLUMN_WIDTH);
  add_column (self, GW_TASK_COLUMN_TASK, C_ ("column", "Task"), 0);
  add_column (self, GW_TASK_COLUMN_RESULT, C_ ("column", "Result"), 0);
  add_column (self, GW_TASK_COLUMN_MODEL, C_ ("column", "Model"), MODEL_COLUMN_WIDTH);
  add_column (self, GW_TASK_COLUMN_TIME, C_ ("column", "Time"), TIME_COLUMN_WIDTH);
  align_title (self, GW_TASK_COLUMN_NUMBER);
  align_title (self, GW_TASK_COLUMN_TIME);
  g_signal_connect_object (settings, "notify::gtk-font-name", G_CALLBACK (update_later), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "notify::gtk-xft-dpi", G_CALLBACK (update_later), self,
                           G_CONNECT_SWAPPED);
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
gw_task_view_sort (GwTaskView *self,
                   GwTaskSort sort,
                   gboolean descending)
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
