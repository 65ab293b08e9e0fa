/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <locale.h>
#include <string.h>

#include "gw-estimate-words.h"
#include "gw-provider-info.h"
#include "gw-text-lines.h"

/* What the compose box says, without a display: lines, estimates, providers. */

static JsonObject *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonObject *object = gw_json_parse_object (text, strlen (text), &error);

  g_assert_no_error (error);
  return object;
}

static void
test_lines (void)
{
  static const struct {
    const char *text;
    guint n_lines;
    const char *first;
  } cases[] = {
    { "", 0, "" },
    { " \n\t\r\n\n", 0, "" },
    { "one", 1, "one" },
    { "one\n", 1, "one" },
    { "\n  one \r\n\r\n two\rthree", 3, "one" },
    { "一\n二\n", 2, "一" },
    { "0123456789ab", 1, "012345678…" },
    { "一二三四五六七八九十百千", 1, "一二三四五六七八九…" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) lines = gw_text_lines_split (cases[i].text);
      g_autofree char *first = gw_text_lines_dup_first (cases[i].text, 10);

      g_assert_cmpuint (gw_text_lines_count (cases[i].text, -1), ==, cases[i].n_lines);
      g_assert_cmpuint (lines->len, ==, cases[i].n_lines);
      g_assert_cmpstr (first, ==, cases[i].first);
    }
  /* Only so many bytes, and the parts of a line are trimmed. */
  g_assert_cmpuint (gw_text_lines_count ("a\nb\nc", 3), ==, 2);
  {
    g_autoptr (GPtrArray) lines = gw_text_lines_split ("\n  a b \r\n c");

    g_assert_cmpstr (lines->pdata[0], ==, "a b");
    g_assert_cmpstr (lines->pdata[1], ==, "c");
  }
}

static void
test_estimate (void)
{
  static const struct {
    const char *answer;
    guint n_tasks;
    gboolean serial;
    const char *words;
  } cases[] = {
    { "{\"finish_in_s\":118,\"low_s\":90,\"high_s\":150,\"learning\":false,\"per_provider\":{"
      "\"a\":{\"tasks\":20,\"latency_s\":3},\"b\":{\"tasks\":17,\"latency_s\":4},"
      "\"c\":{\"tasks\":0,\"latency_s\":9}}}",
      37, FALSE, "37 tasks: about 2 min on 2 providers" },
    /* One at a time, the fastest lane takes them all. */
    { "{\"finish_in_s\":118,\"low_s\":90,\"high_s\":150,\"per_provider\":{"
      "\"a\":{\"tasks\":20,\"latency_s\":3},\"b\":{\"tasks\":17,\"latency_s\":4}}}",
      37, TRUE, "37 tasks: about 2 min on 1 provider" },
    { "{\"finish_in_s\":7.2,\"low_s\":3,\"high_s\":31,\"learning\":true,\"per_provider\":{"
      "\"a\":{\"tasks\":5,\"latency_s\":3}}}",
      5, FALSE, "5 tasks: 3 s to 35 s on 1 provider" },
    { "{\"finish_in_s\":7.2,\"low_s\":7.2,\"high_s\":7.2,\"learning\":true,\"per_provider\":{"
      "\"a\":{\"tasks\":5,\"latency_s\":3}}}",
      5, FALSE, "5 tasks: about 8 s on 1 provider" },
    { "{\"finish_in_s\":5000,\"low_s\":5000,\"high_s\":5000,\"per_provider\":{"
      "\"a\":{\"tasks\":5,\"latency_s\":3}}}",
      5, FALSE, "5 tasks: about 1 h 25 min on 1 provider" },
    { "{\"finish_in_s\":7200,\"low_s\":5000,\"high_s\":9000,\"per_provider\":{"
      "\"a\":{\"tasks\":5,\"latency_s\":3}}}",
      5, FALSE, "5 tasks: about 2 h on 1 provider" },
    /* Nobody knows, or nobody takes them. */
    { "{\"finish_in_s\":null,\"low_s\":null,\"high_s\":null,\"per_provider\":{}}", 5, FALSE, NULL },
    { "{\"finish_in_s\":9,\"low_s\":9,\"high_s\":9,\"per_provider\":{}}", 5, FALSE, NULL },
    { "{\"finish_in_s\":9,\"per_provider\":{\"a\":{\"tasks\":5}}}", 5, TRUE, NULL },
    { "{\"finish_in_s\":9,\"per_provider\":{\"a\":[]}}", 5, FALSE, NULL },
    { "{}", 5, FALSE, NULL },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) answer = parse (cases[i].answer);
      g_autofree char *words
          = gw_estimate_to_words (answer, cases[i].n_tasks, cases[i].serial);

      g_assert_cmpstr (words, ==, cases[i].words);
    }
}

static void
assert_reason (GPtrArray *infos,
               const char *name,
               const char *expected)
{
  const GwProviderInfo *info = gw_provider_infos_find (infos, name);
  g_autofree char *reason = NULL;

  g_assert_nonnull (info);
  reason = gw_provider_info_to_reason (info);
  g_assert_cmpstr (reason, ==, expected);
}

static void
test_providers (void)
{
  g_autoptr (JsonObject) answer = parse (
      "{\"providers\":["
      "{\"name\":\"works\",\"title\":\"It Works\",\"in_use\":true,\"usable\":true,"
      "\"model\":\"m\",\"tested\":{\"ok\":true,\"models\":[\"m\",\"n\",3]},\"found\":null},"
      "{\"name\":\"busy\",\"in_use\":true,\"usable\":true,\"waiting\":{\"reason\":\"window\"}},"
      "{\"name\":\"bad\",\"in_use\":true,\"usable\":true,\"waiting\":{\"reason\":\"auth\"}},"
      "{\"name\":\"keyless\",\"in_use\":true,\"usable\":false,"
      "\"waiting\":{\"reason\":\"no-key\"}},"
      "{\"name\":\"off\",\"in_use\":false,\"usable\":true,\"preset\":true,"
      "\"key_source\":\"keyring\",\"waiting\":{\"reason\":\"disabled\"}},"
      "{\"name\":\"ollama\",\"in_use\":false,\"usable\":false,\"preset\":true,"
      "\"found\":{\"models\":[\"a\",\"b\"]},\"waiting\":{\"reason\":\"disabled\"}},"
      "{\"name\":\"keyed\",\"in_use\":false,\"preset\":true,\"key_source\":\"environment\","
      "\"key_variable\":\"KEYED_API_KEY\"},"
      "{\"name\":\"unknown\",\"in_use\":false,\"preset\":true,\"key_source\":\"none\","
      "\"key_variable\":\"UNKNOWN_API_KEY\"},"
      "{\"name\":\"practice\",\"in_use\":true,\"usable\":true},"
      "{\"title\":\"no name\"}, 5, null]}");
  g_autoptr (JsonObject) empty = parse ("{\"providers\":[{\"name\":\"practice\",\"in_use\":true,"
                                        "\"usable\":true}]}");
  g_autoptr (GPtrArray) infos = gw_provider_infos_new_from_json (answer);
  g_autoptr (GPtrArray) none = gw_provider_infos_new_from_json (empty);
  g_autoptr (JsonObject) preset = parse ("{\"providers\":[{\"name\":\"p\",\"preset\":true,"
                                         "\"configured\":false,\"usable\":false}]}");
  g_autoptr (JsonObject) keyless = parse ("{\"providers\":[{\"name\":\"p\",\"preset\":true,"
                                          "\"configured\":true,\"usable\":false}]}");
  g_autoptr (JsonObject) removed = parse ("{\"providers\":[{\"name\":\"p\",\"usable\":false}]}");
  g_autoptr (GPtrArray) presets = gw_provider_infos_new_from_json (preset);
  g_autoptr (GPtrArray) keyless_ones = gw_provider_infos_new_from_json (keyless);
  g_autoptr (GPtrArray) removed_ones = gw_provider_infos_new_from_json (removed);
  const GwProviderInfo *info;

  /* Practice answers are for who never had a provider: else tasks wait. */
  g_assert_true (gw_provider_infos_only_practice (none));
  g_assert_true (gw_provider_infos_only_practice (presets));
  g_assert_false (gw_provider_infos_only_practice (keyless_ones));
  g_assert_false (gw_provider_infos_only_practice (removed_ones));
  g_assert_false (gw_provider_infos_only_practice (infos));
  g_assert_false (gw_provider_infos_only_practice (NULL));

  g_assert_cmpuint (infos->len, ==, 9);
  g_assert_true (gw_provider_infos_any_usable (infos));
  g_assert_false (gw_provider_infos_any_usable (none));
  g_assert_false (gw_provider_infos_any_usable (NULL));
  g_assert_null (gw_provider_infos_find (infos, "nobody"));
  g_assert_null (gw_provider_infos_find (infos, NULL));

  info = gw_provider_infos_find (infos, "works");
  g_assert_cmpstr (info->title, ==, "It Works");
  g_assert_cmpuint (g_strv_length (info->models), ==, 2);
  g_assert_false (info->server);
  g_assert_false (gw_provider_info_is_offer (info));
  assert_reason (infos, "works", NULL);
  assert_reason (infos, "busy", NULL);
  assert_reason (infos, "bad", "Its key was not accepted");
  assert_reason (infos, "keyless", "It has no key");
  assert_reason (infos, "off", "Switched off");
  assert_reason (infos, "ollama", "Found, but not in use yet");

  info = gw_provider_infos_find (infos, "ollama");
  g_assert_true (info->server);
  g_assert_true (gw_provider_info_is_offer (info));
  info = gw_provider_infos_find (infos, "keyed");
  g_assert_cmpstr (info->variable, ==, "KEYED_API_KEY");
  g_assert_true (gw_provider_info_is_offer (info));
  info = gw_provider_infos_find (infos, "unknown");
  g_assert_null (info->variable);
  g_assert_false (info->known);
  g_assert_false (gw_provider_info_is_offer (info));
}

int
main (int argc,
      char *argv[])
{
  setlocale (LC_ALL, "C");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/composer/lines", test_lines);
  g_test_add_func ("/composer/estimate", test_estimate);
  g_test_add_func ("/composer/providers", test_providers);
  return g_test_run ();
}
