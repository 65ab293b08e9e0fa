/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-sqlite-queue-private.h"

G_BEGIN_DECLS

#define GW_SQ_N_READERS 2

typedef struct {
  GwSqEngine *engine;     /* (owned) */
  GQueue requests;        /* (element-type GwSqRequest) (mutex of the engine) */
  GCond cond;
  GThread *thread;
  GwSqDb *db;
  GHashTable *bounds;     /* of the projects that were looked at, see gw-sqlite-queue-estimate.c */
} GwSqReader;

struct _GwSqEngine {
  int ref_count;          /* (atomic) */
  GwSqliteQueueOptions options;
  char *path;
  GwSqWatches *watches;

  GMutex mutex;
  GCond cond;             /* the writer waits here */
  GQueue requests;        /* (element-type GwSqRequest) (mutex mutex) */
  GQueue batches;         /* (element-type GwSqRequest) (mutex mutex) */
  gboolean batch_turn;    /* (mutex mutex) */
  guint last_group;       /* (mutex mutex) how many requests the last commit had */
  gboolean closing;       /* (mutex mutex) */
  GTask *close_task;      /* (owned) (nullable) (mutex mutex) */
  GError *failure;        /* (owned) (nullable) (mutex mutex) */
  guint n_reading;        /* (mutex mutex) readers that still run */
  void (*failed_func) (const GError *, gpointer);
  gpointer failed_data;

  GThread *writer;
  GwSqDb *db;             /* of the writer */
  GwSqState *state;       /* of the writer */
  GwSqReader readers[GW_SQ_N_READERS];

  GwQueueWalks *walks;    /* (owned) */

  guint64 commits;        /* (mutex mutex) */
  int no_space;           /* (atomic) the last transaction found none */
  guint64 revision;       /* (mutex mutex) the last one committed */
};

void _gw_sq_request_drop (GwSqRequest *request);
void _gw_sq_request_answer (GwSqRequest *request);
void _gw_sq_request_refuse (GwSqRequest *request, const GError *error);
gpointer _gw_sq_engine_write_thread (gpointer data);
gpointer _gw_sq_engine_read_thread (gpointer data);

G_END_DECLS
