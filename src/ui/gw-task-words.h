/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-error.h"
#include "gw-task.h"

G_BEGIN_DECLS

/* What a person sees of a task's status: waiting and interrupted are queued tasks with a reason. */
typedef enum {
  GW_TASK_LOOK_QUEUED,
  GW_TASK_LOOK_WAITING,
  GW_TASK_LOOK_INTERRUPTED,
  GW_TASK_LOOK_RUNNING,
  GW_TASK_LOOK_COMPLETED,
  GW_TASK_LOOK_FAILED,
  GW_TASK_LOOK_CANCELLED,
  GW_N_TASK_LOOKS
} GwTaskLook;

GwTaskLook gw_task_look (const GwTask *task);
const char *gw_task_look_get_word (GwTaskLook look);
const char *gw_task_look_get_icon (GwTaskLook look);
const char *gw_task_look_get_css_class (GwTaskLook look);

char *gw_task_words_for_error (const GwTask *task);
char *gw_task_words_for_waiting (const GwTask *task, gint64 wall_ms);
char *gw_task_words_for_time (const GwTask *task, gint64 wall_ms);
char *gw_task_words_for_size_limit (void);
char *gw_task_words_first_line (const char *text);
char *gw_duration_to_words (gint64 ms);
char *gw_error_to_words (const GError *error);

G_END_DECLS
