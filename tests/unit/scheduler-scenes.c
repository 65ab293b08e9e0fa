/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "scheduler-scenes.h"

const SimRow sim_table[12] = {
  { { 2, 2, 2 }, 100, 20, 20.1 },    { { 2, 2, 2 }, 500, 132, 134.03 },
  { { 2, 2, 2 }, 1000, 268, 268 },   { { 3, 6, 20 }, 30, 12, 12.1 },
  { { 3, 6, 20 }, 100, 42, 42.05 },  { { 3, 6, 20 }, 500, 210, 213.03 },
  { { 2, 8, 30 }, 30, 10, 10.1 },    { { 2, 8, 30 }, 100, 32, 32.1 },
  { { 2, 8, 30 }, 500, 160, 160.1 }, { { 4, 12, 8 }, 30, 20, 20.08 },
  { { 4, 12, 8 }, 100, 60, 60.08 },  { { 4, 12, 8 }, 500, 296, 296.02 },
};

void
sim_row_config (const SimRow *row,
                gboolean kept,
                SimConfig *config)
{
  const guint slots[] = { 5, 5, 1 }, window_sends[] = { 0, 40, 0 };

  sim_config_init (config);
  config->tasks = row->n;
  config->n_lanes = 3;
  for (guint i = 0; i < 3; i++)
    config->lanes[i] = (SimLane){ .slots = slots[i], .window_sends = window_sends[i],
                                  .mean_s = row->latency_s[i] };
  if (kept)
    {
      config->window_ms = GW_WINDOW_MS;
      config->spacing_ms = GW_SPACING_MS;
    }
}

/* Between @low and @high, as many below as above their geometric mean. */
static double
draw (guint64 seed,
      guint64 *turn,
      double low,
      double high)
{
  return low * pow (high / low, sim_uniform (seed, 1, (*turn)++));
}

static gboolean
happens (guint64 seed,
         guint64 *turn,
         double chance)
{
  return sim_uniform (seed, 2, (*turn)++) < chance;
}

/* 1 to 6 lanes whose latencies differ up to 300-fold: harsher than practice. */
void
sim_random_config (guint64 seed,
                   SimConfig *config)
{
  guint64 turn = 0;
  gboolean varies, has_outages;
  double n, fastest = INFINITY;

  sim_config_init (config);
  config->seed = seed;
  config->n_lanes = 1 + (guint) (sim_uniform (seed, 3, 0) * 6);
  varies = happens (seed, &turn, 0.6);
  for (guint i = 0; i < config->n_lanes; i++)
    {
      SimLane *lane = &config->lanes[i];

      lane->slots = (guint) draw (seed, &turn, 1, 65);
      lane->mean_s = round (draw (seed, &turn, 0.2, 60) * 1000) / 1000;
      if (happens (seed, &turn, 0.5))
        lane->window_sends = (guint) draw (seed, &turn, 10, 601);
      if (varies)
        lane->sigma = 0.3 + 0.7 * sim_uniform (seed, 4, i);
      fastest = MIN (fastest, lane->mean_s);
    }
  config->cap = (guint) draw (seed, &turn, 5, 201);
  n = floor (draw (seed, &turn, 1, 5001));
  config->tasks = (guint64) n;
  if (happens (seed, &turn, 0.25))
    for (guint i = 0; i < config->n_lanes; i++)
      {
        guint64 pins = (guint64) (n * 0.3 / config->n_lanes * sim_uniform (seed, 5, i));

        config->lanes[i].pins = pins;
        config->tasks -= pins;
      }
  if (happens (seed, &turn, 0.25))
    {
      guint n_projects = 1 + (guint) (sim_uniform (seed, 6, 0) * 3);

      for (guint i = 0; i < n_projects; i++)
        {
          guint64 tasks = (guint64) (MIN (n * 0.3, 60) / n_projects * sim_uniform (seed, 7, i));

          if (tasks == 0)
            continue;
          config->project_tasks[config->n_projects] = tasks;
          config->project_concurrency[config->n_projects]
              = 1 + (guint) (sim_uniform (seed, 8, i) * 3);
          config->n_projects++;
          config->tasks -= tasks;
        }
    }
  if (happens (seed, &turn, 0.25) && config->tasks > 1)
    config->arrivals_s = draw (seed, &turn, 1, 60);
  has_outages = happens (seed, &turn, 0.25);
  if (has_outages)
    {
      SimLane *lane = &config->lanes[(guint) (sim_uniform (seed, 9, 0) * config->n_lanes)];

      lane->outage_from_s = round (draw (seed, &turn, fastest, 60) * 1000) / 1000;
      lane->outage_until_s = lane->outage_from_s + round (draw (seed, &turn, 1, 60));
    }
  if (happens (seed, &turn, 0.2))
    config->failures = happens (seed, &turn, 0.5) ? 0.02 : 0.1;
}

static gboolean
has_outage (const SimConfig *config)
{
  for (guint i = 0; i < config->n_lanes; i++)
    if (config->lanes[i].outage_until_s > 0)
      return TRUE;

  return FALSE;
}

gboolean
sim_is_plain (const SimConfig *config)
{
  return config->lanes[0].sigma > 0 && !has_outage (config) && config->failures <= 0
         && config->arrivals_s <= 0 && config->n_projects == 0;
}

guint
sim_tasks_group (const SimConfig *config)
{
  guint64 slots = 0, tasks = config->tasks;

  for (guint i = 0; i < config->n_lanes; i++)
    {
      slots += config->lanes[i].slots;
      tasks += config->lanes[i].pins;
    }
  for (guint i = 0; i < config->n_projects; i++)
    tasks += config->project_tasks[i];

  return tasks >= 10 * slots ? 0 : tasks >= slots ? 1 : 2;
}

void
sim_groups_init (SimGroups *self)
{
  *self = (SimGroups){ 0 };
  for (guint i = 0; i < SIM_N_GROUPS; i++)
    self->ratios[i] = g_array_new (FALSE, FALSE, sizeof (double));
}

void
sim_groups_clear (SimGroups *self)
{
  for (guint i = 0; i < SIM_N_GROUPS; i++)
    g_array_unref (self->ratios[i]);
  g_free (self->breach);
}

/* Runs the batch and sorts its ratio in; gives the ratio. */
double
sim_groups_add (SimGroups *self,
                const SimConfig *config,
                double bound_s)
{
  SimResult result;
  double ratio;
  guint64 slots = 0;

  sim_run (config, &result);
  if (result.breach != NULL && self->breach == NULL)
    self->breach = g_strdup_printf ("seed %" G_GUINT64_FORMAT ": %s", config->seed, result.breach);
  g_free (result.breach);
  if (result.stalled)
    {
      self->stalled++;
      return INFINITY;
    }

  ratio = result.makespan_s / bound_s;
  g_array_append_val (self->ratios[SIM_GROUP_ALL], ratio);
  for (guint i = 0; i < config->n_lanes; i++)
    slots += config->lanes[i].slots;
  if (config->lanes[0].sigma <= 0)
    {
      if (!has_outage (config) && config->failures <= 0)
        {
          g_array_append_val (self->ratios[SIM_GROUP_FIXED], ratio);
          if (slots <= config->cap && config->n_projects == 0)
            g_array_append_val (self->ratios[SIM_GROUP_FIXED_SLACK], ratio);
        }
      return ratio;
    }
  g_array_append_val (self->ratios[SIM_GROUP_RANDOM], ratio);
  if (!has_outage (config))
    g_array_append_val (self->ratios[SIM_GROUP_RANDOM_MANY + sim_tasks_group (config)], ratio);

  return ratio;
}

const char *
sim_group_name (SimGroup group)
{
  const char *names[SIM_N_GROUPS] = {
    "all",
    "fixed, no outage or failure",
    "the same, cap slack, no projects",
    "random",
    "random, no outage, 10 tasks a slot or more",
    "random, no outage, 1 to 10 tasks a slot",
    "random, no outage, fewer",
  };

  return names[group];
}

guint
sim_groups_count (const SimGroups *self,
                  SimGroup group)
{
  return self->ratios[group]->len;
}

double
sim_groups_mean (const SimGroups *self,
                 SimGroup group)
{
  GArray *ratios = self->ratios[group];
  double sum = 0;

  for (guint i = 0; i < ratios->len; i++)
    sum += log (g_array_index (ratios, double, i));

  return ratios->len > 0 ? exp (sum / ratios->len) : 0;
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return (left > right) - (left < right);
}

double
sim_quantile (GArray *values,
              double part)
{
  if (values->len == 0)
    return 0;
  g_array_sort (values, compare_doubles);

  return g_array_index (values, double, (guint) (part * (values->len - 1)));
}

double
sim_groups_quantile (const SimGroups *self,
                     SimGroup group,
                     double part)
{
  return sim_quantile (self->ratios[group], part);
}
