/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-code-card"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

#include "gw-code-card.h"
#include "gw-highlight.h"

/* A head with the language and a button that copies, then labels of a few KiB each, since a label is
 * laid out in one go. */

#define SLICE_BYTES (6 * 1024)
#define MAX_LINE_BYTES 2000

struct _GwCodeCard {
  GtkBox parent_instance;

  GtkBox *lines;     /* borrowed: where they go */
  char *description; /* (owned) (nullable) */
  char *needle;      /* (owned) (nullable) */
};

G_DEFINE_FINAL_TYPE (GwCodeCard, gw_code_card, GTK_TYPE_BOX)

static void
say (GtkWidget *widget,
     const char *what)
{
  GtkWidget *overlay = gtk_widget_get_ancestor (widget, ADW_TYPE_TOAST_OVERLAY);

  if (overlay != NULL)
    adw_toast_overlay_add_toast (ADW_TOAST_OVERLAY (overlay), adw_toast_new (what));
}

static void
copy_code_cb (GtkButton *button,
              gpointer user_data)
{
  const char *text = g_object_get_data (G_OBJECT (button), "text");

  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (button)), text);
  say (GTK_WIDGET (button), _("Code copied"));
}

static void
add_head (GwCodeCard *self,
          const GwMarkdownBlock *block)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *name = gtk_label_new (block->info != NULL ? block->info : "");
  GtkWidget *copy = gtk_button_new_from_icon_name ("edit-copy-symbolic");

  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (name), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (name, TRUE);
  gtk_widget_add_css_class (name, "dim-label");
  gtk_widget_add_css_class (name, "caption");
  gtk_widget_add_css_class (copy, "flat");
  gtk_widget_set_tooltip_text (copy, _("Copy Code"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (copy), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Copy Code"), -1);
  g_object_set_data_full (G_OBJECT (copy), "text", g_strndup (block->text, block->length), g_free);
  g_signal_connect (copy, "clicked", G_CALLBACK (copy_code_cb), NULL);
  gtk_widget_add_css_class (head, "gw-code-head");
  gtk_box_append (GTK_BOX (head), name);
  gtk_box_append (GTK_BOX (head), copy);
  gtk_box_append (GTK_BOX (self), head);
}

/* A line that never ends is broken: it would be wider than a surface can be. */
static char *
break_lines (const char *text,
             gsize length)
{
  GString *out = g_string_sized_new (length + 1);
  const char *end = text + length;

  while (text < end)
    {
      const char *line = memchr (text, '\n', (gsize) (end - text));
      const char *stop = line != NULL ? line : end;

      while (stop - text > MAX_LINE_BYTES)
        {
          const char *cut = text + MAX_LINE_BYTES;

          while (((guchar) *cut & 0xc0) == 0x80)
            cut--;
          g_string_append_len (out, text, cut - text);
          g_string_append_c (out, '\n');
          text = cut;
        }
      g_string_append_len (out, text, stop - text);
      if (line != NULL)
        g_string_append_c (out, '\n');
      text = line != NULL ? line + 1 : end;
    }
  return g_string_free (out, FALSE);
}

static void
gw_code_card_finalize (GObject *object)
{
  GwCodeCard *self = GW_CODE_CARD (object);

  g_free (self->description);
  g_free (self->needle);
  G_OBJECT_CLASS (gw_code_card_parent_class)->finalize (object);
}

static void
gw_code_card_class_init (GwCodeCardClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gw_code_card_finalize;
}

static void
gw_code_card_init (GwCodeCard *self)
{
}

/**
 * gw_code_card_new:
 * @block: what it is for
 * @description: (nullable): what screen readers say that it is part of
 * @needle: (nullable): what is marked in it
 */
GtkWidget *
gw_code_card_new (const GwMarkdownBlock *block,
                  const char *description,
                  const char *needle)
{
  GwCodeCard *self
      = g_object_new (GW_TYPE_CODE_CARD, "orientation", GTK_ORIENTATION_VERTICAL, NULL);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  GtkWidget *lines = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);

  self->description = g_strdup (description);
  self->needle = g_strdup (needle);
  gtk_widget_add_css_class (GTK_WIDGET (self), "gw-code");
  if (block->depth > 0)
    gtk_widget_set_margin_start (GTK_WIDGET (self), (int) MIN (block->depth, 4) * 16);
  if (block->kind == GW_MARKDOWN_CODE)
    add_head (self, block);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_AUTOMATIC,
                                  GTK_POLICY_NEVER);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), lines);
  gtk_box_append (GTK_BOX (self), scroller);
  /* Code is written from left to right, whatever the language around it. */
  gtk_widget_set_direction (scroller, GTK_TEXT_DIR_LTR);
  gtk_widget_set_direction (gtk_widget_get_parent (lines), GTK_TEXT_DIR_LTR);
  gtk_widget_set_direction (lines, GTK_TEXT_DIR_LTR);
  self->lines = GTK_BOX (lines);
  return GTK_WIDGET (self);
}

/* A label a slice: what is laid out in one go is bounded. */
gsize
gw_code_card_append (GwCodeCard *self,
                     const GwMarkdownBlock *block,
                     gsize from)
{
  gsize stop = MIN (from + SLICE_BYTES, block->length);
  g_autofree char *shown = NULL;
  GtkWidget *label;

  if (stop < block->length)
    {
      const char *line = memrchr (block->text + from, '\n', stop - from);

      if (line != NULL && line > block->text + from)
        stop = (gsize) (line - block->text) + 1;
      else
        while (stop > from + 4 && ((guchar) block->text[stop] & 0xc0) == 0x80)
          stop--;
    }
  shown = break_lines (block->text + from, stop - from);
  if (stop < block->length && g_str_has_suffix (shown, "\n"))
    shown[strlen (shown) - 1] = '\0';
  label = gtk_label_new (shown);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_direction (label, GTK_TEXT_DIR_LTR);
  gtk_widget_add_css_class (label, "monospace");
  if (self->description != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (label), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                    self->description, -1);
  if (self->needle != NULL)
    {
      PangoAttrList *attributes = gw_highlight_new_attributes (shown, self->needle);

      gtk_label_set_attributes (GTK_LABEL (label), attributes);
      g_clear_pointer (&attributes, pango_attr_list_unref);
    }
  gtk_box_append (self->lines, label);
  return stop;
}
