/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue.h"

G_BEGIN_DECLS

/* Who is told what: see gw-sqlite-queue-watch.c. Every engine has one. */

typedef struct _GwSqWatches GwSqWatches;

GwSqWatches *gw_sq_watches_new (void);
void gw_sq_watches_free (GwSqWatches *watches);
guint gw_sq_watches_add_revision (GwSqWatches *watches, GMainContext *context, GwRevisionFunc func,
                                  gpointer data, GDestroyNotify destroy);
guint gw_sq_watches_add_lane (GwSqWatches *watches, const char *provider, GMainContext *context,
                              GwLaneEventFunc func, gpointer data, GDestroyNotify destroy);
void gw_sq_watches_remove (GwSqWatches *watches, guint id);
void gw_sq_watches_tell_revision (GwSqWatches *watches, guint64 revision);
void gw_sq_watches_tell_wake (GwSqWatches *watches, const char *provider);
void gw_sq_watches_tell_abort (GwSqWatches *watches, const char *provider, guint64 attempt);

G_END_DECLS
