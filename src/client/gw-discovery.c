/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-discovery"

/* Finding a gateway (contract, section 1): what a listener at the address is, learned from what it
 * answers and never from the port alone. Asynchronous, in the thread-default context of the caller;
 * a port that nobody listens on is known at once. */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "gw-id.h"
#include "gw-json.h"

#include "gw-discovery.h"
#include "gw-exchange.h"

#define PROBE_TIMEOUT_MS 3000
#define FIRST_PAUSE_MS 200 /* and twice as long before each further time */
#define MAX_PROBE_BYTES (1024 * 1024)

/* /health has 800 ms. It is asked again where the first silence proves nothing: somebody is there,
 * and a machine under load is slow for him and for us. */
static const guint health_limits_ms[] = { 800, 800, 1600, 3200, 5000 };

/**
 * gw_discovery_free:
 * @discovery: (transfer full): what was found
 */
void
gw_discovery_free (GwDiscovery *discovery)
{
  g_free (discovery->uri);
  g_free (discovery->version);
  g_free (discovery->host);
  g_free (discovery->store);
  g_free (discovery->detail);
  g_free (discovery);
}

/* What no address holds, but GUri lets through. */
static gboolean
has_strange_characters (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    {
      if ((guchar) *c <= ' ' || *c == 0x7f || strchr ("<>\"\\^`{|}", *c) != NULL)
        return TRUE;
    }

  return FALSE;
}

/* `host:port`, `host` and `http://host:port/` are all meant; anything else is said to be wrong. */
static char *
complete_uri (const char *text,
              GError **error)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  g_autofree char *address = NULL;
  g_autoptr (GUri) uri = NULL;
  gsize length;

  if (strstr (trimmed, "://") != NULL)
    address = g_strdup (trimmed);
  else
    address = g_strconcat ("http://", trimmed, NULL);

  uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL || has_strange_characters (address)
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || (!g_str_equal (g_uri_get_scheme (uri), "http")
          && !g_str_equal (g_uri_get_scheme (uri), "https"))
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   /* Translators: %s is what the user gave as the address */
                   _("“%s” is no address of a gateway; one looks like http://127.0.0.1:8000"),
                   text);
      return NULL;
    }

  length = strlen (address);
  while (length > 0 && address[length - 1] == '/')
    address[--length] = '\0';

  return g_steal_pointer (&address);
}

/**
 * gw_discovery_choose_uri:
 * @option: (nullable): what the command line says
 * @preference: (nullable): what the window's preference says
 * @given: (out) (optional): whether the user named the address
 * @error: GW_ERROR_INVALID
 *
 * Returns: (transfer full): the address to try, with its scheme and without a slash at its end
 */
char *
gw_discovery_choose_uri (const char *option,
                         const char *preference,
                         gboolean *given,
                         GError **error)
{
  const char *candidates[] = { option, g_getenv ("GANGWAY_GATEWAY"), preference };

  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      if (candidates[i] == NULL || (*candidates[i] == '\0' && i > 0))
        continue;
      if (given != NULL)
        *given = TRUE;
      return complete_uri (candidates[i], error);
    }

  if (given != NULL)
    *given = FALSE;

  return g_strdup (GW_DEFAULT_GATEWAY);
}

/* Compares the numbers only: what follows them (`-dev`) makes no gateway older. A text without a
 * number says nothing of its age. */
static gboolean
is_too_old (const char *version)
{
  const char *oldest = GW_OLDEST_GATEWAY;
  const char *rest = version;
  char *end;
  guint i;

  for (i = 0; i < 3; i++)
    {
      guint64 wanted = g_ascii_strtoull (oldest, &end, 10);
      guint64 found;

      oldest = *end == '.' ? end + 1 : end;
      if (!g_ascii_isdigit (*rest))
        return FALSE;
      found = g_ascii_strtoull (rest, &end, 10);
      if (found != wanted)
        return found < wanted;
      rest = *end == '.' ? end + 1 : end;
    }
  return FALSE;
}

typedef struct {
  SoupSession *session;   /* (owned) */
  char *token;            /* (owned) (nullable) */
  GwDiscovery *discovery; /* (owned) */
  guint n_healths;        /* how often /health was asked */
  GSource *pause;         /* (owned) (nullable) before it is asked again */
  gboolean silent;        /* /health has not said what this is */
} Probe;

static void
probe_free (Probe *probe)
{
  if (probe->pause != NULL)
    {
      g_source_destroy (probe->pause);
      g_source_unref (probe->pause);
    }
  g_clear_object (&probe->session);
  g_clear_pointer (&probe->discovery, gw_discovery_free);
  g_free (probe->token);
  g_free (probe);
}

static void
end_probe (GTask *task,
           GwFound found,
           char *detail)
{
  Probe *probe = g_task_get_task_data (task);

  probe->discovery->found = found;
  probe->discovery->detail = detail;
  g_task_return_pointer (task, g_steal_pointer (&probe->discovery),
                         (GDestroyNotify) gw_discovery_free);
}

static JsonObject *
parse_reply (const GwAnswer *reply)
{
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);

  return gw_json_parse_reply_object (text != NULL ? text : "", length, NULL);
}

static void
send_probe (GTask *task,
            const char *method,
            const char *path,
            const char *body,
            guint timeout_ms,
            GAsyncReadyCallback callback)
{
  Probe *probe = g_task_get_task_data (task);
  g_autofree char *address = g_strconcat (probe->discovery->uri, path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new (method, address);

  if (message == NULL)
    {
      end_probe (task, GW_FOUND_NOTHING, g_strdup ("Not an address"));
      return;
    }
  if (body != NULL)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));

      soup_message_set_request_body_from_bytes (message, "application/json", bytes);
    }
  if (probe->token != NULL && *probe->token != '\0')
    {
      g_autofree char *bearer = g_strconcat ("Bearer ", probe->token, NULL);

      soup_message_headers_append (soup_message_get_request_headers (message), "Authorization",
                                   bearer);
    }

  gw_exchange_async (probe->session, message, timeout_ms, MAX_PROBE_BYTES,
                     g_task_get_cancellable (task), callback, g_object_ref (task));
}

static gboolean
end_if_cancelled (GTask *task,
                  GError **error)
{
  if (!g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return FALSE;

  g_task_return_error (task, g_steal_pointer (error));

  return TRUE;
}

static void health_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
ask_health (GTask *task)
{
  Probe *probe = g_task_get_task_data (task);

  send_probe (task, "GET", "/health", NULL, health_limits_ms[probe->n_healths++], health_cb);
}

static gboolean
pause_over_cb (gpointer user_data)
{
  GTask *task = user_data;
  Probe *probe = g_task_get_task_data (task);

  g_clear_pointer (&probe->pause, g_source_unref);
  if (!g_task_return_error_if_cancelled (task))
    ask_health (task);

  return G_SOURCE_REMOVE;
}

/* Returns: whether it is asked again; FALSE: it has been asked often enough */
static gboolean
ask_health_again (GTask *task)
{
  Probe *probe = g_task_get_task_data (task);

  if (probe->n_healths == G_N_ELEMENTS (health_limits_ms))
    return FALSE;

  probe->pause = g_timeout_source_new (FIRST_PAUSE_MS << (probe->n_healths - 1));
  g_source_set_static_name (probe->pause, "[gangway] /health again");
  g_source_set_callback (probe->pause, pause_over_cb, g_object_ref (task), g_object_unref);
  g_source_attach (probe->pause, g_main_context_get_thread_default ());

  return TRUE;
}

/* After /health: who listened, but does not answer like a gateway, is another program. */
static void
post_probe_cb (GObject *source,
               GAsyncResult *result,
               gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = gw_exchange_finish (result, NULL, &error);
  gsize length;
  const char *text;

  if (reply == NULL)
    {
      if (!end_if_cancelled (task, &error))
        end_probe (task, GW_FOUND_OTHER, g_strdup (error->message));
      return;
    }

  text = g_bytes_get_data (reply->body, &length);
  if ((reply->status == 400 || reply->status == 422)
      && gw_json_check (text != NULL ? text : "", length, GW_JSON_MAX_DEPTH, NULL))
    end_probe (task, GW_FOUND_MINIMAL, NULL);
  else
    end_probe (task, GW_FOUND_OTHER,
               g_strdup_printf ("POST /tasks with {} answers %u, not 400 or 422 with JSON",
                                reply->status));
}

static void
get_probe_cb (GObject *source,
              GAsyncResult *result,
              gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Probe *probe = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GwAnswer) reply = gw_exchange_finish (result, NULL, &error);
  g_autoptr (JsonObject) object = NULL;

  if (reply == NULL)
    {
      if (end_if_cancelled (task, &error))
        return;
      probe->discovery->silent = probe->silent;
      end_probe (task, GW_FOUND_OTHER, g_strdup (error->message));
      return;
    }

  if (reply->status == 404 || reply->status == 422)
    object = parse_reply (reply);
  if (object == NULL)
    {
      end_probe (task, GW_FOUND_OTHER,
                 g_strdup_printf ("GET /tasks/ of an unknown task answers %u, not 404 or 422 with "
                                  "a JSON object", reply->status));
      return;
    }

  /* Ours answers here too like a gateway with the two calls only: nobody is taken for one before
   * /health has said that he is not ours. */
  if (probe->silent)
    {
      if (!ask_health_again (task))
        {
          probe->discovery->silent = TRUE;
          end_probe (task, GW_FOUND_OTHER, g_strdup ("GET /health does not answer in time"));
        }
      return;
    }

  /* Any web service answers an unknown path so; at an address that the user gave, his word is
   * enough, at the default one it is not. */
  if (probe->discovery->given)
    end_probe (task, GW_FOUND_MINIMAL, NULL);
  else
    send_probe (task, "POST", "/tasks", "{}", PROBE_TIMEOUT_MS, post_probe_cb);
}

static gboolean
is_here (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, NULL);

  return uri != NULL && gw_exchange_is_loopback (uri);
}

/* What whoever stands before a gateway says while it is away or overrun: nothing of what it is. */
static gboolean
is_passing (guint status)
{
  return status == 429 || (status >= 502 && status <= 504);
}

static void
health_cb (GObject *source,
           GAsyncResult *result,
           gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Probe *probe = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  gboolean unsent = FALSE;
  g_autoptr (GwAnswer) reply = gw_exchange_finish (result, &unsent, &error);
  g_autoptr (JsonObject) health = NULL;
  g_autofree char *path = NULL;
  g_autofree char *uuid = NULL;

  if (reply == NULL && end_if_cancelled (task, &error))
    return;
  /* On this machine a port that nobody listens on is known at once: it was this program that was
   * too busy, as a window is while it opens. */
  if (reply == NULL && unsent && gw_exchange_has_timed_out (result)
      && is_here (probe->discovery->uri) && ask_health_again (task))
    return;
  if (reply == NULL && unsent)
    {
      end_probe (task, GW_FOUND_NOTHING, g_strdup (error->message));
      return;
    }

  if (reply != NULL && reply->status == 200)
    health = parse_reply (reply);
  if (health != NULL && g_strcmp0 (gw_json_peek_string (health, "service"), "gangway") == 0)
    {
      probe->discovery->version = g_strdup (gw_json_peek_string (health, "version"));
      probe->discovery->host = g_strdup (gw_json_peek_string (health, "host"));
      probe->discovery->store = g_strdup (gw_json_peek_string (health, "store"));
      probe->discovery->too_old
          = probe->discovery->version != NULL && is_too_old (probe->discovery->version);
      end_probe (task, GW_FOUND_OURS, NULL);
      return;
    }

  probe->silent = reply == NULL || is_passing (reply->status);
  uuid = g_uuid_string_random ();
  path = g_strconcat ("/tasks/", uuid, NULL);
  send_probe (task, "GET", path, NULL, PROBE_TIMEOUT_MS, get_probe_cb);
}

/**
 * gw_discovery_probe_async:
 * @uri: an address as gw_discovery_choose_uri() gives it
 * @given: whether the user named it
 * @token: (nullable): bearer token
 * @cancellable: (nullable): gives the probe up
 * @callback: called in the thread-default context of the caller
 * @user_data: for @callback
 *
 * Finds out what is at @uri.
 */
void
gw_discovery_probe_async (const char *uri,
                          gboolean given,
                          const char *token,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Probe *probe = g_new0 (Probe, 1);

  g_task_set_source_tag (task, gw_discovery_probe_async);
  probe->session = gw_exchange_session_new (uri);
  probe->token = g_strdup (token);
  probe->discovery = g_new0 (GwDiscovery, 1);
  probe->discovery->uri = g_strdup (uri);
  probe->discovery->given = given;
  g_task_set_task_data (task, probe, (GDestroyNotify) probe_free);

  ask_health (task);
}

/**
 * gw_discovery_probe_finish:
 * @result: what the callback got
 * @error: G_IO_ERROR_CANCELLED only; that nobody answers is a finding, not an error
 *
 * Returns: (transfer full): what was found
 */
GwDiscovery *
gw_discovery_probe_finish (GAsyncResult *result,
                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
