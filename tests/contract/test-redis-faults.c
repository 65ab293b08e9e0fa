/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-fixture.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-queue.h"

/*
 * What only a queue in Redis can meet: a second engine, a lease that runs out, settings that lose
 * tasks, scripts and keys that are gone. The server is engine-redis.c's.
 */

static GwQueue *
open_other (Fixture *self,
            guint lease_seconds)
{
  g_autoptr (GError) error = NULL;
  GwRedisQueueOptions options = {
    .uri = self->data,
    .clock = self->clock,
    .max_concurrency = self->settings.max_concurrency,
    .max_attempts = self->settings.max_attempts,
    .lease_seconds = lease_seconds,
  };
  GwRedisQueue *queue = gw_redis_queue_new (&options, &error);

  g_assert_no_error (error);

  return GW_QUEUE (queue);
}

static void
close_other (GwQueue *queue)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (fx_close (queue, &error));
  g_object_unref (queue);
}

static void
command (Fixture *self,
         const char *first,
         const char *second,
         const char *third,
         const char *fourth)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwRedisAddress) address = gw_redis_address_parse (self->data, &error);
  g_autoptr (GwRedisConnection) connection = gw_redis_connection_new (address);
  g_autoptr (redisReply) reply = NULL;

  g_assert_true (gw_redis_connection_open (connection, FALSE, &error));
  reply = gw_redis_connection_run (connection, &error, first, second, third, fourth, NULL);
  g_assert_no_error (error);
}

static void
assert_refused (Fixture *self,
                GwError code,
                const char *words)
{
  GwRedisQueueOptions options = { .uri = self->data, .max_concurrency = 1, .max_attempts = 1,
                                  .lease_seconds = 15 };
  g_autoptr (GError) error = NULL;

  g_assert_null (gw_redis_queue_new (&options, &error));
  g_assert_error (error, GW_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, words));
}

typedef struct {
  guint wakes;
  guint64 revision;
  guint64 aborted;
} Heard;

static void
lane_cb (GwLaneEvent event,
         guint64 attempt,
         gpointer data)
{
  Heard *heard = data;

  if (event == GW_LANE_WAKE)
    heard->wakes++;
  else
    heard->aborted = attempt;
}

static void
revision_cb (guint64 revision,
             gpointer data)
{
  ((Heard *) data)->revision = revision;
}

/* What one engine changes, the other one's watches tell. */
static void
test_two_engines (Fixture *self,
                  gconstpointer data)
{
  GwQueue *other = open_other (self, 15);
  Heard heard = { 0 };
  guint lane = gw_queue_watch_lane (other, "alpha", NULL, lane_cb, &heard, NULL);
  guint revision = gw_queue_watch_revision (other, NULL, revision_cb, &heard, NULL);
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  gw_grant_free (claim_idle (other, "alpha"));
  heard.wakes = 0;
  id = submit_one (self->queue, "x", NULL);
  while (heard.wakes == 0 || heard.revision == 0)
    g_main_context_iteration (NULL, TRUE);
  grant = claim_start (other, "alpha");
  g_assert_cmpstr (grant->task_id, ==, id);
  task = fx_cancel (self->queue, id, &error);
  g_assert_no_error (error);
  while (heard.aborted == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (heard.aborted, ==, grant->attempt);
  gw_queue_unwatch (other, lane);
  gw_queue_unwatch (other, revision);
  close_other (other);
}

/* The cap is over both. */
static void
test_limits_over_engines (Fixture *self,
                          gconstpointer data)
{
  static const Lane two[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 2, 0 } };
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 5);
  GwQueue *other = open_other (self, 15);
  g_autoptr (GwGrant) mine = NULL;
  g_autoptr (GwGrant) theirs = NULL;

  set_lanes (self->queue, two, 1);
  mine = claim_start (self->queue, "alpha");
  theirs = claim_start (other, "alpha");
  g_assert_cmpuint (mine->attempt, !=, theirs->attempt);
  gw_grant_free (claim_refused (self->queue, "alpha", GW_VERDICT_SLOTS));
  gw_grant_free (claim_refused (other, "alpha", GW_VERDICT_SLOTS));
  close_other (other);
}

/* More uncertain calls than one step tells of. */
static void
test_many_uncertain (Fixture *self,
                     gconstpointer data)
{
  static const Lane wide[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 400, 0 } };
  const guint n = 320;
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = NULL;
  g_autoptr (GwRecovery) recovery = NULL;
  g_autoptr (GError) error = NULL;
  GwQueue *other;

  command (self, "HSET", "gangway:head", "cap", "400");
  ids = submit_many (self->queue, NULL, n);
  {
    g_autoptr (GPtrArray) providers = make_providers (wide, 1);
    g_auto (GStrv) none = fx_set_providers (self->queue, providers, TRUE, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (g_strv_length (none), ==, 0);
  }
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      g_assert_true (fx_note_sent (self->queue, grant->attempt, gw_clock_now (self->clock),
                                   &error));
    }
  command (self, "HSET", "gangway:head", "cap", "10");
  gw_clock_advance (self->clock, 16000);
  other = open_other (self, 15);
  recovery = fx_recovery (other);
  g_assert_cmpuint (recovery->attempts->len, ==, n);
  close_other (other);
}

/* Frozen past its lease: its task goes to another, its late answer does not overwrite. */
static void
test_fenced (Fixture *self,
             gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) frozen = claim_start (self->queue, "alpha");
  g_autoptr (GwGrant) again = NULL;
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwRecovery) recovery = NULL;
  g_autoptr (GError) error = NULL;
  GwQueue *other;

  g_assert_true (fx_note_sent (self->queue, frozen->attempt, gw_clock_now (self->clock), &error));
  gw_clock_advance (self->clock, 16000);
  other = open_other (self, 15);
  recovery = fx_recovery (other);
  g_assert_cmpuint (recovery->attempts->len, ==, 1);
  again = claim_start (other, "alpha");
  g_assert_cmpstr (again->task_id, ==, id);
  g_assert_true (fx_note_sent (other, again->attempt, gw_clock_now (self->clock), &error));
  g_assert_cmpint (finish (self->queue, frozen->attempt, make_answer (self->clock, "late")), ==,
                   GW_FINISH_EXTRA);
  g_assert_cmpint (finish (other, again->attempt, make_answer (self->clock, "new")), ==,
                   GW_FINISH_STORED);
  task = fx_get_task (self->queue, id, &error);
  g_assert_cmpstr (task->result, ==, "new");
  close_other (other);
}

static void
test_policy (Fixture *self,
             gconstpointer data)
{
  command (self, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  assert_refused (self, GW_ERROR_CONFIG, "noeviction");
  command (self, "CONFIG", "SET", "maxmemory-policy", "noeviction");
}

static void
test_password (Fixture *self,
               gconstpointer data)
{
  g_autofree char *with_password = g_strconcat (self->data, "?password=pw", NULL);
  g_autofree char *without = self->data;
  g_autofree char *wrong = g_strconcat (without, "?password=no", NULL);

  command (self, "CONFIG", "SET", "requirepass", "pw");
  assert_refused (self, GW_ERROR_CONFIG, "It wants a password");
  self->data = wrong;
  assert_refused (self, GW_ERROR_CONFIG, "does not accept");
  self->data = with_password;
  command (self, "CONFIG", "SET", "requirepass", "");
  self->data = g_steal_pointer (&without);
}

static void
test_replica (Fixture *self,
              gconstpointer data)
{
  command (self, "REPLICAOF", "127.0.0.1", "1", NULL);
  assert_refused (self, GW_ERROR_UNAVAILABLE, "Give the address of the primary");
  command (self, "REPLICAOF", "NO", "ONE", NULL);
}

static void
test_scripts_gone (Fixture *self,
                   gconstpointer data)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autofree char *id = NULL;

  command (self, "SCRIPT", "FLUSH", NULL, NULL);
  ids = submit_many (self->queue, "p", 200);
  command (self, "SCRIPT", "FLUSH", NULL, NULL);
  id = submit_one (self->queue, "one more", "p");
  command (self, "SCRIPT", "FLUSH", NULL, NULL);
  gw_grant_free (claim_start (self->queue, "alpha"));
}

static void
test_keys_gone (Fixture *self,
                gconstpointer data)
{
  g_autofree char *first = submit_one (self->queue, "x", NULL);
  g_autofree char *second = submit_one (self->queue, "y", NULL);
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GwTask) none = NULL;
  g_autoptr (GError) error = NULL;

  /* One task's row by hand: the queue goes on with the next, and is looked through. */
  g_test_expect_message ("gw-queue", G_LOG_LEVEL_WARNING, "*all of it is looked through*");
  command (self, "DEL", "gangway:t:1", NULL, NULL);
  gw_grant_free (fx_claim (self->queue, "alpha", 0, &error));
  g_assert_no_error (error);
  grant = fx_claim (self->queue, "alpha", 0, &error);
  g_assert_no_error (error);
  none = fx_get_task (self->queue, first, &error);
  g_assert_null (none);
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
  g_clear_error (&error);

  /* Everything: said, and a new queue begins. */
  g_test_expect_message ("gw-queue", G_LOG_LEVEL_WARNING, "*came back without its data*");
  command (self, "FLUSHALL", NULL, NULL, NULL);
  none = fx_get_task (self->queue, second, &error);
  g_assert_null (none);
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_free (submit_one (self->queue, "z", NULL));
  g_test_assert_expected_messages ();
}

/* --- Keys of one kind, deleted by hand in the midst of work. --- */

#define ROUNDS 500
#define DAY (24 * 3600 * 1000)

/* What is missing is warned of, from then on also by engines that are being closed, and that ends
 * no test. */
static void
bear_warnings (void)
{
  g_log_set_always_fatal ((GLogLevelFlags) (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK));
}

static gint64
ask_head (Fixture *self,
          const char *field)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwRedisAddress) address = gw_redis_address_parse (self->data, &error);
  g_autoptr (GwRedisConnection) connection = gw_redis_connection_new (address);
  g_autoptr (redisReply) reply = NULL;

  g_assert_true (gw_redis_connection_open (connection, FALSE, &error));
  reply = gw_redis_connection_run (connection, &error, "HGET", "gangway:head", field, NULL);
  g_assert_no_error (error);

  return reply->type == REDIS_REPLY_STRING ? g_ascii_strtoll (reply->str, NULL, 10) : 0;
}

static void
delete_keys (Fixture *self,
             const char *pattern)
{
  command (self, "EVAL", "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end",
           "0", pattern);
}

/* Until the queue has been looked through once more. */
static void
await_pass (Fixture *self)
{
  gint64 before = ask_head (self, "pass");

  for (guint i = 0; ask_head (self, "pass") == before || ask_head (self, "repair") != 0; i++)
    {
      g_assert_cmpuint (i, <, ROUNDS);
      /* What cannot be seen at a glance is found once a day. */
      gw_clock_advance (self->clock, ask_head (self, "pass") > before ? 2000 : i < 5 ? 61000 : DAY);
      gw_queue_stats_free (fx_stats (self->queue));
    }
}

/* A case: which keys, and how many tasks are lost with them. */
typedef struct {
  const char *pattern;
  guint n_lost;
} Torn;

static const Torn torn[] = {
  { "gangway:p:*" },       { "gangway:l:*" },         { "gangway:q:*" },
  { "gangway:way:*" },     { "gangway:e:*" },         { "gangway:live:*" },
  { "gangway:engine:*" },  { "gangway:engines" },     { "gangway:who:*" },
  { "gangway:lane:*" },    { "gangway:lanes" },       { "gangway:queued:*" },
  { "gangway:tasks:*" },   { "gangway:piles:*" },     { "gangway:due" },
  { "gangway:startable" }, { "gangway:feed" },        { "gangway:project-ids" },
  { "gangway:i:*" },       { "gangway:piles-ready" }, { "gangway:s:*" },
  { "gangway:told" },      { "gangway:projects" },    { "gangway:[plq]:*" },
  { "gangway:t:4", 1 },    { "gangway:c:4", 1 },      { "gangway:[el]*:*" },
  { "gangway:ways:*" },    { "gangway:order:*" },
};

/* Its data are not the settings of the queue. */
static void
torn_set_up (Fixture *self,
             gconstpointer data)
{
  fixture_set_up (self, NULL);
}

static void
test_torn (Fixture *self,
           gconstpointer data)
{
  const Torn *it = data;
  g_autoptr (GPtrArray) first = submit_many (self->queue, "first", 6);
  g_autoptr (GPtrArray) second = submit_many (self->queue, "second", 70);
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GError) error = NULL;
  GwProjectPatch serial = { .sets_concurrency = TRUE, .concurrency = 1 };
  GwFeedQuery all = { .limit = 500 };
  guint ended = 0, lost = 0;
  guint64 held[3];

  bear_warnings ();
  gw_project_unref (fx_patch (self->queue, "second", &serial, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (held); i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      held[i] = grant->attempt;
      g_assert_true (fx_note_sent (self->queue, held[i], gw_clock_now (self->clock), &error));
    }
  /* One waits for its next try; two are under way. */
  finish (self->queue, held[0], make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER));

  delete_keys (self, it->pattern);
  await_pass (self);
  for (guint i = 1; i < G_N_ELEMENTS (held); i++)
    {
      GwReply *reply = make_answer (self->clock, "paid");
      GwFinishResult finished;

      g_assert_true (fx_finish (self->queue, held[i], reply, &finished, &error));
      g_assert_no_error (error);
      g_assert_cmpint (finished, ==, GW_FINISH_STORED);
      gw_reply_free (reply);
    }
  for (guint i = 0; i < ROUNDS; i++)
    {
      g_autoptr (GwGrant) grant = fx_claim (self->queue, "alpha", 0, &error);

      g_clear_error (&error);
      if (grant != NULL && grant->verdict == GW_VERDICT_START && !grant->idle)
        {
          g_assert_cmpstr (grant->content, !=, "");
          finish (self->queue, grant->attempt, make_answer (self->clock, "x"));
          continue;
        }
      stats = fx_stats (self->queue);
      ended = (guint) (stats->counts[GW_TASK_COMPLETED] + stats->counts[GW_TASK_FAILED]);
      if (stats->counts[GW_TASK_QUEUED] + stats->counts[GW_TASK_RUNNING] == 0)
        break;
      g_clear_pointer (&stats, gw_queue_stats_free);
      gw_clock_advance (self->clock, 1000);
    }
  g_assert_nonnull (stats);
  page = fx_feed (self->queue, &all, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < page->tasks->len; i++)
    {
      GwTask *task = page->tasks->pdata[i];

      lost += task->status == GW_TASK_FAILED;
      if (task->status != GW_TASK_FAILED)
        g_assert_cmpint (task->status, ==, GW_TASK_COMPLETED);
      else
        g_assert_cmpint (task->error_code, ==, GW_ERROR_TASK_LOST);
    }
  g_assert_cmpuint (page->tasks->len - lost + it->n_lost, ==, first->len + second->len);
  g_assert_cmpuint (ended, ==, page->tasks->len);
  for (guint i = 0; i < first->len; i++)
    {
      g_autoptr (GwTask) task = fx_get_task (self->queue, first->pdata[i], NULL);

      g_assert_true (task != NULL || it->n_lost > 0);
    }
  /* Every slot is free again, and what is submitted now runs. */
  gw_clock_advance (self->clock, 120000);
  g_free (submit_one (self->queue, "new", "first"));
  for (guint i = 0; i < 4; i++)
    {
      g_free (submit_one (self->queue, "new", "third"));
      gw_grant_free (claim_start (self->queue, "alpha"));
    }
}

/* The head alone: a new queue begins, and not on top of what is left. */
static void
test_head_gone (Fixture *self,
                gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "first", 6);
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  bear_warnings ();
  command (self, "DEL", "gangway:head", NULL, NULL);
  task = fx_get_task (self->queue, ids->pdata[0], &error);
  g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
  g_clear_error (&error);
  id = submit_one (self->queue, "new", "first");
  gw_clock_advance (self->clock, 10000);
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, id);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  task = fx_get_task (self->queue, ids->pdata[0], &error);
  g_assert_error (error, GW_ERROR, GW_ERROR_NOT_FOUND);
}

/* The connection is cut: calls after it work again, by themselves. */
static void
test_cut (Fixture *self,
          gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "x", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;

  g_test_expect_message ("gw-queue", G_LOG_LEVEL_WARNING, "*Redis at*");
  command (self, "CLIENT", "KILL", "TYPE", "normal");
  /* The answer is paid: its delivery waits for the next connection. */
  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "paid")), ==,
                   GW_FINISH_STORED);
  g_test_assert_expected_messages ();
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (task->result, ==, "paid");
}

#define ADD(path, func) \
  g_test_add ("/redis/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("many-uncertain", test_many_uncertain);
  ADD ("two-engines", test_two_engines);
  ADD ("limits-over-engines", test_limits_over_engines);
  ADD ("fenced", test_fenced);
  ADD ("policy", test_policy);
  ADD ("password", test_password);
  ADD ("replica", test_replica);
  ADD ("scripts-gone", test_scripts_gone);
  ADD ("keys-gone", test_keys_gone);
  ADD ("cut", test_cut);
  ADD ("head-gone", test_head_gone);
  for (guint i = 0; i < G_N_ELEMENTS (torn); i++)
    {
      g_autofree char *path = g_strconcat ("/redis/torn/", torn[i].pattern, NULL);

      g_test_add (path, Fixture, &torn[i], torn_set_up, test_torn, fixture_tear_down);
    }

  return g_test_run ();
}
