/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Writes a task as text without building a tree first: pages of the feed and results have hundreds
 * of tasks, and the tree costs several times what the text does. Members and their order are those
 * of gw_task_to_json(); the tests hold the two against each other.
 *
 * Threads: any, also several on one task.
 */

#define G_LOG_DOMAIN "gw-task"

#include "config.h"

#include "gw-task-private.h"
#include "gw-task.h"

/* An object that lies open at the end of the text. */
typedef struct {
  GString *text;
  gboolean pretty;
  guint level; /* of its members */
} Writer;

static void
add_name (const Writer *writer,
          const char *name)
{
  gw_json_append_name (writer->text, name, writer->pretty, writer->level);
}

static void
add_string (const Writer *writer,
            const char *name,
            const char *value)
{
  add_name (writer, name);
  gw_json_append_string (writer->text, value);
}

static void
add_int (const Writer *writer,
         const char *name,
         gint64 value)
{
  add_name (writer, name);
  gw_json_append_int (writer->text, value);
}

/* Null where it is not known. */
static void
add_count (const Writer *writer,
           const char *name,
           gint64 count)
{
  if (count >= 0)
    add_int (writer, name, count);
  else
    add_string (writer, name, NULL);
}

static void
add_time (const Writer *writer,
          const char *name,
          gint64 wall_ms)
{
  add_name (writer, name);
  gw_json_append_time (writer->text, wall_ms);
}

static void
add_true (const Writer *writer,
          const char *name)
{
  add_name (writer, name);
  g_string_append (writer->text, "true");
}

static Writer
begin_object (const Writer *writer,
              const char *name)
{
  add_name (writer, name);
  g_string_append_c (writer->text, '{');

  return (Writer){ writer->text, writer->pretty, writer->level + 1 };
}

static void
end_object (const Writer *writer)
{
  gw_json_append_end (writer->text, writer->pretty, writer->level - 1);
}

static void
add_error (const Writer *writer,
           const GwTask *task)
{
  const char *message = task->error_message;
  Writer error;

  if (!task->has_error)
    {
      add_string (writer, "error", NULL);
      return;
    }

  error = begin_object (writer, "error");
  add_string (&error, "code", gw_error_to_string (task->error_code));
  add_string (&error, "message", message != NULL ? message : gw_error_title (task->error_code));
  end_object (&error);
}

/* A submission cannot have names that are ours; were one stored all the same, it does not stand
 * here twice. */
static void
add_submitted (const Writer *writer,
               JsonObject *submitted)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, submitted);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      if (gw_task_is_reserved_metadata (name))
        continue;
      add_name (writer, name);
      gw_json_append (writer->text, node, writer->pretty, writer->level);
    }
}

static void
add_metadata (const Writer *writer,
              const GwTask *task)
{
  Writer metadata = begin_object (writer, "metadata");

  if (task->submitted != NULL)
    add_submitted (&metadata, task->submitted);
  add_string (&metadata, "model", task->model);
  if (task->provider != NULL)
    add_string (&metadata, "provider", task->provider);
  if (_gw_usage_is_known (&task->usage))
    {
      Writer usage = begin_object (&metadata, "usage");

      add_count (&usage, "prompt_tokens", task->usage.prompt_tokens);
      add_count (&usage, "completion_tokens", task->usage.completion_tokens);
      add_count (&usage, "total_tokens", task->usage.total_tokens);
      end_object (&usage);
    }
  if (task->finish_reason != NULL)
    add_string (&metadata, "finish_reason", task->finish_reason);
  if (task->duration_ms >= 0)
    add_int (&metadata, "duration_ms", task->duration_ms);
  if (task->waiting_reason != NULL)
    {
      Writer waiting = begin_object (&metadata, "waiting");

      add_string (&waiting, "reason", task->waiting_reason);
      add_time (&waiting, "until", task->waiting_until);
      end_object (&waiting);
    }
  add_int (&metadata, "tries", task->tries);
  if (task->uncertain)
    add_true (&metadata, "uncertain");
  if (task->practice)
    add_true (&metadata, "practice");
  end_object (&metadata);
}

/**
 * gw_task_append_json:
 * @task: a task
 * @fields: which members
 * @text: what to append to
 * @pretty: on several lines, indented by two
 * @level: how deep the task lies in what is being written; matters if @pretty
 *
 * Appends the text of what gw_task_to_json() gives. Any thread.
 */
void
gw_task_append_json (const GwTask *task,
                     GwTaskFields fields,
                     GString *text,
                     gboolean pretty,
                     guint level)
{
  Writer object = { text, pretty, level + 1 };

  g_string_append_c (text, '{');
  if (fields & GW_TASK_FIELD_TASK_ID)
    add_string (&object, "task_id", task->task_id);
  if (fields & GW_TASK_FIELD_PROJECT_ID)
    add_string (&object, "project_id", task->project_id);
  if (fields & GW_TASK_FIELD_STATUS)
    add_string (&object, "status", gw_task_status_to_string (task->status));
  if (fields & GW_TASK_FIELD_CONTENT)
    add_string (&object, "content", task->content);
  if (fields & GW_TASK_FIELD_CONTENT_SIZE)
    add_int (&object, "content_size", task->content_size);
  if (fields & GW_TASK_FIELD_RESULT)
    add_string (&object, "result", task->result);
  if (fields & GW_TASK_FIELD_RESULT_PREVIEW)
    {
      g_autofree char *preview = _gw_task_dup_preview (task);

      add_string (&object, "result_preview", preview);
    }
  if (fields & GW_TASK_FIELD_RESULT_SIZE)
    add_int (&object, "result_size", task->result_size);
  if (fields & GW_TASK_FIELD_ERROR)
    add_error (&object, task);
  if (fields & GW_TASK_FIELD_CREATED_AT)
    add_time (&object, "created_at", task->created_at);
  if (fields & GW_TASK_FIELD_STARTED_AT)
    add_time (&object, "started_at", task->started_at);
  if (fields & GW_TASK_FIELD_FINISHED_AT)
    add_time (&object, "finished_at", task->finished_at);
  if (fields & GW_TASK_FIELD_ATTEMPTS)
    add_int (&object, "attempts", task->attempts);
  if ((fields & GW_TASK_FIELD_PRIORITY) && task->priority != 0)
    add_int (&object, "priority", task->priority);
  if (fields & GW_TASK_FIELD_REVISION)
    add_int (&object, "revision", task->revision);
  if (fields & GW_TASK_FIELD_METADATA)
    add_metadata (&object, task);
  end_object (&object);
}
