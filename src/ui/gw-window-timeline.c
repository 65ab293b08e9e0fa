/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-timeline"

#include "config.h"

#include "gw-timeline.h"
#include "gw-window-private.h"

/* The timeline in the window: shown or not, and in step with the list, both ways. */

static void
select_cb (GwWindow *self,
           const char *task_id)
{
  if (gw_task_view_select (self->task_view, task_id))
    return;
  /* It is filtered away: what was chosen comes before what was filtered. */
  g_action_group_change_action_state (G_ACTION_GROUP (self), "show", g_variant_new_string ("all"));
  if (gw_task_view_select (self->task_view, task_id) || self->list == NULL
      || gw_task_list_find (self->list, task_id) == NULL)
    return;
  _gw_window_show_project (self, NULL);
  gw_task_view_select (self->task_view, task_id);
}

static void
open_cb (GwWindow *self,
         const char *task_id)
{
  select_cb (self, task_id);
  _gw_window_show_detail (self);
}

void
_gw_window_timeline_selection_changed (GwWindow *self)
{
  g_autoptr (GwTaskItem) item = gw_task_view_get_only_selected (self->task_view);

  if (self->timeline != NULL && item != NULL)
    gw_timeline_set_selected (self->timeline, gw_task_item_get_task_id (item));
}

/* Whenever the list follows another gateway. */
void
_gw_window_timeline_source_changed (GwWindow *self)
{
  GwClient *client = NULL;

  if (self->timeline == NULL)
    return;
  if (self->list != NULL)
    g_object_get (self->list, "client", &client, NULL);
  gw_timeline_set_source (self->timeline, client, self->list);
  g_clear_object (&client);
}

void
_gw_window_timeline_tasks_changed (GwWindow *self)
{
  if (self->timeline != NULL)
    gw_timeline_tasks_changed (self->timeline);
}

/* What is hidden leaves the tree of screen readers too, once it has slid away. */
static void
update_visible (GwWindow *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->timeline_bin),
                          gtk_revealer_get_reveal_child (self->timeline_revealer)
                              || gtk_revealer_get_child_revealed (self->timeline_revealer));
}

static void
shown_cb (GSimpleAction *action,
          GVariant *state,
          gpointer user_data)
{
  GwWindow *self = user_data;
  gboolean shown = g_variant_get_boolean (state);
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));

  if (!shown && focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self->timeline)))
    gtk_widget_grab_focus (GTK_WIDGET (self->task_view));
  if (shown)
    gtk_widget_set_visible (GTK_WIDGET (self->timeline_bin), TRUE);
  gtk_revealer_set_reveal_child (self->timeline_revealer, shown);
  g_simple_action_set_state (action, state);
  g_settings_set_boolean (self->settings, "timeline-visible", shown);
}

void
_gw_window_timeline_init (GwWindow *self)
{
  gboolean shown = g_settings_get_boolean (self->settings, "timeline-visible");
  g_autoptr (GSimpleAction) action
      = g_simple_action_new_stateful ("timeline", NULL, g_variant_new_boolean (shown));

  self->timeline = g_object_new (GW_TYPE_TIMELINE, NULL);
  adw_bin_set_child (self->timeline_bin, GTK_WIDGET (self->timeline));
  g_signal_connect_object (self->timeline, "select", G_CALLBACK (select_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->timeline, "open", G_CALLBACK (open_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (action, "change-state", G_CALLBACK (shown_cb), self, 0);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (action));
  gtk_revealer_set_reveal_child (self->timeline_revealer, shown);
  g_signal_connect_object (self->timeline_revealer, "notify::child-revealed",
                           G_CALLBACK (update_visible), self, G_CONNECT_SWAPPED);
  update_visible (self);
}
