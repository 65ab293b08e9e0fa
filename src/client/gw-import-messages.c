/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Conversations in task files: OpenAI's lists of messages, of which those with one message of the
 * user can be a task. */

#define G_LOG_DOMAIN "gw-import"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-import-private.h"

static JsonNode *
copy_text (const char *text)
{
  return json_node_init_string (json_node_alloc (), text);
}

/* The text of a message: `content` is a text, or a list of parts of which all are texts. */
static char *
message_to_text (JsonObject *message)
{
  JsonArray *parts = gw_json_peek_array (message, "content");
  g_autoptr (GString) text = NULL;

  if (parts == NULL)
    return g_strdup (gw_json_peek_string (message, "content"));

  text = g_string_new (NULL);
  for (guint i = 0; i < json_array_get_length (parts); i++)
    {
      JsonNode *node = json_array_get_element (parts, i);
      const char *part = NULL;

      if (JSON_NODE_HOLDS_OBJECT (node))
        part = gw_json_peek_string (json_node_get_object (node), "text");
      if (part == NULL)
        return NULL;
      if (i > 0)
        g_string_append_c (text, '\n');
      g_string_append (text, part);
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* A conversation that can be a task: one message of the user, and what the system says before. */
char *
_gw_import_messages_to_task (GwImportJob *job,
                             guint row,
                             JsonArray *messages,
                             GwImportExtras *extras)
{
  g_autofree char *task = NULL;
  g_autofree char *system = NULL;

  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      JsonNode *node = json_array_get_element (messages, i);
      JsonObject *message = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *role = gw_json_peek_string (message, "role");
      g_autofree char *text = message != NULL ? message_to_text (message) : NULL;

      if (text == NULL)
        {
          _gw_import_add_problem (job, row, _("A message holds something other than text"));
          return NULL;
        }
      if (g_strcmp0 (role, "system") == 0 || g_strcmp0 (role, "developer") == 0)
        {
          char *joined = system != NULL ? g_strconcat (system, "\n\n", text, NULL)
                                        : g_strdup (text);

          g_free (system);
          system = joined;
        }
      else if (g_strcmp0 (role, "user") == 0 && task == NULL)
        task = g_steal_pointer (&text);
      else
        {
          _gw_import_add_problem (job, row,
                                  _("A conversation of several turns cannot be a task: "
                                    "it may have one message of the user"));
          return NULL;
        }
    }

  if (task == NULL)
    {
      _gw_import_add_problem (job, row, _("There is no message of the user"));
      return NULL;
    }
  if (system != NULL)
    _gw_import_extras_add (extras, "system", copy_text (system));

  return g_steal_pointer (&task);
}
