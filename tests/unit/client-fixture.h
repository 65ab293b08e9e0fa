/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "fake-gateway.h"
#include "gw-client.h"

G_BEGIN_DECLS

/* A client, and the gateway that it speaks to. */
typedef struct {
  FakeGateway *fake;
  GwClient *client;
  GAsyncResult *result;
  guint n_lost;     /* answers still to be thrown away */
  guint n_refused;  /* requests still to be refused */
  guint status;     /* with which */
} Fixture;

void fixture_init (Fixture *fixture, FakeKind kind);
void fixture_clear (Fixture *fixture);
void fixture_wait (Fixture *fixture);
GPtrArray *fixture_make_tasks (guint n);
void fixture_lose_answer (SoupServerMessage *message, gpointer user_data);

G_END_DECLS
