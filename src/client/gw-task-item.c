/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-item"

/* GwTaskItem: one row of a list of tasks, the same object for the task's whole life. Main
 * thread. */

#include "config.h"

#include "gw-task-item.h"

struct _GwTaskItem {
  GObject parent_instance;

  GwTask *task;  /* (owned) (not nullable) */
  char *preview; /* (owned) (nullable) */
  char *snippet; /* (owned) (nullable) */
  guint number;
};

enum {
  PROP_0,
  PROP_TASK,
  PROP_PREVIEW,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_BOXED_TYPE (GwTask, gw_task_boxed, gw_task_ref, gw_task_unref)
G_DEFINE_FINAL_TYPE (GwTaskItem, gw_task_item, G_TYPE_OBJECT)

static void
gw_task_item_finalize (GObject *object)
{
  GwTaskItem *self = GW_TASK_ITEM (object);

  g_clear_pointer (&self->task, gw_task_unref);
  g_free (self->preview);
  g_free (self->snippet);

  G_OBJECT_CLASS (gw_task_item_parent_class)->finalize (object);
}

static void
gw_task_item_get_property (GObject *object,
                           guint prop_id,
                           GValue *value,
                           GParamSpec *pspec)
{
  GwTaskItem *self = GW_TASK_ITEM (object);

  switch (prop_id)
    {
    case PROP_TASK:
      g_value_set_boxed (value, self->task);
      break;

    case PROP_PREVIEW:
      g_value_set_string (value, self->preview);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
gw_task_item_class_init (GwTaskItemClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gw_task_item_finalize;
  object_class->get_property = gw_task_item_get_property;

  properties[PROP_TASK] =
    g_param_spec_boxed ("task", NULL, NULL, GW_TYPE_TASK_BOXED,
                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_PREVIEW] =
    g_param_spec_string ("preview", NULL, NULL, NULL,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
gw_task_item_init (GwTaskItem *self)
{
}

/**
 * gw_task_item_new:
 * @task: (transfer none): its first state
 *
 * Returns: (transfer full): a row
 */
GwTaskItem *
gw_task_item_new (GwTask *task)
{
  GwTaskItem *self;

  g_return_val_if_fail (task != NULL, NULL);

  self = g_object_new (GW_TYPE_TASK_ITEM, NULL);
  self->task = gw_task_ref (task);

  return self;
}

/**
 * gw_task_item_get_task:
 * @self: a row
 *
 * Returns: (transfer none): the newest state; a change replaces it, so keep a reference to keep it
 */
GwTask *
gw_task_item_get_task (GwTaskItem *self)
{
  g_return_val_if_fail (GW_IS_TASK_ITEM (self), NULL);

  return self->task;
}

/**
 * gw_task_item_set_task:
 * @self: a row
 * @task: (transfer none): a newer state of the same task
 *
 * Notifies `task`, once, and only if it is another struct.
 */
void
gw_task_item_set_task (GwTaskItem *self,
                       GwTask *task)
{
  g_autoptr (GwTask) old = NULL;

  g_return_if_fail (GW_IS_TASK_ITEM (self));
  g_return_if_fail (task != NULL);

  if (self->task == task)
    return;

  old = g_steal_pointer (&self->task);
  self->task = gw_task_ref (task);
  /* Of another answer: whoever shows the task is told of that by `task`. */
  if (task->status != old->status || task->result_size != old->result_size)
    g_clear_pointer (&self->preview, g_free);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TASK]);
}

/**
 * gw_task_item_get_task_id:
 * @self: a row
 *
 * Returns: (transfer none): the id, which never changes
 */
const char *
gw_task_item_get_task_id (GwTaskItem *self)
{
  g_return_val_if_fail (GW_IS_TASK_ITEM (self), NULL);

  return self->task->task_id;
}

/**
 * gw_task_item_get_preview:
 * @self: a row
 *
 * Returns: (transfer none) (nullable): the beginning of its result, if somebody has asked for it
 */
const char *
gw_task_item_get_preview (GwTaskItem *self)
{
  g_return_val_if_fail (GW_IS_TASK_ITEM (self), NULL);

  return self->preview;
}

/**
 * gw_task_item_set_preview:
 * @self: a row
 * @preview: (nullable): the beginning of its result; %NULL forgets it
 *
 * Notifies `preview` if it is another text.
 */
void
gw_task_item_set_preview (GwTaskItem *self,
                          const char *preview)
{
  g_return_if_fail (GW_IS_TASK_ITEM (self));

  if (g_strcmp0 (self->preview, preview) == 0)
    return;

  g_free (self->preview);
  self->preview = g_strdup (preview);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PREVIEW]);
}

/**
 * gw_task_item_get_snippet:
 * @self: a row
 *
 * Returns: (transfer none) (nullable): a line of its content around what is searched, where the
 *   beginning of the content does not have it
 */
const char *
gw_task_item_get_snippet (GwTaskItem *self)
{
  g_return_val_if_fail (GW_IS_TASK_ITEM (self), NULL);

  return self->snippet;
}

/**
 * gw_task_item_set_snippet:
 * @self: a row
 * @snippet: (nullable): a line of its content; %NULL forgets it
 *
 * Notifies `preview` if it is another text.
 */
void
gw_task_item_set_snippet (GwTaskItem *self,
                          const char *snippet)
{
  g_return_if_fail (GW_IS_TASK_ITEM (self));

  if (g_strcmp0 (self->snippet, snippet) == 0)
    return;

  g_free (self->snippet);
  self->snippet = g_strdup (snippet);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PREVIEW]);
}

/* Kept for its list, see gw_task_list_get_number(). */
guint
_gw_task_item_get_number (GwTaskItem *self)
{
  return self->number;
}

void
_gw_task_item_set_number (GwTaskItem *self,
                          guint number)
{
  self->number = number;
}
