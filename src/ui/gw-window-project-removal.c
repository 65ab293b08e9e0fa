/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-projects"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-project-words.h"
#include "gw-window-project-private.h"

/* Removing a project, at once for the eye and later for the gateway. It is gone there when its
 * toast is over, or would be had it not made room for that of another act, with the next removal,
 * or when the window closes: until then it can be taken back whole. Should the program die in
 * between, the project is still there. */

#define UNDO_SECONDS 10
#define SETTLE_MS 1000

static void
unhide (GwWindow *self,
        const char *project_id)
{
  gw_project_list_unhide (self->projects, project_id);
  if (self->list != NULL)
    gw_task_list_unhide_project (self->list, project_id);
  if (self->removing_id == NULL)
    gw_task_view_set_hidden_project (self->task_view, NULL);
  _gw_window_update (self);
}

static void
settle (GwWindow *self)
{
  GSourceFunc done = self->settled;

  g_clear_handle_id (&self->settle_id, g_source_remove);
  self->settled = NULL;
  if (done != NULL)
    done (self->settled_data);
}

static gboolean
settle_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->settle_id = 0;
  settle (self);
  return G_SOURCE_REMOVE;
}

/**
 * gw_window_settle:
 * @done: called once, soon: with the answer of what was asked for last, or without it
 *
 * Before the end: lets what was removed be removed.
 */
void
gw_window_settle (GwWindow *self,
                  GSourceFunc done,
                  gpointer data)
{
  g_return_if_fail (GW_IS_WINDOW (self));

  self->settled = done;
  self->settled_data = data;
  if (self->removals == 0)
    settle (self);
  else if (self->settle_id == 0)
    {
      self->settle_id = g_timeout_add (SETTLE_MS, settle_cb, self);
      g_source_set_name_by_id (self->settle_id, "[gangway] last removal");
    }
}

static void deleted_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
send_delete (GwWindow *self,
             GwClient *client,
             const char *project_id)
{
  g_autofree char *path = gw_client_build_path ("projects", project_id, NULL);

  self->removals++;
  /* Without the window's cancellable: it may be the last that the window asks for. */
  gw_client_call_async (client, "DELETE", path, NULL, NULL, deleted_cb,
                        _gw_window_project_act_new (self, project_id, NULL));
}

static void
deleted_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwProjectAct) act = user_data;
  GwWindow *self = act->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);
  gboolean gone = answer != NULL || g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_autofree char *noted = NULL;

  self->removals--;
  if (self->settings != NULL)
    {
      noted = g_settings_get_string (self->settings, "removed-project");
      if (gone && g_str_equal (noted, act->project_id))
        g_settings_set_string (self->settings, "removed-project", "");
    }
  if (self->removals == 0)
    settle (self);
  if (g_cancellable_is_cancelled (self->cancellable) || self->projects == NULL)
    return;
  if (gone)
    {
      /* The change feed takes it out for good; what it hides until then is nothing any more. */
      return;
    }
  unhide (self, act->project_id);
  if (g_error_matches (error, GW_ERROR, GW_ERROR_CONFLICT))
    _gw_window_toast (self, _("Not removed: tasks of the project are running. Stop it first"));
  else
    _gw_window_toast_error (self, _("Not removed"), error);
}

static void toast_clicked_cb (AdwToast *toast, GwWindow *self);
static void toast_dismissed_cb (AdwToast *toast, GwWindow *self);

static void
drop_toast (GwWindow *self,
            gboolean dismiss)
{
  g_autoptr (AdwToast) toast = g_steal_pointer (&self->removing_toast);

  g_clear_handle_id (&self->removing_timer_id, g_source_remove);
  if (toast == NULL)
    return;
  g_signal_handlers_disconnect_by_func (toast, toast_clicked_cb, self);
  g_signal_handlers_disconnect_by_func (toast, toast_dismissed_cb, self);
  if (dismiss)
    adw_toast_dismiss (toast);
}

/* The time to take it back is over. */
void
_gw_window_project_finish_removal (GwWindow *self)
{
  g_autofree char *id = g_steal_pointer (&self->removing_id);
  GwClient *client = _gw_window_project_get_client (self);

  drop_toast (self, TRUE);
  if (id == NULL)
    return;
  if (client == NULL)
    {
      unhide (self, id);
      _gw_window_toast (self, _("Not removed: the gateway does not answer"));
      return;
    }
  send_delete (self, client, id);
}

static gboolean
time_over_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->removing_timer_id = 0;
  _gw_window_project_finish_removal (self);
  return G_SOURCE_REMOVE;
}

static void
toast_dismissed_cb (AdwToast *toast,
                    GwWindow *self)
{
  drop_toast (self, FALSE);
  if (!_gw_window_is_toast_superseded (toast))
    {
      _gw_window_project_finish_removal (self);
      return;
    }
  self->removing_timer_id = g_timeout_add_seconds (UNDO_SECONDS, time_over_cb, self);
  g_source_set_name_by_id (self->removing_timer_id, "[gangway] time to take a removal back");
}

static void
take_back_removal (GwWindow *self)
{
  g_autofree char *id = g_steal_pointer (&self->removing_id);

  drop_toast (self, TRUE);
  if (id != NULL)
    unhide (self, id);
}

static void
toast_clicked_cb (AdwToast *toast,
                  GwWindow *self)
{
  guint64 *id = g_object_get_data (G_OBJECT (toast), "gw-act");

  /* The button must keep its word also where another act is under way. */
  gw_undo_take_back (self->undo, *id);
  take_back_removal (self);
}

static char *
dup_title (GwWindow *self,
           const char *project_id)
{
  GwProject *project
      = self->list != NULL ? gw_task_list_find_project (self->list, project_id) : NULL;

  return g_strdup (project != NULL ? gw_project_words_title (project) : "");
}

static void
hide (GwWindow *self,
      const char *project_id,
      guint64 undo_id)
{
  g_autofree char *title = dup_title (self, project_id);
  /* Translators: %s is the name of a project */
  g_autofree char *text = g_strdup_printf (_("“%s” removed"), title);
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  _gw_window_project_finish_removal (self);
  self->removing_id = g_strdup (project_id);
  gw_task_view_set_hidden_project (self->task_view, project_id);
  gw_project_list_hide (self->projects, project_id);
  if (self->list != NULL)
    gw_task_list_hide_project (self->list, project_id);

  self->removing_toast = adw_toast_new (escaped);
  adw_toast_set_button_label (self->removing_toast, _("_Undo"));
  g_object_set_data_full (G_OBJECT (self->removing_toast), "gw-act",
                          g_memdup2 (&undo_id, sizeof undo_id), g_free);
  g_signal_connect_object (self->removing_toast, "button-clicked", G_CALLBACK (toast_clicked_cb),
                           self, 0);
  g_signal_connect_object (self->removing_toast, "dismissed", G_CALLBACK (toast_dismissed_cb),
                           self, 0);
  _gw_window_show_act_toast (self, g_object_ref (self->removing_toast), undo_id);
  _gw_window_update (self);
}

static void
undo_removal (gpointer owner,
              gpointer data)
{
  GwWindow *self = owner;

  if (g_strcmp0 (self->removing_id, data) == 0)
    {
      take_back_removal (self);
      gw_undo_finished (self->undo, GW_UNDO_DONE);
      return;
    }
  if (gw_project_list_find (self->projects, data) != NULL)
    {
      /* The toast's button has not waited for what was under way. */
      gw_undo_finished (self->undo, GW_UNDO_DONE);
      return;
    }
  _gw_window_toast (self, _("The project cannot be restored: it was deleted"));
  gw_undo_finished (self->undo, GW_UNDO_GONE);
}

static gboolean
can_remove_at_once (const GwProject *project)
{
  return gw_project_count_unfinished (project) == 0
         || (project->paused && project->counts[GW_TASK_RUNNING] == 0);
}

static void
redo_removal (gpointer owner,
              gpointer data)
{
  GwWindow *self = owner;
  /* What is under way may go as soon as it has ended. */
  g_autofree char *project_id = g_strdup (data);
  GwProjectItem *item = gw_project_list_find (self->projects, project_id);
  guint64 id;

  if (item == NULL || !can_remove_at_once (gw_project_item_get_project (item)))
    {
      gw_undo_finished (self->undo, GW_UNDO_GONE);
      return;
    }
  id = gw_undo_get_current_id (self->undo);
  gw_undo_finished (self->undo, GW_UNDO_DONE);
  hide (self, project_id, id);
}

static void
begin_removal (GwWindow *self,
               const char *project_id)
{
  g_autofree char *title = dup_title (self, project_id);
  /* Translators: the name of an act; %s is the name of a project */
  g_autofree char *label = g_strdup_printf (_("Remove “%s”"), title);
  guint64 id = gw_undo_push (self->undo, label, redo_removal, undo_removal, g_strdup (project_id),
                             g_free);

  hide (self, project_id, id);
}

static void
stopped_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwProjectAct) act = user_data;
  GwWindow *self = act->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (answer == NULL)
    _gw_window_toast_error (self, _("Not stopped"), error);
  else if (gw_project_list_find (self->projects, act->project_id) != NULL)
    begin_removal (self, act->project_id);
}

static void
stop_answered_cb (AdwMessageDialog *dialog,
                  const char *response,
                  GwWindow *self)
{
  const char *id = g_object_get_data (G_OBJECT (dialog), "project-id");
  GwClient *client = _gw_window_project_get_client (self);
  g_autofree char *path = NULL;

  self->dialog = NULL;
  if (!g_str_equal (response, "stop") || client == NULL)
    return;
  path = gw_client_build_path ("projects", id, "cancel", NULL);
  gw_client_call_async (client, "POST", path, NULL, self->cancellable, stopped_cb,
                        _gw_window_project_act_new (self, id, NULL));
}

/* It has something to do yet: to remove it is to stop it first, which cannot be taken back. */
static void
ask_to_stop (GwWindow *self,
             const GwProject *project)
{
  guint running = (guint) project->counts[GW_TASK_RUNNING];
  guint left = (guint) gw_project_count_unfinished (project);
  /* Translators: %s is the name of a project */
  g_autofree char *heading = g_strdup_printf (_("“%s” Is Not Finished"), project->name);
  g_autofree char *first
      = running > 0 ? g_strdup_printf (ngettext ("%'u task is running.", "%'u tasks are running.",
                                                 running),
                                       running)
                    : g_strdup_printf (ngettext ("%'u task is queued.", "%'u tasks are queued.",
                                                 left),
                                       left);
  AdwMessageDialog *dialog;

  if (self->dialog != NULL)
    gtk_window_destroy (GTK_WINDOW (self->dialog));
  dialog = ADW_MESSAGE_DIALOG (gw_compat_message_dialog_new (GTK_WINDOW (self), heading, NULL));
  adw_message_dialog_format_body (dialog, "%s %s", first,
                                  _("Stop the project before it is removed. What was not "
                                    "answered by then stays unanswered."));
  adw_message_dialog_add_responses (dialog, "cancel", _("_Cancel"), "stop",
                                    _("_Stop and Remove"), NULL);
  adw_message_dialog_set_response_appearance (dialog, "stop", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (dialog, "cancel");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "project-id", g_strdup (project->project_id), g_free);
  g_signal_connect_object (dialog, "response", G_CALLBACK (stop_answered_cb), self, 0);
  self->dialog = GTK_WIDGET (dialog);
  gtk_window_present (GTK_WINDOW (dialog));
}

void
_gw_window_project_remove_project_action (GtkWidget *widget,
                                          const char *name,
                                          GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = _gw_window_project_get_target (self);
  GwProject *project;

  if (item == NULL || _gw_window_project_get_client (self) == NULL)
    return;
  project = gw_project_item_get_project (item);
  if (can_remove_at_once (project))
    begin_removal (self, project->project_id);
  else
    ask_to_stop (self, project);
}

/* The window goes: what was removed is removed. If the gateway does not come to it any more, the
 * next start does. */
void
_gw_window_project_acts_flush (GwWindow *self)
{
  if (self->removing_id == NULL)
    return;
  g_settings_set_string (self->settings, "removed-project", self->removing_id);
  _gw_window_project_finish_removal (self);
}

/* What the last window had removed and could not tell any more. */
void
_gw_window_project_acts_catch_up (GwWindow *self)
{
  g_autofree char *id = g_settings_get_string (self->settings, "removed-project");
  GwProjectItem *item = id[0] != '\0' ? gw_project_list_find (self->projects, id) : NULL;
  GwClient *client = _gw_window_project_get_client (self);

  if (item == NULL || client == NULL || self->removing_id != NULL)
    return;
  g_settings_set_string (self->settings, "removed-project", "");
  if (!can_remove_at_once (gw_project_item_get_project (item)))
    return;
  gw_project_list_hide (self->projects, id);
  gw_task_list_hide_project (self->list, id);
  gw_task_view_set_hidden_project (self->task_view, id);
  send_delete (self, client, id);
}

/* Another gateway: what was not removed yet is not removed. */
void
_gw_window_project_acts_abandon (GwWindow *self)
{
  take_back_removal (self);
}
