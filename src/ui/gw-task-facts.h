/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-attempt.h"
#include "gw-task.h"

G_BEGIN_DECLS

/* One line of what is known of a task. */
typedef struct {
  char *name;
  char *value;
} GwFact;

GPtrArray *gw_task_facts (const GwTask *task, const char *project); /* (element-type GwFact) */
char *gw_task_guard (const GwTask *task, GPtrArray *attempts);
gboolean gw_models_differ (const char *asked, const char *answered);

char *gw_attempt_words (const GwAttempt *attempt);
char *gw_attempt_mark (const GwAttempt *attempt);
char *gw_attempt_times (const GwAttempt *attempt, gint64 ready_at, gint64 wall_ms);

G_END_DECLS
