/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Reads a task from its text without building a tree first: a list of a hundred thousand begins with
 * as many. What is written as gateways of ours do is read here; at anything else, a member twice, a
 * number with a point, a type that is not expected, the task is read once more from a tree, by
 * gw_task_new_from_json(), which alone decides what is wrong. The tests hold the two against each
 * other.
 *
 * Threads: any.
 */

#define G_LOG_DOMAIN "gw-task"

#include "config.h"

#include <string.h>

#include "gw-clock.h"
#include "gw-task-private.h"
#include "gw-task.h"

/* Of the member whose name was read last. */
#define NAMED(literal) (length == sizeof (literal) - 1 && memcmp (name, literal, length) == 0)
#define ONCE(bit) ((*seen & (1u << (bit))) == 0 && (*seen |= 1u << (bit)) != 0)

static gboolean
skip (GwJsonWalk *walk)
{
  json_node_unref (gw_json_walk_take_tree (walk));

  return TRUE;
}

static gboolean
take_uint (GwJsonWalk *walk,
           guint *value)
{
  gint64 number;

  if (!gw_json_walk_take_count (walk, &number) || number > G_MAXUINT)
    return FALSE;

  *value = (guint) number;
  return TRUE;
}

static gboolean
take_size (GwJsonWalk *walk,
           gsize *value)
{
  gint64 number;

  if (!gw_json_walk_take_count (walk, &number))
    return FALSE;

  *value = (gsize) number;
  return TRUE;
}

/* -1 for null. */
static gboolean
take_tokens (GwJsonWalk *walk,
             gint64 *value)
{
  if (!gw_json_walk_take_null (walk))
    return gw_json_walk_take_count (walk, value);

  *value = -1;
  return TRUE;
}

/* 0 for null. */
static gboolean
take_time (GwJsonWalk *walk,
           gint64 *value)
{
  g_autofree char *text = NULL;

  *value = 0;
  if (!gw_json_walk_take_string (walk, &text))
    return FALSE;

  return text == NULL || gw_time_from_iso (text, value);
}

static gboolean
take_status (GwJsonWalk *walk,
             GwTaskStatus *status)
{
  g_autofree char *text = NULL;

  return gw_json_walk_take_string (walk, &text) && gw_task_status_from_string (text, status);
}

static gboolean
read_usage (GwJsonWalk *walk,
            GwUsage *usage)
{
  const char *name;
  gsize length;

  if (!gw_json_walk_enter (walk, '{'))
    return FALSE;

  while (gw_json_walk_next_member (walk, &name, &length))
    {
      gint64 *tokens = NAMED ("prompt_tokens")       ? &usage->prompt_tokens
                       : NAMED ("completion_tokens") ? &usage->completion_tokens
                       : NAMED ("total_tokens")      ? &usage->total_tokens
                                                     : NULL;

      if (tokens == NULL || *tokens >= 0 || !take_tokens (walk, tokens))
        return FALSE;
    }

  return TRUE;
}

static gboolean
read_waiting (GwJsonWalk *walk,
              GwTask *task)
{
  const char *name;
  gsize length;

  if (!gw_json_walk_enter (walk, '{') || task->waiting_reason != NULL)
    return FALSE;

  if (!gw_json_walk_next_member (walk, &name, &length) || !NAMED ("reason")
      || !gw_json_walk_take_string (walk, &task->waiting_reason))
    return FALSE;
  if (!gw_json_walk_next_member (walk, &name, &length) || !NAMED ("until")
      || !take_time (walk, &task->waiting_until))
    return FALSE;

  return !gw_json_walk_next_member (walk, &name, &length);
}

static gboolean
read_error (GwJsonWalk *walk,
            GwTask *task)
{
  g_autofree char *code = NULL;
  const char *name;
  gsize length;

  if (gw_json_walk_take_null (walk))
    return TRUE;
  if (!gw_json_walk_enter (walk, '{'))
    return FALSE;

  if (!gw_json_walk_next_member (walk, &name, &length) || !NAMED ("code")
      || !gw_json_walk_take_string (walk, &code)
      || !gw_error_from_string (code, &task->error_code))
    return FALSE;
  if (!gw_json_walk_next_member (walk, &name, &length) || !NAMED ("message")
      || !gw_json_walk_take_string (walk, &task->error_message))
    return FALSE;
  task->has_error = TRUE;

  return !gw_json_walk_next_member (walk, &name, &length);
}

/* The submitter's own member. */
static gboolean
read_submitted (GwJsonWalk *walk,
                GwTask *task,
                const char *name,
                gsize length)
{
  g_autofree char *member = gw_json_walk_dup_name (name, length);

  if (gw_task_is_reserved_metadata (member)
      || (task->submitted != NULL && json_object_has_member (task->submitted, member)))
    return FALSE;

  if (task->submitted == NULL)
    task->submitted = json_object_new ();
  json_object_set_member (task->submitted, member, gw_json_walk_take_tree (walk));

  return TRUE;
}

static gboolean
read_metadata_member (GwJsonWalk *walk,
                      GwTask *task,
                      const char *name,
                      gsize length,
                      guint *seen)
{
  if (NAMED ("model"))
    return ONCE (0) && gw_json_walk_take_string (walk, &task->model);
  if (NAMED ("provider"))
    return ONCE (1) && gw_json_walk_take_string (walk, &task->provider);
  if (NAMED ("usage"))
    return ONCE (2) && read_usage (walk, &task->usage);
  if (NAMED ("finish_reason"))
    return ONCE (3) && gw_json_walk_take_string (walk, &task->finish_reason);
  if (NAMED ("duration_ms"))
    return ONCE (4) && gw_json_walk_take_count (walk, &task->duration_ms);
  if (NAMED ("waiting"))
    return ONCE (5) && read_waiting (walk, task);
  if (NAMED ("tries"))
    return ONCE (6) && take_uint (walk, &task->tries);
  if (NAMED ("uncertain"))
    return ONCE (7) && gw_json_walk_take_boolean (walk, &task->uncertain);
  if (NAMED ("practice"))
    return ONCE (8) && gw_json_walk_take_boolean (walk, &task->practice);

  return read_submitted (walk, task, name, length);
}

static gboolean
read_metadata (GwJsonWalk *walk,
               GwTask *task)
{
  guint seen = 0;
  const char *name;
  gsize length;

  if (!gw_json_walk_enter (walk, '{'))
    return FALSE;

  while (gw_json_walk_next_member (walk, &name, &length))
    if (!read_metadata_member (walk, task, name, length, &seen))
      return FALSE;

  return TRUE;
}

#define SEEN_CONTENT_SIZE 4
#define SEEN_RESULT_SIZE 6

static gboolean
read_member (GwJsonWalk *walk,
             GwTask *task,
             const char *name,
             gsize length,
             guint *seen)
{
  gint64 revision = 0;

  if (NAMED ("task_id"))
    return ONCE (0) && gw_json_walk_take_string (walk, &task->task_id);
  if (NAMED ("project_id"))
    return ONCE (1) && gw_json_walk_take_string (walk, &task->project_id);
  if (NAMED ("status"))
    return ONCE (2) && take_status (walk, &task->status);
  if (NAMED ("content"))
    return ONCE (3) && gw_json_walk_take_string (walk, &task->content);
  if (NAMED ("content_size"))
    return ONCE (SEEN_CONTENT_SIZE) && take_size (walk, &task->content_size);
  if (NAMED ("result"))
    return ONCE (5) && gw_json_walk_take_string (walk, &task->result);
  if (NAMED ("result_size"))
    return ONCE (SEEN_RESULT_SIZE) && take_size (walk, &task->result_size);
  if (NAMED ("error"))
    return ONCE (7) && read_error (walk, task);
  if (NAMED ("created_at"))
    return ONCE (8) && take_time (walk, &task->created_at);
  if (NAMED ("started_at"))
    return ONCE (9) && take_time (walk, &task->started_at);
  if (NAMED ("finished_at"))
    return ONCE (10) && take_time (walk, &task->finished_at);
  if (NAMED ("attempts"))
    return ONCE (11) && take_uint (walk, &task->attempts);
  if (NAMED ("revision"))
    {
      if (!ONCE (12) || !gw_json_walk_take_count (walk, &revision))
        return FALSE;
      task->revision = (guint64) revision;
      return TRUE;
    }

  if (NAMED ("priority"))
    {
      gint64 priority = 0;

      /* One below 0 is read by the tree. */
      if (!ONCE (14) || !gw_json_walk_take_count (walk, &priority) || priority > G_MAXINT)
        return FALSE;
      task->priority = (int) priority;
      return TRUE;
    }
  if (NAMED ("metadata"))
    return ONCE (13) && read_metadata (walk, task);

  return memchr (name, '\\', length) == NULL && skip (walk);
}

/* (nullable): where there is something unusual */
static GwTask *
read_task (GwJsonWalk *walk)
{
  g_autoptr (GwTask) task = gw_task_new ();
  guint seen = 0;
  const char *name;
  gsize length;

  if (!gw_json_walk_enter (walk, '{'))
    return NULL;

  while (gw_json_walk_next_member (walk, &name, &length))
    if (!read_member (walk, task, name, length, &seen))
      return NULL;
  if (task->task_id == NULL)
    return NULL;

  if ((seen & (1u << SEEN_CONTENT_SIZE)) == 0)
    task->content_size = task->content != NULL ? strlen (task->content) : 0;
  task->content_cut = task->content != NULL && task->content_size > strlen (task->content);
  if ((seen & (1u << SEEN_RESULT_SIZE)) == 0 && task->result != NULL)
    task->result_size = strlen (task->result);

  return g_steal_pointer (&task);
}

/**
 * gw_task_new_from_walk:
 * @walk: at an object, which is taken
 * @error: as of gw_task_new_from_json()
 *
 * Any thread.
 *
 * Returns: (transfer full) (nullable): the task
 */
GwTask *
gw_task_new_from_walk (GwJsonWalk *walk,
                       GError **error)
{
  GwJsonWalk first = *walk;
  GwTask *task = read_task (walk);
  g_autoptr (JsonNode) node = NULL;

  if (task != NULL)
    return task;

  *walk = first;
  node = gw_json_walk_take_tree (walk);
  g_return_val_if_fail (JSON_NODE_HOLDS_OBJECT (node), NULL);

  return gw_task_new_from_json (json_node_get_object (node), error);
}
