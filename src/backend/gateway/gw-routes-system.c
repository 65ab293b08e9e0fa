/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls about the gateway itself: health, what the last crash left, and estimates.
 *
 * Threading: the gateway's thread. /health answers 200 as long as the gateway lives, for it is how
 * clients know us; what is wrong is in `status` and `warnings`.
 */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-submission-reader.h"

#define MAX_ESTIMATE 1000000
#define HEALTH_MS 400 /* a client that looks for a gateway waits for 800 */

static void
add_warning (JsonArray *warnings,
             const char *text)
{
  json_array_add_string_element (warnings, text);
}

/* What a person should know before the first task. */
static void
add_provider_warnings (GwGateway *gateway,
                       JsonArray *warnings)
{
  g_autoptr (GPtrArray) configs = NULL;
  gboolean usable = FALSE, practice = FALSE;

  if (gateway->catalogue == NULL)
    return;

  configs = gw_catalogue_list (gateway->catalogue);
  for (guint i = 0; i < configs->len; i++)
    {
      GwProviderConfig *config = configs->pdata[i];

      if (!gw_catalogue_is_in_use (gateway->catalogue, config->name)
          || !gw_catalogue_is_usable (gateway->catalogue, config->name))
        continue;
      if (config->kind == GW_PROVIDER_PRACTICE)
        practice = TRUE;
      else
        usable = TRUE;
    }
  if (!usable && practice)
    add_warning (warnings,
                 "Only the practice provider is there: it echoes tasks. Set a provider's key "
                           "to have them answered.");
  else if (!usable)
    add_warning (warnings, "No provider is usable. Set a provider's key, or enable one in "
                           "gangway.conf.");
}

static void
add_counts (JsonObject *object,
            const GwQueueStats *stats)
{
  JsonObject *counts = json_object_new ();

  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    json_object_set_int_member (counts, gw_task_status_to_string (i), stats->counts[i]);
  json_object_set_object_member (object, "counts", counts);
  json_object_set_int_member (object, "projects", stats->projects);
  json_object_set_int_member (object, "revision", stats->revision);
  json_object_set_int_member (object, "max_concurrency", stats->max_concurrency);
  json_object_set_int_member (object, "in_flight", stats->in_flight);
  json_object_set_int_member (object, "ghosts", stats->ghosts);
  json_object_set_int_member (object, "attempts_uncertain", stats->attempts_uncertain);
  gw_json_set_time (object, "oldest_queued_at", stats->oldest_queued_at);
}

/* What keeps the queue from working, in a word and a sentence, and what waits here for it. */
static void
add_trouble (JsonObject *object,
             const GwQueueTrouble *trouble,
             guint n_kept)
{
  JsonObject *member;

  json_object_set_int_member (object, "undelivered", n_kept);
  if (trouble == NULL)
    {
      json_object_set_null_member (object, "trouble");
      return;
    }
  member = json_object_new ();
  json_object_set_string_member (member, "code", trouble->code);
  json_object_set_string_member (member, "message", trouble->message);
  gw_json_set_time (member, "since", trouble->since);
  json_object_set_object_member (object, "trouble", member);
}

static gboolean
is_about_space (const GwQueueTrouble *trouble)
{
  return g_str_equal (trouble->code, "full") || g_str_equal (trouble->code, "disk");
}

/* @stats: (nullable): the queue has not told them, or not in time; @error: (nullable): why not */
static void
respond_health (GwRequest *request,
                const GwQueueStats *stats,
                const GError *error)
{
  GwGateway *gateway = request->gateway;
  g_autoptr (GwQueueTrouble) trouble = NULL;
  JsonObject *object = json_object_new ();
  JsonArray *warnings = json_array_new ();
  const char *status = "ok";
  guint n_kept;

  trouble = gw_queue_get_trouble (gateway->queue, &n_kept);
  if (stats != NULL && g_strcmp0 (gateway->store, stats->store) != 0)
    {
      g_free (gateway->store);
      gateway->store = g_strdup (stats->store);
    }
  if (g_atomic_int_get (&gateway->refuses_work))
    status = "stopping";
  else if (trouble != NULL)
    status = is_about_space (trouble) ? "no-space" : "unavailable";
  else if (stats == NULL)
    status = error != NULL ? "failing" : "unavailable";
  else if (stats->no_space)
    status = "no-space";

  json_object_set_string_member (object, "service", "gangway");
  json_object_set_string_member (object, "version", GW_VERSION);
  json_object_set_string_member (object, "host", gateway->host_kind);
  gw_json_set_string_or_null (object, "store", gateway->store);
  json_object_set_string_member (object, "queue", gw_queue_get_kind (gateway->queue));
  json_object_set_string_member (object, "status", status);
  json_object_set_string_member (object, "guard", gateway->guard_text);
  json_object_set_int_member (object, "uptime_s",
                              (g_get_monotonic_time () - gateway->started_at) / G_USEC_PER_SEC);
  if (stats != NULL && stats->no_space)
    add_warning (warnings, "There is no space left for the queue: nothing new is stored, and what "
                           "runs keeps its answers until there is. Free some space.");
  add_trouble (object, trouble, n_kept);
  if (trouble != NULL)
    add_warning (warnings, trouble->message);
  else if (stats == NULL)
    add_warning (warnings, error != NULL ? error->message
                                         : "The queue is slow to answer. Look at its server.");
  if (n_kept > 0)
    add_warning (warnings, "Answers are kept on this machine's disk until the queue takes them.");
  if (stats != NULL)
    add_counts (object, stats);
  add_provider_warnings (gateway, warnings);
  if (g_str_has_prefix (gateway->guard_text, "none"))
    add_warning (warnings, "Every user of this machine may send tasks. Set a token, or "
                           "allow-other-users=false.");
  json_object_set_array_member (object, "warnings", warnings);
  gw_request_respond_object (request, 200, object);
}

/* A question about the health: it is answered in time, whatever the queue does. */
typedef struct {
  int ref_count;
  GwRequest *request; /* (owned) */
  GSource *timer;     /* (owned) (nullable) */
} Health;

static void
health_unref (Health *health)
{
  if (--health->ref_count > 0)
    return;

  gw_request_unref (health->request);
  g_free (health);
}

static void
health_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  Health *health = user_data;
  g_autoptr (GwRequest) request = gw_request_release (health->request);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwQueueStats) stats = NULL;

  stats = gw_queue_read_stats_finish (GW_QUEUE (source), result, &error);
  if (health->timer != NULL)
    {
      g_source_destroy (health->timer);
      g_clear_pointer (&health->timer, g_source_unref);
      respond_health (request, stats, error);
    }
  health_unref (health);
}

static gboolean
health_late_cb (gpointer user_data)
{
  Health *health = user_data;

  g_clear_pointer (&health->timer, g_source_unref);
  respond_health (health->request, NULL, NULL);

  return G_SOURCE_REMOVE;
}

void
gw_route_get_health (GwRequest *request)
{
  Health *health = g_new0 (Health, 1);

  health->ref_count = 2;
  health->request = gw_request_ref (request);
  health->timer = g_timeout_source_new (HEALTH_MS);
  g_source_set_static_name (health->timer, "gateway health");
  g_source_set_callback (health->timer, health_late_cb, health, (GDestroyNotify) health_unref);
  g_source_attach (health->timer, request->gateway->context);
  gw_request_hold (request);
  gw_queue_read_stats_async (request->gateway->queue, health_cb, health);
}

static void
recovery_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwRecovery) recovery = NULL;
  JsonObject *object;
  JsonArray *attempts, *task_ids;
  guint n_attempts;

  recovery = gw_queue_read_recovery_finish (GW_QUEUE (source), result, &error);
  if (recovery == NULL)
    {
      gw_request_fail (request, error);
      return;
    }

  object = json_object_new ();
  attempts = json_array_new ();
  task_ids = json_array_new ();
  n_attempts = recovery->attempts != NULL ? recovery->attempts->len : 0;
  for (guint i = 0; i < n_attempts; i++)
    {
      GwAttempt *attempt = recovery->attempts->pdata[i];

      json_array_add_object_element (attempts, gw_attempt_to_json (attempt));
      json_array_add_string_element (task_ids, attempt->task_id);
    }
  gw_json_set_time (object, "recovered_at", recovery->recovered_at);
  json_object_set_int_member (object, "lost", recovery->lost);
  json_object_set_int_member (object, "uncertain", n_attempts);
  json_object_set_int_member (object, "paid_twice", recovery->paid_twice);
  json_object_set_int_member (object, "held_projects", recovery->held_projects);
  json_object_set_array_member (object, "task_ids", task_ids);
  json_object_set_array_member (object, "attempts", attempts);
  gw_request_respond_object (request, 200, object);
}

void
gw_route_get_recovery (GwRequest *request)
{
  gw_queue_read_recovery_async (request->gateway->queue, recovery_cb, gw_request_hold (request));
}

/* What an estimate is asked for. */
typedef struct {
  GwRequest *request;   /* (owned by the hold) */
  guint64 count;
  char *provider;       /* (owned) (nullable) */
  char *model;          /* (owned) (nullable) */
} Question;

static void
question_free (Question *question)
{
  g_free (question->provider);
  g_free (question->model);
  g_free (question);
}

static gboolean
lane_asks_for (GwGateway *gateway,
               const char *name,
               const char *model)
{
  g_autoptr (GwProviderConfig) config = NULL;

  if (gateway->catalogue != NULL)
    config = gw_catalogue_dup (gateway->catalogue, name);

  return config != NULL && g_strcmp0 (config->model, model) == 0;
}

/* What only a stopped or disabled lane may take stands still; the tasks asked for end all the
 * same. */
static void
leave_out_what_stands_still (GwSchedulerState *state)
{
  for (guint i = 0; i < state->n_lanes; i++)
    {
      if (state->lanes[i].slots == 0)
        state->lanes[i].pins = 0;
    }
}

/* Puts the asked-for tasks into the snapshot where a submission would put them. */
static gboolean
add_tasks (GwGateway *gateway,
           const Question *question,
           GwQueueSnapshot *snapshot,
           GError **error)
{
  GwSchedulerState *state = &snapshot->state;
  guint n_fitting = 0, first = 0;

  leave_out_what_stands_still (state);
  if (question->provider == NULL && question->model == NULL)
    {
      state->waiting += question->count;
      return TRUE;
    }

  for (guint i = 0; i < state->n_lanes; i++)
    {
      const char *name = snapshot->names->pdata[i];

      if (question->provider != NULL ? g_str_equal (name, question->provider)
                                     : lane_asks_for (gateway, name, question->model))
        {
          first = n_fitting == 0 ? i : first;
          n_fitting++;
        }
    }
  if (n_fitting == 0)
    {
      if (question->provider != NULL)
        g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                     "provider: there is no '%.64s'. GET /providers lists them.",
                     question->provider);
      else
        g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                     "model: no provider is set to '%.64s'. Name the provider as well.",
                     question->model);
      return FALSE;
    }
  if (n_fitting == 1)
    state->lanes[first].pins += question->count;
  else
    state->waiting += question->count;

  return TRUE;
}

static void
set_seconds (JsonObject *object,
             const char *member,
             double seconds)
{
  if (seconds < 0)
    json_object_set_null_member (object, member);
  else
    json_object_set_double_member (object, member, seconds);
}

static JsonObject *
estimate_to_json (GwGateway *gateway,
                  GwQueueSnapshot *snapshot)
{
  const GwSchedulerState *state = &snapshot->state;
  GwEstimate estimate = gw_scheduler_estimate (state);
  g_autofree double *tasks = g_new0 (double, state->n_lanes + 1);
  JsonObject *object = json_object_new ();
  JsonObject *per_provider = json_object_new ();

  gw_scheduler_plan (state, tasks);
  set_seconds (object, "finish_in_s", estimate.finish_s);
  set_seconds (object, "low_s", estimate.low_s);
  set_seconds (object, "high_s", estimate.high_s);
  json_object_set_boolean_member (object, "learning", estimate.learning);
  for (guint i = 0; i < state->n_lanes; i++)
    {
      JsonObject *lane;

      if (state->lanes[i].pins == 0 && gateway->catalogue != NULL
          && !gw_catalogue_is_in_use (gateway->catalogue, snapshot->names->pdata[i]))
        continue;
      /* The practice provider is there, but not for these tasks. */
      if (state->lanes[i].pinned_only && state->lanes[i].pins == 0 && !(tasks[i] > 0))
        continue;

      lane = json_object_new ();
      json_object_set_double_member (lane, "tasks", (double) (gint64) (tasks[i] * 10 + 0.5) / 10);
      json_object_set_double_member (lane, "latency_s",
                                     gw_belief_get_mean (&state->lanes[i].belief));
      json_object_set_object_member (per_provider, snapshot->names->pdata[i], lane);
    }
  json_object_set_object_member (object, "per_provider", per_provider);

  return object;
}

static void
snapshot_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GwRequest) request = gw_request_release (question->request);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwQueueSnapshot) snapshot = NULL;

  snapshot = gw_queue_read_snapshot_finish (GW_QUEUE (source), result, &error);
  if (snapshot == NULL || !add_tasks (request->gateway, question, snapshot, &error))
    gw_request_fail (request, error);
  else
    gw_request_respond_object (request, 200, estimate_to_json (request->gateway, snapshot));
  question_free (question);
}

static void
estimate_read (GwRequest *request,
               JsonObject *body)
{
  g_autoptr (GError) error = NULL;
  const char *provider = NULL, *model = NULL;
  gint64 count = 0, size = 0;
  Question *question;

  if (!gw_json_get_int (body, "count", GW_JSON_REQUIRED, 1, MAX_ESTIMATE, &count, &error)
      || !gw_json_get_int (body, "size", GW_JSON_NULLABLE, 0, G_MAXINT64, &size, &error)
      || !gw_read_pin (body, "provider", &provider, &error)
      || !gw_read_pin (body, "model", &model, &error))
    {
      gw_request_fail (request, error);
      return;
    }

  question = g_new0 (Question, 1);
  question->request = gw_request_hold (request);
  question->count = count;
  question->provider = g_strdup (provider);
  question->model = g_strdup (model);
  gw_queue_read_snapshot_async (request->gateway->queue, snapshot_cb, question);
}

void
gw_route_estimate (GwRequest *request)
{
  gw_request_read_body (request, TRUE, estimate_read);
}
