/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beliefs and limits, case by case; test-scheduler.c runs whole batches. */
#include "config.h"

#include <math.h>

#include "worker/gw-scheduler.h"

#define NOW 100000

static void
init (GwSchedulerState *state,
      GwSchedulerLane *lanes,
      guint n_lanes)
{
  *state = (GwSchedulerState){ .now = NOW, .cap = 10, .waiting = 100, .lanes = lanes,
                               .n_lanes = n_lanes };
  for (guint i = 0; i < n_lanes; i++)
    {
      lanes[i] = (GwSchedulerLane){ .slots = 5 };
      gw_belief_init (&lanes[i].belief, 2);
    }
}

static void
assert_decision (const GwSchedulerState *state,
                 guint lane,
                 GwVerdict verdict,
                 gint64 ask_at)
{
  GwDecision decision = gw_scheduler_check_limits (state, lane);

  g_assert_cmpint (decision.verdict, ==, verdict);
  g_assert_cmpint (decision.ask_at, ==, ask_at);
}

static void
test_slots (void)
{
  gint64 flying[6] = { 0 };
  GwSchedulerState state;
  GwSchedulerLane lane;

  init (&state, &lane, 1);
  lane.flying = flying;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);
  lane.n_flying = 4;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);
  lane.n_flying = 5;
  assert_decision (&state, 0, GW_VERDICT_SLOTS, GW_SCHEDULER_NEVER);

  /* Slots were taken away while calls were in flight. */
  lane.n_flying = 6;
  assert_decision (&state, 0, GW_VERDICT_SLOTS, GW_SCHEDULER_NEVER);

  lane.n_flying = 0;
  lane.slots = 0;
  assert_decision (&state, 0, GW_VERDICT_SLOTS, GW_SCHEDULER_NEVER);
}

static void
test_cap (void)
{
  gint64 flying[5] = { 0 };
  GwSchedulerState state;
  GwSchedulerLane lanes[3];

  init (&state, lanes, 3);
  lanes[0].flying = lanes[1].flying = flying;
  lanes[0].n_flying = 5;
  lanes[1].n_flying = 4;
  assert_decision (&state, 2, GW_VERDICT_START, NOW);
  lanes[1].n_flying = 5;
  assert_decision (&state, 2, GW_VERDICT_CAP, GW_SCHEDULER_NEVER);
  assert_decision (&state, 1, GW_VERDICT_SLOTS, GW_SCHEDULER_NEVER);
}

static void
test_cool_down (void)
{
  GwSchedulerState state;
  GwSchedulerLane lane;

  init (&state, &lane, 1);
  lane.parked_until = NOW + 1;
  assert_decision (&state, 0, GW_VERDICT_COOL_DOWN, NOW + 1);
  lane.parked_until = NOW;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);
}

static void
test_window (void)
{
  const gint64 reopens[] = { NOW - 5, NOW, NOW + 10, NOW + 500, NOW + 900, GW_SCHEDULER_NEVER };
  GwSchedulerState state;
  GwSchedulerLane lane;

  init (&state, &lane, 1);
  state.spacing_ms = -1;
  lane.window_sends = 5;
  lane.reopens = reopens;

  /* Three of them count, then four, then five. */
  lane.n_reopens = 5;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);
  lane.n_reopens = 6;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);
  state.now = NOW - 1;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW);
  state.now = NOW;
  lane.window_sends = 4;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW + 10);

  /* The limit was lowered: more than one must cease to count. */
  lane.window_sends = 2;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW + 900);
  lane.window_sends = 1;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, GW_SCHEDULER_NEVER);

  /* The later of window and cool-down counts, and is the reason that is told. */
  lane.window_sends = 4;
  lane.parked_until = NOW + 11;
  assert_decision (&state, 0, GW_VERDICT_COOL_DOWN, NOW + 11);
  lane.parked_until = NOW + 9;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW + 10);
}

static void
test_spacing (void)
{
  const gint64 reopens[] = { NOW + 10, NOW + 30000, NOW + 30001, NOW + 61000 };
  GwSchedulerState state;
  GwSchedulerLane lane;

  init (&state, &lane, 1);
  lane.last_send = NOW - 5;

  /* No window: no spacing. */
  assert_decision (&state, 0, GW_VERDICT_START, NOW);

  /* Less than half of the window is used: none either. */
  lane.reopens = reopens;
  lane.n_reopens = 4;
  lane.window_sends = 9;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);

  /* From the half on, but only until enough of the window has passed. */
  lane.window_sends = 8;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW + 10);
  lane.window_sends = 6;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW + GW_SPACING_MS - 5);

  /* What ceases to count in this very millisecond is no longer used. */
  state.now = NOW + 10;
  lane.last_send = NOW;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW + GW_SPACING_MS);
  lane.window_sends = 7;
  assert_decision (&state, 0, GW_VERDICT_START, NOW + 10);
  lane.window_sends = 6;
  state.now = NOW;
  lane.last_send = NOW - GW_SPACING_MS;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);

  /* The lane has never sent: what counts are sends of another life. */
  lane.last_send = 0;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);

  lane.last_send = NOW;
  state.spacing_ms = 100;
  assert_decision (&state, 0, GW_VERDICT_WINDOW, NOW + 100);
  state.spacing_ms = -1;
  assert_decision (&state, 0, GW_VERDICT_START, NOW);
}

static void
test_belief (void)
{
  GwBelief belief;
  double p95;

  gw_belief_init (&belief, 3);
  g_assert_cmpfloat_with_epsilon (gw_belief_get_mean (&belief), 3, 1e-9);
  g_assert_cmpfloat (belief.weight, ==, 1);
  g_assert_cmpfloat (gw_belief_get_quantile (&belief, 0), <, 3);
  g_assert_cmpfloat (gw_belief_get_quantile (&belief, 1), >, 3);

  /* The first answer counts half, the guess the other half. */
  gw_belief_init (&belief, 1);
  gw_belief_learn (&belief, 16);
  g_assert_cmpfloat_with_epsilon (belief.mean, (log (16) - 0.125) / 2, 1e-9);

  /* A wrong guess is forgotten, and what does not vary is known to be fixed. */
  for (guint i = 0; i < 400; i++)
    gw_belief_learn (&belief, 8);
  g_assert_cmpfloat (belief.weight, ==, 40);
  g_assert_cmpfloat_with_epsilon (gw_belief_get_mean (&belief), 8, 0.01);
  g_assert_cmpfloat (belief.variance, <, 0.001);

  /* A spread is learned: half of the answers take 2 s, half 8 s. */
  for (guint i = 0; i < 400; i++)
    gw_belief_learn (&belief, i % 2 == 0 ? 2 : 8);
  g_assert_cmpfloat_with_epsilon (belief.mean, log (4), 0.1);
  g_assert_cmpfloat_with_epsilon (sqrt (belief.variance), log (2), 0.1);
  p95 = gw_belief_get_quantile (&belief, 1.65);
  g_assert_cmpfloat (p95, >, 8);

  /* Nonsense from a clock or a file leaves it finite. */
  gw_belief_learn (&belief, 0);
  gw_belief_learn (&belief, -1);
  gw_belief_learn (&belief, (double) NAN);
  gw_belief_learn (&belief, (double) INFINITY);
  g_assert_true (isfinite (gw_belief_get_mean (&belief)));
  gw_belief_init (&belief, 0);
  g_assert_cmpfloat (gw_belief_get_mean (&belief), >, 0);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scheduler/limits/slots", test_slots);
  g_test_add_func ("/scheduler/limits/cap", test_cap);
  g_test_add_func ("/scheduler/limits/cool-down", test_cool_down);
  g_test_add_func ("/scheduler/limits/window", test_window);
  g_test_add_func ("/scheduler/limits/spacing", test_spacing);
  g_test_add_func ("/scheduler/belief", test_belief);

  return g_test_run ();
}
