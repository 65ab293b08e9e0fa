/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-worker-thread"

#include "config.h"

#include "worker/gw-worker-thread.h"

/*
 * A thread that runs its own main context, pushed as its default, so that everything asynchronous
 * that is begun in it also ends in it.
 *
 * Threading: post from any thread; what is posted runs in the thread, in the order of posting.
 * Guarantee: what was posted before the stop has run when the stop returns.
 */

struct _GwWorkerThread {
  GThread *thread;        /* (owned) (nullable) */
  GMainContext *context;  /* (owned) */
  GMainLoop *loop;        /* (owned) */
};

typedef struct {
  GwWorkerFunc func;
  gpointer data;
} Post;

static gpointer
thread_worker (gpointer data)
{
  GwWorkerThread *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);

  /* Callbacks of operations that were cancelled on the way out. */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

static gboolean
post_cb (gpointer data)
{
  Post *post = data;

  post->func (post->data);

  return G_SOURCE_REMOVE;
}

static void
quit_cb (gpointer data)
{
  g_main_loop_quit (data);
}

/**
 * gw_worker_thread_new:
 * @name: at most 15 characters, shown by debuggers
 *
 * Returns: (transfer full): a thread that waits for posts
 */
GwWorkerThread *
gw_worker_thread_new (const char *name)
{
  GwWorkerThread *self = g_new0 (GwWorkerThread, 1);

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new (name, thread_worker, self);

  return self;
}

/* (transfer none): the thread's main context, which runs until it is stopped. */
GMainContext *
gw_worker_thread_get_context (GwWorkerThread *self)
{
  return self->context;
}

/**
 * gw_worker_thread_post:
 * @self: a thread that was not stopped
 * @func: runs in the thread, never in the call itself
 * @data: for @func, which owns it from then on as it sees fit
 */
void
gw_worker_thread_post (GwWorkerThread *self,
                       GwWorkerFunc func,
                       gpointer data)
{
  GSource *source = g_idle_source_new ();
  Post *post = g_new (Post, 1);

  *post = (Post){ .func = func, .data = data };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "gw-worker-thread post");
  g_source_set_callback (source, post_cb, post, g_free);
  g_source_attach (source, self->context);
  g_source_unref (source);
}

/**
 * gw_worker_thread_stop:
 * @self: a thread
 *
 * Ends the thread after what was posted, and joins it. Never called in it.
 */
void
gw_worker_thread_stop (GwWorkerThread *self)
{
  if (self->thread == NULL)
    return;

  gw_worker_thread_post (self, quit_cb, self->loop);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
gw_worker_thread_free (GwWorkerThread *self)
{
  gw_worker_thread_stop (self);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}
