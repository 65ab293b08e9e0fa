/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-chart"

#include "config.h"

#include <math.h>

#include "gw-compat.h"
#include "gw-timeline-chart-private.h"
#include "gw-timeline-words.h"

/* How the timeline is drawn: colours of the theme alone; kinds differ by pattern too. From so many
 * bars on that are in view, each row is drawn as how busy it was. */

#define DENSE 2000
#define BUCKET_WIDTH 2
#define BAR_HEIGHT 12
#define LINE_HEIGHT 2
#define SHORTEST_BAR 2.0
#define TICK_WIDTH 90

typedef struct {
  GtkSnapshot *snapshot;
  GdkRGBA text;
  GdkRGBA accent;
  GdkRGBA error;
  GdkRGBA warning;
  int width;
  int height;
  double from;
  double to;
} Drawing;

static GdkRGBA
faded (const GdkRGBA *color,
       double alpha)
{
  GdkRGBA result = *color;

  result.alpha *= (float) alpha;
  return result;
}

static PangoLayout *
text_layout (GwTimelineChart *self,
             const char *text)
{
  PangoLayout *layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), text);
  PangoAttrList *attributes = pango_attr_list_new ();

  pango_attr_list_insert (attributes, pango_attr_scale_new (PANGO_SCALE_SMALL));
  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
  pango_layout_set_attributes (layout, attributes);
  pango_attr_list_unref (attributes);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  return layout;
}

/* In a box from x to x + width, at its start. */
static void
draw_text (GwTimelineChart *self,
           Drawing *drawing,
           const char *text,
           double x,
           double y,
           int width,
           int height,
           const GdkRGBA *color)
{
  g_autoptr (PangoLayout) layout = text_layout (self, text);
  int text_height;

  pango_layout_set_width (layout, MAX (width, 0) * PANGO_SCALE);
  pango_layout_get_pixel_size (layout, NULL, &text_height);
  gtk_snapshot_save (drawing->snapshot);
  gtk_snapshot_translate (drawing->snapshot,
                          &GRAPHENE_POINT_INIT ((float) x,
                                                (float) (y + (height - text_height) / 2)));
  gtk_snapshot_append_layout (drawing->snapshot, layout, color);
  gtk_snapshot_restore (drawing->snapshot);
}

static void
fill (Drawing *drawing,
      double x,
      double y,
      double width,
      double height,
      const GdkRGBA *color)
{
  gtk_snapshot_append_color (drawing->snapshot, color,
                             &GRAPHENE_RECT_INIT ((float) x, (float) y, (float) width,
                                                  (float) height));
}

/* Stripes along a line from one end of a pattern to the other. */
static void
fill_striped (Drawing *drawing,
              const graphene_rect_t *bounds,
              float dx,
              float dy,
              const GdkRGBA *first,
              const GdkRGBA *second)
{
  const GskColorStop stops[] = { { 0.0f, *first }, { 0.5f, *first }, { 0.5f, *second },
                                 { 1.0f, *second } };
  graphene_point_t start = bounds->origin;
  graphene_point_t end = { start.x + dx, start.y + dy };

  gtk_snapshot_append_repeating_linear_gradient (drawing->snapshot, bounds, &start, &end, stops,
                                                 G_N_ELEMENTS (stops));
}

void
_gw_timeline_chart_measure_labels (GwTimelineChart *self)
{
  int width = gtk_widget_get_width (GTK_WIDGET (self));
  int widest = 24;
  guint i;

  for (i = 0; self->layout != NULL && i < self->layout->lanes->len; i++)
    {
      const GwTimelineLane *lane = self->layout->lanes->pdata[i];
      g_autoptr (PangoLayout) layout = NULL;
      int text_width;

      if (!lane->in_use)
        continue;
      layout = text_layout (self, gw_timeline_lane_get_title (lane));
      pango_layout_get_pixel_size (layout, &text_width, NULL);
      widest = MAX (widest, text_width);
    }
  self->label_width = MIN (widest + 44, MIN (190, width * 3 / 10));
}

static void
draw_labels (GwTimelineChart *self,
             Drawing *drawing)
{
  gboolean mirrored = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  GdkRGBA dim = faded (&drawing->text, 0.55);
  guint last = G_MAXUINT;
  guint i;

  gtk_snapshot_push_clip (drawing->snapshot,
                          &GRAPHENE_RECT_INIT (0, GW_CHART_AXIS_HEIGHT, (float) drawing->width,
                                               (float) (drawing->height - GW_CHART_AXIS_HEIGHT)));
  for (i = 0; i < self->layout->rows->len; i++)
    {
      const GwTimelineRow *row = self->layout->rows->pdata[i];
      int y = _gw_timeline_chart_row_y (self, i);
      g_autofree char *number = NULL;
      double edge;

      if (row->lane != last)
        {
          const GwTimelineLane *lane = self->layout->lanes->pdata[row->lane];
          int width = self->label_width - 44;

          draw_text (self, drawing, gw_timeline_lane_get_title (lane),
                     mirrored ? drawing->width - 12 - width : 12, y, width, GW_CHART_ROW_HEIGHT,
                     &drawing->text);
        }
      last = row->lane;
      number = g_strdup_printf ("%u", row->slot + 1);
      edge = mirrored ? drawing->width - self->label_width + 6 : self->label_width - 24;
      draw_text (self, drawing, number, edge, y, 20, GW_CHART_ROW_HEIGHT, &dim);
    }
  gtk_snapshot_pop (drawing->snapshot);
}

/* The steps that the axis may have, in s. */
static gint64
tick_ms (GwTimelineChart *self)
{
  static const int steps[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
                               14400, 43200, 86400 };
  double width = gtk_widget_get_width (GTK_WIDGET (self)) - self->label_width;
  double wanted = self->span / MAX (width / TICK_WIDTH, 1) / 1000.0;
  guint i;

  for (i = 0; i + 1 < G_N_ELEMENTS (steps) && steps[i] < wanted; i++)
    ;
  return steps[i] * (gint64) 1000;
}

static void
draw_axis (GwTimelineChart *self,
           Drawing *drawing)
{
  gint64 step = tick_ms (self);
  gint64 at = ((gint64) drawing->from / step) * step;
  GdkRGBA line = faded (&drawing->text, 0.1);
  GdkRGBA dim = faded (&drawing->text, 0.6);

  for (; at <= drawing->to; at += step)
    {
      double x = floor (_gw_timeline_chart_x (self, (double) at));
      g_autofree char *words = NULL;

      if (at < drawing->from)
        continue;
      fill (drawing, x, GW_CHART_AXIS_HEIGHT - 4, 1,
            drawing->height - GW_CHART_AXIS_HEIGHT + 4, &line);
      /* Half a time says nothing. */
      if (x + TICK_WIDTH * 2 / 3 > drawing->width)
        continue;
      words = gw_timeline_words_for_time (at);
      draw_text (self, drawing, words, x + 4, 0, TICK_WIDTH - 8, GW_CHART_AXIS_HEIGHT, &dim);
    }
}

/* The stretch of a row between two times, in widget coordinates; FALSE if it is out of view. */
static gboolean
stretch (GwTimelineChart *self,
         Drawing *drawing,
         double from,
         double to,
         double *x,
         double *width)
{
  double a;
  double b;

  if (to < drawing->from || from > drawing->to)
    return FALSE;
  a = _gw_timeline_chart_x (self, MAX (from, drawing->from));
  b = _gw_timeline_chart_x (self, MIN (to, drawing->to));
  *x = MIN (a, b);
  *width = fabs (b - a);
  return TRUE;
}

static void
draw_gap (GwTimelineChart *self,
          Drawing *drawing,
          const GwTimelineGap *gap,
          int y)
{
  const GdkRGBA clear = { 0, 0, 0, 0 };
  g_autofree char *words = NULL;
  graphene_rect_t line;
  GdkRGBA color;
  double x;
  double width;
  int middle = y + GW_CHART_ROW_HEIGHT / 2;

  if (gap->reason == GW_GAP_NO_WORK
      || !stretch (self, drawing, (double) gap->from, (double) gap->to, &x, &width) || width < 2)
    return;
  line = GRAPHENE_RECT_INIT ((float) x, (float) (middle - LINE_HEIGHT / 2), (float) width,
                             LINE_HEIGHT);
  switch (gap->reason)
    {
    case GW_GAP_BACK_OFF:
      color = faded (&drawing->text, 0.55);
      fill_striped (drawing, &line, 6, 0, &color, &clear);
      break;
    case GW_GAP_WINDOW:
    case GW_GAP_COOL_DOWN:
      color = faded (&drawing->warning, 0.9);
      if (gap->reason == GW_GAP_WINDOW)
        fill_striped (drawing, &line, 12, 0, &color, &clear);
      else
        fill (drawing, x, line.origin.y, width, LINE_HEIGHT, &color);
      break;
    case GW_GAP_STOPPED:
      color = faded (&drawing->error, 0.8);
      fill (drawing, x, line.origin.y, width, LINE_HEIGHT, &color);
      break;
    case GW_GAP_CAP:
    case GW_GAP_HELD:
    case GW_GAP_NO_WORK:
    case GW_N_GAP_REASONS:
    default:
      color = faded (&drawing->text, gap->reason == GW_GAP_CAP ? 0.4 : 0.15);
      fill (drawing, x, line.origin.y, width, LINE_HEIGHT, &color);
      break;
    }

  words = gw_timeline_words_for_gap_short (gap);
  if (words != NULL && width > 60)
    {
      g_autoptr (PangoLayout) layout = text_layout (self, words);
      GdkRGBA back;
      GdkRGBA dim = faded (&drawing->text, 0.75);
      int text_width;

      pango_layout_get_pixel_size (layout, &text_width, NULL);
      if (text_width + 16 > width)
        return;
      /* The line gives way to its words. */
      gw_compat_get_color (GTK_WIDGET (self), "window_bg_color", &back);
      x += (width - text_width) / 2;
      fill (drawing, x - 4, y + 1, text_width + 8, GW_CHART_ROW_HEIGHT - 2, &back);
      draw_text (self, drawing, words, x, y, text_width + 2, GW_CHART_ROW_HEIGHT, &dim);
    }
}

static void
draw_bar (GwTimelineChart *self,
          Drawing *drawing,
          const GwTimelineBar *bar,
          int y)
{
  const GwAttempt *attempt = bar->attempt;
  gboolean failed = attempt->outcome == GW_OUTCOME_FAILED;
  gboolean selected = self->selected_id != NULL
                      && g_strcmp0 (attempt->task_id, self->selected_id) == 0;
  int top = y + (GW_CHART_ROW_HEIGHT - BAR_HEIGHT) / 2;
  graphene_rect_t bounds;
  GskRoundedRect outline;
  GdkRGBA color;
  GdkRGBA grey = faded (&drawing->text, 0.3);
  double x;
  double width;
  double part_x;
  double part_width;

  if (!stretch (self, drawing, (double) bar->from, (double) bar->to, &x, &width))
    return;
  width = MAX (width, SHORTEST_BAR);
  bounds = GRAPHENE_RECT_INIT ((float) x, (float) top, (float) width, BAR_HEIGHT);
  gsk_rounded_rect_init_from_rect (&outline, &bounds, width >= 8 ? 3 : 1);
  gtk_snapshot_push_rounded_clip (drawing->snapshot, &outline);
  if (bar->sent > bar->from
      && stretch (self, drawing, (double) bar->from, (double) bar->sent, &part_x, &part_width))
    fill (drawing, part_x, top, part_width, BAR_HEIGHT, &grey);
  if (!stretch (self, drawing, (double) bar->sent, (double) bar->to, &part_x, &part_width))
    part_width = 0, part_x = x;
  if (bar->sent == bar->to && attempt->sent_at == 0)
    part_width = 0;
  else if (part_width < SHORTEST_BAR)
    part_width = MIN (SHORTEST_BAR, width);
  if (part_width > 0)
    {
      bounds = GRAPHENE_RECT_INIT ((float) part_x, (float) top, (float) part_width, BAR_HEIGHT);
      switch (attempt->outcome)
        {
        case GW_OUTCOME_FAILED:
        case GW_OUTCOME_UNCERTAIN:
          {
            GdkRGBA first = failed ? drawing->error : drawing->warning;
            GdkRGBA second = faded (&first, 0.35);

            fill_striped (drawing, &bounds, 4, 4, &first, &second);
          }
          break;
        case GW_OUTCOME_ABORTED:
        case GW_OUTCOME_UNSENT:
          color = faded (&drawing->text, 0.45);
          fill (drawing, part_x, top, part_width, BAR_HEIGHT, &color);
          break;
        case GW_OUTCOME_LIVE:
          fill (drawing, part_x, top, part_width, BAR_HEIGHT, &drawing->accent);
          break;
        case GW_OUTCOME_ANSWERED:
        case GW_OUTCOME_EXTRA:
        case GW_N_OUTCOMES:
        default:
          color = faded (&drawing->accent, 0.6);
          fill (drawing, part_x, top, part_width, BAR_HEIGHT, &color);
          break;
        }
    }
  gtk_snapshot_pop (drawing->snapshot);
  if (selected)
    {
      const float widths[4] = { 2, 2, 2, 2 };
      gboolean this_one = self->selected_number == 0
                          || self->selected_number == attempt->number;
      GdkRGBA edge = faded (&drawing->text, this_one ? 1.0 : 0.5);
      const GdkRGBA colors[4] = { edge, edge, edge, edge };

      gsk_rounded_rect_shrink (&outline, -2, -2, -2, -2);
      gtk_snapshot_append_border (drawing->snapshot, &outline, widths, colors);
    }
}

/* How busy each piece of the row was, and how much of that failed. */
static void
draw_dense_row (GwTimelineChart *self,
                Drawing *drawing,
                const GwTimelineRow *row,
                int y)
{
  int n = (drawing->width - self->label_width) / BUCKET_WIDTH + 1;
  g_autofree float *busy = g_new0 (float, n);
  g_autofree float *failed = g_new0 (float, n);
  double bucket_ms = self->span / MAX (drawing->width - self->label_width, 1) * BUCKET_WIDTH;
  int top = y + (GW_CHART_ROW_HEIGHT - BAR_HEIGHT) / 2;
  guint i;
  int b;

  for (i = 0; i < row->bars->len; i++)
    {
      const GwTimelineBar *bar = &g_array_index (row->bars, GwTimelineBar, i);
      double first = ((double) bar->from - drawing->from) / bucket_ms;
      double last = ((double) bar->to - drawing->from) / bucket_ms;

      if (last < 0 || first >= n)
        continue;
      for (b = MAX ((int) first, 0); b <= (int) last && b < n; b++)
        {
          float share = (float) (MIN (last, b + 1.0) - MAX (first, b));

          share = CLAMP (share, 0.02f, 1.0f);
          busy[b] += share;
          if (bar->attempt->outcome == GW_OUTCOME_FAILED)
            failed[b] += share;
        }
    }
  for (b = 0; b < n; b++)
    {
      double x;
      GdkRGBA color;
      float part;

      if (busy[b] <= 0)
        continue;
      part = failed[b] / busy[b];
      color = faded (&drawing->accent, 0.15 + 0.75 * MIN (busy[b], 1.0f));
      x = _gw_timeline_chart_x (self, drawing->from + b * bucket_ms);
      if (gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL)
        x -= BUCKET_WIDTH;
      fill (drawing, x, top, BUCKET_WIDTH, BAR_HEIGHT, &color);
      if (part > 0)
        fill (drawing, x, top + BAR_HEIGHT * (1 - part), BUCKET_WIDTH, BAR_HEIGHT * part,
              &drawing->error);
    }
}

static gboolean
is_dense (GwTimelineChart *self,
          Drawing *drawing)
{
  guint n = 0;
  guint i;
  guint j;

  if (self->layout->n_bars < DENSE)
    return FALSE;
  for (i = 0; i < self->layout->rows->len; i++)
    {
      const GwTimelineRow *row = self->layout->rows->pdata[i];

      for (j = 0; j < row->bars->len; j++)
        {
          const GwTimelineBar *bar = &g_array_index (row->bars, GwTimelineBar, j);

          n += bar->to >= drawing->from && bar->from <= drawing->to;
        }
    }
  return n >= DENSE;
}

static void
draw_rows (GwTimelineChart *self,
           Drawing *drawing)
{
  gboolean dense = is_dense (self, drawing);
  GdkRGBA track = faded (&drawing->text, 0.05);
  gboolean mirrored = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  double start = mirrored ? 0 : self->label_width;
  double width = MAX (drawing->width - self->label_width, 0);
  guint selected_row = 0;
  guint i;
  guint j;

  gtk_snapshot_push_clip (drawing->snapshot,
                          &GRAPHENE_RECT_INIT ((float) start, GW_CHART_AXIS_HEIGHT, (float) width,
                                               (float) (drawing->height - GW_CHART_AXIS_HEIGHT)));
  for (i = 0; i < self->layout->rows->len; i++)
    {
      const GwTimelineRow *row = self->layout->rows->pdata[i];
      int y = _gw_timeline_chart_row_y (self, i);

      if (y + GW_CHART_ROW_HEIGHT < GW_CHART_AXIS_HEIGHT || y > drawing->height)
        continue;
      fill (drawing, start, y + 1, width, GW_CHART_ROW_HEIGHT - 2, &track);
      if (dense)
        {
          draw_dense_row (self, drawing, row, y);
          continue;
        }
      for (j = 0; j < row->gaps->len; j++)
        draw_gap (self, drawing, &g_array_index (row->gaps, GwTimelineGap, j), y);
      for (j = 0; j < row->bars->len; j++)
        draw_bar (self, drawing, &g_array_index (row->bars, GwTimelineBar, j), y);
    }
  if (dense && self->selected_id != NULL)
    {
      const GwTimelineBar *bar = gw_timeline_layout_find_attempt (
          self->layout, self->selected_id, self->selected_number, &selected_row);

      if (bar != NULL)
        draw_bar (self, drawing, bar, _gw_timeline_chart_row_y (self, selected_row));
    }
  if (self->shows_now && self->layout->to >= drawing->from && self->layout->to <= drawing->to)
    fill (drawing, floor (_gw_timeline_chart_x (self, (double) self->layout->to)),
          GW_CHART_AXIS_HEIGHT, 1, drawing->height - GW_CHART_AXIS_HEIGHT, &drawing->accent);
  gtk_snapshot_pop (drawing->snapshot);
}

void
_gw_timeline_chart_snapshot (GtkWidget *widget,
                             GtkSnapshot *snapshot)
{
  GwTimelineChart *self = GW_TIMELINE_CHART (widget);
  Drawing drawing = {
    .snapshot = snapshot,
    .width = gtk_widget_get_width (widget),
    .height = gtk_widget_get_height (widget),
    .from = self->view_from,
    .to = self->view_from + self->span,
  };

  if (self->layout == NULL)
    return;
  g_debug ("drawn: %u calls", self->layout->n_bars);
  gw_compat_get_color (widget, NULL, &drawing.text);
  gw_compat_get_color (widget, "accent_bg_color", &drawing.accent);
  gw_compat_get_color (widget, "error_color", &drawing.error);
  gw_compat_get_color (widget, "warning_color", &drawing.warning);
  draw_axis (self, &drawing);
  draw_rows (self, &drawing);
  draw_labels (self, &drawing);
}
