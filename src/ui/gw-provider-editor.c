/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-editor"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-desktop-calls.h"
#include "gw-json.h"
#include "gw-preferences-private.h"
#include "gw-provider-editor-private.h"
#include "gw-provider-words.h"

/* Everything about one provider, or about one to be. What stands here is written as a whole by Save
 * and tried by Test without being written. A key goes one way only: from here to the gateway; what
 * is told is where it is. A fault stands at the top and marks its field. */

enum {
  SAVED,
  LEFT,
  REMOVE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwProviderEditor, gw_provider_editor, ADW_TYPE_BIN)

const char *
_gw_provider_editor_get_text (AdwEntryRow *row)
{
  return gtk_editable_get_text (GTK_EDITABLE (row));
}

void
_gw_provider_editor_set_text (AdwEntryRow *row,
                              const char *text)
{
  gtk_editable_set_text (GTK_EDITABLE (row), text != NULL ? text : "");
}

static gboolean
has_key (GwProviderEditor *self)
{
  return self->provider != NULL && gw_json_peek_int (self->provider, "keys", 0) > 0;
}

/* Only a key that is written here can be forgotten here. */
static gboolean
is_key_ours (GwProviderEditor *self)
{
  const char *source = self->provider != NULL ? gw_json_peek_string (self->provider, "key_source")
                                              : NULL;

  return g_strcmp0 (source, "keyring") == 0 || g_strcmp0 (source, "session") == 0;
}

void
_gw_provider_editor_set_error (GwProviderEditor *self,
                               AdwEntryRow *row,
                               const char *words)
{
  AdwEntryRow *const rows[] = { self->name_row, self->address_row, self->command_row,
                                self->key_row, self->model_row };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gtk_widget_remove_css_class (GTK_WIDGET (rows[i]), "error");
      gtk_accessible_reset_state (GTK_ACCESSIBLE (rows[i]), GTK_ACCESSIBLE_STATE_INVALID);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->error_group), words != NULL);
  adw_preferences_row_set_title (self->error_row, words != NULL ? words : "");
  if (row == NULL)
    return;
  gtk_widget_add_css_class (GTK_WIDGET (row), "error");
  gtk_accessible_update_state (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_STATE_INVALID,
                               GTK_ACCESSIBLE_INVALID_TRUE, -1);
  gtk_widget_grab_focus (GTK_WIDGET (row));
}

GwProviderEditorKind
_gw_provider_editor_get_kind (GwProviderEditor *self)
{
  return (GwProviderEditorKind) MIN (adw_combo_row_get_selected (self->kind_row),
                                     GW_PROVIDER_EDITOR_PRACTICE);
}

/* What the catalogue says of it; of a command, where it runs. */
static void
show_note (GwProviderEditor *self,
           GwProviderEditorKind kind)
{
  const char *note = self->provider != NULL ? gw_provider_get_note (self->provider) : NULL;
  g_autofree char *escaped = NULL;

  if (kind == GW_PROVIDER_EDITOR_COMMAND && gw_desktop_is_sandboxed ()
      && gw_endpoint_is_builtin (self->endpoint))
    note = _("The command runs inside the sandbox of this app, and sees no programs or files of "
             "your system.");
  if (note != NULL)
    escaped = g_markup_escape_text (note, -1);
  adw_preferences_group_set_description (self->main_group, escaped);
}

static const char *
describe_test (GwProviderEditorKind kind)
{
  if (kind == GW_PROVIDER_EDITOR_OPENAI)
    return _("Asks for the list of models with what stands above. Costs nothing, and changes "
             "nothing.");
  if (kind == GW_PROVIDER_EDITOR_COMMAND)
    return _("Looks whether there is such a program. Runs nothing, and changes nothing.");
  return NULL;
}

void
_gw_provider_editor_update (GwProviderEditor *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GwProviderEditorKind kind = _gw_provider_editor_get_kind (self);
  gboolean is_preset = self->provider != NULL
                       && gw_json_peek_boolean (self->provider, "preset", FALSE);
  gboolean complete
      = kind == GW_PROVIDER_EDITOR_PRACTICE
        || *_gw_provider_editor_get_text (kind == GW_PROVIDER_EDITOR_COMMAND ? self->command_row
                                                                             : self->address_row)
               != '\0';
  gboolean shows_state = has_key (self) && !self->replaces_key && !self->forgets_key;
  gboolean tests = self->testing != NULL;

  complete = complete && (is_preset || *_gw_provider_editor_get_text (self->name_row) != '\0');
  gtk_widget_set_visible (GTK_WIDGET (self->name_row), !is_preset);
  gtk_widget_set_visible (GTK_WIDGET (self->kind_row), !is_preset);
  show_note (self, kind);
  adw_preferences_group_set_description (self->test_group, describe_test (kind));
  gtk_widget_set_visible (GTK_WIDGET (self->address_row), kind == GW_PROVIDER_EDITOR_OPENAI);
  gtk_widget_set_visible (GTK_WIDGET (self->command_row), kind == GW_PROVIDER_EDITOR_COMMAND);
  gtk_widget_set_visible (GTK_WIDGET (self->key_group), kind == GW_PROVIDER_EDITOR_OPENAI);
  gtk_widget_set_visible (GTK_WIDGET (self->stream_group), kind == GW_PROVIDER_EDITOR_OPENAI);
  gtk_widget_set_visible (GTK_WIDGET (self->model_group), kind != GW_PROVIDER_EDITOR_PRACTICE);
  gtk_widget_set_visible (GTK_WIDGET (self->key_state_row), shows_state);
  gtk_widget_set_visible (GTK_WIDGET (self->key_row), !shows_state);
  gtk_widget_set_sensitive (GTK_WIDGET (self->main_group), self->writable && !self->busy);
  gtk_widget_set_sensitive (GTK_WIDGET (self->key_group), self->writable && !self->busy);
  gtk_widget_set_sensitive (GTK_WIDGET (self->model_group), self->writable && !self->busy);
  gtk_widget_set_sensitive (GTK_WIDGET (self->limits_group), self->writable && !self->busy);
  gtk_widget_set_visible (GTK_WIDGET (self->remove_group), self->name != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->model_button),
                            g_list_model_get_n_items (G_LIST_MODEL (self->models)) > 0);

  gtk_widget_action_set_enabled (widget, "editor.save",
                                 self->writable && complete && !self->busy
                                     && (self->dirty || self->name == NULL));
  gtk_widget_action_set_enabled (widget, "editor.test",
                                 !self->busy && complete
                                     && _gw_preferences_get_client (self->endpoint) != NULL);
  gtk_widget_action_set_enabled (widget, "editor.replace-key", self->writable);
  gtk_widget_action_set_enabled (widget, "editor.forget-key",
                                 self->writable && is_key_ours (self));
  gtk_widget_action_set_enabled (widget, "editor.remove",
                                 self->writable && self->name != NULL && !self->busy);
  gtk_button_set_label (self->test_button, tests ? _("_Cancel") : _("_Test"));
  gtk_widget_set_visible (GTK_WIDGET (self->test_spinner), tests);
  gtk_spinner_set_spinning (self->test_spinner, tests);
}

static void
edited_cb (GwProviderEditor *self)
{
  if (self->filling)
    return;
  self->dirty = TRUE;
  _gw_provider_editor_set_error (self, NULL, NULL);
  _gw_provider_editor_update (self);
}

/* Leaving */

static void
replace_key_action (GtkWidget *widget,
                    const char *action,
                    GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  self->replaces_key = TRUE;
  _gw_provider_editor_update (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->key_row));
}

static void
forget_key_action (GtkWidget *widget,
                   const char *action,
                   GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  self->forgets_key = TRUE;
  edited_cb (self);
  _gw_preferences_toast (widget, _("The key is forgotten when you save"));
}

/* Filling */

static void
free_preset (gpointer data)
{
  if (data != NULL)
    json_object_unref (data);
}

static void
gw_provider_editor_dispose (GObject *object)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (object);

  g_cancellable_cancel (self->cancellable);
  if (self->testing != NULL)
    g_cancellable_cancel (self->testing);
  g_clear_object (&self->testing);
  g_clear_object (&self->endpoint);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PROVIDER_EDITOR);
  G_OBJECT_CLASS (gw_provider_editor_parent_class)->dispose (object);
}

static void
gw_provider_editor_finalize (GObject *object)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (object);

  g_object_unref (self->cancellable);
  g_object_unref (self->models);
  g_clear_pointer (&self->providers, g_ptr_array_unref);
  g_ptr_array_unref (self->presets);
  g_clear_pointer (&self->provider, json_object_unref);
  g_free (self->name);
  G_OBJECT_CLASS (gw_provider_editor_parent_class)->finalize (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, title);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, save_button);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, page);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, error_group);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, error_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, main_group);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, preset_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, name_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, kind_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, address_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, command_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, key_group);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, key_state_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, key_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, test_group);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, test_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, test_image);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, test_spinner);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, test_button);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, model_group);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, model_row);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, model_button);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, model_popover);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, model_search);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, model_view);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, limits_group);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, at_once_spin);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, per_minute_spin);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, timeout_spin);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, latency_spin);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, stream_group);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, stream_switch);
  gtk_widget_class_bind_template_child (widget_class, GwProviderEditor, remove_group);
  gtk_widget_class_bind_template_callback (widget_class, edited_cb);
  gtk_widget_class_bind_template_callback_full (widget_class, "preset_changed_cb",
                                                G_CALLBACK (_gw_provider_editor_preset_changed_cb));
  gtk_widget_class_bind_template_callback_full (
      widget_class, "model_activated_cb", G_CALLBACK (_gw_provider_editor_model_activated_cb));
}

static void
gw_provider_editor_class_init (GwProviderEditorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_provider_editor_dispose;
  object_class->finalize = gw_provider_editor_finalize;
  signals[SAVED] = g_signal_new ("saved", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  signals[LEFT] = g_signal_new ("left", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 0);
  signals[REMOVE] = g_signal_new ("remove", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-provider-editor.ui");
  bind_children (widget_class);
  gtk_widget_class_install_action (widget_class, "editor.save", NULL,
                                   _gw_provider_editor_save_action);
  gtk_widget_class_install_action (widget_class, "editor.back", NULL,
                                   _gw_provider_editor_back_action);
  gtk_widget_class_install_action (widget_class, "editor.test", NULL,
                                   _gw_provider_editor_test_action);
  gtk_widget_class_install_action (widget_class, "editor.remove", NULL,
                                   _gw_provider_editor_remove_action);
  gtk_widget_class_install_action (widget_class, "editor.replace-key", NULL, replace_key_action);
  gtk_widget_class_install_action (widget_class, "editor.forget-key", NULL, forget_key_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "editor.back", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_s, GDK_CONTROL_MASK, "editor.save",
                                       NULL);
}

static void
gw_provider_editor_init (GwProviderEditor *self)
{
  self->cancellable = g_cancellable_new ();
  self->models = gtk_string_list_new (NULL);
  self->presets = g_ptr_array_new_with_free_func (free_preset);
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  _gw_provider_editor_init_model_view (self);
  self->filling = FALSE;
}

static void
endpoint_changed_cb (GwProviderEditor *self)
{
  _gw_provider_editor_update (self);
}

/**
 * gw_provider_editor_new:
 * @endpoint: whose gateway it belongs to
 * @providers: (element-type JsonObject): all that the gateway knows
 * @provider: (nullable): the one of them to edit; %NULL for a new one
 * @writable: whether the gateway lets us change it
 */
GwProviderEditor *
gw_provider_editor_new (GwEndpoint *endpoint,
                        GPtrArray *providers,
                        JsonObject *provider,
                        gboolean writable)
{
  GwProviderEditor *self = g_object_new (GW_TYPE_PROVIDER_EDITOR, NULL);
  g_autofree char *why_not = _gw_preferences_why_not (endpoint, writable);
  guint i;

  self->endpoint = g_object_ref (endpoint);
  self->writable = writable;
  self->providers = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  for (i = 0; i < providers->len; i++)
    g_ptr_array_add (self->providers, json_object_ref (providers->pdata[i]));
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (endpoint_changed_cb), self,
                           G_CONNECT_SWAPPED);
  adw_preferences_group_set_description (
      self->key_group, _("Several keys: between commas or line breaks. Tasks take them in turn; "
                         "one that is refused or used up is left out."));
  if (provider != NULL)
    {
      self->provider = json_object_ref (provider);
      self->name = g_strdup (gw_json_peek_string (provider, "name"));
      adw_window_title_set_title (self->title, gw_provider_get_title (provider));
      gtk_widget_set_visible (GTK_WIDGET (self->preset_row), FALSE);
      _gw_provider_editor_fill (self);
    }
  else
    {
      adw_window_title_set_title (self->title, _("New Provider"));
      gtk_button_set_label (self->save_button, _("_Add"));
      _gw_provider_editor_fill_presets (self);
    }
  if (why_not != NULL)
    adw_window_title_set_subtitle (self->title, _("Read only"));
  _gw_provider_editor_update (self);
  return self;
}
