/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "gw-clock.h"
#include "gw-error.h"
#include "gw-id.h"

static void
test_manual (void)
{
  g_autoptr (GwClock) clock = gw_clock_new_manual (1000, 5000);

  gw_clock_advance (clock, 250);
  g_assert_cmpint (gw_clock_now (clock), ==, 1250);
  g_assert_cmpint (gw_clock_wall (clock), ==, 5250);
  gw_clock_step_wall (clock, -4000);
  g_assert_cmpint (gw_clock_now (clock), ==, 1250);
  g_assert_cmpint (gw_clock_wall (clock), ==, 1250);
  gw_clock_reboot (clock, "second", 10);
  g_assert_cmpint (gw_clock_now (clock), ==, 10);
  g_assert_cmpstr (gw_clock_boot_id (clock), ==, "second");
}

static void
test_iso (void)
{
  g_autofree char *text = gw_time_to_iso (1700000000123);
  gint64 back = 0;

  g_assert_cmpstr (text, ==, "2023-11-14T22:13:20.123Z");
  g_assert_true (gw_time_from_iso (text, &back));
  g_assert_cmpint (back, ==, 1700000000123);
  g_assert_null (gw_time_to_iso (0));
  g_assert_false (gw_time_from_iso ("yesterday", &back));
  g_assert_false (gw_time_from_iso ("2023-02-29T00:00:00.000Z", &back));
  g_assert_false (gw_time_from_iso ("2023-02-28T24:00:00.000Z", &back));
  g_assert_false (gw_time_from_iso ("2023-13-28T20:00:00.000Z", &back));
  g_assert_false (gw_time_from_iso ("2023-02-28T20:00:00.000Z ", &back));
  for (gint64 day = 1; day < 366 * 200; day++)
    {
      gint64 moment = day * 86400000 - day * 7919;
      g_autofree char *written = gw_time_to_iso (moment);

      g_assert_true (gw_time_from_iso (written, &back));
      g_assert_cmpint (back, ==, moment);
    }
}

static void
test_ids (void)
{
  g_autofree char *previous = gw_id_new ();

  for (guint i = 0; i < 10000; i++)
    {
      char *next = gw_id_new ();

      g_assert_cmpuint (strlen (next), ==, 36);
      g_assert_true (gw_id_is_valid (next));
      g_assert_cmpstr (previous, <, next);
      g_free (previous);
      previous = next;
    }
  g_assert_false (gw_id_is_valid (""));
  g_assert_false (gw_id_is_valid ("a/b"));
  g_assert_false (gw_id_is_valid (NULL));
}

static void
test_error_table (void)
{
  for (guint i = 0; i < GW_N_ERRORS; i++)
    {
      GwError back = GW_N_ERRORS;

      g_assert_true (gw_error_from_string (gw_error_to_string (i), &back));
      g_assert_cmpuint (back, ==, i);
    }
  g_assert_cmpuint (gw_error_http_status (GW_ERROR_INVALID), ==, 422);
  g_assert_cmpuint (gw_error_from_http_status (429), ==, GW_ERROR_QUEUE_FULL);
}

/* Another machine's time: followed forwards, never backwards. */
static void
test_remote (void)
{
  g_autoptr (GwClock) clock = gw_clock_new_remote ();
  gint64 ahead = gw_clock_now (clock) + 3600 * 1000;
  gint64 reached;

  gw_clock_set_remote (clock, ahead, ahead);
  reached = gw_clock_now (clock);
  g_assert_cmpint (reached, >=, ahead);
  g_assert_cmpint (gw_clock_wall (clock), >=, reached);
  gw_clock_set_remote (clock, ahead - 7200 * 1000, ahead - 7200 * 1000);
  g_assert_cmpint (gw_clock_now (clock), >=, reached);

  /* Its Unix time was set back: only that. */
  reached = gw_clock_now (clock);
  gw_clock_set_remote (clock, reached, reached - 5000);
  g_assert_cmpint (gw_clock_now (clock), >=, reached);
  g_assert_cmpint (gw_clock_wall (clock), <, reached);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clock/manual", test_manual);
  g_test_add_func ("/clock/iso", test_iso);
  g_test_add_func ("/clock/remote", test_remote);
  g_test_add_func ("/id/ordered", test_ids);
  g_test_add_func ("/error/table", test_error_table);

  return g_test_run ();
}
