/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-projects"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-project-words.h"
#include "gw-window-private.h"

/* The project that is shown: the list, the counts, the progress and what is added follow it; and
 * the sidebar, in which it is chosen. What can be done with a project stands in
 * gw-window-project-acts.c.
 *
 * The sidebar stands beside the list where there is room, and over it in a narrow window. It comes
 * by itself with the first project: before, there is nothing to choose from. */

#define FOLD_WIDTH 860
#define SIDEBAR_WIDTH 248
/* The list is not squeezed between the sidebar and a task that is read: where it would be narrower,
 * the sidebar stands over it, and in a still narrower window the task does. */
#define LIST_WIDTH 480
#define DETAIL_WIDTH 300

static gboolean
is_quick_id (GwWindow *self,
             const char *project_id)
{
  GwProjectItem *quick = gw_project_list_get_default (self->projects);

  return g_strcmp0 (project_id, GW_PROJECT_DEFAULT_NAME) == 0
         || (quick != NULL
             && g_strcmp0 (project_id, gw_project_item_get_project_id (quick)) == 0);
}

static void
update_title (GwWindow *self)
{
  GwProjectItem *item
      = self->project_id != NULL ? gw_project_list_find (self->projects, self->project_id) : NULL;
  const char *title = _("Gangway");

  if (item != NULL)
    title = gw_project_words_title (gw_project_item_get_project (item));
  else if (self->project_id != NULL && is_quick_id (self, self->project_id))
    title = _("Quick Tasks");
  if (g_strcmp0 (adw_window_title_get_title (self->title), title) != 0)
    adw_window_title_set_title (self->title, title);
}

/* What was read in the project that is left is remembered; what was in the one that comes is shown
 * again, else that begins at its first row with nothing selected. */
static void
change_project (GwWindow *self,
                const char *id)
{
  g_autoptr (GwTaskItem) item = gw_task_view_get_only_selected (self->task_view);
  const char *task_id;

  g_hash_table_insert (self->selected_in,
                       g_strdup (self->project_id != NULL ? self->project_id : ""),
                       item != NULL ? g_strdup (gw_task_item_get_task_id (item)) : NULL);
  g_free (self->project_id);
  self->project_id = g_strdup (id);
  self->project_known = id != NULL && gw_project_list_find (self->projects, id) != NULL;
  self->target = GW_TARGET_AUTOMATIC;
  gw_task_detail_set_item (self->detail, NULL);
  gw_task_view_unselect_all (self->task_view);
  gw_task_view_set_project (self->task_view, id);
  task_id = g_hash_table_lookup (self->selected_in, id != NULL ? id : "");
  if (task_id == NULL || !gw_task_view_select (self->task_view, task_id))
    gw_task_view_scroll_to_start (self->task_view);
}

/* @project_id: (nullable): all tasks. */
void
_gw_window_show_project (GwWindow *self,
                         const char *project_id)
{
  GwProjectItem *quick = gw_project_list_get_default (self->projects);
  g_autofree char *id = NULL;

  if (project_id != NULL && quick != NULL && is_quick_id (self, project_id))
    project_id = gw_project_item_get_project_id (quick);
  id = g_strdup (project_id);
  g_clear_pointer (&self->restore_project, g_free);
  if (g_strcmp0 (self->project_id, id) != 0)
    change_project (self, id);
  update_title (self);
  gw_sidebar_set_shown (self->sidebar, id);
  _gw_window_update (self);
}

/* Returns: (nullable): the project that new tasks are to go to; NULL: by their number. */
const char *
_gw_window_get_target_project (GwWindow *self)
{
  return self->project_id != NULL && !is_quick_id (self, self->project_id) ? self->project_id
                                                                           : NULL;
}

/* --- Where the sidebar stands
 * ------------------------------------------------------------------ */

static void
set_revealed (GwWindow *self,
              gboolean revealed)
{
  if (revealed)
    gtk_widget_set_visible (GTK_WIDGET (self->sidebar), TRUE);
  adw_flap_set_reveal_flap (self->sidebar_flap, revealed);
}

/* What is not shown is hidden, so that screen readers do not find it either. */
static void
progressed_cb (GwWindow *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->sidebar),
                          adw_flap_get_reveal_flap (self->sidebar_flap)
                              || adw_flap_get_reveal_progress (self->sidebar_flap) > 0);
}

static gboolean
is_sidebar_wanted (GwWindow *self)
{
  return g_settings_get_boolean (self->settings, "sidebar-shown")
         && (self->sidebar_asked || g_list_model_get_n_items (G_LIST_MODEL (self->projects)) > 0);
}

static void
arrange_sidebar (GwWindow *self)
{
  gboolean reading = gtk_widget_get_visible (GTK_WIDGET (self->detail));
  int least = reading ? SIDEBAR_WIDTH + LIST_WIDTH + DETAIL_WIDTH : FOLD_WIDTH;
  gboolean folded = self->width > 0 && self->width < least;
  gboolean was_folded = adw_flap_get_fold_policy (self->sidebar_flap)
                        == ADW_FLAP_FOLD_POLICY_ALWAYS;

  if (folded != was_folded)
    adw_flap_set_fold_policy (self->sidebar_flap, folded ? ADW_FLAP_FOLD_POLICY_ALWAYS
                                                         : ADW_FLAP_FOLD_POLICY_NEVER);
  if (!folded)
    set_revealed (self, is_sidebar_wanted (self));
  else if (!was_folded)
    set_revealed (self, FALSE);
  adw_leaflet_set_can_unfold (self->leaflet,
                              self->width == 0 || self->width >= LIST_WIDTH + DETAIL_WIDTH);
}

/* A task is read from now on, or no more. */
void
_gw_window_projects_arrange (GwWindow *self)
{
  if (self->width > 0)
    arrange_sidebar (self);
}

static gboolean
is_sidebar_folded (GwWindow *self)
{
  return adw_flap_get_fold_policy (self->sidebar_flap) == ADW_FLAP_FOLD_POLICY_ALWAYS;
}

static gboolean
arrange_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->arrange_id = 0;
  arrange_sidebar (self);
  return G_SOURCE_REMOVE;
}

static void
size_allocate (GtkWidget *widget,
               int width,
               int height,
               int baseline)
{
  GwWindow *self = GW_WINDOW (widget);
  GtkWidgetClass *parent_class
      = GTK_WIDGET_CLASS (g_type_class_peek (ADW_TYPE_APPLICATION_WINDOW));

  parent_class->size_allocate (widget, width, height, baseline);
  /* The flap cannot come and go while sizes are being given out. */
  if (self->arranged_width != width && self->arrange_id == 0)
    {
      self->arrange_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, arrange_cb, self, NULL);
      _gw_window_queue_layout (self);
    }
  self->arranged_width = self->width = width;
}

static void
reveal_sidebar (GwWindow *self,
                gboolean reveal)
{
  self->sidebar_asked = TRUE;
  if (!is_sidebar_folded (self))
    g_settings_set_boolean (self->settings, "sidebar-shown", reveal);
  set_revealed (self, reveal);
}

/* Also by a swipe, by Escape, or by a click beside it. */
static void
revealed_cb (GwWindow *self)
{
  gboolean revealed = adw_flap_get_reveal_flap (self->sidebar_flap);
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), "show-sidebar");

  g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_boolean (revealed));
  progressed_cb (self);
  if (!is_sidebar_folded (self) && self->width > 0 && revealed != is_sidebar_wanted (self))
    {
      self->sidebar_asked = TRUE;
      g_settings_set_boolean (self->settings, "sidebar-shown", revealed);
    }
  if (!revealed && gw_sidebar_get_history (self->sidebar))
    gw_sidebar_set_history (self->sidebar, FALSE);
}

static void
show_sidebar_cb (GSimpleAction *action,
                 GVariant *state,
                 GwWindow *self)
{
  gboolean reveal = g_variant_get_boolean (state);

  reveal_sidebar (self, reveal);
  if (reveal)
    gw_sidebar_focus (self->sidebar);
}

static void
history_action (GtkWidget *widget,
                const char *name,
                GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  gboolean history = !gw_sidebar_get_history (self->sidebar)
                     || !adw_flap_get_reveal_flap (self->sidebar_flap);

  gw_sidebar_set_history (self->sidebar, history);
  if (history)
    _gw_window_project_acts_ask_keep_days (self);
  if (history && !adw_flap_get_reveal_flap (self->sidebar_flap))
    reveal_sidebar (self, TRUE);
  gw_sidebar_focus (self->sidebar);
}

/* --- What is chosen there
 * ---------------------------------------------------------------------- */

static void
show_project_cb (GwWindow *self,
                 const char *project_id,
                 const char *query)
{
  _gw_window_show_project (self, project_id);
  if (query != NULL)
    gw_task_view_start_search (self->task_view, query);
  else
    gw_task_view_stop_search (self->task_view);
}

static void
opened_cb (GwWindow *self)
{
  if (is_sidebar_folded (self))
    set_revealed (self, FALSE);
}

static void
projects_changed_cb (GwWindow *self)
{
  if (self->project_id != NULL)
    {
      GwProjectItem *quick = gw_project_list_get_default (self->projects);
      gboolean found = gw_project_list_find (self->projects, self->project_id) != NULL;

      if (!found && quick != NULL && is_quick_id (self, self->project_id))
        _gw_window_show_project (self, GW_PROJECT_DEFAULT_NAME);
      else if (!found && self->project_known)
        {
          g_autofree char *gone = g_steal_pointer (&self->project_id);

          /* Removed, or the gateway is another one for a while: then it is shown again. */
          self->project_id = g_strdup (gone);
          _gw_window_show_project (self, NULL);
          self->restore_project = g_steal_pointer (&gone);
        }
      self->project_known = self->project_known || found;
    }
  if (self->restore_project != NULL
      && gw_project_list_find (self->projects, self->restore_project) != NULL)
    {
      g_autofree char *id = g_steal_pointer (&self->restore_project);

      _gw_window_show_project (self, id);
    }
  update_title (self);
  _gw_window_project_acts_update (self);
  if (!is_sidebar_folded (self) && is_sidebar_wanted (self)
      && !adw_flap_get_reveal_flap (self->sidebar_flap))
    arrange_sidebar (self);
}

/* The filter of the last time, if there is anything to see with it. */
static void
restore_filter (GwWindow *self)
{
  g_autofree char *name = g_settings_get_string (self->settings, "last-filter");
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), "show");
  g_autoptr (GVariant) state = g_action_get_state (action);
  GwTaskStatus status;

  if (g_str_equal (g_variant_get_string (state, NULL), "all")
      && gw_task_status_from_string (name, &status)
      && gw_task_list_count_in (self->list, self->project_id, status) > 0)
    g_action_change_state (action, g_variant_new_string (name));
}

/* The counts of all tasks have changed. */
void
_gw_window_projects_update (GwWindow *self)
{
  guint counts[GW_N_TASK_STATUSES] = { 0 };
  guint i;

  for (i = 0; self->list != NULL && i < GW_N_TASK_STATUSES; i++)
    counts[i] = gw_task_list_count (self->list, i);
  gw_sidebar_set_totals (self->sidebar, counts);

  if (self->restored || self->list == NULL || !gw_task_list_is_loaded (self->list))
    return;
  self->restored = TRUE;
  restore_filter (self);
  _gw_window_project_acts_catch_up (self);
}

/* Another list, of another client perhaps; both NULL at the end. */
void
_gw_window_projects_set_list (GwWindow *self,
                              GwClient *client)
{
  _gw_window_project_acts_abandon (self);
  gw_project_list_set_source (self->projects, self->list);
  gw_sidebar_set_client (self->sidebar, client);
}

/* --- From one start to the next
 * ---------------------------------------------------------------- */

void
_gw_window_projects_save_state (GwWindow *self)
{
  g_autoptr (GVariant) filter
      = g_action_group_get_action_state (G_ACTION_GROUP (self), "show");
  const char *id = self->project_id != NULL ? self->project_id : "";

  if (self->project_id != NULL && is_quick_id (self, self->project_id))
    id = GW_PROJECT_DEFAULT_NAME;
  g_settings_set_string (self->settings, "last-project", id);
  g_settings_set_string (self->settings, "last-filter", g_variant_get_string (filter, NULL));
  _gw_window_project_acts_flush (self);
}

void
_gw_window_projects_init (GwWindow *self)
{
  g_autoptr (GSimpleAction) show_sidebar = NULL;
  g_autofree char *last = g_settings_get_string (self->settings, "last-project");

  /* The header must be as narrow as the window is going to be before it is first measured. */
  if (!g_settings_get_boolean (self->settings, "window-maximized"))
    self->width = g_settings_get_int (self->settings, "window-width");
  self->selected_in = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->projects = gw_project_list_new ();
  self->sidebar = gw_sidebar_new (self->projects);
  adw_bin_set_child (self->sidebar_bin, GTK_WIDGET (self->sidebar));
  /* Also while it is hidden, so that a swipe has a way to go. */
  gtk_widget_set_size_request (GTK_WIDGET (self->sidebar_bin), SIDEBAR_WIDTH, -1);
  g_signal_connect_object (self->sidebar, "show-project", G_CALLBACK (show_project_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->sidebar, "opened", G_CALLBACK (opened_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->sidebar, "target-changed",
                           G_CALLBACK (_gw_window_project_acts_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->projects, "changed", G_CALLBACK (projects_changed_cb), self,
                           G_CONNECT_SWAPPED);

  show_sidebar
      = g_simple_action_new_stateful ("show-sidebar", NULL, g_variant_new_boolean (FALSE));
  g_signal_connect_object (show_sidebar, "change-state", G_CALLBACK (show_sidebar_cb), self, 0);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (show_sidebar));
  adw_flap_set_locked (self->sidebar_flap, TRUE);
  adw_flap_set_fold_policy (self->sidebar_flap, ADW_FLAP_FOLD_POLICY_NEVER);
  g_signal_connect_object (self->sidebar_flap, "notify::reveal-flap", G_CALLBACK (revealed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->sidebar_flap, "notify::reveal-progress",
                           G_CALLBACK (progressed_cb), self, G_CONNECT_SWAPPED);
  progressed_cb (self);
  _gw_window_project_acts_init (self);

  if (g_str_equal (last, GW_PROJECT_DEFAULT_NAME))
    _gw_window_show_project (self, last);
  else if (last[0] != '\0')
    self->restore_project = g_steal_pointer (&last);
}

void
_gw_window_projects_dispose (GwWindow *self)
{
  g_clear_handle_id (&self->arrange_id, g_source_remove);
  _gw_window_project_acts_dispose (self);
  if (self->sidebar_flap != NULL)
    g_signal_handlers_disconnect_by_data (self->sidebar_flap, self);
  if (self->sidebar != NULL)
    g_signal_handlers_disconnect_by_data (self->sidebar, self);
  self->sidebar = NULL;
  if (self->projects != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->projects, self);
      gw_project_list_set_source (self->projects, NULL);
    }
  g_clear_object (&self->projects);
  g_clear_pointer (&self->restore_project, g_free);
  g_clear_pointer (&self->selected_in, g_hash_table_unref);
}

void
_gw_window_projects_class_init (GwWindowClass *klass)
{
  static const struct {
    const char *name;
    GtkWidgetActionActivateFunc activate;
  } actions[] = {
    { "win.history", history_action },
  };
  guint i;

  GTK_WIDGET_CLASS (klass)->size_allocate = size_allocate;
  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
  _gw_window_project_acts_class_init (klass);
  _gw_window_project_limits_class_init (klass);
}
