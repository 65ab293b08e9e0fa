/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-submit"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import.h"
#include "gw-task-words.h"
#include "gw-window-private.h"

/* How tasks get in: from the compose box, from files, from the clipboard. Several tasks that come
 * together become a project of their own; a single one goes to the default project. What was typed
 * stays in its box until the gateway has it. */

#define MAX_SHOWN_AT_ONCE 50

typedef struct {
  GwWindow *self;      /* (owned) */
  GPtrArray *tasks;    /* (owned) (element-type JsonObject) */
  gboolean composed;
} Submission;

static void
submission_free (Submission *submission)
{
  g_object_unref (submission->self);
  g_ptr_array_unref (submission->tasks);
  g_free (submission);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Submission, submission_free)

static void
submitted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Submission) submission = user_data;
  GwWindow *self = submission->self;
  g_autoptr (GError) error = NULL;
  g_autofree char *project_id = NULL;
  g_autoptr (GPtrArray) ids
      = gw_client_submit_finish (GW_CLIENT (source), result, &project_id, &error);
  guint i;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (ids == NULL)
    {
      if (submission->composed)
        gw_composer_set_busy (self->composer, FALSE);
      _gw_window_toast_error (self, _("Not added, your text is kept"), error);
      return;
    }
  if (submission->composed)
    gw_composer_submitted (self->composer);

  /* A few show at once; the change feed brings the rest, and many all at once. */
  for (i = 0; i < ids->len && i < submission->tasks->len && ids->len <= MAX_SHOWN_AT_ONCE; i++)
    {
      g_autoptr (GwTask) task = NULL;

      if (gw_task_list_find (self->list, ids->pdata[i]) != NULL)
        continue;
      task = gw_task_new ();
      task->task_id = g_strdup (ids->pdata[i]);
      task->project_id = g_strdup (project_id);
      task->status = GW_TASK_QUEUED;
      task->content = g_strdup (gw_json_peek_string (submission->tasks->pdata[i], "content"));
      task->content_size = strlen (task->content);
      task->created_at = g_get_real_time () / 1000;
      gw_task_list_add (self->list, task);
    }
  if (ids->len == 1)
    {
      _gw_window_push_added (self, NULL, ids);
      g_free (self->select_id);
      self->select_id = g_strdup (ids->pdata[0]);
      if (gw_task_view_select (self->task_view, self->select_id))
        g_clear_pointer (&self->select_id, g_free);
    }
  else
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%u task added", "%u tasks added", ids->len), ids->len);

      _gw_window_push_added (self, text, ids);
      gw_task_view_scroll_to_end (self->task_view);
    }
}

static void
send_tasks (GwWindow *self, GPtrArray *tasks, gboolean composed)
{
  g_autofree char *project = g_strdup (_gw_window_get_target_project (self));
  Submission *submission = g_new0 (Submission, 1);
  guint concurrency = 0;

  gw_run_progress_submitted (&self->progress, g_get_monotonic_time () / 1000);
  if (project == NULL && tasks->len > 1)
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_local ();
      g_autofree char *stamp = g_date_time_format (now, "%F %T");

      /* A name is unique: to the millisecond it is. */
      project
          = g_strdup_printf ("%s.%03d", stamp, g_date_time_get_microsecond (now) / 1000);
      concurrency = gw_composer_get_one_at_a_time (self->composer) ? 1 : 0;
    }
  submission->self = g_object_ref (self);
  submission->tasks = g_ptr_array_ref (tasks);
  submission->composed = composed;
  gw_client_submit_async (gw_endpoint_get_client (self->endpoint), tasks, project, concurrency,
                          self->cancellable, submitted_cb, submission);
}

/* The bodies of POST /tasks for @contents (element-type utf8). */
GPtrArray *
_gw_window_make_tasks (GPtrArray *contents)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  guint i;

  for (i = 0; i < contents->len; i++)
    {
      JsonObject *task = json_object_new ();

      json_object_set_string_member (task, "content", contents->pdata[i]);
      g_ptr_array_add (tasks, task);
    }
  return tasks;
}

/* @tasks: (element-type JsonObject). @composed: the compose box waits for the outcome. */
void
_gw_window_submit (GwWindow *self, GPtrArray *tasks, gboolean composed)
{
  switch (gw_endpoint_get_state (self->endpoint))
    {
    case GW_ENDPOINT_READY:
      send_tasks (self, tasks, composed);
      break;
    case GW_ENDPOINT_IDLE:
    case GW_ENDPOINT_SEARCHING:
    case GW_ENDPOINT_STARTING:
      /* A moment after the start: sent as soon as there is somebody to send to. */
      g_clear_pointer (&self->pending, g_ptr_array_unref);
      self->pending = g_ptr_array_ref (tasks);
      self->pending_composed = composed;
      break;
    case GW_ENDPOINT_LOST:
    case GW_ENDPOINT_UNREACHABLE:
    case GW_ENDPOINT_FAILED:
    default:
      if (composed)
        gw_composer_set_busy (self->composer, FALSE);
      _gw_window_toast (self, _("Not added, your text is kept: the gateway does not answer"));
      break;
    }
}

void
_gw_window_submit_pending (GwWindow *self)
{
  g_autoptr (GPtrArray) tasks = g_steal_pointer (&self->pending);

  if (tasks != NULL)
    send_tasks (self, tasks, self->pending_composed);
}

void
_gw_window_fail_pending (GwWindow *self)
{
  g_autoptr (GPtrArray) tasks = g_steal_pointer (&self->pending);

  if (tasks != NULL)
    _gw_window_submit (self, tasks, self->pending_composed);
}

/* --- Clipboard -------------------------------------------------------------------------------- */

static void
pasted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = gdk_clipboard_read_text_finish (GDK_CLIPBOARD (source), result, &error);
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (GPtrArray) tasks = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  lines = gw_composer_split_lines (text != NULL ? text : "");
  tasks = _gw_window_make_tasks (lines);
  /* Translators: in "From the clipboard" and "No tasks in the clipboard" */
  _gw_window_offer (self, tasks, _("the clipboard"), 0);
}

void
_gw_window_paste (GwWindow *self)
{
  gdk_clipboard_read_text_async (gtk_widget_get_clipboard (GTK_WIDGET (self)), self->cancellable,
                                 pasted_cb, g_object_ref (self));
}
