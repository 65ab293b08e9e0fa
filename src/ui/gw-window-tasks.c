/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-tasks"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-window-private.h"

/* What is done to tasks: cancel, retry, remove, stop, pause. The verbs for some act on the selected
 * tasks, else on the one that is read; those for all act on the project that is shown, or on all.
 * What can be taken back can be, by Undo; nothing asks first. */

/* How many tasks the undo of an act remembers by name, at most: beyond, it would only take long. */
#define MAX_UNDO_IDS 20000
#define MAX_TARGETS_LOOKED_AT 1000

typedef void (*ActDoneFunc) (GwWindow *self, guint changed, gpointer data);

/* What to say when an act is done. */
typedef struct {
  GwWindow *self;      /* (owned) */
  const char *failed;  /* translated: what did not happen */
  ActDoneFunc done;    /* (nullable) */
  gpointer data;       /* (owned) (nullable) */
  GDestroyNotify free_data;
} ActDone;

static void
acts_cb (GObject *source, GAsyncResult *result, gpointer user_data)
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
static void
run_acts (GwWindow *self, GwActs *acts, const char *failed, ActDoneFunc done, gpointer data,
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

/* --- Which tasks ------------------------------------------------------------------------------ */

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
_gw_window_get_projects_of (GwWindow *self, GPtrArray *items)
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

static gboolean
is_ours (GwWindow *self)
{
  GwClient *client = gw_endpoint_get_client (self->endpoint);

  return client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY;
}

/* A gateway with only the two calls can take nothing back that it has; what still waits on our side
 * can be cancelled. */
static gboolean
can_cancel (GwWindow *self, const GwTask *task)
{
  return task->status == GW_TASK_QUEUED || (task->status == GW_TASK_RUNNING && is_ours (self));
}

static gboolean
can_retry (GwWindow *self, const GwTask *task)
{
  return task->status == GW_TASK_FAILED || task->status == GW_TASK_CANCELLED;
}

static GPtrArray *
collect_ids (GwWindow *self, GPtrArray *items,
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
static GPtrArray *
collect_shown (GwWindow *self, GwTaskStatus status)
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

static guint
count (GwWindow *self, GwTaskStatus status)
{
  return self->list != NULL ? gw_task_list_count_in (self->list, self->project_id, status) : 0;
}

/* (element-type utf8): the projects of what is shown that have tasks which @test asks for. */
static GPtrArray *
collect_projects (GwWindow *self, gboolean (*test) (GwWindow *self, const char *project_id))
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

static gboolean
has_failed (GwWindow *self, const char *project_id)
{
  return gw_task_list_count_in (self->list, project_id, GW_TASK_FAILED) > 0;
}

static gboolean
has_work (GwWindow *self, const char *project_id)
{
  return gw_task_list_count_in (self->list, project_id, GW_TASK_QUEUED)
             + gw_task_list_count_in (self->list, project_id, GW_TASK_RUNNING)
         > 0;
}

static gboolean
is_paused (GwWindow *self, const char *project_id)
{
  GwProject *project = gw_task_list_find_project (self->list, project_id);

  return project != NULL && project->paused && has_work (self, project_id);
}

static gboolean
goes_on (GwWindow *self, const char *project_id)
{
  return has_work (self, project_id) && !is_paused (self, project_id);
}

/* --- Acts on them ----------------------------------------------------------------------------- */

/* (transfer full) (nullable): to the gateway that is in use. */
GwActs *
_gw_window_new_acts (GwWindow *self)
{
  GwClient *client = gw_endpoint_get_client (self->endpoint);

  return client != NULL ? gw_acts_new (client) : NULL;
}

static void
add_task_acts (GwActs *acts, GPtrArray *ids, const char *method, const char *verb)
{
  guint i;

  for (i = 0; i < ids->len; i++)
    gw_acts_add (acts, method,
                 gw_client_build_path ("tasks", (const char *) ids->pdata[i], verb, NULL), NULL);
}

static void
add_project_acts (GwActs *acts, GPtrArray *ids, const char *verb)
{
  guint i;

  for (i = 0; i < ids->len; i++)
    gw_acts_add (acts, "POST",
                 gw_client_build_path ("projects", (const char *) ids->pdata[i], verb, NULL),
                 NULL);
}

/* --- Cancel ----------------------------------------------------------------------------------- */

static void
undo_cancel (gpointer owner, gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    add_task_acts (acts, data, "POST", "retry");
  _gw_window_undo_with_acts (owner, acts, _("Not queued again"));
}

static void
redo_cancel (gpointer owner, gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    add_task_acts (acts, data, "DELETE", NULL);
  _gw_window_undo_with_acts (owner, acts, _("Not cancelled"));
}

static void
cancelled_cb (GwWindow *self, guint changed, gpointer data)
{
  g_autofree char *text
      = g_strdup_printf (ngettext ("%u task cancelled", "%u tasks cancelled", changed), changed);
  g_autofree char *label
      = g_strdup_printf (ngettext ("Cancel %u task", "Cancel %u tasks", changed), changed);

  _gw_window_push_undo (self, text, label, redo_cancel, undo_cancel,
                        g_ptr_array_ref (data), (GDestroyNotify) g_ptr_array_unref);
}

static void
cancel_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids = collect_ids (self, items, can_cancel);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  add_task_acts (acts, ids, "DELETE", NULL);
  run_acts (self, acts, _("Not cancelled"), cancelled_cb, g_ptr_array_ref (ids),
            (GDestroyNotify) g_ptr_array_unref);
}

/* --- Retry ------------------------------------------------------------------------------------ */

static void
retried_cb (GwWindow *self, guint changed, gpointer data)
{
  g_autofree char *text = NULL;

  if (changed == 1 && data != NULL)
    return; /* the one row says it */
  text = g_strdup_printf (ngettext ("%u task queued again", "%u tasks queued again", changed),
                          changed);
  _gw_window_toast (self, text);
}

static void
add_retries (GwActs *acts, GPtrArray *ids, const char *provider)
{
  guint i;

  for (i = 0; i < ids->len; i++)
    {
      JsonObject *body = NULL;

      if (provider != NULL)
        {
          body = json_object_new ();
          json_object_set_string_member (body, "provider", provider);
        }
      gw_acts_add (acts, "POST",
                   gw_client_build_path ("tasks", (const char *) ids->pdata[i], "retry", NULL),
                   body);
    }
}

/**
 * _gw_window_retry_ids:
 * @ids: (element-type utf8): failed or cancelled tasks
 * @provider: (nullable): who is to do them now; NULL: as before
 */
void
_gw_window_retry_ids (GwWindow *self, GPtrArray *ids, const char *provider)
{
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  add_retries (acts, ids, provider);
  run_acts (self, acts, _("Not queued again"), retried_cb,
            ids->len == 1 ? self : NULL, NULL);
}

/**
 * _gw_window_retry_cause:
 * @projects: (element-type utf8): of which all tasks that failed with @code
 * @ids: (element-type utf8): and these tasks
 * @provider: (nullable): who is to do them now; NULL: as before
 */
void
_gw_window_retry_cause (GwWindow *self, GPtrArray *projects, GPtrArray *ids, const char *code,
                        const char *provider)
{
  GwActs *acts = _gw_window_new_acts (self);
  guint i;

  if (acts == NULL)
    return;
  add_retries (acts, ids, provider);
  for (i = 0; i < projects->len; i++)
    {
      JsonObject *body = json_object_new ();

      json_object_set_string_member (body, "code", code);
      if (provider != NULL)
        json_object_set_string_member (body, "provider", provider);
      gw_acts_add (acts, "POST",
                   gw_client_build_path ("projects", (const char *) projects->pdata[i], "retry",
                                         NULL),
                   body);
    }
  run_acts (self, acts, _("Not queued again"), retried_cb, NULL, NULL);
}

typedef struct {
  GPtrArray *ids;
  char *provider;
} Move;

static void
move_free (gpointer data)
{
  Move *move = data;

  g_ptr_array_unref (move->ids);
  g_free (move->provider);
  g_free (move);
}

static void
taken_cb (GwWindow *self, guint changed, gpointer data)
{
  Move *move = data;

  _gw_window_retry_ids (self, move->ids, move->provider);
}

/**
 * _gw_window_move_ids:
 * @ids: (element-type utf8): queued tasks
 *
 * Gives tasks that wait for one provider to another. A queued task has no such call: it is
 * cancelled, then queued again in its old place.
 */
void
_gw_window_move_ids (GwWindow *self, GPtrArray *ids, const char *provider)
{
  GwActs *acts = _gw_window_new_acts (self);
  Move *move;

  if (acts == NULL)
    return;
  add_task_acts (acts, ids, "DELETE", NULL);
  move = g_new0 (Move, 1);
  move->ids = g_ptr_array_ref (ids);
  move->provider = g_strdup (provider);
  run_acts (self, acts, _("Not moved"), taken_cb, move, move_free);
}

static void
retry_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids = collect_ids (self, items, can_retry);

  _gw_window_retry_ids (self, ids, NULL);
}

static void
retry_with_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids = collect_ids (self, items, can_retry);

  _gw_window_retry_ids (self, ids, g_variant_get_string (parameter, NULL));
}

static void
retry_failed_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  projects = collect_projects (self, has_failed);
  add_project_acts (acts, projects, "retry");
  run_acts (self, acts, _("Not queued again"), retried_cb, NULL, NULL);
}

/* --- Pause, resume, stop ---------------------------------------------------------------------- */

static void
undo_pause (gpointer owner, gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    add_project_acts (acts, data, "resume");
  _gw_window_undo_with_acts (owner, acts, _("Not resumed"));
}

static void
redo_pause (gpointer owner, gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    add_project_acts (acts, data, "pause");
  _gw_window_undo_with_acts (owner, acts, _("Not paused"));
}

static void
paused_cb (GwWindow *self, guint changed, gpointer data)
{
  /* The banner says it, and stays. */
  _gw_window_push_undo (self, NULL, _("Pause the queue"), redo_pause, undo_pause,
                        g_ptr_array_ref (data), (GDestroyNotify) g_ptr_array_unref);
}

/* Whether all the work that is left of what is shown is paused. */
gboolean
_gw_window_is_paused (GwWindow *self)
{
  g_autoptr (GPtrArray) paused = NULL;
  g_autoptr (GPtrArray) left = NULL;

  if (self->list == NULL || count (self, GW_TASK_QUEUED) + count (self, GW_TASK_RUNNING) == 0)
    return FALSE;
  left = collect_projects (self, goes_on);
  if (left->len > 0)
    return FALSE;
  paused = collect_projects (self, is_paused);
  return paused->len > 0;
}

static void
pause_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  gboolean resume = _gw_window_is_paused (self);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  projects = collect_projects (self, resume ? is_paused : goes_on);
  add_project_acts (acts, projects, resume ? "resume" : "pause");
  run_acts (self, acts, resume ? _("Not resumed") : _("Not paused"), resume ? NULL : paused_cb,
            g_ptr_array_ref (projects), (GDestroyNotify) g_ptr_array_unref);
}

typedef struct {
  GPtrArray *projects; /* that went on before */
  GPtrArray *task_ids; /* that ran */
} Stop;

static Stop *
stop_new (GPtrArray *projects, GPtrArray *task_ids)
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
undo_stop (gpointer owner, gpointer data)
{
  Stop *stop = data;
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    {
      add_task_acts (acts, stop->task_ids, "POST", "retry");
      add_project_acts (acts, stop->projects, "resume");
    }
  _gw_window_undo_with_acts (owner, acts, _("Not resumed"));
}

static void
redo_stop (gpointer owner, gpointer data)
{
  Stop *stop = data;
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    {
      add_project_acts (acts, stop->projects, "pause");
      add_task_acts (acts, stop->task_ids, "DELETE", NULL);
    }
  _gw_window_undo_with_acts (owner, acts, _("Not stopped"));
}

static void
stopped_cb (GwWindow *self, guint changed, gpointer data)
{
  Stop *stop = data;
  guint queued = count (self, GW_TASK_QUEUED);
  g_autofree char *text = NULL;

  if (queued > 0)
    text = g_strdup_printf (ngettext ("Stopped. %u task is still queued",
                                      "Stopped. %u tasks are still queued", queued),
                            queued);
  else
    text = g_strdup_printf (ngettext ("Stopped. %u task was cancelled",
                                      "Stopped. %u tasks were cancelled", changed),
                            changed);
  _gw_window_push_undo (self, text, _("Stop all tasks"), redo_stop, undo_stop,
                        stop_new (stop->projects, stop->task_ids), stop_free);
}

static void
held_cb (GwWindow *self, guint changed, gpointer data)
{
  Stop *stop = data;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  /* Only now, so that no queued one has taken the place of one that was cancelled; and what runs
   * now, not what ran when the key was pressed. */
  g_ptr_array_unref (stop->task_ids);
  stop->task_ids = is_ours (self) ? collect_shown (self, GW_TASK_RUNNING)
                                  : g_ptr_array_new_with_free_func (g_free);
  add_task_acts (acts, stop->task_ids, "DELETE", NULL);
  run_acts (self, acts, _("Not stopped"), stopped_cb,
            stop_new (stop->projects, stop->task_ids), stop_free);
}

/* Stops what runs and lets nothing new begin. What is queued stays so: it has cost nothing, and one
 * press goes on with it. */
static void
stop_all_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  g_autoptr (GPtrArray) none = NULL;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  projects = collect_projects (self, goes_on);
  none = g_ptr_array_new ();
  add_project_acts (acts, projects, "pause");
  run_acts (self, acts, _("Not stopped"), held_cb, stop_new (projects, none), stop_free);
}

/* --- Remove ----------------------------------------------------------------------------------- */

static void
undo_remove (gpointer owner, gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    gw_acts_add_ids (acts, "/tasks/restore", data);
  _gw_window_undo_with_acts (owner, acts, _("Not restored"));
}

static void
redo_remove (gpointer owner, gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    gw_acts_add_ids (acts, "/tasks/remove", data);
  _gw_window_undo_with_acts (owner, acts, _("Not removed"));
}

static void
removed_cb (GwWindow *self, guint changed, gpointer data)
{
  GPtrArray *ids = data;
  g_autofree char *text = NULL;
  g_autofree char *label = NULL;

  if (changed == 0 && ids->len > 0)
    {
      _gw_window_toast (self, _("Not removed: cancel what runs first"));
      return;
    }
  text = g_strdup_printf (ngettext ("%u task removed", "%u tasks removed", changed), changed);
  label = g_strdup_printf (ngettext ("Remove %u task", "Remove %u tasks", changed), changed);
  _gw_window_push_undo (self, text, label, redo_remove, undo_remove, g_ptr_array_ref (ids),
                        (GDestroyNotify) g_ptr_array_unref);
}

static void
remove_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids = collect_ids (self, items, NULL);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  gw_acts_add_ids (acts, "/tasks/remove", ids);
  run_acts (self, acts, _("Not removed"), removed_cb, g_ptr_array_ref (ids),
            (GDestroyNotify) g_ptr_array_unref);
}

/* --- Added ------------------------------------------------------------------------------------ */

/* Takes back what has not begun; what runs or has ended was wanted when it was. */
static void
undo_add (gpointer owner, gpointer data)
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
_gw_window_push_added (GwWindow *self, const char *toast, GPtrArray *ids)
{
  g_autofree char *label
      = g_strdup_printf (ngettext ("Add %u task", "Add %u tasks", ids->len), ids->len);

  if (!is_ours (self))
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
  gboolean some = gw_endpoint_get_client (self->endpoint) != NULL && self->list != NULL;
  gboolean ours = is_ours (self);
  gboolean left = count (self, GW_TASK_QUEUED) + count (self, GW_TASK_RUNNING) > 0;
  /* Of very many, some will do; this runs at every change. */
  gboolean cancel = n_selected > MAX_TARGETS_LOOKED_AT;
  gboolean retry = n_selected > MAX_TARGETS_LOOKED_AT;
  gboolean any = n_selected > 0;
  guint i;

  if (n_selected <= MAX_TARGETS_LOOKED_AT)
    {
      targets = _gw_window_get_targets (self);
      any = targets->len > 0;
    }
  for (i = 0; targets != NULL && i < targets->len && !(cancel && retry); i++)
    {
      GwTask *task = gw_task_item_get_task (targets->pdata[i]);

      cancel = cancel || can_cancel (self, task);
      retry = retry || can_retry (self, task);
    }
  gtk_widget_action_set_enabled (widget, "win.cancel", some && cancel);
  gtk_widget_action_set_enabled (widget, "win.retry", some && retry);
  gtk_widget_action_set_enabled (widget, "win.retry-with", ours && retry);
  gtk_widget_action_set_enabled (widget, "win.remove", ours && any);
  gtk_widget_action_set_enabled (widget, "win.retry-failed",
                                 some && count (self, GW_TASK_FAILED) > 0);
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
    { "win.retry", retry_action },
    { "win.retry-failed", retry_failed_action },
    { "win.pause", pause_action },
    { "win.stop-all", stop_all_action },
    { "win.remove", remove_action },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "win.retry-with", "s",
                                   retry_with_action);
}
