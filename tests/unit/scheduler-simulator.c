/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See the header. The k-th call of a lane lasts the same under every policy, so that policies can
 * be compared and the bound can know it. What was sent is checked afterwards, from the log alone,
 * by code that shares nothing with the scheduler. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "scheduler-simulator.h"

#define COMMON -1
#define PINNED -2
#define MOST_LOOKS 200000 /* in a row without an event: it stalls */

typedef struct {
  guint lane;
  gint64 start;
  gint64 end;
  gboolean answered;
} Call;

typedef struct {
  gint64 *flying;   /* starts */
  gint64 *ends;
  int *sources;
  gboolean *failing;
  guint n_flying;
  GArray *reopens;  /* (element-type gint64) */
  guint expired;    /* of them, no longer counted */
  guint64 sends;
  gint64 last_send;
  gint64 outage_from;
  gint64 outage_until;
  guint64 pins;
  GwBelief belief;
} Lane;

typedef struct {
  const SimConfig *config;
  SimResult *result;
  Lane lanes[SIM_MOST_LANES];
  GArray *log;      /* (element-type Call) */
  gint64 now;
  guint64 waiting;  /* common tasks that are here */
  guint64 to_come;
  guint64 project_waiting[SIM_MOST_PROJECTS];
  guint project_running[SIM_MOST_PROJECTS];
  guint project_most[SIM_MOST_PROJECTS];
  guint64 open;     /* tasks without an answer */
  guint64 total;
  guint64 arrived;
  gint64 last_answer;
  GwSchedulerMemo *memo;
} Sim;

static guint64
sim_hash (guint64 a,
          guint64 b,
          guint64 c)
{
  guint64 x = a * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)
              ^ (b + 1) * G_GUINT64_CONSTANT (0xd6e8feb86659fd93)
              ^ (c + 1) * G_GUINT64_CONSTANT (0xa0761d6478bd642f);

  for (guint i = 0; i < 2; i++)
    {
      x ^= x >> 30;
      x *= G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
      x ^= x >> 27;
      x *= G_GUINT64_CONSTANT (0x94d049bb133111eb);
      x ^= x >> 31;
    }

  return x;
}

/* In (0, 1). */
double
sim_uniform (guint64 a,
             guint64 b,
             guint64 c)
{
  return ((sim_hash (a, b, c) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal (guint64 a,
        guint64 b,
        guint64 c)
{
  return sqrt (-2 * log (sim_uniform (a, b, 2 * c)))
         * cos (2 * G_PI * sim_uniform (a, b, 2 * c + 1));
}

static gint64
call_duration (const SimConfig *config,
               guint lane,
               guint64 k)
{
  const SimLane *self = &config->lanes[lane];
  double seconds = self->mean_s;

  if (self->sigma > 0)
    seconds *= exp (self->sigma * normal (config->seed, 100 + lane, k)
                    - self->sigma * self->sigma / 2);

  return MAX ((gint64) round (seconds * 1000), 1);
}

static gboolean
call_fails (const SimConfig *config,
            guint lane,
            guint64 k)
{
  return config->failures > 0 && sim_uniform (config->seed, 200 + lane, k) < config->failures;
}

void
sim_config_init (SimConfig *config)
{
  *config = (SimConfig){ .cap = 10, .window_ms = 60000, .guess_error = -1, .uses_memo = TRUE };
}

static void
fill_state (Sim *sim,
            GwSchedulerState *state,
            GwSchedulerLane *lanes)
{
  const SimConfig *config = sim->config;

  *state = (GwSchedulerState){
    .now = sim->now,
    .cap = config->cap,
    .waiting = sim->waiting,
    .lanes = lanes,
    .n_lanes = config->n_lanes,
    .window_ms = config->window_ms,
    .spacing_ms = config->spacing_ms > 0 ? config->spacing_ms : -1,
    .memo = sim->memo,
  };
  for (guint i = 0; i < config->n_projects; i++)
    {
      guint concurrency = config->project_concurrency[i], running = sim->project_running[i];
      guint64 ready = MIN (sim->project_waiting[i], concurrency - running);

      state->waiting += ready;
      state->later += sim->project_waiting[i] - ready;
      state->rounds = MAX (state->rounds,
                           (sim->project_waiting[i] + concurrency - 1) / concurrency);
    }
  for (guint i = 0; i < config->n_lanes; i++)
    {
      Lane *lane = &sim->lanes[i];

      while (lane->expired < lane->reopens->len
             && g_array_index (lane->reopens, gint64, lane->expired) <= sim->now)
        lane->expired++;
      lanes[i] = (GwSchedulerLane){
        .slots = config->lanes[i].slots,
        .window_sends = config->lanes[i].window_sends,
        .parked_until = sim->now >= lane->outage_from && sim->now < lane->outage_until
                            ? lane->outage_until : 0,
        .last_send = lane->last_send,
        .flying = lane->flying,
        .n_flying = lane->n_flying,
        .reopens = (const gint64 *) (gpointer) lane->reopens->data + lane->expired,
        .n_reopens = lane->reopens->len - lane->expired,
        .belief = lane->belief,
        .pins = lane->pins,
      };
    }
}

static void
start_call (Sim *sim,
            guint index,
            int source)
{
  const SimConfig *config = sim->config;
  Lane *lane = &sim->lanes[index];
  Call call = { index, sim->now, sim->now + call_duration (config, index, lane->sends),
                !call_fails (config, index, lane->sends) };

  lane->flying[lane->n_flying] = sim->now;
  lane->ends[lane->n_flying] = call.end;
  lane->sources[lane->n_flying] = source;
  lane->failing[lane->n_flying] = call_fails (config, index, lane->sends);
  lane->n_flying++;
  lane->sends++;
  lane->last_send = sim->now;
  if (config->lanes[index].window_sends > 0)
    {
      gint64 reopens = sim->now + config->window_ms;

      g_array_append_val (lane->reopens, reopens);
    }
  g_array_append_val (sim->log, call);
  sim->result->sends++;
  if (source == PINNED)
    lane->pins--;
  else if (source == COMMON)
    sim->waiting--;
  else
    {
      sim->project_waiting[source]--;
      sim->project_running[source]++;
      sim->project_most[source] = MAX (sim->project_most[source], sim->project_running[source]);
    }
}

static void
end_call (Sim *sim,
          guint index,
          guint at,
          gboolean lost)
{
  Lane *lane = &sim->lanes[index];
  int source = lane->sources[at];
  gboolean failed = lost || lane->failing[at];

  if (source >= 0)
    sim->project_running[source]--;
  if (failed && source == PINNED)
    lane->pins++;
  else if (failed && source == COMMON)
    sim->waiting++;
  else if (failed)
    sim->project_waiting[source]++;
  else
    {
      sim->open--;
      sim->result->lane_answers[index]++;
      sim->last_answer = sim->now;
      if (sim->config->guess_error >= 0)
        gw_belief_learn (&lane->belief, (sim->now - lane->flying[at]) / 1000.0);
    }
  if (lost)
    for (guint i = sim->log->len; i-- > 0;)
      {
        Call *call = &g_array_index (sim->log, Call, i);

        if (call->lane == index && call->start == lane->flying[at] && call->end == lane->ends[at])
          {
            call->end = sim->now;
            call->answered = FALSE;
            break;
          }
      }
  lane->n_flying--;
  for (guint i = at; i < lane->n_flying; i++)
    {
      lane->flying[i] = lane->flying[i + 1];
      lane->ends[i] = lane->ends[i + 1];
      lane->sources[i] = lane->sources[i + 1];
      lane->failing[i] = lane->failing[i + 1];
    }
}

static int
find_task (Sim *sim,
           guint lane)
{
  if (sim->lanes[lane].pins > 0)
    return PINNED;
  for (guint i = 0; i < sim->config->n_projects; i++)
    if (sim->project_waiting[i] > 0
        && sim->project_running[i] < sim->config->project_concurrency[i])
      return (int) i;

  return COMMON;
}

/* Asks one lane; gives whether it started, and in @ask_at when it wants to be asked again. */
static gboolean
ask_lane (Sim *sim,
          guint index,
          gint64 *ask_at)
{
  GwSchedulerLane lanes[SIM_MOST_LANES];
  GwSchedulerState state;
  GwDecision decision;
  guint64 before;
  int source;

  fill_state (sim, &state, lanes);
  if (state.waiting + lanes[index].pins == 0)
    return FALSE;
  decision = gw_scheduler_check_limits (&state, index);
  if (decision.verdict == GW_VERDICT_START && sim->config->policy == SIM_POLICY_RULE)
    {
      source = find_task (sim, index);
      before = sim->memo != NULL ? gw_scheduler_memo_get_terms (sim->memo) : 0;
      if (source == PINNED)
        decision = gw_scheduler_check_share (&state, index);
      else
        decision = gw_scheduler_check_worth (&state, index);
      sim->result->claims++;
      if (sim->memo != NULL)
        {
          guint64 terms = gw_scheduler_memo_get_terms (sim->memo) - before;

          sim->result->terms += terms;
          sim->result->most_terms = MAX (sim->result->most_terms, terms);
        }
    }
  if (decision.verdict == GW_VERDICT_START)
    {
      start_call (sim, index, find_task (sim, index));
      return TRUE;
    }
  *ask_at = MIN (*ask_at, decision.ask_at);

  return FALSE;
}

/* Asks lanes until none starts. */
static gint64
ask_all (Sim *sim)
{
  const SimConfig *config = sim->config;
  guint order[SIM_MOST_LANES];
  gint64 ask_at;
  gboolean started;

  for (guint i = 0; i < config->n_lanes; i++)
    order[i] = i;
  if (config->order == SIM_ORDER_FASTEST)
    for (guint i = 1; i < config->n_lanes; i++)
      for (guint j = i; j > 0; j--)
        {
          const SimLane *left = &config->lanes[order[j - 1]], *right = &config->lanes[order[j]];
          guint other = order[j];

          if (left->mean_s < right->mean_s
              || (left->mean_s == right->mean_s
                  && (left->window_sends == 0 || right->window_sends > 0)))
            break;
          order[j] = order[j - 1];
          order[j - 1] = other;
        }
  do
    {
      started = FALSE;
      ask_at = GW_SCHEDULER_NEVER;
      if (config->order == SIM_ORDER_RANDOM)
        for (guint i = config->n_lanes - 1; i > 0; i--)
          {
            guint j = sim_hash (config->seed, 300 + sim->result->sends, sim->result->claims + i)
                      % (i + 1);
            guint other = order[j];

            order[j] = order[i];
            order[i] = other;
          }
      for (guint i = 0; i < config->n_lanes && !started; i++)
        started = ask_lane (sim, order[i], &ask_at);
    }
  while (started);

  return ask_at;
}

static void
record_estimates (Sim *sim)
{
  GwSchedulerLane lanes[SIM_MOST_LANES];
  GwSchedulerState state;

  for (guint i = 0; i < sim->config->n_estimates; i++)
    if (sim->result->estimated_at_s[i] < 0
        && sim->total - sim->open >= sim->config->estimate_at[i] * sim->total)
      {
        fill_state (sim, &state, lanes);
        sim->result->estimates[i] = gw_scheduler_estimate (&state);
        sim->result->estimated_at_s[i] = (sim->now - SIM_START_MS) / 1000.0;
      }
}

static gint64
next_arrival (const Sim *sim)
{
  const SimConfig *config = sim->config;

  return SIM_START_MS + (gint64) ceil (config->arrivals_s * 1000 * sim->arrived / config->tasks);
}

/* Goes through what happens at `now`. */
static void
take_events (Sim *sim)
{
  const SimConfig *config = sim->config;

  for (guint i = 0; i < config->n_lanes; i++)
    {
      Lane *lane = &sim->lanes[i];

      for (guint j = 0; j < lane->n_flying;)
        if (lane->ends[j] <= sim->now)
          end_call (sim, i, j, FALSE);
        else if (lane->outage_from == sim->now)
          end_call (sim, i, j, TRUE);
        else
          j++;
    }
  while (sim->to_come > 0 && next_arrival (sim) <= sim->now)
    {
      sim->to_come--;
      sim->arrived++;
      sim->waiting++;
    }
}

static gint64
next_event (Sim *sim)
{
  const SimConfig *config = sim->config;
  gint64 next = GW_SCHEDULER_NEVER;

  for (guint i = 0; i < config->n_lanes; i++)
    {
      Lane *lane = &sim->lanes[i];

      for (guint j = 0; j < lane->n_flying; j++)
        next = MIN (next, lane->ends[j]);
      if (lane->outage_from > sim->now)
        next = MIN (next, lane->outage_from);
    }
  if (sim->to_come > 0)
    next = MIN (next, next_arrival (sim));

  return next;
}

typedef struct {
  gint64 time;
  int change;
} Edge;

static int
compare_edges (gconstpointer a,
               gconstpointer b)
{
  const Edge *left = a, *right = b;

  if (left->time != right->time)
    return left->time < right->time ? -1 : 1;

  return left->change - right->change;
}

/* Whether more than @most calls of @lane (all: -1) were ever in flight at once. */
static gboolean
has_more_at_once (const Sim *sim,
                  int lane,
                  guint most)
{
  g_autoptr (GArray) edges = g_array_new (FALSE, FALSE, sizeof (Edge));
  guint flying = 0;

  for (guint i = 0; i < sim->log->len; i++)
    {
      const Call *call = &g_array_index (sim->log, Call, i);
      Edge up = { call->start, 1 }, down = { call->end, -1 };

      if (lane >= 0 && call->lane != (guint) lane)
        continue;
      g_array_append_val (edges, up);
      g_array_append_val (edges, down);
    }
  g_array_sort (edges, compare_edges);
  for (guint i = 0; i < edges->len; i++)
    {
      flying += g_array_index (edges, Edge, i).change;
      if (flying > most)
        return TRUE;
    }

  return FALSE;
}

/* Goes through the log and names the first limit that was broken. */
static char *
find_breach (const Sim *sim)
{
  const SimConfig *config = sim->config;

  if (has_more_at_once (sim, -1, config->cap))
    return g_strdup ("cap");
  for (guint i = 0; i < config->n_projects; i++)
    if (sim->project_most[i] > config->project_concurrency[i])
      return g_strdup_printf ("concurrency of project %u", i);
  for (guint i = 0; i < config->n_lanes; i++)
    {
      const SimLane *lane = &config->lanes[i];
      g_autoptr (GArray) sent = g_array_new (FALSE, FALSE, sizeof (gint64));

      if (has_more_at_once (sim, (int) i, lane->slots))
        return g_strdup_printf ("slots of lane %u", i);
      for (guint j = 0; j < sim->log->len; j++)
        {
          const Call *call = &g_array_index (sim->log, Call, j);

          if (call->lane != i)
            continue;
          if (call->start >= sim->lanes[i].outage_from && call->start < sim->lanes[i].outage_until)
            return g_strdup_printf ("cool-down of lane %u", i);
          g_array_append_val (sent, call->start);
        }
      for (guint j = 0; lane->window_sends > 0 && j < sent->len; j++)
        {
          gint64 at = g_array_index (sent, gint64, j);
          guint counted = 0;

          for (guint k = j; k-- > 0 && g_array_index (sent, gint64, k) > at - config->window_ms;)
            counted++;
          if (counted >= lane->window_sends)
            return g_strdup_printf ("window of lane %u", i);
          if (j > 0 && 2 * counted >= lane->window_sends
              && at - g_array_index (sent, gint64, j - 1) < config->spacing_ms)
            return g_strdup_printf ("spacing of lane %u", i);
        }
      if (sim->result->lane_answers[i] < lane->pins)
        return g_strdup_printf ("pins of lane %u", i);
    }

  return NULL;
}

static void
sim_init (Sim *sim,
          const SimConfig *config,
          SimResult *result)
{
  *sim = (Sim){ .config = config, .result = result, .now = SIM_START_MS };
  *result = (SimResult){ 0 };
  for (guint i = 0; i < G_N_ELEMENTS (result->estimated_at_s); i++)
    result->estimated_at_s[i] = -1;
  sim->log = g_array_new (FALSE, FALSE, sizeof (Call));
  sim->memo = config->uses_memo ? gw_scheduler_memo_new () : NULL;
  sim->open = config->tasks;
  if (config->arrivals_s > 0)
    sim->to_come = config->tasks;
  else
    sim->waiting = config->tasks;
  for (guint i = 0; i < config->n_projects; i++)
    {
      sim->project_waiting[i] = config->project_tasks[i];
      sim->open += config->project_tasks[i];
    }
  for (guint i = 0; i < config->n_lanes; i++)
    {
      const SimLane *source = &config->lanes[i];
      Lane *lane = &sim->lanes[i];

      lane->flying = g_new (gint64, source->slots);
      lane->ends = g_new (gint64, source->slots);
      lane->sources = g_new (int, source->slots);
      lane->failing = g_new (gboolean, source->slots);
      lane->reopens = g_array_new (FALSE, FALSE, sizeof (gint64));
      lane->pins = source->pins;
      if (source->outage_until_s > 0)
        {
          lane->outage_from = SIM_START_MS + (gint64) (source->outage_from_s * 1000);
          lane->outage_until = SIM_START_MS + (gint64) (source->outage_until_s * 1000);
        }
      sim->open += source->pins;
      if (config->guess_error >= 0)
        gw_belief_init (&lane->belief,
                        source->mean_s * exp (config->guess_error * normal (config->seed, 400, i)));
      else
        lane->belief = (GwBelief){ log (source->mean_s) - source->sigma * source->sigma / 2,
                                   source->sigma * source->sigma, 40 };
    }
  sim->total = sim->open;
}

static void
sim_clear (Sim *sim)
{
  for (guint i = 0; i < sim->config->n_lanes; i++)
    {
      g_free (sim->lanes[i].flying);
      g_free (sim->lanes[i].ends);
      g_free (sim->lanes[i].sources);
      g_free (sim->lanes[i].failing);
      g_array_unref (sim->lanes[i].reopens);
    }
  g_array_unref (sim->log);
  gw_scheduler_memo_free (sim->memo);
}

/* Runs the batch to its last answer. @result->breach is to be freed. */
void
sim_run (const SimConfig *config,
         SimResult *result)
{
  Sim sim;
  guint looks = 0;

  sim_init (&sim, config, result);
  while (sim.open > 0)
    {
      gint64 event, ask_at;

      take_events (&sim);
      if (sim.open == 0)
        break;
      record_estimates (&sim);
      ask_at = ask_all (&sim);
      event = next_event (&sim);
      looks = event <= ask_at ? 0 : looks + 1;
      if (MIN (event, ask_at) == GW_SCHEDULER_NEVER || looks > MOST_LOOKS)
        {
          result->stalled = TRUE;
          break;
        }
      sim.now = MIN (event, ask_at);
    }
  result->makespan_s = (sim.last_answer - SIM_START_MS) / 1000.0;
  if (!result->stalled)
    result->breach = find_breach (&sim);
  for (guint i = 0; config->calls != NULL && i < sim.log->len; i++)
    {
      const Call *call = &g_array_index (sim.log, Call, i);
      GwEfficiencyCall journal = { call->lane, call->start, call->end, call->answered };

      g_array_append_val (config->calls, journal);
    }
  sim_clear (&sim);
}

/* The bound for that batch: it knows every call's length and fate. Arrivals and projects are left
 * out, except that a project's rounds take at least the fastest lane's mean each. */
double
sim_bound (const SimConfig *config)
{
  GwBoundLane lanes[SIM_MOST_LANES] = { 0 };
  double parked[SIM_MOST_LANES][2];
  guint64 n = config->tasks;
  double bound, fastest = INFINITY;

  for (guint i = 0; i < config->n_projects; i++)
    n += config->project_tasks[i];
  for (guint i = 0; i < config->n_lanes; i++)
    n += config->lanes[i].pins;
  for (guint i = 0; i < config->n_lanes; i++)
    {
      const SimLane *source = &config->lanes[i];
      gboolean varies = source->sigma > 0 || config->failures > 0;
      guint n_calls = varies ? (guint) (n * 1.3) + 50 : 0;
      double *durations = g_new (double, n_calls + 1);
      guint8 *unanswered = g_new (guint8, n_calls + 1);

      for (guint k = 0; k < n_calls; k++)
        {
          durations[k] = call_duration (config, i, k) / 1000.0;
          unanswered[k] = call_fails (config, i, k);
        }
      lanes[i] = (GwBoundLane){ .slots = source->slots, .window_sends = source->window_sends,
                                .durations_s = durations, .n_durations = n_calls,
                                .prior_s = call_duration (config, i, 0) / 1000.0,
                                .pins = source->pins, .unanswered = unanswered };
      if (source->outage_until_s > 0)
        {
          parked[i][0] = source->outage_from_s;
          parked[i][1] = source->outage_until_s;
          lanes[i].parked_s = parked[i];
          lanes[i].n_parked = 1;
        }
      fastest = MIN (fastest, source->mean_s);
    }
  bound = gw_scheduler_bound_full (lanes, config->n_lanes, config->cap, n, config->window_ms,
                                   config->spacing_ms);
  for (guint i = 0; i < config->n_projects; i++)
    bound = MAX (bound, ceil ((double) config->project_tasks[i] / config->project_concurrency[i])
                            * fastest);
  if (config->arrivals_s > 0 && config->tasks > 0)
    bound = MAX (bound, config->arrivals_s * (config->tasks - 1) / config->tasks + fastest);
  for (guint i = 0; i < config->n_lanes; i++)
    {
      g_free ((gpointer) lanes[i].durations_s);
      g_free ((gpointer) lanes[i].unanswered);
    }

  return bound;
}
