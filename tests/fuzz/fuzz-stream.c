/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Any bytes as a provider's reply: cut into pieces as the first byte says they mean what they mean
 * as a whole, and what is shown meanwhile only grows. */

#include "config.h"

#include <string.h>

#include "gw-fuzz.h"
#include "provider/gw-reply-reader.h"

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize size)
{
  g_autoptr (GwReplyReader) reader = gw_reply_reader_new (size + 1);
  g_autoptr (GwReplyBody) body = NULL;
  g_autoptr (GwReplyBody) whole = NULL;
  gsize shown = 0;
  guint seed;

  if (size == 0)
    return 0;
  seed = *data++;
  size--;
  whole = gw_reply_body_parse ((const char *) data, size);
  for (gsize at = 0; at < size;)
    {
      gsize piece = MIN (size - at, 1 + seed % 13);
      const char *text;
      gsize length;

      g_assert_cmpint (gw_reply_reader_feed (reader, (const char *) data + at, piece), !=,
                       GW_READING_TOO_LARGE);
      text = gw_reply_reader_peek_text (reader, &length);
      g_assert_cmpuint (length, >=, shown);
      g_assert_true (g_utf8_validate (text, (gssize) length, NULL));
      shown = length;
      at += piece;
      seed = seed * 5 + 7;
    }
  body = gw_reply_reader_end (reader);

  g_assert_cmpstr (body->content, ==, whole->content);
  g_assert_cmpstr (body->reasoning, ==, whole->reasoning);
  g_assert_cmpstr (body->refusal, ==, whole->refusal);
  g_assert_cmpstr (body->finish_reason, ==, whole->finish_reason);
  g_assert_cmpstr (body->error_message, ==, whole->error_message);
  g_assert_cmpint (body->has_error, ==, whole->has_error);
  g_assert_cmpint (body->has_choice, ==, whole->has_choice);
  g_assert_cmpint (body->is_json, ==, whole->is_json);
  g_assert_cmpint (body->is_html, ==, whole->is_html);
  g_assert_cmpint (body->cut_off, ==, whole->cut_off);
  g_assert_cmpint (body->bad_utf8, ==, whole->bad_utf8);
  g_assert_cmpint (body->usage.total_tokens, ==, whole->usage.total_tokens);

  return 0;
}
