/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-import-wrap"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import-wrap.h"

#define PAUSE_MS 200
#define MAX_NAMES 40

struct _GwImportWrap {
  AdwPreferencesGroup parent_instance;

  /* Template children */
  AdwEntryRow *entry;
  GtkFlowBox *chips;
  GtkLabel *error_label;

  char **names;      /* (owned) (nullable) */
  guint pause_id;
};

enum {
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwImportWrap, gw_import_wrap, ADW_TYPE_PREFERENCES_GROUP)

static gboolean
pause_cb (gpointer user_data)
{
  GwImportWrap *self = user_data;

  self->pause_id = 0;
  g_signal_emit (self, signals[CHANGED], 0);
  return G_SOURCE_REMOVE;
}

static void
text_changed_cb (GwImportWrap *self)
{
  g_clear_handle_id (&self->pause_id, g_source_remove);
  self->pause_id = g_timeout_add (PAUSE_MS, pause_cb, self);
  g_source_set_name_by_id (self->pause_id, "[gangway] read the template");
}

/* Puts the name where the cursor is, in place of what is selected. */
static void
chip_cb (GtkButton *chip,
         GwImportWrap *self)
{
  GtkEditable *editable = GTK_EDITABLE (self->entry);
  g_autofree char *name = g_strdup_printf ("{%s}", (const char *) g_object_get_data (
                                                       G_OBJECT (chip), "name"));
  int position;

  gtk_editable_delete_selection (editable);
  position = gtk_editable_get_position (editable);
  /* An untouched entry has its cursor at the start. */
  if (position == 0)
    position = -1;
  if (position < 0)
    position = g_utf8_strlen (gtk_editable_get_text (editable), -1);
  gtk_editable_insert_text (editable, name, -1, &position);
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
  gtk_editable_set_position (editable, position);
}

const char *
gw_import_wrap_get_text (GwImportWrap *self)
{
  g_return_val_if_fail (GW_IS_IMPORT_WRAP (self), NULL);

  return gtk_editable_get_text (GTK_EDITABLE (self->entry));
}

void
gw_import_wrap_set_names (GwImportWrap *self,
                          const char *const *names)
{
  GtkWidget *child;
  guint i;

  g_return_if_fail (GW_IS_IMPORT_WRAP (self));

  if (self->names != NULL && g_strv_equal ((const char *const *) self->names, names))
    return;
  g_strfreev (self->names);
  self->names = g_strdupv ((char **) names);
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->chips))) != NULL)
    gtk_flow_box_remove (self->chips, child);
  for (i = 0; names[i] != NULL && i < MAX_NAMES; i++)
    {
      g_autofree char *label = g_strdup_printf ("{%s}", names[i]);
      /* Translators: %s is a name in braces, as {text}; said of a button */
      g_autofree char *tip = g_strdup_printf (_("Insert %s"), label);
      GtkWidget *chip = gtk_button_new_with_label (label);

      gtk_label_set_ellipsize (GTK_LABEL (gtk_button_get_child (GTK_BUTTON (chip))),
                               PANGO_ELLIPSIZE_END);
      gtk_label_set_max_width_chars (GTK_LABEL (gtk_button_get_child (GTK_BUTTON (chip))), 24);
      gtk_widget_set_tooltip_text (chip, tip);
      gtk_widget_add_css_class (chip, "gw-chip");
      gtk_widget_set_halign (chip, GTK_ALIGN_START);
      g_object_set_data_full (G_OBJECT (chip), "name", g_strdup (names[i]), g_free);
      g_signal_connect_object (chip, "clicked", G_CALLBACK (chip_cb), self, 0);
      gtk_flow_box_append (self->chips, chip);
      gtk_widget_set_focusable (gtk_widget_get_parent (chip), FALSE);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->chips), names[0] != NULL);
}

/* @message: (nullable): what is wrong with the text */
void
gw_import_wrap_set_error (GwImportWrap *self,
                          const char *message)
{
  g_return_if_fail (GW_IS_IMPORT_WRAP (self));

  gtk_label_set_text (self->error_label, message != NULL ? message : "");
  gtk_widget_set_visible (GTK_WIDGET (self->error_label), message != NULL);
  if (message != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (self->entry), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->entry), "error");
}

static void
gw_import_wrap_dispose (GObject *object)
{
  GwImportWrap *self = GW_IMPORT_WRAP (object);

  g_clear_handle_id (&self->pause_id, g_source_remove);

  G_OBJECT_CLASS (gw_import_wrap_parent_class)->dispose (object);
}

static void
gw_import_wrap_finalize (GObject *object)
{
  GwImportWrap *self = GW_IMPORT_WRAP (object);

  g_strfreev (self->names);

  G_OBJECT_CLASS (gw_import_wrap_parent_class)->finalize (object);
}

static void
gw_import_wrap_class_init (GwImportWrapClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_import_wrap_dispose;
  object_class->finalize = gw_import_wrap_finalize;

  signals[CHANGED] = g_signal_new ("changed", GW_TYPE_IMPORT_WRAP, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/gangway/Gangway/ui/gw-import-wrap.ui");
  gtk_widget_class_bind_template_child (widget_class, GwImportWrap, entry);
  gtk_widget_class_bind_template_child (widget_class, GwImportWrap, chips);
  gtk_widget_class_bind_template_child (widget_class, GwImportWrap, error_label);
  gtk_widget_class_bind_template_callback (widget_class, text_changed_cb);
}

static void
gw_import_wrap_init (GwImportWrap *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
