/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-run"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-acts.h"
#include "gw-desktop-calls.h"
#include "gw-notify.h"
#include "gw-task-words.h"
#include "gw-window-private.h"

/* What a run does to the computer: it keeps it awake; its end is told where nobody looks, and may
 * suspend the computer or quit, once; and where task after task fails for the same reason, all is
 * paused before more is spent. */

/* A limit per minute may leave nothing running for so long; that is no reason to fall asleep. */
#define AWAKE_AFTER_MS 90000
#define SUSPEND_AFTER_S 60
#define QUIT_AFTER_S 15

/* (nullable). A window that is destroyed has left its application before it is taken apart; what it
 * has asked for there is taken back all the same. */
static GApplication *
application (GwWindow *self)
{
  GtkApplication *app = gtk_window_get_application (GTK_WINDOW (self));

  return app != NULL ? G_APPLICATION (app) : g_application_get_default ();
}

static gboolean
may_notify (GwWindow *self)
{
  return application (self) != NULL && g_settings_get_boolean (self->settings, "notifications")
         && !gtk_window_is_active (GTK_WINDOW (self));
}

static void
withdraw (GwWindow *self,
          const char *id)
{
  if (application (self) != NULL)
    g_application_withdraw_notification (application (self), id);
}

/* --- Awake ------------------------------------------------------------------------------------ */

static void
update_inhibit (GwWindow *self)
{
  GtkApplication *app = gtk_window_get_application (GTK_WINDOW (self));
  guint running = self->list != NULL ? gw_task_list_count (self->list, GW_TASK_RUNNING) : 0;
  guint queued = self->list != NULL ? gw_task_list_count (self->list, GW_TASK_QUEUED) : 0;
  gint64 now = g_get_monotonic_time () / 1000;
  gboolean wanted;

  if (running > 0)
    self->ran_at = now;
  wanted = g_settings_get_boolean (self->settings, "keep-awake")
           && (running > 0
               || (queued > 0 && self->ran_at > 0 && now < self->ran_at + AWAKE_AFTER_MS
                   && !_gw_window_is_paused (self)));
  if (app == NULL || wanted == (self->inhibit_cookie != 0))
    return;
  if (wanted)
    self->inhibit_cookie = gtk_application_inhibit (app, GTK_WINDOW (self),
                                                    GTK_APPLICATION_INHIBIT_SUSPEND,
                                                    _("Tasks are running"));
  else
    {
      gtk_application_uninhibit (app, self->inhibit_cookie);
      self->inhibit_cookie = 0;
    }
}

/* --- When finished ---------------------------------------------------------------------------- */

static void
suspended_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;

  if (gw_desktop_suspend_finish (result, &error)
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_cancellable_is_cancelled (self->cancellable))
    return;
  g_message ("the computer was not suspended: %s", error->message);
  _gw_window_toast (self, _("Not suspended: this system does not let programs do that"));
}

static void
drop_finish (GwWindow *self)
{
  AdwToast *toast = self->finish_toast;

  g_clear_handle_id (&self->finish_id, g_source_remove);
  self->finish_toast = NULL;
  if (toast != NULL)
    {
      g_signal_handlers_disconnect_by_data (toast, self);
      adw_toast_dismiss (toast);
      g_object_unref (toast);
    }
  withdraw (self, GW_NOTIFY_FINISHING);
}

static void
finish_now (GwWindow *self)
{
  gboolean suspend = self->finish_suspends;

  drop_finish (self);
  if (suspend)
    gw_desktop_suspend_async (self->cancellable, suspended_cb, g_object_ref (self));
  else
    gtk_widget_activate_action (GTK_WIDGET (self), "app.quit-now", NULL);
}

static char *
finish_words (GwWindow *self)
{
  guint s = self->finish_left;

  if (self->finish_suspends)
    return g_strdup_printf (ngettext ("The computer is suspended in %u second",
                                      "The computer is suspended in %u seconds", s), s);
  return g_strdup_printf (ngettext ("Gangway quits in %u second", "Gangway quits in %u seconds", s),
                          s);
}

static gboolean
finish_cb (gpointer user_data)
{
  GwWindow *self = user_data;
  g_autofree char *words = NULL;

  if (--self->finish_left == 0)
    {
      self->finish_id = 0;
      finish_now (self);
      return G_SOURCE_REMOVE;
    }
  words = finish_words (self);
  if (self->finish_toast != NULL)
    adw_toast_set_title (self->finish_toast, words);
  return G_SOURCE_CONTINUE;
}

/* Closed, or its button pressed: both mean that it must not happen. */
static void
toast_dismissed_cb (GwWindow *self)
{
  drop_finish (self);
  _gw_window_life_update (self);
}

/* Also where the user has said so by a notification. */
void
_gw_window_cancel_finish (GwWindow *self)
{
  drop_finish (self);
  _gw_window_life_update (self);
}

static void
begin_finish (GwWindow *self)
{
  g_autofree char *act = g_settings_get_string (self->settings, "when-finished");
  g_autofree char *words = NULL;

  drop_finish (self);
  if (g_str_equal (act, "nothing"))
    return;
  /* Only this once. */
  g_settings_set_string (self->settings, "when-finished", "nothing");
  self->finish_suspends = g_str_equal (act, "suspend");
  self->finish_left = self->finish_suspends ? SUSPEND_AFTER_S : QUIT_AFTER_S;
  if (g_getenv ("GANGWAY_TEST_FINISH_SECONDS") != NULL)
    self->finish_left
        = (guint) CLAMP (g_ascii_strtoull (g_getenv ("GANGWAY_TEST_FINISH_SECONDS"), NULL, 10), 1,
                         self->finish_left);
  words = finish_words (self);
  self->finish_toast = g_object_ref (adw_toast_new (words));
  adw_toast_set_timeout (self->finish_toast, 0);
  adw_toast_set_priority (self->finish_toast, ADW_TOAST_PRIORITY_HIGH);
  adw_toast_set_button_label (self->finish_toast, _("_Cancel"));
  adw_toast_set_action_name (self->finish_toast, "win.cancel-finish");
  g_signal_connect_object (self->finish_toast, "dismissed", G_CALLBACK (toast_dismissed_cb), self,
                           G_CONNECT_SWAPPED);
  adw_toast_overlay_add_toast (self->toast_overlay, g_object_ref (self->finish_toast));
  self->finish_id = g_timeout_add_seconds (1, finish_cb, self);
  g_source_set_name_by_id (self->finish_id, "[gangway] when finished");
  if (may_notify (self))
    gw_notify_finishing (application (self), words);
}

static void
cancel_finish_action (GtkWidget *widget,
                      const char *name,
                      GVariant *parameter)
{
  _gw_window_cancel_finish (GW_WINDOW (widget));
}

/* --- Begin and end ---------------------------------------------------------------------------- */

static void
run_began (GwWindow *self)
{
  drop_finish (self);
  self->failure_run.n = 0;
  withdraw (self, GW_NOTIFY_BATCH_DONE);
}

static void
run_ended (GwWindow *self)
{
  guint failed = gw_run_progress_get_ended (&self->progress, GW_TASK_FAILED);
  guint completed = gw_run_progress_get_ended (&self->progress, GW_TASK_COMPLETED);
  g_autofree char *outcome = gw_run_progress_outcome_to_words (&self->progress);

  withdraw (self, GW_NOTIFY_RUNNING);
  /* What the user has stopped or removed needs no telling. */
  if (completed + failed == 0)
    return;
  if (may_notify (self))
    gw_notify_batch_done (application (self), outcome, failed > 0);
  begin_finish (self);
}

/* Called whenever the progress is. */
void
_gw_window_run_update (GwWindow *self)
{
  guint running = self->list != NULL ? gw_task_list_count (self->list, GW_TASK_RUNNING) : 0;
  guint queued = self->list != NULL ? gw_task_list_count (self->list, GW_TASK_QUEUED) : 0;

  update_inhibit (self);
  if (self->progress.active != self->run_active)
    {
      self->run_active = self->progress.active;
      if (self->run_active)
        run_began (self);
      else
        run_ended (self);
    }
  if (self->keep_running && !self->told_running && running + queued > 0)
    {
      self->told_running = TRUE;
      if (g_settings_get_boolean (self->settings, "notifications"))
        gw_notify_keeps_running (application (self), running, queued);
    }
  else if (!self->keep_running)
    self->told_running = FALSE;
}

static void
active_cb (GwWindow *self)
{
  if (!gtk_window_is_active (GTK_WINDOW (self)))
    return;
  /* They have been seen: the window says the same. */
  withdraw (self, GW_NOTIFY_BATCH_DONE);
  withdraw (self, GW_NOTIFY_PAUSED);
  withdraw (self, GW_NOTIFY_RUNNING);
}

/* --- When all fail ---------------------------------------------------------------------------- */

static void
paused_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *why = g_steal_pointer (&self->pause_words);
  g_autofree char *toast = NULL;

  if (!gw_acts_run_finish (result, NULL, &error))
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
          && !g_cancellable_is_cancelled (self->cancellable))
        _gw_window_toast_error (self, _("Not paused"), error);
      return;
    }
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  /* Translators: %s is a sentence that says why tasks fail */
  toast = g_strdup_printf (_("Tasks paused. %s"), why != NULL ? why : "");
  _gw_window_toast (self, toast);
  if (may_notify (self))
    gw_notify_tasks_paused (application (self), why != NULL ? why : "");
}

static void
pause_all (GwWindow *self,
           const GwTask *task)
{
  GwActs *acts = _gw_window_new_acts (self);
  g_autoptr (GList) projects = NULL;
  guint n = 0;
  GList *l;

  if (acts == NULL)
    return;
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;

      if (project->paused
          || gw_task_list_count_in (self->list, project->project_id, GW_TASK_QUEUED) == 0)
        continue;
      gw_acts_add (acts, "POST",
                   gw_client_build_path ("projects", project->project_id, "pause", NULL), NULL);
      n++;
    }
  if (n == 0)
    {
      gw_acts_free (acts);
      return;
    }
  g_free (self->pause_words);
  self->pause_words = gw_task_words_for_error (task);
  gw_acts_run_async (acts, self->cancellable, paused_cb, g_object_ref (self));
}

/* Only what changes while we look counts, not what had failed before. */
static void
delta_cb (GwWindow *self,
          const GwTaskDelta *delta)
{
  guint i;

  if (!g_settings_get_boolean (self->settings, "pause-when-all-fail"))
    return;
  for (i = 0; delta->changed != NULL && i < delta->changed->len; i++)
    {
      const GwTask *task = gw_task_item_get_task (delta->changed->pdata[i]);

      if (gw_failure_run_add (&self->failure_run, task))
        pause_all (self, task);
    }
}

/* Whenever the list is another one. */
void
_gw_window_run_follow (GwWindow *self)
{
  self->failure_run.n = 0;
  self->run_active = FALSE;
  g_signal_connect_object (self->list, "delta", G_CALLBACK (delta_cb), self, G_CONNECT_SWAPPED);
}

/* ---------------------------------------------------------------------------------------------- */

/**
 * gw_window_notified:
 * @act: what a notification's button is to do
 *
 * The window is shown where that needs it.
 */
void
gw_window_notified (GwWindow *self,
                    const char *act)
{
  g_return_if_fail (GW_IS_WINDOW (self));

  if (g_str_equal (act, "stop"))
    {
      gtk_widget_activate_action (GTK_WIDGET (self), "win.stop-all", NULL);
      return;
    }
  if (g_str_equal (act, "cancel"))
    {
      _gw_window_cancel_finish (self);
      return;
    }
  gtk_window_present (GTK_WINDOW (self));
  if (g_str_equal (act, "failed") || g_str_equal (act, "all"))
    g_action_group_change_action_state (G_ACTION_GROUP (self), "show", g_variant_new_string (act));
  else if (g_str_equal (act, "save"))
    gtk_widget_activate_action (GTK_WIDGET (self), "win.save", "s", "all");
  else if (g_str_equal (act, "preferences"))
    gtk_widget_activate_action (GTK_WIDGET (self), "win.preferences", NULL);
}

void
_gw_window_run_class_init (GwWindowClass *klass)
{
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "win.cancel-finish", NULL,
                                   cancel_finish_action);
}

void
_gw_window_run_init (GwWindow *self)
{
  self->told_percent = -1;
  g_signal_connect_object (self, "notify::is-active", G_CALLBACK (active_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->settings, "changed::keep-awake",
                           G_CALLBACK (_gw_window_run_update), self, G_CONNECT_SWAPPED);
}

void
_gw_window_run_dispose (GwWindow *self)
{
  GApplication *app = application (self);

  if (self->inhibit_cookie != 0 && app != NULL)
    gtk_application_uninhibit (GTK_APPLICATION (app), self->inhibit_cookie);
  self->inhibit_cookie = 0;
  if (app != NULL && self->told_percent >= 0)
    gw_desktop_show_progress (app, -1);
  self->told_percent = -1;
  if (app != NULL)
    drop_finish (self);
  /* A button of what is left would start an empty window. */
  withdraw (self, GW_NOTIFY_RUNNING);
  g_clear_handle_id (&self->finish_id, g_source_remove);
  g_clear_pointer (&self->pause_words, g_free);
  g_clear_pointer (&self->shown_id, g_free);
  g_clear_pointer (&self->estimate_id, g_free);
}
