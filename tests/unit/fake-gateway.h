/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "gw-task.h"

G_BEGIN_DECLS

/* Gateways for tests of the client: real sockets on a free port of 127.0.0.1, served in the main
 * context of the test. FAKE_OURS speaks the parts of the contract that the client uses, from
 * memory; FAKE_MINIMAL has only POST /tasks and GET /tasks/{id}. Tests change the tasks by hand. */
typedef enum {
  FAKE_OURS,
  FAKE_MINIMAL,
  FAKE_OTHER, /* answers 200 and a page to everything */
  FAKE_MUTE,  /* takes connections and never answers */
} FakeKind;

typedef struct _FakeGateway FakeGateway;

/* Looks at a request before anything else; TRUE if it has answered it. */
typedef gboolean (*FakeHook) (FakeGateway *fake, SoupServerMessage *message, const char *path,
                              gpointer user_data);

FakeGateway *fake_gateway_new (FakeKind kind);
void fake_gateway_free (FakeGateway *fake);
const char *fake_gateway_uri (FakeGateway *fake);
void fake_gateway_set_hook (FakeGateway *fake, FakeHook hook, gpointer user_data);

/* Closes the port and every connection; opens the same port again. The tasks stay. */
void fake_gateway_down (FakeGateway *fake);
void fake_gateway_up (FakeGateway *fake);

/* Other data from now on: another store, no tasks. */
void fake_gateway_wipe (FakeGateway *fake);

guint fake_gateway_n_tasks (FakeGateway *fake);
guint fake_gateway_n_requests (FakeGateway *fake, const char *method, const char *path);
guint fake_gateway_max_unfinished (FakeGateway *fake);
const char *fake_gateway_id (FakeGateway *fake, guint index);
const char *fake_gateway_content (FakeGateway *fake, guint index);
guint64 fake_gateway_revision (FakeGateway *fake);

void fake_gateway_add (FakeGateway *fake, guint n);
void fake_gateway_set (FakeGateway *fake, guint index, const char *status, const char *result);
void fake_gateway_remove (FakeGateway *fake, guint index);

/* Answers now: what a hook needs. */
void fake_reply (SoupServerMessage *message, guint status, const char *json);

/* Turns the main context until the condition holds; fails the test after 60 s. */
#define fake_wait_until(condition) \
  G_STMT_START \
    { \
      gint64 fake_deadline = g_get_monotonic_time () + 60 * G_USEC_PER_SEC; \
      while (!(condition)) \
        { \
          g_assert_cmpint (g_get_monotonic_time (), <, fake_deadline); \
          fake_turn (); \
        } \
    } \
  G_STMT_END

void fake_turn (void);

/* For GAsyncReadyCallback: stores a reference to the result in a GAsyncResult **. */
void fake_store_result (GObject *source, GAsyncResult *result, gpointer user_data);

G_END_DECLS
