/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-undo"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-verbs.h"
#include "gw-window-private.h"

/* Acts that can be taken back: instead of asking whether somebody is sure. A toast tells of each and
 * takes it back for as long as it is shown; Ctrl+Z does for as long as the window is open. */

#define MAX_ACTS 50
#define TOAST_SECONDS 10

static void
toast_clicked_cb (AdwToast *toast, GwWindow *self)
{
  guint64 *id = g_object_get_data (G_OBJECT (toast), "gw-act");

  gw_undo_take_back (self->undo, *id);
}

/**
 * _gw_window_push_undo:
 * @toast: (nullable): what happened, "12 tasks removed"; shown with [Undo]
 * @label: the act by its name, "Remove 12 tasks"
 * @redo: (nullable): does it again
 * @undo: takes it back
 * @data: for both
 * @free_data: (nullable): for @data
 *
 * Notes an act that was done and can be taken back. Both functions get the window first, then
 * @data, and end with gw_undo_finished() on its undo stack; _gw_window_undo_with_acts() does that.
 */
void
_gw_window_push_undo (GwWindow *self, const char *toast, const char *label, GwUndoFunc redo,
                      GwUndoFunc undo, gpointer data, GDestroyNotify free_data)
{
  guint64 id = gw_undo_push (self->undo, label, redo, undo, data, free_data);
  g_autofree char *escaped = NULL;
  AdwToast *shown;

  if (toast == NULL)
    return;
  escaped = g_markup_escape_text (toast, -1);
  shown = adw_toast_new (escaped);
  adw_toast_set_button_label (shown, _("_Undo"));
  adw_toast_set_timeout (shown, TOAST_SECONDS);
  g_object_set_data_full (G_OBJECT (shown), "gw-act", g_memdup2 (&id, sizeof id), g_free);
  g_signal_connect_object (shown, "button-clicked", G_CALLBACK (toast_clicked_cb), self, 0);
  adw_toast_overlay_add_toast (self->toast_overlay, shown);
}

typedef struct {
  GwWindow *self; /* (owned) */
  GwUndo *undo;   /* (owned) */
  char *failed;
  char *said;
} Running;

static void
acts_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Running *running = user_data;
  g_autoptr (GwWindow) self = running->self;
  g_autoptr (GwUndo) undo = running->undo;
  g_autofree char *failed = running->failed;
  g_autofree char *said = running->said;
  g_autoptr (GError) error = NULL;
  guint changed = 0;
  gboolean ok = gw_acts_run_finish (result, &changed, &error);

  g_free (running);
  if (!g_cancellable_is_cancelled (self->cancellable))
    {
      if (!ok)
        _gw_window_toast_error (self, failed, error);
      else
        _gw_window_toast (self, said);
    }
  /* Who cannot be reached now can be later; what has gone, or has changed, stays so. */
  if (ok)
    gw_undo_finished (undo, GW_UNDO_DONE);
  else if (g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND)
           || g_error_matches (error, GW_ERROR, GW_ERROR_CONFLICT)
           || g_error_matches (error, GW_ERROR, GW_ERROR_INVALID))
    gw_undo_finished (undo, GW_UNDO_GONE);
  else
    gw_undo_finished (undo, GW_UNDO_FAILED);
}

/**
 * _gw_window_undo_with_acts:
 * @acts: (transfer full) (nullable): NULL where there is no gateway
 * @failed: what did not happen if it fails, "Not restored"
 *
 * What a #GwUndoFunc does in most cases: runs @acts, tells how that ended, and that it has.
 */
void
_gw_window_undo_with_acts (GwWindow *self, GwActs *acts, const char *failed)
{
  const char *label = gw_undo_get_current_label (self->undo);
  Running *running;

  if (acts == NULL)
    {
      _gw_window_toast (self, failed);
      gw_undo_finished (self->undo, GW_UNDO_FAILED);
      return;
    }
  running = g_new0 (Running, 1);
  running->self = g_object_ref (self);
  running->undo = g_object_ref (self->undo);
  running->failed = g_strdup (failed);
  running->said = gw_undo_is_undoing (self->undo)
                      /* Translators: %s is an act, like "Remove 12 tasks" */
                      ? g_strdup_printf (_("Undone: %s"), label)
                      /* Translators: %s is an act, like "Remove 12 tasks" */
                      : g_strdup_printf (_("Done again: %s"), label);
  gw_acts_run_async (acts, self->cancellable, acts_cb, running);
}

static void
undo_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gw_undo_undo (GW_WINDOW (widget)->undo);
}

static void
redo_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gw_undo_redo (GW_WINDOW (widget)->undo);
}

void
_gw_window_undo_update (GwWindow *self)
{
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.undo",
                                 gw_undo_get_undo_label (self->undo) != NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.redo",
                                 gw_undo_get_redo_label (self->undo) != NULL);
}

void
_gw_window_undo_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_install_action (widget_class, "win.undo", NULL, undo_action);
  gtk_widget_class_install_action (widget_class, "win.redo", NULL, redo_action);
}

void
_gw_window_undo_init (GwWindow *self)
{
  self->undo = gw_undo_new (MAX_ACTS, self);
  g_signal_connect_object (self->undo, "changed", G_CALLBACK (_gw_window_undo_update), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), gw_verbs_new_window_controller ());
  _gw_window_undo_update (self);
}
