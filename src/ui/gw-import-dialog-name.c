/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-dialog"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-import-dialog-private.h"

/* The name of the project that the tasks go to: made from the files until it is typed, and
 * checked. */

/* (nullable): the project of that name. */
const char *
_gw_import_dialog_find_project (GwImportDialog *self,
                                const char *name)
{
  return g_hash_table_lookup (self->projects, name);
}

/* What the tasks come from, as a name that no project has. */
char *
_gw_import_dialog_make_name (GwImportDialog *self)
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
    name = g_strdup_printf (ngettext ("%1$s and %2$u more", "%1$s and %2$u more", n_files - 1),
                            base, n_files - 1);
  else
    name = g_strdup (base);

  unique = g_strdup (g_strstrip (name));
  for (n = 2;
       _gw_import_dialog_find_project (self, unique) != NULL
       || !gw_project_check_name (unique, NULL) || g_str_equal (unique, GW_PROJECT_DEFAULT_NAME);
       n++)
    {
      g_free (unique);
      unique = *name == '\0' || n > 10000 ? g_strdup_printf (_("Import %'u"), n - 1)
                                          : g_strdup_printf ("%s %u", name, n);
    }
  return unique;
}

/* Returns whether the tasks can go there. */
gboolean
_gw_import_dialog_update_name (GwImportDialog *self)
{
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->name_row));
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean good = gw_project_check_name (name, &error);

  if (!good)
    text = g_strdup (*name == '\0' ? _("The project needs a name") : error->message);
  else if (_gw_import_dialog_find_project (self, name) != NULL)
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
