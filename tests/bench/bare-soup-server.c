/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A SoupServer that answers every request with the same JSON and stores nothing: the ceiling for a
 * gateway, and a provider that answers at once.
 */

#include "config.h"

#include <libsoup/soup.h>

static void
handle (SoupServer *server,
        SoupServerMessage *message,
        const char *path,
        GHashTable *query,
        gpointer user_data)
{
  static const char body[] = "{\"task_id\":\"0192f0c1-2d3e-7abc-8def-0123456789ab\","
                             "\"status\":\"queued\",\"model\":\"instant\","
                             "\"choices\":[{\"message\":{\"content\":\"Yes.\"},"
                             "\"finish_reason\":\"stop\"}]}";

  soup_server_message_set_status (message, 200, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_STATIC, body,
                                    sizeof body - 1);
}

int
main (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (SoupServer) server = g_object_new (SOUP_TYPE_SERVER, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = NULL;
  GSList *uris;

  soup_server_add_handler (server, NULL, handle, NULL, NULL);
  if (!soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
    g_error ("%s", error->message);

  uris = soup_server_get_uris (server);
  uri = g_uri_to_string (uris->data);
  g_print ("listening on %s\n", uri);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  g_main_loop_run (loop);

  return 0;
}
