/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The pre-scan of JSON text from outside: one pass over the bytes, no recursion, no allocation. It
 * holds to RFC 8259 to the letter (one value, its own quotes, numbers and escapes, no comments),
 * and checks what the RFC leaves open: UTF-8, depth, U+0000, lone surrogates, numbers that could
 * not be given back as they came. What passes, the builder (gw-json-parse.c) takes without a doubt.
 *
 * Threads: any; there is no state but the caller's.
 *
 * Guarantee: reads no byte beyond the given length. Where a text is both malformed and holds a
 * forbidden character, it is reported as malformed: only JSON can have a wrong field.
 */

#define G_LOG_DOMAIN "gw-json"

#include "config.h"

#include <math.h>
#include <string.h>

#include <glib/gi18n.h>

#include "gw-json-private.h"

#define DEPTH_LIMIT 256

typedef struct {
  const guchar *start;
  const guchar *p;
  const guchar *end;
  gboolean lenient;
  guint depth;
  guint max_depth;
  gboolean is_object[DEPTH_LIMIT + 1];
  const char *forbidden;   /* (nullable) (unowned) the first character that is JSON but not taken */
  gsize forbidden_at;
} Scan;

/* The message is English, as all of HTTP is; who shows it to people translates it by its two parts
 * (src/client/gw-import-json.c). */
static gboolean
fail (const Scan *scan,
      const char *what,
      GError **error)
{
  g_set_error (error, GW_ERROR, GW_ERROR_NOT_JSON, "Not JSON: %s at byte %" G_GSIZE_FORMAT,
               what, (gsize) (scan->p - scan->start));
  return FALSE;
}

static void
forbid (Scan *scan,
        const guchar *at,
        const char *what)
{
  if (scan->forbidden == NULL && !scan->lenient)
    {
      scan->forbidden = what;
      scan->forbidden_at = at - scan->start;
    }
}

static inline void
skip_space (Scan *scan)
{
  while (scan->p < scan->end
         && (*scan->p == ' ' || *scan->p == '\n' || *scan->p == '\r' || *scan->p == '\t'))
    scan->p++;
}

/* Whether any of eight bytes is not plain text inside a string: a quote, a backslash, a control
 * character or a byte over 0x7f. The usual tricks on a word of bytes, high bits as the answer. */
static inline gboolean
has_special (const guchar *bytes)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);
  const guint64 highs = G_GUINT64_CONSTANT (0x8080808080808080);
  guint64 word, quote, backslash;

  memcpy (&word, bytes, sizeof word);
  quote = word ^ (ones * '"');
  backslash = word ^ (ones * '\\');

  return ((word
           | (word - ones * 0x20)
           | (quote - ones)
           | (backslash - ones)) & highs) != 0;
}

static int
hex_value (const guchar *digits)
{
  int value = 0;

  for (guint i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (digits[i]);

      if (digit < 0)
        return -1;
      value = value * 16 + digit;
    }

  return value;
}

static gboolean
scan_escape (Scan *scan,
             GError **error)
{
  const guchar *at = scan->p;
  int unit, low;

  if (scan->end - scan->p < 2)
    return fail (scan, N_("text that does not end"), error);

  switch (scan->p[1])
    {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
      scan->p += 2;
      return TRUE;
    case 'u':
      break;
    default:
      return fail (scan, N_("an unknown escape"), error);
    }

  if (scan->end - scan->p < 6 || (unit = hex_value (scan->p + 2)) < 0)
    return fail (scan, N_("\\u without four hexadecimal digits"), error);
  scan->p += 6;

  if (unit == 0)
    forbid (scan, at, "the character U+0000");
  else if (unit >= 0xdc00 && unit <= 0xdfff)
    forbid (scan, at, "half of a surrogate pair");
  else if (unit >= 0xd800 && unit <= 0xdbff)
    {
      if (scan->end - scan->p >= 6 && scan->p[0] == '\\' && scan->p[1] == 'u'
          && (low = hex_value (scan->p + 2)) >= 0xdc00 && low <= 0xdfff)
        scan->p += 6;
      else
        forbid (scan, at, "half of a surrogate pair");
    }

  return TRUE;
}

/* One character of more than one byte, at scan->p. */
static gboolean
scan_character (Scan *scan,
                GError **error)
{
  const guchar *p = scan->p;
  gsize left = scan->end - p;

  if (p[0] >= 0xc2 && p[0] <= 0xdf && left >= 2 && (p[1] & 0xc0) == 0x80)
    {
      scan->p += 2;
      return TRUE;
    }
  if (p[0] >= 0xe0 && p[0] <= 0xef && left >= 3 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80
      && (p[0] != 0xe0 || p[1] >= 0xa0))
    {
      if (p[0] == 0xed && p[1] >= 0xa0)
        forbid (scan, p, "half of a surrogate pair");
      scan->p += 3;
      return TRUE;
    }
  if (p[0] >= 0xf0 && p[0] <= 0xf4 && left >= 4 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80
      && (p[3] & 0xc0) == 0x80 && (p[0] != 0xf0 || p[1] >= 0x90) && (p[0] != 0xf4 || p[1] <= 0x8f))
    {
      scan->p += 4;
      return TRUE;
    }
  if (scan->lenient)
    {
      scan->p++;
      return TRUE;
    }

  return fail (scan, N_("text that is not UTF-8"), error);
}

/* From the opening quote to behind the closing one. */
static gboolean
scan_string (Scan *scan,
             GError **error)
{
  scan->p++;
  for (;;)
    {
      guchar c;

      while (scan->end - scan->p >= 8 && !has_special (scan->p))
        scan->p += 8;
      if (scan->p == scan->end)
        return fail (scan, N_("text that does not end"), error);

      c = *scan->p;
      if (c == '"')
        {
          scan->p++;
          return TRUE;
        }
      else if (c == '\\')
        {
          if (!scan_escape (scan, error))
            return FALSE;
        }
      else if (c >= 0x80)
        {
          if (!scan_character (scan, error))
            return FALSE;
        }
      else if (c >= 0x20)
        scan->p++;
      else if (c == '\0')
        {
          forbid (scan, scan->p, "the character U+0000");
          scan->p++;
        }
      else
        return fail (scan, N_("a control character inside a text"), error);
    }
}

static gboolean
skip_digits (Scan *scan)
{
  const guchar *first = scan->p;

  while (scan->p < scan->end && g_ascii_isdigit (*scan->p))
    scan->p++;

  return scan->p > first;
}

static gboolean
scan_number (Scan *scan,
             GError **error)
{
  const guchar *first = scan->p;
  gboolean is_integer = TRUE;

  if (*scan->p == '-')
    scan->p++;
  if (scan->p < scan->end && *scan->p == '0')
    {
      scan->p++;
      if (scan->p < scan->end && g_ascii_isdigit (*scan->p))
        return fail (scan, N_("a number that begins with 0"), error);
    }
  else if (!skip_digits (scan))
    return fail (scan, N_("a number without digits"), error);

  if (scan->p < scan->end && *scan->p == '.')
    {
      is_integer = FALSE;
      scan->p++;
      if (!skip_digits (scan))
        return fail (scan, N_("a number without digits behind its point"), error);
    }
  if (scan->p < scan->end && (*scan->p == 'e' || *scan->p == 'E'))
    {
      is_integer = FALSE;
      scan->p++;
      if (scan->p < scan->end && (*scan->p == '+' || *scan->p == '-'))
        scan->p++;
      if (!skip_digits (scan))
        return fail (scan, N_("a number without digits in its exponent"), error);
    }

  /* Eighteen characters fit in any case. */
  if (scan->p - first > 18 || !is_integer)
    {
      if (!_gw_json_number_fits ((const char *) first, scan->p - first, is_integer))
        forbid (scan, first, "a number that is too large to be kept as it is (send it as text)");
    }

  return TRUE;
}

static gboolean
scan_word (Scan *scan,
           const char *word,
           GError **error)
{
  gsize length = strlen (word);

  if ((gsize) (scan->end - scan->p) < length || memcmp (scan->p, word, length) != 0)
    return fail (scan, N_("an unknown word"), error);

  scan->p += length;
  return TRUE;
}

/* A member's name and the colon. */
static gboolean
scan_name (Scan *scan,
           GError **error)
{
  skip_space (scan);
  if (scan->p == scan->end || *scan->p != '"')
    return fail (scan, N_("no member name"), error);
  if (!scan_string (scan, error))
    return FALSE;
  skip_space (scan);
  if (scan->p == scan->end || *scan->p != ':')
    return fail (scan, N_("no colon"), error);
  scan->p++;

  return TRUE;
}

static gboolean
enter (Scan *scan,
       gboolean is_object,
       GError **error)
{
  if (scan->depth >= scan->max_depth)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_NOT_JSON,
                   "Not JSON that is taken here: nested deeper than %u at byte %" G_GSIZE_FORMAT,
                   scan->max_depth, (gsize) (scan->p - scan->start));
      return FALSE;
    }

  scan->is_object[scan->depth++] = is_object;
  scan->p++;
  skip_space (scan);
  return TRUE;
}

/* Reads the start of one value. @open: the value is an array or object and its first value comes
 * next; else the value is complete. */
static gboolean
scan_value (Scan *scan,
            gboolean *open,
            GError **error)
{
  *open = FALSE;
  skip_space (scan);
  if (scan->p == scan->end)
    return fail (scan, scan->depth == 0 ? N_("nothing") : N_("an early end"), error);

  switch (*scan->p)
    {
    case '{':
      if (!enter (scan, TRUE, error))
        return FALSE;
      if (scan->p < scan->end && *scan->p == '}')
        break;
      *open = TRUE;
      return scan_name (scan, error);
    case '[':
      if (!enter (scan, FALSE, error))
        return FALSE;
      if (scan->p < scan->end && *scan->p == ']')
        break;
      *open = TRUE;
      return TRUE;
    case '"':
      return scan_string (scan, error);
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
      return scan_number (scan, error);
    case 't':
      return scan_word (scan, "true", error);
    case 'f':
      return scan_word (scan, "false", error);
    case 'n':
      return scan_word (scan, "null", error);
    default:
      return fail (scan, N_("no value"), error);
    }

  scan->depth--;
  scan->p++;
  return TRUE;
}

/* Behind a value: closes what ends here. @more: another value follows, else the text is over. */
static gboolean
scan_behind_value (Scan *scan,
                   gboolean *more,
                   GError **error)
{
  for (;;)
    {
      gboolean is_object;

      skip_space (scan);
      if (scan->depth == 0)
        {
          *more = FALSE;
          return scan->p == scan->end
                 || fail (scan, N_("more after the end of the value"), error);
        }
      if (scan->p == scan->end)
        return fail (scan, N_("an early end"), error);

      is_object = scan->is_object[scan->depth - 1];
      if (*scan->p == ',')
        {
          scan->p++;
          *more = TRUE;
          return !is_object || scan_name (scan, error);
        }
      if (*scan->p != (is_object ? '}' : ']'))
        return fail (scan, is_object ? N_("neither a comma nor }")
                                      : N_("neither a comma nor ]"), error);

      scan->p++;
      scan->depth--;
    }
}

gboolean
_gw_json_scan (const char *text,
               gsize length,
               guint max_depth,
               gboolean lenient,
               GError **error)
{
  Scan scan = {
    .start = (const guchar *) text,
    .p = (const guchar *) text,
    .end = (const guchar *) text + length,
    .lenient = lenient,
    .max_depth = MIN (max_depth, DEPTH_LIMIT),
  };
  gboolean more = TRUE;
  gboolean open;

  if (length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0)
    scan.p += 3;

  while (more)
    {
      if (!scan_value (&scan, &open, error))
        return FALSE;
      if (!open && !scan_behind_value (&scan, &more, error))
        return FALSE;
    }

  if (scan.forbidden != NULL)
    {
      g_set_error (error, GW_ERROR, GW_ERROR_INVALID, "Not accepted: %s at byte %" G_GSIZE_FORMAT,
                   scan.forbidden, scan.forbidden_at);
      return FALSE;
    }

  return TRUE;
}

/**
 * gw_json_check:
 * @text: (array length=length): bytes from outside, not necessarily ended by a zero
 * @length: bytes
 * @max_depth: how deep arrays and objects may be nested, at most 256
 * @error: %GW_ERROR_NOT_JSON or %GW_ERROR_INVALID; the message tells the byte
 *
 * Any thread.
 *
 * Returns: whether @text is one JSON value that gw_json_parse() can take
 */
gboolean
gw_json_check (const char *text,
               gsize length,
               guint max_depth,
               GError **error)
{
  return _gw_json_scan (text, length, max_depth, FALSE, error);
}
