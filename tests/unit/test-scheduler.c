/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole batches under a virtual clock; test-scheduler-limits.c has the limits, test-scheduler-
 * plan.c single decisions, the estimate and the bound. */
#include "config.h"

#include <math.h>

#include "scheduler-scenes.h"

#define N_SEEDS 400

static void
run (const SimConfig *config,
     SimResult *result)
{
  sim_run (config, result);
  g_assert_false (result->stalled);
  g_assert_cmpstr (result->breach, ==, NULL);
}

/* The best makespans of the table; ours may be earlier by what a spacing that begins at half of the
 * window saves. */
static void
test_table (gconstpointer data)
{
  gboolean kept = GPOINTER_TO_INT (data);

  for (guint i = 0; i < G_N_ELEMENTS (sim_table); i++)
    for (guint memo = 0; memo < 2; memo++)
      {
        double best = kept ? sim_table[i].best_kept_s : sim_table[i].best_s;
        SimConfig config;
        SimResult result;

        sim_row_config (&sim_table[i], kept, &config);
        config.uses_memo = memo == 1;
        run (&config, &result);
        g_test_message ("row %u: %.3f s, best %.2f s", i, result.makespan_s, best);
        g_assert_cmpfloat (result.makespan_s, <=, best + (kept ? 0.05 : 0.0005));
        g_assert_cmpfloat (result.makespan_s, >=, best - (kept ? 0.12 : 0.0005));
      }
}

/* The same batches by lanes that ask in any order, and from guesses that must first be mended: no
 * limit breaks, and the fastest lanes still end most. */
static void
test_table_in_any_order (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sim_table); i++)
    for (guint64 seed = 1; seed <= 5; seed++)
      {
        SimConfig config;
        SimResult result;

        sim_row_config (&sim_table[i], TRUE, &config);
        config.seed = seed;
        config.order = SIM_ORDER_RANDOM;
        run (&config, &result);
        g_assert_cmpfloat (result.makespan_s, <=, sim_table[i].best_kept_s * 1.07 + 0.05);
        config.guess_error = 0.5;
        run (&config, &result);
      }
}

/* The simulator's own bound on batches whose best is known. */
static void
test_table_bound (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sim_table); i++)
    {
      SimConfig config;

      sim_row_config (&sim_table[i], FALSE, &config);
      g_assert_cmpfloat (sim_bound (&config), <=, sim_table[i].best_s + 1e-6);
      g_assert_cmpfloat (sim_bound (&config), >=, sim_table[i].best_s * (i == 11 ? 0.99 : 0.9995));
    }
}

/* Seventeen idle fast slots are expected to give a fraction of an answer each: whoever credits them
 * with one, while nobody starts it, waits for ever. */
static void
test_one_task_many_slots (void)
{
  for (guint64 seed = 1; seed <= 20; seed++)
    {
      SimConfig config;
      SimResult result;

      sim_config_init (&config);
      config.seed = seed;
      config.cap = 30;
      config.n_lanes = 2;
      config.tasks = 1;
      config.lanes[0] = (SimLane){ .slots = 17, .mean_s = 2, .sigma = 0.5 };
      config.lanes[1] = (SimLane){ .slots = 3, .mean_s = 9, .sigma = 0.5 };
      config.order = seed % 2 == 0 ? SIM_ORDER_RANDOM : SIM_ORDER_FASTEST;
      run (&config, &result);
      g_assert_cmpuint (result.sends, ==, 1);
      g_assert_cmpuint (result.lane_answers[0], ==, 1);
    }
}

/* A lane that fails to come back must not keep the work from the others. */
static void
test_fast_lane_goes_down (void)
{
  SimConfig config;
  SimResult result;

  sim_config_init (&config);
  config.cap = 20;
  config.n_lanes = 2;
  config.tasks = 20;
  config.lanes[0] = (SimLane){ .slots = 5, .mean_s = 1, .outage_from_s = 0.5,
                               .outage_until_s = 100000 };
  config.lanes[1] = (SimLane){ .slots = 5, .mean_s = 10 };
  run (&config, &result);
  g_assert_cmpuint (result.lane_answers[1], ==, 20);
  g_assert_cmpfloat (result.makespan_s, <, 41);
}

static void
test_pinned_to_the_slow (void)
{
  SimConfig config;
  SimResult result;

  sim_config_init (&config);
  config.n_lanes = 2;
  config.tasks = 10;
  config.lanes[0] = (SimLane){ .slots = 10, .mean_s = 1 };
  config.lanes[1] = (SimLane){ .slots = 2, .mean_s = 10, .pins = 4 };
  run (&config, &result);
  g_assert_cmpuint (result.lane_answers[1], ==, 4);
  g_assert_cmpfloat (result.makespan_s, ==, 20);
}

/* Few places under the cap, and long tasks that only one lane may take: theirs are the first. */
static void
test_pinned_under_a_cap (void)
{
  SimConfig config;
  SimResult result;

  sim_config_init (&config);
  config.cap = 5;
  config.n_lanes = 2;
  config.tasks = 22;
  config.lanes[0] = (SimLane){ .slots = 13, .mean_s = 0.5, .pins = 2 };
  config.lanes[1] = (SimLane){ .slots = 55, .mean_s = 4, .pins = 2 };
  run (&config, &result);
  g_assert_cmpfloat (result.makespan_s, ==, 4);

  config.n_lanes = 3;
  config.tasks = 36;
  config.lanes[0] = (SimLane){ .slots = 11, .mean_s = 1 };
  config.lanes[1] = (SimLane){ .slots = 10, .mean_s = 38, .pins = 1 };
  config.lanes[2] = (SimLane){ .slots = 2, .window_sends = 45, .mean_s = 6, .pins = 1 };
  for (guint order = 0; order < 2; order++)
    {
      config.order = order;
      run (&config, &result);
      g_assert_cmpfloat (result.makespan_s, ==, 38);
    }
}

/* Geometric means over random configurations (see scheduler-scenes.c): bars a little above what is
 * reached, and far below what a free slot that takes the next task gives. Groups of fixed
 * latencies are close to 1; where latencies vary, most of the distance is the bound's knowledge of
 * the future. */
static void
test_random_configurations (void)
{
  const double bars[SIM_N_GROUPS] = { 1.13, 1.02, 1.003, 1.20, 1.06, 1.24, 1.30 };
  SimGroups known, raced, learned, next;

  sim_groups_init (&known);
  sim_groups_init (&raced);
  sim_groups_init (&learned);
  sim_groups_init (&next);
  for (guint64 seed = 1; seed <= N_SEEDS; seed++)
    {
      SimConfig config;
      double bound;

      sim_random_config (seed, &config);
      bound = sim_bound (&config);
      sim_groups_add (&known, &config, bound);
      config.order = SIM_ORDER_RANDOM;
      sim_groups_add (&raced, &config, bound);
      config.order = SIM_ORDER_FASTEST;
      config.guess_error = 0.7;
      sim_groups_add (&learned, &config, bound);
      config.policy = SIM_POLICY_TAKES_NEXT;
      sim_groups_add (&next, &config, bound);
    }

  g_assert_cmpuint (known.stalled + raced.stalled + learned.stalled, ==, 0);
  g_assert_cmpstr (known.breach, ==, NULL);
  g_assert_cmpstr (raced.breach, ==, NULL);
  g_assert_cmpstr (learned.breach, ==, NULL);
  g_assert_cmpstr (next.breach, ==, NULL);
  for (guint i = 0; i < SIM_N_GROUPS; i++)
    {
      double mean = sim_groups_mean (&known, i);

      g_test_message ("%s (%u): %.4f, in any order %.4f, learning %.4f, takes next %.4f",
                      sim_group_name (i), sim_groups_count (&known, i), mean,
                      sim_groups_mean (&raced, i), sim_groups_mean (&learned, i),
                      sim_groups_mean (&next, i));
      g_assert_cmpuint (sim_groups_count (&known, i), >, 20);
      g_assert_cmpfloat (mean, <, bars[i]);
      g_assert_cmpfloat (mean, <, sim_groups_mean (&next, i));
      g_assert_cmpfloat (sim_groups_mean (&raced, i), <, mean * 1.015);
      g_assert_cmpfloat (sim_groups_mean (&learned, i), <, mean * 1.12);
    }
  g_assert_cmpfloat (sim_groups_quantile (&known, SIM_GROUP_FIXED_SLACK, 1), <=, 1.07);
  sim_groups_clear (&known);
  sim_groups_clear (&raced);
  sim_groups_clear (&learned);
  sim_groups_clear (&next);
}

/* What a decision costs depends on lanes and slots, not on how much waits: by counting terms, which
 * no machine changes. */
static void
test_cost_is_flat (void)
{
  guint64 most[4];
  double mean[4];
  const guint64 tasks[] = { 100, 1000, 10000, 100000 };

  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      SimConfig config;
      SimResult result;

      sim_row_config (&sim_table[0], TRUE, &config);
      config.lanes[0].mean_s = 2;
      config.lanes[1].mean_s = 3;
      config.lanes[1].window_sends = 600;
      config.lanes[2].mean_s = 5;
      for (guint j = 0; j < 3; j++)
        config.lanes[j].sigma = 0.4;
      config.tasks = tasks[i];
      sim_run (&config, &result);
      g_assert_false (result.stalled);
      g_free (result.breach);
      most[i] = result.most_terms;
      mean[i] = result.terms / (double) result.claims;
      g_test_message ("%" G_GUINT64_FORMAT " waiting: at most %" G_GUINT64_FORMAT
                      " terms, %.2f on average", tasks[i], most[i], mean[i]);
    }
  for (guint i = 1; i < G_N_ELEMENTS (tasks); i++)
    {
      g_assert_cmpuint (most[i], <=, 2 * most[0]);
      g_assert_cmpfloat (mean[i], <=, mean[0]);
    }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/scheduler/table/ideal", GINT_TO_POINTER (FALSE), test_table);
  g_test_add_data_func ("/scheduler/table/kept", GINT_TO_POINTER (TRUE), test_table);
  g_test_add_func ("/scheduler/table/any-order", test_table_in_any_order);
  g_test_add_func ("/scheduler/table/bound", test_table_bound);
  g_test_add_func ("/scheduler/one-task-many-slots", test_one_task_many_slots);
  g_test_add_func ("/scheduler/fast-lane-goes-down", test_fast_lane_goes_down);
  g_test_add_func ("/scheduler/pinned-to-the-slow", test_pinned_to_the_slow);
  g_test_add_func ("/scheduler/pinned-under-a-cap", test_pinned_under_a_cap);
  g_test_add_func ("/scheduler/random-configurations", test_random_configurations);
  g_test_add_func ("/scheduler/cost-is-flat", test_cost_is_flat);

  return g_test_run ();
}
