/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What providers are called in front of people, once the gateway has told it. Main thread. */

/* Returns whether that is new. */
gboolean gw_provider_titles_set (const char *name, const char *title);

/* (nullable): the title of @name, or @name itself as long as none is known; NULL for NULL. Only to
 * be read at once. */
const char *gw_provider_titles_get (const char *name);

G_END_DECLS
