/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-batch"

/* The look for a stall: while nothing of the run moves, whether all that is left waits for an act
 * of the user (a key, a balance, a model, a provider). What a task waits for is said when it is
 * read and is no change, so the feed cannot tell it; the queued tasks are asked for by themselves,
 * ever more seldom. The first task that waits for something else ends the look; where that is a
 * cool-down of all lanes, what their last calls failed with is told, once each. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-batch-private.h"
#include "gw-source.h"

#define QUIET_US (500 * 1000)
#define FIRST_LOOK_MS 500
#define MAX_PAUSE_S 10

typedef struct {
  GwBatch *self;        /* (owned) */
  guint64 since;
  gint64 moved_at;      /* of the run, when the look began */
  guint n_stalled;
  GHashTable *reasons;  /* (owned) set of reasons */
  gboolean cooling;     /* what is left waits for lanes that cool down: tell why */
} Look;

static void
look_free (Look *look)
{
  g_hash_table_unref (look->reasons);
  g_object_unref (look->self);
  g_free (look);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Look, look_free)

static gboolean
needs_user (const char *reason)
{
  static const char *const reasons[] = { "auth",   "quota",       "no-key", "model",
                                         "server", "no-provider", NULL };

  return reason != NULL && g_strv_contains (reasons, reason);
}

/* What the user reads about a reason. */
static const char *
describe (const char *reason)
{
  if (g_strcmp0 (reason, "auth") == 0)
    return _("the key is not accepted");
  if (g_strcmp0 (reason, "quota") == 0)
    return _("the balance or quota is used up");
  if (g_strcmp0 (reason, "no-key") == 0)
    return _("it has no key");
  if (g_strcmp0 (reason, "model") == 0)
    return _("it does not know the model");
  if (g_strcmp0 (reason, "server") == 0)
    return _("it does not work as it is set up");

  return _("no provider can be used: set a key, or enable one in the configuration");
}

static void look_again_later (GwBatch *self);

static void
add_part (GString *text,
          const char *provider,
          const char *reason)
{
  if (text->len > 0)
    g_string_append (text, "; ");
  if (provider != NULL)
    g_string_append_printf (text, "%s: ", provider);
  g_string_append_printf (text, "%s (%s)", describe (reason), reason);
}

/* It waits by itself for a provider that asked to slow down, or that cannot be reached. */
static gboolean
is_cooling (const char *reason)
{
  return g_strcmp0 (reason, "cool-down") == 0 || g_strcmp0 (reason, "network") == 0;
}

/* Tells why the lanes cool down, unless that was the last thing told. */
static void
tell_cooling (GwBatch *self,
              JsonArray *providers)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; providers != NULL && i < json_array_get_length (providers); i++)
    {
      JsonNode *node = json_array_get_element (providers, i);
      JsonObject *provider = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonObject *waiting = gw_json_peek_object (provider, "waiting");
      const char *last_error = gw_json_peek_string (provider, "last_error");

      if (last_error != NULL
          && is_cooling (gw_json_peek_string (waiting, "reason")))
        g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", last_error);
    }
  if (text->len == 0 || g_strcmp0 (text->str, self->cooling) == 0)
    return;

  g_free (self->cooling);
  self->cooling = g_strdup (text->str);
  g_signal_emit_by_name (self, "cooling", self->cooling);
}

static void
providers_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (Look) look = user_data;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, NULL);
  JsonArray *providers = gw_json_peek_array (answer, "providers");
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GHashTable) named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer key;

  if (look->self->follow == NULL)
    return;
  if (look->cooling)
    {
      tell_cooling (look->self, providers);
      look_again_later (look->self);
      return;
    }

  for (guint i = 0; providers != NULL && i < json_array_get_length (providers); i++)
    {
      JsonNode *node = json_array_get_element (providers, i);
      JsonObject *provider = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonObject *waiting = gw_json_peek_object (provider, "waiting");
      const char *reason = waiting != NULL ? gw_json_peek_string (waiting, "reason")
                                           : gw_json_peek_string (provider, "waiting");
      const char *last_error = gw_json_peek_string (provider, "last_error");

      if (needs_user (reason) && g_hash_table_contains (look->reasons, reason))
        {
          add_part (text, gw_json_peek_string (provider, "name"), reason);
          if (last_error != NULL)
            g_string_append_printf (text, ": %s", last_error);
          g_hash_table_add (named, g_strdup (reason));
        }
    }
  /* A reason that no lane owns up to is named by itself. */
  g_hash_table_iter_init (&iter, look->reasons);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      if (!g_hash_table_contains (named, key))
        add_part (text, NULL, key);
    }

  if (look->self->moved_at == look->moved_at)
    _gw_batch_end_stalled (look->self, text->str);
  else
    look_again_later (look->self);
}

static void ask (Look *look);

static void
queued_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (Look) look = user_data;
  GwBatch *self = look->self;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, NULL);
  JsonArray *tasks = gw_json_peek_array (answer, "tasks");
  gboolean stalled = tasks != NULL && look->moved_at == self->moved_at;

  if (self->follow == NULL)
    return;

  for (guint i = 0; stalled && i < json_array_get_length (tasks); i++)
    {
      JsonNode *node = json_array_get_element (tasks, i);
      JsonObject *task = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonObject *metadata = gw_json_peek_object (task, "metadata");
      JsonObject *waiting = gw_json_peek_object (metadata, "waiting");
      const char *id = gw_json_peek_string (task, "task_id");
      const char *reason = gw_json_peek_string (waiting, "reason");

      if (id == NULL || !g_hash_table_contains (self->index, id))
        continue;
      stalled = needs_user (reason);
      look->cooling = is_cooling (reason);
      if (stalled)
        {
          g_hash_table_add (look->reasons, g_strdup (reason));
          look->n_stalled++;
        }
    }

  if (stalled && gw_json_peek_boolean (answer, "more", FALSE)
      && gw_json_peek_int (answer, "revision", 0) > (gint64) look->since)
    {
      look->since = (guint64) gw_json_peek_int (answer, "revision", 0);
      ask (g_steal_pointer (&look));
    }
  else if (look->cooling || (stalled && look->n_stalled >= self->counts[GW_TASK_QUEUED]))
    {
      gw_client_call_async (self->client, "GET", "/providers", NULL,
                            self->cancellable, providers_cb,
                            g_steal_pointer (&look));
    }
  else
    {
      look_again_later (self);
    }
}

static void
ask (Look *look)
{
  GwBatch *self = look->self;
  g_autoptr (GString) path = g_string_new ("/tasks?status=queued&fields=task_id,metadata&limit=500");

  g_string_append_printf (path, "&since=%" G_GUINT64_FORMAT "&project=", look->since);
  g_string_append_uri_escaped (path, self->project_id, NULL, FALSE);
  gw_client_call_async (self->client, "GET", path->str, NULL,
                        self->cancellable, queued_cb, look);
}

static gboolean
look_cb (gpointer user_data)
{
  GwBatch *self = user_data;
  Look *look;

  gw_source_clear (&self->stall_timer);
  if (self->counts[GW_TASK_RUNNING] > 0 || self->counts[GW_TASK_QUEUED] == 0
      || self->lost_since != 0)
    return G_SOURCE_REMOVE;
  if (g_get_monotonic_time () - self->moved_at < QUIET_US)
    {
      look_again_later (self);
      return G_SOURCE_REMOVE;
    }

  look = g_new0 (Look, 1);
  look->self = g_object_ref (self);
  look->moved_at = self->moved_at;
  look->reasons = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ask (look);

  return G_SOURCE_REMOVE;
}

static void
start_timer (GwBatch *self,
             guint ms)
{
  self->stall_timer = g_timeout_source_new (ms);
  g_source_set_static_name (self->stall_timer, "[gangway] batch, look for a stall");
  g_source_set_callback (self->stall_timer, look_cb, self, NULL);
  g_source_attach (self->stall_timer, g_task_get_context (self->follow));
}

static void
look_again_later (GwBatch *self)
{
  if (self->stall_timer != NULL || self->follow == NULL)
    return;

  self->stall_pause_s = self->stall_pause_s == 0 ? 1 : MIN (self->stall_pause_s * 2, MAX_PAUSE_S);
  start_timer (self, self->stall_pause_s * 1000);
}

/* After each page: a look is due where tasks wait and none runs. */
void
_gw_batch_watch_stall (GwBatch *self)
{
  if (self->stall_timer != NULL || gw_client_get_protocol (self->client) == GW_PROTOCOL_MINIMAL
      || self->counts[GW_TASK_RUNNING] > 0 || self->counts[GW_TASK_QUEUED] == 0)
    return;

  start_timer (self, FIRST_LOOK_MS);
}
