/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single decisions, the plan, the estimate and the bound. */
#include "config.h"

#include <math.h>

#include "worker/gw-scheduler.h"

#define NOW 100000

/* A lane whose latency is known. */
static GwSchedulerLane
known (guint slots,
       double latency_s,
       double sigma)
{
  GwSchedulerLane lane = { .slots = slots };

  lane.belief = (GwBelief){ log (latency_s) - sigma * sigma / 2, sigma * sigma, 40 };

  return lane;
}

static GwSchedulerState
state_of (GwSchedulerLane *lanes,
          guint n_lanes,
          guint64 waiting)
{
  return (GwSchedulerState){ .now = NOW, .cap = 100, .waiting = waiting, .lanes = lanes,
                             .n_lanes = n_lanes };
}

static void
assert_worth (const GwSchedulerState *state,
              guint lane,
              GwVerdict verdict)
{
  g_assert_cmpint (gw_scheduler_check_worth (state, lane).verdict, ==, verdict);
}

static void
test_hold (void)
{
  GwSchedulerLane lanes[] = { known (2, 1, 0), known (4, 10, 0) };
  GwSchedulerState state = state_of (lanes, 2, 18);
  const gint64 flying[] = { NOW - 500, NOW - 100 };
  GwDecision decision;

  /* Before 10 s, two slots of 1 s end nine tasks each. */
  decision = gw_scheduler_check_worth (&state, 1);
  g_assert_cmpint (decision.verdict, ==, GW_VERDICT_HOLD);
  g_assert_cmpint (decision.ask_at, ==, NOW + 1000);
  state.waiting = 19;
  assert_worth (&state, 1, GW_VERDICT_START);
  assert_worth (&state, 0, GW_VERDICT_START);

  /* Both are out, for half a second and nearly one more: still nine each, the current call aside.
   * */
  lanes[0].flying = flying;
  lanes[0].n_flying = 2;
  state.waiting = 18;
  assert_worth (&state, 1, GW_VERDICT_HOLD);
  state.waiting = 19;
  assert_worth (&state, 1, GW_VERDICT_START);

  /* The fast lane is in a cool-down, or takes nothing, or takes none of these. */
  state.waiting = 10;
  assert_worth (&state, 1, GW_VERDICT_HOLD);
  lanes[0].n_flying = 0;
  lanes[0].parked_until = NOW + 6000;
  assert_worth (&state, 1, GW_VERDICT_START);
  lanes[0].parked_until = NOW + 4900;
  assert_worth (&state, 1, GW_VERDICT_HOLD);
  lanes[0].parked_until = GW_SCHEDULER_NEVER;
  assert_worth (&state, 1, GW_VERDICT_START);
  lanes[0].parked_until = 0;
  lanes[0].slots = 0;
  assert_worth (&state, 1, GW_VERDICT_START);
  lanes[0].slots = 2;
  lanes[0].pinned_only = TRUE;
  assert_worth (&state, 1, GW_VERDICT_START);
  lanes[0].pinned_only = FALSE;
  assert_worth (&state, 1, GW_VERDICT_HOLD);

  /* Pinned tasks come first on the fast lane. */
  lanes[0].pins = 9;
  assert_worth (&state, 1, GW_VERDICT_START);
  lanes[0].pins = 8;
  assert_worth (&state, 1, GW_VERDICT_HOLD);

  /* Equals do not wait for each other. */
  lanes[0] = known (4, 10, 0);
  state.waiting = 1;
  assert_worth (&state, 0, GW_VERDICT_START);
  assert_worth (&state, 1, GW_VERDICT_START);

  /* A task pinned to the slow lane does not wait for anything. */
  g_assert_cmpint (gw_scheduler_check_share (&state, 1).verdict, ==, GW_VERDICT_START);
}

/* The window of the fast lane is used up: what it can end is what its window lets it begin. */
static void
test_hold_by_window (void)
{
  GwSchedulerLane lanes[] = { known (10, 1, 0), known (4, 10, 0) };
  GwSchedulerState state = state_of (lanes, 2, 5);
  gint64 reopens[20];

  lanes[0].window_sends = 20;
  lanes[0].reopens = reopens;
  lanes[0].n_reopens = 20;
  for (guint i = 0; i < 20; i++)
    reopens[i] = NOW + 30000 + i;
  assert_worth (&state, 1, GW_VERDICT_START);
  for (guint i = 0; i < 5; i++)
    reopens[i] = NOW + 3000 + i;
  assert_worth (&state, 1, GW_VERDICT_HOLD);
  state.waiting = 6;
  assert_worth (&state, 1, GW_VERDICT_START);
  for (guint i = 0; i < 20; i++)
    reopens[i] = GW_SCHEDULER_NEVER;
  state.waiting = 1;
  assert_worth (&state, 1, GW_VERDICT_START);
}

/* Six places for eleven slots: those of 2 s have all but one of them. */
static void
test_share (void)
{
  GwSchedulerLane lanes[] = { known (5, 2, 0), known (6, 3, 0) };
  GwSchedulerState state = state_of (lanes, 2, 1000);
  const gint64 flying[] = { NOW, NOW, NOW, NOW, NOW, NOW };

  state.cap = 6;
  lanes[1].flying = lanes[0].flying = flying;
  assert_worth (&state, 0, GW_VERDICT_START);
  assert_worth (&state, 1, GW_VERDICT_START);
  lanes[1].n_flying = 1;
  assert_worth (&state, 1, GW_VERDICT_SHARE);
  g_assert_cmpint (gw_scheduler_check_worth (&state, 1).ask_at, ==, NOW + 300);
  g_assert_cmpint (gw_scheduler_check_share (&state, 1).verdict, ==, GW_VERDICT_SHARE);
  assert_worth (&state, 0, GW_VERDICT_START);

  /* The fast lane is shut for longer than a call of the slow one takes. */
  lanes[0].parked_until = NOW + 3500;
  assert_worth (&state, 1, GW_VERDICT_START);

  /* With room for all there are no shares. */
  lanes[0].parked_until = 0;
  state.cap = 11;
  assert_worth (&state, 1, GW_VERDICT_START);

  /* One slot is kept for what only the slow lane may take. */
  state.cap = 5;
  lanes[1].n_flying = 0;
  assert_worth (&state, 1, GW_VERDICT_SHARE);
  lanes[1].pins = 1;
  g_assert_cmpint (gw_scheduler_check_share (&state, 1).verdict, ==, GW_VERDICT_START);
}

/* A memo must not outlive what it was made for. */
static void
test_memo (void)
{
  GwSchedulerLane lanes[] = { known (5, 2, 0), known (6, 3, 0) };
  g_autoptr (GwSchedulerMemo) memo = gw_scheduler_memo_new ();
  GwSchedulerState state = state_of (lanes, 2, 1000);
  const gint64 flying[] = { NOW };
  guint64 terms;

  state.memo = memo;
  state.cap = 6;
  lanes[1].flying = flying;
  lanes[1].n_flying = 1;
  assert_worth (&state, 1, GW_VERDICT_SHARE);
  terms = gw_scheduler_memo_get_terms (memo);
  g_assert_cmpuint (terms, >, 0);
  state.waiting = 990;
  assert_worth (&state, 1, GW_VERDICT_SHARE);
  g_assert_cmpuint (gw_scheduler_memo_get_terms (memo), ==, terms);

  lanes[0].slots = 3;
  assert_worth (&state, 1, GW_VERDICT_START);
  g_assert_cmpuint (gw_scheduler_memo_get_terms (memo), >, terms);
  lanes[0].slots = 5;
  assert_worth (&state, 1, GW_VERDICT_SHARE);
  lanes[0].parked_until = NOW + 4000;
  assert_worth (&state, 1, GW_VERDICT_START);
  state.now = NOW + 4000;
  assert_worth (&state, 1, GW_VERDICT_SHARE);
  lanes[1].belief = known (6, 1, 0).belief;
  assert_worth (&state, 1, GW_VERDICT_START);
}

static void
test_plan (void)
{
  GwSchedulerLane lanes[] = { known (5, 2, 0), known (5, 4, 0), known (3, 1, 0) };
  GwSchedulerState state = state_of (lanes, 2, 75);
  double tasks[3];

  gw_scheduler_plan (&state, tasks);
  g_assert_cmpfloat_with_epsilon (tasks[0], 50, 0.01);
  g_assert_cmpfloat_with_epsilon (tasks[1], 25, 0.01);

  lanes[1].pins = 40;
  state.waiting = 35;
  gw_scheduler_plan (&state, tasks);
  g_assert_cmpfloat (tasks[1], ==, 40);
  g_assert_cmpfloat (tasks[0], ==, 35);

  /* What only a lane of the pinned may take does not become work for it. */
  lanes[1].pins = 0;
  state.n_lanes = 3;
  lanes[2].pinned_only = TRUE;
  lanes[2].pins = 6;
  state.waiting = 75;
  gw_scheduler_plan (&state, tasks);
  g_assert_cmpfloat_with_epsilon (tasks[0], 50, 0.01);
  g_assert_cmpfloat_with_epsilon (tasks[2], 6, 0.01);

  state.cap = 0;
  gw_scheduler_plan (&state, tasks);
  g_assert_cmpfloat (tasks[0], ==, 0);
}

static void
test_estimate_fixed (void)
{
  GwSchedulerLane lanes[] = { known (5, 2, 0), known (5, 4, 0) };
  GwSchedulerState state = state_of (lanes, 2, 75);
  const gint64 flying[] = { NOW - 500 };
  GwEstimate estimate;

  estimate = gw_scheduler_estimate (&state);
  g_assert_cmpfloat_with_epsilon (estimate.finish_s, 20, 0.1);
  g_assert_cmpfloat (estimate.low_s, <, estimate.finish_s);
  g_assert_cmpfloat (estimate.high_s, >, estimate.finish_s);
  g_assert_cmpfloat (estimate.high_s, <, 24);
  g_assert_false (estimate.learning);

  /* Two that only the slower lane may take, one after the other. */
  lanes[1].slots = 1;
  lanes[1].pins = 2;
  state.waiting = 5;
  estimate = gw_scheduler_estimate (&state);
  g_assert_cmpfloat_with_epsilon (estimate.finish_s, 8, 0.05);
  lanes[1].slots = 5;
  lanes[1].pins = 0;

  /* Tasks that wait for others of their project count, and so does their order. */
  state.waiting = 1;
  state.later = 74;
  estimate = gw_scheduler_estimate (&state);
  g_assert_cmpfloat_with_epsilon (estimate.finish_s, 20, 0.1);
  state.rounds = 75;
  estimate = gw_scheduler_estimate (&state);
  g_assert_cmpfloat_with_epsilon (estimate.finish_s, 150, 0.5);
  state.rounds = state.later = 0;

  /* Nothing waits: the call that is out is the end. */
  state.waiting = 0;
  lanes[0].flying = flying;
  lanes[0].n_flying = 1;
  estimate = gw_scheduler_estimate (&state);
  g_assert_cmpfloat_with_epsilon (estimate.finish_s, 1.5, 0.01);
  lanes[0].n_flying = 0;
  estimate = gw_scheduler_estimate (&state);
  g_assert_cmpfloat (estimate.finish_s, ==, 0);
  g_assert_cmpfloat (estimate.high_s, ==, 0);
}

static void
test_estimate_random (void)
{
  GwSchedulerLane lanes[] = { known (10, 3, 0.6) };
  GwSchedulerState state = state_of (lanes, 1, 1);
  GwEstimate one, ten, many;

  one = gw_scheduler_estimate (&state);
  g_assert_cmpfloat_with_epsilon (one.finish_s, 3 * exp (-0.18), 0.1);
  g_assert_cmpfloat (one.low_s, <, 1.5);
  g_assert_cmpfloat (one.high_s, >, 5);

  /* The longest of ten takes longer than one. */
  state.waiting = 10;
  ten = gw_scheduler_estimate (&state);
  g_assert_cmpfloat (ten.finish_s, >, 1.5 * one.finish_s);

  /* A thousand are nearly their mean, and the range is narrower for its size. */
  state.waiting = 1000;
  many = gw_scheduler_estimate (&state);
  g_assert_cmpfloat (many.finish_s, >, 295);
  g_assert_cmpfloat (many.finish_s, <, 315);
  g_assert_cmpfloat ((many.high_s - many.low_s) / many.finish_s, <,
                     (ten.high_s - ten.low_s) / ten.finish_s);

  lanes[0].belief.weight = 3;
  g_assert_true (gw_scheduler_estimate (&state).learning);
  g_assert_cmpfloat (gw_scheduler_estimate (&state).high_s, >, many.high_s);
  lanes[0].belief.weight = 4;
  g_assert_false (gw_scheduler_estimate (&state).learning);
}

static void
test_estimate_never (void)
{
  GwSchedulerLane lanes[] = { known (5, 2, 0), known (0, 4, 0) };
  GwSchedulerState state = state_of (lanes, 2, 10);

  g_assert_cmpfloat_with_epsilon (gw_scheduler_estimate (&state).finish_s, 4, 0.02);
  lanes[1].pins = 1;
  g_assert_cmpfloat (gw_scheduler_estimate (&state).finish_s, <, 0);
  lanes[1].pins = 0;
  lanes[0].slots = 0;
  g_assert_cmpfloat (gw_scheduler_estimate (&state).finish_s, <, 0);
  state.n_lanes = 0;
  g_assert_cmpfloat (gw_scheduler_estimate (&state).finish_s, <, 0);
  state.waiting = 0;
  g_assert_cmpfloat (gw_scheduler_estimate (&state).finish_s, ==, 0);
}

/* A call that is out for longer than a young belief allows corrects it. */
static void
test_young_belief (void)
{
  GwSchedulerLane lane = { .slots = 1 };
  GwSchedulerState state = state_of (&lane, 1, 1);
  const gint64 flying[] = { NOW - 20000 };

  gw_belief_init (&lane.belief, 1);
  lane.flying = flying;
  lane.n_flying = 1;
  g_assert_cmpfloat (gw_scheduler_estimate (&state).finish_s, >, 20);
  lane.belief.weight = 10;
  g_assert_cmpfloat (gw_scheduler_estimate (&state).finish_s, <, 10);
}

static void
test_bound_known (void)
{
  GwBoundLane lanes[] = { { .slots = 5, .prior_s = 2 },
                          { .slots = 5, .window_sends = 40, .prior_s = 2 },
                          { .slots = 1, .prior_s = 2 } };

  g_assert_cmpfloat (gw_scheduler_bound (lanes, 3, 10, 0), ==, 0);
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 3, 10, 1), ==, 2);
  g_assert_cmpfloat_with_epsilon (gw_scheduler_bound (lanes, 3, 10, 100), 20, 0.01);
  g_assert_cmpfloat_with_epsilon (gw_scheduler_bound (lanes, 3, 10, 500), 132, 0.05);
  g_assert_cmpfloat_with_epsilon (gw_scheduler_bound (lanes, 1, 10, 500), 200, 1e-9);

  /* No cap in the way: eleven at once. */
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 3, 11, 11), ==, 2);
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 3, 11, 12), ==, 4);

  /* A minute of 61 s counts, and so does the spacing of the second half of a window. */
  lanes[0].slots = lanes[2].slots = 0;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 3, 10, 80), ==, 76);
  g_assert_cmpfloat (gw_scheduler_bound_full (lanes, 3, 10, 80, 61000, 0), ==, 77);
  lanes[1].slots = 40;
  g_assert_cmpfloat (gw_scheduler_bound_full (lanes, 3, 100, 20, 61000, 25), ==, 2);
  g_assert_cmpfloat_with_epsilon (gw_scheduler_bound_full (lanes, 3, 100, 40, 61000, 25), 2.5,
                                  1e-9);

  /* Nobody can take them. */
  lanes[1].slots = 0;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 3, 10, 1), ==, (double) INFINITY);
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 0, 10, 1), ==, (double) INFINITY);
  lanes[0].slots = 5;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 3, 0, 1), ==, (double) INFINITY);
}

static void
test_bound_recorded (void)
{
  const double durations[] = { 1, 5, 1, 1 };
  const guint8 unanswered[] = { 1, 0, 0, 0 }, none[] = { 1, 1, 1, 1 };
  const double parked[] = { 0, 10, 10, 12 };
  GwBoundLane lanes[] = { { .slots = 1, .durations_s = durations, .n_durations = 4 },
                          { .slots = 1, .prior_s = 3 } };

  /* 1, 6, 7, 8; and then in a circle, 9, 14. */
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 1, 10, 4), ==, 8);
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 1, 10, 6), ==, 14);

  /* Beside it answers at 3 and 6. */
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 2, 10, 2), ==, 3);
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 2, 10, 4), ==, 6);
  lanes[0].pins = 4;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 2, 10, 4), ==, 8);
  lanes[0].pins = 0;

  /* The first call failed, and its time is gone. */
  lanes[0].unanswered = unanswered;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 1, 10, 1), ==, 6);
  lanes[0].unanswered = none;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 1, 10, 1), ==, (double) INFINITY);
  lanes[0].unanswered = NULL;

  lanes[0].parked_s = parked;
  lanes[0].n_parked = 2;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 1, 10, 1), ==, 13);

  /* One at a time over both: the cheapest calls alone are not enough. */
  lanes[0].n_parked = 0;
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 2, 1, 4), <=, 8);
  g_assert_cmpfloat (gw_scheduler_bound (lanes, 2, 1, 4), >, 6);
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scheduler/hold", test_hold);
  g_test_add_func ("/scheduler/hold/window", test_hold_by_window);
  g_test_add_func ("/scheduler/share", test_share);
  g_test_add_func ("/scheduler/memo", test_memo);
  g_test_add_func ("/scheduler/plan", test_plan);
  g_test_add_func ("/scheduler/estimate/fixed", test_estimate_fixed);
  g_test_add_func ("/scheduler/estimate/random", test_estimate_random);
  g_test_add_func ("/scheduler/estimate/never", test_estimate_never);
  g_test_add_func ("/scheduler/estimate/young-belief", test_young_belief);
  g_test_add_func ("/scheduler/bound/known", test_bound_known);
  g_test_add_func ("/scheduler/bound/recorded", test_bound_recorded);

  return g_test_run ();
}
