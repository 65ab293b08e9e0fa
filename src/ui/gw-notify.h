/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Notifications of the desktop; each replaces the one before of its kind. Their buttons activate
 * `app.notified` with what is to be done: "all", "failed", "save", "stop", "preferences",
 * "cancel". */

void gw_notify_batch_done (GApplication *application, const char *outcome, gboolean failed);
void gw_notify_tasks_paused (GApplication *application, const char *why);
void gw_notify_keeps_running (GApplication *application, guint running, guint queued);
void gw_notify_finishing (GApplication *application, const char *words);

#define GW_NOTIFY_BATCH_DONE "batch-done"
#define GW_NOTIFY_PAUSED "tasks-paused"
#define GW_NOTIFY_RUNNING "keeps-running"
#define GW_NOTIFY_FINISHING "finishing"

G_END_DECLS
