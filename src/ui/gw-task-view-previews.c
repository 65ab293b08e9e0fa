/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include "gw-task-view-private.h"

/* The beginnings of results, where there is a column for them: asked for by the rows that can be
 * seen, once the list has stood still for a moment. */

#define REST_MS 120

static int
compare_places (gconstpointer a, gconstpointer b, gpointer user_data)
{
  GwTaskView *self = user_data;
  guint left = G_MAXUINT;
  guint right = G_MAXUINT;

  gw_task_rows_find (self->rows, gw_task_item_get_task_id (*(GwTaskItem *const *) a), &left);
  gw_task_rows_find (self->rows, gw_task_item_get_task_id (*(GwTaskItem *const *) b), &right);
  return left < right ? -1 : left > right ? 1 : 0;
}

/* A narrow row has them only to show what was found in them. */
static gboolean
wants_previews (GwTaskView *self)
{
  return self->previews != NULL
         && (self->has_column[GW_TASK_COLUMN_RESULT] || self->needle != NULL);
}

static gboolean
rest_cb (gpointer user_data)
{
  GwTaskView *self = user_data;
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  int height = gtk_widget_get_height (GTK_WIDGET (self->scroller));
  GHashTableIter iter;
  gpointer cell;

  self->previews_id = 0;
  if (!wants_previews (self))
    return G_SOURCE_REMOVE;
  /* Far more rows have widgets than can be seen. */
  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    {
      graphene_rect_t bounds;

      if (gw_task_cell_get_column (cell) == GW_TASK_COLUMN_TASK
          && gw_task_cell_get_item (cell) != NULL
          && gtk_widget_compute_bounds (cell, GTK_WIDGET (self->scroller), &bounds)
          && bounds.origin.y + bounds.size.height > 0 && bounds.origin.y < height)
        g_ptr_array_add (items, gw_task_cell_get_item (cell));
    }
  g_ptr_array_sort_with_data (items, compare_places, self);
  gw_task_previews_want (self->previews, items);
  return G_SOURCE_REMOVE;
}

/* Something came into view, or what is there has changed. Before the list rests a change does not
 * put it off any further, only scrolling does. */
void
_gw_task_view_previews_later (GwTaskView *self, gboolean scrolled)
{
  if (!wants_previews (self))
    return;
  if (self->previews_id != 0 && !scrolled)
    return;
  g_clear_handle_id (&self->previews_id, g_source_remove);
  self->previews_id = g_timeout_add (REST_MS, rest_cb, self);
}

static void
scrolled_cb (GwTaskView *self)
{
  _gw_task_view_previews_later (self, TRUE);
}

void
_gw_task_view_previews_init (GwTaskView *self)
{
  g_signal_connect_object (gtk_scrolled_window_get_vadjustment (self->scroller), "value-changed",
                           G_CALLBACK (scrolled_cb), self, G_CONNECT_SWAPPED);
}

void
_gw_task_view_previews_clear (GwTaskView *self)
{
  g_clear_handle_id (&self->previews_id, g_source_remove);
  g_clear_pointer (&self->previews, gw_task_previews_free);
}
