/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-provider-editor.h"

G_BEGIN_DECLS

typedef enum {
  GW_PROVIDER_EDITOR_OPENAI,
  GW_PROVIDER_EDITOR_COMMAND,
  GW_PROVIDER_EDITOR_PRACTICE,
} GwProviderEditorKind;

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

/* gw-provider-editor.c */
const char *_gw_provider_editor_get_text (AdwEntryRow *row);
void _gw_provider_editor_set_text (AdwEntryRow *row, const char *text);
void _gw_provider_editor_set_error (GwProviderEditor *self, AdwEntryRow *row, const char *words);
GwProviderEditorKind _gw_provider_editor_get_kind (GwProviderEditor *self);
void _gw_provider_editor_update (GwProviderEditor *self);

/* gw-provider-editor-models.c */
void _gw_provider_editor_set_models (GwProviderEditor *self, JsonArray *models);
void _gw_provider_editor_model_activated_cb (GwProviderEditor *self, guint position);
void _gw_provider_editor_init_model_view (GwProviderEditor *self);

/* gw-provider-editor-form.c */
JsonObject *_gw_provider_editor_make_body (GwProviderEditor *self);
char *_gw_provider_editor_make_name (GwProviderEditor *self);
AdwEntryRow *_gw_provider_editor_find_field (GwProviderEditor *self, const char *message);
void _gw_provider_editor_fill (GwProviderEditor *self);
void _gw_provider_editor_preset_changed_cb (GwProviderEditor *self);
void _gw_provider_editor_fill_presets (GwProviderEditor *self);

/* gw-provider-editor-test.c */
void _gw_provider_editor_show_test (GwProviderEditor *self, JsonObject *test);
void _gw_provider_editor_show_test_words (GwProviderEditor *self, const char *words,
                                          const char *more);
void _gw_provider_editor_test_action (GtkWidget *widget, const char *action, GVariant *parameter);

/* gw-provider-editor-leave.c */
void _gw_provider_editor_save_action (GtkWidget *widget, const char *action, GVariant *parameter);
void _gw_provider_editor_back_action (GtkWidget *widget, const char *action, GVariant *parameter);
void _gw_provider_editor_remove_action (GtkWidget *widget, const char *action, GVariant *parameter);

G_END_DECLS
