/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GwSecret:
 *
 * A key, or several, in memory: in pages of its own that no core dump holds and, where the system
 * lets it, no swap; wiped when the last reference goes. Refcounted, thread-safe, never changed.
 */
typedef struct _GwSecret GwSecret;

GwSecret *gw_secret_new (const char *text);
GwSecret *gw_secret_ref (GwSecret *secret);
void gw_secret_unref (GwSecret *secret);
const char *gw_secret_get (const GwSecret *secret);
guint gw_secret_count (const GwSecret *secret);
char *gw_secret_dup_keys (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSecret, gw_secret_unref)

G_END_DECLS
