/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "provider/gw-catalogue.h"
#include "queue/gw-queue.h"

G_BEGIN_DECLS

#define GW_TYPE_LANE (gw_lane_get_type ())
G_DECLARE_FINAL_TYPE (GwLane, gw_lane, GW, LANE, GObject)

typedef void (*GwLaneDrainedFunc) (GwLane *lane, gpointer user_data);

GwLane *gw_lane_new (GwQueue *queue, GwCatalogue *catalogue, const char *name, const char *worker);

void gw_lane_set_partials (GwLane *self, GwPartials *partials);
void gw_lane_start (GwLane *self);
void gw_lane_reconfigure (GwLane *self);
void gw_lane_drain (GwLane *self, GwLaneDrainedFunc drained, gpointer user_data);
void gw_lane_abort_calls (GwLane *self);

G_END_DECLS
