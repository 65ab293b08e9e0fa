/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-client"

/* Tasks in: one POST /tasks/batch as long as the contract's limits allow it, else one after the
 * other, each with an Idempotency-Key of its own. The bodies are written off the calling thread;
 * the tasks must not be touched until the submission has ended. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-id.h"

#include "gw-client-private.h"

/* Under the gateway's 64 MiB, with room for what stands around the tasks. */
#define MAX_BODY_BYTES (60 * 1024 * 1024)
#define TIMEOUT_MS 120000

typedef struct {
  GPtrArray *tasks;   /* (owned) (element-type JsonObject) */
  char *project;      /* (owned) (nullable) id or name */
  guint concurrency;
  int paused;         /* -1: as it is */
  GPtrArray *ids;     /* (owned) (element-type utf8): those that were taken so far */
  char *project_id;   /* (owned) (nullable) */
  guint next;         /* the first task that is in no body yet */
} Submission;

static void
submission_free (Submission *submission)
{
  g_clear_pointer (&submission->tasks, g_ptr_array_unref);
  g_clear_pointer (&submission->ids, g_ptr_array_unref);
  g_free (submission->project);
  g_free (submission->project_id);
  g_free (submission);
}

/* A body of as many tasks from submission->next on as one call may hold. Any thread. */
static GBytes *
write_body (Submission *submission)
{
  g_autoptr (GString) body = g_string_new ("{\"tasks\":[");
  g_autoptr (JsonObject) rest = json_object_new ();
  g_autofree char *rest_text = NULL;
  guint first = submission->next;
  gsize length;

  while (submission->next < submission->tasks->len && submission->next - first < GW_BATCH_MAX_TASKS)
    {
      JsonObject *object = g_ptr_array_index (submission->tasks, submission->next);
      g_autofree char *text = gw_json_object_to_text (object, FALSE, &length);

      if (submission->next > first && body->len + length > MAX_BODY_BYTES)
        break;
      if (submission->next > first)
        g_string_append_c (body, ',');
      g_string_append_len (body, text, length);
      submission->next++;
    }
  g_string_append (body, "],");

  if (submission->project_id != NULL)
    json_object_set_string_member (rest, "project", submission->project_id);
  else if (submission->project != NULL)
    json_object_set_string_member (rest, "project", submission->project);
  if (submission->concurrency > 0)
    json_object_set_int_member (rest, "concurrency", submission->concurrency);
  if (submission->paused >= 0)
    json_object_set_boolean_member (rest, "paused", submission->paused > 0);
  rest_text = gw_json_object_to_text (rest, FALSE, &length);
  if (g_str_equal (rest_text, "{}"))
    g_string_truncate (body, body->len - 1);
  g_string_append (body, rest_text + 1);

  length = body->len;

  return g_bytes_new_take (g_string_free (g_steal_pointer (&body), FALSE), length);
}

static void send_next (GTask *task);

static gboolean
take_answer (Submission *submission,
             JsonObject *answer,
             GError **error)
{
  const char *project_id = gw_json_peek_string (answer, "project_id");
  JsonArray *ids = gw_json_peek_array (answer, "task_ids");
  guint expected = submission->next - submission->ids->len;

  if (ids == NULL || json_array_get_length (ids) != expected)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                           _("The gateway did not name the tasks that it accepted"));
      return FALSE;
    }

  for (guint i = 0; i < expected; i++)
    {
      JsonNode *node = json_array_get_element (ids, i);

      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                               _("The gateway gave a task an id that is no text"));
          return FALSE;
        }
      g_ptr_array_add (submission->ids, json_node_dup_string (node));
    }
  if (submission->project_id == NULL)
    submission->project_id = g_strdup (project_id);

  return TRUE;
}

static void
say_how_many (GError **error,
              guint n_accepted)
{
  char *message = g_strdup_printf (
      /* Translators: a number of tasks, and why the others were not accepted */
      ngettext ("%1$u task was accepted, the rest was not: %2$s",
                "%1$u tasks were accepted, the rest was not: %2$s", n_accepted),
      n_accepted, (*error)->message);

  g_free ((*error)->message);
  (*error)->message = message;
}

static void
sent_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Submission *submission = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = NULL;
  g_autoptr (JsonObject) answer = NULL;

  reply = _gw_client_request_finish (GW_CLIENT (source), result, NULL, &error);
  if (reply != NULL)
    answer = _gw_client_parse_object (reply, &error);
  if (answer == NULL || !take_answer (submission, answer, &error))
    {
      if (submission->ids->len > 0 && error->domain == GW_ERROR)
        say_how_many (&error, submission->ids->len);
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  if (submission->next < submission->tasks->len)
    send_next (task);
  else
    g_task_return_boolean (task, TRUE);
}

static void
written_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = g_task_propagate_pointer (G_TASK (result), &error);
  g_autofree char *key = gw_id_new ();
  GwRequest request = { 0 };

  if (body == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  request.method = "POST";
  request.path = "/tasks/batch";
  request.body = body;
  request.idempotency_key = key;
  request.timeout_ms = TIMEOUT_MS;
  request.repeat = GW_REPEAT_LOST;
  _gw_client_request_async (g_task_get_source_object (task), &request,
                            g_task_get_cancellable (task), sent_cb, g_object_ref (task));
}

static void
write_worker (GTask *writer,
              gpointer source_object,
              gpointer task_data,
              GCancellable *cancellable)
{
  g_task_return_pointer (writer, write_body (task_data), (GDestroyNotify) g_bytes_unref);
}

/* The outer task keeps the submission alive while the worker writes. */
static void
send_next (GTask *task)
{
  Submission *submission = g_task_get_task_data (task);
  g_autoptr (GTask) writer = g_task_new (g_task_get_source_object (task),
                                        g_task_get_cancellable (task), written_cb,
                                        g_object_ref (task));

  g_task_set_source_tag (writer, send_next);
  g_task_set_task_data (writer, submission, NULL);
  if (submission->tasks->len <= 100)
    write_worker (writer, NULL, submission, NULL);
  else
    g_task_run_in_thread (writer, write_worker);
}

/**
 * gw_client_submit_full_async:
 * @self: a client
 * @tasks: (element-type JsonObject): each as the body of POST /tasks without `project`; not touched
 *   by the caller until the submission has ended
 * @options: where to, and how; copied
 * @cancellable: (nullable): gives the submission up; what was accepted stays
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Submits any number of tasks, in order. A minimal gateway cannot hold any: there
 * GW_ERROR_INVALID where they are to be paused.
 */
void
gw_client_submit_full_async (GwClient *self,
                             GPtrArray *tasks,
                             const GwSubmitOptions *options,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Submission *submission;

  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (tasks != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gw_client_submit_full_async);
  submission = g_new0 (Submission, 1);
  submission->tasks = g_ptr_array_ref (tasks);
  submission->project = g_strdup (options->project);
  submission->concurrency = options->concurrency;
  submission->paused = options->holds ? 1 : options->resumes ? 0 : -1;
  submission->ids = g_ptr_array_new_with_free_func (g_free);
  g_task_set_task_data (task, submission, (GDestroyNotify) submission_free);

  if (tasks->len == 0)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_INVALID, _("There is no task to submit"));
      return;
    }

  if (self->minimal != NULL && options->holds)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_INVALID,
                               _("This gateway cannot keep tasks without running them"));
      return;
    }
  if (self->minimal != NULL)
    {
      submission->project_id = gw_minimal_poller_submit (self->minimal, tasks, options->project,
                                                         options->concurrency, submission->ids);
      g_task_return_boolean (task, TRUE);
      return;
    }

  send_next (task);
}

/**
 * gw_client_submit_async:
 * @self: a client
 * @tasks: (element-type JsonObject): see gw_client_submit_full_async()
 * @project: (nullable): id or name; NULL: the gateway's own default project
 * @concurrency: sets the project's; 0: leaves it
 * @cancellable: (nullable): gives the submission up; what was accepted stays
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Submits any number of tasks, in order.
 */
void
gw_client_submit_async (GwClient *self,
                        GPtrArray *tasks,
                        const char *project,
                        guint concurrency,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  const GwSubmitOptions options = { .project = project, .concurrency = concurrency };

  gw_client_submit_full_async (self, tasks, &options, cancellable, callback, user_data);
}

/**
 * gw_client_submit_finish:
 * @self: a client
 * @result: what the callback got
 * @project_id: (out) (optional) (transfer full) (nullable): the project that the tasks are in
 * @error: GW_ERROR with the gateway's code and sentence, or G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full) (element-type utf8): the ids, in the order of the tasks
 */
GPtrArray *
gw_client_submit_finish (GwClient *self,
                         GAsyncResult *result,
                         char **project_id,
                         GError **error)
{
  Submission *submission;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  submission = g_task_get_task_data (G_TASK (result));
  if (project_id != NULL)
    *project_id = g_steal_pointer (&submission->project_id);

  return g_steal_pointer (&submission->ids);
}
