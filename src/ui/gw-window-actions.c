/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-actions"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-acts.h"
#include "gw-verbs.h"
#include "gw-window-private.h"

/* What the verbs of the window do, and when they can be done: one function decides that for menu,
 * button and key alike. They act on the selected tasks, else on the one that is read. */

/* What to say when an act is done. */
typedef struct {
  GwWindow *self;      /* (owned) */
  const char *failed;  /* translated: what did not happen */
  void (*done) (GwWindow *self, guint changed, GPtrArray *task_ids);
  GPtrArray *task_ids; /* (owned) (nullable) */
} ActDone;

static GPtrArray *
get_targets (GwWindow *self)
{
  GPtrArray *items = gw_task_view_get_selected (self->task_view);
  GwTaskItem *shown = gw_task_detail_get_item (self->detail);

  if (items->len == 0 && shown != NULL && gtk_widget_get_visible (GTK_WIDGET (self->detail)))
    g_ptr_array_add (items, g_object_ref (shown));
  return items;
}

static gboolean
can_cancel (const GwTask *task)
{
  return !gw_task_status_is_final (task->status);
}

static gboolean
can_retry (const GwTask *task)
{
  return task->status == GW_TASK_FAILED || task->status == GW_TASK_CANCELLED;
}

static GPtrArray *
collect_ids (GPtrArray *items, gboolean (*test) (const GwTask *task))
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; i < items->len; i++)
    if (test == NULL || test (gw_task_item_get_task (items->pdata[i])))
      g_ptr_array_add (ids, g_strdup (gw_task_item_get_task_id (items->pdata[i])));
  return ids;
}

/* Projects with tasks of @status, from the list: one call each does for all of them. */
static GPtrArray *
collect_projects (GwWindow *self, gboolean (*test) (const GwTask *task))
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->list));
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      GwTask *task = gw_task_item_get_task (item);

      if (task->project_id != NULL && test (task)
          && !g_hash_table_contains (seen, task->project_id))
        {
          g_ptr_array_add (ids, g_strdup (task->project_id));
          g_hash_table_add (seen, ids->pdata[ids->len - 1]);
        }
    }
  return ids;
}

static void
acts_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ActDone *act = user_data;
  g_autoptr (GwWindow) self = act->self;
  g_autoptr (GPtrArray) task_ids = act->task_ids;
  g_autoptr (GError) error = NULL;
  guint changed = 0;
  gboolean ok = gw_acts_run_finish (result, &changed, &error);

  if (!g_cancellable_is_cancelled (self->cancellable))
    {
      if (!ok)
        _gw_window_toast_error (self, act->failed, error);
      else if (act->done != NULL)
        act->done (self, changed, task_ids);
    }
  g_free (act);
}

static void
run_acts (GwWindow *self, GwActs *acts, const char *failed,
          void (*done) (GwWindow *self, guint changed, GPtrArray *task_ids), GPtrArray *task_ids)
{
  ActDone *act = g_new0 (ActDone, 1);

  act->self = g_object_ref (self);
  act->failed = failed;
  act->done = done;
  act->task_ids = task_ids != NULL ? g_ptr_array_ref (task_ids) : NULL;
  gw_acts_run_async (acts, self->cancellable, acts_cb, act);
}

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

static void
cancel_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = get_targets (self);
  g_autoptr (GPtrArray) ids = collect_ids (items, can_cancel);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  add_task_acts (acts, ids, "DELETE", NULL);
  run_acts (self, acts, _("Not cancelled"), NULL, NULL);
}

static void
retried_cb (GwWindow *self, guint changed, GPtrArray *task_ids)
{
  g_autofree char *text = g_strdup_printf (
      ngettext ("%u task queued again", "%u tasks queued again", changed), changed);

  _gw_window_toast (self, text);
}

static void
retry_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = get_targets (self);
  g_autoptr (GPtrArray) ids = collect_ids (items, can_retry);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  add_task_acts (acts, ids, "POST", "retry");
  run_acts (self, acts, _("Not queued again"), ids->len > 1 ? retried_cb : NULL, NULL);
}

static gboolean
has_failed (const GwTask *task)
{
  return task->status == GW_TASK_FAILED;
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
  run_acts (self, acts, _("Not queued again"), retried_cb, NULL);
}

static void
stopped_cb (GwWindow *self, guint changed, GPtrArray *task_ids)
{
  g_autofree char *text
      = g_strdup_printf (ngettext ("%u task cancelled", "%u tasks cancelled", changed), changed);

  _gw_window_toast (self, text);
}

static void
stop_all_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  projects = collect_projects (self, can_cancel);
  add_project_acts (acts, projects, "cancel");
  run_acts (self, acts, _("Not stopped"), stopped_cb, NULL);
}

static void
undo_remove (gpointer owner, gpointer data)
{
  GwWindow *self = owner;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts != NULL)
    gw_acts_add_ids (acts, "/tasks/restore", data);
  _gw_window_undo_with_acts (self, acts, _("Not restored"));
}

static void
redo_remove (gpointer owner, gpointer data)
{
  GwWindow *self = owner;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts != NULL)
    gw_acts_add_ids (acts, "/tasks/remove", data);
  _gw_window_undo_with_acts (self, acts, _("Not removed"));
}

static void
removed_cb (GwWindow *self, guint changed, GPtrArray *task_ids)
{
  g_autofree char *text
      = g_strdup_printf (ngettext ("%u task removed", "%u tasks removed", changed), changed);
  g_autofree char *label
      = g_strdup_printf (ngettext ("Remove %u task", "Remove %u tasks", changed), changed);

  _gw_window_push_undo (self, text, label, redo_remove, undo_remove, g_ptr_array_ref (task_ids),
                        (GDestroyNotify) g_ptr_array_unref);
}

static void
remove_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = get_targets (self);
  g_autoptr (GPtrArray) ids = collect_ids (items, NULL);
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  gw_acts_add_ids (acts, "/tasks/remove", ids);
  run_acts (self, acts, _("Not removed"), removed_cb, ids);
}

static void
copy (GwWindow *self, const char *text, const char *said)
{
  if (text == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text);
  _gw_window_toast (self, said);
}

static void
copy_result_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  copy (self, gw_task_detail_get_result (self->detail), _("Result copied"));
}

static void
copy_task_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  copy (self, gw_task_detail_get_content (self->detail), _("Task copied"));
}

static void
copy_address_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  copy (self, gw_endpoint_get_uri (self->endpoint), _("Address copied"));
}

static void
run_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gw_composer_run (GW_WINDOW (widget)->composer);
}

static void
new_task_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  if (!gtk_widget_get_visible (GTK_WIDGET (self->composer)))
    _gw_window_show_list (self);
  gw_composer_focus (self->composer);
}

static void
import_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _gw_window_choose_files (GW_WINDOW (widget));
}

static void
paste_tasks_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _gw_window_paste (GW_WINDOW (widget));
}

static void
back_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);

  /* One thing after the other: what was searched last goes first. */
  if (!gw_task_view_stop_search (self->task_view))
    _gw_window_show_list (self);
}

static void
close_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gtk_window_close (GTK_WINDOW (widget));
}

static void
reconnect_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gw_endpoint_retry_now (GW_WINDOW (widget)->endpoint);
}

static void
use_builtin_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gw_endpoint_use_builtin (GW_WINDOW (widget)->endpoint);
}

static void
show_help_overlay_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkShortcutsWindow *shortcuts = gw_verbs_new_shortcuts_window ();

  gtk_window_set_transient_for (GTK_WINDOW (shortcuts), GTK_WINDOW (widget));
  gtk_window_present (GTK_WINDOW (shortcuts));
}

static void
show_cb (GSimpleAction *action, GVariant *state, gpointer user_data)
{
  GwWindow *self = user_data;

  if (gw_task_view_set_filter (self->task_view, g_variant_get_string (state, NULL)))
    {
      g_simple_action_set_state (action, state);
      gw_task_view_refresh (self->task_view);
    }
}

/* ---------------------------------------------------------------------------------------------- */

void
_gw_window_actions_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  g_autoptr (GPtrArray) targets = NULL;
  GwEndpointState state;
  GwClient *client;
  GwTaskItem *shown;
  gboolean ours;
  gboolean cancel = FALSE;
  gboolean retry = FALSE;
  gboolean folded_away;
  guint i;

  if (self->endpoint == NULL)
    return;
  targets = get_targets (self);
  state = gw_endpoint_get_state (self->endpoint);
  client = gw_endpoint_get_client (self->endpoint);
  shown = gw_task_detail_get_item (self->detail);
  ours = client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY;
  for (i = 0; i < targets->len && !(cancel && retry); i++)
    {
      GwTask *task = gw_task_item_get_task (targets->pdata[i]);

      cancel = cancel || can_cancel (task);
      retry = retry || can_retry (task);
    }
  folded_away = shown == NULL || targets->len > 1;

  _gw_window_recovery_update (self);
  gtk_widget_action_set_enabled (widget, "win.run", gw_composer_can_run (self->composer));
  gtk_widget_action_set_enabled (widget, "win.cancel", ours && cancel);
  gtk_widget_action_set_enabled (widget, "win.retry", ours && retry);
  gtk_widget_action_set_enabled (widget, "win.remove", ours && targets->len > 0);
  gtk_widget_action_set_enabled (widget, "win.copy-task", !folded_away);
  gtk_widget_action_set_enabled (widget, "win.copy-result",
                                 !folded_away
                                     && gw_task_item_get_task (shown)->status
                                            == GW_TASK_COMPLETED);
  gtk_widget_action_set_enabled (widget, "win.back",
                                 gtk_widget_get_visible (GTK_WIDGET (self->detail))
                                     || gw_task_view_is_searching (self->task_view));
  gtk_widget_action_set_enabled (widget, "win.retry-failed",
                                 ours && self->list != NULL
                                     && gw_task_list_count (self->list, GW_TASK_FAILED) > 0);
  gtk_widget_action_set_enabled (widget, "win.stop-all",
                                 ours && self->list != NULL
                                     && gw_task_list_count (self->list, GW_TASK_QUEUED)
                                                + gw_task_list_count (self->list, GW_TASK_RUNNING)
                                            > 0);
  gtk_widget_action_set_enabled (widget, "win.copy-address",
                                 gw_endpoint_get_uri (self->endpoint) != NULL);
  gtk_widget_action_set_enabled (widget, "win.reconnect",
                                 state == GW_ENDPOINT_LOST || state == GW_ENDPOINT_UNREACHABLE
                                     || state == GW_ENDPOINT_FAILED);
  gtk_widget_action_set_enabled (widget, "win.use-builtin",
                                 state == GW_ENDPOINT_LOST || state == GW_ENDPOINT_UNREACHABLE);
  _gw_window_list_update (self);
}

void
_gw_window_actions_class_init (GwWindowClass *klass)
{
  static const struct {
    const char *name;
    GtkWidgetActionActivateFunc activate;
  } actions[] = {
    { "win.run", run_action },
    { "win.new-task", new_task_action },
    { "win.import", import_action },
    { "win.paste-tasks", paste_tasks_action },
    { "win.cancel", cancel_action },
    { "win.retry", retry_action },
    { "win.retry-failed", retry_failed_action },
    { "win.stop-all", stop_all_action },
    { "win.remove", remove_action },
    { "win.copy-result", copy_result_action },
    { "win.copy-task", copy_task_action },
    { "win.copy-address", copy_address_action },
    { "win.back", back_action },
    { "win.close", close_action },
    { "win.reconnect", reconnect_action },
    { "win.use-builtin", use_builtin_action },
    { "win.show-help-overlay", show_help_overlay_action },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name, NULL,
                                     actions[i].activate);
}

void
_gw_window_actions_init (GwWindow *self)
{
  g_autoptr (GSimpleAction) show
      = g_simple_action_new_stateful ("show", G_VARIANT_TYPE_STRING, g_variant_new_string ("all"));

  g_signal_connect_object (show, "change-state", G_CALLBACK (show_cb), self, 0);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (show));
}
