/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole batches under a virtual clock; test-scheduler-limits.c has single decisions. */
#include "config.h"

#include <math.h>

#include "scheduler-scenes.h"

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

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/scheduler/table/ideal", GINT_TO_POINTER (FALSE), test_table);
  g_test_add_data_func ("/scheduler/table/kept", GINT_TO_POINTER (TRUE), test_table);

  return g_test_run ();
}
