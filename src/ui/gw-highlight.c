/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-highlight"

#include "config.h"

#include "gw-highlight.h"
#include "gw-task-words.h"
#include "gw-text.h"

/* Where what was searched stands: marked in rows and in the task that is read. */

#define MAX_MARKS 20        /* in one line */
#define SEEN_CHARACTERS 20  /* of a line, also in a narrow column */
#define LINE_CHARACTERS 200
#define MARK_ALPHA 0.4f

static const GdkRGBA yellow = { 0.965f, 0.827f, 0.176f, MARK_ALPHA };

/**
 * gw_highlight_get_color:
 * @color: (out): for the ground behind it
 */
void
gw_highlight_get_color (GtkWidget *widget,
                        GdkRGBA *color)
{
  *color = yellow;
}

/**
 * gw_highlight_new_attributes:
 * @text: what a label shows
 * @needle: what was searched, not empty
 *
 * Bold as well, so that it is seen without colours.
 */
PangoAttrList *
gw_highlight_new_attributes (const char *text,
                             const char *needle)
{
  PangoAttrList *list = NULL;
  gsize at = 0;
  gsize start;
  gsize end;
  guint n;

  for (n = 0; n < MAX_MARKS && gw_text_find (text + at, needle, &start, &end); n++)
    {
      PangoAttribute *attributes[] = {
        pango_attr_background_new ((guint16) (yellow.red * 65535),
                                   (guint16) (yellow.green * 65535),
                                   (guint16) (yellow.blue * 65535)),
        pango_attr_background_alpha_new ((guint16) (MARK_ALPHA * 65535)),
        pango_attr_weight_new (PANGO_WEIGHT_BOLD),
      };
      guint i;

      if (list == NULL)
        list = pango_attr_list_new ();
      for (i = 0; i < G_N_ELEMENTS (attributes); i++)
        {
          attributes[i]->start_index = (guint) (at + start);
          attributes[i]->end_index = (guint) (at + end);
          pango_attr_list_insert (list, attributes[i]);
        }
      at += end;
    }
  return list;
}

char *
gw_highlight_line (const char *text,
                   const char *needle)
{
  g_autofree char *first = gw_task_words_first_line (text);
  char *around;
  gsize start;
  gsize end;

  if (gw_text_find (first, needle, &start, &end)
      && g_utf8_strlen (first, (gssize) end) <= SEEN_CHARACTERS)
    return g_steal_pointer (&first);
  around = gw_text_cut_around (text, needle, LINE_CHARACTERS);
  return around != NULL ? around : g_steal_pointer (&first);
}
