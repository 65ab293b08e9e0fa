/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP server: one thread with a main context of its own, in which everything of this folder
 * runs.
 *
 * A request passes, in this order: the guard (who may talk), the table of routes, the limits of its
 * body; all of that on its head, so that nothing of a refused body is kept. Then its handler, which
 * answers at once or holds it over one call to the queue.
 *
 * Threading: gw_gateway_start(), _refuse_work() and _stop() may come from any other thread.
 * Guarantees: nothing is routed that the guard has not passed; every held request is answered
 * before gw_gateway_stop() returns, or its client has left; after it there is no thread and no
 * port.
 */
#define G_LOG_DOMAIN "gw-gateway"

#include "config.h"

#include "gw-source.h"
#include "gateway/gw-gateway-private.h"

#define STOP_REQUESTS_MS 2000 /* to write what is being answered */

G_DEFINE_FINAL_TYPE (GwGateway, gw_gateway, G_TYPE_OBJECT)

/* What the starter waits for. */
typedef struct {
  GwGateway *gateway;
  GMutex mutex;
  GCond cond;
  gboolean done;
  GError *error;
} Start;

static void
gw_gateway_finalize (GObject *object)
{
  GwGateway *self = GW_GATEWAY (object);

  g_clear_object (&self->queue);
  g_clear_object (&self->catalogue);
  g_clear_pointer (&self->listen, g_free);
  g_clear_pointer (&self->token, g_free);
  g_clear_pointer (&self->host_kind, g_free);
  g_clear_pointer (&self->data_dir, g_free);
  g_clear_pointer (&self->fault, g_free);
  g_clear_pointer (&self->uri, g_free);
  g_clear_pointer (&self->store, g_free);
  g_clear_pointer (&self->counts, g_hash_table_unref);
  g_clear_pointer (&self->tests, g_hash_table_unref);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->partials, gw_partials_unref);

  G_OBJECT_CLASS (gw_gateway_parent_class)->finalize (object);
}

static void
gw_gateway_dispose (GObject *object)
{
  gw_gateway_stop (GW_GATEWAY (object));

  G_OBJECT_CLASS (gw_gateway_parent_class)->dispose (object);
}

static void
gw_gateway_class_init (GwGatewayClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gw_gateway_dispose;
  G_OBJECT_CLASS (klass)->finalize = gw_gateway_finalize;
}

static void
gw_gateway_init (GwGateway *self)
{
  self->limits = GW_HTTP_LIMITS_DEFAULT;
  self->tests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) json_object_unref);
  self->counts = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

/**
 * gw_gateway_new:
 * @options: where to listen and whom to let in; copied
 * @queue: the queue
 * @catalogue: (nullable): the providers; NULL where there are none to show
 *
 * Returns: (transfer full): a gateway that does not listen yet
 */
GwGateway *
gw_gateway_new (const GwGatewayOptions *options,
                GwQueue *queue,
                GwCatalogue *catalogue)
{
  GwGateway *self;

  g_return_val_if_fail (options != NULL && GW_IS_QUEUE (queue), NULL);

  self = g_object_new (GW_TYPE_GATEWAY, NULL);
  self->queue = g_object_ref (queue);
  self->catalogue = catalogue != NULL ? g_object_ref (catalogue) : NULL;
  self->listen = g_strdup (options->listen != NULL ? options->listen : "127.0.0.1");
  self->port = options->port;
  self->port_fallback = options->port_fallback;
  self->token = options->token != NULL && options->token[0] != '\0' ? g_strdup (options->token)
                                                                    : NULL;
  self->allow_other_users = options->allow_other_users;
  self->host_kind = g_strdup (options->host_kind != NULL ? options->host_kind : "daemon");
  self->data_dir = g_strdup (options->data_dir);

  return self;
}

void
gw_gateway_set_settings (GwGateway *self,
                         GwLiveSettings *settings)
{
  g_set_object (&self->settings, settings);
}

void
gw_gateway_set_partials (GwGateway *self,
                         GwPartials *partials)
{
  g_return_if_fail (self->partials == NULL && self->thread == NULL);

  self->partials = gw_partials_ref (partials);
}

void
_gw_gateway_set_limits (GwGateway *self,
                        const GwHttpLimits *limits)
{
  self->limits = *limits;
}

gboolean
_gw_gateway_is_stopping (GwGateway *self)
{
  return g_atomic_int_get (&self->stopping);
}

static gboolean
start_serving (GwGateway *self,
               GError **error)
{
  self->server = soup_server_new ("raw-paths", TRUE, NULL);
  self->listener = gw_http_listener_new (self->server, &self->limits);
  self->parser = gw_parse_thread_new ();
  if (!_gw_gateway_bind_address (self, error))
    return FALSE;

  _gw_gateway_choose_guard (self);
  soup_server_add_early_handler (self->server, "/", _gw_gateway_early_cb, self, NULL);
  soup_server_add_handler (self->server, "/", _gw_gateway_handler_cb, self, NULL);
  g_signal_connect (self->server, "request-started", G_CALLBACK (_gw_gateway_request_started_cb),
                    self);
  g_signal_connect (self->server, "request-finished", G_CALLBACK (_gw_gateway_request_over_cb),
                    self);
  g_signal_connect (self->server, "request-aborted", G_CALLBACK (_gw_gateway_request_over_cb),
                    self);
  self->feed = gw_feed_new (self->queue);
  self->started_at = g_get_monotonic_time ();

  return gw_http_listener_start (self->listener, error);
}

static void
end_serving (GwGateway *self)
{
  gw_http_listener_stop (self->listener);
  soup_server_disconnect (self->server);
  if (self->feed != NULL)
    gw_feed_close (self->feed);
  g_clear_pointer (&self->parser, gw_parse_thread_free);
  /* What the closing of connections has queued, and answers of the queue that come after all. */
  for (guint i = 0; i < 1000 && g_main_context_iteration (self->context, FALSE); i++)
    ;
  g_clear_pointer (&self->feed, gw_feed_free);
  g_clear_pointer (&self->listener, gw_http_listener_free);
  g_clear_object (&self->server);
  g_clear_pointer (&self->asker, gw_peer_asker_free);
}

static gpointer
gateway_thread (gpointer data)
{
  Start *start = data;
  GwGateway *self = start->gateway;
  GError *error = NULL;
  gboolean serving;

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  g_main_context_push_thread_default (self->context);
  serving = start_serving (self, &error);
  if (!serving)
    end_serving (self);

  g_mutex_lock (&start->mutex);
  start->error = error;
  start->done = TRUE;
  g_cond_signal (&start->cond);
  g_mutex_unlock (&start->mutex);

  if (serving)
    {
      g_main_loop_run (self->loop);
      end_serving (self);
    }
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

/**
 * gw_gateway_start:
 * @self: a gateway that was not started
 * @error: return location
 *
 * Starts the thread and waits until it listens.
 *
 * Returns: FALSE with GW_ERROR_PORT_TAKEN or GW_ERROR_CONFIG
 */
gboolean
gw_gateway_start (GwGateway *self,
                  GError **error)
{
  Start start = { .gateway = self };

  g_return_val_if_fail (GW_IS_GATEWAY (self) && self->thread == NULL, FALSE);

  g_mutex_init (&start.mutex);
  g_cond_init (&start.cond);
  self->thread = g_thread_new ("gw-gateway", gateway_thread, &start);
  g_mutex_lock (&start.mutex);
  while (!start.done)
    g_cond_wait (&start.cond, &start.mutex);
  g_mutex_unlock (&start.mutex);
  g_mutex_clear (&start.mutex);
  g_cond_clear (&start.cond);

  if (start.error != NULL)
    {
      g_thread_join (g_steal_pointer (&self->thread));
      g_clear_pointer (&self->loop, g_main_loop_unref);
      g_clear_pointer (&self->context, g_main_context_unref);
      if (start.error->domain != GW_ERROR)
        {
          g_set_error (error, GW_ERROR, GW_ERROR_INTERNAL, "The gateway could not start: %s",
                       start.error->message);
          g_error_free (start.error);
        }
      else
        {
          g_propagate_error (error, start.error);
        }
      return FALSE;
    }

  return TRUE;
}

/**
 * gw_gateway_get_uri:
 * @self: a gateway
 *
 * Returns: (transfer none) (nullable): http://ADDRESS:PORT; NULL before it was started
 */
const char *
gw_gateway_get_uri (GwGateway *self)
{
  g_return_val_if_fail (GW_IS_GATEWAY (self), NULL);

  return self->uri;
}

/**
 * gw_gateway_refuse_work:
 * @self: a gateway
 *
 * New work is answered 503 "stopping" from now on; all else is served. Any thread.
 */
void
gw_gateway_refuse_work (GwGateway *self)
{
  g_return_if_fail (GW_IS_GATEWAY (self));

  g_atomic_int_set (&self->refuses_work, TRUE);
}

static gboolean
stop_timer_cb (gpointer user_data)
{
  _gw_gateway_request_gone (user_data);

  return G_SOURCE_CONTINUE;
}

/* One thing less to wait for while stopping. */
void
_gw_gateway_request_gone (GwGateway *self)
{
  gint64 now = g_get_monotonic_time ();
  gboolean late = now - self->stop_began >= STOP_REQUESTS_MS * 1000;

  if (self->stop_began == 0 || !g_main_loop_is_running (self->loop))
    return;

  if (self->n_held == 0 && (self->n_requests == 0 || late))
    {
      g_main_loop_quit (self->loop);
    }
  else if (now - self->stop_began >= (gint64) self->limits.queue_ms * 1000)
    {
      g_warning ("The queue has not answered %u calls; stopping without them", self->n_held);
      g_main_loop_quit (self->loop);
    }
}

static gboolean
stop_cb (gpointer user_data)
{
  GwGateway *self = user_data;

  self->stop_began = g_get_monotonic_time ();
  gw_http_listener_stop (self->listener);
  gw_feed_stop (self->feed);
  self->stop_timer = g_timeout_source_new (20);
  g_source_set_callback (self->stop_timer, stop_timer_cb, self, NULL);
  g_source_attach (self->stop_timer, self->context);
  _gw_gateway_request_gone (self);

  return G_SOURCE_REMOVE;
}

/**
 * gw_gateway_stop:
 * @self: a gateway; one that was not started, or is stopped, is left as it is
 *
 * Closes the port, answers every waiting request, ends the thread and waits for it. From another
 * thread than the gateway's; only one at a time.
 */
void
gw_gateway_stop (GwGateway *self)
{
  g_autoptr (GSource) source = NULL;

  g_return_if_fail (GW_IS_GATEWAY (self));

  if (self->thread == NULL)
    return;
  g_return_if_fail (self->thread != g_thread_self ());

  g_atomic_int_set (&self->refuses_work, TRUE);
  g_atomic_int_set (&self->stopping, TRUE);
  /* Not g_main_context_invoke(): it could run right here, while the loop is not running yet. */
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, stop_cb, self, NULL);
  g_source_attach (source, self->context);
  g_thread_join (g_steal_pointer (&self->thread));
  gw_source_clear (&self->stop_timer);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
}
