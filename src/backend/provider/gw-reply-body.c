/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads the body of a reply, whatever it is: a chat completion, an error in one of the many shapes
 * that providers give it, a stream of events that nobody asked for, a proxy's HTML page, or junk.
 * Pure; never fails: what is not understood stays empty. An answer was paid for, so a character
 * that is wrong in a text (U+0000, half a surrogate pair) is mended by gw_json_parse_reply(), but
 * what is no JSON is not guessed at. */

#define G_LOG_DOMAIN "gw-reply-body"

#include "config.h"

#include <string.h>

#include "provider/gw-reply-body-private.h"

void
gw_reply_body_free (GwReplyBody *body)
{
  g_free (body->error_code);
  g_free (body->error_type);
  g_free (body->error_message);
  g_free (body->content);
  g_free (body->reasoning);
  g_free (body->refusal);
  g_free (body->finish_reason);
  g_free (body->model);
  g_free (body);
}

static void
take_text (char **target,
           char *text)
{
  if (text == NULL)
    return;
  g_free (*target);
  *target = text;
}

/* A text, or a number as text. */
static char *
dup_scalar (JsonObject *object,
            const char *member)
{
  JsonNode *node = json_object_get_member (object, member);
  double number;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return NULL;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    {
      const char *text = json_node_get_string (node);

      return *text != '\0' ? g_strdup (text) : NULL;
    }
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return NULL;

  number = json_node_get_double (node);
  return g_strdup_printf ("%.0f", number);
}

/* `detail` of some frameworks: a text, an object, or a list of complaints. */
static char *
dup_detail (JsonObject *object,
            const char *member)
{
  JsonArray *array = gw_json_peek_array (object, member);
  JsonObject *inner = gw_json_peek_object (object, member);
  JsonNode *first;

  if (array != NULL && json_array_get_length (array) > 0)
    {
      first = json_array_get_element (array, 0);
      if (JSON_NODE_HOLDS_OBJECT (first))
        inner = json_node_get_object (first);
    }
  if (inner == NULL)
    return dup_scalar (object, member);
  if (json_object_has_member (inner, "message"))
    return dup_scalar (inner, "message");

  return dup_scalar (inner, "msg");
}

static void
read_error_object (GwReplyBody *body,
                   JsonObject *error)
{
  if (json_object_get_size (error) == 0)
    return;

  body->has_error = TRUE;
  take_text (&body->error_code, dup_scalar (error, "code"));
  take_text (&body->error_type, dup_scalar (error, "status"));
  take_text (&body->error_type, dup_scalar (error, "type"));
  take_text (&body->error_message, dup_detail (error, "detail"));
  take_text (&body->error_message, dup_scalar (error, "msg"));
  take_text (&body->error_message, dup_scalar (error, "message"));
}

static void
read_error (GwReplyBody *body,
            JsonObject *root)
{
  JsonNode *node = json_object_get_member (root, "error");
  JsonObject *response = gw_json_peek_object (root, "Response");

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    {
      read_error_object (body, json_node_get_object (node));
      return;
    }
  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_STRING && *json_node_get_string (node) != '\0')
    {
      body->has_error = TRUE;
      take_text (&body->error_code, dup_scalar (root, "code"));
      take_text (&body->error_type, dup_scalar (root, "type"));
      take_text (&body->error_message, g_strdup (json_node_get_string (node)));
      return;
    }
  if (body->has_choice)
    return;

  if (response != NULL && gw_json_peek_object (response, "Error") != NULL)
    {
      JsonObject *error = gw_json_peek_object (response, "Error");

      body->has_error = TRUE;
      take_text (&body->error_code, dup_scalar (error, "Code"));
      take_text (&body->error_message, dup_scalar (error, "Message"));
      return;
    }

  /* No `error`, no choice: the members of an error may stand at the top. */
  if (gw_json_peek_int (root, "status", 0) >= 400)
    take_text (&body->error_code, dup_scalar (root, "status"));
  take_text (&body->error_code, dup_scalar (root, "code"));
  take_text (&body->error_type, dup_scalar (root, "type"));
  take_text (&body->error_message, dup_scalar (root, "title"));
  take_text (&body->error_message, dup_detail (root, "errors"));
  take_text (&body->error_message, dup_scalar (root, "msg"));
  take_text (&body->error_message, dup_scalar (root, "message"));
  take_text (&body->error_message, dup_detail (root, "detail"));
  body->has_error = body->error_message != NULL
                    || (body->error_code != NULL && strlen (body->error_code) > 2);
}

static void
read_usage (GwReplyBody *body,
            JsonObject *root)
{
  JsonObject *usage = gw_json_peek_object (root, "usage");

  if (usage == NULL)
    return;
  body->usage.prompt_tokens = gw_json_peek_int (usage, "prompt_tokens", -1);
  body->usage.completion_tokens = gw_json_peek_int (usage, "completion_tokens", -1);
  body->usage.total_tokens = gw_json_peek_int (usage, "total_tokens", -1);
  gw_usage_bound (&body->usage);
  /* Some tell only the parts; a project's limit counts the whole. */
  if (body->usage.total_tokens < 0
      && (body->usage.prompt_tokens >= 0 || body->usage.completion_tokens >= 0))
    {
      body->usage.total_tokens = MAX (0, body->usage.prompt_tokens)
                                 + MAX (0, body->usage.completion_tokens);
      gw_usage_bound (&body->usage);
    }
}

/* `content` as a text or as a list of parts. */
static void
append_content (JsonObject *message,
                const char *member,
                GString *text)
{
  JsonArray *parts = gw_json_peek_array (message, member);
  const char *whole = gw_json_peek_string (message, member);

  if (whole != NULL)
    g_string_append (text, whole);
  for (guint i = 0; parts != NULL && i < json_array_get_length (parts); i++)
    {
      JsonNode *part = json_array_get_element (parts, i);

      if (JSON_NODE_HOLDS_OBJECT (part))
        {
          const char *piece = gw_json_peek_string (json_node_get_object (part), "text");

          g_string_append (text, piece != NULL ? piece : "");
        }
      else if (JSON_NODE_HOLDS_VALUE (part) && json_node_get_value_type (part) == G_TYPE_STRING)
        g_string_append (text, json_node_get_string (part));
    }
}

static void
read_choice (GwReplyBuilder *self,
             JsonObject *choice)
{
  GwReplyBody *body = self->body;
  JsonObject *message = gw_json_peek_object (choice, "message");
  const char *finish_reason = gw_json_peek_string (choice, "finish_reason");
  const char *refusal;

  body->has_choice = TRUE;
  if (message == NULL)
    message = gw_json_peek_object (choice, "delta");
  if (finish_reason != NULL && *finish_reason != '\0')
    {
      take_text (&body->finish_reason, g_strdup (finish_reason));
      self->ended = TRUE;
    }
  if (message == NULL)
    {
      append_content (choice, "text", self->content);
      return;
    }

  append_content (message, "content", self->content);
  append_content (message, "reasoning_content", self->reasoning);
  if (!json_object_has_member (message, "reasoning_content"))
    append_content (message, "reasoning", self->reasoning);
  refusal = gw_json_peek_string (message, "refusal");
  if (refusal != NULL)
    g_string_append (self->refusal, refusal);
  body->has_tool_calls |= gw_json_peek_array (message, "tool_calls") != NULL
                          && json_array_get_length (gw_json_peek_array (message, "tool_calls")) > 0;
}

static void
read_document (GwReplyBuilder *self,
               JsonObject *root)
{
  GwReplyBody *body = self->body;
  JsonArray *choices = gw_json_peek_array (root, "choices");
  const char *model = gw_json_peek_string (root, "model");

  if (model != NULL && *model != '\0')
    take_text (&body->model, g_strdup (model));
  read_usage (body, root);
  /* Some send the usage with every piece; alone it comes after the last one. */
  if (gw_json_peek_object (root, "usage") != NULL
      && (choices == NULL || json_array_get_length (choices) == 0))
    self->ended = TRUE;
  for (guint i = 0; choices != NULL && i < json_array_get_length (choices); i++)
    {
      JsonNode *node = json_array_get_element (choices, i);

      /* One answer was asked for: of several only the first is it. */
      if (JSON_NODE_HOLDS_OBJECT (node)
          && gw_json_peek_int (json_node_get_object (node), "index", (gint64) i) == 0)
        {
          read_choice (self, json_node_get_object (node));
          break;
        }
    }
  if (choices == NULL || body->error_message == NULL)
    read_error (body, root);
}

static gboolean
read_node (GwReplyBuilder *self,
           JsonNode *node)
{
  if (node == NULL)
    return FALSE;
  if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) > 0)
    node = json_array_get_element (json_node_get_array (node), 0);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;

  self->body->is_json = TRUE;
  read_document (self, json_node_get_object (node));
  return TRUE;
}

/**
 * _gw_reply_builder_read:
 * @self: a builder
 * @text: (array length=length): one document, of several in a stream
 *
 * Returns: whether it is one
 */
gboolean
_gw_reply_builder_read (GwReplyBuilder *self,
                        const char *text,
                        gsize length)
{
  g_autoptr (JsonNode) node = gw_json_parse_reply (text, length, NULL);

  return read_node (self, node);
}

void
_gw_reply_builder_init (GwReplyBuilder *self)
{
  self->body = g_new0 (GwReplyBody, 1);
  self->body->usage = GW_USAGE_NONE;
  self->content = g_string_new (NULL);
  self->reasoning = g_string_new (NULL);
  self->refusal = g_string_new (NULL);
}

static char *
free_to_text (GString **string)
{
  GString *text = g_steal_pointer (string);

  return text == NULL ? NULL : g_string_free (text, text->len == 0);
}

void
_gw_reply_builder_clear (GwReplyBuilder *self)
{
  g_clear_pointer (&self->body, gw_reply_body_free);
  g_free (free_to_text (&self->content));
  g_free (free_to_text (&self->reasoning));
  g_free (free_to_text (&self->refusal));
}

/* (transfer full): the body with its texts. */
GwReplyBody *
_gw_reply_builder_end (GwReplyBuilder *self)
{
  self->body->content = free_to_text (&self->content);
  self->body->reasoning = free_to_text (&self->reasoning);
  self->body->refusal = free_to_text (&self->refusal);

  return g_steal_pointer (&self->body);
}
