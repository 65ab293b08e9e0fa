/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-attempt.h"

G_BEGIN_DECLS

#define GW_TYPE_ATTEMPT_ROW (gw_attempt_row_get_type ())
G_DECLARE_FINAL_TYPE (GwAttemptRow, gw_attempt_row, GW, ATTEMPT_ROW, GtkListBoxRow)

/* One call: how it ended, its times, and the provider's own words. */
GtkWidget *gw_attempt_row_new (void);
void gw_attempt_row_set_attempt (GwAttemptRow *self, GwAttempt *attempt, gint64 ready_at);
GwAttempt *gw_attempt_row_get_attempt (GwAttemptRow *self);
void gw_attempt_row_tick (GwAttemptRow *self);

G_END_DECLS
