/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "gateway/gw-feed.h"
#include "gateway/gw-gateway.h"
#include "gateway/gw-guard.h"
#include "gateway/gw-http-listener.h"
#include "gateway/gw-parse-thread.h"
#include "gateway/gw-peer.h"
#include "gateway/gw-request.h"

G_BEGIN_DECLS

struct _GwGateway {
  GObject parent_instance;

  /* Set at construction, not changed after. Owned. */
  GwQueue *queue;
  GwCatalogue *catalogue;
  GwLiveSettings *settings; /* (nullable) */
  GwPartials *partials;     /* (nullable) */
  char *listen;
  guint16 port;
  gboolean port_fallback;
  char *token;              /* (nullable) */
  gboolean allow_other_users;
  char *host_kind;
  char *data_dir;           /* (nullable) */

  /* Set by the thread before gw_gateway_start() returns. */
  GThread *thread;
  char *uri;

  int refuses_work;         /* (atomic) */
  int stopping;             /* (atomic) */

  /* Of the thread. */
  GMainContext *context;
  GMainLoop *loop;
  SoupServer *server;
  GwHttpListener *listener;
  GwHttpLimits limits;
  GwPeerAsker *asker;       /* (nullable) */
  GwGuardRules guard;
  const char *guard_text;   /* static: which guard is in force, for the log and /health */
  GwFeed *feed;
  GwParseThread *parser;
  GHashTable *counts;       /* (element-type guint guint64) (route << 16 | status) -> requests */
  guint64 duration_us;      /* of all requests, long-polls apart */
  guint64 n_timed;
  gsize body_bytes;         /* of bodies in memory */
  guint n_requests;         /* between head and end of answer */
  guint n_held;             /* waiting for an async call */
  gint64 started_at;        /* monotonic us */
  char *store;              /* (nullable) as the queue last said */
  char *fault;              /* (nullable) that was logged last */
  gint64 fault_at;          /* monotonic us, when */
  gint64 stop_began;        /* monotonic us; 0: not stopping */
  GSource *stop_timer;      /* (nullable) */
  GHashTable *tests;        /* name -> JsonObject: how the last test of each provider ended */
};

/* For tests: before gw_gateway_start(). */
void _gw_gateway_set_limits (GwGateway *self, const GwHttpLimits *limits);

gboolean _gw_gateway_is_stopping (GwGateway *self);
void _gw_gateway_request_gone (GwGateway *self);

void gw_route_post_task (GwRequest *request);
void gw_route_post_batch (GwRequest *request);
void gw_route_get_task (GwRequest *request);
void gw_route_cancel_task (GwRequest *request);
void gw_route_retry_task (GwRequest *request);
void gw_route_remove_tasks (GwRequest *request);
void gw_route_restore_tasks (GwRequest *request);
void gw_route_move_tasks (GwRequest *request);
void gw_route_get_task_partial (GwRequest *request);
void gw_route_get_task_attempts (GwRequest *request);
void gw_route_get_attempts (GwRequest *request);

void gw_route_get_feed (GwRequest *request);

void gw_route_get_projects (GwRequest *request);
void gw_route_get_project (GwRequest *request);
void gw_route_patch_project (GwRequest *request);
void gw_route_remove_project (GwRequest *request);
void gw_route_cancel_project (GwRequest *request);
void gw_route_pause_project (GwRequest *request);
void gw_route_resume_project (GwRequest *request);
void gw_route_retry_project (GwRequest *request);
void gw_route_get_results (GwRequest *request);

void gw_route_get_providers (GwRequest *request);
void gw_route_get_provider (GwRequest *request);
void gw_route_put_provider (GwRequest *request);
void gw_route_remove_provider (GwRequest *request);
void gw_route_test_provider (GwRequest *request);
void gw_route_resume_provider (GwRequest *request);

void gw_route_get_settings (GwRequest *request);
void gw_route_patch_settings (GwRequest *request);

void gw_route_estimate (GwRequest *request);
void gw_route_get_recovery (GwRequest *request);
void gw_route_get_health (GwRequest *request);
void gw_route_get_metrics (GwRequest *request);

/* gw-gateway-requests.c */
void _gw_gateway_early_cb (SoupServer *server,
                           SoupServerMessage *message,
                           const char *path,
                           GHashTable *query,
                           gpointer user_data);
void _gw_gateway_handler_cb (SoupServer *server,
                             SoupServerMessage *message,
                             const char *path,
                             GHashTable *query,
                             gpointer user_data);
void _gw_gateway_request_started_cb (SoupServer *server,
                                     SoupServerMessage *message,
                                     gpointer user_data);
void _gw_gateway_request_over_cb (SoupServer *server,
                                  SoupServerMessage *message,
                                  gpointer user_data);

/* gw-gateway-listen.c */
gboolean _gw_gateway_bind_address (GwGateway *self, GError **error);
void _gw_gateway_choose_guard (GwGateway *self);

G_END_DECLS
