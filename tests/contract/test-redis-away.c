/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "away-fixture.h"
#include "gw-error.h"
#include "queue-fixture.h"

/*
 * A Redis that is away: answers that are in hand are kept on this machine, and told once when it is
 * back, by whoever comes next.
 */

/* Away while an answer is in hand: on disk, and told when it is back, by the same process. */
static void
test_back_with_data (Away *self,
                     gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;

  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "paid 一", &error), ==,
                   GW_FINISH_KEPT);
  g_assert_no_error (error);
  g_assert_cmpuint (away_count_kept (self, ".outcome"), ==, 1);
  wait_trouble (self->queue, "away");
  g_assert_true (was_said ("kept in"));

  /* Refused at once, with the reason. */
  task = fx_get_task (self->queue, id, &error);
  g_assert_null (task);
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "Redis at"));

  redis_server_start (self->redis);
  wait_trouble (self->queue, NULL);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "paid 一");
  away_wait_delivered (self);
  g_assert_true (was_said ("is back"));
  g_assert_true (was_said ("1 answers that became results"));
}

/* The process dies, too; the next one of this machine tells it. */
static void
test_next_process (Away *self,
                   gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, NULL, 3);
  g_autoptr (GError) error = NULL;

  {
    g_autoptr (GwGrant) first = claim_one (self->queue);
    g_autoptr (GwGrant) second = claim_one (self->queue);

    redis_server_kill (self->redis);
    g_assert_cmpint (finish_now (self->queue, first->attempt, "one", &error), ==, GW_FINISH_KEPT);
    g_assert_no_error (error);
    g_assert_cmpint (finish_now (self->queue, second->attempt, "two", &error), ==,
                     GW_FINISH_KEPT);
    g_assert_no_error (error);
  }
  g_clear_object (&self->queue);
  g_assert_cmpuint (away_count_kept (self, ".outcome"), ==, 2);

  redis_server_start (self->redis);
  away_open (self);
  wait_status (self->queue, ids->pdata[0], GW_TASK_COMPLETED, "one");
  wait_status (self->queue, ids->pdata[1], GW_TASK_COMPLETED, "two");
  away_wait_delivered (self);
  g_assert_cmpuint (away_count_kept (self, ""), ==, 0);
}

/* Told, and only the word of it was lost: told again, in vain, and not twice. */
static void
test_told_twice (Away *self,
                 gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GDir) dir = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  gsize length;

  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "once", &error), ==, GW_FINISH_KEPT);
  dir = g_dir_open (self->folder, 0, &error);
  g_assert_no_error (error);
  path = g_build_filename (self->folder, g_dir_read_name (dir), NULL);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  redis_server_start (self->redis);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "once");
  away_wait_delivered (self);

  g_clear_object (&self->queue);
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  away_open (self);
  away_wait_delivered (self);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->answers_extra, ==, 0);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "once");
}

/* Sent again elsewhere meanwhile, and answered: what comes then is kept as paid twice. */
static void
test_paid_twice (Away *self,
                 gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GError) error = NULL;
  GwQueue *other;

  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "late", &error), ==, GW_FINISH_KEPT);
  g_clear_object (&self->queue);
  redis_server_start (self->redis);
  {
    /* Another machine finds the lease run out. */
    Away elsewhere = { .redis = self->redis, .folder = NULL };
    g_autoptr (GwGrant) again = NULL;
    GwFinishResult finished;

    redis_server_tell (self->redis, "EVAL",
                       "for _, id in ipairs(redis.call('ZRANGE', 'gangway:engines', 0, -1)) do "
                       "redis.call('ZADD', 'gangway:engines', 1, id) end "
                       "redis.call('HDEL', 'gangway:head', 'run')", "0", NULL);
    other = away_open_queue (&elsewhere, FALSE, &error);
    g_assert_no_error (error);
    again = claim_one (other);
    g_assert_cmpstr (again->task_id, ==, id);
    finished = finish_now (other, again->attempt, "new", &error);
    g_assert_cmpint (finished, ==, GW_FINISH_STORED);
  }
  away_open (self);
  away_wait_delivered (self);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->answers_extra, ==, 1);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "new");
  g_assert_true (was_said ("1 that were paid twice"));
  g_object_unref (other);
}

/* The step of one file fails in Redis: the others are told all the same, and it is set aside. */
static void
test_one_fails (Away *self,
                gconstpointer data)
{
  g_autofree char *bad = submit_one (self->queue, "x", "bad");
  g_autofree char *good = submit_one (self->queue, "y", "good");
  g_autoptr (GwGrant) first = claim_one (self->queue);
  g_autoptr (GwGrant) second = claim_one (self->queue);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (first->task_id, ==, bad);
  /* A key of the wrong kind, which the end of each call of that project writes to. */
  redis_server_tell (self->redis, "LPUSH", "gangway:calls:2", "x", NULL);
  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, first->attempt, "kept", &error), ==, GW_FINISH_KEPT);
  g_assert_cmpint (finish_now (self->queue, second->attempt, "told", &error), ==, GW_FINISH_KEPT);
  g_assert_no_error (error);
  redis_server_start (self->redis);
  wait_status (self->queue, good, GW_TASK_COMPLETED, "told");
  while (away_count_kept (self, ".undelivered") == 0)
    g_usleep (5000);
  away_wait_delivered (self);
  g_assert_true (was_said ("set aside after"));
  g_assert_true (was_said (bad));
}

/* Neither Redis nor the disk takes it: it is said, and stays with who has it. */
static void
test_full_disk_too (Away *self,
                    gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GError) error = NULL;
  struct rlimit limit;
  rlim_t before;

  redis_server_kill (self->redis);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  before = limit.rlim_cur;
  limit.rlim_cur = 10;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  finish_now (self->queue, grant->attempt, "stays", &error);
  limit.rlim_cur = before;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  g_assert_error (error, GW_ERROR, GW_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, self->folder));
  g_clear_error (&error);
  g_assert_cmpuint (away_count_kept (self, ".outcome"), ==, 0);

  redis_server_start (self->redis);
  wait_trouble (self->queue, NULL);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "stays", &error), ==,
                   GW_FINISH_STORED);
  g_assert_no_error (error);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "stays");
}

/* Its end does not wait for Redis. */
static void
test_close_while_away (Away *self,
                       gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GError) error = NULL;

  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "kept", &error), ==, GW_FINISH_KEPT);
  g_assert_true (fx_close (self->queue, &error));
  g_assert_no_error (error);
  g_clear_object (&self->queue);
  g_assert_cmpuint (away_count_kept (self, ".outcome"), ==, 1);
}

static void
add_cases (void)
{
  AWAY_ADD ("/redis-away/back-with-data", test_back_with_data);
  AWAY_ADD ("/redis-away/next-process", test_next_process);
  AWAY_ADD ("/redis-away/told-twice", test_told_twice);
  AWAY_ADD ("/redis-away/paid-twice", test_paid_twice);
  AWAY_ADD ("/redis-away/one-fails", test_one_fails);
  AWAY_ADD ("/redis-away/full-disk-too", test_full_disk_too);
  AWAY_ADD ("/redis-away/close-while-away", test_close_while_away);
}

int
main (int argc,
      char **argv)
{
  signal (SIGXFSZ, SIG_IGN);

  return away_main (argc, argv, add_cases);
}
