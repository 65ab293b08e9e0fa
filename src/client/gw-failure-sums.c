/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-failure-sums"

#include "config.h"

#include "gw-failure-sums.h"
#include "gw-lane-states.h"

/* Piles of task ids, one for each project, provider and cause; what is shown adds the piles of the
 * projects up. */

typedef struct {
  char *key;
  char *project_id; /* "" : none */
  char *provider;   /* "" : not known */
  char *code;
  gboolean waiting;
  GHashTable *ids;  /* (element-type utf8) a set */
  gint64 newest;
  GwTask *sample;   /* (owned) */
} Pile;

struct _GwFailureSums {
  GHashTable *piles;  /* key → Pile (owned) */
  GHashTable *places; /* task id → Pile (unowned) */
};

static void
pile_free (gpointer data)
{
  Pile *pile = data;

  g_free (pile->key);
  g_free (pile->project_id);
  g_free (pile->provider);
  g_free (pile->code);
  g_hash_table_unref (pile->ids);
  gw_task_unref (pile->sample);
  g_free (pile);
}

void
gw_failure_group_free (GwFailureGroup *group)
{
  g_free (group->provider);
  g_free (group->code);
  g_clear_pointer (&group->sample, gw_task_unref);
  g_free (group);
}

/* Whether both are the same cause, whatever their counts. */
gboolean
gw_failure_group_is_same (const GwFailureGroup *a,
                          const GwFailureGroup *b)
{
  return a->waiting == b->waiting && g_str_equal (a->code, b->code)
         && g_strcmp0 (a->provider, b->provider) == 0;
}

GwFailureSums *
gw_failure_sums_new (void)
{
  GwFailureSums *self = g_new0 (GwFailureSums, 1);

  self->piles = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, pile_free);
  self->places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
gw_failure_sums_free (GwFailureSums *self)
{
  g_hash_table_unref (self->places);
  g_hash_table_unref (self->piles);
  g_free (self);
}

void
gw_failure_sums_clear (GwFailureSums *self)
{
  g_hash_table_remove_all (self->places);
  g_hash_table_remove_all (self->piles);
}

static const char *
get_cause (const GwTask *task,
           gboolean *waiting)
{
  *waiting = FALSE;
  if (task->status == GW_TASK_FAILED)
    return gw_error_to_string (task->has_error ? task->error_code : GW_ERROR_TASK_UNKNOWN);
  *waiting = TRUE;
  /* What only a person can mend; everything else that a task waits for passes by itself. */
  return gw_lane_reason_needs_person (gw_lane_states_get_waiting (task))
             ? gw_lane_states_get_waiting (task)
             : NULL;
}

/**
 * gw_failure_sums_drop:
 * @task_id: a task that is gone, or was never there
 */
void
gw_failure_sums_drop (GwFailureSums *self,
                      const char *task_id)
{
  Pile *pile = g_hash_table_lookup (self->places, task_id);

  if (pile == NULL)
    return;
  g_hash_table_remove (pile->ids, task_id);
  g_hash_table_remove (self->places, task_id);
  if (g_hash_table_size (pile->ids) == 0)
    g_hash_table_remove (self->piles, pile->key);
}

static gint64
get_moment (const GwTask *task)
{
  return task->finished_at != 0 ? task->finished_at : task->created_at;
}

/**
 * gw_failure_sums_take:
 * @task: the newest state of a task
 */
void
gw_failure_sums_take (GwFailureSums *self,
                      GwTask *task)
{
  gboolean waiting;
  const char *code = get_cause (task, &waiting);
  const char *project_id = task->project_id != NULL ? task->project_id : "";
  const char *by = gw_lane_states_get_provider (task);
  const char *provider = by != NULL ? by : "";
  g_autofree char *key = NULL;
  Pile *pile;

  if (code == NULL)
    {
      gw_failure_sums_drop (self, task->task_id);
      return;
    }
  key = g_strdup_printf ("%d\n%s\n%s\n%s", waiting, project_id, provider, code);
  pile = g_hash_table_lookup (self->places, task->task_id);
  if (pile == NULL || !g_str_equal (pile->key, key))
    {
      char *id;

      gw_failure_sums_drop (self, task->task_id);
      pile = g_hash_table_lookup (self->piles, key);
      if (pile == NULL)
        {
          pile = g_new0 (Pile, 1);
          pile->key = g_steal_pointer (&key);
          pile->project_id = g_strdup (project_id);
          pile->provider = g_strdup (provider);
          pile->code = g_strdup (code);
          pile->waiting = waiting;
          pile->ids = g_hash_table_new (g_str_hash, g_str_equal);
          pile->newest = get_moment (task);
          pile->sample = gw_task_ref (task);
          g_hash_table_insert (self->piles, pile->key, pile);
        }
      id = g_strdup (task->task_id);
      g_hash_table_insert (self->places, id, pile);
      g_hash_table_add (pile->ids, id);
    }
  if (get_moment (task) >= pile->newest && pile->sample != task)
    {
      pile->newest = get_moment (task);
      gw_task_unref (pile->sample);
      pile->sample = gw_task_ref (task);
    }
}

gboolean
gw_failure_sums_has_any (GwFailureSums *self)
{
  return g_hash_table_size (self->places) > 0;
}

guint
gw_failure_sums_count_waiting (GwFailureSums *self,
                               const char *project_id)
{
  GHashTableIter iter;
  guint n = 0;
  Pile *pile;

  g_hash_table_iter_init (&iter, self->piles);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &pile))
    if (pile->waiting && g_str_equal (pile->project_id, project_id))
      n += g_hash_table_size (pile->ids);
  return n;
}

GHashTable *
gw_failure_sums_get_waiting (GwFailureSums *self)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  Pile *pile;

  g_hash_table_iter_init (&iter, self->piles);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &pile))
    if (pile->waiting)
      {
        guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, pile->project_id));

        g_hash_table_insert (counts, g_strdup (pile->project_id),
                             GUINT_TO_POINTER (n + g_hash_table_size (pile->ids)));
      }
  return counts;
}

gboolean
gw_failure_sums_has_waiting (GwFailureSums *self,
                             const char *provider)
{
  GHashTableIter iter;
  Pile *pile;

  g_hash_table_iter_init (&iter, self->piles);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &pile))
    if (pile->waiting && g_str_equal (pile->provider, provider))
      return TRUE;
  return FALSE;
}

static int
compare_groups (gconstpointer a,
                gconstpointer b)
{
  const GwFailureGroup *left = *(const GwFailureGroup *const *) a;
  const GwFailureGroup *right = *(const GwFailureGroup *const *) b;
  int order;

  if (left->waiting != right->waiting)
    return left->waiting ? -1 : 1;
  if (left->newest != right->newest)
    return left->newest > right->newest ? -1 : 1;
  order = g_strcmp0 (left->provider, right->provider);
  return order != 0 ? order : g_strcmp0 (left->code, right->code);
}

static gboolean
is_in (const Pile *pile,
       const char *project_id)
{
  return project_id == NULL || g_str_equal (pile->project_id, project_id);
}

/**
 * gw_failure_sums_get_groups:
 * @project_id: (nullable): NULL for all
 */
GPtrArray *
gw_failure_sums_get_groups (GwFailureSums *self,
                            const char *project_id)
{
  GPtrArray *groups = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_failure_group_free);
  g_autoptr (GHashTable) by_cause = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  Pile *pile;

  g_hash_table_iter_init (&iter, self->piles);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &pile))
    {
      g_autofree char *cause = NULL;
      GwFailureGroup *group;

      if (!is_in (pile, project_id))
        continue;
      cause = g_strdup_printf ("%d\n%s\n%s", pile->waiting, pile->provider, pile->code);
      group = g_hash_table_lookup (by_cause, cause);
      if (group == NULL)
        {
          group = g_new0 (GwFailureGroup, 1);
          group->waiting = pile->waiting;
          group->provider = *pile->provider != '\0' ? g_strdup (pile->provider) : NULL;
          group->code = g_strdup (pile->code);
          group->newest = G_MININT64;
          g_hash_table_insert (by_cause, g_steal_pointer (&cause), group);
          g_ptr_array_add (groups, group);
        }
      group->count += g_hash_table_size (pile->ids);
      if (pile->newest > group->newest)
        {
          group->newest = pile->newest;
          g_clear_pointer (&group->sample, gw_task_unref);
          group->sample = gw_task_ref (pile->sample);
        }
    }
  g_ptr_array_sort (groups, compare_groups);
  return groups;
}

/* Whether all failed tasks of the pile's project with its code are in it. */
static gboolean
is_whole (GwFailureSums *self,
          const Pile *pile)
{
  GHashTableIter iter;
  Pile *other;

  if (pile->waiting || *pile->project_id == '\0')
    return FALSE;
  g_hash_table_iter_init (&iter, self->piles);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &other))
    if (other != pile && !other->waiting && g_str_equal (other->project_id, pile->project_id)
        && g_str_equal (other->code, pile->code))
      return FALSE;
  return TRUE;
}

/**
 * gw_failure_sums_collect:
 * @project_id: (nullable): NULL for all
 * @projects: gets ids, copied
 * @task_ids: gets ids, copied
 */
void
gw_failure_sums_collect (GwFailureSums *self,
                         const GwFailureGroup *group,
                         const char *project_id,
                         GPtrArray *projects,
                         GPtrArray *task_ids)
{
  GHashTableIter iter;
  Pile *pile;

  g_hash_table_iter_init (&iter, self->piles);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &pile))
    {
      GHashTableIter ids;
      const char *id;

      if (!is_in (pile, project_id) || pile->waiting != group->waiting
          || !g_str_equal (pile->code, group->code)
          || !g_str_equal (pile->provider, group->provider != NULL ? group->provider : ""))
        continue;
      if (is_whole (self, pile))
        {
          g_ptr_array_add (projects, g_strdup (pile->project_id));
          continue;
        }
      g_hash_table_iter_init (&ids, pile->ids);
      while (g_hash_table_iter_next (&ids, (gpointer *) &id, NULL))
        g_ptr_array_add (task_ids, g_strdup (id));
    }
}
