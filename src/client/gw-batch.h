/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

#define GW_TYPE_BATCH (gw_batch_get_type ())
G_DECLARE_FINAL_TYPE (GwBatch, gw_batch, GW, BATCH, GObject)

/* How a run that was followed has ended. */
typedef enum {
  GW_BATCH_DONE,    /* every task is final */
  GW_BATCH_STALLED, /* none runs, and the rest waits for an act of the user: gw_batch_get_stall() */
} GwBatchEnd;

/**
 * GwBatch:
 *
 * One run of many tasks: submitted or taken up again, followed until it has ended, its tasks with
 * their results kept in input order. Uses its client, in the thread that made that.
 *
 * Signals: `changed`, after each page of changes, and `task-ended` (GwTask) for every task of the
 * run that becomes final; `lost` (the seconds since the gateway was last heard, a guint) at each
 * try to reach it that failed, and `found` when it answers again; `cooling` (a sentence for the
 * user) where the run stands still as all lanes cool down, with what their last calls failed with,
 * when that changes.
 */
GwBatch *gw_batch_new (GwClient *client);

/* The gateway may be gone for so long before following ends with its error (30 s). */
void gw_batch_set_lost_limit (GwBatch *self, guint seconds);

/* Submits @tasks (element-type JsonObject, as for gw_client_submit_async()) as the run. */
void gw_batch_submit_async (GwBatch *self, GPtrArray *tasks, const char *project,
                            guint concurrency, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_batch_submit_finish (GwBatch *self, GAsyncResult *result, GError **error);

/* Takes up all tasks of a project, by id or name, as the run, and lets them go on. */
void gw_batch_resume_async (GwBatch *self, const char *project, gboolean retry_failed,
                            guint concurrency, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_batch_resume_finish (GwBatch *self, GAsyncResult *result, GError **error);

/* Follows the run until it has ended. After an error it may be called again. */
void gw_batch_follow_async (GwBatch *self, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_batch_follow_finish (GwBatch *self, GAsyncResult *result, GwBatchEnd *end,
                                 GError **error);

/* Pauses the run's project: what runs goes on, nothing more starts. */
void gw_batch_pause_async (GwBatch *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean gw_batch_pause_finish (GwBatch *self, GAsyncResult *result, GError **error);

/* Lets the run's project go on, if it was paused, or held back by an engine that found it there. */
void gw_batch_unpause_async (GwBatch *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean gw_batch_unpause_finish (GwBatch *self, GAsyncResult *result, GError **error);

const char *gw_batch_get_project_id (GwBatch *self);   /* (nullable) before the submission */
const char *gw_batch_get_project_name (GwBatch *self); /* (nullable) */
guint gw_batch_get_n_tasks (GwBatch *self);
guint gw_batch_count (GwBatch *self, GwTaskStatus status);
guint gw_batch_count_practice (GwBatch *self);
const char *gw_batch_get_stall (GwBatch *self); /* (nullable) lanes and reasons, for people */

/* Every task of the run in input order, (element-type GwTask), (transfer full). With a minimal
 * gateway they carry its ids. */
GPtrArray *gw_batch_dup_tasks (GwBatch *self);

G_END_DECLS
