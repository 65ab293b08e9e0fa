/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-attempt-list.h"
#include "gw-compat.h"
#include "gw-timeline-chart.h"
#include "gw-timeline-table.h"
#include "gw-timeline-words.h"
#include "gw-timeline.h"

/* The pane at the bottom: numbers, and the calls to providers as a chart or as a table. While it
 * cannot be seen it asks the gateway nothing, lays nothing out and draws nothing; while it can,
 * what comes in and the passing of time are shown at most four times a second.
 *
 * Signals: `select` (task id), `open` (task id). */

#define REFRESH_MS 250
/* Counting who waits takes a look at every task. */
#define MANY_TASKS 10000
#define MANY_REFRESH_MS 1000

struct _GwTimeline {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *box;
  GtkLabel *numbers_label;
  GtkWidget *zoom_box;
  GtkToggleButton *table_toggle;
  GtkStack *stack;
  GtkLabel *none_label;
  GtkWidget *chart_grid;
  GwTimelineChart *chart;
  GtkScrollbar *vertical_bar;
  GtkScrollbar *horizontal_bar;
  GtkWidget *table_scroller;
  GtkColumnView *table;

  /* Owned references */
  GSettings *settings;
  GwAttemptList *attempts;    /* (owned) (nullable) */
  GwTaskList *tasks;          /* (owned) (nullable) */
  GArray *steps;              /* (owned) (element-type GwTimelineStep) */
  GHashTable *delayed;        /* (owned) ids of the tasks that wait for their next try */
  GwTimelineTable *calls;     /* (owned) what the table shows */
  char *selected_id;          /* (nullable) */
  guint unfinished;           /* tasks */
  gint64 counted_at;          /* monotonic µs */
  guint tick_id;
  gboolean tasks_dirty;
  gboolean dirty;
};

enum {
  SELECT,
  OPEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwTimeline, gw_timeline, GTK_TYPE_WIDGET)

/* When tasks began and ended to wait for a slot, from all that are known. Many are submitted in one
 * moment: they are one step. */
static void
count_waiting (GwTimeline *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->tasks));
  GwTimelineStep step = { 0 };
  guint i;

  g_array_set_size (self->steps, 0);
  g_hash_table_remove_all (self->delayed);
  for (i = 0; i < n; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->tasks), i);
      const GwTask *task = gw_task_item_get_task (item);
      GwTimelineStep end = { 0, -1 };

      if (task->created_at != step.at && step.change != 0)
        {
          g_array_append_val (self->steps, step);
          step.change = 0;
        }
      step.at = task->created_at;
      step.change++;
      if (task->started_at > 0)
        end.at = task->started_at;
      else if (task->status != GW_TASK_QUEUED)
        end.at = MAX (task->finished_at, task->created_at);
      if (end.at > 0)
        g_array_append_val (self->steps, end);
      if (task->status == GW_TASK_QUEUED && g_strcmp0 (task->waiting_reason, "retry") == 0)
        g_hash_table_add (self->delayed, g_strdup (task->task_id));
      else if (task->status == GW_TASK_QUEUED && (task->waiting_reason != NULL)
               && end.at == 0
               && (g_str_equal (task->waiting_reason, "paused")
                   || g_str_equal (task->waiting_reason, "held")))
        step.change--; /* waits for the user, not for a slot */
    }
  if (step.change != 0)
    g_array_append_val (self->steps, step);
  self->unfinished = gw_task_list_count (self->tasks, GW_TASK_QUEUED)
                     + gw_task_list_count (self->tasks, GW_TASK_RUNNING);
  self->counted_at = g_get_monotonic_time ();
  self->tasks_dirty = FALSE;
}

static void
set_page (GwTimeline *self,
          const char *name)
{
  if (g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), name) == 0)
    return;
  /* What is hidden also leaves the tree of screen readers. */
  gtk_widget_set_visible (self->chart_grid, g_str_equal (name, "chart"));
  gtk_widget_set_visible (self->table_scroller, g_str_equal (name, "table"));
  gtk_widget_set_visible (GTK_WIDGET (self->none_label), g_str_equal (name, "none"));
  gtk_stack_set_visible_child_name (self->stack, name);
}

static void
show_none (GwTimeline *self,
           const char *words)
{
  gtk_label_set_label (self->none_label, words);
  gtk_label_set_label (self->numbers_label, "");
  gtk_widget_set_sensitive (self->zoom_box, FALSE);
  gtk_widget_set_sensitive (GTK_WIDGET (self->table_toggle), FALSE);
  set_page (self, "none");
}

static void
show_numbers (GwTimeline *self,
              gint64 now)
{
  gint64 oldest = gw_attempt_list_get_oldest_queued_at (self->attempts);
  g_autofree char *words = NULL;
  GwTimelineNumbers numbers;

  gw_timeline_numbers (gw_attempt_list_get_attempts (self->attempts), now, &numbers);
  words = gw_timeline_words_for_numbers (&numbers, oldest > 0 ? MAX (now - oldest, 0) : -1);
  if (g_strcmp0 (words, gtk_label_get_label (self->numbers_label)) == 0)
    return;
  gtk_label_set_label (self->numbers_label, words);
  gw_compat_set_tooltip (GTK_WIDGET (self->numbers_label), words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->chart), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  words, -1);
}

/* The journal's clock may be ahead of ours. */
static gint64
find_now (GwTimeline *self)
{
  GPtrArray *attempts = gw_attempt_list_get_attempts (self->attempts);
  gint64 now = g_get_real_time () / 1000;
  guint i;

  for (i = attempts->len; i-- > 0 && i + 50 > attempts->len;)
    {
      const GwAttempt *attempt = attempts->pdata[i];

      now = MAX (now, MAX (attempt->ended_at, attempt->claimed_at));
    }
  return now;
}

static void
refresh (GwTimeline *self)
{
  GwTimelineInput input = { 0 };
  GwTimelineLayout *layout;
  gboolean live;

  self->dirty = FALSE;
  if (self->attempts == NULL)
    {
      show_none (self, _("The timeline appears as soon as a gateway is found"));
      return;
    }
  if (!gw_attempt_list_is_supported (self->attempts))
    {
      show_none (self, _("This gateway does not tell which calls it makes"));
      return;
    }
  if (!gw_attempt_list_is_loaded (self->attempts))
    {
      show_none (self, "");
      return;
    }
  if (self->tasks_dirty)
    count_waiting (self);
  input.attempts = gw_attempt_list_get_attempts (self->attempts);
  input.lanes = gw_attempt_list_get_lanes (self->attempts);
  input.steps = self->steps;
  input.delayed = self->delayed;
  input.cap = gw_attempt_list_get_cap (self->attempts);
  input.now = find_now (self);
  if (input.attempts->len == 0 && self->unfinished == 0)
    {
      show_none (self, _("No call has been made yet"));
      return;
    }

  show_numbers (self, input.now);
  layout = gw_timeline_layout_new (&input);
  live = layout->n_live > 0 || self->unfinished > 0;
  if (!live && layout->n_bars > 0 && layout->last + 1000 < input.now)
    {
      /* Nothing happens any more: the picture stands where the last call ended. */
      input.now = layout->last + 1000;
      gw_timeline_layout_free (layout);
      layout = gw_timeline_layout_new (&input);
    }
  gw_timeline_table_set_layout (self->calls, layout);
  gw_timeline_chart_set_layout (self->chart, layout, live);
  gtk_widget_set_sensitive (GTK_WIDGET (self->table_toggle), TRUE);
  gtk_widget_set_sensitive (self->zoom_box,
                            !gtk_toggle_button_get_active (self->table_toggle));
  set_page (self, gtk_toggle_button_get_active (self->table_toggle) ? "table" : "chart");
}

static gboolean
tick_cb (gpointer user_data)
{
  GwTimeline *self = user_data;
  guint n = self->tasks != NULL ? g_list_model_get_n_items (G_LIST_MODEL (self->tasks)) : 0;

  if (n > MANY_TASKS
      && g_get_monotonic_time () - self->counted_at < MANY_REFRESH_MS * (gint64) 1000)
    return G_SOURCE_CONTINUE;
  if (self->dirty || self->unfinished > 0)
    {
      refresh (self);
      return G_SOURCE_CONTINUE;
    }
  self->tick_id = 0;
  return G_SOURCE_REMOVE;
}

/* An idle window does not wake up. */
static void
start_ticking (GwTimeline *self)
{
  if (self->tick_id != 0 || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  self->tick_id = g_timeout_add (REFRESH_MS, tick_cb, self);
  g_source_set_name_by_id (self->tick_id, "[gangway] timeline");
}

static void
attempts_changed_cb (GwTimeline *self)
{
  self->dirty = TRUE;
  start_ticking (self);
}

static char *
name_task (const char *task_id,
           gpointer user_data)
{
  GwTimeline *self = user_data;

  return gw_timeline_table_name_task (self->calls, task_id);
}

static void
chart_select_cb (GwTimeline *self,
                 const char *task_id)
{
  g_free (self->selected_id);
  self->selected_id = g_strdup (task_id);
  gw_timeline_table_set_selected (self->calls, task_id);
  g_signal_emit (self, signals[SELECT], 0, task_id);
}

static void
table_select_cb (GwTimeline *self,
                 const char *task_id)
{
  g_free (self->selected_id);
  self->selected_id = g_strdup (task_id);
  gw_timeline_chart_set_selected (self->chart, task_id);
  g_signal_emit (self, signals[SELECT], 0, task_id);
}

static void
open_cb (GwTimeline *self,
         const char *task_id)
{
  g_signal_emit (self, signals[OPEN], 0, task_id);
}

static void
gw_timeline_zoom_in (GwTimeline *self)
{
  gw_timeline_chart_zoom (self->chart, 1.6);
}

static void
gw_timeline_zoom_out (GwTimeline *self)
{
  gw_timeline_chart_zoom (self->chart, 1 / 1.6);
}

static void
gw_timeline_fit (GwTimeline *self)
{
  gw_timeline_chart_fit (self->chart);
}

/**
 * gw_timeline_set_source:
 * @client: (nullable): whose calls are shown
 * @tasks: (nullable): the tasks that are known, for their names and who waits
 */
void
gw_timeline_set_source (GwTimeline *self,
                        GwClient *client,
                        GwTaskList *tasks)
{
  g_return_if_fail (GW_IS_TIMELINE (self));

  if (self->attempts != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->attempts, self);
      gw_attempt_list_set_active (self->attempts, FALSE);
      g_clear_object (&self->attempts);
    }
  g_set_object (&self->tasks, tasks);
  g_array_set_size (self->steps, 0);
  self->tasks_dirty = tasks != NULL;
  self->unfinished = 0;
  gw_timeline_chart_set_layout (self->chart, NULL, FALSE);
  if (client != NULL)
    {
      self->attempts = gw_attempt_list_new (client);
      g_signal_connect_object (self->attempts, "changed", G_CALLBACK (attempts_changed_cb), self,
                               G_CONNECT_SWAPPED);
    }
  gw_timeline_table_set_source (self->calls, self->attempts, tasks);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    {
      if (self->attempts != NULL)
        gw_attempt_list_set_active (self->attempts, TRUE);
      refresh (self);
    }
}

/**
 * gw_timeline_tasks_changed:
 *
 * The list of tasks took something in.
 */
void
gw_timeline_tasks_changed (GwTimeline *self)
{
  g_return_if_fail (GW_IS_TIMELINE (self));

  self->tasks_dirty = self->tasks != NULL;
  self->dirty = TRUE;
  if (self->attempts != NULL)
    gw_attempt_list_nudge (self->attempts);
  start_ticking (self);
}

/**
 * gw_timeline_set_selected:
 * @task_id: (nullable): the task that is selected elsewhere
 */
void
gw_timeline_set_selected (GwTimeline *self,
                          const char *task_id)
{
  g_return_if_fail (GW_IS_TIMELINE (self));

  if (g_strcmp0 (task_id, self->selected_id) == 0)
    return;
  g_free (self->selected_id);
  self->selected_id = g_strdup (task_id);
  gw_timeline_chart_set_selected (self->chart, task_id);
  gw_timeline_table_set_selected (self->calls, task_id);
}

static void
gw_timeline_map (GtkWidget *widget)
{
  GwTimeline *self = GW_TIMELINE (widget);

  GTK_WIDGET_CLASS (gw_timeline_parent_class)->map (widget);
  if (self->attempts != NULL)
    gw_attempt_list_set_active (self->attempts, TRUE);
  self->tasks_dirty = self->tasks != NULL;
  refresh (self);
  start_ticking (self);
}

static void
gw_timeline_unmap (GtkWidget *widget)
{
  GwTimeline *self = GW_TIMELINE (widget);

  g_clear_handle_id (&self->tick_id, g_source_remove);
  if (self->attempts != NULL)
    gw_attempt_list_set_active (self->attempts, FALSE);
  GTK_WIDGET_CLASS (gw_timeline_parent_class)->unmap (widget);
}

static void
gw_timeline_dispose (GObject *object)
{
  GwTimeline *self = GW_TIMELINE (object);

  g_clear_handle_id (&self->tick_id, g_source_remove);
  if (self->attempts != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->attempts, self);
      gw_attempt_list_set_active (self->attempts, FALSE);
    }
  if (self->chart != NULL)
    g_signal_handlers_disconnect_by_data (self->chart, self);
  if (self->calls != NULL)
    g_signal_handlers_disconnect_by_data (self->calls, self);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_TIMELINE);
  g_clear_object (&self->calls);
  g_clear_object (&self->attempts);
  g_clear_object (&self->tasks);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->steps, g_array_unref);
  g_clear_pointer (&self->delayed, g_hash_table_unref);
  g_clear_pointer (&self->selected_id, g_free);
  G_OBJECT_CLASS (gw_timeline_parent_class)->dispose (object);
}

static void
gw_timeline_class_init (GwTimelineClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gw_timeline_dispose;
  widget_class->map = gw_timeline_map;
  widget_class->unmap = gw_timeline_unmap;
  g_type_ensure (GW_TYPE_TIMELINE_CHART);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-timeline.ui");
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, box);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, numbers_label);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, zoom_box);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, table_toggle);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, stack);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, none_label);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, chart_grid);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, chart);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, vertical_bar);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, horizontal_bar);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, table_scroller);
  gtk_widget_class_bind_template_child (widget_class, GwTimeline, table);
  gtk_widget_class_bind_template_callback (widget_class, gw_timeline_zoom_in);
  gtk_widget_class_bind_template_callback (widget_class, gw_timeline_zoom_out);
  gtk_widget_class_bind_template_callback (widget_class, gw_timeline_fit);

  signals[SELECT] = g_signal_new ("select", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[OPEN] = g_signal_new ("open", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
table_toggled_cb (GwTimeline *self)
{
  gw_timeline_table_set_shown (self->calls, gtk_toggle_button_get_active (self->table_toggle));
  gw_timeline_table_set_selected (self->calls, self->selected_id);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    refresh (self);
}

static void
gw_timeline_init (GwTimeline *self)
{
  self->steps = g_array_new (FALSE, FALSE, sizeof (GwTimelineStep));
  self->delayed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
  self->calls = gw_timeline_table_new (self->table);
  gtk_scrollbar_set_adjustment (
      self->vertical_bar,
      gw_timeline_chart_get_adjustment (self->chart, GTK_ORIENTATION_VERTICAL));
  gtk_scrollbar_set_adjustment (
      self->horizontal_bar,
      gw_timeline_chart_get_adjustment (self->chart, GTK_ORIENTATION_HORIZONTAL));
  gw_timeline_chart_set_name_func (self->chart, name_task, self);
  g_signal_connect_object (self->chart, "select", G_CALLBACK (chart_select_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->chart, "open", G_CALLBACK (open_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->calls, "select", G_CALLBACK (table_select_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->calls, "open", G_CALLBACK (open_cb), self, G_CONNECT_SWAPPED);
  self->settings = g_settings_new (GW_APPLICATION_ID);
  g_settings_bind (self->settings, "timeline-table", self->table_toggle, "active",
                   G_SETTINGS_BIND_DEFAULT);
  g_signal_connect_object (self->table_toggle, "notify::active", G_CALLBACK (table_toggled_cb),
                           self, G_CONNECT_SWAPPED);
  table_toggled_cb (self);
  set_page (self, "chart");
  show_none (self, "");
}
