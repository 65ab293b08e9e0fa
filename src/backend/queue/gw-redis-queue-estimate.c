/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-redis-private.h"
#include "worker/gw-efficiency.h"

/*
 * What the scheduler sees, and a project's figures that follow from it: when it is expected to end,
 * the least time that the limits allow for it, and how near it came. Pure; the engine's thread.
 */

#define MOST_CALLS 20000

/* @reply: as snapshot() in data/redis/reads.lua gives it. */
static GwQueueSnapshot *
read_snapshot (const redisReply *reply)
{
  const redisReply *lanes = gw_redis_reply_get (reply, 5);
  GwQueueSnapshot *snapshot = g_new0 (GwQueueSnapshot, 1);

  snapshot->names = g_ptr_array_new_with_free_func (g_free);
  snapshot->state.now = gw_redis_reply_get_int (reply, 0);
  snapshot->state.cap = (guint) gw_redis_reply_get_int (reply, 1);
  snapshot->state.waiting = (guint64) gw_redis_reply_get_int (reply, 2);
  snapshot->state.later = (guint64) gw_redis_reply_get_int (reply, 3);
  snapshot->state.rounds = (guint64) gw_redis_reply_get_int (reply, 4);
  gw_redis_read_scheduler (lanes, &snapshot->state);
  for (guint i = 0; i < gw_redis_reply_get_length (lanes); i++)
    g_ptr_array_add (snapshot->names,
                     g_strdup (gw_redis_reply_get_text (gw_redis_reply_get (lanes, i), 0)));

  return snapshot;
}

gpointer
gw_redis_parse_snapshot (GwRedisRequest *request,
                         const redisReply *reply,
                         GError **error)
{
  return read_snapshot (gw_redis_reply_get (reply, 2));
}

static int
compare_sends (gconstpointer a,
               gconstpointer b)
{
  const GwEfficiencyCall *left = a;
  const GwEfficiencyCall *right = b;

  return (left->sent_at > right->sent_at) - (left->sent_at < right->sent_at);
}

/* (element-type GwEfficiencyCall): in the order of their sends. @text has a line for each: when it
 * was sent, how long it took, whether it was answered, its lane. */
static GArray *
read_calls (const char *text,
            GPtrArray *names)
{
  GArray *calls = g_array_new (FALSE, FALSE, sizeof (GwEfficiencyCall));
  g_autoptr (GHashTable) lanes = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) name = g_string_new (NULL);
  const char *end;

  for (guint i = 0; i < names->len; i++)
    g_hash_table_insert (lanes, g_ptr_array_index (names, i), GUINT_TO_POINTER (i + 1));
  for (; calls->len < MOST_CALLS && (end = strchr (text, '\n')) != NULL; text = end + 1)
    {
      GwEfficiencyCall call = { .lane = 0 };
      char *rest;

      call.sent_at = g_ascii_strtoll (text, &rest, 10);
      call.ended_at = call.sent_at + g_ascii_strtoll (rest, &rest, 10);
      call.answered = g_ascii_strtoll (rest, &rest, 10) != 0;
      if (rest >= end)
        continue;
      g_string_truncate (name, 0);
      g_string_append_len (name, rest + 1, end - rest - 1);
      call.lane = GPOINTER_TO_UINT (g_hash_table_lookup (lanes, name->str));
      if (call.lane == 0)
        continue;
      call.lane--;
      g_array_append_val (calls, call);
    }
  g_array_sort (calls, compare_sends);

  return calls;
}

/* One that could have been used has its slots, and one that was, whatever it is now. */
static GwBoundLane *
make_lanes (const redisReply *lanes,
            const GwQueueSnapshot *snapshot,
            const GArray *calls)
{
  GwBoundLane *bound = g_new0 (GwBoundLane, snapshot->state.n_lanes + 1);

  for (guint i = 0; i < snapshot->state.n_lanes; i++)
    {
      const redisReply *row = gw_redis_reply_get (lanes, i);
      const GwSchedulerLane *lane = &snapshot->state.lanes[i];

      bound[i].window_sends = lane->window_sends;
      bound[i].prior_s = gw_belief_get_mean (&lane->belief);
      if (gw_redis_reply_get_int (row, 14) > 0 && !lane->pinned_only)
        bound[i].slots = (guint) gw_redis_reply_get_int (row, 13);
    }
  for (guint i = 0; i < calls->len; i++)
    {
      guint lane = g_array_index (calls, GwEfficiencyCall, i).lane;

      bound[lane].slots = (guint) gw_redis_reply_get_int (gw_redis_reply_get (lanes, lane), 13);
    }

  return bound;
}

static void
work_out (GwProject *project,
          const GwQueueSnapshot *snapshot,
          const redisReply *lanes,
          const char *text,
          gint64 submitted_at)
{
  g_autoptr (GArray) calls = read_calls (text, snapshot->names);
  g_autofree GwBoundLane *bound = make_lanes (lanes, snapshot, calls);
  guint64 unfinished = gw_project_count_unfinished (project);
  guint64 n = project->counts[GW_TASK_COMPLETED] + unfinished;
  guint cap = snapshot->state.cap;

  project->estimate_bound_s = project->estimate_efficiency = -1;
  /* The user's own limit binds as the cap does. */
  if (project->concurrency > 0)
    cap = MIN (cap, project->concurrency);
  if (n == 0 || submitted_at == 0)
    return;
  if (unfinished == 0 && calls->len < MOST_CALLS)
    {
      GwEfficiency reached = gw_efficiency_measure (
        bound, snapshot->state.n_lanes, cap, submitted_at,
        (const GwEfficiencyCall *) (gconstpointer) calls->data, calls->len);

      project->estimate_bound_s = reached.bound_s;
      project->estimate_efficiency = reached.efficiency;
      return;
    }

  project->estimate_bound_s = gw_efficiency_bound (bound, snapshot->state.n_lanes, cap, calls, n);
  if (unfinished == 0 && project->estimate_bound_s > 0 && project->finished_at > submitted_at)
    project->estimate_efficiency = MIN (1, project->estimate_bound_s * 1000
                                             / (double) (project->finished_at - submitted_at));
}

gpointer
gw_redis_parse_estimate (GwRedisRequest *request,
                         const redisReply *reply,
                         GError **error)
{
  GwProject *project = gw_redis_read_project (gw_redis_reply_get (reply, 2));
  const redisReply *shown = gw_redis_reply_get (reply, 5);
  g_autoptr (GwQueueSnapshot) snapshot = read_snapshot (shown);
  guint64 unfinished = gw_project_count_unfinished (project);

  project->has_estimate = TRUE;
  work_out (project, snapshot, gw_redis_reply_get (shown, 5), gw_redis_reply_get_text (reply, 6),
            gw_redis_reply_get_int (reply, 3));
  project->estimate_finish_at = project->finished_at;
  if (unfinished == 0)
    return project;

  project->estimate_finish_at = 0;
  if (!project->paused && !project->held)
    {
      GwEstimate estimate = gw_scheduler_estimate (&snapshot->state);

      if (estimate.finish_s >= 0)
        project->estimate_finish_at = gw_redis_reply_get_int (reply, 4)
                                      + (gint64) (estimate.finish_s * 1000);
    }

  return project;
}
