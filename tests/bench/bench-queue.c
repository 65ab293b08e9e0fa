/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>

#include "queue/gw-sqlite-queue.h"

/*
 * What the embedded queue does in a second: submissions with many waiting at once, batches, slots'
 * turns (finish_and_claim), and how claim, submit and feed grow with what is queued. Prints
 * figures, asserts none. Usage: bench-queue [QUEUED] (1000 and this many; 100000).
 */

typedef struct {
  GwQueue *queue;
  GMainLoop *loop;
  guint left;
  guint pending;
  GAsyncResult *result;
} Bench;

static void
one_cb (GObject *source,
        GAsyncResult *result,
        gpointer user_data)
{
  Bench *bench = user_data;

  bench->result = g_object_ref (result);
  g_main_loop_quit (bench->loop);
}

static GAsyncResult *
await (Bench *bench)
{
  g_main_loop_run (bench->loop);

  return g_steal_pointer (&bench->result);
}

static GwSubmission *
make_submission (guint n)
{
  GwSubmission *submission = gw_submission_new ();

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (submission->tasks,
                     gw_new_task_new ("Translate the following sentence to French, please: hello."));

  return submission;
}

static void submitted_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
submit_next (Bench *bench)
{
  g_autoptr (GwSubmission) submission = make_submission (1);

  bench->left--;
  bench->pending++;
  gw_queue_submit_async (bench->queue, submission, submitted_cb, bench);
}

static void
submitted_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  Bench *bench = user_data;
  g_autoptr (GwSubmitted) submitted G_GNUC_UNUSED =
    gw_queue_submit_finish (bench->queue, result, NULL);

  bench->pending--;
  if (bench->left > 0)
    submit_next (bench);
  else if (bench->pending == 0)
    g_main_loop_quit (bench->loop);
}

static void
bench_submit (Bench *bench,
              guint waiting,
              guint n)
{
  gint64 begin = g_get_monotonic_time ();

  bench->left = n;
  for (guint i = 0; i < waiting; i++)
    submit_next (bench);
  g_main_loop_run (bench->loop);
  g_print ("submit, %3u at once: %8.0f tasks/s\n", waiting,
           n / ((g_get_monotonic_time () - begin) / 1e6));
}

static void
bench_batch (Bench *bench,
             guint n)
{
  g_autoptr (GwSubmission) submission = make_submission (n);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GwSubmitted) submitted = NULL;
  gint64 begin = g_get_monotonic_time ();

  gw_queue_submit_async (bench->queue, submission, one_cb, bench);
  result = await (bench);
  submitted = gw_queue_submit_finish (bench->queue, result, NULL);
  g_print ("batch of %u: %8.0f tasks/s\n", n, n / ((g_get_monotonic_time () - begin) / 1e6));
}

static GwGrant *
turn (Bench *bench,
      GwGrant *grant)
{
  GwClaim claim = { "lane", "bench", 0 };
  g_autoptr (GAsyncResult) result = NULL;
  GwGrant *next;

  if (grant == NULL)
    {
      gw_queue_claim_async (bench->queue, &claim, one_cb, bench);
      result = await (bench);
      next = gw_queue_claim_finish (bench->queue, result, NULL);
    }
  else
    {
      g_autoptr (GwReply) reply = gw_reply_new ();

      reply->act = GW_REPLY_ANSWER;
      reply->result = g_strdup ("Bonjour.");
      reply->sent_at = reply->ended_at = gw_clock_now (gw_queue_get_clock (bench->queue));
      gw_queue_finish_and_claim_async (bench->queue, grant->attempt, reply, &claim, one_cb, bench);
      result = await (bench);
      next = gw_queue_finish_and_claim_finish (bench->queue, result, NULL, NULL);
      gw_grant_free (grant);
    }

  return next;
}

static void
bench_turns (Bench *bench,
             guint n)
{
  GwGrant *grant = turn (bench, NULL);
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < n; i++)
    grant = turn (bench, grant);
  g_print ("slot's turn: %.3f ms\n", (g_get_monotonic_time () - begin) / 1000.0 / n);
  gw_grant_free (grant);
}

static void
bench_feed (Bench *bench,
            guint n)
{
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < n; i++)
    {
      GwFeedQuery query = { .limit = 500, .fields = GW_TASK_FIELDS_FEED };
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GwFeedPage) page = NULL;

      gw_queue_read_feed_async (bench->queue, &query, one_cb, bench);
      result = await (bench);
      page = gw_queue_read_feed_finish (bench->queue, result, NULL);
    }
  g_print ("feed page of 500: %.3f ms\n", (g_get_monotonic_time () - begin) / 1000.0 / n);
}

static void
set_lane (Bench *bench)
{
  g_autoptr (GPtrArray) providers = g_ptr_array_new ();
  g_autoptr (GwProviderConfig) config = gw_provider_config_new ("lane");
  GwQueueProvider provider = { config, TRUE, TRUE };
  g_autoptr (GAsyncResult) result = NULL;

  config->max_concurrency = 1000;
  config->requests_per_minute = 0;
  config->latency = 1;
  g_ptr_array_add (providers, &provider);
  gw_queue_set_providers_async (bench->queue, providers, TRUE, one_cb, bench);
  result = await (bench);
  g_strfreev (gw_queue_set_providers_finish (bench->queue, result, NULL));
}

int
main (int argc,
      char **argv)
{
  guint queued = argc > 1 ? (guint) g_ascii_strtoull (argv[1], NULL, 10) : 100000;
  g_autofree char *data = g_dir_make_tmp ("gangway-bench-XXXXXX", NULL);
  g_autoptr (GwClock) clock = gw_clock_new ();
  GwSqliteQueueOptions options = { .data_dir = data, .clock = clock, .max_concurrency = 1000,
                                   .max_attempts = 3 };
  Bench bench = { NULL, g_main_loop_new (NULL, FALSE), 0, 0, NULL };
  static const char *const names[] = { "queue.db", "queue.db-wal", "queue.db-shm" };
  guint done = 0;
  gint64 begin;

  bench.queue = GW_QUEUE (gw_sqlite_queue_new (&options, NULL));
  set_lane (&bench);
  bench_batch (&bench, 1000);
  for (;;)
    {
      bench_turns (&bench, 500);
      bench_feed (&bench, 20);
      bench_submit (&bench, 1, 500);
      bench_submit (&bench, 16, 10000);
      bench_submit (&bench, 64, 20000);
      if (done >= queued)
        break;
      while (done < queued)
        {
          bench_batch (&bench, MIN (queued - done, 100000));
          done += MIN (queued - done, 100000);
        }
    }
  g_object_unref (bench.queue);
  begin = g_get_monotonic_time ();
  bench.queue = GW_QUEUE (gw_sqlite_queue_new (&options, NULL));
  g_print ("open: %.1f ms\n", (g_get_monotonic_time () - begin) / 1000.0);
  g_object_unref (bench.queue);
  g_main_loop_unref (bench.loop);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (data, names[i], NULL);

      g_unlink (path);
    }
  g_rmdir (data);

  return 0;
}
