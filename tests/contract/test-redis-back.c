/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "away-fixture.h"
#include "queue-fixture.h"

/*
 * A Redis that is back with other data than before: what it is told of what is in hand, so that
 * nothing is lost, and nobody is granted too much.
 */

#define SHORT_LEASE 3

/* Back without its data: the numbers begin again, and no answer becomes that of another task. */
static void
test_back_without_data (Away *self,
                        gconstpointer data)
{
  g_autofree char *lost = submit_one (self->queue, "lost", NULL);
  g_autoptr (GwGrant) old = claim_one (self->queue);
  g_autoptr (GwGrant) young = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  static const Lane lanes[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 4, 0 } };
  guint n_kept;

  redis_server_kill (self->redis);
  redis_server_forget (self->redis);
  redis_server_start (self->redis);
  wait_trouble (self->queue, "away");
  wait_trouble (self->queue, NULL);
  g_assert_true (was_said ("came back without its data"));

  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  id = submit_one (self->queue, "young", NULL);
  /* Others may have something in hand, too: they are given the time to tell. */
  assert_refused (self->queue, GW_VERDICT_HOLD);
  young = claim_later (self->queue);
  g_assert_cmpuint (young->attempt, !=, old->attempt);
  /* Both are the first of their data. */
  g_assert_cmpuint (young->attempt & 0xffff, ==, old->attempt & 0xffff);

  g_assert_cmpint (finish_now (self->queue, old->attempt, "of the lost", &error), ==,
                   GW_FINISH_KEPT);
  g_assert_no_error (error);
  g_assert_true (was_said (lost));
  wait_status (self->queue, id, GW_TASK_RUNNING, NULL);
  g_assert_cmpint (finish_now (self->queue, young->attempt, "of the young", &error), ==,
                   GW_FINISH_STORED);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "of the young");
  gw_queue_trouble_free (gw_queue_get_trouble (self->queue, &n_kept));
  g_assert_cmpuint (n_kept, ==, 1);

  /* And it stays, also for the next process. */
  g_clear_object (&self->queue);
  away_open (self);
  while (!was_said ("belong to a queue that is not the one"))
    g_usleep (5000);
  g_assert_cmpuint (away_count_kept (self, ".outcome"), ==, 1);
}

/* Back with older data (a failover, a snapshot): the claim is lost, its number another task's. */
static void
test_back_with_older_data (Away *self,
                           gconstpointer data)
{
  g_autofree char *first = submit_one (self->queue, "first", NULL);
  g_autofree char *second = submit_one (self->queue, "second", NULL);
  g_autofree char *dump = g_build_filename (self->redis->folder, "dump.rdb", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwGrant) old = NULL;
  g_autoptr (GwGrant) again = NULL;
  g_autoptr (GwTask) task = NULL;
  gsize length;

  /* The data as they are before the claim. */
  redis_server_tell (self->redis, "CONFIG", "SET", "appendonly", "no", NULL);
  redis_server_tell (self->redis, "SAVE", NULL);
  g_assert_true (g_file_get_contents (dump, &text, &length, NULL));
  old = claim_one (self->queue);
  g_assert_cmpstr (old->task_id, ==, first);
  redis_server_kill (self->redis);
  redis_server_forget (self->redis);
  g_assert_true (g_file_set_contents (dump, text, (gssize) length, NULL));
  redis_server_start_from_snapshot (self->redis);
  wait_trouble (self->queue, "away");
  wait_trouble (self->queue, NULL);

  /* What was in hand was told: it has a number there again, which may be another one. */
  task = fx_cancel (self->queue, first, &error);
  g_assert_no_error (error);
  again = claim_one (self->queue);
  g_assert_cmpstr (again->task_id, ==, second);
  g_assert_cmpuint (again->attempt, !=, old->attempt);
  g_assert_cmpint (finish_now (self->queue, old->attempt, "of the first", &error), ==,
                   GW_FINISH_EXTRA);
  g_assert_no_error (error);
  wait_status (self->queue, second, GW_TASK_RUNNING, NULL);
  g_assert_cmpint (finish_now (self->queue, again->attempt, "of the second", &error), ==,
                   GW_FINISH_STORED);
  wait_status (self->queue, second, GW_TASK_COMPLETED, "of the second");
}

/* The same, and its task still waits: the answer that was paid is its result. */
static void
test_lost_claim (Away *self,
                 gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "first", NULL);
  g_autofree char *dump = g_build_filename (self->redis->folder, "dump.rdb", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwGrant) old = NULL;
  g_autoptr (GwAttemptPage) page = NULL;
  gsize length;

  redis_server_tell (self->redis, "CONFIG", "SET", "appendonly", "no", NULL);
  redis_server_tell (self->redis, "SAVE", NULL);
  g_assert_true (g_file_get_contents (dump, &text, &length, NULL));
  old = claim_one (self->queue);
  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, old->attempt, "paid", &error), ==, GW_FINISH_KEPT);
  redis_server_forget (self->redis);
  g_assert_true (g_file_set_contents (dump, text, (gssize) length, NULL));
  redis_server_start_from_snapshot (self->redis);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "paid");
  away_wait_delivered (self);
  page = fx_attempts (self->queue, id, 0, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->attempts->len, ==, 1);
  gw_grant_free (claim_idle (self->queue, "alpha"));
}

/* The same with nobody away: who called is told that it is kept. */
static void
test_step_fails (Away *self,
                 gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED = submit_one (self->queue, "x", "bad");
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GError) error = NULL;

  redis_server_tell (self->redis, "LPUSH", "gangway:calls:2", "x", NULL);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "kept", &error), ==, GW_FINISH_KEPT);
  g_assert_no_error (error);
  while (away_count_kept (self, ".undelivered") == 0)
    g_usleep (5000);
}

/* Claims are lost, two engines have calls in hand: both tell of them before anybody claims, so no
 * limit is broken, nothing is sent again, and what they come to is the tasks' own. */
static void
test_lost_claims_in_flight (Away *self,
                            gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, NULL, 6);
  Away elsewhere = { .redis = self->redis, .folder = NULL };
  g_autoptr (GError) error = NULL;
  GwQueue *queues[2] = { self->queue, away_open_queue (&elsewhere, FALSE, &error) };
  static const Lane lanes[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 4, 0 } };
  g_autoptr (GwQueueStats) stats = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GwProject) project = NULL;
  GwProjectPatch stop = { .paused = -1, .sets_stop = TRUE, .stop_after = ids->pdata[3] };
  GwProjectPatch go_on = { .paused = 0 };
  GwGrant *grants[4];
  gsize length;

  g_assert_no_error (error);
  set_lanes (queues[1], lanes, G_N_ELEMENTS (lanes));
  gw_project_unref (fx_patch (queues[0], GW_PROJECT_DEFAULT_NAME, &stop, &error));
  g_assert_no_error (error);
  text = away_save (self, &length);
  for (guint i = 0; i < 4; i++)
    {
      grants[i] = claim_one (queues[i % 2]);
      g_assert_true (fx_note_sent (queues[i % 2], grants[i]->attempt,
                                   gw_clock_now (gw_queue_get_clock (queues[i % 2])), &error));
    }
  redis_server_kill (self->redis);
  away_start_from (self, text, length);
  for (guint i = 0; i < 2; i++)
    {
      submit_any (queues[i]);
      wait_trouble (queues[i], NULL);
    }
  assert_refused (queues[0], GW_VERDICT_SLOTS);
  assert_refused (queues[1], GW_VERDICT_SLOTS);
  stats = fx_stats (queues[0]);
  g_assert_cmpuint (stats->counts[GW_TASK_RUNNING], ==, 4);
  /* The last of them was to be the project's last: that was lost, too. */
  project = fx_get_project (queues[0], GW_PROJECT_DEFAULT_NAME, &error);
  g_assert_no_error (error);
  g_assert_true (project->paused);
  g_assert_null (project->stop_after);
  gw_project_unref (fx_patch (queues[0], GW_PROJECT_DEFAULT_NAME, &go_on, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_cmpint (finish_now (queues[i % 2], grants[i]->attempt, "paid", &error), ==,
                       GW_FINISH_STORED);
      g_assert_no_error (error);
      wait_status (self->queue, ids->pdata[i], GW_TASK_COMPLETED, "paid");
      gw_grant_free (grants[i]);
    }
  gw_grant_free (claim_one (queues[1]));
  g_object_unref (queues[1]);
}

/* Everything is lost, and calls are in hand: their slots are taken until they have ended. */
static void
test_lost_data_in_flight (Away *self,
                          gconstpointer data)
{
  static const Lane lanes[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 1, 0 } };
  g_autofree char *old = NULL;
  g_autofree char *id = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwGrant) next = NULL;
  g_autoptr (GError) error = NULL;

  g_clear_object (&self->queue);
  self->lease = SHORT_LEASE;
  away_open (self);
  old = submit_one (self->queue, "old", NULL);
  grant = claim_one (self->queue);
  g_assert_true (fx_note_sent (self->queue, grant->attempt,
                               gw_clock_now (gw_queue_get_clock (self->queue)), &error));
  redis_server_tell (self->redis, "FLUSHALL", NULL);
  submit_any (self->queue);
  while (!was_said ("came back without its data"))
    g_usleep (5000);
  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  id = submit_one (self->queue, "new", NULL);
  /* Past the time in which others tell, and past any lease. */
  for (guint i = 0; i < 2; i++)
    {
      while (TRUE)
        {
          g_autoptr (GwGrant) none = fx_claim (self->queue, "alpha", 0, &error);

          g_assert_no_error (error);
          g_assert_cmpint (none->verdict, !=, GW_VERDICT_START);
          if (none->verdict == GW_VERDICT_SLOTS)
            break;
          g_usleep (20000);
        }
      g_usleep (SHORT_LEASE * G_USEC_PER_SEC);
    }
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "of the lost", &error), ==,
                   GW_FINISH_KEPT);
  next = claim_later (self->queue);
  g_assert_cmpstr (next->task_id, ==, id);
}

/* Who was there before Redis went is waited for, but not for long. */
static void
test_who_comes_late (Away *self,
                     gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = NULL;

  redis_server_tell (self->redis, "ZADD", "gangway:engines", "9999999999999", "absent", NULL);
  redis_server_tell (self->redis, "HSET", "gangway:who:absent", "engine", "absent", NULL);
  redis_server_kill (self->redis);
  redis_server_start (self->redis);
  submit_any (self->queue);
  wait_trouble (self->queue, NULL);
  assert_refused (self->queue, GW_VERDICT_HOLD);
  grant = claim_later (self->queue);
  g_assert_cmpstr (grant->task_id, ==, id);
}

/* A process died, its claim is lost, and its answer lies on disk: told once or twice, it is paid
 * once, and the attempt is named as one of a crash. */
static void
test_adopted_twice (Away *self,
                    gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GwRecovery) recovery = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;
  g_autofree char *kept = NULL;
  g_autoptr (GDir) dir = NULL;
  gsize length, size;

  text = away_save (self, &length);
  grant = claim_one (self->queue);
  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "paid", &error), ==, GW_FINISH_KEPT);
  g_clear_object (&self->queue);
  dir = g_dir_open (self->folder, 0, &error);
  g_assert_no_error (error);
  path = g_build_filename (self->folder, g_dir_read_name (dir), NULL);
  g_assert_true (g_file_get_contents (path, &kept, &size, NULL));
  away_start_from (self, text, length);
  away_open (self);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "paid");
  away_wait_delivered (self);
  recovery = fx_recovery (self->queue);
  g_assert_cmpuint (recovery->attempts->len, ==, 1);

  g_clear_object (&self->queue);
  g_assert_true (g_file_set_contents (path, kept, (gssize) size, NULL));
  away_open (self);
  away_wait_delivered (self);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->answers_extra, ==, 0);
  g_assert_cmpuint (away_count_kept (self, ""), ==, 0);
}

static void
add_cases (void)
{
  AWAY_ADD ("/redis-back/back-without-data", test_back_without_data);
  AWAY_ADD ("/redis-back/back-with-older-data", test_back_with_older_data);
  AWAY_ADD ("/redis-back/lost-claim", test_lost_claim);
  AWAY_ADD ("/redis-back/step-fails", test_step_fails);
  AWAY_ADD ("/redis-back/lost-claims-in-flight", test_lost_claims_in_flight);
  AWAY_ADD ("/redis-back/lost-data-in-flight", test_lost_data_in_flight);
  AWAY_ADD ("/redis-back/who-comes-late", test_who_comes_late);
  AWAY_ADD ("/redis-back/adopted-twice", test_adopted_twice);
}

int
main (int argc,
      char **argv)
{
  return away_main (argc, argv, add_cases);
}
