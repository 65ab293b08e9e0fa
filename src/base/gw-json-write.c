/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Writes json-glib's tree as text: members in the order in which they were set, UTF-8 as it is,
 * numbers in the C locale and so that they read back as the same value. Pretty is an indentation of
 * two spaces, "name": value, as Python's json.dump (indent=2) has it.
 *
 * Threads: any.
 */

#define G_LOG_DOMAIN "gw-json"

#include "config.h"

#include <math.h>
#include <string.h>

#include "gw-clock.h"
#include "gw-json.h"

static void
append_indent (GString *text,
               guint level)
{
  g_string_append_c (text, '\n');
  for (guint i = 0; i < level; i++)
    g_string_append (text, "  ");
}

/**
 * gw_json_append_string:
 * @text: what to append to
 * @string: (nullable): UTF-8
 *
 * Appends @string in quotes, or `null`.
 */
void
gw_json_append_string (GString *text,
                       const char *string)
{
  const char *first = string;
  const char *p;

  if (string == NULL)
    {
      g_string_append (text, "null");
      return;
    }

  g_string_append_c (text, '"');
  for (p = string; *p != '\0'; p++)
    {
      guchar c = *p;

      if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
        continue;

      g_string_append_len (text, first, p - first);
      first = p + 1;
      switch (c)
        {
        case '"':
          g_string_append (text, "\\\"");
          break;
        case '\\':
          g_string_append (text, "\\\\");
          break;
        case '\n':
          g_string_append (text, "\\n");
          break;
        case '\r':
          g_string_append (text, "\\r");
          break;
        case '\t':
          g_string_append (text, "\\t");
          break;
        default:
          g_string_append_printf (text, "\\u%04x", c);
          break;
        }
    }
  g_string_append_len (text, first, p - first);
  g_string_append_c (text, '"');
}

/**
 * gw_json_append_int:
 * @text: what to append to
 * @value: a whole number
 */
void
gw_json_append_int (GString *text,
                    gint64 value)
{
  char buffer[24];

  g_string_append_len (text, buffer,
                       g_snprintf (buffer, sizeof buffer, "%" G_GINT64_FORMAT, value));
}

/**
 * gw_json_append_time:
 * @text: what to append to
 * @wall_ms: Unix milliseconds; 0 or less for `null`
 */
void
gw_json_append_time (GString *text,
                     gint64 wall_ms)
{
  g_autofree char *time = gw_time_to_iso (wall_ms);

  gw_json_append_string (text, time);
}

/**
 * gw_json_append_name:
 * @text: what to append to, with an open object at its end
 * @name: the name of the object's next member
 * @pretty: on several lines
 * @level: how deep the member lies; matters if @pretty
 *
 * Begins a member, whose value is to be appended next.
 */
void
gw_json_append_name (GString *text,
                     const char *name,
                     gboolean pretty,
                     guint level)
{
  if (text->str[text->len - 1] != '{')
    g_string_append_c (text, ',');
  if (pretty)
    append_indent (text, level);
  gw_json_append_string (text, name);
  g_string_append (text, pretty ? ": " : ":");
}

/**
 * gw_json_append_end:
 * @text: what to append to, with an open object at its end
 * @pretty: on several lines
 * @level: how deep the object lies; matters if @pretty
 *
 * Closes the object.
 */
void
gw_json_append_end (GString *text,
                    gboolean pretty,
                    guint level)
{
  if (pretty && text->str[text->len - 1] != '{')
    append_indent (text, level);
  g_string_append_c (text, '}');
}

static void
append_double (GString *text,
               double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (value))
    {
      g_string_append (text, "null");
      return;
    }

  /* 15 digits, or as many more as it takes to read back as the same value: 0.1 stays 0.1. */
  for (int digits = 15; digits <= 17; digits++)
    {
      char format[] = { '%', '.', '1', (char) ('0' + digits - 10), 'g', '\0' };

      g_ascii_formatd (buffer, sizeof buffer, format, value);
      if (g_ascii_strtod (buffer, NULL) == value)
        break;
    }
  g_string_append (text, buffer);
  if (strpbrk (buffer, ".e") == NULL)
    g_string_append (text, ".0");
}

static void
append_value (GString *text,
              JsonNode *node)
{
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      gw_json_append_string (text, json_node_get_string (node));
      break;
    case G_TYPE_INT64:
      gw_json_append_int (text, json_node_get_int (node));
      break;
    case G_TYPE_DOUBLE:
      append_double (text, json_node_get_double (node));
      break;
    case G_TYPE_BOOLEAN:
      g_string_append (text, json_node_get_boolean (node) ? "true" : "false");
      break;
    default:
      g_string_append (text, "null");
      break;
    }
}

static void
append_object (GString *text,
               JsonObject *object,
               gboolean pretty,
               guint level)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  g_string_append_c (text, '{');
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      gw_json_append_name (text, name, pretty, level + 1);
      gw_json_append (text, node, pretty, level + 1);
    }
  gw_json_append_end (text, pretty, level);
}

static void
append_array (GString *text,
              JsonArray *array,
              gboolean pretty,
              guint level)
{
  guint length = json_array_get_length (array);

  g_string_append_c (text, '[');
  for (guint i = 0; i < length; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      if (pretty)
        append_indent (text, level + 1);
      gw_json_append (text, json_array_get_element (array, i), pretty, level + 1);
    }
  if (pretty && length > 0)
    append_indent (text, level);
  g_string_append_c (text, ']');
}

/**
 * gw_json_append:
 * @text: what to append to
 * @node: (nullable): a tree, or %NULL for `null`
 * @pretty: on several lines
 * @level: how deep @node lies in what is being written; matters if @pretty
 */
void
gw_json_append (GString *text,
                JsonNode *node,
                gboolean pretty,
                guint level)
{
  if (node == NULL)
    g_string_append (text, "null");
  else if (JSON_NODE_HOLDS_OBJECT (node))
    append_object (text, json_node_get_object (node), pretty, level);
  else if (JSON_NODE_HOLDS_ARRAY (node))
    append_array (text, json_node_get_array (node), pretty, level);
  else if (JSON_NODE_HOLDS_VALUE (node))
    append_value (text, node);
  else
    g_string_append (text, "null");
}

/**
 * gw_json_to_text:
 * @node: (nullable): a tree
 * @pretty: indented by two, on several lines
 * @length: (out) (optional): bytes
 *
 * Returns: (transfer full): JSON in UTF-8, without a newline at its end
 */
char *
gw_json_to_text (JsonNode *node,
                 gboolean pretty,
                 gsize *length)
{
  GString *text = g_string_sized_new (256);

  gw_json_append (text, node, pretty, 0);
  if (length != NULL)
    *length = text->len;

  return g_string_free (text, FALSE);
}

/**
 * gw_json_object_to_text:
 * @object: an object
 * @pretty: indented by two, on several lines
 * @length: (out) (optional): bytes
 *
 * Returns: (transfer full): JSON in UTF-8, without a newline at its end
 */
char *
gw_json_object_to_text (JsonObject *object,
                        gboolean pretty,
                        gsize *length)
{
  GString *text = g_string_sized_new (256);

  append_object (text, object, pretty, 0);
  if (length != NULL)
    *length = text->len;

  return g_string_free (text, FALSE);
}
