/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-timeline-words"

#include "config.h"

#include <glib/gi18n.h>

#include "gw-task-words.h"
#include "gw-timeline-words.h"

#define FEW_SAMPLES 20

const char *
gw_timeline_lane_get_title (const GwTimelineLane *lane)
{
  return lane->title != NULL && lane->title[0] != '\0' ? lane->title : lane->name;
}

/* The time of day, here. */
char *
gw_timeline_words_for_time (gint64 wall_ms)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (wall_ms / 1000);

  /* Translators: a time of day with seconds, see strftime(3) */
  return time != NULL ? g_date_time_format (time, _("%H:%M:%S")) : g_strdup ("");
}

char *
gw_timeline_words_for_outcome (const GwAttempt *attempt)
{
  switch (attempt->outcome)
    {
    case GW_OUTCOME_LIVE:
      return g_strdup (attempt->sent_at > 0 ? C_ ("attempt", "Running")
                                            : C_ ("attempt", "About to be sent"));
    case GW_OUTCOME_ANSWERED:
      return g_strdup (C_ ("attempt", "Answered"));
    case GW_OUTCOME_EXTRA:
      return g_strdup (C_ ("attempt", "Answered too late or twice"));
    case GW_OUTCOME_ABORTED:
      return g_strdup (C_ ("attempt", "Cancelled"));
    case GW_OUTCOME_UNSENT:
      return g_strdup (C_ ("attempt", "Not sent"));
    case GW_OUTCOME_UNCERTAIN:
      return g_strdup (C_ ("attempt", "Interrupted"));
    case GW_OUTCOME_FAILED:
    case GW_N_OUTCOMES:
    default:
      if (attempt->has_error)
        /* Translators: %s is a word for the kind of error, e.g. "timeout" */
        return g_strdup_printf (C_ ("attempt", "Failed: %s"),
                                gw_error_to_string (attempt->error_code));
      return g_strdup (C_ ("attempt", "Failed"));
    }
}

static const char *
stop_words (const char *reason)
{
  if (g_strcmp0 (reason, "auth") == 0)
    return _("The key was not accepted");
  if (g_strcmp0 (reason, "quota") == 0)
    return _("The account is out of credit");
  if (g_strcmp0 (reason, "no-key") == 0)
    return _("The provider has no key yet");
  if (g_strcmp0 (reason, "model") == 0)
    return _("The provider does not offer the model");
  return _("The provider does not work as it is set up");
}

/* A whole sentence, without its full stop. */
static char *
gap_words (const GwTimelineGap *gap,
           const GwTimelineLane *lane)
{
  g_autofree char *until = gap->until > 0 ? gw_timeline_words_for_time (gap->until) : NULL;

  switch (gap->reason)
    {
    case GW_GAP_NO_WORK:
      return g_strdup (_("No task waited"));
    case GW_GAP_BACK_OFF:
      return g_strdup (_("Waited a moment before the next try"));
    case GW_GAP_WINDOW:
      if (until != NULL)
        /* Translators: a number of requests, and a time of day */
        return g_strdup_printf (ngettext ("%1$u request per minute was used up, until %2$s",
                                          "%1$u requests per minute were used up, until %2$s",
                                          lane->per_minute),
                                lane->per_minute, until);
      return g_strdup (_("The requests per minute were used up"));
    case GW_GAP_COOL_DOWN:
      if (until != NULL)
        /* Translators: %s is a time of day */
        return g_strdup_printf (_("The provider asked to slow down, until %s"), until);
      return g_strdup (_("The provider asked to slow down: fewer calls at once"));
    case GW_GAP_CAP:
      return g_strdup (_("As many calls at once as allowed over all providers"));
    case GW_GAP_STOPPED:
      return g_strdup (stop_words (lane->stopped));
    case GW_GAP_HELD:
    case GW_N_GAP_REASONS:
    default:
      return g_strdup (_("Left to faster providers, or to a limit of the project"));
    }
}

/**
 * gw_timeline_words_for_gap:
 *
 * Returns: (transfer full): why a slot was idle, and for how long
 */
char *
gw_timeline_words_for_gap (const GwTimelineGap *gap,
                           const GwTimelineLane *lane)
{
  g_autofree char *why = gap_words (gap, lane);
  g_autofree char *took = gw_duration_to_words (gap->to - gap->from);

  /* Translators: why no call was made, and for how long, e.g. "No task waited (3.2 s)" */
  return g_strdup_printf (_("%1$s (%2$s)"), why, took);
}

/* In the gap itself, where there is room. */
char *
gw_timeline_words_for_gap_short (const GwTimelineGap *gap)
{
  switch (gap->reason)
    {
    case GW_GAP_WINDOW:
      return g_strdup (_("Limit per minute"));
    case GW_GAP_COOL_DOWN:
      if (gap->until > 0)
        {
          g_autofree char *until = gw_timeline_words_for_time (gap->until);

          /* Translators: %s is a time of day */
          return g_strdup_printf (_("Cool-down until %s"), until);
        }
      return g_strdup (_("Slowed down"));
    case GW_GAP_CAP:
      return g_strdup (_("Limit over all"));
    case GW_GAP_STOPPED:
      return g_strdup (_("Stopped"));
    case GW_GAP_BACK_OFF:
      return g_strdup (_("Before the next try"));
    case GW_GAP_HELD:
      return g_strdup (_("Left to others"));
    case GW_GAP_NO_WORK:
    case GW_N_GAP_REASONS:
    default:
      return NULL;
    }
}

/**
 * gw_timeline_words_for_bar:
 * @task: the task's first line
 *
 * Returns: (transfer full): what a tooltip says of a call, in lines
 */
char *
gw_timeline_words_for_bar (const GwTimelineBar *bar,
                           const GwTimelineLane *lane,
                           const char *task)
{
  const GwAttempt *attempt = bar->attempt;
  g_autofree char *outcome = gw_timeline_words_for_outcome (attempt);
  g_autofree char *waited = gw_duration_to_words (bar->sent - bar->from);
  g_autofree char *ran = gw_duration_to_words (bar->to - bar->sent);
  g_autofree char *from = gw_timeline_words_for_time (bar->from);
  GString *words = g_string_new (task);

  g_string_append_c (words, '\n');
  /* Translators: a provider, the number of one of its places for calls, the number of an attempt */
  g_string_append_printf (words, _("%1$s, place %2$u, attempt %3$u"),
                          gw_timeline_lane_get_title (lane), attempt->slot + 1, attempt->number);
  g_string_append_c (words, '\n');
  if (attempt->sent_at > 0)
    /* Translators: a time of day, then two durations */
    g_string_append_printf (words, _("%1$s: waited %2$s, ran %3$s"), from, waited, ran);
  else
    g_string_append (words, from);
  g_string_append_c (words, '\n');
  g_string_append (words, outcome);
  return g_string_free (words, FALSE);
}

/**
 * gw_timeline_words_for_numbers:
 * @oldest_ms: how long the oldest queued task waits; negative: none
 *
 * Returns: (transfer full): "Run p50 2.8 s · p95 9.1 s · 14 per min · oldest waiting 41 s (low
 *   confidence: 6 samples)"
 */
char *
gw_timeline_words_for_numbers (const GwTimelineNumbers *numbers,
                               gint64 oldest_ms)
{
  GString *words = g_string_new (NULL);

  if (numbers->samples > 0)
    {
      g_autofree char *p50 = gw_duration_to_words (numbers->p50_ms);
      g_autofree char *p95 = gw_duration_to_words (numbers->p95_ms);

      /* Translators: how long calls take: half of them, and 95 of 100, at most so long */
      g_string_append_printf (words, _("Run p50 %1$s · p95 %2$s"), p50, p95);
      g_string_append (words, " · ");
    }
  /* Translators: calls in the last minute */
  g_string_append_printf (words, ngettext ("%u per min", "%u per min", numbers->per_minute),
                          numbers->per_minute);
  if (oldest_ms >= 0)
    {
      g_autofree char *oldest = gw_duration_to_words (oldest_ms);

      g_string_append (words, " · ");
      /* Translators: %s is how long the oldest queued task has waited */
      g_string_append_printf (words, _("oldest waiting %s"), oldest);
    }
  if (numbers->samples > 0 && numbers->samples < FEW_SAMPLES)
    {
      g_string_append_c (words, ' ');
      g_string_append_printf (words,
                              ngettext ("(low confidence: %'u sample)",
                                        "(low confidence: %'u samples)", numbers->samples),
                              numbers->samples);
    }
  return g_string_free (words, FALSE);
}
