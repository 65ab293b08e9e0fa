/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <sqlite3.h>

#include "gw-id.h"
#include "queue/gw-queue-walks.h"
#include "queue/gw-queue-watches.h"
#include "queue/gw-sqlite-queue.h"

G_BEGIN_DECLS

/*
 * The rooms of the embedded engine, for its own files only.
 *
 *   gw-sqlite-queue.c            the object: arguments in, results out; -reads.c for its reads
 *   gw-sqlite-queue-engine.c     opening and closing, what waits
 *   gw-sqlite-queue-writer.c     group commit
 *   gw-sqlite-queue-readers.c    the threads that read
 *   gw-sqlite-queue-watch.c      who is told what
 *   gw-sqlite-queue-db.c         one connection: statements, errors
 *   gw-sqlite-queue-schema.c     tables, versions, another boot's clock
 *   gw-sqlite-queue-state.c      what the writer keeps in memory: a cache of the tables
 *   gw-sqlite-queue-piles.c      who is next
 *   gw-sqlite-queue-lanes.c      limits, windows, ghosts
 *   gw-sqlite-queue-lane-providers.c  the providers behind the lanes, pins
 *   gw-sqlite-queue-submit.c -claim.c -finish.c -tasks.c -projects.c -recover.c -sweep.c  the steps
 *   gw-sqlite-queue-read.c -feed.c -numbers.c -estimate.c                          the reads
 */

typedef struct _GwSqEngine GwSqEngine;
typedef struct _GwSqState GwSqState;
typedef struct _GwSqProject GwSqProject;
typedef struct _GwSqPile GwSqPile;
typedef struct _GwSqLane GwSqLane;
typedef struct _GwSqAttempt GwSqAttempt;
typedef struct _GwSqRoute GwSqRoute;

#define GW_SQ_APPLICATION_ID 0x47575131 /* GWQ1 */
#define GW_SQ_VERSION 2

#define GW_SQ_REMOVED_KEPT_MS (G_GINT64_CONSTANT (3600) * 1000)
#define GW_SQ_LONGEST_WAIT_MS (G_GINT64_CONSTANT (3600) * 1000)       /* of a task for its retry */
#define GW_SQ_LONGEST_PARK_MS (G_GINT64_CONSTANT (35) * 86400 * 1000) /* of a lane */
#define GW_SQ_DAY_MS (G_GINT64_CONSTANT (86400) * 1000)
#define GW_SQ_REMOVALS_KEPT 10000
#define GW_SQ_BATCH_TASKS 64 /* a submission of more is a batch, committed apart */

/* What people have moved has a priority beyond those of submissions; in a serial project, which
 * ignores priorities, it comes before or after the others all the same. Of it there is an index. */
#define GW_SQ_IS_MOVED "state <= 1 AND removed_at IS NULL AND abs(priority) > 100"

/* What `task.state` holds. */
enum {
  GW_SQ_READY,
  GW_SQ_DELAYED,   /* queued, waits for its retry */
  GW_SQ_RUNNING,
  GW_SQ_COMPLETED,
  GW_SQ_FAILED,
  GW_SQ_CANCELLED,
};

GwTaskStatus gw_sq_status_of (int state);

/* --- One connection. An error sticks: what follows does nothing until gw_sq_db_clear(). --- */

typedef struct {
  sqlite3 *handle;
  GHashTable *statements; /* SQL literal -> sqlite3_stmt, by address */
  int rc;                 /* extended result code of the first error; 0 */
  char *message;
} GwSqDb;

GwSqDb *gw_sq_db_open (const char *path, gboolean writing, GError **error);
void gw_sq_db_free (GwSqDb *db);
void gw_sq_db_clear (GwSqDb *db);
gboolean gw_sq_db_is_ok (GwSqDb *db);
gboolean gw_sq_db_set_error (GwSqDb *db, GError **error);

/* @format: i gint64 · n gint64, 0 is NULL · d int · f double · s text (nullable) · b blob, then its
 * length as int (NULL: null) · u a UUID of 16 bytes. Texts and blobs must live until the last
 * row. */
sqlite3_stmt *gw_sq_bind (GwSqDb *db, const char *sql, const char *format, ...);
gboolean gw_sq_row (GwSqDb *db, sqlite3_stmt *statement);
void gw_sq_end (sqlite3_stmt *statement);
gboolean gw_sq_run (GwSqDb *db, const char *sql, const char *format, ...);
gint64 gw_sq_read_number (GwSqDb *db, const char *sql, const char *format, ...);
gboolean gw_sq_exec (GwSqDb *db, const char *sql);
gint64 gw_sq_find_project (GwSqDb *db, const char *id_or_name, GError **error);

char *gw_sq_dup_text (sqlite3_stmt *statement, int column);
char *gw_sq_dup_id (sqlite3_stmt *statement, int column);

/* --- What the writer keeps in memory. --- */

struct _GwSqProject {
  gint64 pk;
  char *id;
  char *name;
  gint64 created_at;
  gint64 finished_at;
  guint concurrency;
  gboolean paused;
  gboolean held;
  gboolean interrupted;   /* paused by us after a crash */
  gint64 counts[GW_N_TASK_STATUSES];
  GwUsage usage;
  gint64 token_limit;     /* 0: none */
  gint64 stop_after;      /* task; 0: none */
  gint64 revision;
  gint64 last_grant;      /* attempt */
  guint live;             /* attempts under way */
  gint64 cursor;          /* no task before it is queued */
  GPtrArray *piles;       /* (element-type GwSqPile) (owned) */
  gboolean dirty;
};

struct _GwSqPile {
  gint64 pk;
  GwSqProject *project;   /* (borrowed) */
  char *provider;         /* (nullable) */
  char *model;            /* (nullable) */
  GwSqRoute *route;       /* (borrowed) the ready piles that go the same way */
  gint64 n_ready;
  gboolean head_known;
  gint64 head;            /* task; 0: none may start */
  int head_priority;
  gboolean listed;        /* stands in @route */
  gint64 counted;         /* its part of the way's startable tasks */
  gboolean dirty;
  gboolean stale;
};

typedef struct {
  gint64 attempt;
  gint64 sent;            /* queue clock; 0: not known yet */
} GwSqSend;

typedef struct {
  gint64 attempt;
  gint64 sent;
  gint64 until;
} GwSqGhost;

/* What a lane waits for, since its last claim was refused. */
typedef enum {
  GW_SQ_WAITS_SLOT = 1 << 0,
  GW_SQ_WAITS_CAP = 1 << 1,
  GW_SQ_WAITS_TASK = 1 << 2,
  GW_SQ_WAITS_OTHERS = 1 << 3, /* holds back for faster lanes */
  GW_SQ_WAITS_LANE = 1 << 4,   /* parked, stopped, or its window */
} GwSqWaits;

#define GW_SQ_N_SAMPLES 64

struct _GwSqLane {
  gint64 pk;
  char *name;
  GwProviderKind kind;
  char *model;            /* (nullable) */
  char *fingerprint;      /* of what a stop may be lifted by */
  gboolean enabled;
  gboolean usable;
  guint max_concurrency;
  guint requests_per_minute;
  guint adapted;
  guint growth;
  gint64 halved;
  gint64 parked;
  gboolean offline;       /* parked because it could not be reached */
  gboolean stopped;
  GwError stop_code;
  char *last_error;
  gint64 last_error_at;
  gint64 last_send;
  GwBelief belief;
  gint64 sent, answered, failed;
  gint32 samples[GW_SQ_N_SAMPLES];
  guint n_samples;        /* ever, the ring holds the last ones */

  GArray *sends;          /* (element-type GwSqSend) what counts in the window */
  GArray *ghosts;         /* (element-type GwSqGhost) */
  GPtrArray *live;        /* (element-type GwSqAttempt) (borrowed) */
  GwSqWaits waits;
  gboolean wake;          /* after the commit */
  gboolean dirty;
};

struct _GwSqAttempt {
  gint64 pk;
  gint64 task;
  guint number;
  GwSqLane *lane;         /* (borrowed) */
  GwSqProject *project;   /* (borrowed) */
  guint slot;
  gint64 claimed;         /* queue clock */
  gint64 sent;            /* queue clock; 0 */
};

/* A way: tasks that the same lanes may take. */
struct _GwSqRoute {
  GTree *tree;            /* of GwSqPile, best first */
  gint64 startable;       /* how many of their tasks could start now */
};

typedef struct {
  gint64 attempt;
  char *lane;
} GwSqAbort;

struct _GwSqState {
  GwSqEngine *engine;     /* (borrowed) */
  GwSqDb *db;             /* (borrowed) */
  gint64 now;             /* queue clock of the step under way */
  gint64 wall;

  /* The row of `head`. */
  char *store;
  gint64 revision;
  gint64 journal;
  gint64 last_task;
  gint64 last_attempt;
  gint64 counts[GW_N_TASK_STATUSES];
  gint64 n_projects;
  gint64 n_sent;
  gint64 n_uncertain;
  gint64 n_extra;
  gint64 paid_twice;
  gint64 wall_offset;
  gboolean ever_configured;
  gboolean head_dirty;

  GHashTable *projects;   /* pk -> GwSqProject (owned) */
  GHashTable *routes;     /* text -> GwSqRoute (owned) */
  GHashTable *lanes;      /* name -> GwSqLane (owned) */
  GPtrArray *lane_list;   /* (element-type GwSqLane) (borrowed) the preferred one first */
  char **preferred;       /* (nullable) names of lanes, as they were told last */
  GHashTable *attempts;   /* pk -> GwSqAttempt (owned), the live ones */
  GPtrArray *dirty_projects;
  GPtrArray *dirty_piles;
  GPtrArray *stale_piles;
  gint64 default_project;
  gint64 next_due;        /* queue clock; of the first delayed task */
  gint64 next_sweep;      /* wall clock */
  GArray *aborts;         /* (element-type GwSqAbort), told after the commit */
  GRand *random;

  /* Scratch of gw_sq_lanes_build(). */
  GArray *scheduler_lanes;
  GArray *scheduler_times;
  GwSchedulerMemo *memo;
};

GwSqState *gw_sq_state_new (GwSqEngine *engine, GwSqDb *db);
void gw_sq_state_free (GwSqState *state);
gboolean gw_sq_state_load (GwSqState *state);
void gw_sq_state_flush (GwSqState *state);
void gw_sq_state_tick (GwSqState *state);
void gw_sq_state_trim (GwSqState *state);
gint64 gw_sq_state_to_wall (GwSqState *state, gint64 time);
gint64 gw_sq_state_next_revision (GwSqState *state);

GwSqProject *gw_sq_project_get (GwSqState *state, gint64 pk);
GwSqProject *gw_sq_project_find (GwSqState *state, const char *id_or_name, GError **error);
GwSqProject *gw_sq_project_create (GwSqState *state, const char *name);
void gw_sq_project_touch (GwSqState *state, GwSqProject *project);
gboolean gw_sq_project_is_spent (const GwSqProject *project);
guint64 gw_sq_project_set_paused (GwSqState *state, GwSqProject *project, gboolean paused);
void gw_sq_project_forget (GwSqState *state, GwSqProject *project);
void gw_sq_count (GwSqState *state, GwSqProject *project, GwTaskStatus status, int by);

GwSqPile *gw_sq_pile_get (GwSqState *state, gint64 project, gint64 pk);
GwSqPile *gw_sq_pile_for (GwSqState *state, GwSqProject *project, const char *provider,
                          const char *model);
GwSqPile *gw_sq_pile_add (GwSqState *state, GwSqProject *project, gint64 pk, const char *provider,
                          const char *model, gint64 n_ready);
void gw_sq_pile_free (GwSqPile *pile);
void gw_sq_pile_unlist (GwSqState *state, GwSqPile *pile);
void gw_sq_pile_put (GwSqState *state, GwSqPile *pile, gint64 task, int priority);
void gw_sq_pile_take (GwSqState *state, GwSqPile *pile, gint64 task);
void gw_sq_piles_stale (GwSqState *state, GwSqProject *project);
void gw_sq_piles_empty (GwSqState *state, GwSqProject *project);
void gw_sq_piles_refresh (GwSqState *state);
void gw_sq_piles_promote (GwSqState *state);
GwSqRoute *gw_sq_route_get (GwSqState *state, const char *provider, const char *model);
GwSqPile *gw_sq_piles_best (GwSqState *state, GwSqLane *lane, gboolean only_pinned);

/* A task's row, as far as the steps need it. */
typedef struct {
  gint64 pk;
  GwSqProject *project;
  gint64 pile;
  int state;
  int priority;
  gint64 started_at;
  gint64 removed_at;
  guint attempts;
  guint claims;
  guint tries;
  guint streak;
  guint deaths;
  gint64 attempt;
} GwSqTaskRow;

gboolean gw_sq_task_load (GwSqState *state, gint64 pk, GwSqTaskRow *row);
void gw_sq_task_set_state (GwSqState *state, GwSqTaskRow *row, int to, gint64 due);
void gw_sq_task_end (GwSqState *state, GwSqTaskRow *row, int to, const char *code,
                     const char *message);
void gw_sq_task_requeue (GwSqState *state, GwSqTaskRow *row, gint64 delay);
gboolean gw_sq_task_remove (GwSqState *state, GwSqTaskRow *task, const char *id);
void gw_sq_task_delete (GwSqState *state, gint64 pk);
void gw_sq_task_abort_calls (GwSqState *state, gint64 task);
gint64 gw_sq_backoff (GwSqState *state, guint turn);

/* --- Lanes. --- */

GwSqLane *gw_sq_lane_get (GwSqState *state, const char *name);
GwSqLane *gw_sq_lane_by_pk (GwSqState *state, gint64 pk);
GwSqLane *gw_sq_lane_new (void);
void gw_sq_lane_free (GwSqLane *lane);
void gw_sq_lanes_sort (GwSqState *state);
gboolean gw_sq_lanes_load (GwSqState *state);
void gw_sq_lanes_flush (GwSqState *state);
void gw_sq_lanes_expire (GwSqState *state);
void gw_sq_lanes_wake (GwSqState *state, GwSqLane *only, GwSqWaits what);
void gw_sq_lanes_build (GwSqState *state, const GwSqLane *asking, GwSchedulerState *out);
guint gw_sq_lane_slots (const GwSqLane *lane);
guint gw_sq_lane_in_flight (const GwSqLane *lane);
void gw_sq_lane_learn (GwSqState *state, GwSqLane *lane, const GwReply *reply, gint64 sent);
void gw_sq_lane_count_send (GwSqState *state, GwSqLane *lane, gint64 attempt);
void gw_sq_lane_note_sent (GwSqState *state, GwSqLane *lane, gint64 attempt, gint64 sent);
void gw_sq_lane_give_back (GwSqState *state, GwSqLane *lane, gint64 attempt);
void gw_sq_lane_add_ghost (GwSqState *state, GwSqLane *lane, gint64 attempt, gint64 sent);
double gw_sq_samples_quantile (const gint32 *samples, guint n_samples, double q);
gboolean gw_sq_check_pins (GwSqState *state, const char *provider, const char *model,
                           GError **error);
gboolean gw_sq_has_usable_provider (GwSqState *state);

/* --- Steps: run in the writer's thread inside a transaction. A GError means that nothing was
 * changed; what SQLite refuses sticks in the connection. The result goes to the GTask. --- */

typedef gpointer (*GwSqStepFunc) (GwSqState *state, gpointer args, GError **error);

typedef struct {
  guint64 attempt;
  GwReply *reply;         /* (nullable) */
  char *provider;         /* (nullable) of the claim */
  char *worker;
  guint slot;
  gint64 sent_at;
} GwSqCallArgs;

typedef struct {
  char *id;               /* task, project or provider */
  char *name;             /* or the provider of new pins */
  char *model;
  char *task;             /* (nullable) of the patch */
  char **ids;
  gboolean flag;
  GwProjectAct act;       /* its strings are in @name and @model */
  GwProjectPatch patch;   /* its name is in @name */
  GwMove move;
  GPtrArray *providers;   /* (element-type GwQueueProvider) */
  GwQueueLimits limits;
} GwSqVerbArgs;

gpointer gw_sq_step_submit (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_claim (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_note_sent (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_finish (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_cancel_task (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_retry_task (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_set_removed (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_move_tasks (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_act_on_project (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_patch_project (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_remove_project (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_set_providers (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_set_limits (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_resume_lane (GwSqState *state, gpointer args, GError **error);
gpointer gw_sq_step_replay_aborts (GwSqState *state, gpointer args, GError **error);

gsize gw_sq_split_content (const char *content, gsize size);
GwGrant *gw_sq_claim (GwSqState *state, const char *provider, guint slot, GError **error);
guint64 gw_sq_cancel_all (GwSqState *state, GwSqProject *project);
gboolean gw_sq_retry (GwSqState *state, GwSqTaskRow *row, const char *provider, const char *model);
void gw_sq_delete_project (GwSqState *state, GwSqProject *project);
void gw_sq_note_removed (GwSqState *state, const char *id);
void gw_sq_trim_removed (GwSqState *state);
void gw_sq_recover (GwSqState *state);
void gw_sq_close_attempts (GwSqState *state);
gboolean gw_sq_sweep_is_due (GwSqState *state);
void gw_sq_sweep (GwSqState *state);
void gw_sq_plan_sweep (GwSqState *state, gboolean swept);

/* --- Reads: run in a reader's thread, each in one read transaction. --- */

typedef struct {
  GwSqEngine *engine;     /* (borrowed) */
  GwSqDb *db;             /* (borrowed) */
  gint64 now;
  gint64 wall;
  GPtrArray *lanes;       /* (element-type GwSqLane) (nullable) of this read */
  GPtrArray *attempts;    /* (element-type GwSqAttempt) (nullable) the live ones of @lanes */
  GHashTable *projects;   /* pk -> what tasks of one page share */
  GHashTable *piles;
  GHashTable *bounds;     /* (borrowed) (nullable) project pk -> a bound that was worked out */
} GwSqView;

void gw_sq_view_init (GwSqView *view, GwSqEngine *engine, GwSqDb *db);
void gw_sq_view_clear (GwSqView *view);
GPtrArray *gw_sq_view_lanes (GwSqView *view);
gboolean gw_sq_view_scheduler (GwSqView *view, GwQueueSnapshot *snapshot, gint64 own);

typedef gpointer (*GwSqReadFunc) (GwSqView *view, gpointer args, GError **error);

typedef struct {
  char *id;               /* (nullable) */
  guint64 since;
  guint64 before;         /* 0: not */
  guint limit;
  GwFeedQuery feed;       /* its strings are owned here */
  GwResultsQuery results;
} GwSqReadArgs;

gpointer gw_sq_read_task (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_project (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_projects (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_feed (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_results (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_attempts (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_lanes (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_stats (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_recovery (GwSqView *view, gpointer args, GError **error);
gpointer gw_sq_read_snapshot (GwSqView *view, gpointer args, GError **error);

GwTask *gw_sq_view_get_task (GwSqView *view, gint64 pk);
GwProject *gw_sq_view_get_project (GwSqView *view, gint64 pk);

/* The columns of a task, in the order that gw_sq_task_from_row() takes them. */
#define GW_SQ_TASK_COLUMNS \
  "t.pk, t.id, t.project, t.state, t.revision, t.created_at, t.started_at, t.finished_at, " \
  "t.attempts, t.tries, t.due, t.uncertain, t.lane, t.pile, c.size, c.metadata, a.size, a.model, " \
  "a.finish_reason, a.prompt_tokens, a.completion_tokens, a.total_tokens, a.duration_ms, " \
  "a.error_code, a.error_message, c.head, t.priority, "
#define GW_SQ_TASK_TABLES \
  " FROM task t JOIN content c ON c.task = t.pk LEFT JOIN answer a ON a.task = t.pk "
GwTask *gw_sq_task_from_row (GwSqView *view, sqlite3_stmt *row, GwTaskFields fields);
#define GW_SQ_PROJECT_COLUMNS \
  "pk, id, name, created_at, finished_at, concurrency, paused, held, n_queued, n_running, " \
  "n_completed, n_failed, n_cancelled, prompt_tokens, completion_tokens, total_tokens, revision, " \
  "token_limit, (SELECT id FROM task WHERE task.pk = stop_after)"
GwSqLane *gw_sq_lane_from_row (sqlite3_stmt *row);
#define GW_SQ_LANE_COLUMNS \
  "pk, name, kind, model, fingerprint, enabled, usable, max_concurrency, requests_per_minute, " \
  "adapted, growth, halved, parked, stop_code, last_error, last_error_at, last_send, mean, " \
  "variance, weight, sent, answered, failed, n_samples, samples"

/* --- The file. --- */

gboolean gw_sq_schema_prepare (GwSqDb *db, const GwSqliteQueueOptions *options, GError **error);

/* --- The threads. --- */

typedef struct {
  GTask *task;            /* (owned) (nullable) */
  GwSqStepFunc step;      /* or: */
  GwSqReadFunc read;
  gpointer args;
  GDestroyNotify free_args;
  GDestroyNotify free_result;
  guint rows;
  gsize bytes;
  gboolean batch;
  gpointer result;
  GError *error;
} GwSqRequest;

GwSqEngine *gw_sq_engine_new (const GwSqliteQueueOptions *options, GError **error);
GwSqEngine *gw_sq_engine_ref (GwSqEngine *engine);
void gw_sq_engine_unref (GwSqEngine *engine);
void gw_sq_engine_write (GwSqEngine *engine, GwSqRequest *request);
void gw_sq_engine_read (GwSqEngine *engine, GwSqRequest *request, gboolean scan);
void gw_sq_engine_close (GwSqEngine *engine, GTask *task);
void gw_sq_engine_join (GwSqEngine *engine);
void gw_sq_engine_set_failed_func (GwSqEngine *engine, void (*func) (const GError *, gpointer),
                                   gpointer user_data);
GwClock *gw_sq_engine_get_clock (GwSqEngine *engine);
const GwSqliteQueueOptions *gw_sq_engine_get_options (GwSqEngine *engine);
guint gw_sq_engine_get_cap (GwSqEngine *engine);
void gw_sq_engine_set_limits (GwSqEngine *engine, const GwQueueLimits *limits);
guint64 gw_sq_engine_get_commits (GwSqEngine *engine);
gboolean gw_sq_engine_is_full (GwSqEngine *engine);
guint64 gw_sq_engine_get_revision (GwSqEngine *engine);

GwQueueWalks *gw_sq_engine_get_walks (GwSqEngine *engine);

GwSqWatches *gw_sq_engine_get_watches (GwSqEngine *engine);

/* --- The object. --- */

GwSqEngine *gw_sqlite_queue_get_engine (GwQueue *self);
GwSqRequest *gw_sq_request_new (GwQueue *self, gpointer tag, gpointer args,
                                GDestroyNotify free_args, GDestroyNotify free_result,
                                GAsyncReadyCallback callback, gpointer user_data);
void gw_sqlite_queue_init_reads (GwQueueInterface *iface);

G_END_DECLS
