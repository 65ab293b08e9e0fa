/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-dialog"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-estimate-words.h"
#include "gw-import-dialog-private.h"

/* What the import dialog shows of the set: its title, how many tasks of how many files, the
 * estimate, and which buttons can be pressed. */

#define ESTIMATE_DELAY_MS 300

static void
update_title (GwImportDialog *self)
{
  guint n_files = gw_import_set_get_n_files (self->set);
  guint n_tasks = gw_import_rows_get_n_tasks (self->rows);
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->name_row));
  g_autofree char *files = NULL;
  g_autofree char *tasks = NULL;
  g_autofree char *text = NULL;

  files = g_strdup_printf (ngettext ("%'u file", "%'u files", n_files), n_files);
  tasks = g_strdup_printf (ngettext ("%'u task", "%'u tasks", n_tasks), n_tasks);
  if (_gw_import_dialog_find_project (self, name) != NULL)
    /* Translators: "3 files · 37 tasks · to “Animals”", a project that is there already */
    text = g_strdup_printf (_("%1$s · %2$s · to “%3$s”"), files, tasks, name);
  else
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

  if (_gw_import_dialog_get_client (self) == NULL
      && gw_endpoint_get_message (self->endpoint) != NULL)
    text = g_strdup (gw_endpoint_get_message (self->endpoint));
  else if (_gw_import_dialog_get_client (self) == NULL)
    text = g_strdup (_("Looking for a gateway…"));
  else if (n_ticked == 0)
    text = g_strdup ("");
  else
    {
      guint64 n_tokens = gw_import_rows_get_tokens (self->rows);

      number = about (n_tokens);
      /* Translators: %s is a number, of the order of "4,800" */
      tokens = g_strdup_printf (ngettext ("About %s input token", "About %s input tokens",
                                          (gulong) n_tokens),
                                number);
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
    duplicates = g_strdup_printf (ngettext ("Skip %'u duplicate", "Skip %'u duplicates",
                                            n_duplicates),
                                  n_duplicates);
  adw_preferences_row_set_title (self->duplicates_row,
                                 duplicates != NULL ? duplicates : _("Skip duplicates"));
  if (n_empty > 0)
    empty = g_strdup_printf (ngettext ("%'u row is empty", "%'u rows are empty", n_empty), n_empty);
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
    all = g_strdup_printf (_("%1$'u of %2$'u _Tasks"), n_ticked, n_tasks);
  else
    all = g_strdup_printf (ngettext ("%'u _Task", "%'u _Tasks", n_tasks), n_tasks);
  gtk_check_button_set_label (self->all_check, all);

  problems = g_strdup_printf (ngettext ("%'u Problem", "%'u Problems", n_problems), n_problems);
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

void
_gw_import_dialog_update_buttons (GwImportDialog *self)
{
  guint n_ticked = gw_import_rows_get_n_ticked (self->rows);
  GwClient *client = _gw_import_dialog_get_client (self);
  gboolean name_good = _gw_import_dialog_update_name (self);
  gboolean ready = n_ticked > 0 && client != NULL && name_good && !self->template_wrong
                   && !gw_import_set_is_busy (self->set) && self->adding == NULL;
  GwImportLines *lines = gw_import_set_get_lines (self->set);
  guint n_problems = lines != NULL ? lines->n_problems : 0;
  g_autofree char *run = NULL;
  g_autofree char *review = NULL;
  g_autofree char *problems = NULL;

  update_title (self);
  run = g_strdup_printf (ngettext ("_Run %'u", "_Run %'u", n_ticked), n_ticked);
  gtk_button_set_label (self->run_button, run);
  gtk_widget_set_sensitive (GTK_WIDGET (self->run_button), ready);
  gtk_widget_set_sensitive (self->add_button,
                            ready && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY);
  gtk_widget_set_sensitive (self->options_box, self->adding == NULL);
  gtk_widget_set_sensitive (self->tasks_page, self->adding == NULL);
  review = g_strdup_printf (ngettext ("Review %'u Task", "Review %'u Tasks",
                                      gw_import_rows_get_n_tasks (self->rows)),
                            gw_import_rows_get_n_tasks (self->rows));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->review_row), review);
  if (n_problems > 0)
    problems = g_strdup_printf (ngettext ("%'u problem", "%'u problems", n_problems), n_problems);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->review_row),
                               problems != NULL ? problems : "");
}

static void queue_estimate (GwImportDialog *self);

void
_gw_import_dialog_update (GwImportDialog *self)
{
  update_rows_options (self);
  update_list (self);
  _gw_import_dialog_update_buttons (self);
  update_footer (self);
  queue_estimate (self);
}

static void
estimated_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
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
  GwClient *client = _gw_import_dialog_get_client (self);
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

  if (_gw_import_dialog_get_client (self) != NULL && n_ticked > 0)
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
void
_gw_import_dialog_where_changed_cb (GwImportDialog *self)
{
  if (self->set != NULL)
    queue_estimate (self);
}
