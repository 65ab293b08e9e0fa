/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-engine"

#include "config.h"

#include "engine/gw-engine-private.h"
#include "gw-error.h"

/*
 * A start while the queue cannot be used: the gateway serves at once, so that whoever asks is told
 * what is wrong, and the rest of the start follows when the queue is there. It looks a few times a
 * second, and only then: the queue tells nobody that its trouble is over before it is open.
 *
 * Threading: the engine's own thread; who started it hears in its own.
 */

#define LOOK_AGAIN_MS 250

/* Owner's thread. */
static gboolean
ready_cb (gpointer data)
{
  GwEngine *self = data;

  if (self->ready != NULL && self->state == GW_ENGINE_RUNNING)
    self->ready (self, self->ready_data);

  return G_SOURCE_REMOVE;
}

/* Everything runs now that had to wait. */
void
_gw_engine_tell_ready (GwEngine *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_atomic_int_set (&self->waiting, FALSE);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "gw-engine ready");
  g_source_set_callback (source, ready_cb, g_object_ref (self), g_object_unref);
  g_source_attach (source, self->owner);
}

static gboolean
look_cb (gpointer data)
{
  GwEngine *self = data;
  g_autoptr (GwQueueTrouble) trouble = gw_queue_get_trouble (self->queue, NULL);

  if (trouble != NULL)
    return G_SOURCE_CONTINUE;

  _gw_engine_stop_waiting (self);
  _gw_engine_tell_providers (self);

  return G_SOURCE_REMOVE;
}

/* Before a stop, too. */
void
_gw_engine_stop_waiting (GwEngine *self)
{
  if (self->look == NULL)
    return;

  g_source_destroy (self->look);
  g_clear_pointer (&self->look, g_source_unref);
}

/* The queue cannot be used just now; the gateway is there, or is not wanted. */
void
_gw_engine_wait (GwEngine *self)
{
  _gw_engine_stop_waiting (self);
  g_atomic_int_set (&self->waiting, TRUE);
  self->look = g_timeout_source_new (LOOK_AGAIN_MS);
  g_source_set_static_name (self->look, "gw-engine wait for the queue");
  g_source_set_callback (self->look, look_cb, self, NULL);
  g_source_attach (self->look, gw_worker_thread_get_context (self->thread));
}

/**
 * gw_engine_is_waiting:
 * @self: an engine that has started
 *
 * Returns: whether its queue could not be used yet; gw_engine_set_ready_func() tells when it can.
 * Any
 *   thread
 */
gboolean
gw_engine_is_waiting (GwEngine *self)
{
  g_return_val_if_fail (GW_IS_ENGINE (self), FALSE);

  return g_atomic_int_get (&self->waiting);
}

/**
 * gw_engine_set_ready_func:
 * @self: an engine that was not started
 * @func: called in the owner's thread when an engine that has waited for its queue does all its
 * work
 */
void
gw_engine_set_ready_func (GwEngine *self,
                          GwEngineReadyFunc func,
                          gpointer user_data)
{
  self->ready = func;
  self->ready_data = user_data;
}
