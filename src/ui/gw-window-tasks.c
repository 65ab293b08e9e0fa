/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-tasks"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-provider-menu.h"
#include "gw-window-tasks-private.h"

/* What is done to tasks: cancel, retry, remove, stop, pause. The verbs for some act on the selected
 * tasks, else on the one that is read; those for all act on the project that is shown, or on all.
 * What can be taken back can be, by Undo; nothing asks first. */

#define MAX_TARGETS_LOOKED_AT 1000

/* What to say when an act is done. */
typedef struct {
  GwWindow *self;      /* (owned) */
  const char *failed;  /* translated: what did not happen */
  GwActsDoneFunc done;    /* (nullable) */
  gpointer data;       /* (owned) (nullable) */
  GDestroyNotify free_data;
} ActDone;

static void
acts_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  ActDone *act = user_data;
  g_autoptr (GwWindow) self = act->self;
  g_autoptr (GError) error = NULL;
  guint changed = 0;
  gboolean ok = gw_acts_run_finish (result, &changed, &error);

  if (!g_cancellable_is_cancelled (self->cancellable))
    {
      if (!ok)
        _gw_window_toast_error (self, act->failed, error);
      else if (act->done != NULL)
        act->done (self, changed, act->data);
    }
  if (act->free_data != NULL)
    act->free_data (act->data);
  g_free (act);
}

/* @data: (transfer full) (nullable): for @done, freed by @free_data in any case. */
void
_gw_window_tasks_run (GwWindow *self,
                      GwActs *acts,
                      const char *failed,
                      GwActsDoneFunc done,
                      gpointer data,
                      GDestroyNotify free_data)
{
  ActDone *act = g_new0 (ActDone, 1);

  act->self = g_object_ref (self);
  act->failed = failed;
  act->done = done;
  act->data = data;
  act->free_data = free_data;
  gw_acts_run_async (acts, self->cancellable, acts_cb, act);
}

/* --- Acts on them ----------------------------------------------------------------------------- */

/* (transfer full) (nullable): to the gateway that is in use. */
GwActs *
_gw_window_new_acts (GwWindow *self)
{
  GwClient *client = gw_endpoint_get_client (self->endpoint);

  return client != NULL ? gw_acts_new (client) : NULL;
}

void
_gw_window_tasks_add_acts (GwActs *acts,
                           GPtrArray *ids,
                           const char *method,
                           const char *verb)
{
  guint i;

  for (i = 0; i < ids->len; i++)
    gw_acts_add (acts, method,
                 gw_client_build_path ("tasks", (const char *) ids->pdata[i], verb, NULL), NULL);
}

void
_gw_window_tasks_add_project_acts (GwActs *acts,
                                   GPtrArray *ids,
                                   const char *verb)
{
  guint i;

  for (i = 0; i < ids->len; i++)
    gw_acts_add (acts, "POST",
                 gw_client_build_path ("projects", (const char *) ids->pdata[i], verb, NULL),
                 NULL);
}

/* --- Cancel ----------------------------------------------------------------------------------- */

static void
undo_cancel (gpointer owner,
             gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    _gw_window_tasks_add_acts (acts, data, "POST", "retry");
  _gw_window_undo_with_acts (owner, acts, _("Not queued again"));
}

static void
redo_cancel (gpointer owner,
             gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    _gw_window_tasks_add_acts (acts, data, "DELETE", NULL);
  _gw_window_undo_with_acts (owner, acts, _("Not cancelled"));
}

static void
cancelled_cb (GwWindow *self,
              guint changed,
              gpointer data)
{
  g_autofree char *text
      = g_strdup_printf (ngettext ("%'u task cancelled", "%'u tasks cancelled", changed), changed);
  g_autofree char *label
      = g_strdup_printf (ngettext ("Cancel %'u task", "Cancel %'u tasks", changed), changed);

  _gw_window_push_undo (self, text, label, redo_cancel, undo_cancel,
                        g_ptr_array_ref (data), (GDestroyNotify) g_ptr_array_unref);
}

static void
cancel_action (GtkWidget *widget,
               const char *name,
               GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids
      = _gw_window_tasks_collect_ids (self, items, _gw_window_tasks_can_cancel);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  _gw_window_tasks_add_acts (acts, ids, "DELETE", NULL);
  _gw_window_tasks_run (self, acts, _("Not cancelled"), cancelled_cb, g_ptr_array_ref (ids),
                        (GDestroyNotify) g_ptr_array_unref);
}

/* --- Remove ----------------------------------------------------------------------------------- */

static void
undo_remove (gpointer owner,
             gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    gw_acts_add_ids (acts, "/tasks/restore", data);
  _gw_window_undo_with_acts (owner, acts, _("Not restored"));
}

static void
redo_remove (gpointer owner,
             gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    gw_acts_add_ids (acts, "/tasks/remove", data);
  _gw_window_undo_with_acts (owner, acts, _("Not removed"));
}

static void
removed_cb (GwWindow *self,
            guint changed,
            gpointer data)
{
  GPtrArray *ids = data;
  g_autofree char *text = NULL;
  g_autofree char *label = NULL;

  if (changed == 0 && ids->len > 0)
    {
      _gw_window_toast (self, _("Not removed: cancel what runs first"));
      return;
    }
  if (changed < ids->len)
    /* Translators: short, for a small screen: "12 removed, 2 still running" */
    text = g_strdup_printf (_("%1$'u removed, %2$'u still running"), changed, ids->len - changed);
  else
    text = g_strdup_printf (ngettext ("%'u task removed", "%'u tasks removed", changed), changed);
  label = g_strdup_printf (ngettext ("Remove %'u task", "Remove %'u tasks", changed), changed);
  _gw_window_push_undo (self, text, label, redo_remove, undo_remove, g_ptr_array_ref (ids),
                        (GDestroyNotify) g_ptr_array_unref);
}

static void
remove_action (GtkWidget *widget,
               const char *name,
               GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids = _gw_window_tasks_collect_ids (self, items, NULL);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  gw_acts_add_ids (acts, "/tasks/remove", ids);
  _gw_window_tasks_run (self, acts, _("Not removed"), removed_cb, g_ptr_array_ref (ids),
                        (GDestroyNotify) g_ptr_array_unref);
}

/* --- Added ------------------------------------------------------------------------------------ */

/* Takes back what has not begun; what runs or has ended was wanted when it was. */
static void
undo_add (gpointer owner,
          gpointer data)
{
  GwWindow *self = owner;
  GPtrArray *ids = data;
  g_autoptr (GPtrArray) queued = g_ptr_array_new ();
  GwActs *acts;
  guint i;

  for (i = 0; i < ids->len && self->list != NULL; i++)
    {
      GwTaskItem *item = gw_task_list_find (self->list, ids->pdata[i]);

      if (item != NULL && gw_task_item_get_task (item)->status == GW_TASK_QUEUED)
        g_ptr_array_add (queued, ids->pdata[i]);
    }
  if (queued->len == 0)
    {
      _gw_window_toast (self, _("Not taken back: all of them have begun"));
      gw_undo_finished (self->undo, GW_UNDO_GONE);
      return;
    }
  acts = _gw_window_new_acts (self);
  if (acts != NULL)
    gw_acts_add_ids (acts, "/tasks/remove", queued);
  _gw_window_undo_with_acts (self, acts, _("Not taken back"));
}

/**
 * _gw_window_push_added:
 * @toast: (nullable): "37 tasks added"
 * @ids: (element-type utf8): of the tasks that were added
 *
 * Notes that tasks were added: Undo takes back those that have not begun.
 */
void
_gw_window_push_added (GwWindow *self,
                       const char *toast,
                       GPtrArray *ids)
{
  g_autofree char *label
      = g_strdup_printf (ngettext ("Add %'u task", "Add %'u tasks", ids->len), ids->len);

  if (!_gw_window_tasks_is_ours (self))
    {
      /* Nothing can be taken out there. */
      if (toast != NULL)
        _gw_window_toast (self, toast);
      return;
    }
  _gw_window_push_undo (self, toast, label, undo_remove, undo_add, g_ptr_array_ref (ids),
                        (GDestroyNotify) g_ptr_array_unref);
}

/* ---------------------------------------------------------------------------------------------- */

void
_gw_window_tasks_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  guint n_selected = gw_task_view_count_selected (self->task_view);
  g_autoptr (GPtrArray) targets = NULL;
  gboolean some = _gw_window_gateway_answers (self) && self->list != NULL;
  gboolean ours = some && _gw_window_tasks_is_ours (self);
  gboolean left = _gw_window_tasks_count (self, GW_TASK_QUEUED)
                      + _gw_window_tasks_count (self, GW_TASK_RUNNING)
                  > 0;
  /* Of very many, some will do; this runs at every change. */
  gboolean cancel = n_selected > MAX_TARGETS_LOOKED_AT;
  gboolean retry = n_selected > MAX_TARGETS_LOOKED_AT;
  gboolean stuck = n_selected > MAX_TARGETS_LOOKED_AT;
  gboolean waits = n_selected > MAX_TARGETS_LOOKED_AT;
  gboolean removable = n_selected > MAX_TARGETS_LOOKED_AT;
  guint i;

  if (n_selected <= MAX_TARGETS_LOOKED_AT)
    targets = _gw_window_get_targets (self);
  for (i = 0; targets != NULL && i < targets->len && !(cancel && retry && stuck && waits && removable);
       i++)
    {
      GwTask *task = gw_task_item_get_task (targets->pdata[i]);

      cancel = cancel || _gw_window_tasks_can_cancel (self, task);
      retry = retry || _gw_window_tasks_can_retry (self, task);
      stuck = stuck || _gw_window_tasks_is_stuck (self, task);
      waits = waits || task->status == GW_TASK_QUEUED;
      removable = removable || task->status != GW_TASK_RUNNING;
    }
  gtk_widget_action_set_enabled (widget, "win.cancel", some && cancel);
  gtk_widget_action_set_enabled (widget, "win.retry", some && retry);
  gtk_widget_action_set_enabled (widget, "win.retry-with", ours && (retry || stuck));
  gtk_widget_action_set_enabled (widget, "win.remove", ours && removable);
  gtk_widget_action_set_enabled (widget, "win.move-to-top", ours && waits);
  gtk_widget_action_set_enabled (widget, "win.move-to-bottom", ours && waits);
  gtk_widget_action_set_enabled (widget, "win.retry-failed",
                                 some && _gw_window_tasks_count (self, GW_TASK_FAILED) > 0);
  gtk_widget_action_set_enabled (widget, "win.stop-all",
                                 some && left && !_gw_window_is_paused (self));
  gtk_widget_action_set_enabled (widget, "win.pause", some && left);
}

void
_gw_window_tasks_class_init (GwWindowClass *klass)
{
  static const struct {
    const char *name;
    GtkWidgetActionActivateFunc activate;
  } actions[] = {
    { "win.cancel", cancel_action },
    { "win.retry", _gw_window_tasks_retry_action },
    { "win.retry-failed", _gw_window_tasks_retry_failed_action },
    { "win.pause", _gw_window_tasks_pause_action },
    { "win.stop-all", _gw_window_tasks_stop_all_action },
    { "win.remove", remove_action },
    { "win.move-to-top", _gw_window_tasks_move_action },
    { "win.move-to-bottom", _gw_window_tasks_move_action },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "win.retry-with",
                                   GW_PROVIDER_MENU_TYPE, _gw_window_tasks_retry_with_action);
}
