/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"
#include "queue/gw-queue-providers.h"

/* Slots, the cap, rolling windows, ghosts, cool-down, stop, adaptation, and who is woken. */

static void
test_slots (Fixture *self,
            gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, NULL, 10);
  g_autoptr (GwGrant) refused = NULL;
  guint64 last = 0;

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      g_assert_cmpstr (grant->task_id, ==, g_ptr_array_index (ids, i));
      last = grant->attempt;
    }
  refused = claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS);
  g_assert_cmpint (refused->ask_at, ==, GW_CLOCK_NEVER);
  finish (self->queue, last, make_answer (self->clock, "a"));
  gw_grant_free (claim_start (self->queue, "alpha"));
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS));
}

static void
test_cap (Fixture *self,
          gconstpointer data)
{
  static const Lane lanes[] = {
    { "alpha", GW_PROVIDER_OPENAI, "m", 2, 0 },
    { "beta", GW_PROVIDER_OPENAI, "m", 2, 0 },
  };
  g_autoptr (GwGrant) first = NULL;

  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  for (guint i = 0; i < 4; i++)
    g_free (submit_pinned (self->queue, "x", NULL, i % 2 == 0 ? "alpha" : "beta", NULL, 0));
  first = claim_start (self->queue, "alpha");
  gw_grant_free (claim_start (self->queue, "beta"));
  gw_grant_free (claim_start (self->queue, "alpha"));
  gw_grant_free (claim_refused (self->queue, "beta", GW_VERDICT_CAP));
  finish (self->queue, first->attempt, make_answer (self->clock, "a"));
  gw_grant_free (claim_start (self->queue, "beta"));
}

static const Lane windowed[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 50, 4 } };

/* Every send counts for a window from when it was written; what was not sent does not. */
static void
test_window (Fixture *self,
             gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 20);
  g_autoptr (GwGrant) refused = NULL;
  g_autoptr (GwLaneState) lane = NULL;
  g_autoptr (GError) error = NULL;
  gint64 begin = gw_clock_now (self->clock);
  guint64 attempts[4];
  GwReply *unsent = gw_reply_new ();

  set_lanes (self->queue, windowed, 1);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      attempts[i] = grant->attempt;
      gw_clock_advance (self->clock, 100);
      g_assert_true (fx_note_sent (self->queue, attempts[i], gw_clock_now (self->clock), &error));
      gw_clock_advance (self->clock, GW_SPACING_MS);
    }
  refused = claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW);
  g_assert_cmpint (refused->ask_at, ==, begin + 100 + GW_WINDOW_MS);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->sends_in_window, ==, 4);
  g_assert_cmpint (lane->window_opens_at, ==, begin + 100 + GW_WINDOW_MS);

  /* Answers give no place back; nor does a new start of the queue. */
  finish (self->queue, attempts[0], make_answer (self->clock, "a"));
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW));
  fixture_reopen (self);
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW));
  gw_clock_advance (self->clock, begin + 99 + GW_WINDOW_MS - gw_clock_now (self->clock));
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW));
  gw_clock_advance (self->clock, 1);
  g_clear_pointer (&refused, gw_grant_free);
  refused = claim_start (self->queue, "alpha");
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW));

  unsent->act = GW_REPLY_ABORTED;
  g_assert_cmpint (finish (self->queue, refused->attempt, unsent), ==, GW_FINISH_REQUEUED);
  gw_clock_advance (self->clock, GW_SPACING_MS);
  gw_grant_free (claim_start (self->queue, "alpha"));
}

static void
test_spacing (Fixture *self,
              gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 20);
  g_autoptr (GwGrant) refused = NULL;

  set_lanes (self->queue, windowed, 1);
  gw_grant_free (claim_start (self->queue, "alpha"));
  gw_grant_free (claim_start (self->queue, "alpha"));
  refused = claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW);
  g_assert_cmpint (refused->ask_at, ==, gw_clock_now (self->clock) + GW_SPACING_MS);
  gw_clock_advance (self->clock, GW_SPACING_MS);
  gw_grant_free (claim_start (self->queue, "alpha"));
}

/* Another boot, and a wall clock that was wrong: no send lies in the future, none is forgotten. */
static void
test_window_over_boots (Fixture *self,
                        gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 20);
  g_autoptr (GwGrant) refused = NULL;
  g_autoptr (GError) error = NULL;

  set_lanes (self->queue, windowed, 1);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
      g_autoptr (GwReply) reply = make_answer (self->clock, "a");

      g_assert_true (fx_finish (self->queue, grant->attempt, reply, NULL, &error));
      gw_clock_advance (self->clock, 100);
    }
  fixture_close (self);
  gw_clock_reboot (self->clock, "second", 5000);
  gw_clock_step_wall (self->clock, 20000);
  fixture_open (self);
  refused = claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW);
  /* Sent 400 ms before the close, 20 s ago by the wall. */
  g_assert_cmpint (refused->ask_at, ==, 5000 + GW_WINDOW_MS - 20000 - 400);

  fixture_close (self);
  gw_clock_reboot (self->clock, "third", 7000);
  gw_clock_step_wall (self->clock, -3600 * 1000);
  fixture_open (self);
  g_clear_pointer (&refused, gw_grant_free);
  refused = claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW);
  g_assert_cmpint (refused->ask_at, ==, 7000 + GW_WINDOW_MS);
}

static void
test_ghost (Fixture *self,
            gconstpointer data)
{
  static const Lane one[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 1, 0 } };
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 5);
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwGrant) refused = NULL;
  GwReply *reply;
  gint64 sent = gw_clock_now (self->clock);

  set_lanes (self->queue, one, 1);
  grant = claim_start (self->queue, "alpha");
  reply = make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT);
  reply->maybe_computing = TRUE;
  reply->sent_at = sent;
  gw_clock_advance (self->clock, 1000);
  g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==, GW_FINISH_REQUEUED);
  refused = claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS);
  g_assert_cmpint (refused->ask_at, ==, sent + 5000);
  fixture_reopen (self);
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS));
  gw_clock_advance (self->clock, 3999);
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS));
  gw_clock_advance (self->clock, 1);
  gw_grant_free (claim_start (self->queue, "alpha"));
}

static void
test_cool_down (Fixture *self,
                gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED = submit_one (self->queue, "x", NULL);
  g_autofree char *other = submit_one (self->queue, "y", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwGrant) refused = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwLaneState) lane = NULL;
  g_autoptr (GError) error = NULL;
  GwReply *reply = make_error (self->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE);

  reply->lane_act = GW_LANE_PARK;
  reply->lane_for_ms = 30000;
  finish (self->queue, grant->attempt, reply);
  refused = claim_refused (self->queue, "alpha", GW_VERDICT_COOL_DOWN);
  g_assert_cmpint (refused->ask_at, ==, gw_clock_now (self->clock) + 30000);
  task = fx_get_task (self->queue, other, &error);
  g_assert_cmpstr (task->waiting_reason, ==, "cool-down");
  g_assert_cmpint (task->waiting_until, ==, gw_clock_wall (self->clock) + 30000);
  fixture_reopen (self);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpint (lane->parked_until, ==, gw_clock_now (self->clock) + 30000);
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_COOL_DOWN));
  g_assert_true (fx_resume_lane (self->queue, "alpha", &error));
  gw_grant_free (claim_start (self->queue, "alpha"));
}

/* A provider that nobody reaches has asked for nothing: who waits is told what is wrong. */
static void
test_offline (Fixture *self,
              gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED = submit_one (self->queue, "x", NULL);
  g_autofree char *other = submit_one (self->queue, "y", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwTask) later = NULL;
  g_autoptr (GwLaneState) lane = NULL;
  g_autoptr (GError) error = NULL;
  GwReply *reply = make_error (self->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_NETWORK);

  reply->lane_act = GW_LANE_PARK;
  reply->lane_for_ms = 30000;
  finish (self->queue, grant->attempt, reply);
  task = fx_get_task (self->queue, other, &error);
  g_assert_cmpstr (task->waiting_reason, ==, "network");
  g_assert_cmpint (task->waiting_until, ==, gw_clock_wall (self->clock) + 30000);
  fixture_reopen (self);
  lane = lane_state (self->queue, "alpha");
  g_assert_true (lane->offline);
  g_assert_false (lane->stopped);
  g_assert_true (fx_resume_lane (self->queue, "alpha", &error));
  later = fx_get_task (self->queue, other, &error);
  g_assert_cmpstr (later->waiting_reason, !=, "network");
  gw_grant_free (claim_start (self->queue, "alpha"));
}

typedef struct {
  guint wakes;
} Heard;

static void
heard_cb (GwLaneEvent event,
          guint64 attempt,
          gpointer user_data)
{
  if (event == GW_LANE_WAKE)
    ((Heard *) user_data)->wakes++;
}

/* One bad key stops the lane once; its tasks wait for the user, and none pays for it. */
static void
test_stop (Fixture *self,
           gconstpointer data)
{
  static const Lane same[] = { { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 } };
  static const Lane changed[] = { { "alpha", GW_PROVIDER_OPENAI, "model-c", 5, 0 } };
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwLaneState) lane = NULL;
  g_autoptr (GError) error = NULL;
  GwReply *reply = make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_AUTH);
  Heard heard = { 0 };
  guint watch;

  reply->lane_act = GW_LANE_STOP;
  g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==, GW_FINISH_REQUEUED);
  task = fx_get_task (self->queue, id, &error);
  g_assert_cmpuint (task->tries, ==, 0);
  g_assert_cmpstr (task->waiting_reason, ==, "auth");
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS));
  fixture_reopen (self);
  set_lanes (self->queue, same, 1);
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS));
  lane = lane_state (self->queue, "alpha");
  g_assert_true (lane->stopped);
  g_assert_cmpint (lane->stop_code, ==, GW_ERROR_TASK_AUTH);

  watch = gw_queue_watch_lane (self->queue, "alpha", NULL, heard_cb, &heard, NULL);
  set_lanes (self->queue, changed, 1);
  spin ();
  g_assert_cmpuint (heard.wakes, ==, 1);
  gw_grant_free (claim_start (self->queue, "alpha"));
  gw_queue_unwatch (self->queue, watch);
}

static void
test_no_key (Fixture *self,
             gconstpointer data)
{
  static const Lane none[] = { { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0, FALSE, TRUE } };
  g_autofree char *id = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;

  set_lanes (self->queue, none, 1);
  id = submit_one (self->queue, "x", NULL);
  task = fx_get_task (self->queue, id, &error);
  g_assert_cmpstr (task->waiting_reason, ==, "no-key");
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS));
}

static void
test_adaptation (Fixture *self,
                 gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 40);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwGrant) second = claim_start (self->queue, "alpha");
  g_autoptr (GwLaneState) lane = NULL;
  GwReply *reply = make_error (self->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE);

  reply->too_many_at_once = TRUE;
  finish (self->queue, grant->attempt, reply);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->adapted_concurrency, ==, 2);

  /* Not twice for one burst. */
  reply = make_error (self->clock, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE);
  reply->too_many_at_once = TRUE;
  finish (self->queue, second->attempt, reply);
  g_clear_pointer (&lane, gw_lane_state_free);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->adapted_concurrency, ==, 2);

  for (guint i = 0; i < 2 + 3 + 4 + 9; i++)
    {
      g_clear_pointer (&grant, gw_grant_free);
      grant = claim_start (self->queue, "alpha");
      finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
      g_clear_pointer (&lane, gw_lane_state_free);
      lane = lane_state (self->queue, "alpha");
      g_assert_cmpuint (lane->adapted_concurrency, ==, i < 1 ? 2 : i < 4 ? 3 : i < 8 ? 4 : 5);
    }
}

static void
test_set_limits (Fixture *self,
                 gconstpointer data)
{
  static const Lane other[] = { { "alpha", GW_PROVIDER_OPENAI, "model-a", 9, 30 } };
  g_autoptr (GPtrArray) providers = make_providers (other, 1);
  g_autoptr (GwLaneState) lane = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) differing = fx_set_providers (self->queue, providers, FALSE, &error);
  g_auto (GStrv) none = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (differing), ==, 1);
  g_assert_nonnull (strstr (differing[0], "alpha"));
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->max_concurrency, ==, 5);
  g_assert_cmpuint (lane->requests_per_minute, ==, 0);
  none = fx_set_providers (self->queue, providers, TRUE, &error);
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_clear_pointer (&lane, gw_lane_state_free);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->max_concurrency, ==, 9);
  g_assert_cmpuint (lane->requests_per_minute, ==, 30);
}

/* Who writes one provider has not said anything about the limits of another. */
static void
test_set_limits_of_one (Fixture *self,
                        gconstpointer data)
{
  static const Lane first[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 5, 0 },
                                { "beta", GW_PROVIDER_OPENAI, "m", 5, 0 } };
  static const Lane other[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 9, 30 },
                                { "beta", GW_PROVIDER_OPENAI, "m", 9, 30 } };
  g_autoptr (GPtrArray) providers = make_providers (other, 2);
  g_autoptr (GwLaneState) alpha = NULL;
  g_autoptr (GwLaneState) beta = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) differing = NULL;

  set_lanes (self->queue, first, G_N_ELEMENTS (first));
  ((GwQueueProvider *) providers->pdata[1])->set_limits = TRUE;
  differing = fx_set_providers (self->queue, providers, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (differing), ==, 1);
  g_assert_nonnull (strstr (differing[0], "alpha"));
  alpha = lane_state (self->queue, "alpha");
  g_assert_cmpuint (alpha->max_concurrency, ==, 5);
  beta = lane_state (self->queue, "beta");
  g_assert_cmpuint (beta->max_concurrency, ==, 9);
  g_assert_cmpuint (beta->requests_per_minute, ==, 30);
}

/* A provider that nobody has any more is unknown to who submits, also over a start; back again, it
 * keeps its limits. */
static void
test_gone_provider (Fixture *self,
                    gconstpointer data)
{
  static const Lane both[] = { { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 },
                               { "beta", GW_PROVIDER_OPENAI, "model-b", 7, 0 } };
  g_autoptr (GwLaneState) lane = NULL;

  for (guint i = 0; i < 2; i++)
    {
      static const char *const pins[][2] = { { "beta", NULL }, { NULL, "model-b" } };
      g_autoptr (GwSubmission) submission = gw_submission_new ();
      g_autoptr (GwSubmitted) submitted = NULL;
      g_autoptr (GError) error = NULL;
      GwNewTask *task = gw_new_task_new ("x");

      set_lanes (self->queue, both, G_N_ELEMENTS (both));
      set_lanes (self->queue, both, 1);
      fixture_close (self);
      fixture_open (self);
      task->provider = g_strdup (pins[i][0]);
      task->model = g_strdup (pins[i][1]);
      g_ptr_array_add (submission->tasks, task);
      submitted = fx_submit (self->queue, submission, &error);
      g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, pins[i][0] != NULL ? "provider" : "model"));
    }

  set_lanes (self->queue, both, G_N_ELEMENTS (both));
  g_free (submit_pinned (self->queue, "x", NULL, "beta", NULL, 0));
  lane = lane_state (self->queue, "beta");
  g_assert_cmpuint (lane->max_concurrency, ==, 7);
}

/* What a person removed is gone with its limits; what is only not told of keeps them. */
static void
test_removed_provider (Fixture *self,
                       gconstpointer data)
{
  static const Lane both[] = { { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 },
                               { "beta", GW_PROVIDER_OPENAI, "model-b", 7, 60 } };
  static const Lane other[] = { { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 },
                                { "beta", GW_PROVIDER_OPENAI, "model-b", 3, 0 } };
  g_autoptr (GPtrArray) later = make_providers (other, 2);

  for (guint i = 0; i < 2; i++)
    {
      gboolean removed = i == 1;
      g_autoptr (GPtrArray) without = make_providers (both, 1);
      g_autoptr (GwLaneState) lane = NULL;
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) none = NULL;
      g_auto (GStrv) differing = NULL;

      set_lanes (self->queue, both, G_N_ELEMENTS (both));
      if (removed)
        gw_queue_providers_add_removed (without, "beta");
      none = fx_set_providers (self->queue, without, FALSE, &error);
      g_assert_no_error (error);
      fixture_close (self);
      fixture_open (self);
      differing = fx_set_providers (self->queue, later, FALSE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_strv_length (differing), ==, removed ? 0 : 1);
      lane = lane_state (self->queue, "beta");
      g_assert_cmpuint (lane->max_concurrency, ==, removed ? 3 : 7);
      g_assert_cmpuint (lane->requests_per_minute, ==, removed ? 0 : 60);
    }
}

/* A limit that comes later counts what was sent before it. */
static void
test_window_opens_late (Fixture *self,
                        gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 20);

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
    }
  set_lanes (self->queue, windowed, 1);
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW));
  gw_clock_advance (self->clock, GW_WINDOW_MS);
  gw_grant_free (claim_start (self->queue, "alpha"));
}

/* A limit that was taken away and comes back counts every send once, and each for no longer than
 * its minute. */
static void
test_window_comes_back (Fixture *self,
                        gconstpointer data)
{
  static const Lane open[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 50, 0 } };
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 20);
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwLaneState) lane = NULL;
  g_autoptr (GError) error = NULL;

  set_lanes (self->queue, windowed, 1);
  grant = claim_start (self->queue, "alpha");
  set_lanes (self->queue, open, 1);
  set_lanes (self->queue, windowed, 1);
  g_assert_true (fx_note_sent (self->queue, grant->attempt, gw_clock_now (self->clock), &error));
  finish (self->queue, grant->attempt, make_answer (self->clock, "a"));

  gw_clock_advance (self->clock, 2 * GW_WINDOW_MS);
  for (guint i = 0; i < 4; i++)
    {
      gw_grant_free (claim_start (self->queue, "alpha"));
      gw_clock_advance (self->clock, GW_SPACING_MS);
    }
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_WINDOW));
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->sends_in_window, ==, 4);
}

/* Nobody else may take what is pinned to a model: no faster lane is waited for. */
static void
test_model_pin_is_not_held (Fixture *self,
                            gconstpointer data)
{
  static const Lane lanes[] = {
    { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 },
    { "beta", GW_PROVIDER_OPENAI, "model-b", 5, 0 },
    { "gamma", GW_PROVIDER_OPENAI, "model-b", 5, 0 },
  };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (GwGrant) grant = NULL;

  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  /* Much faster than the others are believed to be. */
  for (guint i = 0; i < 20; i++)
    {
      g_free (submit_pinned (self->queue, "w", NULL, "alpha", NULL, 0));
      g_clear_pointer (&grant, gw_grant_free);
      grant = claim_start (self->queue, "alpha");
      finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
    }
  first = submit_pinned (self->queue, "1", NULL, NULL, "model-b", 0);
  second = submit_pinned (self->queue, "2", NULL, NULL, "model-b", 0);
  g_clear_pointer (&grant, gw_grant_free);
  grant = claim_start (self->queue, "beta");
  g_assert_cmpstr (grant->task_id, ==, first);
  g_clear_pointer (&grant, gw_grant_free);
  grant = claim_start (self->queue, "gamma");
  g_assert_cmpstr (grant->task_id, ==, second);
}

/* A wall clock that is far behind at the next boot makes nobody wait for years. */
static void
test_retry_over_boots (Fixture *self,
                       gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwGrant) idle = NULL;
  GwReply *reply = make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER);

  g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==, GW_FINISH_REQUEUED);
  fixture_close (self);
  gw_clock_reboot (self->clock, "second", 5000);
  gw_clock_step_wall (self->clock, -G_GINT64_CONSTANT (365) * 86400 * 1000);
  fixture_open (self);
  idle = claim_idle (self->queue, "alpha");
  g_assert_cmpint (idle->ask_at, <=, gw_clock_now (self->clock) + 3600 * 1000);
  gw_clock_advance (self->clock, 3600 * 1000);
  g_clear_pointer (&grant, gw_grant_free);
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, id);
}

static void
test_wakes (Fixture *self,
            gconstpointer data)
{
  Heard heard = { 0 };
  guint watch = gw_queue_watch_lane (self->queue, "alpha", NULL, heard_cb, &heard, NULL);
  g_autoptr (GwGrant) first = NULL;
  g_autoptr (GwGrant) next = NULL;
  g_autoptr (GwReply) answer = make_answer (self->clock, "a");
  g_autoptr (GError) error = NULL;
  GwFinishResult finished;

  /* Who was not refused is not woken. */
  g_free (submit_one (self->queue, "x", NULL));
  spin ();
  g_assert_cmpuint (heard.wakes, ==, 0);
  first = claim_start (self->queue, "alpha");
  gw_grant_free (claim_idle (self->queue, "alpha"));
  g_free (submit_one (self->queue, "y", NULL));
  g_free (submit_one (self->queue, "z", NULL));
  spin ();
  g_assert_cmpuint (heard.wakes, ==, 1);

  next = fx_finish_and_claim (self->queue, first->attempt, answer, "alpha", &finished, &error);
  g_assert_no_error (error);
  g_assert_cmpint (finished, ==, GW_FINISH_STORED);
  g_assert_cmpuint (next->attempt, !=, 0);
  g_assert_cmpstr (next->content, ==, "y");
  gw_queue_unwatch (self->queue, watch);
  gw_grant_free (claim_start (self->queue, "alpha"));
  gw_grant_free (claim_idle (self->queue, "alpha"));
  g_free (submit_one (self->queue, "x", NULL));
  spin ();
  g_assert_cmpuint (heard.wakes, ==, 1);
}

void
add_limit_cases (void)
{
  static const QueueSettings cap_of_three = { 3, 3, 0, FALSE, FALSE };

  ADD ("limit/slots", test_slots);
  ADD_WITH ("limit/cap", &cap_of_three, test_cap);
  ADD ("limit/window", test_window);
  ADD ("limit/spacing", test_spacing);
  ADD ("limit/window-over-boots", test_window_over_boots);
  ADD ("limit/window-opens-late", test_window_opens_late);
  ADD ("limit/window-comes-back", test_window_comes_back);
  ADD ("limit/model-pin-is-not-held", test_model_pin_is_not_held);
  ADD ("limit/retry-over-boots", test_retry_over_boots);
  ADD ("limit/ghost", test_ghost);
  ADD ("limit/cool-down", test_cool_down);
  ADD ("limit/offline", test_offline);
  ADD ("limit/stop", test_stop);
  ADD ("limit/no-key", test_no_key);
  ADD ("limit/adaptation", test_adaptation);
  ADD ("limit/set-limits", test_set_limits);
  ADD ("limit/set-limits-of-one", test_set_limits_of_one);
  ADD ("limit/removed-provider", test_removed_provider);
  ADD ("limit/gone-provider", test_gone_provider);
  ADD ("limit/wakes", test_wakes);
}
