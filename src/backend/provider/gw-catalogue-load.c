/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Where keys come from at the start: environment or the service manager's credentials first, then
 * the keyring; and whether a local server answers. Everything is asked at once and bounded, so that
 * a start waits a second at most. */

#define G_LOG_DOMAIN "gw-catalogue"

#include "config.h"

#include <string.h>

#include "gw-credentials.h"
#include "provider/gw-catalogue-private.h"
#include "provider/gw-keyring.h"
#include "provider/gw-local-probe.h"

#define KEYRING_LOAD_MS 1000

/* What a key of a provider without an address is stored for. */
#define NO_HOST "local"

/* (nullable): the key of the first variable that is set to one */
static GwSecret *
read_environment (const GwProviderConfig *config,
                  const char **variable)
{
  g_auto (GStrv) names = g_strsplit (config->api_key_env != NULL ? config->api_key_env : "", ",",
                                     -1);

  for (guint i = 0; names[i] != NULL; i++)
    {
      const char *name = g_strstrip (names[i]);
      g_autofree char *value = *name != '\0' ? gw_credentials_dup (name) : NULL;
      g_autofree char *keys = NULL;
      GwSecret *key = NULL;

      if (value == NULL)
        continue;
      keys = gw_secret_dup_keys (value);
      explicit_bzero (value, strlen (value));
      if (keys != NULL)
        {
          key = gw_secret_new (keys);
          *variable = g_intern_string (name);
          explicit_bzero (keys, strlen (keys));
        }
      else
        g_warning ("%s holds no key (blanks or other characters that no key has); it is not used",
                   name);
      if (key != NULL)
        return key;
    }

  return NULL;
}

void
_gw_catalogue_entry_load_environment (GwCatalogueEntry *entry)
{
  g_autoptr (GwSecret) key = read_environment (entry->config, &entry->variable);

  if (key == NULL)
    return;
  g_clear_pointer (&entry->key, gw_secret_unref);
  entry->key = g_steal_pointer (&key);
  entry->source = GW_KEY_ENVIRONMENT;
}

typedef struct {
  guint active;
} Load;

static void
load_child_done (GTask *task)
{
  Load *load = g_task_get_task_data (task);
  GwCatalogue *self = g_task_get_source_object (task);

  if (--load->active > 0)
    return;

  g_mutex_lock (&self->mutex);
  _gw_catalogue_notify_locked (self);
  g_mutex_unlock (&self->mutex);
  if (!g_task_return_error_if_cancelled (task))
    g_task_return_boolean (task, TRUE);
}

typedef struct {
  GTask *task; /* (owned) */
  char *name;  /* (owned) */
} Probe;

/* Takes in what a local server was found to offer. @use: the first of it is the model to use, where
 * none is configured. */
static void
take_models (GwCatalogue *self,
             const char *name,
             char **models,
             gboolean use)
{
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL)
    {
      g_strfreev (entry->found);
      entry->found = g_strdupv (models);
    }
  if (entry != NULL && models != NULL && use)
    {
      entry->answers = TRUE;
      if (entry->config->model == NULL && models[0] != NULL)
        {
          GwProviderConfig *config = gw_provider_config_copy (entry->config);

          config->model = g_strdup (models[0]);
          gw_provider_config_unref (entry->config);
          entry->config = config;
        }
    }
  g_mutex_unlock (&self->mutex);
}

static void
probed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autofree Probe *probe = user_data;
  g_autoptr (GTask) task = probe->task;
  g_autofree char *name = probe->name;
  g_auto (GStrv) models = gw_local_probe_finish (result, NULL);

  take_models (g_task_get_source_object (task), name, models, TRUE);
  load_child_done (task);
}

char *
_gw_catalogue_dup_host (const GwProviderConfig *config)
{
  char *origin = gw_provider_config_dup_origin (config);

  return origin != NULL ? origin : g_strdup (NO_HOST);
}

static void
keyring_loaded_cb (GObject *source,
                   GAsyncResult *result,
                   gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = gw_keyring_load_finish (result, &error);
  GwCatalogue *self = g_task_get_source_object (task);

  if (items == NULL)
    g_info ("No keys from the keyring: %s", error->message);
  g_mutex_lock (&self->mutex);
  for (guint i = 0; items != NULL && i < items->len; i++)
    {
      const GwKeyringItem *item = g_ptr_array_index (items, i);
      GwCatalogueEntry *entry = _gw_catalogue_find_locked (self, item->provider);
      g_autofree char *host = entry != NULL ? _gw_catalogue_dup_host (entry->config) : NULL;

      /* A variable goes first, and a key goes only to the host that it was entered for. */
      if (entry == NULL || entry->key != NULL || !g_str_equal (host, item->host))
        continue;
      entry->key = gw_secret_ref (item->key);
      entry->source = GW_KEY_KEYRING;
    }
  g_mutex_unlock (&self->mutex);
  load_child_done (task);
}

void
gw_catalogue_load_async (GwCatalogue *self,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GPtrArray) local = NULL;
  Load *load = g_new0 (Load, 1);

  g_task_set_source_tag (task, gw_catalogue_load_async);
  g_task_set_task_data (task, load, g_free);
  local = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_provider_config_unref);

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->entries->len; i++)
    {
      GwCatalogueEntry *entry = g_ptr_array_index (self->entries, i);
      const GwProviderConfig *config = entry->config;

      _gw_catalogue_entry_load_environment (entry);
      if (config->local && config->kind == GW_PROVIDER_OPENAI && config->enabled
          && (!self->has_providers || (config->configured && config->model == NULL)))
        g_ptr_array_add (local, gw_provider_config_ref (entry->config));
    }
  g_mutex_unlock (&self->mutex);

  load->active = 1 + local->len;
  if (gw_keyring_is_there ())
    {
      load->active++;
      gw_keyring_load_async (KEYRING_LOAD_MS, keyring_loaded_cb, g_object_ref (task));
    }
  for (guint i = 0; i < local->len; i++)
    {
      const GwProviderConfig *config = g_ptr_array_index (local, i);
      Probe *probe = g_new0 (Probe, 1);

      probe->task = g_object_ref (task);
      probe->name = g_strdup (config->name);
      gw_local_probe_async (config->base_url, cancellable, probed_cb, probe);
    }
  load_child_done (task);
}

gboolean
gw_catalogue_load_finish (GwCatalogue *self,
                          GAsyncResult *result,
                          GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* A later look at the servers of this machine, for who would offer one. */

typedef struct {
  guint active;
} Find;

static void
found_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autofree Probe *probe = user_data;
  g_autoptr (GTask) task = probe->task;
  g_autofree char *name = probe->name;
  g_auto (GStrv) models = gw_local_probe_finish (result, NULL);
  Find *find = g_task_get_task_data (task);

  take_models (g_task_get_source_object (task), name, models, FALSE);
  if (--find->active == 0)
    g_task_return_boolean (task, TRUE);
}

void
gw_catalogue_find_async (GwCatalogue *self,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GPtrArray) configs = gw_catalogue_list (self);
  Find *find = g_new0 (Find, 1);

  g_task_set_source_tag (task, gw_catalogue_find_async);
  g_task_set_task_data (task, find, g_free);
  for (guint i = 0; i < configs->len; i++)
    {
      const GwProviderConfig *config = configs->pdata[i];
      Probe *probe;

      if (!config->local || config->kind != GW_PROVIDER_OPENAI)
        continue;
      probe = g_new0 (Probe, 1);
      probe->task = g_object_ref (task);
      probe->name = g_strdup (config->name);
      find->active++;
      gw_local_probe_async (config->base_url, cancellable, found_cb, probe);
    }
  if (find->active == 0)
    g_task_return_boolean (task, TRUE);
}

gboolean
gw_catalogue_find_finish (GwCatalogue *self,
                          GAsyncResult *result,
                          GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
