/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-task-cell.h"
#include "gw-task-filters.h"
#include "gw-task-previews.h"
#include "gw-task-waits.h"
#include "gw-task-rows.h"
#include "gw-task-search.h"
#include "gw-task-view.h"

G_BEGIN_DECLS

struct _GwTaskView {
  GtkWidget parent_instance;

  /* Template children */
  GtkWidget *box;
  GtkSearchBar *search_bar;
  GtkSearchEntry *search_entry;
  GtkLabel *hits_label;
  GwTaskFilters *filters;
  AdwBin *notice_bin;
  GtkStack *stack;
  GtkScrolledWindow *scroller;
  GtkColumnView *column_view;
  AdwStatusPage *none_page;
  GtkButton *none_button;

  GwTaskList *list;             /* (owned) (nullable) */
  GwTaskRows *rows;             /* (owned): what is shown of it */
  GtkMultiSelection *selection; /* (owned) */
  GtkWidget *menu;              /* (owned by the tree) (nullable) */
  GHashTable *cells;            /* (owned) (element-type GwTaskCell) (unowned) that are bound */
  char *project_id;             /* (owned) (nullable): all */
  char *hidden_id;              /* (owned) (nullable): about to be removed */
  guint statuses;               /* what is shown, see gw_task_rows_set_statuses() */
  guint tick_id;

  /* Columns, gw-task-view-columns.c */
  GtkColumnViewColumn *columns[GW_N_TASK_COLUMNS]; /* (owned) */
  gboolean has_column[GW_N_TASK_COLUMNS];
  int probed;                   /* while it is asked how the headers sort */
  GwTaskSort sort;
  gboolean descending;
  gboolean narrow;
  int width;
  guint digits;                 /* of the largest number */
  guint width_id;

  /* Search, gw-task-view-search.c */
  GwTaskSearch *search;         /* (owned) (nullable): whose hits are shown */
  GwTaskSearch *next_search;    /* (owned) (nullable): has not looked yet; shown once it has */
  guint search_id;
  char *needle;                 /* (owned) (nullable) a GRefString: what it is, for the cells */

  /* Previews, gw-task-view-previews.c */
  GwTaskPreviews *previews;     /* (owned) (nullable) */
  guint previews_id;
  GwTaskWaits *waits;           /* (owned) (nullable) */
  guint waits_in;               /* ticks until they are asked for again */

  /* Following, gw-task-view-follow.c */
  gboolean follow;
  GwTaskItem *newest;           /* (owned) (nullable): began to run last */
  gint64 newest_at;
  guint follow_id;
};

/* gw-task-view.c */
void _gw_task_view_emit (GwTaskView *self, const char *signal);

/* gw-task-view-menu.c */
void _gw_task_view_menu_init (GwTaskView *self);
void _gw_task_view_menu_clear (GwTaskView *self);

/* gw-task-view-none.c */
void _gw_task_view_update_none (GwTaskView *self);

/* gw-task-view-columns.c */
void _gw_task_view_columns_init (GwTaskView *self);
void _gw_task_view_columns_clear (GwTaskView *self);
void _gw_task_view_columns_update (GwTaskView *self);
void _gw_task_view_update_numbers (GwTaskView *self);
void _gw_task_view_set_width (GwTaskView *self, int width);

/* gw-task-view-search.c */
void _gw_task_view_search_init (GwTaskView *self);
void _gw_task_view_search_clear (GwTaskView *self);
void _gw_task_view_search_again (GwTaskView *self);
void _gw_task_view_update_hits (GwTaskView *self);

/* gw-task-view-previews.c */
void _gw_task_view_previews_init (GwTaskView *self);
void _gw_task_view_previews_clear (GwTaskView *self);
void _gw_task_view_previews_later (GwTaskView *self, gboolean scrolled);
void _gw_task_view_waits_tick (GwTaskView *self);

/* gw-task-view-follow.c */
void _gw_task_view_follow_init (GwTaskView *self);
void _gw_task_view_follow_clear (GwTaskView *self);
void _gw_task_view_follow_delta (GwTaskView *self, GwTaskDelta *delta);

G_END_DECLS
