/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls about projects, but for their results (gw-routes-results.c).
 *
 * Threading: the gateway's thread. A project is named by its id, or by its name, percent-encoded.
 */
#define G_LOG_DOMAIN "gw-routes"

#include "config.h"

#include <string.h>

#include "gateway/gw-gateway-private.h"
#include "gateway/gw-submission-reader.h"

#define DEFAULT_PROJECTS 200
#define MAX_PROJECTS 1000

static void
respond_project (GwRequest *request,
                 GwProject *project,
                 const GError *error)
{
  if (project == NULL)
    {
      gw_request_fail (request, error);
      return;
    }

  gw_request_respond_object (request, 200, gw_project_to_json (project));
  gw_project_unref (project);
}

static void
projects_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwProjectPage) page = NULL;
  JsonObject *object;
  JsonArray *projects;

  page = gw_queue_list_projects_finish (GW_QUEUE (source), result, &error);
  if (page == NULL)
    {
      gw_request_fail (request, error);
      return;
    }

  object = json_object_new ();
  projects = json_array_sized_new (page->projects->len);
  for (guint i = 0; i < page->projects->len; i++)
    json_array_add_object_element (projects, gw_project_to_json (page->projects->pdata[i]));
  json_object_set_int_member (object, "next", page->next);
  json_object_set_boolean_member (object, "more", page->more);
  json_object_set_array_member (object, "projects", projects);
  gw_request_respond_object (request, 200, object);
}

void
gw_route_get_projects (GwRequest *request)
{
  g_autoptr (GError) error = NULL;
  guint64 since = 0, limit = DEFAULT_PROJECTS;

  if (!gw_request_get_query_number (request, "since", 0, G_MAXINT64, &since, &error)
      || !gw_request_get_query_number (request, "limit", 1, MAX_PROJECTS, &limit, &error))
    gw_request_fail (request, error);
  else
    gw_queue_list_projects_async (request->gateway->queue, since, limit, projects_cb,
                                  gw_request_hold (request));
}

static void
got_project_cb (GObject *source,
                GAsyncResult *result,
                gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  GwProject *project = gw_queue_get_project_finish (GW_QUEUE (source), result, &error);

  respond_project (request, project, error);
}

void
gw_route_get_project (GwRequest *request)
{
  gw_queue_get_project_async (request->gateway->queue, request->capture, got_project_cb,
                              gw_request_hold (request));
}

static void
patched_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  GwProject *project = gw_queue_patch_project_finish (GW_QUEUE (source), result, &error);

  respond_project (request, project, error);
}

/* No task is called "", and null is what takes the stop away. */
static gboolean
check_stop_after (const char *id,
                  GError **error)
{
  if (id == NULL || *id != '\0')
    return TRUE;
  g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID,
                       "“stop_after” is empty. Give a task of the project, or null.");

  return FALSE;
}

static void
patch_read (GwRequest *request,
            JsonObject *body)
{
  g_autoptr (GError) error = NULL;
  GwProjectPatch patch = { .paused = -1 };
  gboolean paused = FALSE;

  /* null is no name. */
  if (!gw_json_get_string (body, "name", GW_JSON_OPTIONAL, GW_PROJECT_MAX_NAME * 4, &patch.name,
                           &error)
      || (patch.name != NULL && !gw_project_check_name (patch.name, &error))
      || !gw_read_concurrency (body, &patch.sets_concurrency, &patch.concurrency, &error)
      || !gw_json_get_boolean (body, "paused", GW_JSON_OPTIONAL, &paused, &error)
      || !gw_json_get_int (body, "token_limit", GW_JSON_NULLABLE, 1, GW_PROJECT_MAX_TOKEN_LIMIT,
                           &patch.token_limit, &error)
      || !gw_json_get_string (body, "stop_after", GW_JSON_NULLABLE, 64, &patch.stop_after, &error)
      || !check_stop_after (patch.stop_after, &error))
    {
      /* A name that is too long is a wrong name, and so is an id. */
      if (g_error_matches (error, GW_ERROR, GW_ERROR_TOO_LARGE))
        error->code = GW_ERROR_INVALID;
      gw_request_fail (request, error);
      return;
    }

  if (json_object_has_member (body, "paused"))
    patch.paused = paused;
  patch.sets_token_limit = json_object_has_member (body, "token_limit");
  patch.sets_stop = json_object_has_member (body, "stop_after");
  gw_queue_patch_project_async (request->gateway->queue, request->capture, &patch, patched_cb,
                                gw_request_hold (request));
}

void
gw_route_patch_project (GwRequest *request)
{
  gw_request_read_body (request, TRUE, patch_read);
}

static void
removed_cb (GObject *source,
            GAsyncResult *result,
            gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  if (!gw_queue_remove_project_finish (GW_QUEUE (source), result, &error))
    {
      gw_request_fail (request, error);
      return;
    }

  object = json_object_new ();
  json_object_set_string_member (object, "removed", request->capture);
  gw_request_respond_object (request, 200, object);
}

void
gw_route_remove_project (GwRequest *request)
{
  gw_queue_remove_project_async (request->gateway->queue, request->capture, removed_cb,
                                 gw_request_hold (request));
}

static void
acted_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  g_autoptr (GwRequest) request = gw_request_release (user_data);
  g_autoptr (GError) error = NULL;
  guint64 changed = 0;

  if (!gw_queue_act_on_project_finish (GW_QUEUE (source), result, &changed, &error))
    gw_request_fail (request, error);
  else
    gw_request_respond_changed (request, changed);
}

static void
act (GwRequest *request,
     const GwProjectAct *act)
{
  gw_queue_act_on_project_async (request->gateway->queue, request->capture, act, acted_cb,
                                 gw_request_hold (request));
}

/* The body of these, if there is any, says nothing; it has to be an object all the same. */
static void
cancel_read (GwRequest *request,
             JsonObject *body)
{
  act (request, &(GwProjectAct){ .verb = GW_PROJECT_CANCEL });
}

void
gw_route_cancel_project (GwRequest *request)
{
  gw_request_read_body (request, FALSE, cancel_read);
}

static void
pause_read (GwRequest *request,
            JsonObject *body)
{
  act (request, &(GwProjectAct){ .verb = GW_PROJECT_PAUSE });
}

void
gw_route_pause_project (GwRequest *request)
{
  gw_request_read_body (request, FALSE, pause_read);
}

static void
resume_read (GwRequest *request,
             JsonObject *body)
{
  act (request, &(GwProjectAct){ .verb = GW_PROJECT_RESUME });
}

void
gw_route_resume_project (GwRequest *request)
{
  gw_request_read_body (request, FALSE, resume_read);
}

static gboolean
read_code (JsonObject *body,
           GwProjectAct *act,
           GError **error)
{
  const char *code = NULL;

  if (!gw_json_get_string (body, "code", GW_JSON_NULLABLE, 64, &code, error))
    return FALSE;
  if (code == NULL)
    return TRUE;

  act->has_code = gw_error_from_string (code, &act->code) && gw_error_is_task_error (act->code);
  if (act->has_code)
    return TRUE;

  g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
               "code: '%.40s' is no error of a task. Use one as error.code of a task has it, or "
               "leave it out for all.",
               code);

  return FALSE;
}

static void
retry_read (GwRequest *request,
            JsonObject *body)
{
  g_autoptr (GError) error = NULL;
  GwProjectAct retry = { .verb = GW_PROJECT_RETRY };

  if (body != NULL
      && (!read_code (body, &retry, &error)
          || !gw_read_pin (body, "provider", &retry.provider, &error)
          || !gw_read_pin (body, "model", &retry.model, &error)))
    gw_request_fail (request, error);
  else
    act (request, &retry);
}

void
gw_route_retry_project (GwRequest *request)
{
  gw_request_read_body (request, FALSE, retry_read);
}
