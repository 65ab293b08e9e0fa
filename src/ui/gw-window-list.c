/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-list"

#include "config.h"

#include "gw-window-private.h"

/* The verbs of the list itself: search, select, open, sort, follow. */

static const char *const sorts[GW_N_TASK_SORTS] = {
  [GW_TASK_SORT_NONE] = "none",
  [GW_TASK_SORT_STATUS] = "status",
  [GW_TASK_SORT_MODEL] = "model",
  [GW_TASK_SORT_TIME] = "time",
};

static gboolean
has_tasks (GwWindow *self)
{
  return self->list != NULL && g_list_model_get_n_items (G_LIST_MODEL (self->list)) > 0;
}

static void
search_action (GtkWidget *widget,
               const char *name,
               GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  /* Where there is one page at a time, the list is the one to look for something in. */
  if (!gtk_widget_get_child_visible (GTK_WIDGET (self->stack)))
    _gw_window_show_list (self);
  gw_task_view_start_search (self->task_view, NULL);
}

static void
open_action (GtkWidget *widget,
             const char *name,
             GVariant *parameter)
{
  _gw_window_show_detail (GW_WINDOW (widget));
}

static void
select_all_action (GtkWidget *widget,
                   const char *name,
                   GVariant *parameter)
{
  gw_task_view_select_all (GW_WINDOW (widget)->task_view);
}

static void
select_none_action (GtkWidget *widget,
                    const char *name,
                    GVariant *parameter)
{
  gw_task_view_unselect_all (GW_WINDOW (widget)->task_view);
}

static void
follow_cb (GSimpleAction *action,
           GVariant *state,
           gpointer user_data)
{
  GwWindow *self = user_data;

  g_simple_action_set_state (action, state);
  gw_task_view_set_follow (self->task_view, g_variant_get_boolean (state));
}

static void
sort_cb (GSimpleAction *action,
         GVariant *state,
         gpointer user_data)
{
  GwWindow *self = user_data;
  const char *name = g_variant_get_string (state, NULL);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (sorts); i++)
    if (g_str_equal (name, sorts[i]))
      {
        g_simple_action_set_state (action, state);
        gw_task_view_sort (self->task_view, i, FALSE);
      }
}

/* The user scrolled, or clicked a header. */
static void
view_changed_cb (GwWindow *self)
{
  GAction *follow = g_action_map_lookup_action (G_ACTION_MAP (self), "follow");
  GAction *sort = g_action_map_lookup_action (G_ACTION_MAP (self), "sort");

  g_simple_action_set_state (
      G_SIMPLE_ACTION (follow),
      g_variant_new_boolean (gw_task_view_get_follow (self->task_view)));
  g_simple_action_set_state (
      G_SIMPLE_ACTION (sort),
      g_variant_new_string (sorts[gw_task_view_get_sort (self->task_view)]));
}

/* What has just been added is not left out of sight by a filter or a search. */
void
_gw_window_show_new (GwWindow *self)
{
  g_action_group_change_action_state (G_ACTION_GROUP (self), "show", g_variant_new_string ("all"));
  gw_task_view_stop_search (self->task_view);
}

void
_gw_window_list_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GAction *follow = g_action_map_lookup_action (G_ACTION_MAP (self), "follow");
  GAction *sort = g_action_map_lookup_action (G_ACTION_MAP (self), "sort");
  gboolean any = has_tasks (self);

  gtk_widget_action_set_enabled (widget, "win.search", any);
  gtk_widget_action_set_enabled (widget, "win.select-all", any);
  gtk_widget_action_set_enabled (widget, "win.select-none",
                                 gw_task_view_count_selected (self->task_view) > 0);
  gtk_widget_action_set_enabled (widget, "win.open",
                                 gw_task_view_count_selected (self->task_view) == 1);
  g_simple_action_set_enabled (G_SIMPLE_ACTION (follow), any);
  g_simple_action_set_enabled (G_SIMPLE_ACTION (sort), any);
}

void
_gw_window_list_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_install_action (widget_class, "win.search", NULL, search_action);
  gtk_widget_class_install_action (widget_class, "win.open", NULL, open_action);
  gtk_widget_class_install_action (widget_class, "win.select-all", NULL, select_all_action);
  gtk_widget_class_install_action (widget_class, "win.select-none", NULL, select_none_action);
}

void
_gw_window_list_init (GwWindow *self)
{
  g_autoptr (GSimpleAction) follow
      = g_simple_action_new_stateful ("follow", NULL, g_variant_new_boolean (FALSE));
  g_autoptr (GSimpleAction) sort = g_simple_action_new_stateful (
      "sort", G_VARIANT_TYPE_STRING, g_variant_new_string (sorts[GW_TASK_SORT_NONE]));

  g_signal_connect_object (follow, "change-state", G_CALLBACK (follow_cb), self, 0);
  g_signal_connect_object (sort, "change-state", G_CALLBACK (sort_cb), self, 0);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (follow));
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (sort));
  g_signal_connect_object (self->task_view, "follow-changed", G_CALLBACK (view_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->task_view, "sort-changed", G_CALLBACK (view_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->task_view, "search-changed",
                           G_CALLBACK (_gw_window_actions_update), self, G_CONNECT_SWAPPED);
}
