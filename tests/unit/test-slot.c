/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "test-slot"

/* A slot whose queue refuses the end of a call: the answer was paid for, so it is not let go of. */

#include "config.h"

#include "gw-error.h"
#include "provider/gw-provider.h"
#include "queue/gw-queue.h"
#include "worker/gw-slot.h"

#define FAKE_TYPE_QUEUE (fake_queue_get_type ())
G_DECLARE_FINAL_TYPE (FakeQueue, fake_queue, FAKE, QUEUE, GObject)

struct _FakeQueue {
  GObject parent_instance;

  GwClock *clock;
  gint64 send_by;         /* of the first grant */
  GwError refusal;        /* of the first @n_refusals finishes */
  guint n_refusals;
  guint n_finishes;
  gboolean has_next;      /* the first finish_and_claim grants another attempt */
  guint64 last_attempt;   /* that was granted */
  char *stored;           /* (owned) (nullable) the answer that was taken */
};

static void fake_queue_iface_init (GwQueueInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeQueue, fake_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (GW_TYPE_QUEUE, fake_queue_iface_init))

static GwGrant *
make_grant (FakeQueue *self)
{
  GwGrant *grant = g_new0 (GwGrant, 1);

  grant->verdict = GW_VERDICT_START;
  grant->attempt = ++self->last_attempt;
  grant->number = 1;
  grant->task_id = g_strdup ("task");
  grant->project_id = g_strdup ("project");
  grant->content = g_strdup ("echo");
  grant->send_by = self->send_by;

  return grant;
}

static void
claim_async (GwQueue *queue,
             const GwClaim *claim,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (queue, NULL, callback, user_data);

  g_task_return_pointer (task, make_grant (FAKE_QUEUE (queue)), (GDestroyNotify) gw_grant_free);
}

/* The next attempt, or nothing to do. */
static GwGrant *
make_next (FakeQueue *self)
{
  GwGrant *grant;

  if (self->has_next)
    {
      self->has_next = FALSE;
      return make_grant (self);
    }
  grant = g_new0 (GwGrant, 1);
  grant->idle = TRUE;
  grant->ask_at = GW_CLOCK_NEVER;

  return grant;
}

static void
end_attempt (FakeQueue *self,
             guint64 attempt,
             const GwReply *reply,
             gboolean claims,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GwFinished *finished;

  g_assert_cmpuint (attempt, ==, self->last_attempt);
  if (self->n_finishes++ < self->n_refusals)
    {
      g_task_return_new_error (task, GW_ERROR, (int) self->refusal, "Not now.");
      return;
    }
  g_assert_null (self->stored);
  if (reply->result != NULL)
    self->stored = g_strdup_printf ("%s of %" G_GUINT64_FORMAT, reply->result, self->last_attempt);
  finished = g_new0 (GwFinished, 1);
  finished->finished = GW_FINISH_STORED;
  finished->grant = claims ? make_next (self) : NULL;
  g_task_return_pointer (task, finished, (GDestroyNotify) gw_finished_free);
}

static void
finish_async (GwQueue *queue,
              guint64 attempt,
              const GwReply *reply,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  end_attempt (FAKE_QUEUE (queue), attempt, reply, FALSE, callback, user_data);
}

static void
finish_and_claim_async (GwQueue *queue,
                        guint64 attempt,
                        const GwReply *reply,
                        const GwClaim *claim,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  end_attempt (FAKE_QUEUE (queue), attempt, reply, TRUE, callback, user_data);
}

static GwClock *
get_clock (GwQueue *queue)
{
  return FAKE_QUEUE (queue)->clock;
}

static void
fake_queue_iface_init (GwQueueInterface *iface)
{
  iface->claim_async = claim_async;
  iface->finish_async = finish_async;
  iface->finish_and_claim_async = finish_and_claim_async;
  iface->get_clock = get_clock;
}

static void
fake_queue_finalize (GObject *object)
{
  FakeQueue *self = FAKE_QUEUE (object);

  gw_clock_unref (self->clock);
  g_free (self->stored);

  G_OBJECT_CLASS (fake_queue_parent_class)->finalize (object);
}

static void
fake_queue_class_init (FakeQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_queue_finalize;
}

static void
fake_queue_init (FakeQueue *self)
{
  self->clock = gw_clock_new ();
}

static void
asked_cb (GwSlot *slot,
          gboolean granted,
          gpointer user_data)
{
  g_assert_true (granted);
}

static void
idle_cb (GwSlot *slot,
         const GwGrant *refusal,
         guint wakes,
         gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static GwSlot *
start_slot (FakeQueue *queue,
            const guint *wakes,
            gboolean *idle)
{
  g_autoptr (GwProviderConfig) config = gw_provider_config_new ("practice");
  g_autoptr (GwProvider) provider = NULL;
  GwSlot *slot = gw_slot_new (GW_QUEUE (queue), "practice", "worker", 0, wakes, asked_cb, idle_cb,
                              idle);

  config->kind = GW_PROVIDER_PRACTICE;
  provider = gw_provider_new (config, NULL, queue->clock);
  gw_slot_set_provider (slot, provider);
  gw_slot_ask (slot);

  return slot;
}

static void
test_kept (gconstpointer data)
{
  g_autoptr (FakeQueue) queue = g_object_new (FAKE_TYPE_QUEUE, NULL);
  g_autoptr (GwSlot) slot = NULL;
  gboolean idle = FALSE;
  guint wakes = 0;

  queue->refusal = (GwError) GPOINTER_TO_INT (data);
  queue->n_refusals = 1;
  g_test_expect_message ("gw-slot", G_LOG_LEVEL_WARNING, "*trying again*");
  slot = start_slot (queue, &wakes, &idle);
  while (!idle)
    g_main_context_iteration (NULL, TRUE);
  g_test_assert_expected_messages ();
  g_assert_cmpstr (queue->stored, ==, "echo of 1");
  g_assert_cmpuint (queue->n_finishes, ==, 2);
  g_assert_false (gw_slot_is_busy (slot));
}

/* The machine stood still after the claim: others may have the task by now. */
static void
test_too_late (void)
{
  g_autoptr (FakeQueue) queue = g_object_new (FAKE_TYPE_QUEUE, NULL);
  g_autoptr (GwSlot) slot = NULL;
  gboolean idle = FALSE;
  guint wakes = 0;

  queue->send_by = gw_clock_now (queue->clock) - 1;
  slot = start_slot (queue, &wakes, &idle);
  while (!idle)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (queue->stored);
  g_assert_cmpuint (queue->n_finishes, ==, 1);
  g_assert_false (gw_slot_is_busy (slot));
}

/* A stop waits for no store: one more try, then it is let go of. */
static void
test_given_up (gconstpointer data)
{
  g_autoptr (FakeQueue) queue = g_object_new (FAKE_TYPE_QUEUE, NULL);
  g_autoptr (GwSlot) slot = NULL;
  gboolean idle = FALSE;
  guint wakes = 0;

  queue->refusal = (GwError) GPOINTER_TO_INT (data);
  queue->n_refusals = 100;
  g_test_expect_message ("gw-slot", G_LOG_LEVEL_WARNING, "*trying again*");
  slot = start_slot (queue, &wakes, &idle);
  while (queue->n_finishes == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_test_assert_expected_messages ();
  g_assert_true (gw_slot_is_busy (slot));

  g_test_expect_message ("gw-slot", G_LOG_LEVEL_WARNING, "*could not be stored*");
  gw_slot_set_provider (slot, NULL);
  gw_slot_abort (slot, 0);
  while (!idle)
    g_main_context_iteration (NULL, TRUE);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (queue->n_finishes, ==, 2);
  g_assert_null (queue->stored);
}

/* A stop that comes while the claim is under way finds nothing to give up yet, and counts all the
 * same: its finish does not wait for the store. */
static void
test_given_up_early (void)
{
  g_autoptr (FakeQueue) queue = g_object_new (FAKE_TYPE_QUEUE, NULL);
  g_autoptr (GwSlot) slot = NULL;
  gboolean idle = FALSE;
  guint wakes = 0;

  queue->refusal = GW_ERROR_UNAVAILABLE;
  queue->n_refusals = 100;
  slot = start_slot (queue, &wakes, &idle);
  gw_slot_set_provider (slot, NULL);
  gw_slot_abort (slot, 0);
  g_test_expect_message ("gw-slot", G_LOG_LEVEL_WARNING, "*could not be stored*");
  while (!idle)
    g_main_context_iteration (NULL, TRUE);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (queue->n_finishes, ==, 1);
}

/* A task is cancelled between its claim and the moment when the slot hears of it: the queue's word
 * comes first, and the call is not made. That of another attempt says nothing. */
static void
test_abort_overtakes (void)
{
  for (guint64 aborted = 1; aborted <= 2; aborted++)
    {
      g_autoptr (FakeQueue) queue = g_object_new (FAKE_TYPE_QUEUE, NULL);
      g_autoptr (GwSlot) slot = NULL;
      gboolean idle = FALSE;
      guint wakes = 0;

      slot = start_slot (queue, &wakes, &idle);
      gw_slot_abort (slot, aborted);
      while (!idle)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpstr (queue->stored, ==, aborted == 1 ? NULL : "echo of 1");
      g_assert_cmpuint (queue->n_finishes, ==, 1);
    }
}

/* The same with the claim that a finish brings along. */
static void
test_abort_overtakes_next (void)
{
  for (guint64 aborted = 2; aborted <= 3; aborted++)
    {
      g_autoptr (FakeQueue) queue = g_object_new (FAKE_TYPE_QUEUE, NULL);
      g_autoptr (GwSlot) slot = NULL;
      gboolean idle = FALSE;
      guint wakes = 0;

      queue->has_next = TRUE;
      slot = start_slot (queue, &wakes, &idle);
      while (queue->n_finishes == 0)
        g_main_context_iteration (NULL, TRUE);
      g_clear_pointer (&queue->stored, g_free);
      gw_slot_abort (slot, aborted);
      while (!idle)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpstr (queue->stored, ==, aborted == 2 ? NULL : "echo of 2");
      g_assert_cmpuint (queue->n_finishes, ==, 2);
    }
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/slot/no-space/kept", GINT_TO_POINTER (GW_ERROR_NO_SPACE), test_kept);
  g_test_add_data_func ("/slot/no-space/given-up", GINT_TO_POINTER (GW_ERROR_NO_SPACE),
                        test_given_up);
  g_test_add_data_func ("/slot/unavailable/kept", GINT_TO_POINTER (GW_ERROR_UNAVAILABLE),
                        test_kept);
  g_test_add_data_func ("/slot/unavailable/given-up", GINT_TO_POINTER (GW_ERROR_UNAVAILABLE),
                        test_given_up);

  g_test_add_func ("/slot/given-up-early", test_given_up_early);
  g_test_add_func ("/slot/too-late", test_too_late);
  g_test_add_func ("/slot/abort/overtakes", test_abort_overtakes);
  g_test_add_func ("/slot/abort/overtakes-next", test_abort_overtakes_next);

  return g_test_run ();
}
