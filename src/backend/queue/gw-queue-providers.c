/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-queue-providers.h"

/*
 * What the queue is told of the catalogue. No state; any thread.
 */

static void
queue_provider_free (gpointer data)
{
  GwQueueProvider *provider = data;

  gw_provider_config_unref (provider->config);
  g_free (provider->key_digest);
  g_free (provider);
}

/**
 * gw_queue_providers_new:
 * @catalogue: the providers as they are now
 * @set_limits_of: (nullable): name of the one whose limits a person has just written
 *
 * Returns: (transfer full) (element-type GwQueueProvider): the argument for
 *   gw_queue_set_providers_async()
 */
GPtrArray *
gw_queue_providers_new (GwCatalogue *catalogue,
                        const char *set_limits_of)
{
  g_autoptr (GPtrArray) configs = gw_catalogue_list (catalogue);
  GPtrArray *providers = g_ptr_array_new_with_free_func (queue_provider_free);

  for (guint i = 0; i < configs->len; i++)
    {
      GwProviderConfig *config = configs->pdata[i];
      GwQueueProvider *provider = g_new0 (GwQueueProvider, 1);

      provider->config = gw_provider_config_ref (config);
      provider->in_use = gw_catalogue_is_in_use (catalogue, config->name);
      provider->usable = gw_catalogue_is_usable (catalogue, config->name);
      provider->key_digest = gw_catalogue_dup_key_digest (catalogue, config->name);
      provider->set_limits = g_strcmp0 (config->name, set_limits_of) == 0;
      g_ptr_array_add (providers, provider);
    }

  return providers;
}

/**
 * gw_queue_providers_add_removed:
 * @providers: (element-type GwQueueProvider): what the queue will be told
 * @name: of the provider that a person has removed; does nothing where it is still among them
 */
void
gw_queue_providers_add_removed (GPtrArray *providers,
                                const char *name)
{
  GwQueueProvider *provider;

  for (guint i = 0; i < providers->len; i++)
    {
      provider = g_ptr_array_index (providers, i);
      if (g_str_equal (provider->config->name, name))
        return;
    }

  provider = g_new0 (GwQueueProvider, 1);
  provider->config = gw_provider_config_new (name);
  provider->removed = TRUE;
  g_ptr_array_add (providers, provider);
}
