/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-editor"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-provider-address.h"
#include "gw-provider-editor-private.h"
#include "gw-provider-words.h"

/* What stands in the form: filled with what the gateway knows of the provider or with a preset,
 * and read as the gateway takes it. */

static const char *const kinds[] = { "openai", "command", "practice" };

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

JsonObject *
_gw_provider_editor_make_body (GwProviderEditor *self)
{
  g_autoptr (JsonObject) body = json_object_new ();
  GwProviderEditorKind kind = _gw_provider_editor_get_kind (self);
  const char *typed = _gw_provider_editor_get_text (self->address_row);

  json_object_set_string_member (body, "kind", kinds[kind]);
  if (gtk_widget_get_visible (GTK_WIDGET (self->name_row)))
    json_object_set_string_member (body, "title", _gw_provider_editor_get_text (self->name_row));
  if (kind == GW_PROVIDER_EDITOR_OPENAI)
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
              _gw_provider_editor_set_error (self, self->address_row, explain_fault (fault));
              return NULL;
            }
          if (g_strcmp0 (address, typed) != 0)
            {
              self->filling = TRUE;
              _gw_provider_editor_set_text (self->address_row, address);
              self->filling = FALSE;
            }
        }
      json_object_set_string_member (body, "base_url",
                                     _gw_provider_editor_get_text (self->address_row));
    }
  else if (kind == GW_PROVIDER_EDITOR_COMMAND)
    json_object_set_string_member (body, "command",
                                   _gw_provider_editor_get_text (self->command_row));
  json_object_set_string_member (body, "model", _gw_provider_editor_get_text (self->model_row));
  json_object_set_int_member (body, "max_concurrency",
                              gtk_spin_button_get_value_as_int (self->at_once_spin));
  json_object_set_int_member (body, "requests_per_minute",
                              gtk_spin_button_get_value_as_int (self->per_minute_spin));
  json_object_set_int_member (body, "timeout_seconds",
                              gtk_spin_button_get_value_as_int (self->timeout_spin));
  json_object_set_double_member (body, "latency", gtk_spin_button_get_value (self->latency_spin));
  json_object_set_boolean_member (body, "stream", gtk_switch_get_active (self->stream_switch));
  if (gtk_widget_get_visible (GTK_WIDGET (self->key_row))
      && *_gw_provider_editor_get_text (self->key_row) != '\0')
    {
      g_autofree char *keys = gw_provider_split_keys (_gw_provider_editor_get_text (self->key_row));

      json_object_set_string_member (body, "key", keys);
      explicit_bzero (keys, strlen (keys));
    }
  else if (self->forgets_key)
    json_object_set_string_member (body, "key", "");
  return g_steal_pointer (&body);
}

char *
_gw_provider_editor_make_name (GwProviderEditor *self)
{
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();
  guint i;

  if (self->provider != NULL)
    return g_strdup (gw_json_peek_string (self->provider, "name"));
  for (i = 0; i < self->providers->len; i++)
    g_ptr_array_add (taken, (char *) gw_json_peek_string (self->providers->pdata[i], "name"));
  return gw_provider_make_name (_gw_provider_editor_get_text (self->name_row), taken);
}

/* Which field the gateway complains of: its sentences begin with the name of one. */
AdwEntryRow *
_gw_provider_editor_find_field (GwProviderEditor *self,
                                const char *message)
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

/* The file may say more, or less, than anybody would choose here: it is shown, and sent back, as it
 * is. */
static void
fill_spin (GtkSpinButton *spin,
           double value)
{
  GtkAdjustment *adjustment = gtk_spin_button_get_adjustment (spin);

  gtk_adjustment_set_lower (adjustment, MIN (gtk_adjustment_get_lower (adjustment), value));
  gtk_adjustment_set_upper (adjustment, MAX (gtk_adjustment_get_upper (adjustment), value));
  gtk_spin_button_set_value (spin, value);
}

static void
fill_limits (GwProviderEditor *self)
{
  JsonObject *provider = self->provider;

  fill_spin (self->at_once_spin, (double) gw_json_peek_int (provider, "max_concurrency", 5));
  fill_spin (self->per_minute_spin,
             (double) gw_json_peek_int (provider, "requests_per_minute", 0));
  fill_spin (self->timeout_spin, (double) gw_json_peek_int (provider, "timeout_seconds", 120));
  fill_spin (self->latency_spin, gw_json_peek_double (provider, "latency", 3));
  gtk_switch_set_active (self->stream_switch, gw_json_peek_boolean (provider, "stream", FALSE));
}

static void
fill_command (GwProviderEditor *self,
              JsonArray *command)
{
  g_autoptr (GString) line = g_string_new (NULL);
  guint i;

  for (i = 0; command != NULL && i < json_array_get_length (command); i++)
    {
      const char *word = gw_json_peek_string_at (command, i);
      g_autofree char *quoted = NULL;

      if (word == NULL)
        continue;
      quoted = *word != '\0' && strpbrk (word, " \t\n'\"\\$`*?;&|<>()#~!{}[]") == NULL
                   ? g_strdup (word)
                   : g_shell_quote (word);
      g_string_append_printf (line, "%s%s", i > 0 ? " " : "", quoted);
    }
  _gw_provider_editor_set_text (self->command_row, line->str);
}

void
_gw_provider_editor_fill (GwProviderEditor *self)
{
  JsonObject *provider = self->provider;
  const char *kind = provider != NULL ? gw_json_peek_string (provider, "kind") : NULL;
  JsonObject *tested = provider != NULL ? gw_json_peek_object (provider, "tested") : NULL;
  JsonObject *found = provider != NULL ? gw_json_peek_object (provider, "found") : NULL;
  guint i;

  self->filling = TRUE;
  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (kinds[i], kind) == 0)
      adw_combo_row_set_selected (self->kind_row, i);
  _gw_provider_editor_set_models (self, NULL);
  _gw_provider_editor_show_test_words (self, _("Not tested yet"), NULL);
  if (provider != NULL)
    {
      g_autofree char *key = gw_provider_key_to_words (provider);

      _gw_provider_editor_set_text (self->name_row, gw_provider_get_title (provider));
      _gw_provider_editor_set_text (self->address_row, gw_json_peek_string (provider, "base_url"));
      fill_command (self, gw_json_peek_array (provider, "command"));
      _gw_provider_editor_set_text (self->model_row, gw_json_peek_string (provider, "model"));
      fill_limits (self);
      adw_preferences_row_set_title (self->key_state_row, key);
      if (found != NULL)
        _gw_provider_editor_set_models (self, gw_json_peek_array (found, "models"));
      if (tested != NULL)
        _gw_provider_editor_show_test (self, tested);
    }
  self->filling = FALSE;
}

void
_gw_provider_editor_preset_changed_cb (GwProviderEditor *self)
{
  guint selected = adw_combo_row_get_selected (self->preset_row);
  JsonObject *preset;

  if (self->filling || selected >= self->presets->len)
    return;
  preset = self->presets->pdata[selected];
  g_clear_pointer (&self->provider, json_object_unref);
  self->provider = preset != NULL ? json_object_ref (preset) : NULL;
  self->filling = TRUE;
  _gw_provider_editor_set_text (self->name_row, "");
  _gw_provider_editor_set_text (self->address_row, "");
  _gw_provider_editor_set_text (self->model_row, "");
  self->filling = FALSE;
  _gw_provider_editor_fill (self);
  _gw_provider_editor_set_error (self, NULL, NULL);
  _gw_provider_editor_update (self);
}

/* A new one: which services the catalogue knows that are not in the list yet. */
void
_gw_provider_editor_fill_presets (GwProviderEditor *self)
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
  _gw_provider_editor_preset_changed_cb (self);
}
