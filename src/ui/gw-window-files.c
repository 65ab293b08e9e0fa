/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-files"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-drop-overlay.h"
#include "gw-import-dialog.h"
#include "gw-window-private.h"

/* Files of tasks: chosen, opened or dropped; read off the main thread and shown in the dialog that
 * imports them. */

/* --- Files ------------------------------------------------------------------------------------ */

/* A moment in which most files are read; the dialog of those that are not shows them coming. */
#define DIALOG_DELAY_MS 400
/* Long enough to read that something was left out, and to ask what. */
#define DETAILS_S 10

static void
details_cb (AdwToast *toast,
            GwWindow *self)
{
  const char *details = g_object_get_data (G_OBJECT (toast), "details");
  GtkWidget *dialog
      = gw_compat_message_dialog_new (GTK_WINDOW (self), _("Not Imported"), NULL);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  GtkWidget *label = gtk_label_new (details);

  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_yalign (GTK_LABEL (label), 0);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), label);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroller), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scroller), 320);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), scroller);
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _("_Close"));
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "close");
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
added_cb (GwWindow *self,
          GPtrArray *ids,
          guint n_skipped,
          const char *project_id,
          const char *details,
          gboolean runs)
{
  g_autofree char *added
      = g_strdup_printf (ngettext ("%'u task added", "%'u tasks added", ids->len), ids->len);
  g_autofree char *text = NULL;

  if (n_skipped > 0)
    {
      g_autofree char *skipped
          = g_strdup_printf (ngettext ("%'u skipped", "%'u skipped", n_skipped), n_skipped);

      /* Translators: "35 tasks added, 2 skipped" */
      text = g_strdup_printf (_("%1$s, %2$s"), added, skipped);
    }
  else if (!runs)
    /* Translators: "37 tasks added. The project is paused" */
    text = g_strdup_printf (_("%s. The project is paused"), added);
  else
    text = g_steal_pointer (&added);
  /* There is room for one button: what was left out is not seen anywhere else, and Undo is. */
  _gw_window_push_added (self, details == NULL ? text : NULL, ids);
  if (details != NULL)
    {
      g_autofree char *escaped = g_markup_escape_text (text, -1);
      AdwToast *toast = adw_toast_new (escaped);

      adw_toast_set_button_label (toast, _("Details"));
      adw_toast_set_timeout (toast, DETAILS_S);
      g_object_set_data_full (G_OBJECT (toast), "details", g_strdup (details), g_free);
      g_signal_connect_object (toast, "button-clicked", G_CALLBACK (details_cb), self, 0);
      adw_toast_overlay_add_toast (self->toast_overlay, toast);
    }

  if (runs)
    gw_run_progress_submitted (&self->progress, g_get_monotonic_time () / 1000);
  /* What was imported is what is looked at next. */
  if (project_id != NULL)
    _gw_window_show_project (self, project_id);
  _gw_window_show_new (self);
  _gw_window_update (self);
}

static void
present_dialog (GwWindow *self)
{
  g_autoptr (GwImportSet) set = g_steal_pointer (&self->import_set);
  GtkWidget *dialog = gw_import_dialog_new (GTK_WINDOW (self), self->endpoint, set);

  g_clear_handle_id (&self->import_id, g_source_remove);
  g_signal_handlers_disconnect_by_data (set, self);
  gw_import_dialog_set_projects (GW_IMPORT_DIALOG (dialog), self->list,
                                 _gw_window_get_target_project (self));
  _gw_window_compose_follow (self, gw_import_dialog_get_choice (GW_IMPORT_DIALOG (dialog)));
  g_signal_connect_object (dialog, "added", G_CALLBACK (added_cb), self, G_CONNECT_SWAPPED);
  g_set_weak_pointer (&self->import_dialog, dialog);
  gtk_window_present (GTK_WINDOW (dialog));
}

static gboolean
delay_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->import_id = 0;
  present_dialog (self);
  return G_SOURCE_REMOVE;
}

/* Everything has been read: shown, or where nothing could be, said. */
static void
read_cb (GwWindow *self)
{
  guint n_files = gw_import_set_get_n_files (self->import_set);
  gboolean any = FALSE;
  guint i;

  for (i = 0; i < n_files; i++)
    any = any || gw_import_set_get_file (self->import_set, i)->bytes != NULL;
  if (any)
    {
      present_dialog (self);
      return;
    }
  for (i = 0; i < n_files && i < 3; i++)
    {
      const GwImportFile *file = gw_import_set_get_file (self->import_set, i);
      /* Translators: %s is the name of a file */
      g_autofree char *said = g_strdup_printf (_("“%s” was not read"), file->name);

      _gw_window_toast_error (self, said, file->import->error);
    }
  _gw_window_files_dispose (self);
}

void
_gw_window_files_dispose (GwWindow *self)
{
  g_clear_handle_id (&self->import_id, g_source_remove);
  if (self->import_set != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->import_set, self);
      gw_import_set_stop (self->import_set);
    }
  g_clear_object (&self->import_set);
  g_clear_weak_pointer (&self->import_dialog);
}

/* Whether there is one among them that may be text. */
static gboolean
any_may_be_text (GPtrArray *files)
{
  guint i;

  for (i = 0; i < files->len; i++)
    {
      g_autofree char *base = g_file_get_basename (files->pdata[i]);

      if (base == NULL || !gw_import_is_foreign (base))
        return TRUE;
    }
  return FALSE;
}

static void
import_files (GwWindow *self,
              GPtrArray *files)
{
  if (files->len == 0)
    return;
  if (!any_may_be_text (files))
    {
      _gw_window_toast (self,
                        _("Only text, Markdown, JSON, JSONL and CSV files can be imported"));
      return;
    }
  if (self->import_dialog != NULL)
    {
      gw_import_set_add (gw_import_dialog_get_set (GW_IMPORT_DIALOG (self->import_dialog)),
                         files);
      gtk_window_present (GTK_WINDOW (self->import_dialog));
      return;
    }
  if (self->import_set == NULL)
    {
      self->import_set = gw_import_set_new ();
      g_signal_connect_swapped (self->import_set, "changed", G_CALLBACK (read_cb), self);
      self->import_id = g_timeout_add (DIALOG_DELAY_MS, delay_cb, self);
      g_source_set_name_by_id (self->import_id, "[gangway] files take long to read");
    }
  gw_import_set_add (self->import_set, files);
}

/**
 * gw_window_import_files:
 *
 * Reads @files off the main thread and shows what is in them.
 */
void
gw_window_import_files (GwWindow *self,
                        GFile **files,
                        int n_files)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_object_unref);
  int i;

  g_return_if_fail (GW_IS_WINDOW (self));

  for (i = 0; i < n_files; i++)
    g_ptr_array_add (list, g_object_ref (files[i]));
  import_files (self, list);
}

static void
chosen_cb (GwWindow *self,
           int response)
{
  g_autoptr (GtkFileChooserNative) chooser = g_steal_pointer (&self->chooser);
  g_autoptr (GPtrArray) files = NULL;

  if (response != GTK_RESPONSE_ACCEPT)
    return;
  files = gw_import_dialog_get_chosen (chooser);
  import_files (self, files);
}

void
_gw_window_choose_files (GwWindow *self)
{
  if (self->chooser != NULL)
    return;
  self->chooser = gw_import_dialog_new_chooser (GTK_WINDOW (self));
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

/* --- Drops ------------------------------------------------------------------------------------ */

static void
text_dropped_cb (GwWindow *self,
                 const char *text)
{
  gw_composer_paste (self->composer, text);
  gw_composer_focus (self->composer);
}

/* Files may be dropped anywhere on the window, and text that the text field does not take itself
 * goes there. */
void
_gw_window_accept_drops (GwWindow *self)
{
  GtkWidget *content = g_object_ref (
      adw_application_window_get_content (ADW_APPLICATION_WINDOW (self)));
  GtkWidget *overlay = gw_drop_overlay_new ();

  adw_application_window_set_content (ADW_APPLICATION_WINDOW (self), NULL);
  gw_drop_overlay_set_child (GW_DROP_OVERLAY (overlay), content);
  adw_application_window_set_content (ADW_APPLICATION_WINDOW (self), overlay);
  g_object_unref (content);
  g_signal_connect_object (overlay, "files", G_CALLBACK (import_files), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (overlay, "text", G_CALLBACK (text_dropped_cb), self, G_CONNECT_SWAPPED);
}
