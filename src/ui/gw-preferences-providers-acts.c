/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-preferences"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-preferences-providers-private.h"
#include "gw-provider-words.h"

/* What is done with a provider, over HTTP: tested, switched, resumed, removed, moved. One that is
 * removed is only switched off until its toast has gone, so that Undo brings it back with its key,
 * which nobody can read. */

#define UNDO_S 10

/* What is under way with one provider. */
typedef struct {
  GwPreferencesProviders *page; /* (owned) */
  char *name;                   /* (owned) */
  gboolean flag;
  const char *failed;           /* (nullable) what is said if it fails */
} Act;

static Act *
act_new (GwPreferencesProviders *self,
         const char *name,
         gboolean flag)
{
  Act *act = g_new0 (Act, 1);

  act->page = g_object_ref (self);
  act->name = g_strdup (name);
  act->flag = flag;
  return act;
}

static void
act_free (Act *act)
{
  g_object_unref (act->page);
  g_free (act->name);
  g_free (act);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Act, act_free)

/* Says if it failed, and looks how it stands now. */
static void
done_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (act->page->cancellable))
    return;
  if (answer == NULL)
    _gw_preferences_toast_error (GTK_WIDGET (act->page), act->failed, error);
  _gw_preferences_providers_look (act->page, FALSE);
}

static void
show_row_error (GwPreferencesProviders *self,
                const char *name,
                const char *what,
                const GError *error)
{
  GwProviderRow *row = _gw_preferences_providers_find_row (self, name);

  if (row != NULL)
    gw_provider_row_refuse (row);
  _gw_preferences_toast_error (GTK_WIDGET (self), what, error);
}

/* --- Testing ---------------------------------------------------------------------------------- */

static void
tested_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) test = gw_client_call_finish (GW_CLIENT (source), result, &error);
  GwPreferencesProviders *self = act->page;
  GwProviderRow *row;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  row = _gw_preferences_providers_find_row (self, act->name);
  if (row != NULL)
    gw_provider_row_set_busy (row, NULL);
  if (test == NULL)
    _gw_preferences_toast_error (GTK_WIDGET (self), _("Not tested"), error);
  _gw_preferences_providers_look (self, FALSE);
}

void
_gw_preferences_providers_test (GwPreferencesProviders *self,
                                const char *name)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *path = gw_client_build_path ("providers", name, "test", NULL);
  GwProviderRow *row = _gw_preferences_providers_find_row (self, name);

  if (client == NULL)
    return;
  if (row != NULL)
    gw_provider_row_set_busy (row, _("Testing…"));
  gw_client_call_async (client, "POST", path, NULL, self->cancellable, tested_cb,
                        act_new (self, name, FALSE));
}

/* --- Changing --------------------------------------------------------------------------------- */

static void
put_cb (GObject *source,
        GAsyncResult *result,
        gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) provider = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (act->page->cancellable))
    return;
  if (provider == NULL)
    show_row_error (act->page, act->name, _("Not changed"), error);
  _gw_preferences_providers_look (act->page, FALSE);
  if (provider != NULL && act->flag)
    _gw_preferences_providers_test (act->page, act->name);
}

/* @tests: whether to see how it stands then */
void
_gw_preferences_providers_set_enabled (GwPreferencesProviders *self,
                                       const char *name,
                                       gboolean enabled,
                                       gboolean tests)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *path = gw_client_build_path ("providers", name, NULL);
  g_autoptr (JsonObject) body = json_object_new ();

  if (client == NULL)
    return;
  json_object_set_boolean_member (body, "enabled", enabled);
  gw_client_call_async (client, "PUT", path, body, self->cancellable, put_cb,
                        act_new (self, name, tests));
}

static void
resume (GwPreferencesProviders *self,
        const char *name)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *path = gw_client_build_path ("providers", name, "resume", NULL);
  Act *act;

  if (client == NULL)
    return;
  act = act_new (self, name, FALSE);
  act->failed = _("Not resumed");
  gw_client_call_async (client, "POST", path, NULL, self->cancellable, done_cb, act);
}

/* --- Removing --------------------------------------------------------------------------------- */

static void
deleted_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) removed = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (removed == NULL)
    g_message ("a provider could not be removed: %s", error->message);
  if (g_cancellable_is_cancelled (act->page->cancellable))
    return;
  if (removed == NULL)
    _gw_preferences_toast_error (GTK_WIDGET (act->page), _("Not removed"), error);
  g_hash_table_remove (act->page->removed, act->name);
  _gw_preferences_providers_look (act->page, FALSE);
}

static gboolean
delete_now (GwPreferencesProviders *self,
            const char *name)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *path = gw_client_build_path ("providers", name, NULL);

  if (client == NULL)
    {
      /* It was only switched off yet, and stands there again once the gateway answers. */
      _gw_preferences_toast (GTK_WIDGET (self), _("Not removed: the gateway does not answer"));
      return FALSE;
    }
  /* Goes on without the window. */
  gw_client_call_async (client, "DELETE", path, NULL, NULL, deleted_cb,
                        act_new (self, name, FALSE));
  return TRUE;
}

static void
toast_gone_cb (AdwToast *toast,
               gpointer user_data)
{
  Act *act = user_data;

  if (g_cancellable_is_cancelled (act->page->cancellable)
      || !g_hash_table_contains (act->page->removed, act->name))
    return;
  if (!delete_now (act->page, act->name))
    g_hash_table_remove (act->page->removed, act->name);
}

static void
undo_cb (AdwToast *toast,
         gpointer user_data)
{
  Act *act = user_data;

  if (g_cancellable_is_cancelled (act->page->cancellable)
      || !g_hash_table_remove (act->page->removed, act->name))
    return;
  if (act->flag)
    _gw_preferences_providers_set_enabled (act->page, act->name, TRUE, FALSE);
  else
    _gw_preferences_providers_look (act->page, FALSE);
}

static void
act_closure_free (gpointer data,
                  GClosure *closure)
{
  act_free (data);
}

void
_gw_preferences_providers_remove (GwPreferencesProviders *self,
                                  const char *name)
{
  JsonObject *provider = _gw_preferences_providers_find (self, name);
  gboolean in_use;
  g_autofree char *text = NULL;
  g_autofree char *escaped = NULL;
  AdwToast *toast;

  if (provider == NULL)
    return;
  in_use = gw_json_peek_boolean (provider, "in_use", FALSE);
  text = g_strdup_printf (_("“%s” removed"), gw_provider_get_title (provider));
  escaped = g_markup_escape_text (text, -1);
  g_hash_table_insert (self->removed, g_strdup (name), GINT_TO_POINTER (in_use));
  if (in_use)
    _gw_preferences_providers_set_enabled (self, name, FALSE, FALSE);

  toast = adw_toast_new (escaped);
  adw_toast_set_button_label (toast, _("_Undo"));
  adw_toast_set_timeout (toast, UNDO_S);
  g_signal_connect_data (toast, "button-clicked", G_CALLBACK (undo_cb),
                         act_new (self, name, in_use), act_closure_free, 0);
  g_signal_connect_data (toast, "dismissed", G_CALLBACK (toast_gone_cb),
                         act_new (self, name, in_use), act_closure_free, 0);
  _gw_preferences_add_toast (GTK_WIDGET (self), toast);
  _gw_preferences_providers_show (self);
}

/* Nothing can be taken back any more. */
void
gw_preferences_providers_flush (GwPreferencesProviders *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->removed);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    delete_now (self, name);
  g_hash_table_remove_all (self->removed);
}

/* --- Order ------------------------------------------------------------------------------------ */

static void
move (GwPreferencesProviders *self,
      GwProviderRow *row,
      int to)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autoptr (JsonObject) body = json_object_new ();
  JsonArray *order = json_array_new ();
  GtkListBoxRow *other;
  Act *act;
  int i;

  g_object_ref (row);
  gtk_list_box_remove (self->list, GTK_WIDGET (row));
  gtk_list_box_insert (self->list, GTK_WIDGET (row), to);
  gtk_widget_grab_focus (GTK_WIDGET (row));
  g_object_unref (row);
  for (i = 0; (other = gtk_list_box_get_row_at_index (self->list, i)) != NULL; i++)
    json_array_add_string_element (order, gw_provider_row_get_name (GW_PROVIDER_ROW (other)));
  json_object_set_array_member (body, "provider_order", order);
  if (client == NULL)
    return;
  act = act_new (self, "", FALSE);
  act->failed = _("Not moved");
  gw_client_call_async (client, "PATCH", "/settings", body, self->cancellable, done_cb, act);
}

static void
dropped_cb (GwPreferencesProviders *self,
            GwProviderRow *dragged,
            GwProviderRow *target)
{
  move (self, dragged, gtk_list_box_row_get_index (GTK_LIST_BOX_ROW (target)));
}

static void
verb_cb (GwPreferencesProviders *self,
         const char *verb,
         GwProviderRow *row)
{
  g_autofree char *name = g_strdup (gw_provider_row_get_name (row));
  int place = gtk_list_box_row_get_index (GTK_LIST_BOX_ROW (row));

  if (g_str_equal (verb, "on") || g_str_equal (verb, "off"))
    _gw_preferences_providers_set_enabled (self, name, g_str_equal (verb, "on"),
                                           g_str_equal (verb, "on"));
  else if (g_str_equal (verb, "up"))
    move (self, row, place - 1);
  else if (g_str_equal (verb, "down"))
    move (self, row, place + 1);
  else if (g_str_equal (verb, "test"))
    _gw_preferences_providers_test (self, name);
  else if (g_str_equal (verb, "resume"))
    resume (self, name);
  else if (g_str_equal (verb, "remove"))
    _gw_preferences_providers_remove (self, name);
}

/* The row's menu, its switch and where it is dropped. */
void
_gw_preferences_providers_obey_row (GwPreferencesProviders *self,
                                    GwProviderRow *row)
{
  g_signal_connect_object (row, "verb", G_CALLBACK (verb_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (row, "dropped", G_CALLBACK (dropped_cb), self, G_CONNECT_SWAPPED);
}
