/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-client.h"

G_BEGIN_DECLS

#define GW_TYPE_ATTEMPTS (gw_attempts_get_type ())
G_DECLARE_FINAL_TYPE (GwAttempts, gw_attempts, GW, ATTEMPTS, GtkWidget)

/* The calls of one task, newest first. Signal `changed`: they are known now, or differ. */
void gw_attempts_set_client (GwAttempts *self, GwClient *client);
void gw_attempts_set_task (GwAttempts *self, const GwTask *task);
void gw_attempts_tick (GwAttempts *self);
GPtrArray *gw_attempts_get (GwAttempts *self); /* (nullable) (element-type GwAttempt) oldest first */
guint gw_attempts_count (GwAttempts *self);

G_END_DECLS
