/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

/* Whole tasks, contents and results, for copying and saving.
 *
 * @projects: (element-type utf8): whose tasks, in this order; may be NULL if @task_ids has few
 * @task_ids: (element-type utf8) (nullable): only these, in the order of the projects, or, where
 *   they are few, in their own
 * @status: only these; -1 for any */
void gw_collect_async (GwClient *client, GPtrArray *projects, GPtrArray *task_ids, int status,
                       GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data);
GPtrArray *gw_collect_finish (GAsyncResult *result, GError **error);

/* Up to so many are fetched one by one. */
#define GW_COLLECT_FEW 64

G_END_DECLS
