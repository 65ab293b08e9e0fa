/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-cell"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import-cell.h"
#include "gw-task-words.h"

#define MAX_TOOLTIP 1000 /* bytes */
#define MAX_PROBLEM_LINES 4

struct _GwImportCell {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *box;
  GtkCheckButton *check;
  GtkImage *icon;
  GtkInscription *number;
  GtkLabel *text;
  GtkLabel *hint;

  GwImportRows *rows;   /* (owned) */
  GwImportRow *row;     /* (owned) (nullable) */
  gulong ticked_id;
  gboolean updating;
};

G_DEFINE_FINAL_TYPE (GwImportCell, gw_import_cell, GTK_TYPE_WIDGET)

static void
ticked_cb (GwImportCell *self)
{
  gboolean ticked = gw_import_row_get_ticked (self->row);

  self->updating = TRUE;
  gtk_check_button_set_active (self->check, ticked);
  self->updating = FALSE;
  if (ticked || !gw_import_row_is_task (self->row))
    gtk_widget_remove_css_class (GTK_WIDGET (self->text), "dim-label");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->text), "dim-label");
}

static void
toggled_cb (GwImportCell *self)
{
  if (!self->updating && self->row != NULL)
    gw_import_rows_set_ticked (self->rows, self->row, gtk_check_button_get_active (self->check));
}

static void
unset_row (GwImportCell *self)
{
  if (self->row != NULL)
    g_clear_signal_handler (&self->ticked_id, self->row);
  g_clear_object (&self->row);
}

/**
 * gw_import_cell_set_row:
 * @row: (nullable): what to show
 * @with_source: whether the file is named: there are several
 */
void
gw_import_cell_set_row (GwImportCell *self,
                        GwImportRow *row,
                        gboolean with_source)
{
  g_autofree char *number = NULL;
  g_autofree char *text = NULL;
  gboolean is_task;

  g_return_if_fail (GW_IS_IMPORT_CELL (self));

  unset_row (self);
  if (row == NULL)
    return;

  self->row = g_object_ref (row);
  self->ticked_id = g_signal_connect_swapped (row, "notify::ticked", G_CALLBACK (ticked_cb), self);
  is_task = gw_import_row_is_task (row);
  gtk_widget_set_visible (GTK_WIDGET (self->check), is_task);
  gtk_widget_set_visible (GTK_WIDGET (self->icon), !is_task);
  gtk_widget_set_visible (GTK_WIDGET (self->number), is_task);
  /* What is wrong can be read where it stands. */
  gtk_label_set_wrap (self->text, !is_task);
  gtk_label_set_lines (self->text, is_task ? 1 : MAX_PROBLEM_LINES);
  if (is_task)
    {
      number = g_strdup_printf ("%u", gw_import_row_get_number (row));
      text = gw_task_words_first_line (gw_import_row_get_text (row));
    }
  else if (gw_import_row_get_row (row) > 0)
    /* Translators: a row of a file, and what is wrong with it */
    text = g_strdup_printf (_("Row %1$u: %2$s"), gw_import_row_get_row (row),
                            gw_import_row_get_text (row));
  else
    text = g_strdup (gw_import_row_get_text (row));
  /* GTK 4.8 cannot tell a screen reader of an inscription without a text. */
  gtk_inscription_set_text (self->number, number != NULL ? number : "");
  gtk_label_set_text (self->text, text);
  if (gw_import_row_is_duplicate (row))
    gtk_label_set_text (self->hint, _("Duplicate"));
  else
    gtk_label_set_text (self->hint, with_source ? gw_import_row_get_source (row) : "");
  gtk_widget_set_visible (GTK_WIDGET (self->hint), *gtk_label_get_text (self->hint) != '\0');
  ticked_cb (self);
}

GwImportRow *
gw_import_cell_get_row (GwImportCell *self)
{
  g_return_val_if_fail (GW_IS_IMPORT_CELL (self), NULL);

  return self->row;
}

/* (transfer full): what a screen reader says of the line. */
char *
gw_import_cell_dup_label (GwImportCell *self)
{
  const char *text;

  g_return_val_if_fail (GW_IS_IMPORT_CELL (self), NULL);

  text = gtk_label_get_text (self->text);
  if (self->row == NULL || !gw_import_row_is_task (self->row))
    /* Translators: a row of a file that is not imported; %s says why */
    return g_strdup_printf (_("Left out: %s"), text != NULL ? text : "");
  return g_strdup_printf ("%u, %s", gw_import_row_get_number (self->row),
                          text != NULL ? text : "");
}

/* The beginning of the whole task, for it may have many lines. */
static gboolean
query_tooltip_cb (GwImportCell *self,
                  int x,
                  int y,
                  gboolean keyboard,
                  GtkTooltip *tooltip)
{
  g_autofree char *part = NULL;
  g_autofree char *shown = NULL;
  const char *text;

  if (self->row == NULL)
    return FALSE;
  text = gw_import_row_get_text (self->row);
  part = g_strndup (text, MAX_TOOLTIP);
  shown = g_utf8_make_valid (part, -1);
  gtk_tooltip_set_text (tooltip, shown);
  return TRUE;
}

static void
gw_import_cell_dispose (GObject *object)
{
  GwImportCell *self = GW_IMPORT_CELL (object);

  unset_row (self);
  g_clear_object (&self->rows);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_IMPORT_CELL);

  G_OBJECT_CLASS (gw_import_cell_parent_class)->dispose (object);
}

static void
gw_import_cell_class_init (GwImportCellClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_import_cell_dispose;

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/gangway/Gangway/ui/gw-import-cell.ui");
  gtk_widget_class_bind_template_child (widget_class, GwImportCell, box);
  gtk_widget_class_bind_template_child (widget_class, GwImportCell, check);
  gtk_widget_class_bind_template_child (widget_class, GwImportCell, icon);
  gtk_widget_class_bind_template_child (widget_class, GwImportCell, number);
  gtk_widget_class_bind_template_child (widget_class, GwImportCell, text);
  gtk_widget_class_bind_template_child (widget_class, GwImportCell, hint);
  gtk_widget_class_bind_template_callback (widget_class, toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, query_tooltip_cb);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
gw_import_cell_init (GwImportCell *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
gw_import_cell_new (GwImportRows *rows)
{
  GwImportCell *self = g_object_new (GW_TYPE_IMPORT_CELL, NULL);

  self->rows = g_object_ref (rows);
  return GTK_WIDGET (self);
}
