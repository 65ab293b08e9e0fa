/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where bodies over 256 KiB become plain data, so that the gateway's thread goes on serving.
 *
 * Threading: one thread, started by the first job; a job belongs to it until @done. One at a time
 * bounds the memory that trees of JSON take. Guarantee: @done runs once for every job, in order, as
 * long as the caller's context runs.
 */
#define G_LOG_DOMAIN "gw-parse-thread"

#include "config.h"

#include "gateway/gw-parse-thread.h"

struct _GwParseThread {
  GThread *thread;     /* (nullable) until the first job */
  GAsyncQueue *jobs;   /* (element-type Job) */
};

typedef struct {
  GwParseFunc work;    /* NULL: the thread ends */
  GwParseFunc done;
  gpointer data;
  GMainContext *context;
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_clear_pointer (&job->context, g_main_context_unref);
  g_free (job);
}

static gboolean
done_cb (gpointer user_data)
{
  Job *job = user_data;

  job->done (job->data);

  return G_SOURCE_REMOVE;
}

static gpointer
parse_thread (gpointer data)
{
  GAsyncQueue *jobs = data;
  gboolean ends = FALSE;

  while (!ends)
    {
      Job *job = g_async_queue_pop (jobs);

      if (job->work == NULL)
        {
          ends = TRUE;
          job_free (job);
        }
      else
        {
          g_autoptr (GSource) source = g_idle_source_new ();

          job->work (job->data);
          g_source_set_priority (source, G_PRIORITY_DEFAULT);
          g_source_set_callback (source, done_cb, job, job_free);
          g_source_attach (source, job->context);
        }
    }

  return NULL;
}

/* (transfer full): without a job; its thread starts with the first. */
GwParseThread *
gw_parse_thread_new (void)
{
  GwParseThread *self = g_new0 (GwParseThread, 1);

  self->jobs = g_async_queue_new ();

  return self;
}

/* Joins the thread; jobs that were pushed are done first. */
void
gw_parse_thread_free (GwParseThread *self)
{
  if (self == NULL)
    return;

  if (self->thread != NULL)
    {
      g_async_queue_push (self->jobs, g_new0 (Job, 1));
      g_thread_join (self->thread);
    }
  g_async_queue_unref (self->jobs);
  g_free (self);
}

void
gw_parse_thread_push (GwParseThread *self,
                      GwParseFunc work,
                      GwParseFunc done,
                      gpointer data)
{
  Job *job = g_new0 (Job, 1);

  job->work = work;
  job->done = done;
  job->data = data;
  job->context = g_main_context_ref_thread_default ();
  if (self->thread == NULL)
    self->thread = g_thread_new ("gw-parse", parse_thread, self->jobs);
  g_async_queue_push (self->jobs, job);
}
