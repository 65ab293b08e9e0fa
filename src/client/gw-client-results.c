/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-client"

/* All tasks of a project, whole and in input order: GET /projects/{id}/results as JSON Lines, made
 * into tasks line by line while it comes in, so that only one piece of text is held at a time. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-cancel.h"
#include "gw-client-private.h"

#define CHUNK_BYTES (256 * 1024)
#define MAX_LINE_BYTES GW_CLIENT_MAX_ANSWER
#define MAX_ERROR_BYTES (64 * 1024)

/* The whole may take as long as it takes, a piece of it may not. */
#define PIECE_TIMEOUT_S 30

typedef struct {
  SoupMessage *message; /* (owned) */
  GCancellable *inner;  /* (owned): cancelled by the caller's, or where nothing comes any more */
  GCancellable *outer;  /* (owned) (nullable): the caller's */
  gulong outer_id;
  GMainContext *context; /* (owned) */
  GSource *deadline;    /* (owned) (nullable) */
  GInputStream *stream; /* (owned) (nullable) */
  GByteArray *rest;     /* (owned): a line that is not yet whole */
  GPtrArray *tasks;     /* (owned) (element-type GwTask) */
} Download;

static void
clear_deadline (Download *download)
{
  if (download->deadline == NULL)
    return;

  g_source_destroy (download->deadline);
  g_clear_pointer (&download->deadline, g_source_unref);
}

static void
give_up (Download *download)
{
  if (download->stream == NULL)
    gw_cancel_later (download->inner, download->context);
  else
    g_cancellable_cancel (download->inner);
}

static gboolean
deadline_cb (gpointer user_data)
{
  give_up (user_data);

  return G_SOURCE_REMOVE;
}

static void
start_deadline (Download *download)
{
  clear_deadline (download);
  download->deadline = g_timeout_source_new_seconds (PIECE_TIMEOUT_S);
  g_source_set_static_name (download->deadline, "[gangway] results deadline");
  g_source_set_callback (download->deadline, deadline_cb, download, NULL);
  g_source_attach (download->deadline, download->context);
}

static void
outer_cancelled_cb (GCancellable *outer,
                    gpointer user_data)
{
  give_up (user_data);
}

static void
download_free (Download *download)
{
  if (download->outer != NULL)
    g_cancellable_disconnect (download->outer, download->outer_id);
  clear_deadline (download);
  g_main_context_unref (download->context);
  g_clear_object (&download->outer);
  g_clear_object (&download->inner);
  g_clear_object (&download->stream);
  g_clear_object (&download->message);
  g_clear_pointer (&download->rest, g_byte_array_unref);
  g_clear_pointer (&download->tasks, g_ptr_array_unref);
  g_free (download);
}

static gboolean
take_line (Download *download,
           const char *line,
           gsize length,
           GError **error)
{
  g_autoptr (JsonObject) object = NULL;
  GwTask *task;

  if (length == 0)
    return TRUE;
  object = gw_json_parse_reply_object (line, length, error);
  if (object == NULL)
    return FALSE;
  task = gw_task_new_from_json (object, error);
  if (task == NULL)
    return FALSE;
  g_ptr_array_add (download->tasks, task);

  return TRUE;
}

/* All whole lines of what is there; what is left waits for its end. */
static gboolean
take_lines (Download *download,
            GError **error)
{
  const char *data = (const char *) download->rest->data;
  gsize length = download->rest->len;
  gsize start = 0;
  const char *end;

  while (start < length && (end = memchr (data + start, '\n', length - start)) != NULL)
    {
      if (!take_line (download, data + start, (gsize) (end - (data + start)), error))
        return FALSE;
      start = (gsize) (end - data) + 1;
    }
  if (start > 0)
    g_byte_array_remove_range (download->rest, 0, start);

  return TRUE;
}

static void
fail (GTask *task,
      GError *error)
{
  GwClient *self = g_task_get_source_object (task);
  Download *download = g_task_get_task_data (task);
  g_autoptr (GError) foreign = error;

  clear_deadline (download);
  if (foreign->domain == GW_ERROR
      || (download->outer != NULL && g_cancellable_is_cancelled (download->outer)))
    g_task_return_error (task, g_steal_pointer (&foreign));
  else if (g_error_matches (foreign, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_new_error (task, GW_ERROR, GW_ERROR_UNREACHABLE,
                             /* Translators: %s is an address, as http://127.0.0.1:8000 */
                             _("The gateway at %s did not answer in time"), self->uri);
  else
    g_task_return_new_error (task, GW_ERROR, GW_ERROR_UNREACHABLE,
                             /* Translators: an address, then the system's reason */
                             _("No answer from the gateway at %s: %s"),
                             self->uri, foreign->message);
}

static void
end_download (GTask *task)
{
  Download *download = g_task_get_task_data (task);
  guint status = soup_message_get_status (download->message);
  g_autoptr (GError) error = NULL;

  clear_deadline (download);
  if (status < 200 || status >= 300)
    {
      GwAnswer reply = { .status = status };

      reply.body = g_bytes_new (download->rest->data, download->rest->len);
      error = _gw_client_error_from_reply (&reply);
      g_bytes_unref (reply.body);
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  if (!take_line (download, (const char *) download->rest->data, download->rest->len, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  g_task_return_pointer (task, g_steal_pointer (&download->tasks),
                         (GDestroyNotify) g_ptr_array_unref);
}

static void
read_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Download *download = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) chunk = NULL;
  gboolean ok;
  gsize size;
  gconstpointer data;

  chunk = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);
  if (chunk == NULL)
    {
      fail (task, g_steal_pointer (&error));
      return;
    }

  data = g_bytes_get_data (chunk, &size);
  if (size == 0)
    {
      end_download (task);
      return;
    }

  g_byte_array_append (download->rest, data, size);
  ok = soup_message_get_status (download->message) < 300;
  if (ok && !take_lines (download, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  if (download->rest->len > (ok ? MAX_LINE_BYTES : MAX_ERROR_BYTES))
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_TOO_LARGE,
                               _("The gateway’s answer is too large"));
      return;
    }

  g_input_stream_read_bytes_async (download->stream, CHUNK_BYTES, G_PRIORITY_DEFAULT,
                                   download->inner, read_cb, g_object_ref (task));
  start_deadline (download);
}

static void
send_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Download *download = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  download->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (download->stream == NULL)
    {
      fail (task, g_steal_pointer (&error));
      return;
    }

  if (download->outer != NULL && g_cancellable_is_cancelled (download->outer))
    g_cancellable_cancel (download->inner);
  g_input_stream_read_bytes_async (download->stream, CHUNK_BYTES, G_PRIORITY_DEFAULT,
                                   download->inner, read_cb, g_object_ref (task));
  start_deadline (download);
}

/**
 * gw_client_get_results_async:
 * @self: a client
 * @project: an id or a name
 * @cancellable: (nullable): gives it up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Asks for all tasks of a project.
 */
void
gw_client_get_results_async (GwClient *self,
                             const char *project,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autofree char *segments = NULL;
  g_autofree char *path = NULL;
  Download *download;

  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (project != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gw_client_get_results_async);

  if (self->minimal != NULL)
    {
      GPtrArray *tasks = gw_minimal_poller_get_results (self->minimal, project);

      if (tasks != NULL)
        g_task_return_pointer (task, tasks, (GDestroyNotify) g_ptr_array_unref);
      else
        g_task_return_new_error (task, GW_ERROR, GW_ERROR_NOT_FOUND,
                                 _("There is no project “%s”"), project);
      return;
    }

  segments = gw_client_build_path ("projects", project, "results", NULL);
  path = g_strconcat (segments, "?format=jsonl", NULL);
  download = g_new0 (Download, 1);
  download->message = _gw_client_new_message (self, "GET", path);
  download->inner = g_cancellable_new ();
  download->context = g_main_context_ref_thread_default ();
  download->rest = g_byte_array_new ();
  download->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  g_task_set_task_data (task, download, (GDestroyNotify) download_free);
  if (download->message == NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_INVALID,
                               _("“%s” is no address of a gateway"), self->uri);
      return;
    }

  soup_message_add_flags (download->message, SOUP_MESSAGE_NO_REDIRECT);
  if (cancellable != NULL)
    {
      download->outer = g_object_ref (cancellable);
      download->outer_id = g_cancellable_connect (cancellable, G_CALLBACK (outer_cancelled_cb),
                                                  download, NULL);
    }
  start_deadline (download);
  soup_session_send_async (self->session, download->message, G_PRIORITY_DEFAULT, download->inner,
                           send_cb, g_object_ref (task));
}

/**
 * gw_client_get_results_finish:
 * @self: a client
 * @result: what the callback got
 * @error: GW_ERROR_NOT_FOUND and others, or G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full) (element-type GwTask): the tasks, in input order
 */
GPtrArray *
gw_client_get_results_finish (GwClient *self,
                              GAsyncResult *result,
                              GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
