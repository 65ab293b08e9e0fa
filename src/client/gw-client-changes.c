/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-client"

/* The change feed: one page a call, made into plain structs off the calling thread where it is more
 * than a few rows (processor work only, so GTask's shared pool may do it). */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-client-private.h"

/* Below that, handing the page to a thread and back takes longer than reading it. */
#define INLINE_BYTES (16 * 1024)
#define SLACK_S 15
#define PAGE_TASKS 500

/**
 * gw_changes_free:
 * @changes: (transfer full): a page
 */
void
gw_changes_free (GwChanges *changes)
{
  g_free (changes->store);
  g_clear_pointer (&changes->tasks, g_ptr_array_unref);
  g_clear_pointer (&changes->projects, g_ptr_array_unref);
  g_clear_pointer (&changes->removed, g_ptr_array_unref);
  g_free (changes);
}

/* The elements of an array that are objects; what is of another shape is no task of ours. */
static JsonObject *
object_at (JsonArray *array,
           guint index)
{
  JsonNode *node = json_array_get_element (array, index);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gboolean
read_tasks (GwJsonWalk *walk,
            GPtrArray *tasks,
            GError **error)
{
  while (gw_json_walk_next_element (walk))
    {
      GwTask *task;

      if (!gw_json_walk_is_at (walk, '{'))
        {
          g_set_error_literal (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                               _("The gateway’s list of changes has an entry that is no task"));
          return FALSE;
        }
      task = gw_task_new_from_walk (walk, error);
      if (task == NULL)
        return FALSE;
      g_ptr_array_add (tasks, task);
    }

  return TRUE;
}

/* Returns: (nullable): the page without its tasks, which are most of it, and are made at once */
static JsonObject *
read_page (const char *text,
           gsize length,
           GPtrArray *tasks,
           GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (GError) local = NULL;
  const char *written;
  gsize n_written;
  GwJsonWalk walk;

  if (!gw_json_walk_begin (&walk, text, length, &local))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                   /* Translators: %s says what is wrong with it, in English */
                   _("The gateway’s answer is not a JSON object: %s"), local->message);
      return NULL;
    }
  if (!gw_json_walk_enter (&walk, '{'))
    {
      g_set_error (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                   /* Translators: %s says what is wrong with it, in English */
                   _("The gateway’s answer is not a JSON object: %s"),
                   "The reply is JSON, but not an object");
      return NULL;
    }

  while (gw_json_walk_next_member (&walk, &written, &n_written))
    {
      g_autofree char *name = gw_json_walk_dup_name (written, n_written);

      if (g_str_equal (name, "tasks"))
        g_ptr_array_set_size (tasks, 0);
      if (!g_str_equal (name, "tasks") || !gw_json_walk_enter (&walk, '['))
        json_object_set_member (object, name, gw_json_walk_take_tree (&walk));
      else if (!read_tasks (&walk, tasks, error))
        return NULL;
    }

  return g_steal_pointer (&object);
}

static gboolean
parse_projects (JsonArray *array,
                GPtrArray *projects,
                GError **error)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *object = object_at (array, i);
      GwProject *project = object != NULL ? gw_project_new_from_json (object, error) : NULL;

      if (object == NULL)
        g_set_error_literal (error, GW_ERROR, GW_ERROR_NOT_A_GATEWAY,
                             _("The gateway’s list of changes has an entry that is no project"));
      if (project == NULL)
        return FALSE;
      g_ptr_array_add (projects, project);
    }

  return TRUE;
}

static GwChanges *
parse_page (const char *text,
            gsize length,
            GError **error)
{
  g_autoptr (GwChanges) changes = g_new0 (GwChanges, 1);
  g_autoptr (JsonObject) object = NULL;
  JsonArray *removed;
  gint64 revision = 0;

  changes->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_task_unref);
  object = read_page (text, length, changes->tasks, error);
  if (object == NULL)
    return NULL;

  changes->projects = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_project_unref);
  changes->removed = g_ptr_array_new_with_free_func (g_free);
  changes->reset = gw_json_peek_boolean (object, "reset", FALSE);
  if (!gw_json_get_int (object, "revision",
                        changes->reset ? GW_JSON_OPTIONAL : GW_JSON_REQUIRED,
                        0, G_MAXINT64, &revision, error))
    return NULL;
  changes->revision = (guint64) revision;
  changes->more = gw_json_peek_boolean (object, "more", FALSE);
  changes->store = g_strdup (gw_json_peek_string (object, "store"));
  if (!parse_projects (gw_json_peek_array (object, "projects"), changes->projects, error))
    return NULL;

  removed = gw_json_peek_array (object, "removed");
  for (guint i = 0; removed != NULL && i < json_array_get_length (removed); i++)
    {
      JsonNode *node = json_array_get_element (removed, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_ptr_array_add (changes->removed, json_node_dup_string (node));
    }

  return g_steal_pointer (&changes);
}

static void
return_page (GTask *task,
             GBytes *body)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  const char *text = g_bytes_get_data (body, &length);
  GwChanges *changes = parse_page (text != NULL ? text : "", length, &error);

  if (changes != NULL)
    g_task_return_pointer (task, changes, (GDestroyNotify) gw_changes_free);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
parse_worker (GTask *task,
              gpointer source_object,
              gpointer task_data,
              GCancellable *cancellable)
{
  return_page (task, task_data);
}

static void
parsed_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  GwChanges *changes = g_task_propagate_pointer (G_TASK (result), &error);

  if (changes != NULL)
    g_task_return_pointer (task, changes, (GDestroyNotify) gw_changes_free);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

typedef struct {
  GwChangesMore more; /* (nullable) */
  gpointer user_data;
} Page;

/* What a gateway of ours begins a page with that another one follows. A page that begins in any
 * other way is as good; it only says what it is once it has been read. */
static void
tell_more (GTask *task,
           GBytes *body)
{
  static const char head[] = "{\"revision\":";
  static const char tail[] = ",\"more\":true,";
  Page *page = g_task_get_task_data (task);
  gsize length;
  const char *text = g_bytes_get_data (body, &length);
  const char *end = text + length;
  guint64 revision = 0;

  if (page->more == NULL || length < sizeof head + sizeof tail + 20
      || strncmp (text, head, strlen (head)) != 0)
    return;
  for (text += strlen (head); text < end && g_ascii_isdigit (*text); text++)
    if (revision > (G_MAXINT64 - 9) / 10)
      return;
    else
      revision = revision * 10 + (guint64) (*text - '0');
  if ((gsize) (end - text) >= strlen (tail) && strncmp (text, tail, strlen (tail)) == 0)
    page->more (revision, page->user_data);
}

static void
page_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GTask) parsing = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = NULL;
  GCancellable *cancellable;

  reply = _gw_client_request_finish (GW_CLIENT (source), result, NULL, &error);
  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  tell_more (task, reply->body);
  if (g_bytes_get_size (reply->body) <= INLINE_BYTES)
    {
      return_page (task, reply->body);
      return;
    }

  /* The thread may be the last to let go of its task, and must not be so of the client. */
  cancellable = g_task_get_cancellable (task);
  parsing = g_task_new (NULL, cancellable, parsed_cb, g_steal_pointer (&task));
  g_task_set_source_tag (parsing, page_cb);
  g_task_set_task_data (parsing, g_bytes_ref (reply->body), (GDestroyNotify) g_bytes_unref);
  g_task_run_in_thread (parsing, parse_worker);
}

/**
 * gw_client_get_changes_full_async:
 * @self: a client
 * @query: what is asked
 * @cancellable: (nullable): gives the call up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Asks for one page of the change feed, see gw_client_get_changes_async().
 */
void
gw_client_get_changes_full_async (GwClient *self,
                                  const GwChangesQuery *query,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GString) path = NULL;
  GwRequest request = { 0 };
  Page *page;

  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (query != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gw_client_get_changes_full_async);

  if (self->minimal != NULL)
    {
      gw_minimal_poller_get_changes (self->minimal, query->has_since ? query->since : 0,
                                     query->wait_s, query->project, g_steal_pointer (&task));
      return;
    }

  page = g_new (Page, 1);
  *page = (Page){ query->more, user_data };
  g_task_set_task_data (task, page, g_free);
  path = g_string_new (NULL);
  g_string_append_printf (path, "/tasks?limit=%u", query->limit > 0 ? query->limit : PAGE_TASKS);
  if (query->has_since)
    g_string_append_printf (path, "&since=%" G_GUINT64_FORMAT, query->since);
  if (query->wait_s > 0)
    g_string_append_printf (path, "&wait=%u", query->wait_s);
  if (query->project != NULL)
    {
      g_string_append (path, "&project=");
      g_string_append_uri_escaped (path, query->project, NULL, FALSE);
    }
  if (query->fields != NULL)
    {
      g_string_append (path, "&fields=");
      g_string_append_uri_escaped (path, query->fields, ",", FALSE);
    }

  request.method = "GET";
  request.path = path->str;
  request.timeout_ms = (query->wait_s + SLACK_S) * 1000;
  _gw_client_request_async (self, &request, cancellable, page_cb, g_steal_pointer (&task));
}

/**
 * gw_client_get_changes_async:
 * @self: a client
 * @has_since: whether @since is meant; FALSE: from the beginning
 * @since: the last page's revision
 * @wait_s: how long the gateway may wait for a change, 0 to 60
 * @project: (nullable): only that project's, by id or name
 * @fields: (nullable): comma list of the members to send; NULL: all but the result
 * @cancellable: (nullable): gives the call up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Asks for one page of the change feed.
 */
void
gw_client_get_changes_async (GwClient *self,
                             gboolean has_since,
                             guint64 since,
                             guint wait_s,
                             const char *project,
                             const char *fields,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  GwChangesQuery query = {
    .has_since = has_since, .since = since, .wait_s = wait_s,
    .project = project, .fields = fields,
  };

  gw_client_get_changes_full_async (self, &query, cancellable, callback, user_data);
}

/**
 * gw_client_get_changes_finish:
 * @self: a client
 * @result: what the callback got
 * @error: GW_ERROR, or G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full): the page
 */
GwChanges *
gw_client_get_changes_finish (GwClient *self,
                              GAsyncResult *result,
                              GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
