/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-dialog"

#include "config.h"

#include "gw-compat.h"
#include "gw-import-cell.h"
#include "gw-import-dialog-private.h"

/* The list of the tasks that were found, to be ticked. */

static void
setup_cb (GwImportDialog *self,
          GtkListItem *item)
{
  gtk_list_item_set_child (item, gw_import_cell_new (self->rows));
}

static void
bind_cb (GwImportDialog *self,
         GtkListItem *item)
{
  GwImportCell *cell = GW_IMPORT_CELL (gtk_list_item_get_child (item));
  g_autofree char *label = NULL;

  gw_import_cell_set_row (cell, gtk_list_item_get_item (item),
                          gw_import_set_get_n_files (self->set) > 1);
  label = gw_import_cell_dup_label (cell);
  gw_compat_label_list_row (item, label);
}

static void
unbind_cb (GwImportDialog *self,
           GtkListItem *item)
{
  gw_import_cell_set_row (GW_IMPORT_CELL (gtk_list_item_get_child (item)), NULL, FALSE);
}

static void
toggle (GwImportDialog *self,
        GwImportRow *row)
{
  if (row != NULL && gw_import_row_is_task (row))
    gw_import_rows_set_ticked (self->rows, row, !gw_import_row_get_ticked (row));
}

void
_gw_import_dialog_row_activated_cb (GwImportDialog *self,
                                    guint position)
{
  g_autoptr (GwImportRow) row = g_list_model_get_item (G_LIST_MODEL (self->rows), position);

  toggle (self, row);
}

/* Space ticks the line that has the focus. */
static gboolean
space_cb (GtkWidget *list,
          GVariant *args,
          gpointer user_data)
{
  GwImportDialog *self = user_data;
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  GtkWidget *cell = focus != NULL ? gtk_widget_get_first_child (focus) : NULL;

  if (cell == NULL || !GW_IS_IMPORT_CELL (cell))
    return FALSE;
  toggle (self, gw_import_cell_get_row (GW_IMPORT_CELL (cell)));
  return TRUE;
}

void
_gw_import_dialog_all_toggled_cb (GwImportDialog *self)
{
  if (self->updating)
    return;
  gw_import_rows_tick_all (self->rows, gtk_check_button_get_active (self->all_check));
}

void
_gw_import_dialog_problems_toggled_cb (GwImportDialog *self)
{
  if (!self->updating)
    gw_import_rows_set_only_problems (self->rows,
                                      gtk_toggle_button_get_active (self->problems_button));
}

void
_gw_import_dialog_set_up_list (GwImportDialog *self)
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
