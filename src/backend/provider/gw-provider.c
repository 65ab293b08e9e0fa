/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The face of all kinds of providers. An object belongs to the thread whose default context it was
 * made in; nothing here locks. Which kind is made is decided here and nowhere else. */

#define G_LOG_DOMAIN "gw-provider"

#include "config.h"

#include "provider/gw-command-provider.h"
#include "provider/gw-openai-provider.h"
#include "provider/gw-practice-provider.h"
#include "provider/gw-provider.h"
#include "provider/gw-secret.h"

typedef struct {
  GwProviderConfig *config; /* (owned) */
  GwSecret *key;            /* (owned) (nullable) */
  GwClock *clock;           /* (owned) */
} GwProviderPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GwProvider, gw_provider, G_TYPE_OBJECT)

enum {
  PROP_0,
  PROP_CONFIG,
  PROP_KEY,
  PROP_CLOCK,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
gw_provider_set_property (GObject *object,
                          guint id,
                          const GValue *value,
                          GParamSpec *pspec)
{
  GwProvider *self = GW_PROVIDER (object);
  GwProviderPrivate *priv = gw_provider_get_instance_private (self);

  switch (id)
    {
    case PROP_CONFIG:
      priv->config = gw_provider_config_ref (g_value_get_pointer (value));
      break;

    case PROP_KEY:
      if (g_value_get_pointer (value) != NULL)
        priv->key = gw_secret_new (g_value_get_pointer (value));
      break;

    case PROP_CLOCK:
      priv->clock = gw_clock_ref (g_value_get_pointer (value));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
gw_provider_finalize (GObject *object)
{
  GwProviderPrivate *priv = gw_provider_get_instance_private (GW_PROVIDER (object));

  g_clear_pointer (&priv->config, gw_provider_config_unref);
  g_clear_pointer (&priv->key, gw_secret_unref);
  g_clear_pointer (&priv->clock, gw_clock_unref);

  G_OBJECT_CLASS (gw_provider_parent_class)->finalize (object);
}

static void
gw_provider_class_init (GwProviderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->set_property = gw_provider_set_property;
  object_class->finalize = gw_provider_finalize;

  properties[PROP_CONFIG] = g_param_spec_pointer ("config", NULL, NULL, flags);
  properties[PROP_KEY] = g_param_spec_pointer ("key", NULL, NULL, flags);
  properties[PROP_CLOCK] = g_param_spec_pointer ("clock", NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
gw_provider_init (GwProvider *self)
{
}

/**
 * gw_provider_new:
 * @config: what it is
 * @key: (nullable): its API key; kept in memory only, wiped when the provider goes
 * @clock: the clock of its times
 *
 * Returns: (transfer full): a provider of the configured kind, for the calling thread's default
 *   context
 */
GwProvider *
gw_provider_new (GwProviderConfig *config,
                 const char *key,
                 GwClock *clock)
{
  GType type;

  switch (config->kind)
    {
    case GW_PROVIDER_COMMAND:
      type = GW_TYPE_COMMAND_PROVIDER;
      break;

    case GW_PROVIDER_PRACTICE:
      type = GW_TYPE_PRACTICE_PROVIDER;
      break;

    case GW_PROVIDER_OPENAI:
    default:
      type = GW_TYPE_OPENAI_PROVIDER;
      break;
    }

  return g_object_new (type, "config", config, "key", key, "clock", clock, NULL);
}

/* (transfer none): what it was made with. */
GwProviderConfig *
gw_provider_get_config (GwProvider *self)
{
  GwProviderPrivate *priv = gw_provider_get_instance_private (self);

  return priv->config;
}

/* (transfer none): the clock that its calls ask. */
GwClock *
gw_provider_get_clock (GwProvider *self)
{
  GwProviderPrivate *priv = gw_provider_get_instance_private (self);

  return priv->clock;
}

/* (nullable): for subclasses only; never copied but into the request itself. */
const char *
gw_provider_get_key (GwProvider *self)
{
  GwProviderPrivate *priv = gw_provider_get_instance_private (self);

  return priv->key != NULL ? gw_secret_get (priv->key) : NULL;
}

/* Makes one call, in the thread that made the provider; gw_provider_call_finish() gives the
 * classified reply. */
void
gw_provider_call_async (GwProvider *self,
                        const GwCall *call,
                        GwProviderSentFunc sent,
                        gpointer sent_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_return_if_fail (GW_IS_PROVIDER (self));
  g_return_if_fail (call != NULL && call->content != NULL);

  GW_PROVIDER_GET_CLASS (self)->call_async (self, call, sent, sent_data, cancellable, callback,
                                            user_data);
}

/**
 * gw_provider_call_finish:
 * @self: a provider
 * @result: of the call
 *
 * Returns: (transfer full): how the call ended; never %NULL
 */
GwReply *
gw_provider_call_finish (GwProvider *self,
                         GAsyncResult *result)
{
  g_return_val_if_fail (GW_IS_PROVIDER (self), NULL);

  return GW_PROVIDER_GET_CLASS (self)->call_finish (self, result);
}

void
gw_provider_test_async (GwProvider *self,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_return_if_fail (GW_IS_PROVIDER (self));

  GW_PROVIDER_GET_CLASS (self)->test_async (self, cancellable, callback, user_data);
}

char **
gw_provider_test_finish (GwProvider *self,
                         GAsyncResult *result,
                         GError **error)
{
  g_return_val_if_fail (GW_IS_PROVIDER (self), NULL);

  return GW_PROVIDER_GET_CLASS (self)->test_finish (self, result, error);
}
