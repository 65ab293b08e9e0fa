/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-clock.h"

G_BEGIN_DECLS

/**
 * GwQueueWalks:
 *
 * Who walks through the change feed from 0 in many pages asks with the revision at which the last
 * page ended, which may be older than the removals that are kept: so those revisions are remembered
 * for an hour, with the head at which the walk began. Any thread.
 */
typedef struct _GwQueueWalks GwQueueWalks;

GwQueueWalks *gw_queue_walks_new (GwClock *clock, guint most);
void gw_queue_walks_free (GwQueueWalks *self);
gint64 gw_queue_walks_find_start (GwQueueWalks *self, gint64 since);
void gw_queue_walks_note (GwQueueWalks *self, gint64 revision, gint64 began_at);

G_END_DECLS
