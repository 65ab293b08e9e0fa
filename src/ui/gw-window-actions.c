/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-actions"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-help-window.h"
#include "gw-verbs.h"
#include "gw-window-private.h"

/* What the verbs of the window do, and when they can be done: one function decides that for menu,
 * button and key alike. What is done to tasks stands in gw-window-tasks.c, -copy.c and
 * -export.c. */

static void
copy (GwWindow *self,
      const char *text,
      const char *said)
{
  if (text == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text);
  _gw_window_toast (self, said);
}

static void
copy_address_action (GtkWidget *widget,
                     const char *name,
                     GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  copy (self, gw_endpoint_get_uri (self->endpoint), _("Address copied"));
}

static void
run_action (GtkWidget *widget,
            const char *name,
            GVariant *parameter)
{
  gw_composer_run (GW_WINDOW (widget)->composer);
}

static void
new_task_action (GtkWidget *widget,
                 const char *name,
                 GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  if (!gtk_widget_get_visible (GTK_WIDGET (self->composer)))
    _gw_window_show_list (self);
  gw_composer_focus (self->composer);
}

static void
import_action (GtkWidget *widget,
               const char *name,
               GVariant *parameter)
{
  _gw_window_choose_files (GW_WINDOW (widget));
}

static void
paste_tasks_action (GtkWidget *widget,
                    const char *name,
                    GVariant *parameter)
{
  _gw_window_paste (GW_WINDOW (widget));
}

static void
back_action (GtkWidget *widget,
             const char *name,
             GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  /* One thing after the other: what was searched last goes first. */
  if (!gw_task_view_stop_search (self->task_view))
    _gw_window_show_list (self);
}

static void
close_action (GtkWidget *widget,
              const char *name,
              GVariant *parameter)
{
  gtk_window_close (GTK_WINDOW (widget));
}

static void
reconnect_action (GtkWidget *widget,
                  const char *name,
                  GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  gw_endpoint_retry_now (self->endpoint);
  gw_gateway_watch_ask_now (self->watch);
  if (self->list != NULL)
    gw_task_list_retry_now (self->list);
}

static void
use_builtin_action (GtkWidget *widget,
                    const char *name,
                    GVariant *parameter)
{
  gw_endpoint_use_builtin (GW_WINDOW (widget)->endpoint);
}

static void
show_help_overlay_action (GtkWidget *widget,
                          const char *name,
                          GVariant *parameter)
{
  GtkShortcutsWindow *shortcuts = gw_verbs_new_shortcuts_window ();

  gtk_window_set_transient_for (GTK_WINDOW (shortcuts), GTK_WINDOW (widget));
  gtk_window_present (GTK_WINDOW (shortcuts));
}

static void
help_action (GtkWidget *widget,
             const char *name,
             GVariant *parameter)
{
  gtk_window_present (gw_help_window_new (GTK_WINDOW (widget)));
}

static void
show_cb (GSimpleAction *action,
         GVariant *state,
         gpointer user_data)
{
  GwWindow *self = user_data;

  if (gw_task_view_set_filter (self->task_view, g_variant_get_string (state, NULL)))
    {
      g_simple_action_set_state (action, state);
      gw_task_view_refresh (self->task_view);
    }
}

/* ---------------------------------------------------------------------------------------------- */

void
_gw_window_actions_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GwEndpointState state;

  if (self->endpoint == NULL)
    return;
  _gw_window_project_acts_update (self);
  state = gw_endpoint_get_state (self->endpoint);
  _gw_window_tasks_update (self);
  _gw_window_copy_update (self);
  _gw_window_export_update (self);
  _gw_window_menus_update (self);

  _gw_window_recovery_update (self);
  _gw_window_detail_update (self);
  gtk_widget_action_set_enabled (widget, "win.run", gw_composer_can_run (self->composer));
  gtk_widget_action_set_enabled (widget, "win.back",
                                 gtk_widget_get_visible (GTK_WIDGET (self->detail))
                                     || gw_task_view_is_searching (self->task_view));
  gtk_widget_action_set_enabled (widget, "win.copy-address",
                                 gw_endpoint_get_uri (self->endpoint) != NULL);
  gtk_widget_action_set_enabled (widget, "win.reconnect",
                                 state == GW_ENDPOINT_LOST || state == GW_ENDPOINT_UNREACHABLE
                                     || state == GW_ENDPOINT_FAILED
                                     || _gw_window_get_list_failure (self) != NULL
                                     || gw_gateway_watch_get_trouble (self->watch)
                                            != GW_TROUBLE_NONE);
  gtk_widget_action_set_enabled (widget, "win.use-builtin",
                                 state == GW_ENDPOINT_LOST || state == GW_ENDPOINT_UNREACHABLE);
  _gw_window_list_update (self);
}

void
_gw_window_actions_class_init (GwWindowClass *klass)
{
  static const struct {
    const char *name;
    GtkWidgetActionActivateFunc activate;
  } actions[] = {
    { "win.run", run_action },
    { "win.new-task", new_task_action },
    { "win.import", import_action },
    { "win.paste-tasks", paste_tasks_action },
    { "win.copy-address", copy_address_action },
    { "win.back", back_action },
    { "win.close", close_action },
    { "win.reconnect", reconnect_action },
    { "win.use-builtin", use_builtin_action },
    { "win.help", help_action },
    { "win.show-help-overlay", show_help_overlay_action },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
  _gw_window_tasks_class_init (klass);
  _gw_window_copy_class_init (klass);
  _gw_window_export_class_init (klass);
  _gw_window_autosave_class_init (klass);
  _gw_window_menus_class_init (klass);
}

void
_gw_window_actions_init (GwWindow *self)
{
  g_autoptr (GSimpleAction) show
      = g_simple_action_new_stateful ("show", G_VARIANT_TYPE_STRING, g_variant_new_string ("all"));

  g_signal_connect_object (show, "change-state", G_CALLBACK (show_cb), self, 0);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (show));
}
