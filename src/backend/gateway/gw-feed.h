/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue.h"

#include "gateway/gw-request.h"

G_BEGIN_DECLS

#define GW_FEED_MAX_WAITERS 1000

typedef struct _GwFeed GwFeed;

GwFeed *gw_feed_new (GwQueue *queue);
void gw_feed_stop (GwFeed *self);
void gw_feed_close (GwFeed *self);
void gw_feed_free (GwFeed *self);
guint gw_feed_count_waiters (GwFeed *self);

G_END_DECLS
