/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "away-fixture.h"
#include "gw-error.h"
#include "queue-fixture.h"

/*
 * A Redis that is frozen, full, without a disk, a replica, locked, busy or not there yet: what is
 * said, and that everything goes on by itself.
 */

static void
take_result (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
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
  while (away_count_kept (self, ".outcome") == 0)
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
  away_wait_delivered (self);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "patient");
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
  away_wait_delivered (self);
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
  g_assert_cmpuint (away_count_kept (self, ".outcome"), ==, 1);
  /* What is there can be read. */
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_RUNNING);

  redis_server_tell (self->redis, "CONFIG", "SET", "stop-writes-on-bgsave-error", "no", NULL);
  wait_status (self->queue, id, GW_TASK_COMPLETED, "kept");
  away_wait_delivered (self);
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
  away_wait_delivered (self);
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
  g_assert_null (away_open_queue (self, FALSE, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_clear_error (&error);

  self->queue = away_open_queue (self, TRUE, &error);
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

static void
add_cases (void)
{
  AWAY_ADD ("/redis-ill/frozen", test_frozen);
  AWAY_ADD ("/redis-ill/full", test_full);
  AWAY_ADD ("/redis-ill/no-disk", test_no_disk);
  AWAY_ADD ("/redis-ill/replica", test_replica);
  AWAY_ADD ("/redis-ill/locked-out", test_locked_out);
  AWAY_ADD ("/redis-ill/evicting", test_evicting);
  AWAY_ADD ("/redis-ill/evicting-later", test_evicting_later);
  AWAY_ADD ("/redis-ill/busy", test_busy);
  AWAY_ADD ("/redis-ill/down-at-start", test_down_at_start);
}

int
main (int argc,
      char **argv)
{
  return away_main (argc, argv, add_cases);
}
