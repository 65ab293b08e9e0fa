/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "gw-text.h"

static void
test_find (void)
{
  static const struct {
    const char *text;
    const char *needle;
    const char *found; /* NULL: nothing */
  } cases[] = {
    { "Draft a reply to the Landlord", "landlord", "Landlord" },
    { "landlord", "LANDLORD", "landlord" },
    { "landlor", "landlord", NULL },
    { "", "x", NULL },
    { NULL, "x", NULL },
    { "x", "", NULL },
    { "今天的日语课", "日语", "日语" },
    { "Über die Straße", "ÜBER", "Über" },
    { "über DIE STRASSE", "straße", "STRASSE" },
    { "aÄ", "ä", "Ä" },
    { "ИМЯ", "имя", "ИМЯ" },
    { "имя日", "日本", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize start = 0, end = 0;
      gboolean found = gw_text_find (cases[i].text, cases[i].needle, &start, &end);
      g_autofree char *part = found ? g_strndup (cases[i].text + start, end - start) : NULL;

      g_assert_cmpstr (part, ==, cases[i].found);
    }
}

static void
test_cut_around (void)
{
  g_autofree char *start = gw_text_cut_around ("Draft a reply\nto the landlord", "REPLY", 200);
  g_autofree char *later
    = gw_text_cut_around ("A long story about a house, and in the end the\n\n landlord came.",
                          "landlord", 12);
  g_autofree char *unbroken = gw_text_cut_around ("日本語日本語日本語日本語日本語日本語日本語中文",
                                                  "中", 200);
  g_autofree char *none = gw_text_cut_around ("a", "b", 200);
  g_autofree char *whole = gw_text_cut_around ("aaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaa", 3);

  g_assert_cmpstr (start, ==, "Draft a reply to the landlord");
  g_assert_cmpstr (later, ==, "…the landlord");
  g_assert_true (g_utf8_validate (unbroken, -1, NULL));
  g_assert_cmpstr (unbroken, ==, "…本語日本語中文");
  g_assert_null (none);
  g_assert_cmpstr (whole, ==, "aaaaaaaaaaaa");
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/find", test_find);
  g_test_add_func ("/text/cut-around", test_cut_around);

  return g_test_run ();
}
