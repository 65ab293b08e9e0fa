/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-redis-spool.h"

G_BEGIN_DECLS

/* What a file is called that waits, and what one has besides while it is written. */
#define GW_REDIS_SPOOL_SUFFIX ".outcome"
#define GW_REDIS_SPOOL_WRITING ".writing"

struct _GwRedisHeld {
  GwRedisOutcome *outcome;
  gint64 since;            /* monotonic us */
  GwRedisHeldState state;
  gboolean writing;        /* the thread has it just now */
  gboolean gone;           /* released meanwhile: the thread frees it */
  GError *error;           /* with FAILED */
  char *path;              /* with KEPT */
};

struct _GwRedisSpool {
  char *folder;
  gint64 patience;         /* us */
  GwRedisSpoolFunc changed;
  gpointer user_data;

  GMutex mutex;
  GCond cond;              /* for the thread */
  GCond written;           /* for who waits */
  GPtrArray *held;         /* (mutex mutex) (element-type GwRedisHeld) in hand, in order */
  gboolean hurry;          /* (mutex mutex) whatever is in hand goes to disk now */
  gboolean ending;         /* (mutex mutex) */
  gboolean counted;        /* (mutex mutex) */
  guint n_changes;         /* (mutex mutex) of the folder, by this spool */
  int n_kept;              /* (atomic) (mutex mutex for writing) files that wait */
  GThread *thread;         /* (owned) */
};

/* (transfer full) (nullable): where it is now, for good. Waits for the disk. */
char *_gw_redis_spool_write_outcome (const char *folder, GwRedisOutcome *outcome, GError **error);
/* (transfer full) (nullable): its new name. */
char *_gw_redis_spool_move_aside (const char *path, const char *suffix);
int _gw_redis_spool_count_files (const char *folder);

/* One that was kept is no more. */
void _gw_redis_spool_note_gone (GwRedisSpool *self);

G_END_DECLS
