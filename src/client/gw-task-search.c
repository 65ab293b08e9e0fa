/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-search"

/* GwTaskSearch: a text searched in tasks and results. Two sources, one set of ids: the contents
 * that the list has (cut by the feed), looked through by a thread that gets references to tasks,
 * which never change; and the gateway, which has the whole of them and the results. The gateway is
 * asked as a change feed, so what is answered later is found without asking again.
 *
 * Threads: the object belongs to the main thread; a look works on its own data and can be given up.
 * Guarantee: an id once found stays found; nothing is asked after dispose. */

#include "config.h"

#include "gw-task-search.h"
#include "gw-text.h"

#define PAGE_TASKS 1000
#define WAIT_S 50
#define PAUSE_S 5

/* Where found tasks change all the time, more is asked for at most so often. */
#define PACE_MS 250

/* Fewer than that are looked through in less time than a thread takes. */
#define INLINE_TASKS 500

struct _GwTaskSearch {
  GObject parent_instance;

  GwTaskList *list;          /* (owned) */
  char *project_id;          /* (owned) (nullable) */
  char *text;                /* (owned) */
  GHashTable *hits;          /* (owned): ids */
  GCancellable *cancellable; /* (owned) (nullable): while it searches */
  gboolean ready;
  gboolean asking;           /* the gateway has not told all that it knows now */
  char *error_message;       /* (owned) (nullable) */
  gboolean has_since;
  gint64 since;
  guint timer_id;
};

enum {
  READY,
  HITS,
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (GwTaskSearch, gw_task_search, G_TYPE_OBJECT)

static gboolean
task_has (const GwTask *task,
          const char *text)
{
  gsize start, end;

  return gw_text_find (task->content, text, &start, &end)
         || gw_text_find (task->result, text, &start, &end);
}

/* --- The first look
 * ---------------------------------------------------------------------------- */

typedef struct {
  GPtrArray *tasks; /* (owned) (element-type GwTask) */
  char *text;       /* (owned) */
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;

  g_ptr_array_unref (look->tasks);
  g_free (look->text);
  g_free (look);
}

static void
look_worker (GTask *task,
             gpointer source_object,
             gpointer task_data,
             GCancellable *cancellable)
{
  Look *look = task_data;
  g_autoptr (GHashTable) hits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < look->tasks->len; i++)
    {
      const GwTask *found = g_ptr_array_index (look->tasks, i);

      if (i % 1024 == 0 && g_cancellable_is_cancelled (cancellable))
        break;
      if (task_has (found, look->text))
        g_hash_table_add (hits, g_strdup (found->task_id));
    }
  g_task_return_pointer (task, g_steal_pointer (&hits), (GDestroyNotify) g_hash_table_unref);
}

static void ask (GwTaskSearch *self);

static void
set_asking (GwTaskSearch *self,
            gboolean asking,
            const char *error_message)
{
  if (self->asking == asking && g_strcmp0 (self->error_message, error_message) == 0)
    return;

  self->asking = asking;
  g_free (self->error_message);
  self->error_message = g_strdup (error_message);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
looked (GwTaskSearch *self,
        GHashTable *hits)
{
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, hits);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    {
      g_hash_table_iter_steal (&iter);
      g_hash_table_add (self->hits, id);
    }
  self->ready = TRUE;
  g_signal_emit (self, signals[READY], 0);
}

static void
look_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autofree GWeakRef *weak = user_data;
  g_autoptr (GwTaskSearch) self = g_weak_ref_get (weak);
  g_autoptr (GHashTable) hits = g_task_propagate_pointer (G_TASK (result), NULL);

  g_weak_ref_clear (weak);
  if (self == NULL || self->cancellable == NULL || hits == NULL)
    return;

  looked (self, hits);
  if (self->cancellable != NULL && self->asking)
    ask (self);
}

static void
look (GwTaskSearch *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->list));
  Look *data = g_new0 (Look, 1);
  GWeakRef *weak = g_new0 (GWeakRef, 1);
  g_autoptr (GTask) task = NULL;

  /* The thread may be the last to let go of the task, and must not be so of the search. */
  g_weak_ref_init (weak, self);
  task = g_task_new (NULL, self->cancellable, look_cb, weak);
  data->tasks = g_ptr_array_new_full (n, (GDestroyNotify) gw_task_unref);
  data->text = g_strdup (self->text);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GwTaskItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);

      g_ptr_array_add (data->tasks, gw_task_ref (gw_task_item_get_task (item)));
    }
  g_task_set_task_data (task, data, look_free);
  if (n <= INLINE_TASKS)
    look_worker (task, NULL, data, self->cancellable);
  else
    g_task_run_in_thread (task, look_worker);
}

/* --- What came later
 * --------------------------------------------------------------------------- */

static void
found (GwTaskSearch *self,
       GPtrArray *items)
{
  if (items->len > 0 && self->ready)
    g_signal_emit (self, signals[HITS], 0, items);
}

static void
delta_cb (GwTaskSearch *self,
          GwTaskDelta *delta)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();

  for (guint i = 0; i < delta->added->len; i++)
    {
      GwTaskItem *item = g_ptr_array_index (delta->added, i);
      GwTask *task = gw_task_item_get_task (item);

      /* The gateway may have named it before the list had it. */
      if (g_hash_table_contains (self->hits, task->task_id))
        g_ptr_array_add (items, item);
      else if (task_has (task, self->text))
        {
          g_hash_table_add (self->hits, g_strdup (task->task_id));
          g_ptr_array_add (items, item);
        }
    }
  found (self, items);
}

/* --- What the gateway finds
 * -------------------------------------------------------------------- */

static gboolean
timer_cb (gpointer user_data)
{
  GwTaskSearch *self = user_data;

  self->timer_id = 0;
  ask (self);

  return G_SOURCE_REMOVE;
}

static void
take_ids (GwTaskSearch *self,
          JsonArray *tasks)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();

  for (guint i = 0; tasks != NULL && i < json_array_get_length (tasks); i++)
    {
      JsonNode *node = json_array_get_element (tasks, i);
      const char *id = JSON_NODE_HOLDS_OBJECT (node)
                         ? gw_json_peek_string (json_node_get_object (node), "task_id") : NULL;
      GwTaskItem *item;

      if (id == NULL || !g_hash_table_add (self->hits, g_strdup (id)))
        continue;
      item = gw_task_list_find (self->list, id);
      if (item != NULL)
        g_ptr_array_add (items, item);
    }
  found (self, items);
}

static void
answered_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autofree GWeakRef *weak = user_data;
  g_autoptr (GwTaskSearch) self = g_weak_ref_get (weak);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) page = gw_client_call_finish (GW_CLIENT (source), result, &error);
  gboolean more;
  gboolean moved = FALSE;

  g_weak_ref_clear (weak);
  if (self == NULL || self->cancellable == NULL
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  if (page == NULL)
    {
      g_debug ("the search is not answered: %s", error->message);
      set_asking (self, FALSE, error->message);
      self->timer_id = g_timeout_add_seconds (PAUSE_S, timer_cb, self);
      return;
    }

  more = gw_json_peek_boolean (page, "more", FALSE);
  if (gw_json_peek_boolean (page, "reset", FALSE))
    {
      self->has_since = FALSE;
      more = TRUE;
    }
  else
    {
      gint64 since = self->since;

      take_ids (self, gw_json_peek_array (page, "tasks"));
      self->since = gw_json_peek_int (page, "revision", self->since);
      moved = !self->has_since || self->since != since;
      self->has_since = TRUE;
    }
  set_asking (self, more, NULL);
  if (self->cancellable == NULL)
    return;
  /* One that says "more" and tells nothing is not asked without a pause. */
  if (more && moved)
    ask (self);
  else
    self->timer_id = g_timeout_add (PACE_MS, timer_cb, self);
}

static void
ask (GwTaskSearch *self)
{
  g_autoptr (GwClient) client = NULL;
  g_autoptr (GString) path = g_string_new ("/tasks?fields=task_id&limit=" G_STRINGIFY (PAGE_TASKS));
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_string_append (path, "&q=");
  g_string_append_uri_escaped (path, self->text, NULL, FALSE);
  if (self->project_id != NULL)
    {
      g_string_append (path, "&project=");
      g_string_append_uri_escaped (path, self->project_id, NULL, FALSE);
    }
  if (self->has_since)
    g_string_append_printf (path, "&since=%" G_GINT64_FORMAT, self->since);
  /* Once it has told all, it tells what comes. */
  if (self->has_since && !self->asking)
    g_string_append (path, "&wait=" G_STRINGIFY (WAIT_S));

  g_weak_ref_init (weak, self);
  g_object_get (self->list, "client", &client, NULL);
  gw_client_call_async (client, "GET", path->str, NULL, self->cancellable, answered_cb, weak);
}

static void
gw_task_search_dispose (GObject *object)
{
  GwTaskSearch *self = GW_TASK_SEARCH (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_handle_id (&self->timer_id, g_source_remove);
  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data (self->list, self);
  g_clear_object (&self->list);

  G_OBJECT_CLASS (gw_task_search_parent_class)->dispose (object);
}

static void
gw_task_search_finalize (GObject *object)
{
  GwTaskSearch *self = GW_TASK_SEARCH (object);

  g_hash_table_unref (self->hits);
  g_free (self->project_id);
  g_free (self->text);
  g_free (self->error_message);

  G_OBJECT_CLASS (gw_task_search_parent_class)->finalize (object);
}

static void
gw_task_search_class_init (GwTaskSearchClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_task_search_dispose;
  object_class->finalize = gw_task_search_finalize;

  signals[READY] = g_signal_new ("ready", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
  signals[HITS] = g_signal_new ("hits", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 1, G_TYPE_PTR_ARRAY);
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gw_task_search_init (GwTaskSearch *self)
{
  self->hits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * gw_task_search_new:
 * @list: (transfer none): whose tasks
 * @project_id: (nullable): only that project's
 * @text: what is searched; not blank
 *
 * Returns: (transfer full): a search that has found nothing yet
 */
GwTaskSearch *
gw_task_search_new (GwTaskList *list,
                    const char *project_id,
                    const char *text)
{
  GwTaskSearch *self;

  g_return_val_if_fail (GW_IS_TASK_LIST (list), NULL);
  g_return_val_if_fail (text != NULL && *text != '\0', NULL);

  self = g_object_new (GW_TYPE_TASK_SEARCH, NULL);
  self->list = g_object_ref (list);
  self->project_id = g_strdup (project_id);
  self->text = g_strdup (text);

  return self;
}

/**
 * gw_task_search_start:
 * @self: a search
 *
 * Begins; what is dropped is given up by itself.
 */
void
gw_task_search_start (GwTaskSearch *self)
{
  g_autoptr (GwClient) client = NULL;

  g_return_if_fail (GW_IS_TASK_SEARCH (self));
  g_return_if_fail (self->cancellable == NULL);

  g_object_get (self->list, "client", &client, NULL);
  self->cancellable = g_cancellable_new ();
  self->asking = gw_client_get_protocol (client) == GW_PROTOCOL_GANGWAY;
  g_signal_connect_swapped (self->list, "delta", G_CALLBACK (delta_cb), self);
  look (self);
}

/**
 * gw_task_search_get_text:
 * @self: a search
 *
 * Returns: (transfer none): what is searched
 */
const char *
gw_task_search_get_text (GwTaskSearch *self)
{
  g_return_val_if_fail (GW_IS_TASK_SEARCH (self), NULL);

  return self->text;
}

/**
 * gw_task_search_matches:
 * @self: a search
 * @item: a row
 *
 * Returns: whether it has been found so far
 */
gboolean
gw_task_search_matches (GwTaskSearch *self,
                        GwTaskItem *item)
{
  return g_hash_table_contains (self->hits, gw_task_item_get_task_id (item));
}

/**
 * gw_task_search_is_asking:
 * @self: a search
 *
 * Returns: whether there may be more that the gateway has not told yet
 */
gboolean
gw_task_search_is_asking (GwTaskSearch *self)
{
  g_return_val_if_fail (GW_IS_TASK_SEARCH (self), FALSE);

  return self->asking;
}

/**
 * gw_task_search_get_error_message:
 * @self: a search
 *
 * Returns: (transfer none) (nullable): why the gateway does not tell; it is asked again by itself
 */
const char *
gw_task_search_get_error_message (GwTaskSearch *self)
{
  g_return_val_if_fail (GW_IS_TASK_SEARCH (self), NULL);

  return self->error_message;
}
