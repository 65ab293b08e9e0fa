/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _GwSseReader GwSseReader;

/* The data of an event, or of one of its lines. Returns whether it could be used as it is; a line
 * that could not is kept, and offered once more together with the other lines of its event. */
typedef gboolean (*GwSseFunc) (const char *data, gsize length, gpointer user_data);

GwSseReader *gw_sse_reader_new (gsize max_event, GwSseFunc func, gpointer user_data);
void gw_sse_reader_free (GwSseReader *self);

gboolean gw_sse_reader_feed (GwSseReader *self, const char *bytes, gsize length);
void gw_sse_reader_end (GwSseReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSseReader, gw_sse_reader_free)

G_END_DECLS
