/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-words.h"
#include "gw-window-private.h"

/* The main window: holds the parts together and follows the endpoint. Each concern has a file of
 * its own, gw-window-*.c: actions, submit, files, projects, progress, state, life. */

#define NARROW_WIDTH 560 /* below: no room for all buttons of the header */

G_DEFINE_FINAL_TYPE (GwWindow, gw_window, ADW_TYPE_APPLICATION_WINDOW)

void
_gw_window_toast (GwWindow *self,
                  const char *text)
{
  /* A toast's title is markup on every version of libadwaita. */
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  /* Where the user looks: the preferences lie over the window. */
  if (ADW_IS_PREFERENCES_WINDOW (_gw_window_get_front (self)))
    adw_preferences_window_add_toast (ADW_PREFERENCES_WINDOW (_gw_window_get_front (self)),
                                      adw_toast_new (escaped));
  else
    {
      AdwToast *toast = adw_toast_new (escaped);

      /* Said at once; after it, what can be taken back is offered again. */
      if (self->act_toast != NULL)
        adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
      adw_toast_overlay_add_toast (self->toast_overlay, toast);
    }
}

/* @what: what did not happen, a whole sentence without its full stop. */
void
_gw_window_toast_error (GwWindow *self,
                        const char *what,
                        const GError *error)
{
  g_autofree char *why = gw_error_to_words (error);
  /* Translators: what did not happen, and why */
  g_autofree char *text = g_strdup_printf (_("%1$s: %2$s"), what, why);

  g_message ("%s: %s", what, error->message);
  _gw_window_toast (self, text);
}

static gboolean
is_detail_open (GwWindow *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self->detail));
}

static void
update_layout (GwWindow *self)
{
  gboolean folded = adw_leaflet_get_folded (self->leaflet);
  gboolean narrow = self->width > 0 && self->width < NARROW_WIDTH;
  gboolean reading = folded && is_detail_open (self)
                     && adw_leaflet_get_visible_child (self->leaflet) == GTK_WIDGET (self->detail);

  gtk_widget_set_visible (self->back_button, reading);
  gtk_widget_set_visible (self->add_button, !reading);
  /* The main menu has these as well. */
  gtk_widget_set_visible (GTK_WIDGET (self->pause_button), !reading && !narrow);
  gtk_widget_set_visible (self->save_button, !reading && !narrow);
  gtk_widget_set_visible (self->search_button, !narrow);
  gtk_widget_set_visible (self->timeline_button, !folded && !narrow);
  gtk_widget_set_visible (self->detail_separator, is_detail_open (self));
  /* On a small screen the one thing that is read gets all of it. */
  gtk_widget_set_visible (GTK_WIDGET (self->composer), !reading);
  gw_composer_set_narrow (self->composer, narrow);
}

/* The parts stand as the width and what is open say. */
static void
gw_window_update_layout (GwWindow *self)
{
  update_layout (self);
  _gw_window_projects_arrange (self);
}

static gboolean
layout_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->layout_id = 0;
  gw_window_update_layout (self);
  return G_SOURCE_REMOVE;
}

/* The leaflet folds while sizes are given out; nothing may come or go then. */
void
_gw_window_queue_layout (GwWindow *self)
{
  if (self->layout_id == 0)
    self->layout_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, layout_cb, self, NULL);
}

void
_gw_window_show_detail (GwWindow *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));

  if (gw_task_detail_get_item (self->detail) == NULL)
    return;
  gtk_widget_set_visible (GTK_WIDGET (self->detail), TRUE);
  /* Also side by side: it may be this second page for which there is no room. But there the keys
   * stay with the list. */
  adw_leaflet_set_visible_child (self->leaflet, GTK_WIDGET (self->detail));
  if (!adw_leaflet_get_folded (self->leaflet) && focus != NULL)
    gtk_window_set_focus (GTK_WINDOW (self), focus);
  gw_window_update_layout (self);
}

void
_gw_window_show_list (GwWindow *self)
{
  if (adw_leaflet_get_folded (self->leaflet)
      && adw_leaflet_get_visible_child (self->leaflet) == GTK_WIDGET (self->detail))
    {
      adw_leaflet_set_visible_child (self->leaflet, GTK_WIDGET (self->stack));
      gtk_widget_grab_focus (GTK_WIDGET (self->task_view));
    }
  else
    {
      gw_task_view_unselect_all (self->task_view);
      gw_task_detail_set_item (self->detail, NULL);
      gtk_widget_set_visible (GTK_WIDGET (self->detail), FALSE);
    }
  gw_window_update_layout (self);
  _gw_window_actions_update (self);
}

static void
selection_changed_cb (GwWindow *self)
{
  _gw_window_detail_select (self);
  gw_window_update_layout (self);
  _gw_window_timeline_selection_changed (self);
  _gw_window_actions_update (self);
}

static void
update_watch (GwWindow *self)
{
  gboolean idle = self->list != NULL && gw_task_list_is_connected (self->list)
                  && gw_task_list_count (self->list, GW_TASK_RUNNING) == 0
                  && gw_task_list_count (self->list, GW_TASK_QUEUED) > 0
                  && !_gw_window_is_paused (self);

  gw_gateway_watch_set_active (self->watch, self->progress.active
                                                || _gw_window_get_list_failure (self) != NULL);
  gw_gateway_watch_set_idle (self->watch, idle);
}

/* Everything that depends on the tasks. */
void
_gw_window_update (GwWindow *self)
{
  gboolean any = self->list != NULL && g_list_model_get_n_items (G_LIST_MODEL (self->list)) > 0;

  gtk_widget_set_visible (GTK_WIDGET (self->task_view), any);
  gtk_widget_set_visible (GTK_WIDGET (self->empty_page), !any);
  gtk_stack_set_visible_child_name (self->stack, any ? "tasks" : "empty");
  if (!any && is_detail_open (self))
    {
      gw_task_detail_set_item (self->detail, NULL);
      gtk_widget_set_visible (GTK_WIDGET (self->detail), FALSE);
      gw_window_update_layout (self);
    }
  gw_task_view_refresh (self->task_view);
  _gw_window_projects_update (self);
  _gw_window_progress_update (self);
  _gw_window_life_update (self);
  update_watch (self);
  _gw_window_compose_update (self);
  _gw_window_actions_update (self);
}

static void
list_changed_cb (GwWindow *self)
{
  GwTaskItem *shown = gw_task_detail_get_item (self->detail);

  /* What is shown may have been removed, here or by somebody else. */
  if (shown != NULL && gw_task_list_find (self->list, gw_task_item_get_task_id (shown)) == NULL)
    {
      gw_task_detail_set_item (self->detail, NULL);
      gtk_widget_set_visible (GTK_WIDGET (self->detail), FALSE);
      gw_window_update_layout (self);
    }
  _gw_window_update (self);
  _gw_window_timeline_tasks_changed (self);
  if (self->select_id != NULL && gw_task_view_select (self->task_view, self->select_id))
    g_clear_pointer (&self->select_id, g_free);
}

static void
tell_connected (GwWindow *self)
{
  if (self->was_lost && gw_endpoint_get_state (self->endpoint) == GW_ENDPOINT_READY
      && gw_task_list_is_connected (self->list))
    {
      guint left = gw_task_list_count (self->list, GW_TASK_QUEUED)
                   + gw_task_list_count (self->list, GW_TASK_RUNNING);
      g_autofree char *text = NULL;

      self->was_lost = FALSE;
      /* Other data behind the same address are no return of what was lost. */
      if (g_strcmp0 (self->lost_store, gw_task_list_get_store (self->list)) != 0)
        return;
      if (left > 0 && !_gw_window_is_paused (self))
        text = g_strdup_printf (ngettext ("Connected again. %u task resumed",
                                          "Connected again. %u tasks resumed", left),
                                left);
      _gw_window_toast (self, text != NULL ? text : _("Connected again"));
    }
}

static void
connected_cb (GwWindow *self)
{
  gw_endpoint_report_connected (self->endpoint, gw_task_list_is_connected (self->list));
  tell_connected (self);
  update_watch (self);
  _gw_window_banner_update (self);
  _gw_window_actions_update (self);
}

/* A list that never was connected fails too, and one that fails for another reason than before may
 * have lost what answered until now. */
static void
list_failed_cb (GwWindow *self)
{
  if (gw_task_list_get_error_message (self->list) != NULL)
    {
      gw_endpoint_report_connected (self->endpoint, FALSE);
      gw_gateway_watch_set_active (self->watch, TRUE);
    }
  _gw_window_banner_update (self);
  _gw_window_actions_update (self);
}

static void
set_client (GwWindow *self,
            GwClient *client)
{
  if (self->list != NULL)
    {
      g_autoptr (GwClient) old = NULL;

      g_object_get (self->list, "client", &old, NULL);
      /* The same queue once more: what is shown, selected and to be undone stays. */
      if (old == client)
        {
          gw_task_list_retry_now (self->list);
          return;
        }
      g_signal_handlers_disconnect_by_data (self->list, self);
      gw_task_list_stop (self->list);
      gw_task_view_set_list (self->task_view, NULL);
      gw_task_detail_set_item (self->detail, NULL);
      g_clear_object (&self->list);
    }
  /* Another queue is no return of the one that was lost. */
  self->was_lost = FALSE;
  gw_undo_clear (self->undo);
  memset (&self->progress, 0, sizeof self->progress);
  self->list = gw_task_list_new (client, NULL);
  g_signal_connect_object (self->list, "changed", G_CALLBACK (list_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->list, "notify::connected", G_CALLBACK (connected_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->list, "notify::error-message", G_CALLBACK (list_failed_cb), self,
                           G_CONNECT_SWAPPED);
  gw_task_view_set_list (self->task_view, self->list);
  gw_task_detail_set_client (self->detail, client);
  gw_gateway_watch_set_client (self->watch, client);
  _gw_window_timeline_source_changed (self);
  _gw_window_run_follow (self);
  _gw_window_projects_set_list (self, client);
  _gw_window_failures_follow (self);
  _gw_window_autosave_follow (self);
  gw_task_list_start (self->list);
  _gw_window_update (self);
}

static void
endpoint_changed_cb (GwWindow *self)
{
  GwEndpointState state = gw_endpoint_get_state (self->endpoint);

  if (state == GW_ENDPOINT_READY)
    {
      GwClient *client = gw_endpoint_get_client (self->endpoint);

      set_client (self, client);
      tell_connected (self);
      if (gw_endpoint_is_builtin (self->endpoint))
        _gw_window_check_recovery (self);
      _gw_window_submit_connected (self);
      _gw_window_submit_pending (self);
    }
  else if (state == GW_ENDPOINT_LOST && !self->was_lost)
    {
      self->was_lost = TRUE;
      g_free (self->lost_store);
      self->lost_store
        = g_strdup (self->list != NULL ? gw_task_list_get_store (self->list) : NULL);
    }
  if (state == GW_ENDPOINT_UNREACHABLE || state == GW_ENDPOINT_FAILED)
    _gw_window_fail_pending (self);
  if (state == GW_ENDPOINT_IDLE && self->list != NULL)
    gw_task_list_stop (self->list);
  _gw_window_banner_update (self);
  _gw_window_gateway_update (self);
  _gw_window_compose_client_changed (self);
  _gw_window_actions_update (self);
}

/**
 * gw_window_show_task:
 *
 * Opens a task that may not have been heard of yet.
 */
void
gw_window_show_task (GwWindow *self,
                     const char *task_id)
{
  g_return_if_fail (GW_IS_WINDOW (self));

  _gw_window_show_project (self, NULL);
  g_free (self->select_id);
  self->select_id = g_strdup (task_id);
  if (gw_task_view_select (self->task_view, self->select_id))
    {
      g_clear_pointer (&self->select_id, g_free);
      _gw_window_show_detail (self);
    }
}

/**
 * gw_window_search:
 *
 * Shows the tasks that have @text, in themselves or in their results.
 */
void
gw_window_search (GwWindow *self,
                  const char *text)
{
  g_return_if_fail (GW_IS_WINDOW (self));

  _gw_window_show_project (self, NULL);
  gw_task_view_start_search (self->task_view, text);
}

/**
 * gw_window_save_state:
 *
 * Writes down what the next start restores: size, and the text that was not submitted.
 */
void
gw_window_save_state (GwWindow *self)
{
  int width = 0;
  int height = 0;

  g_return_if_fail (GW_IS_WINDOW (self));

  _gw_window_projects_save_state (self);
  _gw_window_compose_save (self, TRUE);
  gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
  g_settings_set_boolean (self->settings, "window-maximized",
                          gtk_window_is_maximized (GTK_WINDOW (self)));
  if (!gtk_window_is_maximized (GTK_WINDOW (self)) && width >= 360 && height >= 294)
    {
      g_settings_set_int (self->settings, "window-width", width);
      g_settings_set_int (self->settings, "window-height", height);
    }
}

static void
gw_window_show (GtkWidget *widget)
{
  GW_WINDOW (widget)->keep_running = FALSE;
  g_clear_handle_id (&GW_WINDOW (widget)->idle_id, g_source_remove);
  GTK_WIDGET_CLASS (gw_window_parent_class)->show (widget);
}

static void
gw_window_dispose (GObject *object)
{
  GwWindow *self = GW_WINDOW (object);

  g_cancellable_cancel (self->cancellable);
  _gw_window_run_dispose (self);
  /* The parts still speak while they are taken apart. */
  if (self->task_view != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->task_view, self);
      g_signal_handlers_disconnect_by_data (self->composer, self);
      g_signal_handlers_disconnect_by_data (self->leaflet, self);
    }
  _gw_window_projects_dispose (self);
  g_clear_handle_id (&self->layout_id, g_source_remove);
  _gw_window_files_dispose (self);
  g_clear_handle_id (&self->tick_id, g_source_remove);
  _gw_window_detail_dispose (self);
  g_clear_pointer (&self->compose, _gw_compose_free);
  g_clear_handle_id (&self->idle_id, g_source_remove);
  if (self->endpoint != NULL)
    g_signal_handlers_disconnect_by_data (self->endpoint, self);
  if (self->list != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->list, self);
      gw_task_list_stop (self->list);
    }
  g_clear_object (&self->chooser);
  g_clear_object (&self->save_chooser);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_WINDOW);
  g_clear_object (&self->list);
  g_clear_object (&self->endpoint);
  g_clear_object (&self->watch);
  g_clear_object (&self->settings);
  _gw_window_undo_dispose (self);
  g_clear_object (&self->undo);
  _gw_window_menus_dispose (self);
  _gw_window_target_dispose (self);
  _gw_window_failures_dispose (self);
  _gw_window_autosave_dispose (self);
  g_clear_pointer (&self->pending, g_ptr_array_unref);
  g_clear_pointer (&self->select_id, g_free);
  g_clear_pointer (&self->project_id, g_free);
  g_clear_pointer (&self->lost_store, g_free);
  g_clear_pointer (&self->recovery, json_object_unref);
  G_OBJECT_CLASS (gw_window_parent_class)->dispose (object);
}

static void
gw_window_finalize (GObject *object)
{
  g_clear_object (&GW_WINDOW (object)->cancellable);
  G_OBJECT_CLASS (gw_window_parent_class)->finalize (object);
}

static void
gw_window_class_init (GwWindowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_window_dispose;
  object_class->finalize = gw_window_finalize;
  widget_class->show = gw_window_show;
  GTK_WINDOW_CLASS (klass)->close_request = _gw_window_close_request;

  g_type_ensure (GW_TYPE_BANNER);
  g_type_ensure (GW_TYPE_COMPOSER);
  g_type_ensure (GW_TYPE_EMPTY_PAGE);
  g_type_ensure (GW_TYPE_TASK_DETAIL);
  g_type_ensure (GW_TYPE_TASK_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-window.ui");
  gtk_widget_class_bind_template_child (widget_class, GwWindow, toast_overlay);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, back_button);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, add_button);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, search_button);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, title);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, progress_bar);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, banner);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, sidebar_flap);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, sidebar_bin);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, leaflet);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, empty_page);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, task_view);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, detail_separator);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, detail);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, timeline_revealer);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, timeline_bin);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, timeline_button);
  gtk_widget_class_bind_template_child (widget_class, GwWindow, composer);
  gtk_widget_class_bind_template_callback_full (widget_class, "gw_window_queue_layout",
                                                G_CALLBACK (_gw_window_queue_layout));
  _gw_window_actions_class_init (klass);
  _gw_window_run_class_init (klass);
  _gw_window_detail_class_init (klass);
  _gw_window_recovery_class_init (klass);
  _gw_window_list_class_init (klass);
  _gw_window_undo_class_init (klass);
  _gw_window_projects_class_init (klass);
  _gw_window_preferences_class_init (klass);
}

static void
gw_window_init (GwWindow *self)
{
  self->cancellable = g_cancellable_new ();
  self->watch = gw_gateway_watch_new ();
  g_signal_connect_object (self->watch, "changed", G_CALLBACK (_gw_window_trouble_changed), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_init_template (GTK_WIDGET (self));
  _gw_window_actions_init (self);
  _gw_window_list_init (self);
  _gw_window_undo_init (self);
  _gw_window_accept_drops (self);

  _gw_window_menus_init (self);
  _gw_window_failures_init (self);

  self->settings = g_settings_new (GW_APPLICATION_ID);
  _gw_window_autosave_init (self);
  gtk_window_set_default_size (GTK_WINDOW (self),
                               g_settings_get_int (self->settings, "window-width"),
                               g_settings_get_int (self->settings, "window-height"));
  if (g_settings_get_boolean (self->settings, "window-maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
  _gw_window_projects_init (self);
  gw_window_update_layout (self);
#if GW_DEVELOPMENT
  gtk_widget_add_css_class (GTK_WIDGET (self), "devel");
#endif

  _gw_window_timeline_init (self);
  _gw_window_run_init (self);
  g_signal_connect_object (self->task_view, "selection-changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->task_view, "open", G_CALLBACK (_gw_window_show_detail), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->task_view, "found-changed",
                           G_CALLBACK (_gw_window_detail_found_changed), self, G_CONNECT_SWAPPED);
  _gw_window_compose_init (self);
}

/**
 * gw_window_new:
 * @endpoint: not started yet, or in any state
 */
GwWindow *
gw_window_new (GtkApplication *application,
               GwEndpoint *endpoint)
{
  GwWindow *self = g_object_new (GW_TYPE_WINDOW, "application", application, NULL);

  self->endpoint = g_object_ref (endpoint);
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (endpoint_changed_cb), self,
                           G_CONNECT_SWAPPED);
  endpoint_changed_cb (self);
  _gw_window_update (self);
  gw_composer_focus (self->composer);
  return self;
}
