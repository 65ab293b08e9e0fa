/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "gw-error.h"
#include "queue-fixture.h"
#include "queue/gw-redis-queue.h"
#include "redis-server.h"

/*
 * A Redis that is away, frozen, full, a replica, or back with other data than before: what becomes
 * of answers that are in hand, what is said, and that everything goes on by itself.
 */

#define LEASE 15
#define SHORT_LEASE 3

static guint lease = LEASE;

typedef struct {
  RedisServer *redis;
  char *data;              /* of this machine */
  char *folder;            /* of kept answers in it */
  GwQueue *queue;
} Away;

/* --- What was said. --- */

static GMutex log_mutex;
static GString *said;      /* (mutex log_mutex) */

static void
log_cb (const char *domain,
        GLogLevelFlags level,
        const char *message,
        gpointer data)
{
  g_mutex_lock (&log_mutex);
  g_string_append_printf (said, "%s\n", message);
  g_mutex_unlock (&log_mutex);
  g_test_message ("%s", message);
}

static gboolean
was_said (const char *words)
{
  gboolean found;

  g_mutex_lock (&log_mutex);
  found = strstr (said->str, words) != NULL;
  g_mutex_unlock (&log_mutex);

  return found;
}

/* --- The scene. --- */

static GwQueue *
open_queue (Away *self,
            gboolean wait,
            GError **error)
{
  GwRedisQueueOptions options = {
    .uri = self->redis->uri,
    .max_concurrency = 10,
    .max_attempts = 3,
    .lease_seconds = lease,
    .spool_dir = self->folder,
    .wait = wait,
  };
  GwRedisQueue *queue = gw_redis_queue_new (&options, error);

  return queue != NULL ? GW_QUEUE (queue) : NULL;
}

static void
open_now (Away *self)
{
  g_autoptr (GError) error = NULL;
  static const Lane lanes[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 4, 0 } };

  self->queue = open_queue (self, FALSE, &error);
  g_assert_no_error (error);
  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
}

static void
set_up (Away *self,
        gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&log_mutex);
  g_string_truncate (said, 0);
  g_mutex_unlock (&log_mutex);
  self->redis = redis_server_new ();
  redis_server_start (self->redis);
  self->data = g_dir_make_tmp ("gangway-away-XXXXXX", &error);
  g_assert_no_error (error);
  self->folder = g_build_filename (self->data, "undelivered", NULL);
  open_now (self);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_remove (path);
}

static void
tear_down (Away *self,
           gconstpointer data)
{
  g_clear_object (&self->queue);
  redis_server_free (self->redis);
  remove_tree (self->data);
  g_free (self->data);
  g_free (self->folder);
}

static guint
count_kept (Away *self,
            const char *suffix)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, suffix);

  return n;
}

static GwReply *
answer_now (GwQueue *queue,
            const char *text)
{
  GwReply *reply = gw_reply_new ();

  reply->act = GW_REPLY_ANSWER;
  reply->result = g_strdup (text);
  reply->model = g_strdup ("m");
  reply->sent_at = reply->ended_at = gw_clock_now (gw_queue_get_clock (queue));

  return reply;
}

static GwFinishResult
finish_now (GwQueue *queue,
            guint64 attempt,
            const char *text,
            GError **error)
{
  g_autoptr (GwReply) reply = answer_now (queue, text);
  GwFinishResult finished = GW_FINISH_IGNORED;

  fx_finish (queue, attempt, reply, &finished, error);

  return finished;
}

/* Until the queue's trouble is @code; NULL: none. */
static void
wait_trouble (GwQueue *queue,
              const char *code)
{
  while (TRUE)
    {
      g_autoptr (GwQueueTrouble) trouble = gw_queue_get_trouble (queue, NULL);

      if (g_strcmp0 (trouble != NULL ? trouble->code : NULL, code) == 0)
        return;
      g_usleep (5000);
    }
}

static void
wait_status (GwQueue *queue,
             const char *id,
             GwTaskStatus status,
             const char *result)
{
  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwTask) task = fx_get_task (queue, id, &error);

      if (task != NULL && task->status == status)
        {
          g_assert_cmpstr (task->result, ==, result);
          return;
        }
      g_usleep (5000);
    }
}

static void
wait_delivered (Away *self)
{
  guint kept = 1;

  while (kept > 0)
    {
      gw_queue_trouble_free (gw_queue_get_trouble (self->queue, &kept));
      g_usleep (5000);
    }
}

static GwGrant *
claim_one (GwQueue *queue)
{
  g_autoptr (GError) error = NULL;
  GwGrant *grant = fx_claim (queue, "alpha", 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (grant->verdict, ==, GW_VERDICT_START);
  g_assert_false (grant->idle);

  return grant;
}

/* Until nobody waits any more for those who had something in hand. */
static GwGrant *
claim_later (GwQueue *queue)
{
  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwGrant) grant = fx_claim (queue, "alpha", 0, &error);

      g_assert_no_error (error);
      if (grant->verdict == GW_VERDICT_START && !grant->idle)
        return g_steal_pointer (&grant);
      g_usleep (20000);
    }
}

static void
assert_refused (GwQueue *queue,
                GwVerdict verdict)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwGrant) grant = fx_claim (queue, "alpha", 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (grant->verdict, ==, verdict);
}

/* The data as they are now come back after what @self does next. */
static char *
save_now (Away *self,
          gsize *length)
{
  g_autofree char *dump = g_build_filename (self->redis->folder, "dump.rdb", NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  redis_server_tell (self->redis, "CONFIG", "SET", "appendonly", "no", NULL);
  redis_server_tell (self->redis, "SAVE", NULL);
  g_file_get_contents (dump, &text, length, &error);
  g_assert_no_error (error);

  return text;
}

static void
start_from (Away *self,
            const char *text,
            gsize length)
{
  g_autofree char *dump = g_build_filename (self->redis->folder, "dump.rdb", NULL);

  redis_server_forget (self->redis);
  g_assert_true (g_file_set_contents (dump, text, (gssize) length, NULL));
  redis_server_start_from_snapshot (self->redis);
}

static void
take_result (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/* A submission, whatever comes of it. */
static void
submit_any (GwQueue *queue)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) submitted = NULL;

  g_ptr_array_add (submission->tasks, gw_new_task_new ("any"));
  submitted = fx_submit (queue, submission, NULL);
}

/* --- Cases. --- */

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
  g_assert_cmpuint (count_kept (self, ".outcome"), ==, 1);
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
  wait_delivered (self);
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
  g_assert_cmpuint (count_kept (self, ".outcome"), ==, 2);

  redis_server_start (self->redis);
  open_now (self);
  wait_status (self->queue, ids->pdata[0], GW_TASK_COMPLETED, "one");
  wait_status (self->queue, ids->pdata[1], GW_TASK_COMPLETED, "two");
  wait_delivered (self);
  g_assert_cmpuint (count_kept (self, ""), ==, 0);
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
  wait_delivered (self);

  g_clear_object (&self->queue);
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  open_now (self);
  wait_delivered (self);
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
    other = open_queue (&elsewhere, FALSE, &error);
    g_assert_no_error (error);
    again = claim_one (other);
    g_assert_cmpstr (again->task_id, ==, id);
    finished = finish_now (other, again->attempt, "new", &error);
    g_assert_cmpint (finished, ==, GW_FINISH_STORED);
  }
  open_now (self);
  wait_delivered (self);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->answers_extra, ==, 1);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "new");
  g_assert_true (was_said ("1 that were paid twice"));
  g_object_unref (other);
}

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
  open_now (self);
  while (!was_said ("belong to a queue that is not the one"))
    g_usleep (5000);
  g_assert_cmpuint (count_kept (self, ".outcome"), ==, 1);
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
  wait_delivered (self);
  page = fx_attempts (self->queue, id, 0, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->attempts->len, ==, 1);
  gw_grant_free (claim_idle (self->queue, "alpha"));
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
  while (count_kept (self, ".undelivered") == 0)
    g_usleep (5000);
  wait_delivered (self);
  g_assert_true (was_said ("set aside after"));
  g_assert_true (was_said (bad));
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
  while (count_kept (self, ".undelivered") == 0)
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
  GwQueue *queues[2] = { self->queue, open_queue (&elsewhere, FALSE, &error) };
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
  text = save_now (self, &length);
  for (guint i = 0; i < 4; i++)
    {
      grants[i] = claim_one (queues[i % 2]);
      g_assert_true (fx_note_sent (queues[i % 2], grants[i]->attempt,
                                   gw_clock_now (gw_queue_get_clock (queues[i % 2])), &error));
    }
  redis_server_kill (self->redis);
  start_from (self, text, length);
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
  lease = SHORT_LEASE;
  open_now (self);
  lease = LEASE;
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

  text = save_now (self, &length);
  grant = claim_one (self->queue);
  redis_server_kill (self->redis);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "paid", &error), ==, GW_FINISH_KEPT);
  g_clear_object (&self->queue);
  dir = g_dir_open (self->folder, 0, &error);
  g_assert_no_error (error);
  path = g_build_filename (self->folder, g_dir_read_name (dir), NULL);
  g_assert_true (g_file_get_contents (path, &kept, &size, NULL));
  start_from (self, text, length);
  open_now (self);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "paid");
  wait_delivered (self);
  recovery = fx_recovery (self->queue);
  g_assert_cmpuint (recovery->attempts->len, ==, 1);

  g_clear_object (&self->queue);
  g_assert_true (g_file_set_contents (path, kept, (gssize) size, NULL));
  open_now (self);
  wait_delivered (self);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->answers_extra, ==, 0);
  g_assert_cmpuint (count_kept (self, ""), ==, 0);
}

/* Frozen: on disk while nobody answers, gone from there when it has. */
static void
test_frozen (Away *self,
             gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GwReply) reply = answer_now (self->queue, "patient");
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;
  GwFinishResult finished;

  redis_server_signal (self->redis, SIGSTOP);
  gw_queue_finish_async (self->queue, grant->attempt, reply, take_result, &result);
  while (count_kept (self, ".outcome") == 0)
    g_usleep (5000);
  wait_trouble (self->queue, "silent");
  redis_server_signal (self->redis, SIGCONT);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (gw_queue_finish_finish (self->queue, result, &finished, &error));
  g_assert_no_error (error);
  g_assert_cmpint (finished, ==, GW_FINISH_STORED);
  g_object_unref (result);
  wait_trouble (self->queue, NULL);
  wait_delivered (self);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "patient");
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
  g_assert_cmpuint (count_kept (self, ".outcome"), ==, 0);

  redis_server_start (self->redis);
  wait_trouble (self->queue, NULL);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "stays", &error), ==,
                   GW_FINISH_STORED);
  g_assert_no_error (error);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "stays");
}

/* Out of memory: submissions are refused, no step is half done, and it goes on when there is
 * some. */
static void
test_full (Away *self,
           gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, NULL, 4);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GwNewTask) task = gw_new_task_new ("more");
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwSubmitted) none = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GError) error = NULL;

  redis_server_tell (self->redis, "CONFIG", "SET", "maxmemory", "1", NULL);
  g_ptr_array_add (submission->tasks, g_steal_pointer (&task));
  none = fx_submit (self->queue, submission, &error);
  g_assert_null (none);
  g_assert_error (error, GW_ERROR, GW_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "maxmemory"));
  g_clear_error (&error);
  wait_trouble (self->queue, "full");
  /* What is in hand is stored, or kept; never lost. */
  finish_now (self->queue, grant->attempt, "in hand", &error);
  g_assert_no_error (error);

  redis_server_tell (self->redis, "CONFIG", "SET", "maxmemory", "0", NULL);
  wait_trouble (self->queue, NULL);
  wait_delivered (self);
  wait_status (self->queue, ids->pdata[0], GW_TASK_COMPLETED, "in hand");
  for (guint i = 1; i < ids->len; i++)
    {
      g_autoptr (GwGrant) next = claim_one (self->queue);

      g_assert_cmpstr (next->task_id, ==, ids->pdata[i]);
      g_assert_cmpint (finish_now (self->queue, next->attempt, "rest", &error), ==,
                       GW_FINISH_STORED);
    }
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_COMPLETED], ==, 4);
  g_assert_cmpuint (stats->in_flight, ==, 0);
}

/* It cannot write its data: every change is refused, and an answer is kept here. */
static void
test_no_disk (Away *self,
              gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GwQueueTrouble) trouble = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *gone = g_build_filename (self->data, "gone", NULL);

  redis_server_tell (self->redis, "CONFIG", "SET", "appendonly", "no", NULL);
  redis_server_tell (self->redis, "CONFIG", "SET", "save", "3600 1", NULL);
  g_assert_cmpint (g_mkdir (gone, 0700), ==, 0);
  redis_server_tell (self->redis, "CONFIG", "SET", "dir", gone, NULL);
  g_assert_cmpint (g_rmdir (gone), ==, 0);
  redis_server_tell (self->redis, "BGSAVE", NULL);
  /* It notices a little later. */
  while (trouble == NULL)
    {
      submit_any (self->queue);
      trouble = gw_queue_get_trouble (self->queue, NULL);
      g_usleep (5000);
    }
  g_assert_cmpstr (trouble->code, ==, "disk");
  g_assert_nonnull (strstr (trouble->message, "its disk"));
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "kept", &error), ==, GW_FINISH_KEPT);
  g_assert_no_error (error);
  g_assert_cmpuint (count_kept (self, ".outcome"), ==, 1);
  /* What is there can be read. */
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_RUNNING);

  redis_server_tell (self->redis, "CONFIG", "SET", "stop-writes-on-bgsave-error", "no", NULL);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "kept");
  wait_delivered (self);
  wait_trouble (self->queue, NULL);
}

/* Made a replica under us, and the primary again. */
static void
test_replica (Away *self,
              gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autoptr (GError) error = NULL;

  redis_server_tell (self->redis, "REPLICAOF", "127.0.0.1", "1", NULL);
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "kept", &error), ==, GW_FINISH_KEPT);
  g_assert_no_error (error);
  wait_trouble (self->queue, "read-only");
  g_assert_true (was_said ("replica"));
  redis_server_tell (self->redis, "REPLICAOF", "NO", "ONE", NULL);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "kept");
  wait_delivered (self);
}

/* A password is set, and everybody is sent away. */
static void
test_locked_out (Away *self,
                 gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_one (self->queue);
  g_autofree char *open_uri = g_strdup (self->redis->uri);
  g_autoptr (GError) error = NULL;

  redis_server_tell (self->redis, "CONFIG", "SET", "requirepass", "pw", NULL);
  g_free (self->redis->uri);
  self->redis->uri = g_strconcat (open_uri, "?password=pw", NULL);
  redis_server_tell (self->redis, "CLIENT", "KILL", "TYPE", "normal", NULL);
  wait_trouble (self->queue, "access");
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "kept", &error), ==, GW_FINISH_KEPT);
  redis_server_tell (self->redis, "CONFIG", "SET", "requirepass", "", NULL);
  g_free (self->redis->uri);
  self->redis->uri = g_steal_pointer (&open_uri);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "kept");
}

/* While it runs nothing that ails Redis ends the engine: an evicting policy is waited out. */
static void
test_evicting (Away *self,
               gconstpointer data)
{
  redis_server_tell (self->redis, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru", NULL);
  redis_server_tell (self->redis, "CLIENT", "KILL", "TYPE", "normal", NULL);
  wait_trouble (self->queue, "settings");
  g_assert_true (was_said ("noeviction"));
  redis_server_tell (self->redis, "CONFIG", "SET", "maxmemory-policy", "noeviction", NULL);
  wait_trouble (self->queue, NULL);
  g_free (submit_one (self->queue, "x", NULL));
}

/* Set to evict while the queue works: found out within a minute, here when it is made to look. */
static void
test_evicting_later (Away *self,
                     gconstpointer data)
{
  redis_server_tell (self->redis, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru", NULL);
  redis_server_tell (self->redis, "PUBLISH", "gangway:events:0", "somebody\nf", NULL);
  wait_trouble (self->queue, "settings");
  g_assert_true (was_said ("noeviction"));
  redis_server_tell (self->redis, "CONFIG", "SET", "maxmemory-policy", "noeviction", NULL);
  wait_trouble (self->queue, NULL);
}

static gpointer
keep_busy (gpointer data)
{
  redis_server_tell (data, "EVAL",
                     "local function at() local t = redis.call('TIME') return t[1] + t[2] / 1e6 end "
                     "local till = at() + 4 while at() < till do end", "0", NULL);

  return NULL;
}

/* Another program's script keeps it busy: it is told as what it is. */
static void
test_busy (Away *self,
           gconstpointer data)
{
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  GThread *thread;

  grant = claim_one (self->queue);
  redis_server_tell (self->redis, "CONFIG", "SET", "lua-time-limit", "100", NULL);
  thread = g_thread_new ("busy", keep_busy, self->redis);
  while (!was_said ("Another script keeps it busy"))
    {
      submit_any (self->queue);
      g_usleep (5000);
    }
  wait_trouble (self->queue, "silent");
  g_assert_cmpint (finish_now (self->queue, grant->attempt, "paid", &error), ==, GW_FINISH_KEPT);
  g_thread_join (thread);
  wait_trouble (self->queue, NULL);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "paid");
}

/* Down at the start: who asked to wait does, the other one ends. */
static void
test_down_at_start (Away *self,
                    gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwQueueTrouble) trouble = NULL;
  g_autoptr (GwTask) task = NULL;
  guint n_kept;

  g_clear_object (&self->queue);
  redis_server_kill (self->redis);
  g_assert_null (open_queue (self, FALSE, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_clear_error (&error);

  self->queue = open_queue (self, TRUE, &error);
  g_assert_no_error (error);
  trouble = gw_queue_get_trouble (self->queue, &n_kept);
  g_assert_cmpstr (trouble->code, ==, "away");
  g_assert_cmpuint (n_kept, ==, 0);
  task = fx_get_task (self->queue, "01900000-0000-7000-8000-00000000dead", &error);
  g_assert_null (task);
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  redis_server_start (self->redis);
  wait_trouble (self->queue, NULL);
  g_free (submit_one (self->queue, "x", NULL));
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
  g_assert_cmpuint (count_kept (self, ".outcome"), ==, 1);
}

#define ADD(path, func) g_test_add ("/redis-away/" path, Away, NULL, set_up, func, tear_down)

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGXFSZ, SIG_IGN);
  said = g_string_new (NULL);
  /* What is wrong with Redis is warned of here, and that is looked at. */
  g_log_set_always_fatal ((GLogLevelFlags) (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK));
  g_log_set_default_handler (log_cb, NULL);

  ADD ("back-with-data", test_back_with_data);
  ADD ("next-process", test_next_process);
  ADD ("told-twice", test_told_twice);
  ADD ("paid-twice", test_paid_twice);
  ADD ("back-without-data", test_back_without_data);
  ADD ("back-with-older-data", test_back_with_older_data);
  ADD ("lost-claim", test_lost_claim);
  ADD ("one-fails", test_one_fails);
  ADD ("step-fails", test_step_fails);
  ADD ("lost-claims-in-flight", test_lost_claims_in_flight);
  ADD ("lost-data-in-flight", test_lost_data_in_flight);
  ADD ("who-comes-late", test_who_comes_late);
  ADD ("adopted-twice", test_adopted_twice);
  ADD ("frozen", test_frozen);
  ADD ("full-disk-too", test_full_disk_too);
  ADD ("full", test_full);
  ADD ("no-disk", test_no_disk);
  ADD ("replica", test_replica);
  ADD ("locked-out", test_locked_out);
  ADD ("evicting", test_evicting);
  ADD ("evicting-later", test_evicting_later);
  ADD ("busy", test_busy);
  ADD ("down-at-start", test_down_at_start);
  ADD ("close-while-away", test_close_while_away);

  return g_test_run ();
}
