/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean gw_count_read (const char *text, gint64 most, gint64 *count);

G_END_DECLS
