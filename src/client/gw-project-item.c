/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-project-item"

/* GwProjectItem: one row of a list of projects, the same object for the project's whole life. Main
 * thread. */

#include "config.h"

#include "gw-project-item.h"

struct _GwProjectItem {
  GObject parent_instance;

  GwProject *project; /* (owned) (not nullable) */
};

enum {
  PROP_0,
  PROP_PROJECT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_BOXED_TYPE (GwProject, gw_project_boxed, gw_project_ref, gw_project_unref)
G_DEFINE_FINAL_TYPE (GwProjectItem, gw_project_item, G_TYPE_OBJECT)

static void
gw_project_item_finalize (GObject *object)
{
  GwProjectItem *self = GW_PROJECT_ITEM (object);

  g_clear_pointer (&self->project, gw_project_unref);

  G_OBJECT_CLASS (gw_project_item_parent_class)->finalize (object);
}

static void
gw_project_item_get_property (GObject *object,
                              guint prop_id,
                              GValue *value,
                              GParamSpec *pspec)
{
  GwProjectItem *self = GW_PROJECT_ITEM (object);

  switch (prop_id)
    {
    case PROP_PROJECT:
      g_value_set_boxed (value, self->project);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
gw_project_item_class_init (GwProjectItemClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_project_item_finalize;
  object_class->get_property = gw_project_item_get_property;

  properties[PROP_PROJECT] =
    g_param_spec_boxed ("project", NULL, NULL, GW_TYPE_PROJECT_BOXED,
                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
gw_project_item_init (GwProjectItem *self)
{
}

/**
 * gw_project_item_new:
 * @project: (transfer none): its first state
 *
 * Returns: (transfer full): a row
 */
GwProjectItem *
gw_project_item_new (GwProject *project)
{
  GwProjectItem *self;

  g_return_val_if_fail (project != NULL, NULL);

  self = g_object_new (GW_TYPE_PROJECT_ITEM, NULL);
  self->project = gw_project_ref (project);

  return self;
}

/**
 * gw_project_item_get_project:
 * @self: a row
 *
 * Returns: (transfer none): the newest state; a change replaces it, so keep a reference to keep it
 */
GwProject *
gw_project_item_get_project (GwProjectItem *self)
{
  g_return_val_if_fail (GW_IS_PROJECT_ITEM (self), NULL);

  return self->project;
}

/**
 * gw_project_item_set_project:
 * @self: a row
 * @project: (transfer none): a newer state of the same project
 *
 * Notifies `project`, once, and only if it is another struct.
 */
void
gw_project_item_set_project (GwProjectItem *self,
                             GwProject *project)
{
  g_autoptr (GwProject) old = NULL;

  g_return_if_fail (GW_IS_PROJECT_ITEM (self));
  g_return_if_fail (project != NULL);

  if (self->project == project)
    return;

  old = g_steal_pointer (&self->project);
  self->project = gw_project_ref (project);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PROJECT]);
}

/**
 * gw_project_item_get_project_id:
 * @self: a row
 *
 * Returns: (transfer none) (nullable): the id, which never changes
 */
const char *
gw_project_item_get_project_id (GwProjectItem *self)
{
  g_return_val_if_fail (GW_IS_PROJECT_ITEM (self), NULL);

  return self->project->project_id;
}
