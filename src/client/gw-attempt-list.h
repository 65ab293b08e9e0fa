/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "gw-attempt-item.h"
#include "gw-client.h"
#include "gw-timeline-layout.h"

G_BEGIN_DECLS

#define GW_TYPE_ATTEMPT_LIST (gw_attempt_list_get_type ())
G_DECLARE_FINAL_TYPE (GwAttemptList, gw_attempt_list, GW, ATTEMPT_LIST, GObject)

/**
 * GwAttemptList:
 *
 * A GListModel of GwAttemptItem, the newest calls to providers in order of the journal, and what
 * the lanes allow. It asks only while it is active. Main thread only. Signal `changed`: once per
 * answer that brought something.
 */
GwAttemptList *gw_attempt_list_new (GwClient *client);
void gw_attempt_list_set_active (GwAttemptList *self, gboolean active);
/* Something happened at the gateway: ask soon. */
void gw_attempt_list_nudge (GwAttemptList *self);

/* FALSE for a gateway that has no journal. */
gboolean gw_attempt_list_is_supported (GwAttemptList *self);
gboolean gw_attempt_list_is_loaded (GwAttemptList *self);
/* (transfer none) (element-type GwAttempt) */
GPtrArray *gw_attempt_list_get_attempts (GwAttemptList *self);
/* (transfer none) (element-type GwTimelineLane) */
GPtrArray *gw_attempt_list_get_lanes (GwAttemptList *self);
guint gw_attempt_list_get_cap (GwAttemptList *self);
gint64 gw_attempt_list_get_oldest_queued_at (GwAttemptList *self); /* Unix ms; 0: none */

G_END_DECLS
