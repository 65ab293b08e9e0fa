/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-projects"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-project-words.h"
#include "gw-rename-popover.h"
#include "gw-task-words.h"
#include "gw-window-private.h"

/* What can be done with a project: with the one whose menu is open, else with the one that is shown.
 *
 * A project that is removed is gone for the eye at once, and for the gateway when its toast is over,
 * with the next removal, or when the window closes: until then it can be taken back whole. Should
 * the program die in between, the project is still there. */

#define UNDO_SECONDS 10
#define SETTLE_MS 1000

typedef struct {
  GwWindow *self;     /* (owned) */
  char *project_id;   /* (owned) */
  const char *failed; /* (nullable) translated: what did not happen */
} Act;

static Act *
act_new (GwWindow *self, const char *project_id, const char *failed)
{
  Act *act = g_new0 (Act, 1);

  act->self = g_object_ref (self);
  act->project_id = g_strdup (project_id);
  act->failed = failed;
  return act;
}

static void
act_free (Act *act)
{
  g_object_unref (act->self);
  g_free (act->project_id);
  g_free (act);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Act, act_free)

/* (nullable) a gateway that knows projects */
static GwClient *
get_client (GwWindow *self)
{
  GwClient *client = self->endpoint != NULL ? gw_endpoint_get_client (self->endpoint) : NULL;

  return client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY ? client : NULL;
}

/* (transfer none) (nullable) */
static GwProjectItem *
get_target (GwWindow *self)
{
  const char *id = self->sidebar != NULL ? gw_sidebar_get_target (self->sidebar) : NULL;

  if (id == NULL)
    id = self->project_id;
  return id != NULL ? gw_project_list_find (self->projects, id) : NULL;
}

static void
acted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (answer == NULL && !g_cancellable_is_cancelled (act->self->cancellable))
    _gw_window_toast_error (act->self, act->failed, error);
}

static void
call_verb (GwWindow *self, const char *verb, const char *failed)
{
  GwProjectItem *item = get_target (self);
  GwClient *client = get_client (self);
  g_autofree char *path = NULL;
  const char *id;

  if (item == NULL || client == NULL)
    return;
  id = gw_project_item_get_project_id (item);
  path = gw_client_build_path ("projects", id, verb, NULL);
  gw_client_call_async (client, "POST", path, NULL, self->cancellable, acted_cb,
                        act_new (self, id, failed));
}

static void
pause_project_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  call_verb (GW_WINDOW (widget), "pause", _("Not paused"));
}

static void
resume_project_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  call_verb (GW_WINDOW (widget), "resume", _("Not resumed"));
}

static void
stop_project_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  call_verb (GW_WINDOW (widget), "cancel", _("Not stopped"));
}

static void
save_project_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = get_target (self);

  if (item != NULL)
    _gw_window_save_project (self, gw_project_item_get_project_id (item));
}

static void
one_at_a_time_cb (GSimpleAction *action, GVariant *state, GwWindow *self)
{
  GwProjectItem *item = get_target (self);
  GwClient *client = get_client (self);
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
                        act_new (self, id, _("Not changed")));
}

/* --- Rename ------------------------------------------------------------------------------------ */

static void
renamed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  GwWindow *self = act->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable) || self->rename_popover == NULL)
    return;
  if (answer != NULL)
    gtk_popover_popdown (GTK_POPOVER (self->rename_popover));
  else if (g_error_matches (error, GW_ERROR, GW_ERROR_CONFLICT))
    gw_rename_popover_fail (GW_RENAME_POPOVER (self->rename_popover),
                            _("Another project has this name. Choose a different one."));
  else
    {
      g_autofree char *why = gw_error_to_words (error);

      gw_rename_popover_fail (GW_RENAME_POPOVER (self->rename_popover), why);
    }
}

static void
rename_cb (GwRenamePopover *popover, const char *name, GwWindow *self)
{
  const char *id = g_object_get_data (G_OBJECT (popover), "project-id");
  GwProjectItem *other = gw_project_list_find_name (self->projects, name);
  GwClient *client = get_client (self);
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
                        act_new (self, id, NULL));
}

static void
drop_popover (GwWindow *self)
{
  g_clear_handle_id (&self->popover_id, g_source_remove);
  g_clear_pointer (&self->rename_popover, gtk_widget_unparent);
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

static void
rename_project_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = get_target (self);
  GtkWidget *parent = GTK_WIDGET (self->sidebar);
  GdkRectangle bounds = { 0 };
  gboolean beside = FALSE;

  if (item == NULL)
    return;
  drop_popover (self);
  beside = adw_flap_get_reveal_flap (self->sidebar_flap)
           && gw_sidebar_get_bounds (self->sidebar, gw_project_item_get_project_id (item), &bounds);
  /* Else under its name in the header. */
  if (!beside)
    parent = GTK_WIDGET (self->title);
  self->rename_popover = gw_rename_popover_new (gw_project_item_get_project (item)->name);
  g_object_set_data_full (G_OBJECT (self->rename_popover), "project-id",
                          g_strdup (gw_project_item_get_project_id (item)), g_free);
  g_signal_connect_object (self->rename_popover, "rename", G_CALLBACK (rename_cb), self, 0);
  g_signal_connect_object (self->rename_popover, "closed", G_CALLBACK (popover_closed_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_set_parent (self->rename_popover, parent);
  gtk_popover_set_position (GTK_POPOVER (self->rename_popover), GTK_POS_BOTTOM);
  if (beside)
    gtk_popover_set_pointing_to (GTK_POPOVER (self->rename_popover), &bounds);
  gtk_popover_popup (GTK_POPOVER (self->rename_popover));
}

/* --- Remove ------------------------------------------------------------------------------------ */

static void
unhide (GwWindow *self, const char *project_id)
{
  gw_project_list_unhide (self->projects, project_id);
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
gw_window_settle (GwWindow *self, GSourceFunc done, gpointer data)
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
send_delete (GwWindow *self, GwClient *client, const char *project_id)
{
  g_autofree char *path = gw_client_build_path ("projects", project_id, NULL);

  self->removals++;
  /* Without the window's cancellable: it may be the last that the window asks for. */
  gw_client_call_async (client, "DELETE", path, NULL, NULL, deleted_cb,
                        act_new (self, project_id, NULL));
}

static void
deleted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Act) act = user_data;
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

static void
drop_toast (GwWindow *self, gboolean dismiss)
{
  g_autoptr (AdwToast) toast = g_steal_pointer (&self->removing_toast);

  if (toast == NULL)
    return;
  g_signal_handlers_disconnect_by_data (toast, self);
  if (dismiss)
    adw_toast_dismiss (toast);
}

/* The time to take it back is over. */
static void
finish_removal (GwWindow *self)
{
  g_autofree char *id = g_steal_pointer (&self->removing_id);
  GwClient *client = get_client (self);

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

static void
toast_dismissed_cb (GwWindow *self)
{
  drop_toast (self, FALSE);
  finish_removal (self);
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
toast_clicked_cb (AdwToast *toast, GwWindow *self)
{
  guint64 *id = g_object_get_data (G_OBJECT (toast), "gw-act");

  /* The button must keep its word also where another act is under way. */
  gw_undo_take_back (self->undo, *id);
  take_back_removal (self);
}

static char *
dup_title (GwWindow *self, const char *project_id)
{
  GwProject *project
      = self->list != NULL ? gw_task_list_find_project (self->list, project_id) : NULL;

  return g_strdup (project != NULL ? gw_project_words_title (project) : "");
}

static void
hide (GwWindow *self, const char *project_id, guint64 undo_id)
{
  g_autofree char *title = dup_title (self, project_id);
  /* Translators: %s is the name of a project */
  g_autofree char *text = g_strdup_printf (_("“%s” removed"), title);
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  finish_removal (self);
  self->removing_id = g_strdup (project_id);
  gw_task_view_set_hidden_project (self->task_view, project_id);
  gw_project_list_hide (self->projects, project_id);

  self->removing_toast = adw_toast_new (escaped);
  adw_toast_set_button_label (self->removing_toast, _("_Undo"));
  adw_toast_set_timeout (self->removing_toast, UNDO_SECONDS);
  adw_toast_set_priority (self->removing_toast, ADW_TOAST_PRIORITY_HIGH);
  g_object_set_data_full (G_OBJECT (self->removing_toast), "gw-act",
                          g_memdup2 (&undo_id, sizeof undo_id), g_free);
  g_signal_connect_object (self->removing_toast, "button-clicked", G_CALLBACK (toast_clicked_cb),
                           self, 0);
  g_signal_connect_object (self->removing_toast, "dismissed", G_CALLBACK (toast_dismissed_cb),
                           self, G_CONNECT_SWAPPED);
  adw_toast_overlay_add_toast (self->toast_overlay, g_object_ref (self->removing_toast));
  _gw_window_update (self);
}

static void
undo_removal (gpointer owner, gpointer data)
{
  GwWindow *self = owner;

  if (g_strcmp0 (self->removing_id, data) == 0)
    {
      take_back_removal (self);
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
redo_removal (gpointer owner, gpointer data)
{
  GwWindow *self = owner;
  GwProjectItem *item = gw_project_list_find (self->projects, data);

  if (item == NULL || !can_remove_at_once (gw_project_item_get_project (item)))
    {
      gw_undo_finished (self->undo, GW_UNDO_GONE);
      return;
    }
  gw_undo_finished (self->undo, GW_UNDO_DONE);
  hide (self, data, 0);
}

static void
begin_removal (GwWindow *self, const char *project_id)
{
  g_autofree char *title = dup_title (self, project_id);
  /* Translators: the name of an act; %s is the name of a project */
  g_autofree char *label = g_strdup_printf (_("Remove “%s”"), title);
  guint64 id = gw_undo_push (self->undo, label, redo_removal, undo_removal, g_strdup (project_id),
                             g_free);

  hide (self, project_id, id);
}

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Act) act = user_data;
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
stop_answered_cb (AdwMessageDialog *dialog, const char *response, GwWindow *self)
{
  const char *id = g_object_get_data (G_OBJECT (dialog), "project-id");
  GwClient *client = get_client (self);
  g_autofree char *path = NULL;

  self->dialog = NULL;
  if (!g_str_equal (response, "stop") || client == NULL)
    return;
  path = gw_client_build_path ("projects", id, "cancel", NULL);
  gw_client_call_async (client, "POST", path, NULL, self->cancellable, stopped_cb,
                        act_new (self, id, NULL));
}

/* It has something to do yet: to remove it is to stop it first, which cannot be taken back. */
static void
ask_to_stop (GwWindow *self, const GwProject *project)
{
  guint running = (guint) project->counts[GW_TASK_RUNNING];
  guint left = (guint) gw_project_count_unfinished (project);
  /* Translators: %s is the name of a project */
  g_autofree char *heading = g_strdup_printf (_("“%s” Is Not Finished"), project->name);
  g_autofree char *first
      = running > 0 ? g_strdup_printf (ngettext ("%u task is running.", "%u tasks are running.",
                                                 running),
                                       running)
                    : g_strdup_printf (ngettext ("%u task is queued.", "%u tasks are queued.",
                                                 left),
                                       left);
  AdwMessageDialog *dialog;

  if (self->dialog != NULL)
    gtk_window_destroy (GTK_WINDOW (self->dialog));
  dialog = ADW_MESSAGE_DIALOG (adw_message_dialog_new (GTK_WINDOW (self), heading, NULL));
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

static void
remove_project_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = get_target (self);
  GwProject *project;

  if (item == NULL || get_client (self) == NULL)
    return;
  project = gw_project_item_get_project (item);
  if (can_remove_at_once (project))
    begin_removal (self, project->project_id);
  else
    ask_to_stop (self, project);
}

/* --- All of the history ------------------------------------------------------------------------ */

static void
history_deleted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  guint changed = 0;
  gboolean ok = gw_acts_run_finish (result, &changed, &error);

  if (g_cancellable_is_cancelled (act->self->cancellable))
    return;
  if (ok)
    _gw_window_toast (act->self, _("History deleted"));
  else
    _gw_window_toast_error (act->self, _("Not deleted"), error);
}

/* What has ended in the permanent project. */
static GPtrArray *
collect_quick (GwWindow *self)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  GwProjectItem *quick = gw_project_list_get_default (self->projects);
  guint n = self->list != NULL ? g_list_model_get_n_items (G_LIST_MODEL (self->list)) : 0;
  guint i;

  for (i = 0; quick != NULL && i < n; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      GwTask *task = gw_task_item_get_task (item);

      if (gw_task_status_is_final (task->status)
          && g_strcmp0 (task->project_id, gw_project_item_get_project_id (quick)) == 0)
        g_ptr_array_add (ids, g_strdup (task->task_id));
    }
  return ids;
}

static GPtrArray *
collect_finished (GwWindow *self)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->projects));
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autoptr (GwProjectItem) item = g_list_model_get_item (G_LIST_MODEL (self->projects), i);

      if (gw_project_is_finished (gw_project_item_get_project (item)))
        g_ptr_array_add (ids, g_strdup (gw_project_item_get_project_id (item)));
    }
  return ids;
}

static guint64
count_quick (GwWindow *self)
{
  GwProjectItem *quick = gw_project_list_get_default (self->projects);
  GwProject *project = quick != NULL ? gw_project_item_get_project (quick) : NULL;

  return project != NULL
             ? gw_project_count_all (project) - gw_project_count_unfinished (project)
             : 0;
}

static void
delete_answered_cb (AdwMessageDialog *dialog, const char *response, GwWindow *self)
{
  g_autoptr (GPtrArray) projects = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  GwActs *acts;
  guint i;

  self->dialog = NULL;
  if (!g_str_equal (response, "delete") || get_client (self) == NULL)
    return;
  finish_removal (self);
  acts = _gw_window_new_acts (self);
  projects = collect_finished (self);
  tasks = collect_quick (self);
  for (i = 0; i < projects->len; i++)
    gw_acts_add (acts, "DELETE",
                 gw_client_build_path ("projects", (const char *) projects->pdata[i], NULL), NULL);
  gw_acts_add_ids (acts, "/tasks/remove", tasks);
  gw_acts_run_async (acts, self->cancellable, history_deleted_cb, act_new (self, NULL, NULL));
}

static void
delete_history_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = collect_finished (self);
  guint quick = (guint) count_quick (self);
  g_autoptr (GString) body = g_string_new (NULL);
  AdwMessageDialog *dialog;

  if (projects->len > 0)
    g_string_append_printf (body,
                            ngettext ("%u finished project is deleted, with its results.",
                                      "%u finished projects are deleted, with their results.",
                                      projects->len),
                            projects->len);
  if (quick > 0)
    {
      if (body->len > 0)
        g_string_append_c (body, ' ');
      g_string_append_printf (body,
                              ngettext ("%u finished quick task is deleted.",
                                        "%u finished quick tasks are deleted.", quick),
                              quick);
    }
  if (self->dialog != NULL)
    gtk_window_destroy (GTK_WINDOW (self->dialog));
  dialog = ADW_MESSAGE_DIALOG (
      adw_message_dialog_new (GTK_WINDOW (self), _("Delete All History?"), NULL));
  adw_message_dialog_format_body (dialog, "%s %s", body->str,
                                  _("This cannot be undone. What is not finished stays."));
  adw_message_dialog_add_responses (dialog, "cancel", _("_Cancel"), "delete", _("_Delete All"),
                                    NULL);
  adw_message_dialog_set_response_appearance (dialog, "delete", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (dialog, "cancel");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (delete_answered_cb), self, 0);
  self->dialog = GTK_WIDGET (dialog);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* ---------------------------------------------------------------------------------------------- */

static void
settings_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (JsonObject) settings = gw_client_call_finish (GW_CLIENT (source), result, NULL);

  if (g_cancellable_is_cancelled (self->cancellable) || self->sidebar == NULL)
    return;
  /* An older gateway does not tell: then nothing is said. */
  gw_sidebar_set_keep_days (self->sidebar,
                            settings != NULL ? gw_json_peek_int (settings, "keep_days", -1) : -1);
}

/* Asks how long what has ended is kept, for the history to say so. */
void
_gw_window_project_acts_ask_keep_days (GwWindow *self)
{
  GwClient *client = get_client (self);

  if (client != NULL)
    gw_client_call_async (client, "GET", "/settings", NULL, self->cancellable, settings_cb,
                          g_object_ref (self));
}

/* The window goes: what was removed is removed. If the gateway does not come to it any more, the
 * next start does. */
void
_gw_window_project_acts_flush (GwWindow *self)
{
  if (self->removing_id == NULL)
    return;
  g_settings_set_string (self->settings, "removed-project", self->removing_id);
  finish_removal (self);
}

/* What the last window had removed and could not tell any more. */
void
_gw_window_project_acts_catch_up (GwWindow *self)
{
  g_autofree char *id = g_settings_get_string (self->settings, "removed-project");
  GwProjectItem *item = id[0] != '\0' ? gw_project_list_find (self->projects, id) : NULL;
  GwClient *client = get_client (self);

  if (item == NULL || client == NULL || self->removing_id != NULL)
    return;
  g_settings_set_string (self->settings, "removed-project", "");
  if (!can_remove_at_once (gw_project_item_get_project (item)))
    return;
  gw_project_list_hide (self->projects, id);
  gw_task_view_set_hidden_project (self->task_view, id);
  send_delete (self, client, id);
}

/* Another gateway: what was not removed yet is not removed. */
void
_gw_window_project_acts_abandon (GwWindow *self)
{
  take_back_removal (self);
}

void
_gw_window_project_acts_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GAction *serial = g_action_map_lookup_action (G_ACTION_MAP (self), "project-one-at-a-time");
  gboolean ours = get_client (self) != NULL;
  GwProjectItem *item = get_target (self);
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
  gtk_widget_action_set_enabled (widget, "win.history", ours);
  gtk_widget_action_set_enabled (
      widget, "win.delete-history",
      ours && (gw_sidebar_count_history (self->sidebar) > 0 || count_quick (self) > 0));
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
    { "win.remove-project", remove_project_action },
    { "win.delete-history", delete_history_action },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
}
