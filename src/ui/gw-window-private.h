/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-acts.h"
#include "gw-autosave.h"
#include "gw-banner.h"
#include "gw-composer.h"
#include "gw-failure-groups.h"
#include "gw-empty-page.h"
#include "gw-import-set.h"
#include "gw-gateway-watch.h"
#include "gw-project-list.h"
#include "gw-run-progress.h"
#include "gw-sidebar.h"
#include "gw-task-detail.h"
#include "gw-task-list.h"
#include "gw-task-view.h"
#include "gw-timeline.h"
#include "gw-undo.h"
#include "gw-window.h"

G_BEGIN_DECLS

typedef struct _GwCompose GwCompose;       /* gw-window-compose.c */
guint _gw_window_count_held (GwWindow *self);
void _gw_window_compose_follow (GwWindow *self, GwProviderChoice *choice);
typedef struct _GwSubmission GwSubmission; /* tasks on their way in, gw-window-submit.c */

typedef enum {
  GW_SUBMIT_DEFAULT = 0,
  GW_SUBMIT_COMPOSED = 1 << 0, /* the compose box waits for the outcome */
  GW_SUBMIT_HOLD = 1 << 1,     /* added only: its project is paused in the same step */
} GwSubmitFlags;

/* Where what is typed goes. */
typedef enum {
  GW_TARGET_AUTOMATIC,
  GW_TARGET_SHOWN, /* the project that is shown */
  GW_TARGET_NEW,   /* one of its own */
  GW_TARGET_QUICK,
} GwTarget;

struct _GwWindow {
  AdwApplicationWindow parent_instance;

  /* Template children */
  AdwToastOverlay *toast_overlay;
  GtkWidget *back_button;
  GtkWidget *add_button;
  GtkButton *pause_button;
  GtkWidget *save_button;
  GMenu *retry_failed_section;
  GMenu *pause_section;
  GMenu *undo_section;
  GtkWidget *search_button;
  AdwWindowTitle *title;
  GtkProgressBar *progress_bar;
  GwBanner *banner;
  AdwFlap *sidebar_flap;
  AdwBin *sidebar_bin;
  AdwLeaflet *leaflet;
  GtkStack *stack;
  GwEmptyPage *empty_page;
  GwTaskView *task_view;
  GtkWidget *detail_separator;
  GwTaskDetail *detail;
  GtkRevealer *timeline_revealer;
  AdwBin *timeline_bin;
  GwTimeline *timeline;
  GtkWidget *timeline_button;
  GwComposer *composer;

  /* Owned references */
  GSettings *settings;
  GwEndpoint *endpoint;
  GwGatewayWatch *watch;
  GwTaskList *list;          /* (nullable) until a gateway has been found */
  GCancellable *cancellable; /* of everything that the window waits for */
  GPtrArray *pending;        /* (element-type GwSubmission) for the gateway to come */
  char *project_id;          /* (nullable) that is shown; NULL: all tasks */
  GwProjectList *projects;
  GHashTable *selected_in;   /* project id, "" for all → the task that was read last there */
  char *restore_project;     /* (nullable) shown as soon as it is there again */
  char *removing_id;         /* (nullable) project that is removed when its toast is over */
  AdwToast *removing_toast;  /* (nullable) */
  guint removing_timer_id;   /* its toast has made room for another before its time */
  char *select_id;           /* (nullable) selected as soon as its row is there */
  GtkWidget *dialog;         /* (nullable) weak: the question that is open */
  GtkFileChooserNative *chooser; /* (nullable) */
  GtkFileChooserNative *save_chooser; /* (nullable) */
  GwImportSet *import_set;   /* (nullable) files that are being read, before their dialog */
  GtkWidget *import_dialog;  /* (nullable) weak */
  GwUndo *undo;
  AdwToast *act_toast;       /* (nullable) of the newest act, while it is shown */
  guint64 act_toast_id;
  GwAutosave *autosave;
  GwFailureSums *failures;
  GwFailureGroups *failure_groups; /* (unowned) in the list */
  GMenu *task_retry_section;
  GMenu *retry_with_section;
  GMenu *retry_with_menu;
  GPtrArray *infos;          /* (nullable) (element-type GwProviderInfo) as last told */
  char *providers_shown;     /* (nullable) what the menus say of them */
  gint64 providers_at;       /* monotonic µs; 0: never asked */
  guint providers_id;        /* they are asked for again */
  GwCompose *compose;        /* (nullable) while it is taken apart */
  GwTarget target;           /* that was chosen for what is typed next */
  GMenu *target_menu;
  char *target_shown;        /* (nullable) the project that it names */

  /* Borrowed references */
  GwSidebar *sidebar;        /* in sidebar_bin */
  GtkWidget *project_popover; /* (nullable) while it is open: a name, a limit */

  GwRunProgress progress;    /* of all tasks */
  GwRunProgress shown;       /* of the project that is shown */
  char *shown_id;            /* (nullable) which that is */
  char *estimate_id;         /* (nullable) the project that was asked about */
  gint64 estimate_at;        /* monotonic µs */
  gboolean estimate_is_last;
  gboolean estimating;
  gint64 tokens_before;      /* used when the run began */
  int told_percent;          /* to the task bar; -1: none */
  GwFailureRun failure_run;
  char *pause_words;         /* (nullable) why all is being paused */
  guint inhibit_cookie;
  gint64 ran_at;             /* monotonic ms: a task ran */
  AdwToast *finish_toast;    /* (owned) (nullable) */
  guint finish_id;           /* what is to happen after the run comes closer */
  guint finish_left;         /* s */
  gboolean finish_suspends;  /* else it quits */
  gboolean run_active;
  gboolean told_running;
  int width;
  int arranged_width;
  guint arrange_id;
  guint removals;            /* that the gateway has not answered yet */
  guint settle_id;
  GSourceFunc settled;       /* (nullable) waits for those before the end */
  gpointer settled_data;
  guint popover_id;          /* the popover goes once it is closed */
  guint layout_id;
  guint failures_id;
  guint import_id;
  guint tick_id;
  guint several_id;          /* the summary of what is selected is told anew */
  guint idle_id;             /* hidden, nothing left to do: quits soon */
  JsonObject *recovery;      /* (nullable) what GET /recovery said */
  gint64 recovery_checked;   /* for the gateway that is ready since then */
  gboolean saw_held;         /* the feed told of projects that wait for that */
  guint recovered;           /* tasks that a crash left uncertain, until resumed */
  gboolean restored;         /* what the last window showed, once it is known what is there */
  gboolean project_known;    /* the gateway has told of the one that is shown */
  gboolean sidebar_asked;    /* the user wants to see it also where there is little in it */
  gboolean was_lost;
  char *lost_store;            /* (owned) (nullable) with @was_lost: the data that were lost */
  gboolean refused_away;       /* the compose box says that the gateway does not answer */
  gboolean keep_running;     /* hidden by the user while tasks run */
};

/* gw-window.c */
GtkWindow *_gw_window_get_front (GwWindow *self);
void _gw_window_toast (GwWindow *self, const char *text);
void _gw_window_toast_error (GwWindow *self, const char *what, const GError *error);
void _gw_window_update (GwWindow *self);
void _gw_window_show_detail (GwWindow *self);
void _gw_window_show_list (GwWindow *self);
void _gw_window_queue_layout (GwWindow *self);

/* gw-window-actions.c */
void _gw_window_actions_class_init (GwWindowClass *klass);
void _gw_window_actions_init (GwWindow *self);
void _gw_window_actions_update (GwWindow *self);

/* gw-window-tasks.c */
gboolean _gw_window_gateway_answers (GwWindow *self);
void _gw_window_tasks_class_init (GwWindowClass *klass);
void _gw_window_tasks_update (GwWindow *self);
GwActs *_gw_window_new_acts (GwWindow *self); /* (nullable) without a gateway */
GPtrArray *_gw_window_get_targets (GwWindow *self);
GPtrArray *_gw_window_get_projects_of (GwWindow *self, GPtrArray *items);
gboolean _gw_window_is_paused (GwWindow *self);
void _gw_window_retry_ids (GwWindow *self, GPtrArray *ids, const char *provider,
                           const char *model);
void _gw_window_retry_cause (GwWindow *self, GPtrArray *projects, GPtrArray *ids, const char *code,
                             const char *provider, const char *model);
void _gw_window_move_ids (GwWindow *self, GPtrArray *ids, const char *provider,
                          const char *model);
void _gw_window_push_added (GwWindow *self, const char *toast, GPtrArray *ids);

/* gw-window-copy.c */
void _gw_window_copy_class_init (GwWindowClass *klass);
void _gw_window_copy_update (GwWindow *self);

/* gw-window-export.c */
void _gw_window_export_class_init (GwWindowClass *klass);
void _gw_window_export_update (GwWindow *self);
void _gw_window_save_project (GwWindow *self, const char *project_id);

/* gw-window-list.c */
void _gw_window_list_class_init (GwWindowClass *klass);
void _gw_window_list_init (GwWindow *self);
void _gw_window_list_update (GwWindow *self);

/* gw-window-autosave.c */
void _gw_window_autosave_class_init (GwWindowClass *klass);
void _gw_window_autosave_init (GwWindow *self);
void _gw_window_autosave_follow (GwWindow *self);
char *_gw_window_autosave_get_trouble (GwWindow *self);
void _gw_window_autosave_dispose (GwWindow *self);

/* gw-window-failures.c */
void _gw_window_failures_init (GwWindow *self);
void _gw_window_failures_follow (GwWindow *self);
void _gw_window_failures_queue (GwWindow *self);
void _gw_window_failures_recount (GwWindow *self);
void _gw_window_failures_dispose (GwWindow *self);

/* gw-window-menus.c */
void _gw_window_menus_class_init (GwWindowClass *klass);
void _gw_window_menus_init (GwWindow *self);
void _gw_window_menus_update (GwWindow *self);
void _gw_window_menus_set_providers (GwWindow *self, GPtrArray *infos);
void _gw_window_menus_dispose (GwWindow *self);

/* gw-window-detail.c */
void _gw_window_detail_class_init (GwWindowClass *klass);
void _gw_window_detail_select (GwWindow *self);
void _gw_window_detail_update (GwWindow *self);
void _gw_window_detail_found_changed (GwWindow *self);
void _gw_window_detail_dispose (GwWindow *self);

/* gw-window-preferences.c */
void _gw_window_preferences_class_init (GwWindowClass *klass);

/* gw-window-undo.c */
void _gw_window_undo_class_init (GwWindowClass *klass);
void _gw_window_undo_init (GwWindow *self);
void _gw_window_undo_update (GwWindow *self);
void _gw_window_undo_dispose (GwWindow *self);
gboolean _gw_window_is_toast_superseded (AdwToast *toast);
void _gw_window_show_act_toast (GwWindow *self, AdwToast *toast, guint64 id);
void _gw_window_push_undo (GwWindow *self, const char *toast, const char *label, GwUndoFunc redo,
                           GwUndoFunc undo, gpointer data, GDestroyNotify free_data);
void _gw_window_undo_with_acts (GwWindow *self, GwActs *acts, const char *failed);

/* gw-window-submit.c */
GPtrArray *_gw_window_make_tasks (GPtrArray *contents);
void _gw_window_submit_as (GwWindow *self, GPtrArray *tasks, const char *name,
                           GwSubmitFlags flags);
void _gw_window_submit_composed (GwWindow *self, GPtrArray *contents, gboolean hold);
void _gw_window_submit_connected (GwWindow *self);
void _gw_window_submit_pending (GwWindow *self);
void _gw_window_fail_pending (GwWindow *self);
void _gw_window_paste (GwWindow *self);

void _gw_submission_free (GwSubmission *submission);

/* gw-window-compose.c */
guint _gw_window_count_held (GwWindow *self);
void _gw_window_compose_init (GwWindow *self);
void _gw_window_compose_update (GwWindow *self);
void _gw_window_compose_fetch_providers (GwWindow *self);
void _gw_window_compose_client_changed (GwWindow *self);
void _gw_window_compose_save (GwWindow *self, gboolean now);
void _gw_compose_free (GwCompose *compose);

/* gw-window-target.c */
GwTarget _gw_window_get_target (GwWindow *self);
void _gw_window_target_init (GwWindow *self);
void _gw_window_target_update (GwWindow *self);
void _gw_window_target_reset (GwWindow *self);
void _gw_window_target_dispose (GwWindow *self);

/* gw-window-files.c */
void _gw_window_choose_files (GwWindow *self);
void _gw_window_accept_drops (GwWindow *self);
void _gw_window_files_dispose (GwWindow *self);

/* gw-window-projects.c */
void _gw_window_show_project (GwWindow *self, const char *project_id);
void _gw_window_show_new (GwWindow *self);
const char *_gw_window_get_target_project (GwWindow *self);
void _gw_window_projects_class_init (GwWindowClass *klass);
void _gw_window_projects_init (GwWindow *self);
void _gw_window_projects_set_list (GwWindow *self, GwClient *client);
void _gw_window_projects_update (GwWindow *self);
void _gw_window_projects_save_state (GwWindow *self);
void _gw_window_projects_arrange (GwWindow *self);
void _gw_window_projects_dispose (GwWindow *self);

/* gw-window-project-acts.c */
void _gw_window_project_acts_class_init (GwWindowClass *klass);
void _gw_window_project_limits_class_init (GwWindowClass *klass);
gboolean _gw_window_project_limits_show (GwWindow *self);
void _gw_window_project_acts_init (GwWindow *self);
void _gw_window_project_acts_update (GwWindow *self);
void _gw_window_project_acts_ask_keep_days (GwWindow *self);
void _gw_window_project_acts_abandon (GwWindow *self);
void _gw_window_project_acts_flush (GwWindow *self);
void _gw_window_project_acts_catch_up (GwWindow *self);
void _gw_window_project_acts_dispose (GwWindow *self);

/* gw-window-progress.c */
void _gw_window_progress_update (GwWindow *self);

/* gw-window-run.c */
void _gw_window_run_class_init (GwWindowClass *klass);
void _gw_window_run_init (GwWindow *self);
void _gw_window_run_dispose (GwWindow *self);
void _gw_window_run_follow (GwWindow *self);
void _gw_window_run_update (GwWindow *self);
void _gw_window_cancel_finish (GwWindow *self);

/* gw-window-recovery.c */
void _gw_window_recovery_class_init (GwWindowClass *klass);
void _gw_window_recovery_update (GwWindow *self);
void _gw_window_check_recovery (GwWindow *self);

/* gw-window-timeline.c */
void _gw_window_timeline_init (GwWindow *self);
void _gw_window_timeline_selection_changed (GwWindow *self);
void _gw_window_timeline_source_changed (GwWindow *self);
void _gw_window_timeline_tasks_changed (GwWindow *self);

/* gw-window-state.c */
void _gw_window_banner_update (GwWindow *self);
void _gw_window_trouble_changed (GwWindow *self);
const char *_gw_window_get_list_failure (GwWindow *self); /* (nullable) */
void _gw_window_gateway_update (GwWindow *self);

/* gw-window-life.c */
void _gw_window_life_update (GwWindow *self);
gboolean _gw_window_close_request (GtkWindow *window);

/* gw-draft.c */
char *gw_draft_load (void);
void gw_draft_save (const char *text, gboolean now);
char *gw_draft_load_aside (void);
void gw_draft_save_aside (const char *text, gboolean now);

G_END_DECLS
