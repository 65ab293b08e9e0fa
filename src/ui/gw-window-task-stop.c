/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-tasks"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-window-tasks-private.h"

/* Pausing and resuming what is shown, and stopping it: paused, and what waited cancelled. */

static void
undo_pause (gpointer owner,
            gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    _gw_window_tasks_add_project_acts (acts, data, "resume");
  _gw_window_undo_with_acts (owner, acts, _("Not resumed"));
}

static void
redo_pause (gpointer owner,
            gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    _gw_window_tasks_add_project_acts (acts, data, "pause");
  _gw_window_undo_with_acts (owner, acts, _("Not paused"));
}

static void
paused_cb (GwWindow *self,
           guint changed,
           gpointer data)
{
  /* The banner says it, and stays. */
  _gw_window_push_undo (self, NULL, _("Pause the queue"), redo_pause, undo_pause,
                        g_ptr_array_ref (data), (GDestroyNotify) g_ptr_array_unref);
}

void
_gw_window_tasks_pause_action (GtkWidget *widget,
                               const char *name,
                               GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  gboolean resume = _gw_window_is_paused (self);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  projects = _gw_window_tasks_collect_projects (self, resume ? _gw_window_tasks_is_paused
                                                             : _gw_window_tasks_goes_on);
  _gw_window_tasks_add_project_acts (acts, projects, resume ? "resume" : "pause");
  _gw_window_tasks_run (self, acts, resume ? _("Not resumed") : _("Not paused"),
                        resume ? NULL : paused_cb, g_ptr_array_ref (projects),
                        (GDestroyNotify) g_ptr_array_unref);
}

typedef struct {
  GPtrArray *projects; /* that went on before */
  GPtrArray *task_ids; /* that ran */
} Stop;

static Stop *
stop_new (GPtrArray *projects,
          GPtrArray *task_ids)
{
  Stop *stop = g_new0 (Stop, 1);

  stop->projects = g_ptr_array_ref (projects);
  stop->task_ids = g_ptr_array_ref (task_ids);
  return stop;
}

static void
stop_free (gpointer data)
{
  Stop *stop = data;

  g_ptr_array_unref (stop->projects);
  g_ptr_array_unref (stop->task_ids);
  g_free (stop);
}

static void
undo_stop (gpointer owner,
           gpointer data)
{
  Stop *stop = data;
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    {
      _gw_window_tasks_add_acts (acts, stop->task_ids, "POST", "retry");
      _gw_window_tasks_add_project_acts (acts, stop->projects, "resume");
    }
  _gw_window_undo_with_acts (owner, acts, _("Not resumed"));
}

static void
redo_stop (gpointer owner,
           gpointer data)
{
  Stop *stop = data;
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    {
      _gw_window_tasks_add_project_acts (acts, stop->projects, "pause");
      _gw_window_tasks_add_acts (acts, stop->task_ids, "DELETE", NULL);
    }
  _gw_window_undo_with_acts (owner, acts, _("Not stopped"));
}

static void
stopped_cb (GwWindow *self,
            guint changed,
            gpointer data)
{
  Stop *stop = data;
  guint queued = _gw_window_tasks_count (self, GW_TASK_QUEUED);
  g_autofree char *text = NULL;

  if (queued > 0)
    text = g_strdup_printf (ngettext ("Stopped. %'u task is still queued",
                                      "Stopped. %'u tasks are still queued", queued),
                            queued);
  else
    text = g_strdup_printf (ngettext ("Stopped. %'u task was cancelled",
                                      "Stopped. %'u tasks were cancelled", changed),
                            changed);
  _gw_window_push_undo (self, text, _("Stop all tasks"), redo_stop, undo_stop,
                        stop_new (stop->projects, stop->task_ids), stop_free);
}

static void
held_cb (GwWindow *self,
         guint changed,
         gpointer data)
{
  Stop *stop = data;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  /* Only now, so that no queued one has taken the place of one that was cancelled; and what runs
   * now, not what ran when the key was pressed. */
  g_ptr_array_unref (stop->task_ids);
  stop->task_ids = _gw_window_tasks_is_ours (self)
                       ? _gw_window_tasks_collect_shown (self, GW_TASK_RUNNING)
                       : g_ptr_array_new_with_free_func (g_free);
  _gw_window_tasks_add_acts (acts, stop->task_ids, "DELETE", NULL);
  _gw_window_tasks_run (self, acts, _("Not stopped"), stopped_cb,
                        stop_new (stop->projects, stop->task_ids), stop_free);
}

/* Stops what runs and lets nothing new begin. What is queued stays so: it has cost nothing, and one
 * press goes on with it. */
void
_gw_window_tasks_stop_all_action (GtkWidget *widget,
                                  const char *name,
                                  GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  g_autoptr (GPtrArray) none = NULL;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  projects = _gw_window_tasks_collect_projects (self, _gw_window_tasks_goes_on);
  none = g_ptr_array_new ();
  _gw_window_tasks_add_project_acts (acts, projects, "pause");
  _gw_window_tasks_run (self, acts, _("Not stopped"), held_cb, stop_new (projects, none),
                        stop_free);
}
