/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-dialog"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import-dialog-private.h"
#include "gw-import-file-row.h"

#define SPINNER_DELAY_MS 400
/* Each has choices of its own, which take time to lay out: a folder of a thousand files would keep
 * the window waiting for seconds. */
#define MAX_FILE_ROWS 50

enum {
  ADDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwImportDialog, gw_import_dialog, ADW_TYPE_WINDOW)

/* (nullable): where the tasks can go now. */
GwClient *
_gw_import_dialog_get_client (GwImportDialog *self)
{
  return gw_endpoint_get_state (self->endpoint) == GW_ENDPOINT_READY
             ? gw_endpoint_get_client (self->endpoint)
             : NULL;
}

/* --- The set ---------------------------------------------------------------------------------- */

static void
apply_template (GwImportDialog *self)
{
  g_autoptr (GError) error = NULL;

  self->template_wrong
      = !gw_import_set_set_template (self->set, gw_import_wrap_get_text (self->wrap), &error);
  gw_import_wrap_set_error (self->wrap, error != NULL ? error->message : NULL);
}

static void
template_changed_cb (GwImportDialog *self)
{
  apply_template (self);
  _gw_import_dialog_update (self);
}

static void
set_changed_cb (GwImportDialog *self)
{
  g_auto (GStrv) names = gw_import_set_dup_names (self->set);
  guint i;

  for (i = 0; i < self->file_rows->len; i++)
    gw_import_file_row_update (self->file_rows->pdata[i]);
  gw_import_wrap_set_names (self->wrap, (const char *const *) names);
  /* The columns may be others now. */
  apply_template (self);
  gw_import_rows_set_lines (self->rows, gw_import_set_get_lines (self->set));
  _gw_import_dialog_update (self);
}

static gboolean
spinner_cb (gpointer user_data)
{
  GwImportDialog *self = user_data;

  self->spinner_id = 0;
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), TRUE);
  gtk_spinner_start (self->spinner);
  return G_SOURCE_REMOVE;
}

static void
busy_cb (GwImportDialog *self)
{
  g_clear_handle_id (&self->spinner_id, g_source_remove);
  if (gw_import_set_is_busy (self->set))
    {
      self->spinner_id = g_timeout_add (SPINNER_DELAY_MS, spinner_cb, self);
      g_source_set_name_by_id (self->spinner_id, "[gangway] show that files are read");
    }
  else
    {
      gtk_spinner_stop (self->spinner);
      gtk_widget_set_visible (GTK_WIDGET (self->spinner), FALSE);
    }
  _gw_import_dialog_update_buttons (self);
}

static void
remove_file_cb (GwImportDialog *self,
                GwImportFileRow *row)
{
  guint i;

  if (g_ptr_array_find (self->file_rows, row, &i))
    gw_import_set_remove (self->set, i);
}

static void
files_changed_cb (GwImportDialog *self)
{
  guint n_files = gw_import_set_get_n_files (self->set);
  guint i;

  for (i = 0; i < self->file_rows->len; i++)
    adw_preferences_group_remove (self->files_group, self->file_rows->pdata[i]);
  g_ptr_array_set_size (self->file_rows, 0);
  if (self->more_row != NULL)
    adw_preferences_group_remove (self->files_group, self->more_row);
  self->more_row = NULL;
  for (i = 0; i < n_files && i < MAX_FILE_ROWS; i++)
    {
      GtkWidget *row = gw_import_file_row_new (self->set, i);

      g_signal_connect_object (row, "remove", G_CALLBACK (remove_file_cb), self,
                               G_CONNECT_SWAPPED);
      adw_preferences_group_add (self->files_group, row);
      g_ptr_array_add (self->file_rows, row);
    }
  if (n_files > MAX_FILE_ROWS)
    {
      g_autofree char *title
          = g_strdup_printf (ngettext ("%'u more file, read by the usual rules",
                                       "%'u more files, read by the usual rules",
                                       n_files - MAX_FILE_ROWS),
                             n_files - MAX_FILE_ROWS);

      self->more_row = adw_action_row_new ();
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->more_row), title);
      adw_preferences_group_add (self->files_group, self->more_row);
    }
  /* A single file's choices are the first that is looked for. */
  if (n_files == 1)
    adw_expander_row_set_expanded (ADW_EXPANDER_ROW (self->file_rows->pdata[0]), TRUE);
  if (!self->name_touched)
    {
      g_autofree char *name = _gw_import_dialog_make_name (self);

      self->updating = TRUE;
      gtk_editable_set_text (GTK_EDITABLE (self->name_row), name);
      self->updating = FALSE;
    }
  _gw_import_dialog_update (self);
}

static void
rows_changed_cb (GwImportDialog *self)
{
  if (self->set == NULL)
    return;
  gw_import_set_set_skip_duplicates (self->set, gtk_switch_get_active (self->duplicates_switch));
  gw_import_set_set_skip_empty (self->set, gtk_switch_get_active (self->empty_switch));
  gw_import_set_set_skip_notes (self->set, gtk_switch_get_active (self->notes_switch));
}

static void
name_changed_cb (GwImportDialog *self)
{
  if (self->updating || self->set == NULL)
    return;
  self->name_touched = TRUE;
  _gw_import_dialog_update_buttons (self);
}

/* --- Adding ----------------------------------------------------------------------------------- */

/* While tasks are on their way, the first thing to end is that. */
static gboolean
gw_import_dialog_close_request (GtkWindow *window)
{
  GwImportDialog *self = GW_IMPORT_DIALOG (window);

  if (self->adding != NULL)
    {
      g_cancellable_cancel (self->adding);
      return TRUE;
    }
  return GTK_WINDOW_CLASS (gw_import_dialog_parent_class)->close_request (window);
}

/* --- More files ------------------------------------------------------------------------------- */

static void
files_dropped_cb (GwImportDialog *self,
                  GPtrArray *files)
{
  gw_import_set_add (self->set, files);
}

static void
chosen_cb (GwImportDialog *self,
           int response)
{
  g_autoptr (GtkFileChooserNative) chooser = g_steal_pointer (&self->chooser);
  g_autoptr (GPtrArray) files = NULL;

  if (response != GTK_RESPONSE_ACCEPT)
    return;
  files = gw_import_dialog_get_chosen (chooser);
  gw_import_set_add (self->set, files);
}

static void
more_cb (GwImportDialog *self)
{
  if (self->chooser != NULL)
    return;
  self->chooser = gw_import_dialog_new_chooser (GTK_WINDOW (self));
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

/* --- Narrow ----------------------------------------------------------------------------------- */

static gboolean
layout_cb (gpointer user_data)
{
  GwImportDialog *self = user_data;
  gboolean folded = adw_leaflet_get_folded (self->leaflet);
  gboolean tasks = folded && adw_leaflet_get_visible_child (self->leaflet) == self->tasks_page;

  self->layout_id = 0;
  gtk_widget_set_visible (self->review_group, folded);
  gtk_widget_set_visible (self->back_button, tasks);
  gtk_widget_set_visible (self->cancel_button, !tasks);
  return G_SOURCE_REMOVE;
}

/* The leaflet folds while sizes are given out; nothing may come or go then. */
static void
queue_layout_cb (GwImportDialog *self)
{
  if (self->layout_id == 0)
    self->layout_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, layout_cb, self, NULL);
}

static void
show_tasks_cb (GwImportDialog *self)
{
  adw_leaflet_set_visible_child (self->leaflet, self->tasks_page);
}

static void
show_options_cb (GwImportDialog *self)
{
  adw_leaflet_set_visible_child (self->leaflet, self->options_page);
}

/* --- The class -------------------------------------------------------------------------------- */

static void
gw_import_dialog_dispose (GObject *object)
{
  GwImportDialog *self = GW_IMPORT_DIALOG (object);

  self->gone = TRUE;
  if (self->adding != NULL)
    g_cancellable_cancel (self->adding);
  g_clear_handle_id (&self->spinner_id, g_source_remove);
  g_clear_handle_id (&self->estimate_id, g_source_remove);
  g_clear_handle_id (&self->layout_id, g_source_remove);
  if (self->estimating != NULL)
    g_cancellable_cancel (self->estimating);
  g_clear_object (&self->estimating);
  if (self->set != NULL)
    gw_import_set_stop (self->set);
  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);

  G_OBJECT_CLASS (gw_import_dialog_parent_class)->dispose (object);
}

static void
gw_import_dialog_finalize (GObject *object)
{
  GwImportDialog *self = GW_IMPORT_DIALOG (object);

  g_clear_object (&self->endpoint);
  g_clear_object (&self->set);
  g_clear_object (&self->rows);
  g_clear_object (&self->adding);
  g_ptr_array_unref (self->file_rows);
  g_hash_table_unref (self->projects);
  g_free (self->current_name);
  g_free (self->estimate);
  g_free (self->estimated);

  G_OBJECT_CLASS (gw_import_dialog_parent_class)->finalize (object);
}

static void
gw_import_dialog_class_init (GwImportDialogClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_import_dialog_dispose;
  object_class->finalize = gw_import_dialog_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = gw_import_dialog_close_request;

  signals[ADDED] = g_signal_new ("added", GW_TYPE_IMPORT_DIALOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 5, G_TYPE_PTR_ARRAY, G_TYPE_UINT, G_TYPE_STRING,
                                 G_TYPE_STRING, G_TYPE_BOOLEAN);

  g_type_ensure (GW_TYPE_BANNER);
  g_type_ensure (GW_TYPE_DROP_OVERLAY);
  g_type_ensure (GW_TYPE_IMPORT_WRAP);
  g_type_ensure (GW_TYPE_PROVIDER_CHOICE);
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/gangway/Gangway/ui/gw-import-dialog.ui");
#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, GwImportDialog, name)
  CHILD (drop_overlay);
  CHILD (cancel_button);
  CHILD (back_button);
  CHILD (window_title);
  CHILD (run_button);
  CHILD (add_button);
  CHILD (progress_bar);
  CHILD (banner);
  CHILD (leaflet);
  CHILD (options_page);
  CHILD (options_box);
  CHILD (review_group);
  CHILD (review_row);
  CHILD (files_group);
  CHILD (wrap);
  CHILD (duplicates_row);
  CHILD (duplicates_switch);
  CHILD (empty_row);
  CHILD (empty_switch);
  CHILD (notes_row);
  CHILD (notes_switch);
  CHILD (project_group);
  CHILD (name_row);
  CHILD (choice);
  CHILD (serial_switch);
  CHILD (name_label);
  CHILD (tasks_page);
  CHILD (all_check);
  CHILD (spinner);
  CHILD (problems_button);
  CHILD (list_stack);
  CHILD (list_view);
  CHILD (none_page);
  CHILD (footer);
#undef CHILD
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)
  CALLBACK (files_dropped_cb);
  gtk_widget_class_bind_template_callback_full (widget_class, "cancel_cb",
                                                G_CALLBACK (_gw_import_dialog_cancel_cb));
  CALLBACK (show_options_cb);
  CALLBACK (show_tasks_cb);
  gtk_widget_class_bind_template_callback_full (widget_class, "run_cb",
                                                G_CALLBACK (_gw_import_dialog_run_cb));
  gtk_widget_class_bind_template_callback_full (widget_class, "add_cb",
                                                G_CALLBACK (_gw_import_dialog_add_cb));
  CALLBACK (more_cb);
  CALLBACK (queue_layout_cb);
  CALLBACK (template_changed_cb);
  CALLBACK (rows_changed_cb);
  gtk_widget_class_bind_template_callback_full (widget_class, "where_changed_cb",
                                                G_CALLBACK (_gw_import_dialog_where_changed_cb));
  CALLBACK (name_changed_cb);
  gtk_widget_class_bind_template_callback_full (widget_class, "all_toggled_cb",
                                                G_CALLBACK (_gw_import_dialog_all_toggled_cb));
  gtk_widget_class_bind_template_callback_full (widget_class, "problems_toggled_cb",
                                                G_CALLBACK (_gw_import_dialog_problems_toggled_cb));
  gtk_widget_class_bind_template_callback_full (widget_class, "row_activated_cb",
                                                G_CALLBACK (_gw_import_dialog_row_activated_cb));
#undef CALLBACK
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK,
                                _gw_import_dialog_run_shortcut_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Enter, GDK_CONTROL_MASK,
                                _gw_import_dialog_run_shortcut_cb, NULL);
}

static void
gw_import_dialog_init (GwImportDialog *self)
{
  self->rows = gw_import_rows_new ();
  self->file_rows = g_ptr_array_new ();
  self->projects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gtk_widget_init_template (GTK_WIDGET (self));
  _gw_import_dialog_set_up_list (self);
  gtk_window_set_default_widget (GTK_WINDOW (self), GTK_WIDGET (self->run_button));
  g_signal_connect_object (self->rows, "ticks-changed", G_CALLBACK (_gw_import_dialog_update), self,
                           G_CONNECT_SWAPPED);
}

/**
 * gw_import_dialog_new:
 * @parent: the window
 * @endpoint: leads to the gateway
 * @set: the files, also those that are still being read; the dialog stops it in the end
 *
 * Returns: (transfer none): a window that is not shown yet
 */
GtkWidget *
gw_import_dialog_new (GtkWindow *parent,
                      GwEndpoint *endpoint,
                      GwImportSet *set)
{
  GwImportDialog *self
      = g_object_new (GW_TYPE_IMPORT_DIALOG, "transient-for", parent, "destroy-with-parent", TRUE,
                      NULL);

  self->endpoint = g_object_ref (endpoint);
  self->set = g_object_ref (set);
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (_gw_import_dialog_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (set, "changed", G_CALLBACK (set_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (set, "files-changed", G_CALLBACK (files_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (set, "notify::busy", G_CALLBACK (busy_cb), self, G_CONNECT_SWAPPED);
  files_changed_cb (self);
  if (gw_import_set_get_lines (set) != NULL)
    set_changed_cb (self);
  busy_cb (self);
  return GTK_WIDGET (self);
}

/**
 * gw_import_dialog_set_projects:
 * @list: (nullable): knows the projects
 * @current: (nullable): id of the one that is shown
 */
void
gw_import_dialog_set_projects (GwImportDialog *self,
                               GwTaskList *list,
                               const char *current)
{
  g_autoptr (GList) projects = NULL;
  GList *l;

  g_return_if_fail (GW_IS_IMPORT_DIALOG (self));

  g_hash_table_remove_all (self->projects);
  g_clear_pointer (&self->current_name, g_free);
  if (list != NULL)
    projects = gw_task_list_get_known_projects (list);
  for (l = projects; l != NULL; l = l->next)
    {
      const GwProject *project = l->data;

      g_hash_table_replace (self->projects, g_strdup (project->name),
                            g_strdup (project->project_id));
      if (g_strcmp0 (project->project_id, current) == 0
          && !g_str_equal (project->name, GW_PROJECT_DEFAULT_NAME))
        self->current_name = g_strdup (project->name);
    }
  files_changed_cb (self);
}

GwProviderChoice *
gw_import_dialog_get_choice (GwImportDialog *self)
{
  g_return_val_if_fail (GW_IS_IMPORT_DIALOG (self), NULL);

  return self->choice;
}

GwImportSet *
gw_import_dialog_get_set (GwImportDialog *self)
{
  g_return_val_if_fail (GW_IS_IMPORT_DIALOG (self), NULL);

  return self->set;
}

/**
 * gw_import_dialog_new_chooser:
 *
 * Returns: (transfer full): a chooser of task files, for gtk_native_dialog_show()
 */
GtkFileChooserNative *
gw_import_dialog_new_chooser (GtkWindow *parent)
{
  static const char *const suffixes[]
      = { "txt", "text", "md", "markdown", "jsonl", "ndjson", "json", "csv", "tsv", "tab" };
  GtkFileChooserNative *chooser
      = gtk_file_chooser_native_new (_("Import Files"), parent, GTK_FILE_CHOOSER_ACTION_OPEN,
                                     _("_Import"), _("_Cancel"));
  g_autoptr (GtkFileFilter) tasks = gtk_file_filter_new ();
  g_autoptr (GtkFileFilter) all = gtk_file_filter_new ();
  guint i;

  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (chooser), TRUE);
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (chooser), TRUE);
  gtk_file_filter_set_name (tasks, _("Task Files"));
  for (i = 0; i < G_N_ELEMENTS (suffixes); i++)
    gtk_file_filter_add_suffix (tasks, suffixes[i]);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), tasks);
  gtk_file_filter_set_name (all, _("All Files"));
  gtk_file_filter_add_pattern (all, "*");
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), all);
  return chooser;
}

/**
 * gw_import_dialog_get_chosen:
 *
 * Returns: (transfer full) (element-type GFile): what was chosen
 */
GPtrArray *
gw_import_dialog_get_chosen (GtkFileChooserNative *chooser)
{
  g_autoptr (GListModel) chosen = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (chooser));
  GPtrArray *files = g_ptr_array_new_with_free_func (g_object_unref);
  guint i;

  for (i = 0; i < g_list_model_get_n_items (chosen); i++)
    g_ptr_array_add (files, g_list_model_get_item (chosen, i));
  return files;
}
