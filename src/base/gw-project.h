/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

#define GW_PROJECT_DEFAULT_NAME "default"
#define GW_PROJECT_MAX_NAME 200 /* characters */
#define GW_PROJECT_MAX_CONCURRENCY 10000
#define GW_PROJECT_MAX_TOKEN_LIMIT G_GINT64_CONSTANT (1000000000000)

/**
 * GwProject:
 *
 * A project as seen from outside at one moment; plain data as GwTask is.
 */
typedef struct {
  char *project_id;
  char *name;
  gint64 created_at;
  gint64 finished_at;    /* 0 while a task of it is unfinished */
  guint concurrency;     /* 0: none of its own; 1: serial, in order */
  gboolean paused;
  gboolean held;         /* unfinished work of an earlier run that this engine does not touch */
  guint64 counts[GW_N_TASK_STATUSES];
  GwUsage usage;
  gint64 token_limit;    /* of `usage`, then it is paused; 0: none */
  char *stop_after;      /* (nullable) a task: once it has begun, the project is paused */
  guint64 revision;

  gboolean has_estimate; /* only in the single project */
  gint64 estimate_finish_at;
  double estimate_bound_s;    /* negative: not known */
  double estimate_efficiency; /* negative: not known */
} GwProject;

GwProject *gw_project_new (void);
GwProject *gw_project_ref (GwProject *project);
void gw_project_unref (GwProject *project);

guint64 gw_project_count_unfinished (const GwProject *project);
gboolean gw_project_is_spent (const GwProject *project);
gboolean gw_project_check_name (const char *name, GError **error);

JsonObject *gw_project_to_json (const GwProject *project);
GwProject *gw_project_new_from_json (JsonObject *object, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwProject, gw_project_unref)

G_END_DECLS
