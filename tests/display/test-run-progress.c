/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-run-progress.h"
#include "gw-task-words.h"

/* What the header says of a run, and the words of a task: both pure. */

static void
feed (GwRunProgress *progress,
      guint queued,
      guint running,
      guint completed,
      guint failed,
      gint64 now)
{
  const guint counts[GW_N_TASK_STATUSES] = { queued, running, completed, failed, 0 };

  gw_run_progress_update (progress, counts, queued + running > 0, now);
}

static void
assert_words (const GwRunProgress *progress,
              gint64 now,
              const char *expected)
{
  g_autofree char *words = gw_run_progress_to_words (progress, now);

  g_assert_cmpstr (words, ==, expected);
}

static void
test_first_run (void)
{
  GwRunProgress progress = { 0 };

  feed (&progress, 0, 0, 0, 0, 1000);
  assert_words (&progress, 1000, NULL);
  gw_run_progress_submitted (&progress, 2000);
  feed (&progress, 3, 0, 0, 0, 2100);
  assert_words (&progress, 2100, "0 of 3");
  feed (&progress, 1, 1, 1, 0, 3000);
  assert_words (&progress, 3000, "1 of 3 · 1 running");
  g_assert_cmpfloat_with_epsilon (gw_run_progress_get_fraction (&progress), 1.0 / 3, 1e-9);
  feed (&progress, 0, 0, 2, 1, 5200);
  assert_words (&progress, 9000, "2 completed, 1 failed · 3.2 s");
}

static void
test_history_does_not_count (void)
{
  GwRunProgress progress = { 0 };

  feed (&progress, 5, 0, 400, 60, 1000);
  assert_words (&progress, 1000, "0 of 5");
  feed (&progress, 0, 0, 405, 60, 2000);
  assert_words (&progress, 2000, "5 completed · 1.0 s");
  /* The next run starts from there. */
  feed (&progress, 2, 0, 405, 60, 3000);
  assert_words (&progress, 3000, "0 of 2");
}

static void
test_retry_and_remove (void)
{
  GwRunProgress progress = { 0 };

  feed (&progress, 0, 0, 10, 4, 0);
  /* All four failed ones are tried again: a run of four. */
  feed (&progress, 4, 0, 10, 0, 100);
  assert_words (&progress, 100, "0 of 4");
  feed (&progress, 2, 0, 11, 1, 200);
  assert_words (&progress, 200, "2 of 4");
  /* History is removed meanwhile: nothing becomes negative. */
  feed (&progress, 2, 0, 0, 0, 300);
  assert_words (&progress, 300, "0 of 2");
  g_assert_cmpfloat (gw_run_progress_get_fraction (&progress), ==, 0.0);
}

static void
test_time_left (void)
{
  GwRunProgress progress = { 0 };

  feed (&progress, 0, 0, 0, 0, 0);
  feed (&progress, 100, 0, 0, 0, 0);
  feed (&progress, 96, 0, 4, 0, 60000);
  g_assert_cmpint (gw_run_progress_get_left_ms (&progress, 60000), ==, -1);
  feed (&progress, 90, 0, 10, 0, 60000);
  g_assert_cmpint (gw_run_progress_get_left_ms (&progress, 60000), ==, 540000);
  assert_words (&progress, 60000, "10 of 100 · about 9 min left");
  g_assert_cmpfloat (gw_run_progress_get_per_minute (&progress, 60000), ==, 10);
  /* The gateway knows better. */
  progress.told_end_at = 60000 + 52000;
  assert_words (&progress, 60000, "10 of 100 · about 55 s left");
  progress.told_end_at = 60000 + 3900000;
  assert_words (&progress, 60000, "10 of 100 · about 1 h 5 min left");
}

static void
test_summary (void)
{
  GwRunProgress progress = { 0 };

  feed (&progress, 0, 0, 0, 0, 0);
  feed (&progress, 37, 0, 0, 0, 1000);
  feed (&progress, 0, 0, 36, 1, 162000);
  progress.tokens = 48211;
  progress.efficiency = 0.978;
  assert_words (&progress, 170000,
                "36 completed, 1 failed · 2 min 41 s · 48 k tokens · efficiency 98 % of the best "
                "possible");
  progress.tokens = 1234567;
  progress.efficiency = 1.07;
  assert_words (&progress, 170000,
                "36 completed, 1 failed · 2 min 41 s · 1.2 M tokens · efficiency 100 % of the best "
                "possible");
  /* They belong to that run. */
  feed (&progress, 1, 0, 36, 1, 180000);
  feed (&progress, 0, 0, 37, 1, 181000);
  assert_words (&progress, 182000, "1 completed · 1.0 s");
}

/* Neither the time before Run was pressed nor that of a pause belongs to the run; while nothing can
 * go on, nothing is said of its end. */
static void
test_pause (void)
{
  GwRunProgress progress = { 0 };
  const guint added[GW_N_TASK_STATUSES] = { 100, 0, 0, 0, 0 };
  const guint half[GW_N_TASK_STATUSES] = { 50, 0, 50, 0, 0 };
  const guint done[GW_N_TASK_STATUSES] = { 0, 0, 100, 0, 0 };

  feed (&progress, 0, 0, 0, 0, 0);
  gw_run_progress_update (&progress, added, FALSE, 1000);
  assert_words (&progress, 600000, "0 of 100");
  gw_run_progress_submitted (&progress, 600000);
  gw_run_progress_update (&progress, added, TRUE, 600100);
  gw_run_progress_update (&progress, half, TRUE, 660000);
  g_assert_cmpfloat (gw_run_progress_get_per_minute (&progress, 660000), ==, 50);
  assert_words (&progress, 660000, "50 of 100 · about 1 min left");
  gw_run_progress_update (&progress, half, FALSE, 660000);
  progress.told_end_at = 9999999;
  assert_words (&progress, 900000, "50 of 100");
  g_assert_cmpfloat (gw_run_progress_get_per_minute (&progress, 900000), <, 0);
  progress.told_end_at = 0;
  gw_run_progress_update (&progress, half, TRUE, 960000);
  gw_run_progress_update (&progress, done, FALSE, 1020000);
  assert_words (&progress, 1020000, "100 completed · 2 min 0 s");
}

/* The last task hangs: what the others took tells nothing of it, and it makes them no slower. */
static void
test_last_one_hangs (void)
{
  GwRunProgress progress = { 0 };

  feed (&progress, 0, 0, 0, 0, 0);
  feed (&progress, 20, 0, 0, 0, 0);
  feed (&progress, 0, 1, 19, 0, 19000);
  assert_words (&progress, 19000, "19 of 20 · 1 running · about 5 s left");
  progress.told_end_at = 700000;
  assert_words (&progress, 600000, "19 of 20 · 1 running");
  g_assert_cmpfloat (gw_run_progress_get_per_minute (&progress, 600000), ==, 60);
}

/* More is added to a project that had ended: the time of the rest is not that of all. */
static void
test_added_to_what_had_ended (void)
{
  GwRunProgress progress = { .whole = TRUE };

  feed (&progress, 0, 0, 7, 0, 0);
  feed (&progress, 1, 0, 7, 0, 1000);
  feed (&progress, 0, 0, 8, 0, 1200);
  assert_words (&progress, 1200, "8 completed");
}

/* A project that is shown: all of its tasks count, whenever they ended. */
static void
test_project (void)
{
  GwRunProgress progress = { .whole = TRUE };

  feed (&progress, 2, 0, 10, 1, 0);
  assert_words (&progress, 0, "11 of 13");
  /* But not for the pace of now. */
  feed (&progress, 1, 0, 11, 1, 60000);
  g_assert_cmpint (gw_run_progress_get_left_ms (&progress, 60000), ==, -1);
  feed (&progress, 0, 0, 12, 1, 70000);
  assert_words (&progress, 70000, "12 completed, 1 failed · 1 min 10 s");

  memset (&progress, 0, sizeof progress);
  progress.whole = TRUE;
  feed (&progress, 0, 0, 12, 1, 0);
  assert_words (&progress, 0, "12 completed, 1 failed");
}

static gboolean
end_task (GwFailureRun *run,
          GwTaskStatus status,
          GwError code)
{
  g_autoptr (GwTask) task = gw_task_new ();

  task->status = status;
  task->has_error = status == GW_TASK_FAILED;
  task->error_code = code;
  return gw_failure_run_add (run, task);
}

static void
test_all_fail (void)
{
  GwFailureRun run = { 0 };
  guint i;

  for (i = 0; i < 9; i++)
    g_assert_false (end_task (&run, GW_TASK_FAILED, GW_ERROR_TASK_SERVER));
  /* One that worked, or another reason: it is not all. */
  g_assert_false (end_task (&run, GW_TASK_COMPLETED, 0));
  for (i = 0; i < 9; i++)
    g_assert_false (end_task (&run, GW_TASK_FAILED, GW_ERROR_TASK_SERVER));
  g_assert_false (end_task (&run, GW_TASK_FAILED, GW_ERROR_TASK_TIMEOUT));
  for (i = 0; i < 8; i++)
    {
      g_assert_false (end_task (&run, GW_TASK_FAILED, GW_ERROR_TASK_TIMEOUT));
      g_assert_false (end_task (&run, GW_TASK_RUNNING, 0));
    }
  g_assert_true (end_task (&run, GW_TASK_FAILED, GW_ERROR_TASK_TIMEOUT));
  /* It was said; only ten more are a reason to say it again. */
  g_assert_false (end_task (&run, GW_TASK_FAILED, GW_ERROR_TASK_TIMEOUT));
}

static void
test_durations (void)
{
  static const struct {
    gint64 ms;
    const char *words;
  } cases[] = {
    { -5, "0.0 s" },       { 0, "0.0 s" },           { 3249, "3.2 s" },
    { 9999, "10.0 s" },    { 10000, "10 s" },        { 59999, "59 s" },
    { 60000, "1 min 0 s" }, { 161000, "2 min 41 s" }, { 3900000, "1 h 5 min" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *words = gw_duration_to_words (cases[i].ms);

      g_assert_cmpstr (words, ==, cases[i].words);
    }
}

static void
test_looks (void)
{
  g_autoptr (GwTask) task = gw_task_new ();
  g_autofree char *waiting = NULL;
  g_autofree char *line = NULL;
  g_autofree char *error = NULL;
  g_autofree char *odd = NULL;

  task->status = GW_TASK_QUEUED;
  g_assert_cmpint (gw_task_look (task), ==, GW_TASK_LOOK_QUEUED);
  g_assert_null (gw_task_words_for_waiting (task, 0));
  task->waiting_reason = g_strdup ("window");
  task->waiting_until = 12000;
  g_assert_cmpint (gw_task_look (task), ==, GW_TASK_LOOK_WAITING);
  waiting = gw_task_words_for_waiting (task, 1);
  g_assert_cmpstr (waiting, ==, "Waiting for the limit per minute. Goes on in 12 s.");
  g_free (task->waiting_reason);
  task->waiting_reason = g_strdup ("something-newer");
  odd = gw_task_words_for_waiting (task, 12000);
  g_assert_cmpstr (odd, ==, "Waiting for its turn.");
  task->uncertain = TRUE;
  g_assert_cmpint (gw_task_look (task), ==, GW_TASK_LOOK_INTERRUPTED);

  task->status = GW_TASK_FAILED;
  task->has_error = TRUE;
  task->error_code = GW_ERROR_TASK_AUTH;
  task->provider = g_strdup ("zhipu");
  error = gw_task_words_for_error (task);
  g_assert_cmpstr (error, ==,
                   "The key was not accepted by zhipu. Check the key, then retry.");

  line = gw_task_words_first_line ("\r\n \t\n  first  line\r\nsecond");
  g_assert_cmpstr (line, ==, "first  line");
}

/* Every code of the table has a sentence, and every look a word and an icon. */
static void
test_complete (void)
{
  guint i;

  for (i = GW_ERROR_TASK_TIMEOUT; i < GW_N_ERRORS; i++)
    {
      g_autoptr (GwTask) task = gw_task_new ();
      g_autofree char *words = NULL;

      task->status = GW_TASK_FAILED;
      task->has_error = TRUE;
      task->error_code = i;
      words = gw_task_words_for_error (task);
      if (i != GW_ERROR_TASK_CANCELLED)
        g_assert_cmpuint (strlen (words), >, 20);
    }
  for (i = 0; i < GW_N_TASK_LOOKS; i++)
    {
      g_assert_cmpstr (gw_task_look_get_word (i), !=, "");
      g_assert_true (g_str_has_suffix (gw_task_look_get_icon (i), "-symbolic"));
    }
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run-progress/first-run", test_first_run);
  g_test_add_func ("/run-progress/history-does-not-count", test_history_does_not_count);
  g_test_add_func ("/run-progress/retry-and-remove", test_retry_and_remove);
  g_test_add_func ("/run-progress/time-left", test_time_left);
  g_test_add_func ("/run-progress/pause", test_pause);
  g_test_add_func ("/run-progress/last-one-hangs", test_last_one_hangs);
  g_test_add_func ("/run-progress/added", test_added_to_what_had_ended);
  g_test_add_func ("/run-progress/summary", test_summary);
  g_test_add_func ("/run-progress/project", test_project);
  g_test_add_func ("/run-progress/all-fail", test_all_fail);
  g_test_add_func ("/words/durations", test_durations);
  g_test_add_func ("/words/looks", test_looks);
  g_test_add_func ("/words/complete", test_complete);
  return g_test_run ();
}
