/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-queue-walks.h"

/*
 * The walks through the change feed that are under way, for either engine. Any thread, under a
 * mutex that is held for a look-up. Guarantee: a walk that is forgotten begins anew; none is made
 * up.
 */

#define KEPT_MS (3600 * 1000)

typedef struct {
  gint64 revision;
  gint64 began_at;
  gint64 time;
} Walk;

struct _GwQueueWalks {
  GwClock *clock;         /* (owned) */
  guint most;
  GMutex mutex;
  GHashTable *walks;      /* (mutex mutex) revision -> Walk */
};

/**
 * gw_queue_walks_new:
 * @clock: the queue's
 * @most: how many pages are remembered before all are forgotten
 *
 * Returns: (transfer full): none yet
 */
GwQueueWalks *
gw_queue_walks_new (GwClock *clock,
                    guint most)
{
  GwQueueWalks *self = g_new0 (GwQueueWalks, 1);

  self->clock = gw_clock_ref (clock);
  self->most = most;
  self->walks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  g_mutex_init (&self->mutex);

  return self;
}

void
gw_queue_walks_free (GwQueueWalks *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->walks);
  g_mutex_clear (&self->mutex);
  gw_clock_unref (self->clock);
  g_free (self);
}

/* The head at which the walk began whose page ended at @since; -1: no such walk is known. */
gint64
gw_queue_walks_find_start (GwQueueWalks *self,
                           gint64 since)
{
  gint64 began_at = -1;
  Walk *walk;

  g_mutex_lock (&self->mutex);
  walk = g_hash_table_lookup (self->walks, &since);
  if (walk != NULL && gw_clock_now (self->clock) - walk->time < KEPT_MS)
    began_at = walk->began_at;
  g_mutex_unlock (&self->mutex);

  return began_at;
}

/* A page of the walk that began at the head @began_at has ended at @revision. */
void
gw_queue_walks_note (GwQueueWalks *self,
                     gint64 revision,
                     gint64 began_at)
{
  Walk *walk = g_new (Walk, 1);

  walk->revision = revision;
  walk->began_at = began_at;
  walk->time = gw_clock_now (self->clock);
  g_mutex_lock (&self->mutex);
  if (g_hash_table_size (self->walks) >= self->most)
    g_hash_table_remove_all (self->walks);
  g_hash_table_replace (self->walks, &walk->revision, walk);
  g_mutex_unlock (&self->mutex);
}
