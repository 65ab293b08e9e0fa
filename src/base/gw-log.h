/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One line a message on standard error; every known secret is replaced at this sink, whoever wrote
 * the message. See gw-log.c. */

void gw_log_init (const char *program);
gboolean gw_log_set_level (const char *level); /* error warning info debug */

void gw_log_add_secret (const char *secret);
char *gw_log_redact (const char *text);

/* (transfer full) the last lines that were written, the oldest first; keys are out of them too */
char *gw_log_dup_recent (void);

G_END_DECLS
