/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads the body of a reply into memory with a limit that counts what comes out of the decoder, so
 * that a small compressed body cannot become a large one. Lives in one thread. */

#define G_LOG_DOMAIN "gw-body-reader"

#include "config.h"

#include "provider/gw-body-reader.h"

#define CHUNK (64 * 1024)

typedef struct {
  GByteArray *bytes;   /* (owned) */
  gsize max_bytes;
  GCallback progress;  /* (nullable) void (*) (gpointer) */
  GwBodyTakeFunc take; /* (nullable) */
  gpointer data;
  gsize seen;
} Reader;

static void
reader_free (gpointer data)
{
  Reader *reader = data;

  g_clear_pointer (&reader->bytes, g_byte_array_unref);
  g_free (reader);
}

static void
read_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) chunk = NULL;
  Reader *reader = g_task_get_task_data (task);
  const guint8 *data;
  gsize size = 0, kept;
  gboolean too_large;

  chunk = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);
  if (chunk == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  data = g_bytes_get_data (chunk, &size);
  if (size == 0)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (reader->seen == 0 && reader->progress != NULL)
    ((void (*) (gpointer)) reader->progress) (reader->data);
  kept = MIN (size, reader->max_bytes - reader->seen);
  too_large = kept < size;
  reader->seen += kept;
  if (reader->take != NULL)
    {
      too_large |= !reader->take ((const char *) data, kept, reader->data);
      kept = MIN (kept, GW_BODY_KEPT - MIN (reader->bytes->len, GW_BODY_KEPT));
    }
  g_byte_array_append (reader->bytes, data, kept);
  if (too_large)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                               "it is longer than %" G_GSIZE_FORMAT " bytes", reader->max_bytes);
      return;
    }
  g_input_stream_read_bytes_async (G_INPUT_STREAM (source), CHUNK, G_PRIORITY_DEFAULT,
                                   g_task_get_cancellable (task), read_cb, g_object_ref (task));
}

static void
read_body (GInputStream *stream,
           Reader *reader,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  GTask *task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, gw_body_read_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, reader, reader_free);
  reader->bytes = g_byte_array_new ();
  g_input_stream_read_bytes_async (stream, CHUNK, G_PRIORITY_DEFAULT, cancellable, read_cb, task);
}

void
gw_body_read_async (GInputStream *stream,
                    gsize max_bytes,
                    GCallback progress,
                    gpointer data,
                    GCancellable *cancellable,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  Reader *reader = g_new0 (Reader, 1);

  reader->max_bytes = max_bytes;
  reader->progress = progress;
  reader->data = data;
  read_body (stream, reader, cancellable, callback, user_data);
}

void
gw_body_take_async (GInputStream *stream,
                    gsize max_bytes,
                    GwBodyTakeFunc take,
                    gpointer data,
                    GCancellable *cancellable,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  Reader *reader = g_new0 (Reader, 1);

  reader->max_bytes = max_bytes;
  reader->take = take;
  reader->data = data;
  read_body (stream, reader, cancellable, callback, user_data);
}

GByteArray *
gw_body_read_finish (GInputStream *stream,
                     GAsyncResult *result,
                     GError **error)
{
  Reader *reader;

  g_return_val_if_fail (g_task_is_valid (result, stream), NULL);

  reader = g_task_get_task_data (G_TASK (result));
  g_task_propagate_boolean (G_TASK (result), error);

  return g_steal_pointer (&reader->bytes);
}
