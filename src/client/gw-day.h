/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* A day of the local calendar, as a heading in a list. */
#define GW_TYPE_DAY (gw_day_get_type ())
G_DECLARE_FINAL_TYPE (GwDay, gw_day, GW, DAY, GObject)

GwDay *gw_day_new (const GDate *date);
const GDate *gw_day_get_date (GwDay *self);

G_END_DECLS
