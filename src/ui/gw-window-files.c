/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-files"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import.h"
#include "gw-task-words.h"
#include "gw-window-private.h"

/* Files of tasks: chosen, opened or dropped; read off the main thread and offered. */

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
