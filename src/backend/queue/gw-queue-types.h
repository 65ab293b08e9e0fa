/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-attempt.h"
#include "gw-clock.h"
#include "gw-project.h"
#include "gw-task.h"

#include "provider/gw-provider-config.h"
#include "provider/gw-reply.h"
#include "worker/gw-scheduler.h"

G_BEGIN_DECLS

/* Plain data that goes into and comes out of GwQueue. Times are milliseconds: `*_at` of tasks,
 * projects and attempts Unix time, `ask_at` and everything in GwSchedulerState the queue's
 * clock. */

/* One task to submit. */
typedef struct {
  char *content;
  char *provider;         /* (nullable) pin */
  char *model;            /* (nullable) pin */
  int priority;
  JsonObject *metadata;   /* (nullable) */
} GwNewTask;

/* What one POST brings: all or nothing. */
typedef struct {
  GPtrArray *tasks;       /* (element-type GwNewTask), at least one */
  char *project;          /* (nullable) id or name; NULL: the default project */
  gboolean sets_concurrency;
  guint concurrency;      /* 0: none */
  int paused;             /* of the project, in the same step; -1: as it is */
  char *idempotency_key;  /* (nullable) */
  guint8 body_digest[32]; /* SHA-256 of path and body, with a key */
} GwSubmission;

GwNewTask *gw_new_task_new (const char *content);
void gw_new_task_free (GwNewTask *task);
GwSubmission *gw_submission_new (void);
void gw_submission_free (GwSubmission *submission);

typedef struct {
  char *project_id;
  GPtrArray *task_ids;    /* (element-type utf8) in order */
  GwTaskStatus status;    /* of the first task, now */
  gboolean replayed;      /* the same submission was here before */
} GwSubmitted;

void gw_submitted_free (GwSubmitted *submitted);

/* A slot asks for work. */
typedef struct {
  const char *provider;
  const char *worker;     /* id of the worker process */
  guint slot;
} GwClaim;

/* What a claim gets. */
typedef struct {
  GwVerdict verdict;      /* GW_VERDICT_START, or why not; see @idle */
  gboolean idle;          /* the limits would allow it, nothing is there that the lane may take */
  gint64 ask_at;          /* queue clock; GW_CLOCK_NEVER: wait for a wake-up */

  /* With GW_VERDICT_START and not idle. */
  guint64 attempt;        /* names the attempt to every later call */
  guint number;
  char *task_id;
  char *project_id;
  char *content;
  char *model;            /* (nullable) pinned; NULL: as the lane is configured */
  JsonObject *metadata;   /* (nullable) as submitted */
  guint tries;            /* used up so far */
  gint64 send_by;         /* queue clock; later others may take it for lost; 0: no such time */
} GwGrant;

void gw_grant_free (GwGrant *grant);

/* What became of a finished attempt. */
typedef enum {
  GW_FINISH_STORED,   /* the task is completed by this answer */
  GW_FINISH_EXTRA,    /* kept as extra: the task was final, or a newer attempt has been sent */
  GW_FINISH_REQUEUED,
  GW_FINISH_FAILED,   /* the task is failed */
  GW_FINISH_IGNORED,  /* an error of an attempt that the task no longer depends on */
  GW_FINISH_KEPT,     /* the queue is away: on this machine's disk, told to it when it is back */
} GwFinishResult;

/* How an attempt ended, and the lane's next one. */
typedef struct {
  GwFinishResult finished;
  GwGrant *grant;         /* (owned) (nullable) where one was claimed with it */
} GwFinished;

void gw_finished_free (GwFinished *finished);

/* Asking for the feed, or a list. */
typedef struct {
  gboolean has_since;
  guint64 since;
  const char *store;      /* (nullable) the client's idea of the data; another: reset */
  guint limit;            /* 1 to 1000 */
  gsize max_bytes;        /* page ends at that size; 4 MiB from the gateway */
  const char *project;    /* (nullable) id or name */
  guint statuses;         /* bit (1 << GwTaskStatus); 0: all */
  const char *query;      /* (nullable) text in content or result */
  GwTaskFields fields;
} GwFeedQuery;

typedef struct {
  guint64 revision;
  gboolean more;
  gboolean reset;
  char *store;
  GPtrArray *tasks;       /* (element-type GwTask) */
  GPtrArray *projects;    /* (element-type GwProject) */
  GPtrArray *removed;     /* (element-type utf8) ids of tasks and projects */
} GwFeedPage;

void gw_feed_page_free (GwFeedPage *page);

/* A page of results, in order of submission. */
typedef struct {
  const char *project;    /* id or name */
  guint statuses;         /* 0: all */
  guint64 after;          /* GwTask.position of the last one seen; 0: from the start */
  guint limit;
  gsize max_bytes;
} GwResultsQuery;

typedef struct {
  guint64 revision;       /* of the journal; next `since` */
  gboolean more;
  GPtrArray *attempts;    /* (element-type GwAttempt) */
} GwAttemptPage;

void gw_attempt_page_free (GwAttemptPage *page);

typedef struct {
  guint64 next;           /* next `since` */
  gboolean more;
  GPtrArray *projects;    /* (element-type GwProject), in order of creation */
} GwProjectPage;

void gw_project_page_free (GwProjectPage *page);

/* Verbs for all tasks of a project. */
typedef enum {
  GW_PROJECT_CANCEL,
  GW_PROJECT_PAUSE,
  GW_PROJECT_RESUME,
  GW_PROJECT_RETRY,
} GwProjectVerb;

/* Where queued tasks go. */
typedef enum {
  GW_MOVE_TO_TOP,
  GW_MOVE_TO_BOTTOM,
  GW_MOVE_TO_PRIORITY, /* also where a move had put it: at most GW_TASK_FARTHEST_PRIORITY */
} GwMoveTo;

typedef struct {
  GwMoveTo to;
  int priority;          /* with GW_MOVE_TO_PRIORITY */
} GwMove;

typedef struct {
  GwProjectVerb verb;
  gboolean has_code;      /* retry: only tasks that failed with @code */
  GwError code;
  const char *provider;   /* (nullable) retry: new pin */
  const char *model;      /* (nullable) retry: new pin */
} GwProjectAct;

typedef struct {
  const char *name;       /* (nullable) */
  gboolean sets_concurrency;
  guint concurrency;
  int paused;             /* -1: as it is */
  gboolean sets_token_limit;
  gint64 token_limit;     /* 0: none */
  gboolean sets_stop;
  const char *stop_after; /* (nullable) task: none */
} GwProjectPatch;

/* One lane's shared state. */
typedef struct {
  char *provider;
  char *model;            /* (nullable) */
  gboolean enabled;
  gboolean usable;
  gboolean shared;        /* several programs may run it: what is said here is of all of them */
  guint workers;          /* with @shared: how many can run it now */
  guint max_concurrency;  /* as stored */
  guint adapted_concurrency;
  guint requests_per_minute;
  guint in_flight;        /* ghosts included */
  guint ghosts;
  guint sends_in_window;
  gint64 window_opens_at; /* queue clock; 0: open */
  gint64 parked_until;    /* queue clock; 0: none */
  gboolean offline;       /* with @parked_until: it could not be reached */
  gboolean stopped;
  GwError stop_code;      /* with @stopped: auth, quota, model */
  char *last_error;       /* (nullable) */
  gint64 last_error_at;   /* Unix ms */
  guint64 waiting;        /* pinned to it */
  guint64 sent;           /* calls ever */
  guint64 answered;
  guint64 failed;
  double latency_p50_s;
  double latency_p95_s;
  guint samples;
} GwLaneState;

void gw_lane_state_free (GwLaneState *state);

/* The whole queue's numbers, each O(1) or O(lanes). */
typedef struct {
  char *store;
  guint64 revision;
  guint64 counts[GW_N_TASK_STATUSES];
  guint64 projects;
  guint max_concurrency;   /* the cap over all lanes */
  guint in_flight;
  guint ghosts;
  guint64 attempts_sent;
  guint64 attempts_uncertain;
  guint64 answers_extra;  /* paid twice */
  guint64 commits;
  gint64 oldest_queued_at; /* Unix ms; 0: none */
  guint engines;          /* gateways and workers that listen to it; 0: not told */
  guint leases;           /* those of them that have work, or had some a moment ago */
  gboolean no_space;      /* the last write found none; what runs keeps its answers until it is back */
} GwQueueStats;

void gw_queue_stats_free (GwQueueStats *stats);

/* What keeps a queue from working for now; it goes on by itself when that is over. */
typedef struct {
  const char *code;       /* a stable word: away, silent, loading, read-only, full, disk, access,
                             settings */
  char *message;          /* a sentence for people, English */
  gint64 since;           /* Unix ms */
} GwQueueTrouble;

void gw_queue_trouble_free (GwQueueTrouble *trouble);

/* How this process reaches a queue that is elsewhere, since it began. */
typedef struct {
  gboolean connected;
  guint64 connections;    /* made: all but the first are again */
  guint64 failures;       /* that were lost, or did not come about */
  guint64 round_trips;
  guint64 steps;          /* asked for in them */
  double seconds;         /* of all round trips */
} GwQueueLink;

/* What the last crash left. */
typedef struct {
  gint64 recovered_at;    /* Unix ms; 0: the data was closed in order */
  guint64 lost;           /* always 0, said all the same */
  guint64 paid_twice;     /* extra answers of uncertain attempts so far */
  GPtrArray *attempts;    /* (element-type GwAttempt) uncertain at that crash */
  guint64 held_projects;  /* waiting for the user */
} GwRecovery;

void gw_recovery_free (GwRecovery *recovery);

/* What the scheduler sees, owned. */
typedef struct {
  GwSchedulerState state;
  GPtrArray *names;       /* (element-type utf8) of state.lanes, in that order */
} GwQueueSnapshot;

void gw_queue_snapshot_free (GwQueueSnapshot *snapshot);

/* A provider as the queue needs to know it. */
typedef struct {
  GwProviderConfig *config;
  gboolean in_use;        /* enabled, a lane should take its tasks */
  gboolean usable;        /* and it has a key, or needs none */
  char *key_digest;       /* (nullable) tells one key from another, and not what it is */
  gboolean set_limits;    /* its limits are stored over those of the queue, as for all with set_limits */
  gboolean removed;       /* a person removed it: it is not there, and its limits are forgotten unless
                           * another engine has it */
} GwQueueProvider;

/* Of the queue as a whole. */
#define GW_QUEUE_LIMIT_KEPT G_MAXUINT /* where limits are set: as it is */

typedef struct {
  guint max_concurrency;  /* the cap over all providers */
  guint max_attempts;
  guint keep_days;        /* 0: for ever */
} GwQueueLimits;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwNewTask, gw_new_task_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSubmission, gw_submission_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSubmitted, gw_submitted_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwGrant, gw_grant_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwFinished, gw_finished_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwFeedPage, gw_feed_page_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwAttemptPage, gw_attempt_page_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwProjectPage, gw_project_page_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwLaneState, gw_lane_state_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwQueueStats, gw_queue_stats_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwQueueTrouble, gw_queue_trouble_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwRecovery, gw_recovery_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwQueueSnapshot, gw_queue_snapshot_free)

G_END_DECLS
