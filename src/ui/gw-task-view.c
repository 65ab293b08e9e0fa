/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-view"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-task-cell.h"
#include "gw-task-view.h"
#include "gw-task-words.h"
#include "gw-verbs.h"

/* The live list: toggles that filter by status and show its count, over a column view. Rows stand
 * in the order of submission, always; nothing moves when a state changes.
 *
 * Signals: `selection-changed`; `open` when a row is to be looked at (click or Enter). */

#define NARROW_WIDTH 500 /* below: states as icons alone */
#define MODEL_WIDTH 600  /* below: the task's text needs the room of the model */
#define STATUS_COLUMN_WIDTH 122
#define NARROW_STATUS_COLUMN_WIDTH 44

struct _GwTaskView {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *box;
  GtkToggleButton *all_toggle;
  GtkLabel *all_label;
  GtkToggleButton *toggles[GW_N_TASK_STATUSES];
  GtkWidget *images[GW_N_TASK_STATUSES];
  GtkLabel *labels[GW_N_TASK_STATUSES];
  GtkButton *retry_failed_button;
  GtkStack *stack;
  GtkScrolledWindow *scroller;
  GtkColumnView *column_view;
  AdwStatusPage *none_page;

  /* Owned references */
  GwTaskList *list;               /* (owned) (nullable) */
  GtkCustomFilter *filter;        /* (owned) */
  GtkFilterListModel *filtered;   /* (owned) */
  GtkMultiSelection *selection;   /* (owned) */
  GtkWidget *menu;                /* (owned by the tree) (nullable) */
  GHashTable *cells;              /* (owned) (element-type GwTaskCell) (unowned) that are bound */

  GtkColumnViewColumn *columns[GW_N_TASK_COLUMNS]; /* (owned) */
  char *project_id;               /* (owned) (nullable): all */
  int status;                     /* GwTaskStatus that is shown; -1: all */
  gboolean narrow;
  gboolean has_model;             /* the column is in the view */
  int width;
  guint width_id;
  guint tick_id;
};

enum {
  SELECTION_CHANGED,
  OPEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwTaskView, gw_task_view, GTK_TYPE_WIDGET)

static gboolean
filter_cb (gpointer item, gpointer user_data)
{
  GwTaskView *self = user_data;

  GwTask *task = gw_task_item_get_task (GW_TASK_ITEM (item));

  return (self->status < 0 || (int) task->status == self->status)
         && (self->project_id == NULL || g_strcmp0 (task->project_id, self->project_id) == 0);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer user_data)
{
  GwTaskColumn column = GPOINTER_TO_UINT (user_data);

  gtk_list_item_set_child (list_item, gw_task_cell_new (column));
}

static void
bind_cb (GwTaskView *self, GtkListItem *list_item)
{
  GwTaskCell *cell = GW_TASK_CELL (gtk_list_item_get_child (list_item));

  gw_task_cell_set_narrow (cell, self->narrow);
  gw_task_cell_bind (cell, list_item);
  g_hash_table_add (self->cells, cell);
}

static void
unbind_cb (GwTaskView *self, GtkListItem *list_item)
{
  GwTaskCell *cell = GW_TASK_CELL (gtk_list_item_get_child (list_item));

  g_hash_table_remove (self->cells, cell);
  gw_task_cell_unbind (cell);
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
  return G_SOURCE_CONTINUE;
}

static void
map_cb (GwTaskView *self)
{
  if (self->tick_id == 0)
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
add_column (GwTaskView *self, GwTaskColumn column, const char *title, int width)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkColumnViewColumn *view_column;

  g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), GUINT_TO_POINTER (column));
  g_signal_connect_object (factory, "bind", G_CALLBACK (bind_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "unbind", G_CALLBACK (unbind_cb), self, G_CONNECT_SWAPPED);
  view_column = gtk_column_view_column_new (title, factory);
  if (width > 0)
    gtk_column_view_column_set_fixed_width (view_column, width);
  else
    gtk_column_view_column_set_expand (view_column, TRUE);
  gtk_column_view_append_column (self->column_view, view_column);
  self->columns[column] = view_column;
}

static void
selection_changed_cb (GwTaskView *self)
{
  g_signal_emit (self, signals[SELECTION_CHANGED], 0);
}

static void
activate_cb (GwTaskView *self, guint position)
{
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  g_signal_emit (self, signals[OPEN], 0);
}

static void
released_cb (GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  GwTaskView *self = user_data;
  GdkModifierType state
      = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));

  if (n_press == 1 && (state & (GDK_CONTROL_MASK | GDK_SHIFT_MASK)) == 0
      && gw_task_view_count_selected (self) == 1)
    g_signal_emit (self, signals[OPEN], 0);
}

static void
menu_pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  GwTaskView *self = user_data;
  GdkRectangle point = { (int) x, (int) y, 1, 1 };

  if (self->menu == NULL || gw_task_view_count_selected (self) == 0)
    return;
  gtk_popover_set_pointing_to (GTK_POPOVER (self->menu), &point);
  gtk_popover_popup (GTK_POPOVER (self->menu));
}

static gboolean
width_cb (gpointer user_data)
{
  GwTaskView *self = user_data;
  gboolean narrow = self->width < NARROW_WIDTH;
  gboolean has_model = self->width >= MODEL_WIDTH;
  GHashTableIter iter;
  gpointer cell;

  self->width_id = 0;
  /* Taken out, not hidden: before GTK 4.10 a hidden column keeps its room. */
  if (self->has_model && !has_model)
    gtk_column_view_remove_column (self->column_view, self->columns[GW_TASK_COLUMN_MODEL]);
  else if (!self->has_model && has_model)
    gtk_column_view_insert_column (self->column_view, GW_TASK_COLUMN_MODEL,
                                   self->columns[GW_TASK_COLUMN_MODEL]);
  self->has_model = has_model;
  if (self->narrow == narrow)
    return G_SOURCE_REMOVE;
  self->narrow = narrow;
  gtk_column_view_column_set_fixed_width (self->columns[GW_TASK_COLUMN_STATUS],
                                          narrow ? NARROW_STATUS_COLUMN_WIDTH
                                                 : STATUS_COLUMN_WIDTH);
  gtk_column_view_column_set_title (self->columns[GW_TASK_COLUMN_STATUS],
                                    narrow ? "" : C_ ("column", "Status"));
  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &cell, NULL))
    gw_task_cell_set_narrow (cell, narrow);
  gw_task_view_refresh (self);
  return G_SOURCE_REMOVE;
}

static void
gw_task_view_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                      int *natural, int *minimum_baseline, int *natural_baseline)
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
gw_task_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  GwTaskView *self = GW_TASK_VIEW (widget);

  gtk_widget_allocate (self->box, width, height, baseline, NULL);
  if (self->width != width)
    {
      self->width = width;
      /* Columns cannot come and go while sizes are being given out. */
      if (self->width_id == 0)
        self->width_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, width_cb, self, NULL);
    }
}

static void
gw_task_view_dispose (GObject *object)
{
  GwTaskView *self = GW_TASK_VIEW (object);
  guint i;

  g_clear_handle_id (&self->tick_id, g_source_remove);
  g_clear_handle_id (&self->width_id, g_source_remove);
  gw_task_view_set_list (self, NULL);
  if (self->column_view != NULL)
    gtk_column_view_set_model (self->column_view, NULL);
  g_clear_pointer (&self->menu, gtk_widget_unparent);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_TASK_VIEW);
  for (i = 0; i < GW_N_TASK_COLUMNS; i++)
    g_clear_object (&self->columns[i]);
  g_clear_object (&self->selection);
  g_clear_object (&self->filtered);
  g_clear_object (&self->filter);
  G_OBJECT_CLASS (gw_task_view_parent_class)->dispose (object);
}

static void
gw_task_view_finalize (GObject *object)
{
  GwTaskView *self = GW_TASK_VIEW (object);

  g_hash_table_unref (self->cells);
  g_free (self->project_id);
  G_OBJECT_CLASS (gw_task_view_parent_class)->finalize (object);
}

static void
gw_task_view_class_init (GwTaskViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  guint i;

  object_class->dispose = gw_task_view_dispose;
  object_class->finalize = gw_task_view_finalize;
  widget_class->measure = gw_task_view_measure;
  widget_class->size_allocate = gw_task_view_size_allocate;
  widget_class->get_request_mode = gw_task_view_get_request_mode;

  signals[SELECTION_CHANGED]
      = g_signal_new ("selection-changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                      NULL, NULL, G_TYPE_NONE, 0);
  signals[OPEN] = g_signal_new ("open", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               GW_RESOURCE_PATH "/ui/gw-task-view.ui");
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, box);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, all_toggle);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, all_label);
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    {
      const char *status = gw_task_status_to_string (i);
      g_autofree char *toggle = g_strdup_printf ("%s_toggle", status);
      g_autofree char *image = g_strdup_printf ("%s_image", status);
      g_autofree char *label = g_strdup_printf ("%s_label", status);

      gtk_widget_class_bind_template_child_full (
          widget_class, toggle, FALSE,
          G_STRUCT_OFFSET (GwTaskView, toggles) + (gssize) (i * sizeof (gpointer)));
      gtk_widget_class_bind_template_child_full (
          widget_class, image, FALSE,
          G_STRUCT_OFFSET (GwTaskView, images) + (gssize) (i * sizeof (gpointer)));
      gtk_widget_class_bind_template_child_full (
          widget_class, label, FALSE,
          G_STRUCT_OFFSET (GwTaskView, labels) + (gssize) (i * sizeof (gpointer)));
    }
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, retry_failed_button);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, stack);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, scroller);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, column_view);
  gtk_widget_class_bind_template_child (widget_class, GwTaskView, none_page);
}

static void
gw_task_view_init (GwTaskView *self)
{
  GtkGesture *click;

  self->status = -1;
  self->cells = g_hash_table_new (NULL, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));

  self->filter = gtk_custom_filter_new (filter_cb, self, NULL);
  self->filtered = gtk_filter_list_model_new (NULL, g_object_ref (GTK_FILTER (self->filter)));
  self->selection = gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (self->filtered)));
  gtk_column_view_set_model (self->column_view, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->selection, "selection-changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->selection, "items-changed", G_CALLBACK (selection_changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->column_view, "activate", G_CALLBACK (activate_cb), self,
                           G_CONNECT_SWAPPED);

  add_column (self, GW_TASK_COLUMN_STATUS, C_ ("column", "Status"), STATUS_COLUMN_WIDTH);
  add_column (self, GW_TASK_COLUMN_TASK, C_ ("column", "Task"), 0);
  add_column (self, GW_TASK_COLUMN_MODEL, C_ ("column", "Model"), 150);
  self->has_model = TRUE;
  add_column (self, GW_TASK_COLUMN_TIME, C_ ("column", "Time"), 88);

  gtk_widget_add_controller (GTK_WIDGET (self->column_view), gw_verbs_new_list_controller ());
  click = gtk_gesture_click_new ();
  g_signal_connect_object (click, "released", G_CALLBACK (released_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self->column_view), GTK_EVENT_CONTROLLER (click));
  click = gtk_gesture_click_new ();
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (click, "pressed", G_CALLBACK (menu_pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self->column_view), GTK_EVENT_CONTROLLER (click));

  g_signal_connect (self, "map", G_CALLBACK (map_cb), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (unmap_cb), NULL);
  gw_task_view_refresh (self);
}

static void
set_toggle (GwTaskView *self, GtkToggleButton *toggle, GtkWidget *image, GtkLabel *label,
            const char *word, guint count)
{
  /* Translators: a filter and how many tasks it shows, e.g. "Failed 3" */
  g_autofree char *words = g_strdup_printf (_("%1$s %2$u"), word, count);
  g_autofree char *number = g_strdup_printf ("%u", count);
  gboolean short_one = self->narrow && image != NULL;

  if (image != NULL)
    gtk_widget_set_visible (image, self->narrow);
  if (g_strcmp0 (gtk_label_get_text (label), short_one ? number : words) == 0)
    return;
  gtk_label_set_text (label, short_one ? number : words);
  gtk_widget_set_tooltip_text (GTK_WIDGET (toggle), short_one ? word : NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (toggle), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                  -1);
}

static guint
count (GwTaskView *self, GwTaskStatus status)
{
  return self->list != NULL ? gw_task_list_count_in (self->list, self->project_id, status) : 0;
}

/**
 * gw_task_view_refresh:
 *
 * Tasks have changed: brings the counts up to date, and what the filter shows.
 */
void
gw_task_view_refresh (GwTaskView *self)
{
  static const char *const none_titles[GW_N_TASK_STATUSES] = {
    [GW_TASK_QUEUED] = N_ ("No Queued Tasks"),
    [GW_TASK_RUNNING] = N_ ("No Running Tasks"),
    [GW_TASK_COMPLETED] = N_ ("No Completed Tasks"),
    [GW_TASK_FAILED] = N_ ("No Failed Tasks"),
    [GW_TASK_CANCELLED] = N_ ("No Cancelled Tasks"),
  };
  static const GwTaskLook looks[GW_N_TASK_STATUSES] = {
    [GW_TASK_QUEUED] = GW_TASK_LOOK_QUEUED,       [GW_TASK_RUNNING] = GW_TASK_LOOK_RUNNING,
    [GW_TASK_COMPLETED] = GW_TASK_LOOK_COMPLETED, [GW_TASK_FAILED] = GW_TASK_LOOK_FAILED,
    [GW_TASK_CANCELLED] = GW_TASK_LOOK_CANCELLED,
  };
  guint failed;
  guint all = 0;
  guint i;
  gboolean none;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  failed = count (self, GW_TASK_FAILED);
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    all += count (self, i);
  set_toggle (self, self->all_toggle, NULL, self->all_label, C_ ("filter", "All"), all);
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    set_toggle (self, self->toggles[i], self->images[i], self->labels[i],
                gw_task_look_get_word (looks[i]), count (self, i));
  /* Few are ever cancelled: that one shows only when there is something to see. */
  gtk_widget_set_visible (GTK_WIDGET (self->toggles[GW_TASK_CANCELLED]),
                          count (self, GW_TASK_CANCELLED) > 0
                              || self->status == GW_TASK_CANCELLED);

  gtk_widget_set_visible (GTK_WIDGET (self->retry_failed_button),
                          failed > 0 && (!self->narrow || self->status == GW_TASK_FAILED));
  if (failed > 0)
    {
      g_autofree char *label
          = g_strdup_printf (ngettext ("_Retry %u Failed", "_Retry %u Failed", failed), failed);

      gtk_button_set_label (self->retry_failed_button, label);
    }

  if (self->status >= 0 || self->project_id != NULL)
    {
      gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
      adw_status_page_set_title (self->none_page, self->status >= 0 ? _(none_titles[self->status])
                                                                    : _("No Tasks"));
    }
  none = (self->status >= 0 || self->project_id != NULL) && g_list_model_get_n_items (G_LIST_MODEL (self->filtered)) == 0;
  /* The page that is not shown is hidden, so that screen readers do not find it either. */
  gtk_widget_set_visible (GTK_WIDGET (self->none_page), none);
  gtk_widget_set_visible (GTK_WIDGET (self->scroller), !none);
  gtk_stack_set_visible_child_name (self->stack, none ? "none" : "list");
}

void
gw_task_view_set_list (GwTaskView *self, GwTaskList *list)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (!g_set_object (&self->list, list))
    return;
  if (self->filtered != NULL)
    gtk_filter_list_model_set_model (self->filtered, G_LIST_MODEL (list));
  if (list != NULL)
    gw_task_view_refresh (self);
}

/**
 * gw_task_view_set_menu:
 *
 * What a click with the secondary button on a row offers.
 */
void
gw_task_view_set_menu (GwTaskView *self, GMenuModel *menu)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  g_clear_pointer (&self->menu, gtk_widget_unparent);
  self->menu = gtk_popover_menu_new_from_model (menu);
  gtk_popover_set_has_arrow (GTK_POPOVER (self->menu), FALSE);
  gtk_widget_set_halign (self->menu, GTK_ALIGN_START);
  gtk_widget_set_parent (self->menu, GTK_WIDGET (self->column_view));
}

/**
 * gw_task_view_set_filter:
 * @name: "all" or the name of a status
 *
 * Returns: whether there is such a filter
 */
gboolean
gw_task_view_set_filter (GwTaskView *self, const char *name)
{
  GwTaskStatus status;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  if (g_str_equal (name, "all"))
    self->status = -1;
  else if (gw_task_status_from_string (name, &status))
    self->status = (int) status;
  else
    return FALSE;
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  gw_task_view_refresh (self);
  return TRUE;
}

/**
 * gw_task_view_set_project:
 * @project_id: (nullable): the project whose tasks are shown and counted; NULL: all tasks
 */
void
gw_task_view_set_project (GwTaskView *self, const char *project_id)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  if (g_strcmp0 (self->project_id, project_id) == 0)
    return;
  g_free (self->project_id);
  self->project_id = g_strdup (project_id);
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  gw_task_view_refresh (self);
}

/**
 * gw_task_view_get_selected:
 *
 * Returns: (transfer container) (element-type GwTaskItem)
 */
GPtrArray *
gw_task_view_get_selected (GwTaskView *self)
{
  GPtrArray *items = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GtkBitset) selected = NULL;
  GtkBitsetIter iter;
  guint position;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), items);

  selected = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  if (gtk_bitset_iter_init_first (&iter, selected, &position))
    do
      g_ptr_array_add (items, g_list_model_get_item (G_LIST_MODEL (self->selection), position));
    while (gtk_bitset_iter_next (&iter, &position));
  return items;
}

guint
gw_task_view_count_selected (GwTaskView *self)
{
  g_autoptr (GtkBitset) selected = NULL;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), 0);

  selected = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  return (guint) gtk_bitset_get_size (selected);
}

/**
 * gw_task_view_get_only_selected:
 *
 * Returns: (transfer full) (nullable): the selected item, if it is one
 */
GwTaskItem *
gw_task_view_get_only_selected (GwTaskView *self)
{
  g_autoptr (GtkBitset) selected = NULL;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), NULL);

  selected = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  if (gtk_bitset_get_size (selected) != 1)
    return NULL;
  return g_list_model_get_item (G_LIST_MODEL (self->selection), gtk_bitset_get_minimum (selected));
}

/**
 * gw_task_view_select:
 *
 * Selects the row of a task and brings it into view.
 *
 * Returns: whether it is shown
 */
gboolean
gw_task_view_select (GwTaskView *self, const char *task_id)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  guint i;

  g_return_val_if_fail (GW_IS_TASK_VIEW (self), FALSE);

  /* From the end, where new ones stand. */
  for (i = n; i-- > 0;)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->selection), i);

      if (g_str_equal (gw_task_item_get_task_id (item), task_id))
        {
          gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), i, TRUE);
          gw_compat_scroll_to (self->column_view, i);
          return TRUE;
        }
    }
  return FALSE;
}

void
gw_task_view_unselect_all (GwTaskView *self)
{
  g_return_if_fail (GW_IS_TASK_VIEW (self));

  gtk_selection_model_unselect_all (GTK_SELECTION_MODEL (self->selection));
}

void
gw_task_view_scroll_to_end (GwTaskView *self)
{
  guint n;

  g_return_if_fail (GW_IS_TASK_VIEW (self));

  n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  if (n > 0)
    gw_compat_scroll_to (self->column_view, n - 1);
}
