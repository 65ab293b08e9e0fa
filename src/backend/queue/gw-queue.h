/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "queue/gw-queue-types.h"

G_BEGIN_DECLS

#define GW_TYPE_QUEUE (gw_queue_get_type ())
G_DECLARE_INTERFACE (GwQueue, gw_queue, GW, QUEUE, GObject)

/* What a lane hears from the queue. */
typedef enum {
  GW_LANE_WAKE,  /* ask again: what refused the last claim has changed */
  GW_LANE_ABORT, /* the attempt's task has ended otherwise: give the call up, then finish it */
} GwLaneEvent;

typedef void (*GwLaneEventFunc) (GwLaneEvent event, guint64 attempt, gpointer user_data);
typedef void (*GwRevisionFunc) (guint64 revision, gpointer user_data);

/**
 * GwQueueInterface:
 *
 * The only authority (docs/design.md): every rule that must hold over several workers holds inside
 * it, in one atomic step. Every call is an async pair whose callback runs in the thread-default
 * context of the caller; any thread may call; arguments are copied before the call returns. A
 * result that is a struct is owned by the caller.
 *
 * An engine implements the first half of each pair: it makes a #GTask with itself as source and
 * returns a pointer with it, which is what the second half gives; a #GwFinished where an attempt
 * ends, a guint64 where something is counted, %NULL where there is nothing to tell.
 *
 * Common errors: GW_ERROR_STOPPING after close, GW_ERROR_UNAVAILABLE when the store failed,
 * GW_ERROR_NO_SPACE when it is full.
 */
struct _GwQueueInterface {
  GTypeInterface parent_interface;

  void (*submit_async) (GwQueue *self, const GwSubmission *submission,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*claim_async) (GwQueue *self, const GwClaim *claim, GAsyncReadyCallback callback,
      gpointer user_data);
  void (*note_sent_async) (GwQueue *self, guint64 attempt, gint64 sent_at,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*finish_async) (GwQueue *self, guint64 attempt, const GwReply *reply,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*finish_and_claim_async) (GwQueue *self, guint64 attempt, const GwReply *reply,
      const GwClaim *claim, GAsyncReadyCallback callback, gpointer user_data);
  void (*cancel_task_async) (GwQueue *self, const char *task_id, GAsyncReadyCallback callback,
      gpointer user_data);
  void (*retry_task_async) (GwQueue *self, const char *task_id, const char *provider,
      const char *model, GAsyncReadyCallback callback, gpointer user_data);
  void (*set_removed_async) (GwQueue *self, const char *const *task_ids, gboolean removed,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*move_tasks_async) (GwQueue *self, const char *const *task_ids, const GwMove *move,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*act_on_project_async) (GwQueue *self, const char *project, const GwProjectAct *act,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*patch_project_async) (GwQueue *self, const char *project, const GwProjectPatch *patch,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*remove_project_async) (GwQueue *self, const char *project, GAsyncReadyCallback callback,
      gpointer user_data);
  void (*set_providers_async) (GwQueue *self, GPtrArray *providers, gboolean set_limits,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*set_limits_async) (GwQueue *self, const GwQueueLimits *limits,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*resume_lane_async) (GwQueue *self, const char *provider, GAsyncReadyCallback callback,
      gpointer user_data);
  void (*get_task_async) (GwQueue *self, const char *task_id, GAsyncReadyCallback callback,
      gpointer user_data);
  void (*get_project_async) (GwQueue *self, const char *project, GAsyncReadyCallback callback,
      gpointer user_data);
  void (*list_projects_async) (GwQueue *self, guint64 since, guint limit,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*read_feed_async) (GwQueue *self, const GwFeedQuery *query, GAsyncReadyCallback callback,
      gpointer user_data);
  void (*read_results_async) (GwQueue *self, const GwResultsQuery *query,
      GAsyncReadyCallback callback, gpointer user_data);
  void (*read_attempts_async) (GwQueue *self, const char *task_id, guint64 since, guint64 before,
      guint limit, GAsyncReadyCallback callback, gpointer user_data);
  void (*read_lanes_async) (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
  void (*read_stats_async) (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
  void (*read_recovery_async) (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
  void (*read_snapshot_async) (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
  void (*close_async) (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);

  guint (*watch_revision) (GwQueue *self, GMainContext *context, GwRevisionFunc func,
      gpointer data, GDestroyNotify destroy);
  guint (*watch_lane) (GwQueue *self, const char *provider, GMainContext *context,
      GwLaneEventFunc func, gpointer data, GDestroyNotify destroy);
  void (*unwatch) (GwQueue *self, guint id);
  GwClock *(*get_clock) (GwQueue *self);
  const char *(*get_kind) (GwQueue *self);
  GwQueueTrouble *(*get_trouble) (GwQueue *self, guint *n_kept); /* may be absent */
  void (*get_link) (GwQueue *self, GwQueueLink *link);           /* may be absent */
  void (*get_limits) (GwQueue *self, GwQueueLimits *limits);     /* may be absent */
};

/* Puts tasks in: all or nothing, durable before it ends. Errors: GW_ERROR_INVALID (unknown provider
 * or model, a name that looks like an id), _NOT_FOUND (project id), _CONFLICT (same key, other
 * body), _QUEUE_FULL, _STOPPING, _NO_SPACE, _UNAVAILABLE. */
void gw_queue_submit_async (GwQueue *self, const GwSubmission *submission,
    GAsyncReadyCallback callback, gpointer user_data);
GwSubmitted *gw_queue_submit_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Starts an attempt if the lane's concurrency, window and cool-down, the project's concurrency and
 * the cap allow it and the lane should: task, attempt, window entry and slot in one durable step.
 * Otherwise says when to ask again and, in the same step, registers the lane for what refused it:
 * the next change of that wakes it through its watch. */
void gw_queue_claim_async (GwQueue *self, const GwClaim *claim, GAsyncReadyCallback callback,
    gpointer user_data);
GwGrant *gw_queue_claim_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Tells when the request of a live attempt was fully written (queue clock): its place in the
 * rolling window is counted from then. */
void gw_queue_note_sent_async (GwQueue *self, guint64 attempt, gint64 sent_at,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_note_sent_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Ends an attempt, compare-and-set: gives back its slot (or leaves a ghost), stores the answer,
 * requeues or fails the task, parks or stops the lane, learns the latency, adapts the concurrency.
 * Ending an attempt twice is GW_ERROR_CONFLICT. */
void gw_queue_finish_async (GwQueue *self, guint64 attempt, const GwReply *reply,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_finish_finish (GwQueue *self, GAsyncResult *result, GwFinishResult *finished,
    GError **error);

/* Both in one step. The finish's result comes out by @finished. */
void gw_queue_finish_and_claim_async (GwQueue *self, guint64 attempt, const GwReply *reply,
    const GwClaim *claim, GAsyncReadyCallback callback, gpointer user_data);
GwGrant *gw_queue_finish_and_claim_finish (GwQueue *self, GAsyncResult *result,
    GwFinishResult *finished, GError **error);

/* Ends the task at once; a live attempt of it is aborted through its lane's watch, its slot stays
 * with it. Errors: GW_ERROR_NOT_FOUND, _CONFLICT (it has ended). */
void gw_queue_cancel_task_async (GwQueue *self, const char *task_id, GAsyncReadyCallback callback,
    gpointer user_data);
GwTask *gw_queue_cancel_task_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Queues a failed or cancelled task again, in its place. Errors: GW_ERROR_NOT_FOUND, _CONFLICT
 * (another status, or an attempt of it lives), _INVALID (pin). */
void gw_queue_retry_task_async (GwQueue *self, const char *task_id, const char *provider,
    const char *model, GAsyncReadyCallback callback, gpointer user_data);
GwTask *gw_queue_retry_task_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Hides tasks (removed after an hour) or brings them back; unknown ids and such with a live attempt
 * do not count. Gives how many changed. */
void gw_queue_set_removed_async (GwQueue *self, const char *const *task_ids, gboolean removed,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_set_removed_finish (GwQueue *self, GAsyncResult *result, guint64 *changed,
    GError **error);

/* Gives queued tasks another place among those of their project that wait; what has begun, and
 * unknown ids, do not count. What was moved to the top last goes first, what was moved to the bottom
 * last goes last; of those that are moved together, each in its turn. Who finds a task at
 * GW_TASK_FARTHEST_PRIORITY joins it there, in order of submission. A serial project, whose order priorities do not
 * change, follows moves too. Gives how many changed. */
void gw_queue_move_tasks_async (GwQueue *self, const char *const *task_ids, const GwMove *move,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_move_tasks_finish (GwQueue *self, GAsyncResult *result, guint64 *changed,
    GError **error);

/* The verb for all tasks of a project (id or name). Gives how many changed. */
void gw_queue_act_on_project_async (GwQueue *self, const char *project, const GwProjectAct *act,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_act_on_project_finish (GwQueue *self, GAsyncResult *result, guint64 *changed,
    GError **error);

/* Changes name, concurrency, limits or pause. A project whose answers have used `token_limit` tokens
 * is paused, in the step that stores the answer, and nothing resumes it (it changes nothing then) but
 * a patch that also takes the limit away or raises it. With `stop_after` it is paused in the step
 * that starts that task, at once if it runs. Errors: GW_ERROR_NOT_FOUND, _CONFLICT (name taken; the task has ended), _INVALID. */
void gw_queue_patch_project_async (GwQueue *self, const char *project, const GwProjectPatch *patch,
    GAsyncReadyCallback callback, gpointer user_data);
GwProject *gw_queue_patch_project_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Removes a project with its tasks. Errors: GW_ERROR_NOT_FOUND, _CONFLICT (tasks run; the default
 * project). */
void gw_queue_remove_project_async (GwQueue *self, const char *project,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_remove_project_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Tells the queue which providers there are (element-type GwQueueProvider). Limits are stored by
 * name by the first who tells them; later ones that differ are ignored and named in the strings
 * given back, unless @set_limits. What is not in the list is disabled, its tasks wait. The
 * order is that of preference: where two could start a task equally well, the upper one does. */
void gw_queue_set_providers_async (GwQueue *self, GPtrArray *providers, gboolean set_limits,
    GAsyncReadyCallback callback, gpointer user_data);
char **gw_queue_set_providers_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Limits of the queue as a whole, from now on; GW_QUEUE_LIMIT_KEPT is as it is. Errors:
 * GW_ERROR_CONFLICT where this kind of queue cannot change them. */
void gw_queue_set_limits_async (GwQueue *self, const GwQueueLimits *limits,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_set_limits_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* The user acted: a stopped or parked lane goes on. */
void gw_queue_resume_lane_async (GwQueue *self, const char *provider, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean gw_queue_resume_lane_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* The whole task. Errors: GW_ERROR_NOT_FOUND. */
void gw_queue_get_task_async (GwQueue *self, const char *task_id, GAsyncReadyCallback callback,
    gpointer user_data);
GwTask *gw_queue_get_task_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* By id or name, with its estimate. Errors: GW_ERROR_NOT_FOUND. */
void gw_queue_get_project_async (GwQueue *self, const char *project, GAsyncReadyCallback callback,
    gpointer user_data);
GwProject *gw_queue_get_project_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* In order of creation. */
void gw_queue_list_projects_async (GwQueue *self, guint64 since, guint limit,
    GAsyncReadyCallback callback, gpointer user_data);
GwProjectPage *gw_queue_list_projects_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* One page of the change feed, from one snapshot; never waits for changes. */
void gw_queue_read_feed_async (GwQueue *self, const GwFeedQuery *query,
    GAsyncReadyCallback callback, gpointer user_data);
GwFeedPage *gw_queue_read_feed_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* Whole tasks (element-type GwTask) with results, in order of submission; empty at the end. */
void gw_queue_read_results_async (GwQueue *self, const GwResultsQuery *query,
    GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *gw_queue_read_results_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* The attempts of a task (nullable: of all) after a revision of the journal. With @before (of all
 * only, 0: not) the newest ones below that revision instead, in the same order; `more` is then
 * whether there are older ones. */
void gw_queue_read_attempts_async (GwQueue *self, const char *task_id, guint64 since,
    guint64 before, guint limit, GAsyncReadyCallback callback, gpointer user_data);
GwAttemptPage *gw_queue_read_attempts_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* All lanes' states (element-type GwLaneState). */
void gw_queue_read_lanes_async (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *gw_queue_read_lanes_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* The queue's numbers. */
void gw_queue_read_stats_async (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
GwQueueStats *gw_queue_read_stats_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* What the last crash left. */
void gw_queue_read_recovery_async (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
GwRecovery *gw_queue_read_recovery_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* What the scheduler sees, for estimates. */
void gw_queue_read_snapshot_async (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
GwQueueSnapshot *gw_queue_read_snapshot_finish (GwQueue *self, GAsyncResult *result,
    GError **error);

/* Ends the engine: what was asked before is answered, later calls are GW_ERROR_STOPPING. */
void gw_queue_close_async (GwQueue *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_queue_close_finish (GwQueue *self, GAsyncResult *result, GError **error);

/* @func runs in @context with the head revision after each commit that changed any; coalesced: one
 * call pending at a time. */
guint gw_queue_watch_revision (GwQueue *self, GMainContext *context, GwRevisionFunc func,
    gpointer data, GDestroyNotify destroy);

/* @func runs in @context; wake-ups are hints and coalesced, aborts are never dropped. */
guint gw_queue_watch_lane (GwQueue *self, const char *provider, GMainContext *context,
    GwLaneEventFunc func, gpointer data, GDestroyNotify destroy);

/* After it returns, @func of that watch is not started any more (it may be running if another
 * thread calls this). */
void gw_queue_unwatch (GwQueue *self, guint id);

GwClock *gw_queue_get_clock (GwQueue *self);      /* (transfer none) */
const char *gw_queue_get_kind (GwQueue *self);    /* "embedded" or "redis" */

/* (transfer full) (nullable): why the queue does not work just now; never blocks. @n_kept: (out)
 * (optional): ends of calls that wait on this machine's disk to be told to it. */
GwQueueTrouble *gw_queue_get_trouble (GwQueue *self, guint *n_kept);

/* FALSE: the queue is in this process. Never blocks. */
gboolean gw_queue_get_link (GwQueue *self, GwQueueLink *link);

/* Any thread. The limits in force, which others may have stored, as far as this process has heard.
 * FALSE: they are those that it was opened with, and set. */
gboolean gw_queue_get_limits (GwQueue *self, GwQueueLimits *limits);

G_END_DECLS
