/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-copy"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-collect.h"
#include "gw-window-private.h"

/* Copies answers, and tasks with their answers, of all that are selected: whole, also where the
 * list has only their beginnings. */

typedef enum {
  COPY_RESULT,
  COPY_TASK,
  COPY_BOTH,
} What;

typedef struct {
  GwWindow *self; /* (owned) */
  What what;
} Copy;

static void
append_task (GString *text,
             const GwTask *task,
             What what)
{
  gboolean answered = task->status == GW_TASK_COMPLETED && task->result != NULL;

  if (text->len > 0)
    g_string_append (text, what == COPY_BOTH ? "\n\n---\n\n" : "\n\n");
  if (what != COPY_RESULT)
    g_string_append (text, task->content != NULL ? task->content : "");
  if (what == COPY_BOTH && answered)
    g_string_append (text, "\n\n");
  if (what != COPY_TASK && answered)
    g_string_append (text, task->result);
}

static void
collected_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  Copy *copy = user_data;
  g_autoptr (GwWindow) self = copy->self;
  What what = copy->what;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tasks = gw_collect_finish (result, &error);
  g_autoptr (GString) text = NULL;
  g_autofree char *said = NULL;
  guint i;

  g_free (copy);
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (tasks == NULL)
    {
      _gw_window_toast_error (self, _("Not copied"), error);
      return;
    }
  if (tasks->len == 0)
    {
      _gw_window_toast (self, _("There is no result to copy yet"));
      return;
    }
  text = g_string_new (NULL);
  for (i = 0; i < tasks->len; i++)
    append_task (text, tasks->pdata[i], what);
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text->str);
  if (what != COPY_RESULT)
    said = tasks->len == 1 ? g_strdup (_("Task copied"))
                           : g_strdup_printf (ngettext ("%'u task copied", "%'u tasks copied",
                                                        tasks->len),
                                              tasks->len);
  else
    said = tasks->len == 1 ? g_strdup (_("Result copied"))
                           : g_strdup_printf (ngettext ("%'u result copied", "%'u results copied",
                                                        tasks->len),
                                              tasks->len);
  _gw_window_toast (self, said);
}

static void
copy_targets (GwWindow *self,
              What what)
{
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) projects = NULL;
  GwClient *client = gw_endpoint_get_client (self->endpoint);
  Copy *copy;
  guint i;

  if (client == NULL)
    return;
  for (i = 0; i < items->len; i++)
    g_ptr_array_add (ids, g_strdup (gw_task_item_get_task_id (items->pdata[i])));
  projects = _gw_window_get_projects_of (self, items);
  copy = g_new0 (Copy, 1);
  copy->self = g_object_ref (self);
  copy->what = what;
  gw_collect_async (client, projects, ids, what == COPY_RESULT ? GW_TASK_COMPLETED : -1, self->cancellable,
                    collected_cb, copy);
}

static void
copy_result_action (GtkWidget *widget,
                    const char *name,
                    GVariant *parameter)
{
  copy_targets (GW_WINDOW (widget), COPY_RESULT);
}

static void
copy_task_action (GtkWidget *widget,
                  const char *name,
                  GVariant *parameter)
{
  copy_targets (GW_WINDOW (widget), COPY_TASK);
}

static void
copy_both_action (GtkWidget *widget,
                  const char *name,
                  GVariant *parameter)
{
  copy_targets (GW_WINDOW (widget), COPY_BOTH);
}

void
_gw_window_copy_update (GwWindow *self)
{
  guint n_selected = gw_task_view_count_selected (self->task_view);
  gboolean some = gw_endpoint_get_client (self->endpoint) != NULL;
  GwTaskItem *shown = gw_task_detail_get_item (self->detail);
  gboolean any = n_selected > 0
                 || (shown != NULL && gtk_widget_get_visible (GTK_WIDGET (self->detail)));
  gboolean results = n_selected > 1;

  if (n_selected == 1)
    {
      g_autoptr (GwTaskItem) item = gw_task_view_get_only_selected (self->task_view);

      results = gw_task_item_get_task (item)->status == GW_TASK_COMPLETED;
    }
  else if (n_selected == 0 && any)
    results = gw_task_item_get_task (shown)->status == GW_TASK_COMPLETED;
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.copy-task", some && any);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.copy-both", some && any);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.copy-result", some && results);
}

void
_gw_window_copy_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_install_action (widget_class, "win.copy-result", NULL, copy_result_action);
  gtk_widget_class_install_action (widget_class, "win.copy-task", NULL, copy_task_action);
  gtk_widget_class_install_action (widget_class, "win.copy-both", NULL, copy_both_action);
}
