/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Judges what came back from a provider: an answer, or an error with what follows for the task and
 * for the lane. Pure, so that the whole of it is a table in a test.
 *
 * The body speaks before the status, since one status (429) stands for many things: first the codes
 * that providers document, then words, then the status. One bad key stops a lane once; it does not
 * fail the tasks. A lane is only ever stopped by what the user must mend. Where a provider asks to
 * wait without saying how long, lane_for_ms stays 0 and the provider object's own back-off decides.
 */

#define G_LOG_DOMAIN "gw-reply-classifier"

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "gw-log.h"
#include "provider/gw-reply-body.h"
#include "provider/gw-reply-classifier.h"
#include "provider/gw-retry-time.h"

#define MAX_SAID 300                  /* characters of the provider's own words in a message */
#define MAX_DATED_MS (G_GINT64_CONSTANT (1000) * 60 * 60 * 24 * 35)
#define CHINA_MINUTES (8 * 60)

typedef enum {
  KIND_UNKNOWN,
  KIND_SLOW_DOWN,
  KIND_TOO_MANY,   /* at once */
  KIND_OVERLOADED,
  KIND_CAPPED,     /* until a time that the text says */
  KIND_QUOTA,
  KIND_AUTH,
  KIND_MODEL,
  KIND_ADDRESS,
  KIND_REDIRECT,
  KIND_REFUSED,
  KIND_TOO_LONG,
  KIND_BAD_REQUEST,
  KIND_TIMEOUT,
  KIND_SERVER,
} Kind;

typedef struct {
  const char *code;
  Kind kind;
} Code;

/* Documented codes. What a code leaves open (which dimension, which parameter) the words tell. */
static const Code codes[] = {
  /* Zhipu BigModel */
  { "1000", KIND_AUTH },
  { "1001", KIND_AUTH },
  { "1002", KIND_AUTH },
  { "1003", KIND_AUTH },
  { "1004", KIND_AUTH },
  { "1005", KIND_AUTH },
  { "1113", KIND_QUOTA },
  { "1211", KIND_MODEL },
  { "1234", KIND_SERVER },
  { "1261", KIND_TOO_LONG },
  { "1301", KIND_REFUSED },
  { "1302", KIND_TOO_MANY },
  { "1303", KIND_SLOW_DOWN },
  { "1304", KIND_QUOTA },
  { "1305", KIND_OVERLOADED },
  { "1308", KIND_CAPPED },
  { "1310", KIND_CAPPED },
  { "1312", KIND_OVERLOADED },
  /* Tencent TokenHub */
  { "401002", KIND_AUTH },
  { "401007", KIND_QUOTA },
  { "401008", KIND_QUOTA },
  { "403004", KIND_QUOTA },
  { "429001", KIND_SLOW_DOWN },
  { "451001", KIND_REFUSED },
  /* OpenAI and those who follow it */
  { "rate_limit_exceeded", KIND_SLOW_DOWN },
  { "rate_limit_error", KIND_SLOW_DOWN },
  { "insufficient_quota", KIND_QUOTA },
  { "billing_not_active", KIND_QUOTA },
  { "billing_hard_limit_reached", KIND_QUOTA },
  { "invalid_api_key", KIND_AUTH },
  { "account_deactivated", KIND_AUTH },
  { "authentication_error", KIND_AUTH },
  { "model_not_found", KIND_MODEL },
  { "context_length_exceeded", KIND_TOO_LONG },
  { "string_above_max_length", KIND_TOO_LONG },
  { "request_too_large", KIND_TOO_LONG },
  { "content_policy_violation", KIND_REFUSED },
  { "content_filter", KIND_REFUSED },
  { "engine_overloaded", KIND_OVERLOADED },
  { "overloaded_error", KIND_OVERLOADED },
  { "server_error", KIND_SERVER },
  { "upstream_error", KIND_SERVER },
};

static const char *const words_concurrency[] = {
  "concurren", "simultaneous", "parallel requests", "at the same time", "并发", NULL
};
static const char *const words_rate[] = {
  "per minute", "per second", "rpm", "tpm", "rate limit", "速率", "频率", NULL
};
static const char *const words_quota[] = {
  "insufficient_quota", "exceeded your current quota", "quota exceeded", "insufficient balance",
  "insufficient credit", "not enough credit", "out of credit", "credits expired", "credit balance",
  "no credits", "credits have", "billing", "in arrears", "account balance", "payment required",
  "余额不足", "欠费", "充值", "资源包", NULL
};
static const char *const words_day[] = {
  "per day", "daily", "(rpd)", "(tpd)", "今日", "每日", "当日", NULL
};
static const char *const words_overloaded[] = {
  "overloaded", "at capacity", "over capacity", "访问量过大", "server is busy", "服务繁忙", NULL
};
static const char *const words_too_long[] = {
  "maximum context length", "context length", "context_length", "context window",
  "context size", "prompt is too long", "input is too long", "too many input tokens",
  "maximum input length", "reduce the length", "超长", "超过最大长度", NULL
};
static const char *const words_refused[] = {
  "content_filter", "content filter", "content policy", "content management policy",
  "safety system", "flagged", "moderation", "敏感", "不安全", "违规", NULL
};
static const char *const words_key[] = {
  "invalid api key", "invalid api_key", "incorrect api key", "api key not valid",
  "api key is invalid", "api key expired", "missing api key", "no api key", "invalid token",
  "invalid authentication", NULL
};
static const char *const words_no_model[] = {
  "model_not_found", "no such model", "unknown model", "invalid model", "unsupported model",
  "must provide a model", "model is required", "model field is required", "模型不存在",
  "not found for account", NULL
};
/* A text that a relay gives as if it were the model's. */
static const char *const words_not_an_answer[] = {
  "upstream", "try again later", "request failed", "rate limit", "internal server error",
  "bad gateway", "service unavailable", "gateway time", "overloaded", "timed out", NULL
};

static gboolean
has_word (const char *lower,
          const char *const *words)
{
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (strstr (lower, words[i]) != NULL)
        return TRUE;
    }

  return FALSE;
}

/* "model … not found" with little between: not every complaint that names a model. */
static gboolean
says_no_model (const char *lower)
{
  static const char *const ends[] = { "not found", "does not exist", "not exist",
                                      "not available", "decommissioned", "no longer" };
  const char *model = strstr (lower, "model");

  if (has_word (lower, words_no_model))
    return TRUE;
  for (guint i = 0; model != NULL && i < G_N_ELEMENTS (ends); i++)
    {
      const char *found = strstr (model, ends[i]);

      if (found != NULL && found - model < 200)
        return TRUE;
    }

  return FALSE;
}

static Kind
kind_of_code (const char *code)
{
  for (guint i = 0; code != NULL && i < G_N_ELEMENTS (codes); i++)
    {
      if (g_ascii_strcasecmp (codes[i].code, code) == 0)
        return codes[i].kind;
    }
  /* A family: 4290xx. */
  if (code != NULL && strlen (code) == 6 && g_str_has_prefix (code, "4290"))
    return KIND_SLOW_DOWN;

  return KIND_UNKNOWN;
}

static Kind
kind_of_words (const char *lower,
               guint status)
{
  gboolean may_be_request = status == 400 || status == 404 || status == 422 || status == 0;

  if (status >= 500 && status != 500)
    return has_word (lower, words_overloaded) ? KIND_OVERLOADED : KIND_UNKNOWN;
  if (status == 429)
    {
      if (has_word (lower, words_quota))
        return KIND_QUOTA;
      return has_word (lower, words_overloaded) ? KIND_OVERLOADED : KIND_UNKNOWN;
    }
  if ((status == 401 || status == 402 || status == 403 || may_be_request)
      && has_word (lower, words_quota))
    return KIND_QUOTA;
  if ((may_be_request || status == 413 || status == 500) && has_word (lower, words_too_long))
    return KIND_TOO_LONG;
  if ((may_be_request || status == 403) && has_word (lower, words_refused))
    return KIND_REFUSED;
  if (may_be_request && has_word (lower, words_key))
    return KIND_AUTH;
  if ((may_be_request || status == 403 || status == 410) && says_no_model (lower))
    return KIND_MODEL;
  if (status == 0 || status == 500)
    {
      if (has_word (lower, words_overloaded))
        return KIND_OVERLOADED;
      if (status == 0 && has_word (lower, words_rate))
        return KIND_SLOW_DOWN;
    }

  return KIND_UNKNOWN;
}

static Kind
kind_of_status (guint status)
{
  switch (status)
    {
    case 401:
    case 403:
      return KIND_AUTH;

    case 402:
      return KIND_QUOTA;

    case 404:
    case 405:
    case 410:
      return KIND_ADDRESS;

    case 408:
      return KIND_TIMEOUT;

    case 409:
    case 423:
    case 424:
    case 425:
      return KIND_SERVER;

    case 413:
      return KIND_TOO_LONG;

    case 429:
      return KIND_SLOW_DOWN;

    case 451:
      return KIND_REFUSED;

    case 503:
    case 529:
      return KIND_OVERLOADED;

    default:
      if (status >= 300 && status < 400)
        return KIND_REDIRECT;
      return status >= 400 && status < 500 ? KIND_BAD_REQUEST : KIND_SERVER;
    }
}

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
               Kind kind,
               const char *lower,
               const char *said)
{
  gint64 asked = asked_wait (raw, body);
  gint64 dated = asked > 0 ? -1 : asked_date (raw, body);
  gboolean daily = kind != KIND_OVERLOADED && has_word (lower, words_day);

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

  if (kind == KIND_OVERLOADED)
    gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_SERVER,
                        "%s is overloaded (%s). It is asked again in a while.%s", raw->title, said,
                        describe_wait (asked));
  else
    {
      /* Nothing said about time or rate: nearly always too many at once. */
      reply->too_many_at_once = kind == KIND_TOO_MANY || has_word (lower, words_concurrency)
                                || (asked <= 0 && kind != KIND_CAPPED
                                    && !has_word (lower, words_rate)
                                    && kind_of_code (body->error_code) == KIND_UNKNOWN);
      if (kind == KIND_TOO_MANY && has_word (lower, words_rate)
          && !has_word (lower, words_concurrency))
        reply->too_many_at_once = FALSE;
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_RATE,
                          reply->too_many_at_once
                              ? "%s takes fewer calls at once than are sent (%s).%s"
                              : "%s asks to slow down (%s).%s",
                          raw->title, said, describe_wait (asked));
    }
  if (asked <= 0 && kind == KIND_CAPPED)
    asked = GW_RETRY_MAX_MS;
  park (reply, MIN (asked, GW_RETRY_MAX_MS));
}

static void
set_no_model (GwReply *reply,
              const GwRawReply *raw,
              Kind kind,
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
  if (kind == KIND_ADDRESS)
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
  Kind kind = kind_of_code (body->error_code);

  if (kind == KIND_UNKNOWN)
    kind = kind_of_code (body->error_type);
  /* A quota that comes back by itself in a time that is said is a matter of pace. */
  if (kind == KIND_UNKNOWN)
    {
      kind = kind_of_words (lower, status);
      if (kind == KIND_QUOTA && status == 429 && asked_wait (raw, body) > 0)
        kind = KIND_SLOW_DOWN;
    }
  if (kind == KIND_UNKNOWN)
    kind = kind_of_status (status != 0 ? status : 500);

  switch (kind)
    {
    case KIND_SLOW_DOWN:
    case KIND_TOO_MANY:
    case KIND_OVERLOADED:
    case KIND_CAPPED:
      set_slow_down (reply, raw, body, kind, lower, said);
      break;

    case KIND_QUOTA:
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_QUOTA,
                          "The %s account is out of credit or quota (%s). Mend that and resume it, "
                          "or use another provider.", raw->title, said);
      stop (reply);
      break;

    case KIND_AUTH:
      gw_reply_set_error (reply, GW_REPLY_RETRY_FREE, GW_ERROR_TASK_AUTH,
                          "The key for %s was not accepted (%s). Put in the right one, then resume "
                          "it.", raw->title, said);
      stop (reply);
      break;

    case KIND_MODEL:
    case KIND_ADDRESS:
      set_no_model (reply, raw, kind, said);
      break;

    case KIND_REDIRECT:
      set_redirect (reply, raw);
      break;

    case KIND_REFUSED:
      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_REFUSED,
                          "%s declined to answer this task (%s).", raw->title, said);
      break;

    case KIND_TOO_LONG:
      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_TOO_LONG,
                          "The task is longer than %s allows (%s). Shorten it, or choose a model "
                          "that takes more.", raw->title, said);
      break;

    case KIND_BAD_REQUEST:
      gw_reply_set_error (reply, GW_REPLY_FAIL, GW_ERROR_TASK_BAD_REQUEST,
                          "%s did not accept the request (%s).", raw->title, said);
      break;

    case KIND_TIMEOUT:
      gw_reply_set_error (reply, GW_REPLY_RETRY, GW_ERROR_TASK_TIMEOUT,
                          "%s gave up waiting (%s).", raw->title, said);
      reply->maybe_computing = TRUE;
      break;

    case KIND_SERVER:
    case KIND_UNKNOWN:
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
         && has_word (lower, words_not_an_answer);
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
    set_bad_reply (reply, raw, "an error message was delivered as if it were the model's answer");
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
