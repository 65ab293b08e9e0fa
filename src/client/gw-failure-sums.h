/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/**
 * GwFailureSums:
 *
 * Tasks that failed, or wait for a person, by their cause: which provider, what happened. Kept as
 * tasks change, each at the cost of its own; never walks them all. Main thread only.
 */
typedef struct _GwFailureSums GwFailureSums;

/* One cause. */
typedef struct {
  gboolean waiting; /* a state of the lane: its tasks are queued, not failed */
  char *provider;   /* (nullable) not known */
  char *code;       /* of the error, or of what is waited for */
  guint count;
  gint64 newest;    /* Unix ms of the last one */
  GwTask *sample;   /* (owned) that last one */
} GwFailureGroup;

/* (transfer full): of no task yet. */
GwFailureSums *gw_failure_sums_new (void);
void gw_failure_sums_free (GwFailureSums *self);
void gw_failure_sums_take (GwFailureSums *self, GwTask *task);
void gw_failure_sums_drop (GwFailureSums *self, const char *task_id);
/* Forgets all tasks. */
void gw_failure_sums_clear (GwFailureSums *self);

/* Whether any failed, or waits for a person. */
gboolean gw_failure_sums_has_any (GwFailureSums *self);
/* How many of a project's tasks wait for a person. */
guint gw_failure_sums_count_waiting (GwFailureSums *self, const char *project_id);
/* (transfer full): id of a project → how many of its tasks wait for a person (GUINT_TO_POINTER). */
GHashTable *gw_failure_sums_get_waiting (GwFailureSums *self);
/* Whether tasks wait for just that provider. */
gboolean gw_failure_sums_has_waiting (GwFailureSums *self, const char *provider);

/* (transfer full) (element-type GwFailureGroup): of one project or all; waiting first, then the
 * newest first. */
GPtrArray *gw_failure_sums_get_groups (GwFailureSums *self, const char *project_id);

/* The tasks of one group: @projects gets those of whose failed tasks with that code all belong to
 * it, @task_ids the tasks of the others. (element-type utf8) each. */
void gw_failure_sums_collect (GwFailureSums *self, const GwFailureGroup *group,
                              const char *project_id, GPtrArray *projects, GPtrArray *task_ids);

void gw_failure_group_free (GwFailureGroup *group);
gboolean gw_failure_group_is_same (const GwFailureGroup *a, const GwFailureGroup *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwFailureGroup, gw_failure_group_free)

G_END_DECLS
