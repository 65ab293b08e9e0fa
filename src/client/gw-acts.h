/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

/* Several calls that are one act for the user: "cancel these 12 tasks". */
typedef struct _GwActs GwActs;

/* (transfer full): none yet; they go to @client. */
GwActs *gw_acts_new (GwClient *client);
void gw_acts_free (GwActs *acts);
void gw_acts_add (GwActs *acts, const char *method, char *path, JsonObject *body);
void gw_acts_add_ids (GwActs *acts, const char *path, GPtrArray *task_ids);
void gw_acts_keep_order (GwActs *acts);
void gw_acts_run_async (GwActs *acts, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data);
/* (nullable): the first error, also where other calls did change something; @result keeps it */
const GError *gw_acts_run_peek_error (GAsyncResult *result);
gboolean gw_acts_run_finish (GAsyncResult *result, guint *changed, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwActs, gw_acts_free)

G_END_DECLS
