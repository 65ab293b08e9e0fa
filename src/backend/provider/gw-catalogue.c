/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The providers in use and their keys, as others see them; how they come to be is in
 * gw-catalogue-load.c, how they change in gw-catalogue-change.c. One mutex guards the entries; what
 * is handed out is immutable and refcounted, so nobody holds it. Changes (put, remove) run one
 * after another, whoever asks: first the keyring, then the file, then what others see, then the
 * watchers are told; a change that the file did not take is not made, and the keyring is put back.
 * Without a keyring a key lasts as long as the program.
 *
 * Which provider is used (contract, section 4): once the file has any [provider …] group, those it
 * enables; else each preset with a key, and a local one that answers. Practice always is.
 *
 * A key belongs to the host that it was entered for: when an address moves to another host the key
 * is dropped, and with it the variable that it came from unless the change names one. */

#define G_LOG_DOMAIN "gw-catalogue"

#include "config.h"

#include <string.h>

#include "provider/gw-catalogue-private.h"

typedef struct {
  guint id;
  GMainContext *context; /* (owned) */
  GSourceFunc func;
  gpointer data;
  GDestroyNotify destroy; /* (nullable) */
  GSource *pending;      /* (owned) (nullable) (mutex mutex) */
  GwCatalogue *catalogue; /* borrowed: a watch in the table lives no longer */
} Watch;

G_DEFINE_FINAL_TYPE (GwCatalogue, gw_catalogue, G_TYPE_OBJECT)

static const char *const key_sources[] = {
  [GW_KEY_NONE] = "none",
  [GW_KEY_ENVIRONMENT] = "environment",
  [GW_KEY_KEYRING] = "keyring",
  [GW_KEY_SESSION] = "session",
  [GW_KEY_NOT_NEEDED] = "not-needed",
};

/* (transfer none): its name on the wire. */
const char *
gw_key_source_to_string (GwKeySource source)
{
  g_return_val_if_fail ((guint) source < G_N_ELEMENTS (key_sources), "none");

  return key_sources[source];
}

void
_gw_catalogue_entry_free (gpointer data)
{
  GwCatalogueEntry *entry = data;

  gw_provider_config_unref (entry->config);
  g_clear_pointer (&entry->key, gw_secret_unref);
  g_strfreev (entry->found);
  g_free (entry);
}

GwCatalogueEntry *
_gw_catalogue_entry_new (GwProviderConfig *config)
{
  GwCatalogueEntry *entry = g_new0 (GwCatalogueEntry, 1);

  entry->config = gw_provider_config_ref (config);
  return entry;
}

static void
watch_clear (gpointer data)
{
  Watch *watch = data;

  if (watch->destroy != NULL)
    watch->destroy (watch->data);
  g_clear_pointer (&watch->pending, g_source_unref);
  g_main_context_unref (watch->context);
}

static void
watch_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, watch_clear);
}

static void
gw_catalogue_finalize (GObject *object)
{
  GwCatalogue *self = GW_CATALOGUE (object);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->watches);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Watch *watch = value;

      if (watch->pending != NULL)
        g_source_destroy (watch->pending);
    }
  g_hash_table_unref (self->watches);
  g_ptr_array_unref (self->entries);
  g_strfreev (self->order);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (gw_catalogue_parent_class)->finalize (object);
}

static void
gw_catalogue_class_init (GwCatalogueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gw_catalogue_finalize;
}

static void
gw_catalogue_init (GwCatalogue *self)
{
  g_mutex_init (&self->mutex);
  self->entries = g_ptr_array_new_with_free_func (_gw_catalogue_entry_free);
  self->watches = g_hash_table_new_full (NULL, NULL, NULL, watch_unref);
  g_queue_init (&self->changes);
}

/**
 * gw_catalogue_new:
 * @config: the configuration; must outlive the catalogue
 *
 * Returns: (transfer full): the catalogue, without keys until gw_catalogue_load_async()
 */
GwCatalogue *
gw_catalogue_new (GwConfig *config)
{
  GwCatalogue *self = g_object_new (GW_TYPE_CATALOGUE, NULL);

  self->config = config;
  self->has_providers = config->has_providers;
  self->order = g_strdupv (config->provider_order);
  for (guint i = 0; i < config->providers->len; i++)
    g_ptr_array_add (self->entries,
                     _gw_catalogue_entry_new (g_ptr_array_index (config->providers, i)));

  return self;
}

GwCatalogueEntry *
_gw_catalogue_find_locked (GwCatalogue *self,
                           const char *name)
{
  for (guint i = 0; name != NULL && i < self->entries->len; i++)
    {
      GwCatalogueEntry *entry = g_ptr_array_index (self->entries, i);

      if (g_str_equal (entry->config->name, name))
        return entry;
    }

  return NULL;
}

gboolean
_gw_catalogue_is_practice (const GwProviderConfig *config)
{
  return g_str_equal (config->name, GW_PRACTICE_PROVIDER);
}

gboolean
_gw_catalogue_is_in_use_locked (GwCatalogue *self,
                                const GwCatalogueEntry *entry)
{
  if (!entry->config->enabled)
    return FALSE;
  if (_gw_catalogue_is_practice (entry->config))
    return TRUE;
  if (self->has_providers)
    return entry->config->configured;

  return entry->key != NULL || (entry->config->local && entry->answers);
}

/* Watches */

static gboolean
watch_cb (gpointer user_data)
{
  Watch *watch = user_data;

  g_mutex_lock (&watch->catalogue->mutex);
  g_clear_pointer (&watch->pending, g_source_unref);
  g_mutex_unlock (&watch->catalogue->mutex);
  watch->func (watch->data);

  return G_SOURCE_REMOVE;
}

void
_gw_catalogue_notify_locked (GwCatalogue *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->watches);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Watch *watch = value;

      if (watch->pending != NULL)
        continue;
      watch->pending = g_idle_source_new ();
      g_source_set_priority (watch->pending, G_PRIORITY_DEFAULT);
      g_source_set_static_name (watch->pending, "[gangway] catalogue changed");
      g_source_set_callback (watch->pending, watch_cb, g_atomic_rc_box_acquire (watch),
                             watch_unref);
      g_source_attach (watch->pending, watch->context);
    }
}

/**
 * gw_catalogue_watch:
 * @self: a catalogue
 * @context: (nullable): where @func runs; %NULL is the default context
 * @func: what runs after a change; its return value is ignored
 * @data: for @func
 * @destroy: (nullable): for @data; runs in @context or where it is unwatched
 *
 * Returns: an id for gw_catalogue_unwatch()
 */
guint
gw_catalogue_watch (GwCatalogue *self,
                    GMainContext *context,
                    GSourceFunc func,
                    gpointer data,
                    GDestroyNotify destroy)
{
  Watch *watch = g_atomic_rc_box_new0 (Watch);
  guint id;

  watch->context = g_main_context_ref (context != NULL ? context : g_main_context_default ());
  watch->func = func;
  watch->data = data;
  watch->destroy = destroy;
  watch->catalogue = self;

  g_mutex_lock (&self->mutex);
  id = watch->id = ++self->last_watch;
  g_hash_table_insert (self->watches, GUINT_TO_POINTER (id), watch);
  g_mutex_unlock (&self->mutex);

  return id;
}

/* From the thread of the watch's context, its function does not run any more after this; from
 * another one it may be running right now. */
void
gw_catalogue_unwatch (GwCatalogue *self,
                      guint id)
{
  g_autoptr (GSource) pending = NULL;
  Watch *watch = NULL;

  g_mutex_lock (&self->mutex);
  if (g_hash_table_steal_extended (self->watches, GUINT_TO_POINTER (id), NULL,
                                   (gpointer *) &watch))
    pending = g_steal_pointer (&watch->pending);
  g_mutex_unlock (&self->mutex);

  /* Not under the lock: both may run the watcher's own destroy function. */
  if (pending != NULL)
    g_source_destroy (pending);
  if (watch != NULL)
    watch_unref (watch);
}

/* Reading */

static gint
compare_order (gconstpointer a,
               gconstpointer b,
               gpointer user_data)
{
  const GwProviderConfig *left = *(GwProviderConfig *const *) a;
  const GwProviderConfig *right = *(GwProviderConfig *const *) b;
  char **order = user_data;
  guint first = 0, second = 0;

  while (order[first] != NULL && !g_str_equal (order[first], left->name))
    first++;
  while (order[second] != NULL && !g_str_equal (order[second], right->name))
    second++;

  return first < second ? -1 : first > second;
}

/* The preferred ones first, the rest as the catalogue and the file have them. */
GPtrArray *
gw_catalogue_list (GwCatalogue *self)
{
  GPtrArray *list;

  list = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_provider_config_unref);
  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->entries->len; i++)
    {
      GwCatalogueEntry *entry = g_ptr_array_index (self->entries, i);

      g_ptr_array_add (list, gw_provider_config_ref (entry->config));
    }
  /* A stable sort: g_qsort_with_data() is one. */
  if (self->order != NULL)
    g_ptr_array_sort_with_data (list, compare_order, self->order);
  g_mutex_unlock (&self->mutex);

  return list;
}

GwProviderConfig *
gw_catalogue_dup (GwCatalogue *self,
                  const char *name)
{
  GwProviderConfig *config = NULL;
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL)
    config = gw_provider_config_ref (entry->config);
  g_mutex_unlock (&self->mutex);

  return config;
}

gboolean
gw_catalogue_is_in_use (GwCatalogue *self,
                        const char *name)
{
  gboolean in_use;
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  in_use = entry != NULL && _gw_catalogue_is_in_use_locked (self, entry);
  g_mutex_unlock (&self->mutex);

  return in_use;
}

gboolean
gw_catalogue_is_usable (GwCatalogue *self,
                        const char *name)
{
  gboolean usable;
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  usable = entry != NULL && _gw_catalogue_is_in_use_locked (self, entry)
           && (entry->key != NULL || !gw_provider_config_needs_key (entry->config));
  g_mutex_unlock (&self->mutex);

  return usable;
}

GwKeySource
_gw_catalogue_entry_get_source (const GwCatalogueEntry *entry)
{
  if (entry->key != NULL)
    return entry->source;

  return gw_provider_config_needs_key (entry->config) ? GW_KEY_NONE : GW_KEY_NOT_NEEDED;
}

GwKeySource
gw_catalogue_get_key_source (GwCatalogue *self,
                             const char *name)
{
  GwKeySource source = GW_KEY_NONE;
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL)
    source = _gw_catalogue_entry_get_source (entry);
  g_mutex_unlock (&self->mutex);

  return source;
}

static const char *
first_variable (const GwProviderConfig *config)
{
  g_auto (GStrv) names = NULL;

  if (config->api_key_env == NULL)
    return NULL;
  names = g_strsplit (config->api_key_env, ",", 2);

  return names[0] != NULL && *g_strstrip (names[0]) != '\0' ? g_intern_string (names[0]) : NULL;
}

/**
 * gw_catalogue_get_key_variable:
 * @self: a catalogue
 * @name: a provider
 *
 * Returns: (transfer none) (nullable): the variable that its key was read from, or, without a key,
 *   the one to set; never freed
 */
const char *
gw_catalogue_get_key_variable (GwCatalogue *self,
                               const char *name)
{
  const char *variable = NULL;
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL)
    variable = entry->variable != NULL ? entry->variable : first_variable (entry->config);
  g_mutex_unlock (&self->mutex);

  return variable;
}

GwProvider *
gw_catalogue_make_provider (GwCatalogue *self,
                            const char *name,
                            GwClock *clock)
{
  g_autoptr (GwProviderConfig) config = NULL;
  g_autoptr (GwSecret) key = NULL;
  GwCatalogueEntry *entry;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL)
    {
      config = gw_provider_config_ref (entry->config);
      key = entry->key != NULL ? gw_secret_ref (entry->key) : NULL;
    }
  g_mutex_unlock (&self->mutex);

  if (config == NULL)
    return NULL;

  return gw_provider_new (config, key != NULL ? gw_secret_get (key) : NULL, clock);
}

/**
 * gw_catalogue_make_test_provider:
 * @self: a catalogue
 * @config: what would be written
 * @key: (nullable): the key that would be written; "" for none
 * @clock: the clock of its times
 *
 * Without @key the one that the provider of that name has is used, where it would be kept: if the
 * address is still that of the same host.
 *
 * Returns: (transfer full) (nullable): a provider to try; %NULL where @key is none
 */
GwProvider *
gw_catalogue_make_test_provider (GwCatalogue *self,
                                 GwProviderConfig *config,
                                 const char *key,
                                 GwClock *clock)
{
  g_autoptr (GwSecret) secret = NULL;

  if (key == NULL)
    {
      GwCatalogueEntry *entry;

      g_mutex_lock (&self->mutex);
      entry = _gw_catalogue_find_locked (self, config->name);
      if (entry != NULL && entry->key != NULL
          && !_gw_catalogue_origin_differs (config, entry->config))
        secret = gw_secret_ref (entry->key);
      g_mutex_unlock (&self->mutex);
    }
  else if (*key != '\0')
    {
      g_autofree char *keys = gw_secret_dup_keys (key);

      if (keys == NULL)
        return NULL;
      secret = gw_secret_new (keys);
      explicit_bzero (keys, strlen (keys));
    }

  return gw_provider_new (config, secret != NULL ? gw_secret_get (secret) : NULL, clock);
}

/* (transfer full) (nullable): the same for the same key, and of no use to find it: machines that
 * share a queue tell by it whether a key that was refused is theirs, too. */
char *
gw_catalogue_dup_key_digest (GwCatalogue *self,
                             const char *name)
{
  static const char purpose[] = "gangway: which key";
  g_autoptr (GwSecret) key = NULL;
  GwCatalogueEntry *entry;
  char *digest;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL && entry->key != NULL)
    key = gw_secret_ref (entry->key);
  g_mutex_unlock (&self->mutex);
  if (key == NULL)
    return NULL;

  digest = g_compute_hmac_for_string (G_CHECKSUM_SHA256, (const guchar *) purpose,
                                      sizeof purpose - 1, gw_secret_get (key), -1);
  digest[16] = '\0';

  return digest;
}

/* How many keys it has. */
guint
gw_catalogue_count_keys (GwCatalogue *self,
                         const char *name)
{
  GwCatalogueEntry *entry;
  guint count = 0;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL && entry->key != NULL)
    count = gw_secret_count (entry->key);
  g_mutex_unlock (&self->mutex);

  return count;
}

/* (transfer full) (nullable): the models of a local server that was there when it was looked for */
char **
gw_catalogue_dup_found (GwCatalogue *self,
                        const char *name)
{
  GwCatalogueEntry *entry;
  char **found = NULL;

  g_mutex_lock (&self->mutex);
  entry = _gw_catalogue_find_locked (self, name);
  if (entry != NULL)
    found = g_strdupv (entry->found);
  g_mutex_unlock (&self->mutex);

  return found;
}

/**
 * gw_catalogue_set_order:
 * @self: a catalogue
 * @order: names, the preferred one first; others follow
 *
 * Not persisted here.
 */
void
gw_catalogue_set_order (GwCatalogue *self,
                        const char *const *order)
{
  g_mutex_lock (&self->mutex);
  g_strfreev (self->order);
  self->order = g_strdupv ((char **) order);
  _gw_catalogue_notify_locked (self);
  g_mutex_unlock (&self->mutex);
}
