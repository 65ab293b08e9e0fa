/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-editor"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-provider-address.h"

#include "gw-preferences-private.h"
#include "gw-provider-editor.h"
#include "gw-provider-words.h"

/* Everything about one provider, or about one to be. What stands here is written as a whole by Save
 * and tried by Test without being written. A key goes one way only: from here to the gateway; what
 * is told is where it is. A fault stands at the top and marks its field. */

typedef enum {
  KIND_OPENAI,
  KIND_COMMAND,
  KIND_PRACTICE,
} Kind;

static const char *const kinds[] = { "openai", "command", "practice" };

struct _GwProviderEditor {
  AdwBin parent_instance;

  /* Template children */
  AdwWindowTitle *title;
  GtkButton *save_button;
  AdwPreferencesPage *page;
  AdwPreferencesGroup *error_group;
  AdwPreferencesRow *error_row;
  AdwPreferencesGroup *main_group;
  AdwComboRow *preset_row;
  AdwEntryRow *name_row;
  AdwComboRow *kind_row;
  AdwEntryRow *address_row;
  AdwEntryRow *command_row;
  AdwPreferencesGroup *key_group;
  AdwPreferencesRow *key_state_row;
  AdwEntryRow *key_row;
  AdwPreferencesGroup *test_group;
  AdwActionRow *test_row;
  GtkImage *test_image;
  GtkSpinner *test_spinner;
  GtkButton *test_button;
  AdwPreferencesGroup *model_group;
  AdwEntryRow *model_row;
  GtkMenuButton *model_button;
  GtkPopover *model_popover;
  GtkEditable *model_search;
  GtkListView *model_view;
  AdwPreferencesGroup *limits_group;
  GtkSpinButton *at_once_spin;
  GtkSpinButton *per_minute_spin;
  GtkSpinButton *timeout_spin;
  GtkSpinButton *latency_spin;
  AdwPreferencesGroup *stream_group;
  GtkSwitch *stream_switch;
  AdwPreferencesGroup *remove_group;

  /* Owned references */
  GwEndpoint *endpoint;
  GCancellable *cancellable;
  GCancellable *testing;    /* (nullable) */
  GPtrArray *providers;     /* (element-type JsonObject) all there are */
  GPtrArray *presets;       /* (element-type JsonObject) (nullable elements: of one's own) */
  JsonObject *provider;     /* (nullable) NULL: a new one of one's own */
  GtkStringList *models;
  char *name;               /* (nullable) of the one that is there */

  gboolean writable;
  gboolean filling;
  gboolean replaces_key;
  gboolean forgets_key;
  gboolean dirty;
  gboolean busy;
};

enum {
  SAVED,
  LEFT,
  REMOVE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwProviderEditor, gw_provider_editor, ADW_TYPE_BIN)

static const char *
get_text (AdwEntryRow *row)
{
  return gtk_editable_get_text (GTK_EDITABLE (row));
}

static void
set_text (AdwEntryRow *row, const char *text)
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

static void
set_error (GwProviderEditor *self, AdwEntryRow *row, const char *words)
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

static Kind
get_kind (GwProviderEditor *self)
{
  return (Kind) MIN (adw_combo_row_get_selected (self->kind_row), KIND_PRACTICE);
}

static void
update (GwProviderEditor *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  Kind kind = get_kind (self);
  gboolean is_preset = self->provider != NULL
                       && gw_json_peek_boolean (self->provider, "preset", FALSE);
  gboolean complete = kind == KIND_PRACTICE || *get_text (kind == KIND_COMMAND
                                                              ? self->command_row
                                                              : self->address_row) != '\0';
  gboolean shows_state = has_key (self) && !self->replaces_key && !self->forgets_key;
  gboolean tests = self->testing != NULL;

  complete = complete && (is_preset || *get_text (self->name_row) != '\0');
  gtk_widget_set_visible (GTK_WIDGET (self->name_row), !is_preset);
  gtk_widget_set_visible (GTK_WIDGET (self->kind_row), !is_preset);
  gtk_widget_set_visible (GTK_WIDGET (self->address_row), kind == KIND_OPENAI);
  gtk_widget_set_visible (GTK_WIDGET (self->command_row), kind == KIND_COMMAND);
  gtk_widget_set_visible (GTK_WIDGET (self->key_group), kind == KIND_OPENAI);
  gtk_widget_set_visible (GTK_WIDGET (self->stream_group), kind == KIND_OPENAI);
  gtk_widget_set_visible (GTK_WIDGET (self->model_group), kind != KIND_PRACTICE);
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
  set_error (self, NULL, NULL);
  update (self);
}

/* Models */

static void
set_models (GwProviderEditor *self, JsonArray *models)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;
  guint i;

  for (i = 0; models != NULL && i < json_array_get_length (models); i++)
    {
      const char *model = json_array_get_string_element (models, i);

      if (model != NULL)
        g_strv_builder_add (names, model);
    }
  list = g_strv_builder_end (names);
  gtk_string_list_splice (self->models, 0, n, (const char *const *) list);
}

static void
model_activated_cb (GwProviderEditor *self, guint position)
{
  GListModel *model = G_LIST_MODEL (gtk_list_view_get_model (self->model_view));
  g_autoptr (GtkStringObject) chosen = g_list_model_get_item (model, position);

  if (chosen != NULL)
    set_text (self->model_row, gtk_string_object_get_string (chosen));
  gtk_popover_popdown (self->model_popover);
}

static void
setup_model_cb (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_list_item_set_child (item, label);
}

static void
bind_model_cb (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GtkStringObject *model = gtk_list_item_get_item (item);

  gtk_label_set_label (GTK_LABEL (gtk_list_item_get_child (item)),
                       gtk_string_object_get_string (model));
}

static void
init_model_view (GwProviderEditor *self)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkExpression *expression = gtk_property_expression_new (GTK_TYPE_STRING_OBJECT, NULL, "string");
  GtkStringFilter *filter = gtk_string_filter_new (expression);
  GtkFilterListModel *filtered;
  GtkNoSelection *selection;

  g_signal_connect (factory, "setup", G_CALLBACK (setup_model_cb), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_model_cb), NULL);
  g_object_bind_property (self->model_search, "text", filter, "search", G_BINDING_DEFAULT);
  filtered = gtk_filter_list_model_new (G_LIST_MODEL (g_object_ref (self->models)),
                                        GTK_FILTER (filter));
  selection = gtk_no_selection_new (G_LIST_MODEL (filtered));
  gtk_list_view_set_factory (self->model_view, factory);
  gtk_list_view_set_model (self->model_view, GTK_SELECTION_MODEL (selection));
  g_object_unref (factory);
  g_object_unref (selection);
}

/* What stands here, as the gateway takes it */

static const char *
explain_fault (GwAddressFault fault)
{
  switch (fault)
    {
    case GW_ADDRESS_EMPTY:
      return _("The address is missing");
    case GW_ADDRESS_SCHEME:
      return _("The address must begin with https://");
    case GW_ADDRESS_PLAIN:
      return _("This address would send the key and the tasks unencrypted. Use https://; http:// "
               "is only for this computer and its own network");
    case GW_ADDRESS_PASSWORD:
      return _("The address must hold no user name and no password");
    case GW_ADDRESS_QUERY:
      return _("The address must end with a path, without ? or #");
    case GW_ADDRESS_GOOD:
    case GW_ADDRESS_BROKEN:
    default:
      return _("That is not a web address");
    }
}

static JsonObject *
make_body (GwProviderEditor *self)
{
  g_autoptr (JsonObject) body = json_object_new ();
  Kind kind = get_kind (self);
  const char *typed = get_text (self->address_row);

  json_object_set_string_member (body, "kind", kinds[kind]);
  if (gtk_widget_get_visible (GTK_WIDGET (self->name_row)))
    json_object_set_string_member (body, "title", get_text (self->name_row));
  if (kind == KIND_OPENAI)
    {
      const char *stored = self->provider != NULL
                               ? gw_json_peek_string (self->provider, "base_url")
                               : NULL;

      /* What the catalogue says stays as it says it. */
      if (g_strcmp0 (stored, typed) != 0)
        {
          GwAddressFault fault;
          g_autofree char *address = gw_provider_address_normalise (typed, &fault);

          if (address == NULL)
            {
              set_error (self, self->address_row, explain_fault (fault));
              return NULL;
            }
          if (g_strcmp0 (address, typed) != 0)
            {
              self->filling = TRUE;
              set_text (self->address_row, address);
              self->filling = FALSE;
            }
        }
      json_object_set_string_member (body, "base_url", get_text (self->address_row));
    }
  else if (kind == KIND_COMMAND)
    json_object_set_string_member (body, "command", get_text (self->command_row));
  json_object_set_string_member (body, "model", get_text (self->model_row));
  json_object_set_int_member (body, "max_concurrency",
                              gtk_spin_button_get_value_as_int (self->at_once_spin));
  json_object_set_int_member (body, "requests_per_minute",
                              gtk_spin_button_get_value_as_int (self->per_minute_spin));
  json_object_set_int_member (body, "timeout_seconds",
                              gtk_spin_button_get_value_as_int (self->timeout_spin));
  json_object_set_double_member (body, "latency", gtk_spin_button_get_value (self->latency_spin));
  json_object_set_boolean_member (body, "stream", gtk_switch_get_active (self->stream_switch));
  if (gtk_widget_get_visible (GTK_WIDGET (self->key_row)) && *get_text (self->key_row) != '\0')
    {
      g_autofree char *keys = gw_provider_split_keys (get_text (self->key_row));

      json_object_set_string_member (body, "key", keys);
      explicit_bzero (keys, strlen (keys));
    }
  else if (self->forgets_key)
    json_object_set_string_member (body, "key", "");
  return g_steal_pointer (&body);
}

static char *
make_name (GwProviderEditor *self)
{
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();
  guint i;

  if (self->provider != NULL)
    return g_strdup (gw_json_peek_string (self->provider, "name"));
  for (i = 0; i < self->providers->len; i++)
    g_ptr_array_add (taken, (char *) gw_json_peek_string (self->providers->pdata[i], "name"));
  return gw_provider_make_name (get_text (self->name_row), taken);
}

/* Testing */

static void
show_test (GwProviderEditor *self, JsonObject *test)
{
  GwProviderMood mood = GW_PROVIDER_MOOD_PLAIN;
  g_autofree char *words = gw_provider_test_to_words (test, get_text (self->model_row), &mood);
  JsonObject *error = gw_json_peek_object (test, "error");
  const char *exact = error != NULL ? gw_json_peek_string (error, "message") : NULL;

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->test_row), words);
  adw_action_row_set_subtitle (self->test_row,
                               exact != NULL && g_strcmp0 (exact, words) != 0 ? exact : "");
  gtk_widget_set_visible (GTK_WIDGET (self->test_image), TRUE);
  gtk_image_set_from_icon_name (self->test_image, mood == GW_PROVIDER_MOOD_GOOD
                                                      ? "gw-completed-symbolic"
                                                      : "gw-failed-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (self->test_image), "error");
  gtk_widget_remove_css_class (GTK_WIDGET (self->test_image), "success");
  gtk_widget_add_css_class (GTK_WIDGET (self->test_image),
                            mood == GW_PROVIDER_MOOD_GOOD ? "success" : "error");
  if (gw_json_peek_boolean (test, "ok", FALSE))
    set_models (self, gw_json_peek_array (test, "models"));
}

static void
show_test_words (GwProviderEditor *self, const char *words, const char *more)
{
  gtk_widget_set_visible (GTK_WIDGET (self->test_image), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->test_row), words);
  adw_action_row_set_subtitle (self->test_row, more != NULL ? more : "");
}

static void
tested_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwProviderEditor) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) test = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  /* Another one may have been begun since this one was given up. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->testing);
  if (test != NULL)
    show_test (self, test);
  else
    {
      g_autofree char *words = _gw_preferences_error_to_words (error);

      show_test_words (self, _("It could not be tested"), words);
    }
  update (self);
}

static void
test_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  g_autoptr (JsonObject) body = NULL;

  if (self->testing != NULL)
    {
      g_cancellable_cancel (self->testing);
      g_clear_object (&self->testing);
      show_test_words (self, _("Not tested"), NULL);
      update (self);
      return;
    }
  set_error (self, NULL, NULL);
  /* What is written already may be tested by anybody. */
  if (self->dirty || self->name == NULL)
    {
      body = make_body (self);
      if (body == NULL)
        return;
    }
  if (client == NULL)
    return;
  name = make_name (self);
  path = gw_client_build_path ("providers", name, "test", NULL);
  self->testing = g_cancellable_new ();
  show_test_words (self, _("Testing…"), NULL);
  update (self);
  gw_client_call_async (client, "POST", path, body, self->testing, tested_cb,
                        g_object_ref (self));
}

/* Saving */

/* Which field the gateway complains of: its sentences begin with the name of one. */
static AdwEntryRow *
find_field (GwProviderEditor *self, const char *message)
{
  const struct {
    const char *prefix;
    AdwEntryRow *row;
  } fields[] = {
    { "base-url", self->address_row }, { "base_url", self->address_row },
    { "command", self->command_row },  { "key", self->key_row },
    { "model", self->model_row },      { "name", self->name_row },
    { "title", self->name_row },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++)
    if (g_str_has_prefix (message, fields[i].prefix)
        && message[strlen (fields[i].prefix)] == ':')
      return fields[i].row;
  return NULL;
}

static void
saved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwProviderEditor) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) provider = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->busy = FALSE;
  update (self);
  if (provider == NULL)
    {
      g_autofree char *words = _gw_preferences_error_to_words (error);

      set_error (self, find_field (self, error->message), words);
      return;
    }
  self->dirty = FALSE;
  self->filling = TRUE;
  set_text (self->key_row, "");
  g_signal_emit (self, signals[SAVED], 0, gw_json_peek_string (provider, "name"),
                 gtk_widget_get_visible (GTK_WIDGET (self->key_row))
                     ? gw_json_peek_string (provider, "key_source")
                     : NULL);
}

static void
save (GwProviderEditor *self)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *name = make_name (self);
  g_autofree char *path = gw_client_build_path ("providers", name, NULL);
  g_autoptr (JsonObject) body = NULL;

  set_error (self, NULL, NULL);
  body = make_body (self);
  if (body == NULL)
    return;
  if (client == NULL)
    {
      set_error (self, NULL, _("The gateway does not answer"));
      return;
    }
  if (self->name == NULL)
    json_object_set_boolean_member (body, "enabled", TRUE);
  self->busy = TRUE;
  update (self);
  gw_client_call_async (client, "PUT", path, body, self->cancellable, saved_cb,
                        g_object_ref (self));
}

static void
save_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  save (GW_PROVIDER_EDITOR (widget));
}

/* Leaving */

static void
leave_response_cb (GwProviderEditor *self, const char *response, AdwMessageDialog *dialog)
{
  GCallback then = g_object_get_data (G_OBJECT (dialog), "gw-then");
  gpointer object = g_object_get_data (G_OBJECT (dialog), "gw-object");

  if (g_str_equal (response, "save"))
    save (self);
  else if (g_str_equal (response, "discard"))
    {
      self->dirty = FALSE;
      ((void (*) (gpointer)) then) (object);
    }
}

/**
 * gw_provider_editor_may_leave:
 * @then: called with @object if the user lets go of what was typed
 *
 * Returns: whether nothing would be lost; otherwise the user is asked
 */
gboolean
gw_provider_editor_may_leave (GwProviderEditor *self, GCallback then, gpointer object)
{
  GtkWidget *dialog;

  g_return_val_if_fail (GW_IS_PROVIDER_EDITOR (self), TRUE);

  if (!self->dirty || !self->writable)
    return TRUE;
  dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                                   _("Save Changes?"),
                                   _("What was changed for this provider is not saved yet."));
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _("_Cancel"),
                                    "discard", _("_Discard"), "save", _("_Save"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "discard",
                                              ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "save",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "save");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_object_set_data (G_OBJECT (dialog), "gw-then", (gpointer) then);
  g_object_set_data_full (G_OBJECT (dialog), "gw-object", g_object_ref (object), g_object_unref);
  g_signal_connect_object (dialog, "response", G_CALLBACK (leave_response_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
  return FALSE;
}

static void
leave (GwProviderEditor *self)
{
  g_signal_emit (self, signals[LEFT], 0);
}

static void
back_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  if (gw_provider_editor_may_leave (self, G_CALLBACK (leave), self))
    leave (self);
}

static void
remove_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  self->dirty = FALSE;
  g_signal_emit (self, signals[REMOVE], 0, self->name);
}

static void
replace_key_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  self->replaces_key = TRUE;
  update (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->key_row));
}

static void
forget_key_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  self->forgets_key = TRUE;
  edited_cb (self);
  _gw_preferences_toast (widget, _("The key is forgotten when you save"));
}

/* Filling */

static void
fill_limits (GwProviderEditor *self)
{
  JsonObject *provider = self->provider;
  GtkAdjustment *at_once = gtk_spin_button_get_adjustment (self->at_once_spin);
  gint64 concurrency = gw_json_peek_int (provider, "max_concurrency", 5);

  /* The file may allow more than anybody would choose here. */
  if (concurrency > 64)
    gtk_adjustment_set_upper (at_once, 1000);
  gtk_spin_button_set_value (self->at_once_spin, (double) concurrency);
  gtk_spin_button_set_value (self->per_minute_spin,
                             (double) gw_json_peek_int (provider, "requests_per_minute", 0));
  gtk_spin_button_set_value (self->timeout_spin,
                             (double) gw_json_peek_int (provider, "timeout_seconds", 120));
  gtk_spin_button_set_value (self->latency_spin, gw_json_peek_double (provider, "latency", 3));
  gtk_switch_set_active (self->stream_switch, gw_json_peek_boolean (provider, "stream", FALSE));
}

static void
fill_command (GwProviderEditor *self, JsonArray *command)
{
  g_autoptr (GString) line = g_string_new (NULL);
  guint i;

  for (i = 0; command != NULL && i < json_array_get_length (command); i++)
    {
      const char *word = json_array_get_string_element (command, i);
      g_autofree char *quoted = NULL;

      if (word == NULL)
        continue;
      quoted = *word != '\0' && strpbrk (word, " \t\n'\"\\$`*?;&|<>()#~!{}[]") == NULL
                   ? g_strdup (word)
                   : g_shell_quote (word);
      g_string_append_printf (line, "%s%s", i > 0 ? " " : "", quoted);
    }
  set_text (self->command_row, line->str);
}

static void
fill (GwProviderEditor *self)
{
  JsonObject *provider = self->provider;
  const char *kind = provider != NULL ? gw_json_peek_string (provider, "kind") : NULL;
  JsonObject *tested = provider != NULL ? gw_json_peek_object (provider, "tested") : NULL;
  JsonObject *found = provider != NULL ? gw_json_peek_object (provider, "found") : NULL;
  const char *note = provider != NULL ? gw_provider_get_note (provider) : NULL;
  guint i;

  self->filling = TRUE;
  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (kinds[i], kind) == 0)
      adw_combo_row_set_selected (self->kind_row, i);
  if (note != NULL)
    {
      g_autofree char *escaped = g_markup_escape_text (note, -1);

      adw_preferences_group_set_description (self->main_group, escaped);
    }
  else
    adw_preferences_group_set_description (self->main_group, NULL);
  set_models (self, NULL);
  show_test_words (self, _("Not tested yet"), NULL);
  if (provider != NULL)
    {
      g_autofree char *key = gw_provider_key_to_words (provider);

      set_text (self->name_row, gw_provider_get_title (provider));
      set_text (self->address_row, gw_json_peek_string (provider, "base_url"));
      fill_command (self, gw_json_peek_array (provider, "command"));
      set_text (self->model_row, gw_json_peek_string (provider, "model"));
      fill_limits (self);
      adw_preferences_row_set_title (self->key_state_row, key);
      if (found != NULL)
        set_models (self, gw_json_peek_array (found, "models"));
      if (tested != NULL)
        show_test (self, tested);
    }
  self->filling = FALSE;
}

static void
preset_changed_cb (GwProviderEditor *self)
{
  guint selected = adw_combo_row_get_selected (self->preset_row);
  JsonObject *preset;

  if (self->filling || selected >= self->presets->len)
    return;
  preset = self->presets->pdata[selected];
  g_clear_pointer (&self->provider, json_object_unref);
  self->provider = preset != NULL ? json_object_ref (preset) : NULL;
  self->filling = TRUE;
  set_text (self->address_row, "");
  set_text (self->model_row, "");
  self->filling = FALSE;
  fill (self);
  set_error (self, NULL, NULL);
  update (self);
}

/* A new one: which services the catalogue knows that are not in the list yet. */
static void
fill_presets (GwProviderEditor *self)
{
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  guint chosen = 0;
  guint i;

  for (i = 0; i < self->providers->len; i++)
    {
      JsonObject *provider = self->providers->pdata[i];

      if (!gw_json_peek_boolean (provider, "preset", FALSE) || gw_provider_is_listed (provider)
          || g_strcmp0 (gw_json_peek_string (provider, "kind"), "practice") == 0)
        continue;
      gtk_string_list_append (titles, gw_provider_get_title (provider));
      /* What is there already goes before what most people know. */
      if (gw_json_peek_object (provider, "found") != NULL
          || (chosen == 0 && g_strcmp0 (gw_json_peek_string (provider, "name"), "openai") == 0))
        chosen = self->presets->len;
      g_ptr_array_add (self->presets, json_object_ref (provider));
    }
  gtk_string_list_append (titles, _("Other"));
  g_ptr_array_add (self->presets, NULL);
  self->filling = TRUE;
  adw_combo_row_set_model (self->preset_row, G_LIST_MODEL (titles));
  adw_combo_row_set_selected (self->preset_row, chosen);
  self->filling = FALSE;
  preset_changed_cb (self);
}

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
  gtk_widget_class_bind_template_callback (widget_class, preset_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, model_activated_cb);
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
  gtk_widget_class_install_action (widget_class, "editor.save", NULL, save_action);
  gtk_widget_class_install_action (widget_class, "editor.back", NULL, back_action);
  gtk_widget_class_install_action (widget_class, "editor.test", NULL, test_action);
  gtk_widget_class_install_action (widget_class, "editor.remove", NULL, remove_action);
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
  init_model_view (self);
  self->filling = FALSE;
}

static void
endpoint_changed_cb (GwProviderEditor *self)
{
  update (self);
}

/**
 * gw_provider_editor_new:
 * @endpoint: whose gateway it belongs to
 * @providers: (element-type JsonObject): all that the gateway knows
 * @provider: (nullable): the one of them to edit; %NULL for a new one
 * @writable: whether the gateway lets us change it
 */
GwProviderEditor *
gw_provider_editor_new (GwEndpoint *endpoint, GPtrArray *providers, JsonObject *provider,
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
      fill (self);
    }
  else
    {
      adw_window_title_set_title (self->title, _("New Provider"));
      gtk_button_set_label (self->save_button, _("_Add"));
      fill_presets (self);
    }
  if (why_not != NULL)
    adw_window_title_set_subtitle (self->title, _("Read only"));
  update (self);
  return self;
}
