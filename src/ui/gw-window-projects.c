/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-projects"

#include "config.h"

#include "gw-window-private.h"

/* The project that is shown: the list, the counts, the progress and what is added follow it. */

/* @project_id: (nullable): all tasks. */
void
_gw_window_show_project (GwWindow *self, const char *project_id)
{
  if (g_strcmp0 (self->project_id, project_id) == 0)
    return;
  g_free (self->project_id);
  self->project_id = g_strdup (project_id);
  gw_task_view_set_project (self->task_view, project_id);
  _gw_window_update (self);
}

/* Returns: (nullable): the project that new tasks are to go to; NULL: by their number. */
const char *
_gw_window_get_target_project (GwWindow *self)
{
  return self->project_id;
}
