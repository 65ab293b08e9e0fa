/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is believed of a lane's latency: that its logarithm is normal, with a mean and a variance
 * that are learned from answers alone (a failure or an abort says nothing about how long an answer
 * takes). A new belief weighs as much as one answer, a practised one as forty, so that it follows
 * a provider that grows slower during the day.
 *
 * Pure functions on plain data; any thread, the caller's lock. */
#define G_LOG_DOMAIN "gw-belief"

#include "config.h"

#include <math.h>

#include "worker/gw-scheduler.h"

#define FIRST_VARIANCE 0.25 /* two guesses of three are right within a factor of 1.6 */
#define MOST_WEIGHT 40.0
#define LEAST_LATENCY_S 0.001
#define MOST_LATENCY_S 86400.0

static double
clamp_latency (double latency_s)
{
  /* So written that NaN becomes the least. */
  if (!(latency_s > LEAST_LATENCY_S))
    return LEAST_LATENCY_S;

  return MIN (latency_s, MOST_LATENCY_S);
}

/**
 * gw_belief_init:
 * @belief: (out caller-allocates): becomes the belief before any answer
 * @latency_s: guessed mean latency in seconds
 *
 * The catalogue's or the user's guess, with the weight of one answer.
 */
void
gw_belief_init (GwBelief *belief,
                double latency_s)
{
  g_return_if_fail (belief != NULL);

  belief->variance = FIRST_VARIANCE;
  belief->mean = log (clamp_latency (latency_s)) - FIRST_VARIANCE / 2;
  belief->weight = 1;
}

/**
 * gw_belief_learn:
 * @belief: a belief
 * @latency_s: how long an answered call took, from its send to its last byte, in seconds
 *
 * Moves mean and variance towards one more answer.
 */
void
gw_belief_learn (GwBelief *belief,
                 double latency_s)
{
  double surprise;

  g_return_if_fail (belief != NULL);

  surprise = log (clamp_latency (latency_s)) - belief->mean;
  belief->weight = MIN (belief->weight + 1, MOST_WEIGHT);
  belief->mean += surprise / belief->weight;
  belief->variance = (1 - 1 / belief->weight)
                     * (belief->variance + surprise * surprise / belief->weight);
}

/**
 * gw_belief_get_mean:
 * @belief: a belief
 *
 * Returns: the mean latency in seconds
 */
double
gw_belief_get_mean (const GwBelief *belief)
{
  return exp (belief->mean + belief->variance / 2);
}

/**
 * gw_belief_get_quantile:
 * @belief: a belief
 * @z: how many standard deviations above the median; 1 is the 84th percentile, 1.65 the 95th
 *
 * Returns: the latency in seconds that an answer takes at most, that often
 */
double
gw_belief_get_quantile (const GwBelief *belief,
                        double z)
{
  return exp (belief->mean + z * sqrt (belief->variance));
}
