/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What came back, and what follows: one table. */

#include "config.h"

#include <string.h>

#include "gw-log.h"
#include "provider/gw-reply-classifier.h"
#include "provider/gw-retry-time.h"

#define KEY "sk-canary-0123456789abcdefghij"
#define NOW G_GINT64_CONSTANT (1795780800000) /* 2026-11-27T12:00:00Z */

#define CHOICE(message, finish) \
  "{\"model\":\"m\",\"choices\":[{\"message\":" message ",\"finish_reason\":" finish "}]}"
#define TEXT(text) CHOICE ("{\"content\":\"" text "\"}", "\"stop\"")
#define ERROR(code, message) "{\"error\":{\"code\":" code ",\"message\":\"" message "\"}}"

typedef enum {
  ONCE = 0,
  AT_ONCE = 1 << 0, /* too many at once */
  GHOST = 1 << 1,   /* maybe computing */
} Flags;

typedef struct {
  guint status;
  const char *body;
  GwReplyAct act;
  GwLaneAct lane;
  GwError code;
  gint64 lane_for_ms; /* 0: the provider's back-off decides, or none */
  Flags flags;
} Row;

static const Row errors[] = {
  /* Zhipu: the code stands in the body, as text */
  { 429, ERROR ("\"1302\"", "您当前使用该API的并发数过高"), GW_REPLY_RETRY_FREE, GW_LANE_PARK,
    GW_ERROR_TASK_RATE, 0, AT_ONCE },
  { 429, ERROR ("\"1302\"", "您的账户已达到速率限制，请您控制请求频率"), GW_REPLY_RETRY_FREE,
    GW_LANE_PARK, GW_ERROR_TASK_RATE, 0, ONCE },
  { 429, ERROR ("\"1303\"", "slow"), GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_RATE, 0,
    ONCE },
  { 429, ERROR ("\"1305\"", "busy"), GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_SERVER, 0,
    ONCE },
  { 429, ERROR ("1312", "busy"), GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_SERVER, 0,
    ONCE },
  { 200, ERROR ("1305", "busy"), GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_SERVER, 0,
    ONCE },
  { 429, ERROR ("\"1113\"", "您的账户已欠费"), GW_REPLY_RETRY_FREE, GW_LANE_STOP,
    GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 429, ERROR ("\"1304\"", "day"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0,
    ONCE },
  /* 21:00 in China is 13:00 UTC */
  { 429, ERROR ("\"1308\"", "将在 2026-11-27 21:00:00 重置"), GW_REPLY_RETRY_FREE, GW_LANE_PARK,
    GW_ERROR_TASK_RATE, 3600000, ONCE },
  { 429, ERROR ("\"1310\"", "until 2026-11-29T12:00:00Z"), GW_REPLY_RETRY_FREE, GW_LANE_PARK,
    GW_ERROR_TASK_RATE, 172800000, ONCE },
  /* past in China, so it is UTC */
  { 429, ERROR ("\"1308\"", "将在 2026-11-27 12:30:00 重置"), GW_REPLY_RETRY_FREE, GW_LANE_PARK,
    GW_ERROR_TASK_RATE, 1800000, ONCE },
  { 429, ERROR ("\"1308\"", "no time at all"), GW_REPLY_RETRY_FREE, GW_LANE_PARK,
    GW_ERROR_TASK_RATE, 3600000, ONCE },
  { 400, ERROR ("\"1301\"", "x"), GW_REPLY_FAIL, GW_LANE_GO_ON, GW_ERROR_TASK_REFUSED, 0, ONCE },
  { 400, ERROR ("\"1261\"", "Prompt 超长"), GW_REPLY_FAIL, GW_LANE_GO_ON, GW_ERROR_TASK_TOO_LONG,
    0, ONCE },
  { 400, ERROR ("\"1211\"", "模型不存在"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_MODEL,
    0, ONCE },
  { 401, ERROR ("\"1000\"", "x"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_AUTH, 0, ONCE },
  { 401, ERROR ("\"1005\"", "x"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_AUTH, 0, ONCE },
  { 400, ERROR ("\"1234\"", "network"), GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_SERVER, 0,
    ONCE },
  /* Tencent: numbers */
  { 429, ERROR ("429001", "rate limit exceeded on dimension: rpm"), GW_REPLY_RETRY_FREE,
    GW_LANE_PARK, GW_ERROR_TASK_RATE, 0, ONCE },
  { 429, ERROR ("429002", "rate limit exceeded on dimension: concurrency"), GW_REPLY_RETRY_FREE,
    GW_LANE_PARK, GW_ERROR_TASK_RATE, 0, AT_ONCE },
  { 401, ERROR ("401002", "invalid api key"), GW_REPLY_RETRY_FREE, GW_LANE_STOP,
    GW_ERROR_TASK_AUTH, 0, ONCE },
  { 401, ERROR ("401007", "arrears"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0,
    ONCE },
  { 401, ERROR ("401008", "x"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 403, ERROR ("403004", "x"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 402, ERROR ("402", "x"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 451, ERROR ("451001", "filtered"), GW_REPLY_FAIL, GW_LANE_GO_ON, GW_ERROR_TASK_REFUSED, 0,
    ONCE },
  { 400, ERROR ("400001", "bad"), GW_REPLY_FAIL, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REQUEST, 0,
    ONCE },
  { 502, "{\"error\":{\"code\":\"x\",\"message\":\"m\",\"upstream_code\":1}}", GW_REPLY_RETRY,
    GW_LANE_GO_ON, GW_ERROR_TASK_SERVER, 0, ONCE },
  /* OpenAI */
  { 429, ERROR ("\"rate_limit_exceeded\"", "Rate limit reached. Please try again in 20s."),
    GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_RATE, 20000, ONCE },
  { 429, ERROR ("\"rate_limit_exceeded\"", "Please try again in 125ms."), GW_REPLY_RETRY_FREE,
    GW_LANE_PARK, GW_ERROR_TASK_RATE, 125, ONCE },
  { 429, ERROR ("\"rate_limit_exceeded\"", "Too many concurrent requests."), GW_REPLY_RETRY_FREE,
    GW_LANE_PARK, GW_ERROR_TASK_RATE, 0, AT_ONCE },
  { 429, ERROR ("null", "on requests per day (RPD): Limit 200. Please try again in 7m12s."),
    GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_RATE, 432000, ONCE },
  { 429, ERROR ("null", "Daily limit reached"), GW_REPLY_RETRY_FREE, GW_LANE_STOP,
    GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 429, ERROR ("\"insufficient_quota\"", "You exceeded your current quota"), GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 429, "{\"error\":{\"type\":\"insufficient_quota\",\"message\":\"x\"}}", GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 429, ERROR ("429", "You exceeded your current quota. Please retry in 12.5s."),
    GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_RATE, 12500, ONCE },
  { 400, ERROR ("\"context_length_exceeded\"", "x"), GW_REPLY_FAIL, GW_LANE_GO_ON,
    GW_ERROR_TASK_TOO_LONG, 0, ONCE },
  { 400, ERROR ("null", "This model's maximum context length is 8192 tokens"), GW_REPLY_FAIL,
    GW_LANE_GO_ON, GW_ERROR_TASK_TOO_LONG, 0, ONCE },
  { 401, ERROR ("\"invalid_api_key\"", "x"), GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_AUTH,
    0, ONCE },
  { 404, ERROR ("\"model_not_found\"", "x"), GW_REPLY_RETRY_FREE, GW_LANE_STOP,
    GW_ERROR_TASK_MODEL, 0, ONCE },
  { 400, ERROR ("null", "The model `x` does not exist"), GW_REPLY_RETRY_FREE, GW_LANE_STOP,
    GW_ERROR_TASK_MODEL, 0, ONCE },
  { 400, ERROR ("null", "This model does not support images"), GW_REPLY_FAIL, GW_LANE_GO_ON,
    GW_ERROR_TASK_BAD_REQUEST, 0, ONCE },
  { 400, ERROR ("null", "API key not valid. Please pass a valid API key."), GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_AUTH, 0, ONCE },
  { 400, ERROR ("\"content_filter\"", "x"), GW_REPLY_FAIL, GW_LANE_GO_ON, GW_ERROR_TASK_REFUSED, 0,
    ONCE },
  { 403, ERROR ("null", "flagged by our moderation"), GW_REPLY_FAIL, GW_LANE_GO_ON,
    GW_ERROR_TASK_REFUSED, 0, ONCE },
  /* DeepSeek */
  { 402, ERROR ("\"invalid_request_error\"", "Insufficient Balance"), GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 422, "{\"error\":\"wrong parameter\"}", GW_REPLY_FAIL, GW_LANE_GO_ON,
    GW_ERROR_TASK_BAD_REQUEST, 0, ONCE },
  /* NVIDIA: bare */
  { 429, "{\"status\":429,\"title\":\"Too Many Requests\"}", GW_REPLY_RETRY_FREE, GW_LANE_PARK,
    GW_ERROR_TASK_RATE, 0, AT_ONCE },
  { 402, "{\"status\":402,\"detail\":\"Cloud credits expired\"}", GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 403, "{\"status\":403,\"detail\":\"Cloud credits expired\"}", GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_QUOTA, 0, ONCE },
  { 403, "{\"status\":403,\"detail\":\"Authorization failed\"}", GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_AUTH, 0, ONCE },
  { 404, "{\"detail\":\"Function id 'x': Not found for account 'y'\"}", GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_MODEL, 0, ONCE },
  /* Shapes */
  { 422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}", GW_REPLY_FAIL,
    GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REQUEST, 0, ONCE },
  { 400, "[{\"error\":{\"code\":400,\"message\":\"API key not valid\"}}]", GW_REPLY_RETRY_FREE,
    GW_LANE_STOP, GW_ERROR_TASK_AUTH, 0, ONCE },
  { 200, "{\"object\":\"error\",\"message\":\"overloaded\",\"code\":503}", GW_REPLY_RETRY_FREE,
    GW_LANE_PARK, GW_ERROR_TASK_SERVER, 0, ONCE },
  { 200, "{\"error\":\"upstream error\"}", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_SERVER, 0,
    ONCE },
  { 200, "data: {\"error\":{\"message\":\"rate limit\",\"code\":429}}\n\n", GW_REPLY_RETRY_FREE,
    GW_LANE_PARK, GW_ERROR_TASK_RATE, 0, ONCE },
  { 200, "{\"error\":{\"message\":\"x\"},\"choices\":null}", GW_REPLY_RETRY, GW_LANE_GO_ON,
    GW_ERROR_TASK_SERVER, 0, ONCE },
  /* Statuses alone */
  { 401, "", GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_AUTH, 0, ONCE },
  { 404, "<html>", GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_MODEL, 0, ONCE },
  { 408, "", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_TIMEOUT, 0, GHOST },
  { 413, "", GW_REPLY_FAIL, GW_LANE_GO_ON, GW_ERROR_TASK_TOO_LONG, 0, ONCE },
  { 429, "", GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_RATE, 0, AT_ONCE },
  { 500, "<html>", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_SERVER, 0, ONCE },
  { 502, "", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_SERVER, 0, ONCE },
  { 503, "<html>", GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_SERVER, 0, ONCE },
  { 504, "", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_SERVER, 0, GHOST },
  { 529, "", GW_REPLY_RETRY_FREE, GW_LANE_PARK, GW_ERROR_TASK_SERVER, 0, ONCE },
  { 307, "", GW_REPLY_RETRY_FREE, GW_LANE_STOP, GW_ERROR_TASK_NETWORK, 0, ONCE },
  { 418, "", GW_REPLY_FAIL, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REQUEST, 0, ONCE },
  /* A 200 that is no answer */
  { 200, "", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "null", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "[]", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "{}", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "{\"choices\":[]}", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "{\"choices\":[7]}", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "{\"choices\":{\"message\":1}}", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0,
    ONCE },
  { 200, CHOICE ("{\"content\":null}", "\"stop\""), GW_REPLY_RETRY, GW_LANE_GO_ON,
    GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, TEXT (""), GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, TEXT (" \\n"), GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, CHOICE ("{\"content\":null,\"tool_calls\":[{}]}", "\"tool_calls\""), GW_REPLY_RETRY,
    GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, CHOICE ("{\"content\":\"half\"}", "\"content_filter\""), GW_REPLY_FAIL, GW_LANE_GO_ON,
    GW_ERROR_TASK_REFUSED, 0, ONCE },
  { 200, CHOICE ("{\"content\":\"half\"}", "\"sensitive\""), GW_REPLY_FAIL, GW_LANE_GO_ON,
    GW_ERROR_TASK_REFUSED, 0, ONCE },
  { 200, CHOICE ("{\"content\":null,\"refusal\":\"I cannot\"}", "\"stop\""), GW_REPLY_FAIL,
    GW_LANE_GO_ON, GW_ERROR_TASK_REFUSED, 0, ONCE },
  { 200, CHOICE ("{\"content\":\"half\"}", "\"network_error\""), GW_REPLY_RETRY, GW_LANE_GO_ON,
    GW_ERROR_TASK_SERVER, 0, ONCE },
  { 200, TEXT ("Error: upstream request failed, please try again later"), GW_REPLY_RETRY,
    GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n", GW_REPLY_RETRY,
    GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, "<html>portal</html>", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, TEXT ("x") " {}", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 200, TEXT ("a\xff" "b"), GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
  { 204, "", GW_REPLY_RETRY, GW_LANE_GO_ON, GW_ERROR_TASK_BAD_REPLY, 0, ONCE },
};

static void
classify (GwReply *reply,
          guint status,
          SoupMessageHeaders *headers,
          const char *body,
          gsize length)
{
  GwRawReply raw = { 0 };

  raw.status = status;
  raw.headers = headers;
  raw.body = body;
  raw.length = length;
  raw.title = "Mock";
  raw.model = "m";
  raw.content = "the task";
  raw.wall_ms = NOW;
  gw_reply_classify (reply, &raw);
}

static void
test_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      const Row *row = &errors[i];
      g_autoptr (GwReply) reply = gw_reply_new ();
      g_autofree char *shown = g_strescape (row->body, NULL);

      classify (reply, row->status, NULL, row->body, strlen (row->body));
      g_test_message ("%u %s: %s", row->status, shown, reply->error_message);
      g_assert_true (reply->has_error);
      g_assert_cmpint (reply->act, ==, row->act);
      g_assert_cmpint (reply->lane_act, ==, row->lane);
      g_assert_cmpstr (gw_error_to_string (reply->error_code), ==, gw_error_to_string (row->code));
      g_assert_cmpint (reply->lane_for_ms, ==, row->lane_for_ms);
      g_assert_cmpint (reply->too_many_at_once, ==, (row->flags & AT_ONCE) != 0);
      g_assert_cmpint (reply->maybe_computing, ==, (row->flags & GHOST) != 0);
      g_assert_null (reply->result);
      g_assert_nonnull (strstr (reply->error_message, "Mock"));
      if (*row->body != '\0')
        g_assert_nonnull (reply->raw);
    }
}

static void
test_answers (void)
{
  static const struct {
    const char *body;
    const char *result;
    const char *finish_reason;
  } rows[] = {
    { TEXT ("yes"), "yes", "stop" },
    { "\n\n \r\n" TEXT ("yes"), "yes", "stop" },
    { ": keep-alive\n\n: keep-alive\n\n" TEXT ("yes"), "yes", "stop" },
    { "\xef\xbb\xbf" TEXT ("yes"), "yes", "stop" },
    { CHOICE ("{\"content\":\"cut\"}", "\"length\""), "cut", "length" },
    { CHOICE ("{\"content\":\"x\"}", "\"never_heard_of\""), "x", "never_heard_of" },
    { CHOICE ("{\"content\":\"x\"}", "null"), "x", NULL },
    { CHOICE ("{\"content\":null,\"reasoning_content\":\"because\"}", "\"stop\""), "because",
      "stop" },
    { CHOICE ("{\"content\":\"x\",\"reasoning_content\":\"because\"}", "\"stop\""), "x", "stop" },
    { CHOICE ("{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"text\":\"b\"},3]}", "\"stop\""),
      "ab", "stop" },
    { "{\"choices\":[{\"text\":\"old\",\"finish_reason\":\"stop\"}]}", "old", "stop" },
    { "{\"choices\":[],\"choices\":[{\"message\":{\"content\":\"last\"}}]}", "last", NULL },
    { "{\"choices\":[{\"message\":{\"content\":\"big\"}}],\"usage\":{\"total_tokens\":1e999}}",
      "big", NULL },
    { "{\"error\":null,\"choices\":[{\"message\":{\"content\":\"fine\"}}]}", "fine", NULL },
    { "{\"choices\":[{\"index\":1,\"message\":{\"content\":\"b\"}},"
      "{\"index\":0,\"message\":{\"content\":\"a\"}}]}", "a", NULL },
    /* Characters that are wrong are mended: the answer was paid for. */
    { TEXT ("a\\u0000b"), "a\xef\xbf\xbd" "b", "stop" },
    { TEXT ("a\\ud800b"), "a\xef\xbf\xbd" "b", "stop" },
    { TEXT ("Error: that is what the function prints"), "Error: that is what the function prints",
      "stop" },
    { "data: {\"choices\":[{\"delta\":{\"content\":\"one \"}}]}\n\ndata: {\"choices\":[{\"delta\":"
      "{\"content\":\"two\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", "one two", "stop" },
    { "event: x\r\ndata:{\"choices\":[{\"delta\":\r\ndata:{\"content\":\"split\"},"
      "\"finish_reason\":\"stop\"}]}\r\n\r\n", "split", "stop" },
    { "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\njunk\n: y\ndata: {\"choices\":[],"
      "\"usage\":{\"total_tokens\":3}}", "x", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GwReply) reply = gw_reply_new ();

      g_test_message ("%s", rows[i].body);
      classify (reply, 200, NULL, rows[i].body, strlen (rows[i].body));
      g_assert_false (reply->has_error);
      g_assert_cmpint (reply->act, ==, GW_REPLY_ANSWER);
      g_assert_cmpint (reply->lane_act, ==, GW_LANE_GO_ON);
      g_assert_cmpstr (reply->result, ==, rows[i].result);
      g_assert_cmpstr (reply->finish_reason, ==, rows[i].finish_reason);
      g_assert_null (reply->raw);
    }
}

static void
test_cut_off (void)
{
  static const char half[] = "{\"choices\":[{\"message\":{\"content\":\"ha";
  g_autoptr (GwReply) reply = gw_reply_new ();
  g_autoptr (GwReply) whole = gw_reply_new ();
  GwRawReply raw = { 0 };

  raw.status = 200;
  raw.title = "Mock";
  raw.incomplete = TRUE;
  raw.body = half;
  raw.length = strlen (half);
  gw_reply_classify (reply, &raw);
  g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY);
  g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_BAD_REPLY);

  /* A wrong length around a whole answer does not make it worthless. */
  raw.body = TEXT ("whole");
  raw.length = strlen (raw.body);
  gw_reply_classify (whole, &raw);
  g_assert_cmpstr (whole->result, ==, "whole");
}

static void
test_headers (void)
{
  static const struct {
    const char *name;
    const char *value;
    gint64 lane_for_ms;
  } rows[] = {
    { "Retry-After", "7", 7000 },
    { "Retry-After", "0.5", 500 },
    { "Retry-After", "Fri, 27 Nov 2026 12:00:30 GMT", 30000 },
    { "Retry-After", "Fri, 27 Nov 2026 11:00:00 GMT", 0 },
    { "Retry-After", "-5", 0 },
    { "Retry-After", "315360000", 3600000 },
    { "Retry-After", "1e300", 3600000 },
    { "Retry-After", "soon", 0 },
    { "Retry-After", "Fri, 27 Nov 2036 12:00:00 GMT", 3600000 },
    { "Retry-After-Ms", "250", 250 },
    { "x-ratelimit-reset-requests", "1s", 1000 },
    { "x-ratelimit-reset-requests", "6m0s", 360000 },
    { "x-ratelimit-reset-tokens", "125ms", 125 },
    { "x-ratelimit-reset", "1795780810", 10000 },
    { "x-ratelimit-reset", "1795780810000", 10000 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
      g_autoptr (GwReply) reply = gw_reply_new ();

      soup_message_headers_append (headers, rows[i].name, rows[i].value);
      classify (reply, 429, headers, "", 0);
      g_test_message ("%s: %s: %s", rows[i].name, rows[i].value, reply->error_message);
      g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY_FREE);
      g_assert_cmpint (reply->lane_act, ==, GW_LANE_PARK);
      g_assert_cmpint (reply->lane_for_ms, ==, rows[i].lane_for_ms);
      if (rows[i].lane_for_ms == 3600000)
        g_assert_nonnull (strstr (reply->error_message, "hour"));
      soup_message_headers_unref (headers);
    }
}

/* Of two windows the one that is used up counts. */
static void
test_windows (void)
{
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);

  soup_message_headers_append (headers, "x-ratelimit-remaining-requests", "10");
  soup_message_headers_append (headers, "x-ratelimit-reset-requests", "8.64s");
  soup_message_headers_append (headers, "x-ratelimit-remaining-tokens", "0");
  soup_message_headers_append (headers, "x-ratelimit-reset-tokens", "6m0s");
  g_assert_cmpint (gw_retry_time_from_headers (headers, NOW), ==, 360000);
  soup_message_headers_unref (headers);

  g_assert_cmpint (gw_retry_time_parse_duration ("1h2m3s"), ==, 3723000);
  g_assert_cmpint (gw_retry_time_parse_duration ("2 minutes 5 seconds"), ==, 125000);
  g_assert_cmpint (gw_retry_time_parse_duration ("20 apples"), ==, 20000);
  g_assert_cmpint (gw_retry_time_parse_duration (""), ==, -1);
  g_assert_cmpint (gw_retry_time_parse_duration (NULL), ==, -1);
  g_assert_cmpint (gw_retry_time_from_text ("wait a moment, then try again in 3s"), ==, 3000);
  g_assert_cmpint (gw_retry_time_from_text ("nothing"), ==, -1);
  g_assert_cmpint (gw_retry_time_until_date ("2026-13-45 99:99:99", 0, NOW), ==, -1);
  g_assert_cmpint (gw_retry_time_until_date ("at 2026-11-27T14:00:00+02:00", 0, NOW), ==, 0);
}

static void
test_raw_is_redacted (void)
{
  g_autofree char *filler = g_strnfill (4096 - 10, 'x');
  g_autofree char *body = g_strconcat (filler, KEY, " behind", NULL);
  g_autoptr (GwReply) reply = gw_reply_new ();

  classify (reply, 500, NULL, body, strlen (body));
  g_assert_cmpuint (strlen (reply->raw), <=, 4096);
  g_assert_null (strstr (reply->raw, "sk-canary"));

  classify (reply, 401, NULL, ERROR ("null", "Incorrect key: " KEY), strlen (ERROR ("null",
            "Incorrect key: " KEY)));
  g_assert_null (strstr (reply->error_message, "canary"));
  g_assert_null (strstr (reply->raw, "canary"));
}

/* Any bytes: never a crash, a critical, or text that is not UTF-8. */
static void
test_junk (void)
{
  for (guint round = 0; round < 3000; round++)
    {
      static const char *const seeds[] = {
        TEXT ("hello"), ERROR ("\"1308\"", "2026-11-27 21:00:00"),
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", "[[[{\"a\":[1e999,\"\\ud800\"]}"
      };
      const char *seed = seeds[round % G_N_ELEMENTS (seeds)];
      g_autofree char *body = g_strdup (seed);
      g_autoptr (GwReply) reply = gw_reply_new ();
      gsize length = strlen (body);

      for (guint i = 0; i < 1 + round % 5; i++)
        body[g_test_rand_int_range (0, (gint32) length)] = (char) g_test_rand_int_range (0, 256);
      classify (reply, round % 3 == 0 ? 429 : 200, NULL, body,
                (gsize) g_test_rand_int_range (0, (gint32) length + 1));
      g_assert_true (reply->has_error != (reply->act == GW_REPLY_ANSWER));
      if (reply->result != NULL)
        g_assert_true (g_utf8_validate (reply->result, -1, NULL));
      if (reply->raw != NULL)
        g_assert_true (g_utf8_validate (reply->raw, -1, NULL));
      if (reply->error_message != NULL)
        g_assert_true (g_utf8_validate (reply->error_message, -1, NULL));
    }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  gw_log_add_secret (KEY);
  g_test_add_func ("/classifier/errors", test_errors);
  g_test_add_func ("/classifier/answers", test_answers);
  g_test_add_func ("/classifier/cut-off", test_cut_off);
  g_test_add_func ("/classifier/headers", test_headers);
  g_test_add_func ("/classifier/windows", test_windows);
  g_test_add_func ("/classifier/raw-is-redacted", test_raw_is_redacted);
  g_test_add_func ("/classifier/junk", test_junk);

  return g_test_run ();
}
