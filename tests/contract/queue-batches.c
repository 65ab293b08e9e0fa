/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* Large batches: there as a whole or not at all, whatever is read meanwhile, and then as if each
 * task had come alone. */

#define BATCH 700
#define BATCHES 6

typedef struct {
  Fixture *fixture;
  int submitting;     /* (atomic) */
} Race;

static gpointer
submitter_thread (gpointer data)
{
  Race *race = data;

  for (guint i = 0; i < BATCHES; i++)
    g_ptr_array_unref (submit_many (race->fixture->queue, "batches", BATCH));
  g_atomic_int_set (&race->submitting, 0);

  return NULL;
}

static gpointer
reader_thread (gpointer data)
{
  Race *race = data;
  GwQueue *queue = race->fixture->queue;
  guint64 last = 0;

  while (g_atomic_int_get (&race->submitting))
    {
      GwFeedQuery query = { .has_since = TRUE, .since = last, .limit = 1000,
                            .fields = GW_TASK_FIELDS_FEED };
      g_autoptr (GwQueueStats) stats = fx_stats (queue);
      g_autoptr (GwFeedPage) page = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_cmpuint (stats->counts[GW_TASK_QUEUED] % BATCH, ==, 0);
      page = fx_feed (queue, &query, &error);
      g_assert_no_error (error);
      for (guint i = 0; i < page->projects->len; i++)
        {
          GwProject *project = g_ptr_array_index (page->projects, i);

          g_assert_cmpuint (project->counts[GW_TASK_QUEUED] % BATCH, ==, 0);
        }
      for (guint i = 0; i < page->tasks->len; i++)
        {
          GwTask *task = g_ptr_array_index (page->tasks, i);

          g_assert_cmpint (task->status, ==, GW_TASK_QUEUED);
          g_assert_nonnull (task->project_id);
          g_assert_cmpint (task->created_at, >, 0);
        }
      last = page->more ? page->revision : 0;
    }

  return NULL;
}

static void
test_all_or_nothing (Fixture *self,
                     gconstpointer data)
{
  Race race = { self, 1 };
  GThread *threads[3];
  g_autoptr (GwQueueStats) stats = NULL;

  threads[0] = g_thread_new ("submitter", submitter_thread, &race);
  threads[1] = g_thread_new ("reader", reader_thread, &race);
  threads[2] = g_thread_new ("reader", reader_thread, &race);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, BATCH * BATCHES);
}

/* A refused one leaves nothing, wherever in it the reason stands. */
static void
test_refused (Fixture *self,
              gconstpointer data)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) none = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GError) error = NULL;
  GwNewTask *task;

  for (guint i = 0; i < BATCH; i++)
    g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
  task = g_ptr_array_index (submission->tasks, BATCH - 1);
  task->provider = g_strdup ("nobody");
  submission->project = g_strdup ("never");
  none = fx_submit (self->queue, submission, &error);
  g_assert_null (none);
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
  g_clear_error (&error);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, 0);
  g_assert_null (fx_get_project (self->queue, "never", &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
}

static void
test_repeated (Fixture *self,
               gconstpointer data)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) first = NULL;
  g_autoptr (GwSubmitted) second = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < BATCH; i++)
    g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
  submission->idempotency_key = g_strdup ("once");
  first = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  second = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_assert_true (second->replayed);
  g_assert_cmpuint (second->task_ids->len, ==, BATCH);
  g_assert_cmpstr (second->project_id, ==, first->project_id);
  for (guint i = 0; i < BATCH; i++)
    g_assert_cmpstr (g_ptr_array_index (first->task_ids, i), ==,
                     g_ptr_array_index (second->task_ids, i));
  submission->body_digest[0]++;
  g_clear_pointer (&second, gw_submitted_free);
  second = fx_submit (self->queue, submission, &error);
  g_assert_null (second);
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
}

/* Pins and priorities that change from task to task, and verbs on some at once. */
static void
test_mixed (Fixture *self,
            gconstpointer data)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;
  g_autoptr (GError) error = NULL;
  GwResultsQuery query = { .limit = BATCH };
  g_autoptr (GPtrArray) results = NULL;
  guint64 position = 0, revision = 0;
  GwFeedQuery feed = { .has_since = TRUE, .limit = 1000, .fields = GW_TASK_FIELDS_FEED };
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GwProject) project = NULL;

  for (guint i = 0; i < BATCH; i++)
    {
      GwNewTask *task = gw_new_task_new ("x");

      task->provider = i % 2 == 1 ? g_strdup ("alpha") : NULL;
      task->priority = (int) (i % 3);
      g_ptr_array_add (submission->tasks, task);
    }
  submission->project = g_strdup ("mixed");
  submitted = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);

  /* Of one whose place is not looked at yet, too. */
  gw_task_unref (fx_cancel (self->queue, g_ptr_array_index (submitted->task_ids, BATCH - 2), NULL));
  gw_task_unref (fx_cancel (self->queue, g_ptr_array_index (submitted->task_ids, BATCH - 1), NULL));
  gw_task_unref (fx_retry (self->queue, g_ptr_array_index (submitted->task_ids, BATCH - 1), NULL,
                           NULL, NULL));
  project = fx_get_project (self->queue, "mixed", &error);
  g_assert_cmpuint (project->counts[GW_TASK_QUEUED], ==, BATCH - 1);
  g_assert_cmpuint (project->counts[GW_TASK_CANCELLED], ==, 1);

  /* The highest priority first, in order. */
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      g_assert_cmpstr (grant->task_id, ==,
                       g_ptr_array_index (submitted->task_ids, 2 + 3 * i));
      finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
    }

  query.project = g_strdup ("mixed");
  results = fx_results (self->queue, &query, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (results->len, >, 0);
  for (guint i = 0; i < results->len; i++)
    {
      GwTask *task = g_ptr_array_index (results, i);

      g_assert_cmpstr (task->task_id, ==, g_ptr_array_index (submitted->task_ids, i));
      g_assert_cmpuint (task->position, >, position);
      position = task->position;
    }
  g_free ((char *) query.project);

  page = fx_feed (self->queue, &feed, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->tasks->len, ==, BATCH);
  for (guint i = 0; i < page->tasks->len; i++)
    {
      GwTask *task = g_ptr_array_index (page->tasks, i);

      g_assert_cmpuint (task->revision, >, revision);
      revision = task->revision;
    }
}

/* Every task of it is found and taken, though many stand between that one does not look for. */
static void
test_looked_for (Fixture *self,
                 gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "many", 2500);
  GwFeedQuery query = { .has_since = TRUE, .limit = 100, .fields = GW_TASK_FIELDS_FEED,
                        .query = "task 2499" };
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GError) error = NULL;

  page = fx_feed (self->queue, &query, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->tasks->len, ==, 1);
  g_assert_false (page->more);
  g_assert_cmpstr (((GwTask *) g_ptr_array_index (page->tasks, 0))->task_id, ==,
                   g_ptr_array_index (ids, 2499));
}

/* Verbs for many at once come to all of them, and to nothing else. */
static void
test_verbs (Fixture *self,
            gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "many", 500);
  g_autoptr (GPtrArray) others = submit_many (self->queue, "others", 200);
  GwProjectAct act = { GW_PROJECT_CANCEL };
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  fx_act (self->queue, "many", &act, &changed, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (changed, ==, 500);
  project = fx_get_project (self->queue, "many", &error);
  g_assert_cmpuint (project->counts[GW_TASK_CANCELLED], ==, 500);
  g_assert_cmpint (project->finished_at, >, 0);
  g_ptr_array_add (ids, NULL);
  g_assert_true (fx_set_removed (self->queue, (const char *const *) ids->pdata, TRUE, &changed,
                                 &error));
  g_assert_cmpuint (changed, ==, 500);
  g_assert_true (fx_set_removed (self->queue, (const char *const *) ids->pdata, FALSE, &changed,
                                 &error));
  g_assert_cmpuint (changed, ==, 500);
  g_assert_true (fx_remove_project (self->queue, "many", &error));
  g_assert_no_error (error);
  g_assert_null (fx_get_task (self->queue, g_ptr_array_index (ids, 3), &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, 200);
  g_assert_cmpuint (stats->counts[GW_TASK_CANCELLED], ==, 0);
}

/* Each task with a pin of its own: as many kinds of tasks as there are tasks. */
static void
test_many_pins (Fixture *self,
                gconstpointer data)
{
  const guint n = g_test_slow () ? 100000 : 5000;
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;
  g_autoptr (GwSubmitted) again = NULL;
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwTask) retried = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  GwProjectAct act = { GW_PROJECT_CANCEL };
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  submission->project = g_strdup ("many");
  submission->idempotency_key = g_strdup ("once");
  for (guint i = 0; i < n; i++)
    {
      GwNewTask *new_task = gw_new_task_new ("x");

      new_task->provider = g_strdup ("alpha");
      new_task->model = g_strdup_printf ("model-%u", i);
      g_ptr_array_add (submission->tasks, new_task);
    }
  submitted = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  again = fx_submit (self->queue, submission, &error);
  g_assert_no_error (error);
  g_assert_true (again->replayed);
  g_assert_cmpuint (again->task_ids->len, ==, n);
  project = fx_get_project (self->queue, "many", &error);
  g_assert_cmpuint (project->counts[GW_TASK_QUEUED], ==, n);

  task = fx_get_task (self->queue, g_ptr_array_index (submitted->task_ids, n - 1), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (task->waiting_reason, ==, NULL);
  for (guint i = 0; i < 40; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
      g_autofree char *model = g_strdup_printf ("model-%u", i);

      g_assert_cmpstr (grant->task_id, ==, g_ptr_array_index (submitted->task_ids, i));
      g_assert_cmpstr (grant->model, ==, model);
      finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
    }

  g_assert_true (fx_act (self->queue, "many", &act, &changed, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (changed, ==, n - 40);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  retried = fx_retry (self->queue, g_ptr_array_index (submitted->task_ids, n - 2), NULL, NULL,
                      &error);
  g_assert_no_error (error);
  {
    g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
    g_autofree char *model = g_strdup_printf ("model-%u", n - 2);

    g_assert_cmpstr (grant->model, ==, model);
    finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
  }
  g_assert_true (fx_remove_project (self->queue, "many", &error));
  g_assert_no_error (error);
  stats = fx_stats (self->queue);
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    g_assert_cmpuint (stats->counts[i], ==, 0);
}

void
add_batch_cases (void)
{
  ADD ("batch/all-or-nothing", test_all_or_nothing);
  ADD ("batch/refused", test_refused);
  ADD ("batch/repeated", test_repeated);
  ADD ("batch/mixed", test_mixed);
  ADD ("batch/looked-for", test_looked_for);
  ADD ("batch/verbs", test_verbs);
  ADD ("batch/many-pins", test_many_pins);
}
