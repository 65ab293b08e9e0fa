/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-dialog"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import-dialog-private.h"
#include "gw-import-submit.h"
#include "gw-task-words.h"

/* Adding what is ticked: how far it is, what was refused, and breaking it off. */

#define MAX_DETAILS 200

/* (nullable): what was left out, line by line. */
static char *
make_details (GwImportLines *lines,
              gboolean skip_duplicates,
              guint *n_skipped)
{
  GString *text = g_string_new (NULL);
  guint length = gw_import_lines_get_length (lines);
  guint n_shown = 0;
  guint i;

  *n_skipped = lines->n_problems + (skip_duplicates ? lines->n_duplicates : 0);
  for (i = 0; i < length && n_shown < MAX_DETAILS; i++)
    {
      const GwImportProblem *problem;

      if (gw_import_lines_get (lines, i)->kind == GW_IMPORT_LINE_TASK)
        continue;
      problem = gw_import_lines_get_problem (lines, i);
      if (problem->row > 0)
        /* Translators: a file, a row of it, and what is wrong with it */
        g_string_append_printf (text, _("%1$s, row %2$u: %3$s"), problem->source, problem->row,
                                problem->message);
      else
        /* Translators: a file, and what is wrong with it */
        g_string_append_printf (text, _("%1$s: %2$s"), problem->source, problem->message);
      g_string_append_c (text, '\n');
      n_shown++;
    }
  if (n_shown < lines->n_problems)
    {
      g_string_append_printf (text, ngettext ("and %'u more", "and %'u more",
                                              lines->n_problems - n_shown),
                              lines->n_problems - n_shown);
      g_string_append_c (text, '\n');
    }
  if (skip_duplicates && lines->n_duplicates > 0)
    {
      g_string_append_printf (text, ngettext ("%'u duplicate", "%'u duplicates",
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
progress_cb (guint done,
             guint all,
             gpointer user_data)
{
  GwImportDialog *self = user_data;
  g_autofree char *text = NULL;

  if (self->gone)
    return;
  /* Translators: how many tasks were added so far, of how many */
  text = g_strdup_printf (_("%1$'u of %2$'u tasks added"), done, all);
  gtk_progress_bar_set_fraction (self->progress_bar, (double) done / all);
  gtk_label_set_text (self->footer, text);
}

static void
added_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwImportDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *project_id = NULL;
  g_autoptr (GPtrArray) ids
      = gw_import_submit_finish (GW_CLIENT (source), result, &project_id, &error);
  g_autofree char *details = NULL;
  guint n_skipped = 0;

  g_clear_object (&self->adding);
  if (self->gone)
    return;
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
      _gw_import_dialog_update (self);
      return;
    }

  details = make_details (gw_import_set_get_lines (self->set),
                          gtk_switch_get_active (self->duplicates_switch), &n_skipped);
  g_signal_emit_by_name (self, "added", ids, n_skipped, project_id, details, self->runs);
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
add (GwImportDialog *self,
     gboolean runs)
{
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->name_row));
  const char *known = _gw_import_dialog_find_project (self, name);
  g_autoptr (GPtrArray) entries = gw_import_rows_collect (self->rows);
  GwImportSubmitOptions options = { .holds = !runs };

  if (entries->len == 0 || _gw_import_dialog_get_client (self) == NULL || self->adding != NULL)
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
  _gw_import_dialog_update_buttons (self);
  gw_import_submit_async (_gw_import_dialog_get_client (self), entries,
                          gw_import_lines_ref (gw_import_set_get_lines (self->set)),
                          (GDestroyNotify) gw_import_lines_unref, &options, progress_cb, self,
                          self->adding, added_cb, g_object_ref (self));
}

void
_gw_import_dialog_run_cb (GwImportDialog *self)
{
  add (self, TRUE);
}

void
_gw_import_dialog_add_cb (GwImportDialog *self)
{
  add (self, FALSE);
}

gboolean
_gw_import_dialog_run_shortcut_cb (GtkWidget *widget,
                                   GVariant *args,
                                   gpointer user_data)
{
  GwImportDialog *self = GW_IMPORT_DIALOG (widget);

  if (!gtk_widget_is_sensitive (GTK_WIDGET (self->run_button)))
    return FALSE;
  add (self, TRUE);
  return TRUE;
}

void
_gw_import_dialog_cancel_cb (GwImportDialog *self)
{
  gtk_window_close (GTK_WINDOW (self));
}
