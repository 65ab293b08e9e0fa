/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-sidebar"

#include "config.h"

#include "gw-compat.h"
#include "gw-day-list.h"
#include "gw-sidebar-private.h"

/* Two pages: the projects of today and what is unfinished, and the history, which is all that has
 * come to an end, by days (gw-sidebar-history.c). A search looks through everything, finished or
 * not.
 *
 * Rows are recycled. Whatever changes, and however often, bound rows are brought up to date once a
 * frame, and not at all while nobody can see them. */

enum {
  SHOW_PROJECT,
  OPENED,
  TARGET_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwSidebar, gw_sidebar, GTK_TYPE_WIDGET)

static gboolean
is_current (gpointer item,
            gpointer user_data)
{
  GwSidebar *self = user_data;
  const GwProject *project = gw_project_item_get_project (item);

  return !gw_project_is_finished (project) || project->finished_at >= self->cutoff
         || g_strcmp0 (project->project_id, self->shown) == 0;
}

/* --- Once a frame
 * ------------------------------------------------------------------------------ */

static void
select_shown_in (GwSidebar *self,
                 GtkSingleSelection *selection)
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
  gboolean found
      = real != NULL && _gw_sidebar_get_hits (self, gw_project_item_get_project (real)) > 0;

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

static gint64
start_of_today (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autoptr (GDateTime) midnight = g_date_time_new_local (
      g_date_time_get_year (now), g_date_time_get_month (now), g_date_time_get_day_of_month (now),
      0, 0, 0);

  return g_date_time_to_unix (midnight) * 1000;
}

static gboolean
tick_cb (GtkWidget *widget,
         GdkFrameClock *clock,
         gpointer user_data)
{
  GwSidebar *self = GW_SIDEBAR (widget);
  self->tick_id = 0;
  /* A window may stay open for days. */
  if (self->cutoff != start_of_today ())
    {
      self->cutoff = start_of_today ();
      self->refilter = TRUE;
    }
  update_fixed (self);
  if (self->refilter)
    {
      self->refilter = FALSE;
      gtk_filter_changed (self->current_filter, GTK_FILTER_CHANGE_DIFFERENT);
      gtk_filter_changed (self->history_filter, GTK_FILTER_CHANGE_DIFFERENT);
      select_shown (self);
    }
  _gw_sidebar_update_rows (self);
  _gw_sidebar_update_history_page (self);
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

void
_gw_sidebar_queue_update (GwSidebar *self)
{
  if (self->tick_id == 0)
    self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL, NULL);
}

void
_gw_sidebar_queue_refilter (GwSidebar *self)
{
  self->refilter = TRUE;
  _gw_sidebar_queue_update (self);
}

/* --- Choosing
 * ---------------------------------------------------------------------------------- */

static void
selected_cb (GwSidebar *self,
             GParamSpec *pspec,
             GtkSingleSelection *selection)
{
  GObject *item = gtk_single_selection_get_selected_item (selection);
  gboolean history = selection == self->history_selection;
  const char *id;
  gboolean hit;

  if (self->selecting || !GW_IS_PROJECT_ITEM (item))
    return;
  id = gw_project_item_get_project_id (GW_PROJECT_ITEM (item));
  if (g_strcmp0 (id, self->shown) == 0 && !(history && self->query != NULL))
    return;
  /* A name that was found is no text to look for in the tasks. */
  hit = history
        && _gw_sidebar_get_hits (self, gw_project_item_get_project (GW_PROJECT_ITEM (item))) > 0;
  g_signal_emit (self, signals[SHOW_PROJECT], 0, id, hit ? self->query : NULL);
}

/* ---------------------------------------------------------------------------------------------- */

static void
gw_sidebar_dispose (GObject *object)
{
  GwSidebar *self = GW_SIDEBAR (object);

  _gw_sidebar_stop_search (self);
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
  g_clear_pointer (&self->waiting, g_hash_table_unref);
  g_free (self->query);
  g_free (self->folded_query);
  g_free (self->search_error);
  g_free (self->shown);
  g_free (self->target);
  G_OBJECT_CLASS (gw_sidebar_parent_class)->finalize (object);
}

/* Tab leaves the lists, however many projects there are. */
static gboolean
gw_sidebar_focus_next (GtkWidget *widget,
                       GtkDirectionType direction)
{
  GwSidebar *self = GW_SIDEBAR (widget);
  gboolean forward = direction == GTK_DIR_TAB_FORWARD;
  gboolean tab = forward || direction == GTK_DIR_TAB_BACKWARD;

  if (tab && gw_compat_has_focus_in (GTK_WIDGET (self->projects_view)))
    return forward && gtk_widget_grab_focus (self->history_button);
  if (tab && gw_compat_has_focus_in (GTK_WIDGET (self->history_view)))
    return !forward && gtk_widget_grab_focus (GTK_WIDGET (self->search_entry));
  return GTK_WIDGET_CLASS (gw_sidebar_parent_class)->focus (widget, direction);
}

static void
gw_sidebar_class_init (GwSidebarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = gw_sidebar_dispose;
  object_class->finalize = gw_sidebar_finalize;
  widget_class->focus = gw_sidebar_focus_next;

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
  gtk_widget_class_bind_template_child (widget_class, GwSidebar, history_button);
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
  self->rows = g_hash_table_new (NULL, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_visible (self->history_page, FALSE);
  gw_compat_set_one_stop (GTK_WIDGET (self->projects_view));
  gw_compat_set_one_stop (GTK_WIDGET (self->history_view));
  _gw_sidebar_init_menu (self);
}

static GtkSingleSelection *
make_selection (GwSidebar *self,
                GListModel *model)
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

/* One list of all of @first, then all of @second. */
static GListModel *
join (gpointer first,
      gpointer second)
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

  self->history_filter = GTK_FILTER (gtk_custom_filter_new (_gw_sidebar_is_in_history, self, NULL));
  self->history = G_LIST_MODEL (gtk_filter_list_model_new (
      g_object_ref (G_LIST_MODEL (projects)), g_object_ref (self->history_filter)));
  days = gw_day_list_new (self->history);
  days_joined = join (self->found, days);
  self->history_selection = make_selection (self, days_joined);

  _gw_sidebar_set_views (self);
  g_signal_connect_object (projects, "changed", G_CALLBACK (_gw_sidebar_queue_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (projects, "finished-changed", G_CALLBACK (_gw_sidebar_queue_refilter),
                           self, G_CONNECT_SWAPPED);
  _gw_sidebar_init_search (self);
  select_shown (self);
  _gw_sidebar_queue_update (self);
  return self;
}

/**
 * gw_sidebar_set_client:
 * @client: (nullable): where tasks and results are searched
 */
void
gw_sidebar_set_client (GwSidebar *self,
                       GwClient *client)
{
  g_return_if_fail (GW_IS_SIDEBAR (self));

  if (!g_set_object (&self->client, client))
    return;
  _gw_sidebar_stop_search (self);
  _gw_sidebar_queue_update (self);
}

/**
 * gw_sidebar_set_totals:
 *
 * How many of all tasks there are, by status.
 */
void
gw_sidebar_set_totals (GwSidebar *self,
                       const guint counts[GW_N_TASK_STATUSES])
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
  _gw_sidebar_queue_update (self);
}

/**
 * gw_sidebar_set_shown:
 * @project_id: (nullable): the one that the window shows; NULL: all tasks
 */
void
gw_sidebar_set_shown (GwSidebar *self,
                      const char *project_id)
{
  g_return_if_fail (GW_IS_SIDEBAR (self));

  if (g_strcmp0 (self->shown, project_id) != 0)
    {
      g_free (self->shown);
      self->shown = g_strdup (project_id);
      _gw_sidebar_queue_refilter (self);
    }
  select_shown (self);
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
