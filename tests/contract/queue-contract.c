/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

/* What every engine of the queue must do, told through its interface only. */

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add_task_cases ();
  add_try_cases ();
  add_project_cases ();
  add_move_cases ();
  add_stop_cases ();
  add_limit_cases ();
  add_feed_cases ();
  add_batch_cases ();
  add_crash_cases ();
  add_thread_cases ();
  add_model_cases ();

  return g_test_run ();
}
