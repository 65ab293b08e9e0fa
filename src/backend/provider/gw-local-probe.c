/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Asks whether a server of this machine answers, and with which models. One GET, no key, no
 * redirect, half a second at most, 8 MiB at most. Lives in one thread. */

#define G_LOG_DOMAIN "gw-local-probe"

#include "config.h"

#include <libsoup/soup.h>

#include "gw-cancel.h"
#include "gw-error.h"
#include "gw-source.h"
#include "provider/gw-body-reader.h"
#include "provider/gw-local-probe.h"
#include "provider/gw-model-list.h"

typedef struct {
  SoupSession *session;      /* (owned) */
  SoupMessage *message;      /* (owned) */
  GCancellable *cancellable; /* (owned) ends with the time, or with the caller's own */
  GSource *timer;            /* (owned) */
  GSource *outer;            /* (owned) (nullable) the caller's own */
} Probe;

static void
probe_free (gpointer data)
{
  Probe *probe = data;

  g_source_destroy (probe->timer);
  g_source_unref (probe->timer);
  gw_source_clear (&probe->outer);
  g_clear_object (&probe->message);
  g_clear_object (&probe->cancellable);
  g_clear_object (&probe->session);
  g_free (probe);
}

static gboolean
time_over_cb (gpointer user_data)
{
  gw_cancel_later (user_data, g_main_context_get_thread_default ());

  return G_SOURCE_REMOVE;
}

static gboolean
outer_cancelled_cb (GCancellable *outer,
                    gpointer user_data)
{
  return time_over_cb (user_data);
}

static void
body_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GByteArray) body = NULL;
  g_autoptr (GError) error = NULL;
  char **models = NULL;

  body = gw_body_read_finish (G_INPUT_STREAM (source), result, &error);
  if (error == NULL)
    models = gw_model_list_parse ((const char *) body->data, body->len, &error);
  if (models != NULL)
    g_task_return_pointer (task, models, (GDestroyNotify) g_strfreev);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
head_cb (GObject *source,
         GAsyncResult *result,
         gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GInputStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  Probe *probe = g_task_get_task_data (task);

  stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (stream == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else if (soup_message_get_status (probe->message) != SOUP_STATUS_OK)
    g_task_return_new_error (task, GW_ERROR, GW_ERROR_TASK_NETWORK, "it answered with %u",
                             soup_message_get_status (probe->message));
  else
    gw_body_read_async (stream, GW_MODEL_LIST_MAX_BYTES, NULL, NULL, probe->cancellable, body_cb,
                        g_steal_pointer (&task));
}

void
gw_local_probe_async (const char *base_url,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  g_autofree char *trimmed = g_strdup (base_url != NULL ? base_url : "");
  g_autofree char *address = NULL;
  GMainContext *context = g_task_get_context (task);
  g_autoptr (SoupMessage) message = NULL;
  Probe *probe;

  g_task_set_source_tag (task, gw_local_probe_async);
  while (g_str_has_suffix (trimmed, "/"))
    trimmed[strlen (trimmed) - 1] = '\0';
  address = g_strconcat (trimmed, "/models", NULL);
  message = soup_message_new (SOUP_METHOD_GET, address);
  if (message == NULL)
    {
      g_task_return_new_error (task, GW_ERROR, GW_ERROR_INVALID, "\"%s\" is not a web address",
                               address);
      return;
    }

  probe = g_new0 (Probe, 1);
  probe->message = g_steal_pointer (&message);
  soup_message_add_flags (probe->message, SOUP_MESSAGE_NO_REDIRECT);
  probe->cancellable = g_cancellable_new ();
  /* No proxy leads to this machine itself. */
  probe->session = soup_session_new_with_options ("proxy-resolver", NULL, NULL);
  probe->timer = g_timeout_source_new (GW_LOCAL_PROBE_MS);
  g_source_set_static_name (probe->timer, "[gangway] probe time");
  g_source_set_callback (probe->timer, time_over_cb, g_object_ref (probe->cancellable),
                         g_object_unref);
  g_source_attach (probe->timer, context);
  if (cancellable != NULL)
    {
      probe->outer = g_cancellable_source_new (cancellable);
      g_source_set_callback (probe->outer, G_SOURCE_FUNC (outer_cancelled_cb),
                             g_object_ref (probe->cancellable), g_object_unref);
      g_source_attach (probe->outer, context);
    }
  g_task_set_task_data (task, probe, probe_free);
  soup_session_send_async (probe->session, probe->message, G_PRIORITY_DEFAULT, probe->cancellable,
                           head_cb, g_object_ref (task));
}

char **
gw_local_probe_finish (GAsyncResult *result,
                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
