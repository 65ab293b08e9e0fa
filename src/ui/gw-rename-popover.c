/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-rename-popover"

#include "config.h"

#include "gw-compat.h"
#include "gw-rename-popover.h"

struct _GwRenamePopover {
  GtkPopover parent_instance;

  /* Template children */
  GtkEntry *entry;
  GtkWidget *rename_button;
  GtkLabel *error_label;

  char *name; /* (owned) as it is */
  gboolean busy;
};

enum {
  RENAME,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwRenamePopover, gw_rename_popover, GTK_TYPE_POPOVER)

static char *
dup_name (GwRenamePopover *self)
{
  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->entry))));
}

static void
update (GwRenamePopover *self)
{
  g_autofree char *name = dup_name (self);

  gtk_widget_set_sensitive (self->rename_button,
                            !self->busy && name[0] != '\0' && !g_str_equal (name, self->name));
}

static void
changed_cb (GwRenamePopover *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->error_label), FALSE);
  gtk_widget_remove_css_class (GTK_WIDGET (self->entry), "error");
  update (self);
}

static void
rename_cb (GwRenamePopover *self)
{
  g_autofree char *name = dup_name (self);

  if (self->busy)
    return;
  self->busy = TRUE;
  update (self);
  g_signal_emit (self, signals[RENAME], 0, name);
}

static void
gw_rename_popover_show (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (gw_rename_popover_parent_class)->show (widget);
  gtk_widget_grab_focus (GTK_WIDGET (GW_RENAME_POPOVER (widget)->entry));
}

static void
gw_rename_popover_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_RENAME_POPOVER);
  G_OBJECT_CLASS (gw_rename_popover_parent_class)->dispose (object);
}

static void
gw_rename_popover_finalize (GObject *object)
{
  g_free (GW_RENAME_POPOVER (object)->name);
  G_OBJECT_CLASS (gw_rename_popover_parent_class)->finalize (object);
}

static void
gw_rename_popover_class_init (GwRenamePopoverClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_rename_popover_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_rename_popover_finalize;
  widget_class->show = gw_rename_popover_show;

  signals[RENAME] = g_signal_new ("rename", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-rename-popover.ui");
  gtk_widget_class_bind_template_child (widget_class, GwRenamePopover, entry);
  gtk_widget_class_bind_template_child (widget_class, GwRenamePopover, rename_button);
  gtk_widget_class_bind_template_child (widget_class, GwRenamePopover, error_label);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, rename_cb);
}

static void
gw_rename_popover_init (GwRenamePopover *self)
{
  self->name = g_strdup ("");
  gtk_widget_init_template (GTK_WIDGET (self));
}

/**
 * gw_rename_popover_new:
 * @name: as it is now
 */
GtkWidget *
gw_rename_popover_new (const char *name)
{
  GwRenamePopover *self = g_object_new (GW_TYPE_RENAME_POPOVER, NULL);

  g_free (self->name);
  self->name = g_strdup (name);
  gtk_editable_set_text (GTK_EDITABLE (self->entry), name);
  update (self);
  return GTK_WIDGET (self);
}

/**
 * gw_rename_popover_fail:
 * @why: a sentence
 *
 * The name cannot be had: says so, for another try.
 */
void
gw_rename_popover_fail (GwRenamePopover *self,
                        const char *why)
{
  g_return_if_fail (GW_IS_RENAME_POPOVER (self));

  self->busy = FALSE;
  update (self);
  gtk_label_set_text (self->error_label, why);
  gtk_widget_set_visible (GTK_WIDGET (self->error_label), TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->entry), "error");
  /* It does not grow with what is in it by itself. */
  gtk_popover_present (GTK_POPOVER (self));
  gw_compat_announce (GTK_WIDGET (self), why);
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
}
