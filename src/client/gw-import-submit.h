/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"
#include "gw-import.h"

G_BEGIN_DECLS

/* Where imported tasks go, and how. */
typedef struct {
  const char *project;    /* (nullable) id or name; NULL: the gateway's default project */
  gboolean is_new;        /* @project is the name of one that does not exist yet */
  gboolean holds;         /* they are not to run yet: the project is paused in the same step */
  guint concurrency;      /* of the project; 0: as it is */
  const char *provider;   /* (nullable) pin for tasks that ask for none by themselves */
  const char *model;      /* (nullable) the same */
} GwImportSubmitOptions;

/* @done of @all tasks are in the queue. */
typedef void (*GwImportProgress) (guint done, guint all, gpointer user_data);

/**
 * gw_import_submit_async:
 *
 * Submits @entries (element-type GwImportEntry) in order, all or none: a new project gets them in
 * parts and starts when the last one is in; where a part fails or the caller cancels, it is removed
 * again. @owner (a GwImportLines or the like) keeps the entries and is released in the end.
 */
void gw_import_submit_async (GwClient *client, GPtrArray *entries, gpointer owner,
                             GDestroyNotify release, const GwImportSubmitOptions *options,
                             GwImportProgress progress, gpointer progress_data,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);

/* (transfer full) the ids, in order; NULL: what went wrong, and what became of the tasks. */
GPtrArray *gw_import_submit_finish (GwClient *client, GAsyncResult *result, char **project_id,
                                    GError **error);

G_END_DECLS
