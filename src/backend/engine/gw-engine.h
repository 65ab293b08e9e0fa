/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define GW_TYPE_ENGINE (gw_engine_get_type ())
G_DECLARE_FINAL_TYPE (GwEngine, gw_engine, GW, ENGINE, GObject)

typedef enum {
  GW_HOST_DAEMON, /* carries on with everything; a port that is taken is an error */
  GW_HOST_WINDOW, /* holds uncertain attempts and asks; another port if it must */
  GW_HOST_BATCH,  /* holds unfinished projects of earlier runs; another port if it must */
} GwHost;

typedef struct {
  GwHost host;
  const char *config_path; /* (nullable) */
  const char *data_dir;    /* (nullable) */
  const char *listen;      /* (nullable) over the configuration */
  int port;                /* -1: as configured; 0: any free one */
  const char *redis_uri;   /* (nullable) over the configuration */
  gboolean no_workers;
  gboolean workers_only;
  gboolean set_limits;
} GwEngineOptions;

/**
 * GwEngine:
 *
 * The backend in this process: queue, worker threads and gateway, started and stopped as one. The
 * only face of the backend that tools and window see; tasks travel over HTTP even so. Used from the
 * thread that made it, which must run its default main context.
 */
GwEngine *gw_engine_new (const GwEngineOptions *options);

/* Errors: GW_ERROR_CONFIG, _DATA_IN_USE (the message has the address of who holds it, see
 * gw_engine_get_other_uri()), _DATA_NEWER, _DATA_CORRUPT, _PORT_TAKEN, _NO_SPACE. */
void gw_engine_start_async (GwEngine *self, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_engine_start_finish (GwEngine *self, GAsyncResult *result, GError **error);

/* http://ADDRESS:PORT, with workers_only the queue's; NULL until started */
const char *gw_engine_get_uri (GwEngine *self);
const char *gw_engine_get_token (GwEngine *self);     /* (nullable) */
const char *gw_engine_get_other_uri (GwEngine *self); /* (nullable) who holds the data instead */
guint gw_engine_get_drain_seconds (GwEngine *self);

typedef enum {
  GW_NOTICE_USES_VARIABLE, /* a provider, with the key from the environment */
  GW_NOTICE_USES_KEYRING,
  GW_NOTICE_USES_NO_KEY,
  GW_NOTICE_USES_COMMAND,  /* place is the program */
  GW_NOTICE_USES_PRACTICE, /* set up on purpose */
  GW_NOTICE_PRACTICE_ONLY, /* no other provider is usable */
  GW_NOTICE_NO_KEY,        /* a provider that waits for one */
  GW_NOTICE_LIMITS,        /* those of the configuration are not the ones that are stored and used */
  GW_NOTICE_CRASH,         /* n calls may be paid twice */
  GW_NOTICE_OTHER,         /* the text only */
} GwNoticeKind;

/* What the user has to know before the first call. */
typedef struct {
  GwNoticeKind kind;
  char *text;              /* English, for a log */
  char *provider;          /* (nullable) its name */
  char *title;             /* (nullable) of it */
  char *place;             /* (nullable) its address or program */
  char *variable;          /* (nullable) for its key */
  guint wanted;            /* with GW_NOTICE_LIMITS: at once */
  guint wanted_per_minute; /* 0: no limit */
  guint stored;
  guint stored_per_minute;
  guint n;
} GwNotice;

/* Names of projects that this engine holds back (host batch); what is to be said before the first
 * call (element-type GwNotice). (transfer none) */
const char *const *gw_engine_get_held (GwEngine *self);
GPtrArray *gw_engine_get_notices (GwEngine *self);

/* Refuses new work, lets calls in flight end for up to @limit_ms, aborts the rest, joins every
 * thread; the port closes last. A second call while one is under way shortens the limit to its own.
 * After it there is no thread and no port. */
void gw_engine_stop_async (GwEngine *self, guint limit_ms, GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean gw_engine_stop_finish (GwEngine *self, GAsyncResult *result, GError **error);

/* Called in the thread of gw_engine_new() if the engine ends by itself (EIO at commit). */
typedef void (*GwEngineFailedFunc) (GwEngine *self, const GError *error, gpointer user_data);
void gw_engine_set_failed_func (GwEngine *self, GwEngineFailedFunc func, gpointer user_data);

/* A queue elsewhere (Redis) may be away at the start. Then the gateway serves all the same,
 * refusing with the reason, and everything else follows when the queue is there. Not with
 * GW_HOST_BATCH. */
gboolean gw_engine_is_waiting (GwEngine *self);
typedef void (*GwEngineReadyFunc) (GwEngine *self, gpointer user_data);
void gw_engine_set_ready_func (GwEngine *self, GwEngineReadyFunc func, gpointer user_data);

/* (nullable) The id of the data that an engine with @options would serve, without taking hold of
 * them; NULL where that cannot be told: there are none yet, or they are on Redis. Reads a small
 * file. */
char *gw_engine_dup_store (const GwEngineOptions *options);

/* A queue goes from the data directory to Redis, or back. */
typedef struct {
  const char *config_path; /* (nullable) */
  const char *data_dir;    /* (nullable) */
  const char *redis_uri;   /* (nullable) over the configuration */
  gboolean to_redis;
  void (*tell) (const char *line, gpointer user_data); /* (nullable) how far it is */
  gpointer user_data;
} GwMoveOptions;

gboolean gw_engine_move_queue (const GwMoveOptions *options, GError **error);

G_END_DECLS
