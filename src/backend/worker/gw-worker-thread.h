/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A thread with its own main context, in which posted functions run one after the other. */
typedef struct _GwWorkerThread GwWorkerThread;

typedef void (*GwWorkerFunc) (gpointer data);

GwWorkerThread *gw_worker_thread_new (const char *name);
GMainContext *gw_worker_thread_get_context (GwWorkerThread *thread);
void gw_worker_thread_post (GwWorkerThread *thread, GwWorkerFunc func, gpointer data);
void gw_worker_thread_stop (GwWorkerThread *thread);
void gw_worker_thread_free (GwWorkerThread *thread);

G_END_DECLS
