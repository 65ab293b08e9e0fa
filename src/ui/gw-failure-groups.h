/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-failure-sums.h"

G_BEGIN_DECLS

#define GW_TYPE_FAILURE_GROUPS (gw_failure_groups_get_type ())
G_DECLARE_FINAL_TYPE (GwFailureGroups, gw_failure_groups, GW, FAILURE_GROUPS, GtkWidget)

/**
 * GwFailureGroups:
 *
 * The causes for which tasks failed, or wait for a person, each with what can be done about it.
 * Signal `act` (GwFailureGroup *group, const char *provider, const char *model): its tasks are to
 * go on, with another provider or model if one is named.
 */
GtkWidget *gw_failure_groups_new (void);
void gw_failure_groups_set_max_rows (GwFailureGroups *self, guint max_rows);
void gw_failure_groups_set_groups (GwFailureGroups *self, GPtrArray *groups, gboolean can_move);
void gw_failure_groups_set_providers (GwFailureGroups *self, GPtrArray *infos);

G_END_DECLS
