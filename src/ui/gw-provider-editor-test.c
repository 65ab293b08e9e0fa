/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-editor"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-phrases.h"
#include "gw-preferences-private.h"
#include "gw-provider-editor-private.h"
#include "gw-provider-row.h"
#include "gw-provider-words.h"

/* Test: a question to what stands in the form, without writing it. */

void
_gw_provider_editor_show_test (GwProviderEditor *self,
                               JsonObject *test)
{
  GwProviderMood mood = GW_PROVIDER_MOOD_PLAIN;
  g_autofree char *words
      = gw_provider_test_to_words (test, _gw_provider_editor_get_text (self->model_row), &mood);
  JsonObject *error = gw_json_peek_object (test, "error");
  g_autofree char *exact
      = error != NULL ? gw_phrase_translate (gw_json_peek_string (error, "message")) : NULL;

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->test_row), words);
  if (exact == NULL && mood == GW_PROVIDER_MOOD_WARNING)
    /* Translators: a model; it stands under "Works, but does not offer the model …" */
    exact = g_strdup (_("Choose one below"));
  adw_action_row_set_subtitle (self->test_row,
                               exact != NULL && g_strcmp0 (exact, words) != 0 ? exact : "");
  gtk_widget_set_visible (GTK_WIDGET (self->test_image), TRUE);
  gw_provider_row_show_mood (self->test_image, mood);
  if (gw_json_peek_boolean (test, "ok", FALSE))
    _gw_provider_editor_set_models (self, gw_json_peek_array (test, "models"));
}

void
_gw_provider_editor_show_test_words (GwProviderEditor *self,
                                     const char *words,
                                     const char *more)
{
  gtk_widget_set_visible (GTK_WIDGET (self->test_image), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->test_row), words);
  adw_action_row_set_subtitle (self->test_row, more != NULL ? more : "");
}

static void
tested_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
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
    _gw_provider_editor_show_test (self, test);
  else
    {
      g_autofree char *words = _gw_preferences_error_to_words (error);

      _gw_provider_editor_show_test_words (self, _("It could not be tested"), words);
    }
  _gw_provider_editor_update (self);
}

void
_gw_provider_editor_test_action (GtkWidget *widget,
                                 const char *action,
                                 GVariant *parameter)
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
      _gw_provider_editor_show_test_words (self, _("Not tested"), NULL);
      _gw_provider_editor_update (self);
      return;
    }
  _gw_provider_editor_set_error (self, NULL, NULL);
  /* What is written already may be tested by anybody. */
  if (self->dirty || self->name == NULL)
    {
      body = _gw_provider_editor_make_body (self);
      if (body == NULL)
        return;
    }
  if (client == NULL)
    return;
  name = _gw_provider_editor_make_name (self);
  path = gw_client_build_path ("providers", name, "test", NULL);
  self->testing = g_cancellable_new ();
  _gw_provider_editor_show_test_words (self, _("Testing…"), NULL);
  _gw_provider_editor_update (self);
  gw_client_call_async (client, "POST", path, body, self->testing, tested_cb,
                        g_object_ref (self));
}
