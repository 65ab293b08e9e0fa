/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* Projects: order, fairness, their own concurrency, and the verbs. */

static GwProject *
get_project (Fixture *self,
             const char *name)
{
  g_autoptr (GError) error = NULL;
  GwProject *project = fx_get_project (self->queue, name, &error);

  g_assert_no_error (error);

  return project;
}

static void
expect_next (Fixture *self,
             const char *id)
{
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

  g_assert_cmpstr (grant->task_id, ==, id);
  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "a")), ==,
                   GW_FINISH_STORED);
}

static void
patch_concurrency (Fixture *self,
                   const char *project,
                   guint concurrency)
{
  GwProjectPatch patch = { NULL, TRUE, concurrency, -1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GwProject) patched = fx_patch (self->queue, project, &patch, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (patched->concurrency, ==, concurrency);
}

static void
test_order (Fixture *self,
            gconstpointer data)
{
  g_autofree char *a1 = submit_one (self->queue, "a1", "a");
  g_autofree char *a2 = submit_one (self->queue, "a2", "a");
  g_autofree char *a3 = submit_one (self->queue, "a3", "a");
  g_autofree char *b1 = submit_one (self->queue, "b1", "b");
  g_autofree char *b2 = submit_one (self->queue, "b2", "b");
  g_autofree char *urgent = submit_pinned (self->queue, "u", "a", NULL, NULL, 5);
  g_autofree char *pinned = submit_pinned (self->queue, "p", "b", "alpha", NULL, 0);
  g_autofree char *last = submit_pinned (self->queue, "l", "c", NULL, NULL, -5);

  expect_next (self, urgent);
  expect_next (self, b1);
  expect_next (self, a1);
  expect_next (self, b2);
  expect_next (self, a2);
  expect_next (self, pinned);
  expect_next (self, a3);
  expect_next (self, last);
  gw_grant_free (claim_idle (self->queue, "alpha"));
}

static void
test_serial (Fixture *self,
             gconstpointer data)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autofree char *urgent = NULL;
  g_autofree char *pinned = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwGrant) idle = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) task = NULL;

  ids = submit_many (self->queue, "s", 2);
  pinned = submit_pinned (self->queue, "p", "s", "alpha", NULL, 0);
  urgent = submit_pinned (self->queue, "u", "s", NULL, NULL, 100);
  patch_concurrency (self, "s", 1);

  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, g_ptr_array_index (ids, 0));
  gw_grant_free (claim_idle (self->queue, "alpha"));
  task = fx_get_task (self->queue, g_ptr_array_index (ids, 1), &error);
  g_assert_cmpstr (task->waiting_reason, ==, "project");

  /* It waits for its retry, and so do all others. */
  g_assert_cmpint (finish (self->queue, grant->attempt,
                           make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER)), ==,
                   GW_FINISH_REQUEUED);
  idle = claim_idle (self->queue, "alpha");
  g_assert_cmpint (idle->ask_at, <, GW_CLOCK_NEVER);
  gw_clock_advance (self->clock, idle->ask_at - gw_clock_now (self->clock));
  expect_next (self, g_ptr_array_index (ids, 0));
  expect_next (self, g_ptr_array_index (ids, 1));
  expect_next (self, pinned);
  expect_next (self, urgent);
}

/* What is queued again takes its old place, before what was submitted after it. */
static void
test_serial_retry (Fixture *self,
                   gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "s", 4);
  const char *const second[] = { g_ptr_array_index (ids, 1), NULL };
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed;

  patch_concurrency (self, "s", 1);
  g_assert_true (fx_set_removed (self->queue, second, TRUE, &changed, &error));
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpint (finish (self->queue, grant->attempt,
                           make_error (self->clock, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED)), ==,
                   GW_FINISH_FAILED);
  expect_next (self, g_ptr_array_index (ids, 2));
  g_assert_true (fx_set_removed (self->queue, second, FALSE, &changed, &error));
  task = fx_retry (self->queue, g_ptr_array_index (ids, 0), NULL, NULL, &error);
  g_assert_no_error (error);
  expect_next (self, g_ptr_array_index (ids, 0));
  expect_next (self, g_ptr_array_index (ids, 1));
  expect_next (self, g_ptr_array_index (ids, 3));
}

static void
test_concurrency (Fixture *self,
                  gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 4);
  g_autofree char *other = NULL;
  g_autoptr (GwGrant) first = NULL;
  g_autoptr (GwGrant) second = NULL;
  g_autoptr (GwGrant) third = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;
  GwReply *aborted = gw_reply_new ();

  patch_concurrency (self, "p", 2);
  first = claim_start (self->queue, "alpha");
  second = claim_start (self->queue, "alpha");
  gw_grant_free (claim_idle (self->queue, "alpha"));
  other = submit_one (self->queue, "x", NULL);
  expect_next (self, other);

  /* A cancelled task's call still counts until it has ended. */
  task = fx_cancel (self->queue, first->task_id, &error);
  g_assert_no_error (error);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  aborted->act = GW_REPLY_ABORTED;
  finish (self->queue, first->attempt, aborted);
  third = claim_start (self->queue, "alpha");
  g_assert_cmpstr (third->task_id, ==, g_ptr_array_index (ids, 2));
  gw_grant_free (claim_idle (self->queue, "alpha"));
  patch_concurrency (self, "p", 0);
  gw_grant_free (claim_start (self->queue, "alpha"));
}

static void
test_submit_to_project (Fixture *self,
                        gconstpointer data)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) first = NULL;
  g_autoptr (GwSubmitted) second = NULL;
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
  submission->project = g_strdup ("Chapter summaries");
  submission->sets_concurrency = TRUE;
  submission->concurrency = 3;
  first = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  project = get_project (self, "Chapter summaries");
  g_assert_cmpstr (project->project_id, ==, first->project_id);
  g_assert_cmpuint (project->concurrency, ==, 3);
  g_assert_cmpuint (project->counts[GW_TASK_QUEUED], ==, 1);

  g_free (submission->project);
  submission->project = g_strdup (first->project_id);
  submission->sets_concurrency = FALSE;
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (second->project_id, ==, first->project_id);
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self, first->project_id);
  g_assert_cmpuint (project->concurrency, ==, 3);
  g_assert_cmpuint (project->counts[GW_TASK_QUEUED], ==, 2);

  /* Pausing and resuming in the submission's own step. */
  g_assert_false (project->paused);
  submission->paused = 1;
  g_clear_pointer (&second, gw_submitted_free);
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self, first->project_id);
  g_assert_true (project->paused);
  submission->paused = -1;
  g_clear_pointer (&second, gw_submitted_free);
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self, first->project_id);
  g_assert_true (project->paused);
  submission->paused = 0;
  g_clear_pointer (&second, gw_submitted_free);
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self, first->project_id);
  g_assert_false (project->paused);
  g_assert_cmpuint (project->counts[GW_TASK_QUEUED], ==, 5);
  submission->paused = -1;

  g_free (submission->project);
  submission->project = g_strdup ("00000000-0000-7000-8000-000000000000");
  g_assert_null (fx_submit (self->queue, submission, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_free (submission->project);
  submission->project = g_strdup ("");
  g_assert_null (fx_submit (self->queue, submission, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
}

static void
test_pause (Fixture *self,
            gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", "p");
  GwProjectAct act = { GW_PROJECT_PAUSE };
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed;

  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  g_assert_cmpuint (changed, ==, 1);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  task = fx_get_task (self->queue, id, &error);
  g_assert_cmpstr (task->waiting_reason, ==, "paused");
  fixture_reopen (self);
  project = get_project (self, "p");
  g_assert_true (project->paused);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  act.verb = GW_PROJECT_RESUME;
  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  expect_next (self, id);
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self, "p");
  g_assert_cmpint (project->finished_at, ==, gw_clock_wall (self->clock));
  g_assert_cmpint (project->usage.total_tokens, ==, 30);
}

static void
test_cancel_and_retry (Fixture *self,
                       gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 5);
  GwProjectAct act = { GW_PROJECT_RETRY };
  g_autoptr (GwGrant) running = NULL;
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed;

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      finish (self->queue, grant->attempt,
              make_error (self->clock, GW_REPLY_FAIL,
                          i == 0 ? GW_ERROR_TASK_REFUSED : GW_ERROR_TASK_TOO_LONG));
    }
  act.has_code = TRUE;
  act.code = GW_ERROR_TASK_REFUSED;
  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  g_assert_cmpuint (changed, ==, 1);
  running = claim_start (self->queue, "alpha");
  g_assert_cmpstr (running->task_id, ==, g_ptr_array_index (ids, 0));

  act.verb = GW_PROJECT_CANCEL;
  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  g_assert_cmpuint (changed, ==, 4);
  project = get_project (self, "p");
  g_assert_cmpuint (project->counts[GW_TASK_CANCELLED], ==, 4);
  g_assert_cmpuint (project->counts[GW_TASK_FAILED], ==, 1);
  g_assert_false (fx_remove_project (self->queue, "p", &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
  g_clear_error (&error);
  finish (self->queue, running->attempt, make_answer (self->clock, "late"));
  g_assert_true (fx_remove_project (self->queue, "p", &error));
  g_assert_no_error (error);
  g_assert_null (fx_get_task (self->queue, g_ptr_array_index (ids, 0), &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (fx_remove_project (self->queue, GW_PROJECT_DEFAULT_NAME, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
}

static void
abort_cb (GwLaneEvent event,
          guint64 attempt,
          gpointer user_data)
{
  GArray *aborted = user_data;

  if (event == GW_LANE_ABORT)
    g_array_append_val (aborted, attempt);
}

/* Every state at once: what has not ended is cancelled, and nothing else is touched. */
static void
test_cancel_everything (Fixture *self,
                        gconstpointer data)
{
  g_autofree char *done = submit_one (self->queue, "done", "p");
  g_autofree char *delayed = submit_one (self->queue, "delayed", "p");
  g_autofree char *running = submit_one (self->queue, "running", "p");
  g_autofree char *hidden = submit_one (self->queue, "hidden", "p");
  g_autofree char *pinned = submit_pinned (self->queue, "pinned", "p", "alpha", NULL, 5);
  g_autofree char *other = submit_one (self->queue, "other", "q");
  g_autofree char *last G_GNUC_UNUSED = submit_one (self->queue, "last", "p");
  const char *const hide[] = { hidden, NULL };
  GwProjectAct act = { GW_PROJECT_CANCEL };
  g_autoptr (GArray) aborted = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwGrant) next = NULL;
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwFeedPage) before = NULL;
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GError) error = NULL;
  GwFeedQuery query = { .has_since = TRUE, .limit = 100 };
  guint64 changed;
  guint watch;

  watch = gw_queue_watch_lane (self->queue, "alpha", NULL, abort_cb, aborted, NULL);
  g_assert_true (fx_set_removed (self->queue, hide, TRUE, &changed, &error));
  for (guint i = 0; i < 3; i++)
    {
      next = claim_start (self->queue, "alpha");
      if (g_str_equal (next->task_id, delayed))
        finish (self->queue, next->attempt,
                make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_NETWORK));
      else
        finish (self->queue, next->attempt, make_answer (self->clock, "x"));
      g_clear_pointer (&next, gw_grant_free);
    }
  /* Fairness may have had the other project's turn among them. */
  grant = claim_start (self->queue, "alpha");
  project = get_project (self, "p");
  before = fx_feed (self->queue, &query, &error);

  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  g_assert_cmpuint (changed, ==, project->counts[GW_TASK_QUEUED] + project->counts[GW_TASK_RUNNING]);
  g_assert_cmpuint (changed, >=, 2);
  spin ();
  g_assert_cmpuint (aborted->len, ==, project->counts[GW_TASK_RUNNING]);
  query.since = before->revision;
  page = fx_feed (self->queue, &query, &error);
  g_assert_cmpuint (page->tasks->len, ==, changed);
  for (guint i = 0; i < page->tasks->len; i++)
    {
      GwTask *one = g_ptr_array_index (page->tasks, i);

      g_assert_cmpint (one->status, ==, GW_TASK_CANCELLED);
      g_assert_cmpint (one->error_code, ==, GW_ERROR_TASK_CANCELLED);
      g_assert_true (g_hash_table_add (seen, &one->revision));
    }
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self, "p");
  g_assert_cmpuint (project->counts[GW_TASK_QUEUED] + project->counts[GW_TASK_RUNNING], ==, 0);
  g_assert_cmpuint (project->counts[GW_TASK_CANCELLED], ==, changed);
  g_assert_cmpint (project->finished_at, ==, gw_clock_wall (self->clock));
  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  g_assert_cmpuint (changed, ==, 0);

  /* What was hidden comes back as it was; what was delayed does not. */
  gw_queue_unwatch (self->queue, watch);
  finish (self->queue, grant->attempt, make_answer (self->clock, "late"));
  g_assert_true (fx_set_removed (self->queue, hide, FALSE, &changed, &error));
  gw_clock_advance (self->clock, 3600 * 1000);
  fixture_reopen (self);
  for (guint i = 0; i < 2; i++)
    {
      next = fx_claim (self->queue, "alpha", 0, &error);
      g_assert_no_error (error);
      if (next->attempt == 0)
        break;
      g_assert_true (g_str_equal (next->task_id, hidden) || g_str_equal (next->task_id, other));
      finish (self->queue, next->attempt, make_answer (self->clock, "x"));
      g_clear_pointer (&next, gw_grant_free);
    }
  g_clear_pointer (&next, gw_grant_free);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  task = fx_get_task (self->queue, hidden, &error);
  g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
  g_clear_pointer (&task, gw_task_unref);
  task = fx_get_task (self->queue, other, &error);
  g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
}

static void
test_names (Fixture *self,
            gconstpointer data)
{
  g_autofree char *a G_GNUC_UNUSED = submit_one (self->queue, "x", "a");
  g_autofree char *b G_GNUC_UNUSED = submit_one (self->queue, "x", "b");
  GwProjectPatch patch = { "b", FALSE, 0, -1 };
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwProjectPage) page = NULL;
  g_autoptr (GwProjectPage) rest = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (fx_patch (self->queue, "a", &patch, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
  g_clear_error (&error);
  patch.name = "00000000-0000-7000-8000-000000000000";
  g_assert_null (fx_patch (self->queue, "a", &patch, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
  g_clear_error (&error);
  patch.name = "c";
  project = fx_patch (self->queue, "a", &patch, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (project->name, ==, "c");
  g_assert_null (fx_get_project (self->queue, "a", &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_clear_error (&error);

  page = fx_list_projects (self->queue, 0, 2, &error);
  g_assert_no_error (error);
  g_assert_true (page->more);
  g_assert_cmpuint (page->projects->len, ==, 2);
  rest = fx_list_projects (self->queue, page->next, 2, &error);
  g_assert_false (rest->more);
  g_assert_cmpuint (rest->projects->len, ==, 1);
  g_assert_cmpstr (((GwProject *) g_ptr_array_index (rest->projects, 0))->name, ==, "b");
}

static void
test_results (Fixture *self,
              gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 5);
  GwResultsQuery query = { "p", 0, 0, 2, 0 };
  g_autoptr (GError) error = NULL;
  guint n = 0;

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *text = g_strdup_printf ("answer %u", i);
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      finish (self->queue, grant->attempt, make_answer (self->clock, text));
    }
  for (;;)
    {
      g_autoptr (GPtrArray) page = fx_results (self->queue, &query, &error);

      g_assert_no_error (error);
      if (page->len == 0)
        break;
      for (guint i = 0; i < page->len; i++)
        {
          const GwTask *task = g_ptr_array_index (page, i);
          g_autofree char *text = g_strdup_printf ("answer %u", n);

          g_assert_cmpstr (task->task_id, ==, g_ptr_array_index (ids, n));
          g_assert_cmpstr (task->result, ==, n < 3 ? text : NULL);
          query.after = task->position;
          n++;
        }
    }
  g_assert_cmpuint (n, ==, 5);
  query.after = 0;
  query.limit = 100;
  query.statuses = 1 << GW_TASK_COMPLETED;
  {
    g_autoptr (GPtrArray) page = fx_results (self->queue, &query, &error);

    g_assert_cmpuint (page->len, ==, 3);
  }
  query.project = "nothing";
  g_assert_null (fx_results (self->queue, &query, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
}

static void
test_held (Fixture *self,
           gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", "old");
  g_autofree char *new_id = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GError) error = NULL;

  self->settings.hold_unfinished = TRUE;
  fixture_reopen (self);
  project = get_project (self, "old");
  g_assert_true (project->held);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  task = fx_get_task (self->queue, id, &error);
  g_assert_cmpstr (task->waiting_reason, ==, "held");
  new_id = submit_one (self->queue, "y", "new");
  expect_next (self, new_id);
  self->settings.hold_unfinished = FALSE;
  fixture_reopen (self);
  expect_next (self, id);
}

static void
test_keep_days (Fixture *self,
                gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", "old");
  g_autofree char *plain = submit_one (self->queue, "x", NULL);
  g_autoptr (GError) error = NULL;

  expect_next (self, id);
  expect_next (self, plain);
  gw_clock_advance (self->clock, G_GINT64_CONSTANT (86400000) - 1000);
  g_free (submit_one (self->queue, "y", "new"));
  gw_project_unref (get_project (self, "old"));
  gw_clock_advance (self->clock, 2000);
  g_free (submit_one (self->queue, "y", "new"));
  g_assert_null (fx_get_project (self->queue, "old", &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  gw_project_unref (get_project (self, "new"));
  g_clear_error (&error);
  /* The permanent project stays, its old tasks go within another day. */
  gw_clock_advance (self->clock, G_GINT64_CONSTANT (86400000));
  g_free (submit_one (self->queue, "y", "new"));
  gw_project_unref (get_project (self, GW_PROJECT_DEFAULT_NAME));
  g_assert_null (fx_get_task (self->queue, plain, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
}

/* Efficiency is what the calls, with their fates and in the order of their sends, allowed. */
static void
test_efficiency (Fixture *self,
                 gconstpointer data)
{
  const Lane one[] = { { .name = "one", .kind = GW_PROVIDER_OPENAI, .model = "m",
                         .max_concurrency = 1 } };
  g_autoptr (GError) error = NULL;
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  static const struct {
    gint64 wait_ms, call_ms;
    gboolean fails;
  } calls[] = {
    { 0, 5000, TRUE },      /* the time of a call without an answer is not the run's fault */
    { 0, 2000, FALSE },
    { 1000, 2000, FALSE },  /* a second nobody had to wait */
  };

  set_lanes (self->queue, one, G_N_ELEMENTS (one));
  ids = submit_many (self->queue, "run", 2);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr (GwGrant) grant = NULL;

      gw_clock_advance (self->clock, calls[i].wait_ms);
      grant = claim_start (self->queue, "one");
      g_assert_true (fx_note_sent (self->queue, grant->attempt, gw_clock_now (self->clock), &error));
      gw_clock_advance (self->clock, calls[i].call_ms);
      if (calls[i].fails)
        finish (self->queue, grant->attempt, make_error (self->clock, GW_REPLY_FAIL,
                                                         GW_ERROR_TASK_REFUSED));
      else
        finish (self->queue, grant->attempt, make_answer (self->clock, "yes"));
      if (calls[i].fails)
        gw_task_unref (fx_retry (self->queue, g_ptr_array_index (ids, 0), NULL, NULL, &error));
      g_assert_no_error (error);

      /* While it runs the bound is that of all its tasks. */
      g_clear_pointer (&project, gw_project_unref);
      project = fx_get_project (self->queue, "run", &error);
      g_assert_no_error (error);
      if (i + 1 < G_N_ELEMENTS (calls))
        g_assert_cmpfloat (project->estimate_efficiency, <, 0);
    }

  g_assert_true (project->has_estimate);
  g_assert_cmpint (project->estimate_finish_at, ==, project->finished_at);
  g_assert_cmpfloat_with_epsilon (project->estimate_bound_s, 9, 1e-9);
  g_assert_cmpfloat_with_epsilon (project->estimate_efficiency, 0.9, 1e-9);
}

/* A machine that runs for some hours each day comes to it as well. */
static void
test_keep_days_over_starts (Fixture *self,
                            gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GError) error = NULL;

  expect_next (self, id);
  for (guint i = 0; i < 6; i++)
    {
      gw_clock_advance (self->clock, 4 * 3600 * 1000);
      fixture_reopen (self);
      gw_clock_advance (self->clock, 3600 * 1000);
      gw_grant_free (claim_idle (self->queue, "alpha"));
    }
  g_assert_null (fx_get_task (self->queue, id, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
}

void
add_project_cases (void)
{
  static const QueueSettings keeps_a_day = { 10, 3, 1, FALSE, FALSE };

  ADD ("project/order", test_order);
  ADD ("project/efficiency", test_efficiency);
  ADD ("project/serial", test_serial);
  ADD ("project/serial-retry", test_serial_retry);
  ADD ("project/concurrency", test_concurrency);
  ADD ("project/submit", test_submit_to_project);
  ADD ("project/pause", test_pause);
  ADD ("project/cancel-and-retry", test_cancel_and_retry);
  ADD ("project/cancel-everything", test_cancel_everything);
  ADD ("project/names", test_names);
  ADD ("project/results", test_results);
  ADD ("project/held", test_held);
  ADD_WITH ("project/keep-days", &keeps_a_day, test_keep_days);
  ADD_WITH ("project/keep-days-over-starts", &keeps_a_day, test_keep_days_over_starts);
}
