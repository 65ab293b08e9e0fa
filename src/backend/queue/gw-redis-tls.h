/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <hiredis/hiredis.h>

#include "queue/gw-redis-address.h"

G_BEGIN_DECLS

gboolean gw_redis_tls_is_built (void);
gboolean gw_redis_tls_start (redisContext *context, const GwRedisAddress *address, GError **error);
void gw_redis_tls_explain (const GwRedisAddress *address, GError **error);

G_END_DECLS
