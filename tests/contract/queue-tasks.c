/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* One task: submitted, claimed, answered, cancelled, removed. How calls end is in queue-tries.c. */

static void
test_one_task (Fixture *self,
               gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "Why is the sky blue?", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = fx_get_task (self->queue, id, &error);
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwGrant) idle = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (task->task_id, ==, id);
  g_assert_cmpint (task->status, ==, GW_TASK_QUEUED);
  g_assert_cmpstr (task->content, ==, "Why is the sky blue?");
  g_assert_null (task->result);
  g_assert_null (task->model);
  g_assert_null (task->waiting_reason);
  g_assert_cmpint (task->started_at, ==, 0);
  g_assert_cmpint (task->created_at, ==, gw_clock_wall (self->clock));

  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, id);
  g_assert_cmpstr (grant->content, ==, "Why is the sky blue?");
  g_assert_cmpuint (grant->number, ==, 1);
  g_assert_null (grant->model);
  g_assert_true (fx_note_sent (self->queue, grant->attempt, gw_clock_now (self->clock), &error));
  g_assert_no_error (error);
  gw_clock_advance (self->clock, 1500);
  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "Rayleigh")), ==,
                   GW_FINISH_STORED);

  g_clear_pointer (&task, gw_task_unref);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
  g_assert_cmpstr (task->result, ==, "Rayleigh");
  g_assert_cmpuint (task->result_size, ==, 8);
  g_assert_cmpstr (task->model, ==, "model-a");
  g_assert_cmpstr (task->provider, ==, "alpha");
  g_assert_cmpstr (task->finish_reason, ==, "stop");
  g_assert_cmpint (task->duration_ms, ==, 1500);
  g_assert_cmpint (task->usage.total_tokens, ==, 30);
  g_assert_cmpuint (task->attempts, ==, 1);
  g_assert_cmpint (task->finished_at - task->started_at, ==, 1500);
  g_assert_null (task->waiting_reason);

  idle = claim_idle (self->queue, "alpha");
  g_assert_cmpint (idle->ask_at, ==, GW_CLOCK_NEVER);
}

static void
test_unknown (Fixture *self,
              gconstpointer data)
{
  static const char *const ids[] = { "00000000-0000-7000-8000-000000000000", "x", "", "a b" };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (fx_get_task (self->queue, ids[i], &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
      g_clear_error (&error);
      g_assert_null (fx_cancel (self->queue, ids[i], &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
      g_clear_error (&error);
      g_assert_null (fx_retry (self->queue, ids[i], NULL, NULL, &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
      g_clear_error (&error);
      g_assert_null (fx_attempts (self->queue, ids[i], 0, 10, &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
    }
  {
    g_autoptr (GError) error = NULL;

    g_assert_null (fx_claim (self->queue, "nobody", 0, &error));
    g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
    g_clear_error (&error);
    g_assert_false (fx_note_sent (self->queue, 4711, 1, &error));
    g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  }
}

static void
test_long_content (Fixture *self,
                   gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwFeedPage) page = NULL;
  GwFeedQuery query = { .limit = 10, .fields = GW_TASK_FIELDS_FEED };

  while (text->len < GW_TASK_MAX_CONTENT - 8)
    g_string_append (text, "天空 blue ");
  id = submit_one (self->queue, text->str, NULL);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (task->content, ==, text->str);
  g_assert_cmpuint (task->content_size, ==, text->len);
  g_assert_false (task->content_cut);

  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->content, ==, text->str);

  page = fx_feed (self->queue, &query, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->tasks->len, ==, 1);
  g_clear_pointer (&task, gw_task_unref);
  task = gw_task_ref (g_ptr_array_index (page->tasks, 0));
  g_assert_true (task->content_cut);
  g_assert_cmpuint (task->content_size, ==, text->len);
  g_assert_cmpint (g_utf8_strlen (task->content, -1), ==, GW_FEED_CONTENT_CHARACTERS);
  g_assert_true (g_str_has_prefix (text->str, task->content));
}

static void
test_metadata (Fixture *self,
               gconstpointer data)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwGrant) grant = NULL;
  GwNewTask *new_task = gw_new_task_new ("x");

  new_task->metadata = json_object_new ();
  json_object_set_string_member (new_task->metadata, "row", "七");
  g_ptr_array_add (submission->tasks, new_task);
  submitted = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  task = fx_get_task (self->queue, g_ptr_array_index (submitted->task_ids, 0), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_object_get_string_member (task->submitted, "row"), ==, "七");
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (json_object_get_string_member (grant->metadata, "row"), ==, "七");
}

static void
test_cancel_queued (Fixture *self,
                    gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = fx_cancel (self->queue, id, &error);
  g_autoptr (GwGrant) idle G_GNUC_UNUSED = claim_idle (self->queue, "alpha");

  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_CANCELLED);
  g_assert_cmpint (task->error_code, ==, GW_ERROR_TASK_CANCELLED);
  g_assert_null (fx_cancel (self->queue, id, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
}

typedef struct {
  guint wakes;
  guint64 aborted;
} Heard;

static void
heard_cb (GwLaneEvent event,
          guint64 attempt,
          gpointer user_data)
{
  Heard *heard = user_data;

  if (event == GW_LANE_WAKE)
    heard->wakes++;
  else
    heard->aborted = attempt;
}

/* The task ends at once; its slot stays with the call until that has ended, and then with its
 * ghost. */
static void
test_cancel_running (Fixture *self,
                     gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwLaneState) lane = NULL;
  GwReply *reply = gw_reply_new ();
  Heard heard = { 0, 0 };
  Heard late = { 0, 0 };
  guint id_heard = gw_queue_watch_lane (self->queue, "alpha", NULL, heard_cb, &heard, NULL);
  guint id_late;

  g_assert_true (fx_note_sent (self->queue, grant->attempt, gw_clock_now (self->clock), &error));
  task = fx_cancel (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_CANCELLED);
  spin ();
  g_assert_cmpuint (heard.aborted, ==, grant->attempt);

  /* Who comes to listen only now hears of it too. */
  id_late = gw_queue_watch_lane (self->queue, "alpha", NULL, heard_cb, &late, NULL);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->in_flight, ==, 1);
  g_assert_null (fx_retry (self->queue, id, NULL, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
  g_clear_error (&error);
  spin ();
  g_assert_cmpuint (late.aborted, ==, grant->attempt);

  reply->act = GW_REPLY_ABORTED;
  reply->maybe_computing = TRUE;
  g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==, GW_FINISH_IGNORED);
  g_clear_pointer (&lane, gw_lane_state_free);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->in_flight, ==, 1);
  g_assert_cmpuint (lane->ghosts, ==, 1);
  gw_clock_advance (self->clock, 5000);
  g_clear_pointer (&lane, gw_lane_state_free);
  lane = lane_state (self->queue, "alpha");
  g_assert_cmpuint (lane->in_flight, ==, 0);
  g_clear_pointer (&task, gw_task_unref);
  task = fx_retry (self->queue, id, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_QUEUED);
  gw_queue_unwatch (self->queue, id_heard);
  gw_queue_unwatch (self->queue, id_late);
}

static void
test_remove (Fixture *self,
             gconstpointer data)
{
  g_autofree char *first = submit_one (self->queue, "1", NULL);
  g_autofree char *second = submit_one (self->queue, "2", NULL);
  const char *const ids[] = { first, second, first, "nothing", NULL };
  const char *const one[] = { first, NULL };
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwGrant) idle = NULL;
  g_autoptr (GwGrant) other = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  /* The first one runs and stays. */
  g_assert_true (fx_set_removed (self->queue, ids, TRUE, &changed, &error));
  g_assert_cmpuint (changed, ==, 1);
  idle = claim_idle (self->queue, "alpha");
  g_assert_null (fx_get_task (self->queue, second, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_clear_error (&error);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, 0);
  g_assert_cmpuint (stats->counts[GW_TASK_RUNNING], ==, 1);

  g_assert_true (fx_set_removed (self->queue, ids, FALSE, &changed, &error));
  g_assert_cmpuint (changed, ==, 1);
  other = claim_start (self->queue, "alpha");
  g_assert_cmpstr (other->task_id, ==, second);

  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "a")), ==,
                   GW_FINISH_STORED);
  g_assert_true (fx_set_removed (self->queue, one, TRUE, &changed, &error));
  g_assert_cmpuint (changed, ==, 1);
  /* Within the hour it can come back; after it, it cannot. */
  gw_clock_advance (self->clock, 59 * 60 * 1000);
  g_assert_true (fx_set_removed (self->queue, one, FALSE, &changed, &error));
  g_assert_cmpuint (changed, ==, 1);
  task = fx_get_task (self->queue, first, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (task->result, ==, "a");
  g_assert_true (fx_set_removed (self->queue, one, TRUE, &changed, &error));
  gw_clock_advance (self->clock, 61 * 60 * 1000);
  g_free (submit_one (self->queue, "3", NULL));
  g_assert_true (fx_set_removed (self->queue, one, FALSE, &changed, &error));
  g_assert_cmpuint (changed, ==, 0);
}

static void
test_pins (Fixture *self,
           gconstpointer data)
{
  static const Lane lanes[] = {
    { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 },
    { "beta", GW_PROVIDER_OPENAI, "model-b", 5, 0 },
    { "gamma", GW_PROVIDER_OPENAI, "model-a", 5, 0, TRUE },
  };
  g_autofree char *to_beta = NULL;
  g_autofree char *as_other = NULL;
  g_autofree char *by_model = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwSubmission) wrong = gw_submission_new ();
  g_autoptr (GwTask) waits = NULL;
  g_autofree char *off = NULL;

  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  to_beta = submit_pinned (self->queue, "1", NULL, "beta", NULL, 0);
  as_other = submit_pinned (self->queue, "2", NULL, "beta", "other", 0);
  by_model = submit_pinned (self->queue, "3", NULL, NULL, "model-b", 0);
  off = submit_pinned (self->queue, "4", NULL, "gamma", NULL, 0);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  grant = claim_start (self->queue, "beta");
  g_assert_cmpstr (grant->task_id, ==, to_beta);
  g_assert_null (grant->model);
  g_clear_pointer (&grant, gw_grant_free);
  grant = claim_start (self->queue, "beta");
  g_assert_cmpstr (grant->task_id, ==, as_other);
  g_assert_cmpstr (grant->model, ==, "other");
  g_clear_pointer (&grant, gw_grant_free);
  grant = claim_start (self->queue, "beta");
  g_assert_cmpstr (grant->task_id, ==, by_model);
  gw_grant_free (claim_idle (self->queue, "beta"));
  waits = fx_get_task (self->queue, off, &error);
  g_assert_cmpstr (waits->waiting_reason, ==, "no-provider");

  g_ptr_array_add (wrong->tasks, gw_new_task_new ("good"));
  g_ptr_array_add (wrong->tasks, gw_new_task_new ("bad"));
  ((GwNewTask *) g_ptr_array_index (wrong->tasks, 1))->provider = g_strdup ("nobody");
  g_assert_null (fx_submit (self->queue, wrong, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "provider"));
  g_clear_error (&error);
  g_clear_pointer (&((GwNewTask *) g_ptr_array_index (wrong->tasks, 1))->provider, g_free);
  ((GwNewTask *) g_ptr_array_index (wrong->tasks, 1))->model = g_strdup ("nothing");
  g_assert_null (fx_submit (self->queue, wrong, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "model"));
  g_clear_error (&error);
  /* All or nothing. */
  gw_grant_free (claim_idle (self->queue, "alpha"));
}

static void
test_idempotency (Fixture *self,
                  gconstpointer data)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) first = NULL;
  g_autoptr (GwSubmitted) second = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed;

  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
  submission->idempotency_key = g_strdup ("key-1");
  memset (submission->body_digest, 7, 32);
  first = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_assert_false (first->replayed);
  grant = claim_start (self->queue, "alpha");
  fixture_reopen (self);
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_assert_true (second->replayed);
  g_assert_cmpint (second->status, ==, GW_TASK_QUEUED);
  g_assert_cmpstr (second->project_id, ==, first->project_id);
  g_assert_cmpuint (second->task_ids->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (g_ptr_array_index (second->task_ids, i), ==,
                     g_ptr_array_index (first->task_ids, i));
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, 3);

  submission->body_digest[0]++;
  g_assert_null (fx_submit (self->queue, submission, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
  g_clear_error (&error);

  /* Its task gone, the key lives on until a day has passed. */
  submission->body_digest[0]--;
  g_ptr_array_add (second->task_ids, NULL);
  g_assert_true (fx_set_removed (self->queue, (const char *const *) second->task_ids->pdata, TRUE,
                                 &changed, &error));
  g_ptr_array_set_size (second->task_ids, 3);
  gw_clock_advance (self->clock, 2 * 3600 * 1000);
  g_clear_pointer (&second, gw_submitted_free);
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_assert_true (second->replayed);
  gw_clock_advance (self->clock, 25 * 3600 * 1000);
  g_free (submit_one (self->queue, "y", NULL));
  g_clear_pointer (&second, gw_submitted_free);
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_assert_false (second->replayed);
}

/* Practice only for what was submitted before there was ever anything else. */
static void
test_practice (Fixture *self,
               gconstpointer data)
{
  static const Lane none[] = {
    { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0, TRUE },
    { GW_PRACTICE_PROVIDER, GW_PROVIDER_PRACTICE, NULL, 2, 0 },
  };
  static const Lane some[] = {
    { "alpha", GW_PROVIDER_OPENAI, "model-a", 5, 0 },
    { GW_PRACTICE_PROVIDER, GW_PROVIDER_PRACTICE, NULL, 2, 0 },
  };
  g_autofree char *other = queue_engine.make ();
  g_autoptr (GwQueue) queue = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *practised = NULL;
  g_autofree char *waits = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwTask) task = NULL;

  queue = queue_engine.open (other, self->clock, &self->settings, &error);
  g_assert_no_error (error);
  set_lanes (queue, none, G_N_ELEMENTS (none));
  practised = submit_one (queue, "hello", NULL);
  grant = claim_start (queue, GW_PRACTICE_PROVIDER);
  g_assert_cmpstr (grant->task_id, ==, practised);
  g_assert_cmpint (finish (queue, grant->attempt, make_answer (self->clock, "hello")), ==,
                   GW_FINISH_STORED);
  task = fx_get_task (queue, practised, &error);
  g_assert_true (task->practice);

  set_lanes (queue, some, G_N_ELEMENTS (some));
  set_lanes (queue, none, G_N_ELEMENTS (none));
  waits = submit_one (queue, "real", NULL);
  gw_grant_free (claim_idle (queue, GW_PRACTICE_PROVIDER));
  g_clear_pointer (&task, gw_task_unref);
  task = fx_get_task (queue, waits, &error);
  g_assert_cmpstr (task->waiting_reason, ==, "no-provider");
  g_assert_false (task->practice);
  fx_close (queue, &error);
  g_assert_no_error (error);
  g_clear_object (&queue);
  queue_engine.destroy (other);
}

static void
test_closed (Fixture *self,
             gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (fx_close (self->queue, &error));
  g_assert_no_error (error);
  g_assert_null (fx_claim (self->queue, "alpha", 0, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_STOPPING);
  g_clear_error (&error);
  g_assert_null (fx_get_task (self->queue, "x", &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_STOPPING);
  g_clear_object (&self->queue);
}

static void
test_snapshot (Fixture *self,
               gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 30);
  g_autoptr (GwGrant) grant G_GNUC_UNUSED = claim_start (self->queue, "alpha");
  g_autoptr (GwQueueSnapshot) snapshot = fx_snapshot (self->queue);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwProject) project = fx_get_project (self->queue, GW_PROJECT_DEFAULT_NAME, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (snapshot->state.waiting, ==, 29);
  g_assert_cmpuint (snapshot->state.cap, ==, 10);
  g_assert_cmpuint (snapshot->names->len, ==, snapshot->state.n_lanes);
  for (guint i = 0; i < snapshot->names->len; i++)
    {
      if (g_str_equal (g_ptr_array_index (snapshot->names, i), "alpha"))
        g_assert_cmpuint (snapshot->state.lanes[i].n_flying, ==, 1);
    }
  g_assert_true (project->has_estimate);
  g_assert_cmpint (project->estimate_finish_at, >, gw_clock_wall (self->clock));
}

void
add_task_cases (void)
{
  ADD ("task/one", test_one_task);
  ADD ("task/unknown", test_unknown);
  ADD ("task/long-content", test_long_content);
  ADD ("task/metadata", test_metadata);
  ADD ("task/cancel-queued", test_cancel_queued);
  ADD ("task/cancel-running", test_cancel_running);
  ADD ("task/remove", test_remove);
  ADD ("task/pins", test_pins);
  ADD ("task/idempotency", test_idempotency);
  ADD ("task/practice", test_practice);
  ADD ("task/closed", test_closed);
  ADD ("task/snapshot", test_snapshot);
}
