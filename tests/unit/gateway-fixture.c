/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-json.h"

#include "gateway-fixture.h"

void
fixture_start (Fixture *fixture,
               const GwGatewayOptions *options,
               const GwHttpLimits *limits)
{
  g_autoptr (GError) error = NULL;

  fixture->queue = fake_queue_new ();
  fixture->gateway = gw_gateway_new (options, GW_QUEUE (fixture->queue), NULL);
  if (limits != NULL)
    _gw_gateway_set_limits (fixture->gateway, limits);
  g_assert_true (gw_gateway_start (fixture->gateway, &error));
  g_assert_no_error (error);
  fixture->uri = gw_gateway_get_uri (fixture->gateway);
}

void
fixture_set_up (Fixture *fixture,
                gconstpointer data)
{
  fixture_start (fixture, &(GwGatewayOptions){ .listen = "127.0.0.1", .host_kind = "daemon" },
                 NULL);
}

void
fixture_tear_down (Fixture *fixture,
                   gconstpointer data)
{
  gw_gateway_stop (fixture->gateway);
  g_assert_finalize_object (fixture->gateway);
  g_assert_finalize_object (fixture->queue);
}

void
fixture_submit (Fixture *fixture,
                const char *content,
                char **task_id)
{
  g_autofree char *body = g_strdup_printf ("{\"content\":\"%s\"}", content);
  g_autoptr (RawReply) reply = raw_request (fixture->uri, "POST", "/tasks", NULL, body);

  g_assert_cmpuint (reply->status, ==, 200);
  if (task_id != NULL)
    *task_id = g_strdup (gw_json_peek_string (raw_object (reply), "task_id"));
}
