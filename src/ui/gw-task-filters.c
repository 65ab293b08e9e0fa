/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-filters"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-compat.h"
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
  guint shown;   /* a bit for each; 0: all */
  int width;
  guint reveal_id;
};

#define TOGGLE_PADDING 24  /* px: what a toggle has beside its words */
#define BUTTON_WIDTH 46    /* px: an icon button, with the gap before it */
#define ICONS_WIDTH 440    /* px: room for the toggles without words, and both buttons */

G_DEFINE_FINAL_TYPE (GwTaskFilters, gw_task_filters, GTK_TYPE_WIDGET)

static void
gw_task_filters_dispose (GObject *object)
{
  g_clear_handle_id (&GW_TASK_FILTERS (object)->reveal_id, g_source_remove);
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
bind_status (GtkWidgetClass *widget_class,
             const char *status,
             const char *what,
             gssize offset)
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

/* Shows one more state than before, or one less. */
static void
combine (GwTaskFilters *self,
         guint filter)
{
  guint shown = self->shown ^ (1u << filter);
  g_autoptr (GString) names = g_string_new (NULL);
  guint i;

  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    if (shown & (1u << i))
      g_string_append_printf (names, "%s%s", names->len > 0 ? "," : "",
                              gw_task_filter_get_name (i));
  gtk_widget_activate_action (GTK_WIDGET (self), "win.show", "s",
                              names->len > 0 ? names->str : "all");
}

/* Which toggle @widget is, or lies in; GW_N_TASK_FILTERS: none. */
static guint
find_toggle (GwTaskFilters *self,
             GtkWidget *widget)
{
  guint i;

  for (; widget != NULL && widget != GTK_WIDGET (self); widget = gtk_widget_get_parent (widget))
    for (i = 0; i < GW_N_TASK_FILTERS; i++)
      if (widget == GTK_WIDGET (self->toggles[i]))
        return i;
  return GW_N_TASK_FILTERS;
}

static void
pressed_cb (GtkGestureClick *gesture,
            int n_press,
            double x,
            double y,
            GwTaskFilters *self)
{
  GdkModifierType state
      = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  guint filter
      = find_toggle (self, gtk_widget_pick (GTK_WIDGET (self), x, y, GTK_PICK_DEFAULT));

  if ((state & GDK_CONTROL_MASK) == 0 || filter == GW_N_TASK_FILTERS)
    return;
  /* The toggle itself would show that state alone. */
  gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  combine (self, filter);
}

static gboolean
combine_key_cb (GtkWidget *toggle,
                GVariant *args,
                gpointer user_data)
{
  combine (user_data, find_toggle (user_data, toggle));
  return TRUE;
}

/* With Control a state is shown beside those that are. */
static void
combine_with_control (GwTaskFilters *self)
{
  GtkGesture *click = gtk_gesture_click_new ();
  guint i;

  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (click), GTK_PHASE_CAPTURE);
  g_signal_connect_object (click, "pressed", G_CALLBACK (pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    {
      GtkEventController *keys = gtk_shortcut_controller_new ();

      gtk_shortcut_controller_add_shortcut (
          GTK_SHORTCUT_CONTROLLER (keys),
          gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("<Control>space"),
                            gtk_callback_action_new (combine_key_cb, self, NULL)));
      gtk_widget_add_controller (GTK_WIDGET (self->toggles[i]), keys);
    }
}


static void
set_toggle (GtkToggleButton *toggle,
            GtkWidget *image,
            GtkLabel *label,
            const char *word,
            guint count,
            gboolean narrow)
{
  /* Translators: a filter and how many tasks it shows, e.g. "Failed 3" */
  g_autofree char *words = g_strdup_printf (_("%1$s %2$'u"), word, count);
  g_autofree char *number = g_strdup_printf ("%'u", count);
  /* Translators: %s is a state of tasks that a filter shows */
  g_autofree char *tip = g_strdup_printf (_("%s (Ctrl+Click to Show Several)"), word);
  gboolean short_one = narrow && image != NULL;

  if (image != NULL)
    gtk_widget_set_visible (image, narrow);
  if (g_strcmp0 (gtk_label_get_text (label), short_one ? number : words) == 0)
    return;
  gtk_label_set_text (label, short_one ? number : words);
  gw_compat_set_tooltip (GTK_WIDGET (toggle), image != NULL ? tip : NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (toggle), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                  -1);
}

static int
measure (GwTaskFilters *self,
         const char *words)
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
has_toggle (GwTaskFilters *self,
            guint filter)
{
  return (filter != GW_TASK_CANCELLED && filter != GW_N_TASK_STATUSES)
         || self->counts[filter] > 0 || (self->shown & (1u << filter)) != 0;
}

/* Whether every toggle can say its word, with the buttons after them. */
static gboolean
has_room (GwTaskFilters *self,
          guint all,
          const char *retry)
{
  g_autoptr (GString) words = g_string_new (C_ ("filter", "All"));
  int width = 24 + TOGGLE_PADDING + BUTTON_WIDTH;
  guint i;

  g_string_append_printf (words, " %'u", all);
  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    if (has_toggle (self, i))
      {
        g_string_append_printf (words, "%s %'u", gw_task_look_get_word (looks[i]),
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
    retry = g_strdup_printf (ngettext ("_Retry %'u Failed", "_Retry %'u Failed", failed), failed);
  narrow = !has_room (self, all, retry);
  for (i = 0; i < GW_N_TASK_FILTERS; i++)
    {
      set_toggle (self->toggles[i], self->images[i], self->labels[i],
                  gw_task_look_get_word (looks[i]), self->counts[i], narrow);
      gtk_widget_set_visible (GTK_WIDGET (self->toggles[i]), has_toggle (self, i));
      /* The action knows of one at a time. */
      gtk_toggle_button_set_active (self->toggles[i], (self->shown & (1u << i)) != 0);
    }
  set_toggle (self->all_toggle, NULL, self->all_label, C_ ("filter", "All"), all, narrow);

  narrow = narrow && self->width < ICONS_WIDTH;
  gtk_widget_set_visible (GTK_WIDGET (self->retry_failed_button),
                          failed > 0 && (!narrow || (self->shown & (1u << GW_TASK_FAILED)) != 0));
  if (retry != NULL && g_strcmp0 (gtk_button_get_label (self->retry_failed_button), retry) != 0)
    gtk_button_set_label (self->retry_failed_button, retry);
  gtk_widget_set_visible (self->follow_button,
                          !narrow || (self->counts[GW_TASK_RUNNING] > 0 && failed == 0));
}

static GtkScrolledWindow *
get_scroller (GwTaskFilters *self)
{
  return GTK_SCROLLED_WINDOW (gtk_widget_get_ancestor (GTK_WIDGET (self->all_toggle),
                                                       GTK_TYPE_SCROLLED_WINDOW));
}

/* Where not all toggles have room, the first that is shown is to be seen. */
static gboolean
reveal_cb (gpointer user_data)
{
  GwTaskFilters *self = user_data;
  GtkWidget *toggle = GTK_WIDGET (self->all_toggle);
  GtkAdjustment *adjustment = gtk_scrolled_window_get_hadjustment (get_scroller (self));
  graphene_rect_t bounds;
  guint i;

  self->reveal_id = 0;
  for (i = GW_N_TASK_FILTERS; i > 0; i--)
    if (self->shown & (1u << (i - 1)))
      toggle = GTK_WIDGET (self->toggles[i - 1]);
  if (gtk_widget_compute_bounds (toggle, gtk_widget_get_parent (toggle), &bounds))
    gtk_adjustment_clamp_page (adjustment, bounds.origin.x,
                               bounds.origin.x + bounds.size.width);
  return G_SOURCE_REMOVE;
}

static void
reveal_later (GwTaskFilters *self)
{
  if (self->reveal_id != 0)
    return;
  /* Once it has its place. */
  self->reveal_id = g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, reveal_cb, self, NULL);
  g_source_set_name_by_id (self->reveal_id, "[gangway] show the filter that is on");
}

static void
gw_task_filters_init (GwTaskFilters *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  combine_with_control (self);
  /* What comes beside them takes of their room. */
  g_signal_connect_object (gtk_scrolled_window_get_hadjustment (get_scroller (self)),
                           "notify::page-size", G_CALLBACK (reveal_later), self,
                           G_CONNECT_SWAPPED);
}

/**
 * gw_task_filters_update:
 * @counts: how many tasks each filter shows
 * @shown: a bit for each that is shown; 0: all
 */
void
gw_task_filters_update (GwTaskFilters *self,
                        const guint counts[GW_N_TASK_FILTERS],
                        guint shown)
{
  g_return_if_fail (GW_IS_TASK_FILTERS (self));

  memcpy (self->counts, counts, sizeof self->counts);
  if (self->shown != shown)
    reveal_later (self);
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
gw_task_filters_set_width (GwTaskFilters *self,
                           int width)
{
  g_return_if_fail (GW_IS_TASK_FILTERS (self));

  if (self->width == width)
    return;
  self->width = width;
  update (self);
  reveal_later (self);
}
