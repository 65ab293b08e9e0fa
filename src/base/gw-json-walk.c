/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Goes through text that the pre-scan has passed, so that nothing here looks for what is not JSON. A
 * page of the feed has hundreds of tasks, and a tree of them costs ten times what the tasks do.
 *
 * Threads: any; a walk belongs to whoever began it.
 */

#define G_LOG_DOMAIN "gw-json"

#include "config.h"

#include <string.h>

#include "gw-json-private.h"
#include "gw-json-walk.h"

#define MAX_DIGITS 18

static inline void
skip_space (GwJsonWalk *walk)
{
  while (walk->p < walk->end
         && (*walk->p == ' ' || *walk->p == '\n' || *walk->p == '\r' || *walk->p == '\t'))
    walk->p++;
}

/* Behind a value: to the next one, or to the bracket that closes. */
static void
go_on (GwJsonWalk *walk)
{
  skip_space (walk);
  if (walk->p < walk->end && *walk->p == ',')
    {
      walk->p++;
      skip_space (walk);
    }
}

/**
 * gw_json_walk_begin:
 * @walk: (out): stands at the value that @text is
 * @text: (array length=length): bytes of another program's reply
 * @length: bytes
 * @error: %GW_ERROR_NOT_JSON
 *
 * Takes what gw_json_parse_reply() does.
 *
 * Returns: whether @text is JSON
 */
gboolean
gw_json_walk_begin (GwJsonWalk *walk,
                    const char *text,
                    gsize length,
                    GError **error)
{
  if (!_gw_json_scan (text, length, GW_JSON_MAX_REPLY_DEPTH, TRUE, error))
    return FALSE;

  walk->p = text;
  walk->end = text + length;
  if (length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0)
    walk->p += 3;
  skip_space (walk);

  return TRUE;
}

/**
 * gw_json_walk_is_at:
 * @walk: a walk
 * @bracket: `{` or `[`
 *
 * Returns: whether the value here is such
 */
gboolean
gw_json_walk_is_at (const GwJsonWalk *walk,
                    char bracket)
{
  return walk->p < walk->end && *walk->p == bracket;
}

/**
 * gw_json_walk_enter:
 * @walk: a walk
 * @bracket: `{` or `[`
 *
 * Returns: whether the value here is such; then gw_json_walk_next_member() or
 *   gw_json_walk_next_element() leads through it
 */
gboolean
gw_json_walk_enter (GwJsonWalk *walk,
                    char bracket)
{
  if (!gw_json_walk_is_at (walk, bracket))
    return FALSE;

  walk->p++;
  skip_space (walk);

  return TRUE;
}

static gboolean
leave (GwJsonWalk *walk,
       char bracket)
{
  if (*walk->p != bracket)
    return FALSE;

  walk->p++;
  go_on (walk);

  return TRUE;
}

/**
 * gw_json_walk_next_member:
 * @walk: inside an object, behind the value of the last member
 * @name: (out): as it is written, not ended by a zero
 * @length: (out): its bytes
 *
 * Returns: whether there is one, with its value next
 */
gboolean
gw_json_walk_next_member (GwJsonWalk *walk,
                          const char **name,
                          gsize *length)
{
  if (leave (walk, '}'))
    return FALSE;

  *name = ++walk->p;
  while (*walk->p != '"')
    walk->p += *walk->p == '\\' ? 2 : 1;
  *length = (gsize) (walk->p - *name);
  walk->p++;
  skip_space (walk);
  walk->p++;
  skip_space (walk);

  return TRUE;
}

/**
 * gw_json_walk_dup_name:
 * @name: as gw_json_walk_next_member() gave it
 * @length: the same
 *
 * Returns: (transfer full): the name that is meant
 */
char *
gw_json_walk_dup_name (const char *name,
                       gsize length)
{
  const char *quote = name - 1;

  return _gw_json_build_string (&quote, name + length + 1, TRUE);
}

/**
 * gw_json_walk_next_element:
 * @walk: inside an array, behind the last element
 *
 * Returns: whether there is one, which is next
 */
gboolean
gw_json_walk_next_element (GwJsonWalk *walk)
{
  return !leave (walk, ']');
}

/**
 * gw_json_walk_take_null:
 * @walk: a walk
 *
 * Returns: whether the value here is null
 */
gboolean
gw_json_walk_take_null (GwJsonWalk *walk)
{
  if (walk->p == walk->end || *walk->p != 'n')
    return FALSE;

  walk->p += strlen ("null");
  go_on (walk);

  return TRUE;
}

/**
 * gw_json_walk_take_string:
 * @walk: a walk
 * @value: (out) (transfer full): the text, %NULL for null; what it held is freed
 *
 * Returns: whether the value here is a text or null
 */
gboolean
gw_json_walk_take_string (GwJsonWalk *walk,
                          char **value)
{
  const char *first = walk->p + 1;
  const char *p = first;
  gboolean is_ascii = TRUE;

  if (gw_json_walk_take_null (walk))
    {
      g_clear_pointer (value, g_free);
      return TRUE;
    }
  if (walk->p == walk->end || *walk->p != '"')
    return FALSE;

  for (; *p != '"' && *p != '\\'; p++)
    is_ascii &= (guchar) *p < 0x80;
  g_free (*value);
  if (*p == '"' && (is_ascii || g_utf8_validate_len (first, (gsize) (p - first), NULL)))
    {
      *value = g_strndup (first, (gsize) (p - first));
      walk->p = p + 1;
    }
  else
    {
      *value = _gw_json_build_string (&walk->p, walk->end, TRUE);
    }
  go_on (walk);

  return TRUE;
}

/**
 * gw_json_walk_take_count:
 * @walk: a walk
 * @value: (out): the number
 *
 * Returns: whether the value here is an integer, written as one, of at most 18 digits and no sign
 */
gboolean
gw_json_walk_take_count (GwJsonWalk *walk,
                         gint64 *value)
{
  const char *p = walk->p;
  gint64 number = 0;

  while (p < walk->end && g_ascii_isdigit (*p) && p - walk->p < MAX_DIGITS)
    number = number * 10 + (*p++ - '0');
  if (p == walk->p
      || (p < walk->end && (g_ascii_isdigit (*p) || *p == '.' || *p == 'e' || *p == 'E')))
    return FALSE;

  *value = number;
  walk->p = p;
  go_on (walk);

  return TRUE;
}

/**
 * gw_json_walk_take_boolean:
 * @walk: a walk
 * @value: (out): which
 *
 * Returns: whether the value here is true or false
 */
gboolean
gw_json_walk_take_boolean (GwJsonWalk *walk,
                           gboolean *value)
{
  if (walk->p == walk->end || (*walk->p != 't' && *walk->p != 'f'))
    return FALSE;

  *value = *walk->p == 't';
  walk->p += *value ? strlen ("true") : strlen ("false");
  go_on (walk);

  return TRUE;
}

/**
 * gw_json_walk_take_tree:
 * @walk: a walk
 *
 * Returns: (transfer full): the value here, as gw_json_parse_reply() has it
 */
JsonNode *
gw_json_walk_take_tree (GwJsonWalk *walk)
{
  JsonNode *node = _gw_json_build_at (&walk->p, walk->end, TRUE);

  go_on (walk);

  return node;
}
