/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _GwParseThread GwParseThread;

typedef void (*GwParseFunc) (gpointer job);

GwParseThread *gw_parse_thread_new (void);
void gw_parse_thread_free (GwParseThread *self);

/* @work runs on the thread, one job at a time in order; @done then in the context of the caller. */
void gw_parse_thread_push (GwParseThread *self, GwParseFunc work, GwParseFunc done, gpointer job);

G_END_DECLS
