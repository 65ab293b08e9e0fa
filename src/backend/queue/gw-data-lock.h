/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* DATA/lock: one engine a data directory, by flock; the file holds the address of its gateway.
 * A kill frees it at once. */
typedef struct _GwDataLock GwDataLock;

/* Errors: GW_ERROR_DATA_IN_USE (@other_uri, (out) (nullable), is the address of who holds it). */
GwDataLock *gw_data_lock_new (const char *data_dir, char **other_uri, GError **error);
gboolean gw_data_lock_set_uri (GwDataLock *lock, const char *uri, GError **error);
void gw_data_lock_free (GwDataLock *lock);

/* The address that stands in DATA/lock while some process holds it; NULL otherwise. */
char *gw_data_lock_peek (const char *data_dir);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwDataLock, gw_data_lock_free)

G_END_DECLS
