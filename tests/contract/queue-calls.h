/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/gw-queue.h"

G_BEGIN_DECLS

/* The calls of a queue, waited for. Each gives NULL or FALSE with @error where the queue does. */
GwSubmitted *fx_submit (GwQueue *queue, const GwSubmission *submission, GError **error);
GwGrant *fx_claim (GwQueue *queue, const char *provider, guint slot, GError **error);
gboolean fx_note_sent (GwQueue *queue, guint64 attempt, gint64 sent_at, GError **error);
gboolean fx_finish (GwQueue *queue, guint64 attempt, const GwReply *reply,
                    GwFinishResult *finished, GError **error);
GwGrant *fx_finish_and_claim (GwQueue *queue, guint64 attempt, const GwReply *reply,
                              const char *provider, GwFinishResult *finished, GError **error);
GwTask *fx_cancel (GwQueue *queue, const char *id, GError **error);
GwTask *fx_retry (GwQueue *queue, const char *id, const char *provider, const char *model,
                  GError **error);
gboolean fx_set_removed (GwQueue *queue, const char *const *ids, gboolean removed,
                         guint64 *changed, GError **error);
gboolean fx_move (GwQueue *queue, const char *const *ids, GwMoveTo to, int priority,
                  guint64 *changed, GError **error);
gboolean fx_act (GwQueue *queue, const char *project, const GwProjectAct *act, guint64 *changed,
                 GError **error);
GwProject *fx_patch (GwQueue *queue, const char *project, const GwProjectPatch *patch,
                     GError **error);
gboolean fx_remove_project (GwQueue *queue, const char *project, GError **error);
char **fx_set_providers (GwQueue *queue, GPtrArray *providers, gboolean set_limits,
                         GError **error);
gboolean fx_resume_lane (GwQueue *queue, const char *provider, GError **error);
GwTask *fx_get_task (GwQueue *queue, const char *id, GError **error);
GwProject *fx_get_project (GwQueue *queue, const char *project, GError **error);
GwProjectPage *fx_list_projects (GwQueue *queue, guint64 since, guint limit, GError **error);
GwFeedPage *fx_feed (GwQueue *queue, const GwFeedQuery *query, GError **error);
GPtrArray *fx_results (GwQueue *queue, const GwResultsQuery *query, GError **error);
GwAttemptPage *fx_attempts (GwQueue *queue, const char *task, guint64 since, guint limit,
                            GError **error);
GwAttemptPage *fx_attempts_before (GwQueue *queue, const char *task, guint64 since, guint64 before,
                                   guint limit, GError **error);
GPtrArray *fx_lanes (GwQueue *queue);
GwQueueStats *fx_stats (GwQueue *queue);
GwRecovery *fx_recovery (GwQueue *queue);
GwQueueSnapshot *fx_snapshot (GwQueue *queue);
gboolean fx_close (GwQueue *queue, GError **error);

G_END_DECLS
