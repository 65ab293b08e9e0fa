/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-list"

/* GwTaskList: the live list; here the object, the order of its rows in gw-task-list-order.c, the
 * following of the gateway in gw-task-list-feed.c. One long-poll of changes at a time; every page
 * is brought in as one step: what is known is updated in place, what is new is spliced in by as few
 * items-changed as its places need. Main thread only; pages are parsed elsewhere
 * (gw-client-changes.c).
 *
 * Guarantee: the order is that of submission and never changes; an item is one object for its
 * task's whole life; after a reset, or other data behind the address, the list equals the gateway's
 * again without what stayed having been taken out. */

#include "config.h"

#include "gw-task-list-private.h"

enum {
  PROP_0,
  PROP_CLIENT,
  PROP_PROJECT,
  PROP_CONNECTED,
  PROP_ERROR_MESSAGE,
  PROP_RETRY_AT,
  N_PROPS
};

enum {
  CHANGED,
  DELTA,
  PROJECTS_CHANGED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void gw_task_list_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GwTaskList, gw_task_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      gw_task_list_list_model_init))

static GType
gw_task_list_get_item_type (GListModel *model)
{
  return GW_TYPE_TASK_ITEM;
}

static guint
gw_task_list_get_n_items (GListModel *model)
{
  return GW_TASK_LIST (model)->items->len;
}

static gpointer
gw_task_list_get_item (GListModel *model,
                       guint position)
{
  GwTaskList *self = GW_TASK_LIST (model);

  return position < self->items->len ? g_object_ref (g_ptr_array_index (self->items, position))
                                     : NULL;
}

static void
gw_task_list_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = gw_task_list_get_item_type;
  iface->get_n_items = gw_task_list_get_n_items;
  iface->get_item = gw_task_list_get_item;
}

static void
gw_task_list_dispose (GObject *object)
{
  GwTaskList *self = GW_TASK_LIST (object);

  gw_task_list_stop (self);
  g_clear_object (&self->client);

  G_OBJECT_CLASS (gw_task_list_parent_class)->dispose (object);
}

static void
gw_task_list_finalize (GObject *object)
{
  GwTaskList *self = GW_TASK_LIST (object);

  _gw_task_list_order_clear (self);
  g_hash_table_unref (self->projects);
  g_hash_table_unref (self->hidden);
  g_clear_pointer (&self->seen, g_hash_table_unref);
  g_free (self->project);
  g_free (self->store);
  g_free (self->error_message);

  G_OBJECT_CLASS (gw_task_list_parent_class)->finalize (object);
}

static void
gw_task_list_get_property (GObject *object,
                           guint prop_id,
                           GValue *value,
                           GParamSpec *pspec)
{
  GwTaskList *self = GW_TASK_LIST (object);

  switch (prop_id)
    {
    case PROP_CLIENT:
      g_value_set_object (value, self->client);
      break;

    case PROP_PROJECT:
      g_value_set_string (value, self->project);
      break;

    case PROP_CONNECTED:
      g_value_set_boolean (value, self->connected);
      break;

    case PROP_ERROR_MESSAGE:
      g_value_set_string (value, self->error_message);
      break;

    case PROP_RETRY_AT:
      g_value_set_int64 (value, self->retry_at);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
gw_task_list_set_property (GObject *object,
                           guint prop_id,
                           const GValue *value,
                           GParamSpec *pspec)
{
  GwTaskList *self = GW_TASK_LIST (object);

  switch (prop_id)
    {
    case PROP_CLIENT:
      self->client = g_value_dup_object (value);
      break;

    case PROP_PROJECT:
      self->project = g_value_dup_string (value);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
gw_task_list_class_init (GwTaskListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_task_list_dispose;
  object_class->finalize = gw_task_list_finalize;
  object_class->get_property = gw_task_list_get_property;
  object_class->set_property = gw_task_list_set_property;

  properties[PROP_CLIENT] =
    g_param_spec_object ("client", NULL, NULL, GW_TYPE_CLIENT,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  properties[PROP_PROJECT] =
    g_param_spec_string ("project", NULL, NULL, NULL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  properties[PROP_CONNECTED] =
    g_param_spec_boolean ("connected", NULL, NULL, FALSE,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_ERROR_MESSAGE] =
    g_param_spec_string ("error-message", NULL, NULL, NULL,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_RETRY_AT] =
    g_param_spec_int64 ("retry-at", NULL, NULL, 0, G_MAXINT64, 0,
                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[DELTA] = g_signal_new ("delta", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[PROJECTS_CHANGED] =
    g_signal_new ("projects-changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                  NULL, G_TYPE_NONE, 1, G_TYPE_PTR_ARRAY);
}

static void
gw_task_list_init (GwTaskList *self)
{
  _gw_task_list_order_init (self);
  self->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->projects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) gw_project_unref);
}

/**
 * gw_task_list_new:
 * @client: (transfer none): the gateway to follow
 * @project: (nullable): only that project, by id or name
 *
 * Returns: (transfer full): an empty list; gw_task_list_start() fills it
 */
GwTaskList *
gw_task_list_new (GwClient *client,
                  const char *project)
{
  return g_object_new (GW_TYPE_TASK_LIST, "client", client, "project", project, NULL);
}

void
_gw_task_list_set_connected (GwTaskList *self,
                             const GError *error)
{
  gboolean connected = error == NULL;
  const char *message = error != NULL ? error->message : NULL;

  if (g_strcmp0 (self->error_message, message) != 0)
    {
      g_free (self->error_message);
      self->error_message = g_strdup (message);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR_MESSAGE]);
    }
  if (self->connected != connected)
    {
      self->connected = connected;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CONNECTED]);
    }
}

void
_gw_task_list_set_retry_at (GwTaskList *self,
                            gint64 retry_at)
{
  if (self->retry_at == retry_at)
    return;

  self->retry_at = retry_at;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RETRY_AT]);
}

/* @ids: (nullable) (element-type utf8): which; NULL: any */
void
_gw_task_list_emit_projects_changed (GwTaskList *self,
                                     GPtrArray *ids)
{
  g_signal_emit (self, signals[PROJECTS_CHANGED], 0, ids);
}

/* The end of a step: whoever keeps a part of the rows is told first. */
void
_gw_task_list_emit_changed (GwTaskList *self)
{
  if (self->delta->added->len + self->delta->removed->len + self->delta->changed->len > 0)
    g_signal_emit (self, signals[DELTA], 0, self->delta);
  _gw_task_list_reset_delta (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

/**
 * gw_task_list_get_retry_at:
 * @self: a list
 *
 * Returns: Unix ms of the next try to reach the gateway; 0 while it answers
 */
gint64
gw_task_list_get_retry_at (GwTaskList *self)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), 0);

  return self->retry_at;
}

/**
 * gw_task_list_find:
 * @self: a list
 * @task_id: an id
 *
 * Returns: (transfer none) (nullable): the row of that task
 */
GwTaskItem *
gw_task_list_find (GwTaskList *self,
                   const char *task_id)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), NULL);
  g_return_val_if_fail (task_id != NULL, NULL);

  return g_hash_table_lookup (self->by_id, task_id);
}

/**
 * gw_task_list_count:
 * @self: a list
 * @status: a state
 *
 * Returns: how many rows are in @status, at no cost; those of hidden projects are not counted
 */
guint
gw_task_list_count (GwTaskList *self,
                    GwTaskStatus status)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), 0);
  g_return_val_if_fail ((guint) status < GW_N_TASK_STATUSES, 0);

  return gw_task_list_count_in (self, NULL, status);
}

static const GwTaskCounts *
peek_counts (GwTaskList *self,
             const char *project_id)
{
  return g_hash_table_lookup (self->counts_in, project_id);
}

/**
 * gw_task_list_count_in:
 * @self: a list
 * @project_id: (nullable): only that project's, by id; NULL: all
 * @status: a state
 *
 * Returns: how many rows of the project are in @status, at no cost
 */
guint
gw_task_list_count_in (GwTaskList *self,
                       const char *project_id,
                       GwTaskStatus status)
{
  const GwTaskCounts *counts;
  GHashTableIter iter;
  gpointer id;
  guint n;

  g_return_val_if_fail (GW_IS_TASK_LIST (self), 0);
  g_return_val_if_fail ((guint) status < GW_N_TASK_STATUSES, 0);

  if (project_id != NULL)
    {
      counts = gw_task_list_is_hidden (self, project_id) ? NULL : peek_counts (self, project_id);
      return counts != NULL ? counts->of[status] : 0;
    }

  n = self->counts.of[status];
  g_hash_table_iter_init (&iter, self->hidden);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if ((counts = peek_counts (self, id)) != NULL)
      n -= counts->of[status];

  return n;
}

/**
 * gw_task_list_is_loaded:
 * @self: a list
 *
 * Returns: whether everything has come that there was when the list began; stays so
 */
gboolean
gw_task_list_is_loaded (GwTaskList *self)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), FALSE);

  return self->loaded;
}

/**
 * gw_task_list_count_interrupted:
 * @self: a list
 * @project_id: (nullable): only that project's, by id; %NULL: all
 *
 * Returns: how many of the queued rows were sent by a run that ended, at no cost
 */
guint
gw_task_list_count_interrupted (GwTaskList *self,
                                const char *project_id)
{
  const GwTaskCounts *counts;
  GHashTableIter iter;
  gpointer id;
  guint n;

  g_return_val_if_fail (GW_IS_TASK_LIST (self), 0);

  if (project_id != NULL)
    {
      counts = gw_task_list_is_hidden (self, project_id) ? NULL : peek_counts (self, project_id);
      return counts != NULL ? counts->interrupted : 0;
    }

  n = self->counts.interrupted;
  g_hash_table_iter_init (&iter, self->hidden);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if ((counts = peek_counts (self, id)) != NULL)
      n -= counts->interrupted;

  return n;
}

/**
 * gw_task_list_get_store:
 * @self: a list
 *
 * Returns: (transfer none) (nullable): which data the gateway last answered from; %NULL: none yet, or
 *   it does not say
 */
const char *
gw_task_list_get_store (GwTaskList *self)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), NULL);

  return self->store;
}

/**
 * gw_task_list_is_connected:
 * @self: a list
 *
 * Returns: whether the last request was answered
 */
gboolean
gw_task_list_is_connected (GwTaskList *self)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), FALSE);

  return self->connected;
}

/**
 * gw_task_list_get_error_message:
 * @self: a list
 *
 * Returns: (transfer none) (nullable): why it is not connected
 */
const char *
gw_task_list_get_error_message (GwTaskList *self)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), NULL);

  return self->error_message;
}

/**
 * gw_task_list_find_project:
 * @self: a list
 * @project_id: an id
 *
 * Returns: (transfer none) (nullable): the newest state of that project
 */
GwProject *
gw_task_list_find_project (GwTaskList *self,
                           const char *project_id)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), NULL);
  g_return_val_if_fail (project_id != NULL, NULL);

  return g_hash_table_lookup (self->projects, project_id);
}

static int
compare_projects (gconstpointer a,
                  gconstpointer b)
{
  const GwProject *left = a;
  const GwProject *right = b;

  if (left->created_at != right->created_at)
    return left->created_at < right->created_at ? -1 : 1;

  return strcmp (left->project_id, right->project_id);
}

/**
 * gw_task_list_get_projects:
 * @self: a list
 *
 * Returns: (transfer container) (element-type GwProject): the projects that the feed told of and
 *   that are not hidden, in order of creation
 */
GList *
gw_task_list_get_projects (GwTaskList *self)
{
  GList *projects = gw_task_list_get_known_projects (self);

  for (GList *link = projects, *next; link != NULL; link = next)
    {
      GwProject *project = link->data;

      next = link->next;
      if (gw_task_list_is_hidden (self, project->project_id))
        projects = g_list_delete_link (projects, link);
    }

  return projects;
}

/**
 * gw_task_list_hide_project:
 * @self: a list
 * @project_id: an id
 *
 * Lets a project that is about to be removed count for nothing until gw_task_list_unhide_project():
 * neither its tasks are counted nor is it among the projects. Its rows stay.
 */
void
gw_task_list_hide_project (GwTaskList *self,
                           const char *project_id)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));
  g_return_if_fail (project_id != NULL);

  if (g_hash_table_add (self->hidden, g_strdup (project_id)))
    g_signal_emit (self, signals[CHANGED], 0);
}

void
gw_task_list_unhide_project (GwTaskList *self,
                             const char *project_id)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));
  g_return_if_fail (project_id != NULL);

  if (g_hash_table_remove (self->hidden, project_id))
    g_signal_emit (self, signals[CHANGED], 0);
}

gboolean
gw_task_list_is_hidden (GwTaskList *self,
                        const char *project_id)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), FALSE);

  return project_id != NULL && g_hash_table_contains (self->hidden, project_id);
}

/**
 * gw_task_list_get_known_projects:
 * @self: a list
 *
 * Returns: (transfer container) (element-type GwProject): every project that the feed told of, the
 *   hidden ones too: their names are taken
 */
GList *
gw_task_list_get_known_projects (GwTaskList *self)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), NULL);

  return g_list_sort (g_hash_table_get_values (self->projects), compare_projects);
}
