/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-failures"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-lane-states.h"
#include "gw-window-private.h"

/* Failures by their causes: sums follow the list's own steps, and are shown with the Failed filter;
 * what waits for a person is shown with every list that has it. */

#define SHOW_PAUSE_MS 150

/* Rows are taller where they are narrow. */
#define NARROW_WIDTH 560
#define ROWS 3
#define FEW_ROWS 2

/* @filter: the states that are shown, with commas between. */
static gboolean
is_wanted (const char *filter,
           const GwFailureGroup *group)
{
  static const char *const others[] = { "completed", "cancelled", "running", NULL };
  g_auto (GStrv) names = g_strsplit (filter, ",", -1);
  guint i;

  if (!group->waiting)
    return g_strv_contains ((const char *const *) names, "failed");
  for (i = 0; names[i] != NULL; i++)
    if (!g_strv_contains (others, names[i]))
      return TRUE;
  return FALSE;
}

static void
show_groups (GwWindow *self)
{
  g_autoptr (GVariant) filter
      = g_action_group_get_action_state (G_ACTION_GROUP (self), "show");
  GPtrArray *groups = gw_failure_sums_get_groups (self->failures, self->project_id);
  GwClient *client = gw_endpoint_get_client (self->endpoint);
  guint i;

  for (i = groups->len; i-- > 0;)
    if (filter == NULL || !is_wanted (g_variant_get_string (filter, NULL), groups->pdata[i]))
      g_ptr_array_remove_index (groups, i);
  if (self->sidebar != NULL)
    gw_sidebar_set_waiting (self->sidebar, gw_failure_sums_get_waiting (self->failures));
  gw_failure_groups_set_max_rows (self->failure_groups,
                                  self->width > 0 && self->width < NARROW_WIDTH ? FEW_ROWS : ROWS);
  gw_failure_groups_set_groups (self->failure_groups, groups,
                                client != NULL
                                    && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY);
}

static gboolean
show_cb (gpointer user_data)
{
  GwWindow *self = user_data;

  self->failures_id = 0;
  if (self->endpoint != NULL)
    show_groups (self);
  return G_SOURCE_REMOVE;
}

/* Something of what is shown may have changed: another filter, another project, other tasks. */
void
_gw_window_failures_queue (GwWindow *self)
{
  if (self->failures_id != 0)
    return;
  self->failures_id = g_timeout_add (SHOW_PAUSE_MS, show_cb, self);
  g_source_set_name_by_id (self->failures_id, "[gangway] causes of failures");
}

/* One task comes back because of its provider: all that wait for that one wait for the same. */
static void
learn (GwWindow *self,
       GwTaskDelta *delta)
{
  gboolean changed = FALSE;
  guint i;

  for (i = 0; i < delta->added->len; i++)
    changed |= gw_lane_states_learn (gw_task_item_get_task (delta->added->pdata[i]));
  for (i = 0; i < delta->changed->len; i++)
    changed |= gw_lane_states_learn (gw_task_item_get_task (delta->changed->pdata[i]));
  if (!changed)
    return;
  _gw_window_failures_recount (self);
  gw_task_view_update_rows (self->task_view);
}

static void
delta_cb (GwWindow *self,
          GwTaskDelta *delta)
{
  guint i;

  for (i = 0; i < delta->removed->len; i++)
    gw_failure_sums_drop (self->failures, gw_task_item_get_task_id (delta->removed->pdata[i]));
  for (i = 0; i < delta->added->len; i++)
    gw_failure_sums_take (self->failures, gw_task_item_get_task (delta->added->pdata[i]));
  for (i = 0; i < delta->changed->len; i++)
    gw_failure_sums_take (self->failures, gw_task_item_get_task (delta->changed->pdata[i]));
  learn (self, delta);
  _gw_window_failures_queue (self);
}

/* What the tasks wait for is another thing, as far as it follows from their providers. */
void
_gw_window_failures_recount (GwWindow *self)
{
  guint n = self->list != NULL ? g_list_model_get_n_items (G_LIST_MODEL (self->list)) : 0;
  guint i;

  gw_failure_sums_clear (self->failures);
  for (i = 0; i < n; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);

      gw_failure_sums_take (self->failures, gw_task_item_get_task (item));
    }
  _gw_window_failures_queue (self);
}

/* @self has another list now. */
void
_gw_window_failures_follow (GwWindow *self)
{
  g_signal_connect_object (self->list, "delta", G_CALLBACK (delta_cb), self, G_CONNECT_SWAPPED);
  _gw_window_failures_recount (self);
}

static void
act_cb (GwWindow *self,
        GwFailureGroup *group,
        const char *provider,
        const char *model)
{
  g_autoptr (GPtrArray) projects = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);

  gw_failure_sums_collect (self->failures, group, self->project_id, projects, ids);
  if (group->waiting)
    _gw_window_move_ids (self, ids, provider, model);
  else
    _gw_window_retry_cause (self, projects, ids, group->code, provider, model);
}

void
_gw_window_failures_init (GwWindow *self)
{
  self->failures = gw_failure_sums_new ();
  self->failure_groups = GW_FAILURE_GROUPS (gw_failure_groups_new ());
  gw_task_view_set_notice (self->task_view, GTK_WIDGET (self->failure_groups));
  g_signal_connect_object (self->failure_groups, "act", G_CALLBACK (act_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self, "action-state-changed::show",
                           G_CALLBACK (_gw_window_failures_queue), self, G_CONNECT_SWAPPED);
}

void
_gw_window_failures_dispose (GwWindow *self)
{
  g_clear_handle_id (&self->failures_id, g_source_remove);
  g_clear_pointer (&self->failures, gw_failure_sums_free);
}
