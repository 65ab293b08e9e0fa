/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-client.h"

G_BEGIN_DECLS

/* Finds @text in the tasks and results of every project: how many tasks of each have it. Finish
 * gives a table of project id (utf8) → hits (GPOINTER_TO_UINT); @more: there may be more than were
 * counted. Errors: as of gw_client_call_finish(). */
void gw_search_projects_async (GwClient *client, const char *text, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
GHashTable *gw_search_projects_finish (GAsyncResult *result, gboolean *more, GError **error);

G_END_DECLS
