/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Judges what came back from a provider: an answer, or an error with what follows for the task and
 * for the lane. Pure, so that the whole of it is a table in a test.
 *
 * The body speaks before the status, since one status (429) stands for many things: first the codes
 * that providers document, then words, then the status (gw-reply-words.c). One bad key stops a lane
 * once; it does not fail the tasks. A lane is only ever stopped by what the user must mend. Where a
 * provider asks to wait without saying how long, lane_for_ms stays 0 and the provider object's own
 * back-off decides. */

#define G_LOG_DOMAIN "gw-reply-classifier"

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "gw-log.h"
#include "provider/gw-reply-classifier-private.h"
#include "provider/gw-retry-time.h"

#define MAX_SAID 300                  /* characters of the provider's own words in a message */
#define MAX_DATED_MS (G_GINT64_CONSTANT (1000) * 60 * 60 * 24 * 35)
#define CHINA_MINUTES (8 * 60)

/* The status that an error under a 200 stands for; 0 where nothing tells. */
static guint
status_of_body (const GwReplyBody *body)
{
  guint64 number;

  if (body->error_code != NULL
      && g_ascii_string_to_unsigned (body->error_code, 10, 400, 599, &number, NULL))
    return (guint) number;
  if (g_strcmp0 (body->error_type, "invalid_request_error") == 0)
    return 400;

  return 0;
}

static const char *
describe_status (guint status)
{
  static const struct {
    guint status;
    const char *phrase;
  } newer[] = { /* than libsoup knows */
    { 429, "Too Many Requests" }, { 451, "Unavailable For Legal Reasons" }, { 529, "Overloaded" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (newer); i++)
    {
      if (newer[i].status == status)
        return newer[i].phrase;
    }

  return soup_status_get_phrase (status);
}

/* The provider's own words on one line, keys taken out before they are cut. */
static char *
dup_said (const GwRawReply *raw,
          const GwReplyBody *body)
{
  g_autofree char *redacted = NULL;
  g_autofree char *code = NULL;
  g_autofree char *text = NULL;

  if (body->error_code != NULL && strlen (body->error_code) <= 64)
    code = gw_log_redact (body->error_code);
  if (body->error_message != NULL)
    {
      redacted = gw_log_redact (body->error_message);
      text = g_utf8_substring (redacted, 0, MIN (MAX_SAID, g_utf8_strlen (redacted, -1)));
      for (char *c = text; *c != '\0'; c++)
        {
          if (g_ascii_iscntrl (*c))
            *c = ' ';
        }
      g_strstrip (text);
    }
  else if (body->is_html)
    text = g_strdup ("an HTML page");
  else
    text = g_strdup (describe_status (raw->status));

  if (code != NULL && raw->status < 300)
    return g_strdup_printf ("%s: %s", code, text);
  if (code != NULL && strtoul (code, NULL, 10) != raw->status)
    return g_strdup_printf ("%u, %s: %s", raw->status, code, text);

  return g_strdup_printf ("%u: %s", raw->status, text);
}

/**
 * gw_reply_set_raw:
 * @reply: a reply
 * @body: (nullable): bytes that came back
 * @length: how many
 *
 * Keeps the first GW_RAW_MAX_BYTES as text, known keys taken out.
 */
void
gw_reply_set_raw (GwReply *reply,
                  const char *body,
                  gsize length)
{
  g_autofree char *valid = NULL;
  g_autofree char *redacted = NULL;
  gsize cut;

  g_clear_pointer (&reply->raw, g_free);
  if (body == NULL || length == 0)
    return;

  /* Keys go before the cut, so that no first half of one is left at its edge. */
  valid = g_utf8_make_valid (body, (gssize) MIN (length, GW_RAW_MAX_BYTES + 4096));
  redacted = gw_log_redact (valid);
  cut = strlen (redacted);
  if (cut > GW_RAW_MAX_BYTES)
    {
      cut = GW_RAW_MAX_BYTES;
      while (cut > 0 && (redacted[cut] & 0xc0) == 0x80)
        cut--;
    }
  reply->raw = g_strndup (redacted, cut);
}

static gint64
asked_wait (const GwRawReply *raw,
            const GwReplyBody *body)
{
  gint64 ms = gw_retry_time_from_headers (raw->headers, raw->wall_ms);
  g_autofree char *start = NULL;

  if (ms < 0)
    ms = gw_retry_time_from_text (body->error_message);
  if (ms < 0 && raw->body != NULL)
    {
      start = g_utf8_make_valid (raw->body, (gssize) MIN (raw->length, GW_RAW_MAX_BYTES));
      ms = strstr (start, "retryDelay") != NULL ? gw_retry_time_from_text (start) : -1;
    }

  return ms;
}

/* A time that the text names. Zhipu writes that of China without saying so; a time that would be
 * past then is tried as UTC. */
static gint64
asked_date (const GwRawReply *raw,
            const GwReplyBody *body)
{
  gint64 ms = gw_retry_time_until_date (body->error_message, CHINA_MINUTES, raw->wall_ms);

  if (ms == 0)
    ms = gw_retry_time_until_date (body->error_message, 0, raw->wall_ms);

  return ms > 0 ? MIN (ms, MAX_DATED_MS) : -1;
}

static void
park (GwReply *reply,
      gint64 ms)
{
  reply->lane_act = GW_LANE_PARK;
  reply->lane_for_ms = MAX (ms, 0);
  /* It is the lane that waits; another one may take the task at once. */
  reply->retry_after_ms = 1;
}

static void
stop (GwReply *reply)
{
  reply->lane_act = GW_LANE_STOP;
  reply->retry_after_ms = 1;
}

static const char *
describe_wait (gint64 asked_ms)
{
  if (asked_ms <= GW_RETRY_MAX_MS)
    return "";

  return " It asked to wait far longer than an hour; it is asked again after one.";
}

static void
set_slow_down (GwReply *reply,
               const GwRawReply *raw,
               const GwReplyBody *body,
               GwReplyKind kind,
               const char *lower,
               const char *said)
{
  gint64 asked = asked_wait (raw, body);
  gint64 dated = asked > 0 ? -1 : asked_date (raw, body);
  gboolean daily = kind != GW_REPLY_KIND_OVERLOADED && _gw_reply_says_day (lower);

  if (dated > 0)
    {
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE,
                          "%s takes no more until a time that it names (%s). Its tasks wait.",
                          raw->title, said);
      park (reply, dated);
      return;
    }
  if (daily && asked <= 0)
    {
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_QUOTA,
                          "The day's share of %s is used up (%s). Resume it tomorrow, or use "
                          "another provider.", raw->title, said);
      stop (reply);
      return;
    }

  if (kind == GW_REPLY_KIND_OVERLOADED)
    gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_SERVER,
                        "%s is overloaded (%s). It is asked again in a while.%s", raw->title, said,
                        describe_wait (asked));
  else
    {
      /* Nothing said about time or rate: nearly always too many at once. */
      reply->too_many_at_once = kind == GW_REPLY_KIND_TOO_MANY
                                || _gw_reply_says_many_at_once (lower)
                                || (asked <= 0 && kind != GW_REPLY_KIND_CAPPED
                                    && !_gw_reply_says_rate (lower)
                                    && _gw_reply_kind_of_code (body->error_code)
                                       == GW_REPLY_KIND_UNKNOWN);
      if (kind == GW_REPLY_KIND_TOO_MANY && _gw_reply_says_rate (lower)
          && !_gw_reply_says_many_at_once (lower))
        reply->too_many_at_once = FALSE;
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE,
                          reply->too_many_at_once
                              ? "%s takes fewer calls at once than are sent (%s).%s"
                              : "%s asks to slow down (%s).%s",
                          raw->title, said, describe_wait (asked));
    }
  if (asked <= 0 && kind == GW_REPLY_KIND_CAPPED)
    asked = GW_RETRY_MAX_MS;
  park (reply, MIN (asked, GW_RETRY_MAX_MS));
}

static void
set_no_model (GwReply *reply,
              const GwRawReply *raw,
              GwReplyKind kind,
              const char *said)
{
  const char *model = raw->model != NULL ? raw->model : "the model";

  if (raw->model_pinned)
    {
      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_MODEL,
                          "\"%s\" is not offered by %s (%s). Choose another model for this task.",
                          model, raw->title, said);
      return;
    }
  if (kind == GW_REPLY_KIND_ADDRESS)
    gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_MODEL,
                        "At its address %s has no such service, or not \"%s\" (%s). Check base-url "
                        "and model, then resume it.", raw->title, model, said);
  else
    gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_MODEL,
                        "\"%s\" is not offered by %s (%s). Choose a model that it offers, then "
                        "resume it.", model, raw->title, said);
  stop (reply);
}

static void
set_redirect (GwReply *reply,
              const GwRawReply *raw)
{
  const char *location = raw->headers != NULL
                             ? soup_message_headers_get_one (raw->headers, "Location") : NULL;
  g_autoptr (GUri) uri = location != NULL ? g_uri_parse (location, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_NETWORK,
                      "%s sends calls on to %s (%u); they are not followed, so that the key goes "
                      "nowhere else. Set base-url to the right address, then resume it.",
                      raw->title, host != NULL ? host : "another address", raw->status);
  stop (reply);
}

static void
set_error (GwReply *reply,
           const GwRawReply *raw,
           const GwReplyBody *body)
{
  guint status = raw->status >= 300 ? raw->status : status_of_body (body);
  g_autofree char *text = g_strconcat (body->error_code != NULL ? body->error_code : "", " ",
                                       body->error_type != NULL ? body->error_type : "", " ",
                                       body->error_message != NULL ? body->error_message : "",
                                       NULL);
  g_autofree char *lower = g_ascii_strdown (text, -1);
  g_autofree char *said = dup_said (raw, body);
  GwReplyKind kind = _gw_reply_kind_of_code (body->error_code);

  if (kind == GW_REPLY_KIND_UNKNOWN)
    kind = _gw_reply_kind_of_code (body->error_type);
  /* A quota that comes back by itself in a time that is said is a matter of pace. */
  if (kind == GW_REPLY_KIND_UNKNOWN)
    {
      kind = _gw_reply_kind_of_words (lower, status);
      if (kind == GW_REPLY_KIND_QUOTA && status == 429 && asked_wait (raw, body) > 0)
        kind = GW_REPLY_KIND_SLOW_DOWN;
    }
  if (kind == GW_REPLY_KIND_UNKNOWN)
    kind = _gw_reply_kind_of_status (status != 0 ? status : 500);

  switch (kind)
    {
    case GW_REPLY_KIND_SLOW_DOWN:
    case GW_REPLY_KIND_TOO_MANY:
    case GW_REPLY_KIND_OVERLOADED:
    case GW_REPLY_KIND_CAPPED:
      set_slow_down (reply, raw, body, kind, lower, said);
      break;

    case GW_REPLY_KIND_QUOTA:
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_QUOTA,
                          "The %s account is out of credit or quota (%s). Mend that and resume it, "
                          "or use another provider.", raw->title, said);
      stop (reply);
      break;

    case GW_REPLY_KIND_AUTH:
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_AUTH,
                          raw->has_key
                            ? "The key for %s was not accepted (%s). Put in the right one, then "
                              "resume it."
                            : "%s wants a key, and has none here (%s). Put one in, then resume it.",
                          raw->title, said);
      stop (reply);
      break;

    case GW_REPLY_KIND_MODEL:
    case GW_REPLY_KIND_ADDRESS:
      set_no_model (reply, raw, kind, said);
      break;

    case GW_REPLY_KIND_REDIRECT:
      set_redirect (reply, raw);
      break;

    case GW_REPLY_KIND_REFUSED:
      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED,
                          "%s declined to answer this task (%s).", raw->title, said);
      break;

    case GW_REPLY_KIND_TOO_LONG:
      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_TOO_LONG,
                          "The task is longer than %s allows (%s). Shorten it, or choose a model "
                          "that takes more.", raw->title, said);
      break;

    case GW_REPLY_KIND_BAD_REQUEST:
      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_BAD_REQUEST,
                          "%s did not accept the request (%s).", raw->title, said);
      break;

    case GW_REPLY_KIND_TIMEOUT:
      gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT,
                          "%s gave up waiting (%s).", raw->title, said);
      reply->maybe_computing = TRUE;
      break;

    case GW_REPLY_KIND_SERVER:
    case GW_REPLY_KIND_UNKNOWN:
    default:
      gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER, "%s had a problem (%s).",
                          raw->title, said);
      reply->retry_after_ms = CLAMP (asked_wait (raw, body), 0, GW_RETRY_MAX_MS);
      /* A gateway in between gave up; the model behind it may still be at work. */
      reply->maybe_computing = raw->status == 504 || raw->status == 524;
      break;
    }
}

static void
set_bad_reply (GwReply *reply,
               const GwRawReply *raw,
               const char *why)
{
  gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_BAD_REPLY,
                      "The answer of %s cannot be used: %s.", raw->title, why);
}

/* Some relays deliver their own trouble as the model's words. Only a short text that begins as an
 * error, speaks of a relay's trouble and was not asked for counts. */
static gboolean
is_error_text (const GwRawReply *raw,
               const char *content)
{
  g_autofree char *lower = NULL;

  if (strlen (content) > 300)
    return FALSE;
  lower = g_strstrip (g_ascii_strdown (content, -1));
  if (raw->content != NULL)
    {
      g_autofree char *task = g_ascii_strdown (raw->content, -1);

      if (strstr (task, lower) != NULL)
        return FALSE;
    }

  return (g_str_has_prefix (lower, "error:") || g_str_has_prefix (lower, "[error")
          || g_str_has_prefix (lower, "{\"error\"") || g_str_has_prefix (lower, "error code: 5")
          || g_str_has_prefix (lower, "upstream error") || g_str_has_prefix (lower, "502 ")
          || g_str_has_prefix (lower, "503 ") || g_str_has_prefix (lower, "504 "))
         && _gw_reply_says_relayed_trouble (lower);
}

static void
set_answer (GwReply *reply,
            const GwRawReply *raw,
            GwReplyBody *body)
{
  const char *finish_reason = body->finish_reason != NULL ? body->finish_reason : "";
  gboolean has_content = body->content != NULL && strspn (body->content, " \t\r\n")
                                                     < strlen (body->content);

  reply->model = g_strdup (body->model);
  reply->finish_reason = g_strdup (body->finish_reason);
  reply->usage = body->usage;

  if (g_str_equal (finish_reason, "content_filter") || g_str_equal (finish_reason, "sensitive")
      || (!has_content && body->refusal != NULL))
    {
      g_autofree char *said = gw_log_redact (body->refusal != NULL ? body->refusal
                                                                   : finish_reason);
      g_autofree char *cut = g_utf8_substring (said, 0, MIN (MAX_SAID, g_utf8_strlen (said, -1)));

      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED,
                          "%s declined to answer this task (%s).", raw->title, cut);
    }
  else if (g_str_equal (finish_reason, "network_error") || g_str_equal (finish_reason, "error"))
    gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_SERVER,
                        "%s broke off its answer (finish_reason %s).", raw->title, finish_reason);
  else if (body->cut_off)
    set_bad_reply (reply, raw, "the stream ended before the answer did");
  else if (has_content && is_error_text (raw, body->content))
    set_bad_reply (reply, raw, "an error message was delivered as if it were the answer of "
                               "the model");
  else if (has_content)
    {
      reply->act = GW_REPLY_ANSWER;
      reply->result = g_steal_pointer (&body->content);
    }
  else if (body->reasoning != NULL)
    {
      reply->act = GW_REPLY_ANSWER;
      reply->result = g_steal_pointer (&body->reasoning);
    }
  else if (!body->has_choice)
    set_bad_reply (reply, raw, "it holds no choice");
  else if (body->has_tool_calls)
    set_bad_reply (reply, raw, "the model asks for a tool instead of answering");
  else
    set_bad_reply (reply, raw, "it is empty");
}

/**
 * gw_reply_classify:
 * @reply: a new reply; its times are left alone
 * @raw: what came back
 *
 * Pure, but for taking out the keys that the log knows.
 */
void
gw_reply_classify (GwReply *reply,
                   const GwRawReply *raw)
{
  const char *text = raw->body != NULL ? raw->body : "";
  gsize length = raw->body != NULL ? raw->length : 0;
  g_autoptr (GwReplyBody) parsed = raw->parsed == NULL ? gw_reply_body_parse (text, length) : NULL;
  GwReplyBody *body = raw->parsed != NULL ? raw->parsed : parsed;
  gboolean success = raw->status >= 200 && raw->status < 300;

  if (!success || (body->has_error && !raw->too_large))
    set_error (reply, raw, body);
  else if (raw->too_large)
    set_bad_reply (reply, raw, "it is longer than 32 MiB");
  else if (raw->incomplete && !(body->is_json && body->has_choice && body->finish_reason != NULL))
    set_bad_reply (reply, raw, "it was cut off");
  else if (body->is_html)
    set_bad_reply (reply, raw, "it is an HTML page, maybe of a proxy or a sign-in to the network");
  else if (!body->is_json)
    set_bad_reply (reply, raw, length == 0 ? "it is empty" : "it is not JSON");
  else if (body->bad_utf8)
    set_bad_reply (reply, raw, "it is not UTF-8 text");
  else
    set_answer (reply, raw, body);

  if (reply->has_error)
    gw_reply_set_raw (reply, text, length);
}
