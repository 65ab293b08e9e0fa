/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GET /metrics: the numbers of queue, lanes, gateway and process, as Prometheus text.
 *
 * Threading: the gateway's thread. Every number is O(1) or O(lanes) to get, but for the process's
 * own descriptors, which are counted.
 */
#define G_LOG_DOMAIN "gw-metrics"

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-router.h"

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef struct {
  GwRequest *request;   /* (owned by the hold) */
  GwQueueStats *stats;  /* (owned) (nullable) */
} Collection;

static void
add_head (GString *text,
          const char *name,
          const char *type,
          const char *help)
{
  g_string_append_printf (text, "# HELP gangway_%s %s\n# TYPE gangway_%s %s\n", name, help, name,
                          type);
}

static void
add_number (GString *text,
            const char *name,
            const char *type,
            const char *help,
            guint64 value)
{
  add_head (text, name, type, help);
  g_string_append_printf (text, "gangway_%s %" G_GUINT64_FORMAT "\n", name, value);
}

/* A label's value, escaped. */
static void
add_label (GString *text,
           const char *value)
{
  for (const char *p = value; *p != '\0'; p++)
    {
      if (*p == '\n')
        g_string_append (text, "\\n");
      else if (*p == '"' || *p == '\\')
        g_string_append_printf (text, "\\%c", *p);
      else
        g_string_append_c (text, *p);
    }
}

static void
add_queue (GString *text,
           const GwQueueStats *stats)
{
  add_head (text, "tasks", "gauge", "Tasks by status.");
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    g_string_append_printf (text, "gangway_tasks{status=\"%s\"} %" G_GUINT64_FORMAT "\n",
                            gw_task_status_to_string (i), stats->counts[i]);
  add_number (text, "projects", "gauge", "Projects.", stats->projects);
  add_number (text, "revision", "counter", "Newest revision of the change feed.", stats->revision);
  add_number (text, "attempts_sent_total", "counter", "Calls sent to providers.",
              stats->attempts_sent);
  add_number (text, "attempts_uncertain_total", "counter", "Calls whose answer nobody saw.",
              stats->attempts_uncertain);
  add_number (text, "answers_extra_total", "counter", "Answers that were paid twice.",
              stats->answers_extra);
  add_number (text, "in_flight", "gauge", "Calls under way, ghosts included.", stats->in_flight);
  add_number (text, "ghosts", "gauge", "Uncertain calls that may still occupy a provider.",
              stats->ghosts);
  add_number (text, "commits_total", "counter", "Transactions written.", stats->commits);
}

/* How old the first task is that could start; a queue that stands still shows here first. */
static void
add_oldest (GString *text,
            const GwQueueStats *stats)
{
  gint64 now = g_get_real_time () / 1000;

  add_number (text, "queue_oldest_seconds", "gauge",
              "Age of the oldest task that could start now; 0: there is none.",
              stats->oldest_queued_at > 0 && now > stats->oldest_queued_at
              ? (guint64) (now - stats->oldest_queued_at) / 1000 : 0);
}

/* A queue that is elsewhere: who is there, and how it is reached from here. */
static void
add_link (GString *text,
          GwQueue *queue,
          const GwQueueStats *stats)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_autoptr (GwQueueTrouble) trouble = NULL;
  GwQueueLink link;
  guint kept = 0;

  if (!gw_queue_get_link (queue, &link))
    return;
  trouble = gw_queue_get_trouble (queue, &kept);
  if (stats != NULL)
    {
      add_number (text, "queue_engines", "gauge", "Gateways and workers that use the queue.",
                  stats->engines);
      add_number (text, "queue_leases", "gauge",
                  "Of them, those that hold a lease: they have work, or had some a moment ago.",
                  stats->leases);
    }
  add_number (text, "undelivered", "gauge",
              "Ends of calls that wait on this machine's disk to be told to the queue.", kept);
  add_head (text, "queue_trouble", "gauge",
            "1 while something keeps the queue from working, by what; no line: nothing does.");
  if (trouble != NULL)
    g_string_append_printf (text, "gangway_queue_trouble{code=\"%s\"} 1\n", trouble->code);
  add_number (text, "redis_connected", "gauge", "1 while this process is connected.",
              link.connected);
  add_number (text, "redis_connections_total", "counter", "Connections made by this process.",
              link.connections);
  add_number (text, "redis_failures_total", "counter",
              "Connections that were lost, or did not come about.", link.failures);
  add_number (text, "redis_steps_total", "counter", "Steps asked for by this process.", link.steps);
  add_head (text, "redis_round_trip_seconds", "summary",
            "Time until a group of steps was answered.");
  g_string_append_printf (text, "gangway_redis_round_trip_seconds_sum %s\n",
                          g_ascii_formatd (number, sizeof number, "%.6f", link.seconds));
  g_string_append_printf (text, "gangway_redis_round_trip_seconds_count %" G_GUINT64_FORMAT "\n",
                          link.round_trips);
}

typedef guint64 (*LaneNumber) (const GwLaneState *lane);

static guint64
lane_in_flight (const GwLaneState *lane)
{
  return lane->in_flight;
}

static guint64
lane_ghosts (const GwLaneState *lane)
{
  return lane->ghosts;
}

static guint64
lane_limit (const GwLaneState *lane)
{
  return lane->max_concurrency;
}

static guint64
lane_adapted (const GwLaneState *lane)
{
  return lane->adapted_concurrency;
}

static guint64
lane_window (const GwLaneState *lane)
{
  return lane->sends_in_window;
}

static guint64
lane_window_limit (const GwLaneState *lane)
{
  return lane->requests_per_minute;
}

static guint64
lane_stopped (const GwLaneState *lane)
{
  return lane->stopped;
}

static guint64
lane_sent (const GwLaneState *lane)
{
  return lane->sent;
}

static guint64
lane_answered (const GwLaneState *lane)
{
  return lane->answered;
}

static guint64
lane_failed (const GwLaneState *lane)
{
  return lane->failed;
}

static const struct {
  const char *name;
  const char *type;
  const char *help;
  LaneNumber number;
} lane_metrics[] = {
  { "provider_in_flight", "gauge", "Calls under way, ghosts included.", lane_in_flight },
  { "provider_ghosts", "gauge", "Uncertain calls that may still occupy it.", lane_ghosts },
  { "provider_concurrency_limit", "gauge", "Calls at once that are allowed.", lane_limit },
  { "provider_concurrency_adapted", "gauge", "Calls at once as learned.", lane_adapted },
  { "provider_window_sends", "gauge", "Sends that count in the rolling window.", lane_window },
  { "provider_window_limit", "gauge", "Sends a minute that are allowed; 0: no limit.",
    lane_window_limit },
  { "provider_stopped", "gauge", "1 while it waits for the user.", lane_stopped },
  { "provider_sent_total", "counter", "Calls sent.", lane_sent },
  { "provider_answered_total", "counter", "Calls answered.", lane_answered },
  { "provider_failed_total", "counter", "Calls that failed.", lane_failed },
};

static void
add_lanes (GString *text,
           GPtrArray *lanes)
{
  for (guint i = 0; i < G_N_ELEMENTS (lane_metrics); i++)
    {
      add_head (text, lane_metrics[i].name, lane_metrics[i].type, lane_metrics[i].help);
      for (guint j = 0; j < lanes->len; j++)
        {
          GwLaneState *lane = lanes->pdata[j];

          g_string_append_printf (text, "gangway_%s{provider=\"", lane_metrics[i].name);
          add_label (text, lane->provider);
          g_string_append_printf (text, "\"} %" G_GUINT64_FORMAT "\n",
                                  lane_metrics[i].number (lane));
        }
    }
  add_head (text, "provider_latency_seconds", "gauge", "Quantiles of a call's time.");
  for (guint j = 0; j < lanes->len; j++)
    {
      GwLaneState *lane = lanes->pdata[j];
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      const double values[] = { lane->latency_p50_s, lane->latency_p95_s };
      const char *const quantiles[] = { "0.5", "0.95" };

      for (guint k = 0; lane->samples > 0 && k < G_N_ELEMENTS (values); k++)
        {
          g_string_append (text, "gangway_provider_latency_seconds{provider=\"");
          add_label (text, lane->provider);
          g_string_append_printf (text, "\",quantile=\"%s\"} %s\n", quantiles[k],
                                  g_ascii_formatd (number, sizeof number, "%.3f", values[k]));
        }
    }
}

static void
add_requests (GString *text,
              GwGateway *self)
{
  guint n_routes;
  const GwRoute *table = gw_router_get_table (&n_routes);
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  GHashTableIter iter;
  gpointer key, value;

  add_head (text, "http_requests_total", "counter", "Requests answered, by route and status.");
  g_hash_table_iter_init (&iter, self->counts);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      guint route = GPOINTER_TO_UINT (key) >> 16;

      g_string_append_printf (
          text,
          "gangway_http_requests_total{method=\"%s\",route=\"%s\",status=\"%u\"} %" G_GUINT64_FORMAT
          "\n",
          route < n_routes ? table[route].method : "", route < n_routes ? table[route].path : "",
          GPOINTER_TO_UINT (key) & 0xffff, *(guint64 *) value);
    }
  add_head (text, "http_request_seconds", "summary", "Time to answer, long-polls apart.");
  g_string_append_printf (text, "gangway_http_request_seconds_sum %s\n",
                          g_ascii_formatd (number, sizeof number, "%.6f",
                                           self->duration_us / 1e6));
  g_string_append_printf (text, "gangway_http_request_seconds_count %" G_GUINT64_FORMAT "\n",
                          self->n_timed);
  add_number (text, "http_connections_accepted_total", "counter", "Connections accepted.",
              gw_http_listener_count_accepted (self->listener));
  add_head (text, "http_connections", "gauge", "Connections, by what they are at.");
  for (guint i = 0; i < GW_N_HTTP_PHASES; i++)
    {
      static const char *const names[GW_N_HTTP_PHASES] = { "head", "body", "busy", "write",
                                                           "idle" };

      g_string_append_printf (text, "gangway_http_connections{phase=\"%s\"} %u\n", names[i],
                              gw_http_listener_count (self->listener, i));
    }
  add_number (text, "http_bodies_bytes", "gauge", "Bytes of bodies in memory.", self->body_bytes);
  add_number (text, "feed_waiters", "gauge", "Long-polls that wait.",
              gw_feed_count_waiters (self->feed));
  add_number (text, "uptime_seconds", "counter", "Seconds since the gateway listens.",
              (g_get_monotonic_time () - self->started_at) / G_USEC_PER_SEC);
}

static void
add_process (GString *text)
{
  g_autoptr (GDir) descriptors = g_dir_open ("/proc/self/fd", 0, NULL);
  g_autofree char *statm = NULL;
  unsigned long resident = 0;
  guint64 n_open = 0;

  while (descriptors != NULL && g_dir_read_name (descriptors) != NULL)
    n_open++;
  if (descriptors != NULL)
    {
      g_string_append (text, "# HELP process_open_fds Open descriptors.\n"
                             "# TYPE process_open_fds gauge\n");
      g_string_append_printf (text, "process_open_fds %" G_GUINT64_FORMAT "\n", n_open - 1);
    }
  if (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL)
      && sscanf (statm, "%*u %lu", &resident) == 1)
    {
      g_string_append (text, "# HELP process_resident_memory_bytes Resident memory.\n"
                             "# TYPE process_resident_memory_bytes gauge\n");
      g_string_append_printf (text, "process_resident_memory_bytes %lu\n",
                              resident * (unsigned long) sysconf (_SC_PAGESIZE));
    }
}

static void
lanes_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  Collection *collection = user_data;
  g_autoptr (GwRequest) request = gw_request_release (collection->request);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) lanes = gw_queue_read_lanes_finish (GW_QUEUE (source), result, &error);
  GString *text = g_string_sized_new (8192);
  gsize length;

  /* A queue that has failed is a number, too; the gateway's own are told all the same. */
  add_number (text, "queue_up", "gauge", "1 while the queue answers.",
              lanes != NULL && collection->stats != NULL);
  add_head (text, "info", "gauge", "What runs here.");
  g_string_append_printf (text, "gangway_info{version=\"%s\",queue=\"%s\",host=\"%s\"} 1\n",
                          GW_VERSION, gw_queue_get_kind (GW_QUEUE (source)),
                          request->gateway->host_kind);
  if (collection->stats != NULL)
    {
      add_queue (text, collection->stats);
      add_oldest (text, collection->stats);
    }
  add_link (text, GW_QUEUE (source), collection->stats);
  if (lanes != NULL)
    add_lanes (text, lanes);
  add_requests (text, request->gateway);
  add_process (text);
  length = text->len;
  gw_request_respond_text (request, 200, CONTENT_TYPE, g_string_free (text, FALSE), length);
  g_clear_pointer (&collection->stats, gw_queue_stats_free);
  g_free (collection);
}

static void
stats_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  Collection *collection = g_new0 (Collection, 1);
  g_autoptr (GwRequest) request = gw_request_release (user_data);

  collection->stats = gw_queue_read_stats_finish (GW_QUEUE (source), result, NULL);
  collection->request = gw_request_hold (request);
  gw_queue_read_lanes_async (GW_QUEUE (source), lanes_cb, collection);
}

void
gw_route_get_metrics (GwRequest *request)
{
  gw_queue_read_stats_async (request->gateway->queue, stats_cb, gw_request_hold (request));
}
