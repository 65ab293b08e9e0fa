/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-cancel.h"

static gboolean
cancel_cb (gpointer user_data)
{
  g_cancellable_cancel (user_data);

  return G_SOURCE_REMOVE;
}

/**
 * gw_cancel_later:
 * @cancellable: of a request of libsoup whose answer has not been announced
 * @context: where its callback comes
 *
 * Cancels once everything has been dispatched that is ready in @context. A request must not be
 * cancelled between the end of its answer's head and the callback that announces it: libsoup (seen
 * in 3.6.5) then takes its item out of the queue twice, and frees it while it is used. That
 * callback is of the default priority, and goes first. Any thread.
 */
void
gw_cancel_later (GCancellable *cancellable,
                 GMainContext *context)
{
  g_autoptr (GSource) source = NULL;

  g_return_if_fail (G_IS_CANCELLABLE (cancellable));

  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT + 1);
  g_source_set_static_name (source, "[gangway] cancel a request");
  g_source_set_callback (source, cancel_cb, g_object_ref (cancellable), g_object_unref);
  g_source_attach (source, context);
}
