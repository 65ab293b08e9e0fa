/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include "gw-task-view-private.h"

/* What only the rows that can be seen ask for: the beginnings of results, where they are shown,
 * once the list has stood still for a moment; and every few seconds why they wait. */

#define REST_MS 120
#define WAITS_EVERY 3 /* ticks of a second */

static int
compare_places (gconstpointer a,
                gconstpointer b,
                gpointer user_data)
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

/* (transfer container): the items that can be seen. Far more rows have widgets. */
static GPtrArray *
collect_visible (GwTaskView *self)
{
  GPtrArray *items = g_ptr_array_new ();
  int height = gtk_widget_get_height (GTK_WIDGET (self->scroller));
  GHashTableIter iter;
  gpointer cell;

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
  return items;
}

static gboolean
rest_cb (gpointer user_data)
{
  GwTaskView *self = user_data;
  g_autoptr (GPtrArray) items = NULL;

  self->previews_id = 0;
  if (!wants_previews (self))
    return G_SOURCE_REMOVE;
  items = collect_visible (self);
  g_ptr_array_sort_with_data (items, compare_places, self);
  gw_task_previews_want (self->previews, items);
  return G_SOURCE_REMOVE;
}

/* A second has passed in which tasks waited. */
void
_gw_task_view_waits_tick (GwTaskView *self)
{
  g_autoptr (GPtrArray) items = NULL;

  if (self->waits == NULL || self->waits_in-- > 0)
    return;
  self->waits_in = WAITS_EVERY - 1;
  if (gw_task_list_count (self->list, GW_TASK_QUEUED) == 0
      || !gw_task_list_is_connected (self->list))
    return;
  items = collect_visible (self);
  gw_task_waits_want (self->waits, items);
}

/* Something came into view, or what is there has changed. Before the list rests a change does not
 * put it off any further, only scrolling does. */
void
_gw_task_view_previews_later (GwTaskView *self,
                              gboolean scrolled)
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
  g_clear_pointer (&self->waits, gw_task_waits_free);
}
