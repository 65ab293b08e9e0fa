/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-preferences"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-json.h"
#include "gw-preferences-providers-private.h"
#include "gw-provider-editor.h"
#include "gw-provider-words.h"

/* The providers in their order, with how they stand. While the page is seen it asks the gateway now
 * and then, and at once after each change. What is done with one stands in
 * gw-preferences-providers-acts.c. */

#define LOOK_EVERY_S 3

G_DEFINE_FINAL_TYPE (GwPreferencesProviders, gw_preferences_providers, ADW_TYPE_PREFERENCES_PAGE)

JsonObject *
_gw_preferences_providers_find (GwPreferencesProviders *self,
                                const char *name)
{
  guint i;

  for (i = 0; i < self->providers->len; i++)
    if (g_strcmp0 (gw_json_peek_string (self->providers->pdata[i], "name"), name) == 0)
      return self->providers->pdata[i];
  return NULL;
}

GwProviderRow *
_gw_preferences_providers_find_row (GwPreferencesProviders *self,
                                    const char *name)
{
  GtkListBoxRow *row;
  int i;

  for (i = 0; (row = gtk_list_box_get_row_at_index (self->list, i)) != NULL; i++)
    if (g_strcmp0 (gw_provider_row_get_name (GW_PROVIDER_ROW (row)), name) == 0)
      return GW_PROVIDER_ROW (row);
  return NULL;
}

static void
saved_cb (GwPreferencesProviders *self,
          const char *name,
          const char *key_source,
          GwProviderEditor *editor)
{
  _gw_preferences_close (GTK_WIDGET (self));
  if (g_strcmp0 (key_source, "session") == 0)
    _gw_preferences_toast (GTK_WIDGET (self),
                           _("Key kept until you quit — no keyring is available"));
  else
    _gw_preferences_toast (GTK_WIDGET (self), _("Provider saved"));
  _gw_preferences_providers_look (self, FALSE);
  _gw_preferences_providers_test (self, name);
}

static void
left_cb (GwPreferencesProviders *self)
{
  _gw_preferences_close (GTK_WIDGET (self));
}

static void
editor_remove_cb (GwPreferencesProviders *self,
                  const char *name)
{
  _gw_preferences_close (GTK_WIDGET (self));
  _gw_preferences_providers_remove (self, name);
}

/* @provider: (nullable): NULL for a new one */
static void
open_editor (GwPreferencesProviders *self,
             JsonObject *provider)
{
  GwProviderEditor *editor = gw_provider_editor_new (self->endpoint, self->providers, provider,
                                                     self->writable);

  g_signal_connect_object (editor, "saved", G_CALLBACK (saved_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (editor, "left", G_CALLBACK (left_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (editor, "remove", G_CALLBACK (editor_remove_cb), self,
                           G_CONNECT_SWAPPED);
  _gw_preferences_open (GTK_WIDGET (self), GTK_WIDGET (editor));
}

static void
row_activated_cb (GtkListBox *list,
                  GtkListBoxRow *row,
                  gpointer user_data)
{
  GwPreferencesProviders *self = GW_PREFERENCES_PROVIDERS (
      gtk_widget_get_ancestor (GTK_WIDGET (list), GW_TYPE_PREFERENCES_PROVIDERS));

  open_editor (self, gw_provider_row_get_provider (GW_PROVIDER_ROW (row)));
}

static void
use_cb (GwPreferencesProviders *self,
        GtkButton *button)
{
  gtk_widget_set_sensitive (GTK_WIDGET (button), FALSE);
  _gw_preferences_providers_set_enabled (self, g_object_get_data (G_OBJECT (button), "gw-name"),
                                         TRUE, TRUE);
}

static void
add_found (GwPreferencesProviders *self,
           JsonObject *provider,
           JsonArray *models)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *button = gtk_button_new_with_mnemonic (_("_Use It"));
  guint n = json_array_get_length (models);
  g_autofree char *subtitle = g_strdup_printf (ngettext ("%u model", "%u models", n), n);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), gw_provider_get_title (provider));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_sensitive (button, self->writable);
  g_object_set_data_full (G_OBJECT (button), "gw-name",
                          g_strdup (gw_json_peek_string (provider, "name")), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (use_cb), self, G_CONNECT_SWAPPED);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  gtk_list_box_append (self->found_list, row);
}

static void
show_found (GwPreferencesProviders *self)
{
  GtkListBoxRow *row;
  gboolean any = FALSE;
  guint i;

  while ((row = gtk_list_box_get_row_at_index (self->found_list, 0)) != NULL)
    gtk_list_box_remove (self->found_list, GTK_WIDGET (row));
  for (i = 0; i < self->providers->len; i++)
    {
      JsonObject *provider = self->providers->pdata[i];
      JsonObject *found = gw_json_peek_object (provider, "found");
      JsonArray *models = found != NULL ? gw_json_peek_array (found, "models") : NULL;

      if (models == NULL || gw_json_peek_boolean (provider, "in_use", FALSE)
          || gw_provider_is_listed (provider))
        continue;
      add_found (self, provider, models);
      any = TRUE;
    }
  gtk_widget_set_visible (GTK_WIDGET (self->found_group), any);
}

void
_gw_preferences_providers_show (GwPreferencesProviders *self)
{
  g_autoptr (GPtrArray) listed = g_ptr_array_new ();
  g_autofree char *why_not = _gw_preferences_why_not (self->endpoint, self->writable);
  GtkListBoxRow *row;
  guint i;

  /* One that does not tell of its providers is no gateway without any. */
  gtk_widget_set_visible (GTK_WIDGET (self->list_group),
                          _gw_preferences_get_client (self->endpoint) != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->note_group), why_not != NULL);
  adw_preferences_row_set_title (self->note_row, why_not != NULL ? why_not : "");
  gtk_widget_set_sensitive (self->add_button, why_not == NULL);
  gtk_widget_set_sensitive (self->first_button, why_not == NULL);

  for (i = 0; i < self->providers->len; i++)
    {
      JsonObject *provider = self->providers->pdata[i];

      if (gw_provider_is_listed (provider)
          && !g_hash_table_contains (self->removed, gw_json_peek_string (provider, "name")))
        g_ptr_array_add (listed, provider);
    }

  /* Rows stay where they can, so that nothing loses its focus. */
  for (i = 0; i < listed->len; i++)
    {
      const char *name = gw_json_peek_string (listed->pdata[i], "name");
      GwProviderRow *known = _gw_preferences_providers_find_row (self, name);

      row = gtk_list_box_get_row_at_index (self->list, i);
      if (known == NULL)
        {
          known = gw_provider_row_new ();
          _gw_preferences_providers_obey_row (self, known);
          gw_provider_row_set_provider (known, listed->pdata[i]);
          gtk_list_box_insert (self->list, GTK_WIDGET (known), i);
        }
      else if (row != GTK_LIST_BOX_ROW (known))
        {
          g_object_ref (known);
          gtk_list_box_remove (self->list, GTK_WIDGET (known));
          gtk_list_box_insert (self->list, GTK_WIDGET (known), i);
          g_object_unref (known);
        }
      gw_provider_row_set_provider (known, listed->pdata[i]);
      gw_provider_row_set_place (known, self->writable, i == 0, i + 1 == listed->len);
    }
  while ((row = gtk_list_box_get_row_at_index (self->list, listed->len)) != NULL)
    gtk_list_box_remove (self->list, GTK_WIDGET (row));
  gtk_stack_set_visible_child_name (self->stack, listed->len > 0 ? "list" : "empty");
  show_found (self);
}

static void
open_wanted (GwPreferencesProviders *self)
{
  g_autofree char *wanted = g_steal_pointer (&self->wanted);

  if (wanted == NULL)
    return;
  if (*wanted == '\0')
    open_editor (self, NULL);
  else if (_gw_preferences_providers_find (self, wanted) != NULL)
    open_editor (self, _gw_preferences_providers_find (self, wanted));
  else
    {
      /* Translators: %s is the name of a provider */
      g_autofree char *text = g_strdup_printf (_("There is no provider “%s” any more"), wanted);

      _gw_preferences_toast (GTK_WIDGET (self), text);
    }
}

static void
looked_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwPreferencesProviders) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) all = gw_client_call_finish (GW_CLIENT (source), result, &error);
  JsonArray *array = all != NULL ? gw_json_peek_array (all, "providers") : NULL;
  guint i;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->looking = FALSE;
  if (array == NULL)
    {
      self->writable = FALSE;
      _gw_preferences_providers_show (self);
      return;
    }
  self->writable = gw_json_peek_boolean (all, "writable", FALSE);
  g_ptr_array_set_size (self->providers, 0);
  for (i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_OBJECT (node)
          && gw_json_peek_string (json_node_get_object (node), "name") != NULL)
        g_ptr_array_add (self->providers, json_object_ref (json_node_get_object (node)));
    }
  _gw_preferences_providers_show (self);
  open_wanted (self);
}

/* @find: whether to look for servers of that machine as well */
void
_gw_preferences_providers_look (GwPreferencesProviders *self,
                                gboolean find)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);

  if (client == NULL)
    {
      g_ptr_array_set_size (self->providers, 0);
      self->writable = FALSE;
      _gw_preferences_providers_show (self);
      return;
    }
  self->looking = TRUE;
  gw_client_call_async (client, "GET", find ? "/providers?find=1" : "/providers", NULL,
                        self->cancellable, looked_cb, g_object_ref (self));
}

static gboolean
look_again_cb (gpointer user_data)
{
  GwPreferencesProviders *self = user_data;

  if (!self->looking)
    _gw_preferences_providers_look (self, FALSE);
  return G_SOURCE_CONTINUE;
}

static void
endpoint_changed_cb (GwPreferencesProviders *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)) && !self->looking)
    _gw_preferences_providers_look (self, TRUE);
}

static void
gw_preferences_providers_map (GtkWidget *widget)
{
  GwPreferencesProviders *self = GW_PREFERENCES_PROVIDERS (widget);

  GTK_WIDGET_CLASS (gw_preferences_providers_parent_class)->map (widget);
  if (self->endpoint != NULL)
    _gw_preferences_providers_look (self, TRUE);
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_again_cb, self);
  g_source_set_name_by_id (self->look_id, "[gangway] providers");
}

static void
gw_preferences_providers_unmap (GtkWidget *widget)
{
  GwPreferencesProviders *self = GW_PREFERENCES_PROVIDERS (widget);

  g_clear_handle_id (&self->look_id, g_source_remove);
  GTK_WIDGET_CLASS (gw_preferences_providers_parent_class)->unmap (widget);
}

static void
gw_preferences_providers_dispose (GObject *object)
{
  GwPreferencesProviders *self = GW_PREFERENCES_PROVIDERS (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->look_id, g_source_remove);
  g_clear_object (&self->endpoint);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_PREFERENCES_PROVIDERS);
  G_OBJECT_CLASS (gw_preferences_providers_parent_class)->dispose (object);
}

static void
gw_preferences_providers_finalize (GObject *object)
{
  GwPreferencesProviders *self = GW_PREFERENCES_PROVIDERS (object);

  g_object_unref (self->cancellable);
  g_ptr_array_unref (self->providers);
  g_hash_table_unref (self->removed);
  g_free (self->wanted);
  G_OBJECT_CLASS (gw_preferences_providers_parent_class)->finalize (object);
}

static void
gw_preferences_providers_class_init (GwPreferencesProvidersClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_preferences_providers_dispose;
  object_class->finalize = gw_preferences_providers_finalize;
  widget_class->map = gw_preferences_providers_map;
  widget_class->unmap = gw_preferences_providers_unmap;
  g_type_ensure (GW_TYPE_PROVIDER_ROW);
  gtk_widget_class_set_template_from_resource (
      widget_class, GW_RESOURCE_PATH "/ui/gw-preferences-providers.ui");
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, note_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, note_row);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, list_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, add_button);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, first_button);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, stack);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, list);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, found_group);
  gtk_widget_class_bind_template_child (widget_class, GwPreferencesProviders, found_list);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
  gtk_widget_class_bind_template_callback (widget_class, gw_preferences_providers_add);
}

static void
gw_preferences_providers_init (GwPreferencesProviders *self)
{
  self->cancellable = g_cancellable_new ();
  self->providers = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  self->removed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
gw_preferences_providers_set_endpoint (GwPreferencesProviders *self,
                                       GwEndpoint *endpoint)
{
  self->endpoint = g_object_ref (endpoint);
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (endpoint_changed_cb), self,
                           G_CONNECT_SWAPPED);
}

static void
open_when_known (GwPreferencesProviders *self,
                 const char *name)
{
  g_free (self->wanted);
  self->wanted = g_strdup (name);
  if (self->providers->len > 0)
    open_wanted (self);
}

void
gw_preferences_providers_edit (GwPreferencesProviders *self,
                               const char *name)
{
  open_when_known (self, name);
}

void
gw_preferences_providers_add (GwPreferencesProviders *self)
{
  open_when_known (self, "");
}
