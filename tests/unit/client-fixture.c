/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "client-fixture.h"

void
fixture_init (Fixture *fixture,
              FakeKind kind)
{
  fixture->fake = fake_gateway_new (kind);
  fixture->client = gw_client_new (fake_gateway_uri (fixture->fake), "secret",
                                   kind == FAKE_MINIMAL ? GW_PROTOCOL_MINIMAL
                                                        : GW_PROTOCOL_GANGWAY);
}

void
fixture_clear (Fixture *fixture)
{
  g_clear_object (&fixture->result);
  fake_wait_until (G_OBJECT (fixture->client)->ref_count == 1);
  g_assert_finalize_object (fixture->client);
  fake_gateway_free (fixture->fake);
}

void
fixture_wait (Fixture *fixture)
{
  fake_wait_until (fixture->result != NULL);
}

GPtrArray *
fixture_make_tasks (guint n)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);

  for (guint i = 0; i < n; i++)
    {
      JsonObject *object = json_object_new ();
      g_autofree char *content = g_strdup_printf ("“task” %u\n", i);

      json_object_set_string_member (object, "content", content);
      g_ptr_array_add (tasks, object);
    }

  return tasks;
}

void
fixture_lose_answer (SoupServerMessage *message,
                     gpointer user_data)
{
  GSocket *socket = soup_server_message_get_socket (message);

  g_socket_shutdown (socket, TRUE, TRUE, NULL);
}
