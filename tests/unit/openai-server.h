/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "provider/gw-provider.h"

G_BEGIN_DECLS

#define CANARY "sk-canary-0123456789abcdefghij"
#define ANSWER \
  "{\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," \
  "\"content\":\"h\u00e9llo\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3," \
  "\"completion_tokens\":2,\"total_tokens\":5}}"

/* A server that misbehaves as it is told. It is raw: each connection has a thread and writes bytes;
 * a behaviour that returns FALSE ends the connection. */
typedef struct _Server Server;
typedef gboolean (*Behave) (Server *server, GSocketConnection *connection);

struct _Server {
  GSocketService *service;
  guint16 port;
  Behave behave;
  const char *status; /* for say_status() */
  const char *body;
  GMutex mutex;
  GCond cond;
  char *request;      /* (mutex mutex) the last one, whole */
  guint requests;     /* (mutex mutex) */
  guint gone;         /* (mutex mutex) connections that the client closed in mid-reply */
};

Server *server_new (Behave behave);
void server_stop (Server *server);
guint server_count_requests (Server *server);
char *server_dup_request (Server *server);
/* Waits until a client left in mid-reply. */
void server_wait_for_gone (Server *server);

/* What behaviours are made of. @length: -1 for a text. */
gboolean server_put (GSocketConnection *connection, const char *data, gssize length);
gboolean server_answer (GSocketConnection *connection, const char *status, const char *headers,
                        const char *body);
gboolean say_status (Server *server, GSocketConnection *connection);
/* Blocks until the client closes the connection. */
gboolean server_wait_gone (Server *server, GSocketConnection *connection);

/* A provider of its own for 127.0.0.1:@port. */
GwProvider *provider_new_with_key (guint16 port, guint timeout_seconds, const char *key);
GwProvider *provider_new (guint16 port, guint timeout_seconds);

typedef struct {
  GwReply *reply;
  char **models;
  GError *error;
  gboolean done;
  guint sent;
} Result;

/* @user_data is a Result. */
void sent_cb (gint64 sent_at, gpointer user_data);
void called_cb (GObject *source, GAsyncResult *res, gpointer user_data);

void result_wait (Result *result);

/* A test of the provider, waited for: models or an error. */
void test_now (GwProvider *provider, Result *result);

/* (transfer full): one call, waited for. */
GwReply *call_full (GwProvider *provider, const char *content, const char *model, guint *sent);
GwReply *call (GwProvider *provider);
GwReply *call_once (Behave behave, guint timeout_seconds);
void assert_bad (GwReply *reply);

G_END_DECLS
