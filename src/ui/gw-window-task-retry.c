/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-tasks"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-provider-menu.h"
#include "gw-window-tasks-private.h"

/* Retrying tasks, by themselves, by what they failed of, and with another provider. */

static void
retried_cb (GwWindow *self,
            guint changed,
            gpointer data)
{
  g_autofree char *text = NULL;

  if (changed == 1 && data != NULL)
    return; /* the one row says it */
  text = g_strdup_printf (ngettext ("%'u task queued again", "%'u tasks queued again", changed),
                          changed);
  _gw_window_toast (self, text);
}

static void
add_pin (JsonObject *body,
         const char *provider,
         const char *model)
{
  if (provider != NULL)
    json_object_set_string_member (body, "provider", provider);
  if (model != NULL)
    json_object_set_string_member (body, "model", model);
}

static void
add_retries (GwActs *acts,
             GPtrArray *ids,
             const char *provider,
             const char *model)
{
  guint i;

  for (i = 0; i < ids->len; i++)
    {
      JsonObject *body = provider != NULL || model != NULL ? json_object_new () : NULL;

      if (body != NULL)
        add_pin (body, provider, model);
      gw_acts_add (acts, "POST",
                   gw_client_build_path ("tasks", (const char *) ids->pdata[i], "retry", NULL),
                   body);
    }
}

/**
 * _gw_window_retry_ids:
 * @ids: (element-type utf8): failed or cancelled tasks
 * @provider: (nullable): who is to do them now; NULL: as before
 * @model: (nullable): with which of its models
 */
void
_gw_window_retry_ids (GwWindow *self,
                      GPtrArray *ids,
                      const char *provider,
                      const char *model)
{
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  add_retries (acts, ids, provider, model);
  _gw_window_tasks_run (self, acts, _("Not queued again"), retried_cb, ids->len == 1 ? self : NULL,
                        NULL);
}

/**
 * _gw_window_retry_cause:
 * @projects: (element-type utf8): of which all tasks that failed with @code
 * @ids: (element-type utf8): and these tasks
 * @provider: (nullable): who is to do them now; NULL: as before
 * @model: (nullable): with which of its models
 */
void
_gw_window_retry_cause (GwWindow *self,
                        GPtrArray *projects,
                        GPtrArray *ids,
                        const char *code,
                        const char *provider,
                        const char *model)
{
  GwActs *acts = _gw_window_new_acts (self);
  guint i;

  if (acts == NULL)
    return;
  add_retries (acts, ids, provider, model);
  for (i = 0; i < projects->len; i++)
    {
      JsonObject *body = json_object_new ();

      json_object_set_string_member (body, "code", code);
      add_pin (body, provider, model);
      gw_acts_add (acts, "POST",
                   gw_client_build_path ("projects", (const char *) projects->pdata[i], "retry",
                                         NULL),
                   body);
    }
  _gw_window_tasks_run (self, acts, _("Not queued again"), retried_cb, NULL, NULL);
}

typedef struct {
  GPtrArray *ids;
  char *provider;
  char *model;
} Move;

static void
move_free (gpointer data)
{
  Move *move = data;

  g_ptr_array_unref (move->ids);
  g_free (move->provider);
  g_free (move->model);
  g_free (move);
}

static void
taken_cb (GwWindow *self,
          guint changed,
          gpointer data)
{
  Move *move = data;

  _gw_window_retry_ids (self, move->ids, move->provider, move->model);
}

/**
 * _gw_window_move_ids:
 * @ids: (element-type utf8): queued tasks
 *
 * Gives tasks that wait for one provider to another. A queued task has no such call: it is
 * cancelled, then queued again in its old place.
 */
void
_gw_window_move_ids (GwWindow *self,
                     GPtrArray *ids,
                     const char *provider,
                     const char *model)
{
  GwActs *acts = _gw_window_new_acts (self);
  Move *move;

  if (acts == NULL)
    return;
  _gw_window_tasks_add_acts (acts, ids, "DELETE", NULL);
  move = g_new0 (Move, 1);
  move->ids = g_ptr_array_ref (ids);
  move->provider = g_strdup (provider);
  move->model = g_strdup (model);
  _gw_window_tasks_run (self, acts, _("Not moved"), taken_cb, move, move_free);
}

void
_gw_window_tasks_retry_action (GtkWidget *widget,
                               const char *name,
                               GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids
      = _gw_window_tasks_collect_ids (self, items, _gw_window_tasks_can_retry);

  _gw_window_retry_ids (self, ids, NULL, NULL);
}

void
_gw_window_tasks_retry_with_action (GtkWidget *widget,
                                    const char *name,
                                    GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) items = _gw_window_get_targets (self);
  g_autoptr (GPtrArray) ids
      = _gw_window_tasks_collect_ids (self, items, _gw_window_tasks_can_retry);
  g_autoptr (GPtrArray) stuck
      = _gw_window_tasks_collect_ids (self, items, _gw_window_tasks_is_stuck);
  const char *provider;
  const char *model;

  gw_provider_menu_get_target (parameter, &provider, &model);
  if (ids->len > 0)
    _gw_window_retry_ids (self, ids, provider, model);
  if (stuck->len > 0)
    _gw_window_move_ids (self, stuck, provider, model);
}

void
_gw_window_tasks_retry_failed_action (GtkWidget *widget,
                                      const char *name,
                                      GVariant *parameter)
{
  GwWindow *self = GW_WINDOW (widget);
  g_autoptr (GPtrArray) projects = NULL;
  GwActs *acts = _gw_window_new_acts (self);

  if (acts == NULL)
    return;
  projects = _gw_window_tasks_collect_projects (self, _gw_window_tasks_has_failed);
  _gw_window_tasks_add_project_acts (acts, projects, "retry");
  _gw_window_tasks_run (self, acts, _("Not queued again"), retried_cb, NULL, NULL);
}
