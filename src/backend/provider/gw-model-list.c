/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-model-list"

#include "config.h"

#include "gw-json.h"
#include "provider/gw-model-list.h"

#define MAX_MODELS 10000

/**
 * gw_model_list_parse:
 * @text: the body of a reply to `GET /models`; anything
 * @length: bytes of it
 * @error: return location
 *
 * Takes `{"data": [{"id"}]}`, `{"models": [{"name"}]}` and a bare array of either, or of texts.
 * Pure.
 *
 * Returns: (transfer full) (nullable): the names, maybe none; GW_ERROR_TASK_BAD_REPLY where it is
 *   no such list
 */
char **
gw_model_list_parse (const char *text,
                     gsize length,
                     GError **error)
{
  g_autoptr (JsonNode) root = gw_json_parse (text, length, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  JsonArray *list = NULL;

  if (root != NULL && JSON_NODE_HOLDS_ARRAY (root))
    list = json_node_get_array (root);
  else if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    {
      list = gw_json_peek_array (json_node_get_object (root), "data");
      if (list == NULL)
        list = gw_json_peek_array (json_node_get_object (root), "models");
    }
  if (list == NULL)
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_TASK_BAD_REPLY,
                           "what came back is not a list of models");
      return NULL;
    }

  for (guint i = 0; i < json_array_get_length (list) && names->len < MAX_MODELS; i++)
    {
      JsonNode *node = json_array_get_element (list, i);
      const char *name = NULL;

      if (JSON_NODE_HOLDS_OBJECT (node))
        {
          name = gw_json_peek_string (json_node_get_object (node), "id");
          if (name == NULL)
            name = gw_json_peek_string (json_node_get_object (node), "name");
        }
      else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        name = json_node_get_string (node);
      if (name != NULL && *name != '\0')
        g_ptr_array_add (names, g_strdup (name));
    }
  g_ptr_array_add (names, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
