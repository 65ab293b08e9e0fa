/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-id.h"
#include "gw-json.h"
#include "queue/gw-redis-private.h"

/*
 * Submissions: a small one is one step with its tasks. A large one goes over in pieces that nobody
 * sees, with others' steps between them, and is shown by one last step. Any thread, then the
 * engine's.
 */

#define BATCH_TASKS 64
#define BATCH_BYTES (1024 * 1024)
#define PIECE_TASKS 100
#define PIECE_BYTES (512 * 1024)
#define VALUES_OF_TASK 6

typedef struct {
  GPtrArray *values;      /* (element-type GBytes) VALUES_OF_TASK for each task */
  GPtrArray *common;      /* (element-type GBytes) what the submission tells beside its tasks */
  GPtrArray *ids;         /* (element-type utf8) */
  GByteArray *packed;     /* the same as bytes */
  gboolean keyed;
  guint n;
  guint sent;
  gint64 batch;           /* 0: none yet */
} Submission;

static void
free_submission (gpointer data)
{
  Submission *own = data;

  g_ptr_array_unref (own->values);
  g_ptr_array_unref (own->common);
  g_clear_pointer (&own->ids, g_ptr_array_unref);
  g_byte_array_unref (own->packed);
  g_free (own);
}

/* Of a batch with very many pins: the rest of its tasks goes to its piles. */
static gpointer
parse_spread (GwRedisRequest *request,
              const redisReply *reply,
              GError **error)
{
  gint64 batch = gw_redis_reply_get_int (reply, 3);

  if (batch != 0)
    {
      gw_redis_request_go_on (request, GW_REDIS_VERBS, parse_spread);
      gw_redis_request_add_text (request, "spread");
      gw_redis_request_add_int (request, batch);
    }

  return NULL;
}

static gpointer
parse_submitted (GwRedisRequest *request,
                 const redisReply *reply,
                 GError **error)
{
  Submission *own = request->progress;
  GwSubmitted *submitted = g_new0 (GwSubmitted, 1);
  gint64 batch = gw_redis_reply_get_int (reply, 6);

  submitted->project_id = g_strdup (gw_redis_reply_get_text (reply, 2));
  submitted->status = (GwTaskStatus) CLAMP (gw_redis_reply_get_int (reply, 4), 0,
                                            GW_N_TASK_STATUSES - 1);
  submitted->replayed = gw_redis_reply_get_int (reply, 5) != 0;
  if (submitted->replayed)
    {
      const redisReply *packed = gw_redis_reply_get (reply, 3);
      gsize n = packed != NULL && packed->str != NULL ? packed->len / GW_ID_BYTES : 0;

      submitted->task_ids = g_ptr_array_new_full ((guint) n, g_free);
      for (gsize i = 0; i < n; i++)
        g_ptr_array_add (submitted->task_ids,
                         gw_id_from_bytes ((const guint8 *) packed->str + GW_ID_BYTES * i));
    }
  else
    {
      submitted->task_ids = g_steal_pointer (&own->ids);
    }

  if (batch != 0)
    {
      GwRedisRequest *rest = gw_redis_request_new (NULL, NULL, GW_REDIS_VERBS, parse_spread, NULL,
                                                   NULL, NULL);

      gw_redis_request_add_text (rest, "spread");
      gw_redis_request_add_int (rest, batch);
      gw_redis_engine_push (gw_redis_request_get_engine (request), rest);
    }

  return submitted;
}

static void
add_common (GwRedisRequest *request,
            const Submission *own,
            gboolean look)
{
  gw_redis_request_add_int (request, look);
  gw_redis_request_add_int (request, own->batch);
  for (guint i = 0; i < own->common->len; i++)
    gw_redis_request_add_bytes (request, g_ptr_array_index (own->common, i));
}

static void
add_packed (GwRedisRequest *request,
            const Submission *own,
            guint n)
{
  gsize size = own->keyed ? (gsize) n * GW_ID_BYTES : 0;
  g_autoptr (GBytes) packed = g_bytes_new (own->packed->data + (gsize) own->sent * GW_ID_BYTES,
                                           size);

  gw_redis_request_add_bytes (request, packed);
}

static gpointer
parse_piece (GwRedisRequest *request,
             const redisReply *reply,
             GError **error)
{
  Submission *own = request->progress;
  gsize bytes = 0;
  guint n = 0;

  if (own->sent > 0)
    own->batch = gw_redis_reply_get_int (reply, 2);
  else if (gw_redis_reply_get_int (reply, 5) != 0)
    return parse_submitted (request, reply, error);
  if (own->sent == own->n)
    {
      gw_redis_request_go_on (request, GW_REDIS_SUBMIT, parse_submitted);
      add_common (request, own, FALSE);
      gw_redis_request_add_text (request, NULL);
      gw_redis_request_add_int (request, own->n);
      return NULL;
    }

  while (own->sent + n < own->n && n < PIECE_TASKS && bytes < PIECE_BYTES)
    {
      guint first = (own->sent + n) * VALUES_OF_TASK;

      bytes += g_bytes_get_size (g_ptr_array_index (own->values, first + 1))
               + g_bytes_get_size (g_ptr_array_index (own->values, first + 5));
      n++;
    }
  gw_redis_request_go_on (request, GW_REDIS_STAGE, parse_piece);
  gw_redis_request_add_int (request, own->batch);
  gw_redis_request_add_int (request, own->n);
  gw_redis_request_add_int (request, own->sent);
  gw_redis_request_add_int (request, n);
  add_packed (request, own, n);
  for (guint i = own->sent * VALUES_OF_TASK; i < (own->sent + n) * VALUES_OF_TASK; i++)
    gw_redis_request_add_bytes (request, g_ptr_array_index (own->values, i));
  own->sent += n;

  return NULL;
}

static void
add_value (GPtrArray *values,
           const char *text)
{
  g_ptr_array_add (values, g_bytes_new (text, text != NULL ? strlen (text) : 0));
}

static void
add_number (GPtrArray *values,
            gint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);

  add_value (values, text);
}

static gsize
add_task (Submission *own,
          const GwNewTask *task)
{
  char *id = gw_id_new ();
  g_autofree char *metadata = NULL;
  guint8 bytes[GW_ID_BYTES];

  if (task->metadata != NULL && json_object_get_size (task->metadata) > 0)
    metadata = gw_json_object_to_text (task->metadata, FALSE, NULL);
  gw_id_to_bytes (id, bytes);
  g_byte_array_append (own->packed, bytes, sizeof bytes);
  g_ptr_array_add (own->ids, id);
  add_value (own->values, id);
  add_value (own->values, task->content);
  add_value (own->values, task->provider);
  add_value (own->values, task->model);
  add_number (own->values, task->priority);
  add_value (own->values, metadata);

  return strlen (task->content) + (metadata != NULL ? strlen (metadata) : 0) + 100;
}

static GPtrArray *
make_common (const GwSubmission *submission)
{
  GPtrArray *common = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *project = gw_id_new ();
  g_autofree char *name_error = gw_redis_check_name (submission->project);
  g_autoptr (GString) digest = g_string_new (NULL);
  guint8 bytes[GW_ID_BYTES];

  for (guint i = 0; i < sizeof submission->body_digest; i++)
    g_string_append_printf (digest, "%02x", submission->body_digest[i]);
  add_number (common, submission->project != NULL);
  add_value (common, submission->project);
  add_value (common, project);
  add_number (common, gw_id_to_bytes (submission->project, bytes));
  add_value (common, name_error);
  add_number (common, submission->sets_concurrency);
  add_number (common, submission->concurrency);
  add_number (common, submission->paused);
  add_value (common, submission->idempotency_key);
  add_value (common, digest->str);

  return common;
}

static void
submit_async (GwQueue *self,
              const GwSubmission *submission,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  GwRedisRequest *request =
      gw_redis_request_new (self, submit_async, GW_REDIS_SUBMIT, parse_submitted,
                            (GDestroyNotify) gw_submitted_free, callback, user_data);
  Submission *own = g_new0 (Submission, 1);
  gboolean large;
  gsize bytes = 0;

  own->n = submission->tasks->len;
  own->keyed = submission->idempotency_key != NULL;
  own->common = make_common (submission);
  own->values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  own->ids = g_ptr_array_new_full (own->n, g_free);
  own->packed = g_byte_array_sized_new (GW_ID_BYTES * own->n);
  for (guint i = 0; i < own->n; i++)
    bytes += add_task (own, g_ptr_array_index (submission->tasks, i));
  request->progress = own;
  request->free_progress = free_submission;

  large = own->n > BATCH_TASKS || bytes > BATCH_BYTES;
  add_common (request, own, large);
  if (large)
    {
      request->parse = parse_piece;
      gw_redis_request_add_text (request, NULL);
      gw_redis_request_add_int (request, own->n);
    }
  else
    {
      add_packed (request, own, own->n);
      gw_redis_request_add_int (request, own->n);
      for (guint i = 0; i < own->values->len; i++)
        gw_redis_request_add_bytes (request, g_ptr_array_index (own->values, i));
    }
  gw_redis_queue_push (self, request);
}

void
gw_redis_queue_init_submit (GwQueueInterface *iface)
{
  iface->submit_async = submit_async;
}
