/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the desktop offers over D-Bus, where it does. */

/* The bar on the icon in the task bar; @fraction below 0: none. */
void gw_desktop_show_progress (GApplication *application, double fraction);

void gw_desktop_suspend_async (GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
gboolean gw_desktop_suspend_finish (GAsyncResult *result, GError **error);

G_END_DECLS
