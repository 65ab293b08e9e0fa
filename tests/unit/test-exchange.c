/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <libsoup/soup.h>

#include "gw-exchange.h"

#include "provider/gw-http-exchange.h"

/* A request is given up when the head of its answer has been read and its callback is on the way:
 * there libsoup 3.6.5 frees what it still uses. meson sets MALLOC_PERTURB_, so that this is
 * seen. */

#define ROUNDS 20

typedef struct {
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  char *uri;            /* set by the thread; then it is there */
  GMutex mutex;
  GCond cond;
} Server;

static void
answer_cb (SoupServer *server,
           SoupServerMessage *message,
           const char *path,
           GHashTable *query,
           gpointer user_data)
{
  soup_server_message_set_status (message, 200, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_STATIC, "{}", 2);
}

static gpointer
serve (gpointer data)
{
  Server *self = data;
  g_autoptr (SoupServer) server = NULL;
  g_autoptr (GError) error = NULL;
  GSList *uris;

  g_main_context_push_thread_default (self->context);
  server = soup_server_new (NULL, NULL);
  soup_server_add_handler (server, NULL, answer_cb, NULL, NULL);
  soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (server);
  g_mutex_lock (&self->mutex);
  self->uri = g_uri_to_string (uris->data);
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  g_main_loop_run (self->loop);
  soup_server_disconnect (server);
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

static void
server_start (Server *self)
{
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->thread = g_thread_new ("server", serve, self);
  g_mutex_lock (&self->mutex);
  while (self->uri == NULL)
    g_cond_wait (&self->cond, &self->mutex);
  g_mutex_unlock (&self->mutex);
}

static gboolean
quit_cb (gpointer user_data)
{
  g_main_loop_quit (user_data);

  return G_SOURCE_REMOVE;
}

static void
server_stop (Server *self)
{
  GSource *source = g_idle_source_new ();

  /* In its own turn: it may not run yet. */
  g_source_set_callback (source, quit_cb, self->loop, NULL);
  g_source_attach (source, self->context);
  g_source_unref (source);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  g_free (self->uri);
}

/* The answer is there before it is first looked for: so its callback is put off by a turn. */
static void
wait_for_the_answer_cb (SoupMessage *message,
                        gpointer user_data)
{
  g_usleep (20 * 1000);
}

static gboolean
cancel_cb (gpointer user_data)
{
  g_cancellable_cancel (user_data);

  return G_SOURCE_REMOVE;
}

/* In that turn. */
static void
got_headers_cb (SoupMessage *message,
                gpointer user_data)
{
  g_idle_add_full (G_PRIORITY_HIGH, cancel_cb, g_object_ref (user_data), g_object_unref);
}

static SoupMessage *
message_new (const Server *server,
             GCancellable *cancellable)
{
  SoupMessage *message = soup_message_new ("GET", server->uri);

  g_signal_connect (message, "wrote-body", G_CALLBACK (wait_for_the_answer_cb), NULL);
  g_signal_connect (message, "got-headers", G_CALLBACK (got_headers_cb), cancellable);

  return message;
}

static void
store_cb (GObject *source,
          GAsyncResult *result,
          gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static void
test_of_a_client (void)
{
  Server server = { 0 };
  g_autoptr (SoupSession) session = NULL;

  server_start (&server);
  session = gw_exchange_session_new (server.uri);
  for (guint i = 0; i < ROUNDS; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (SoupMessage) message = message_new (&server, cancellable);
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;
      gboolean unsent;

      gw_exchange_async (session, message, 0, 1000, cancellable, store_cb, &result);
      while (result == NULL)
        g_main_context_iteration (NULL, TRUE);
      g_assert_null (gw_exchange_finish (result, &unsent, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  server_stop (&server);
}

static void
test_of_a_provider (void)
{
  Server server = { 0 };
  g_autoptr (SoupSession) session = soup_session_new_with_options ("proxy-resolver", NULL, NULL);
  g_autoptr (GwClock) clock = gw_clock_new ();

  server_start (&server);
  for (guint i = 0; i < ROUNDS; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (SoupMessage) message = message_new (&server, cancellable);
      g_autoptr (GAsyncResult) result = NULL;
      GwExchange *exchange;

      gw_http_exchange_async (session, clock, message, 20000, 60000, 1000, NULL, NULL, NULL, NULL,
                              cancellable, store_cb, &result);
      while (result == NULL)
        g_main_context_iteration (NULL, TRUE);
      exchange = gw_http_exchange_finish (result);
      g_assert_cmpint (exchange->end, ==, GW_EXCHANGE_ABORTED);
      gw_exchange_free (exchange);
    }
  server_stop (&server);
}

/* What is given up before it is sent is not sent. */
static void
test_unsent (void)
{
  Server server = { 0 };
  g_autoptr (SoupSession) session = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SoupMessage) message = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gboolean unsent = FALSE;

  server_start (&server);
  session = gw_exchange_session_new (server.uri);
  message = soup_message_new ("GET", server.uri);
  gw_exchange_async (session, message, 0, 1000, cancellable, store_cb, &result);
  g_cancellable_cancel (cancellable);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (gw_exchange_finish (result, &unsent, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (unsent);
  server_stop (&server);
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exchange/given-up-with-the-head/client", test_of_a_client);
  g_test_add_func ("/exchange/given-up-with-the-head/provider", test_of_a_provider);
  g_test_add_func ("/exchange/given-up-unsent", test_unsent);

  return g_test_run ();
}
