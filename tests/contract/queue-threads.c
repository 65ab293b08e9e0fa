/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* Many at once: followers of the feed beside writers, claims that race, a close in the middle. */

#define N_FOLLOWERS 5
#define N_WRITERS 3
#define N_ROUNDS 60

typedef struct {
  Fixture *fixture;
  int writing;        /* (atomic) */
  int claimed;        /* (atomic) */
} Race;

typedef struct {
  Race *race;
  GHashTable *view;   /* id -> GwTask */
  guint64 revision;
} Follower;

/* Reads to the head; what it holds then is one snapshot. */
static void
follow (Follower *self)
{
  gboolean more = TRUE;

  while (more)
    {
      GwFeedQuery query = { .has_since = TRUE, .since = self->revision, .limit = 17,
                            .fields = GW_TASK_FIELDS_FEED };
      g_autoptr (GError) error = NULL;
      g_autoptr (GwFeedPage) page = fx_feed (self->race->fixture->queue, &query, &error);
      guint64 last = self->revision;

      g_assert_no_error (error);
      g_assert_false (page->reset);
      for (guint i = 0; i < page->removed->len; i++)
        g_hash_table_remove (self->view, g_ptr_array_index (page->removed, i));
      for (guint i = 0; i < page->tasks->len; i++)
        {
          GwTask *task = g_ptr_array_index (page->tasks, i);

          g_assert_cmpuint (task->revision, >, last);
          last = task->revision;
          g_hash_table_replace (self->view, task->task_id, gw_task_ref (task));
        }
      g_assert_cmpuint (page->revision, >=, last);
      self->revision = page->revision;
      more = page->more;
    }
}

static gpointer
follower_thread (gpointer data)
{
  Follower *self = data;

  while (g_atomic_int_get (&self->race->writing) > 0)
    follow (self);
  follow (self);

  return NULL;
}

static gpointer
writer_thread (gpointer data)
{
  Race *race = data;
  GwQueue *queue = race->fixture->queue;

  for (guint i = 0; i < N_ROUNDS; i++)
    {
      g_autofree char *id = submit_one (queue, "x", i % 2 == 0 ? "even" : NULL);
      const char *const ids[] = { id, NULL };
      g_autoptr (GwGrant) grant = fx_claim (queue, "alpha", 0, NULL);

      if (grant->attempt != 0)
        {
          g_autoptr (GwReply) reply = i % 5 == 0
            ? make_error (race->fixture->clock, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED)
            : make_answer (race->fixture->clock, "a");

          g_assert_true (fx_finish (queue, grant->attempt, reply, NULL, NULL));
          if (i % 5 == 0)
            g_clear_pointer (&(GwTask *){ fx_retry (queue, grant->task_id, NULL, NULL, NULL) },
                             gw_task_unref);
        }
      if (i % 7 == 0)
        g_clear_pointer (&(GwTask *){ fx_cancel (queue, id, NULL) }, gw_task_unref);
      if (i % 11 == 0)
        fx_set_removed (queue, ids, TRUE, NULL, NULL);
    }
  g_atomic_int_add (&race->writing, -1);

  return NULL;
}

static void
test_feed_race (Fixture *self,
                gconstpointer data)
{
  Race race = { self, N_WRITERS, 0 };
  Follower followers[N_FOLLOWERS];
  GThread *threads[N_FOLLOWERS + N_WRITERS];
  g_autoptr (GwQueueStats) stats = NULL;

  for (guint i = 0; i < N_FOLLOWERS; i++)
    {
      followers[i] = (Follower){ &race, NULL, 0 };
      followers[i].view = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                                 (GDestroyNotify) gw_task_unref);
      threads[i] = g_thread_new ("follower", follower_thread, &followers[i]);
    }
  for (guint i = 0; i < N_WRITERS; i++)
    threads[N_FOLLOWERS + i] = g_thread_new ("writer", writer_thread, &race);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  stats = fx_stats (self->queue);
  for (guint i = 0; i < N_FOLLOWERS; i++)
    {
      GHashTableIter iter;
      gpointer value;
      guint64 n = 0;

      g_assert_cmpuint (followers[i].revision, ==, stats->revision);
      g_hash_table_iter_init (&iter, followers[i].view);
      while (g_hash_table_iter_next (&iter, NULL, &value))
        {
          GwTask *held = value;
          g_autoptr (GError) error = NULL;
          g_autoptr (GwTask) task = fx_get_task (self->queue, held->task_id, &error);

          g_assert_no_error (error);
          g_assert_cmpuint (held->revision, ==, task->revision);
          g_assert_cmpint (held->status, ==, task->status);
          g_assert_cmpuint (held->result_size, ==, task->result_size);
          g_assert_cmpuint (held->attempts, ==, task->attempts);
          n++;
        }
      for (guint s = 0; s < GW_N_TASK_STATUSES; s++)
        n -= stats->counts[s];
      g_assert_cmpuint (n, ==, 0);
      g_hash_table_unref (followers[i].view);
    }
}

/* However many ask at once, no task goes out twice and no limit is passed. */
static gpointer
claimer_thread (gpointer data)
{
  Race *race = data;

  for (guint i = 0; i < 40; i++)
    {
      g_autoptr (GwGrant) grant = fx_claim (race->fixture->queue, "alpha", 0, NULL);

      if (grant->attempt == 0)
        continue;
      g_assert_cmpint (g_atomic_int_add (&race->claimed, 1), <, 5);
      g_atomic_int_add (&race->claimed, -1);
      {
        g_autoptr (GwReply) reply = make_answer (race->fixture->clock, "a");
        GwFinishResult finished;

        g_assert_true (fx_finish (race->fixture->queue, grant->attempt, reply, &finished, NULL));
        g_assert_cmpint (finished, ==, GW_FINISH_STORED);
      }
    }

  return NULL;
}

static void
test_claim_race (Fixture *self,
                 gconstpointer data)
{
  g_autoptr (GPtrArray) ids G_GNUC_UNUSED = submit_many (self->queue, NULL, 150);
  Race race = { self, 0, 0 };
  GThread *threads[8];
  g_autoptr (GwQueueStats) stats = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("claimer", claimer_thread, &race);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->attempts_sent, ==, stats->counts[GW_TASK_COMPLETED]);
  g_assert_cmpuint (stats->answers_extra, ==, 0);
}

static gpointer
until_closed_thread (gpointer data)
{
  Race *race = data;

  for (;;)
    {
      g_autoptr (GwSubmission) submission = gw_submission_new ();
      g_autoptr (GwSubmitted) submitted = NULL;
      g_autoptr (GError) error = NULL;

      g_ptr_array_add (submission->tasks, gw_new_task_new ("x"));
      submitted = fx_submit (race->fixture->queue, submission, &error);
      if (submitted == NULL)
        {
          g_assert_error (error, GW_ERROR, GW_ERROR_STOPPING);
          return NULL;
        }
      g_atomic_int_inc (&race->claimed);
    }
}

/* Everyone gets an answer, and what was accepted is there afterwards. */
static void
test_close_race (Fixture *self,
                 gconstpointer data)
{
  Race race = { self, 0, 0 };
  GThread *threads[4];
  g_autoptr (GwQueueStats) stats = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("submitter", until_closed_thread, &race);
  while (g_atomic_int_get (&race.claimed) < 20)
    g_thread_yield ();
  g_assert_true (fx_close (self->queue, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_clear_object (&self->queue);
  fixture_open (self);
  stats = fx_stats (self->queue);
  g_assert_cmpuint (stats->counts[GW_TASK_QUEUED], ==, (guint64) race.claimed);
}

void
add_thread_cases (void)
{
  ADD ("thread/feed-race", test_feed_race);
  ADD ("thread/claim-race", test_claim_race);
  ADD ("thread/close-race", test_close_race);
}
