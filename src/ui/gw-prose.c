/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-prose"

#include "config.h"

#include <adwaita.h>
#include <string.h>

#include "gw-compat.h"
#include "gw-highlight.h"
#include "gw-prose.h"
#include "gw-text.h"

/* Blocks of Markdown as text with tags. Colours come from the theme and follow it; margins from the
 * font. Very long lines are broken where they are shown, since a line is laid out in one go. */

#define SLICE_BYTES (2 * 1024)
#define MAX_LINE_BYTES 3000
#define MAX_STEPS 6 /* of indentation that are told apart */

typedef struct {
  int start; /* offsets in the buffer */
  int end;
  char *uri; /* a GRefString */
} Link;

typedef struct {
  const char *tag;
  int start;
  int end;
} Range;

struct _GwProse {
  GtkTextView parent_instance;

  /* What is being appended. It goes in at once: of each insertion a screen reader is told, and a
   * hundred thousand of them would fill its bus for half a minute. */
  GString *text;
  int text_chars;
  GArray *ranges;   /* (element-type Range) */

  char *needle;     /* (owned) (nullable) what is marked where it stands */
  GArray *links;    /* (owned) (element-type Link) in order */
  gsize line_bytes; /* of the line that is being appended */
  int step;         /* pixels of an indentation */
  int width;        /* that was given last */
  guint settle_id;
  const char *cursor;
};

G_DEFINE_FINAL_TYPE (GwProse, gw_prose, GTK_TYPE_TEXT_VIEW)

enum { LINK, N_SIGNALS };

static guint signals[N_SIGNALS];

/* A text view lays out in idle time, at the width that it was given; what it wants to be high is
 * known only then, and the toolkit does not ask again by itself. */
static gboolean
settle_cb (gpointer user_data)
{
  GwProse *self = user_data;

  self->settle_id = 0;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  return G_SOURCE_REMOVE;
}

static void
settle (GwProse *self)
{
  if (self->settle_id == 0)
    {
      self->settle_id = g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, settle_cb, self, NULL);
      g_source_set_name_by_id (self->settle_id, "[gangway] height of a text");
    }
}

static void
gw_prose_size_allocate (GtkWidget *widget,
                        int width,
                        int height,
                        int baseline)
{
  GwProse *self = GW_PROSE (widget);

  GTK_WIDGET_CLASS (gw_prose_parent_class)->size_allocate (widget, width, height, baseline);
  if (self->width != width)
    {
      self->width = width;
      settle (self);
    }
}

static void
clear_link (gpointer data)
{
  g_clear_pointer (&((Link *) data)->uri, g_ref_string_release);
}

static GtkTextBuffer *
get_buffer (GwProse *self)
{
  return gtk_text_view_get_buffer (GTK_TEXT_VIEW (self));
}

/* --- Tags ------------------------------------------------------------------------------------- */

static void
set_color (GwProse *self,
           const char *name,
           const char *property,
           const GdkRGBA *base,
           float alpha)
{
  GtkTextTag *tag
      = gtk_text_tag_table_lookup (gtk_text_buffer_get_tag_table (get_buffer (self)), name);
  GdkRGBA color = *base;

  color.alpha *= alpha;
  if (tag != NULL)
    g_object_set (tag, property, &color, NULL);
}

static void
update_colors (GwProse *self)
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

static void
create_tags (GwProse *self)
{
  static const double scales[] = { 1.4, 1.25, 1.12, 1.0, 1.0, 0.95 };
  GtkTextBuffer *buffer = get_buffer (self);
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
  update_colors (self);
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
static GtkTextTag *
get_margin (GwProse *self,
            guint depth,
            guint quotes,
            gboolean marker,
            gboolean rtl)
{
  GtkTextBuffer *buffer = get_buffer (self);
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

/* --- Text in ---------------------------------------------------------------------------------- */

static void
add_text (GwProse *self,
          const char *text,
          gsize length)
{
  g_string_append_len (self->text, text, (gssize) length);
  self->text_chars += (int) g_utf8_strlen (text, (gssize) length);
}

/* Adds at the end, and breaks lines that never end. */
static void
insert (GwProse *self,
        const char *text,
        gsize length)
{
  const char *end = text + length;

  while (text < end)
    {
      const char *line = memchr (text, '\n', (gsize) (end - text));
      const char *stop = line != NULL ? line + 1 : end;

      if (self->line_bytes + (gsize) (stop - text) > MAX_LINE_BYTES)
        {
          gsize room = MAX_LINE_BYTES - MIN (self->line_bytes, MAX_LINE_BYTES);
          const char *space;

          stop = text + MIN (room, (gsize) (end - text));
          while (stop > text && stop < end && ((guchar) *stop & 0xc0) == 0x80)
            stop--;
          space = memrchr (text, ' ', (gsize) (stop - text));
          if (space != NULL && stop - space < 200)
            stop = space + 1;
          add_text (self, text, (gsize) (stop - text));
          add_text (self, "\n", 1);
          self->line_bytes = 0;
        }
      else
        {
          add_text (self, text, (gsize) (stop - text));
          self->line_bytes = line != NULL ? 0 : self->line_bytes + (gsize) (stop - text);
        }
      text = stop;
    }
}

static int
get_end_offset (GwProse *self)
{
  return gtk_text_buffer_get_char_count (get_buffer (self)) + self->text_chars;
}

/* @tag: a static name */
static void
apply (GwProse *self,
       const char *tag,
       int start)
{
  Range range = { tag, start, get_end_offset (self) };

  g_array_append_val (self->ranges, range);
}

/* Marks what is searched from @first on, also where it began before. */
static void
mark_found (GwProse *self,
            int first)
{
  GtkTextBuffer *buffer = get_buffer (self);
  int at = MAX (first - (int) g_utf8_strlen (self->needle, -1), 0);
  g_autofree char *text = NULL;
  const char *rest;
  GtkTextIter from;
  GtkTextIter to;
  gsize start;
  gsize end;

  gtk_text_buffer_get_iter_at_offset (buffer, &from, at);
  gtk_text_buffer_get_end_iter (buffer, &to);
  text = gtk_text_buffer_get_slice (buffer, &from, &to, TRUE);
  for (rest = text; gw_text_find (rest, self->needle, &start, &end); rest += end)
    {
      at += (int) g_utf8_strlen (rest, (gssize) start);
      gtk_text_buffer_get_iter_at_offset (buffer, &from, at);
      at += (int) g_utf8_strlen (rest + start, (gssize) (end - start));
      gtk_text_buffer_get_iter_at_offset (buffer, &to, at);
      gtk_text_buffer_apply_tag_by_name (buffer, "found", &from, &to);
    }
}

static void
flush (GwProse *self)
{
  GtkTextBuffer *buffer = get_buffer (self);
  int first = gtk_text_buffer_get_char_count (buffer);
  GtkTextIter from;
  GtkTextIter to;
  guint i;

  gtk_text_buffer_get_end_iter (buffer, &to);
  gtk_text_buffer_insert (buffer, &to, self->text->str, (int) self->text->len);
  g_string_truncate (self->text, 0);
  self->text_chars = 0;
  for (i = 0; i < self->ranges->len; i++)
    {
      const Range *range = &g_array_index (self->ranges, Range, i);

      gtk_text_buffer_get_iter_at_offset (buffer, &from, range->start);
      gtk_text_buffer_get_iter_at_offset (buffer, &to, range->end);
      gtk_text_buffer_apply_tag_by_name (buffer, range->tag, &from, &to);
    }
  g_array_set_size (self->ranges, 0);
  if (self->needle != NULL)
    mark_found (self, first);
}

/* @needle: (nullable): what is marked in all that is appended from now on. */
void
gw_prose_set_needle (GwProse *self,
                     const char *needle)
{
  g_return_if_fail (GW_IS_PROSE (self));

  g_free (self->needle);
  self->needle = needle != NULL && *needle != '\0' ? g_strdup (needle) : NULL;
}

/* A place not within a character, and at a space or line end where one is near. */
static gsize
get_stop (const char *text,
          gsize length,
          gsize from)
{
  gsize stop = from + SLICE_BYTES;
  const char *line;

  if (stop >= length)
    return length;
  line = memrchr (text + from, '\n', stop - from);
  if (line != NULL)
    return (gsize) (line - text) + 1;
  while (stop > from && ((guchar) text[stop] & 0xc0) == 0x80)
    stop--;
  return stop;
}

gsize
gw_prose_append_plain (GwProse *self,
                       const char *text,
                       gsize length,
                       gsize from)
{
  gsize stop;

  g_return_val_if_fail (GW_IS_PROSE (self), length);

  stop = get_stop (text, length, from);
  insert (self, text + from, stop - from);
  flush (self);
  settle (self);
  return stop;
}

/* By its first letter, as the layout has it. */
static gboolean
is_rtl (const GwMarkdownBlock *block)
{
  const char *end = block->text + MIN (block->length, 1000);
  const char *p;

  for (p = block->text; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (!g_unichar_isalpha (c))
        continue;
      switch ((int) g_unichar_get_script (c))
        {
        case G_UNICODE_SCRIPT_ARABIC:
        case G_UNICODE_SCRIPT_HEBREW:
        case G_UNICODE_SCRIPT_SYRIAC:
        case G_UNICODE_SCRIPT_THAANA:
        case G_UNICODE_SCRIPT_NKO:
          return TRUE;
        default:
          return FALSE;
        }
    }
  return FALSE;
}

static void
insert_spans (GwProse *self,
              const GwMarkdownBlock *block,
              gsize from,
              gsize to)
{
  static const struct {
    guint style;
    const char *tag;
  } styles[] = {
    { GW_MARKDOWN_EMPHASIS, "emphasis" }, { GW_MARKDOWN_STRONG, "strong" },
    { GW_MARKDOWN_STRIKE, "strike" },     { GW_MARKDOWN_CODE_SPAN, "code" },
    { GW_MARKDOWN_LINK, "link" },
  };
  guint n = block->spans != NULL ? block->spans->len : 0;
  guint low = 0;
  guint high = n;

  /* The first span that ends behind @from. */
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (block->spans, GwMarkdownSpan, middle).end <= from)
        low = middle + 1;
      else
        high = middle;
    }
  for (; low < n && from < to; low++)
    {
      const GwMarkdownSpan *span = &g_array_index (block->spans, GwMarkdownSpan, low);
      gsize end = MIN (span->end, to);
      int start;
      guint i;

      if (span->start >= to)
        break;
      if (span->start > from)
        insert (self, block->text + from, span->start - from);
      from = MAX (from, span->start);
      start = get_end_offset (self);
      insert (self, block->text + from, end - from);
      for (i = 0; i < G_N_ELEMENTS (styles); i++)
        if (span->style & styles[i].style)
          apply (self, styles[i].tag, start);
      if (span->uri != NULL)
        {
          Link link = { start, get_end_offset (self), g_ref_string_acquire (span->uri) };

          g_array_append_val (self->links, link);
        }
      from = end;
    }
  if (from < to)
    insert (self, block->text + from, to - from);
}

/**
 * gw_prose_append_block:
 * @block: what to show
 * @from: 0, then what this gave
 *
 * Code and tables too, where there is no other place for them.
 *
 * Returns: where to go on; the block's length when all of it is there
 */
gsize
gw_prose_append_block (GwProse *self,
                       const GwMarkdownBlock *block,
                       gsize from)
{
  GtkTextBuffer *buffer;
  GtkTextTag *margin;
  GtkTextIter at;
  GtkTextIter end;
  gboolean rtl;
  gsize to;
  int start;
  int whole;

  g_return_val_if_fail (GW_IS_PROSE (self), block->length);

  buffer = get_buffer (self);
  to = get_stop (block->text, block->length, from);
  if (from == 0 && get_end_offset (self) > 0)
    {
      self->line_bytes = 0;
      insert (self, "\n", 1);
    }
  whole = start = get_end_offset (self);
  if (from == 0 && block->marker != NULL)
    {
      insert (self, block->marker, strlen (block->marker));
      insert (self, "\t", 1);
      apply (self, "mark", start);
      start = get_end_offset (self);
    }
  if (block->kind == GW_MARKDOWN_RULE)
    insert (self, "────────", strlen ("────────"));
  else
    insert_spans (self, block, from, to);

  switch (block->kind)
    {
    case GW_MARKDOWN_HEADING:
      {
        static const char *const names[] = { "h1", "h2", "h3", "h4", "h5", "h6" };

        apply (self, names[CLAMP (block->level, 1, 6) - 1], whole);
        break;
      }
    case GW_MARKDOWN_CODE:
    case GW_MARKDOWN_TABLE:
      apply (self, "block", whole);
      break;
    case GW_MARKDOWN_RULE:
      apply (self, "mark", whole);
      break;
    case GW_MARKDOWN_PARAGRAPH:
    default:
      break;
    }
  if (block->quotes > 0)
    apply (self, "quote", whole);
  flush (self);
  rtl = is_rtl (block);
  gtk_text_buffer_get_iter_at_offset (buffer, &at, whole);
  /* A line's paragraph tags are those of its first character. */
  if (block->depth > 0 || block->quotes > 0)
    {
      if (block->marker != NULL && from == 0)
        {
          GtkTextIter line = at;

          gtk_text_iter_forward_line (&line);
          margin = get_margin (self, block->depth, block->quotes, TRUE, rtl);
          gtk_text_buffer_apply_tag (buffer, margin, &at, &line);
          gtk_text_buffer_get_end_iter (buffer, &end);
          margin = get_margin (self, block->depth, block->quotes, FALSE, rtl);
          if (gtk_text_iter_compare (&line, &end) < 0)
            gtk_text_buffer_apply_tag (buffer, margin, &line, &end);
        }
      else
        {
          gtk_text_buffer_get_end_iter (buffer, &end);
          margin = get_margin (self, block->depth, block->quotes, FALSE, rtl);
          gtk_text_buffer_apply_tag (buffer, margin, &at, &end);
        }
    }
  if (from == 0 && whole > 0)
    {
      gtk_text_buffer_get_iter_at_offset (buffer, &at, whole);
      end = at;
      gtk_text_iter_forward_char (&end);
      gtk_text_buffer_apply_tag_by_name (buffer,
                                         block->kind == GW_MARKDOWN_HEADING ? "title"
                                         : block->marker != NULL            ? "item"
                                                                            : "first",
                                         &at, &end);
    }
  settle (self);
  return to;
}

/* --- Links ------------------------------------------------------------------------------------ */

static const char *
find_link (GwProse *self,
           const GtkTextIter *iter)
{
  int offset = gtk_text_iter_get_offset (iter);
  guint low = 0;
  guint high = self->links->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const Link *link = &g_array_index (self->links, Link, middle);

      if (offset < link->start)
        high = middle;
      else if (offset >= link->end)
        low = middle + 1;
      else
        return link->uri;
    }
  return NULL;
}

static const char *
find_link_at (GwProse *self,
              double x,
              double y)
{
  GtkTextView *view = GTK_TEXT_VIEW (self);
  GtkTextIter iter;
  int buffer_x;
  int buffer_y;

  if (self->links->len == 0)
    return NULL;
  gtk_text_view_window_to_buffer_coords (view, GTK_TEXT_WINDOW_WIDGET, (int) x, (int) y, &buffer_x,
                                         &buffer_y);
  if (!gtk_text_view_get_iter_at_location (view, &iter, buffer_x, buffer_y))
    return NULL;
  return find_link (self, &iter);
}

static void
released_cb (GwProse *self,
             int n_press,
             double x,
             double y,
             GtkGestureClick *click)
{
  const char *uri = find_link_at (self, x, y);

  /* Who has dragged over it wants to copy it. */
  if (uri != NULL && n_press == 1
      && !gtk_text_buffer_get_has_selection (get_buffer (self)))
    g_signal_emit (self, signals[LINK], 0, uri, x, y);
}

static void
motion_cb (GwProse *self,
           double x,
           double y)
{
  const char *cursor = find_link_at (self, x, y) != NULL ? "pointer" : "text";

  if (cursor != self->cursor)
    {
      gtk_widget_set_cursor_from_name (GTK_WIDGET (self), cursor);
      self->cursor = cursor;
    }
}

static gboolean
follow_cb (GtkWidget *widget,
           GVariant *args,
           gpointer user_data)
{
  GwProse *self = GW_PROSE (widget);
  GtkTextBuffer *buffer = get_buffer (self);
  GtkTextIter iter;
  GdkRectangle place;
  const char *uri;
  int x;
  int y;

  gtk_text_buffer_get_iter_at_mark (buffer, &iter, gtk_text_buffer_get_insert (buffer));
  uri = find_link (self, &iter);
  if (uri == NULL)
    return GDK_EVENT_PROPAGATE;
  gtk_text_view_get_iter_location (GTK_TEXT_VIEW (self), &iter, &place);
  gtk_text_view_buffer_to_window_coords (GTK_TEXT_VIEW (self), GTK_TEXT_WINDOW_WIDGET, place.x,
                                         place.y + place.height, &x, &y);
  g_signal_emit (self, signals[LINK], 0, uri, (double) x, (double) y);
  return GDK_EVENT_STOP;
}

static gboolean
gw_prose_query_tooltip (GtkWidget *widget,
                        int x,
                        int y,
                        gboolean keyboard,
                        GtkTooltip *tooltip)
{
  const char *uri = keyboard ? NULL : find_link_at (GW_PROSE (widget), x, y);

  if (uri == NULL)
    return FALSE;
  gtk_tooltip_set_text (tooltip, uri);
  return TRUE;
}

static void
gw_prose_dispose (GObject *object)
{
  g_clear_handle_id (&GW_PROSE (object)->settle_id, g_source_remove);
  G_OBJECT_CLASS (gw_prose_parent_class)->dispose (object);
}

static void
gw_prose_finalize (GObject *object)
{
  GwProse *self = GW_PROSE (object);

  g_clear_pointer (&self->links, g_array_unref);
  g_clear_pointer (&self->ranges, g_array_unref);
  g_string_free (self->text, TRUE);
  g_free (self->needle);
  G_OBJECT_CLASS (gw_prose_parent_class)->finalize (object);
}

static void
gw_prose_class_init (GwProseClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_prose_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_prose_finalize;
  widget_class->size_allocate = gw_prose_size_allocate;
  widget_class->query_tooltip = gw_prose_query_tooltip;
  signals[LINK] = g_signal_new ("link", GW_TYPE_PROSE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 3, G_TYPE_STRING, G_TYPE_DOUBLE, G_TYPE_DOUBLE);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Return, 0, follow_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Enter, 0, follow_cb, NULL);
}

static void
gw_prose_init (GwProse *self)
{
  GtkTextView *view = GTK_TEXT_VIEW (self);
  GtkGesture *click = gtk_gesture_click_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();
  AdwStyleManager *style = adw_style_manager_get_default ();

  self->text = g_string_new (NULL);
  self->ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  self->links = g_array_new (FALSE, FALSE, sizeof (Link));
  g_array_set_clear_func (self->links, clear_link);
  gtk_text_view_set_editable (view, FALSE);
  gtk_text_view_set_accepts_tab (view, FALSE);
  gtk_text_view_set_wrap_mode (view, GTK_WRAP_WORD_CHAR);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self), "gw-prose");
  create_tags (self);

  g_signal_connect_swapped (click, "released", G_CALLBACK (released_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (motion_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  g_signal_connect_object (style, "notify::dark", G_CALLBACK (update_colors), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (style, "notify::high-contrast", G_CALLBACK (update_colors), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect (self, "map", G_CALLBACK (update_colors), NULL);
}

GtkWidget *
gw_prose_new (void)
{
  return g_object_new (GW_TYPE_PROSE, NULL);
}
