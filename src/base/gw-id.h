/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define GW_ID_MAX_LENGTH 64

#define GW_ID_BYTES 16

char *gw_id_new (void);
char *gw_id_from_bytes (const guint8 bytes[GW_ID_BYTES]);
gboolean gw_id_to_bytes (const char *id, guint8 bytes[GW_ID_BYTES]);
gboolean gw_id_is_valid (const char *id);

G_END_DECLS
