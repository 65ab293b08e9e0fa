/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-autosave"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-window-private.h"

/* Results that are saved to a folder by themselves, as the preferences say, and the banner while
 * that does not work. */

static void
place_changed_cb (GwWindow *self)
{
  g_autofree char *folder = g_settings_get_string (self->settings, "autosave-folder");
  g_autofree char *format_name = g_settings_get_string (self->settings, "autosave-format");
  g_autofree char *pattern = g_settings_get_string (self->settings, "autosave-name");
  GwFormat format = GW_FORMAT_JSON;

  gw_format_from_string (format_name, &format);
  gw_autosave_set_place (self->autosave, folder, format, pattern);
}

/* (nullable) (transfer full): what the banner says while results cannot be saved. */
char *
_gw_window_autosave_get_trouble (GwWindow *self)
{
  const GError *error = gw_autosave_get_error (self->autosave);
  g_autofree char *folder = NULL;
  g_autofree char *name = NULL;
  g_autofree char *shown = NULL;

  if (error == NULL)
    return NULL;
  folder = g_settings_get_string (self->settings, "autosave-folder");
  name = g_path_get_basename (folder);
  shown = g_filename_display_name (name);
  if (g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE))
    /* Translators: %s is the name of a folder */
    return g_strdup_printf (_("There is no space left in “%s” to save results. They are kept here, "
                              "and saved as soon as there is."),
                            shown);
  /* Translators: %s is the name of a folder */
  return g_strdup_printf (_("Results cannot be saved in “%s”. They are kept here, and saved as "
                            "soon as they can be."),
                          shown);
}

static void
folder_chosen_cb (GwWindow *self,
                  int response)
{
  g_autoptr (GtkFileChooserNative) chooser = g_steal_pointer (&self->save_chooser);
  g_autoptr (GFile) folder = NULL;
  g_autofree char *path = NULL;

  if (response != GTK_RESPONSE_ACCEPT)
    return;
  folder = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser));
  path = folder != NULL ? g_file_get_path (folder) : NULL;
  if (path != NULL)
    g_settings_set_string (self->settings, "autosave-folder", path);
}

static void
choose_folder_action (GtkWidget *widget,
                      const char *name,
                      GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  if (self->save_chooser != NULL)
    return;
  self->save_chooser = gtk_file_chooser_native_new (
      _("Save Results to a Folder"), GTK_WINDOW (self), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
      _("_Choose"), _("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->save_chooser), TRUE);
  g_signal_connect_object (self->save_chooser, "response", G_CALLBACK (folder_chosen_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->save_chooser));
}

/* @self has another list now. */
void
_gw_window_autosave_follow (GwWindow *self)
{
  gw_autosave_set_list (self->autosave, gw_endpoint_get_client (self->endpoint), self->list);
}

void
_gw_window_autosave_class_init (GwWindowClass *klass)
{
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "win.choose-autosave-folder", NULL,
                                   choose_folder_action);
}

void
_gw_window_autosave_init (GwWindow *self)
{
  g_autofree char *record
      = g_build_filename (g_get_user_state_dir (), "gangway", "saved.conf", NULL);

  self->autosave = gw_autosave_new (record);
  g_signal_connect_object (self->autosave, "changed", G_CALLBACK (_gw_window_banner_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->settings, "changed::autosave-folder",
                           G_CALLBACK (place_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->settings, "changed::autosave-format",
                           G_CALLBACK (place_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->settings, "changed::autosave-name",
                           G_CALLBACK (place_changed_cb), self, G_CONNECT_SWAPPED);
  place_changed_cb (self);
}

void
_gw_window_autosave_dispose (GwWindow *self)
{
  if (self->autosave != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->autosave, self);
      gw_autosave_set_list (self->autosave, NULL, NULL);
    }
  g_clear_object (&self->autosave);
}
