/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-queue-types.h"

/*
 * Plain data that crosses the queue's face. Each struct belongs to one thread at a time; a free
 * function takes %NULL.
 */

/**
 * gw_new_task_new:
 * @content: the prompt
 *
 * Returns: (transfer full): a task to submit, without pins, of priority 0
 */
GwNewTask *
gw_new_task_new (const char *content)
{
  GwNewTask *task = g_new0 (GwNewTask, 1);

  task->content = g_strdup (content);

  return task;
}

void
gw_new_task_free (GwNewTask *task)
{
  if (task == NULL)
    return;

  g_free (task->content);
  g_free (task->provider);
  g_free (task->model);
  g_clear_pointer (&task->metadata, json_object_unref);
  g_free (task);
}

/**
 * gw_submission_new:
 *
 * Returns: (transfer full): an empty submission to the default project
 */
GwSubmission *
gw_submission_new (void)
{
  GwSubmission *submission = g_new0 (GwSubmission, 1);

  submission->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_new_task_free);
  submission->paused = -1;

  return submission;
}

void
gw_submission_free (GwSubmission *submission)
{
  if (submission == NULL)
    return;

  g_clear_pointer (&submission->tasks, g_ptr_array_unref);
  g_free (submission->project);
  g_free (submission->idempotency_key);
  g_free (submission);
}

void
gw_submitted_free (GwSubmitted *submitted)
{
  if (submitted == NULL)
    return;

  g_free (submitted->project_id);
  g_clear_pointer (&submitted->task_ids, g_ptr_array_unref);
  g_free (submitted);
}

void
gw_grant_free (GwGrant *grant)
{
  if (grant == NULL)
    return;

  g_free (grant->task_id);
  g_free (grant->project_id);
  g_free (grant->content);
  g_free (grant->model);
  g_clear_pointer (&grant->metadata, json_object_unref);
  g_free (grant);
}

void
gw_finished_free (GwFinished *finished)
{
  if (finished == NULL)
    return;

  gw_grant_free (finished->grant);
  g_free (finished);
}

void
gw_feed_page_free (GwFeedPage *page)
{
  if (page == NULL)
    return;

  g_free (page->store);
  g_clear_pointer (&page->tasks, g_ptr_array_unref);
  g_clear_pointer (&page->projects, g_ptr_array_unref);
  g_clear_pointer (&page->removed, g_ptr_array_unref);
  g_free (page);
}

void
gw_attempt_page_free (GwAttemptPage *page)
{
  if (page == NULL)
    return;

  g_clear_pointer (&page->attempts, g_ptr_array_unref);
  g_free (page);
}

void
gw_project_page_free (GwProjectPage *page)
{
  if (page == NULL)
    return;

  g_clear_pointer (&page->projects, g_ptr_array_unref);
  g_free (page);
}

void
gw_lane_state_free (GwLaneState *state)
{
  if (state == NULL)
    return;

  g_free (state->provider);
  g_free (state->model);
  g_free (state->last_error);
  g_free (state);
}

void
gw_queue_stats_free (GwQueueStats *stats)
{
  if (stats == NULL)
    return;

  g_free (stats->store);
  g_free (stats);
}

void
gw_queue_trouble_free (GwQueueTrouble *trouble)
{
  if (trouble == NULL)
    return;

  g_free (trouble->message);
  g_free (trouble);
}

void
gw_recovery_free (GwRecovery *recovery)
{
  if (recovery == NULL)
    return;

  g_clear_pointer (&recovery->attempts, g_ptr_array_unref);
  g_free (recovery);
}

void
gw_queue_snapshot_free (GwQueueSnapshot *snapshot)
{
  if (snapshot == NULL)
    return;

  for (guint i = 0; i < snapshot->state.n_lanes; i++)
    {
      g_free ((gpointer) snapshot->state.lanes[i].flying);
      g_free ((gpointer) snapshot->state.lanes[i].reopens);
    }
  g_free (snapshot->state.lanes);
  g_clear_pointer (&snapshot->names, g_ptr_array_unref);
  g_free (snapshot);
}
