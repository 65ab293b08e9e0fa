/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Answers that come in pieces: events found in bytes that are cut anywhere, what they mean, keys
 * kept out of what is shown meanwhile, and the text that two threads share. */

#include "config.h"

#include <string.h>

#include "provider/gw-key-mask.h"
#include "provider/gw-partial.h"
#include "provider/gw-reply-classifier.h"
#include "provider/gw-reply-reader.h"
#include "provider/gw-secret.h"
#include "provider/gw-sse-reader.h"

#define DELTA(text) "{\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"
#define STOP "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"
#define USAGE "{\"choices\":[],\"usage\":{\"total_tokens\":7}}"
#define LARGE (1024 * 1024)

/* Events */

typedef struct {
  GString *seen;         /* what was taken, each ended by | */
  const char *takes;     /* (nullable) the begin of what is taken at its first offer */
  gsize n_offered;
} Taker;

static gboolean
take_cb (const char *data,
         gsize length,
         gpointer user_data)
{
  Taker *taker = user_data;

  taker->n_offered += length;
  if (taker->takes != NULL
      && (length < strlen (taker->takes) || memcmp (data, taker->takes, strlen (taker->takes))))
    return FALSE;
  g_string_append_len (taker->seen, data, (gssize) length);
  g_string_append_c (taker->seen, '|');

  return TRUE;
}

static char *
read_events (const char *text,
             gsize length,
             gsize piece,
             const char *takes)
{
  Taker taker = { g_string_new (NULL), takes, 0 };
  g_autoptr (GwSseReader) reader = gw_sse_reader_new (LARGE, take_cb, &taker);

  for (gsize i = 0; i < length; i += piece)
    g_assert_true (gw_sse_reader_feed (reader, text + i, MIN (piece, length - i)));
  gw_sse_reader_end (reader);

  return g_string_free (taker.seen, FALSE);
}

static void
test_events (void)
{
  static const struct {
    const char *text;
    const char *takes;
    const char *seen;
  } rows[] = {
    { "", NULL, "" },
    { "data: a\n\ndata: b\n\n", NULL, "a|b|" },
    { "data: a\r\n\r\ndata: b\r\n\r\n", NULL, "a|b|" },
    { "data: a\r\rdata: b\r\r", NULL, "a|b|" },
    { "data: a\n\r\ndata: b\r", NULL, "a|b|" },
    /* Events that one line end ends; the last without any. */
    { "data: a\ndata: b\ndata:c", NULL, "a|b|c|" },
    { ":x\n\n: keep-alive\n\nevent: ping\nid: 1\nretry: 5\n\ndata: a\n\n", NULL, "a|" },
    { "junk\ndatum: no\ndat\ndata\nDATA: no\n data: no\ndata: a\n\nmore junk", NULL, "a|" },
    { "data:\n\ndata: \n\ndata: a\n\n", NULL, "a|" },
    { "data: {\ndata: \"a\"\ndata: }\n\n", "{\n", "{\n\"a\"\n}|" },
    { "data: {\r\ndata:   1\r\ndata: }", "{\n", "{\n1\n}|" },
    /* What cannot be used stops nothing after its event. */
    { "data: bad\n\ndata: [ok\n\n", "[", "[ok|" },
    { "data: a:b: c \n\n", NULL, "a:b: c |" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gsize length = strlen (rows[i].text);

      for (gsize piece = 1; piece <= MAX (length, 1); piece++)
        {
          g_autofree char *seen = read_events (rows[i].text, length, piece, rows[i].takes);

          g_assert_cmpstr (seen, ==, rows[i].seen);
        }
    }
}

static void
test_events_limit (void)
{
  static const char *const rows[] = { "data: %s", "data: %s\n\n", "data: x\ndata: %s\n" };
  g_autofree char *many = g_strnfill (101, 'a');

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      Taker taker = { g_string_new (NULL), "never", 0 };
      g_autoptr (GwSseReader) reader = gw_sse_reader_new (100, take_cb, &taker);
      g_autoptr (GString) text = g_string_new (rows[i]);
      gboolean goes_on = TRUE;

      g_string_replace (text, "%s", many, 1);
      for (gsize n = 0; n < text->len && goes_on; n++)
        goes_on = gw_sse_reader_feed (reader, text->str + n, 1);
      g_assert_false (goes_on);
      g_assert_false (gw_sse_reader_feed (reader, "data: a\n\n", 9));
      gw_sse_reader_end (reader);
      g_assert_cmpuint (taker.seen->len, ==, 0);
      g_string_free (taker.seen, TRUE);
    }
}

/* Lines that are no data are of any length, and none is kept; what is offered again is offered once
 * more. */
static void
test_events_effort (void)
{
  Taker taker = { g_string_new (NULL), "never", 0 };
  g_autoptr (GwSseReader) reader = gw_sse_reader_new (LARGE, take_cb, &taker);
  g_autofree char *comment = g_strnfill (64 * 1024, ':');

  for (guint i = 0; i < 256; i++)
    g_assert_true (gw_sse_reader_feed (reader, comment, 64 * 1024));
  g_assert_true (gw_sse_reader_feed (reader, "\n", 1));
  for (guint i = 0; i < 50000; i++)
    g_assert_true (gw_sse_reader_feed (reader, "data: {\n", 8));
  g_assert_true (gw_sse_reader_feed (reader, "\n", 1));
  gw_sse_reader_end (reader);
  g_assert_cmpuint (taker.n_offered, <=, 50000 * 2 + 1);
  g_string_free (taker.seen, TRUE);
}

/* Replies */

static GwReplyBody *
read_body (const char *text,
           gsize length,
           gsize piece,
           GwReading *reading)
{
  g_autoptr (GwReplyReader) reader = gw_reply_reader_new (LARGE);
  gsize shown = 0, n;
  GwReplyBody *body;

  *reading = GW_READING_OPEN;
  for (gsize i = 0; i < length; i += piece)
    {
      *reading = gw_reply_reader_feed (reader, text + i, MIN (piece, length - i));
      gw_reply_reader_peek_text (reader, &n);
      g_assert_cmpuint (n, >=, shown);
      g_assert_true (g_utf8_validate (gw_reply_reader_peek_text (reader, &n), (gssize) n, NULL));
      shown = n;
    }
  body = gw_reply_reader_end (reader);
  if (shown > 0)
    g_assert_cmpint (strlen (body->content), >=, shown);

  return body;
}

static void
test_replies (void)
{
  static const struct {
    const char *text;
    const char *content; /* NULL: no answer */
    GwReading reading;
    gboolean cut_off;
  } rows[] = {
    { "data: " DELTA ("a") "\n\ndata: " DELTA ("b") "\n\ndata: " STOP "\n\ndata: " USAGE
      "\n\ndata: [DONE]\n\n", "ab", GW_READING_DONE, FALSE },
    { "data: " DELTA ("a") "\n\ndata: " STOP "\n\n", "a", GW_READING_ENDED, FALSE },
    { "data: " DELTA ("a") "\n\ndata: [DONE]\n\n", "a", GW_READING_DONE, FALSE },
    { "data: " DELTA ("a") "\n\ndata: " USAGE "\n\n", "a", GW_READING_ENDED, FALSE },
    { "data: " DELTA ("a") "\n\n", "a", GW_READING_OPEN, TRUE },
    { "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"total_tokens\":1}}\n\n",
      "a", GW_READING_OPEN, TRUE },
    { "\xef\xbb\xbf\n: hello\r\n\nid: 1\nevent: x\ndata: " DELTA ("\xe4\xbd\xa0\xf0\x9f\x98\x80")
      "\n\nwhat\ndata: nothing\n\ndata: " STOP "\n", "\xe4\xbd\xa0\xf0\x9f\x98\x80",
      GW_READING_ENDED, FALSE },
    /* Whole answers, of servers that do not stream. */
    { "{\"choices\":[{\"message\":{\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}", "whole",
      GW_READING_OPEN, FALSE },
    { "\n\n: keep-alive\n\n {\"choices\":[{\"message\":{\"content\":\"whole\"}}]}", "whole",
      GW_READING_OPEN, FALSE },
    { "<html>", NULL, GW_READING_OPEN, FALSE },
    { "data", NULL, GW_READING_OPEN, FALSE },
    { "event of the year", NULL, GW_READING_OPEN, FALSE },
    { "\xef\xbb", NULL, GW_READING_OPEN, FALSE },
    { "", NULL, GW_READING_OPEN, FALSE },
    { ": nothing but comments\n\n", NULL, GW_READING_OPEN, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gsize length = strlen (rows[i].text);
      g_autoptr (GwReplyBody) whole = gw_reply_body_parse (rows[i].text, length);
      g_autofree char *shown = g_strescape (rows[i].text, NULL); /* the log takes only UTF-8 */

      g_test_message ("%s", shown);
      for (gsize piece = 1; piece <= MAX (length, 1); piece++)
        {
          GwReading reading;
          g_autoptr (GwReplyBody) body = read_body (rows[i].text, length, piece, &reading);

          g_assert_cmpstr (body->content, ==, rows[i].content);
          g_assert_cmpint (reading, ==, rows[i].reading);
          g_assert_cmpint (body->cut_off, ==, rows[i].cut_off);
          g_assert_cmpstr (body->content, ==, whole->content);
          g_assert_cmpint (body->cut_off, ==, whole->cut_off);
          g_assert_cmpint (body->is_html, ==, whole->is_html);
          g_assert_cmpint (body->is_json, ==, whole->is_json);
          g_assert_cmpint (body->bad_utf8, ==, whole->bad_utf8);
        }
    }
}

static void
test_replies_told (void)
{
  static const char text[] = "data: " DELTA ("a") "\n\ndata: {\"error\":{\"message\":\"it broke\","
                             "\"code\":\"server_error\"}}\n\n";
  static const char thinks[] = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n"
                               "data: {\"choices\":[{\"delta\":{\"refusal\":\"I \"}}]}\n"
                               "data: {\"choices\":[{\"delta\":{\"refusal\":\"won't\"},"
                               "\"finish_reason\":\"stop\"}]}\n\n";
  GwReading reading;
  g_autoptr (GwReplyBody) body = read_body (text, strlen (text), 7, &reading);
  g_autoptr (GwReplyBody) other = read_body (thinks, strlen (thinks), 5, &reading);
  g_autoptr (GwReply) reply = gw_reply_new ();
  GwRawReply raw = { .status = 200, .body = "data: {", .length = 7, .parsed = body,
                     .title = "Mock" };

  g_assert_true (body->has_error);
  g_assert_cmpstr (body->error_message, ==, "it broke");
  gw_reply_classify (reply, &raw);
  g_assert_cmpint (reply->act, ==, GW_REPLY_RETRY);
  g_assert_cmpint (reply->error_code, ==, GW_ERROR_TASK_SERVER);
  g_assert_cmpstr (reply->raw, ==, "data: {");

  g_assert_cmpstr (other->reasoning, ==, "hm");
  g_assert_cmpstr (other->refusal, ==, "I won't");
}

static void
test_replies_hostile (void)
{
  static const char bad[] = "data: {\"choices\":[{\"delta\":{\"content\":\"a\xff\"}}]}\n\n"
                            "data: {\"choices\":[{\"delta\":{\"content\":\"\\u0000\\ud800\"},"
                            "\"finish_reason\":\"stop\"}]}\n\n";
  GwReading reading;
  g_autoptr (GwReplyBody) body = read_body (bad, strlen (bad), 3, &reading);
  g_autoptr (GwReplyReader) reader = gw_reply_reader_new (1000);
  g_autofree char *deep = g_strnfill (100000, '[');

  g_assert_true (body->bad_utf8);
  g_assert_cmpstr (body->content, ==, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");

  /* The texts together are held to a limit, however small the pieces are. */
  reading = GW_READING_OPEN;
  for (guint i = 0; i < 1000 && reading == GW_READING_OPEN; i++)
    reading = gw_reply_reader_feed (reader, "data: " DELTA ("abc") "\n\n",
                                    strlen ("data: " DELTA ("abc") "\n\n"));
  g_assert_cmpint (reading, ==, GW_READING_TOO_LARGE);

  g_clear_pointer (&reader, gw_reply_reader_free);
  reader = gw_reply_reader_new (LARGE);
  gw_reply_reader_feed (reader, "data: ", 6);
  gw_reply_reader_feed (reader, deep, 100000);
  gw_reply_reader_feed (reader, "\n\n", 2);
  g_clear_pointer (&body, gw_reply_body_free);
  body = gw_reply_reader_end (reader);
  g_assert_false (body->has_choice);
  g_assert_true (body->cut_off);
}

/* Keys */

static void
test_key_mask (void)
{
  static const struct {
    const char *text;
    const char *shown;
  } rows[] = {
    { "nothing here", "nothing here" },
    { "my key-one-0123456789 is", "my [redacted] is" },
    { "key-one-0123456789key-two-9876543210", "[redacted][redacted]" },
    { "key-one-01234key-one-0123456789", "key-one-01234[redacted]" },
    { "kkkey-two-9876543210.", "kk[redacted]." },
    { "a short one", "a short one" },
  };
  g_autoptr (GPtrArray) keys
      = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_secret_unref);

  g_ptr_array_add (keys, gw_secret_new ("key-one-0123456789"));
  g_ptr_array_add (keys, gw_secret_new ("short"));
  g_ptr_array_add (keys, gw_secret_new ("key-two-9876543210"));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gsize length = strlen (rows[i].text);
      g_autofree char *whole = g_strdup (rows[i].text);

      gw_key_mask_take_out (keys, &whole);
      g_assert_cmpstr (whole, ==, rows[i].shown);
      for (gsize piece = 1; piece <= length; piece++)
        {
          g_autoptr (GwKeyMask) mask = gw_key_mask_new (keys);
          g_autoptr (GString) shown = g_string_new (NULL);

          for (gsize n = 0; n < length; n += piece)
            {
              gw_key_mask_pass (mask, rows[i].text + n, MIN (piece, length - n), shown);
              g_assert_true (g_str_has_prefix (rows[i].shown, shown->str));
            }
          g_assert_cmpstr (shown->str, ==, rows[i].shown);
        }
    }
}

static void
test_key_mask_holds_back (void)
{
  g_autoptr (GPtrArray) keys
      = g_ptr_array_new_with_free_func ((GDestroyNotify) gw_secret_unref);
  g_autoptr (GwKeyMask) mask = NULL;
  g_autoptr (GString) shown = g_string_new (NULL);

  g_ptr_array_add (keys, gw_secret_new ("key-one-0123456789"));
  mask = gw_key_mask_new (keys);
  gw_key_mask_pass (mask, "is it key-one-0", 15, shown);
  g_assert_cmpstr (shown->str, ==, "is it ");
  gw_key_mask_pass (mask, "x", 1, shown);
  g_assert_cmpstr (shown->str, ==, "is it key-one-0x");
}

/* What is shown meanwhile */

static void
test_partial (void)
{
  g_autoptr (GwPartial) partial = gw_partial_new (3);
  g_autofree char *text = NULL;
  g_autofree char *many = g_strnfill (GW_PARTIAL_MAX_BYTES - 8, 'a');
  gsize begin;
  guint64 size;

  g_assert_cmpuint (gw_partial_get_attempt (partial), ==, 3);
  text = gw_partial_dup_text (partial, 10, &begin, &size);
  g_assert_cmpstr (text, ==, "");
  g_assert_cmpuint (begin + size, ==, 0);

  gw_partial_append (partial, "a\xe4\xbd\xa0" "b", 5);
  g_free (text);
  text = gw_partial_dup_text (partial, 2, &begin, &size);
  g_assert_cmpstr (text, ==, "\xe4\xbd\xa0" "b");
  g_assert_cmpuint (begin, ==, 1);
  g_assert_cmpuint (size, ==, 5);

  /* Only the beginning is kept, no character is cut, and nothing follows a gap. */
  gw_partial_append (partial, many, GW_PARTIAL_MAX_BYTES - 8);
  gw_partial_append (partial, "cc\xf0\x9f\x98\x80", 6);
  gw_partial_append (partial, "d", 1);
  g_free (text);
  text = gw_partial_dup_text (partial, GW_PARTIAL_MAX_BYTES - 4, &begin, &size);
  g_assert_cmpstr (text, ==, "acc");
  g_assert_cmpuint (size, ==, GW_PARTIAL_MAX_BYTES - 8 + 12);
  g_free (text);
  text = gw_partial_dup_text (partial, G_MAXSIZE, &begin, &size);
  g_assert_cmpstr (text, ==, "");
  g_assert_cmpuint (begin, ==, GW_PARTIAL_MAX_BYTES - 1);
}

static void
test_partials (void)
{
  g_autoptr (GwPartials) partials = gw_partials_new ();
  g_autoptr (GwPartial) first = gw_partial_new (1);
  g_autoptr (GwPartial) second = gw_partial_new (2);
  g_autoptr (GwPartial) found = NULL;

  g_assert_null (gw_partials_find (partials, "a"));
  gw_partials_add (partials, "a", first);
  gw_partials_add (partials, "a", second);
  gw_partials_remove (partials, "a", first);
  found = gw_partials_find (partials, "a");
  g_assert_true (found == second);
  gw_partials_remove (partials, "a", second);
  gw_partials_remove (partials, "a", second);
  g_assert_null (gw_partials_find (partials, "a"));
  g_assert_null (gw_partials_find (partials, "b"));
}

#define N_TASKS 4
#define N_PIECES 3000

static gpointer
look_on (gpointer data)
{
  GwPartials *partials = data;
  gsize seen = 0;

  /* Until the last one is gone. */
  for (;;)
    {
      gboolean any = FALSE;

      for (guint i = 0; i < N_TASKS; i++)
        {
          g_autofree char *id = g_strdup_printf ("task-%u", i);
          g_autoptr (GwPartial) partial = gw_partials_find (partials, id);
          g_autofree char *text = NULL;
          gsize begin;
          guint64 size;

          if (partial == NULL)
            continue;
          any = TRUE;
          text = gw_partial_dup_text (partial, 0, &begin, &size);
          g_assert_cmpuint (strlen (text), ==, size);
          g_assert_true (g_utf8_validate (text, -1, NULL));
          seen += size;
        }
      if (!any)
        return GSIZE_TO_POINTER (seen);
    }
}

static void
test_partials_threads (void)
{
  g_autoptr (GwPartials) partials = gw_partials_new ();
  GwPartial *written[N_TASKS];
  GThread *reader;

  for (guint i = 0; i < N_TASKS; i++)
    {
      g_autofree char *id = g_strdup_printf ("task-%u", i);

      written[i] = gw_partial_new (1);
      gw_partials_add (partials, id, written[i]);
    }
  reader = g_thread_new ("reader", look_on, partials);
  for (guint n = 0; n < N_PIECES; n++)
    {
      for (guint i = 0; i < N_TASKS; i++)
        gw_partial_append (written[i], "\xe4\xbd\xa0", 3);
    }
  for (guint i = 0; i < N_TASKS; i++)
    {
      g_autofree char *id = g_strdup_printf ("task-%u", i);

      gw_partials_remove (partials, id, written[i]);
      gw_partial_unref (written[i]);
    }
  g_thread_join (reader);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/streaming/events", test_events);
  g_test_add_func ("/streaming/events/limit", test_events_limit);
  g_test_add_func ("/streaming/events/effort", test_events_effort);
  g_test_add_func ("/streaming/replies", test_replies);
  g_test_add_func ("/streaming/replies/told", test_replies_told);
  g_test_add_func ("/streaming/replies/hostile", test_replies_hostile);
  g_test_add_func ("/streaming/key-mask", test_key_mask);
  g_test_add_func ("/streaming/key-mask/holds-back", test_key_mask_holds_back);
  g_test_add_func ("/streaming/partial", test_partial);
  g_test_add_func ("/streaming/partials", test_partials);
  g_test_add_func ("/streaming/partials/threads", test_partials_threads);

  return g_test_run ();
}
