/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "queue/gw-sqlite-queue-private.h"

/*
 * The providers behind the lanes: they come, go and change, with their limits, and a lane that was
 * stopped goes on; and what a task may be pinned to. Writer's thread only. A provider that is gone
 * keeps its lane.
 */

#define FORGOTTEN 0 /* the limit of a provider that a person removed: the next to have it says its own */

/* Providers that nobody has any more keep their lane, since attempts name it; without a fingerprint
 * they are unknown to whoever submits. */
static gboolean
is_gone (const GwSqLane *lane)
{
  return lane->fingerprint[0] == '\0';
}

/**
 * gw_sq_check_pins:
 * @state: the state
 * @provider: (nullable): pin
 * @model: (nullable): pin
 * @error: (nullable): GW_ERROR_INVALID, naming the field
 *
 * Returns: whether a task may be pinned so
 */
gboolean
gw_sq_check_pins (GwSqState *state,
                  const char *provider,
                  const char *model,
                  GError **error)
{
  if (provider != NULL)
    {
      GwSqLane *lane = gw_sq_lane_get (state, provider);

      if ((lane != NULL && !is_gone (lane)) || g_str_equal (provider, GW_PRACTICE_PROVIDER))
        return TRUE;
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "“provider” is “%s”, and there is none of that name. GET /providers lists them.",
                   provider);
      return FALSE;
    }
  if (model == NULL)
    return TRUE;

  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      if (lane->kind != GW_PROVIDER_PRACTICE && !is_gone (lane)
          && g_strcmp0 (lane->model, model) == 0)
        return TRUE;
    }
  g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
               "“model” is “%s”, and no provider is set to it. Name a “provider” as well, or one "
               "of the models that GET /providers lists.", model);

  return FALSE;
}

/* Whether some provider that is no practice could take a task. */
gboolean
gw_sq_has_usable_provider (GwSqState *state)
{
  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);

      if (lane->kind != GW_PROVIDER_PRACTICE && lane->enabled && lane->usable)
        return TRUE;
    }

  return FALSE;
}

static char *
make_fingerprint (const GwProviderConfig *config)
{
  g_autofree char *command = config->command != NULL ? g_strjoinv (" ", config->command) : NULL;

  return g_strdup_printf ("%d %s %s %s", config->kind,
                          config->base_url != NULL ? config->base_url : "",
                          config->model != NULL ? config->model : "",
                          command != NULL ? command : "");
}

static GwSqLane *
create_lane (GwSqState *state,
             const GwProviderConfig *config)
{
  GwSqLane *lane = gw_sq_lane_new ();

  lane->name = g_strdup (config->name);
  lane->fingerprint = make_fingerprint (config);
  lane->max_concurrency = lane->adapted = config->max_concurrency;
  lane->requests_per_minute = config->requests_per_minute;
  gw_belief_init (&lane->belief, config->latency > 0 ? config->latency : 3);
  gw_sq_run (state->db,
    "INSERT INTO lane (name, kind, max_concurrency, requests_per_minute, adapted, mean, variance,"
    " weight) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "sddddfff", lane->name, (int) config->kind,
    (int) lane->max_concurrency, (int) lane->requests_per_minute, (int) lane->adapted,
    lane->belief.mean, lane->belief.variance, lane->belief.weight);
  lane->pk = sqlite3_last_insert_rowid (state->db->handle);
  g_hash_table_insert (state->lanes, lane->name, lane);
  g_ptr_array_add (state->lane_list, lane);

  return lane;
}

static gboolean
has_send (GwSqLane *lane,
          gint64 attempt)
{
  for (guint i = 0; i < lane->sends->len; i++)
    {
      if (g_array_index (lane->sends, GwSqSend, i).attempt == attempt)
        return TRUE;
    }

  return FALSE;
}

/* A lane that had no window gets one: what it sent in the last minute counts in it. What is left of
 * a window that it had before counts on. */
static void
open_window (GwSqState *state,
             GwSqLane *lane)
{
  sqlite3_stmt *row = gw_sq_bind (state->db,
    "SELECT pk, lane, sent_at, outcome, claimed_at FROM attempt ORDER BY pk DESC", "");

  while (gw_sq_row (state->db, row))
    {
      gint64 sent_at = sqlite3_column_int64 (row, 2);
      gboolean live = sqlite3_column_int (row, 3) == GW_OUTCOME_LIVE;
      GwSqSend entry = { sqlite3_column_int64 (row, 0), 0 };

      if (state->wall - sqlite3_column_int64 (row, 4) > 10 * GW_WINDOW_MS)
        {
          gw_sq_end (row);
          break;
        }
      if (sqlite3_column_int64 (row, 1) != lane->pk || (sent_at == 0 && !live)
          || has_send (lane, entry.attempt))
        continue;
      if (sent_at > 0)
        {
          entry.sent = state->now - MAX (0, state->wall - sent_at);
          /* 0 means "not known". */
          if (entry.sent == 0)
            entry.sent = 1;
        }
      if (entry.sent == 0 || entry.sent + GW_WINDOW_MS > state->now)
        g_array_append_val (lane->sends, entry);
    }
  for (guint i = 0; i < lane->sends->len; i++)
    {
      GwSqSend *entry = &g_array_index (lane->sends, GwSqSend, i);

      gw_sq_run (state->db, "INSERT OR REPLACE INTO send (attempt, lane, at) VALUES (?, ?, ?)",
                 "iii", entry->attempt, lane->pk, entry->sent);
    }
}

static void
set_limits (GwSqState *state,
            GwSqLane *lane,
            const GwProviderConfig *config)
{
  gboolean had_window = lane->requests_per_minute > 0;

  if (lane->max_concurrency != config->max_concurrency)
    {
      if (lane->adapted >= lane->max_concurrency || lane->adapted > config->max_concurrency)
        lane->adapted = config->max_concurrency;
      lane->max_concurrency = config->max_concurrency;
      lane->growth = 0;
    }
  lane->requests_per_minute = config->requests_per_minute;
  if (!had_window && lane->requests_per_minute > 0)
    open_window (state, lane);
}

static void
resume (GwSqState *state,
        GwSqLane *lane)
{
  lane->stopped = FALSE;
  lane->offline = FALSE;
  lane->parked = 0;
  lane->dirty = TRUE;
  gw_sq_lanes_wake (state, lane, ~0);
}

static void
set_provider (GwSqState *state,
              const GwQueueProvider *provider,
              gboolean take_limits,
              GPtrArray *differing)
{
  const GwProviderConfig *config = provider->config;
  GwSqLane *lane = gw_sq_lane_get (state, config->name);
  g_autofree char *fingerprint = make_fingerprint (config);

  if (lane == NULL)
    lane = create_lane (state, config);
  else if (take_limits || provider->set_limits || lane->max_concurrency == FORGOTTEN)
    set_limits (state, lane, config);
  else if (lane->max_concurrency != config->max_concurrency
           || lane->requests_per_minute != config->requests_per_minute)
    g_ptr_array_add (differing,
      g_strdup_printf ("%s: %u at once and %u per minute are asked for, but %u at once and %u per "
                       "minute are stored and used; --set-limits, or PUT /providers/%s, changes "
                       "them (0 per minute: no limit)", config->name, config->max_concurrency,
                       config->requests_per_minute, lane->max_concurrency,
                       lane->requests_per_minute, config->name));

  /* A stop is lifted by what the user changed, not by another start with the same settings. */
  if (lane->stopped
      && (!g_str_equal (lane->fingerprint, fingerprint) || (provider->usable && !lane->usable)))
    resume (state, lane);

  lane->kind = config->kind;
  g_free (lane->model);
  lane->model = g_strdup (config->model);
  g_free (lane->fingerprint);
  lane->fingerprint = g_steal_pointer (&fingerprint);
  lane->enabled = provider->in_use;
  lane->usable = provider->usable;
  lane->dirty = TRUE;
  if (lane->enabled && lane->kind != GW_PROVIDER_PRACTICE)
    state->ever_configured = TRUE;
}

gpointer
gw_sq_step_set_providers (GwSqState *state,
                          gpointer data,
                          GError **error)
{
  GwSqVerbArgs *args = data;
  GPtrArray *differing = g_ptr_array_new ();
  guint n_preferred = 0;

  for (guint i = 0; i < state->lane_list->len; i++)
    {
      GwSqLane *lane = g_ptr_array_index (state->lane_list, i);
      gboolean found = FALSE;
      gboolean removed = FALSE;

      for (guint j = 0; j < args->providers->len && !found; j++)
        {
          GwQueueProvider *provider = g_ptr_array_index (args->providers, j);

          if (!g_str_equal (provider->config->name, lane->name))
            continue;
          found = !provider->removed;
          removed = provider->removed;
        }
      if (removed)
        {
          lane->max_concurrency = FORGOTTEN;
          lane->dirty = TRUE;
        }
      if (!found && !is_gone (lane))
        {
          lane->enabled = FALSE;
          lane->usable = FALSE;
          g_free (lane->fingerprint);
          lane->fingerprint = g_strdup ("");
          lane->dirty = TRUE;
        }
    }
  g_strfreev (state->preferred);
  state->preferred = g_new0 (char *, args->providers->len + 1);
  for (guint i = 0; i < args->providers->len; i++)
    {
      GwQueueProvider *provider = g_ptr_array_index (args->providers, i);

      if (provider->removed)
        continue;
      set_provider (state, provider, args->flag, differing);
      state->preferred[n_preferred++] = g_strdup (provider->config->name);
    }
  gw_sq_lanes_sort (state);
  gw_sq_lanes_wake (state, NULL, ~0);
  g_ptr_array_add (differing, NULL);

  return g_ptr_array_free (differing, FALSE);
}

gpointer
gw_sq_step_set_limits (GwSqState *state,
                       gpointer data,
                       GError **error)
{
  const GwSqVerbArgs *args = data;

  gw_sq_engine_set_limits (state->engine, &args->limits);
  gw_sq_run (state->db, "UPDATE head SET cap = ?", "d",
             (int) gw_sq_engine_get_cap (state->engine));
  gw_sq_plan_sweep (state, FALSE);
  gw_sq_lanes_wake (state, NULL, ~0);

  return NULL;
}

gpointer
gw_sq_step_resume_lane (GwSqState *state,
                        gpointer data,
                        GError **error)
{
  GwSqVerbArgs *args = data;
  GwSqLane *lane = gw_sq_lane_get (state, args->id);

  if (lane == NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_NOT_FOUND,
                   "There is no provider “%s”. GET /providers lists them.", args->id);
      return NULL;
    }
  resume (state, lane);
  gw_sq_lanes_wake (state, NULL, GW_SQ_WAITS_OTHERS);

  return NULL;
}
