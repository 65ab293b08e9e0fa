/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Builds json-glib's tree from text that the pre-scan has passed. json-glib's own parser is not
 * used: 1.6.6 reads 1e20 as -1, cuts a text at \u0000 and takes much that is not JSON.
 *
 * Threads: any; a tree belongs to whoever got it.
 *
 * Guarantee: integers of 64 bits are kept as they are, other numbers as the nearest double. Of a
 * repeated member the last one counts. The recursion is as deep as the pre-scan allowed.
 */

#define G_LOG_DOMAIN "gw-json"

#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gw-json-private.h"

#define REPLACEMENT "\xef\xbf\xbd"

typedef struct {
  const char *p;
  const char *end;
  gboolean lenient;
  GString *buffer;   /* (owned) the text that is being read */
} Build;

static JsonNode *build_value (Build *build);

static inline void
skip_space (Build *build)
{
  while (build->p < build->end
         && (*build->p == ' ' || *build->p == '\n' || *build->p == '\r' || *build->p == '\t'))
    build->p++;
}

static gboolean
number_to_int (const char *text,
               gint64 *value)
{
  errno = 0;
  *value = g_ascii_strtoll (text, NULL, 10);

  return errno == 0;
}

gboolean
_gw_json_number_fits (const char *text,
                      gsize length,
                      gboolean is_integer)
{
  g_autofree char *copy = g_strndup (text, length);
  gint64 integer;

  if (is_integer)
    return number_to_int (copy, &integer);

  return isfinite (g_ascii_strtod (copy, NULL));
}

static JsonNode *
build_number (Build *build)
{
  JsonNode *node = json_node_alloc ();
  const char *first = build->p;
  gboolean is_integer = TRUE;
  g_autofree char *copy = NULL;
  char local[32];
  char *digits = local;
  gint64 integer;
  double value;

  while (build->p < build->end
         && (g_ascii_isdigit (*build->p) || memchr ("+-.eE", *build->p, 5) != NULL))
    {
      if (memchr (".eE", *build->p, 3) != NULL)
        is_integer = FALSE;
      build->p++;
    }
  if ((gsize) (build->p - first) < sizeof local)
    {
      memcpy (local, first, build->p - first);
      local[build->p - first] = '\0';
    }
  else
    digits = copy = g_strndup (first, build->p - first);

  if (is_integer && number_to_int (digits, &integer))
    return json_node_init_int (node, integer);

  /* Only a lenient scan lets these pass: as near as can be told. */
  value = g_ascii_strtod (digits, NULL);
  return json_node_init_double (node, CLAMP (value, -G_MAXDOUBLE, G_MAXDOUBLE));
}

static gunichar
read_unit (const char *digits)
{
  gunichar value = 0;

  for (guint i = 0; i < 4; i++)
    value = value * 16 + g_ascii_xdigit_value (digits[i]);

  return value;
}

static void
append_escape (Build *build)
{
  gunichar unit, low;

  build->p++;
  switch (*build->p++)
    {
    case 'b':
      g_string_append_c (build->buffer, '\b');
      return;
    case 'f':
      g_string_append_c (build->buffer, '\f');
      return;
    case 'n':
      g_string_append_c (build->buffer, '\n');
      return;
    case 'r':
      g_string_append_c (build->buffer, '\r');
      return;
    case 't':
      g_string_append_c (build->buffer, '\t');
      return;
    case 'u':
      break;
    default:
      g_string_append_c (build->buffer, build->p[-1]);
      return;
    }

  unit = read_unit (build->p);
  build->p += 4;
  if (unit >= 0xd800 && unit <= 0xdbff && build->end - build->p >= 6 && build->p[0] == '\\'
      && build->p[1] == 'u' && (low = read_unit (build->p + 2)) >= 0xdc00 && low <= 0xdfff)
    {
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      build->p += 6;
    }
  if (unit == 0 || (unit >= 0xd800 && unit <= 0xdfff))
    g_string_append (build->buffer, REPLACEMENT);
  else
    g_string_append_unichar (build->buffer, unit);
}

/* Returns the text of the string at build->p, valid until the next call. */
static const char *
build_string (Build *build)
{
  g_string_truncate (build->buffer, 0);
  build->p++;
  for (;;)
    {
      const char *first = build->p;

      while (*build->p != '"' && *build->p != '\\')
        build->p++;
      g_string_append_len (build->buffer, first, build->p - first);
      if (*build->p == '"')
        break;
      append_escape (build);
    }
  build->p++;

  if (build->lenient && !g_utf8_validate_len (build->buffer->str, build->buffer->len, NULL))
    {
      g_autofree char *valid = g_utf8_make_valid (build->buffer->str, build->buffer->len);

      g_string_assign (build->buffer, valid);
    }

  return build->buffer->str;
}

static JsonNode *
build_object (Build *build)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), object);

  json_object_unref (object);
  build->p++;
  skip_space (build);
  while (*build->p != '}')
    {
      g_autofree char *name = g_strdup (build_string (build));

      skip_space (build);
      build->p++;
      json_object_set_member (object, name, build_value (build));
      skip_space (build);
      if (*build->p == ',')
        build->p++;
      skip_space (build);
    }
  build->p++;

  return node;
}

static JsonNode *
build_array (Build *build)
{
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_init_array (json_node_alloc (), array);

  json_array_unref (array);
  build->p++;
  skip_space (build);
  while (*build->p != ']')
    {
      json_array_add_element (array, build_value (build));
      skip_space (build);
      if (*build->p == ',')
        build->p++;
      skip_space (build);
    }
  build->p++;

  return node;
}

static JsonNode *
build_value (Build *build)
{
  skip_space (build);
  switch (*build->p)
    {
    case '{':
      return build_object (build);
    case '[':
      return build_array (build);
    case '"':
      return json_node_init_string (json_node_alloc (), build_string (build));
    case 't':
      build->p += 4;
      return json_node_init_boolean (json_node_alloc (), TRUE);
    case 'f':
      build->p += 5;
      return json_node_init_boolean (json_node_alloc (), FALSE);
    case 'n':
      build->p += 4;
      return json_node_init_null (json_node_alloc ());
    default:
      return build_number (build);
    }
}

JsonNode *
_gw_json_build_at (const char **text,
                   const char *end,
                   gboolean lenient)
{
  Build build = { .p = *text, .end = end, .lenient = lenient };
  JsonNode *node;

  build.buffer = g_string_new (NULL);
  node = build_value (&build);
  g_string_free (build.buffer, TRUE);
  *text = build.p;

  return node;
}

char *
_gw_json_build_string (const char **text,
                       const char *end,
                       gboolean lenient)
{
  Build build = { .p = *text, .end = end, .lenient = lenient };

  build.buffer = g_string_new (NULL);
  build_string (&build);
  *text = build.p;

  return g_string_free (build.buffer, FALSE);
}

/* @text has passed _gw_json_scan(), as leniently. */
JsonNode *
_gw_json_build (const char *text,
                gsize length,
                gboolean lenient)
{
  const char *first = text;

  if (length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0)
    first += 3;

  return _gw_json_build_at (&first, text + length, lenient);
}
