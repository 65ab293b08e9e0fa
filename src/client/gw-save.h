/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-export.h"

G_BEGIN_DECLS

/* Which tasks a results document has. */
typedef enum {
  GW_SAVE_ALL,
  GW_SAVE_COMPLETED,
  GW_SAVE_FAILED,
} GwSaveWhich;

char *gw_save_suggest_name (const char *title, GwFormat format);
char *gw_save_clean_name (const char *name);
GwFormat gw_save_get_format (const char *base_name, gboolean *known);

void gw_save_file_async (GFile *file, GwFormat format, const char *title, GPtrArray *tasks,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data);
gboolean gw_save_file_finish (GAsyncResult *result, GError **error);

G_END_DECLS
