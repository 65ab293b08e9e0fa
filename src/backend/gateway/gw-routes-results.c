/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GET /projects/{id}/results: a document as long as the project, streamed.
 *
 * The queue gives pages of whole tasks after a position; each becomes one chunk, and the next page
 * is asked for only when libsoup has written the last one, so a slow reader holds one page and no
 * reading of the store. A table's header names all submitted metadata: for CSV the pages are read
 * twice.
 *
 * Threading: the gateway's thread. Guarantee: input order, each task once; a task that changes
 * under the reading is seen in its old or its new state.
 */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include "gw-format.h"

#include "gateway/gw-gateway-private.h"

#define PAGE_TASKS 500
#define PAGE_BYTES (1024 * 1024)

typedef struct {
  int ref_count;
  GwRequest *request;     /* (owned) */
  GwFormatter *formatter; /* (owned) (nullable) until the project is known */
  GwFormat format;
  char *project;          /* (owned) its id */
  guint statuses;
  guint64 after;
  gboolean learning;
  gboolean begun;
  gboolean reading;
  gboolean ended;
} Stream;

static void read_page (Stream *stream);

static void
stream_unref (Stream *stream)
{
  if (--stream->ref_count > 0)
    return;

  g_clear_pointer (&stream->formatter, gw_formatter_free);
  g_clear_pointer (&stream->project, g_free);
  gw_request_unref (stream->request);
  g_free (stream);
}

static void
closure_gone (gpointer data,
              GClosure *closure)
{
  stream_unref (data);
}

/* The last page is with the client. */
static void
wrote_chunk_cb (SoupServerMessage *message,
                gpointer user_data)
{
  Stream *stream = user_data;

  if (!stream->ended && !stream->reading)
    read_page (stream);
}

static void
send_page (Stream *stream,
           GPtrArray *tasks)
{
  GString *text = g_string_sized_new (4096);

  if (!stream->begun)
    {
      stream->begun = TRUE;
      gw_request_begin_stream (stream->request, gw_format_content_type (stream->format));
      stream->ref_count++;
      g_signal_connect_data (stream->request->message, "wrote-chunk", G_CALLBACK (wrote_chunk_cb),
                             stream, closure_gone, 0);
      gw_formatter_begin (stream->formatter, text);
    }
  for (guint i = 0; i < tasks->len; i++)
    gw_formatter_task (stream->formatter, tasks->pdata[i], text);
  stream->ended = tasks->len == 0;
  if (stream->ended)
    gw_formatter_end (stream->formatter, text);
  gw_request_send_piece (stream->request, text, stream->ended);
}

static void
page_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  Stream *stream = user_data;
  g_autoptr (GwRequest) request = gw_request_release (stream->request);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tasks = NULL;

  tasks = gw_queue_read_results_finish (GW_QUEUE (source), result, &error);
  stream->reading = FALSE;
  if (request->message == NULL)
    {
      /* The client has left. */
    }
  else if (tasks == NULL && !stream->begun)
    {
      gw_request_fail (request, error);
    }
  else if (tasks == NULL)
    {
      /* The status is out: only a connection that breaks off tells that something is missing. */
      g_warning ("Results of project %s broke off: %s", stream->project, error->message);
      gw_http_connection_cut (request->connection);
    }
  else
    {
      if (tasks->len > 0)
        stream->after = ((GwTask *) tasks->pdata[tasks->len - 1])->position;
      if (stream->learning && tasks->len > 0)
        {
          for (guint i = 0; i < tasks->len; i++)
            gw_formatter_learn (stream->formatter, tasks->pdata[i]);
          read_page (stream);
        }
      else if (stream->learning)
        {
          stream->learning = FALSE;
          stream->after = 0;
          read_page (stream);
        }
      else
        {
          send_page (stream, tasks);
        }
    }
  stream_unref (stream);
}

static void
read_page (Stream *stream)
{
  GwResultsQuery query = {
    .project = stream->project,
    .statuses = stream->statuses,
    .after = stream->after,
    .limit = PAGE_TASKS,
    .max_bytes = PAGE_BYTES,
  };

  stream->reading = TRUE;
  stream->ref_count++;
  gw_request_hold (stream->request);
  gw_queue_read_results_async (stream->request->gateway->queue, &query, page_cb, stream);
}

static void
project_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  Stream *stream = user_data;
  g_autoptr (GwRequest) request = gw_request_release (stream->request);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwProject) project = NULL;

  project = gw_queue_get_project_finish (GW_QUEUE (source), result, &error);
  if (project == NULL)
    {
      gw_request_fail (request, error);
    }
  else
    {
      stream->project = g_strdup (project->project_id);
      stream->formatter = gw_formatter_new (stream->format, project->name);
      stream->learning = gw_formatter_needs_columns (stream->formatter);
      read_page (stream);
    }
  stream_unref (stream);
}

void
gw_route_get_results (GwRequest *request)
{
  const char *format_name = gw_request_get_query (request, "format");
  g_autoptr (GError) error = NULL;
  GwFormat format = GW_FORMAT_JSON;
  guint statuses = 0;
  Stream *stream;

  if (format_name != NULL && !gw_format_from_string (format_name, &format))
    {
      gw_request_fail_with (request, GW_ERROR_INVALID,
                            "format: '%.40s' is none. Use json, jsonl, csv or md.", format_name);
      return;
    }
  if (!gw_request_get_query_statuses (request, &statuses, &error))
    {
      gw_request_fail (request, error);
      return;
    }

  stream = g_new0 (Stream, 1);
  stream->ref_count = 1;
  stream->request = gw_request_ref (request);
  stream->format = format;
  stream->statuses = statuses;
  gw_request_hold (request);
  gw_queue_get_project_async (request->gateway->queue, request->capture, project_cb, stream);
}
