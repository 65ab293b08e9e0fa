/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include "gw-compat.h"
#include "gw-task-view-private.h"

/* "Follow Running": the task that began last stays in view, until the user takes the scrolling
 * over. Only what a step brings is looked at, and the list moves at most four times a second. */

#define PACE_MS 250

static gboolean
follow_cb (gpointer user_data)
{
  GwTaskView *self = user_data;
  guint position;

  self->follow_id = 0;
  if (self->newest != NULL
      && gw_task_rows_find (self->rows, gw_task_item_get_task_id (self->newest), &position))
    gw_compat_scroll_to (self->column_view, position);
  return G_SOURCE_REMOVE;
}

static void
look_at (GwTaskView *self,
         GwTaskItem *item)
{
  GwTask *task = gw_task_item_get_task (item);

  if (task->status != GW_TASK_RUNNING || gw_task_get_begin (task) < self->newest_at
      || (self->project_id != NULL && g_strcmp0 (task->project_id, self->project_id) != 0))
    return;
  g_set_object (&self->newest, item);
  self->newest_at = gw_task_get_begin (task);
}

static void
go (GwTaskView *self)
{
  if (self->follow_id == 0 && self->newest != NULL)
    self->follow_id = g_timeout_add (PACE_MS, follow_cb, self);
}

void
_gw_task_view_follow_delta (GwTaskView *self,
                            GwTaskDelta *delta)
{
  guint i;

  if (!self->follow)
    return;
  for (i = 0; i < delta->changed->len; i++)
    look_at (self, delta->changed->pdata[i]);
  for (i = 0; i < delta->added->len; i++)
    look_at (self, delta->added->pdata[i]);
  go (self);
}

static gboolean
scrolled_cb (GtkEventControllerScroll *controller,
             double dx,
             double dy,
             GwTaskView *self)
{
  gw_task_view_set_follow (self, FALSE);
  return FALSE;
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint keyval,
        guint keycode,
        GdkModifierType state,
        GwTaskView *self)
{
  switch (keyval)
    {
    case GDK_KEY_Up:
    case GDK_KEY_Down:
    case GDK_KEY_Page_Up:
    case GDK_KEY_Page_Down:
    case GDK_KEY_Home:
    case GDK_KEY_End:
    case GDK_KEY_KP_Up:
    case GDK_KEY_KP_Down:
    case GDK_KEY_KP_Page_Up:
    case GDK_KEY_KP_Page_Down:
    case GDK_KEY_KP_Home:
    case GDK_KEY_KP_End:
      gw_task_view_set_follow (self, FALSE);
      break;
    default:
      break;
    }
  return FALSE;
}

static void
bar_pressed_cb (GtkGestureClick *gesture,
                int n_press,
                double x,
                double y,
                GwTaskView *self)
{
  gw_task_view_set_follow (self, FALSE);
}

void
_gw_task_view_follow_init (GwTaskView *self)
{
  GtkEventController *controller
      = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  GtkGesture *press;

  gtk_event_controller_set_propagation_phase (controller, GTK_PHASE_CAPTURE);
  g_signal_connect_object (controller, "scroll", G_CALLBACK (scrolled_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self->scroller), controller);

  controller = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (controller, GTK_PHASE_CAPTURE);
  g_signal_connect_object (controller, "key-pressed", G_CALLBACK (key_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self->column_view), controller);

  press = gtk_gesture_click_new ();
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (press), GTK_PHASE_CAPTURE);
  g_signal_connect_object (press, "pressed", G_CALLBACK (bar_pressed_cb), self, 0);
  gtk_widget_add_controller (gtk_scrolled_window_get_vscrollbar (self->scroller),
                             GTK_EVENT_CONTROLLER (press));
}

void
_gw_task_view_follow_clear (GwTaskView *self)
{
  g_clear_handle_id (&self->follow_id, g_source_remove);
  g_clear_object (&self->newest);
  self->newest_at = 0;
}

/**
 * gw_task_view_set_follow:
 *
 * Keeps the task that began to run last in view, from now on.
 */
void
gw_task_view_set_follow (GwTaskView *self,
                         gboolean follow)
{
  guint i;
  guint n;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (self->follow == follow)
    return;
  self->follow = follow;
  _gw_task_view_follow_clear (self);
  if (follow)
    {
      n = g_list_model_get_n_items (G_LIST_MODEL (self->rows));
      for (i = 0; i < n; i++)
        {
          g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->rows), i);

          look_at (self, item);
        }
      follow_cb (self);
    }
  _gw_task_view_emit (self, "follow-changed");
}

gboolean
gw_task_view_get_follow (GwTaskView *self)
{
  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  return self->follow;
}
