/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "gw-attempts.h"
#include "gw-markdown-view.h"
#include "gw-partial-result.h"
#include "gw-task-detail.h"
#include "gw-task-summary.h"
#include "gw-task-words.h"

G_BEGIN_DECLS

struct _GwTaskDetail {
  GtkWidget parent_instance;

  /* Template children */
  GwTaskSummary *summary;
  GtkScrolledWindow *scroller;
  GtkImage *state_icon;
  GtkLabel *state_label;
  GtkButton *cancel_button;
  GtkButton *retry_button;
  GtkLabel *facts_label;
  GtkWidget *note_box;
  GtkLabel *note_label;
  GtkWidget *acts_box;
  GtkButton *act_button;
  GtkMenuButton *retry_with_button;
  GtkExpander *message_expander;
  GtkLabel *message_label;
  GwMarkdownView *content_text;
  GtkWidget *result_heading;
  GtkLabel *result_title;
  GtkToggleButton *plain_button;
  GtkWidget *copy_result_button;
  GwMarkdownView *result_text;
  GwPartialResult *partial_result;
  GwAttempts *attempts;
  GtkExpander *details_expander;
  GtkGrid *details;

  /* Owned references */
  GwClient *client;          /* (owned) (nullable) */
  GwTaskItem *item;          /* (owned) (nullable) */
  GwTask *whole;             /* (owned) (nullable) with content and result */
  GCancellable *cancellable; /* (owned) (nullable) of the fetch under way */
  guint late_id;             /* the fetch under way is not yet called slow */
  gboolean late;             /* it is */
  char *fetch_error;         /* (owned) (nullable) */
  char *project;             /* (owned) (nullable) its name */
  GSettings *settings;       /* (owned) */
  GtkWidget *shown;          /* borrowed: the one task, or the summary of several */

  guint number; /* within its project; 0: not known */
  gulong changed_id;
  guint tick_id;
  GwTaskLook look;
  gboolean has_look;
};

/* gw-task-detail.c */
GwTask *_gw_task_detail_get_task (GwTaskDetail *self); /* (nullable) (transfer none) */

/* gw-task-detail-facts.c */
void _gw_task_detail_update_state (GwTaskDetail *self, const GwTask *task);
void _gw_task_detail_update_facts (GwTaskDetail *self, const GwTask *task);
void _gw_task_detail_update_details (GwTaskDetail *self);

/* gw-task-detail-note.c */
void _gw_task_detail_update_note (GwTaskDetail *self, const GwTask *task);
void _gw_task_detail_update_act (GwTaskDetail *self, const GwTask *task);
void _gw_task_detail_copy_message (GwTaskDetail *self);

G_END_DECLS
