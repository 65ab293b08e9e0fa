/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-preferences"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-desktop-calls.h"
#include "gw-json.h"

#include "gw-preferences-private.h"

/* What becomes of results: saved by themselves into a folder (the window writes them, see
 * gw-window-export.c), and how long the gateway keeps what has ended. */

struct _GwPreferencesResults {
  AdwPreferencesPage parent_instance;

  /* Template children */
  AdwPreferencesGroup *note_group;
  AdwPreferencesRow *note_row;
  GtkSwitch *autosave_switch;
  AdwActionRow *folder_row;
  AdwComboRow *format_row;
  AdwEntryRow *name_row;
  AdwPreferencesGroup *history_group;
  AdwComboRow *keep_row;
  GtkWidget *delete_row;

  /* Owned references */
  GwEndpoint *endpoint;
  GCancellable *cancellable;
  GCancellable *finding;         /* (nullable) where the folder is */
  GSettings *settings;
  GtkFileChooserNative *chooser; /* (nullable) */
  char *last_folder;             /* (nullable) while it is switched off */
  JsonObject *shown;             /* (nullable) the gateway's own, as it told them last */

  gboolean filling;
};

G_DEFINE_FINAL_TYPE (GwPreferencesResults, gw_preferences_results, ADW_TYPE_PREFERENCES_PAGE)

static const char *const formats[] = { "json", "jsonl", "csv", "md" };
static const guint keep_days[] = { 0, 7, 30, 90, 365 };

/* Saving */

static void
folder_found_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  g_autoptr (GwPreferencesResults) self = user_data;
  g_autofree char *shown = gw_desktop_find_folder_finish (result);

  if (shown != NULL)
    adw_action_row_set_subtitle (self->folder_row, shown);
}

static void
show_autosave (GwPreferencesResults *self)
{
  g_autofree char *folder = g_settings_get_string (self->settings, "autosave-folder");
  g_autofree char *format = g_settings_get_string (self->settings, "autosave-format");
  g_autofree char *name = g_settings_get_string (self->settings, "autosave-name");
  g_autofree char *shown = gw_desktop_name_folder (folder);
  gboolean on = *folder != '\0';
  guint i;

  g_cancellable_cancel (self->finding);
  g_clear_object (&self->finding);
  self->filling = TRUE;
  gtk_switch_set_active (self->autosave_switch, on);
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (self->folder_row), FALSE);
  adw_action_row_set_subtitle (self->folder_row, on ? shown : _("None"));
  if (on)
    {
      self->finding = g_cancellable_new ();
      gw_desktop_find_folder_async (folder, self->finding, folder_found_cb, g_object_ref (self));
    }
  for (i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_equal (formats[i], format))
      adw_combo_row_set_selected (self->format_row, i);
  if (g_strcmp0 (gtk_editable_get_text (GTK_EDITABLE (self->name_row)), name) != 0)
    gtk_editable_set_text (GTK_EDITABLE (self->name_row), name);
  self->filling = FALSE;
  gtk_widget_set_sensitive (GTK_WIDGET (self->format_row), on);
  gtk_widget_set_sensitive (GTK_WIDGET (self->name_row), on);
}

static void
chosen_cb (GtkNativeDialog *dialog,
           int response,
           GwPreferencesResults *self)
{
  if (response == GTK_RESPONSE_ACCEPT)
    {
      g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
      g_autofree char *path = file != NULL ? g_file_get_path (file) : NULL;

      if (path != NULL && g_utf8_validate (path, -1, NULL))
        g_settings_set_string (self->settings, "autosave-folder", path);
      else
        _gw_preferences_toast (GTK_WIDGET (self),
                               _("That folder is not on this computer. Choose another one"));
    }
  show_autosave (self);
  g_clear_object (&self->chooser);
}

static void
choose_cb (GwPreferencesResults *self)
{
  g_autofree char *folder = g_settings_get_string (self->settings, "autosave-folder");

  if (self->chooser != NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (
      _("Save Results To"), GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
      GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Select"), _("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  if (*folder != '\0')
    {
      g_autoptr (GFile) file = g_file_new_for_path (folder);

      gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (self->chooser), file, NULL);
    }
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
autosave_cb (GwPreferencesResults *self)
{
  g_autofree char *folder = NULL;

  if (self->filling)
    return;
  folder = g_settings_get_string (self->settings, "autosave-folder");
  if (!gtk_switch_get_active (self->autosave_switch))
    {
      g_free (self->last_folder);
      self->last_folder = g_steal_pointer (&folder);
      g_settings_set_string (self->settings, "autosave-folder", "");
      show_autosave (self);
    }
  else if (self->last_folder != NULL && *self->last_folder != '\0')
    {
      g_settings_set_string (self->settings, "autosave-folder", self->last_folder);
      show_autosave (self);
    }
  else
    choose_cb (self);
}

static void
format_cb (GwPreferencesResults *self)
{
  guint selected = adw_combo_row_get_selected (self->format_row);

  if (!self->filling && selected < G_N_ELEMENTS (formats))
    g_settings_set_string (self->settings, "autosave-format", formats[selected]);
}

static void
name_apply_cb (GwPreferencesResults *self)
{
  const char *typed = gtk_editable_get_text (GTK_EDITABLE (self->name_row));
  g_autofree char *name = g_strstrip (g_strdup (typed));

  if (*name == '\0' || strchr (name, '/') != NULL)
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->name_row), "error");
      _gw_preferences_toast (GTK_WIDGET (self), _("A file name must not be empty or hold a “/”"));
      return;
    }
  gtk_widget_remove_css_class (GTK_WIDGET (self->name_row), "error");
  g_settings_set_string (self->settings, "autosave-name", name);
}

/* History */

static void
show_keeping (GwPreferencesResults *self)
{
  guint selected = adw_combo_row_get_selected (self->keep_row);

  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->keep_row),
                               selected == 0 ? _("They stay until you delete them")
                                             : _("After that they are removed by themselves"));
}

static void
show_history (GwPreferencesResults *self)
{
  gboolean writable = self->shown != NULL
                      && gw_json_peek_boolean (self->shown, "writable", FALSE);
  g_autofree char *why_not = _gw_preferences_why_not (self->endpoint, writable);
  guint days, i;

  gtk_widget_set_visible (GTK_WIDGET (self->note_group), why_not != NULL);
  adw_preferences_row_set_title (self->note_row, why_not != NULL ? why_not : "");
  gtk_widget_set_sensitive (GTK_WIDGET (self->keep_row), why_not == NULL);
  gtk_widget_set_sensitive (self->delete_row,
                            _gw_preferences_get_client (self->endpoint) != NULL);
  if (self->shown == NULL)
    return;

  days = (guint) gw_json_peek_int (self->shown, "keep_days", 0);
  self->filling = TRUE;
  /* The file may say any number: the nearest choice that keeps no less is shown. */
  for (i = 1; i < G_N_ELEMENTS (keep_days) && days > keep_days[i]; i++)
    continue;
  adw_combo_row_set_selected (self->keep_row,
                              days == 0 || i == G_N_ELEMENTS (keep_days) ? 0 : i);
  self->filling = FALSE;
  show_keeping (self);
}

static void
told_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GwPreferencesResults) self = user_data;
  g_autoptr (GError) error = NULL;
  JsonObject *settings = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_clear_pointer (&settings, json_object_unref);
      return;
    }
  if (settings != NULL)
    {
      g_clear_pointer (&self->shown, json_object_unref);
      self->shown = settings;
    }
  else if (self->shown != NULL)
    _gw_preferences_toast_error (GTK_WIDGET (self), _("Not changed"), error);
  show_history (self);
}

static void
look (GwPreferencesResults *self)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);

  g_clear_pointer (&self->shown, json_object_unref);
  show_history (self);
  if (client != NULL)
    gw_client_call_async (client, "GET", "/settings", NULL, self->cancellable, told_cb,
                          g_object_ref (self));
}

static void
keep_changed_cb (GwPreferencesResults *self)
{
  GwClient *client;
  guint selected = adw_combo_row_get_selected (self->keep_row);
  g_autoptr (JsonObject) body = NULL;

  show_keeping (self);
  if (self->filling || self->endpoint == NULL || selected >= G_N_ELEMENTS (keep_days))
    return;
  client = _gw_preferences_get_client (self->endpoint);
  if (client == NULL)
    return;
  body = json_object_new ();
  json_object_set_int_member (body, "keep_days", keep_days[selected]);
  gw_client_call_async (client, "PATCH", "/settings", body, self->cancellable, told_cb,
                        g_object_ref (self));
}

/* The window itself does it, and asks first. */
static void
delete_cb (GwPreferencesResults *self)
{
  GtkWidget *root = GTK_WIDGET (gtk_widget_get_root (GTK_WIDGET (self)));
  GtkWindow *window = gtk_window_get_transient_for (GTK_WINDOW (root));

  if (window != NULL)
    gtk_widget_activate_action (GTK_WIDGET (window), "win.delete-history", NULL);
}

static void
endpoint_changed_cb (GwPreferencesResults *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    look (self);
}

static void
gw_preferences_results_map (GtkWidget *widget)
{
  GwPreferencesResults *self = GW_PREFERENCES_RESULTS (widget);

  GTK_WIDGET_CLASS (gw_preferences_results_parent_class)->map (widget);
  if (self->endpoint != NULL)
    look (self);
}

static void
gw_preferences_results_dispose (GObject *object)
{
  GwPreferencesResults *self = GW_PREFERENCES_RESULTS (object);

  g_cancellable_cancel (self->cancellable);
  g_cancellable_cancel (self->finding);
  g_clear_object (&self->finding);
  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);
  g_clear_object (&self->endpoint);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->shown, json_object_unref);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PREFERENCES_RESULTS);
  G_OBJECT_CLASS (gw_preferences_results_parent_class)->dispose (object);
}

static void
gw_preferences_results_finalize (GObject *object)
{
  GwPreferencesResults *self = GW_PREFERENCES_RESULTS (object);

  g_object_unref (self->cancellable);
  g_free (self->last_folder);
  G_OBJECT_CLASS (gw_preferences_results_parent_class)->finalize (object);
}

static void
gw_preferences_results_class_init (GwPreferencesResultsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_preferences_results_dispose;
  object_class->finalize = gw_preferences_results_finalize;
  widget_class->map = gw_preferences_results_map;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-preferences-results.ui");
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, note_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, note_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, autosave_switch);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, folder_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, format_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, name_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, history_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, keep_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesResults, delete_row);
  gtk_widget_class_bind_template_callback (widget_class, choose_cb);
  gtk_widget_class_bind_template_callback (widget_class, name_apply_cb);
  gtk_widget_class_bind_template_callback (widget_class, keep_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, delete_cb);
}

static void
gw_preferences_results_init (GwPreferencesResults *self)
{
  self->cancellable = g_cancellable_new ();
  self->settings = g_settings_new (GW_APPLICATION_ID);
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  self->filling = FALSE;
  show_keeping (self);
  show_autosave (self);
  g_signal_connect_object (self->autosave_switch, "notify::active", G_CALLBACK (autosave_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->format_row, "notify::selected", G_CALLBACK (format_cb), self,
                           G_CONNECT_SWAPPED);
}

void
gw_preferences_results_set_endpoint (GwPreferencesResults *self,
                                     GwEndpoint *endpoint)
{
  self->endpoint = g_object_ref (endpoint);
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (endpoint_changed_cb), self,
                           G_CONNECT_SWAPPED);
}
