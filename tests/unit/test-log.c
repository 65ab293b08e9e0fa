/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "gw-log.h"

#define SECRET "canary+key/with=signs?42"

static void
assert_clean (const char *text,
              const char *secret)
{
  g_autofree char *redacted = gw_log_redact (text);

  if (strstr (redacted, secret) != NULL)
    g_test_message ("still there: %s", redacted);
  g_assert_null (strstr (redacted, secret));
  g_assert_nonnull (strstr (redacted, "[redacted]"));
}

static void
assert_untouched (const char *text)
{
  g_autofree char *redacted = gw_log_redact (text);

  g_assert_cmpstr (redacted, ==, text);
}

static void
test_registered (void)
{
  g_autofree char *encoded = g_uri_escape_string (SECRET, NULL, FALSE);
  g_autofree char *url = g_strdup_printf ("GET /v1?key=%s&b=1", encoded);

  gw_log_add_secret (SECRET);
  gw_log_add_secret ("short");
  gw_log_add_secret (NULL);
  assert_clean ("the key is " SECRET " and again " SECRET SECRET, "canary");
  assert_clean (url, encoded);
  assert_untouched ("short words stay, canary alone too");

  for (guint shift = 0; shift < 5; shift++)
    {
      g_autofree char *plain = g_strdup_printf ("%.*s" SECRET "tail", (int) shift, "user:");
      g_autofree char *base64 = g_base64_encode ((const guchar *) plain, strlen (plain));
      g_autofree char *redacted = gw_log_redact (base64);

      g_assert_nonnull (strstr (redacted, "[redacted]"));
      g_assert_cmpuint (strlen (redacted), <, 10 + 2 * 12);
    }
}

/* A key that begins like another one: the longer is replaced as a whole. */
static void
test_common_beginning (void)
{
  g_autofree char *redacted = NULL;

  gw_log_add_secret ("beginning");
  gw_log_add_secret ("beginning-and-secret-end");
  gw_log_add_secret ("beginning-and-secret");
  redacted = gw_log_redact ("a beginning-and-secret-end b beginning-and-secret c beginning d");
  g_assert_cmpstr (redacted, ==, "a [redacted] b [redacted] c [redacted] d");
}

static void
child_full (void)
{
  g_autofree char *long_secret = g_strnfill (100000, 'x');

  /* The warning is what is tested: it must not end the test. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  gw_log_init ("test");
  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *secret = g_strdup_printf ("secret-number-%u", i);

      gw_log_add_secret (secret);
    }
  gw_log_add_secret (long_secret);
  assert_clean ("first secret-number-0 stays known", "secret-number-0");
}

static void
test_full (void)
{
  if (g_test_subprocess ())
    {
      child_full ();
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("* warning gw-log: No room for another key*");
}

static void
test_shapes (void)
{
  assert_clean ("key sk-abcDEF123456 refused", "abcDEF");
  assert_clean ("{\"key\":\"nvapi-AbC_def-123\"}", "AbC_def");
  assert_clean ("Authorization: Basic dXNlcjpwYXNz", "dXNl");
  assert_clean ("\"authorization\": \"Bearer abc\", \"x\": 1", "abc");
  assert_clean ("header 'Bearer eyJhbGciOi.J9_x-1' sent", "eyJ");
  assert_clean ("?api_key=deadbeef01&x=1", "deadbeef");
  assert_clean ("X-Api-Key: deadbeef01", "deadbeef");
  assert_clean ("cannot reach redis://:pa55@db:6379/0", "pa55");
  assert_clean ("cannot reach https://me:pa55:word@host/x", "pa55");

  assert_untouched ("a risk-management-framework, task-0123456789, sk-");
  assert_untouched ("a wrong bearer token; authorization failed; api-key-env=NAME_KEY");
  assert_clean ("cannot reach redis://user:password@host:6379/0", ":password@");
  /* How an address is written. */
  assert_untouched ("Write redis://[user:password@]host:port/db, rediss://… for TLS.");
  assert_untouched ("write redis://:password@host, or user:password@.");
  assert_untouched ("http://127.0.0.1:8000/a@b redis://me@db:6379 http://h:80 a@b http://[::1]:1/");
  assert_untouched ("");
}

static void
test_redaction_keeps_the_rest (void)
{
  g_autofree char *redacted = gw_log_redact ("{\"authorization\": \"Bearer abc\", \"x\": 1}");

  g_assert_cmpstr (redacted, ==, "{\"authorization\": \"[redacted]\", \"x\": 1}");
}

/* The sink itself, in a process of its own whose standard error is read. */
static void
child_sink (void)
{
  gw_log_init ("test");
  gw_log_add_secret (SECRET);
  g_log ("gw-one", G_LOG_LEVEL_MESSAGE, "two\nlines\tand " SECRET);
  g_log ("gw-one", G_LOG_LEVEL_DEBUG, "unseen-debug");
  g_log ("Foreign", G_LOG_LEVEL_INFO, "unseen-info");
  g_log ("gw-one", G_LOG_LEVEL_INFO, "seen-info");
  g_log (NULL, G_LOG_LEVEL_MESSAGE, "no domain");
  g_printerr ("said %s\n", SECRET);
  g_assert_true (gw_log_set_level ("debug"));
  g_log ("gw-one", G_LOG_LEVEL_DEBUG, "seen-debug");
  g_log ("gangwayd", G_LOG_LEVEL_DEBUG, "seen-program-debug");
  g_log ("GLib-GIO", G_LOG_LEVEL_DEBUG, "unseen-library-debug");
  g_log ("dconf", G_LOG_LEVEL_INFO, "unseen-library-info");
  g_log (NULL, G_LOG_LEVEL_DEBUG, "unseen-nameless-debug");
  g_log ("GLib-GIO", G_LOG_LEVEL_MESSAGE, "seen-library-message");
  g_assert_true (gw_log_set_level ("error"));
  g_log ("gw-one", G_LOG_LEVEL_MESSAGE, "unseen-message");
  g_assert_false (gw_log_set_level ("loud"));
  g_assert_false (gw_log_set_level (NULL));
}

static void
test_sink (void)
{
  if (g_test_subprocess ())
    {
      child_sink ();
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*20*-*-*T*:*:*.*Z info gw-one: two\\nlines\\tand [redacted]\n*");
  g_test_trap_assert_stderr_unmatched ("*canary*");
  g_test_trap_assert_stderr_unmatched ("*unseen*");
  g_test_trap_assert_stderr ("* info gw-one: seen-info\n*");
  g_test_trap_assert_stderr ("* info -: no domain\n*");
  g_test_trap_assert_stderr ("*\nsaid [redacted]\n*");
  g_test_trap_assert_stderr ("* debug gw-one: seen-debug\n*");
  g_test_trap_assert_stderr ("* debug gangwayd: seen-program-debug\n*");
  g_test_trap_assert_stderr ("* info GLib-GIO: seen-library-message\n*");
}

static gpointer
redact_thread (gpointer data)
{
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *secret = g_strdup_printf ("secret-%p-%u", data, i % 10);
      g_autofree char *text = g_strdup_printf ("has %s inside", secret);

      gw_log_add_secret (secret);
      assert_clean (text, secret);
    }

  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("redact", redact_thread, GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/registered", test_registered);
  g_test_add_func ("/log/common-beginning", test_common_beginning);
  g_test_add_func ("/log/full", test_full);
  g_test_add_func ("/log/shapes", test_shapes);
  g_test_add_func ("/log/keeps-the-rest", test_redaction_keeps_the_rest);
  g_test_add_func ("/log/sink", test_sink);
  g_test_add_func ("/log/threads", test_threads);

  return g_test_run ();
}
