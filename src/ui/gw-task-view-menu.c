/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include "gw-compat.h"
#include "gw-task-view-private.h"

/* What a click on a row does besides to select it: the menu of the rows, where the pointer is or at
 * the row that has the focus; and with Ctrl held, what GTK does wrong. */

/* The item of the row that @widget lies in. */
static GwTaskItem *
item_at (GwTaskView *self,
         GtkWidget *widget)
{
  for (; widget != NULL && widget != GTK_WIDGET (self->column_view);
       widget = gtk_widget_get_parent (widget))
    {
      GtkWidget *child = gtk_widget_get_first_child (widget);

      if (GW_IS_TASK_CELL (widget))
        return gw_task_cell_get_item (GW_TASK_CELL (widget));
      /* Beside the cells, still in their row. */
      child = child != NULL ? gtk_widget_get_first_child (child) : NULL;
      if (child != NULL && GW_IS_TASK_CELL (child))
        return gw_task_cell_get_item (GW_TASK_CELL (child));
    }
  return NULL;
}

static void
popup (GwTaskView *self,
       double x,
       double y)
{
  GdkRectangle point = { (int) x, (int) y, 1, 1 };

  if (self->menu == NULL || gw_task_view_count_selected (self) == 0)
    return;
  gtk_popover_set_pointing_to (GTK_POPOVER (self->menu), &point);
  gtk_popover_popup (GTK_POPOVER (self->menu));
}

static void
menu_pressed_cb (GtkGestureClick *gesture,
                 int n_press,
                 double x,
                 double y,
                 gpointer user_data)
{
  GwTaskView *self = user_data;
  GtkWidget *widget
      = gtk_widget_pick (GTK_WIDGET (self->column_view), x, y, GTK_PICK_DEFAULT);
  GwTaskItem *item = item_at (self, widget);
  guint position;

  /* The menu is about the row under the pointer; if that is selected, about all that are. */
  if (item != NULL
      && gw_task_rows_find (self->rows, gw_task_item_get_task_id (item), &position)
      && !gtk_selection_model_is_selected (GTK_SELECTION_MODEL (self->selection), position))
    gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  popup (self, x, y);
}

/* Before the rows and their cells hear of it. */
static void
toggle_pressed_cb (GtkGestureClick *gesture,
                   int n_press,
                   double x,
                   double y,
                   gpointer user_data)
{
  GwTaskView *self = user_data;
  GdkModifierType state
      = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  GtkWidget *widget
      = gtk_widget_pick (GTK_WIDGET (self->column_view), x, y, GTK_PICK_DEFAULT);
  GwTaskItem *item = (state & GDK_CONTROL_MASK) != 0 ? item_at (self, widget) : NULL;
  guint position;

  if (item == NULL || !gw_task_rows_find (self->rows, gw_task_item_get_task_id (item), &position))
    return;
  gtk_widget_activate_action (widget, "list.select-item", "(ubb)", position, TRUE,
                              (state & GDK_SHIFT_MASK) != 0);
  gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_CLAIMED);
}

static void
add_toggle (GwTaskView *self)
{
  GtkGesture *click = gtk_gesture_click_new ();

  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (click), GTK_PHASE_CAPTURE);
  g_signal_connect_object (click, "pressed", G_CALLBACK (toggle_pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self->column_view), GTK_EVENT_CONTROLLER (click));
}

static gboolean
menu_key_cb (GtkWidget *widget,
             GVariant *arguments,
             gpointer user_data)
{
  GwTaskView *self = user_data;
  GtkRoot *root = gtk_widget_get_root (widget);
  GtkWidget *focus = root != NULL ? gtk_root_get_focus (root) : NULL;
  double x = 24;
  double y = 24;

  if (focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self->column_view)))
    gtk_widget_translate_coordinates (focus, GTK_WIDGET (self->column_view), 24,
                                      gtk_widget_get_height (focus) / 2.0, &x, &y);
  popup (self, x, y);
  return TRUE;
}

void
_gw_task_view_menu_init (GwTaskView *self)
{
  GtkWidget *view = GTK_WIDGET (self->column_view);
  GtkEventController *keys = gtk_shortcut_controller_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  if (gw_compat_toggles_twice ())
    add_toggle (self);
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (click, "pressed", G_CALLBACK (menu_pressed_cb), self, 0);
  gtk_widget_add_controller (view, GTK_EVENT_CONTROLLER (click));

  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Menu|<Shift>F10"),
                        gtk_callback_action_new (menu_key_cb, self, NULL)));
  gtk_widget_add_controller (view, keys);
}

void
_gw_task_view_menu_clear (GwTaskView *self)
{
  g_clear_pointer (&self->menu, gtk_widget_unparent);
}

/**
 * gw_task_view_set_menu:
 *
 * What a click with the secondary button on a row offers, and the Menu key.
 */
void
gw_task_view_set_menu (GwTaskView *self,
                       GMenuModel *menu)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  g_clear_pointer (&self->menu, gtk_widget_unparent);
  self->menu = gtk_popover_menu_new_from_model (menu);
  gtk_popover_set_has_arrow (GTK_POPOVER (self->menu), FALSE);
  gtk_widget_set_halign (self->menu, GTK_ALIGN_START);
  gtk_widget_set_parent (self->menu, GTK_WIDGET (self->column_view));
}
