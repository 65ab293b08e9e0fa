/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define GW_RETRY_MAX_MS (60 * 60 * 1000)

/* All pure; -1 where nothing is said. */
gint64 gw_retry_time_parse_duration (const char *text);
gint64 gw_retry_time_from_headers (SoupMessageHeaders *headers, gint64 wall_ms);
gint64 gw_retry_time_from_text (const char *text);
gint64 gw_retry_time_until_date (const char *text, int offset_minutes, gint64 wall_ms);

G_END_DECLS
