/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-client"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-client-private.h"
#include "gw-id.h"

/* GwClient: one gateway, one SoupSession, asynchronous calls in the thread that made it.
 *
 * Guarantee: a call ends, with the gateway's own words where it has some; a submission that has a
 * key is sent again until it was answered or the patience is over, and is never taken in twice.
 * The change feed is in gw-client-changes.c, submissions in gw-client-submit.c, results in
 * gw-client-results.c, gateways with only two calls in gw-minimal-poller.c. */

#define DEFAULT_PATIENCE_S 5
/* A whole task may have an answer of many MiB: such a one is read off the calling thread. */
#define INLINE_TASK_BYTES (64 * 1024)

G_DEFINE_FINAL_TYPE (GwClient, gw_client, G_TYPE_OBJECT)

static void
gw_client_dispose (GObject *object)
{
  GwClient *self = GW_CLIENT (object);

  if (self->minimal != NULL)
    gw_minimal_poller_stop (self->minimal);
  g_clear_object (&self->minimal);
  g_clear_object (&self->session);

  G_OBJECT_CLASS (gw_client_parent_class)->dispose (object);
}

static void
gw_client_finalize (GObject *object)
{
  GwClient *self = GW_CLIENT (object);

  g_free (self->uri);
  g_free (self->token);

  G_OBJECT_CLASS (gw_client_parent_class)->finalize (object);
}

static void
gw_client_class_init (GwClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gw_client_dispose;
  object_class->finalize = gw_client_finalize;
}

static void
gw_client_init (GwClient *self)
{
  self->patience_s = DEFAULT_PATIENCE_S;
}

static char *
without_slash (const char *uri)
{
  char *copy = g_strdup (uri);
  gsize length = strlen (copy);

  while (length > 0 && copy[length - 1] == '/')
    copy[--length] = '\0';

  return copy;
}

/**
 * gw_client_new:
 * @uri: the gateway's address, as gw_discovery_choose_uri() gives it
 * @token: (nullable): bearer token
 * @protocol: what discovery found there
 *
 * Returns: (transfer full): a client for the calling thread
 */
GwClient *
gw_client_new (const char *uri,
               const char *token,
               GwProtocol protocol)
{
  GwClient *self;

  g_return_val_if_fail (uri != NULL, NULL);

  self = g_object_new (GW_TYPE_CLIENT, NULL);
  self->uri = without_slash (uri);
  self->token = g_strdup (token);
  self->protocol = protocol;
  self->session = gw_exchange_session_new (uri);
  if (protocol == GW_PROTOCOL_MINIMAL)
    self->minimal = gw_minimal_poller_new (self);

  return self;
}

/**
 * gw_client_get_uri:
 * @self: a client
 *
 * Returns: (transfer none): the address, without a slash at its end
 */
const char *
gw_client_get_uri (GwClient *self)
{
  g_return_val_if_fail (GW_IS_CLIENT (self), NULL);

  return self->uri;
}

/**
 * gw_client_get_protocol:
 * @self: a client
 *
 * Returns: what the gateway speaks
 */
GwProtocol
gw_client_get_protocol (GwClient *self)
{
  g_return_val_if_fail (GW_IS_CLIENT (self), GW_PROTOCOL_GANGWAY);

  return self->protocol;
}

/**
 * gw_client_set_endpoint:
 * @self: a client
 * @uri: another address of the same queue
 * @token: (nullable): its bearer token
 *
 * Requests that are under way end as they may; every later one, repetitions included, goes to @uri.
 */
void
gw_client_set_endpoint (GwClient *self,
                        const char *uri,
                        const char *token)
{
  g_autofree char *old_uri = NULL;
  g_autofree char *old_token = NULL;

  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (uri != NULL);

  old_uri = g_steal_pointer (&self->uri);
  old_token = g_steal_pointer (&self->token);
  self->uri = without_slash (uri);
  self->token = g_strdup (token);
  g_object_unref (self->session);
  self->session = gw_exchange_session_new (self->uri);
}

/**
 * gw_client_set_patience:
 * @self: a client
 * @seconds: for how long a submission is repeated
 */
void
gw_client_set_patience (GwClient *self,
                        guint seconds)
{
  g_return_if_fail (GW_IS_CLIENT (self));

  self->patience_s = seconds;
}

/**
 * gw_client_set_minimal_concurrency:
 * @self: a client
 * @concurrency: tasks that may be unfinished at once, at least 1
 *
 * Does nothing unless the gateway is a minimal one.
 */
void
gw_client_set_minimal_concurrency (GwClient *self,
                                   guint concurrency)
{
  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (concurrency > 0);

  if (self->minimal != NULL)
    gw_minimal_poller_set_concurrency (self->minimal, concurrency);
}

/**
 * gw_client_keep_minimal:
 * @self: a client that was not used yet
 * @folder: for what is to outlive the process
 *
 * Does nothing unless the gateway is a minimal one.
 */
void
gw_client_keep_minimal (GwClient *self,
                        const char *folder)
{
  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (folder != NULL);

  if (self->minimal != NULL)
    gw_minimal_poller_keep (self->minimal, folder);
}

/**
 * gw_client_dup_foreign_id:
 * @self: a client
 * @task_id: an id that the client gave out
 *
 * Returns: (transfer full) (nullable): the gateway's own id of that task
 */
char *
gw_client_dup_foreign_id (GwClient *self,
                          const char *task_id)
{
  g_return_val_if_fail (GW_IS_CLIENT (self), NULL);
  g_return_val_if_fail (task_id != NULL, NULL);

  if (self->minimal == NULL)
    return NULL;

  return gw_minimal_poller_dup_foreign_id (self->minimal, task_id);
}

/**
 * gw_client_build_path:
 * @first: the first segment
 * @...: further segments, then NULL
 *
 * Returns: (transfer full): "/first/second", each segment escaped
 */
char *
gw_client_build_path (const char *first,
                      ...)
{
  GString *path = g_string_new (NULL);
  va_list segments;

  va_start (segments, first);
  for (const char *segment = first; segment != NULL; segment = va_arg (segments, const char *))
    {
      g_string_append_c (path, '/');
      g_string_append_uri_escaped (path, segment, NULL, FALSE);
    }
  va_end (segments);

  return g_string_free (path, FALSE);
}

static void
call_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = NULL;
  JsonObject *object;

  reply = _gw_client_request_finish (GW_CLIENT (source), result, NULL, &error);
  if (reply != NULL)
    object = _gw_client_parse_object (reply, &error);
  else
    object = NULL;

  if (object != NULL)
    g_task_return_pointer (task, object, (GDestroyNotify) json_object_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static gboolean
is_submission (const char *method,
               const char *path)
{
  return g_str_equal (method, "POST")
         && (g_str_equal (path, "/tasks") || g_str_equal (path, "/tasks/batch"));
}

/**
 * gw_client_call_async:
 * @self: a client
 * @method: GET, POST, PATCH, PUT or DELETE
 * @path: escaped path and query, see gw_client_build_path()
 * @body: (nullable): the JSON object to send
 * @cancellable: (nullable): gives the call up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Any call of the contract. Submissions get an Idempotency-Key and are repeated where the answer
 * was lost; every other call is made once.
 */
void
gw_client_call_async (GwClient *self,
                      const char *method,
                      const char *path,
                      JsonObject *body,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *key = NULL;
  GwRequest request = { 0 };

  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (method != NULL && path != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gw_client_call_async);

  if (self->minimal != NULL)
    {
      g_autoptr (GError) error = NULL;
      JsonObject *answer = gw_minimal_poller_call (self->minimal, method, path, body, &error);

      if (answer != NULL)
        g_task_return_pointer (task, answer, (GDestroyNotify) json_object_unref);
      else
        g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  if (body != NULL)
    {
      gsize length;
      char *text = gw_json_object_to_text (body, FALSE, &length);

      bytes = g_bytes_new_take (text, length);
    }
  if (is_submission (method, path))
    {
      key = gw_id_new ();
      request.repeat = GW_REPEAT_LOST;
    }
  request.method = method;
  request.path = path;
  request.body = bytes;
  request.idempotency_key = key;
  _gw_client_request_async (self, &request, cancellable, call_cb, g_steal_pointer (&task));
}

/**
 * gw_client_call_finish:
 * @self: a client
 * @result: what the callback got
 * @error: GW_ERROR with the gateway's code and sentence, or G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full): the gateway's answer
 */
JsonObject *
gw_client_call_finish (GwClient *self,
                       GAsyncResult *result,
                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
return_task (GTask *task,
             GwAnswer *reply)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = _gw_client_parse_object (reply, &error);
  GwTask *answer = object != NULL ? gw_task_new_from_json (object, &error) : NULL;

  if (answer != NULL)
    g_task_return_pointer (task, answer, (GDestroyNotify) gw_task_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
task_worker (GTask *task,
             gpointer source_object,
             gpointer task_data,
             GCancellable *cancellable)
{
  return_task (task, task_data);
}

static void
task_parsed_cb (GObject *source,
                GAsyncResult *result,
                gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  GwTask *answer = g_task_propagate_pointer (G_TASK (result), &error);

  if (answer != NULL)
    g_task_return_pointer (task, answer, (GDestroyNotify) gw_task_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
get_task_cb (GObject *source,
             GAsyncResult *result,
             gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = NULL;

  reply = _gw_client_request_finish (GW_CLIENT (source), result, NULL, &error);
  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
    }
  else if (g_bytes_get_size (reply->body) <= INLINE_TASK_BYTES)
    {
      return_task (task, reply);
    }
  else
    {
      GCancellable *cancellable = g_task_get_cancellable (task);
      /* The thread may be the last to let go of its task, and must not be so of the client. */
      g_autoptr (GTask) parsing
        = g_task_new (NULL, cancellable, task_parsed_cb, g_steal_pointer (&task));

      g_task_set_source_tag (parsing, get_task_cb);
      g_task_set_task_data (parsing, g_steal_pointer (&reply), (GDestroyNotify) gw_answer_free);
      g_task_run_in_thread (parsing, task_worker);
    }
}

/**
 * gw_client_get_task_async:
 * @self: a client
 * @task_id: an id
 * @cancellable: (nullable): gives the call up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Asks for one task, whole.
 */
void
gw_client_get_task_async (GwClient *self,
                          const char *task_id,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autofree char *path = NULL;
  GwRequest request = { 0 };

  g_return_if_fail (GW_IS_CLIENT (self));
  g_return_if_fail (task_id != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, gw_client_get_task_async);

  if (self->minimal != NULL)
    {
      GwTask *answer = gw_minimal_poller_get_task (self->minimal, task_id);

      if (answer != NULL)
        g_task_return_pointer (task, answer, (GDestroyNotify) gw_task_unref);
      else
        g_task_return_new_error (task, GW_ERROR, GW_ERROR_NOT_FOUND,
                                 /* Translators: %s is the id of a task */
                                 _("There is no task %s"), task_id);
      return;
    }

  path = gw_client_build_path ("tasks", task_id, NULL);
  request.method = "GET";
  request.path = path;
  _gw_client_request_async (self, &request, cancellable, get_task_cb, g_steal_pointer (&task));
}

/**
 * gw_client_get_task_finish:
 * @self: a client
 * @result: what the callback got
 * @error: GW_ERROR_NOT_FOUND and others, or G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full): the task
 */
GwTask *
gw_client_get_task_finish (GwClient *self,
                           GAsyncResult *result,
                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
