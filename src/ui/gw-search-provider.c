/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-search-provider"

#include "config.h"

#include <gio/gio.h>

#include "gw-search-provider.h"
#include "gw-task-words.h"

/* "Find that result" from the search of the desktop: tasks whose text or answer has the words, as
 * org.gnome.Shell.SearchProvider2 asks for them. Answers may be private, so nothing is found unless
 * the setting `search-provider` is on; and nothing is started for a search, so that none can cost
 * money: without a gateway in use there are no results.
 *
 * Main thread. Signals: `show-task` (task id, time stamp), `search` (words, time stamp). */

#define MAX_RESULTS 20
#define MAX_CHARS 100 /* of a name or description */

struct _GwSearchProvider {
  GObject parent_instance;

  GSettings *settings;       /* (owned) */
  GwClient *client;          /* (owned) (nullable) */
  GCancellable *cancellable; /* (owned) of the search under way: the next takes its place */
  GHashTable *found;         /* (owned) (element-type utf8 GwTask) what the last search found */
  guint registration;
};

enum {
  SHOW_TASK,
  SEARCH,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwSearchProvider, gw_search_provider, G_TYPE_OBJECT)

/* The names and signatures are the desktop's:
 * https://developer.gnome.org/documentation/tutorials/search-provider.html */
static const char interface_xml[]
    = "<node><interface name='org.gnome.Shell.SearchProvider2'>"
      "<method name='GetInitialResultSet'><arg type='as' name='terms' direction='in'/>"
      "<arg type='as' name='results' direction='out'/></method>"
      "<method name='GetSubsearchResultSet'>"
      "<arg type='as' name='previous_results' direction='in'/>"
      "<arg type='as' name='terms' direction='in'/>"
      "<arg type='as' name='results' direction='out'/></method>"
      "<method name='GetResultMetas'><arg type='as' name='identifiers' direction='in'/>"
      "<arg type='aa{sv}' name='metas' direction='out'/></method>"
      "<method name='ActivateResult'><arg type='s' name='identifier' direction='in'/>"
      "<arg type='as' name='terms' direction='in'/>"
      "<arg type='u' name='timestamp' direction='in'/></method>"
      "<method name='LaunchSearch'><arg type='as' name='terms' direction='in'/>"
      "<arg type='u' name='timestamp' direction='in'/></method>"
      "</interface></node>";

typedef struct {
  GwSearchProvider *self;            /* (owned) */
  GDBusMethodInvocation *invocation; /* (owned) */
} Search;

static void
return_ids (GDBusMethodInvocation *invocation,
            GPtrArray *ids)
{
  g_autoptr (GVariantBuilder) builder = g_variant_builder_new (G_VARIANT_TYPE_STRING_ARRAY);
  guint i;

  for (i = 0; ids != NULL && i < ids->len; i++)
    g_variant_builder_add (builder, "s", ids->pdata[i]);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(as)", builder));
}

static void
found_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  Search *search = user_data;
  g_autoptr (GwSearchProvider) self = search->self;
  g_autoptr (GDBusMethodInvocation) invocation = search->invocation;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  JsonArray *tasks;
  guint i;

  g_free (search);
  if (answer == NULL)
    {
      g_debug ("no search: %s", error->message);
      return_ids (g_steal_pointer (&invocation), NULL);
      return;
    }
  tasks = gw_json_peek_array (answer, "tasks");
  g_hash_table_remove_all (self->found);
  for (i = 0; tasks != NULL && i < json_array_get_length (tasks); i++)
    {
      JsonNode *node = json_array_get_element (tasks, i);
      GwTask *task = JSON_NODE_HOLDS_OBJECT (node)
                         ? gw_task_new_from_json (json_node_get_object (node), NULL)
                         : NULL;

      if (task == NULL)
        continue;
      g_hash_table_insert (self->found, g_strdup (task->task_id), task);
      g_ptr_array_add (ids, task->task_id);
    }
  return_ids (g_steal_pointer (&invocation), ids);
}

/* Takes @invocation. */
static void
find (GwSearchProvider *self,
      GDBusMethodInvocation *invocation,
      GVariant *terms)
{
  g_autofree const char **words = g_variant_get_strv (terms, NULL);
  g_autofree char *text = g_strjoinv (" ", (char **) words);
  g_autofree char *escaped = NULL;
  g_autofree char *path = NULL;
  Search *search;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  if (self->client == NULL || *text == '\0'
      || gw_client_get_protocol (self->client) != GW_PROTOCOL_GANGWAY
      || !g_settings_get_boolean (self->settings, "search-provider"))
    {
      return_ids (invocation, NULL);
      return;
    }
  escaped = g_uri_escape_string (text, NULL, FALSE);
  path = g_strdup_printf ("/tasks?q=%s&limit=%d", escaped, MAX_RESULTS);
  search = g_new0 (Search, 1);
  search->self = g_object_ref (self);
  search->invocation = invocation;
  gw_client_call_async (self->client, "GET", path, NULL, self->cancellable, found_cb, search);
}

static void
add_meta (GwSearchProvider *self,
          GVariantBuilder *builder,
          const char *id)
{
  GwTask *task = g_hash_table_lookup (self->found, id);
  g_autofree char *name = NULL;
  g_autofree char *cut = NULL;

  if (task == NULL)
    return;
  name = gw_task_words_first_line (task->content);
  cut = g_utf8_strlen (name, -1) > MAX_CHARS ? g_utf8_substring (name, 0, MAX_CHARS)
                                             : g_strdup (name);
  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (builder, "{sv}", "id", g_variant_new_string (id));
  g_variant_builder_add (builder, "{sv}", "name", g_variant_new_string (cut));
  g_variant_builder_add (
      builder, "{sv}", "description",
      g_variant_new_string (gw_task_look_get_word (gw_task_look (task))));
  g_variant_builder_add (builder, "{sv}", "gicon", g_variant_new_string (GW_APPLICATION_ID));
  g_variant_builder_close (builder);
}

static void
return_metas (GwSearchProvider *self,
              GDBusMethodInvocation *invocation,
              GVariant *identifiers)
{
  g_autofree const char **ids = g_variant_get_strv (identifiers, NULL);
  g_autoptr (GVariantBuilder) builder = g_variant_builder_new (G_VARIANT_TYPE ("aa{sv}"));
  guint i;

  for (i = 0; ids[i] != NULL; i++)
    add_meta (self, builder, ids[i]);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", builder));
}

static void
method_called_cb (GDBusConnection *connection,
                  const char *sender,
                  const char *path,
                  const char *interface,
                  const char *method,
                  GVariant *parameters,
                  GDBusMethodInvocation *invocation,
                  gpointer user_data)
{
  GwSearchProvider *self = user_data;

  if (g_str_equal (method, "GetInitialResultSet"))
    {
      g_autoptr (GVariant) terms = g_variant_get_child_value (parameters, 0);

      find (self, invocation, terms);
    }
  else if (g_str_equal (method, "GetSubsearchResultSet"))
    {
      g_autoptr (GVariant) terms = g_variant_get_child_value (parameters, 1);

      find (self, invocation, terms);
    }
  else if (g_str_equal (method, "GetResultMetas"))
    {
      g_autoptr (GVariant) ids = g_variant_get_child_value (parameters, 0);

      return_metas (self, invocation, ids);
    }
  else if (g_str_equal (method, "ActivateResult"))
    {
      const char *id;
      guint32 time;

      g_variant_get (parameters, "(&s@asu)", &id, NULL, &time);
      g_signal_emit (self, signals[SHOW_TASK], 0, id, time);
      g_dbus_method_invocation_return_value (invocation, NULL);
    }
  else
    {
      g_autofree const char **words = NULL;
      g_autofree char *text = NULL;
      guint32 time;

      g_variant_get (parameters, "(^a&su)", &words, &time);
      text = g_strjoinv (" ", (char **) words);
      g_signal_emit (self, signals[SEARCH], 0, text, time);
      g_dbus_method_invocation_return_value (invocation, NULL);
    }
}

static void
gw_search_provider_dispose (GObject *object)
{
  GwSearchProvider *self = GW_SEARCH_PROVIDER (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->client);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (gw_search_provider_parent_class)->dispose (object);
}

static void
gw_search_provider_finalize (GObject *object)
{
  GwSearchProvider *self = GW_SEARCH_PROVIDER (object);

  g_clear_object (&self->cancellable);
  g_hash_table_unref (self->found);
  G_OBJECT_CLASS (gw_search_provider_parent_class)->finalize (object);
}

static void
gw_search_provider_class_init (GwSearchProviderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);

  object_class->dispose = gw_search_provider_dispose;
  object_class->finalize = gw_search_provider_finalize;
  signals[SHOW_TASK] = g_signal_new ("show-task", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_UINT);
  signals[SEARCH] = g_signal_new ("search", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_UINT);
}

static void
gw_search_provider_init (GwSearchProvider *self)
{
  self->settings = g_settings_new (GW_APPLICATION_ID);
  self->cancellable = g_cancellable_new ();
  self->found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) gw_task_unref);
}

GwSearchProvider *
gw_search_provider_new (void)
{
  return g_object_new (GW_TYPE_SEARCH_PROVIDER, NULL);
}

/**
 * gw_search_provider_set_client:
 * @client: (nullable): the gateway in use
 */
void
gw_search_provider_set_client (GwSearchProvider *self,
                               GwClient *client)
{
  g_return_if_fail (GW_IS_SEARCH_PROVIDER (self));

  g_set_object (&self->client, client);
}

/**
 * gw_search_provider_export:
 *
 * Offers the search at @path of @connection.
 */
gboolean
gw_search_provider_export (GwSearchProvider *self,
                           GDBusConnection *connection,
                           const char *path,
                           GError **error)
{
  static const GDBusInterfaceVTable table = { .method_call = method_called_cb };
  g_autoptr (GDBusNodeInfo) node = NULL;

  g_return_val_if_fail (GW_IS_SEARCH_PROVIDER (self), FALSE);

  node = g_dbus_node_info_new_for_xml (interface_xml, error);
  if (node == NULL)
    return FALSE;
  self->registration = g_dbus_connection_register_object (connection, path, node->interfaces[0],
                                                          &table, self, NULL, error);
  return self->registration != 0;
}

void
gw_search_provider_unexport (GwSearchProvider *self,
                             GDBusConnection *connection)
{
  g_return_if_fail (GW_IS_SEARCH_PROVIDER (self));

  if (self->registration != 0)
    g_dbus_connection_unregister_object (connection, self->registration);
  self->registration = 0;
}
