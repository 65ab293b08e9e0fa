/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fake-gateway.h"
#include "gw-id.h"
#include "gw-project.h"

typedef struct {
  char *id;
  char *content;
  char *status;
  char *result;
  char *project_id;
  gint64 created_at;
  guint64 revision;
  gboolean removed;
} FakeTask;

typedef struct {
  SoupServerMessage *message; /* (owned), paused */
  guint64 since;
  guint limit;
  guint timer_id;
  FakeGateway *fake;
} FakeWait;

struct _FakeGateway {
  FakeKind kind;
  SoupServer *server;
  guint port;
  char *uri;
  char *store;
  char *project_id;
  char *project_name;
  gboolean project_paused;
  GPtrArray *tasks;
  GPtrArray *by_revision; /* (element-type FakeTask), borrowed, in order of revision */
  GHashTable *by_id;
  GHashTable *keys;       /* Idempotency-Key → answer */
  GHashTable *requests;   /* "METHOD path" → count */
  GPtrArray *waits;
  guint64 revision;
  guint unfinished;
  guint max_unfinished;
  FakeHook hook;
  gpointer hook_data;
};

static void
fake_task_free (gpointer data)
{
  FakeTask *task = data;

  g_free (task->id);
  g_free (task->content);
  g_free (task->status);
  g_free (task->result);
  g_free (task->project_id);
  g_free (task);
}

static void
fake_wait_free (gpointer data)
{
  FakeWait *wait = data;

  g_clear_handle_id (&wait->timer_id, g_source_remove);
  g_object_unref (wait->message);
  g_free (wait);
}

void
fake_reply (SoupServerMessage *message,
            guint status,
            const char *json)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_COPY, json,
                                    strlen (json));
}

static void
reply_object (SoupServerMessage *message,
              guint status,
              JsonObject *object)
{
  g_autofree char *text = gw_json_object_to_text (object, FALSE, NULL);

  fake_reply (message, status, text);
}

static void
reply_problem (SoupServerMessage *message,
               GwError code,
               const char *detail)
{
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_string_member (object, "code", gw_error_to_string (code));
  json_object_set_string_member (object, "detail", detail);
  reply_object (message, gw_error_http_status (code), object);
}

static JsonObject *
task_to_json (FakeTask *task,
              gboolean feed)
{
  g_autoptr (GwTask) plain = gw_task_new ();
  GwTaskStatus status = GW_TASK_QUEUED;

  gw_task_status_from_string (task->status, &status);
  plain->task_id = g_strdup (task->id);
  plain->project_id = g_strdup (task->project_id);
  plain->status = status;
  plain->content = g_strdup (task->content);
  plain->content_size = strlen (task->content);
  plain->result = g_strdup (task->result);
  plain->result_size = task->result != NULL ? strlen (task->result) : 0;
  plain->created_at = task->created_at;
  plain->finished_at = gw_task_status_is_final (status) ? task->created_at + 1500 : 0;
  plain->revision = task->revision;
  plain->usage = GW_USAGE_NONE;
  plain->duration_ms = -1;
  if (status == GW_TASK_COMPLETED)
    plain->model = g_strdup ("fake-model");
  if (status == GW_TASK_FAILED)
    {
      plain->has_error = TRUE;
      plain->error_code = GW_ERROR_TASK_SERVER;
      plain->error_message = g_strdup ("It did not work");
    }

  return gw_task_to_json (plain, feed ? GW_TASK_FIELDS_FEED : GW_TASK_FIELDS_WHOLE);
}

static void
touch (FakeGateway *fake,
       FakeTask *task)
{
  g_ptr_array_remove (fake->by_revision, task);
  task->revision = ++fake->revision;
  g_ptr_array_add (fake->by_revision, task);
}

static JsonObject *
project_to_json (FakeGateway *fake)
{
  g_autoptr (GwProject) project = gw_project_new ();

  project->project_id = g_strdup (fake->project_id);
  project->name = g_strdup (fake->project_name);
  project->created_at = 1000;
  project->paused = fake->project_paused;
  project->usage = GW_USAGE_NONE;
  project->revision = fake->revision;
  for (guint i = 0; i < fake->tasks->len; i++)
    {
      FakeTask *task = g_ptr_array_index (fake->tasks, i);
      GwTaskStatus status = GW_TASK_QUEUED;

      gw_task_status_from_string (task->status, &status);
      project->counts[status] += !task->removed;
    }

  return gw_project_to_json (project);
}

static void
reply_page (FakeGateway *fake,
            SoupServerMessage *message,
            guint64 since,
            guint limit)
{
  g_autoptr (JsonObject) page = json_object_new ();
  JsonArray *tasks = json_array_new ();
  JsonArray *removed = json_array_new ();
  JsonArray *projects = json_array_new ();
  guint64 revision = fake->revision;
  gboolean more = FALSE;
  guint n = 0;

  if (since > fake->revision)
    {
      json_object_set_boolean_member (page, "reset", TRUE);
      since = fake->revision;
    }
  for (guint i = 0; i < fake->by_revision->len; i++)
    {
      FakeTask *task = g_ptr_array_index (fake->by_revision, i);

      if (task->revision <= since)
        continue;
      if (n == limit)
        {
          more = TRUE;
          break;
        }
      n++;
      revision = task->revision;
      if (task->removed)
        json_array_add_string_element (removed, task->id);
      else
        json_array_add_object_element (tasks, task_to_json (task, TRUE));
    }
  if (!more)
    revision = fake->revision;
  if (!more && n > 0)
    json_array_add_object_element (projects, project_to_json (fake));
  json_object_set_int_member (page, "revision", (gint64) revision);
  json_object_set_boolean_member (page, "more", more);
  json_object_set_string_member (page, "store", fake->store);
  json_object_set_array_member (page, "tasks", tasks);
  json_object_set_array_member (page, "projects", projects);
  json_object_set_array_member (page, "removed", removed);
  reply_object (message, 200, page);
}

static void
end_wait (FakeWait *wait)
{
  FakeGateway *fake = wait->fake;
  g_autoptr (SoupServerMessage) message = g_object_ref (wait->message);

  reply_page (fake, message, wait->since, wait->limit);
  g_ptr_array_remove (fake->waits, wait);
  soup_server_message_unpause (message);
}

static gboolean
wait_over_cb (gpointer user_data)
{
  FakeWait *wait = user_data;

  wait->timer_id = 0;
  end_wait (wait);

  return G_SOURCE_REMOVE;
}

static void
wake (FakeGateway *fake)
{
  while (fake->waits->len > 0)
    end_wait (g_ptr_array_index (fake->waits, 0));
}

static FakeTask *
add_task (FakeGateway *fake,
          const char *content)
{
  FakeTask *task = g_new0 (FakeTask, 1);

  task->id = gw_id_new ();
  task->content = g_strdup (content);
  task->status = g_strdup ("queued");
  task->project_id = g_strdup (fake->project_id);
  task->created_at = g_get_real_time () / 1000;
  task->revision = ++fake->revision;
  g_ptr_array_add (fake->tasks, task);
  g_ptr_array_add (fake->by_revision, task);
  g_hash_table_insert (fake->by_id, task->id, task);
  fake->unfinished++;
  fake->max_unfinished = MAX (fake->max_unfinished, fake->unfinished);

  return task;
}

static JsonObject *
read_body (SoupServerMessage *message)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  return gw_json_parse_object (text != NULL ? text : "", length, NULL);
}

static void
handle_batch (FakeGateway *fake,
              SoupServerMessage *message)
{
  g_autoptr (JsonObject) body = read_body (message);
  g_autoptr (JsonObject) answer = NULL;
  JsonArray *tasks = gw_json_peek_array (body, "tasks");
  JsonArray *ids = json_array_new ();
  const char *key = soup_message_headers_get_one (
    soup_server_message_get_request_headers (message), "Idempotency-Key");
  const char *known = key != NULL ? g_hash_table_lookup (fake->keys, key) : NULL;

  if (known != NULL)
    {
      json_array_unref (ids);
      fake_reply (message, 200, known);
      return;
    }
  if (gw_json_peek_string (body, "project") != NULL
      && g_strcmp0 (gw_json_peek_string (body, "project"), fake->project_id) != 0)
    {
      g_free (fake->project_name);
      fake->project_name = g_strdup (gw_json_peek_string (body, "project"));
    }
  for (guint i = 0; tasks != NULL && i < json_array_get_length (tasks); i++)
    {
      JsonObject *task = json_array_get_object_element (tasks, i);

      json_array_add_string_element (ids,
                                     add_task (fake, gw_json_peek_string (task, "content"))->id);
    }
  answer = json_object_new ();
  json_object_set_string_member (answer, "project_id", fake->project_id);
  json_object_set_array_member (answer, "task_ids", ids);
  if (key != NULL)
    g_hash_table_insert (fake->keys, g_strdup (key), gw_json_object_to_text (answer, FALSE, NULL));
  reply_object (message, 200, answer);
  wake (fake);
}

static void
handle_feed (FakeGateway *fake,
             SoupServerMessage *message,
             GHashTable *query)
{
  const char *since_text = query != NULL ? g_hash_table_lookup (query, "since") : NULL;
  const char *wait_text = query != NULL ? g_hash_table_lookup (query, "wait") : NULL;
  guint64 since = since_text != NULL ? g_ascii_strtoull (since_text, NULL, 10) : 0;
  guint wait_s = wait_text != NULL ? (guint) g_ascii_strtoull (wait_text, NULL, 10) : 0;
  const char *limit_text = query != NULL ? g_hash_table_lookup (query, "limit") : NULL;
  guint limit = limit_text != NULL ? (guint) g_ascii_strtoull (limit_text, NULL, 10) : 500;
  FakeWait *wait;

  if (wait_s == 0 || since != fake->revision)
    {
      reply_page (fake, message, since, limit);
      return;
    }

  wait = g_new0 (FakeWait, 1);
  wait->message = g_object_ref (message);
  wait->since = since;
  wait->limit = limit;
  wait->fake = fake;
  wait->timer_id = g_timeout_add_seconds (wait_s, wait_over_cb, wait);
  g_ptr_array_add (fake->waits, wait);
  soup_server_message_pause (message);
}

static void
handle_ours (FakeGateway *fake,
             SoupServerMessage *message,
             const char *path,
             GHashTable *query)
{
  const char *method = soup_server_message_get_method (message);

  if (g_str_equal (path, "/health"))
    {
      g_autofree char *health = g_strdup_printf (
        "{\"service\":\"gangway\",\"version\":\"1.2.3\",\"host\":\"daemon\",\"store\":\"%s\"}",
        fake->store);

      fake_reply (message, 200, health);
    }
  else if (g_str_equal (path, "/tasks/batch"))
    {
      handle_batch (fake, message);
    }
  else if (g_str_equal (path, "/tasks") && g_str_equal (method, "GET"))
    {
      handle_feed (fake, message, query);
    }
  else if (g_str_has_prefix (path, "/tasks/") && g_str_equal (method, "GET"))
    {
      FakeTask *task = g_hash_table_lookup (fake->by_id, path + strlen ("/tasks/"));

      if (task != NULL)
        {
          g_autoptr (JsonObject) object = task_to_json (task, FALSE);

          reply_object (message, 200, object);
        }
      else
        {
          reply_problem (message, GW_ERROR_NOT_FOUND, "There is no such task");
        }
    }
  else if (g_str_has_suffix (path, "/results"))
    {
      g_autoptr (GString) lines = g_string_new (NULL);

      for (guint i = 0; i < fake->tasks->len; i++)
        {
          g_autoptr (JsonObject) object = task_to_json (g_ptr_array_index (fake->tasks, i), FALSE);
          g_autofree char *line = gw_json_object_to_text (object, FALSE, NULL);

          g_string_append_printf (lines, "%s\n", line);
        }
      fake_reply (message, 200, lines->str);
    }
  else if (g_str_has_prefix (path, "/projects/"))
    {
      if (g_str_has_suffix (path, "/pause") || g_str_has_suffix (path, "/resume"))
        {
          fake->project_paused = g_str_has_suffix (path, "/pause");
          fake_reply (message, 200, "{\"changed\":1}");
        }
      else
        {
          g_autoptr (JsonObject) object = project_to_json (fake);

          reply_object (message, 200, object);
        }
    }
  else
    {
      reply_problem (message, GW_ERROR_NOT_FOUND, "There is nothing here");
    }
}

static void
handle_minimal (FakeGateway *fake,
                SoupServerMessage *message,
                const char *path)
{
  const char *method = soup_server_message_get_method (message);

  if (g_str_equal (path, "/tasks") && g_str_equal (method, "POST"))
    {
      g_autoptr (JsonObject) body = read_body (message);
      g_autofree char *answer = NULL;
      const char *content = gw_json_peek_string (body, "content");

      if (content == NULL)
        {
          fake_reply (message, 422, "{\"detail\":\"content is missing\"}");
          return;
        }
      add_task (fake, content);
      /* Numbers as ids, as many do. */
      answer = g_strdup_printf ("{\"id\": %u}", fake->tasks->len - 1);
      fake_reply (message, 201, answer);
    }
  else if (g_str_has_prefix (path, "/tasks/") && g_str_equal (method, "GET"))
    {
      const char *id = path + strlen ("/tasks/");
      guint64 index = 0;

      if (!g_ascii_string_to_unsigned (id, 10, 0, G_MAXUINT, &index, NULL)
          || index >= fake->tasks->len
          || ((FakeTask *) g_ptr_array_index (fake->tasks, index))->removed)
        {
          fake_reply (message, 404, "{\"detail\":\"Not Found\"}");
        }
      else
        {
          FakeTask *task = g_ptr_array_index (fake->tasks, index);
          g_autofree char *answer = g_strdup_printf (
            "{\"status\": \"%s\", \"result\": %s, \"metadata\": {\"model\": \"m\"}}",
            task->status, task->result != NULL ? task->result : "null");

          fake_reply (message, 200, answer);
        }
    }
  else
    {
      fake_reply (message, 404, "{\"detail\":\"Not Found\"}");
    }
}

static void
server_cb (SoupServer *server,
           SoupServerMessage *message,
           const char *path,
           GHashTable *query,
           gpointer user_data)
{
  FakeGateway *fake = user_data;
  char *name = g_strdup_printf ("%s %s", soup_server_message_get_method (message), path);
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (fake->requests, name));

  g_hash_table_insert (fake->requests, name, GUINT_TO_POINTER (count + 1));
  if (fake->hook != NULL && fake->hook (fake, message, path, fake->hook_data))
    return;

  switch (fake->kind)
    {
    case FAKE_OURS:
      handle_ours (fake, message, path, query);
      break;

    case FAKE_MINIMAL:
      handle_minimal (fake, message, path);
      break;

    case FAKE_OTHER:
      soup_server_message_set_status (message, 200, NULL);
      soup_server_message_set_response (message, "text/html", SOUP_MEMORY_STATIC, "<p>Hello", 8);
      break;

    case FAKE_MUTE:
    default:
      soup_server_message_pause (message);
      break;
    }
}

FakeGateway *
fake_gateway_new (FakeKind kind)
{
  FakeGateway *fake = g_new0 (FakeGateway, 1);

  fake->kind = kind;
  fake->store = gw_id_new ();
  fake->project_id = gw_id_new ();
  fake->project_name = g_strdup ("default");
  fake->tasks = g_ptr_array_new_with_free_func (fake_task_free);
  fake->by_revision = g_ptr_array_new ();
  fake->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  fake->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  fake->requests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  fake->waits = g_ptr_array_new_with_free_func (fake_wait_free);
  fake_gateway_up (fake);

  return fake;
}

void
fake_gateway_free (FakeGateway *fake)
{
  if (fake->server != NULL)
    fake_gateway_down (fake);
  g_ptr_array_unref (fake->waits);
  g_ptr_array_unref (fake->tasks);
  g_ptr_array_unref (fake->by_revision);
  g_hash_table_unref (fake->by_id);
  g_hash_table_unref (fake->keys);
  g_hash_table_unref (fake->requests);
  g_free (fake->project_id);
  g_free (fake->project_name);
  g_free (fake->store);
  g_free (fake->uri);
  g_free (fake);
}

void
fake_gateway_up (FakeGateway *fake)
{
  g_autoptr (GError) error = NULL;
  GSList *uris;

  fake->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (fake->server, NULL, server_cb, fake, NULL);
  soup_server_listen_local (fake->server, fake->port, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (fake->server);
  fake->port = (guint) g_uri_get_port (uris->data);
  g_free (fake->uri);
  fake->uri = g_strdup_printf ("http://127.0.0.1:%u", fake->port);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
}

void
fake_gateway_down (FakeGateway *fake)
{
  g_ptr_array_set_size (fake->waits, 0);
  soup_server_disconnect (fake->server);
  g_clear_object (&fake->server);
}

void
fake_gateway_wipe (FakeGateway *fake)
{
  g_free (fake->store);
  fake->store = gw_id_new ();
  g_ptr_array_set_size (fake->by_revision, 0);
  g_hash_table_remove_all (fake->by_id);
  g_hash_table_remove_all (fake->keys);
  g_ptr_array_set_size (fake->tasks, 0);
  fake->revision = 0;
}

const char *
fake_gateway_uri (FakeGateway *fake)
{
  return fake->uri;
}

void
fake_gateway_set_hook (FakeGateway *fake,
                       FakeHook hook,
                       gpointer user_data)
{
  fake->hook = hook;
  fake->hook_data = user_data;
}

guint
fake_gateway_n_tasks (FakeGateway *fake)
{
  return fake->tasks->len;
}

guint
fake_gateway_n_requests (FakeGateway *fake,
                         const char *method,
                         const char *path)
{
  g_autofree char *name = g_strdup_printf ("%s %s", method, path);

  return GPOINTER_TO_UINT (g_hash_table_lookup (fake->requests, name));
}

guint
fake_gateway_max_unfinished (FakeGateway *fake)
{
  return fake->max_unfinished;
}

const char *
fake_gateway_id (FakeGateway *fake,
                 guint index)
{
  return ((FakeTask *) g_ptr_array_index (fake->tasks, index))->id;
}

const char *
fake_gateway_content (FakeGateway *fake,
                      guint index)
{
  return ((FakeTask *) g_ptr_array_index (fake->tasks, index))->content;
}

guint64
fake_gateway_revision (FakeGateway *fake)
{
  return fake->revision;
}

void
fake_gateway_add (FakeGateway *fake,
                  guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *content = g_strdup_printf ("task %u", fake->tasks->len + 1);

      add_task (fake, content);
    }
  wake (fake);
}

void
fake_gateway_set (FakeGateway *fake,
                  guint index,
                  const char *status,
                  const char *result)
{
  FakeTask *task = g_ptr_array_index (fake->tasks, index);
  GwTaskStatus known = GW_TASK_COMPLETED;

  gw_task_status_from_string (status, &known);
  if (gw_task_status_is_final (known))
    fake->unfinished--;
  g_free (task->status);
  task->status = g_strdup (status);
  g_free (task->result);
  task->result = g_strdup (result);
  touch (fake, task);
  wake (fake);
}

void
fake_gateway_remove (FakeGateway *fake,
                     guint index)
{
  FakeTask *task = g_ptr_array_index (fake->tasks, index);

  task->removed = TRUE;
  touch (fake, task);
  wake (fake);
}

void
fake_turn (void)
{
  g_main_context_iteration (NULL, TRUE);
}

void
fake_store_result (GObject *source,
                   GAsyncResult *result,
                   gpointer user_data)
{
  GAsyncResult **where = user_data;

  g_assert_null (*where);
  *where = g_object_ref (result);
}
