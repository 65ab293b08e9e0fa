/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "scheduler-simulator.h"

G_BEGIN_DECLS

/* What the scheduler is measured on, by tests and by the benchmark: twelve batches over three lanes
 * whose best makespan is known, and random configurations that are set against the bound. */

typedef struct {
  double latency_s[3];  /* 5 slots; 5 slots and 40 sends per minute; 1 slot; 10 in all */
  guint n;
  double best_s;        /* exact minute, no spacing */
  double best_kept_s;   /* with our window and spacing */
} SimRow;

extern const SimRow sim_table[12];

void sim_row_config (const SimRow *row, gboolean kept, SimConfig *config);
void sim_random_config (guint64 seed, SimConfig *config);

/* Neither arrivals, projects, outages nor failures, and latencies vary. */
gboolean sim_is_plain (const SimConfig *config);
guint sim_tasks_group (const SimConfig *config); /* 0: 10 tasks a slot or more; 1: one or more; 2 */

typedef enum {
  SIM_GROUP_ALL,
  SIM_GROUP_FIXED,       /* no outage or failure */
  SIM_GROUP_FIXED_SLACK, /* and the cap does not bind, no projects */
  SIM_GROUP_RANDOM,
  SIM_GROUP_RANDOM_MANY, /* no outage, 10 tasks a slot or more */
  SIM_GROUP_RANDOM_SOME, /* no outage, 1 to 10 */
  SIM_GROUP_RANDOM_FEW,  /* no outage, less */
  SIM_N_GROUPS
} SimGroup;

/* Ratios of makespan to bound. */
typedef struct {
  GArray *ratios[SIM_N_GROUPS]; /* (element-type double) */
  guint stalled;
  char *breach;                 /* (nullable) the first */
} SimGroups;

void sim_groups_init (SimGroups *self);
void sim_groups_clear (SimGroups *self);
double sim_groups_add (SimGroups *self, const SimConfig *config, double bound_s);
const char *sim_group_name (SimGroup group);
guint sim_groups_count (const SimGroups *self, SimGroup group);
double sim_groups_mean (const SimGroups *self, SimGroup group); /* geometric */
double sim_groups_quantile (const SimGroups *self, SimGroup group, double part);
double sim_quantile (GArray *values, double part);

G_END_DECLS
