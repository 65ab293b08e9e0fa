/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the openai provider sends: the message with its key, and the body of a chat completion. In
 * the provider's thread. The key stands in the Authorization header and nowhere else, and the
 * copies of it that are made on the way are wiped. */

#define G_LOG_DOMAIN "gw-openai-provider"

#include "config.h"

#include <string.h>

#include "gw-json.h"
#include "provider/gw-openai-provider-private.h"
#include "provider/gw-secret.h"

SoupMessage *
_gw_openai_message_new (GwOpenaiProvider *self,
                        const char *method,
                        const char *path,
                        guint index)
{
  g_autofree char *address = g_strconcat (self->base, path, NULL);
  SoupMessage *message = soup_message_new (method, address);
  const char *key = index < self->keys->len ? gw_secret_get (self->keys->pdata[index]) : NULL;
  SoupMessageHeaders *headers;

  if (message == NULL)
    return NULL;
  headers = soup_message_get_request_headers (message);
  soup_message_headers_replace (headers, "Accept", "application/json");
  if (key != NULL)
    {
      char *value = g_strconcat ("Bearer ", key, NULL);

      soup_message_headers_replace (headers, "Authorization", value);
      explicit_bzero (value, strlen (value));
      g_free (value);
    }

  return message;
}

static void
add_message (JsonArray *messages,
             const char *role,
             const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

GBytes *
_gw_openai_build_request (const GwCall *call,
                          const char *model,
                          gboolean stream)
{
  g_autoptr (JsonObject) root = json_object_new ();
  JsonArray *messages = json_array_new ();
  const char *system_prompt = NULL;
  gsize length = 0;
  char *text;

  if (call->metadata != NULL)
    system_prompt = gw_json_peek_string (call->metadata, "system");
  if (model != NULL)
    json_object_set_string_member (root, "model", model);
  if (system_prompt != NULL && *system_prompt != '\0')
    add_message (messages, "system", system_prompt);
  add_message (messages, "user", call->content);
  json_object_set_array_member (root, "messages", messages);
  json_object_set_boolean_member (root, "stream", stream);
  if (stream)
    {
      JsonObject *options = json_object_new ();

      json_object_set_boolean_member (options, "include_usage", TRUE);
      json_object_set_object_member (root, "stream_options", options);
    }
  text = gw_json_object_to_text (root, FALSE, &length);

  return g_bytes_new_take (text, length);
}
