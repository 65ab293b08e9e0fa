/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-link-popover"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-link-popover.h"

/* A link's words may say anything: its address is shown, to be opened or copied. */

struct _GwLinkPopover {
  GtkPopover parent_instance;

  char *uri; /* (owned) */
  guint drop_id;
};

G_DEFINE_FINAL_TYPE (GwLinkPopover, gw_link_popover, GTK_TYPE_POPOVER)

static gboolean
drop_cb (gpointer user_data)
{
  GwLinkPopover *self = user_data;

  self->drop_id = 0;
  if (gtk_widget_get_parent (GTK_WIDGET (self)) != NULL)
    gtk_widget_unparent (GTK_WIDGET (self));
  return G_SOURCE_REMOVE;
}

/* Not while it is being closed. */
static void
gw_link_popover_closed (GtkPopover *popover)
{
  GwLinkPopover *self = GW_LINK_POPOVER (popover);

  if (self->drop_id != 0)
    return;
  self->drop_id = g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, drop_cb, self, NULL);
  g_source_set_name_by_id (self->drop_id, "[gangway] drop the popover of a link");
}

static void
open_cb (GwLinkPopover *self)
{
  gtk_show_uri (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), self->uri,
                GDK_CURRENT_TIME);
  gtk_popover_popdown (GTK_POPOVER (self));
}

static void
copy_cb (GwLinkPopover *self)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), self->uri);
  gtk_popover_popdown (GTK_POPOVER (self));
}

static GtkWidget *
make_button (GwLinkPopover *self,
             const char *label,
             GCallback clicked)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  gtk_widget_set_hexpand (button, TRUE);
  g_signal_connect_object (button, "clicked", clicked, self, G_CONNECT_SWAPPED);
  return button;
}

static void
gw_link_popover_finalize (GObject *object)
{
  GwLinkPopover *self = GW_LINK_POPOVER (object);

  /* Here, since one that goes while it is open is closed by that. */
  g_clear_handle_id (&self->drop_id, g_source_remove);
  g_free (self->uri);
  G_OBJECT_CLASS (gw_link_popover_parent_class)->finalize (object);
}

static void
gw_link_popover_class_init (GwLinkPopoverClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gw_link_popover_finalize;
  GTK_POPOVER_CLASS (klass)->closed = gw_link_popover_closed;
}

static void
gw_link_popover_init (GwLinkPopover *self)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Link"), -1);
}

/**
 * gw_link_popover_new:
 * @uri: where the link goes
 */
GtkWidget *
gw_link_popover_new (const char *uri)
{
  GwLinkPopover *self = g_object_new (GW_TYPE_LINK_POPOVER, NULL);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *label = gtk_label_new (NULL);
  /* Isolated: within right-to-left text too it reads as it is. */
  g_autofree char *isolated = g_strdup_printf ("\342\201\246%s\342\201\251", uri);
  GtkWidget *open = make_button (self, _("_Open"), G_CALLBACK (open_cb));

  self->uri = g_strdup (uri);
  gtk_label_set_text (GTK_LABEL (label), isolated);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 36);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (open, "suggested-action");
  gtk_box_append (GTK_BOX (buttons),
                  make_button (self, _("_Copy Address"), G_CALLBACK (copy_cb)));
  gtk_box_append (GTK_BOX (buttons), open);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), buttons);
  gtk_widget_add_css_class (box, "gw-link-box");
  gtk_popover_set_child (GTK_POPOVER (self), box);
  return GTK_WIDGET (self);
}
