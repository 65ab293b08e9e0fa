/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-client.h"

G_BEGIN_DECLS

#define GW_TYPE_PARTIAL_RESULT (gw_partial_result_get_type ())
G_DECLARE_FINAL_TYPE (GwPartialResult, gw_partial_result, GW, PARTIAL_RESULT, GtkBox)

/* What a running task has been answered so far; hidden while that is nothing. */
void gw_partial_result_set_client (GwPartialResult *self, GwClient *client);
void gw_partial_result_set_task (GwPartialResult *self, const GwTask *task);
void gw_partial_result_set_active (GwPartialResult *self, gboolean active);

G_END_DECLS
