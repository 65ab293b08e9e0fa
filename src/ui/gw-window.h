/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-endpoint.h"

G_BEGIN_DECLS

#define GW_TYPE_WINDOW (gw_window_get_type ())
G_DECLARE_FINAL_TYPE (GwWindow, gw_window, GW, WINDOW, AdwApplicationWindow)

GwWindow *gw_window_new (GtkApplication *application, GwEndpoint *endpoint);
void gw_window_import_files (GwWindow *self, GFile **files, int n_files);
gboolean gw_window_confirm_quit (GwWindow *self);
void gw_window_show_task (GwWindow *self, const char *task_id);
void gw_window_search (GwWindow *self, const char *text);
void gw_window_save_state (GwWindow *self);
void gw_window_settle (GwWindow *self, GSourceFunc done, gpointer data);

void gw_window_notified (GwWindow *self, const char *act);

G_END_DECLS
