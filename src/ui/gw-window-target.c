/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-window-target"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-project-words.h"
#include "gw-window-private.h"

/* Where what is typed goes: said beside its provider, and chosen there for the next submission. By
 * itself it goes to the project that is shown; else several tasks are a project of their own, and a
 * single one is a quick task. */

/* (nullable): the project that is shown, unless that is Quick Tasks. */
static GwProject *
get_shown (GwWindow *self)
{
  const char *id = _gw_window_get_target_project (self);
  GwProject *project
      = id != NULL && self->list != NULL ? gw_task_list_find_project (self->list, id) : NULL;

  return project != NULL && g_strcmp0 (project->name, GW_PROJECT_DEFAULT_NAME) != 0 ? project
                                                                                    : NULL;
}

/**
 * _gw_window_get_target:
 *
 * Returns: where what is typed goes
 */
GwTarget
_gw_window_get_target (GwWindow *self)
{
  if (self->target == GW_TARGET_NEW || self->target == GW_TARGET_QUICK)
    return self->target;
  if (get_shown (self) != NULL)
    return GW_TARGET_SHOWN;
  return gw_composer_get_n_tasks (self->composer) > 1 ? GW_TARGET_NEW : GW_TARGET_QUICK;
}

static const char *const names[] = {
  [GW_TARGET_AUTOMATIC] = "automatic",
  [GW_TARGET_SHOWN] = "shown",
  [GW_TARGET_NEW] = "new",
  [GW_TARGET_QUICK] = "quick",
};

static void
append (GMenu *menu,
        const char *label,
        GwTarget target)
{
  g_auto (GStrv) parts = g_strsplit (label, "_", -1);
  g_autofree char *escaped = g_strjoinv ("__", parts);
  g_autoptr (GMenuItem) item = g_menu_item_new (escaped, NULL);

  g_menu_item_set_action_and_target (item, "win.target", "s", names[target]);
  g_menu_append_item (menu, item);
}

/* Called with everything that it follows from. */
void
_gw_window_target_update (GwWindow *self)
{
  GwProject *shown = get_shown (self);
  GwTarget target = _gw_window_get_target (self);
  GwClient *client = gw_endpoint_get_client (self->endpoint);
  /* Translators: %s is the name of a project that new tasks go to */
  g_autofree char *in = shown != NULL ? g_strdup_printf (_("In “%s”"), shown->name) : NULL;
  const char *label = target == GW_TARGET_SHOWN ? in
                      : target == GW_TARGET_NEW ? _("New Project")
                                                : _("Quick Tasks");
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), "target");

  g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_string (names[target]));
  if (g_strcmp0 (self->target_shown, in != NULL ? in : "") != 0)
    {
      g_menu_remove_all (self->target_menu);
      if (in != NULL)
        append (self->target_menu, in, GW_TARGET_SHOWN);
      append (self->target_menu, _("New Project"), GW_TARGET_NEW);
      append (self->target_menu, _("Quick Tasks"), GW_TARGET_QUICK);
      g_free (self->target_shown);
      self->target_shown = g_strdup (in != NULL ? in : "");
    }
  /* A gateway with only the two calls has no projects. */
  gw_composer_set_target (self->composer,
                          client != NULL && gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY
                              ? label
                              : NULL);
}

/* What was chosen was for once. */
void
_gw_window_target_reset (GwWindow *self)
{
  self->target = GW_TARGET_AUTOMATIC;
  if (self->compose != NULL && self->endpoint != NULL)
    _gw_window_target_update (self);
}

static void
chosen_cb (GSimpleAction *action,
           GVariant *state,
           GwWindow *self)
{
  const char *name = g_variant_get_string (state, NULL);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], name))
      self->target = i;
  _gw_window_compose_update (self);
}

void
_gw_window_target_init (GwWindow *self)
{
  g_autoptr (GSimpleAction) action = g_simple_action_new_stateful (
      "target", G_VARIANT_TYPE_STRING, g_variant_new_string (names[GW_TARGET_AUTOMATIC]));

  self->target_menu = g_menu_new ();
  g_signal_connect_object (action, "change-state", G_CALLBACK (chosen_cb), self, 0);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (action));
  gw_composer_set_target_menu (self->composer, G_MENU_MODEL (self->target_menu));
}

void
_gw_window_target_dispose (GwWindow *self)
{
  g_clear_object (&self->target_menu);
  g_clear_pointer (&self->target_shown, g_free);
}
