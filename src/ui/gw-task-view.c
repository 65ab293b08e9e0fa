/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include "gw-compat.h"
#include "gw-probe.h"
#include "gw-task-view-private.h"
#include "gw-verbs.h"

/* The live list: search bar, toggles that filter by status and show its count, a column view. Rows
 * stand in the order of submission unless a header was clicked; nothing moves when a state changes.
 * A change costs what its own row costs: what is shown is kept by GwTaskRows, the numbers by
 * GwTaskList. Columns, search, following, the menu, what is selected and the page in place of no
 * rows stand in gw-task-view-*.c.
 *
 * Signals: `selection-changed`; `open` when a row is to be looked at (click or Enter);
 * `sort-changed`, `search-changed`, `follow-changed`; `found-changed` when what is searched is
 * another text. */

enum {
  SELECTION_CHANGED,
  OPEN,
  SORT_CHANGED,
  SEARCH_CHANGED,
  FOLLOW_CHANGED,
  FOUND_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwTaskView, gw_task_view, GTK_TYPE_WIDGET)

void
_gw_task_view_emit (GwTaskView *self,
                    const char *signal)
{
  g_signal_emit_by_name (self, signal);
}

static gboolean
tick_cb (gpointer user_data)
{
  GwTaskView *self = user_data;
  GHashTableIter iter;
  gpointer cell;

  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    gw_task_cell_tick (cell);
  _gw_task_view_waits_tick (self);
  return G_SOURCE_CONTINUE;
}

/**
 * gw_task_view_update_rows:
 *
 * What the rows say has changed, although their tasks have not.
 */
void
gw_task_view_update_rows (GwTaskView *self)
{
  GHashTableIter iter;
  gpointer cell;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    gw_task_cell_update (cell);
}

/* Only times that run need it: an idle window does not wake up. */
static void
update_tick (GwTaskView *self)
{
  gboolean wanted = self->list != NULL && gtk_widget_get_mapped (GTK_WIDGET (self))
                    && gw_task_list_count (self->list, GW_TASK_QUEUED)
                               + gw_task_list_count (self->list, GW_TASK_RUNNING)
                           > 0;

  if (!wanted)
    g_clear_handle_id (&self->tick_id, g_source_remove);
  else if (self->tick_id == 0)
    {
      self->tick_id = g_timeout_add_seconds (1, tick_cb, self);
      g_source_set_name_by_id (self->tick_id, "[gangway] times in the list");
    }
}

static void
unmap_cb (GwTaskView *self)
{
  g_clear_handle_id (&self->tick_id, g_source_remove);
}

static void
selection_changed_cb (GwTaskView *self)
{
  g_signal_emit (self, signals[SELECTION_CHANGED], 0);
}

static void
activate_cb (GwTaskView *self,
             guint position)
{
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  g_signal_emit (self, signals[OPEN], 0);
}

static void
released_cb (GtkGestureClick *gesture,
             int n_press,
             double x,
             double y,
             gpointer user_data)
{
  GwTaskView *self = user_data;
  GdkModifierType state
      = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));

  if (n_press == 1 && (state & (GDK_CONTROL_MASK | GDK_SHIFT_MASK)) == 0
      && gw_task_view_count_selected (self) == 1)
    g_signal_emit (self, signals[OPEN], 0);
}

static void
rows_changed_cb (GwTaskView *self)
{
  gw_probe_mark ("rows", g_list_model_get_n_items (G_LIST_MODEL (self->rows)));
}

static void
delta_cb (GwTaskView *self,
          GwTaskDelta *delta)
{
  if (delta->added->len > 0 || delta->removed->len > 0)
    _gw_task_view_update_numbers (self);
  _gw_task_view_follow_delta (self, delta);
}

static gboolean
gw_task_view_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (GTK_WIDGET (GW_TASK_VIEW (widget)->column_view));
}

/* Tab leaves the list, however many rows it has, and enters at the filters, not where it was
 * last. */
static gboolean
gw_task_view_focus (GtkWidget *widget,
                    GtkDirectionType direction)
{
  GwTaskView *self = GW_TASK_VIEW (widget);
  gboolean forward = direction == GTK_DIR_TAB_FORWARD;
  GtkWidget *before;

  if (!forward && direction != GTK_DIR_TAB_BACKWARD)
    return GTK_WIDGET_CLASS (gw_task_view_parent_class)->focus (widget, direction);
  if (!gw_compat_has_focus_in (GTK_WIDGET (self->column_view)))
    {
      if (!gw_compat_has_focus_in (widget))
        gtk_widget_set_focus_child (self->box, NULL);
      /* Not the default, which would grab the focus for the list. */
      return gtk_widget_child_focus (self->box, direction);
    }
  for (before = GTK_WIDGET (self->stack);
       !forward && (before = gtk_widget_get_prev_sibling (before)) != NULL;)
    if (gtk_widget_child_focus (before, direction))
      return TRUE;
  return FALSE;
}

static void
gw_task_view_measure (GtkWidget *widget,
                      GtkOrientation orientation,
                      int for_size,
                      int *minimum,
                      int *natural,
                      int *minimum_baseline,
                      int *natural_baseline)
{
  GwTaskView *self = GW_TASK_VIEW (widget);

  gtk_widget_measure (self->box, orientation, for_size, minimum, natural, minimum_baseline,
                      natural_baseline);
}

static GtkSizeRequestMode
gw_task_view_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
gw_task_view_size_allocate (GtkWidget *widget,
                            int width,
                            int height,
                            int baseline)
{
  GwTaskView *self = GW_TASK_VIEW (widget);

  gtk_widget_allocate (self->box, width, height, baseline, NULL);
  _gw_task_view_set_width (self, width);
}

static void
gw_task_view_dispose (GObject *object)
{
  GwTaskView *self = GW_TASK_VIEW (object);

  g_clear_handle_id (&self->tick_id, g_source_remove);
  _gw_task_view_search_clear (self);
  _gw_task_view_follow_clear (self);
  _gw_task_view_previews_clear (self);
  gw_task_view_set_list (self, NULL);
  if (self->column_view != NULL)
    gtk_column_view_set_model (self->column_view, NULL);
  _gw_task_view_columns_clear (self);
  _gw_task_view_menu_clear (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_TASK_VIEW);
  g_clear_object (&self->selection);
  g_clear_object (&self->rows);
  G_OBJECT_CLASS (gw_task_view_parent_class)->dispose (object);
}

static void
gw_task_view_finalize (GObject *object)
{
  GwTaskView *self = GW_TASK_VIEW (object);

  g_hash_table_unref (self->cells);
  g_free (self->project_id);
  g_free (self->hidden_id);
  G_OBJECT_CLASS (gw_task_view_parent_class)->finalize (object);
}

static void
gw_task_view_class_init (GwTaskViewClass *klass)
{
  static const char *const names[N_SIGNALS]
      = { "selection-changed", "open", "sort-changed", "search-changed", "follow-changed",
          "found-changed" };
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  guint i;

  object_class->dispose = gw_task_view_dispose;
  object_class->finalize = gw_task_view_finalize;
  widget_class->measure = gw_task_view_measure;
  widget_class->size_allocate = gw_task_view_size_allocate;
  widget_class->get_request_mode = gw_task_view_get_request_mode;
  widget_class->grab_focus = gw_task_view_grab_focus;
  widget_class->focus = gw_task_view_focus;

  for (i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                               NULL, NULL, G_TYPE_NONE, 0);

  g_type_ensure (GW_TYPE_TASK_FILTERS);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-task-view.ui");
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, box);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, search_bar);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, search_entry);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, hits_label);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, filters);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, notice_bin);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, stack);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, scroller);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, column_view);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, none_page);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, none_button);
}

static void
add_controllers (GwTaskView *self)
{
  GtkWidget *view = GTK_WIDGET (self->column_view);
  GtkGesture *click = gtk_gesture_click_new ();

  gtk_widget_add_controller (view, gw_verbs_new_list_controller ());
  g_signal_connect_object (click, "released", G_CALLBACK (released_cb), self, 0);
  gtk_widget_add_controller (view, GTK_EVENT_CONTROLLER (click));
}

static void
gw_task_view_init (GwTaskView *self)
{
  self->cells = g_hash_table_new (NULL, NULL);
  self->rows = gw_task_rows_new ();
  gtk_widget_init_template (GTK_WIDGET (self));

  self->selection = gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (self->rows)));
  gtk_column_view_set_model (self->column_view, GTK_SELECTION_MODEL (self->selection));
  gw_compat_set_one_stop (GTK_WIDGET (self->column_view));
  g_signal_connect_object (self->rows, "items-changed", G_CALLBACK (rows_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->selection, "selection-changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->column_view, "activate", G_CALLBACK (activate_cb), self,
                           G_CONNECT_SWAPPED);
  _gw_task_view_columns_init (self);
  _gw_task_view_search_init (self);
  _gw_task_view_previews_init (self);
  _gw_task_view_follow_init (self);
  add_controllers (self);
  _gw_task_view_menu_init (self);

  g_signal_connect (self, "map", G_CALLBACK (update_tick), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (unmap_cb), NULL);
  gw_task_view_refresh (self);
}

static void
count_all (GwTaskView *self,
           guint counts[GW_N_TASK_FILTERS])
{
  guint interrupted;
  guint i;

  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    counts[i] = gw_task_list_count_in (self->list, self->project_id, i);
  interrupted = gw_task_list_count_interrupted (self->list, self->project_id);
  /* One or the other, so that the numbers add up. */
  counts[GW_TASK_ROWS_INTERRUPTED] = interrupted;
  counts[GW_TASK_QUEUED] -= interrupted;
}

/**
 * gw_task_view_refresh:
 *
 * Tasks have changed: brings the numbers up to date. The rows have followed by themselves.
 */
void
gw_task_view_refresh (GwTaskView *self)
{
  guint counts[GW_N_TASK_FILTERS] = { 0 };
  guint i;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (self->search != NULL)
    for (i = 0; i < GW_N_TASK_FILTERS; i++)
      counts[i] = gw_task_rows_count_found (self->rows, i);
  else if (self->list != NULL)
    count_all (self, counts);
  gw_task_filters_update (self->filters, counts, self->statuses);
  _gw_task_view_previews_later (self, FALSE);
  _gw_task_view_update_none (self);
  update_tick (self);
}

void
gw_task_view_set_list (GwTaskView *self,
                       GwTaskList *list)
{
  g_autoptr (GwClient) client = NULL;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (self->list == list)
    return;
  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data (self->list, self);
  _gw_task_view_search_clear (self);
  _gw_task_view_follow_clear (self);
  _gw_task_view_previews_clear (self);
  g_set_object (&self->list, list);
  gw_task_rows_set_list (self->rows, list);
  if (list == NULL)
    return;
  g_object_get (list, "client", &client, NULL);
  self->previews = gw_task_previews_new (client);
  self->waits = gw_task_waits_new (list, client);
  self->waits_in = 0;
  gw_probe_mark ("list", 0);
  g_signal_connect_object (list, "delta", G_CALLBACK (delta_cb), self, G_CONNECT_SWAPPED);
  _gw_task_view_search_again (self);
  _gw_task_view_update_numbers (self);
  gw_task_view_refresh (self);
}

static gboolean
read_filter (const char *name,
             guint *statuses)
{
  g_auto (GStrv) names = g_strsplit (name, ",", -1);
  guint i;
  guint j;

  *statuses = 0;
  if (g_str_equal (name, "all"))
    return TRUE;
  for (i = 0; names[i] != NULL; i++)
    {
      for (j = 0; j < GW_N_TASK_FILTERS; j++)
        if (g_str_equal (names[i], gw_task_filter_get_name (j)))
          break;
      if (j == GW_N_TASK_FILTERS)
        return FALSE;
      *statuses |= 1u << j;
    }
  return *statuses != 0;
}

/**
 * gw_task_view_set_filter:
 * @name: "all", the name of a status, or "interrupted"; or several with commas between
 *
 * Returns: whether there is such a filter
 */
gboolean
gw_task_view_set_filter (GwTaskView *self,
                         const char *name)
{
  guint statuses;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  if (!read_filter (name, &statuses))
    return FALSE;
  self->statuses = statuses;
  gw_task_rows_set_statuses (self->rows, statuses);
  gw_task_view_refresh (self);
  selection_changed_cb (self);
  return TRUE;
}

/**
 * gw_task_view_set_hidden_project:
 * @project_id: (nullable): a project that is about to go: its tasks are not shown
 */
void
gw_task_view_set_hidden_project (GwTaskView *self,
                                 const char *project_id)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (g_strcmp0 (self->hidden_id, project_id) == 0)
    return;
  g_free (self->hidden_id);
  self->hidden_id = g_strdup (project_id);
  gw_task_rows_set_hidden_project (self->rows, project_id);
  gw_task_view_refresh (self);
}

/**
 * gw_task_view_set_project:
 * @project_id: (nullable): the project whose tasks are shown and counted; NULL: all tasks
 */
void
gw_task_view_set_project (GwTaskView *self,
                          const char *project_id)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (g_strcmp0 (self->project_id, project_id) == 0)
    return;
  g_free (self->project_id);
  self->project_id = g_strdup (project_id);
  gw_task_rows_set_project (self->rows, project_id);
  _gw_task_view_follow_clear (self);
  if (self->search != NULL || self->next_search != NULL)
    _gw_task_view_search_again (self);
  gw_task_view_refresh (self);
  selection_changed_cb (self);
}

/**
 * gw_task_view_set_notice:
 * @notice: what is shown above the rows
 */
void
gw_task_view_set_notice (GwTaskView *self,
                         GtkWidget *notice)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  adw_bin_set_child (self->notice_bin, notice);
}
