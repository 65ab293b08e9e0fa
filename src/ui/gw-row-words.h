/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "gw-task.h"

G_BEGIN_DECLS

char *gw_row_words_for_result (const GwTask *task, const char *preview);
char *gw_row_words_for_model (const GwTask *task);
char *gw_row_words_for_second_line (const GwTask *task, gint64 wall_ms);
const char *gw_row_words_for_place (const GwTask *task);
const char *gw_row_words_for_reason (const char *reason); /* (nullable) */
char *gw_row_words_to_say (const GwTask *task, gint64 wall_ms);

G_END_DECLS
