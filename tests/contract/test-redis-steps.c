/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-fixture.h"
#include "queue/gw-redis-connection.h"
#include "queue/gw-redis-queue.h"
#include "queue/gw-redis-reply.h"

/* What goes in several steps, cut off between two of them: nothing is seen of half a batch, and
 * what was begun for a whole project is ended by whoever looks next. The server is
 * engine-redis.c's. */

#define TASKS 4000
#define ROUNDS 4000

static redisReply *
ask (Fixture *self,
     const char *first,
     const char *second,
     const char *third,
     const char *fourth)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GwRedisAddress) address = gw_redis_address_parse (self->data, &error);
  g_autoptr (GwRedisConnection) connection = gw_redis_connection_new (address);
  redisReply *reply;

  g_assert_true (gw_redis_connection_open (connection, FALSE, &error));
  reply = gw_redis_connection_run (connection, &error, first, second, third, fourth, NULL);
  g_assert_no_error (error);

  return reply;
}

static gint64
ask_number (Fixture *self,
            const char *first,
            const char *second)
{
  g_autoptr (redisReply) reply = ask (self, first, second, NULL, NULL);

  return reply->integer;
}

static void
cut_off (Fixture *self)
{
  g_autoptr (redisReply) reply = ask (self, "CLIENT", "KILL", "TYPE", "normal");

  g_assert_cmpint (reply->type, !=, REDIS_REPLY_ERROR);
}

/* The first calls may still meet the connection that is gone. */
static void
await_connection (Fixture *self)
{
  for (guint i = 0;; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwProject) project = fx_get_project (self->queue, "default", &error);

      if (project != NULL)
        return;
      g_assert_error (error, GW_ERROR, GW_ERROR_UNAVAILABLE);
      g_assert_cmpuint (i, <, ROUNDS);
      g_usleep (10000);
    }
}

typedef struct {
  gboolean done;
  gboolean worked;
} Wait;

static void
submitted_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  Wait *wait = user_data;
  g_autoptr (GwSubmitted) submitted = gw_queue_submit_finish (GW_QUEUE (source), result, NULL);

  wait->worked = submitted != NULL;
  wait->done = TRUE;
}

static void
acted_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  Wait *wait = user_data;
  guint64 changed;

  wait->worked = gw_queue_act_on_project_finish (GW_QUEUE (source), result, &changed, NULL);
  wait->done = TRUE;
}

static void
test_half_a_batch (Fixture *self,
                   gconstpointer data)
{
  g_autoptr (GwSubmission) submission = gw_submission_new ();
  g_autoptr (GwQueueStats) stats = NULL;
  Wait wait = { FALSE, FALSE };

  for (guint i = 0; i < TASKS; i++)
    g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
  g_test_expect_message ("gw-queue", G_LOG_LEVEL_WARNING, "*Redis at*");
  gw_queue_submit_async (self->queue, submission, submitted_cb, &wait);
  while (!wait.done && ask_number (self, "EXISTS", "gangway:b:1") == 0)
    g_thread_yield ();
  cut_off (self);
  while (!wait.done)
    g_main_context_iteration (NULL, TRUE);
  await_connection (self);
  stats = fx_stats (self->queue);
  g_test_assert_expected_messages ();
  /* It may have come through just before. */
  if (wait.worked || stats->counts[GW_TASK_QUEUED] > 0)
    {
      g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, TASKS);
      return;
    }

  gw_clock_advance (self->clock, 11 * 60 * 1000);
  for (guint i = 0; ask_number (self, "ZCARD", "gangway:stages") > 0; i++)
    {
      g_assert_cmpuint (i, <, ROUNDS);
      gw_queue_stats_free (fx_stats (self->queue));
    }
  g_assert_cmpint (ask_number (self, "EXISTS", "gangway:t:1"), ==, 0);
  g_assert_cmpint (ask_number (self, "EXISTS", "gangway:b:1"), ==, 0);
}

static void
test_half_a_verb (Fixture *self,
                  gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, "many", TASKS);
  GwProjectAct act = { GW_PROJECT_CANCEL };
  Wait wait = { FALSE, FALSE };

  g_test_expect_message ("gw-queue", G_LOG_LEVEL_WARNING, "*Redis at*");
  gw_queue_act_on_project_async (self->queue, "many", &act, acted_cb, &wait);
  while (!wait.done && ask_number (self, "ZCARD", "gangway:jobs") == 0)
    g_thread_yield ();
  /* Nothing of it begins any more, though most of it is queued still. */
  gw_grant_free (claim_idle (self->queue, "alpha"));
  cut_off (self);
  while (!wait.done)
    g_main_context_iteration (NULL, TRUE);
  await_connection (self);

  for (guint i = 0;; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwProject) project = fx_get_project (self->queue, "many", &error);

      g_assert_no_error (error);
      g_assert_cmpuint (project->counts[GW_TASK_CANCELLED] + project->counts[GW_TASK_QUEUED], ==,
                        TASKS);
      if (project->counts[GW_TASK_CANCELLED] == TASKS)
        break;
      g_assert_cmpuint (i, <, ROUNDS);
      gw_clock_advance (self->clock, 4000);
    }
  g_test_assert_expected_messages ();
  g_assert_cmpint (ask_number (self, "ZCARD", "gangway:jobs"), ==, 0);
}

static gint64
count_steps (Fixture *self)
{
  g_autoptr (redisReply) reply = ask (self, "HGET", "gangway:head", "steps", NULL);

  return g_ascii_strtoll (reply->str, NULL, 10);
}

/* As long as more waits than faster lanes could take, which lane takes it is no question: a claim
 * is one step, with several lanes as with one. */
static void
test_a_claim_is_one_step (Fixture *self,
                          gconstpointer data)
{
  static const Lane lanes[] = { { "alpha", GW_PROVIDER_OPENAI, "m", 5, 0 },
                                { "beta", GW_PROVIDER_OPENAI, "m", 5, 0 } };
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = NULL;
  gint64 before;

  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  ids = submit_many (self->queue, "many", 60);
  before = count_steps (self);
  for (guint i = 0; i < 5; i++)
    {
      gw_grant_free (claim_start (self->queue, "alpha"));
      gw_grant_free (claim_start (self->queue, "beta"));
    }
  /* The engine's own, a beat of its lease, may be among them. */
  g_assert_cmpint (count_steps (self) - before, <, 2 * 10);
}

/* All commands that Redis has run so far, those of scripts included. */
static guint64
count_commands (Fixture *self)
{
  g_autoptr (redisReply) reply = ask (self, "INFO", "commandstats", NULL, NULL);
  guint64 n = 0;

  for (const char *calls = strstr (reply->str, "calls="); calls != NULL;
       calls = strstr (calls + 1, ":calls="))
    n += g_ascii_strtoull (strchr (calls, '=') + 1, NULL, 10);

  return n;
}

static guint64
count_commands_of_claims (Fixture *self,
                          guint n_pins)
{
  g_autofree char *name = g_strdup_printf ("with %u", n_pins);
  GwProjectAct act = { GW_PROJECT_CANCEL };
  g_autoptr (GError) error = NULL;
  guint64 before, n, changed;

  for (guint i = 0; i < n_pins; i++)
    {
      g_autofree char *model = g_strdup_printf ("model-%u", i);

      g_free (submit_pinned (self->queue, "x", name, "alpha", model, 0));
    }
  before = count_commands (self);
  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

      finish (self->queue, grant->attempt, make_answer (self->clock, "a"));
    }
  n = count_commands (self) - before;
  g_assert_true (fx_act (self->queue, name, &act, &changed, &error));
  g_assert_no_error (error);

  return n;
}

/* What a claim and an end cost does not grow with the number of a project's kinds of tasks. */
static void
test_many_kinds (Fixture *self,
                 gconstpointer data)
{
  guint64 few = count_commands_of_claims (self, 12);
  guint64 many = count_commands_of_claims (self, 200);

  g_test_message ("%u commands with 12 kinds, %u with 200", (guint) few, (guint) many);
  g_assert_cmpuint (many, <, 2 * few);
}

/* Of very many calls the oldest are forgotten, and the figures go on with the youngest. */
static void
test_many_calls (Fixture *self,
                 gconstpointer data)
{
  g_autofree char *id G_GNUC_UNUSED = submit_one (self->queue, "x", "many");
  g_autoptr (redisReply) filled = ask (
    self, "EVAL", "local text = string.rep('1 20 1 alpha\\n', 100000) "
    "redis.call('SET', 'gangway:calls:2', text) redis.call('HSET', 'gangway:p:2', 'calls', #text) "
    "return #text", "0", NULL);
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (redisReply) tail = NULL;
  gint64 left;

  finish (self->queue, grant->attempt, make_answer (self->clock, "y"));
  left = ask_number (self, "STRLEN", "gangway:calls:2");
  g_assert_cmpint (left, <, filled->integer * 4 / 5);
  g_assert_cmpint (left, >, filled->integer * 3 / 5);
  tail = ask (self, "GETRANGE", "gangway:calls:2", "0", "12");
  g_assert_cmpstr (tail->str, ==, "1 20 1 alpha\n");
  gw_redis_reply_free (g_steal_pointer (&tail));
  tail = ask (self, "GETRANGE", "gangway:calls:2", "-13", "-1");
  g_assert_cmpstr (tail->str, !=, "1 20 1 alpha\n");
}

/* --- What waits together is told together. --- */

#define BURST 10

typedef struct {
  guint n_answered;
  guint n_stored;
  guint n_failed;
} Burst;

static void
finished_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  Burst *burst = user_data;
  g_autoptr (GError) error = NULL;
  GwFinishResult finished = GW_FINISH_IGNORED;

  if (!gw_queue_finish_finish (GW_QUEUE (source), result, &finished, &error))
    {
      g_assert_error (error, GW_ERROR, GW_ERROR_INTERNAL);
      burst->n_failed++;
    }
  burst->n_stored += error == NULL && finished == GW_FINISH_STORED;
  burst->n_answered++;
}

static GPtrArray *
claim_burst (Fixture *self)
{
  static const Lane lanes[] = { { "alpha", GW_PROVIDER_OPENAI, "m", BURST, 0 } };
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, "many", BURST);
  GPtrArray *grants = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_grant_free);

  set_lanes (self->queue, lanes, G_N_ELEMENTS (lanes));
  for (guint i = 0; i < BURST; i++)
    g_ptr_array_add (grants, claim_start (self->queue, "alpha"));

  return grants;
}

/* Redis is held for a moment, so that all but the first wait for it together. */
static void
finish_burst (Fixture *self,
              GPtrArray *grants,
              Burst *burst)
{
  g_autoptr (GwReply) reply = make_answer (self->clock, "a");
  g_autoptr (redisReply) paused = ask (self, "CLIENT", "PAUSE", "300", NULL);

  for (guint i = 0; i < grants->len; i++)
    gw_queue_finish_async (self->queue, ((GwGrant *) grants->pdata[i])->attempt, reply, finished_cb,
                           burst);
  while (burst->n_answered < grants->len)
    g_main_context_iteration (NULL, TRUE);
}

static gint64
count_scripts (Fixture *self)
{
  g_autoptr (redisReply) reply = ask (self, "INFO", "commandstats", NULL, NULL);
  const char *calls = strstr (reply->str, "cmdstat_evalsha:calls=");

  g_assert_nonnull (calls);

  return g_ascii_strtoll (strchr (calls, '=') + 1, NULL, 10);
}

/* Ends of calls that wait for Redis at the same time are few scripts, and each its own end. */
static void
test_a_burst_is_told_together (Fixture *self,
                               gconstpointer data)
{
  g_autoptr (GPtrArray) grants = claim_burst (self);
  gint64 scripts = count_scripts (self), steps = count_steps (self);
  Burst burst = { 0 };

  finish_burst (self, grants, &burst);
  g_assert_cmpuint (burst.n_stored, ==, BURST);
  g_assert_cmpint (count_scripts (self) - scripts, <, BURST / 2);
  /* The scheduler's state has changed with each. */
  g_assert_cmpint (count_steps (self) - steps, >=, BURST);
}

/* One whose keys were put out of order by hand does not take those with it that it waited with. */
static void
test_one_of_a_burst_fails_alone (Fixture *self,
                                 gconstpointer data)
{
  g_autoptr (GPtrArray) grants = claim_burst (self);
  g_autofree char *key = g_strdup_printf ("gangway:e:%" G_GUINT64_FORMAT,
                                          ((GwGrant *) grants->pdata[BURST / 2])->attempt);
  g_autoptr (redisReply) gone = ask (self, "DEL", key, NULL, NULL);
  g_autoptr (redisReply) other = ask (self, "SET", key, "x", NULL);
  Burst burst = { 0 };

  g_test_expect_message ("gw-queue", G_LOG_LEVEL_WARNING, "*all of it is looked through*");
  finish_burst (self, grants, &burst);
  g_assert_cmpuint (burst.n_failed, ==, 1);
  g_assert_cmpuint (burst.n_stored, ==, BURST - 1);
  gw_redis_reply_free (g_steal_pointer (&gone));
  gone = ask (self, "DEL", key, NULL, NULL);
  gw_queue_stats_free (fx_stats (self->queue));
  g_test_assert_expected_messages ();
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/redis-steps/half-a-batch", Fixture, NULL, fixture_set_up, test_half_a_batch,
              fixture_tear_down);
  g_test_add ("/redis-steps/half-a-verb", Fixture, NULL, fixture_set_up, test_half_a_verb,
              fixture_tear_down);

  g_test_add ("/redis-steps/a-claim-is-one-step", Fixture, NULL, fixture_set_up,
              test_a_claim_is_one_step, fixture_tear_down);

  g_test_add ("/redis-steps/a-burst-is-told-together", Fixture, NULL, fixture_set_up,
              test_a_burst_is_told_together, fixture_tear_down);
  g_test_add ("/redis-steps/one-of-a-burst-fails-alone", Fixture, NULL, fixture_set_up,
              test_one_of_a_burst_fails_alone, fixture_tear_down);
  g_test_add ("/redis-steps/many-kinds", Fixture, NULL, fixture_set_up, test_many_kinds,
              fixture_tear_down);
  g_test_add ("/redis-steps/many-calls", Fixture, NULL, fixture_set_up, test_many_calls,
              fixture_tear_down);

  return g_test_run ();
}
