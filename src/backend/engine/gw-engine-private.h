/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "engine/gw-engine.h"
#include "gateway/gw-gateway.h"
#include "gw-config.h"
#include "provider/gw-catalogue.h"
#include "queue/gw-data-lock.h"
#include "worker/gw-worker-pool.h"
#include "worker/gw-worker-thread.h"

G_BEGIN_DECLS

/* In the data folder: ends of calls that wait to be told to Redis. */
#define GW_ENGINE_SPOOL "undelivered"

typedef enum {
  GW_ENGINE_NEW,
  GW_ENGINE_STARTING,
  GW_ENGINE_RUNNING,
  GW_ENGINE_STOPPING,
  GW_ENGINE_STOPPED,
} GwEngineState;

struct _GwEngine {
  GObject parent_instance;

  GwHost host;
  char *config_path;        /* (owned) (nullable) */
  char *data_dir;           /* (owned) */
  char *listen;             /* (owned) (nullable) */
  int port;
  char *redis_uri;          /* (owned) (nullable) */
  gboolean no_workers;
  gboolean workers_only;
  gboolean set_limits;

  GMainContext *owner;      /* (owned) of who made it */
  GwEngineState state;        /* owner's thread */
  GwEngineFailedFunc failed;
  gpointer failed_data;
  GwEngineReadyFunc ready;
  gpointer ready_data;
  int waiting;              /* (atomic) for a queue that cannot be used yet */

  GwWorkerThread *thread;   /* (owned) (nullable) runs everything below */
  GTask *task;              /* (owned) (nullable) the start or stop under way */
  GError *start_error;      /* (owned) (nullable) why the start is being undone */
  GwConfig *config;         /* (owned) (nullable) */
  GwDataLock *lock;         /* (owned) (nullable) */
  GwClock *clock;           /* (owned) */
  GwQueue *queue;           /* (owned) (nullable) */
  GwCatalogue *catalogue;   /* (owned) (nullable) */
  GwPartials *partials;     /* (owned) what the workers tell the gateway of running calls */
  GwGateway *gateway;       /* (owned) (nullable) */
  GwWorkerPool *pool;       /* (owned) (nullable) */
  guint catalogue_watch;
  gboolean pool_stopping;
  guint n_resuming;         /* stopped lanes that the start sets going */
  GSource *look;            /* (owned) (nullable) while it waits for the queue */
  gboolean late;            /* the start was over before the queue could be used */
  gboolean asking;          /* a step of the start is asked of the queue */
  gboolean unwinds;         /* a stop waits for that step */
  guint stop_limit_ms;

  /* Written before the start ends, read-only after it. */
  char *uri;                /* (owned) (nullable) */
  char *other_uri;          /* (owned) (nullable) */
  gint64 opening_at;        /* Unix ms: when the queue was asked to open */
  GPtrArray *held;          /* (owned) (element-type utf8) NULL-terminated */
  GPtrArray *notices;       /* (owned) (element-type GwNotice) */
};

/* gw-engine.c */
void _gw_engine_start_failed (GwEngine *self, GError *error);
void _gw_engine_unwind (GwEngine *self);

/* gw-engine-open.c */
gboolean _gw_engine_holds_uncertain (GwEngine *self);
char *_gw_engine_dup_redis_uri (const char *given, const GwConfig *config);
gboolean _gw_engine_open_queue (GwEngine *self, GError **error);
void _gw_engine_tell_failed (GwEngine *self, const GError *error);

/* gw-engine-notice.c */
void _gw_notice_free (GwNotice *notice);
GwNotice *_gw_notice_new (GwNoticeKind kind, char *text);
GwNotice *_gw_notice_new_for_use (GwCatalogue *catalogue, const GwProviderConfig *config);
GwNotice *_gw_notice_new_for_limits (const GwProviderConfig *config, const GwLaneState *lane);

/* gw-engine-start.c */
void _gw_engine_start_cb (gpointer data);
void _gw_engine_tell_providers (GwEngine *self);

/* gw-engine-wait.c */
void _gw_engine_wait (GwEngine *self);
void _gw_engine_stop_waiting (GwEngine *self);
void _gw_engine_tell_ready (GwEngine *self);

G_END_DECLS
