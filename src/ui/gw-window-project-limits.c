/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-projects"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-limit-popover.h"
#include "gw-project-words.h"
#include "gw-task-words.h"
#include "gw-window-project-private.h"
#include "gw-window-tasks-private.h"

/* Where a project stops by itself: after a task, or when its answers have used its tokens. */

#define MAX_TITLE 40 /* characters of a task in the banner */

static char *
project_path (const char *project_id)
{
  return gw_client_build_path ("projects", project_id, NULL);
}

/* --- Tokens ----------------------------------------------------------------------------------- */

static void
limited_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwProjectAct) act = user_data;
  GwWindow *self = act->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);
  gboolean still_open;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  /* It may have been closed meanwhile, and that of another project opened. */
  still_open = GW_IS_LIMIT_POPOVER (self->project_popover)
               && g_strcmp0 (g_object_get_data (G_OBJECT (self->project_popover), "project-id"),
                             act->project_id) == 0;
  if (answer != NULL && still_open)
    gtk_popover_popdown (GTK_POPOVER (self->project_popover));
  else if (answer == NULL)
    {
      g_autofree char *why = gw_error_to_words (error);

      if (still_open)
        gw_limit_popover_fail (GW_LIMIT_POPOVER (self->project_popover), why);
      else
        _gw_window_toast (self, why);
    }
}

static void
set_cb (GwLimitPopover *popover,
        gint64 limit,
        GwWindow *self)
{
  const char *id = g_object_get_data (G_OBJECT (popover), "project-id");
  GwProjectItem *item = gw_project_list_find (self->projects, id);
  GwProject *project = item != NULL ? gw_project_item_get_project (item) : NULL;
  GwClient *client = _gw_window_project_get_client (self);
  g_autoptr (JsonObject) body = NULL;
  g_autofree char *path = project_path (id);

  if (client == NULL || project == NULL)
    {
      gw_limit_popover_fail (popover, _("The gateway does not answer. Try again when it does."));
      return;
    }
  body = json_object_new ();
  if (limit > 0)
    json_object_set_int_member (body, "token_limit", limit);
  else
    json_object_set_null_member (body, "token_limit");
  /* It had stopped for the limit, and for that only: with a higher one it goes on. */
  if (project->paused && gw_project_is_spent (project)
      && (limit == 0 || limit > project->usage.total_tokens))
    json_object_set_boolean_member (body, "paused", FALSE);
  gw_client_call_async (client, "PATCH", path, body, self->cancellable, limited_cb,
                        _gw_window_project_act_new (self, id, NULL));
}

static void
token_limit_action (GtkWidget *widget,
                    const char *name,
                    GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  GwProjectItem *item = _gw_window_project_get_target (self);
  GtkWidget *popover;

  if (item == NULL)
    return;
  popover = gw_limit_popover_new (gw_project_item_get_project (item));
  g_signal_connect_object (popover, "set", G_CALLBACK (set_cb), self, 0);
  _gw_window_project_show_popover (self, popover, item);
}

/* --- Stop after a task ------------------------------------------------------------------------ */

typedef struct {
  char *project_id;
  char *task_id;
} Stop;

static void
stop_free (gpointer data)
{
  Stop *stop = data;

  g_free (stop->project_id);
  g_free (stop->task_id);
  g_free (stop);
}

static Stop *
stop_new (const char *project_id,
          const char *task_id)
{
  Stop *stop = g_new0 (Stop, 1);

  stop->project_id = g_strdup (project_id);
  stop->task_id = g_strdup (task_id);
  return stop;
}

static void
add_stop (GwActs *acts,
          const Stop *stop)
{
  JsonObject *body = json_object_new ();

  json_object_set_string_member (body, "stop_after", stop->task_id);
  gw_acts_add (acts, "PATCH", project_path (stop->project_id), body);
}

static void
add_go_on (GwActs *acts,
           const char *project_id,
           gboolean resume)
{
  JsonObject *body = json_object_new ();

  json_object_set_null_member (body, "stop_after");
  if (resume)
    json_object_set_boolean_member (body, "paused", FALSE);
  gw_acts_add (acts, "PATCH", project_path (project_id), body);
}

static void
undo_stop (gpointer owner,
           gpointer data)
{
  GwWindow *self = owner;
  GwActs *acts = _gw_window_new_acts (self);
  const Stop *stop = data;

  if (acts != NULL)
    {
      GwProject *project = self->list != NULL
                               ? gw_task_list_find_project (self->list, stop->project_id)
                               : NULL;

      /* Who paused it by hand before it had stopped wants it to stay so. */
      add_go_on (acts, stop->project_id,
                 project != NULL && project->paused && project->stop_after == NULL);
    }
  _gw_window_undo_with_acts (owner, acts, _("Not resumed"));
}

static void
redo_stop (gpointer owner,
           gpointer data)
{
  GwActs *acts = _gw_window_new_acts (owner);

  if (acts != NULL)
    add_stop (acts, data);
  _gw_window_undo_with_acts (owner, acts, _("Not stopped"));
}

static void
stopped_cb (GwWindow *self,
            guint changed,
            gpointer data)
{
  Stop *stop = data;

  /* The banner says it, and stays. */
  _gw_window_push_undo (self, NULL, _("Stop after a task"), redo_stop, undo_stop,
                        stop_new (stop->project_id, stop->task_id), stop_free);
}

/* Returns: (transfer full) (nullable): the one task after which its project can stop */
static GwTaskItem *
get_last (GwWindow *self,
          GPtrArray *targets)
{
  GwTask *task = targets->len == 1 ? gw_task_item_get_task (targets->pdata[0]) : NULL;
  GwProject *project = task != NULL && task->project_id != NULL
                           ? gw_task_list_find_project (self->list, task->project_id)
                           : NULL;

  if (task == NULL || gw_task_status_is_final (task->status)
      || (project != NULL && project->paused))
    return NULL;
  return g_object_ref (targets->pdata[0]);
}

static void
stop_after_action (GtkWidget *widget,
                   const char *name,
                   GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) targets = _gw_window_get_targets (self);
  g_autoptr (GwTaskItem) item = self->list != NULL ? get_last (self, targets) : NULL;
  GwActs *acts;
  Stop *stop;

  if (item == NULL)
    return;
  acts = _gw_window_new_acts (self);
  if (acts == NULL)
    return;
  stop = stop_new (gw_task_item_get_task (item)->project_id, gw_task_item_get_task_id (item));
  add_stop (acts, stop);
  _gw_window_tasks_run (self, acts, _("Not stopped"), stopped_cb, stop, stop_free);
}

static gboolean
stops (GwWindow *self,
       const char *project_id)
{
  GwProject *project = gw_task_list_find_project (self->list, project_id);

  return project != NULL && !project->paused && project->stop_after != NULL;
}

static void
go_on_action (GtkWidget *widget,
              const char *name,
              GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  GwActs *acts = self->list != NULL ? _gw_window_new_acts (self) : NULL;
  guint i;

  if (acts == NULL)
    return;
  projects = _gw_window_tasks_collect_projects (self, stops);
  for (i = 0; i < projects->len; i++)
    add_go_on (acts, projects->pdata[i], FALSE);
  _gw_window_tasks_run (self, acts, _("Not resumed"), NULL, NULL, NULL);
}

/* --- What is said of it ----------------------------------------------------------------------- */

static gboolean
is_spent (GwWindow *self,
          const char *project_id)
{
  GwProject *project = gw_task_list_find_project (self->list, project_id);

  return project != NULL && project->paused && gw_project_is_spent (project)
         && gw_task_list_count_in (self->list, project_id, GW_TASK_QUEUED) > 0;
}

static gboolean
show_spent (GwWindow *self)
{
  g_autoptr (GPtrArray) ids = _gw_window_tasks_collect_projects (self, is_spent);
  const char *id = ids->len > 0 ? ids->pdata[0] : NULL;
  GwProject *project = id != NULL ? gw_task_list_find_project (self->list, id) : NULL;
  g_autofree char *used = NULL;
  g_autofree char *limit = NULL;
  g_autofree char *text = NULL;

  if (project == NULL)
    return FALSE;
  used = gw_project_words_number (project->usage.total_tokens);
  limit = gw_project_words_tokens (project->token_limit);
  if (self->project_id != NULL)
    {
      /* Translators: of a project; %1$s is a number, %2$s a number of tokens: "100,234",
       * "100,000 tokens" */
      text = g_strdup_printf (_("The token limit is reached: %1$s of %2$s are used. The rest waits."),
                              used, limit);
      gw_banner_show (self->banner, text, _("Change _Limit…"), "win.token-limit",
                      _("_Resume Without Limit"), "win.resume-project");
      return TRUE;
    }
  /* Translators: %1$s is the name of a project, %2$s a number, %3$s a number of tokens */
  text = g_strdup_printf (_("“%1$s” has reached its token limit: %2$s of %3$s are used."),
                          gw_project_words_title (project), used, limit);
  gw_banner_show (self->banner, text, NULL, NULL, NULL, NULL);
  return TRUE;
}

static gboolean
show_stop (GwWindow *self)
{
  g_autoptr (GPtrArray) ids = _gw_window_tasks_collect_projects (self, stops);
  GwProject *project
      = ids->len > 0 ? gw_task_list_find_project (self->list, ids->pdata[0]) : NULL;
  GwTaskItem *item
      = project != NULL ? gw_task_list_find (self->list, project->stop_after) : NULL;
  g_autofree char *line = NULL;
  g_autofree char *text = NULL;

  if (item == NULL)
    return FALSE;
  line = gw_task_words_first_line (gw_task_item_get_task (item)->content);
  if (g_utf8_strlen (line, -1) > MAX_TITLE)
    {
      g_autofree char *whole = g_steal_pointer (&line);
      g_autofree char *beginning = g_utf8_substring (whole, 0, MAX_TITLE - 1);

      line = g_strconcat (beginning, "…", NULL);
    }
  /* Translators: %s is the beginning of a task */
  text = g_strdup_printf (_("Stops after “%s”: no other task begins then."), line);
  gw_banner_show (self->banner, text, _("Do _Not Stop"), "win.go-on", NULL, NULL);
  return TRUE;
}

/* Whether the banner tells where what is shown stops by itself, or has. */
gboolean
_gw_window_project_limits_show (GwWindow *self)
{
  return self->list != NULL && (show_spent (self) || show_stop (self));
}

void
_gw_window_project_limits_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  gboolean ours = _gw_window_project_get_client (self) != NULL && self->list != NULL
                  && _gw_window_gateway_answers (self);
  guint n_selected = gw_task_view_count_selected (self->task_view);
  g_autoptr (GPtrArray) targets = n_selected <= 1 ? _gw_window_get_targets (self) : NULL;
  g_autoptr (GwTaskItem) last = ours && targets != NULL ? get_last (self, targets) : NULL;

  gtk_widget_action_set_enabled (widget, "win.stop-after", last != NULL);
  gtk_widget_action_set_enabled (widget, "win.token-limit",
                                 ours && _gw_window_project_get_target (self) != NULL);
  gtk_widget_action_set_enabled (widget, "win.go-on", ours);
}

void
_gw_window_project_limits_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_install_action (widget_class, "win.token-limit", NULL, token_limit_action);
  gtk_widget_class_install_action (widget_class, "win.stop-after", NULL, stop_after_action);
  gtk_widget_class_install_action (widget_class, "win.go-on", NULL, go_on_action);
}
