/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-day"

#include "config.h"

#include "gw-day.h"

struct _GwDay {
  GObject parent_instance;

  GDate date;
};

G_DEFINE_FINAL_TYPE (GwDay, gw_day, G_TYPE_OBJECT)

static void
gw_day_class_init (GwDayClass *klass)
{
}

static void
gw_day_init (GwDay *self)
{
}

/**
 * gw_day_new:
 * @date: copied
 *
 * Returns: (transfer full): a heading for that day
 */
GwDay *
gw_day_new (const GDate *date)
{
  GwDay *self = g_object_new (GW_TYPE_DAY, NULL);

  self->date = *date;
  return self;
}

/**
 * gw_day_get_date:
 * @self: a heading
 *
 * Returns: (transfer none): its day
 */
const GDate *
gw_day_get_date (GwDay *self)
{
  g_return_val_if_fail (GW_IS_DAY (self), NULL);

  return &self->date;
}
