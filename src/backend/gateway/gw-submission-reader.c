/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bodies of POST /tasks and POST /tasks/batch: JSON in, a checked GwSubmission out.
 *
 * Pure: large bodies come through here on the parse thread. Guarantee: what comes out holds every
 * limit of the contract that can be judged without the queue; every refusal names the member it is
 * about.
 */
#define G_LOG_DOMAIN "gw-submission"

#include "config.h"

#include <string.h>

#include "gw-json.h"
#include "gw-project.h"

#include "gateway/gw-submission-reader.h"

#define MAX_NAME_BYTES (GW_PROJECT_MAX_NAME * 4) /* the characters are counted by the queue */

static gboolean
is_blank (const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      if (!g_unichar_isspace (g_utf8_get_char (p)))
        return FALSE;
    }

  return TRUE;
}

/**
 * gw_read_pin:
 * @object: a body
 * @member: "provider", "model" or "project"
 * @pin: (out): its text (borrowed); NULL where it is absent or null
 * @error: return location
 */
gboolean
gw_read_pin (JsonObject *object,
             const char *member,
             const char **pin,
             GError **error)
{
  *pin = NULL;
  if (!gw_json_get_string (object, member, GW_JSON_NULLABLE, MAX_NAME_BYTES, pin, error))
    {
      /* A name that is too long is a wrong name, not too large a task. */
      if (error != NULL && g_error_matches (*error, GW_ERROR, GW_ERROR_TOO_LARGE))
        (*error)->code = GW_ERROR_INVALID;
      return FALSE;
    }
  if (*pin != NULL && is_blank (*pin))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "%s: it is empty. Name one, or leave it out.",
                   member);
      return FALSE;
    }

  return TRUE;
}

/**
 * gw_read_concurrency:
 * @object: a body
 * @is_set: (out): whether it says anything about it
 * @concurrency: (out): 0 for null
 * @error: return location
 */
gboolean
gw_read_concurrency (JsonObject *object,
                     gboolean *is_set,
                     guint *concurrency,
                     GError **error)
{
  gint64 value = 0;

  *is_set = json_object_has_member (object, "concurrency");
  *concurrency = 0;
  if (!gw_json_get_int (object, "concurrency", GW_JSON_NULLABLE, 1, GW_PROJECT_MAX_CONCURRENCY,
                        &value, error))
    return FALSE;
  *concurrency = value;

  return TRUE;
}

static gboolean
check_metadata (JsonObject *metadata,
                GError **error)
{
  g_autofree char *text = NULL;
  JsonObjectIter iter;
  const char *name;
  gsize length = 0;

  json_object_iter_init (&iter, metadata);
  while (json_object_iter_next (&iter, &name, NULL))
    {
      if (gw_task_is_reserved_metadata (name))
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                       "metadata.%s: that name is the gateway's own. Choose another.", name);
          return FALSE;
        }
    }
  text = gw_json_object_to_text (metadata, FALSE, &length);
  if (length > GW_TASK_MAX_METADATA)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_TOO_LARGE,
                   "metadata: %" G_GSIZE_FORMAT " bytes are over the limit of %d KiB. Send less.",
                   length, GW_TASK_MAX_METADATA / 1024);
      return FALSE;
    }

  return TRUE;
}

static gboolean
check_content (const char *content,
               GError **error)
{
  if (!is_blank (content))
    return TRUE;

  g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                       "content: it is blank. Send the text of the task.");

  return FALSE;
}

static GwNewTask *
read_task (JsonObject *object,
           GError **error)
{
  g_autoptr (GwNewTask) task = NULL;
  const char *content = NULL, *provider = NULL, *model = NULL;
  JsonObject *metadata = NULL;
  gint64 priority = 0;

  if (!gw_json_get_string (object, "content", GW_JSON_REQUIRED, GW_TASK_MAX_CONTENT, &content,
                           error)
      || !check_content (content, error) || !gw_read_pin (object, "provider", &provider, error)
      || !gw_read_pin (object, "model", &model, error)
      || !gw_json_get_int (object, "priority", GW_JSON_NULLABLE, -GW_TASK_MAX_PRIORITY,
                           GW_TASK_MAX_PRIORITY, &priority, error)
      || !gw_json_get_object (object, "metadata", GW_JSON_NULLABLE, &metadata, error)
      || (metadata != NULL && !check_metadata (metadata, error)))
    return NULL;

  task = gw_new_task_new (content);
  task->provider = g_strdup (provider);
  task->model = g_strdup (model);
  task->priority = priority;
  if (metadata != NULL && json_object_get_size (metadata) > 0)
    task->metadata = json_object_ref (metadata);

  return g_steal_pointer (&task);
}

/* A text, or an object that may say the batch's project but no other. */
static GwNewTask *
read_batch_element (JsonNode *node,
                    const char *project,
                    GError **error)
{
  const char *own_project = NULL;
  JsonObject *object;

  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      const char *content = json_node_get_string (node);

      if (strlen (content) > GW_TASK_MAX_CONTENT)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_TOO_LARGE,
                       "content: it is over %d bytes. Split the task.", GW_TASK_MAX_CONTENT);
          return NULL;
        }
      return check_content (content, error) ? gw_new_task_new (content) : NULL;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "it is neither a text nor an object. Send the task's text, or an object "
                           "with content.");
      return NULL;
    }

  object = json_node_get_object (node);
  if (!gw_read_pin (object, "project", &own_project, error))
    return NULL;
  if (own_project != NULL && g_strcmp0 (own_project, project) != 0)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "project: a batch belongs to one project. Name it beside tasks, or send "
                           "a batch for each.");
      return NULL;
    }

  return read_task (object, error);
}

static gboolean
read_batch (JsonObject *object,
            GwSubmission *submission,
            GError **error)
{
  JsonArray *tasks = NULL;
  gboolean paused = FALSE;
  guint length;

  if (!gw_json_get_array (object, "tasks", GW_JSON_REQUIRED, &tasks, error)
      || !gw_read_concurrency (object, &submission->sets_concurrency, &submission->concurrency,
                               error)
      || !gw_json_get_boolean (object, "paused", GW_JSON_OPTIONAL, &paused, error))
    return FALSE;
  if (json_object_has_member (object, "paused"))
    submission->paused = paused;

  length = json_array_get_length (tasks);
  if (length == 0)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "tasks: it is empty. Send at least one task.");
      return FALSE;
    }
  if (length > GW_BATCH_MAX_TASKS)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_TOO_LARGE,
                   "tasks: %u are over the limit of %d. Send several batches to one project.",
                   length, GW_BATCH_MAX_TASKS);
      return FALSE;
    }
  for (guint i = 0; i < length; i++)
    {
      GwNewTask *task = read_batch_element (json_array_get_element (tasks, i), submission->project,
                                            error);

      if (task == NULL)
        {
          g_prefix_error (error, "tasks[%u]: ", i);
          return FALSE;
        }
      g_ptr_array_add (submission->tasks, task);
    }

  return TRUE;
}

static void
digest (const char *body,
        gsize length,
        const char *path,
        guint8 result[32])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = 32;

  g_checksum_update (checksum, (const guchar *) path, strlen (path) + 1);
  g_checksum_update (checksum, (const guchar *) body, length);
  g_checksum_get_digest (checksum, result, &size);
}

/**
 * gw_submission_read:
 * @body: JSON text
 * @length: its bytes
 * @head: the rest of the request
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what to submit; NULL with GW_ERROR_NOT_JSON, _INVALID or
 *   _TOO_LARGE. Any thread.
 */
GwSubmission *
gw_submission_read (const char *body,
                    gsize length,
                    const GwSubmissionHead *head,
                    GError **error)
{
  g_autoptr (JsonObject) object = gw_json_parse_object (body, length, error);
  g_autoptr (GwSubmission) submission = NULL;
  const char *project = NULL;

  if (object == NULL || !gw_read_pin (object, "project", &project, error))
    return NULL;

  submission = gw_submission_new ();
  submission->project = g_strdup (project);
  if (head->batch)
    {
      if (!read_batch (object, submission, error))
        return NULL;
    }
  else
    {
      GwNewTask *task = read_task (object, error);

      if (task == NULL)
        return NULL;
      g_ptr_array_add (submission->tasks, task);
    }
  if (head->idempotency_key != NULL)
    {
      submission->idempotency_key = g_strdup (head->idempotency_key);
      digest (body, length, head->path, submission->body_digest);
    }

  return g_steal_pointer (&submission);
}
