/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * gw_source_clear:
 * @source: (inout): a place that holds a source and a reference to it, or %NULL
 *
 * Destroys what is there, gives the reference back and sets the place to %NULL. In the thread of
 * the source's context, so that its callback does not run any more.
 */
static inline void
gw_source_clear (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

G_END_DECLS
