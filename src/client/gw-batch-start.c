/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-batch"

/* How a run begins: submitted, or taken up again from a project; and how it is paused. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-batch-private.h"

static void
submitted_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GwBatch *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;
  g_autofree char *project_id = NULL;
  g_autoptr (GPtrArray) ids = NULL;

  ids = gw_client_submit_finish (GW_CLIENT (source), result, &project_id, &error);
  if (ids == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  self->project_id = g_steal_pointer (&project_id);
  _gw_batch_set_run (self, ids);
  g_task_return_boolean (task, TRUE);
}

/**
 * gw_batch_submit_async:
 * @self: an empty run
 * @tasks: (element-type JsonObject): as for gw_client_submit_async()
 * @project: id or name
 * @concurrency: the project's; 0: as concurrent as the limits allow
 * @cancellable: (nullable): gives it up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Submits the run.
 */
void
gw_batch_submit_async (GwBatch *self,
                       GPtrArray *tasks,
                       const char *project,
                       guint concurrency,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (GW_IS_BATCH (self));
  g_return_if_fail (self->project_id == NULL);
  g_return_if_fail (project != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gw_batch_submit_async);
  g_free (self->project_name);
  self->project_name = g_strdup (project);
  g_ptr_array_set_size (self->contents, 0);
  g_ptr_array_set_size (self->metadata, 0);
  for (guint i = 0; i < tasks->len; i++)
    {
      JsonObject *object = g_ptr_array_index (tasks, i);
      const char *content = gw_json_peek_string (object, "content");
      JsonObject *metadata = gw_json_peek_object (object, "metadata");

      g_ptr_array_add (self->contents, g_strdup (content != NULL ? content : ""));
      g_ptr_array_add (self->metadata, metadata != NULL ? json_object_ref (metadata) : NULL);
    }

  gw_client_submit_async (self->client, tasks, project, concurrency, cancellable, submitted_cb,
                          g_steal_pointer (&task));
}

/**
 * gw_batch_submit_finish:
 * @self: a run
 * @result: what the callback got
 * @error: GW_ERROR with the gateway's code and sentence, or G_IO_ERROR_CANCELLED
 *
 * Returns: whether the gateway has the whole run
 */
gboolean
gw_batch_submit_finish (GwBatch *self,
                        GAsyncResult *result,
                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Taking up: the project by id, else by name; its failed tasks again, if asked; its concurrency;
 * its tasks; and last, that it goes on. */
typedef struct {
  char *project;
  gboolean retry_failed;
  guint concurrency;
  guint64 since;   /* of the list of projects, while the name is looked for */
} Resume;

static void
resume_free (Resume *resume)
{
  g_free (resume->project);
  g_free (resume);
}

static void
call (GTask *task,
      const char *method,
      const char *verb,
      JsonObject *body,
      GAsyncReadyCallback callback)
{
  GwBatch *self = g_task_get_source_object (task);
  g_autofree char *path = gw_client_build_path ("projects", self->project_id, verb, NULL);

  gw_client_call_async (self->client, method, path, body, g_task_get_cancellable (task), callback,
                        g_object_ref (task));
}

/* The answer, or NULL after the task was ended by the error. */
static JsonObject *
finish_call (GObject *source,
             GAsyncResult *result,
             GTask *task)
{
  g_autoptr (GError) error = NULL;
  JsonObject *answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (answer == NULL)
    g_task_return_error (task, g_steal_pointer (&error));

  return answer;
}

static void
paused_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (JsonObject) answer = finish_call (source, result, task);

  if (answer != NULL)
    g_task_return_boolean (task, TRUE);
}

/* Nothing of it begins while its token limit stands: who waits for that would wait for ever. */
static void
looked_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (JsonObject) answer = finish_call (source, result, task);
  g_autoptr (GwProject) project = NULL;

  if (answer == NULL)
    return;
  project = gw_project_new_from_json (answer, NULL);
  if (project != NULL && project->paused && gw_project_is_spent (project)
      && project->counts[GW_TASK_QUEUED] > 0)
    g_task_return_new_error (task, GW_ERROR, GW_ERROR_CONFLICT,
                             /* Translators: %s is the name of a project */
                             _("The project “%s” has reached its token limit, so its tasks wait. "
                               "Raise the limit or take it away, then resume it"),
                             project->name);
  else
    g_task_return_boolean (task, TRUE);
}

static void
resumed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (JsonObject) answer = finish_call (source, result, task);

  if (answer == NULL)
    return;
  if (gw_json_peek_int (answer, "changed", 0) == 0)
    call (task, "GET", NULL, NULL, looked_cb);
  else
    g_task_return_boolean (task, TRUE);
}

static void
results_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GwBatch *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GPtrArray) tasks = NULL;

  tasks = gw_client_get_results_finish (GW_CLIENT (source), result, &error);
  if (tasks == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  if (tasks->len == 0)
    {
      /* Translators: %s is the name of a project */
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_INPUT, _("The project “%s” has no tasks"),
                               self->project_name);
      return;
    }

  ids = g_ptr_array_new ();
  g_ptr_array_set_size (self->contents, 0);
  g_ptr_array_set_size (self->metadata, 0);
  for (guint i = 0; i < tasks->len; i++)
    {
      GwTask *each = g_ptr_array_index (tasks, i);

      g_ptr_array_add (self->contents, g_strdup (each->content != NULL ? each->content : ""));
      g_ptr_array_add (self->metadata,
                       each->submitted != NULL ? json_object_ref (each->submitted) : NULL);
      g_ptr_array_add (ids, each->task_id);
    }
  _gw_batch_set_run (self, ids);
  for (guint i = 0; i < tasks->len; i++)
    _gw_batch_take_task (self, g_ptr_array_index (tasks, i));

  call (task, "POST", "resume", NULL, resumed_cb);
}

static void
get_tasks (GTask *task)
{
  GwBatch *self = g_task_get_source_object (task);

  gw_client_get_results_async (self->client, self->project_id, g_task_get_cancellable (task),
                               results_cb, g_object_ref (task));
}

static void
patched_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (JsonObject) answer = finish_call (source, result, task);

  if (answer != NULL)
    get_tasks (task);
}

static void
set_concurrency (GTask *task)
{
  Resume *resume = g_task_get_task_data (task);
  g_autoptr (JsonObject) body = NULL;

  if (resume->concurrency == 0)
    {
      get_tasks (task);
      return;
    }

  body = json_object_new ();
  json_object_set_int_member (body, "concurrency", resume->concurrency);
  call (task, "PATCH", NULL, body, patched_cb);
}

static void
retried_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (JsonObject) answer = finish_call (source, result, task);

  if (answer != NULL)
    set_concurrency (task);
}

static void
take_project (GTask *task,
              JsonObject *project)
{
  GwBatch *self = g_task_get_source_object (task);
  Resume *resume = g_task_get_task_data (task);
  const char *id = gw_json_peek_string (project, "project_id");
  const char *name = gw_json_peek_string (project, "name");
  g_autoptr (JsonObject) nothing = NULL;

  self->project_id = g_strdup (id != NULL ? id : resume->project);
  g_free (self->project_name);
  self->project_name = g_strdup (name != NULL ? name : resume->project);
  if (!resume->retry_failed)
    {
      set_concurrency (task);
      return;
    }

  nothing = json_object_new ();
  call (task, "POST", "retry", nothing, retried_cb);
}

static void look_for_name (GTask *task);

static void
projects_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Resume *resume = g_task_get_task_data (task);
  g_autoptr (JsonObject) answer = finish_call (source, result, task);
  JsonArray *projects = gw_json_peek_array (answer, "projects");
  gint64 next;

  if (answer == NULL)
    return;

  for (guint i = 0; projects != NULL && i < json_array_get_length (projects); i++)
    {
      JsonNode *node = json_array_get_element (projects, i);
      JsonObject *project = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

      if (project != NULL
          && g_strcmp0 (gw_json_peek_string (project, "name"), resume->project) == 0)
        {
          take_project (task, project);
          return;
        }
    }

  next = gw_json_peek_int (answer, "next", -1);
  if (next < 0)
    next = gw_json_peek_int (answer, "revision", -1);
  if (gw_json_peek_boolean (answer, "more", FALSE) && next > (gint64) resume->since)
    {
      resume->since = (guint64) next;
      look_for_name (task);
      return;
    }

  /* Translators: %s is the name or the id of a project */
  g_task_return_new_error (task, GW_ERROR, GW_ERROR_NOT_FOUND, _("There is no project “%s”"),
                           resume->project);
}

static void
look_for_name (GTask *task)
{
  GwBatch *self = g_task_get_source_object (task);
  Resume *resume = g_task_get_task_data (task);
  g_autofree char *path = g_strdup_printf ("/projects?limit=500&since=%" G_GUINT64_FORMAT,
                                           resume->since);

  gw_client_call_async (self->client, "GET", path, NULL, g_task_get_cancellable (task),
                        projects_cb, g_object_ref (task));
}

static void
project_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) project = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (project != NULL)
    take_project (task, project);
  else if (g_error_matches (error, GW_ERROR, GW_ERROR_NOT_FOUND)
           || g_error_matches (error, GW_ERROR, GW_ERROR_INVALID))
    look_for_name (task);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

/**
 * gw_batch_resume_async:
 * @self: an empty run
 * @project: id or name
 * @retry_failed: whether its failed tasks are tried again
 * @concurrency: sets the project's; 0: leaves it
 * @cancellable: (nullable): gives it up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Takes up all tasks of a project, in input order, and lets it go on if it was paused.
 */
void
gw_batch_resume_async (GwBatch *self,
                       const char *project,
                       gboolean retry_failed,
                       guint concurrency,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autofree char *path = NULL;
  Resume *resume;

  g_return_if_fail (GW_IS_BATCH (self));
  g_return_if_fail (self->project_id == NULL);
  g_return_if_fail (project != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gw_batch_resume_async);
  resume = g_new0 (Resume, 1);
  resume->project = g_strdup (project);
  resume->retry_failed = retry_failed;
  resume->concurrency = concurrency;
  g_task_set_task_data (task, resume, (GDestroyNotify) resume_free);

  path = gw_client_build_path ("projects", project, NULL);
  gw_client_call_async (self->client, "GET", path, NULL, cancellable, project_cb,
                        g_steal_pointer (&task));
}

/**
 * gw_batch_resume_finish:
 * @self: a run
 * @result: what the callback got
 * @error: GW_ERROR_NOT_FOUND and others, or G_IO_ERROR_CANCELLED
 *
 * Returns: whether the run was taken up
 */
gboolean
gw_batch_resume_finish (GwBatch *self,
                        GAsyncResult *result,
                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
start_verb (GwBatch *self,
            gpointer tag,
            const char *verb,
            GAsyncReadyCallback called,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  call (task, "POST", verb, NULL, called);
}

/**
 * gw_batch_pause_async:
 * @self: a run
 * @cancellable: (nullable): gives it up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Pauses the run's project.
 */
void
gw_batch_pause_async (GwBatch *self,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_return_if_fail (GW_IS_BATCH (self));
  g_return_if_fail (self->project_id != NULL);

  start_verb (self, gw_batch_pause_async, "pause", paused_cb, cancellable, callback,
              user_data);
}

/**
 * gw_batch_pause_finish:
 * @self: a run
 * @result: what the callback got
 * @error: GW_ERROR, or G_IO_ERROR_CANCELLED
 *
 * Returns: whether the project is paused
 */
gboolean
gw_batch_pause_finish (GwBatch *self,
                       GAsyncResult *result,
                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * gw_batch_unpause_async:
 * @self: a run
 * @cancellable: (nullable): gives it up
 * @callback: (nullable): called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Lets the run's project go on. GW_ERROR_CONFLICT if it has reached its token limit.
 */
void
gw_batch_unpause_async (GwBatch *self,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_return_if_fail (GW_IS_BATCH (self));
  g_return_if_fail (self->project_id != NULL);

  start_verb (self, gw_batch_unpause_async, "resume", resumed_cb, cancellable, callback,
              user_data);
}

/**
 * gw_batch_unpause_finish:
 * @self: a run
 * @result: what the callback got
 * @error: GW_ERROR, or G_IO_ERROR_CANCELLED
 *
 * Returns: whether the project goes on
 */
gboolean
gw_batch_unpause_finish (GwBatch *self,
                         GAsyncResult *result,
                         GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
