/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-lane-states"

#include "config.h"

#include "gw-lane-states.h"

/* The key of a provider is refused once, by the answer to one task; the others that wait for that
 * provider do not change by it, so nobody tells of them anew. What they wait for follows from the
 * state of the provider, which is known here. Main thread only. */

static GHashTable *states;     /* (nullable) name → reason, "" where it works; both owned */
static char *stopped;          /* (nullable) the first that needs a person */
static gboolean all_stopped;   /* and no other could take a task that names none */
static guint n_stopped;

gboolean
gw_lane_reason_needs_person (const char *reason)
{
  static const char *const reasons[] = { "auth", "quota", "no-key", "model", NULL };

  return reason != NULL && g_strv_contains (reasons, reason);
}

static gboolean
same_states (GHashTable *a,
             GHashTable *b)
{
  GHashTableIter iter;
  gpointer name;
  gpointer reason;

  if (a == NULL || b == NULL || g_hash_table_size (a) != g_hash_table_size (b))
    return a == b;
  g_hash_table_iter_init (&iter, a);
  while (g_hash_table_iter_next (&iter, &name, &reason))
    if (g_strcmp0 (g_hash_table_lookup (b, name), reason) != 0)
      return FALSE;
  return TRUE;
}

gboolean
gw_lane_states_take (GPtrArray *infos)
{
  g_autoptr (GHashTable) old = g_steal_pointer (&states);
  guint i;

  g_clear_pointer (&stopped, g_free);
  all_stopped = FALSE;
  n_stopped = 0;
  if (infos == NULL)
    return old != NULL;
  states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  all_stopped = TRUE;
  for (i = 0; i < infos->len; i++)
    {
      const GwProviderInfo *info = infos->pdata[i];
      gboolean needs = gw_lane_reason_needs_person (info->waiting);

      if (!info->in_use || info->practice)
        continue;
      g_hash_table_insert (states, g_strdup (info->name), g_strdup (needs ? info->waiting : ""));
      if (!needs)
        all_stopped = FALSE;
      else if (n_stopped++ == 0)
        stopped = g_strdup (info->name);
    }
  all_stopped = all_stopped && n_stopped > 0;
  return !same_states (old, states);
}

gboolean
gw_lane_states_learn (const GwTask *task)
{
  const char *known;

  if (task->status != GW_TASK_QUEUED || task->provider == NULL || states == NULL
      || !gw_lane_reason_needs_person (task->waiting_reason))
    return FALSE;
  known = g_hash_table_lookup (states, task->provider);
  if (known == NULL || g_str_equal (known, task->waiting_reason))
    return FALSE;
  g_hash_table_insert (states, g_strdup (task->provider), g_strdup (task->waiting_reason));
  return TRUE;
}

const char *
gw_lane_states_get_waiting (const GwTask *task)
{
  const char *told = task->status == GW_TASK_QUEUED ? task->waiting_reason : NULL;
  const char *state;

  /* What else it waits for, its project's turn or a pause before its next try, comes first. */
  if (task->status != GW_TASK_QUEUED || states == NULL
      || (told != NULL && !gw_lane_reason_needs_person (told)))
    return told;
  if (task->provider == NULL)
    return told == NULL && all_stopped ? g_hash_table_lookup (states, stopped) : told;
  state = g_hash_table_lookup (states, task->provider);
  if (state == NULL)
    return told;
  return *state != '\0' ? state : NULL;
}

const char *
gw_lane_states_get_provider (const GwTask *task)
{
  if (task->provider != NULL && *task->provider != '\0')
    return task->provider;
  /* One that names none waits for the only one that there is. */
  return task->status == GW_TASK_QUEUED && all_stopped && n_stopped == 1
                 && gw_lane_reason_needs_person (gw_lane_states_get_waiting (task))
             ? stopped
             : NULL;
}

const char *
gw_lane_states_get_stopped (const char **reason)
{
  if (stopped == NULL || all_stopped)
    return NULL;
  *reason = g_hash_table_lookup (states, stopped);
  return stopped;
}
