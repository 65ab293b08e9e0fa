/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What the program does, in a few words, and every verb with its keys. Needs no browser. */
GtkWindow *gw_help_window_new (GtkWindow *parent);

G_END_DECLS
