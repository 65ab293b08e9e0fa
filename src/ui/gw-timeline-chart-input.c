/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-chart"

#include "config.h"

#include <math.h>

#include "gw-timeline-chart-private.h"
#include "gw-timeline-words.h"

/* Keys and pointer on the timeline: choose a call, pan, zoom, and what a tooltip says. */

#define REACH_PX 4
#define ZOOM_STEP 1.25

/* The row at a height; FALSE between and below them. */
static gboolean
find_row (GwTimelineChart *self,
          double y,
          guint *row)
{
  guint i;

  if (self->layout == NULL || y < GW_CHART_AXIS_HEIGHT)
    return FALSE;
  for (i = 0; i < self->layout->rows->len; i++)
    {
      int top = _gw_timeline_chart_row_y (self, i);

      if (y >= top && y < top + GW_CHART_ROW_HEIGHT)
        {
          *row = i;
          return TRUE;
        }
    }
  return FALSE;
}

static double
ms_per_px (GwTimelineChart *self)
{
  return fabs (_gw_timeline_chart_time (self, 1) - _gw_timeline_chart_time (self, 0));
}

static const GwTimelineBar *
find_bar (GwTimelineChart *self,
          double x,
          double y,
          guint *row)
{
  if (!find_row (self, y, row))
    return NULL;
  return gw_timeline_row_find_bar (self->layout->rows->pdata[*row],
                                   (gint64) _gw_timeline_chart_time (self, x),
                                   (gint64) (REACH_PX * ms_per_px (self)) + 1);
}

static gboolean
query_tooltip_cb (GwTimelineChart *self,
                  int x,
                  int y,
                  gboolean keyboard,
                  GtkTooltip *tooltip)
{
  const GwTimelineBar *bar = NULL;
  const GwTimelineGap *gap = NULL;
  const GwTimelineRow *at;
  const GwTimelineLane *lane;
  g_autofree char *name = NULL;
  g_autofree char *words = NULL;
  guint row = 0;

  if (self->layout == NULL)
    return FALSE;
  if (keyboard)
    {
      if (self->selected_id != NULL)
        bar = gw_timeline_layout_find_attempt (self->layout, self->selected_id,
                                               self->selected_number, &row);
      if (bar == NULL)
        return FALSE;
    }
  else
    {
      bar = find_bar (self, x, y, &row);
      if (bar == NULL && find_row (self, y, &row))
        gap = gw_timeline_row_find_gap (self->layout->rows->pdata[row],
                                        (gint64) _gw_timeline_chart_time (self, x));
      if (bar == NULL && gap == NULL)
        return FALSE;
    }
  at = self->layout->rows->pdata[row];
  lane = self->layout->lanes->pdata[at->lane];
  if (bar != NULL)
    {
      if (self->name_func != NULL)
        name = self->name_func (bar->attempt->task_id, self->name_data);
      words = gw_timeline_words_for_bar (bar, lane, name != NULL ? name : "");
    }
  else
    words = gw_timeline_words_for_gap (gap, lane);
  gtk_tooltip_set_text (tooltip, words);
  return TRUE;
}

static void
released_cb (GwTimelineChart *self,
             int n_press,
             double x,
             double y)
{
  const GwTimelineBar *bar;
  guint row = 0;

  gtk_widget_grab_focus (GTK_WIDGET (self));
  bar = self->dragged ? NULL : find_bar (self, x, y, &row);
  if (bar == NULL)
    return;
  _gw_timeline_chart_select (self, bar, row);
  if (n_press == 2 && self->selected_id != NULL)
    g_signal_emit_by_name (self, "open", self->selected_id);
}

static void
drag_begin_cb (GwTimelineChart *self)
{
  self->drag_from = self->view_from;
  self->drag_top = gtk_adjustment_get_value (self->vertical);
  self->dragged = FALSE;
}

static void
drag_update_cb (GwTimelineChart *self,
                double dx,
                double dy)
{
  double direction
      = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL ? -1.0 : 1.0;

  if (!self->dragged && hypot (dx, dy) < 8)
    return;
  self->dragged = TRUE;
  self->fits = FALSE;
  _gw_timeline_chart_set_view (self, self->drag_from - direction * dx * ms_per_px (self),
                               self->span);
  gtk_adjustment_set_value (self->vertical, self->drag_top - dy);
}

/* What is at @x stays there. */
static void
zoom_at (GwTimelineChart *self,
         double x,
         double span)
{
  double time = _gw_timeline_chart_time (self, x);
  double share = (time - self->view_from) / self->span;
  gboolean follows = self->follows;

  if (share < 0 || share > 1)
    share = 1, time = self->view_from + self->span;
  self->fits = FALSE;
  /* Near the present, that is what one looks at. */
  if (follows && share > 0.9)
    _gw_timeline_chart_set_view (self, INFINITY, span);
  else
    _gw_timeline_chart_set_view (self, time - share * span, span);
}

static void
motion_cb (GwTimelineChart *self,
           double x,
           double y)
{
  self->pointer_x = x;
}

static gboolean
scroll_cb (GtkEventControllerScroll *controller,
           double dx,
           double dy,
           gpointer user_data)
{
  GwTimelineChart *self = user_data;
  GdkModifierType state
      = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (controller));
  double direction
      = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL ? -1.0 : 1.0;

  if (state & GDK_CONTROL_MASK)
    {
      zoom_at (self, self->pointer_x, self->span * pow (ZOOM_STEP, dy));
      return TRUE;
    }
  if (dx != 0 || (state & GDK_SHIFT_MASK)
      || gtk_adjustment_get_upper (self->vertical)
             <= gtk_adjustment_get_page_size (self->vertical))
    {
      double by = dx != 0 ? dx * direction : dy;

      self->fits = FALSE;
      _gw_timeline_chart_set_view (self, self->view_from + by * self->span * 0.1, self->span);
      return TRUE;
    }
  gtk_adjustment_set_value (self->vertical, gtk_adjustment_get_value (self->vertical)
                                                + dy * GW_CHART_ROW_HEIGHT * 2);
  return TRUE;
}

static void
pinch_begin_cb (GwTimelineChart *self)
{
  self->zoom_span = self->span;
}

static void
pinch_cb (GtkGestureZoom *gesture,
          double scale,
          gpointer user_data)
{
  GwTimelineChart *self = user_data;
  double x = self->pointer_x;

  gtk_gesture_get_bounding_box_center (GTK_GESTURE (gesture), &x, NULL);
  if (scale > 0)
    zoom_at (self, x, self->zoom_span / scale);
}

/* --- Keys ------------------------------------------------------------------------------------- */

/* Where the arrows start: the chosen call, else the newest one. */
static const GwTimelineBar *
find_current (GwTimelineChart *self,
              guint *row,
              gboolean *chosen)
{
  const GwTimelineBar *newest = NULL;
  guint i;

  *chosen = FALSE;
  if (self->layout == NULL)
    return NULL;
  if (self->selected_id != NULL)
    newest = gw_timeline_layout_find_attempt (self->layout, self->selected_id,
                                              self->selected_number, row);
  *chosen = newest != NULL;
  for (i = 0; !*chosen && i < self->layout->rows->len; i++)
    {
      const GwTimelineRow *candidate = self->layout->rows->pdata[i];
      const GwTimelineBar *last = candidate->bars->len > 0
                                      ? &g_array_index (candidate->bars, GwTimelineBar,
                                                        candidate->bars->len - 1)
                                      : NULL;

      if (last != NULL && (newest == NULL || last->from > newest->from))
        {
          newest = last;
          *row = i;
        }
    }
  return newest;
}

/* The call before or after, in the same row. */
static const GwTimelineBar *
find_beside (GwTimelineChart *self,
             const GwTimelineBar *bar,
             guint row,
             int step)
{
  const GwTimelineRow *at = self->layout->rows->pdata[row];
  gssize index = bar - (const GwTimelineBar *) (gpointer) at->bars->data;

  index += step;
  if (index < 0 || index >= (gssize) at->bars->len)
    return NULL;
  return &g_array_index (at->bars, GwTimelineBar, index);
}

/* The one at the same time in the next row that has any. */
static const GwTimelineBar *
find_across (GwTimelineChart *self,
             const GwTimelineBar *bar,
             guint *row,
             int step)
{
  gint64 middle = bar->from + (bar->to - bar->from) / 2;
  int i;

  for (i = (int) *row + step; i >= 0 && i < (int) self->layout->rows->len; i += step)
    {
      const GwTimelineBar *found
          = gw_timeline_row_find_bar (self->layout->rows->pdata[i], middle, G_MAXINT64 / 4);

      if (found != NULL)
        {
          *row = (guint) i;
          return found;
        }
    }
  return NULL;
}

static const GwTimelineBar *
find_end (GwTimelineChart *self,
          guint row,
          gboolean last)
{
  const GwTimelineRow *at = self->layout->rows->pdata[row];

  if (at->bars->len == 0)
    return NULL;
  return &g_array_index (at->bars, GwTimelineBar, last ? at->bars->len - 1 : 0);
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint key,
        guint code,
        GdkModifierType state,
        gpointer user_data)
{
  GwTimelineChart *self = user_data;
  gboolean mirrored = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  const GwTimelineBar *bar;
  gboolean chosen;
  guint row = 0;

  if (state & GDK_ALT_MASK)
    return FALSE;
  switch (key)
    {
    case GDK_KEY_plus:
    case GDK_KEY_equal:
    case GDK_KEY_KP_Add:
      gw_timeline_chart_zoom (self, ZOOM_STEP * ZOOM_STEP);
      return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
      gw_timeline_chart_zoom (self, 1 / (ZOOM_STEP * ZOOM_STEP));
      return TRUE;
    case GDK_KEY_0:
    case GDK_KEY_KP_0:
      gw_timeline_chart_fit (self);
      return TRUE;
    case GDK_KEY_Page_Up:
    case GDK_KEY_Page_Down:
      self->fits = FALSE;
      _gw_timeline_chart_set_view (
          self, self->view_from + (key == GDK_KEY_Page_Up ? -0.9 : 0.9) * self->span, self->span);
      return TRUE;
    default:
      break;
    }
  if (state & GDK_CONTROL_MASK)
    return FALSE;
  bar = find_current (self, &row, &chosen);
  if (bar == NULL)
    return FALSE;
  switch (key)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      if (chosen)
        bar = find_beside (self, bar, row,
                           (key == GDK_KEY_Left || key == GDK_KEY_KP_Left) != mirrored ? -1 : 1);
      break;
    case GDK_KEY_Up:
    case GDK_KEY_KP_Up:
      if (chosen)
        bar = find_across (self, bar, &row, -1);
      break;
    case GDK_KEY_Down:
    case GDK_KEY_KP_Down:
      if (chosen)
        bar = find_across (self, bar, &row, 1);
      break;
    case GDK_KEY_Home:
    case GDK_KEY_KP_Home:
      bar = find_end (self, row, FALSE);
      break;
    case GDK_KEY_End:
    case GDK_KEY_KP_End:
      bar = find_end (self, row, TRUE);
      break;
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
    case GDK_KEY_ISO_Enter:
      if (chosen)
        g_signal_emit_by_name (self, "open", self->selected_id);
      return chosen;
    default:
      return FALSE;
    }
  if (bar != NULL)
    _gw_timeline_chart_select (self, bar, row);
  else
    gtk_widget_error_bell (GTK_WIDGET (self));
  return TRUE;
}

void
_gw_timeline_chart_input_init (GwTimelineChart *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *scroll
      = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkGesture *click = gtk_gesture_click_new ();
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkGesture *pinch = gtk_gesture_zoom_new ();

  g_signal_connect_object (self, "query-tooltip", G_CALLBACK (query_tooltip_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (key_cb), self, 0);
  g_signal_connect_object (motion, "motion", G_CALLBACK (motion_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (scroll, "scroll", G_CALLBACK (scroll_cb), self, 0);
  g_signal_connect_object (click, "released", G_CALLBACK (released_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (drag, "drag-update", G_CALLBACK (drag_update_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (pinch, "begin", G_CALLBACK (pinch_begin_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (pinch, "scale-changed", G_CALLBACK (pinch_cb), self, 0);
  gtk_widget_add_controller (widget, keys);
  gtk_widget_add_controller (widget, motion);
  gtk_widget_add_controller (widget, scroll);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (pinch));
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (click));
}
