/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void gw_cancel_later (GCancellable *cancellable, GMainContext *context);

G_END_DECLS
