/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-life"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-window-private.h"

/* How the window ends: what closing and quitting ask, and going on without a window. */

#define IDLE_QUIT_S 10

static gboolean
idle_quit_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->idle_id = 0;
  gtk_widget_activate_action (GTK_WIDGET (self), "app.quit-now", NULL);
  return G_SOURCE_REMOVE;
}

/* Hidden by "Keep Running": ends by itself a little after its last task. */
void
_gw_window_life_update (GwWindow *self)
{
  gboolean over = self->keep_running && !self->progress.active;

  if (over && self->idle_id == 0)
    {
      self->idle_id = g_timeout_add_seconds (IDLE_QUIT_S, idle_quit_cb, self);
      g_source_set_name_by_id (self->idle_id, "[gangway] quit when all is done");
    }
  else if (!over)
    g_clear_handle_id (&self->idle_id, g_source_remove);
}

static void
question_answered_cb (GwWindow *self, const char *response)
{
  self->dialog = NULL;
  if (g_str_equal (response, "stop"))
    gtk_widget_activate_action (GTK_WIDGET (self), "app.quit-now", NULL);
  else if (g_str_equal (response, "keep"))
    {
      self->keep_running = TRUE;
      gw_window_save_state (self);
      gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
      _gw_window_life_update (self);
    }
}

/**
 * gw_window_confirm_quit:
 *
 * Whether the window may go at once. If tasks run here that would end with it, asks; queued ones
 * are kept for the next start, and those of another gateway go on there.
 */
gboolean
gw_window_confirm_quit (GwWindow *self)
{
  guint running = self->list != NULL ? gw_task_list_count (self->list, GW_TASK_RUNNING) : 0;
  guint queued = self->list != NULL ? gw_task_list_count (self->list, GW_TASK_QUEUED) : 0;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  AdwMessageDialog *dialog;

  g_return_val_if_fail (GW_IS_WINDOW (self), TRUE);

  if (!gw_endpoint_is_builtin (self->endpoint) || running == 0)
    return TRUE;
  if (self->dialog != NULL)
    {
      gtk_window_present (GTK_WINDOW (self->dialog));
      return FALSE;
    }
  first = g_strdup_printf (ngettext ("%u task is running.", "%u tasks are running.", running),
                           running);
  second = g_strdup_printf (ngettext ("%u is queued.", "%u are queued.", queued), queued);
  dialog = ADW_MESSAGE_DIALOG (adw_message_dialog_new (
      GTK_WINDOW (self), _("Keep Running in the Background?"), NULL));
  adw_message_dialog_format_body (dialog, "%s %s %s", first, queued > 0 ? second : "",
                                  _("Finished results are saved."));
  adw_message_dialog_add_responses (dialog, "cancel", _("_Cancel"), "stop", _("_Stop and Close"),
                                    "keep", _("_Keep Running"), NULL);
  adw_message_dialog_set_response_appearance (dialog, "stop", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (dialog, "keep");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (question_answered_cb), self,
                           G_CONNECT_SWAPPED);
  self->dialog = GTK_WIDGET (dialog);
  gtk_window_present (GTK_WINDOW (dialog));
  return FALSE;
}

gboolean
_gw_window_close_request (GtkWindow *window)
{
  /* One way out for everything: the application stops the gateway first, then closes us. */
  gtk_widget_activate_action (GTK_WIDGET (window), "app.quit", NULL);
  return TRUE;
}
