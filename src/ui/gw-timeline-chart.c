/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-chart"

#include "config.h"

#include <math.h>

#include "gw-timeline-chart-private.h"

/* The picture of the timeline: a row per slot, time from start to end. This file has the view
 * (which time, how wide), gw-timeline-chart-draw.c the drawing, gw-timeline-chart-input.c keys and
 * pointer. It draws when it is told of something new; how often that is, is up to who tells it.
 *
 * Signals: `select` (task id) when a call was chosen here, `open` (task id) for Enter or a double
 * click. */

#define SHORTEST_SPAN_MS 1000.0
#define LONGEST_SPAN_MS (7.0 * 24 * 3600 * 1000)
#define SHORTEST_FIT_MS 15000.0
#define LONGEST_FIT_MS (10 * 60000.0)

enum {
  SELECT,
  OPEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwTimelineChart, gw_timeline_chart, GTK_TYPE_WIDGET)

static gboolean
is_mirrored (GwTimelineChart *self)
{
  return gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
}

static int
plot_width (GwTimelineChart *self)
{
  return MAX (gtk_widget_get_width (GTK_WIDGET (self)) - self->label_width, 1);
}

/* From the top of all rows, not of what is in view. */
static int
rows_y (GwTimelineChart *self,
        guint row)
{
  guint groups = 0;
  guint last = G_MAXUINT;
  guint i;

  for (i = 0; i <= row; i++)
    {
      const GwTimelineRow *candidate = self->layout->rows->pdata[i];

      if (last != G_MAXUINT && candidate->lane != last)
        groups++;
      last = candidate->lane;
    }
  return (int) (row * GW_CHART_ROW_HEIGHT + groups * GW_CHART_GROUP_GAP);
}

static int
rows_height (GwTimelineChart *self)
{
  if (self->layout == NULL || self->layout->rows->len == 0)
    return 0;
  return rows_y (self, self->layout->rows->len - 1) + GW_CHART_ROW_HEIGHT + GW_CHART_GROUP_GAP;
}

int
_gw_timeline_chart_row_y (GwTimelineChart *self,
                          guint row)
{
  return GW_CHART_AXIS_HEIGHT + rows_y (self, row)
         - (int) gtk_adjustment_get_value (self->vertical);
}

double
_gw_timeline_chart_x (GwTimelineChart *self,
                      double time)
{
  double x = self->label_width + (time - self->view_from) / self->span * plot_width (self);

  return is_mirrored (self) ? gtk_widget_get_width (GTK_WIDGET (self)) - x : x;
}

double
_gw_timeline_chart_time (GwTimelineChart *self,
                         double x)
{
  if (is_mirrored (self))
    x = gtk_widget_get_width (GTK_WIDGET (self)) - x;
  return self->view_from + (x - self->label_width) / plot_width (self) * self->span;
}

/* The last moment that can be seen. */
static double
view_end (GwTimelineChart *self)
{
  return self->layout != NULL ? self->layout->to + self->span * GW_CHART_TAIL : 0.0;
}

/* The scroll bars say what the view is. */
static void
update_adjustments (GwTimelineChart *self)
{
  double start = self->layout != NULL ? (double) self->layout->from : 0.0;
  double end = MAX (view_end (self), self->view_from + self->span);
  double upper;
  double value;
  int room = MAX (gtk_widget_get_height (GTK_WIDGET (self)) - GW_CHART_AXIS_HEIGHT, 0);

  start = MIN (start, self->view_from);
  upper = end - start;
  value = self->view_from - start;
  if (is_mirrored (self))
    value = upper - self->span - value;
  self->setting = TRUE;
  gtk_adjustment_configure (self->horizontal, value, 0, upper, self->span * 0.1, self->span * 0.9,
                            self->span);
  gtk_adjustment_configure (self->vertical,
                            CLAMP (gtk_adjustment_get_value (self->vertical), 0,
                                   MAX (rows_height (self) - room, 0)),
                            0, MAX (rows_height (self), room), GW_CHART_ROW_HEIGHT, room * 0.9,
                            room);
  self->setting = FALSE;
}

/* Follows its end again as soon as that is in view. */
void
_gw_timeline_chart_set_view (GwTimelineChart *self,
                             double from,
                             double span)
{
  double end;

  self->span = CLAMP (span, SHORTEST_SPAN_MS, LONGEST_SPAN_MS);
  end = view_end (self);
  self->follows = from + self->span >= end - self->span * 0.001;
  if (self->follows)
    from = end - self->span;
  if (self->layout != NULL)
    from = MAX (from, MIN (self->layout->from - self->span * GW_CHART_TAIL, end - self->span));
  self->view_from = from;
  update_adjustments (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
update_fit (GwTimelineChart *self)
{
  double wanted;

  if (!self->fits || self->layout == NULL)
    return;
  wanted = (double) (self->layout->to - self->layout->session);
  self->span = CLAMP (wanted * (1 + 2 * GW_CHART_TAIL), SHORTEST_FIT_MS, LONGEST_FIT_MS);
}

static void
horizontal_changed_cb (GwTimelineChart *self)
{
  double start = self->layout != NULL ? MIN ((double) self->layout->from, self->view_from) : 0.0;
  double value = gtk_adjustment_get_value (self->horizontal);

  if (self->setting)
    return;
  if (is_mirrored (self))
    value = gtk_adjustment_get_upper (self->horizontal) - self->span - value;
  self->fits = FALSE;
  _gw_timeline_chart_set_view (self, start + value, self->span);
}

static void
vertical_changed_cb (GwTimelineChart *self)
{
  if (!self->setting)
    gtk_widget_queue_draw (GTK_WIDGET (self));
}

/**
 * gw_timeline_chart_set_layout:
 * @layout: (transfer full) (nullable)
 * @now: whether its end is the present, so that the line that says so is drawn
 */
void
gw_timeline_chart_set_layout (GwTimelineChart *self,
                              GwTimelineLayout *layout,
                              gboolean now)
{
  g_return_if_fail (GW_IS_TIMELINE_CHART (self));

  g_clear_pointer (&self->layout, gw_timeline_layout_free);
  self->layout = layout;
  self->shows_now = now;
  _gw_timeline_chart_measure_labels (self);
  update_fit (self);
  if (self->follows || layout == NULL)
    self->view_from = view_end (self) - self->span;
  update_adjustments (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
gw_timeline_chart_set_name_func (GwTimelineChart *self,
                                 GwTimelineNameFunc func,
                                 gpointer user_data)
{
  g_return_if_fail (GW_IS_TIMELINE_CHART (self));

  self->name_func = func;
  self->name_data = user_data;
}

/* Brings a call into view, in both directions. */
void
_gw_timeline_chart_reveal (GwTimelineChart *self,
                           const GwTimelineBar *bar,
                           guint row)
{
  double room = self->span * 0.05;
  double from = self->view_from;
  int y = rows_y (self, row);
  int height = MAX (gtk_widget_get_height (GTK_WIDGET (self)) - GW_CHART_AXIS_HEIGHT,
                    GW_CHART_ROW_HEIGHT);
  double top = gtk_adjustment_get_value (self->vertical);

  if (bar->from < from + room)
    from = bar->from - room;
  else if (bar->to > from + self->span - room)
    from = MIN (bar->to + room - self->span, bar->from - room);
  if (from != self->view_from && !(self->follows && from > self->view_from))
    {
      self->fits = FALSE;
      _gw_timeline_chart_set_view (self, from, self->span);
    }
  if (y < top)
    gtk_adjustment_set_value (self->vertical, y);
  else if (y + GW_CHART_ROW_HEIGHT > top + height)
    gtk_adjustment_set_value (self->vertical, y + GW_CHART_ROW_HEIGHT - height);
}

/* Chosen here, by key or pointer. */
void
_gw_timeline_chart_select (GwTimelineChart *self,
                           const GwTimelineBar *bar,
                           guint row)
{
  g_autofree char *task_id = g_strdup (bar->attempt->task_id);

  if (task_id == NULL)
    return;
  g_free (self->selected_id);
  self->selected_id = g_strdup (task_id);
  self->selected_number = bar->attempt->number;
  _gw_timeline_chart_reveal (self, bar, row);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit (self, signals[SELECT], 0, task_id);
}

/**
 * gw_timeline_chart_set_selected:
 * @task_id: (nullable): the task whose calls are marked; the newest comes into view
 */
void
gw_timeline_chart_set_selected (GwTimelineChart *self,
                                const char *task_id)
{
  const GwTimelineBar *bar;
  guint row = 0;

  g_return_if_fail (GW_IS_TIMELINE_CHART (self));

  if (g_strcmp0 (task_id, self->selected_id) == 0)
    return;
  g_free (self->selected_id);
  self->selected_id = g_strdup (task_id);
  self->selected_number = 0;
  bar = task_id != NULL && self->layout != NULL
            ? gw_timeline_layout_find_attempt (self->layout, task_id, 0, &row)
            : NULL;
  if (bar != NULL)
    _gw_timeline_chart_reveal (self, bar, row);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/**
 * gw_timeline_chart_zoom:
 * @factor: above 1: closer
 *
 * Around the middle, or around the end where that is followed.
 */
void
gw_timeline_chart_zoom (GwTimelineChart *self,
                        double factor)
{
  double span;
  double from;

  g_return_if_fail (GW_IS_TIMELINE_CHART (self));

  span = CLAMP (self->span / factor, SHORTEST_SPAN_MS, LONGEST_SPAN_MS);
  from = self->follows ? INFINITY : self->view_from + (self->span - span) / 2;
  self->fits = FALSE;
  _gw_timeline_chart_set_view (self, from, span);
}

/**
 * gw_timeline_chart_fit:
 *
 * Shows the newest run as a whole, and follows it.
 */
void
gw_timeline_chart_fit (GwTimelineChart *self)
{
  g_return_if_fail (GW_IS_TIMELINE_CHART (self));

  self->fits = TRUE;
  update_fit (self);
  _gw_timeline_chart_set_view (self, INFINITY, self->span);
}

/**
 * gw_timeline_chart_get_adjustment:
 *
 * Returns: (transfer none): for a scroll bar
 */
GtkAdjustment *
gw_timeline_chart_get_adjustment (GwTimelineChart *self,
                                  GtkOrientation orientation)
{
  g_return_val_if_fail (GW_IS_TIMELINE_CHART (self), NULL);

  return orientation == GTK_ORIENTATION_HORIZONTAL ? self->horizontal : self->vertical;
}

static void
gw_timeline_chart_size_allocate (GtkWidget *widget,
                                 int width,
                                 int height,
                                 int baseline)
{
  GwTimelineChart *self = GW_TIMELINE_CHART (widget);

  _gw_timeline_chart_measure_labels (self);
  update_adjustments (self);
}

static void
gw_timeline_chart_measure (GtkWidget *widget,
                           GtkOrientation orientation,
                           int for_size,
                           int *minimum,
                           int *natural,
                           int *minimum_baseline,
                           int *natural_baseline)
{
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    *minimum = 160, *natural = 600;
  else
    *minimum = GW_CHART_AXIS_HEIGHT + 2 * GW_CHART_ROW_HEIGHT, *natural = 150;
}

static gboolean
gw_timeline_chart_focus (GtkWidget *widget,
                         GtkDirectionType direction)
{
  /* Arrow keys move inside; only Tab comes and goes. */
  if (gtk_widget_is_focus (widget))
    return FALSE;
  return gtk_widget_grab_focus (widget);
}

static void
gw_timeline_chart_dispose (GObject *object)
{
  GwTimelineChart *self = GW_TIMELINE_CHART (object);

  self->name_func = NULL;
  if (self->horizontal != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->horizontal, self);
      g_signal_handlers_disconnect_by_data (self->vertical, self);
    }
  g_clear_object (&self->horizontal);
  g_clear_object (&self->vertical);
  g_clear_pointer (&self->layout, gw_timeline_layout_free);
  g_clear_pointer (&self->selected_id, g_free);
  G_OBJECT_CLASS (gw_timeline_chart_parent_class)->dispose (object);
}

static void
gw_timeline_chart_class_init (GwTimelineChartClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_timeline_chart_dispose;
  widget_class->size_allocate = gw_timeline_chart_size_allocate;
  widget_class->measure = gw_timeline_chart_measure;
  widget_class->snapshot = _gw_timeline_chart_snapshot;
  widget_class->focus = gw_timeline_chart_focus;
  gtk_widget_class_set_css_name (widget_class, "gwtimelinechart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);

  signals[SELECT] = g_signal_new ("select", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[OPEN] = g_signal_new ("open", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
gw_timeline_chart_init (GwTimelineChart *self)
{
  self->horizontal = g_object_ref_sink (gtk_adjustment_new (0, 0, 0, 0, 0, 0));
  self->vertical = g_object_ref_sink (gtk_adjustment_new (0, 0, 0, 0, 0, 0));
  g_signal_connect_object (self->horizontal, "value-changed", G_CALLBACK (horizontal_changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->vertical, "value-changed", G_CALLBACK (vertical_changed_cb), self,
                           G_CONNECT_SWAPPED);
  self->span = 60000;
  self->follows = TRUE;
  self->fits = TRUE;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  _gw_timeline_chart_input_init (self);
}
