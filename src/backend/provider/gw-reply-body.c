/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads the body of a reply, whatever it is: a chat completion, an error in one of the many shapes
 * that providers give it, a stream of events that nobody asked for, a proxy's HTML page, or junk.
 * Pure; never fails: what is not understood stays empty. An answer was paid for, so a character
 * that is wrong in a text (U+0000, half a surrogate pair) is mended by gw_json_parse_reply(), but
 * what is no JSON is not guessed at. */

#define G_LOG_DOMAIN "gw-reply-body"

#include "config.h"

#include <string.h>

#include "provider/gw-reply-body.h"

typedef struct {
  GwReplyBody *body;
  GString *content;   /* (owned) */
  GString *reasoning; /* (owned) */
  GString *pending;   /* (owned) data lines of an event that is JSON only together */
  gboolean ended;     /* [DONE], a finish_reason or the usage was there */
} Stream;

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
  body->usage.prompt_tokens = MAX (-1, gw_json_peek_int (usage, "prompt_tokens", -1));
  body->usage.completion_tokens = MAX (-1, gw_json_peek_int (usage, "completion_tokens", -1));
  body->usage.total_tokens = MAX (-1, gw_json_peek_int (usage, "total_tokens", -1));
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
read_choice (Stream *stream,
             JsonObject *choice)
{
  GwReplyBody *body = stream->body;
  JsonObject *message = gw_json_peek_object (choice, "message");
  const char *finish_reason = gw_json_peek_string (choice, "finish_reason");
  const char *refusal;

  body->has_choice = TRUE;
  if (message == NULL)
    message = gw_json_peek_object (choice, "delta");
  if (finish_reason != NULL && *finish_reason != '\0')
    {
      take_text (&body->finish_reason, g_strdup (finish_reason));
      stream->ended = TRUE;
    }
  if (message == NULL)
    {
      append_content (choice, "text", stream->content);
      return;
    }

  append_content (message, "content", stream->content);
  append_content (message, "reasoning_content", stream->reasoning);
  if (!json_object_has_member (message, "reasoning_content"))
    append_content (message, "reasoning", stream->reasoning);
  refusal = gw_json_peek_string (message, "refusal");
  if (refusal != NULL && *refusal != '\0')
    {
      g_autofree char *before = body->refusal;

      body->refusal = g_strconcat (before != NULL ? before : "", refusal, NULL);
    }
  body->has_tool_calls |= gw_json_peek_array (message, "tool_calls") != NULL
                          && json_array_get_length (gw_json_peek_array (message, "tool_calls")) > 0;
}

static void
read_document (Stream *stream,
               JsonObject *root)
{
  GwReplyBody *body = stream->body;
  JsonArray *choices = gw_json_peek_array (root, "choices");
  const char *model = gw_json_peek_string (root, "model");

  if (model != NULL && *model != '\0')
    take_text (&body->model, g_strdup (model));
  if (gw_json_peek_object (root, "usage") != NULL)
    {
      read_usage (body, root);
      stream->ended = TRUE;
    }
  for (guint i = 0; choices != NULL && i < json_array_get_length (choices); i++)
    {
      JsonNode *node = json_array_get_element (choices, i);

      /* One answer was asked for: of several only the first is it. */
      if (JSON_NODE_HOLDS_OBJECT (node)
          && gw_json_peek_int (json_node_get_object (node), "index", (gint64) i) == 0)
        {
          read_choice (stream, json_node_get_object (node));
          break;
        }
    }
  if (choices == NULL || body->error_message == NULL)
    read_error (body, root);
}

static gboolean
read_node (Stream *stream,
           JsonNode *node)
{
  if (node == NULL)
    return FALSE;
  if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) > 0)
    node = json_array_get_element (json_node_get_array (node), 0);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;

  stream->body->is_json = TRUE;
  read_document (stream, json_node_get_object (node));
  return TRUE;
}

static gboolean
read_json (Stream *stream,
           const char *text,
           gsize length)
{
  g_autoptr (JsonNode) node = gw_json_parse_reply (text, length, NULL);

  return read_node (stream, node);
}

static void
read_event_line (Stream *stream,
                 const char *line,
                 gsize length)
{
  if (length > 0 && line[length - 1] == '\r')
    length--;
  if (length == 0)
    {
      if (stream->pending->len > 0)
        read_json (stream, stream->pending->str, stream->pending->len);
      g_string_truncate (stream->pending, 0);
      return;
    }
  if (length < 5 || memcmp (line, "data:", 5) != 0)
    return; /* a comment, another field, or junk */

  line += 5;
  length -= 5;
  while (length > 0 && *line == ' ')
    {
      line++;
      length--;
    }
  if (length >= 6 && memcmp (line, "[DONE]", 6) == 0)
    {
      stream->ended = TRUE;
      return;
    }
  /* Nearly always a line is a whole document; else the lines of an event belong together. */
  if (stream->pending->len == 0 && read_json (stream, line, length))
    return;
  if (stream->pending->len > 0)
    g_string_append_c (stream->pending, '\n');
  g_string_append_len (stream->pending, line, (gssize) length);
}

static void
read_events (Stream *stream,
             const char *text,
             gsize length)
{
  const char *end = text + length;

  while (text < end)
    {
      const char *stop = memchr (text, '\n', (gsize) (end - text));

      if (stop == NULL)
        stop = end;
      read_event_line (stream, text, (gsize) (stop - text));
      text = stop + 1;
    }
  if (stream->pending->len > 0)
    read_json (stream, stream->pending->str, stream->pending->len);
  stream->body->cut_off = !stream->ended;
}

static gboolean
begins_with (const char *text,
             gsize length,
             const char *prefix)
{
  return length >= strlen (prefix) && g_ascii_strncasecmp (text, prefix, strlen (prefix)) == 0;
}

/* Blank lines and comments (": keep-alive") that were sent as a sign of life. */
static void
skip_signs_of_life (const char **text,
                    gsize *length)
{
  if (*length >= 3 && memcmp (*text, "\xef\xbb\xbf", 3) == 0)
    {
      *text += 3;
      *length -= 3;
    }
  while (*length > 0)
    {
      if (g_ascii_isspace (**text))
        {
          (*text)++;
          (*length)--;
        }
      else if (**text == ':')
        {
          const char *stop = memchr (*text, '\n', *length);
          gsize skipped = stop != NULL ? (gsize) (stop - *text) : *length;

          *text += skipped;
          *length -= skipped;
        }
      else
        break;
    }
}

/**
 * gw_reply_body_parse:
 * @text: bytes that came from outside
 * @length: how many
 *
 * Returns: (transfer full): what they say
 */
GwReplyBody *
gw_reply_body_parse (const char *text,
                     gsize length)
{
  GwReplyBody *body = g_new0 (GwReplyBody, 1);
  Stream stream = { 0 };

  body->usage = GW_USAGE_NONE;
  stream.body = body;
  stream.content = g_string_new (NULL);
  stream.reasoning = g_string_new (NULL);
  stream.pending = g_string_new (NULL);

  skip_signs_of_life (&text, &length);
  if (length > 0 && *text == '<')
    body->is_html = TRUE;
  else if (begins_with (text, length, "data:") || begins_with (text, length, "event:")
           || begins_with (text, length, "id:") || begins_with (text, length, "retry:"))
    read_events (&stream, text, length);
  else
    read_json (&stream, text, length);

  if (stream.content->len > 0)
    body->content = g_string_free (stream.content, FALSE);
  else
    g_string_free (stream.content, TRUE);
  if (stream.reasoning->len > 0)
    body->reasoning = g_string_free (stream.reasoning, FALSE);
  else
    g_string_free (stream.reasoning, TRUE);
  g_string_free (stream.pending, TRUE);

  return body;
}
