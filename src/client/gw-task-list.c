/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-list"

/* GwTaskList: the live list. One long-poll of changes at a time; every page is brought in as one
 * step: what is known is updated in place, what is new is spliced in by as few items-changed as its
 * places need. Main thread only; pages are parsed elsewhere (gw-client-changes.c).
 *
 * Guarantee: the order is that of submission and never changes; an item is one object for its
 * task's whole life; after a reset, or other data behind the address, the list equals the gateway's
 * again without what stayed having been taken out. */

#include "config.h"

#include "gw-task-list.h"

#define WAIT_S 50
#define FIRST_PAUSE_S 1
#define MAX_PAUSE_S 60

/* While the first pages come in, they are shown in steps of this many rows, the first page at
 * once. */
#define STEP_TASKS 10000

/* Where tasks change all the time, a page is asked for at most so often. */
#define PACE_MS 25

/* More separate places than this are one step over all that lies between them. */
#define MAX_RUNS 32

typedef struct {
  guint of[GW_N_TASK_STATUSES];
} Counts;

struct _GwTaskList {
  GObject parent_instance;

  GwClient *client;          /* (owned) */
  char *project;             /* (owned) (nullable) */
  GCancellable *cancellable; /* (owned) (nullable): while it follows */
  GPtrArray *items;          /* (owned) (element-type GwTaskItem), in order of submission */
  GHashTable *by_id;         /* (owned) id (of the item's task) → GwTaskItem (borrowed) */
  GHashTable *projects;      /* (owned) id → GwProject (owned) */
  GPtrArray *fresh;          /* (owned) (element-type GwTask): new ones of pages not yet shown */
  GHashTable *seen;          /* (owned) (nullable): ids since a reset; what is not in it goes */
  guint counts[GW_N_TASK_STATUSES];
  GHashTable *counts_in;     /* (owned) project id → Counts (owned) */
  gboolean has_since;
  guint64 since;
  char *store;               /* (owned) (nullable) */
  gboolean connected;
  char *error_message;       /* (owned) (nullable) */
  guint pause_s;
  gint64 retry_at;           /* Unix ms */
  guint timer_id;
  gint64 asked_at;           /* monotonic µs */
};

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

  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->items);
  g_ptr_array_unref (self->fresh);
  g_hash_table_unref (self->projects);
  g_hash_table_unref (self->counts_in);
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
  signals[PROJECTS_CHANGED] =
    g_signal_new ("projects-changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                  NULL, G_TYPE_NONE, 1, G_TYPE_PTR_ARRAY);
}

static void
gw_task_list_init (GwTaskList *self)
{
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->projects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) gw_project_unref);
  self->counts_in = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->fresh = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
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

/* The gateway's ids grow with time, so that they keep the order within one submission. */
static int
compare_tasks (const GwTask *a,
               const GwTask *b)
{
  if (a->created_at != b->created_at)
    return a->created_at < b->created_at ? -1 : 1;

  return strcmp (a->task_id, b->task_id);
}

static int
compare_task_pointers (gconstpointer a,
                       gconstpointer b)
{
  return compare_tasks (*(GwTask *const *) a, *(GwTask *const *) b);
}

/* The first place whose task comes after @task. */
static guint
find_place (GwTaskList *self,
            const GwTask *task)
{
  guint low = 0;
  guint high = self->items->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      GwTaskItem *item = g_ptr_array_index (self->items, middle);

      if (compare_tasks (gw_task_item_get_task (item), task) <= 0)
        low = middle + 1;
      else
        high = middle;
    }

  return low;
}

/* @step: 1 or -1 */
static void
count (GwTaskList *self,
       const GwTask *task,
       int step)
{
  Counts *counts;

  self->counts[task->status] += (guint) step;
  if (task->project_id == NULL)
    return;

  counts = g_hash_table_lookup (self->counts_in, task->project_id);
  if (counts == NULL)
    {
      counts = g_new0 (Counts, 1);
      g_hash_table_insert (self->counts_in, g_strdup (task->project_id), counts);
    }
  counts->of[task->status] += (guint) step;
}

static GwTaskItem *
make_item (GwTaskList *self,
           GwTask *task)
{
  GwTaskItem *item = gw_task_item_new (task);

  g_hash_table_insert (self->by_id, g_strdup (task->task_id), item);
  count (self, task, 1);

  return item;
}

/* One run: tasks that lie side by side. */
static void
insert_run (GwTaskList *self,
            guint place,
            GwTask **tasks,
            guint n)
{
  guint old_length = self->items->len;

  g_ptr_array_set_size (self->items, old_length + n);
  memmove (self->items->pdata + place + n, self->items->pdata + place,
           (old_length - place) * sizeof (gpointer));
  for (guint i = 0; i < n; i++)
    self->items->pdata[place + i] = make_item (self, tasks[i]);

  g_list_model_items_changed (G_LIST_MODEL (self), place, 0, n);
}

/* Many runs: both sides are merged from the first place on, and told as one step. */
static void
merge (GwTaskList *self,
       guint place,
       GwTask **tasks,
       guint n)
{
  guint old_tail = self->items->len - place;
  g_autofree gpointer *tail = g_memdup2 (self->items->pdata + place, old_tail * sizeof (gpointer));
  guint i = 0;
  guint j = 0;

  g_ptr_array_set_size (self->items, place + old_tail + n);
  for (guint k = place; k < self->items->len; k++)
    {
      if (j < n && (i == old_tail
                    || compare_tasks (tasks[j], gw_task_item_get_task (tail[i])) < 0))
        self->items->pdata[k] = make_item (self, tasks[j++]);
      else
        self->items->pdata[k] = tail[i++];
    }

  g_list_model_items_changed (G_LIST_MODEL (self), place, old_tail, old_tail + n);
}

static guint
count_runs (GwTaskList *self)
{
  guint runs = 0;
  guint last = G_MAXUINT;

  for (guint i = 0; i < self->fresh->len && runs <= MAX_RUNS; i++)
    {
      guint place = find_place (self, g_ptr_array_index (self->fresh, i));

      if (place != last)
        runs++;
      last = place;
    }

  return runs;
}

/* Shows what the pages brought that was not known. */
static void
show_fresh (GwTaskList *self)
{
  GwTask **tasks = (GwTask **) self->fresh->pdata;
  guint n = self->fresh->len;

  if (n == 0)
    return;

  g_ptr_array_sort (self->fresh, compare_task_pointers);
  tasks = (GwTask **) self->fresh->pdata;
  if (count_runs (self) > MAX_RUNS)
    {
      merge (self, find_place (self, tasks[0]), tasks, n);
    }
  else
    {
      guint end = n;

      /* From the back, so that the places in front stay what they are. */
      while (end > 0)
        {
          guint place = find_place (self, tasks[end - 1]);
          guint start = end - 1;

          while (start > 0 && find_place (self, tasks[start - 1]) == place)
            start--;
          insert_run (self, place, tasks + start, end - start);
          end = start;
        }
    }
  g_ptr_array_set_size (self->fresh, 0);
}

/* The feed may leave out members that a task already has, see `fields`; ours never does. */
static void
take_task (GwTaskList *self,
           GwTask *task)
{
  GwTaskItem *item = g_hash_table_lookup (self->by_id, task->task_id);
  GwTask *old;

  if (self->seen != NULL)
    g_hash_table_add (self->seen, g_strdup (task->task_id));
  if (item == NULL)
    {
      g_ptr_array_add (self->fresh, gw_task_ref (task));
      return;
    }

  old = gw_task_item_get_task (item);
  if (old->revision == task->revision && old->revision != 0 && self->seen == NULL)
    return;

  count (self, old, -1);
  count (self, task, 1);
  gw_task_item_set_task (item, task);
}

/* A task may stand twice among the fresh ones, if it changed between two pages: the newest
 * counts. */
static void
drop_doubles (GwTaskList *self)
{
  g_autoptr(GHashTable) newest = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = self->fresh->len; i > 0; i--)
    {
      GwTask *task = g_ptr_array_index (self->fresh, i - 1);

      if (g_hash_table_contains (newest, task->task_id))
        g_ptr_array_remove_index (self->fresh, i - 1);
      else
        g_hash_table_add (newest, task->task_id);
    }
}

static void
remove_range (GwTaskList *self,
              guint place,
              guint n)
{
  for (guint i = place; i < place + n; i++)
    {
      GwTask *task = gw_task_item_get_task (g_ptr_array_index (self->items, i));

      count (self, task, -1);
      g_hash_table_remove (self->by_id, task->task_id);
    }
  g_ptr_array_remove_range (self->items, place, n);
  g_list_model_items_changed (G_LIST_MODEL (self), place, n, 0);
}

/* Takes out every item that is in @gone, or, if @keep, that is not; by runs, from the back. */
static void
remove_items (GwTaskList *self,
              GHashTable *ids,
              gboolean keep)
{
  guint end = self->items->len;

  while (end > 0)
    {
      guint start = end;

      while (start > 0)
        {
          GwTaskItem *item = g_ptr_array_index (self->items, start - 1);

          if (g_hash_table_contains (ids, gw_task_item_get_task_id (item)) == keep)
            break;
          start--;
        }
      if (start < end)
        remove_range (self, start, end - start);
      end = start > 0 ? start - 1 : 0;
    }
}

static void
take_removed (GwTaskList *self,
              GPtrArray *removed)
{
  g_autoptr(GHashTable) ids = NULL;

  if (removed->len == 0)
    return;

  ids = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < removed->len; i++)
    {
      const char *id = g_ptr_array_index (removed, i);

      if (g_hash_table_contains (self->by_id, id))
        g_hash_table_add (ids, (gpointer) id);
    }
  if (g_hash_table_size (ids) > 0)
    remove_items (self, ids, FALSE);
}

static void
start_over (GwTaskList *self)
{
  g_clear_pointer (&self->seen, g_hash_table_unref);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_ptr_array_set_size (self->fresh, 0);
  g_hash_table_remove_all (self->projects);
  self->has_since = FALSE;
  self->since = 0;
}

/* Brings the projects of a page in. @changes->removed also has ids of tasks. */
static void
take_projects (GwTaskList *self,
               GwChanges *changes)
{
  g_autoptr(GPtrArray) ids = g_ptr_array_new ();

  for (guint i = 0; i < changes->projects->len; i++)
    {
      GwProject *project = g_ptr_array_index (changes->projects, i);

      g_hash_table_insert (self->projects, g_strdup (project->project_id),
                           gw_project_ref (project));
      g_ptr_array_add (ids, project->project_id);
    }
  for (guint i = 0; i < changes->removed->len; i++)
    {
      char *id = g_ptr_array_index (changes->removed, i);

      if (g_hash_table_remove (self->projects, id))
        g_ptr_array_add (ids, id);
    }

  if (!changes->more && self->seen != NULL)
    g_signal_emit (self, signals[PROJECTS_CHANGED], 0, NULL);
  else if (ids->len > 0)
    g_signal_emit (self, signals[PROJECTS_CHANGED], 0, ids);
}

/* Brings one page in. */
static void
take_page (GwTaskList *self,
           GwChanges *changes)
{
  gboolean other_data = self->store != NULL && changes->store != NULL && self->has_since
                        && !g_str_equal (self->store, changes->store);

  if (changes->store != NULL)
    {
      g_free (self->store);
      self->store = g_strdup (changes->store);
    }
  if (changes->reset || other_data)
    {
      start_over (self);
      return;
    }

  for (guint i = 0; i < changes->tasks->len; i++)
    take_task (self, g_ptr_array_index (changes->tasks, i));
  take_projects (self, changes);
  if (!changes->more || self->items->len == 0 || self->fresh->len >= STEP_TASKS
      || changes->removed->len > 0)
    {
      drop_doubles (self);
      show_fresh (self);
    }
  take_removed (self, changes->removed);
  if (!changes->more && self->seen != NULL)
    {
      g_autoptr(GHashTable) seen = g_steal_pointer (&self->seen);

      remove_items (self, seen, TRUE);
    }

  self->has_since = TRUE;
  self->since = changes->revision;
  g_signal_emit (self, signals[CHANGED], 0);
}

static void ask (GwTaskList *self);

static void
set_connected (GwTaskList *self,
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

static void
set_retry_at (GwTaskList *self,
              gint64 retry_at)
{
  if (self->retry_at == retry_at)
    return;

  self->retry_at = retry_at;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RETRY_AT]);
}

static gboolean
timer_cb (gpointer user_data)
{
  GwTaskList *self = user_data;

  self->timer_id = 0;
  ask (self);

  return G_SOURCE_REMOVE;
}

static void
ask_later (GwTaskList *self,
           guint ms)
{
  self->timer_id = g_timeout_add (ms, timer_cb, self);
  g_source_set_name_by_id (self->timer_id, "[gangway] task list, next page");
}

/* The request that waits must not keep a list alive that nobody wants any more. */
static GWeakRef *
weak_ref_new (GwTaskList *self)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);

  return weak;
}

static GwTaskList *
weak_ref_take (GWeakRef *weak)
{
  GwTaskList *self = g_weak_ref_get (weak);

  g_weak_ref_clear (weak);
  g_free (weak);

  return self;
}

static void
page_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr(GwTaskList) self = weak_ref_take (user_data);
  g_autoptr(GError) error = NULL;
  g_autoptr(GwChanges) changes = NULL;
  gint64 passed_ms;

  changes = gw_client_get_changes_finish (GW_CLIENT (source), result, &error);
  if (self == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  if (changes == NULL)
    {
      self->pause_s = self->pause_s == 0 ? FIRST_PAUSE_S : MIN (self->pause_s * 2, MAX_PAUSE_S);
      ask_later (self, self->pause_s * 1000);
      set_retry_at (self, g_get_real_time () / 1000 + self->pause_s * 1000);
      set_connected (self, error);
      return;
    }

  self->pause_s = 0;
  set_retry_at (self, 0);
  set_connected (self, NULL);
  take_page (self, changes);
  if (self->cancellable == NULL)
    return;

  passed_ms = (g_get_monotonic_time () - self->asked_at) / 1000;
  if (changes->more || changes->reset || !self->has_since || passed_ms >= PACE_MS)
    ask (self);
  else
    ask_later (self, PACE_MS - (guint) MAX (0, passed_ms));
}

static void
ask (GwTaskList *self)
{
  self->asked_at = g_get_monotonic_time ();
  gw_client_get_changes_async (self->client, self->has_since, self->since,
                               self->has_since ? WAIT_S : 0, self->project, NULL,
                               self->cancellable, page_cb, weak_ref_new (self));
}

/**
 * gw_task_list_start:
 * @self: a list
 *
 * Follows the gateway from now on, until gw_task_list_stop(); goes on where it was stopped.
 */
void
gw_task_list_start (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->cancellable != NULL)
    return;

  self->cancellable = g_cancellable_new ();
  self->pause_s = 0;
  ask (self);
}

/**
 * gw_task_list_stop:
 * @self: a list
 *
 * Stays as it is from now on. A list that is dropped stops by itself.
 */
void
gw_task_list_stop (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->cancellable == NULL)
    return;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_handle_id (&self->timer_id, g_source_remove);
}

/**
 * gw_task_list_retry_now:
 * @self: a list
 *
 * Does not wait for the next try; does nothing while the gateway answers.
 */
void
gw_task_list_retry_now (GwTaskList *self)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));

  if (self->retry_at == 0 || self->timer_id == 0)
    return;

  g_clear_handle_id (&self->timer_id, g_source_remove);
  self->pause_s = 0;
  ask (self);
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
 * Returns: how many rows are in @status, at no cost
 */
guint
gw_task_list_count (GwTaskList *self,
                    GwTaskStatus status)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), 0);
  g_return_val_if_fail ((guint) status < GW_N_TASK_STATUSES, 0);

  return self->counts[status];
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
  Counts *counts;

  g_return_val_if_fail (GW_IS_TASK_LIST (self), 0);
  g_return_val_if_fail ((guint) status < GW_N_TASK_STATUSES, 0);

  if (project_id == NULL)
    return self->counts[status];

  counts = g_hash_table_lookup (self->counts_in, project_id);

  return counts != NULL ? counts->of[status] : 0;
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
 * Returns: (transfer container) (element-type GwProject): every project that the feed told of, in
 *   order of creation
 */
GList *
gw_task_list_get_projects (GwTaskList *self)
{
  g_return_val_if_fail (GW_IS_TASK_LIST (self), NULL);

  return g_list_sort (g_hash_table_get_values (self->projects), compare_projects);
}

/**
 * gw_task_list_add:
 * @self: a list
 * @task: (transfer none): a task that is known before the feed tells of it
 *
 * Puts it in its place at once; does nothing if the list has it, for what the feed told is newer.
 */
void
gw_task_list_add (GwTaskList *self,
                  GwTask *task)
{
  g_return_if_fail (GW_IS_TASK_LIST (self));
  g_return_if_fail (task != NULL);

  if (g_hash_table_contains (self->by_id, task->task_id))
    return;

  insert_run (self, find_place (self, task), &task, 1);
  g_signal_emit (self, signals[CHANGED], 0);
}
