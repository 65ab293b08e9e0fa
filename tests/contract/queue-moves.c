/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* Queued tasks that a person gives another place: before all of their project that waits,
 * behind it, or back. */

static void
expect_next (Fixture *self,
             const char *id)
{
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");

  g_assert_cmpstr (grant->task_id, ==, id);
  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "a")), ==,
                   GW_FINISH_STORED);
}

static guint64
move (Fixture *self,
      GwMoveTo to,
      int priority,
      const char *first,
      const char *second)
{
  const char *const ids[] = { first, second, NULL };
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  g_assert_true (fx_move (self->queue, ids, to, priority, &changed, &error));
  g_assert_no_error (error);

  return changed;
}

static int
priority_of (Fixture *self,
             const char *id)
{
  g_autoptr (GwTask) task = fx_get_task (self->queue, id, NULL);

  return task->priority;
}

static void
test_top_and_bottom (Fixture *self,
                     gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 6);
  g_autofree char *urgent = submit_pinned (self->queue, "u", "p", NULL, NULL, 100);
  g_autofree char *other = submit_pinned (self->queue, "o", "other", NULL, NULL, 100);

  g_assert_cmpuint (move (self, GW_MOVE_TO_BOTTOM, 0, ids->pdata[0], ids->pdata[1]), ==, 2);
  g_assert_cmpuint (move (self, GW_MOVE_TO_BOTTOM, 0, ids->pdata[2], NULL), ==, 1);
  g_assert_cmpuint (move (self, GW_MOVE_TO_TOP, 0, ids->pdata[5], ids->pdata[4]), ==, 2);
  g_assert_cmpuint (move (self, GW_MOVE_TO_TOP, 0, ids->pdata[3], NULL), ==, 1);

  /* The last move goes farthest; what is moved together keeps its order. */
  expect_next (self, ids->pdata[3]);
  expect_next (self, ids->pdata[4]);
  expect_next (self, ids->pdata[5]);
  expect_next (self, other);
  expect_next (self, urgent);
  expect_next (self, ids->pdata[0]);
  expect_next (self, ids->pdata[1]);
  expect_next (self, ids->pdata[2]);
  gw_grant_free (claim_idle (self->queue, "alpha"));
}

/* Undo: to where a task was, as its priority told. */
static void
test_back (Fixture *self,
           gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 3);
  g_autofree char *urgent = submit_pinned (self->queue, "u", "p", NULL, NULL, 7);
  int place;

  g_assert_cmpint (priority_of (self, urgent), ==, 7);
  move (self, GW_MOVE_TO_TOP, 0, ids->pdata[2], NULL);
  place = priority_of (self, ids->pdata[2]);
  g_assert_cmpint (place, >, GW_TASK_MAX_PRIORITY);
  move (self, GW_MOVE_TO_BOTTOM, 0, ids->pdata[2], urgent);
  g_assert_cmpint (priority_of (self, urgent), <, -GW_TASK_MAX_PRIORITY);
  g_assert_cmpuint (move (self, GW_MOVE_TO_PRIORITY, place, ids->pdata[2], NULL), ==, 1);
  g_assert_cmpuint (move (self, GW_MOVE_TO_PRIORITY, place, ids->pdata[2], NULL), ==, 0);
  move (self, GW_MOVE_TO_PRIORITY, 7, urgent, NULL);

  expect_next (self, ids->pdata[2]);
  expect_next (self, urgent);
  expect_next (self, ids->pdata[0]);
  expect_next (self, ids->pdata[1]);
}

/* Its order is that of submission, whatever the priorities; a move is a person's word all the
 * same. */
static void
test_serial (Fixture *self,
             gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 4);
  g_autofree char *urgent = submit_pinned (self->queue, "u", "p", "alpha", NULL, 50);
  GwProjectPatch patch = { NULL, TRUE, 1, -1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GwGrant) grant = NULL;
  g_autoptr (GPtrArray) more = NULL;
  gint64 due;

  gw_project_unref (fx_patch (self->queue, "p", &patch, &error));
  g_assert_no_error (error);
  move (self, GW_MOVE_TO_BOTTOM, 0, ids->pdata[0], NULL);
  move (self, GW_MOVE_TO_TOP, 0, urgent, NULL);

  /* At the top, it holds the others while it waits for its retry. */
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, urgent);
  g_assert_cmpint (finish (self->queue, grant->attempt,
                           make_error (self->clock, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER)), ==,
                   GW_FINISH_REQUEUED);
  g_clear_pointer (&grant, gw_grant_free);
  grant = claim_idle (self->queue, "alpha");
  due = grant->ask_at;
  g_assert_cmpint (due, <, GW_CLOCK_NEVER);
  gw_clock_advance (self->clock, due - gw_clock_now (self->clock));
  expect_next (self, urgent);
  expect_next (self, ids->pdata[1]);
  expect_next (self, ids->pdata[2]);
  expect_next (self, ids->pdata[3]);
  /* What comes in later stands before the bottom. */
  more = submit_many (self->queue, "p", 2);
  expect_next (self, more->pdata[0]);
  move (self, GW_MOVE_TO_PRIORITY, 0, ids->pdata[0], NULL);
  expect_next (self, ids->pdata[0]);
  expect_next (self, more->pdata[1]);
  gw_grant_free (claim_idle (self->queue, "alpha"));
}

static void
test_only_queued (Fixture *self,
                  gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 3);
  const char *const removed[] = { ids->pdata[1], NULL };
  g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
  g_autoptr (GwFeedPage) page = NULL;
  g_autoptr (GError) error = NULL;
  GwFeedQuery query = { .limit = 10, .fields = GW_TASK_FIELDS_FEED };
  guint64 changed = 0;

  g_assert_true (fx_set_removed (self->queue, removed, TRUE, &changed, &error));
  g_assert_cmpuint (move (self, GW_MOVE_TO_TOP, 0, ids->pdata[0], ids->pdata[1]), ==, 0);
  g_assert_cmpuint (move (self, GW_MOVE_TO_TOP, 0, "nothing", ids->pdata[2]), ==, 1);
  g_assert_cmpint (priority_of (self, ids->pdata[0]), ==, 0);

  /* Followers hear of it. */
  page = fx_feed (self->queue, &query, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->tasks->len, ==, 2);
  g_assert_cmpstr (((GwTask *) page->tasks->pdata[1])->task_id, ==, ids->pdata[2]);
  g_assert_cmpint (((GwTask *) page->tasks->pdata[1])->priority, >, GW_TASK_MAX_PRIORITY);
}

/* More of them than one step of an engine takes, out of a large batch, each of another project: all
 * of them go to one place. Then the data are opened anew. */
static void
test_many (Fixture *self,
           gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 2500);
  g_autofree char *other = submit_one (self->queue, "o", "other");
  g_autoptr (GPtrArray) moved = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  for (guint i = 2200; i < 2450; i++)
    g_ptr_array_add (moved, ids->pdata[i]);
  g_ptr_array_add (moved, other);
  g_ptr_array_add (moved, NULL);
  g_assert_true (fx_move (self->queue, (const char *const *) moved->pdata, GW_MOVE_TO_TOP, 0,
                          &changed, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (changed, ==, 251);
  g_assert_cmpint (priority_of (self, ids->pdata[2449]), ==, priority_of (self, ids->pdata[2200]));

  fixture_reopen (self);
  expect_next (self, ids->pdata[2200]);
  expect_next (self, other);
  for (guint i = 2201; i < 2450; i++)
    expect_next (self, ids->pdata[i]);
  expect_next (self, ids->pdata[0]);
}

/* Again and again: there is an end to how far a task can go, and nothing is lost there. */
static void
test_farthest (Fixture *self,
               gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 40);

  for (guint i = 0; i < 35; i++)
    move (self, GW_MOVE_TO_TOP, 0, ids->pdata[i], NULL);
  g_assert_cmpint (priority_of (self, ids->pdata[0]), ==, GW_TASK_MAX_PRIORITY + 1);
  g_assert_cmpint (priority_of (self, ids->pdata[34]), ==, GW_TASK_MAX_PRIORITY + 35);
  move (self, GW_MOVE_TO_PRIORITY, GW_TASK_FARTHEST_PRIORITY - 1, ids->pdata[35], NULL);
  for (guint i = 36; i < 39; i++)
    move (self, GW_MOVE_TO_TOP, 0, ids->pdata[i], NULL);
  for (guint i = 36; i < 39; i++)
    g_assert_cmpint (priority_of (self, ids->pdata[i]), ==, GW_TASK_FARTHEST_PRIORITY);

  for (guint i = 36; i < 39; i++)
    expect_next (self, ids->pdata[i]);
  for (guint i = 36; i > 0; i--)
    expect_next (self, ids->pdata[i - 1]);
  expect_next (self, ids->pdata[39]);
}

void
add_move_cases (void)
{
  ADD ("move/top-and-bottom", test_top_and_bottom);
  ADD ("move/back", test_back);
  ADD ("move/serial", test_serial);
  ADD ("move/only-queued", test_only_queued);
  ADD ("move/many", test_many);
  ADD ("move/farthest", test_farthest);
}
