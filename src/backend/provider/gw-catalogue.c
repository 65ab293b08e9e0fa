/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The providers in use and their keys. One mutex guards the entries; what is handed out is immutable
 * and refcounted, so nobody holds it. Changes (put, remove) run one after another, whoever asks:
 * first the file, then the keyring, then what others see, then the watchers are told; so a change
 * that could not be kept is not made.
 *
 * Which provider is used (contract, section 4): once the file has any [provider …] group, those it
 * enables; else each preset with a key, and a local one that answers. Practice always is.
 *
 * A key belongs to the host that it was entered for: when an address moves to another host the key is
 * dropped, and with it the variable that it came from unless the change names one. */

#define G_LOG_DOMAIN "gw-catalogue"

#include "config.h"

#include <string.h>

#include "provider/gw-catalogue.h"
#include "provider/gw-local-probe.h"
#include "provider/gw-secret.h"

typedef struct {
  GwProviderConfig *config; /* (owned) immutable, replaced as a whole */
  GwSecret *key;            /* (owned) (nullable) */
  GwKeySource source;       /* of @key */
  const char *variable;     /* (nullable) interned; where @key was read, from the environment */
  gboolean answers;         /* a local server was there */
} Entry;

typedef struct {
  guint id;
  GMainContext *context; /* (owned) */
  GSourceFunc func;
  gpointer data;
  GDestroyNotify destroy; /* (nullable) */
  GSource *pending;      /* (owned) (nullable) (mutex mutex) */
  GwCatalogue *catalogue; /* borrowed: a watch in the table lives no longer */
} Watch;

struct _GwCatalogue {
  GObject parent_instance;

  /* Borrowed References */
  GwConfig *config;

  /* Owned References */
  GMutex mutex;
  GPtrArray *entries;     /* (mutex mutex) (element-type Entry) in the order of the file */
  GHashTable *watches;    /* (mutex mutex) id -> Watch, an rc box */
  GQueue changes;         /* (mutex mutex) (element-type GTask) that wait; the head runs */

  guint last_watch;       /* (mutex mutex) */
  gboolean has_providers; /* (mutex mutex) */
};

G_DEFINE_FINAL_TYPE (GwCatalogue, gw_catalogue, G_TYPE_OBJECT)

static const char *const key_sources[] = {
  [GW_KEY_NONE] = "none",
  [GW_KEY_ENVIRONMENT] = "environment",
  [GW_KEY_KEYRING] = "keyring",
  [GW_KEY_SESSION] = "session",
  [GW_KEY_NOT_NEEDED] = "not-needed",
};

const char *
gw_key_source_to_string (GwKeySource source)
{
  g_return_val_if_fail ((guint) source < G_N_ELEMENTS (key_sources), "none");

  return key_sources[source];
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  gw_provider_config_unref (entry->config);
  g_clear_pointer (&entry->key, gw_secret_unref);
  g_free (entry);
}

static Entry *
entry_new (GwProviderConfig *config)
{
  Entry *entry = g_new0 (Entry, 1);

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
  self->entries = g_ptr_array_new_with_free_func (entry_free);
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
  for (guint i = 0; i < config->providers->len; i++)
    g_ptr_array_add (self->entries, entry_new (g_ptr_array_index (config->providers, i)));

  return self;
}

static Entry *
find_locked (GwCatalogue *self,
             const char *name)
{
  for (guint i = 0; name != NULL && i < self->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (self->entries, i);

      if (g_str_equal (entry->config->name, name))
        return entry;
    }

  return NULL;
}

static gboolean
is_practice (const GwProviderConfig *config)
{
  return g_str_equal (config->name, GW_PRACTICE_PROVIDER);
}

static gboolean
is_in_use_locked (GwCatalogue *self,
                  const Entry *entry)
{
  if (!entry->config->enabled)
    return FALSE;
  if (is_practice (entry->config))
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

static void
notify_locked (GwCatalogue *self)
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

GPtrArray *
gw_catalogue_list (GwCatalogue *self)
{
  GPtrArray *list;

  list = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_provider_config_unref);
  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (self->entries, i);

      g_ptr_array_add (list, gw_provider_config_ref (entry->config));
    }
  g_mutex_unlock (&self->mutex);

  return list;
}

GwProviderConfig *
gw_catalogue_dup (GwCatalogue *self,
                  const char *name)
{
  GwProviderConfig *config = NULL;
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
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
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
  in_use = entry != NULL && is_in_use_locked (self, entry);
  g_mutex_unlock (&self->mutex);

  return in_use;
}

gboolean
gw_catalogue_is_usable (GwCatalogue *self,
                        const char *name)
{
  gboolean usable;
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
  usable = entry != NULL && is_in_use_locked (self, entry)
           && (entry->key != NULL || !gw_provider_config_needs_key (entry->config));
  g_mutex_unlock (&self->mutex);

  return usable;
}

gboolean
gw_catalogue_was_found (GwCatalogue *self,
                        const char *name)
{
  gboolean found;
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
  found = entry != NULL && !self->has_providers && !is_practice (entry->config)
          && is_in_use_locked (self, entry);
  g_mutex_unlock (&self->mutex);

  return found;
}

static GwKeySource
key_source_locked (const Entry *entry)
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
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
  if (entry != NULL)
    source = key_source_locked (entry);
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
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
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
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
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

/* Loading */

static gboolean
is_key (const char *text)
{
  if (*text == '\0')
    return FALSE;
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c < 0x21 || *c > 0x7e)
        return FALSE;
    }

  return TRUE;
}

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
      const char *value = *name != '\0' ? g_getenv (name) : NULL;
      g_autofree char *trimmed = NULL;
      GwSecret *key = NULL;

      if (value == NULL || *value == '\0')
        continue;
      trimmed = g_strstrip (g_strdup (value));
      if (is_key (trimmed))
        {
          key = gw_secret_new (trimmed);
          *variable = g_intern_string (name);
        }
      else
        g_warning ("%s holds no key (blanks or other characters that no key has); it is not used",
                   name);
      explicit_bzero (trimmed, strlen (trimmed));
      if (key != NULL)
        return key;
    }

  return NULL;
}

static void
load_environment_locked (Entry *entry)
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
  notify_locked (self);
  g_mutex_unlock (&self->mutex);
  if (!g_task_return_error_if_cancelled (task))
    g_task_return_boolean (task, TRUE);
}

typedef struct {
  GTask *task; /* (owned) */
  char *name;  /* (owned) */
} Probe;

static void
probed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autofree Probe *probe = user_data;
  g_autoptr (GTask) task = probe->task;
  g_autofree char *name = probe->name;
  g_auto (GStrv) models = gw_local_probe_finish (result, NULL);
  GwCatalogue *self = g_task_get_source_object (task);
  Entry *entry;

  g_mutex_lock (&self->mutex);
  entry = find_locked (self, name);
  if (entry != NULL && models != NULL)
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
      Entry *entry = g_ptr_array_index (self->entries, i);
      const GwProviderConfig *config = entry->config;

      load_environment_locked (entry);
      if (config->local && config->kind == GW_PROVIDER_OPENAI && config->enabled
          && (!self->has_providers || (config->configured && config->model == NULL)))
        g_ptr_array_add (local, gw_provider_config_ref (entry->config));
    }
  g_mutex_unlock (&self->mutex);

  load->active = 1 + local->len;
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

/* Changing */

typedef struct {
  GwProviderConfig *config; /* (owned) (nullable) NULL: remove */
  char *name;               /* (owned) */
  GwSecret *key;            /* (owned) (nullable) */
  gboolean forgets_key;
  GwKeySource source;
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_clear_pointer (&change->config, gw_provider_config_unref);
  g_clear_pointer (&change->key, gw_secret_unref);
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

static gboolean
origin_differs (const GwProviderConfig *a,
                const GwProviderConfig *b)
{
  g_autofree char *one = gw_provider_config_dup_origin (a);
  g_autofree char *other = gw_provider_config_dup_origin (b);

  return g_strcmp0 (one, other) != 0;
}

static Entry *
entry_copy (const Entry *entry)
{
  Entry *copy = g_new (Entry, 1);

  *copy = *entry;
  gw_provider_config_ref (copy->config);
  if (copy->key != NULL)
    gw_secret_ref (copy->key);

  return copy;
}

static void
set_config (Entry *entry,
            GwProviderConfig *config)
{
  gw_provider_config_unref (entry->config);
  entry->config = config;
}

static void
drop_key (Entry *entry)
{
  g_clear_pointer (&entry->key, gw_secret_unref);
  entry->source = GW_KEY_NONE;
  entry->variable = NULL;
}

static void
mark_configured (Entry *entry)
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
  Entry *entry = NULL;

  for (guint i = 0; i < entries->len && entry == NULL; i++)
    {
      Entry *candidate = g_ptr_array_index (entries, i);

      if (g_str_equal (candidate->config->name, config->name))
        entry = candidate;
    }

  config->configured = TRUE;
  if (entry == NULL)
    {
      entry = entry_new (config);
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
      if (origin_differs (config, entry->config))
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
      /* The variable would win at the next start: a key that is written here replaces it. */
      if (entry->source == GW_KEY_ENVIRONMENT && change->source != GW_KEY_SESSION)
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
    load_environment_locked (entry);
  change->source = key_source_locked (entry);
}

static void
remove_entry (GPtrArray *entries,
              const char *name)
{
  gboolean others = FALSE;
  guint index = 0;
  Entry *entry;

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
      load_environment_locked (entry);
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
      if (is_practice (entry->config)
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
  GPtrArray *entries = g_ptr_array_new_with_free_func (entry_free);

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (self->entries, i);
      Entry *copy = entry_copy (entry);

      if (is_in_use_locked (self, entry) && !is_practice (entry->config))
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
      Entry *entry = g_ptr_array_index (entries, i);

      if (entry->config->configured)
        g_ptr_array_add (*groups, gw_provider_config_ref (entry->config));
    }

  return entries;
}

/* In a thread of GTask's pool: a small file, no network. */
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

static void
saved_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  GwCatalogue *self = GW_CATALOGUE (source);
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  GPtrArray *entries = g_object_get_data (G_OBJECT (result), "gw-entries");

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      end_change (self);
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  g_mutex_lock (&self->mutex);
  g_ptr_array_unref (self->entries);
  self->entries = g_ptr_array_ref (entries);
  self->has_providers = TRUE;
  notify_locked (self);
  g_mutex_unlock (&self->mutex);
  end_change (self);
  g_task_return_boolean (task, TRUE);
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
  g_task_run_in_thread (saving, save_worker);
}

static gboolean
begin_change_cb (gpointer user_data)
{
  GTask *task = user_data;
  GwCatalogue *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  gboolean exists;

  g_mutex_lock (&self->mutex);
  exists = find_locked (self, change->name) != NULL;
  g_mutex_unlock (&self->mutex);

  if (change->config == NULL && !exists)
    {
      end_change (self);
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_NOT_FOUND,
                               "There is no provider \"%s\".", change->name);
      return G_SOURCE_REMOVE;
    }
  change->source = GW_KEY_SESSION;
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
      if (!is_key (key))
        {
          g_task_return_new_error (task, GW_ERROR, GW_ERROR_INVALID,
                                   "key: must be printable ASCII without blanks");
          return;
        }
      change->key = gw_secret_new (key);
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
