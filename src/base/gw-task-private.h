/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

/* What tasks, attempts and projects have in common in their JSON. */
JsonObject *_gw_usage_to_json (const GwUsage *usage);
GwUsage _gw_usage_from_json (JsonObject *object);
gboolean _gw_usage_is_known (const GwUsage *usage);

void _gw_error_set_member (JsonObject *object, gboolean has_error, GwError code,
                           const char *message);
void _gw_error_get_member (JsonObject *object, gboolean *has_error, GwError *code, char **message);

char *_gw_task_dup_preview (const GwTask *task);
gint64 _gw_time_get_member (JsonObject *object, const char *member);

G_END_DECLS
