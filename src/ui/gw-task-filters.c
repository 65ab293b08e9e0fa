/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-filters"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-filters.h"
#include "gw-task-words.h"

/* The row above the list: a toggle per status with the number of its tasks, what can be done with
 * all that failed, and whether the list follows what runs. */

struct _GwTaskFilters {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *box;
  GtkToggleButton *all_toggle;
  GtkLabel *all_label;
  GtkToggleButton *toggles[GW_N_TASK_FILTERS];
  GtkWidget *images[GW_N_TASK_FILTERS];
  GtkLabel *labels[GW_N_TASK_FILTERS];
  GtkButton *retry_failed_button;
  GtkWidget *follow_button;

  guint counts[GW_N_TASK_FILTERS];
  int shown;
  int width;
};

#define TOGGLE_PADDING 24  /* px: what a toggle has beside its words */
#define BUTTON_WIDTH 46    /* px: an icon button, with the gap before it */
#define ICONS_WIDTH 440    /* px: room for the toggles without words, and both buttons */

G_DEFINE_FINAL_TYPE (GwTaskFilters, gw_task_filters, GTK_TYPE_WIDGET)

static void
gw_task_filters_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), GW_TYPE_TASK_FILTERS);
  G_OBJECT_CLASS (gw_task_filters_parent_class)->dispose (object);
}

/**
 * gw_task_filter_get_name:
 * @filter: below GW_N_TASK_FILTERS
 *
 * Returns: what it is called in actions and templates
 */
const char *
gw_task_filter_get_name (guint filter)
{
  return filter < GW_N_TASK_STATUSES ? gw_task_status_to_string (filter) : "interrupted";
}

static void
bind_status (GtkWidgetClass *widget_class, const char *status, const char *what, gssize offset)
{
  g_autofree char *name = g_strdup_printf ("%s_%s", status, what);

  gtk_widget_class_bind_template_child_full (widget_class, name, FALSE, offset);
}

static void
gw_task_filters_class_init (GwTaskFiltersClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  guint i;

  G_OBJECT_CLASS (klass)->dispose = gw_task_filters_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-task-filters.ui");
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, box);
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, all_toggle);
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, all_label);
  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    {
      const char *status = gw_task_filter_get_name (i);
      gssize step = (gssize) (i * sizeof (gpointer));

      bind_status (widget_class, status, "toggle",
                   G_STRUCT_OFFSET (GwTaskFilters, toggles) + step);
      bind_status (widget_class, status, "image", G_STRUCT_OFFSET (GwTaskFilters, images) + step);
      bind_status (widget_class, status, "label", G_STRUCT_OFFSET (GwTaskFilters, labels) + step);
    }
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, retry_failed_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskFilters, follow_button);
}

static void
gw_task_filters_init (GwTaskFilters *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->shown = -1;
}

static void
set_toggle (GtkToggleButton *toggle, GtkWidget *image, GtkLabel *label, const char *word,
            guint count, gboolean narrow)
{
  /* Translators: a filter and how many tasks it shows, e.g. "Failed 3" */
  g_autofree char *words = g_strdup_printf (_("%1$s %2$u"), word, count);
  g_autofree char *number = g_strdup_printf ("%u", count);
  gboolean short_one = narrow && image != NULL;

  if (image != NULL)
    gtk_widget_set_visible (image, narrow);
  if (g_strcmp0 (gtk_label_get_text (label), short_one ? number : words) == 0)
    return;
  gtk_label_set_text (label, short_one ? number : words);
  gtk_widget_set_tooltip_text (GTK_WIDGET (toggle), short_one ? word : NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (toggle), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                  -1);
}

static int
measure (GwTaskFilters *self, const char *words)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), words);
  int width;

  pango_layout_get_pixel_size (layout, &width, NULL);
  return width;
}

static const GwTaskLook looks[GW_N_TASK_FILTERS] = {
  [GW_TASK_QUEUED] = GW_TASK_LOOK_QUEUED,
  [GW_TASK_RUNNING] = GW_TASK_LOOK_RUNNING,
  [GW_TASK_COMPLETED] = GW_TASK_LOOK_COMPLETED,
  [GW_TASK_FAILED] = GW_TASK_LOOK_FAILED,
  [GW_TASK_CANCELLED] = GW_TASK_LOOK_CANCELLED,
  [GW_N_TASK_STATUSES] = GW_TASK_LOOK_INTERRUPTED,
};

/* Few are ever cancelled or interrupted: those show only when there is something to see. */
static gboolean
has_toggle (GwTaskFilters *self, guint filter)
{
  return (filter != GW_TASK_CANCELLED && filter != GW_N_TASK_STATUSES)
         || self->counts[filter] > 0 || self->shown == (int) filter;
}

/* Whether every toggle can say its word, with the buttons after them. */
static gboolean
has_room (GwTaskFilters *self, guint all, const char *retry)
{
  g_autoptr (GString) words = g_string_new (C_ ("filter", "All"));
  int width = 24 + TOGGLE_PADDING + BUTTON_WIDTH;
  guint i;

  g_string_append_printf (words, " %u", all);
  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    if (has_toggle (self, i))
      {
        g_string_append_printf (words, "%s %u", gw_task_look_get_word (looks[i]),
                                self->counts[i]);
        width += TOGGLE_PADDING;
      }
  if (retry != NULL)
    width += TOGGLE_PADDING + 6 + measure (self, retry);
  return width + measure (self, words->str) <= self->width;
}

static void
update (GwTaskFilters *self)
{
  guint failed = self->counts[GW_TASK_FAILED];
  g_autofree char *retry = NULL;
  guint all = 0;
  gboolean narrow;
  guint i;

  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    all += self->counts[i];
  if (failed > 0)
    retry = g_strdup_printf (ngettext ("_Retry %u Failed", "_Retry %u Failed", failed), failed);
  narrow = !has_room (self, all, retry);
  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    {
      set_toggle (self->toggles[i], self->images[i], self->labels[i],
                  gw_task_look_get_word (looks[i]), self->counts[i], narrow);
      gtk_widget_set_visible (GTK_WIDGET (self->toggles[i]), has_toggle (self, i));
    }
  set_toggle (self->all_toggle, NULL, self->all_label, C_ ("filter", "All"), all, narrow);

  narrow = narrow && self->width < ICONS_WIDTH;
  gtk_widget_set_visible (GTK_WIDGET (self->retry_failed_button),
                          failed > 0 && (!narrow || self->shown == GW_TASK_FAILED));
  if (retry != NULL && g_strcmp0 (gtk_button_get_label (self->retry_failed_button), retry) != 0)
    gtk_button_set_label (self->retry_failed_button, retry);
  gtk_widget_set_visible (self->follow_button,
                          !narrow || (self->counts[GW_TASK_RUNNING] > 0 && failed == 0));
}

/**
 * gw_task_filters_update:
 * @counts: how many tasks each filter shows
 * @shown: the one that is shown; -1: all
 */
void
gw_task_filters_update (GwTaskFilters *self, const guint counts[GW_N_TASK_FILTERS], int shown)
{
  g_return_if_fail (GW_IS_TASK_FILTERS (self));

  memcpy (self->counts, counts, sizeof self->counts);
  self->shown = shown;
  update (self);
}

/**
 * gw_task_filters_set_width:
 * @width: px; not while sizes are being given out
 *
 * What has no room as words is shown by icons.
 */
void
gw_task_filters_set_width (GwTaskFilters *self, int width)
{
  g_return_if_fail (GW_IS_TASK_FILTERS (self));

  if (self->width == width)
    return;
  self->width = width;
  update (self);
}
