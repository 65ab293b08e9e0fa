/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-task-previews"

/* GwTaskPreviews: what of the results is on screen. The wish is replaced as a whole each time the
 * list has come to rest, so that what was scrolled past is never asked for; at most AT_ONCE
 * calls are under way. A preview belongs to the item and goes with the answer that it is of.
 * Main thread. */

#include "config.h"

#include "gw-task-previews.h"
#include "gw-text.h"

#define AT_ONCE 4
#define MAX_KEPT 2000

struct _GwTaskPreviews {
  GwClient *client;          /* (owned) */
  GCancellable *cancellable; /* (owned) */
  GPtrArray *wanted;         /* (owned) (element-type GwTaskItem): the first one last */
  GHashTable *asked;         /* (owned): items that a call is under way for, or that failed */
  GHashTable *looked;        /* (owned): items that were asked for the place of the query */
  char *query;               /* (owned) (nullable) what is searched */
  guint n_queries;           /* so far: a call for an earlier one says nothing */
  GQueue kept;               /* (element-type GwTaskItem) (owned): oldest first */
  guint n_calls;
};

typedef struct {
  GwTaskPreviews *previews; /* (unowned): not to be touched once cancelled */
  GwTaskItem *item;         /* (owned) */
  guint64 revision;
  guint query;
} Call;

static void ask (GwTaskPreviews *previews);

static void
keep (GwTaskPreviews *previews,
      GwTaskItem *item,
      const char *preview)
{
  gw_task_item_set_preview (item, preview);
  g_queue_push_tail (&previews->kept, g_object_ref (item));
  while (previews->kept.length > MAX_KEPT)
    {
      g_autoptr (GwTaskItem) oldest = g_queue_pop_head (&previews->kept);

      gw_task_item_set_preview (oldest, NULL);
    }
}

/* Where the gateway found what is searched: in the answer, that is its preview. */
static void
take_found (GwTaskPreviews *previews,
            GwTaskItem *item,
            JsonObject *found)
{
  const char *text = gw_json_peek_string (found, "text");

  if (text == NULL)
    return;
  if (g_strcmp0 (gw_json_peek_string (found, "in"), "content") == 0)
    gw_task_item_set_snippet (item, text);
  else
    keep (previews, item, text);
}

static void
answered_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autofree Call *call = user_data;
  g_autoptr (GwTaskItem) item = call->item;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = gw_client_call_finish (GW_CLIENT (source), result, &error);
  GwTaskPreviews *previews = call->previews;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  previews->n_calls--;
  if (call->query != previews->n_queries)
    {
      ask (previews);
      return;
    }
  if (object != NULL)
    {
      JsonObject *found = gw_json_peek_object (object, "found");
      const char *preview = gw_json_peek_string (object, "result_preview");

      g_hash_table_remove (previews->asked, item);
      /* An older gateway sends all of it. */
      if (preview == NULL)
        preview = gw_json_peek_string (object, "result");
      /* Another answer may have come meanwhile; then the row asks again. */
      if (preview != NULL && gw_task_item_get_task (item)->revision == call->revision)
        {
          g_autofree char *cut = g_utf8_substring (
            preview, 0, MIN (g_utf8_strlen (preview, -1), GW_RESULT_PREVIEW_CHARACTERS));

          keep (previews, item, cut);
        }
      if (found != NULL && gw_task_item_get_task (item)->revision == call->revision)
        take_found (previews, item, found);
      if (previews->query != NULL)
        g_hash_table_add (previews->looked, g_object_ref (item));
    }
  ask (previews);
}

static gboolean
wants (GwTaskPreviews *previews,
       GwTaskItem *item)
{
  GwTask *task = gw_task_item_get_task (item);
  const char *preview = gw_task_item_get_preview (item);
  gsize start, end;

  if (g_hash_table_contains (previews->asked, item))
    return FALSE;
  if (previews->query != NULL && !g_hash_table_contains (previews->looked, item)
      && !gw_text_find (task->content, previews->query, &start, &end)
      && !gw_text_find (preview, previews->query, &start, &end))
    return TRUE;

  return task->status == GW_TASK_COMPLETED && task->result == NULL && task->result_size > 0
         && preview == NULL;
}

static void
ask (GwTaskPreviews *previews)
{
  while (previews->n_calls < AT_ONCE && previews->wanted->len > 0)
    {
      g_autoptr (GwTaskItem) item
        = g_ptr_array_steal_index (previews->wanted, previews->wanted->len - 1);
      GwTask *task = gw_task_item_get_task (item);
      g_autofree char *path = NULL;
      g_autofree char *query = NULL;
      Call *call;

      if (!wants (previews, item))
        continue;

      call = g_new0 (Call, 1);
      call->previews = previews;
      call->item = g_object_ref (item);
      call->revision = task->revision;
      call->query = previews->n_queries;
      /* One that is not answered is not asked for again and again. */
      g_hash_table_add (previews->asked, g_object_ref (item));
      previews->n_calls++;
      path = gw_client_build_path ("tasks", task->task_id, NULL);
      query = g_strconcat (path, "?fields=result_preview", NULL);
      if (previews->query != NULL)
        {
          g_autofree char *escaped = g_uri_escape_string (previews->query, NULL, FALSE);
          char *longer = g_strconcat (query, "&q=", escaped, NULL);

          g_free (query);
          query = longer;
        }
      gw_client_call_async (previews->client, "GET", query, NULL, previews->cancellable,
                            answered_cb, call);
    }
}

/**
 * gw_task_previews_new:
 * @client: (transfer none): who has the results
 *
 * Returns: (transfer full): previews that nobody has asked for yet
 */
GwTaskPreviews *
gw_task_previews_new (GwClient *client)
{
  GwTaskPreviews *previews = g_new0 (GwTaskPreviews, 1);

  previews->client = g_object_ref (client);
  previews->cancellable = g_cancellable_new ();
  previews->wanted = g_ptr_array_new_with_free_func (g_object_unref);
  previews->asked = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
  previews->looked = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);

  return previews;
}

/* Those that were looked for show their beginnings again. */
static void
forget_places (GwTaskPreviews *previews)
{
  GHashTableIter iter;
  gpointer item;

  g_hash_table_iter_init (&iter, previews->looked);
  while (g_hash_table_iter_next (&iter, &item, NULL))
    {
      gw_task_item_set_snippet (item, NULL);
      gw_task_item_set_preview (item, NULL);
    }
  g_hash_table_remove_all (previews->looked);
}

/**
 * gw_task_previews_set_query:
 * @previews: previews
 * @query: (nullable): what is searched; %NULL: nothing
 *
 * Where neither the beginning of a task nor that of its answer has it, the gateway is asked for its
 * place. What is on screen has to be wanted again.
 */
void
gw_task_previews_set_query (GwTaskPreviews *previews,
                            const char *query)
{
  if (g_strcmp0 (previews->query, query) == 0)
    return;

  g_free (previews->query);
  previews->query = g_strdup (query);
  previews->n_queries++;
  g_hash_table_remove_all (previews->asked);
  forget_places (previews);
}

/**
 * gw_task_previews_free:
 * @previews: (transfer full) (nullable): previews
 */
void
gw_task_previews_free (GwTaskPreviews *previews)
{
  if (previews == NULL)
    return;

  g_cancellable_cancel (previews->cancellable);
  g_object_unref (previews->cancellable);
  g_object_unref (previews->client);
  g_ptr_array_unref (previews->wanted);
  g_hash_table_unref (previews->asked);
  forget_places (previews);
  g_hash_table_unref (previews->looked);
  g_free (previews->query);
  g_queue_clear_full (&previews->kept, g_object_unref);
  g_free (previews);
}

/**
 * gw_task_previews_want:
 * @previews: previews
 * @items: (element-type GwTaskItem): those on screen, from the top; earlier wishes are forgotten
 */
void
gw_task_previews_want (GwTaskPreviews *previews,
                       GPtrArray *items)
{
  g_ptr_array_set_size (previews->wanted, 0);
  if (gw_client_get_protocol (previews->client) != GW_PROTOCOL_GANGWAY)
    return;

  for (guint i = items->len; i > 0; i--)
    {
      GwTaskItem *item = g_ptr_array_index (items, i - 1);

      if (wants (previews, item))
        g_ptr_array_add (previews->wanted, g_object_ref (item));
    }
  ask (previews);
}
