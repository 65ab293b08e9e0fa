/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The codes and words by which providers say what is wrong, in English and Chinese, and which kind
 * of trouble each is. Pure, any thread: the same words are always of the same kind. */

#define G_LOG_DOMAIN "gw-reply-words"

#include "config.h"

#include <string.h>

#include "provider/gw-reply-classifier-private.h"

typedef struct {
  const char *code;
  GwReplyKind kind;
} Code;

/* Documented codes. What a code leaves open (which dimension, which parameter) the words tell. */
static const Code codes[] = {
  /* Zhipu BigModel */
  { "1000", GW_REPLY_KIND_AUTH },
  { "1001", GW_REPLY_KIND_AUTH },
  { "1002", GW_REPLY_KIND_AUTH },
  { "1003", GW_REPLY_KIND_AUTH },
  { "1004", GW_REPLY_KIND_AUTH },
  { "1005", GW_REPLY_KIND_AUTH },
  { "1113", GW_REPLY_KIND_QUOTA },
  { "1211", GW_REPLY_KIND_MODEL },
  { "1234", GW_REPLY_KIND_SERVER },
  { "1261", GW_REPLY_KIND_TOO_LONG },
  { "1301", GW_REPLY_KIND_REFUSED },
  { "1302", GW_REPLY_KIND_TOO_MANY },
  { "1303", GW_REPLY_KIND_SLOW_DOWN },
  { "1304", GW_REPLY_KIND_QUOTA },
  { "1305", GW_REPLY_KIND_OVERLOADED },
  { "1308", GW_REPLY_KIND_CAPPED },
  { "1310", GW_REPLY_KIND_CAPPED },
  { "1312", GW_REPLY_KIND_OVERLOADED },
  /* Tencent TokenHub */
  { "401002", GW_REPLY_KIND_AUTH },
  { "401007", GW_REPLY_KIND_QUOTA },
  { "401008", GW_REPLY_KIND_QUOTA },
  { "403004", GW_REPLY_KIND_QUOTA },
  { "429001", GW_REPLY_KIND_SLOW_DOWN },
  { "451001", GW_REPLY_KIND_REFUSED },
  /* OpenAI and those who follow it */
  { "rate_limit_exceeded", GW_REPLY_KIND_SLOW_DOWN },
  { "rate_limit_error", GW_REPLY_KIND_SLOW_DOWN },
  { "insufficient_quota", GW_REPLY_KIND_QUOTA },
  { "billing_not_active", GW_REPLY_KIND_QUOTA },
  { "billing_hard_limit_reached", GW_REPLY_KIND_QUOTA },
  { "invalid_api_key", GW_REPLY_KIND_AUTH },
  { "account_deactivated", GW_REPLY_KIND_AUTH },
  { "authentication_error", GW_REPLY_KIND_AUTH },
  { "model_not_found", GW_REPLY_KIND_MODEL },
  { "context_length_exceeded", GW_REPLY_KIND_TOO_LONG },
  { "string_above_max_length", GW_REPLY_KIND_TOO_LONG },
  { "request_too_large", GW_REPLY_KIND_TOO_LONG },
  { "content_policy_violation", GW_REPLY_KIND_REFUSED },
  { "content_filter", GW_REPLY_KIND_REFUSED },
  { "engine_overloaded", GW_REPLY_KIND_OVERLOADED },
  { "overloaded_error", GW_REPLY_KIND_OVERLOADED },
  { "server_error", GW_REPLY_KIND_SERVER },
  { "upstream_error", GW_REPLY_KIND_SERVER },
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

GwReplyKind
_gw_reply_kind_of_code (const char *code)
{
  for (guint i = 0; code != NULL && i < G_N_ELEMENTS (codes); i++)
    {
      if (g_ascii_strcasecmp (codes[i].code, code) == 0)
        return codes[i].kind;
    }
  /* A family: 4290xx. */
  if (code != NULL && strlen (code) == 6 && g_str_has_prefix (code, "4290"))
    return GW_REPLY_KIND_SLOW_DOWN;

  return GW_REPLY_KIND_UNKNOWN;
}

GwReplyKind
_gw_reply_kind_of_words (const char *lower,
                         guint status)
{
  gboolean may_be_request = status == 400 || status == 404 || status == 422 || status == 0;

  if (status >= 500 && status != 500)
    return has_word (lower, words_overloaded) ? GW_REPLY_KIND_OVERLOADED : GW_REPLY_KIND_UNKNOWN;
  if (status == 429)
    {
      if (has_word (lower, words_quota))
        return GW_REPLY_KIND_QUOTA;
      return has_word (lower, words_overloaded) ? GW_REPLY_KIND_OVERLOADED : GW_REPLY_KIND_UNKNOWN;
    }
  if ((status == 401 || status == 402 || status == 403 || may_be_request)
      && has_word (lower, words_quota))
    return GW_REPLY_KIND_QUOTA;
  if ((may_be_request || status == 413 || status == 500) && has_word (lower, words_too_long))
    return GW_REPLY_KIND_TOO_LONG;
  if ((may_be_request || status == 403) && has_word (lower, words_refused))
    return GW_REPLY_KIND_REFUSED;
  if (may_be_request && has_word (lower, words_key))
    return GW_REPLY_KIND_AUTH;
  if ((may_be_request || status == 403 || status == 410) && says_no_model (lower))
    return GW_REPLY_KIND_MODEL;
  if (status == 0 || status == 500)
    {
      if (has_word (lower, words_overloaded))
        return GW_REPLY_KIND_OVERLOADED;
      if (status == 0 && has_word (lower, words_rate))
        return GW_REPLY_KIND_SLOW_DOWN;
    }

  return GW_REPLY_KIND_UNKNOWN;
}

GwReplyKind
_gw_reply_kind_of_status (guint status)
{
  switch (status)
    {
    case 401:
    case 403:
      return GW_REPLY_KIND_AUTH;

    case 402:
      return GW_REPLY_KIND_QUOTA;

    case 404:
    case 405:
    case 410:
      return GW_REPLY_KIND_ADDRESS;

    case 408:
      return GW_REPLY_KIND_TIMEOUT;

    case 409:
    case 423:
    case 424:
    case 425:
      return GW_REPLY_KIND_SERVER;

    case 413:
      return GW_REPLY_KIND_TOO_LONG;

    case 429:
      return GW_REPLY_KIND_SLOW_DOWN;

    case 451:
      return GW_REPLY_KIND_REFUSED;

    case 503:
    case 529:
      return GW_REPLY_KIND_OVERLOADED;

    default:
      if (status >= 300 && status < 400)
        return GW_REPLY_KIND_REDIRECT;
      return status >= 400 && status < 500 ? GW_REPLY_KIND_BAD_REQUEST : GW_REPLY_KIND_SERVER;
    }
}

gboolean
_gw_reply_says_many_at_once (const char *lower)
{
  return has_word (lower, words_concurrency);
}

gboolean
_gw_reply_says_rate (const char *lower)
{
  return has_word (lower, words_rate);
}

gboolean
_gw_reply_says_day (const char *lower)
{
  return has_word (lower, words_day);
}

gboolean
_gw_reply_says_relayed_trouble (const char *lower)
{
  return has_word (lower, words_not_an_answer);
}
