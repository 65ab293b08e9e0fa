/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-tasks"

#include "config.h"

#include "gw-lane-states.h"
#include "gw-window-tasks-private.h"

/* Which tasks and which projects a verb acts on: the selected tasks, else the one that is read;
 * the project that is shown, else all. */

/* How many tasks the undo of an act remembers by name, at most: beyond, it would only take long. */
#define MAX_UNDO_IDS 20000

/* (transfer container) (element-type GwTaskItem): the selected ones, else the one that is read. */
GPtrArray *
_gw_window_get_targets (GwWindow *self)
{
  GPtrArray *items = gw_task_view_get_selected (self->task_view);
  GwTaskItem *shown = gw_task_detail_get_item (self->detail);

  if (items->len == 0 && shown != NULL && gtk_widget_get_visible (GTK_WIDGET (self->detail)))
    g_ptr_array_add (items, g_object_ref (shown));
  return items;
}

/* (transfer full) (element-type utf8): of @items, in order of creation. */
GPtrArray *
_gw_window_get_projects_of (GwWindow *self,
                            GPtrArray *items)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GList) projects = NULL;
  GList *l;
  guint i;

  for (i = 0; i < items->len; i++)
    {
      GwTask *task = gw_task_item_get_task (items->pdata[i]);

      if (task->project_id != NULL)
        g_hash_table_add (seen, task->project_id);
    }
  projects = self->list != NULL ? gw_task_list_get_projects (self->list) : NULL;
  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;

      if (g_hash_table_contains (seen, project->project_id))
        g_ptr_array_add (ids, g_strdup (project->project_id));
    }
  return ids;
}

/* While it does not, what is shown is kept, and nothing can be done to it. */
gboolean
_gw_window_gateway_answers (GwWindow *self)
{
  return gw_endpoint_get_client (self->endpoint) != NULL
         && gw_endpoint_get_state (self->endpoint) == GW_ENDPOINT_READY;
}

gboolean
_gw_window_tasks_is_ours (GwWindow *self)
{
  GwClient *client = gw_endpoint_get_client (self->endpoint);

  return client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY;
}

/* A gateway with only the two calls can take nothing back that it has; what still waits on our side
 * can be cancelled. */
gboolean
_gw_window_tasks_can_cancel (GwWindow *self,
                             const GwTask *task)
{
  return task->status == GW_TASK_QUEUED
         || (task->status == GW_TASK_RUNNING && _gw_window_tasks_is_ours (self));
}

gboolean
_gw_window_tasks_can_retry (GwWindow *self,
                            const GwTask *task)
{
  return task->status == GW_TASK_FAILED || task->status == GW_TASK_CANCELLED;
}

/* Waits for a provider that goes on only when a person does something: another one can do it. */
gboolean
_gw_window_tasks_is_stuck (GwWindow *self,
                           const GwTask *task)
{
  return task->status == GW_TASK_QUEUED
         && gw_lane_reason_needs_person (gw_lane_states_get_waiting (task));
}

GPtrArray *
_gw_window_tasks_collect_ids (GwWindow *self,
                              GPtrArray *items,
                              gboolean (*test) (GwWindow *self, const GwTask *task))
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; i < items->len; i++)
    if (test == NULL || test (self, gw_task_item_get_task (items->pdata[i])))
      g_ptr_array_add (ids, g_strdup (gw_task_item_get_task_id (items->pdata[i])));
  return ids;
}

/* (element-type utf8): the ids of all tasks in @status of what is shown. */
GPtrArray *
_gw_window_tasks_collect_shown (GwWindow *self,
                                GwTaskStatus status)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->list));
  guint left = gw_task_list_count_in (self->list, self->project_id, status);
  guint i;

  for (i = 0; i < n && left > 0 && ids->len < MAX_UNDO_IDS; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      GwTask *task = gw_task_item_get_task (item);

      if (task->status != status
          || (self->project_id != NULL && g_strcmp0 (task->project_id, self->project_id) != 0))
        continue;
      g_ptr_array_add (ids, g_strdup (task->task_id));
      left--;
    }
  return ids;
}

guint
_gw_window_tasks_count (GwWindow *self,
                        GwTaskStatus status)
{
  return self->list != NULL ? gw_task_list_count_in (self->list, self->project_id, status) : 0;
}

/* (element-type utf8): the projects of what is shown that have tasks which @test asks for. */
GPtrArray *
_gw_window_tasks_collect_projects (GwWindow *self,
                                   gboolean (*test) (GwWindow *self, const char *project_id))
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GList) projects = NULL;
  GList *l;

  if (self->project_id != NULL)
    {
      if (test (self, self->project_id))
        g_ptr_array_add (ids, g_strdup (self->project_id));
      return ids;
    }
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    {
      GwProject *project = l->data;

      if (test (self, project->project_id))
        g_ptr_array_add (ids, g_strdup (project->project_id));
    }
  return ids;
}

gboolean
_gw_window_tasks_has_failed (GwWindow *self,
                             const char *project_id)
{
  return gw_task_list_count_in (self->list, project_id, GW_TASK_FAILED) > 0;
}

static gboolean
has_work (GwWindow *self,
          const char *project_id)
{
  return gw_task_list_count_in (self->list, project_id, GW_TASK_QUEUED)
             + gw_task_list_count_in (self->list, project_id, GW_TASK_RUNNING)
         > 0;
}

gboolean
_gw_window_tasks_is_paused (GwWindow *self,
                            const char *project_id)
{
  GwProject *project = gw_task_list_find_project (self->list, project_id);

  return project != NULL && project->paused && has_work (self, project_id);
}

gboolean
_gw_window_tasks_goes_on (GwWindow *self,
                          const char *project_id)
{
  return has_work (self, project_id) && !_gw_window_tasks_is_paused (self, project_id);
}

/* Whether all the work that is left of what is shown is paused. */
gboolean
_gw_window_is_paused (GwWindow *self)
{
  g_autoptr (GPtrArray) paused = NULL;
  g_autoptr (GPtrArray) left = NULL;

  if (self->list == NULL
      || _gw_window_tasks_count (self, GW_TASK_QUEUED)
                 + _gw_window_tasks_count (self, GW_TASK_RUNNING)
             == 0)
    return FALSE;
  left = _gw_window_tasks_collect_projects (self, _gw_window_tasks_goes_on);
  if (left->len > 0)
    return FALSE;
  paused = _gw_window_tasks_collect_projects (self, _gw_window_tasks_is_paused);
  return paused->len > 0;
}
