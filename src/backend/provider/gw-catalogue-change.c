/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Changes of the catalogue while the engine runs, one after another. Each plans what the entries
 * will be on copies of them, writes keyring and file, and only then puts the copies in their
 * place. */

#define G_LOG_DOMAIN "gw-catalogue"

#include "config.h"

#include <string.h>

#include "gw-thread-task.h"
#include "provider/gw-catalogue-private.h"
#include "provider/gw-keyring.h"

#define KEYRING_WRITE_MS 10000

typedef struct {
  GwProviderConfig *config; /* (owned) (nullable) NULL: remove */
  char *name;               /* (owned) */
  GwSecret *key;            /* (owned) (nullable) */
  gboolean forgets_key;
  GwKeySource source;
  char *old_host;           /* (owned) (nullable) that its key belonged to before */
  GwSecret *old_key;        /* (owned) (nullable) that the keyring had */
  GError *error;            /* (owned) (nullable) while the keyring is put back */
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_clear_pointer (&change->config, gw_provider_config_unref);
  g_clear_pointer (&change->key, gw_secret_unref);
  g_clear_pointer (&change->old_key, gw_secret_unref);
  g_clear_error (&change->error);
  g_free (change->old_host);
  g_free (change->name);
  g_free (change);
}

static gboolean begin_change_cb (gpointer user_data);

static void
queue_change (GwCatalogue *self,
              GTask *task)
{
  gboolean alone;

  g_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->changes, g_object_ref (task));
  alone = self->changes.length == 1;
  g_mutex_unlock (&self->mutex);
  if (alone)
    begin_change_cb (task);
}

/* Lets the next change begin, in the context of who asked for it. */
static void
end_change (GwCatalogue *self)
{
  g_autoptr (GTask) done = NULL;
  GTask *next;

  g_mutex_lock (&self->mutex);
  done = g_queue_pop_head (&self->changes);
  next = g_queue_peek_head (&self->changes);
  g_mutex_unlock (&self->mutex);
  if (next != NULL)
    {
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_static_name (source, "[gangway] next catalogue change");
      g_source_set_callback (source, begin_change_cb, g_object_ref (next), g_object_unref);
      g_source_attach (source, g_task_get_context (next));
    }
}

gboolean
_gw_catalogue_origin_differs (const GwProviderConfig *a,
                              const GwProviderConfig *b)
{
  g_autofree char *one = gw_provider_config_dup_origin (a);
  g_autofree char *other = gw_provider_config_dup_origin (b);

  return g_strcmp0 (one, other) != 0;
}

static GwCatalogueEntry *
entry_copy (const GwCatalogueEntry *entry)
{
  GwCatalogueEntry *copy = g_new (GwCatalogueEntry, 1);

  *copy = *entry;
  gw_provider_config_ref (copy->config);
  if (copy->key != NULL)
    gw_secret_ref (copy->key);
  copy->found = g_strdupv (entry->found);

  return copy;
}

static void
set_config (GwCatalogueEntry *entry,
            GwProviderConfig *config)
{
  gw_provider_config_unref (entry->config);
  entry->config = config;
}

static void
drop_key (GwCatalogueEntry *entry)
{
  g_clear_pointer (&entry->key, gw_secret_unref);
  entry->source = GW_KEY_NONE;
  entry->variable = NULL;
}

static void
mark_configured (GwCatalogueEntry *entry)
{
  GwProviderConfig *config;

  if (entry->config->configured)
    return;
  config = gw_provider_config_copy (entry->config);
  config->configured = TRUE;
  set_config (entry, config);
}

static void
put_entry (GPtrArray *entries,
           Change *change)
{
  GwProviderConfig *config = gw_provider_config_copy (change->config);
  GwCatalogueEntry *entry = NULL;

  for (guint i = 0; i < entries->len && entry == NULL; i++)
    {
      GwCatalogueEntry *candidate = g_ptr_array_index (entries, i);

      if (g_str_equal (candidate->config->name, config->name))
        entry = candidate;
    }

  config->configured = TRUE;
  if (entry == NULL)
    {
      entry = _gw_catalogue_entry_new (config);
      entry->config->key_named = config->api_key_env != NULL;
      entry->config->preset = FALSE;
      g_ptr_array_add (entries, entry);
      gw_provider_config_unref (config);
    }
  else
    {
      gboolean renamed = g_strcmp0 (config->api_key_env, entry->config->api_key_env) != 0;

      config->preset = entry->config->preset;
      config->key_named = config->api_key_env != NULL && (entry->config->key_named || renamed);
      if (_gw_catalogue_origin_differs (config, entry->config))
        {
          drop_key (entry);
          if (!renamed)
            {
              g_clear_pointer (&config->api_key_env, g_free);
              config->key_named = FALSE;
            }
        }
      else if (renamed && entry->source == GW_KEY_ENVIRONMENT)
        drop_key (entry);
      set_config (entry, config);
    }

  if (change->forgets_key || change->key != NULL)
    {
      /* The variable would win at the next start. */
      if (entry->source == GW_KEY_ENVIRONMENT
          && (change->forgets_key || change->source == GW_KEY_KEYRING))
        {
          config = gw_provider_config_copy (entry->config);
          g_clear_pointer (&config->api_key_env, g_free);
          config->key_named = FALSE;
          set_config (entry, config);
        }
      drop_key (entry);
    }
  if (change->key != NULL)
    {
      entry->key = gw_secret_ref (change->key);
      entry->source = change->source;
    }
  else if (entry->key == NULL && !change->forgets_key)
    _gw_catalogue_entry_load_environment (entry);
  change->source = _gw_catalogue_entry_get_source (entry);
}

static void
remove_entry (GPtrArray *entries,
              const char *name)
{
  gboolean others = FALSE;
  guint index = 0;
  GwCatalogueEntry *entry;

  for (guint i = 0; i < entries->len; i++)
    {
      entry = g_ptr_array_index (entries, i);
      if (g_str_equal (entry->config->name, name))
        index = i;
      else
        others |= entry->config->configured;
    }
  entry = g_ptr_array_index (entries, index);

  if (entry->config->preset)
    {
      g_autoptr (GwProviderConfig) preset = gw_config_dup_preset (name);

      drop_key (entry);
      if (preset != NULL)
        set_config (entry, gw_provider_config_copy (preset));
      _gw_catalogue_entry_load_environment (entry);
    }
  else
    g_ptr_array_remove_index (entries, index);

  if (others)
    return;

  /* Without any group, each preset that has a key would be used by itself from the next start on.
   * Who removed the last provider did not ask for that. */
  for (guint i = 0; i < entries->len; i++)
    {
      GwProviderConfig *config;

      entry = g_ptr_array_index (entries, i);
      if (_gw_catalogue_is_practice (entry->config)
          || (entry->key == NULL && !entry->answers && !g_str_equal (entry->config->name, name)))
        continue;
      config = gw_provider_config_copy (entry->config);
      config->configured = TRUE;
      config->enabled = FALSE;
      set_config (entry, config);
    }
}

/* What the entries will be, and which of them the file shall have. */
static GPtrArray *
plan_change (GwCatalogue *self,
             Change *change,
             GPtrArray **groups)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func (_gw_catalogue_entry_free);

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->entries->len; i++)
    {
      const GwCatalogueEntry *entry = g_ptr_array_index (self->entries, i);
      GwCatalogueEntry *copy = entry_copy (entry);

      if (_gw_catalogue_is_in_use_locked (self, entry)
          && !_gw_catalogue_is_practice (entry->config))
        mark_configured (copy);
      g_ptr_array_add (entries, copy);
    }
  g_mutex_unlock (&self->mutex);

  if (change->config != NULL)
    put_entry (entries, change);
  else
    remove_entry (entries, change->name);

  *groups = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_provider_config_unref);
  for (guint i = 0; i < entries->len; i++)
    {
      GwCatalogueEntry *entry = g_ptr_array_index (entries, i);

      if (entry->config->configured)
        g_ptr_array_add (*groups, gw_provider_config_ref (entry->config));
    }

  return entries;
}

/* In a thread of its own: the disk may take its time. */
static void
save_worker (GTask *task,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  GwCatalogue *self = source;
  g_autoptr (GError) error = NULL;

  if (gw_config_save_providers (self->config, task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

/* The last step: what the keyring still holds for it and must not. Whether that worked changes
 * nothing any more: such a key is for another host, or of no provider. */
static void
cleared_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  const Change *change = g_task_get_task_data (task);

  if (!gw_keyring_clear_finish (result, &error))
    g_warning ("The old key of %s could not be taken out of the keyring: %s", change->name,
               error->message);
  end_change (g_task_get_source_object (task));
  g_task_return_boolean (task, TRUE);
}

static void
clear_keyring (GwCatalogue *self,
               GTask *task,
               const Change *change)
{
  g_autofree char *host = change->config != NULL ? _gw_catalogue_dup_host (change->config) : NULL;
  gboolean all = change->config == NULL || change->forgets_key;
  gboolean moved = change->old_host != NULL && g_strcmp0 (change->old_host, host) != 0;

  if ((!all && !moved) || !gw_keyring_is_there ())
    {
      end_change (self);
      g_task_return_boolean (task, TRUE);
      return;
    }
  gw_keyring_clear_async (change->name, all ? NULL : change->old_host, KEYRING_WRITE_MS, cleared_cb,
                          g_object_ref (task));
}

/* The file did not take the change: puts the keyring back as it was, then says why it failed. */
static void
undone_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Change *change = g_task_get_task_data (task);

  end_change (g_task_get_source_object (task));
  g_task_return_error (task, g_steal_pointer (&change->error));
}

static void
undo_keyring (GwCatalogue *self,
              GTask *task,
              Change *change)
{
  g_autofree char *host = change->config != NULL ? _gw_catalogue_dup_host (change->config) : NULL;

  if (change->source != GW_KEY_KEYRING || change->key == NULL)
    {
      end_change (self);
      g_task_return_error (task, g_steal_pointer (&change->error));
    }
  else if (change->old_key != NULL && g_strcmp0 (change->old_host, host) == 0)
    gw_keyring_store_async (change->name, host, change->old_key, KEYRING_WRITE_MS, undone_cb,
                            g_object_ref (task));
  else
    gw_keyring_clear_async (change->name, host, KEYRING_WRITE_MS, undone_cb, g_object_ref (task));
}

static void
saved_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  GwCatalogue *self = GW_CATALOGUE (source);
  g_autoptr (GTask) task = user_data;
  Change *change = g_task_get_task_data (task);
  GPtrArray *entries = g_object_get_data (G_OBJECT (result), "gw-entries");

  if (!g_task_propagate_boolean (G_TASK (result), &change->error))
    {
      undo_keyring (self, task, change);
      return;
    }

  g_mutex_lock (&self->mutex);
  g_ptr_array_unref (self->entries);
  self->entries = g_ptr_array_ref (entries);
  self->has_providers = TRUE;
  _gw_catalogue_notify_locked (self);
  g_mutex_unlock (&self->mutex);
  clear_keyring (self, task, change);
}

static void
save_change (GwCatalogue *self,
             GTask *task,
             Change *change)
{
  GPtrArray *groups = NULL;
  GPtrArray *entries = plan_change (self, change, &groups);
  g_autoptr (GTask) saving = g_task_new (self, NULL, saved_cb, g_object_ref (task));

  g_object_set_data_full (G_OBJECT (saving), "gw-entries", entries,
                          (GDestroyNotify) g_ptr_array_unref);
  g_task_set_task_data (saving, groups, (GDestroyNotify) g_ptr_array_unref);
  gw_thread_task_run (saving, "gw-save", save_worker);
}

static void
stored_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Change *change = g_task_get_task_data (task);

  if (gw_keyring_store_finish (result, &error))
    change->source = GW_KEY_KEYRING;
  else
    g_warning ("No keyring takes the key of %s (%s): it lasts until Gangway ends", change->name,
               error->message);
  save_change (g_task_get_source_object (task), task, change);
}

static gboolean
begin_change_cb (gpointer user_data)
{
  GTask *task = user_data;
  GwCatalogue *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, change->name);
  if (entry != NULL)
    {
      change->old_host = _gw_catalogue_dup_host (entry->config);
      if (entry->key != NULL && entry->source == GW_KEY_KEYRING)
        change->old_key = gw_secret_ref (entry->key);
    }
  g_mutex_unlock (&self->mutex);

  if (change->config == NULL && change->old_host == NULL)
    {
      end_change (self);
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_NOT_FOUND,
                               "There is no provider \"%s\".", change->name);
      return G_SOURCE_REMOVE;
    }

  change->source = GW_KEY_SESSION;
  if (change->key != NULL && gw_keyring_is_there ())
    {
      g_autofree char *host = _gw_catalogue_dup_host (change->config);

      gw_keyring_store_async (change->name, host, change->key, KEYRING_WRITE_MS, stored_cb,
                              g_object_ref (task));
    }
  else
    save_change (self, task, change);

  return G_SOURCE_REMOVE;
}

void
gw_catalogue_put_async (GwCatalogue *self,
                        GwProviderConfig *config,
                        const char *key,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GError) error = NULL;
  Change *change = g_new0 (Change, 1);

  g_task_set_source_tag (task, gw_catalogue_put_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, change, change_free);
  change->config = gw_provider_config_copy (config);
  change->name = g_strdup (config->name);
  change->forgets_key = key != NULL && *key == '\0';

  if (!gw_provider_config_check (config, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  if (key != NULL && *key != '\0')
    {
      g_autofree char *keys = gw_secret_dup_keys (key);

      if (keys == NULL)
        {
          g_task_return_new_error (task, GW_ERROR, GW_ERROR_INVALID,
                                   "key: must be printable ASCII without blanks; of several each "
                                   "stands on a line of its own");
          return;
        }
      change->key = gw_secret_new (keys);
      explicit_bzero (keys, strlen (keys));
    }
  queue_change (self, task);
}

gboolean
gw_catalogue_put_finish (GwCatalogue *self,
                         GAsyncResult *result,
                         GwKeySource *source,
                         GError **error)
{
  const Change *change;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  change = g_task_get_task_data (G_TASK (result));
  if (source != NULL)
    *source = change->source;

  return g_task_propagate_boolean (G_TASK (result), error);
}

void
gw_catalogue_remove_async (GwCatalogue *self,
                           const char *name,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Change *change = g_new0 (Change, 1);

  g_task_set_source_tag (task, gw_catalogue_remove_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, change, change_free);
  change->name = g_strdup (name);
  if (g_str_equal (name, GW_PRACTICE_PROVIDER))
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_CONFLICT,
                               "The practice provider cannot be removed; set enabled to false "
                               "instead.");
      return;
    }
  queue_change (self, task);
}

gboolean
gw_catalogue_remove_finish (GwCatalogue *self,
                            GAsyncResult *result,
                            GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
