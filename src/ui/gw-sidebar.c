/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-sidebar"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "gw-compat.h"
#include "gw-day-list.h"
#include "gw-project-row.h"
#include "gw-project-words.h"
#include "gw-search.h"
#include "gw-sidebar.h"
#include "gw-task-words.h"

/* Two pages: the projects of today and what is unfinished, and the history, which is all that has
 * come to an end, by days. The history is searched by name here, at once, and by text in tasks and
 * results at the gateway, a moment later; a search looks through everything, finished or not.
 *
 * Rows are recycled. Whatever changes, and however often, bound rows are brought up to date once a
 * frame, and not at all while nobody can see them. */

#define SEARCH_PAUSE_MS 300

struct _GwSidebar {
  GtkWidget parent_instance;

  /* Template children */
  GtkStack *stack;
  GtkWidget *projects_page;
  GtkListView *projects_view;
  GtkLabel *history_count;
  GtkWidget *history_page;
  GtkSearchEntry *search_entry;
  GtkLabel *search_note;
  GtkStack *history_stack;
  GtkWidget *history_scroller;
  GtkListView *history_view;
  AdwStatusPage *none_page;
  GtkLabel *retention_label;

  /* Owned references */
  GwProjectList *projects;
  GwClient *client;               /* (nullable) */
  GwProjectItem *all_item;
  GListStore *fixed;              /* all tasks, quick tasks */
  GListStore *found;              /* the quick tasks too, if a search finds something in them */
  GtkFilter *current_filter;
  GtkFilter *history_filter;
  GListModel *history;            /* finished ones, or what a search found, without days */
  GtkSingleSelection *current_selection;
  GtkSingleSelection *history_selection;
  GCancellable *search_cancellable; /* (nullable) while one runs */
  GHashTable *hits;               /* (nullable) id → tasks that have the searched text */
  char *query;                    /* (nullable) searched for; NULL: no search */
  char *folded_query;             /* (nullable) to compare names with */
  char *search_error;             /* (nullable) */
  gboolean hits_more;

  GHashTable *rows;               /* (element-type GwProjectRow) (unowned) that are bound */
  GtkWidget *menu;                /* (owned by the tree) */
  char *shown;                    /* (nullable) */
  char *target;                   /* (nullable) */
  gint64 cutoff;                  /* what ended before is the past; Unix ms */
  guint n_history;                /* finished projects */
  guint tick_id;
  guint search_id;
  guint forget_id;
  gboolean refilter;              /* with the next tick */
  gboolean selecting;             /* by us */
};

enum {
  SHOW_PROJECT,
  OPENED,
  TARGET_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwSidebar, gw_sidebar, GTK_TYPE_WIDGET)

static gboolean
is_current (gpointer item, gpointer user_data)
{
  GwSidebar *self = user_data;
  const GwProject *project = gw_project_item_get_project (item);

  return !gw_project_is_finished (project) || project->finished_at >= self->cutoff
         || g_strcmp0 (project->project_id, self->shown) == 0;
}

static guint
get_hits (GwSidebar *self, const GwProject *project)
{
  return self->hits != NULL && project->project_id != NULL
             ? GPOINTER_TO_UINT (g_hash_table_lookup (self->hits, project->project_id))
             : 0;
}

static gboolean
is_in_history (gpointer item, gpointer user_data)
{
  GwSidebar *self = user_data;
  const GwProject *project = gw_project_item_get_project (item);
  g_autofree char *folded = NULL;

  if (self->query == NULL)
    return gw_project_is_finished (project);
  if (get_hits (self, project) > 0)
    return TRUE;
  folded = g_utf8_casefold (project->name != NULL ? project->name : "", -1);
  return strstr (folded, self->folded_query) != NULL;
}

/* --- Once a frame ------------------------------------------------------------------------------ */

static void
update_history_page (GwSidebar *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->history_selection));
  gboolean searching = self->search_cancellable != NULL || self->search_id != 0;
  const char *note = NULL;

  gtk_widget_set_visible (self->history_scroller, n > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->none_page), n == 0);
  gtk_stack_set_visible_child_name (self->history_stack, n > 0 ? "list" : "none");
  if (self->query == NULL)
    adw_status_page_set_title (self->none_page, _("No Finished Projects"));
  else
    adw_status_page_set_title (self->none_page,
                               searching ? _("Searching…") : _("No Matches"));

  if (self->search_error != NULL)
    note = self->search_error;
  else if (self->hits_more)
    note = _("There are more matches than could be counted");
  else if (searching && n > 0)
    note = _("Searching in tasks and results…");
  gtk_widget_set_visible (GTK_WIDGET (self->search_note), note != NULL);
  gtk_label_set_text (self->search_note, note != NULL ? note : "");
}

static void
select_shown_in (GwSidebar *self, GtkSingleSelection *selection)
{
  GListModel *model = G_LIST_MODEL (selection);
  guint n = g_list_model_get_n_items (model);
  guint position = GTK_INVALID_LIST_POSITION;
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (model, i);

      if (GW_IS_PROJECT_ITEM (item)
          && g_strcmp0 (gw_project_item_get_project_id (GW_PROJECT_ITEM (item)), self->shown) == 0)
        {
          position = i;
          break;
        }
    }
  self->selecting = TRUE;
  gtk_single_selection_set_selected (selection, position);
  self->selecting = FALSE;
}

static void
select_shown (GwSidebar *self)
{
  select_shown_in (self, self->current_selection);
  select_shown_in (self, self->history_selection);
}

/* The permanent project has its place before the gateway tells of it; a gateway of two calls need
 * not have it. */
static void
update_fixed (GwSidebar *self)
{
  GwProjectItem *real = gw_project_list_get_default (self->projects);
  g_autoptr (GwProjectItem) quick = real != NULL ? g_object_ref (real) : NULL;
  g_autoptr (GwProjectItem) old = g_list_model_get_item (G_LIST_MODEL (self->fixed), 1);
  gboolean wanted = real != NULL
                    || (self->client != NULL
                        && gw_client_get_protocol (self->client) == GW_PROTOCOL_GANGWAY);
  gboolean found = real != NULL && get_hits (self, gw_project_item_get_project (real)) > 0;

  if (quick == NULL && wanted && old != NULL
      && g_str_equal (gw_project_item_get_project_id (old), GW_PROJECT_DEFAULT_NAME))
    quick = g_object_ref (old);
  if (quick == NULL && wanted)
    {
      g_autoptr (GwProject) project = gw_project_new ();

      project->project_id = g_strdup (GW_PROJECT_DEFAULT_NAME);
      project->name = g_strdup (GW_PROJECT_DEFAULT_NAME);
      quick = gw_project_item_new (project);
    }
  if (old != quick)
    {
      g_list_store_splice (self->fixed, 1, old != NULL ? 1 : 0, (gpointer *) &quick,
                           quick != NULL ? 1 : 0);
      select_shown (self);
    }
  if (found != (g_list_model_get_n_items (G_LIST_MODEL (self->found)) > 0))
    g_list_store_splice (self->found, 0, found ? 0 : 1, (gpointer *) &real, found ? 1 : 0);
}

static void
update_rows (GwSidebar *self)
{
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    {
      const GwProject *project = gw_project_item_get_project (gw_project_row_get_item (row));

      gw_project_row_set_hits (row, self->query != NULL ? get_hits (self, project) : 0);
      gw_project_row_update (row);
    }
}

static gboolean
tick_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  GwSidebar *self = GW_SIDEBAR (widget);
  self->tick_id = 0;
  update_fixed (self);
  if (self->refilter)
    {
      self->refilter = FALSE;
      gtk_filter_changed (self->current_filter, GTK_FILTER_CHANGE_DIFFERENT);
      gtk_filter_changed (self->history_filter, GTK_FILTER_CHANGE_DIFFERENT);
      select_shown (self);
    }
  update_rows (self);
  update_history_page (self);
  if (self->query == NULL)
    {
      g_autofree char *number = NULL;

      self->n_history = g_list_model_get_n_items (self->history);
      number = self->n_history > 0 ? g_strdup_printf ("%u", self->n_history) : g_strdup ("");

      if (!g_str_equal (gtk_label_get_text (self->history_count), number))
        gtk_label_set_text (self->history_count, number);
    }
  return G_SOURCE_REMOVE;
}

static void
queue_update (GwSidebar *self)
{
  if (self->tick_id == 0)
    self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL, NULL);
}

static void
queue_refilter (GwSidebar *self)
{
  self->refilter = TRUE;
  queue_update (self);
}

/* --- Search ------------------------------------------------------------------------------------ */

static void
stop_search (GwSidebar *self)
{
  g_clear_handle_id (&self->search_id, g_source_remove);
  if (self->search_cancellable != NULL)
    g_cancellable_cancel (self->search_cancellable);
  g_clear_object (&self->search_cancellable);
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GwSidebar) self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;
  g_autoptr (GHashTable) hits = gw_search_projects_finish (result, &more, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_cancellable_is_cancelled (g_task_get_cancellable (G_TASK (result))))
    return;
  g_clear_object (&self->search_cancellable);
  g_clear_pointer (&self->hits, g_hash_table_unref);
  self->hits_more = more;
  if (hits != NULL)
    self->hits = g_steal_pointer (&hits);
  else
    {
      g_autofree char *why = gw_error_to_words (error);

      /* Translators: %s is a sentence that says why */
      self->search_error = g_strdup_printf (_("Tasks and results were not searched: %s"), why);
    }
  queue_refilter (self);
}

static gboolean
search_cb (gpointer user_data)
{
  GwSidebar *self = user_data;

  self->search_id = 0;
  if (self->client == NULL || gw_client_get_protocol (self->client) != GW_PROTOCOL_GANGWAY)
    {
      queue_update (self);
      return G_SOURCE_REMOVE;
    }
  self->search_cancellable = g_cancellable_new ();
  gw_search_projects_async (self->client, self->query, self->search_cancellable, found_cb,
                            g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
search_changed_cb (GwSidebar *self)
{
  g_autofree char *text = g_strstrip (
      g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->search_entry))));

  if (g_strcmp0 (text[0] != '\0' ? text : NULL, self->query) == 0)
    return;
  stop_search (self);
  g_clear_pointer (&self->hits, g_hash_table_unref);
  g_clear_pointer (&self->query, g_free);
  g_clear_pointer (&self->folded_query, g_free);
  g_clear_pointer (&self->search_error, g_free);
  self->hits_more = FALSE;
  if (text[0] != '\0')
    {
      self->folded_query = g_utf8_casefold (text, -1);
      self->query = g_steal_pointer (&text);
      self->search_id = g_timeout_add (SEARCH_PAUSE_MS, search_cb, self);
      g_source_set_name_by_id (self->search_id, "[gangway] search the history");
    }
  queue_refilter (self);
}

static void
stop_search_cb (GwSidebar *self)
{
  if (gtk_editable_get_text (GTK_EDITABLE (self->search_entry))[0] != '\0')
    gtk_editable_set_text (GTK_EDITABLE (self->search_entry), "");
  else
    gtk_widget_activate_action (GTK_WIDGET (self), "win.history", NULL);
}

/* --- Rows -------------------------------------------------------------------------------------- */

static void
setup_cb (GwSidebar *self, GtkListItem *list_item)
{
  gtk_list_item_set_child (list_item, gw_project_row_new ());
}

static void
bind_cb (GwSidebar *self, GtkListItem *list_item)
{
  GwProjectItem *item = gtk_list_item_get_item (list_item);
  GtkWidget *row = gtk_list_item_get_child (list_item);

  gw_project_row_bind (GW_PROJECT_ROW (row), list_item, item);
  if (self->query != NULL)
    gw_project_row_set_hits (GW_PROJECT_ROW (row),
                             get_hits (self, gw_project_item_get_project (item)));
  g_hash_table_add (self->rows, row);
}

static void
unbind_cb (GwSidebar *self, GtkListItem *list_item)
{
  GtkWidget *row = gtk_list_item_get_child (list_item);

  g_hash_table_remove (self->rows, row);
  gw_project_row_unbind (GW_PROJECT_ROW (row));
}

/* In the history a row is a project or a day; which, is known when it is bound. */
static void
history_setup_cb (GwSidebar *self, GtkListItem *list_item)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "gw-day");
  gtk_widget_add_css_class (label, "heading");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), gw_project_row_new ());
  gtk_list_item_set_child (list_item, box);
}

static void
history_bind_cb (GwSidebar *self, GtkListItem *list_item)
{
  GObject *item = gtk_list_item_get_item (list_item);
  GtkWidget *box = gtk_list_item_get_child (list_item);
  GtkWidget *label = gtk_widget_get_first_child (box);
  GtkWidget *row = gtk_widget_get_last_child (box);
  gboolean is_day = GW_IS_DAY (item);

  gtk_widget_set_visible (label, is_day);
  gtk_widget_set_visible (row, !is_day);
  gtk_list_item_set_selectable (list_item, !is_day);
  gtk_list_item_set_activatable (list_item, !is_day);
  if (is_day)
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_local ();
      g_autofree char *words = NULL;
      GDate today;

      g_date_clear (&today, 1);
      g_date_set_dmy (&today, (GDateDay) g_date_time_get_day_of_month (now),
                      (GDateMonth) g_date_time_get_month (now),
                      (GDateYear) g_date_time_get_year (now));
      words = gw_day_to_words (gw_day_get_date (GW_DAY (item)), &today);
      gtk_label_set_text (GTK_LABEL (label), words);
      gw_compat_label_list_row (list_item, words);
      return;
    }
  gw_project_row_bind (GW_PROJECT_ROW (row), list_item, GW_PROJECT_ITEM (item));
  if (self->query != NULL)
    gw_project_row_set_hits (
        GW_PROJECT_ROW (row),
        get_hits (self, gw_project_item_get_project (GW_PROJECT_ITEM (item))));
  g_hash_table_add (self->rows, row);
}

static void
history_unbind_cb (GwSidebar *self, GtkListItem *list_item)
{
  GtkWidget *row = gtk_widget_get_last_child (gtk_list_item_get_child (list_item));

  g_hash_table_remove (self->rows, row);
  gw_project_row_unbind (GW_PROJECT_ROW (row));
}

/* --- Choosing ---------------------------------------------------------------------------------- */

static void
selected_cb (GwSidebar *self, GParamSpec *pspec, GtkSingleSelection *selection)
{
  GObject *item = gtk_single_selection_get_selected_item (selection);
  gboolean history = selection == self->history_selection;
  const char *id;

  if (self->selecting || !GW_IS_PROJECT_ITEM (item))
    return;
  id = gw_project_item_get_project_id (GW_PROJECT_ITEM (item));
  if (g_strcmp0 (id, self->shown) == 0 && !(history && self->query != NULL))
    return;
  /* A name that was found is no text to look for in the tasks. */
  g_signal_emit (self, signals[SHOW_PROJECT], 0, id,
                 history && get_hits (self, gw_project_item_get_project (
                                                GW_PROJECT_ITEM (item))) > 0
                     ? self->query
                     : NULL);
}

static void
activate_cb (GwSidebar *self, guint position, GtkListView *view)
{
  GtkSelectionModel *selection = gtk_list_view_get_model (view);

  gtk_selection_model_select_item (selection, position, TRUE);
  g_signal_emit (self, signals[OPENED], 0);
}

/* The row at a place of a view, or that has the focus there. */
static GwProjectRow *
find_row (GwSidebar *self, GtkWidget *widget)
{
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    if (widget == row || gtk_widget_is_ancestor (widget, row)
        || gtk_widget_is_ancestor (row, widget))
      return row;
  return NULL;
}

static void
released_cb (GtkGestureClick *gesture, int n_press, double x, double y, GwSidebar *self)
{
  GtkWidget *view = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));
  GtkWidget *picked = gtk_widget_pick (view, x, y, GTK_PICK_DEFAULT);

  if (picked != NULL && picked != view && find_row (self, picked) != NULL)
    g_signal_emit (self, signals[OPENED], 0);
}

static gboolean
forget_cb (gpointer user_data)
{
  GwSidebar *self = user_data;

  self->forget_id = 0;
  g_clear_pointer (&self->target, g_free);
  g_signal_emit (self, signals[TARGET_CHANGED], 0);
  return G_SOURCE_REMOVE;
}

/* The menu closes before what was chosen in it is done. */
static void
menu_closed_cb (GwSidebar *self)
{
  if (self->forget_id == 0)
    self->forget_id = g_idle_add_full (G_PRIORITY_LOW, forget_cb, self, NULL);
}

static gboolean
open_menu (GwSidebar *self, GwProjectRow *row, GtkWidget *view, const graphene_point_t *point)
{
  GwProjectItem *item = row != NULL ? gw_project_row_get_item (row) : NULL;
  const char *id = item != NULL ? gw_project_item_get_project_id (item) : NULL;
  graphene_rect_t bounds;
  GdkRectangle at = { 0, 0, 1, 1 };

  if (id == NULL)
    return FALSE;
  if (point != NULL)
    {
      double x = 0;
      double y = 0;

      gtk_widget_translate_coordinates (view, GTK_WIDGET (self), point->x, point->y, &x, &y);
      at.x = (int) x;
      at.y = (int) y;
    }
  else if (gtk_widget_compute_bounds (GTK_WIDGET (row), GTK_WIDGET (self), &bounds))
    {
      at.x = (int) (bounds.origin.x + bounds.size.width / 2);
      at.y = (int) (bounds.origin.y + bounds.size.height);
    }
  g_clear_handle_id (&self->forget_id, g_source_remove);
  g_free (self->target);
  self->target = g_strdup (id);
  g_signal_emit (self, signals[TARGET_CHANGED], 0);
  gtk_popover_set_pointing_to (GTK_POPOVER (self->menu), &at);
  gtk_popover_popup (GTK_POPOVER (self->menu));
  return TRUE;
}

static void
menu_pressed_cb (GtkGesture *gesture, int n_press, double x, double y, GwSidebar *self)
{
  GtkWidget *view = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));
  GtkWidget *picked = gtk_widget_pick (view, x, y, GTK_PICK_DEFAULT);

  if (picked != NULL && picked != view
      && open_menu (self, find_row (self, picked), view, &GRAPHENE_POINT_INIT ((float) x, (float) y)))
    gtk_gesture_set_state (gesture, GTK_EVENT_SEQUENCE_CLAIMED);
}

static void
long_pressed_cb (GtkGesture *gesture, double x, double y, GwSidebar *self)
{
  menu_pressed_cb (gesture, 1, x, y, self);
}

static gboolean
menu_key_cb (GtkWidget *view, GVariant *args, gpointer user_data)
{
  GwSidebar *self = user_data;
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (gtk_widget_get_root (view)));

  return focus != NULL && focus != view && open_menu (self, find_row (self, focus), view, NULL);
}

static void
add_controllers (GwSidebar *self, GtkListView *view)
{
  GtkGesture *click = gtk_gesture_click_new ();
  GtkGesture *press;
  GtkEventController *keys;

  g_signal_connect_object (click, "released", G_CALLBACK (released_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (view), GTK_EVENT_CONTROLLER (click));
  click = gtk_gesture_click_new ();
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (click, "pressed", G_CALLBACK (menu_pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (view), GTK_EVENT_CONTROLLER (click));
  press = gtk_gesture_long_press_new ();
  gtk_gesture_single_set_touch_only (GTK_GESTURE_SINGLE (press), TRUE);
  g_signal_connect_object (press, "pressed", G_CALLBACK (long_pressed_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (view), GTK_EVENT_CONTROLLER (press));

  keys = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Menu|<Shift>F10"),
                        gtk_callback_action_new (menu_key_cb, self, NULL)));
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Delete"),
                        gtk_named_action_new ("win.remove-project")));
  gtk_widget_add_controller (GTK_WIDGET (view), keys);
}

/* ---------------------------------------------------------------------------------------------- */

static void
gw_sidebar_dispose (GObject *object)
{
  GwSidebar *self = GW_SIDEBAR (object);

  stop_search (self);
  g_clear_handle_id (&self->forget_id, g_source_remove);
  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
  if (self->projects != NULL)
    g_signal_handlers_disconnect_by_data (self->projects, self);
  if (self->current_selection != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->current_selection, self);
      g_signal_handlers_disconnect_by_data (self->history_selection, self);
      gtk_list_view_set_model (self->projects_view, NULL);
      gtk_list_view_set_model (self->history_view, NULL);
    }
  g_clear_pointer (&self->menu, gtk_widget_unparent);
  gtk_widget_dispose_template (GTK_WIDGET (self), GW_TYPE_SIDEBAR);
  g_clear_object (&self->current_selection);
  g_clear_object (&self->history_selection);
  g_clear_object (&self->history);
  g_clear_object (&self->current_filter);
  g_clear_object (&self->history_filter);
  g_clear_object (&self->fixed);
  g_clear_object (&self->found);
  g_clear_object (&self->all_item);
  g_clear_object (&self->projects);
  g_clear_object (&self->client);
  G_OBJECT_CLASS (gw_sidebar_parent_class)->dispose (object);
}

static void
gw_sidebar_finalize (GObject *object)
{
  GwSidebar *self = GW_SIDEBAR (object);

  g_hash_table_unref (self->rows);
  g_clear_pointer (&self->hits, g_hash_table_unref);
  g_free (self->query);
  g_free (self->folded_query);
  g_free (self->search_error);
  g_free (self->shown);
  g_free (self->target);
  G_OBJECT_CLASS (gw_sidebar_parent_class)->finalize (object);
}

static void
gw_sidebar_class_init (GwSidebarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_sidebar_dispose;
  object_class->finalize = gw_sidebar_finalize;

  signals[SHOW_PROJECT]
      = g_signal_new ("show-project", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                      NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  signals[OPENED] = g_signal_new ("opened", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
  signals[TARGET_CHANGED]
      = g_signal_new ("target-changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                      NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class, GW_RESOURCE_PATH "/ui/gw-sidebar.ui");
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, stack);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, projects_page);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, projects_view);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, history_count);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, history_page);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, search_entry);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, search_note);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, history_stack);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, history_scroller);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, history_view);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, none_page);
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, retention_label);
  gtk_widget_class_bind_template_child_full (widget_class, "project_menu", FALSE, 0);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_NAVIGATION);
}

static void
gw_sidebar_init (GwSidebar *self)
{
  GMenuModel *menu;

  self->rows = g_hash_table_new (NULL, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_visible (self->history_page, FALSE);

  menu = G_MENU_MODEL (gtk_widget_get_template_child (GTK_WIDGET (self), GW_TYPE_SIDEBAR,
                                                      "project_menu"));
  self->menu = gtk_popover_menu_new_from_model (menu);
  gtk_popover_set_has_arrow (GTK_POPOVER (self->menu), FALSE);
  gtk_widget_set_halign (self->menu, GTK_ALIGN_START);
  gtk_widget_set_parent (self->menu, GTK_WIDGET (self));
  g_signal_connect_object (self->menu, "closed", G_CALLBACK (menu_closed_cb), self,
                           G_CONNECT_SWAPPED);
}

static gint64
start_of_today (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autoptr (GDateTime) midnight = g_date_time_new_local (
      g_date_time_get_year (now), g_date_time_get_month (now), g_date_time_get_day_of_month (now),
      0, 0, 0);

  return g_date_time_to_unix (midnight) * 1000;
}

static GtkSingleSelection *
make_selection (GwSidebar *self, GListModel *model)
{
  GtkSingleSelection *selection = gtk_single_selection_new (NULL);

  gtk_single_selection_set_autoselect (selection, FALSE);
  gtk_single_selection_set_can_unselect (selection, TRUE);
  gtk_single_selection_set_model (selection, model);
  gtk_single_selection_set_selected (selection, GTK_INVALID_LIST_POSITION);
  g_signal_connect_object (selection, "notify::selected-item", G_CALLBACK (selected_cb), self,
                           G_CONNECT_SWAPPED);
  return selection;
}

static void
set_view (GwSidebar *self, GtkListView *view, GtkSingleSelection *selection, GCallback setup,
          GCallback bind, GCallback unbind)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();

  g_signal_connect_object (factory, "setup", setup, self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "bind", bind, self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "unbind", unbind, self, G_CONNECT_SWAPPED);
  gtk_list_view_set_factory (view, factory);
  gtk_list_view_set_model (view, GTK_SELECTION_MODEL (selection));
  g_signal_connect_object (view, "activate", G_CALLBACK (activate_cb), self, G_CONNECT_SWAPPED);
  add_controllers (self, view);
}

/* One list of all of @first, then all of @second. */
static GListModel *
join (gpointer first, gpointer second)
{
  GListStore *models = g_list_store_new (G_TYPE_LIST_MODEL);

  g_list_store_append (models, first);
  g_list_store_append (models, second);
  return G_LIST_MODEL (gtk_flatten_list_model_new (G_LIST_MODEL (models)));
}

/**
 * gw_sidebar_new:
 * @projects: (transfer none)
 */
GwSidebar *
gw_sidebar_new (GwProjectList *projects)
{
  GwSidebar *self = g_object_new (GW_TYPE_SIDEBAR, NULL);
  g_autoptr (GwProject) all = gw_project_new ();
  g_autoptr (GListModel) current = NULL;
  g_autoptr (GListModel) joined = NULL;
  g_autoptr (GwDayList) days = NULL;
  g_autoptr (GListModel) days_joined = NULL;

  self->projects = g_object_ref (projects);
  self->cutoff = start_of_today ();
  self->all_item = gw_project_item_new (all);
  self->fixed = g_list_store_new (GW_TYPE_PROJECT_ITEM);
  g_list_store_append (self->fixed, self->all_item);
  self->found = g_list_store_new (GW_TYPE_PROJECT_ITEM);

  self->current_filter = GTK_FILTER (gtk_custom_filter_new (is_current, self, NULL));
  current = G_LIST_MODEL (gtk_filter_list_model_new (g_object_ref (G_LIST_MODEL (projects)),
                                                     g_object_ref (self->current_filter)));
  joined = join (self->fixed, current);
  self->current_selection = make_selection (self, joined);

  self->history_filter = GTK_FILTER (gtk_custom_filter_new (is_in_history, self, NULL));
  self->history = G_LIST_MODEL (gtk_filter_list_model_new (
      g_object_ref (G_LIST_MODEL (projects)), g_object_ref (self->history_filter)));
  days = gw_day_list_new (self->history);
  days_joined = join (self->found, days);
  self->history_selection = make_selection (self, days_joined);

  set_view (self, self->projects_view, self->current_selection, G_CALLBACK (setup_cb),
            G_CALLBACK (bind_cb), G_CALLBACK (unbind_cb));
  set_view (self, self->history_view, self->history_selection, G_CALLBACK (history_setup_cb),
            G_CALLBACK (history_bind_cb), G_CALLBACK (history_unbind_cb));
  g_signal_connect_object (projects, "changed", G_CALLBACK (queue_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (projects, "finished-changed", G_CALLBACK (queue_refilter), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search_entry, "search-changed", G_CALLBACK (search_changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search_entry, "stop-search", G_CALLBACK (stop_search_cb), self,
                           G_CONNECT_SWAPPED);
  select_shown (self);
  queue_update (self);
  return self;
}

/**
 * gw_sidebar_set_client:
 * @client: (nullable): where tasks and results are searched
 */
void
gw_sidebar_set_client (GwSidebar *self, GwClient *client)
{
  g_return_if_fail (GW_IS_SIDEBAR (self));

  if (!g_set_object (&self->client, client))
    return;
  stop_search (self);
  queue_update (self);
}

/**
 * gw_sidebar_set_totals:
 *
 * How many of all tasks there are, by status.
 */
void
gw_sidebar_set_totals (GwSidebar *self, const guint counts[GW_N_TASK_STATUSES])
{
  GwProject *old;
  g_autoptr (GwProject) all = NULL;
  gboolean same = TRUE;
  guint i;

  g_return_if_fail (GW_IS_SIDEBAR (self));

  old = gw_project_item_get_project (self->all_item);
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    same = same && old->counts[i] == counts[i];
  if (same)
    return;
  all = gw_project_new ();
  for (i = 0; i < GW_N_TASK_STATUSES; i++)
    all->counts[i] = counts[i];
  gw_project_item_set_project (self->all_item, all);
  queue_update (self);
}

/**
 * gw_sidebar_set_shown:
 * @project_id: (nullable): the one that the window shows; NULL: all tasks
 */
void
gw_sidebar_set_shown (GwSidebar *self, const char *project_id)
{
  g_return_if_fail (GW_IS_SIDEBAR (self));

  if (g_strcmp0 (self->shown, project_id) != 0)
    {
      g_free (self->shown);
      self->shown = g_strdup (project_id);
      queue_refilter (self);
    }
  select_shown (self);
}

/**
 * gw_sidebar_set_keep_days:
 * @days: how long finished projects stay; 0: for ever; -1: not known
 */
void
gw_sidebar_set_keep_days (GwSidebar *self, gint64 days)
{
  g_autofree char *words = NULL;

  g_return_if_fail (GW_IS_SIDEBAR (self));

  words = gw_keep_days_to_words (days);
  gtk_label_set_text (self->retention_label, words);
  gtk_widget_set_visible (GTK_WIDGET (self->retention_label), words[0] != '\0');
}

void
gw_sidebar_set_history (GwSidebar *self, gboolean history)
{
  g_return_if_fail (GW_IS_SIDEBAR (self));

  /* The page that is not shown is hidden, so that screen readers do not find it either. */
  gtk_widget_set_visible (self->history_page, history);
  gtk_widget_set_visible (self->projects_page, !history);
  gtk_stack_set_visible_child_name (self->stack, history ? "history" : "projects");
  if (!history)
    gtk_editable_set_text (GTK_EDITABLE (self->search_entry), "");
  queue_update (self);
}

gboolean
gw_sidebar_get_history (GwSidebar *self)
{
  g_return_val_if_fail (GW_IS_SIDEBAR (self), FALSE);

  return gtk_widget_get_visible (self->history_page);
}

/**
 * gw_sidebar_count_history:
 *
 * Returns: how many projects are finished, whatever is searched for
 */
guint
gw_sidebar_count_history (GwSidebar *self)
{
  g_return_val_if_fail (GW_IS_SIDEBAR (self), 0);

  return self->n_history;
}

void
gw_sidebar_focus (GwSidebar *self)
{
  g_return_if_fail (GW_IS_SIDEBAR (self));

  if (gw_sidebar_get_history (self))
    gtk_widget_grab_focus (GTK_WIDGET (self->search_entry));
  else
    gtk_widget_grab_focus (GTK_WIDGET (self->projects_view));
}

/**
 * gw_sidebar_get_target:
 *
 * Returns: (transfer none) (nullable): the project that its menu is or was just open for
 */
const char *
gw_sidebar_get_target (GwSidebar *self)
{
  g_return_val_if_fail (GW_IS_SIDEBAR (self), NULL);

  return self->target;
}

/**
 * gw_sidebar_get_bounds:
 * @bounds: (out): where the row of the project is, in the sidebar
 *
 * Returns: whether it can be seen
 */
gboolean
gw_sidebar_get_bounds (GwSidebar *self, const char *project_id, GdkRectangle *bounds)
{
  GHashTableIter iter;
  gpointer row;
  graphene_rect_t rect;

  g_return_val_if_fail (GW_IS_SIDEBAR (self), FALSE);

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    if (gtk_widget_get_mapped (row)
        && g_strcmp0 (gw_project_item_get_project_id (gw_project_row_get_item (row)), project_id)
               == 0
        && gtk_widget_compute_bounds (row, GTK_WIDGET (self), &rect)
        && rect.origin.y >= 0
        && rect.origin.y + rect.size.height <= (float) gtk_widget_get_height (GTK_WIDGET (self)))
      {
        bounds->x = (int) rect.origin.x;
        bounds->y = (int) rect.origin.y;
        bounds->width = (int) rect.size.width;
        bounds->height = (int) rect.size.height;
        return TRUE;
      }
  return FALSE;
}
