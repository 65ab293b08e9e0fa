/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-projects"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-project-words.h"
#include "gw-rename-popover.h"
#include "gw-task-words.h"
#include "gw-window-project-private.h"

/* What can be done with a project: with the one whose menu is open, else with the one that is
 * shown. */

GwProjectAct *
_gw_window_project_act_new (GwWindow *self,
                            const char *project_id,
                            const char *failed)
{
  GwProjectAct *act = g_new0 (GwProjectAct, 1);

  act->self = g_object_ref (self);
  act->project_id = g_strdup (project_id);
  act->failed = failed;
  return act;
}

void
_gw_window_project_act_free (GwProjectAct *act)
{
  g_object_unref (act->self);
  g_free (act->project_id);
  g_free (act);
}

/* (nullable) a gateway that knows projects */
GwClient *
_gw_window_project_get_client (GwWindow *self)
{
  GwClient *client = self->endpoint != NULL ? gw_endpoint_get_client (self->endpoint) : NULL;

  return client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY ? client : NULL;
}

/* (transfer none) (nullable) */
GwProjectItem *
_gw_window_project_get_target (GwWindow *self)
{
  const char *id = self->sidebar != NULL ? gw_sidebar_get_target (self->sidebar) : NULL;

  if (id == NULL)
    id = self->project_id;
  return id != NULL ? gw_project_list_find (self->projects, id) : NULL;
}

static void
acted_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwProjectAct) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (answer == NULL && !g_cancellable_is_cancelled (act->self->cancellable))
    _gw_window_toast_error (act->self, act->failed, error);
}

static void
call_verb (GwWindow *self,
           const char *verb,
           const char *failed)
{
  GwProjectItem *item = _gw_window_project_get_target (self);
  GwClient *client = _gw_window_project_get_client (self);
  g_autofree char *path = NULL;
  const char *id;

  if (item == NULL || client == NULL)
    return;
  id = gw_project_item_get_project_id (item);
  path = gw_client_build_path ("projects", id, verb, NULL);
  gw_client_call_async (client, "POST", path, NULL, self->cancellable, acted_cb,
                        _gw_window_project_act_new (self, id, failed));
}

static void
pause_project_action (GtkWidget *widget,
                      const char *name,
                      GVariant *parameter)
{
  call_verb (GW_WINDOW (widget), "pause", _("Not paused"));
}

/* A limit that is reached stops a project for as long as it has that limit. */
static void
resume_without_limit (GwWindow *self,
                      const char *id)
{
  GwClient *client = _gw_window_project_get_client (self);
  g_autoptr (JsonObject) body = NULL;
  g_autofree char *path = NULL;

  if (client == NULL)
    return;
  body = json_object_new ();
  json_object_set_boolean_member (body, "paused", FALSE);
  json_object_set_null_member (body, "token_limit");
  path = gw_client_build_path ("projects", id, NULL);
  gw_client_call_async (client, "PATCH", path, body, self->cancellable, acted_cb,
                        _gw_window_project_act_new (self, id, _("Not resumed")));
  _gw_window_toast (self, _("Resumed without its token limit"));
}

static void
resume_project_action (GtkWidget *widget,
                       const char *name,
                       GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = _gw_window_project_get_target (self);

  if (item != NULL && gw_project_is_spent (gw_project_item_get_project (item)))
    resume_without_limit (self, gw_project_item_get_project_id (item));
  else
    call_verb (self, "resume", _("Not resumed"));
}

static void
stop_project_action (GtkWidget *widget,
                     const char *name,
                     GVariant *parameter)
{
  call_verb (GW_WINDOW (widget), "cancel", _("Not stopped"));
}

static void
save_project_action (GtkWidget *widget,
                     const char *name,
                     GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = _gw_window_project_get_target (self);

  if (item != NULL)
    _gw_window_save_project (self, gw_project_item_get_project_id (item));
}

static void
one_at_a_time_cb (GSimpleAction *action,
                  GVariant *state,
                  GwWindow *self)
{
  GwProjectItem *item = _gw_window_project_get_target (self);
  GwClient *client = _gw_window_project_get_client (self);
  g_autofree char *path = NULL;
  g_autoptr (JsonObject) body = NULL;
  const char *id;

  if (item == NULL || client == NULL)
    return;
  id = gw_project_item_get_project_id (item);
  body = json_object_new ();
  if (g_variant_get_boolean (state))
    json_object_set_int_member (body, "concurrency", 1);
  else
    json_object_set_null_member (body, "concurrency");
  path = gw_client_build_path ("projects", id, NULL);
  /* The state follows when the gateway tells of it. */
  gw_client_call_async (client, "PATCH", path, body, self->cancellable, acted_cb,
                        _gw_window_project_act_new (self, id, _("Not changed")));
}

/* --- Rename
 * ------------------------------------------------------------------------------------ */

static void
renamed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwProjectAct) act = user_data;
  GwWindow *self = act->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable) || !GW_IS_RENAME_POPOVER (self->project_popover))
    return;
  if (answer != NULL)
    gtk_popover_popdown (GTK_POPOVER (self->project_popover));
  else if (g_error_matches (error, GW_ERROR, GW_ERROR_CONFLICT))
    gw_rename_popover_fail (GW_RENAME_POPOVER (self->project_popover),
                            _("Another project has this name. Choose a different one."));
  else
    {
      g_autofree char *why = gw_error_to_words (error);

      gw_rename_popover_fail (GW_RENAME_POPOVER (self->project_popover), why);
    }
}

static void
rename_cb (GwRenamePopover *popover,
           const char *name,
           GwWindow *self)
{
  const char *id = g_object_get_data (G_OBJECT (popover), "project-id");
  GwProjectItem *other = gw_project_list_find_name (self->projects, name);
  GwClient *client = _gw_window_project_get_client (self);
  g_autoptr (JsonObject) body = NULL;
  g_autofree char *path = NULL;

  if (client == NULL)
    {
      gw_rename_popover_fail (popover, _("The gateway does not answer. Try again when it does."));
      return;
    }
  if (other != NULL && g_strcmp0 (gw_project_item_get_project_id (other), id) != 0)
    {
      gw_rename_popover_fail (popover, _("Another project has this name. Choose a different one."));
      return;
    }
  if (g_utf8_strlen (name, -1) > GW_PROJECT_MAX_NAME)
    {
      g_autofree char *why = g_strdup_printf (ngettext ("A name has at most %d character.",
                                                        "A name has at most %d characters.",
                                                        GW_PROJECT_MAX_NAME),
                                              GW_PROJECT_MAX_NAME);

      gw_rename_popover_fail (popover, why);
      return;
    }
  if (!gw_project_check_name (name, NULL))
    {
      gw_rename_popover_fail (popover, _("This looks like the id of a project. Choose a name."));
      return;
    }
  body = json_object_new ();
  json_object_set_string_member (body, "name", name);
  path = gw_client_build_path ("projects", id, NULL);
  gw_client_call_async (client, "PATCH", path, body, self->cancellable, renamed_cb,
                        _gw_window_project_act_new (self, id, NULL));
}

static void
drop_popover (GwWindow *self)
{
  g_clear_handle_id (&self->popover_id, g_source_remove);
  g_clear_pointer (&self->project_popover, gtk_widget_unparent);
}

static gboolean
drop_popover_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->popover_id = 0;
  drop_popover (self);
  return G_SOURCE_REMOVE;
}

/* It is still being closed. */
static void
popover_closed_cb (GwWindow *self)
{
  if (self->popover_id == 0)
    self->popover_id = g_idle_add (drop_popover_cb, self);
}

/* @popover: (transfer floating): shown at @item in the sidebar, else under its name in the header. */
void
_gw_window_project_show_popover (GwWindow *self,
                                 GtkWidget *popover,
                                 GwProjectItem *item)
{
  const char *id = gw_project_item_get_project_id (item);
  GtkWidget *parent = GTK_WIDGET (self->sidebar);
  GdkRectangle bounds = { 0 };
  gboolean beside = adw_flap_get_reveal_flap (self->sidebar_flap)
                    && gw_sidebar_get_bounds (self->sidebar, id, &bounds);

  drop_popover (self);
  if (!beside)
    parent = GTK_WIDGET (self->title);
  self->project_popover = popover;
  g_object_set_data_full (G_OBJECT (popover), "project-id", g_strdup (id), g_free);
  g_signal_connect_object (popover, "closed", G_CALLBACK (popover_closed_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_set_parent (popover, parent);
  gtk_popover_set_position (GTK_POPOVER (popover), GTK_POS_BOTTOM);
  if (beside)
    gtk_popover_set_pointing_to (GTK_POPOVER (popover), &bounds);
  gtk_popover_popup (GTK_POPOVER (popover));
}

static void
rename_project_action (GtkWidget *widget,
                       const char *name,
                       GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = _gw_window_project_get_target (self);
  GtkWidget *popover;

  if (item == NULL)
    return;
  popover = gw_rename_popover_new (gw_project_item_get_project (item)->name);
  g_signal_connect_object (popover, "rename", G_CALLBACK (rename_cb), self, 0);
  _gw_window_project_show_popover (self, popover, item);
}

/* ---------------------------------------------------------------------------------------------- */

void
_gw_window_project_acts_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GAction *serial = g_action_map_lookup_action (G_ACTION_MAP (self), "project-one-at-a-time");
  gboolean known = _gw_window_project_get_client (self) != NULL;
  gboolean ours = known && _gw_window_gateway_answers (self);
  GwProjectItem *item = _gw_window_project_get_target (self);
  GwProject *project = item != NULL ? gw_project_item_get_project (item) : NULL;
  gboolean named = project != NULL && !gw_project_is_quick (project);
  guint64 left = project != NULL ? gw_project_count_unfinished (project) : 0;
  gboolean paused = project != NULL && (project->paused || project->held);

  gtk_widget_action_set_enabled (widget, "win.rename-project", ours && named);
  gtk_widget_action_set_enabled (widget, "win.save-project", project != NULL);
  gtk_widget_action_set_enabled (widget, "win.remove-project", ours && named);
  gtk_widget_action_set_enabled (widget, "win.pause-project", ours && left > 0 && !paused);
  gtk_widget_action_set_enabled (widget, "win.resume-project", ours && paused);
  gtk_widget_action_set_enabled (widget, "win.stop-project", ours && left > 0);
  _gw_window_project_limits_update (self);
  gtk_widget_action_set_enabled (widget, "win.history", known);
  gtk_widget_action_set_enabled (widget, "win.delete-history",
                                 ours && _gw_window_project_has_history (self));
  g_simple_action_set_enabled (G_SIMPLE_ACTION (serial), ours && project != NULL);
  g_simple_action_set_state (G_SIMPLE_ACTION (serial),
                             g_variant_new_boolean (project != NULL && project->concurrency == 1));
}

void
_gw_window_project_acts_init (GwWindow *self)
{
  g_autoptr (GSimpleAction) serial = g_simple_action_new_stateful ("project-one-at-a-time", NULL,
                                                                   g_variant_new_boolean (FALSE));

  g_signal_connect_object (serial, "change-state", G_CALLBACK (one_at_a_time_cb), self, 0);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (serial));
}

void
_gw_window_project_acts_dispose (GwWindow *self)
{
  if (self->removing_toast != NULL)
    g_signal_handlers_disconnect_by_data (self->removing_toast, self);
  g_clear_object (&self->removing_toast);
  g_clear_handle_id (&self->removing_timer_id, g_source_remove);
  g_clear_handle_id (&self->settle_id, g_source_remove);
  self->settled = NULL;
  g_clear_pointer (&self->removing_id, g_free);
  drop_popover (self);
}

void
_gw_window_project_acts_class_init (GwWindowClass *klass)
{
  static const struct {
    const char *name;
    GtkWidgetActionActivateFunc activate;
  } actions[] = {
    { "win.rename-project", rename_project_action },
    { "win.save-project", save_project_action },
    { "win.pause-project", pause_project_action },
    { "win.resume-project", resume_project_action },
    { "win.stop-project", stop_project_action },
    { "win.remove-project", _gw_window_project_remove_project_action },
    { "win.delete-history", _gw_window_project_delete_history_action },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
}
