/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Any bytes as JSON: check and parse agree, and what was read is written and read the same. */

#include "config.h"

#include <string.h>

#include "gw-fuzz.h"
#include "gw-json.h"
#include "gw-task.h"

static void
check_round_trip (JsonNode *node)
{
  gsize length = 0, again_length = 0;
  g_autofree char *text = gw_json_to_text (node, FALSE, &length);
  g_autofree char *pretty = gw_json_to_text (node, TRUE, NULL);
  g_autoptr (JsonNode) again = gw_json_parse_reply (text, length, NULL);
  g_autoptr (JsonNode) from_pretty = gw_json_parse_reply (pretty, strlen (pretty), NULL);
  g_autofree char *again_text = NULL;
  g_autofree char *pretty_text = NULL;

  g_assert_nonnull (again);
  g_assert_nonnull (from_pretty);
  again_text = gw_json_to_text (again, FALSE, &again_length);
  pretty_text = gw_json_to_text (from_pretty, FALSE, NULL);
  g_assert_cmpmem (text, length, again_text, again_length);
  g_assert_cmpstr (text, ==, pretty_text);
  g_assert_true (g_utf8_validate_len (text, length, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize size)
{
  const char *text = (const char *) data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) reply_error = NULL;
  gboolean is_json = gw_json_check (text, size, GW_JSON_MAX_DEPTH, &error);
  g_autoptr (JsonNode) node = gw_json_parse (text, size, NULL);
  g_autoptr (JsonNode) reply = gw_json_parse_reply (text, size, &reply_error);
  GwTask *task;

  g_assert_cmpint (is_json, ==, node != NULL);
  g_assert_cmpint (is_json, ==, error == NULL);
  g_assert_true (error == NULL || error->domain == GW_ERROR);
  g_assert_cmpint (reply != NULL, ==, reply_error == NULL);
  if (node != NULL)
    {
      g_autofree char *strict = gw_json_to_text (node, FALSE, NULL);
      g_autofree char *lenient = NULL;

      g_assert_nonnull (reply);
      lenient = gw_json_to_text (reply, FALSE, NULL);
      g_assert_cmpstr (strict, ==, lenient);
    }
  if (reply != NULL)
    {
      check_round_trip (reply);
      if (JSON_NODE_HOLDS_OBJECT (reply)
          && (task = gw_task_new_from_json (json_node_get_object (reply), NULL)) != NULL)
        {
          json_object_unref (gw_task_to_json (task, GW_TASK_FIELDS_WHOLE));
          gw_task_unref (task);
        }
    }

  return 0;
}
