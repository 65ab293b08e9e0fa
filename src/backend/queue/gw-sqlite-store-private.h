/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-data-lock.h"
#include "queue/gw-queue-store.h"
#include "queue/gw-sqlite-queue-private.h"

G_BEGIN_DECLS

#define GW_SQLITE_STORE_FILE "queue.db"
#define GW_SQLITE_STORE_COMING "queue.db.moving"

typedef struct {
  GwQueueStore base;
  char *data_dir;
  char *file;
  GwSqliteQueueOptions options;
  GwDataLock *lock;       /* (nullable) */
  GwSqDb *db;             /* (nullable) the queue, or what comes in */
  gboolean marked;        /* it was given away */
} GwSqliteStore;

/* gw-sqlite-store-records.c */
GwStorePage *gw_sqlite_store_read (GwQueueStore *store, GwStoreKind kind, gint64 after,
                                   GError **error);
gboolean gw_sqlite_store_write (GwQueueStore *store, GwStoreKind kind, GwStorePage *page,
                                GError **error);

G_END_DECLS
