/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

#define GW_TYPE_MINIMAL_POLLER (gw_minimal_poller_get_type ())
G_DECLARE_FINAL_TYPE (GwMinimalPoller, gw_minimal_poller, GW, MINIMAL_POLLER, GObject)

#define GW_MINIMAL_CONCURRENCY 10

/**
 * GwMinimalPoller:
 *
 * What GwClient keeps about a gateway that has only POST /tasks and GET /tasks/{id}: the tasks that
 * were submitted through this client, and their states. Inside the client library only.
 */
GwMinimalPoller *gw_minimal_poller_new (GwClient *client);
void gw_minimal_poller_keep (GwMinimalPoller *self, const char *folder);
void gw_minimal_poller_stop (GwMinimalPoller *self);
void gw_minimal_poller_set_concurrency (GwMinimalPoller *self, guint concurrency);

char *gw_minimal_poller_submit (GwMinimalPoller *self, GPtrArray *tasks, const char *project,
                                guint concurrency, GPtrArray *ids);
GwTask *gw_minimal_poller_get_task (GwMinimalPoller *self, const char *task_id);
char *gw_minimal_poller_dup_foreign_id (GwMinimalPoller *self, const char *task_id);
void gw_minimal_poller_get_changes (GwMinimalPoller *self, guint64 since, guint wait_s,
                                    const char *project, GTask *task);
GPtrArray *gw_minimal_poller_get_results (GwMinimalPoller *self, const char *project);
JsonObject *gw_minimal_poller_call (GwMinimalPoller *self, const char *method, const char *path,
                                    JsonObject *body, GError **error);

G_END_DECLS
