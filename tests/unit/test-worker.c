/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "test-worker"

/* Lanes and pool over the real queue, with programs as providers: what a person would see. */

#include "config.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "provider/gw-catalogue.h"
#include "queue/gw-queue-providers.h"
#include "queue/gw-sqlite-queue.h"
#include "worker/gw-worker-pool.h"

typedef struct {
  char *folder;
  GwConfig *config;
  GwClock *clock;
  GwQueue *queue;
  GwCatalogue *catalogue;
  GwWorkerPool *pool;
} Fixture;

static void
take_result_cb (GObject *source,
                GAsyncResult *result,
                gpointer user_data)
{
  GAsyncResult **place = user_data;

  *place = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **place)
{
  while (*place == NULL)
    g_main_context_iteration (NULL, TRUE);

  return *place;
}

static void
load_catalogue (Fixture *fixture)
{
  g_autoptr (GAsyncResult) loaded = NULL;
  g_autoptr (GAsyncResult) set = NULL;
  g_autoptr (GPtrArray) providers = NULL;
  g_autoptr (GError) error = NULL;

  gw_catalogue_load_async (fixture->catalogue, NULL, take_result_cb, &loaded);
  gw_catalogue_load_finish (fixture->catalogue, wait_for (&loaded), &error);
  g_assert_no_error (error);

  providers = gw_queue_providers_new (fixture->catalogue, NULL);
  gw_queue_set_providers_async (fixture->queue, providers, TRUE, take_result_cb, &set);
  g_strfreev (gw_queue_set_providers_finish (fixture->queue, wait_for (&set), &error));
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture,
        gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  GwSqliteQueueOptions options = { 0 };

  fixture->folder = g_dir_make_tmp ("gangway-worker-XXXXXX", &error);
  g_assert_no_error (error);
  path = g_build_filename (fixture->folder, "gangway.conf", NULL);
  g_file_set_contents (path, data, -1, &error);
  g_assert_no_error (error);

  fixture->config = gw_config_load (path, &error);
  g_assert_no_error (error);
  fixture->clock = gw_clock_new ();
  options.data_dir = fixture->folder;
  options.clock = fixture->clock;
  options.max_concurrency = fixture->config->max_concurrency;
  options.max_attempts = fixture->config->max_attempts;
  fixture->queue = GW_QUEUE (gw_sqlite_queue_new (&options, &error));
  g_assert_no_error (error);
  fixture->catalogue = gw_catalogue_new (fixture->config);
  load_catalogue (fixture);
  fixture->pool = gw_worker_pool_new (fixture->queue, fixture->catalogue);
  gw_worker_pool_start (fixture->pool);
}

static void
stop_pool (Fixture *fixture,
           guint limit_ms)
{
  g_autoptr (GAsyncResult) stopped = NULL;
  g_autoptr (GError) error = NULL;

  if (fixture->pool == NULL)
    return;

  gw_worker_pool_stop_async (fixture->pool, limit_ms, take_result_cb, &stopped);
  g_assert_true (gw_worker_pool_stop_finish (fixture->pool, wait_for (&stopped), &error));
  g_assert_no_error (error);
  g_assert_cmpuint (G_OBJECT (fixture->pool)->ref_count, ==, 2);
  g_clear_object (&stopped);
  g_clear_object (&fixture->pool);
}

static void
tear_down (Fixture *fixture,
           gconstpointer data)
{
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;

  stop_pool (fixture, 0);
  gw_queue_close_async (fixture->queue, take_result_cb, &closed);
  g_assert_true (gw_queue_close_finish (fixture->queue, wait_for (&closed), &error));
  g_assert_no_error (error);
  g_clear_object (&closed);
  g_clear_object (&fixture->queue);
  g_object_unref (fixture->catalogue);
  gw_config_free (fixture->config);
  gw_clock_unref (fixture->clock);

  dir = g_dir_open (fixture->folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

      g_remove (path);
    }
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
}

static GPtrArray *
submit (Fixture *fixture,
        guint n,
        const char *content,
        guint concurrency)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  submission->project = g_strdup ("work");
  submission->sets_concurrency = TRUE;
  submission->concurrency = concurrency;
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf ("%s %u", content, i);

      g_ptr_array_add (submission->tasks, gw_new_task_new (text));
    }
  gw_queue_submit_async (fixture->queue, submission, take_result_cb, &result);
  submitted = gw_queue_submit_finish (fixture->queue, wait_for (&result), &error);
  g_assert_no_error (error);

  return g_ptr_array_ref (submitted->task_ids);
}

static GwTask *
get_task (Fixture *fixture,
          const char *task_id)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GwTask *task;

  gw_queue_get_task_async (fixture->queue, task_id, take_result_cb, &result);
  task = gw_queue_get_task_finish (fixture->queue, wait_for (&result), &error);
  g_assert_no_error (error);

  return task;
}

static void
count_change_cb (guint64 revision,
                 gpointer user_data)
{
  guint *changes = user_data;

  (*changes)++;
}

/* Follows the queue until the task has the status. */
static GwTask *
wait_status (Fixture *fixture,
             const char *task_id,
             GwTaskStatus status)
{
  guint changes = 0;
  guint seen = 0;
  guint watch = gw_queue_watch_revision (fixture->queue, NULL, count_change_cb, &changes, NULL);
  GwTask *task = get_task (fixture, task_id);

  while (task->status != status)
    {
      g_assert_false (gw_task_status_is_final (task->status));
      gw_task_unref (task);
      /* The change may have been told of while the task was being read. */
      while (changes == seen)
        g_main_context_iteration (NULL, TRUE);
      seen = changes;
      task = get_task (fixture, task_id);
    }
  gw_queue_unwatch (fixture->queue, watch);

  return task;
}

static const char cat_config[] = "[provider echo]\nkind=command\ncommand=cat\nmax-concurrency=4\n";

static void
test_answers (Fixture *fixture,
              gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit (fixture, 40, "say", 0);

  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (GwTask) task = wait_status (fixture, ids->pdata[i], GW_TASK_COMPLETED);
      g_autofree char *expected = g_strdup_printf ("say %u", i);

      g_assert_cmpstr (g_strchomp (task->result), ==, expected);
      g_assert_cmpstr (task->provider, ==, "echo");
      g_assert_cmpuint (task->attempts, ==, 1);
    }
}

static void
test_serial_order (Fixture *fixture,
                   gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit (fixture, 8, "one by one", 1);
  gint64 last_end = 0;

  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (GwTask) task = wait_status (fixture, ids->pdata[i], GW_TASK_COMPLETED);

      g_assert_cmpint (task->started_at, >=, last_end);
      last_end = task->finished_at;
    }
}

static const char sleep_config[] =
    "[provider slow]\nkind=command\ncommand=sh -c 'sleep 60'\nmax-concurrency=2\n";

static void
test_cancel_aborts (Fixture *fixture,
                    gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit (fixture, 1, "never ends", 0);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) running G_GNUC_UNUSED = wait_status (fixture, ids->pdata[0], GW_TASK_RUNNING);
  g_autoptr (GwTask) cancelled = NULL;
  g_autoptr (GwTask) after = NULL;

  gw_queue_cancel_task_async (fixture->queue, ids->pdata[0], take_result_cb, &result);
  cancelled = gw_queue_cancel_task_finish (fixture->queue, wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpint (cancelled->status, ==, GW_TASK_CANCELLED);

  /* With no time to drain at all the stop ends only if the program is really gone. */
  stop_pool (fixture, G_MAXINT);
  after = get_task (fixture, ids->pdata[0]);
  g_assert_cmpint (after->status, ==, GW_TASK_CANCELLED);
  g_assert_true (after->has_error);
  g_assert_cmpint (after->error_code, ==, GW_ERROR_TASK_CANCELLED);
}

static void
test_stop_requeues (Fixture *fixture,
                    gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit (fixture, 5, "given back", 0);
  g_autoptr (GwTask) running G_GNUC_UNUSED = wait_status (fixture, ids->pdata[0], GW_TASK_RUNNING);

  stop_pool (fixture, 50);
  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (GwTask) task = get_task (fixture, ids->pdata[i]);

      g_assert_cmpint (task->status, ==, GW_TASK_QUEUED);
      g_assert_cmpuint (task->tries, ==, 0);
    }
}

static void
test_change_of_slots (Fixture *fixture,
                      gconstpointer data)
{
  g_autoptr (GwProviderConfig) config = gw_catalogue_dup (fixture->catalogue, "echo");
  g_autoptr (GwProviderConfig) changed = gw_provider_config_copy (config);
  g_autoptr (GPtrArray) ids = submit (fixture, 20, "before and after", 0);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GwKeySource source;

  changed->max_concurrency = 9;
  gw_catalogue_put_async (fixture->catalogue, changed, NULL, NULL, take_result_cb, &result);
  g_assert_true (gw_catalogue_put_finish (fixture->catalogue, wait_for (&result), &source, &error));
  g_assert_no_error (error);

  for (guint i = 0; i < ids->len; i++)
    gw_task_unref (wait_status (fixture, ids->pdata[i], GW_TASK_COMPLETED));
}

int
main (int argc,
      char *argv[])
{
  /* G_TEST_OPTION_ISOLATE_DIRS loses memory (2.74); Meson gives a home of its own. */
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/worker/answers", Fixture, cat_config, set_up, test_answers, tear_down);
  g_test_add ("/worker/serial-order", Fixture, cat_config, set_up, test_serial_order, tear_down);
  g_test_add ("/worker/cancel-aborts", Fixture, sleep_config, set_up, test_cancel_aborts,
              tear_down);
  g_test_add ("/worker/stop-requeues", Fixture, sleep_config, set_up, test_stop_requeues,
              tear_down);
  g_test_add ("/worker/change-of-slots", Fixture, cat_config, set_up, test_change_of_slots,
              tear_down);

  return g_test_run ();
}
