/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* Where a project stops by itself: after a task, or when its answers have used its tokens. An answer
 * of these cases uses 30. */

static GwProject *
patch (Fixture *self,
       const GwProjectPatch *patch)
{
  g_autoptr (GError) error = NULL;
  GwProject *project = fx_patch (self->queue, "p", patch, &error);

  g_assert_no_error (error);

  return project;
}

static void
refuse (Fixture *self,
        const char *stop_after,
        int code)
{
  GwProjectPatch stop = { .paused = -1, .sets_stop = TRUE, .stop_after = stop_after };
  g_autoptr (GError) error = NULL;

  g_assert_null (fx_patch (self->queue, "p", &stop, &error));
  g_assert_error (error, GW_ERROR, code);
}

static void
set_limit (Fixture *self,
           gint64 limit)
{
  GwProjectPatch limits = { .paused = -1, .sets_token_limit = TRUE, .token_limit = limit };
  g_autoptr (GwProject) project = patch (self, &limits);

  g_assert_cmpint (project->token_limit, ==, limit);
}

static void
stop_after (Fixture *self,
            const char *id)
{
  GwProjectPatch stop = { .paused = -1, .sets_stop = TRUE, .stop_after = id };

  gw_project_unref (patch (self, &stop));
}

static GwProject *
get_project (Fixture *self)
{
  return fx_get_project (self->queue, "p", NULL);
}

static void
answer (Fixture *self,
        GwGrant *grant)
{
  g_assert_cmpint (finish (self->queue, grant->attempt, make_answer (self->clock, "a")), ==,
                   GW_FINISH_STORED);
  gw_grant_free (grant);
}

/* Gives how many tasks that concerned. */
static guint64
resume (Fixture *self)
{
  GwProjectAct act = { .verb = GW_PROJECT_RESUME };
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  g_assert_true (fx_act (self->queue, "p", &act, &changed, &error));
  g_assert_no_error (error);

  return changed;
}

static void
expect_paused (Fixture *self,
               gboolean paused,
               gint64 limit)
{
  g_autoptr (GwProject) project = get_project (self);

  g_assert_cmpint (project->paused, ==, paused);
  g_assert_cmpint (project->token_limit, ==, limit);
}

/* What runs is finished; nothing new begins, whatever else the project asks for. */
static void
test_tokens (Fixture *self,
             gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 8);
  GwGrant *first, *second, *third;

  set_limit (self, 31);
  answer (self, claim_start (self->queue, "alpha"));
  expect_paused (self, FALSE, 31);
  first = claim_start (self->queue, "alpha");
  second = claim_start (self->queue, "alpha");
  third = claim_start (self->queue, "alpha");
  answer (self, first);
  expect_paused (self, TRUE, 31);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  answer (self, second);
  fixture_reopen (self);
  expect_paused (self, TRUE, 31);
  gw_grant_free (claim_idle (self->queue, "alpha"));

  /* What stands is not passed by, whoever resumes it; without the limit it goes on. */
  g_assert_cmpuint (resume (self), ==, 0);
  expect_paused (self, TRUE, 31);
  gw_project_unref (patch (self, &(GwProjectPatch){ .paused = 0 }));
  expect_paused (self, TRUE, 31);
  gw_project_unref (patch (self, &(GwProjectPatch){ .paused = 0, .sets_token_limit = TRUE,
                                                    .token_limit = 60 }));
  expect_paused (self, TRUE, 60);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  gw_project_unref (patch (self, &(GwProjectPatch){ .paused = 0, .sets_token_limit = TRUE }));
  expect_paused (self, FALSE, 0);
  answer (self, claim_start (self->queue, "alpha"));
  expect_paused (self, FALSE, 0);
  gw_grant_free (third);
}

static void
test_tokens_raised (Fixture *self,
                    gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 8);
  GwProjectPatch raise = { .paused = 0, .sets_token_limit = TRUE, .token_limit = 90 };
  GwReply *untold = make_answer (self->clock, "a");
  g_autoptr (GwGrant) grant = NULL;

  set_limit (self, 30);
  answer (self, claim_start (self->queue, "alpha"));
  expect_paused (self, TRUE, 30);
  gw_project_unref (patch (self, &raise));
  expect_paused (self, FALSE, 90);
  /* Of an answer without numbers nothing is known. */
  untold->usage = GW_USAGE_NONE;
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpint (finish (self->queue, grant->attempt, untold), ==, GW_FINISH_STORED);
  answer (self, claim_start (self->queue, "alpha"));
  expect_paused (self, FALSE, 90);
  /* One that is below what is used already holds at once. */
  set_limit (self, 60);
  expect_paused (self, TRUE, 60);
  set_limit (self, 0);
  expect_paused (self, TRUE, 0);
}

/* What a provider tells is not believed blindly: no sum runs over, and none runs backwards. */
static void
test_absurd_tokens (Fixture *self,
                    gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 4);
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwTask) task = NULL;

  set_limit (self, GW_PROJECT_MAX_TOKEN_LIMIT);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GwGrant) grant = claim_start (self->queue, "alpha");
      GwReply *reply = make_answer (self->clock, "a");

      reply->usage = i == 0 ? (GwUsage){ -7, G_MININT64, -2 }
                            : (GwUsage){ 5, G_MAXINT64 - 5, G_MAXINT64 };
      g_assert_cmpint (finish (self->queue, grant->attempt, reply), ==, GW_FINISH_STORED);
    }
  task = fx_get_task (self->queue, ids->pdata[0], NULL);
  g_assert_cmpint (task->usage.prompt_tokens, ==, -1);
  g_assert_cmpint (task->usage.completion_tokens, ==, -1);
  g_assert_cmpint (task->usage.total_tokens, ==, -1);
  project = get_project (self);
  g_assert_cmpint (project->usage.prompt_tokens, ==, 5);
  g_assert_cmpint (project->usage.completion_tokens, ==, GW_USAGE_MOST);
  g_assert_cmpint (project->usage.total_tokens, ==, GW_USAGE_MOST);
  g_assert_true (project->paused);
}

static void
test_stop_after (Fixture *self,
                 gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 6);
  g_autofree char *other = submit_one (self->queue, "o", "other");
  g_autoptr (GwProject) project = NULL;
  g_autoptr (GwGrant) grant = NULL;
  GwGrant *first, *second;

  stop_after (self, ids->pdata[1]);
  fixture_reopen (self);
  project = get_project (self);
  g_assert_cmpstr (project->stop_after, ==, ids->pdata[1]);
  first = claim_start (self->queue, "alpha");
  g_assert_cmpstr (first->task_id, ==, ids->pdata[0]);
  expect_paused (self, FALSE, 0);
  grant = claim_start (self->queue, "alpha");
  g_assert_cmpstr (grant->task_id, ==, other);
  second = claim_start (self->queue, "alpha");
  g_assert_cmpstr (second->task_id, ==, ids->pdata[1]);
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self);
  g_assert_true (project->paused);
  g_assert_null (project->stop_after);
  gw_grant_free (claim_idle (self->queue, "alpha"));
  answer (self, first);
  answer (self, second);

  /* One that runs: at once. */
  resume (self);
  first = claim_start (self->queue, "alpha");
  stop_after (self, first->task_id);
  expect_paused (self, TRUE, 0);
  refuse (self, ids->pdata[0], GW_ERROR_CONFLICT);
  refuse (self, other, GW_ERROR_INVALID);
  refuse (self, "nothing", GW_ERROR_INVALID);
  answer (self, first);
}

/* It never comes to that: the project goes on. */
static void
test_stop_that_is_gone (Fixture *self,
                        gconstpointer data)
{
  g_autoptr (GPtrArray) ids = submit_many (self->queue, "p", 6);
  const char *const removed[] = { ids->pdata[2], NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GwProject) project = NULL;
  guint64 changed;

  stop_after (self, ids->pdata[1]);
  gw_task_unref (fx_cancel (self->queue, ids->pdata[1], &error));
  g_assert_no_error (error);
  project = get_project (self);
  g_assert_null (project->stop_after);

  stop_after (self, ids->pdata[2]);
  g_assert_true (fx_set_removed (self->queue, removed, TRUE, &changed, &error));
  g_assert_cmpuint (changed, ==, 1);
  g_clear_pointer (&project, gw_project_unref);
  project = get_project (self);
  g_assert_null (project->stop_after);

  stop_after (self, ids->pdata[3]);
  stop_after (self, NULL);
  for (guint i = 0; i < 4; i++)
    answer (self, claim_start (self->queue, "alpha"));
  gw_grant_free (claim_idle (self->queue, "alpha"));
}

void
add_stop_cases (void)
{
  ADD ("stop/tokens", test_tokens);
  ADD ("stop/tokens-raised", test_tokens_raised);
  ADD ("stop/absurd-tokens", test_absurd_tokens);
  ADD ("stop/after-a-task", test_stop_after);
  ADD ("stop/after-one-that-is-gone", test_stop_that_is_gone);
}
