/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-attempt-item"

/* GwAttemptItem: one row of a list of attempts. Main thread. */

#include "config.h"

#include "gw-attempt-item.h"

struct _GwAttemptItem {
  GObject parent_instance;

  GwAttempt *attempt; /* (owned) (not nullable) */
};

enum {
  PROP_0,
  PROP_ATTEMPT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_BOXED_TYPE (GwAttempt, gw_attempt_boxed, gw_attempt_ref, gw_attempt_unref)
G_DEFINE_FINAL_TYPE (GwAttemptItem, gw_attempt_item, G_TYPE_OBJECT)

static void
gw_attempt_item_finalize (GObject *object)
{
  GwAttemptItem *self = GW_ATTEMPT_ITEM (object);

  g_clear_pointer (&self->attempt, gw_attempt_unref);

  G_OBJECT_CLASS (gw_attempt_item_parent_class)->finalize (object);
}

static void
gw_attempt_item_get_property (GObject *object,
                              guint prop_id,
                              GValue *value,
                              GParamSpec *pspec)
{
  GwAttemptItem *self = GW_ATTEMPT_ITEM (object);

  switch (prop_id)
    {
    case PROP_ATTEMPT:
      g_value_set_boxed (value, self->attempt);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
gw_attempt_item_class_init (GwAttemptItemClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_attempt_item_finalize;
  object_class->get_property = gw_attempt_item_get_property;

  properties[PROP_ATTEMPT] =
    g_param_spec_boxed ("attempt", NULL, NULL, GW_TYPE_ATTEMPT_BOXED,
                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
gw_attempt_item_init (GwAttemptItem *self)
{
}

/**
 * gw_attempt_item_new:
 * @attempt: (transfer none): its first state
 *
 * Returns: (transfer full): a row
 */
GwAttemptItem *
gw_attempt_item_new (GwAttempt *attempt)
{
  GwAttemptItem *self;

  g_return_val_if_fail (attempt != NULL, NULL);

  self = g_object_new (GW_TYPE_ATTEMPT_ITEM, NULL);
  self->attempt = gw_attempt_ref (attempt);

  return self;
}

/**
 * gw_attempt_item_get_attempt:
 * @self: a row
 *
 * Returns: (transfer none): the newest state
 */
GwAttempt *
gw_attempt_item_get_attempt (GwAttemptItem *self)
{
  g_return_val_if_fail (GW_IS_ATTEMPT_ITEM (self), NULL);

  return self->attempt;
}

/**
 * gw_attempt_item_set_attempt:
 * @self: a row
 * @attempt: (transfer none): a newer state of the same attempt
 */
void
gw_attempt_item_set_attempt (GwAttemptItem *self,
                             GwAttempt *attempt)
{
  g_autoptr (GwAttempt) old = NULL;

  g_return_if_fail (GW_IS_ATTEMPT_ITEM (self));
  g_return_if_fail (attempt != NULL);

  if (self->attempt == attempt)
    return;

  old = g_steal_pointer (&self->attempt);
  self->attempt = gw_attempt_ref (attempt);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ATTEMPT]);
}
