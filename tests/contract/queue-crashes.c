/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue-contract.h"

/*
 * A process that works on the queue is killed: at each step of a task's life, and at any moment
 * while several threads of it work. Whoever opens the data after it finds every task that was
 * accepted, every answer that was confirmed, and knows what is uncertain.
 */

#define N_TASKS 6

typedef enum {
  AFTER_SUBMIT,
  AFTER_CLAIM,
  AFTER_SENT,
  AFTER_FINISH,
  AFTER_CANCEL,
  N_POINTS
} Point;

/* In the child: a task's life up to a point, then no chance to say good-bye. */
static void
live_until (Fixture *self,
            Point point,
            int out)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GwGrant) first = NULL;
  g_autoptr (GwGrant) second = NULL;

  fixture_open (self);
  ids = submit_many (self->queue, "p", N_TASKS);
  for (guint i = 0; i < ids->len; i++)
    {
      const char *id = g_ptr_array_index (ids, i);

      g_assert_cmpint (write (out, id, 36), ==, 36);
    }
  if (point >= AFTER_CLAIM)
    first = claim_start (self->queue, "alpha");
  if (point >= AFTER_CLAIM)
    second = claim_start (self->queue, "alpha");
  if (point >= AFTER_SENT)
    fx_note_sent (self->queue, first->attempt, gw_clock_now (self->clock), NULL);
  if (point >= AFTER_FINISH)
    finish (self->queue, first->attempt, make_answer (self->clock, "paid"));
  if (point >= AFTER_CANCEL)
    gw_task_unref (fx_cancel (self->queue, second->task_id, NULL));
  kill (getpid (), SIGKILL);
}

static GPtrArray *
run_child (Fixture *self,
           Point point)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  int pipes[2];
  int status;
  pid_t child;
  char id[37] = "";

  g_assert_cmpint (pipe (pipes), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      close (pipes[0]);
      live_until (self, point, pipes[1]);
      _exit (1);
    }
  close (pipes[1]);
  while (read (pipes[0], id, 36) == 36)
    g_ptr_array_add (ids, g_strdup (id));
  close (pipes[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);

  return ids;
}

/* Answers everything that is there. */
static void
work_off (Fixture *self)
{
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwGrant) grant = fx_claim (self->queue, "alpha", 0, &error);

      g_assert_no_error (error);
      if (grant->attempt == 0 && grant->idle && grant->ask_at == GW_CLOCK_NEVER)
        break;
      if (grant->attempt != 0)
        finish (self->queue, grant->attempt, make_answer (self->clock, "again"));
      else
        gw_clock_advance (self->clock, 1000);
    }
}

static void
test_points (Fixture *self,
             gconstpointer data)
{
  fixture_close (self);
  for (Point point = 0; point < N_POINTS; point++)
    {
      static const guint uncertain[] = { 0, 2, 2, 1, 1 };
      g_autoptr (GPtrArray) ids = run_child (self, point);
      g_autoptr (GwRecovery) recovery = NULL;
      g_autoptr (GwLaneState) lane = NULL;
      g_autoptr (GwRecovery) calm = NULL;

      g_assert_cmpuint (ids->len, ==, N_TASKS);
      fixture_open (self);
      recovery = fx_recovery (self->queue);
      g_assert_cmpint (recovery->recovered_at, ==, gw_clock_wall (self->clock));
      g_assert_cmpuint (recovery->lost, ==, 0);
      g_assert_cmpuint (recovery->attempts->len, ==, uncertain[point]);
      lane = lane_state (self->queue, "alpha");
      g_assert_cmpuint (lane->ghosts, ==, uncertain[point]);
      g_assert_cmpuint (lane->in_flight, ==, uncertain[point]);
      for (guint i = 0; i < recovery->attempts->len; i++)
        {
          const GwAttempt *attempt = g_ptr_array_index (recovery->attempts, i);
          g_autoptr (GError) error = NULL;
          g_autoptr (GwTask) task = fx_get_task (self->queue, attempt->task_id, &error);

          g_assert_no_error (error);
          g_assert_cmpint (attempt->outcome, ==, GW_OUTCOME_UNCERTAIN);
          g_assert_cmpint (task->status, ==,
                           point == AFTER_CANCEL ? GW_TASK_CANCELLED : GW_TASK_QUEUED);
          g_assert_cmpint (task->uncertain, ==, point != AFTER_CANCEL);
          g_assert_cmpuint (task->tries, ==, 0);
          if (point != AFTER_CANCEL)
            {
              g_assert_cmpuint (task->attempts, ==, 1);
              g_assert_cmpint (task->started_at, >, 0);
            }
        }

      work_off (self);
      for (guint i = 0; i < ids->len; i++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (GwTask) task = fx_get_task (self->queue, g_ptr_array_index (ids, i), &error);

          g_assert_no_error (error);
          if (point == AFTER_CANCEL && i == 1)
            g_assert_cmpint (task->status, ==, GW_TASK_CANCELLED);
          else
            g_assert_cmpstr (task->result, ==,
                             point >= AFTER_FINISH && i == 0 ? "paid" : "again");
        }
      fixture_reopen (self);
      calm = fx_recovery (self->queue);
      g_assert_cmpint (calm->recovered_at, ==, 0);
      g_assert_cmpuint (calm->attempts->len, ==, 0);
      fixture_close (self);
      gw_clock_advance (self->clock, 100000);
    }
}

/* An uncertain attempt is heard of after all: stored while nobody sent again, else paid twice. */
static void
test_late (Fixture *self,
           gconstpointer data)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GwRecovery) recovery = NULL;
  g_autoptr (GwTask) first = NULL;
  g_autoptr (GwTask) second = NULL;
  g_autoptr (GwGrant) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwReply) late = make_answer (self->clock, "late");

  fixture_close (self);
  ids = run_child (self, AFTER_SENT);
  fixture_open (self);
  /* The child's attempts are 1 and 2. */
  g_assert_cmpint (finish (self->queue, 1, make_answer (self->clock, "late")), ==,
                   GW_FINISH_STORED);
  first = fx_get_task (self->queue, g_ptr_array_index (ids, 0), &error);
  g_assert_cmpstr (first->result, ==, "late");
  g_assert_false (fx_finish (self->queue, 1, late, NULL, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_CONFLICT);
  g_clear_error (&error);

  again = claim_start (self->queue, "alpha");
  g_assert_cmpstr (again->task_id, ==, g_ptr_array_index (ids, 1));
  g_assert_true (fx_note_sent (self->queue, again->attempt, gw_clock_now (self->clock), &error));
  g_assert_cmpint (finish (self->queue, 2, make_answer (self->clock, "late")), ==,
                   GW_FINISH_EXTRA);
  g_assert_cmpint (finish (self->queue, again->attempt, make_answer (self->clock, "new")), ==,
                   GW_FINISH_STORED);
  second = fx_get_task (self->queue, g_ptr_array_index (ids, 1), &error);
  g_assert_cmpstr (second->result, ==, "new");
  recovery = fx_recovery (self->queue);
  g_assert_cmpuint (recovery->paid_twice, ==, 1);
}

static void
test_hold (Fixture *self,
           gconstpointer data)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwRecovery) recovery = NULL;
  g_autoptr (GwRecovery) after = NULL;
  g_autoptr (GError) error = NULL;
  GwProjectAct act = { GW_PROJECT_RESUME };
  guint64 changed;

  fixture_close (self);
  ids = run_child (self, AFTER_SENT);
  self->settings.hold_uncertain = TRUE;
  fixture_open (self);
  project = fx_get_project (self->queue, "p", &error);
  g_assert_true (project->paused);
  recovery = fx_recovery (self->queue);
  g_assert_cmpuint (recovery->held_projects, ==, 1);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  after = fx_recovery (self->queue);
  g_assert_cmpuint (after->held_projects, ==, 0);
  gw_grant_free (claim_start (self->queue, "alpha"));
}

/* The same task in the hands of three processes that died: it is to blame. */
static void
test_poison (Fixture *self,
             gconstpointer data)
{
  g_autofree char *id = submit_one (self->queue, "poison", NULL);
  g_autoptr (GwTask) task = NULL;
  g_autoptr (GError) error = NULL;

  fixture_close (self);
  for (guint i = 0; i < 3; i++)
    {
      int status;
      pid_t child = fork ();

      if (child == 0)
        {
          fixture_open (self);
          gw_grant_free (claim_start (self->queue, "alpha"));
          kill (getpid (), SIGKILL);
        }
      waitpid (child, &status, 0);
      gw_clock_advance (self->clock, 10000);
    }
  fixture_open (self);
  task = fx_get_task (self->queue, id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (task->status, ==, GW_TASK_FAILED);
  g_assert_cmpint (task->error_code, ==, GW_ERROR_TASK_QUARANTINED);
}

/* --- Killed at any moment. --- */

typedef struct {
  Fixture *fixture;
  int out;
  guint number;
} Busy;

static gpointer
busy_thread (gpointer data)
{
  Busy *busy = data;

  for (guint i = 0;; i++)
    {
      g_autofree char *id = submit_one (busy->fixture->queue, "x", busy->number % 2 ? "odd" : NULL);
      g_autofree char *accepted = g_strdup_printf ("S%s\n", id);
      g_autoptr (GwGrant) grant = NULL;

      if (write (busy->out, accepted, 38) != 38)
        break;
      grant = fx_claim (busy->fixture->queue, "alpha", 0, NULL);
      if (grant != NULL && grant->attempt != 0)
        {
          g_autofree char *done = g_strdup_printf ("F%s\n", grant->task_id);
          g_autoptr (GwReply) reply = make_answer (busy->fixture->clock, "done");

          if (i % 3 == 0)
            fx_note_sent (busy->fixture->queue, grant->attempt,
                          gw_clock_now (busy->fixture->clock), NULL);
          if (fx_finish (busy->fixture->queue, grant->attempt, reply, NULL, NULL)
              && write (busy->out, done, 38) != 38)
            break;
        }
    }

  return NULL;
}

static void
be_busy (Fixture *self,
         int out)
{
  Busy busy[3];
  GThread *threads[3];

  fixture_open (self);
  for (guint i = 0; i < 3; i++)
    {
      busy[i] = (Busy){ self, out, i };
      threads[i] = g_thread_new ("busy", busy_thread, &busy[i]);
    }
  for (guint i = 0; i < 3; i++)
    g_thread_join (threads[i]);
}

static void
check_after_kill (Fixture *self,
                  const char *said)
{
  g_auto (GStrv) lines = g_strsplit (said, "\n", -1);
  g_autoptr (GwQueueStats) stats = fx_stats (self->queue);
  guint64 counts[GW_N_TASK_STATUSES] = { 0 };
  guint64 since = 0;
  gboolean more = TRUE;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GwTask) task = NULL;

      if (strlen (lines[i]) != 37)
        continue;
      task = fx_get_task (self->queue, lines[i] + 1, &error);
      g_assert_no_error (error);
      if (lines[i][0] == 'F')
        g_assert_cmpstr (task->result, ==, "done");
      g_assert_cmpint (task->status, !=, GW_TASK_RUNNING);
    }
  while (more)
    {
      GwFeedQuery query = { .has_since = TRUE, .since = since, .limit = 1000,
                            .fields = GW_TASK_FIELDS_FEED };
      g_autoptr (GwFeedPage) page = fx_feed (self->queue, &query, NULL);

      for (guint i = 0; i < page->tasks->len; i++)
        counts[((GwTask *) g_ptr_array_index (page->tasks, i))->status]++;
      since = page->revision;
      more = page->more;
    }
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    g_assert_cmpuint (counts[i], ==, stats->counts[i]);
}

static void
test_any_moment (Fixture *self,
                 gconstpointer data)
{
  gsize n_said = 0;

  fixture_close (self);
  for (guint i = 0; i < 12; i++)
    {
      g_autoptr (GString) said = g_string_new (NULL);
      char buffer[4096];
      int pipes[2];
      int status;
      gssize n;
      pid_t child;

      g_assert_cmpint (pipe (pipes), ==, 0);
      child = fork ();
      if (child == 0)
        {
          close (pipes[0]);
          be_busy (self, pipes[1]);
          _exit (1);
        }
      close (pipes[1]);
      g_usleep ((gulong) g_test_rand_int_range (15000, 80000));
      kill (child, SIGKILL);
      while ((n = read (pipes[0], buffer, sizeof buffer)) > 0)
        g_string_append_len (said, buffer, n);
      close (pipes[0]);
      waitpid (child, &status, 0);
      n_said += said->len;
      fixture_open (self);
      check_after_kill (self, said->str);
      fixture_close (self);
      gw_clock_advance (self->clock, 40000);
    }
  g_assert_cmpuint (n_said, >, 0);
}

void
add_crash_cases (void)
{
  ADD ("crash/points", test_points);
  ADD ("crash/late", test_late);
  ADD ("crash/hold", test_hold);
  ADD ("crash/poison", test_poison);
  ADD ("crash/any-moment", test_any_moment);
}
