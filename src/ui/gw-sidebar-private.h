/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-sidebar.h"

G_BEGIN_DECLS

struct _GwSidebar {
  GtkWidget parent_instance;

  /* Template children */
  GtkStack *stack;
  GtkWidget *projects_page;
  GtkListView *projects_view;
  GtkLabel *history_count;
  GtkWidget *history_page;
  GtkWidget *history_button;
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
  GHashTable *waiting;            /* (nullable) id → tasks that wait for a person */
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

/* gw-sidebar.c */
void _gw_sidebar_queue_update (GwSidebar *self);
void _gw_sidebar_queue_refilter (GwSidebar *self);

/* gw-sidebar-history.c */
guint _gw_sidebar_get_hits (GwSidebar *self, const GwProject *project);
gboolean _gw_sidebar_is_in_history (gpointer item, gpointer user_data);
void _gw_sidebar_update_history_page (GwSidebar *self);
void _gw_sidebar_stop_search (GwSidebar *self);
void _gw_sidebar_init_search (GwSidebar *self);

/* gw-sidebar-menu.c */
void _gw_sidebar_add_controllers (GwSidebar *self, GtkListView *view);
void _gw_sidebar_init_menu (GwSidebar *self);

/* gw-sidebar-rows.c */
void _gw_sidebar_update_rows (GwSidebar *self);
void _gw_sidebar_set_views (GwSidebar *self);

G_END_DECLS
