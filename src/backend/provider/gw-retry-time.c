/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How long a provider asks us to wait, in each of the forms that providers use. Pure: the wall
 * clock is given. What comes out is never negative but for -1, "nothing is said"; bounding it is
 * the caller's part. */

#define G_LOG_DOMAIN "gw-retry-time"

#include "config.h"

#include <math.h>
#include <string.h>

#include "provider/gw-retry-time.h"

/* Beyond this every number means "far too long"; it keeps sums from overflowing. */
#define FAR_MS (G_GINT64_CONSTANT (1000) * 60 * 60 * 24 * 365 * 100)

static const struct {
  const char *name;
  double ms;
} units[] = {
  { "us", 0.001 },       { "ms", 1 },          { "millisecond", 1 }, { "milliseconds", 1 },
  { "s", 1000 },         { "sec", 1000 },      { "secs", 1000 },     { "second", 1000 },
  { "seconds", 1000 },   { "m", 60000 },       { "min", 60000 },     { "mins", 60000 },
  { "minute", 60000 },   { "minutes", 60000 }, { "h", 3600000 },     { "hr", 3600000 },
  { "hour", 3600000 },   { "hours", 3600000 }, { "d", 86400000 },    { "day", 86400000 },
  { "days", 86400000 },
};

static double
unit_of (const char *name,
         gsize length)
{
  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    {
      if (strlen (units[i].name) == length
          && g_ascii_strncasecmp (units[i].name, name, length) == 0)
        return units[i].ms;
    }

  return -1;
}

static gint64
to_ms (double ms)
{
  if (!isfinite (ms) || ms >= (double) FAR_MS)
    return FAR_MS;

  return ms <= 0 ? 0 : (gint64) ceil (ms);
}

/**
 * gw_retry_time_parse_duration:
 * @text: (nullable): as `20`, `1s`, `6m0s`, `125ms`, `1 minute 5 seconds`; a bare number is seconds
 *
 * Returns: milliseconds, or -1 where @text does not begin with a duration
 */
gint64
gw_retry_time_parse_duration (const char *text)
{
  gboolean any = FALSE;
  double sum = 0;

  while (text != NULL)
    {
      char *end = NULL;
      gsize length = 0;
      double number;
      double unit;

      while (g_ascii_isspace (*text))
        text++;
      if (!g_ascii_isdigit (*text) && *text != '.')
        break;
      number = g_ascii_strtod (text, &end);
      if (end == text)
        break;
      while (*end == ' ')
        end++;
      while (g_ascii_isalpha (end[length]))
        length++;
      unit = length > 0 ? unit_of (end, length) : -1;
      if (unit < 0)
        {
          if (!any)
            {
              sum = number * 1000;
              any = TRUE;
            }
          break;
        }
      sum += number * unit;
      any = TRUE;
      text = end + length;
    }

  return any ? to_ms (sum) : -1;
}

/* An epoch in seconds or milliseconds, or a duration: `x-ratelimit-reset` is all of these. */
static gint64
parse_reset (const char *text,
             gint64 wall_ms)
{
  char *end = NULL;
  double number;

  if (text == NULL)
    return -1;
  number = g_ascii_strtod (text, &end);
  if (end != text && *end == '\0' && number >= 1e9)
    return to_ms ((number >= 1e11 ? number : number * 1000) - (double) wall_ms);

  return gw_retry_time_parse_duration (text);
}

static gint64
parse_retry_after (const char *text,
                   gint64 wall_ms)
{
  g_autoptr (GDateTime) date = NULL;
  char *end = NULL;
  double number;

  number = g_ascii_strtod (text, &end);
  if (end != text && *end == '\0')
    return to_ms (number * 1000);

  date = soup_date_time_new_from_http_string (text);
  if (date != NULL)
    return to_ms ((double) g_date_time_to_unix (date) * 1000 - (double) wall_ms);

  return gw_retry_time_parse_duration (text);
}

/**
 * gw_retry_time_from_headers:
 * @headers: (nullable): of a reply that refuses
 * @wall_ms: Unix time
 *
 * Returns: milliseconds to wait, or -1
 */
gint64
gw_retry_time_from_headers (SoupMessageHeaders *headers,
                            gint64 wall_ms)
{
  static const char *const dimensions[] = { "requests", "tokens" };
  const char *text;
  gint64 longest = -1;
  gint64 ms;

  if (headers == NULL)
    return -1;

  text = soup_message_headers_get_one (headers, "retry-after-ms");
  ms = text != NULL && g_ascii_isdigit (*text) ? to_ms (g_ascii_strtod (text, NULL)) : -1;
  if (ms >= 0)
    return ms;
  text = soup_message_headers_get_one (headers, "retry-after");
  ms = text != NULL ? parse_retry_after (text, wall_ms) : -1;
  if (ms >= 0)
    return ms;

  /* Of two windows the one that is used up counts. */
  for (guint i = 0; i < G_N_ELEMENTS (dimensions); i++)
    {
      g_autofree char *remaining = g_strconcat ("x-ratelimit-remaining-", dimensions[i], NULL);
      g_autofree char *reset = g_strconcat ("x-ratelimit-reset-", dimensions[i], NULL);

      text = soup_message_headers_get_one (headers, remaining);
      if (text == NULL || g_ascii_strtod (text, NULL) > 0)
        continue;
      longest = MAX (longest,
                     parse_reset (soup_message_headers_get_one (headers, reset), wall_ms));
    }
  for (guint i = 0; longest < 0 && i < G_N_ELEMENTS (dimensions); i++)
    {
      g_autofree char *reset = g_strconcat ("x-ratelimit-reset-", dimensions[i], NULL);

      longest = parse_reset (soup_message_headers_get_one (headers, reset), wall_ms);
    }
  if (longest < 0)
    longest = parse_reset (soup_message_headers_get_one (headers, "x-ratelimit-reset"), wall_ms);
  if (longest < 0)
    longest = parse_reset (soup_message_headers_get_one (headers, "ratelimit-reset"), wall_ms);

  return longest;
}

/**
 * gw_retry_time_from_text:
 * @text: (nullable): what a provider says, as `Please try again in 6m0s.`
 *
 * Returns: milliseconds to wait, or -1
 */
gint64
gw_retry_time_from_text (const char *text)
{
  static const char *const phrases[] = { "again in ", "retry in ", "retry after ", "wait for ",
                                         "wait ", "retrydelay\": \"" };
  g_autofree char *lower = NULL;

  if (text == NULL)
    return -1;
  lower = g_ascii_strdown (text, -1);
  for (guint i = 0; i < G_N_ELEMENTS (phrases); i++)
    {
      const char *found = strstr (lower, phrases[i]);

      for (; found != NULL; found = strstr (found + 1, phrases[i]))
        {
          const char *duration = found + strlen (phrases[i]);
          gint64 ms;

          if (g_str_has_prefix (duration, "about "))
            duration += strlen ("about ");
          ms = gw_retry_time_parse_duration (duration);
          if (ms >= 0)
            return ms;
        }
    }

  return -1;
}

/**
 * gw_retry_time_until_date:
 * @text: (nullable): what a provider says, with a date and time in it
 * @offset_minutes: the zone of a time that names none
 * @wall_ms: Unix time
 *
 * Returns: milliseconds until then, 0 if it is past, or -1 where there is no such time
 */
gint64
gw_retry_time_until_date (const char *text,
                          int offset_minutes,
                          gint64 wall_ms)
{
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GMatchInfo) match = NULL;
  g_autoptr (GTimeZone) zone = NULL;
  g_autoptr (GDateTime) date = NULL;
  int parts[6] = { 0 };
  g_autofree char *suffix = NULL;

  if (text == NULL)
    return -1;
  regex = g_regex_new ("(\\d{4})[-/](\\d{1,2})[-/](\\d{1,2})[T ]+(\\d{1,2}):(\\d{2})(?::(\\d{2}))?"
                       "(?:\\.\\d+)?\\s?(Z|UTC|GMT|[+-]\\d{2}:?\\d{2})?",
                       0, 0, NULL);
  if (!g_regex_match (regex, text, 0, &match))
    return -1;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *part = g_match_info_fetch (match, (int) i + 1);

      parts[i] = part != NULL ? atoi (part) : 0;
    }
  suffix = g_match_info_fetch (match, 7);
  if (suffix == NULL || *suffix == '\0')
    zone = g_time_zone_new_offset (offset_minutes * 60);
  else if (g_ascii_isalpha (*suffix))
    zone = g_time_zone_new_utc ();
  else
    zone = g_time_zone_new_identifier (suffix);
  if (zone == NULL)
    return -1;
  date = g_date_time_new (zone, parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  if (date == NULL)
    return -1;

  return to_ms ((double) g_date_time_to_unix (date) * 1000 - (double) wall_ms);
}
