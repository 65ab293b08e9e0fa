/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-project"

#include "config.h"

#include <string.h>

#include "gw-project.h"
#include "gw-task-private.h"

/**
 * gw_project_new:
 *
 * Returns: (transfer full): an empty project without a name
 */
GwProject *
gw_project_new (void)
{
  GwProject *project = g_atomic_rc_box_new0 (GwProject);

  project->usage = GW_USAGE_NONE;
  project->estimate_bound_s = -1;
  project->estimate_efficiency = -1;

  return project;
}

GwProject *
gw_project_ref (GwProject *project)
{
  return g_atomic_rc_box_acquire (project);
}

static void
gw_project_clear (gpointer data)
{
  GwProject *project = data;

  g_free (project->project_id);
  g_free (project->name);
  g_free (project->stop_after);
}

void
gw_project_unref (GwProject *project)
{
  g_atomic_rc_box_release_full (project, gw_project_clear);
}

/**
 * gw_project_count_unfinished:
 * @project: a project
 *
 * Returns: how many of its tasks are queued or running
 */
guint64
gw_project_count_unfinished (const GwProject *project)
{
  return project->counts[GW_TASK_QUEUED] + project->counts[GW_TASK_RUNNING];
}

/**
 * gw_project_is_spent:
 * @project: a project
 *
 * Returns: whether its tasks have used the tokens that it may use
 */
gboolean
gw_project_is_spent (const GwProject *project)
{
  return project->token_limit > 0 && project->usage.total_tokens >= project->token_limit;
}

/* Whether @name has the shape of the ids that we make, so that it could be taken for one. */
static gboolean
is_id_like (const char *name)
{
  if (strlen (name) != 36)
    return FALSE;

  for (guint i = 0; i < 36; i++)
    {
      gboolean hyphen = i == 8 || i == 13 || i == 18 || i == 23;

      if (hyphen ? name[i] != '-' : !g_ascii_isxdigit (name[i]))
        return FALSE;
    }

  return TRUE;
}

/**
 * gw_project_check_name:
 * @name: (nullable): UTF-8 from outside
 * @error: %GW_ERROR_INVALID
 *
 * Returns: whether a project may have this name
 */
gboolean
gw_project_check_name (const char *name,
                       GError **error)
{
  glong length = name != NULL ? g_utf8_strlen (name, -1) : 0;

  if (length < 1 || length > GW_PROJECT_MAX_NAME)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "A project's name has 1 to %d characters, this one has %ld",
                   GW_PROJECT_MAX_NAME, length);
      return FALSE;
    }
  if (is_id_like (name))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "'%s' looks like the id of a project: choose another name", name);
      return FALSE;
    }

  return TRUE;
}

static void
set_known (JsonObject *object,
           const char *member,
           double value)
{
  if (value >= 0)
    json_object_set_double_member (object, member, value);
  else
    json_object_set_null_member (object, member);
}

/**
 * gw_project_to_json:
 * @project: a project
 *
 * `concurrency` is null where the project has none of its own; `held`, `token_limit` and
 * `stop_after` are there where they say something.
 * Any thread.
 *
 * Returns: (transfer full): the project as the contract has it
 */
JsonObject *
gw_project_to_json (const GwProject *project)
{
  JsonObject *object = json_object_new ();
  JsonObject *counts = json_object_new ();
  JsonObject *estimate;

  gw_json_set_string_or_null (object, "project_id", project->project_id);
  gw_json_set_string_or_null (object, "name", project->name);
  gw_json_set_time (object, "created_at", project->created_at);
  gw_json_set_time (object, "finished_at", project->finished_at);
  if (project->concurrency > 0)
    json_object_set_int_member (object, "concurrency", project->concurrency);
  else
    json_object_set_null_member (object, "concurrency");
  json_object_set_boolean_member (object, "paused", project->paused);
  if (project->held)
    json_object_set_boolean_member (object, "held", TRUE);
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    json_object_set_int_member (counts, gw_task_status_to_string (i), project->counts[i]);
  json_object_set_object_member (object, "counts", counts);
  json_object_set_object_member (object, "usage", _gw_usage_to_json (&project->usage));
  if (project->token_limit > 0)
    json_object_set_int_member (object, "token_limit", project->token_limit);
  if (project->stop_after != NULL)
    json_object_set_string_member (object, "stop_after", project->stop_after);
  json_object_set_int_member (object, "revision", project->revision);
  if (project->has_estimate)
    {
      estimate = json_object_new ();
      gw_json_set_time (estimate, "finish_at", project->estimate_finish_at);
      set_known (estimate, "bound_s", project->estimate_bound_s);
      set_known (estimate, "efficiency", project->estimate_efficiency);
      json_object_set_object_member (object, "estimate", estimate);
    }

  return object;
}

/**
 * gw_project_new_from_json:
 * @object: a project as a gateway tells it
 * @error: %GW_ERROR_INVALID
 *
 * Members that are absent are as gw_project_new() has them. Any thread.
 *
 * Returns: (transfer full) (nullable): the project
 */
GwProject *
gw_project_new_from_json (JsonObject *object,
                          GError **error)
{
  g_autoptr (GwProject) project = gw_project_new ();
  const char *project_id = NULL, *name = NULL, *stop_after = NULL;
  JsonObject *counts = NULL, *usage = NULL, *estimate = NULL;
  gint64 concurrency = 0, revision = 0;

  if (!gw_json_get_string (object, "project_id", GW_JSON_REQUIRED, 0, &project_id, error)
      || !gw_json_get_string (object, "name", GW_JSON_NULLABLE, 0, &name, error)
      || !gw_json_get_int (object, "concurrency", GW_JSON_NULLABLE, 0, G_MAXUINT, &concurrency,
                           error)
      || !gw_json_get_boolean (object, "paused", GW_JSON_OPTIONAL, &project->paused, error)
      || !gw_json_get_boolean (object, "held", GW_JSON_OPTIONAL, &project->held, error)
      || !gw_json_get_object (object, "counts", GW_JSON_NULLABLE, &counts, error)
      || !gw_json_get_object (object, "usage", GW_JSON_NULLABLE, &usage, error)
      || !gw_json_get_int (object, "token_limit", GW_JSON_NULLABLE, 0, G_MAXINT64,
                           &project->token_limit, error)
      || !gw_json_get_string (object, "stop_after", GW_JSON_NULLABLE, 0, &stop_after, error)
      || !gw_json_get_int (object, "revision", GW_JSON_OPTIONAL, 0, G_MAXINT64, &revision, error)
      || !gw_json_get_object (object, "estimate", GW_JSON_NULLABLE, &estimate, error))
    return NULL;

  project->project_id = g_strdup (project_id);
  project->name = g_strdup (name);
  project->stop_after = g_strdup (stop_after);
  project->created_at = _gw_time_get_member (object, "created_at");
  project->finished_at = _gw_time_get_member (object, "finished_at");
  project->concurrency = concurrency;
  for (guint i = 0; i < GW_N_TASK_STATUSES; i++)
    project->counts[i] = MAX (gw_json_peek_int (counts, gw_task_status_to_string (i), 0), 0);
  project->usage = _gw_usage_from_json (usage);
  project->revision = revision;
  if (estimate != NULL)
    {
      project->has_estimate = TRUE;
      project->estimate_finish_at = _gw_time_get_member (estimate, "finish_at");
      project->estimate_bound_s = gw_json_peek_double (estimate, "bound_s", -1);
      project->estimate_efficiency = gw_json_peek_double (estimate, "efficiency", -1);
    }

  return g_steal_pointer (&project);
}
