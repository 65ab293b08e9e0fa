/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "gw-task.h"

G_BEGIN_DECLS

void gw_probe_start (GtkApplication *application);
void gw_probe_mark (const char *what, gint64 value);
void gw_probe_shown (const GwTask *task);

G_END_DECLS
