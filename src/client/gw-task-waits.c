/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-waits"

/* Tasks that came in together stand together in the change feed: one page of it from the first that
 * is wanted tells of a whole screen. What is left is asked for in the same way, a few times a
 * round. */

#include "config.h"

#include "gw-json.h"

#include "gw-task-waits.h"

#define PAGE_TASKS 100
#define MAX_CALLS 4 /* a round */

struct _GwTaskWaits {
  GwTaskList *list;          /* (owned) */
  GwClient *client;          /* (owned) */
  GCancellable *cancellable; /* (owned) */
  GPtrArray *wanted;         /* (owned) (element-type GwTaskItem): by revision */
  guint n_calls;             /* of this round */
  gboolean asking;
};

static void ask (GwTaskWaits *waits);

static guint64
revision_of (GPtrArray *items,
             guint i)
{
  return gw_task_item_get_task (g_ptr_array_index (items, i))->revision;
}

/* What was asked about is answered, also where the answer has nothing of it. */
static void
forget_until (GwTaskWaits *waits,
              guint64 revision)
{
  guint n = 0;

  while (n < waits->wanted->len && revision_of (waits->wanted, n) <= revision)
    n++;
  if (n > 0)
    g_ptr_array_remove_range (waits->wanted, 0, n);
}

static void
answered_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  GwTaskWaits *waits = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) page = gw_client_call_finish (GW_CLIENT (source), result, &error);
  g_autoptr (GPtrArray) tasks = NULL;
  JsonArray *entries;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  waits->asking = FALSE;
  entries = page != NULL ? gw_json_peek_array (page, "tasks") : NULL;
  if (entries == NULL)
    {
      g_ptr_array_set_size (waits->wanted, 0);
      return;
    }

  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  for (guint i = 0; i < json_array_get_length (entries); i++)
    {
      JsonNode *node = json_array_get_element (entries, i);
      GwTask *task = JSON_NODE_HOLDS_OBJECT (node)
                       ? gw_task_new_from_json (json_node_get_object (node), NULL)
                       : NULL;

      if (task != NULL)
        g_ptr_array_add (tasks, task);
    }
  forget_until (waits, gw_json_peek_boolean (page, "more", FALSE)
                         ? (guint64) gw_json_peek_int (page, "revision", 0)
                         : G_MAXUINT64);
  gw_task_list_take_waits (waits->list, tasks);
  ask (waits);
}

static void
ask (GwTaskWaits *waits)
{
  g_autofree char *path = NULL;

  if (waits->wanted->len == 0 || waits->n_calls == MAX_CALLS)
    {
      g_ptr_array_set_size (waits->wanted, 0);
      return;
    }

  path = g_strdup_printf ("/tasks?status=queued&limit=%d&since=%" G_GUINT64_FORMAT, PAGE_TASKS,
                          revision_of (waits->wanted, 0) - 1);
  waits->asking = TRUE;
  waits->n_calls++;
  gw_client_call_async (waits->client, "GET", path, NULL, waits->cancellable, answered_cb, waits);
}

/**
 * gw_task_waits_new:
 * @list: (transfer none): whose rows are told
 * @client: (transfer none): who knows
 *
 * Returns: (transfer full): waits that nobody has asked for yet
 */
GwTaskWaits *
gw_task_waits_new (GwTaskList *list,
                   GwClient *client)
{
  GwTaskWaits *waits = g_new0 (GwTaskWaits, 1);

  waits->list = g_object_ref (list);
  waits->client = g_object_ref (client);
  waits->cancellable = g_cancellable_new ();
  waits->wanted = g_ptr_array_new_with_free_func (g_object_unref);

  return waits;
}

/**
 * gw_task_waits_free:
 * @waits: (transfer full) (nullable): waits
 */
void
gw_task_waits_free (GwTaskWaits *waits)
{
  if (waits == NULL)
    return;

  g_cancellable_cancel (waits->cancellable);
  g_object_unref (waits->cancellable);
  g_ptr_array_unref (waits->wanted);
  g_object_unref (waits->client);
  g_object_unref (waits->list);
  g_free (waits);
}

static int
compare_revisions (gconstpointer a,
                   gconstpointer b)
{
  guint64 left = gw_task_item_get_task (*(GwTaskItem *const *) a)->revision;
  guint64 right = gw_task_item_get_task (*(GwTaskItem *const *) b)->revision;

  return left == right ? 0 : left < right ? -1 : 1;
}

/**
 * gw_task_waits_want:
 * @waits: waits
 * @items: (element-type GwTaskItem): those that can be seen
 *
 * Asks for them once. Does nothing while the round before is under way.
 */
void
gw_task_waits_want (GwTaskWaits *waits,
                    GPtrArray *items)
{
  if (waits->asking || gw_client_get_protocol (waits->client) != GW_PROTOCOL_GANGWAY)
    return;

  for (guint i = 0; i < items->len; i++)
    {
      GwTaskItem *item = g_ptr_array_index (items, i);
      GwTask *task = gw_task_item_get_task (item);

      /* One without a revision is only just on its way. */
      if (task->status == GW_TASK_QUEUED && task->revision > 0)
        g_ptr_array_add (waits->wanted, g_object_ref (item));
    }
  g_ptr_array_sort (waits->wanted, compare_revisions);
  waits->n_calls = 0;
  ask (waits);
}
