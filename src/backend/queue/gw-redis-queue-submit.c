/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-queue"

#include "config.h"

#include "gw-id.h"
#include "gw-json.h"
#include "queue/gw-redis-private.h"

/*
 * Submissions: a small one is one step with its tasks, a large one is staged. Any thread.
 */

#define BATCH_TASKS 64
#define BATCH_BYTES (1024 * 1024)

/* Whether @text is written as our ids are: 36 characters, lower case. */
static gboolean
is_id (const char *text)
{
  if (text == NULL || strlen (text) != 36)
    return FALSE;
  for (guint i = 0; i < 36; i++)
    {
      if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
          : !g_ascii_isxdigit (text[i]) || g_ascii_isupper (text[i]))
        return FALSE;
    }

  return TRUE;
}

static gpointer
parse_submitted (GwRedisRequest *request,
                 const redisReply *reply,
                 GError **error)
{
  GwSubmitted *submitted = g_new0 (GwSubmitted, 1);
  const char *ids = gw_redis_reply_get_text (reply, 3);
  gsize n = strlen (ids) / 36;

  submitted->project_id = g_strdup (gw_redis_reply_get_text (reply, 2));
  submitted->task_ids = g_ptr_array_new_full ((guint) n, g_free);
  for (gsize i = 0; i < n; i++)
    g_ptr_array_add (submitted->task_ids, g_strndup (ids + 36 * i, 36));
  submitted->status = (GwTaskStatus) CLAMP (gw_redis_reply_get_int (reply, 4), 0,
                                            GW_N_TASK_STATUSES - 1);
  submitted->replayed = gw_redis_reply_get_int (reply, 5) != 0;

  return submitted;
}

static void
free_submitted (gpointer submitted)
{
  gw_submitted_free (submitted);
}

static void
add_value (GPtrArray *values,
           const char *text)
{
  g_ptr_array_add (values, g_bytes_new (text, text != NULL ? strlen (text) : 0));
}

static gsize
add_task (GPtrArray *values,
          const GwNewTask *task)
{
  g_autofree char *id = gw_id_new ();
  g_autofree char *priority = g_strdup_printf ("%d", task->priority);
  g_autofree char *metadata = NULL;

  if (task->metadata != NULL && json_object_get_size (task->metadata) > 0)
    metadata = gw_json_object_to_text (task->metadata, FALSE, NULL);
  add_value (values, id);
  add_value (values, task->content);
  add_value (values, task->provider);
  add_value (values, task->model);
  add_value (values, priority);
  add_value (values, metadata);

  return strlen (task->content) + (metadata != NULL ? strlen (metadata) : 0) + 100;
}

static void
submit_async (GwQueue *self,
              const GwSubmission *submission,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  GwRedisRequest *request = gw_redis_request_new (self, submit_async, GW_REDIS_SUBMIT,
                                                  parse_submitted, free_submitted, callback,
                                                  user_data);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *project = gw_id_new ();
  g_autofree char *name_error = gw_redis_check_name (submission->project);
  g_autoptr (GString) digest = g_string_new (NULL);
  g_autofree char *stage = NULL;
  gsize bytes = 0;

  for (guint i = 0; i < submission->tasks->len; i++)
    bytes += add_task (values, g_ptr_array_index (submission->tasks, i));
  for (guint i = 0; i < sizeof submission->body_digest; i++)
    g_string_append_printf (digest, "%02x", submission->body_digest[i]);
  if (submission->tasks->len > BATCH_TASKS || bytes > BATCH_BYTES)
    stage = gw_id_new ();

  gw_redis_request_add_text (request, stage);
  gw_redis_request_add_int (request, submission->project != NULL);
  gw_redis_request_add_text (request, submission->project);
  gw_redis_request_add_text (request, project);
  gw_redis_request_add_int (request, is_id (submission->project));
  gw_redis_request_add_text (request, name_error);
  gw_redis_request_add_int (request, submission->sets_concurrency);
  gw_redis_request_add_int (request, submission->concurrency);
  gw_redis_request_add_int (request, submission->paused);
  gw_redis_request_add_text (request, submission->idempotency_key);
  gw_redis_request_add_text (request, digest->str);
  gw_redis_request_add_int (request, submission->tasks->len);
  if (stage != NULL)
    {
      request->staged = g_steal_pointer (&values);
    }
  else
    {
      g_ptr_array_extend_and_steal (request->arguments, g_steal_pointer (&values));
    }
  request->bytes += bytes;
  gw_redis_queue_push (self, request);
}

static GwSubmitted *
submit_finish (GwQueue *self,
               GAsyncResult *result,
               GError **error)
{
  return gw_redis_queue_take (self, result, error);
}

void
gw_redis_queue_init_submit (GwQueueInterface *iface)
{
  iface->submit_async = submit_async;
  iface->submit_finish = submit_finish;
}
