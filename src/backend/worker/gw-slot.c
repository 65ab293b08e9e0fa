/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-slot"

#include "config.h"

#include "gw-source.h"
#include "worker/gw-slot.h"

/*
 * One call at a time: claim, call, finish, and with the finish the claim of the next.
 *
 * Threading: lives in its lane's thread.
 *
 * Guarantee: an attempt that was granted is finished exactly once. While the store has no space, or
 * cannot be written, the answer waits here, in memory, and the slot takes nothing new, so that no
 * money is spent on answers that could not be kept; the finish is repeated until it is stored, the
 * queue has ended, or a stop is over its limit.
 */

#define FIRST_REPEAT_MS 1000
/* Soon after there is space again, or a lock is gone, nobody should wait any longer. */
#define LAST_REPEAT_MS 4000

struct _GwSlot {
  GObject parent_instance;

  GwQueue *queue;       /* (owned) */
  char *lane;           /* (owned) */
  char *worker;         /* (owned) */
  guint index;
  const guint *wakes;   /* (borrowed) the lane's */
  GwSlotAskedFunc asked;
  GwSlotIdleFunc idle;
  gpointer user_data;   /* (borrowed) the lane */

  GwPartials *partials; /* (owned) (nullable) where the answers under way are seen */
  GwProvider *provider; /* (owned) (nullable) NULL: takes nothing more */
  gboolean asking;
  GwGrant *grant;       /* (owned) (nullable) of the attempt under way */
  GCancellable *abort;  /* (owned) (nullable) with @grant, while the call runs */
  GwPartial *partial;   /* (owned) (nullable) with @grant, of a call that streams */
  GwReply *reply;       /* (owned) (nullable) the call has ended, its finish has not */
  guint claim_wakes;
  GArray *aborted;      /* (owned) (nullable) (element-type guint64) attempts to give up that may be
                         * the one that the claim under way brings; NULL: no claim is under way */
  GSource *repeat;      /* (owned) (nullable) */
  guint repeat_ms;
  gboolean giving_up;   /* the finish is tried once more and then dropped */
  gboolean complained;  /* that the queue answers no claim is said once */
};

G_DEFINE_FINAL_TYPE (GwSlot, gw_slot, G_TYPE_OBJECT)

static void gw_slot_call (GwSlot *self, GwGrant *grant, gboolean given_up);
static void gw_slot_finish (GwSlot *self);

static void
gw_slot_clear_repeat (GwSlot *self)
{
  gw_source_clear (&self->repeat);
}

/* Nobody sees the answer under way any more: it has ended, and its end is stored. */
static void
gw_slot_clear_partial (GwSlot *self)
{
  if (self->partial != NULL)
    gw_partials_remove (self->partials, self->grant->task_id, self->partial);
  g_clear_pointer (&self->partial, gw_partial_unref);
}

static void
gw_slot_finalize (GObject *object)
{
  GwSlot *self = GW_SLOT (object);

  gw_slot_clear_repeat (self);
  gw_slot_clear_partial (self);
  g_clear_pointer (&self->partials, gw_partials_unref);
  g_clear_object (&self->provider);
  g_clear_object (&self->abort);
  g_clear_pointer (&self->grant, gw_grant_free);
  g_clear_pointer (&self->reply, gw_reply_free);
  g_clear_pointer (&self->aborted, g_array_unref);
  g_clear_object (&self->queue);
  g_free (self->lane);
  g_free (self->worker);

  G_OBJECT_CLASS (gw_slot_parent_class)->finalize (object);
}

static void
gw_slot_class_init (GwSlotClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_slot_finalize;
}

static void
gw_slot_init (GwSlot *self)
{
}

/* The queue tells of a cancelled task as soon as it is, which may be before the answer to the claim
 * that granted it is here: what is to be given up is noted from now on. */
static GwClaim
gw_slot_make_claim (GwSlot *self)
{
  self->claim_wakes = *self->wakes;
  self->aborted = g_array_new (FALSE, FALSE, sizeof (guint64));

  return (GwClaim){ .provider = self->lane, .worker = self->worker, .slot = self->index };
}

/* The claim has been answered, by @grant or without one.
 *
 * Returns: whether the attempt was given up meanwhile */
static gboolean
gw_slot_end_claim (GwSlot *self,
                   const GwGrant *grant)
{
  g_autoptr (GArray) aborted = g_steal_pointer (&self->aborted);

  for (guint i = 0; aborted != NULL && grant != NULL && i < aborted->len; i++)
    {
      if (g_array_index (aborted, guint64, i) == grant->attempt)
        return TRUE;
    }

  return FALSE;
}

/* Whether the queue may ever take the finish: want of space passes, and so does a file that
 * somebody else has locked. Of a queue that has failed for good the stop comes, which ends the
 * waiting. */
static gboolean
finish_may_succeed_later (const GError *error)
{
  return g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE)
         || g_error_matches (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
}

static gboolean
gw_slot_repeat_cb (gpointer data)
{
  GwSlot *self = data;

  gw_slot_clear_repeat (self);
  gw_slot_finish (self);

  return G_SOURCE_REMOVE;
}

static void
gw_slot_finish_later (GwSlot *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  self->repeat_ms = CLAMP (self->repeat_ms * 2, FIRST_REPEAT_MS, LAST_REPEAT_MS);
  self->repeat = g_timeout_source_new (self->repeat_ms);
  g_source_set_static_name (self->repeat, "gw-slot finish again");
  g_source_set_callback (self->repeat, gw_slot_repeat_cb, self, NULL);
  g_source_attach (self->repeat, context);
}

static void
gw_slot_finished (GwSlot *self,
                  GwGrant *next,
                  GError *error)
{
  gboolean given_up = gw_slot_end_claim (self, next);

  if (error != NULL && finish_may_succeed_later (error) && !self->giving_up)
    {
      g_warning ("lane %s: the end of task %s could not be stored, trying again: %s", self->lane,
                 self->grant->task_id, error->message);
      gw_slot_finish_later (self);
      return;
    }
  if (error != NULL)
    {
      g_warning ("lane %s: the end of task %s could not be stored: %s", self->lane,
                 self->grant->task_id, error->message);
    }

  self->repeat_ms = 0;
  gw_slot_clear_partial (self);
  g_clear_pointer (&self->grant, gw_grant_free);
  g_clear_pointer (&self->reply, gw_reply_free);

  if (next != NULL && next->verdict == GW_VERDICT_START && !next->idle)
    {
      gw_slot_call (self, next, given_up);
      return;
    }

  self->idle (self, next, self->claim_wakes, self->user_data);
  g_clear_pointer (&next, gw_grant_free);
}

static void
gw_slot_finish_cb (GObject *source,
                   GAsyncResult *result,
                   gpointer user_data)
{
  g_autoptr (GwSlot) self = user_data;
  g_autoptr (GError) error = NULL;
  GwFinishResult finished;

  gw_queue_finish_finish (GW_QUEUE (source), result, &finished, &error);
  gw_slot_finished (self, NULL, error);
}

static void
gw_slot_finish_and_claim_cb (GObject *source,
                             GAsyncResult *result,
                             gpointer user_data)
{
  g_autoptr (GwSlot) self = user_data;
  g_autoptr (GError) error = NULL;
  GwFinishResult finished;
  GwGrant *next;

  next = gw_queue_finish_and_claim_finish (GW_QUEUE (source), result, &finished, &error);
  gw_slot_finished (self, next, error);
}

static void
gw_slot_finish (GwSlot *self)
{
  /* The next is not claimed by a slot that is to stop, nor after a trouble with the store, nor when
   * the lane itself is told to stop: then the claim would only be refused. */
  if (self->provider == NULL || self->repeat_ms != 0 || self->reply->lane_act != GW_LANE_GO_ON)
    {
      gw_queue_finish_async (self->queue, self->grant->attempt, self->reply, gw_slot_finish_cb,
                             g_object_ref (self));
    }
  else
    {
      GwClaim claim = gw_slot_make_claim (self);

      gw_queue_finish_and_claim_async (self->queue, self->grant->attempt, self->reply, &claim,
                                       gw_slot_finish_and_claim_cb, g_object_ref (self));
    }
}

static void
gw_slot_call_cb (GObject *source,
                 GAsyncResult *result,
                 gpointer user_data)
{
  g_autoptr (GwSlot) self = user_data;

  g_clear_object (&self->abort);
  self->reply = gw_provider_call_finish (GW_PROVIDER (source), result);
  if (self->reply->has_error)
    {
      g_info ("lane %s: task %s, attempt %u: %s: %s", self->lane, self->grant->task_id,
              self->grant->number, gw_error_to_string (self->reply->error_code),
              self->reply->error_message != NULL ? self->reply->error_message : "");
    }
  gw_slot_finish (self);
}

static void
gw_slot_note_sent_cb (GObject *source,
                      GAsyncResult *result,
                      gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  /* No harm: until the finish tells it, the send counts as one that is still being written. */
  if (!gw_queue_note_sent_finish (GW_QUEUE (source), result, &error))
    g_debug ("a send could not be noted: %s", error->message);
}

static void
gw_slot_sent_cb (gint64 sent_at,
                 gpointer user_data)
{
  GwSlot *self = user_data;

  gw_queue_note_sent_async (self->queue, self->grant->attempt, sent_at, gw_slot_note_sent_cb, NULL);
}

/* Takes @grant. */
static void
gw_slot_call (GwSlot *self,
              GwGrant *grant,
              gboolean given_up)
{
  GwCall call = {
    .content = grant->content,
    .model = grant->model,
    .metadata = grant->metadata,
    .send_by = grant->send_by,
  };
  GwProviderConfig *config;
  const char *late = NULL;

  self->grant = grant;

  /* The task was cancelled, or the lane told to stop, while the claim was on its way; or the
   * machine stood still since, and others may have sent the task by now: nothing was sent, and
   * nothing is. */
  if (given_up)
    late = "The task was cancelled before it was sent.";
  else if (self->provider == NULL)
    late = "The lane stopped before the task was sent.";
  else if (grant->send_by != 0 && gw_clock_now (gw_queue_get_clock (self->queue)) > grant->send_by)
    late = "The machine stood still before the task was sent, for longer than a lease.";
  if (late != NULL)
    {
      self->reply = gw_reply_new ();
      gw_reply_set_error (self->reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_CANCELLED, "%s",
                          late);
      gw_slot_finish (self);
      return;
    }

  /* Only a lane with a rolling window needs to know at once when the request was written; for the
   * others the finish tells it, and a step of the queue is saved. */
  config = gw_provider_get_config (self->provider);
  if (config->stream && self->partials != NULL)
    {
      call.partial = self->partial = gw_partial_new (grant->number);
      gw_partials_add (self->partials, grant->task_id, self->partial);
    }
  self->abort = g_cancellable_new ();
  gw_provider_call_async (self->provider, &call,
                          config->requests_per_minute > 0 ? gw_slot_sent_cb : NULL, self,
                          self->abort, gw_slot_call_cb, g_object_ref (self));
}

static void
gw_slot_claim_cb (GObject *source,
                  GAsyncResult *result,
                  gpointer user_data)
{
  g_autoptr (GwSlot) self = user_data;
  g_autoptr (GError) error = NULL;
  GwGrant *grant = gw_queue_claim_finish (GW_QUEUE (source), result, &error);
  gboolean granted = grant != NULL && grant->verdict == GW_VERDICT_START && !grant->idle;
  gboolean given_up = gw_slot_end_claim (self, grant);

  self->asking = FALSE;
  if (granted)
    {
      gw_slot_call (self, grant, given_up);
      self->asked (self, TRUE, self->user_data);
      return;
    }

  if (grant == NULL)
    {
      gint64 now = gw_clock_now (gw_queue_get_clock (self->queue));

      if (!self->complained && !g_error_matches (error, GW_ERROR, GW_ERROR_STOPPING))
        g_warning ("lane %s: the queue did not answer a claim: %s", self->lane, error->message);
      self->complained = TRUE;
      grant = g_new0 (GwGrant, 1);
      grant->verdict = GW_VERDICT_HOLD;
      grant->ask_at = g_error_matches (error, GW_ERROR, GW_ERROR_STOPPING)
                          ? GW_CLOCK_NEVER : now + FIRST_REPEAT_MS;
    }

  else
    {
      self->complained = FALSE;
    }

  self->asked (self, FALSE, self->user_data);
  self->idle (self, grant, self->claim_wakes, self->user_data);
  gw_grant_free (grant);
}

/**
 * gw_slot_new:
 * @queue: where the tasks come from
 * @lane: the provider's name
 * @worker: id of this worker process
 * @index: which of the lane's slots it is, from 0
 * @wakes: (not nullable): the lane's count of wake-ups, valid as long as the slot is busy
 * @asked: told how gw_slot_ask() ended: a call has begun, or @idle follows
 * @idle: told when there is nothing to do; the last thing that a slot does before it rests
 *
 * Returns: (transfer full): a slot without a provider, which takes nothing
 */
GwSlot *
gw_slot_new (GwQueue *queue,
             const char *lane,
             const char *worker,
             guint index,
             const guint *wakes,
             GwSlotAskedFunc asked,
             GwSlotIdleFunc idle,
             gpointer user_data)
{
  GwSlot *self = g_object_new (GW_TYPE_SLOT, NULL);

  self->queue = g_object_ref (queue);
  self->lane = g_strdup (lane);
  self->worker = g_strdup (worker);
  self->index = index;
  self->wakes = wakes;
  self->asked = asked;
  self->idle = idle;
  self->user_data = user_data;

  return self;
}

/* Whether it asks for a task, or has one. In the lane's thread. */
gboolean
gw_slot_is_busy (GwSlot *self)
{
  return self->asking || self->grant != NULL;
}

/**
 * gw_slot_set_provider:
 * @self: a slot
 * @provider: (nullable): what the next calls go to; %NULL: no next calls
 *
 * A call under way goes on with the provider that it was begun with.
 */
void
gw_slot_set_provider (GwSlot *self,
                      GwProvider *provider)
{
  g_set_object (&self->provider, provider);
}

/**
 * gw_slot_set_partials:
 * @self: a slot
 * @partials: (nullable): where the answers that come in pieces are seen meanwhile
 */
void
gw_slot_set_partials (GwSlot *self,
                      GwPartials *partials)
{
  g_return_if_fail (self->partials == NULL);

  self->partials = partials != NULL ? gw_partials_ref (partials) : NULL;
}

/**
 * gw_slot_ask:
 * @self: a slot with a provider that is not busy
 *
 * Claims a task and, if one is granted, calls the provider.
 */
void
gw_slot_ask (GwSlot *self)
{
  GwClaim claim;

  g_return_if_fail (!gw_slot_is_busy (self) && self->provider != NULL);

  claim = gw_slot_make_claim (self);
  self->asking = TRUE;
  gw_queue_claim_async (self->queue, &claim, gw_slot_claim_cb, g_object_ref (self));
}

/**
 * gw_slot_abort:
 * @self: a slot
 * @attempt: an attempt; 0: whatever it does
 *
 * Gives up the call if it is for that attempt, also if the slot does not know yet that it was
 * granted it. With 0 the slot also stops waiting for a store that has no space: the answer is then
 * lost, and the attempt counts as uncertain at the next start.
 */
void
gw_slot_abort (GwSlot *self,
               guint64 attempt)
{
  if (attempt == 0)
    self->giving_up = TRUE;
  else if (self->aborted != NULL)
    g_array_append_val (self->aborted, attempt);
  if (self->grant == NULL || (attempt != 0 && self->grant->attempt != attempt))
    return;

  if (self->abort != NULL)
    g_cancellable_cancel (self->abort);
  else if (self->giving_up && self->repeat != NULL)
    gw_slot_repeat_cb (self);
}
