/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-json"

#include "config.h"

#include <math.h>
#include <string.h>

#include "gw-clock.h"
#include "gw-json-private.h"

/**
 * gw_json_parse:
 * @text: (array length=length): bytes from outside
 * @length: bytes
 * @error: %GW_ERROR_NOT_JSON or %GW_ERROR_INVALID
 *
 * Any thread.
 *
 * Returns: (transfer full) (nullable): the tree, never %NULL without an error
 */
JsonNode *
gw_json_parse (const char *text,
               gsize length,
               GError **error)
{
  if (!_gw_json_scan (text, length, GW_JSON_MAX_DEPTH, FALSE, error))
    return NULL;

  return _gw_json_build (text, length, FALSE);
}

static JsonObject *
take_object (JsonNode *tree,
             const char *complaint,
             GError **error)
{
  g_autoptr (JsonNode) node = tree;

  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, GW_ERROR, GW_ERROR_INVALID, complaint);
      return NULL;
    }

  return json_node_dup_object (node);
}

/**
 * gw_json_parse_object:
 * @text: (array length=length): bytes from outside
 * @length: bytes
 * @error: as of gw_json_parse(); %GW_ERROR_INVALID where it is JSON, but no object
 *
 * Any thread.
 *
 * Returns: (transfer full) (nullable): the object
 */
JsonObject *
gw_json_parse_object (const char *text,
                      gsize length,
                      GError **error)
{
  return take_object (gw_json_parse (text, length, error),
                      "The JSON is not an object: send {…} with the members of this call", error);
}

/**
 * gw_json_parse_reply:
 * @text: (array length=length): bytes of another program's reply
 * @length: bytes
 * @error: %GW_ERROR_NOT_JSON
 *
 * As gw_json_parse(), for replies, which may have been paid for: the syntax is as strict, the depth
 * is at most %GW_JSON_MAX_REPLY_DEPTH, and what is wrong only with a character is mended instead of
 * refused. U+0000, half surrogate pairs and bytes that are not UTF-8 become U+FFFD, a number that
 * nothing can hold the nearest double. Any thread.
 *
 * Returns: (transfer full) (nullable): the tree
 */
JsonNode *
gw_json_parse_reply (const char *text,
                     gsize length,
                     GError **error)
{
  if (!_gw_json_scan (text, length, GW_JSON_MAX_REPLY_DEPTH, TRUE, error))
    return NULL;

  return _gw_json_build (text, length, TRUE);
}

/**
 * gw_json_parse_reply_object:
 * @text: (array length=length): bytes of another program's reply
 * @length: bytes
 * @error: %GW_ERROR_NOT_JSON; %GW_ERROR_INVALID where it is JSON, but no object
 *
 * As gw_json_parse_reply(). Any thread.
 *
 * Returns: (transfer full) (nullable): the object
 */
JsonObject *
gw_json_parse_reply_object (const char *text,
                            gsize length,
                            GError **error)
{
  return take_object (gw_json_parse_reply (text, length, error),
                      "The reply is JSON, but not an object", error);
}

static const char *
describe (JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    return "an object";
  if (JSON_NODE_HOLDS_ARRAY (node))
    return "an array";
  if (!JSON_NODE_HOLDS_VALUE (node))
    return "null";

  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      return "text";
    case G_TYPE_BOOLEAN:
      return "true or false";
    default:
      return "a number";
    }
}

static gboolean
wrong_type (const char *member,
            JsonNode *node,
            const char *wanted,
            GError **error)
{
  g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "'%s' must be %s, not %s",
               member, wanted, describe (node));
  return FALSE;
}

/* Finds the member; *node stays NULL where there is nothing to read and that is right. */
static gboolean
find (JsonObject *object,
      const char *member,
      GwJsonFlags flags,
      const char *wanted,
      JsonNode **node,
      GError **error)
{
  JsonNode *found = json_object_get_member (object, member);

  *node = NULL;
  if (found == NULL)
    {
      if ((flags & GW_JSON_REQUIRED) == 0)
        return TRUE;
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "'%s' is missing: it must be %s",
                   member, wanted);
      return FALSE;
    }
  if (JSON_NODE_HOLDS_NULL (found))
    return (flags & GW_JSON_NULLABLE) != 0 || wrong_type (member, found, wanted, error);

  *node = found;
  return TRUE;
}

static gboolean
holds (JsonNode *node,
       GType type)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type;
}

/* Whether @node is a number without a fraction that 64 bits hold: 1.0 and 1e3 are. */
static gboolean
holds_int (JsonNode *node,
           gint64 *value)
{
  double number;

  if (holds (node, G_TYPE_INT64))
    {
      *value = json_node_get_int (node);
      return TRUE;
    }
  if (!holds (node, G_TYPE_DOUBLE))
    return FALSE;

  number = json_node_get_double (node);
  if (!(number >= -0x1p63 && number < 0x1p63) || number != trunc (number))
    return FALSE;

  *value = (gint64) number;
  return TRUE;
}

/**
 * gw_json_get_string:
 * @object: an object
 * @member: its member
 * @flags: whether it may be absent or null
 * @max_bytes: of UTF-8; 0 for no limit
 * @value: (out) (transfer none): valid as long as @object is not changed
 * @error: %GW_ERROR_INVALID, or %GW_ERROR_TOO_LARGE
 *
 * Returns: whether the member is as it must be
 */
gboolean
gw_json_get_string (JsonObject *object,
                    const char *member,
                    GwJsonFlags flags,
                    gsize max_bytes,
                    const char **value,
                    GError **error)
{
  JsonNode *node;
  const char *text;
  gsize length;

  if (!find (object, member, flags, "text", &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_STRING))
    return wrong_type (member, node, "text", error);

  text = json_node_get_string (node);
  length = strlen (text);
  if (max_bytes > 0 && length > max_bytes)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_TOO_LARGE,
                   "'%s' has %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " are allowed",
                   member, length, max_bytes);
      return FALSE;
    }

  *value = text;
  return TRUE;
}

/**
 * gw_json_get_int:
 * @object: an object
 * @member: its member
 * @flags: whether it may be absent or null
 * @minimum: the least value allowed
 * @maximum: the greatest value allowed
 * @value: (out): a number without a fraction; 1.0 is one
 * @error: %GW_ERROR_INVALID
 *
 * Returns: whether the member is as it must be
 */
gboolean
gw_json_get_int (JsonObject *object,
                 const char *member,
                 GwJsonFlags flags,
                 gint64 minimum,
                 gint64 maximum,
                 gint64 *value,
                 GError **error)
{
  JsonNode *node;
  gint64 number;

  if (!find (object, member, flags, "a whole number", &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_INT64) && !holds (node, G_TYPE_DOUBLE))
    return wrong_type (member, node, "a whole number", error);

  if (!holds_int (node, &number) || number < minimum || number > maximum)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID,
                   "'%s' must be a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                   member, minimum, maximum);
      return FALSE;
    }

  *value = number;
  return TRUE;
}

/**
 * gw_json_get_double:
 * @object: an object
 * @member: its member
 * @flags: whether it may be absent or null
 * @value: (out): any number
 * @error: %GW_ERROR_INVALID
 *
 * Returns: whether the member is as it must be
 */
gboolean
gw_json_get_double (JsonObject *object,
                    const char *member,
                    GwJsonFlags flags,
                    double *value,
                    GError **error)
{
  JsonNode *node;

  if (!find (object, member, flags, "a number", &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_INT64) && !holds (node, G_TYPE_DOUBLE))
    return wrong_type (member, node, "a number", error);

  *value = json_node_get_double (node);
  return TRUE;
}

/**
 * gw_json_get_boolean:
 * @object: an object
 * @member: its member
 * @flags: whether it may be absent or null
 * @value: (out): true or false
 * @error: %GW_ERROR_INVALID
 *
 * Returns: whether the member is as it must be
 */
gboolean
gw_json_get_boolean (JsonObject *object,
                     const char *member,
                     GwJsonFlags flags,
                     gboolean *value,
                     GError **error)
{
  JsonNode *node;

  if (!find (object, member, flags, "true or false", &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!holds (node, G_TYPE_BOOLEAN))
    return wrong_type (member, node, "true or false", error);

  *value = json_node_get_boolean (node);
  return TRUE;
}

/**
 * gw_json_get_object:
 * @object: an object
 * @member: its member
 * @flags: whether it may be absent or null
 * @value: (out) (transfer none): owned by @object
 * @error: %GW_ERROR_INVALID
 *
 * Returns: whether the member is as it must be
 */
gboolean
gw_json_get_object (JsonObject *object,
                    const char *member,
                    GwJsonFlags flags,
                    JsonObject **value,
                    GError **error)
{
  JsonNode *node;

  if (!find (object, member, flags, "an object", &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong_type (member, node, "an object", error);

  *value = json_node_get_object (node);
  return TRUE;
}

/**
 * gw_json_get_array:
 * @object: an object
 * @member: its member
 * @flags: whether it may be absent or null
 * @value: (out) (transfer none): owned by @object
 * @error: %GW_ERROR_INVALID
 *
 * Returns: whether the member is as it must be
 */
gboolean
gw_json_get_array (JsonObject *object,
                   const char *member,
                   GwJsonFlags flags,
                   JsonArray **value,
                   GError **error)
{
  JsonNode *node;

  if (!find (object, member, flags, "an array", &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return wrong_type (member, node, "an array", error);

  *value = json_node_get_array (node);
  return TRUE;
}

static JsonNode *
peek (JsonObject *object,
      const char *member)
{
  return object != NULL ? json_object_get_member (object, member) : NULL;
}

/**
 * gw_json_peek_string:
 * @object: (nullable): an object
 * @member: its member
 *
 * Returns: (transfer none) (nullable): the text, if it is one
 */
const char *
gw_json_peek_string (JsonObject *object,
                     const char *member)
{
  JsonNode *node = peek (object, member);

  return holds (node, G_TYPE_STRING) ? json_node_get_string (node) : NULL;
}

/**
 * gw_json_peek_object:
 * @object: (nullable): an object
 * @member: its member
 *
 * Returns: (transfer none) (nullable): the object, if it is one
 */
JsonObject *
gw_json_peek_object (JsonObject *object,
                     const char *member)
{
  JsonNode *node = peek (object, member);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/**
 * gw_json_peek_array:
 * @object: (nullable): an object
 * @member: its member
 *
 * Returns: (transfer none) (nullable): the array, if it is one
 */
JsonArray *
gw_json_peek_array (JsonObject *object,
                    const char *member)
{
  JsonNode *node = peek (object, member);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/**
 * gw_json_peek_string_at:
 * @array: (nullable): an array
 * @index: any
 *
 * Returns: (transfer none) (nullable): the text at that place, if there is one
 */
const char *
gw_json_peek_string_at (JsonArray *array,
                        guint index)
{
  JsonNode *node = array != NULL && index < json_array_get_length (array)
                       ? json_array_get_element (array, index)
                       : NULL;

  return holds (node, G_TYPE_STRING) ? json_node_get_string (node) : NULL;
}

/**
 * gw_json_peek_object_at:
 * @array: (nullable): an array
 * @index: any
 *
 * Returns: (transfer none) (nullable): the object at that place, if there is one
 */
JsonObject *
gw_json_peek_object_at (JsonArray *array,
                        guint index)
{
  JsonNode *node = array != NULL && index < json_array_get_length (array)
                       ? json_array_get_element (array, index)
                       : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/**
 * gw_json_peek_int:
 * @object: (nullable): an object
 * @member: its member
 * @fallback: what to return otherwise
 *
 * Returns: the number, if it is one without a fraction
 */
gint64
gw_json_peek_int (JsonObject *object,
                  const char *member,
                  gint64 fallback)
{
  gint64 value;

  return holds_int (peek (object, member), &value) ? value : fallback;
}

/**
 * gw_json_peek_double:
 * @object: (nullable): an object
 * @member: its member
 * @fallback: what to return otherwise
 *
 * Returns: the number, if it is one
 */
double
gw_json_peek_double (JsonObject *object,
                     const char *member,
                     double fallback)
{
  JsonNode *node = peek (object, member);

  if (!holds (node, G_TYPE_INT64) && !holds (node, G_TYPE_DOUBLE))
    return fallback;

  return json_node_get_double (node);
}

/**
 * gw_json_peek_boolean:
 * @object: (nullable): an object
 * @member: its member
 * @fallback: what to return otherwise
 *
 * Returns: the value, if it is true or false
 */
gboolean
gw_json_peek_boolean (JsonObject *object,
                      const char *member,
                      gboolean fallback)
{
  JsonNode *node = peek (object, member);

  return holds (node, G_TYPE_BOOLEAN) ? json_node_get_boolean (node) : fallback;
}

/**
 * gw_json_copy_object:
 * @object: an object; only read
 *
 * Any thread, also several at the same time with the same object.
 *
 * Returns: (transfer full): a copy that has nothing in common with @object
 */
JsonObject *
gw_json_copy_object (JsonObject *object)
{
  JsonObject *copy = json_object_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    json_object_set_member (copy, name, gw_json_copy (node));

  return copy;
}

static JsonArray *
copy_array (JsonArray *array)
{
  guint length = json_array_get_length (array);
  JsonArray *copy = json_array_sized_new (length);

  for (guint i = 0; i < length; i++)
    json_array_add_element (copy, gw_json_copy (json_array_get_element (array, i)));

  return copy;
}

/**
 * gw_json_copy:
 * @node: a tree; only read
 *
 * As gw_json_copy_object().
 *
 * Returns: (transfer full): a copy that has nothing in common with @node
 */
JsonNode *
gw_json_copy (JsonNode *node)
{
  JsonNode *copy = json_node_alloc ();

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      json_node_init (copy, JSON_NODE_OBJECT);
      json_node_take_object (copy, gw_json_copy_object (json_node_get_object (node)));
      return copy;
    }
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      json_node_init (copy, JSON_NODE_ARRAY);
      json_node_take_array (copy, copy_array (json_node_get_array (node)));
      return copy;
    }
  if (holds (node, G_TYPE_STRING))
    return json_node_init_string (copy, json_node_get_string (node));
  if (holds (node, G_TYPE_INT64))
    return json_node_init_int (copy, json_node_get_int (node));
  if (holds (node, G_TYPE_DOUBLE))
    return json_node_init_double (copy, json_node_get_double (node));
  if (holds (node, G_TYPE_BOOLEAN))
    return json_node_init_boolean (copy, json_node_get_boolean (node));

  return json_node_init_null (copy);
}

/**
 * gw_json_set_string_or_null:
 * @object: an object
 * @member: its member
 * @value: (nullable): a text, or %NULL for null
 */
void
gw_json_set_string_or_null (JsonObject *object,
                            const char *member,
                            const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, member, value);
  else
    json_object_set_null_member (object, member);
}

/**
 * gw_json_set_time:
 * @object: an object
 * @member: its member
 * @wall_ms: Unix milliseconds; 0 or less for null
 */
void
gw_json_set_time (JsonObject *object,
                  const char *member,
                  gint64 wall_ms)
{
  g_autofree char *text = gw_time_to_iso (wall_ms);

  gw_json_set_string_or_null (object, member, text);
}
