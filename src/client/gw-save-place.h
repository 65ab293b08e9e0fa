/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * GwSavePlace:
 *
 * Where a file goes, and what it is like once it is there. The folder may be on a disk that takes
 * long to answer, or never does: only threads touch it, and until their callback the place is
 * theirs.
 */
typedef struct {
  char *folder;
  char *name;        /* without suffix */
  const char *suffix;
  char *old;         /* (nullable) what we wrote before, if it has the same place */
  guint64 old_size;
  gint64 old_time;
  GHashTable *taken; /* paths (owned) of other projects */
  char *path;        /* (nullable) the answer; NULL: every name is taken */
  gboolean exists;   /* after it was written */
  guint64 size;
  gint64 time;
} GwSavePlace;

void gw_save_place_free (GwSavePlace *self);
void gw_save_place_find_async (GwSavePlace *self, GAsyncReadyCallback callback,
                               gpointer user_data);
void gw_save_place_look_async (GwSavePlace *self, GAsyncReadyCallback callback,
                               gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GwSavePlace, gw_save_place_free)

G_END_DECLS
