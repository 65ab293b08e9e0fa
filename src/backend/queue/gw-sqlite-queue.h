/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue.h"

G_BEGIN_DECLS

#define GW_TYPE_SQLITE_QUEUE (gw_sqlite_queue_get_type ())
G_DECLARE_FINAL_TYPE (GwSqliteQueue, gw_sqlite_queue, GW, SQLITE_QUEUE, GObject)

typedef struct {
  const char *data_dir;     /* holds queue.db; made if it is not there */
  GwClock *clock;
  guint max_concurrency;    /* the cap */
  guint max_attempts;
  guint keep_days;
  gboolean hold_uncertain;  /* after a crash: pause the projects of uncertain attempts */
  gboolean hold_unfinished; /* hold every project that has unfinished tasks at the start */
  guint64 random_seed;      /* of the back-off's jitter; 0: none given */
} GwSqliteQueueOptions;

/* The data directory must be locked by the caller (gw-data-lock.h). Blocks until the file is open,
 * migrated and recovered: well under a second with 100 000 queued tasks.
 * Errors: GW_ERROR_DATA_NEWER, _DATA_CORRUPT, _NO_SPACE, _UNAVAILABLE. */
GwSqliteQueue *gw_sqlite_queue_new (const GwSqliteQueueOptions *options, GError **error);

/* @func runs once, on the writer thread, when the engine ended itself: EIO at a commit. */
void gw_sqlite_queue_set_failed_func (GwSqliteQueue *self, void (*func) (const GError *, gpointer),
                                      gpointer user_data);

G_END_DECLS
