/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-preferences"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-json.h"

#include "gw-preferences-private.h"
#include "gw-provider-editor.h"
#include "gw-provider-row.h"
#include "gw-provider-words.h"

/* The providers in their order, with how they stand. While the page is seen it asks the gateway now
 * and then, and at once after each change. A provider that is removed is only switched off until
 * its toast has gone, so that Undo brings it back with its key, which nobody can read. */

#define LOOK_EVERY_S 3
#define UNDO_S 10

struct _GwPreferencesProviders {
  AdwPreferencesPage parent_instance;

  /* Template children */
  AdwPreferencesGroup *note_group;
  AdwPreferencesRow *note_row;
  AdwPreferencesGroup *list_group;
  GtkWidget *add_button;
  GtkWidget *first_button;
  GtkStack *stack;
  GtkListBox *list;
  AdwPreferencesGroup *found_group;
  GtkListBox *found_list;

  /* Owned references */
  GwEndpoint *endpoint;
  GCancellable *cancellable;
  GPtrArray *providers;     /* (element-type JsonObject) all that the gateway knows, in its order */
  GHashTable *removed;      /* names whose removal can still be taken back -> was in use */
  char *wanted;             /* (nullable) to be opened as soon as it is known; "" for a new one */

  gboolean writable;
  gboolean looking;
  guint look_id;
};

G_DEFINE_FINAL_TYPE (GwPreferencesProviders, gw_preferences_providers, ADW_TYPE_PREFERENCES_PAGE)

static void look (GwPreferencesProviders *self, gboolean find);

/* What is under way with one provider. */
typedef struct {
  GwPreferencesProviders *page; /* (owned) */
  char *name;                   /* (owned) */
  gboolean flag;
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

static JsonObject *
find_provider (GwPreferencesProviders *self,
               const char *name)
{
  guint i;

  for (i = 0; i < self->providers->len; i++)
    if (g_strcmp0 (gw_json_peek_string (self->providers->pdata[i], "name"), name) == 0)
      return self->providers->pdata[i];
  return NULL;
}

static GwProviderRow *
find_row (GwPreferencesProviders *self,
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
show_row_error (GwPreferencesProviders *self,
                const char *name,
                const char *what,
                const GError *error)
{
  GwProviderRow *row = find_row (self, name);

  if (row != NULL)
    gw_provider_row_refuse (row);
  _gw_preferences_toast_error (GTK_WIDGET (self), what, error);
}

/* Testing */

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
  row = find_row (self, act->name);
  if (row != NULL)
    gw_provider_row_set_busy (row, NULL);
  if (test == NULL)
    _gw_preferences_toast_error (GTK_WIDGET (self), _("Not tested"), error);
  look (self, FALSE);
}

static void
test (GwPreferencesProviders *self,
      const char *name)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *path = gw_client_build_path ("providers", name, "test", NULL);
  GwProviderRow *row = find_row (self, name);

  if (client == NULL)
    return;
  if (row != NULL)
    gw_provider_row_set_busy (row, _("Testing…"));
  gw_client_call_async (client, "POST", path, NULL, self->cancellable, tested_cb,
                        act_new (self, name, FALSE));
}

/* Changing */

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
  look (act->page, FALSE);
  if (provider != NULL && act->flag)
    test (act->page, act->name);
}

/* @tests: whether to see how it stands then */
static void
set_enabled (GwPreferencesProviders *self,
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
resumed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) provider = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (act->page->cancellable))
    return;
  if (provider == NULL)
    _gw_preferences_toast_error (GTK_WIDGET (act->page), _("Not resumed"), error);
  look (act->page, FALSE);
}

static void
resume (GwPreferencesProviders *self,
        const char *name)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autofree char *path = gw_client_build_path ("providers", name, "resume", NULL);

  if (client != NULL)
    gw_client_call_async (client, "POST", path, NULL, self->cancellable, resumed_cb,
                          act_new (self, name, FALSE));
}

/* Removing */

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
  look (act->page, FALSE);
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
    set_enabled (act->page, act->name, TRUE, FALSE);
  else
    look (act->page, FALSE);
}

static void
act_closure_free (gpointer data,
                  GClosure *closure)
{
  act_free (data);
}

static void show_providers (GwPreferencesProviders *self);

static void
remove_provider (GwPreferencesProviders *self,
                 const char *name)
{
  JsonObject *provider = find_provider (self, name);
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
    set_enabled (self, name, FALSE, FALSE);

  toast = adw_toast_new (escaped);
  adw_toast_set_button_label (toast, _("_Undo"));
  adw_toast_set_timeout (toast, UNDO_S);
  g_signal_connect_data (toast, "button-clicked", G_CALLBACK (undo_cb),
                         act_new (self, name, in_use), act_closure_free, 0);
  g_signal_connect_data (toast, "dismissed", G_CALLBACK (toast_gone_cb),
                         act_new (self, name, in_use), act_closure_free, 0);
  _gw_preferences_add_toast (GTK_WIDGET (self), toast);
  show_providers (self);
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

/* Order */

static void
ordered_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (Act) act = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) settings = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (act->page->cancellable))
    return;
  if (settings == NULL)
    _gw_preferences_toast_error (GTK_WIDGET (act->page), _("Not moved"), error);
  look (act->page, FALSE);
}

static void
move (GwPreferencesProviders *self,
      GwProviderRow *row,
      int to)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);
  g_autoptr (JsonObject) body = json_object_new ();
  JsonArray *order = json_array_new ();
  GtkListBoxRow *other;
  int i;

  g_object_ref (row);
  gtk_list_box_remove (self->list, GTK_WIDGET (row));
  gtk_list_box_insert (self->list, GTK_WIDGET (row), to);
  gtk_widget_grab_focus (GTK_WIDGET (row));
  g_object_unref (row);
  for (i = 0; (other = gtk_list_box_get_row_at_index (self->list, i)) != NULL; i++)
    json_array_add_string_element (order, gw_provider_row_get_name (GW_PROVIDER_ROW (other)));
  json_object_set_array_member (body, "provider_order", order);
  if (client != NULL)
    gw_client_call_async (client, "PATCH", "/settings", body, self->cancellable, ordered_cb,
                          act_new (self, "", FALSE));
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
    set_enabled (self, name, g_str_equal (verb, "on"), g_str_equal (verb, "on"));
  else if (g_str_equal (verb, "up"))
    move (self, row, place - 1);
  else if (g_str_equal (verb, "down"))
    move (self, row, place + 1);
  else if (g_str_equal (verb, "test"))
    test (self, name);
  else if (g_str_equal (verb, "resume"))
    resume (self, name);
  else if (g_str_equal (verb, "remove"))
    remove_provider (self, name);
}

/* Editing */

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
  look (self, FALSE);
  test (self, name);
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
  remove_provider (self, name);
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

/* Showing */

static void
use_cb (GwPreferencesProviders *self,
        GtkButton *button)
{
  gtk_widget_set_sensitive (GTK_WIDGET (button), FALSE);
  set_enabled (self, g_object_get_data (G_OBJECT (button), "gw-name"), TRUE, TRUE);
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

static void
show_providers (GwPreferencesProviders *self)
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
      GwProviderRow *known = find_row (self, name);

      row = gtk_list_box_get_row_at_index (self->list, i);
      if (known == NULL)
        {
          known = gw_provider_row_new ();
          g_signal_connect_object (known, "verb", G_CALLBACK (verb_cb), self, G_CONNECT_SWAPPED);
          g_signal_connect_object (known, "dropped", G_CALLBACK (dropped_cb), self,
                                   G_CONNECT_SWAPPED);
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
  else if (find_provider (self, wanted) != NULL)
    open_editor (self, find_provider (self, wanted));
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
      show_providers (self);
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
  show_providers (self);
  open_wanted (self);
}

/* @find: whether to look for servers of that machine as well */
static void
look (GwPreferencesProviders *self,
      gboolean find)
{
  GwClient *client = _gw_preferences_get_client (self->endpoint);

  if (client == NULL)
    {
      g_ptr_array_set_size (self->providers, 0);
      self->writable = FALSE;
      show_providers (self);
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
    look (self, FALSE);
  return G_SOURCE_CONTINUE;
}

static void
endpoint_changed_cb (GwPreferencesProviders *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)) && !self->looking)
    look (self, TRUE);
}

static void
gw_preferences_providers_map (GtkWidget *widget)
{
  GwPreferencesProviders *self = GW_PREFERENCES_PROVIDERS (widget);

  GTK_WIDGET_CLASS (gw_preferences_providers_parent_class)->map (widget);
  if (self->endpoint != NULL)
    look (self, TRUE);
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
