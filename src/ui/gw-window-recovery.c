/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-recovery"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-acts.h"
#include "gw-recovery-dialog.h"
#include "gw-task-words.h"
#include "gw-window-private.h"

/* After a crash: our own engine holds back the projects with calls whose answers were not seen,
 * until the user has said that they may be sent, and perhaps paid for, again. */

static void
recovery_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) recovery = gw_client_call_finish (GW_CLIENT (source), result, &error);
  JsonArray *attempts;

  if (recovery == NULL)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_message ("what the last run left is not known: %s", error->message);
      return;
    }
  if (g_cancellable_is_cancelled (self->cancellable)
      || gw_json_peek_int (recovery, "held_projects", 0) == 0)
    return;
  attempts = gw_json_peek_array (recovery, "attempts");
  self->recovered = attempts != NULL ? MAX (json_array_get_length (attempts), 1) : 1;
  g_clear_pointer (&self->recovery, json_object_unref);
  self->recovery = g_steal_pointer (&recovery);
  _gw_window_banner_update (self);
  _gw_window_actions_update (self);
}

/* Asked once for each start of our own engine. */
void
_gw_window_check_recovery (GwWindow *self)
{
  GwClient *client = gw_endpoint_get_client (self->endpoint);
  gint64 since = gw_endpoint_get_ready_since (self->endpoint);

  if (client == NULL || self->recovery_checked == since)
    return;
  self->recovery_checked = since;
  gw_client_call_async (client, "GET", "/recovery", NULL, self->cancellable, recovery_cb,
                        g_object_ref (self));
}

static void
resumed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean ok = gw_acts_run_finish (result, NULL, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (!ok)
    {
      _gw_window_toast_error (self, _("Not resumed"), error);
      return;
    }
  self->recovered = 0;
  _gw_window_banner_update (self);
  _gw_window_actions_update (self);
}

/* Held back by the engine: as a whole, or paused with calls whose answers were not seen. */
static gboolean
waits_for_user (GwWindow *self,
                const GwProject *project)
{
  return (project->held && gw_project_count_unfinished (project) > 0)
         || (project->paused
             && gw_task_list_count_interrupted (self->list, project->project_id) > 0);
}

/* The projects that are held go on; what else is paused stays so. */
static void
resume (GwWindow *self)
{
  g_autoptr (GList) projects = NULL;
  GwActs *acts = _gw_window_new_acts (self);
  GList *l;

  if (acts == NULL || self->list == NULL)
    {
      g_clear_pointer (&acts, gw_acts_free);
      return;
    }
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;

      if (waits_for_user (self, project))
        gw_acts_add (acts, "POST",
                     gw_client_build_path ("projects", project->project_id, "resume", NULL), NULL);
    }
  gw_acts_run_async (acts, self->cancellable, resumed_cb, g_object_ref (self));
}

static void
resume_action (GtkWidget *widget,
               const char *name,
               GVariant *parameter)
{
  resume (GW_WINDOW (widget));
}

static void
show_task_cb (GwWindow *self,
              const char *task_id)
{
  _gw_window_show_project (self, NULL);
  if (gw_task_view_select (self->task_view, task_id))
    _gw_window_show_detail (self);
}

static void
show_recovery_action (GtkWidget *widget,
                      const char *name,
                      GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwRecoveryDialog *dialog;
  JsonArray *ids;
  guint i;

  if (self->recovery == NULL)
    return;
  dialog = gw_recovery_dialog_new (GTK_WINDOW (self), self->recovery);
  ids = gw_json_peek_array (self->recovery, "task_ids");
  for (i = 0; ids != NULL && i < json_array_get_length (ids); i++)
    {
      const char *task_id = gw_json_peek_string_at (ids, i);
      GwTaskItem *item = task_id != NULL ? gw_task_list_find (self->list, task_id) : NULL;

      if (item != NULL)
        {
          g_autofree char *title
              = gw_task_words_first_line (gw_task_item_get_task (item)->content);

          gw_recovery_dialog_name_task (dialog, task_id, title);
        }
    }
  g_signal_connect_object (dialog, "show-task", G_CALLBACK (show_task_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (dialog, "resume", G_CALLBACK (resume), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}

static gboolean
is_any_held (GwWindow *self)
{
  g_autoptr (GList) projects = self->list != NULL ? gw_task_list_get_projects (self->list) : NULL;
  GList *l;

  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;

      if (waits_for_user (self, project))
        return TRUE;
    }
  return FALSE;
}

void
_gw_window_recovery_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);

  /* By whatever way they were let go on: then there is nothing left to ask. */
  if (is_any_held (self))
    self->saw_held = TRUE;
  else if (self->saw_held)
    {
      self->saw_held = FALSE;
      self->recovered = 0;
      _gw_window_banner_update (self);
    }

  gtk_widget_action_set_enabled (widget, "win.resume", self->recovered > 0);
  gtk_widget_action_set_enabled (widget, "win.show-recovery",
                                 self->recovered > 0 && self->recovery != NULL);
}

void
_gw_window_recovery_class_init (GwWindowClass *klass)
{
  static const struct {
    const char *name;
    GtkWidgetActionActivateFunc activate;
  } actions[] = {
    { "win.resume", resume_action },
    { "win.show-recovery", show_recovery_action },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
}
