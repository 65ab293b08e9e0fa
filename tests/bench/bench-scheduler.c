/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints what the scheduler reaches under a virtual clock, and what a decision costs. Nothing is
 * asserted: tests/unit/test-scheduler.c does that. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "scheduler-scenes.h"

static void
print_table (void)
{
  g_print ("Makespan in seconds; 60 s window without spacing, in brackets 61 s and 25 ms\n");
  g_print ("%-8s %5s  %19s  %19s  %19s\n", "H/N/Z", "n", "takes next", "rule", "bound");
  for (guint i = 0; i < G_N_ELEMENTS (sim_table); i++)
    {
      const SimRow *row = &sim_table[i];
      double figures[3][2];

      for (guint j = 0; j < 2; j++)
        {
          SimConfig config;
          SimResult result;

          sim_row_config (row, j == 1, &config);
          sim_run (&config, &result);
          figures[1][j] = result.makespan_s;
          g_free (result.breach);
          figures[2][j] = sim_bound (&config);
          config.policy = SIM_POLICY_TAKES_NEXT;
          sim_run (&config, &result);
          figures[0][j] = result.makespan_s;
          g_free (result.breach);
        }
      g_print ("%g/%g/%g%*s %5u ", row->latency_s[0], row->latency_s[1], row->latency_s[2],
               row->latency_s[2] >= 10 || row->latency_s[1] >= 10 ? 1 : 2, "", row->n);
      for (guint j = 0; j < 3; j++)
        g_print (" %8.2f (%8.2f)", figures[j][0], figures[j][1]);
      g_print ("\n");
    }
}

static void
print_groups (guint n_seeds)
{
  SimGroups rule, next;

  sim_groups_init (&rule);
  sim_groups_init (&next);
  for (guint64 seed = 1; seed <= n_seeds; seed++)
    {
      SimConfig config;

      sim_random_config (seed, &config);
      sim_groups_add (&rule, &config, sim_bound (&config));
      config.policy = SIM_POLICY_TAKES_NEXT;
      sim_groups_add (&next, &config, sim_bound (&config));
    }
  g_print ("\nMakespan / bound on %u random configurations\n", n_seeds);
  g_print ("%-44s %5s  %8s %8s %8s %8s  %10s\n", "group", "count", "median", "p95", "max", "mean",
           "takes next");
  for (guint i = 0; i < SIM_N_GROUPS; i++)
    g_print ("%-44s %5u  %8.3f %8.2f %8.2f %8.3f  %10.3f\n", sim_group_name (i),
             sim_groups_count (&rule, i), sim_groups_quantile (&rule, i, 0.5),
             sim_groups_quantile (&rule, i, 0.95), sim_groups_quantile (&rule, i, 1),
             sim_groups_mean (&rule, i), sim_groups_mean (&next, i));
  sim_groups_clear (&rule);
  sim_groups_clear (&next);
}

static void
print_cost (guint n_lanes,
            guint slots,
            guint cap,
            double sigma,
            gboolean keeps)
{
  enum { TURNS = 2000 };
  g_autofree GwSchedulerLane *lanes = g_new0 (GwSchedulerLane, n_lanes);
  g_autofree gint64 *flying = g_new (gint64, slots * n_lanes);
  g_autofree gint64 *reopens = g_new (gint64, 40);
  g_autoptr (GwSchedulerMemo) memo = keeps ? gw_scheduler_memo_new () : NULL;
  GwSchedulerState state = { .now = 1000000, .cap = cap, .lanes = lanes, .n_lanes = n_lanes,
                             .memo = memo };
  const guint64 waiting[] = { 10, 100, 100000 };

  for (guint i = 0; i < slots * n_lanes; i++)
    flying[i] = state.now - 37 * (i % slots) - 1;
  for (guint i = 0; i < 40; i++)
    reopens[i] = state.now + 1000 * (i + 1);
  for (guint i = 0; i < n_lanes; i++)
    {
      lanes[i] = (GwSchedulerLane){ .slots = slots, .flying = flying + i * slots,
                                    .n_flying = MIN (slots, cap / n_lanes) - 1,
                                    .window_sends = i % 2 == 1 ? 60 : 0, .reopens = reopens,
                                    .n_reopens = i % 2 == 1 ? 40 : 0 };
      lanes[i].belief = (GwBelief){ log (2.0 + i), sigma * sigma, 40 };
    }
  g_print ("%2u x %2u, cap %3u, sigma %.1f, %-12s", n_lanes, slots, cap, sigma,
           keeps ? "with memo" : "without");
  for (guint i = 0; i < G_N_ELEMENTS (waiting); i++)
    {
      gint64 begun = g_get_monotonic_time ();

      for (guint turn = 0; turn < TURNS; turn++)
        {
          state.waiting = waiting[i] + turn % 3;
          gw_scheduler_check_limits (&state, turn % n_lanes);
          gw_scheduler_check_worth (&state, turn % n_lanes);
        }
      g_print ("  %7.2f", (g_get_monotonic_time () - begun) / (double) TURNS);
    }
  g_print ("\n");
}

static void
print_estimates (guint n_seeds)
{
  const char *names[] = { "known, n >= 10 slots", "known, 1 to 10 slots", "known, n < slots" };

  g_print ("\nEstimate: median and p90 of the error relative to the makespan, how often the 80 %% range held\n");
  g_print ("%-24s %5s  %20s  %20s  %20s  %20s\n", "", "count", "at start", "10 %", "50 %", "90 %");
  for (guint group = 0; group < G_N_ELEMENTS (names); group++)
    {
      GArray *errors[4];
      guint held[4] = { 0 };

      for (guint i = 0; i < 4; i++)
        errors[i] = g_array_new (FALSE, FALSE, sizeof (double));
      for (guint64 seed = 1; seed <= n_seeds; seed++)
        {
          SimConfig config;
          SimResult result;

          sim_random_config (seed, &config);
          if (!sim_is_plain (&config) || sim_tasks_group (&config) != group)
            continue;
          config.n_estimates = 4;
          config.estimate_at[1] = 0.1;
          config.estimate_at[2] = 0.5;
          config.estimate_at[3] = 0.9;
          sim_run (&config, &result);
          g_free (result.breach);
          for (guint i = 0; i < 4; i++)
            {
              double left = result.makespan_s - result.estimated_at_s[i], error;

              if (result.estimated_at_s[i] < 0 || left <= 0)
                continue;
              error = fabs (result.estimates[i].finish_s - left) / result.makespan_s;
              g_array_append_val (errors[i], error);
              held[i] += left >= result.estimates[i].low_s - 0.001
                         && left <= result.estimates[i].high_s + 0.001;
            }
        }
      g_print ("%-24s %5u", names[group], errors[0]->len);
      for (guint i = 0; i < 4; i++)
        {
          g_print ("  %6.2f /%5.2f, %5.2f", sim_quantile (errors[i], 0.5),
                   sim_quantile (errors[i], 0.9),
                   errors[i]->len > 0 ? held[i] / (double) errors[i]->len : 0);
          g_array_unref (errors[i]);
        }
      g_print ("\n");
    }
}

int
main (int argc,
      char *argv[])
{
  guint n_seeds = argc > 1 ? (guint) g_ascii_strtoull (argv[1], NULL, 10) : 600;

  print_table ();
  print_groups (n_seeds);
  print_estimates (n_seeds);
  g_print ("\nMicroseconds for both checks of a claim, with 10, 100 and 100 000 tasks waiting\n");
  for (guint i = 0; i < 4; i++)
    {
      double sigma = i % 2 == 0 ? 0 : 0.5;
      gboolean keeps = i / 2 == 1;

      print_cost (3, 5, 10, sigma, keeps);
      print_cost (6, 20, 60, sigma, keeps);
      print_cost (6, 64, 200, sigma, keeps);
      print_cost (16, 64, 200, sigma, keeps);
    }

  return 0;
}
