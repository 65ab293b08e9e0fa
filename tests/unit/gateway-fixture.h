/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "fake-queue.h"
#include "gateway/gw-gateway-private.h"
#include "raw-client.h"

G_BEGIN_DECLS

/* A gateway over a queue in memory. */
typedef struct {
  FakeQueue *queue;
  GwGateway *gateway;
  const char *uri;
} Fixture;

/* @limits: (nullable) */
void fixture_start (Fixture *fixture, const GwGatewayOptions *options, const GwHttpLimits *limits);
void fixture_set_up (Fixture *fixture, gconstpointer data);
void fixture_tear_down (Fixture *fixture, gconstpointer data);

/* One task by HTTP. @task_id: (out) (optional) (transfer full) */
void fixture_submit (Fixture *fixture, const char *content, char **task_id);

#define FIXTURE_ADD(path, set, test) g_test_add (path, Fixture, NULL, set, test, fixture_tear_down)

G_END_DECLS
