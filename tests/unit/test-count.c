/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-count.h"

#define MOST G_GINT64_CONSTANT (1000000000000)

static void
test_read (void)
{
  static const struct {
    const char *text;
    gint64 count; /* -1: none */
  } cases[] = {
    { "0", 0 },
    { "007", 7 },
    { "100000", 100000 },
    { "  100000\t", 100000 },
    { "100,000", 100000 },
    { "100.000", 100000 },
    { "100 000", 100000 },
    { "100\u202f000", 100000 },
    { "1\u00a0000 000", 1000000 },
    { "1'000'000", 1000000 },
    { "1’000’000", 1000000 },
    { "12,34,567", 1234567 },
    { "1,00,000", 100000 },
    { "١٢٣", 123 },
    { "１２３", 123 },
    { "1000000000000", MOST },
    { "1.000.000.000.000", MOST },
    { "1000000000001", -1 },
    { "99999999999999999999999999", -1 },
    { "", -1 },
    { " ", -1 },
    { ",", -1 },
    { "1.5", -1 },
    { "1.50", -1 },
    { "1000.000", -1 },
    { "1000,000", -1 },
    { "1,000.000", -1 },
    { "1 000,000", -1 },
    { "1,00,00", -1 },
    { "1,00,000,000", -1 },
    { "1,000,00,000", -1 },
    { ",100", -1 },
    { "100,", -1 },
    { "1,,000", -1 },
    { "-1", -1 },
    { "+1", -1 },
    { "1e6", -1 },
    { "100k", -1 },
    { "0x10", -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 count;
      gboolean is_count = gw_count_read (cases[i].text, MOST, &count);

      g_test_message ("“%s”", cases[i].text);
      g_assert_cmpint (is_count ? count : -1, ==, cases[i].count);
    }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/count/read", test_read);

  return g_test_run ();
}
