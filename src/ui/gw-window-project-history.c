/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-projects"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-project-words.h"
#include "gw-window-project-private.h"

/* All of the history: how long it is kept, and deleting it. */

static void
history_deleted_cb (GObject *source,
                    GAsyncResult *result,
                    gpointer user_data)
{
  g_autoptr (GwProjectAct) act = user_data;
  g_autoptr (GError) error = NULL;
  guint changed = 0;
  gboolean ok = gw_acts_run_finish (result, &changed, &error);
  const GError *first = gw_acts_run_peek_error (result);

  if (g_cancellable_is_cancelled (act->self->cancellable))
    return;
  if (!ok)
    _gw_window_toast_error (act->self, _("Not deleted"), error);
  else if (first != NULL && !g_error_matches (first, GW_ERROR, GW_ERROR_NOT_FOUND))
    _gw_window_toast_error (act->self, _("Not all was deleted"), first);
  else
    _gw_window_toast (act->self, _("History deleted"));
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

guint64
_gw_window_project_count_quick (GwWindow *self)
{
  GwProjectItem *quick = gw_project_list_get_default (self->projects);
  GwProject *project = quick != NULL ? gw_project_item_get_project (quick) : NULL;

  return project != NULL
             ? gw_project_count_all (project) - gw_project_count_unfinished (project)
             : 0;
}

/* Asked of the projects themselves: the sidebar only counts while it is seen. */
gboolean
_gw_window_project_has_history (GwWindow *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->projects));
  guint i;

  if (_gw_window_project_count_quick (self) > 0)
    return TRUE;
  for (i = 0; i < n; i++)
    {
      g_autoptr (GwProjectItem) item = g_list_model_get_item (G_LIST_MODEL (self->projects), i);

      if (gw_project_is_finished (gw_project_item_get_project (item)))
        return TRUE;
    }
  return FALSE;
}

static void
delete_answered_cb (AdwMessageDialog *dialog,
                    const char *response,
                    GwWindow *self)
{
  g_autoptr (GPtrArray) projects = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  GwActs *acts;
  guint i;

  self->dialog = NULL;
  if (!g_str_equal (response, "delete") || _gw_window_project_get_client (self) == NULL)
    return;
  _gw_window_project_finish_removal (self);
  acts = _gw_window_new_acts (self);
  projects = collect_finished (self);
  tasks = collect_quick (self);
  for (i = 0; i < projects->len; i++)
    gw_acts_add (acts, "DELETE",
                 gw_client_build_path ("projects", (const char *) projects->pdata[i], NULL), NULL);
  gw_acts_add_ids (acts, "/tasks/remove", tasks);
  gw_acts_run_async (acts, self->cancellable, history_deleted_cb,
                     _gw_window_project_act_new (self, NULL, NULL));
}

void
_gw_window_project_delete_history_action (GtkWidget *widget,
                                          const char *name,
                                          GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = collect_finished (self);
  guint quick = (guint) _gw_window_project_count_quick (self);
  g_autoptr (GString) body = g_string_new (NULL);
  AdwMessageDialog *dialog;

  if (projects->len > 0)
    g_string_append_printf (body,
                            ngettext ("%'u finished project is deleted, with its results.",
                                      "%'u finished projects are deleted, with their results.",
                                      projects->len),
                            projects->len);
  if (quick > 0)
    {
      if (body->len > 0)
        g_string_append_c (body, ' ');
      g_string_append_printf (body,
                              ngettext ("%'u finished quick task is deleted.",
                                        "%'u finished quick tasks are deleted.", quick),
                              quick);
    }
  if (self->dialog != NULL)
    gtk_window_destroy (GTK_WINDOW (self->dialog));
  dialog = ADW_MESSAGE_DIALOG (
      gw_compat_message_dialog_new (_gw_window_get_front (self), _("Delete All History?"), NULL));
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

static void
settings_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
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
  GwClient *client = _gw_window_project_get_client (self);

  if (client != NULL)
    gw_client_call_async (client, "GET", "/settings", NULL, self->cancellable, settings_cb,
                          g_object_ref (self));
}
