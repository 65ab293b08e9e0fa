/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-batch.h"

G_BEGIN_DECLS

struct _GwBatch {
  GObject parent_instance;

  GwClient *client;          /* (owned) */
  guint lost_limit_s;
  char *project_id;          /* (owned) (nullable) */
  char *project_name;        /* (owned) (nullable) */
  GPtrArray *contents;       /* (owned) (element-type utf8), in input order */
  GPtrArray *metadata;       /* (owned) (element-type JsonObject or NULL), the same */
  GPtrArray *tasks;          /* (owned) (element-type GwTask), the same: the newest states */
  GHashTable *index;         /* (owned) id (borrowed from the task's first state) → index + 1 */
  GPtrArray *ids;            /* (owned) (element-type utf8): the keys of @index */
  guint counts[GW_N_TASK_STATUSES];
  char *stall;               /* (owned) (nullable) */
  char *cooling;             /* (owned) (nullable): what was told last of lanes that cool down */

  /* While it is followed. */
  GTask *follow;             /* (owned) (nullable) */
  GCancellable *cancellable; /* (owned) (nullable): of its requests, cancelled at its end */
  gulong outer_id;           /* at the cancellable of @follow */
  gboolean has_since;
  guint64 since;
  char *store;               /* (owned) (nullable) */
  gint64 asked_at;           /* monotonic µs, as all below */
  gint64 lost_since;         /* 0: not lost */
  gint64 moved_at;           /* the last time something of the run changed */
  GSource *timer;            /* (owned) (nullable): the next page */
  GSource *stall_timer;      /* (owned) (nullable): the next look for a stall */
  guint stall_pause_s;
  GQueue missing;            /* (element-type utf8) ids whose result has to be fetched */
  guint fetching;
};

void _gw_batch_take_task (GwBatch *self, GwTask *task);
void _gw_batch_set_run (GwBatch *self, GPtrArray *ids);
void _gw_batch_end_stalled (GwBatch *self, const char *stall);
void _gw_batch_watch_stall (GwBatch *self);

/* gw-batch-follow.c */
gboolean _gw_batch_lacks_result (const GwTask *task);
void _gw_batch_queue_missing (GwBatch *self, const char *task_id);

G_END_DECLS
