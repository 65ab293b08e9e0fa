/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "scheduler-scenes.h"

#define START 5000

static void
test_by_hand (void)
{
  /* Two slots; four calls of 2 s, the last of which begins a second late. */
  const GwEfficiencyCall calls[] = {
    { 0, START + 3000, START + 5000, TRUE },
    { 0, START, START + 2000, TRUE },
    { 0, START, START + 2000, TRUE },
    { 0, START + 2000, START + 4000, TRUE },
    { 9, START, START + 90000, TRUE }, /* of a lane that is none of ours */
  };
  const GwBoundLane lane = { .slots = 2, .prior_s = 7 };
  GwEfficiency efficiency;

  efficiency = gw_efficiency_measure (&lane, 1, 10, START, calls, 4);
  g_assert_cmpuint (efficiency.answers, ==, 4);
  g_assert_cmpfloat (efficiency.makespan_s, ==, 5);
  g_assert_cmpfloat (efficiency.bound_s, ==, 4);
  g_assert_cmpfloat (efficiency.efficiency, ==, 0.8);
  g_assert_cmpfloat (efficiency.longest_s, ==, 2);
  g_assert_false (efficiency.few);
  g_assert_cmpuint (gw_efficiency_measure (&lane, 1, 10, START, calls, 5).answers, ==, 4);
  g_assert_true (gw_efficiency_measure (&lane, 1, 10, START, calls, 3).few);

  /* One at a time, as a serial project is: the cap is what keeps the other slot free. */
  efficiency = gw_efficiency_measure (&lane, 1, 1, START, calls, 4);
  g_assert_cmpfloat_with_epsilon (efficiency.efficiency, 1, 1e-9);
}

static void
test_nothing (void)
{
  const GwEfficiencyCall failed = { 0, START, START + 2000, FALSE };
  const GwEfficiencyCall at_once = { 0, START, START, TRUE };
  const GwBoundLane lane = { .slots = 2 };

  g_assert_cmpfloat (gw_efficiency_measure (&lane, 1, 10, START, NULL, 0).efficiency, <, 0);
  g_assert_cmpfloat (gw_efficiency_measure (NULL, 0, 10, START, NULL, 0).efficiency, <, 0);
  g_assert_cmpfloat (gw_efficiency_measure (&lane, 1, 10, START, &failed, 1).efficiency, <, 0);
  g_assert_cmpfloat (gw_efficiency_measure (&lane, 1, 10, START, &failed, 1).makespan_s, ==, 0);
  g_assert_cmpfloat (gw_efficiency_measure (&lane, 1, 10, START, &at_once, 1).efficiency, <, 0);
}

/* The window shuts after the second call, for the rest of the run. */
static void
test_window (void)
{
  const GwEfficiencyCall calls[] = {
    { 0, START, START + 1000, TRUE },
    { 0, START + 1000, START + 2000, TRUE },
    { 0, START + GW_WINDOW_MS, START + GW_WINDOW_MS + 1000, TRUE },
  };
  const GwBoundLane lane = { .slots = 1, .window_sends = 2 };
  GwEfficiency efficiency;

  efficiency = gw_efficiency_measure (&lane, 1, 10, START, calls, 3);
  g_assert_cmpfloat (efficiency.bound_s, ==, 61);
  g_assert_cmpfloat (efficiency.makespan_s, ==, 62);
}

/* The twelve batches of the table: what the rule reaches is nearly all. */
static void
test_table (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sim_table); i++)
    for (guint policy = 0; policy < 2; policy++)
      {
        g_autoptr (GArray) calls = g_array_new (FALSE, FALSE, sizeof (GwEfficiencyCall));
        GwBoundLane lanes[3] = { 0 };
        GwEfficiency efficiency;
        SimConfig config;
        SimResult result;

        sim_row_config (&sim_table[i], TRUE, &config);
        config.policy = policy;
        config.calls = calls;
        sim_run (&config, &result);
        g_free (result.breach);
        for (guint j = 0; j < 3; j++)
          lanes[j] = (GwBoundLane){ .slots = config.lanes[j].slots,
                                    .window_sends = config.lanes[j].window_sends,
                                    .prior_s = config.lanes[j].mean_s };
        efficiency = gw_efficiency_measure (lanes, 3, config.cap, SIM_START_MS,
                                            (GwEfficiencyCall *) (gpointer) calls->data,
                                            calls->len);
        g_test_message ("row %u, policy %u: %.3f", i, policy, efficiency.efficiency);
        g_assert_cmpuint (efficiency.answers, ==, sim_table[i].n);
        g_assert_cmpfloat_with_epsilon (efficiency.makespan_s, result.makespan_s, 1e-9);
        if (policy == SIM_POLICY_RULE)
          g_assert_cmpfloat (efficiency.efficiency, >, 0.98);
        g_assert_cmpfloat_with_epsilon (efficiency.efficiency * result.makespan_s,
                                        MIN (efficiency.bound_s, result.makespan_s), 1e-6);
      }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/efficiency/by-hand", test_by_hand);
  g_test_add_func ("/efficiency/nothing", test_nothing);
  g_test_add_func ("/efficiency/window", test_window);
  g_test_add_func ("/efficiency/table", test_table);

  return g_test_run ();
}
