/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-undo"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-verbs.h"
#include "gw-window-private.h"

/* Acts that can be taken back: instead of asking whether somebody is sure. A toast tells of each
 * and takes it back for as long as it is shown; Ctrl+Z does for as long as the window is open. */

#define MAX_ACTS 50
#define TOAST_SECONDS 10

/* The toast of an act: there is one at a time, that of the newest act. An older one that still
 * stood there would offer to take back something else than what has just been done. */

static void
dismissed_cb (AdwToast *toast,
              GwWindow *self)
{
  if (toast == self->act_toast)
    g_clear_object (&self->act_toast);
}

static void
drop_toast (GwWindow *self)
{
  g_autoptr (AdwToast) toast = g_steal_pointer (&self->act_toast);

  if (toast == NULL)
    return;
  g_object_set_data (G_OBJECT (toast), "gw-superseded", GINT_TO_POINTER (TRUE));
  adw_toast_dismiss (toast);
}

/**
 * _gw_window_is_toast_superseded:
 *
 * Returns: whether @toast goes because of another act, not because its time is over
 */
gboolean
_gw_window_is_toast_superseded (AdwToast *toast)
{
  return g_object_get_data (G_OBJECT (toast), "gw-superseded") != NULL;
}

/**
 * _gw_window_show_act_toast:
 * @toast: (transfer full): with a button that takes the act back
 * @id: of the act
 *
 * Shows it at once, instead of the toast of the act before, until that act is taken back.
 */
void
_gw_window_show_act_toast (GwWindow *self,
                           AdwToast *toast,
                           guint64 id)
{
  drop_toast (self);
  adw_toast_set_timeout (toast, TOAST_SECONDS);
  adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
  self->act_toast = g_object_ref (toast);
  self->act_toast_id = id;
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (dismissed_cb), self, 0);
  adw_toast_overlay_add_toast (self->toast_overlay, toast);
}

static void
toast_clicked_cb (AdwToast *toast,
                  GwWindow *self)
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
_gw_window_push_undo (GwWindow *self,
                      const char *toast,
                      const char *label,
                      GwUndoFunc redo,
                      GwUndoFunc undo,
                      gpointer data,
                      GDestroyNotify free_data)
{
  guint64 id = gw_undo_push (self->undo, label, redo, undo, data, free_data);
  g_autofree char *escaped = NULL;
  AdwToast *shown;

  if (toast == NULL)
    return;
  escaped = g_markup_escape_text (toast, -1);
  shown = adw_toast_new (escaped);
  adw_toast_set_button_label (shown, _("_Undo"));
  g_object_set_data_full (G_OBJECT (shown), "gw-act", g_memdup2 (&id, sizeof id), g_free);
  g_signal_connect_object (shown, "button-clicked", G_CALLBACK (toast_clicked_cb), self, 0);
  _gw_window_show_act_toast (self, shown, id);
}

typedef struct {
  GwWindow *self; /* (owned) */
  GwUndo *undo;   /* (owned) */
  char *failed;
  char *said;
} Running;

static void
acts_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
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
_gw_window_undo_with_acts (GwWindow *self,
                           GwActs *acts,
                           const char *failed)
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
undo_action (GtkWidget *widget,
             const char *name,
             GVariant *parameter)
{
  gw_undo_undo (GW_WINDOW (widget)->undo);
}

static void
redo_action (GtkWidget *widget,
             const char *name,
             GVariant *parameter)
{
  gw_undo_redo (GW_WINDOW (widget)->undo);
}

/* @plain: where there is no act; @named: with one %s for what it is called */
static void
set_item (GwWindow *self,
          int position,
          const char *plain,
          const char *named,
          const char *label,
          const char *action,
          const char *accel)
{
  GMenuModel *menu = G_MENU_MODEL (self->undo_section);
  g_autoptr (GString) words = g_string_new (label != NULL ? named : plain);
  g_autofree char *shown = NULL;
  g_autoptr (GMenuItem) item = NULL;

  if (label != NULL)
    {
      /* An act may be called by the name of a project, in which there is no mnemonic. */
      g_auto (GStrv) parts = g_strsplit (label, "_", -1);
      g_autofree char *escaped = g_strjoinv ("__", parts);

      g_string_replace (words, "%s", escaped, 1);
    }
  g_menu_model_get_item_attribute (menu, position, G_MENU_ATTRIBUTE_LABEL, "s", &shown);
  if (g_strcmp0 (shown, words->str) == 0)
    return;
  item = g_menu_item_new (words->str, action);
  /* The key is bound outside of text fields only, so the toolkit does not know it by itself. */
  g_menu_item_set_attribute (item, "accel", "s", accel);
  g_menu_remove (self->undo_section, position);
  g_menu_insert_item (self->undo_section, position, item);
}

static void
update_menu (GwWindow *self)
{
  set_item (self, 0, _("_Undo"),
            /* Translators: %s is an act, like "Remove 12 tasks" */
            _("_Undo: %s"), gw_undo_get_undo_label (self->undo), "win.undo", "<Control>z");
  set_item (self, 1, _("Re_do"),
            /* Translators: %s is an act, like "Remove 12 tasks" */
            _("Re_do: %s"), gw_undo_get_redo_label (self->undo), "win.redo", "<Control><Shift>z");
}

void
_gw_window_undo_update (GwWindow *self)
{
  update_menu (self);
  if (self->act_toast != NULL && !gw_undo_can_take_back (self->undo, self->act_toast_id))
    drop_toast (self);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.undo",
                                 gw_undo_get_undo_label (self->undo) != NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.redo",
                                 gw_undo_get_redo_label (self->undo) != NULL);
}

void
_gw_window_undo_dispose (GwWindow *self)
{
  g_clear_object (&self->act_toast);
}

void
_gw_window_undo_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_bind_template_child (widget_class, GwWindow, undo_section);
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
