/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-lane"

#include "config.h"

#include "gw-source.h"
#include "worker/gw-lane.h"
#include "worker/gw-slot.h"

/*
 * A provider's share of this worker: its slots, and what makes them ask the queue for work.
 *
 * A slot that ends a call asks for the next in the same step. Slots that have nothing ask together:
 * one asks, and each grant doubles how many may ask at once, so that an empty lane costs one claim
 * and a full batch is begun in a few steps. After a refusal nobody asks before the queue wakes the
 * lane or the time that the queue named has come; nothing polls.
 *
 * Threading: lives in the thread whose default context it was made in, as its provider does; every
 * function here is called there. The queue's events arrive in the same context.
 *
 * Guarantee: every attempt that the queue granted is finished in the queue exactly once, also while
 * draining; what was granted but not yet sent when the drain began is given back unsent.
 */

#define LONGEST_SLEEP_MS (60 * 1000)

struct _GwLane {
  GObject parent_instance;

  GwQueue *queue;         /* (owned) */
  GwCatalogue *catalogue; /* (owned) */
  char *name;             /* (owned) */
  char *worker;           /* (owned) */
  GwPartials *partials;   /* (owned) (nullable) */
  GMainContext *context;  /* (owned) */

  GwProvider *provider;   /* (owned) (nullable) replaced by reconfigure; calls hold their own */
  GPtrArray *slots;       /* (owned) (element-type GwSlot) */
  guint n_usable_slots;   /* the first so many; slots beyond only end what they do */

  guint watch_id;
  GSource *ask_timer;     /* (owned) (nullable) */
  gint64 ask_at;          /* queue clock of @ask_timer */
  guint width;            /* slots that may ask at once */
  guint n_asking;
  gboolean refused;       /* nobody asks before a wake-up or @ask_at */
  guint wakes;            /* wake-ups heard, so that one during a claim is not lost */

  gboolean draining;
  GwLaneDrainedFunc drained;
  gpointer drained_data;
};

G_DEFINE_FINAL_TYPE (GwLane, gw_lane, G_TYPE_OBJECT)

static void gw_lane_ask (GwLane *self);

static void
gw_lane_clear_timer (GwLane *self)
{
  gw_source_clear (&self->ask_timer);
  self->ask_at = GW_CLOCK_NEVER;
}

static void
gw_lane_dispose (GObject *object)
{
  GwLane *self = GW_LANE (object);

  gw_lane_clear_timer (self);
  if (self->watch_id != 0)
    gw_queue_unwatch (self->queue, self->watch_id);
  self->watch_id = 0;
  g_clear_pointer (&self->slots, g_ptr_array_unref);
  g_clear_object (&self->provider);
  g_clear_object (&self->queue);
  g_clear_object (&self->catalogue);

  G_OBJECT_CLASS (gw_lane_parent_class)->dispose (object);
}

static void
gw_lane_finalize (GObject *object)
{
  GwLane *self = GW_LANE (object);

  g_free (self->name);
  g_free (self->worker);
  g_clear_pointer (&self->partials, gw_partials_unref);
  g_main_context_unref (self->context);

  G_OBJECT_CLASS (gw_lane_parent_class)->finalize (object);
}

static void
gw_lane_class_init (GwLaneClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_lane_dispose;
  object_class->finalize = gw_lane_finalize;
}

static void
gw_lane_init (GwLane *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->slots = g_ptr_array_new_with_free_func (g_object_unref);
  self->ask_at = GW_CLOCK_NEVER;
  self->width = 1;
}

static void gw_lane_ask_again_at (GwLane *self, gint64 ask_at);

static gboolean
gw_lane_timer_cb (gpointer data)
{
  GwLane *self = data;
  gint64 ask_at = self->ask_at;

  gw_lane_clear_timer (self);
  if (gw_clock_now (gw_queue_get_clock (self->queue)) < ask_at)
    {
      gw_lane_ask_again_at (self, ask_at);
      return G_SOURCE_REMOVE;
    }
  self->refused = FALSE;
  gw_lane_ask (self);

  return G_SOURCE_REMOVE;
}

static void
gw_lane_ask_again_at (GwLane *self,
                      gint64 ask_at)
{
  gint64 wait;

  if (ask_at == GW_CLOCK_NEVER || ask_at >= self->ask_at)
    return;

  gw_lane_clear_timer (self);
  self->ask_at = ask_at;
  wait = MAX (ask_at - gw_clock_now (gw_queue_get_clock (self->queue)), 0);

  /* While the machine sleeps the queue's clock goes on and a timer does not: a long wait is looked
   * at now and then. One millisecond more: the queue's clock cuts, so that a timer of just the
   * difference could ask a moment too early and be refused once more. */
  wait = MIN (wait, LONGEST_SLEEP_MS);
  self->ask_timer = g_timeout_source_new (0);
  g_source_set_ready_time (self->ask_timer, g_get_monotonic_time () + (wait + 1) * 1000);
  g_source_set_static_name (self->ask_timer, "gw-lane ask again");
  g_source_set_callback (self->ask_timer, gw_lane_timer_cb, self, NULL);
  g_source_attach (self->ask_timer, self->context);
}

static void
gw_lane_check_drained (GwLane *self)
{
  GwLaneDrainedFunc drained = self->drained;

  if (!self->draining || drained == NULL)
    return;

  for (guint i = 0; i < self->slots->len; i++)
    {
      if (gw_slot_is_busy (self->slots->pdata[i]))
        return;
    }

  self->drained = NULL;
  gw_queue_unwatch (self->queue, self->watch_id);
  self->watch_id = 0;
  drained (self, self->drained_data);
}

/* The slot was refused, or has ended a call without getting another. */
static void
gw_lane_slot_idle_cb (GwSlot *slot,
                      const GwGrant *refusal,
                      guint wakes,
                      gpointer user_data)
{
  g_autoptr (GwLane) self = g_object_ref (user_data);

  if (refusal != NULL)
    {
      self->width = 1;
      /* A wake-up that came while the claim was under way may have been about what it missed. */
      if (wakes == self->wakes)
        {
          self->refused = TRUE;
          gw_lane_ask_again_at (self, refusal->ask_at);
        }
    }

  gw_lane_check_drained (self);
  gw_lane_ask (self);
}

static void
gw_lane_slot_asked_cb (GwSlot *slot,
                       gboolean granted,
                       gpointer user_data)
{
  GwLane *self = user_data;

  self->n_asking--;
  if (granted)
    {
      self->width = MIN (self->width * 2, self->n_usable_slots);
      gw_lane_ask (self);
    }
}

static void
gw_lane_ask (GwLane *self)
{
  if (self->draining || self->provider == NULL)
    return;

  for (guint i = 0; i < self->n_usable_slots && !self->refused && self->n_asking < self->width; i++)
    {
      GwSlot *slot = self->slots->pdata[i];

      if (gw_slot_is_busy (slot))
        continue;

      self->n_asking++;
      gw_slot_ask (slot);
    }
}

static void
gw_lane_event_cb (GwLaneEvent event,
                  guint64 attempt,
                  gpointer user_data)
{
  GwLane *self = user_data;

  switch (event)
    {
    case GW_LANE_WAKE:
      self->wakes++;
      self->refused = FALSE;
      gw_lane_ask (self);
      break;

    case GW_LANE_ABORT:
      for (guint i = 0; i < self->slots->len; i++)
        gw_slot_abort (self->slots->pdata[i], attempt);
      break;

    default:
      g_assert_not_reached ();
    }
}

/**
 * gw_lane_new:
 * @queue: the queue to take tasks from
 * @catalogue: knows the provider and its key
 * @name: the provider's name
 * @worker: id of this worker process
 *
 * Returns: (transfer full): a lane of the calling thread that does nothing yet
 */
GwLane *
gw_lane_new (GwQueue *queue,
             GwCatalogue *catalogue,
             const char *name,
             const char *worker)
{
  GwLane *self = g_object_new (GW_TYPE_LANE, NULL);

  self->queue = g_object_ref (queue);
  self->catalogue = g_object_ref (catalogue);
  self->name = g_strdup (name);
  self->worker = g_strdup (worker);

  return self;
}

/**
 * gw_lane_set_partials:
 * @self: a lane that was not started
 * @partials: where the answers under way are seen
 */
void
gw_lane_set_partials (GwLane *self,
                      GwPartials *partials)
{
  g_return_if_fail (self->partials == NULL && self->slots->len == 0);

  self->partials = partials != NULL ? gw_partials_ref (partials) : NULL;
}

/**
 * gw_lane_reconfigure:
 * @self: a lane
 *
 * Takes over what the catalogue says now: address, key, model, number of slots. Calls under way end
 * as they began; slots that are too many take nothing more.
 */
void
gw_lane_reconfigure (GwLane *self)
{
  g_autoptr (GwProviderConfig) config = gw_catalogue_dup (self->catalogue, self->name);

  if (config == NULL || self->draining)
    return;

  g_clear_object (&self->provider);

  self->provider = gw_catalogue_make_provider (self->catalogue, self->name,
                                               gw_queue_get_clock (self->queue));
  self->n_usable_slots = config->max_concurrency;
  while (self->slots->len < self->n_usable_slots)
    {
      GwSlot *slot = gw_slot_new (self->queue, self->name, self->worker, self->slots->len,
                                  &self->wakes, gw_lane_slot_asked_cb, gw_lane_slot_idle_cb,
                                  self);

      gw_slot_set_partials (slot, self->partials);
      g_ptr_array_add (self->slots, slot);
    }
  for (guint i = 0; i < self->slots->len; i++)
    {
      gw_slot_set_provider (self->slots->pdata[i],
                            i < self->n_usable_slots ? self->provider : NULL);
    }

  self->refused = FALSE;
  gw_lane_ask (self);
}

/**
 * gw_lane_start:
 * @self: a lane
 *
 * Begins to ask for work.
 */
void
gw_lane_start (GwLane *self)
{
  self->watch_id = gw_queue_watch_lane (self->queue, self->name, self->context, gw_lane_event_cb,
                                        g_object_ref (self), g_object_unref);
  gw_lane_reconfigure (self);
}

/**
 * gw_lane_drain:
 * @self: a lane
 * @drained: called once, maybe before this returns, when no slot has a call or a claim any more
 *
 * Takes no more work and lets calls under way end; gw_lane_abort_calls() makes that quick. The lane
 * cannot be started again.
 */
void
gw_lane_drain (GwLane *self,
               GwLaneDrainedFunc drained,
               gpointer user_data)
{
  G_GNUC_UNUSED g_autoptr (GwLane) keep = g_object_ref (self);

  self->draining = TRUE;
  self->drained = drained;
  self->drained_data = user_data;
  gw_lane_clear_timer (self);
  for (guint i = 0; i < self->slots->len; i++)
    gw_slot_set_provider (self->slots->pdata[i], NULL);
  gw_lane_check_drained (self);
}

/**
 * gw_lane_abort_calls:
 * @self: a lane that drains
 *
 * Gives up every call under way. Their tasks go back to the queue.
 */
void
gw_lane_abort_calls (GwLane *self)
{
  for (guint i = 0; i < self->slots->len; i++)
    gw_slot_abort (self->slots->pdata[i], 0);
}
