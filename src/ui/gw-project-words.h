/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-project.h"

G_BEGIN_DECLS

/* What a person sees of a project's state, at one look. */
typedef enum {
  GW_PROJECT_LOOK_EMPTY,
  GW_PROJECT_LOOK_QUEUED,
  GW_PROJECT_LOOK_RUNNING,
  GW_PROJECT_LOOK_WAITING,   /* all that is left of it, until a person does something */
  GW_PROJECT_LOOK_PAUSED,
  GW_PROJECT_LOOK_SPENT,     /* paused: its answers have used its tokens */
  GW_PROJECT_LOOK_COMPLETED,
  GW_PROJECT_LOOK_PARTLY,    /* answered, but for those that failed */
  GW_PROJECT_LOOK_FAILED,    /* nothing in it came to an answer */
  GW_PROJECT_LOOK_CANCELLED,
  GW_N_PROJECT_LOOKS
} GwProjectLook;

gboolean gw_project_is_quick (const GwProject *project);
/* @waiting: how many of its queued tasks wait until a person does something. */
GwProjectLook gw_project_look (const GwProject *project, guint64 waiting);
const char *gw_project_look_get_word (GwProjectLook look);
const char *gw_project_look_get_icon (GwProjectLook look);
const char *gw_project_look_get_css_class (GwProjectLook look);

guint64 gw_project_count_all (const GwProject *project);
double gw_project_get_fraction (const GwProject *project);

const char *gw_project_words_title (const GwProject *project);
char *gw_project_words_progress (const GwProject *project);
char *gw_project_words_for_row (const GwProject *project, guint64 waiting, guint hits);
char *gw_project_words_number (gint64 number);
char *gw_project_words_tokens (gint64 tokens);
char *gw_project_words_hits (guint hits, gboolean more);
char *gw_day_to_words (const GDate *day, const GDate *today);
char *gw_keep_days_to_words (gint64 days);

G_END_DECLS
