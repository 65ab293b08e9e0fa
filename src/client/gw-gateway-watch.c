/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-gateway-watch"

#include "config.h"

#include "gw-clock.h"
#include "gw-gateway-watch.h"
#include "gw-json.h"

/* Asks the gateway every few seconds, only while tasks wait or it does not give them, for what
 * stops them all: a queue that is ill, a full disk, no network, or limits of all the providers. The
 * network monitor is a hint only, for a gateway and its providers may all be near: offline is who
 * has no network and a provider that cannot be reached.
 *
 * Main thread. Signal `changed`: the trouble is another one, or the reason for which all waits. */

#define PAUSE_S 5
#define PAUSE_IDLE_S 3
#define FIRST_IDLE_S 1 /* between two tasks nothing runs for a moment */
#define SAME_MOMENT_MS 1500
#define PAUSE_IN_TROUBLE_S 2

struct _GwGatewayWatch {
  GObject parent_instance;

  GwClient *client;          /* (owned) (nullable) */
  GNetworkMonitor *monitor;  /* (borrowed) the process' own */
  GCancellable *cancellable; /* (owned) (nullable) of the question under way */
  guint timer_id;
  gboolean active;
  gboolean idle;             /* tasks wait and none runs */
  GwTrouble trouble;
  char *waiting;             /* (owned) (nullable) reason as the gateway names it */
  gint64 waiting_until;      /* Unix ms; 0: not known */
};

enum {
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwGatewayWatch, gw_gateway_watch, G_TYPE_OBJECT)

static void ask (GwGatewayWatch *self);

static void
set_trouble (GwGatewayWatch *self,
             GwTrouble trouble)
{
  if (self->trouble == trouble)
    return;
  self->trouble = trouble;
  g_signal_emit (self, signals[CHANGED], 0);
}

/* @reason: (nullable) */
static void
set_waiting (GwGatewayWatch *self,
             const char *reason,
             gint64 until)
{
  gboolean same = g_strcmp0 (self->waiting, reason) == 0
                  && ABS (self->waiting_until - until) < SAME_MOMENT_MS;

  if (same)
    return;
  g_free (self->waiting);
  self->waiting = g_strdup (reason);
  self->waiting_until = until;
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
stop_asking (GwGatewayWatch *self)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static gboolean
timer_cb (gpointer user_data)
{
  GwGatewayWatch *self = user_data;

  self->timer_id = 0;
  ask (self);
  return G_SOURCE_REMOVE;
}

static void
ask_in (GwGatewayWatch *self,
        guint seconds)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  self->timer_id = g_timeout_add_seconds (seconds, timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] next look at the gateway's health");
}

static void
ask_again_later (GwGatewayWatch *self)
{
  g_clear_object (&self->cancellable);
  ask_in (self, self->trouble != GW_TROUBLE_NONE ? PAUSE_IN_TROUBLE_S
                : self->idle                     ? PAUSE_IDLE_S
                                                 : PAUSE_S);
}

static gboolean
is_out_of_reach (JsonObject *provider)
{
  JsonObject *waiting = gw_json_peek_object (provider, "waiting");

  return waiting != NULL
         && g_strcmp0 (gw_json_peek_string (waiting, "reason"), "network") == 0;
}

/* Unix ms; 0: not known */
static gint64
peek_time (JsonObject *object,
           const char *member)
{
  const char *text = gw_json_peek_string (object, member);
  gint64 time = 0;

  if (text != NULL)
    gw_time_from_iso (text, &time);
  return time;
}

/* Where every provider in use waits: the reason of the one that goes on first, else of any. */
static void
read_waiting (GwGatewayWatch *self,
              JsonArray *providers)
{
  const char *reason = NULL;
  gint64 until = 0;
  guint i;

  for (i = 0; self->idle && providers != NULL && i < json_array_get_length (providers); i++)
    {
      JsonNode *node = json_array_get_element (providers, i);
      JsonObject *provider = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonObject *waiting;
      gint64 opens;

      /* Practice takes only what was submitted for it. */
      if (provider == NULL || !gw_json_peek_boolean (provider, "in_use", TRUE)
          || g_strcmp0 (gw_json_peek_string (provider, "name"), "practice") == 0)
        continue;
      waiting = gw_json_peek_object (provider, "waiting");
      if (waiting == NULL)
        {
          set_waiting (self, NULL, 0);
          return;
        }
      opens = peek_time (waiting, "until");
      if (reason == NULL || (opens > 0 && (until == 0 || opens < until)))
        {
          reason = gw_json_peek_string (waiting, "reason");
          until = opens;
        }
    }
  set_waiting (self, reason, until);
}

static void
providers_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GwGatewayWatch) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);
  JsonArray *providers;
  gboolean offline = FALSE;
  guint i;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  providers = answer != NULL ? gw_json_peek_array (answer, "providers") : NULL;
  if (!g_network_monitor_get_network_available (self->monitor))
    for (i = 0; providers != NULL && i < json_array_get_length (providers) && !offline; i++)
      {
        JsonNode *node = json_array_get_element (providers, i);

        offline = JSON_NODE_HOLDS_OBJECT (node) && is_out_of_reach (json_node_get_object (node));
      }
  set_trouble (self, offline ? GW_TROUBLE_OFFLINE : GW_TROUBLE_NONE);
  read_waiting (self, providers);
  ask_again_later (self);
}

/* What ails the queue itself, as docs/api.md names it. */
static GwTrouble
find_queue_trouble (JsonObject *health)
{
  static const struct
  {
    const char *code;
    GwTrouble trouble;
  } known[] = {
    { "read-only", GW_TROUBLE_QUEUE_READ_ONLY }, { "full", GW_TROUBLE_QUEUE_FULL },
    { "disk", GW_TROUBLE_QUEUE_DISK },           { "access", GW_TROUBLE_QUEUE_CLOSED },
    { "settings", GW_TROUBLE_QUEUE_CLOSED },
  };
  JsonObject *trouble = gw_json_peek_object (health, "trouble");
  const char *code = trouble != NULL ? gw_json_peek_string (trouble, "code") : NULL;
  guint i;

  if (code == NULL)
    return GW_TROUBLE_NONE;
  for (i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i].code, code))
      return known[i].trouble;
  return GW_TROUBLE_QUEUE_AWAY;
}

static void
health_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GwGatewayWatch) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) health = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (health != NULL && find_queue_trouble (health) != GW_TROUBLE_NONE)
    {
      set_trouble (self, find_queue_trouble (health));
      ask_again_later (self);
    }
  else if (health != NULL && g_strcmp0 (gw_json_peek_string (health, "status"), "no-space") == 0)
    {
      set_trouble (self, GW_TROUBLE_NO_SPACE);
      ask_again_later (self);
    }
  else if (health != NULL
           && (self->idle || !g_network_monitor_get_network_available (self->monitor)))
    gw_client_call_async (self->client, "GET", "/providers", NULL, self->cancellable, providers_cb,
                          g_object_ref (self));
  else
    {
      /* That nobody answers is said by whoever follows the tasks. */
      set_trouble (self, GW_TROUBLE_NONE);
      ask_again_later (self);
    }
}

static void
ask (GwGatewayWatch *self)
{
  stop_asking (self);
  if (!self->active || self->client == NULL
      || gw_client_get_protocol (self->client) != GW_PROTOCOL_GANGWAY)
    {
      set_trouble (self, GW_TROUBLE_NONE);
      set_waiting (self, NULL, 0);
      return;
    }
  self->cancellable = g_cancellable_new ();
  gw_client_call_async (self->client, "GET", "/health", NULL, self->cancellable, health_cb,
                        g_object_ref (self));
}

static void
network_changed_cb (GwGatewayWatch *self)
{
  if (self->active)
    ask (self);
}

static void
gw_gateway_watch_dispose (GObject *object)
{
  GwGatewayWatch *self = GW_GATEWAY_WATCH (object);

  stop_asking (self);
  g_clear_object (&self->client);
  g_clear_pointer (&self->waiting, g_free);
  G_OBJECT_CLASS (gw_gateway_watch_parent_class)->dispose (object);
}

static void
gw_gateway_watch_class_init (GwGatewayWatchClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_gateway_watch_dispose;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gw_gateway_watch_init (GwGatewayWatch *self)
{
  self->monitor = g_network_monitor_get_default ();
  g_signal_connect_object (self->monitor, "network-changed", G_CALLBACK (network_changed_cb), self,
                           G_CONNECT_SWAPPED);
}

GwGatewayWatch *
gw_gateway_watch_new (void)
{
  return g_object_new (GW_TYPE_GATEWAY_WATCH, NULL);
}

/**
 * gw_gateway_watch_set_client:
 * @client: (nullable): whom to ask
 */
void
gw_gateway_watch_set_client (GwGatewayWatch *self,
                             GwClient *client)
{
  g_return_if_fail (GW_IS_GATEWAY_WATCH (self));

  if (g_set_object (&self->client, client))
    ask (self);
}

/**
 * gw_gateway_watch_set_active:
 * @active: tasks wait for their answers, or the gateway does not give them
 */
void
gw_gateway_watch_set_active (GwGatewayWatch *self,
                             gboolean active)
{
  g_return_if_fail (GW_IS_GATEWAY_WATCH (self));

  if (self->active == active)
    return;
  self->active = active;
  ask (self);
}

/**
 * gw_gateway_watch_set_idle:
 * @idle: nothing runs although tasks wait that are not paused
 */
void
gw_gateway_watch_set_idle (GwGatewayWatch *self,
                           gboolean idle)
{
  g_return_if_fail (GW_IS_GATEWAY_WATCH (self));

  if (self->idle == idle)
    return;
  self->idle = idle;
  if (!idle)
    set_waiting (self, NULL, 0);
  else if (self->active && self->cancellable == NULL)
    ask_in (self, FIRST_IDLE_S);
}

/* The user has done something about it. */
void
gw_gateway_watch_ask_now (GwGatewayWatch *self)
{
  g_return_if_fail (GW_IS_GATEWAY_WATCH (self));

  if (self->active)
    ask (self);
}

const char *
gw_gateway_watch_get_waiting (GwGatewayWatch *self,
                              gint64 *until)
{
  g_return_val_if_fail (GW_IS_GATEWAY_WATCH (self), NULL);

  *until = self->waiting_until;
  return self->waiting;
}

GwTrouble
gw_gateway_watch_get_trouble (GwGatewayWatch *self)
{
  g_return_val_if_fail (GW_IS_GATEWAY_WATCH (self), GW_TROUBLE_NONE);

  return self->trouble;
}
