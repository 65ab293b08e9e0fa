/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-prose"

#include "config.h"

#include <adwaita.h>

#include "gw-compat.h"
#include "gw-highlight.h"
#include "gw-prose-private.h"

/* How the text looks: tags whose colours come from the theme and follow it, and margins that come
 * from the font. */

#define MAX_STEPS 6 /* of indentation that are told apart */

static void
set_color (GwProse *self,
           const char *name,
           const char *property,
           const GdkRGBA *base,
           float alpha)
{
  GtkTextBuffer *buffer = _gw_prose_get_buffer (self);
  GtkTextTag *tag = gtk_text_tag_table_lookup (gtk_text_buffer_get_tag_table (buffer), name);
  GdkRGBA color = *base;

  color.alpha *= alpha;
  if (tag != NULL)
    g_object_set (tag, property, &color, NULL);
}

void
_gw_prose_update_colors (GwProse *self)
{
  gboolean contrast = adw_style_manager_get_high_contrast (adw_style_manager_get_default ());
  GdkRGBA text;
  GdkRGBA link;
  GdkRGBA found;

  gw_compat_get_color (GTK_WIDGET (self), NULL, &text);
  gw_compat_get_color (GTK_WIDGET (self), "accent_color", &link);
  set_color (self, "link", "foreground-rgba", &link, 1);
  set_color (self, "code", "background-rgba", &text, contrast ? 0.15f : 0.08f);
  set_color (self, "block", "paragraph-background-rgba", &text, contrast ? 0.12f : 0.06f);
  set_color (self, "quote", "foreground-rgba", &text, contrast ? 1 : 0.75f);
  set_color (self, "mark", "foreground-rgba", &text, contrast ? 1 : 0.7f);
  gw_highlight_get_color (GTK_WIDGET (self), &found);
  set_color (self, "found", "background-rgba", &found, 1);
}

void
_gw_prose_create_tags (GwProse *self)
{
  static const double scales[] = { 1.4, 1.25, 1.12, 1.0, 1.0, 0.95 };
  GtkTextBuffer *buffer = _gw_prose_get_buffer (self);
  guint i;

  gtk_text_buffer_create_tag (buffer, "first", "pixels-above-lines", 9, NULL);
  gtk_text_buffer_create_tag (buffer, "item", "pixels-above-lines", 3, NULL);
  gtk_text_buffer_create_tag (buffer, "quote", "style", PANGO_STYLE_ITALIC, NULL);
  gtk_text_buffer_create_tag (buffer, "mark", NULL);
  gtk_text_buffer_create_tag (buffer, "block", "family", "Monospace", "scale", 0.92,
                              "wrap-mode", GTK_WRAP_WORD_CHAR, NULL);
  for (i = 0; i < G_N_ELEMENTS (scales); i++)
    {
      char name[] = { 'h', (char) ('1' + i), '\0' };

      gtk_text_buffer_create_tag (buffer, name, "weight", PANGO_WEIGHT_BOLD, "scale", scales[i],
                                  NULL);
    }
  gtk_text_buffer_create_tag (buffer, "title", "pixels-above-lines", 14, NULL);
  gtk_text_buffer_create_tag (buffer, "emphasis", "style", PANGO_STYLE_ITALIC, NULL);
  gtk_text_buffer_create_tag (buffer, "strong", "weight", PANGO_WEIGHT_BOLD, NULL);
  gtk_text_buffer_create_tag (buffer, "strike", "strikethrough", TRUE, NULL);
  gtk_text_buffer_create_tag (buffer, "code", "family", "Monospace", "scale", 0.92, NULL);
  gtk_text_buffer_create_tag (buffer, "link", "underline", PANGO_UNDERLINE_SINGLE, NULL);
  gtk_text_buffer_create_tag (buffer, "found", "weight", PANGO_WEIGHT_BOLD, NULL);
  _gw_prose_update_colors (self);
}

static int
get_step (GwProse *self)
{
  if (self->step == 0)
    {
      g_autoptr (PangoLayout) layout
          = gtk_widget_create_pango_layout (GTK_WIDGET (self), "00.");

      pango_layout_get_pixel_size (layout, &self->step, NULL);
      self->step += 8;
    }
  return self->step;
}

/* The margin of a paragraph, on the side where its writing starts. */
GtkTextTag *
_gw_prose_get_margin (GwProse *self,
                      guint depth,
                      guint quotes,
                      gboolean marker,
                      gboolean rtl)
{
  GtkTextBuffer *buffer = _gw_prose_get_buffer (self);
  guint steps = MIN (depth, MAX_STEPS);
  guint bars = MIN (quotes, MAX_STEPS);
  g_autofree char *name
      = g_strdup_printf ("margin-%u-%u-%d-%d", steps, bars, marker != FALSE, rtl != FALSE);
  GtkTextTag *tag = gtk_text_tag_table_lookup (gtk_text_buffer_get_tag_table (buffer), name);
  PangoTabArray *tabs;
  int step;

  if (tag != NULL)
    return tag;
  step = get_step (self);
  tag = gtk_text_buffer_create_tag (
      buffer, name, rtl ? "right-margin" : "left-margin",
      (int) (steps - (marker && steps > 0 ? 1 : 0)) * step + (int) bars * 16, NULL);
  if (marker)
    {
      tabs = pango_tab_array_new_with_positions (1, TRUE, PANGO_TAB_LEFT, step);
      g_object_set (tag, "indent", -step, "tabs", tabs, NULL);
      pango_tab_array_free (tabs);
    }
  return tag;
}
