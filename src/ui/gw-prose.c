/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-prose"

#include "config.h"

#include <adwaita.h>

#include "gw-prose-private.h"

/* Blocks of Markdown as text with tags, and what a person does with them: select, follow a link.
 * How it looks stands in gw-prose-tags.c, how text comes in in gw-prose-append.c. */

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

void
_gw_prose_settle (GwProse *self)
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
      _gw_prose_settle (self);
    }
}

static void
clear_link (gpointer data)
{
  g_clear_pointer (&((GwProseLink *) data)->uri, g_ref_string_release);
}

GtkTextBuffer *
_gw_prose_get_buffer (GwProse *self)
{
  return gtk_text_view_get_buffer (GTK_TEXT_VIEW (self));
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
      const GwProseLink *link = &g_array_index (self->links, GwProseLink, middle);

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
      && !gtk_text_buffer_get_has_selection (_gw_prose_get_buffer (self)))
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
  GtkTextBuffer *buffer = _gw_prose_get_buffer (self);
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
  self->ranges = g_array_new (FALSE, FALSE, sizeof (GwProseRange));
  self->links = g_array_new (FALSE, FALSE, sizeof (GwProseLink));
  g_array_set_clear_func (self->links, clear_link);
  gtk_text_view_set_editable (view, FALSE);
  gtk_text_view_set_accepts_tab (view, FALSE);
  gtk_text_view_set_wrap_mode (view, GTK_WRAP_WORD_CHAR);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self), "gw-prose");
  _gw_prose_create_tags (self);

  g_signal_connect_swapped (click, "released", G_CALLBACK (released_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (motion_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  g_signal_connect_object (style, "notify::dark", G_CALLBACK (_gw_prose_update_colors),
                           self, G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (style, "notify::high-contrast", G_CALLBACK (_gw_prose_update_colors),
                           self, G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect (self, "map", G_CALLBACK (_gw_prose_update_colors), NULL);
}

GtkWidget *
gw_prose_new (void)
{
  return g_object_new (GW_TYPE_PROSE, NULL);
}
