/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Imported tasks on their way into the queue.
 *
 * Few tasks, and those for a project that is there already, are one submission, which the gateway
 * takes whole or not at all. Many for a new project go in parts, so that their progress can be seen
 * and a lost part costs little: the project is paused from its first part on, and resumed behind
 * the last; if one fails, the project is removed before any task of it could start.
 *
 * Threads: the client's. The bodies are made on others.
 */

#define G_LOG_DOMAIN "gw-import-submit"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import-submit.h"

#define PART 5000

typedef struct {
  GPtrArray *entries;        /* (owned) (element-type GwImportEntry) */
  gpointer owner;            /* (owned) (nullable) */
  GDestroyNotify release;
  char *project;             /* (owned) (nullable) */
  char *provider;            /* (owned) (nullable) */
  char *model;               /* (owned) (nullable) */
  gboolean is_new;
  gboolean holds;
  guint concurrency;
  gboolean in_parts;
  GwImportProgress progress; /* (nullable) */
  gpointer progress_data;

  guint next;                /* the first entry that is in no part yet */
  GPtrArray *ids;            /* (owned) (element-type utf8) */
  char *project_id;          /* (owned) (nullable) */
  GError *error;             /* (owned) (nullable) while what was added is removed */
} Submit;

static void
submit_free (gpointer data)
{
  Submit *submit = data;

  g_ptr_array_unref (submit->entries);
  if (submit->owner != NULL && submit->release != NULL)
    submit->release (submit->owner);
  g_free (submit->project);
  g_free (submit->provider);
  g_free (submit->model);
  g_ptr_array_unref (submit->ids);
  g_free (submit->project_id);
  g_clear_error (&submit->error);
  g_free (submit);
}

static void send_part (GTask *task);

static guint
part_length (const Submit *submit)
{
  guint rest = submit->entries->len - submit->next;

  return submit->in_parts ? MIN (rest, PART) : rest;
}

/* --- Taking back ------------------------------------------------------------------------------ */

static void
end_with_error (GTask *task,
                gboolean removed)
{
  Submit *submit = g_task_get_task_data (task);
  GError *error = g_steal_pointer (&submit->error);

  if (!removed)
    {
      g_autofree char *reason = error->message;

      error->message = g_strdup_printf (
          /* Translators: a number of tasks, the name of a project, and why the rest was not
           * added */
          ngettext ("%1$u task was added to “%2$s” and is kept there without running: %3$s",
                    "%1$u tasks were added to “%2$s” and are kept there without running: %3$s",
                    submit->ids->len),
          submit->ids->len, submit->project, reason);
    }
  g_task_return_error (task, error);
}

static void
removed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  /* Some calls have an empty answer; only a refusal is a failure. */
  end_with_error (task, answer != NULL);
}

static void
looked_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Submit *submit = g_task_get_task_data (task);
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, NULL);
  g_autoptr (GwProject) project = NULL;
  guint64 n_tasks = 0;

  if (answer != NULL)
    project = gw_project_new_from_json (answer, NULL);
  for (guint i = 0; project != NULL && i < GW_N_TASK_STATUSES; i++)
    n_tasks += project->counts[i];
  /* It may have been there all the time, made by somebody else: then others' tasks are in it. */
  if (project == NULL || n_tasks != submit->ids->len)
    {
      end_with_error (task, FALSE);
      return;
    }
  else
    {
      g_autofree char *path = gw_client_build_path ("projects", submit->project_id, NULL);

      gw_client_call_async (GW_CLIENT (source), "DELETE", path, NULL, NULL, removed_cb,
                            g_object_ref (task));
    }
}

/* Takes @error. */
static void
take_back (GTask *task,
           GError *error)
{
  Submit *submit = g_task_get_task_data (task);
  g_autofree char *path = NULL;

  submit->error = error;
  if (submit->ids->len == 0 || !submit->in_parts)
    {
      end_with_error (task, TRUE);
      return;
    }

  path = gw_client_build_path ("projects", submit->project_id, NULL);
  gw_client_call_async (g_task_get_source_object (task), "GET", path, NULL, NULL, looked_cb,
                        g_object_ref (task));
}

/* --- Going in --------------------------------------------------------------------------------- */

static void
resumed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (JsonObject) answer = gw_client_call_finish (GW_CLIENT (source), result, &error);

  if (answer != NULL)
    g_task_return_boolean (task, TRUE);
  else
    take_back (task, error);
}

static void
part_sent_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Submit *submit = g_task_get_task_data (task);
  GError *error = NULL;
  g_autofree char *project_id = NULL;
  g_autoptr (GPtrArray) ids = gw_client_submit_finish (GW_CLIENT (source), result, &project_id,
                                                       &error);

  if (ids == NULL)
    {
      take_back (task, error);
      return;
    }

  submit->next += ids->len;
  g_ptr_array_extend_and_steal (submit->ids, g_steal_pointer (&ids));
  if (submit->project_id == NULL)
    submit->project_id = g_steal_pointer (&project_id);
  if (submit->next < submit->entries->len
      && g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &error))
    {
      take_back (task, error);
      return;
    }
  if (submit->progress != NULL)
    submit->progress (submit->next, submit->entries->len, submit->progress_data);

  if (submit->next < submit->entries->len)
    send_part (task);
  else if (submit->in_parts && !submit->holds)
    {
      g_autofree char *path = gw_client_build_path ("projects", submit->project_id, "resume",
                                                    NULL);

      gw_client_call_async (GW_CLIENT (source), "POST", path, NULL, NULL, resumed_cb,
                            g_object_ref (task));
    }
  else
    g_task_return_boolean (task, TRUE);
}

static void
made_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Submit *submit = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GPtrArray) tasks = g_task_propagate_pointer (G_TASK (result), &error);
  GwSubmitOptions options = { .concurrency = submit->concurrency };

  if (tasks == NULL)
    {
      take_back (task, error);
      return;
    }

  options.project = submit->project_id != NULL ? submit->project_id : submit->project;
  options.holds = submit->holds || submit->in_parts;
  /* Never given up half-way: nobody would know whether it was taken. */
  gw_client_submit_full_async (GW_CLIENT (source), tasks, &options, NULL, part_sent_cb,
                               g_object_ref (task));
}

static void
make_worker (GTask *maker,
             gpointer source,
             gpointer task_data,
             GCancellable *cancellable)
{
  const Submit *submit = task_data;
  GPtrArray *tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  guint length = part_length (submit);

  for (guint i = 0; i < length; i++)
    {
      const GwImportEntry *entry = submit->entries->pdata[submit->next + i];
      JsonObject *task = gw_import_entry_to_json (entry);

      if (entry->provider == NULL && entry->model == NULL)
        {
          if (submit->provider != NULL)
            json_object_set_string_member (task, "provider", submit->provider);
          if (submit->model != NULL)
            json_object_set_string_member (task, "model", submit->model);
        }
      g_ptr_array_add (tasks, task);
    }
  g_task_return_pointer (maker, tasks, (GDestroyNotify) g_ptr_array_unref);
}

/* The outer task keeps its data while the worker reads them. */
static void
send_part (GTask *task)
{
  g_autoptr (GTask) maker = g_task_new (g_task_get_source_object (task),
                                        g_task_get_cancellable (task), made_cb,
                                        g_object_ref (task));

  g_task_set_source_tag (maker, send_part);
  g_task_set_task_data (maker, g_task_get_task_data (task), NULL);
  g_task_run_in_thread (maker, make_worker);
}

/**
 * gw_import_submit_async:
 * @client: a client
 * @entries: (element-type GwImportEntry): at least one
 * @owner: (nullable): what keeps the entries
 * @release: (nullable): drops @owner
 * @options: where they go; copied
 * @progress: (nullable): called in the client's thread after each part
 * @progress_data: for @progress; lives until the callback
 * @cancellable: (nullable): takes back what was added, unless it was the last part already
 * @callback: called in the client's thread
 * @user_data: for @callback
 */
void
gw_import_submit_async (GwClient *client,
                        GPtrArray *entries,
                        gpointer owner,
                        GDestroyNotify release,
                        const GwImportSubmitOptions *options,
                        GwImportProgress progress,
                        gpointer progress_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (client, cancellable, callback, user_data);
  Submit *submit = g_new0 (Submit, 1);

  g_task_set_source_tag (task, gw_import_submit_async);
  /* An answer that came is taken in, so that what it brought is taken back. */
  g_task_set_check_cancellable (task, FALSE);
  submit->entries = g_ptr_array_ref (entries);
  submit->owner = owner;
  submit->release = release;
  submit->project = g_strdup (options->project);
  submit->provider = g_strdup (options->provider);
  submit->model = g_strdup (options->model);
  submit->is_new = options->is_new;
  submit->holds = options->holds;
  submit->concurrency = options->concurrency;
  submit->progress = progress;
  submit->progress_data = progress_data;
  submit->in_parts = options->is_new && options->project != NULL && entries->len > PART
                     && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY;
  submit->ids = g_ptr_array_new_with_free_func (g_free);
  g_task_set_task_data (task, submit, submit_free);

  send_part (task);
}

/**
 * gw_import_submit_finish:
 * @client: a client
 * @result: what the callback got
 * @project_id: (out) (optional) (transfer full) (nullable): the project that the tasks are in
 * @error: %GW_ERROR with a sentence, or %G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full) (nullable) (element-type utf8): the ids, in order
 */
GPtrArray *
gw_import_submit_finish (GwClient *client,
                         GAsyncResult *result,
                         char **project_id,
                         GError **error)
{
  Submit *submit;

  g_return_val_if_fail (g_task_is_valid (result, client), NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  submit = g_task_get_task_data (G_TASK (result));
  if (project_id != NULL)
    *project_id = g_steal_pointer (&submit->project_id);

  return g_ptr_array_ref (submit->ids);
}
