/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* HTTP over a bare socket, blocking: what a test wants to send exactly as it is. */
typedef struct {
  guint status;        /* 0: the connection ended instead */
  char *head;
  GString *body;
  JsonNode *json;      /* (nullable) */
} RawReply;

int raw_connect (const char *uri);
void raw_send (int fd, const char *text, gssize length);
/* A GET whose reply is not waited for. */
void raw_send_get (int fd, const char *path);
RawReply *raw_receive (int fd, gboolean no_body);
char *raw_header (const RawReply *reply, const char *name);
void raw_reply_free (RawReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawReply, raw_reply_free)

/* One request over one connection of its own. @headers: (nullable) whole lines. */
RawReply *raw_request (const char *uri, const char *method, const char *path, const char *headers,
                       const char *body);
/* The same on a connection that is there. */
RawReply *raw_exchange (int fd, const char *method, const char *path, const char *headers,
                        const char *body);

JsonObject *raw_object (const RawReply *reply);
void raw_assert_problem (const RawReply *reply, guint status, const char *code,
                         const char *detail_has);

guint count_descriptors (void);
gsize read_resident (void);

G_END_DECLS
