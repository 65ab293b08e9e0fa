/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls about tasks: submit, read, cancel, retry, remove, what a running one has answered so
 * far, and the journal of attempts.
 *
 * Threading: the gateway's thread. Guarantee: a submission is answered 200 only after the queue has
 * said that it is durable.
 */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include <string.h>

#include "gw-id.h"
#include "gw-text.h"

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-submission-reader.h"

#define MAX_IDEMPOTENCY_KEY 255
#define DEFAULT_ATTEMPTS 200
#define MAX_ATTEMPTS 1000
#define FOUND_CHARACTERS 200

/* Where in @task the text of a search stands: behind the other members of @json, one object. */
static void
append_found (GString *json,
              const GwTask *task,
              const char *query)
{
  g_autoptr (JsonObject) found = NULL;
  g_autofree char *text = gw_text_cut_around (task->content, query, FOUND_CHARACTERS);
  gboolean in_content = text != NULL;
  g_autofree char *member = NULL;

  if (text == NULL)
    text = gw_text_cut_around (task->result, query, FOUND_CHARACTERS);
  if (text == NULL)
    return;

  found = json_object_new ();
  json_object_set_string_member (found, "in", in_content ? "content" : "result");
  json_object_set_string_member (found, "text", text);
  member = gw_json_object_to_text (found, FALSE, NULL);
  g_string_truncate (json, json->len - 1);
  if (json->str[json->len - 1] != '{')
    g_string_append_c (json, ',');
  g_string_append_printf (json, "\"found\":%s}", member);
}

/**
 * respond_task:
 * @request: a request
 * @task: (transfer full) (nullable): the whole task; NULL: @error
 * @error: (nullable): why there is none
 */
static void
respond_task (GwRequest *request,
              GwTask *task,
              const GError *error)
{
  const char *names = gw_request_get_query (request, "fields");
  GwTaskFields fields = GW_TASK_FIELDS_WHOLE;
  g_autoptr (GError) wrong = NULL;
  GString *text;
  gsize length;

  if (task == NULL)
    {
      gw_request_fail (request, error);
      return;
    }
  if (names != NULL && names[0] != '\0' && !gw_task_fields_from_string (names, &fields, &wrong))
    {
      gw_request_fail (request, wrong);
      gw_task_unref (task);
      return;
    }

  text = g_string_sized_new (1024);
  gw_task_append_json (task, fields, text, FALSE, 0);
  if (request->route->func == gw_route_get_task && gw_request_get_query (request, "q") != NULL)
    append_found (text, task, gw_request_get_query (request, "q"));
  length = text->len;
  gw_request_respond_text (request, 200, "application/json", g_string_free (text, FALSE), length);
  gw_task_unref (task);
}

/* An id of a form that we never make names nothing. */
static gboolean
check_task_id (GwRequest *request)
{
  if (gw_id_is_valid (request->capture))
    return TRUE;

  gw_request_fail_with (request, GW_ERROR_NOT_FOUND,
                        "There is no task '%.64s'. Use a task_id that a submission gave.",
                        request->capture);

  return FALSE;
}

static void
head_free (gpointer data)
{
  GwSubmissionHead *head = data;

  g_free (head->idempotency_key);
  g_free (head);
}

static gpointer
convert_submission (const char *body,
                    gsize length,
                    gpointer data,
                    GError **error)
{
  return gw_submission_read (body, length, data, error);
}

/* Ids are of [A-Za-z0-9-]: they need no escaping. */
static void
respond_submitted (GwRequest *request,
                   const GwSubmitted *submitted)
{
  gboolean batch = request->route->func == gw_route_post_batch;
  GString *text = g_string_sized_new (160 + 40 * (batch ? submitted->task_ids->len : 0));
  gsize length;

  if (batch)
    {
      g_string_append_printf (text, "{\"project_id\":\"%s\",\"task_ids\":[", submitted->project_id);
      for (guint i = 0; i < submitted->task_ids->len; i++)
        {
          g_string_append (text, i > 0 ? ",\"" : "\"");
          g_string_append (text, submitted->task_ids->pdata[i]);
          g_string_append_c (text, '"');
        }
      g_string_append (text, "]}");
    }
  else
    {
      g_string_append_printf (text, "{\"task_id\":\"%s\",\"status\":\"%s\",\"project_id\":\"%s\"}",
                              (const char *) submitted->task_ids->pdata[0],
                              gw_task_status_to_string (submitted->status), submitted->project_id);
    }
  length = text->len;
  gw_request_respond_text (request, 200, "application/json", g_string_free (text, FALSE), length);
}

static void
submitted_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwSubmitted) submitted = gw_queue_submit_finish (GW_QUEUE (source), result, &error);

  if (submitted == NULL)
    gw_request_fail (request, error);
  else
    respond_submitted (request, submitted);
}

static void
submission_read (GwRequest *request,
                 gpointer result)
{
  g_autoptr (GwSubmission) submission = result;

  gw_queue_submit_async (request->gateway->queue, submission, submitted_cb,
                         gw_request_hold (request));
}

static gboolean
is_key (const char *key)
{
  gsize length = strlen (key);

  if (length == 0 || length > MAX_IDEMPOTENCY_KEY)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (key[i] < 0x20 || key[i] > 0x7e)
        return FALSE;
    }

  return TRUE;
}

static void
submit (GwRequest *request,
        gboolean batch)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (request->message);
  const char *key = soup_message_headers_get_list (headers, "Idempotency-Key");
  GwSubmissionHead *head;

  if (key != NULL && !is_key (key))
    {
      gw_request_fail_with (request, GW_ERROR_INVALID,
                            "Idempotency-Key: send 1 to %d printable ASCII characters, or none.",
                            MAX_IDEMPOTENCY_KEY);
      return;
    }
  if (request->body == NULL)
    {
      gw_request_fail_with (request, GW_ERROR_NOT_JSON, "The body is empty. Send a JSON object%s.",
                            batch ? " with tasks" : " with content");
      return;
    }

  head = g_new0 (GwSubmissionHead, 1);
  head->path = request->route->path;
  head->batch = batch;
  head->idempotency_key = g_strdup (key);
  gw_request_convert_body (request, convert_submission, head, head_free, submission_read);
}

void
gw_route_post_task (GwRequest *request)
{
  submit (request, FALSE);
}

void
gw_route_post_batch (GwRequest *request)
{
  submit (request, TRUE);
}

static void
got_task_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  GwTask *task = gw_queue_get_task_finish (GW_QUEUE (source), result, &error);

  respond_task (request, task, error);
}

void
gw_route_get_task (GwRequest *request)
{
  if (check_task_id (request))
    gw_queue_get_task_async (request->gateway->queue, request->capture, got_task_cb,
                             gw_request_hold (request));
}

static void
cancelled_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  GwTask *task = gw_queue_cancel_task_finish (GW_QUEUE (source), result, &error);

  respond_task (request, task, error);
}

void
gw_route_cancel_task (GwRequest *request)
{
  if (check_task_id (request))
    gw_queue_cancel_task_async (request->gateway->queue, request->capture, cancelled_cb,
                                gw_request_hold (request));
}

static void
retried_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  GwTask *task = gw_queue_retry_task_finish (GW_QUEUE (source), result, &error);

  respond_task (request, task, error);
}

static void
retry_read (GwRequest *request,
            JsonObject *body)
{
  g_autoptr (GError) error = NULL;
  const char *provider = NULL, *model = NULL;

  if (body != NULL
      && (!gw_read_pin (body, "provider", &provider, &error)
          || !gw_read_pin (body, "model", &model, &error)))
    gw_request_fail (request, error);
  else
    gw_queue_retry_task_async (request->gateway->queue, request->capture, provider, model,
                               retried_cb, gw_request_hold (request));
}

void
gw_route_retry_task (GwRequest *request)
{
  if (check_task_id (request))
    gw_request_read_body (request, FALSE, retry_read);
}

static void
set_removed_cb (GObject *source,
                GAsyncResult *result,
                gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  if (!gw_queue_set_removed_finish (GW_QUEUE (source), result, &changed, &error))
    gw_request_fail (request, error);
  else
    gw_request_respond_changed (request, changed);
}

static char **
read_task_ids (JsonObject *body,
               GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  JsonArray *array = NULL;
  guint length;

  if (!gw_json_get_array (body, "task_ids", GW_JSON_REQUIRED, &array, error))
    return NULL;

  length = json_array_get_length (array);
  if (length > GW_BATCH_MAX_TASKS)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_TOO_LARGE,
                   "task_ids: %u are over the limit of %d. Send them in several parts.", length,
                   GW_BATCH_MAX_TASKS);
      return NULL;
    }
  for (guint i = 0; i < length; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      const char *id;

      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                       "task_ids[%u]: it is not a text. Send task ids as texts.", i);
          return NULL;
        }
      id = json_node_get_string (node);
      /* One that cannot be an id is one that is not known: it does not count. */
      if (gw_id_is_valid (id))
        g_ptr_array_add (ids, (gpointer) id);
    }
  g_ptr_array_add (ids, NULL);

  return g_strdupv ((char **) ids->pdata);
}

static void
removed_read (GwRequest *request,
              JsonObject *body)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ids = read_task_ids (body, &error);

  if (ids == NULL)
    gw_request_fail (request, error);
  else
    gw_queue_set_removed_async (request->gateway->queue, (const char *const *) ids,
                                request->route->func == gw_route_remove_tasks, set_removed_cb,
                                gw_request_hold (request));
}

void
gw_route_remove_tasks (GwRequest *request)
{
  gw_request_read_body (request, TRUE, removed_read);
}

void
gw_route_restore_tasks (GwRequest *request)
{
  gw_request_read_body (request, TRUE, removed_read);
}

static void
moved_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  if (!gw_queue_move_tasks_finish (GW_QUEUE (source), result, &changed, &error))
    gw_request_fail (request, error);
  else
    gw_request_respond_changed (request, changed);
}

/* "top", "bottom", or a priority. */
static gboolean
read_move (JsonObject *body,
           GwMove *move,
           GError **error)
{
  JsonNode *node = json_object_get_member (body, "to");
  gboolean is_text = node != NULL && JSON_NODE_HOLDS_VALUE (node)
                     && json_node_get_value_type (node) == G_TYPE_STRING;
  const char *word = is_text ? json_node_get_string (node) : "";
  gint64 priority = 0;

  move->to = GW_MOVE_TO_PRIORITY;
  if (g_str_equal (word, "top"))
    move->to = GW_MOVE_TO_TOP;
  else if (g_str_equal (word, "bottom"))
    move->to = GW_MOVE_TO_BOTTOM;
  else if (node == NULL || is_text)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "to: give “top”, “bottom”, or a priority from %d to %d.",
                   -GW_TASK_FARTHEST_PRIORITY, GW_TASK_FARTHEST_PRIORITY);
      return FALSE;
    }
  else if (!gw_json_get_int (body, "to", GW_JSON_REQUIRED, -GW_TASK_FARTHEST_PRIORITY,
                             GW_TASK_FARTHEST_PRIORITY, &priority, error))
    return FALSE;
  move->priority = (int) priority;

  return TRUE;
}

static void
move_read (GwRequest *request,
           JsonObject *body)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ids = read_task_ids (body, &error);
  GwMove move;

  if (ids == NULL || !read_move (body, &move, &error))
    gw_request_fail (request, error);
  else
    gw_queue_move_tasks_async (request->gateway->queue, (const char *const *) ids, &move, moved_cb,
                               gw_request_hold (request));
}

void
gw_route_move_tasks (GwRequest *request)
{
  gw_request_read_body (request, TRUE, move_read);
}

/* What nobody asked for need not travel: the raw replies of a thousand calls are megabytes. */
static void
keep_members (JsonObject *object,
              const char *const *names)
{
  g_autoptr (GList) members = json_object_get_members (object);

  for (GList *l = members; l != NULL; l = l->next)
    if (!g_strv_contains (names, l->data))
      json_object_remove_member (object, l->data);
}

static void
attempts_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAttemptPage) page = NULL;
  g_auto (GStrv) fields = NULL;
  JsonObject *object;
  JsonArray *attempts;

  page = gw_queue_read_attempts_finish (GW_QUEUE (source), result, &error);
  if (page == NULL)
    {
      gw_request_fail (request, error);
      return;
    }

  object = json_object_new ();
  attempts = json_array_sized_new (page->attempts->len);
  if (gw_request_get_query (request, "fields") != NULL)
    fields = g_strsplit (gw_request_get_query (request, "fields"), ",", -1);
  for (guint i = 0; i < page->attempts->len; i++)
    {
      JsonObject *attempt = gw_attempt_to_json (page->attempts->pdata[i]);

      if (fields != NULL)
        keep_members (attempt, (const char *const *) fields);
      json_array_add_object_element (attempts, attempt);
    }
  json_object_set_int_member (object, "revision", page->revision);
  json_object_set_boolean_member (object, "more", page->more);
  json_object_set_array_member (object, "attempts", attempts);
  gw_request_respond_object (request, 200, object);
}

static void
read_attempts (GwRequest *request,
               const char *task_id)
{
  g_autoptr (GError) error = NULL;
  guint64 since = 0, before = 0, limit = DEFAULT_ATTEMPTS;

  if (!gw_request_get_query_number (request, "since", 0, G_MAXUINT64, &since, &error)
      || (task_id == NULL
          && !gw_request_get_query_number (request, "before", 1, G_MAXUINT64, &before, &error))
      || !gw_request_get_query_number (request, "limit", 1, MAX_ATTEMPTS, &limit, &error))
    gw_request_fail (request, error);
  else
    gw_queue_read_attempts_async (request->gateway->queue, task_id, since, before, limit,
                                  attempts_cb, gw_request_hold (request));
}

void
gw_route_get_task_attempts (GwRequest *request)
{
  if (check_task_id (request))
    read_attempts (request, request->capture);
}

void
gw_route_get_attempts (GwRequest *request)
{
  read_attempts (request, NULL);
}

/* The answer that a running attempt has given so far. It is asked for a few times a second, so the
 * queue is not asked; what is known already need not be sent again. */
void
gw_route_get_task_partial (GwRequest *request)
{
  g_autoptr (GwPartial) partial = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  guint64 attempt = 0, from = 0, size;
  JsonObject *object;
  gsize begin;

  if (!check_task_id (request))
    return;
  if (!gw_request_get_query_number (request, "attempt", 0, G_MAXUINT, &attempt, &error)
      || !gw_request_get_query_number (request, "from", 0, GW_PARTIAL_MAX_BYTES, &from, &error))
    {
      gw_request_fail (request, error);
      return;
    }
  if (request->gateway->partials != NULL)
    partial = gw_partials_find (request->gateway->partials, request->capture);
  if (partial == NULL)
    {
      gw_request_fail_with (request, GW_ERROR_NOT_FOUND,
                            "No answer to this task is being written here piece by piece. Ask for "
                            "the task itself, which has the whole answer once it has ended.");
      return;
    }

  text = gw_partial_dup_text (partial,
                              attempt == gw_partial_get_attempt (partial) ? (gsize) from : 0,
                              &begin, &size);
  object = json_object_new ();
  json_object_set_string_member (object, "task_id", request->capture);
  json_object_set_int_member (object, "attempt", gw_partial_get_attempt (partial));
  json_object_set_int_member (object, "from", (gint64) begin);
  json_object_set_string_member (object, "text", text);
  json_object_set_int_member (object, "size", (gint64) size);
  gw_request_respond_object (request, 200, object);
}
