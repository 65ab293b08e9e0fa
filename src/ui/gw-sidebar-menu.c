/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-sidebar"

#include "config.h"

#include "gw-project-row.h"
#include "gw-sidebar-private.h"

/* The menu of a project, by mouse, touch and keys, and the click that opens what is selected
 * already. */

/* The row at a place of a view, or that has the focus there. */
static GwProjectRow *
find_row (GwSidebar *self,
          GtkWidget *widget)
{
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    if (widget == row || gtk_widget_is_ancestor (widget, row)
        || gtk_widget_is_ancestor (row, widget))
      return row;
  return NULL;
}

static void
released_cb (GtkGestureClick *gesture,
             int n_press,
             double x,
             double y,
             GwSidebar *self)
{
  GtkWidget *view = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));
  GtkWidget *picked = gtk_widget_pick (view, x, y, GTK_PICK_DEFAULT);

  if (picked != NULL && picked != view && find_row (self, picked) != NULL)
    g_signal_emit_by_name (self, "opened");
}

static gboolean
forget_cb (gpointer user_data)
{
  GwSidebar *self = user_data;

  self->forget_id = 0;
  g_clear_pointer (&self->target, g_free);
  g_signal_emit_by_name (self, "target-changed");
  return G_SOURCE_REMOVE;
}

/* The menu closes before what was chosen in it is done. */
static void
menu_closed_cb (GwSidebar *self)
{
  if (self->forget_id == 0)
    self->forget_id = g_idle_add_full (G_PRIORITY_LOW, forget_cb, self, NULL);
}

static gboolean
open_menu (GwSidebar *self,
           GwProjectRow *row,
           GtkWidget *view,
           const graphene_point_t *point)
{
  GwProjectItem *item = row != NULL ? gw_project_row_get_item (row) : NULL;
  const char *id = item != NULL ? gw_project_item_get_project_id (item) : NULL;
  graphene_rect_t bounds;
  GdkRectangle at = { 0, 0, 1, 1 };

  if (id == NULL)
    return FALSE;
  if (point != NULL)
    {
      double x = 0;
      double y = 0;

      gtk_widget_translate_coordinates (view, GTK_WIDGET (self), point->x, point->y, &x, &y);
      at.x = (int) x;
      at.y = (int) y;
    }
  else if (gtk_widget_compute_bounds (GTK_WIDGET (row), GTK_WIDGET (self), &bounds))
    {
      at.x = (int) (bounds.origin.x + bounds.size.width / 2);
      at.y = (int) (bounds.origin.y + bounds.size.height);
    }
  g_clear_handle_id (&self->forget_id, g_source_remove);
  g_free (self->target);
  self->target = g_strdup (id);
  g_signal_emit_by_name (self, "target-changed");
  gtk_popover_set_pointing_to (GTK_POPOVER (self->menu), &at);
  gtk_popover_popup (GTK_POPOVER (self->menu));
  return TRUE;
}

static void
menu_pressed_cb (GtkGesture *gesture,
                 int n_press,
                 double x,
                 double y,
                 GwSidebar *self)
{
  GtkWidget *view = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));
  GtkWidget *picked = gtk_widget_pick (view, x, y, GTK_PICK_DEFAULT);

  if (picked != NULL && picked != view
      && open_menu (self, find_row (self, picked), view, &GRAPHENE_POINT_INIT ((float)x, (float)y)))
    gtk_gesture_set_state (gesture, GTK_EVENT_SEQUENCE_CLAIMED);
}

static void
long_pressed_cb (GtkGesture *gesture,
                 double x,
                 double y,
                 GwSidebar *self)
{
  menu_pressed_cb (gesture, 1, x, y, self);
}

static gboolean
menu_key_cb (GtkWidget *view,
             GVariant *args,
             gpointer user_data)
{
  GwSidebar *self = user_data;
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (gtk_widget_get_root (view)));

  return focus != NULL && focus != view && open_menu (self, find_row (self, focus), view, NULL);
}

void
_gw_sidebar_add_controllers (GwSidebar *self,
                             GtkListView *view)
{
  GtkGesture *click = gtk_gesture_click_new ();
  GtkGesture *press;
  GtkEventController *keys;

  g_signal_connect_object (click, "released", G_CALLBACK (released_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (view), GTK_EVENT_CONTROLLER (click));
  click = gtk_gesture_click_new ();
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (click, "pressed", G_CALLBACK (menu_pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (view), GTK_EVENT_CONTROLLER (click));
  press = gtk_gesture_long_press_new ();
  gtk_gesture_single_set_touch_only (GTK_GESTURE_SINGLE (press), TRUE);
  g_signal_connect_object (press, "pressed", G_CALLBACK (long_pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (view), GTK_EVENT_CONTROLLER (press));

  keys = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Menu|<Shift>F10"),
                        gtk_callback_action_new (menu_key_cb, self, NULL)));
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Delete"),
                        gtk_named_action_new ("win.remove-project")));
  gtk_widget_add_controller (GTK_WIDGET (view), keys);
}

void
_gw_sidebar_init_menu (GwSidebar *self)
{
  GMenuModel *menu;

  menu = G_MENU_MODEL (gtk_widget_get_template_child (GTK_WIDGET (self), GW_TYPE_SIDEBAR,
                                                      "project_menu"));
  self->menu = gtk_popover_menu_new_from_model (menu);
  gtk_popover_set_has_arrow (GTK_POPOVER (self->menu), FALSE);
  gtk_widget_set_halign (self->menu, GTK_ALIGN_START);
  gtk_widget_set_parent (self->menu, GTK_WIDGET (self));
  g_signal_connect_object (self->menu, "closed", G_CALLBACK (menu_closed_cb), self,
                           G_CONNECT_SWAPPED);
}

/**
 * gw_sidebar_get_target:
 *
 * Returns: (transfer none) (nullable): the project that its menu is or was just open for
 */
const char *
gw_sidebar_get_target (GwSidebar *self)
{
  g_return_val_if_fail (GW_IS_SIDEBAR (self), NULL);

  return self->target;
}
