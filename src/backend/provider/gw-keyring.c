/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The user's keyring (libsecret). A key is stored with the host that it was entered for. No call
 * here waits longer than its limit: a keyring may ask the user, hang, or not be there at all, and
 * neither a start nor a request may wait for that. Loading never makes the keyring ask. */

#define G_LOG_DOMAIN "gw-keyring"

#include "config.h"

#include <libsecret/secret.h>

#include "gw-source.h"
#include "provider/gw-keyring.h"

#define APPLICATION "gangway"

static const SecretSchema schema = {
  GW_APPLICATION_ID ".Provider",
  SECRET_SCHEMA_NONE,
  {
    { "application", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "provider", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "host", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { NULL, 0 },
  }
};

/* One question to the keyring. */
typedef struct {
  GCancellable *cancellable; /* (owned) */
  GSource *limit;            /* (owned) (nullable) */
  gboolean returned;
  GList *found;              /* (owned) (element-type SecretRetrievable) still to be read */
  GPtrArray *items;          /* (owned) (nullable) */
} Question;

static void
item_free (GwKeyringItem *item)
{
  g_free (item->provider);
  g_free (item->host);
  g_clear_pointer (&item->key, gw_secret_unref);
  g_free (item);
}

static void
question_free (gpointer data)
{
  Question *question = data;

  g_clear_object (&question->cancellable);
  g_list_free_full (question->found, g_object_unref);
  g_clear_pointer (&question->items, g_ptr_array_unref);
  g_free (question);
}

gboolean
gw_keyring_is_there (void)
{
  const char *backend = g_getenv ("SECRET_BACKEND");
  const char *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  g_autofree char *socket = NULL;

  if ((backend != NULL && *backend != '\0') || (address != NULL && *address != '\0'))
    return TRUE;
  socket = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);

  return g_file_test (socket, G_FILE_TEST_EXISTS);
}

/* Whether this caller is the one who returns. */
static gboolean
claim_return (Question *question)
{
  if (question->returned)
    return FALSE;
  question->returned = TRUE;
  gw_source_clear (&question->limit);

  return TRUE;
}

static gboolean
late_cb (gpointer user_data)
{
  GTask *task = user_data;
  Question *question = g_task_get_task_data (task);

  g_cancellable_cancel (question->cancellable);
  if (claim_return (question))
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                             "the keyring does not answer");

  return G_SOURCE_REMOVE;
}

static GTask *
question_new (guint limit_ms,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Question *question = g_new0 (Question, 1);

  question->cancellable = g_cancellable_new ();
  question->limit = g_timeout_source_new (limit_ms);
  g_task_set_task_data (task, question, question_free);
  g_source_set_static_name (question->limit, "[gangway] keyring limit");
  g_source_set_callback (question->limit, late_cb, g_object_ref (task), g_object_unref);
  g_source_attach (question->limit, g_task_get_context (task));

  return task;
}

static GCancellable *
get_cancellable (GTask *task)
{
  Question *question = g_task_get_task_data (task);

  return question->cancellable;
}

static GHashTable *
attributes_new (const char *provider,
                const char *host)
{
  GHashTable *attributes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  g_hash_table_insert (attributes, (gpointer) "application", g_strdup (APPLICATION));
  if (provider != NULL)
    g_hash_table_insert (attributes, (gpointer) "provider", g_strdup (provider));
  if (host != NULL)
    g_hash_table_insert (attributes, (gpointer) "host", g_strdup (host));

  return attributes;
}

static void read_next (GTask *task);

static void
read_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GHashTable) attributes = NULL;
  Question *question = g_task_get_task_data (task);
  SecretRetrievable *item = SECRET_RETRIEVABLE (source);
  SecretValue *value;
  const char *text;

  /* What cannot be read now (locked) is as if it were not there. */
  value = secret_retrievable_retrieve_secret_finish (item, result, NULL);
  if (question->returned)
    {
      g_clear_pointer (&value, secret_value_unref);
      return;
    }
  text = value != NULL ? secret_value_get_text (value) : NULL;
  attributes = secret_retrievable_get_attributes (item);
  if (text != NULL && *text != '\0' && g_hash_table_contains (attributes, "provider")
      && g_hash_table_contains (attributes, "host"))
    {
      GwKeyringItem *found = g_new0 (GwKeyringItem, 1);

      found->provider = g_strdup (g_hash_table_lookup (attributes, "provider"));
      found->host = g_strdup (g_hash_table_lookup (attributes, "host"));
      found->key = gw_secret_new (text);
      g_ptr_array_add (question->items, found);
    }
  g_clear_pointer (&value, secret_value_unref);
  read_next (task);
}

static void
read_next (GTask *task)
{
  Question *question = g_task_get_task_data (task);
  g_autoptr (SecretRetrievable) item = NULL;

  if (question->found == NULL)
    {
      if (claim_return (question))
        g_task_return_pointer (task, g_steal_pointer (&question->items),
                               (GDestroyNotify) g_ptr_array_unref);
      return;
    }
  item = question->found->data;
  question->found = g_list_delete_link (question->found, question->found);
  secret_retrievable_retrieve_secret (item, question->cancellable, read_cb, g_object_ref (task));
}

static void
searched_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Question *question = g_task_get_task_data (task);

  question->found = secret_password_search_finish (result, &error);
  if (error != NULL)
    {
      if (claim_return (question))
        g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  if (!question->returned)
    read_next (task);
}

void
gw_keyring_load_async (guint limit_ms,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = question_new (limit_ms, callback, user_data);
  g_autoptr (GHashTable) attributes = attributes_new (NULL, NULL);
  Question *question = g_task_get_task_data (task);

  g_task_set_source_tag (task, gw_keyring_load_async);
  question->items = g_ptr_array_new_with_free_func ((GDestroyNotify) item_free);
  secret_password_searchv (&schema, attributes, SECRET_SEARCH_ALL | SECRET_SEARCH_LOAD_SECRETS,
                           question->cancellable, searched_cb, g_object_ref (task));
}

GPtrArray *
gw_keyring_load_finish (GAsyncResult *result,
                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
stored_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Question *question = g_task_get_task_data (task);
  gboolean stored = secret_password_store_finish (result, &error);

  if (!claim_return (question))
    return;
  if (stored)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

void
gw_keyring_store_async (const char *provider,
                        const char *host,
                        GwSecret *key,
                        guint limit_ms,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = question_new (limit_ms, callback, user_data);
  g_autoptr (GHashTable) attributes = attributes_new (provider, host);
  g_autofree char *label = g_strdup_printf ("Gangway: API key of %s", provider);

  g_task_set_source_tag (task, gw_keyring_store_async);
  secret_password_storev (&schema, attributes, SECRET_COLLECTION_DEFAULT, label,
                          gw_secret_get (key), get_cancellable (task), stored_cb,
                          g_object_ref (task));
}

gboolean
gw_keyring_store_finish (GAsyncResult *result,
                         GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
cleared_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Question *question = g_task_get_task_data (task);

  secret_password_clear_finish (result, &error);
  if (!claim_return (question))
    return;
  if (error == NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

void
gw_keyring_clear_async (const char *provider,
                        const char *host,
                        guint limit_ms,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = question_new (limit_ms, callback, user_data);
  g_autoptr (GHashTable) attributes = attributes_new (provider, host);

  g_task_set_source_tag (task, gw_keyring_clear_async);
  secret_password_clearv (&schema, attributes, get_cancellable (task), cleared_cb,
                          g_object_ref (task));
}

gboolean
gw_keyring_clear_finish (GAsyncResult *result,
                         GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
