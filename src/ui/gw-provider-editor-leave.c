/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-provider-editor"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-json.h"
#include "gw-preferences-private.h"
#include "gw-provider-editor-private.h"

/* Saving, and leaving the form: not without asking while something is not saved. */

static void
saved_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwProviderEditor) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) provider = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->busy = FALSE;
  _gw_provider_editor_update (self);
  if (provider == NULL)
    {
      g_autofree char *words = _gw_preferences_error_to_words (error);

      _gw_provider_editor_set_error (self, _gw_provider_editor_find_field (self, error->message),
                                     words);
      return;
    }
  self->dirty = FALSE;
  self->filling = TRUE;
  _gw_provider_editor_set_text (self->key_row, "");
  g_signal_emit_by_name (self, "saved", gw_json_peek_string (provider, "name"),
                 gtk_widget_get_visible (GTK_WIDGET (self->key_row))
                     ? gw_json_peek_string (provider, "key_source")
                     : NULL);
}

static void
save (GwProviderEditor *self)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *name = _gw_provider_editor_make_name (self);
  g_autofree char *path = gw_client_build_path ("providers", name, NULL);
  g_autoptr (JsonObject) body = NULL;

  _gw_provider_editor_set_error (self, NULL, NULL);
  body = _gw_provider_editor_make_body (self);
  if (body == NULL)
    return;
  if (client == NULL)
    {
      _gw_provider_editor_set_error (self, NULL, _("The gateway does not answer"));
      return;
    }
  if (self->name == NULL)
    json_object_set_boolean_member (body, "enabled", TRUE);
  self->busy = TRUE;
  _gw_provider_editor_update (self);
  gw_client_call_async (client, "PUT", path, body, self->cancellable, saved_cb,
                        g_object_ref (self));
}

void
_gw_provider_editor_save_action (GtkWidget *widget,
                                 const char *action,
                                 GVariant *parameter)
{
  save (GW_PROVIDER_EDITOR (widget));
}

static void
leave_response_cb (GwProviderEditor *self,
                   const char *response,
                   AdwMessageDialog *dialog)
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
gw_provider_editor_may_leave (GwProviderEditor *self,
                              GCallback then,
                              gpointer object)
{
  GtkWidget *dialog;

  g_return_val_if_fail (GW_IS_PROVIDER_EDITOR (self), TRUE);

  if (!self->dirty || !self->writable)
    return TRUE;
  dialog = gw_compat_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
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
  g_signal_emit_by_name (self, "left");
}

void
_gw_provider_editor_back_action (GtkWidget *widget,
                                 const char *action,
                                 GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  if (gw_provider_editor_may_leave (self, G_CALLBACK (leave), self))
    leave (self);
}

void
_gw_provider_editor_remove_action (GtkWidget *widget,
                                   const char *action,
                                   GVariant *parameter)
{
  GwProviderEditor *self = GW_PROVIDER_EDITOR (widget);

  self->dirty = FALSE;
  g_signal_emit_by_name (self, "remove", self->name);
}
