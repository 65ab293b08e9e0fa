/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task"

#include "config.h"

#include <string.h>

#include "gw-clock.h"
#include "gw-task.h"
#include "gw-task-private.h"

static const char *const statuses[GW_N_TASK_STATUSES] = {
  [GW_TASK_QUEUED] = "queued",
  [GW_TASK_RUNNING] = "running",
  [GW_TASK_COMPLETED] = "completed",
  [GW_TASK_FAILED] = "failed",
  [GW_TASK_CANCELLED] = "cancelled",
};

static const struct {
  const char *name;
  GwTaskFields field;
} fields_by_name[] = {
  { "task_id", GW_TASK_FIELD_TASK_ID },
  { "project_id", GW_TASK_FIELD_PROJECT_ID },
  { "status", GW_TASK_FIELD_STATUS },
  { "content", GW_TASK_FIELD_CONTENT },
  { "result", GW_TASK_FIELD_RESULT },
  { "error", GW_TASK_FIELD_ERROR },
  { "created_at", GW_TASK_FIELD_CREATED_AT },
  { "started_at", GW_TASK_FIELD_STARTED_AT },
  { "finished_at", GW_TASK_FIELD_FINISHED_AT },
  { "attempts", GW_TASK_FIELD_ATTEMPTS },
  { "revision", GW_TASK_FIELD_REVISION },
  { "metadata", GW_TASK_FIELD_METADATA },
  { "content_size", GW_TASK_FIELD_CONTENT_SIZE },
  { "result_size", GW_TASK_FIELD_RESULT_SIZE },
  { "result_preview", GW_TASK_FIELD_RESULT_PREVIEW },
  { "priority", GW_TASK_FIELD_PRIORITY },
};

static const char *const reserved[] = {
  "model", "provider", "usage", "finish_reason", "duration_ms", "waiting", "tries", "uncertain",
  "practice",
};

/**
 * gw_task_status_to_string:
 * @status: a status
 *
 * Returns: (transfer none): its name as seen from outside
 */
const char *
gw_task_status_to_string (GwTaskStatus status)
{
  g_return_val_if_fail ((guint) status < GW_N_TASK_STATUSES, "failed");

  return statuses[status];
}

/**
 * gw_task_status_from_string:
 * @string: (nullable): a name
 * @status: (out): the status that it names; untouched where it names none
 *
 * Returns: whether @string names a status of ours
 */
gboolean
gw_task_status_from_string (const char *string,
                            GwTaskStatus *status)
{
  for (guint i = 0; string != NULL && i < GW_N_TASK_STATUSES; i++)
    {
      if (g_str_equal (statuses[i], string))
        {
          *status = i;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * gw_task_status_is_final:
 * @status: a status
 *
 * Returns: whether only a retry can change it
 */
gboolean
gw_task_status_is_final (GwTaskStatus status)
{
  return status == GW_TASK_COMPLETED || status == GW_TASK_FAILED || status == GW_TASK_CANCELLED;
}

/**
 * gw_task_new:
 *
 * Returns: (transfer full): a queued task of which nothing else is known
 */
GwTask *
gw_task_new (void)
{
  GwTask *task = g_atomic_rc_box_new0 (GwTask);

  task->usage = GW_USAGE_NONE;
  task->duration_ms = -1;

  return task;
}

GwTask *
gw_task_ref (GwTask *task)
{
  return g_atomic_rc_box_acquire (task);
}

static void
gw_task_clear (gpointer data)
{
  GwTask *task = data;

  g_free (task->task_id);
  g_free (task->project_id);
  g_free (task->content);
  g_free (task->result);
  g_free (task->error_message);
  g_clear_pointer (&task->submitted, json_object_unref);
  g_free (task->model);
  g_free (task->provider);
  g_free (task->finish_reason);
  g_free (task->waiting_reason);
}

void
gw_task_unref (GwTask *task)
{
  g_atomic_rc_box_release_full (task, gw_task_clear);
}

/**
 * gw_task_is_interrupted:
 * @task: a task
 *
 * Returns: whether it waits after it was sent by a run that ended before the answer came
 */
gboolean
gw_task_is_interrupted (const GwTask *task)
{
  return task->status == GW_TASK_QUEUED && task->uncertain;
}

/**
 * gw_task_get_begin:
 * @task: a task
 *
 * Returns: Unix ms of its first send, or where nobody has told of that yet, of when it was seen to
 *   begin; 0: not known
 */
gint64
gw_task_get_begin (const GwTask *task)
{
  return task->started_at > 0 ? task->started_at : task->seen_running_at;
}

/**
 * gw_task_get_duration:
 * @task: a task
 *
 * Returns: ms that the answering call took, else from its first send to its end; -1 where neither
 *   is known
 */
gint64
gw_task_get_duration (const GwTask *task)
{
  if (task->duration_ms >= 0)
    return task->duration_ms;
  if (task->started_at > 0 && task->finished_at >= task->started_at)
    return task->finished_at - task->started_at;

  return -1;
}

/**
 * gw_task_fields_from_string:
 * @list: names, separated by commas
 * @fields: (out): the members that they name
 * @error: %GW_ERROR_INVALID names the first that is unknown
 *
 * Returns: whether all names are known and there is at least one
 */
gboolean
gw_task_fields_from_string (const char *list,
                            GwTaskFields *fields,
                            GError **error)
{
  g_auto (GStrv) names = g_strsplit (list, ",", -1);
  guint found = 0;

  for (guint i = 0; names[i] != NULL; i++)
    {
      const char *name = g_strstrip (names[i]);
      gboolean known = *name == '\0';

      for (guint j = 0; j < G_N_ELEMENTS (fields_by_name); j++)
        {
          if (g_str_equal (fields_by_name[j].name, name))
            {
              found |= fields_by_name[j].field;
              known = TRUE;
            }
        }
      if (!known)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                       "'fields' names '%s', which is no member of a task", name);
          return FALSE;
        }
    }
  if (found == 0)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                           "'fields' is empty: name members of a task, separated by commas");
      return FALSE;
    }

  *fields = found;
  return TRUE;
}

/**
 * gw_task_is_reserved_metadata:
 * @member: the name of a member
 *
 * Returns: whether a submission may not bring it, because the name is ours
 */
gboolean
gw_task_is_reserved_metadata (const char *member)
{
  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    {
      if (g_str_equal (reserved[i], member))
        return TRUE;
    }

  return FALSE;
}

static void
set_count (JsonObject *object,
           const char *member,
           gint64 count)
{
  if (count >= 0)
    json_object_set_int_member (object, member, count);
  else
    json_object_set_null_member (object, member);
}

/* {"prompt_tokens", "completion_tokens", "total_tokens"}, null where not told. */
static gint64
bound_count (gint64 count)
{
  return count < 0 ? -1 : MIN (count, GW_USAGE_MOST);
}

/**
 * gw_usage_bound:
 * @usage: (inout): as a provider told it
 *
 * What cannot be a count is not told, and none is larger than %GW_USAGE_MOST.
 */
void
gw_usage_bound (GwUsage *usage)
{
  usage->prompt_tokens = bound_count (usage->prompt_tokens);
  usage->completion_tokens = bound_count (usage->completion_tokens);
  usage->total_tokens = bound_count (usage->total_tokens);
}

JsonObject *
_gw_usage_to_json (const GwUsage *usage)
{
  JsonObject *object = json_object_new ();

  set_count (object, "prompt_tokens", usage->prompt_tokens);
  set_count (object, "completion_tokens", usage->completion_tokens);
  set_count (object, "total_tokens", usage->total_tokens);

  return object;
}

GwUsage
_gw_usage_from_json (JsonObject *object)
{
  GwUsage usage;

  usage.prompt_tokens = MAX (gw_json_peek_int (object, "prompt_tokens", -1), -1);
  usage.completion_tokens = MAX (gw_json_peek_int (object, "completion_tokens", -1), -1);
  usage.total_tokens = MAX (gw_json_peek_int (object, "total_tokens", -1), -1);

  return usage;
}

gboolean
_gw_usage_is_known (const GwUsage *usage)
{
  return usage->prompt_tokens >= 0 || usage->completion_tokens >= 0 || usage->total_tokens >= 0;
}

/* The member `error`: {"code", "message"} or null. */
void
_gw_error_set_member (JsonObject *object,
                      gboolean has_error,
                      GwError code,
                      const char *message)
{
  JsonObject *member;

  if (!has_error)
    {
      json_object_set_null_member (object, "error");
      return;
    }

  member = json_object_new ();
  json_object_set_string_member (member, "code", gw_error_to_string (code));
  json_object_set_string_member (member, "message",
                                 message != NULL ? message : gw_error_title (code));
  json_object_set_object_member (object, "error", member);
}

void
_gw_error_get_member (JsonObject *object,
                      gboolean *has_error,
                      GwError *code,
                      char **message)
{
  JsonObject *member = gw_json_peek_object (object, "error");

  if (member == NULL)
    return;

  *has_error = TRUE;
  if (!gw_error_from_string (gw_json_peek_string (member, "code"), code))
    *code = GW_ERROR_TASK_UNKNOWN;
  *message = g_strdup (gw_json_peek_string (member, "message"));
}

/* A time that is absent, null, or no time, is 0. */
gint64
_gw_time_get_member (JsonObject *object,
                     const char *member)
{
  gint64 wall_ms = 0;

  gw_time_from_iso (gw_json_peek_string (object, member), &wall_ms);

  return wall_ms;
}

static JsonObject *
waiting_to_json (const GwTask *task)
{
  JsonObject *waiting = json_object_new ();

  json_object_set_string_member (waiting, "reason", task->waiting_reason);
  gw_json_set_time (waiting, "until", task->waiting_until);

  return waiting;
}

/* The submitted members, then ours. `model` and `tries` are always there, `uncertain` and
 * `practice` where they are true, the others where they are known. */
static JsonObject *
metadata_to_json (const GwTask *task)
{
  JsonObject *metadata = json_object_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (task->submitted != NULL)
    {
      json_object_iter_init_ordered (&iter, task->submitted);
      while (json_object_iter_next_ordered (&iter, &name, &node))
        json_object_set_member (metadata, name, gw_json_copy (node));
    }

  gw_json_set_string_or_null (metadata, "model", task->model);
  if (task->provider != NULL)
    json_object_set_string_member (metadata, "provider", task->provider);
  if (_gw_usage_is_known (&task->usage))
    json_object_set_object_member (metadata, "usage", _gw_usage_to_json (&task->usage));
  if (task->finish_reason != NULL)
    json_object_set_string_member (metadata, "finish_reason", task->finish_reason);
  if (task->duration_ms >= 0)
    json_object_set_int_member (metadata, "duration_ms", task->duration_ms);
  if (task->waiting_reason != NULL)
    json_object_set_object_member (metadata, "waiting", waiting_to_json (task));
  json_object_set_int_member (metadata, "tries", task->tries);
  if (task->uncertain)
    json_object_set_boolean_member (metadata, "uncertain", TRUE);
  if (task->practice)
    json_object_set_boolean_member (metadata, "practice", TRUE);

  return metadata;
}

/* The first characters of the result; (nullable). */
char *
_gw_task_dup_preview (const GwTask *task)
{
  const char *end = task->result;

  for (guint i = 0; end != NULL && *end != '\0' && i < GW_RESULT_PREVIEW_CHARACTERS; i++)
    end = g_utf8_next_char (end);

  return end != NULL ? g_strndup (task->result, (gsize) (end - task->result)) : NULL;
}

/**
 * gw_task_to_json:
 * @task: a task
 * @fields: which members
 *
 * Any thread.
 *
 * Returns: (transfer full): the task as the contract has it
 */
JsonObject *
gw_task_to_json (const GwTask *task,
                 GwTaskFields fields)
{
  JsonObject *object = json_object_new ();

  if (fields & GW_TASK_FIELD_TASK_ID)
    gw_json_set_string_or_null (object, "task_id", task->task_id);
  if (fields & GW_TASK_FIELD_PROJECT_ID)
    gw_json_set_string_or_null (object, "project_id", task->project_id);
  if (fields & GW_TASK_FIELD_STATUS)
    json_object_set_string_member (object, "status", gw_task_status_to_string (task->status));
  if (fields & GW_TASK_FIELD_CONTENT)
    gw_json_set_string_or_null (object, "content", task->content);
  if (fields & GW_TASK_FIELD_CONTENT_SIZE)
    json_object_set_int_member (object, "content_size", task->content_size);
  if (fields & GW_TASK_FIELD_RESULT)
    gw_json_set_string_or_null (object, "result", task->result);
  if (fields & GW_TASK_FIELD_RESULT_PREVIEW)
    {
      g_autofree char *preview = _gw_task_dup_preview (task);

      gw_json_set_string_or_null (object, "result_preview", preview);
    }
  if (fields & GW_TASK_FIELD_RESULT_SIZE)
    json_object_set_int_member (object, "result_size", task->result_size);
  if (fields & GW_TASK_FIELD_ERROR)
    _gw_error_set_member (object, task->has_error, task->error_code, task->error_message);
  if (fields & GW_TASK_FIELD_CREATED_AT)
    gw_json_set_time (object, "created_at", task->created_at);
  if (fields & GW_TASK_FIELD_STARTED_AT)
    gw_json_set_time (object, "started_at", task->started_at);
  if (fields & GW_TASK_FIELD_FINISHED_AT)
    gw_json_set_time (object, "finished_at", task->finished_at);
  if (fields & GW_TASK_FIELD_ATTEMPTS)
    json_object_set_int_member (object, "attempts", task->attempts);
  if ((fields & GW_TASK_FIELD_PRIORITY) && task->priority != 0)
    json_object_set_int_member (object, "priority", task->priority);
  if (fields & GW_TASK_FIELD_REVISION)
    json_object_set_int_member (object, "revision", task->revision);
  if (fields & GW_TASK_FIELD_METADATA)
    json_object_set_object_member (object, "metadata", metadata_to_json (task));

  return object;
}

static void
metadata_from_json (GwTask *task,
                    JsonObject *metadata)
{
  JsonObject *waiting;
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, metadata);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      if (gw_task_is_reserved_metadata (name))
        continue;
      if (task->submitted == NULL)
        task->submitted = json_object_new ();
      json_object_set_member (task->submitted, name, gw_json_copy (node));
    }

  task->model = g_strdup (gw_json_peek_string (metadata, "model"));
  task->provider = g_strdup (gw_json_peek_string (metadata, "provider"));
  task->usage = _gw_usage_from_json (gw_json_peek_object (metadata, "usage"));
  task->finish_reason = g_strdup (gw_json_peek_string (metadata, "finish_reason"));
  task->duration_ms = MAX (gw_json_peek_int (metadata, "duration_ms", -1), -1);
  waiting = gw_json_peek_object (metadata, "waiting");
  task->waiting_reason = g_strdup (gw_json_peek_string (waiting, "reason"));
  task->waiting_until = _gw_time_get_member (waiting, "until");
  task->tries = CLAMP (gw_json_peek_int (metadata, "tries", 0), 0, G_MAXUINT);
  task->uncertain = gw_json_peek_boolean (metadata, "uncertain", FALSE);
  task->practice = gw_json_peek_boolean (metadata, "practice", FALSE);
}

/**
 * gw_task_new_from_json:
 * @object: a task as a gateway of ours tells it
 * @error: %GW_ERROR_INVALID where it has no id, or a member is of another type
 *
 * Members that are absent are as gw_task_new() has them. Any thread.
 *
 * Returns: (transfer full) (nullable): the task
 */
GwTask *
gw_task_new_from_json (JsonObject *object,
                       GError **error)
{
  g_autoptr (GwTask) task = gw_task_new ();
  const char *task_id = NULL, *project_id = NULL, *status = NULL, *content = NULL, *result = NULL;
  JsonObject *metadata = NULL;
  gint64 content_size = -1, result_size = -1, attempts = 0, revision = 0, priority = 0;

  if (!gw_json_get_string (object, "task_id", GW_JSON_REQUIRED, 0, &task_id, error)
      || !gw_json_get_string (object, "project_id", GW_JSON_NULLABLE, 0, &project_id, error)
      || !gw_json_get_string (object, "status", GW_JSON_OPTIONAL, 0, &status, error)
      || !gw_json_get_string (object, "content", GW_JSON_NULLABLE, 0, &content, error)
      || !gw_json_get_string (object, "result", GW_JSON_NULLABLE, 0, &result, error)
      || !gw_json_get_object (object, "metadata", GW_JSON_NULLABLE, &metadata, error)
      || !gw_json_get_int (object, "content_size", GW_JSON_OPTIONAL, 0, G_MAXINT64, &content_size,
                           error)
      || !gw_json_get_int (object, "result_size", GW_JSON_OPTIONAL, 0, G_MAXINT64, &result_size,
                           error)
      || !gw_json_get_int (object, "attempts", GW_JSON_OPTIONAL, 0, G_MAXUINT, &attempts, error)
      || !gw_json_get_int (object, "priority", GW_JSON_OPTIONAL, G_MININT, G_MAXINT, &priority,
                           error)
      || !gw_json_get_int (object, "revision", GW_JSON_OPTIONAL, 0, G_MAXINT64, &revision, error))
    return NULL;

  if (status != NULL && !gw_task_status_from_string (status, &task->status))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "'status' is '%s', which is no status",
                   status);
      return NULL;
    }

  task->task_id = g_strdup (task_id);
  task->project_id = g_strdup (project_id);
  task->content = g_strdup (content);
  task->result = g_strdup (result);
  if (content != NULL)
    task->content_size = strlen (content);
  if (content_size >= 0)
    {
      task->content_cut = content != NULL && (gsize) content_size > task->content_size;
      task->content_size = content_size;
    }
  if (result_size >= 0)
    task->result_size = result_size;
  else if (result != NULL)
    task->result_size = strlen (result);
  _gw_error_get_member (object, &task->has_error, &task->error_code, &task->error_message);
  task->created_at = _gw_time_get_member (object, "created_at");
  task->started_at = _gw_time_get_member (object, "started_at");
  task->finished_at = _gw_time_get_member (object, "finished_at");
  task->attempts = attempts;
  task->priority = (int) priority;
  task->revision = revision;
  if (metadata != NULL)
    metadata_from_json (task, metadata);

  return g_steal_pointer (&task);
}
