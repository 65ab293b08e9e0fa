/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "provider/gw-catalogue.h"
#include "queue/gw-queue-types.h"

G_BEGIN_DECLS

void gw_queue_providers_add_removed (GPtrArray *providers, const char *name);
GPtrArray *gw_queue_providers_new (GwCatalogue *catalogue, const char *set_limits_of);

G_END_DECLS
