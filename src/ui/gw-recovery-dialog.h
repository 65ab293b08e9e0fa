/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-attempt.h"

G_BEGIN_DECLS

#define GW_TYPE_RECOVERY_DIALOG (gw_recovery_dialog_get_type ())
G_DECLARE_FINAL_TYPE (GwRecoveryDialog, gw_recovery_dialog, GW, RECOVERY_DIALOG, AdwWindow)

GwRecoveryDialog *gw_recovery_dialog_new (GtkWindow *parent, JsonObject *recovery);
void gw_recovery_dialog_name_task (GwRecoveryDialog *self, const char *task_id, const char *title);

G_END_DECLS
