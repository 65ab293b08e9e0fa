/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-minimal"

/* What can be done at a minimal gateway although it has no call for it, because the tasks wait on
 * our side until they are sent: submit, projects with their own concurrency, pause, resume, cancel
 * of what was not sent, retry. Everything else is refused in a sentence. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-id.h"

#include "gw-minimal-private.h"

GwMinimalProject *
_gw_minimal_find_project (GwMinimalPoller *self,
                          const char *id_or_name)
{
  for (guint i = 0; i < self->projects->len; i++)
    {
      GwMinimalProject *project = g_ptr_array_index (self->projects, i);

      if (g_str_equal (project->project->project_id, id_or_name)
          || g_str_equal (project->project->name, id_or_name))
        return project;
    }

  return NULL;
}

/* A new struct for a new state, as for tasks. */
void
_gw_minimal_touch_project (GwMinimalPoller *self,
                           GwMinimalProject *project)
{
  GwProject *old = project->project;
  GwProject *fresh = gw_project_new ();

  fresh->project_id = g_strdup (old->project_id);
  fresh->name = g_strdup (old->name);
  fresh->created_at = old->created_at;
  fresh->concurrency = old->concurrency;
  fresh->paused = old->paused;
  memcpy (fresh->counts, old->counts, sizeof fresh->counts);
  fresh->usage = GW_USAGE_NONE;
  if (gw_project_count_unfinished (fresh) == 0)
    fresh->finished_at = g_get_real_time () / 1000;
  fresh->revision = self->revision;

  project->project = fresh;
  gw_project_unref (old);
  _gw_minimal_changed (self);
}

GwMinimalProject *
_gw_minimal_add_project (GwMinimalPoller *self,
                         const char *project_id,
                         const char *name,
                         gint64 created_at)
{
  GwMinimalProject *project = g_new0 (GwMinimalProject, 1);

  project->project = gw_project_new ();
  project->project->project_id = g_strdup (project_id);
  project->project->name = g_strdup (name);
  project->project->created_at = created_at;
  project->project->usage = GW_USAGE_NONE;
  g_queue_init (&project->waiting);
  g_ptr_array_add (self->projects, project);

  return project;
}

/* @submitted: (nullable): metadata */
GwMinimalEntry *
_gw_minimal_add_entry (GwMinimalPoller *self,
                       GwMinimalProject *project,
                       const char *task_id,
                       const char *content,
                       const char *provider,
                       const char *model,
                       JsonObject *submitted,
                       gint64 created_at)
{
  GwMinimalEntry *entry = g_new0 (GwMinimalEntry, 1);

  entry->poller = self;
  entry->project = project;
  entry->link.data = entry;
  entry->turn.data = entry;
  entry->content = g_strdup (content);
  entry->provider = g_strdup (provider);
  entry->model = g_strdup (model);
  if (submitted != NULL)
    entry->submitted = json_object_ref (submitted);

  entry->task = gw_task_new ();
  entry->id = g_strdup (task_id);
  entry->task->task_id = g_strdup (entry->id);
  entry->task->project_id = g_strdup (project->project->project_id);
  entry->task->status = GW_TASK_QUEUED;
  entry->task->content = g_strdup (entry->content);
  entry->task->content_size = strlen (entry->content);
  entry->task->created_at = created_at;
  entry->task->usage = GW_USAGE_NONE;
  entry->task->duration_ms = -1;
  if (entry->submitted != NULL)
    entry->task->submitted = json_object_ref (entry->submitted);
  entry->task->position = ++self->position;
  entry->task->revision = ++self->revision;

  g_hash_table_insert (self->entries, entry->id, entry);
  g_ptr_array_add (self->order, entry);
  g_queue_push_tail_link (&self->by_revision, &entry->link);
  g_queue_push_tail_link (&project->waiting, &entry->turn);
  project->project->counts[GW_TASK_QUEUED]++;

  return entry;
}

static void
add_object (GwMinimalPoller *self,
            GwMinimalProject *project,
            JsonObject *object)
{
  const char *content = gw_json_peek_string (object, "content");
  g_autofree char *id = gw_id_new ();

  _gw_minimal_add_entry (self, project, id, content != NULL ? content : "",
                         gw_json_peek_string (object, "provider"),
                         gw_json_peek_string (object, "model"),
                         gw_json_peek_object (object, "metadata"), g_get_real_time () / 1000);
}

/**
 * gw_minimal_poller_submit:
 * @self: a poller
 * @tasks: (element-type JsonObject): as the body of POST /tasks
 * @project: (nullable): id or name
 * @concurrency: sets the project's; 0: leaves it
 * @ids: (element-type utf8): gets the tasks' ids, in order
 *
 * Takes tasks in; they are sent as the limits allow.
 *
 * Returns: (transfer full): the project's id
 */
char *
gw_minimal_poller_submit (GwMinimalPoller *self,
                          GPtrArray *tasks,
                          const char *project,
                          guint concurrency,
                          GPtrArray *ids)
{
  const char *name = project != NULL ? project : GW_PROJECT_DEFAULT_NAME;
  GwMinimalProject *target = _gw_minimal_find_project (self, name);
  guint first = self->order->len;

  if (target == NULL)
    {
      g_autofree char *id = gw_id_new ();

      target = _gw_minimal_add_project (self, id, name, g_get_real_time () / 1000);
    }
  if (concurrency > 0)
    target->project->concurrency = concurrency;

  for (guint i = 0; i < tasks->len; i++)
    {
      GwMinimalEntry *entry;

      add_object (self, target, g_ptr_array_index (tasks, i));
      entry = g_ptr_array_index (self->order, self->order->len - 1);
      g_ptr_array_add (ids, g_strdup (entry->task->task_id));
    }
  _gw_minimal_touch_project (self, target);
  _gw_minimal_keep_new (self, target, first);
  _gw_minimal_pump (self);

  return g_strdup (target->project->project_id);
}

static gboolean
is_waiting (GwMinimalEntry *entry)
{
  return g_queue_link_index (&entry->project->waiting, &entry->turn) >= 0;
}

static JsonObject *
changed (guint count)
{
  JsonObject *answer = json_object_new ();

  json_object_set_int_member (answer, "changed", count);

  return answer;
}

static JsonObject *
cancel_project (GwMinimalPoller *self,
                GwMinimalProject *project)
{
  guint count = 0;
  GList *link;

  while ((link = g_queue_pop_head_link (&project->waiting)) != NULL)
    {
      _gw_minimal_fail (link->data, GW_ERROR_TASK_CANCELLED, _("Cancelled before it was sent"));
      count++;
    }

  return changed (count);
}

static gboolean
retry_entry (GwMinimalEntry *entry)
{
  if (entry->task->status != GW_TASK_FAILED && entry->task->status != GW_TASK_CANCELLED)
    return FALSE;

  g_clear_pointer (&entry->foreign_id, g_free);
  _gw_minimal_set_state (entry, GW_TASK_QUEUED, NULL);
  g_queue_push_tail_link (&entry->project->waiting, &entry->turn);

  return TRUE;
}

static JsonObject *
retry_project (GwMinimalPoller *self,
               GwMinimalProject *project)
{
  guint count = 0;

  for (guint i = 0; i < self->order->len; i++)
    {
      GwMinimalEntry *entry = g_ptr_array_index (self->order, i);

      if (entry->project == project && entry->task->status == GW_TASK_FAILED)
        count += retry_entry (entry);
    }
  _gw_minimal_pump (self);

  return changed (count);
}

static JsonObject *
set_paused (GwMinimalPoller *self,
            GwMinimalProject *project,
            gboolean paused)
{
  gboolean differs = project->project->paused != paused;

  if (differs)
    {
      project->project->paused = paused;
      self->revision++;
      _gw_minimal_touch_project (self, project);
      _gw_minimal_keep_project (self, project);
      _gw_minimal_pump (self);
    }

  return changed (differs ? 1 : 0);
}

static JsonObject *
patch_project (GwMinimalPoller *self,
               GwMinimalProject *project,
               JsonObject *body)
{
  if (body != NULL && json_object_has_member (body, "concurrency"))
    project->project->concurrency = CLAMP (gw_json_peek_int (body, "concurrency", 0), 0,
                                           GW_PROJECT_MAX_CONCURRENCY);
  if (body != NULL && json_object_has_member (body, "paused"))
    project->project->paused = gw_json_peek_boolean (body, "paused", FALSE);
  self->revision++;
  _gw_minimal_touch_project (self, project);
  _gw_minimal_keep_project (self, project);
  _gw_minimal_pump (self);

  return gw_project_to_json (project->project);
}

static JsonObject *
call_project (GwMinimalPoller *self,
              const char *method,
              GwMinimalProject *project,
              const char *verb,
              JsonObject *body)
{
  if (verb == NULL && g_str_equal (method, "GET"))
    return gw_project_to_json (project->project);
  if (verb == NULL && g_str_equal (method, "PATCH"))
    return patch_project (self, project, body);
  if (verb == NULL || !g_str_equal (method, "POST"))
    return NULL;
  if (g_str_equal (verb, "cancel"))
    return cancel_project (self, project);
  if (g_str_equal (verb, "pause") || g_str_equal (verb, "resume"))
    return set_paused (self, project, g_str_equal (verb, "pause"));
  if (g_str_equal (verb, "retry"))
    return retry_project (self, project);

  return NULL;
}

static JsonObject *
call_task (GwMinimalPoller *self,
           const char *method,
           GwMinimalEntry *entry,
           const char *verb,
           GError **error)
{
  if (verb == NULL && g_str_equal (method, "GET"))
    return gw_task_to_json (entry->task, GW_TASK_FIELDS_WHOLE);

  if (verb == NULL && g_str_equal (method, "DELETE"))
    {
      if (!is_waiting (entry))
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFLICT,
                               gw_task_status_is_final (entry->task->status)
                                 ? _("The task has ended")
                                 : _("This gateway cannot cancel a task that it has"));
          return NULL;
        }
      g_queue_unlink (&entry->project->waiting, &entry->turn);
      _gw_minimal_fail (entry, GW_ERROR_TASK_CANCELLED, _("Cancelled before it was sent"));
      return gw_task_to_json (entry->task, GW_TASK_FIELDS_WHOLE);
    }

  if (verb != NULL && g_str_equal (method, "POST") && g_str_equal (verb, "retry"))
    {
      if (!retry_entry (entry))
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_CONFLICT,
                               _("Only a task that failed or was cancelled can be tried again"));
          return NULL;
        }
      _gw_minimal_pump (self);
      return gw_task_to_json (entry->task, GW_TASK_FIELDS_WHOLE);
    }

  return NULL;
}

/**
 * gw_minimal_poller_call:
 * @self: a poller
 * @method: HTTP method
 * @path: path of the contract, with our ids
 * @body: (nullable): what would be sent
 * @error: GW_ERROR_NOT_FOUND where the gateway lacks it, GW_ERROR_CONFLICT
 *
 * Returns: (transfer full) (nullable): the answer, as our gateway would give it
 */
JsonObject *
gw_minimal_poller_call (GwMinimalPoller *self,
                        const char *method,
                        const char *path,
                        JsonObject *body,
                        GError **error)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", 5);
  guint n = g_strv_length (parts);
  const char *verb = n == 4 ? parts[3] : NULL;
  g_autofree char *id = n >= 3 && n <= 4 ? g_uri_unescape_string (parts[2], NULL) : NULL;
  g_autoptr (GError) local = NULL;
  JsonObject *answer = NULL;

  if (id != NULL && g_str_equal (parts[1], "projects"))
    {
      GwMinimalProject *project = _gw_minimal_find_project (self, id);

      if (project != NULL)
        answer = call_project (self, method, project, verb, body);
    }
  else if (id != NULL && g_str_equal (parts[1], "tasks"))
    {
      GwMinimalEntry *entry = _gw_minimal_find (self, id);

      if (entry != NULL)
        answer = call_task (self, method, entry, verb, &local);
    }

  if (answer == NULL && local == NULL)
    g_set_error (&local, GW_ERROR, GW_ERROR_NOT_FOUND,
                 /* Translators: a method of HTTP and a path, as "POST /estimate" */
                 _("This gateway can only take tasks and show them: it has no %s %s"),
                 method, path);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));

  return answer;
}
