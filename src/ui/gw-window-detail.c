/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-detail"

#include "config.h"

#include "gw-window-private.h"

/* What the detail pane shows: the one task that is selected, or what several are together; and the
 * way from a task to its neighbours. */

#define PAUSE_MS 200

static void
next_task_action (GtkWidget *widget,
                  const char *name,
                  GVariant *parameter)
{
  gw_task_view_step (GW_WINDOW (widget)->task_view, 1);
}

static void
previous_task_action (GtkWidget *widget,
                      const char *name,
                      GVariant *parameter)
{
  gw_task_view_step (GW_WINDOW (widget)->task_view, -1);
}

static void
show_several (GwWindow *self)
{
  g_autoptr (GPtrArray) items = gw_task_view_get_selected (self->task_view);

  if (items->len > 1)
    gw_task_detail_set_several (self->detail, items);
}

static gboolean
several_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->several_id = 0;
  show_several (self);
  return G_SOURCE_REMOVE;
}

/* The selection is another one. */
void
_gw_window_detail_select (GwWindow *self)
{
  g_autoptr (GwTaskItem) item = gw_task_view_get_only_selected (self->task_view);

  if (item != NULL)
    gw_task_detail_set_item (self->detail, item);
  else if (gw_task_view_count_selected (self->task_view) > 1)
    show_several (self);
  else
    {
      /* With none selected (its task left the filter, say) the one that is read stays. */
      GwTaskItem *shown = gw_task_detail_get_item (self->detail);

      gw_task_detail_set_item (self->detail, shown);
      if (shown == NULL)
        gtk_widget_set_visible (GTK_WIDGET (self->detail), FALSE);
      return;
    }
  /* Keys move through the list; only a click or Enter leaves it where there is one page. */
  gtk_widget_set_visible (GTK_WIDGET (self->detail), TRUE);
}

void
_gw_window_detail_update (GwWindow *self)
{
  GwTaskItem *shown = gw_task_detail_get_item (self->detail);
  const GwTask *task = shown != NULL ? gw_task_item_get_task (shown) : NULL;
  GwProject *project = task != NULL && task->project_id != NULL && self->list != NULL
                           ? gw_task_list_find_project (self->list, task->project_id)
                           : NULL;

  gw_task_detail_set_project (self->detail, project != NULL ? project->name : NULL);
  gw_task_detail_set_number (self->detail, shown != NULL && self->list != NULL
                                               ? gw_task_list_get_number (self->list, shown)
                                               : 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.next-task",
                                 gw_task_view_can_step (self->task_view, 1));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.previous-task",
                                 gw_task_view_can_step (self->task_view, -1));
  /* Tens of thousands may be selected while hundreds change. */
  if (gw_task_view_count_selected (self->task_view) > 1 && self->several_id == 0)
    {
      self->several_id = g_timeout_add (PAUSE_MS, several_cb, self);
      g_source_set_name_by_id (self->several_id, "[gangway] summary of the selection");
    }
}

/* Something else is searched. */
void
_gw_window_detail_found_changed (GwWindow *self)
{
  gw_task_detail_set_needle (self->detail, gw_task_view_get_searched (self->task_view));
}

void
_gw_window_detail_dispose (GwWindow *self)
{
  g_clear_handle_id (&self->several_id, g_source_remove);
}

void
_gw_window_detail_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_install_action (widget_class, "win.next-task", NULL, next_task_action);
  gtk_widget_class_install_action (widget_class, "win.previous-task", NULL, previous_task_action);
}
