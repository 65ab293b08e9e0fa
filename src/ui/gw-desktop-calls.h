/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the desktop offers over D-Bus, where it does. */

/* The bar on the icon in the task bar; @fraction below 0: none. */
void gw_desktop_show_progress (GApplication *application, double fraction);

gboolean gw_desktop_is_sandboxed (void);

/* What people call a folder: its place from their home on, "~/Results". */
char *gw_desktop_name_folder (const char *path);
void gw_desktop_find_folder_async (const char *path, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
char *gw_desktop_find_folder_finish (GAsyncResult *result);

void gw_desktop_suspend_async (GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
gboolean gw_desktop_suspend_finish (GAsyncResult *result, GError **error);

G_END_DECLS
