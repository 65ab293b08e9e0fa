/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-sidebar"

#include "config.h"

#include "gw-compat.h"
#include "gw-day-list.h"
#include "gw-day.h"
#include "gw-project-row.h"
#include "gw-project-words.h"
#include "gw-sidebar-private.h"

/* The rows of both pages. They are recycled; those that are bound are kept, to be brought up to
 * date and to be found. */

static guint
get_waiting (GwSidebar *self,
             const GwProject *project)
{
  return self->waiting != NULL && project->project_id != NULL
             ? GPOINTER_TO_UINT (g_hash_table_lookup (self->waiting, project->project_id))
             : 0;
}

void
_gw_sidebar_update_rows (GwSidebar *self)
{
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    {
      const GwProject *project = gw_project_item_get_project (gw_project_row_get_item (row));

      gw_project_row_set_waiting (row, get_waiting (self, project));
      gw_project_row_set_hits (row, self->query != NULL ? _gw_sidebar_get_hits (self, project) : 0);
      gw_project_row_update (row);
    }
}

static void
setup_cb (GwSidebar *self,
          GtkListItem *list_item)
{
  gtk_list_item_set_child (list_item, gw_project_row_new ());
}

static void
bind_cb (GwSidebar *self,
         GtkListItem *list_item)
{
  GwProjectItem *item = gtk_list_item_get_item (list_item);
  GtkWidget *row = gtk_list_item_get_child (list_item);

  gw_project_row_set_waiting (GW_PROJECT_ROW (row),
                              get_waiting (self, gw_project_item_get_project (item)));
  gw_project_row_bind (GW_PROJECT_ROW (row), list_item, item);
  if (self->query != NULL)
    gw_project_row_set_hits (GW_PROJECT_ROW (row),
                             _gw_sidebar_get_hits (self, gw_project_item_get_project (item)));
  g_hash_table_add (self->rows, row);
}

static void
unbind_cb (GwSidebar *self,
           GtkListItem *list_item)
{
  GtkWidget *row = gtk_list_item_get_child (list_item);

  g_hash_table_remove (self->rows, row);
  gw_project_row_unbind (GW_PROJECT_ROW (row));
}

/* In the history a row is a project or a day; which, is known when it is bound. */
static void
history_setup_cb (GwSidebar *self,
                  GtkListItem *list_item)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "gw-day");
  gtk_widget_add_css_class (label, "heading");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), gw_project_row_new ());
  gtk_list_item_set_child (list_item, box);
}

static void
history_bind_cb (GwSidebar *self,
                 GtkListItem *list_item)
{
  GObject *item = gtk_list_item_get_item (list_item);
  GtkWidget *box = gtk_list_item_get_child (list_item);
  GtkWidget *label = gtk_widget_get_first_child (box);
  GtkWidget *row = gtk_widget_get_last_child (box);
  gboolean is_day = GW_IS_DAY (item);

  gtk_widget_set_visible (label, is_day);
  gtk_widget_set_visible (row, !is_day);
  gtk_list_item_set_selectable (list_item, !is_day);
  gtk_list_item_set_activatable (list_item, !is_day);
  if (is_day)
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_local ();
      g_autofree char *words = NULL;
      GDate today;

      g_date_clear (&today, 1);
      g_date_set_dmy (&today, (GDateDay) g_date_time_get_day_of_month (now),
                      (GDateMonth) g_date_time_get_month (now),
                      (GDateYear) g_date_time_get_year (now));
      words = gw_day_to_words (gw_day_get_date (GW_DAY (item)), &today);
      gtk_label_set_text (GTK_LABEL (label), words);
      gw_compat_label_list_row (list_item, words);
      return;
    }
  gw_project_row_bind (GW_PROJECT_ROW (row), list_item, GW_PROJECT_ITEM (item));
  if (self->query != NULL)
    gw_project_row_set_hits (
        GW_PROJECT_ROW (row),
        _gw_sidebar_get_hits (self, gw_project_item_get_project (GW_PROJECT_ITEM (item))));
  g_hash_table_add (self->rows, row);
}

static void
history_unbind_cb (GwSidebar *self,
                   GtkListItem *list_item)
{
  GtkWidget *row = gtk_widget_get_last_child (gtk_list_item_get_child (list_item));

  g_hash_table_remove (self->rows, row);
  gw_project_row_unbind (GW_PROJECT_ROW (row));
}

static void
activate_cb (GwSidebar *self,
             guint position,
             GtkListView *view)
{
  GtkSelectionModel *selection = gtk_list_view_get_model (view);

  gtk_selection_model_select_item (selection, position, TRUE);
  g_signal_emit_by_name (self, "opened");
}

static void
set_view (GwSidebar *self,
          GtkListView *view,
          GtkSingleSelection *selection,
          GCallback setup,
          GCallback bind,
          GCallback unbind)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();

  g_signal_connect_object (factory, "setup", setup, self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "bind", bind, self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "unbind", unbind, self, G_CONNECT_SWAPPED);
  gtk_list_view_set_factory (view, factory);
  gtk_list_view_set_model (view, GTK_SELECTION_MODEL (selection));
  g_signal_connect_object (view, "activate", G_CALLBACK (activate_cb), self, G_CONNECT_SWAPPED);
  _gw_sidebar_add_controllers (self, view);
}

void
_gw_sidebar_set_views (GwSidebar *self)
{
  set_view (self, self->projects_view, self->current_selection, G_CALLBACK (setup_cb),
            G_CALLBACK (bind_cb), G_CALLBACK (unbind_cb));
  set_view (self, self->history_view, self->history_selection, G_CALLBACK (history_setup_cb),
            G_CALLBACK (history_bind_cb), G_CALLBACK (history_unbind_cb));
}

static gboolean
same_counts (GHashTable *a,
             GHashTable *b)
{
  GHashTableIter iter;
  gpointer id;
  gpointer n;

  if (a == NULL || g_hash_table_size (a) != g_hash_table_size (b))
    return a == NULL && g_hash_table_size (b) == 0;
  g_hash_table_iter_init (&iter, a);
  while (g_hash_table_iter_next (&iter, &id, &n))
    if (g_hash_table_lookup (b, id) != n)
      return FALSE;
  return TRUE;
}

void
gw_sidebar_set_waiting (GwSidebar *self,
                        GHashTable *waiting)
{
  g_autoptr (GHashTable) old = NULL;

  g_return_if_fail (GW_IS_SIDEBAR (self));

  old = g_steal_pointer (&self->waiting);
  self->waiting = waiting;
  if (!same_counts (old, waiting))
    _gw_sidebar_update_rows (self);
}

/**
 * gw_sidebar_get_bounds:
 * @bounds: (out): where the row of the project is, in the sidebar
 *
 * Returns: whether it can be seen
 */
gboolean
gw_sidebar_get_bounds (GwSidebar *self,
                       const char *project_id,
                       GdkRectangle *bounds)
{
  GHashTableIter iter;
  gpointer row;
  graphene_rect_t rect;

  g_return_val_if_fail (GW_IS_SIDEBAR (self), FALSE);

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    if (gtk_widget_get_mapped (row)
        && g_strcmp0 (gw_project_item_get_project_id (gw_project_row_get_item (row)), project_id)
               == 0
        && gtk_widget_compute_bounds (row, GTK_WIDGET (self), &rect)
        && rect.origin.y >= 0
        && rect.origin.y + rect.size.height <= (float) gtk_widget_get_height (GTK_WIDGET (self)))
      {
        bounds->x = (int) rect.origin.x;
        bounds->y = (int) rect.origin.y;
        bounds->width = (int) rect.size.width;
        bounds->height = (int) rect.size.height;
        return TRUE;
      }
  return FALSE;
}
