/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-export"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-collect.h"
#include "gw-compat.h"
#include "gw-save.h"
#include "gw-task-words.h"
#include "gw-window-private.h"

/* Results into a file: asks for a place, fetches what the list has only the beginnings of, writes.
 * The format is what the name ends in. */

typedef struct {
  GwWindow *self;      /* (owned) */
  GwSaveWhich which;
  GPtrArray *projects; /* (owned) (element-type utf8) */
  GPtrArray *ids;      /* (owned) (nullable) (element-type utf8): the selection */
  char *title;         /* (owned) (nullable) */
  GFile *file;         /* (owned) (nullable) */
  GwFormat format;
} Job;

static Job *
job_new (GwWindow *self,
         GwSaveWhich which)
{
  Job *job = g_new0 (Job, 1);

  job->self = g_object_ref (self);
  job->which = which;
  return job;
}

static void
job_free (Job *job)
{
  g_object_unref (job->self);
  g_ptr_array_unref (job->projects);
  g_clear_pointer (&job->ids, g_ptr_array_unref);
  g_free (job->title);
  g_clear_object (&job->file);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static void choose (Job *job);

static char *
get_shown_name (GFile *file)
{
  g_autofree char *base = g_file_get_basename (file);

  return base != NULL ? g_filename_display_name (base) : g_file_get_uri (file);
}

static void
again_cb (AdwMessageDialog *dialog,
          const char *response,
          gpointer user_data)
{
  Job *job = g_object_steal_data (G_OBJECT (dialog), "gw-job");

  job->self->dialog = NULL;
  if (g_str_equal (response, "again"))
    choose (job);
  else
    job_free (job);
}

static void
tell_not_saved (Job *owned,
                const GError *error)
{
  GwWindow *self = owned->self;
  g_autofree char *name = NULL;
  g_autofree char *body = NULL;
  AdwMessageDialog *dialog;

  name = get_shown_name (owned->file);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE)
      || g_error_matches (error, GW_ERROR, GW_ERROR_NO_SPACE))
    {
      g_autoptr (GFile) folder = g_file_get_parent (owned->file);
      g_autofree char *place = folder != NULL ? get_shown_name (folder) : g_strdup (name);

      /* Translators: %s is the name of a folder */
      body = g_strdup_printf (_("There is no space left in “%s”."), place);
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)
           || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_READ_ONLY))
    /* Translators: %s is the name of a file */
    body = g_strdup_printf (_("“%s” may not be written there."), name);
  else
    {
      g_autofree char *words = gw_error_to_words (error);

      /* Translators: the name of a file, and why it could not be written */
      body = g_strdup_printf (_("“%1$s” could not be written: %2$s"), name, words);
    }
  g_message ("results not saved: %s", error->message);

  if (self->dialog != NULL)
    {
      /* There is a question already; it must not be lost, and neither must this. */
      _gw_window_toast (self, body);
      job_free (owned);
      return;
    }
  dialog = ADW_MESSAGE_DIALOG (
      gw_compat_message_dialog_new (GTK_WINDOW (self), _("Results Not Saved"), NULL));
  adw_message_dialog_set_body (dialog, body);
  adw_message_dialog_add_responses (dialog, "cancel", _("_Cancel"), "again",
                                    _("_Choose Another Place…"), NULL);
  adw_message_dialog_set_response_appearance (dialog, "again", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (dialog, "again");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "gw-job", owned, (GDestroyNotify) job_free);
  g_signal_connect (dialog, "response", G_CALLBACK (again_cb), NULL);
  self->dialog = GTK_WIDGET (dialog);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
show_clicked_cb (AdwToast *toast,
                 GwWindow *self)
{
  gw_compat_show_file (GTK_WINDOW (self), g_object_get_data (G_OBJECT (toast), "gw-file"));
}

static void
saved_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (Job) job = user_data;
  GwWindow *self = job->self;
  g_autoptr (GError) error = NULL;
  gboolean ok = gw_save_file_finish (result, &error);
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;
  g_autofree char *escaped = NULL;
  AdwToast *toast;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (!ok)
    {
      tell_not_saved (g_steal_pointer (&job), error);
      return;
    }
  name = get_shown_name (job->file);
  /* Translators: %s is the name of a file */
  text = g_strdup_printf (_("Saved to %s"), name);
  escaped = g_markup_escape_text (text, -1);
  toast = adw_toast_new (escaped);
  adw_toast_set_button_label (toast, _("_Show"));
  g_object_set_data_full (G_OBJECT (toast), "gw-file", g_object_ref (job->file), g_object_unref);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (show_clicked_cb), self, 0);
  adw_toast_overlay_add_toast (self->toast_overlay, toast);
}

static void
collected_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (Job) job = user_data;
  GwWindow *self = job->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tasks = gw_collect_finish (result, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (tasks == NULL)
    {
      _gw_window_toast_error (self, _("Results not saved"), error);
      return;
    }
  gw_save_file_async (job->file, job->format, job->title, tasks, self->cancellable, saved_cb, job);
  g_steal_pointer (&job);
}

static void
begin (Job *owned)
{
  static const int statuses[] = {
    [GW_SAVE_ALL] = -1, [GW_SAVE_COMPLETED] = GW_TASK_COMPLETED, [GW_SAVE_FAILED] = GW_TASK_FAILED
  };
  GwClient *client = gw_endpoint_get_client (owned->self->endpoint);

  if (client == NULL)
    {
      _gw_window_toast (owned->self, _("Results not saved: the gateway does not answer"));
      job_free (owned);
      return;
    }
  gw_collect_async (client, owned->projects, owned->ids, statuses[owned->which],
                    owned->self->cancellable, collected_cb, owned);
}

/* --- Where to --------------------------------------------------------------------------------- */

static const struct {
  GwFormat format;
  const char *name;
} formats[] = {
  { GW_FORMAT_JSON, N_ ("JSON") },
  { GW_FORMAT_JSONL, N_ ("JSON Lines") },
  { GW_FORMAT_CSV, N_ ("CSV Table") },
  { GW_FORMAT_MD, N_ ("Markdown") },
};

static void
chosen_cb (GtkNativeDialog *dialog,
           int response,
           GwWindow *self)
{
  g_autoptr (GtkFileChooserNative) chooser = g_steal_pointer (&self->save_chooser);
  g_autoptr (Job) job = g_object_steal_data (G_OBJECT (dialog), "gw-job");
  GtkFileFilter *filter;
  g_autofree char *base = NULL;
  gboolean known;

  if (response != GTK_RESPONSE_ACCEPT)
    return;
  g_clear_object (&job->file);
  job->file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser));
  if (job->file == NULL)
    return;
  base = g_file_get_basename (job->file);
  job->format = gw_save_get_format (base != NULL ? base : "", &known);
  filter = gtk_file_chooser_get_filter (GTK_FILE_CHOOSER (chooser));
  /* A name without a suffix of ours keeps its name (in a sandbox only that file is lent): then the
   * chosen filter decides. */
  if (!known && filter != NULL)
    job->format = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (filter), "gw-format"));
  begin (g_steal_pointer (&job));
}

static void
choose (Job *owned)
{
  GwWindow *self = owned->self;
  g_autofree char *name = NULL;
  guint i;

  if (self->save_chooser != NULL)
    {
      job_free (owned);
      return;
    }
  self->save_chooser = gtk_file_chooser_native_new (
      owned->ids != NULL ? _("Save Selection") : _("Save Results"), GTK_WINDOW (self),
      GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->save_chooser), TRUE);
  for (i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

      gtk_file_filter_set_name (filter, _(formats[i].name));
      gtk_file_filter_add_suffix (filter, gw_format_to_string (formats[i].format));
      g_object_set_data (G_OBJECT (filter), "gw-format", GUINT_TO_POINTER (formats[i].format));
      gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (self->save_chooser), filter);
    }
  name = gw_save_suggest_name (owned->title, owned->format);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (self->save_chooser), name);
  g_object_set_data_full (G_OBJECT (self->save_chooser), "gw-job", owned,
                          (GDestroyNotify) job_free);
  g_signal_connect_object (self->save_chooser, "response", G_CALLBACK (chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->save_chooser));
}

static GPtrArray *
collect_projects (GwWindow *self)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GList) projects = NULL;
  GList *l;

  if (self->project_id != NULL)
    {
      g_ptr_array_add (ids, g_strdup (self->project_id));
      return ids;
    }
  projects = gw_task_list_get_projects (self->list);
  for (l = projects; l != NULL; l = l->next)
    g_ptr_array_add (ids, g_strdup (((GwProject *) l->data)->project_id));
  return ids;
}

/* (transfer full) (nullable): the one project that the document is about. */
static char *
get_title (GwWindow *self,
           GPtrArray *projects)
{
  GwProject *project;

  if (projects->len != 1)
    return NULL;
  project = gw_task_list_find_project (self->list, projects->pdata[0]);
  if (project == NULL)
    return NULL;
  return g_strdup (g_str_equal (project->name, GW_PROJECT_DEFAULT_NAME) ? _("Quick Tasks")
                                                                        : project->name);
}

static void
save_action (GtkWidget *widget,
             const char *name,
             GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  const char *which = g_variant_get_string (parameter, NULL);
  Job *job;

  if (self->list == NULL)
    return;
  job = job_new (self, g_str_equal (which, "completed") ? GW_SAVE_COMPLETED
                       : g_str_equal (which, "failed")  ? GW_SAVE_FAILED
                                                        : GW_SAVE_ALL);
  job->projects = collect_projects (self);
  job->title = get_title (self, job->projects);
  choose (job);
}

/* All results of one project, whichever is shown. */
void
_gw_window_save_project (GwWindow *self,
                         const char *project_id)
{
  Job *job;

  if (self->list == NULL)
    return;
  job = job_new (self, GW_SAVE_ALL);
  job->projects = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (job->projects, g_strdup (project_id));
  job->title = get_title (self, job->projects);
  choose (job);
}

static void
save_selection_action (GtkWidget *widget,
                       const char *name,
                       GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  Job *job;
  guint i;

  if (self->list == NULL || items->len == 0)
    return;
  job = job_new (self, GW_SAVE_ALL);
  job->projects = _gw_window_get_projects_of (self, items);
  job->title = get_title (self, job->projects);
  job->ids = g_ptr_array_new_with_free_func (g_free);
  for (i = 0; i < items->len; i++)
    g_ptr_array_add (job->ids, g_strdup (gw_task_item_get_task_id (items->pdata[i])));
  choose (job);
}

void
_gw_window_export_update (GwWindow *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  gboolean some = gw_endpoint_get_client (self->endpoint) != NULL && self->list != NULL
                  && g_list_model_get_n_items (G_LIST_MODEL (self->list)) > 0;
  GwTaskItem *shown = gw_task_detail_get_item (self->detail);

  gtk_widget_action_set_enabled (widget, "win.save", some);
  gtk_widget_action_set_enabled (widget, "win.save-selection",
                                 some
                                     && (gw_task_view_count_selected (self->task_view) > 0
                                         || (shown != NULL
                                             && gtk_widget_get_visible (
                                                 GTK_WIDGET (self->detail)))));
}

void
_gw_window_export_class_init (GwWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_install_action (widget_class, "win.save", "s", save_action);
  gtk_widget_class_install_action (widget_class, "win.save-selection", NULL,
                                   save_selection_action);
}
