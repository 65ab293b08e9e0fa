/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-json.h"
#include "queue/gw-redis-private.h"

/*
 * From replies to plain data. A row is an array in the order that data/redis/view.lua writes. Any
 * thread; nothing here trusts a type (gw-redis-reply.c).
 */

static void
read_error (const redisReply *row,
            guint at,
            gboolean *has_error,
            GwError *code)
{
  const char *word = gw_redis_reply_get_text (row, at);

  if (*word == '\0')
    return;
  *has_error = TRUE;
  *code = GW_ERROR_TASK_UNKNOWN;
  gw_error_from_string (word, code);
}

/* (transfer full): the task of @row, which is as view_task() gives it. @fields: what is wanted;
 * without the whole text its beginning is in @row. */
static GwTask *
read_task (const redisReply *row,
           GwTaskFields fields)
{
  GwTask *task = gw_task_new ();
  const redisReply *content = gw_redis_reply_get (row, 13);
  const char *metadata = gw_redis_reply_get_text (row, 12);
  int status = (int) gw_redis_reply_get_int (row, 3);

  task->position = (guint64) gw_redis_reply_get_int (row, 0);
  task->task_id = g_strdup (gw_redis_reply_get_text (row, 1));
  task->project_id = g_strdup (gw_redis_reply_get_text (row, 2));
  task->status = (GwTaskStatus) CLAMP (status, 0, GW_N_TASK_STATUSES - 1);
  task->revision = (guint64) gw_redis_reply_get_int (row, 4);
  task->created_at = gw_redis_reply_get_int (row, 5);
  task->started_at = gw_redis_reply_get_int (row, 6);
  task->finished_at = gw_redis_reply_get_int (row, 7);
  task->attempts = (guint) gw_redis_reply_get_int (row, 8);
  task->tries = (guint) gw_redis_reply_get_int (row, 9);
  task->uncertain = gw_redis_reply_get_int (row, 10) != 0;
  task->priority = (int) gw_redis_reply_get_int (row, 28);
  task->content_size = (gsize) gw_redis_reply_get_int (row, 11);
  task->result_size = (gsize) gw_redis_reply_get_int (row, 14);
  task->usage = GW_USAGE_NONE;
  task->duration_ms = -1;
  read_error (row, 22, &task->has_error, &task->error_code);
  if (task->has_error)
    task->error_message = gw_redis_reply_dup_text (row, 23);

  if ((fields & GW_TASK_FIELD_CONTENT) != 0 && content != NULL && content->str != NULL)
    {
      const char *text = content->str;
      gsize size = content->len;

      /* Its beginning was cut by bytes. */
      if (fields != GW_TASK_FIELDS_WHOLE
          && g_utf8_strlen (text, (gssize) size) > GW_FEED_CONTENT_CHARACTERS)
        size = (gsize) (g_utf8_offset_to_pointer (text, GW_FEED_CONTENT_CHARACTERS) - text);
      task->content = g_strndup (text, size);
      task->content_cut = size < task->content_size;
    }
  if ((fields & GW_TASK_FIELDS_OF_RESULT) != 0 && task->status == GW_TASK_COMPLETED)
    task->result = g_strdup (gw_redis_reply_get_text (row, 15));
  if ((fields & GW_TASK_FIELD_METADATA) == 0)
    return task;

  if (*metadata != '\0')
    task->submitted = gw_json_parse_object (metadata, strlen (metadata), NULL);
  if (task->status == GW_TASK_COMPLETED)
    {
      task->model = gw_redis_reply_dup_text (row, 16);
      task->finish_reason = gw_redis_reply_dup_text (row, 17);
      task->usage.prompt_tokens = gw_redis_reply_get_int (row, 18);
      task->usage.completion_tokens = gw_redis_reply_get_int (row, 19);
      task->usage.total_tokens = gw_redis_reply_get_int (row, 20);
      task->duration_ms = gw_redis_reply_get_int (row, 21);
    }
  task->provider = gw_redis_reply_dup_text (row, 24);
  task->practice = gw_redis_reply_get_int (row, 25) != 0;
  task->waiting_reason = gw_redis_reply_dup_text (row, 26);
  task->waiting_until = gw_redis_reply_get_int (row, 27);

  return task;
}

/* @row: as view_project() gives it. */
GwProject *
gw_redis_read_project (const redisReply *row)
{
  GwProject *project = gw_project_new ();

  project->project_id = g_strdup (gw_redis_reply_get_text (row, 1));
  project->name = g_strdup (gw_redis_reply_get_text (row, 2));
  project->created_at = gw_redis_reply_get_int (row, 3);
  project->finished_at = gw_redis_reply_get_int (row, 4);
  project->concurrency = (guint) gw_redis_reply_get_int (row, 5);
  project->paused = gw_redis_reply_get_int (row, 6) != 0;
  project->held = gw_redis_reply_get_int (row, 7) != 0;
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    project->counts[i] = (guint64) gw_redis_reply_get_int (row, 8 + i);
  project->usage.prompt_tokens = gw_redis_reply_get_int (row, 13);
  project->usage.completion_tokens = gw_redis_reply_get_int (row, 14);
  project->usage.total_tokens = gw_redis_reply_get_int (row, 15);
  project->revision = (guint64) gw_redis_reply_get_int (row, 16);
  project->token_limit = gw_redis_reply_get_int (row, 17);
  project->stop_after = gw_redis_reply_dup_text (row, 18);

  return project;
}

static GwAttempt *
read_attempt (const redisReply *row)
{
  GwAttempt *attempt = gw_attempt_new ();

  attempt->revision = (guint64) gw_redis_reply_get_int (row, 0);
  attempt->task_id = g_strdup (gw_redis_reply_get_text (row, 1));
  attempt->number = (guint) gw_redis_reply_get_int (row, 2);
  attempt->provider = gw_redis_reply_dup_text (row, 3);
  attempt->model = gw_redis_reply_dup_text (row, 4);
  attempt->slot = (guint) gw_redis_reply_get_int (row, 5);
  attempt->claimed_at = gw_redis_reply_get_int (row, 6);
  attempt->sent_at = gw_redis_reply_get_int (row, 7);
  attempt->first_byte_at = gw_redis_reply_get_int (row, 8);
  attempt->ended_at = gw_redis_reply_get_int (row, 9);
  attempt->outcome = (GwOutcome) CLAMP (gw_redis_reply_get_int (row, 10), 0, GW_N_OUTCOMES - 1);
  read_error (row, 11, &attempt->has_error, &attempt->error_code);
  attempt->usage.prompt_tokens = gw_redis_reply_get_int (row, 12);
  attempt->usage.completion_tokens = gw_redis_reply_get_int (row, 13);
  attempt->usage.total_tokens = gw_redis_reply_get_int (row, 14);
  attempt->error_message = gw_redis_reply_dup_text (row, 15);
  attempt->raw = gw_redis_reply_dup_text (row, 16);

  return attempt;
}

static GPtrArray *
read_attempts (const redisReply *rows)
{
  GPtrArray *attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);

  for (guint i = 0; i < gw_redis_reply_get_length (rows); i++)
    g_ptr_array_add (attempts, read_attempt (gw_redis_reply_get (rows, i)));

  return attempts;
}

gpointer
gw_redis_parse_task (GwRedisRequest *request,
                     const redisReply *reply,
                     GError **error)
{
  return read_task (gw_redis_reply_get (reply, 2), GW_TASK_FIELDS_WHOLE);
}

gpointer
gw_redis_parse_project (GwRedisRequest *request,
                        const redisReply *reply,
                        GError **error)
{
  return gw_redis_read_project (gw_redis_reply_get (reply, 2));
}

gpointer
gw_redis_parse_projects (GwRedisRequest *request,
                         const redisReply *reply,
                         GError **error)
{
  const redisReply *rows = gw_redis_reply_get (reply, 2);
  GwProjectPage *page = g_new0 (GwProjectPage, 1);

  page->next = request->since;
  page->more = gw_redis_reply_get_int (reply, 3) != 0;
  page->projects = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);
  for (guint i = 0; i < gw_redis_reply_get_length (rows); i++)
    {
      const redisReply *row = gw_redis_reply_get (rows, i);

      page->next = (guint64) gw_redis_reply_get_int (row, 0);
      g_ptr_array_add (page->projects, gw_redis_read_project (row));
    }

  return page;
}

/* A step has looked at as much as it may: another goes on, from the place that the reply names
 * @at. In the arguments the first @n numbers are such places. */
static void
look_on (GwRedisRequest *request,
         const redisReply *reply,
         const guint *at,
         guint n)
{
  g_autoptr (GPtrArray) old = g_steal_pointer (&request->arguments);

  request->arguments = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gw_redis_request_go_on (request, request->script, request->parse);
  for (guint i = 0; i < old->len; i++)
    {
      if (i >= 1 && i <= n)
        gw_redis_request_add_int (request, gw_redis_reply_get_int (reply, at[i - 1]));
      else
        gw_redis_request_add_bytes (request, g_ptr_array_index (old, i));
    }
}

static void
add_rows (GwFeedPage *page,
          const redisReply *reply,
          GwTaskFields fields)
{
  const redisReply *tasks = gw_redis_reply_get (reply, 6);
  const redisReply *projects = gw_redis_reply_get (reply, 7);
  const redisReply *removed = gw_redis_reply_get (reply, 8);

  for (guint i = 0; i < gw_redis_reply_get_length (tasks); i++)
    g_ptr_array_add (page->tasks, read_task (gw_redis_reply_get (tasks, i), fields));
  for (guint i = 0; i < gw_redis_reply_get_length (projects); i++)
    g_ptr_array_add (page->projects, gw_redis_read_project (gw_redis_reply_get (projects, i)));
  for (guint i = 0; i < gw_redis_reply_get_length (removed); i++)
    g_ptr_array_add (page->removed, g_strdup (gw_redis_reply_get_text (removed, i)));
}

/* What changed between two steps stands in the page with its newer state only. */
static void
forget_older (GPtrArray *tasks,
              guint first)
{
  g_autoptr (GHashTable) newer = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = first; i < tasks->len; i++)
    g_hash_table_add (newer, ((GwTask *) g_ptr_array_index (tasks, i))->task_id);
  for (guint i = first; i-- > 0;)
    if (g_hash_table_contains (newer, ((GwTask *) g_ptr_array_index (tasks, i))->task_id))
      g_ptr_array_remove_index (tasks, i);
}

/* A page is gathered in as many steps as it takes to fill it, or to come to the head. */
gpointer
gw_redis_parse_feed (GwRedisRequest *request,
                     const redisReply *reply,
                     GError **error)
{
  static const guint places[] = { 2, 12, 13 };
  GwFeedPage *page = request->progress;
  guint before;

  if (page == NULL)
    {
      page = g_new0 (GwFeedPage, 1);
      page->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
      page->projects = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);
      page->removed = g_ptr_array_new_with_free_func (g_free);
      request->progress = page;
      request->free_progress = (GDestroyNotify) gw_feed_page_free;
      if (request->since == 0)
        request->began_at = gw_redis_reply_get_int (reply, 9);
    }
  page->revision = (guint64) gw_redis_reply_get_int (reply, 2);
  page->more = gw_redis_reply_get_int (reply, 3) != 0;
  page->reset = gw_redis_reply_get_int (reply, 4) != 0;
  g_free (page->store);
  page->store = g_strdup (gw_redis_reply_get_text (reply, 5));
  before = page->tasks->len;
  add_rows (page, reply, (GwTaskFields) request->fields);
  if (before > 0)
    forget_older (page->tasks, before);
  if (gw_redis_reply_get_int (reply, 11) != 0)
    {
      look_on (request, reply, places, G_N_ELEMENTS (places));
      return NULL;
    }

  if (page->more && request->began_at >= gw_redis_reply_get_int (reply, 10))
    gw_queue_walks_note (gw_redis_engine_get_walks (gw_redis_request_get_engine (request)),
                         (gint64) page->revision, request->began_at);

  return g_steal_pointer (&request->progress);
}

gpointer
gw_redis_parse_results (GwRedisRequest *request,
                        const redisReply *reply,
                        GError **error)
{
  const redisReply *rows = gw_redis_reply_get (reply, 2);
  static const guint places[] = { 3 };
  GPtrArray *tasks;

  if (gw_redis_reply_get_length (rows) == 0 && gw_redis_reply_get_int (reply, 4) != 0)
    {
      look_on (request, reply, places, G_N_ELEMENTS (places));
      return NULL;
    }

  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  for (guint i = 0; i < gw_redis_reply_get_length (rows); i++)
    g_ptr_array_add (tasks, read_task (gw_redis_reply_get (rows, i), GW_TASK_FIELDS_WHOLE));

  return tasks;
}

static int
compare_numbers (gconstpointer a,
                 gconstpointer b)
{
  const GwAttempt *one = *(GwAttempt *const *) a;
  const GwAttempt *other = *(GwAttempt *const *) b;

  return (one->number > other->number) - (one->number < other->number);
}

static int
compare_revisions (gconstpointer a,
                   gconstpointer b)
{
  const GwAttempt *one = *(GwAttempt *const *) a;
  const GwAttempt *other = *(GwAttempt *const *) b;

  return (one->revision > other->revision) - (one->revision < other->revision);
}

static void
free_attempt_page (gpointer page)
{
  gw_attempt_page_free (page);
}

gpointer
gw_redis_parse_attempts (GwRedisRequest *request,
                         const redisReply *reply,
                         GError **error)
{
  GwAttemptPage *page = request->progress;
  g_autoptr (GPtrArray) attempts = read_attempts (gw_redis_reply_get (reply, 2));

  if (page == NULL)
    {
      page = g_new0 (GwAttemptPage, 1);
      page->attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
      request->progress = page;
      request->free_progress = free_attempt_page;
    }
  g_ptr_array_extend_and_steal (page->attempts, g_steal_pointer (&attempts));
  page->revision = MAX (page->revision, (guint64) gw_redis_reply_get_int (reply, 4));
  /* It has looked at many and found few: the next step goes on from there. */
  if (gw_redis_reply_get_int (reply, 5) != 0)
    {
      gint64 from = gw_redis_reply_get_int (reply, 6);

      gw_redis_request_go_on (request, GW_REDIS_READS, gw_redis_parse_attempts);
      gw_redis_request_add_text (request, "attempts");
      gw_redis_request_add_int (request, FALSE);
      gw_redis_request_add_text (request, NULL);
      gw_redis_request_add_int (request, request->before > 0 ? (gint64) request->since : from);
      gw_redis_request_add_int (request, request->before > 0 ? from : 0);
      gw_redis_request_add_int (request, request->limit - page->attempts->len);
      return NULL;
    }
  request->progress = NULL;
  page->more = gw_redis_reply_get_int (reply, 3) != 0;
  /* Cut by revision, so that the next page misses none; those of a task are told in their order. */
  g_ptr_array_sort (page->attempts, request->of_task ? compare_numbers : compare_revisions);

  return page;
}

static void
free_recovery (gpointer recovery)
{
  gw_recovery_free (recovery);
}

gpointer
gw_redis_parse_recovery (GwRedisRequest *request,
                         const redisReply *reply,
                         GError **error)
{
  GwRecovery *recovery = request->progress;
  gint64 after = gw_redis_reply_get_int (reply, 6);

  if (recovery == NULL)
    {
      recovery = g_new0 (GwRecovery, 1);
      recovery->attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_attempt_unref);
      request->progress = recovery;
      request->free_progress = free_recovery;
    }
  g_ptr_array_extend_and_steal (recovery->attempts,
                                read_attempts (gw_redis_reply_get (reply, 5)));
  if (after > 0)
    {
      gw_redis_request_go_on (request, GW_REDIS_READS, gw_redis_parse_recovery);
      gw_redis_request_add_text (request, "recovery");
      gw_redis_request_add_int (request, after);
      return NULL;
    }
  request->progress = NULL;
  recovery->recovered_at = gw_redis_reply_get_int (reply, 2);
  recovery->paid_twice = (guint64) gw_redis_reply_get_int (reply, 3);
  recovery->held_projects = (guint64) gw_redis_reply_get_int (reply, 4);

  return recovery;
}

static int
compare_doubles (const void *a,
                 const void *b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return left < right ? -1 : left > right;
}

/* Seconds; 0 without samples. */
static void
read_latencies (const redisReply *samples,
                GwLaneState *state)
{
  guint n = gw_redis_reply_get_length (samples);
  g_autofree double *sorted = g_new (double, n + 1);

  if (n == 0)
    return;
  for (guint i = 0; i < n; i++)
    sorted[i] = gw_redis_reply_get_double (samples, i) / 1000;
  qsort (sorted, n, sizeof (double), compare_doubles);
  state->latency_p50_s = sorted[MIN ((guint) (0.5 * (n - 1) + 0.5), n - 1)];
  state->latency_p95_s = sorted[MIN ((guint) (0.95 * (n - 1) + 0.5), n - 1)];
}

static GwLaneState *
read_lane (const redisReply *row)
{
  GwLaneState *state = g_new0 (GwLaneState, 1);

  state->provider = g_strdup (gw_redis_reply_get_text (row, 0));
  state->model = gw_redis_reply_dup_text (row, 1);
  state->enabled = gw_redis_reply_get_int (row, 2) != 0;
  state->usable = gw_redis_reply_get_int (row, 3) != 0;
  state->max_concurrency = (guint) gw_redis_reply_get_int (row, 4);
  state->adapted_concurrency = (guint) gw_redis_reply_get_int (row, 5);
  state->requests_per_minute = (guint) gw_redis_reply_get_int (row, 6);
  state->in_flight = (guint) gw_redis_reply_get_int (row, 7);
  state->ghosts = (guint) gw_redis_reply_get_int (row, 8);
  state->sends_in_window = (guint) gw_redis_reply_get_int (row, 9);
  state->window_opens_at = gw_redis_reply_get_int (row, 10);
  state->parked_until = gw_redis_reply_get_int (row, 11);
  state->offline = gw_redis_reply_get_int (row, 12) != 0;
  state->stop_code = GW_ERROR_TASK_AUTH;
  read_error (row, 13, &state->stopped, &state->stop_code);
  state->last_error = gw_redis_reply_dup_text (row, 14);
  state->last_error_at = gw_redis_reply_get_int (row, 15);
  state->waiting = (guint64) gw_redis_reply_get_int (row, 16);
  state->sent = (guint64) gw_redis_reply_get_int (row, 17);
  state->answered = (guint64) gw_redis_reply_get_int (row, 18);
  state->failed = (guint64) gw_redis_reply_get_int (row, 19);
  state->samples = (guint) gw_redis_reply_get_int (row, 20);
  read_latencies (gw_redis_reply_get (row, 21), state);
  state->shared = TRUE;
  state->workers = (guint) gw_redis_reply_get_int (row, 22);

  return state;
}

gpointer
gw_redis_parse_lanes (GwRedisRequest *request,
                      const redisReply *reply,
                      GError **error)
{
  const redisReply *rows = gw_redis_reply_get (reply, 2);
  GPtrArray *states = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_lane_state_free);

  for (guint i = 0; i < gw_redis_reply_get_length (rows); i++)
    g_ptr_array_add (states, read_lane (gw_redis_reply_get (rows, i)));

  return states;
}

gpointer
gw_redis_parse_stats (GwRedisRequest *request,
                      const redisReply *reply,
                      GError **error)
{
  GwQueueStats *stats = g_new0 (GwQueueStats, 1);

  stats->store = g_strdup (gw_redis_reply_get_text (reply, 2));
  stats->revision = (guint64) gw_redis_reply_get_int (reply, 3);
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    stats->counts[i] = (guint64) gw_redis_reply_get_int (reply, 4 + i);
  stats->projects = (guint64) gw_redis_reply_get_int (reply, 9);
  stats->attempts_sent = (guint64) gw_redis_reply_get_int (reply, 10);
  stats->attempts_uncertain = (guint64) gw_redis_reply_get_int (reply, 11);
  stats->answers_extra = (guint64) gw_redis_reply_get_int (reply, 12);
  stats->max_concurrency = (guint) gw_redis_reply_get_int (reply, 13);
  stats->in_flight = (guint) gw_redis_reply_get_int (reply, 14);
  stats->ghosts = (guint) gw_redis_reply_get_int (reply, 15);
  stats->commits = (guint64) gw_redis_reply_get_int (reply, 16);
  stats->oldest_queued_at = gw_redis_reply_get_int (reply, 17);
  stats->engines = (guint) gw_redis_reply_get_int (reply, 18);
  stats->leases = (guint) gw_redis_reply_get_int (reply, 19);

  return stats;
}

static gint64 *
read_times (const redisReply *row,
            guint at,
            guint *n)
{
  const redisReply *times = gw_redis_reply_get (row, at);
  gint64 *list;

  *n = gw_redis_reply_get_length (times);
  list = g_new0 (gint64, *n + 1);
  for (guint i = 0; i < *n; i++)
    list[i] = gw_redis_reply_get_int (times, i);

  return list;
}

/**
 * gw_redis_read_scheduler:
 * @lanes: an array of what view_lane() gives
 * @state: (inout): gets the lanes; gw_redis_clear_scheduler() frees them
 *
 * Returns: whether there are any
 */
gboolean
gw_redis_read_scheduler (const redisReply *lanes,
                         GwSchedulerState *state)
{
  state->n_lanes = gw_redis_reply_get_length (lanes);
  state->lanes = g_new0 (GwSchedulerLane, state->n_lanes + 1);
  for (guint i = 0; i < state->n_lanes; i++)
    {
      const redisReply *row = gw_redis_reply_get (lanes, i);
      GwSchedulerLane *lane = &state->lanes[i];

      lane->slots = (guint) gw_redis_reply_get_int (row, 1);
      lane->window_sends = (guint) gw_redis_reply_get_int (row, 2);
      lane->parked_until = gw_redis_reply_get_int (row, 3);
      lane->last_send = gw_redis_reply_get_int (row, 4);
      lane->belief.mean = gw_redis_reply_get_double (row, 5);
      lane->belief.variance = gw_redis_reply_get_double (row, 6);
      lane->belief.weight = gw_redis_reply_get_double (row, 7);
      lane->pinned_only = gw_redis_reply_get_int (row, 8) == GW_PROVIDER_PRACTICE;
      lane->pins = (guint64) gw_redis_reply_get_int (row, 9);
      lane->flying = read_times (row, 10, &lane->n_flying);
      lane->reopens = read_times (row, 11, &lane->n_reopens);
    }

  return state->n_lanes > 0;
}

void
gw_redis_clear_scheduler (GwSchedulerState *state)
{
  for (guint i = 0; i < state->n_lanes; i++)
    {
      g_free ((gpointer) state->lanes[i].flying);
      g_free ((gpointer) state->lanes[i].reopens);
    }
  g_clear_pointer (&state->lanes, g_free);
  state->n_lanes = 0;
}
