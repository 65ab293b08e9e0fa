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
      g_free (self->select_id);
      self->select_id = g_strdup (ids->pdata[0]);
      if (gw_task_view_select (self->task_view, self->select_id))
        g_clear_pointer (&self->select_id, g_free);
    }
  else
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%u task added", "%u tasks added", ids->len), ids->len);

      _gw_window_toast (self, text);
      gw_task_view_scroll_to_end (self->task_view);
    }
}

static void
send_tasks (GwWindow *self, GPtrArray *tasks, gboolean composed)
{
  g_autofree char *project = NULL;
  Submission *submission = g_new0 (Submission, 1);
  guint concurrency = 0;

  gw_run_progress_submitted (&self->progress, g_get_monotonic_time () / 1000);
  if (tasks->len > 1)
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

/* --- "Add n tasks?" --------------------------------------------------------------------------- */

static void
offer_answered_cb (AdwMessageDialog *dialog, const char *response, GwWindow *self)
{
  GPtrArray *tasks = g_object_get_data (G_OBJECT (dialog), "tasks");

  self->dialog = NULL;
  if (g_str_equal (response, "add"))
    _gw_window_submit (self, tasks, FALSE);
}

/* Asks whether @tasks are to be added; @from says where they come from, @skipped how many rows
 * there could not be tasks. */
void
_gw_window_offer (GwWindow *self, GPtrArray *tasks, const char *from, guint skipped)
{
  GString *body;

  g_autofree char *heading = NULL;
  g_autofree char *add = NULL;
  g_autofree char *first = NULL;
  AdwMessageDialog *dialog;

  if (tasks->len == 0)
    {
      g_autofree char *text = g_strdup_printf (_("No tasks in %s"), from);

      _gw_window_toast (self, text);
      return;
    }
  if (self->dialog != NULL)
    gtk_window_destroy (GTK_WINDOW (self->dialog));
  heading = g_strdup_printf (ngettext ("Add %u Task?", "Add %u Tasks?", tasks->len), tasks->len);
  add = g_strdup_printf (ngettext ("_Add %u Task", "_Add %u Tasks", tasks->len), tasks->len);
  first = gw_task_words_first_line (gw_json_peek_string (tasks->pdata[0], "content"));
  body = g_string_new (NULL);
  /* Translators: where tasks come from, and the first one of them */
  g_string_append_printf (body, _("From %1$s. The first is “%2$s”."), from, first);
  if (skipped > 0)
    {
      g_string_append_c (body, ' ');
      g_string_append_printf (body,
                              ngettext ("%u row is no task and is left out.",
                                        "%u rows are no tasks and are left out.", skipped),
                              skipped);
    }
  dialog = ADW_MESSAGE_DIALOG (adw_message_dialog_new (GTK_WINDOW (self), heading, body->str));
  g_string_free (body, TRUE);
  adw_message_dialog_add_responses (dialog, "cancel", _("_Cancel"), "add", add, NULL);
  adw_message_dialog_set_response_appearance (dialog, "add", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (dialog, "add");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "tasks", g_ptr_array_ref (tasks),
                          (GDestroyNotify) g_ptr_array_unref);
  g_signal_connect_object (dialog, "response", G_CALLBACK (offer_answered_cb), self, 0);
  self->dialog = GTK_WIDGET (dialog);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* --- Files ------------------------------------------------------------------------------------ */

static void
imported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) imports = gw_import_files_finish (result, &error);
  g_autoptr (GPtrArray) tasks = NULL;
  g_autofree char *from = NULL;
  guint skipped = 0;
  guint i;
  guint j;

  if (imports == NULL)
    return; /* cancelled: the window is going */
  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  for (i = 0; i < imports->len; i++)
    {
      GwImport *import = imports->pdata[i];

      if (import->error != NULL)
        {
          g_autofree char *said = g_strdup_printf (_("“%s” was not read"), import->source);

          _gw_window_toast_error (self, said, import->error);
          continue;
        }
      skipped += import->problems->len;
      for (j = 0; j < import->problems->len; j++)
        {
          GwImportProblem *problem = import->problems->pdata[j];

          g_message ("%s, row %u: %s", problem->source, problem->row, problem->message);
        }
      for (j = 0; j < import->entries->len; j++)
        g_ptr_array_add (tasks, gw_import_entry_to_json (import->entries->pdata[j]));
    }
  if (imports->len == 1)
    {
      GwImport *import = imports->pdata[0];

      if (import->error != NULL)
        return; /* said already */
      from = g_strdup_printf (_("“%s”"), import->source);
    }
  else
    from = g_strdup_printf (ngettext ("%u file", "%u files", imports->len), imports->len);
  _gw_window_offer (self, tasks, from, skipped);
}

/**
 * gw_window_import_files:
 *
 * Reads @files off the main thread and offers the tasks in them.
 */
void
gw_window_import_files (GwWindow *self, GFile **files, int n_files)
{
  g_autoptr (GPtrArray) list = NULL;
  const GwImportOptions options = { .guess_column = TRUE };
  int i;

  g_return_if_fail (GW_IS_WINDOW (self));

  if (n_files <= 0)
    return;
  list = g_ptr_array_new_with_free_func (g_object_unref);
  for (i = 0; i < n_files; i++)
    g_ptr_array_add (list, g_object_ref (files[i]));
  gw_import_files_async (list, &options, self->cancellable, imported_cb, g_object_ref (self));
}

static void
chosen_cb (GwWindow *self, int response)
{
  g_autoptr (GtkFileChooserNative) chooser = g_steal_pointer (&self->chooser);
  g_autoptr (GListModel) chosen = NULL;
  g_autoptr (GPtrArray) files = NULL;
  guint i;

  if (response != GTK_RESPONSE_ACCEPT)
    return;
  chosen = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (chooser));
  files = g_ptr_array_new_with_free_func (g_object_unref);
  for (i = 0; i < g_list_model_get_n_items (chosen); i++)
    g_ptr_array_add (files, g_list_model_get_item (chosen, i));
  gw_window_import_files (self, (GFile **) files->pdata, (int) files->len);
}

void
_gw_window_choose_files (GwWindow *self)
{
  static const char *const suffixes[] = { "txt", "md", "jsonl", "json", "csv", "tsv" };
  g_autoptr (GtkFileFilter) filter = NULL;
  guint i;

  if (self->chooser != NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (_("Import Files"), GTK_WINDOW (self),
                                               GTK_FILE_CHOOSER_ACTION_OPEN, _("_Import"),
                                               _("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (self->chooser), TRUE);
  filter = gtk_file_filter_new ();
  gtk_file_filter_set_name (filter, _("Task Files"));
  for (i = 0; i < G_N_ELEMENTS (suffixes); i++)
    gtk_file_filter_add_suffix (filter, suffixes[i]);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (self->chooser), filter);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

/* --- Drops ------------------------------------------------------------------------------------ */

static gboolean
dropped_cb (GwWindow *self, const GValue *value)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  GSList *list;
  GSList *l;

  gtk_widget_remove_css_class (GTK_WIDGET (self->toast_overlay), "gw-drop");
  list = gdk_file_list_get_files (g_value_get_boxed (value));
  for (l = list; l != NULL; l = l->next)
    g_ptr_array_add (files, l->data);
  /* The files themselves, never their paths: in a sandbox they are lent through a portal. */
  gw_window_import_files (self, (GFile **) files->pdata, (int) files->len);
  g_slist_free (list);
  return files->len > 0;
}

static GdkDragAction
drop_entered_cb (GwWindow *self)
{
  gtk_widget_add_css_class (GTK_WIDGET (self->toast_overlay), "gw-drop");
  return GDK_ACTION_COPY;
}

static void
drop_left_cb (GwWindow *self)
{
  gtk_widget_remove_css_class (GTK_WIDGET (self->toast_overlay), "gw-drop");
}

/* Files may be dropped anywhere on the window; GTK 4.8 shows no sign of it by itself. */
void
_gw_window_accept_drops (GwWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  g_signal_connect_object (target, "enter", G_CALLBACK (drop_entered_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (target, "leave", G_CALLBACK (drop_left_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (target, "drop", G_CALLBACK (dropped_cb), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
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
