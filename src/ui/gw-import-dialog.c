/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-dialog"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-banner.h"
#include "gw-compat.h"
#include "gw-drop-overlay.h"
#include "gw-estimate-words.h"
#include "gw-import-cell.h"
#include "gw-import-dialog.h"
#include "gw-import-file-row.h"
#include "gw-import-rows.h"
#include "gw-import-submit.h"
#include "gw-import-wrap.h"
#include "gw-task-words.h"

#define SPINNER_DELAY_MS 400
#define ESTIMATE_DELAY_MS 300
#define MAX_DETAILS 200

/* Each has choices of its own, which take time to lay out: a folder of a thousand files would keep
 * the window waiting for seconds. */
#define MAX_FILE_ROWS 50

struct _GwImportDialog {
  AdwWindow parent_instance;

  /* Template children */
  GwDropOverlay *drop_overlay;
  GtkWidget *cancel_button;
  GtkWidget *back_button;
  AdwWindowTitle *window_title;
  GtkButton *run_button;
  GtkWidget *add_button;
  GtkProgressBar *progress_bar;
  GwBanner *banner;
  AdwLeaflet *leaflet;
  GtkWidget *options_page;
  GtkWidget *options_box;
  GtkWidget *review_group;
  AdwActionRow *review_row;
  AdwPreferencesGroup *files_group;
  GtkWidget *more_row;      /* (nullable) unowned: of the group, for the files without a row */
  GwImportWrap *wrap;
  AdwPreferencesRow *duplicates_row;
  GtkSwitch *duplicates_switch;
  AdwActionRow *empty_row;
  GtkSwitch *empty_switch;
  GtkWidget *notes_row;
  GtkSwitch *notes_switch;
  AdwPreferencesGroup *project_group;
  AdwEntryRow *name_row;
  GwProviderChoice *choice;
  GtkSwitch *serial_switch;
  GtkLabel *name_label;
  GtkWidget *tasks_page;
  GtkCheckButton *all_check;
  GtkSpinner *spinner;
  GtkToggleButton *problems_button;
  GtkStack *list_stack;
  GtkListView *list_view;
  AdwStatusPage *none_page;
  GtkLabel *footer;

  /* Owned references */
  GwEndpoint *endpoint;
  GwImportSet *set;
  GwImportRows *rows;
  GPtrArray *file_rows;     /* (element-type GwImportFileRow) unowned: of the group */
  GHashTable *projects;     /* (element-type utf8 utf8) name to id */
  char *current_name;       /* (nullable) of the project that is shown behind */
  char *estimate;           /* (nullable) how long it will take, in words */
  char *estimated;          /* (nullable) what that is asked for */
  GCancellable *estimating; /* (nullable) */
  GCancellable *adding;     /* (nullable) while tasks go into the queue */
  GtkFileChooserNative *chooser; /* (nullable) */

  gboolean runs;            /* what is being added is to run */
  gboolean template_wrong;
  gboolean name_touched;
  gboolean updating;
  guint spinner_id;
  guint estimate_id;
  guint layout_id;
};

enum {
  ADDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwImportDialog, gw_import_dialog, ADW_TYPE_WINDOW)

/* (nullable): where the tasks can go now. */
static GwClient *
get_client (GwImportDialog *self)
{
  return gw_endpoint_get_state (self->endpoint) == GW_ENDPOINT_READY
             ? gw_endpoint_get_client (self->endpoint)
             : NULL;
}

/* --- The name --------------------------------------------------------------------------------- */

/* (nullable): the project of that name. */
static const char *
find_project (GwImportDialog *self, const char *name)
{
  return g_hash_table_lookup (self->projects, name);
}

/* What the tasks come from, as a name that no project has. */
static char *
make_name (GwImportDialog *self)
{
  guint n_files = gw_import_set_get_n_files (self->set);
  g_autofree char *base = NULL;
  g_autofree char *name = NULL;
  char *dot;
  char *unique;
  guint n;

  if (self->current_name != NULL)
    return g_strdup (self->current_name);
  if (n_files == 0)
    return g_strdup ("");

  base = g_utf8_make_valid (gw_import_set_get_file (self->set, 0)->name, -1);
  dot = strrchr (base, '.');
  if (dot != NULL && dot != base)
    *dot = '\0';
  if (g_utf8_strlen (base, -1) > GW_PROJECT_MAX_NAME / 2)
    *g_utf8_offset_to_pointer (base, GW_PROJECT_MAX_NAME / 2) = '\0';
  if (n_files > 1)
    /* Translators: the name of a project: that of a file, and how many others there are */
    name = g_strdup_printf (ngettext ("%1$s and %2$u more", "%1$s and %2$u more", n_files - 1), base,
                            n_files - 1);
  else
    name = g_strdup (base);

  unique = g_strdup (g_strstrip (name));
  for (n = 2; find_project (self, unique) != NULL || !gw_project_check_name (unique, NULL)
              || g_str_equal (unique, GW_PROJECT_DEFAULT_NAME);
       n++)
    {
      g_free (unique);
      unique = *name == '\0' || n > 10000 ? g_strdup_printf (_("Import %u"), n - 1)
                                          : g_strdup_printf ("%s %u", name, n);
    }
  return unique;
}

/* Returns whether the tasks can go there. */
static gboolean
update_name (GwImportDialog *self)
{
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->name_row));
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean good = gw_project_check_name (name, &error);

  if (!good)
    text = g_strdup (*name == '\0' ? _("The project needs a name") : error->message);
  else if (find_project (self, name) != NULL)
    text = g_strdup (_("The tasks are added to this project. “Add” pauses it"));
  gtk_label_set_text (self->name_label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->name_label), text != NULL);
  if (good)
    {
      gtk_widget_remove_css_class (GTK_WIDGET (self->name_row), "error");
      gtk_widget_remove_css_class (GTK_WIDGET (self->name_label), "error");
      gtk_widget_add_css_class (GTK_WIDGET (self->name_label), "dim-label");
    }
  else
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->name_row), "error");
      gtk_widget_add_css_class (GTK_WIDGET (self->name_label), "error");
      gtk_widget_remove_css_class (GTK_WIDGET (self->name_label), "dim-label");
    }
  return good;
}

/* --- What is shown ---------------------------------------------------------------------------- */

static void
update_title (GwImportDialog *self)
{
  guint n_files = gw_import_set_get_n_files (self->set);
  guint n_tasks = gw_import_rows_get_n_tasks (self->rows);
  g_autofree char *files = NULL;
  g_autofree char *tasks = NULL;
  g_autofree char *text = NULL;

  files = g_strdup_printf (ngettext ("%u file", "%u files", n_files), n_files);
  tasks = g_strdup_printf (ngettext ("%u task", "%u tasks", n_tasks), n_tasks);
  /* Translators: "3 files · 37 tasks" */
  text = g_strdup_printf (_("%1$s · %2$s"), files, tasks);
  adw_window_title_set_subtitle (self->window_title, text);
}

/* A number that is only about so: two digits of it, in groups. */
static char *
about (guint64 number)
{
  guint64 unit = 1;

  while (number / unit >= 100)
    unit *= 10;
  return g_strdup_printf ("%'" G_GUINT64_FORMAT, (number + unit / 2) / unit * unit);
}

static void
update_footer (GwImportDialog *self)
{
  guint n_ticked = gw_import_rows_get_n_ticked (self->rows);
  g_autofree char *number = NULL;
  g_autofree char *tokens = NULL;
  g_autofree char *text = NULL;

  if (get_client (self) == NULL && gw_endpoint_get_message (self->endpoint) != NULL)
    text = g_strdup (gw_endpoint_get_message (self->endpoint));
  else if (get_client (self) == NULL)
    text = g_strdup (_("Looking for a gateway…"));
  else if (n_ticked == 0)
    text = g_strdup ("");
  else
    {
      number = about (gw_import_rows_get_tokens (self->rows));
      /* Translators: %s is a number, of the order of "4,800" */
      tokens = g_strdup_printf (_("About %s input tokens"), number);
      if (self->estimate != NULL)
        text = g_strdup_printf (_("%1$s · %2$s"), tokens, self->estimate);
      else
        text = g_steal_pointer (&tokens);
    }
  gtk_label_set_text (self->footer, text);
}

static void
update_rows_options (GwImportDialog *self)
{
  GwImportLines *lines = gw_import_set_get_lines (self->set);
  guint n_duplicates = lines != NULL ? lines->n_duplicates : 0;
  guint n_empty = lines != NULL ? lines->n_empty : 0;
  guint n_files = gw_import_set_get_n_files (self->set);
  g_autofree char *duplicates = NULL;
  g_autofree char *empty = NULL;
  gboolean by_line = FALSE;
  guint i;

  if (n_duplicates > 0)
    duplicates = g_strdup_printf (ngettext ("Skip %u duplicate", "Skip %u duplicates",
                                            n_duplicates),
                                  n_duplicates);
  adw_preferences_row_set_title (self->duplicates_row,
                                 duplicates != NULL ? duplicates : _("Skip duplicates"));
  if (n_empty > 0)
    empty = g_strdup_printf (ngettext ("%u row is empty", "%u rows are empty", n_empty), n_empty);
  adw_action_row_set_subtitle (self->empty_row, empty != NULL ? empty : "");

  for (i = 0; i < n_files; i++)
    {
      const GwImport *import = gw_import_set_get_file (self->set, i)->import;

      by_line = by_line || (import != NULL && import->split == GW_SPLIT_LINE);
    }
  gtk_widget_set_visible (self->notes_row, by_line);
}

static void
update_list (GwImportDialog *self)
{
  GwImportLines *lines = gw_import_set_get_lines (self->set);
  guint n_tasks = gw_import_rows_get_n_tasks (self->rows);
  guint n_ticked = gw_import_rows_get_n_ticked (self->rows);
  guint n_problems = lines != NULL ? lines->n_problems : 0;
  g_autofree char *problems = NULL;
  g_autofree char *all = NULL;

  self->updating = TRUE;
  gtk_check_button_set_active (self->all_check, n_ticked == n_tasks && n_tasks > 0);
  gtk_check_button_set_inconsistent (self->all_check, n_ticked > 0 && n_ticked < n_tasks);
  gtk_widget_set_sensitive (GTK_WIDGET (self->all_check), n_tasks > 0);
  if (n_ticked < n_tasks)
    /* Translators: how many tasks are ticked, and of how many */
    all = g_strdup_printf (_("%1$u of %2$u _Tasks"), n_ticked, n_tasks);
  else
    all = g_strdup_printf (ngettext ("%u _Task", "%u _Tasks", n_tasks), n_tasks);
  gtk_check_button_set_label (self->all_check, all);

  problems = g_strdup_printf (ngettext ("%u Problem", "%u Problems", n_problems), n_problems);
  gtk_button_set_label (GTK_BUTTON (self->problems_button), problems);
  gtk_widget_set_visible (GTK_WIDGET (self->problems_button), n_problems > 0);
  if (n_problems == 0 && gtk_toggle_button_get_active (self->problems_button))
    {
      gtk_toggle_button_set_active (self->problems_button, FALSE);
      gw_import_rows_set_only_problems (self->rows, FALSE);
    }
  self->updating = FALSE;

  gtk_stack_set_visible_child_name (
      self->list_stack,
      lines == NULL || n_tasks + n_problems > 0 || gw_import_set_is_busy (self->set) ? "list"
                                                                                   : "none");
}

static void
update_buttons (GwImportDialog *self)
{
  guint n_ticked = gw_import_rows_get_n_ticked (self->rows);
  GwClient *client = get_client (self);
  gboolean name_good = update_name (self);
  gboolean ready = n_ticked > 0 && client != NULL && name_good && !self->template_wrong
                   && !gw_import_set_is_busy (self->set) && self->adding == NULL;
  g_autofree char *run = NULL;
  g_autofree char *review = NULL;

  run = g_strdup_printf (ngettext ("_Run %u", "_Run %u", n_ticked), n_ticked);
  gtk_button_set_label (self->run_button, run);
  gtk_widget_set_sensitive (GTK_WIDGET (self->run_button), ready);
  gtk_widget_set_sensitive (self->add_button,
                            ready && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY);
  gtk_widget_set_sensitive (self->options_box, self->adding == NULL);
  gtk_widget_set_sensitive (self->tasks_page, self->adding == NULL);
  review = g_strdup_printf (ngettext ("Review %u Task", "Review %u Tasks",
                                      gw_import_rows_get_n_tasks (self->rows)),
                            gw_import_rows_get_n_tasks (self->rows));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->review_row), review);
}

static void queue_estimate (GwImportDialog *self);

static void
update (GwImportDialog *self)
{
  update_title (self);
  update_rows_options (self);
  update_list (self);
  update_buttons (self);
  update_footer (self);
  queue_estimate (self);
}

/* --- The estimate ----------------------------------------------------------------------------- */

static void
estimated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwImportDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->estimating);
  g_clear_pointer (&self->estimate, g_free);
  if (answer != NULL)
    self->estimate = gw_estimate_to_words (answer, gw_import_rows_get_n_ticked (self->rows),
                                           gtk_switch_get_active (self->serial_switch));
  update_footer (self);
}

static gboolean
estimate_cb (gpointer user_data)
{
  GwImportDialog *self = user_data;
  GwClient *client = get_client (self);
  guint n_ticked = gw_import_rows_get_n_ticked (self->rows);
  g_autoptr (JsonObject) body = NULL;

  self->estimate_id = 0;
  if (client == NULL || n_ticked == 0 || self->adding != NULL
      || gw_client_get_protocol (client) != GW_PROTOCOL_GANGWAY)
    return G_SOURCE_REMOVE;
  body = json_object_new ();
  json_object_set_int_member (body, "count", n_ticked);
  if (gw_provider_choice_get_provider (self->choice) != NULL)
    json_object_set_string_member (body, "provider",
                                   gw_provider_choice_get_provider (self->choice));
  if (gw_provider_choice_get_model (self->choice) != NULL)
    json_object_set_string_member (body, "model", gw_provider_choice_get_model (self->choice));
  self->estimating = g_cancellable_new ();
  gw_client_call_async (client, "POST", "/estimate", body, self->estimating, estimated_cb,
                        g_object_ref (self));
  return G_SOURCE_REMOVE;
}

/* A moment after the last change; an estimate of something else is not shown meanwhile. */
static void
queue_estimate (GwImportDialog *self)
{
  const char *provider = gw_provider_choice_get_provider (self->choice);
  const char *model = gw_provider_choice_get_model (self->choice);
  guint n_ticked = gw_import_rows_get_n_ticked (self->rows);
  g_autofree char *question = NULL;

  if (get_client (self) != NULL && n_ticked > 0)
    question = g_strdup_printf ("%u %d %s %s", n_ticked,
                                gtk_switch_get_active (self->serial_switch),
                                provider != NULL ? provider : "", model != NULL ? model : "");
  if (g_strcmp0 (question, self->estimated) == 0)
    return;
  g_free (self->estimated);
  self->estimated = g_steal_pointer (&question);
  g_clear_pointer (&self->estimate, g_free);
  g_clear_handle_id (&self->estimate_id, g_source_remove);
  if (self->estimating != NULL)
    g_cancellable_cancel (self->estimating);
  g_clear_object (&self->estimating);
  update_footer (self);
  if (self->estimated == NULL)
    return;
  self->estimate_id = g_timeout_add (ESTIMATE_DELAY_MS, estimate_cb, self);
  g_source_set_name_by_id (self->estimate_id, "[gangway] estimate an import");
}

/* Where the tasks run, and how many at a time. */
static void
where_changed_cb (GwImportDialog *self)
{
  if (self->set != NULL)
    queue_estimate (self);
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
  update (self);
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
  update (self);
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
  update_buttons (self);
}

static void
remove_file_cb (GwImportDialog *self, GwImportFileRow *row)
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
          = g_strdup_printf (ngettext ("%u more file, read by the usual rules",
                                       "%u more files, read by the usual rules",
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
      g_autofree char *name = make_name (self);

      self->updating = TRUE;
      gtk_editable_set_text (GTK_EDITABLE (self->name_row), name);
      self->updating = FALSE;
    }
  update (self);
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
  update_buttons (self);
}

/* --- The list --------------------------------------------------------------------------------- */

static void
setup_cb (GwImportDialog *self, GtkListItem *item)
{
  gtk_list_item_set_child (item, gw_import_cell_new (self->rows));
}

static void
bind_cb (GwImportDialog *self, GtkListItem *item)
{
  GwImportCell *cell = GW_IMPORT_CELL (gtk_list_item_get_child (item));
  g_autofree char *label = NULL;

  gw_import_cell_set_row (cell, gtk_list_item_get_item (item),
                          gw_import_set_get_n_files (self->set) > 1);
  label = gw_import_cell_dup_label (cell);
  gw_compat_label_list_row (item, label);
}

static void
unbind_cb (GwImportDialog *self, GtkListItem *item)
{
  gw_import_cell_set_row (GW_IMPORT_CELL (gtk_list_item_get_child (item)), NULL, FALSE);
}

static void
toggle (GwImportDialog *self, GwImportRow *row)
{
  if (row != NULL && gw_import_row_is_task (row))
    gw_import_rows_set_ticked (self->rows, row, !gw_import_row_get_ticked (row));
}

static void
row_activated_cb (GwImportDialog *self, guint position)
{
  g_autoptr (GwImportRow) row = g_list_model_get_item (G_LIST_MODEL (self->rows), position);

  toggle (self, row);
}

/* Space ticks the line that has the focus. */
static gboolean
space_cb (GtkWidget *list, GVariant *args, gpointer user_data)
{
  GwImportDialog *self = user_data;
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  GtkWidget *cell = focus != NULL ? gtk_widget_get_first_child (focus) : NULL;

  if (cell == NULL || !GW_IS_IMPORT_CELL (cell))
    return FALSE;
  toggle (self, gw_import_cell_get_row (GW_IMPORT_CELL (cell)));
  return TRUE;
}

static void
all_toggled_cb (GwImportDialog *self)
{
  if (self->updating)
    return;
  gw_import_rows_tick_all (self->rows, gtk_check_button_get_active (self->all_check));
}

static void
problems_toggled_cb (GwImportDialog *self)
{
  if (!self->updating)
    gw_import_rows_set_only_problems (self->rows,
                                      gtk_toggle_button_get_active (self->problems_button));
}

static void
set_up_list (GwImportDialog *self)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkEventController *keys = gtk_shortcut_controller_new ();
  GtkNoSelection *selection;

  g_signal_connect_swapped (factory, "setup", G_CALLBACK (setup_cb), self);
  g_signal_connect_swapped (factory, "bind", G_CALLBACK (bind_cb), self);
  g_signal_connect_swapped (factory, "unbind", G_CALLBACK (unbind_cb), self);
  gtk_list_view_set_factory (self->list_view, factory);
  g_object_unref (factory);
  selection = gtk_no_selection_new (G_LIST_MODEL (g_object_ref (self->rows)));
  gtk_list_view_set_model (self->list_view, GTK_SELECTION_MODEL (selection));
  g_object_unref (selection);

  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_space, 0),
                        gtk_callback_action_new (space_cb, self, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self->list_view), keys);
}

/* --- Adding ----------------------------------------------------------------------------------- */

/* (nullable): what was left out, line by line. */
static char *
make_details (GwImportLines *lines, gboolean skip_duplicates, guint *n_skipped)
{
  GString *text = g_string_new (NULL);
  guint length = gw_import_lines_get_length (lines);
  guint n_shown = 0;
  guint i;

  *n_skipped = lines->n_problems + (skip_duplicates ? lines->n_duplicates : 0);
  for (i = 0; i < length && n_shown < MAX_DETAILS; i++)
    {
      const GwImportProblem *problem;

      if (gw_import_lines_get (lines, i)->kind != GW_IMPORT_LINE_PROBLEM)
        continue;
      problem = gw_import_lines_get_problem (lines, i);
      /* Translators: a file, a row of it, and what is wrong with it */
      g_string_append_printf (text, _("%1$s, row %2$u: %3$s"), problem->source, problem->row,
                              problem->message);
      g_string_append_c (text, '\n');
      n_shown++;
    }
  if (n_shown < lines->n_problems)
    {
      g_string_append_printf (text, ngettext ("and %u more", "and %u more",
                                              lines->n_problems - n_shown),
                              lines->n_problems - n_shown);
      g_string_append_c (text, '\n');
    }
  if (skip_duplicates && lines->n_duplicates > 0)
    {
      g_string_append_printf (text, ngettext ("%u duplicate", "%u duplicates",
                                              lines->n_duplicates),
                              lines->n_duplicates);
      g_string_append_c (text, '\n');
    }
  if (text->len == 0)
    {
      g_string_free (text, TRUE);
      return NULL;
    }
  g_string_truncate (text, text->len - 1);
  return g_string_free (text, FALSE);
}

static void
progress_cb (guint done, guint all, gpointer user_data)
{
  GwImportDialog *self = user_data;
  g_autofree char *text = g_strdup_printf (_("%1$u of %2$u tasks added"), done, all);

  gtk_progress_bar_set_fraction (self->progress_bar, (double) done / all);
  gtk_label_set_text (self->footer, text);
}

static void
added_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwImportDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *project_id = NULL;
  g_autoptr (GPtrArray) ids
      = gw_import_submit_finish (GW_CLIENT (source), result, &project_id, &error);
  g_autofree char *details = NULL;
  guint n_skipped = 0;

  g_clear_object (&self->adding);
  gtk_widget_set_visible (GTK_WIDGET (self->progress_bar), FALSE);
  if (ids == NULL)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_autofree char *why = gw_error_to_words (error);
          /* Translators: %s is the reason, a sentence */
          g_autofree char *text = g_strdup_printf (_("The tasks were not added: %s"), why);

          g_message ("an import failed: %s", error->message);
          gw_banner_show (self->banner, text, NULL, NULL, NULL, NULL);
        }
      update (self);
      return;
    }

  details = make_details (gw_import_set_get_lines (self->set),
                          gtk_switch_get_active (self->duplicates_switch), &n_skipped);
  g_signal_emit (self, signals[ADDED], 0, ids->len, n_skipped, project_id, details, self->runs);
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
add (GwImportDialog *self, gboolean runs)
{
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->name_row));
  const char *known = find_project (self, name);
  g_autoptr (GPtrArray) entries = gw_import_rows_collect (self->rows);
  GwImportSubmitOptions options = { .holds = !runs };

  if (entries->len == 0 || get_client (self) == NULL || self->adding != NULL)
    return;
  gw_banner_hide (self->banner);
  options.project = known != NULL ? known : name;
  options.is_new = known == NULL;
  options.provider = gw_provider_choice_get_provider (self->choice);
  options.model = gw_provider_choice_get_model (self->choice);
  options.concurrency = gtk_switch_get_active (self->serial_switch) ? 1 : 0;
  self->runs = runs;
  self->adding = g_cancellable_new ();
  gtk_progress_bar_set_fraction (self->progress_bar, 0);
  gtk_widget_set_visible (GTK_WIDGET (self->progress_bar), TRUE);
  update_buttons (self);
  gw_import_submit_async (get_client (self), entries,
                          gw_import_lines_ref (gw_import_set_get_lines (self->set)),
                          (GDestroyNotify) gw_import_lines_unref, &options, progress_cb, self,
                          self->adding, added_cb, g_object_ref (self));
}

static void
run_cb (GwImportDialog *self)
{
  add (self, TRUE);
}

static void
add_cb (GwImportDialog *self)
{
  add (self, FALSE);
}

static gboolean
run_shortcut_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  GwImportDialog *self = GW_IMPORT_DIALOG (widget);

  if (!gtk_widget_is_sensitive (GTK_WIDGET (self->run_button)))
    return FALSE;
  add (self, TRUE);
  return TRUE;
}

static void
cancel_cb (GwImportDialog *self)
{
  gtk_window_close (GTK_WINDOW (self));
}

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
files_dropped_cb (GwImportDialog *self, GPtrArray *files)
{
  gw_import_set_add (self->set, files);
}

static void
chosen_cb (GwImportDialog *self, int response)
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
                                 NULL, G_TYPE_NONE, 5, G_TYPE_UINT, G_TYPE_UINT, G_TYPE_STRING,
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
  CALLBACK (cancel_cb);
  CALLBACK (show_options_cb);
  CALLBACK (show_tasks_cb);
  CALLBACK (run_cb);
  CALLBACK (add_cb);
  CALLBACK (more_cb);
  CALLBACK (queue_layout_cb);
  CALLBACK (template_changed_cb);
  CALLBACK (rows_changed_cb);
  CALLBACK (where_changed_cb);
  CALLBACK (name_changed_cb);
  CALLBACK (all_toggled_cb);
  CALLBACK (problems_toggled_cb);
  CALLBACK (row_activated_cb);
#undef CALLBACK
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK, run_shortcut_cb,
                                NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Enter, GDK_CONTROL_MASK, run_shortcut_cb,
                                NULL);
}

static void
gw_import_dialog_init (GwImportDialog *self)
{
  self->rows = gw_import_rows_new ();
  self->file_rows = g_ptr_array_new ();
  self->projects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gtk_widget_init_template (GTK_WIDGET (self));
  set_up_list (self);
  gtk_window_set_default_widget (GTK_WINDOW (self), GTK_WIDGET (self->run_button));
  g_signal_connect_object (self->rows, "ticks-changed", G_CALLBACK (update), self,
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
gw_import_dialog_new (GtkWindow *parent, GwEndpoint *endpoint, GwImportSet *set)
{
  GwImportDialog *self
      = g_object_new (GW_TYPE_IMPORT_DIALOG, "transient-for", parent, "destroy-with-parent", TRUE,
                      NULL);

  self->endpoint = g_object_ref (endpoint);
  self->set = g_object_ref (set);
  g_signal_connect_object (endpoint, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
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
gw_import_dialog_set_projects (GwImportDialog *self, GwTaskList *list, const char *current)
{
  g_autoptr (GList) projects = NULL;
  GList *l;

  g_return_if_fail (GW_IS_IMPORT_DIALOG (self));

  g_hash_table_remove_all (self->projects);
  g_clear_pointer (&self->current_name, g_free);
  if (list != NULL)
    projects = gw_task_list_get_projects (list);
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
