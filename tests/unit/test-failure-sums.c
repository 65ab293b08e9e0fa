/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-failure-sums.h"

/* Failures by their causes: what belongs together, in which order, and that sums stay right while
 * tasks change. */

static GwTask *
make (const char *id,
      const char *project,
      GwTaskStatus status,
      const char *provider,
      const char *code,
      gint64 finished_at)
{
  GwTask *task = gw_task_new ();

  task->task_id = g_strdup (id);
  task->project_id = g_strdup (project);
  task->status = status;
  task->provider = g_strdup (provider);
  task->finished_at = finished_at;
  if (status == GW_TASK_FAILED)
    task->has_error = gw_error_from_string (code, &task->error_code);
  else
    task->waiting_reason = g_strdup (code);
  return task;
}

static void
take (GwFailureSums *sums,
      const char *id,
      const char *project,
      GwTaskStatus status,
      const char *provider,
      const char *code,
      gint64 finished_at)
{
  g_autoptr (GwTask) task = make (id, project, status, provider, code, finished_at);

  gw_failure_sums_take (sums, task);
}

static char *
tell (GwFailureSums *sums,
      const char *project)
{
  g_autoptr (GPtrArray) groups = gw_failure_sums_get_groups (sums, project);
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < groups->len; i++)
    {
      GwFailureGroup *group = groups->pdata[i];

      g_string_append_printf (text, "%s%s/%s %u; ", group->waiting ? "~" : "",
                              group->provider != NULL ? group->provider : "-", group->code,
                              group->count);
    }
  return g_string_free (text, FALSE);
}

static void
assert_told (GwFailureSums *sums,
             const char *project,
             const char *expected)
{
  g_autofree char *told = tell (sums, project);

  g_assert_cmpstr (told, ==, expected);
}

static void
test_groups (void)
{
  GwFailureSums *sums = gw_failure_sums_new ();

  assert_told (sums, NULL, "");
  take (sums, "1", "p", GW_TASK_FAILED, "a", "timeout", 10);
  take (sums, "2", "p", GW_TASK_FAILED, "a", "timeout", 20);
  take (sums, "3", "p", GW_TASK_FAILED, "b", "timeout", 30);
  take (sums, "4", "q", GW_TASK_FAILED, "a", "timeout", 5);
  take (sums, "5", "q", GW_TASK_FAILED, NULL, "auth", 40);
  take (sums, "6", "q", GW_TASK_QUEUED, "a", "quota", 0);
  take (sums, "7", "q", GW_TASK_QUEUED, "a", "window", 0); /* passes by itself */
  take (sums, "8", "q", GW_TASK_COMPLETED, "a", NULL, 50);
  assert_told (sums, NULL, "~a/quota 1; -/auth 1; b/timeout 1; a/timeout 3; ");
  assert_told (sums, "p", "b/timeout 1; a/timeout 2; ");
  assert_told (sums, "none", "");
  gw_failure_sums_clear (sums);
  assert_told (sums, NULL, "");
  gw_failure_sums_free (sums);
}

static void
test_changes (void)
{
  GwFailureSums *sums = gw_failure_sums_new ();

  take (sums, "1", "p", GW_TASK_FAILED, "a", "timeout", 10);
  take (sums, "1", "p", GW_TASK_FAILED, "a", "timeout", 10); /* told twice */
  take (sums, "2", "p", GW_TASK_FAILED, "a", "server", 9);
  assert_told (sums, NULL, "a/timeout 1; a/server 1; ");
  /* Another attempt, another cause: the newest counts. */
  take (sums, "1", "p", GW_TASK_FAILED, "b", "server", 20);
  assert_told (sums, NULL, "b/server 1; a/server 1; ");
  take (sums, "1", "p", GW_TASK_QUEUED, NULL, NULL, 0);
  assert_told (sums, NULL, "a/server 1; ");
  gw_failure_sums_drop (sums, "2");
  gw_failure_sums_drop (sums, "2");
  assert_told (sums, NULL, "");
  gw_failure_sums_free (sums);
}

static int
compare (gconstpointer a,
         gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
test_collect (void)
{
  GwFailureSums *sums = gw_failure_sums_new ();
  GwFailureGroup group = { .provider = (char *) "a", .code = (char *) "timeout" };
  g_autoptr (GPtrArray) projects = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);

  take (sums, "1", "p", GW_TASK_FAILED, "a", "timeout", 10);
  take (sums, "2", "p", GW_TASK_FAILED, "a", "timeout", 10);
  take (sums, "3", "p", GW_TASK_FAILED, "b", "timeout", 10);
  take (sums, "4", "q", GW_TASK_FAILED, "a", "timeout", 10);
  take (sums, "5", "q", GW_TASK_FAILED, "b", "auth", 10);
  /* In q all timeouts are of a: one call does. In p they are not. */
  gw_failure_sums_collect (sums, &group, NULL, projects, ids);
  g_ptr_array_sort (ids, compare);
  g_assert_cmpuint (projects->len, ==, 1);
  g_assert_cmpstr (projects->pdata[0], ==, "q");
  g_assert_cmpuint (ids->len, ==, 2);
  g_assert_cmpstr (ids->pdata[0], ==, "1");
  g_assert_cmpstr (ids->pdata[1], ==, "2");

  g_ptr_array_set_size (projects, 0);
  g_ptr_array_set_size (ids, 0);
  gw_failure_sums_collect (sums, &group, "q", projects, ids);
  g_assert_cmpuint (projects->len, ==, 1);
  g_assert_cmpuint (ids->len, ==, 0);
  gw_failure_sums_free (sums);
}

static void
test_sample (void)
{
  GwFailureSums *sums = gw_failure_sums_new ();
  g_autoptr (GPtrArray) groups = NULL;

  take (sums, "old", "p", GW_TASK_FAILED, "a", "timeout", 10);
  take (sums, "new", "p", GW_TASK_FAILED, "a", "timeout", 30);
  take (sums, "mid", "p", GW_TASK_FAILED, "a", "timeout", 20);
  groups = gw_failure_sums_get_groups (sums, NULL);
  g_assert_cmpuint (groups->len, ==, 1);
  g_assert_cmpstr (((GwFailureGroup *) groups->pdata[0])->sample->task_id, ==, "new");
  gw_failure_sums_free (sums);
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/failure-sums/groups", test_groups);
  g_test_add_func ("/failure-sums/changes", test_changes);
  g_test_add_func ("/failure-sums/collect", test_collect);
  g_test_add_func ("/failure-sums/sample", test_sample);

  return g_test_run ();
}
