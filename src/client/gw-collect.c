/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-collect"

/* Fetches whole tasks: few by themselves, many by the results of their projects, one project after
 * the other. What is not asked for is let go as soon as its project is there. Asynchronous, in the
 * caller's main context.
 *
 * Guarantee: all or an error; a task that has gone meanwhile is left out. */

#include "config.h"

#include "gw-collect.h"

#define MAX_IN_FLIGHT 8

typedef struct {
  GwClient *client;    /* (owned) */
  GPtrArray *projects; /* (owned) (nullable) */
  GPtrArray *task_ids; /* (owned) (nullable): fetched one by one */
  GHashTable *wanted;  /* (owned) (nullable): ids to keep of the projects' tasks */
  int status;
  GPtrArray *tasks;    /* (owned) (element-type GwTask) */
  GwTask **slots;      /* (owned) (nullable): of the single ones, by their place */
  guint next;
  guint in_flight;
  GError *error;       /* (owned) (nullable) */
} Collection;

static void
collection_free (Collection *self)
{
  guint i;

  g_object_unref (self->client);
  for (i = 0; self->slots != NULL && i < self->task_ids->len; i++)
    g_clear_pointer (&self->slots[i], gw_task_unref);
  g_free (self->slots);
  g_clear_pointer (&self->projects, g_ptr_array_unref);
  g_clear_pointer (&self->task_ids, g_ptr_array_unref);
  g_clear_pointer (&self->wanted, g_hash_table_unref);
  g_clear_pointer (&self->tasks, g_ptr_array_unref);
  g_clear_error (&self->error);
  g_free (self);
}

static gboolean
is_wanted (Collection *self,
           const GwTask *task)
{
  if (self->status >= 0 && (int) task->status != self->status)
    return FALSE;

  return self->wanted == NULL || g_hash_table_contains (self->wanted, task->task_id);
}

static void pump_tasks (GTask *task);
static void next_project (GTask *task);

static void
task_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  gpointer *place = user_data;
  g_autoptr (GTask) task = place[0];
  Collection *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwTask) got = gw_client_get_task_finish (GW_CLIENT (source), result, &error);

  self->in_flight--;
  if (got != NULL && is_wanted (self, got))
    self->slots[GPOINTER_TO_UINT (place[1])] = g_steal_pointer (&got);
  else if (got == NULL && self->error == NULL
           && !g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND))
    self->error = g_steal_pointer (&error);
  g_free (place);
  pump_tasks (task);
}

static void
pump_tasks (GTask *task)
{
  Collection *self = g_task_get_task_data (task);
  guint i;

  while (self->error == NULL && self->in_flight < MAX_IN_FLIGHT && self->next < self->task_ids->len)
    {
      gpointer *place = g_new (gpointer, 2);

      place[0] = g_object_ref (task);
      place[1] = GUINT_TO_POINTER (self->next);
      self->in_flight++;
      gw_client_get_task_async (self->client, self->task_ids->pdata[self->next++],
                                g_task_get_cancellable (task), task_cb, place);
    }
  if (self->in_flight > 0)
    return;

  if (self->error != NULL)
    {
      g_task_return_error (task, g_steal_pointer (&self->error));
      return;
    }
  for (i = 0; i < self->task_ids->len; i++)
    if (self->slots[i] != NULL)
      g_ptr_array_add (self->tasks, g_steal_pointer (&self->slots[i]));
  g_task_return_pointer (task, g_steal_pointer (&self->tasks),
                         (GDestroyNotify) g_ptr_array_unref);
}

static void
project_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Collection *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tasks = gw_client_get_results_finish (GW_CLIENT (source), result, &error);
  guint i;

  if (tasks == NULL && !g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  for (i = 0; tasks != NULL && i < tasks->len; i++)
    if (is_wanted (self, tasks->pdata[i]))
      g_ptr_array_add (self->tasks, gw_task_ref (tasks->pdata[i]));
  next_project (task);
}

static void
next_project (GTask *task)
{
  Collection *self = g_task_get_task_data (task);

  if (self->next < self->projects->len)
    gw_client_get_results_async (self->client, self->projects->pdata[self->next++],
                                 g_task_get_cancellable (task), project_cb, g_object_ref (task));
  else
    g_task_return_pointer (task, g_steal_pointer (&self->tasks),
                           (GDestroyNotify) g_ptr_array_unref);
}

/**
 * gw_collect_async:
 * @client: a client
 * @projects: (element-type utf8) (nullable): whose tasks
 * @task_ids: (element-type utf8) (nullable): only these
 * @status: only these; -1 for any
 * @cancellable: (nullable): a cancellable
 * @callback: called in the caller's context
 * @user_data: for @callback
 */
void
gw_collect_async (GwClient *client,
                  GPtrArray *projects,
                  GPtrArray *task_ids,
                  int status,
                  GCancellable *cancellable,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Collection *self = g_new0 (Collection, 1);
  guint i;

  g_return_if_fail (GW_IS_CLIENT (client));
  g_return_if_fail (projects != NULL || task_ids != NULL);

  g_task_set_source_tag (task, gw_collect_async);
  self->client = g_object_ref (client);
  self->status = status;
  self->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  g_task_set_task_data (task, self, (GDestroyNotify) collection_free);

  if (task_ids != NULL && (task_ids->len <= GW_COLLECT_FEW || projects == NULL))
    {
      self->task_ids = g_ptr_array_ref (task_ids);
      self->slots = g_new0 (GwTask *, task_ids->len);
      pump_tasks (task);
      return;
    }
  self->projects = g_ptr_array_ref (projects);
  if (task_ids != NULL)
    {
      self->wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      for (i = 0; i < task_ids->len; i++)
        g_hash_table_add (self->wanted, g_strdup (task_ids->pdata[i]));
    }
  next_project (task);
}

/**
 * gw_collect_finish:
 * @result: what the callback got
 * @error: of the gateway
 *
 * Returns: (transfer full) (element-type GwTask) (nullable): the tasks
 */
GPtrArray *
gw_collect_finish (GAsyncResult *result,
                   GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
