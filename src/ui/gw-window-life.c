/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-life"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-desktop-calls.h"
#include "gw-window-private.h"

/* How the window ends: what closing and quitting ask, and going on without a window.
 *
 * Closing leaves by itself what runs elsewhere. Work that goes on here only, also where it waits
 * for a moment, is asked about, or goes as the setting `on-close` says; quitting always stops it,
 * and asks only where calls would be cut off. What the user paused waits for him in any case. */

#define IDLE_QUIT_S 10

typedef struct {
  guint running;
  guint queued;  /* in projects that go on */
} Work;

/* What ends with this process. */
static Work
count_work (GwWindow *self)
{
  Work work = { 0, 0 };
  g_autoptr (GList) projects = NULL;
  GList *l;

  if (self->list == NULL || !gw_endpoint_needs_window (self->endpoint))
    return work;
  work.running = gw_task_list_count (self->list, GW_TASK_RUNNING);
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;

      if (!project->paused)
        work.queued += gw_task_list_count_in (self->list, project->project_id, GW_TASK_QUEUED);
    }
  return work;
}

static gboolean
idle_quit_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->idle_id = 0;
  gtk_widget_activate_action (GTK_WIDGET (self), "app.quit-now", NULL);
  return G_SOURCE_REMOVE;
}

static char *
work_to_words (const Work *work)
{
  GString *words = g_string_new (NULL);

  if (work->running > 0)
    g_string_append_printf (
        words, ngettext ("%'u task is running.", "%'u tasks are running.", work->running),
        work->running);
  if (work->running > 0 && work->queued > 0)
    {
      g_string_append (words, " ");
      g_string_append_printf (
          words, ngettext ("%'u is queued.", "%'u are queued.", work->queued), work->queued);
    }
  else if (work->queued > 0)
    g_string_append_printf (
        words, ngettext ("%'u task is queued.", "%'u tasks are queued.", work->queued),
        work->queued);
  g_string_append_printf (words, " %s", _("Finished results are saved."));
  return g_string_free (words, FALSE);
}

/* What is asked about goes on meanwhile; when it has ended, there is nothing to ask any more. */
static void
update_question (GwWindow *self)
{
  Work work;
  g_autofree char *words = NULL;

  if (self->dialog == NULL || g_object_get_data (G_OBJECT (self->dialog), "gw-work") == NULL)
    return;
  work = count_work (self);
  words = work_to_words (&work);
  if (work.running + work.queued == 0)
    {
      GtkWidget *dialog = self->dialog;

      self->dialog = NULL;
      gtk_window_destroy (GTK_WINDOW (dialog));
    }
  else if (g_strcmp0 (adw_message_dialog_get_body (ADW_MESSAGE_DIALOG (self->dialog)), words) != 0)
    adw_message_dialog_set_body (ADW_MESSAGE_DIALOG (self->dialog), words);
}

/* Hidden by "Keep Running": ends by itself a little after its last task. */
void
_gw_window_life_update (GwWindow *self)
{
  gboolean over = FALSE;

  update_question (self);
  if (self->keep_running && self->finish_id == 0)
    {
      Work work = count_work (self);

      /* What is to happen at the end of the run comes first. */
      over = work.running + work.queued == 0;
    }

  if (over && self->idle_id == 0)
    {
      self->idle_id = g_timeout_add_seconds (IDLE_QUIT_S, idle_quit_cb, self);
      g_source_set_name_by_id (self->idle_id, "[gangway] quit when all is done");
    }
  else if (!over)
    g_clear_handle_id (&self->idle_id, g_source_remove);
}

static void
background_cb (GObject *source,
               GAsyncResult *result,
               gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (answer == NULL)
    g_message ("the desktop was not asked for running in the background: %s", error->message);
}

/* In a sandbox the desktop may end what has no window, unless it was asked. */
static void
request_background (GwWindow *self)
{
  GDBusConnection *bus
      = g_application_get_dbus_connection (g_application_get_default ());
  GVariantBuilder options;

  if (bus == NULL || !gw_desktop_is_sandboxed ())
    return;
  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "reason",
                         g_variant_new_string (_("Tasks are being answered")));
  g_dbus_connection_call (bus, "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop",
                          "org.freedesktop.portal.Background", "RequestBackground",
                          g_variant_new ("(sa{sv})", "", &options), NULL, G_DBUS_CALL_FLAGS_NONE,
                          -1, NULL, background_cb, NULL);
}

static void
keep_running (GwWindow *self)
{
  self->keep_running = TRUE;
  gw_window_save_state (self);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  request_background (self);
  _gw_window_run_update (self);
  _gw_window_life_update (self);
}

static void
question_answered_cb (GwWindow *self,
                      const char *response)
{
  self->dialog = NULL;
  if (g_str_equal (response, "stop"))
    gtk_widget_activate_action (GTK_WIDGET (self), "app.quit-now", NULL);
  else if (g_str_equal (response, "keep"))
    keep_running (self);
}

/* @keep: (nullable): the label of going on without a window */
static void
ask (GwWindow *self,
     const char *heading,
     const char *stop,
     const char *keep)
{
  Work work = count_work (self);
  g_autofree char *body = work_to_words (&work);
  AdwMessageDialog *dialog;

  dialog = ADW_MESSAGE_DIALOG (gw_compat_message_dialog_new (GTK_WINDOW (self), heading, body));
  g_object_set_data (G_OBJECT (dialog), "gw-work", GINT_TO_POINTER (TRUE));
  adw_message_dialog_add_responses (dialog, "cancel", _("_Cancel"), "stop", stop, NULL);
  adw_message_dialog_set_response_appearance (dialog, "stop", ADW_RESPONSE_DESTRUCTIVE);
  if (keep != NULL)
    adw_message_dialog_add_response (dialog, "keep", keep);
  adw_message_dialog_set_default_response (dialog, keep != NULL ? "keep" : "cancel");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (question_answered_cb), self,
                           G_CONNECT_SWAPPED);
  self->dialog = GTK_WIDGET (dialog);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* Whether a question stands between the user and the end already. */
static gboolean
is_asking (GwWindow *self)
{
  if (self->dialog == NULL)
    return FALSE;
  gtk_window_present (GTK_WINDOW (self->dialog));
  return TRUE;
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
  g_return_val_if_fail (GW_IS_WINDOW (self), TRUE);

  if (!gw_endpoint_is_builtin (self->endpoint) || count_work (self).running == 0)
    return TRUE;
  if (!is_asking (self))
    ask (self, _("Stop Running Tasks and Quit?"), _("_Stop and Quit"), NULL);
  return FALSE;
}

gboolean
_gw_window_close_request (GtkWindow *window)
{
  GwWindow *self = GW_WINDOW (window);
  g_autofree char *choice = g_settings_get_string (self->settings, "on-close");
  Work work = count_work (self);

  if (is_asking (self))
    return TRUE;
  /* One way out for everything: the application stops the gateway first, then closes us. */
  if (work.running + work.queued == 0 || g_str_equal (choice, "stop"))
    gtk_widget_activate_action (GTK_WIDGET (window), "app.quit-now", NULL);
  else if (g_str_equal (choice, "keep"))
    keep_running (self);
  else
    ask (self, _("Keep Running in the Background?"), _("_Stop and Close"), _("_Keep Running"));
  return TRUE;
}
